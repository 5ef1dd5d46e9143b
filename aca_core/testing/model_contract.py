"""The contract of a probability model: what its formula must keep, and what the core makes of it."""

from __future__ import annotations

import math
import pickle
import warnings
from typing import Any, Final

import pytest

from aca_core.errors import AcaWarning
from aca_core.models import STAR_INPUTS, InputRange, ProbabilityModel, StarConditions
from aca_core.offers import Offer, site_options
from aca_core.testing.contracts import OfferContract

__all__ = ["ProbabilityModelContract"]


class ProbabilityModelContract(OfferContract):
    """The contract of a probability model. Give the fixture ``model``.

    The formula alone is evaluated inside its declared ranges, and in ordinary ones for inputs without a range; and the
    model is asked as everybody asks it, by `aca_core.probability.success_prob`. A model that reads a file must find it.
    """

    @pytest.fixture
    def model(self) -> ProbabilityModel:
        """The model under test."""
        raise NotImplementedError("override the fixture 'model'")

    @pytest.fixture
    def offer(self, model: ProbabilityModel) -> Offer:
        """The model."""
        return model

    # ---- the formula ----

    @pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (2, 3), (2, 1, 4)], ids=str)
    def test_answers_in_the_shape_of_the_question(self, model: ProbabilityModel, shape: tuple[int, ...]) -> None:
        """The result has the shape of the inputs, in floating point."""
        result = _success(model, _sample(model, shape))
        assert result.shape == shape
        assert result.dtype.kind == "f"

    def test_treats_each_star_alone(self, model: ProbabilityModel) -> None:
        """An array of stars gives what each of them gives alone."""
        import numpy as np

        values = _sample(model, (24,))
        together = _success(model, values)
        alone = [_success(model, {name: each[index] for name, each in values.items()}) for index in range(24)]
        np.testing.assert_allclose(together, np.array(alone), rtol=1e-12, atol=1e-14)

    def test_broadcasts(self, model: ProbabilityModel) -> None:
        """Inputs of different shapes are combined as numpy does."""
        import numpy as np

        values = _sample(model, (5,))
        full = _success(model, values)
        spread = {name: each[:, None] if number == 0 else each for number, (name, each) in enumerate(values.items())}
        result = _success(model, spread)
        expected_shape = (5, 1) if len(values) == 1 else (5, 5)
        assert result.shape == expected_shape
        np.testing.assert_allclose(np.diagonal(result) if len(values) > 1 else result[:, 0], full, rtol=1e-12)

    def test_is_finite_in_its_ranges(self, model: ProbabilityModel) -> None:
        """Inside the ranges, both ends included, the formula gives numbers."""
        import numpy as np

        assert np.isfinite(_success(model, _sample(model, (1000,)))).all()

    def test_keeps_nan(self, model: ProbabilityModel) -> None:
        """What is not known stays not known: NaN in, NaN out, and only there."""
        import numpy as np

        for name in model.inputs:
            if name == "spoiler":
                continue
            values = _sample(model, (5,))
            values[name] = values[name].copy()
            values[name][2] = np.nan
            assert np.isnan(_success(model, values)).tolist() == [False, False, True, False, False], name

    def test_gives_the_same_where_it_has_travelled(self, model: ProbabilityModel) -> None:
        """In another process it gives the same values."""
        import numpy as np

        values = _sample(model, (50,))
        there = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(_success(there, values), _success(model, values))
        assert there.input_ranges() == model.input_ranges()
        assert there.provenance() == model.provenance()

    # ---- what it declares ----

    def test_has_ranges_of_its_inputs(self, model: ProbabilityModel) -> None:
        """The ranges in force are of inputs that it declares, and the same ones each time."""
        ranges = model.input_ranges()
        assert set(ranges) <= set(model.inputs), f"input_ranges() has {sorted(set(ranges) - set(model.inputs))}"
        assert all(isinstance(each, InputRange) for each in ranges.values())
        assert model.input_ranges() == ranges

    def test_says_where_it_comes_from(self, model: ProbabilityModel) -> None:
        """Its provenance names a source and every option of a site, in strings, for the results that it makes."""
        provenance = model.provenance()
        assert provenance.get("source"), "set source= to the document or file that the formula comes from"
        missing = sorted(set(site_options(type(model))) - set(provenance))
        assert not missing, f"provenance() lacks the options {missing}; extend super().provenance()"
        assert all(isinstance(each, str) for pair in provenance.items() for each in pair), (
            "provenance() has non-strings"
        )

    # ---- as everybody asks it ----

    def test_answers_one_star_with_a_number(self, model: ProbabilityModel) -> None:
        """A question of numbers is answered by a number, and says which model it was."""
        result = _asked(model, _sample(model, ()))
        assert isinstance(result.prob, float)
        assert (result.model, result.kind) == (model.name, model.kind)
        assert set(model.provenance()) <= set(result.provenance)

    def test_stays_within_its_limits(self, model: ProbabilityModel) -> None:
        """Far outside of the ranges, too, the probability is within the declared limits."""
        import numpy as np

        values = _sample(model, (300,))
        for name, each in values.items():
            if name not in ("warm_frac", "spoiler", "date"):
                each += np.linspace(-20.0, 20.0, 300)
        if "halfwidth" in values:
            values["halfwidth"] = np.maximum(values["halfwidth"], 0.0)
        prob = _asked(model, values).prob
        assert ((prob >= model.limits[0]) & (prob <= model.limits[1])).all(), (
            "success() gives NaN outside of its ranges"
        )

    def test_is_clipped_to_its_ranges(self, model: ProbabilityModel) -> None:
        """Outside of a range that clips, a star is what it is at the end of the range, and it is counted."""
        import numpy as np

        for name, limits in model.input_ranges().items():
            if limits.outside != "clip" or name == "date" or not math.isfinite(limits.low + limits.high):
                continue
            inside, beyond = _sample(model, (2,)), _sample(model, (2,))
            inside[name] = np.array([limits.low, limits.high])
            beyond[name] = inside[name] + (np.array([0.0, 0.0]) if name == "warm_frac" else np.array([-1.0, 1.0]))
            if name == "halfwidth":
                beyond[name] = np.maximum(beyond[name], 0.0)
            result = _asked(model, beyond)
            np.testing.assert_array_equal(result.prob, _asked(model, inside).prob)
            assert result.clipped.get(name, 0) == int((beyond[name] != inside[name]).sum())

    def test_falls_with_magnitude_and_with_the_dark_current(self, model: ProbabilityModel) -> None:
        """Faint stars, a warm CCD and warm pixels make success less likely, from one end of a range to the other."""
        import numpy as np

        for name in {"mag", "t_ccd", "warm_frac"} & set(model.inputs):
            values = _sample(model, (200,))
            least, greatest = values[name].min(), values[name].max()
            at_least, at_greatest = (
                np.mean(_asked(model, {**values, name: np.full(200, end)}).prob) for end in (least, greatest)
            )
            assert at_greatest <= at_least + 1e-9, f"{name}: {at_least:.3g} at {least:g}, {at_greatest:.3g} at the end"

    def test_leaves_out_what_is_not_known(self, model: ProbabilityModel) -> None:
        """A star of which one input is not known has no probability, and the others have theirs."""
        import numpy as np

        for name in model.inputs:
            values = _sample(model, (3,))
            values[name] = np.ma.masked_array(values[name], mask=[False, True, False])
            assert np.isnan(_asked(model, values).prob).tolist() == [False, True, False], name

    def test_reports_what_it_does_not_use(self, model: ProbabilityModel) -> None:
        """Inputs that make no difference are told to whoever gives them, and the others are not."""
        values = _sample(model, (3,))
        unused = {"color": 1.25, "halfwidth": 100.0, "spoiler": True, "t_ccd": -14.5, "warm_frac": 0.125}
        unused = {name: value for name, value in unused.items() if name not in (*model.inputs, *model.corrections)}
        result = _asked(model, {**values, **unused})
        assert set(result.ignored) == {*unused, *({"mag"} - set(model.inputs))}


_ORDINARY_RANGES: Final = {
    "mag": InputRange(6.0, 11.0),
    "t_ccd": InputRange(-16.0, -2.0),
    "date": InputRange(315619265.184, 883699269.184),  # 2008:001 to 2026:001
    "warm_frac": InputRange(0.02, 0.30),
    "color": InputRange(-0.2, 1.6),
    "halfwidth": InputRange(60.0, 180.0),
}

_SPECIAL_COLORS: Final = (1.5, 0.7)
"""Those that mark stars, and for which formulas have parts of their own; see `aca_core.models.STAR_INPUTS`."""


def _sample(model: ProbabilityModel, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return values of a model's inputs, spread over their ranges with both ends; the same ones at every call."""
    import numpy as np

    generator = np.random.default_rng(1999)
    values: dict[str, Any] = {}
    for name in model.inputs:
        if name == "spoiler":
            values[name] = generator.random(shape) < 0.5
            continue
        ordinary = _ORDINARY_RANGES[name]
        limits = model.input_ranges().get(name, ordinary)
        low = limits.low if math.isfinite(limits.low) else min(ordinary.low, limits.high - 1.0)
        high = limits.high if math.isfinite(limits.high) else max(ordinary.high, limits.low + 1.0)
        spread = generator.uniform(low, high, size=int(np.prod(shape)))
        spread[:1], spread[1:2] = low, high
        for number, color in enumerate(_SPECIAL_COLORS if name == "color" else (), start=2):
            if low <= color <= high:
                spread[number :: len(_SPECIAL_COLORS) + 2] = color
        values[name] = spread.reshape(shape)
    return values


def _success(model: ProbabilityModel, values: dict[str, Any]) -> Any:
    import numpy as np

    return np.asarray(model.success(StarConditions(values)))


def _asked(model: ProbabilityModel, values: dict[str, Any]) -> Any:
    """Return what the core answers for a model, without its warnings."""
    from aca_core.probability import success_prob

    assert set(values) <= set(STAR_INPUTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AcaWarning)
        return success_prob(model.kind, **{"mag": 10.0, **values}, model=model)
