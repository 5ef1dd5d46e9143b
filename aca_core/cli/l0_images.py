"""``aca l0 images``: what a slot saw: a list on the terminal, a strip of images, an animation."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.l0_options import (
    about_of,
    asking,
    date_of,
    ends_of,
    head_of,
    imgsize_option,
    json_option,
    slot_option,
    write_written,
)
from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.parameters import PICTURES, OutFile, Whole
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.aca_image import ACAImage

__all__ = ["images"]

_COLUMNS: Final = ("TIME", "IMGSIZE", "IMGFID1", "IMGFUNC1", "INTEG", "BGDAVG")
"""What is told of an image, beside its place."""

_STRIP: Final = 48
"""How many images a strip has at most."""

_LISTED: Final = 12
_FRAMES: Final = 60
"""How many images are listed and drawn, and how many an animation has, where nobody says."""

_GAIN: Final = 5.0
"""Electrons for one DN (sot/chandra_aca, aca_image)."""


@click.command()
@click.argument("start")
@click.argument("stop")
@slot_option
@imgsize_option
@click.option(
    "--count",
    type=Whole(1, 1000),
    metavar="N",
    help=f"How many images, spread evenly over the range; {_LISTED} by default, {_FRAMES} of an animation.",
)
@click.option(
    "--plot",
    type=OutFile(PICTURES),
    metavar="FILE",
    help="Draw a strip of them: .png, .svg or .pdf. A file of that name is replaced.",
)
@click.option(
    "--animate",
    type=OutFile((".gif",)),
    metavar="FILE",
    help="Draw them one after the other: .gif. A file of that name is replaced.",
)
@json_option
@click.pass_obj
def images(
    session: Session,
    start: str,
    stop: str,
    slot: int,
    imgsize: tuple[str, ...],
    count: int | None,
    plot: Path | None,
    animate: Path | None,
    as_json: bool,
) -> None:
    """Show images of a slot from START to STOP.

    Only those of good quality. "row0" and "col0" are the lower left pixel on the CCD, "peak" is the value of the
    brightest pixel and "row, col" where that is, "sum" that of all pixels; background is not subtracted. --json has all
    pixels of the images that are listed, in DN. A strip has 48 images at most.

    \b
    Examples:
      aca l0 images 2021:001:00:10 2021:001:00:20 --slot 3
      aca l0 images 2021:001:00:10 2021:001:00:20 --slot 3 --plot images.png
      aca l0 images 2021:001:00:10 2021:001:00:20 --slot 3 --animate images.gif
    """
    import numpy as np

    from aca_core.aca_l0 import animate_images, get_l0_images, get_slot_data, plot_images
    from aca_core.aca_l0.pictures import evenly_in_time
    from aca_core.figures import save_figure, styled

    if plot is not None and count is not None and count > _STRIP:
        raise click.UsageError(f"--count is {count}, and a strip (--plot) has {_STRIP} images at most; see --animate")
    ends = ends_of(start, stop)
    sizes = [int(size) for size in imgsize] or None
    with styled() if plot or animate else contextlib.nullcontext():  # is there anything to draw with?
        pass
    with asking(session) as warned:
        found = get_l0_images(*ends, slot, sizes, columns=_COLUMNS)
        about = get_slot_data(*ends, slot, sizes, columns=["TIME"], as_table=True).meta
        if found and plot is not None:
            save_figure(plot_images(*ends, slot, sizes, count=count or _LISTED), plot)
        if found and animate is not None:
            animate_images(animate, *ends, slot, sizes, count=count or _FRAMES)
    if not found:
        none = "; nothing was drawn" if plot or animate else ""
        session.say(f"no good image of slot {slot} is archived in that range{none}; 'aca l0 files' shows what is")
    times = np.array([image.TIME for image in found])
    chosen = [found[number] for number in evenly_in_time(times, count or _LISTED)]
    written = [path for path in (plot, animate) if path is not None and found]
    if as_json:
        said = {"images_in_range": len(found), "images": [_as_data(each) for each in chosen]}
        said |= {"written": [str(path) for path in written], "warnings": warned}
        write_json({**about_of(about), **said})
        return
    shown = f", of which {len(chosen)} are shown" if len(chosen) < len(found) else ""
    write_lines([*head_of(about), f"{counted(len(found), 'good image')}{shown}", *([""] if chosen else [])])
    _write_list(chosen)
    write_written(*written)


def _as_data(image: ACAImage) -> dict[str, Any]:
    """Return an image for programs; what the camera did not read is null."""
    pixels = [[None if math.isnan(value) else value for value in row] for row in image.tolist()]
    return {**{key.lower(): value for key, value in image.meta.items()}, "date": date_of(image.TIME), "dn": pixels}


def _write_list(chosen: list[ACAImage]) -> None:
    import numpy as np

    if not chosen:
        return
    rows = []
    for image in chosen:
        rates = np.asarray(image) * (_GAIN / image.INTEG)
        row, col = np.unravel_index(np.nanargmax(rates), rates.shape)
        rows.append(
            (
                date_of(image.TIME),
                f"{image.IMGSIZE}x{image.IMGSIZE}",
                "fid" if image.IMGFID1 else "star",
                str(image.row0),
                str(image.col0),
                f"{rates[row, col]:.0f}",
                f"{image.row0 + row}, {image.col0 + col}",
                f"{np.nansum(rates):.0f}",
            )
        )
    numbers = ("row0", "col0", "peak e-/s", "row, col", "sum e-/s")
    write_table(("time", "size", "of", *numbers), rows, right=numbers, least=("sum e-/s", "row, col"))
