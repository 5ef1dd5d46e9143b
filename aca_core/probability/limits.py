"""Which magnitude has a given probability: the faintest star that is still likely enough."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.arrays import FloatArray
from aca_core.errors import AcaWarning
from aca_core.models import ModelKind, ProbabilityModel
from aca_core.probability.choice import ChosenModel, choose_model
from aca_core.probability.evaluate import evaluate, warmth_for
from aca_core.probability.roots import find_first_fall
from aca_core.probability.star_inputs import read_input, read_probabilities
from aca_core.quantities import as_given, broadcast_shape

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["limiting_mag", "mag_for_p_acq"]

BRIGHTEST: Final = 5.0
"""Where the search of `mag_for_p_acq` begins, mag: chandra_aca star_probs."""

BRIGHTEST_LIMIT: Final = 6.0
"""Where the search of `limiting_mag` begins, mag: sot/state_of_aca limiting_mag."""

FAINTEST: Final = 12.0
"""Where both end, mag."""

STEP: Final = 0.25
"""How finely both look for where success falls below a probability: not every model falls all the way, mag."""

TOLERANCE: Final = 1e-6
"""How exactly a magnitude is found, mag."""


def mag_for_p_acq(
    p_acq: Any,
    date: DateLike = None,
    t_ccd: Any = -10.0,
    halfwidth: Any = 120.0,
    model: str | ProbabilityModel | None = None,
) -> float | FloatArray:
    """Return the magnitude at which stars are acquired with a given probability.

    Parameters
    ----------
    p_acq : float or array_like
        The probability, 0 to 1. It broadcasts with the rest.
    date, t_ccd, halfwidth, model
        As for `success_prob`.

    Returns
    -------
    float or ndarray of float64
        mag, within 1e-6: 5 where even such stars are less likely, and 12 where even such stars are more likely. Where
        that is so only because the model's range ends before 12, an `AcaWarning` says so.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError, MissingDataError, IntegrityError, PluginError
        As for `success_prob`.

    Examples
    --------
    >>> round(mag_for_p_acq(0.5, "2015:001:12:00:00", -14, model="sota-2017"), 3)
    10.848
    """
    what = "mag_for_p_acq"
    given = {"p_acq": p_acq, "date": date, "t_ccd": t_ccd, "halfwidth": halfwidth}
    return _search(what, choose_model(what, "acquisition", model), "p_acq", given, BRIGHTEST)


def limiting_mag(
    date: DateLike = None,
    t_ccd: Any = None,
    p: Any = 0.5,
    *,
    kind: ModelKind = "acquisition",
    model: str | ProbabilityModel | None = None,
    warm_frac: Any = None,
) -> float | FloatArray:
    """Return the limiting magnitude: the one at which stars succeed with a given probability.

    Parameters
    ----------
    date : date-like, any shape, optional
        When; now by default, and only where the model asks for it.
    t_ccd : float, array_like or Quantity, optional
        CCD temperature, degC.
    p : float or array_like, default 0.5
        The probability, 0 to 1.
    kind : {'acquisition', 'guide'}
        Probability of what.
    model : str or ProbabilityModel, optional
        As for `success_prob`.
    warm_frac : float or array_like, optional
        As for `success_prob`.

    Returns
    -------
    float or ndarray of float64
        mag, within 1e-6: 6 where even such stars are less likely, and 12 where even such stars are more likely. Where
        that is so only because the model's range ends before 12, an `AcaWarning` says so.

    Raises
    ------
    DeclarationError, DateError, UnknownNameError, MissingDataError, IntegrityError, PluginError
        As for `success_prob`.

    Examples
    --------
    >>> limiting_mag("2013:001", -19, kind="guide").__round__(5)
    10.75936
    >>> limiting_mag(warm_frac=[0.05, 0.10, 0.15]).round(4).tolist()
    [10.8204, 10.5467, 10.331]
    """
    what = "limiting_mag"
    given = {"p": p, "date": date, "t_ccd": t_ccd, "warm_frac": warm_frac}
    return _search(what, choose_model(what, kind, model), "p", given, BRIGHTEST_LIMIT)


def _search(what: str, chosen: ChosenModel, asked: str, given: dict[str, Any], brightest: float) -> float | FloatArray:
    import numpy as np

    question = _Question.of(what, chosen, asked, given)
    steps = round((FAINTEST - brightest) / STEP)
    found = find_first_fall(question.excess, brightest, FAINTEST, question.count, tolerance=TOLERANCE, steps=steps)
    found = np.asarray(found).reshape(question.shape)
    limits = chosen.input_ranges().get("mag")
    messages = []
    at_the_end = found
    if limits is not None and limits.outside == "clip" and limits.high < FAINTEST:
        at_the_end = np.clip(found, limits.low, limits.high)
        if beyond := int((found == FAINTEST).sum()):
            text = f"{what}: for {beyond} of {found.size} conditions the probability is above {asked} even at"
            messages.append(f"{text} {limits.high:g} mag, where the range of {chosen} ends; {FAINTEST:g} is no answer")
    # The search was without a word; what there is to say of the conditions is said once.
    rest = {name: value for name, value in given.items() if name != asked}
    messages += evaluate(what, chosen, {**rest, "mag": at_the_end}).messages
    for message in messages:
        warnings.warn(message, AcaWarning, stacklevel=3)
    result: float | FloatArray = as_given(found)
    return result


@attrs.frozen
class _Question:
    """Conditions one after the other, and by how much a star of some magnitude is more likely than asked for."""

    what: str
    chosen: ChosenModel
    wanted: FloatArray  # (count,), as every array of the conditions
    conditions: dict[str, FloatArray]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, what: str, chosen: ChosenModel, asked: str, given: dict[str, Any]) -> _Question:
        import numpy as np

        names = {*chosen.model.inputs, *chosen.model.corrections}
        wanted = read_probabilities(what, asked, given[asked])
        rest = {name: value for name, value in given.items() if name != asked and value is not None}
        arrays = {name: read_input(what, name, value) for name, value in rest.items()}
        shape = broadcast_shape(what, {asked: wanted, **arrays})
        if "warm_frac" in names:
            arrays["warm_frac"] = warmth_for(what, chosen, arrays, [])  # once, and not at every step
        if "date" in names:
            arrays.setdefault("date", read_input(what, "date", None))
        arrays = {name: array for name, array in arrays.items() if name in names}
        flat = {name: np.broadcast_to(array, shape).ravel() for name, array in arrays.items()}
        return cls(what, chosen, np.broadcast_to(wanted, shape).ravel(), flat, shape)

    @property
    def count(self) -> int:
        return self.wanted.size

    def excess(self, mag: FloatArray, which: Any) -> FloatArray:
        import numpy as np

        given = {name: array[which] for name, array in self.conditions.items()}
        prob = evaluate(self.what, self.chosen, {**given, "mag": mag}).result.prob
        return np.asarray(prob - self.wanted[which])
