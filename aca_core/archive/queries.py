"""Questions to the index of a product: the only place that knows how they are written, always with parameters.

Queries in time are bounded on both sides: a file that reaches into a range cannot have begun earlier than the longest
file of the archive before it. Without that bound, an index on tstart or on tstop alone leaves a walk through most of
the archive: 16 to 260 ms on 1.2 million rows, depending on where the range lies, instead of 0.1 ms.
"""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import attrs

from aca_core.archive.index import TABLE
from aca_core.archive.links import linked_release
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import ByObsid, ObsidRevision

__all__ = [
    "FileQuery",
    "archived_obsids",
    "archived_revisions",
    "default_of",
    "find_rows",
    "hidden_units",
    "released_of",
    "revisions_of",
]

RevisionWanted = Literal["last", "all"] | int | None

_NOTHING: Final = "0"
_OURS: Final = "aca_ours"
"""Of a row: whether we have written its obsid, so that the index says which version is released."""


@attrs.frozen(kw_only=True)
class FileQuery:
    """Which files of a product are asked for.

    Attributes
    ----------
    obsid : int or None
        Those of one observation.
    start, stop : float or None
        Those that overlap this range, CXC seconds: ``tstart < stop`` and ``tstop > start``.
    revision : None, 'last', 'all' or int
        For products by obsid: the released version, the greatest that is archived of each obsid, any, or one.
    content : tuple of str or None
        Content types; None for any.
    where : mapping of str to tuple
        Further columns, and the values that each may have.
    """

    obsid: int | None = None
    start: float | None = None
    stop: float | None = None
    revision: RevisionWanted = None
    content: tuple[str, ...] | None = None
    where: Mapping[str, tuple[Any, ...]] = attrs.field(factory=dict)


def find_rows(store: Store, query: FileQuery, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of the index that a query selects.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    query : FileQuery
        What is asked for.
    columns : sequence of str, optional
        Which columns; all by default. Those that tell where the file lies are always there.

    Returns
    -------
    list of dict
        By tstart, then by obsid and name.

    Raises
    ------
    IntegrityError
        The index is damaged, or lacks a column that the query needs.
    """
    with store.index.reading() as connection:
        there = store.index.columns()
        if connection is None or not there:
            return []
        cursor = connection.cursor()
        cursor.row_factory = None
        try:
            rows = cursor.execute(*_statement(store, query, there, columns)).fetchall()
        except sqlite3.OperationalError as error:
            raise IntegrityError(store.index.path, f"cannot answer: {error}; look at it with 'aca adopt'") from error
        names = [column[0] for column in cursor.description]
        hidden = hidden_units(store)
    if names[-1] == _OURS:
        names.pop()
        rows = _archived_ones(store, query.revision, names, rows)
    found = [dict(zip(names, row, strict=False)) for row in rows]
    if hidden:
        found = [row for row in found if store.name_of(store.product.layout.unit_of(row)) not in hidden]
    return found


def _statement(
    store: Store, query: FileQuery, there: tuple[str, ...], columns: Sequence[str] | None
) -> tuple[str, dict[str, Any]]:
    """Return a SELECT and its parameters."""
    product = store.product
    by_obsid = isinstance(product.layout, ByObsid)
    wanted = list(there) if columns is None else [name for name in columns if name in there]
    names = list(dict.fromkeys([*wanted, "filename", *product.layout.files_by]))
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if query.obsid is not None:
        conditions.append("obsid = :obsid")
        values["obsid"] = query.obsid
    if query.start is not None and query.stop is not None:
        # The plus signs keep SQLite from choosing other indexes than the one on tstart.
        conditions += ["tstart < :stop", "tstart > :earliest", "+tstop > :start"]
        values |= {"start": query.start, "stop": query.stop, "earliest": query.start - _longest(store)}
    plus = "+" if values else ""
    if by_obsid:
        # Before the others: it is the quickest to test.
        conditions += _of_revision(store, query, plus, conditions, values)
    if query.content is not None:
        conditions.append(_one_of(f"{plus}content", "content", query.content, values))
    for name, allowed in query.where.items():
        conditions.append(_one_of(f"{plus}{name}", name, allowed, values))
    if by_obsid:
        known = "obsid IN (SELECT obsid FROM aca_obsids)" if store.index.has_our_tables() else "0"
        names.append(f"{known} AS {_OURS}")
    order = [name for name in ("tstart", "obsid", "filename") if name in there]
    where = " AND ".join(conditions) or "1"
    # Names of columns are those that the index has and that declarations were checked to have; values are parameters.
    sql = f"SELECT {', '.join(names)} FROM {TABLE} WHERE {where} ORDER BY {', '.join(order)}"  # noqa: S608
    return sql, values


def _of_revision(
    store: Store, query: FileQuery, plus: str, conditions: Sequence[str], values: dict[str, Any]
) -> list[str]:
    # Of obsids that we have not written, links and folders say which version is wanted; see _archived_ones.
    others = "OR obsid NOT IN (SELECT obsid FROM aca_obsids)"
    if query.revision == "all" or (not isinstance(query.revision, int) and not store.index.has_our_tables()):
        return []
    if query.revision is None:
        return [f"({plus}isdefault = 1 {others})"]
    if query.revision == "last":
        # Over the whole archive, not among the rows of the range; once for each obsid, not for each of its rows.
        among = " AND ".join(conditions) or "1"
        obsids = f"SELECT DISTINCT obsid FROM {TABLE} WHERE {among}"  # noqa: S608
        newest = f"SELECT obsid, max(revision) FROM {TABLE} WHERE obsid IN ({obsids}) GROUP BY obsid"  # noqa: S608
        return [f"((+obsid, +revision) IN ({newest}) {others})"]
    values["revision"] = query.revision
    return [f"{plus}revision = :revision"]


def _one_of(column: str, name: str, allowed: Iterable[Any], values: dict[str, Any]) -> str:
    """Return a condition that a column has one of some values, which become parameters."""
    keys = {f"{name}_{number}": value for number, value in enumerate(allowed)}
    values |= keys
    return f"{column} IN ({', '.join(f':{key}' for key in keys)})" if keys else _NOTHING


_LONGEST: dict[tuple[Any, ...], float] = {}


def _longest(store: Store) -> float:
    """Return the longest duration of any file, s; in an archive of other tools it is looked for once."""
    return store.index.remembered("longest", lambda: _longest_now(store))


def _longest_now(store: Store) -> float:
    stored = store.index.state("longest")
    if stored is not None:
        return float(stored)
    key = (str(store.index.path), *store.index.identity())
    if key not in _LONGEST:
        rows = store.index.select(f"SELECT max(tstop - tstart) AS longest FROM {TABLE}")  # noqa: S608
        _LONGEST[key] = float(rows[0]["longest"] or 0.0) if rows else 0.0
    return _LONGEST[key]


def _archived_ones(
    store: Store, revision: RevisionWanted, names: Sequence[str], rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Keep the rows of versions that are archived and wanted; of the obsids that we have written the index has."""
    if all(row[-1] for row in rows):
        return rows
    unit_of = operator.itemgetter(names.index("obsid"), names.index("revision"))
    wanted = _wanted_units(store, revision, {unit_of(row) for row in rows if not row[-1]})
    return [row for row in rows if row[-1] or unit_of(row) in wanted]


def _wanted_units(
    store: Store, revision: RevisionWanted, units: set[tuple[int, int | None]]
) -> set[tuple[int, int | None]]:
    """Return which versions that other tools have indexed are archived, and are those that are wanted."""
    obsids = {obsid for obsid, _ in units}
    chosen: list[tuple[int, int | None]]
    if revision is None:
        chosen = [(obsid, linked_release(store, obsid)) for obsid in obsids]
    elif revision == "last":
        chosen = [(obsid, max(archived_revisions(store, obsid), default=None)) for obsid in obsids]
    else:
        chosen = [
            (obsid, version)
            for obsid, version in units
            if version is not None and store.directory(ObsidRevision(obsid, version)).is_dir()
        ]
    return {unit for unit in chosen if unit[1] is not None}


def default_of(store: Store, obsid: int) -> int | None:
    """Return the released version of an obsid, if that is archived.

    Parameters
    ----------
    store : Store
        Of a product by obsid.
    obsid : int
        Which observation.

    Returns
    -------
    int or None
        What the index says of obsids that we have written; of others what their link says, since the tools that wrote
        them move it first and leave ``isdefault`` behind where they are interrupted.
    """
    if store.index.select_ours("SELECT 1 FROM aca_obsids WHERE obsid = ?", (obsid,)):
        return released_of(store, obsid)
    linked = linked_release(store, obsid)
    return linked if linked in revisions_of(store, obsid) else None


def released_of(store: Store, obsid: int) -> int | None:
    """Return the version whose rows are the default ones, or None."""
    sql = f"SELECT max(revision) AS revision FROM {TABLE} WHERE obsid = ? AND isdefault = 1"  # noqa: S608
    rows = store.index.select(sql, (obsid,))
    return rows[0]["revision"] if rows else None


def archived_obsids(store: Store, since: float | None = None) -> list[int]:
    """Return the observations that the index lists, ascending.

    Parameters
    ----------
    store : Store
        Of a product by obsid.
    since : float, optional
        Only those whose first file begins at this time or later, CXC seconds.

    Returns
    -------
    list of int
    """
    having = "" if since is None else " HAVING min(tstart) >= ?"
    sql = f"SELECT obsid FROM {TABLE} GROUP BY obsid{having} ORDER BY obsid"  # noqa: S608  # a constant of ours
    return [row["obsid"] for row in store.index.select(sql, () if since is None else (since,))]


def revisions_of(store: Store, obsid: int) -> list[int]:
    """Return the versions of an obsid that the index lists, ascending."""
    sql = f"SELECT DISTINCT revision FROM {TABLE} WHERE obsid = ? AND revision IS NOT NULL ORDER BY revision"  # noqa: S608
    return [row["revision"] for row in store.index.select(sql, (obsid,))]


def archived_revisions(store: Store, obsid: int) -> list[int]:
    """Return the versions of an obsid that are archived whole, ascending: indexed, and on the disk."""
    return [
        version for version in revisions_of(store, obsid) if store.directory(ObsidRevision(obsid, version)).is_dir()
    ]


def hidden_units(store: Store) -> set[str]:
    """Return the units in which committed files are being replaced: they are seen again when that is done."""
    sql = "SELECT json_extract(plan, '$.unit') AS unit FROM aca_intents WHERE json_array_length(plan, '$.replaces') > 0"
    rows = store.index.remembered("hidden", lambda: store.index.select_ours(sql + " AND phase = 'place'"))
    return {row["unit"] for row in rows}
