"""Where a star or a fid light appears by the aspect solution, and how far from there its centroid was."""

from __future__ import annotations

from typing import NamedTuple

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.attitudes import ARCSEC_PER_RADIAN
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape

__all__ = ["FidFrames", "Residuals", "angular_distance", "centroid_residuals", "fid_angles", "star_angles"]

_ARCSEC_PER_DEGREE = 3600.0


class Residuals(NamedTuple):
    """Centroids against what the aspect solution predicts.

    Attributes
    ----------
    dy, dz : ndarray or float
        Measured minus predicted angle, arcsec.
    dr : ndarray or float
        Angular distance of the two, arcsec.
    """

    dy: FloatArray
    dz: FloatArray
    dr: FloatArray


@attrs.frozen(kw_only=True)
class FidFrames:
    """Where the frames of the fid lights lie, as the header of their property file has it.

    Attributes
    ----------
    lsi0stt : tuple of float
        Origin of the light-source frame (LSI) in that of the translation table (STT), mm.
    stt0stf : tuple of float
        Origin of the STT frame in the frame STF, mm.
    rrc0fcx : float
        X of the mirror's node in the frame FC, mm.
    """

    lsi0stt: tuple[float, float, float]
    stt0stf: tuple[float, float, float]
    rrc0fcx: float


@np.errstate(invalid="ignore", over="ignore")  # what is infinite has no angle, and becomes NaN
def star_angles(
    attitudes: npt.ArrayLike, position: npt.ArrayLike, aca_misalign: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return where stars appear in the actual frame of the camera.

    Parameters
    ----------
    attitudes : array_like, shape (..., 4)
        Quaternions of length one from the body to the inertial frame.
    position : array_like, shape (..., 3)
        Towards the star, in the inertial frame; it broadcasts with the attitudes.
    aca_misalign : array_like, shape (3, 3)
        Rotation from the nominal to the actual frame of the camera.

    Returns
    -------
    yag, zag : ndarray, shape (...), or float
        Predicted angles, arcsec.

    Raises
    ------
    DeclarationError
        One of them has another shape. It is a ValueError.

    Examples
    --------
    >>> from aca_core.attitudes import from_equatorial, star_vector
    >>> yag, zag = star_angles(from_equatorial(10, 20, 30), star_vector(10.1, 20.05), np.eye(3))
    >>> round(yag, 6), round(zag, 6)
    (382.924529, -13.118853)
    """
    x, y, z, w = _components("star_angles", "attitudes", attitudes, 4)
    a, b, c = _components("star_angles", "position", position, 3)
    broadcast_shape("star_angles", {"attitudes": x, "position": a})
    # The inverse of the rotation of a quaternion (v, w): p - w t + v x t with t = 2 v x p. No matrix is needed.
    t_x, t_y, t_z = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    body = (
        a - w * t_x + (y * t_z - z * t_y),
        b - w * t_y + (z * t_x - x * t_z),
        c - w * t_z + (x * t_y - y * t_x),
    )
    return _angles_behind(_matrix("star_angles", "aca_misalign", aca_misalign), body)


@np.errstate(invalid="ignore", over="ignore")  # what is infinite has no angle, and becomes NaN
def fid_angles(
    offsets: npt.ArrayLike, p_lsi: npt.ArrayLike, frames: FidFrames, mounting: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return where a fid light appears in the actual frame of the camera.

    Parameters
    ----------
    offsets : array_like, shape (..., 3)
        dy and dz (mm) and dtheta (deg) of the aspect solution.
    p_lsi : array_like, shape (3,)
        Where the light is mounted, in the frame LSI, mm.
    frames : FidFrames
        Where the frames lie.
    mounting : array_like, shape (3, 3)
        The product ``aca_misalign @ fts_misalign``.

    Returns
    -------
    yag, zag : ndarray, shape (...), or float
        Predicted angles, arcsec.

    Raises
    ------
    DeclarationError
        One of them has another shape. It is a ValueError.

    Examples
    --------
    >>> frames = FidFrames(lsi0stt=(0, 0, 0), stt0stf=(0, 0, -190), rrc0fcx=10070)
    >>> yag, zag = fid_angles([0, 0, 0], [0, -20, 10], frames, np.eye(3))
    >>> round(yag, 5), round(zag, 5)
    (409.66144, 3686.56521)
    """
    dy, dz, dtheta = _components("fid_angles", "offsets", offsets, 3)
    light = _vector("fid_angles", "p_lsi", p_lsi)
    x, y, z = (
        light + _vector("fid_angles", "lsi0stt", frames.lsi0stt) + _vector("fid_angles", "stt0stf", frames.stt0stf)
    )
    cos, sin = np.cos(np.radians(dtheta)), np.sin(np.radians(dtheta))
    # p_fc is the transpose of a rotation by dtheta about X, and the offsets; its image lies beyond the mirror's node.
    towards = (np.full(dy.shape, frames.rrc0fcx - x), -(cos * y + sin * z + dy), -(cos * z - sin * y + dz))
    return _angles_behind(_matrix("fid_angles", "mounting", mounting), towards)


@np.errstate(invalid="ignore", over="ignore")  # what is infinite has no angle, and becomes NaN
def centroid_residuals(ang_y: npt.ArrayLike, ang_z: npt.ArrayLike, yag: npt.ArrayLike, zag: npt.ArrayLike) -> Residuals:
    """Return how far centroids lie from predicted angles.

    Parameters
    ----------
    ang_y, ang_z : array_like
        Measured angles, **deg**: the unsmoothed ones of stars, the smoothed ones of fid lights.
    yag, zag : array_like
        Predicted angles, **arcsec**; all broadcast.

    Returns
    -------
    Residuals
        In arcsec.

    Raises
    ------
    DeclarationError
        These are no numbers, or do not broadcast. It is a ValueError.

    Examples
    --------
    >>> found = centroid_residuals(0.1, 0.0, 359.9, 0.2)
    >>> round(found.dy, 9), round(found.dz, 9), round(found.dr, 6)
    (0.1, -0.2, 0.223607)
    """
    y, z, predicted_y, predicted_z = _four_angles("centroid_residuals", ang_y, ang_z, yag, zag)
    dy, dz = _ARCSEC_PER_DEGREE * y - predicted_y, _ARCSEC_PER_DEGREE * z - predicted_z
    return Residuals(as_given(dy), as_given(dz), as_given(_haversine(y, z, predicted_y, predicted_z)))


@np.errstate(invalid="ignore", over="ignore")  # what is infinite has no angle, and becomes NaN
def angular_distance(ang_y: npt.ArrayLike, ang_z: npt.ArrayLike, yag: npt.ArrayLike, zag: npt.ArrayLike) -> FloatArray:
    """Return the angular distance of centroids from predicted angles, which are taken for longitude and latitude.

    Parameters
    ----------
    ang_y, ang_z : array_like
        Measured angles, **deg**.
    yag, zag : array_like
        Predicted angles, **arcsec**; all broadcast.

    Returns
    -------
    ndarray or float
        In arcsec.

    Raises
    ------
    DeclarationError
        These are no numbers, or do not broadcast. It is a ValueError.

    Examples
    --------
    >>> angular_distance(1.0, 0.0, 3600.0, 3600.0)
    3600.0
    """
    distance: FloatArray = as_given(_haversine(*_four_angles("angular_distance", ang_y, ang_z, yag, zag)))
    return distance


def _four_angles(
    what: str, ang_y: npt.ArrayLike, ang_z: npt.ArrayLike, yag: npt.ArrayLike, zag: npt.ArrayLike
) -> tuple[FloatArray, ...]:
    given = (("ang_y", ang_y, "deg"), ("ang_z", ang_z, "deg"), ("yag", yag, "arcsec"), ("zag", zag, "arcsec"))
    arrays = {name: as_floats(what, name, value, unit) for name, value, unit in given}
    broadcast_shape(what, arrays)
    return tuple(arrays.values())


def _haversine(ang_y: FloatArray, ang_z: FloatArray, yag: FloatArray, zag: FloatArray) -> FloatArray:
    longitude, latitude = np.radians(ang_y), np.radians(ang_z)
    other_longitude, other_latitude = yag / ARCSEC_PER_RADIAN, zag / ARCSEC_PER_RADIAN
    across = np.cos(latitude) * np.cos(other_latitude) * np.sin((longitude - other_longitude) / 2) ** 2
    half = np.sqrt(np.sin((latitude - other_latitude) / 2) ** 2 + across)
    return np.asarray(2 * np.arcsin(np.minimum(half, 1.0)) * ARCSEC_PER_RADIAN)


def _angles_behind(matrix: FloatArray, vector: tuple[FloatArray, ...]) -> tuple[FloatArray, FloatArray]:
    """Return the Y and Z angles of directions that a matrix has turned, arcsec."""
    x, y, z = (row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2] for row in matrix)
    yag, zag = (as_given(np.asarray(np.arctan2(side, x) * ARCSEC_PER_RADIAN)) for side in (y, z))
    return yag, zag


def _components(what: str, name: str, value: npt.ArrayLike, width: int) -> tuple[FloatArray, ...]:
    array = as_floats(what, name, value)
    if array.ndim < 1 or array.shape[-1] != width:
        raise DeclarationError(what, name, array.shape, f"a shape that ends in {width}")
    return tuple(array[..., number] for number in range(width))


def _vector(what: str, name: str, value: npt.ArrayLike) -> FloatArray:
    vector = as_floats(what, name, value, "mm")
    if vector.shape != (3,):
        raise DeclarationError(what, name, vector.shape, "three numbers")
    return vector


def _matrix(what: str, name: str, value: npt.ArrayLike) -> FloatArray:
    matrix = as_floats(what, name, value)
    if matrix.shape != (3, 3):
        raise DeclarationError(what, name, matrix.shape, "the shape (3, 3)")
    return matrix
