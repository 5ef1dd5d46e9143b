"""How the bytes of header 3 become values: words, factors, the table of the thermistors, and bits with names."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from aca_core.aca_hdr3.item_table import hdr3_item
from aca_core.aca_hdr3.items import Hdr3Item
from aca_core.arrays import FloatArray, IntArray
from aca_core.errors import DeclarationError
from aca_core.quantities import as_given

__all__ = ["THERMISTOR_POINTS", "bit_words", "decode", "raw_words", "split_bits", "thermistor_table"]

THERMISTOR_POINTS: Final = tuple(
    zip(
        # A/D readings of all thermistors at -40, -35, ... 80 degC; sot/mica archive/aca_hdr3.py.
        (
            *(0x3D70, 0x3C9E, 0x3B98, 0x3A55, 0x38CD, 0x36FD, 0x34E1, 0x3279, 0x2FCB, 0x2CDF, 0x29C5, 0x2688, 0x2340),
            *(0x2000, 0x1CD3, 0x19CC, 0x16F4, 0x1454, 0x11EF, 0x0FC5, 0x0DD8, 0x0C22, 0x0A9F, 0x094D, 0x0825),
        ),
        range(-40, 81, 5),
        strict=True,
    )
)
"""The 25 pairs of an A/D reading and a temperature, degC, that the thermistors are calibrated with."""

_BLOCK: Final = 8192
"""How many readings are looked up together."""

_WIDER: Final = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.uint32, 5: np.uint64, 6: np.uint64}
"""The smallest type of numpy that a word of so many bytes fits into."""


@functools.cache
def thermistor_table() -> FloatArray:
    """Return the temperature of every A/D reading: a cubic spline with not-a-knot ends through the 25 points.

    Returns
    -------
    ndarray of float64, shape (65536,)
        degC, by the reading as a number without sign; NaN outside of the points, 2085 (80 degC) to 15728 (-40 degC).
        It cannot be changed.

    Examples
    --------
    >>> table = thermistor_table()
    >>> table[8192].item(), table[8000].round(6).item(), table[2084].item()
    (25.0, 26.166147, nan)
    """
    from scipy.interpolate import CubicSpline

    readings, temperatures = np.array(sorted(THERMISTOR_POINTS), dtype=float).T
    first, last = int(readings[0]), int(readings[-1])
    table = np.full(65536, np.nan)
    table[first : last + 1] = CubicSpline(readings, temperatures, bc_type="not-a-knot")(np.arange(first, last + 1))
    # Exact where the documentation is; the spline leaves some 1e-14 there.
    table[readings.astype(int)] = temperatures
    table.flags.writeable = False
    return table


def raw_words(item: Hdr3Item, columns: Sequence[Any]) -> IntArray:
    """Return the big-endian words of a quantity.

    Parameters
    ----------
    item : Hdr3Item
        Which quantity.
    columns : sequence of ndarray of uint8, each of shape (n,)
        Its `Hdr3Item.value_bytes`, the most significant first.

    Returns
    -------
    ndarray of integers, shape (n,)
        As wide as the word needs, with a sign where the quantity has one.

    Examples
    --------
    >>> import numpy as np
    >>> from aca_core.aca_hdr3 import hdr3_item
    >>> raw_words(hdr3_item("dac"), [np.array([0xF0, 0xFF], "u1"), np.array([0x0F, 0xFF], "u1")]).tolist()
    [-4081, -1]
    """
    unsigned = _WIDER[len(columns)]
    words: IntArray = np.asarray(columns[0]).astype(unsigned)
    for column in columns[1:]:
        words <<= 8
        words |= column
    if item.kind != "signed":
        return words
    if len(columns) in (1, 2, 4):
        return words.view(f"i{words.dtype.itemsize}")
    sign = np.int64(1) << np.int64(8 * len(columns) - 1)
    return (words.astype(np.int64) ^ sign) - sign


def decode(item: Hdr3Item, words: IntArray) -> FloatArray | IntArray:
    """Return the values of a quantity from its words.

    Parameters
    ----------
    item : Hdr3Item
        Which quantity.
    words : ndarray of integers, shape (n,)
        From `raw_words`.

    Returns
    -------
    ndarray of float64 or int64, shape (n,)
        In `Hdr3Item.unit`; integers where it has no factor. NaN where a thermistor reads what is not in its table.

    Examples
    --------
    >>> import numpy as np
    >>> from aca_core.aca_hdr3 import hdr3_item
    >>> decode(hdr3_item("ccd_temp"), np.array([-1000], "i2")).tolist()
    [-10.0]
    """
    if item.kind == "thermistor":
        # Without the copy of all indexes as wide ones that take makes otherwise; "wrap" is what negative indexes mean.
        table, values = thermistor_table(), np.empty(words.shape)
        for first in range(0, words.size, _BLOCK):
            table.take(words[first : first + _BLOCK], out=values[first : first + _BLOCK], mode="wrap")
        return values
    if item.factor is None:
        return words.astype(np.int64)
    return np.multiply(words, item.factor, dtype=np.float64)


def split_bits(msid: str | int, raw: Any) -> dict[str, Any]:
    """Return the parts of a word that have a meaning of their own.

    Parameters
    ----------
    msid : str or int
        Name or number of the quantity: ``ac_status_word``, ``misc_status_bits``, ``proc_stack_telem_ctr`` or
        ``dsn_hdr2``.
    raw : int or array of integers, any shape
        Its words; masked ones stay masked.

    Returns
    -------
    dict
        By the name of each part integers in the shape of `raw`: the bits as a number, or what they stand for in the
        unit of the part (`BitField`).

    Raises
    ------
    UnknownNameError
        There is no such quantity. It is a LookupError.
    DeclarationError
        It has no such parts, or the words are none. It is a ValueError.

    Examples
    --------
    >>> split_bits("ac_status_word", 0x02B4)["clock_period"]
    24
    >>> split_bits("proc_stack_telem_ctr", [0x1004, 0x1008])["telemetry_counter"].tolist()
    [4, 8]
    """
    item = hdr3_item(msid)
    words = _as_words(item, raw)
    parts = {}
    for field in item.bit_fields:
        part = (words >> field.low) & ((1 << field.width) - 1)
        if field.values:
            stands_for = np.take(np.array(field.values), np.asarray(part))
            part = np.ma.array(stands_for, mask=words.mask) if isinstance(words, np.ma.MaskedArray) else stands_for
        parts[field.name] = as_given(part)
    return parts


def bit_words(msid: str | int, raw: int) -> list[str]:
    """Return one word of bits for people: which flags are set, and what the other parts are.

    Parameters
    ----------
    msid : str or int
        As for `split_bits`.
    raw : int
        One word.

    Returns
    -------
    list of str
        The names of the flags that are set, and names with numbers of what is wider than a bit.

    Examples
    --------
    >>> bit_words("misc_status_bits", 0x01A4)
    ['TecActive', 'AcTableCkSumOK', 'WarmBoot', 'IdleCode LSB']
    >>> bit_words("ac_status_word", 0x02B4)
    ['readout_mode 10', 'test_signal 3', 'clock_period 24 us']
    """
    item = hdr3_item(msid)
    parts = split_bits(msid, raw)
    if np.ndim(raw):
        raise DeclarationError("bit_words", "raw", raw, "one word; split_bits takes many")
    wide = {field.name: f"{field.name} {parts[field.name]} {field.unit}".rstrip() for field in item.bit_fields}
    return [
        field.name if field.width == 1 else wide[field.name]
        for field in item.bit_fields
        if field.width > 1 or parts[field.name]
    ]


def _as_words(item: Hdr3Item, raw: Any) -> Any:
    """Return words of bits as an array, masked where they are."""
    if not item.bit_fields:
        raise DeclarationError("split_bits", "msid", item.name, "a quantity whose bits have names")
    try:
        words = np.ma.asarray(raw) if np.ma.isMaskedArray(raw) else np.asarray(raw)
    except ValueError:  # rows of different lengths
        words = np.empty(1)
    known = np.ma.compressed(words) if np.ma.isMaskedArray(words) else words
    if words.dtype.kind not in "iu" or (known.size and not 0 <= known.min() <= known.max() < 256**item.size):
        raise DeclarationError("split_bits", "raw", raw, f"words of {8 * item.size} bits, integers without sign")
    return words.astype(np.int64)  # a narrow type has no room for the bits of a wide part
