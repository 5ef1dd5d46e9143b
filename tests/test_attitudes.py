"""Quaternions and angles, against the published references and against the definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aca_core.attitudes import (
    ARCSEC_PER_RADIAN,
    angles,
    direction,
    equatorial_of,
    from_equatorial,
    from_transform,
    multiply,
    normalise,
    rotation,
    star_vector,
    transform,
)


def some_attitudes(count=200):
    random = np.random.default_rng(1)
    return random.uniform(0, 360, count), random.uniform(-89, 89, count), random.uniform(0, 360, count)


@pytest.mark.parametrize(
    ("attitude", "q"),
    [
        ((12, 45, 45), (0.38857298, -0.3146602, 0.23486498, 0.8335697)),
        ((10, 20, 30), (0.26853582, -0.14487813, 0.12767944, 0.94371436)),
    ],
)
def test_quaternions_of_reference(attitude, q):
    np.testing.assert_allclose(from_equatorial(*attitude), q, atol=6e-9)


def test_camera_quaternion_of_reference():
    camera = multiply(from_equatorial(10, 20, 30), from_transform(rotation(0, 0, 10).T))
    np.testing.assert_allclose(camera, (0.26853933, -0.14487162, 0.12765656, 0.94371746), atol=6e-9)


def test_angles_of_reference():
    star, attitude = star_vector(10.1, 20.05), transform(from_equatorial(10, 20, 30))
    rounded = 206264.81 / ARCSEC_PER_RADIAN  # the references were made with this
    yag, zag = angles(attitude.T @ star)
    assert (yag * rounded, zag * rounded) == pytest.approx((382.924536, -13.118853), abs=1e-6)
    turned = angles(rotation(0, 0, 10) @ attitude.T @ star)
    assert turned == pytest.approx((yag + 10, -13.118854), abs=1e-6)


def test_transforms_have_the_rows_of_the_definition():
    for ra, dec, roll in zip(*some_attitudes(20), strict=True):
        a, d, r = map(math.radians, (ra, dec, roll))
        ca, sa, cd, sd, cr, sr = math.cos(a), math.sin(a), math.cos(d), math.sin(d), math.cos(r), math.sin(r)
        rows = [
            (ca * cd, sa * cd, sd),
            (-ca * sd * sr - sa * cr, -sa * sd * sr + ca * cr, cd * sr),
            (-ca * sd * cr + sa * sr, -sa * sd * cr - ca * sr, cd * cr),
        ]
        np.testing.assert_allclose(transform(from_equatorial(ra, dec, roll)).T, rows, atol=1e-14)


def test_every_way_there_has_a_way_back():
    ra, dec, roll = some_attitudes()
    q = from_equatorial(ra, dec, roll)
    assert q.shape == (200, 4)
    assert (q[:, 3] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(q, axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(from_transform(transform(q)), q, atol=1e-14)
    np.testing.assert_allclose(equatorial_of(q), (ra, dec, roll), atol=1e-10)
    np.testing.assert_allclose(normalise(-3 * q), q, atol=1e-15)
    np.testing.assert_allclose(angles(direction(1234.5, -2000.25)), (1234.5, -2000.25), atol=1e-10)


def test_products_are_those_of_the_transforms():
    first, second = from_equatorial(*some_attitudes()), from_equatorial(*some_attitudes()[::-1][:2], 5)
    np.testing.assert_allclose(transform(multiply(first, second)), transform(first) @ transform(second), atol=1e-14)


def test_half_turns_are_found_on_every_axis():
    for axis in range(3):
        q = np.eye(4)[axis]
        np.testing.assert_allclose(abs(from_transform(transform(q))), q, atol=1e-15)


def test_rotations_turn_by_their_angles():
    matrix = rotation(3, 20, 10)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-15)
    assert angles(matrix[:, 0]) == pytest.approx((10, -20), abs=1e-5)
