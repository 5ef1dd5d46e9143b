"""Questions to the index, held against an answer that takes no short cut."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aca_core import AcaError, DateError, DeclarationError, UnknownNameError, open_archive
from aca_core.archive import queries
from aca_core.dates import to_date

CONTENTS = ("ASPSOL", "ACACENT", "GSPROPS")
OBSIDS = (1, 6000, 6001, 62558, 99999)
LINKS = {1: "00/00001", 6000: "06/06000", 6001: "06/06001", 62558: "62/62558", 99999: "99/99999"}


@attrs.frozen
class Row:
    """One archived file, as the tests think of it."""

    obsid: int
    revision: int
    tstart: float
    tstop: float
    content: str
    number: int

    @property
    def filename(self):
        return f"pcadf{int(self.tstart):09d}N{self.revision:03d}_{self.number:03d}.fits.gz"

    @property
    def place(self):
        return f"asp1/{self.obsid // 1000:02d}/{self.obsid:05d}_v{self.revision:02d}/{self.filename}"


def insert(root, rows, released, *, by_others=False):
    """Put rows into the index as commits leave them: by us, or by older tools that know links and no more."""
    archive = open_archive(root)
    store = archive["asp1"].stores[0]
    store.make()
    with closing(sqlite3.connect(store.index.path)) as database, database:
        columns = "filename, filetime, year, doy, tstart, tstop, content, revision, obsid, date, isdefault"
        database.executemany(
            f"INSERT INTO archfiles ({columns}) VALUES (?, 1, 2001, 1, ?, ?, ?, ?, ?, '2001-01-01', ?)",
            [
                (each.filename, each.tstart, each.tstop, each.content, each.revision, each.obsid,
                 1 if released.get(each.obsid) == each.revision and not by_others else None)
                for each in rows
            ],
        )  # fmt: skip
        if by_others:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE name LIKE 'aca_%'").fetchall():
                database.execute(f"DROP TABLE {name}")
        else:
            obsids = sorted({each.obsid for each in rows})
            database.executemany(
                "INSERT INTO aca_obsids VALUES (?, ?, NULL)", [(each, released.get(each)) for each in obsids]
            )
            longest = max((each.tstop - each.tstart for each in rows), default=0.0)
            database.execute("INSERT INTO aca_state VALUES ('longest', ?)", (repr(longest),))
    for each in rows:
        (root / each.place).parent.mkdir(parents=True, exist_ok=True)
        (root / each.place).touch()
    for obsid, revision in released.items():
        if revision is not None and any((each.obsid, each.revision) == (obsid, revision) for each in rows):
            (root / "asp1" / LINKS[obsid]).symlink_to(f"{obsid:05d}_v{revision:02d}")
    return open_archive(root)["asp1"]


def expected(rows, released, *, obsid=None, start=None, stop=None, revision=None, content=None):
    """Answer by looking at every row, for each part of the question."""
    found = []
    for row in rows:
        if obsid is not None and row.obsid != obsid:
            continue
        if obsid is None and not (row.tstart < stop and row.tstop > start):
            continue
        if content is not None and row.content not in content:
            continue
        newest = max(each.revision for each in rows if each.obsid == row.obsid)
        wanted = {None: released.get(row.obsid), "last": newest, "all": row.revision}.get(revision, revision)
        if row.revision == wanted:
            found.append(row)
    found.sort(key=lambda row: (row.tstart, row.obsid, row.filename))
    return [row.place for row in found]


@contextmanager
def new_root():
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def relative(files, root):
    return [str(Path(path).relative_to(root)) for path in files]


# ---- against the reference ------------------------------------------------------------------------------------------

times = st.integers(0, 3000).map(lambda number: 1e8 + number / 2)
durations = st.one_of(st.just(0.0), st.integers(1, 20).map(float), st.integers(1, 3000).map(float))


@st.composite
def archives(draw):
    count = draw(st.integers(0, 25))
    rows = []
    for number in range(count):
        start = draw(times)
        row = Row(
            obsid=draw(st.sampled_from(OBSIDS)),
            revision=draw(st.sampled_from((1, 2, 3, 99, 100, 999))),
            tstart=start,
            tstop=start + draw(durations),
            content=draw(st.sampled_from(CONTENTS)),
            number=number,
        )
        rows.append(row)
    released = {
        obsid: draw(st.sampled_from([None, *sorted({row.revision for row in rows if row.obsid == obsid})]))
        for obsid in sorted({row.obsid for row in rows})
    }
    return rows, released


revisions = st.sampled_from([None, "last", "all", 1, 2, 3, 99, 100, 999, 5])
contents = st.one_of(st.none(), st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(archives(), st.booleans(), st.lists(st.tuples(times, durations, revisions, contents), min_size=1, max_size=8))
def test_a_range_of_time_is_answered_as_by_looking_at_every_file(archive, by_others, questions):
    rows, released = archive
    with new_root() as root:
        asp1 = insert(root, rows, released, by_others=by_others)
        for start, duration, revision, content in questions:
            asked = {"start": start, "stop": start + duration, "revision": revision, "content": content}
            assert relative(asp1.get_files(**asked), root) == expected(rows, released, **asked)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(archives(), st.booleans(), st.lists(st.tuples(revisions, contents), min_size=1, max_size=4))
def test_an_obsid_is_answered_as_by_looking_at_every_file(archive, by_others, questions):
    rows, released = archive
    with new_root() as root:
        asp1 = insert(root, rows, released, by_others=by_others)
        for obsid, (revision, content) in itertools.product(OBSIDS, questions):
            asked = {"obsid": obsid, "revision": revision, "content": content}
            assert relative(asp1.get_files(**asked), root) == expected(rows, released, **asked)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(archives(), st.booleans())
def test_folders_are_those_of_the_files(archive, by_others):
    rows, released = archive
    with new_root() as root:
        asp1 = insert(root, rows, released, by_others=by_others)
        for obsid in OBSIDS:
            there = sorted({row.revision for row in rows if row.obsid == obsid})
            found = asp1.get_obs_dirs(obsid)
            assert found is None if not there else found["revisions"] == there
            assert (asp1.get_dir(obsid) is None) == (released.get(obsid) is None)
            for revision in there:
                folder = found[revision]
                assert {str(Path(path).parent) for path in asp1.get_files(obsid, revision=revision)} == {folder}


# ---- what is easily got wrong ---------------------------------------------------------------------------------------


def row(obsid=6000, revision=1, tstart=1e8, tstop=1e8 + 100, content="ASPSOL", number=0):
    return Row(obsid=obsid, revision=revision, tstart=tstart, tstop=tstop, content=content, number=number)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("by_others", [False, True])
def test_a_very_long_file_is_found_where_it_ends(root, by_others):
    """Older tools looked back for ten days, and lost what lasted longer."""
    others = [row(obsid=6001, tstart=1e8 + each, tstop=1e8 + each + 9, number=each) for each in range(1, 9)]
    rows = [row(tstop=1e8 + 40 * 86400.0), *others]
    asp1 = insert(root, rows, {6000: 1, 6001: 1}, by_others=by_others)
    start = 1e8 + 39 * 86400.0
    assert relative(asp1.get_files(start=start, stop=start + 1), root) == [rows[0].place]


def test_a_longer_file_of_other_tools_is_noticed(root):
    """The bound of an archive that we have not written is looked for anew where the index has changed."""
    asp1 = insert(root, [row(tstop=1e8 + 10)], {6000: 1}, by_others=True)
    assert asp1.get_files(start=1e8 + 5000, stop=1e8 + 5001) == []
    with closing(sqlite3.connect(root / "asp1" / "archfiles.db3")) as database, database:
        database.execute("UPDATE archfiles SET tstop = tstart + 9000")
    assert len(asp1.get_files(start=1e8 + 5000, stop=1e8 + 5001)) == 1


def test_the_ends_of_a_range_do_not_belong_to_it(root):
    asp1 = insert(root, [row()], {6000: 1})

    def count(start, stop):
        return len(asp1.get_files(start=1e8 + start, stop=1e8 + stop))

    assert [count(100, 200), count(-100, 0), count(99.5, 200), count(-100, 0.5), count(20, 30), count(-9, 900)] == [
        *(0, 0, 1, 1, 1, 1)
    ]


def test_last_is_the_newest_of_the_whole_archive_not_of_the_range(root):
    """Version 2 begins later; where it is not, version 1 is not the last one."""
    rows = [row(revision=1), row(revision=2, tstart=1e8 + 50, number=1)]
    asp1 = insert(root, rows, {6000: 1})
    assert asp1.get_files(start=1e8, stop=1e8 + 20, revision="last") == []
    assert relative(asp1.get_files(start=1e8, stop=1e8 + 60, revision="last"), root) == [rows[1].place]
    assert asp1.get_files(start=2e8, stop=3e8, revision="last") == []


def test_dates_in_any_form(root):
    asp1 = insert(root, [row()], {6000: 1})
    day = to_date(1e8)[:8]
    for start, stop in (
        (day, 1e8 + 200),
        (1e8, to_date(1e8 + 50)),
        (None, 1e8 + 1),
        (1e8, None),
        (to_date(1e8 + 1), None),
    ):
        assert len(asp1.get_files(start=start, stop=stop)) == 1
    assert asp1.get_files(start=None, stop=1e8) == []
    with pytest.raises(AcaError):
        asp1.get_files(start="yesterday")


def test_neither_obsid_nor_range(root):
    asp1 = insert(root, [row()], {6000: 1})
    with pytest.raises(TypeError, match="asp1 needs an obsid, or a start and a stop"):
        asp1.get_files()
    with pytest.raises(TypeError, match="obsid"):
        asp1.get_rows(revision="all", content="ASPSOL")


def test_a_range_that_goes_backwards_is_an_error(root):
    with pytest.raises(DateError, match="after the stop, '2012:001'"):
        open_archive(root)["asp1"].get_files(start="2012:002", stop="2012:001")


def test_an_unknown_content_is_an_error(root):
    asp1 = insert(root, [row()], {6000: 1})
    with pytest.raises(UnknownNameError, match=r"Did you mean 'ASPSOL'\?"):
        asp1.get_files(6000, content="ASPSOLL")
    with pytest.raises(UnknownNameError, match="content type of asp1"):
        asp1.get_files(6000, content=["ASPSOL", "aspsol"])
    assert len(asp1.get_files(6000, content=("ASPSOL",))) == 1


def test_an_unknown_column_is_an_error(root):
    asp1 = insert(root, [row()], {6000: 1})
    with pytest.raises(UnknownNameError, match=r"Did you mean 'caldbver'\?"):
        asp1.get_rows(6000, where={"calbdver": ["4.4.7"]})
    assert asp1.get_rows(6000, where={"revision": []}) == []


@pytest.mark.parametrize(
    "obsid", [-1, 100000, True, 8010.5, np.nan, np.inf, -1.0, "", "-1", "abc", "six", [6000], "6000.0", "\uff16"]
)
def test_what_is_no_obsid(root, obsid):
    asp1 = insert(root, [row()], {6000: 1})
    for ask in (asp1.get_files, asp1.get_rows, asp1.get_dir, asp1.get_obs_dirs):
        with pytest.raises(DeclarationError, match="a whole number from 0 to 99999"):
            ask(obsid)


@pytest.mark.parametrize("obsid", [6000, "6000", "06000", np.int64(6000), np.uint16(6000), 6000.0, np.float64(6000)])
def test_what_is_an_obsid(root, obsid):
    asp1 = insert(root, [row()], {6000: 1})
    assert len(asp1.get_files(obsid)) == 1
    assert asp1.get_dir(obsid) == f"{root}/asp1/06/06000"


@pytest.mark.parametrize("revision", ["newest", "1", 1.5, np.nan, True, -1, (1,), b"last"])
def test_what_is_no_revision(root, revision):
    asp1 = insert(root, [row()], {6000: 1})
    with pytest.raises(DeclarationError, match="revision"):
        asp1.get_files(6000, revision=revision)


def test_a_revision_may_be_any_whole_number(root):
    asp1 = insert(root, [row()], {6000: 1})
    assert len(asp1.get_files(6000, revision=np.int16(1))) == 1
    assert len(asp1.get_files(6000, revision=1.0)) == 1
    assert asp1.get_files(6000, revision=1000) == []


def test_values_are_no_part_of_the_question(root):
    """A name that would end a question written by hand."""
    asp1 = insert(root, [row()], {6000: 1})
    assert asp1.get_rows(6000, where={"caldbver": ["x') OR 1 = 1 --"]}) == []


# ---- folders: the table of the layout -------------------------------------------------------------------------------


def test_the_folders_of_a_released_obsid(root):
    asp1 = insert(root, [row(revision=2), row(revision=3, number=1)], {6000: 3})
    top = f"{root}/asp1/06"
    assert asp1.get_obs_dirs(6000) == {
        2: f"{top}/06000_v02",
        3: f"{top}/06000_v03",
        "default": f"{top}/06000",
        "last": f"{top}/06000",
        "revisions": [2, 3],
    }
    assert asp1.get_dir(6000) == f"{top}/06000"


def test_the_folders_with_something_newer(root):
    asp1 = insert(root, [row(obsid=5), row(obsid=5, revision=2, number=1)], {})
    (root / "asp1/00/00005").symlink_to("00005_v01")
    (root / "asp1/00/00005_last").symlink_to("00005_v02")
    found = asp1.get_obs_dirs(5)
    assert (found["default"], found["last"]) == (f"{root}/asp1/00/00005", f"{root}/asp1/00/00005_last")


def test_the_folders_of_what_is_provisional_only(root):
    asp1 = insert(root, [row(obsid=5)], {})
    (root / "asp1/00/00005_last").symlink_to("00005_v01")
    assert asp1.get_obs_dirs(5) == {
        1: f"{root}/asp1/00/00005_v01",
        "last": f"{root}/asp1/00/00005_last",
        "revisions": [1],
    }
    assert asp1.get_dir(5) is None
    assert asp1.get_files(5) == []


def test_the_folders_without_links(root):
    asp1 = insert(root, [row(obsid=5)], {})
    assert asp1.get_obs_dirs(5) == {1: f"{root}/asp1/00/00005_v01", "revisions": [1]}


def test_versions_above_99_keep_their_digits(root):
    rows = [row(revision=each, number=each) for each in (9, 10, 99, 100, 101)]
    asp1 = insert(root, rows, {6000: 101})
    found = asp1.get_obs_dirs(6000)
    assert found["revisions"] == [9, 10, 99, 100, 101]
    assert found[101].endswith("/06/06000_v101")
    assert found[9].endswith("/06/06000_v09")
    assert relative(asp1.get_files(6000), root) == [rows[-1].place]
    assert relative(asp1.get_files(6000, revision="last"), root) == [rows[-1].place]


def test_folders_that_no_index_knows_are_not_archived(root):
    asp1 = insert(root, [row()], {6000: 1})
    (root / "asp1/06/06000_v02").mkdir()
    (root / "asp1/06/06000_v2").mkdir()
    assert asp1.get_obs_dirs(6000)["revisions"] == [1]


# ---- several roots --------------------------------------------------------------------------------------------------


@pytest.fixture
def two(tmp_path):
    """Two roots: 6000 is in both, in other versions; 1 in the first, 6001 in the second."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    here = [row(obsid=1, tstart=1e8 + 5), row(revision=2, content="ACACENT"), row(revision=3)]
    there = [row(revision=1), row(revision=1, content="GSPROPS", number=1), row(obsid=6001, tstart=1e8 + 1)]
    insert(first, here, {1: 1, 6000: None})
    insert(second, there, {6000: 1, 6001: 1})
    return first, second, here, there


def test_the_first_root_that_has_an_obsid_answers_for_it(two):
    first, second, here, _ = two
    asp1 = open_archive([first, second])["asp1"]
    assert asp1.get_obs_dirs(6000)["revisions"] == [2, 3]
    assert asp1.get_dir(6001) == f"{second}/asp1/06/06001"
    assert asp1.get_dir(1) == f"{first}/asp1/00/00001"
    assert relative(asp1.get_files(6000, revision="all"), first) == [here[1].place, here[2].place]
    assert relative(asp1.get_files(6000, revision="last"), first) == [here[2].place]


def test_what_the_first_root_has_of_an_obsid_is_all_there_is(two):
    """Nothing of 6000 is released in the first root, and it has no version 1: the second one is not asked."""
    first, second, _, _ = two
    asp1 = open_archive([first, second])["asp1"]
    assert asp1.get_dir(6000) is None
    assert asp1.get_files(6000) == []
    assert asp1.get_files(6000, revision=1) == []
    assert asp1.get_files(6000, revision="all", content="GSPROPS") == []


def test_a_range_of_time_over_two_roots(two):
    first, second, here, there = two
    asp1 = open_archive([first, second])["asp1"]
    found = asp1.get_files(start=0.0, stop=9e8)
    assert found == [f"{second}/{there[2].place}", f"{first}/{here[0].place}"]
    found = asp1.get_files(start=0.0, stop=9e8, revision="all")
    assert found == [f"{root}/{each.place}" for root, each in zip(
        (first, first, second, first), (here[1], here[2], there[2], here[0]), strict=True)]  # fmt: skip
    # The other way round, the second is the first.
    asp1 = open_archive([second, first])["asp1"]
    assert relative(asp1.get_files(6000), second) == [there[0].place, there[1].place]


def test_a_root_without_the_product_has_nothing(two, tmp_path):
    first, second, _, _ = two
    (tmp_path / "empty").mkdir()
    asp1 = open_archive([tmp_path / "empty", first, second])["asp1"]
    assert asp1.get_dir(1) == f"{first}/asp1/00/00001"
    assert len(asp1.get_files(start=0.0, stop=9e8)) == 2
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_root_that_is_not_there_is_no_empty_archive(two, tmp_path):
    first, _, _, _ = two
    with pytest.raises(AcaError, match="is no folder; mount it"):
        open_archive([first, tmp_path / "not-mounted"])


def test_an_index_on_a_column_and_the_time_serves_ranges_of_time_and_nothing_else(root):
    insert(root, [row()], {6000: 1})
    with closing(sqlite3.connect(root / "asp1" / "archfiles.db3")) as database, database:
        database.execute("CREATE INDEX by_content ON archfiles (content, tstart)")
    store = open_archive(root)["asp1"].stores[0]

    def plan(**asked):
        query = queries.FileQuery(where={"content": ("ASPSOL",)}, revision="all", **asked)
        with store.index.reading() as connection:
            sql, values = queries._statement(store, query, store.index.columns(), None)
            return connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchone()["detail"]

    assert "(content=? AND tstart>? AND tstart<?)" in plan(start=0.0, stop=1.0)
    assert "(obsid=?)" in plan(obsid=6000), "all that was ever archived of a content is looked through"


# ---- an index that is not what it should be -------------------------------------------------------------------------


def test_an_index_that_is_damaged_says_so(root):
    asp1 = insert(root, [row()], {6000: 1})
    (root / "asp1" / "archfiles.db3").write_bytes(b"not a database, and longer than a header of one is " * 100)
    for ask in (asp1.get_files, asp1.get_obs_dirs):
        with pytest.raises(AcaError, match=r"archfiles\.db3.*cannot be read as the index of asp1"):
            ask(6000)


def test_an_index_that_was_replaced_is_opened_again(root, tmp_path):
    """Somebody puts a backup in its place, while we are running."""
    asp1 = insert(root, [row()], {6000: 1})
    assert len(asp1.get_files(6000)) == 1
    shutil.copy(root / "asp1/archfiles.db3", tmp_path / "backup")
    with closing(sqlite3.connect(tmp_path / "backup")) as database, database:
        database.execute("UPDATE archfiles SET isdefault = NULL")
    (tmp_path / "backup").replace(root / "asp1/archfiles.db3")
    assert asp1.get_files(6000) == []


def test_a_row_of_other_tools_without_a_revision_is_of_no_version(root):
    asp1 = insert(root, [row(), row(number=1)], {6000: 1}, by_others=True)
    with closing(sqlite3.connect(root / "asp1" / "archfiles.db3")) as database, database:
        database.execute("UPDATE archfiles SET revision = NULL WHERE filename LIKE '%001.fits.gz'")
    assert len(asp1.get_files(6000)) == 1
    assert len(asp1.get_files(6000, revision="all")) == 1
    assert asp1.get_obs_dirs(6000)["revisions"] == [1]
