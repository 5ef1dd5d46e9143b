"""What one slot measured in a range of time, column by column: sorted, without repetitions, nothing else done to it.

It is what the other answers are made of. A range in which nothing but whole columns of one size is asked for is not
copied after it was read.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.aca_l0.archives import level0_archive
from aca_core.aca_l0.columns import ACA_COLUMNS, IMAGE_SIZES, SLOTS, checked_columns
from aca_core.arrays import BoolArray, FloatArray, IntArray
from aca_core.errors import DeclarationError

if TYPE_CHECKING:
    from aca_core.archive import DayArchive
    from aca_core.archive.column_store.reading import TableRows
    from aca_core.dates import DateLike

__all__ = ["SlotColumns", "checked_sizes", "checked_slot", "slot_columns"]

_SAME: Final = 1e-3
"""Times that are nearer to each other are one, s: images follow each other by 1.025 s at least, and what was processed
again may have times that differ in their last digits."""

_BLOCK: Final = 8192
"""How many times are looked at together."""

_LARGEST: Final = max(IMAGE_SIZES)

_DERIVED: Final = ("IMGSIZE", "FILENAME")


@attrs.frozen(eq=False, kw_only=True)
class SlotColumns:
    """The rows of one slot within a range of time.

    Attributes
    ----------
    slot : int
        0 to 7.
    times : ndarray, shape (rows,)
        CXC seconds, ascending, each once.
    values : dict of str to ndarray, shape (rows, ...)
        By name in upper case, in the byte order of the machine, the types otherwise those of `ACA_COLUMNS`. Images
        have the shape (rows, 8, 8). What a row lacks is zero.
    missing : dict of str to ndarray of bool
        For columns that not all rows have: which rows lack it; for images, which pixels.
    imgsize : ndarray of int, shape (rows,)
        Rows and columns of each image.
    files : tuple of str
        Base names of the files that the rows are of.
    file_counts : tuple of int
        How many rows were read of each of `files`, one file after the other.
    order : ndarray of int or None
        Which of these rows are taken, in the order of time; None for all of them as they were read.
    synthetic : bool
        Whether any of the files says that it was made by a program.
    provenance : dict of str to object
        Where it comes from.
    """

    slot: int
    times: FloatArray
    values: dict[str, npt.NDArray[Any]]
    missing: dict[str, BoolArray]
    imgsize: IntArray
    files: tuple[str, ...]
    file_counts: tuple[int, ...]
    order: IntArray | None = None
    synthetic: bool
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.times)

    @functools.cached_property
    def file_of_row(self) -> IntArray:
        """Which of `files` each row is of; shape (rows,). Made when it is asked for, which is seldom."""
        found = _repeated(range(len(self.files)), self.file_counts)
        return found if self.order is None else found[self.order]

    def filenames(self, dtype: str = "U") -> npt.NDArray[np.str_]:
        """Return the base name of the file of each row.

        Parameters
        ----------
        dtype : str, default 'U'
            The type of the texts, such as ``U128``; by default as wide as the longest.
        """
        names = np.array(self.files or [""], dtype=dtype)
        return names[self.file_of_row]


def slot_columns(
    start: DateLike,
    stop: DateLike,
    slot: int,
    imgsize: int | Sequence[int] | None = None,
    columns: Iterable[str] | None = None,
    *,
    centered: bool = False,
    db: Any = None,
    data_root: str | Path | None = None,
    use_store: bool = True,
) -> SlotColumns:
    """Return the telemetry of a slot with ``start <= TIME <= stop``, column by column.

    Parameters
    ----------
    start, stop : date
        In any form of `aca_core.dates`; both ends are included. None for `stop` is now.
    slot : int
        0 to 7.
    imgsize : int or sequence of int, optional
        Only images of these sizes: 4, 6, 8.
    columns : iterable of str, optional
        Which columns, see `ACA_COLUMNS`; all by default. TIME is always there; IMGSIZE and FILENAME are attributes.
    centered : bool, default False
        Whether images smaller than 8x8 lie in the middle of their 8x8 pixels, and not in the lower left corner.
    db, data_root : optional
        Another index and tree, see `level0_archive`.
    use_store : bool, default True
        Whether the column store may answer; otherwise the files do, with the same result.

    Returns
    -------
    SlotColumns
        Where two files have a row of the same time, that of the greater revision is taken, then that of the later file.

    Raises
    ------
    UnknownNameError
        There is no such column. It is a LookupError.
    DeclarationError
        There is no such slot or size. It is a ValueError.
    DateError
        The range goes backwards, or one of its ends is no date. It is a ValueError.
    IntegrityError
        An archived file is damaged or lost.

    Examples
    --------
    >>> data = slot_columns("2019:272:02:00", "2019:272:03:00", 0, imgsize=8, columns=["QUALITY"])  # doctest: +SKIP
    >>> data.times[:2], data.values["QUALITY"][:2]  # doctest: +SKIP
    (array([6.86111012e+08, 6.86111017e+08]), array([0, 0], dtype=int32))
    """
    slot, sizes = checked_slot(slot), checked_sizes(imgsize)
    names = [name for name in checked_columns("slot_columns", columns) if name not in _DERIVED]
    archive = level0_archive(db, data_root)
    groups = archive.read_tables(
        start, stop, names, where={"slot": [slot], "imgsize": list(sizes)}, use_store=use_store
    )
    return _merged(archive, slot, [group for group in groups if len(group)], names, centered=centered)


def checked_slot(slot: Any) -> int:
    """Return a slot as a number; refuse what is none.

    Parameters
    ----------
    slot : int
        0 to 7.

    Raises
    ------
    DeclarationError
        It is none. It is a ValueError.
    """
    is_number = isinstance(slot, int | np.integer) and not isinstance(slot, bool)
    if not is_number or slot not in SLOTS:
        raise DeclarationError("level-0 telemetry", "slot", slot, "a slot from 0 to 7")
    return int(slot)


def checked_sizes(imgsize: Any) -> tuple[int, ...]:
    """Return sizes of images; None stands for all.

    Parameters
    ----------
    imgsize : int, sequence of int or None
        4, 6 or 8.

    Raises
    ------
    DeclarationError
        There is no such size. It is a ValueError.
    """
    if imgsize is None:
        return IMAGE_SIZES
    try:
        asked = np.atleast_1d(np.asarray(list(imgsize) if isinstance(imgsize, Set) else imgsize))
    except ValueError:  # lists of different lengths
        asked = np.empty(0)
    if asked.dtype.kind not in "iu" or not set(asked.ravel().tolist()) <= set(IMAGE_SIZES):
        raise DeclarationError("level-0 telemetry", "imgsize", imgsize, "4, 6 or 8, or several of these")
    return tuple(sorted(set(asked.ravel().tolist())))


# ---- rows of several files and sizes --------------------------------------------------------------------------------


def _merged(
    archive: DayArchive, slot: int, groups: Sequence[TableRows], names: Sequence[str], *, centered: bool
) -> SlotColumns:
    """Put the rows of all sizes together, in the order of time."""
    lengths = [len(group) for group in groups]
    rows = [row for group in groups for row in group.files]
    times = _joined([group.values["TIME"] for group in groups], np.dtype(float))
    counts = tuple(count for group in groups for count in group.counts.tolist())
    sizes = _repeated([group.group["imgsize"] for group in groups], lengths)
    order = _order(times, rows, counts)
    values: dict[str, npt.NDArray[Any]] = {}
    missing: dict[str, BoolArray] = {}
    for name in dict.fromkeys(["TIME", *names]):
        column, lacking = _images(groups, centered=centered) if name == "IMGRAW" else _column(groups, name)
        values[name] = column if order is None else column[order]
        if lacking is not None:
            missing[name] = lacking if order is None else lacking[order]
    return SlotColumns(
        slot=slot,
        times=values["TIME"],
        values=values,
        missing=missing,
        imgsize=sizes if order is None else sizes[order],
        files=tuple(row["filename"] for row in rows),
        file_counts=counts,
        order=order,
        synthetic=any(group.synthetic for group in groups),
        provenance={
            "archive": str(archive.roots[0]),
            "product": archive.name,
            "files": len(rows),
            "files_from_column_store": sum(group.from_store for group in groups),
        },
    )


def _order(times: FloatArray, rows: Sequence[Mapping[str, Any]], counts: Sequence[int]) -> IntArray | None:
    """Return which rows are taken, in the order of time; None where all are, as they are."""
    if _ascend(times):
        return None
    order = np.argsort(times, kind="stable")
    is_first = np.ones(len(times), dtype=bool)
    is_first[1:] = np.diff(times[order]) > _SAME
    # Rows at one time are a group, of which the last one by revision and file is taken. They are few: only they are
    # looked at, so that this needs little more memory than the times themselves.
    shared = np.flatnonzero(~(is_first & np.append(is_first[1:], True)))
    if shared.size:
        group = np.cumsum(is_first[shared])
        file = np.searchsorted(np.cumsum(counts), order[shared], side="right")
        revisions = np.array([-1 if row["revision"] is None else row["revision"] for row in rows])[file]
        later = np.argsort(np.argsort([row.get("filetime") or 0 for row in rows], kind="stable"))[file]
        by_merit = np.lexsort((order[shared], later, revisions, group))
        is_taken = np.diff(group[by_merit], append=0) != 0
        order[shared[is_first[shared]]] = order[shared[by_merit[is_taken]]]
    return np.asarray(order[is_first])


def _ascend(times: FloatArray) -> bool:
    """Say whether each time is later than the one before; block by block, so that differences stay in the cache."""
    return all(
        bool((np.diff(times[first : first + _BLOCK + 1]) > _SAME).all()) for first in range(0, len(times), _BLOCK)
    )


def _column(groups: Sequence[TableRows], name: str) -> tuple[npt.NDArray[Any], BoolArray | None]:
    """Return a column of all groups, and which of the rows lack it."""
    column = ACA_COLUMNS[name]
    kind = np.dtype(column.dtype).newbyteorder("=")
    if all(name in group.values and name not in group.lacking for group in groups):
        return _joined([group.values[name].astype(kind, copy=False) for group in groups], kind), None
    parts, lacking = [], []
    for group in groups:
        found = group.values.get(name)
        none = np.full(len(group), found is None) if name not in group.lacking else group.lacking[name]
        part = np.zeros(len(group), kind) if found is None else found.astype(kind, copy=False)
        if column.default and none.any():
            part = np.where(none, column.default, part).astype(kind)
            none = np.zeros_like(none)
        parts.append(part)
        lacking.append(none)
    is_lacking = _joined(lacking, np.dtype(bool))
    return _joined(parts, kind), is_lacking if is_lacking.any() else None


def _images(groups: Sequence[TableRows], *, centered: bool) -> tuple[npt.NDArray[Any], BoolArray | None]:
    """Return the images of all groups in 8x8 pixels, and which pixels are none.

    Of an image of 6x6 pixels the corners are not read by the camera, and are zero in the files.
    """
    total = sum(len(group) for group in groups)
    sizes = [group.group["imgsize"] for group in groups]
    if sizes == [_LARGEST] and "IMGRAW" in groups[0].values and "IMGRAW" not in groups[0].lacking:
        return groups[0].values["IMGRAW"].astype(np.float32, copy=False), None
    images = np.zeros((total, _LARGEST, _LARGEST), np.float32)
    missing = np.ones(images.shape, dtype=bool)
    first = 0
    for group, size in zip(groups, sizes, strict=True):
        rows = slice(first, first + len(group))
        low = (_LARGEST - size) // 2 if centered else 0
        place = slice(low, low + size)
        if "IMGRAW" in group.values:
            images[rows, place, place] = group.values["IMGRAW"]
            missing[rows, place, place] = group.lacking.get("IMGRAW", np.zeros(len(group), bool))[:, None, None]
        if size == 6:
            for corner in ((low, low), (low, low + 5), (low + 5, low), (low + 5, low + 5)):
                missing[(rows, *corner)] = True
        first += len(group)
    return images, missing if missing.any() else None


def _repeated(values: Sequence[int], counts: Sequence[int]) -> IntArray:
    """Return each value so many times; `numpy.repeat` takes its time where there are few of many."""
    if len(values) == 1:
        return np.broadcast_to(np.int64(values[0]), counts[0])
    found = np.empty(sum(counts), np.int64)
    first = 0
    for value, count in zip(values, counts, strict=True):
        found[first : first + count] = value
        first += count
    return found


def _joined(parts: Sequence[npt.NDArray[Any]], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    if len(parts) == 1:
        return np.asarray(parts[0], dtype=kind)
    return np.concatenate(parts) if parts else np.zeros(0, kind)
