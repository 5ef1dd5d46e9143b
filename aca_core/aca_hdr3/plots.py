"""What header-3 values look like over time."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.aca_hdr3.samples import Hdr3Series
from aca_core.arrays import FloatArray
from aca_core.dates import day_start, to_date
from aca_core.errors import DeclarationError
from aca_core.figures import COLORS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_samples"]

_UNITS: Final = {"deg_C": "°C", "us": "µs", "electron": "e⁻", "adu": "A/D counts"}
"""How units are written along an axis; others as they are."""

_MOST: Final = 12
"""Panels of one figure: more cannot be told apart."""

_FEW: Final = 3
"""Up to what difference whole numbers are shown with one more below and above."""

_LONG: Final = 10**9
"""From which number on labels are rounded."""

_SIZES: Final = ((100, 8.0), (3000, 4.0), (math.inf, 2.0))
"""Up to how many samples points have which size: a few would not be seen, and many would run into each other."""


def plot_samples(series: Sequence[Hdr3Series]) -> Figure:
    """Draw some quantities over time, one below the other.

    Parameters
    ----------
    series : sequence of Hdr3Series
        The quantities, 1 to 12.

    Returns
    -------
    matplotlib.figure.Figure
        Samples are points: where there are none, none are made up. What comes from synthetic files says so.

    Raises
    ------
    DeclarationError
        There are none, or too many. It is a ValueError.
    AcaError
        matplotlib is not installed.
    """
    if not 1 <= len(series) <= _MOST:
        raise DeclarationError("plot", "msids", f"{len(series)} quantities", f"1 to {_MOST} of them in one figure")
    count = len(series)
    with styled():
        figure = new_figure(8.6, 4.2 if count == 1 else 1.0 + 1.85 * count)
        axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
        origin = float(day_start(_range(series)[0]))
        for number, (panel, each) in enumerate(zip(axes, series, strict=True)):
            _draw(panel, each, origin, COLORS[number % len(COLORS)])
            if count > 1:
                panel.set_title(f"{each.msid}: {each.desc}", fontsize=9.5)
        _label_times(axes[-1], series, origin)
        figure.align_ylabels(axes)
        title = f"{series[0].msid}: {series[0].desc}" if count == 1 else "ACA header 3"
        figure.suptitle(_title(title, series), x=0.01, ha="left", fontsize=11)
    return figure


def _draw(axes: Axes, series: Hdr3Series, origin: float, color: str) -> None:
    values = np.ma.masked_invalid(series.vals)
    known = ~np.ma.getmaskarray(values)
    size = next(size for most, size in _SIZES if values.size <= most)
    axes.plot(
        _days(series.times[known], origin), values.compressed(), ".", ms=size, mew=0, color=color, rasterized=True
    )
    unit = "raw word" if series.raw else _UNITS.get(series.unit, series.unit)
    axes.set_ylabel(unit or "number")
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.margins(y=0.1)
    if values.dtype.kind in "iu" and known.any():
        _label_whole(axes, values.compressed())
    if not known.any():
        axes.text(0.5, 0.5, "no samples", transform=axes.transAxes, ha="center", va="center", color=COLORS[6])
        axes.set_yticks([])


def _label_whole(axes: Axes, values: npt.NDArray[np.integer[Any]]) -> None:
    """Label an axis of whole numbers with such, also where all of them are the same."""
    from matplotlib.ticker import MaxNLocator

    low, high = int(values.min()), int(values.max())
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    if high >= _LONG:  # in full they would be written over the name of the axis, and short ones must differ
        axes.yaxis.set_major_formatter("{x:.4g}")
        axes.set_ylim(min(low, 0.95 * high), 1.05 * high)
    elif high - low < _FEW:
        axes.set_ylim(low - 1, high + 1)


def _days(times: Any, origin: float) -> Any:
    """Return CXC seconds as what matplotlib counts dates in, days since 1970."""
    return np.datetime64(_iso(origin), "s").astype(float) / 86400.0 + (times - origin) / 86400.0


def _iso(secs: float) -> str:
    """Return the day of a midnight for numpy."""
    year, day = to_date(secs).split(":")[:2]
    return str(np.datetime64(f"{year}-01-01") + np.timedelta64(int(day) - 1, "D"))


def _label_times(axes: Axes, series: Sequence[Hdr3Series], origin: float) -> None:
    """Label the axis of time with years, days of the year and hours, as the field writes dates."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    # matplotlib.dates has no annotations, which is all that the three marks below are for.
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    formatter = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        formats=["%Y", "%Y:%j", "%Y:%j", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["", "%Y:%j", "%Y:%j", "%Y:%j", "%H:%M", "%H:%M"],
        offset_formats=["", "", "", "%Y:%j", "%Y:%j", "%Y:%j"],
    )
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlabel("date (UTC)")
    first, last = _days(np.array(_range(series)), origin)
    margin = max(0.02 * (last - first), 2 / 86400)  # seconds are the finest that is written
    axes.set_xlim(first - margin, last + margin)
    labels = formatter.format_ticks(axes.get_xticks())  # type: ignore[no-untyped-call]
    formatter.show_offset = not any(re.fullmatch(r"\d{4}:\d{3}", label) for label in labels)  # once is enough


def _range(series: Sequence[Hdr3Series]) -> tuple[float, float]:
    """Return from when to when there are samples; what was asked for where there are none."""
    times: list[FloatArray] = [each.times for each in series if each.times.size]
    if times:
        return min(float(each[0]) for each in times), max(float(each[-1]) for each in times)
    return series[0].tstart, series[0].tstop


def _title(what: str, series: Sequence[Hdr3Series]) -> str:
    first, last = (to_date(secs)[:17] for secs in _range(series))
    synthetic = ", synthetic telemetry" if any(each.synthetic for each in series) else ""
    return f"{what}, {first} to {last}{synthetic}"
