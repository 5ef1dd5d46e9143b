"""The figures of a slot show all of its samples, count what lies outside, and say what there is not."""

from __future__ import annotations

import itertools
import sys

import attrs
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Circle
from vv_slots import slot_data

from aca_core.errors import DeclarationError
from aca_core.figures import COLORS, save_figure
from aca_core.vv.plots import SLOT_PLOTS, plot_slot, slot_plot, slot_plots

GREEN, RED = COLORS[2], COLORS[1]


def points(axes, color):
    """Return how many points of a colour are drawn."""
    return sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "." and line.get_color() == color)


def texts(figure):
    legends = [text for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]
    return [text.get_text() for text in (*legends, *(text for axes in figure.axes for text in axes.texts))]


def dashed(axes):
    return sorted(
        line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--" and len(line.get_xdata()) == 2
    )


def circle(figure):
    return next(patch for patch in figure.axes[0].patches if isinstance(patch, Circle))


@pytest.mark.parametrize("kind", ["GUIDE", "MONITOR", "FID"])
def test_every_sample_is_drawn_good_ones_green_and_bad_ones_red(kind):
    data = slot_data(kind, bad=0.1, noise=0.05)
    for figure in slot_plots(data, obsid=8010).values():
        axes = figure.axes[0]
        assert points(axes, GREEN) == data.good.sum()
        assert points(axes, RED) == (~data.good).sum() > 0


def test_the_files_of_a_slot_have_the_names_that_readers_know(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    figures = slot_plots(slot_data(slot=5))
    assert list(figures) == [f"slot_5_{which}.png" for which in ("yz", "yzf", "y", "z", "m")]
    for name, figure in figures.items():
        assert save_figure(figure, tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules, "figures need no windows"


def test_the_range_is_that_of_the_good_samples():
    data = slot_data(bad=0.05, noise=0.5)
    good_y, good_z = data.dy[data.good], data.dz[data.good]
    half = 0.55 * max(np.ptp(good_y), np.ptp(good_z))
    yz = slot_plot(data, "yz").axes[0]
    middle_y, middle_z = (good_y.min() + good_y.max()) / 2, (good_z.min() + good_z.max()) / 2
    assert yz.get_xlim() == pytest.approx((middle_y - half, middle_y + half))
    assert yz.get_ylim() == pytest.approx((middle_z - half, middle_z + half))
    assert yz.get_aspect() == 1.0
    assert slot_plot(data, "y").axes[0].get_ylim() == pytest.approx(yz.get_xlim())
    assert slot_plot(data, "z").axes[0].get_ylim() == pytest.approx(yz.get_ylim())
    for kind, least in (("GUIDE", 0.5), ("FID", 0.05)):
        narrow = slot_plot(slot_data(kind, noise=1e-4, mean=(1.0, 2.0)), "yz").axes[0]
        assert np.ptp(narrow.get_xlim()) == pytest.approx(2 * least)


@pytest.mark.parametrize(("kind", "half", "radius"), [("GUIDE", 1.0, 0.7), ("FID", 0.1, 0.05)])
def test_the_fixed_range_is_around_the_medians_with_its_circle(kind, half, radius):
    data = slot_data(kind, noise=radius / 5, mean=(0.2, -0.3))
    figure = slot_plot(data, "yzf")
    medians = np.median(data.dy[data.good]), np.median(data.dz[data.good])
    assert figure.axes[0].get_xlim() == pytest.approx((medians[0] - half, medians[0] + half))
    assert circle(figure).center == pytest.approx(medians)
    assert circle(figure).radius == radius


def test_what_lies_outside_is_counted():
    data = slot_data(bad=0, count=100)
    shifted = attrs.evolve(data, dy=data.dy + 5.0 * (np.arange(100) < 3), qual=np.where(np.arange(100) < 4, 64, 0))
    assert "4 bad, 3 outside" in texts(slot_plot(shifted, "y"))
    assert "96 good" in texts(slot_plot(shifted, "y"))


def test_time_begins_with_the_first_sample_and_intervals_are_marked():
    two = slot_data(intervals=2, count=1000)
    axes = slot_plot(two, "y").axes[0]
    span = (two.time[-1] - two.time[0]) / 1000
    assert axes.get_xlim() == pytest.approx((-0.05 * span, 1.05 * span))
    assert dashed(axes) == pytest.approx([0.0, (two.time[500] - two.time[0]) / 1000])
    assert axes.get_xlabel() == "time since 2020:210:17:46:49 (ks)"
    assert dashed(slot_plot(slot_data(), "m").axes[0]) == []


def test_bright_is_above_and_fid_lights_have_their_angle_beside():
    low, high = slot_plot(slot_data(), "m").axes[0].get_ylim()
    assert low > high
    fid = slot_data("FID", intervals=2)
    axes, beside = slot_plot(fid, "z").axes
    assert beside.get_ylabel() == "Z angle (arcsec)"
    drawn = beside.lines[0].get_ydata()
    assert np.isnan(drawn[250]), "a line does not cross from one interval to the next"
    assert np.nanmedian(drawn) == pytest.approx(3600 * np.median(fid.ang_z_sm[fid.good]))
    assert axes.get_zorder() > beside.get_zorder()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (slot_data(bad=1.1, count=40), "no good samples"),
        (slot_data(count=0), "no samples"),
        (slot_data("FID", count=0), "no samples"),
        (slot_data("FID", bad=1.1, count=40), "no good samples"),
        (slot_data("FID", id_status="OMITTED"), "position of the fid light not known:\nresiduals mean nothing"),
        (slot_data(dy=np.full(500, np.nan), dz=np.full(500, np.nan)), "no good residuals that are numbers"),
    ],
)
def test_what_there_is_not_is_said(tmp_path, data, words):
    for which in ("yz", "yzf", "y", "z"):
        assert words in texts(slot_plot(data, which)), which
    save_figure(plot_slot(data), tmp_path / "all.png")


def test_a_slot_without_signal_says_so(tmp_path):
    figure = slot_plot(slot_data(mag=np.full(500, np.nan)), "m")
    assert "no signal in any sample" in texts(figure)
    save_figure(figure, tmp_path / "m.png")


def test_one_figure_has_it_all():
    star = plot_slot(slot_data(noise=0.6, mean=(1.6, -1.2)), obsid=8010, synthetic=True)
    assert star.get_suptitle() == "Obsid 8010 Slot 4 Residuals (guide star), synthetic data"
    labels = [axes.get_ylabel() for axes in star.axes]
    assert {
        "Y residual (arcsec)",
        "Z residual (arcsec)",
        "magnitude (mag)",
        "Y angle (arcsec)",
        "Z angle (arcsec)",
    } <= {*labels}
    table = next(axes for axes in star.axes if not axes.axison)
    failed = [text.get_text() for text in table.texts if to_hex(text.get_color()).upper() == RED]
    assert failed[:3:2] == ["Y rms (arcsec)", "not < 0.4"]
    assert failed[3::3] == [
        "Z rms (arcsec)",
        "radial offset (arcsec)",
        "far off in Y (fraction)",
        "far off in Z (fraction)",
    ]


@pytest.mark.parametrize(("kind", "limit"), [("GUIDE", "< 0.25"), ("FID", "< 0.05"), ("MONITOR", "")])
def test_the_table_has_the_limits_of_its_kind(kind, limit):
    data = slot_data(kind, noise=0.01)
    table = next(axes for axes in plot_slot(data).axes if not axes.axison)
    words = [text.get_text() for text in table.texts]
    assert words[words.index("Y rms (arcsec)") + 2] == limit
    assert words[words.index("median magnitude (mag)") + 1] == f"{np.median(data.mag[data.good]):.3f}"


def _shown(axis):
    """Return the labels of the ticks that one sees."""
    low, high = sorted(axis.get_view_interval())
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    return [label for place, label in ticks if low <= place <= high and label.get_text() and label.get_visible()]


@pytest.mark.parametrize("kind", ["GUIDE", "FID"])
@pytest.mark.parametrize("mean", [(0.05, -0.1), (-45.678, 37.891), (2299.995, -1499.999)])
def test_nothing_is_written_over_anything_else(kind, mean, tmp_path):
    """Also not with a star that is another one, whose residuals have many digits."""
    figure = plot_slot(slot_data(kind, mean=mean, count=20000, noise=0.2), obsid=8010)
    save_figure(figure, tmp_path / "slot.png")
    table = next(axes for axes in figure.axes if not axes.axison)
    panels = [axes for axes in figure.axes if axes.get_legend()]
    boxes = [text.get_window_extent() for text in table.texts if text.get_text()]
    boxes += [axes.get_legend().get_window_extent() for axes in panels]
    boxes += [axes.yaxis.label.get_window_extent() for axes in figure.axes if axes.get_ylabel()]
    boxes += [text.get_window_extent() for axes in panels if axes.get_aspect() == 1 for text in _shown(axes.xaxis)]
    overlapping = [(one, other) for one, other in itertools.combinations(boxes, 2) if one.overlaps(other)]
    assert overlapping == []


def test_another_plot_is_refused():
    assert list(SLOT_PLOTS) == ["yz", "yzf", "y", "z", "m"]
    with pytest.raises(DeclarationError, match="which is 'x'; expected one of yz, yzf, y, z, m"):
        slot_plot(slot_data(), "x")
