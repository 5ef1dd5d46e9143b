"""``aca dirs``: where the versions of an observation lie."""

from __future__ import annotations

import click

from aca_core.cli.output import write_json, write_table
from aca_core.cli.parameters import OBSID
from aca_core.cli.session import Session

__all__ = ["dirs"]


@click.command()
@click.argument("product")
@click.argument("obsid", type=OBSID)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def dirs(session: Session, product: str, obsid: int, as_json: bool) -> None:
    """Show the folders of an observation: each version, the default and the newest one.

    The default is the released version. Without one there is no line for it. Where nothing is archived, that is said on
    standard error, and --json writes null.

    \b
    Examples:
      aca dirs asp1 8010
      aca dirs asp1 8010 --json
    """
    found = session.archive.by_obsid(product).get_obs_dirs(obsid)
    if as_json:
        write_json(None if found is None else {str(key): value for key, value in found.items()})
    if found is None:
        hint = f"'aca explain {product} {obsid}' says why"
        click.echo(f"aca: nothing of {product} is archived for obsid {obsid}; {hint}", err=True)
    if as_json or found is None:
        return
    names = [*found["revisions"], *(name for name in ("default", "last") if name in found)]
    write_table(("version", "folder"), [(str(name), found[name]) for name in names])
