"""``aca dark update`` and ``simulate``: dark calibrations that are made, from those of the ground or from a model."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import attrs
import click

from aca_core.cli.dark_options import json_option
from aca_core.cli.output import as_size, counted, write_json, write_lines, write_table
from aca_core.cli.parameters import Seconds, Whole
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.dark_processing import DarkUpdate, DarkUpdateReport
    from aca_core.simulation.dark_truth import DarkCalTruth, SimulatedDarkCals

__all__ = ["simulate", "update", "write_dark_update", "write_simulated"]

_STATES: Final[tuple[Literal["made", "updated", "current", "failed"], ...]] = ("made", "updated", "current", "failed")


@click.command()
@click.option("--start", metavar="DATE", help="Calibrations from this date on; by default of the last 30 days.")
@click.option("--stop", metavar="DATE", help="And before this date; now by default.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option(
    "--wait",
    type=Seconds(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another writer.",
)
@json_option
@click.pass_obj
def update(session: Session, start: str | None, stop: str | None, dry_run: bool, wait: float, as_json: bool) -> int:
    """Make the entries of new dark calibrations.

    An entry is a map, and properties that are worked out for it. Maps come from the dark source that
    dark.processed_from names, and entries go to the one that dark.source names. The tables dark.events, dark.aacccdpt
    and dark.hdr3 say when the camera took which calibration, and how warm the CCD was. An entry is written whole or not
    at all; one that is sound and not older than its map is left alone. Where one calibration cannot be made, the others
    are, and the exit code is 3.

    \b
    Examples:
      aca dark update
      aca dark update --start 1999:200
      aca dark update --start 2012:001 --stop 2013:001 --dry-run
    """
    from aca_core.cli import ATTENTION
    from aca_core.dark_processing import update_dark_cals

    with session.answering() as warned, progress(session) as tell:
        told = _telling(tell("dark calibrations"))
        report = update_dark_cals(start=start, stop=stop, dry_run=dry_run, wait=wait, told=told)
    if as_json:
        write_json({**attrs.asdict(report), "warnings": warned})
    else:
        write_dark_update(report)
    return ATTENTION if report.ids("failed") else 0


def _telling(tell: Callable[[str, int, int], None]) -> Callable[[DarkUpdate], None]:
    """Return what tells of each calibration as it is done; how many there will be is not known."""
    number = itertools.count(1)

    def told(done: DarkUpdate) -> None:
        if done.state == "failed":
            return  # the log has said so, with the reason
        tell(f"{done.dark_id} {done.state}", next(number), 0)

    return told


def write_dark_update(report: DarkUpdateReport) -> None:
    """Write what an update did with each calibration, or would do.

    Parameters
    ----------
    report : DarkUpdateReport
        From `update_dark_cals`.
    """
    span = f"from {report.start[:17]} to {report.stop[:17]}"
    if not report.rows:
        write_lines([f"No dark calibration was made {span}."])
        return
    shown = 4 if any(row.reason for row in report.rows) else 3
    rows = [(row.dark_id, row.state, row.start[:17], row.reason)[:shown] for row in report.rows]
    write_table(("calibration", "state", "began", "reason")[:shown], rows, least=("began",))
    states = [(word, report.ids(word)) for word in _STATES]
    said = ", ".join(f"{len(ids)} {word}" for word, ids in states if ids)
    would = "; nothing was written" if report.dry_run else ""
    lines = [
        f"{counted(len(report.rows), 'calibration')} {span}, {report.source!r} to {report.target!r}: {said}{would}."
    ]
    if report.synthetic:
        lines.append(f"{counted(len(report.synthetic), 'calibration')} made from synthetic maps, and marked so.")
    write_lines(["", *lines])


# ---- simulated ones -------------------------------------------------------------------------------------------------


def _as_ids(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> list[str]:
    """Return ids that were given one by one, or several in one word."""
    words = [word for text in value for word in re.split(r"[,\s]+", text.strip())]
    for word in words:
        if not re.fullmatch(r"[12]\d{6}", word, re.ASCII):
            raise click.BadParameter(f"{word!r} is no dark id; expected YYYYDOY such as 2012001", ctx, param)
    return words


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--ids",
    multiple=True,
    callback=_as_ids,
    metavar="YYYYDOY[,…]",
    help="Which calibrations, repeatable; by default some from all of the mission.",
)
@click.option("--seed", type=Whole(0), default=0, show_default=True, metavar="N", help="The same seed, the same files.")
@click.option(
    "--layout",
    type=click.Choice(["ska", "mica", "both"]),
    default="ska",
    show_default=True,
    help="As they come from the ground, with what they are processed from; as entries with properties; or both.",
)
@click.option("--force", is_flag=True, help="Replace an earlier simulation in FOLDER.")
@json_option
@click.pass_obj
def simulate(
    session: Session, folder: Path, ids: list[str], seed: int, layout: str, force: bool, as_json: bool
) -> None:
    """Write synthetic dark calibrations to FOLDER.

    Maps are drawn from the models of dark current for the date and the temperature, with noise. With them come the
    tables of events and temperatures that 'aca dark update' needs, and FOLDER/dark_truth.json, which says what was
    drawn. Every file, or the README beside it, says that it is synthetic.

    \b
    Examples:
      aca dark simulate darks
      aca dark simulate darks --ids 2018100,2019272 --layout both --seed 7
    """
    from aca_core.simulation import simulate_dark_calibrations
    from aca_core.simulation.dark_truth import DARK_TRUTH_FILE
    from aca_core.simulation.observation import SYNTHETIC

    def tell(done: DarkCalTruth) -> None:
        click.echo(f"made {done.dark_id}", err=True)

    with session.answering() as warned:
        simulated = simulate_dark_calibrations(
            folder,
            ids or None,
            seed=seed,
            layouts=("ska", "mica") if layout == "both" else (layout,),
            force=force,
            told=None if as_json else tell,
        )
    size = sum((folder / file).lstat().st_size for file in simulated.files)
    if as_json:
        said = attrs.asdict(simulated)
        write_json({**said, "folder": str(folder), "bytes": size, "warnings": warned})
        return
    write_simulated(simulated)
    write_lines(
        [
            "",
            f"Wrote {counted(len(simulated.files), 'file')}, {as_size(size)}, to {folder}.",
            f"All of it is {SYNTHETIC}; {folder / DARK_TRUTH_FILE} says what was drawn.",
        ]
    )


def write_simulated(simulated: SimulatedDarkCals) -> None:
    """Write what was simulated, one calibration a line.

    Parameters
    ----------
    simulated : SimulatedDarkCals
        From `simulate_dark_calibrations`.
    """
    headings = ("calibration", "t_ccd degC", "t_ccd from", "replicas", "above 100 e-/s", "drawn from")
    rows = [
        (each.dark_id, f"{each.t_ccd:.2f}", each.source, f"{len(each.replicas)}", f"{each.n_warm}", each.recipe)
        for each in simulated.calibrations
    ]
    write_table(headings, rows, right=("t_ccd degC", "replicas", "above 100 e-/s"), least=("drawn from", "replicas"))
