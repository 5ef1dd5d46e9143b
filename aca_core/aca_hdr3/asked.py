"""What a caller of header 3 says: names, a range of time, or data that are at hand; checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dates import to_date, to_secs
from aca_core.errors import DateError, DeclarationError

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["asked_names", "asked_range", "date_words", "given_arrays", "part_of", "range_of"]


def asked_names(msids: Any) -> list[Any]:
    """Return the names of a set as a list; one alone is taken for a list of it.

    Raises
    ------
    DeclarationError
        There are none. It is a ValueError.
    """
    if isinstance(msids, str | Integral):
        return [msids]
    names = list(msids) if isinstance(msids, Iterable) else []
    if not names:
        raise DeclarationError("MSIDset", "msids", msids, "names or numbers of quantities, such as ['ccd_temp', 'dac']")
    return names


def asked_range(what: str, start: DateLike, stop: DateLike) -> tuple[float, float]:
    """Return a range of time as CXC seconds; a stop of None is now.

    Raises
    ------
    DeclarationError
        There is no start. It is a ValueError.
    DateError
        A date is none, or the range goes backwards. It is a ValueError.
    """
    if start is None:
        raise DeclarationError(what, "start", None, "a date")
    return _forward(start, stop, _one_date(start), _one_date(stop))


def range_of(times: FloatArray, data: Any, start: DateLike, stop: DateLike) -> tuple[float, float]:
    """Return the range of data that are at hand: as said, else as they say, else from their first time to their last.

    Raises
    ------
    DateError
        A date is none, or the range goes backwards. It is a ValueError.
    """
    ends = (float(times[0]), float(times[-1])) if times.size else (np.nan, np.nan)
    first = part_of(data, "tstart", ends[0]) if start is None else _one_date(start)
    last = part_of(data, "tstop", ends[1]) if stop is None else _one_date(stop)
    return _forward(start, stop, first, last)


def date_words(secs: float) -> str:
    """Return CXC seconds as a date, empty where there are none."""
    return "" if np.isnan(secs) else to_date(secs)


def part_of(data: Any, name: str, default: Any = None) -> Any:
    """Return a part of data that are a mapping or an object with attributes; what is not there is the default."""
    found = data.get(name) if isinstance(data, Mapping) else getattr(data, name, None)
    return default if found is None else found


def given_arrays(name: str, times: Any, vals: Any) -> tuple[FloatArray, Any]:
    """Return times as an array and values as a masked array; memory is shared.

    Raises
    ------
    DeclarationError
        They are no numbers, or not as many times as values. It is a ValueError.
    """
    what, expected = f"MSID {name!r}", "arrays 'times' and 'vals' of numbers, of one length"
    if times is None or vals is None:
        raise DeclarationError(what, "msid_data", "without times or vals", expected)
    try:
        seconds, values = np.asarray(times, dtype=float), np.ma.asarray(vals)
    except (TypeError, ValueError):
        raise DeclarationError(what, "msid_data", times, expected) from None
    if seconds.ndim != 1 or seconds.shape != values.shape or values.dtype.kind not in "iuf":
        shapes = f"of shapes {seconds.shape} and {values.shape}, {values.dtype}"
        raise DeclarationError(what, "msid_data", shapes, expected)
    return seconds, np.ma.MaskedArray(values, mask=np.ma.getmaskarray(values))


def _one_date(date: DateLike) -> float:
    secs = to_secs(date)
    if getattr(secs, "shape", ()):
        raise DateError(date, "these are several dates; expected one")
    return float(secs)


def _forward(start: DateLike, stop: DateLike, first: float, last: float) -> tuple[float, float]:
    if last < first:
        raise DateError(start, f"it is after the stop, {stop!r}; expected a range of time that goes forward")
    return first, last
