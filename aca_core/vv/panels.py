"""The panels that the figures of a slot are made of: residuals against each other, residuals, magnitudes and angles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from aca_core.arrays import BoolArray, FloatArray
from aca_core.dates import to_date
from aca_core.figures import COLORS
from aca_core.vv.slot_data import SlotData
from aca_core.vv.statistics import BIG, OMITTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = ["BAD", "draw_angle", "draw_mag", "draw_residual", "draw_yz"]

GOOD, BAD, LIMIT, LIGHT, FAINT = COLORS[2], COLORS[1], COLORS[6], COLORS[0], COLORS[4]

_HALF: Final = {"FID": 0.05, "GUIDE": 0.5, "MONITOR": 0.5}
"""Half of the least range of residuals that is shown, arcsec (sot/mica `vv/core.py`)."""

_FIXED: Final = {"FID": (0.1, 0.05), "GUIDE": (1.0, BIG), "MONITOR": (1.0, BIG)}
"""Half of the fixed range around the medians, and the radius of the circle in it, arcsec (sot/mica `vv/core.py`)."""

_HALF_MAG: Final = 0.1
"""Half of the least range of magnitudes that is shown."""

_PART: Final = 0.55
"""Half of what is shown, as a part of the extent of the good samples: 5 % are left at each side."""

_SIZES: Final = ((300, 6.0), (6000, 3.5), (30000, 2.2), (np.inf, 1.6))
"""Up to how many samples points have which size: a few would not be seen, and many would run into each other."""


def draw_yz(axes: Axes, data: SlotData, *, fixed: bool = False) -> None:
    """Draw the residuals in Y and Z against each other.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    data : SlotData
        The slot.
    fixed : bool, default False
        Whether the range is a fixed one around the medians, and not that of the good samples.
    """
    center = _medians(data) if fixed else _middles(data)
    half = _FIXED[data.kind][0] if fixed else _half(data)
    shown = _is_within(data.dy, center[0], half) & _is_within(data.dz, center[1], half)
    axes.axhline(0, color=LIMIT, lw=0.6, alpha=0.6)
    axes.axvline(0, color=LIMIT, lw=0.6, alpha=0.6)
    _points(axes, data.dy, data.dz, data, shown)
    if _usable(data).any():
        _draw_medians(axes, _medians(data), data, half)
    axes.set_xlim(center[0] - half, center[0] + half)
    axes.set_ylim(center[1] - half, center[1] + half)
    axes.set_aspect("equal")
    axes.set_xlabel("Y residual (arcsec)")
    axes.set_ylabel("Z residual (arcsec)")
    axes.ticklabel_format(useOffset=False, style="plain")
    if max(map(abs, center)) > 10:
        axes.locator_params(nbins=5)  # more numbers of so many digits would run into each other
    _legend(axes)
    _say_what_is_not_there(axes, data)


def draw_residual(axes: Axes, data: SlotData, axis: str) -> None:
    """Draw the residuals of one axis over time; of a fid light its angle, too.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    data : SlotData
        The slot.
    axis : {'y', 'z'}
        Which axis.
    """
    number = "yz".index(axis)
    values = (data.dy, data.dz)[number]
    center, half = _middles(data)[number], _half(data)
    axes.axhline(0, color=LIMIT, lw=0.6, alpha=0.6)
    _points(axes, _kiloseconds(data), values, data, _is_within(values, center, half))
    if _usable(data).any():
        _draw_bounds(axes, _medians(data)[number], _FIXED[data.kind][1], center, half)
    axes.set_ylim(center - half, center + half)
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.set_ylabel(f"{axis.upper()} residual (arcsec)")
    if data.kind == "FID":
        _draw_fid_angle(axes, data, axis)
    _label_time(axes, data)
    _legend(axes)
    _say_what_is_not_there(axes, data)


def draw_mag(axes: Axes, data: SlotData) -> None:
    """Draw the magnitudes over time, bright ones above.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    data : SlotData
        The slot.
    """
    known = np.isfinite(data.mag)
    range_of = known & data.good if (known & data.good).any() else known
    low, high = _extent(data.mag[range_of])
    center, half = (low + high) / 2, max(_PART * (high - low), _HALF_MAG)
    _points(axes, _kiloseconds(data), data.mag, data, _is_within(data.mag, center, half))
    axes.set_ylim(center + half, center - half)
    axes.set_ylabel("magnitude (mag)")
    _label_time(axes, data)
    _legend(axes)
    if len(known) and not known.any():
        _say(axes, "no signal in any sample")
        axes.set_yticks([])
    else:
        _say_what_is_not_there(axes, data, of_residuals=False)


def draw_angle(axes: Axes, data: SlotData, axis: str) -> None:
    """Draw the measured and the predicted angle of a star over time.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    data : SlotData
        The slot.
    axis : {'y', 'z'}
        Which axis.
    """
    is_y = axis == "y"
    measured, predicted = (data.ang_y, data.yag) if is_y else (data.ang_z, data.zag)
    measured = 3600.0 * measured
    chosen = data.good & np.isfinite(measured) if data.good.any() else np.isfinite(measured)
    low, high = _extent(np.concatenate([measured[chosen], predicted[np.isfinite(predicted)]]))
    center, half = (low + high) / 2, max(_PART * (high - low), 1.0)
    times = _kiloseconds(data)
    _points(axes, times, measured, data, _is_within(measured, center, half))
    if len(times):
        axes.plot(*_with_breaks(times, predicted, data), color=LIGHT, lw=0.9, label="predicted", zorder=4)
    axes.set_ylim(center - half, center + half)
    axes.set_ylabel(f"{axis.upper()} angle (arcsec)")
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    _label_time(axes, data)
    _legend(axes)
    _say_what_is_not_there(axes, data)


# ---- ranges ---------------------------------------------------------------------------------------------------------


def _known(data: SlotData) -> BoolArray:
    known: BoolArray = np.isfinite(data.dy) & np.isfinite(data.dz)
    return known


def _usable(data: SlotData) -> BoolArray:
    """Return which samples are good and have residuals that are numbers."""
    usable: BoolArray = _known(data) & data.good
    return usable


def _ranged(data: SlotData) -> BoolArray:
    """Return which samples the range is made from: the usable ones, and all where there are none."""
    usable = _usable(data)
    return usable if usable.any() else _known(data)


def _extent(values: FloatArray) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)


def _middles(data: SlotData) -> tuple[float, float]:
    chosen = _ranged(data)
    (low_y, high_y), (low_z, high_z) = _extent(data.dy[chosen]), _extent(data.dz[chosen])
    return (low_y + high_y) / 2, (low_z + high_z) / 2


def _medians(data: SlotData) -> tuple[float, float]:
    chosen = _ranged(data)
    return (float(np.median(data.dy[chosen])), float(np.median(data.dz[chosen]))) if chosen.any() else (0.0, 0.0)


def _half(data: SlotData) -> float:
    chosen = _ranged(data)
    extents = [high - low for low, high in (_extent(data.dy[chosen]), _extent(data.dz[chosen]))]
    return max(_PART * max(extents), _HALF[data.kind])


def _is_within(values: FloatArray, center: float, half: float) -> BoolArray:
    within: BoolArray = np.abs(values - center) <= half
    return within


def _kiloseconds(data: SlotData) -> FloatArray:
    """Return times from the first sample on, ks."""
    return (data.time - data.time[0]) / 1000.0 if len(data.time) else data.time


def _with_breaks(times: FloatArray, values: FloatArray, data: SlotData) -> tuple[FloatArray, FloatArray]:
    """Return a line that has a break between aspect intervals."""
    starts = _starts(data)
    return np.insert(times, starts, np.nan), np.insert(np.asarray(values, dtype=float), starts, np.nan)


def _starts(data: SlotData) -> Any:
    """Return where in the samples an interval begins, but for the first."""
    return np.flatnonzero(np.diff(data.interval)) + 1


# ---- what is drawn --------------------------------------------------------------------------------------------------


def _points(axes: Axes, x: FloatArray, y: FloatArray, data: SlotData, shown: BoolArray) -> None:
    size = next(size for most, size in _SIZES if len(x) <= most)
    known = np.isfinite(x) & np.isfinite(y)
    for name, chosen, color, width in (("good", data.good, GOOD, size), ("bad", ~data.good, BAD, max(size + 1.5, 4.0))):
        drawn = known & chosen
        count, outside = int(drawn.sum()), int((drawn & ~shown).sum())
        if not count:
            continue  # nothing of a kind needs no line in the legend
        label = f"{count} {name}" + (f", {outside} outside" if outside else "")
        # What is bad is drawn above what is good, and larger: it is little, and one looks for it.
        axes.plot(x[drawn], y[drawn], ".", ms=width, mew=0, color=color, zorder=2.5, rasterized=True, label=label)


def _draw_medians(axes: Axes, center: tuple[float, float], data: SlotData, half: float) -> None:
    """Mark the medians, and draw the circle around them where one would see it."""
    from matplotlib.patches import Circle

    radius = _FIXED[data.kind][1]
    label = f"medians {_signed(center[0])}, {_signed(center[1])}"
    axes.plot(*center, "+", color="black", ms=9, mew=1.4, zorder=5, ls="", label=label)
    if radius < 1.2 * half:
        axes.add_patch(Circle(center, radius, fill=False, color="black", lw=1.1, ls="--", zorder=4))
        axes.plot([], [], color="black", lw=1.1, ls="--", label=f"{radius:g} arcsec from them")


def _draw_bounds(axes: Axes, median: float, radius: float, center: float, half: float) -> None:
    """Draw the median, and how far from it samples may be where one would see that."""
    axes.axhline(median, color="black", lw=0.9, zorder=4, label=f"median {_signed(median)}")
    bounds = [bound for bound in (median - radius, median + radius) if abs(bound - center) <= half]
    for number, bound in enumerate(bounds):
        label = None if number else f"{radius:g} arcsec from it"  # once is enough
        axes.axhline(bound, color="black", lw=0.9, ls=":", zorder=4, label=label)


def _draw_fid_angle(axes: Axes, data: SlotData, axis: str) -> None:
    """Draw the angle of a fid light along an axis of its own."""
    angle = 3600.0 * (data.ang_y_sm if axis == "y" else data.ang_z_sm)
    beside = axes.twinx()
    beside.plot(*_with_breaks(_kiloseconds(data), np.where(data.good, angle, np.nan), data), color=FAINT, lw=0.8)
    low, high = _extent(angle[data.good & np.isfinite(angle)])
    half = max(_PART * (high - low), 0.5)
    beside.set_ylim((low + high) / 2 - half, (low + high) / 2 + half)
    beside.set_ylabel(f"{axis.upper()} angle (arcsec)", color=LIGHT)
    beside.tick_params(axis="y", colors=LIGHT)
    beside.ticklabel_format(axis="y", useOffset=False, style="plain")
    beside.spines["right"].set_visible(True)
    beside.spines["right"].set_color(LIGHT)
    beside.grid(visible=False)
    axes.set_zorder(beside.get_zorder() + 1)  # the residuals are what it is about
    axes.patch.set_visible(False)


def _label_time(axes: Axes, data: SlotData) -> None:
    """Label the axis of time, and mark where aspect intervals begin."""
    times = _kiloseconds(data)
    last = float(times[-1]) if len(times) else 0.0
    margin = 0.05 * (last or 1.0)
    axes.set_xlim(-margin, last + margin)
    starts = _starts(data)
    for start in [0, *starts] if len(starts) else []:
        axes.axvline(times[start], color=LIMIT, lw=0.9, ls="--", zorder=1.5)
    since = f" since {to_date(float(data.time[0]))[:17]}" if len(times) else ""
    axes.set_xlabel(f"time{since} (ks)")


def _legend(axes: Axes) -> None:
    """Write what is what above the panel, where it covers nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        columns = len(labels) if axes.get_aspect() == "auto" else 2
        options: dict[str, Any] = {"fontsize": 8, "handletextpad": 0.4, "columnspacing": 1.2, "borderaxespad": 0.2}
        legend = axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, **options)
        for handle in legend.legend_handles:
            line = cast("Line2D", handle)
            if line.get_marker() == ".":
                line.set_markersize(8)  # the points themselves may be too small to show their colour


def _say_what_is_not_there(axes: Axes, data: SlotData, *, of_residuals: bool = True) -> None:
    if not len(data.time):
        _say(axes, "no samples")
        axes.set(xticks=[], yticks=[])
    elif not data.good.any():
        _say(axes, "no good samples")
    elif of_residuals and not _usable(data).any():
        _say(axes, "no good residuals that are numbers")
    elif of_residuals and data.kind == "FID" and data.id_status == OMITTED:
        _say(axes, "position of the fid light not known:\nresiduals mean nothing")


def _say(axes: Axes, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": LIMIT, "alpha": 0.85, "boxstyle": "round"}
    axes.text(0.5, 0.92, text, transform=axes.transAxes, ha="center", va="top", bbox=box, zorder=10)


def _signed(number: float) -> str:
    """Return a number with no more digits than there is room for."""
    decimals = 3 if abs(number) < 10 else 1
    return f"{number:.{decimals}f}".replace("-", "\N{MINUS SIGN}")
