"""``aca verify``: whether the archive is sound."""

from __future__ import annotations

from typing import Any

import click

from aca_core.cli.output import write_json
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

__all__ = ["verify"]


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@click.option(
    "--quick/--full",
    default=True,
    show_default=True,
    help="Compare names and sizes; or read every file and compare its checksum too.",
)
@click.option("--repair", is_flag=True, help="Mend what takes nobody's judgement; the first root only.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for another writer.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def verify(session: Session, products: tuple[str, ...], quick: bool, repair: bool, wait: float, as_json: bool) -> int:
    """Look for what is unfinished, missing, damaged or astray; exit code 3 when something is.

    Without PRODUCT, all of them. Nothing is written without --repair. That completes what was interrupted, lets links
    and index agree, and takes what is missing or damaged off the index, so that the next update fetches it again.

    \b
    Examples:
      aca verify
      aca verify asp1 --full
      aca verify --repair
    """
    from aca_core.archive import check_roots
    from aca_core.cli import ATTENTION

    archive = session.archive
    checks = []
    with progress(every=10.0) as tell:
        for name in dict.fromkeys(products or archive):
            checks += check_roots(archive[name], full=not quick, mend=repair, wait=wait, told=tell(name))
    several = len(archive.roots) > 1
    if as_json:
        write_json({"full": not quick, "products": [_as_data(each) for each in checks]})
    else:
        for check in checks:
            _write(check, several=several)
    return ATTENTION if any(check.left for check in checks) else 0


def _write(check: Any, *, several: bool) -> None:
    """Write what was found below one root."""
    name = f"{check.product} in {check.folder}" if several else check.product
    mended = len(check.found) - len(check.left)
    for finding in check.left:
        click.echo(f"{check.folder.parent}/{finding}" if several else str(finding))
    if mended > 0:
        click.echo(f"{name}: mended {mended} of {len(check.found)} problems.")
    if check.wanted:
        click.echo(f"{name}: the next 'aca update' fetches {check.wanted} again.")
    if not check.found:
        there = "no problem found" if check.folder.is_dir() else "nothing is archived"
        click.echo(f"{name}: {there}.")
    elif check.left:
        click.echo(f"{name}: {len(check.left)} {'problem' if len(check.left) == 1 else 'problems'}.")


def _as_data(check: Any) -> dict[str, Any]:
    import attrs

    return {
        "product": check.product,
        "folder": check.folder,
        "found": [{**attrs.asdict(each), "remedy": each.remedy} for each in check.found],
        "left": [{**attrs.asdict(each), "remedy": each.remedy} for each in check.left],
        "wanted": check.wanted,
    }
