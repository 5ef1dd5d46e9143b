"""From what was asked to probabilities: broadcasting, warm fractions, ranges, the formula, corrections, limits, NaN."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

import attrs

from aca_core.arrays import FloatArray
from aca_core.errors import AcaWarning, DeclarationError, PluginError
from aca_core.models import InputRange, StarConditions
from aca_core.probability.choice import ChosenModel
from aca_core.probability.results import SuccessProb
from aca_core.probability.star_inputs import DEFAULTS, differs, frac_years, read_input
from aca_core.probability.warmth import warm_fractions
from aca_core.quantities import as_given, broadcast_shape

__all__ = ["COLOR_FACTOR", "COLOR_OF_UNKNOWN", "SPOILER_FACTOR", "Evaluation", "evaluate", "report", "warmth_for"]

COLOR_OF_UNKNOWN: Final = 0.7
"""The B-V that marks stars without a measured color (mag): chandra_aca star_probs."""

COLOR_FACTOR: Final = 0.4294
"""The success of such stars over that of others: chandra_aca star_probs."""

SPOILER_FACTOR: Final = 0.9241
"""The success of a star that another one disturbs over that of others: chandra_aca star_probs."""

_TOLERANCE: Final = 1e-6
"""How near to `COLOR_OF_UNKNOWN` a color is that one, mag."""


@attrs.frozen
class Evaluation:
    """An answer, and what its reader has to be told.

    Attributes
    ----------
    result : SuccessProb
        The answer.
    messages : tuple of str
        One for the inputs that were ignored, what the dark model has to say, and one for each input that was outside of
        the model's range.
    """

    result: SuccessProb
    messages: tuple[str, ...]


def report(evaluation: Evaluation, stacklevel: int = 3) -> SuccessProb:
    """Issue what has to be said of an answer as warnings, and return the answer.

    Parameters
    ----------
    evaluation : Evaluation
        From `evaluate`.
    stacklevel : int, default 3
        Whose line the warnings show: 3 is that of who called the function that calls this one.

    Returns
    -------
    SuccessProb
    """
    for message in evaluation.messages:
        warnings.warn(message, AcaWarning, stacklevel=stacklevel)
    return evaluation.result


def evaluate(what: str, chosen: ChosenModel, given: Mapping[str, Any], *, raw: bool = False) -> Evaluation:
    """Evaluate a model for stars, without a word.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    chosen : ChosenModel
        From `choose_model`.
    given : mapping of str to object
        Inputs by name as the caller gave them; None where nothing was said.
    raw : bool, default False
        Whether to return the formula as it is: no clipping to ranges, no corrections, no limits.

    Returns
    -------
    Evaluation

    Raises
    ------
    DeclarationError
        An input is missing, has a wrong value, or the shapes do not broadcast; the message gives them.
    DateError
        A date is none.
    PluginError
        The model raised, or returned something else than probabilities in the shape of the inputs.
    """
    arrays = {name: read_input(what, name, value) for name, value in given.items() if value is not None}
    shape = broadcast_shape(what, arrays)
    model = chosen.model
    of_dark_model: list[str] = []
    conditions, warmth, used = _conditions(what, chosen, arrays, of_dark_model)
    ignored = tuple(name for name, array in arrays.items() if name not in used and differs(name, given[name], array))
    ranges = {} if raw else chosen.input_ranges()
    inside, outside = _within(conditions, ranges)
    prob = _formula(chosen, StarConditions(inside))
    if not raw:
        prob = _clipped(_corrected(prob, chosen, arrays), model.limits)
    for name in used & arrays.keys():
        conditions.setdefault(name, arrays[name])
    for array in conditions.values():
        if (unknown := array != array).any():
            prob = _blanked(prob, unknown)
    result = SuccessProb(
        prob=as_given(_own(prob, shape)),
        kind=model.kind,
        model=model.name,
        distribution=chosen.plugin.distribution if chosen.plugin else "",
        version=chosen.plugin.version if chosen.plugin else "",
        provenance=_provenance(chosen),
        warm_frac=None if warmth is None else as_given(warmth),
        ignored=ignored,
        clipped={each.name: each.count for each in outside if each.limits.outside == "clip"},
        extrapolated={each.name: each.count for each in outside if each.limits.outside == "extrapolate"},
    )
    messages = [_about_ignored(what, chosen, ignored, arrays)] if ignored else []
    messages += [f"{what}: {text}" for text in of_dark_model]
    messages += [each.message(what, chosen, prob) for each in outside if each.worth_telling]
    return Evaluation(result, tuple(messages))


def _conditions(
    what: str, chosen: ChosenModel, arrays: Mapping[str, FloatArray], messages: list[str]
) -> tuple[dict[str, FloatArray], FloatArray | None, set[str]]:
    """Return the inputs of the formula, the warm fraction, and the names of all inputs that count."""
    used = {*chosen.model.inputs, *chosen.model.corrections}
    if "warm_frac" in used and "warm_frac" not in arrays:
        used |= {"date", "t_ccd"}
    conditions = {name: _condition(what, chosen, arrays, name, messages) for name in chosen.model.inputs}
    return conditions, conditions.get("warm_frac"), used


def _condition(
    what: str, chosen: ChosenModel, arrays: Mapping[str, FloatArray], name: str, messages: list[str]
) -> FloatArray:
    """Return one input of the formula: as it was given, as the dark model says, or what it is by default."""
    if name in arrays:
        return arrays[name]
    if name == "warm_frac":
        return warmth_for(what, chosen, arrays, messages)
    if name in ("date", "color", "halfwidth", "spoiler"):
        return read_input(what, name, DEFAULTS[name])  # no date is now
    raise DeclarationError(what, name, None, f"a value, since {chosen} uses it")


def warmth_for(what: str, chosen: ChosenModel, arrays: Mapping[str, FloatArray], messages: list[str]) -> FloatArray:
    """Return the warm fraction that a model asks for.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    chosen : ChosenModel
        A model with the input ``warm_frac``.
    arrays : mapping of str to ndarray
        From `read_input`: the fraction itself, or else ``t_ccd``, and ``date`` where it is not now.
    messages : list of str
        What the dark model has to say is added here.

    Returns
    -------
    ndarray of float64, the shape of both together

    Raises
    ------
    DeclarationError
        There is neither a fraction nor a temperature.
    """
    if "warm_frac" in arrays:
        return arrays["warm_frac"]
    t_ccd = _condition(what, chosen, arrays, "t_ccd", messages)
    years = frac_years(_condition(what, chosen, arrays, "date", messages))
    return warm_fractions(str(chosen.model.dark_model), years, t_ccd, chosen.model.warm_threshold, messages)


# ---- ranges ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Outside:
    """The values of one input that are outside of the model's range."""

    name: str
    limits: InputRange
    values: FloatArray

    @property
    def count(self) -> int:
        return int(((self.values < self.limits.low) | (self.values > self.limits.high)).sum())

    @property
    def worth_telling(self) -> bool:
        return self._below is not None or self._above is not None

    @property
    def _below(self) -> float | None:
        """The least value, where it is so far below that it has to be told."""
        least = float(self.values.min(initial=self.limits.low, where=self.values == self.values))
        return least if least < self.limits.low - self.limits.warn_below else None

    @property
    def _above(self) -> float | None:
        """The greatest value, where it is so far above that it has to be told."""
        greatest = float(self.values.max(initial=self.limits.high, where=self.values == self.values))
        return greatest if greatest > self.limits.high + self.limits.warn_above else None

    def message(self, what: str, chosen: ChosenModel, prob: FloatArray) -> str:
        low, high, clip = self.limits.low, self.limits.high, self.limits.outside == "clip"
        sides = []
        if self._below is not None:
            sides.append(f"{int((self.values < low).sum())} below {low:g} (least {self._below:g})")
        if self._above is not None:
            sides.append(f"{int((self.values > high).sum())} above {high:g} (greatest {self._above:g})")
        done = "evaluated at its end" if clip else "the formula is extrapolated"
        text = f"{what}: {self.name} of {self.values.size} {_stars(self.values.size)}: {' and '.join(sides)}"
        text = f"{text}, outside of the range of {chosen}; {done}"
        if clip and self.name == "mag" and self._above is not None and (highest := self._highest(prob)) > 0:
            text += f"; success as high as {highest:.2g} is given to stars that may be too faint"
        return text

    def _highest(self, prob: FloatArray) -> float:
        import numpy as np

        values, prob = np.broadcast_arrays(self.values, prob)
        return float(np.fmax.reduce(prob[values > self.limits.high], initial=0.0))


def _stars(count: int) -> str:
    return "star" if count == 1 else "stars"


def _within(
    conditions: Mapping[str, FloatArray], ranges: Mapping[str, InputRange]
) -> tuple[dict[str, FloatArray], list[_Outside]]:
    """Return the inputs of the formula with those outside of a range clipped to it, and what was outside."""
    import numpy as np

    inside, outside = dict(conditions), []
    for name, limits in ranges.items():
        values = conditions[name]
        if not ((values < limits.low) | (values > limits.high)).any():
            continue
        outside.append(_Outside(name, limits, values))
        if limits.outside == "clip":
            inside[name] = np.clip(values, limits.low, limits.high)
    return inside, outside


def _about_ignored(what: str, chosen: ChosenModel, ignored: tuple[str, ...], given: Mapping[str, Any]) -> str:
    names = ", ".join(ignored)
    if "warm_frac" in given and "warm_frac" in chosen.model.inputs and set(ignored) <= {"date", "t_ccd"}:
        names += " where the warm fraction is given"
    return (
        f"{what}: {chosen} does not use {names}; what was given for {'it' if len(ignored) == 1 else 'them'} is ignored"
    )


# ---- the formula, and what comes after it ---------------------------------------------------------------------------


def _formula(chosen: ChosenModel, stars: StarConditions) -> FloatArray:
    import numpy as np

    with np.errstate(all="ignore"):  # NaN in, NaN out; what is too great for a float ends at the limits
        found = chosen.ask("success", lambda: chosen.model.success(stars))
    if not isinstance(found, np.ndarray | np.floating) or found.shape != stars.shape or found.dtype.kind != "f":
        shown = f"{getattr(found, 'dtype', '')} of shape {np.shape(found)}" if hasattr(found, "dtype") else repr(found)
        expected = f"an array of floats of shape {stars.shape}"
        raise PluginError(chosen.blamed, f"{chosen}: success() returned {shown[:80]}; expected {expected}")
    return np.asarray(found, dtype=float)


def _corrected(prob: FloatArray, chosen: ChosenModel, arrays: Mapping[str, FloatArray]) -> FloatArray:
    import numpy as np

    for name in chosen.model.corrections:
        if name not in arrays:
            continue
        array = arrays[name]
        if name == "color":
            which, factor = np.abs(array - COLOR_OF_UNKNOWN) <= _TOLERANCE, COLOR_FACTOR
        else:
            which, factor = array == 1, SPOILER_FACTOR
        if which.any():
            prob = np.asarray(prob * np.where(which, factor, 1.0))
    return prob


def _clipped(prob: FloatArray, limits: tuple[float, float]) -> FloatArray:
    import numpy as np

    return np.asarray(np.clip(prob, *limits))


def _blanked(prob: FloatArray, unknown: Any) -> FloatArray:
    import numpy as np

    return np.where(unknown, np.nan, prob)


def _own(prob: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return probabilities in the shape of all inputs, in memory that is the caller's."""
    import numpy as np

    if prob.shape == shape and prob.flags.owndata and prob.flags.writeable:
        return prob
    return np.array(np.broadcast_to(prob, shape))


def _provenance(chosen: ChosenModel) -> dict[str, str]:
    model = chosen.model
    found = chosen.provenance()
    if model.dark_model is not None:
        found |= {"dark_model": model.dark_model, "warm_threshold": f"{model.warm_threshold:g} e-/s"}
    return found
