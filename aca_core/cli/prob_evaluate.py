"""``aca prob evaluate``: how good the models are, given what happened to real stars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.prob_options import (
    MAGNITUDE,
    chosen_model,
    column_option,
    json_option,
    kind_option,
    picture_option,
)
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.models import ModelKind
    from aca_core.probability import OutcomeReport

__all__ = ["evaluate"]


@click.command()
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--model", "names", multiple=True, metavar="NAME", help="Which models, repeatable; the configuration's by default."
)
@kind_option
@click.option("--start", metavar="DATE", help="Stars from this date on; 2007 and 2007.5 are years.")
@click.option("--stop", metavar="DATE", help="Stars before this date.")
@click.option("--mag-min", type=MAGNITUDE, metavar="M", help="Stars of this magnitude and fainter.")
@click.option("--mag-max", type=MAGNITUDE, metavar="M", help="Stars brighter than this magnitude.")
@column_option
@picture_option("--plot", "Draw failure rates and a reliability diagram.")
@json_option
@click.pass_obj
def evaluate(
    session: Session,
    table: Path,
    names: tuple[str, ...],
    kind: ModelKind,
    start: str | None,
    stop: str | None,
    mag_min: float | None,
    mag_max: float | None,
    columns: dict[str, str],
    plot: Path | None,
    as_json: bool,
) -> None:
    """Compare models with a TABLE of what happened to real stars.

    TABLE is a CSV, ECSV, FITS or npz file with a row for each star: its magnitude (mag), whether it was lost (fail) or
    not (success), and its date (date, year) and temperature (t_ccd) or the fraction of warm pixels (warm_frac). All
    models are compared on the same stars. "ratio" is predicted over observed failures; of the scores, the log
    likelihood of a star should be great and the Brier score small. Rates of failure have 68 % intervals.

    \b
    Examples:
      aca prob evaluate stars.ecsv --model sota-2013 --model sota-2013-referenced
      aca prob evaluate stars.npz --start 2007 --stop 2014 --mag-min 8.5 --mag-max 11 --plot rates.png
      aca prob evaluate stars.csv --column mag=MAG_ACA --json
    """
    from aca_core.probability import evaluate_outcomes, plot_outcomes

    limits = None
    if mag_min is not None or mag_max is not None:
        limits = (float("-inf") if mag_min is None else mag_min, float("inf") if mag_max is None else mag_max)
    with session.answering() as warned:
        chosen = [chosen_model(session.registry, kind, name) for name in names or (None,)]
        report = evaluate_outcomes(table, chosen, kind=kind, start=start, stop=stop, mag_range=limits, columns=columns)
        if plot is not None:
            from aca_core.figures import save_figure

            save_figure(plot_outcomes(report), plot)
    if as_json:
        write_json({**report.as_dict(), "plot": plot and str(plot), "warnings": warned})
        return
    _write(report)
    if plot is not None:
        click.echo(f"\nWrote {plot}.")


def _write(report: OutcomeReport) -> None:
    failed = int(report.summary["observed"][0])
    stars = f"{report.n:,} star{'s' * (report.n != 1)} of {report.place}"
    said = [f"{report.kind} of {stars}: {failed:,} failed ({_percent(failed / report.n)} %)."]
    if report.left_out:
        said.append("Left out: " + ", ".join(f"{count:,} {reason}" for reason, count in report.left_out.items()) + ".")
    write_lines([*said, ""])
    headings = ("predicted", "ratio", "log likelihood", "Brier")
    rows = [
        (
            str(row["model"]),
            f"{row['predicted']:.1f}",
            f"{row['ratio']:.3f}",
            f"{row['log_likelihood']:.4f}",
            f"{row['brier']:.5f}",
        )
        for row in report.summary
    ]
    constant = (f"{report.meta['constant_log_likelihood']:.4f}", f"{report.meta['constant_brier']:.5f}")
    rows.append(("one rate for all", f"{failed:.1f}", "1.000", *constant))
    write_table(("model", *headings), rows, right=headings)
    for name, title in (("mag", "magnitude"), ("warm_frac", "warm fraction")):
        table = report.by_mag if name == "mag" else report.by_warm_frac
        if len(table):
            write_lines(["", f"Failures by {title}, in percent", ""])
            _write_bins(table, name, title, report.models)
    _write_notes(report)


def _write_bins(table: Table, name: str, title: str, models: Sequence[str]) -> None:
    rows = []
    for row in table[table["n"] > 0]:
        edges = f"{row[f'{name}_low']:g} to {row[f'{name}_high']:g}"
        interval = f"{_percent(row['rate_low'])} to {_percent(row['rate_high'])}"
        predicted = (_percent(row[model]) for model in models)
        rows.append((edges, f"{row['n']}", f"{row['failures']}", _percent(row["rate"]), interval, *predicted))
    right = ("stars", "failed", "observed", "68 %", *models)
    write_table((title, *right), rows, right=right, least=("68 %",))


def _write_notes(report: OutcomeReport) -> None:
    from aca_core.probability.scores import LIKELIHOOD_FLOOR

    lines = []
    for row in report.summary:
        if row["clipped"]:
            clipped = counted(int(row["clipped"]), "probability is", "probabilities are")
            said = f"so near to 0 or 1 that the likelihood is taken at {LIKELIHOOD_FLOOR} from there"
            lines.append(f"{row['model']}: {clipped} {said}.")
    for model, names in report.ignored.items():
        if names:
            lines.append(f"{model} does not use {', '.join(names)} of the table.")
    if lines:
        write_lines(["", *lines])


def _percent(fraction: Any) -> str:
    return f"{100 * fraction:.2f}"
