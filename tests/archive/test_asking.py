"""What is asked of an archive, and how: several roots, rows of other tools, odd arguments, types."""

from __future__ import annotations

import inspect
import logging
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from by_day import TLM0, start_of, write_day, write_file
from test_queries import insert, relative, row

from aca_core import (
    ArchiveProduct,
    Config,
    ConfigError,
    DateError,
    Day,
    DeclarationError,
    FitsColumns,
    MissingDataError,
    ObsidRevision,
    ProductFunctions,
    UnknownNameError,
    Version,
    open_archive,
)
from aca_core.archive import ObsArchive, UpdateOptions
from aca_core.archive.queries import (
    archived_obsids,
    ends_of_groups,
    obsids_of_others,
    provisional,
    revisions_of,
)
from aca_core.archive.store import Store
from aca_core.config_layers import load_config
from aca_core.dates import to_secs
from aca_core.testing import write_fits
from aca_core.testing.shelf import DeliveryShelf

SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "content", "revision", "date"),
    recheck=True,
)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def index_of(root, product="asp1"):
    return closing(sqlite3.connect(root / product / "archfiles.db3"))


def change(root, *statements):
    """Do to the index what other tools might."""
    with index_of(root) as database, database:
        for each in statements:
            database.execute(each)


# ---- several roots --------------------------------------------------------------------------------------------------


def shelf_in(folder, product):
    (folder / "shelf").mkdir(parents=True)
    (folder / "root").mkdir()
    shelf = DeliveryShelf(product, folder / "shelf")
    return shelf, shelf.archive(folder / "root")


@pytest.fixture
def two_by_day(tmp_path):
    """The first root has one file of day 272, the second all of it and of day 273."""
    options = UpdateOptions(since=to_secs("2019:272"), until=to_secs("2019:273"))
    here, first = shelf_in(tmp_path / "first", TLM0)
    start = start_of("2019:272") + 12 * 3600
    here.deliver(Day(2019, 272), lambda folder, _: write_file(folder, start, start + 3600))
    there, second = shelf_in(tmp_path / "second", TLM0)
    for day in (272, 273):
        there.deliver(Day(2019, day), lambda folder, unit: write_day(folder, str(unit)))
    for each in (first, second):
        each.run_update(options)
    return type(first)([*first.stores, *second.stores])


def by_root(paths, tmp_path):
    return [Path(path).relative_to(tmp_path).parts[0] for path in paths]


@pytest.mark.parametrize(
    ("hours", "slots", "expected"),
    [
        ((0, 24), None, ["first"]),
        ((0, 24), [0], ["first"]),
        ((0, 24), [1], []),
        ((0, 1), None, []),
        ((0, 1), [0], []),
        ((0, 48), None, ["first"] + ["second"] * 4),
        ((24, 25), [1], ["second"]),
    ],
)
def test_a_narrower_question_is_answered_by_the_same_root(two_by_day, tmp_path, hours, slots, expected):
    """A day comes from the first root that has it, whatever of it is asked for."""
    start = start_of("2019:272")
    where = None if slots is None else {"slot": slots}
    found = two_by_day.get_files(start + 3600 * hours[0], start + 3600 * hours[1], where=where)
    assert by_root(found, tmp_path) == expected


def test_a_folder_alone_is_no_day(two_by_day, tmp_path):
    """What a commit that was interrupted has left does not hide what another root has."""
    (two_by_day.roots[0] / "2019/273").mkdir()
    assert by_root(two_by_day.get_files("2019:273", "2019:274"), tmp_path) == ["second"] * 4


class Killed(BaseException):
    """The end of a process."""


def write_files(salt):
    def write(folder, unit):
        header = {"TSTART": 5e8, "TSTOP": 5e8 + 10, "CONTENT": "SIMCOOR", "REVISION": unit.revision, "DATE": "2013"}
        write_fits(folder / f"simf500000000N{unit.revision:03d}_coor1.fits.gz", {**header, "SALT": salt})

    return write


def test_while_a_file_is_being_replaced_no_other_root_answers(tmp_path, monkeypatch):
    archives = []
    for name in ("first", "second"):
        shelf, archive = shelf_in(tmp_path / name, SIM)
        shelf.deliver(ObsidRevision(7000, 1), write_files(0))
        shelf.release(7000, 1)
        archive.update()
        archives.append((shelf, archive))
    (shelf, first), (_, second) = archives
    both = ObsArchive([*first.stores, *second.stores])
    shelf.deliver(ObsidRevision(7000, 1), write_files(1))
    with monkeypatch.context() as patched:
        patched.setattr("aca_core.archive.commit._place", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            first.run_update(UpdateOptions(obsid=7000, replace=True))
    assert (both.get_dir(7000), both.get_obs_dirs(7000)) == (None, None)
    assert both.get_files(7000, revision="all") == []
    assert both.get_files(start=4e8, stop=6e8) == []
    first.run_update()
    assert both.get_dir(7000) == f"{tmp_path}/first/root/sim1/07/07000"
    assert by_root(both.get_files(7000), tmp_path) == ["first"]


# ---- rows that other tools have written -----------------------------------------------------------------------------

ODD = ("obsid = 170005", "revision = 1000", "revision = NULL", "obsid = -1", "obsid = 'none'", "revision = 'two'")


@pytest.mark.parametrize("by_others", [False, True])
@pytest.mark.parametrize("odd", ODD)
def test_a_row_that_belongs_nowhere_is_left_out_and_told(root, odd, by_others, warnings_of_core):
    asp1 = insert(root, [row(), row(obsid=6001, number=1)], {6000: 1, 6001: 1}, by_others=by_others)
    change(root, f"UPDATE archfiles SET {odd} WHERE filename LIKE '%001.fits.gz'")
    for _ in range(2):
        for revision in ("all", "last", None, 1):
            assert relative(asp1.get_files(start=0.0, stop=9e8, revision=revision), root) == [row().place]
    told = warnings_of_core()
    assert len(told) == len(set(told))  # each once
    assert len([text for text in told if repr(row(obsid=6001, number=1).filename) in text]) == 1
    assert all(f"{root}/asp1/archfiles.db3" in text for text in told)


def test_a_day_that_there_is_not_is_left_out_and_told(two_by_day, warnings_of_core):
    with closing(sqlite3.connect(two_by_day.stores[1].index.path)) as database, database:
        database.execute("UPDATE archfiles SET doy = 400 WHERE slot = 1 AND doy = 273")
    assert len(two_by_day.get_files("2019:273", "2019:274")) == 2
    (told,) = warnings_of_core()
    assert "doy 400" in told


def test_odd_rows_do_not_hide_the_others(root, warnings_of_core):
    asp1 = insert(root, [row(), row(revision=2, number=1), row(obsid=6001, number=2)], {6000: 1})
    change(
        root,
        "UPDATE archfiles SET revision = 1000 WHERE revision = 2",
        "UPDATE archfiles SET obsid = 170005 WHERE obsid = 6001",
    )
    assert asp1.get_obs_dirs(6000)["revisions"] == [1]
    store = asp1.stores[0]
    assert (revisions_of(store, 6000), archived_obsids(store)) == ([1], [6000])
    assert {"revision 1000" in text for text in warnings_of_core()} == {True, False}


@pytest.mark.parametrize("by_others", [False, True])
@pytest.mark.parametrize("name", ["order", "select", 'an "odd" one', "two words", "x]y", "group"])
def test_a_further_column_may_be_called_anything(root, name, by_others):
    asp1 = insert(root, [row()], {6000: 1}, by_others=by_others)
    quoted = name.replace('"', '""')
    change(root, f'ALTER TABLE archfiles ADD COLUMN "{quoted}" int DEFAULT 7')
    for found in (asp1.get_rows(6000), asp1.get_rows(start=0.0, stop=9e8, columns=[name])):
        assert [each[name] for each in found] == [7]


def test_a_column_that_the_index_lacks_is_no_text(root):
    """Quoted by itself, SQLite takes the name of a column that is not there for a text."""
    asp1 = insert(root, [row()], {6000: 1})
    change(root, "ALTER TABLE archfiles DROP COLUMN caldbver")
    with pytest.raises(Exception, match="no such column"):
        asp1.get_rows(6000, where={"caldbver": ["caldbver"]})


def test_a_bound_that_is_none_is_looked_for_anew(root):
    asp1 = insert(root, [row(tstop=1e8 + 9000)], {6000: 1})
    for value in ("None", "nan", "inf", ""):
        change(root, f"UPDATE aca_state SET value = '{value}' WHERE key = 'longest'")
        assert len(asp1.get_files(start=1e8 + 5000, stop=1e8 + 5001)) == 1


# ---- what is provisional --------------------------------------------------------------------------------------------


def mixed(root, *, by_others=False):
    """Several observations, of each of which something else is released."""
    rows = [
        *(row(obsid=1, number=1), row(obsid=1, revision=2, number=2)),
        *(row(obsid=6000, number=3), row(obsid=6000, revision=2, number=4)),
        *(row(obsid=6001, number=5), row(obsid=6001, revision=2, number=6)),
        *(row(obsid=62558, number=7), row(obsid=62558, revision=2, number=8)),
    ]
    asp1 = insert(root, rows, {1: 2, 6001: 1, 62558: 2}, by_others=by_others)
    for link, target in (("06/06001_last", "06001_v02"), ("62/62558_last", "nowhere")):
        (root / "asp1" / link).symlink_to(target)
    return asp1.stores[0]


def test_what_is_provisional_of_what_we_have_written_is_in_the_index(root, monkeypatch):
    """Also where no link leads to it, and without looking for links."""
    store = mixed(root)
    change(
        root,
        "UPDATE aca_obsids SET newest = 2 WHERE obsid IN (6001, 62558)",
        "INSERT INTO aca_obsids VALUES (7000, NULL, NULL)",  # of which nothing is archived
    )
    monkeypatch.setattr("os.scandir", lambda *_: pytest.fail("a folder is read"))
    assert obsids_of_others(store) == []
    assert provisional(store) == [(6000, 2), (6001, 2)]


def test_what_is_provisional_of_other_tools_is_in_their_links(root):
    assert provisional(mixed(root, by_others=True)) == [(6001, 2)]


def test_what_is_provisional_of_both(root):
    store = mixed(root)
    (root / "asp1/06/06000_last").symlink_to("06000_v01")
    change(root, "DELETE FROM aca_obsids WHERE obsid = 6001")
    assert obsids_of_others(store) == [6001]
    assert provisional(store) == [(6000, 2), (6001, 2)]


def test_nothing_is_provisional_where_nothing_is(root):
    assert provisional(open_archive(root)["asp1"].stores[0]) == []


# ---- where groups end -----------------------------------------------------------------------------------------------

LAST = {(0,): 2500.0, (1,): 1201.0, (5,): 77.0}


@pytest.fixture
def grouped(tmp_path):
    """Many files of slot 0, and few of two others, one of which ended long ago."""
    store = Store(TLM0, tmp_path / "tlm0", tmp_path)
    store.make()
    with closing(sqlite3.connect(store.index.path)) as database, database:
        rows = [(0, 1, float(stop)) for stop in range(2501)] + [(1, 1, 1200.0), (1, 2, 1201.0), (5, 1, 77.0)]
        database.executemany(
            "INSERT INTO archfiles (filename, filetime, year, doy, tstart, tstop, date, slot, revision)"
            " VALUES (?, 1, 2019, 272, ?, ?, '2019', ?, ?)",
            [(f"{number}", stop - 1, stop, slot, revision) for number, (slot, revision, stop) in enumerate(rows)],
        )
    return store


@pytest.mark.parametrize("index", [None, "slot", "slot, tstart", "slot, tstop", "slot, revision, tstop", "revision"])
def test_where_groups_end(grouped, index):
    if index is not None:
        with closing(sqlite3.connect(grouped.index.path)) as database, database:
            database.execute(f"CREATE INDEX further ON archfiles ({index})")
    assert ends_of_groups(grouped, ["slot"]) == LAST
    assert ends_of_groups(grouped, ["slot", "revision"]) == {
        (0, 1): 2500.0,
        (1, 1): 1200.0,
        (1, 2): 1201.0,
        (5, 1): 77.0,
    }
    assert ends_of_groups(grouped, []) == {(): 2500.0}


def test_where_nothing_ends(tmp_path):
    store = Store(TLM0, tmp_path / "tlm0", tmp_path)
    for _ in range(2):
        assert ends_of_groups(store, ["slot"]) == {}
        assert ends_of_groups(store, []) == {}
        store.make()


def test_groups_are_skipped_through_where_an_index_has_them(grouped):
    with closing(sqlite3.connect(grouped.index.path)) as database, database:
        database.execute("CREATE INDEX further ON archfiles (slot, tstop)")
    steps = []
    with grouped.index.reading() as connection:
        connection.set_progress_handler(lambda: steps.append(1), 100)
        assert ends_of_groups(grouped, ["slot"]) == LAST
        connection.set_progress_handler(None, 0)
    assert len(steps) < 25  # one look at each of 2500 rows would be a hundred


# ---- arguments ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asp1(root):
    return insert(root, [row(), row(content="ACACENT", number=1)], {6000: 1})


@pytest.mark.parametrize(
    ("args", "more"),
    [((6000, "ASPSOL"), {}), ((6000,), {"start": "2012:001"}), ((6000,), {"stop": 5e8}), ((6000, 1.0, 2.0), {})],
)
def test_an_obsid_and_a_range_do_not_go_together(asp1, args, more):
    for ask in (asp1.get_files, asp1.get_rows):
        with pytest.raises(TypeError, match=r"not both; give the content by name: content='…'"):
            ask(*args, **more)


def test_the_order_of_arguments_is_that_of_older_tools(asp1):
    names = ["obsid", "start", "stop", "revision", "content"]
    assert list(inspect.signature(asp1.get_files).parameters) == names
    assert len(asp1.get_files(None, 0.0, 9e8, "all", "ASPSOL")) == 1


@pytest.mark.parametrize("content", [5, [], (), "", 1.5])
def test_what_is_no_content(asp1, content):
    for ask in (asp1.get_files, asp1.get_rows):
        with pytest.raises((DeclarationError, UnknownNameError), match="content"):
            ask(6000, content=content)
    if content != "":
        with pytest.raises(DeclarationError, match="such as 'ASPQUAL', several of them, or None for the usual ones"):
            asp1.get_files(6000, content=content)


@pytest.mark.parametrize("start", [["2012:001"], ("2012:001", "2012:002"), np.array([1e8]), []])
def test_a_range_begins_and_ends_once(asp1, start):
    for asked in ({"start": start}, {"start": 0.0, "stop": start}):
        with pytest.raises(DateError, match="these are several dates; expected one"):
            asp1.get_files(**asked)


def test_a_single_value_of_a_further_column(asp1):
    assert len(asp1.get_rows(6000, where={"content": "ASPSOL"})) == 1
    assert len(asp1.get_rows(6000, where={"revision": 1})) == 2
    assert len(asp1.get_rows(6000, where={"revision": {1, 2}})) == 2


def test_default_is_another_word_for_none(root):
    asp1 = insert(root, [row(), row(revision=2, number=1)], {6000: 1})
    assert asp1.get_files(6000, revision="default") == asp1.get_files(6000)
    assert relative(asp1.get_files(start=0.0, stop=9e8, revision="default"), root) == [row().place]


def test_a_revision_in_quotes_is_told_how_to_say_it(asp1):
    with pytest.raises(DeclarationError, match=r"revision is '2'; expected None or 'default'.*number, not in quotes"):
        asp1.get_files(6000, revision="2")


# ---- opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_", [str, Path])
def test_a_configuration_may_be_a_path(root, as_):
    (root / "aca.toml").write_text('root = "."\nlock = "soft"\n')
    archive = open_archive(config=as_(root / "aca.toml"))
    assert (archive.roots, archive.config.lock) == ((root,), "soft")
    (root / "more").mkdir()
    archive = open_archive(root / "more", as_(root / "aca.toml"))
    assert (archive.roots, archive.config.lock) == ((root / "more",), "soft")
    assert archive.config == load_config(root / "aca.toml", root=root / "more")


def test_a_configuration_that_is_not_there(root):
    with pytest.raises(ConfigError, match=r"there is no file 'other\.toml'"):
        open_archive(root, "other.toml")


@pytest.mark.parametrize("wrong", [5, 5.0, [5], {"root": "/data"}, True, object(), b"/data"])
def test_what_is_no_root_and_no_configuration(root, wrong):
    with pytest.raises(DeclarationError, match=r"open_archive: root is .*; expected the path of a folder, or a list"):
        open_archive(wrong)
    with pytest.raises(DeclarationError, match=r"open_archive: root is"):
        open_archive(wrong, Config(root=[root]))
    with pytest.raises(DeclarationError, match=r"open_archive: config is .*; expected a Config, or the path"):
        open_archive(config=wrong)


def test_an_archive_by_its_layout(root):
    archive = open_archive(root)
    assert archive.by_obsid("asp1") is archive["asp1"]
    with pytest.raises(UnknownNameError, match=r"no product by day is named 'asp1'.*asp1 is laid out by obsid"):
        archive.by_day("asp1")


# ---- the dictionary of older tools ----------------------------------------------------------------------------------


@pytest.fixture
def given(root):
    return {"data_root": str(root / "asp1"), "cols": ["tstart", "tstop", "content", "revision", "date", "mine"]}


@pytest.mark.parametrize("names", [{"sql_def": "archfiles_asp_l1_def.sql"}, {"sql_def": Path("a.sql")}, {}])
def test_an_sql_file_beside_the_code_of_older_tools_is_left_out(given, names, caplog):
    caplog.set_level(logging.INFO, logger="aca_core")
    archive = ObsArchive.from_config({**given, **names})
    assert [column.name for column in archive.product.schema if column.name in given["cols"]] == given["cols"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(names)
    assert all(str(names["sql_def"]) in text and "those of cols" in text for text in told)


@pytest.mark.parametrize("obsids", [[36, 37], (36, 37)])
def test_bad_obsids_may_be_a_list(given, obsids):
    archive = ObsArchive.from_config({**given, "bad_obsids": obsids})
    assert archive.product.bad_obsids == (36, 37)
    assert archive.config["bad_obsids"] == obsids


def test_an_archive_that_is_not_mounted_is_no_empty_one(given, tmp_path):
    with pytest.raises(MissingDataError, match=f"the archive root {tmp_path}/absent is no folder; mount it"):
        ObsArchive.from_config({**given, "data_root": str(tmp_path / "absent/asp1")})
    assert ObsArchive.from_config(given).get_files(6000) == []


# ---- for people and type checkers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["get_dir", "get_obs_dirs", "get_files", "get_rows"])
def test_functions_say_what_the_methods_say(name):
    function, method = getattr(ProductFunctions, name), getattr(ObsArchive, name)
    assert inspect.getdoc(function) == inspect.getdoc(method)
    ours, theirs = inspect.signature(function), inspect.signature(method)
    assert ours.parameters == theirs.parameters


TYPED = """\
from pathlib import Path

from aca_plugins import asp1

from aca_core import open_archive, using

archive = open_archive(config=Path("aca.toml"))
files: list[str] = archive["asp1"].get_files(8010, content="ASPSOL")
print(archive["asp1"].get_obs_dirs(8010)["revisions"])
where: str | None = archive.by_obsid("asp1").get_dir(8010)
rows = archive.by_day("aca0").get_rows("2012:001", "2012:002", where={"slot": [1]})
with using(archive):
    files += asp1.get_files(start="2012:001", stop=None, revision="last", content=["ASPSOL"])
"""


def test_what_people_write_passes_a_type_checker(tmp_path):
    pytest.importorskip("mypy")
    wrong = "asp1.get_files(8010, revision='newest')\nasp1.get_files(8010, content=5)\n"
    (tmp_path / "typed.py").write_text(TYPED + wrong)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", "cache", "typed.py"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    first = TYPED.count("\n") + 1
    assert [line.split(":")[1] for line in found.splitlines()] == [str(first), str(first + 1)], found
