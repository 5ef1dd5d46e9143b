"""``aca verify``: whether the archive is sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import counted, write_json
from aca_core.cli.parameters import Seconds
from aca_core.cli.progress import progress
from aca_core.cli.session import Session
from aca_core.cli.status import how_to_rebuild

if TYPE_CHECKING:
    from aca_core.archive import Finding
    from aca_core.archive.soundness import RootCheck

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
    type=Seconds(0),
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
    and index agree, and asks for what is missing or damaged, so that the next update fetches it again. It says of each
    thing what was done with it, and what is left, such as what a person has to judge; the exit code is 3 when something
    is.

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
    with progress(session, every=10.0) as tell:
        for name in dict.fromkeys(products or archive):
            checks += check_roots(archive[name], full=not quick, mend=repair, wait=wait, told=tell(name))
    several = len(archive.roots) > 1
    if as_json:
        write_json({"full": not quick, "products": [_as_data(each) for each in checks]})
    else:
        for number, check in enumerate(checks):
            _write(check, several=several, repaired=repair and number % len(archive.roots) == 0)
    return ATTENTION if any(check.left for check in checks) else 0


def _write(check: RootCheck, *, several: bool, repaired: bool) -> None:
    """Write what was found below one root, what was done with it, and what is left."""
    name = f"{check.product} in {check.folder}" if several else check.product
    if repaired:
        for word, found in (("mended", check.mended), ("asked for again", check.asked_again)):
            for each in found:
                click.echo(f"{word}: {_place(check, each, several=several)}: {each.problem}")
    for each in check.left:
        remedy = f"; {each.remedy}" if each.remedy and not repaired else ""
        left = "left: " if repaired else ""
        click.echo(f"{left}{_place(check, each, several=several)}: {each.problem}{remedy}")
    for problem in check.problems:
        click.echo(f"{name}: {problem}")
    for line in _summary(check, repaired=repaired):
        click.echo(f"{name}: {line}.")


def _summary(check: RootCheck, *, repaired: bool) -> Iterator[str]:
    """Yield what it comes to."""
    if not check.found:
        yield "no problem found" if check.folder.is_dir() else "nothing is archived"
    elif repaired:
        done = [(check.mended, "mended"), (check.asked_again, "asked for again"), (check.left, "left")]
        counts = ", ".join(f"{len(found)} {word}" for found, word in done if found)
        yield f"{counted(len(check.found), 'problem')} found: {counts or 'none of them is there any more'}"
    else:
        yield counted(len(check.left), "problem")
    if check.wanted:
        files = sum(name.startswith("file ") for name in check.wanted)
        parts = [(len(check.wanted) - files, "version"), (files, "file")]
        what = " and ".join(counted(number, noun) for number, noun in parts if number)
        yield f"the next 'aca update' fetches {what} again"
    if check.index_is_gone:
        yield f"nothing of it can be read without its index: {how_to_rebuild(check.product)}"


def _place(check: RootCheck, each: Finding, *, several: bool) -> str:
    return f"{check.folder.parent if several else ''}{'/' if several else ''}{each.product}/{each.place}"


def _as_data(check: RootCheck) -> dict[str, Any]:
    import attrs

    def listed(found: Iterable[Finding]) -> list[dict[str, Any]]:
        return [{**attrs.asdict(each), "remedy": each.remedy} for each in found]

    return {
        "product": check.product,
        "folder": check.folder,
        "found": listed(check.found),
        "mended": listed(check.mended),
        "asked_again": listed(check.asked_again),
        "left": listed(check.left),
        "problems": check.problems,
        "wanted": check.wanted,
        "index_is_gone": check.index_is_gone,
    }
