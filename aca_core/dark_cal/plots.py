"""What dark calibrations look like: one map, and the fraction of warm pixels over the mission."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dark_current.laws import dark_law
from aca_core.dark_current.warm_fractions import warm_fraction_at
from aca_core.errors import AcaWarning, DeclarationError
from aca_core.figures import COLORS, celsius, new_figure, styled

if TYPE_CHECKING:
    from astropy.table import Table
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_dark_map", "plot_warm_fraction_history"]

_RANGE: Final = (1.0, 1000.0)
"""Dark current that the colours of a map tell apart, e-/s: less is noise, more are few pixels."""

_POINTS: Final = 400
"""How many dates a curve of the model is drawn through."""


def plot_warm_fraction_history(history: Table) -> Figure:
    """Draw the fraction of warm pixels over the mission: as measured, at one temperature, and the model's.

    Parameters
    ----------
    history : astropy.table.Table
        From `warm_fraction_history`.

    Returns
    -------
    matplotlib.figure.Figure
        Below the fractions it has the temperatures of the CCD, where any is known. The curve is dotted outside
        of the years that the model was fitted to.

    Raises
    ------
    AcaError
        matplotlib is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.dark_cal import warm_fraction_history
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2012115", level=120.0, t_ccd=-19.0).parent
    >>> figure = plot_warm_fraction_history(warm_fraction_history(source=folder))
    >>> figure.axes[0].get_ylabel()
    'pixels above 100 e⁻/s (%)'
    """
    asked = history.meta
    years = np.asarray(history["year"], dtype=float)
    with_temperatures = bool(np.isfinite(history["t_ccd"]).any())
    with styled():
        figure = new_figure(8.0, 5.8 if with_temperatures else 4.6)
        panels = 1 + with_temperatures
        axes = figure.subplots(panels, 1, sharex=True, height_ratios=[3, 1][:panels], squeeze=False)[:, 0]
        above, below = axes[0], axes[-1]
        above.plot(
            years, 100 * history["warm_raw"], "o", mfc="none", ms=5.5, color=COLORS[6], zorder=3, label="as measured"
        )
        if with_temperatures:
            label = f"scaled to {celsius(asked['t_ccd_ref'])}"
            above.plot(years, 100 * history["warm_ref"], "o", ms=5.5, color=COLORS[0], label=label)
            _draw_temperatures(below, years, history)
        _draw_model(above, years, asked)
        above.set_ylim(bottom=0)
        above.set_ylabel(f"pixels above {asked['threshold']:g} e⁻/s (%)")
        above.set_title(f"Warm pixels of the CCD, {_counted(history)} of “{asked['source']}”")
        above.legend(loc="best")
        below.ticklabel_format(axis="x", useOffset=False)
        below.set_xlabel("year")
    return figure


def _draw_temperatures(axes: Axes, years: FloatArray, history: Table) -> None:
    axes.plot(years, history["t_ccd"], "o", ms=4, color=COLORS[1])
    axes.axhline(history.meta["t_ccd_ref"], color=COLORS[0], lw=1, ls=":")
    axes.margins(y=0.15)
    axes.set_ylabel("CCD temp. (°C)")


def _counted(history: Table) -> str:
    """Return how many calibrations there are, and how many of them are synthetic."""
    n, synthetic = len(history), int(np.count_nonzero(history["synthetic"]))
    calibrations = f"{n} dark calibration{'s' * (n != 1)}"
    if synthetic in (0, n):
        return f"{n} synthetic {calibrations[len(str(n)) + 1 :]}" if synthetic else calibrations
    return f"{calibrations} ({synthetic} synthetic)"


def _draw_model(axes: Axes, years: FloatArray, asked: dict[str, Any]) -> None:
    """Draw the curve of the model over the years of the calibrations, dotted outside of the years of its fit."""
    law = dark_law(asked["model"])
    margin = max(0.02 * float(years.max() - years.min()), 0.5)
    first, last = float(years.min()) - margin, float(years.max()) + margin
    style: dict[str, Any] = {"color": COLORS[1], "lw": 1.8}
    begin, end = law.fitted
    labels = {"-": f"{law.name} model at {celsius(asked['t_ccd_ref'])}", ":": "the same outside the years of its fit"}
    for low, high, line in [(begin, end, "-"), (law.defined_from, begin, ":"), (end, last, ":")]:
        start, stop = max(first, low), min(last, high)
        if start < stop:
            grid = np.linspace(start, stop, _POINTS)[1:]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AcaWarning)  # the table has warned already
                curve = warm_fraction_at(law.name, grid, np.array(asked["t_ccd_ref"]), np.array(asked["threshold"]))
            axes.plot(grid, 100 * curve, line, label=labels.pop(line, "_"), **style)


def plot_dark_map(image: FloatArray, *, title: str = "") -> Figure:
    """Draw a dark map: colours by the logarithm of the dark current, coordinates of the CCD.

    Parameters
    ----------
    image : ndarray, shape (n, m)
        Dark current, e-/s; an `ACAImage` is drawn where it lies, any other with its centre at row 0 and column 0.
    title : str, optional
        What is written above.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DeclarationError
        It is no image. It is a ValueError.
    AcaError
        matplotlib is not installed.

    Examples
    --------
    >>> figure = plot_dark_map(np.full((1024, 1024), 20.0), title="twenty everywhere")
    >>> figure.axes[0].get_xlabel()
    'column (pixel)'
    """
    pixels = np.asarray(image)
    if pixels.ndim != 2 or pixels.size == 0:
        raise DeclarationError("plot_dark_map", "image", f"of shape {pixels.shape}", "an image with two axes")
    rows, columns = pixels.shape
    row0, col0 = getattr(image, "row0", -(rows // 2)), getattr(image, "col0", -(columns // 2))
    low, high = _RANGE
    with styled():
        from matplotlib.colors import LogNorm  # after it was said what to do where matplotlib is not installed

        figure = new_figure(7.4, 6.4)
        axes = figure.subplots()
        drawn = axes.imshow(
            np.clip(pixels, low, None),
            norm=LogNorm(low, high),
            cmap="inferno",
            origin="lower",
            interpolation="antialiased",
            # A pixel's number is that of its middle.
            extent=(col0 - 0.5, col0 + columns - 0.5, row0 - 0.5, row0 + rows - 0.5),
        )
        axes.grid(visible=False)
        axes.set_xlabel("column (pixel)")
        axes.set_ylabel("row (pixel)")
        axes.set_title(title)
        bar = figure.colorbar(drawn, ax=axes, extend="both", shrink=0.92)
        bar.set_label("dark current (e⁻/s)")
    return figure
