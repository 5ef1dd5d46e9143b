"""FITS files from outside: a header without the rest of the file, and errors of ours for whatever is damaged.

Astropy parses the cards. Finding the header among them is done here: astropy's own HDUs leave a damaged file open,
raise anything from AttributeError to zlib.error, and count up to as many axes as a header claims to have.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import re
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

_Stream: TypeAlias = BinaryIO | gzip.GzipFile

__all__ = ["element_shapes", "fits_errors", "open_fits", "read_header"]

# Section 3.1 of the FITS standard 4.0: blocks of 2880 bytes, cards of 80; section 4.4.1: at most 999 axes.
_BLOCK: Final = 2880
_CARD: Final = 80
_MAX_AXES: Final = 999
_MAX_BLOCKS: Final = 10_000
"""Far more header than any file has; a limit for those that never end."""

_WARNINGS_LOCK: Final = threading.RLock()

_MAX_SKIP: Final = 256 * 1024**2
"""How much of a compressed file is decompressed to get at a header behind it."""

_END: Final = b"END".ljust(_CARD)


def read_header(path: Path, hdu: int) -> Header:
    """Read the header of one HDU of a FITS file, plain or gzipped, and nothing behind it.

    Parameters
    ----------
    path : Path
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    hdu : int
        0 for the primary HDU, 1 for the first extension.

    Returns
    -------
    astropy.io.fits.Header
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
    with fits_errors(path, f"a header in HDU {hdu}"), _opened(path) as stream:
        for _ in range(hdu):
            _skip(stream, _size_of_data(_next_header(stream)))
        return _next_header(stream)


def element_shapes(header: Header) -> dict[str, tuple[int, ...]]:
    """Return the shape of one element of each column of a table.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of a binary table.

    Returns
    -------
    dict of str to tuple of int
        By lower-case name; in the order of numpy, ``()`` for a single value.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for number in range(1, min(int(header.get("TFIELDS", 0)), _MAX_AXES) + 1):
        name = header.get(f"TTYPE{number}")
        if isinstance(name, str):
            form, dimensions = (str(header.get(f"{word}{number}", "")).strip() for word in ("TFORM", "TDIM"))
            shapes[name.strip().lower()] = _shape(form, dimensions)
    return shapes


def _shape(form: str, dimensions: str) -> tuple[int, ...]:
    """Return the shape of one element from its TFORM, such as ``36E``, and its TDIM, such as ``(6,6)``."""
    match = re.match(r"(\d*)([A-Z])", form, re.ASCII)
    repeat, code = (int(match[1] or 1), match[2]) if match else (1, "")
    if re.fullmatch(r"\([\d, ]+\)", dimensions, re.ASCII):
        lengths = [int(length) for length in dimensions.strip("()").split(",")]
    else:
        lengths = [repeat]
    if code == "A":
        lengths = lengths[1:]  # the first is the width of the text
    elif lengths == [1] or code in "PQ":
        lengths = []  # a single value, or a descriptor of an array elsewhere
    return tuple(reversed(lengths))


@contextlib.contextmanager
def open_fits(path: Path, wanted: str) -> Iterator[HDUList]:
    """Open a FITS file, plain or gzipped, for a block that reads from it.

    Read and leave: what else reads FITS in this process waits meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str
        What the block reads, for the message: ``an image in HDU 0``.

    Yields
    ------
    HDUList
        Not memory-mapped. Do not keep it beyond the block.

    Raises
    ------
    IntegrityError
        The file, or what the block reads of it, cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "a.fits", {"CONTENT": "SIMCOOR"})
    >>> with open_fits(path, "a table in HDU 1") as hdus:
    ...     hdus[1].data["value"].tolist()
    [0.0]
    """
    from astropy.io import fits

    read_header(path, 0)  # refuses what astropy would not come back from
    with fits_errors(path, wanted), path.open("rb") as stream, fits.open(stream, memmap=False) as hdus:
        yield hdus


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
        try:
            yield
        except IntegrityError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise IntegrityError(path, f"cannot be read as FITS with {wanted}: {reason}") from error


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_Stream]:
    """Open a file for reading what it holds once decompressed."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not compressed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as stream:
            yield stream


def _next_header(stream: _Stream) -> Header:
    from astropy.io import fits

    blocks: list[bytes] = []
    while not _ends(blocks[-1] if blocks else b""):
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK or len(blocks) == _MAX_BLOCKS:
            raise ValueError("it ends before its header does" if len(blocks) < _MAX_BLOCKS else "its header never ends")
        if not blocks and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise ValueError(f"where a header should be there is {block[:9]!r}")
        blocks.append(block)
    return fits.Header.fromstring(b"".join(blocks))


def _skip(stream: _Stream, size: int) -> None:
    if isinstance(stream, gzip.GzipFile) and size > _MAX_SKIP:
        raise ValueError(f"{size} bytes would have to be decompressed before it; expected at most {_MAX_SKIP}")
    stream.seek(size, 1)


def _ends(block: bytes) -> bool:
    return any(block[start : start + _CARD] == _END for start in range(0, len(block), _CARD))


def _size_of_data(header: Header) -> int:
    """Return how many bytes lie between this header and the next; section 4.4.1 of the standard."""
    axes = _whole_number(header, "NAXIS", 0, _MAX_AXES)
    lengths = [_whole_number(header, f"NAXIS{axis}", 0, 2**62) for axis in range(1, axes + 1)]
    groups, extra = (_whole_number(header, name, low, 2**62) for name, low in (("GCOUNT", 1), ("PCOUNT", 0)))
    bits = abs(_whole_number(header, "BITPIX", -64, 64)) * groups * (extra + math.prod(lengths) if axes else 0)
    return -(-bits // 8 // _BLOCK) * _BLOCK


def _whole_number(header: Header, name: str, low: int, high: int) -> int:
    value: Any = header.get(name, low)
    if not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"its {name} is {value!r}; expected a whole number from {low} to {high}")
    return value
