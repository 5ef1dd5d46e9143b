"""FITS tables and images whose bytes depend on nothing but their content: not on when or how they are written."""

from __future__ import annotations

import datetime as dt
import gzip
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.simulation.observation import SYNTHETIC

__all__ = ["COMPRESSION", "calendar", "compressed", "fits_image", "fits_table"]

COMPRESSION: Final = 1
"""The level of gzip: most of what is written is noise, which higher levels do not make much smaller."""

_EPOCH: Final = dt.datetime(1998, 1, 1)  # TT, of which datetime knows nothing


def calendar(secs: float) -> str:
    """Return CXC seconds as a calendar date in TT, as headers write it.

    Parameters
    ----------
    secs : float
        CXC seconds.

    Returns
    -------
    str
        ``YYYY-MM-DDThh:mm:ss``, cut to the second.

    Examples
    --------
    >>> calendar(686111014.366)
    '2019-09-29T02:23:34'
    """
    return (_EPOCH + dt.timedelta(seconds=int(secs))).isoformat()


def compressed(content: bytes) -> bytes:
    """Return bytes compressed by gzip, without a time or a name.

    Parameters
    ----------
    content : bytes
        Anything.

    Returns
    -------
    bytes
        Its compressed form.
    """
    return gzip.compress(content, compresslevel=COMPRESSION, mtime=0)


def fits_table(
    name: str, table: npt.NDArray[Any], header: Mapping[str, Any], units: Mapping[str, str] | None = None
) -> bytes:
    """Return a FITS file with one table, with CHECKSUM and DATASUM in both of its headers.

    Parameters
    ----------
    name : str
        EXTNAME of the table.
    table : structured ndarray
        Its rows, numbers in big-endian byte order; texts are written as they are padded. Whole numbers of 16 bits
        without a sign are written with one, and with TZERO.
    header : mapping
        Keywords of the table's header; a value may be a tuple of value and comment.
    units : mapping of str to str, optional
        Units of its columns.

    Returns
    -------
    bytes
        The file, not compressed.
    """
    data = _as_written(table).tobytes()
    axes = {"BITPIX": 8, "NAXIS": 2, "NAXIS1": table.dtype.itemsize, "NAXIS2": len(table), "PCOUNT": 0, "GCOUNT": 1}
    cards: dict[str, Any] = {"XTENSION": "BINTABLE", **axes, "TFIELDS": len(table.dtype.names or ())}
    for number, (column, kind) in enumerate((table.dtype.fields or {}).items(), start=1):
        cards |= {f"{keyword}{number}": value for keyword, value in _form(kind[0]).items()}
        cards[f"TTYPE{number}"] = column
        if units and column in units:
            cards[f"TUNIT{number}"] = units[column]
    short = {keyword: value for keyword, value in header.items() if keyword in _IN_PRIMARY}
    primary = {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True}
    return _hdu(primary | short, b"") + _hdu(cards | {"EXTNAME": name} | dict(header), data)


def fits_image(image: npt.NDArray[Any], header: Mapping[str, Any]) -> bytes:
    """Return a FITS file with one image in its primary HDU, with CHECKSUM and DATASUM.

    Parameters
    ----------
    image : ndarray of float32, shape (rows, columns)
        Its pixels, in any byte order.
    header : mapping
        Further keywords; a value may be a tuple of value and comment.

    Returns
    -------
    bytes
        The file, not compressed, its numbers in big-endian order.
    """
    rows, columns = image.shape
    cards = {"SIMPLE": True, "BITPIX": -32, "NAXIS": 2, "NAXIS1": columns, "NAXIS2": rows, "EXTEND": True}
    return _hdu(cards | dict(header), image.astype(">f4").tobytes())


_BLOCK: Final = 2880
_IN_PRIMARY: Final = ("CONTENT", "OBS_ID", "REVISION", "DATE", "TELESCOP", "ORIGIN")
_CODES: Final = {"f8": "D", "f4": "E", "i8": "K", "i4": "J", "i2": "I", "u2": "I", "u1": "B"}
_SIGN: Final = 0x8000


def _as_written(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the rows as FITS has them, which knows no number of 16 bits without a sign: they lose 32768."""
    unsigned = [name for name, kind in (table.dtype.fields or {}).items() if kind[0].base.str == ">u2"]
    if unsigned:
        table = table.copy()
        for name in unsigned:
            table[name] ^= _SIGN  # the same bits as those of the difference, as a number with a sign
    return table


def _form(kind: np.dtype[Any]) -> dict[str, str | int]:
    """Return TFORM and, where it needs them, TDIM and TZERO of a column."""
    base, shape = kind.base, kind.shape
    if base.kind == "S":
        return {"TFORM": f"{base.itemsize}A"}
    if base.byteorder not in ">|":
        raise TypeError(f"the column type is {base}; expected one in big-endian order")
    repeat = "" if not shape else str(math.prod(shape))
    form: dict[str, str | int] = {"TFORM": f"{repeat}{_CODES[base.str[1:]]}"}
    form |= {"TZERO": _SIGN} if base.str == ">u2" else {}
    return form | ({"TDIM": f"({','.join(str(length) for length in reversed(shape))})"} if len(shape) > 1 else {})


def _hdu(cards: Mapping[str, Any], data: bytes) -> bytes:
    """Return a header and its data, with the mark and with both sums."""
    from astropy.io import fits

    header = fits.Header()
    for keyword, value in cards.items():
        header[keyword] = value
    header["SYNTHET"] = (True, "made by a program, not from flight")
    header["COMMENT"] = SYNTHETIC
    data += bytes(-len(data) % _BLOCK)
    sum_of_data = _ones_complement_sum(data)
    header["CHECKSUM"] = "0" * 16
    header["DATASUM"] = str(sum_of_data)
    text: bytes = header.tostring().encode("ascii")
    total = _ones_complement_sum(text, sum_of_data)
    return text.replace(b"'" + b"0" * 16 + b"'", b"'" + _checksum(total) + b"'") + data


def _ones_complement_sum(content: bytes, start: int = 0) -> int:
    """Return the sum of 32-bit words with the carry brought around; appendix J of the FITS standard."""
    total = start + int(np.frombuffer(content, dtype=">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


_PUNCTUATION: Final = frozenset(b":;<=>?@[\\]^_`")


def _checksum(total: int) -> bytes:
    """Return sixteen letters and digits that make the sum of an HDU all ones; appendix J of the FITS standard."""
    columns = []
    for byte in (0xFFFFFFFF - total).to_bytes(4, "big"):
        quarter, rest = divmod(byte, 4)
        letters = [48 + quarter + rest, 48 + quarter, 48 + quarter, 48 + quarter]
        while _PUNCTUATION & set(letters):
            for first in (0, 2):
                if _PUNCTUATION & set(letters[first : first + 2]):
                    letters[first] += 1
                    letters[first + 1] -= 1
        columns.append(letters)
    text = bytes(letters[row] for row in range(4) for letters in columns)
    return text[-1:] + text[:-1]
