"""The models ``grid``, ``grid-floor`` and ``grid-local-quadratic``: acquisition from tables that operations use.

A table gives the probit of failure over magnitude, CCD temperature and half width of the search box. The files are
those of sot/chandra_models, ``<name>-<YYYY-MM>.fits.gz``, and a site keeps them in a folder.

For one certain file set the option ``pattern`` to its name, or make a model of it: ``grid_model(path)``.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core import (
    DeclarationError,
    FloatArray,
    InputRange,
    IntegrityError,
    MissingDataError,
    ProbabilityModel,
    StarConditions,
    hookimpl,
    site_option,
)

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["GRID", "GRID_FLOOR", "GRID_LOCAL_QUADRATIC", "GridModel", "GridTable", "grid_model"]

SOURCE: Final = "sot/chandra_models, aca_acq_prob"

FOLDER: Final = Path("aca_acq_prob")
"""The folder of the files, below the archive root."""

ENDINGS: Final = (".fits.gz", ".fits")

_DATED: Final = re.compile(r"(?P<stem>.*)-(?P<month>\d{4}-(0[1-9]|1[0-2]))(\.fits(\.gz)?)?", re.ASCII)
"""A name that ends in the month of the model."""

AXES: Final = {"mag": "MAG", "t_ccd": "T_CCD", "halfwidth": "HALFW"}
"""The axes of a table in their order, and what they are called in its header."""

FAINT_SLACK: Final = 0.25
"""How much fainter than the last magnitude a star may be without a warning, mag: chandra_aca star_probs.py."""

RED: Final = 1.5
"""The B-V of the stars of the second table, mag."""

_MOST_BYTES: Final = 100_000_000
"""Far more than an operational file has; what unpacks to more is none."""

_MOST_POINTS: Final = 100_000
"""Far more than an axis has; a header that claims more is damaged."""

_KEPT: Final = 8
"""How many tables are kept in memory; each is some 0.1 to 1 MB."""


@attrs.frozen(eq=False)
class GridTable:
    """The tables of one file; its arrays are read-only.

    Attributes
    ----------
    path : Path
        The file.
    name : str
        Its keyword MDL_NAME, a label.
    sha256 : str
        Of the file's bytes.
    axes : mapping of str to ndarray
        By input, the points of the axis, ascending: ``mag``, ``t_ccd`` (degC), ``halfwidth`` (arcsec).
    probits : tuple of ndarray
        Probit of failure, shape (mag, t_ccd, halfwidth), for most stars and for those of B-V 1.5.
    """

    path: Path
    name: str
    sha256: str
    axes: Mapping[str, FloatArray]
    probits: tuple[FloatArray, FloatArray]

    def probit(self, stars: StarConditions) -> FloatArray:
        """Interpolate linearly in each axis.

        Parameters
        ----------
        stars : StarConditions
            With ``mag``, ``t_ccd``, ``color`` and ``halfwidth``, inside the axes.

        Returns
        -------
        ndarray
            Probit of failure, of the same shape; exact at the points of the axes.
        """
        import numpy as np

        places = [_place(self.axes[name], getattr(stars, name)) for name in AXES]
        first, second = self.probits
        probit = _interpolated(first, places)
        if second is not first:
            is_red = np.isclose(stars.color, RED)
            if is_red.any():
                probit = np.where(is_red, _interpolated(second, places), probit)
        return probit


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
            There is no such folder, or no such file in it; the message lists what there is.
        """
        key = f"models.{self.name}.folder"
        if not self.folder.is_dir():
            text = f"there is no folder {self.folder}; put grid files into it, or set {key} in the configuration"
            raise MissingDataError(f"{self.noun} {self.name!r}: {text}")
        names = sorted(each.name for each in self.folder.iterdir() if each.name.endswith(ENDINGS))
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
    path = Path(path)
    if not path.name.endswith(ENDINGS):
        raise DeclarationError("grid_model", "path", str(path), "a file <name>.fits.gz or <name>.fits")
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


# ---- interpolation --------------------------------------------------------------------------------------------------


def _place(axis: FloatArray, values: FloatArray) -> tuple[Any, FloatArray]:
    """Return the interval of an axis that each value is in, and how far in, 0 to 1; NaN goes on as NaN."""
    import numpy as np

    left = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, axis.size - 2)
    return left, np.asarray((values - axis[left]) / (axis[left + 1] - axis[left]))


def _interpolated(table: FloatArray, places: list[tuple[Any, FloatArray]]) -> FloatArray:
    import numpy as np

    (i, x), (j, y), (k, z) = places
    flat = table.ravel()
    _, n_j, n_k = table.shape
    corner = (i * n_j + j) * n_k + k
    total: Any = 0.0
    for di, wx in ((0, 1.0 - x), (1, x)):
        for dj, wy in ((0, 1.0 - y), (1, y)):
            edge = corner + (di * n_j + dj) * n_k
            # At a point of the axes one weight is exactly 1 and the others 0, so that the table's value comes out.
            total = total + wx * wy * ((1.0 - z) * flat[edge] + z * flat[edge + 1])
    return np.asarray(total)


# ---- reading --------------------------------------------------------------------------------------------------------

_tables: OrderedDict[Path, tuple[tuple[int, int, int], GridTable]] = OrderedDict()
_lock: Final = threading.Lock()


def read_grid(path: Path) -> GridTable:
    """Read a grid file, or remember it as long as the file stays what it is.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    GridTable

    Raises
    ------
    MissingDataError
        It is not there.
    IntegrityError
        It is damaged, or no grid file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise MissingDataError(f"{path}: cannot be read ({error.strerror})") from error
    state = (status.st_mtime_ns, status.st_size, status.st_ino)
    with _lock:
        known = _tables.get(path)
        if known is not None and known[0] == state:
            _tables.move_to_end(path)
            return known[1]
    table = _read(path)  # outside of the lock: two threads may read the same file, and find the same
    with _lock:
        _tables[path] = (state, table)
        _tables.move_to_end(path)
        while len(_tables) > _KEPT:
            _tables.popitem(last=False)
    return table


def _read(path: Path) -> GridTable:
    import gzip
    import hashlib
    import io

    from astropy.io import fits

    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingDataError(f"{path}: cannot be read ({error.strerror})") from error
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as stream:
                content = stream.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise IntegrityError(
                path, f"is larger than {_MOST_BYTES // 1_000_000} MB; expected a grid file of some 0.1 MB"
            )
        with fits.open(io.BytesIO(content), memmap=False) as hdus:
            return _table_of(path, hdus, sha256)
    except IntegrityError:
        raise
    except Exception as error:  # astropy raises anything from OSError to IndexError for what is no FITS file
        raise IntegrityError(path, f"cannot be read as a grid file ({error}); fetch it again") from error


def _table_of(path: Path, hdus: HDUList, sha256: str) -> GridTable:
    import numpy as np

    if len(hdus) < 3:
        raise IntegrityError(path, f"has {len(hdus)} HDUs; expected a header and two images of probits")
    header = hdus[0].header
    axes = {name: _axis(path, header, keyword) for name, keyword in AXES.items()}
    shape = tuple(axis.size for axis in axes.values())
    probits = []
    for number in (1, 2):
        data = hdus[number].data
        if data is None or data.shape != shape:
            found = "no image" if data is None else f"an image of shape {data.shape}"
            raise IntegrityError(path, f"HDU {number} holds {found}; expected {shape}, as the header's axes say")
        probit = np.array(data, dtype=float)
        if not np.isfinite(probit).all():
            raise IntegrityError(path, f"HDU {number} holds values that are no numbers; fetch it again")
        probit.flags.writeable = False
        probits.append(probit)
    first, second = probits
    if np.array_equal(first, second):  # as in every file since 2023
        second = first
    return GridTable(path, str(header.get("MDL_NAME", "")), sha256, axes, (first, second))


def _axis(path: Path, header: Header, keyword: str) -> FloatArray:
    """Return the points of an axis: listed one by one, or evenly from LO to HI."""
    import numpy as np

    count, low, high = (_number(path, header, f"{keyword}_{part}") for part in ("N", "LO", "HI"))
    if count != int(count) or not 2 <= count <= _MOST_POINTS:
        raise IntegrityError(path, f"{keyword}_N is {count:g}; expected how many points the axis has, 2 or more")
    listed = [f"{keyword}_{index}" for index in range(int(count))]
    if all(name in header for name in listed):
        axis = np.array([_number(path, header, name) for name in listed])
    else:
        axis = np.linspace(low, high, int(count))
    if not (np.diff(axis) > 0).all():
        raise IntegrityError(path, f"the axis {keyword} is {axis.tolist()}; expected ascending values")
    if axis[0] != low or axis[-1] != high:
        text = f"the axis {keyword} goes from {axis[0]:g} to {axis[-1]:g}; {keyword}_LO and {keyword}_HI say"
        raise IntegrityError(path, f"{text} {low:g} and {high:g}")
    axis.flags.writeable = False
    return axis


def _number(path: Path, header: Header, keyword: str) -> float:
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntegrityError(path, f"the keyword {keyword} is {value!r}; expected a number")
    return float(value)


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
