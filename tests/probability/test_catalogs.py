"""Catalogues of stars: how many are acquired, how warm the CCD may be, which magnitude is the limit, guide counts."""

from __future__ import annotations

import itertools
import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aca_core import AcaWarning, DeclarationError, InputRange, ProbabilityModel
from aca_core.probability import (
    acq_success_prob,
    guide_count,
    limiting_mag,
    mag_for_p_acq,
    prob_n_acq,
    snr_mag_for_t_ccd,
    success_prob,
    t_ccd_warm_limit,
    t_ccd_warm_limit_for_guide,
)

DATE = "2015:001:12:00:00"
HALFWIDTHS = [40, 80, 120, 160, 180, 240]


# ---- how many stars are acquired ------------------------------------------------------------------------------------


def test_the_number_of_stars_has_its_reference_values():
    probs, cumulative = prob_n_acq([0.9] * 6)
    np.testing.assert_allclose(probs, [1e-6, 5.4e-5, 1.215e-3, 0.01458, 0.098415, 0.354294, 0.531441], rtol=1e-9)
    np.testing.assert_allclose(cumulative, np.cumsum(probs), rtol=1e-12)
    probs, cumulative = prob_n_acq([0.5, 0.8, 0.99])
    np.testing.assert_allclose(probs, [0.001, 0.104, 0.499, 0.396], rtol=1e-12)
    np.testing.assert_allclose(cumulative, [0.001, 0.105, 0.604, 1.0], rtol=1e-12)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_the_number_of_stars_is_what_all_outcomes_together_give(probs):
    expected = np.zeros(len(probs) + 1)
    for outcome in itertools.product([False, True], repeat=len(probs)):
        expected[sum(outcome)] += math.prod(p if ok else 1 - p for p, ok in zip(probs, outcome, strict=True))
    found, cumulative = prob_n_acq(probs)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)
    assert cumulative[-1] == pytest.approx(1.0, rel=1e-12)
    assert (cumulative <= 1).all()


def test_hundreds_of_stars_are_as_exact():
    stars = np.random.default_rng(2).uniform(0.5, 0.999, 200)
    expected = np.array([1.0])
    for p in stars:
        expected = np.convolve(expected, [1 - p, p])
    found, _ = prob_n_acq(stars)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=0)
    assert (found * np.arange(201)).sum() == pytest.approx(stars.sum(), rel=1e-12)


def test_many_catalogues_are_answered_at_once_and_padded_with_zeros():
    stars = np.random.default_rng(2).uniform(size=(3, 4, 5))
    probs, cumulative = prob_n_acq(stars)
    assert probs.shape == cumulative.shape == (3, 4, 6)
    for index in np.ndindex(3, 4):
        np.testing.assert_allclose(probs[index], prob_n_acq(stars[index])[0], rtol=1e-12)
    padded, _ = prob_n_acq([[0.5, 0.8, 0.99], [0.5, 0.8, 0.0]])
    np.testing.assert_allclose(padded[1], [*prob_n_acq([0.5, 0.8])[0], 0.0], rtol=1e-12)


def test_a_catalogue_with_a_star_that_is_not_known_is_not_known():
    probs, cumulative = prob_n_acq(np.ma.masked_array([[0.5, 0.8], [0.5, 0.8]], mask=[[0, 1], [0, 0]]))
    assert np.isnan(probs).all(axis=1).tolist() == np.isnan(cumulative).all(axis=1).tolist() == [True, False]


def test_without_stars_none_are_acquired():
    assert [each.tolist() for each in prob_n_acq([])] == [[1.0], [1.0]]


@pytest.mark.parametrize(("probs", "message"), [([0.5, 1.2], "acq_probs is 1.2"), (0.5, "an array of probabilities")])
def test_what_is_no_probability_is_refused(probs, message):
    with pytest.raises(DeclarationError, match=message):
        prob_n_acq(probs)


# ---- how warm the CCD may be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mag", "model", "options", "expected", "tolerance"),
    [
        (10.4, "sota-2017", {"min_n_acq": 5.0}, -14.851, 1e-3),
        (10.4, "sota-2017", {"min_n_acq": (2, 8e-3)}, -14.993, 1e-3),
        (10.4, "sota-2017", {"min_n_acq": (2, 8e-3), "halfwidths": HALFWIDTHS}, -15.63, 5e-3),
        (10.0, "spline-2018", {"min_n_acq": (2, 8e-3)}, -10.582, 1e-3),
        (10.0, "spline-2018", {"min_n_acq": 5.0}, -10.491, 1e-3),
    ],
)
def test_the_warm_limit_has_its_reference_values(mag, model, options, expected, tolerance):
    given_date = DATE if model == "sota-2017" else None
    t_ccd, value = t_ccd_warm_limit([mag] * 6, given_date, model=model, **options)
    assert t_ccd == pytest.approx(expected, abs=tolerance)
    halfwidths = options.get("halfwidths", 120)
    probs = acq_success_prob(given_date, t_ccd, [mag] * 6, 0.0, False, np.broadcast_to(halfwidths, 6), model=model)
    wanted = options["min_n_acq"]
    if isinstance(wanted, tuple):
        assert value == pytest.approx(prob_n_acq(probs)[1][2], rel=1e-9)
        assert value == pytest.approx(wanted[1], rel=1e-3)
    else:
        assert value == pytest.approx(probs.sum(), rel=1e-9)
        assert value == pytest.approx(wanted, rel=1e-4)


def test_where_it_is_always_or_never_cold_enough_the_ends_are_returned():
    t_ccd, n_acq = t_ccd_warm_limit([6.0] * 6, DATE, model="sota-2017")
    assert (t_ccd, n_acq) == (-5.0, pytest.approx(6 * 0.985))
    t_ccd, n_acq = t_ccd_warm_limit([10.9] * 6, DATE, model="sota-2017", cold_t_ccd=-15)
    assert t_ccd == -15.0
    assert n_acq < 5
    assert t_ccd_warm_limit([10.4] * 3, DATE, min_n_acq=(3, 0.5), model="sota-2017")[0] == -16.0


def test_many_catalogues_have_the_limits_that_each_has_alone():
    rng = np.random.default_rng(4)
    mags = rng.uniform(9.8, 10.8, (2, 7, 6))
    mags[1, 3, 2] = math.nan
    dates = np.array(["2013:001", "2017:001"])[:, None]
    t_ccd, n_acq = t_ccd_warm_limit(mags, dates, model="sota-2017")
    assert t_ccd.shape == n_acq.shape == (2, 7)
    for index in np.ndindex(2, 7):
        alone = t_ccd_warm_limit(mags[index], dates[index[0], 0], model="sota-2017")
        np.testing.assert_allclose((t_ccd[index], n_acq[index]), alone, atol=2e-4)
    assert np.argwhere(np.isnan(t_ccd)).tolist() == np.argwhere(np.isnan(n_acq)).tolist() == [[1, 3]]


def test_without_stars_no_temperature_is_cold_enough():
    assert t_ccd_warm_limit([], DATE) == (-16.0, 0.0)
    assert t_ccd_warm_limit(np.zeros((2, 0)), DATE, min_n_acq=(0, 0.5))[1].tolist() == [1.0, 1.0]
    assert [each.shape for each in t_ccd_warm_limit(np.zeros((0, 6)), DATE)] == [(0,), (0,)]


def test_what_the_warm_limit_does_not_depend_on_is_told_once():
    with pytest.warns(AcaWarning, match="sota-2013' does not use color, halfwidth; what was given") as caught:
        found = t_ccd_warm_limit([9.5] * 6, DATE, colors=1.5, halfwidths=[100] * 6)
    assert len(caught) == 1
    assert found == t_ccd_warm_limit([9.5] * 6, DATE)
    with pytest.warns(AcaWarning, match="spline-2018' does not use date; what was given"):
        t_ccd_warm_limit([9.5] * 6, DATE, model="spline-2018")


def test_a_warning_is_about_the_final_answer_alone():
    with pytest.warns(AcaWarning) as caught:
        t_ccd_warm_limit([9.0, 11.5, 10.0, 10.0, 10.0, 10.0], DATE, min_n_acq=4.0)
    assert len(caught) == 1
    assert str(caught[0].message).startswith("t_ccd_warm_limit: mag of 6 stars: 1 above 11 (greatest 11.5)")
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mags": 10.0}, "mags is 10.0; expected the magnitudes of a catalogue"),
        ({"min_n_acq": (2.5, 0.1)}, r"min_n_acq is \(2.5, 0.1\); expected a number of stars, or"),
        ({"min_n_acq": (2, 1.5)}, r"min_n_acq is \(2, 1.5\)"),
        ({"min_n_acq": "many"}, "min_n_acq is 'many'"),
        ({"min_n_acq": math.nan}, "min_n_acq is nan"),
        ({"min_n_acq": 10**400}, "min_n_acq is 1000"),
        ({"cold_t_ccd": -5, "warm_t_ccd": -16}, r"\(-5.0, -16.0\); expected the cold one below the warm one"),
        ({"cold_t_ccd": [-5, -6]}, r"cold_t_ccd is \[-5, -6\]; expected one temperature"),
        ({"colors": [0.6] * 5}, r"shapes is 'mags \(6,\), colors \(5,\), halfwidths \(\)"),
    ],
    ids=str,
)
def test_a_question_about_the_warm_limit_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(DeclarationError, match=f"^t_ccd_warm_limit: .*{message}"):
        t_ccd_warm_limit(**{"mags": [10.0] * 6, "date": DATE, **changes})


# ---- limiting magnitudes --------------------------------------------------------------------------------------------


def test_the_magnitude_for_a_probability_has_its_reference_value():
    found = mag_for_p_acq(0.5, DATE, -14, model="sota-2017")
    assert found == pytest.approx(10.848, abs=5e-4)
    assert acq_success_prob(DATE, -14, found, model="sota-2017") == pytest.approx(0.5, abs=1e-5)


def test_limiting_magnitudes_of_2013_have_their_reference_values():
    found = limiting_mag(warm_frac=[0.05, 0.10, 0.15])
    assert found.tolist() == pytest.approx([10.8204, 10.5467, 10.3310], abs=5e-5)
    guide = [limiting_mag(*when, kind="guide") for when in (("2013:001", -19), ("2014:001", -15), ("2018:001", -11))]
    assert guide == pytest.approx([10.759356, 10.536835, 10.297021], abs=2e-6)
    assert limiting_mag(warm_frac=0.02, kind="guide", p=0.9) == pytest.approx(math.log10(0.1 / 0.02) / 1.18 + 10.09)


def test_limits_broadcast_and_each_is_what_it_is_alone():
    p, t_ccd = [[0.3], [0.5], [0.9]], [-18.0, -14.0, -10.0, math.nan]
    found = mag_for_p_acq(p, DATE, t_ccd, halfwidth=160, model="sota-2017")
    assert found.shape == (3, 4)
    assert np.isnan(found).tolist() == [[False, False, False, True]] * 3
    for row, col in np.ndindex(3, 3):
        alone = mag_for_p_acq(p[row][0], DATE, t_ccd[col], halfwidth=160, model="sota-2017")
        assert found[row, col] == pytest.approx(alone, abs=2e-6)


def test_probabilities_out_of_reach_give_the_ends():
    assert mag_for_p_acq([1.0, 0.0], DATE, -14, model="sota-2017").tolist() == [5.0, 12.0]


@attrs.frozen(kw_only=True)
class Bent(ProbabilityModel):
    """Falls from 1 at 8 mag to 0 at 10 mag, and rises again to 1 at 12 mag."""

    def success(self, stars):
        return np.abs(stars.mag - 10.0) / 2


def test_of_a_model_that_rises_again_the_first_fall_counts():
    assert limiting_mag(p=[0.5, 0.25], model=Bent(name="bent", kind="acquisition")).tolist() == pytest.approx(
        [9.0, 9.5]
    )


def test_a_limit_beyond_the_range_of_the_model_is_said_to_be_not_known():
    model = Bent(name="bent", kind="acquisition", ranges={"mag": InputRange(5, 9.5)})
    message = "limiting_mag: for 1 of 2 conditions the probability is above p even at 9.5 mag, where the range of"
    with pytest.warns(AcaWarning, match=message) as caught:
        assert limiting_mag(p=[0.5, 0.2], model=model).tolist() == pytest.approx([9.0, 12.0])
    assert caught[0].filename == __file__


def test_a_probability_is_needed_for_a_limit():
    with pytest.raises(DeclarationError, match=r"mag_for_p_acq: p_acq is 50.0; expected probabilities, 0 to 1"):
        mag_for_p_acq(50, DATE, -14)
    with pytest.raises(DeclarationError, match="limiting_mag: t_ccd is None; expected a value"):
        limiting_mag(DATE)


def test_a_limit_for_now_needs_no_date():
    assert limiting_mag(t_ccd=-10) == pytest.approx(limiting_mag("-1d", -10), abs=1e-2)


@given(st.floats(0.05, 0.25))
def test_at_the_limiting_magnitude_half_of_the_stars_succeed(warm_frac):
    mag = limiting_mag(warm_frac=warm_frac, model="sota-2017")
    assert success_prob("acquisition", mag=mag, warm_frac=warm_frac, model="sota-2017").prob == pytest.approx(
        0.5, abs=1e-5
    )


# ---- guide stars ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("t_ccd", "mag", "expected"), [(-8, 10.3, 10.019240), (-14, 10.3, 10.600123), (-5, 9.5, 8.928799)]
)
def test_magnitudes_that_are_as_clear_have_their_reference_values(t_ccd, mag, expected):
    assert snr_mag_for_t_ccd(t_ccd, mag, -10.9) == pytest.approx(expected, abs=5e-7)
    assert snr_mag_for_t_ccd(-10.9, mag, -10.9) == mag
    assert snr_mag_for_t_ccd([t_ccd] * 2, mag, -10.9, scale_4c=np.float32(1.0)).tolist() == [mag] * 2
    with pytest.raises(DeclarationError, match="scale_4c is 0; expected a number above 0"):
        snr_mag_for_t_ccd(t_ccd, mag, -10.9, 0)


def test_guide_counts_have_their_reference_values():
    assert guide_count([6, 8, 10, 10.2], -10.9) == pytest.approx(3.563141, abs=5e-7)
    assert guide_count([9.5, 10, 10.3, 10.6], -5) == pytest.approx(0.848499, abs=5e-7)


@given(st.lists(st.floats(4, 12), min_size=1, max_size=8), st.floats(-25, 15), st.booleans())
def test_a_guide_count_is_interpolated_between_its_knots(mags, t_ccd, count_9th):
    faint = [9.0, 9.2, 9.3, 9.4] if count_9th else [9.95, 10.15, 10.25, 10.35]
    knots = [5.25, 5.35, *(mag - (t_ccd + 10.9) * math.log10(1 / 0.7) / 1.6 for mag in faint)]
    expected = np.interp(mags, knots, [0, 1.0005, 1.0, 0.75, 0.5, 0.0]).sum()
    assert guide_count(mags, t_ccd, count_9th) == pytest.approx(expected, abs=1e-9)


def test_guide_counts_of_many_catalogues_and_temperatures():
    mags = np.array([[9.5, 10.0, 10.3], [6.0, 8.0, math.nan]])
    assert guide_count(mags, -10).shape == (2,)
    assert guide_count(mags[0], [-14, -10, -5]).shape == (3,)
    found = guide_count(mags, [[-14], [-10], [-5]])
    assert found.shape == (3, 2)
    assert found[2, 0] == guide_count(mags[0], -5)
    assert np.isnan(found[:, 1]).all()
    with pytest.raises(DeclarationError, match=r"mags \(2, 3\), t_ccd \(3,\)'; expected t_ccd to broadcast"):
        guide_count(mags, [-14, -10, -5])
    with pytest.raises(DeclarationError, match=r"t_ccd is 30\.0; expected temperatures up to 20 degC"):
        guide_count(mags, 30)
    with pytest.raises(DeclarationError, match="mags is 9; expected the magnitudes of a catalogue"):
        guide_count(9, -10)
    with pytest.raises(DeclarationError, match=r"count_9th is 'no'; expected True or False"):
        guide_count(mags, -10, "no")


def test_warm_limits_for_guide_stars_have_their_reference_values():
    assert t_ccd_warm_limit_for_guide([6, 6, 6, 10.3, 10.3], warm_t_ccd=5) == pytest.approx(-11.41, abs=6e-3)
    assert t_ccd_warm_limit_for_guide([10.3] * 5) == pytest.approx(-12.86, abs=5e-3)


def test_at_the_warm_limit_there_are_just_enough_guide_stars():
    mags = np.random.default_rng(4).uniform(9.5, 10.4, (20, 6))
    mags[7] = 6.0
    mags[8] = 10.9
    mags[9, 0] = math.nan
    found = t_ccd_warm_limit_for_guide(mags)
    assert (found[7], found[8], math.isnan(found[9])) == (-5.0, -16.0, True)
    inside = (found < -5) & (found > -16)
    assert inside.sum() > 10
    np.testing.assert_allclose(guide_count(mags[inside], found[inside]), 4.0, atol=2e-3)
    assert t_ccd_warm_limit_for_guide(mags[0], [3.0, 4.0]).shape == (2,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mags": 10.0}, "mags is 10.0; expected the magnitudes of a catalogue"),
        ({"warm_t_ccd": 25}, "warm_t_ccd is 25.0; expected a temperature up to 20 degC"),
        ({"cold_t_ccd": -4}, "expected the cold one below the warm one"),
        ({"mags": np.full((2, 3), 10.0), "min_guide_count": [3, 4, 5]}, "expected one count for each catalogue"),
    ],
    ids=["mags", "warm", "cold", "shapes"],
)
def test_a_question_about_guide_stars_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(DeclarationError, match=message):
        t_ccd_warm_limit_for_guide(**{"mags": [10.0] * 5, **changes})
