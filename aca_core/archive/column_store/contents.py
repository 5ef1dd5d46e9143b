"""What a piece has and where in it the bytes of a column lie: remembered between questions, and read without HDF5.

HDF5 needs some 0.2 ms to open a piece and 0.08 ms for each column, which for one quantity over some weeks is more than
reading its bytes. Columns are contiguous, so that HDF5 says at which byte one begins (H5Dget_offset); a piece never
changes, so that the answer holds as long as it is the same file.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from aca_core.archive.column_store.pieces import Piece, PieceColumn, Run
from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Contents"]

_MOST: Final = 60_000
"""Of how many files and columns in pieces it is remembered where they are; each takes some 0.5 kB."""

_MOST_OPEN: Final = 64
"""How many pieces a question holds open, each with up to two descriptors; the system may allow 256 in all."""

_Identity: TypeAlias = tuple[str, int, int, int, int]
"""Path, device, inode, time and size of a piece: another file has another one."""


@attrs.define
class _Known:
    """What is remembered of one piece."""

    runs: dict[str, dict[str, Run]] = attrs.field(factory=dict)
    names: dict[str, list[str]] = attrs.field(factory=dict)
    columns: dict[tuple[str, str], PieceColumn | None] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return 1 + sum(map(len, self.runs.values())) + len(self.columns)


_remembered: dict[_Identity, _Known] = {}
"""What was asked for last is the last."""


class Contents:
    """A piece, for one question. Close it.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    others : deque of Contents
        Those of the same question that are open: where they are many, the first one is closed until it is read again.

    Raises
    ------
    FileNotFoundError
        It is not there.
    """

    def __init__(self, path: Path, others: deque[Contents]) -> None:
        self.path = path
        self._others = others
        self._descriptor: int | None = None
        self._piece: Piece | None = None
        self._is_looked_into = False
        self._identity = _identity(path, os.fstat(self._open()))
        self._known = _remembered.get(self._identity) or _Known()
        if self._identity in _remembered:
            _remembered[self._identity] = _remembered.pop(self._identity, self._known)  # it is the latest one now

    def close(self) -> None:
        """Close the file, and remember what was found out."""
        self._rest()
        if self._is_looked_into:
            _remember(self._identity, self._known)

    def runs(self, group: str) -> dict[str, Run]:
        """Return by the name of the file whose rows it has of one group, and where.

        Parameters
        ----------
        group : str
            Such as ``slot_3/imgsize_8``.

        Raises
        ------
        IntegrityError
            It is damaged, or no piece.
        FileNotFoundError
            It was replaced just now.
        """
        found = self._known.runs.get(group)
        if found is None:
            runs = self._hdf5().runs(group)
            rows = [run.source.rows for run in runs]
            if min(rows, default=0) < 0 or sum(rows) > self._identity[-1]:  # a row has a byte at least
                raise IntegrityError(self.path, f"is smaller than the rows of {group} that it says to have")
            found = {run.source.filename: run for run in runs}
            self._known.runs[group] = found
        return found

    def names(self, place: str) -> list[str]:
        """Return the names of the columns of a place, as a `Run` names it."""
        if place not in self._known.names:
            self._known.names[place] = self._hdf5().names(place)
        return self._known.names[place]

    def column(self, place: str, name: str) -> PieceColumn | None:
        """Return the type of a column and where it lies; None where the place has none of that name."""
        key = (place, name)
        if key not in self._known.columns:
            self._known.columns[key] = self._hdf5().column(place, name)
        return self._known.columns[key]

    def read_into(self, place: str, name: str, first: int, out: npt.NDArray[Any]) -> None:
        """Fill an array with rows of a column.

        Parameters
        ----------
        place, name : str
            Which column; it must be there.
        first : int
            The number of the first row.
        out : ndarray, shape (rows, ...)
            Contiguous, and of the type of the column.

        Raises
        ------
        IntegrityError
            The piece is damaged.
        FileNotFoundError
            It was replaced just now.
        """
        import numpy as np

        column = self.column(place, name)
        if column is None or column.kind != out.dtype or column.shape != out.shape[1:]:
            raise IntegrityError(self.path, f"has no column {place}/{name} of {out.dtype} and {out.shape[1:]}")
        if not out.size:
            return
        if first + len(out) > column.rows:
            raise IntegrityError(self.path, f"has {column.rows} rows of {name} at {place}; expected {first + len(out)}")
        if column.offset is None:  # nothing that we have written
            out[...] = self._hdf5().read(place, name, first, len(out))
            return
        left = memoryview(out.reshape(-1).view(np.uint8).data)
        offset = column.offset + first * (out.nbytes // len(out))
        while left:
            try:
                got = os.preadv(self._own_descriptor(), [left], offset)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise IntegrityError(self.path, f"cannot be read at {place}/columns/{name}: {error}") from error
            if not got:
                raise IntegrityError(self.path, f"ends within {place}/columns/{name}")
            left, offset = left[got:], offset + got

    def _open(self) -> int:
        while len(self._others) >= _MOST_OPEN:
            self._others.popleft()._rest()
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self._others.append(self)
        return self._descriptor

    def _rest(self) -> None:
        """Close what is open, until it is asked for again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        if self._piece is not None:
            self._piece.close()
        self._descriptor = self._piece = None

    def _own_descriptor(self) -> int:
        """Return the descriptor of the very file that was there at first."""
        descriptor = self._descriptor
        if descriptor is None:
            descriptor = self._open()
            self._check(os.fstat(descriptor))
        return descriptor

    def _hdf5(self) -> Piece:
        self._own_descriptor()  # as long as that is open, no other file has its identity
        if self._piece is None:
            self._piece = Piece(self.path)
            self._check(self.path.stat())
            self._is_looked_into = True
        return self._piece

    def _check(self, status: os.stat_result) -> None:
        if _identity(self.path, status) != self._identity:
            self._rest()
            raise FileNotFoundError(f"{self.path} was replaced just now")


def _identity(path: Path, status: os.stat_result) -> _Identity:
    return str(path), status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size


def _remember(identity: _Identity, known: _Known) -> None:
    """Keep what was found out; what was asked for longest ago is forgotten."""
    for other in [each for each in list(_remembered) if each[0] == identity[0] and each != identity]:
        _remembered.pop(other, None)
    _remembered[identity] = known
    while len(_remembered) > 1 and sum(map(len, list(_remembered.values()))) > _MOST:
        _remembered.pop(next(iter(list(_remembered))), None)
