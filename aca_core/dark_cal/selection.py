"""Which dark calibration holds at a date: the rules, for one date or a million of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, overload

import numpy as np

from aca_core.dates import dark_id_to_date, day_start, to_date, to_secs
from aca_core.errors import DeclarationError, MissingDataError, did_you_mean

if TYPE_CHECKING:
    from aca_core.arrays import BoolArray, FloatArray, IntArray, StrArray
    from aca_core.dates import DateArray, DateLike, DateScalar

__all__ = ["SELECTIONS", "choose_dark_id", "ids_given"]

SELECTIONS: Final = ("before", "after", "nearest")
"""What ``select`` may be."""


@overload
def choose_dark_id(
    dark_ids: Mapping[str, str] | Iterable[Any], date: DateScalar, select: str = ..., where: str = ...
) -> str: ...
@overload
def choose_dark_id(
    dark_ids: Mapping[str, str] | Iterable[Any], date: DateArray, select: str = ..., where: str = ...
) -> StrArray: ...
@overload
def choose_dark_id(
    dark_ids: Mapping[str, str] | Iterable[Any], date: DateLike, select: str = ..., where: str = ...
) -> str | StrArray: ...
def choose_dark_id(
    dark_ids: Mapping[str, str] | Iterable[Any],
    date: DateLike,
    select: str = "before",
    where: str = "the ids that were given",
) -> str | StrArray:
    """Return which of some calibrations holds at a date, or at many.

    A calibration whose id is the UTC day of the date holds whatever `select` is. Otherwise a calibration counts as
    made at 00:00:00 UTC of its day, and `select` decides.

    Parameters
    ----------
    dark_ids : mapping or iterable of str
        Ids ``YYYYDOY``, in any order; of a mapping, such as that of `get_dark_cal_ids`, the values.
    date : date-like, any shape
        In any form of `aca_core.dates`.
    select : {'before', 'after', 'nearest'}, default 'before'
        The last one before the date, the first one at or after it, or the nearest, of two the earlier.
    where : str, optional
        Where the calibrations are, for messages.

    Returns
    -------
    str or ndarray of str, shape of `date`
        Ids.

    Raises
    ------
    DeclarationError
        There is no such way to select, or dates are masked. It is a ValueError.
    DateError
        A date or an id is none. It is a ValueError.
    MissingDataError
        There is no calibration at all, or none before, or after, a date. It is a LookupError.

    Examples
    --------
    >>> dark_ids = ["2006329", "2007006", "2007069", "2007251"]
    >>> [choose_dark_id(dark_ids, "2007:008:12:00:00", select) for select in SELECTIONS]
    ['2007006', '2007069', '2007006']
    >>> choose_dark_id(dark_ids, ["2007:069:00:01:00", "2007:100"]).tolist()
    ['2007069', '2007069']
    """
    check_select(select)
    known, starts = _starts(ids_given(dark_ids))
    secs = to_secs(date)
    _check_unmasked(secs)
    if not len(known):
        raise MissingDataError(
            f"there is no dark calibration in {where}; name another source, or set its folder in the configuration"
        )
    index = _chosen(starts, np.asarray(secs), np.asarray(day_start(secs)), select)
    missing = (index < 0) | (index >= len(known))
    if missing.any():
        raise MissingDataError(_none_there(missing, np.asarray(secs), select, known, where))
    chosen = known[index]
    return str(chosen) if isinstance(secs, float) else np.asarray(chosen)


def _chosen(starts: FloatArray, secs: FloatArray, midnight: FloatArray, select: str) -> IntArray:
    """Return indexes into ascending calibrations, -1 or their number where there is none."""
    last = len(starts) - 1
    later = np.searchsorted(starts, secs, side="left")
    if select == "before":
        index = later - 1
    elif select == "after":
        index = later
    else:
        below, above = np.clip(later - 1, 0, last), np.clip(later, 0, last)
        index = np.where(secs - starts[below] <= starts[above] - secs, below, above)
    same = np.searchsorted(starts, midnight, side="left")
    is_that_day = starts[np.minimum(same, last)] == midnight
    return np.where(is_that_day, same, index)


def check_select(select: object) -> None:
    """Refuse what is no way to select a calibration.

    Parameters
    ----------
    select : object
        The candidate.

    Raises
    ------
    DeclarationError
        It is not one of `SELECTIONS`. It is a ValueError.
    """
    if not (isinstance(select, str) and select in SELECTIONS):
        hint = did_you_mean(select, SELECTIONS)
        raise DeclarationError("dark calibration", "select", select, f"one of {', '.join(SELECTIONS)}.{hint}")


def ids_given(dark_ids: Mapping[str, str] | Iterable[Any]) -> tuple[str, ...]:
    """Return the ids of a mapping or of anything else that has them, as they come.

    Parameters
    ----------
    dark_ids : mapping or iterable of str
        Of a mapping, such as that of `get_dark_cal_ids`, the values.

    Returns
    -------
    tuple of str

    Raises
    ------
    DeclarationError
        It is a single value. It is a ValueError.
    """
    if isinstance(dark_ids, Mapping):
        dark_ids = dark_ids.values()
    try:
        if isinstance(dark_ids, str | bytes):
            raise TypeError
        given = tuple(dark_ids)
    except TypeError:  # also of an array without dimensions
        expected = "a list of ids, or a mapping to them"
        raise DeclarationError("dark calibration", "dark_cal_ids", dark_ids, expected) from None
    return tuple(str(each, "ascii", "replace") if isinstance(each, bytes) else str(each) for each in given)


@lru_cache(maxsize=64)
def _starts(dark_ids: tuple[str, ...]) -> tuple[StrArray, FloatArray]:
    """Return ids, ascending, and the CXC seconds at which their days start; both cannot be written to."""
    known = np.array(sorted(set(dark_ids)), dtype="U7")
    if any(len(each) != 7 for each in dark_ids):
        dark_id_to_date(list(dark_ids))  # which refuses what is no id
    starts = np.asarray(to_secs(dark_id_to_date(known))) if len(known) else np.empty(0)
    for array in (known, starts):
        array.setflags(write=False)
    return known, starts


def _check_unmasked(secs: Any) -> None:
    masked = int(np.ma.getmaskarray(secs).sum()) if np.ma.isMaskedArray(secs) else 0
    if masked:
        found = f"{masked} masked of {np.size(secs)}"
        raise DeclarationError("dark calibration", "date", found, "dates only; leave out those that are masked")


def _none_there(missing: BoolArray, secs: FloatArray, select: str, known: StrArray, where: str) -> str:
    """Return the message for dates that no calibration holds at."""
    first = to_date(float(secs[missing].flat[0] if secs.ndim else secs))
    there = f"{where} has {len(known)}, {known[0]} to {known[-1]}" if len(known) > 1 else f"{where} has {known[0]} only"
    others = " or ".join(repr(each) for each in SELECTIONS if each != select)
    advice = f"choose another date, or select={others}"
    if secs.ndim == 0:
        return f"there is no dark calibration {select} {first}: {there}; {advice}"
    place = ", ".join(str(each) for each in np.argwhere(missing)[0])
    has, them = ("has", "it") if missing.sum() == 1 else ("have", "them")
    what = f"{int(missing.sum())} of {missing.size} dates {has} no dark calibration {select} {them}"
    return f"{what}, the first {first} (at index {place}): {there}; {advice}"
