"""``aca status``: what the archive holds, what it waits for, what needs somebody's attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import as_iso, write_json, write_lines, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import ProductStatus

__all__ = ["status", "write_status"]


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@click.option("--check", is_flag=True, help="Exit with 3 when something needs attention.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def status(session: Session, products: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Show what the archive holds, what is still to come, and what failed, why, and when it is tried again.

    Without PRODUCT, all of them. A unit is a version of an observation, or a day. "wanted" counts what was asked for
    and not tried yet, "failed" what is tried again later, "conflicts" files that came again with other bytes,
    "unfinished" commits that were interrupted, "waiting" changes that a plugin could not take. Somebody should look at
    the last four.

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
    write_table(("product", *counts), [_row(each) for each in found], right=counts)
    lines = [line for each in found for line in _lines(each)]
    if lines:
        write_lines(["", *lines])


def _row(found: ProductStatus) -> tuple[str, ...]:
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
    )


def _lines(found: ProductStatus) -> list[str]:
    """Return what is to be said beside the numbers."""
    from aca_core.archive.explain import conflict_words, failure_of, words_for
    from aca_core.archive.store import INDEX_FILE

    name = found.product
    lines = [f"{name}: {root.folder / INDEX_FILE} {root.problem}" for root in found.roots if root.problem]
    if not any(root.exists for root in found.roots):
        lines.append(f"{name}: nothing is archived yet")
    if found.writer:
        lines.append(f"{name}: is being written to by {found.writer}")
    lines += [f"{name} {words_for(item)} {failure_of(item)}" for item in found.failed]
    ending = "" if found.writer else "; the next update completes it, or 'aca verify --repair'"
    lines += [f"{name} {each}{ending}" for each in found.unfinished]
    for conflict in found.conflicts:
        lines.append(f"{name} {conflict_words(conflict, name)}")
    for late in found.undelivered:
        why = late.reason or "it was not told yet"
        lines.append(f"{name}: {late.subscriber} has not seen {_count(late.changes, 'change')}: {why}")
    for late in found.absent:
        lines.append(f"{name}: {late.subscriber} is not in use, and has not seen {_count(late.changes, 'change')}")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _as_data(found: ProductStatus) -> dict[str, Any]:
    import attrs

    data = attrs.asdict(found)
    for name in ("wanted", "staged", "failed"):
        for item in data[name]:
            item |= {"tried": as_iso(item["tried"]), "next_try": as_iso(item["next_try"])}
    for conflict in data["conflicts"]:
        conflict["seen"] = as_iso(conflict["seen"])
    return {**data, "units": found.units, "files": found.files, "needs_attention": found.needs_attention}
