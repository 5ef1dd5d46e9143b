"""The picture of a comparison of dark models with flight: warm pixels over the years, and the ratio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core.dark_current.against_flight import FIT_YEARS
from aca_core.dark_current.bins import CCD_PIXELS
from aca_core.errors import DeclarationError
from aca_core.figures import COLORS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aca_core.dark_current.against_flight import DarkReport

__all__ = ["plot_dark_report"]


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
        and temperature; below the ratio of the two, cut at 0.5 and 1.5.

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
            start, stop = FIT_YEARS[name]
            fitted = (year >= start) & (year < stop)
            color = COLORS[number]
            above.plot(year, predicted, ":", color=color, lw=1.5)
            above.plot(year[fitted], predicted[fitted], "-", color=color, lw=1.7, label=f"model {name}")
            ratio = np.asarray(table[f"ratio_{name}"])
            below.plot(year[fitted], ratio[fitted], "o", color=color, ms=4)
            below.plot(year[~fitted], ratio[~fitted], "o", color=color, ms=4, mfc="white")
        above.set_ylim(bottom=0)
        above.set_ylabel(f"fraction of pixels above {report.threshold:g} e$^-$/s")
        above.set_title(f"Warm pixels of {len(table)} dark calibrations, each at its own temperature")
        above.plot([], [], ":", color="0.4", label="outside of the years of its fit")
        above.legend(loc="upper left")
        below.axhline(1, color="0.5", lw=1, zorder=1)
        below.set(xlabel="year", ylabel="model / counted", ylim=(0.5, 1.5))
    return figure
