"""What to fetch next, for products by day: from where the archive ends, some days at a time, then what is missing.

A delivered file is held against those of its group that are there already (`Supersession`): a newer version takes the
place of an older one, an older one is left out, and a file that overlaps newer and older ones alike is put aside and
told. The files of a delivery have nothing to do with each other: one that is damaged keeps no other out.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from aca_core.archive._disk import move, remove_tree, replace_text, sync_folder
from aca_core.archive.commit import Plan, commit, recover
from aca_core.archive.feeds import Feed
from aca_core.archive.index import TABLE
from aca_core.archive.items import Item, due, items, mark_committed
from aca_core.archive.queries import FileQuery, find_rows
from aca_core.archive.reports import STOPS, Told, UpdateOptions, UpdateReport
from aca_core.archive.revisions import conflicts_among
from aca_core.archive.staging import Staged, StagedFile, stage
from aca_core.archive.store import Store
from aca_core.columns import FileFacts, FromName
from aca_core.errors import AcaError, ConfigError, ConfigProblem, IntegrityError, RetrievalError
from aca_core.layouts import Unit
from aca_core.retrievers import FileRequest, TimeRequest

__all__ = ["planned_days", "update_days"]

_log = logging.getLogger("aca_core")

_CHECKED_FILE: Final = "last_timestamp.txt"
"""For older tools: up to when the list of ingested files was checked."""

Verdict = Literal["take", "skip"]


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
    ranges = [*run.retries(), *run.ranges()]
    for number, (item, start, stop) in enumerate(ranges, start=1):
        run.take_in(item, TimeRequest(product=store.product, start=start, stop=stop))
        told(item.name, number, len(ranges))
    missing = list(run.missing())
    for number, item in enumerate(missing, start=1):
        run.take_in(item, FileRequest(product=store.product, filename=item.name.removeprefix("file ")))
        told(item.name, number, len(missing))
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
    return [*(item for item, _, _ in (*run.retries(), *run.ranges())), *run.missing()]


@attrs.define
class _Days:
    """One update as it runs."""

    store: Store
    feed: Feed
    options: UpdateOptions
    report: UpdateReport
    checked: float | None = None

    # ---- what is to be done -----------------------------------------------------------------------------------------

    def ranges(self) -> Iterator[tuple[Item, float, float]]:
        """Yield the ranges of time to ask for, with some more on each side, since a delivery is cut elsewhere."""
        from aca_core.dates import day_end, day_start, to_secs

        window = self.store.product.window
        until = float(to_secs()) if self.options.until is None else self.options.until
        begin, end = float(day_start(self._start())), float(day_end(until))
        while begin < end:
            stop = begin
            for _ in range(window.days):
                stop = min(float(day_end(stop)), end)
            item = Item(name=f"time {begin - window.margin:.3f} {stop + window.margin:.3f}")
            yield item, begin - window.margin, stop + window.margin
            begin = stop

    def retries(self) -> Iterator[tuple[Item, float, float]]:
        """Yield the ranges that failed before and are due."""
        for item in due(self.store, retry_failed=self.options.retry_failed):
            match = re.fullmatch(r"time (\S+) (\S+)", item.name)
            if match is not None:
                yield item, float(match[1]), float(match[2])

    def missing(self) -> Iterator[Item]:
        """Yield the files that the archive lacks although they were ingested centrally, and those that are due."""
        yield from (item for item in due(self.store, retry_failed=self.options.retry_failed) if item.obsid is None
                    and item.name.startswith("file "))  # fmt: skip
        catalogue = self.feed.catalogue
        if catalogue is None:
            return
        known = {item.name for item in items(self.store, "wanted", "failed")}
        state = self.store.index.state("ingested_to")
        after = self._start() if state is None else float(state)
        for listed in catalogue.ingested_files(self.store.product.name, after):
            self.checked = max(listed.ingested, self.checked or listed.ingested)
            name = f"file {listed.filename}"
            if name not in known and self._is_ours(listed.filename) and not self._has(listed.filename):
                yield Item(name=name)

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
        group = f" GROUP BY {', '.join(rule.group)}" if rule is not None and rule.group else ""
        # Names of columns, which the declaration was checked to have.
        sql = f"SELECT min(last) AS start FROM (SELECT max(tstop) AS last FROM {TABLE}{group})"  # noqa: S608
        rows = self.store.index.select(sql)
        if not rows or rows[0]["start"] is None:
            text = "has nothing archived yet, so where to begin is not known; say so with --since DATE"
            raise ConfigError([ConfigProblem("argument", self.store.product.name, text)])
        return float(rows[0]["start"])

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

    def take_in(self, item: Item, request: TimeRequest | FileRequest) -> None:
        """Fetch a request and archive what is new in it; what is wrong is recorded and blocks nothing else."""
        folder = self.store.staging_folder()
        try:
            staged = stage(request, self.feed.retriever, folder, self.feed.rules)
            if isinstance(request, FileRequest) and not staged.files and not staged.refused:
                raise RetrievalError(self.feed.retriever.name, request, "it was listed, and nothing came")
            self._commit(staged)
            for error in staged.refused:
                self._fail(Item(name=f"file {error.path.rpartition('/')[2]}"), error)
            if item.state == "failed" and not (isinstance(request, FileRequest) and staged.refused):
                mark_committed(self.store, [item])
        except (AcaError, OSError) as error:
            if isinstance(error, OSError) and error.errno in STOPS:
                raise
            self._fail(item, error)
        finally:
            remove_tree(folder)

    def _commit(self, staged: Staged) -> None:
        """Commit what is new, one day after the other."""
        accepted, removes = self._accepted(staged)
        units = {name: self.store.product.layout.unit_of(_row(file)) for name, file in accepted.items()}
        gone: set[tuple[str, str]] = set()  # what files of two days supersede goes with the first
        for unit in sorted(set(units.values())):
            files = [accepted[name] for name in sorted(units) if units[name] == unit]
            pairs = [pair for file in files for pair in removes.get(file.name, ()) if pair not in gone]
            self._commit_unit(unit, files, staged, pairs)
            gone.update(pairs)

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
                self._fail(Item(name=f"file {file.name}"), error, permanent=True)
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


def _row(file: StagedFile) -> Mapping[str, Any]:
    """Return the index row of a file that is indexed."""
    return file.row or {}
