"""Intervals for the probability of a success, and magnitudes as count rates."""

from __future__ import annotations

import math

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from aca_core import DeclarationError
from aca_core.probability import binom_ppf, binomial_confidence_interval, count_rate_to_mag, mag_to_count_rate


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [(3, 10, (0.3, 0.179932, 0.457750)), (0, 10, (0.0, 0.0, 0.092334)), (10, 10, (1.0, 0.907666, 1.0))],
)
def test_intervals_have_their_reference_values(k, n, expected):
    found = binomial_confidence_interval(k, n)
    assert found == pytest.approx(expected, abs=5e-7)
    assert [type(each) for each in found] == [float] * 3


@given(st.integers(1, 500), st.floats(0.01, 0.99), st.data())
def test_intervals_are_those_of_jeffreys(n, coverage, data):
    k = data.draw(st.integers(0, n))
    _, low, high = binomial_confidence_interval(k, n, coverage)
    assert low == pytest.approx(beta.ppf((1 - coverage) / 2, k + 0.5, n - k + 0.5) if k else 0.0, rel=1e-6)
    assert high == pytest.approx(beta.ppf((1 + coverage) / 2, k + 0.5, n - k + 0.5) if k < n else 1.0, rel=1e-6)


def test_intervals_of_arrays_and_of_nothing():
    ratio, low, high = binomial_confidence_interval([[0], [3]], [10, 20, 40], 0.9)
    assert ratio.shape == low.shape == high.shape == (2, 3)
    assert [each[1, 0] for each in (ratio, low, high)] == list(binomial_confidence_interval(3, 10, 0.9))
    ratio, low, high = binomial_confidence_interval(0, 0)
    assert math.isnan(ratio)
    assert (low, high) == (0.0, 1.0)
    masked = np.ma.masked_array([3, 3], mask=[False, True])
    assert [np.isnan(each).tolist() for each in binomial_confidence_interval(masked, 10)] == [[False, True]] * 3


def test_quantiles_have_their_reference_values():
    assert binom_ppf(4, 5, [0.17, 0.84]).tolist() == pytest.approx([0.55463945, 0.87748177], abs=5e-9)
    assert type(binom_ppf(4, 5, 0.5)) is float


@given(st.integers(0, 60), st.floats(0.001, 0.999), st.integers(2, 300), st.data())
def test_quantiles_come_from_a_grid_of_likelihoods(n, conf, n_sample, data):
    k = data.draw(st.integers(0, n))
    grid = np.linspace(0, 1, n_sample)
    likelihood = binom.pmf(k, n, grid)
    if likelihood.sum() < 1e-300:
        return  # a grid of two points, with nothing between
    cdf = np.cumsum(likelihood) / likelihood.sum()
    assert binom_ppf(k, n, conf, n_sample) == pytest.approx(np.interp(conf, cdf, grid), abs=1e-7)


def test_quantiles_of_arrays():
    found = binom_ppf([[4], [0]], 5, [0.17, 0.5, 0.84])
    assert found.shape == (2, 3)
    assert found[1].tolist() == binom_ppf(0, 5, [0.17, 0.5, 0.84]).tolist()
    assert np.isnan(binom_ppf([4, math.nan], 5, 0.5)).tolist() == [False, True]


@pytest.mark.parametrize("function", [binomial_confidence_interval, binom_ppf])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((11, 10, 0.5), r"n_success, n_trials is \(11.0, 10.0\); expected no more successes than trials"),
        ((-1, 10, 0.5), "n_success is -1.0; expected counts, 0 or more"),
        (([1, 2], [10, 10, 10], 0.5), r"shapes is 'n_success \(2,\), n_trials \(3,\)'"),
        ((1, 10, 1.5), "is 1.5; expected probabilities, 0 to 1"),
        (("one", 10, 0.5), "n_success is 'one'"),
    ],
    ids=["more", "negative", "shapes", "level", "text"],
)
def test_counts_that_cannot_be_are_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        function(*arguments)
    assert caught.type is DeclarationError


def test_a_grid_of_one_point_is_refused():
    with pytest.raises(DeclarationError, match="n_sample is 1; expected a whole number, 2 or more"):
        binom_ppf(4, 5, 0.5, n_sample=1)


def test_count_rates_and_magnitudes_are_inverse():
    assert mag_to_count_rate(10.32) == 5263.0
    assert mag_to_count_rate([7.82, 12.82]).tolist() == pytest.approx([52630.0, 526.3])
    mags = np.array([5.0, 10.0, 12.0, math.nan])
    np.testing.assert_allclose(count_rate_to_mag(mag_to_count_rate(mags)), mags, rtol=1e-12)
    assert count_rate_to_mag(5263.0 * u.electron / u.s) == 10.32
    assert count_rate_to_mag(0) == math.inf
    with pytest.raises(DeclarationError, match=r"count_rate is -1.0; expected 0 or more"):
        count_rate_to_mag([5.0, -1.0])
