"""Whether an archive is sound: what is unfinished, missing, damaged or astray, said one by one; repaired when told to.

The quick check compares names and sizes, the full one reads every file. `repair` completes what was interrupted, lets
links and index agree, takes what is damaged off the index, and puts what is missing or damaged onto the list of what is
to be fetched. What it cannot be sure of it leaves to a person.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from aca_core.archive._disk import sync_folder
from aca_core.archive.checksums import check_file
from aca_core.archive.commit import Links, Plan, commit, is_of_the_machine, lead, open_plans, recover, unlist_file
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import REFETCH, Item, items, want
from aca_core.archive.links import links_of
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.errors import AcaError, IntegrityError
from aca_core.layouts import ByObsid, ObsidRevision
from aca_core.obsids import MAX_OBSID

if TYPE_CHECKING:
    from aca_core.archive.reports import Told

__all__ = ["Finding", "FindingKind", "Repaired", "repair", "verify"]

_log = logging.getLogger("aca_core")

FindingKind = Literal[
    "index",
    "row",
    "unfinished",
    "missing",
    "damaged",
    "unreadable",
    "unindexed",
    "empty",
    "link",
    "default",
    "bound",
    "last-id",
    "staging",
]

_REPAIRED_BY: Final[dict[FindingKind, str]] = {
    "unfinished": "the next update completes it, or --repair",
    "missing": "--repair asks for it, and the next update fetches it again",
    "damaged": "--repair takes it off the index, and the next update fetches it again",
    "empty": "--repair removes it",
    "link": "--repair leads it as the index says, or removes it",
    "default": "--repair lets index and link agree",
    "bound": "--repair corrects it",
    "last-id": "--repair writes it again",
    "staging": "the next update removes it, or --repair",
}

_LOOKS: Final = 3
"""How often findings are looked at again while somebody goes on committing."""

_FEW: Final = 10
_MUCH: Final = 0.2
"""So many missing files, and such a part of all, are no accident of single files: rather a mount is absent."""


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that is wrong with an archive.

    Attributes
    ----------
    kind : str
        ``index``: the SQLite file is damaged; ``row``: the index lists what cannot be; ``unfinished``: a commit was
        interrupted; ``missing``: an archived file is not there; ``damaged``: it has another size or content;
        ``unreadable``: a file or folder may not, or cannot, be read; ``unindexed``: a file or folder that the index
        does not know; ``empty``: a folder of a version without any file; ``link``: a link that leads nowhere or
        elsewhere, or is none; ``default``: index and link disagree on what is released; ``bound``: the longest duration
        is wrong; ``last-id``: ``last_id.txt`` is not what the index says; ``staging``: left by a writer that was
        killed.
    product : str
        Name of the product.
    place : str
        The file, link or folder, relative to the product's folder.
    problem : str
        What is wrong with it.
    remedy : str
        What mends it; empty where that takes a person.
    """

    kind: FindingKind
    product: str
    place: str
    problem: str
    remedy: str = attrs.field(default=attrs.Factory(lambda found: _REPAIRED_BY.get(found.kind, ""), takes_self=True))

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
    state = _state(store)
    found = _look(store, (lambda place: True) if full else (lambda place: False), told)
    for _ in range(_LOOKS):
        now = _state(store)
        if not found or now is state:
            break
        # Somebody has committed meanwhile, so that what was seen first and what was seen last need not fit together.
        state = now
        damaged = {each.place for each in found if each.kind == "damaged"}
        again = {(each.kind, each.place): each for each in _look(store, damaged.__contains__)}
        found = [again[key] for each in found if (key := (each.kind, each.place)) in again]
    return found


def _state(store: Store) -> object:
    """Return something that is the same as long as nothing is committed."""
    return store.index.remembered("verify", object)


def _look(store: Store, reads: Callable[[str], bool], told: Told | None = None) -> list[Finding]:
    """Look at everything once, and read those files of which that is said."""
    found: list[Finding] = []

    def add(part: Callable[[], Iterable[Finding]]) -> None:
        try:
            found.extend(part())
        except IntegrityError as error:
            problem = error.problem if error.path == str(store.index.path) else str(error)
            found.append(_finding(store, "row", store.index.path.name, problem))

    # What is being committed at this moment is no finding: whoever holds the lock will finish it.
    add(lambda: _unfinished(store))
    add(lambda: _contents(store, reads, told))
    if isinstance(store.product.layout, ByObsid):
        add(lambda: _links(store))
    add(lambda: _own_values(store))
    return found


def _finding(store: Store, kind: FindingKind, place: object, problem: str, **more: str) -> Finding:
    return Finding(kind=kind, product=store.product.name, place=str(place), problem=problem, **more)


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
    folders, unreadable = _unit_folders(store)
    yield from unreadable
    for folder in folders:
        yield _finding(store, "unindexed", folder, "is there, and there is no index")


def _unfinished(store: Store) -> Iterator[Finding]:
    plans, left = open_plans(store), _names(store.staging)
    # Whoever writes may have begun just now; and whoever has ended just now has left nothing.
    if store.is_locked():
        return
    for _, phase, plan in plans:
        step = "its files are not all at their place" if phase == "place" else "its links have not followed"
        yield _finding(store, "unfinished", plan.unit, f"a commit was interrupted: {step}")
    if left := left & _names(store.staging):
        yield _finding(store, "staging", store.staging.name, f"holds {len(left)} unfinished deliveries")


def _names(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir()}
    except OSError:  # it is not there; or it is somebody else's affair
        return set()


# ---- rows and files -------------------------------------------------------------------------------------------------

_Files = dict[str, dict[str, tuple[int | None, str | None]]]
"""By unit and name size and sha256; None where other tools have recorded none."""


@attrs.frozen
class _Listing:
    """What the index lists, and the rows that can be nobody's: by the columns that tell the unit the names."""

    files: _Files = attrs.field(factory=dict)
    odd: dict[tuple[Any, ...], list[Any]] = attrs.field(factory=dict)


def _contents(store: Store, reads: Callable[[str], bool], told: Told | None) -> Iterator[Finding]:
    """Compare what the index lists with the files and folders that are there."""
    listing = _listed(store)
    yield from _rows(store, listing)
    yield from _files(store, listing.files, reads, told)
    yield from _folders(store, listing.files)


def _listed(store: Store) -> _Listing:
    layout, listing = store.product.layout, _Listing()
    names = ", ".join(["filename", *layout.files_by])
    known: dict[Any, str | None] = {}
    for row in store.index.select(f"SELECT {names} FROM {TABLE}"):  # noqa: S608  # names of columns
        name, key = row[0], tuple(row)[1:]
        if key not in known:
            known[key] = _unit_name(store, row)
        unit = known[key]
        if unit is None or not isinstance(name, str) or "/" in name:
            listing.odd.setdefault(key, []).append(name)
        else:
            listing.files.setdefault(unit, {})[name] = (None, None)
    for row in store.index.select_ours(f"SELECT unit, filename, size, sha256 FROM {FILES}"):  # noqa: S608
        listing.files.setdefault(row["unit"], {})[row["filename"]] = (row["size"], row["sha256"])
    return listing


def _unit_name(store: Store, row: Any) -> str | None:
    try:
        return store.name_of(store.product.layout.unit_of(row))
    except (AcaError, TypeError, ValueError, OverflowError):
        return None


def _rows(store: Store, listing: _Listing) -> Iterator[Finding]:
    """Name the rows that are of no unit, or of no file; other tools wrote them."""
    by = store.product.layout.files_by
    for key, names in listing.odd.items():
        what = ", ".join(f"{name} {value!r:.40}" for name, value in zip(by, key, strict=True))
        more = f", and {len(names) - 1} more like it" if len(names) > 1 else ""
        problem = f"the index lists it with {what}, which {store.product.name} cannot have{more}; nobody sees it"
        yield _finding(store, "row", f"{names[0]}"[:100], problem)


def _files(store: Store, listed: _Files, reads: Callable[[str], bool], told: Told | None) -> list[Finding]:
    """Compare what the index lists with what lies there."""
    moving, found = set(_moving(store)), []
    done, total = 0, sum(len(files) for files in listed.values())
    for unit, files in sorted(listed.items()):
        try:
            there = _sizes(store.folder / unit)
        except OSError as error:
            found.append(_unreadable(store, unit, error))
            done += len(files)
            continue
        for name, (size, sha256) in sorted(files.items()):
            done += 1
            place = f"{unit}/{name}"
            is_read = reads(place)
            if told is not None and (is_read or done % 1000 == 0):
                told(place, done, total)
            if (unit, name) in moving:
                continue  # what is unfinished is said of its unit
            if name not in there:
                found.append(_finding(store, "missing", place, "is archived and not there"))
            elif size is not None and there[name] != size:
                found.append(_finding(store, "damaged", place, f"has {there[name]} bytes; {size} were archived"))
            elif is_read:
                found += _content(store, place, sha256)
        for name in sorted(set(there) - set(files)):
            is_odd = not store.product.keeps_beside(name) and not name.startswith(".")
            if is_odd and (unit, name) not in moving:
                problem = "is there, and the index does not know it"
                found.append(_finding(store, "unindexed", f"{unit}/{name}", problem))
    return _weighed(store, found, total)


def _weighed(store: Store, found: list[Finding], total: int) -> list[Finding]:
    """Leave it to a person where so much is gone that a mount may be absent; and tell what was asked for already."""
    gone = [each for each in found if each.kind in ("missing", "damaged")]
    if not gone:
        return found
    tops = {each.place.partition("/")[0] for each in gone}
    absent = {top for top in tops if not (store.folder / top).is_dir()}
    is_much = len(gone) > max(_FEW, _MUCH * total)
    awaited = {item.name for item in items(store, "wanted", "staged", "failed") if item.again}

    def weighed(each: Finding) -> Finding:
        if each.kind not in ("missing", "damaged"):
            return each
        top, doubt = each.place.partition("/")[0], ""
        if top in absent:
            doubt = f", nor is anything in {top}"
        elif is_much:
            doubt = f", one of {len(gone)} such files of {total}"
        if doubt:
            problem = (
                f"{each.problem}{doubt}: is a mount absent? If it is lost, {_by_hand(store, each)} fetches it again"
            )
            return attrs.evolve(each, problem=problem, remedy="")
        if each.kind == "missing" and _item_for(store, each).name in awaited:
            return attrs.evolve(each, remedy="the next update fetches it again")
        return each

    return [weighed(each) for each in found]


def _by_hand(store: Store, found: Finding) -> str:
    """Return the command that fetches a file again, whatever the repair thinks of it."""
    unit = store.unit_named(found.place.rpartition("/")[0])
    if isinstance(unit, ObsidRevision):
        return f"'aca update --obsid {unit.obsid} --version {unit.revision} --replace'"
    return f"'aca update --since {unit} --until {unit} --replace'"


def _moving(store: Store) -> Iterator[tuple[str, str]]:
    """Yield unit and name of the files that an unfinished commit has moved, or will."""
    for _, phase, plan in open_plans(store):
        yield from plan.removes
        if phase == "place":
            yield from ((plan.unit, each["name"]) for each in plan.files)


def _content(store: Store, place: str, sha256: str | None) -> Iterator[Finding]:
    """Read one file."""
    problem = ""
    try:
        check = check_file(store.folder / place)
    except IntegrityError as error:
        problem = error.problem
    except FileNotFoundError:
        yield _finding(store, "missing", place, "is archived and not there")
    except OSError as error:
        yield _unreadable(store, place, error)
    else:
        if sha256 is None:
            problem = "; ".join(check.problems)
        elif check.sha256 != sha256:
            problem = "has other bytes than were archived"
    if problem:
        yield _finding(store, "damaged", place, problem)


def _unreadable(store: Store, place: object, error: OSError) -> Finding:
    return _finding(store, "unreadable", place, f"cannot be read: {error.strerror or error}")


def _sizes(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # it has just gone
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        found[entry.name] = status.st_size
    except (FileNotFoundError, NotADirectoryError):
        pass
    return found


# ---- folders --------------------------------------------------------------------------------------------------------


def _unit_folders(store: Store) -> tuple[list[str], list[Finding]]:
    """Return the folders on the disk that are those of units, relative to the product's; and what cannot be read."""
    depth = len(store.product.layout.directory(store.product.layout.example).parts)
    unreadable: list[Finding] = []

    def below(folder: Path, left: int) -> Iterator[Path]:
        try:
            with os.scandir(folder) as entries:
                inner = sorted(
                    e.name for e in entries if e.is_dir(follow_symlinks=False) and not e.name.startswith(".")
                )
        except FileNotFoundError:  # it has just gone
            return
        except OSError as error:
            unreadable.append(_unreadable(store, folder.relative_to(store.folder), error))
            return
        for name in inner:
            if left == 1:
                yield folder / name
            else:
                yield from below(folder / name, left - 1)

    found = [PurePosixPath(path.relative_to(store.folder)) for path in below(store.folder, depth)]
    return [str(path) for path in found if store.product.layout.unit_in(path) is not None], unreadable


def _folders(store: Store, listed: Collection[str]) -> Iterator[Finding]:
    plans = [plan for _, _, plan in open_plans(store)]
    unfinished = {plan.unit for plan in plans} | {unit for plan in plans for unit, _ in plan.removes}
    folders, unreadable = _unit_folders(store)
    yield from unreadable
    for unit in folders:
        if unit in listed or unit in unfinished:
            continue
        try:
            is_empty = not any((store.folder / unit).iterdir())
        except FileNotFoundError:
            continue
        except OSError as error:
            yield _unreadable(store, unit, error)
            continue
        if is_empty:
            yield _finding(store, "empty", unit, "is empty: a fetch by another tool has failed")
        else:
            problem = "has files, and the index knows none of them; fetch it again with 'aca update --obsid'"
            yield _finding(store, "unindexed", unit, problem)


# ---- links ----------------------------------------------------------------------------------------------------------


def _links(store: Store) -> Iterator[Finding]:
    ours = {row["obsid"] for row in store.index.select_ours("SELECT obsid FROM aca_obsids")}
    unfinished = {plan.links.obsid for _, _, plan in open_plans(store) if plan.links is not None}
    for obsid in sorted(_linked_obsids(store) | _default_obsids(store) | ours):
        if obsid not in unfinished:
            yield from _links_of(store, obsid, ours=obsid in ours)


def _linked_obsids(store: Store) -> set[int]:
    found: set[int] = set()
    for chunk in sorted(store.folder.glob("[0-9][0-9]")):
        names = [name for name in _names(chunk) if re.fullmatch(r"\d{5}(_last)?", name, re.ASCII)]
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
        yield _finding(store, "link", link, problem, remedy="")
    if real:
        return  # the other link, and the index, cannot be led without it
    wrong = list(_wrong_links(store, obsid, ours=ours))
    more = {"remedy": ""} if wrong and _links_to_be(store, obsid) is None else {}
    for kind, link, problem in wrong:
        yield _finding(store, kind, link, problem, **more)


def _wrong_links(store: Store, obsid: int, *, ours: bool) -> Iterator[tuple[FindingKind, PurePosixPath, str]]:
    """Yield what is wrong with the links of an observation: its kind, the link, and the problem."""
    layout = store.product.layout
    assert isinstance(layout, ByObsid)  # noqa: S101  # the caller has asked
    default, last = layout.default_link(obsid), layout.last_link(obsid)
    found, marks = links_of(store, obsid), _marks(store, obsid)
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


def _marks(store: Store, obsid: int) -> dict[int, tuple[int, int]]:
    """Return by version how many files of an obsid the index lists, and how many of them as those of the default."""
    sql = f"""
        SELECT revision, count(*) AS files, coalesce(sum(isdefault = 1), 0) AS marked FROM {TABLE}
        WHERE obsid = ? AND typeof(revision) = 'integer' GROUP BY revision ORDER BY revision
    """  # noqa: S608  # a constant of ours
    rows = store.index.select(sql, (obsid,))
    return {row["revision"]: (row["files"], row["marked"]) for row in rows if 0 <= row["revision"] <= 999}


def _links_to_be(store: Store, obsid: int) -> Links | None:
    """Return where the links of an obsid belong; None where only a person, or the tool that made them, can say."""
    marks = _marks(store, obsid)
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


# ---- what the archive keeps of itself -------------------------------------------------------------------------------


def _own_values(store: Store) -> Iterator[Finding]:
    bound = store.index.state("longest")
    if bound is not None:
        longest = store.index.select(f"SELECT max(tstop - tstart) AS longest FROM {TABLE}")[0]["longest"]  # noqa: S608
        if not _is_bound(bound, longest):
            problem = f"the longest file has {longest} s, and queries are bounded by {bound} s"
            yield _finding(store, "bound", store.index.path.name, problem)
    last_id = store.index.state("last_id")
    if last_id is not None:
        path = store.folder / LAST_ID_FILE
        try:
            text = path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            text = "not there"
        except OSError as error:
            yield _unreadable(store, LAST_ID_FILE, error)
            return
        if text != last_id:
            yield _finding(store, "last-id", LAST_ID_FILE, f"is {text[:40]}; the index has {last_id}")


def _is_bound(bound: str, longest: float | None) -> bool:
    try:
        return longest is None or longest <= float(bound)
    except ValueError:
        return False


# ---- mending it -----------------------------------------------------------------------------------------------------


class Repaired(list[Finding]):
    """What was found before a repair, and what came of it; look again for what is left.

    Attributes
    ----------
    mended : list of Finding
        What was mended, or is fetched again by the next update.
    problems : list of str
        What was to be mended and could not be, and why.
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        super().__init__(found)
        self.mended: list[Finding] = []
        self.problems: list[str] = []


def repair(store: Store, *, full: bool = False, wait: float = 60.0, told: Told | None = None) -> Repaired:
    """Mend what can be mended without anybody's judgement; what cannot keeps nothing else from it.

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
    Repaired
        A list of what was found before.

    Raises
    ------
    LockedError
        Somebody is writing.
    OSError
        The archive may not be written to.
    """
    found = Repaired(verify(store, full=full, told=told))
    if not found or any(each.kind == "index" for each in found):
        return found
    with store.locked(wait):
        store.make()
        recover(store)
        now = verify(store, full=full, told=told)  # again: others may have written, and much is completed now
        still = {(each.kind, each.place) for each in now}
        found.mended += [each for each in found if (each.kind, each.place) not in still]
        for kinds, together, mend in _MENDERS:
            groups: dict[Hashable, list[Finding]] = {}
            for each in now:
                if each.kind in kinds and each.remedy:
                    groups.setdefault(together(each), []).append(each)
            for group in groups.values():
                try:
                    mend(store, group)
                except (AcaError, OSError) as error:
                    if is_of_the_machine(error):
                        raise
                    _log.warning("%s: %s could not be mended: %s", store.product.name, group[0].place, error)
                    found.problems.append(f"{group[0].place} could not be mended: {error}")
                else:
                    found.mended += group
    return found


def _item_for(store: Store, found: Finding) -> Item:
    """Return what brings a file again."""
    folder, _, name = found.place.rpartition("/")
    unit = store.unit_named(folder)
    if not isinstance(unit, ObsidRevision):
        return Item(name=f"file {name}", reason=REFETCH, again=True)
    return Item(name=f"{unit.obsid:05d}/{unit.revision}", obsid=unit.obsid, reason=REFETCH, again=True)


def _ask_again(store: Store, found: Iterable[Finding]) -> None:
    """Ask for the versions, or files, again."""
    wanted = {item.name: item for item in (_item_for(store, each) for each in found)}
    want(store, wanted.values())


def _unlist(store: Store, found: Iterable[Finding]) -> None:
    """Take files off the index, so that others may come in their place, and ask for these."""
    with store.index.writing() as database:
        for each in found:
            folder, _, name = each.place.rpartition("/")
            unlist_file(store, database, folder, name)
    _ask_again(store, found)


def _remove_empty(store: Store, found: Iterable[Finding]) -> None:
    for each in found:
        folder = store.folder / each.place
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            sync_folder(folder.parent)


def _obsid_of(found: Finding) -> int:
    """Return the observation of a link."""
    return int(found.place.rpartition("/")[2][:5])


def _relink(store: Store, found: Iterable[Finding]) -> None:
    """Let links and index of one observation agree."""
    obsid = _obsid_of(next(iter(found)))
    links, known = _links_to_be(store, obsid), _marks(store, obsid)
    if links is None:
        return
    if known:
        version = links.released if links.released is not None else max(known)
        commit(store, Plan(unit=store.name_of(ObsidRevision(obsid, version)), links=links))
    else:
        lead(store, links)


def _rebound(store: Store, found: Iterable[Finding]) -> None:
    with store.index.writing() as database:
        longest = database.execute(f"SELECT max(tstop - tstart) FROM {TABLE}").fetchone()[0]  # noqa: S608
        if longest is None:
            database.table("aca_state").delete_where("key = 'longest'")
        else:
            database.table("aca_state").upsert({"key": "longest", "value": repr(float(longest))}, pk="key")


def _rewrite_last_id(store: Store, found: Iterable[Finding]) -> None:
    last_id = store.index.state("last_id")
    if last_id is not None:
        store.set_last_id_file(int(last_id))


def _all(found: Finding) -> None:
    """Mend all of a kind together."""


def _each(found: Finding) -> str:
    """Mend each place by itself."""
    return found.place


_MENDERS: Final[
    tuple[tuple[tuple[FindingKind, ...], Callable[[Finding], Hashable], Callable[[Store, list[Finding]], None]], ...]
] = (
    (("missing",), _all, _ask_again),
    (("damaged",), _all, _unlist),
    (("empty",), _each, _remove_empty),
    (("link", "default"), _obsid_of, _relink),
    (("bound",), _all, _rebound),
    (("last-id",), _all, _rewrite_last_id),
)
