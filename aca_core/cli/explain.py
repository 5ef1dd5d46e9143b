"""``aca explain``: why an observation is archived as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import as_iso, as_size, write_json, write_lines, write_table
from aca_core.cli.parameters import OBSID
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import Explanation

__all__ = ["explain"]


@click.command()
@click.argument("product")
@click.argument("obsid", type=OBSID)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def explain(session: Session, product: str, obsid: int, as_json: bool) -> None:
    """Say which versions of an observation there are, why one is the default, and what failed.

    What is said is what the index knows; 'aca verify' looks at the files. Where nothing is known of the observation,
    that is said on standard error, and --json writes null.

    \b
    Examples:
      aca explain asp1 8010
      aca explain obspar 8010 --json
    """
    from aca_core.archive import explain_obsid

    found = explain_obsid(session.archive.by_obsid(product), obsid)
    if found.is_unknown:
        if as_json:
            write_json(None)
        for sentence in found.sentences:
            click.echo(f"aca: {sentence}", err=True)
        return
    if as_json:
        write_json(_as_data(found))
        return
    click.echo(f"{found.product} of obsid {found.obsid}, below {found.folder}\n")
    if found.revisions:
        write_revisions(found)
        click.echo()
    write_lines(found.sentences)


def write_revisions(found: Explanation) -> None:
    """Write the versions of an observation as a table."""
    from aca_core.archive.words import as_time

    write_table(
        ("version", "is", "files", "beside", "size", "archived"),
        [
            (
                str(each.revision),
                found.state_of(each.revision),
                str(each.files),
                str(each.beside),
                as_size(each.size),
                "by other tools" if each.archived is None else as_time(each.archived),
            )
            for each in found.revisions
        ],
        right=("version", "files", "beside", "size"),
    )


def _as_data(found: Explanation) -> dict[str, Any]:
    import attrs

    data = attrs.asdict(found)
    for each in data["revisions"]:
        each["archived"] = as_iso(each["archived"])
    for each in data["moves"]:
        each["when"] = as_iso(each["when"])
    for each in data["items"]:
        each |= {"tried": as_iso(each["tried"]), "next_try": as_iso(each["next_try"])}
    for each in data["conflicts"]:
        each["seen"] = as_iso(each["seen"])
    return {**data, "sentences": found.sentences}
