"""The fraction of warm pixels that a model asks for, computed once for stars of the same date and temperature."""

from __future__ import annotations

from typing import Final

from aca_core.arrays import FloatArray, IntArray
from aca_core.dark_current.warm_fractions import warm_fraction_at

__all__ = ["warm_fractions"]

_MANY: Final = 1000
"""Below this number of stars looking for equal conditions costs more than it saves."""


def warm_fractions(
    dark_model: str, frac_year: FloatArray, t_ccd: FloatArray, threshold: float, messages: list[str] | None = None
) -> FloatArray:
    """Return warm fractions in the shape of date and temperature.

    Stars that share a date and a temperature by broadcasting are one condition anyhow. Those that follow each other in
    a table with the same values, as the stars of a catalogue do, are one condition, too. To sort all conditions for
    others that are equal would take longer than to compute them.

    Parameters
    ----------
    dark_model : str
        Name of a law of `aca_core.dark_current`.
    frac_year : ndarray
        Fractional years, or NaN.
    t_ccd : ndarray
        CCD temperatures, degC, or NaN; broadcasts with `frac_year`.
    threshold : float
        Dark current above which a pixel is warm, e-/s.
    messages : list of str, optional
        What the dark model has to say is added here, and not warned of: of dates, for example, before it is valid.

    Returns
    -------
    ndarray of float64, the shape of both together
        NaN where one of the two is.

    Raises
    ------
    UnknownNameError
        There is no such law.
    """
    if frac_year.shape != t_ccd.shape or frac_year.size < _MANY:
        return warm_fraction_at(dark_model, frac_year, t_ccd, threshold, messages=messages)
    shape, frac_year, t_ccd = frac_year.shape, frac_year.ravel(), t_ccd.ravel()
    first, where = _runs(frac_year, t_ccd)
    if first.size == frac_year.size:
        return warm_fraction_at(dark_model, frac_year, t_ccd, threshold, messages=messages).reshape(shape)
    found = warm_fraction_at(dark_model, frac_year[first], t_ccd[first], threshold, messages=messages)
    return found[where].reshape(shape)


def _runs(frac_year: FloatArray, t_ccd: FloatArray) -> tuple[IntArray, IntArray]:
    """Return where each run of equal conditions starts, and for each element which run it is in."""
    import numpy as np

    starts = np.ones(frac_year.size, dtype=bool)
    starts[1:] = (frac_year[1:] != frac_year[:-1]) | (t_ccd[1:] != t_ccd[:-1])
    return np.flatnonzero(starts), np.cumsum(starts) - 1
