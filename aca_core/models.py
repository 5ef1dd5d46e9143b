"""What a probability model is: one vectorised formula over star conditions, with its inputs and ranges declared."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from numbers import Real
from types import NoneType
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from aca_core._checks import as_tuple, check, each, is_a, text
from aca_core._frozen import FrozenMapping, freeze
from aca_core.arrays import BoolArray, FloatArray
from aca_core.errors import DeclarationError, did_you_mean
from aca_core.offers import Offer, site_options

__all__ = ["STAR_INPUTS", "InputRange", "ModelKind", "ProbabilityModel", "StarConditions"]

ModelKind: TypeAlias = Literal["acquisition", "guide"]
"""What a model gives the probability of: acquiring a star, or tracking it."""

STAR_INPUTS: Final = FrozenMapping(
    {
        "mag": "magnitude in the camera's band, mag",
        "t_ccd": "CCD temperature, degC",
        "date": "time, CXC seconds",
        "warm_frac": "fraction of CCD pixels whose dark current is above the model's warm_threshold",
        "color": "B-V, mag; 1.5 marks stars whose magnitude is poorly known",
        "halfwidth": "half width of the search box, arcsec",
        "spoiler": "whether another star disturbs this one, bool",
    }
)
"""Everything that a model may ask about a star, with units."""


def _as_float(value: Any) -> Any:
    """Return numpy's and other numbers as a float, and anything else as it is, for a validator to refuse."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return float(value)


_number = check(lambda value: isinstance(value, float) and not math.isnan(value), "a number")
_distance = check(lambda value: isinstance(value, float) and value >= 0, "0 or more")


@attrs.frozen
class InputRange:
    """Where a model's formula may be evaluated.

    Attributes
    ----------
    low, high : float
        The range, both ends included, in the unit of the input.
    outside : {'clip', 'extrapolate'}
        What the core does with an input outside: evaluate at the nearer end, or as it is.
    warn_below, warn_above : float
        How far below or above the range an input must lie for a warning that says how many were; ``inf`` for none.

    Examples
    --------
    >>> InputRange(5.0, 10.75, warn_above=0.25)
    InputRange(low=5.0, high=10.75, outside='clip', warn_below=0.0, warn_above=0.25)
    """

    low: float = attrs.field(converter=_as_float, validator=_number)
    high: float = attrs.field(converter=_as_float, validator=_number)
    outside: Literal["clip", "extrapolate"] = attrs.field(default="clip", kw_only=True)
    warn_below: float = attrs.field(default=0.0, converter=_as_float, validator=_distance, kw_only=True)
    warn_above: float = attrs.field(default=0.0, converter=_as_float, validator=_distance, kw_only=True)

    def __attrs_post_init__(self) -> None:
        """Check the values against each other."""
        if not self.low < self.high:
            raise DeclarationError("InputRange", "low, high", (self.low, self.high), "low less than high")
        if self.outside not in ("clip", "extrapolate"):
            raise DeclarationError("InputRange", "outside", self.outside, "'clip' or 'extrapolate'")


def _as_array(name: str, value: Any) -> Any:
    import numpy as np

    try:
        return np.asarray(value, dtype=bool if name == "spoiler" else float)
    except (TypeError, ValueError) as error:
        raise DeclarationError("StarConditions", name, value, f"a number or an array ({error})") from None


class StarConditions:
    """The inputs of a model for many stars at once, broadcast to one shape.

    Only the inputs that the model declares are here; reading another one is an error, so that what a model uses and
    what it says it uses cannot drift apart. The arrays are read-only.

    Parameters
    ----------
    values : mapping of str to array_like
        Names of `STAR_INPUTS` with scalars or arrays that broadcast together.

    Raises
    ------
    DeclarationError
        A name is not one of `STAR_INPUTS`, or the shapes do not broadcast.

    Examples
    --------
    >>> stars = StarConditions({"mag": [8.0, 10.3], "t_ccd": -11.0})
    >>> stars.shape, stars.t_ccd.tolist()
    ((2,), [-11.0, -11.0])
    """

    __slots__ = ("_values", "shape")

    def __init__(self, values: Mapping[str, Any]) -> None:
        import numpy as np

        for name in values:
            if name not in STAR_INPUTS:
                expected = f"one of {', '.join(STAR_INPUTS)}.{did_you_mean(name, STAR_INPUTS)}"
                raise DeclarationError("StarConditions", "input", name, expected)
        arrays = [_as_array(name, value) for name, value in values.items()]
        try:
            # Views, so that an array of the caller's stays writeable in the caller's hands.
            broadcast = [array.view() for array in np.broadcast_arrays(*arrays)]
        except ValueError:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(values, arrays, strict=True))
            raise DeclarationError("StarConditions", "shapes", shapes, "shapes that broadcast together") from None
        for array in broadcast:
            array.flags.writeable = False
        self._values = dict(zip(values, broadcast, strict=True))
        self.shape: tuple[int, ...] = broadcast[0].shape if broadcast else ()

    def _get(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            given = ", ".join(self._values) or "nothing"
            raise DeclarationError(
                "the model", "inputs", given, f"also {name!r}, since its formula reads stars.{name}"
            ) from None

    @property
    def mag(self) -> FloatArray:
        """Magnitude in the camera's band (mag)."""
        return self._get("mag")  # type: ignore[no-any-return]  # one table of arrays serves all inputs

    @property
    def t_ccd(self) -> FloatArray:
        """CCD temperature (degC)."""
        return self._get("t_ccd")  # type: ignore[no-any-return]  # as above

    @property
    def date(self) -> FloatArray:
        """Time (CXC seconds)."""
        return self._get("date")  # type: ignore[no-any-return]  # as above

    @property
    def warm_frac(self) -> FloatArray:
        """Fraction of CCD pixels whose dark current is above the model's warm threshold."""
        return self._get("warm_frac")  # type: ignore[no-any-return]  # as above

    @property
    def color(self) -> FloatArray:
        """B-V (mag)."""
        return self._get("color")  # type: ignore[no-any-return]  # as above

    @property
    def halfwidth(self) -> FloatArray:
        """Half width of the search box (arcsec)."""
        return self._get("halfwidth")  # type: ignore[no-any-return]  # as above

    @property
    def spoiler(self) -> BoolArray:
        """Whether another star disturbs this one."""
        return self._get("spoiler")  # type: ignore[no-any-return]  # as above


def _is_ranges(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each_range, InputRange) for each_range in value.values())


def _is_limits(value: Any) -> bool:
    numbers = isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, int | float) for each in value)
    return numbers and 0 <= value[0] < value[1] <= 1


@attrs.frozen(kw_only=True)
class ProbabilityModel(Offer, ABC):
    """A formula for the probability of acquiring or tracking a star.

    The core broadcasts the inputs, finds warm fractions, clips to the declared ranges and limits, and keeps NaN; a
    model is the formula alone. Subclass it with `attrs.frozen`; coefficients are fields or constants with their source.

    Attributes
    ----------
    name, label : str
        See `Offer`; an acquisition and a guide model may share a name.
    kind : {'acquisition', 'guide'}
        What it is the probability of.
    inputs : tuple of str
        The names of `STAR_INPUTS` that the formula reads.
    ranges : mapping of str to InputRange
        Where the formula may be evaluated; an input without a range is used as it is.
    dark_model : str or None
        The dark-current model that gives ``warm_frac``, for example ``2013``.
    warm_threshold : float
        Dark current above which a pixel counts as warm, e-/s.
    limits : tuple of float
        The least and the greatest success probability that is ever returned.
    corrections : tuple of str
        Which multipliers of the success the core applies after the formula, because it was fitted without them:
        ``color`` for stars of B-V 0.7, ``spoiler`` for disturbed stars.
    source : str
        Where the formula comes from: a document, a program, a file.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import InputRange, ProbabilityModel
    >>> @attrs.frozen(kw_only=True)
    ... class LogisticModel(ProbabilityModel):
    ...     mag_half: float = 10.6
    ...     steepness: float = 3.0
    ...     def success(self, stars):
    ...         import numpy as np
    ...         return 1 / (1 + np.exp(self.steepness * (stars.mag - self.mag_half)))
    >>> model = LogisticModel(name="logistic", kind="acquisition", ranges={"mag": InputRange(5, 12)})
    >>> model.noun
    'acquisition model'
    """

    section: ClassVar[str] = "models"

    kind: ModelKind = attrs.field()
    inputs: tuple[str, ...] = attrs.field(
        default=("mag",), converter=as_tuple, validator=each(str, f"a list of some of {', '.join(STAR_INPUTS)}")
    )
    ranges: Mapping[str, InputRange] = attrs.field(
        factory=FrozenMapping, converter=freeze, validator=check(_is_ranges, "for each input an InputRange(low, high)")
    )
    dark_model: str | None = attrs.field(default=None, validator=is_a((str, NoneType), "the name of a dark model"))
    warm_threshold: float = attrs.field(
        default=100.0,
        converter=_as_float,
        validator=check(lambda value: isinstance(value, float) and 0 < value < math.inf, "a dark current, e-/s"),
    )
    limits: tuple[float, float] = attrs.field(
        default=(0.0, 1.0), converter=as_tuple, validator=check(_is_limits, "two increasing probabilities in [0, 1]")
    )
    corrections: tuple[str, ...] = attrs.field(
        default=(),
        converter=as_tuple,
        validator=check(
            lambda value: isinstance(value, tuple) and set(value) <= {"color", "spoiler"}, "some of 'color', 'spoiler'"
        ),
    )
    source: str = attrs.field(default="", validator=text)

    @property
    def noun(self) -> str:
        """``acquisition model`` or ``guide model``."""
        return f"{self.kind} model"

    @property
    def variant(self) -> str:
        """The kind: an acquisition and a guide model may share a name, and then a table of options."""
        return self.kind

    def __attrs_post_init__(self) -> None:
        """Check what only the whole declaration can show."""
        if self.kind not in ("acquisition", "guide"):
            raise self.refusal("kind", self.kind, "'acquisition' or 'guide'")
        if len(set(self.inputs)) < len(self.inputs):
            raise self.refusal("inputs", self.inputs, "each input once")
        if unknown := sorted(set(self.inputs) - set(STAR_INPUTS)):
            raise self.refusal("inputs", unknown, f"some of {', '.join(STAR_INPUTS)}")
        if unused := sorted(set(self.ranges) - set(self.inputs)):
            raise self.refusal("ranges", unused, f"ranges of its inputs: {', '.join(self.inputs)}")
        if ("warm_frac" in self.inputs) != (self.dark_model is not None):
            raise self.refusal("dark_model", self.dark_model, "a dark model exactly where inputs has 'warm_frac'")

    def input_ranges(self) -> Mapping[str, InputRange]:
        """Return the ranges in force: `ranges`, unless a model reads them from a file of its own."""
        return self.ranges

    def provenance(self) -> dict[str, str]:
        """Return what makes the results, beside the model's name.

        Returns
        -------
        dict of str to str
            ``source``, and every option that a site may have set; a model that reads a file adds it.
        """
        options = {name: str(getattr(self, name)) for name in site_options(type(self))}
        return {"source": self.source, **options}

    @abstractmethod
    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            The declared inputs, broadcast to one shape and clipped to the ranges; NaN where an input is unknown.

        Returns
        -------
        ndarray
            Success probabilities of that shape, before `limits`; NaN where an input is NaN.
        """
