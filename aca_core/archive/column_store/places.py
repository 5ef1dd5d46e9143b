"""Where the pieces of a column store lie, and which files of the archive are to be in them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs

from aca_core.archive.column_store.pieces import in_path
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.queries import FileQuery, find_rows
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import Day
from aca_core.products import ColumnStore

__all__ = [
    "FOLDER",
    "ArchivedFile",
    "archived_files",
    "day_piece",
    "days_of",
    "declared",
    "files_of_month",
    "group_of",
    "month_of",
    "month_piece",
    "pieces_in",
]

FOLDER: Final = "columns"
"""The folder of the pieces, in that of the product."""

_PAIRS: Final = 400
"""How many files are looked up in one statement."""

_MOST_DIGESTS: Final = 20_000
"""Of how many files size and digest are remembered until somebody commits; each takes some 0.4 kB."""

_UNKNOWN: Final = (None, None)


@attrs.frozen
class ArchivedFile:
    """A file that the index lists, with what tells whether rows elsewhere are its own.

    Attributes
    ----------
    row : mapping
        Its row of the index, with ``path``.
    day : Day
        Of its folder.
    size, sha256 : int or None, str or None
        As they were archived; None where other tools archived it and recorded none.
    """

    row: Mapping[str, Any]
    day: Day
    size: int | None
    sha256: str | None

    @property
    def name(self) -> str:
        """Its base name."""
        name: str = self.row["filename"]
        return name

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.row["path"])

    def is_same(self, name: str, size: int, sha256: str) -> bool:
        """Say whether a file of which a piece has the rows is this one."""
        if name != self.name:
            return False
        if self.sha256 is not None:
            return sha256 == self.sha256
        try:
            return size == (self.size if self.size is not None else self.path.stat().st_size)
        except OSError:
            return False


def declared(store: Store) -> ColumnStore:
    """Return how a product's tables are kept as columns; only for products that say so."""
    found = store.product.column_store
    if found is None:
        raise IntegrityError(store.folder, f"{store.product.name} declares no column store")
    return found


def group_of(store: Store, row: Mapping[str, Any]) -> str:
    """Return the group of a file's table, as pieces name it."""
    return "/".join(in_path(f"{name}_{row[name]}") for name in declared(store).group) or "all"


def archived_files(
    store: Store, query: FileQuery, elsewhere: Any = None, columns: Sequence[str] = ()
) -> list[ArchivedFile]:
    """Return the files that a query selects, by tstart and name.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    query : FileQuery
        Which files.
    elsewhere : callable, optional
        As for `find_rows`.
    columns : sequence of str, optional
        Columns of the index that are wanted beside those that are needed here.

    Returns
    -------
    list of ArchivedFile
    """
    by = declared(store)
    wanted = dict.fromkeys([*by.group, "revision", "tstart", "tstop", *columns])
    with store.index.reading():
        rows = find_rows(store, query, list(wanted), elsewhere=elsewhere)
        days = {key: Day(*key) for key in {(row["year"], row["doy"]) for row in rows}}
        names = {key: store.name_of(day) for key, day in days.items()}
        pairs = [(names[row["year"], row["doy"]], row["filename"]) for row in rows]
        known = _digests(store, pairs)
    return [
        ArchivedFile(row, days[row["year"], row["doy"]], *known.get(pair, _UNKNOWN))
        for row, pair in zip(rows, pairs, strict=True)
    ]


_Digest: TypeAlias = tuple[int | None, str | None]


def _digests(store: Store, pairs: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], _Digest]:
    """Return sizes and digests of files by day and name, with those of others that were asked for earlier."""
    known: dict[tuple[str, str], _Digest] = store.index.remembered("digests", dict)
    if len(known) > _MOST_DIGESTS:
        known.clear()
    missing = [pair for pair in pairs if pair not in known]
    for first in range(0, len(missing), _PAIRS):
        some = missing[first : first + _PAIRS]
        marks = ", ".join(["(?, ?)"] * len(some))
        # A constant of ours and question marks; names are parameters.
        sql = f"SELECT unit, filename, size, sha256 FROM {FILES} WHERE (unit, filename) IN (VALUES {marks})"  # noqa: S608
        for unit, name, size, sha256 in store.index.select_ours(sql, [each for pair in some for each in pair]):
            known[unit, name] = (size, sha256)
    return known


def days_of(store: Store) -> set[Day]:
    """Return the days with files, without listing these: there may be a million."""
    rows = store.index.select(f"SELECT DISTINCT year, doy FROM {TABLE}")  # noqa: S608  # a constant of ours
    days = set()
    for row in rows:
        with contextlib.suppress(TypeError, ValueError):  # a row of other tools, which `find_rows` tells and leaves out
            days.add(Day(row["year"], row["doy"]))
    return days


def files_of_month(store: Store, month: tuple[int, int]) -> list[ArchivedFile]:
    """Return the files of a month, by tstart and name."""
    import datetime as dt

    first = dt.date(*month, 1)
    length = (dt.date(month[0] + month[1] // 12, month[1] % 12 + 1, 1) - first).days
    start = first.timetuple().tm_yday
    doys = tuple(range(start, start + length))
    return archived_files(store, FileQuery(where={"year": (month[0],), "doy": doys}))


# ---- pieces ---------------------------------------------------------------------------------------------------------


def day_piece(store: Store, day: Day) -> Path:
    """Return where the piece of a day lies."""
    return store.folder / f"{FOLDER}/{day.year:04d}/{day.doy:03d}.h5"


def month_of(period: Day | tuple[int, int]) -> tuple[int, int]:
    """Return year and month of a day, or of what is a month already."""
    import datetime as dt

    if not isinstance(period, Day):
        return period
    return period.year, (dt.date(period.year, 1, 1) + dt.timedelta(days=period.doy - 1)).month


def month_piece(store: Store, month: tuple[int, int]) -> Path:
    """Return where the piece of a month lies."""
    return store.folder / f"{FOLDER}/{month[0]:04d}/month-{month[1]:02d}.h5"


def pieces_in(store: Store) -> Iterator[tuple[Path, Day | tuple[int, int]]]:
    """Yield the pieces that are there, each with its day or its month, in the order of their paths."""
    for path in sorted((store.folder / FOLDER).glob("[12][0-9][0-9][0-9]/*.h5")):
        if found := _period(path):
            yield path, found


def _period(path: Path) -> Day | tuple[int, int] | None:
    year = int(path.parent.name)
    if match := re.fullmatch(r"(\d{3})\.h5", path.name, re.ASCII):
        try:
            return Day(year, int(match[1]))
        except ValueError:
            return None
    match = re.fullmatch(r"month-(0[1-9]|1[0-2])\.h5", path.name, re.ASCII)
    return (year, int(match[1])) if match else None
