"""``aca adopt``: what is wrong with an existing archive, before one uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.progress import progress
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import ExaminedArchive, ExaminedProduct

__all__ = ["adopt"]

_SHOWN = 20
"""Problems of one product that people are shown."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Read every file, and compare its checksums.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def adopt(session: Session, path: Path, full: bool, as_json: bool) -> int:
    """Look at an existing archive and say what is wrong with it; write nothing. Exit code 3 when something is.

    PATH is its root, or the folder of one product. Whatever tools wrote it, an archive is used where it is.

    \b
    Examples:
      aca adopt /data/mica/archive
      aca adopt /data/mica/archive/asp1 --full
    """
    from aca_core.archive import examine_archive
    from aca_core.cli import ATTENTION

    with progress(session, every=10.0) as tell:
        found = examine_archive(path, session.registry, full=full, told=tell(path.name))
    if as_json:
        write_json(_as_data(found))
    else:
        _write(found)
    return 0 if found.is_sound else ATTENTION


def _write(found: ExaminedArchive) -> None:
    columns = ("rows", "units", "obsids", "released", "provisional", "problems")
    rows = [_row(each) for each in found.products]
    headings = ("product", "written by", *columns)
    write_table(headings, rows, right=columns, spare=columns[:-1], least=("provisional", "released", "obsids"))
    click.echo()
    for each in found.products:
        write_lines(f"{each.product}: {line}" for line in _lines(each))
    if found.unknown:
        click.echo(f"Not looked at: {', '.join(found.unknown)}")
    problems = sum(len(each.problems) for each in found.products)
    if not problems:
        click.echo(f'Sound. To use it: root = "{found.root}" in aca.toml (aca config init), or ACA_DATA.')
    else:
        mend = "with it as the root, 'aca verify --repair' mends what can be mended"
        click.echo(f"{counted(problems, 'problem')}. Nothing was changed; {mend}.")


def _row(each: ExaminedProduct) -> tuple[str, ...]:
    numbers = (each.rows, each.units, each.obsids, each.released, each.provisional, len(each.problems))
    return (each.product, each.written_by, *(str(number) for number in numbers))


def _lines(each: ExaminedProduct) -> list[str]:
    lines = each.problems[:_SHOWN]
    if len(each.problems) > _SHOWN:
        lines.append(f"and {counted(len(each.problems) - _SHOWN, 'problem')} more; --json lists all")
    lines += each.schema.remarks
    if each.last_id:
        lines.append(f"the last id that was processed is {each.last_id}")
    elif each.rows:
        lines.append("there is no last_id.txt: the first update needs one, or --rebuild")
    if each.beside:
        lines.append(f"beside it, and left alone: {', '.join(each.beside)}")
    return lines


def _as_data(found: ExaminedArchive) -> dict[str, Any]:
    import attrs

    data = attrs.asdict(found)
    for each, product in zip(data["products"], found.products, strict=True):
        each |= {"problems": product.problems, "remarks": product.schema.remarks}
        each["last_id"] = int(product.last_id) if product.last_id.isdigit() else None
    return {**data, "sound": found.is_sound}
