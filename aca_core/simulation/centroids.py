"""What the camera measured: centroids made of the predicted angles and the injected residuals, and which are bad."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.arrays import BoolArray, FloatArray, IntArray
from aca_core.errors import MissingDataError
from aca_core.simulation.motion import fid_angles, star_angles
from aca_core.simulation.observation import ALGORITHMS, INTEGRATION, Fid, Observation, Residuals, Star

__all__ = ["CENTROIDS", "SlotResiduals", "centroid_rows", "image_times", "injected_residuals"]

CENTROIDS: Final = np.dtype(
    [
        ("time", ">f8"),
        ("slot", ">i2"),
        ("alg", ">i2"),
        ("cent_i", ">f4"),
        ("cent_j", ">f4"),
        ("ang_y", ">f8"),
        ("ang_z", ">f8"),
        ("ang_y_sm", ">f8"),
        ("ang_z_sm", ">f8"),
        ("counts", ">f4"),
        ("status", ">i2"),
    ]
)
"""One row of the centroid file: one image as one algorithm sees it. Angles in deg."""

SOLVED_WITH: Final = 8
"""The algorithm that the aspect solution is made from; it carries the injected residuals."""

_OTHERS: Final = tuple(algorithm for algorithm in ALGORITHMS if algorithm != SOLVED_WITH)

_QUIRKS: Final = {1: (1.6, 0.12), 2: (0.9, 0.03), 4: (1.05, 0.05), 8: (1.0, 0.0), 16: (0.8, 0.08)}
"""By algorithm: noise against that of algorithm 8, and the error that repeats with each pixel, arcsec."""

_ARCSEC_PER_PIXEL: Final = 4.97
_SMOOTHING: Final = 40.0
"""Length of the smoothing filter of order 4, s."""

_OUTLIER_BITS: Final = (0x20, 0x40, 0x80)
"""Outlier in magnitude, in y, in z."""

_CENTROIDS_STREAM: Final = 200

_FID_RAW_OFFSET: Final = (0.11, -0.07)
"""What temperature and periscope take from the unsmoothed angles of fid lights, arcsec."""


@attrs.frozen(kw_only=True, eq=False)
class SlotResiduals:
    """What was injected into one slot, image by image.

    Attributes
    ----------
    times : ndarray of float, shape (n,)
        Middle of each integration, CXC seconds.
    dy, dz : ndarray of float, shape (n,)
        Measured minus predicted angle, arcsec: of the unsmoothed centroids of stars, of the smoothed ones of fids.
    status : ndarray of int, shape (n,)
        0 for a good sample.
    smooth_dy, smooth_dz, raw_dy, raw_dz : ndarray of float, shape (n,)
        The same of the smoothed and of the unsmoothed centroids, whichever it is.
    """

    times: FloatArray
    dy: FloatArray
    dz: FloatArray
    status: IntArray
    smooth_dy: FloatArray
    smooth_dz: FloatArray
    raw_dy: FloatArray
    raw_dz: FloatArray


def image_times(observation: Observation, interval: int) -> FloatArray:
    """Return the middles of the integrations of an aspect interval.

    They begin and end one image outside of the interval's attitudes, as those of the pipeline may.

    Parameters
    ----------
    observation : Observation
        The truth.
    interval : int
        Which of its intervals.

    Returns
    -------
    ndarray, shape (n,)
        CXC seconds.
    """
    span, step = observation.intervals[interval], observation.centroid_step
    first = span.start - 0.63 * step
    return first + step * np.arange(int((span.stop - first) / step) + 2)


def injected_residuals(observation: Observation, slot: int, interval: int = 0) -> SlotResiduals:
    """Return what was injected into the centroids of algorithm 8 of a slot.

    Parameters
    ----------
    observation : Observation
        The truth.
    slot : int
        Which slot.
    interval : int, default 0
        Which aspect interval.

    Returns
    -------
    SlotResiduals
        Without the images that were lost in a dropout.

    Raises
    ------
    MissingDataError
        The observation has nothing in this slot.

    Examples
    --------
    >>> from aca_core.simulation import draw_observation, injected_residuals
    >>> observation = draw_observation(8008, seed=1, duration=2000.0)
    >>> injected = injected_residuals(observation, slot=4)
    >>> planned = next(star.residuals for star in observation.stars if star.slot == 4)
    >>> abs(float(injected.dy[injected.status == 0].mean()) - planned.dy) < 0.05
    True
    """
    light = next((each for each in observation.lights if each.slot == slot), None)
    if light is None:
        raise MissingDataError(f"simulated observation {observation.obsid} has nothing in slot {slot}")
    return _masked(_drawn(observation, light, interval), ~_lost(observation, slot, image_times(observation, interval)))


def _masked(injected: SlotResiduals, keep: BoolArray) -> SlotResiduals:
    return SlotResiduals(**{name: values[keep] for name, values in attrs.asdict(injected, recurse=False).items()})


def _lost(observation: Observation, slot: int, times: FloatArray) -> BoolArray:
    lost = np.zeros(len(times), dtype=bool)
    for each in observation.dropouts:
        if each.slot == slot:
            lost |= (times >= each.start) & (times <= each.stop)
    return lost


def _drawn(observation: Observation, light: Star | Fid, interval: int) -> SlotResiduals:
    """Draw the residuals of a slot, always the same ones."""
    times = image_times(observation, interval)
    wanted = light.residuals
    random = _random(observation, light.slot, interval)
    smoother = _smoother(observation.centroid_step)
    is_fid = isinstance(light, Fid)
    bits = _outliers(random, len(times), wanted)
    jump = random.uniform(3, 8, len(times)) * random.choice((-1.0, 1.0), len(times))
    raw, smooth = [], []
    for axis, (mean, sigma, bit) in enumerate(
        ((wanted.dy, wanted.noise_y, _OUTLIER_BITS[1]), (wanted.dz, wanted.noise_z, _OUTLIER_BITS[2]))
    ):
        noise = random.standard_normal(len(times))
        # The residuals of fids are those of the smoothed centroids, so the noise of these is what was asked for.
        noise *= sigma / np.linalg.norm(smoother) if is_fid else sigma
        outlier = jump * ((bits & bit) != 0)
        smooth.append(mean + _smoothed(noise, smoother) + outlier)
        raw.append(mean + noise + outlier - (_FID_RAW_OFFSET[axis] if is_fid else 0.0))
    dy, dz = smooth if is_fid else raw
    return SlotResiduals(
        times=times, dy=dy, dz=dz, status=bits,
        smooth_dy=smooth[0], smooth_dz=smooth[1], raw_dy=raw[0], raw_dz=raw[1],
    )  # fmt: skip


def _random(observation: Observation, *numbers: int) -> np.random.Generator:
    names = (observation.seed, observation.obsid, observation.obi, observation.revision)
    return np.random.default_rng([_CENTROIDS_STREAM + len(numbers), *names, *numbers])


def _outliers(random: np.random.Generator, count: int, wanted: Residuals) -> IntArray:
    """Return the status of each sample: 0, or one of the bits of an outlier."""
    bad = random.random(count) < wanted.bad_fraction
    return np.where(bad, random.choice(_OUTLIER_BITS, count), 0)


def _smoother(step: float) -> FloatArray:
    """Return the weights of a filter of order 4 that is 40 s long."""
    from scipy.signal import savgol_coeffs

    weights: FloatArray = savgol_coeffs(2 * round(_SMOOTHING / step / 2) + 1, 4)
    return weights


def _smoothed(values: FloatArray, weights: FloatArray) -> FloatArray:
    padded = np.pad(values, len(weights) // 2, mode="reflect")
    return np.convolve(padded, weights, mode="valid")


# ---- rows of the centroid file --------------------------------------------------------------------------------------


def centroid_rows(observation: Observation, interval: int) -> npt.NDArray[np.void]:
    """Return the rows of the centroid file of one aspect interval, by time, slot and algorithm.

    Parameters
    ----------
    observation : Observation
        The truth.
    interval : int
        Which of its intervals.

    Returns
    -------
    structured ndarray of `CENTROIDS`
        Without the images that were lost.
    """
    times = image_times(observation, interval)
    chosen = [(light, _algorithms(observation, light.slot)) for light in observation.lights]
    rows = np.empty((len(times), sum(len(algorithms) for _, algorithms in chosen)), dtype=CENTROIDS)
    keep = np.ones(rows.shape, dtype=bool)
    column = 0
    for light, algorithms in chosen:
        part = slice(column, column := column + len(algorithms))
        keep[:, part] = ~_lost(observation, light.slot, times)[:, np.newaxis]
        _fill(rows[:, part], observation, light, interval, algorithms)
    return rows.ravel() if keep.all() else rows[keep]


def _algorithms(observation: Observation, slot: int) -> tuple[int, ...]:
    if observation.every_algorithm:
        return ALGORITHMS
    return tuple(sorted((SOLVED_WITH, _OTHERS[slot % len(_OTHERS)])))


def _fill(
    rows: npt.NDArray[Any], observation: Observation, light: Star | Fid, interval: int, algorithms: tuple[int, ...]
) -> None:
    """Fill the rows of one slot, shape (images, algorithms)."""
    injected = _drawn(observation, light, interval)
    if isinstance(light, Fid):
        yag, zag = fid_angles(observation, light, injected.times)
    else:
        yag, zag = star_angles(observation, light, injected.times)
    counts = _counts(observation, light, interval, injected.status)
    row, col = 6.0 - yag / _ARCSEC_PER_PIXEL, 5.5 + zag / _ARCSEC_PER_PIXEL
    mean_y, mean_z = light.residuals.dy, light.residuals.dz
    for number, algorithm in enumerate(algorithms):
        noise, ripple = _QUIRKS[algorithm]
        part = rows[:, number]
        error_y, error_z = ripple * np.sin(2 * np.pi * row), ripple * np.sin(2 * np.pi * col)
        part["time"], part["slot"], part["alg"] = injected.times, light.slot, algorithm
        raw_y = yag + mean_y + noise * (injected.raw_dy - mean_y) + error_y
        raw_z = zag + mean_z + noise * (injected.raw_dz - mean_z) + error_z
        part["ang_y"], part["ang_z"] = raw_y / 3600, raw_z / 3600
        part["ang_y_sm"] = (yag + mean_y + noise * (injected.smooth_dy - mean_y) + error_y) / 3600
        part["ang_z_sm"] = (zag + mean_z + noise * (injected.smooth_dz - mean_z) + error_z) / 3600
        part["cent_i"], part["cent_j"] = 6.0 - raw_y / _ARCSEC_PER_PIXEL, 5.5 + raw_z / _ARCSEC_PER_PIXEL
        part["counts"] = counts
        part["status"] = injected.status


def _counts(observation: Observation, light: Star | Fid, interval: int, status: IntArray) -> FloatArray:
    """Return the signal in each image, e-."""
    mean: float = 5263.0 * INTEGRATION * 10 ** (-0.4 * (light.mag - 10.32))
    random = _random(observation, light.slot, interval, 0)
    counts = mean + np.sqrt(1.3 * mean) * random.standard_normal(len(status))
    # An outlier in magnitude is too faint by far, and one in three of them has lost the star.
    factor = random.choice((0.0, 0.4, 0.6), len(status))
    signal: FloatArray = np.where(status & _OUTLIER_BITS[0], counts * factor, counts)
    return signal
