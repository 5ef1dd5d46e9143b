"""Why an observation is archived as it is: which revisions there are, why one is the default, what has failed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import Item, items
from aca_core.archive.links import FoundLinks, links_of
from aca_core.archive.obs_archive import ObsArchive, checked_obsid
from aca_core.archive.queries import default_of
from aca_core.archive.revisions import archived_revisions
from aca_core.archive.status import RecordedConflict, Unfinished, conflicts_in, unfinished_in
from aca_core.archive.store import Store
from aca_core.layouts import ByObsid, ObsidRevision

__all__ = [
    "DefaultMove",
    "ExplainedRevision",
    "Explanation",
    "as_time",
    "conflict_words",
    "explain_obsid",
    "failure_of",
    "words_for",
]


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
        When files were last added to it, seconds since 1970; None where other tools did.
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
    revisions = tuple(_revisions(store, obsid))
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
        moves=tuple(_moves(store, obsid)),
        items=tuple(items(store, obsid=obsid)),
        unfinished=tuple(each for each in unfinished_in(store) if _obsid_of(store, each.unit) == obsid),
        conflicts=conflicts_in(store, obsid),
        writer=(store.holder() or "another process") if store.is_locked() else None,
    )


def _obsid_of(store: Store, unit: str) -> int | None:
    return getattr(store.unit_named(unit), "obsid", None)


def _revisions(store: Store, obsid: int) -> Iterator[ExplainedRevision]:
    """Yield what is known of each revision: from the index, from our own table, and from the disk."""
    indexed = f"SELECT revision, count(*) AS files FROM {TABLE} WHERE obsid = ? GROUP BY revision"  # noqa: S608
    files = {row["revision"]: row["files"] for row in store.index.select(indexed, (obsid,))}
    files.pop(None, None)
    when = _archived(store, obsid)
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
    SELECT committed, json_extract(change, '$.obsid[1]') AS revision, json_array_length(change, '$.added') AS added,
           json_extract(change, '$.default_before') AS before, json_extract(change, '$.default_after') AS after
    FROM aca_events WHERE json_extract(change, '$.obsid[0]') = ? ORDER BY serial
"""


def _archived(store: Store, obsid: int) -> dict[int, float]:
    """Return when files were last added to each revision."""
    rows = store.index.select_ours(_EVENTS, (obsid,))
    return {row["revision"]: row["committed"] for row in rows if row["added"]}


def _moves(store: Store, obsid: int) -> Iterator[DefaultMove]:
    for row in store.index.select_ours(_EVENTS, (obsid,)):
        if row["before"] != row["after"]:
            yield DefaultMove(when=row["committed"], before=row["before"], after=row["after"])


# ---- for people -----------------------------------------------------------------------------------------------------


def as_time(seconds: float) -> str:
    """Return a time of the system's clock for people, in UTC.

    Parameters
    ----------
    seconds : float
        Since 1970.

    Returns
    -------
    str

    Examples
    --------
    >>> as_time(0)
    '1970-01-01 00:00:00 UTC'
    """
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _on_revisions(found: Explanation) -> Iterator[str]:
    if not found.revisions:
        yield f"Nothing of {found.product} is archived for obsid {found.obsid} in {found.folder}."
        if not found.items:
            yield f"It was never asked for: 'aca update {found.product} --obsid {found.obsid}' asks for it."
    for each in found.revisions:
        if not each.exists:
            yield f"Version {each.revision} is in the index, and its folder is not there; 'aca verify' says what to do."
        elif not each.files:
            yield f"Version {each.revision} has a folder, and the index has no file of it, so that it is not seen."


def _on_default(found: Explanation) -> Iterator[str]:
    number, linked = found.default, found.links.released
    link = f"{found.obsid:05d}"
    if number is not None:
        why = (
            "it is the one that the retriever named as released when it was last asked"
            if found.ours
            else f"the link {link} leads to it, which decides for what aca_core has not written"
        )
        yield f"Version {number} is the default: {why}.{_since(found)}"
    elif found.revisions:
        why = "the retriever named none when it was last asked" if found.ours else _why_none(found, link)
        yield f"No version is the default: {why}."
    better = found.revisions and [
        item for item in found.items if item.state == "failed" and _is_later(item.version, number)
    ]
    if better:
        yield f"What was asked for and is newer could not be had ({better[0].name}), so the default stayed as it was."
    if found.ours and linked != number:
        leads = "is not there" if linked is None else f"leads to version {linked}"
        yield f"The link {link} {leads}, and should lead as the index says; 'aca verify --repair' mends it."
    if found.marked not in ((), (number,)) or (found.marked == () and number is not None):
        listed = ", ".join(str(each) for each in found.marked) or "none"
        yield f"The index marks as default: {listed}; 'aca verify --repair' lets it agree."
    for stray in found.links.strays:
        yield f"A link leads elsewhere: {stray}."


def _why_none(found: Explanation, link: str) -> str:
    """Return why what other tools have written has no default."""
    if found.links.released is not None:
        return f"the link {link} leads to version {found.links.released}, which is not archived"
    astray = any(stray.partition(" ")[0].endswith(f"/{link}") for stray in found.links.strays)
    return f"the link {link} leads elsewhere" if astray else f"there is no link {link}"


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
    failed = any(item.state == "failed" for item in found.items)
    if not (failed or found.unfinished or found.conflicts) and _is_in_order(found):
        yield "All of it is in order: nothing has failed, and nothing is in conflict."


def _is_in_order(found: Explanation) -> bool:
    """Say whether index, folders and links agree."""
    whole = bool(found.revisions) and all(each.exists and each.files for each in found.revisions)
    marked = found.marked == (() if found.default is None else (found.default,))
    linked = (
        found.links.released == found.default and found.links.newest in (None, found.last) and not found.links.strays
    )
    return whole and marked and linked


def words_for(item: Item) -> str:
    """Return what an item is about, for people: the ranges of products by day as dates.

    Parameters
    ----------
    item : Item
        Any.

    Returns
    -------
    str

    Examples
    --------
    >>> words_for(Item(name="06000/3"))
    '06000/3'
    >>> words_for(Item(name="time 686016069.184 686102469.184"))
    '2019:271:00:00:00.000 to 2019:272:00:00:00.000'
    """
    match = re.fullmatch(r"time (\S+) (\S+)", item.name)
    if match is None:
        return item.name
    from aca_core.dates import to_date

    return f"{to_date(float(match[1]))} to {to_date(float(match[2]))}"


def conflict_words(conflict: RecordedConflict, product: str) -> str:
    """Return what is to be said of a conflict, with the command that would settle it.

    Parameters
    ----------
    conflict : RecordedConflict
        One file.
    product : str
        Of this product.

    Returns
    -------
    str
        Without a full stop.
    """
    match = re.search(r"(\d{5})_v(\d+)$", conflict.unit)
    if match is None:  # a day
        day = conflict.unit.replace("/", ":")
        asked = f"--since {day} --until {day}"
    else:
        asked = f"--obsid {int(match[1])} --version {int(match[2])}"
    again = f"came again with other bytes on {as_time(conflict.seen)}, and the archived file stayed"
    return f"{conflict} {again}; 'aca update {product} {asked} --replace' would swap it"


def failure_of(item: Item) -> str:
    """Return what went wrong with an item and when it is tried again, to follow its name.

    Parameters
    ----------
    item : Item
        One that failed.

    Returns
    -------
    str
        Sentences.
    """
    times = "once" if item.attempts == 1 else f"{item.attempts} times"
    last = "" if item.tried is None else f", last on {as_time(item.tried)}"
    again = (
        "It is not tried again by itself; 'aca update --retry-failed' tries it."
        if item.next_try is None
        else f"It is tried again by the first update after {as_time(item.next_try)}; --retry-failed tries it at once."
    )
    return f"has failed {times}{last}: {item.reason.rstrip('.')}. {again}"
