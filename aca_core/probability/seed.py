"""The success functions of 2013 under their old names: always the models of that year, whatever is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aca_core.arrays import FloatArray
from aca_core.probability.choice import choose_model
from aca_core.probability.evaluate import evaluate, report

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["MODEL_2013", "get_acq_success", "get_guide_success"]

MODEL_2013: Final = "sota-2013"
"""What these functions are documented to be based on: the State of the ACA 2013."""


def get_acq_success(date: DateLike, t_ccd: Any, mag: Any, *, raw: bool = False) -> float | FloatArray:
    """Return the probability of acquiring stars, by the model of 2013.

    Parameters
    ----------
    date : date-like, any shape
        When.
    t_ccd : float, array_like or Quantity
        CCD temperature, degC.
    mag : float, array_like or Quantity
        Magnitude in the camera's band, mag.
    raw : bool, default False
        Whether to return the formula as it is: `mag` is not clipped to 8.41 to 11, nor the result to 0 to 1.

    Returns
    -------
    float or ndarray of float64
        In the shape that the inputs have together.

    Raises
    ------
    DeclarationError
        A value is none, or the shapes do not broadcast. It is a ValueError.
    DateError
        A date is none. It is a ValueError.
    UnknownNameError
        The plugin with the model is not in use.

    Examples
    --------
    >>> get_acq_success("2014:001", -15, [9, 10, 10.3, 10.6]).round(6).tolist()
    [0.984491, 0.740211, 0.5296, 0.266276]
    >>> round(get_acq_success("2014:001", -15, 11.5, raw=True), 3)
    -2.517
    """
    chosen = choose_model("get_acq_success", "acquisition", MODEL_2013)
    return report(evaluate("get_acq_success", chosen, {"date": date, "t_ccd": t_ccd, "mag": mag}, raw=raw)).prob


def get_guide_success(date: DateLike, t_ccd: Any, mag: Any) -> float | FloatArray:
    """Return the probability of tracking stars, by the model of 2013: one minus the fraction of bad tracks.

    Parameters
    ----------
    date : date-like, any shape
        When.
    t_ccd : float, array_like or Quantity
        CCD temperature, degC.
    mag : float, array_like or Quantity
        Magnitude in the camera's band, mag.

    Returns
    -------
    float or ndarray of float64
        In the shape that the inputs have together, 0 to 1.

    Raises
    ------
    DeclarationError
        A value is none, or the shapes do not broadcast. It is a ValueError.
    DateError
        A date is none. It is a ValueError.
    UnknownNameError
        The plugin with the model is not in use.

    Examples
    --------
    >>> get_guide_success("2014:001", -15, [9, 10, 10.3]).round(6).tolist()
    [0.992317, 0.88372, 0.737273]
    """
    chosen = choose_model("get_guide_success", "guide", MODEL_2013)
    return report(evaluate("get_guide_success", chosen, {"date": date, "t_ccd": t_ccd, "mag": mag})).prob
