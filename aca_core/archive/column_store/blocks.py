"""Where the rows of files within a range of time are: in the pieces that have them, else in the files themselves.

Whether a piece has the rows of a file is judged by name, size and SHA-256 against the index, file by file. So an index
that is ahead of the store, a store that is not there and a damaged piece all give the same answer, only later.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs

from aca_core.archive.column_store.contents import Contents
from aca_core.archive.column_store.pieces import Run
from aca_core.archive.column_store.places import ArchivedFile, day_piece, group_of, month_of, month_piece
from aca_core.archive.column_store.tables import read_file
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aca_core.layouts import Day

__all__ = ["Asked", "Block", "DamagedPieceError", "Group", "Kind", "Pieces", "blocks_of"]

T = TypeVar("T")

Group: TypeAlias = list[tuple[Store, ArchivedFile]]
"""Files whose tables are read together, in their order."""

_log = logging.getLogger("aca_core")


class DamagedPieceError(Exception):
    """A piece cannot be read, and the files must answer.

    Attributes
    ----------
    path : Path
        The piece.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path


@attrs.frozen
class Asked:
    """What is asked of each table.

    Attributes
    ----------
    start, stop : float
        The range of time, CXC seconds, both included.
    time : str
        The column of the time.
    columns : sequence of str or None
        Which columns; None for all.
    """

    start: float
    stop: float
    time: str
    columns: Sequence[str] | None


Kind: TypeAlias = "tuple[np.dtype[Any], tuple[int, ...]]"
"""The type of the elements of a column, and the shape of a row."""


_Stretch: TypeAlias = tuple[Contents, Run, ArchivedFile, int, int]
"""Rows of one file in a piece: from which one of the piece's to which."""


@attrs.frozen(eq=False, kw_only=True)
class Block:
    """Rows within the range that are read together: of one file, or of several that follow each other in a piece.

    Attributes
    ----------
    names : callable
        Returns the columns that there are.
    kind : callable
        Returns what a column is, by its name; None where there is no such column.
    fill : callable
        Puts the rows of a column, by its name, into an array of that kind.
    files, counts : list
        Which files, and how many rows of each.
    synthetic, is_of_store : bool
        Whether any of the files says that it was made by a program, and whether the rows are of a piece.
    """

    files: list[ArchivedFile]
    counts: list[int]
    names: Callable[[], Iterable[str]]
    kind: Callable[[str], Kind | None]
    fill: Callable[[str, npt.NDArray[Any]], None]
    synthetic: bool
    is_of_store: bool = False

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(self.counts)


@attrs.define
class Pieces:
    """The pieces that a question opens, each once; one that is damaged is said and not asked.

    Attributes
    ----------
    opened : ExitStack
        What closes them.
    damaged : collection of Path
        Pieces that turned out to be damaged.
    use_store : bool
        Whether to look into pieces at all.
    """

    opened: contextlib.ExitStack
    damaged: Collection[Path]
    use_store: bool = attrs.field(kw_only=True)
    _store: Store | None = attrs.field(default=None, init=False)
    _day: Day | None = attrs.field(default=None, init=False)
    _there: list[tuple[Contents, dict[str, Run]] | None] = attrs.field(factory=list, init=False)
    _known: dict[Path, Contents | None] = attrs.field(factory=dict, init=False)
    _open: deque[Contents] = attrs.field(factory=deque, init=False)

    def find(self, store: Store, file: ArchivedFile, group: str) -> tuple[Contents, Run] | None:
        """Return where the rows of a file are, if a piece was made of that very file."""
        if not self.use_store:
            return None
        if self._store is not store or self._day is not file.day:
            self._store, self._day = store, file.day
            self._there = [self._runs(month_piece(store, month_of(file.day)), group)]
        name, sha256 = file.name, file.sha256
        for place in (0, 1):
            if place == len(self._there):  # the day's own piece is asked for what that of its month has not
                self._there.append(self._runs(day_piece(store, file.day), group))
            found = self._there[place]
            run = None if found is None else found[1].get(name)
            if found is None or run is None:
                continue
            source = run.source
            if sha256 == source.sha256 or file.is_same(source.filename, source.size, source.sha256):
                return found[0], run
        return None

    def _runs(self, path: Path, group: str) -> tuple[Contents, dict[str, Run]] | None:
        contents = self._contents(path)
        if contents is None or path in self.damaged:
            return None
        try:
            return contents, contents.runs(group)
        except FileNotFoundError:  # it was replaced just now, and the files answer
            return None
        except IntegrityError as error:
            _tell_once(str(error))
            return None

    def _contents(self, path: Path) -> Contents | None:
        if path not in self._known:
            self._known[path] = None
            try:
                self._known[path] = self.opened.enter_context(contextlib.closing(Contents(path, self._open)))
            except FileNotFoundError:  # none was made, or it has just become part of its month
                pass
            except OSError as error:
                _tell_once(f"{path} cannot be opened: {error.strerror}")
        return self._known[path]


@functools.lru_cache(maxsize=256)
def _tell_once(problem: str) -> None:
    _log.warning("%s; until then the files answer", problem)


def blocks_of(files: Group, asked: Asked, pieces: Pieces) -> Iterator[Block]:
    """Yield the rows of the files that are in the range, in the order of the files.

    Parameters
    ----------
    files : list of tuple
        Of one group, each with its store.
    asked : Asked
        Which rows.
    pieces : Pieces
        Where to look for them first.

    Yields
    ------
    Block
        With rows; nothing of them is read yet but times where a file reaches beyond the range.

    Raises
    ------
    DamagedPieceError
        A piece turned out to be damaged, here or while a block is read.
    """
    group = group_of(files[0][0], files[0][1].row)
    waiting: list[_Stretch] = []
    for store, file in files:
        found = pieces.find(store, file, group)
        if found is None:
            yield from _of_pieces(waiting)
            waiting = []
            yield from _of_file(file, asked)
            continue
        contents, run = found
        if not run.source.rows or run.source.tmin > asked.stop or run.source.tmax < asked.start:
            continue
        picked = _picked(contents, run, asked)
        if not isinstance(picked, slice):
            yield from _of_pieces(waiting)
            waiting = []
            yield _of_some_rows(contents, run, file, picked)
        elif picked.stop > picked.start:
            if waiting and not _follows(waiting[-1], contents, run, picked.start):
                yield from _of_pieces(waiting)
                waiting = []
            waiting.append((contents, run, file, picked.start, picked.stop))
    yield from _of_pieces(waiting)


def _picked(contents: Contents, run: Run, asked: Asked) -> slice | npt.NDArray[np.intp]:
    """Return which rows of a piece are those of one file in the range: from a first to a last one, or single ones."""
    source, first = run.source, run.first
    if source.is_ordered and asked.start <= source.tmin and source.tmax <= asked.stop:
        return slice(first, first + source.rows)
    column = _reading(contents, lambda: contents.column(run.place, asked.time))
    if column is None:
        raise DamagedPieceError(contents.path)
    import numpy as np

    times = np.empty(source.rows, column.kind)
    _reading(contents, lambda: contents.read_into(run.place, asked.time, first, times))
    picked = _within(times, asked, is_ordered=source.is_ordered)
    if isinstance(picked, slice):
        return slice(first + picked.start, first + picked.stop)
    return first + picked


def _within(times: npt.NDArray[Any], asked: Asked, *, is_ordered: bool = False) -> slice | npt.NDArray[np.intp]:
    """Return which times are in the range, as a slice if they follow each other."""
    import numpy as np

    if is_ordered:
        ends = np.searchsorted(times, asked.start), np.searchsorted(times, asked.stop, side="right")
        return slice(int(ends[0]), int(max(ends)))
    places = np.flatnonzero((times >= asked.start) & (times <= asked.stop))
    low, high = (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)
    return slice(low, high) if len(places) == high - low else places


def _follows(before: _Stretch, contents: Contents, run: Run, low: int) -> bool:
    return before[0] is contents and before[1].place == run.place and before[4] == low


def _reading(contents: Contents, read: Callable[[], T]) -> T:
    """Return what is read from a piece; say it if that cannot be, and ask the files."""
    try:
        return read()
    except IntegrityError as error:
        _tell_once(str(error))
        raise DamagedPieceError(contents.path) from error
    except FileNotFoundError as error:
        raise DamagedPieceError(contents.path) from error


def _of_pieces(waiting: Sequence[_Stretch]) -> Iterator[Block]:
    """Yield rows that follow each other in a piece."""
    if not waiting:
        return
    contents, run, _, first, _ = waiting[0]
    place = run.place

    def fill(name: str, out: npt.NDArray[Any]) -> None:
        _reading(contents, lambda: contents.read_into(place, name, first, out))

    yield Block(
        files=[file for _, _, file, _, _ in waiting],
        counts=[high - low for _, _, _, low, high in waiting],
        names=lambda: _reading(contents, lambda: contents.names(place)),
        kind=functools.partial(_kind_in_piece, contents, place),
        fill=fill,
        synthetic=any(run.source.synthetic for _, run, _, _, _ in waiting),
        is_of_store=True,
    )


def _of_some_rows(contents: Contents, run: Run, file: ArchivedFile, rows: npt.NDArray[np.intp]) -> Block:
    """Return single rows of a file in a piece."""
    import numpy as np

    def fill(name: str, out: npt.NDArray[Any]) -> None:
        every = np.empty((run.source.rows, *out.shape[1:]), out.dtype)
        _reading(contents, lambda: contents.read_into(run.place, name, run.first, every))
        out[...] = every[rows - run.first]

    return Block(
        files=[file],
        counts=[len(rows)],
        names=lambda: _reading(contents, lambda: contents.names(run.place)),
        kind=functools.partial(_kind_in_piece, contents, run.place),
        fill=fill,
        synthetic=run.source.synthetic,
        is_of_store=True,
    )


def _kind_in_piece(contents: Contents, place: str, name: str) -> Kind | None:
    column = _reading(contents, lambda: contents.column(place, name))
    return None if column is None else (column.kind, column.shape)


def _of_file(file: ArchivedFile, asked: Asked) -> Iterator[Block]:
    """Yield the rows of a file that are in the range."""
    try:
        header, table = read_file(file.path, asked.time, asked.columns)
    except IntegrityError as error:
        raise IntegrityError(error.path, f"{error.problem}; see 'aca verify --full'") from error
    picked = _within(table[asked.time], asked)
    count = picked.stop - picked.start if isinstance(picked, slice) else len(picked)

    def fill(name: str, out: npt.NDArray[Any]) -> None:
        out[...] = table[name][picked]

    if count:
        yield Block(
            files=[file],
            counts=[count],
            names=lambda: list(table),
            kind=lambda name: (table[name].dtype, table[name].shape[1:]) if name in table else None,
            fill=fill,
            synthetic=header.get("SYNTHET") is True,
        )
