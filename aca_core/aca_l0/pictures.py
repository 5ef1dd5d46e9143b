"""What the images of a slot look like: a strip of them, and an animation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aca_core._whole_files import replacing
from aca_core.aca_image import ACAImage
from aca_core.aca_l0.columns import checked_columns
from aca_core.aca_l0.images import images_of
from aca_core.aca_l0.one_slot import checked_slot, slot_columns
from aca_core.arrays import FloatArray, IntArray
from aca_core.dates import to_date
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.figures import new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from aca_core.dates import DateLike

__all__ = ["animate_images", "evenly_in_time", "plot_images"]

_COLUMNS: Final = 6
"""Images beside each other in a strip."""

_MOST: Final = 48
_MOST_FRAMES: Final = 1000

_LOW, _HIGH = 1.0, 99.8
"""Percentiles of the pixels of all images between which the colours lie: the same for all, and no single hot pixel."""

_POWER: Final = 0.5
"""Of the scale of colours, so that the wings of an image are seen beside its core."""

_TICK_STEP: Final = 0.07
"""How far from each other labels of that scale are at least, of its length."""

_MAP: Final = "cividis"
"""Even in its brightness, and the same for people with any kind of colour vision."""

_BESIDE: Final = (-0.12, 0.5)
"""Where in an animation the name of the rows is, beside any row's number, as parts of the image's side."""

_EMPTY: Final = "#DDDDDD"
_META: Final = ("TIME", "IMGSIZE", "IMGFID1", "IMGFUNC1", "IMGROW0", "IMGCOL0", "INTEG")
_GAIN: Final = 5.0
"""Electrons per DN."""


def plot_images(
    start: DateLike,
    stop: DateLike,
    slot: int,
    imgsize: int | Sequence[int] | None = None,
    *,
    count: int = 12,
    db: Any = None,
    data_root: str | Path | None = None,
) -> Figure:
    """Draw a strip of the images of a slot, chosen evenly in time from those of a range.

    Parameters
    ----------
    start, stop, slot, imgsize, db, data_root
        As for `get_slot_data`.
    count : int, default 12
        How many images, 1 to 48; fewer, where there are fewer or gaps between them.

    Returns
    -------
    matplotlib.figure.Figure
        Electrons per second, the same colours for all images, each with its time, whether it is of a star or a fid
        light, and rows and columns of the CCD along its sides. What comes from synthetic files says so.

    Raises
    ------
    MissingDataError
        The slot has no good image in that time. It is a LookupError.
    DeclarationError
        There is no such slot or size, or the count is none. It is a ValueError.
    AcaError
        matplotlib is not installed.
    """
    count = _checked_count("plot_images", count, _MOST)
    images, synthetic, total = _chosen(start, stop, slot, imgsize, count, db=db, data_root=data_root)
    across = min(_COLUMNS, len(images))
    down = -(-len(images) // across)
    with styled():
        is_narrow = across < 4
        figure = new_figure(max(1.0 + 1.62 * across, 4.0), (1.0 if is_narrow else 0.8) + 1.8 * down)
        axes = figure.subplots(down, across, squeeze=False)
        limits = _limits(images)
        same_day = len({_day(image) for image in images}) == 1
        for panel, image in zip(axes.flat, images, strict=False):
            drawn = _draw(panel, image, limits)
            panel.set_title(_label(image, with_day=not same_day), fontsize=8, loc="center", linespacing=1.3)
        for panel in axes.flat[len(images) :]:
            panel.set_visible(False)
        for panel in axes[:, 0]:
            panel.set_ylabel("row (pixel)", fontsize=8)
        for number, panel in enumerate(axes.flat[: len(images)]):
            if number + across >= len(images):
                panel.set_xlabel("column (pixel)", fontsize=8)
        figure.align_ylabels(axes[:, 0])
        _draw_scale(figure, drawn, axes, aspect=12.5 * down if down > 1 else 14)  # as wide, however many rows
        title = _title(slot, images, total, synthetic, lines=2 if is_narrow else 1)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10 if is_narrow else 11)
    return figure


def animate_images(
    path: str | Path,
    start: DateLike,
    stop: DateLike,
    slot: int,
    imgsize: int | Sequence[int] | None = None,
    *,
    count: int = 60,
    rate: float = 10.0,
    db: Any = None,
    data_root: str | Path | None = None,
) -> Path:
    """Write an animation of the images of a slot as a GIF file, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file, whose name ends in ``.gif``; one of that name is replaced.
    start, stop, slot, imgsize, db, data_root
        As for `get_slot_data`.
    count : int, default 60
        How many images, chosen evenly in time, 1 to 1000; fewer, where there are fewer or gaps between them.
    rate : float, default 10
        Images per second, 0.5 to 50.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    MissingDataError
        The slot has no good image in that time. It is a LookupError.
    DeclarationError
        There is no such slot or size, or the count, the rate or the name of the file is none. It is a ValueError.
    AcaError
        matplotlib is not installed.
    OSError
        The file cannot be written.
    """
    path = _gif(path)
    count = _checked_count("animate_images", count, _MOST_FRAMES)
    is_number = isinstance(rate, int | float | np.number) and not isinstance(rate, bool)
    if not is_number or not 0.5 <= rate <= 50:
        raise DeclarationError("animate_images", "rate", rate, "images per second, 0.5 to 50")
    images, synthetic, total = _chosen(start, stop, slot, imgsize, count, db=db, data_root=data_root)
    with styled():
        from matplotlib.animation import PillowWriter

        figure = new_figure(5.2, 4.9)
        axes = figure.subplots()
        limits = _limits(images)
        _draw_scale(figure, _draw(axes, images[0], limits), axes, aspect=20)
        figure.suptitle(_title(slot, images, total, synthetic, lines=2), x=0.01, ha="left", fontsize=10)
        with replacing(path) as part:
            writer = PillowWriter(fps=rate)  # type: ignore[arg-type]  # it takes any number
            with writer.saving(figure, str(part), dpi=90):
                for image in images:
                    axes.clear()
                    _draw(axes, image, limits)
                    axes.set_title(_label(image, with_day=True).replace("\n", "   "), fontsize=9)
                    axes.set_xlabel("column (pixel)")
                    axes.set_ylabel("row (pixel)")
                    axes.yaxis.set_label_coords(*_BESIDE)
                    if image is images[0]:  # laid out once: the labels of each image would move the next one
                        figure.draw_without_rendering()
                        figure.set_layout_engine("none")
                    writer.grab_frame()
    return path


# ---- which images ---------------------------------------------------------------------------------------------------


def _checked_count(what: str, count: Any, most: int) -> int:
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= most:
        raise DeclarationError(what, "count", count, f"a whole number from 1 to {most}")
    return int(count)


def _gif(given: Any) -> Path:
    try:
        path = Path(given)
    except TypeError:
        raise DeclarationError("animate_images", "path", given, "the path of a file") from None
    if path.suffix.lower() != ".gif":
        raise DeclarationError("animate_images", "path", str(path), "a name that ends in .gif")
    return path


def _chosen(
    start: DateLike, stop: DateLike, slot: int, imgsize: Any, count: int, *, db: Any, data_root: str | Path | None
) -> tuple[list[ACAImage], bool, int]:
    """Return some good images of a slot, whether they are synthetic, and of how many they were chosen."""
    names = checked_columns("plot_images", _META)
    data = slot_columns(start, stop, slot, imgsize, [*names, "QUALITY", "IMGRAW"], db=db, data_root=data_root)
    good = np.flatnonzero(data.values["QUALITY"] == 0)
    if not len(good):
        until = "now" if stop is None else to_date(stop)
        some = "bad images only" if len(data) else "no images"
        since = "the beginning" if start is None else to_date(start)
        raise MissingDataError(f"slot {slot} has {some} from {since} to {until}; 'aca l0 files' says what is archived")
    chosen = good[evenly_in_time(data.times[good], count)]
    return images_of(data, chosen, names), data.synthetic, len(good)


def evenly_in_time(times: FloatArray, count: int) -> IntArray:
    """Return which times are nearest to evenly spaced ones: by number, the many small images would be most of them.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        CXC seconds, ascending.
    count : int
        How many are wanted.

    Returns
    -------
    ndarray of int
        Each once, ascending; all where there are no more.
    """
    if len(times) <= count:
        return np.arange(len(times))
    wanted = np.linspace(times[0], times[-1], count)
    after = np.searchsorted(times, wanted).clip(1, len(times) - 1)
    return np.unique(np.where(wanted - times[after - 1] < times[after] - wanted, after - 1, after))


# ---- how they are drawn ---------------------------------------------------------------------------------------------


def _rate(image: ACAImage) -> Any:
    """Return an image in electrons per second."""
    return np.asarray(image) * (_GAIN / image.INTEG)


def _limits(images: Sequence[ACAImage]) -> tuple[float, float]:
    pixels = np.concatenate([_rate(image).ravel() for image in images])
    pixels = pixels[np.isfinite(pixels)]
    if not pixels.size:
        return 0.0, 1.0
    low, high = np.percentile(pixels, [_LOW, _HIGH])
    return float(low), float(max(high, low + 1.0))


def _draw(axes: Axes, image: ACAImage, limits: tuple[float, float]) -> AxesImage:
    """Draw an image where it lies: the centre of a pixel is at its row and column."""
    from matplotlib.colors import PowerNorm

    rows, columns = image.shape
    sides = (image.col0 - 0.5, image.col0 + columns - 0.5, image.row0 - 0.5, image.row0 + rows - 0.5)
    values = np.ma.masked_invalid(_rate(image))
    scale = PowerNorm(_POWER, *limits)
    drawn = axes.imshow(values, origin="lower", extent=sides, cmap=_MAP, norm=scale)
    axes.set_facecolor(_EMPTY)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xticks([image.col0, image.col0 + columns - 1])
    axes.set_yticks([image.row0, image.row0 + rows - 1])
    axes.tick_params(labelsize=7, length=2)
    return drawn


def _draw_scale(figure: Figure, drawn: AxesImage, axes: Any, *, aspect: float) -> None:
    ends = min(0.05, 1.25 / aspect)  # as long as they are wide, where the bar is long
    bar = figure.colorbar(drawn, ax=axes, shrink=0.85, pad=0.015, extend="both", extendfrac=ends, aspect=aspect)
    bar.set_ticks(_ticks(*drawn.get_clim()))
    bar.minorticks_off()
    bar.set_label("pixel (e⁻/s, square-root scale)", fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _ticks(low: float, high: float) -> list[float]:
    """Return round values along a scale of square roots, so far from each other that their labels are."""
    exponents = range(-1, 9)
    round_ones = [0.0, *(digit * 10.0**exponent for exponent in exponents for digit in (1, 2, 5))]
    ticks: list[float] = []
    for value in round_ones:
        if not low <= value <= high:
            continue
        place = ((value - low) / (high - low)) ** _POWER
        if not ticks or place - ((ticks[-1] - low) / (high - low)) ** _POWER > _TICK_STEP:
            ticks.append(value)
    return ticks


def _date(image: ACAImage) -> str:
    return to_date(float(image.TIME))


def _day(image: ACAImage) -> str:
    return _date(image)[:8]


def _label(image: ACAImage, *, with_day: bool) -> str:
    """Return when an image was taken, and of what."""
    date = _date(image)
    what = "fid light" if image.IMGFID1 else "star"
    if image.IMGFUNC1 != 1:
        what += ", not tracked"
    time = date[:17] if with_day else date[9:19]
    return f"{time}\n{what}, {image.IMGSIZE}x{image.IMGSIZE}"


def _title(slot: int, images: Sequence[ACAImage], total: int, synthetic: bool, lines: int = 1) -> str:
    first, last = (_date(image)[:17] for image in (images[0], images[-1]))
    counted = f"{len(images)} of {total:,} images" if len(images) < total else f"{total} image{'s' * (total != 1)}"
    break_ = "\n" if lines == 2 else ", "
    when = first if len(images) == 1 else f"{first} to {last}"
    words = f"ACA slot {checked_slot(slot)}, {counted}{break_}{when}"
    return f"{words}{', synthetic' if synthetic else ''}"
