"""Whether an archive is sound: what is unfinished, missing, damaged or astray, said one by one; repaired when told to.

The quick check compares names and sizes, the full one reads every file. `repair` completes what was interrupted, lets
links and index agree, and takes what is missing or damaged off the index and onto the list of what is to be fetched.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from aca_core.archive._disk import sync_folder
from aca_core.archive.checksums import check_file
from aca_core.archive.commit import Links, Plan, commit, lead, open_plans, recover, unlist_file
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import REFETCH, Item, want
from aca_core.archive.links import links_of
from aca_core.archive.queries import default_of, released_of
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.errors import IntegrityError
from aca_core.layouts import ByObsid, ObsidRevision

if TYPE_CHECKING:
    from aca_core.archive.reports import Told

__all__ = ["Finding", "FindingKind", "repair", "verify"]

FindingKind = Literal[
    "index", "unfinished", "missing", "damaged", "unindexed", "empty", "link", "default", "bound", "last-id", "staging"
]

_REPAIRED_BY: Final[dict[FindingKind, str]] = {
    "unfinished": "the next update completes it, or --repair",
    "missing": "--repair takes it off the index, and the next update fetches it again",
    "damaged": "--repair takes it off the index, and the next update fetches it again",
    "empty": "--repair removes it",
    "link": "--repair leads it as the index says, or removes it",
    "default": "--repair lets index and link agree",
    "bound": "--repair corrects it",
    "last-id": "--repair writes it again",
    "staging": "the next update removes it, or --repair",
}


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that is wrong with an archive.

    Attributes
    ----------
    kind : str
        ``index``: the SQLite file is damaged; ``unfinished``: a commit was interrupted; ``missing``: an archived file
        is not there; ``damaged``: it has another size or content; ``unindexed``: a file or folder that the index does
        not know; ``empty``: a folder of a version without any file; ``link``: a link that leads nowhere or elsewhere;
        ``default``: index and link disagree on what is released; ``bound``: the longest duration is wrong;
        ``last-id``: ``last_id.txt`` is not what the index says; ``staging``: left by a writer that was killed.
    product : str
        Name of the product.
    place : str
        The file, link or folder, relative to the product's folder.
    problem : str
        What is wrong with it.
    """

    kind: FindingKind
    product: str
    place: str
    problem: str

    @property
    def remedy(self) -> str:
        """What mends it; empty where that takes a person."""
        return _REPAIRED_BY.get(self.kind, "")

    def __str__(self) -> str:
        return f"{self.product}/{self.place}: {self.problem}{f'; {self.remedy}' if self.remedy else ''}"


def verify(store: Store, *, full: bool = False, told: Told | None = None) -> list[Finding]:
    """Look for what is wrong with a product below one root; nothing is written.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    full : bool, default False
        Whether to read every file and compare its checksum.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    list of Finding
        Empty where all is well.
    """
    if not store.folder.is_dir():
        return []
    found = list(_index(store, full=full))
    if found or not store.index.columns():
        return found or list(_without_index(store))
    # What is being committed at this moment is no finding: whoever holds the lock will finish it.
    found += _unfinished(store)
    found += _files(store, full=full, told=told)
    found += _folders(store)
    if isinstance(store.product.layout, ByObsid):
        found += _links(store)
    found += _own_values(store)
    return found


def _finding(store: Store, kind: FindingKind, place: object, problem: str) -> Finding:
    return Finding(kind=kind, product=store.product.name, place=str(place), problem=problem)


# ---- what can be wrong ----------------------------------------------------------------------------------------------


def _index(store: Store, *, full: bool) -> Iterator[Finding]:
    place = store.index.path.name
    try:
        rows = store.index.select("PRAGMA integrity_check" if full else "PRAGMA quick_check")
        if store.index.path.exists() and store.index.path.stat().st_size and not store.index.columns():
            yield _finding(store, "index", place, f"has no table {TABLE}; it is no index of this product")
    except IntegrityError as error:
        yield _finding(store, "index", place, error.problem)
        return
    for row in rows:
        if row[0] != "ok":
            yield _finding(store, "index", place, f"SQLite finds it damaged: {row[0]}")


def _without_index(store: Store) -> Iterator[Finding]:
    for folder in _unit_folders(store):
        yield _finding(store, "unindexed", folder, "is there, and there is no index")


def _unfinished(store: Store) -> Iterator[Finding]:
    if store.is_locked():
        return
    for _, phase, plan in open_plans(store):
        step = "its files are not all at their place" if phase == "place" else "its links have not followed"
        yield _finding(store, "unfinished", plan.unit, f"a commit was interrupted: {step}")
    if store.staging.is_dir() and (left := list(store.staging.iterdir())):
        yield _finding(store, "staging", store.staging.name, f"holds {len(left)} unfinished deliveries")


def _files(store: Store, *, full: bool, told: Told | None) -> Iterator[Finding]:
    """Compare what the index lists with what lies there."""
    listed, moving = _listed(store), set(_moving(store))
    done, total = 0, sum(len(files) for files in listed.values())
    for unit, files in sorted(listed.items()):
        there = _sizes(store.folder / unit)
        for name, (size, sha256) in sorted(files.items()):
            done += 1
            if told is not None and (full or done % 1000 == 0):
                told(f"{unit}/{name}", done, total)
            place = f"{unit}/{name}"
            if (unit, name) in moving:
                continue  # what is unfinished is said of its unit
            if name not in there:
                yield _finding(store, "missing", place, "is archived and not there")
            elif size is not None and there[name] != size:
                yield _finding(store, "damaged", place, f"has {there[name]} bytes; {size} were archived")
            elif full and (problem := _content_problem(store.folder / place, sha256)):
                yield _finding(store, "damaged", place, problem)
        for name in sorted(set(there) - set(files)):
            is_odd = not store.product.keeps_beside(name) and not name.startswith(".")
            if is_odd and (unit, name) not in moving:
                yield _finding(store, "unindexed", f"{unit}/{name}", "is there, and the index does not know it")


def _moving(store: Store) -> Iterator[tuple[str, str]]:
    """Yield unit and name of the files that an unfinished commit has moved, or will."""
    for _, phase, plan in open_plans(store):
        yield from plan.removes
        if phase == "place":
            yield from ((plan.unit, each["name"]) for each in plan.files)


def _content_problem(path: Path, sha256: str | None) -> str:
    try:
        check = check_file(path)
    except IntegrityError as error:
        return error.problem
    if sha256 is not None and check.sha256 != sha256:
        return "has other bytes than were archived"
    return "" if sha256 is not None else "; ".join(check.problems)


def _listed(store: Store) -> dict[str, dict[str, tuple[int | None, str | None]]]:
    """Return the archived files with size and sha256, by unit; None where other tools have recorded none."""
    layout = store.product.layout
    listed: dict[str, dict[str, tuple[int | None, str | None]]] = {}
    names = ", ".join(["filename", *layout.files_by])
    known: dict[Any, str] = {}
    for row in store.index.select(f"SELECT {names} FROM {TABLE}"):  # noqa: S608  # names of columns
        key = tuple(row)[1:]
        if key not in known:
            known[key] = store.name_of(layout.unit_of(dict(row)))
        listed.setdefault(known[key], {})[row["filename"]] = (None, None)
    for row in store.index.select_ours(f"SELECT unit, filename, size, sha256 FROM {FILES}"):  # noqa: S608
        listed.setdefault(row["unit"], {})[row["filename"]] = (row["size"], row["sha256"])
    return listed


def _sizes(folder: Path) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _unit_folders(store: Store) -> Iterator[str]:
    """Yield the folders on the disk that are those of units, relative to the product's."""
    depth = len(store.product.layout.directory(store.product.layout.example).parts)

    def below(folder: Path, left: int) -> Iterator[Path]:
        with os.scandir(folder) as entries:
            inner = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith("."))
        for name in inner:
            if left == 1:
                yield folder / name
            else:
                yield from below(folder / name, left - 1)

    for path in below(store.folder, depth):
        relative = path.relative_to(store.folder)
        if store.product.layout.unit_in(PurePosixPath(relative)) is not None:
            yield str(relative)


def _folders(store: Store) -> Iterator[Finding]:
    listed = _listed(store)
    plans = [plan for _, _, plan in open_plans(store)]
    unfinished = {plan.unit for plan in plans} | {unit for plan in plans for unit, _ in plan.removes}
    for unit in _unit_folders(store):
        if unit in listed or unit in unfinished:
            continue
        if any(os.scandir(store.folder / unit)):
            problem = "has files, and the index knows none of them; fetch it again with 'aca update --obsid'"
            yield _finding(store, "unindexed", unit, problem)
        else:
            yield _finding(store, "empty", unit, "is empty: a fetch by another tool has failed")


def _links(store: Store) -> Iterator[Finding]:
    ours = {row["obsid"] for row in store.index.select_ours("SELECT obsid FROM aca_obsids")}
    unfinished = {plan.links.obsid for _, _, plan in open_plans(store) if plan.links is not None}
    for obsid in sorted(_linked_obsids(store) | _default_obsids(store) | ours):
        if obsid not in unfinished:
            yield from _links_of(store, obsid, ours=obsid in ours)


def _linked_obsids(store: Store) -> set[int]:
    found: set[int] = set()
    for chunk in sorted(store.folder.glob("[0-9][0-9]")):
        with os.scandir(chunk) as entries:
            names = [entry.name for entry in entries if re.fullmatch(r"\d{5}(_last)?", entry.name, re.ASCII)]
        found |= {int(name[:5]) for name in names if name[:2] == chunk.name}
    return found


def _default_obsids(store: Store) -> set[int]:
    rows = store.index.select(f"SELECT DISTINCT obsid FROM {TABLE} WHERE isdefault = 1")  # noqa: S608
    return {row["obsid"] for row in rows}


def _links_of(store: Store, obsid: int, *, ours: bool) -> Iterator[Finding]:
    from aca_core.archive.revisions import archived_revisions

    layout = store.product.layout
    assert isinstance(layout, ByObsid)  # noqa: S101  # the caller has asked
    found = links_of(store, obsid)
    default, last = layout.default_link(obsid), layout.last_link(obsid)
    for link in (default, last):
        if (store.folder / link).exists() and not (store.folder / link).is_symlink():
            yield _finding(store, "link", link, "is no link, and a link has to be there; move it away")
    for stray in found.strays:
        yield _finding(store, "link", stray.partition(" ")[0], f"leads elsewhere: {stray}")
    there = archived_revisions(store, obsid)
    for link, version in ((default, found.released), (last, found.newest)):
        if version is not None and version not in there:
            yield _finding(store, "link", link, f"leads to version {version}, which is not archived")
    sql = f"SELECT DISTINCT revision FROM {TABLE} WHERE obsid = ? AND isdefault = 1 ORDER BY revision"  # noqa: S608
    marked = [row["revision"] for row in store.index.select(sql, (obsid,))]
    if marked != ([] if found.released is None else [found.released]):
        listed = ", ".join(str(version) for version in marked) or "none"
        where = "nowhere" if found.released is None else f"to version {found.released}"
        yield _finding(store, "default", default, f"the link leads {where}, and the index has as default: {listed}")
    if ours:
        row = store.index.select_ours("SELECT newest FROM aca_obsids WHERE obsid = ?", (obsid,))[0]
        if row["newest"] != found.newest and not found.strays:
            yield _finding(store, "link", last, f"leads to {found.newest}, and the index has {row['newest']}")


def _own_values(store: Store) -> Iterator[Finding]:
    bound = store.index.state("longest")
    if bound is not None:
        rows = store.index.select(f"SELECT max(tstop - tstart) AS longest FROM {TABLE}")  # noqa: S608
        if rows[0]["longest"] is not None and rows[0]["longest"] > float(bound):
            problem = f"the longest file has {rows[0]['longest']} s, and queries are bounded by {bound} s"
            yield _finding(store, "bound", store.index.path.name, problem)
    last_id = store.index.state("last_id")
    if last_id is not None:
        path = store.folder / LAST_ID_FILE
        text = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else "not there"
        if text != last_id:
            yield _finding(store, "last-id", LAST_ID_FILE, f"is {text[:40]}; the index has {last_id}")


# ---- mending it -----------------------------------------------------------------------------------------------------


def repair(store: Store, *, full: bool = False, wait: float = 60.0, told: Told | None = None) -> list[Finding]:
    """Mend what can be mended without anybody's judgement.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    full : bool, default False
        Whether to read every file.
    wait : float, default 60
        How long to wait for another writer, s.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    list of Finding
        What was found before; look again for what is left.

    Raises
    ------
    LockedError
        Somebody is writing.
    OSError
        The archive may not be written to.
    """
    found = verify(store, full=full, told=told)
    if not found or any(each.kind == "index" for each in found):
        return found
    with store.locked(wait):
        store.make()
        recover(store)
        by_kind: dict[str, list[Finding]] = {}
        for each in verify(store, full=full, told=told):  # again: others may have written, and much is completed now
            by_kind.setdefault(each.kind, []).append(each)
        for kind, mend in _MENDERS.items():
            if kind in by_kind:
                mend(store, by_kind[kind])
    return found


def _unlist(store: Store, found: Iterable[Finding]) -> None:
    """Take files off the index, and ask for their versions again."""
    wanted: dict[str, Item] = {}
    with store.index.writing() as database:
        for each in found:
            folder, _, name = each.place.rpartition("/")
            unlist_file(store, database, folder, name)
            unit = store.unit_named(folder)
            if isinstance(unit, ObsidRevision):
                key = f"{unit.obsid:05d}/{unit.revision}"
                wanted[key] = Item(name=key, obsid=unit.obsid, reason=REFETCH)
            else:
                wanted[f"file {name}"] = Item(name=f"file {name}", reason=REFETCH)
    want(store, wanted.values())


def _remove_empty(store: Store, found: Iterable[Finding]) -> None:
    for each in found:
        folder = store.folder / each.place
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            sync_folder(folder.parent)


def _relink(store: Store, found: Iterable[Finding]) -> None:
    """Let links and index agree: the index is right of what we have written, the link of what others have."""
    obsids = {int(match[1]) for each in found if (match := re.search(r"/(\d{5})(_last)?$", each.place))}
    for obsid in sorted(obsids):
        _relink_one(store, obsid)


def _relink_one(store: Store, obsid: int) -> None:
    from aca_core.archive.revisions import archived_revisions

    there = archived_revisions(store, obsid)
    released = default_of(store, obsid)
    if released is None and links_of(store, obsid).released is not None:
        released = released_of(store, obsid)
    ours = store.index.select_ours("SELECT newest FROM aca_obsids WHERE obsid = ?", (obsid,))
    newest = ours[0]["newest"] if ours else links_of(store, obsid).newest
    links = Links(
        obsid=obsid,
        released=released if released in there else None,
        newest=newest if newest in there and newest != released else None,
    )
    unit = ObsidRevision(obsid, links.released if links.released is not None else max(there, default=0))
    if there:
        commit(store, Plan(unit=store.name_of(unit), links=links))
    else:
        lead(store, links)


def _rebound(store: Store, found: Iterable[Finding]) -> None:
    with store.index.writing() as database:
        longest = database.execute(f"SELECT max(tstop - tstart) FROM {TABLE}").fetchone()[0]  # noqa: S608
        database.table("aca_state").upsert({"key": "longest", "value": repr(longest)}, pk="key")


def _rewrite_last_id(store: Store, found: Iterable[Finding]) -> None:
    last_id = store.index.state("last_id")
    if last_id is not None:
        store.set_last_id_file(int(last_id))


_MENDERS: Final[dict[FindingKind, Callable[[Store, Iterable[Finding]], None]]] = {
    "missing": _unlist,
    "damaged": _unlist,
    "empty": _remove_empty,
    "link": _relink,
    "default": _relink,
    "bound": _rebound,
    "last-id": _rewrite_last_id,
}
