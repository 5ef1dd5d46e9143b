"""The models ``grid``, ``grid-floor`` and ``grid-local-quadratic``: acquisition from tables that operations use.

A table gives the probit of failure over magnitude, CCD temperature and half width of the search box. The files are
those of sot/chandra_models, ``<name>-<YYYY-MM>.fits.gz``, and a site keeps them in a folder.

For one certain file set the option ``pattern`` to its name, or make a model of it: ``grid_model(path)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from aca_core import (
    DeclarationError,
    FloatArray,
    InputRange,
    MissingDataError,
    ProbabilityModel,
    StarConditions,
    hookimpl,
    site_option,
)

if TYPE_CHECKING:
    from aca_plugins.grid.tables import GridTable

__all__ = ["GRID", "GRID_FLOOR", "GRID_LOCAL_QUADRATIC", "GridModel", "grid_model"]

SOURCE: Final = "sot/chandra_models, aca_acq_prob"

FOLDER: Final = Path("aca_acq_prob")
"""The folder of the files, below the archive root."""

ENDINGS: Final = (".fits.gz", ".fits")

_DATED: Final = re.compile(r"(?P<stem>.*)-(?P<month>\d{4}-(0[1-9]|1[0-2]))(\.fits(\.gz)?)?", re.ASCII)
"""A name that ends in the month of the model."""

FAINT_SLACK: Final = 0.25
"""How much fainter than the last magnitude a star may be without a warning, mag: chandra_aca star_probs.py."""


@attrs.frozen(kw_only=True)
class GridModel(ProbabilityModel):
    """Acquisition success from a table of probits over magnitude, CCD temperature and half width of the search box.

    The result is not limited: the tables hold floors of their own. A star that is fainter than the table is evaluated
    at the table's end, where success may still be high.

    Attributes
    ----------
    folder : Path
        Where the files lie; a site may set it.
    pattern : str
        Which file: a pattern such as ``grid-*``, of which the file with the latest month at the end of its name counts,
        or the whole name of one, with or without ``.fits.gz``. A site may set it.

    Examples
    --------
    >>> GRID_FLOOR.pattern, GRID_FLOOR.folder.as_posix()
    ('grid-floor-*', 'aca_acq_prob')
    """

    inputs: tuple[str, ...] = ("mag", "t_ccd", "color", "halfwidth")
    corrections: tuple[str, ...] = ("color", "spoiler")
    source: str = SOURCE
    folder: Path = site_option(FOLDER, help="folder of grid files <name>-<YYYY-MM>.fits.gz")
    pattern: str = site_option(
        "grid-*", help="which file: its name, or a pattern with * of which the latest month counts"
    )

    def path(self) -> Path:
        """Return the file that answers now.

        Returns
        -------
        Path

        Raises
        ------
        MissingDataError
            There is no such folder, or no such file in it; the message lists what there is. Or it cannot be read.
        """
        key = f"models.{self.name}.folder"
        try:
            if not self.folder.is_dir():
                text = f"there is no folder {self.folder}; put grid files into it, or set {key} in the configuration"
                raise MissingDataError(f"{self.noun} {self.name!r}: {text}")
            names = sorted(each.name for each in self.folder.iterdir() if each.name.endswith(ENDINGS))
        except OSError as error:
            text = f"the folder {self.folder} cannot be read ({error.strerror}); set {key} to another one"
            raise MissingDataError(f"{self.noun} {self.name!r}: {text}") from error
        wanted = [name for name in names if name == self.pattern or _stem(name) == self.pattern]
        if not wanted and (
            dated := [name for name in names if fnmatchcase(_stem(name), self.pattern) and _month(name)]
        ):
            wanted = [max(dated, key=lambda name: (_month(name), name))]
        if not wanted:
            there = ", ".join(names) or "no file of that kind"
            text = f"no file <name>-<YYYY-MM>.fits.gz in {self.folder} matches {self.pattern!r}; there is {there}"
            raise MissingDataError(f"{self.noun} {self.name!r}: {text}. Set {key} or models.{self.name}.pattern")
        return self.folder / wanted[0]

    def table(self) -> GridTable:
        """Return the tables of the file that answers now.

        Returns
        -------
        GridTable

        Raises
        ------
        MissingDataError
            There is no such file.
        IntegrityError
            It is damaged, or no grid file.
        """
        from aca_plugins.grid.tables import read_grid

        return read_grid(self.path())

    def input_ranges(self) -> Mapping[str, InputRange]:
        """Return the ranges of the axes of the file, but for those that were declared for this model."""
        axes = self.table().axes
        slack = {"mag": FAINT_SLACK}
        found = {
            name: InputRange(float(axis[0]), float(axis[-1]), warn_above=slack.get(name, 0.0))
            for name, axis in axes.items()
        }
        return {**found, **self.ranges}

    def provenance(self) -> dict[str, str]:
        """Return the source and the options, and the file: ``data_file``, ``data_name`` and ``data_sha256``."""
        table = self.table()
        file = {"data_file": str(table.path), "data_name": table.name, "data_sha256": table.sha256}
        return {**super().provenance(), **file}

    def success(self, stars: StarConditions) -> FloatArray:
        """Interpolate in the table.

        Parameters
        ----------
        stars : StarConditions
            With ``mag``, ``t_ccd``, ``color`` and ``halfwidth``.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        import numpy as np
        from scipy.special import ndtr

        # A color that is not known leaves it open which of the two tables counts.
        return np.where(np.isnan(stars.color), np.nan, ndtr(-self.table().probit(stars)))


def grid_model(path: str | Path, name: str = "grid-file") -> GridModel:
    """Return the model of one certain file, wherever it lies.

    Parameters
    ----------
    path : path-like
        A grid file.
    name : str, default 'grid-file'
        What the model is called in results.

    Returns
    -------
    GridModel
        For ``model=`` of the functions of `aca_core.probability`.

    Raises
    ------
    DeclarationError
        The file's name does not end in ``.fits`` or ``.fits.gz``. It is a ValueError.

    Examples
    --------
    >>> grid_model("models/grid-floor-2020-02.fits.gz").pattern
    'grid-floor-2020-02.fits.gz'
    """
    if not isinstance(path, str | Path) or not Path(path).name.endswith(ENDINGS):
        raise DeclarationError("grid_model", "path", path, "a file <name>.fits.gz or <name>.fits")
    path = Path(path)
    return GridModel(
        name=name, label="one grid file", kind="acquisition", folder=path.parent.absolute(), pattern=path.name
    )


# ---- names of files -------------------------------------------------------------------------------------------------


def _stem(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".fits")


def _month(name: str) -> str:
    """Return the month at the end of a name, or nothing."""
    match = _DATED.fullmatch(name)
    return match["month"] if match else ""


GRID: Final = GridModel(name="grid", label="the newest grid file of any kind", kind="acquisition")
GRID_FLOOR: Final = attrs.evolve(
    GRID, name="grid-floor", label="the newest grid-floor file (2018 to 2020)", pattern="grid-floor-*"
)
GRID_LOCAL_QUADRATIC: Final = attrs.evolve(
    GRID,
    name="grid-local-quadratic",
    label="the newest grid-local-quadratic file (since 2023)",
    pattern="grid-local-quadratic-*",
)


@hookimpl
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the three models."""
    return [GRID, GRID_FLOOR, GRID_LOCAL_QUADRATIC]
