"""``aca demo``: a folder to try things in, and a look at what this installation knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aca_core.cli.output import write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.products import ArchiveProduct

__all__ = ["demo"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def demo(session: Session, folder: Path) -> None:
    """Make FOLDER with a configuration of its own, and show what the installed plugins declare.

    Nothing is ingested: this version of aca_core finds, checks and configures products; it does not archive them yet.

    \b
    Example:
      aca demo demo-archive
    """
    from aca_core.config_layers import load_config
    from aca_core.products import ArchiveProduct
    from aca_core.registry import Registry

    file = folder / "aca.toml"
    if file.exists():
        click.echo(f"{file} exists and is used as it is.")
    else:
        (folder / "archive").mkdir(parents=True, exist_ok=True)
        file.write_text('# A demonstration; see "aca config init" for every key.\nroot = "archive"\n', encoding="utf-8")
        click.echo(f"Wrote {file}.")
    config = load_config(file, environ={})  # a place to try things in, whatever archive the environment names
    registry = Registry(config)
    loaded = sum(info.status == "loaded" for info in registry.plugins)
    root = config.require_root()[0]
    click.echo(f"{loaded} of {len(registry.plugins)} plugins are in use. The archive's root is {root}.\n")
    write_table(
        ("product", "what it is", "one unit of it lies in", "columns"),
        [_row(registry.product(each.name)) for each in registry.offers(ArchiveProduct)],
        right=("columns",),
    )
    click.echo(
        "\nNothing was ingested: this version of aca_core declares and checks products, it does not archive yet."
    )
    click.echo(f"Next: aca --config {file} config show --origin; aca plugins")


def _row(product: ArchiveProduct) -> tuple[str, ...]:
    return (
        product.name,
        product.label,
        f"{product.name}/{product.layout.directory(product.layout.example)}",
        str(len(product.schema)),
    )
