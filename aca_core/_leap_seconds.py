"""How UTC and CXC seconds relate: leap seconds, the calendar and the rules of a clock reading.

Each function takes Python numbers or numpy arrays and answers in kind, so that a date in a column cannot
come out differently from the same date alone. A day is named by its modified Julian date (MJD), an int;
CXC seconds are SI seconds since 1998-01-01T00:00:00 TT. Nothing here imports numpy unless it is given arrays.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    # One name for "an int or an integer array" and one for "a float or a float array": annotating the
    # arithmetic twice by overloads would bury it.
    Whole: TypeAlias = Any
    Real: TypeAlias = Any

__all__ = [
    "EARLIEST",
    "LATEST",
    "LEAP_SECONDS",
    "PLAUSIBLE",
    "RULES",
    "SCALES",
    "UNIX_DAY",
    "Clock",
    "Scale",
    "clock_of_fields",
    "clock_to_secs",
    "day_of_year",
    "day_to_year",
    "first_day",
    "secs_to_day",
    "secs_to_frac_year",
    "unix_to_secs",
    "utc_to_secs",
]

#: TAI-UTC in seconds, from 00:00:00 UTC of the first day of this year and month on.
#: Source: IERS Bulletin C (the table is kept at https://hpiers.obspm.fr/iers/bul/bulc/Leap_Second.dat).
LEAP_SECONDS = (
    *((1972, 1, 10), (1972, 7, 11), (1973, 1, 12), (1974, 1, 13), (1975, 1, 14), (1976, 1, 15), (1977, 1, 16)),
    *((1978, 1, 17), (1979, 1, 18), (1980, 1, 19), (1981, 7, 20), (1982, 7, 21), (1983, 7, 22), (1985, 7, 23)),
    *((1988, 1, 24), (1990, 1, 25), (1991, 1, 26), (1992, 7, 27), (1993, 7, 28), (1994, 7, 29), (1996, 1, 30)),
    *((1997, 7, 31), (1999, 1, 32), (2006, 1, 33), (2009, 1, 34), (2012, 7, 35), (2015, 7, 36), (2017, 1, 37)),
)

#: The years in which a date is plausible, both included.
FIRST_YEAR, LAST_YEAR = 1990, 2100
PLAUSIBLE = f"the years {FIRST_YEAR} to {LAST_YEAR}"

#: The MJD of 1970-01-01, from which POSIX counts seconds, and matplotlib (since 3.3) days.
UNIX_DAY = 40_587

# TT-TAI is 32.184 s by definition (IAU 1991, recommendation IV); MJD 50814 is 1998-01-01.
_TT_MINUS_TAI_SECONDS, _TT_MINUS_TAI_FRACTION = 32, 0.184
_TT_MINUS_TAI_MILLISECONDS = 32_184
_EPOCH_DAY = 50814
_DAY_SECONDS, _DAY_MILLISECONDS = 86_400, 86_400_000


class Clock(NamedTuple):
    """A UTC calendar reading; numbers or arrays that broadcast."""

    year: Whole
    day: Whole  # of the year; 0 for a month and day that do not exist
    hour: Whole = 0
    minute: Whole = 0
    second: Whole = 0
    fraction: Real = 0.0


# ---------------------------------------------------------------------------------------------------------
# Calendar


def first_day(year: Whole) -> Whole:
    """Return the MJD of 1 January of a year of the Gregorian calendar."""
    before = year - 1
    return 365 * before + before // 4 - before // 100 + before // 400 - 678_575


def day_of_year(year: Whole, month: Whole, day: Whole) -> Whole:
    """Return the day of the year of a month and day, 0 if there is no such day."""
    first = _days_before(year, month)
    exists = (month >= 1) & (month <= 12) & (day >= 1) & (day <= _days_before(year, month + 1) - first)
    return exists * (first + day)


def _days_before(year: Whole, month: Whole) -> Whole:
    # Meeus, Astronomical Algorithms (2nd edition), chapter 7; month 13 is the next January.
    leap_year = first_day(year + 1) - first_day(year) - 365
    return 275 * month // 9 - (2 - leap_year) * ((month + 9) // 12) - 30


def day_to_year(day: Whole) -> tuple[Whole, Whole]:
    """Return the year and the day of the year of an MJD within the plausible years."""
    year = _lookup(_FIRST_DAYS, _YEARS, day)
    return year, day - first_day(year) + 1


# ---------------------------------------------------------------------------------------------------------
# UTC to CXC seconds and back


def utc_to_secs(day: Whole, second: Whole = 0, fraction: Real = 0.0) -> Real:
    """Return the CXC seconds of an MJD, a whole second of that day and a fraction of a second."""
    whole = (day - _EPOCH_DAY) * _DAY_SECONDS + second + _tai_minus_utc(day) + _TT_MINUS_TAI_SECONDS
    # The whole part is exact, so the result is off by the rounding of one addition at most.
    return whole + (fraction + _TT_MINUS_TAI_FRACTION)


def secs_to_day(secs: Real) -> tuple[Whole, Whole]:
    """Return the UTC day (MJD) and the millisecond of that day, rounded to the nearest.

    The millisecond exceeds 86 399 999 inside a leap second only.
    """
    elapsed = _nearest(secs * 1000)
    offset = _lookup(_STEP_INSTANTS, _OFFSETS, elapsed)
    day, millisecond = divmod(elapsed - _TT_MINUS_TAI_MILLISECONDS - 1000 * offset, _DAY_MILLISECONDS)
    day = day + _EPOCH_DAY
    # The old offset still holds although its count has reached the next day: this is the leap second.
    leaping = _tai_minus_utc(day) > offset
    return day - leaping, millisecond + _DAY_MILLISECONDS * leaping


def _length_of_day(day: Whole) -> Whole:
    # in seconds: 86401 if it ends with a leap second
    return _DAY_SECONDS + _tai_minus_utc(day + 1) - _tai_minus_utc(day)


def _tai_minus_utc(day: Whole) -> Whole:
    return _lookup(_STEP_DAYS, _OFFSETS, day)


# ---------------------------------------------------------------------------------------------------------
# Other ways to count


def mjd_to_secs(mjd: Real) -> Real:
    """Return the CXC seconds of a UTC modified Julian date with a fraction.

    As in ERFA, the fraction is that of the day's own length: on a day that ends with a leap second, .5
    is 43200.5 s after its start.
    """
    day = _floor(mjd)
    return utc_to_secs(day, 0, (mjd - day) * _length_of_day(day))


def unix_to_secs(unix: Real) -> Real:
    """Return the CXC seconds of a POSIX time in seconds, in which every day counts 86400 s."""
    day = _floor(unix // _DAY_SECONDS)
    return utc_to_secs(day + UNIX_DAY, 0, unix - day * _DAY_SECONDS)


def frac_year_to_secs(frac_year: Real) -> Real:
    """Return the CXC seconds of a UTC year with a fraction, which is that of the year's own seconds."""
    year = _floor(frac_year)
    start, stop = utc_to_secs(first_day(year)), utc_to_secs(first_day(year + 1))
    return start + (frac_year - year) * (stop - start)


def secs_to_frac_year(secs: Real) -> Real:
    """Return the UTC year with a fraction of CXC seconds: the inverse of `frac_year_to_secs`."""
    year, _ = day_to_year(secs_to_day(secs)[0])
    start, stop = utc_to_secs(first_day(year)), utc_to_secs(first_day(year + 1))
    return year + (secs - start) / (stop - start)


# ---------------------------------------------------------------------------------------------------------
# Clock readings


def clock_of_fields(fields: Mapping[str, Any]) -> Clock:
    """Return the clock reading of named fields, with a ``day_of_year`` or a ``month`` and ``day``."""
    year = fields["year"]
    day = fields["day_of_year"] if "day_of_year" in fields else day_of_year(year, fields["month"], fields["day"])
    return Clock(year, day, *(fields.get(name, 0) for name in Clock._fields[2:]))


def clock_to_secs(clock: Clock) -> Real:
    """Return the CXC seconds of a clock reading that breaks none of the `RULES`."""
    second = (clock.hour * 60 + clock.minute) * 60 + clock.second
    return utc_to_secs(first_day(clock.year) + clock.day - 1, second, clock.fraction)


def _no_such_day(clock: Clock) -> Any:  # a bool, or an array of them
    return (clock.day < 1) | (clock.day > first_day(clock.year + 1) - first_day(clock.year))


def _no_such_second(clock: Clock) -> Any:
    last_minute = (clock.hour == 23) & (clock.minute == 59)
    leap = _length_of_day(first_day(clock.year) + clock.day - 1) - _DAY_SECONDS
    return clock.second > 59 + leap * last_minute


#: What a clock reading must not break: the sentence for people, and the test.
RULES: tuple[tuple[str, Callable[[Clock], Any]], ...] = (
    ("there is no such day: a year has days 001 to 365, 366 in a leap year, and months 01 to 12", _no_such_day),
    ("hours run from 00 to 23; the midnight that ends a day is 00:00:00 of the next", lambda c: c.hour > 23),
    ("minutes run from 00 to 59", lambda c: c.minute > 59),
    ("seconds run from 00 to 59; 23:59:60 exists only on days that end with a leap second", _no_such_second),
)


# ---------------------------------------------------------------------------------------------------------
# The three operations that Python and numpy spell differently


def _floor(number: Real) -> Whole:
    if isinstance(number, (int, float)):
        return math.floor(number)
    return _numpy().floor(number).astype("int64")


def _nearest(number: Real) -> Whole:
    if isinstance(number, float):
        return round(number)
    return _numpy().rint(number).astype("int64")


def _lookup(starts: Sequence[int], values: Sequence[int], key: Whole) -> Whole:
    """Return the value of the last start at or before `key`, the first value for keys before all."""
    if isinstance(key, int):
        return values[max(bisect_right(starts, key) - 1, 0)]
    np = _numpy()
    return np.asarray(values)[np.maximum(np.searchsorted(starts, key, side="right") - 1, 0)]


def _numpy() -> Any:
    import numpy as np

    return np


_YEARS = tuple(range(FIRST_YEAR - 1, LAST_YEAR + 2))
_FIRST_DAYS = tuple(first_day(year) for year in _YEARS)
_OFFSETS = tuple(offset for _, _, offset in LEAP_SECONDS)
_STEP_DAYS = tuple(first_day(year) + day_of_year(year, month, 1) - 1 for year, month, _ in LEAP_SECONDS)
# In milliseconds of TT since the epoch: the first instant at which the new offset holds.
_STEP_INSTANTS = tuple(
    (day - _EPOCH_DAY) * _DAY_MILLISECONDS + offset * 1000 + _TT_MINUS_TAI_MILLISECONDS
    for day, offset in zip(_STEP_DAYS, _OFFSETS, strict=True)
)

_LOW, _HIGH = first_day(FIRST_YEAR), first_day(LAST_YEAR + 1)
#: The CXC seconds of the first and the last plausible instant; the last is the end of the last year.
EARLIEST, LATEST = utc_to_secs(_LOW), utc_to_secs(_HIGH)


class Scale(NamedTuple):
    """A way to count time: the plausible range, the unit, and the conversion to CXC seconds."""

    low: float
    high: float
    unit: str  # as astropy spells it
    to_secs: Callable[[Real], Real]


_SECS = Scale(EARLIEST, LATEST, "s", lambda secs: secs)
_FRAC_YEAR = Scale(FIRST_YEAR, LAST_YEAR + 1, "yr", frac_year_to_secs)

#: The scales by name.
SCALES = {
    "secs": _SECS,
    "cxcsec": _SECS,
    "jd": Scale(_LOW + 2_400_000.5, _HIGH + 2_400_000.5, "d", lambda jd: mjd_to_secs(jd - 2_400_000.5)),
    "mjd": Scale(_LOW, _HIGH, "d", mjd_to_secs),
    "unix": Scale((_LOW - UNIX_DAY) * _DAY_SECONDS, (_HIGH - UNIX_DAY) * _DAY_SECONDS, "s", unix_to_secs),
    "plotdate": Scale(_LOW - UNIX_DAY, _HIGH - UNIX_DAY, "d", lambda days: unix_to_secs(days * _DAY_SECONDS)),
    "frac_year": _FRAC_YEAR,
    "decimalyear": _FRAC_YEAR,
}
