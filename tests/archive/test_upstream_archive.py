"""An archive that older tools wrote is read in place and gone on with; what we write, they can read."""

from __future__ import annotations

import gzip
import importlib.util
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aca_plugins import asp1, obspar

from aca_core import Config, ProductSet, open_archive, using
from aca_core.archive import UpdateOptions
from aca_core.simulation import simulate_delivery

_spec = importlib.util.spec_from_file_location("make_upstream", Path(__file__).parent / "upstream" / "make.py")
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)

# By obsid: the versions that are archived, the released one, and where `_last` leads if that is another.
ASP1 = {
    1: ([4], 4, None),
    36: ([1], None, 1),
    2121: ([2, 3, 4], 3, 4),
    3001: ([1], None, None),
    3002: ([1], 1, None),
    3003: ([1], None, None),
    3004: ([1], None, None),
    3005: ([1], 1, None),
    3006: ([1, 2], 2, None),
    3007: ([1, 2], 1, None),
    3008: ([1], None, None),
    3009: ([1], None, None),
    3010: ([1], None, None),
    6000: ([2, 3], 2, 3),
    6001: ([1], None, 1),
    29878: ([1], 1, None),
}
OBSPAR = {2121: ([2, 3], 3, None), 3006: ([1, 2], 2, None), 6000: ([2], 2, None), 6001: ([1], None, 1)}
EVERYTHING = {"start": 0.0, "stop": 1e9}


def snapshot(folder):
    """Return all that can be told of a tree without asking when it was read."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.lstat()
        if path.is_symlink():
            content = str(path.readlink())
        else:
            content = path.read_bytes() if path.is_file() else sorted(each.name for each in path.iterdir())
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, status.st_size, content)
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The archive, which nobody may write to; whoever did all the same is found out at the end."""
    folder = make.build(tmp_path_factory.mktemp("upstream") / "archive")
    paths = [path for path in (folder, *folder.rglob("*")) if not path.is_symlink()]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = snapshot(folder)
    yield folder
    assert snapshot(folder) == before, "something was written, only by reading"
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def archive(root):
    return open_archive(root)


@pytest.fixture
def copy(tmp_path):
    """The same archive, to write to."""
    return make.build(tmp_path / "archive")


def paths(root, obsid, revisions, contents=None):
    """Return the indexed files of some revisions as `get_files` orders them."""
    names = [
        (make.start_of(obsid), name, f"{root}/asp1/{make.unit(obsid, revision)}/{name}")
        for revision in revisions
        for name, content in make.asp1_names(obsid, revision).items()
        if contents is None or content in contents
    ]
    return [path for _, _, path in sorted(names)]


def of_all(root, which):
    """Return the same for all obsids, by time."""
    return [path for obsid, case in sorted(ASP1.items()) for path in paths(root, obsid, which(case))]


def released(case):
    return [] if case[1] is None else [case[1]]


# ---- the fixture itself ---------------------------------------------------------------------------------------------


def test_what_is_checked_in_is_what_the_script_makes(tmp_path):
    make.make(tmp_path)

    def listed(folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def text(path):
        # A checksum depends on how astropy words the header.
        return re.sub(r"(\d\.5, )'[^']{16}'", r"\1'CHECKSUM'", path.read_text(encoding="utf-8"))

    assert listed(tmp_path / "tree") == listed(make.HERE / "tree")
    for name in ("links.txt", "asp1.sql", "obspar.sql", "processing.sql"):
        assert text(tmp_path / name) == text(make.HERE / name)


def test_every_file_that_can_says_that_it_is_synthetic():
    for path in sorted((make.HERE / "tree").rglob("*")):
        if path.is_file() and path.name not in ("last_id.txt", "asp_l1_bad_obsids.dat"):
            assert b"synthetic" in gzip.decompress(path.read_bytes()), path


# ---- reading in place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "obsid"), [*(("asp1", each) for each in ASP1), *(("obspar", each) for each in OBSPAR)]
)
def test_the_folders_of_an_obsid(archive, root, product, obsid):
    revisions, default, last = {"asp1": ASP1, "obspar": OBSPAR}[product][obsid]
    top = f"{root}/{product}/"
    expected = {revision: top + make.unit(obsid, revision) for revision in revisions}
    link = top + make.unit(obsid, 0)[: -len("_v00")]
    if default is not None:
        expected |= {"default": link, "last": link}
    if last is not None:
        expected["last"] = f"{link}_last"
    assert archive[product].get_obs_dirs(obsid) == {**expected, "revisions": revisions}
    assert archive[product].get_dir(obsid) == (link if default is not None else None)


@pytest.mark.parametrize("obsid", ASP1)
def test_the_files_of_an_obsid(archive, root, obsid):
    revisions, default, _ = ASP1[obsid]
    files = archive["asp1"].get_files
    assert files(obsid) == paths(root, obsid, released(ASP1[obsid]))
    assert files(obsid, revision="last") == paths(root, obsid, [max(revisions)])
    assert files(obsid, revision="all") == paths(root, obsid, revisions)
    for revision in range(6):
        assert files(obsid, revision=revision) == paths(root, obsid, {revision} & set(revisions))
    assert files(obsid, revision="all", content="ASPSOL") == paths(root, obsid, revisions, {"ASPSOL"})
    both = ["FIDPROPS", "ASPSOLOBI"]
    assert files(obsid, content=both) == paths(root, obsid, [default] if default else [], both)
    assert all(Path(path).is_file() for path in files(obsid, revision="all"))


def test_an_obsid_that_is_not_there(archive):
    assert archive["asp1"].get_obs_dirs(7777) is None
    assert archive["asp1"].get_dir(7777) is None
    assert archive["asp1"].get_files(7777, revision="all") == []


def test_the_files_of_a_range_of_time(archive, root):
    files = archive["asp1"].get_files
    assert files(**EVERYTHING) == of_all(root, released)
    assert files(**EVERYTHING, revision="all") == of_all(root, lambda case: case[0])
    assert files(**EVERYTHING, revision="last") == of_all(root, lambda case: [max(case[0])])
    assert files(**EVERYTHING, revision=2) == of_all(root, lambda case: {2} & set(case[0]))


@pytest.mark.parametrize("obsid", [1, 3006, 29878])
def test_a_file_overlaps_a_range_strictly(archive, root, obsid):
    begin, end = make.start_of(obsid) + 0.5, make.start_of(obsid) + 0.5 + make.DURATION
    mine = paths(root, obsid, released(ASP1[obsid]))

    def found(start, stop):
        return archive["asp1"].get_files(start=start, stop=stop)

    assert found(begin + 100, begin + 200) == mine
    assert found(end - 0.25, end + 0.25) == mine
    assert found(begin - 0.25, begin + 0.25) == mine
    assert found(end, end + 500) == []
    assert found(begin - 500, begin) == []


def test_the_rows_of_an_obsid(archive, root):
    (row,) = archive["asp1"].get_rows(29878, content="ASPSOLOBI")
    assert (row["filetime"], row["year"]) == (29878, 1998)  # as it stands in the index; its tstart is right
    assert row["path"] == f"{root}/asp1/29/29878_v01/pcadf29878_000N001_asol1.fits.gz"
    assert set(row) == {*_columns(root / "asp1"), "path"}
    few = archive["asp1"].get_rows(2121, columns=["tstart"], where={"caldbver": ["4.4.7"]})
    assert {frozenset(each) for each in few} == {frozenset({"tstart", "filename", "obsid", "revision", "path"})}
    assert archive["asp1"].get_rows(2121, where={"caldbver": ["4.4.8"]}) == []


def test_the_functions_of_the_plugins(archive, root):
    with using(archive):
        assert asp1.get_dir(2121) == f"{root}/asp1/02/02121"
        assert asp1.get_files(6000, content=["FIDPROPS"]) == paths(root, 6000, [2], {"FIDPROPS"})
        found = obspar.get_obspar(2121)
        assert (found["obs_id"], found["revision"], found["num_ccd_on"]) == ("2121", 3, 1)
        assert obspar.get_obspar(3006)["revision"] == 2
        assert obspar.get_obspar(6001) is None
        assert obspar.get_obspar(6001, "last")["revision"] == 1
        assert obspar.get_obsids(0.0, 1e9) == [2121, 3006, 6000]
        assert obspar.get_obsids(0.0, 1e9, revision="last") == [2121, 3006, 6000, 6001]


def test_looking_makes_nothing(archive, root):
    before = snapshot(root)
    archive["asp1"].set_read_env()
    assert archive["asp1"].items() == []
    assert archive["asp1"].verify(full=True)
    assert snapshot(root) == before


def test_without_an_index_nothing_is_archived(copy):
    (copy / "asp1" / "archfiles.db3").unlink()
    assert open_archive(copy)["asp1"].get_obs_dirs(2121) is None
    assert open_archive(copy)["asp1"].get_files(2121) == []
    assert not (copy / "asp1" / "archfiles.db3").exists()


# ---- going on with it -----------------------------------------------------------------------------------------------


@pytest.fixture
def delivered(tmp_path, monkeypatch):
    """What is delivered next: obsid 7000 is new, and of 6000 the provisional version was released."""
    for name in ("ASP1", "OBSPAR"):
        monkeypatch.setitem(getattr(make, name), 7000, (1,))
    top = tmp_path / "delivered"
    for obsid, revision in ((6000, 2), (6000, 3), (7000, 1), (6001, 1)):
        make.write_asp1(top / "asp1" / make.unit(obsid, revision), obsid, revision)
        make.write_obspar(top / "obspar" / make.unit(obsid, revision), obsid, revision)
    for link in ("06/06000 -> 06000_v03", "07/07000 -> 07000_v01", "06/06001_last -> 06001_v01"):
        name, _, target = link.partition(" -> ")
        for product in ("asp1", "obspar"):
            (top / product / name).symlink_to(target)
    judged = {(2121, 3): "D", (6000, 3): "D", (6001, 1): "P", (7000, 1): "D"}
    for table, last, ids in (("aspect_1", make.LAST_ID["asp1"], make.RUNS), ("obidet_0_5", make.LAST_ID["obspar"], {})):
        lines = [f"{table}_id,obsid,obi,revision,ap_date,quality"]
        for number, ((obsid, revision), quality) in enumerate(judged.items(), start=last - 2):
            lines.append(f"{ids.get((obsid, revision), number)},{obsid},0,{revision},2012-03-04,{quality}")
        (top / f"{table}.csv").write_text("\n".join(lines), encoding="utf-8")
    return top


def opened(root, delivered):
    return open_archive(
        config=Config(
            root=[root],
            sets={"nightly": ProductSet(products=("asp1", "obspar"), retriever="directory", catalogue="file")},
            retrievers={"directory": {"folder": str(delivered)}},
            catalogues={"file": {"path": str(delivered)}},
        )
    )


def test_an_update_goes_on_where_the_older_tools_stopped(copy, delivered):
    archive = opened(copy, delivered)
    report = archive["asp1"].run_update()
    # What the older tools had processed, 2121 among it, is asked for no more: the delivery does not even have it.
    assert (report.obsids, report.failed, report.conflicts) == ([6000, 7000], [], [])
    assert (copy / "asp1" / "last_id.txt").read_text() == f"{make.LAST_ID['asp1'] + 1}\n"
    assert archive["asp1"].get_dir(7000) == f"{copy}/asp1/07/07000"

    # The provisional version of 6000 was released: its files stay as they were, link and rows follow.
    (change,) = (each for each in report.changes if each.unit.obsid == 6000)
    assert (change.added, change.replaced, change.default_before, change.default_after) == ((), (), 2, 3)
    assert archive["asp1"].get_files(6000) == paths(copy, 6000, [3])
    assert str((copy / "asp1" / "06" / "06000").readlink()) == "06000_v03"
    assert not (copy / "asp1" / "06" / "06000_last").is_symlink()

    # Everything else answers as before, and a second update has nothing to do.
    expected = {**ASP1, 6000: ([2, 3], 3, None), 7000: ([1], 1, None)}
    for obsid, case in expected.items():
        found = archive["asp1"].get_obs_dirs(obsid)
        assert (found["revisions"], "default" in found) == (case[0], case[1] is not None)
        assert archive["asp1"].get_files(obsid) == paths(copy, obsid, released(case))
        assert archive["asp1"].get_files(obsid, revision="last") == paths(copy, obsid, [max(case[0])])
    everything = [path for obsid, case in sorted(expected.items()) for path in paths(copy, obsid, released(case))]
    assert archive["asp1"].get_files(**EVERYTHING) == everything
    again = archive["asp1"].run_update()
    assert (again.changes, again.failed) == ([], [])


def test_the_table_of_verifications_is_gone_on_with(copy, delivered):
    opened(copy, delivered)["asp1"].run_update()
    with closing(sqlite3.connect(copy / "asp1" / "processing_asp_l1.db3")) as database:
        sql = "SELECT aspect_1_id, isdefault, obspar_version, vv_complete FROM aspect_1_proc WHERE obsid = ? ORDER BY 1"
        found = {obsid: database.execute(sql, (obsid,)).fetchall() for obsid in (2121, 6000, 7000)}
    runs = make.RUNS
    assert found == {
        2121: [(runs[2121, 2], None, 2, 4), (runs[2121, 3], 1, 3, 4), (runs[2121, 4], None, 4, 4)],
        6000: [(runs[6000, 2], None, 2, 4), (runs[6000, 3], 1, 3, 4)],
        7000: [(make.LAST_ID["asp1"] + 1, 1, 1, 0)],
    }


def test_the_older_tools_still_find_their_way(copy, delivered):
    opened(copy, delivered)["asp1"].run_update()
    assert _columns(copy / "asp1") == list(_declared(make.ASP1_SQL))
    rows = ask(copy, "asp1", "SELECT filename FROM archfiles WHERE obsid = 7000 AND isdefault = 1")
    assert {name for (name,) in rows} == set(make.asp1_names(7000, 1))
    assert ask(copy, "asp1", "SELECT DISTINCT revision, isdefault FROM archfiles WHERE obsid = 6000 ORDER BY 1") == [
        (2, None),
        (3, 1),
    ]
    # What the older tools did wrong is not touched unasked; 'aca verify' tells of it.
    assert ask(copy, "asp1", "SELECT DISTINCT revision FROM archfiles WHERE obsid = 3007 AND isdefault = 1") == [
        (1,),
        (2,),
    ]


def test_the_table_of_parameters_is_filled_as_it_is(copy, delivered):
    """The misspelt type, and an index on tstop that is not there: neither keeps an update from working."""
    report = opened(copy, delivered)["obspar"].run_update()
    assert (report.obsids, report.failed) == ([7000], [])
    assert ask(copy, "obspar", "SELECT uld_enable, content, isdefault FROM archfiles WHERE obsid = 7000") == [
        ("N", "OBSPAR", 1)
    ]
    # That another version of 6000 is released was not asked: it was not provisional here. A recheck does.
    for obsid in (2121, 3006):
        (delivered / "obspar" / make.unit(obsid, 0)[:-4]).parent.mkdir(exist_ok=True)
        shutil.copytree(copy / "obspar" / make.unit(obsid, 2), delivered / "obspar" / make.unit(obsid, 2))
        (delivered / "obspar" / make.unit(obsid, 0)[:-4]).symlink_to(f"{obsid:05d}_v02")
    report = opened(copy, delivered)["obspar"].run_update(UpdateOptions(recheck=True))
    assert (report.obsids, report.failed, report.conflicts) == ([2121, 3006, 6000], [], [])
    with using(opened(copy, delivered)):
        assert obspar.get_obspar(6000)["revision"] == 3


def test_an_obsid_that_is_asked_for_is_put_right(copy, delivered):
    """What the older tools left behind is mended with the first update of that obsid."""
    for revision in (1, 2):
        make.write_asp1(delivered / "asp1" / make.unit(3007, revision), 3007, revision)
    (delivered / "asp1" / "03" / "03007").symlink_to("03007_v02")
    archive = opened(copy, delivered)
    assert archive["asp1"].update(obsid=3007) == [3007]
    assert ask(copy, "asp1", "SELECT DISTINCT revision, isdefault FROM archfiles WHERE obsid = 3007") == [
        (1, None),
        (2, 1),
    ]
    assert archive["asp1"].get_files(3007) == paths(copy, 3007, [2])


def test_a_revision_whose_folder_is_gone_is_fetched_again(copy, delivered):
    for revision in (1, 2):
        make.write_asp1(delivered / "asp1" / make.unit(3009, revision), 3009, revision)
    (delivered / "asp1" / "03" / "03009").symlink_to("03009_v02")
    archive = opened(copy, delivered)
    archive["asp1"].update(obsid=3009)
    assert archive["asp1"].get_files(3009) == paths(copy, 3009, [2])
    assert all(Path(path).is_file() for path in archive["asp1"].get_files(3009))


def test_a_fetch_that_failed_is_done_again(copy, delivered):
    """An empty folder of a version was "done" for ever with the older tools."""
    make.write_asp1(delivered / "asp1" / make.unit(3005, 1), 3005, 1)
    make.write_asp1(delivered / "asp1" / make.unit(3005, 2), 3005, 2)
    (delivered / "asp1" / "03" / "03005").symlink_to("03005_v02")
    archive = opened(copy, delivered)
    archive["asp1"].update(obsid=3005)
    assert archive["asp1"].get_obs_dirs(3005)["revisions"] == [1, 2]
    assert archive["asp1"].get_files(3005) == paths(copy, 3005, [2])
    assert all(Path(path).is_file() for path in archive["asp1"].get_files(3005))


# ---- an archive of ours, read by older tools ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    top = tmp_path_factory.mktemp("ours")
    delivery = simulate_delivery(top / "delivered", seed=5, duration=200.0, obsids=[8009, 8010, 8011])
    (top / "archive").mkdir()
    archive = open_archive(
        config=Config(
            root=[top / "archive"],
            sets={"nightly": ProductSet(products=("asp1", "obspar"), retriever="directory", catalogue="file")},
            retrievers={"directory": {"folder": str(delivery.folder)}},
            catalogues={"file": {"path": str(delivery.catalogue)}},
        )
    )
    for product in ("asp1", "obspar"):
        archive[product].update()
    return archive


def ask(root, product, sql, *values):
    with closing(sqlite3.connect(root / product / "archfiles.db3")) as connection:
        return connection.execute(sql, values).fetchall()


def _columns(folder):
    return [row[1] for row in ask(folder.parent, folder.name, "PRAGMA table_info(archfiles)")]


def _declared(sql):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(sql)
        return {row[1]: row[2:] for row in connection.execute("PRAGMA table_info(archfiles)")}


@pytest.mark.parametrize(("product", "sql"), [("asp1", make.ASP1_SQL), ("obspar", make.OBSPAR_SQL)])
def test_our_table_is_theirs(ours, product, sql):
    root = ours.roots[0]
    found = {row[1]: row[2:] for row in ask(root, product, "PRAGMA table_info(archfiles)")}
    expected = _declared(sql.replace("tetxt", "text"))
    assert list(found) == list(expected)
    assert found == expected
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(sql)
        theirs = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    mine = {
        row[0]
        for row in ask(root, product, "SELECT name FROM sqlite_master WHERE tbl_name = 'archfiles' AND type = 'index'")
    }
    assert theirs <= mine
    assert mine - theirs == (set() if product == "asp1" else {"idx_archfiles_tstop"})
    ((statement,),) = ask(root, product, "SELECT sql FROM sqlite_master WHERE name = 'archfiles'")
    assert re.search(r"constraint pk_archfiles primary key \(filename\)", statement, re.IGNORECASE)


def test_their_questions_by_obsid(ours):
    root = ours.roots[0]
    released = ask(root, "asp1", "SELECT * FROM archfiles WHERE obsid = 8010 AND content IN ('ASPSOL','ACACENT') "
                   "AND isdefault = 1 ORDER BY tstart")  # fmt: skip
    columns = _columns(root / "asp1")
    names = [dict(zip(columns, row, strict=True)) for row in released]
    found = [f"{root}/asp1/08/{row['obsid']:05d}_v{row['revision']:02d}/{row['filename']}" for row in names]
    assert sorted(found) == sorted(ours["asp1"].get_files(8010, content=["ASPSOL", "ACACENT"]))
    assert len(found) == 2
    assert ask(root, "asp1", "SELECT max(revision) FROM archfiles WHERE obsid = 8010") == [(2,)]
    assert ask(root, "asp1", "SELECT count(*) FROM archfiles WHERE isdefault = 0") == [(0,)]  # NULL, and never 0
    assert ask(root, "asp1", "SELECT * FROM archfiles WHERE obsid = 8011 AND isdefault = 1") == []


def test_their_questions_by_time(ours):
    root = ours.roots[0]
    rows = ours["asp1"].get_rows(8009, content="ASPSOL")
    start, stop = rows[0]["tstart"] + 10, rows[0]["tstop"] - 10
    sql = (
        f"SELECT filename FROM archfiles WHERE tstart >= {start} - 10*86400 AND tstart < {stop} AND tstop > {start} "
        "AND content IN ('ASPSOL', 'ACACAL') AND isdefault = 1 ORDER BY tstart"
    )
    found = [row[0] for row in ask(root, "asp1", sql)]
    expected = ours["asp1"].get_files(start=start, stop=stop, content=["ASPSOL", "ACACAL"])
    assert sorted(found) == sorted(Path(path).name for path in expected)
    assert len(found) == 2
    assert ask(
        root, "obspar", "SELECT obsid FROM archfiles WHERE tstart < ? AND tstop > ? AND isdefault = 1", stop, start
    ) == [(8009,)]


def test_our_tables_are_told_apart_by_their_names(ours):
    for product in ("asp1", "obspar"):
        names = [row[0] for row in ask(ours.roots[0], product, "SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {name for name in names if not name.startswith(("aca_", "sqlite_"))} == {"archfiles"}


def test_the_tree_can_be_moved(ours, tmp_path):
    """Links are relative, and the index holds no path."""
    moved = shutil.copytree(ours.roots[0], tmp_path / "elsewhere", symlinks=True)
    again = open_archive(moved)
    assert again["asp1"].get_dir(8009) == f"{moved}/asp1/08/08009"
    assert Path(again["asp1"].get_dir(8009)).resolve() == moved / "asp1" / "08" / "08009_v02"
    assert again["asp1"].get_files(8009) == [
        path.replace(str(ours.roots[0]), str(moved)) for path in ours["asp1"].get_files(8009)
    ]
