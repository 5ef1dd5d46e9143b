"""What a slot's images show: a spot that moves over warm pixels, with noise, in the whole numbers of the camera."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.simulation.telemetry_clock import normals
from aca_core.simulation.telemetry_plan import FidShift, TelemetryStretch

__all__ = ["Images", "centroids", "draw_images"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
SingleArray: TypeAlias = npt.NDArray[np.float32]
IntArray: TypeAlias = npt.NDArray[np.int64]

_GAIN: Final = 5.0
"""Electrons for one DN."""

_BIAS: Final = 50.0
_FULL: Final = 1020.0
"""A pixel has ten bits, up to 1023; the scale is chosen so that the brightest one is near that."""

_RATE_AT: Final = (5263.0, 10.32)
"""Count rate in e-/s of a star of a magnitude (sot/chandra_aca ``transform``)."""

_WIDTH: Final = {"star": 1.1, "fid": 0.75}
"""Standard deviation of a spot, pixels."""

_PATCH: Final = 48
"""Pixels along a side of the part of the CCD around a light of which warm pixels are drawn; it sees less than 20."""

_DITHER: Final = (1.6, 1000.0, 707.1)
"""Amplitude in pixels (8 arcsec) and periods in s of the dither for ACIS."""

_FID_DRIFT: Final = 0.08
"""Amplitude of the daily motion of fid lights, pixels."""


@attrs.frozen(eq=False)
class Images:
    """Images of n rows of telemetry, and what the camera says of them.

    Attributes
    ----------
    pixels : ndarray of float32, shape (n, size, size)
        DN; element [:, i, j] is CCD row ``row0 + i`` and column ``col0 + j``.
    row0, col0, scale, background, background_rms, status : ndarray of int64, shape (n,)
        Columns IMGROW0, IMGCOL0, IMGSCALE, BGDAVG, BGDRMS and IMGSTAT.
    """

    pixels: SingleArray
    row0: IntArray
    col0: IntArray
    scale: IntArray
    background: IntArray
    background_rms: IntArray
    status: IntArray


def centroids(
    stretch: TelemetryStretch, shifts: Iterable[FidShift], times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where the spot of a slot is.

    Parameters
    ----------
    stretch : TelemetryStretch
        Whose.
    shifts : iterable of FidShift
        Of any light; those of this one are taken.
    times : ndarray of float64
        CXC seconds of minor frames.

    Returns
    -------
    row, col : ndarray of float64
        Pixels.
    """
    if stretch.kind == "fid":
        day = 2 * np.pi / 86400.0 * times
        row, col = stretch.row + _FID_DRIFT * np.sin(day), stretch.col + _FID_DRIFT * np.cos(day)
        for shift in shifts:
            if (shift.pointing, shift.slot) == (stretch.pointing, stretch.slot):
                row, col = row + shift.row * (times >= shift.time), col + shift.col * (times >= shift.time)
        return row, col
    amplitude, period, other = _DITHER
    row = stretch.row + amplitude * np.sin(2 * np.pi / period * times)
    col = stretch.col + amplitude * np.sin(2 * np.pi / other * times)
    return row, col


def draw_images(
    seed: int, stretch: TelemetryStretch, shifts: Iterable[FidShift], first: int, times: FloatArray
) -> Images:
    """Draw the images of a part of a stretch.

    Parameters
    ----------
    seed : int
        From which.
    stretch : TelemetryStretch
        Of which.
    shifts : iterable of FidShift
        How fid lights move.
    first : int
        Number of the first image, counted from the zero of the clock in images of this size.
    times : ndarray of float64, shape (n,)
        CXC seconds of the minor frames at which the images begin, none left out.

    Returns
    -------
    Images
        An image is the same in whatever part it is drawn.
    """
    size, count = stretch.imgsize, len(times)
    key = (seed, 4, stretch.slot, size)
    row, col = centroids(stretch, shifts, times)
    row0, col0 = (np.clip(np.rint(at - (size - 1) / 2), -511, 513 - size).astype(np.int64) for at in (row, col))
    level, patch = _warm_pixels(seed, stretch)
    pixels = _spot(stretch, row - row0, col - col0)
    pixels += _windows(patch, size, row0 - round(stretch.row), col0 - round(stretch.col))
    spread = np.sqrt(pixels / np.float32(_GAIN) + np.float32(4.0))
    spread *= normals((*key, 0), first, first + count, size * size).reshape(-1, size, size)
    pixels += spread
    scale = _quantise(pixels)
    if size == 6:
        pixels[:, [0, 0, -1, -1], [0, -1, 0, -1]] = 0.0  # the camera does not read them
    drawn = normals((*key, 1), first, first + count, 3)
    return Images(
        pixels=pixels,
        row0=row0,
        col0=col0,
        scale=scale,
        background=np.clip(np.rint(level + 1.2 * drawn[:, 0]), 0, 1023).astype(np.int64),
        background_rms=np.rint(np.abs(6.0 + 1.5 * drawn[:, 1])).astype(np.int64),
        status=np.where(drawn[:, 2] > 2.6, 1, np.where(drawn[:, 2] < -2.5, 16, 0)).astype(np.int64),
    )


def _warm_pixels(seed: int, stretch: TelemetryStretch) -> tuple[float, SingleArray]:
    """Draw the background around a light, DN: its level, and pixels of which some are warm."""
    rng = np.random.default_rng([seed, 5, stretch.pointing, stretch.slot])
    level = rng.uniform(12.0, 40.0)
    spread = rng.exponential(10.0, (_PATCH, _PATCH)) + rng.pareto(1.8, (_PATCH, _PATCH)) * 4.0
    return level, np.minimum(level - 10.0 + spread, 600.0).astype(np.float32)


def _windows(patch: SingleArray, size: int, down: IntArray, right: IntArray) -> SingleArray:
    """Return the windows of a part of the CCD that begin so many pixels off its middle."""
    windows = np.lib.stride_tricks.sliding_window_view(patch, (size, size))
    last = windows.shape[0] - 1
    places = (np.clip(offset + _PATCH // 2, 0, last) for offset in (down, right))
    return np.asarray(windows[tuple(places)])


def _spot(stretch: TelemetryStretch, row: FloatArray, col: FloatArray) -> SingleArray:
    """Return images of a Gaussian spot, DN, by the place of its centre in them."""
    rate_at, mag_at = _RATE_AT
    width = _WIDTH[stretch.kind]
    total = rate_at * 10.0 ** (0.4 * (mag_at - stretch.mag)) * stretch.integ / _GAIN
    pixels = np.arange(stretch.imgsize)
    down, right = (
        np.exp(-0.5 * ((pixels - centre[:, np.newaxis]) / width) ** 2).astype(np.float32) for centre in (row, col)
    )
    down *= np.float32(total / (2 * np.pi * width**2))
    return np.asarray(down[:, :, np.newaxis] * right[:, np.newaxis, :])


def _quantise(pixels: SingleArray) -> IntArray:
    """Round pixels in place to what ten bits and a scale can say, and return the scales."""
    brightest = pixels.reshape(len(pixels), -1).max(axis=1)
    scale = np.clip(np.ceil((brightest + _BIAS) * (32.0 / _FULL)), 32, 16383).astype(np.float32)
    step = (scale / np.float32(32.0))[:, np.newaxis, np.newaxis]
    pixels += np.float32(_BIAS)
    pixels /= step
    np.rint(pixels, out=pixels)
    np.clip(pixels, 0.0, 1023.0, out=pixels)
    pixels *= step
    pixels -= np.float32(_BIAS)
    return np.asarray(scale, dtype=np.int64)
