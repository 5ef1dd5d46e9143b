"""What the commands of ``aca dark`` share: their options, and the calibrations that a run is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from aca_core.cli.parameters import PICTURES, Number, OutFile

__all__ = [
    "CELSIUS",
    "as_date",
    "json_option",
    "model_option",
    "picture_option",
    "range_options",
    "select_option",
    "source_option",
    "threshold_option",
]

F = TypeVar("F", bound=Callable[..., Any])

_ABSOLUTE_ZERO: Final = -273.15

CELSIUS: Final = Number(_ABSOLUTE_ZERO, noun="temperature in degC")
"""A temperature of the CCD."""

source_option = click.option(
    "--source",
    metavar="NAME|FOLDER",
    help="Dark source, or a folder of YYYYDOY folders if it has a slash; dark.source by default.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")

select_option = click.option(
    "--select",
    type=click.Choice(["before", "after", "nearest"]),
    default="before",
    show_default=True,
    help="Which calibration, where none was made on the day of DATE.",
)

threshold_option = click.option(
    "--threshold",
    type=Number(0, noun="dark current in e-/s"),
    default=100.0,
    show_default=True,
    metavar="E",
    help="Pixels above it are warm, e-/s.",
)

model_option = click.option(
    "--model", default="2013", show_default=True, metavar="NAME", help="Dark-current model: 2013 or 2017."
)


def range_options(command: F) -> F:
    """Give a command ``--start`` and ``--stop``."""
    command = click.option("--stop", metavar="DATE", help="To the day of this date; now by default.")(command)
    return click.option("--start", metavar="DATE", help="From the day of this date; all there are by default.")(command)


def picture_option(name: str, text: str) -> Callable[[F], F]:
    """Return an option that names a picture."""
    return click.option(
        name,
        type=OutFile(PICTURES),
        metavar="FILE",
        help=f"{text} It ends in .png, .svg or .pdf; a file of that name is replaced.",
    )


def as_date(dark_id: str) -> str:
    """Return the day of a calibration as people write it: ``2012:001``."""
    return f"{dark_id[:4]}:{dark_id[4:]}"
