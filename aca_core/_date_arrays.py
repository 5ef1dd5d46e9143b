"""How arrays of dates are converted: whole columns at a time, and one by one only what does not fit.

The readers of single dates in `aca_core._date_forms` stay the judges: an element that the fast path cannot vouch
for goes to them, so that an array accepts what a single date accepts, and refuses it in the same words.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aca_core._date_forms import FIELDS, Reader, tokens
from aca_core._leap_seconds import (
    EARLIEST,
    LATEST,
    PLAUSIBLE,
    RULES,
    UNIX_DAY,
    clock_of_fields,
    clock_to_secs,
    utc_to_secs,
)
from aca_core.errors import DateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from aca_core._leap_seconds import Scale
    from aca_core.arrays import BoolArray, FloatArray, IntArray, StrArray

    ReadOne: TypeAlias = Callable[[Any], Any]

__all__ = ["keep_mask", "read", "write"]

_CHUNK = 16_384  # strings that are taken apart at a time: their columns stay in the processor's cache
_MOST_DECIMALS = 15  # that float64 holds exactly
_ZERO = ord("0")


class _BadElementError(Exception):
    """Carries the place of an element, counted without the masked ones, to where the shape is known."""

    def __init__(self, position: int, error: DateError) -> None:
        self.position = position
        self.error = error


def read(dates: Any, reader: Reader, read_one: Callable[..., Any]) -> float | FloatArray:
    """Return the CXC seconds of an array-like of dates.

    Parameters
    ----------
    dates : list, tuple, range or object with ``__array__``, any shape
        The dates.
    reader : Reader
        What they may be.
    read_one : callable
        Reads one of them, or a row of them: ``read_one(element, reader=reader)``.

    Returns
    -------
    float or ndarray of float64, shape of `dates`
        CXC seconds; a MaskedArray if `dates` is one (NaN below the mask), a float if it is a plain scalar.
    """
    array = _array_of_sequence(dates) if isinstance(dates, (list, tuple)) else _array_of_array(dates, reader)
    reader = reader._replace(one=partial(_read_present, reader.one))
    if array.dtype.kind not in _kinds(reader):
        reader.one(dates)  # which refuses it
    masked = isinstance(array, np.ma.MaskedArray)
    wanted = ~np.ma.getmaskarray(array)
    try:
        secs = _read_flat(np.asarray(np.ma.getdata(array))[wanted], reader, partial(read_one, reader=reader))
    except _BadElementError as bad:
        place = ", ".join(str(index) for index in np.argwhere(wanted)[bad.position])
        problem = f"{bad.error.problem} (at index {place})" if place else bad.error.problem
        raise DateError(bad.error.value, problem) from None
    if masked:
        spread = _spread(secs, wanted)
        return np.ma.MaskedArray(spread, mask=np.isnan(spread))
    shaped = secs.reshape(array.shape + secs.shape[1:])
    return shaped if shaped.ndim else float(shaped)


def keep_mask(secs: FloatArray, function: Callable[[FloatArray], Any]) -> Any:
    """Return ``function(secs)`` with the shape and the mask of `secs`; masked elements never reach it."""
    if not isinstance(secs, np.ma.MaskedArray):
        return function(secs)
    wanted = ~np.ma.getmaskarray(secs)
    return np.ma.MaskedArray(_spread(function(secs.compressed()), wanted), mask=~wanted)


def _spread(values: Any, wanted: BoolArray) -> Any:
    """Return an array with the values at the wanted places, and nothing plausible at the others."""
    if values.ndim > 1:
        raise DateError(values, "single dates and rows of dates cannot be mixed")
    spread = np.zeros(wanted.shape, dtype=values.dtype)
    if values.dtype.kind == "f":
        spread.fill(np.nan)
    spread[wanted] = values
    return spread


# ---------------------------------------------------------------------------------------------------------
# Whatever holds many dates, as an array


def _array_of_array(dates: Any, reader: Reader) -> Any:
    array: Any
    if hasattr(dates, "unmasked"):  # astropy's own kind of masked array
        array = np.ma.MaskedArray(np.asarray(dates.unmasked), mask=dates.mask)
    else:
        array = np.ma.asarray(dates) if isinstance(dates, np.ma.MaskedArray) else np.asarray(dates)
    unit = getattr(dates, "unit", None)  # of a Quantity or a table column
    if unit is None or array.dtype.kind not in "iuf":
        return array
    return array * _factor(unit, dates, reader)


def _factor(unit: Any, dates: object, reader: Reader) -> float:
    try:
        return float(unit.to(reader.scale.unit if reader.scale else None))
    except (AttributeError, TypeError, ValueError):
        raise DateError(dates, f"{unit} is not a unit of time that fits here") from None


def _read_present(one: Callable[[Any], float], value: Any) -> float:
    if value is None:  # in an array it stands for a missing value, which must not turn into the current time
        raise DateError(value, "mask the missing dates of an array")
    return one(value)


def _array_of_sequence(dates: Sequence[Any]) -> Any:
    items = dates
    shape: tuple[int, ...] = (len(dates),)
    while len(items) and all(isinstance(item, (list, tuple)) for item in items):
        lengths = set(map(len, items))
        if len(lengths) > 1:
            raise DateError(dates, "its rows differ in length")
        shape += (lengths.pop(),)
        items = list(chain.from_iterable(items))
    return _array_of_items(items).reshape(shape)


def _array_of_items(items: Sequence[Any]) -> Any:
    # numpy would turn numbers among strings into strings, and bools among numbers into numbers.
    types = set(map(type, items))
    if all(issubclass(kind, str) for kind in types):
        return np.array(items, dtype=str)
    if all(issubclass(kind, (int, float, np.integer)) and kind is not bool for kind in types):
        return np.array(items)
    array = np.fromiter(items, dtype=object, count=len(items))
    if type(np.ma.masked) in types:
        return np.ma.MaskedArray(array, mask=[item is np.ma.masked for item in items])
    return array


# ---------------------------------------------------------------------------------------------------------
# Flat arrays, by what they hold


def _kinds(reader: Reader) -> str:
    """Return the kinds of dtype that a reader understands, among them strings (S, T, U) and objects (O)."""
    return "iuOSTU" + ("f" if reader.scale else "") + ("M" if reader.moments else "")


def _read_flat(data: Any, reader: Reader, one: ReadOne) -> FloatArray:
    kind = data.dtype.kind
    if kind in "iuf" and reader.scale:
        return _read_numbers(data, reader.scale, one)
    if kind in "iu":
        return _read_texts(data.astype("U"), reader.layouts, one)
    if kind in "SU":
        return _read_texts(data, reader.layouts, one)
    return _read_moments(data) if kind == "M" else _read_objects(data.tolist(), one)


def _read_numbers(data: Any, scale: Scale, one: ReadOne) -> FloatArray:
    numbers: FloatArray = data.astype(float)
    for position in _first(~((numbers >= scale.low) & (numbers <= scale.high))):
        _read_element(data[position].item(), position, one)
    return np.asarray(scale.to_secs(numbers))


def _read_moments(data: Any) -> FloatArray:
    whole = data.astype("datetime64[s]")
    days, seconds = np.divmod(whole.astype(np.int64), 86_400)
    secs: FloatArray = utc_to_secs(days + UNIX_DAY, seconds, (data - whole) / np.timedelta64(1, "s"))
    for position in _first(np.isnat(data) | (secs < EARLIEST) | (secs > LATEST)):
        raise _BadElementError(position, DateError(data[position], f"outside {PLAUSIBLE}"))
    return secs


def _read_texts(texts: Any, layouts: tuple[str, ...], one: ReadOne) -> FloatArray:
    texts = texts.astype(texts.dtype.newbyteorder("="), copy=False)
    secs = np.full(len(texts), np.nan)
    for start in range(0, len(texts), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        secs[chunk] = _read_columns(texts[chunk], layouts)
    left = np.flatnonzero(np.isnan(secs))
    seen: dict[str | bytes, float] = {}
    for position, text in zip(left.tolist(), texts[left].tolist(), strict=True):
        if text not in seen:
            seen[text] = _read_element(text, position, one)
        secs[position] = seen[text]
    return secs


def _read_objects(items: list[Any], one: ReadOne) -> FloatArray:
    results = [_read_element(item, position, one) for position, item in enumerate(items)]
    if all(isinstance(result, float) for result in results):
        return np.array(results, dtype=float)
    if len({np.shape(result) for result in results}) > 1:
        raise DateError(items, "its rows differ in shape")
    masked = any(isinstance(result, np.ma.MaskedArray) for result in results)
    return np.ma.stack(results) if masked else np.stack(results)


def _read_element(item: Any, position: int, one: ReadOne) -> Any:
    try:
        return one(item)
    except DateError as error:
        raise _BadElementError(position, error) from None


def _first(bad: BoolArray) -> list[int]:
    found: list[int] = np.flatnonzero(bad)[:1].tolist()
    return found


# ---------------------------------------------------------------------------------------------------------
# Strings, column by column


class _Columns(NamedTuple):
    """Where a layout has what, in strings of one length."""

    marks: dict[int, int]  # code points by column
    fields: dict[str, slice]


def _read_columns(texts: Any, layouts: tuple[str, ...]) -> FloatArray:
    """Return CXC seconds, NaN for strings that have none of the layouts or break a rule."""
    secs = np.full(len(texts), np.nan)
    code_type = np.uint32 if texts.dtype.kind == "U" else np.uint8
    width = texts.dtype.itemsize // np.dtype(code_type).itemsize
    if width == 0:
        return secs
    codes = np.ascontiguousarray(np.ascontiguousarray(texts).view(code_type).reshape(-1, width).T)
    lengths = np.count_nonzero(codes, axis=0)
    for length in np.unique(lengths).tolist():
        for columns in _columns(layouts, length):
            rows = np.flatnonzero((lengths == length) & np.isnan(secs))
            if rows.size:
                secs[rows] = _read_layout(codes[:length, rows], columns)
    return secs


def _read_layout(codes: Any, columns: _Columns) -> FloatArray:
    secs = np.full(codes.shape[1], np.nan)
    fits = np.ones(codes.shape[1], dtype=bool)
    for column, mark in columns.marks.items():
        fits &= codes[column] == mark
    for column in set(range(len(codes))).difference(columns.marks) if fits.any() else ():
        fits &= (codes[column] >= _ZERO) & (codes[column] <= _ZERO + 9)
    rows = np.flatnonzero(fits)
    if rows.size:
        secs[rows] = _read_digits(codes[:, rows], columns.fields)
    return secs


def _read_digits(codes: Any, columns: dict[str, slice]) -> FloatArray:
    fields: dict[str, Any] = {}
    for name, place in columns.items():
        number = np.zeros(codes.shape[1], dtype=np.int64)
        for digit in codes[place]:
            number = 10 * number + digit - _ZERO
        fields[name] = number
    if "fraction" in fields:
        fields["fraction"] = fields["fraction"] / 10.0 ** len(codes[columns["fraction"]])
    clock = clock_of_fields(fields)
    secs = clock_to_secs(clock)
    good = (secs >= EARLIEST) & (secs <= LATEST)
    for _, broken in RULES:
        good &= ~np.asarray(broken(clock))
    return np.where(good, secs, np.nan)


@cache
def _columns(layouts: tuple[str, ...], length: int) -> list[_Columns]:
    """Return how strings of a length are read, for each variant of a layout that can be so long."""
    found = []
    for variant in dict.fromkeys(chain.from_iterable(map(_variants, layouts))):
        more = length - len(variant)  # decimals besides the one that is written in the layout
        if "Mon" not in variant and (more == 0 or ("f" in tokens(variant) and 0 < more < _MOST_DECIMALS)):
            found.append(_place(tokens(variant), more))
    return found


def _variants(layout: str) -> list[str]:
    """Return the layouts that remain when each part in brackets is kept or left out."""
    start = layout.rfind("[")
    if start < 0:
        return [layout]
    stop = layout.index("]", start)
    before, part, after = layout[:start], layout[start + 1 : stop], layout[stop + 1 :]
    return _variants(before + part + after) + _variants(before + after)


def _place(parts: tuple[str, ...], more: int) -> _Columns:
    columns, start = _Columns({}, {}), 0
    for part in parts:
        stop = start + len(part) + (more if part == "f" else 0)
        if part in FIELDS:
            columns.fields[FIELDS[part]] = slice(start, stop)
        else:
            columns.marks[start] = ord(part)
        start = stop
    return columns


def write(numbers: Mapping[str, IntArray], parts: tuple[str, ...]) -> StrArray:
    """Return strings made of the parts of a layout, with zero-padded numbers in their places.

    Parameters
    ----------
    numbers : mapping of str to array of int64, all of one shape
        The numbers by the parts they replace.
    parts : tuple of str
        The layout, taken apart; parts without a number stand for themselves.

    Returns
    -------
    ndarray of str
        The shape of the numbers.
    """
    shape = next(iter(numbers.values())).shape
    text = "".join(parts)
    codes = np.empty((int(np.prod(shape)), len(text)), dtype=np.uint32)
    codes[:] = [ord(character) for character in text]
    stop = 0
    for part in parts:
        start, stop = stop, stop + len(part)
        if part in numbers:
            left = numbers[part].ravel()
            for column in range(stop - 1, start - 1, -1):
                left, digit = np.divmod(left, 10)
                codes[:, column] = digit + _ZERO
    return codes.view(f"U{len(text)}").reshape(shape)
