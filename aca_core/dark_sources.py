"""What a dark source is: a place where dark-current maps lie, and how to read one. It selects nothing by date."""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs

from aca_core._checks import as_tuple, base_name, each, is_a
from aca_core._leap_seconds import FIRST_YEAR, LAST_YEAR
from aca_core.arrays import FloatArray
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.fits_images import read_image
from aca_core.offers import Offer, site_option, site_options

__all__ = ["CCD_CORNER", "CCD_SHAPE", "DarkSource", "DatedTree", "is_dark_id"]

CCD_SHAPE: Final = (1024, 1024)
"""Rows and columns of a dark map."""

CCD_CORNER: Final = (-512, -512)
"""Row and column on the CCD of the pixel that element [0, 0] of a dark map is."""

_DARK_ID: Final = re.compile(r"[12]\d{6}", re.ASCII)

_SETTLED: Final = 2_000_000_000
"""How old a file must be for its times to tell the next change, ns: some file systems count in steps of 2 s."""


def is_dark_id(name: object) -> bool:
    """Say whether a text is the id of a calibration: ``YYYYDOY`` of a day that exists.

    Parameters
    ----------
    name : object
        The candidate, such as the name of a folder.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_dark_id("2012366"), is_dark_id("2013366"), is_dark_id("Result")
    (True, False, False)
    """
    return isinstance(name, str) and _DARK_ID.fullmatch(name) is not None and _is_day(name)


@lru_cache(maxsize=1024)
def _is_day(digits: str) -> bool:
    year, day = int(digits[:4]), int(digits[4:])
    return FIRST_YEAR <= year <= LAST_YEAR and 1 <= day <= 365 + calendar.isleap(year)


@contextlib.contextmanager
def os_errors(path: Path) -> Iterator[None]:
    """Make what the operating system refuses in a block an error of ours.

    Parameters
    ----------
    path : Path
        What the block looks at.

    Raises
    ------
    IntegrityError
        It may not be read, or cannot be.
    """
    try:
        yield
    except OSError as error:
        raise IntegrityError(error.filename or path, f"cannot be read: {error.strerror}") from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # A link that leads to itself is an error for the entry; for the path it is none.
    return entry.is_dir(follow_symlinks=False) or os.path.isdir(entry.path)  # noqa: PTH112


@attrs.frozen(kw_only=True)
class DarkSource(Offer, ABC):
    """A place where dark-current calibrations lie.

    Selecting one by date, scaling it to a temperature and making tables is the core's work. Subclass this with
    `attrs.frozen`, or declare a `DatedTree` where one folder for each calibration holds the files.

    Examples
    --------
    >>> import attrs
    >>> from pathlib import Path
    >>> from aca_core import DarkSource, site_option
    >>> @attrs.frozen(kw_only=True)
    ... class NpyDarkSource(DarkSource):
    ...     root: Path = site_option(Path("maps"), help="folder of .npy maps")
    ...     def ids(self):
    ...         return tuple(sorted(path.stem for path in self.root.glob("[12]??????.npy")))
    ...     def directory(self, dark_id):
    ...         return self.root
    ...     def image(self, dark_id):
    ...         import numpy as np  # here, so that listing plugins stays quick
    ...         return np.load(self.root / f"{dark_id}.npy")
    ...     def properties(self, dark_id):
    ...         return {"id": dark_id}
    >>> NpyDarkSource(name="npy").noun
    'dark source'
    """

    section: ClassVar[str] = "dark_sources"

    @property
    def noun(self) -> str:
        """``dark source``."""
        return "dark source"

    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """Return the ids (``YYYYDOY``) of the calibrations that exist now, ascending.

        Raises
        ------
        MissingDataError
            The place itself does not exist.
        IntegrityError
            It cannot be read.
        """

    @abstractmethod
    def directory(self, dark_id: str) -> Path:
        """Return the absolute folder of a calibration.

        Raises
        ------
        MissingDataError
            There is no such calibration.
        """

    @abstractmethod
    def image(self, dark_id: str) -> FloatArray:
        """Read a calibration's map.

        Parameters
        ----------
        dark_id : str
            ``YYYYDOY``.

        Returns
        -------
        ndarray
            Shape (1024, 1024), floating point in native byte order, e-/s at the calibration's own CCD temperature,
            negative values included. The caller owns it.

        Raises
        ------
        MissingDataError
            There is no such calibration, or it has no map.
        IntegrityError
            The map cannot be read or has another shape.
        """

    @abstractmethod
    def properties(self, dark_id: str) -> dict[str, Any]:
        """Read a calibration's properties: at least ``ccd_temp`` (degC) wherever it is known.

        Raises
        ------
        MissingDataError
            There is no such calibration, or it has no properties.
        IntegrityError
            They cannot be read.
        """

    def stamp(self, dark_id: str) -> Hashable | None:
        """Return what is another value once the properties of a calibration are others, at the price of a look.

        Properties that were read under a stamp are not read again as long as the stamp is the same. Whoever asks gets
        a copy of them.

        Parameters
        ----------
        dark_id : str
            ``YYYYDOY``.

        Returns
        -------
        hashable or None
            For example the path, the times and the size of a file. None, which is the default, where a change might
            not show: then properties are read each time that they are asked for.
        """
        return None

    @property
    def places(self) -> tuple[Path, ...]:
        """Where the calibrations lie, for messages and for provenance: by default the options that are paths."""
        values = (getattr(self, name) for name in site_options(type(self)))
        return tuple(value for value in values if isinstance(value, Path))

    def described(self) -> str:
        """Return the source's name and places in words, for messages: ``dark source 'mica' (/data/aca_dark)``."""
        where = " or ".join(str(place) for place in self.places)
        return f"{self.noun} {self.name!r}{f' ({where})' if where else ''}"


def _as_path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class DatedTree(DarkSource):
    """Calibrations in folders named ``YYYYDOY`` below a root, each with a FITS map and JSON properties.

    Attributes
    ----------
    root : Path
        The folder that holds the dated ones; a site may set it.
    other_roots : tuple of Path
        The same folder below the site's further archive roots, filled when the source is bound to a site; the first
        that has a calibration answers for it.
    image_file : str
        Base name of the map, in the primary HDU of a FITS file.
    properties_file : str or None
        Base name of the properties, a JSON object; None for a tree that has none.

    Examples
    --------
    >>> from pathlib import Path
    >>> tree = DatedTree(name="mica", root=Path("aca_dark"), image_file="image.fits", properties_file="properties.json")
    >>> tree.image_file
    'image.fits'
    """

    root: Path = site_option(
        help="folder that holds the YYYYDOY folders",
        other_roots="other_roots",
        converter=_as_path,
        validator=is_a(Path, "a path"),
    )
    other_roots: tuple[Path, ...] = attrs.field(default=(), converter=as_tuple, validator=each(Path, "a list of paths"))
    image_file: str = attrs.field(validator=base_name)
    properties_file: str | None = attrs.field(default=None, validator=attrs.validators.optional(base_name))

    @property
    def places(self) -> tuple[Path, ...]:
        """The roots, the first of which answers for what it has."""
        return (self.root, *self.other_roots)

    def ids(self) -> tuple[str, ...]:
        """Return the ids for which there is a folder, ascending; other entries are passed over."""
        found: set[str] = set()
        there = []
        for root in self.places:
            with os_errors(root):
                if root.is_dir():
                    there.append(root)
                    with os.scandir(root) as entries:
                        found |= {entry.name for entry in entries if is_dark_id(entry.name) and _is_folder(entry)}
        if not there:
            kind = "is no folder" if any(root.exists() for root in self.places) else "there is no folder"
            hint = f"set root of [dark_sources.{self.name}] in the configuration, or name another source"
            raise MissingDataError(f"{self.noun} {self.name!r}: {kind}: {self._places()}; {hint}")
        return tuple(sorted(found))

    def directory(self, dark_id: str) -> Path:
        """Return the folder of a calibration, in the first root that has it."""
        if is_dark_id(dark_id):
            for root in self.places:
                folder = root / dark_id
                with os_errors(folder):
                    if folder.is_dir():
                        return folder.absolute()
        raise MissingDataError(f"{self.noun} {self.name!r}: there is no calibration {dark_id!r} in {self._places()}")

    def _places(self) -> str:
        return " or ".join(str(root) for root in self.places)

    def stamp(self, dark_id: str) -> Hashable | None:
        """Return the path of the properties' file, its times, its size and its place on the disk.

        None where there is no such file, or where it was written so recently that it could be written again without a
        trace in its times.
        """
        path = self._quickly(dark_id, self.properties_file)
        try:
            status = os.stat(path)  # noqa: PTH116  # asked for every calibration of a table
        except OSError:
            return None
        if max(status.st_mtime_ns, status.st_ctime_ns) > time.time_ns() - _SETTLED:
            return None
        return path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_dev, status.st_ino

    def _quickly(self, dark_id: str, name: str | None) -> str:
        """Return the path that a file of a calibration has if it is there; to read it takes less time than pathlib."""
        if name is None or not is_dark_id(dark_id):
            return ""
        root = self.root
        if self.other_roots:
            there = (root for root in self.places if os.path.isdir(f"{root}{os.sep}{dark_id}"))  # noqa: PTH112
            root = next(there, root)
        return f"{root}{os.sep}{dark_id}{os.sep}{name}"

    def image(self, dark_id: str) -> FloatArray:
        """Read a calibration's map from the primary HDU of its FITS file."""
        import numpy as np

        path = self._file(dark_id, self.image_file)
        data = read_image(path)
        if data is None or data.shape != CCD_SHAPE:
            found = "no image" if data is None else f"an image of shape {data.shape}"
            raise IntegrityError(path, f"holds {found}; expected {CCD_SHAPE}")
        return data if data.dtype.kind == "f" else data.astype(np.float32)

    def properties(self, dark_id: str) -> dict[str, Any]:
        """Read a calibration's properties from its JSON file."""
        import json

        if self.properties_file is None:
            raise MissingDataError(f"{self.noun} {self.name!r} keeps no properties")
        path = self._quickly(dark_id, self.properties_file)
        try:
            with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
                content = stream.read()
        except OSError as error:
            path = str(self._file(dark_id, self.properties_file))  # which says what is missing
            raise IntegrityError(path, f"cannot be read: {error.strerror}") from error
        try:
            properties = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise IntegrityError(path, f"is not valid JSON: {error}") from error
        if not isinstance(properties, Mapping):
            raise IntegrityError(path, f"holds a {type(properties).__name__}; expected a JSON object")
        return dict(properties)

    def _file(self, dark_id: str, name: str) -> Path:
        path = self.directory(dark_id) / name
        with os_errors(path):
            if path.is_file():
                return path
        raise MissingDataError(f"{self.noun} {self.name!r}: calibration {dark_id} has no file {path}")
