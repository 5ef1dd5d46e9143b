"""What the residuals of one slot look like: against each other and over time, with their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.errors import DeclarationError
from aca_core.figures import COLORS, new_figure, styled
from aca_core.vv.judgement import Check, check_slot
from aca_core.vv.panels import BAD, draw_angle, draw_mag, draw_residual, draw_yz
from aca_core.vv.slot_data import SlotData
from aca_core.vv.statistics import slot_statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["SLOT_PLOTS", "plot_slot", "slot_plot", "slot_plots"]

_IN_TABLE: Final = {
    "dy_rms": "Y rms (arcsec)",
    "dz_rms": "Z rms (arcsec)",
    "dy_med": "Y median (arcsec)",
    "dz_med": "Z median (arcsec)",
    "rad_off": "radial offset (arcsec)",
    "frac_dy_big": "far off in Y (fraction)",
    "frac_dz_big": "far off in Z (fraction)",
    "mag_med_good": "median magnitude (mag)",
}
"""What the table of a figure has, by the keys of the statistics."""


@attrs.frozen
class _Plot:
    """One of the plots of a slot: how it is drawn, what it is called, and how large it is."""

    draw: Callable[[Axes, SlotData], None]
    title: str
    size: tuple[float, float]


_SQUARE: Final = (5.4, 5.8)
_WIDE: Final = (8.6, 3.8)

SLOT_PLOTS: Final[Mapping[str, _Plot]] = {
    "yz": _Plot(draw_yz, "residuals", _SQUARE),
    "yzf": _Plot(lambda axes, data: draw_yz(axes, data, fixed=True), "residuals about medians", _SQUARE),
    "y": _Plot(lambda axes, data: draw_residual(axes, data, "y"), "Y residuals", _WIDE),
    "z": _Plot(lambda axes, data: draw_residual(axes, data, "z"), "Z residuals", _WIDE),
    "m": _Plot(draw_mag, "magnitude", _WIDE),
}
"""The plots of a slot, by the end of the name of their files."""


def slot_plot(data: SlotData, which: str, *, obsid: int | None = None, synthetic: bool = False) -> Figure:
    """Draw one of the plots of a slot.

    Parameters
    ----------
    data : SlotData
        The slot.
    which : {'yz', 'yzf', 'y', 'z', 'm'}
        The residuals in Y and Z against each other, in the range of the good ones, or centred on their medians in a
        fixed range; either over time; magnitudes over time.
    obsid : int, optional
        The observation, for the title.
    synthetic : bool, default False
        Whether the data are made up, which the title says then.

    Returns
    -------
    matplotlib.figure.Figure
        Good samples are green, bad ones are red; what lies outside of the range is counted in the legend.

    Raises
    ------
    DeclarationError
        There is no such plot. It is a ValueError.
    AcaError
        matplotlib is not installed.
    """
    if not isinstance(which, str) or which not in SLOT_PLOTS:
        raise DeclarationError("slot_plot", "which", which, f"one of {', '.join(SLOT_PLOTS)}")
    plot = SLOT_PLOTS[which]
    with styled():
        figure = new_figure(*plot.size)
        plot.draw(figure.subplots(), data)
        figure.suptitle(_title(data, plot.title, obsid, synthetic), x=0.01, ha="left", fontsize=11)
    return figure


def slot_plots(data: SlotData, *, obsid: int | None = None, synthetic: bool = False) -> Mapping[str, Figure]:
    """Draw all plots of a slot.

    Parameters
    ----------
    data : SlotData
        The slot.
    obsid, synthetic
        As for `slot_plot`.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        By the name of the file that each is written to, such as ``slot_4_yz.png``.

    Raises
    ------
    AcaError
        matplotlib is not installed.
    """
    return {
        f"slot_{data.slot}_{which}.png": slot_plot(data, which, obsid=obsid, synthetic=synthetic)
        for which in SLOT_PLOTS
    }


def plot_slot(data: SlotData, *, obsid: int | None = None, synthetic: bool = False) -> Figure:
    """Draw everything about a slot in one figure.

    Parameters
    ----------
    data : SlotData
        The slot.
    obsid, synthetic
        As for `slot_plot`.

    Returns
    -------
    matplotlib.figure.Figure
        Residuals against each other, in both ranges; residuals and magnitudes over time; of fid lights their angles
        beside the residuals, of stars the measured and predicted angles below them; a table of the limits.

    Raises
    ------
    AcaError
        matplotlib is not installed.
    """
    with styled():
        figure = new_figure(13.0, 10.4)
        parts: Any = figure.subfigures(1, 2, width_ratios=(1.0, 2.0), wspace=0.01)
        left, right = parts
        # The table is as wide as there is room: the panels above it leave some of it to what is written beside them.
        upper, lower = left.subfigures(2, 1, height_ratios=(2.9, 0.75))
        first, second = upper.subplots(2, 1)
        draw_yz(first, data)
        draw_yz(second, data, fixed=True)
        _draw_table(lower.subplots(), data)
        _draw_over_time(right, data)
        figure.suptitle(_title(data, "Residuals", obsid, synthetic), x=0.01, ha="left", fontsize=12)
    return figure


def _draw_over_time(part: SubFigure, data: SlotData) -> None:
    """Draw everything that has an axis of time, one below the other."""
    panels: list[Callable[[Axes], None]] = [
        lambda axes: draw_residual(axes, data, "y"),
        lambda axes: draw_residual(axes, data, "z"),
        lambda axes: draw_mag(axes, data),
    ]
    if data.kind != "FID":
        panels += [lambda axes: draw_angle(axes, data, "y"), lambda axes: draw_angle(axes, data, "z")]
    rows = part.subplots(len(panels), 1, sharex=True)
    for draw, axes in zip(panels, rows, strict=True):
        draw(axes)
    for axes in rows[:-1]:
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)
    part.align_ylabels(rows)


def _draw_table(axes: Axes, data: SlotData) -> None:
    """Write the statistics that have limits, and whether they keep them."""
    statistics = slot_statistics(data)
    checks = check_slot(statistics)
    axes.set_axis_off()
    rows = [("", "value", "limit", COLORS[6])]
    rows += [_row(words, statistics.get(key), _telling(key, checks)) for key, words in _IN_TABLE.items()]
    for number, (words, value, limit, color) in enumerate(rows):
        height = 1.0 - number / len(rows)
        weight = "bold" if color == BAD else "normal"
        for place, text, side in ((0.02, words, "left"), (0.74, value, "right"), (0.98, limit, "right")):
            style: dict[str, Any] = {"ha": side, "va": "top", "color": color, "fontsize": 9, "fontweight": weight}
            axes.text(place, height, text, transform=axes.transAxes, **style)


def _telling(key: str, checks: Sequence[Check]) -> Check | None:
    """Return the check of a statistic to show: the highest limit that it does not keep, else the lowest."""
    own = sorted((check for check in checks if check.name.removesuffix("_low") == key), key=lambda check: check.limit)
    failed = [check for check in own if not check.success]
    return failed[-1] if failed else own[0] if own else None


def _row(words: str, value: Any, check: Check | None) -> tuple[str, str, str, str]:
    """Return what a row of the table says, and its colour."""
    if check is not None:
        value = check.have
    written = "unknown" if value is None else f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
    if check is None:
        return words, written, "", "black"
    limit = f"{'< ' if check.success else 'not < '}{check.limit:g}"
    return words, written, limit, "black" if check.success else BAD


def _title(data: SlotData, what: str, obsid: int | None, synthetic: bool) -> str:
    """Return the title of a figure.

    Parameters
    ----------
    data : SlotData
        The slot.
    what : str
        What is drawn.
    obsid : int or None
        The observation.
    synthetic : bool
        Whether the data are made up.

    Returns
    -------
    str
    """
    light = {"FID": "fid light", "GUIDE": "guide star", "MONITOR": "monitor window"}[data.kind]
    status = f", {data.id_status}" if data.id_status not in ("", "GOOD") else ""
    start = "" if obsid is None else f"Obsid {obsid} "
    return f"{start}Slot {data.slot} {what} ({light}{status}){', synthetic data' if synthetic else ''}"
