"""``aca prob models`` and ``aca prob plot``: which probability models there are, and what they say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import write_json, write_lines, write_table
from aca_core.cli.parameters import Number
from aca_core.cli.prob_options import CELSIUS, MAGNITUDE, json_option, kind_option, picture_option
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.models import ModelKind, ProbabilityModel
    from aca_core.registry import Registry

__all__ = ["models", "plot"]


@click.command()
@json_option
@click.pass_obj
def models(session: Session, as_json: bool) -> None:
    """Show the probability models that are installed: what they use, where they hold, where they are from.

    The one of each kind that answers without --model is marked as default. Inputs are in mag, degC and arcsec. Beyond
    the range of an input the model is evaluated at its end or, where a "~" says so, the formula goes on. Limits are the
    least and the greatest probability that it gives. A model without its data file is marked, and below it says why.

    \b
    Examples:
      aca prob models
      aca prob models --json
    """
    from aca_core.models import ProbabilityModel

    with session.answering():
        found = [_described(session.registry, each) for each in session.registry.offers(ProbabilityModel)]
    settings = session.config.probability
    for each in found:
        each["default"] = each["name"] == getattr(settings, each["kind"])
    found.sort(key=lambda each: (each["kind"], not each["default"], each["name"]))
    if as_json:
        write_json({"models": found})
        return
    if not found:
        click.echo("No plugin with a probability model is in use; 'aca plugins' says why.")
        return
    for kind in dict.fromkeys(each["kind"] for each in found):
        rows = [_row(each) for each in found if each["kind"] == kind]
        write_table((f"{kind} model", "", "uses, within its range", "limits"), rows, least=("limits",))
        write_lines([""])
    lines = []
    for each in found:
        made = f"{each['distribution']} {each['version']}".strip()
        lines.append(f"{each['name']}, {each['kind']}, from {made}: {each['label']}")
        lines.append(f"  {each['problem'] or each['provenance'].get('source', '')}")
    write_lines(lines)


def _described(registry: Registry, offer: ProbabilityModel) -> dict[str, Any]:
    """Return what a model declares as it is at this site; one that the site has no options for is a row too."""
    from aca_core.errors import ConfigError
    from aca_core.probability import describe_model

    try:
        return describe_model(registry.model(offer.name, offer.kind))
    except ConfigError as error:
        return {**describe_model(offer), "problem": "; ".join(f"{each.key}: {each.text}" for each in error.problems)}


def _row(model: dict[str, Any]) -> tuple[str, ...]:
    uses = dict.fromkeys([*model["inputs"], *model["corrections"]])
    low, high = model["limits"]
    words = ", ".join(f"{name}{_range(model['ranges'].get(name))}" for name in uses)
    return (
        model["name"],
        "default" if model["default"] else "no data" if model["problem"] else "",
        words,
        f"{low:g} to {high:g}",
    )


def _range(limits: dict[str, Any] | None) -> str:
    if limits is None:
        return ""
    sign = "~" if limits["outside"] == "extrapolate" else ""
    return f" {sign}{limits['low']:g} to {limits['high']:g}"


@click.command()
@kind_option
@click.option(
    "--model", "names", multiple=True, metavar="NAME", help="Which models, repeatable; the configuration's by default."
)
@click.option("--date", metavar="DATE", help="When; now by default.")
@click.option("--t-ccd", "t_ccds", type=CELSIUS, multiple=True, metavar="T", help="Temperature of a curve, repeatable.")
@click.option("--mag", "mags", type=MAGNITUDE, multiple=True, metavar="M", help="Magnitude of a curve, repeatable.")
@click.option(
    "--color", type=Number(noun="B-V in mag"), default=0.6, show_default=True, metavar="B-V", help="B-V, mag."
)
@click.option(
    "--halfwidth",
    type=Number(0, noun="number of arcsec"),
    default=120.0,
    show_default=True,
    metavar="ARCSEC",
    help="Half width of the search box, arcsec.",
)
@picture_option("--out", "The picture; KIND-success.png by default.")
@click.pass_obj
def plot(
    session: Session,
    kind: ModelKind,
    names: tuple[str, ...],
    date: str | None,
    t_ccds: tuple[float, ...],
    mags: tuple[float, ...],
    color: float,
    halfwidth: float,
    out: Path | None,
) -> None:
    """Draw the probability of success against magnitude and against CCD temperature.

    \b
    Examples:
      aca prob plot --date 2018:001 --out success.png
      aca prob plot --model sota-2013 --model sota-2013-referenced --t-ccd -14 --t-ccd -10
      aca prob plot --kind guide --mag 9.5 --mag 10.3 --out guide.svg
    """
    from aca_core.figures import save_figure
    from aca_core.probability import plot_success

    curves: dict[str, Any] = {"t_ccds": t_ccds, "mags": mags}
    chosen = {name: values for name, values in curves.items() if values}
    with session.answering():
        figure = plot_success(kind, names or None, date=date, color=color, halfwidth=halfwidth, **chosen)
    path = out or Path(f"{kind}-success.png")
    save_figure(figure, path)
    click.echo(f"Wrote {path}.")
