"""The catalogue ``file``: answers from one SQLite file, or from a folder of CSV files, one for each table.

Tables and columns are those of the databases in which Chandra's processing is recorded.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from aca_core import (
    Catalogue,
    DateError,
    DeclarationError,
    IngestedFile,
    IntegrityError,
    PlannedStar,
    ProcessingRun,
    RetrievalError,
    Work,
    hookimpl,
    site_option,
)

if TYPE_CHECKING:
    import sqlite3

_Kind: TypeAlias = Literal["whole number", "number", "date", "text"]
_Columns: TypeAlias = Mapping[str, _Kind]

_RUN: Final[_Columns] = {
    "obsid": "whole number",
    "obi": "whole number",
    "revision": "whole number",
    "ap_date": "text",
    "quality": "text",
}
_STAR: Final[_Columns] = {
    "obsid": "whole number",
    "obi": "whole number",
    "slot": "whole number",
    "type": "whole number",
    "id": "whole number",
    "y_ang": "number",
    "z_ang": "number",
}
_INGESTED: Final[_Columns] = {"ingested": "date", "product": "text", "filename": "text"}
_STAR_TYPES: Final[Mapping[int, Literal["guide", "fid", "monitor", "unused"]]] = {
    0: "unused",
    1: "guide",
    2: "fid",
    3: "monitor",
}

_BUSY_SECONDS: Final = 10.0
"""How long to wait for somebody who writes to an SQLite file."""


@attrs.frozen
class _Query:
    """What is asked of one table: columns of the rows in which one of them is `value` or above it.

    That one is a whole number, or, where rows above it are wanted, a date in CXC seconds.
    """

    table: str
    columns: _Columns
    key: str
    value: float
    above: bool = False

    def wants(self, found: float) -> bool:
        return found > self.value if self.above else found == self.value


@attrs.frozen
class _Row:
    """A row of a table, and where to look for it."""

    place: str
    values: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.values[column]


@attrs.frozen(kw_only=True)
class FileCatalogue(Catalogue):
    """What was processed and planned, read from a file that somebody keeps.

    Every question is answered from the file as it is then: a CSV file is read again when its time or its size has
    changed, and an SQLite file is queried, read-only. Columns may stand in any order, beside others.

    ============== ===================================================================== ==========================
    table          columns                                                               question
    ============== ===================================================================== ==========================
    of the work    its id, ``obsid``, ``obi``, ``revision``, ``ap_date``, ``quality``    what is new, and the runs
    obidet_0_5     ``obsid``, ``obi``                                                    the observation intervals
    science_1      the id of the work, such as ``aspect_1_id``; ``science_1_id``         qualities of the science
    science_2_obi  ``science_1_id``, ``science_2_id``                                    the same
    science_2      ``science_2_id``, ``quality``                                         the same
    target         ``obsid``, ``status``                                                 status of the target
    stars          ``obsid``, ``obi``, ``slot``, ``type``, ``id``, ``y_ang``, ``z_ang``  the planned stars
    ingested_files ``product``, ``filename``, ``ingested`` (a date, UTC)                 what was ingested by day
    ============== ===================================================================== ==========================

    Only the table that a product's work names must be there. Without ``obidet_0_5``, ``science_1``, ``target``,
    ``stars`` or ``ingested_files`` the answers that come from them are empty. The intervals of an obsid come from
    ``obidet_0_5`` whatever is asked for, so that no answer depends on the questions before it.

    Attributes
    ----------
    path : Path
        The SQLite file, or the folder with a file ``TABLE.csv`` for each table. A site may set it.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import Work
    >>> folder = Path(tempfile.mkdtemp())
    >>> lines = "aspect_1_id,obsid,obi,revision,ap_date,quality,remark", "12,7000,0,2,2010-09-01,P,synthetic"
    >>> _ = (folder / "aspect_1.csv").write_text(chr(10).join(lines))
    >>> catalogue = FileCatalogue(name="listed", path=folder)
    >>> [run.revision for run in catalogue.new_work(Work(table="aspect_1", id="aspect_1_id"), after=0)]
    [2]
    """

    path: Path = site_option(Path("catalogue"), help="SQLite file, or folder with a file TABLE.csv for each table")

    def new_work(self, work: Work, after: int) -> list[ProcessingRun]:
        """Return the runs with a greater id.

        Parameters
        ----------
        work : Work
            Which table, and its id column.
        after : int
            The greatest id that was seen.

        Returns
        -------
        list of ProcessingRun
            By ascending id.

        Raises
        ------
        RetrievalError
            The file, the table or a column is not there, or a value is not what it must be.
        """
        with self._answering(f"new work in {work.table} after {after}"):
            columns: _Columns = {work.id: "whole number", **_RUN}
            return _runs(self._rows(_Query(work.table, columns, work.id, after, above=True)), work)

    def runs(
        self, work: Work, obsid: int, *, obi: int | None = None, revision: int | None = None
    ) -> list[ProcessingRun]:
        """Return the runs of an obsid.

        Parameters
        ----------
        work : Work
            Which table, and its id column.
        obsid : int
            Which observation.
        obi, revision : int, optional
            Only the runs of this observation interval, and of this version.

        Returns
        -------
        list of ProcessingRun
            By ascending id; empty for an obsid that the table does not have.

        Raises
        ------
        RetrievalError
            As for `new_work`.
        """
        with self._answering(f"runs of obsid {obsid} in {work.table}"):
            columns: _Columns = {work.id: "whole number", **_RUN}
            found = _runs(self._rows(_Query(work.table, columns, "obsid", obsid)), work)
        return [run for run in found if obi in (None, run.obi) and revision in (None, run.revision)]

    def obis(self, obsid: int) -> tuple[int, ...]:
        """Return the numbers of an obsid's observation intervals.

        Parameters
        ----------
        obsid : int
            Which observation.

        Returns
        -------
        tuple of int
            Ascending; empty where ``obidet_0_5`` does not have the obsid.

        Raises
        ------
        RetrievalError
            As for `new_work`.
        """
        with self._answering(f"observation intervals of obsid {obsid}"):
            columns: _Columns = {"obsid": "whole number", "obi": "whole number"}
            rows = self._rows(_Query("obidet_0_5", columns, "obsid", obsid), optional=True)
            return tuple(sorted({row["obi"] for row in rows}))

    def ingested_files(self, product: str, after: float) -> list[IngestedFile]:
        """Return the files of a product by day that were ingested after a time.

        Parameters
        ----------
        product : str
            Its name.
        after : float
            CXC seconds.

        Returns
        -------
        list of IngestedFile
            By time and name; empty without ``ingested_files``.

        Raises
        ------
        RetrievalError
            As for `new_work`.
        """
        with self._answering(f"files of {product} that were ingested after {after}"):
            rows = self._rows(_Query("ingested_files", _INGESTED, "ingested", after, above=True), optional=True)
            return sorted(_ingested(row) for row in rows if row["product"] == product)

    def science_qualities(self, work: Work, run: ProcessingRun) -> tuple[str, ...]:
        """Return the qualities of the science products that were made from a run.

        Parameters
        ----------
        work : Work
            Which table the run is from.
        run : ProcessingRun
            The run.

        Returns
        -------
        tuple of str
            One for each row of ``science_2`` that goes back to the run, by its id; empty where none does, and for work
            that is not reviewed as science.

        Raises
        ------
        RetrievalError
            As for `new_work`; where there is a ``science_1``, the other two tables must be there as well.
        """
        if not work.reviewed_as_science:
            return ()
        with self._answering(f"science made from {work.table} {run.id}"):
            first = self._linked("science_1", work.id, (run.id,), "science_1_id", optional=True)
            second = self._linked("science_2_obi", "science_1_id", first, "science_2_id")
            columns: _Columns = {"science_2_id": "whole number", "quality": "text"}
            queries = (_Query("science_2", columns, "science_2_id", id_) for id_ in second)
            return tuple(row["quality"] for query in queries for row in self._rows(query))

    def target_status(self, obsid: int) -> str | None:
        """Return the status of an observation's target.

        Parameters
        ----------
        obsid : int
            Which observation.

        Returns
        -------
        str or None
            None where ``target`` has none.

        Raises
        ------
        RetrievalError
            As for `new_work`; or the table has several for the obsid.
        """
        with self._answering(f"status of the target of obsid {obsid}"):
            columns: _Columns = {"obsid": "whole number", "status": "text"}
            rows = self._rows(_Query("target", columns, "obsid", obsid), optional=True)
            statuses = sorted({row["status"] for row in rows} - {""})
            if len(statuses) > 1:
                raise IntegrityError(rows[-1].place, f"obsid {obsid} has the statuses {statuses}; expected one")
            return statuses[0] if statuses else None

    def planned_stars(self, obsid: int, obi: int) -> tuple[PlannedStar, ...]:
        """Return the planned star catalogue of an observation interval.

        Parameters
        ----------
        obsid, obi : int
            Which observation, and which of its intervals.

        Returns
        -------
        tuple of PlannedStar
            By slot, with the unused ones that ``stars`` lists; y_ang and z_ang in arcsec.

        Raises
        ------
        RetrievalError
            As for `new_work`; or a type is none of 0 (unused), 1 (guide), 2 (fid) and 3 (monitor).
        """
        with self._answering(f"planned stars of obsid {obsid}, obi {obi}"):
            rows = self._rows(_Query("stars", _STAR, "obsid", obsid), optional=True)
            return tuple(sorted((_star(row) for row in rows if row["obi"] == obi), key=lambda star: star.slot))

    @contextmanager
    def _answering(self, question: str) -> Iterator[None]:
        """Make a retrieval error of whatever the file does to us."""
        try:
            yield
        except (IntegrityError, OSError) as error:
            raise RetrievalError(self.name, question, str(error)) from error

    def _linked(
        self, table: str, key: str, ids: Iterable[int], wanted: str, *, optional: bool = False
    ) -> tuple[int, ...]:
        """Return the ids in one column of a table that go with ids in another, ascending."""
        columns: _Columns = {key: "whole number", wanted: "whole number"}
        queries = (_Query(table, columns, key, id_) for id_ in ids)
        return tuple(sorted({row[wanted] for query in queries for row in self._rows(query, optional=optional)}))

    def _rows(self, query: _Query, *, optional: bool = False) -> list[_Row]:
        """Return what a query selects, from whatever the catalogue is."""
        is_folder = self.path.is_dir()
        if not is_folder and not self.path.is_file():
            problem = "is neither an SQLite file nor a folder of CSV files; put one there, or set the option 'path'"
            raise IntegrityError(self.path, problem)
        rows = _rows_of_csv(self.path, query) if is_folder else _rows_of_sqlite(self.path, query)
        if rows is None and not optional:
            where = f"has no file {query.table}.csv" if is_folder else f"has no table {query.table}"
            raise IntegrityError(self.path, f"{where}; it must have the columns {', '.join(query.columns)}")
        return rows or []


# ---- what a row says ------------------------------------------------------------------------------------------------


def _runs(rows: Iterable[_Row], work: Work) -> list[ProcessingRun]:
    """Return the runs of some rows, by ascending id."""
    found: dict[int, ProcessingRun] = {}
    for row in rows:
        id_ = row[work.id]
        if id_ in found:
            raise IntegrityError(row.place, f"{work.id} {id_} is there already; expected each id once")
        with _in_range(row):
            found[id_] = ProcessingRun(id=id_, **{name: row[name] for name in _RUN})
    return [found[id_] for id_ in sorted(found)]


def _star(row: _Row) -> PlannedStar:
    if row["type"] not in _STAR_TYPES:
        listed = ", ".join(f"{number} ({name})" for number, name in _STAR_TYPES.items())
        raise IntegrityError(row.place, f"type is {row['type']}; expected one of {listed}")
    values = {name: row[name] for name in ("slot", "id", "y_ang", "z_ang")}
    with _in_range(row):
        return PlannedStar(type=_STAR_TYPES[row["type"]], **values)


def _ingested(row: _Row) -> IngestedFile:
    with _in_range(row):
        return IngestedFile(ingested=row["ingested"], filename=row["filename"])


@contextmanager
def _in_range(row: _Row) -> Iterator[None]:
    """Say of a value that cannot be where it comes from."""
    try:
        yield
    except DeclarationError as error:
        raise IntegrityError(row.place, f"{error.field} is {error.value!r}; expected {error.expected}") from error


def _value(raw: object, kind: _Kind, column: str, place: str) -> Any:
    """Return a value as its column's kind; ``""`` for a text that is not there."""
    try:
        return _CONVERTERS[kind](raw)
    except ValueError:
        raise IntegrityError(place, f"{column} is {raw!r}; expected a {kind}") from None


def _to_int(raw: object) -> int:
    if isinstance(raw, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", raw, re.ASCII):
        return int(raw)
    if not isinstance(raw, int):
        raise ValueError
    return raw


def _to_float(raw: object) -> float:
    if isinstance(raw, str) and "_" in raw:
        raise ValueError
    if not isinstance(raw, int | float | str) or not math.isfinite(number := float(raw)):
        raise ValueError
    return number


def _to_date(raw: object) -> float:
    from aca_core.dates import to_secs

    try:
        return float(to_secs(raw.strip() if isinstance(raw, str) else _to_float(raw)))
    except DateError as error:
        raise ValueError from error


def _to_text(raw: object) -> str:
    if isinstance(raw, bytes):
        raise ValueError
    return "" if raw is None else str(raw).strip()  # columns of a fixed width come padded


_CONVERTERS: Final[Mapping[_Kind, Callable[[object], int | float | str]]] = {
    "whole number": _to_int,
    "number": _to_float,
    "date": _to_date,
    "text": _to_text,
}


# ---- a folder of CSV files ------------------------------------------------------------------------------------------

_Lines: TypeAlias = tuple[tuple[int, tuple[Any, ...]], ...]
"""Numbers of lines, and the values of the columns that were asked for."""


def _rows_of_csv(folder: Path, query: _Query) -> list[_Row] | None:
    """Return the rows that are wanted, or None where there is no such table."""
    path = folder / f"{query.table}.csv"
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting
        raise IntegrityError(path, "is no regular file; expected a CSV file with a header line")
    state = (status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size)
    columns = tuple(query.columns.items())
    if query.above:
        place = list(query.columns).index(query.key)
        lines = tuple(line for line in _csv_lines(path, state, columns) if query.wants(line[1][place]))
    else:
        lines = _csv_lines_by(path, state, columns, query.key).get(query.value, ())
    return [_Row(f"{path}, line {line}", dict(zip(query.columns, values, strict=True))) for line, values in lines]


@lru_cache(maxsize=16)
def _csv_lines_by(
    path: Path, state: tuple[int, ...], columns: tuple[tuple[str, _Kind], ...], key: str
) -> Mapping[float, _Lines]:
    """Return the lines of a CSV file by the value of one column; the state is the one for which they hold."""
    place = [name for name, _ in columns].index(key)
    found: dict[float, list[tuple[int, tuple[Any, ...]]]] = {}
    for line in _csv_lines(path, state, columns):
        found.setdefault(line[1][place], []).append(line)
    return {value: tuple(lines) for value, lines in found.items()}


@lru_cache(maxsize=16)
def _csv_lines(path: Path, state: tuple[int, ...], columns: tuple[tuple[str, _Kind], ...]) -> _Lines:
    """Return some columns of a CSV file; the state is the one for which they hold."""
    import csv

    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            return tuple(_checked_lines(reader, path, columns))
        except csv.Error as error:
            raise IntegrityError(f"{path}, line {reader.line_num}", f"is no CSV: {error}") from error
        except UnicodeDecodeError as error:
            raise IntegrityError(path, f"is not UTF-8 after line {reader.line_num}: {error.reason}") from error


def _checked_lines(
    reader: Any, path: Path, columns: tuple[tuple[str, _Kind], ...]
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    header = [name.strip().lower() for name in next(reader, [])]
    _check_columns(path, header, [name for name, _ in columns])
    places = [(header.index(name.lower()), name, kind) for name, kind in columns]
    for fields in reader:
        if not fields:
            continue
        where = f"{path}, line {reader.line_num}"
        if len(fields) != len(header):
            raise IntegrityError(where, f"has {len(fields)} fields; expected {len(header)} as in the header line")
        yield reader.line_num, tuple(_value(fields[place], kind, name, where) for place, name, kind in places)


def _check_columns(where: Path | str, header: list[str], wanted: Iterable[str]) -> None:
    """Refuse a table that lacks a column, or has it twice; case makes no difference."""
    for name in wanted:
        if header.count(name.lower()) != 1:
            problem = f"has {'several columns' if name.lower() in header else 'no column'} {name}"
            raise IntegrityError(where, f"{problem}; its columns are {', '.join(header) or 'none'}")


# ---- an SQLite file -------------------------------------------------------------------------------------------------


def _rows_of_sqlite(path: Path, query: _Query) -> list[_Row] | None:
    """Return the rows that are wanted, or None where there is no such table."""
    import sqlite3

    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)) as file:
            return _select(file, path, query)
    except sqlite3.Error as error:
        raise IntegrityError(path, f"cannot be read as an SQLite file: {error}") from error


def _select(file: sqlite3.Connection, path: Path, query: _Query) -> list[_Row] | None:
    place = f"{path}, table {query.table}"
    types = {
        name.lower(): declared.upper()
        for name, declared in file.execute("SELECT name, type FROM pragma_table_info(?)", (query.table,))
    }
    if not types:
        return None
    _check_columns(place, list(types), query.columns)
    names = ", ".join(f'"{name}"' for name in query.columns)
    condition = f'"{query.key}" {">" if query.above else "="} ?'
    if query.above or "INT" not in types[query.key.lower()]:
        # What is no integer compares in ways of its own: select it as well, to be converted or refused.
        condition = f"{condition} OR typeof(\"{query.key}\") <> 'integer'"
    # The names were checked to be identifiers that the file has; the value goes as a parameter.
    selected = file.execute(f'SELECT {names} FROM "{query.table}" WHERE {condition}', (query.value,))  # noqa: S608
    columns = tuple(query.columns.items())
    rows = (
        {name: _value(raw, kind, name, place) for (name, kind), raw in zip(columns, values, strict=True)}
        for values in selected
    )
    return [_Row(place, row) for row in rows if query.wants(row[query.key])]


FILE = FileCatalogue(name="file", label="an SQLite file or a folder of CSV files")


@hookimpl
def aca_catalogues() -> Iterable[Catalogue]:
    """Return the one catalogue of this plugin."""
    return [FILE]
