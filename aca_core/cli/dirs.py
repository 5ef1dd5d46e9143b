"""``aca dirs``: where the versions of an observation lie."""

from __future__ import annotations

import click

from aca_core.cli.output import write_json, write_table
from aca_core.cli.session import Session

__all__ = ["OBSID", "dirs"]

OBSID = click.IntRange(0, 99_999)


@click.command()
@click.argument("product")
@click.argument("obsid", type=OBSID)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def dirs(session: Session, product: str, obsid: int, as_json: bool) -> None:
    """Show the folders of an observation: each version, the default and the newest one.

    The default is the released version. Without one there is no line for it.

    \b
    Examples:
      aca dirs asp1 8010
      aca dirs asp1 8010 --json
    """
    from aca_core.errors import MissingDataError

    found = session.archive.by_obsid(product).get_obs_dirs(obsid)
    if found is None:
        hint = f"'aca explain {product} {obsid}' says why"
        raise MissingDataError(f"nothing of {product} is archived for obsid {obsid}; {hint}")
    if as_json:
        write_json({str(key): value for key, value in found.items()})
        return
    names = [*found["revisions"], *(name for name in ("default", "last") if name in found)]
    write_table(("version", "folder"), [(str(name), found[name]) for name in names])
