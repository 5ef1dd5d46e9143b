"""The delivered files: their forms, their headers, and that they say what they are."""

from __future__ import annotations

import gzip
import io
import re

import numpy as np
import pytest
from astropy.io import fits

from aca_core import Registry
from aca_core.dates import to_secs
from aca_core.parameter_file import read_parameter_file
from aca_core.simulation import SYNTHETIC, draw_observation, simulate_delivery
from aca_core.simulation.asp1_files import asp1_files

KINDS = {
    "asol1": "ASPSOL",
    "acal1": "ACACAL",
    "aqual1": "ASPQUAL",
    "acen1": "ACACENT",
    "gspr1": "GSPROPS",
    "fidpr1": "FIDPROPS",
    "gcal1": "GYROCAL",
    "bpix1": "ACA_BADPIX",
    "adat01": "ACADATA",
    "gdat1": "GYRODATA",
    "kalm1": "KALMAN",
}
NEW = {"ady", "adz", "adtheta", "ra_raw", "dec_raw", "roll_raw", "q_att_raw"}
OLD = {
    *("time", "ra", "dec", "roll", "ra_err", "dec_err", "roll_err", "dy", "dz", "dtheta", "dy_err", "dz_err"),
    *("dtheta_err", "q_att", "roll_bias", "pitch_bias", "yaw_bias", "roll_bias_err", "pitch_bias_err", "yaw_bias_err"),
}


@pytest.fixture(scope="module")
def products():
    registry = Registry()
    return registry.product("asp1"), registry.product("obspar")


def files_of(delivery, pattern):
    return [delivery.folder / name for name in delivery.truth.files if re.search(pattern, name)]


def names_in(path):
    with fits.open(path) as hdus:
        return set(hdus[1].columns.names)


# ---- every file -----------------------------------------------------------------------------------------------------


def test_every_fits_file_is_sound_and_says_that_it_is_synthetic(delivery, recwarn):
    paths = files_of(delivery, r"\.fits\.gz$")
    assert len(paths) > 100
    for path in paths:
        with fits.open(path, checksum=True) as hdus:  # warns of a sum that is wrong
            assert len(hdus) == 2
            for hdu in hdus:
                assert {"CHECKSUM", "DATASUM"} <= set(hdu.header)
                assert hdu.header["SYNTHET"] is True
                assert SYNTHETIC in str(hdu.header["COMMENT"])
            for name in hdus[1].columns.names:
                values = hdus[1].data[name]
                assert values.dtype.kind in "US" or np.isfinite(values).all(), (path, name)
    assert not recwarn.list


def test_everything_else_says_so_too(delivery):
    others = [delivery.folder / name for name in delivery.truth.files if not name.endswith(".fits.gz")]
    for path in [*others, delivery.folder / "truth.json"]:
        if path.is_symlink():
            continue
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        if path.suffix == ".csv":
            text = (path.parent / "README.txt").read_text()
        assert SYNTHETIC in text, path


def test_files_are_described_by_the_product(delivery, products):
    asp1, _ = products
    for each in delivery.truth.delivered:
        if not each.in_tree:
            continue
        run, observation = each.run, each.observation
        folder = (
            delivery.folder / "asp1" / str(asp1.layout.directory(type(asp1.layout.example)(run.obsid, run.revision)))
        )
        names = {path.name for path in folder.iterdir()}
        assert asp1.version.of(names) == run.revision
        rows = [asp1.describe(folder / name) for name in sorted(names) if asp1.takes(name)]
        found = sorted(row["content"] for row in rows)
        expected = [content for kind, content in KINDS.items() if kind not in ("adat01", "gdat1", "kalm1")]
        wanted = sorted(expected * len(observation.intervals) + ["ASPSOLOBI"] * (observation.columns == "new"))
        assert found == wanted
        assert {row["revision"] for row in rows} == {run.revision}
        spans = [(span.start, span.stop) for span in observation.intervals]
        assert {(row["tstart"], row["tstop"]) for row in rows if row["content"] != "ASPSOLOBI"} == set(spans)
        assert sum(asp1.drops(name) for name in names) == 3 * len(observation.intervals)
        logs = [name for name in names if asp1.keeps_beside(name)]
        assert len(logs) == len(observation.intervals) + (observation.columns == "new")
        for name in logs:
            text = gzip.decompress((folder / name).read_bytes()).decode()
            assert re.findall(r"axaff\d{5}_\d{3}N(\d{3})_obs0a\.par", text) == [f"{observation.obspar_revision:03d}"]


def test_headers_have_what_is_asked_of_them(delivery):
    first = delivery.truth.of(8009, 2)
    for path in files_of(delivery, r"08009_v02/pcadf\d{9}N002_.*fits\.gz"):
        header = fits.getheader(path, 1)
        assert header["CONTENT"] == KINDS[path.name.split("_")[1].split(".")[0]]
        assert (header["OBS_ID"], header["OBI_NUM"], header["REVISION"]) == ("8009", 0, 2)
        assert header["TSTART"] == first.observation.intervals[0].start
        assert path.name.startswith(f"pcadf{int(header['TSTART']):09d}N002_")
        assert (header["ASCDSVER"], header["CALDBVER"]) == ("10.10", "4.9.8")
        # DATE-OBS is TT: as UTC it would be more than a minute later.
        assert to_secs(header["DATE-OBS"]) - header["TSTART"] == pytest.approx(69.184, abs=1.0)
        assert header["DATE"] > header["DATE-END"]
    fid = fits.getheader(files_of(delivery, r"08009_v02/.*_fidpr1")[0], 1)
    assert {"LSI0STT1", "STT0STF3", "RRC0FCX", "DHT_BASE", "DEG_PER_CNT"} <= {name.upper() for name in fid}
    assert fits.getheader(files_of(delivery, r"08009_v02/.*_acen1")[0], 1)["INTGTIME"] == 1.696


def test_columns_are_those_of_their_time(delivery):
    assert names_in(files_of(delivery, r"08009_v01/.*_asol1")[0]) == OLD
    combined, own = files_of(delivery, r"08009_v02/.*_asol1")
    assert combined.name == "pcadf08009_000N002_asol1.fits.gz"
    assert names_in(own) == OLD | NEW
    assert names_in(combined) == OLD
    assert fits.getheader(combined, 1)["CAIFILE1"] == own.name.removesuffix(".gz")
    shapes = []
    for version in (1, 2):
        with fits.open(files_of(delivery, rf"08009_v0{version}/.*_acal1")[0]) as hdus:
            shapes.append(hdus[1].data["aca_misalign"].shape)
            assert np.linalg.det(hdus[1].data["aca_misalign"].reshape(3, 3)) == pytest.approx(1)
    assert shapes == [(1, 9), (1, 3, 3)]
    with fits.open(own) as hdus:
        assert hdus[1].data["q_att_raw"].shape[1:] == (4,)
        assert hdus[1].columns["dy"].format == "E"
        assert hdus[1].columns["q_att"].format == "4D"


def test_property_files_are_padded_with_blanks(delivery):
    raw = gzip.decompress(files_of(delivery, r"08012_v02/.*_gspr1")[0].read_bytes())
    assert b"GUIDE     GOOD      " in raw
    assert b"MONITOR   GOOD      " in raw


def test_checksums_are_those_of_astropy():
    from aca_core.simulation.fits_bytes import fits_table

    random = np.random.default_rng(1)
    for count in range(60):
        table = np.zeros(count, dtype=[("a", ">f8"), ("b", ">i2", (2, 3)), ("c", "S5")])
        table["a"] = random.normal(size=count)
        content = fits_table("TABLE", table, {"TSTART": random.normal()}, {"a": "s"})
        assert len(content) % 2880 == 0
        with fits.open(io.BytesIO(content), checksum=True) as hdus:
            for hdu in hdus:
                assert hdu.verify_datasum() == hdu.verify_checksum() == 1
            np.testing.assert_array_equal(hdus[1].data["a"], table["a"])
            assert hdus[1].data["b"].shape == (count, 2, 3)
            hdus.verify("exception")


# ---- rows and cadence -----------------------------------------------------------------------------------------------


def test_cadence_and_gaps(delivery):
    observation = delivery.truth.of(8008).observation
    span, gap, lost = observation.intervals[0], observation.gaps[0], observation.dropouts[0]
    times = fits.getdata(files_of(delivery, "08008_v01/.*_asol1")[0], 1)["time"]
    assert len(times) == int((span.stop - span.start) / 0.25625) + 1
    np.testing.assert_allclose(np.diff(times), 0.25625, atol=3e-7)
    assert times[0] == span.start
    quality = fits.getdata(files_of(delivery, "08008_v01/.*_aqual1")[0], 1)
    bad = quality["time"][quality["asp_sol_status"] != 0]
    assert len(bad) > 0
    assert gap.start <= bad.min() <= bad.max() <= gap.stop
    assert not np.isclose(abs(times[:, np.newaxis] - bad), 1.025, atol=1e-3).any()  # never on the edge of the filter
    centroids = fits.getdata(files_of(delivery, "08008_v01/.*_acen1")[0], 1)
    assert centroids["time"].min() < times[0] < times[-1] < centroids["time"].max()
    assert (np.diff(centroids["time"]) >= 0).all()
    for slot in range(8):
        rows = centroids[centroids["slot"] == slot]
        solved = rows["time"][rows["alg"] == 8]
        steps = np.diff(solved)
        if slot == lost.slot:
            assert not ((solved >= lost.start) & (solved <= lost.stop)).any()
            assert steps.max() > 2.1
        else:
            np.testing.assert_allclose(steps, 2.05, atol=3e-7)
        others = set(rows["alg"].tolist()) - {8}
        assert len(others) == 1  # two rows an image, and the second algorithm goes around
        assert np.count_nonzero(rows["alg"] == 8) * 2 == len(rows)
    assert set(centroids["alg"].tolist()) == {1, 2, 4, 8, 16}


def test_a_long_observation_has_the_rows_of_flight():
    from aca_core.simulation.asp1_files import attitude_times
    from aca_core.simulation.centroids import centroid_rows

    observation = draw_observation(8008, seed=1)
    assert len(attitude_times(observation, 0)) == pytest.approx(195_000, rel=0.002)
    assert len(centroid_rows(observation, 0)) == pytest.approx(390_000, rel=0.003)


def test_all_algorithms_in_every_image_and_another_cadence():
    from aca_core.simulation.centroids import centroid_rows

    observation = draw_observation(3, seed=1, duration=300.0, centroid_step=1.025, every_algorithm=True)
    rows = centroid_rows(observation, 0)
    solved = rows[(rows["slot"] == 0) & (rows["alg"] == 8)]
    np.testing.assert_allclose(np.diff(solved["time"]), 1.025, atol=3e-7)
    for algorithm in (1, 2, 4, 16):
        other = rows[(rows["slot"] == 0) & (rows["alg"] == algorithm)]
        np.testing.assert_array_equal(other["time"], solved["time"])
        difference = 3600 * abs(other["ang_y_sm"] - solved["ang_y_sm"])
        assert 0 < difference.max() < 1  # each sees the star a little elsewhere


def test_smoothed_angles_are_smoother_and_counts_give_the_magnitude():
    from aca_core.simulation.centroids import centroid_rows, injected_residuals

    observation = draw_observation(3, seed=1, duration=3000.0)
    rows = centroid_rows(observation, 0)
    for light in observation.lights:
        injected = injected_residuals(observation, light.slot)
        good = injected.status == 0
        smooth, raw = np.std(injected.smooth_dy[good]), np.std(injected.raw_dy[good])
        assert smooth < 0.75 * raw
        assert np.std(injected.dy[good]) == pytest.approx(light.residuals.noise_y, rel=0.25)
        counts = rows["counts"][(rows["slot"] == light.slot) & (rows["alg"] == 8) & (rows["status"] == 0)]
        assert 10.32 - 2.5 * np.log10(np.median(counts) / 1.696 / 5263) == pytest.approx(light.mag, abs=0.01)


# ---- observation parameters -----------------------------------------------------------------------------------------

ONLY_ACIS = {
    *(f"ccd{kind}{number}_on" for kind, count in (("i", 4), ("s", 6)) for number in range(count)),
    *("dropped_chip_count", "onchip_sum", "sumrow", "sumcol", "subarray", "startrow", "rowcnt", "duty_cycle"),
    *("dtycycle", "exptimea", "exptimeb", "most_efficient", "eventfilter", "phamin", "pharange", "bias_request"),
    "mode",
}
ONLY_HRC = {
    *("py_shutter_position", "my_shutter_position", "range_switch_level", "antico_enable", "upper_level_disc"),
    *("timing_mode", "trigger_level", "u_blank_hi", "u_blank_low", "v_blank_low", "v_blank_hi", "uld_enable"),
    *("zero_block", "blank_enable", "width_enable", "spect_mode", "width_threshold"),
}
NEVER = {"maneuver_v1", "maneuver_v2", "maneuver_v3", "maneuver_angle", "subarray_frame_time"}


@pytest.mark.parametrize(("obsid", "absent"), [(8009, ONLY_HRC), (8011, ONLY_ACIS), (8013, ONLY_ACIS)])
def test_obspar_gives_the_row_of_the_product(delivery, products, obsid, absent):
    _, obspar = products
    observation = delivery.truth.of(obsid).observation
    for path in files_of(delivery, rf"obspar/../{obsid:05d}_v\d\d/"):
        row = obspar.describe(path)
        empty = {name for name, value in row.items() if value is None}
        assert empty == absent | NEVER
        assert (row["obsid"], row["obs_id"], row["obi_num"]) == (obsid, str(obsid), 0)
        assert row["revision"] == obspar.version.of([path.name])
        assert (row["tstart"], row["tstop"]) == (observation.start, observation.stop)
        assert (row["detector"], row["content"]) == (observation.detector, "OBSPAR")
        assert row["ra_pnt"] == pytest.approx(observation.ra, abs=1e-9)
        assert row["date_obs"].startswith("2021-01-01T")
        parameters = read_parameter_file(path)
        assert parameters["synthetic"] == SYNTHETIC
        assert '"' in parameters["title"]
        chips = [name for name, value in parameters.items() if re.match(r"ccd[is]\d_on$", name) and value == "Y"]
        assert f"ACIS-{''.join(str(int(c[4]) + 4 * (c[3] == 's')) for c in chips)}" == row["detnam"] or not chips


# ---- the same again -------------------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes(tmp_path, monkeypatch):
    def contents(name, seed):
        delivery = simulate_delivery(tmp_path / name, seed=seed, obsids=[8008, 8009], duration=200.0)
        paths = [*delivery.truth.files, "truth.json"]
        return {path: (delivery.folder / path).read_bytes() for path in paths if (delivery.folder / path).is_file()}

    first = contents("a", 3)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert contents("b", 3) == first
    other = contents("c", 4)
    assert other.keys() == first.keys()
    assert sum(other[path] != first[path] for path in first) > 20


def test_an_observation_depends_on_nothing_but_its_own_numbers():
    alone = dict(asp1_files(draw_observation(77, seed=9, duration=200.0)))
    again = dict(asp1_files(draw_observation(77, seed=9, duration=200.0)))
    assert alone == again
    assert draw_observation(77, seed=9).ra != draw_observation(78, seed=9).ra != draw_observation(78, seed=8).ra
