"""Questions to the index of a product: the only place that knows how they are written, always with parameters.

Queries in time are bounded on both sides: a file that reaches into a range cannot have begun earlier than the longest
file of the archive before it. Without that bound, an index on tstart or on tstop alone leaves a walk through most of
the archive: 16 to 260 ms on 1.2 million rows, depending on where the range lies, instead of 0.1 ms.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import operator
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from aca_core.archive.index import TABLE
from aca_core.archive.links import linked_release, provisional_links
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import ByObsid, Day, ObsidRevision, Unit

__all__ = [
    "FileQuery",
    "Revision",
    "RevisionWanted",
    "archived_obsids",
    "archived_revisions",
    "default_of",
    "ends_of_groups",
    "find_rows",
    "hidden_units",
    "keeps",
    "obsids_of_others",
    "provisional",
    "released_of",
    "revisions_of",
]

Revision: TypeAlias = Literal["last", "all"] | int | None
"""Which version of each obsid; None is the released one."""

RevisionWanted: TypeAlias = Revision | Literal["default"]
"""The same as callers say it: ``default`` is another word for None."""

_log = logging.getLogger("aca_core")

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
    revision: Revision = None
    content: tuple[str, ...] | None = None
    where: Mapping[str, tuple[Any, ...]] = attrs.field(factory=dict)


def find_rows(
    store: Store,
    query: FileQuery,
    columns: Sequence[str] | None = None,
    *,
    elsewhere: Callable[[Unit], bool] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of the index that a query selects.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    query : FileQuery
        What is asked for.
    columns : sequence of str, optional
        Which columns; all by default. Those that tell where the file lies are always there.
    elsewhere : callable, optional
        Says of a unit whether another root answers for it, so that its rows are left out.

    Returns
    -------
    list of dict
        By tstart, then by obsid and name; ``path`` is where the file lies. Rows that belong to no unit, such as those
        of an obsid of six digits, are left out with a warning.

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
    by_obsid = names[-1] == _OURS
    if by_obsid:
        names.pop()
    key_of = operator.itemgetter(*(names.index(name) for name in store.product.layout.files_by))
    place = names.index("filename")
    chosen: dict[int, int | None] = {}
    folders: dict[Any, str] = {}
    found = []
    for row in rows:
        key = key_of(row)
        folder = folders.get(key)
        if folder is None:
            unit = _unit_of(store, dict(zip(names, row, strict=False)))
            if (
                unit is None
                or (hidden and store.name_of(unit) in hidden)
                or (isinstance(unit, ObsidRevision) and not row[-1] and not _is_wanted(store, query, unit, chosen))
                or (elsewhere is not None and elsewhere(unit))
            ):
                folder = ""
            else:
                folder = store.folder_of(unit)
            folders[key] = folder
        if folder:
            each = dict(zip(names, row, strict=False))
            each["path"] = f"{folder}/{row[place]}"
            found.append(each)
    return found


def _unit_of(store: Store, row: Mapping[str, Any]) -> Unit | None:
    """Return the unit of a row; None, with a warning, where other tools have written what is none."""
    try:
        return store.product.layout.unit_of(row)
    except (TypeError, ValueError):  # NULL, or a number that is none of ours
        what = ", ".join(f"{name} {row[name]!r}" for name in store.product.layout.files_by)
        _tell_left_out(str(store.index.path), row.get("filename"), what)
        return None


@functools.lru_cache(maxsize=1024)
def _tell_left_out(path: str, filename: str | None, what: str) -> None:
    """Log once what no answer has."""
    which = "the rows" if filename is None else f"the row of {filename!r}, and others like it,"
    _log.warning("%s: %s with %s are left out: the archive has no place for them; see 'aca adopt'", path, which, what)


def _statement(
    store: Store, query: FileQuery, there: tuple[str, ...], columns: Sequence[str] | None
) -> tuple[str, dict[str, Any]]:
    """Return a SELECT and its parameters."""
    product = store.product
    by_obsid = isinstance(product.layout, ByObsid)
    wanted = list(there) if columns is None else [name for name in columns if name in there]
    names = [_quoted(name) for name in dict.fromkeys([*wanted, "filename", *product.layout.files_by])]
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
    # Of an index such as (slot, tstart), and of no other one, the column before the time helps with a range of time.
    is_of_time = query.where and query.start is not None and query.obsid is None
    leading = {index[0] for index in _known_indexes(store) if index[1:] == ("tstart",)} if is_of_time else set()
    for name, allowed in query.where.items():
        sign = "" if name in leading else plus
        conditions.append(_one_of(f"{sign}{_quoted(name)}", name, allowed, values))
    if by_obsid:
        known = "obsid IN (SELECT obsid FROM aca_obsids)" if store.index.has_our_tables() else "0"
        names.append(f"{known} AS {_OURS}")
    order = [name for name in ("tstart", "obsid", "filename") if name in there]
    where = " AND ".join(conditions) or "1"
    # Names of columns are quoted, and values are parameters.
    sql = f"SELECT {', '.join(names)} FROM {TABLE} WHERE {where} ORDER BY {', '.join(order)}"  # noqa: S608
    return sql, values


def _quoted(column: str) -> str:
    """Return a column as SQL names it, whatever it is called; behind its table, so that it is never taken for text."""
    name = column.replace('"', '""')
    return f'{TABLE}."{name}"'


def _of_revision(
    store: Store, query: FileQuery, plus: str, conditions: Sequence[str], values: dict[str, Any]
) -> list[str]:
    # Of obsids that we have not written, links and folders say which version is wanted; see _is_wanted.
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


def _longest(store: Store) -> float:
    """Return the longest duration of any file, s; in an archive of other tools it is looked for."""
    return store.index.remembered("longest", lambda: _longest_now(store))


def _longest_now(store: Store) -> float:
    stored = store.index.state("longest")
    with contextlib.suppress(TypeError, ValueError):
        if math.isfinite(longest := float(stored or "none")):
            return longest
    rows = store.index.select(f"SELECT max(tstop - tstart) AS longest FROM {TABLE}")  # noqa: S608
    return float(rows[0]["longest"] or 0.0) if rows else 0.0


def _is_wanted(store: Store, query: FileQuery, unit: ObsidRevision, chosen: dict[int, int | None]) -> bool:
    """Say whether a version that other tools have indexed is archived, and is one that is wanted."""
    if query.revision not in (None, "last"):
        return os.path.isdir(store.folder_of(unit))  # noqa: PTH112  # asked of each unit
    if unit.obsid not in chosen:
        newest = query.revision == "last"
        chosen[unit.obsid] = (
            max(archived_revisions(store, unit.obsid), default=None) if newest else linked_release(store, unit.obsid)
        )
    return chosen[unit.obsid] == unit.revision


def keeps(store: Store, owner: int | Day) -> bool:
    """Say whether a store has an observation, in whatever version, or a day: then no later root is asked for it.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    owner : int or Day
        An obsid, or a day. What is just being replaced, and not seen, is there all the same.

    Returns
    -------
    bool
    """
    if isinstance(owner, int):
        return bool(archived_revisions(store, owner))
    if not os.path.isdir(store.folder_of(owner)):  # noqa: PTH112  # asked of each day
        return False
    conditions, values = store.where_unit(owner)
    if "filetime" in store.index.columns():
        from aca_core.dates import day_end, day_start

        conditions += " AND filetime BETWEEN ? AND ?"  # no index has the day itself
        values += (day_start(str(owner)) - 1, day_end(str(owner)) + 1)
    return bool(store.index.select(f"SELECT 1 FROM {TABLE} WHERE {conditions} LIMIT 1", values))  # noqa: S608


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
    found = [row["obsid"] for row in store.index.select(sql, () if since is None else (since,))]
    return [obsid for obsid in found if _unit_of(store, {"obsid": obsid, "revision": 0}) is not None]


def obsids_of_others(store: Store) -> list[int]:
    """Return the observations that the index lists and we have not written, ascending."""
    known = " WHERE obsid NOT IN (SELECT obsid FROM aca_obsids)" if store.index.has_our_tables() else ""
    # Distinct first: there are few obsids, and many rows.
    sql = f"SELECT obsid FROM (SELECT DISTINCT obsid FROM {TABLE}){known} ORDER BY obsid"  # noqa: S608
    return [row["obsid"] for row in store.index.select(sql)]


def provisional(store: Store) -> list[tuple[int, int]]:
    """Return the observations whose newest version may still be released, or superseded.

    Of observations that we have written the index says so: those of which nothing is released, whatever the reason,
    and those that have a version newer than the released one. It is their newest version as the retriever last named
    it, or else the newest that is archived. Of observations that other tools have written it is what their link
    ``_last`` leads to. The work is proportional to what is provisional: folders are read only where other tools have
    written any observation.

    Parameters
    ----------
    store : Store
        Of a product by obsid.

    Returns
    -------
    list of tuple of int
        Obsid and version, by obsid.
    """
    newest = f"SELECT max(revision) FROM {TABLE} WHERE obsid = mine.obsid"  # noqa: S608  # a constant of ours
    sql = (
        f"SELECT obsid, coalesce(newest, ({newest})) AS newest FROM aca_obsids AS mine"  # noqa: S608
        " WHERE released IS NULL OR newest != released"
    )
    found = {row["obsid"]: row["newest"] for row in store.index.select_ours(sql)}
    others = set(obsids_of_others(store))
    if others:
        found |= {obsid: version for obsid, version in provisional_links(store) if obsid in others}
    return sorted((obsid, version) for obsid, version in found.items() if version is not None)


def ends_of_groups(store: Store, columns: Sequence[str]) -> dict[tuple[Any, ...], float]:
    """Return where the files of each group end, such as those of each slot.

    With an index on the group's columns (and ``tstop`` behind them) the groups are skipped through, one look for each;
    without one they are found by one walk through all rows, and their ends from the end of the index on ``tstop``.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    columns : sequence of str
        What makes a group; without any, all files are one.

    Returns
    -------
    dict of tuple to float
        By the values of the columns the greatest ``tstop``, CXC seconds. A row without a value belongs to no group.
    """
    with store.index.reading():
        indexes = _known_indexes(store)
        group = tuple(columns)
        groups = _groups(store, group, is_indexed=any(each[: len(group)] == group for each in indexes))
        # The plus signs keep SQLite from going through all rows of a group, where the index on tstop is better.
        plus = "" if any(each[: len(group) + 1] == (*group, "tstop") for each in indexes) else "+"
        where = " AND ".join(f"{plus}{_quoted(name)} = ?" for name in group) or "1"
        sql = f"SELECT max(tstop) AS last FROM {TABLE} WHERE {where}"  # noqa: S608  # names are quoted
        ends = {values: rows[0]["last"] for values in groups if (rows := store.index.select(sql, values))}
    return {values: float(end) for values, end in ends.items() if end is not None}


def _known_indexes(store: Store) -> set[tuple[str, ...]]:
    return store.index.remembered("indexes", lambda: _indexes(store))


def _indexes(store: Store) -> set[tuple[str, ...]]:
    """Return the columns of each index that the table of files has."""
    sql = (
        "SELECT each.name AS name, part.name AS column FROM pragma_index_list(?) AS each,"
        " pragma_index_info(each.name) AS part ORDER BY each.name, part.seqno"
    )
    found: dict[str, tuple[str, ...]] = {}
    for row in store.index.select(sql, (TABLE,)):
        found[row["name"]] = (*found.get(row["name"], ()), row["column"])
    return set(found.values())


def _groups(store: Store, columns: tuple[str, ...], *, is_indexed: bool) -> list[tuple[Any, ...]]:
    """Return the values that there are of some columns together."""
    if not columns:
        return [()]
    names = ", ".join(map(_quoted, columns))
    there = " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in columns)
    if not is_indexed:
        sql = f"SELECT DISTINCT {names} FROM {TABLE} WHERE {there}"  # noqa: S608  # names are quoted
        return [tuple(row) for row in store.index.select(sql)]
    found: list[tuple[Any, ...]] = []
    beyond = f" AND ({names}) > ({', '.join('?' * len(columns))})"
    while True:
        more, values = (beyond, found[-1]) if found else ("", ())
        sql = f"SELECT {names} FROM {TABLE} WHERE {there}{more} ORDER BY {names} LIMIT 1"  # noqa: S608
        rows = store.index.select(sql, values)
        if not rows:
            return found
        found.append(tuple(rows[0]))


def revisions_of(store: Store, obsid: int) -> list[int]:
    """Return the versions of an obsid that the index lists, ascending."""
    sql = f"SELECT DISTINCT revision FROM {TABLE} WHERE obsid = ? ORDER BY revision"  # noqa: S608
    found = [row["revision"] for row in store.index.select(sql, (obsid,))]
    return [each for each in found if _unit_of(store, {"obsid": obsid, "revision": each}) is not None]


def archived_revisions(store: Store, obsid: int) -> list[int]:
    """Return the versions of an obsid that are archived whole, ascending: indexed, and on the disk."""
    return [
        version for version in revisions_of(store, obsid) if store.directory(ObsidRevision(obsid, version)).is_dir()
    ]


def hidden_units(store: Store) -> set[str]:
    """Return the units in which committed files are being replaced: they are seen again when that is done."""
    sql = "SELECT unit FROM aca_intents WHERE phase = 'place' AND replaces > 0"
    rows = store.index.remembered("hidden", lambda: store.index.select_ours(sql))
    return {row["unit"] for row in rows}
