"""Binary tables in FITS files: only the columns that are asked for, at little more than the cost of decompressing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aca_core.fits_files import (
    MAX_AXES,
    MAX_DATA,
    FitsStream,
    data_pieces,
    fits_errors,
    header_in,
    opened_fits,
    read_errors,
    size_of_data,
    whole_number,
)
from aca_core.fits_header import FitsHeader, FitsKeywords

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["element_shapes", "read_table"]


def read_table(
    path: str | Path, columns: Iterable[str] | None = (), *, optional: Iterable[str] = (), hdu: int = 1
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read columns of a binary table in a FITS file, plain or gzipped, and the table's header.

    The file is read once and only the columns that are asked for are decoded, so this costs little more than
    decompressing it.

    Parameters
    ----------
    path : path-like
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    columns : iterable of str or None, optional
        Names of columns that must be there, in upper or lower case. Without any, only the header is read; None stands
        for all that the table has.
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
    columns, optional = columns if columns is None else tuple(columns), tuple(optional)
    is_read = columns is None or bool(columns or optional)
    with read_errors(path, wanted), opened_fits(path, whole=is_read) as stream:
        with fits_errors(path, wanted):
            header = header_in(stream, hdu)
            values = _values_of(header)
            picked = _picked_columns(header, columns, optional)
            size = size_of_data(header)
            width, rows = (whole_number(header, name, 0, 2**62) for name in ("NAXIS1", "NAXIS2"))
        if not picked:
            return values, {}
        return values, _decoded_columns(stream, size, picked, width, rows)


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


def _values_of(header: FitsHeader) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for keyword, value in header.items():
        if keyword in ("COMMENT", "HISTORY") and keyword in values:
            values[keyword] += f"\n{value}"
        else:
            values.setdefault(keyword, value if isinstance(value, bool | int | float | str) else None)
    return values


def _picked_columns(header: FitsKeywords, columns: Iterable[str] | None, optional: Iterable[str]) -> list[_TableColumn]:
    """Return the columns that are asked for, each once."""
    if header.get("XTENSION") != "BINTABLE":
        raise ValueError(f"it is of the kind {header.get('XTENSION', 'IMAGE')!r}; expected BINTABLE")
    every = columns is None
    required = {name.lower() for name in columns or ()}
    asked = required | {name.lower() for name in optional}
    found: dict[str, _TableColumn] = {}
    names, offset, width = [], 0, whole_number(header, "NAXIS1", 0, MAX_DATA)
    for number in range(1, whole_number(header, "TFIELDS", 0, MAX_AXES) + 1):
        names.append(name := str(header.get(f"TTYPE{number}", "")).strip().lower())
        code, repeat, size = _form(header, number)
        if (every or name in asked) and name not in found and offset + size <= width:
            found[name] = _table_column(header, number, name, code, repeat, offset)
        offset += size
    if offset != width:
        raise ValueError(f"its columns have {offset} bytes and its rows, by NAXIS1, {width}")
    if missing := sorted(required - found.keys()):
        raise ValueError(f"it has no column {', '.join(missing)}, but {', '.join(names) or 'none at all'}")
    return list(found.values())


def _form(header: FitsKeywords, number: int) -> tuple[str, int, int]:
    """Return the code, the repeat count and the size in bytes of a column."""
    form = str(header.get(f"TFORM{number}", "")).strip()
    match = re.match(r"(\d{0,18})([LXBIJKAEDCMPQ])", form, re.ASCII)
    if not match:
        raise ValueError(f"TFORM{number} is {form!r}, which is no form of a column")
    repeat, code = int(match[1] or 1), match[2]
    return code, repeat, -(-repeat // 8) if code == "X" else repeat * _WIDTHS[code]


def _table_column(header: FitsKeywords, number: int, name: str, code: str, repeat: int, offset: int) -> _TableColumn:
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


def _decoded_columns(
    stream: FitsStream, size: int, columns: Sequence[_TableColumn], width: int, rows: int
) -> dict[str, npt.NDArray[Any]]:
    """Return columns of a table that is read in pieces, so that none of it but these is ever held."""
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
    pieces = data_pieces(stream, size, "table", width)
    stored = [np.empty((rows, *each.kind.shape), each.kind.base.newbyteorder("=")) for each in columns]
    first = 0
    for piece in pieces:
        table = np.frombuffer(piece, dtype=row, count=min(len(piece) // width, rows - first))
        for column, values in zip(columns, stored, strict=True):
            values[first : first + len(table)] = table[column.name]
        first += len(table)
    return {column.name: _decoded(column, values) for column, values in zip(columns, stored, strict=True)}


def _decoded(column: _TableColumn, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what the stored values of a column, in the byte order of the machine, stand for."""
    import numpy as np

    if column.code == "L":
        return np.asarray(values == ord("T"))
    if column.code == "A":
        texts = [text.partition(b"\0")[0].decode("ascii", "replace").rstrip(" ") for text in values.ravel().tolist()]
        return np.array(texts, dtype=np.str_).reshape(values.shape)
    if (column.scale, column.zero) == (1, 0):
        return values
    zero, kind = _UNSIGNED.get(column.code, (math.nan, ""))
    if (column.scale, column.zero) == (1, zero):
        # Adding this zero is the same as turning the highest bit round.
        bits = values.view(f"u{values.itemsize}")
        return np.asarray(bits ^ bits.dtype.type(1 << (8 * values.itemsize - 1))).view(kind)
    return np.asarray(values * column.scale + column.zero)


def element_shapes(header: FitsKeywords) -> dict[str, tuple[int, ...]]:
    """Return the shape of one element of each column of a table.

    Parameters
    ----------
    header : FitsHeader or astropy.io.fits.Header
        Of a binary table.

    Returns
    -------
    dict of str to tuple of int
        By lower-case name; in the order of numpy, ``()`` for a single value.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for number in range(1, min(int(header.get("TFIELDS", 0)), MAX_AXES) + 1):
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
