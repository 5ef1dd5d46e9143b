"""Attitudes: quaternions, the rotations that they stand for, and where a direction lies in a frame. Vectorised.

A quaternion is (x, y, z, w) with w >= 0. Its transform T turns vectors of the body into inertial ones (ECI); the
columns of T are the axes of the body. The product of quaternions is that of their transforms.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray

__all__ = [
    "ARCSEC_PER_RADIAN",
    "angles",
    "direction",
    "equatorial_of",
    "from_equatorial",
    "from_transform",
    "multiply",
    "normalise",
    "rotation",
    "star_vector",
    "transform",
]

ARCSEC_PER_RADIAN: Final = 180 * 3600 / np.pi


def normalise(q: npt.ArrayLike) -> FloatArray:
    """Return quaternions of length one whose last component is not negative.

    Parameters
    ----------
    q : array_like, shape (..., 4)
        Quaternions of any length but zero.

    Returns
    -------
    ndarray, shape (..., 4)
        The same rotations.

    Examples
    --------
    >>> normalise([0, 0, 0, -2])
    array([-0., -0., -0.,  1.])
    """
    q = np.asarray(q, dtype=float)
    length = np.sqrt(np.einsum("...i,...i->...", q, q))
    unit: FloatArray = q / np.where(q[..., 3] < 0, -length, length)[..., np.newaxis]
    return unit


def transform(q: npt.ArrayLike) -> FloatArray:
    """Return the matrices that turn vectors of the body into inertial ones.

    Parameters
    ----------
    q : array_like, shape (..., 4)
        Quaternions of length one.

    Returns
    -------
    ndarray, shape (..., 3, 3)
        Their transforms.
    """
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=float), -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_transform(matrix: npt.ArrayLike) -> FloatArray:
    """Return the quaternions of rotation matrices.

    Parameters
    ----------
    matrix : array_like, shape (..., 3, 3)
        Rotations.

    Returns
    -------
    ndarray, shape (..., 4)
        Of length one, the last component not negative.

    Examples
    --------
    >>> from_transform(np.eye(3))
    array([0., 0., 0., 1.])
    """
    m = np.asarray(matrix, dtype=float)
    xx, yy, zz = (m[..., axis, axis] for axis in range(3))
    # Four times the products of the components: whichever column has the largest diagonal is accurate.
    products = np.empty((*m.shape[:-2], 4, 4))
    products[..., 0, 0] = 1 + xx - yy - zz
    products[..., 1, 1] = 1 - xx + yy - zz
    products[..., 2, 2] = 1 - xx - yy + zz
    products[..., 3, 3] = 1 + xx + yy + zz
    for i, j in ((0, 1), (0, 2), (1, 2)):
        products[..., i, j] = products[..., j, i] = m[..., i, j] + m[..., j, i]
    for i, (j, k) in enumerate(((1, 2), (2, 0), (0, 1))):
        products[..., i, 3] = products[..., 3, i] = m[..., k, j] - m[..., j, k]
    best = np.argmax(np.einsum("...ii->...i", products), axis=-1)
    return normalise(np.take_along_axis(products, best[..., np.newaxis, np.newaxis], axis=-2)[..., 0, :])


def multiply(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Return the products of quaternions, whose transforms are T(first) T(second).

    Parameters
    ----------
    first, second : array_like, shape (..., 4)
        Quaternions; they broadcast.

    Returns
    -------
    ndarray, shape (..., 4)
        Normalised.

    Examples
    --------
    >>> multiply([0, 0, 0, 1], [1, 0, 0, 0])
    array([1., 0., 0., 0.])
    """
    x1, y1, z1, w1 = np.moveaxis(np.asarray(first, dtype=float), -1, 0)
    x2, y2, z2, w2 = np.moveaxis(np.asarray(second, dtype=float), -1, 0)
    product = (
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
        w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
    )
    return normalise(np.stack(np.broadcast_arrays(*product), axis=-1))


def from_equatorial(ra: npt.ArrayLike, dec: npt.ArrayLike, roll: npt.ArrayLike) -> FloatArray:
    """Return the quaternions of attitudes.

    Parameters
    ----------
    ra, dec, roll : array_like
        Right ascension and declination of the body's X axis, and the roll about it, deg; they broadcast.

    Returns
    -------
    ndarray, shape (..., 4)
        Normalised.

    Examples
    --------
    >>> from_equatorial(12, 45, 45).round(6)
    array([ 0.388573, -0.31466 ,  0.234865,  0.83357 ])
    """
    half = [np.radians(np.asarray(angle, dtype=float)) / 2 for angle in (ra, dec, roll)]
    (ca, cd, cr), (sa, sd, sr) = ([function(angle) for angle in half] for function in (np.cos, np.sin))
    # T = Rz(ra) Ry(-dec) Rx(roll)
    components = (
        sa * sd * cr + ca * cd * sr,
        -ca * sd * cr + sa * cd * sr,
        sa * cd * cr + ca * sd * sr,
        ca * cd * cr - sa * sd * sr,
    )
    return normalise(np.stack(np.broadcast_arrays(*components), axis=-1))


def equatorial_of(q: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return right ascension, declination and roll of attitudes.

    Parameters
    ----------
    q : array_like, shape (..., 4)
        Quaternions of length one.

    Returns
    -------
    ra, dec, roll : ndarray, shape (...)
        In deg; ra and roll from 0 to 360.

    Examples
    --------
    >>> [round(float(angle), 9) for angle in equatorial_of(from_equatorial(12, 45, 350))]
    [12.0, 45.0, 350.0]
    """
    matrix = transform(q)
    ra = np.degrees(np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])) % 360
    dec = np.degrees(np.arctan2(matrix[..., 2, 0], np.hypot(matrix[..., 2, 1], matrix[..., 2, 2])))
    roll = np.degrees(np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])) % 360
    # A tiny negative angle is rounded up to the whole circle, which is no angle of the half-open range.
    return np.where(ra < 360, ra, 0.0), dec, np.where(roll < 360, roll, 0.0)


def star_vector(ra: npt.ArrayLike, dec: npt.ArrayLike) -> FloatArray:
    """Return unit vectors towards positions in the sky.

    Parameters
    ----------
    ra, dec : array_like
        Position, deg; they broadcast.

    Returns
    -------
    ndarray, shape (..., 3)
        In the inertial frame.
    """
    a, d = (np.radians(np.asarray(angle, dtype=float)) for angle in (ra, dec))
    return np.stack(np.broadcast_arrays(np.cos(a) * np.cos(d), np.sin(a) * np.cos(d), np.sin(d)), axis=-1)


def angles(vector: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the Y and Z angles of directions in a frame.

    Parameters
    ----------
    vector : array_like, shape (..., 3)
        Directions, of any length.

    Returns
    -------
    yag, zag : ndarray, shape (...)
        ``atan2(y, x)`` and ``atan2(z, x)``, arcsec.

    Examples
    --------
    >>> attitude = from_equatorial(10, 20, 30)
    >>> star = star_vector(10.1, 20.05)
    >>> [round(float(angle), 6) for angle in angles(star @ transform(attitude))]
    [382.924529, -13.118853]
    """
    x, y, z = np.moveaxis(np.asarray(vector, dtype=float), -1, 0)
    return np.arctan2(y, x) * ARCSEC_PER_RADIAN, np.arctan2(z, x) * ARCSEC_PER_RADIAN


def direction(yag: npt.ArrayLike, zag: npt.ArrayLike) -> FloatArray:
    """Return unit vectors with given Y and Z angles, the inverse of `angles`.

    Parameters
    ----------
    yag, zag : array_like
        Angles, arcsec, less than a quarter turn; they broadcast.

    Returns
    -------
    ndarray, shape (..., 3)
        Directions in the frame.
    """
    y, z = (np.tan(np.asarray(angle, dtype=float) / ARCSEC_PER_RADIAN) for angle in (yag, zag))
    vector = np.stack(np.broadcast_arrays(np.ones(()), y, z), axis=-1)
    unit: FloatArray = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return unit


def rotation(x: float, y: float, z: float) -> FloatArray:
    """Return the matrix of small rotations about the three axes, Rz Ry Rx.

    Parameters
    ----------
    x, y, z : float
        Angles, arcsec.

    Returns
    -------
    ndarray, shape (3, 3)
        An orthogonal matrix.

    Examples
    --------
    >>> rotation(0, 0, 10)[0, 1] == -np.sin(10 / ARCSEC_PER_RADIAN)
    np.True_
    """
    (cx, cy, cz), (sx, sy, sz) = (
        [function(angle / ARCSEC_PER_RADIAN) for angle in (x, y, z)] for function in (np.cos, np.sin)
    )
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix: FloatArray = about_z @ about_y @ about_x
    return matrix
