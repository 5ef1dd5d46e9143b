"""What the archive does to a disk, so that it is there after a power loss: the only place that calls the system.

Every change of a name (a rename, a link, a new folder) is durable once the folder that holds the name was synced.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import stat
from pathlib import Path
from typing import Final

from aca_core.errors import IntegrityError

__all__ = [
    "STOPS",
    "make_folders",
    "move",
    "remove_file",
    "remove_tree",
    "replace_link",
    "replace_text",
    "sha256_of",
    "sync_file",
    "sync_folder",
]

_log = logging.getLogger("aca_core")

STOPS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
"""What is wrong with the machine, and not with what is worked on."""


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    _sync(path, os.O_RDONLY | os.O_NOFOLLOW)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network mounts know no fsync of a folder; they are as durable as they can be.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def make_folders(path: Path) -> None:
    """Make a folder and those above it, durably; nothing to do for what is there."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)


def move(source: Path, target: Path) -> None:
    """Rename a file over another of the same name, or a folder to where nothing is; sync the target's folder after."""
    source.rename(target)


def remove_file(path: Path) -> None:
    """Remove a file or a link, if it is there."""
    path.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove what is not needed any more, a folder with everything in it; links are removed, not followed.

    Nothing depends on it: where that cannot be done, it is left, and said in the log.
    """
    try:
        if path.is_symlink() or not path.is_dir():
            remove_file(path)
            return
        _empty(path)
        path.rmdir()
    except OSError as error:
        _log.info("left behind, since it cannot be removed: %s (%s)", path, error)


def _empty(top: Path) -> None:
    """Remove what is in a folder; inner folders are brought up first, so that no path is long, however deep they go."""
    taken = set(_sorted_out(top))
    numbers = itertools.count()
    waiting = sorted(taken)
    while waiting:
        folder = top / waiting.pop()
        for name in _sorted_out(folder):
            new = next(each for each in (f"{number}" for number in numbers) if each not in taken)
            (folder / name).chmod(stat.S_IRWXU)  # a folder that changes its place must be writable itself
            (folder / name).rename(top / new)
            waiting.append(new)
        folder.rmdir()


def _sorted_out(folder: Path) -> list[str]:
    """Remove the files of a folder, and return the names of the folders that are left."""
    with contextlib.suppress(PermissionError):  # somebody else's folder that we may write to
        folder.chmod(stat.S_IRWXU)
    with os.scandir(folder) as entries:
        inner = sorted(entries, key=lambda entry: entry.name)
    folders = [entry.name for entry in inner if entry.is_dir(follow_symlinks=False)]
    for entry in inner:
        if entry.name not in folders:
            remove_file(Path(entry.path))
    return folders


def replace_link(path: Path, target: str | None) -> bool:
    """Lead a symbolic link to another target without a moment in which it is not there; None removes it.

    Parameters
    ----------
    path : Path
        The link.
    target : str or None
        Where it shall lead, relative to its own folder.

    Returns
    -------
    bool
        Whether anything was changed; then its folder is to be synced.

    Raises
    ------
    IntegrityError
        A real file or folder has the link's name.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISLNK(mode):
        raise IntegrityError(path, "is no symbolic link, and a link has to be there; move it away")
    now = None if mode is None else str(path.readlink())
    if now == target:
        return False
    if target is None:
        path.unlink()
        return True
    part = path.with_name(f".{path.name}.new")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    part.rename(path)
    return True


def replace_text(path: Path, text: str) -> None:
    """Write a small text file, or replace it, durably; it is always whole."""
    part = path.with_name(f".{path.name}.new")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    sync_folder(path.parent)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
