"""The telemetry of one slot: the store, the files and a plain reader say the same, and flight files what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.table import Column, MaskedColumn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from l0_telemetry import START, archive_of, assert_same_records, ingest, read_plainly, rows_of, write_level0

import aca_core
from aca_core import DateError, DeclarationError, IntegrityError, MissingDataError, UnknownNameError, using
from aca_core.aca_l0 import ACA_COLUMNS, ACA_DTYPE, get_slot_data
from aca_core.aca_l0.one_slot import slot_columns
from aca_core.tables import read_table_file, write_table_file

SLOTS = (0, 3, 5, 6)


@pytest.fixture(scope="session")
def plain(simulated):
    """Return what a plain reader finds in the archived files, by slot and place of the images."""
    folder = simulated.files.roots[0] / "aca0"
    return {(slot, centered): read_plainly(folder, slot, centered=centered) for slot in SLOTS for centered in (0, 1)}


# ---- the same whoever answers ---------------------------------------------------------------------------------------


def test_the_simulated_archive_has_what_makes_it_hard(plain, simulated):
    """Mode changes, gaps, bad rows and files that overlap: else the comparison below would be worth little."""
    assert set(plain[3, 0]["IMGSIZE"].data.tolist()) == {4, 6, 8}
    steps = [np.diff(plain[slot, 0]["TIME"].data) for slot in SLOTS]
    assert max(step.max() for step in steps) > 5
    assert any((plain[slot, 0]["QUALITY"].data == 1).any() for slot in SLOTS)
    rows = [row for row in simulated.files["aca0"].get_rows("2020:366", "2021:010") if row["slot"] in SLOTS]
    assert sum(row["rows"] for row in rows) > sum(len(plain[slot, 0]) for slot in SLOTS)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_store_files_and_a_plain_reader_say_the_same(data, simulated, plain):
    slot, centered = data.draw(st.sampled_from(SLOTS)), data.draw(st.booleans())
    whole = plain[slot, centered]
    times = whole["TIME"].data
    edge = st.sampled_from(times[:: max(1, len(times) // 97)].tolist())  # both ends are included
    moment = edge | st.floats(times[0] - 100, times[-1] + 100)
    start, stop = sorted([data.draw(moment), data.draw(moment)])
    sizes = data.draw(st.none() | st.sampled_from([4, [8], [6, 4], {8, 4}, (8, 6, 4)]))
    inside = (times >= start) & (times <= stop)
    if sizes is not None:
        inside &= np.isin(whole["IMGSIZE"].data, list(sizes) if isinstance(sizes, set) else sizes)
    for archive in (simulated.stored, simulated.files):
        with using(archive):
            found = get_slot_data(start, stop, slot, sizes, centered_8x8=centered)
        assert_same_records(found, whole[inside])


def test_the_store_was_asked_where_there_is_one(simulated):
    for archive, is_stored in ((simulated.stored, True), (simulated.files, False)):
        with using(archive):
            table = get_slot_data("2021:001:00:10", "2021:001:00:20", 3, as_table=True)
        assert (table.meta["STORED"] > 0, table.meta["FILES"] > 0) == (is_stored, True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_table_is_the_same_as_the_records(data, archive):
    slot, centered = data.draw(st.sampled_from(SLOTS)), data.draw(st.booleans())
    names = data.draw(st.none() | st.lists(st.sampled_from(sorted(ACA_COLUMNS)), min_size=1, unique=True))
    first = data.draw(st.floats(0, 8000))
    start, stop = START + first, START + first + data.draw(st.floats(0, 2000))
    records = get_slot_data(start, stop, slot, columns=names, centered_8x8=centered)
    table = get_slot_data(start, stop, slot, columns=names, centered_8x8=centered, as_table=True)
    assert table.colnames == list(records.dtype.names)
    assert len(table) == len(records)
    for name in table.colnames:
        column, expected = table[name], records[name].reshape(table[name].shape)
        assert column.dtype.isnative
        assert column.dtype.kind == expected.dtype.kind
        mask = np.ma.getmaskarray(expected)
        assert isinstance(column, MaskedColumn) == mask.any()
        np.testing.assert_array_equal(np.ma.getmaskarray(np.ma.asarray(column)), mask)
        np.testing.assert_array_equal(np.asarray(column)[~mask], expected.data[~mask])


# ---- what comes out -------------------------------------------------------------------------------------------------


def test_records_are_those_of_mica():
    assert len(ACA_DTYPE) == 49
    kind = np.dtype(list(ACA_DTYPE))
    assert kind["IMGRAW"] == np.dtype((">f4", (64,)))
    assert (kind["TIME"], kind["IMGROW0"], kind["FILENAME"]) == (np.dtype(">f8"), np.dtype(">i2"), np.dtype("U128"))


def test_columns_come_in_the_order_of_the_table_and_the_callers_list_stays(archive):
    asked = ["TEMPCCD", "imgsize", "TIME"]
    data = get_slot_data("2021:001:00:10", "2021:001:00:20", 3, columns=asked)
    assert data.dtype.names == ("TIME", "TEMPCCD", "IMGSIZE")
    assert asked == ["TEMPCCD", "imgsize", "TIME"]


def test_what_an_image_size_lacks_is_masked(archive):
    names = ["TIME", "TEMPCCD", "HD3TLM62", "IMGRAW", "PIXTLM"]
    for size, lacking in ((4, {"TEMPCCD", "HD3TLM62"}), (6, {"HD3TLM62"}), (8, set())):
        data = get_slot_data("2021:001:00:00", "2021:001:03:00", 3, size, columns=names, centered_8x8=True)
        assert len(data) > 10
        for name in ("TIME", "TEMPCCD", "HD3TLM62", "PIXTLM"):
            assert data.mask[name].all() == data.mask[name].any() == (name in lacking)
        seen = ~data.mask["IMGRAW"][0]
        low = (8 - size) // 2
        expected = np.zeros((8, 8), bool)
        expected[low : 8 - low, low : 8 - low] = True
        if size == 6:
            expected[[1, 1, 6, 6], [1, 6, 1, 6]] = False
        np.testing.assert_array_equal(seen, expected)


def test_a_table_has_units_meanings_and_where_it_comes_from(archive, tmp_path):
    table = get_slot_data("2021:001:00:10", "2021:001:00:12", 6, as_table=True)
    assert [str(table[name].unit) for name in ("TIME", "TEMPCCD", "BGDAVG", "IMGROW0")] == ["s", "K", "DN", "pix"]
    assert table["QUALITY"].unit is None
    assert all(table[name].description for name in table.colnames)
    assert type(table["TIME"]) is Column
    meta = dict(table.meta)
    assert meta.pop("STORED") == meta.pop("FILES") == 1
    assert meta == {
        "SLOT": 6,
        "START": "2021:001:00:10:00.000",
        "STOP": "2021:001:00:12:00.000",
        "ARCHIVE": str(archive.roots[0] / "aca0"),
        "PRODUCT": "aca0",
        "SYNTHET": True,
        "CREATOR": f"aca_core {aca_core.__version__}",
    }
    for name in ("t.ecsv", "t.h5", "t.fits"):
        again = read_table_file(write_table_file(table, tmp_path / name))
        np.testing.assert_array_equal(again["IMGRAW"], table["IMGRAW"])
        assert again.meta["SYNTHET"] is True
    assert (str(again["IMGRAW"].unit), str(table["IMGRAW"].unit)) == ("adu", "DN")  # as FITS names it


def test_a_range_without_ends_is_everything_until_now(archive):
    table = get_slot_data(None, None, 6, columns=["TIME"], as_table=True)
    assert len(table) == len(get_slot_data("2020:366", "2021:002", 6)) > 1000
    assert "START" not in table.meta
    assert table.meta["STOP"] > "2024"


def test_an_empty_range_has_the_right_types(archive):
    data = get_slot_data("2001:001", "2001:002", 3)
    assert (len(data), data.dtype) == (0, np.dtype(list(ACA_DTYPE)))
    assert isinstance(data, np.ma.MaskedArray)
    table = get_slot_data("2001:001", "2001:002", 3, as_table=True, centered_8x8=True)
    assert (len(table), table["IMGRAW"].shape, table["TIME"].dtype.kind) == (0, (0, 8, 8), "f")
    between = get_slot_data(START + 100.0, START + 100.5, 6)  # within a file, between two rows
    assert (len(between), between.dtype) == (0, data.dtype)


def test_telemetry_of_another_place_is_found_by_its_index_or_its_tree(simulated, archive_free):
    folder = simulated.files.roots[0] / "aca0"
    index = folder / "archfiles.db3"
    asked = ("2021:001:00:10", "2021:001:00:20", 3)
    with using(simulated.stored):
        expected = get_slot_data(*asked)
    with using(archive_free):
        assert len(get_slot_data(*asked)) == 0
        for more in (
            {"data_root": folder},
            {"data_root": str(folder), "db": {"dbi": "sqlite", "server": str(index)}},
            {"db": index},
        ):
            assert_same_records(get_slot_data(*asked, **more), expected)


@pytest.fixture
def archive_free(tmp_path):
    return archive_of(tmp_path / "free", tmp_path / "nothing")


# ---- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        (("2021:001", "2021:002", 3), {"columns": ["TEMPCDD"]}, UnknownNameError, "TEMPCCD"),
        (("2021:001", "2021:002", 3), {"columns": "TIME"}, DeclarationError, "a list of names"),
        (("2021:001", "2021:002", 3), {"columns": []}, DeclarationError, "at least one column"),
        (("2021:001", "2021:002", 3), {"columns": [7]}, DeclarationError, "names of columns"),
        (("2021:002", "2021:001", 3), {}, DateError, "goes forward"),
        (("20x21", "2021:001", 3), {}, DateError, "20x21"),
        (("2021:001", "2021:002", 8), {}, DeclarationError, "slot is 8; expected a slot from 0 to 7"),
        (("2021:001", "2021:002", "3"), {}, DeclarationError, "slot is '3'"),
        (("2021:001", "2021:002", True), {}, DeclarationError, "slot is True"),
        (("2021:001", "2021:002", 3, 5), {}, DeclarationError, "imgsize is 5; expected 4, 6 or 8"),
        (("2021:001", "2021:002", 3, [[4], [6, 8]]), {}, DeclarationError, "imgsize is"),
        (("2021:001", "2021:002", 3, []), {}, DeclarationError, "imgsize is"),
        (("2021:001", "2021:002", 3), {"data_root": "/no/such/tree"}, MissingDataError, "is no folder"),
        (("2021:001", "2021:002", 3), {"db": 7}, DeclarationError, "the path of an SQLite file"),
        (("2021:001", "2021:002", 3), {"db": {"server": None}}, DeclarationError, "the path of an SQLite file"),
        (("2021:001", "2021:002", 3), {"db": {"sever": "x.db3"}}, UnknownNameError, "Did you mean|Known: sever"),
    ],
)
def test_bad_input_is_told(archive, arguments, more, error, message):
    for as_table in (False, True):
        with pytest.raises(error, match=message):
            get_slot_data(*arguments, **more, as_table=as_table)


@pytest.fixture(params=[(), ("column-store",)], ids=["store", "files"])
def delivered(request, tmp_path):
    """Return a tree to write deliveries into, and what ingests them."""
    tree = tmp_path / "delivered"

    def take(until=START + 1000):
        archive = archive_of(tmp_path, tree, disable=request.param)
        return using(ingest(archive, START - 1000, until))

    return tree, take


def test_rows_out_of_order_are_put_in_order(delivered):
    tree, take = delivered
    times = START + 4.1 * np.array([5, 3, 4, 0, 1, 2, 9])
    write_level0(tree, rows_of(times, 8, MJF=np.array([5, 3, 4, 0, 1, 2, 9], ">i4")))
    with take():
        data = get_slot_data(START + 4, START + 30, 0, columns=["TIME", "MJF", "IMGRAW"])
    np.testing.assert_array_equal(data["MJF"], [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(data["TIME"].data, np.sort(times)[1:6])
    np.testing.assert_array_equal(data["IMGRAW"][:, 0].data, np.array([4, 5, 1, 2, 0]) * 64.0)


def test_of_rows_at_one_time_the_later_file_counts(delivered):
    """Files that overlap and are of one revision are both kept; the clock's last digits may differ."""
    tree, take = delivered
    first = START + 2.05 * np.arange(10)
    write_level0(tree, rows_of(first, 6, MJF=np.full(10, 1, ">i4")))
    write_level0(tree, rows_of(first[5:] + 2e-6, 6, MJF=np.full(5, 2, ">i4")))
    with take():
        data = get_slot_data(START, START + 100, 0, columns=["TIME", "MJF", "FILENAME"])
    assert data["MJF"].tolist() == [1] * 5 + [2] * 5
    assert len(set(data["FILENAME"].data.tolist())) == 2
    assert (np.diff(data["TIME"].data) > 2).all()


@pytest.mark.parametrize(("revision", "kept"), [(2, 10), (1, 5)], ids=["newer", "equal"])
def test_of_rows_of_two_sizes_the_greater_revision_counts_then_the_later_file(delivered, revision, kept):
    """Headers that tell less than their rows let files of two revisions stand side by side."""
    tree, take = delivered
    first, second = START + 4.1 * np.arange(10), START + 4.1 * np.arange(5, 15)
    write_level0(tree, rows_of(first, 8, MJF=np.full(10, 2, ">i4")), revision=revision, stop=START + 20)
    write_level0(tree, rows_of(second, 6, MJF=np.full(10, 1, ">i4")), start=START + 22)
    with take():
        data = get_slot_data(START, START + 100, 0, columns=["TIME", "MJF", "IMGSIZE", "IMGRAW"])
        assert len(get_slot_data(START, START + 100, 0, imgsize=6)) == 10
    rest = 15 - kept
    assert data["MJF"].tolist() == [2] * kept + [1] * rest
    assert data["IMGSIZE"].tolist() == [8] * kept + [6] * rest
    assert np.count_nonzero(~data.mask["IMGRAW"], axis=1).tolist() == [64] * kept + [32] * rest
    np.testing.assert_allclose(data["TIME"].data, START + 4.1 * np.arange(15), atol=1e-6)


def test_a_newer_revision_replaces_an_older_one_and_never_the_other_way(delivered):
    tree, take = delivered
    times, more = START + 4.1 * np.arange(10), {"start": START + 1.9, "stop": START + 42.9}
    write_level0(tree, rows_of(times, 8, MJF=np.full(10, 2, ">i4")), revision=2, **more)
    with take():
        assert get_slot_data(START, START + 100, 0)["MJF"].tolist() == [2] * 10
    write_level0(tree, rows_of(times, 8, MJF=np.full(10, 1, ">i4")), revision=1, **more)
    with take():
        assert get_slot_data(START, START + 100, 0)["MJF"].tolist() == [2] * 10
    write_level0(tree, rows_of(times, 8, MJF=np.full(10, 3, ">i4")), revision=3, **more)
    with take():
        assert get_slot_data(START, START + 100, 0)["MJF"].tolist() == [3] * 10


def test_a_file_that_was_cut_off_is_named(delivered, tmp_path):
    tree, take = delivered
    name = write_level0(tree, rows_of(START + 4.1 * np.arange(200), 8))
    context = take()
    (path,) = (tmp_path / "archive" / "aca0").glob(f"*/*/{name}")
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with context, pytest.raises(IntegrityError, match=name):
        slot_columns(START, START + 100, 0, use_store=False)


def test_files_of_older_and_newer_processing_make_one_column(delivered):
    tree, take = delivered
    older, newer = START + 4.1 * np.arange(3), START + 4.1 * np.arange(3, 6)
    write_level0(tree, rows_of(older, 8))
    write_level0(tree, rows_of(newer, 8, PIXTLM=np.full(3, b"DYNB"), BGDTYP=np.full(3, b"DYNB")))
    with take():
        data = get_slot_data(START, START + 100, 0, columns=["PIXTLM", "BGDTYP"])
    assert data["PIXTLM"].tolist() == ["ORIG"] * 3 + ["DYNB"] * 3
    assert data["BGDTYP"].tolist() == ["FLAT"] * 3 + ["DYNB"] * 3


# ---- flight ---------------------------------------------------------------------------------------------------------


def test_flight_files_say_what_they_hold(flight):
    first = get_slot_data("2019:272", "2019:273", 0)[0]
    assert [first[name] for name in ("IMGROW0", "IMGCOL0", "IMGSCALE", "BGDAVG", "BGDRMS")] == [-183, -169, 230, 24, 6]
    kelvin = [float(first[name]) for name in ("TEMPCCD", "TEMPHOUS", "TEMPPRIM", "TEMPSEC")]
    np.testing.assert_allclose(np.array(kelvin) - 273.15, [-9.6, 31.6, 31.2, 30.4], atol=3e-5)  # float32
    table = get_slot_data("2019:272", "2019:273", 2, as_table=True)
    assert table["TIME"][0] == pytest.approx(686111012.493093, abs=1e-6)
    assert table["END_INTEG_TIME"][0] == pytest.approx(686111013.341093, abs=1e-6)
    assert table.meta["SYNTHET"] is False
    for slot in range(3):
        data = get_slot_data("2019:272", "2019:273", slot, columns=["TIME", "IMGSIZE", "IMGRAW"])
        assert np.median(np.diff(data["TIME"].data)) == pytest.approx(4.1000001, abs=1e-7)
        assert (data["IMGSIZE"] == 8).all()
        assert not np.ma.getmaskarray(data["IMGRAW"]).any()
    fifth = get_slot_data("2019:272", "2019:273", 5, columns=["IMGSTAT", "IMGRAW", "PIXTLM", "HD3TLM62"])
    assert fifth["IMGSTAT"][0] == 16
    assert fifth["PIXTLM"][0] == "ORIG"
    assert fifth.mask["HD3TLM62"].all()
    assert np.count_nonzero(~fifth.mask["IMGRAW"][0]) == 32


def test_the_first_row_is_found_though_headers_begin_after_it(flight):
    """TSTART is 1.873 s after TIME of the first row."""
    data = get_slot_data(686111012.0, 686111013.0, 2)
    assert len(data) == 1
    assert len(get_slot_data(686111012.493093 + 1e-5, 686111013.0, 2)) == 0
