"""What some successes in some trials say about the probability of a success."""

from __future__ import annotations

from typing import Any, Final

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.probability.star_inputs import read_probabilities
from aca_core.quantities import as_floats, as_given, broadcast_shape

__all__ = ["ONE_SIGMA", "binom_ppf", "binomial_confidence_interval"]

ONE_SIGMA: Final = 0.682689
"""The probability that a normal deviate is within one standard deviation."""


def binomial_confidence_interval(
    n_success: Any, n_trials: Any, coverage: Any = ONE_SIGMA
) -> tuple[float | FloatArray, float | FloatArray, float | FloatArray]:
    """Return the fraction of successes with Jeffreys's interval for the probability of a success.

    The bounds are quantiles of the Beta distribution of ``n_success + 1/2`` and ``n_trials - n_success + 1/2``; without
    successes the lower one is 0, and without failures the upper one is 1.

    Parameters
    ----------
    n_success, n_trials : int or array_like
        Counts; they broadcast together.
    coverage : float or array_like, default 0.682689
        Probability that the interval contains the truth, between 0 and 1.

    Returns
    -------
    ratio, low, high : float or ndarray of float64
        The fraction (NaN without trials) and the bounds.

    Raises
    ------
    DeclarationError
        There are more successes than trials, or fewer than none; or the coverage is no probability. It is a ValueError.

    Examples
    --------
    >>> [round(value, 6) for value in binomial_confidence_interval(3, 10)]
    [0.3, 0.179932, 0.45775]
    """
    import numpy as np
    from scipy.special import betaincinv

    what = "binomial_confidence_interval"
    k, n = _counts(what, n_success, n_trials)
    level = read_probabilities(what, "coverage", coverage)
    broadcast_shape(what, {"n_success": k, "n_trials": n, "coverage": level})
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.asarray(k / n)
    low = np.where(k == 0, 0.0, betaincinv(k + 0.5, n - k + 0.5, (1 - level) / 2))
    high = np.where(k == n, 1.0, betaincinv(k + 0.5, n - k + 0.5, (1 + level) / 2))
    unknown = np.isnan(k + n + level)
    low, high = (np.where(unknown, np.nan, bound) for bound in (low, high))
    ratio = np.array(np.broadcast_to(ratio, low.shape))
    return as_given(ratio), as_given(low), as_given(high)


def binom_ppf(n_success: Any, n_trials: Any, conf: Any, n_sample: int = 1000) -> float | FloatArray:
    """Return quantiles of the probability of a success, given successes and trials and nothing else.

    Every probability is as likely before; the distribution after is summed over a grid of `n_sample` probabilities
    from 0 to 1 and interpolated.

    Parameters
    ----------
    n_success, n_trials : int or array_like
        Counts; they broadcast together.
    conf : float or array_like
        Which quantiles, 0 to 1. Where the counts are arrays, `conf` broadcasts with them.
    n_sample : int, default 1000
        Number of points of the grid, 2 or more.

    Returns
    -------
    float or ndarray of float64
        The quantiles.

    Raises
    ------
    DeclarationError
        There are more successes than trials, or fewer than none; a quantile is outside of 0 to 1; or the grid has fewer
        than two points. It is a ValueError.

    Examples
    --------
    >>> binom_ppf(4, 5, [0.17, 0.84]).round(8).tolist()
    [0.55463945, 0.87748177]
    """
    import numpy as np

    what = "binom_ppf"
    k, n = _counts(what, n_success, n_trials)
    wanted = read_probabilities(what, "conf", conf)
    if isinstance(n_sample, bool) or not isinstance(n_sample, int | np.integer) or n_sample < 2:
        raise DeclarationError(what, "n_sample", n_sample, "a whole number, 2 or more")
    shape = broadcast_shape(what, {"n_success": k, "n_trials": n, "conf": wanted})
    found = np.full(shape, np.nan)
    flat = [np.broadcast_to(each, shape).ravel() for each in (k, n, wanted)]
    known = ~np.isnan(flat[0] + flat[1] + flat[2])
    pairs, which = np.unique(np.stack([flat[0][known], flat[1][known]], axis=1), axis=0, return_inverse=True)
    quantiles = np.empty(which.shape)
    for number, (successes, trials) in enumerate(pairs):
        mine = which == number
        quantiles[mine] = _quantiles(float(successes), float(trials), flat[2][known][mine.ravel()], int(n_sample))
    found.reshape(-1)[known] = quantiles.ravel()
    result: float | FloatArray = as_given(found)
    return result


def _quantiles(k: float, n: float, wanted: FloatArray, n_sample: int) -> FloatArray:
    import numpy as np
    from scipy.special import xlog1py, xlogy

    grid = np.linspace(0.0, 1.0, n_sample)
    log_likelihood = xlogy(k, grid) + xlog1py(n - k, -grid)
    sums = np.cumsum(np.exp(log_likelihood - log_likelihood.max()))
    return np.asarray(np.interp(wanted, sums / sums[-1], grid))


def _counts(what: str, n_success: Any, n_trials: Any) -> tuple[FloatArray, FloatArray]:
    import numpy as np

    k, n = as_floats(what, "n_success", n_success), as_floats(what, "n_trials", n_trials)
    broadcast_shape(what, {"n_success": k, "n_trials": n})
    for name, counts in (("n_success", k), ("n_trials", n)):
        wrong = (counts < 0) | np.isinf(counts)
        if wrong.any():
            raise DeclarationError(what, name, float(np.ravel(counts[wrong])[0]), "counts, 0 or more")
    if (k > n).any():
        first = int(np.flatnonzero(np.ravel(k > n))[0])
        pair = tuple(float(np.ravel(each)[first]) for each in np.broadcast_arrays(k, n))
        raise DeclarationError(what, "n_success, n_trials", pair, "no more successes than trials")
    return k, n
