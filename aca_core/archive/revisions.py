"""What an update does for one obsid: ask which versions there are, fetch what is missing, commit it, lead the links.

`prepare` may run anywhere: it asks and fetches, and touches nothing but staging folders. `settle` commits; only the
holder of the product's lock runs it.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from aca_core.archive._disk import make_folders, remove_tree, sha256_of
from aca_core.archive.commit import Links, Plan, commit, open_plans
from aca_core.archive.links import links_of
from aca_core.archive.queries import archived_revisions, released_of
from aca_core.archive.staging import Staged, StagedFile, StagingRules, stage, told_names
from aca_core.archive.store import Store
from aca_core.changes import Change
from aca_core.errors import AcaError, IntegrityError, ProductVersionError, RetrievalError
from aca_core.layouts import ObsidRevision, Unit
from aca_core.products import ArchiveProduct
from aca_core.retrievers import ObsidRequest, Retriever

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = [
    "Conflict",
    "ObsidTask",
    "Prepared",
    "Problem",
    "Settled",
    "archived_revisions",
    "conflicts_among",
    "discard",
    "prepare",
    "probe",
    "settle",
]

_log = logging.getLogger("aca_core")

Wanted = Literal["default", "last"] | int


@attrs.frozen(kw_only=True)
class ObsidTask:
    """What to do for one obsid; it travels to workers.

    Attributes
    ----------
    product : ArchiveProduct
        Which product.
    obsid : int
        Which observation.
    obi : int or None
        Its smallest observation interval, where it has several.
    wanted : tuple of int or str
        Which versions; none only leads the links.
    archived : frozenset of int
        The versions that the archive has.
    retriever : Retriever
        What brings them.
    rules : StagingRules
        What the site says about deliveries.
    staging : Path
        An empty folder of this task's own.
    only_if_moved : int or None
        For a provisional version: do nothing unless it was released, or something newer came.
    again : frozenset of int
        Versions to fetch although they are archived: something of them was found missing or damaged.
    recheck : bool
        Whether to fetch and compare what is wanted although it is archived.
    only_newer : bool
        Whether numbered versions before the released one are left alone.
    """

    product: ArchiveProduct
    obsid: int
    obi: int | None
    wanted: tuple[Wanted, ...]
    archived: frozenset[int]
    retriever: Retriever
    rules: StagingRules
    staging: Path
    only_if_moved: int | None = None
    again: frozenset[int] = frozenset()
    recheck: bool = False
    only_newer: bool = False


@attrs.frozen(kw_only=True)
class Problem:
    """Why a wanted version could not be had.

    Attributes
    ----------
    wanted : int or str
        Which version.
    error : AcaError or OSError
        What happened.
    """

    wanted: Wanted
    error: AcaError | OSError


@attrs.frozen(kw_only=True)
class Prepared:
    """What `prepare` found and fetched.

    Attributes
    ----------
    obsid : int
        Which observation.
    released, newest : int or None
        What the retriever says.
    staged : tuple of Staged
        Deliveries, by version.
    asked_as : dict of int to list of int or str
        As what a version was wanted; it may be by several words.
    problems : tuple of Problem
        The versions that could not be had.
    left_alone : tuple of int
        The versions that are wanted only where they are newer, and are not.
    idle : bool
        Whether nothing has moved, so that nothing is to be done.
    """

    obsid: int
    released: int | None = None
    newest: int | None = None
    staged: tuple[Staged, ...] = ()
    asked_as: Mapping[int, list[Wanted]] = attrs.field(factory=dict)
    problems: tuple[Problem, ...] = ()
    left_alone: tuple[int, ...] = ()
    idle: bool = False


@attrs.frozen(kw_only=True)
class Conflict:
    """A file that was delivered again under the same name with other bytes; the archived one stays.

    Attributes
    ----------
    unit : str
        Its unit's folder, relative to the product's.
    filename : str
        Its base name.
    """

    unit: str
    filename: str

    def __str__(self) -> str:
        return f"{self.unit}/{self.filename}"


@attrs.frozen(kw_only=True)
class Settled:
    """What was done for one obsid.

    Attributes
    ----------
    changes : tuple of Change
        What was committed.
    conflicts : tuple of Conflict
        Files that were delivered with other bytes than before.
    problems : tuple of Problem
        The versions that were staged and could not be committed.
    """

    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    problems: tuple[Problem, ...] = ()


def probe(
    product: ArchiveProduct, retriever: Retriever, obsid: int, version: Wanted, scratch: Path, obi: int | None = None
) -> int | None:
    """Ask which version a fetch would bring.

    Parameters
    ----------
    product : ArchiveProduct
        Which product.
    retriever : Retriever
        Who is asked.
    obsid : int
        Which observation.
    version : {'default', 'last'} or int
        Which version.
    scratch : Path
        An empty folder for the retriever's use.
    obi : int, optional
        Which observation interval.

    Returns
    -------
    int or None
        None where there is no such version.

    Raises
    ------
    RetrievalError
        The question could not be answered.
    IntegrityError
        The names agree on no version.
    """
    request = ObsidRequest(product=product, obsid=obsid, obi=obi, version=version)
    names = told_names(retriever, request, "probe", lambda: retriever.probe(request, scratch))
    if not all(isinstance(name, str) for name in names):
        raise RetrievalError(retriever.name, request, f"its probe returned {names[:3]!r}; expected base names")
    if product.version is None:
        raise IntegrityError(product.name, "declares no Version, so that the version of a delivery is not known")
    found = product.version.of(names)
    if found is None and any(product.takes(name) for name in names):
        problem = f"there are files, and none of them carries the version; expected one like {product.version.glob}"
        raise IntegrityError(", ".join(names[:3]), problem)
    if isinstance(version, int) and found is not None and found != version:
        raise IntegrityError(", ".join(names[:3]), f"has the version {found}, and version {version} was asked for")
    return found


def prepare(task: ObsidTask) -> Prepared:
    """Ask for the versions of an obsid, and stage those that are wanted and missing.

    Parameters
    ----------
    task : ObsidTask
        What to do.

    Returns
    -------
    Prepared
        Its problems are what concerns single versions.

    Raises
    ------
    AcaError
        It is not known what is released; then nothing can be done for the obsid.
    OSError
        The disk is full, for example.
    """
    released, newest = (_probe(task, version) for version in ("default", "last"))
    here = Prepared(obsid=task.obsid, released=released, newest=newest)
    if task.only_if_moved is not None and task.only_if_moved != released and task.only_if_moved == newest:
        return attrs.evolve(here, idle=True)
    versions: dict[int, list[Wanted]] = {}
    problems: list[Problem] = []
    for wanted in task.wanted:
        if task.only_newer and isinstance(wanted, int) and released is not None and wanted < released:
            here = attrs.evolve(here, left_alone=(*here.left_alone, wanted))
            continue
        try:
            version = _version(task, wanted, here)
        except AcaError as error:
            problems.append(Problem(wanted=wanted, error=error))
        else:
            versions.setdefault(version, []).append(wanted)
    if released is not None:
        versions.setdefault(released, ["default"])  # never lead a link to what is not there: fetch it first
    staged: list[Staged] = []
    for version, words in sorted(versions.items()):
        known = version in task.archived and version not in task.again
        if known and not (task.recheck and set(words) & set(task.wanted)):
            continue
        try:
            staged.append(_stage(task, version))
        except AcaError as error:
            problems += [Problem(wanted=wanted, error=error) for wanted in words]
    return attrs.evolve(here, staged=tuple(staged), asked_as=versions, problems=tuple(problems))


def _version(task: ObsidTask, wanted: Wanted, here: Prepared) -> int:
    """Return the number of a wanted version."""
    if wanted == "default":
        version = here.released
    elif wanted == "last":
        version = here.newest
    elif wanted in (here.released, here.newest) or wanted in task.archived:
        version = wanted
    else:
        version = _probe(task, wanted)
    if version is None:
        raise ProductVersionError(task.product.name, task.obsid, wanted)
    return version


def _probe(task: ObsidTask, version: Wanted) -> int | None:
    scratch = _folder(task, f"probe-{version}")
    try:
        return probe(task.product, task.retriever, task.obsid, version, scratch, task.obi)
    finally:
        remove_tree(scratch)


def _stage(task: ObsidTask, version: int) -> Staged:
    folder = _folder(task, f"v{version}")
    request = ObsidRequest(product=task.product, obsid=task.obsid, obi=task.obi, version=version)
    try:
        staged = stage(request, task.retriever, folder, task.rules)
        if not any(each.row is not None for each in staged.files):
            raise IntegrityError(
                str(request), f"the delivery has no file to archive ({task.retriever.name} brought none)"
            )
    except BaseException:
        remove_tree(folder)
        raise
    return staged


def _folder(task: ObsidTask, name: str) -> Path:
    folder = task.staging.with_name(f"{task.staging.name}-{name}")
    remove_tree(folder)
    make_folders(folder)
    return folder


def settle(store: Store, prepared: Prepared, *, replace: bool = False) -> Settled:
    """Commit what was staged for an obsid, and let its links follow.

    Parameters
    ----------
    store : Store
        Where; its lock is held.
    prepared : Prepared
        What was found and fetched.
    replace : bool, default False
        Whether a file that comes with other bytes takes the archived one's place.

    Returns
    -------
    Settled

    Raises
    ------
    IntegrityError, OSError
        As `commit` says.
    """
    changes: list[Change] = []
    conflicts: list[Conflict] = []
    problems: list[Problem] = []
    try:
        for staged in prepared.staged:
            try:
                change, found = _settle_one(store, prepared, staged, replace=replace)
            except IntegrityError as error:
                number = staged.version if staged.version is not None else -1
                problems += [Problem(wanted=wanted, error=error) for wanted in prepared.asked_as.get(number, [number])]
                if open_plans(store):  # it has failed behind its journal, and is completed before anything newer
                    return Settled(changes=tuple(changes), conflicts=tuple(conflicts), problems=tuple(problems))
                continue
            conflicts += found
            changes += [] if change is None else [change]
        links = _links(store, prepared, ())
        if not _are_led(store, links):
            leading = links.released if links.released is not None else links.newest
            known = archived_revisions(store, prepared.obsid)
            unit = ObsidRevision(prepared.obsid, leading if leading is not None else max(known, default=0))
            changes.append(commit(store, Plan(unit=store.name_of(unit), links=links)))
    finally:
        discard(prepared, keep={plan.staging for _, _, plan in open_plans(store)})
    return Settled(changes=tuple(changes), conflicts=tuple(conflicts), problems=tuple(problems))


def discard(prepared: Prepared, keep: Collection[str] = ()) -> None:
    """Remove what was staged for an obsid and is not needed any more.

    Parameters
    ----------
    prepared : Prepared
        What was found and fetched.
    keep : collection of str
        Names of staging folders that a commit still needs, since it was begun and not finished.
    """
    for staged in prepared.staged:
        if staged.folder.name not in keep:
            remove_tree(staged.folder)


def _settle_one(
    store: Store, prepared: Prepared, staged: Staged, *, replace: bool
) -> tuple[Change | None, list[Conflict]]:
    """Commit one version, as far as it is new."""
    if staged.version is None:
        raise IntegrityError(staged.folder, "was staged without a version")
    unit = ObsidRevision(prepared.obsid, staged.version)
    files, conflicts, replaced = conflicts_among(store, unit, staged.files, replace=replace)
    if not files:
        return None, conflicts
    for each in staged.files:
        if each not in files:
            (staged.folder / each.name).unlink()
    links = _links(store, prepared, (staged.version,))
    return commit(store, Plan.of(store, unit, files, staged.folder, replaces=replaced, links=links)), conflicts


def conflicts_among(
    store: Store, unit: Unit, files: Iterable[StagedFile], *, replace: bool
) -> tuple[list[StagedFile], list[Conflict], tuple[str, ...]]:
    """Hold the files of a delivery against those of their unit that are archived.

    Parameters
    ----------
    store : Store
        Where; its lock is held, since a conflict is recorded.
    unit : ObsidRevision or Day
        Which unit.
    files : iterable of StagedFile
        What was delivered of it.
    replace : bool
        Whether a file that comes with other bytes takes the archived one's place.

    Returns
    -------
    files : list of StagedFile
        What is to be placed.
    conflicts : list of Conflict
        What came with other bytes, and is left out.
    replaced : tuple of str
        What came with other bytes, or is indexed and no longer there, and is placed.
    """
    archived = store.archived_files(unit)
    listed = list(files)
    new = [each for each in listed if each.name not in archived]
    gone = [each for each in listed if each.name in archived and not (store.directory(unit) / each.name).is_file()]
    there = [each for each in listed if each not in new and each not in gone]
    other = [each for each in there if not _same(store, unit, each, archived[each.name])]
    if other and not replace:
        _note(store, unit, {each.name: (each.sha256, each.size) for each in other})
    placed = [*gone, *other] if replace else gone
    conflicts = [] if replace else [Conflict(unit=store.name_of(unit), filename=each.name) for each in other]
    files = sorted([*new, *placed], key=lambda each: each.name)
    return files, conflicts, tuple(each.name for each in placed)


def _same(store: Store, unit: Unit, file: StagedFile, sha256: str | None) -> bool:
    """Say whether an archived file has the same bytes; one that other tools archived is read for it."""
    return file.sha256 == (sha256_of(store.directory(unit) / file.name) if sha256 is None else sha256)


def _note(store: Store, unit: Unit, files: dict[str, tuple[str, int]]) -> None:
    """Record conflicts, once."""
    name = store.name_of(unit)
    rows = store.index.select_ours("SELECT filename, sha256 FROM aca_conflicts WHERE unit = ?", (name,))
    known = {(row["filename"], row["sha256"]) for row in rows}
    records = [
        {"unit": name, "filename": each, "sha256": sha256, "size": size, "seen": time.time()}
        for each, (sha256, size) in files.items()
        if (each, sha256) not in known
    ]
    if records:
        with store.index.writing() as database:
            database.table("aca_conflicts").insert_all(records, replace=True)


def _links(store: Store, prepared: Prepared, coming: Iterable[int]) -> Links:
    """Return where the links of an obsid shall lead: as the retriever says, and only to what is archived."""
    there = {*archived_revisions(store, prepared.obsid), *coming}
    released = prepared.released if prepared.released in there else None
    if prepared.released is not None and released is None:
        # What is released now could not be had: what was released stays the default until it can be.
        released = released_of(store, prepared.obsid)
    # Of a newest version that is not known or could not be had, the link stays as it was.
    newest = prepared.newest if prepared.newest in there else links_of(store, prepared.obsid).newest
    if newest == released or newest not in there:
        newest = None
    return Links(obsid=prepared.obsid, released=released, newest=newest)


def _are_led(store: Store, links: Links) -> bool:
    """Say whether index and links are as they shall be."""
    found = links_of(store, links.obsid)
    return (found.released, found.newest) == (links.released, links.newest) and (
        released_of(store, links.obsid) == links.released
    )
