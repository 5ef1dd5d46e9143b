"""How the pieces of a column store follow the archive: written by day, made into months, made again from the files.

Who writes holds the lock of the folder of the pieces, which is not that of the product: an update goes on meanwhile. A
piece is made of what the index lists at that moment. If the index changes while it is made, the change is told to
subscribers once more, and until then questions take what differs from the files.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive._disk import remove_file, sync_folder
from aca_core.archive._threads import in_threads
from aca_core.archive.column_store.parts import Known, has, known_of, merged, of_file, run_part, runs_in
from aca_core.archive.column_store.pieces import is_sound
from aca_core.archive.column_store.places import (
    FOLDER,
    ArchivedFile,
    archived_files,
    day_piece,
    days_of,
    declared,
    files_of_month,
    month_of,
    month_piece,
    pieces_in,
)
from aca_core.archive.column_store.writing import Part, is_part_of_piece, write_piece
from aca_core.archive.locking import FolderLock
from aca_core.archive.queries import FileQuery
from aca_core.archive.reports import Told, untold
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import Day

if TYPE_CHECKING:
    from aca_core.changes import Change

__all__ = ["ColumnKeeper", "ColumnReport"]

_log = logging.getLogger("aca_core")

_WAIT: Final = 600.0
"""How long to wait for somebody else who writes pieces, s; a month takes some ten seconds."""

_MANY_DAYS: Final = 8
"""From so many pieces of days on, a month that is over is made anew; until then they lie beside it."""


@attrs.define(kw_only=True)
class ColumnReport:
    """What was done to the pieces of a column store.

    Attributes
    ----------
    written : list of str
        The pieces that were written, relative to the folder of the pieces: ``2019/272.h5``.
    removed : list of str
        Those that were removed: of days that are part of their month now, or of which nothing is archived any more.
    unchanged : int
        How many days were as they should be.
    failed : list of str
        The files that could not be taken over, and why.
    """

    written: list[str] = attrs.field(factory=list)
    removed: list[str] = attrs.field(factory=list)
    unchanged: int = 0
    failed: list[str] = attrs.field(factory=list)


@attrs.frozen
class ColumnKeeper:
    """Keeps the column store of a product below one root.

    Attributes
    ----------
    store : Store
        Which product, below which root.
    """

    store: Store

    @property
    def folder(self) -> Path:
        """Where the pieces lie."""
        return self.store.folder / FOLDER

    @property
    def lock(self) -> FolderLock:
        """What keeps other writers of pieces out."""
        return FolderLock(self.folder, self.store.lock.kind)

    # ---- verbs ------------------------------------------------------------------------------------------------------

    def follow(self, change: Change) -> ColumnReport:
        """Bring the piece of a day up to date after a change, and make months of what is over.

        Seeing the same change again changes nothing.

        Parameters
        ----------
        change : Change
            Of the product.

        Returns
        -------
        ColumnReport

        Raises
        ------
        LockedError
            Somebody else has been writing pieces for long.
        OSError
            The disk is full or may not be written to.
        """
        report = ColumnReport()
        if isinstance(change.unit, Day):
            with self.lock.held(_WAIT):
                self._write_day(change.unit, report)
                self._compact(report, before=month_of(change.unit))
        return report

    def rebuild(
        self,
        start: float | None = None,
        stop: float | None = None,
        *,
        anew: bool = False,
        told: Told | None = None,
    ) -> ColumnReport:
        """Make the pieces of all days again that are not what the index says, and months of what is over.

        Parameters
        ----------
        start, stop : float, optional
            Only days with files in this range, CXC seconds.
        anew : bool, default False
            Whether to read all files again, whatever the pieces say.
        told : callable, optional
            Called as the work goes on.

        Returns
        -------
        ColumnReport

        Raises
        ------
        LockedError, OSError
            As `follow` says.
        """
        return self.follow_days(self._days(start, stop), anew=anew, told=told)

    def follow_days(self, days: Iterable[Day], *, anew: bool = False, told: Told | None = None) -> ColumnReport:
        """Make the pieces of some days again that are not what the index says, and months of what is over.

        Parameters
        ----------
        days : iterable of Day
            Which.
        anew, told
            As for `rebuild`.

        Returns
        -------
        ColumnReport

        Raises
        ------
        LockedError, OSError
            As `follow` says.
        """
        report, told = ColumnReport(), told or untold
        days = sorted(days)
        for number, day in enumerate(days, start=1):
            with self.lock.held(_WAIT):
                self._write_day(day, report, anew=anew)
                if number == len(days) or month_of(days[number]) != month_of(day):
                    self._compact(report, before=month_of(days[-1]), anew=anew)
            told(str(day), number, len(days))
        return report

    def compact(self) -> ColumnReport:
        """Make months of the days of every month but the last one.

        Returns
        -------
        ColumnReport

        Raises
        ------
        LockedError, OSError
            As `follow` says.
        """
        report = ColumnReport()
        with self.lock.held(_WAIT):
            last = max((month_of(period) for _, period in pieces_in(self.store)), default=(0, 0))
            self._compact(report, before=last, anew=True)
        return report

    # ---- days -------------------------------------------------------------------------------------------------------

    def _days(self, start: float | None, stop: float | None) -> list[Day]:
        """Return the days with files in a range, and those that have a piece and no file any more."""
        if start is not None or stop is not None:
            low, high = -1e12 if start is None else start, 1e12 if stop is None else stop
            return sorted({file.day for file in archived_files(self.store, FileQuery(start=low, stop=high))})
        return sorted(days_of(self.store) | {period for _, period in pieces_in(self.store) if isinstance(period, Day)})

    def _write_day(self, day: Day, report: ColumnReport, *, anew: bool = False) -> None:
        """Let the pieces have the files of a day that the index lists."""
        path = day_piece(self.store, day)
        self._clear(path.parent)
        files = archived_files(self.store, FileQuery(where={"year": (day.year,), "doy": (day.doy,)}))
        if not files:
            self._remove([path], report)
            return
        with contextlib.ExitStack() as opened:
            known = {} if anew else known_of(self.store, day, opened)
            missing = [file for file in files if not has(known, file)]
            parts_of = in_threads(lambda file: self._part(file, report), missing)
            new = {file.name: part for file, part in zip(missing, parts_of, strict=True)}
            if not any(new.values()):  # there is nothing new, or nothing that can be read
                report.unchanged += 1
                return
            # Of a month, only a part would be taken, and all of it would have to be looked at before.
            mine = runs_in(path, opened) if is_sound(path) else {}
            parts: list[Part | None] = []
            for file in files:
                part = new.get(file.name)
                if part is None and has(mine, file):  # also where the file was damaged since: its rows are not
                    piece, run = mine[file.name]
                    part = run_part(piece, run, [run.source])
                elif file.name not in new:
                    part = self._part(file, report)
                parts.append(part)
            write_piece(path, filter(None, parts), self._remarks(str(day)))
        report.written.append(self._name(path))

    def _part(self, file: ArchivedFile, report: ColumnReport) -> Part | None:
        """Return the rows of a file; None, which is said, where it is damaged or lost."""
        try:
            return of_file(self.store, file)
        except (IntegrityError, FileNotFoundError) as error:
            # Changes come in their order, so an error would keep every later one waiting.
            why = error.problem if isinstance(error, IntegrityError) else "it is archived and not there"
            problem = f"{file.path}: is not taken into the column store: {why}"
            _log.warning("%s; 'aca verify --full --repair' lets the next update fetch it", problem)
            report.failed.append(problem)
            return None

    # ---- months -----------------------------------------------------------------------------------------------------

    def _compact(self, report: ColumnReport, *, before: tuple[int, int], anew: bool = False) -> None:
        """Make a piece of each month before a certain one that has none yet, or has many days beside it."""
        if not anew:  # else the days are what is right
            self._remove_repeated(report, before)
        pieces = list(pieces_in(self.store))
        days = Counter(month_of(period) for _, period in pieces if isinstance(period, Day))
        months = {period for _, period in pieces if not isinstance(period, Day)}
        for month, number in sorted(days.items()):
            if month < before and (anew or month not in months or number >= _MANY_DAYS):
                self._write_month(month, report)

    def _remove_repeated(self, report: ColumnReport, before: tuple[int, int]) -> None:
        """Remove days that are in their month: whoever has made that was killed before he could."""
        for path, period in list(pieces_in(self.store)):
            if isinstance(period, Day) and month_of(period) < before:
                month = month_piece(self.store, month_of(period))
                if _is_older(path, month) and _is_within(path, month) and is_sound(month):
                    self._remove([path], report)

    def _write_month(self, month: tuple[int, int], report: ColumnReport) -> None:
        path = month_piece(self.store, month)
        self._clear(path.parent)
        self._discard_damaged(month, report)
        old = self._days_beside(month)
        with contextlib.ExitStack() as opened:
            known: Known = {}
            for each in [path, *old]:
                known |= runs_in(each, opened)
            # A file that no piece has is damaged, or has come just now: questions take it from the file.
            found = [known[file.name] for file in files_of_month(self.store, month) if has(known, file)]
            if found:
                write_piece(path, merged(found), self._remarks(f"{month[0]:04d}-{month[1]:02d}"))
                report.written.append(self._name(path))
        self._remove(old if found else [path, *old], report)

    def _days_beside(self, month: tuple[int, int]) -> list[Path]:
        pieces = pieces_in(self.store)
        return [path for path, period in pieces if isinstance(period, Day) and month_of(period) == month]

    def _discard_damaged(self, month: tuple[int, int], report: ColumnReport) -> None:
        """Make of the files again what a month cannot be made of: damage is never copied, and given a sum that fits."""
        paths = [month_piece(self.store, month), *self._days_beside(month)]
        damaged = [path for path in paths if path.exists() and not is_sound(path)]
        if not damaged:
            return
        _log.warning("%s: made again from the files, since damaged", ", ".join(map(str, damaged)))
        again = ColumnReport()
        self._remove(damaged, again)
        for day in sorted({file.day for file in files_of_month(self.store, month)}):
            self._write_day(day, again)
        report.written += again.written
        report.failed += again.failed

    # ---- files ------------------------------------------------------------------------------------------------------

    def _remarks(self, period: str) -> dict[str, Any]:
        by = declared(self.store)
        return {"product": self.store.product.name, "period": period, "time": by.time, "group": list(by.group)}

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.folder))

    def _clear(self, folder: Path) -> None:
        """Remove what somebody has left who was killed: whoever it was is gone, since we hold the lock."""
        if folder.is_dir():
            for path in sorted(folder.iterdir()):
                if is_part_of_piece(path.name):
                    remove_file(path)

    def _remove(self, paths: Iterable[Path], report: ColumnReport) -> None:
        gone = [path for path in paths if path.exists()]
        for path in gone:
            remove_file(path)
            report.removed.append(self._name(path))
        for folder in {path.parent for path in gone}:
            sync_folder(folder)


def _is_older(path: Path, other: Path) -> bool:
    """Say whether a file is not younger than another one; what comes late is, and need not be looked into."""
    try:
        return path.stat().st_mtime_ns <= other.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _is_within(path: Path, other: Path) -> bool:
    """Say whether a piece has the rows of some files, and another one those of all of them."""
    with contextlib.ExitStack() as opened:
        mine, there = (
            {name: (run.source.size, run.source.sha256) for name, (_, run) in runs_in(each, opened).items()}
            for each in (path, other)
        )
    return bool(mine) and mine.items() <= there.items()
