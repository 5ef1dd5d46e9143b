"""Why an observation is archived as it is: which revisions there are, why one is the default, what has failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import Item, items
from aca_core.archive.links import FoundLinks, links_of
from aca_core.archive.obs_archive import ObsArchive, checked_obsid
from aca_core.archive.queries import default_of
from aca_core.archive.revisions import archived_revisions
from aca_core.archive.status import (
    RecordedConflict,
    Unfinished,
    conflict_words,
    conflicts_in,
    unfinished_in,
    writer_of,
)
from aca_core.archive.store import Store
from aca_core.archive.words import as_time, failure_of
from aca_core.layouts import ByObsid, ObsidRevision

if TYPE_CHECKING:
    import sqlite3

__all__ = ["DefaultMove", "ExplainedRevision", "Explanation", "explain_obsid"]


@attrs.frozen(kw_only=True)
class ExplainedRevision:
    """One revision of an observation.

    Attributes
    ----------
    revision : int
        Its number.
    folder : Path
        Where it lies.
    exists : bool
        Whether the folder is there.
    files : int
        Files in the index.
    beside : int
        Files that are kept beside and not indexed.
    size : int or None
        Bytes of all of them; None where other tools recorded none.
    archived : float or None
        When files were last added to it or replaced, seconds since 1970; None where other tools did.
    """

    revision: int
    folder: Path
    exists: bool
    files: int
    beside: int = 0
    size: int | None = None
    archived: float | None = None


@attrs.frozen(kw_only=True)
class DefaultMove:
    """When another revision became the default.

    Attributes
    ----------
    when : float
        Seconds since 1970.
    before, after : int or None
        The released revision before and after; None for none.
    """

    when: float
    before: int | None
    after: int | None


@attrs.frozen(kw_only=True)
class Explanation:
    """What is known of one observation in the archive of a product.

    Attributes
    ----------
    product : str
        Name of the product.
    obsid : int
        Which observation.
    folder : Path
        The product's folder in the root that answers.
    revisions : tuple of ExplainedRevision
        Ascending.
    default : int or None
        The released revision.
    last : int or None
        The newest revision, where that is another one.
    ours : bool
        Whether we have written the observation; else other tools have, or nobody.
    marked : tuple of int
        The revisions whose rows the index marks as the default ones; one at most where all is well.
    links : FoundLinks
        Where the links lead.
    moves : tuple of DefaultMove
        How the default moved, in order.
    items : tuple of Item
        What was asked for, and what became of it.
    unfinished : tuple of Unfinished
        Commits that were interrupted.
    conflicts : tuple of RecordedConflict
        Files that came again with other bytes.
    writer : str or None
        Who writes to the product at this moment.
    """

    product: str
    obsid: int
    folder: Path
    revisions: tuple[ExplainedRevision, ...] = ()
    default: int | None = None
    last: int | None = None
    ours: bool = False
    marked: tuple[int, ...] = ()
    links: FoundLinks
    moves: tuple[DefaultMove, ...] = ()
    items: tuple[Item, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    conflicts: tuple[RecordedConflict, ...] = ()
    writer: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is archived of it, nothing was asked for, and nothing is remembered."""
        return not (self.revisions or self.items or self.ours or self.unfinished)

    @property
    def sentences(self) -> list[str]:
        """The same for people, one statement each."""
        return [*_on_revisions(self), *_on_default(self), *_on_last(self), *_on_troubles(self)]

    def state_of(self, revision: int) -> str:
        """Return what a revision is: ``default``, ``last``, or nothing."""
        names = [name for name, number in (("default", self.default), ("last", self.last)) if number == revision]
        return ", ".join(names)


def explain_obsid(member: ObsArchive, obsid: int) -> Explanation:
    """Say why an observation is archived as it is.

    Parameters
    ----------
    member : ObsArchive
        Of a product by obsid.
    obsid : int
        Which observation.

    Returns
    -------
    Explanation
        From the first root that has it; from the first where none has.
    """
    obsid = checked_obsid(obsid)
    found = (_below(member, store, obsid) for store in member.stores)
    first = next(found)
    return next((each for each in (first, *found) if each.revisions or each.items), first)


def _below(member: ObsArchive, store: Store, obsid: int) -> Explanation:
    events = _events(store, obsid)
    revisions = tuple(_revisions(store, obsid, _archived(events)))
    ours = store.index.select_ours("SELECT 1 FROM aca_obsids WHERE obsid = ?", (obsid,))
    links = links_of(store, obsid)
    default = default_of(store, obsid)
    there = archived_revisions(store, obsid)
    marked = f"SELECT DISTINCT revision FROM {TABLE} WHERE obsid = ? AND isdefault = 1 ORDER BY revision"  # noqa: S608
    return Explanation(
        product=member.name,
        obsid=obsid,
        folder=store.folder,
        revisions=revisions,
        default=default,
        last=links.newest if links.newest in there and links.newest != default else None,
        ours=bool(ours),
        marked=tuple(row["revision"] for row in store.index.select(marked, (obsid,))),
        links=links,
        moves=tuple(_moves(events)),
        items=tuple(items(store, obsid=obsid)),
        unfinished=tuple(each for each in unfinished_in(store) if _obsid_of(store, each.unit) == obsid),
        conflicts=conflicts_in(store, obsid),
        writer=writer_of(store),
    )


def _obsid_of(store: Store, unit: str) -> int | None:
    return getattr(store.unit_named(unit), "obsid", None)


def _revisions(store: Store, obsid: int, when: Mapping[int, float]) -> Iterator[ExplainedRevision]:
    """Yield what is known of each revision: from the index, from our own table, and from the disk."""
    indexed = f"SELECT revision, count(*) AS files FROM {TABLE} WHERE obsid = ? GROUP BY revision"  # noqa: S608
    files = {row["revision"]: row["files"] for row in store.index.select(indexed, (obsid,))}
    files.pop(None, None)
    for revision in sorted({*files, *_on_disk(store, obsid)}):
        unit = ObsidRevision(obsid, revision)
        ours = f"SELECT sum(size) AS size, sum(indexed = 0) AS beside FROM {FILES} WHERE unit = ?"  # noqa: S608
        row = next(iter(store.index.select_ours(ours, (store.name_of(unit),))), None)
        yield ExplainedRevision(
            revision=revision,
            folder=store.directory(unit),
            exists=store.directory(unit).is_dir(),
            files=files.get(revision, 0),
            beside=(row["beside"] or 0) if row else 0,
            size=row["size"] if row else None,
            archived=when.get(revision),
        )


def _on_disk(store: Store, obsid: int) -> Iterator[int]:
    from pathlib import PurePosixPath

    layout = store.product.layout
    if not isinstance(layout, ByObsid):
        return
    chunk = (store.folder / layout.default_link(obsid)).parent
    for path in chunk.glob(f"{obsid:05d}_v*"):
        unit = layout.unit_in(PurePosixPath(path.relative_to(store.folder)))
        if unit is not None and path.is_dir():
            yield unit.revision


_EVENTS = """
    SELECT committed, json_extract(change, '$.obsid[1]') AS revision,
           json_array_length(change, '$.added') + coalesce(json_array_length(change, '$.replaced'), 0) AS brought,
           json_extract(change, '$.default_before') AS before, json_extract(change, '$.default_after') AS after
    FROM aca_events WHERE change LIKE ? AND json_extract(change, '$.obsid[0]') = ? ORDER BY serial
"""
"""Of a few events only is more asked than whether they have the digits of the obsid anywhere."""


def _events(store: Store, obsid: int) -> list[sqlite3.Row]:
    """Return what was committed of an observation, in its order."""
    return store.index.select_ours(_EVENTS, (f"%{obsid}%", obsid))


def _archived(events: Iterable[sqlite3.Row]) -> dict[int, float]:
    """Return when files were last brought to each revision."""
    return {row["revision"]: row["committed"] for row in events if row["brought"]}


def _moves(events: Iterable[sqlite3.Row]) -> Iterator[DefaultMove]:
    for row in events:
        if row["before"] != row["after"]:
            yield DefaultMove(when=row["committed"], before=row["before"], after=row["after"])


# ---- for people -----------------------------------------------------------------------------------------------------


def _on_revisions(found: Explanation) -> Iterator[str]:
    if not found.revisions:
        yield f"Nothing of {found.product} is archived for obsid {found.obsid} in {found.folder}."
        if found.is_unknown:
            yield "Nothing is remembered of it either: no run of it was new in the catalogue, so nothing waits for it."
            yield (
                f"'aca update {found.product} --obsid {found.obsid}' asks the retriever for the released version, and "
                "with '--version last' for the newest. What is not there yet comes by itself when the catalogue lists "
                "a new run of it."
            )
    for each in found.revisions:
        if not each.exists:
            yield f"Version {each.revision} is in the index, and its folder is not there; 'aca verify' says what to do."
        elif not each.files:
            yield f"Version {each.revision} has a folder, and the index has no file of it, so that it is not seen."


def _on_default(found: Explanation) -> Iterator[str]:
    number, linked = found.default, found.links.released
    link = f"{found.obsid:05d}"
    if number is not None:
        why = _why_default(found) if found.ours else _LINK_DECIDES.format(link)
        yield f"Version {number} is the default: {why}.{_since(found)}"
    elif found.revisions:
        yield f"No version is the default: {_why_none(found, link)}."
    if found.ours and linked != number:
        leads = "is not there" if linked is None else f"leads to version {linked}"
        yield f"The link {link} {leads}, and should lead as the index says; 'aca verify --repair' mends it."
    if found.marked not in ((), (number,)) or (found.marked == () and number is not None):
        listed = ", ".join(str(each) for each in found.marked) or "none"
        yield f"The index marks as default: {listed}; 'aca verify --repair' lets it agree."
    for stray in found.links.strays:
        yield f"A link leads elsewhere: {stray}."


_LINK_DECIDES: Final = "the link {} leads to it, which decides for what aca_core has not written"


def _why_default(found: Explanation) -> str:
    """Return why a version that we have written is the default, without stating what is not known."""
    better = _not_had(found)
    if not better:
        return "it is the one that the retriever named as released when it was last asked"
    if better[0].version == "default":
        return f"it was released before, and what is released now could not be had ({better[0].name}, below)"
    return (
        f"it was released before, and version {better[0].version} could not be had ({better[0].name}, below); "
        "if that one is released, it becomes the default when it comes"
    )


def _why_none(found: Explanation, link: str) -> str:
    """Return why there is no default."""
    if found.ours:
        better = _not_had(found)
        if not better:
            return "the retriever named none when it was last asked"
        if better[0].version == "default":
            return f"what is released where it is retrieved from could not be had ({better[0].name}, below)"
        return f"none that is archived was named as released, and {better[0].name} could not be had (below)"
    if found.links.released is not None:
        why = f"the link {link} leads to version {found.links.released}, which is not archived"
    elif any(stray.partition(" ")[0].endswith(f"/{link}") for stray in found.links.strays):
        why = f"the link {link} leads elsewhere"
    else:
        why = f"there is no link {link}"
    return f"{why}, and aca_core has never asked the retriever for it"


def _not_had(found: Explanation) -> list[Item]:
    """Return what failed and is, or may be, the released version: what was asked for as such comes first."""
    failed = [item for item in found.items if item.state == "failed" and _is_later(item.version, found.default)]
    return sorted(failed, key=lambda item: item.version != "default")


def _is_later(version: Any, number: int | None) -> bool:
    return version in ("default", "last") or number is None or (isinstance(version, int) and version > number)


def _since(found: Explanation) -> str:
    if not found.moves or found.moves[-1].after != found.default:
        return ""
    move = found.moves[-1]
    before = "" if move.before is None else f"; before, it was version {move.before}"
    return f" It has been since {as_time(move.when)}{before}."


def _on_last(found: Explanation) -> Iterator[str]:
    link = f"{found.obsid:05d}_last"
    if found.last is None:
        if found.links.newest not in (None, found.default):
            yield f"The link {link} leads to version {found.links.newest}, which is not archived."
        return
    if found.default is not None and found.last < found.default:
        yield f"Version {found.last} is older than the default, and the link {link} leads to it."
    else:
        yield f"Version {found.last} is the newest and not released yet: it is provisional, and {link} leads to it."


def _on_troubles(found: Explanation) -> Iterator[str]:
    for item in found.items:
        if item.state == "failed":
            yield f"{item.name} {failure_of(item)}"
        elif item.state in ("wanted", "staged"):
            why = f" ({item.reason})" if item.reason else ""
            yield f"{item.name} was asked for and is still to come{why}: the next 'aca update' works on it."
    for each in found.unfinished:
        doing = f"{each.unit} is just being committed by {found.writer}." if found.writer else None
        yield doing or f"{each}; the next update completes it, or 'aca verify --repair'."
    for conflict in found.conflicts:
        yield f"{conflict_words(conflict, found.product)}."
    to_come = any(item.state != "committed" for item in found.items)
    if not (to_come or found.unfinished or found.conflicts) and _is_in_order(found):
        known = "as far as the index knows: nothing has failed, and nothing is in conflict"
        yield f"All of it is in order {known}; 'aca verify' looks at the files."


def _is_in_order(found: Explanation) -> bool:
    """Say whether index, folders and links agree."""
    whole = bool(found.revisions) and all(each.exists and each.files for each in found.revisions)
    marked = found.marked == (() if found.default is None else (found.default,))
    linked = (
        found.links.released == found.default and found.links.newest in (None, found.last) and not found.links.strays
    )
    return whole and marked and linked
