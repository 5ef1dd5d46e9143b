"""``aca status``: what the archive holds, what it waits for, what needs somebody's attention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import as_iso, counted, write_json, write_lines, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import ProductStatus
    from aca_core.archive.events import Undelivered

__all__ = ["how_to_rebuild", "status", "write_status"]


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@click.option("--check", is_flag=True, help="Exit with 3 when something needs attention.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def status(session: Session, products: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Show what the archive holds, what is still to come, and what failed, why, and when it is tried again.

    Without PRODUCT, all of them. A unit is a version of an observation, or a day. "wanted" counts what was asked for
    and not tried yet, "failed" what could not be had and is tried again later, "conflicts" files that came again with
    other bytes, "unfinished" commits that were interrupted, "waiting" changes that a plugin has not seen; "last run" is
    when an update was last tried. On a narrow terminal, counts that are all 0 are left out.

    Somebody should look where something failed, is in conflict or unfinished, where a plugin could not take a change,
    or where the last update failed as a whole. --check exits with 3 then.

    \b
    Examples:
      aca status
      aca status asp1 --json
      aca status --check
    """
    from aca_core.archive import status_of
    from aca_core.cli import ATTENTION

    archive = session.archive
    found = [status_of(archive[name]) for name in dict.fromkeys(products or archive)]
    if as_json:
        write_json({"products": [_as_data(each) for each in found]})
    else:
        write_status(found)
    return ATTENTION if check and any(each.needs_attention for each in found) else 0


def write_status(found: list[ProductStatus]) -> None:
    """Write the state of products: a table, and below it what needs attention."""
    counts = ("units", "files", "last id", "wanted", "failed", "conflicts", "unfinished", "waiting")
    headings = ("product", *counts, "last run")
    write_table(headings, [_row(each) for each in found], right=counts, spare=counts[2:], least=("last run", "last id"))
    lines = [line for each in found for line in _lines(each)]
    if lines:
        write_lines(["", *lines])


def _row(found: ProductStatus) -> tuple[str, ...]:
    from aca_core.archive.words import as_time

    return (
        found.product,
        str(found.units),
        str(found.files),
        "" if found.last_id is None else str(found.last_id),
        str(len(found.wanted) + len(found.staged)),
        str(len(found.failed)),
        str(len(found.conflicts)),
        str(len(found.unfinished)),
        str(sum(each.changes for each in found.undelivered)),
        "" if found.last_attempt is None else as_time(found.last_attempt),
    )


def _lines(found: ProductStatus) -> Iterator[str]:
    """Yield what is to be said beside the numbers."""
    from aca_core.archive.status import conflict_words
    from aca_core.archive.store import INDEX_FILE
    from aca_core.archive.words import as_time, failures_in

    name = found.product
    for root in found.roots:
        if root.problem:
            yield f"{name}: {root.folder / INDEX_FILE} {root.problem}; {how_to_rebuild(name)}"
    if not any(root.exists for root in found.roots):
        yield f"{name}: nothing is archived yet"
    if found.writer:
        yield f"{name}: is being written to by {found.writer}"
    if found.failed_as_a_whole:
        when = "" if found.last_attempt is None else f", on {as_time(found.last_attempt)},"
        yield f"{name}: the last update{when} failed as a whole: {found.last_error}"
    yield from failures_in(name, found.failed)
    ending = "" if found.writer else "; the next update completes it, or 'aca verify --repair'"
    yield from (f"{name} {each}{ending}" for each in found.unfinished)
    yield from (f"{name} {conflict_words(conflict, name)}" for conflict in found.conflicts)
    for late in found.undelivered:
        yield f"{name}: {_late(late)}"
    for late in found.absent:
        yield f"{name}: {late.subscriber} is not in use, and has not seen {counted(late.changes, 'change')}"


def _late(late: Undelivered) -> str:
    """Return who has not seen every change, and whether that needs a person."""
    changes = counted(late.changes, "change")
    if not late.reason:
        return f"{late.subscriber} was not told of {changes} yet; the next update tells it"
    waits = "waits" if late.changes == 1 else "wait"
    return f"{late.subscriber} could not take a change, so that {changes} {waits}: {late.reason}"


def how_to_rebuild(product: str) -> str:
    """Return what to do about an index that is lost or damaged."""
    return f"put it back, or move what is left of it away and make it anew with 'aca update {product} --rebuild'"


def _as_data(found: ProductStatus) -> dict[str, Any]:
    import attrs

    data = attrs.asdict(found)
    for name in ("wanted", "staged", "failed"):
        for item in data[name]:
            item |= {"tried": as_iso(item["tried"]), "next_try": as_iso(item["next_try"])}
    for conflict in data["conflicts"]:
        conflict["seen"] = as_iso(conflict["seen"])
    data |= {"last_attempt": as_iso(found.last_attempt), "last_success": as_iso(found.last_success)}
    return {**data, "units": found.units, "files": found.files, "needs_attention": found.needs_attention}
