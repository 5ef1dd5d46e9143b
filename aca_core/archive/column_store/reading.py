"""Which rows the tables of a product have in a range of time: from the pieces that have them, else from the files."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive.column_store.blocks import Asked, Block, DamagedPieceError, Group, Kind, Pieces, blocks_of
from aca_core.archive.column_store.places import archived_files, declared
from aca_core.archive.queries import FileQuery
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aca_core.layouts import Unit

__all__ = ["TableRows", "read_rows"]

_ATTEMPTS: Final = 3
"""How often a question is asked again when files or pieces that it was about to read have been replaced meanwhile."""


@attrs.frozen(eq=False, kw_only=True)
class TableRows:
    """Rows of the tables of one group within a range of time, column by column.

    Attributes
    ----------
    group : mapping of str to object
        What the tables have in common: the columns by which they are grouped, with their values.
    files : tuple of mapping
        The rows of the index of the files they are of, in the order of the rows; ``path`` is where each lies.
    counts : ndarray of int, shape (files,)
        How many rows are of each.
    values : dict of str to ndarray, shape (rows, ...)
        By name in upper case, in the byte order of the machine; texts as bytes. Columns that none of the tables has are
        left out.
    lacking : dict of str to ndarray of bool, shape (rows,)
        Of columns that only some of the tables have: which rows have none. There `values` is zero.
    from_store : int
        Of how many of the files the rows came from the store.
    synthetic : bool
        Whether any of the files says that it was made by a program.
    """

    group: Mapping[str, Any]
    files: tuple[Mapping[str, Any], ...]
    counts: npt.NDArray[np.intp]
    values: dict[str, npt.NDArray[Any]]
    lacking: dict[str, npt.NDArray[np.bool_]]
    from_store: int
    synthetic: bool

    def __len__(self) -> int:
        return int(self.counts.sum())


def read_rows(
    stores: Sequence[Store],
    start: float,
    stop: float,
    columns: Sequence[str] | None = None,
    *,
    where: Mapping[str, tuple[Any, ...]] | None = None,
    elsewhere: Callable[[int], Callable[[Unit], bool] | None] = lambda place: None,
    use_store: bool = True,
) -> list[TableRows]:
    """Return the rows with ``start <= time <= stop``, both included.

    Parameters
    ----------
    stores : sequence of Store
        One for each root.
    start, stop : float
        CXC seconds.
    columns : sequence of str, optional
        Which columns, in upper case; all by default. The time is always there.
    where : mapping, optional
        Columns of the index, and the values that each may have.
    elsewhere : callable, optional
        Returns for the number of a root what says whether another one answers for a unit.
    use_store : bool, default True
        Whether the column store may answer; otherwise the files do.

    Returns
    -------
    list of TableRows
        One for each group that has such rows, in the order of the group's values; its rows in the order of the files
        by tstart and name, and as they are in the file: neither sorted nor without repetitions.

    Raises
    ------
    IntegrityError
        A file is damaged, or lost.
    """
    for attempt in range(_ATTEMPTS):
        found = _files(stores, start, stop, where, elsewhere)
        try:
            groups = [
                _rows_of_group(some, start, stop, columns, use_store=use_store)
                for _, some in sorted(found.items(), key=lambda item: [_sortable(value) for value in item[0]])
            ]
            return [group for group in groups if len(group)]
        except FileNotFoundError as error:
            if attempt == _ATTEMPTS - 1:
                raise IntegrityError(str(error.filename), "is archived and not there; see 'aca verify'") from error
    raise AssertionError  # the last attempt returns or raises


def _sortable(value: Any) -> tuple[bool, str, Any]:
    return (value is not None, type(value).__name__, value if value is not None else 0)


def _files(
    stores: Sequence[Store],
    start: float,
    stop: float,
    where: Mapping[str, tuple[Any, ...]] | None,
    elsewhere: Callable[[int], Callable[[Unit], bool] | None],
) -> dict[tuple[Any, ...], Group]:
    """Return the files that may have rows in the range, by their group."""
    by = declared(stores[0])
    # The index is asked for files that begin before and end after, and here both ends are included.
    low, high = math.nextafter(start - by.margin, -math.inf), math.nextafter(stop + by.margin, math.inf)
    query = FileQuery(start=low, stop=high, where=where or {})
    more = [column.name for column in stores[0].product.schema if column.name == "filetime"]
    found: dict[tuple[Any, ...], Group] = {}
    for place, store in enumerate(stores):
        for file in archived_files(store, query, elsewhere(place), more):
            found.setdefault(tuple(file.row[name] for name in by.group), []).append((store, file))
    if len(stores) > 1:
        for some in found.values():
            some.sort(key=lambda each: (each[1].row["tstart"] or 0.0, each[1].name))
    return found


def _rows_of_group(
    files: Group, start: float, stop: float, columns: Sequence[str] | None, *, use_store: bool
) -> TableRows:
    """Read the rows of one group; if a piece turns out to be damaged, again without it."""
    by = declared(files[0][0])
    asked = Asked(start=start, stop=stop, time=by.time, columns=columns)
    damaged: set[Path] = set()
    while True:
        with contextlib.ExitStack() as opened:
            try:
                blocks = list(blocks_of(files, asked, Pieces(opened, damaged, use_store=use_store)))
                return _rows_of_blocks({name: files[0][1].row[name] for name in by.group}, blocks, asked)
            except DamagedPieceError as error:
                damaged.add(error.path)


def _rows_of_blocks(group: Mapping[str, Any], blocks: Sequence[Block], asked: Asked) -> TableRows:
    import numpy as np

    values, lacking = _columns_of(blocks, asked)
    return TableRows(
        group=group,
        files=tuple(file.row for block in blocks for file in block.files),
        counts=np.array([count for block in blocks for count in block.counts], dtype=np.intp),
        values=values,
        lacking=lacking,
        from_store=sum(len(block.files) for block in blocks if block.is_of_store),
        synthetic=any(block.synthetic for block in blocks),
    )


def _columns_of(
    blocks: Sequence[Block], asked: Asked
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, npt.NDArray[np.bool_]]]:
    """Return the columns of all blocks one behind the other, and which rows of them are lacking."""
    import numpy as np

    wanted = [name for block in blocks for name in block.names()] if asked.columns is None else asked.columns
    names = dict.fromkeys([asked.time, *wanted])
    ends = list(itertools.accumulate(block.rows for block in blocks))
    values, lacking = {}, {}
    for name in names:
        kinds = [block.kind(name) for block in blocks]
        there = [kind for kind in kinds if kind is not None]
        if not there:
            continue
        kind, shape = _common(name, there, blocks)
        column = np.empty((ends[-1], *shape), kind)
        for block, end, own in zip(blocks, ends, kinds, strict=True):
            _fill(block, name, own, column[end - block.rows : end])
        values[name] = column
        if len(there) < len(kinds):
            lacking[name] = np.repeat([own is None for own in kinds], [block.rows for block in blocks])
    return values, lacking


def _common(name: str, kinds: Sequence[Kind], blocks: Sequence[Block]) -> Kind:
    """Return what takes the values of a column of several tables."""
    import numpy as np

    kind, shape = kinds[0]
    if any(other != (kind, shape) for other in kinds):
        if any(other != shape for _, other in kinds):
            found = " and ".join(str(each) for each in sorted({other for _, other in kinds}))
            problem = f"and the files around it have elements of different shapes in {name}: {found}"
            raise IntegrityError(blocks[0].files[0].path, problem)
        kind = np.result_type(*(other for other, _ in kinds))
    return kind, shape


def _fill(block: Block, name: str, own: Kind | None, out: npt.NDArray[Any]) -> None:
    import numpy as np

    if own is None:
        out[...] = np.zeros((), out.dtype)
    elif own[0] == out.dtype:
        block.fill(name, out)
    else:
        part = np.empty(out.shape, own[0])
        block.fill(name, part)
        out[...] = part
