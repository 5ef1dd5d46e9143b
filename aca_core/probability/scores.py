"""How good predicted probabilities are, given what happened: scores, rates in bins, and reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aca_core.arrays import BoolArray, FloatArray
from aca_core.errors import DeclarationError
from aca_core.probability.binomial import binomial_confidence_interval

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["LIKELIHOOD_FLOOR", "bin_edges", "checked_edges", "rates_in_bins", "reliability", "scores"]

LIKELIHOOD_FLOOR: Final = 1e-4
"""The least probability that a likelihood is taken of, for success as for failure.

A single star that a model calls impossible and that is acquired all the same would make the likelihood of the whole
table nothing at all. With this value a star costs 9.2 at most, and flight has too few stars alike to tell smaller
probabilities apart.
"""

_MANY: Final = 100


def scores(prob: FloatArray, success: BoolArray) -> dict[str, float | int]:
    """Return how well probabilities of success agree with what happened.

    Parameters
    ----------
    prob : ndarray, (n,)
        Predicted probability of success, without NaN.
    success : ndarray of bool, (n,)
        What happened.

    Returns
    -------
    dict
        ``n``; ``observed``, failures; ``predicted``, failures; ``ratio``, predicted over observed, NaN where none was
        observed; ``log_likelihood``, mean of each star; ``brier``, mean square of probability minus outcome;
        ``clipped``, how many probabilities were so near to 0 or 1 that the likelihood was taken at
        `LIKELIHOOD_FLOOR` from there. The scores are NaN without stars.

    Examples
    --------
    >>> import numpy as np
    >>> found = scores(np.array([0.9, 0.5]), np.array([True, False]))
    >>> round(found["ratio"], 3), round(found["log_likelihood"], 6), round(found["brier"], 3)
    (0.6, -0.399254, 0.13)
    """
    import numpy as np

    observed = int(np.count_nonzero(~success))
    predicted = float(np.sum(1.0 - prob))
    within = np.clip(prob, LIKELIHOOD_FLOOR, 1.0 - LIKELIHOOD_FLOOR)
    likelihoods = np.log(np.where(success, within, 1.0 - within))
    return {
        "n": int(prob.size),
        "observed": observed,
        "predicted": predicted,
        "ratio": predicted / observed if observed else float("nan"),
        "log_likelihood": _mean(likelihoods),
        "brier": _mean((prob - success) ** 2),
        "clipped": int(np.count_nonzero(within != prob)),
    }


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else float("nan")


def bin_edges(values: FloatArray, step: float | None = None) -> FloatArray:
    """Return edges on round numbers that cover some values.

    Parameters
    ----------
    values : ndarray, (n,)
        The values, without NaN.
    step : float, optional
        The width of a bin; by default, and where it would make more than a hundred, one of 1, 2 or 5 times a power of
        ten that makes about ten.

    Returns
    -------
    ndarray, (n_bins + 1,)
        Ascending, at least two.

    Examples
    --------
    >>> import numpy as np
    >>> bin_edges(np.array([8.6, 9.2]), 0.25).tolist()
    [8.5, 8.75, 9.0, 9.25]
    >>> bin_edges(np.array([0.032, 0.17])).tolist()
    [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18]
    """
    import numpy as np

    if not values.size:
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    width = step if step and high - low <= _MANY * step else _round_step((high - low) / 10)
    first = int(np.floor(low / width + 1e-9))
    last = max(first + 1, int(np.ceil(high / width - 1e-9)))
    # A value that is all but on a round number may lie on the other side of it than its quotient says.
    first -= np.round(first * width, 12) > low
    last += np.round(last * width, 12) < high
    return np.round(np.arange(first, last + 1) * width, 12)


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2 or 5 times a power of ten that is no less than a number; 1 for next to 0."""
    import math

    if least < 1e-9:  # rounding would take the edges together
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9)))


def checked_edges(name: str, edges: Any) -> FloatArray:
    """Return edges of bins that a caller has given.

    Parameters
    ----------
    name : str
        The argument, for messages.
    edges : array_like, (n_bins + 1,)
        The edges.

    Returns
    -------
    ndarray

    Raises
    ------
    DeclarationError
        They are not at least two ascending numbers. It is a ValueError.
    """
    import numpy as np

    from aca_core.quantities import as_floats

    numbers = as_floats("evaluate_outcomes", name, edges)
    if numbers.ndim != 1 or numbers.size < 2 or not np.all(np.diff(numbers) > 0):
        raise DeclarationError("evaluate_outcomes", name, edges, "the edges of bins: at least two ascending numbers")
    return numbers


def rates_in_bins(
    values: FloatArray, edges: FloatArray, success: BoolArray, probs: Mapping[str, FloatArray], name: str
) -> Table:
    """Return observed and predicted failure rates in bins.

    Parameters
    ----------
    values : ndarray, (n,)
        What is binned.
    edges : ndarray, (n_bins + 1,)
        Lower edges belong to their bin; the last upper edge too.
    success : ndarray of bool, (n,)
        What happened.
    probs : mapping of str to ndarray, (n,)
        For each model its probabilities of success.
    name : str
        What is binned: columns ``<name>_low`` and ``<name>_high``.

    Returns
    -------
    astropy.table.Table
        A row for each bin: edges, ``n``, ``failures``, ``rate``, ``rate_low``, ``rate_high`` (Jeffreys interval,
        68.27 %), and a column for each model with the mean of its failure probabilities. NaN where a bin is empty.
    """
    import numpy as np
    from astropy.table import Table

    n_bins = edges.size - 1
    number = np.searchsorted(edges, values, side="right") - 1
    number[values == edges[-1]] = n_bins - 1
    inside = (number >= 0) & (number < n_bins)
    number = number[inside]
    n = np.bincount(number, minlength=n_bins)
    failures = np.bincount(number, weights=~success[inside], minlength=n_bins).astype(int)
    rate, low, high = binomial_confidence_interval(failures, n)
    table = Table({f"{name}_low": edges[:-1], f"{name}_high": edges[1:], "n": n, "failures": failures})
    table["rate"], table["rate_low"], table["rate_high"] = rate, np.where(n, low, np.nan), np.where(n, high, np.nan)
    for model, prob in probs.items():
        total = np.bincount(number, weights=1.0 - prob[inside], minlength=n_bins)
        table[model] = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    return table


def reliability(prob: FloatArray, success: BoolArray, n_bins: int = 12) -> Table:
    """Return how often stars fail that are predicted to fail alike often: the points of a reliability diagram.

    Most stars are easy, so that bins of equal width would hold all or nothing; these hold equally many stars.

    Parameters
    ----------
    prob : ndarray, (n,)
        Predicted probability of success.
    success : ndarray of bool, (n,)
        What happened.
    n_bins : int, default 12
        How many bins at most; equal predictions stay in one bin.

    Returns
    -------
    astropy.table.Table
        From the least to the greatest predicted failure rate: ``n``, ``failures``, ``predicted`` (the mean), ``rate``,
        ``rate_low``, ``rate_high`` (Jeffreys interval, 68.27 %).
    """
    import numpy as np
    from astropy.table import Table

    failure = 1.0 - prob
    inner = np.unique(np.quantile(failure, np.linspace(0, 1, n_bins + 1)[1:-1])) if failure.size else np.empty(0)
    number = np.searchsorted(inner, failure, side="left")
    n = np.bincount(number, minlength=inner.size + 1)
    failures = np.bincount(number, weights=~success, minlength=inner.size + 1).astype(int)
    predicted = np.bincount(number, weights=failure, minlength=inner.size + 1) / np.maximum(n, 1)
    full = n > 0
    rate, low, high = binomial_confidence_interval(failures[full], n[full])
    names = ("n", "failures", "predicted", "rate", "rate_low", "rate_high")
    return Table([n[full], failures[full], predicted[full], rate, low, high], names=names)
