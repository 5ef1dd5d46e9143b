"""``aca products``: what is declared, what of it is archived, and where more of it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import as_size, write_json, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.archive import ProductArchive
    from aca_core.products import ArchiveProduct
    from aca_core.registry import Registry

__all__ = ["products"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def products(session: Session, as_json: bool) -> None:
    """Show the products that are declared, how much of each is archived, and what feeds it.

    A unit is what is archived as a whole: a version of an observation, or a day. A narrow terminal gets fewer columns.

    \b
    Examples:
      aca products
      aca products --json
    """
    from aca_core.errors import AcaError
    from aca_core.products import ArchiveProduct

    archive, why = None, ""
    try:
        archive = session.archive
    except AcaError as error:  # what is declared can be shown without an archive
        why = str(error)
    registry = session.registry if archive is None else archive.registry
    rows = []
    for offer in registry.offers(ArchiveProduct):
        product = registry.product(offer.name)
        rows.append(_row(registry, product, None if archive is None else archive[product.name]))
    if as_json:
        write_json({"roots": [] if archive is None else archive.roots, "products": rows})
        return
    columns = ("product", "label", "units", "files", "size", "set", "retriever", "catalogue")
    cells = [tuple("" if row[name] is None else str(row[name]) for name in columns) for row in rows]
    shown = [(*cell[:4], as_size(row["size"]), *cell[5:]) for cell, row in zip(cells, rows, strict=True)]
    headings = ("product", "what it is", *columns[2:])
    write_table(headings, shown, right=("units", "files", "size"), least=("what it is", "catalogue", "retriever"))
    if archive is not None:
        click.echo(f"\nArchived below {', '.join(str(root) for root in archive.roots)}.")
    else:
        click.echo(f"\nNo archive to look into: {why}")


def _row(registry: Registry, product: ArchiveProduct, member: ProductArchive | None) -> dict[str, Any]:
    from aca_core.archive.feeds import set_of_product
    from aca_core.archive.status import root_status

    roots = [] if member is None else [root_status(store) for store in member.stores]
    name = set_of_product(registry, product.name)
    chosen = None if name is None else registry.config.product_set(name)
    return {
        "product": product.name,
        "label": product.label,
        "layout": f"{product.name}/{product.layout.directory(product.layout.example)}",
        "content_types": product.content_types,
        "columns": len(product.schema),
        "units": sum(root.units for root in roots) if roots else None,
        "files": sum(root.files for root in roots) if roots else None,
        "size": sum(root.size or 0 for root in roots) if any(root.size is not None for root in roots) else None,
        "set": name,
        "retriever": None if chosen is None else chosen.retriever,
        "catalogue": None if chosen is None else chosen.catalogue,
    }
