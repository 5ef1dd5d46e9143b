"""What a piece of a column store is: an HDF5 file of columns, with the files that each row is of. Knows no archive.

Columns lie contiguous and as they are. Measured: the times of 19 days are read in 0.3 ms so, in 0.4 ms in chunks of
64 kB, in 4 ms compressed with shuffle and gzip at level 1, and in 6 ms with lzf; a day of images takes 0.5, 1.1, 16 and
12 ms. Compressing would save 60 % of the bytes of images (docs/benchmarks.md). Pieces are never appended to, so that
nothing asks for chunks; and of contiguous columns it is known at which byte they begin, so that they are read at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "FORMAT",
    "SOURCE_FIELDS",
    "Piece",
    "PieceColumn",
    "Run",
    "Schema",
    "Source",
    "in_path",
    "is_sound",
    "sum_of",
]

FORMAT: Final = "aca_core columns 1"
"""What a piece says that it is."""

_OF_DAMAGE: Final = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError, MemoryError, OverflowError)
"""What h5py raises for damaged files; where a shape is damaged, there may be no memory of that size."""

SOURCE_FIELDS: Final = [
    ("filename", "S255"),
    ("day", "S8"),
    ("revision", "i4"),
    ("size", "i8"),
    ("sha256", "S64"),
    ("rows", "i8"),
    ("tmin", "f8"),
    ("tmax", "f8"),
    ("synthetic", "u1"),
    ("is_ordered", "u1"),
]

Schema: TypeAlias = tuple[tuple[str, str, tuple[int, ...]], ...]
"""Of each column of a table its name, type and shape of an element."""


@attrs.frozen(kw_only=True)
class Source:
    """A file of which a piece has the rows.

    Attributes
    ----------
    filename : str
        Base name.
    day : str
        The folder of its day, ``2019/272``.
    revision : int
        -1 where the index has none.
    size : int
        Bytes.
    sha256 : str
        In hexadecimal digits.
    rows : int
        How many it has.
    tmin, tmax : float
        The least and the greatest of its times, CXC seconds; NaN where there is none.
    synthetic : bool
        Whether its header says that it was made by a program.
    is_ordered : bool
        Whether its times ascend and none of them is NaN: then those of a range are found without looking at each.
    """

    filename: str
    day: str
    revision: int
    size: int
    sha256: str
    rows: int
    tmin: float
    tmax: float
    synthetic: bool = False
    is_ordered: bool = False


@attrs.frozen
class Run:
    """Where the rows of a file lie in a piece.

    Attributes
    ----------
    place : str
        The group in the HDF5 file, ``slot_3/imgsize_8/0``.
    first : int
        The number of its first row.
    source : Source
        The file.
    """

    place: str
    first: int
    source: Source


@attrs.frozen(eq=False)
class PieceColumn:
    """What a column of a piece is, and where its bytes are.

    Attributes
    ----------
    kind : dtype
        Of its elements.
    shape : tuple of int
        Of one row.
    rows : int
        How many it has.
    offset : int or None
        At which byte of the file it begins; None where it is not contiguous.
    """

    kind: np.dtype[Any]
    shape: tuple[int, ...]
    rows: int
    offset: int | None


class Piece:
    """A piece, open for reading. It is a context manager.

    Parameters
    ----------
    path : Path
        The HDF5 file.

    Raises
    ------
    FileNotFoundError
        It is not there.
    IntegrityError
        It is damaged, or no piece.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        self.path = path
        try:
            # A piece never changes, so that there is nothing to lock; and some mounts know no locks.
            self._file = h5py.File(path, "r", locking=False)
        except FileNotFoundError:
            raise
        except _OF_DAMAGE as error:
            if not path.exists():  # it was removed while HDF5 was opening it, which has no number for that
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
            raise self._damaged(f"cannot be opened: {error}") from error
        try:
            found = self._file.attrs.get("format")
            found = found.decode() if isinstance(found, bytes) else found
        except _OF_DAMAGE as error:
            self._file.close()
            raise self._damaged(f"cannot be read at its attributes: {error}") from error
        if not (isinstance(found, str) and found == FORMAT):
            self._file.close()
            raise self._damaged(f"says of its format {found!r}; expected {FORMAT!r}")

    def __enter__(self) -> Piece:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def groups(self) -> list[str]:
        """Return the groups of tables in it, such as ``slot_3/imgsize_8``."""
        found: set[str] = set()
        with self._reading("its groups"):
            self._file.visit(lambda name: found.add(name) if name.endswith("/sources") else None)
        return sorted({name.rpartition("/")[0].rpartition("/")[0] for name in found})

    def runs(self, group: str) -> list[Run]:
        """Return the files whose rows it has of one group, in the order of their rows.

        Parameters
        ----------
        group : str
            Such as ``slot_3/imgsize_8``.

        Returns
        -------
        list of Run
            Empty where it has none of the group.
        """
        with self._reading(group):
            tables = self._file.get(group)
            if tables is None:
                return []
            return [run for name in tables for run in self._runs_at(f"{group}/{name}")]

    def _runs_at(self, place: str) -> Iterator[Run]:
        first = 0
        table = self._file[f"{place}/sources"][()].tolist()
        for name, day, revision, size, sha256, rows, tmin, tmax, synthetic, is_ordered in table:
            source = Source(
                filename=name.decode(),
                day=day.decode(),
                revision=revision,
                size=size,
                sha256=sha256.decode(),
                rows=rows,
                tmin=tmin,
                tmax=tmax,
                synthetic=bool(synthetic),
                is_ordered=bool(is_ordered),
            )
            yield Run(place, first, source)
            first += rows

    def names(self, place: str) -> list[str]:
        """Return the names of the columns of a place, as a `Run` names it."""
        with self._reading(place):
            return [_out_of_path(name) for name in self._file[f"{place}/columns"]]

    def schema(self, place: str) -> Schema:
        """Return the columns of a place, as a `Run` names it."""
        with self._reading(place):
            columns = self._file[f"{place}/columns"]
            return tuple((_out_of_path(name), each.dtype.str, each.shape[1:]) for name, each in columns.items())

    def column(self, place: str, name: str) -> PieceColumn | None:
        """Return what a column of a place is; None where the place has none of that name."""
        from h5py import h5d

        path = _path_of(place, name)
        with self._reading(path):
            try:
                dataset = h5d.open(self._file.id, path.encode())
            except KeyError:
                return None
            is_contiguous = dataset.get_create_plist().get_layout() == h5d.CONTIGUOUS
            rows, *shape = dataset.shape
            return PieceColumn(dataset.dtype, tuple(shape), rows, dataset.get_offset() if is_contiguous else None)

    def read(self, place: str, column: str, first: int, rows: int) -> npt.NDArray[Any] | None:
        """Read some rows of a column.

        Parameters
        ----------
        place : str
            As a `Run` names it.
        column : str
            Its name, in upper case.
        first, rows : int
            Which row is the first, and how many.

        Returns
        -------
        ndarray, shape (rows, ...), or None
            None where these tables have no such column.

        Raises
        ------
        IntegrityError
            The piece is damaged.
        """
        import numpy as np
        from h5py import h5d, h5s

        path = _path_of(place, column)
        with self._reading(path):
            # By the functions below h5py's own: its slices cost as much again as the reading of a short one.
            try:
                dataset = h5d.open(self._file.id, path.encode())
            except KeyError:
                return None
            shape = dataset.shape
            if first + rows > shape[0]:
                raise ValueError(f"it has {shape[0]} rows; expected {first + rows}")
            values = np.empty((rows, *shape[1:]), dataset.dtype)
            if rows:
                space, rest = dataset.get_space(), (0,) * (len(shape) - 1)
                space.select_hyperslab((first, *rest), values.shape)
                dataset.read(h5s.create_simple(values.shape), space, values)
            return values

    def check(self) -> Iterator[str]:
        """Yield what is wrong with it: it is read to its last byte, and compared with the sums written with it."""
        for group in self.groups():
            for place in dict.fromkeys(run.place for run in self.runs(group)):
                rows = sum(run.source.rows for run in self.runs(group) if run.place == place)
                for column, _, _ in self.schema(place):
                    name = _path_of(place, column)
                    with self._reading(name):
                        dataset = self._file[name]
                        expected, there = int(dataset.attrs["crc32"]), len(dataset)
                    if there != rows:
                        yield f"{name} has {there} rows; expected {rows}"
                    elif sum_of(self.read(place, column, 0, rows)) != expected:
                        yield f"{name} has other values than were written"

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Say of whatever h5py raises for a damaged file which one it is."""
        try:
            yield
        except _OF_DAMAGE as error:
            raise self._damaged(f"cannot be read at {what}: {error}") from error

    def _damaged(self, problem: str) -> IntegrityError:
        return IntegrityError(self.path, f"{problem}; 'aca verify --repair' makes it again from the files")


def in_path(name: str) -> str:
    """Return a name as one part of a path in HDF5, to which slashes and dots mean something.

    Parameters
    ----------
    name : str
        Of a column, or the value by which tables are grouped; not empty.
    """
    return name.replace("%", "%25").replace("/", "%2F").replace(".", "%2E")


def _out_of_path(name: str) -> str:
    return name.replace("%2E", ".").replace("%2F", "/").replace("%25", "%")


def _path_of(place: str, column: str) -> str:
    return f"{place}/columns/{in_path(column)}"


def is_sound(path: Path) -> bool:
    """Say whether a piece is there with the values that were written; it is read to its last byte."""
    try:
        with Piece(path) as piece:
            return next(piece.check(), None) is None
    except (FileNotFoundError, IntegrityError):
        return False


def sum_of(values: Any, before: int = 0) -> int:
    """Return the CRC-32 of values, or that of others and of these behind them."""
    import numpy as np

    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data, before) if values.size else before
