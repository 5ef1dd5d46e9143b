"""Whoever verifies an observation finds what was injected, and what a slow computation finds sample by sample."""

from __future__ import annotations

import collections
import math
import shutil

import numpy as np
import pytest
from vv_slow_reference import SlowInterval

import aca_core.fits_tables
from aca_core import UnknownNameError
from aca_core.simulation import Plan, injected_residuals, simulate_delivery
from aca_core.vv import Obi, solution_files

CASES = [(8008, 1), (8009, 1), (8009, 2), (8011, 1), (8012, 2), (8013, 1), (8014, 2)]


def verified(delivery, obsid, revision):
    folder = f"{obsid:05d}"[:2]
    obspar = delivery.truth.of(obsid, revision).observation.obspar_revision
    (parameters,) = (delivery.folder / "obspar" / folder / f"{obsid:05d}_v{obspar:02d}").glob("axaff*par.gz")
    return Obi(parameters, delivery.folder / "asp1" / folder / f"{obsid:05d}_v{revision:02d}")


@pytest.mark.parametrize(("obsid", "revision"), CASES)
def test_it_agrees_with_a_slow_computation_sample_by_sample(delivery, obsid, revision):
    obi = verified(delivery, obsid, revision)
    for number, interval in enumerate(obi.aspect_intervals):
        slow = SlowInterval(obi.aspect_dir, interval.id)
        for slot, data in obi.all_slot_data.items():
            here = data.interval == number
            rows = slow.rows(slot)
            assert data.time[here].tolist() == rows["time"].tolist()
            assert data.qual[here].tolist() == rows["status"].tolist()
            some = slice(None, None, 23)
            expected = [slow.residuals(slot, row) for row in rows[some]]
            found = np.stack([data.dy[here], data.dz[here], data.dr[here]], axis=-1)[some]
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
            mags = [math.nan if mag is None else mag for mag in slow.magnitudes(slot)]
            np.testing.assert_allclose(data.mag[here], mags, rtol=0, atol=1e-6)
        medf_dy, medf_dz = slow.sim_offsets()
        np.testing.assert_allclose(obi.sim_offsets[number].medf_dy, medf_dy, rtol=0, atol=1e-6)
        np.testing.assert_allclose(obi.sim_offsets[number].medf_dz, medf_dz, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("obsid", "revision"), CASES)
def test_it_finds_the_residuals_that_were_injected(delivery, obsid, revision):
    obi = verified(delivery, obsid, revision)
    truth = delivery.truth.of(obsid, revision)
    listed = {star.slot for star in truth.observation.stars if not star.listed}
    assert set(obi.all_slot_data) == {each.slot for each in truth.slots} - listed
    for expected in truth.slots:
        if expected.slot in listed:
            continue
        data, report = obi.all_slot_data[expected.slot], obi.slot_report[str(expected.slot)]
        assert (data.kind, len(data.time), report["dy_bad_samples"]) == (
            expected.type, expected.n_samples, expected.bad_samples,
        )  # fmt: skip
        for name in ("dy_mean", "dy_med", "dy_rms", "dz_mean", "dz_med", "dz_rms"):
            # 1e-5 arcsec is what linear interpolation costs; fid lights have offsets of single precision.
            assert report[name] == pytest.approx(getattr(expected, name), abs=2e-5), (expected.slot, name)
        for number in range(len(obi.aspect_intervals)):
            injected = injected_residuals(truth.observation, expected.slot, number)
            here = data.interval == number
            inside = np.isin(injected.times, data.time[here])
            np.testing.assert_allclose(data.dy[here], injected.dy[inside], rtol=0, atol=3e-5)
            np.testing.assert_allclose(data.dz[here], injected.dz[inside], rtol=0, atol=3e-5)


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    """An observation with many samples in each slot, once with old and once with new columns."""
    folder = tmp_path_factory.mktemp("longer")
    return {
        columns: simulate_delivery(folder / columns, seed=3, duration=8000.0, plans=[Plan(obsid=8100)], columns=columns)
        for columns in ("old", "new")
    }


def test_means_and_noise_are_those_of_the_plan_within_their_sampling_errors(longer):
    obi = verified(longer["new"], 8100, 1)
    observation = longer["new"].truth.of(8100).observation
    for light in observation.lights:
        data, report = obi.all_slot_data[light.slot], obi.slot_report[str(light.slot)]
        samples = int(np.count_nonzero(data.good))
        assert samples > 3500
        # The residuals of fid lights are smoothed over 40 s, of which some 20 samples see the same noise.
        independent = samples / 20 if data.kind == "FID" else samples
        planned = light.residuals
        for name, mean, noise in (("dy", planned.dy, planned.noise_y), ("dz", planned.dz, planned.noise_z)):
            assert abs(report[f"{name}_mean"] - mean) < 3 * noise / math.sqrt(independent)
            assert abs(report[f"{name}_rms"] - noise) < 3 * noise / math.sqrt(2 * independent)
        assert report["mag_med"] == pytest.approx(light.mag, abs=0.02)


def test_old_and_new_columns_give_the_same_answer(longer):
    old, new = (verified(longer[columns], 8100, 1) for columns in ("old", "new"))
    assert list(old.all_slot_data) == list(new.all_slot_data) == list(range(8))
    for slot, data in old.all_slot_data.items():
        for name in ("time", "dy", "dz", "dr", "mag", "yag", "zag"):
            np.testing.assert_allclose(getattr(data, name), getattr(new.all_slot_data[slot], name), rtol=0, atol=1e-9)
    assert old.sim_report == new.sim_report


def test_two_intervals_and_a_monitor_are_nothing_to_complain_of(delivery):
    obi = verified(delivery, 8012, 2)
    assert len(obi.aspect_intervals) == 2
    assert (obi.errors, obi.warnings) == ([], [])
    data = obi.all_slot_data[7]
    assert (data.kind, data.cel_loc_flag) == ("MONITOR", 0)
    assert obi.slot_report["7"]["type"] == "MONITOR"
    assert np.unique(data.interval).tolist() == [0, 1]
    assert (np.diff(data.time) > 0).all()
    assert obi.judgement.disposition == "OK"


def test_it_says_what_was_verified(delivery):
    obi = verified(delivery, 8012, 2)
    observation = delivery.truth.of(8012, 2).observation
    info = obi.info()
    assert (info["obsid"], info["revision"], info["instrument"]) == (8012, 2, "ACIS-235678")
    assert (info["tstart"], info["tstop"]) == (observation.start, observation.stop)
    assert info["ra_pnt"] == pytest.approx(observation.ra, abs=1e-9)
    assert [each["TSTART"] for each in info["intervals"]] == [each.start for each in observation.intervals]
    assert {each["OBS_ID"] for each in info["intervals"]} == {"8012"}
    assert "obsid=8012" in repr(obi)
    assert obi.is_synthetic
    report = obi.report()
    assert {key: report[key] for key in info if key != "intervals"} == {
        key: value for key, value in info.items() if key != "intervals"
    }
    assert [len(each) for each in (report["gsprops"], report["gsprops"][0], report["fidprops"][1])] == [2, 5, 3]
    assert report["gsprops"][0][0]["type"] == "GUIDE"


def test_a_slot_is_drawn_or_there_is_none(delivery):
    pytest.importorskip("matplotlib")
    obi = verified(delivery, 8008, 1)
    figure = obi.plot_slot(4)
    assert "8008" in " ".join(text.get_text() for text in figure.findobj(match=lambda a: hasattr(a, "get_text")))
    with pytest.raises(UnknownNameError, match="slot of obsid 8008 is named 9"):
        obi.plot_slot(9)


def test_a_star_that_is_off_by_two_arcseconds_is_named(delivery):
    obi = verified(delivery, 8014, 2)
    assert obi.judgement.disposition == "ReproNoDD"
    assert obi.judgement.slot == 6
    assert "slot 6" in str(obi.judgement)


def test_each_file_is_opened_once(delivery, monkeypatch):
    opened = collections.Counter()
    original = aca_core.fits_tables.opened_fits

    def counted(path, **options):
        opened[path.name] += 1
        return original(path, **options)

    monkeypatch.setattr(aca_core.fits_tables, "opened_fits", counted)
    verified(delivery, 8012, 2)
    assert set(opened.values()) == {1}
    # Five of each interval, and the header of the combined solution.
    assert len(opened) == 11


def test_the_output_of_a_pipeline_is_found_where_it_is(delivery, tmp_path):
    archived = verified(delivery, 8012, 2)
    for number, interval in enumerate(archived.aspect_intervals):
        for output in ("out1", "out2", "out10"):
            folder = tmp_path / f"ASP_L1_{number}" / output
            folder.mkdir(parents=True)
            for path in archived.aspect_dir.glob(f"{interval.id}_*"):
                if output == "out10":
                    shutil.copy(path, folder)
                else:
                    (folder / path.name).write_bytes(b"an earlier attempt")
    obi = Obi(archived.obspar_file, tmp_path)
    assert {path.parent.name for path in solution_files(tmp_path)} == {"out10"}
    assert obi.slot_report == archived.slot_report
