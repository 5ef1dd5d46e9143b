"""Models: conditions of stars, the ranges of formulas, and which declarations are refused."""

import math
import re

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from aca_core import DeclarationError, InputRange, ProbabilityModel, StarConditions, site_option
from aca_core.models import STAR_INPUTS


@attrs.frozen(kw_only=True)
class Straight(ProbabilityModel):
    slope: float = site_option(1.0, help="steepness, per mag")

    def success(self, stars):
        return (12.0 - stars.mag) / 7.0 * self.slope


def straight(**changes):
    return Straight(**{"name": "straight", "kind": "guide", **changes})


# ---- star conditions ------------------------------------------------------------------------------------------------


@given(mutually_broadcastable_shapes(num_shapes=len(STAR_INPUTS), max_dims=3, max_side=3))
def test_all_inputs_are_broadcast_to_one_shape(shapes):
    given_values = {
        name: np.arange(math.prod(shape)).reshape(shape) + number
        for number, (name, shape) in enumerate(zip(STAR_INPUTS, shapes.input_shapes, strict=True))
    }
    stars = StarConditions(given_values)
    assert stars.shape == shapes.result_shape
    for name, value in given_values.items():
        found = getattr(stars, name)
        expected = value.astype(bool) if name == "spoiler" else value.astype(float)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, np.broadcast_to(expected, shapes.result_shape))


def test_scalars_lists_and_unknown_values_are_taken():
    stars = StarConditions({"mag": 9, "color": [[0.6, math.nan]], "spoiler": [[True], [False], [1]]})
    assert stars.shape == (3, 2)
    assert stars.mag.tolist() == [[9.0, 9.0]] * 3
    assert np.isnan(stars.color).tolist() == [[False, True]] * 3
    assert stars.spoiler[:, 0].tolist() == [True, False, True]
    assert StarConditions({"mag": 9}).shape == StarConditions({}).shape == ()
    assert StarConditions({"mag": [], "t_ccd": -11.0}).t_ccd.tolist() == []


def test_shapes_that_do_not_broadcast_are_listed():
    with pytest.raises(DeclarationError) as caught:
        StarConditions({"mag": [8.0, 9.0], "t_ccd": -11.0, "color": np.zeros((4, 3))})
    assert str(caught.value) == (
        "StarConditions: shapes is 'mag (2,), t_ccd (), color (4, 3)'; expected shapes that broadcast together"
    )


def test_an_unknown_input_is_refused_with_the_known_ones():
    with pytest.raises(DeclarationError) as caught:
        StarConditions({"mag": 9.0, "tccd": -11.0})
    assert str(caught.value) == (
        "StarConditions: input is 'tccd'; expected one of mag, t_ccd, date, warm_frac, color, halfwidth, spoiler."
        " Did you mean 't_ccd'?"
    )


@pytest.mark.parametrize("name", STAR_INPUTS)
def test_a_formula_reads_nothing_that_it_does_not_declare(name):
    other = "mag" if name != "mag" else "t_ccd"
    stars = StarConditions({other: 9.0, "date": 1.0} if name != "date" else {other: 9.0})
    declared = f"{other}, date" if name != "date" else other
    with pytest.raises(DeclarationError) as caught:
        getattr(stars, name)
    expected = f"the model: inputs is {declared!r}; expected also {name!r}, since its formula reads stars.{name}"
    assert str(caught.value) == expected


def test_without_any_input_the_message_says_nothing():
    with pytest.raises(DeclarationError, match=r"inputs is 'nothing'; expected also 'mag'"):
        StarConditions({}).mag  # noqa: B018  # reading it is the point


def test_the_conditions_cannot_be_changed():
    stars = StarConditions({"mag": np.array([8.0, 9.0]), "t_ccd": -11.0, "spoiler": [True, False]})
    for name in ("mag", "t_ccd", "spoiler"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(stars, name)[0] = 1.0
        with pytest.raises(AttributeError):
            setattr(stars, name, 1.0)


def test_the_callers_arrays_stay_the_callers():
    mag, t_ccd = np.array([8.0, 9.0]), np.array([-11.0])
    StarConditions({"mag": mag, "t_ccd": t_ccd})
    mag += 1.0
    t_ccd += 1.0
    assert (mag.tolist(), t_ccd.tolist()) == ([9.0, 10.0], [-10.0])


def test_what_is_no_number_is_refused_by_name():
    with pytest.raises(DeclarationError, match=r"^StarConditions: .*mag.*'bright'"):
        StarConditions({"mag": "bright"})


# ---- ranges ---------------------------------------------------------------------------------------------------------


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_range_has_its_ends_in_order(low, high):
    if low < high:
        found = InputRange(low, high)
        assert (found.low, found.high, found.outside, found.warn_above) == (low, high, "clip", 0.0)
    else:
        with pytest.raises(DeclarationError) as caught:
            InputRange(low, high)
        assert str(caught.value) == f"InputRange: low, high is {(low, high)!r}; expected low less than high"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": math.nan}, "InputRange: low is nan; expected a number"),
        ({"outside": "ignore"}, "InputRange: outside is 'ignore'; expected 'clip' or 'extrapolate'"),
        ({"warn_above": -0.25}, "InputRange: warn_above is -0.25; expected 0 or more"),
        ({"warn_above": math.nan}, "InputRange: warn_above is nan; expected 0 or more"),
    ],
    ids=str,
)
def test_a_range_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(DeclarationError) as caught:
        InputRange(**{"low": 5, "high": 12, **arguments})
    assert str(caught.value) == message


@pytest.mark.parametrize(("field", "value"), [("low", "five"), ("high", None), ("warn_above", "never")])
def test_the_ends_of_a_range_are_numbers(field, value):
    with pytest.raises(DeclarationError, match=rf"^InputRange: {field} is {value!r}; expected "):
        InputRange(**{"low": 5, "high": 12, field: value})


def test_a_range_is_in_floating_point_and_may_have_no_warning():
    found = InputRange(5, 12, outside="extrapolate", warn_above=math.inf)
    assert [type(value) for value in (found.low, found.high, found.warn_above)] == [float] * 3


# ---- models ---------------------------------------------------------------------------------------------------------


def test_a_model_is_its_formula_and_what_it_declares():
    model = straight(kind="acquisition", ranges={"mag": InputRange(5, 12)}, source="a ruler")
    assert model.noun == "acquisition model"
    assert model.inputs == ("mag",)
    assert model.limits == (0.0, 1.0)
    assert model.input_ranges() == {"mag": InputRange(5, 12)}
    assert model.provenance() == {"source": "a ruler", "slope": "1.0"}
    assert model.success(StarConditions({"mag": [5.0, 12.0]})).tolist() == [1.0, 0.0]
    plain = straight()
    assert plain.noun == "guide model"
    assert plain.input_ranges() == {}
    assert plain.provenance() == {"source": "", "slope": "1.0"}


INPUTS = "mag, t_ccd, date, warm_frac, color, halfwidth, spoiler"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "tracking"}, "kind is 'tracking'; expected 'acquisition' or 'guide'"),
        ({"inputs": ["mag", "tccd", "b_v"]}, f"inputs is ['b_v', 'tccd']; expected some of {INPUTS}"),
        (
            {"ranges": {"mag": InputRange(5, 12), "t_ccd": InputRange(-16, -2)}},
            "ranges is ['t_ccd']; expected ranges of its inputs: mag",
        ),
        (
            {"inputs": ["mag", "warm_frac"]},
            "dark_model is None; expected a dark model exactly where inputs has 'warm_frac'",
        ),
        ({"dark_model": "2013"}, "dark_model is '2013'; expected a dark model exactly where inputs has 'warm_frac'"),
        ({"inputs": ["mag", "mag"]}, "inputs is ('mag', 'mag'); expected each input once"),
        ({"corrections": ["color", "red"]}, "corrections is ('color', 'red'); expected some of 'color', 'spoiler'"),
        ({"corrections": "color"}, "corrections is 'color'; expected some of 'color', 'spoiler'"),
        ({"warm_threshold": 0}, "warm_threshold is 0.0; expected a dark current, e-/s"),
        ({"limits": (0.985, 1e-6)}, "limits is (0.985, 1e-06); expected two increasing probabilities in [0, 1]"),
        ({"limits": [0, 1.5]}, "limits is (0, 1.5); expected two increasing probabilities in [0, 1]"),
        ({"limits": (-0.1, 1)}, "limits is (-0.1, 1); expected two increasing probabilities in [0, 1]"),
        ({"limits": (0.5, 0.5)}, "limits is (0.5, 0.5); expected two increasing probabilities in [0, 1]"),
        ({"limits": (math.nan, 1)}, "limits is (nan, 1); expected two increasing probabilities in [0, 1]"),
        ({"limits": (0.5,)}, "limits is (0.5,); expected two increasing probabilities in [0, 1]"),
        ({"limits": (0, 0.5, 1)}, "limits is (0, 0.5, 1); expected two increasing probabilities in [0, 1]"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_model_that_cannot_be_right_is_refused(changes, message):
    with pytest.raises(DeclarationError) as caught:
        straight(**changes)
    assert str(caught.value) == f"Straight 'straight': {message}"


@pytest.mark.parametrize("value", [(5, 12), None, "5..12"], ids=repr)
def test_a_range_must_be_an_input_range(value):
    with pytest.raises(DeclarationError, match=rf"^Straight 'straight': ranges is .*{re.escape(repr(value))}"):
        straight(ranges={"mag": value})


def test_a_model_needs_a_warm_fraction_and_a_dark_model_together():
    model = straight(inputs=["mag", "warm_frac"], dark_model="2013")
    assert (model.dark_model, model.warm_threshold) == ("2013", 100.0)


def test_a_model_must_have_a_formula():
    with pytest.raises(TypeError, match=r"abstract.*success"):
        ProbabilityModel(name="straight", kind="guide")
