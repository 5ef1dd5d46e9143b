"""What to fetch next, for products by obsid: new work, what is wanted still, what was provisional, what is asked for.

An update first remembers what is new, in one transaction with the id up to which the catalogue was read; from then on
nothing of it can be forgotten. Each observation is then worked on by itself: one that fails is remembered with its
reason and tried again later, and blocks no other.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path

import attrs

from aca_core.archive.asking import CheckedCatalogue
from aca_core.archive.commit import is_of_the_machine, recover
from aca_core.archive.feeds import Feed
from aca_core.archive.items import Item, due, forget, items, mark_committed, stored, want
from aca_core.archive.queries import archived_obsids, obsids_of_others, provisional, revisions_of
from aca_core.archive.reports import Told, UpdateOptions, UpdateReport, untold
from aca_core.archive.revisions import (
    ObsidTask,
    Prepared,
    Problem,
    Settled,
    archived_revisions,
    discard,
    prepare,
    settle,
)
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.catalogues import ProcessingRun, Work
from aca_core.errors import (
    AcaError,
    ConfigError,
    ConfigProblem,
    IntegrityError,
    ProductVersionError,
    RetrievalError,
)
from aca_core.retrievers import VersionWanted

__all__ = ["planned_items", "update_obsids"]

_log = logging.getLogger("aca_core")


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
class _Job:
    """A task, the items that it is to satisfy, and whether anybody has asked for these."""

    task: ObsidTask
    items: list[Item]
    asked_for: bool = True


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
        name = f"{obsid:05d}/{self.options.version}"
        item = stored(self.store, name) or Item(name=name, obsid=obsid)
        task = self._task(obsid, () if self.options.links_only else (item.version,))
        again = {each.version for each in items(self.store, obsid=obsid) if each.again}
        task = attrs.evolve(task, again=frozenset(version for version in again if isinstance(version, int)))
        prepared = prepare(task)
        mine = [] if self.options.links_only else [item]
        for problem in prepared.problems:
            if mine and problem.wanted == item.version:
                discard(prepared)
                raise problem.error
        for problem in self._settle(prepared, mine):
            if mine and problem.wanted == item.version:
                raise problem.error

    def all(self) -> None:
        """Do what is new and due, then look at what is provisional, then at what is to be rechecked."""
        new, last_id = self.new_work()
        want(self.store, new, last_id)
        if last_id is not None:
            self.store.set_last_id_file(last_id)
        todo = due(self.store, retry_failed=self.options.retry_failed)
        with self.feed.workers.executor() as executor:
            asked = _by_obsid(todo)
            self._work(executor, self._asked_for(asked), len(asked))
            self._work(executor, self._provisional(set(asked)))
            if self.options.recheck or self.options.rebuild:
                self._work(executor, self._archived(set(asked)))

    def new_work(self) -> tuple[list[Item], int | None]:
        """Return the runs that were not seen, as items, and the greatest id among them and before."""
        catalogue, work = self._catalogue()
        last = self._last_id()
        runs = catalogue.new_work(work, last)
        known = {item.name for item in items(self.store)} if self.options.rebuild else set()
        wanted: dict[str, Item] = {}
        for run in runs:
            for item in self._items(run):
                if item.name not in known:
                    wanted.setdefault(item.name, item)
        return list(wanted.values()), max([last, *(run.id for run in runs)])

    def _items(self, run: ProcessingRun) -> Iterator[Item]:
        """Yield what a run asks for; a first run takes the released version, and of the others the newer ones."""
        if self.options.first_run:
            have = revisions_of(self.store, run.obsid)
            if have and max(have) >= run.revision:
                return
            if not have:
                yield Item(name=f"{run.obsid:05d}/default", obsid=run.obsid, run_id=run.id)
        yield Item(name=f"{run.obsid:05d}/{run.revision}", obsid=run.obsid, run_id=run.id)

    def _catalogue(self) -> tuple[CheckedCatalogue, Work]:
        """Return the catalogue and where it lists the product's runs."""
        product, catalogue = self.store.product, self.feed.catalogue
        if catalogue is None:
            problem = f"names no catalogue, so that nobody says what is new of {product.name}"
            text = f'{problem}; set catalogue = "…", or name one observation with --obsid'
            raise ConfigError([ConfigProblem("configuration", f"sets.{self.feed.name}", text)])
        if product.work is None:
            problem = "declares no work (the catalogue's table of its runs), so no catalogue says what is new of it"
            text = f"{problem}; its author adds work=Work(table=…, id=…), and until then name obsids with --obsid"
            raise ConfigError([ConfigProblem("plugins", product.name, text)])
        return CheckedCatalogue(catalogue), product.work

    def _last_id(self) -> int:
        """Return up to which run the catalogue was read; 0 for an archive with nothing in it."""
        if self.options.rebuild:
            return 0
        state, path = self.store.index.state("last_id"), self.store.folder / LAST_ID_FILE
        if state is not None:
            return int(state)
        if path.is_file():
            return self._last_id_in(path)
        if obsids_of_others(self.store):
            problem = "is not there, although other tools have archived something; put the last id into it"
            raise IntegrityError(path, f"{problem}, or begin again with the first run: --rebuild")
        return 0

    def _last_id_in(self, path: Path) -> int:
        """Return what the file of older tools says."""
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if not text.isdigit():
            raise IntegrityError(path, f"is {text[:40]!r}; expected one whole number, the last id that was processed")
        if self.store.index.select("SELECT 1 FROM archfiles LIMIT 1"):
            return int(text)
        if lost := sorted(self.store.folder.glob("[0-9][0-9]/?????_v*")):
            problem = f"is empty, although there is {lost[0]}: it was lost"
            raise IntegrityError(self.store.index.path, f"{problem}; put it back, or fetch everything with --rebuild")
        return int(text)

    def _asked_for(self, asked: Mapping[int, list[Item]]) -> Iterator[_Job]:
        """Yield what was asked for, observation by observation."""
        for obsid, mine in asked.items():
            try:
                task = self._task(obsid, tuple(item.version for item in mine))
            except AcaError as error:
                self._fail(mine, error)
                continue
            again = frozenset(item.version for item in mine if item.again and isinstance(item.version, int))
            yield _Job(attrs.evolve(task, again=again), mine)

    def _provisional(self, done: set[int]) -> Iterator[_Job]:
        """Yield tasks for what is provisional, and may have been released or superseded since."""
        catalogue, work = self._catalogue()
        waiting = {item.obsid for item in items(self.store, "failed")}  # they are asked for when it is their time
        for obsid, revision in provisional(self.store):
            if obsid in done | waiting | self.feed.bad_obsids:
                continue
            mine = [Item(name=f"{obsid:05d}/default", obsid=obsid)]
            try:
                if self._is_judged(catalogue, work, obsid, revision):
                    yield _Job(self._task(obsid, ("default",), only_if_moved=revision), mine, asked_for=False)
            except AcaError as error:
                self._fail(mine, error)

    def _is_judged(self, catalogue: CheckedCatalogue, work: Work, obsid: int, revision: int) -> bool:
        """Say whether a provisional version was judged, so that it is worth to ask for a released one."""
        runs = catalogue.runs(work, obsid, obi=self._obi(obsid), revision=revision)
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

    def _archived(self, done: set[int]) -> Iterator[_Job]:
        """Yield tasks that only lead the links, for what is archived."""
        for obsid in archived_obsids(self.store, self.options.since):
            if obsid in done:
                continue
            try:
                yield _Job(self._task(obsid, ()), [], asked_for=False)
            except AcaError as error:
                self._fail([Item(name=f"{obsid:05d}/default", obsid=obsid)], error)

    # ---- doing it ---------------------------------------------------------------------------------------------------

    def _work(self, executor: Executor, jobs: Iterable[_Job], total: int = 0) -> None:
        """Prepare observations wherever there are workers, a few ahead, and settle them here, in their order."""
        ahead = self.feed.workers.ahead
        waiting: deque[tuple[_Job, Future[Prepared]]] = deque()
        done = itertools.count(1)

        def take() -> None:
            job, future = waiting.popleft()
            before = len(self.report.failed)
            self._await(job, future, executor)
            word = " failed" if len(self.report.failed) > before else ""
            self.told(f"obsid {job.task.obsid}{word}", next(done), total)

        for job in jobs:
            waiting.append((job, executor.submit(prepare, job.task)))
            if len(waiting) >= ahead:
                take()
        while waiting:
            take()

    def _await(self, job: _Job, future: Future[Prepared], executor: Executor) -> None:
        """Take one observation over from its worker; what is wrong with it is recorded and blocks no other."""
        try:
            try:
                prepared = future.result()
            except BrokenExecutor:  # a worker has died, perhaps of another observation: this one by itself
                prepared = _alone(job.task, executor)
            self._settle(*self._without_absent(prepared, job))
        except (AcaError, OSError) as error:
            if is_of_the_machine(error):
                raise
            obsid = job.task.obsid
            self._fail(job.items or [Item(name=f"{obsid:05d}/default", obsid=obsid)], error)

    def _without_absent(self, prepared: Prepared, job: _Job) -> tuple[Prepared, list[Item]]:
        """Leave out that there is no released version yet, where no run has said that there must be one."""
        needed = any(item.version == "default" and item.run_id is not None for item in job.items)
        absent = [
            each
            for each in prepared.problems
            if each.wanted == "default" and isinstance(each.error, ProductVersionError)
        ]
        if not absent or (needed and not self.options.first_run):
            return prepared, job.items
        if not job.asked_for:
            self._note(str(absent[0].error))
        forget(self.store, [item for item in job.items if item.version == "default"])
        problems = tuple(each for each in prepared.problems if each not in absent)
        return attrs.evolve(prepared, problems=problems), [item for item in job.items if item.version != "default"]

    def _settle(self, prepared: Prepared, mine: list[Item]) -> tuple[Problem, ...]:
        """Commit what was prepared, remember what became of the items, and return what went wrong."""
        if prepared.idle:
            return ()
        settled: Settled = settle(self.store, prepared, replace=self.options.replace)
        self.report.changes += settled.changes
        self.report.conflicts += settled.conflicts
        for conflict in settled.conflicts:
            self._note(f"{conflict} came with other bytes than those that are archived; --replace would swap it")
        found = (*prepared.problems, *settled.problems)
        problems = {problem.wanted for problem in found}
        for problem in found:
            item = next((each for each in mine if each.version == problem.wanted), None)
            name = f"{prepared.obsid:05d}/{problem.wanted}"
            self._fail([item or Item(name=name, obsid=prepared.obsid)], problem.error)
        forget(self.store, [item for item in mine if item.version in prepared.left_alone])
        settled_otherwise = problems | set(prepared.left_alone)
        mark_committed(self.store, [item for item in mine if item.version not in settled_otherwise])
        return found

    def _fail(self, mine: Iterable[Item], error: AcaError | OSError) -> None:
        for item in mine:
            self.report.fail(self.store, item, error)

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
            only_newer=self.options.first_run,
        )

    def _obi(self, obsid: int) -> int | None:
        """Return the smallest observation interval of an obsid that has several: only that one is archived."""
        return None if self.feed.catalogue is None else CheckedCatalogue(self.feed.catalogue).smallest_obi(obsid)

    def _note(self, text: str) -> None:
        _log.warning("%s: %s", self.store.product.name, text)
        self.report.notes.append(text)


def _alone(task: ObsidTask, executor: Executor) -> Prepared:
    """Prepare one observation while nothing else is under way."""
    try:
        return executor.submit(prepare, task).result()
    except BrokenExecutor as error:
        request = f"{task.product.name} of obsid {task.obsid}"
        raise RetrievalError(task.retriever.name, request, f"the process that worked on it died: {error}") from error


def _by_obsid(todo: Iterable[Item]) -> dict[int, list[Item]]:
    """Return items by their observation, each with its versions in the order of their runs."""
    found: dict[int, list[Item]] = {}
    for item in todo:
        if item.obsid is not None:
            found.setdefault(item.obsid, []).append(item)
    return found
