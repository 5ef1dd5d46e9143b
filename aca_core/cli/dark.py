"""``aca dark``: which dark calibrations there are, and what is known of one; the group of all that is about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.dark_image import image
from aca_core.cli.dark_make import simulate, update
from aca_core.cli.dark_models import evaluate, model, plot
from aca_core.cli.dark_options import (
    as_date,
    json_option,
    range_options,
    select_option,
    source_option,
)
from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.dark_sources import DarkSource

__all__ = ["dark"]


@click.group()
def dark() -> None:
    """Ask for dark-current calibrations; make, draw and simulate them.

    A calibration is named by the day on which it was taken, YYYYDOY. A dark source is a place where calibrations lie:
    --source takes the name of one, or a folder that holds YYYYDOY folders; without it the configuration says which
    one, as dark.source. A date is written as 2012:001, 2012-01-01T12:00:00 or in seconds.

    \b
    Examples:
      aca dark list
      aca dark plot --t-ccd-ref -10
    """


for command in (image, plot, model, evaluate, update, simulate):
    dark.add_command(command)


@dark.command("list")
@range_options
@source_option
@json_option
@click.pass_obj
def show_list(session: Session, start: str | None, stop: str | None, source: str | None, as_json: bool) -> int:
    """Show which dark calibrations there are, one a line.

    No map is opened. "t_ccd" is the temperature of the CCD in degC and "t_ccd from" where that is from, "zodib" the
    zodiacal brightness. Of a source that keeps no properties there are the ids. Exit code 3 where the properties of a
    calibration cannot be read, or lack the temperature.

    \b
    Examples:
      aca dark list
      aca dark list --source ska
      aca dark list --start 2012:001 --stop 2014:001 --json
    """
    from aca_core.cli import ATTENTION
    from aca_core.dark_cal import DarkCalibrations

    with session.answering() as warned:
        calibrations = DarkCalibrations.of(source)
        ids = calibrations.ids_between(start, stop)
        found, temperatures, problems = _properties(calibrations.source, ids)
        if not ids:
            session.say(calibrations.nothing_between(start, stop))
    name, keeps = calibrations.source.name, bool(found or problems)
    rows = [_row(dark_id, found.get(dark_id, {}), temperatures.get(dark_id)) for dark_id in ids]
    if as_json:
        write_json({"source": name, "calibrations": rows, "problems": problems, "warnings": warned})
    elif ids:
        _write_list(rows)
        without = "" if keeps else ", which keeps no properties"
        write_lines(["", f"{counted(len(ids), 'calibration')} of the dark source {name!r}{without}."])
    for problem in () if as_json else problems:
        session.say(problem)
    return ATTENTION if problems else 0


def _properties(
    source: DarkSource, ids: Iterable[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, float], list[str]]:
    """Return the properties that can be read and the temperatures in them, by id, and what is wrong with the others."""
    from aca_core.dark_cal.properties import read_properties, t_ccd_of
    from aca_core.errors import IntegrityError, MissingDataError

    found: dict[str, dict[str, Any]] = {}
    temperatures: dict[str, float] = {}
    problems, absent = [], []
    for dark_id in ids:
        try:
            found[dark_id] = read_properties(source, dark_id)
            temperatures[dark_id] = t_ccd_of(source, dark_id)
        except IntegrityError as error:
            problems.append(str(error))
        except MissingDataError as error:
            absent.append(str(error))
    # Where no calibration has any, the source keeps none; where one lacks them, something is wrong with it.
    return found, temperatures, [*problems, *(absent if temperatures or problems else [])]


def _row(dark_id: str, properties: dict[str, Any], t_ccd: float | None) -> dict[str, Any]:
    """Return what a list says of one calibration; both sets of properties that are in use have it."""
    replicas = properties.get("replicas")
    if not isinstance(replicas, list):
        replicas = []
    sources = sorted({str(each["ccd_temp_source"]) for each in replicas if "ccd_temp_source" in each})
    return {
        "id": dark_id,
        "date": as_date(dark_id),
        "t_ccd": t_ccd,
        "t_ccd_from": ", ".join(sources) or None,
        "replicas": len(replicas) or properties.get("n_ccd_img"),
        "zodib": properties.get("zodib"),
        "synthetic": bool(properties.get("synthetic")),
    }


def _write_list(rows: list[dict[str, Any]]) -> None:
    """Write one line for each calibration, without the columns that are empty in all of them."""
    headings = {"id": "id", "date": "date", "t_ccd": "t_ccd degC", "t_ccd_from": "t_ccd from"}
    headings |= {"replicas": "replicas", "zodib": "zodib", "synthetic": ""}
    shown = [key for key in headings if any(row[key] not in (None, False) for row in rows)]
    write_table(
        [headings[key] for key in shown],
        [[_cell(key, row[key]) for key in shown] for row in rows],
        right=("t_ccd degC", "replicas", "zodib"),
        least=("t_ccd from", "zodib", "replicas"),
    )


def _cell(key: str, value: Any) -> str:
    if key == "synthetic":
        return "synthetic" if value else ""
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value)


# ---- one calibration ------------------------------------------------------------------------------------------------


@dark.command()
@click.argument("date")
@select_option
@source_option
@json_option
@click.pass_obj
def props(session: Session, date: str, select: str, source: str | None, as_json: bool) -> None:
    """Show the properties of the dark calibration for DATE.

    A calibration that was made on the day of DATE is the one, whatever --select says.

    \b
    Examples:
      aca dark props 2012:001
      aca dark props 2012:001 --select nearest --json
    """
    from aca_core.dark_cal import DarkCalibrations

    with session.answering():
        calibrations = DarkCalibrations.of(source)
        dark_id = calibrations.id(date, select)
        properties = calibrations.props(as_date(dark_id))
        folder = str(calibrations.source.directory(dark_id))
    if as_json:
        write_json({"id": dark_id, "source": calibrations.source.name, "folder": folder, "properties": properties})
        return
    click.echo(f"Calibration {dark_id} of the dark source {calibrations.source.name!r}, in {folder}\n")
    tables = {key: value for key, value in properties.items() if _is_table(value)}
    write_table(("property", "value"), [(key, _shown(value)) for key, value in properties.items() if key not in tables])
    for key, table in tables.items():
        click.echo(f"\n{key}\n")
        # What one reads by comes first: else the names are in the order of the alphabet, as in the file.
        headings = sorted(dict.fromkeys(name for row in table for name in row), key=lambda name: name != "count")
        rows = [[_shown(row.get(name, "")) for name in headings] for row in table]
        write_table(headings, rows, right=("count",), least=("downlink", "stop", "ccd_temp_source"))


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _shown(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
