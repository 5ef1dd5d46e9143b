"""What to fetch next, for products by day: from where the archive ends, some days at a time, then what is missing.

A delivered file is held against those of its group that are there already (`Supersession`): a newer version takes the
place of an older one, an older one is left out, and a file that overlaps newer and older ones alike is put aside and
told. The files of a delivery have nothing to do with each other: one that is damaged keeps no other out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from aca_core.archive._disk import move, remove_tree, replace_text, sync_folder
from aca_core.archive.asking import CheckedCatalogue
from aca_core.archive.commit import Plan, commit, is_of_the_machine, recover
from aca_core.archive.feeds import Feed
from aca_core.archive.index import TABLE
from aca_core.archive.items import Item, due, items, mark_committed, stored
from aca_core.archive.queries import FileQuery, ends_of_groups, find_rows
from aca_core.archive.reports import Told, UpdateOptions, UpdateReport
from aca_core.archive.revisions import conflicts_among
from aca_core.archive.staging import Staged, StagedFile, stage
from aca_core.archive.store import Store
from aca_core.archive.words import words_for
from aca_core.columns import FileFacts, FromName
from aca_core.errors import AcaError, ConfigError, ConfigProblem, IntegrityError, RetrievalError
from aca_core.layouts import Unit
from aca_core.retrievers import FileRequest, TimeRequest

__all__ = ["planned_days", "update_days"]

_log = logging.getLogger("aca_core")

_CHECKED_FILE: Final = "last_timestamp.txt"
"""For older tools: up to when the list of ingested files was checked."""

_RANGE: Final = "time "
"""What the name of an item begins with that is a range of time; the rest is its first midnight, CXC seconds."""

_FILE: Final = "file "
"""What the name of an item begins with that is a single file."""


def update_days(store: Store, feed: Feed, options: UpdateOptions, told: Told) -> UpdateReport:
    """Bring a product by day up to date.

    Parameters
    ----------
    store : Store
        Where; its lock is held.
    feed : Feed
        Where deliveries come from.
    options : UpdateOptions
        ``since``, ``until``, ``retry_failed`` and ``replace`` matter.
    told : callable
        Called as the work goes on.

    Returns
    -------
    UpdateReport

    Raises
    ------
    ConfigError
        Nothing is archived yet and no start is given; or an obsid was named.
    OSError
        The disk is full, for example.
    """
    if options.obsid is not None:
        text = "is laid out by day and cannot be asked for by obsid; give a range of time with --since and --until"
        raise ConfigError([ConfigProblem("argument", store.product.name, text)])
    report = UpdateReport(product=store.product.name)
    report.notes += recover(store)
    run = _Days(store, feed, options, report)
    ranges = run.ranges()
    for number, (item, start, stop) in enumerate(ranges, start=1):
        run.take_in(item, TimeRequest(product=store.product, start=start, stop=stop))
        told(words_for(item), number, len(ranges))
    missing = run.missing()
    for number, item in enumerate(missing, start=1):
        run.take_in_file(item)
        told(words_for(item), number, len(missing))
    run.note_checked()
    return report


def planned_days(store: Store, feed: Feed, options: UpdateOptions) -> list[Item]:
    """Return what an update would ask for, without doing or writing anything.

    Parameters
    ----------
    store, feed, options
        As for `update_days`; the lock need not be held.

    Returns
    -------
    list of Item
        Ranges of time, then single files that are missing.
    """
    run = _Days(store, feed, options, UpdateReport(product=store.product.name))
    return [*(item for item, _, _ in run.ranges()), *run.missing()]


@attrs.define
class _Days:
    """One update as it runs."""

    store: Store
    feed: Feed
    options: UpdateOptions
    report: UpdateReport
    checked: float | None = None

    # ---- what is to be done -----------------------------------------------------------------------------------------

    def ranges(self) -> list[tuple[Item, float, float]]:
        """Return the ranges of time to ask for: those that failed and are due, and from where the archive ends."""
        from aca_core.dates import day_end, day_start, to_secs

        until = float(to_secs()) if self.options.until is None else self.options.until
        begin, end = float(day_start(self._start())), float(day_end(until))
        found = {float(item.name.removeprefix(_RANGE)): item for item in self._due(_RANGE)}
        while begin < end:
            found.setdefault(begin, Item(name=f"{_RANGE}{begin:.3f}"))
            begin = self._stop(begin, end)
        # A delivery is cut elsewhere than at midnight, so some more is asked for on each side.
        margin = self.store.product.window.margin
        return [(found[start], start - margin, self._stop(start, end) + margin) for start in sorted(found)]

    def _stop(self, begin: float, end: float) -> float:
        """Return where a range ends that begins at a midnight: some days on, or at the end of all."""
        from aca_core.dates import day_end

        stop = begin
        for _ in range(self.store.product.window.days):
            stop = float(day_end(stop))
        return max(min(stop, end), float(day_end(begin)))

    def _due(self, prefix: str) -> list[Item]:
        """Return the items of one kind that failed, or were wanted, and whose time it is."""
        return [
            item for item in due(self.store, retry_failed=self.options.retry_failed) if item.name.startswith(prefix)
        ]

    def missing(self) -> list[Item]:
        """Return the files to ask for by name: those that are due, and those that were ingested and are not here."""
        found = self._due(_FILE)
        if self.feed.catalogue is None:
            return found
        known = {item.name for item in items(self.store, "wanted", "failed")}
        state = self.store.index.state("ingested_to")
        after = self._start() if state is None else float(state)
        try:
            listed = CheckedCatalogue(self.feed.catalogue).ingested_files(self.store.product.name, after)
        except RetrievalError as error:  # the list is read again next time, from the same place
            _log.warning("%s: %s", self.store.product.name, error)
            self.report.notes.append(str(error))
            return found
        for each in listed:
            self.checked = max(each.ingested, self.checked or each.ingested)
            name = f"{_FILE}{each.filename}"
            if name not in known and self._is_ours(each.filename) and not self._has(each.filename):
                found.append(Item(name=name))
        return found

    def note_checked(self) -> None:
        """Remember up to when the list of ingested files was checked; what could not be had is remembered by name."""
        state = self.store.index.state("ingested_to")
        if self.checked is not None and state != repr(self.checked):
            state = repr(self.checked)
            with self.store.index.writing() as database:
                database.table("aca_state").upsert({"key": "ingested_to", "value": state}, pk="key")
        if state is not None:
            self._set_checked_file(float(state))

    def _set_checked_file(self, checked: float) -> None:
        """Let the file say what the index says, also where whoever wrote the index was interrupted."""
        from aca_core.dates import to_date

        path, text = self.store.folder / _CHECKED_FILE, f"{to_date(checked)}\n"
        if not path.is_file() or path.read_bytes() != text.encode():
            replace_text(path, text)

    def _start(self) -> float:
        """Return where the archive ends: of the groups, such as slots, the one that ends first."""
        if self.options.since is not None:
            return self.options.since
        rule = self.store.product.supersedes
        ends = ends_of_groups(self.store, () if rule is None else rule.group)
        if not ends:
            text = "has nothing archived yet, so where to begin is not known; say so with --since DATE"
            raise ConfigError([ConfigProblem("argument", self.store.product.name, text)])
        return min(ends.values())

    def _is_ours(self, name: str) -> bool:
        return self.store.product.takes(name) or self.store.product.takes(f"{name}.gz")

    def _has(self, name: str) -> bool:
        """Say whether a file, or any version of it, is archived."""
        plain = name.removesuffix(".gz")
        sql = f"SELECT 1 FROM {TABLE} WHERE filename IN (?, ?)"  # noqa: S608  # a constant of ours
        if self.store.index.select(sql, (plain, f"{plain}.gz")):
            return True
        rule, time = self.store.product.supersedes, re.search(r"\d{9,}", plain, re.ASCII)
        columns = {column.name: column for column in self.store.product.schema}
        if rule is None or time is None or "filetime" not in columns:
            return False
        values = {"filetime": int(time[0])}
        for each in rule.group:
            if not isinstance(columns[each].source, FromName):
                return False
            found = columns[each].source.find(FileFacts(plain, {}))
            values[each] = int(found) if columns[each].type == "int" and found else found
        where = " AND ".join(f"{column} IS ?" for column in values)
        sql = f"SELECT 1 FROM {TABLE} WHERE {where}"  # noqa: S608  # names of columns
        return bool(self.store.index.select(sql, list(values.values())))

    # ---- doing it ---------------------------------------------------------------------------------------------------

    def take_in_file(self, item: Item) -> None:
        """Fetch one file by its name."""
        try:
            request = FileRequest(product=self.store.product, filename=item.name.removeprefix(_FILE))
        except AcaError as error:  # a catalogue may list anything
            self._fail(item, error, permanent=True)
        else:
            self.take_in(item, request)

    def take_in(self, item: Item, request: TimeRequest | FileRequest) -> None:
        """Fetch a request and archive what is new in it; what is wrong is recorded and blocks nothing else."""
        folder = self.store.staging_folder()
        try:
            staged = stage(request, self.feed.retriever, folder, self.feed.rules)
            if isinstance(request, FileRequest) and not staged.files and not staged.refused:
                raise RetrievalError(self.feed.retriever.name, request, "it was listed, and nothing came")
            self._commit(staged)
            self._settle(staged)
            for error in staged.refused:
                self._fail(Item(name=f"{_FILE}{error.path.rpartition('/')[2]}"), error)
            if stored(self.store, item.name) and not (isinstance(request, FileRequest) and staged.refused):
                mark_committed(self.store, [item])
        except (AcaError, OSError) as error:
            if is_of_the_machine(error):
                raise
            self._fail(item, error)
        finally:
            remove_tree(folder)

    def _settle(self, staged: Staged) -> None:
        """Forget that files had failed which are archived by now, whichever request has brought them."""
        failed = {item.name: item for item in items(self.store, "failed") if not item.again}
        came = [failed[name] for file in staged.files if (name := f"{_FILE}{file.name}") in failed]
        if done := [item for item in came if self._is_indexed(item.name.removeprefix(_FILE))]:
            mark_committed(self.store, done)

    def _commit(self, staged: Staged) -> None:
        """Commit what is new, one day after the other."""
        accepted, removes = self._accepted(staged)
        units = {name: self.store.product.layout.unit_of(_row(file)) for name, file in accepted.items()}
        # What several files supersede goes with the last of them: until then there is nothing else of its time.
        last = {pair: max(units[name] for name in removes if pair in removes[name]) for pair in _flat(removes)}
        failed: list[AcaError] = []
        for unit in sorted(set(units.values())):
            files = [accepted[name] for name in sorted(units) if units[name] == unit]
            try:
                self._commit_unit(unit, files, staged, [] if failed else [pair for pair in last if last[pair] == unit])
            except AcaError as error:
                if is_of_the_machine(error):
                    raise
                failed.append(error)
        if failed:
            raise failed[0]

    def _commit_unit(self, unit: Unit, files: list[StagedFile], staged: Staged, removes: list[tuple[str, str]]) -> None:
        new, conflicts, replaced = conflicts_among(self.store, unit, files, replace=self.options.replace)
        self.report.conflicts += conflicts
        for conflict in conflicts:
            self.report.notes.append(f"{conflict} came with other bytes than those that are archived")
        if not new:
            return
        folder = self.store.staging_folder()
        for file in new:
            move(staged.folder / file.name, folder / file.name)
        sync_folder(folder)
        plan = Plan.of(self.store, unit, new, folder, replaces=replaced, removes=tuple(dict.fromkeys(removes)))
        self.report.changes.append(commit(self.store, plan))

    def _accepted(self, staged: Staged) -> tuple[dict[str, StagedFile], dict[str, list[tuple[str, str]]]]:
        """Return the files to archive, and for each the archived ones that it supersedes."""
        accepted: dict[str, StagedFile] = {}
        removes: dict[str, list[tuple[str, str]]] = {}
        for file in staged.files:
            if file.row is None:
                continue  # a companion has no time of its own
            rivals = [] if self._is_indexed(file.name) else self._rivals(file, accepted)
            try:
                superseded = self._superseded(file, rivals)
            except IntegrityError as error:
                self._fail(Item(name=f"{_FILE}{file.name}"), error, permanent=True)
                continue
            if superseded is None:
                _log.info("%s: %s is older than what is archived", self.store.product.name, file.name)
                continue
            for row in superseded:
                if row["filename"] in accepted:
                    removes.setdefault(file.name, []).extend(removes.pop(row["filename"], []))
                    del accepted[row["filename"]]
                else:
                    unit = self.store.name_of(self.store.product.layout.unit_of(row))
                    removes.setdefault(file.name, []).append((unit, row["filename"]))
            accepted[file.name] = file
        # A delivery may have what another file of it supersedes.
        gone = {name for pairs in removes.values() for _, name in pairs}
        return {name: file for name, file in accepted.items() if name not in gone}, removes

    def _is_indexed(self, name: str) -> bool:
        sql = f"SELECT 1 FROM {TABLE} WHERE filename = ?"  # noqa: S608  # a constant of ours
        return bool(self.store.index.select(sql, (name,)))

    def _rivals(self, file: StagedFile, accepted: Mapping[str, StagedFile]) -> list[dict[str, Any]]:
        """Return the rows of a file's group that overlap it, archived or about to be; touching is no overlap."""
        rule, row = self.store.product.supersedes, _row(file)
        if rule is None or None in (row.get("tstart"), row.get("tstop")):
            return []
        query = FileQuery(
            start=float(row["tstart"]),
            stop=float(row["tstop"]),
            where={name: (row[name],) for name in rule.group},
        )
        there = find_rows(self.store, query)
        others = [dict(_row(each)) for each in accepted.values()]
        coming = [
            other
            for other in others
            if all(other[name] == row[name] for name in rule.group)
            and other["tstart"] < row["tstop"]
            and other["tstop"] > row["tstart"]
        ]
        return [*there, *coming]

    def _superseded(self, file: StagedFile, rivals: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
        """Return the rivals that a file takes the place of; None where it is itself superseded.

        Raises
        ------
        IntegrityError
            It is newer than some of them, and not than others.
        """
        rule, row = self.store.product.supersedes, _row(file)
        rivals = list(rivals)
        if rule is None or not rivals:
            return []
        same = [rival for rival in rivals if all(rival[name] == row[name] for name in rule.same)]
        judged = same or rivals
        mine = row[rule.by]
        verdicts = {(rival[rule.by] or 0) - (mine or 0) for rival in judged}
        if all(difference < 0 for difference in verdicts):
            return judged
        if all(difference == 0 for difference in verdicts):
            return None if same else []
        if all(difference >= 0 for difference in verdicts) and 0 not in verdicts:
            return None
        listed = ", ".join(f"{rival['filename']} ({rule.by} {rival[rule.by]})" for rival in judged)
        problem = f"overlaps files of several versions, {listed}, with {rule.by} {mine} of its own"
        raise IntegrityError(file.name, f"{problem}; it was not archived, look at these files and retry it")

    def _fail(self, item: Item, error: AcaError | OSError, *, permanent: bool = False) -> None:
        known = next((each for each in items(self.store, "failed") if each.name == item.name), item)
        self.report.fail(self.store, known, error, permanent=permanent)


def _flat(removes: Mapping[str, Iterable[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return each file that is superseded once."""
    return list(dict.fromkeys(pair for pairs in removes.values() for pair in pairs))


def _row(file: StagedFile) -> Mapping[str, Any]:
    """Return the index row of a file that is indexed."""
    return file.row or {}
