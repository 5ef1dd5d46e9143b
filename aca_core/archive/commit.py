"""From a staged delivery to an archived one: the only mover of files.

A commit goes through four steps. Each can be done again, so whoever finds it unfinished completes it:

1. the plan is written to the journal of the index;
2. the files are renamed to their place, out of sight while the index does not list them;
3. one transaction lists them, moves the default, puts the event into the outbox: this is the commit;
4. the links follow, superseded files go, and the journal forgets the plan.

What fails for good before the commit is taken back, so that it blocks nothing else; behind the commit nothing is.
Only the holder of the product's lock gets here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from aca_core.archive._disk import (
    STOPS,
    make_folders,
    move,
    remove_file,
    remove_tree,
    replace_link,
    sha256_of,
    sync_folder,
)
from aca_core.archive.events import record_change
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.store import Store
from aca_core.changes import Change
from aca_core.errors import AcaError, IntegrityError, LockedError, RetrievalError
from aca_core.layouts import ByObsid, ObsidRevision, Unit

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

    from aca_core.archive.staging import StagedFile

__all__ = ["Links", "Plan", "commit", "is_of_the_machine", "lead", "open_plans", "recover", "unlist_file"]

_log = logging.getLogger("aca_core")

Phase = Literal["place", "finish"]

_PLACE: Final[Phase] = "place"
_FINISH: Final[Phase] = "finish"

_LARGEST: Final = 2**63
"""From here on, whole numbers are too large for SQLite."""


@attrs.frozen(kw_only=True)
class Links:
    """Where the links of an obsid lead.

    Attributes
    ----------
    obsid : int
        Which observation.
    released : int or None
        The released version; its rows are the default ones.
    newest : int or None
        The newest version, where that is another; None for no such link.
    """

    obsid: int
    released: int | None
    newest: int | None


@attrs.frozen(kw_only=True)
class Plan:
    """A commit, written down before anything is moved.

    Attributes
    ----------
    unit : str
        Folder of the unit, relative to the product's.
    staging : str
        Name of the folder in which the files wait; empty where there are none.
    files : tuple of dict
        ``name``, ``size``, ``sha256``, ``remark`` and ``row``; the row is None for a file that is kept beside.
    replaces : tuple of str
        Names that are archived with other bytes, and give way.
    removes : tuple of pairs of str
        Units and names of files that are superseded.
    links : Links or None
        Where the links of the obsid lead afterwards; None leaves them alone.
    """

    unit: str
    staging: str = ""
    files: tuple[Mapping[str, Any], ...] = ()
    replaces: tuple[str, ...] = ()
    removes: tuple[tuple[str, str], ...] = ()
    links: Links | None = None

    @classmethod
    def of(cls, store: Store, unit: Unit, files: Iterable[StagedFile], staging: Path | None, **more: Any) -> Plan:
        """Return the plan to archive staged files as part of a unit."""
        listed = tuple(
            {
                "name": each.name,
                "size": each.size,
                "sha256": each.sha256,
                "remark": each.remark,
                "row": None if each.row is None else _filled(store, unit, each.row),
            }
            for each in files
        )
        return cls(unit=store.name_of(unit), staging=staging.name if staging else "", files=listed, **more)

    def to_json(self) -> str:
        """Return the plan as the journal keeps it."""
        return json.dumps(attrs.asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that the journal keeps."""
        content = json.loads(text)
        links = content.pop("links")
        removes = tuple((unit, name) for unit, name in content.pop("removes"))
        return cls(
            unit=content["unit"],
            staging=content["staging"],
            files=tuple(content["files"]),
            replaces=tuple(content["replaces"]),
            removes=removes,
            links=None if links is None else Links(**links),
        )


def _filled(store: Store, unit: Unit, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index row with what the archive knows and the file does not."""
    filled: dict[str, Any] = {column.name: row.get(column.name) for column in store.product.schema}
    filled |= dict(zip(store.product.layout.files_by, attrs.astuple(unit), strict=True))
    return filled


def commit(store: Store, plan: Plan) -> Change:
    """Archive what a plan says.

    Parameters
    ----------
    store : Store
        Where; its lock is held.
    plan : Plan
        What.

    Returns
    -------
    Change
        What subscribers are told.

    Raises
    ------
    IntegrityError
        A real file or folder is where a link has to be; a file is already indexed as part of another unit; or the index
        cannot take a row. Nothing is left of it.
    LockedError
        Somebody keeps the index from being written.
    OSError
        The disk is full, for example. What is there is completed or taken back by the next `recover`, which needs the
        staged files for it: they stay while the plan is among `open_plans`.
    """
    _check_values(plan)
    _check_names(store, plan)
    _check_links(store, plan.links)
    with store.index.writing() as database:
        entry = {"phase": _PLACE, "begun": time.time(), "unit": plan.unit, "replaces": len(plan.replaces)}
        number = int(database.table("aca_intents").insert({**entry, "plan": plan.to_json()}).last_pk or 0)
    _place(store, plan)
    try:
        change = _record(store, number, plan)
    except IntegrityError as error:  # it would be the same next time
        try:
            _take_back(store, number, plan)
        except IntegrityError:
            _log.warning("%s: %s is left as it is, for the next update: %s", store.product.name, plan.unit, error)
        raise
    try:
        _finish(store, number, plan)
    except (AcaError, OSError) as error:
        if is_of_the_machine(error):
            raise
        # It is committed. The plan stays open, and the next `recover` goes on with it.
        _log.warning("%s: %s is archived, but not all that follows is done: %s", store.product.name, plan.unit, error)
    return change


def is_of_the_machine(error: AcaError | OSError) -> bool:
    """Say whether an error has nothing to do with what is worked on, so that nothing else can be done now either.

    Parameters
    ----------
    error : AcaError or OSError
        What was raised.

    Returns
    -------
    bool
    """
    if isinstance(error, RetrievalError):
        return error.unavailable
    return isinstance(error, LockedError) or (isinstance(error, OSError) and error.errno in STOPS)


def open_plans(store: Store) -> list[tuple[int, Phase, Plan]]:
    """Return the commits that were begun and not finished, in their order.

    Parameters
    ----------
    store : Store
        Where; to read only.

    Returns
    -------
    list of tuple
        The number in the journal, the step that comes next (``place`` is before the commit, ``finish`` behind it), the
        plan.
    """
    rows = store.index.select_ours("SELECT id, phase, plan FROM aca_intents ORDER BY id")
    return [(row["id"], row["phase"], Plan.from_json(row["plan"])) for row in rows]


def recover(store: Store) -> list[str]:
    """Complete, or take back, what somebody who was interrupted has left; what cannot be completed blocks nothing else.

    Parameters
    ----------
    store : Store
        Where; its lock is held.

    Returns
    -------
    list of str
        What was done, for people.

    Raises
    ------
    LockedError, OSError
        Nothing can be done now: the disk is full, for example, or somebody keeps the index from being written.
    """
    told = []
    for number, phase, plan in open_plans(store):
        try:
            told.append(f"{plan.unit}: {_resume(store, number, phase, plan)}")
        except (AcaError, OSError) as error:
            if is_of_the_machine(error):
                raise
            told.append(f"{plan.unit}: an interrupted commit could not be completed, and is tried again: {error}")
    _clear_staging(store)
    for text in told:
        _log.warning("%s: %s", store.product.name, text)
    return told


def _resume(store: Store, number: int, phase: Phase, plan: Plan) -> str:
    """Complete one plan, or take it back; return what was done."""
    why = ""
    if phase == _PLACE:
        try:
            if _can_be_placed(store, plan):
                _place(store, plan)
                _record(store, number, plan)
                phase = _FINISH
        except (AcaError, OSError) as error:
            if is_of_the_machine(error):
                raise
            why = f" ({error})"
    if phase == _PLACE:
        _take_back(store, number, plan)
        return f"an interrupted commit was taken back{why}; it will be fetched again"
    _finish(store, number, plan)
    return "an interrupted commit was completed"


def _clear_staging(store: Store) -> None:
    """Remove what others have left in staging: whoever made it is gone, since we hold the lock."""
    if not store.staging.is_dir():
        return
    waiting = {plan.staging for _, _, plan in open_plans(store)}
    for path in sorted(store.staging.iterdir()):
        if path.name not in waiting:
            remove_tree(path)
    with contextlib.suppress(OSError):  # something is left in it
        store.staging.rmdir()


# ---- before anything is moved ---------------------------------------------------------------------------------------


def _check_values(plan: Plan) -> None:
    """Refuse a row that the journal or the index could not keep as it is."""
    for each in plan.files:
        for name, value in (each["row"] or {}).items():
            if isinstance(value, float) and not math.isfinite(value):
                expected = "a finite number, or none at all"
            elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
                expected = "a whole number of at most 64 bits"
            elif isinstance(value, str) and value.encode(errors="replace").decode() != value:
                expected = "a text of Unicode characters"
            else:
                continue
            raise IntegrityError(
                each["name"], f"its {name} is {value!r:.80}; expected {expected}, as an index can keep"
            )


def _check_names(store: Store, plan: Plan) -> None:
    """Refuse a file whose key belongs to another unit already: older tools know a file by its name alone."""
    key, by = store.product.key, store.product.layout.files_by
    condition = " AND ".join(f"{name} IS ?" for name in key)
    sql = f"SELECT {', '.join(by)} FROM {TABLE} WHERE {condition}"  # noqa: S608  # names of columns
    removed = set(plan.removes)
    for each in plan.files:
        row = each["row"]
        if row is None:
            continue
        for found in store.index.select(sql, [row[name] for name in key]):
            try:
                unit = store.name_of(store.product.layout.unit_of(dict(found)))
            except (AcaError, TypeError, ValueError, OverflowError):  # other tools may have written anything
                unit = f"{', '.join(f'{name} {found[name]!r:.40}' for name in by)}, which cannot be,"
            if unit != plan.unit and (unit, each["name"]) not in removed:
                problem = f"is indexed as part of {unit} already, so it cannot be part of {plan.unit} too"
                raise IntegrityError(each["name"], f"{problem}; see which is right with 'aca verify'")


def _check_links(store: Store, links: Links | None) -> None:
    """Refuse before the commit what the links would meet behind it."""
    if links is None:
        return
    for path in _link_paths(store, links.obsid):
        if path.exists() and not path.is_symlink():
            raise IntegrityError(path, "is no symbolic link, and a link has to be there; move it away")


# ---- the files ------------------------------------------------------------------------------------------------------


def _place(store: Store, plan: Plan) -> None:
    """Bring the files to their place; those that are there already stay."""
    if not plan.files:
        return
    waiting, target = store.staging / plan.staging, store.folder / plan.unit
    make_folders(target.parent)
    if waiting.is_dir() and (not target.exists() or not any(target.iterdir())):
        move(waiting, target)
        sync_folder(target.parent)
        return
    make_folders(target)
    for each in plan.files:
        if (waiting / each["name"]).exists():
            move(waiting / each["name"], target / each["name"])
    sync_folder(target)


def _can_be_placed(store: Store, plan: Plan) -> bool:
    """Say whether every file of a plan waits, or is at its place."""
    waiting, target = store.staging / plan.staging, store.folder / plan.unit
    return all(
        _is(waiting / each["name"], each["sha256"]) or _is(target / each["name"], each["sha256"]) for each in plan.files
    )


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and sha256_of(path) == sha256


def _take_back(store: Store, number: int, plan: Plan) -> None:
    """Remove what a plan has placed, but nothing that the index lists."""
    unit, target = store.unit_named(plan.unit), store.folder / plan.unit
    listed = store.archived_files(unit)
    for each in plan.files:
        if each["name"] not in listed:
            remove_file(target / each["name"])
    _close_up(target)
    # Of a replacement that cannot be completed, the index says what really lies there, as part of the same release.
    placed = [
        each for each in plan.files if each["name"] in plan.replaces and _is(target / each["name"], each["sha256"])
    ]
    columns = store.index.columns()
    try:
        with store.index.writing() as database:
            marks = _marks(store, database, unit) if "isdefault" in columns else {}
            rows = [{**each, "row": each["row"] and {**each["row"], **marks.get(each["name"], {})}} for each in placed]
            there = attrs.evolve(plan, files=tuple(rows), replaces=tuple(each["name"] for each in placed))
            _list_files(database, there, columns)
            database.table("aca_intents").delete(number)
    except IntegrityError as error:
        if not placed:
            raise
        # The index takes no such row: it keeps the old one, and 'aca verify' finds that the file is another.
        names = ", ".join(each["name"] for each in placed)
        _log.warning("%s: %s, %s: were replaced, and cannot be listed: %s", store.product.name, plan.unit, names, error)
        with store.index.writing() as database:
            database.table("aca_intents").delete(number)


def _marks(store: Store, database: Database, unit: Unit) -> dict[str, dict[str, Any]]:
    """Return by name which of a unit's files are marked as those of the released version."""
    conditions, values = store.where_unit(unit)
    sql = f"SELECT filename, isdefault FROM {TABLE} WHERE {conditions}"  # noqa: S608  # names of columns
    return {row["filename"]: {"isdefault": row["isdefault"]} for row in database.execute(sql, values).fetchall()}


def _close_up(folder: Path) -> None:
    """Make durable that files were removed from the folder of a unit; it goes too where nothing is left in it."""
    if not folder.is_dir():
        return
    sync_folder(folder)
    if not any(folder.iterdir()):
        folder.rmdir()
        sync_folder(folder.parent)


# ---- the transaction ------------------------------------------------------------------------------------------------


def _record(store: Store, number: int, plan: Plan) -> Change:
    """Commit: from here on, readers see it."""
    known = set(store.archived_files(store.unit_named(plan.unit)))
    columns = store.index.columns()
    with store.index.writing() as database:
        before = None if plan.links is None else _released(database, plan.links.obsid)
        for unit, name in plan.removes:
            unlist_file(store, database, unit, name)
        _list_files(database, plan, columns)
        if plan.links is not None:
            _move_default(database, plan.links)
        _lengthen(database, plan)
        names = [each["name"] for each in plan.files]
        change = Change(
            product=store.product.name,
            archive=store.root,
            unit=store.unit_named(plan.unit),
            added=[name for name in names if name not in known],
            replaced=[name for name in names if name in plan.replaces],
            removed=[name for unit, name in plan.removes if unit == plan.unit],
            default_before=before,
            default_after=None if plan.links is None else plan.links.released,
        )
        for unit in sorted({unit for unit, _ in plan.removes} - {plan.unit}):
            removed = [name for other, name in plan.removes if other == unit]
            elsewhere = attrs.evolve(change, unit=store.unit_named(unit), added=(), replaced=(), removed=removed)
            record_change(database, elsewhere)
        change = record_change(database, change)
        database.table("aca_intents").update(number, {"phase": _FINISH})
    return change


def _list_files(database: Database, plan: Plan, columns: Iterable[str]) -> None:
    """Put files into the index and into our own table; a conflict that they settle is forgotten."""
    rows = [each["row"] for each in plan.files if each["row"] is not None]
    ours = [
        {
            "unit": plan.unit,
            "filename": each["name"],
            "indexed": int(each["row"] is not None),
            **{name: each[name] for name in ("size", "sha256", "remark")},
        }
        for each in plan.files
    ]
    there = [name for name in columns if rows and name in rows[0]]
    database.table(TABLE).insert_all([{name: row[name] for name in there} for row in rows], replace=True)
    database.table(FILES).insert_all(ours, replace=True)
    for name in plan.replaces:
        database.table("aca_conflicts").delete_where("unit = ? AND filename = ?", [plan.unit, name])


def unlist_file(store: Store, database: Database, unit: str, name: str) -> None:
    """Take a file off the index, within the caller's transaction.

    Parameters
    ----------
    store : Store
        Of which product.
    database : sqlite_utils.Database
        Its index.
    unit, name : str
        The unit's folder, relative to the product's, and the file's base name.
    """
    conditions, values = store.where_unit(store.unit_named(unit))
    database.table(TABLE).delete_where(f"{conditions} AND filename = ?", [*values, name])
    database.table(FILES).delete_where("unit = ? AND filename = ?", [unit, name])


def _released(database: Database, obsid: int) -> int | None:
    sql = f"SELECT max(revision) FROM {TABLE} WHERE obsid = ? AND isdefault = 1"  # noqa: S608  # a constant of ours
    row: sqlite3.Row = database.execute(sql, [obsid]).fetchone()
    return None if row[0] is None else int(row[0])


def _move_default(database: Database, links: Links) -> None:
    """Let exactly the rows of the released version be the default ones; the others have NULL, not 0."""
    mine = f"UPDATE {TABLE} SET isdefault = %s WHERE obsid = ? AND %s"  # noqa: S608  # constants of ours
    released = -1 if links.released is None else links.released
    database.execute(mine % ("1", "revision = ? AND isdefault IS NOT 1"), [links.obsid, released])
    database.execute(mine % ("NULL", "revision IS NOT ? AND isdefault IS NOT NULL"), [links.obsid, released])
    database.table("aca_obsids").upsert(
        {"obsid": links.obsid, "released": links.released, "newest": links.newest}, pk="obsid"
    )


def _lengthen(database: Database, plan: Plan) -> None:
    """Keep the longest duration of any file, by which queries in time are bounded."""
    durations = [
        row["tstop"] - row["tstart"]
        for each in plan.files
        if (row := each["row"]) is not None and None not in (row.get("tstart"), row.get("tstop"))
    ]
    if not durations:
        return
    longest = max(durations)
    known = database.execute("SELECT value FROM aca_state WHERE key = 'longest'").fetchone()
    if known is None:  # other tools may have archived longer ones
        longest = database.execute(f"SELECT max(tstop - tstart) FROM {TABLE}").fetchone()[0]  # noqa: S608
    if known is None or longest > float(known[0]):
        database.table("aca_state").upsert({"key": "longest", "value": repr(longest)}, pk="key")


# ---- behind the commit ----------------------------------------------------------------------------------------------


def _finish(store: Store, number: int, plan: Plan) -> None:
    """Let the links follow, remove what was superseded, and forget the plan."""
    if plan.links is not None:
        lead(store, _links_now(store, plan.links))
    folders = set()
    for unit, name in plan.removes:
        remove_file(store.folder / unit / name)
        folders.add(store.folder / unit)
    for folder in sorted(folders):
        _close_up(folder)
    with store.index.writing() as database:
        database.table("aca_intents").delete(number)
    if plan.staging:
        remove_tree(store.staging / plan.staging)


def _links_now(store: Store, links: Links) -> Links:
    """Return where the index has the links of an obsid lead now: something newer may be committed since."""
    rows = store.index.select_ours("SELECT obsid, released, newest FROM aca_obsids WHERE obsid = ?", (links.obsid,))
    return Links(**dict(rows[0])) if rows else links


def _link_paths(store: Store, obsid: int) -> tuple[Path, Path]:
    layout = store.product.layout
    if not isinstance(layout, ByObsid):
        raise IntegrityError(store.folder, f"{store.product.name} is laid out {layout}, and has no links")
    return store.folder / layout.default_link(obsid), store.folder / layout.last_link(obsid)


def lead(store: Store, links: Links) -> None:
    """Let the links of an obsid lead where they shall.

    Parameters
    ----------
    store : Store
        Where; its lock is held.
    links : Links
        Where they lead.
    """
    default, last = _link_paths(store, links.obsid)
    targets = ((default, links.released), (last, links.newest))
    made = [
        replace_link(path, None if version is None else str(ObsidRevision(links.obsid, version)))
        for path, version in targets
        if version is not None or path.parent.is_dir()
    ]
    if any(made):
        sync_folder(default.parent)
