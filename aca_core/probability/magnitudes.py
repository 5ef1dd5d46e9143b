"""Magnitudes and what they mean for the camera: count rates, and the temperature at which a star is as clear."""

from __future__ import annotations

import math
from typing import Any, Final

from aca_core.arrays import FloatArray
from aca_core.dark_current.scaling import SCALE_4C
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape

__all__ = ["ZERO_MAG", "ZERO_RATE", "count_rate_to_mag", "mag_to_count_rate", "snr_mag_for_t_ccd"]

ZERO_RATE: Final = 5263.0
"""Count rate of a star of `ZERO_MAG`, e-/s: chandra_aca transform."""

ZERO_MAG: Final = 10.32
"""See `ZERO_RATE`, mag."""


def mag_to_count_rate(mag: Any) -> float | FloatArray:
    """Return the count rate of a star.

    Parameters
    ----------
    mag : float, array_like or Quantity
        Magnitude in the camera's band, mag.

    Returns
    -------
    float or ndarray of float64
        e-/s.

    Raises
    ------
    DeclarationError
        `mag` is no number. It is a ValueError.

    Examples
    --------
    >>> mag_to_count_rate(10.32)
    5263.0
    """
    import numpy as np

    mags = as_floats("mag_to_count_rate", "mag", mag, "mag")
    result: float | FloatArray = as_given(np.asarray(ZERO_RATE * 10.0 ** ((ZERO_MAG - mags) / 2.5)))
    return result


def count_rate_to_mag(count_rate: Any) -> float | FloatArray:
    """Return the magnitude of a star from its count rate.

    Parameters
    ----------
    count_rate : float, array_like or Quantity
        e-/s, 0 or more; 0 is infinitely faint.

    Returns
    -------
    float or ndarray of float64
        Magnitude in the camera's band, mag.

    Raises
    ------
    DeclarationError
        A rate is negative, or no number. It is a ValueError.

    Examples
    --------
    >>> round(count_rate_to_mag(mag_to_count_rate(8.5)), 9)
    8.5
    """
    import numpy as np

    rates = as_floats("count_rate_to_mag", "count_rate", count_rate, "electron / s")
    if (rates < 0).any():
        raise DeclarationError("count_rate_to_mag", "count_rate", float(np.nanmin(rates)), "0 or more, e-/s")
    with np.errstate(divide="ignore"):
        result: float | FloatArray = as_given(np.asarray(ZERO_MAG - 2.5 * np.log10(rates / ZERO_RATE)))
        return result


def snr_mag_for_t_ccd(t_ccd: Any, ref_mag: Any, ref_t_ccd: Any, scale_4c: float = SCALE_4C) -> float | FloatArray:
    """Return the magnitude that is as clear at one temperature as another magnitude is at another temperature.

    ``ref_mag - (t_ccd - ref_t_ccd) * log10(scale_4c) / 1.6``: the signal over the noise is kept, with noise in
    proportion to the dark current itself, ``scale_4c ** ((t_ccd - ref_t_ccd) / 4)``, and not to its square root.

    Parameters
    ----------
    t_ccd : float, array_like or Quantity
        CCD temperature, degC.
    ref_mag : float, array_like or Quantity
        The other magnitude, mag.
    ref_t_ccd : float, array_like or Quantity
        The temperature that belongs to it, degC.
    scale_4c : float, default 1/0.7
        Dark current at one temperature over that at a temperature lower by 4 degC.

    Returns
    -------
    float or ndarray of float64
        Magnitude, mag.

    Raises
    ------
    DeclarationError
        A value is no number, `scale_4c` is not above 0, or shapes do not broadcast. It is a ValueError.

    Examples
    --------
    >>> round(snr_mag_for_t_ccd(-14, 10.3, -10.9), 6)
    10.600123
    """
    import numpy as np

    what = "snr_mag_for_t_ccd"
    arrays = {
        "t_ccd": as_floats(what, "t_ccd", t_ccd, "deg_C"),
        "ref_mag": as_floats(what, "ref_mag", ref_mag, "mag"),
        "ref_t_ccd": as_floats(what, "ref_t_ccd", ref_t_ccd, "deg_C"),
    }
    broadcast_shape(what, arrays)
    scale = as_floats(what, "scale_4c", scale_4c)
    if scale.ndim or not 0 < scale < math.inf:
        raise DeclarationError(what, "scale_4c", scale_4c, "a number above 0, such as 1/0.7")
    warmer = arrays["t_ccd"] - arrays["ref_t_ccd"]
    result: float | FloatArray = as_given(np.asarray(arrays["ref_mag"] - warmer * math.log10(scale) / 1.6))
    return result
