"""Pictures of probabilities: against magnitude and temperature, and against what happened to real stars."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aca_core.errors import AcaWarning, DeclarationError
from aca_core.figures import COLORS, celsius, new_figure, styled
from aca_core.probability.choice import ChosenModel, choose_model
from aca_core.probability.evaluate import evaluate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from aca_core.dates import DateLike
    from aca_core.models import ModelKind, ProbabilityModel
    from aca_core.probability.outcomes import OutcomeReport

__all__ = ["plot_outcomes", "plot_success"]

_LINES: Final = ("-", "--", ":", "-.")
"""One for each model of `plot_success`."""

_FAINT: Final = 0.35
"""How opaque a curve is outside of the model's range."""

_NOUNS: Final = {"acquisition": "Acquisition", "guide": "Guide"}
_FEW: Final = 5
_PART: Final = 1e-3
"""Bins with fewer stars, or with a smaller part of all, are not drawn: their intervals would dwarf all the others."""


def plot_success(
    kind: ModelKind = "acquisition",
    models: str | ProbabilityModel | Sequence[str | ProbabilityModel] | None = None,
    *,
    date: DateLike = None,
    t_ccds: Sequence[float] = (-14.0, -11.0, -8.0, -5.0),
    mags: Sequence[float] = (9.0, 10.0, 10.3, 10.6),
    color: float = 0.6,
    halfwidth: float = 120.0,
) -> Figure:
    """Draw the probability of success against magnitude and against CCD temperature.

    Parameters
    ----------
    kind : {'acquisition', 'guide'}, default 'acquisition'
        Probability of what.
    models : str, ProbabilityModel, or up to four of them, optional
        Which ones, each with a kind of line of its own; the configuration's choice by default.
    date : date-like, optional
        When; now by default.
    t_ccds : sequence of float
        CCD temperatures of the curves against magnitude, degC; up to seven.
    mags : sequence of float
        Magnitudes of the curves against temperature; up to seven.
    color, halfwidth : float
        B-V (mag) and half width of the search box (arcsec) of the stars.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels; a curve is faint where the star is fainter, or the temperature another, than in the model's range.
        An `AcaWarning` tells of a color or a half width that a model does not use; what it had to clip is not told.

    Raises
    ------
    DeclarationError
        There are more models or curves than can be told apart, or a value is none. It is a ValueError.
    UnknownNameError
        There is no such model. It is a LookupError.
    AcaError
        matplotlib is not installed.
    """
    import numpy as np

    from aca_core.dates import to_date

    chosen = _models(kind, models)
    curves = [("t_ccds", _curve_values("t_ccds", t_ccds)), ("mags", _curve_values("mags", mags))]
    mag_axis = np.linspace(7.0, 11.5, 226)
    t_axis = np.linspace(min(-16.0, *curves[0][1]), max(0.0, *curves[0][1]), 161)
    when = to_date(date)
    given = {"date": when, "color": color, "halfwidth": halfwidth}
    with styled():
        figure = new_figure(10.5, 4.6)
        left, right = figure.subplots(1, 2, sharey=True)
        faint = False
        for model, line in zip(chosen, _LINES, strict=False):
            _tell_ignored(model, given)
            for number, t_ccd in enumerate(curves[0][1]):
                faint |= _draw_curve(left, model, given, mag_axis, t_ccd, line, COLORS[number])
            for number, mag in enumerate(curves[1][1]):
                faint |= _draw_curve(right, model, given, mag, t_axis, line, COLORS[number])
        left.set(xlabel="magnitude", ylabel=f"probability of {kind} success", ylim=(-0.02, 1.02))
        left.set(xlim=(mag_axis[0], mag_axis[-1]))
        right.set(xlabel="CCD temperature (°C)", xlim=(t_axis[0], t_axis[-1]))
        degrees = [celsius(value) for value in curves[0][1]]
        _legend(left, degrees, "CCD temperature", loc="lower left")
        labels = [f"{value:g} mag" for value in curves[1][1]]
        _legend(right, labels, "magnitude", loc="upper left", bbox_to_anchor=(1.01, 1.0))
        names = ", ".join(each.model.name for each in chosen)
        figure.suptitle(f"{_NOUNS[kind]} success on {when[:8]}: {names}", x=0.01, ha="left", fontsize=11)
        if faint or len(chosen) > 1:
            _legend_of_lines(figure, [each.model.name for each in chosen], faint=faint)
    return figure


def _draw_curve(
    axes: Axes, model: ChosenModel, given: Mapping[str, Any], mag: Any, t_ccd: Any, line: str, color: str
) -> bool:
    """Draw success against magnitude or temperature, whichever is an array; return whether a part of it is faint."""
    import numpy as np

    prob = np.asarray(evaluate("plot_success", model, {**given, "mag": mag, "t_ccd": t_ccd}).result.prob)
    x, outside = (mag if np.ndim(mag) else t_ccd), np.zeros(prob.shape, dtype=bool)
    ranges = model.input_ranges()
    if "mag" in ranges:  # to brighter stars a model may be continued: they are easy
        outside |= np.asarray(mag) > ranges["mag"].high
    if "t_ccd" in ranges:
        outside |= (np.asarray(t_ccd) < ranges["t_ccd"].low) | (np.asarray(t_ccd) > ranges["t_ccd"].high)
    axes.plot(x, np.where(outside, np.nan, prob), line, color=color, lw=1.6)
    if not outside.any():
        return False
    # From the last point inside on, so that there is no gap.
    edge = outside | np.append(outside[1:], False) | np.insert(outside[:-1], 0, False)
    axes.plot(x, np.where(edge, prob, np.nan), line, color=color, lw=1.2, alpha=_FAINT)
    return True


def _tell_ignored(model: ChosenModel, given: Mapping[str, Any]) -> None:
    """Warn of what was said about the stars and makes no difference to a model; the date may be there for another."""
    result = evaluate("plot_success", model, {**given, "mag": 10.0, "t_ccd": -10.0}).result
    if ignored := ", ".join(name for name in result.ignored if name in ("color", "halfwidth")):
        text = f"plot_success: {model} does not use {ignored}; what was given is ignored"
        warnings.warn(text, AcaWarning, stacklevel=3)


def _models(kind: ModelKind, models: Any) -> list[ChosenModel]:
    several = list(models) if isinstance(models, list | tuple) else [models]
    if not 0 < len(several) <= len(_LINES):
        raise DeclarationError("plot_success", "models", models, f"one to {len(_LINES)} models")
    chosen = [choose_model("plot_success", kind, each) for each in several]
    if len({each.model.name for each in chosen}) < len(chosen):
        raise DeclarationError("plot_success", "models", models, "each name once")
    return chosen


def _curve_values(name: str, values: Any) -> list[float]:
    import numpy as np

    from aca_core.quantities import as_floats

    numbers = as_floats("plot_success", name, values).ravel()
    if not 0 < numbers.size <= len(COLORS) or not np.isfinite(numbers).all():
        raise DeclarationError("plot_success", name, values, f"one to {len(COLORS)} numbers")
    return [float(number) for number in numbers]


def _legend(axes: Axes, labels: Sequence[str], title: str, **place: Any) -> None:
    """Name the colours; lines of every model share them."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=COLORS[number], lw=1.8) for number in range(len(labels))]
    axes.legend(handles, labels, title=title, alignment="left", **place)


def _legend_of_lines(figure: Figure, names: Sequence[str], *, faint: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color="0.25", ls=line, lw=1.6) for line in _LINES[: len(names)]]
    labels = list(names)
    if faint:
        handles.append(Line2D([], [], color="0.25", lw=1.2, alpha=_FAINT))
        labels.append("outside of the model's range" if len(names) == 1 else "outside of a model's range")
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), handlelength=3.0)


def plot_outcomes(report: OutcomeReport) -> Figure:
    """Draw what `evaluate_outcomes` has found.

    Parameters
    ----------
    report : OutcomeReport
        Its result, of up to six models.

    Returns
    -------
    matplotlib.figure.Figure
        The failure rate against magnitude, and against the warm fraction where that is known, observed with Jeffreys
        intervals of 68 % and predicted; and a reliability diagram. Bins of fewer than 5 stars, or of less than a
        thousandth of all, are left out; where there are any, the title says so.

    Raises
    ------
    DeclarationError
        There are more models than can be told apart. It is a ValueError.
    AcaError
        matplotlib is not installed.
    """
    if len(report.models) >= len(COLORS):
        raise DeclarationError("plot_outcomes", "models", report.models, f"at most {len(COLORS) - 1} models")
    has_warm = len(report.by_warm_frac) > 0
    with styled():
        figure = new_figure(12.0 if has_warm else 8.6, 4.6)
        axes = figure.subplots(1, 3 if has_warm else 2)
        few = _draw_rates(axes[0], report.by_mag, "mag", report.models)
        axes[0].set(xlabel="magnitude", ylabel="failure rate", title="By magnitude")
        if has_warm:
            few |= _draw_rates(axes[1], report.by_warm_frac, "warm_frac", report.models)
            axes[1].set(xlabel="fraction of warm pixels", ylabel="failure rate", title="By warm fraction")
            axes[1].set_ylim(bottom=0)
        _draw_reliability(axes[-1], report)
        handles, labels = axes[0].get_legend_handles_labels()
        if labels:
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
        left_out = f"; bins of fewer than {_least(report.n):.0f} stars left out" if few else ""
        figure.suptitle(_title(report) + left_out, x=0.01, ha="left", fontsize=11)
    return figure


def _title(report: OutcomeReport) -> str:
    from pathlib import Path

    dates = [str(report.meta[name]) for name in ("start", "stop") if name in report.meta]
    when = f", {' to '.join(dates)}" if len(dates) == 2 else ""
    return (
        f"{_NOUNS[report.kind]} failures of {report.n:,} star{'s' * (report.n != 1)} in {Path(report.place).name}{when}"
    )


def _least(n: int) -> float:
    """Return how many stars a bin needs."""
    return float(max(_FEW, math.ceil(_PART * n)))


def _draw_rates(axes: Axes, table: Any, name: str, models: Sequence[str]) -> bool:
    """Draw observed rates as points with bars, and what each model says as steps; return whether bins are left out."""
    import numpy as np

    enough = np.asarray(table["n"] >= _least(int(np.sum(table["n"]))))
    left_out = bool((np.asarray(table["n"]) > 0).sum() > enough.sum())
    if not enough.any():
        _draw_nothing(axes, "too few stars")
        return left_out
    rows = table[enough]
    low, high = np.asarray(rows[f"{name}_low"]), np.asarray(rows[f"{name}_high"])
    rate = np.asarray(rows["rate"])
    bars = np.abs([rate - rows["rate_low"], np.asarray(rows["rate_high"]) - rate])
    for number, model in enumerate(models):
        values = np.asarray(table[model], dtype=float)
        edges = [*table[f"{name}_low"], table[f"{name}_high"][-1]]
        axes.stairs(np.where(enough, values, np.nan), edges, baseline=None, color=COLORS[number], lw=1.8, label=model)
    if name == "mag":
        axes.set_yscale("log")
    observed = rate > 0
    axes.errorbar(
        ((low + high) / 2)[observed],
        rate[observed],
        bars[:, observed],
        fmt="o",
        color="0.15",
        ms=4,
        lw=1.2,
        label="observed",
        zorder=3,
    )
    return left_out


def _draw_nothing(axes: Axes, reason: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, reason, transform=axes.transAxes, ha="center")
    axes.tick_params(which="both", labelbottom=False, labelleft=False, bottom=False, left=False)
    axes.grid(visible=False)


def _draw_reliability(axes: Axes, report: OutcomeReport) -> None:
    """Draw observed against predicted failure rates, on logarithmic axes: most stars are easy."""
    import numpy as np

    table = report.reliability
    drawn = table[(table["failures"] > 0) & (table["predicted"] > 0)]
    if not len(drawn):
        axes.set(xlabel="predicted failure rate", ylabel="observed failure rate", title="Reliability")
        _draw_nothing(axes, "no failures")
        return
    least = 0.6 * float(min(np.min(drawn["predicted"]), np.min(drawn["rate_low"])))
    axes.plot([least, 1], [least, 1], color="0.5", lw=1, zorder=1)
    for number, model in enumerate(report.models):
        rows = drawn[drawn["model"] == model]
        rate = np.asarray(rows["rate"])
        bars = np.abs([rate - rows["rate_low"], np.asarray(rows["rate_high"]) - rate])
        axes.errorbar(rows["predicted"], rate, bars, fmt="o-", color=COLORS[number], ms=4, lw=1.2)
    axes.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(least, 1))
    axes.set(xlabel="predicted failure rate", ylabel="observed failure rate", title="Reliability")
