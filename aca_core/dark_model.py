"""The dark-current models and the star probabilities that go with them, under the names that the first package had.

The work is done in `aca_core.dark_current` and `aca_core.probability`; here are the functions with the arguments and
the order of results that analysts know. Names without a model are those of 2013, as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aca_core._lazy import lazy_names
from aca_core.arrays import FloatArray
from aca_core.dates import DateLike
from aca_core.errors import DeclarationError

if TYPE_CHECKING:
    from aca_core.dark_current.images import synthetic_dark_image
    from aca_core.dark_current.model import DarkModel, get_dark_model
    from aca_core.dark_current.scaling import dark_temp_scale, dark_temp_scale_img
    from aca_core.probability.seed import get_acq_success, get_guide_success

_HOMES = {
    "dark_current.images": ("synthetic_dark_image",),
    "dark_current.model": ("DarkModel", "get_dark_model"),
    "dark_current.scaling": ("dark_temp_scale", "dark_temp_scale_img"),
    "probability.seed": ("get_acq_success", "get_guide_success"),
}
__all__ = [
    "DarkModel",
    "acq_success_prob",
    "dark_temp_scale",
    "dark_temp_scale_img",
    "get_acq_success",
    "get_dark_hist",
    "get_dark_model",
    "get_guide_success",
    "get_sbp_pars",
    "get_warm_fracs",
    "smooth_broken_pow",
    "synthetic_dark_image",
    "temp_scalefac",
]

__getattr__, __dir__ = lazy_names("aca_core", _HOMES, globals())

_SLACK = 0.001  # e-/s; how far centres that are given may be off the model's
_SBP = ("g1", "g2", "x_b", "x_r", "ampl1")


def get_dark_hist(date: DateLike, t_ccd: Any, model: str = "2013") -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the expected histogram of dark current for dates and temperatures.

    Parameters
    ----------
    date : date-like, any shape
        Dates.
    t_ccd : array_like or Quantity, any shape
        CCD temperature, degC; it broadcasts with `date` to the shape S.
    model : {'2013', '2017'}
        Which law.

    Returns
    -------
    centres : ndarray, shape S + (n,)
        Geometric centres of the bins, e-/s.
    edges : ndarray, shape S + (n + 1,)
        Their edges, e-/s.
    counts : ndarray, shape S + (n,)
        Expected pixels of the whole CCD in each.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError
        As for `get_dark_model`.

    Examples
    --------
    >>> centres, edges, counts = get_dark_hist("2013:001", -19.0)
    >>> len(centres), edges[0].item(), round(counts[27].item(), 4)
    (79, 2.0, 19845.8602)
    """
    from aca_core.dark_current.model import model_for

    found = model_for("get_dark_hist", date, t_ccd, model)
    return found.centres.copy(), found.edges.copy(), found.counts.copy()


def get_sbp_pars(dates: DateLike) -> tuple[Any, Any, Any, Any, Any]:
    """Return the parameters of the 2013 law at dates, in the order that `smooth_broken_pow` takes.

    Parameters
    ----------
    dates : date-like, any shape
        Dates.

    Returns
    -------
    g1, g2, x_b, x_r, ampl1 : float or ndarray, shape of `dates`
        The two slopes, break and reference point (e-/s), and the amplitude (pixels in a bin at the reference point),
        which is negative before 1998.8; NaN where a date is masked.

    Raises
    ------
    DateError
        An element is not a date.

    Examples
    --------
    >>> [round(parameter, 6) for parameter in get_sbp_pars("2012:001")]
    [0.05, 3.15, 110.187215, 50.0, 18348.8]
    """
    from aca_core.dark_current.law_2013 import LAW_2013
    from aca_core.dark_current.warm_fractions import frac_years
    from aca_core.quantities import as_given

    found = LAW_2013.parameters(frac_years(dates))
    g1, g2, x_b, x_r, ampl1 = (as_given(found[name]) for name in _SBP)
    return g1, g2, x_b, x_r, ampl1


def smooth_broken_pow(pars: Sequence[Any], x: Any) -> FloatArray:
    """Return the smoothed broken power law of 2013 on a run of its bins.

    Parameters
    ----------
    pars : sequence of float or array_like
        g1, g2, x_b (e-/s), x_r (e-/s) and ampl1, as `get_sbp_pars` returns them; arrays of them, which broadcast to the
        shape S, for many laws at once.
    x : array_like, shape (n,)
        Neighbouring centres of the law's 79 bins, e-/s. Smoothing needs the law on all bins, so that it is always
        evaluated there; other places have no value.

    Returns
    -------
    ndarray, shape S + (n,)
        Pixels in each bin.

    Raises
    ------
    DeclarationError
        `pars` are not five numbers, or `x` is no run of centres. It is a ValueError.

    Examples
    --------
    >>> centres = get_dark_hist("2013:001", -19.0)[0]
    >>> smooth_broken_pow(get_sbp_pars("2013:001"), centres[27:29]).round(4).tolist()
    [19845.8602, 19715.0829]
    """
    import numpy as np

    from aca_core.dark_current.law_2013 import LAW_2013
    from aca_core.quantities import as_floats, broadcast_shape

    what = "smooth_broken_pow"
    try:
        has_all = len(pars) == len(_SBP) and not isinstance(pars, str | bytes | Mapping)
    except TypeError:  # one number has no length
        has_all = False
    if not has_all:
        raise DeclarationError(what, "pars", pars, f"five of them: {', '.join(_SBP)}")
    given = {name: as_floats(what, name, value) for name, value in zip(_SBP, pars, strict=True)}
    broadcast_shape(what, given)
    places = as_floats(what, "x", x, "electron / s")
    centres = LAW_2013.centres
    chosen = slice(0, 0)
    if places.ndim == 1 and places.size:
        first = int(np.searchsorted(centres, places[0] - _SLACK))
        chosen = slice(first, first + places.size)
    run = centres[chosen]
    if not places.size or run.shape != places.shape or not (np.abs(run - places) <= _SLACK).all():
        raise DeclarationError(
            what, "x", x, "neighbouring centres of the 79 bins, such as get_dark_hist(...)[0][20:40]"
        )
    with np.errstate(all="ignore"):  # parameters of anybody's
        return np.array(LAW_2013.smoothed(given)[..., chosen])


def temp_scalefac(T_ccd: Any) -> Any:  # noqa: N803  # the name that callers of the first package give it
    """Return the factor that brings a dark map from -19 degC to a temperature.

    `aca_core.dark_cal.temp_scalefac` goes the other way: from a temperature to -19 degC.

    Parameters
    ----------
    T_ccd : array_like or Quantity, any shape
        Temperature that is wanted, degC.

    Returns
    -------
    float or ndarray
        Above 1 where it is warmer than -19 degC.

    Raises
    ------
    DeclarationError
        It is no number. It is a ValueError.

    Examples
    --------
    >>> round(temp_scalefac(-15), 7)
    1.4285714
    """
    from aca_core.dark_current.law_2013 import LAW_2013
    from aca_core.dark_current.scaling import scale_factor
    from aca_core.quantities import as_floats, as_given

    return as_given(scale_factor(LAW_2013.t_ccd_ref, as_floats("temp_scalefac", "T_ccd", T_ccd, "deg_C")))


def get_warm_fracs(
    warm_threshold: Any,
    date: DateLike = "2013:001",
    T_ccd: Any = -19.0,  # noqa: N803  # the name that callers of the first package give it
    *,
    model: str = "2013",
    method: str = "exact",
) -> Any:
    """Return the fraction of the CCD's pixels above thresholds, at dates and temperatures.

    Parameters
    ----------
    warm_threshold : array_like or Quantity, any shape
        Dark current, e-/s.
    date : date-like, default '2013:001'
        Dates.
    T_ccd : array_like or Quantity, default -19.0
        CCD temperature, degC.
    model : {'2013', '2017'}
        Which law.
    method : {'exact', 'corrected'}
        As for `aca_core.dark_current.warm_fraction`, which this is in another order.

    Returns
    -------
    float or ndarray
        Of the shape that the arguments have together.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError
        As for `aca_core.dark_current.warm_fraction`.

    Examples
    --------
    >>> get_warm_fracs([50.0, 100.0, 200.0]).round(10).tolist()
    [0.1892428178, 0.0811203818, 0.0145317336]
    """
    from aca_core.dark_current.warm_fractions import frac_years, warm_fraction_at
    from aca_core.quantities import as_floats, as_given

    what = "get_warm_fracs"
    temperatures = as_floats(what, "T_ccd", T_ccd, "deg_C")
    thresholds = as_floats(what, "warm_threshold", warm_threshold, "electron / s")
    return as_given(warm_fraction_at(model, frac_years(date), temperatures, thresholds, method, stacklevel=3))


def acq_success_prob(mag: Any, warm_frac: Any, prob_offset: Any = 0) -> Any:
    """Return the probability of acquiring a star by the plain formula of 2013, which nothing keeps between 0 and 1.

    It is that of the acquisition model ``sota-2013``; `get_acq_success` and `aca_core.probability.acq_success_prob`
    keep to the magnitudes that it was fitted to, and to probabilities.

    Parameters
    ----------
    mag : array_like or Quantity, any shape
        Magnitude in the camera's band, mag.
    warm_frac : array_like, any shape
        Fraction of the CCD's pixels above 100 e-/s.
    prob_offset : array_like, default 0
        Added to the result: with minus a probability, a root in `mag` is a limiting magnitude.

    Returns
    -------
    float or ndarray
        Of the shape that the arguments have together. NaN stays NaN.

    Raises
    ------
    DeclarationError
        An argument is no number, or the shapes do not broadcast. It is a ValueError.
    UnknownNameError
        The plugin with the model is switched off.

    Examples
    --------
    >>> round(acq_success_prob(10.3, 0.1), 6)
    0.662488
    """
    import numpy as np

    from aca_core.archive.current import current_registry
    from aca_core.models import StarConditions
    from aca_core.probability.seed import MODEL_2013
    from aca_core.quantities import as_floats, as_given, broadcast_shape

    what = "acq_success_prob"
    inputs = {"mag": as_floats(what, "mag", mag, "mag"), "warm_frac": as_floats(what, "warm_frac", warm_frac)}
    offset = as_floats(what, "prob_offset", prob_offset)
    broadcast_shape(what, {**inputs, "prob_offset": offset})
    model = current_registry().model(MODEL_2013, "acquisition")
    with np.errstate(over="ignore", invalid="ignore"):  # of magnitudes that no star has
        return as_given(np.asarray(model.success(StarConditions(inputs)) + offset))
