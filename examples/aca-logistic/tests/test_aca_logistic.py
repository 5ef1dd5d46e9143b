"""The plugin keeps the contract of probability models, and refuses coefficients that mean nothing."""

import pytest
from aca_core import AcaWarning, Config, ConfigError, Registry, StarConditions
from aca_core.probability import acq_success_prob, limiting_mag, success_prob
from aca_core.testing import ProbabilityModelContract

from aca_logistic import LOGISTIC, LogisticModel


class TestLogistic(ProbabilityModelContract):
    @pytest.fixture
    def model(self):
        return LOGISTIC


class TestSteepest(ProbabilityModelContract):
    """The contract holds at the ends of what a site may set, too."""

    @pytest.fixture
    def model(self):
        return LogisticModel(
            name="steepest",
            label="the steepest that is allowed",
            kind="acquisition",
            ranges=LOGISTIC.ranges,
            source=LOGISTIC.source,
            mag_half=5.0,
            steepness=20.0,
        )


def test_half_of_the_stars_are_acquired_at_mag_half():
    success = LOGISTIC.success(StarConditions({"mag": [9.6, 10.6, 11.6]}))
    assert success.tolist() == pytest.approx([0.952574, 0.5, 0.047426], abs=1e-6)


def test_fainter_stars_are_acquired_less_often():
    success = LOGISTIC.success(StarConditions({"mag": [6.0, 8.0, 10.0, 12.0]}))
    assert (success[1:] < success[:-1]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mag_half": 4.0}, "'mag_half' must be >= 5.0: 4.0"),
        ({"mag_half": float("nan")}, "'mag_half' must be"),
        ({"steepness": 0.0}, "'steepness' must be > 0.0: 0.0"),
        ({"steepness": -3.0}, "'steepness' must be > 0.0: -3.0"),
        ({"steepness": float("inf")}, "'steepness' must be <= 20.0: inf"),
    ],
)
def test_refuses_coefficients_that_mean_nothing(options, message):
    with pytest.raises(ValueError, match=message):
        LogisticModel(name="wrong", kind="acquisition", **options)
    with pytest.raises(ConfigError, match=rf"models\.logistic\.{next(iter(options))}: refused by .*{message}"):
        Registry(Config(models={"logistic": options})).model("logistic", "acquisition")


def test_is_found_once_installed():
    info = Registry().plugin("aca-logistic:logistic")
    assert (info.status, info.offers, info.reason) == ("loaded", ("acquisition model logistic",), "")


def test_answers_by_its_name_wherever_a_model_can_be_named():
    assert acq_success_prob(mag=[9.6, 10.6], model="logistic").tolist() == pytest.approx([0.952574, 0.5], abs=1e-6)
    assert limiting_mag(model="logistic") == pytest.approx(10.6, abs=1e-5)
    found = success_prob("acquisition", mag=10.6, model="logistic")
    assert (found.distribution, found.provenance["mag_half"]) == ("aca-logistic", "10.6")


def test_what_it_does_not_use_and_what_is_out_of_its_range_is_told():
    with pytest.warns(AcaWarning) as caught:
        acq_success_prob(mag=[9.0, 12.5], color=1.5, model="logistic")
    first, second = (str(each.message) for each in caught)
    assert "does not use color" in first
    assert "mag of 2 stars: 1 above 12" in second


def test_takes_the_options_of_a_site_and_says_so():
    config = Config(models={"logistic": {"mag_half": 10.25, "steepness": 4}})
    model = Registry(config).model("logistic", "acquisition")
    assert model.success(StarConditions({"mag": 10.25})) == 0.5
    assert model.provenance() == {"source": LOGISTIC.source, "mag_half": "10.25", "steepness": "4.0"}


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"mag_hlaf": 10.2}, "models.logistic.mag_hlaf", r"Did you mean 'mag_half'\?"),
        ({"mag_half": "10.2"}, "models.logistic.mag_half", "'10.2' is not a number"),
    ],
)
def test_a_wrong_option_is_named(options, key, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Registry(Config(models={"logistic": options})).model("logistic", "acquisition")
    assert [problem.key for problem in caught.value.problems] == [key]
