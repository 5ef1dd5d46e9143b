"""The tables of an index: the one that archives of aspect products have had since 2010, and our own beside it.

Our tables are called ``aca_…``, so that other tools never meet them:

=============  ========================================================================================================
aca_state      single values: ``schema``, ``last_id``, ``longest`` (the longest duration of a file, s), ``ingested_to``
aca_files      size and sha256 of each archived file, by unit and name; also of those that are kept beside
aca_intents    the journal: commits that were begun and not finished
aca_items      what was asked for: wanted, failed (why, and when next), committed
aca_obsids     the released and the newest version of each obsid, as they were last probed
aca_conflicts  files that were delivered again under the same name with other bytes
aca_events     every committed change, by serial number
aca_readers    how far each subscriber has seen them, and where it failed
=============  ========================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["FILES", "SCHEMA_VERSION", "TABLE", "create_archfiles", "make_tables"]

TABLE: Final = "archfiles"
"""The table of indexed files, by its name in every archive since 2010."""

FILES: Final = "aca_files"
"""Ours: size and checksum of each file that we archived, indexed or kept beside."""

SCHEMA_VERSION: Final = "1"

_OURS: Final[dict[str, tuple[dict[str, Any], str | tuple[str, ...]]]] = {
    "aca_state": ({"key": str, "value": str}, "key"),
    FILES: (
        {"unit": str, "filename": str, "size": int, "sha256": str, "indexed": int, "remark": str},
        ("unit", "filename"),
    ),
    "aca_intents": (
        {"id": int, "phase": str, "begun": float, "unit": str, "replaces": int, "plan": str},
        "id",
    ),
    "aca_items": (
        {
            "item": str,
            "obsid": int,
            "run_id": int,
            "state": str,
            "reason": str,
            "attempts": int,
            "tried": float,
            "next_try": float,
            "again": int,
        },
        "item",
    ),
    "aca_obsids": ({"obsid": int, "released": int, "newest": int}, "obsid"),
    "aca_conflicts": (
        {"unit": str, "filename": str, "sha256": str, "size": int, "seen": float},
        ("unit", "filename"),
    ),
    "aca_events": ({"serial": int, "committed": float, "change": str}, "serial"),
    "aca_readers": ({"subscriber": str, "seen": int, "reason": str, "failed": float, "attempts": int}, "subscriber"),
}


def make_tables(database: Database, product: ArchiveProduct) -> None:
    """Make what is missing, within the caller's transaction.

    Parameters
    ----------
    database : sqlite_utils.Database
        The index.
    product : ArchiveProduct
        Whose columns, key and indexes `archfiles` has.
    """
    if not database.table(TABLE).exists():
        database.execute(create_archfiles(product))
    there = {column.name for column in database.table(TABLE).columns}
    # Where each group ends, such as each slot, is asked by every update of a product by day.
    ends = [] if product.supersedes is None else [(*product.supersedes.group, "tstop")]
    # The files of a unit are asked for by every commit, and by whoever follows it.
    units = [] if product.layout.files_by == ("obsid", "revision") else [product.layout.files_by]
    for index in (*product.indexes, *ends, *units):
        if set(index) <= there:
            database.table(TABLE).create_index(list(index), f"idx_{TABLE}_{'_'.join(index)}", if_not_exists=True)
    if {"obsid"} <= there:
        database.table(TABLE).create_index(["obsid"], f"idx_{TABLE}_obsid", if_not_exists=True)
    for name, (columns, key) in _OURS.items():
        database.table(name).create(columns, pk=key, if_not_exists=True)
    database.table("aca_state").upsert({"key": "schema", "value": SCHEMA_VERSION}, pk="key")


def create_archfiles(product: ArchiveProduct) -> str:
    """Return the statement that makes the table of a product's files.

    Parameters
    ----------
    product : ArchiveProduct
        Its columns, which are identifiers, and their types and defaults.

    Returns
    -------
    str
        SQL, in the types that older archives have.
    """
    lines = []
    for column in product.schema:
        line = f"{column.name} {column.type}{' not null' if column.required else ''}"
        if isinstance(column.default, str):
            quoted = column.default.replace("'", "''")
            line += f" default '{quoted}'"
        elif column.default is not None:
            line += f" default {column.default!r}"
        lines.append(line)
    lines.append(f"constraint pk_{TABLE} primary key ({', '.join(product.key)})")
    return f"create table {TABLE} (\n  " + ",\n  ".join(lines) + "\n)"
