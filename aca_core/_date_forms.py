"""The forms that a single date may have, and how each is read; no arrays here.

The layouts are the one place that says what a form looks like: the expressions that read a string, the columns that
read an array of them and the functions that write one all follow from them.
"""

from __future__ import annotations

import math
import re
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from aca_core._leap_seconds import (
    PLAUSIBLE,
    RULES,
    SCALES,
    Clock,
    Scale,
    clock_of_fields,
    clock_to_secs,
    unix_to_secs,
    utc_to_secs,
)
from aca_core.errors import DateError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

__all__ = ["ANY", "DARK_ID", "FIELDS", "FORMATS", "LAYOUTS", "Reader", "read_datetime", "tokens"]

#: The calendar forms, first match wins. What is in brackets may be left out, ``f`` is any number of decimals.
LAYOUTS = {
    "date": "YYYY:DOY[:hh:mm[:ss[.f]]]",
    "iso": "YYYY-MM-DD[ hh:mm[:ss[.f]]]",
    "isot": "YYYY-MM-DDThh:mm[:ss[.f]][Z]",
    "dark id": "YYYYDOY",
    "greta": "YYYYDOY.hhmmss[f]",
    "maude": "YYYYDOYhhmmssfff",
    "caldate": "YYYYMonDD at hh:mm:ss[.f]",
}

#: What the parts of a layout stand for; all other characters stand for themselves.
FIELDS = {
    "YYYY": "year",
    "DOY": "day_of_year",
    "Mon": "month_name",
    "MM": "month",
    "DD": "day",
    "hh": "hour",
    "mm": "minute",
    "ss": "second",
    "fff": "fraction",
    "f": "fraction",
}

_TOKEN = re.compile("|".join(FIELDS) + "|.")
_SHORT_GRETA = re.compile(r"\d{7}\.\d{1,8}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_RELATIVE = re.compile(r"(?P<amount>[+-]\d+(\.\d+)?) ?(?P<unit>[a-z]+)", re.ASCII)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UNITS = {"s": 1, "sec": 1, "min": 60, "h": 3600, "hr": 3600, "hour": 3600, "d": 86_400, "day": 86_400}
_EXPECTED = (
    "expected a date such as 2012:001:12:00:00.000, 2012-01-01T12:00:00 or 2012001, CXC seconds, "
    "or a time from now such as -1d"
)


class Reader(NamedTuple):
    """What one kind of argument may hold, for single values and for arrays of them."""

    one: Callable[[Any], float]  # reads what is not an array; DateError if it cannot
    layouts: tuple[str, ...] = ()  # the layouts among its strings
    scale: Scale | None = None  # of its numbers; without one, integers are digits to be read like strings
    moments: bool = False  # whether datetimes and time objects belong to it


def _read_any(value: object) -> float:
    if isinstance(value, str):
        return _read_text(value)
    if value is None:
        return _now()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DateError(value, _EXPECTED)
    return _read_number(value, "secs")


def _read_text(text: str) -> float:
    stripped = text.strip()
    if _SHORT_GRETA.fullmatch(stripped):  # its clock may stop anywhere: 2012001.12 is noon
        stripped = stripped.ljust(len("YYYYDOY.hhmmssfff"), "0")
    for layout in LAYOUTS.values():
        if match := _regex(layout).fullmatch(stripped):
            return _read_match(text, match)
    if _NUMBER.fullmatch(stripped):
        return _read_number(text, "secs")
    match = _RELATIVE.fullmatch(stripped)
    if match and match["unit"] in _UNITS:
        return _plausible(text, _now() + float(match["amount"]) * _UNITS[match["unit"]])
    raise DateError(text, _EXPECTED)


def _read_digits(value: object, layout: str) -> float:
    """Read a string or an int that is all digits and has just this layout."""
    match = _regex(layout).fullmatch(str(value)) if isinstance(value, (str, int)) else None
    if match is None:
        raise DateError(value, f"expected the {len(layout)} digits {layout}")
    return _read_match(value, match)


def _read_match(value: object, match: re.Match[str]) -> float:
    clock = _clock_of_match(match)
    for rule, broken in RULES:
        if broken(clock):
            raise DateError(value, rule)
    return _plausible(value, clock_to_secs(clock))


def _clock_of_match(match: re.Match[str]) -> Clock:
    found = {name: digits for name, digits in match.groupdict().items() if digits}
    fields: dict[str, float] = {"fraction": float("0." + found.pop("fraction", "0"))}
    if month := found.pop("month_name", "").lower():
        fields["month"] = _MONTHS.index(month) + 1 if month in _MONTHS else 0
    return clock_of_fields(fields | {name: int(digits) for name, digits in found.items()})


def _read_number(value: object, format: str) -> float:
    """Read a number, or a string of one, of one of the scales."""
    try:
        number = float(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    except ValueError:
        number = None
    except OverflowError:
        number = math.inf
    if number is None:
        raise DateError(value, f"expected {format} as a number")
    return float(SCALES[format].to_secs(_plausible(value, number, format)))


def _plausible(value: object, number: float, format: str = "secs") -> float:
    """Return the number that was made of `value`; refuse it if it is far from the mission, or not finite."""
    scale = SCALES[format]
    if not scale.low <= number <= scale.high:
        raise DateError(value, f"outside {PLAUSIBLE} ({scale.low} to {scale.high} in {format})")
    return number


def read_datetime(moment: dt.date) -> float:
    """Read a date or datetime of the standard library; without a zone it is UTC."""
    import datetime as dt

    day = moment.toordinal() - 678_576  # the ordinal of MJD 0
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time())
    second = (moment.hour * 60 + moment.minute) * 60 + moment.second
    zone = moment.utcoffset() or dt.timedelta()
    days, second = divmod(second - (zone.days * 86_400 + zone.seconds), 86_400)
    fraction = (moment.microsecond - zone.microseconds) / 1e6
    return _plausible(moment, utc_to_secs(day + days, second, fraction))


def _now() -> float:
    return float(unix_to_secs(time.time()))


@cache
def _regex(layout: str) -> re.Pattern[str]:
    return re.compile("".join(map(_pattern, tokens(layout))), re.ASCII)


def _pattern(token: str) -> str:
    if token in FIELDS:
        pattern = {"Mon": "[A-Za-z]{3}", "f": r"\d+"}.get(token, rf"\d{{{len(token)}}}")
        return f"(?P<{FIELDS[token]}>{pattern})"
    return {"[": "(?:", "]": ")?"}.get(token, re.escape(token))


@cache
def tokens(layout: str) -> tuple[str, ...]:
    """Split a layout into the parts that `FIELDS` names and single characters."""
    return tuple(_TOKEN.findall(layout))


ANY = Reader(_read_any, tuple(LAYOUTS.values()), SCALES["secs"], moments=True)
DARK_ID = Reader(partial(_read_digits, layout=LAYOUTS["dark id"]), (LAYOUTS["dark id"],))
FORMATS = {
    **{name: Reader(partial(_read_number, format=name), scale=scale) for name, scale in SCALES.items()},
    "maude": Reader(partial(_read_digits, layout=LAYOUTS["maude"]), (LAYOUTS["maude"],)),
}
