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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, TypeAlias

from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from astropy.io.fits import HDUList, Header

_Stream: TypeAlias = BinaryIO | gzip.GzipFile

__all__ = [
    "BLOCK",
    "HeaderBlocks",
    "element_shapes",
    "fits_errors",
    "open_fits",
    "read_header",
    "read_table",
    "size_of_data",
]

# Section 3.1 of the FITS standard 4.0: blocks of 2880 bytes, cards of 80; section 4.4.1: at most 999 axes.
BLOCK: Final = 2880
"""How many bytes a block of a FITS file has; headers and data fill whole blocks."""

_CARD: Final = 80
_MAX_AXES: Final = 999
_MAX_BLOCKS: Final = 10_000
"""Far more header than any file has; a limit for those that never end."""

_WARNINGS_LOCK: Final = threading.RLock()

_MAX_SKIP: Final = 256 * 1024**2
"""How much of a compressed file is decompressed to get at a header behind it."""

_MAX_TABLE: Final = 2 * 1024**3
"""Several times the largest table of an observation; a limit for headers that claim anything."""

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
            _skip(stream, size_of_data(_next_header(stream)))
        return _next_header(stream)


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

    def add(self, block: bytes) -> Header | None:
        """Take the next block.

        Parameters
        ----------
        block : bytes
            `BLOCK` bytes.

        Returns
        -------
        astropy.io.fits.Header or None
            The header, if this was its last block. Cards are parsed when they are asked for.

        Raises
        ------
        ValueError
            The first block does not begin a header, or there is no end of them.
        """
        from astropy.io import fits

        if not self._blocks and not block.startswith((b"SIMPLE  =", b"XTENSION=")):
            raise ValueError(f"where a header should be there is {block[:9]!r}")
        if len(self._blocks) == _MAX_BLOCKS:
            raise ValueError("its header never ends")
        self._blocks.append(block)
        return fits.Header.fromstring(b"".join(self._blocks)) if _ends(block) else None


def size_of_data(header: Header) -> int:
    """Return how many bytes lie between a header and the next; section 4.4.1 of the standard.

    Parameters
    ----------
    header : astropy.io.fits.Header
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
    axes = _whole_number(header, "NAXIS", 0, _MAX_AXES)
    lengths = [_whole_number(header, f"NAXIS{axis}", 0, 2**62) for axis in range(1, axes + 1)]
    if lengths[:1] == [0] and header.get("GROUPS") is True:
        del lengths[0]  # random groups, section 6: the first axis is a mark and no length
    groups, extra = (_whole_number(header, name, low, 2**62, low) for name, low in (("GCOUNT", 1), ("PCOUNT", 0)))
    bits = abs(_whole_number(header, "BITPIX", -64, 64)) * groups * (extra + math.prod(lengths) if axes else 0)
    return -(-bits // 8 // BLOCK) * BLOCK


def read_table(
    path: str | Path, columns: Iterable[str] = (), *, optional: Iterable[str] = (), hdu: int = 1
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read columns of a binary table in a FITS file, plain or gzipped, and the table's header.

    The file is read once and only the columns that are asked for are decoded, so this costs little more than
    decompressing it.

    Parameters
    ----------
    path : path-like
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    columns : iterable of str, optional
        Names of columns that must be there, in upper or lower case. Without any, only the header is read.
    optional : iterable of str, optional
        Names of further columns, which may be missing.
    hdu : int, default 1
        Which extension has the table.

    Returns
    -------
    header : dict of str to bool, int, float, str or None
        The value of each keyword; the first where it is repeated, all lines of COMMENT and of HISTORY, None where it
        is undefined.
    values : dict of str to ndarray, shape (rows, ...)
        By lower-case name, in the byte order of the machine; an element has the shape that TDIM or else TFORM says.
        Scaled columns are scaled; texts are str without the blanks behind them.

    Raises
    ------
    IntegrityError
        The file is no FITS file or is damaged, has no binary table there, lacks one of `columns`, or one of the columns
        holds bits or arrays of variable length.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "a.fits.gz", {"CONTENT": "SIMCOOR"}, {"TIME": [1.0, 2.0]})
    >>> header, values = read_table(path, ["time"], optional=["dy"])
    >>> header["CONTENT"], values
    ('SIMCOOR', {'time': array([1., 2.])})
    """
    path = Path(path)
    wanted = f"a table in HDU {hdu}"
    with _read_errors(path, wanted), _opened(path) as stream:
        with fits_errors(path, wanted):
            for _ in range(hdu):
                _skip(stream, size_of_data(_next_header(stream)))
            header = _next_header(stream)
            values = _values_of(header)
            picked = _picked_columns(header, columns, optional)
            size = size_of_data(header)
            width, rows = (_whole_number(header, name, 0, 2**62) for name in ("NAXIS1", "NAXIS2"))
        if not picked:
            return values, {}
        return values, _decoded_columns(_read_data(stream, size), picked, width, rows)


class _TableColumn(NamedTuple):
    """Where a column lies in a row, and how it is stored."""

    name: str
    code: str
    kind: np.dtype[Any]
    offset: int
    scale: float
    zero: float


_WIDTHS: Final = {"L": 1, "B": 1, "A": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
_KINDS: Final = {"L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_UNSIGNED: Final = {"B": (-128.0, "i1"), "I": (2.0**15, "u2"), "J": (2.0**31, "u4"), "K": (2.0**63, "u8")}
"""TZERO of integers that are stored with the other kind of sign; section 7.3.2 of the standard."""


def _values_of(header: Header) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for card in header.cards:
        if not (keyword := card.keyword):
            continue
        value = card.value  # once: astropy looks into its configuration each time
        if keyword in ("COMMENT", "HISTORY") and keyword in values:
            values[keyword] += f"\n{value}"
        else:
            values.setdefault(keyword, value if isinstance(value, bool | int | float | str) else None)
    return values


def _picked_columns(header: Header, columns: Iterable[str], optional: Iterable[str]) -> list[_TableColumn]:
    """Return the columns that are asked for, each once."""
    if header.get("XTENSION") != "BINTABLE":
        raise ValueError(f"it is of the kind {header.get('XTENSION', 'IMAGE')!r}; expected BINTABLE")
    required = {name.lower() for name in columns}
    asked = required | {name.lower() for name in optional}
    found: dict[str, _TableColumn] = {}
    names, offset, width = [], 0, _whole_number(header, "NAXIS1", 0, _MAX_TABLE)
    for number in range(1, _whole_number(header, "TFIELDS", 0, _MAX_AXES) + 1):
        names.append(name := str(header.get(f"TTYPE{number}", "")).strip().lower())
        code, repeat, size = _form(header, number)
        if name in asked and name not in found and offset + size <= width:
            found[name] = _table_column(header, number, name, code, repeat, offset)
        offset += size
    if offset != width:
        raise ValueError(f"its columns have {offset} bytes and its rows, by NAXIS1, {width}")
    if missing := sorted(required - found.keys()):
        raise ValueError(f"it has no column {', '.join(missing)}, but {', '.join(names) or 'none at all'}")
    return list(found.values())


def _form(header: Header, number: int) -> tuple[str, int, int]:
    """Return the code, the repeat count and the size in bytes of a column."""
    form = str(header.get(f"TFORM{number}", "")).strip()
    match = re.match(r"(\d{0,18})([LXBIJKAEDCMPQ])", form, re.ASCII)
    if not match:
        raise ValueError(f"TFORM{number} is {form!r}, which is no form of a column")
    repeat, code = int(match[1] or 1), match[2]
    return code, repeat, -(-repeat // 8) if code == "X" else repeat * _WIDTHS[code]


def _table_column(header: Header, number: int, name: str, code: str, repeat: int, offset: int) -> _TableColumn:
    import numpy as np

    if code not in _KINDS and code != "A":
        raise ValueError(f"its column {name} is of the form {code}, which is not read here")
    shape = _shape(str(header[f"TFORM{number}"]).strip(), str(header.get(f"TDIM{number}", "")).strip())
    elements = math.prod(shape)
    if repeat < 1 or elements < 1 or repeat % elements or (code != "A" and repeat != elements):
        raise ValueError(f"its column {name} has {repeat} values in a row and the shape {shape}, which do not agree")
    scale, zero = (header.get(f"{word}{number}", value) for word, value in (("TSCAL", 1), ("TZERO", 0)))
    if not all(isinstance(factor, int | float) for factor in (scale, zero)):
        raise ValueError(f"its column {name} is scaled by {scale!r} and {zero!r}; expected numbers")
    kind = np.dtype((f"S{repeat // elements}" if code == "A" else _KINDS[code], shape))
    return _TableColumn(name, code, kind, offset, float(scale), float(zero))


def _read_data(stream: _Stream, size: int) -> bytes:
    if size > _MAX_TABLE:
        raise ValueError(f"it would have {size} bytes; expected at most {_MAX_TABLE}")
    data = stream.read(size)
    if len(data) < size:
        raise ValueError(f"it ends after {len(data)} of {size} bytes of the table")
    stream.read(1)  # at the end of a compressed file, where the table usually ends, this checks its checksum
    return data


def _decoded_columns(
    data: bytes, columns: Iterable[_TableColumn], width: int, rows: int
) -> dict[str, npt.NDArray[Any]]:
    import numpy as np

    fields = {column.name: (column.kind, column.offset) for column in columns}
    row = np.dtype(
        {
            "names": list(fields),
            "formats": [kind for kind, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": width,
        }
    )
    table = np.frombuffer(data, dtype=row, count=rows)
    return {column.name: _decoded(column, table[column.name]) for column in columns}


def _decoded(column: _TableColumn, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values of a column, as a copy that does not keep all of the table."""
    import numpy as np

    if column.code == "L":
        return np.asarray(stored == ord("T"))
    if column.code == "A":
        texts = [text.partition(b"\0")[0].decode("ascii", "replace").rstrip(" ") for text in stored.ravel().tolist()]
        return np.array(texts, dtype=np.str_).reshape(stored.shape)
    values = stored.astype(stored.dtype.newbyteorder("="))
    if (column.scale, column.zero) == (1, 0):
        return values
    zero, kind = _UNSIGNED.get(column.code, (math.nan, ""))
    if (column.scale, column.zero) == (1, zero):
        # Adding this zero is the same as turning the highest bit round.
        bits = values.view(f"u{values.itemsize}")
        return np.asarray(bits ^ bits.dtype.type(1 << (8 * values.itemsize - 1))).view(kind)
    return np.asarray(values * column.scale + column.zero)


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
        with _read_errors(path, wanted):
            yield


@contextlib.contextmanager
def _read_errors(path: Path, wanted: str) -> Iterator[None]:
    """Make whatever is raised in a block that reads a file an error of ours."""
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
    blocks = HeaderBlocks()
    while True:
        block = stream.read(BLOCK)
        if len(block) < BLOCK:
            raise ValueError("it ends before its header does")
        if (header := blocks.add(block)) is not None:
            return header


def _skip(stream: _Stream, size: int) -> None:
    if isinstance(stream, gzip.GzipFile) and size > _MAX_SKIP:
        raise ValueError(f"{size} bytes would have to be decompressed before it; expected at most {_MAX_SKIP}")
    stream.seek(size, 1)


def _ends(block: bytes) -> bool:
    return any(block[start : start + _CARD] == _END for start in range(0, len(block), _CARD))


def _whole_number(header: Header, name: str, low: int, high: int, default: int | None = None) -> int:
    value: Any = header.get(name, default)
    if value is None:
        raise ValueError(f"it has no {name}")
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"its {name} is {value!r}; expected a whole number from {low} to {high}")
    return value
