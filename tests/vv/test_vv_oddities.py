"""What is odd about an observation is said, and does not make nonsense of the rest of it."""

from __future__ import annotations

import json
import logging
import math
import shutil

import numpy as np
import pytest
from astropy.io import fits

from aca_core import IntegrityError, MissingDataError, PlannedStar
from aca_core.testing import write_parameter_file
from aca_core.vv import Obi, StarPosition, report_text


@pytest.fixture
def files(delivery, tmp_path):
    """Copies of the files of two observations: one interval, and two of them with a monitor."""
    return {
        obsid: Files(delivery, tmp_path / str(obsid), obsid, revision) for obsid, revision in ((8010, 1), (8012, 2))
    }


class Files:
    """The files of one observation, to be spoilt."""

    def __init__(self, delivery, folder, obsid, revision):
        self.truth = delivery.truth.of(obsid, revision)
        version = f"{obsid:05d}"[:2] + f"/{obsid:05d}_v{revision:02d}"
        self.folder = shutil.copytree(delivery.folder / "asp1" / version, folder)
        (self.obspar,) = (delivery.folder / "obspar" / version).glob("*.par.gz")
        self.intervals = sorted(path.name.partition("_")[0] for path in self.folder.glob("pcadf*N*_acal1.fits.gz"))

    def path(self, kind, interval=0):
        return self.folder / f"{self.intervals[interval]}_{kind}.fits.gz"

    def change(self, kind, edit, interval=0):
        """Let `edit` change the rows of a file, or return other ones."""
        path = self.path(kind, interval)
        with fits.open(path) as hdus:
            table = hdus[1].copy()
        other = edit(table)
        if other is not None:
            table.data = other
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)

    def verified(self, **more):
        obi = Obi(self.obspar, self.folder, **more)
        json.loads(report_text(obi.report()), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        return obi


def same_slots(obi, other, slots):
    for slot in slots:
        for name in ("time", "dy", "dz", "dr", "mag", "qual"):
            mine, theirs = (getattr(each.all_slot_data[slot], name) for each in (obi, other))
            np.testing.assert_array_equal(mine, theirs)


# ---- what prevents a verification -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["acal1", "acen1", "gspr1"])
def test_a_missing_file_is_named(files, kind):
    files[8010].path(kind).unlink()
    with pytest.raises(MissingDataError, match=rf"{kind}\.fits\.gz is not there"):
        files[8010].verified()


def test_without_solutions_or_folder_or_parameters_there_is_nothing_to_do(files, tmp_path):
    mine = files[8010]
    with pytest.raises(MissingDataError, match="is no folder"):
        Obi(mine.obspar, tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="has no aspect solution"):
        Obi(mine.obspar, tmp_path / "empty")
    with pytest.raises(MissingDataError, match=r"absent\.par is not there"):
        Obi(tmp_path / "absent.par", mine.folder)
    with pytest.raises(IntegrityError, match="cannot be read"):
        Obi(tmp_path, mine.folder)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"obs_id": "8010", "tstart": 1.0, "tstop": 2.0}, MissingDataError, "no aspect interval within"),
        ({"obs_id": "8011", "tstart": 1.0, "tstop": 2e9}, IntegrityError, "is of obsid 8010, and the observation"),
        ({"obs_id": "none", "tstart": 1.0, "tstop": 2e9}, IntegrityError, "obs_id is 'none'"),
        ({"tstart": 1.0, "tstop": 2e9}, IntegrityError, "obs_id is None"),
        ({"obs_id": "8010", "tstart": 1.0}, IntegrityError, "tstop is None"),
    ],
)
def test_parameters_of_something_else_are_refused(files, tmp_path, parameters, error, message):
    path = write_parameter_file(tmp_path / "other.par", parameters)
    with pytest.raises(error, match=message):
        Obi(path, files[8010].folder)


@pytest.mark.parametrize("keyword", ["TSTART", "TSTOP"])
def test_a_calibration_of_another_time_is_refused(files, keyword):
    def shift(seconds):
        files[8010].change("acal1", lambda table: table.header.__setitem__(keyword, table.header[keyword] + seconds))

    shift(9.0)
    assert files[8010].verified().errors == []
    shift(60.0)
    with pytest.raises(IntegrityError, match=f"is mismatched: its {keyword}"):
        files[8010].verified()


def test_intervals_of_two_revisions_are_refused(files):
    files[8012].change("asol1", lambda table: table.header.__setitem__("REVISION", 3), interval=1)
    with pytest.raises(IntegrityError, match=r"is of revision 3, and .* of revision 2"):
        files[8012].verified()


def test_a_damaged_file_is_named(files):
    path = files[8010].path("acen1")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(IntegrityError, match="acen1"):
        files[8010].verified()


def nothing(table):
    return table.data[:0]


def backwards(table):
    return table.data[np.arange(len(table.data))[::-1]]


def set_all(column, value):
    def edit(table):
        table.data[column] = value

    return edit


def set_keyword(keyword, value):
    return lambda table: table.header.__setitem__(keyword, value)


@pytest.mark.parametrize(
    ("kind", "edit", "message"),
    [
        ("asol1", nothing, "times do not ascend"),
        ("asol1", backwards, "times do not ascend"),
        ("asol1", set_all("time", math.nan), "times do not ascend"),
        ("asol1", set_keyword("TSTART", "soon"), "TSTART is 'soon'"),
        ("asol1", set_keyword("OBS_ID", "x"), "OBS_ID is 'x'"),
        ("asol1", set_keyword("REVISION", 1.5), "REVISION is 1.5"),
        ("acal1", nothing, "aca_misalign has the shape"),
        ("acal1", set_all("aca_misalign", 0.5), "expected a rotation"),
        ("acal1", set_all("fts_misalign", math.nan), "expected a rotation"),
        ("acen1", set_keyword("INTGTIME", 0.0), "INTGTIME is 0.0"),
        ("acen1", set_keyword("INTGTIME", "long"), "INTGTIME is 'long'"),
        ("acen1", set_all("slot", 9), "slots from 9 to 9"),
        ("gspr1", set_all("slot", 3), "slot 3 is listed twice"),
        ("gspr1", set_all("slot", 8), "it lists slot 8"),
        ("gspr1", set_all("type", "COMET"), "the type 'COMET'"),
        ("fidpr1", set_keyword("RRC0FCX", "far"), "RRC0FCX is 'far'"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_are_refused_by_name(files, kind, edit, message):
    files[8010].change(kind, edit)
    with pytest.raises(IntegrityError, match=message) as caught:
        files[8010].verified()
    assert kind in caught.value.path or "twice" in message


@pytest.mark.parametrize(
    ("kind", "column"), [("asol1", "adtheta"), ("asol1", "q_att_raw"), ("acen1", "counts"), ("gspr1", "pos_eci")]
)
def test_a_missing_column_is_named(files, kind, column):
    def rename(table):
        table.columns.change_name(column, "x")

    files[8010].change(kind, rename)
    with pytest.raises(IntegrityError, match=rf"{kind}.*no column {column}"):
        files[8010].verified()


# ---- what is recorded -----------------------------------------------------------------------------------------------


def test_an_engineering_observation_has_no_fid_lights(files):
    before = files[8010].verified()
    files[8010].path("fidpr1").unlink()
    obi = files[8010].verified()
    assert list(obi.all_slot_data) == [3, 4, 5, 6, 7]
    assert any("no fid lights, for it has no fidpr1 file" in text for text in obi.warnings)
    assert obi.judgement.disposition == "Hold"  # its obsid is that of a science observation
    same_slots(obi, before, obi.all_slot_data)
    # The centroids of fid lights are there and nobody knows of what.
    assert sum("no planned catalogue to ask" in text for text in obi.warnings) == 3


def test_an_empty_list_of_fid_lights_is_the_same_as_none(files):
    files[8010].change("fidpr1", nothing)
    obi = files[8010].verified()
    assert list(obi.all_slot_data) == [3, 4, 5, 6, 7]
    assert any(text.endswith("it has no fid lights") for text in obi.warnings)


def test_the_quality_file_is_not_needed_but_missed(files, caplog):
    files[8010].path("aqual1").unlink()
    with caplog.at_level(logging.WARNING, "aca_core"):
        obi = files[8010].verified()
    assert [text for text in obi.warnings if "aqual1" in text] == obi.warnings
    assert "verification of obsid 8010 revision 1" in caplog.text


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [("id_status", "BAD", "status"), ("type", "MONITOR", "type"), ("cel_loc_flag", 0, "cel_loc_flag")],
)
def test_stars_that_change_across_intervals_are_an_error_on_record(files, column, value, word):
    def edit(table):
        table.data[column][1] = value

    before = files[8012].verified()
    files[8012].change("gspr1", edit, interval=1)
    obi = files[8012].verified()
    (error,) = obi.errors
    assert error.startswith(f"differing {word} across aspect intervals: slot 4: ")
    same_slots(obi, before, obi.all_slot_data)
    assert obi.judgement.disposition == "Hold"


def test_slots_that_change_across_intervals_are_an_error_on_record(files):
    files[8012].change("gspr1", lambda table: table.data[1:], interval=1)
    files[8012].change("fidpr1", backwards, interval=1)
    obi = files[8012].verified()
    stars, fids = obi.errors
    assert stars.startswith("differing slots across aspect intervals: stars: 3, 4, 5, 6, 7 in ")
    assert fids.startswith("differing slots across aspect intervals: fid lights: 0, 1, 2 in ")
    assert np.unique(obi.all_slot_data[3].interval).tolist() == [0]
    assert any("slot 3 (GUIDE) has no centroids in aspect interval" in text for text in obi.warnings)


def test_the_number_of_intervals_is_told_where_it_is_unusual(files):
    for path in files[8012].folder.glob(f"{files[8012].intervals[1]}*"):
        path.unlink()
    obi = files[8012].verified()
    (warning,) = obi.warnings
    assert warning.startswith("obsid 8012 has 1 aspect intervals; usual would be 2")


def test_a_slot_without_a_good_sample_is_told_and_does_not_look_perfect(files):
    def edit(table):
        table.data["status"][table.data["slot"] == 4] = 0x80

    files[8010].change("acen1", edit)
    obi = files[8010].verified()
    assert any("slot 4 (GUIDE) has no good sample among" in text for text in obi.warnings)
    assert obi.slot_report["4"]["dy_med"] is None
    assert obi.judgement.disposition != "OK"


def test_a_slot_without_centroids_is_told(files):
    before = files[8010].verified()
    files[8010].change("acen1", lambda table: table.data[table.data["slot"] != 5])
    obi = files[8010].verified()
    assert any("slot 5 (GUIDE) has no centroids" in text for text in obi.warnings)
    assert len(obi.all_slot_data[5].time) == 0
    assert obi.slot_report["5"] == {"slot": 5, "type": "GUIDE", "id_status": "GOOD", "cel_loc_flag": 1}
    same_slots(obi, before, [0, 3, 4, 6, 7])


def test_a_star_that_was_lost_half_of_the_time_is_not_passed(files):
    def edit(table):
        late = table.data["time"] > np.median(table.data["time"])
        return table.data[~(late & (table.data["slot"] == 5))]

    files[8010].change("acen1", edit)
    obi = files[8010].verified()
    assert obi.judgement.disposition == "Hold"
    assert "slot 5" in str(obi.judgement)


def test_centroids_that_end_long_before_the_solution_are_not_passed(files):
    files[8010].change("acen1", lambda table: table.data[table.data["time"] < np.median(table.data["time"])])
    obi = files[8010].verified()
    assert obi.judgement.disposition == "Hold"
    assert {check.name for check in obi.judgement.failed} == {"frac_missing"}


def test_an_interval_without_any_centroids_is_not_passed(files):
    files[8012].change("acen1", lambda table: table.data[:0], interval=1)
    obi = files[8012].verified()
    assert obi.judgement.disposition == "Hold"
    assert {"intervals_missing"} < {check.name for check in obi.judgement.failed}


def test_centroids_that_are_not_a_number_count_as_bad(files):
    def edit(table):
        mine = np.flatnonzero((table.data["slot"] == 5) & (table.data["alg"] == 8) & (table.data["status"] == 0))
        table.data["ang_y"][mine[50:60]] = math.nan
        table.data["time"][mine[70]] = math.nan

    before = files[8010].verified()
    files[8010].change("acen1", edit)
    obi = files[8010].verified()
    assert any("slot 5 (GUIDE): 10 of" in text and "count as bad" in text for text in obi.warnings)
    assert any("1 of its centroids have no time" in text for text in obi.warnings)
    data = obi.all_slot_data[5]
    assert np.count_nonzero(data.qual == -1) == 10
    assert not np.isnan(data.dy[data.good]).any()
    assert obi.slot_report["5"]["dy_rms"] == pytest.approx(before.slot_report["5"]["dy_rms"], rel=0.1)
    same_slots(obi, before, [0, 1, 2, 3, 4, 6, 7])


def test_a_solution_that_is_not_a_number_spoils_only_its_neighbourhood(files):
    def edit(table):
        table.data["q_att_raw"][500:512] = math.nan
        table.data["ady"][900] = math.nan

    before = files[8010].verified()
    files[8010].change("asol1", edit)
    obi = files[8010].verified()
    assert any("its solution is not a number in 13 of" in text for text in obi.warnings)
    for slot, data in obi.all_slot_data.items():
        lacking = np.isnan(data.dr)
        assert 0 < np.count_nonzero(lacking) <= 3 if slot > 2 else np.count_nonzero(lacking) <= 1
        np.testing.assert_array_equal(data.dy[~lacking], before.all_slot_data[slot].dy[~lacking])
    assert obi.sim_report == pytest.approx(before.sim_report, abs=1e-4)


def test_the_signs_of_quaternions_do_not_matter(files):
    def edit(table):
        table.data["q_att_raw"][::3] *= -1

    before = files[8010].verified()
    files[8010].change("asol1", edit)
    obi = files[8010].verified()
    for slot, data in obi.all_slot_data.items():
        np.testing.assert_allclose(data.dy, before.all_slot_data[slot].dy, rtol=0, atol=1e-9)


def test_rows_in_another_order_are_put_in_the_order_of_time(files):
    before = files[8010].verified()
    files[8010].change("acen1", lambda table: table.data[np.random.default_rng(1).permutation(len(table.data))])
    same_slots(files[8010].verified(), before, range(8))


def test_a_plain_file_is_taken_before_a_compressed_one(files):
    before = files[8010].verified()
    for kind in ("asol1", "acen1"):
        path = files[8010].path(kind)
        with fits.open(path) as hdus:
            hdus.writeto(path.with_suffix(""))
    path.write_bytes(b"not looked at")
    obi = files[8010].verified()
    assert len(obi.aspect_intervals) == 1
    same_slots(obi, before, range(8))


# ---- slots without properties ---------------------------------------------------------------------------------------


def planned_of(observation):
    """The planned catalogue and the places of the stars in the star catalogue, as the simulation has them."""
    stars = [
        PlannedStar(slot=star.slot, type=star.type.lower(), id=star.agasc_id, y_ang=star.yag, z_ang=star.zag)
        for star in observation.stars
    ]
    fids = [
        PlannedStar(slot=fid.slot, type="fid", id=fid.id_num, y_ang=fid.planned[0], z_ang=fid.planned[1])
        for fid in observation.fids
    ]
    return [*stars, *fids]


def catalogue_of(path):
    with fits.open(path) as hdus:
        return {
            int(row["agasc_id"]): StarPosition(
                ra=float(row["ra"]), dec=float(row["dec"]), pm_ra=float(row["pm_ra"]), pm_dec=float(row["pm_dec"])
            )
            for row in hdus[1].data
        }


def test_a_star_without_properties_is_verified_by_the_star_catalogue(files):
    mine = files[8010]
    catalogue = catalogue_of(mine.path("gspr1"))
    before = mine.verified()
    mine.change("gspr1", lambda table: table.data[table.data["slot"] != 5])
    planned = planned_of(mine.truth.observation)

    unplanned = mine.verified()
    assert 5 not in unplanned.all_slot_data
    assert any("slot 5 has centroids but no properties" in text for text in unplanned.warnings)
    unknown = mine.verified(planned=planned)
    assert 5 not in unknown.all_slot_data
    assert any("its place is not known" in text for text in unknown.warnings)
    partly = mine.verified(planned=[each for each in planned if each.slot != 5])
    assert any("not in the planned catalogue" in text for text in partly.warnings)

    obi = mine.verified(planned=planned, star_position=catalogue.get)
    data = obi.all_slot_data[5]
    assert (data.kind, data.id_status, data.cel_loc_flag) == ("GUIDE", "OMITTED", 0)
    # A proper motion of single precision, over two decades.
    np.testing.assert_allclose(data.dy, before.all_slot_data[5].dy, rtol=0, atol=1e-4)
    np.testing.assert_allclose(data.dz, before.all_slot_data[5].dz, rtol=0, atol=1e-4)
    assert obi.report()["gsprops"][0][-1]["id_status"] == "OMITTED"
    same_slots(obi, before, [0, 1, 2, 3, 4, 6, 7])


def test_a_fid_light_without_properties_has_no_residuals_and_is_not_judged(files):
    mine = files[8010]
    mine.change("fidpr1", lambda table: table.data[1:])
    obi = mine.verified(planned=planned_of(mine.truth.observation))
    data = obi.all_slot_data[0]
    assert (data.kind, data.id_status, data.cel_loc_flag) == ("FID", "OMITTED", None)
    assert np.isnan(data.dr).all()
    assert not data.good.any()
    assert obi.judgement.disposition == "OK"
    assert obi.report()["fidprops"][0][-1]["p_lsi"] == [0.0, 0.0, 0.0]


def test_a_planned_monitor_without_properties_is_left_out_in_silence(files):
    mine = files[8012]
    for interval in range(2):
        mine.change("gspr1", lambda table: table.data[table.data["slot"] != 7], interval)
    obi = mine.verified(planned=planned_of(mine.truth.observation))
    assert 7 not in obi.all_slot_data
    assert [text for text in obi.warnings if "slot 7" in text] == []
