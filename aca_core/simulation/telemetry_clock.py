"""When telemetry was taken, by the counters of the on-board clock, and numbers that belong to a time.

A minor frame of telemetry is the unit. Images of 4x4 pixels take 4 of them, of 6x6 take 8, of 8x8 take 16. All begin on
one grid of 16, here called periods, counted from where the ground system has the zero of the clock; so everything that
is drawn for a period is the same in whichever file, slot and simulation of the same seed it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "CLOCK_RATE",
    "CLOCK_ZERO",
    "FRAMES",
    "FRAME_LAG",
    "counters",
    "frame_at",
    "frame_time",
    "frames_of",
    "normals",
    "period_of",
    "periods_at",
]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

CLOCK_ZERO: Final = 681530396.715541
"""CXC seconds of the zero of the clock: BTIMNULL in the level-0 files of 2019:272."""

CLOCK_RATE: Final = 0.256250015400369
"""Length of a minor frame, s: BTIMRATE in the same files."""

FRAMES: Final = {4: 4, 6: 8, 8: 16}
"""Minor frames for an image, by its size: 1, 2 and 4 packets (sot/chandra_aca ``maude_decom.rst``)."""

FRAME_LAG: Final = 1.025
"""Time from the end of an integration to the frame that carries it, s (checked on the same files to 6e-8 s)."""

_PERIOD: Final = 16
_FIRST: Final = 12
"""Periods begin at minor frames 12, 28, … 124 of a major frame, as in the same files."""

_WRAP: Final = 2**24
"""Where the counter of minor frames begins again, after 50 days."""

_BLOCK: Final = 1024
_BLOCK_ZERO: Final = 2**31  # makes the numbers of blocks positive, also those before the zero of the clock


def frame_time(frame: npt.ArrayLike) -> FloatArray:
    """Return when minor frames begin.

    Parameters
    ----------
    frame : array-like of int
        Their numbers since the zero of the clock.

    Returns
    -------
    ndarray of float64
        CXC seconds.

    Examples
    --------
    >>> float(frame_time(17875580))
    686111014.3658315
    """
    return np.asarray(CLOCK_ZERO + CLOCK_RATE * np.asarray(frame, dtype=np.float64))


def frame_at(secs: float) -> int:
    """Return the number of the minor frame that begins at a time, or nearest to it.

    Parameters
    ----------
    secs : float
        CXC seconds.

    Returns
    -------
    int
        Since the zero of the clock.
    """
    return round((secs - CLOCK_ZERO) / CLOCK_RATE)


def frames_of(period: int) -> int:
    """Return the first minor frame of a period.

    Parameters
    ----------
    period : int
        Its number since the zero of the clock.

    Returns
    -------
    int
    """
    return _PERIOD * period + _FIRST


def period_of(frame: int) -> int:
    """Return the period that has a minor frame.

    Parameters
    ----------
    frame : int
        Its number since the zero of the clock.

    Returns
    -------
    int
    """
    return (frame - _FIRST) // _PERIOD


def periods_at(times: npt.ArrayLike) -> IntArray:
    """Return the periods of rows of telemetry.

    Parameters
    ----------
    times : array-like of float
        Column TIME of level 0: the middle of the integration, CXC seconds.

    Returns
    -------
    ndarray of int64
        Of the frames that carry these rows, which come 1.025 s and half an integration later.
    """
    frames = (np.asarray(times, dtype=np.float64) + 1.9 - CLOCK_ZERO) / CLOCK_RATE  # 1.873 s, and room for rounding
    return np.asarray((np.floor(frames).astype(np.int64) - _FIRST) // _PERIOD)


def counters(frames: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    """Return the counters that telemetry has of minor frames.

    Parameters
    ----------
    frames : array-like of int
        Their numbers since the zero of the clock.

    Returns
    -------
    mjf : ndarray of int64
        Major frame, 0 to 131071.
    mnf : ndarray of int64
        Minor frame in it, 0 to 127.

    Examples
    --------
    >>> [int(counter) for counter in counters(17875580)]
    [8580, 124]
    """
    major, minor = np.divmod(np.mod(np.asarray(frames, dtype=np.int64), _WRAP), 128)
    return np.asarray(major), np.asarray(minor)


def normals(key: Sequence[int], first: int, stop: int, width: int) -> npt.NDArray[np.float32]:
    """Return normally distributed numbers that belong to places on a grid.

    Parameters
    ----------
    key : sequence of int
        What they are for, beginning with the seed; from 0.
    first, stop : int
        Which places; `stop` is not one of them.
    width : int
        How many for each.

    Returns
    -------
    ndarray of float32, shape (stop - first, width)
        A place has the same numbers in any range.

    Examples
    --------
    >>> import numpy as np
    >>> bool(np.array_equal(normals((1, 2), 1000, 1100, 3)[50:], normals((1, 2), 1050, 1100, 3)))
    True
    """
    parts = []
    for block in range(first // _BLOCK, (stop - 1) // _BLOCK + 1):
        rng = np.random.default_rng([*key, block + _BLOCK_ZERO])
        low, high = max(first - block * _BLOCK, 0), min(stop - block * _BLOCK, _BLOCK)
        parts.append(rng.standard_normal((high, width), dtype=np.float32)[low:])
    return np.concatenate(parts) if parts else np.empty((0, width), dtype=np.float32)
