"""What a dark source is: a place where dark-current maps lie, and how to read one. It selects nothing by date."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs

from aca_core._checks import as_tuple, base_name, each, is_a
from aca_core.arrays import FloatArray
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.fits_files import open_fits
from aca_core.offers import Offer, site_option

__all__ = ["CCD_SHAPE", "DarkSource", "DatedTree"]

CCD_SHAPE: Final = (1024, 1024)
"""Rows and columns of a dark map; element [0, 0] is the pixel at row -512, column -512 of the CCD."""

_DARK_ID: Final = re.compile(r"[12]\d{6}", re.ASCII)


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

    def ids(self) -> tuple[str, ...]:
        """Return the ids for which there is a folder, ascending; other entries are passed over."""
        found: set[str] = set()
        there = [root for root in self._roots() if root.is_dir()]
        for root in there:
            with os.scandir(root) as entries:
                found |= {entry.name for entry in entries if _DARK_ID.fullmatch(entry.name) and entry.is_dir()}
        if not there:
            kind = "is no folder" if any(root.exists() for root in self._roots()) else "there is no folder"
            raise MissingDataError(f"{self.noun} {self.name!r}: {kind}: {self._places()}")
        return tuple(sorted(found))

    def directory(self, dark_id: str) -> Path:
        """Return the folder of a calibration, in the first root that has it."""
        if _DARK_ID.fullmatch(dark_id):
            for root in self._roots():
                if (root / dark_id).is_dir():
                    return (root / dark_id).absolute()
        raise MissingDataError(f"{self.noun} {self.name!r}: there is no calibration {dark_id!r} in {self._places()}")

    def _roots(self) -> tuple[Path, ...]:
        return (self.root, *self.other_roots)

    def _places(self) -> str:
        return " or ".join(str(root) for root in self._roots())

    def image(self, dark_id: str) -> FloatArray:
        """Read a calibration's map from the primary HDU of its FITS file."""
        import numpy as np

        path = self._file(dark_id, self.image_file)
        with open_fits(path, "an image in HDU 0") as hdus:
            data = hdus[0].data
        if data is None or data.shape != CCD_SHAPE:
            found = "no image" if data is None else f"an image of shape {data.shape}"
            raise IntegrityError(path, f"holds {found}; expected {CCD_SHAPE}")
        kind = data.dtype if data.dtype.kind == "f" else np.dtype("float32")
        return np.array(data, dtype=kind.newbyteorder("="))

    def properties(self, dark_id: str) -> dict[str, Any]:
        """Read a calibration's properties from its JSON file."""
        import json

        if self.properties_file is None:
            raise MissingDataError(f"{self.noun} {self.name!r} keeps no properties")
        path = self._file(dark_id, self.properties_file)
        try:
            properties = json.loads(path.read_bytes())
        except ValueError as error:
            raise IntegrityError(path, f"is not valid JSON: {error}") from error
        if not isinstance(properties, Mapping):
            raise IntegrityError(path, f"holds a {type(properties).__name__}; expected a JSON object")
        return dict(properties)

    def _file(self, dark_id: str, name: str) -> Path:
        path = self.directory(dark_id) / name
        if not path.is_file():
            raise MissingDataError(f"{self.noun} {self.name!r}: calibration {dark_id} has no file {path}")
        return path
