"""What the histograms of dark-current models look like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dark_current.bins import BIN_DEX, CCD_PIXELS
from aca_core.figures import COLORS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_histograms"]

_WARM = 100.0  # e-/s


def plot_histograms(
    edges: Iterable[FloatArray], counts: Iterable[FloatArray], labels: Sequence[str], title: str
) -> Figure:
    """Draw histograms of dark current, and beside them the fraction of pixels that are warmer.

    Parameters
    ----------
    edges : m ndarrays, shape (n + 1,)
        Edges of the bins of m histograms, e-/s; `n` may differ from one to the next.
    counts : m ndarrays, shape (n,)
        Pixels in the bins.
    labels : sequence of str
        What each is.
    title : str
        What they all are.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    AcaError
        matplotlib is not installed.
    """
    with styled():
        figure = new_figure(10.0, 4.4)
        per_bin, warmer = figure.subplots(1, 2, sharex=True)
        most = 1.0
        for number, (edge, count, label) in enumerate(zip(edges, counts, labels, strict=True)):
            color = COLORS[number % len(COLORS)]
            per_bin.stairs(count, edge, color=color, label=label, linewidth=1.5)
            fraction = np.cumsum(count[::-1])[::-1] / CCD_PIXELS
            warmer.plot(edge[:-1], fraction, color=color, label=label)
            most = max(most, float(fraction.max(initial=0.0)))
        _finish(per_bin, f"pixels per bin of {BIN_DEX:g} dex", f"Histogram: {title}")
        _finish(warmer, "fraction of the CCD's pixels", "Pixels that are warmer")
        per_bin.set_ylim(bottom=0.1)
        warmer.set_ylim(1e-6, max(2.0, 1.5 * most))
        if most > 1:  # above it, a model has more pixels than there are
            warmer.axhline(1, color=COLORS[-1], linewidth=0.8, linestyle="--", label="all pixels of the CCD")
        warmer.legend(loc="lower left")
    return figure


def _finish(axes: Axes, ylabel: str, title: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel="dark current (e⁻/s)", ylabel=ylabel, title=title)
    axes.axvline(_WARM, color=COLORS[-1], linewidth=0.8, linestyle=":")
    axes.annotate(
        f"{_WARM:g} e⁻/s",
        (_WARM, 0.99),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=8.5,
        color=COLORS[-1],
    )
