"""The index of one product: an SQLite file with a row for each file, and the archive's own tables beside it.

Readers use ``sqlite3`` alone, read-only; what they see is one committed state. Writers hold the product's lock; their
transactions take milliseconds. A rollback journal, not a write-ahead log: archives live on network mounts.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aca_core.archive._schema import FILES, SCHEMA_VERSION, TABLE, make_tables
from aca_core.errors import IntegrityError, LockedError
from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["FILES", "TABLE", "Index"]

BUSY_SECONDS: Final = 60.0
"""How long to wait for somebody else's transaction, which takes milliseconds unless the disk is in trouble."""

T = TypeVar("T")

_READONLY_ROLLBACK: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN)

_ATTEMPTS: Final = 10
"""How often to begin again when others take back the transaction of a killed writer at the same time."""


class Index:
    """The index of one product below one root.

    Parameters
    ----------
    path : Path
        The SQLite file; it need not be there.
    product : ArchiveProduct
        Whose columns it has.
    """

    def __init__(self, path: Path, product: ArchiveProduct) -> None:
        self.path = path
        self.product = product
        self._name = str(path)
        self._journal = path.with_name(f"{path.name}-journal")
        self._mine = threading.local()

    def __repr__(self) -> str:
        return f"Index({str(self.path)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Index, (self.path, self.product)  # connections stay where they are

    # ---- reading ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """Open one committed state for a block of questions.

        Yields
        ------
        sqlite3.Connection or None
            None where there is no index yet, so that nothing is archived.

        Raises
        ------
        IntegrityError
            The file is no index, or is damaged.
        LockedError
            Somebody has been writing to it all the time.
        """
        try:
            inner = self._inner()
            if inner is not None:
                yield inner.connection if inner.is_made() else None  # a question within a block of questions
                return
            held = self._begun()
            if held is None:
                yield None
                return
            try:
                yield held.connection if held.is_made() else None
            finally:
                held.connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._mine.held = None
            if _is_busy(error):
                raise self._locked() from error
            raise IntegrityError(self.path, f"cannot be read as the index of {self.product.name}: {error}") from error

    def select(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        """Return the rows of one question; none where there is no index, or not the table that is asked for.

        Parameters
        ----------
        sql : str
            A SELECT; values are never part of it.
        parameters : sequence or mapping
            The values.

        Returns
        -------
        list of sqlite3.Row
        """
        with self.reading() as connection:
            return [] if connection is None else connection.execute(sql, parameters).fetchall()

    def select_ours(self, sql: str, parameters: Any = ()) -> list[sqlite3.Row]:
        """Return the rows of a question to our own tables; none in an archive that other tools wrote."""
        return self.select(sql, parameters) if self.has_our_tables() else []

    def remembered(self, what: str, ask: Callable[[], T]) -> T:
        """Return the answer to a question that is asked once for each state of the index.

        Parameters
        ----------
        what : str
            A name for the question.
        ask : callable
            Asks it, of this index and nothing else.

        Returns
        -------
        object
            The answer, which is not to be changed.
        """
        with self.reading() as connection:
            held = self._inner()
            if connection is None or held is None:
                return ask()
            if what not in held.answers:
                held.answers[what] = ask()
            answer: T = held.answers[what]
            return answer

    def has_our_tables(self) -> bool:
        """Say whether this archive was ever written to by us."""
        question = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self.remembered("has_our_tables", lambda: bool(self.select(question, (FILES,))))

    def state(self, key: str) -> str | None:
        """Return one of the archive's own values, such as ``last_id``."""
        rows = self.select_ours("SELECT value FROM aca_state WHERE key = ?", (key,))
        return str(rows[0]["value"]) if rows else None

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the index really has; an older one may lack some."""
        question = "SELECT name FROM pragma_table_info(?)"
        return self.remembered("columns", lambda: tuple(row["name"] for row in self.select(question, (TABLE,))))

    def identity(self) -> tuple[int, ...]:
        """Return what is other when the file has changed; empty where there is none."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return ()
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _inner(self) -> _Held | None:
        """Return this thread's connection if it is in a block of questions."""
        held: _Held | None = getattr(self._mine, "held", None)
        return held if held is not None and held.key[0] == os.getpid() and held.connection.in_transaction else None

    def _begun(self) -> _Held | None:
        """Begin to read; where a writer was killed since the last question, with a new connection."""
        for is_first in (True, False):
            held = self._held()
            if held is None:
                return None
            held.connection.execute("BEGIN")
            try:
                held.look()
            except sqlite3.OperationalError as error:
                held.connection.execute("ROLLBACK")
                self._mine.held = None
                if not is_first or error.sqlite_errorcode not in _READONLY_ROLLBACK:
                    raise
            else:
                return held
        return None

    def _held(self) -> _Held | None:
        """Return this thread's connection, opened again where the file is another one, or we are another process."""
        try:
            status = os.stat(self._name)  # noqa: PTH116  # in a question's shortest path
        except (FileNotFoundError, NotADirectoryError):
            return None
        now = (os.getpid(), status.st_dev, status.st_ino)
        if status.st_size == 0 and not self._journal.exists():
            return None  # a writer has made the file, and not committed its schema yet
        held: _Held | None = getattr(self._mine, "held", None)
        if held is None or held.key != now or (held.copied and held.copied != self._identities()):
            self._mine.held, self._mine.copied = None, ()
            connection = self._opened()
            self._mine.held = held = _Held(connection, now, self._mine.copied)
        return held

    def _identities(self) -> tuple[tuple[int, ...], ...]:
        """Return what is other when the index or its journal has changed."""
        return self.identity(), Index(self._journal, self.product).identity()

    def _opened(self) -> sqlite3.Connection:
        """Open the index; where its writer was killed in a transaction, that is taken back first, here or in a copy."""
        for _ in range(_ATTEMPTS):
            try:
                return _opened_to("ro", self.path)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode not in _READONLY_ROLLBACK:
                    raise
                found = error
            try:
                _opened_to("rw", self.path).close()
            except sqlite3.OperationalError:  # we may not write here
                copy = self._from_a_copy()
                if copy is not None:
                    return copy
        raise found

    def _from_a_copy(self) -> sqlite3.Connection | None:
        """Return a copy without the transaction of the killed writer; None where somebody has come to take it back."""
        before = self._identities()
        with tempfile.TemporaryDirectory(prefix="aca_index_") as folder:
            copy = Path(folder, self.path.name)
            try:
                copy.write_bytes(self.path.read_bytes())
                copy.with_name(self._journal.name).write_bytes(self._journal.read_bytes())
            except FileNotFoundError:
                return None
            if self._identities() != before:
                return None
            self._mine.copied = before
            connection = _open(":memory:")
            source = sqlite3.connect(copy)
            try:
                source.backup(connection)
            finally:
                source.close()
        return connection

    # ---- writing ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[Database]:
        """Open a transaction that is committed when the block ends, and taken back when it raises.

        Yields
        ------
        sqlite_utils.Database

        Raises
        ------
        IntegrityError
            The index cannot be written, or a newer version of this software has made it.
        LockedError
            Somebody has been reading or writing it all the time.
        OSError
            The disk is full, or may not be written to.
        """
        from sqlite_utils import Database

        self._check_version()
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            # EXTRA syncs the folder too when the journal is gone: a commit must not come back to life as its undoing.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Database(connection, execute_plugins=False, recursive_triggers=False)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._write_error(error) from error
        finally:
            connection.close()

    def _write_error(self, error: sqlite3.Error) -> Exception:
        import errno

        if _is_busy(error):
            return self._locked()
        code = _code(error)
        known = {
            sqlite3.SQLITE_FULL: errno.ENOSPC,
            sqlite3.SQLITE_READONLY: errno.EROFS,
            sqlite3.SQLITE_IOERR: errno.EIO,
            sqlite3.SQLITE_CANTOPEN: errno.EACCES,
        }
        if code in known:
            return OSError(known[code], os.strerror(known[code]), str(self.path))
        return IntegrityError(self.path, f"cannot be written as the index of {self.product.name}: {error}")

    def _locked(self) -> LockedError:
        return LockedError(self.path, "somebody else, or read in one long transaction", BUSY_SECONDS)

    def _check_version(self) -> None:
        """Refuse to write what a newer version of this software has made; it may know better."""
        version = self.remembered("schema", lambda: self.state("schema"))
        if version is not None and not (version.isdecimal() and int(version) <= int(SCHEMA_VERSION)):
            problem = f"has tables of version {version}, and this aca_core knows those up to {SCHEMA_VERSION}"
            raise IntegrityError(self.path, f"{problem}; it can be read, but to write to it take a newer aca_core")

    def make(self) -> None:
        """Make the index and our tables, or add to an older index what it lacks; nothing to do for one that is ours."""
        self._check_version()
        if self.state("schema") == SCHEMA_VERSION:
            return
        with self.writing() as database:
            make_tables(database, self.product)


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _is_busy(error: sqlite3.Error) -> bool:
    """Say whether somebody else was in the way, so that the same will do later."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_INHERITED: Final[list[sqlite3.Connection]] = []
"""Those of threads that a fork has left behind: closing one may mean to wait for ever for what its thread was doing."""


def _close(connection: sqlite3.Connection, process: int, thread: int) -> None:
    """Close a connection, also one that a child has inherited: locks are those of a process, and its own stay."""
    if process == os.getpid() or thread == threading.get_ident():
        connection.close()
    else:
        _INHERITED.append(connection)


class _Held:
    """A connection that is closed with its thread, in the process that opened it; and what was asked once."""

    def __init__(
        self, connection: sqlite3.Connection, key: tuple[int, int, int], copied: tuple[tuple[int, ...], ...] = ()
    ) -> None:
        self.connection = connection
        self.key = key
        self.copied = copied
        """Of a copy, what the files were like; it is of no use any more when they are not."""
        self.answers: dict[str, Any] = {}
        self._version: int | None = None
        weakref.finalize(self, _close, connection, key[0], threading.get_ident())

    def look(self) -> None:
        """Begin to read, and forget the answers where anything was committed since."""
        version = self.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self.answers.clear()
            self._version = version

    def is_made(self) -> bool:
        """Say whether there is any table; there is none while the first writer has not committed, or was killed."""
        if "is_made" not in self.answers:
            self.answers["is_made"] = self.connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return self.answers["is_made"] is not None


def _open(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _opened_to(mode: str, path: Path) -> sqlite3.Connection:
    """Open a file and read something of it, which takes back what is unfinished, or fails."""
    connection = _open(f"{path.absolute().as_uri()}?mode={mode}")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
