"""Simulated level-0 telemetry: files in their true form, times, and images and header 3 that show the truth."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json

import numpy as np
import pytest
from aca_plugins.file_catalogue import FileCatalogue
from astropy.io import fits
from scipy.interpolate import CubicSpline

from aca_core import DeclarationError, IntegrityError, MissingDataError, Registry
from aca_core.dates import to_secs
from aca_core.simulation import (
    SYNTHETIC,
    read_telemetry_truth,
    remove_telemetry,
    simulate_delivery,
    simulate_telemetry,
)

MINOR_FRAME = 0.256250015400369
PERIODS = {8: 16 * MINOR_FRAME, 6: 8 * MINOR_FRAME, 4: 4 * MINOR_FRAME}
HEADER3 = [f"HD3TLM{image}{word}" for image in (6, 7) for word in (2, 3, 4, 5, 6, 7)]


@pytest.fixture(scope="module")
def telemetry(tmp_path_factory):
    """A day and some hours with everything in it; look, and change nothing."""
    return simulate_telemetry(tmp_path_factory.mktemp("telemetry") / "delivered", days=1.4, seed=0)


def rows_of(telemetry, file):
    return rows_in(telemetry.folder / file.path)


@functools.cache  # several tests look at the same
def rows_in(path):
    with fits.open(path) as hdus:
        data = hdus[1].data
        columns = {name: data[name] for name in data.names}  # one by one, so that TZERO is applied
        rows = np.empty(len(data), [(name, column.dtype, column.shape[1:]) for name, column in columns.items()])
        for name, column in columns.items():
            rows[name] = column
    rows.flags.writeable = False
    return rows


def files_of(telemetry, slot, imgsize=None):
    mine = [each for each in telemetry.files if each.slot == slot and imgsize in (None, each.imgsize)]
    return sorted(mine, key=lambda each: each.start)


def all_rows(telemetry, slot, imgsize):
    """Return the rows of a slot once each, by time."""
    rows = np.concatenate([rows_of(telemetry, file) for file in files_of(telemetry, slot, imgsize)])
    return rows[np.unique(rows["TIME"], return_index=True)[1]]


def hashes(folder):
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


# ---- form -----------------------------------------------------------------------------------------------------------


def test_files_have_the_form_of_flight_files_column_by_column(telemetry, real_data):
    for slot, imgsize in ((0, 8), (3, 6)):
        flight = fits.getheader(real_data / f"test_level0_{slot}.fits.gz", 1)
        ours = fits.getheader(telemetry.folder / files_of(telemetry, slot, imgsize)[0].path, 1)
        for keyword in ("TTYPE", "TFORM", "TUNIT", "TDIM", "TZERO", "TLMIN", "TLMAX"):
            numbered = {name: flight[name] for name in flight if name.removeprefix(keyword).isdigit()}
            assert {name: ours[name] for name in ours if name.removeprefix(keyword).isdigit()} == numbered
        # What says how the file came about in flight is left out; that it is synthetic is added.
        assert set(flight) - set(ours) <= {"HISTORY", "HISTNUM"}
        assert set(ours) - set(flight) == {"SYNTHET"}
        for name in set(flight) & set(ours) - {"COMMENT", "CREATOR", "CHECKSUM", "DATASUM", "NAXIS2", "BTIMDRFT"}:
            moves = name.startswith(("DATE", "TSTART", "TSTOP", "START", "STOP"))
            assert type(ours[name]) is type(flight[name]), name
            assert moves or ours[name] == flight[name], name


def test_the_columns_are_those_of_the_image_size_and_newer_files_have_two_more(telemetry, tmp_path):
    names = {size: rows_of(telemetry, files_of(telemetry, 3, size)[0]).dtype.names for size in (4, 6, 8)}
    second = ("IMGFID2", "IMGNUM2", "IMGFUNC2", "BGDRMS", "TEMPCCD", "TEMPHOUS", "TEMPPRIM", "TEMPSEC", "BGDSTAT")
    assert len(names[8]) == 45
    assert names[6] == tuple(name for name in names[8] if name[:3] != "HD3" and name[-1] not in "34")
    assert names[4] == tuple(name for name in names[6] if name not in second)
    newer = simulate_telemetry(tmp_path, days=0.05, slots=[4], newer=True)
    rows = rows_of(newer, newer.files[0])
    assert [name for name in rows.dtype.names if name not in names[4]] == ["PIXTLM", "BGDTYP"]
    assert rows.dtype.names[5:9] == ("INTEG", "PIXTLM", "BGDTYP", "GLBSTAT")
    assert (rows["PIXTLM"][0], rows["BGDTYP"][0]) == ("ORIG", "FLAT")


def test_every_file_is_sound_says_that_it_is_synthetic_and_is_described_by_the_product(telemetry, recwarn):
    product = Registry().product("aca0")
    for file in telemetry.files:
        path = telemetry.folder / file.path
        assert product.takes(file.name)
        with fits.open(path, checksum=True) as hdus:  # warns of a sum that is wrong
            for hdu in hdus:
                assert hdu.header["SYNTHET"] is True
                assert SYNTHETIC in str(hdu.header["COMMENT"])
        row = product.describe(path)
        found = (row["slot"], row["imgsize"], row["revision"], row["rows"], row["tstart"], row["tstop"])
        assert found == (file.slot, file.imgsize, 1, file.rows, file.start, file.stop)
        assert (row["filetime"], f"{row['year']}/{row['doy']:03d}") == (int(file.start), file.path[5:13])
    assert not recwarn.list


# ---- times ----------------------------------------------------------------------------------------------------------


def test_times_follow_the_clock_and_are_the_same_in_all_slots(telemetry):
    for file in telemetry.files:
        rows, header = rows_of(telemetry, file), fits.getheader(telemetry.folder / file.path, 1)
        np.testing.assert_allclose(rows["TIME"], rows["END_INTEG_TIME"] - rows["INTEG"].astype(float) / 2, atol=2e-7)
        assert header["TSTART"] == pytest.approx(rows["END_INTEG_TIME"][0] + 1.025, abs=2e-7)
        assert header["TSTOP"] == pytest.approx(rows["END_INTEG_TIME"][-1] + 1.025 + PERIODS[file.imgsize], abs=3e-7)
        ticks = rows["MJF"].astype(np.int64) * 128 + rows["MNF"]
        np.testing.assert_allclose(np.diff(ticks) * MINOR_FRAME, np.diff(rows["TIME"]), atol=5e-7)
        assert (header["STARTMJF"] * 128 + header["STARTMNF"]) == ticks[0]
        assert (header["STOPMJF"] * 128 + header["STOPMNF"]) == ticks[-1] + 64 // {8: 4, 6: 8, 4: 16}[file.imgsize] - 1
    end = telemetry.stretches(3)[0].stop  # until then all slots but 4 and 5 have 8x8 images
    times = [all_rows(telemetry, slot, 8)["TIME"] for slot in (0, 1, 2, 3, 6)]
    together = set.intersection(*(set(each[each < end - 10].tolist()) for each in times))
    assert len(together) > 0.9 * (end - telemetry.start) / PERIODS[8]


def test_the_clock_is_that_of_flight_and_its_counter_begins_again():
    from aca_core.simulation.telemetry_clock import counters, frame_at, frame_time

    frame = frame_at(686111014.366093)  # slot 0 of 2019:272
    assert [int(each) for each in counters(frame)] == [8580, 124]
    assert float(frame_time(frame)) == pytest.approx(686111014.366093, abs=1e-3)
    assert [int(each) for each in counters(2**24 - 1)] == [131071, 127]
    assert [int(each) for each in counters(2**24)] == [0, 0]


def test_mode_changes_and_ends_of_files_are_where_the_truth_says(telemetry):
    assert [each.imgsize for each in telemetry.stretches(3)][:3] == [8, 6, 4]
    sizes = {each.imgsize for each in telemetry.plan.stretches}
    assert sizes == {8, 6, 4}
    assert {each.kind for each in telemetry.stretches(0)} == {"fid", "star"}
    for slot in range(8):
        stretches = telemetry.stretches(slot)
        for before, after in itertools.pairwise(stretches):
            assert after.start == before.stop if after.pointing == before.pointing else after.start > before.stop + 100
        for stretch in stretches:
            mine = [each for each in files_of(telemetry, slot) if stretch.start <= each.start < stretch.stop]
            assert {each.imgsize for each in mine} == {stretch.imgsize}
            gaps = [each for each in telemetry.plan.gaps if slot in each.slots]
            for end, at in ((mine[0].start, stretch.start), (mine[-1].stop, stretch.stop)):
                assert end == at or any(each.start - 5 < min(end, at) < max(end, at) < each.stop + 5 for each in gaps)
            assert all(each.stop - each.start < 6.1 * 3600 for each in mine)
            overlapping = {each.start for each in telemetry.plan.overlaps if each.slot == slot}
            for before, after in itertools.pairwise(mine):
                assert after.start == before.stop or after.start in overlapping
    midnight = to_secs("2021:002")
    assert any(each.start < midnight < each.stop for each in telemetry.files)


# ---- faults ---------------------------------------------------------------------------------------------------------


def test_gaps_bad_rows_and_overlaps_are_where_the_truth_says(telemetry):
    plan = telemetry.plan
    assert len(plan.overlaps) == 2
    gaps_seen = 0
    for file in telemetry.files:
        rows, period = rows_of(telemetry, file), PERIODS[file.imgsize]
        frames = rows["END_INTEG_TIME"] + 1.025
        whole = file.start + period * np.arange(round((file.stop - file.start) / period))
        gaps = [each for each in plan.gaps if file.slot in each.slots]
        lost = np.zeros(len(whole), dtype=bool)
        for gap in gaps:
            lost |= (whole + period > gap.start + 1e-3) & (whole < gap.stop - 1e-3)
        np.testing.assert_allclose(frames, whole[~lost], atol=1e-5)
        gaps_seen += lost.any()
        bad = np.zeros(len(rows), dtype=bool)
        for each in plan.bad_rows:
            if each.slot == file.slot:
                bad |= (frames > each.start - 1e-3) & (frames < each.stop - 1e-3)
        np.testing.assert_array_equal(rows["QUALITY"], bad)
        assert (file.rows, file.bad_rows) == (len(rows), bad.sum())
    assert gaps_seen > 8
    assert sum(file.bad_rows for file in telemetry.files) > 50


def test_rows_that_two_files_have_are_the_same_in_both(telemetry):
    for overlap in telemetry.plan.overlaps:
        first = next(each for each in files_of(telemetry, overlap.slot) if each.stop == overlap.stop)
        second = next(each for each in files_of(telemetry, overlap.slot) if each.start == overlap.start)
        one, two = rows_of(telemetry, first), rows_of(telemetry, second)
        repeated = np.intersect1d(one["TIME"], two["TIME"])
        assert 0 < len(repeated) <= 40 * 16 // {8: 16, 6: 8, 4: 4}[first.imgsize]
        one, two = one[np.isin(one["TIME"], repeated)], two[np.isin(two["TIME"], repeated)]
        assert one.tobytes() == two.tobytes()


def test_without_faults_there_are_none(tmp_path):
    quiet = simulate_telemetry(tmp_path, days=0.1, slots=[6], faults=False)
    assert quiet.plan.gaps == quiet.plan.bad_rows == quiet.plan.overlaps == ()
    steps = np.diff(all_rows(quiet, 6, 8)["TIME"])
    np.testing.assert_allclose(steps, 4.1000002, atol=3e-7)


# ---- images ---------------------------------------------------------------------------------------------------------


def test_images_show_the_light_of_the_truth_where_it_is(telemetry):
    for slot, imgsize in ((0, 8), (6, 8), (3, 6)):
        file = max(files_of(telemetry, slot, imgsize), key=lambda each: each.rows)
        (stretch,) = (each for each in telemetry.stretches(slot) if each.start <= file.start < each.stop)
        rows = rows_of(telemetry, file)
        background = np.median(rows["IMGRAW"], axis=0).min()
        light = np.clip(rows["IMGRAW"].astype(float) - background, 0.0, None)
        pixels = np.arange(imgsize)
        total = light.sum(axis=(1, 2))
        row = rows["IMGROW0"] + (light.sum(axis=2) * pixels).sum(axis=1) / total
        col = rows["IMGCOL0"] + (light.sum(axis=1) * pixels).sum(axis=1) / total
        true_row, true_col = telemetry.centroids(stretch, rows["TIME"])
        assert np.median(abs(row - true_row)) < 0.5
        assert np.median(abs(col - true_col)) < 0.5
        assert np.corrcoef(row, true_row)[0, 1] > 0.9
        mag = 10.32 - 2.5 * np.log10(np.median(total) * 5 / stretch.integ / 5263)
        assert mag == pytest.approx(stretch.mag, abs=0.5)
        assert np.ptp(rows["IMGROW0"]) <= 5
        assert abs(rows["IMGROW0"] + (imgsize - 1) / 2 - true_row).max() <= 0.5 + 1e-6
        assert set(rows["IMGFID1"].tolist()) == {int(stretch.kind == "fid")}
        assert set(rows["IMGNUM1"].tolist()) == {slot}


def test_pixels_are_the_whole_numbers_of_the_camera(telemetry):
    for slot, imgsize in ((1, 8), (5, 6), (3, 4)):
        rows = rows_of(telemetry, files_of(telemetry, slot, imgsize)[0])
        pixels = rows["IMGRAW"].astype(float)
        inner = pixels.reshape(len(rows), -1)
        if imgsize == 6:
            corners = np.array([0, 5, 30, 35])
            assert not inner[:, corners].any()
            inner = np.delete(inner, corners, axis=1)
        raw = (inner + 50.0) * 32.0 / rows["IMGSCALE"].astype(float)[:, np.newaxis]
        np.testing.assert_allclose(raw, np.rint(raw), atol=2e-3)
        assert np.rint(raw).min() >= 0
        assert 900 < np.rint(raw).max() <= 1023 or set(rows["IMGSCALE"].tolist()) == {32}
        assert rows["IMGROW0"].min() >= -511
        assert rows["IMGCOL0"].max() + imgsize - 1 <= 512


def test_fid_lights_step_where_the_truth_says(telemetry):
    shift = next(each for each in telemetry.plan.fid_shifts if each.slot == 1)
    stretch = next(each for each in telemetry.stretches(1) if each.pointing == shift.pointing)
    around = shift.time + np.array([-60.0, 60.0])
    row, _ = telemetry.centroids(stretch, around)
    assert row[1] - row[0] == pytest.approx(shift.row, abs=0.01)
    rows = all_rows(telemetry, 1, 8)
    light = np.clip(rows["IMGRAW"].astype(float) - np.median(rows["IMGRAW"]), 0.0, None)
    seen = rows["IMGCOL0"] + (light.sum(axis=1) * np.arange(8)).sum(axis=1) / light.sum(axis=(1, 2))
    before = np.median(seen[(rows["TIME"] > shift.time - 900) & (rows["TIME"] < shift.time - 5)])
    after = np.median(seen[(rows["TIME"] > shift.time + 5) & (rows["TIME"] < shift.time + 900)])
    assert after - before == pytest.approx(shift.col, abs=0.25)
    assert len({each.time for each in telemetry.plan.fid_shifts if each.pointing == shift.pointing}) == 1


# ---- header 3 -------------------------------------------------------------------------------------------------------

READINGS = [0x3D70, 0x3C9E, 0x3B98, 0x3A55, 0x38CD, 0x36FD, 0x34E1, 0x3279, 0x2FCB, 0x2CDF, 0x29C5, 0x2688, 0x2340]
READINGS += [0x2000, 0x1CD3, 0x19CC, 0x16F4, 0x1454, 0x11EF, 0x0FC5, 0x0DD8, 0x0C22, 0x0A9F, 0x094D, 0x0825]


def word(rows_by_slot, start, width, *, signed=True):
    """Decode a word from rows of the slots, in a way of its own: one string of 96 bytes for each time."""
    stream = np.concatenate([np.stack([rows[name] for name in HEADER3], axis=1) for rows in rows_by_slot], axis=1)
    slot, image, column = (int(digit) for digit in start)
    place = 12 * slot + 6 * (image - 6) + column - 2
    found = [int.from_bytes(line[place : place + width].tobytes(), "big", signed=signed) for line in stream]
    return np.array(found)


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """All slots with 8x8 images, and their rows at the same times."""
    made = simulate_telemetry(tmp_path_factory.mktemp("together"), days=0.15, modes="8x8", seed=5, start="2019:272")
    rows = [all_rows(made, slot, 8) for slot in range(8)]
    good = [set(each["TIME"][each["QUALITY"] == 0].tolist()) for each in rows]
    times = sorted(set.intersection(*good))
    assert len(times) > 2000
    return made, [each[np.isin(each["TIME"], times)] for each in rows], np.array(times)


@pytest.mark.parametrize(
    ("name", "start", "factor", "width"),
    [
        ("ad_5v_ps", "076", 0.30518, 2),
        ("ad_15v_ps", "162", 0.61035, 2),
        ("ad_m15v_ps", "164", 0.61035, 2),
        ("ad_27v_ps", "166", 1.04597, 2),
        ("ad_analog_gnd", "172", 0.30518, 2),
        ("sci_hdr_pulse_period", "364", 2e-6, 4),
        ("zero_off32_quad_a", "464", 2.0**-16, 4),
        ("zero_off32_quad_c", "476", 2.0**-16, 4),
        ("ccd_flush_dur", "572", 2e-6, 2),
        ("ccd_row_shift_period", "574", 1e-6, 2),
        ("avg_bkg", "576", 5.0, 2),
        ("ccd_temp", "676", 0.01 / 65536, 4),
        ("ccd_setpoint", "764", 0.01, 2),
        ("aca_temp", "766", 1 / 256, 4),
        ("dac", "776", 1.0, 2),
    ],
)
def test_words_of_header_3_say_the_truth_to_half_a_count(together, name, start, factor, width):
    made, rows, times = together
    true = made.header3(name, times)
    found = word(rows, start, width) * factor
    assert abs(found - true).max() <= factor * 0.5001
    if name not in ("ccd_row_shift_period", "ccd_setpoint", "dac"):
        assert np.ptp(true) > 0


def test_the_upper_half_of_the_temperature_of_the_ccd_is_the_coarse_one(together):
    made, rows, times = together
    below = made.t_ccd(times) - word(rows, "676", 2) * 0.01
    assert -1e-6 < below.min() < below.max() < 0.01 + 1e-6
    assert word(rows, "376", 2).tolist() == (word(rows, "476", 4) >> 16).tolist()


THERMISTORS = {"ccd_molyb_therm_1": "066", "ccd_molyb_therm_2": "072", "ccd_det_therm": "074"}
THERMISTORS |= {"ad_converter_therm": "174", "ad_smhs_therm": "176", "ad_smohs_therm": "262", "ad_pmhs_therm": "264"}
THERMISTORS |= {"ad_pmohs_therm": "266", "ad_achhs_therm": "272", "ad_achohs_therm": "274", "ad_lc_therm": "276"}


def test_thermistors_say_the_truth_to_half_a_count(together):
    made, rows, times = together
    spline = CubicSpline(READINGS[::-1], np.arange(80.0, -41.0, -5.0))
    for name, start in THERMISTORS.items():
        readings = word(rows, start, 2)
        error = abs(spline(readings) - made.header3(name, times))
        assert (error <= abs(spline(readings + 1) - spline(readings - 1)) / 4 * 1.001).all(), name
        assert made.header3_words(name, times).tolist() == readings.tolist()


def test_bits_and_counters_of_header_3_are_as_in_flight(together):
    _, rows, _ = together
    assert set(word(rows, "062", 2)) == {0x02B4}
    assert set(word(rows, "064", 2)) <= {0x01A4, 0x11A4}
    steps = np.diff(rows[0]["TIME"]) / PERIODS[8]
    counted = word(rows, "363", 1, signed=False)
    assert (np.diff(counted) % 256 == (4 * np.rint(steps).astype(int)) % 256).all()
    assert (np.diff(word(rows, "672", 3, signed=False)) == np.rint(steps)).all()
    assert set(word(rows, "774", 2)) == {0}


def test_rows_of_bad_quality_have_header_3_that_is_wrong(telemetry):
    rows = all_rows(telemetry, 6, 8)
    raw = rows["HD3TLM76"].astype(int) * 256 + rows["HD3TLM77"]
    values = np.where(raw >= 32768, raw - 65536, raw) * 0.01
    wrong = abs(values - telemetry.t_ccd(rows["TIME"])) > 0.011
    np.testing.assert_array_equal(wrong, rows["QUALITY"] != 0)
    assert wrong.any()


def test_coarse_temperatures_are_those_of_header_3(telemetry):
    names = {"TEMPCCD": "ccd_temp", "TEMPHOUS": "ad_achhs_therm", "TEMPPRIM": "ad_lc_therm", "TEMPSEC": "ad_smhs_therm"}
    for slot, imgsize in ((0, 8), (5, 6)):
        rows = all_rows(telemetry, slot, imgsize)
        for column, name in names.items():
            celsius = rows[column].astype(float) - 273.15
            assert abs(celsius - telemetry.header3(name, rows["TIME"])).max() < 0.2001
            np.testing.assert_allclose(celsius / 0.4, np.rint(celsius / 0.4), atol=2e-4)


def test_the_temperature_has_a_day_and_a_perigee_and_noise(telemetry):
    times = np.arange(telemetry.start, telemetry.start + 10 * 86400, 60.0)
    values = telemetry.t_ccd(times)
    assert 1.0 < np.ptp(values) < 4.0
    assert 0.01 < np.std(np.diff(values)) < 0.05
    scattered = np.random.default_rng(1).permutation(times)
    np.testing.assert_array_equal(telemetry.t_ccd(np.sort(scattered)), values)
    np.testing.assert_array_equal(telemetry.t_ccd(scattered[:5]), [telemetry.t_ccd(float(t)) for t in scattered[:5]])
    assert isinstance(telemetry.t_ccd(times[0]), float)


# ---- the folder -----------------------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes_and_slots_do_not_depend_on_each_other(tmp_path):
    one = simulate_telemetry(tmp_path / "one", days=0.08, seed=4)
    simulate_telemetry(tmp_path / "two", days=0.08, seed=4)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    some = simulate_telemetry(tmp_path / "some", days=0.08, seed=4, slots=(5, 3), faults=False)
    other = simulate_telemetry(tmp_path / "other", days=0.08, seed=6, slots=(5, 3))
    assert [each.slot for each in some.plan.stretches] == [3, 3, 3, 5]
    quiet, faulty = all_rows(some, 5, 6), all_rows(one, 5, 6)
    here = np.isin(quiet["TIME"], faulty["TIME"])
    np.testing.assert_array_equal(quiet["IMGRAW"][here], faulty["IMGRAW"])
    assert not set(hashes(other.folder).values()) & set(hashes(some.folder).values()) - {
        hashes(some.folder)["telemetry_README.txt"]
    }


def test_the_truth_is_read_back_as_it_was_written(telemetry):
    again = read_telemetry_truth(telemetry.folder)
    assert again == telemetry
    assert again.t_ccd("2021:001:12:00:00") == telemetry.t_ccd("2021:001:12:00:00")
    text = (telemetry.folder / "telemetry_truth.json").read_text()
    assert SYNTHETIC in text
    assert SYNTHETIC in (telemetry.folder / "telemetry_README.txt").read_text()


def test_the_file_catalogue_lists_the_files(telemetry):
    catalogue = FileCatalogue(name="file", path=telemetry.catalogue)
    listed = catalogue.ingested_files("aca0", 0.0)
    assert {each.filename for each in listed} == {each.name for each in telemetry.files}
    middle = listed[len(listed) // 2].ingested
    assert all(each.ingested > middle for each in catalogue.ingested_files("aca0", middle))
    by_name = {each.name: each for each in telemetry.files}
    for each in listed:
        assert each.ingested == pytest.approx(by_name[each.filename].ingested, abs=1e-3)
        assert each.ingested > by_name[each.filename].stop


def test_a_day_is_delivered_again_without_bad_rows(tmp_path):
    made = simulate_telemetry(tmp_path, days=0.6, start="2021:001:18:00:00", slots=[6], seed=2)
    before = made.files
    again = made.redeliver("2021:002", 2)
    assert again
    assert {each.path[5:13] for each in again} == {"2021/002"}
    for new in again:
        old = next(each for each in before if (each.slot, each.start) == (new.slot, new.start))
        assert new.name == old.name.replace("N001_", "N002_")
        first, second = rows_of(made, old), rows_of(made, new)
        assert first["TIME"].tolist() == second["TIME"].tolist()
        assert (new.bad_rows, second["QUALITY"].any()) == (0, False)
        good = first["QUALITY"] == 0
        assert first[good].tobytes() == second[good].tobytes()
        header = fits.getheader(tmp_path / new.path, 1)
        assert (header["REVISION"], header["STOPMJF"]) == (2, fits.getheader(tmp_path / old.path, 1)["STOPMJF"])
    assert read_telemetry_truth(tmp_path) == made
    newest = max(each.ingested for each in before)
    listed = FileCatalogue(name="file", path=made.catalogue).ingested_files("aca0", newest)
    assert sorted(each.filename for each in listed) == sorted(each.name for each in again)
    with pytest.raises(DeclarationError, match="revision is 2"):
        made.redeliver("2021:002", 2)
    with pytest.raises(MissingDataError, match="2021:300"):
        made.redeliver("2021:300", 3)


def test_telemetry_lies_beside_a_delivery_of_observations_and_goes_alone(tmp_path):
    tmp_path /= "tree"
    simulate_delivery(tmp_path, seed=1, obsids=[8008], duration=200.0)
    before = hashes(tmp_path)
    made = simulate_telemetry(tmp_path, days=0.03, slots=[6, 7])
    assert before.items() <= hashes(tmp_path).items()
    with pytest.raises(IntegrityError, match="by force"):
        simulate_telemetry(tmp_path, days=0.03)
    other = simulate_telemetry(tmp_path, days=0.03, seed=1, slots=[6], force=True)
    assert not any((tmp_path / each.path).exists() for each in made.files if each.slot == 7)
    stray = tmp_path / other.files[0].path.replace("N001", "N009")
    stray.write_bytes(b"mine")
    with pytest.raises(IntegrityError, match=r"N009.*no simulation of telemetry wrote it"):
        simulate_telemetry(tmp_path, days=0.03, force=True)
    assert (tmp_path / other.files[0].path).exists()
    stray.unlink()
    remove_telemetry(tmp_path)
    assert hashes(tmp_path) == before
    assert not (tmp_path / "aca0").exists()


def test_a_catalogue_elsewhere_is_found_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = simulate_telemetry("tree", days=0.03, slots=[6], catalogue="lists")
    assert (tmp_path / "lists" / "ingested_files.csv").is_file()
    assert read_telemetry_truth("tree").catalogue == tmp_path / "lists"
    simulate_telemetry("tree", days=0.03, slots=[6], catalogue="lists", force=True)
    assert len(made.files) == len(FileCatalogue(name="file", path=tmp_path / "lists").ingested_files("aca0", 0.0))


def test_an_interrupted_simulation_says_so_and_is_replaced_by_force(tmp_path):
    def stop(file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_telemetry(tmp_path, days=0.03, slots=[6], told=stop)
    with pytest.raises(IntegrityError, match="interrupted"):
        read_telemetry_truth(tmp_path)
    made = simulate_telemetry(tmp_path, days=0.03, slots=[6], force=True)
    assert read_telemetry_truth(tmp_path) == made


def test_a_truth_that_names_other_files_removes_nothing(tmp_path):
    made = simulate_telemetry(tmp_path / "tree", days=0.03, slots=[6])
    (tmp_path / "precious").write_text("mine")
    path = made.folder / "telemetry_truth.json"
    path.write_text(path.read_text().replace(made.files[0].path, "../precious"))
    with pytest.raises(IntegrityError, match="no file of simulated telemetry"):
        remove_telemetry(made.folder)
    path.write_text(json.dumps({"format": "another"}))
    with pytest.raises(IntegrityError, match="is not of the format"):
        read_telemetry_truth(made.folder)
    with pytest.raises(MissingDataError, match="no simulated telemetry"):
        read_telemetry_truth(tmp_path)
    assert (tmp_path / "precious").exists()


def test_telemetry_is_not_written_through_links(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "aca0").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is a link"):
        simulate_telemetry(tmp_path / "tree", days=0.03, slots=[6])
    assert not any((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"days": 0.001}, "days is 0.001; expected a number from 0.02 to 1000"),
        ({"days": float("nan")}, "days is nan"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0"),
        ({"modes": "5x5"}, "modes is '5x5'; expected one of mixed, 8x8, 6x6, 4x4"),
        ({"slots": [8]}, r"slots is \[8\]; expected one or more of 0 to 7"),
        ({"slots": 3}, "slots is 3"),
        ({"slots": []}, "slots is"),
        ({"revision": 0}, "revision is 0; expected a whole number from 1 to 999"),
        ({"start": "never"}, "never"),
        ({"start": ["2021:001", "2021:002"]}, "start is .*one date"),
    ],
)
def test_bad_arguments_are_refused_in_words(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        simulate_telemetry(tmp_path / "tree", **wrong)
    assert not (tmp_path / "tree").exists()


def test_numbers_of_16_bits_without_a_sign_are_written_as_fits_has_them():
    from aca_core.simulation.fits_bytes import fits_table

    table = np.array([(0, -1), (32768, 2), (65535, 3)], dtype=[("unsigned", ">u2"), ("signed", ">i2")])
    with fits.open(io.BytesIO(fits_table("TABLE", table, {})), checksum=True) as hdus:
        assert (hdus[1].header["TZERO1"], hdus[1].header["TFORM1"]) == (32768, "I")
        assert "TZERO2" not in hdus[1].header
        assert hdus[1].data["unsigned"].tolist() == [0, 32768, 65535]
        assert hdus[1].data["signed"].tolist() == [-1, 2, 3]
    assert table["unsigned"].tolist() == [0, 32768, 65535]
