"""What tables have in a range of time: the same from the column store as from the files, whatever the store knows."""

import logging
import resource
from pathlib import Path

import attrs
import numpy as np
import pytest
from column_days import PRODUCT, Site, assert_same, chosen_times, plain, secs, story
from hypothesis import given
from hypothesis import strategies as st

from aca_core import ColumnStore, DateError, DeclarationError, IntegrityError, UnknownNameError, open_archive
from aca_core.archive import DayArchive
from aca_core.archive.column_store import blocks, contents, reading
from aca_core.archive.store import Store

NAMES = ("TIME", "FLAG", "IMG", "GOOD", "WORD", "EXTRA", "NO_SUCH")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """An archive of the story, with its store; January is a month, February days."""
    site = Site(tmp_path_factory.mktemp("story"))
    span = story(site)
    site.follow(site.update())
    assert site.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]
    return site, span, chosen_times(site.archive)


@given(data=st.data())
def test_store_and_files_give_the_same_rows_for_any_range(told, data):
    site, span, times = told
    moment = st.one_of(st.sampled_from(times), st.floats(*span))
    start, stop = sorted((data.draw(moment), data.draw(moment)))
    columns = data.draw(st.none() | st.lists(st.sampled_from(NAMES), unique=True))
    where = data.draw(st.sampled_from([None, {"slot": [1]}, {"size": [4]}, {"slot": [0], "size": [2, 4]}]))
    found = assert_same(site.archive, start, stop, columns, where=where)
    for group in found:
        assert group.from_store == len(group.files)
        assert ((group.values["TIME"] >= start) & (group.values["TIME"] <= stop)).all()


def test_all_rows_are_there_as_they_are_in_the_files(told):
    site, span, _ = told
    groups = assert_same(site.archive, *span)
    assert [dict(group.group) for group in groups] == [
        {"slot": 0, "size": 2},
        {"slot": 0, "size": 4},
        {"slot": 1, "size": 2},
    ]
    assert [len(group) for group in groups] == [10 + 4 + 21 + 10 + 10 + 10, 20, 20]
    first, second, third = groups
    # Out of order within a file, overlapping, and twice the same: who asks decides what to make of it.
    assert (np.diff(third.values["TIME"][:10]) == -4).all()
    assert (np.diff(first.values["TIME"]) < 0).sum() == 1
    assert (np.diff(first.values["TIME"]) == 0).sum() == 1
    assert second.values["IMG"].shape == (20, 4, 4)
    assert first.values["WORD"][:2].tolist() == [b"w0", b"w1"]
    assert first.lacking.keys() == {"EXTRA"}
    assert first.lacking["EXTRA"].sum() == 45
    assert not first.values["EXTRA"][first.lacking["EXTRA"]].any()
    assert first.values["EXTRA"][-1].any()
    assert all(group.synthetic for group in groups)
    (alone,) = assert_same(site.archive, "2021:031:13:59:00", "2021:031:15:00:00")
    assert not alone.synthetic, "only one file has rows there, and that does not say that it is synthetic"


def test_both_ends_of_a_range_are_included_also_where_files_begin_and_end(told):
    site, _, _ = told
    start = secs("2021:030:10:00:00")
    for moment in (start, start + 36):
        (group,) = assert_same(site.archive, moment, moment)
        assert group.values["TIME"].tolist() == [moment]
    # Rows may lie outside of what their file's header says, by the margin that the product declares.
    (group,) = assert_same(site.archive, "2021:031:13:59:58", "2021:031:13:59:59")
    assert group.files[0]["tstart"] > group.values["TIME"][0]


def test_a_product_without_a_margin_has_the_rows_at_the_very_ends_of_its_files(site):
    exact = attrs.evolve(PRODUCT, column_store=ColumnStore(group=["slot", "size"]))
    site.put("2021:030:10:00:00", [0.0])
    site.follow(site.update())
    store = site.archive.stores[0]
    archive = DayArchive([Store(exact, store.folder, store.root)], feed=None)
    start = secs("2021:030:10:00:00")
    (group,) = assert_same(archive, start, start)
    assert len(group) == 1


def test_a_range_without_rows_has_no_groups(told):
    site, _, _ = told
    assert assert_same(site.archive, "2021:030:10:00:41", "2021:030:10:00:50") == []
    assert assert_same(site.archive, "2021:031:12:00:00", "2021:031:12:01:00") == [], "a table of no rows is there"
    assert assert_same(site.archive, "1999:001", "1999:002") == []


def test_columns_may_be_named_as_one_likes(told):
    site, span, _ = told
    expected = plain(site.archive.read_tables(*span, ["FLAG"]))
    assert plain(site.archive.read_tables(*span, "flag")) == expected
    assert plain(site.archive.read_tables(*span, ("Flag", "TIME", "FLAG"))) == expected
    assert all(set(group.values) == {"TIME"} for group in site.archive.read_tables(*span, []))


def test_what_cannot_be_asked_is_refused(told):
    site, span, _ = told
    with pytest.raises(DateError, match="stop"):
        site.archive.read_tables(span[1], span[0])
    with pytest.raises(DeclarationError, match=r"columns is 7; expected names of columns"):
        site.archive.read_tables(*span, ["TIME", 7])
    with pytest.raises(LookupError, match="Did you mean 'slot'"):
        site.archive.read_tables(*span, where={"slots": [1]})
    store = site.archive.stores[0]
    bare = DayArchive([Store(attrs.evolve(PRODUCT, column_store=None), store.folder, store.root)], feed=None)
    with pytest.raises(UnknownNameError, match="column_store=ColumnStore"):
        bare.read_tables(*span)
    assert bare.column_store is None


def test_an_index_ahead_of_the_store_is_answered_by_store_and_files_together(site):
    span = story(site)
    site.follow(site.update())
    before = site.state()
    site.put("2021:030:10:00:00", np.arange(0, 40, 4), revision=2, seed=5)
    site.put("2021:034:10:00:00", np.arange(0, 40, 4))
    site.update()  # nobody follows: the plugin is disabled, say
    assert site.state() == before
    groups = assert_same(site.archive, *span)
    assert groups[0].from_store == len(groups[0].files) - 1
    assert "N002" in groups[0].files[0]["filename"]
    (group,) = assert_same(site.archive, "2021:034", "2021:035")
    assert group.from_store == 0


def test_a_file_that_was_replaced_under_its_name_is_not_taken_for_what_it_was(site):
    date, offsets = "2021:030:10:00:00", np.arange(0, 40, 4)
    name = site.put(date, offsets)
    site.follow(site.update())
    (site.shelf.folder / "2021/030" / name).unlink()
    site.put(date, offsets, seed=7)
    changes = site.update(replace=True)
    assert changes[0].replaced == (name,)
    (group,) = assert_same(site.archive, "2021:030", "2021:031")
    assert group.from_store == 0
    site.follow(changes)
    (group,) = assert_same(site.archive, "2021:030", "2021:031")
    assert group.from_store == 1


def test_several_roots_answer_each_from_its_own_store(tmp_path):
    sites = []
    for name, dates in (("mine", ["2021:030", "2021:031"]), ("shared", ["2021:031", "2021:032"])):
        (tmp_path / name).mkdir()
        site = Site(tmp_path / name)
        for number, date in enumerate(dates):
            site.put(f"{date}:10:00:00", np.arange(0, 40, 4), seed=len(sites) * 10 + number)
        site.follow(site.update())
        sites.append(site)
    both = DayArchive([site.archive.stores[0] for site in sites], feed=None)
    (group,) = assert_same(both, "2021:030", "2021:033")
    assert group.from_store == 3
    assert ["mine" in row["path"] for row in group.files] == [True, True, False], "the first root that has a day"
    assert both.column_store.folder == sites[0].keeper.folder, "the first root is written to"


def test_an_archive_of_other_tools_is_judged_by_the_size_of_its_files(site):
    span = story(site)
    site.follow(site.update())
    with site.archive.stores[0].index.writing() as database:
        for table in [name for name in database.table_names() if name.startswith("aca_")]:
            database.table(table).drop()
    archive = DayArchive([Store(PRODUCT, site.archive.stores[0].folder, site.archive.stores[0].root)], feed=None)
    groups = assert_same(archive, *span)
    assert all(group.from_store == len(group.files) for group in groups)
    # Of a file with another size the store is not believed.
    path = archive.get_files(*span)[0]
    with Path(path).open("ab") as stream:
        stream.write(b"\0" * 8)
    groups = assert_same(archive, *span)
    assert sum(group.from_store for group in groups) == sum(len(group.files) for group in groups) - 1


def test_a_lost_file_is_said_unless_the_store_has_its_rows(site):
    span = story(site)
    site.follow(site.update())
    expected = plain(site.read(*span))
    Path(site.archive.get_files(*span)[0]).unlink()
    assert plain(site.read(*span)) == expected
    with pytest.raises(IntegrityError, match="is archived and not there; see 'aca verify'"):
        site.read(*span, use_store=False)


def test_a_file_that_was_superseded_while_it_was_asked_for_is_looked_up_again(site, monkeypatch):
    date, offsets = "2021:030:10:00:00", np.arange(0, 40, 4)
    site.put(date, offsets)
    site.update()
    real, waiting = blocks.read_file, [True]

    def read_file(path, *arguments):
        if waiting and waiting.pop():
            site.put(date, offsets, revision=2)
            site.update()
        return real(path, *arguments)

    monkeypatch.setattr(blocks, "read_file", read_file)
    (group,) = site.read("2021:030", "2021:031")
    assert [row["revision"] for row in group.files] == [2]


def test_a_piece_that_cannot_be_read_is_said_once_and_the_files_answer(site, caplog):
    span = story(site)
    site.follow(site.update())
    expected = plain(site.read(*span))
    path = site.piece("2021/month-01.h5")
    path.write_bytes(path.read_bytes()[:2000])
    with caplog.at_level(logging.WARNING, "aca_core"):
        for _ in range(3):
            groups = assert_same(site.archive, *span)
            assert plain(groups) == expected
    assert groups[0].from_store < len(groups[0].files)
    said = [record.getMessage() for record in caplog.records if "until then the files answer" in record.getMessage()]
    assert len(said) == 1
    assert str(path) in said[0]
    assert "aca verify --repair" in said[0]


def test_a_long_range_needs_no_more_open_files_than_a_short_one(site, monkeypatch):
    for doy in range(32, 60):
        site.put(f"2021:{doy:03d}:10:00:00", [0.0, 4.0])
        site.put(f"2021:{doy:03d}:11:00:00", [4.0, 0.0])  # of which the times are looked at
    site.follow(site.update())
    expected = plain(site.read())
    contents._remembered.clear()
    monkeypatch.setattr(contents, "_MOST_OPEN", 4)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(path.name) for path in Path("/dev/fd").iterdir()}
    most = [number for number in range(10_000) if number not in used][24]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, limits[1]))
    try:
        for _ in range(2):
            (group,) = site.read()
            assert group.from_store == 56
            assert plain([group]) == expected
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_is_remembered_of_pieces_is_bounded(site, monkeypatch):
    for doy in range(32, 36):
        site.put(f"2021:{doy:03d}:10:00:00", [0.0, 4.0])
    site.follow(site.update())
    contents._remembered.clear()
    monkeypatch.setattr(contents, "_MOST", 12)  # more than one piece with its columns, less than two
    expected = plain(site.read())
    assert len(contents._remembered) == 1
    assert plain(site.read()) == expected


def test_a_piece_that_was_replaced_while_it_was_at_rest_is_not_taken_for_what_it_was(site, monkeypatch):
    for doy in range(32, 40):
        site.put(f"2021:{doy:03d}:10:00:00", [0.0, 4.0])
    site.follow(site.update())
    expected = plain(site.read())
    monkeypatch.setattr(contents, "_MOST_OPEN", 4)
    real = reading._rows_of_blocks

    def rows_of_blocks(*arguments):
        site.keeper.rebuild(anew=True)
        return real(*arguments)

    monkeypatch.setattr(reading, "_rows_of_blocks", rows_of_blocks)
    assert plain(site.read()) == expected


def test_an_archive_opened_by_its_root_reads_tables_too(site, install_plugin):
    plugin = "from column_days import PRODUCT\nfrom aca_core import hookimpl\n"
    install_plugin("tables", plugin + "@hookimpl\ndef aca_archive_products():\n    return [PRODUCT]\n")
    span = story(site)
    site.follow(site.update())
    archive = open_archive(site.folder / "archive")
    groups = assert_same(archive.by_day("tlm1"), *span)
    assert sum(group.from_store for group in groups) == sum(len(group.files) for group in groups)
