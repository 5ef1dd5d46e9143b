"""``aca l0``: which files of level-0 telemetry there are, what a slot measured and saw, and the column store of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from aca_core.cli.l0_images import images
from aca_core.cli.l0_options import (
    about_of,
    as_unit,
    asking,
    ends_of,
    head_of,
    imgsize_option,
    json_option,
    out_option,
    rows_option,
    slot_option,
    write_result,
    write_series,
    write_written,
)
from aca_core.cli.output import counted, write_json, write_lines
from aca_core.cli.parameters import OBSID, Whole
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from astropy.table import Column, Table

    from aca_core.archive.column_store.keeping import ColumnReport

__all__ = ["l0"]

F = TypeVar("F", bound=Callable[..., Any])

_SHOWN: Final = ("IMGSIZE", "QUALITY", "IMGROW0", "IMGCOL0", "BGDAVG", "TEMPCCD")
"""What is shown of a slot where nobody says which columns."""

_SPARE: Final = ("QUALITY",)
"""What a terminal of 80 columns has no room for; it is 0 of nearly all rows, and shown where it is not."""

_IMAGES: Final = "IMGRAW"


@click.group()
def l0() -> None:
    """Ask for level-0 telemetry of the camera: files, rows of a slot, images.

    The camera has eight image slots, 0 to 7, each with images of 4x4, 6x6 or 8x8 pixels. A date is written as
    2012:001, 2012-01-01T12:00:00 or in seconds. 'aca update' brings the files; beside them a column store holds the
    same rows, quicker to read. Where it is behind, the files answer.

    \b
    Examples:
      aca l0 files 2021:001 2021:002 --slot 6
      aca l0 data 2021:001 2021:002 --slot 6 --column TEMPCCD
      aca l0 images 2021:001:00:10 2021:001:00:20 --slot 3 --plot images.png
    """


l0.add_command(images)


# ---- files ----------------------------------------------------------------------------------------------------------


@l0.command("files")
@click.argument("start", required=False)
@click.argument("stop", required=False)
@click.option("--obsid", type=OBSID, metavar="N", help="Files of this observation, instead of a range of time.")
@click.option(
    "--slot", "slots", type=Whole(0, 7, "slot"), multiple=True, metavar="N", help="Only this slot, repeatable."
)
@imgsize_option
@json_option
@click.pass_obj
def show_files(
    session: Session,
    start: str | None,
    stop: str | None,
    obsid: int | None,
    slots: tuple[int, ...],
    imgsize: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the files of a time or of an observation, one path a line.

    Those that have any part of it by the times in their headers; without STOP until now. Where there is no such file,
    that is said on standard error, and --json writes an empty list. 'aca files' shows what the index says of each.

    \b
    Examples:
      aca l0 files 2021:001 2021:002
      aca l0 files --obsid 8008 --slot 6 --slot 7 --imgsize 8
    """
    from aca_core.aca_l0 import get_files

    if obsid is not None and start is not None:
        raise click.UsageError("give START and STOP, or --obsid, not both")
    if obsid is None and start is None:
        raise click.UsageError("which files? Give START and STOP, or --obsid N")
    with asking(session):
        found = get_files(obsid, start, stop, slots or None, [int(size) for size in imgsize] or None)
    if as_json:
        write_json(found)
    for path in () if as_json else found:
        click.echo(path)
    if not found:
        session.say("no such file of telemetry; 'aca status' shows what is archived")


# ---- rows -----------------------------------------------------------------------------------------------------------


@l0.command("data")
@click.argument("start")
@click.argument("stop")
@slot_option
@imgsize_option
@click.option(
    "--column", "columns", multiple=True, metavar="NAME", help="Only this column, repeatable; TIME is always there."
)
@out_option
@rows_option
@json_option
@click.pass_obj
def show_data(
    session: Session,
    start: str,
    stop: str,
    slot: int,
    imgsize: tuple[str, ...],
    columns: tuple[str, ...],
    out: Path | None,
    rows: int,
    as_json: bool,
) -> None:
    """Show what a slot measured from START to STOP.

    Without --column a few of the 49 columns are shown, and --out and --json write all. Images are not shown, and CSV
    has no place for them; 'aca l0 images' shows them. What an image size does not have is left empty.

    \b
    Examples:
      aca l0 data 2021:001 2021:002 --slot 6
      aca l0 data 2021:001 2021:002 --slot 6 --column TEMPCCD --out slot6.csv
      aca l0 data 2021:001 2021:002 --slot 3 --imgsize 8 --out slot3.h5
    """
    from aca_core.aca_l0 import ACA_COLUMNS, get_slot_data

    ends = ends_of(start, stop)
    asked = ["TIME", *columns] if columns else _usual(out, as_json=as_json)
    with asking(session) as warned:
        table = get_slot_data(*ends, slot, [int(size) for size in imgsize] or None, columns=asked, as_table=True)
        if out is not None:
            write_result(table, out, synthetic=table.meta["SYNTHET"])
    if not len(table):
        session.say(f"nothing is archived of slot {slot} in that range; 'aca l0 files' shows what is")
    if as_json:
        _write_json(table, out, warned)
        return
    write_lines([*head_of(table.meta), _provenance(table)])
    shown = [name for name in (table.colnames if columns else _SHOWN) if name not in ("TIME", _IMAGES)]
    cells = {_heading(table[name]): _cell(table[name]) for name in shown}
    write_series(table["TIME"].tolist(), cells, rows, spare=() if columns else _SPARE)
    if out is not None:
        write_written(out)
    elif not columns and len(table):
        write_lines(["", f"There are {len(ACA_COLUMNS)} columns; --column names others, --out writes all."])
    elif _IMAGES in table.colnames:
        write_lines(["", f"{_IMAGES} is not shown; --out writes it, and 'aca l0 images' draws it."])


def _usual(out: Path | None, *, as_json: bool) -> list[str] | None:
    """Return the columns to ask for where nobody says which: no more than are shown or written; None for all."""
    from aca_core.aca_l0 import ACA_COLUMNS

    if out is None and not as_json:
        return ["TIME", *_SHOWN]
    has_no_arrays = not as_json and out is not None and out.suffix.lower() == ".csv"
    return [name for name in ACA_COLUMNS if name != _IMAGES] if has_no_arrays else None


def _write_json(table: Table, out: Path | None, warned: list[str]) -> None:
    from aca_core.tables import rows_of

    columns = [
        {"name": name, "unit": as_unit(table[name].unit), "description": table[name].description}
        for name in table.colnames
    ]
    said = {"columns": columns, "rows": rows_of(table), "out": out and str(out), "warnings": warned}
    write_json({**about_of(table.meta), **said})


def _provenance(table: Table) -> str:
    about = table.meta
    stored = f" of {counted(about['FILES'], 'file')}, {about['STORED']} of them from the column store"
    return f"{counted(len(table), 'row')}{stored if len(table) else ''}; in {about['ARCHIVE']}"


def _heading(column: Column) -> str:
    return f"{column.name} {as_unit(column.unit)}".rstrip()


def _cell(column: Column) -> Callable[[int], str]:
    """Return what gives the cell of a row: floats with three decimals, which is finer than any of them is coded."""
    import numpy as np

    form = ".3f" if column.dtype.kind == "f" else ""

    def cell(row: int) -> str:
        value = column[row]
        return "" if value is np.ma.masked else format(value, form)

    return cell


# ---- the column store -----------------------------------------------------------------------------------------------


@l0.command("rebuild")
@click.argument("start", required=False)
@click.argument("stop", required=False)
@click.option("--anew", is_flag=True, help="Read all files again, whatever the column store says of them.")
@json_option
@click.pass_obj
def rebuild(session: Session, start: str | None, stop: str | None, anew: bool, as_json: bool) -> int:
    """Make the column store again, where it differs from the files.

    Of all days, or of those from START to STOP. Answers are right meanwhile and before: a file that the store lacks, or
    has in another version, is read itself. Interrupted, it goes on where it was. 'aca verify' says what differs. Exit
    code 3 where a file could not be taken over.

    \b
    Examples:
      aca l0 rebuild
      aca l0 rebuild 2021:001 2021:032 --anew
    """
    from aca_core.aca_l0.archives import level0_archive
    from aca_core.archive.words import in_words
    from aca_core.cli import ATTENTION
    from aca_core.errors import LockedError, UnknownNameError

    low, high = _maybe_ends(start, stop)
    with asking(session):
        archive = level0_archive()
        keeper = archive.column_store
        if keeper is None:
            raise UnknownNameError("product with a column store", archive.name, [])
        try:
            with session.quietly(), progress(session, every=5.0) as tell:
                report = keeper.rebuild(low, high, anew=anew, told=tell("column store"))
        except (LockedError, OSError) as error:
            raise in_words(error, keeper.store) from error
    if as_json:
        import attrs

        write_json({"folder": str(keeper.folder), **attrs.asdict(report)})
    else:
        _write_report(report, keeper.folder)
    return ATTENTION if report.failed else 0


def _maybe_ends(start: str | None, stop: str | None) -> tuple[float | None, float | None]:
    if start is None or stop is None:
        from aca_core.dates import to_secs

        return (None if start is None else float(to_secs(start)), None)
    return ends_of(start, stop)


def _write_report(report: ColumnReport, folder: Path) -> None:
    for verb, names in (("wrote", report.written), ("removed", report.removed)):
        for name in names:
            click.echo(f"{verb} {name}")
    lines = [
        f"{counted(len(report.written), 'piece')} written, {len(report.removed)} removed, "
        f"{counted(report.unchanged, 'day')} unchanged, in {folder}."
    ]
    if not (report.written or report.removed or report.unchanged):
        lines = [f"Nothing is archived there, so nothing is to be made in {folder}."]
    if report.failed:
        lines += [*report.failed, "'aca verify --full --repair' lets the next update fetch what is damaged or lost."]
    write_lines([*([""] if report.written or report.removed else []), *lines])
