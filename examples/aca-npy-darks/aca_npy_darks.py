"""The dark source ``npy``: one ``.npy`` file for each calibration, and one file with all their temperatures."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs
from aca_core import DarkSource, DateError, FloatArray, IntegrityError, MissingDataError, hookimpl, site_option
from aca_core.dates import dark_id_to_date

__all__ = ["NPY", "NpyDarkSource"]


@attrs.frozen(kw_only=True)
class NpyDarkSource(DarkSource):
    """Dark maps ``YYYYDOY.npy`` in one folder, with their CCD temperatures in its file ``temperatures.csv``.

    The file has the columns ``id`` and ``ccd_temp`` (degC). Without it the maps have no properties.

    Attributes
    ----------
    root : Path
        The folder. A site may set it.
    """

    root: Path = site_option(Path("npy_darks"), help="folder of dark maps as .npy files")

    def ids(self) -> tuple[str, ...]:
        """Return the ids for which there is a file, ascending; other names are passed over."""
        if not self.root.is_dir():
            raise MissingDataError(f"{self.noun} {self.name!r}: there is no folder {self.root}")
        return tuple(sorted(path.stem for path in self.root.glob("*.npy") if _is_dark_id(path.stem)))

    def directory(self, dark_id: str) -> Path:
        """Return the folder of all maps, if this one is there."""
        return self._file(dark_id).parent.absolute()

    def image(self, dark_id: str) -> FloatArray:
        """Read a map."""
        import numpy as np  # here, so that listing plugins stays quick

        path = self._file(dark_id)
        try:
            with path.open("rb") as stream:
                image = np.lib.format.read_array(stream, allow_pickle=False)  # np.load would take other formats, too
        except (OSError, ValueError, EOFError) as error:
            raise IntegrityError(path, f"cannot be read as a .npy map: {error}") from error
        if image.shape != (1024, 1024) or image.dtype.kind not in "fiu":
            raise IntegrityError(path, f"holds {image.dtype} of shape {image.shape}; expected numbers, (1024, 1024)")
        return np.asarray(image, dtype=np.float32)

    def properties(self, dark_id: str) -> dict[str, Any]:
        """Look a calibration up in the file of temperatures."""
        self._file(dark_id)
        if not self._temperatures.is_file():
            raise MissingDataError(f"{self.noun} {self.name!r}: there is no file {self._temperatures}")
        for row in self._rows():
            if row.get("id") == dark_id:
                return {"id": dark_id, "date": f"{dark_id[:4]}:{dark_id[4:]}", "ccd_temp": self._number(row)}
        raise MissingDataError(f"{self.noun} {self.name!r}: {self._temperatures} has no line for {dark_id}")

    def _rows(self) -> list[dict[str, str]]:
        try:
            with self._temperatures.open(encoding="utf-8", newline="") as stream:
                return list(csv.DictReader(stream))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise IntegrityError(self._temperatures, f"cannot be read as CSV: {error}") from error

    def _number(self, row: dict[str, str]) -> float:
        try:
            return float(row["ccd_temp"])
        except (KeyError, TypeError, ValueError):
            problem = f"has ccd_temp {row.get('ccd_temp')!r} for {row['id']}; expected a temperature in degC"
            raise IntegrityError(self._temperatures, problem) from None

    @property
    def _temperatures(self) -> Path:
        return self.root / "temperatures.csv"

    def _file(self, dark_id: str) -> Path:
        """Return the path of a map. An id comes from outside: it must be one before it becomes part of a path."""
        path = self.root / f"{dark_id}.npy"
        if not _is_dark_id(dark_id) or not path.is_file():
            raise MissingDataError(f"{self.noun} {self.name!r}: there is no calibration {dark_id!r} in {self.root}")
        return path


def _is_dark_id(name: str) -> bool:
    """Say whether a text is YYYYDOY of a day that exists."""
    try:
        return dark_id_to_date(name).replace(":", "") == name
    except DateError:
        return False


NPY = NpyDarkSource(name="npy", label="dark maps as .npy files")


@hookimpl
def aca_dark_sources() -> Iterable[DarkSource]:
    """Return the one source of this plugin."""
    return [NPY]
