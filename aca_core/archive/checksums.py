"""Whether the bytes of a file are whole: gzip to its end, FITS to its last HDU, and the checksums, all in one pass.

What is read is bounded in size and never held in memory as a whole, since it comes from outside.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.errors import IntegrityError
from aca_core.fits_files import BLOCK, HeaderBlocks, fits_errors, size_of_data

if TYPE_CHECKING:
    from aca_core.fits_header import FitsKeywords

__all__ = ["MAX_CONTENT_BYTES", "MAX_FILE_BYTES", "MAX_RATIO", "FileCheck", "OnesSum", "check_file"]

MAX_FILE_BYTES: Final = 2 * 1024**3
"""How large a delivered file may be; the largest aspect products have some 100 MB."""

MAX_CONTENT_BYTES: Final = 2 * 1024**3
"""How large a file may be once decompressed."""

MAX_RATIO: Final = 500
"""How many times its own size a file may be once decompressed; telemetry and tables reach 20."""

_RATIO_FREE: Final = 64 * 1024**2
"""Content up to this size may have any ratio, such as that of an image of zeros."""

_MAX_MEMBERS: Final = 100_000
"""Members of a gzip file; those of block-wise compression hold 64 kB each."""

_MAX_HDUS: Final = 10_000

_CHUNK: Final = 256 * 1024
"""How much is read at a time, and decompressed at most; 1 MB is slower, since memory then comes new from the system."""
_SLICE: Final = 64 * 1024
"""How much is decompressed at a time. Behind each member zlib copies what is left, so that must not be much."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_BITS: Final = 31  # zlib's word for a gzip header and trailer around the largest window
_FITS_START: Final = b"SIMPLE  ="
_ZEROS: Final = bytes(BLOCK)
_ONES: Final = 2**32 - 1


@attrs.frozen
class FileCheck:
    """What reading a file from end to end has shown.

    Attributes
    ----------
    size : int
        Bytes of the file as it is, compressed or not.
    sha256 : str
        Of the same bytes, in hexadecimal digits.
    problems : tuple of str
        The checksums of FITS that do not agree with the data. The file is whole otherwise.
    """

    size: int
    sha256: str
    problems: tuple[str, ...] = ()


def check_file(path: Path) -> FileCheck:
    """Read a file from end to end, and what it holds once decompressed.

    Gzip and FITS are told from the content, never from the name. Anything else is read and counted.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    FileCheck
        Its size, its digest, and the checksums in it that are wrong.

    Raises
    ------
    IntegrityError
        The file is empty, cut short, damaged, followed by other bytes, larger than allowed, or no regular file.
    OSError
        It cannot be opened or read.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "a.fits", {"CONTENT": "SIMCOOR"})
    >>> check_file(path).problems
    ()
    >>> _ = path.write_bytes(path.read_bytes().replace(b"SIMCOOR", b"SIMCOOL"))
    >>> check_file(path).problems
    ('CHECKSUM of HDU 1 is wrong: the HDU sums to 4294574079, expected 0 or 4294967295',)
    """
    with _opened(path) as stream:
        delivered = _Delivered(path, stream)
        problems = _problems_in(path, _content(delivered))
    return FileCheck(delivered.size, delivered.digest.hexdigest(), problems)


def _damaged(path: Path, problem: str) -> IntegrityError:
    return IntegrityError(path, f"{problem}; fetch it again")


# ---- bytes ----------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[RawIOBase]:
    """Open a regular file, and never wait for what took its place, such as a pipe."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise IntegrityError(path, "is no regular file; put the file itself there")
    with open(path, "rb", buffering=0, opener=_without_waiting) as stream:
        yield stream


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


class _Delivered:
    """The bytes of a file as it is, counted and digested while they are read."""

    def __init__(self, path: Path, stream: RawIOBase) -> None:
        self.path = path
        self.size = 0
        self.digest = hashlib.sha256()
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        while chunk := self._stream.read(_CHUNK):
            self.size += len(chunk)
            if self.size > MAX_FILE_BYTES:
                raise IntegrityError(self.path, f"is larger than {MAX_FILE_BYTES} bytes, the most that a file may have")
            self.digest.update(chunk)
            yield chunk
        if not self.size:
            raise _damaged(self.path, "is empty")


def _content(delivered: _Delivered) -> Iterator[bytes]:
    """Yield what a file holds, once decompressed."""
    chunks = delivered.chunks()
    first = next(chunks)
    if first.startswith(_GZIP_MAGIC):
        yield from _decompressed(delivered, first, chunks)
    else:
        yield first
        yield from chunks


def _decompressed(delivered: _Delivered, first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of gzip members up to the end of the last."""
    members = _Members(delivered.path)
    chunk: bytes | None = first
    size = 0
    while chunk is not None:
        for start in range(0, len(chunk), _SLICE):
            for piece in members.pieces(chunk[start : start + _SLICE]):
                size += len(piece)
                _check_size(delivered, size)
                yield piece
        chunk = next(chunks, None)
    if members.is_open:
        raise _damaged(delivered.path, "its gzip compression ends before its content does")


def _check_size(delivered: _Delivered, size: int) -> None:
    """Refuse a file that decompresses to more than a product can be."""
    most = MAX_CONTENT_BYTES
    if size > _RATIO_FREE:
        most = min(most, max(_RATIO_FREE, MAX_RATIO * delivered.size))
    if size > most:
        found = f"decompresses to more than {most} bytes from {delivered.size}"
        expected = f"expected at most {MAX_CONTENT_BYTES} bytes, and {MAX_RATIO} times its size"
        raise IntegrityError(delivered.path, f"{found}; {expected}; find out who made it before it is fetched again")


class _Members:
    """The members of a gzip file, as many as follow each other; zeros behind one are padding, as for gzip itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inflater: Any = None
        self._count = 0

    @property
    def is_open(self) -> bool:
        return self._inflater is not None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield the content of the next bytes, of which there are never too many to hold."""
        while data := data if self.is_open else self._begin(data):
            try:
                piece = self._inflater.decompress(data, _CHUNK)
            except zlib.error as error:
                raise _damaged(self._path, f"its gzip compression is damaged ({error})") from error
            if self._inflater.eof:
                data, self._inflater = self._inflater.unused_data, None
            else:
                data = self._inflater.unconsumed_tail
            yield piece

    def _begin(self, data: bytes) -> bytes:
        """Prepare for a member, and return the data without the padding before it."""
        if data and self._count:
            data = data.lstrip(b"\0")
        if data:
            if not data.startswith(_GZIP_MAGIC[:1]):
                raise _damaged(self._path, f"other bytes follow its gzip compression, such as {data[:9]!r}")
            self._count += 1
            if self._count > _MAX_MEMBERS:
                raise IntegrityError(self._path, f"has more than {_MAX_MEMBERS} gzip members; expected one")
            self._inflater = zlib.decompressobj(_GZIP_BITS)
        return data


# ---- FITS -----------------------------------------------------------------------------------------------------------


def _problems_in(path: Path, pieces: Iterator[bytes]) -> tuple[str, ...]:
    """Read content to its end, and return the checksums in it that are wrong."""
    start = b""
    while len(start) < len(_FITS_START) and (piece := next(pieces, None)) is not None:
        start += piece
    if not start.startswith(_FITS_START):
        for _ in pieces:
            pass  # decompressed and counted, which is all that can be said of it here
        return ()
    hdus = _Hdus(path)
    hdus.feed(start)
    for piece in pieces:
        hdus.feed(piece)
    return hdus.finish()


class OnesSum:
    r"""The 1's complement sum of FITS checksums: of big-endian words of 32 bits, in pieces of any length.

    Examples
    --------
    >>> total = OnesSum()
    >>> for piece in (b"\0", b"\0\0\1\0\0", b"\0\2"):
    ...     total.add(piece)
    >>> total.value
    3
    """

    def __init__(self) -> None:
        self._sum = 0
        self._rest = b""

    @property
    def value(self) -> int:
        """The sum of the whole words so far, from 0 to 2**32 - 2, since all ones are another way to write 0."""
        return self._sum % _ONES

    def add(self, piece: bytes | memoryview) -> None:
        """Add the next bytes.

        Parameters
        ----------
        piece : bytes-like
            Any number of them.
        """
        import numpy as np

        if self._rest:
            missing = 4 - len(self._rest)
            self._rest += bytes(piece[:missing])
            piece = piece[missing:]
            if len(self._rest) < 4:
                return
            self._sum += int.from_bytes(self._rest, "big")
        whole = len(piece) // 4
        if whole:
            self._sum += int(np.frombuffer(piece, dtype=">u4", count=whole).sum(dtype=np.uint64))
        self._rest = bytes(piece[4 * whole :])


@attrs.frozen
class _Claims:
    """What a header says of its HDU."""

    size: int
    checksum: str
    datasum: str

    @classmethod
    def of(cls, header: FitsKeywords) -> _Claims:
        return cls(size_of_data(header), _claim(header, "CHECKSUM"), _claim(header, "DATASUM"))


def _claim(header: FitsKeywords, name: str) -> str:
    """Return what a checksum keyword says; nothing where it is absent, undefined or blank, which mean not known."""
    value = header.get(name)
    return "" if value is None else str(value).strip()


class _Hdus:
    """The HDUs of a FITS file, checked while its content passes by."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problems: list[str] = []
        self._number = 0
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        self._block = bytearray()
        self._blocks = HeaderBlocks()
        self._claims: _Claims | None = None
        self._missing = 0
        self._header_sum, self._data_sum = OnesSum(), OnesSum()

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""
        left = memoryview(piece)
        while left:
            claims = self._claims
            left = left[self._take_data(left, claims) if claims else self._take_header(left) :]

    def _take_data(self, piece: memoryview, claims: _Claims) -> int:
        taken = min(self._missing, len(piece))
        self._data_sum.add(piece[:taken])
        self._missing -= taken
        if not self._missing:
            self._end_hdu(claims)
        return taken

    def _take_header(self, piece: memoryview) -> int:
        taken = min(BLOCK - len(self._block), len(piece))
        self._block += piece[:taken]
        if len(self._block) == BLOCK:
            self._take_block(bytes(self._block))
            self._block.clear()
        return taken

    def _take_block(self, block: bytes) -> None:
        if self._number and not self._blocks and block == _ZEROS:
            self._ended = True  # padding, as tapes and some writers leave it
            return
        if self._ended or self._number == _MAX_HDUS:
            what = "other data behind the zeros that end it" if self._ended else f"more than {_MAX_HDUS} HDUs"
            raise _damaged(self._path, f"has {what}")
        self._header_sum.add(block)
        try:
            with fits_errors(self._path, f"a header in HDU {self._number}"):
                header = self._blocks.add(block)
                self._claims = None if header is None else _Claims.of(header)
        except IntegrityError as error:
            raise _damaged(self._path, error.problem) from error
        if claims := self._claims:
            self._missing = claims.size
            if not self._missing:
                self._end_hdu(claims)

    def _end_hdu(self, claims: _Claims) -> None:
        data, whole = self._data_sum.value, (self._header_sum.value + self._data_sum.value) % _ONES
        if claims.datasum and not _says(claims.datasum, data):
            wrong = f"it says {claims.datasum[:20]!r}, the data sum to {data}"
            self._problems.append(f"DATASUM of HDU {self._number} is wrong: {wrong}")
        if claims.checksum and whole:
            wrong = f"the HDU sums to {whole}, expected 0 or {_ONES}"
            self._problems.append(f"CHECKSUM of HDU {self._number} is wrong: {wrong}")
        self._number += 1
        self._begin()

    def finish(self) -> tuple[str, ...]:
        """Refuse what ends too early, and return the checksums that are wrong."""
        if self._claims:
            where = f"{self._missing} of {self._claims.size} bytes of the data of HDU {self._number} are missing"
            raise _damaged(self._path, f"is cut short: {where}")
        if self._blocks or any(self._block) or not self._number:
            raise _damaged(self._path, f"is cut short: it ends within the header of HDU {self._number}")
        return tuple(self._problems)


def _says(datasum: str, value: int) -> bool:
    if not datasum.isascii() or not datasum.isdigit() or len(datasum) > 20:
        return False
    return int(datasum) <= _ONES and int(datasum) % _ONES == value
