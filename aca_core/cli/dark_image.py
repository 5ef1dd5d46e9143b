"""``aca dark image``: the dark map for a date, in numbers, as a file or as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import click

from aca_core.cli.dark_options import CELSIUS, as_date, json_option, select_option, source_option
from aca_core.cli.output import write_json, write_lines, write_table
from aca_core.cli.parameters import PICTURES, OutFile
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.arrays import FloatArray
    from aca_core.dark_cal import DarkCalibrations

__all__ = ["image"]

_PERCENTILES: Final = (1, 16, 50, 84, 99, 99.9)
_ABOVE: Final = (20, 50, 100, 200, 1000)
"""Limits of dark current at which pixels are counted, e-/s; 100 is the usual one for a warm pixel."""

_ENDINGS: Final = (".fits", ".fits.gz", ".npy", *PICTURES)


@click.command()
@click.argument("date")
@select_option
@source_option
@click.option(
    "--t-ccd-ref",
    type=CELSIUS,
    metavar="T",
    help="Scale the map to this temperature of the CCD, degC; by default it is as it was measured.",
)
@click.option("--allow-negative", is_flag=True, help="Keep negative values, which noise brings; else they become 0.")
@click.option(
    "--out",
    type=OutFile(_ENDINGS),
    metavar="FILE",
    help="Write the map: .fits or .npy; or a picture of it: .png, .svg or .pdf. A file of that name is replaced.",
)
@json_option
@click.pass_obj
def image(
    session: Session,
    date: str,
    select: str,
    source: str | None,
    t_ccd_ref: float | None,
    allow_negative: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show what the dark map for DATE is like, and write it to a file.

    The map has 1024 x 1024 pixels, dark current in e-/s. A calibration that was made on the day of DATE is the one,
    whatever --select says.

    \b
    Examples:
      aca dark image 2012:001
      aca dark image 2012:001 --t-ccd-ref -10 --out dark.fits
      aca dark image 2012:001 --out dark.png --json
    """
    from aca_core.dark_cal import DarkCalibrations

    with session.answering():
        found = _find(DarkCalibrations.of(source), date, select, t_ccd_ref, allow_negative=allow_negative)
        if out is not None:
            _write(found, out)
    if as_json:
        write_json({**found.described, "statistics": _statistics(found.pixels), "out": out and str(out)})
        return
    _tell(found)
    if out is not None:
        click.echo(f"\nWrote {out}.")


@attrs.frozen
class _Found:
    """A map, and what is known about it.

    Attributes
    ----------
    pixels : ndarray
        Dark current, e-/s.
    described : mapping
        What JSON says of it.
    """

    pixels: FloatArray = attrs.field(eq=False, repr=False)
    described: Mapping[str, Any]


def _find(
    calibrations: DarkCalibrations, date: str, select: str, t_ccd_ref: float | None, *, allow_negative: bool
) -> _Found:
    from aca_core.dark_cal import dark_temp_scale
    from aca_core.dark_cal.export import is_synthetic
    from aca_core.dark_cal.properties import t_ccd_of
    from aca_core.dark_sources import CCD_CORNER
    from aca_core.errors import MissingDataError

    source = calibrations.source
    dark_id = calibrations.id(date, select)
    # By its id: what answers is the calibration of that day, whatever becomes of the others meanwhile.
    try:
        t_ccd = t_ccd_of(source, dark_id)
    except MissingDataError as error:
        if t_ccd_ref is not None:
            text = f"{error}; without the CCD temperature a map cannot be scaled; leave out --t-ccd-ref"
            raise MissingDataError(text) from error
        t_ccd = None  # it is shown as it was measured, so that this need not be known
    pixels = calibrations.image(as_date(dark_id), t_ccd_ref=t_ccd_ref, allow_negative=allow_negative)
    return _Found(
        pixels,
        {
            "id": dark_id,
            "date": as_date(dark_id),
            "source": source.name,
            "folder": str(source.directory(dark_id)),
            "shape": list(pixels.shape),
            "row0": CCD_CORNER[0],
            "col0": CCD_CORNER[1],
            "t_ccd": t_ccd,
            "t_ccd_ref": t_ccd_ref,
            "scale": 1.0 if t_ccd_ref is None else dark_temp_scale(t_ccd, t_ccd_ref),
            "allow_negative": allow_negative,
            "synthetic": is_synthetic(source, dark_id),
        },
    )


def _statistics(pixels: FloatArray) -> dict[str, Any]:
    import numpy as np

    levels = np.percentile(pixels, _PERCENTILES)
    return {
        "min": float(pixels.min()),
        "max": float(pixels.max()),
        "mean": float(pixels.mean(dtype=float)),
        "percentiles": {f"{percent:g}": float(level) for percent, level in zip(_PERCENTILES, levels, strict=True)},
        "pixels_above": {str(limit): int(np.count_nonzero(pixels > limit)) for limit in _ABOVE},
    }


def _tell(found: _Found) -> None:
    about, statistics = found.described, _statistics(found.pixels)
    rows, columns = found.pixels.shape
    row0, col0 = about["row0"], about["col0"]
    place = f"rows {row0} to {row0 + rows - 1}, columns {col0} to {col0 + columns - 1}"
    t_ccd = "not known" if about["t_ccd"] is None else f"{about['t_ccd']:.2f} degC"
    scaled = "as it was measured"
    if about["t_ccd_ref"] is not None:
        scaled = f"scaled to {about['t_ccd_ref']:g} degC, by {about['scale']:.4f}"
    write_lines(
        [
            f"Calibration {about['id']} of the dark source {about['source']!r}, in {about['folder']}",
            f"{rows} x {columns} pixels: {place}",
            f"CCD temperature {t_ccd}; the map is {scaled}",
            f"negative values {'are kept' if about['allow_negative'] else 'are set to 0'}; "
            f"mean {statistics['mean']:.2f} e-/s, median {statistics['percentiles']['50']:.2f} e-/s",
            *(["synthetic data, not from flight"] if about["synthetic"] else []),
        ]
    )
    click.echo()
    levels = {"0": statistics["min"], **statistics["percentiles"], "100": statistics["max"]}
    rows_of_levels = [(f"{percent} %", f"{level:.2f}") for percent, level in levels.items()]
    write_table(("of the pixels", "up to e-/s"), rows_of_levels, right=("of the pixels", "up to e-/s"))
    click.echo()
    above = [
        (f"{limit} e-/s", f"{count}", f"{count / found.pixels.size:.3%}")
        for limit, count in statistics["pixels_above"].items()
    ]
    write_table(("above", "pixels", "of the CCD"), above, right=("pixels", "of the CCD"))


def _write(found: _Found, out: Path) -> None:
    from aca_core.dark_cal.export import write_dark_map
    from aca_core.dark_cal.plots import plot_dark_map
    from aca_core.figures import save_figure

    about = found.described
    if not out.name.lower().endswith(PICTURES):
        write_dark_map(out, found.pixels, about, synthetic=about["synthetic"])
        return
    t_ccd = "" if about["t_ccd"] is None else f", {about['t_ccd']:.1f} °C"
    scaled = "" if about["t_ccd_ref"] is None else f", scaled to {about['t_ccd_ref']:g} °C"
    synthetic = " (synthetic)" if about["synthetic"] else ""
    conditions = f"{t_ccd}{scaled}".replace("-", "\N{MINUS SIGN}")
    save_figure(plot_dark_map(found.pixels, title=f"Dark current {about['date']}{conditions}{synthetic}"), out)
