"""The picture of a comparison of dark models with flight: warm pixels over the years, and the ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aca_core.arrays import BoolArray, FloatArray
from aca_core.dark_current.bins import CCD_PIXELS
from aca_core.dark_current.laws import dark_law
from aca_core.errors import DeclarationError
from aca_core.figures import COLORS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aca_core.dark_current.against_flight import DarkReport

__all__ = ["plot_dark_report"]

_RATIOS: Final = (0.5, 1.5)
"""What the lower panel shows: with one calibration of 1999 on the axis, all the others would be one line."""

_NAMED: Final = 4
"""How many ratios beyond an edge have their value beside them: more would lie over each other."""


def plot_dark_report(report: DarkReport) -> Figure:
    """Draw what `evaluate_dark_models` has found.

    Parameters
    ----------
    report : DarkReport
        Its result, of up to six models.

    Returns
    -------
    matplotlib.figure.Figure
        Above the fraction of warm pixels that was counted in each calibration, and what each model says for its date
        and temperature; below the ratio of the two, from 0.5 to 1.5. A ratio beyond that is a triangle at the edge; the
        first few of each model have their value beside them.

    Raises
    ------
    DeclarationError
        There are more models than can be told apart. It is a ValueError.
    AcaError
        matplotlib is not installed.
    """
    import numpy as np

    if len(report.models) >= len(COLORS):
        raise DeclarationError("plot_dark_report", "models", report.models, f"at most {len(COLORS) - 1} models")
    table = report.table
    year = np.asarray(table["frac_year"])
    with styled():
        figure = new_figure(8.0, 5.6)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[5, 3])
        above.plot(year, table["count"] / CCD_PIXELS, "o", color="0.15", ms=4.5, zorder=3, label="counted")
        for number, name in enumerate(report.models):
            predicted = np.asarray(table[f"predicted_{name}"]) / CCD_PIXELS
            start, stop = dark_law(name).fitted
            fitted = (year >= start) & (year < stop)
            color = COLORS[number]
            above.plot(year, predicted, ":", color=color, lw=1.5)
            above.plot(year[fitted], predicted[fitted], "-", color=color, lw=1.7, label=f"model {name}")
            ratio = np.asarray(table[f"ratio_{name}"])
            _draw_ratios(below, year, ratio, fitted, number, (year.min() + year.max()) / 2)
        above.set_ylim(bottom=0)
        above.set_ylabel(f"fraction of pixels above {report.threshold:g} e$^-$/s")
        above.set_title(f"Warm pixels of {len(table)} dark calibrations, each at its own temperature")
        above.plot([], [], ":", color="0.4", label="outside of the years of its fit")
        above.legend(loc="upper left")
        below.axhline(1, color="0.5", lw=1, zorder=1)
        below.set(xlabel="year", ylabel="model / counted", ylim=_RATIOS)
    return figure


def _draw_ratios(
    axes: Axes, year: FloatArray, ratio: FloatArray, fitted: BoolArray, number: int, middle: float
) -> None:
    """Draw the ratios of a model as points, open ones outside of the years of its fit; those beyond at the edge."""
    low, high = _RATIOS
    color = COLORS[number]
    inside = (ratio >= low) & (ratio <= high)
    beyond = [(high, ratio > high, "^", -1), (low, ratio < low, "v", 1)]
    for which, fill in ((fitted, color), (~fitted, "white")):
        axes.plot(year[inside & which], ratio[inside & which], "o", color=color, ms=4, mfc=fill)
        for edge, where, marker, _ in beyond:
            x = year[where & which]
            axes.plot(x, [edge] * len(x), marker, color=color, mfc=fill, clip_on=False, in_layout=False)
    for edge, where, _, up in beyond:
        for x, value in zip(year[where][:_NAMED], ratio[where][:_NAMED], strict=True):
            left = x > middle  # the text of a point goes where there is room, those of several models below each other
            place = (-7 if left else 7, up * (6 + 11 * number))
            axes.annotate(
                f"{value:.3g}",
                (x, edge),
                place,
                textcoords="offset points",
                color=color,
                va="center",
                ha="right" if left else "left",
                in_layout=False,
            )
