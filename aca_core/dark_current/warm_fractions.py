"""Which fraction of the CCD's pixels is warmer than a threshold, for any dates, temperatures and thresholds at once.

Between the edges of a bin the published form interpolates with two slips: it takes the count of the bin above, and
powers of logarithms instead of powers. The published probability fits were made with it, so that it is the default,
``'exact'``; ``'corrected'`` is without the slips.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from aca_core.arrays import BoolArray, FloatArray, IntArray
from aca_core.dark_current.bins import CCD_PIXELS, FIRST_EDGE, LOG_STEP, deciding_edges
from aca_core.dark_current.laws import DarkLaw, dark_law
from aca_core.dark_current.scaling import SCALE_4C, scale_factor
from aca_core.dates import DateLike, to_frac_year
from aca_core.errors import AcaWarning, DeclarationError, UnknownNameError
from aca_core.quantities import as_floats, as_given, broadcast_shape

__all__ = ["WARM_METHODS", "frac_years", "warm_fraction", "warm_fraction_at"]

_CHUNK = 32_768  # elements at a time: what is computed on the way stays in the processor's cache
_SAFE_YEAR = 2012.0  # stands in for years without a model, whose results become NaN
_LOG_SCALE_4C = math.log(SCALE_4C)
_FARTHEST = 1000.0  # degC; farther off the answers are the same, and factors need not overflow
_LEAST = 1e-300  # e-/s, for thresholds of which there is no logarithm


def _exact_part(slope: FloatArray, log_edge: FloatArray, log_threshold: FloatArray) -> FloatArray:
    """Return the share of a bin above the threshold as published: with powers of logarithms."""
    part = _powers(slope, np.log(log_threshold / log_edge))
    return part / _powers(slope, np.log((log_edge - LOG_STEP) / log_edge))


def _corrected_part(slope: FloatArray, log_edge: FloatArray, log_threshold: FloatArray) -> FloatArray:
    """Return the share of a bin above the threshold: counts per bin of the logarithm go as a power."""
    return _powers(slope, log_threshold - log_edge) / _powers(slope, -LOG_STEP)


def _powers(slope: FloatArray, log_ratio: FloatArray | float) -> FloatArray:
    """Return ``ratio ** slope - 1``."""
    return np.asarray(np.expm1(slope * log_ratio))


# For each method the share of the bin, and whose count it is a share of: that of the bin above, or its own.
_METHODS: Final[dict[str, tuple[Callable[[FloatArray, FloatArray, FloatArray], FloatArray], bool]]] = {
    "exact": (_exact_part, True),
    "corrected": (_corrected_part, False),
}

WARM_METHODS: Final = tuple(_METHODS)
"""How a warm fraction may be interpolated inside a bin: ``exact`` as published, ``corrected`` without its slips."""


def frac_years(date: DateLike) -> FloatArray:
    """Return dates as years with a fraction, an array of any shape; masked dates are NaN.

    Parameters
    ----------
    date : date-like, any shape
        What `aca_core.dates.to_secs` accepts.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DateError
        An element is not a date.
    """
    years = to_frac_year(date)
    return np.asarray(np.ma.filled(years, np.nan) if isinstance(years, np.ma.MaskedArray) else years, dtype=float)


def warm_fraction(
    date: DateLike, t_ccd: Any, threshold: Any = 100.0, *, model: str = "2013", method: str = "exact"
) -> Any:
    """Return the fraction of the CCD's pixels whose dark current is above a threshold, by a dark-current model.

    Parameters
    ----------
    date : date-like, any shape
        Dates.
    t_ccd : array_like or Quantity, any shape
        CCD temperature, degC.
    threshold : array_like or Quantity, default 100.0
        Dark current, e-/s. At or below the first edge of the model's bins the whole histogram is the answer, with a
        warning; above the last but one the answer is 0.
    model : {'2013', '2017'}
        Which law.
    method : {'exact', 'corrected'}
        How to interpolate inside a bin: as published, and as the probability fits need it; or without the slips.

    Returns
    -------
    float or ndarray
        Of the shape that the arguments have together. NaN where one is masked or NaN, and for dates before the
        model's amplitude is positive (1998.8 and 1999.3), with a warning.

    Raises
    ------
    DeclarationError
        An argument is no number, the shapes do not broadcast, or a threshold is 1 e-/s or less with the exact form,
        which has no value there. It is a ValueError.
    DateError
        An element is not a date.
    UnknownNameError
        There is no such model or method.

    Examples
    --------
    >>> round(warm_fraction("2013:001", -19.0), 10)
    0.0811203818
    >>> warm_fraction("2013:001", [-19.0, -15.0], [[100.0], [200.0]], model="2017").round(4).tolist()
    [[0.0855, 0.1374], [0.0175, 0.0446]]
    """
    what = "warm_fraction"
    temperatures = as_floats(what, "t_ccd", t_ccd, "deg_C")
    thresholds = as_floats(what, "threshold", threshold, "electron / s")
    return as_given(warm_fraction_at(model, frac_years(date), temperatures, thresholds, method, stacklevel=3))


def warm_fraction_at(
    law_name: str,
    frac_year: FloatArray,
    t_ccd: FloatArray,
    threshold: FloatArray | float = 100.0,
    method: str = "exact",
    *,
    stacklevel: int = 2,
    messages: list[str] | None = None,
) -> FloatArray:
    """Return warm fractions for what is known to be plain numbers; `warm_fraction` is for everybody else.

    Parameters
    ----------
    law_name : str
        Name of the law.
    frac_year : ndarray, any shape
        Years with a fraction. What depends on the date alone is computed once for each, before broadcasting.
    t_ccd : ndarray, any shape
        CCD temperature, degC.
    threshold : ndarray or float
        Dark current, e-/s.
    method : {'exact', 'corrected'}
        As for `warm_fraction`.
    stacklevel : int
        Whose line warnings name: 2 for the caller's.
    messages : list of str, optional
        What there is to say is added here, and not warned of.

    Returns
    -------
    ndarray of float64
        Of the shape that the arguments have together, also where that is none. NaN where an argument is NaN.

    Raises
    ------
    DeclarationError, UnknownNameError
        As for `warm_fraction`.

    Examples
    --------
    >>> import numpy as np
    >>> warm_fraction_at("2013", np.array([[2012.0], [2013.0]]), np.array([-19.0, np.nan])).round(6).tolist()
    [[0.072318, nan], [0.08112, nan]]
    """
    law = dark_law(law_name)
    if not (isinstance(method, str) and method in _METHODS):
        raise UnknownNameError("method for a warm fraction", method, _METHODS)
    given = {
        "date": np.asarray(frac_year, dtype=float),
        "t_ccd": np.asarray(t_ccd, dtype=float),
        "threshold": np.asarray(threshold, dtype=float),
    }
    shape = broadcast_shape("warm_fraction", given)
    if method == "exact" and (given["threshold"] <= 1.0).any():
        worst = float(np.nanmin(given["threshold"]))
        expected = "thresholds above 1 e-/s, since the exact form has no value there; method='corrected' takes any"
        raise DeclarationError("warm_fraction", "threshold", worst, expected)
    said: list[str] = [] if messages is None else messages
    years, absent = _years_with_a_model(law, given["date"], said)
    result, n_total, n_void = _whole(law, years, given["t_ccd"], given["threshold"], method, shape)
    if absent is not None:
        result[np.broadcast_to(absent, shape)] = np.nan
    _say_of_thresholds(law, n_total, n_void, result.size, said)
    for text in said if messages is None else ():
        warnings.warn(text, AcaWarning, stacklevel)
    return result


def _years_with_a_model(law: DarkLaw, years: FloatArray, said: list[str]) -> tuple[FloatArray, BoolArray | None]:
    """Return years that the law can be evaluated at, and which of them only stand in for others; tell of early ones."""
    if years.size == 0:
        return years, None
    earliest = years.min()  # NaN if there is one
    if earliest >= law.valid_from and earliest > law.defined_from and years.max() < np.inf:
        return years, None
    is_year = np.isfinite(years)
    undefined = is_year & (years <= law.defined_from)
    absent = undefined | ~is_year
    early = ~absent & (years < law.valid_from)
    _say_of_dates(law, int(undefined.sum()), int(early.sum()), years.size, said)
    return np.where(absent, _SAFE_YEAR, years), absent


def _say_of_dates(law: DarkLaw, n_undefined: int, n_early: int, n_all: int, said: list[str]) -> None:
    if n_undefined:
        when = f"before {law.defined_from:.1f}, where the {law.name} dark model has a negative amplitude"
        said.append(f"{n_undefined} of {n_all} dates are {when}: the answer is NaN")
    if n_early:
        when = f"before {law.valid_from:.1f}, from when the {law.name} dark model is valid"
        said.append(f"{n_early} of {n_all} dates are {when}; it is continued to them")


def _say_of_thresholds(law: DarkLaw, n_total: int, n_void: int, n_all: int, said: list[str]) -> None:
    if n_total:
        where = f"at or below the first edge of the {law.name} dark model's bins ({FIRST_EDGE:g} e-/s, scaled)"
        said.append(f"{n_total} of {n_all} thresholds are {where}: the answer is its whole histogram")
    if n_void:
        where = "in a bin that begins at 1 e-/s or less, where the exact form has no value"
        said.append(f"{n_void} of {n_all} thresholds are {where}: the answer is NaN; use method='corrected'")


def _whole(
    law: DarkLaw, years: FloatArray, t_ccd: FloatArray, threshold: FloatArray, method: str, shape: tuple[int, ...]
) -> tuple[FloatArray, int, int]:
    """Return the warm fractions, how many thresholds were below all bins, and for how many there is no exact form."""
    result = np.empty(shape)
    flat, size = result.reshape(-1), result.size
    temperatures, thresholds = _flat(t_ccd, shape), _flat(threshold, shape)
    n_total = n_void = 0
    for part, terms in _parts(law, years, shape, size):
        found, is_total, is_void = _warm(law, terms, temperatures[part], thresholds[part], method)
        flat[part] = found
        n_total += int(np.count_nonzero(is_total))
        n_void += int(np.count_nonzero(is_void))
    return result, n_total, n_void


def _parts(law: DarkLaw, years: FloatArray, shape: tuple[int, ...], size: int) -> Iterator[tuple[slice, Any]]:
    """Yield slices of the flattened result, with the law's terms of their dates."""
    parts = [slice(start, min(start + _CHUNK, size)) for start in range(0, size, _CHUNK)]
    if years.size == size:
        each = years.reshape(-1)
        yield from ((part, law.terms(each[part])) for part in parts)
        return
    terms = law.terms(years.reshape(-1))
    which = _flat(np.arange(years.size).reshape(years.shape), shape)
    for part in parts:
        yield part, tuple(term[..., which[part]] for term in terms)


def _flat(array: Any, shape: tuple[int, ...]) -> Any:
    """Return an array broadcast and flattened, copied only where it must be."""
    size = math.prod(shape)
    if array.size == size:
        return array.reshape(-1)
    if array.size == 1:
        return np.broadcast_to(array.reshape(-1), size)
    return np.broadcast_to(array, shape).reshape(-1)


def _warm(
    law: DarkLaw, terms: Any, t_ccd: FloatArray, threshold: FloatArray, method: str
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return warm fractions, which thresholds are below all bins, and for which there is no exact form."""
    share_of, of_bin_above = _METHODS[method]
    is_known = np.isfinite(t_ccd) & ~np.isnan(threshold)
    t_ccd = np.clip(t_ccd, -_FARTHEST, _FARTHEST)
    threshold = np.maximum(threshold, _LEAST)
    with np.errstate(all="ignore"):  # what makes no sense is sorted out below
        log_scale, log_threshold = (t_ccd - law.t_ccd_ref) * (0.25 * _LOG_SCALE_4C), np.log(threshold)
        edge = _first_edge(law, t_ccd, log_scale, threshold, log_threshold)
        tail = law.tail(terms, np.minimum(edge, law.n_bins - 1))
        log_edge = log_scale + (edge * LOG_STEP + math.log(FIRST_EDGE))
        slope = np.log(tail.here / tail.before) / LOG_STEP
        slope += (slope == 0.0) * 1e-200  # a flat bin is the limit, and not 0 / 0
        partial = share_of(slope, log_edge, log_threshold)
        partial *= tail.here if of_bin_above else tail.before
    is_total, is_none = edge == 0, edge >= law.n_bins
    is_void = is_known & ~is_total & ~is_none & (log_edge <= LOG_STEP) & of_bin_above
    partial[is_total] = 0.0
    result = (tail.total + partial) / CCD_PIXELS
    result[is_none] = 0.0
    result[~is_known | is_void] = np.nan
    return result, is_total & is_known, is_void


def _first_edge(
    law: DarkLaw, t_ccd: FloatArray, log_scale: FloatArray, threshold: FloatArray, log_threshold: FloatArray
) -> IntArray:
    """Return the index of the first scaled edge above the threshold, at most `n_bins`; 0 also on the first edge.

    The edges are equally spaced in the logarithm, which says the index but for rounding. The last word have the edges
    themselves, multiplied by the factor as anybody would.
    """
    edges = deciding_edges(law.n_bins)
    scale = scale_factor(law.t_ccd_ref, t_ccd)
    place = np.ceil((log_threshold - log_scale - math.log(FIRST_EDGE)) / LOG_STEP)
    index = np.fmax(np.fmin(place, law.n_bins), 0.0).astype(np.intp)  # these pass NaN over
    index += edges.take(index) * scale < threshold
    is_later = (index > 0) & (edges.take(np.maximum(index - 1, 0)) * scale >= threshold)
    return np.asarray(np.minimum(index - is_later, law.n_bins))
