"""What the commands of ``aca prob`` share: their options, and the model that a run is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from aca_core.cli.parameters import PICTURES, Number, OutFile

if TYPE_CHECKING:
    from aca_core.models import ModelKind, ProbabilityModel
    from aca_core.registry import Registry

__all__ = [
    "CELSIUS",
    "MAGNITUDE",
    "as_columns",
    "chosen_model",
    "column_option",
    "json_option",
    "kind_option",
    "picture_option",
    "star_options",
]

F = TypeVar("F", bound=Callable[..., Any])

CELSIUS: Final = Number(-273.15, noun="temperature in degC")
MAGNITUDE: Final = Number(noun="magnitude")

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")

kind_option = click.option(
    "--kind",
    type=click.Choice(["acquisition", "guide"]),
    default="acquisition",
    show_default=True,
    help="Probability of acquiring a star, or of tracking it.",
)


def as_columns(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """Return the columns that were named, as ``mag=MAG_ACA``."""
    pairs = [text.partition("=") for text in value]
    for text, (name, sign, column) in zip(value, pairs, strict=True):
        if not (name.strip() and sign and column.strip()):
            raise click.BadParameter(f"{text!r} names no column; expected one as in mag=MAG_ACA", ctx, param)
    return {name.strip(): column.strip() for name, _, column in pairs}


column_option = click.option(
    "--column",
    "columns",
    multiple=True,
    callback=as_columns,
    metavar="WHAT=NAME",
    help="The column of the table that is mag, t_ccd, date, …, where it has another name; repeatable.",
)


def picture_option(name: str, text: str) -> Callable[[F], F]:
    """Return an option that names a picture to write.

    Parameters
    ----------
    name : str
        As it is typed.
    text : str
        Its help.

    Returns
    -------
    callable
    """
    said = f"{text} PNG, SVG or PDF, by its ending; a file of that name is replaced."
    return click.option(name, type=OutFile(PICTURES), metavar="FILE", help=said)


def star_options(command: F) -> F:
    """Give a command the options that say what is known of a star."""
    options = [
        click.option("--date", metavar="DATE", help="When; now by default."),
        click.option("--t-ccd", type=CELSIUS, metavar="T", help="Temperature of the CCD, degC."),
        click.option("--mag", type=MAGNITUDE, metavar="M", help="Magnitude in the camera's band."),
        click.option(
            "--warm-frac",
            type=Number(0, 1, noun="fraction"),
            metavar="W",
            help="Fraction of warm pixels, in place of what date and temperature give.",
        ),
        click.option("--model", metavar="NAME", help="Which model answers; the configuration's choice by default."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def chosen_model(registry: Registry, kind: ModelKind, name: str | None) -> ProbabilityModel:
    """Return the model that is named, else that of the configuration.

    Parameters
    ----------
    registry : Registry
        The plugins, and their configuration.
    kind : {'acquisition', 'guide'}
        What is asked for.
    name : str or None
        The name.

    Returns
    -------
    ProbabilityModel

    Raises
    ------
    UnknownNameError
        There is no such model.
    """
    return registry.model(name or str(getattr(registry.config.probability, kind)), kind)
