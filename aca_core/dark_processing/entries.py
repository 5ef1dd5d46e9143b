"""Entries of a processed tree, each made beside its place and brought there as a whole; readers see all of it or none.

::

    <root>/YYYYDOY/          image and properties
           .YYYYDOY.new/     what is being made; nobody's loss
           .YYYYDOY.old/     what is being replaced: from here on `.new` is complete
           .lock             of whoever writes

An entry is replaced by two renames. Who is killed between them leaves `.old`, and the next writer does the second one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Any, Final

import attrs

from aca_core.archive._disk import move, remove_tree, sync_file, sync_folder
from aca_core.dark_cal.properties import t_ccd_of
from aca_core.dark_processing.properties import properties_text
from aca_core.dark_sources import CCD_SHAPE, DatedTree
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.fits_images import open_fits

__all__ = ["Entries", "check_map"]

_HIDDEN: Final = re.compile(r"\.([12]\d{6})\.(?:new|old)", re.ASCII)

_SYNTHETIC: Final = "synthetic data, not from flight"

_COARSE: Final = 2_000_000_000
"""In what steps some file systems count time, at most, ns."""


def check_map(path: Path) -> str:
    """Refuse a file that is no dark map, and return the mark of one that is synthetic.

    Parameters
    ----------
    path : Path
        A FITS file.

    Returns
    -------
    str
        What its header says of how it was made, where it says SYNTHET = T; else empty.

    Raises
    ------
    IntegrityError
        It cannot be read, is not 1024 x 1024 numbers, or not all of them are finite.
    """
    import numpy as np

    with open_fits(path, "an image in HDU 0") as hdus:
        data, header = hdus[0].data, hdus[0].header
        is_synthetic = header.get("SYNTHET") is True
        remarks = [str(remark) for remark in header.get("COMMENT", ())] if is_synthetic else []
    if data is None or data.shape != CCD_SHAPE:
        found = "no image" if data is None else f"an image of shape {data.shape}"
        raise IntegrityError(path, f"holds {found}; expected {CCD_SHAPE}")
    if bad := int(data.size - np.isfinite(data).sum()):
        raise IntegrityError(path, f"has {bad} pixels that are no finite numbers; get a whole map")
    return next((text for text in remarks if "synthetic" in text), _SYNTHETIC) if is_synthetic else ""


@attrs.frozen(kw_only=True)
class Entries:
    """The entries of a tree, for the one who writes there.

    Attributes
    ----------
    target : DatedTree
        With the name of the properties; its first root is written to.
    file_mode : int
        Permission bits of the files.
    """

    target: DatedTree
    file_mode: int = 0o664

    def unfit(self, dark_id: str, image: Path) -> str:
        """Return why the entry of a calibration cannot stay as it is; empty where it can.

        Parameters
        ----------
        dark_id : str
            ``YYYYDOY``.
        image : Path
            The map that it should have been made from.

        Returns
        -------
        str
            Readable where there is no such entry at all: ``there is none``.

        Raises
        ------
        IntegrityError
            Something else has its name, and nothing can be made there.
        """
        wanted = self.target.root / dark_id
        if os.path.lexists(wanted) and not wanted.is_dir():
            raise IntegrityError(wanted, "is no folder, and the entry of a calibration has to be there; move it away")
        place = self.place_of(dark_id)
        if place is None:
            return "there is none"
        copy = place / self.target.image_file
        try:
            if copy.stat().st_mtime_ns < image.stat().st_mtime_ns:
                return f"the map {image} is newer"
            check_map(copy)
        except FileNotFoundError:
            return "its map is missing"
        except IntegrityError as error:
            return f"its map is damaged: {error}"
        if self.properties_of(dark_id) is None:
            return "its properties are missing or damaged"
        return ""

    def place_of(self, dark_id: str) -> Path | None:
        """Return the folder of an entry, in the first root that has it; None where there is none."""
        try:
            return self.target.directory(dark_id)
        except MissingDataError:
            return None

    def properties_of(self, dark_id: str) -> dict[str, Any] | None:
        """Return the properties of an entry; None where they are not there, not sound, or without a temperature."""
        try:
            t_ccd_of(self.target, dark_id)
            return self.target.properties(dark_id)
        except (MissingDataError, IntegrityError):
            return None

    def write(self, dark_id: str, image: Path, properties: dict[str, Any]) -> str:
        """Make or replace an entry that is `unfit`. Only who holds the lock may, and after `recover`.

        Parameters
        ----------
        dark_id : str
            ``YYYYDOY``.
        image : Path
            The map, which is copied.
        properties : dict
            Its properties; a mark is added to those of a synthetic map.

        Returns
        -------
        str
            The mark; empty where the map is from flight.

        Raises
        ------
        IntegrityError
            The map is none, or changes while it is copied.
        OSError
            Something could not be written; readers see what was there before.
        """
        place, new, old = self._places(dark_id)
        remove_tree(new)
        try:
            new.mkdir()
            mark = self._fill(new, image, properties)
            if place.is_dir():
                self._carry_over(place, new)
            sync_folder(new)
            sync_folder(new.parent)
        except BaseException:
            remove_tree(new)
            raise
        try:
            if os.path.lexists(place):
                move(place, old)
            move(new, place)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to tell; the next writer tries again
                self._recover_one(dark_id)
            raise
        sync_folder(place.parent)
        remove_tree(old)
        return mark

    def recover(self) -> None:
        """Bring to an end what a writer that was killed has left. Only who holds the lock may."""
        with os.scandir(self.target.root) as entries:
            left = {match[1] for entry in entries if (match := _HIDDEN.fullmatch(entry.name))}
        for dark_id in sorted(left):
            self._recover_one(dark_id)

    def _recover_one(self, dark_id: str) -> None:
        place, new, old = self._places(dark_id)
        if os.path.lexists(old) and not os.path.lexists(place):
            move(new if new.is_dir() else old, place)
        if os.path.lexists(place):
            sync_folder(place.parent)
        remove_tree(old)
        remove_tree(new)

    def _places(self, dark_id: str) -> tuple[Path, Path, Path]:
        root = self.target.root
        return root / dark_id, root / f".{dark_id}.new", root / f".{dark_id}.old"

    @property
    def _properties_file(self) -> str:
        if self.target.properties_file is None:
            raise self.target.refusal("properties_file", None, "the name of a file, for entries to be made")
        return self.target.properties_file

    def _fill(self, new: Path, image: Path, properties: dict[str, Any]) -> str:
        """Write both files of an entry, see that they are on the disk, and return the mark of a synthetic map."""
        copy = new / self.target.image_file
        _copy(image, copy)
        try:
            mark = check_map(copy)
        except IntegrityError as error:
            raise IntegrityError(image, error.problem) from error
        marked = {**properties, "synthetic": mark} if mark else properties
        described = new / self._properties_file
        with described.open("w", encoding="utf-8") as stream:
            stream.write(properties_text(marked))
        for path in (copy, described):
            path.chmod(self.file_mode)
            sync_file(path)
        return mark

    def _carry_over(self, place: Path, new: Path) -> None:
        """Copy what somebody else has put into an entry that is replaced."""
        ours = {self.target.image_file, self._properties_file}
        for path in sorted(place.iterdir()):
            if path.name in ours:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new / path.name, symlinks=True)
            else:
                shutil.copy2(path, new / path.name, follow_symlinks=False)
        for path in new.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                sync_folder(path)
            elif path.is_file() and not path.is_symlink():
                sync_file(path)


def _copy(image: Path, copy: Path) -> None:
    """Copy a map that nobody writes to meanwhile, with the time of its last change.

    With the time of now, the copy would be newer than another map that is older than now, as those of copied trees are.
    """
    before = image.stat()
    with image.open("rb") as source, copy.open("wb") as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
    after = image.stat()
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
        raise IntegrityError(image, "changes while it is copied; wait for whoever writes it")
    os.utime(copy, ns=(after.st_mtime_ns, after.st_mtime_ns))
    if copy.stat().st_mtime_ns < after.st_mtime_ns:  # cut off, and the entry would be stale for ever
        os.utime(copy, ns=(after.st_mtime_ns + _COARSE, after.st_mtime_ns + _COARSE))
