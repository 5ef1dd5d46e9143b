"""What to fetch next, for products by obsid: new work, what is wanted still, what was provisional, what is asked for.

An update first remembers what is new, in one transaction with the id up to which the catalogue was read; from then on
nothing of it can be forgotten. Each observation is then worked on by itself: one that fails is remembered with its
reason and tried again later, and blocks no other.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future

import attrs

from aca_core.archive.commit import recover
from aca_core.archive.feeds import Feed
from aca_core.archive.items import REFETCH, Item, due, items, mark_committed, mark_failed, want
from aca_core.archive.links import provisional_links
from aca_core.archive.queries import FileQuery, find_rows, revisions_of
from aca_core.archive.revisions import (
    Conflict,
    ObsidTask,
    Prepared,
    Settled,
    archived_revisions,
    prepare,
    settle,
)
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.catalogues import Catalogue, ProcessingRun, Work
from aca_core.changes import Change
from aca_core.errors import AcaError, ConfigError, ConfigProblem, IntegrityError, ProductVersionError, RetrievalError
from aca_core.retrievers import VersionWanted

__all__ = ["STOPS", "Told", "UpdateOptions", "UpdateReport", "planned_items", "untold", "update_obsids"]

_log = logging.getLogger("aca_core")

STOPS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
"""What is wrong with the machine and not with an observation: the update ends, and nothing is held against the item."""


@attrs.frozen(kw_only=True)
class UpdateOptions:
    """What an update is asked to do.

    Attributes
    ----------
    obsid : int or None
        Only this observation; its failure is an error.
    version : {'default', 'last'} or int
        Which version of it.
    rebuild : bool
        Begin again with the first run of the catalogue.
    first_run : bool
        Of an obsid that is not archived yet take the released version, not each one that was ever made.
    retry_failed : bool
        Try all that failed, whatever its time.
    recheck : bool
        Probe again what is archived: releases that were withdrawn are seen only so.
    since : float or None
        With `recheck`, or for products by day: only observations that begin at this time or later, CXC seconds.
    until : float or None
        For products by day: up to which time; now by default.
    replace : bool
        Swap files that come with other bytes than before.
    links_only : bool
        Of the observation that is named, fetch nothing that is not released; let the links follow.
    """

    obsid: int | None = None
    version: VersionWanted = "default"
    rebuild: bool = False
    first_run: bool = False
    retry_failed: bool = False
    recheck: bool = False
    since: float | None = None
    until: float | None = None
    replace: bool = False
    links_only: bool = False


@attrs.define(kw_only=True)
class UpdateReport:
    """What an update did.

    Attributes
    ----------
    product : str
        Name of the product.
    obsids : list of int
        The observations in which anything changed, ascending.
    changes : list of Change
        What was committed.
    failed : list of Item
        What could not be had, with the reason and the time of the next try.
    conflicts : list of Conflict
        Files that came with other bytes than those that are archived.
    notes : list of str
        What else is worth to know.
    undelivered : dict of str to str
        Subscribers that could not take a change, with the reason.
    """

    product: str
    changes: list[Change] = attrs.field(factory=list)
    failed: list[Item] = attrs.field(factory=list)
    conflicts: list[Conflict] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    undelivered: dict[str, str] = attrs.field(factory=dict)

    @property
    def obsids(self) -> list[int]:
        """The observations in which anything changed, ascending."""
        return sorted({change.unit.obsid for change in self.changes if hasattr(change.unit, "obsid")})

    @property
    def is_clean(self) -> bool:
        """Whether nothing needs anybody's attention."""
        return not (self.failed or self.conflicts or self.undelivered)


Told = Callable[[str, int, int], None]
"""Called with what is done, how many items are, and of how many."""


def untold(text: str, done: int, total: int) -> None:
    """Tell nobody."""


def update_obsids(store: Store, feed: Feed, options: UpdateOptions, told: Told = untold) -> UpdateReport:
    """Bring a product by obsid up to date.

    Parameters
    ----------
    store : Store
        Where; its lock is held.
    feed : Feed
        Where deliveries come from.
    options : UpdateOptions
        What is asked for.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    UpdateReport

    Raises
    ------
    AcaError
        The obsid that was named could not be had; or the update as a whole cannot run: no catalogue, no last id.
    OSError
        The disk is full, for example.
    """
    report = UpdateReport(product=store.product.name)
    report.notes += recover(store)
    run = _Update(store, feed, options, report, told)
    if options.obsid is not None:
        run.one(options.obsid)
    else:
        run.all()
    return report


def planned_items(store: Store, feed: Feed, options: UpdateOptions) -> list[Item]:
    """Return what an update would work on, without doing or writing anything.

    Parameters
    ----------
    store, feed, options
        As for `update_obsids`; the lock need not be held.

    Returns
    -------
    list of Item
        New work, and what is due again. What is provisional is not asked for.
    """
    if options.obsid is not None:
        return [Item(name=f"{options.obsid:05d}/{options.version}", obsid=options.obsid)]
    run = _Update(store, feed, options, UpdateReport(product=store.product.name), untold)
    new, _ = run.new_work()
    known = {item.name for item in new}
    return [*new, *(item for item in due(store, retry_failed=options.retry_failed) if item.name not in known)]


@attrs.frozen
class _Update:
    """One update as it runs."""

    store: Store
    feed: Feed
    options: UpdateOptions
    report: UpdateReport
    told: Told

    # ---- what is to be done -----------------------------------------------------------------------------------------

    def one(self, obsid: int) -> None:
        """Fetch one version of one observation, as somebody asked for it."""
        item = Item(name=f"{obsid:05d}/{self.options.version}", obsid=obsid)
        prepared = prepare(self._task(obsid, () if self.options.links_only else (item.version,)))
        if prepared.problems:
            raise prepared.problems[0].error
        self._settle(prepared, [] if self.options.links_only else [item])

    def all(self) -> None:
        """Do what is new and due, then look at what is provisional, then at what is to be rechecked."""
        new, last_id = self.new_work()
        want(self.store, new, last_id)
        if last_id is not None:
            self.store.set_last_id_file(last_id)
        todo = due(self.store, retry_failed=self.options.retry_failed)
        with self.feed.workers.executor() as executor:
            self._work(executor, list(_by_obsid(todo).items()))
            done = set(_by_obsid(todo))
            self._work_on(executor, self._provisional(done))
            if self.options.recheck:
                self._work_on(executor, self._archived(done))

    def new_work(self) -> tuple[list[Item], int | None]:
        """Return the runs that were not seen, as items, and the greatest id among them and before."""
        catalogue, work = self._catalogue()
        last = self._last_id()
        runs = list(catalogue.new_work(work, last))
        known = {item.name for item in items(self.store)} if self.options.rebuild else set()
        wanted = {}
        for run in runs:
            item = self._item(run)
            if item is not None and item.name not in known:
                wanted[item.name] = item
        return list(wanted.values()), max([last, *(run.id for run in runs)])

    def _item(self, run: ProcessingRun) -> Item | None:
        """Return what a run asks for; None where a first run has it already."""
        version: VersionWanted = run.revision
        if self.options.first_run:
            have = revisions_of(self.store, run.obsid)
            if have and max(have) >= run.revision:
                return None
            version = run.revision if have else "default"
        return Item(name=f"{run.obsid:05d}/{version}", obsid=run.obsid, run_id=run.id)

    def _catalogue(self) -> tuple[Catalogue, Work]:
        product, catalogue = self.store.product, self.feed.catalogue
        if catalogue is None:
            problem = f"names no catalogue, so that nobody says what is new of {product.name}"
            text = f'{problem}; set catalogue = "…", or name one observation with --obsid'
            raise ConfigError([ConfigProblem("configuration", f"sets.{self.feed.name}", text)])
        if product.work is None:
            raise ConfigError(
                [ConfigProblem("plugins", product.name, "declares no work in a catalogue; name obsids with --obsid")]
            )
        return catalogue, product.work

    def _last_id(self) -> int:
        """Return up to which run the catalogue was read; 0 for an archive with nothing in it."""
        if self.options.rebuild:
            return 0
        state = self.store.index.state("last_id")
        if state is not None:
            return int(state)
        path = self.store.folder / LAST_ID_FILE
        if path.is_file():
            text = path.read_text(encoding="ascii", errors="replace").strip()
            if text.isdigit():
                return int(text)
            raise IntegrityError(path, f"is {text[:40]!r}; expected one whole number, the last id that was processed")
        if self.store.index.select("SELECT 1 FROM archfiles LIMIT 1"):
            problem = "is not there, although something is archived; put the last id into it"
            raise IntegrityError(path, f"{problem}, or begin again with the first run: --rebuild")
        return 0

    def _provisional(self, done: set[int]) -> Iterator[ObsidTask]:
        """Yield tasks for what is provisional, and may have been released or superseded since."""
        catalogue, work = self._catalogue()
        for obsid, revision in list(provisional_links(self.store)):
            if obsid in done or obsid in self.feed.bad_obsids or revision is None:
                continue
            try:
                eligible = self._is_judged(catalogue, work, obsid, revision)
            except RetrievalError as error:
                self._fail([Item(name=f"{obsid:05d}/default", obsid=obsid)], error)
                continue
            if eligible:
                yield self._task(obsid, ("default",), only_if_moved=revision)

    def _is_judged(self, catalogue: Catalogue, work: Work, obsid: int, revision: int) -> bool:
        """Say whether a provisional version was judged, so that it is worth to ask for a released one."""
        runs = list(catalogue.runs(work, obsid, obi=self._obi(obsid), revision=revision))
        if len(runs) != 1:
            listed = "none" if not runs else f"{len(runs)}"
            self._note(f"obsid {obsid}: expected one run of version {revision} in {work.table}, and there is {listed}")
            return False
        quality = runs[0].quality
        if work.reviewed_as_science:
            qualities = catalogue.science_qualities(work, runs[0])
            if any(each != "P" for each in qualities):
                quality = "X"
            elif not qualities:
                if catalogue.target_status(obsid) == "discarded":
                    return False
                quality = "X"
        return quality != "P"

    def _archived(self, done: set[int]) -> Iterator[ObsidTask]:
        """Yield tasks that only lead the links, for what is archived."""
        query = FileQuery(revision="all")
        if self.options.since is not None:
            query = FileQuery(revision="all", start=self.options.since, stop=float("inf"))
        rows = find_rows(self.store, query, ["obsid", "tstart"])
        since = self.options.since
        obsids = {row["obsid"] for row in rows if since is None or (row["tstart"] or 0.0) >= since}
        for obsid in sorted(obsids - done):
            yield self._task(obsid, ())

    # ---- doing it ---------------------------------------------------------------------------------------------------

    def _work(self, executor: Executor, todo: Sequence[tuple[int, list[Item]]]) -> None:
        """Prepare observations wherever there are workers, and settle them here, in their order."""
        total, place = len(todo), 0
        ahead = max(1, self.feed.workers.jobs) * 2
        waiting: list[tuple[int, list[Item], Future[Prepared]]] = []
        for obsid, mine in [*todo, *([(-1, [])] * ahead)]:
            if obsid >= 0:
                task = self._task(obsid, tuple(item.version for item in mine))
                again = frozenset(int(item.version) for item in mine if item.reason == REFETCH)
                task = attrs.evolve(task, again=again)
                waiting.append((obsid, mine, executor.submit(prepare, task)))
            if waiting and (len(waiting) >= ahead or obsid < 0):
                first, its, future = waiting.pop(0)
                place += 1
                self._await(first, its, future)
                self.told(f"obsid {first}", place, total)

    def _work_on(self, executor: Executor, tasks: Iterable[ObsidTask]) -> None:
        """Do the same for tasks that nobody has asked for by item."""
        for task in tasks:
            mine = [Item(name=f"{task.obsid:05d}/{version}", obsid=task.obsid) for version in task.wanted]
            self._await(task.obsid, mine, executor.submit(prepare, task), asked_for=False)
            self.told(f"obsid {task.obsid}", 0, 0)

    def _await(self, obsid: int, mine: list[Item], future: Future[Prepared], *, asked_for: bool = True) -> None:
        """Take one observation over from its worker; what is wrong with it is recorded and blocks no other."""
        try:
            prepared = future.result()
            if not asked_for:
                prepared = self._without_absent(prepared)
            self._settle(prepared, mine)
        except (AcaError, OSError) as error:
            if isinstance(error, OSError) and error.errno in STOPS:
                raise
            self._fail(mine or [Item(name=f"{obsid:05d}/default", obsid=obsid)], error)

    def _without_absent(self, prepared: Prepared) -> Prepared:
        """Leave out that there is no released version yet, where nobody has said that there must be one."""
        absent = [each for each in prepared.problems if isinstance(each.error, ProductVersionError)]
        for problem in absent:
            self._note(str(problem.error))
        return attrs.evolve(prepared, problems=tuple(each for each in prepared.problems if each not in absent))

    def _settle(self, prepared: Prepared, mine: list[Item]) -> None:
        if prepared.idle:
            return
        settled: Settled = settle(self.store, prepared, replace=self.options.replace)
        self.report.changes += settled.changes
        self.report.conflicts += settled.conflicts
        for conflict in settled.conflicts:
            self._note(f"{conflict} came with other bytes than those that are archived; --replace would swap it")
        problems = {problem.wanted: problem for problem in prepared.problems}
        for problem in prepared.problems:
            item = next((each for each in mine if each.version == problem.wanted), None)
            name = f"{prepared.obsid:05d}/{problem.wanted}"
            self._fail([item or Item(name=name, obsid=prepared.obsid)], problem.error)
        mark_committed(self.store, [item for item in mine if item.version not in problems])

    def _fail(self, mine: Iterable[Item], error: AcaError | OSError) -> None:
        permanent = isinstance(error, RetrievalError) and error.permanent
        for item in mine:
            failed = mark_failed(self.store, item, " ".join(str(error).split()), permanent=permanent)
            self.report.failed.append(failed)
            _log.warning("%s %s failed: %s", self.store.product.name, item.name, failed.reason)

    def _task(self, obsid: int, wanted: tuple[VersionWanted, ...], only_if_moved: int | None = None) -> ObsidTask:
        return ObsidTask(
            product=self.store.product,
            obsid=obsid,
            obi=self._obi(obsid),
            wanted=wanted,
            archived=frozenset(archived_revisions(self.store, obsid)),
            retriever=self.feed.retriever,
            rules=self.feed.rules,
            staging=self.store.staging / f"{obsid:05d}",
            only_if_moved=only_if_moved,
            recheck=self.store.product.recheck or self.options.replace,
        )

    def _obi(self, obsid: int) -> int | None:
        """Return the smallest observation interval of an obsid that has several: only that one is archived."""
        if self.feed.catalogue is None:
            return None
        obis = self.feed.catalogue.obis(obsid)
        if not obis:
            _log.info("obsid %d has no observation interval in the catalogue; all of it is asked for", obsid)
        return min(obis) if len(obis) > 1 else None

    def _note(self, text: str) -> None:
        _log.warning("%s: %s", self.store.product.name, text)
        self.report.notes.append(text)


def _by_obsid(todo: Iterable[Item]) -> dict[int, list[Item]]:
    """Return items by their observation, each with its versions in the order of their runs."""
    found: dict[int, list[Item]] = {}
    for item in todo:
        if item.obsid is not None:
            found.setdefault(item.obsid, []).append(item)
    return found
