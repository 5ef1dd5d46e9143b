"""Any date to CXC seconds and back: the only conversion of dates in this project.

==================== ===================================== ==============================================
What                 Example                               Remarks
==================== ===================================== ==============================================
date                 ``"2012:001:12:00:00.123"``           fraction, seconds, time of day may be left out
ISO                  ``"2012-01-01 12:00:00.123"``         likewise; with ``T`` and ``Z`` too
dark id              ``"2012001"``                         a string; the number is CXC seconds
greta                ``"2012001.120000123"``               a string; may stop after any digit
maude                ``"2012001120000123"``                the number only with ``format="maude"``
caldate              ``"2012Jan01 at 12:00:00.123"``
CXC seconds          ``441763266.184``                     every number, also as a string
from now             ``"-1d"``, ``"+30min"``, ``None``     s, min, hr and d (of 86400 s)
time objects         datetime, datetime64, astropy Time    datetimes without a zone are UTC
other scales         ``to_secs(55927, format="mjd")``      jd, mjd, unix, plotdate, frac_year, maude
==================== ===================================== ==============================================

Each of them also comes in lists, arrays, table columns and masked columns, and keeps its shape and mask.

Strings are UTC, with leap seconds, and a day without a time of day means 00:00:00. That includes the ISO
form with ``T``; the header keywords DATE-OBS and DATE-END of Chandra look like it but are TT, more than a
minute ahead: use TSTART and TSTOP. CXC seconds are SI seconds since 1998-01-01T00:00:00 TT. Dates outside
the years 1990 to 2100 are refused, and so is everything that names no instant.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

from aca_core._date_forms import ANY, DARK_ID, FORMATS, Reader, read_datetime, tokens
from aca_core._leap_seconds import day_to_year, secs_to_day, secs_to_frac_year, utc_to_secs
from aca_core.errors import UnknownNameError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Protocol, TypeAlias

    import numpy as np
    import numpy.typing as npt

    from aca_core._leap_seconds import Real
    from aca_core.arrays import FloatArray, IntArray, StrArray

    class _HasCxcsec(Protocol):
        @property
        def cxcsec(self) -> Any: ...

    class _HasSecs(Protocol):
        @property
        def secs(self) -> Any: ...

    DateScalar: TypeAlias = str | bytes | float | dt.date | np.generic | None
    DateArray: TypeAlias = list[Any] | tuple[Any, ...] | range | npt.NDArray[Any]
    DateLike: TypeAlias = DateScalar | DateArray | _HasCxcsec | _HasSecs
else:
    # The names must exist for whoever looks annotations up, without the price of importing numpy.
    DateScalar = DateArray = DateLike = Any

__all__ = [
    "DateLike",
    "dark_id_to_date",
    "date_to_dark_id",
    "day_end",
    "day_start",
    "to_date",
    "to_frac_year",
    "to_secs",
    "year_doy",
]

_T = TypeVar("_T")

# ---------------------------------------------------------------------------------------------------------
# One date or many


def _read(date: Any, reader: Reader) -> float | FloatArray:
    if isinstance(date, bytes):
        date = str(date, "ascii", "replace")
    if date is None or isinstance(date, (str, int, float)):
        return reader.one(date)
    if reader.moments:
        for name in ("cxcsec", "secs"):
            secs = getattr(date, name, None)
            if secs is not None:
                return _read(secs, ANY._replace(moments=False))
        import datetime as dt

        if isinstance(date, dt.date):
            return read_datetime(date)
    if isinstance(date, (list, tuple, range)) or (hasattr(date, "__array__") and not isinstance(date, type)):
        from aca_core import _date_arrays

        return _date_arrays.read(date, reader, _read)
    return reader.one(date)  # which refuses it


def _each(secs: float | FloatArray, function: Callable[[Any], _T]) -> _T:
    """Return ``function(secs)``, which takes a float or an array, with the mask of `secs`."""
    if isinstance(secs, float):
        return function(secs)
    from aca_core import _date_arrays

    result: _T = _date_arrays.keep_mask(secs, function)
    return result


def _write(secs: Real, layout: str) -> str | StrArray:
    """Return the UTC date of CXC seconds in a layout."""
    day, millisecond = secs_to_day(secs)
    year, day_of_year = day_to_year(day)
    minute = millisecond // 60_000
    minute = minute - (minute == 1440)  # a leap second belongs to the last minute of its day
    numbers = {
        "YYYY": year,
        "DOY": day_of_year,
        "hh": minute // 60,
        "mm": minute % 60,
        "ss": millisecond // 1000 - minute * 60,
        "fff": millisecond % 1000,
    }
    if isinstance(secs, float):
        return "".join(str(numbers[part]).zfill(len(part)) if part in numbers else part for part in tokens(layout))
    from aca_core import _date_arrays

    return _date_arrays.write(numbers, tokens(layout))


def _year_or_doy(secs: Real, part: int) -> Any:
    return day_to_year(secs_to_day(secs)[0])[part]


def _midnight(secs: Real, after: int = 0) -> float | FloatArray:
    midnight: float | FloatArray = utc_to_secs(secs_to_day(secs)[0] + after)
    return midnight


@overload
def to_secs(date: DateScalar = None, format: str | None = None) -> float: ...
@overload
def to_secs(date: DateArray, format: str | None = None) -> FloatArray: ...
@overload
def to_secs(date: DateLike, format: str | None = None) -> float | FloatArray: ...
def to_secs(date: DateLike = None, format: str | None = None) -> float | FloatArray:
    """Return the CXC seconds of a date, or of many.

    Parameters
    ----------
    date : date-like, any shape, optional
        One of the forms that this module's table lists, or a sequence, array or table column of them.
        The current time if it is left out. An astropy Quantity is CXC seconds in its unit of time.
    format : str, optional
        What plain numbers (or strings of them) count: ``jd`` and ``mjd`` (UTC days), ``unix`` (s),
        ``plotdate`` (days since 1970, as matplotlib counts them), ``frac_year`` or ``decimalyear``,
        ``secs`` or ``cxcsec``, or ``maude`` (16 digits). Without it, numbers are CXC seconds.

    Returns
    -------
    float or ndarray of float64, shape of `date`
        SI seconds since 1998-01-01T00:00:00 TT; a `numpy.ma.MaskedArray` for a masked array or column.
        Masked elements are not looked at.

    Raises
    ------
    DateError
        If an element is not a date, or lies outside the years 1990 to 2100.
    UnknownNameError
        If there is no such format.

    Examples
    --------
    >>> to_secs("2012:001:12:00:00")
    441806466.184
    >>> to_secs(["2012:001", "2012-01-01T12:00:00Z"])
    array([4.41763266e+08, 4.41806466e+08])
    >>> to_secs(55927.5, format="mjd")
    441806466.184
    """
    if format is None:
        reader = ANY
    elif format in FORMATS:
        reader = FORMATS[format]
    else:
        raise UnknownNameError("date format", format, FORMATS)
    return _read(date, reader)


@overload
def to_date(date: DateScalar = None) -> str: ...
@overload
def to_date(date: DateArray) -> StrArray: ...
@overload
def to_date(date: DateLike) -> str | StrArray: ...
def to_date(date: DateLike = None) -> str | StrArray:
    """Return the UTC date ``YYYY:DOY:HH:MM:SS.sss`` of a date, or of many.

    Parameters
    ----------
    date : date-like, any shape, optional
        What `to_secs` accepts; the current time if it is left out.

    Returns
    -------
    str or ndarray of str, shape of `date`
        21 characters each, rounded to the nearest millisecond; seconds reach 60 in a leap second.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> to_date(599616068.684)
    '2016:366:23:59:60.500'
    >>> to_date(["2012-01-01", "2012Feb29 at 06:00:00"])
    array(['2012:001:00:00:00.000', '2012:060:06:00:00.000'], dtype='<U21')
    """
    return _each(to_secs(date), partial(_write, layout="YYYY:DOY:hh:mm:ss.fff"))


@overload
def date_to_dark_id(date: DateScalar) -> str: ...
@overload
def date_to_dark_id(date: DateArray) -> StrArray: ...
@overload
def date_to_dark_id(date: DateLike) -> str | StrArray: ...
def date_to_dark_id(date: DateLike) -> str | StrArray:
    """Return the identifier that a dark calibration of a date's UTC day has, or of many.

    Parameters
    ----------
    date : date-like, any shape
        What `to_secs` accepts.

    Returns
    -------
    str or ndarray of str, shape of `date`
        Year and day of year, ``YYYYDOY``, of the date that `to_date` writes.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> date_to_dark_id("2011-01-15T12:00:00")
    '2011015'
    """
    return _each(to_secs(date), partial(_write, layout="YYYYDOY"))


@overload
def dark_id_to_date(dark_id: str | bytes | int | np.generic) -> str: ...
@overload
def dark_id_to_date(dark_id: DateArray) -> StrArray: ...
@overload
def dark_id_to_date(dark_id: str | bytes | int | np.generic | DateArray) -> str | StrArray: ...
def dark_id_to_date(dark_id: str | bytes | int | np.generic | DateArray) -> str | StrArray:
    """Return the day that the identifier of a dark calibration names, or of many.

    Parameters
    ----------
    dark_id : str or int, any shape
        Seven digits, ``YYYYDOY``.

    Returns
    -------
    str or ndarray of str, shape of `dark_id`
        ``YYYY:DOY``, which as a date means 00:00:00 UTC.

    Raises
    ------
    DateError
        If an element is not seven digits, or there is no such day.

    Examples
    --------
    >>> dark_id_to_date("2011015")
    '2011:015'
    >>> dark_id_to_date([2011015, 2012366])
    array(['2011:015', '2012:366'], dtype='<U8')
    """
    return _each(_read(dark_id, DARK_ID), partial(_write, layout="YYYY:DOY"))


@overload
def to_frac_year(date: DateScalar) -> float: ...
@overload
def to_frac_year(date: DateArray) -> FloatArray: ...
@overload
def to_frac_year(date: DateLike) -> float | FloatArray: ...
def to_frac_year(date: DateLike) -> float | FloatArray:
    """Return a date as a year with a fraction, or many.

    The fraction is that of the year's own seconds, 86400 for each of its days and its leap seconds, so that
    the first instant of a UTC year is a whole number.

    Parameters
    ----------
    date : date-like, any shape
        What `to_secs` accepts.

    Returns
    -------
    float or ndarray of float64, shape of `date`
        Years.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> round(to_frac_year("2012:183:12:00:00"), 10)
    2012.4986338956
    """
    frac_year: float | FloatArray = _each(to_secs(date), secs_to_frac_year)
    return frac_year


@overload
def year_doy(date: DateScalar) -> tuple[int, int]: ...
@overload
def year_doy(date: DateArray) -> tuple[IntArray, IntArray]: ...
@overload
def year_doy(date: DateLike) -> tuple[int, int] | tuple[IntArray, IntArray]: ...
def year_doy(date: DateLike) -> tuple[int, int] | tuple[IntArray, IntArray]:
    """Return the UTC year and the day of the year of a date, or of many.

    Parameters
    ----------
    date : date-like, any shape
        What `to_secs` accepts.

    Returns
    -------
    year, day_of_year : int or ndarray of int64, shape of `date`
        Those of the date that `to_date` writes; days count from 1.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> year_doy(686111014)
    (2019, 272)
    """
    secs = to_secs(date)
    return _each(secs, partial(_year_or_doy, part=0)), _each(secs, partial(_year_or_doy, part=1))


@overload
def day_start(date: DateScalar) -> float: ...
@overload
def day_start(date: DateArray) -> FloatArray: ...
@overload
def day_start(date: DateLike) -> float | FloatArray: ...
def day_start(date: DateLike) -> float | FloatArray:
    """Return the CXC seconds at which the UTC day of a date starts, or of many.

    Parameters
    ----------
    date : date-like, any shape
        What `to_secs` accepts.

    Returns
    -------
    float or ndarray of float64, shape of `date`
        CXC seconds of 00:00:00 UTC of that day.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> to_date(day_start("2012:001:18:30:00"))
    '2012:001:00:00:00.000'
    """
    return _each(to_secs(date), _midnight)


@overload
def day_end(date: DateScalar) -> float: ...
@overload
def day_end(date: DateArray) -> FloatArray: ...
@overload
def day_end(date: DateLike) -> float | FloatArray: ...
def day_end(date: DateLike) -> float | FloatArray:
    """Return the CXC seconds at which the UTC day of a date ends and the next one starts, or of many.

    Parameters
    ----------
    date : date-like, any shape
        What `to_secs` accepts.

    Returns
    -------
    float or ndarray of float64, shape of `date`
        CXC seconds of 00:00:00 UTC of the following day: 86400 after the start of the day, 86401 if a
        leap second ends it.

    Raises
    ------
    DateError
        If an element is not a date.

    Examples
    --------
    >>> to_date(day_end("2016:366"))
    '2017:001:00:00:00.000'
    """
    return _each(to_secs(date), partial(_midnight, after=1))
