"""On which bins of dark current the models count pixels, and how their laws are smoothed along the bins.

Bins, kernel and the way the ends are treated are those of the State of the ACA studies (sot/state_of_aca
``dark_current_model/dark_models.py``, sot/mica ``darkbins.py``, sot/chandra_aca ``darkbins.py``).
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from aca_core.arrays import FloatArray

__all__ = [
    "BIN_DEX",
    "CCD_PIXELS",
    "FIRST_EDGE",
    "KERNEL",
    "KERNEL_REACH",
    "LOG_STEP",
    "bin_centres",
    "bin_edges",
    "deciding_edges",
    "smoothing",
]

CCD_PIXELS: Final = 1024**2
"""Pixels of the CCD."""

BIN_DEX: Final = 0.05
"""Width of a bin in log10 of the dark current."""

LOG_STEP: Final = BIN_DEX * float(np.log(10.0))
"""Width of a bin in the natural logarithm of the dark current."""

FIRST_EDGE: Final = 2.0
"""Lower edge of the first bin at the reference temperature of a model, e-/s."""

_BINS_PER_DECADE: Final = 20
_ON_AN_EDGE: Final = 1e-12  # relative; far above what rounding does, and far below what anybody measures
_SIGMA: Final = 0.30  # of the kernel, in the study's unit of ten steps

KERNEL_REACH: Final = 7
"""How many bins above a bin the first weight of `KERNEL` is for."""


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


def _kernel() -> FloatArray:
    # From -2.5 sigma up to, and without, +2.5 sigma: lopsided, as the fits were made with it.
    offsets = -0.75 + 0.1 * np.arange(15)
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    return _read_only(weights / weights.sum())


KERNEL: Final = _kernel()
"""The 15 weights of the smoothing, the first for the bin seven above; read-only."""


@cache
def bin_edges(n_bins: int) -> FloatArray:
    """Return the edges of the bins at the reference temperature.

    Parameters
    ----------
    n_bins : int
        How many bins.

    Returns
    -------
    ndarray, shape (n_bins + 1,)
        ``2 × 10**(0.05 k)``, e-/s; read-only.

    Examples
    --------
    >>> bin_edges(74)[[0, 20, 60]].tolist()
    [2.0, 20.0, 2000.0]
    """
    # Counted in whole steps: steps of 0.05 would drift, and could make one edge more.
    return _read_only(FIRST_EDGE * 10.0 ** (np.arange(n_bins + 1) / _BINS_PER_DECADE))


@cache
def bin_centres(n_bins: int) -> FloatArray:
    """Return the geometric means of neighbouring edges, e-/s, shape (n_bins,); read-only."""
    edges = bin_edges(n_bins)
    return _read_only(np.sqrt(edges[:-1] * edges[1:]))


@cache
def deciding_edges(n_bins: int) -> FloatArray:
    """Return the edges that say in which bin a threshold lies: one that lies on an edge is in the bin above it.

    The published form of warm fractions jumps at the edges, by up to a tenth of its value, and thresholds such as
    200 e-/s lie on one at the reference temperature. The edges of the studies, summed up in steps, had become smaller
    than that by some 1e-15; made smaller by 1e-12 they decide as there, and alike on every processor. The first stays:
    what is on it is at the foot of the histogram.

    Parameters
    ----------
    n_bins : int
        How many bins.

    Returns
    -------
    ndarray, shape (n_bins + 1,)
        e-/s; read-only.
    """
    edges = bin_edges(n_bins) * (1 - _ON_AN_EDGE)
    edges[0] = FIRST_EDGE
    return _read_only(edges)


@cache
def smoothing(n_bins: int) -> FloatArray:
    """Return the matrix that smooths counts along the bins.

    Parameters
    ----------
    n_bins : int
        How many bins.

    Returns
    -------
    ndarray, shape (n_bins, n_bins)
        ``law @ matrix`` is the smoothed law. Beyond the ends there is nothing, so that both ends sag. Read-only.

    Examples
    --------
    >>> bool((smoothing(79)[:15, 7] == KERNEL[::-1]).all())
    True
    """
    source, target = np.arange(n_bins)[:, None], np.arange(n_bins)
    place = target + KERNEL_REACH - source
    inside = (place >= 0) & (place < KERNEL.size)
    return _read_only(np.where(inside, KERNEL[np.clip(place, 0, KERNEL.size - 1)], 0.0))
