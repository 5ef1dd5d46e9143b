"""Whether the links of observations and the index agree, and where the links belong if they do not."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from aca_core.archive.commit import Links, open_plans
from aca_core.archive.findings import Finding, FindingKind, finding
from aca_core.archive.index import TABLE
from aca_core.archive.links import links_of, names_in
from aca_core.archive.store import Store
from aca_core.layouts import ByObsid, ObsidRevision
from aca_core.obsids import MAX_OBSID

if TYPE_CHECKING:
    pass

__all__ = ["check_links", "links_to_be", "rows_by_version"]

_log = logging.getLogger("aca_core")


def check_links(store: Store) -> Iterator[Finding]:
    """Yield what is wrong with the links of a product by obsid, or with what the index has as released.

    Parameters
    ----------
    store : Store
        Which product, below which root.

    Yields
    ------
    Finding
    """
    ours = {row["obsid"] for row in store.index.select_ours("SELECT obsid FROM aca_obsids")}
    unfinished = {plan.links.obsid for _, _, plan in open_plans(store) if plan.links is not None}
    for obsid in sorted(_linked_obsids(store) | _default_obsids(store) | ours):
        if obsid not in unfinished:
            yield from _links_of(store, obsid, ours=obsid in ours)


def _linked_obsids(store: Store) -> set[int]:
    found: set[int] = set()
    for chunk in sorted(store.folder.glob("[0-9][0-9]")):
        names = [name for name in names_in(chunk) if re.fullmatch(r"\d{5}(_last)?", name, re.ASCII)]
        found |= {int(name[:5]) for name in names if name[:2] == chunk.name}
    return found


def _default_obsids(store: Store) -> set[int]:
    rows = store.index.select(f"SELECT DISTINCT obsid FROM {TABLE} WHERE isdefault = 1")  # noqa: S608
    return {row["obsid"] for row in rows if isinstance(row["obsid"], int) and 0 <= row["obsid"] <= MAX_OBSID}


def _links_of(store: Store, obsid: int, *, ours: bool) -> Iterator[Finding]:
    layout = store.product.layout
    assert isinstance(layout, ByObsid)  # noqa: S101  # the caller has asked
    default, last = layout.default_link(obsid), layout.last_link(obsid)
    real = [link for link in (default, last) if _is_real(store.folder / link)]
    for link in real:
        problem = "is no link, and a link has to be there; move it away, then --repair makes the link"
        yield finding(store, "link", link, problem, remedy="")
    if real:
        return  # the other link, and the index, cannot be led without it
    wrong = list(_wrong_links(store, obsid, ours=ours))
    more = {"remedy": ""} if wrong and links_to_be(store, obsid) is None else {}
    for kind, link, problem in wrong:
        yield finding(store, kind, link, problem, **more)


def _wrong_links(store: Store, obsid: int, *, ours: bool) -> Iterator[tuple[FindingKind, PurePosixPath, str]]:
    """Yield what is wrong with the links of an observation: its kind, the link, and the problem."""
    layout = store.product.layout
    assert isinstance(layout, ByObsid)  # noqa: S101  # the caller has asked
    default, last = layout.default_link(obsid), layout.last_link(obsid)
    found, marks = links_of(store, obsid), rows_by_version(store, obsid)
    for stray in found.strays:
        yield "link", PurePosixPath(stray.partition(" ")[0]), f"leads elsewhere: {stray}"
    for link, version in ((default, found.released), (last, found.newest)):
        if version is not None and version not in marks:
            yield "link", link, f"leads to version {version}, which is not archived"
    marked = [version for version, (_, number) in marks.items() if number]
    if marked != ([] if found.released is None else [found.released]):
        listed = ", ".join(str(version) for version in marked) or "none"
        where = "nowhere" if found.released is None else f"to version {found.released}"
        yield "default", default, f"the link leads {where}, and the index has as default: {listed}"
    elif marked and (counts := marks[marked[0]])[0] != counts[1]:
        problem = f"of the {counts[0]} files of version {marked[0]} the index has only {counts[1]} as default"
        yield "default", default, problem
    if ours:
        row = store.index.select_ours("SELECT newest FROM aca_obsids WHERE obsid = ?", (obsid,))[0]
        if row["newest"] != found.newest and not found.strays:
            yield "link", last, f"leads to {found.newest}, and the index has {row['newest']}"


def _is_real(path: Path) -> bool:
    """Say whether something else than a link has a link's name."""
    return os.path.lexists(path) and not path.is_symlink()


def rows_by_version(store: Store, obsid: int) -> dict[int, tuple[int, int]]:
    """Return by version how many files of an obsid the index lists, and how many of them as those of the default."""
    sql = f"""
        SELECT revision, count(*) AS files, coalesce(sum(isdefault = 1), 0) AS marked FROM {TABLE}
        WHERE obsid = ? AND typeof(revision) = 'integer' GROUP BY revision ORDER BY revision
    """  # noqa: S608  # a constant of ours
    rows = store.index.select(sql, (obsid,))
    return {row["revision"]: (row["files"], row["marked"]) for row in rows if 0 <= row["revision"] <= 999}


def links_to_be(store: Store, obsid: int) -> Links | None:
    """Return where the links of an obsid belong; None where only a person, or the tool that made them, can say."""
    marks = rows_by_version(store, obsid)
    marked = [version for version, (_, number) in marks.items() if number]
    links: Links | None
    rows = store.index.select_ours("SELECT released, newest FROM aca_obsids WHERE obsid = ?", (obsid,))
    if rows:  # of what we have written, the index is right
        released, newest = rows[0]["released"], rows[0]["newest"]
        released = marked[0] if len(marked) == 1 else released if released in marks else None
        links = Links(obsid=obsid, released=released, newest=newest if newest in marks and newest != released else None)
    else:
        links = _links_of_others(store, obsid, marked) if marks else None
    versions = () if links is None else {links.released, links.newest} - {None}
    is_there = all(store.directory(ObsidRevision(obsid, version)).is_dir() for version in versions if version in marks)
    return links if is_there and set(versions) <= set(marks) else None


def _links_of_others(store: Store, obsid: int, marked: list[int]) -> Links | None:
    """Return where the links that other tools have made belong: where they lead, and the index where there is none."""
    layout = store.product.layout
    assert isinstance(layout, ByObsid)  # noqa: S101  # the caller has asked
    default, last = (
        _version_named(store, link, obsid) for link in (layout.default_link(obsid), layout.last_link(obsid))
    )
    if default is None and len(marked) == 1:
        default = marked[0]
    if default is None and marked:
        return None
    return Links(obsid=obsid, released=default, newest=None if last == default else last)


_NOWHERE: Final = -1
"""Stands for the version to which a link leads that leads to none."""


def _version_named(store: Store, link: PurePosixPath, obsid: int) -> int | None:
    """Return the version whose folder's name a link leads to, wherever that is: an archive may have been moved."""
    try:
        target = PurePosixPath((store.folder / link).readlink())
    except OSError:
        return None
    unit = store.product.layout.unit_in(link.parent / target.name)
    return unit.revision if isinstance(unit, ObsidRevision) and unit.obsid == obsid else _NOWHERE
