"""``aca simulate``: a delivery of made-up observations, to try and test an archive with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.output import counted, write_json, write_table
from aca_core.cli.parameters import Number, Seconds, Whole

if TYPE_CHECKING:
    from aca_core.simulation import Delivered, Delivery, SimulatedTelemetry

__all__ = ["simulate"]

_TRUTH: Final = "truth.json"
"""What a simulation writes last."""

_TELEMETRY_TRUTH: Final = "telemetry_truth.json"
"""What says which files of telemetry there are."""


def _as_obsids(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[int, ...]:
    """Return obsids that were given one by one, or several in one word."""
    words = [word for text in value for word in re.split(r"[,\s]+", text.strip())]
    for word in words:
        if not re.fullmatch(r"\d{1,5}", word, re.ASCII):
            raise click.BadParameter(f"{word!r} is no obsid; expected numbers such as 8008 or 8008,8009", ctx, param)
    return tuple(int(word) for word in words)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--seed", type=Whole(0), default=0, show_default=True, metavar="N", help="The same seed, the same files.")
@click.option(
    "--obsids",
    multiple=True,
    callback=_as_obsids,
    metavar="N[,N…]",
    help="Which obsids, repeatable; by default 8008 to 8014.",
)
@click.option(
    "--duration",
    type=Seconds(200, 200_000),
    default=10_000.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of each observation interval, s; 2000 is quick.",
)
@click.option(
    "--new-columns/--old-columns",
    "new_columns",
    default=None,
    help="Columns of the aspect solution since DS 10.8.3, or before it; by default some have these and some those.",
)
@click.option(
    "--step",
    type=click.Choice(["1.025", "2.05", "4.1"]),
    default="2.05",
    show_default=True,
    help="Time between images of the camera, s.",
)
@click.option("--every-algorithm", is_flag=True, help="Write five centroids of each image, not two.")
@click.option("--every-obi", is_flag=True, help="Deliver the files of every observation interval, not of the first.")
@click.option(
    "--telemetry",
    "days",
    type=Number(0.02, 1000.0),
    metavar="DAYS",
    help="Deliver level-0 telemetry of so many days from 2021:001 as well; about 30 MB a day.",
)
@click.option("--force", is_flag=True, help="Replace an earlier simulation in FOLDER.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
def simulate(
    folder: Path,
    seed: int,
    obsids: tuple[int, ...],
    duration: float,
    new_columns: bool | None,
    step: str,
    every_algorithm: bool,
    every_obi: bool,
    days: float | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a delivery of synthetic observations to FOLDER.

    It has observation parameters and aspect products in their true formats, in the states that occur in flight:
    released, provisional and superseded revisions, several aspect intervals and observation intervals.
    FOLDER/catalogue lists their processing, FOLDER/truth.json what was injected. Every file, or the README beside it,
    says that it is synthetic.

    With --telemetry there are level-0 files of the camera's eight slots as well, with gaps and other faults, in
    FOLDER/aca0; FOLDER/telemetry_truth.json says what is true of them.

    \b
    Examples:
      aca simulate delivered
      aca simulate delivered --obsids 8008,8009 --duration 2000 --seed 7
      aca simulate delivered --duration 2000 --telemetry 2
    """
    from aca_core.errors import IntegrityError
    from aca_core.simulation import SYNTHETIC, remove_telemetry, simulate_delivery

    if not force and (folder / _TRUTH).is_file():
        raise IntegrityError(folder, "holds an earlier simulation; name a new folder, or replace it with --force")
    if force and (folder / _TELEMETRY_TRUTH).is_file():
        remove_telemetry(folder)

    def tell(delivered: Delivered) -> None:
        click.echo(f"made {_name(delivered)}", err=True)

    delivery = simulate_delivery(
        folder,
        seed=seed,
        obsids=obsids or None,
        duration=duration,
        columns=None if new_columns is None else "new" if new_columns else "old",
        centroid_step=float(step),
        every_algorithm=every_algorithm,
        every_obi=every_obi,
        force=force,
        told=None if as_json else tell,
    )
    telemetry = None if days is None else _telemetry(folder, days, seed, quiet=as_json)
    rows = [_row(delivery, each) for each in delivery.truth.delivered]
    size = sum((folder / file).lstat().st_size for file in delivery.truth.files)
    if as_json:
        said = {"folder": str(folder), "synthetic": SYNTHETIC, "bytes": size, "observations": rows}
        write_json(said | ({} if telemetry is None else {"telemetry": _as_json(telemetry)}))
        return
    write_table(
        ("obsid", "obi", "version", "state", "detector", "columns", "intervals", "files"),
        [tuple(str(value) for value in row.values()) for row in rows],
        right=("obsid", "obi", "version", "intervals"),
        least=("intervals", "columns", "detector"),
    )
    written = counted(len(delivery.truth.files), "file or link", "files and links")
    click.echo(f"\nWrote {written}, {size / 1e6:.1f} MB, to {folder}.")
    if telemetry is not None:
        click.echo(_sentence(telemetry))
    click.echo(f"All of it is {SYNTHETIC}; {folder / 'truth.json'} says what was injected.")
    click.echo("The retriever 'directory' and the catalogue 'file' feed an archive from it; 'aca demo' sets one up.")


def _telemetry(folder: Path, days: float, seed: int, *, quiet: bool) -> SimulatedTelemetry:
    """Simulate telemetry beside the observations, and tell of each day that is begun."""
    from aca_core.simulation import SimulatedFile, simulate_telemetry

    told: set[str] = set()

    def tell(file: SimulatedFile) -> None:
        day = "/".join(file.path.split("/")[1:3])
        if day not in told:
            click.echo(f"writing telemetry of {day.replace('/', ':')}", err=True)
        told.add(day)

    return simulate_telemetry(folder, days=days, seed=seed, told=None if quiet else tell)


def _as_json(telemetry: SimulatedTelemetry) -> dict[str, Any]:
    from aca_core.dates import to_date

    return {
        "start": to_date(telemetry.start),
        "stop": to_date(telemetry.stop),
        "files": len(telemetry.files),
        "rows": sum(file.rows for file in telemetry.files),
        "bytes": sum((telemetry.folder / file.path).stat().st_size for file in telemetry.files),
    }


def _sentence(telemetry: SimulatedTelemetry) -> str:
    said = _as_json(telemetry)
    span = f"{said['start'][:17]} to {said['stop'][:17]}"
    return (
        f"Telemetry from {span}: {counted(said['files'], 'file')}, {said['rows']} rows, {said['bytes'] / 1e6:.1f} MB; "
        f"{telemetry.folder / _TELEMETRY_TRUTH} is its truth."
    )


def _name(delivered: Delivered) -> str:
    run = delivered.run
    return f"obsid {run.obsid} obi {run.obi} version {run.revision}"


def _row(delivery: Delivery, delivered: Delivered) -> dict[str, Any]:
    run, observation = delivered.run, delivered.observation
    released = delivery.truth.release(run.obsid).asp1
    judged = "provisional" if released is None or run.revision > released else "superseded"
    return {
        "obsid": run.obsid,
        "obi": run.obi,
        "version": run.revision,
        "state": "released" if run.revision == released else judged,
        "detector": observation.detector,
        "columns": observation.columns,
        "intervals": len(observation.intervals),
        "files": "delivered" if delivered.in_tree else "in the catalogue only",
    }
