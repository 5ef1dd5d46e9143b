"""Whether the pieces of a column store are sound, and what mends those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from aca_core.archive._disk import remove_file
from aca_core.archive.column_store.keeping import ColumnKeeper
from aca_core.archive.column_store.pieces import Piece, is_sound
from aca_core.archive.column_store.places import FOLDER, day_piece, days_of, files_of_month, month_of, pieces_in
from aca_core.archive.events import changes_of, undelivered
from aca_core.archive.findings import Finding, finding
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import Day, Unit

__all__ = ["check_columns", "mend_columns"]

_WAIT: Final = 60.0
"""How long to wait for somebody else who writes pieces, s."""


def check_columns(store: Store, *, full: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with the column store of a product: damaged pieces, and files of which none has the rows.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    full : bool, default False
        Whether to read every piece to its last byte.

    Yields
    ------
    Finding
        None where the product has no column store, or nobody has made one.
    """
    if store.product.column_store is None or not (store.folder / FOLDER).is_dir():
        return
    months: dict[tuple[int, int], list[Path]] = {}
    for path, period in pieces_in(store):
        months.setdefault(month_of(period), []).append(path)
    days: dict[tuple[int, int], list[Day]] = {}
    for day in days_of(store):
        days.setdefault(month_of(day), []).append(day)
    lacking: dict[Day, list[str]] = {}
    for month in sorted(months.keys() | days.keys()):  # one by one, since there may be a million of files
        there: _There = {}
        for path in months.get(month, ()):
            yield from _look(store, path, there, full=full)
        for day in _lacking(store, month, there) if month in days else ():
            # Somebody may have written the piece, or have made a month of it, meanwhile.
            names = _lacking(store, month, _there_now(store, month)).get(day)
            if names:
                lacking[day] = names
    yield from _behind(store, lacking)


_There: TypeAlias = dict[str, list[tuple[int, str]]]
"""By the name of a file the sizes and hashes of those of which a piece has the rows."""


def _look(store: Store, path: Path, there: _There, *, full: bool) -> Iterator[Finding]:
    """Note what a piece has, and yield what is wrong with it."""
    place = str(path.relative_to(store.folder))
    try:
        with Piece(path) as piece:
            for group in piece.groups():
                for run in piece.runs(group):
                    there.setdefault(run.source.filename, []).append((run.source.size, run.source.sha256))
            for problem in piece.check() if full else ():
                yield finding(store, "columns", place, problem)
    except FileNotFoundError:  # it has just become part of its month
        return
    except IntegrityError as error:
        yield finding(store, "columns", place, error.problem.partition("; 'aca verify")[0])


def _there_now(store: Store, month: tuple[int, int]) -> _There:
    there: _There = {}
    for path, period in pieces_in(store):
        if month_of(period) == month:
            for _ in _look(store, path, there, full=False):
                pass  # it was said before
    return there


def _lacking(store: Store, month: tuple[int, int], there: _There) -> dict[Day, list[str]]:
    """Return by day the files of which no piece has the rows."""
    lacking: dict[Day, list[str]] = {}
    for file in files_of_month(store, month):
        if not any(file.is_same(file.name, size, sha256) for size, sha256 in there.get(file.name, ())):
            lacking.setdefault(file.day, []).append(file.name)
    return lacking


def _behind(store: Store, lacking: Mapping[Day, list[str]]) -> Iterator[Finding]:
    """Yield the days of which a piece lacks files, but for those that are still to be told to somebody."""
    awaited = _awaited(store) if lacking else set()
    for day, names in sorted(lacking.items()):
        if day not in awaited:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            problem = f"has not the rows of {names[0]}{more}, which the files answer for meanwhile"
            yield finding(store, "columns", day_piece(store, day).relative_to(store.folder), problem)


def _awaited(store: Store) -> set[Unit]:
    """Return the units with changes that somebody is yet to be told; one that has refused them is not waited for."""
    waiting = max((each.changes for each in undelivered(store) if not each.reason), default=0)
    return {change.unit for change in changes_of(store)[-waiting:]} if waiting else set()


def mend_columns(store: Store, found: Iterable[Finding]) -> None:
    """Make pieces again that are damaged or lack files.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    found : iterable of Finding
        What `check_columns` has found.

    Raises
    ------
    LockedError, OSError
        As `ColumnKeeper.follow` says.
    """
    keeper = ColumnKeeper(store)
    places = {each.place for each in found}
    months = set()
    with keeper.lock.held(_WAIT):
        for path, period in pieces_in(store):
            if str(path.relative_to(store.folder)) in places:
                months.add(month_of(period))
                if not is_sound(path):
                    remove_file(path)
    days = days_of(store)
    lacking = {day for day in days if str(day_piece(store, day).relative_to(store.folder)) in places}
    keeper.follow_days(lacking | {day for day in days if month_of(day) in months})
    keeper.compact()
