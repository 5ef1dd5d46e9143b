"""What is left of a series of samples when single ones that stick out are taken away: running medians."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats

__all__ = ["running_median"]


def running_median(values: npt.ArrayLike, window: int) -> FloatArray:
    """Return the median of each sample and of its neighbours.

    At the ends the first and the last sample are repeated. Padding with zeros, as `scipy.signal.medfilt` does, would
    pull up to half a window of samples towards zero there.

    Parameters
    ----------
    values : array_like, shape (n,)
        Samples in order. Those that are NaN are left out: their neighbours are neighbours.
    window : int
        How many samples, odd. Where there are fewer, it is the largest odd number that there are.

    Returns
    -------
    ndarray, shape (n,)
        NaN where `values` is.

    Raises
    ------
    DeclarationError
        The window is not a positive odd number, or the values have more than one dimension. It is a ValueError.

    Examples
    --------
    >>> running_median([10, 10.2, 10.1, 10.3, 10.05], 3).tolist()
    [10.0, 10.1, 10.2, 10.1, 10.05]
    """
    samples = as_floats("running_median", "values", values)
    if samples.ndim != 1:
        raise DeclarationError("running_median", "values", samples.shape, "one dimension")
    is_whole = isinstance(window, int | np.integer) and not isinstance(window, bool)
    if not is_whole or window < 1 or window % 2 == 0:
        raise DeclarationError("running_median", "window", window, "a positive odd number")
    filtered = np.full(samples.shape, np.nan)
    is_there = ~np.isnan(samples)
    if is_there.any():
        count = int(np.count_nonzero(is_there))
        filtered[is_there] = _filtered(samples[is_there], min(window, count - 1 + count % 2))
    return filtered


def _filtered(samples: FloatArray, window: int) -> FloatArray:
    if window != 3:
        from scipy.ndimage import median_filter

        return np.asarray(median_filter(samples, size=window, mode="nearest"))
    # The middle one of three without ordering them, which takes a tenth of the time.
    padded = np.concatenate([samples[:1], samples, samples[-1:]])
    before, after = padded[:-2], padded[2:]
    between: FloatArray = np.minimum(np.maximum(before, after), np.maximum(np.minimum(before, after), samples))
    return between
