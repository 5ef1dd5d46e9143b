"""The statistics of a slot are those of their definitions, computed naively, and say what they do not know."""

from __future__ import annotations

import math
import statistics as naive

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vv_slots import slot_data

from aca_core.vv.slot_data import SlotData
from aca_core.vv.statistics import slot_statistics

IDENTITY = {"slot", "type", "id_status", "cel_loc_flag"}


def percentile(values, percent):
    """Interpolate linearly between order statistics."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def spread(name, values, total):
    med = naive.median(values)
    big = sum(abs(value - med) > 0.7 for value in values)
    return {
        f"{name}_n_samples": total,
        f"{name}_bad_samples": total - len(values),
        f"{name}_mean": naive.fmean(values),
        f"{name}_med": med,
        f"{name}_rms": math.sqrt(naive.fmean((value - med) ** 2 for value in values)),
        f"frac_{name}_big": big / total,
        f"frac_{name}_big_good": big / len(values),
    }


def reference(data):
    """Compute the statistics of a slot sample by sample."""
    rows = list(range(len(data.time)))
    good = [row for row in rows if data.qual[row] == 0]
    found = {"slot": data.slot, "type": data.kind, "id_status": data.id_status, "n_pts": len(rows)}
    if data.kind != "FID":
        found["cel_loc_flag"] = data.cel_loc_flag
    for name in ("dr", "dy", "dz"):
        found |= spread(name, [float(getattr(data, name)[row]) for row in good], len(rows))
    lit = [row for row in rows if not math.isnan(data.mag[row])]
    found |= spread("mag", [float(data.mag[row]) for row in lit], len(rows))
    lit_good = spread("mag", [float(data.mag[row]) for row in lit if row in set(good)], len(rows))
    found |= {f"{key}_good": lit_good[key] for key in ("mag_mean", "mag_med", "mag_rms")}
    found["frac_mag_big_good"] = lit_good["frac_mag_big_good"]
    found["rad_off"] = math.sqrt(found["dy_med"] ** 2 + found["dz_med"] ** 2)
    ending = "_sm" if data.kind == "FID" else ""
    for more, chosen in (("", rows), ("_good", good)):
        for axis in "yz":
            angles = getattr(data, f"ang_{axis}{ending}")
            found[f"mean_{axis}{more}"] = naive.fmean(float(angles[row]) for row in chosen)
        for number, percent in ((1, 68), (2, 95)):
            found[f"enc_rad{number}{more}"] = percentile([float(data.dr[row]) for row in chosen], percent)
    steps = sorted(float(b - a) for a, b in zip(data.time[:-1], data.time[1:], strict=True))
    step = steps[(len(steps) - 1) // 10]
    found["seconds_good"] = len(good) * step
    found["intervals_good"] = len({int(data.interval[row]) for row in good})
    return found


@pytest.mark.parametrize("kind", ["GUIDE", "MONITOR", "FID"])
@pytest.mark.parametrize("intervals", [1, 3])
def test_statistics_are_those_of_the_definitions(kind, intervals):
    data = slot_data(kind, noise=0.4, bad=0.1, intervals=intervals, count=400)
    smooth = data.ang_y + 0.001
    mag = np.where(np.arange(400) % 17 == 0, np.nan, data.mag)
    data = attrs.evolve(data, ang_y_sm=smooth, mag=mag)
    found, expected = slot_statistics(data), reference(data)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == (pytest.approx(value, rel=1e-9, abs=1e-15) if isinstance(value, float) else value), key


def test_the_examples_of_the_definitions():
    zero = np.zeros(10)
    data = slot_data(count=10, bad=0, dr=np.arange(1.0, 11.0), dz=zero)
    found = slot_statistics(attrs.evolve(data, dy=np.array([0.1, 0.2, -0.1, 0.9, 0.0] * 2)))
    assert found["dy_med"] == 0.1
    assert found["dy_rms"] == pytest.approx(0.374166, abs=5e-7)
    assert found["frac_dy_big"] == 0.2
    assert (found["enc_rad1"], found["enc_rad2"]) == (pytest.approx(7.12), pytest.approx(9.55))


def test_bad_samples_count_only_where_the_definitions_say_so():
    """Radii, mean angles and magnitudes are of all samples, and beside each is that of the good ones."""
    good = slot_data(bad=0, count=200)
    is_bad = np.arange(200) >= 180
    off = np.where(is_bad, 5.0, 0.0)
    data = attrs.evolve(
        good, dy=good.dy + off, dr=np.hypot(good.dy + off, good.dz), ang_y=good.ang_y + off / 3600, mag=good.mag + off,
        qual=np.where(is_bad, 64, 0),
    )  # fmt: skip
    found = slot_statistics(data)
    assert found["enc_rad2"] > 4 > 1 > found["enc_rad2_good"]
    assert found["mag_mean"] - found["mag_mean_good"] == pytest.approx(0.5, abs=0.02)
    assert found["mean_y"] - found["mean_y_good"] == pytest.approx(0.5 / 3600, abs=1e-4)
    assert (found["frac_mag_big"], found["frac_mag_big_good"]) == (0.1, 0.0)
    kept = attrs.evolve(data, **{name: getattr(data, name)[:180] for name in arrays()})
    for key in ("dy_mean", "dy_med", "dy_rms", "dz_rms", "dr_med", "rad_off", "seconds_good"):
        assert found[key] == slot_statistics(kept)[key], key


def arrays():
    return [field.name for field in attrs.fields(SlotData) if "Array" in str(field.type)]


def test_a_slot_without_a_good_sample_is_not_perfect():
    found = slot_statistics(slot_data(bad=1.1, count=50))
    assert found["n_pts"] == found["dy_n_samples"] == found["dy_bad_samples"] == 50
    for key in ("dy_mean", "dy_med", "dy_rms", "rad_off", "frac_dy_big", "frac_dy_big_good", "mean_y_good", "dr_rms"):
        assert found[key] is None, key
    assert found["mag_med"] is not None, "magnitudes are of all samples"
    assert (found["seconds_good"], found["intervals_good"]) == (0.0, 0)


def test_slots_that_say_nothing_have_only_a_name():
    assert slot_statistics(slot_data(count=0)).keys() == IDENTITY
    omitted = slot_data("FID", id_status="OMITTED", mean=(2300.0, 100.0))
    assert slot_statistics(omitted) == {"slot": 4, "type": "FID", "id_status": "OMITTED"}
    stand_in = slot_data("GUIDE", id_status="OMITTED")
    assert slot_statistics(stand_in)["n_pts"] == 500, "the place of an unlisted star is known from its catalogue"


def test_what_is_no_number_is_counted_and_not_used():
    data = slot_data(bad=0, count=100)
    broken = attrs.evolve(data, dy=np.where(np.arange(100) < 7, np.nan, data.dy), mag=np.full(100, np.nan))
    found = slot_statistics(broken)
    assert (found["dy_bad_samples"], found["dz_bad_samples"], found["mag_bad_samples"]) == (7, 0, 100)
    assert found["dy_mean"] == pytest.approx(data.dy[7:].mean())
    assert found["mag_med"] is found["frac_mag_big"] is None
    assert slot_statistics(slot_data(count=1, bad=0))["dy_rms"] == 0.0


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=20))
def test_any_numbers_give_finite_ones_or_none(values):
    found = slot_statistics(slot_data(count=len(values), bad=0, dy=np.array(values), dr=np.abs(values)))
    for key, value in found.items():
        assert value is None or isinstance(value, str) or math.isfinite(value), key
        assert value is None or isinstance(value, str | int | float), key
