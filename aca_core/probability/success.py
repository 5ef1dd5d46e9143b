"""How likely is a star to be acquired, or to be tracked: by the model of the configuration, or any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aca_core.arrays import FloatArray
from aca_core.models import ModelKind, ProbabilityModel
from aca_core.probability.choice import choose_model
from aca_core.probability.evaluate import evaluate, report
from aca_core.probability.results import SuccessProb

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["acq_success_prob", "guide_success_prob", "success_prob"]


def success_prob(
    kind: ModelKind,
    *,
    mag: Any,
    date: DateLike = None,
    t_ccd: Any = None,
    color: Any = 0.6,
    spoiler: Any = False,
    halfwidth: Any = 120.0,
    warm_frac: Any = None,
    model: str | ProbabilityModel | None = None,
) -> SuccessProb:
    """Return the probability of acquiring or tracking stars, and what made it.

    The inputs broadcast together as numpy's do; quantities with units are converted. An `AcaWarning` tells of inputs
    that were given and that the model does not use, and for each input how many values lie outside of the model's
    range. What is masked or NaN in an input that counts is NaN in the result.

    Parameters
    ----------
    kind : {'acquisition', 'guide'}
        Probability of what.
    mag : float, array_like or Quantity
        Magnitude in the camera's band, mag.
    date : date-like, any shape, optional
        When; now by default, and only where the model asks for it.
    t_ccd : float, array_like or Quantity, optional
        CCD temperature, degC.
    color : float, array_like or Quantity, default 0.6
        B-V, mag. 1.5 marks stars whose magnitude is poorly known, 0.7 those without a measured color.
    spoiler : bool or array_like, default False
        Whether another star disturbs this one.
    halfwidth : float, array_like or Quantity, default 120
        Half width of the search box, arcsec.
    warm_frac : float or array_like, optional
        Fraction of warm pixels, 0 to 1, in place of what the dark model says for date and temperature.
    model : str or ProbabilityModel, optional
        The name of a model or the model itself; by default the configuration's choice (``[probability]``).

    Returns
    -------
    SuccessProb
        Its ``prob`` is a float where all inputs are scalars.

    Raises
    ------
    DeclarationError
        An input that the model uses is missing, a value is none, or shapes do not broadcast. It is a ValueError.
    DateError
        A date is none. It is a ValueError.
    UnknownNameError
        There is no such model or kind. It is a LookupError.
    MissingDataError, IntegrityError
        The model reads a file that is missing or damaged.
    PluginError
        The model broke its contract.

    Examples
    --------
    >>> success_prob("guide", date="2013:001", t_ccd=-19, mag=[9, 10.3]).prob.round(6).tolist()
    [0.995803, 0.856474]
    >>> success_prob("acquisition", warm_frac=0.1, mag=10.3, model="sota-2013-referenced").prob.__round__(4)
    0.7779
    """
    given = {
        "date": date,
        "t_ccd": t_ccd,
        "mag": mag,
        "color": color,
        "spoiler": spoiler,
        "halfwidth": halfwidth,
        "warm_frac": warm_frac,
    }
    return report(evaluate("success_prob", choose_model("success_prob", kind, model), given))


def acq_success_prob(
    date: DateLike = None,
    t_ccd: Any = -10.0,
    mag: Any = 10.0,
    color: Any = 0.6,
    spoiler: Any = False,
    halfwidth: Any = 120.0,
    model: str | ProbabilityModel | None = None,
) -> float | FloatArray:
    """Return the probability of acquiring stars.

    Parameters
    ----------
    date, t_ccd, mag, color, spoiler, halfwidth, model
        As for `success_prob`.

    Returns
    -------
    float or ndarray of float64
        In the shape that all inputs have together.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError, MissingDataError, IntegrityError, PluginError
        As for `success_prob`.

    Examples
    --------
    >>> acq_success_prob("2013:001", -19, [9, 10, 10.3, 10.6]).round(6).tolist()
    [0.987898, 0.843364, 0.714225, 0.535876]
    """
    given = {
        "date": date,
        "t_ccd": t_ccd,
        "mag": mag,
        "color": color,
        "spoiler": spoiler,
        "halfwidth": halfwidth,
    }
    chosen = choose_model("acq_success_prob", "acquisition", model)
    return report(evaluate("acq_success_prob", chosen, given)).prob


def guide_success_prob(
    date: DateLike = None,
    t_ccd: Any = -10.0,
    mag: Any = 10.0,
    model: str | ProbabilityModel | None = None,
) -> float | FloatArray:
    """Return the probability of tracking stars: that they are not lost for more than 5 % of an observation.

    Parameters
    ----------
    date, t_ccd, mag, model
        As for `success_prob`.

    Returns
    -------
    float or ndarray of float64
        In the shape that all inputs have together.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError, MissingDataError, IntegrityError, PluginError
        As for `success_prob`.

    Examples
    --------
    >>> guide_success_prob("2018:001", -11, [9, 10, 10.3]).round(6).tolist()
    [0.98526, 0.776907, 0.495936]
    """
    given = {"date": date, "t_ccd": t_ccd, "mag": mag}
    chosen = choose_model("guide_success_prob", "guide", model)
    return report(evaluate("guide_success_prob", chosen, given)).prob
