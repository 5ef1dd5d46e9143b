"""One product below one root: where its things lie, its index, its lock. The parts of the engine work on a store."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from aca_core.archive._disk import make_folders, replace_text, sync_folder
from aca_core.archive.index import FILES, TABLE, Index
from aca_core.errors import ConfigError, ConfigProblem, IntegrityError, LockedError
from aca_core.layouts import Unit
from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["INDEX_FILE", "STAGING", "Store"]

INDEX_FILE: Final = "archfiles.db3"
LAST_ID_FILE: Final = "last_id.txt"
STAGING: Final = ".staging"
"""Where deliveries are checked: below the product's folder, so that one rename brings them to their place."""

_LOCKS: Final[Mapping[str, str]] = {"kernel": ".lock", "soft": ".lock-soft"}
"""By the kind of the lock its file: that of a kernel lock stays, and being there must not mean a soft one."""

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)

_PAUSE: Final = 0.05
"""How long to wait before looking again whether a soft lock is free, s."""

_HOLDER: Final = ".lock-holder.json"
_FAILING: Final = ".lock-failing.json"


class Store:
    """One product below one root.

    Parameters
    ----------
    product : ArchiveProduct
        Bound to the site.
    folder : Path
        The product's folder, ``<root>/<name>``.
    root : Path
        The archive's root.
    lock : {'kernel', 'soft'}
        How writers keep each other out.
    staging : Path, optional
        Where deliveries are checked; on the same file system as `folder`.

    Attributes
    ----------
    index : Index
        What is archived.
    """

    def __init__(
        self,
        product: ArchiveProduct,
        folder: Path,
        root: Path,
        lock: Literal["kernel", "soft"] = "kernel",
        staging: Path | None = None,
    ) -> None:
        self.product = product
        self.folder = folder
        self._folder = str(folder)
        self.root = root
        self.lock_kind = lock
        self.staging = staging or folder / STAGING
        self.index = Index(folder / INDEX_FILE, product)

    def __repr__(self) -> str:
        return f"Store({self.product.name!r}, {str(self.folder)!r})"

    # ---- places -----------------------------------------------------------------------------------------------------

    def directory(self, unit: Unit) -> Path:
        """Return the folder of a unit."""
        return self.folder / self.product.layout.directory(unit)

    def folder_of(self, unit: Unit) -> str:
        """Return the same as a string, in a third of the time."""
        return f"{self._folder}/{self.product.layout.directory(unit)}"

    def unit_named(self, name: str) -> Unit:
        """Return the unit with a relative folder, as our tables write it."""
        from pathlib import PurePosixPath

        unit = self.product.layout.unit_in(PurePosixPath(name))
        if unit is None:
            raise IntegrityError(self.index.path, f"has a unit {name!r}, which {self.product.layout} does not know")
        return unit

    def name_of(self, unit: Unit) -> str:
        """Return a unit as our tables write it: its folder, relative to the product's."""
        return str(self.product.layout.directory(unit))

    # ---- what is archived -------------------------------------------------------------------------------------------

    def archived_files(self, unit: Unit) -> dict[str, str | None]:
        """Return the committed files of a unit, indexed or kept beside.

        Parameters
        ----------
        unit : ObsidRevision or Day
            Which unit.

        Returns
        -------
        dict of str to str or None
            By base name the sha256; None where other tools archived the file and recorded none.
        """
        files = dict.fromkeys(self.indexed_names(unit))
        question = f"SELECT filename, sha256 FROM {FILES} WHERE unit = ?"  # noqa: S608  # a constant of ours
        ours = {row["filename"]: row["sha256"] for row in self.index.select_ours(question, (self.name_of(unit),))}
        return {**files, **ours}

    def indexed_names(self, unit: Unit) -> list[str]:
        """Return the names of a unit's files in the index, in their order."""
        conditions, values = self.where_unit(unit)
        sql = f"SELECT filename FROM {TABLE} WHERE {conditions} ORDER BY filename"  # noqa: S608  # names of columns
        return [row["filename"] for row in self.index.select(sql, values)]

    def where_unit(self, unit: Unit) -> tuple[str, tuple[Any, ...]]:
        """Return the condition that selects a unit's rows, and its values."""
        import attrs

        names = self.product.layout.files_by
        return " AND ".join(f"{name} = ?" for name in names), attrs.astuple(unit)

    # ---- writing ----------------------------------------------------------------------------------------------------

    def make(self) -> None:
        """Make the folder and the index, if they are not there."""
        make_folders(self.folder)
        self.index.make()

    def staging_folder(self) -> Path:
        """Make an empty folder for one delivery. Only who holds the lock may."""
        make_folders(self.staging)
        number = 0
        while True:
            folder = self.staging / f"{os.getpid()}-{time.time_ns():x}-{number}"
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                sync_folder(self.staging)
                return folder
            number += 1

    def set_last_id_file(self, last_id: int) -> None:
        """Let ``last_id.txt`` say what the index says, for older tools."""
        path = self.folder / LAST_ID_FILE
        with contextlib.suppress(FileNotFoundError):
            if path.read_text(encoding="ascii", errors="replace").strip() == str(last_id):
                return
        replace_text(path, f"{last_id}\n")

    @contextlib.contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Keep other writers out for a block.

        Parameters
        ----------
        wait : float
            How long to wait for another one, s.

        Raises
        ------
        LockedError
            It has not ended in that time; the message says who it is.
        ConfigError
            The file system has no locks of its kernel.
        OSError
            The folder may not be written to.
        """
        from filelock import Timeout

        make_folders(self.folder)
        lock = self._lock()
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            raise LockedError(self.folder, self._in_the_way(), wait) from None
        except OSError as error:
            if self.lock_kind == "soft" or error.errno not in _NO_LOCKS:
                raise
            text = f'the file system of {self.folder} has no locks ({error.strerror}); set lock = "soft"'
            raise ConfigError([ConfigProblem("configuration", "lock", text)]) from error
        try:
            self._sign()
            yield
        finally:
            with contextlib.suppress(OSError):
                (self.folder / _HOLDER).unlink()
            lock.release()

    def is_locked(self) -> bool:
        """Say whether somebody writes at this moment; nothing is made or changed to find out."""
        path = self.folder / _LOCKS[self.lock_kind]
        if self.lock_kind == "soft":
            return os.path.lexists(path)
        import fcntl

        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:  # nobody has ever written here, or those who may are not asked by those who may not
            return False
        try:
            # Shared, so that two who ask never see each other, and given back at once: a writer tries again.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a mount without locks
            return False
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> str | None:
        """Return who writes, for people: this is information, and never a reason to break a lock."""
        try:
            said = json.loads((self.folder / _HOLDER).read_text(encoding="utf-8"))
            return f"process {said['pid']} on {said['host']} since {said['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _in_the_way(self) -> str:
        """Return who writes, and of a soft lock how a person who knows better takes it away."""
        holder = self.holder() or ""
        if self.lock_kind != "soft":
            return holder
        return f"{holder or 'another process'} (if that is gone, remove {_LOCKS['soft']} there)"

    def note_update(self, error: str) -> None:
        """Note that an update came to no end, and why; or that one did, so that nothing is noted any more.

        This is for people, and no part of the archive: an update that finds nothing new writes nothing.

        Parameters
        ----------
        error : str
            Why; empty where it came to its end.
        """
        path, known = self.folder / _FAILING, self.failing()
        with contextlib.suppress(OSError):
            if error:
                now = time.time()
                said = {"since": now if known is None else known["since"], "attempt": now, "error": error}
                replace_text(path, json.dumps(said))
            elif known is not None:
                path.unlink()

    def failing(self) -> dict[str, Any] | None:
        """Return since when updates come to no end (``since``), when one last did so (``attempt``), its ``error``."""
        try:
            said = json.loads((self.folder / _FAILING).read_text(encoding="utf-8"))
            return {"since": float(said["since"]), "attempt": float(said["attempt"]), "error": str(said["error"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def last_written(self) -> float | None:
        """Return when somebody last held the lock, seconds since 1970; None where that is not known."""
        try:
            return (self.folder / _LOCKS["kernel"]).stat().st_mtime
        except OSError:
            return None

    def _sign(self) -> None:
        import socket

        from aca_core.dates import to_date

        said = {"pid": os.getpid(), "host": socket.gethostname(), "since": to_date()}
        with contextlib.suppress(OSError):  # a full disk is told by what is really needed
            (self.folder / _HOLDER).write_text(json.dumps(said), encoding="utf-8")

    def _lock(self) -> BaseFileLock | _SoftLock:
        from filelock import FileLock

        path = self.folder / _LOCKS[self.lock_kind]
        return _SoftLock(path) if self.lock_kind == "soft" else FileLock(path, fallback_to_soft=False)


class _SoftLock:
    """A lock that is held as long as its file is there, whatever became of its holder: only that, or a person, ends it.

    That of `filelock` takes over the lock of a process that it cannot find, which may be one of another container.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = b""

    def acquire(self, timeout: float) -> None:
        """Make the file, or wait until it can be made."""
        from filelock import Timeout

        last = time.monotonic() + timeout
        while True:
            try:
                descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                if time.monotonic() >= last:
                    raise Timeout(str(self._path)) from None
                time.sleep(min(_PAUSE, max(0.0, last - time.monotonic())))
            else:
                self._sign(descriptor)
                return

    def _sign(self, descriptor: int) -> None:
        """Write into the file that it is ours: on a disk, the next file may have the number of this one."""
        self._mark = f"{os.getpid()} {os.urandom(8).hex()}".encode()
        try:
            os.write(descriptor, self._mark)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Remove the file, unless a person has, and somebody else has made another; a forked child leaves it."""
        with contextlib.suppress(FileNotFoundError):
            if self._mark.startswith(b"%d " % os.getpid()) and self._path.read_bytes() == self._mark:
                self._path.unlink()
