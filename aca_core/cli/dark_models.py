"""``aca dark plot``, ``model`` and ``evaluate``: warm pixels as measured, and as the models have them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.dark_options import (
    CELSIUS,
    json_option,
    model_option,
    picture_option,
    range_options,
    source_option,
    threshold_option,
)
from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.dark_current.model import DarkModel

__all__ = ["evaluate", "model", "plot"]

_PICTURE: Final = "warm-pixels.png"

_THRESHOLDS: Final = (20.0, 50.0, 100.0, 200.0, 1000.0)
"""Where `model` counts warm pixels, e-/s."""


# ---- over the mission -----------------------------------------------------------------------------------------------


@click.command()
@range_options
@source_option
@click.option(
    "--t-ccd-ref",
    type=CELSIUS,
    default=-19.0,
    show_default=True,
    metavar="T",
    help="The temperature of the CCD at which calibrations are compared, degC.",
)
@threshold_option
@model_option
@picture_option("--out", f"The picture; {_PICTURE} by default.")
@click.option("--table", "table_alone", is_flag=True, help="Write the table, and draw nothing.")
@json_option
@click.pass_obj
def plot(
    session: Session,
    start: str | None,
    stop: str | None,
    source: str | None,
    t_ccd_ref: float,
    threshold: float,
    model: str,
    out: Path | None,
    table_alone: bool,
    as_json: bool,
) -> int:
    """Draw the fraction of warm pixels over the mission.

    As measured, and scaled to one temperature, with the model's curve there. Every map is read once. The table has
    fractions of the whole CCD in percent: at the temperature of the calibration, scaled to --t-ccd-ref, and that of the
    model there. A calibration that is damaged is left out and told, and the exit code is 3.

    \b
    Examples:
      aca dark plot
      aca dark plot --t-ccd-ref -10 --threshold 50 --out warm-pixels.svg
      aca dark plot --start 2012:001 --model 2017 --table --json
    """
    from aca_core.cli import ATTENTION
    from aca_core.dark_cal import plot_warm_fraction_history, warm_fraction_history
    from aca_core.figures import save_figure, styled

    if table_alone and out is not None:
        raise click.UsageError("--table draws nothing: leave out --out, or --table")
    if not table_alone:
        out = out or Path(_PICTURE)
        with styled():  # is there anything to draw with? Better to know before every map is read
            pass

    with session.answering() as warned:
        with progress(session, every=5.0) as tell:
            history = warm_fraction_history(
                start,
                stop,
                source=source,
                t_ccd_ref=t_ccd_ref,
                threshold=threshold,
                model=model,
                told=tell("dark maps"),
            )
        if out is not None:
            save_figure(plot_warm_fraction_history(history), out)
    if as_json:
        rows = [dict(zip(history.colnames, row, strict=True)) for row in _plain_rows(history)]
        write_json({**history.meta, "calibrations": rows, "out": out and str(out), "warnings": warned})
    else:
        write_history(history)
        if out is not None:
            click.echo(f"\nWrote {out}.")
    return ATTENTION if history.meta["left_out"] else 0


def _plain_rows(table: Table) -> list[tuple[Any, ...]]:
    """Return the cells of each row; None for what is not known."""
    columns = ([None if value != value else value for value in table[name].tolist()] for name in table.colnames)
    return list(zip(*columns, strict=True))


def write_history(history: Table, bars: int = 0) -> None:
    """Write the fraction of warm pixels of each calibration.

    Parameters
    ----------
    history : astropy.table.Table
        From `warm_fraction_history`.
    bars : int, default 0
        How many signs the longest bar has that shows the fraction at one temperature; 0 for no bars.
    """
    reference = f"at {history.meta['t_ccd_ref']:g}"
    measured = ("warm_raw", "warm_ref", "model_ref")
    # Hot pixels are few: where none of the fractions is as great as 1 %, two more digits tell them apart.
    greatest = max((value for name in measured for value in history[name] if value == value), default=0.0)
    digits = 2 if greatest >= 0.01 else 4
    headings = ["id", "date", "t_ccd degC", "measured %", f"{reference} %", f"model {reference} %"]
    longest = max((value for value in history["warm_ref"] if value == value), default=0.0)
    rows = []
    for row in history:
        bar = "█" * round(bars * row["warm_ref"] / longest) if row["warm_ref"] == row["warm_ref"] and longest else ""
        numbers = (_percent(row[name], digits) for name in measured)
        t_ccd = "" if row["t_ccd"] != row["t_ccd"] else f"{row['t_ccd']:.2f}"
        rows.append([str(row["id"]), str(row["date"]), t_ccd, *numbers, *([bar] if bars else [])])
    write_table(headings + [""] * bool(bars), rows, right=headings[2:], least=("date", ""))


def _percent(fraction: float, digits: int) -> str:
    return "" if fraction != fraction else f"{100 * fraction:.{digits}f}"


# ---- one date -------------------------------------------------------------------------------------------------------


@click.command("model")
@click.option("--date", metavar="DATE", help="For when; now by default.")
@click.option(
    "--t-ccd", type=CELSIUS, default=-10.0, show_default=True, metavar="T", help="Temperature of the CCD, degC."
)
@picture_option("--plot", "Draw the histograms of the models.")
@json_option
@click.pass_obj
def model(session: Session, date: str | None, t_ccd: float, plot: Path | None, as_json: bool) -> None:
    """Show what the models of dark current say for a date.

    Parameters are those at the temperature at which a model was fitted; warm pixels are those at --t-ccd.

    \b
    Examples:
      aca dark model --date 2018:001 --t-ccd -11
      aca dark model --t-ccd -7.5 --plot histograms.png
      aca dark model --date 2012:001 --json
    """
    from aca_core.dark_current.laws import DARK_LAWS
    from aca_core.dark_current.model import get_dark_model
    from aca_core.dates import to_date

    date = to_date(date)
    with session.answering() as warned:
        models = [get_dark_model(date, t_ccd, model=name) for name in DARK_LAWS]
        fractions = [[float(each.warm_fraction(limit)) for limit in _THRESHOLDS] for each in models]
        if plot is not None:
            _draw(models, date, t_ccd, plot)
    if as_json:
        said = [_as_data(each, found) for each, found in zip(models, fractions, strict=True)]
        out = plot and str(plot)
        write_json({"date": date, "t_ccd": t_ccd, "models": said, "plot": out, "warnings": warned})
        return
    click.echo(f"Dark current on {date} at {t_ccd:g} degC\n")
    names = [each.name for each in models]
    rows = [
        (f"{limit:g} e-/s", *(f"{100 * found[number]:.3f}" for found in fractions))
        for number, limit in enumerate(_THRESHOLDS)
    ]
    headings = [f"model {name} %" for name in names]
    write_table(("above", *headings), rows, right=headings)
    click.echo()
    for each in models:
        values = ", ".join(f"{name} {float(value):.6g}" for name, value in each.parameters.items())
        write_lines([f"model {each.name}, at {each.t_ccd_ref:g} degC: {values}"])
    if any(found > 1 for each in fractions for found in each):
        write_lines(["", "A model that says more than 100 % has more pixels than the CCD: it was not fitted there."])
    if plot is not None:
        click.echo(f"\nWrote {plot}.")


def _as_data(model: DarkModel, fractions: list[float]) -> dict[str, Any]:
    return {
        "name": model.name,
        "t_ccd_ref": model.t_ccd_ref,
        "parameters": {name: float(value) for name, value in model.parameters.items()},
        "warm_fraction": {f"{limit:g}": found for limit, found in zip(_THRESHOLDS, fractions, strict=True)},
    }


def _draw(models: list[DarkModel], date: str, t_ccd: float, path: Path) -> None:
    """Draw the histograms of several models into one picture."""
    from aca_core.dark_current.plots import plot_histograms
    from aca_core.figures import save_figure

    labels = [f"model {each.name}" for each in models]
    title = f"{date[:8]} at {t_ccd:g} °C".replace("-", "\N{MINUS SIGN}")
    save_figure(plot_histograms([each.edges for each in models], [each.counts for each in models], labels, title), path)


# ---- against counts of warm pixels ----------------------------------------------------------------------------------


@click.command()
@click.argument("table", type=click.Path(path_type=Path, dir_okay=False))
@threshold_option
@picture_option("--plot", "Draw the counts, the models, and their ratio.")
@json_option
@click.pass_obj
def evaluate(session: Session, table: Path, threshold: float, plot: Path | None, as_json: bool) -> None:
    """Compare the models of dark current with counted warm pixels.

    TABLE is CSV, ECSV or FITS with a row for each calibration: a date (date, day, time, or a fractional year), the CCD
    temperature (t_ccd, temp), and how many pixels were above --threshold at that temperature (count). "ratio" is
    predicted over counted, its scatter half of the range that the middle 68 % take.

    \b
    Examples:
      aca dark evaluate calibrations.csv
      aca dark evaluate calibrations.csv --plot ratio.png --json
    """
    from aca_core.dark_current.against_flight import evaluate_dark_models

    with session.answering() as warned:
        report = evaluate_dark_models(table, threshold=threshold)
        if plot is not None:
            from aca_core.dark_current.flight_plot import plot_dark_report
            from aca_core.figures import save_figure

            save_figure(plot_dark_report(report), plot)
    if as_json:
        write_json({**report.as_dict(), "plot": plot and str(plot), "warnings": warned})
        return
    n = len(report.table)
    click.echo(f"{counted(n, 'calibration')} of {report.place}, pixels above {report.threshold:g} e-/s\n")
    numbers = ("median ratio", "scatter", "least", "greatest")
    rows = [
        (
            f"{row['model']}",
            f"{row['period']}",
            f"{row['start']:.1f}-{row['stop']:.1f}",
            f"{row['n']}",
            *(f"{row[name]:.3f}" for name in ("median", "scatter", "least", "greatest")),
        )
        for row in report.summary
    ]
    write_table(
        ("model", "period", "years", "n", *numbers), rows, right=("n", *numbers), least=("years", "greatest", "least")
    )
    if report.left_out:
        write_lines(["", f"{counted(report.left_out, 'row')} without a date, a temperature or a count left out."])
    if plot is not None:
        click.echo(f"\nWrote {plot}.")
