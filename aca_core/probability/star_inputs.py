"""What was asked about stars, as arrays: numbers, quantities, dates and flags; what is not known becomes NaN."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aca_core.arrays import FloatArray
from aca_core.dark_current.scaling import CCD_TEMPERATURES
from aca_core.dates import day_end, to_secs
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["DEFAULTS", "differs", "frac_years", "read_input", "read_probabilities", "secs_of"]

DEFAULTS: Final[Mapping[str, Any]] = {
    "date": None,
    "t_ccd": -10.0,
    "color": 0.6,
    "halfwidth": 120.0,
    "spoiler": False,
    "warm_frac": None,
}
"""What an input is where nothing is said of it: values that make no difference to a model that does not use them."""

_UNITS: Final = {"mag": "mag", "t_ccd": "deg_C", "color": "mag", "halfwidth": "arcsec"}

_POSSIBLE: Final = {
    "t_ccd": (*CCD_TEMPERATURES, "temperatures from {:g} to {:g} degC".format(*CCD_TEMPERATURES)),
    "halfwidth": (0.0, sys.float_info.max, "half widths of search boxes, 0 or more, arcsec"),
}
"""Between which limits an input can be meant at all, and what is said of others: kelvin, for example."""

_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2100
"""The years that dates may be in; see `aca_core.dates`."""


def read_input(what: str, name: str, value: Any) -> FloatArray:
    """Return an input as an array of floats.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    name : str
        Which of `aca_core.STAR_INPUTS`.
    value : object
        A number, an array, a quantity, a date or a flag. Masked elements are not known.

    Returns
    -------
    ndarray of float64, shape of `value`
        Dates in CXC seconds, flags as 0 and 1, and NaN for what is not known. It may share memory with `value`.

    Raises
    ------
    DeclarationError
        It cannot be what it should be. It is a ValueError.
    DateError
        It is no date. It is a ValueError.
    """
    if name == "date":
        return secs_of(value)
    if name == "spoiler":
        return _flags(what, value)
    if name == "warm_frac":
        return read_probabilities(what, name, value)
    array = as_floats(what, name, value, _UNITS[name])
    if name in _POSSIBLE:
        low, high, expected = _POSSIBLE[name]
        wrong = (array < low) | (array > high)
        if wrong.any():
            raise DeclarationError(what, name, float(array[wrong].ravel()[0]), expected)
    return array


def read_probabilities(what: str, name: str, value: Any) -> FloatArray:
    """Return an argument as an array of probabilities.

    Parameters
    ----------
    what, name : str
        The function that was called and the argument, for messages.
    value : array_like
        Numbers, or NaN.

    Returns
    -------
    ndarray of float64, shape of `value`

    Raises
    ------
    DeclarationError
        One of them is below 0 or above 1, or is no number. It is a ValueError.
    """
    array = as_floats(what, name, value)
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        raise DeclarationError(what, name, float(array[wrong].ravel()[0]), "probabilities, 0 to 1")
    return array


def secs_of(date: DateLike) -> FloatArray:
    """Return dates as an array of CXC seconds; masked ones and NaN are not known, and NaN.

    Parameters
    ----------
    date : date-like, any shape
        None for now.

    Returns
    -------
    ndarray of float64, shape of `date`

    Raises
    ------
    DateError
        An element is no date.

    Examples
    --------
    >>> secs_of(["2012:001", "2012:002"]).tolist()
    [441763266.184, 441849666.184]
    >>> secs_of([441763266.184, float("nan")]).tolist()
    [441763266.184, nan]
    """
    import numpy as np

    if isinstance(date, float) and date != date:
        return np.asarray(np.nan)
    if isinstance(date, list | tuple) and date and all(isinstance(each, float) for each in date):
        date = np.asarray(date)
    if isinstance(date, np.ndarray) and date.dtype.kind == "f" and np.isnan(date).any():
        date = np.ma.masked_invalid(date)
    if isinstance(date, np.ma.MaskedArray) and date.ndim == 0 and np.ma.is_masked(date):
        return np.asarray(np.nan)
    return np.asarray(np.ma.filled(to_secs(date), np.nan), dtype=float)


def frac_years(secs: FloatArray) -> FloatArray:
    """Return CXC seconds as fractional years, NaN kept.

    Parameters
    ----------
    secs : ndarray
        CXC seconds, or NaN.

    Returns
    -------
    ndarray of float64, same shape
        What `aca_core.dates.to_frac_year` gives, from a table of the years: sooner for many dates.

    Examples
    --------
    >>> frac_years(secs_of(["2020:001", "2020:184"])).tolist()
    [2020.0, 2020.5]
    """
    import numpy as np

    starts = _year_starts()
    # Years are nearly of one length, which says the year to one: sooner than a search for each date.
    guess = (secs - starts[0]) * ((starts.size - 1) / (starts[-1] - starts[0]))
    year = np.fmin(np.fmax(guess, 0.0), starts.size - 2.0).astype(np.intp)  # these pass NaN over
    year += (secs >= starts[year + 1]) & (year < starts.size - 2)
    year -= (secs < starts[year]) & (year > 0)
    start = starts[year]
    return np.asarray(_FIRST_YEAR + year + (secs - start) / (starts[year + 1] - start))


@functools.cache
def _year_starts() -> FloatArray:
    """Return the CXC seconds at which each year starts that a date may be in, and the end of the last one."""
    import numpy as np

    starts = to_secs([f"{year}:001" for year in range(_FIRST_YEAR, _LAST_YEAR + 1)])
    return np.append(starts, day_end(f"{_LAST_YEAR}:365"))


def differs(name: str, value: Any, array: FloatArray) -> bool:
    """Say whether an input was given: whether any of it is not the default.

    Parameters
    ----------
    name : str
        Of `DEFAULTS`, or another input, for which any value counts.
    value : object
        As the caller gave it.
    array : ndarray
        What `read_input` made of it.

    Returns
    -------
    bool
    """
    default = DEFAULTS.get(name)
    return value is not None if default is None else bool((array != float(default)).any())


def _flags(what: str, value: Any) -> FloatArray:
    import numpy as np

    try:
        flags = value if np.ma.isMaskedArray(value) else np.asarray(value)
        array = as_floats(what, "spoiler", flags.astype(float) if flags.dtype.kind == "b" else flags)
        is_flag = (array == 0) | (array == 1) | np.isnan(array)
    except ValueError:  # numpy's of rows that differ in length, and ours, which asks for numbers
        is_flag = np.asarray(False)
    if not is_flag.all():
        raise DeclarationError(what, "spoiler", value, "True or False, or an array of them")
    return array
