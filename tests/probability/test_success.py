"""Probabilities of stars as everybody asks for them: inputs of any form, what is told, and what made the answer."""

from __future__ import annotations

import math
import warnings

import astropy.units as u
import attrs
import numpy as np
import pytest
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

import aca_core.probability.warmth
from aca_core import (
    AcaWarning,
    Config,
    DateError,
    DeclarationError,
    InputRange,
    MissingDataError,
    PluginError,
    ProbabilityModel,
    ProbabilitySettings,
    Registry,
    UnknownNameError,
    site_option,
)
from aca_core.archive.current import using_plugins
from aca_core.dark_current.warm_fractions import warm_fraction_at
from aca_core.dates import to_frac_year, to_secs
from aca_core.probability import (
    acq_success_prob,
    describe_model,
    get_acq_success,
    get_guide_success,
    guide_success_prob,
    limiting_mag,
    success_prob,
    t_ccd_warm_limit,
)
from aca_core.probability.star_inputs import frac_years, secs_of

DATE = "2017:001:12:00:00"


@attrs.frozen(kw_only=True)
class Line(ProbabilityModel):
    """A line in magnitude, with what a test wants to vary."""

    answer: object = None
    slope: float = site_option(0.2, help="per mag")

    def success(self, stars):
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        return 1.0 - self.slope * (stars.mag - 8.0)


def line(**changes):
    return Line(**{"name": "line", "kind": "acquisition", "source": "made up", **changes})


# ---- reference values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "t_ccd", "expected"),
    [
        ("2013:001", -19, [0.987898, 0.843364, 0.714225, 0.535876]),
        ("2014:001", -15, [0.984491, 0.740211, 0.529600, 0.266276]),
    ],
)
def test_the_functions_of_2013_give_their_table(date, t_ccd, expected):
    mags = [9, 10, 10.3, 10.6]
    assert get_acq_success(date, t_ccd, mags).tolist() == pytest.approx(expected, abs=5e-7)
    assert get_acq_success(date, t_ccd, mags, raw=True).tolist() == pytest.approx(expected, abs=5e-7)
    assert acq_success_prob(date, t_ccd, mags).tolist() == get_acq_success(date, t_ccd, mags).tolist()


@pytest.mark.parametrize(
    ("date", "t_ccd", "warm_frac", "expected"),
    [
        ("2013:001", -19, 0.0811203818, [0.995803, 0.936477, 0.856474, 0.675713, 0.038543]),
        ("2014:001", -15, 0.1484924680, [0.992317, 0.883720, 0.737273, 0.406386, 0]),
        ("2018:001", -11, 0.2848956476, [0.985260, 0.776907, 0.495936, 0, 0]),
    ],
)
def test_the_guide_function_of_2013_gives_its_table(date, t_ccd, warm_frac, expected):
    found = success_prob("guide", date=date, t_ccd=t_ccd, mag=[9, 10, 10.3, 10.6, 11])
    assert found.warm_frac == pytest.approx(warm_frac, abs=5e-11)
    assert found.prob.tolist() == pytest.approx(expected, abs=5e-7)
    assert found.prob.tolist() == get_guide_success(date, t_ccd, [9, 10, 10.3, 10.6, 11]).tolist()
    assert found.prob.tolist() == guide_success_prob(date, t_ccd, [9, 10, 10.3, 10.6, 11]).tolist()


def test_the_model_of_2017_gives_its_values_from_dates():
    def found(t_ccd, mag, color=0.6):
        return np.atleast_1d(acq_success_prob(DATE, t_ccd, mag, color, model="sota-2017")).tolist()

    assert found(-10, [9, 10, 10.3, 10.6]) == pytest.approx([0.985, 0.86868674, 0.68643974, 0.39525780], abs=5e-9)
    assert found([-16, -14, -12], 10.3) == pytest.approx([0.87007558, 0.81918958, 0.75767782], abs=5e-9)
    assert found(-10, 10.3, [0.7, 1.5]) == pytest.approx([0.29475723, 0.29295036], abs=5e-9)


def test_outside_of_its_fit_the_model_of_2013_is_clipped_and_raw_on_demand():
    assert get_acq_success("2013:001", -19, 7.0) == get_acq_success("2013:001", -19, 8.41)
    assert get_acq_success("2013:001", -19, 7.0, raw=True) < get_acq_success("2013:001", -19, 8.41)
    with pytest.warns(AcaWarning, match=r"^get_acq_success: mag of 1 star: 1 above 11 \(greatest 12\)"):
        assert get_acq_success("2018:001", -11, 12.0) == 0.0
    assert get_acq_success("2018:001", -11, 12.0, raw=True) < -2


# ---- any input ------------------------------------------------------------------------------------------------------


@given(mutually_broadcastable_shapes(num_shapes=6, max_dims=3, max_side=3))
def test_inputs_broadcast_as_in_numpy(shapes):
    rng = np.random.default_rng(1)
    low = [4.5e8, -15.0, 8.5, 0.0, 0.0, 80.0]
    high = [6.0e8, -5.0, 10.5, 1.4, 1.0, 160.0]
    inputs = [rng.uniform(a, b, shape) for a, b, shape in zip(low, high, shapes.input_shapes, strict=True)]
    inputs[4] = inputs[4] > 0.5
    found = acq_success_prob(*inputs, model="sota-2017")
    assert np.shape(found) == shapes.result_shape
    spread = [each.ravel() for each in np.broadcast_arrays(*inputs)]
    one_by_one = [acq_success_prob(*star, model="sota-2017") for star in zip(*spread, strict=True)]
    np.testing.assert_allclose(np.ravel(found), one_by_one, rtol=1e-12)


def test_scalars_give_a_float_and_arrays_give_arrays_of_their_own():
    assert type(acq_success_prob(DATE, -10, 10.3)) is float
    assert type(acq_success_prob(np.array(6e8), np.float32(-10), np.array(10))) is float
    mags = np.array([8.0, 9.0])
    mags.flags.writeable = False
    found = success_prob("acquisition", mag=mags, color=np.full((3, 1), 0.6), model=line())
    found.prob[...] = 0.0  # it is the caller's, although the formula saw one row alone
    assert found.prob.shape == (3, 2)
    assert mags.tolist() == [8.0, 9.0]
    assert acq_success_prob(DATE, -10, []).shape == (0,)


def test_quantities_are_converted():
    plain = acq_success_prob("2013:001", -19, [9.0, 10.0], 0.6, False, 120.0, model="sota-2017")
    secs = to_secs("2013:001")
    found = acq_success_prob(
        secs * u.s, 254.15 * u.K, [9.0, 10.0] * u.mag, 0.6 * u.mag, False, 2 * u.arcmin, model="sota-2017"
    )
    np.testing.assert_allclose(found, plain, rtol=1e-12)
    with pytest.raises(DeclarationError, match=r"acq_success_prob: t_ccd is .*expected .* in deg_C"):
        acq_success_prob(DATE, -10 * u.s, 10)


@pytest.mark.parametrize("name", ["date", "t_ccd", "mag", "color", "halfwidth", "spoiler"])
def test_what_is_masked_or_nan_is_not_known(name):
    values = {"date": 6e8, "t_ccd": -10.0, "mag": 10.0, "color": 0.6, "halfwidth": 120.0, "spoiler": False}
    full = np.full(3, values[name])
    masked = np.ma.masked_array(full, mask=[False, True, False])
    column = MaskedColumn(full, mask=[False, True, False])
    for unknown in (masked, column):
        found = acq_success_prob(**{**values, name: unknown}, model="sota-2017")
        assert np.isnan(found).tolist() == [False, True, False]
        assert type(found) is np.ndarray
    assert math.isnan(acq_success_prob(**{**values, name: math.nan}, model="sota-2017"))
    listed = [values[name], math.nan]
    assert np.isnan(acq_success_prob(**{**values, name: listed}, model="sota-2017")).tolist() == [False, True]


def test_what_is_not_known_and_not_used_does_not_matter():
    with pytest.warns(AcaWarning, match="does not use color"):
        assert acq_success_prob(DATE, -10, 10.0, color=math.nan) == acq_success_prob(DATE, -10, 10.0)


def test_flags_may_be_missing_like_numbers():
    found = acq_success_prob(DATE, -10, 10.0, 0.6, [True, None, False], model="sota-2017")
    assert np.isnan(found).tolist() == [False, True, False]
    assert found[0] < found[2]


def test_a_masked_scalar_is_not_known():
    assert math.isnan(acq_success_prob(DATE, -10, np.ma.masked_array(10.0, mask=True)))
    assert math.isnan(acq_success_prob(np.ma.masked_array(6e8, mask=True), -10, 10))


@pytest.mark.parametrize(
    "date",
    [
        "2017:001:12:00:00",
        "2017-01-01T12:00:00",
        b"2017:001:12:00:00",
        to_secs(DATE),
        np.datetime64("2017-01-01T12:00"),
    ],
    ids=str,
)
def test_dates_come_in_any_form(date):
    assert acq_success_prob(date, -10, 10.3) == pytest.approx(acq_success_prob(DATE, -10, 10.3), rel=1e-9)
    assert acq_success_prob([date, date], -10, 10.3).shape == (2,)


@given(st.lists(st.floats(-252460742.816, 3250368069.0), max_size=20))
def test_years_are_those_of_the_dates(secs):
    found = frac_years(np.array(secs))
    np.testing.assert_allclose(found, to_frac_year(np.array(secs)), rtol=0, atol=1e-9)
    assert frac_years(np.array([math.nan, *secs]))[1:].tolist() == found.tolist()


def test_years_begin_where_they_do():
    begins = [f"{year}:001" for year in range(1990, 2101)]
    assert frac_years(secs_of(begins)).tolist() == list(range(1990, 2101))
    assert frac_years(secs_of("2016:366:23:59:60.5")) == to_frac_year("2016:366:23:59:60.5")


def test_no_date_is_now():
    now = acq_success_prob(None, -10, 10.3)
    assert now == pytest.approx(acq_success_prob("-1d", -10, 10.3), abs=1e-3)
    assert acq_success_prob(t_ccd=-10, mag=10.3) == pytest.approx(now, abs=1e-6)


# ---- bad input ------------------------------------------------------------------------------------------------------


def test_shapes_that_do_not_broadcast_are_listed():
    with pytest.raises(DeclarationError) as caught:
        acq_success_prob(DATE, [-10, -11], [9, 10, 10.3])
    assert str(caught.value) == (
        "acq_success_prob: shapes is 'date (), t_ccd (2,), mag (3,), color (), spoiler (), halfwidth ()'; "
        "expected shapes that broadcast together"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mag": "bright"}, "success_prob: mag is 'bright'; expected a number or an array of numbers"),
        ({"mag": None}, "success_prob: mag is None; expected a value, since acquisition model 'sota-2013' uses it"),
        ({"t_ccd": None}, "success_prob: t_ccd is None; expected a value, since acquisition model 'sota-2013' uses it"),
        ({"warm_frac": 8.1}, "success_prob: warm_frac is 8.1; expected probabilities, 0 to 1"),
        ({"spoiler": "yes"}, "success_prob: spoiler is 'yes'; expected True or False, or an array of them"),
        ({"spoiler": [0, 2]}, r"success_prob: spoiler is \[0, 2\]; expected True or False, or an array of them"),
        ({"spoiler": [1, [0, 1]]}, "success_prob: spoiler is .*; expected True or False, or an array of them"),
        ({"halfwidth": -100}, "success_prob: halfwidth is -100.0; expected half widths of search boxes, 0 or more"),
        ({"t_ccd": [-10.0, 263.15]}, "success_prob: t_ccd is 263.15; expected temperatures from -100 to 100 degC"),
        ({"halfwidth": math.inf}, "success_prob: halfwidth is inf; expected half widths of search boxes"),
        ({"model": 2013}, "success_prob: model is 2013; expected the name of a model, or a ProbabilityModel"),
        (
            {"model": line(kind="guide")},
            "success_prob: model is 'line'; expected an acquisition model; this is a guide model",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_refused_by_name(changes, message):
    question = {"mag": 10.0, "t_ccd": -10, "date": DATE, **changes}
    with pytest.raises(DeclarationError, match=f"^{message}"):
        success_prob("acquisition", **question)


def test_a_date_that_is_none_is_refused():
    with pytest.raises(DateError, match="2017:400"):
        acq_success_prob("2017:400", -10, 10)


def test_an_unknown_model_is_told_with_what_exists_and_who_would_provide_it():
    with pytest.raises(UnknownNameError, match=r"no kind of model is named 'tracking'. Known: acquisition, guide"):
        success_prob("tracking", mag=10)
    with pytest.raises(UnknownNameError, match="no kind of model is named"):
        success_prob(np.array(["guide", "guide"]), mag=10)
    with pytest.raises(UnknownNameError) as caught:
        guide_success_prob(DATE, -10, 10, model="sota-2017")
    assert str(caught.value) == (
        "no guide model is named 'sota-2017'. Did you mean 'sota-2013'? Known: sota-2013, sota-2013-referenced. "
        "'sota-2017' is the name of an acquisition model. Run 'aca plugins' to see what is installed."
    )
    config = Config()
    config = attrs.evolve(config, plugins=attrs.evolve(config.plugins, disable=("sota-2017", "spline-2018")))
    with (
        using_plugins(Registry(config)),
        pytest.raises(UnknownNameError, match=r"It should come from aca-core:sota-2017\. .*sota-2017 \(disabled\)"),
    ):
        acq_success_prob(DATE, -10, 10, model="sota-2017-ms")


# ---- what is told ---------------------------------------------------------------------------------------------------


def test_inputs_that_make_no_difference_are_told_once_and_not_dropped_silently():
    with pytest.warns(AcaWarning) as caught:
        found = success_prob(
            "acquisition", date=DATE, t_ccd=-10, mag=[10, 10.3], color=[0.6, 1.5], halfwidth=80, spoiler=True
        )
    assert found.ignored == ("color", "spoiler", "halfwidth")
    assert [str(warning.message) for warning in caught] == [
        "success_prob: acquisition model 'sota-2013' does not use color, spoiler, halfwidth; "
        "what was given for them is ignored"
    ]
    assert caught[0].filename == __file__
    with pytest.warns(AcaWarning, match=r"acquisition model 'spline-2018' does not use date; what was given for it is"):
        acq_success_prob(DATE, -10, 10, model="spline-2018")
    with pytest.warns(AcaWarning, match="does not use date, t_ccd"):
        success_prob("acquisition", date=DATE, t_ccd=-10.5, warm_frac=0.1, mag=10)


def test_nothing_is_told_of_what_was_not_given():
    for model in ("sota-2013", "sota-2017", "spline-2018", line()):
        assert success_prob("acquisition", t_ccd=-10, mag=10, model=model).ignored == ()
        assert acq_success_prob(mag=10, color=0.6, spoiler=[False, False], halfwidth=120, model=model).shape == (2,)


def test_ranges_are_told_once_for_each_input_with_how_many_of_how_many():
    ranges = {
        "mag": InputRange(6, 11, warn_below=math.inf),
        "t_ccd": InputRange(-16, -5),
        "halfwidth": InputRange(60, 180, outside="extrapolate"),
    }
    model = line(inputs=["mag", "t_ccd", "halfwidth"], ranges=ranges)
    with pytest.warns(AcaWarning) as caught:
        found = success_prob(
            "acquisition",
            mag=[5, 8, 11.5, math.nan],
            t_ccd=np.array([[-20], [-18], [-10], [0]]),
            halfwidth=40,
            model=model,
        )
    assert [str(warning.message) for warning in caught] == [
        "success_prob: mag of 4 stars: 1 above 11 (greatest 11.5), outside of the range of acquisition model 'line'; "
        "evaluated at its end; success as high as 0.4 is given to stars that may be too faint",
        "success_prob: t_ccd of 4 stars: 2 below -16 (least -20) and 1 above -5 (greatest 0), outside of the range of "
        "acquisition model 'line'; evaluated at its end",
        "success_prob: halfwidth of 1 star: 1 below 60 (least 40), outside of the range of acquisition model 'line'; "
        "the formula is extrapolated",
    ]
    assert (found.clipped, found.extrapolated) == ({"mag": 2, "t_ccd": 3}, {"halfwidth": 1})
    np.testing.assert_allclose(found.prob[0], [1.0, 1.0, 0.4, math.nan])


def test_stars_too_faint_that_are_given_nothing_are_not_said_to_be_given_something():
    for t_ccd, shape in ((math.nan, ()), ([], (0,)), (0.0, ())):
        with pytest.warns(AcaWarning, match=r"of acquisition model 'sota-2013'; evaluated at its end$"):
            assert np.shape(acq_success_prob("2018:001", t_ccd, 12.0)) == shape


@pytest.mark.parametrize("model", ["sota-2017", "spline-2018"])
def test_a_box_for_which_success_would_rise_again_is_told(model):
    date = DATE if model == "sota-2017" else None
    boxes = [60.0, 240.0, 312.0]
    found = acq_success_prob(date, -10, 10.0, 0.6, False, boxes, model=model)
    assert (np.diff(found) < 0).all()
    with pytest.warns(AcaWarning, match=r"halfwidth of 1 star: 1 above 312 \(greatest 400\), .* is extrapolated"):
        assert acq_success_prob(date, -10, 10.0, 0.6, False, 400.0, model=model) > found[-1]


def test_probabilities_stay_within_the_limits_of_the_model():
    model = line(limits=(0.1, 0.9))
    assert success_prob("acquisition", mag=[0.0, 10.0, 99.0], model=model).prob.tolist() == pytest.approx(
        [0.9, 0.6, 0.1]
    )


def test_corrections_are_those_that_the_model_asks_for():
    model = line(corrections=["color", "spoiler"])
    found = success_prob("acquisition", mag=10.0, color=[0.6, 0.7, 0.7 + 9e-7, 0.71], spoiler=[[0], [1]], model=model)
    expected = np.outer([1, 0.9241], [0.6, 0.6 * 0.4294, 0.6 * 0.4294, 0.6])
    np.testing.assert_allclose(found.prob, expected, rtol=1e-12)
    assert np.isnan(success_prob("acquisition", mag=10.0, color=[0.6, math.nan], model=model).prob).tolist() == [
        False,
        True,
    ]


# ---- warm fractions -------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch):
    """Record for how many conditions the dark model is asked."""
    sizes = []

    def recording(law, frac_year, t_ccd, threshold, **options):
        sizes.append(np.broadcast(frac_year, t_ccd).size)
        return warm_fraction_at(law, frac_year, t_ccd, threshold, **options)

    monkeypatch.setattr(aca_core.probability.warmth, "warm_fraction_at", recording)
    return sizes


def test_a_warm_fraction_is_computed_once_for_a_date_and_a_temperature(asked):
    acq_success_prob(DATE, -10, np.linspace(8.5, 11, 1000))
    assert asked == [1]
    acq_success_prob([[[6e8]], [[7e8]]], [[-10.0], [-11.0], [-12.0]], np.linspace(8.5, 11, 50))
    assert asked == [1, 6]


def test_the_stars_of_a_catalogue_in_a_table_are_one_condition(asked):
    rng = np.random.default_rng(5)
    dates, temperatures = (np.repeat(rng.uniform(*ends, 500), 8) for ends in ((4.5e8, 6e8), (-19, -8)))
    mags = rng.uniform(8.5, 10.9, 4000)
    found = acq_success_prob(dates.reshape(40, 100), temperatures.reshape(40, 100), mags.reshape(40, 100))
    assert asked == [500]
    few = [acq_success_prob(dates[each], temperatures[each], mags[each]) for each in range(0, 4000, 97)]
    np.testing.assert_allclose(found.ravel()[::97], few, rtol=1e-12)


def test_conditions_that_all_differ_are_asked_for_as_they_are(asked):
    rng = np.random.default_rng(5)
    acq_success_prob(rng.uniform(4.5e8, 6e8, 5000), rng.uniform(-19, -8, 5000), 10.0)
    assert asked == [5000]


def test_a_warm_fraction_that_is_given_asks_no_dark_model(asked):
    found = success_prob("acquisition", warm_frac=[0.05, 0.10, 0.15], mag=10.0)
    assert found.prob.tolist() == pytest.approx([0.891012, 0.814457, 0.737903], abs=5e-7)
    assert found.warm_frac.tolist() == [0.05, 0.10, 0.15]
    assert asked == []


def test_what_the_dark_model_has_to_say_is_told_once_by_whoever_asked():
    message = "1 of 1 dates are before 2007.0, from when the 2017 dark model is valid; it is continued to them"
    questions = {
        "acq_success_prob": lambda: acq_success_prob("2005:001", -10, [9, 10], model="sota-2017"),
        "limiting_mag": lambda: limiting_mag("2005:001", -10, model="sota-2017"),
        "t_ccd_warm_limit": lambda: t_ccd_warm_limit([10.8] * 6, "2005:001", model="sota-2017"),
    }
    for name, question in questions.items():
        with pytest.warns(AcaWarning) as caught:
            question()
        assert [str(warning.message) for warning in caught] == [f"{name}: {message}"]
        assert caught[0].filename == __file__


# ---- which model, and what made the answer --------------------------------------------------------------------------


def test_the_configuration_chooses_the_model():
    config = Config(probability=ProbabilitySettings(acquisition="sota-2017", guide="sota-2013-referenced"))
    with using_plugins(Registry(config)):
        assert success_prob("acquisition", date=DATE, t_ccd=-10, mag=10).model == "sota-2017"
        assert success_prob("guide", date=DATE, t_ccd=-10, mag=10).model == "sota-2013-referenced"
        assert get_acq_success("2013:001", -19, 10) == pytest.approx(0.843364, abs=5e-7)  # always that of 2013


def test_an_answer_says_which_model_version_and_file_made_it():
    found = success_prob("acquisition", date="2013:001", t_ccd=-19, mag=10)
    version = Registry().plugin("sota-2013").version
    assert (found.model, found.kind, found.distribution, found.version) == (
        "sota-2013",
        "acquisition",
        "aca-core",
        version,
    )
    assert found.provenance == {
        "source": "State of the ACA 2013, sot/state_of_aca guide_acq_stats/plot_acq_success.py",
        "w_min": "0.0",
        "dark_model": "2013",
        "warm_threshold": "100 e-/s",
    }


def test_what_made_an_answer_travels_with_a_table(tmp_path):
    model = line(name="mine", source="a note — by hand", ranges={"mag": InputRange(6, 10, warn_above=9)})
    with pytest.warns(AcaWarning, match="does not use color"):
        found = success_prob("acquisition", mag=[9.0, 11.0], color=1.5, model=model)
    assert found.meta == {
        "MODEL": "mine",
        "KIND": "acquisition",
        "PLUGIN": "none: the model was given as an object",
        "SOURCE": "a note \\u2014 by hand",
        "OPTIONS": "slope=0.2",
        "IGNORED": "color",
        "CLIPPED": "mag=1",
    }
    table = Table({"p_acq": found.prob}, meta=found.meta)
    for name in ("stars.fits", "stars.ecsv"):
        table.write(tmp_path / name)
        assert {key: Table.read(tmp_path / name).meta[key] for key in found.meta} == found.meta


def test_a_variation_of_a_plugins_model_is_still_the_plugins():
    model = Registry().model("sota-2013", "acquisition")
    found = success_prob("acquisition", warm_frac=0.1, mag=10, model=attrs.evolve(model, name="mine", w_min=0.05))
    assert (found.model, found.distribution, found.provenance["w_min"]) == ("mine", "aca-core", "0.05")


def test_a_model_is_described_for_tables_and_json():
    described = describe_model(Registry().model("sota-2017", "acquisition"))
    assert described["inputs"] == ["mag", "warm_frac", "color", "halfwidth"]
    assert described["limits"] == [1e-6, 0.985]
    assert (described["dark_model"], described["warm_threshold"]) == ("2017", 100.0)
    assert (described["distribution"], described["problem"]) == ("aca-core", "")
    mine = describe_model(line(ranges={"mag": InputRange(5, 12)}))
    assert mine["ranges"] == {
        "mag": {"low": 5.0, "high": 12.0, "outside": "clip", "unit": "magnitude in the camera's band, mag"}
    }
    assert (mine["distribution"], mine["warm_threshold"], mine["provenance"]["slope"]) == ("", None, "0.2")


def test_what_is_no_model_cannot_be_described():
    with pytest.raises(DeclarationError, match="describe_model: model is 'sota-2017'; expected a ProbabilityModel"):
        describe_model("sota-2017")


# ---- models that break their contract -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Careless(Line):
    """Says something else of itself than it should."""

    said: object = None

    def input_ranges(self):
        return self.said if self.said is not None else super().input_ranges()

    def provenance(self):
        if isinstance(self.said, str):
            raise OSError(self.said)
        return None if self.said is None else {"steps": 3}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([1], r"input_ranges\(\) returned \[1\]; expected a mapping of inputs to InputRange"),
        ({"mag": (5, 12)}, r"input_ranges\(\) returned {'mag': \(5, 12\)}; expected a mapping of inputs to InputRange"),
        ({"t_ccd": InputRange(-16, 0)}, r"input_ranges\(\) returned .*; expected ranges of its inputs: mag"),
        (None, r"provenance\(\) returned None; expected a dict of strings"),
    ],
    ids=str,
)
def test_a_model_that_does_not_say_what_it_should_is_named(said, message):
    model = Careless(name="careless", kind="acquisition", said=said)
    with pytest.raises(PluginError, match=rf"Careless: acquisition model 'careless': {message}"):
        success_prob("acquisition", mag=9.0, model=model)
    with pytest.raises(PluginError, match=message):
        limiting_mag(model=model)
    assert "Careless: acquisition model 'careless'" in describe_model(model)["problem"]


def test_a_result_has_a_source_also_where_the_model_forgot_it():
    model = Careless(name="careless", kind="acquisition", said={"mag": InputRange(5, 12)}, source="a note")
    assert success_prob("acquisition", mag=9.0, model=model).provenance == {"source": "a note", "steps": "3"}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (ZeroDivisionError("by nothing"), r"success\(\) raised ZeroDivisionError: by nothing; tell its author"),
        (np.zeros(2), r"success\(\) returned float64 of shape \(2,\); expected an array of floats of shape \(3,\)"),
        (np.zeros(3, dtype=int), r"success\(\) returned int64 of shape \(3,\); expected an array of floats"),
        ([0.1, 0.2, 0.3], r"success\(\) returned \[0.1, 0.2, 0.3\]; expected an array of floats of shape \(3,\)"),
        ("likely", r"success\(\) returned 'likely'; expected an array of floats"),
    ],
    ids=str,
)
def test_a_model_that_breaks_its_contract_is_named(answer, message):
    with pytest.raises(PluginError, match=rf"Line: acquisition model 'line': {message}"):
        success_prob("acquisition", mag=[8.0, 9.0, 10.0], model=line(answer=answer))


def test_a_formula_that_reads_more_than_it_declares_is_named():
    @attrs.frozen(kw_only=True)
    class Curious(Line):
        def success(self, stars):
            return stars.color

    with pytest.raises(PluginError, match=r"Curious: .*expected also 'color', since its formula reads stars\.color"):
        success_prob("acquisition", mag=9.0, model=Curious(name="curious", kind="acquisition"))


def test_data_that_a_model_misses_are_not_its_fault():
    with pytest.raises(MissingDataError, match=r"^no such file$"):
        success_prob("acquisition", mag=9.0, model=line(answer=MissingDataError("no such file")))


def test_numbers_too_large_for_a_formula_end_at_the_limits():
    @attrs.frozen(kw_only=True)
    class Steep(Line):
        def success(self, stars):
            return 1 / (1 + np.exp(400.0 * (stars.mag - 9.0)))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = success_prob("acquisition", mag=[5.0, 9.0, 20.0], model=Steep(name="steep", kind="acquisition"))
    assert found.prob.tolist() == [1.0, 0.5, 0.0]


# ---- physics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["sota-2013", "sota-2013-referenced", "sota-2017", "sota-2017-ms"])
@given(t_ccd=st.floats(-19, -9), year=st.integers(2008, 2020))
def test_success_falls_with_magnitude_temperature_and_time(model, t_ccd, year):
    mags = np.linspace(8.5, 11, 11)
    here = acq_success_prob(f"{year}:001", t_ccd, mags, model=model)
    assert (np.diff(here) <= 1e-12).all()
    assert (acq_success_prob(f"{year}:001", t_ccd + 2, mags, model=model) <= here + 1e-12).all()
    assert (acq_success_prob(f"{year + 2}:001", t_ccd, mags, model=model) <= here + 1e-12).all()


def test_a_plugin_that_is_installed_meanwhile_answers_and_is_forgotten_with_its_test(install_plugin):
    with pytest.raises(UnknownNameError):
        acq_success_prob(mag=9, model="mine")
    install_plugin(
        "mine",
        "from aca_plugins.sota_2013 import Sota2013Acquisition\n"
        "from aca_core import hookimpl\n"
        "@hookimpl\n"
        "def aca_probability_models():\n"
        "    return [Sota2013Acquisition(name='mine', label='mine', kind='acquisition')]\n",
        distribution="aca-mine",
        version="3.0",
    )
    found = success_prob("acquisition", mag=9.0, warm_frac=0.1, model="mine")
    assert (found.distribution, found.version) == ("aca-mine", "3.0")
