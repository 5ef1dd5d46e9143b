"""``aca demo``: the whole way from a delivery to an answer, in a folder of its own, with synthetic observations."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aca_core.cli.demo_darks import DARKS, answer_darks, deliver_darks, suggest_darks, update_darks
from aca_core.cli.demo_telemetry import answer_telemetry, deliver_telemetry, first_range, suggest_telemetry
from aca_core.cli.output import counted, write_lines
from aca_core.cli.parameters import Number, Seconds, Whole
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import Archive, ObsArchive
    from aca_core.simulation import Delivered
    from aca_core.simulation.delivery import Delivery

__all__ = ["demo"]

DELIVERED: Final = "delivered"
ARCHIVE: Final = "archive"
SET: Final = "nightly"

_FILE: Final = """\
# A demonstration, made by 'aca demo': everything in it is synthetic. 'aca config init' writes a file with every key.
root = "archive"
ska = "{darks}/ska"

[retrievers.directory]
folder = "../delivered"  # relative to the root, as every path of a site

[catalogues.file]
path = "../delivered/catalogue"

[sets.{name}]
products = [{products}]
retriever = "directory"
catalogue = "file"

[dark]
events = "../{darks}/dark_events.csv"
aacccdpt = "../{darks}/aacccdpt.csv"
hdr3 = "../{darks}/hdr3.csv"
"""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--duration",
    type=Seconds(200, 200_000),
    default=2000.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of each observation, s; 50000 is a long one in flight.",
)
@click.option(
    "--days",
    type=Number(0.02, 100, noun="number of days"),
    default=2.0,
    show_default=True,
    metavar="DAYS",
    help="Length of the telemetry; a day has some 30 MB of files.",
)
@click.option("--seed", type=Whole(0), default=0, show_default=True, metavar="N", help="The same seed, the same files.")
@click.pass_obj
def demo(session: Session, folder: Path, duration: float, days: float, seed: int) -> int:
    """Fill an archive in FOLDER with synthetic observations and telemetry, and ask it.

    Observations and telemetry are simulated and delivered as in flight: FOLDER/delivered has their files and the
    catalogue of their processing. An update brings them through retrieval, verification, commit, links and index into
    FOLDER/archive, and telemetry into its column store too. FOLDER/darks has dark calibrations as they come from the
    ground; a dark update makes entries of the archive of them. What is asked then is how warm the CCD was, how many of
    its pixels are warm, and how likely stars are to be acquired. FOLDER/aca.toml is the configuration, to be changed at
    will. Run again, it goes on with what is there.

    \b
    Examples:
      aca demo demo-archive
      aca demo demo-archive --duration 50000 --days 7
    """
    from aca_core.archive import chosen_products, open_archive
    from aca_core.archive.reports import UpdateOptions
    from aca_core.cli import ATTENTION
    from aca_core.cli.update import exit_code, run_updates, write_updates
    from aca_core.config_layers import load_config

    delivery = _delivery(folder, duration, days, seed)
    file = folder / "aca.toml"
    if file.exists():
        click.echo(f"{file} is there, and is used as it is.")
    else:
        _write_file(session, file, delivery)
    # A place to try things in, whatever archive the environment names.
    config = load_config(file, environ={})
    if config.root:
        config.root[0].mkdir(exist_ok=True)
    with_darks = config.ska is not None and config.ska.resolve().is_relative_to((folder / DARKS).resolve())
    if with_darks:
        deliver_darks(folder, seed)
    else:
        click.echo(f"{file} is one without dark calibrations; a new folder has them.")
    archive = open_archive(config=config)
    chosen = chosen_products(archive)
    names = ", ".join(product for product, _ in chosen)
    click.echo()
    write_lines([f"The update: what the catalogue has as new of {names} is retrieved, verified, committed, indexed."])
    click.echo()
    options = first_range(archive, delivery.folder, UpdateOptions())
    results = run_updates(session, archive, chosen, options)
    write_updates(results)
    complete = update_darks(archive) if with_darks else True
    _answer(archive, [product for product, _ in chosen], with_darks=with_darks, session=session)
    _suggest(archive, [product for product, _ in chosen], file, with_darks=with_darks)
    return exit_code(results) or (0 if complete else ATTENTION)


def _delivery(folder: Path, duration: float, days: float, seed: int) -> Delivery:
    """Return the simulated delivery; made, where it is not there."""
    from aca_core.simulation import SYNTHETIC, open_delivery, simulate_delivery

    place = folder / DELIVERED
    if (place / "truth.json").exists():
        click.echo(f"{place} has a simulated delivery, and is used as it is: {SYNTHETIC}.")
        return open_delivery(place)

    def tell(delivered: Delivered) -> None:
        run = delivered.run
        click.echo(f"made obsid {run.obsid} obi {run.obi} version {run.revision}", err=True)

    # Under its name only when it is whole, so that an interrupted run leaves nothing that looks like a delivery.
    part = place.with_name(f".{place.name}.new")
    shutil.rmtree(part, ignore_errors=True)
    delivery = simulate_delivery(part, seed=seed, duration=duration, told=tell)
    observations = len({each.run.obsid for each in delivery.truth.delivered})
    write_lines([f"Simulated {counted(observations, 'observation')} in {place}: {SYNTHETIC}."])
    deliver_telemetry(part, days, seed)
    part.rename(place)
    return open_delivery(place)


def _write_file(session: Session, file: Path, delivery: Delivery) -> None:
    """Write a configuration for the products that were delivered."""
    from aca_core.config import Config
    from aca_core.products import ArchiveProduct
    from aca_core.registry import Registry

    names = [offer.name for offer in Registry(Config()).offers(ArchiveProduct)]
    products = [name for name in names if (delivery.folder / name).is_dir()]
    file.write_text(
        _FILE.format(name=SET, darks=DARKS, products=", ".join(f'"{name}"' for name in products)), encoding="utf-8"
    )
    click.echo(f"Wrote {file}.")


# ---- what can be asked ----------------------------------------------------------------------------------------------


def _answer(archive: Archive, products: list[str], *, with_darks: bool, session: Session) -> None:
    """Ask the archive a few things."""
    from aca_core.archive import status_of
    from aca_core.cli.status import write_status

    click.echo("\nWhat does the archive hold?\n")
    write_status([status_of(archive[name]) for name in products])
    member, obsid = _observation(archive, products)
    if member is not None and obsid is not None:
        _ask(member, obsid)
    answer_telemetry(archive)
    if with_darks:
        answer_darks(archive, session)


def _observation(archive: Archive, products: list[str]) -> tuple[ObsArchive | None, int | None]:
    """Return an observation to ask about, and the archive that has it."""
    from aca_core.archive import ObsArchive

    member = next((found for name in products if isinstance(found := archive[name], ObsArchive)), None)
    return member, None if member is None else _interesting(member)


def _interesting(member: ObsArchive) -> int | None:
    """Return an observation that has both a released and a provisional version, or any."""
    from aca_core.archive.links import provisional_links

    store = member.stores[0]
    both = [obsid for obsid, _ in provisional_links(store) if member.get_dir(obsid)]
    rows = store.index.select("SELECT min(obsid) AS obsid FROM archfiles")
    return both[0] if both else rows[0]["obsid"] if rows else None


def _ask(member: ObsArchive, obsid: int) -> None:
    from aca_core.archive import explain_obsid
    from aca_core.cli.explain import write_revisions

    found = explain_obsid(member, obsid)
    click.echo(f"\nWhich versions of {member.name} has obsid {obsid}, and why is one the default?\n")
    write_revisions(found)
    write_lines(["", *found.sentences])
    files = member.get_files(obsid)
    click.echo(f"\nWhich files has the default one? {len(files)}, such as\n")
    for path in files[:3]:
        click.echo(f"  {path}")


def _suggest(archive: Archive, products: list[str], file: Path, *, with_darks: bool) -> None:
    """Write commands to go on with, as they can be pasted."""
    from aca_core.config_layers import load_config

    member, obsid = _observation(archive, products)
    lines = [("status", "what there is, what failed")]
    if member is not None and obsid is not None:
        lines += _of_observation(member, obsid)
    lines += [("verify --full", "read every file, compare"), ("update", "nothing is new by now")]
    lines += suggest_telemetry(archive)
    lines += suggest_darks(archive) if with_darks else []
    start = f"aca --config {shlex.quote(str(file))}"
    click.echo("\nTo go on:\n")
    width = max(len(line) for line, _ in lines)
    rows = [(f"  {start} {line:<{width}}", f"  # {meaning}") for line, meaning in lines]
    is_narrow = sys.stdout.isatty() and max(map(len, map("".join, rows))) > shutil.get_terminal_size().columns
    for command, comment in rows:
        click.echo(f"{comment}\n{command.rstrip()}" if is_narrow else f"{command}{comment}")
    if load_config(file).root != archive.config.root:
        click.echo("\nHere ACA_DATA names another archive, which goes over the file: unset it first.")


def _of_observation(member: ObsArchive, obsid: int) -> list[tuple[str, str]]:
    rows = member.get_rows(obsid)
    content = rows[0].get("content") if rows else None
    only = f" --content {content}" if content else ""
    return [
        (f"dirs {member.name} {obsid}", "where its versions lie"),
        (f"files {member.name} {obsid}{only}", "its files, one a line"),
        (f"explain {member.name} {obsid}", "why it is as it is"),
    ]
