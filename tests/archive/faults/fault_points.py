"""Numbered points of a process: every operation by which an archive changes what is on a disk.

For tests alone; nothing of it is in the package. A point is an operation of `os`, a file that is opened to be written,
or the COMMIT of an SQLite transaction, below one folder; ``fsync`` counts wherever it is called.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import attrs

MAKING = ("mkdir", "symlink", "link", "rename", "replace", "open", "fsync", "commit")
"""The kinds that need room on the disk."""

_OF_OS = ("fsync", "link", "mkdir", "rename", "replace", "rmdir", "symlink", "unlink")
_PLACE = {"symlink": 1}
"""Which argument says where; the first one by default."""


@attrs.frozen
class Point:
    """One operation: its number in the process, what it is, and on what."""

    number: int
    kind: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.number}: {self.kind} {' '.join(os.path.basename(str(each)) for each in self.args)}"  # noqa: PTH119


Handler = Callable[[Point], None]


def _nothing(point: Point) -> None:
    """Let it be."""


@contextlib.contextmanager
def watching(
    root: Path, before: Handler = _nothing, after: Handler = _nothing, *, is_synced: bool = False
) -> Iterator[None]:
    """Call a function before and behind each point below a folder; what `before` raises is raised by the operation.

    Without `is_synced` nothing waits for the disk: a process that is killed loses nothing that it has written, so that
    it makes no difference to what is found after it.
    """
    numbers, top = itertools.count(), str(root)

    def watched(kind: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if kind != "fsync" and not str(args[_PLACE.get(kind, 0)]).startswith(top):
                return real(*args, **options)
            point = Point(next(numbers), kind, args)
            before(point)
            try:
                return None if kind == "fsync" and not is_synced else real(*args, **options)
            finally:
                after(point)

        return call

    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        is_written = not isinstance(file, int) and set(mode) & set("wxa+") and str(file).startswith(top)
        call = watched("open", real_open) if is_written else real_open
        return call(file, mode, *args, **options)

    class Connection(sqlite3.Connection):
        """Knows where it leads, and of each COMMIT."""

        place = ""

        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql.upper().startswith("PRAGMA SYNCHRONOUS"):
                assert sql.upper().endswith("EXTRA"), f"{sql}: a commit that a power loss can undo"
                sql = sql if is_synced else "PRAGMA synchronous = OFF"
            run = super().execute
            return watched("commit", lambda place: run(sql))(self.place) if sql == "COMMIT" else run(sql, *args)

        def commit(self) -> None:
            if self.in_transaction:
                watched("commit", lambda place: sqlite3.Connection.commit(self))(self.place)

    real_open, real_connect = io.open, sqlite3.connect

    def connect(database: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        made = real_connect(database, *args, **{"factory": Connection, **options})
        if isinstance(made, Connection):
            made.place = str(database)
        return made

    with contextlib.ExitStack() as patches:
        for kind in _OF_OS:
            patches.enter_context(mock.patch.object(os, kind, watched(kind, getattr(os, kind))))
        patches.enter_context(mock.patch.object(io, "open", opened))
        patches.enter_context(mock.patch.object(sqlite3, "connect", connect))
        yield


def no_room(point: Point) -> None:
    """Raise what the system, or SQLite, says of a full disk."""
    import errno

    if point.kind == "commit":
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(point.args[-1]))
