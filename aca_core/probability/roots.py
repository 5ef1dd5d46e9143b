"""Where does a function that falls reach zero: for many of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from aca_core.arrays import FloatArray, IntArray

__all__ = ["find_falling_root", "find_first_fall"]

Functions: TypeAlias = Callable[[FloatArray, IntArray], FloatArray]
"""Of the places to evaluate at, and of which functions: two arrays of one length, for the values there."""


def find_falling_root(functions: Functions, low: float, high: float, count: int, *, tolerance: float) -> FloatArray:
    """Return where each of many falling functions is zero, or the end at which it is nearest to it.

    Parameters
    ----------
    functions : callable
        Of the places to evaluate at, and of which functions: two arrays of one length, for the values there.
    low, high : float
        Between which places to search.
    count : int
        Of how many functions.
    tolerance : float
        How exactly a place is found.

    Returns
    -------
    ndarray of float64, shape (count,)
        `high` where the function is not negative there, `low` where it is not positive there, NaN where it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> zeros = np.array([1.5, 7.0, -1.0])
    >>> find_falling_root(lambda x, which: zeros[which] - x, 0.0, 5.0, 3, tolerance=1e-9).round(6).tolist()
    [1.5, 5.0, 0.0]
    """
    import numpy as np

    every = np.arange(count)
    at_low = functions(np.full(count, low), every)
    at_high = functions(np.full(count, high), every)
    found = np.where(at_high >= 0, high, low)
    found[np.isnan(at_low) | np.isnan(at_high)] = np.nan
    inside = np.flatnonzero((at_low > 0) & (at_high < 0))
    found[inside] = _between(functions, inside, np.full(inside.size, low), np.full(inside.size, high), tolerance)
    return found


def find_first_fall(
    functions: Functions, low: float, high: float, count: int, *, tolerance: float, steps: int
) -> FloatArray:
    """Return the first place at which each of many functions falls below zero; they may rise again after it.

    Parameters
    ----------
    functions, low, high, count, tolerance
        As for `find_falling_root`.
    steps : int
        In how many steps to walk from `low` to `high` to find out between which two places the functions fall.

    Returns
    -------
    ndarray of float64, shape (count,)
        `low` where the function is negative from the start, `high` where it is so nowhere, NaN where it is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> find_first_fall(lambda x, which: np.cos(x), 0.0, 6.0, 1, tolerance=1e-9, steps=12).round(6).tolist()
    [1.570796]
    """
    import numpy as np

    found = np.full(count, high)
    going = np.arange(count)
    before: FloatArray = np.empty(0)
    before_place = low
    for number, place in enumerate(np.linspace(low, high, steps + 1)):
        values = functions(np.full(going.size, place), going)
        unknown, fallen = np.isnan(values), values < 0
        found[going[unknown]] = np.nan
        found[going[fallen]] = before_place  # right where it begins to fall there, having been zero, or at the start
        if number > 0:
            which = going[fallen & (before > 0)]
            ends = np.full(which.size, before_place), np.full(which.size, place)
            found[which] = _between(functions, which, *ends, tolerance)
        still = ~(unknown | fallen)
        going, before, before_place = going[still], values[still], float(place)
        if not going.size:
            break
    return found


def _between(functions: Functions, which: IntArray, low: FloatArray, high: FloatArray, tolerance: float) -> Any:
    """Return the zeros of some functions, each between two places where its signs differ."""
    import numpy as np
    from scipy.optimize import elementwise

    if not which.size:
        return low
    # The functions that are not done yet come with their numbers: find_root leaves out the others as it goes.
    return elementwise.find_root(
        lambda x, some: functions(np.atleast_1d(x).ravel(), np.atleast_1d(some).ravel()).reshape(np.shape(x)),
        (low, high),
        args=(which,),
        tolerances={"xatol": tolerance, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    ).x
