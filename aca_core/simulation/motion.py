"""How the truth moves: the attitude at any time, the instrument's offsets, and where stars and fid lights appear."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.attitudes import angles, from_equatorial, multiply, star_vector, transform
from aca_core.simulation.observation import Fid, Observation, Star

__all__ = ["attitudes_at", "corrected", "fid_angles", "sim_offsets", "star_angles"]

ARCSEC_PER_MM: Final = 20.493
"""How far a shift of the instrument module moves a source."""


def attitudes_at(observation: Observation, times: FloatArray) -> FloatArray:
    """Return the true attitude of the mirror, the pointing with dither and drift.

    Parameters
    ----------
    observation : Observation
        The truth.
    times : ndarray, shape (n,)
        CXC seconds.

    Returns
    -------
    ndarray, shape (n, 4)
        Quaternions from the body to the inertial frame.
    """
    dither = observation.dither
    elapsed = times - observation.start
    y, z = (
        amp * np.sin(2 * np.pi * elapsed / period + np.radians(phase)) + rate * elapsed / 1000
        for amp, period, phase, rate in (
            (dither.y_amp, dither.y_period, dither.y_phase, dither.y_rate),
            (dither.z_amp, dither.z_period, dither.z_phase, dither.z_rate),
        )
    )
    roll = dither.roll_rate * elapsed / 1000
    pointing = from_equatorial(observation.ra, observation.dec, observation.roll)
    return multiply(pointing, from_equatorial(y / 3600, z / 3600, roll / 3600))


def sim_offsets(observation: Observation, times: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the offsets and the rotation of the instrument module against the mirror.

    Parameters
    ----------
    observation : Observation
        The truth.
    times : ndarray, shape (n,)
        CXC seconds.

    Returns
    -------
    dy, dz, dtheta : ndarray, shape (n,)
        In mm, mm and deg.
    """
    drift = observation.sim_drift
    elapsed = times - observation.start
    wave = drift.amp * np.sin(2 * np.pi * elapsed / drift.period)
    kiloseconds = elapsed / 1000
    return (
        drift.dy + drift.dy_rate * kiloseconds + wave,
        drift.dz + drift.dz_rate * kiloseconds - wave,
        drift.dtheta + drift.dtheta_rate * kiloseconds,
    )


def corrected(
    observation: Observation, solution: tuple[FloatArray, FloatArray, FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return a solution as the new columns hold it under the old names: with the observatory's offsets taken out.

    Parameters
    ----------
    observation : Observation
        The truth, with `observatory_offset`.
    solution : tuple of ndarray
        Attitudes (n, 4) and dy, dz (mm), dtheta (deg), as the solver has them.

    Returns
    -------
    tuple of ndarray
        The same four, corrected.
    """
    attitudes, dy, dz, dtheta = solution
    yaw, pitch, roll = observation.observatory_offset
    turned = multiply(attitudes, from_equatorial(yaw / 3600, pitch / 3600, roll / 3600))
    return turned, dy - yaw / ARCSEC_PER_MM, dz - pitch / ARCSEC_PER_MM, dtheta - roll / 3600


def star_angles(observation: Observation, star: Star, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where a star truly appears in the camera.

    Parameters
    ----------
    observation : Observation
        The truth.
    star : Star
        One of its stars.
    times : ndarray, shape (n,)
        CXC seconds.

    Returns
    -------
    yag, zag : ndarray, shape (n,)
        Angles in the actual camera frame, arcsec.
    """
    in_body = np.einsum("nij,i->nj", transform(attitudes_at(observation, times)), star_vector(star.ra, star.dec))
    return angles(in_body @ _matrix(observation.alignment.aca_misalign).T)


def fid_angles(observation: Observation, fid: Fid, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return where a fid light truly appears in the camera.

    Parameters
    ----------
    observation : Observation
        The truth.
    fid : Fid
        One of its fid lights.
    times : ndarray, shape (n,)
        CXC seconds.

    Returns
    -------
    yag, zag : ndarray, shape (n,)
        Angles in the actual camera frame, arcsec.
    """
    alignment = observation.alignment
    dy, dz, dtheta = sim_offsets(observation, times)
    x, y, z = np.array(fid.p_lsi) + alignment.lsi0stt + alignment.stt0stf
    cos, sin = np.cos(np.radians(dtheta)), np.sin(np.radians(dtheta))
    # The transpose of a rotation about X by dtheta, then the offsets, then through the node of the mirror.
    towards = (np.full(len(times), alignment.rrc0fcx - x), -(cos * y + sin * z + dy), -(cos * z - sin * y + dz))
    mounting = _matrix(alignment.aca_misalign) @ _matrix(alignment.fts_misalign)
    return angles(np.stack(towards, axis=-1) @ mounting.T)


def _matrix(rows: npt.ArrayLike) -> FloatArray:
    return np.asarray(rows, dtype=float)
