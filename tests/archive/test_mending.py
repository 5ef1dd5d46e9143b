"""What was once wrong with the archive engine: commits that fail, locks, events, and the mending of an archive."""

import errno
import fcntl
import gc
import os
import shutil
import signal
import sqlite3
import threading
import warnings
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from aca_core import (
    AcaError,
    ArchiveProduct,
    FitsColumns,
    IntegrityError,
    LockedError,
    ObsidRevision,
    PluginError,
    UpdateOptions,
    Version,
)
from aca_core.archive import commit as commits
from aca_core.archive import index as indexes
from aca_core.archive import link_checks
from aca_core.archive import repair as repairing
from aca_core.archive import verify as verifying
from aca_core.archive._disk import remove_tree
from aca_core.archive.commit import Plan, open_plans, recover
from aca_core.archive.events import deliver, undelivered
from aca_core.archive.items import items, stored
from aca_core.archive.repair import repair
from aca_core.archive.store import Store
from aca_core.testing import DeliveryShelf, write_fits
from aca_core.testing.shelf import ShelfRetriever


class Columns(FitsColumns):
    """Says what a test wants it to say of one observation."""

    said: ClassVar = {}

    def read(self, path):
        return {**super().read(path), **self.said.get(path.name[4:9], {})}


SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=Columns("tstart", "tstop", "content", "revision", "date"),
    recheck=True,
)


def files(salt=0, count=2):
    """Return what writes the files of a version; another salt gives other bytes."""

    def write(folder, unit):
        for number in range(count):
            start = 500_000_000 + 10_000 * unit.obsid + number
            header = {"TSTART": float(start), "TSTOP": start + 1000.0, "CONTENT": "SIMCOOR", "REVISION": unit.revision}
            name = f"simf{unit.obsid:05d}{number}N{unit.revision:03d}_coor1.fits.gz"
            write_fits(folder / name, {**header, "DATE": "2013-01-01", "SALT": salt})

    return write


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "shelf").mkdir()
    return DeliveryShelf(SIM, tmp_path / "shelf")


@pytest.fixture
def put(shelf):
    """Return a function that delivers a version of some observations, and releases it."""

    def put(*obsids, version=1, write=None, released=True):
        for obsid in obsids:
            shelf.deliver(ObsidRevision(obsid, version), write or files())
            if released:
                shelf.release(obsid, version)

    return put


@pytest.fixture
def archive(shelf, tmp_path):
    (tmp_path / "archive").mkdir()
    return shelf.archive(tmp_path / "archive")


@pytest.fixture
def store(archive):
    return archive.stores[0]


@pytest.fixture
def sql(store):
    """Return a function that does something to the index behind our back."""

    def run(statement, *values):
        with closing(sqlite3.connect(store.index.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return run


@pytest.fixture
def by_others(store, sql):
    """Return a function that makes the archive one that other tools have written."""

    def forget():
        for (name,) in sql("SELECT name FROM sqlite_master WHERE name LIKE 'aca_%' AND type = 'table'"):
            sql(f"DROP TABLE {name}")

    return forget


def failing(monkeypatch, name, number, error, module=commits):
    """Let a function of a module fail once, at its n-th call."""
    real, calls = getattr(module, name), []

    def call(*args):
        calls.append(args)
        if len(calls) == number:
            raise error
        return real(*args)

    monkeypatch.setattr(module, name, call)


def marked(archive, obsid):
    """Return by version how its files are marked."""
    found = {}
    for row in archive.get_rows(obsid, revision="all"):
        found.setdefault(row["revision"], []).append(row["isdefault"])
    return found


def leads(store):
    """Return where the links of a chunk lead."""
    return {path.name: str(path.readlink()) for path in (store.folder / "07").iterdir() if path.is_symlink()}


def kinds(found):
    return sorted((each.kind, each.place) for each in found)


# ---- commits that fail ----------------------------------------------------------------------------------------------


def test_a_replacement_that_the_disk_ends_half_way_is_completed_by_the_next_update(archive, store, put, monkeypatch):
    put(7000)
    archive.update()
    put(7000, write=files(salt=1))
    failing(monkeypatch, "move", 2, OSError(errno.EIO, "no"))
    with pytest.raises(OSError, match="no"):
        archive.run_update(UpdateOptions(obsid=7000, replace=True))
    assert len(open_plans(store)) == 1
    assert archive.run_update(UpdateOptions(obsid=7000)).conflicts == []
    assert marked(archive, 7000) == {1: [1, 1]}
    assert archive.verify(full=True) == []
    assert not store.staging.exists()


def test_a_replacement_that_is_taken_back_stays_part_of_the_release(archive, store, put, monkeypatch):
    put(7000)
    archive.update()
    put(7000, write=files(salt=1))
    failing(monkeypatch, "move", 2, OSError(errno.EIO, "no"))
    with pytest.raises(OSError, match="no"):
        archive.run_update(UpdateOptions(obsid=7000, replace=True))
    shutil.rmtree(store.staging)
    assert "was taken back" in recover_by_hand(store)[0]
    assert marked(archive, 7000) == {1: [1, 1]}
    assert len(archive.get_files(7000)) == 2
    assert archive.verify(full=True) == []


def recover_by_hand(store):
    with store.locked(0):
        return recover(store)


def test_a_file_that_is_no_part_of_the_release_of_its_version_is_found_and_mended(archive, store, put, sql):
    put(7000)
    archive.update()
    sql("UPDATE archfiles SET isdefault = NULL WHERE filename LIKE '%0N001%'")
    (found,) = archive.verify()
    assert (found.kind, found.place) == ("default", "07/07000")
    repair(store)
    assert len(archive.get_files(7000)) == 2
    assert archive.verify() == []


def test_what_cannot_be_placed_is_taken_back_and_blocks_nothing(archive, store, put, monkeypatch):
    put(7000, 7001)
    failing(monkeypatch, "move", 1, OSError(errno.EACCES, "not allowed"))
    report = archive.run_update()
    assert (report.obsids, [item.name for item in report.failed]) == ([7001], ["07000/1"])
    assert len(open_plans(store)) == 1
    monkeypatch.setattr(commits, "_can_be_placed", lambda *args: (_ for _ in ()).throw(PermissionError(13, "still")))
    put(7002)
    report = archive.run_update()
    assert "was taken back (" in report.notes[0]
    assert "still" in report.notes[0]
    assert report.obsids == [7002]
    assert open_plans(store) == []
    assert stored(store, "07000/1").state == "failed"
    assert archive.verify(full=True) == []
    monkeypatch.undo()
    archive.run_update(UpdateOptions(retry_failed=True))
    assert len(archive.get_files(7000)) == 2
    assert archive.verify(full=True) == []


def test_what_the_index_does_not_take_is_taken_back_at_once(archive, store, put, monkeypatch):
    put(7000, 7001)
    failing(monkeypatch, "_lengthen", 1, IntegrityError("archfiles.db3", "takes no such row"))
    report = archive.run_update()
    assert "takes no such row" in report.failed[0].reason
    assert report.obsids == [7001]
    assert open_plans(store) == []
    assert not (store.folder / "07/07000_v01").exists()
    assert archive.verify(full=True) == []
    archive.run_update(UpdateOptions(retry_failed=True))
    assert len(archive.get_files(7000)) == 2


def test_a_replacement_that_the_index_does_not_take_blocks_nothing(archive, store, put, monkeypatch):
    put(7000, 7001)
    archive.update()
    put(7000, write=files(salt=1))
    error = IntegrityError("archfiles.db3", "takes no such row")
    monkeypatch.setattr(commits, "_list_files", lambda *args: (_ for _ in ()).throw(error))
    with pytest.raises(IntegrityError, match="no such row"):
        archive.run_update(UpdateOptions(obsid=7000, replace=True))
    monkeypatch.undo()
    assert open_plans(store) == []
    assert {each.kind for each in archive.verify(full=True)} == {"damaged"}
    repair(store, full=True)
    archive.update()
    assert archive.verify(full=True) == []
    assert len(archive.get_files(7000)) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, "\udcff"])
def test_a_value_that_no_index_can_keep_is_refused_and_blocks_nothing(archive, store, put, monkeypatch, value):
    column = "content" if isinstance(value, str) else "tstart"
    monkeypatch.setattr(Columns, "said", {"07000": {column: value}})
    put(7000, 7001)
    report = archive.run_update()
    assert report.obsids == [7001]
    assert {item.obsid for item in report.failed} == {7000}
    assert "simf070000N001_coor1.fits.gz" in report.failed[0].reason
    assert archive.get_files(7000) == []
    assert archive.get_dir(7001)
    assert archive.verify(full=True) == []
    plan = Plan(unit="07/07000_v01", files=({"name": "a.fits", "row": {column: value}},))
    with pytest.raises(IntegrityError, match=rf"a\.fits: its {column} is "):
        commits.commit(store, plan)


def test_what_is_asked_of_the_journal_is_not_read_out_of_its_plans(archive, store, put, sql):
    """An SQLite without JSON, or a plan that is none to it, is no reason to know nothing."""
    put(7000)
    archive.update()
    sql("INSERT INTO aca_intents (phase, begun, unit, replaces, plan) VALUES ('place', 0, '07/07000_v01', 1, '{NaN')")
    assert archive.get_files(7000) == []
    assert [item.state for item in items(store)] == ["committed"]


def test_what_follows_a_commit_may_fail_and_is_done_later(archive, store, put, monkeypatch, caplog):
    put(7000, 7001)
    failing(monkeypatch, "lead", 1, IntegrityError("07/07000", "is in the way"))
    report = archive.run_update()
    assert (report.obsids, report.failed) == ([7000, 7001], [])
    assert "07/07000_v01 is archived, but not all that follows is done" in caplog.text
    assert len(archive.get_files(7000)) == 2
    assert kinds(archive.verify()) == [("unfinished", "07/07000_v01")]
    archive.update()
    assert leads(store) == {"07000": "07000_v01", "07001": "07001_v01"}
    assert archive.verify() == []


def test_links_that_follow_late_lead_where_the_index_has_them_now(archive, store, put, monkeypatch):
    put(7000)
    archive.update()
    old = Plan(unit="07/07000_v01", links=commits.Links(obsid=7000, released=None, newest=1))
    with store.index.writing() as database:
        entry = {"phase": "finish", "begun": 0.0, "unit": old.unit, "replaces": 0, "plan": old.to_json()}
        database.table("aca_intents").insert(entry)
    recover_by_hand(store)
    assert leads(store) == {"07000": "07000_v01"}
    assert archive.verify() == []


# ---- cleaning up ----------------------------------------------------------------------------------------------------


def test_what_cannot_be_removed_from_staging_is_left_and_blocks_nothing(archive, store, put, monkeypatch):
    put(7000)
    real = Path.rmdir

    def rmdir(self):
        if self.parent.name == ".staging":
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(self))
        real(self)

    monkeypatch.setattr(Path, "rmdir", rmdir)
    for _ in range(2):
        assert archive.run_update().failed == []
    assert len(archive.get_files(7000)) == 2
    assert open_plans(store) == []


@attrs.frozen(kw_only=True)
class Deep(ShelfRetriever):
    """Leaves folders within folders that nobody may enter."""

    def fetch(self, request, folder):
        here = Path.cwd()
        os.chdir(folder)
        for _ in range(1500):
            Path("0").mkdir()
            os.chdir("0")
        Path("file").touch()
        Path().chmod(0)
        os.chdir(here)
        raise ValueError("oops")


def test_a_delivery_of_very_deep_folders_is_thrown_away(archive, shelf, store, put):
    put(7000)
    deep = type(archive)(archive.stores, feed=attrs.evolve(archive.feed, retriever=Deep(name="d", folder=shelf.folder)))
    assert {item.obsid for item in deep.run_update().failed} == {7000}
    assert not store.staging.exists()


def test_a_tree_is_removed_whatever_its_modes(tmp_path):
    tree, other = tmp_path / "tree", tmp_path / "other"
    (tree / "0" / "1" / "0").mkdir(parents=True)
    other.mkdir()
    (other / "kept").touch()
    (tree / "1").symlink_to(other)
    (tree / "0" / "1" / "0" / "file").touch()
    (tree / "0" / "1").chmod(0)
    (tree / "0").chmod(0o500)
    if os.getuid() == 0:  # to whom modes mean nothing
        for path in (tmp_path, tree, *tree.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
    pid = os.fork()
    if not pid:
        os.chdir(tmp_path)
        os.setuid(65534) if os.getuid() == 0 else None
        remove_tree(Path("tree"))
        os._exit(0)
    os.waitpid(pid, 0)
    assert not tree.exists()
    assert (other / "kept").exists()
    remove_tree(tree)


# ---- the index ------------------------------------------------------------------------------------------------------


def test_an_index_that_is_read_for_long_holds_a_commit_up_and_nothing_against_it(
    archive, store, put, monkeypatch, tmp_path
):
    put(7000, 7001)
    monkeypatch.setattr(indexes, "BUSY_SECONDS", 0.2)
    real, reads = commits._place, []

    def place(*args):
        reads.append(sqlite3.connect(store.index.path, isolation_level=None))
        reads[0].execute("BEGIN")
        reads[0].execute("SELECT * FROM archfiles").fetchall()
        return real(*args)

    monkeypatch.setattr(commits, "_place", place)
    with pytest.raises(LockedError, match=r"archfiles\.db3: is being written to by .* wait"):
        archive.run_update()
    reads[0].close()
    monkeypatch.undo()
    assert {item.state for item in items(store)} <= {"wanted", "staged"}
    assert archive.run_update().failed == []
    assert len(archive.get_files(7000)) == len(archive.get_files(7001)) == 2
    assert archive.verify(full=True) == []


def test_a_newer_index_is_read_and_not_written(archive, store, put, sql):
    put(7000)
    archive.update()
    sql("UPDATE aca_state SET value = '99' WHERE key = 'schema'")
    put(7001)
    with pytest.raises(IntegrityError, match=r"has tables of version 99, .* take a newer aca_core"):
        archive.update()
    assert sql("SELECT value FROM aca_state WHERE key = 'schema'") == [("99",)]
    assert len(archive.get_files(7000)) == 2
    assert archive.verify() == []


def test_a_bound_of_no_files_is_none(archive, store, put, sql):
    put(7000)
    archive.update()
    for bound in ("1.0", "None"):
        sql("UPDATE aca_state SET value = ? WHERE key = 'longest'", bound)
        assert kinds(archive.verify()) == [("bound", "archfiles.db3")]
        repair(store)
        assert archive.verify() == []
    shutil.rmtree(store.folder / "07")
    sql("DELETE FROM archfiles")
    sql("DELETE FROM aca_files")
    sql("UPDATE aca_state SET value = 'None' WHERE key = 'longest'")
    repairing._rebound(store, [])
    assert store.index.state("longest") is None
    put(7001)
    archive.update()
    assert len(archive.get_files(start=4e8, stop=7e8)) == 2


def test_a_child_leaves_the_connection_that_it_inherits_in_silence(archive, put):
    put(7000)
    archive.update()
    assert len(archive.get_files(7000)) == 2
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            files = archive.get_files(7000)
            gc.collect()
        os.write(writer, f"{len(files)} {[str(each.message) for each in found]}".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 1000) == b"2 []"
    os.close(reader)
    os.close(writer)
    assert len(archive.get_files(7000)) == 2


# ---- locks ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def soft(store):
    store.folder.mkdir(parents=True, exist_ok=True)
    return Store(store.product, store.folder, store.root, "soft")


def test_a_soft_lock_is_never_broken(soft):
    pid = os.fork()
    if not pid:
        with soft.locked(0):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert soft.is_locked()
    wanted = rf"process {pid} on .* \(if that is gone, remove \.lock-soft there\)"
    with pytest.raises(LockedError, match=wanted), soft.locked(0.1):
        pass
    (soft.folder / ".lock-soft").unlink()
    with soft.locked(0):
        assert soft.is_locked()
        with pytest.raises(LockedError), soft.locked(0):
            pass
        assert soft.is_locked()
    assert not soft.is_locked()


def test_a_soft_lock_that_a_person_gave_to_somebody_else_stays_theirs(soft):
    path = soft.folder / ".lock-soft"
    with soft.locked(0):
        path.unlink()
        path.write_text("somebody else's")
    assert soft.is_locked()


def test_a_soft_lock_that_cannot_be_signed_is_not_held(soft, monkeypatch):
    def write(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"), soft.locked(0):
        pass
    assert not soft.is_locked()


def test_a_child_that_ends_does_not_give_the_soft_lock_of_its_parent_back(soft):
    lock = soft.lock.file_lock()
    lock.acquire(0)
    pid = os.fork()
    if not pid:
        lock.release()
        os._exit(0)
    os.waitpid(pid, 0)
    assert soft.is_locked()
    lock.release()
    assert not soft.is_locked()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_mount_without_locks_is_named(store, monkeypatch, code):
    def flock(*args):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(AcaError, match=r'has no locks .* set lock = "soft"'), store.locked(0.1):
        pass


# ---- events ---------------------------------------------------------------------------------------------------------


class Subscribed:
    """A registry with one subscriber, whose first delivery of a change waits."""

    def __init__(self, waits_at):
        self.told, self.waits_at = [], waits_at
        self.waits, self.goes_on = threading.Event(), threading.Event()

    def subscribers(self):
        return ("x:y",)

    def deliver(self, change, subscriber):
        if change.serial == self.waits_at and not self.waits.is_set():
            self.waits.set()
            assert self.goes_on.wait(10)
            self.told.append(change.serial)
            raise PluginError("x:y", "had enough")
        self.told.append(change.serial)


def test_two_who_deliver_tell_nothing_that_was_told(archive, store, put):
    put(*range(7000, 7005))
    archive.update()
    with store.index.writing() as database:
        reader = {"subscriber": "x:y", "seen": 0, "reason": "", "failed": None, "attempts": 0}
        database.table("aca_readers").insert(reader)
    registry = Subscribed(waits_at=2)
    slow = threading.Thread(target=deliver, args=(store, registry))
    slow.start()
    assert registry.waits.wait(10)
    deliver(store, registry)
    registry.goes_on.set()
    slow.join()
    assert registry.told == [1, 2, 3, 4, 5, 2]
    assert undelivered(store) == []
    assert [row["reason"] for row in store.index.select("SELECT reason FROM aca_readers")] == [""]


# ---- verify ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("part", ["_listed", "_unit_folders", "_linked_obsids", "_own_values", "_unfinished"])
def test_what_is_committed_meanwhile_is_no_finding(archive, store, put, monkeypatch, part, full):
    put(7000)
    archive.update()
    put(7000, version=2)
    put(7001)
    module = link_checks if part == "_linked_obsids" else verifying
    real, runs = getattr(module, part), []

    def run(*args):
        found = real(*args)
        found = list(found) if part in ("_own_values", "_unfinished") else found
        if not runs:
            runs.append(archive.run_update())
        return found

    monkeypatch.setattr(module, part, run)
    assert archive.verify(full=full) == []
    assert runs[0].obsids == [7000, 7001]


def test_what_is_wrong_is_found_although_something_is_committed_meanwhile(archive, store, put, monkeypatch):
    put(7000, 7002)
    archive.update()
    put(7001)
    missing, damaged = Path(archive.get_files(7000)[0]), Path(archive.get_files(7002)[0])
    missing.unlink()
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    real, runs = verifying._listed, []

    def listed(store):
        found = real(store)
        if not runs:
            runs.append(archive.run_update(UpdateOptions(obsid=7001)))
        return found

    monkeypatch.setattr(verifying, "_listed", listed)
    assert [kind for kind, _ in kinds(archive.verify(full=True))] == ["damaged", "missing"]


@pytest.mark.parametrize("what", ["file", "folder", "chunk"])
def test_what_cannot_be_read_is_a_finding(archive, store, put, monkeypatch, what):
    put(7000, 7101)
    archive.update()
    path = Path(archive.get_files(7000)[0])
    place = {"file": path, "folder": path.parent, "chunk": path.parent.parent}[what]
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    for name, module in (("scandir", os), ("check_file", verifying)):
        real = getattr(module, name)

        def run(path=".", real=real):
            if Path(path) == place or (what == "chunk" and place in Path(path).parents):
                raise refused
            return real(path)

        monkeypatch.setattr(module, name, run)
    found = archive.verify(full=True)
    assert ("unreadable", str(place.relative_to(store.folder))) in kinds(found)
    assert {(each.kind, each.remedy) for each in found} == {("unreadable", "")}
    repair(store, full=True)
    monkeypatch.undo()
    assert archive.verify(full=True) == []


def test_rows_that_cannot_be_are_findings_and_keep_nothing_from_being_mended(archive, store, put, sql):
    put(7000)
    archive.update()
    insert = """
        INSERT INTO archfiles (filename, filetime, year, doy, tstart, tstop, date, obsid, revision, isdefault)
        VALUES (?, 1, 2013, 1, 1, 2, 'd', ?, ?, 1)
    """
    odd = [("a", 7001, None), ("b", 170_005, 1), ("c", 7002, 1000), ("d", 7003, "x"), ("../e", 7004, 1)]
    for values in odd:
        sql(insert, *values)
    (store.folder / "last_id.txt").write_text("1\n")
    with store.index.writing() as database:
        database.table("aca_state").upsert({"key": "last_id", "value": "2"}, pk="key")
    for full in (False, True):
        found = archive.verify(full=full)
        assert {each.place for each in found if each.kind == "row"} >= {"a", "b", "c", "d", "../e"}
        assert "last-id" in {each.kind for each in found}
    repair(store)
    assert (store.folder / "last_id.txt").read_text() == "2\n"
    assert len(archive.get_files(7000)) == 2


def test_a_file_that_the_index_lists_as_nobodys_is_refused_and_blocks_nothing(archive, put, sql):
    put(7000)
    archive.update()
    put(7001, 7002)
    sql("""
        INSERT INTO archfiles (filename, filetime, year, doy, tstart, tstop, date, obsid, revision)
        VALUES ('simf070010N001_coor1.fits.gz', 1, 2013, 1, 1, 2, 'd', 7001, NULL)
    """)
    report = archive.run_update()
    assert report.obsids == [7002]
    assert "is indexed as part of obsid 7001, revision None, which cannot be, already" in report.failed[0].reason


# ---- repair ---------------------------------------------------------------------------------------------------------


def test_what_is_missing_stays_in_the_index_until_it_is_fetched_again(archive, store, put):
    put(7000)
    archive.update()
    path = Path(archive.get_files(7000)[0])
    path.unlink()
    repaired = repair(store)
    assert kinds(repaired) == kinds(repaired.mended) == [("missing", f"07/07000_v01/{path.name}")]
    assert len(archive.get_files(7000)) == 2
    assert [each.remedy for each in archive.verify()] == ["the next update fetches it again"]
    archive.update()
    assert archive.verify(full=True) == []


@pytest.mark.parametrize("is_chunk", [True, False])
def test_a_mount_that_is_absent_is_not_taken_for_files_that_are_lost(archive, store, put, tmp_path, is_chunk):
    put(7000, 8000, 8001, write=files(count=12))
    archive.update()
    away = tmp_path / "away"
    if is_chunk:
        (store.folder / "08").rename(away)
    else:
        (store.folder / "08/08000_v01").rename(away)
    found = archive.verify()
    assert "missing" in {each.kind for each in found}
    assert all("is a mount absent?" in each.problem and not each.remedy for each in found if each.kind == "missing")
    repaired = repair(store)
    assert [each for each in repaired.mended if each.kind == "missing"] == []
    assert items(store, "wanted") == []
    if is_chunk:
        shutil.rmtree(store.folder / "08", ignore_errors=True)
        away.rename(store.folder / "08")
    else:
        away.rename(store.folder / "08/08000_v01")
    assert archive.verify(full=True) == []
    assert len(archive.get_files(8000)) == 12


def test_one_thing_that_cannot_be_mended_keeps_nothing_else_from_it(archive, store, put, monkeypatch):
    put(7000, 7001, 7002)
    archive.update()
    for obsid in (7000, 7001, 7002):
        (store.folder / f"07/{obsid:05d}").unlink()
    (store.folder / "07/07000").mkdir()
    failing(monkeypatch, "commit", 1, IntegrityError("07/07001", "cannot be had"), module=repairing)
    found = archive.verify()
    assert ("link", "07/07000", "") in {(each.kind, each.place, each.remedy) for each in found}
    repaired = repair(store)
    assert [problem for problem in repaired.problems if "cannot be had" in problem]
    assert kinds(repaired.mended) == [("default", "07/07002")]
    assert leads(store)["07002"] == "07002_v01"
    assert (store.folder / "07/07000").is_dir()
    repair(store)
    assert kinds(archive.verify()) == [("link", "07/07000")]
    (store.folder / "07/07000").rmdir()
    repair(store)
    assert archive.verify() == []
    assert len(archive.get_files(7000)) == 2


class TestOthers:
    """Observations that other tools have archived."""

    @pytest.fixture(autouse=True)
    def theirs(self, archive, store, put, by_others):
        put(7000, 7001)
        put(7001, version=2, released=False)
        archive.update()
        by_others()
        for link in ("07/07000", "07/07001", "07/07001_last"):
            (store.folder / link).unlink(missing_ok=True)

    def link(self, store, link, target):
        (store.folder / "07" / link).symlink_to(target)

    def ours(self, store):
        return {row["obsid"] for row in store.index.select_ours("SELECT obsid FROM aca_obsids")}

    def test_a_link_that_is_gone_is_made_as_the_index_says(self, archive, store):
        assert kinds(archive.verify()) == [("default", "07/07000"), ("default", "07/07001")]
        assert repair(store).problems == []
        assert archive.verify() == []
        assert leads(store)["07001"] == "07001_v01"
        assert marked(archive, 7001) == {1: [1, 1], 2: [None, None]}
        assert len(archive.get_files(7000)) == 2

    def test_a_link_that_is_gone_of_several_defaults_is_left_alone(self, archive, store, sql):
        sql("UPDATE archfiles SET isdefault = 1 WHERE obsid = 7001")
        found = {each.place: each.remedy for each in archive.verify()}
        assert not found["07/07001"]
        assert found["07/07000"]
        repair(store)
        assert self.ours(store) == {7000}
        assert sql("SELECT count(*) FROM archfiles WHERE obsid = 7001 AND isdefault = 1") == [(4,)]

    def test_links_of_an_archive_that_was_moved_are_led_to_what_is_here(self, archive, store):
        self.link(store, "07000", "/somewhere/07/07000_v01")
        self.link(store, "07001", "../07/07001_v01")
        self.link(store, "07001_last", "/somewhere/07/07001_v02/")
        repair(store)
        assert leads(store) == {"07000": "07000_v01", "07001": "07001_v01", "07001_last": "07001_v02"}
        assert archive.verify() == []
        assert archive.get_dir(7000)

    @pytest.mark.parametrize("target", ["/data/else", "07001_v01", "/somewhere/07000_v07", "07000_v07"])
    def test_a_link_that_leads_to_nothing_here_is_left_alone(self, archive, store, sql, target):
        self.link(store, "07000", target)
        found = [each for each in archive.verify() if each.place == "07/07000"]
        assert {each.remedy for each in found} == {""}
        repair(store)
        assert leads(store)["07000"] == target
        assert self.ours(store) == {7001}
        assert sql("SELECT count(*) FROM archfiles WHERE obsid = 7000 AND isdefault = 1") == [(2,)]

    def test_the_index_follows_a_link_that_is_right(self, archive, store):
        self.link(store, "07000", "07000_v01")
        self.link(store, "07001", "07001_v02")
        repair(store)
        assert archive.verify() == []
        assert marked(archive, 7001) == {1: [None, None], 2: [1, 1]}
