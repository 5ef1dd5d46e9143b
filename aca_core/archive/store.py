"""One product below one root: where its things lie, its index, its lock. The parts of the engine work on a store."""

from __future__ import annotations

import contextlib
import json
import os
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Literal

from aca_core.archive._disk import make_folders, replace_text, sync_folder
from aca_core.archive.index import FILES, TABLE, Index
from aca_core.archive.locking import FolderLock
from aca_core.errors import IntegrityError
from aca_core.layouts import Unit
from aca_core.products import ArchiveProduct

__all__ = ["INDEX_FILE", "STAGING", "Store"]

INDEX_FILE: Final = "archfiles.db3"
LAST_ID_FILE: Final = "last_id.txt"
STAGING: Final = ".staging"
"""Where deliveries are checked: below the product's folder, so that one rename brings them to their place."""

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
    lock : FolderLock
        What keeps other writers out of `folder`.
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
        self.lock = FolderLock(folder, lock)
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

    def locked(self, wait: float) -> AbstractContextManager[None]:
        """Keep other writers out for a block, as `FolderLock.held` does.

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
        return self.lock.held(wait)

    def is_locked(self) -> bool:
        """Say whether somebody writes at this moment; nothing is made or changed to find out."""
        return self.lock.is_held()

    def holder(self) -> str | None:
        """Return who writes, for people: this is information, and never a reason to break a lock."""
        return self.lock.holder()

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
        return self.lock.last_held()
