"""How dark current changes with temperature: one factor for the whole CCD, or one for each pixel by its value."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape

__all__ = [
    "CCD_TEMPERATURES",
    "SCALE_4C",
    "dark_temp_scale",
    "dark_temp_scale_img",
    "one_ccd_temperature",
    "scale_factor",
]

_PER_4C: Final = 0.70

SCALE_4C: Final = 1 / _PER_4C
"""Growth of the dark current for 4 degC more (sot/chandra_aca ``dark_model.py``; before that study it was 1/0.62)."""

CCD_TEMPERATURES: Final = (-100.0, 100.0)
"""Between which a temperature can be that of the CCD, degC; what lies beyond is in kelvin, or damaged."""

_A, _B, _C, _D, _E = (-4.88802057, -1.66791619e-4, -2.22596103e-1, -2.45720364e-3, 1.90718453e-1)
"""The fit of 2023 to pixels measured at several temperatures (sot/chandra_aca ``dark_model.py``)."""

_T0: Final = 265.15  # K, which is -8 degC
_FITTED: Final = (20.0, 1e4)  # e-/s; the fit is not followed outside


def scale_factor(
    t_ccd: FloatArray | float, t_ccd_ref: FloatArray | float, scale_4c: FloatArray | float = SCALE_4C
) -> Any:
    """Return `dark_temp_scale` for what is known to be arrays of floats: the one place where the power is taken.

    Parameters
    ----------
    t_ccd, t_ccd_ref : ndarray or float
        From which temperature to which, degC.
    scale_4c : ndarray or float
        Growth for 4 degC more.

    Returns
    -------
    ndarray
        Their broadcast shape; infinite where the temperatures make no sense.
    """
    # 0.70 to a power, not its inverse: 4 degC are then exactly 0.7.
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        per_4c = _PER_4C if scale_4c is SCALE_4C else 1.0 / np.asarray(scale_4c)
        return np.power(per_4c, (t_ccd - t_ccd_ref) * 0.25)


def one_ccd_temperature(what: str, name: str, value: Any) -> float:
    """Return the one temperature that a map is wanted at, or was measured at.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    name : str
        The argument.
    value : float or Quantity
        What was given, degC.

    Returns
    -------
    float
        degC.

    Raises
    ------
    DeclarationError
        It is not one number, or not within `CCD_TEMPERATURES`. It is a ValueError.
    """
    low, high = CCD_TEMPERATURES
    t_ccd = as_floats(what, name, value, "deg_C")
    if t_ccd.ndim or not low <= t_ccd <= high:
        raise DeclarationError(what, name, value, f"one temperature, {low:g} to {high:g} degC")
    return float(t_ccd)


def dark_temp_scale(t_ccd: Any, t_ccd_ref: Any = -19.0, scale_4c: Any = None) -> Any:
    """Return the factor that brings dark current from one temperature to another.

    Parameters
    ----------
    t_ccd : array_like or Quantity, any shape
        Temperature that the values were measured at, degC.
    t_ccd_ref : array_like or Quantity, default -19.0
        Temperature that they are wanted at, degC.
    scale_4c : array_like, optional
        Growth of the dark current for 4 degC more; `SCALE_4C` (1/0.70) if it is left out.

    Returns
    -------
    float or ndarray
        ``(1 / scale_4c) ** ((t_ccd - t_ccd_ref) / 4)``, below 1 where `t_ccd` is the warmer one. NaN stays NaN.

    Raises
    ------
    DeclarationError
        An argument is no number, `scale_4c` is not above zero, or the shapes do not broadcast. It is a ValueError.

    Examples
    --------
    >>> dark_temp_scale(-15, -19)
    0.7
    >>> dark_temp_scale([-10, -18], [-14, -10], scale_4c=2).tolist()
    [0.5, 4.0]
    """
    what = "dark_temp_scale"
    given = {
        "t_ccd": as_floats(what, "t_ccd", t_ccd, "deg_C"),
        "t_ccd_ref": as_floats(what, "t_ccd_ref", t_ccd_ref, "deg_C"),
    }
    if scale_4c is None:
        broadcast_shape(what, given)
        return as_given(np.asarray(scale_factor(given["t_ccd"], given["t_ccd_ref"])))
    growth = as_floats(what, "scale_4c", scale_4c)
    broadcast_shape(what, {**given, "scale_4c": growth})
    if not np.all((growth > 0) & (growth < np.inf)):
        raise DeclarationError(what, "scale_4c", scale_4c, "the growth for 4 degC more, a number above 0")
    return as_given(np.asarray(scale_factor(given["t_ccd"], given["t_ccd_ref"], growth)))


def dark_temp_scale_img(img: Any, t_ccd: Any, t_ccd_ref: Any) -> Any:
    """Return dark currents at another temperature, each pixel scaled as pixels of its value do.

    Pixels of about 200 e-/s grow fastest with temperature, cooler and hotter ones slower. The rates are followed
    between 20 and 10,000 e-/s; pixels outside take that of the nearer end.

    Parameters
    ----------
    img : array_like or Quantity, any shape
        Dark current, e-/s; negative values are scaled like the coolest pixels.
    t_ccd : array_like or Quantity
        Temperature of `img`, degC; one, or what broadcasts with `img`.
    t_ccd_ref : array_like or Quantity
        Temperature that is wanted, degC.

    Returns
    -------
    float or ndarray of float64
        Dark current at `t_ccd_ref`, e-/s, an array of the caller's own. NaN stays NaN.

    Raises
    ------
    DeclarationError
        An argument is no number, or the shapes do not broadcast. It is a ValueError.

    Examples
    --------
    >>> round(dark_temp_scale_img(100, -10, -5), 4)
    171.476
    """
    what = "dark_temp_scale_img"
    pixels = as_floats(what, "img", img, "electron / s")
    given = {
        "img": pixels,
        "t_ccd": as_floats(what, "t_ccd", t_ccd, "deg_C"),
        "t_ccd_ref": as_floats(what, "t_ccd_ref", t_ccd_ref, "deg_C"),
    }
    broadcast_shape(what, given)
    rate = np.log(np.clip(pixels, *_FITTED)) - _E * _T0
    rate = (_A + _B * _T0) + rate * (_C + _D * rate)
    with np.errstate(over="ignore", invalid="ignore"):
        return as_given(np.asarray(pixels * np.exp(rate * (given["t_ccd_ref"] - given["t_ccd"]))))
