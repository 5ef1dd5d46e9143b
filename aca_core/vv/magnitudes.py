"""How bright was a star or fid light: magnitudes from the counts of its centroids."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape
from aca_core.vv.filters import running_median

__all__ = ["FEWEST_COUNTS", "centroid_magnitudes", "smoothed_magnitudes"]

ZERO_MAG: Final = 10.32
"""Magnitude of the reference star of the camera's calibration (M0 of sot/mica vv/core.py), mag."""

ZERO_RATE: Final = 5263.0
"""The signal of that star (C0 of sot/mica vv/core.py), e-/s."""

FEWEST_COUNTS: Final = 10.0
"""A centroid with no more signal than this has no magnitude (sot/mica vv/core.py), e-."""

_WINDOW: Final = 3


def centroid_magnitudes(counts: npt.ArrayLike, integration: npt.ArrayLike) -> FloatArray:
    """Return the magnitudes that go with the signals of centroids.

    Parameters
    ----------
    counts : array_like
        Signal in one integration, e-.
    integration : array_like
        How long that was, s; they broadcast.

    Returns
    -------
    ndarray or float
        ``10.32 - 2.5 log10(counts / integration / 5263)``; NaN where there are not more than 10 counts.

    Raises
    ------
    DeclarationError
        These are no numbers, or do not broadcast. It is a ValueError.

    Examples
    --------
    >>> centroid_magnitudes([8926.048, 1000, 10], 1.696).round(6).tolist()
    [10.32, 12.696648, nan]
    """
    signal = as_floats("centroid_magnitudes", "counts", counts, "electron")
    seconds = as_floats("centroid_magnitudes", "integration", integration, "s")
    broadcast_shape("centroid_magnitudes", {"counts": signal, "integration": seconds})
    if (seconds <= 0).any():
        raise DeclarationError("centroid_magnitudes", "integration", integration, "times greater than 0 s")
    enough = np.where((signal > FEWEST_COUNTS) & np.isfinite(signal), signal, np.nan)
    found: FloatArray = as_given(ZERO_MAG - 2.5 * np.log10(enough / seconds / ZERO_RATE))
    return found


def smoothed_magnitudes(counts: npt.ArrayLike, integration: float) -> FloatArray:
    """Return magnitudes of one slot in one aspect interval, each as the median of itself and its neighbours.

    Parameters
    ----------
    counts : array_like, shape (n,)
        Signals in order of time, e-.
    integration : float
        How long each integration was, s.

    Returns
    -------
    ndarray, shape (n,)
        NaN where there are not more than 10 counts; the neighbours are those of the others.

    Raises
    ------
    DeclarationError
        There is more than one dimension, or these are no numbers. It is a ValueError.

    Examples
    --------
    >>> smoothed_magnitudes([8926.048, 5, 1000, 8926.048], 1.696).round(6).tolist()
    [10.32, nan, 10.32, 10.32]
    """
    return running_median(np.atleast_1d(centroid_magnitudes(counts, integration)), _WINDOW)
