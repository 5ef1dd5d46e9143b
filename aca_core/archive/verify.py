"""Whether an archive is sound: what is unfinished, missing, damaged or astray, said one by one.

The quick check compares names and sizes, the full one reads every file. Nothing is written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive.checksums import check_file
from aca_core.archive.column_store.checking import check_columns
from aca_core.archive.commit import open_plans
from aca_core.archive.findings import Finding, finding, item_for
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import items
from aca_core.archive.link_checks import check_links
from aca_core.archive.links import names_in
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.errors import AcaError, IntegrityError
from aca_core.layouts import ByObsid, ObsidRevision

if TYPE_CHECKING:
    from aca_core.archive.reports import Told

__all__ = ["verify"]

_log = logging.getLogger("aca_core")

_LOOKS: Final = 3
"""How often findings are looked at again while somebody goes on committing."""

_FEW: Final = 10
_MUCH: Final = 0.2
"""So many missing files, and such a part of all, are no accident of single files: rather a mount is absent."""


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
    return [*found, *check_columns(store, full=full)]


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
            found.append(finding(store, "row", store.index.path.name, problem))

    # What is being committed at this moment is no finding: whoever holds the lock will finish it.
    add(lambda: _unfinished(store))
    add(lambda: _contents(store, reads, told))
    if isinstance(store.product.layout, ByObsid):
        add(lambda: check_links(store))
    add(lambda: _own_values(store))
    return found


# ---- what can be wrong ----------------------------------------------------------------------------------------------


def _index(store: Store, *, full: bool) -> Iterator[Finding]:
    place = store.index.path.name
    try:
        rows = store.index.select("PRAGMA integrity_check" if full else "PRAGMA quick_check")
        if store.index.path.exists() and store.index.path.stat().st_size and not store.index.columns():
            yield finding(store, "index", place, f"has no table {TABLE}; it is no index of this product")
    except IntegrityError as error:
        yield finding(store, "index", place, error.problem)
        return
    for row in rows:
        if row[0] != "ok":
            yield finding(store, "index", place, f"SQLite finds it damaged: {row[0]}")


def _without_index(store: Store) -> Iterator[Finding]:
    folders, unreadable = _unit_folders(store)
    yield from unreadable
    for folder in folders:
        yield finding(store, "unindexed", folder, "is there, and there is no index")


def _unfinished(store: Store) -> Iterator[Finding]:
    plans, left = open_plans(store), names_in(store.staging)
    # Whoever writes may have begun just now; and whoever has ended just now has left nothing.
    if store.is_locked():
        return
    for _, phase, plan in plans:
        step = "its files are not all at their place" if phase == "place" else "its links have not followed"
        yield finding(store, "unfinished", plan.unit, f"a commit was interrupted: {step}")
    if left := left & names_in(store.staging):
        yield finding(store, "staging", store.staging.name, f"holds {len(left)} unfinished deliveries")


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
        yield finding(store, "row", f"{names[0]}"[:100], problem)


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
                found.append(finding(store, "missing", place, "is archived and not there"))
            elif size is not None and there[name] != size:
                found.append(finding(store, "damaged", place, f"has {there[name]} bytes; {size} were archived"))
            elif is_read:
                found += _content(store, place, sha256)
        for name in sorted(set(there) - set(files)):
            is_odd = not store.product.keeps_beside(name) and not name.startswith(".")
            if is_odd and (unit, name) not in moving:
                problem = "is there, and the index does not know it"
                found.append(finding(store, "unindexed", f"{unit}/{name}", problem))
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
        if each.kind == "missing" and item_for(store, each).name in awaited:
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
        yield finding(store, "missing", place, "is archived and not there")
    except OSError as error:
        yield _unreadable(store, place, error)
    else:
        if sha256 is None:
            problem = "; ".join(check.problems)
        elif check.sha256 != sha256:
            problem = "has other bytes than were archived"
    if problem:
        yield finding(store, "damaged", place, problem)


def _unreadable(store: Store, place: object, error: OSError) -> Finding:
    return finding(store, "unreadable", place, f"cannot be read: {error.strerror or error}")


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
            yield finding(store, "empty", unit, "is empty: a fetch by another tool has failed")
        else:
            problem = "has files, and the index knows none of them; fetch it again with 'aca update --obsid'"
            yield finding(store, "unindexed", unit, problem)


# ---- what the archive keeps of itself -------------------------------------------------------------------------------


def _own_values(store: Store) -> Iterator[Finding]:
    bound = store.index.state("longest")
    if bound is not None:
        longest = store.index.select(f"SELECT max(tstop - tstart) AS longest FROM {TABLE}")[0]["longest"]  # noqa: S608
        if not _is_bound(bound, longest):
            problem = f"the longest file has {longest} s, and queries are bounded by {bound} s"
            yield finding(store, "bound", store.index.path.name, problem)
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
            yield finding(store, "last-id", LAST_ID_FILE, f"is {text[:40]}; the index has {last_id}")


def _is_bound(bound: str, longest: float | None) -> bool:
    try:
        return longest is None or longest <= float(bound)
    except ValueError:
        return False
