"""How a piece of a column store is written: whole, durably, and then by one rename to where it is looked for."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive._disk import make_folders, sync_file, sync_folder
from aca_core.archive.column_store.pieces import FORMAT, SOURCE_FIELDS, Schema, Source, in_path, sum_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Part", "is_part_of_piece", "write_piece"]

_NEW: Final = ".new"

_BATCH: Final = 4 * 1024 * 1024
"""From how many bytes of a column on they are written, instead of waiting for those of the next file."""

_VERSIONS: Final = ("v110", "v110")
"""What HDF5 writes since 2016: unlike the oldest form it has checksums of all but the values, which have ours."""


@attrs.frozen
class Part:
    """Rows for a piece that is to be written: of one file, or of several that follow each other in another piece.

    Attributes
    ----------
    group : str
        To which group of tables they belong, ``slot_3/imgsize_8``.
    schema : Schema
        Their columns.
    sources : tuple of Source
        The files, in the order of the rows.
    read : callable
        Returns the rows of a column by its name.
    """

    group: str
    schema: Schema
    sources: tuple[Source, ...]
    read: Callable[[str], npt.NDArray[Any]]

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(source.rows for source in self.sources)


def is_part_of_piece(name: str) -> bool:
    """Say whether a file is one that was being written, by its name."""
    return name.startswith(".") and name.endswith(_NEW)


def write_piece(path: Path, parts: Iterable[Part], remarks: Mapping[str, Any]) -> None:
    """Write a piece, or replace it, durably; it is there whole or not at all.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    parts : iterable of Part
        What it shall have; those of one group and schema in the order of their rows.
    remarks : mapping
        Further attributes, of what it is.

    Raises
    ------
    OSError
        The disk is full or may not be written to. What was there stays.
    """
    parts = list(parts)
    make_folders(path.parent)
    new = path.with_name(f".{path.name}.{os.getpid()}{_NEW}")
    try:
        with new.open("w+b", buffering=0) as stream:
            _write_parts(_Sink(stream, new), parts, remarks)
        sync_file(new)
        new.rename(path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    sync_folder(path.parent)


class _Sink:
    """A file as h5py writes to it. HDF5 is never told that a write has failed, for it does not survive that.

    It crashes the process when a file cannot be closed, on a full disk. So what does not go well is kept here, and the
    rest of what is written let go, until somebody asks `check`.
    """

    def __init__(self, stream: io.RawIOBase, path: Path) -> None:
        self._descriptor = stream.fileno()
        self._path = path
        self._place = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise what the system said, if something was not written."""
        if self._error is not None:
            number = self._error.errno or errno.EIO
            raise OSError(number, os.strerror(number), str(self._path)) from self._error

    def write(self, data: bytes | bytearray | memoryview) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            done = 0
            while self._error is None and done < size:
                done += os.pwrite(self._descriptor, left[done:], self._place + done)
        except OSError as error:
            self._error = error
        self._place += size
        return size

    def read(self, size: int) -> bytes:
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def readinto(self, data: bytes | bytearray | memoryview) -> int:
        """Read what was written, and nothing but zeros where it was let go."""
        view = memoryview(data).cast("B")
        try:
            got = os.preadv(self._descriptor, [view], self._place)
        except OSError as error:
            self._error, got = self._error or error, 0
        view[got:] = bytes(len(view) - got)
        self._place += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        length = self._place if size is None else size
        try:
            os.ftruncate(self._descriptor, length)
        except OSError as error:
            self._error = self._error or error
        return length

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place}.get(whence)
        self._place = place + (os.fstat(self._descriptor).st_size if start is None else start)
        return self._place

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        """Nothing is held back."""


def _write_parts(sink: _Sink, parts: Sequence[Part], remarks: Mapping[str, Any]) -> None:
    import h5py

    tables: dict[str, dict[Schema, list[Part]]] = {}
    for part in parts:
        tables.setdefault(part.group, {}).setdefault(part.schema, []).append(part)
    with h5py.File(sink, "w", libver=_VERSIONS, track_order=False) as file:
        file.attrs["format"] = _text(FORMAT)
        file.attrs["synthetic"] = any(source.synthetic for part in parts for source in part.sources)
        for name, value in remarks.items():
            file.attrs[name] = _text(value)
        for group, variants in sorted(tables.items()):
            for number, (schema, some) in enumerate(variants.items()):
                _write_table(file.create_group(f"{group}/{number}"), schema, some)
                sink.check()
    sink.check()


def _text(value: Any) -> Any:
    """Return texts as bytes of a fixed length: others lie in a heap without checksum, in which HDF5 can go astray."""
    import numpy as np

    return np.char.encode(value, "utf-8") if np.asarray(value).dtype.kind == "U" else value


def _write_table(table: Any, schema: Schema, parts: Sequence[Part]) -> None:
    import numpy as np

    sources = [source for part in parts for source in part.sources]
    rows = [tuple(getattr(source, name) for name, _ in SOURCE_FIELDS) for source in sources]
    encoded = [tuple(value.encode() if isinstance(value, str) else value for value in row) for row in rows]
    table["sources"] = np.array(encoded, dtype=SOURCE_FIELDS)
    columns, total = table.create_group("columns").id, sum(part.rows for part in parts)
    for name, kind, shape in schema:
        column = _Column(columns, name, np.dtype(kind), (total, *shape))
        for values in _batches(part.read(name) for part in parts if part.rows):
            column.append(values)
        column.end()


class _Column:
    """A column as it is written, by the functions below h5py's own: those take twice as long as a day of values."""

    def __init__(self, group: Any, name: str, kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
        from h5py import h5d, h5s, h5t

        self._kind = kind
        self._space = h5s.create_simple(shape)
        self._dataset = h5d.create(group, in_path(name).encode(), h5t.py_create(kind, logical=True), self._space)
        self._rest = (0,) * (len(shape) - 1)
        self._rows = 0
        self._crc = 0

    def append(self, values: npt.NDArray[Any]) -> None:
        """Write the next rows."""
        import numpy as np
        from h5py import h5s

        values = np.ascontiguousarray(values, self._kind)
        self._space.select_hyperslab((self._rows, *self._rest), values.shape)
        self._dataset.write(h5s.create_simple(values.shape), self._space, values)
        self._crc = sum_of(values, self._crc)
        self._rows += len(values)

    def end(self) -> None:
        """Write down the sum of all rows."""
        import numpy as np
        from h5py import h5a, h5s, h5t

        attribute = h5a.create(self._dataset, b"crc32", h5t.STD_U32LE, h5s.create(h5s.SCALAR))
        attribute.write(np.array(self._crc, "u4"))


def _batches(parts: Iterable[npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
    """Yield rows of several parts together: each writing costs h5py as much as 200 kB."""
    import numpy as np

    waiting: list[npt.NDArray[Any]] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += part.nbytes
        if size > _BATCH:
            yield np.concatenate(waiting)
            waiting, size = [], 0
    if waiting:
        yield np.concatenate(waiting)
