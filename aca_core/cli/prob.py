"""``aca prob``: how likely a star, or each star of a table, is to be acquired or tracked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.parameters import Number, OutFile, Whole
from aca_core.cli.prob_evaluate import evaluate
from aca_core.cli.prob_models import models, plot
from aca_core.cli.prob_options import chosen_model, column_option, json_option, star_options
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.models import ModelKind, ProbabilityModel
    from aca_core.probability import SuccessProb
    from aca_core.probability.star_tables import StarTable

__all__ = ["prob"]

_VERBS: Final = {"acquisition": "acquired", "guide": "tracked"}
_COLUMNS: Final = {"acquisition": "p_acq", "guide": "p_guide"}
_ONE_CATALOGUE: Final = 100
"""Up to how many rows a table may be the stars of one catalogue."""


@click.group()
def prob() -> None:
    """Ask how likely stars are acquired and tracked, and how good the models are that say so.

    Probability models are plugins; 'aca prob models' lists them. Without --model the one answers that the
    configuration names in its table [probability]. A date is written as 2012:001, 2012-01-01T12:00:00 or in seconds.

    \b
    Examples:
      aca prob acq --date 2018:001 --t-ccd -11 --mag 10.3
      aca prob models
    """


for command in (evaluate, models, plot):
    prob.add_command(command)

_table = click.argument("table", type=click.Path(path_type=Path, dir_okay=False), required=False)
_out = click.option(
    "--out",
    type=OutFile((".csv", ".ecsv", ".fits", ".fits.gz", ".fit")),
    metavar="FILE",
    help="Write the table to a file: CSV, ECSV or FITS, by its ending; a file of that name is replaced.",
)


@prob.command("acq")
@_table
@star_options
@click.option("--color", type=Number(noun="B-V in mag"), metavar="B-V", help="B-V, mag; 0.6 by default.")
@click.option(
    "--halfwidth",
    type=Number(0, noun="number of arcsec"),
    metavar="ARCSEC",
    help="Half width of the search box, arcsec; 120 by default.",
)
@click.option("--spoiler", is_flag=True, default=None, help="Another star disturbs this one.")
@column_option
@click.option(
    "--fewer",
    type=Whole(0, noun="number of stars"),
    default=2,
    show_default=True,
    metavar="N",
    help="For a table: also the probability that N or fewer are acquired.",
)
@_out
@json_option
@click.pass_obj
def acq(
    session: Session,
    /,
    table: Path | None,
    columns: dict[str, str],
    out: Path | None,
    fewer: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Say how likely a star is to be acquired, or each star of TABLE.

    TABLE is a CSV, ECSV, FITS or npz file with a row for each star, and columns such as date, t_ccd, mag, color and
    halfwidth; what it has no column for, or what shall be the same for all, is said by options. The answer is the
    table with a column p_acq. Inputs that the model does not use, and those outside of its range, are told of.

    \b
    Examples:
      aca prob acq --date 2018:001 --t-ccd -11 --mag 10.3
      aca prob acq --t-ccd -9 --mag 10.3 --color 1.5 --model sota-2017
      aca prob acq stars.csv --t-ccd -11 --out stars.ecsv
    """
    _answer(session, "acquisition", table, columns, out, as_json, given, fewer=fewer)


@prob.command("guide")
@_table
@star_options
@column_option
@_out
@json_option
@click.pass_obj
def guide(
    session: Session, /, table: Path | None, columns: dict[str, str], out: Path | None, as_json: bool, **given: Any
) -> None:
    """Say how likely a star is to be tracked, or each star of TABLE.

    TABLE is a CSV, ECSV, FITS or npz file with a row for each star, and columns such as date, t_ccd and mag; what it
    has no column for, or what shall be the same for all, is said by options. The answer is the table with a column
    p_guide.

    \b
    Examples:
      aca prob guide --date 2018:001 --t-ccd -11 --mag 10.3
      aca prob guide stars.fits --model sota-2013-referenced --json
    """
    _answer(session, "guide", table, columns, out, as_json, given)


def _answer(
    session: Session,
    kind: ModelKind,
    path: Path | None,
    columns: dict[str, str],
    out: Path | None,
    as_json: bool,
    options: dict[str, Any],
    fewer: int | None = None,
) -> None:
    from aca_core.dates import to_date
    from aca_core.probability import success_prob
    from aca_core.probability.star_tables import read_stars

    if path is None and (columns or out is not None):
        raise click.UsageError(f"{'--column' if columns else '--out'} is for a TABLE of stars, and none is named")
    model = chosen_model(session.registry, kind, options.pop("model"))
    given = {name: value for name, value in options.items() if value is not None}
    stars = None if path is None else read_stars(path, columns)
    if "date" in given:
        given["date"] = to_date(given["date"])  # what is wrong with it is said before anything is computed
    inputs = _inputs(session, stars, given)
    _check_inputs(model, stars, inputs)
    now = "date" not in inputs and _uses_date(model, inputs)
    if now:
        given["date"] = inputs["date"] = to_date(None)  # so that the answer says which date this was
    with session.answering() as warned:
        result = success_prob(kind, model=model, **inputs)
    if stars is None:
        _write_star(result, inputs, warned, now=now, as_json=as_json)
    else:
        _write_stars(_with_probabilities(stars, result, given), result, warned, out, fewer, as_json=as_json)


def _inputs(session: Session, stars: StarTable | None, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is known of the stars: the columns, and in their place what options say of all stars."""
    found: dict[str, Any] = {}
    if stars is not None:
        numbers = ("mag", "t_ccd", "warm_frac", "color", "halfwidth")
        found = {name: stars.floats(name) for name in numbers if name in stars}
        if "spoiler" in stars:
            found["spoiler"] = stars.flags("spoiler")
        if stars.has_dates:
            found["date"] = stars.secs()
        for name in sorted(set(given) & set(found)):
            session.say(f"--{name.replace('_', '-')} is used for all stars, not the column of {stars.place}")
        if {"t_ccd", "date"} & set(given) and "warm_frac" not in given and found.pop("warm_frac", None) is not None:
            session.say(f"the warm fraction follows from date and temperature, not from the column of {stars.place}")
    return {**found, **given}


def _uses_date(model: ProbabilityModel, inputs: dict[str, Any]) -> bool:
    """Say whether the answer depends on the date."""
    return "date" in model.inputs or ("warm_frac" in model.inputs and "warm_frac" not in inputs)


def _check_inputs(model: ProbabilityModel, stars: StarTable | None, inputs: dict[str, Any]) -> None:
    """Refuse, in the words of the command line, what the model cannot answer."""
    needed = {"mag"} & set(model.inputs)
    if "t_ccd" in model.inputs or ("warm_frac" in model.inputs and "warm_frac" not in inputs):
        needed.add("t_ccd")
    for name in sorted(needed - set(inputs)):
        option = f"--{name.replace('_', '-')}"
        where = option if stars is None else f"a column {name} in {stars.place}, or {option}"
        also = "; or --warm-frac" if name == "t_ccd" and "t_ccd" not in model.inputs else ""
        raise click.UsageError(f"{model.noun} {model.name!r} needs {where}{also}")


# ---- one star -------------------------------------------------------------------------------------------------------


def _write_star(result: SuccessProb, inputs: dict[str, Any], warned: list[str], *, now: bool, as_json: bool) -> None:
    if as_json:
        write_json({"prob": result.prob, "inputs": inputs, **_origin(result, warned)})
        return
    click.echo(f"{result.prob:.4f} is the probability that the star is {_VERBS[result.kind]}")
    units = {"t_ccd": " degC", "halfwidth": " arcsec", **({"date": " (now)"} if now else {})}
    known = [f"{name} {value}{units.get(name, '')}" for name, value in inputs.items() if name not in result.ignored]
    if result.warm_frac is not None and "warm_frac" not in inputs:
        known.append(f"hence a warm fraction of {float(result.warm_frac):.4f}")
    write_lines([f"for {', '.join(known)}", *_origin_lines(result)])


def _origin(result: SuccessProb, warned: list[str]) -> dict[str, Any]:
    """Return what made a result, for JSON."""
    import numpy as np

    warm = result.warm_frac
    return {
        "kind": result.kind,
        "model": result.model,
        "distribution": result.distribution,
        "version": result.version,
        "provenance": dict(result.provenance),
        "warm_frac": warm if warm is None or np.ndim(warm) == 0 else None,
        "ignored": list(result.ignored),
        "clipped": dict(result.clipped),
        "extrapolated": dict(result.extrapolated),
        "warnings": warned,
    }


def _origin_lines(result: SuccessProb) -> list[str]:
    made = f"{result.distribution} {result.version}".strip()
    rest = ", ".join(f"{name} {value}" for name, value in result.provenance.items() if name != "source")
    return [
        f"by {result.kind} model {result.model}, {made}: {result.provenance.get('source', '')}",
        *([f"with {rest}"] if rest else []),
    ]


# ---- a table --------------------------------------------------------------------------------------------------------


def _with_probabilities(stars: StarTable, result: SuccessProb, given: dict[str, Any]) -> Table:
    """Return the table with the column of probabilities, and what made it in its meta."""
    import numpy as np

    column = _COLUMNS[result.kind]
    if column in stars.table.colnames:
        raise click.UsageError(f"{stars.place} has a column {column} already; rename or remove it")
    table = stars.table.copy()
    table[column] = np.broadcast_to(result.prob, (len(table),)).copy()
    table[column].info.description = f"probability that the star is {_VERBS[result.kind]}"
    same = ", ".join(f"{name}={value}" for name, value in given.items())
    table.meta.update({**result.meta, **({"GIVEN": same} if same else {})})
    return table


def _write_stars(
    table: Table, result: SuccessProb, warned: list[str], out: Path | None, fewer: int | None, *, as_json: bool
) -> None:
    from aca_core.tables import rows_of, write_table_file

    summary = _summary(table, result, fewer)
    if out is not None:
        write_table_file(table, out)
    if as_json:
        rows = {} if out is not None else {"stars": rows_of(table)}
        write_json({"summary": summary, **_origin(result, warned), "out": out and str(out), **rows})
        return
    if out is None:
        _write_rows(table, _COLUMNS[result.kind])
    write_lines([*([""] if out is None else []), *_summary_lines(summary, result, fewer), *_origin_lines(result)])
    if out is not None:
        click.echo(f"Wrote {out}.")


def _write_rows(table: Table, column: str) -> None:
    """Write the table as people read it: numbers as they are, probabilities with four decimals."""
    from aca_core.tables import cells_of

    cells = {}
    for name in table.colnames:
        digits = ".4f" if name == column else ".10g"
        values = cells_of(table[name])
        cells[name] = [
            "" if value is None or value != value else f"{value:{digits}}" if isinstance(value, float) else str(value)
            for value in values
        ]
    right = [name for name in table.colnames if getattr(table[name], "dtype", None) in ("f8", "f4", "i8", "i4", "i2")]
    write_table(table.colnames, zip(*cells.values(), strict=True), right=right)


def _summary(table: Table, result: SuccessProb, fewer: int | None) -> dict[str, Any]:
    """Return how many stars there are, how many of them are expected to succeed, and how likely few of them do."""
    import numpy as np

    from aca_core.probability import prob_n_acq

    values = np.asarray(table[_COLUMNS[result.kind]], dtype=float)
    known = values[~np.isnan(values)]
    summary: dict[str, Any] = {"n": len(values), "unknown": len(values) - len(known), "expected": float(known.sum())}
    if fewer is not None and 0 < len(known) <= _ONE_CATALOGUE:
        _, cumulative = prob_n_acq(known)
        summary |= {"fewer": fewer, "prob_fewer": float(cumulative[min(fewer, len(known))])}
    return summary


def _summary_lines(summary: dict[str, Any], result: SuccessProb, fewer: int | None) -> list[str]:
    n, unknown, verb = summary["n"], summary["unknown"], _VERBS[result.kind]
    text = f"Of {counted(n - unknown, 'star')} {summary['expected']:.2f} are expected to be {verb}"
    if "prob_fewer" in summary:
        text += f"; the probability that {fewer} or fewer are is {summary['prob_fewer']:.3g}"
    left_out = f"{counted(unknown, 'star')} left out, of which something is not known."
    return [f"{text}.", *([left_out] if unknown else [])]
