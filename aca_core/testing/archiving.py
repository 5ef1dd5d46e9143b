"""The contract of a product in an archive: a delivery is taken in whole, found again, and survives what happens."""

from __future__ import annotations

import gzip
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from aca_core.archive import DayArchive, ObsArchive, ProductArchive, UpdateOptions, UpdateReport
from aca_core.layouts import ByDay, ByObsid, Day, ObsidRevision, Unit
from aca_core.products import ArchiveProduct
from aca_core.testing.columns_agree import KILLED_FOLLOWING, assert_store_and_files_agree, with_column_store
from aca_core.testing.shelf import DeliveryShelf

__all__ = ["ArchivingContract"]

_OURS: Final = (".lock", ".lock-holder.json", ".lock-failing.json")
"""Of a writer, not of the archive."""


class ArchivingContract:
    """The contract of an archive product once it delivers. Give the fixtures ``product`` and ``write_files``.

    Each test works in an archive of its own. The product's own work in a catalogue is not asked: the kit has one.
    """

    @pytest.fixture
    def product(self) -> ArchiveProduct:
        """The product under test."""
        raise NotImplementedError("override the fixture 'product'")

    @pytest.fixture
    def write_files(self) -> Callable[[Path, Any], object]:
        """A function that writes the files of one delivery into a folder.

        It is called with the folder and an `ObsidRevision`, or a `Day`, and writes the files that a delivery of it has.
        """
        raise NotImplementedError("override the fixture 'write_files'")

    @pytest.fixture
    def units(self, product: ArchiveProduct) -> tuple[Any, Any]:
        """Two units, of which the second is a newer version, or a later day."""
        if isinstance(product.layout, ByObsid):
            return ObsidRevision(7000, 1), ObsidRevision(7000, 2)
        return Day(2019, 272), Day(2019, 273)

    @pytest.fixture
    def shelf(self, product: ArchiveProduct, tmp_path: Path) -> DeliveryShelf:
        """An empty shelf of deliveries."""
        folder = tmp_path / "shelf"
        folder.mkdir()
        return DeliveryShelf(product, folder)

    @pytest.fixture
    def archive(self, shelf: DeliveryShelf, tmp_path: Path) -> ProductArchive:
        """An empty archive that the shelf feeds."""
        root = tmp_path / "archive"
        root.mkdir()
        return shelf.archive(root)

    def test_a_delivery_is_archived_whole(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """Every file that is kept is there with its bytes, and those that are indexed are found."""
        _deliver(shelf, units[0], write_files)
        _update(archive)
        delivered = shelf.files(units[0])
        kept = {name: content for name, content in delivered.items() if _is_kept(archive.product, name)}
        folder = archive.stores[0].directory(units[0])
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
        indexed = sorted(name for name in kept if archive.product.takes(name))
        assert indexed, "write_files wrote no file that the product indexes; see its file_names"
        assert sorted(Path(path).name for path in _files(archive, units[0])) == indexed
        assert archive.verify(full=True) == []

    def test_updating_twice_is_updating_once(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """A second update of the same delivery writes nothing at all."""
        for unit in units:
            _deliver(shelf, unit, write_files)
        _update(archive)
        before = _contents(archive)
        report = _update(archive)
        assert not report.changes
        assert not report.conflicts
        assert _contents(archive) == before

    def test_files_are_found_by_time(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """A file is found by a range that it overlaps, and by no range beside it; the index has its times."""
        columns = {column.name for column in archive.product.schema}
        if not {"tstart", "tstop"} <= columns:
            pytest.skip("the index has no tstart and tstop, so that nobody can ask by time")
        _deliver(shelf, units[0], write_files)
        _update(archive)
        for row in _rows(archive, units[0]):
            start, stop = row["tstart"], row["tstop"]
            assert start <= stop, f"{row['filename']}: tstart is after tstop"
            assert row["path"] in _in_range(archive, start - 1.0, stop + 1.0)
            assert row["path"] not in _in_range(archive, stop + 1.0, stop + 2.0)
            assert row["path"] not in _in_range(archive, start - 2.0, start - 1.0)

    def test_other_bytes_under_the_same_name_are_a_conflict(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """A file that comes again with other bytes is told and left out; it is swapped when that is asked for."""
        _deliver(shelf, units[0], write_files)
        _update(archive)
        before = _contents(archive, index=False)
        shelf.deliver(units[0], _then(write_files, _recompress))
        options = _again(archive, units[0])
        report = archive.run_update(options)
        came = {name: content for name, content in shelf.files(units[0]).items() if _is_kept(archive.product, name)}
        if archive.product.recheck or isinstance(archive, DayArchive):  # else what is archived is not fetched again
            assert sorted(conflict.filename for conflict in report.conflicts) == sorted(came)
        assert _contents(archive, index=False) == before
        archive.run_update(attrs.evolve(options, replace=True))
        folder = archive.stores[0].directory(units[0])
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == came
        assert archive.verify(full=True) == []

    def test_a_release_moves_the_default(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """A newer version is provisional until it is released, and then the default; a release can be withdrawn."""
        if not isinstance(archive, ObsArchive):
            pytest.skip("products by day are not released")
        first, second = units
        _deliver(shelf, first, write_files)
        _update(archive)
        shelf.deliver(second, write_files)
        _update(archive)
        assert _versions(archive, first.obsid) == (first.revision, second.revision)
        shelf.release(second.obsid, second.revision)
        report = _update(archive)
        assert [(change.default_before, change.default_after) for change in report.changes] == [
            (first.revision, second.revision)
        ]
        assert _versions(archive, first.obsid) == (second.revision, second.revision)
        shelf.release(first.obsid, first.revision)
        archive.run_update(UpdateOptions(recheck=True))
        assert _versions(archive, first.obsid) == (first.revision, second.revision)
        assert archive.verify(full=True) == []

    def test_a_damaged_delivery_leaves_no_trace(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """A file that was cut off is refused, remembered with its reason, and archived when it comes whole."""
        _deliver(shelf, units[0], _then(write_files, _cut_off))
        report = archive.run_update(_options(archive))
        assert report.failed
        assert all(item.reason for item in report.failed)
        assert not any(path.is_file() for path in archive.stores[0].folder.glob("[0-9]*/*/*"))
        assert _files(archive, units[0]) == []
        shelf.deliver(units[0], write_files)
        archive.run_update(_options(archive, retry_failed=True))
        assert _files(archive, units[0])
        assert archive.verify(full=True) == []

    @pytest.mark.parametrize("step", range(1, 5))
    def test_a_killed_update_is_completed_by_the_next(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any, step: int, tmp_path: Path
    ) -> None:
        """Killed in the middle of a commit, the archive is readable at once, and the next update finishes the work."""
        _deliver(shelf, units[0], write_files)
        whole = shelf.archive(tmp_path / "whole")
        _update(whole)
        _killed(archive, step)
        found = _files(archive, units[0])
        assert len(found) in (0, len(_files(whole, units[0]))), "a part of a delivery is seen"
        assert all(Path(path).is_file() for path in found)
        _update(archive)
        assert _contents(archive, index=False) == _contents(whole, index=False)
        assert [_plain(row) for row in _rows(archive, units[0])] == [_plain(row) for row in _rows(whole, units[0])]
        assert archive.verify(full=True) == []

    def test_the_column_store_says_what_the_files_say(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any
    ) -> None:
        """Rows come from the store once it has followed, each at its time; nothing is other than in the files."""
        member = with_column_store(archive)
        for unit in units:
            _deliver(shelf, unit, write_files)
        changes = _update(archive).changes
        before = member.read_tables("2019:270", "2019:276")
        assert before, "write_files wrote no table with a row within the days of its files"
        assert not any(group.from_store for group in before), "nobody has followed yet"
        keeper = member.column_store
        assert keeper is not None
        for change in changes:
            report = keeper.follow(change)
            assert not report.failed, "; ".join(report.failed)
        assert_store_and_files_agree(member)
        assert archive.verify(full=True) == []
        written = _contents(archive)
        for change in changes:
            keeper.follow(change)
        assert _contents(archive) == written, "a change that was told twice was written twice"

    @pytest.mark.parametrize("step", ["sync_file", "sync_folder"])
    def test_a_killed_column_store_is_completed_by_the_next_change(
        self, shelf: DeliveryShelf, archive: ProductArchive, units: Any, write_files: Any, step: str
    ) -> None:
        """Killed before or behind the moment at which a piece is there, what is read is right, then and later."""
        member = with_column_store(archive)
        _deliver(shelf, units[0], write_files)
        changes = _update(archive).changes
        pickled = archive.stores[0].root.parent / "followed.pickle"
        pickled.write_bytes(pickle.dumps((archive, changes)))
        _killed_by(KILLED_FOLLOWING, str(pickled), step)
        assert_store_and_files_agree(member, is_complete=step == "sync_folder")
        for change in changes:
            assert member.column_store is not None
            member.column_store.follow(change)
        assert_store_and_files_agree(member)
        assert archive.verify(full=True) == []


# ---- what the tests are made of -------------------------------------------------------------------------------------


def _deliver(shelf: DeliveryShelf, unit: Unit, write_files: Any) -> None:
    """Put a unit on the shelf; the first version of an obsid is released."""
    shelf.deliver(unit, write_files)
    if isinstance(unit, ObsidRevision) and unit.revision == 1:
        shelf.release(unit.obsid, unit.revision)


def _then(write_files: Any, change: Callable[[Path], None]) -> Callable[[Path, Any], None]:
    """Return a function that writes the files of a delivery and changes them."""

    def write(folder: Path, unit: Unit) -> None:
        write_files(folder, unit)
        change(folder)

    return write


def _options(archive: ProductArchive, **more: Any) -> UpdateOptions:
    if isinstance(archive.product.layout, ByDay):
        from aca_core.dates import to_secs

        more |= {"since": to_secs("2019:272"), "until": to_secs("2019:274")}
    return UpdateOptions(**more)


def _again(archive: ProductArchive, unit: Unit) -> UpdateOptions:
    if isinstance(unit, ObsidRevision):
        return UpdateOptions(obsid=unit.obsid, version=unit.revision)
    return _options(archive)


def _update(archive: ProductArchive) -> UpdateReport:
    report = archive.run_update(_options(archive))
    assert not report.failed, "; ".join(f"{item.name}: {item.reason}" for item in report.failed)
    return report


def _rows(archive: ProductArchive, unit: Unit) -> list[dict[str, Any]]:
    if isinstance(archive, ObsArchive) and isinstance(unit, ObsidRevision):
        return archive.get_rows(unit.obsid, revision=unit.revision, content=None)
    assert isinstance(archive, DayArchive)
    rows = archive.get_rows("2019:270", "2019:276")
    return [row for row in rows if archive.product.layout.unit_of(row) == unit]


def _files(archive: ProductArchive, unit: Unit) -> list[str]:
    return [row["path"] for row in _rows(archive, unit)]


def _in_range(archive: ProductArchive, start: float, stop: float) -> list[str]:
    if isinstance(archive, ObsArchive):
        return archive.get_files(start=start, stop=stop, revision="all")
    assert isinstance(archive, DayArchive)
    return archive.get_files(start, stop)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "path"}


def _versions(archive: ObsArchive, obsid: int) -> tuple[int | None, int | None]:
    """Return the versions to which the links of an obsid lead; the index must agree."""
    found = archive.get_obs_dirs(obsid) or {}
    released, newest = (_version_at(found.get(key)) for key in ("default", "last"))
    rows = archive.get_rows(obsid)
    assert {row["revision"] for row in rows} == ({released} if released is not None else set())
    assert all(row["isdefault"] == 1 for row in rows)
    return released, newest


def _version_at(path: str | None) -> int | None:
    return None if path is None else int(Path(path).resolve().name.partition("_v")[2])


def _is_kept(product: ArchiveProduct, name: str) -> bool:
    return product.takes(name) or product.keeps_beside(name)


def _contents(archive: ProductArchive, *, index: bool = True) -> dict[str, Any]:
    """Return every file with its bytes and every link with its target, below the product's folder."""
    folder = archive.stores[0].folder
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        elif path.is_file() and path.name not in _OURS and (index or path.parent != folder):
            found[name] = path.read_bytes()
    return found


def _recompress(folder: Path) -> None:
    """Give every file other bytes with the same content: compressed in another way."""
    for path in folder.iterdir():
        content = path.read_bytes()
        plain = gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        path.write_bytes(gzip.compress(plain, compresslevel=1, mtime=12345))


def _cut_off(folder: Path) -> None:
    """Cut every file off in the middle of its compression."""
    _recompress(folder)
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-9])


_KILLED = """
import os, pickle, signal, sys
from aca_core.archive import commit
from aca_core.testing.archiving import _options

left = int(sys.argv[2])

def counted(function):
    def call(*arguments, **more):
        global left
        result = function(*arguments, **more)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

for name in ("_check_links", "_place", "_record", "lead", "_finish"):
    setattr(commit, name, counted(getattr(commit, name)))
archive = pickle.load(open(sys.argv[1], "rb"))
archive.run_update(_options(archive))
"""


def _killed(archive: ProductArchive, step: int) -> None:
    """Run an update in a process of its own that kills itself behind a step of its first commit."""
    pickled = archive.stores[0].root.parent / "archive.pickle"
    pickled.write_bytes(pickle.dumps(archive))
    _killed_by(_KILLED, str(pickled), str(step))


def _killed_by(program: str, *arguments: str) -> None:
    """Run a program that kills itself."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", program, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
