"""What an answer about stars consists of: the probabilities, and what made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from aca_core.arrays import FloatArray
from aca_core.models import ModelKind

__all__ = ["SuccessProb"]


def _as_ascii(value: object) -> str:
    """Return a text in one line of ASCII, the only one that a FITS header takes."""
    return " ".join(str(value).split()).encode("ascii", "backslashreplace").decode()


@attrs.frozen(kw_only=True, eq=False)
class SuccessProb:
    """Probabilities of acquiring or tracking stars, with what made them.

    Attributes
    ----------
    prob : float or ndarray of float64
        The probabilities, in the shape that all inputs have together; NaN where an input that counts is not known.
    kind : {'acquisition', 'guide'}
        What they are probabilities of.
    model : str
        Name of the model.
    distribution, version : str
        The installed distribution whose plugin offers the model, and its version; empty for a model that was given as
        an object and is no plugin's.
    provenance : dict of str to str
        What the model says of its origin: ``source``, a data file, the options of the site; and the dark model and the
        warm threshold where a warm fraction went in.
    warm_frac : float, ndarray or None
        The warm fraction that was used, in the shape of date and temperature alone; None where none was.
    ignored : tuple of str
        Inputs that were given and that the model does not use.
    clipped : dict of str to int
        For each input, how many of its values were outside of the model's range and were replaced by the nearer end.
    extrapolated : dict of str to int
        The same, for values outside that the formula was evaluated at as they are.

    Examples
    --------
    >>> from aca_core.probability import success_prob
    >>> found = success_prob("acquisition", date="2013:001", t_ccd=-19, mag=[9.0, 10.3], model="sota-2013")
    >>> found.prob.round(4).tolist(), found.model, found.distribution
    ([0.9879, 0.7142], 'sota-2013', 'aca-core')
    >>> found.provenance["dark_model"]
    '2013'
    """

    prob: float | FloatArray
    kind: ModelKind
    model: str
    distribution: str = ""
    version: str = ""
    provenance: Mapping[str, str] = attrs.field(factory=dict)
    warm_frac: float | FloatArray | None = None
    ignored: tuple[str, ...] = ()
    clipped: Mapping[str, int] = attrs.field(factory=dict)
    extrapolated: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def meta(self) -> dict[str, Any]:
        """The same as words for ``Table.meta``, with keys that fit into a FITS header.

        ``MODEL`` and ``KIND``; ``PLUGIN``, distribution and version; ``SOURCE``; ``OPTIONS``, everything else of
        `provenance`; ``IGNORED``, ``CLIPPED`` and ``EXTRAPOL`` where there is something to say.
        """
        # Not "mag: 1", which astropy takes for a card with fields when it reads it back from a header.
        rest = {name: value for name, value in self.provenance.items() if name != "source"}
        words = {
            "MODEL": self.model,
            "KIND": self.kind,
            "PLUGIN": f"{self.distribution} {self.version}".strip() or "none: the model was given as an object",
            "SOURCE": self.provenance.get("source", ""),
            "OPTIONS": ", ".join(f"{name}={value}" for name, value in rest.items()),
            "IGNORED": ", ".join(self.ignored),
            "CLIPPED": ", ".join(f"{name}={count}" for name, count in self.clipped.items()),
            "EXTRAPOL": ", ".join(f"{name}={count}" for name, count in self.extrapolated.items()),
        }
        return {key: _as_ascii(value) for key, value in words.items() if value}
