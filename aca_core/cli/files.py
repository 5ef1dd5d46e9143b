"""``aca files``: which files are archived of an observation, or in a range of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import write_json
from aca_core.cli.parameters import OBSID
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import ProductArchive

__all__ = ["files"]

_COLUMNS = ("filename", "content", "obsid", "revision", "isdefault", "year", "doy", "slot", "tstart", "tstop")


def _as_revision(ctx: click.Context, param: click.Parameter, value: str | None) -> str | int | None:
    if value in (None, "last", "all"):
        return value
    if value is not None and value.isascii() and value.isdigit():
        return int(value)
    raise click.BadParameter(f"{value!r} is no revision; expected last, all or a number", ctx, param)


@click.command()
@click.argument("product")
@click.argument("obsid", type=OBSID, required=False)
@click.option("--start", metavar="DATE", help="Instead of an obsid: files that reach beyond this time.")
@click.option("--stop", metavar="DATE", help="And that begin before this one; now by default.")
@click.option(
    "--revision", metavar="N|last|all", callback=_as_revision, help="Which versions; the released one by default."
)
@click.option(
    "--content", multiple=True, metavar="TYPE", help="Content type, repeatable; by default those the product declares."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs, with what the index says of each.")
@click.pass_obj
def files(
    session: Session,
    product: str,
    obsid: int | None,
    start: str | None,
    stop: str | None,
    revision: str | int | None,
    content: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show the files of an observation, or of a range of time: one path a line.

    A date is written as 2012:001, 2012-01-01T12:00:00 or in seconds. Where there is no such file, that is said on
    standard error, and --json writes an empty list.

    \b
    Examples:
      aca files asp1 8010
      aca files asp1 8010 --content ASPSOL --revision last
      aca files obspar --start 2021:001 --stop 2022:001 --json
    """
    if obsid is not None and (start is not None or stop is not None):
        raise click.UsageError("give an obsid, or --start and --stop, not both")
    if obsid is None and start is None:
        raise click.UsageError("which files? Give an obsid, or --start DATE")
    rows = _rows(session.archive[product], obsid, start, stop, revision, content or None)
    if as_json:
        write_json([{"path": row.pop("path"), **row} for row in rows])
    for row in () if as_json else rows:
        click.echo(row["path"])
    if not rows:
        what = "of that range of time" if obsid is None else f"of obsid {obsid}"
        hint = "" if obsid is None else f"; 'aca explain {product} {obsid}' says what there is"
        click.echo(f"aca: no such file of {product} {what}{hint}", err=True)


def _rows(
    member: ProductArchive,
    obsid: int | None,
    start: str | None,
    stop: str | None,
    revision: Any,
    content: tuple[str, ...] | None,
) -> list[dict[str, Any]]:
    from aca_core.archive import DayArchive, ObsArchive

    columns = [column.name for column in member.product.schema if column.name in _COLUMNS]
    if isinstance(member, ObsArchive):
        return member.get_rows(obsid, start, stop, revision, content, columns=columns)
    if obsid is not None or revision is not None:
        raise click.UsageError(f"{member.name} is laid out by day: give --start and --stop, no obsid and no --revision")
    assert isinstance(member, DayArchive)  # noqa: S101  # there are these two
    return member.get_rows(start, stop, content, columns=columns)
