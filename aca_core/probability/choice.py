"""Which model answers: the one that is named, the configuration's, or an object; and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from aca_core.archive.current import current_registry
from aca_core.config import OFFER_VARIANTS
from aca_core.errors import (
    AcaError,
    DeclarationError,
    IntegrityError,
    MissingDataError,
    PluginError,
    UnknownNameError,
)
from aca_core.models import STAR_INPUTS, InputRange, ModelKind, ProbabilityModel
from aca_core.registry import PluginInfo

__all__ = ["ChosenModel", "choose_model", "describe_model"]

T = TypeVar("T")


@attrs.frozen
class ChosenModel:
    """A model, and the plugin that offers it.

    Attributes
    ----------
    model : ProbabilityModel
        Bound to the site, or as it was given.
    plugin : PluginInfo or None
        None for a model that is no plugin's.
    """

    model: ProbabilityModel
    plugin: PluginInfo | None

    def __str__(self) -> str:
        return f"{self.model.noun} {self.model.name!r}"

    @property
    def blamed(self) -> str:
        """The plugin, or the class of the model, in messages about faults."""
        cls = type(self.model)
        return str(self.plugin) if self.plugin else f"{cls.__module__}.{cls.__qualname__}"

    def ask(self, question: str, answer: Callable[[], T]) -> T:
        """Return what the model answers; its errors name it, but for those of ours about data and files."""
        try:
            return answer()
        except DeclarationError as error:  # such as an input that the formula reads and the model does not declare
            raise PluginError(self.blamed, f"{self}: {question}() raised: {error}") from error
        except AcaError:
            raise
        except Exception as error:  # third-party code may raise anything
            text = f"{self}: {question}() raised {type(error).__name__}: {error}; tell its author"
            raise PluginError(self.blamed, text) from error

    def input_ranges(self) -> Mapping[str, InputRange]:
        """Return the ranges in force; PluginError if they are none, or of what the formula does not read."""
        found: Any = self.ask("input_ranges", self.model.input_ranges)
        if not isinstance(found, Mapping) or not all(isinstance(each, InputRange) for each in found.values()):
            raise self._refusal("input_ranges", found, "a mapping of inputs to InputRange")
        if set(found) - set(self.model.inputs):
            raise self._refusal("input_ranges", found, f"ranges of its inputs: {', '.join(self.model.inputs)}")
        return found

    def provenance(self) -> dict[str, str]:
        """Return what the model says of its origin, with a source in any case; PluginError if that is no mapping."""
        found: Any = self.ask("provenance", self.model.provenance)
        if not isinstance(found, Mapping):
            raise self._refusal("provenance", found, "a dict of strings")
        return {"source": self.model.source, **{str(name): str(value) for name, value in found.items()}}

    def _refusal(self, question: str, found: Any, expected: str) -> PluginError:
        return PluginError(self.blamed, f"{self}: {question}() returned {str(found)[:80]}; expected {expected}")


def choose_model(what: str, kind: ModelKind, model: str | ProbabilityModel | None) -> ChosenModel:
    """Return the model that answers.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    kind : {'acquisition', 'guide'}
        What is asked for.
    model : None, str or ProbabilityModel
        None for the configuration's choice, a name, or the model itself.

    Returns
    -------
    ChosenModel

    Raises
    ------
    UnknownNameError
        There is no such model, or no such kind. It is a LookupError.
    DeclarationError
        `model` is no model, or one of the other kind. It is a ValueError.
    ConfigError
        The site's options for the model are wrong.

    Examples
    --------
    >>> choose_model("f", "guide", None).model.name
    'sota-2013'
    """
    if not isinstance(kind, str) or kind not in OFFER_VARIANTS:
        raise UnknownNameError("kind of model", kind, OFFER_VARIANTS)
    registry = current_registry()
    if model is None:
        model = str(getattr(registry.config.probability, kind))
    if isinstance(model, str):
        found = registry.model(model, kind)
        return ChosenModel(found, registry.plugin_of(found))
    if not isinstance(model, ProbabilityModel):
        raise DeclarationError(what, "model", model, "the name of a model, or a ProbabilityModel")
    if model.kind != kind:
        names = ("an acquisition model", "a guide model")
        wanted, other = names if kind == "acquisition" else names[::-1]
        raise DeclarationError(what, "model", model.name, f"{wanted}; this is {other}")
    try:
        return ChosenModel(model, registry.plugin_of(model))
    except UnknownNameError:
        return ChosenModel(model, None)


def describe_model(model: ProbabilityModel) -> dict[str, Any]:
    """Return what a model declares, in plain values for a table or JSON.

    Parameters
    ----------
    model : ProbabilityModel
        Bound to the site, such as `Registry.model` returns.

    Returns
    -------
    dict
        ``name``, ``kind``, ``label``, ``distribution``, ``version``, ``inputs`` (a list), ``ranges`` (by input a dict
        of ``low``, ``high``, ``outside`` and ``unit``), ``limits`` (a list of two), ``corrections`` (a list),
        ``dark_model``, ``warm_threshold`` (e-/s; None without a dark model), ``provenance`` (a dict) and ``problem``:
        why the model cannot answer now, such as a data file that is missing, or an empty string.

    Raises
    ------
    DeclarationError
        `model` is no model. It is a ValueError.

    Examples
    --------
    >>> from aca_core import Registry
    >>> described = describe_model(Registry().model("sota-2013", "acquisition"))
    >>> described["inputs"], described["ranges"]["mag"]["high"], described["problem"]
    (['mag', 'warm_frac'], 11.0, '')
    """
    if not isinstance(model, ProbabilityModel):
        raise DeclarationError("describe_model", "model", model, "a ProbabilityModel, such as Registry.model returns")
    chosen = choose_model("describe_model", model.kind, model)
    ranges, provenance, problem = {}, {"source": model.source}, ""
    try:
        ranges = {name: _described_range(name, each) for name, each in chosen.input_ranges().items()}
        provenance = chosen.provenance()
    except (MissingDataError, IntegrityError, PluginError) as error:
        problem = str(error)
    return {
        "name": model.name,
        "kind": model.kind,
        "label": model.label,
        "distribution": chosen.plugin.distribution if chosen.plugin else "",
        "version": chosen.plugin.version if chosen.plugin else "",
        "inputs": list(model.inputs),
        "ranges": ranges,
        "limits": list(model.limits),
        "corrections": list(model.corrections),
        "dark_model": model.dark_model,
        "warm_threshold": model.warm_threshold if model.dark_model else None,
        "provenance": provenance,
        "problem": problem,
    }


def _described_range(name: str, limits: Any) -> dict[str, Any]:
    return {
        "low": limits.low,
        "high": limits.high,
        "outside": limits.outside,
        "unit": STAR_INPUTS[name],
    }
