"""FITS files from outside: opened, a header without the rest of the file, errors of ours for whatever is damaged.

Astropy parses the cards. Finding the header among them is done here: astropy's own HDUs leave a damaged file open,
raise anything from AttributeError to zlib.error, and count up to as many axes as a header claims to have.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import math
import os
import threading
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

from aca_core.errors import IntegrityError
from aca_core.fits_header import FitsHeader, FitsKeywords

__all__ = [
    "BLOCK",
    "MAX_AXES",
    "MAX_DATA",
    "FitsStream",
    "HeaderBlocks",
    "data_pieces",
    "fits_errors",
    "header_in",
    "opened_fits",
    "read_data",
    "read_errors",
    "read_header",
    "size_of_data",
    "whole_number",
]

FitsStream: TypeAlias = BinaryIO | gzip.GzipFile
"""The bytes of a file once decompressed."""

# Section 3.1 of the FITS standard 4.0: blocks of 2880 bytes, cards of 80; section 4.4.1: at most 999 axes.
BLOCK: Final = 2880
"""How many bytes a block of a FITS file has; headers and data fill whole blocks."""

MAX_AXES: Final = 999
"""How many axes an image, and columns a table, may have."""

_CARD: Final = 80
_MAX_BLOCKS: Final = 10_000
"""Far more header than any file has; a limit for those that never end."""

_WARNINGS_LOCK: Final = threading.RLock()
# A forked child has no other thread that would give it back, nor take back the filters of warnings.
os.register_at_fork(
    before=_WARNINGS_LOCK.acquire,
    after_in_parent=_WARNINGS_LOCK.release,
    after_in_child=_WARNINGS_LOCK.release,
)

_MAX_SKIP: Final = 256 * 1024**2
"""How much of a compressed file is decompressed to get at a header behind it."""

MAX_DATA: Final = 2 * 1024**3
"""Several times the largest table of an observation, bytes; a limit for headers that claim anything."""

_PIECE: Final = 256 * 1024
"""How much is decompressed at a time where all will be read, bytes: it stays in the processor's cache."""

_GZIP_BITS: Final = 31  # zlib's word for a gzip header and trailer around the largest window

_END: Final = b"END".ljust(_CARD)


def read_header(path: Path, hdu: int) -> FitsHeader:
    """Read the header of one HDU of a FITS file, plain or gzipped, and nothing behind it.

    Parameters
    ----------
    path : Path
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    hdu : int
        0 for the primary HDU, 1 for the first extension.

    Returns
    -------
    FitsHeader
        Cards are parsed when they are asked for; one that is malformed raises only then.

    Raises
    ------
    IntegrityError
        The file is no FITS file, has no such HDU, or is damaged up to the end of that header.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "a.fits.gz", {"CONTENT": "SIMCOOR"})
    >>> read_header(path, 1)["CONTENT"]
    'SIMCOOR'
    """
    with fits_errors(path, f"a header in HDU {hdu}"), opened_fits(path) as stream:
        return header_in(stream, hdu)


class HeaderBlocks:
    """The blocks of one header, gathered until the one that ends it.

    Examples
    --------
    >>> from astropy.io import fits
    >>> HeaderBlocks().add(fits.PrimaryHDU().header.tostring().encode())["NAXIS"]
    0
    """

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def __bool__(self) -> bool:
        """Say whether there are any yet."""
        return bool(self._blocks)

    def add(self, block: bytes) -> FitsHeader | None:
        """Take the next block.

        Parameters
        ----------
        block : bytes
            `BLOCK` bytes.

        Returns
        -------
        FitsHeader or None
            The header, if this was its last block. Cards are parsed when they are asked for.

        Raises
        ------
        ValueError
            The first block does not begin a header, or there is no end of them.
        """
        if not self._blocks and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise ValueError(f"where a header should be there is {block[:9]!r}")
        if len(self._blocks) == _MAX_BLOCKS:
            raise ValueError("its header never ends")
        self._blocks.append(block)
        return FitsHeader(b"".join(self._blocks)) if _ends(block) else None


def size_of_data(header: FitsKeywords) -> int:
    """Return how many bytes lie between a header and the next; section 4.4.1 of the standard.

    Parameters
    ----------
    header : FitsHeader or astropy.io.fits.Header
        Of any HDU.

    Returns
    -------
    int
        A multiple of `BLOCK`.

    Raises
    ------
    ValueError
        The header does not say, or says what cannot be.

    Examples
    --------
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> size_of_data(fits.PrimaryHDU(np.zeros((40, 40), dtype=np.int16)).header)
    5760
    """
    axes = whole_number(header, "NAXIS", 0, MAX_AXES)
    lengths = [whole_number(header, f"NAXIS{axis}", 0, 2**62) for axis in range(1, axes + 1)]
    if lengths[:1] == [0] and header.get("GROUPS") is True:
        del lengths[0]  # random groups, section 6: the first axis is a mark and no length
    groups, extra = (whole_number(header, name, low, 2**62, low) for name, low in (("GCOUNT", 1), ("PCOUNT", 0)))
    bits = abs(whole_number(header, "BITPIX", -64, 64)) * groups * (extra + math.prod(lengths) if axes else 0)
    return -(-bits // 8 // BLOCK) * BLOCK


@contextlib.contextmanager
def fits_errors(path: Path, wanted: str) -> Iterator[None]:
    """Make whatever astropy raises in a block an error of ours, and keep it from warning.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str
        What the block reads, for the message.

    Raises
    ------
    IntegrityError
        Instead of anything else that is raised in the block.
    """
    from astropy.utils.exceptions import AstropyWarning

    # The filters of warnings belong to the process: threads that change and restore them must take turns.
    with _WARNINGS_LOCK, warnings.catch_warnings():
        # What astropy warns of (a file cut short, a card out of form) either does not matter here or makes the block
        # fail; whether a file is whole is found out when it is verified.
        warnings.simplefilter("ignore", AstropyWarning)
        with read_errors(path, wanted):
            yield


@contextlib.contextmanager
def read_errors(path: Path, wanted: str) -> Iterator[None]:
    """Make whatever is raised in a block that reads a file an error of ours; for blocks that do without astropy.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str
        What the block reads, for the message.

    Raises
    ------
    IntegrityError
        Instead of anything else that is raised in the block.
    """
    try:
        yield
    except IntegrityError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise IntegrityError(path, f"cannot be read as FITS with {wanted}: {reason}") from error


@contextlib.contextmanager
def opened_fits(path: Path, *, whole: bool = False) -> Iterator[FitsStream]:
    """Open a file for reading what it holds once decompressed.

    Parameters
    ----------
    path : Path
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    whole : bool, default False
        Whether most of it will be read: pieces of 256 kB are then decompressed, which leaves the interpreter to other
        threads. Of two that decompress 8 kB at a time, as `gzip` does, each waits for the other.

    Yields
    ------
    FitsStream
    """
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not compressed:
            yield raw
            return
        with io.BufferedReader(_Inflated(raw), _PIECE) if whole else gzip.GzipFile(fileobj=raw) as stream:
            yield stream


class _Inflated(io.RawIOBase):
    """What a gzip file holds, all of its parts; damage is found when it is read."""

    def __init__(self, compressed: BinaryIO) -> None:
        self._compressed = compressed
        self._part = zlib.decompressobj(_GZIP_BITS)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        inflated = b""
        while not inflated:
            given = self._next()
            if not given and self._part.eof:
                return 0
            inflated = self._part.decompress(given, len(target))
            if not inflated and not given:
                raise ValueError("it ends before what was compressed does")
        target[: len(inflated)] = inflated
        return len(inflated)

    def _next(self) -> bytes:
        """Return what is to be decompressed next, nothing at the end."""
        if not self._part.eof:
            return self._part.unconsumed_tail or self._compressed.read(_PIECE)
        # Behind a part there may be zeros, and another part.
        given = self._part.unused_data.lstrip(b"\0")
        while not given and (more := self._compressed.read(_PIECE)):
            given = more.lstrip(b"\0")
        if given:
            self._part = zlib.decompressobj(_GZIP_BITS)
        return given


def header_in(stream: FitsStream, hdu: int) -> FitsHeader:
    """Read on in a file that was just opened until a header is read.

    Parameters
    ----------
    stream : FitsStream
        From `opened_fits`; the data of the HDU come next.
    hdu : int
        0 for the primary HDU, 1 for the first extension.

    Returns
    -------
    FitsHeader

    Raises
    ------
    ValueError
        There is none, or the file ends before it; call it in a block of `fits_errors`.
    """
    for _ in range(hdu):
        _skip(stream, size_of_data(_next_header(stream)))
    return _next_header(stream)


def _next_header(stream: FitsStream) -> FitsHeader:
    blocks = HeaderBlocks()
    while True:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise ValueError("it ends before its header does")
        if (header := blocks.add(block)) is not None:
            return header


def _skip(stream: FitsStream, size: int) -> None:
    is_inflated = not stream.seekable()
    if (is_inflated or isinstance(stream, gzip.GzipFile)) and size > _MAX_SKIP:
        raise ValueError(f"{size} bytes would have to be decompressed before it; expected at most {_MAX_SKIP}")
    if not is_inflated:
        stream.seek(size, 1)
    while is_inflated and size and (passed := stream.read(min(size, _PIECE))):
        size -= len(passed)


def _ends(block: bytes) -> bool:
    return any(block[start : start + _CARD] == _END for start in range(0, len(block), _CARD))


def whole_number(header: FitsKeywords, name: str, low: int, high: int, default: int | None = None) -> int:
    """Return the value of a keyword that is a whole number of a range.

    Parameters
    ----------
    header : FitsHeader or astropy.io.fits.Header
        Where.
    name : str
        The keyword.
    low, high : int
        The range, both ends included.
    default : int, optional
        The value where it is absent; without one it must be there.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        It is absent, or anything else.
    """
    value: Any = header.get(name, default)
    if value is None:
        raise ValueError(f"it has no {name}")
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"its {name} is {value!r}; expected a whole number from {low} to {high}")
    return value


def read_data(stream: FitsStream, size: int, what: str) -> bytes:
    """Read the data behind a header.

    Parameters
    ----------
    stream : FitsStream
        Where `header_in` has left it.
    size : int
        How many bytes, at most `MAX_DATA`.
    what : str
        What they are, for the message: ``table``.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        They are too many, or the file ends before them.
    """
    return b"".join(data_pieces(stream, size, what, size))


def data_pieces(stream: FitsStream, size: int, what: str, unit: int = 1) -> Iterator[bytes]:
    """Read the data behind a header piece by piece, each small enough for the processor's cache.

    Parameters
    ----------
    stream : FitsStream
        Where `header_in` has left it.
    size : int
        How many bytes, at most `MAX_DATA`.
    what : str
        What they are, for the message: ``table``.
    unit : int, default 1
        Every piece but the last is a multiple of so many bytes.

    Returns
    -------
    iterator of bytes
        It raises ValueError where the file ends before them.

    Raises
    ------
    ValueError
        They are too many.
    """
    if size > MAX_DATA:
        raise ValueError(f"it would have {size} bytes; expected at most {MAX_DATA}")
    unit = max(unit, 1)
    return _pieces(stream, size, what, max(_PIECE // unit, 1) * unit)


def _pieces(stream: FitsStream, size: int, what: str, length: int) -> Iterator[bytes]:
    done = 0
    while done < size:
        piece = stream.read(min(length, size - done))
        done += len(piece)
        if done < size and len(piece) < length:
            raise ValueError(f"it ends after {done} of {size} bytes of the {what}")
        yield piece
    stream.read(1)  # at the end of a compressed file, where the data usually end, this checks its checksum
