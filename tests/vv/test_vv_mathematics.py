"""The mathematics of a verification: interpolation, residuals, magnitudes, offsets, against numbers that are known."""

from __future__ import annotations

import math
import warnings

import astropy.units as u
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vv_slow_reference import degrees_apart, median_around

from aca_core import DeclarationError
from aca_core.attitudes import from_equatorial, normalise, rotation, star_vector
from aca_core.vv import (
    FidFrames,
    angular_distance,
    centroid_magnitudes,
    centroid_residuals,
    fid_angles,
    interpolate,
    interpolate_attitudes,
    running_median,
    sim_offsets,
    sim_report,
    smoothed_magnitudes,
    star_angles,
)

R2A = 180 * 3600 / math.pi
ROUNDED = 206264.81 / R2A
"""The published angles were made with a rounded number of arcsec per radian, and ours were not."""

FRAMES = FidFrames(lsi0stt=(0, 0, 0), stt0stf=(0, 0, -190), rrc0fcx=10070)


# ---- interpolation --------------------------------------------------------------------------------------------------


def test_between_samples_values_are_linear_and_outside_there_are_none():
    known = [[0.0, 1.0], [1.0, 3.0], [5.0, 3.0]]
    found = interpolate([-0.1, 0, 0.25, 1, 2, 2.1, math.nan, math.inf], [0, 1, 2], known)
    nothing = [math.nan, math.nan]
    np.testing.assert_allclose(
        found, [nothing, [0, 1], [0.25, 1.5], [1, 3], [5, 3], nothing, nothing, nothing], rtol=1e-15
    )
    assert interpolate(0.5, [0, 1], [10, 20]) == 15.0
    assert isinstance(interpolate(0.5, [0, 1], [10, 20]), float)
    assert interpolate([0.5 * u.min.to(u.s)] * u.s, [0, 60], [0, 6]).tolist() == [3.0]


def test_a_value_that_is_no_number_spoils_its_neighbours_only():
    found = interpolate([0.5, 1.5, 2.5, 3.5], [0, 1, 2, 3, 4], [0, 1, math.nan, 3, 4])
    np.testing.assert_array_equal(found, [0.5, math.nan, math.nan, 3.5])


@settings(max_examples=30, deadline=None)
@given(signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=40, max_size=40), part=st.floats(0, 1))
def test_attitudes_do_not_depend_on_the_signs_that_quaternions_have(signs, part):
    # Around a turn of w through zero, where the usual sign jumps.
    time = np.arange(40.0)
    smooth = from_equatorial(180 + (time - 20) * 1e-3, 1.0, 0.0)
    flipped = smooth * np.array(signs)[:, np.newaxis]
    np.testing.assert_allclose(
        interpolate_attitudes(time[:-1] + part, time, flipped),
        from_equatorial(180 + (time[:-1] + part - 20) * 1e-3, 1.0, 0.0),
        atol=1e-11,
    )


def test_linear_interpolation_costs_a_hundred_thousandth_of_an_arcsecond_at_the_fastest_dither():
    step, period = 0.25625, 768.57
    time = np.arange(0, 800, step)

    def yaw(seconds):
        return 20 / 3600 * np.sin(2 * np.pi * seconds / period)

    between = time[:-1] + step / 2
    found = interpolate_attitudes(between, time, from_equatorial(yaw(time), 0, 0))
    error = star_angles(found, star_vector(yaw(between), 0.0), np.eye(3))[0]
    assert 1e-6 < np.abs(error).max() < 1.2e-5


def test_attitudes_are_of_length_one_and_lost_ones_are_not_a_number():
    known = from_equatorial([1, 2, 3, 4], 0, 0) * [[1.0], [1.000_01], [0.0], [1.0]]
    found = interpolate_attitudes([0.5, 1.5, 2.0, 3.0], [0, 1, 2, 3], known)
    assert np.linalg.norm(found[[0, 3]], axis=1) == pytest.approx(1, abs=1e-15)
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([0, 1, 1], [1, 2, 3], "times that ascend"),
        ([1, 0], [1, 2], "times that ascend"),
        ([0, math.nan], [1, 2], "times that ascend"),
        ([0, math.inf], [1, 2], "times that ascend"),
        ([0], [1], "two times or more"),
        ([0, 1], [1, 2, 3], "as many as"),
        ([0, 1], [[[1]], [[2]]], "one row of values"),
        ([0, 1], ["a", "b"], "array of numbers"),
    ],
)
def test_interpolation_refuses_what_has_no_meaning(times, values, message):
    with pytest.raises(DeclarationError, match=message):
        interpolate(0.5, times, values)


# ---- residuals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misalign", "expected"),
    [(np.eye(3), (382.924536, -13.118853)), (rotation(0, 0, 10), (392.924536, -13.118854))],
)
def test_a_star_appears_where_it_is_published_to(misalign, expected):
    found = star_angles(from_equatorial(10, 20, 30), star_vector(10.1, 20.05), misalign)
    assert [angle * ROUNDED for angle in found] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [((0, 0, 0), (409.661447, 3686.565275)), ((0.1, -0.2, 0.05), (410.830454, 3690.301799))],
)
def test_a_fid_light_appears_where_it_is_published_to(offsets, expected):
    found = fid_angles(offsets, (0, -20, 10), FRAMES, np.eye(3))
    assert [angle * ROUNDED for angle in found] == pytest.approx(expected, abs=1e-6)
    assert isinstance(found[0], float)


def test_residuals_are_measured_minus_predicted():
    yag, zag = star_angles(from_equatorial(10, 20, 30), star_vector(10.1, 20.05), np.eye(3))
    found = centroid_residuals((yag + 0.3) / 3600, (zag - 0.4) / 3600, yag, zag)
    assert found == pytest.approx((0.3, -0.4, 0.5), abs=1e-6)
    in_arcsec = centroid_residuals(yag * u.arcsec, zag * u.arcsec, yag, zag)
    assert in_arcsec == pytest.approx((0, 0, 0), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.7, 0.7), min_size=4, max_size=4))
def test_the_distance_is_that_of_the_directions(degrees):
    y, z, other_y, other_z = degrees
    expected = 3600 * degrees_apart(other_y, other_z, y, z)
    assert angular_distance(y, z, other_y * 3600, other_z * 3600) == pytest.approx(expected, abs=1e-7)


def test_the_distance_to_the_opposite_side_is_half_a_turn():
    assert angular_distance(0, 0, 180 * 3600, 0) == pytest.approx(180 * 3600)


def test_everything_broadcasts_and_what_is_unknown_stays_so():
    attitudes = from_equatorial([10, 10, math.nan], [20, 20, 20], 30)
    yag, _ = star_angles(attitudes, star_vector([[10.1], [10.2]], 20.05), np.eye(3))
    assert yag.shape == (2, 3)
    assert np.isnan(yag[:, 2]).all()
    masked = np.ma.array([0.1, 0.1], mask=[False, True])
    assert np.isnan(centroid_residuals(masked, 0.0, 0.0, 0.0).dr).tolist() == [False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: star_angles([1, 0, 0], [1, 0, 0], np.eye(3)), "attitudes"),
        (lambda: star_angles([0, 0, 0, 1], [1, 0], np.eye(3)), "position"),
        (lambda: star_angles([0, 0, 0, 1], [1, 0, 0], np.eye(2)), "aca_misalign"),
        (lambda: star_angles(np.ones((2, 4)), np.ones((3, 3)), np.eye(3)), "broadcast together"),
        (lambda: fid_angles([0, 0], [0, 0, 0], FRAMES, np.eye(3)), "offsets"),
        (lambda: fid_angles([0, 0, 0], [0, 0], FRAMES, np.eye(3)), "p_lsi"),
        (lambda: centroid_residuals([1, 2], [1, 2, 3], 0, 0), "broadcast together"),
        (lambda: angular_distance(1 * u.s, 0, 0, 0), "ang_y"),
    ],
)
def test_residuals_refuse_what_has_another_shape(call, message):
    with pytest.raises(DeclarationError, match=message):
        call()


def test_a_million_residuals_take_no_time_to_speak_of():
    random = np.random.default_rng(1)
    attitudes = normalise(random.normal(size=(1_000_000, 4)))
    yag, zag = star_angles(attitudes, [1, 0, 0], np.eye(3))
    assert np.isfinite(centroid_residuals(0.0, 0.0, yag, zag).dr).all()


# ---- magnitudes -----------------------------------------------------------------------------------------------------


def test_magnitudes_of_signals_are_those_published():
    counts = [8926.048, 1000, 20000, 100000]
    assert centroid_magnitudes(counts, 1.696) == pytest.approx([10.32, 12.696648, 9.444073, 7.696648], abs=5e-7)
    assert centroid_magnitudes(5263.0, 1.0) == 10.32
    no_signal = centroid_magnitudes([10, 0, -5, math.nan, math.inf, 10.01], 1.696)
    assert np.isnan(no_signal).tolist() == [True] * 5 + [False]
    with pytest.raises(DeclarationError, match="greater than 0 s"):
        centroid_magnitudes(100, 0)


def test_a_single_flash_is_not_a_magnitude():
    counts = np.full(9, 20000.0)
    counts[4] = 90000
    assert np.ptp(smoothed_magnitudes(counts, 1.696)) == 0
    counts[[0, 5]] = 1
    found = smoothed_magnitudes(counts, 1.696)
    assert np.flatnonzero(np.isnan(found)).tolist() == [0, 5]
    assert np.nanmax(found) - np.nanmin(found) == 0


# ---- running medians and offsets ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=60), half=st.integers(0, 12))
def test_the_running_median_is_that_of_each_sample_with_its_neighbours(values, half):
    known = [value for value in values if not math.isnan(value)]
    expected = iter(median_around(known, 2 * half + 1) if known else [])
    found = running_median(values, 2 * half + 1).tolist()
    for value, median in zip(values, found, strict=True):
        assert math.isnan(median) if math.isnan(value) else median == next(expected)


def test_the_running_median_of_five_magnitudes_is_the_published_one():
    assert running_median([10, 10.2, 10.1, 10.3, 10.05], 3).tolist() == [10, 10.1, 10.2, 10.1, 10.05]
    assert running_median([], 3).tolist() == []


@pytest.mark.parametrize("window", [0, 2, -3, 1.0, True, None])
def test_a_window_is_an_odd_number(window):
    with pytest.raises(DeclarationError, match="positive odd number"):
        running_median([1, 2, 3], window)


def test_a_ramp_of_offsets_keeps_its_ends():
    ramp = np.arange(2.0, 10.1, 0.2) / 20
    found = sim_offsets(np.arange(len(ramp)), ramp, ramp)
    # Padded with zeros it would end in 8, 8, 8.
    assert found.medf_dy[-3:] == pytest.approx([9.6, 9.8, 10.0])
    assert found.d_dy.shape == (len(ramp) - 1,)
    assert found.d_dy.max() == pytest.approx(0.2)
    short = sim_offsets(range(6), [0.1, 0.1, 5.0, 0.1, 0.1, 0.1], [0.2] * 6)
    assert short.medf_dy.tolist() == [2.0] * 6


def test_extremes_are_over_all_intervals_and_steps_within_them():
    one = sim_offsets([0, 1, 2], [0.1, 0.1, 0.1], [0.3, 0.3, 0.3])
    two = sim_offsets([100, 101, 102], [0.2, 0.2, 0.2], [0.1, math.nan, 0.1])
    assert sim_report([one, two]) == pytest.approx(
        {"max_medf_dy": 4, "min_medf_dy": 2, "max_medf_dz": 6, "min_medf_dz": 2, "max_d_dy": 0, "max_d_dz": 0}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = sim_report([sim_offsets([0, 1], [math.nan] * 2, [math.nan] * 2)])
    assert set(nothing.values()) == {None}
    assert set(sim_report([]).values()) == {None}
    with pytest.raises(DeclarationError, match="the same for all"):
        sim_offsets([0, 1], [1], [1, 2])


def test_the_reference_of_these_tests_knows_a_median():
    assert median_around([1, 9, 2, 8, 3], 3) == [1, 2, 8, 3, 3]


def test_infinite_values_become_nothing_without_a_word():
    attitudes = from_equatorial([10, 10], 20, 30) * [[1.0], [math.inf]]
    assert np.isnan(star_angles(attitudes, [1, 0, 0], np.eye(3))[0]).tolist() == [False, True]
    assert np.isnan(centroid_residuals([0.0, math.inf], 0.0, 0.0, 0.0).dr).tolist() == [False, True]
    assert np.isnan(interpolate([0.5, 1.5], [0, 1, 2], [math.inf, math.inf, 1])).tolist() == [True, True]
    assert np.isnan(fid_angles([[0, 0, math.inf]], (0, -20, 10), FRAMES, np.eye(3))[0]).all()
    assert sim_report([sim_offsets([0, 1, 2], [math.inf, 0.1, -math.inf], [1e308] * 3)])["max_medf_dy"] == 2.0
