"""How many stars of a catalogue are acquired, and how warm the CCD may be for enough of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.models import ProbabilityModel
from aca_core.probability.choice import ChosenModel, choose_model
from aca_core.probability.evaluate import evaluate, report
from aca_core.probability.guide import checked_temperatures
from aca_core.probability.roots import find_falling_root
from aca_core.probability.star_inputs import read_input, read_probabilities
from aca_core.quantities import as_floats, as_given, broadcast_shape

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["prob_n_acq", "t_ccd_warm_limit"]


def prob_n_acq(acq_probs: Any) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of acquiring 0, 1, 2, … n of n stars that succeed independently of each other.

    Parameters
    ----------
    acq_probs : array_like, shape (..., n)
        Probability of acquiring each star of a catalogue, or of each of many catalogues. Stars of probability 0 make no
        difference but for zeros at the end: they may fill up catalogues of different length.

    Returns
    -------
    probs : ndarray of float64, shape (..., n + 1)
        Probability of exactly N, by N.
    cumulative : ndarray of float64, shape (..., n + 1)
        Probability of N or fewer. Both are NaN for a catalogue with a star that is NaN.

    Raises
    ------
    DeclarationError
        A value is no probability, or there is only one number. It is a ValueError.

    Examples
    --------
    >>> probs, cumulative = prob_n_acq([0.5, 0.8, 0.99])
    >>> probs.round(6).tolist(), cumulative.round(6).tolist()
    ([0.001, 0.104, 0.499, 0.396], [0.001, 0.105, 0.604, 1.0])
    """
    import numpy as np

    stars = read_probabilities("prob_n_acq", "acq_probs", acq_probs)
    if stars.ndim == 0:
        raise DeclarationError("prob_n_acq", "acq_probs", acq_probs, "an array of probabilities, one for each star")
    exactly = np.moveaxis(_distribution(np.moveaxis(stars, -1, 0)), 0, -1)
    exactly = np.where(np.isnan(stars).any(axis=-1, keepdims=True), np.nan, exactly)
    return exactly, np.minimum(np.cumsum(exactly, axis=-1), 1.0)


def _distribution(stars: FloatArray) -> FloatArray:
    """Return the distribution of the number of successes along the first axis: one star after another is added."""
    import numpy as np

    n = stars.shape[0]
    exactly = np.zeros((n + 1, *stars.shape[1:]))
    exactly[0] = 1.0
    for count, prob in enumerate(stars, start=1):
        succeeded = exactly[:count] * prob
        exactly[:count] *= 1.0 - prob
        exactly[1 : count + 1] += succeeded
    return exactly


@attrs.frozen
class _Wanted:
    """How many stars a catalogue has to give: on average, or how likely few of them may be."""

    number: float
    few: float | None = None

    @classmethod
    def of(cls, what: str, min_n_acq: Any) -> _Wanted:
        if isinstance(min_n_acq, tuple | list):
            if len(min_n_acq) == 2 and all(_is_number(each) for each in min_n_acq):
                number, few = min_n_acq
                if number == int(number) >= 0 and 0 < few < 1:
                    return cls(int(number), float(few))
        elif _is_number(min_n_acq):
            return cls(float(min_n_acq))
        expected = "a number of stars, or (N, the greatest probability of N or fewer), such as (2, 8e-3)"
        raise DeclarationError(what, "min_n_acq", min_n_acq, expected)

    def value(self, probs: FloatArray) -> FloatArray:
        """Return the expected number of stars, or the probability of few, of catalogues along the last axis."""
        import numpy as np

        if self.few is None:
            return np.asarray(probs.sum(axis=-1))
        _, cumulative = prob_n_acq(probs)
        return np.asarray(cumulative[..., min(int(self.number), probs.shape[-1])])

    def merit(self, probs: FloatArray) -> FloatArray:
        """Return what is 0 or more where a catalogue is good enough."""
        value = self.value(probs)
        return value - self.number if self.few is None else self.few - value


def _is_number(value: Any) -> bool:
    import numpy as np

    # An integer that is too great for a float is no number of stars; neither is NaN, of which both are false.
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(-1e9 < value < 1e9)


def t_ccd_warm_limit(
    mags: Any,
    date: DateLike = None,
    colors: Any = 0.0,
    halfwidths: Any = 120.0,
    min_n_acq: float | tuple[int, float] = 5.0,
    cold_t_ccd: float = -16.0,
    warm_t_ccd: float = -5.0,
    model: str | ProbabilityModel | None = None,
) -> tuple[float | FloatArray, float | FloatArray]:
    """Return the warmest CCD temperature at which enough stars of a catalogue are acquired.

    Parameters
    ----------
    mags : array_like or Quantity, shape (..., n)
        Magnitudes of the stars of a catalogue, or of many, mag.
    date : date-like, optional
        When: one date, or one for each catalogue; now by default.
    colors, halfwidths : float or array_like, default 0 and 120
        B-V (mag) and half widths of the search boxes (arcsec); they broadcast with `mags`.
    min_n_acq : float or tuple, default 5.0
        The expected number of stars that is enough; or ``(N, prob)``: enough is where the probability of acquiring N or
        fewer is at most prob.
    cold_t_ccd, warm_t_ccd : float, default -16.0 and -5.0
        The temperatures to search, degC: the warm one is returned where it is cold enough, and the cold one where even
        that is too warm.
    model : str or ProbabilityModel, optional
        As for `success_prob`.

    Returns
    -------
    t_ccd : float or ndarray of float64
        For each catalogue the temperature, degC, within 1e-4; NaN where a star is not known.
    value : float or ndarray of float64
        The expected number of stars there, or the probability of N or fewer.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError, MissingDataError, IntegrityError, PluginError
        As for `success_prob`.

    Examples
    --------
    >>> t_ccd, n_acq = t_ccd_warm_limit([10.4] * 6, "2015:001:12:00:00", model="sota-2017")
    >>> round(t_ccd, 2), round(n_acq, 2)
    (-14.85, 5.0)
    """
    import numpy as np

    what = "t_ccd_warm_limit"
    wanted = _Wanted.of(what, min_n_acq)
    ends = checked_temperatures(what, cold_t_ccd, warm_t_ccd)
    stars = _Catalogs.of(what, choose_model(what, "acquisition", model), mags, date, colors, halfwidths)

    def merit(t_ccd: FloatArray, which: Any) -> FloatArray:
        return wanted.merit(stars.probs(t_ccd, which))

    found = find_falling_root(merit, *ends, stars.count, tolerance=1e-4)
    value = wanted.value(stars.probs(found, slice(None), tell=True))
    return as_given(found.reshape(stars.shape)), as_given(np.asarray(value).reshape(stars.shape))


@attrs.frozen
class _Catalogs:
    """Catalogues one below the other, and how likely their stars are acquired."""

    what: str
    chosen: ChosenModel
    given: dict[str, FloatArray]  # inputs of `evaluate` by name, (count, n); dates (count, 1)
    shape: tuple[int, ...]

    @classmethod
    def of(cls, what: str, chosen: ChosenModel, mags: Any, date: Any, colors: Any, halfwidths: Any) -> _Catalogs:
        import numpy as np

        used = {*chosen.model.inputs, *chosen.model.corrections}
        arrays = {
            "mags": as_floats(what, "mags", mags, "mag"),
            "colors": as_floats(what, "colors", colors, "mag"),
            "halfwidths": as_floats(what, "halfwidths", halfwidths, "arcsec"),
        }
        if arrays["mags"].ndim == 0:
            raise DeclarationError(what, "mags", mags, "the magnitudes of a catalogue, along the last axis")
        if date is not None or {"date", "warm_frac"} & used:
            arrays["date"] = read_input(what, "date", date)[..., None]
        shape = broadcast_shape(what, arrays)
        rows = math.prod(shape[:-1]), shape[-1]
        flat = {name: np.broadcast_to(array, shape).reshape(rows) for name, array in arrays.items()}
        given = {"mag": flat["mags"]}
        if "date" in flat:
            given["date"] = flat["date"][:, :1]
        # What makes no difference goes along where it was given, so that it is told.
        for name, default in (("color", 0.0), ("halfwidth", 120.0)):
            if name in used or (arrays[f"{name}s"] != default).any():
                given[name] = flat[f"{name}s"]
        return cls(what, chosen, given, shape[:-1])

    @property
    def count(self) -> int:
        return len(self.given["mag"])

    def probs(self, t_ccd: FloatArray, which: Any, *, tell: bool = False) -> FloatArray:
        """Return the probability of each star of some catalogues, each at its own temperature."""
        import numpy as np

        given = {name: array[which] for name, array in self.given.items()}
        evaluation = evaluate(self.what, self.chosen, {**given, "t_ccd": t_ccd[:, None]})
        result = report(evaluation, stacklevel=4) if tell else evaluation.result
        return np.asarray(result.prob)
