"""What was the aspect solution at the time of a centroid: attitudes and offsets between their samples.

Interpolation is linear. That leaves an error of a step squared times the acceleration over eight: at the steps of
0.25625 s, 1.1e-5 arcsec for a dither of 20 arcsec in 768 s, and less for all others. It is a hundredth of what a star's
mean residual is known to, and for want of a second derivative a slerp between neighbours would leave the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray, IntArray
from aca_core.attitudes import normalise
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats, as_given

__all__ = ["interpolate", "interpolate_attitudes"]


@np.errstate(invalid="ignore", over="ignore")  # between infinite values there is none: NaN
def interpolate(times: npt.ArrayLike, solution_times: npt.ArrayLike, values: npt.ArrayLike) -> FloatArray:
    """Return values of the aspect solution at other times.

    Parameters
    ----------
    times : array_like, shape (...)
        Where they are wanted, CXC seconds.
    solution_times : array_like, shape (n,)
        Where they are known, s, ascending; two at least.
    values : array_like, shape (n,) or (n, k)
        What is known: offsets, mm or deg.

    Returns
    -------
    ndarray, shape (...) or (..., k)
        NaN before the first and after the last time, and next to values that are NaN. A scalar gives a float.

    Raises
    ------
    DeclarationError
        The times do not ascend, or are not as many as the values. It is a ValueError.

    Examples
    --------
    >>> interpolate([0.5, 1.5, 9.0], [0.0, 1.0, 2.0], [0.1, 0.2, 0.4]).round(9).tolist()
    [0.15, 0.3, nan]
    """
    where = _bracket("interpolate", times, solution_times)
    known = _known("interpolate", "values", values, where.samples)
    if known.ndim > 2:
        raise DeclarationError("interpolate", "values", known.shape, "one value or one row of values for each time")
    part = where.part if known.ndim == 1 else where.part[..., np.newaxis]
    first = known[where.before]
    between: FloatArray = as_given(first + part * (known[where.before + 1] - first))
    return between


@np.errstate(invalid="ignore", over="ignore", divide="ignore")  # quaternions without a direction become NaN
def interpolate_attitudes(times: npt.ArrayLike, solution_times: npt.ArrayLike, attitudes: npt.ArrayLike) -> FloatArray:
    """Return attitudes at other times: the components of quaternions interpolated, and made of length one again.

    A quaternion and its negative are the same attitude, and a solution may go from one to the other between two
    samples, so neighbours are given the same sign first.

    Parameters
    ----------
    times : array_like, shape (...)
        Where they are wanted, CXC seconds.
    solution_times : array_like, shape (n,)
        Where they are known, s, ascending; two at least.
    attitudes : array_like, shape (n, 4)
        Quaternions (x, y, z, w), of either sign.

    Returns
    -------
    ndarray, shape (..., 4)
        Of length one, w >= 0; NaN before the first and after the last time, and next to quaternions that are NaN.

    Raises
    ------
    DeclarationError
        The times do not ascend, or the attitudes are no quaternions, one for each time. It is a ValueError.

    Examples
    --------
    >>> from aca_core.attitudes import equatorial_of, from_equatorial
    >>> known = from_equatorial([10.0, 10.002], 0.0, 0.0) * [[1], [-1]]  # the second with the other sign
    >>> ra, dec, roll = equatorial_of(interpolate_attitudes(0.5, [0.0, 1.0], known))
    >>> round(float(ra), 9)
    10.001
    """
    what = "interpolate_attitudes"
    where = _bracket(what, times, solution_times)
    known = _known(what, "attitudes", attitudes, where.samples)
    if known.shape[1:] != (4,):
        raise DeclarationError(what, "attitudes", known.shape, "the shape (n, 4), quaternions")
    first, second = known[where.before], known[where.before + 1]
    sign = np.where(np.einsum("...i,...i->...", first, second) < 0, -1.0, 1.0)
    between = first + where.part[..., np.newaxis] * (sign[..., np.newaxis] * second - first)
    return normalise(between)


class _Bracket(NamedTuple):
    """Between which samples times lie, and how far from the first to the second of them."""

    before: IntArray
    part: FloatArray
    samples: int


def _bracket(what: str, times: npt.ArrayLike, solution_times: npt.ArrayLike) -> _Bracket:
    wanted, known = as_floats(what, "times", times, "s"), as_floats(what, "solution_times", solution_times, "s")
    if known.ndim != 1 or len(known) < 2:
        raise DeclarationError(what, "solution_times", known.shape, "two times or more, in one dimension")
    if not (np.all(np.diff(known) > 0) and np.isfinite(known[[0, -1]]).all()):
        raise DeclarationError(what, "solution_times", known, "times that ascend, none of them twice")
    before = np.clip(np.searchsorted(known, wanted, side="right"), 1, len(known) - 1) - 1
    # Not where times are infinite: the difference of these has no value.
    is_inside = (wanted >= known[0]) & (wanted <= known[-1])
    elapsed = np.where(is_inside, wanted, np.nan) - known[before]
    return _Bracket(before, np.asarray(elapsed / (known[before + 1] - known[before])), len(known))


def _known(what: str, name: str, values: npt.ArrayLike, count: int) -> FloatArray:
    known = as_floats(what, name, values)
    if known.ndim < 1 or len(known) != count:
        raise DeclarationError(what, name, known.shape, f"as many as there are solution_times, {count}")
    return known
