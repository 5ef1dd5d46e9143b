"""Who may write to a folder now: one at a time, whoever else is on the machine or on the mount."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from aca_core.archive._disk import make_folders
from aca_core.errors import ConfigError, ConfigProblem, LockedError

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["FolderLock"]

_FILES: Final[Mapping[str, str]] = {"kernel": ".lock", "soft": ".lock-soft"}
"""By the kind of the lock its file: that of a kernel lock stays, and being there must not mean a soft one."""

_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)

_PAUSE: Final = 0.05
"""How long to wait before looking again whether a soft lock is free, s."""

_HOLDER: Final = ".lock-holder.json"


class FolderLock:
    """The lock of a folder.

    Parameters
    ----------
    folder : Path
        What is written to; it is made when the lock is first taken.
    kind : {'kernel', 'soft'}
        How writers keep each other out; ``soft`` for mounts without locks of a kernel.

    Examples
    --------
    >>> import tempfile
    >>> lock = FolderLock(Path(tempfile.mkdtemp()))
    >>> with lock.held(wait=0.0):
    ...     lock.is_held()
    True
    >>> lock.is_held()
    False
    """

    def __init__(self, folder: Path, kind: Literal["kernel", "soft"] = "kernel") -> None:
        self.folder = folder
        self.kind = kind

    def __repr__(self) -> str:
        return f"FolderLock({str(self.folder)!r}, {self.kind!r})"

    @contextlib.contextmanager
    def held(self, wait: float) -> Iterator[None]:
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
        lock = self.file_lock()
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            raise LockedError(self.folder, self._in_the_way(), wait) from None
        except OSError as error:
            if self.kind == "soft" or error.errno not in _NO_LOCKS:
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

    def is_held(self) -> bool:
        """Say whether somebody writes at this moment; nothing is made or changed to find out."""
        path = self.folder / _FILES[self.kind]
        if self.kind == "soft":
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

    def last_held(self) -> float | None:
        """Return when somebody last took the lock of the kernel, seconds since 1970; None where that is not known."""
        try:
            return (self.folder / _FILES["kernel"]).stat().st_mtime
        except OSError:
            return None

    def file_lock(self) -> BaseFileLock | SoftLock:
        """Return what is taken and given back below it all; `held` is what to use."""
        from filelock import FileLock

        path = self.folder / _FILES[self.kind]
        return SoftLock(path) if self.kind == "soft" else FileLock(path, fallback_to_soft=False)

    def _in_the_way(self) -> str:
        """Return who writes, and of a soft lock how a person who knows better takes it away."""
        holder = self.holder() or ""
        if self.kind != "soft":
            return holder
        return f"{holder or 'another process'} (if that is gone, remove {_FILES['soft']} there)"

    def _sign(self) -> None:
        import socket

        from aca_core.dates import to_date

        said = {"pid": os.getpid(), "host": socket.gethostname(), "since": to_date()}
        with contextlib.suppress(OSError):  # a full disk is told by what is really needed
            (self.folder / _HOLDER).write_text(json.dumps(said), encoding="utf-8")


class SoftLock:
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
