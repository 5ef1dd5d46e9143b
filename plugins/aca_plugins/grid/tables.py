"""What is in a file of probits over magnitude, CCD temperature and half width, and what it says between its points."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core import FloatArray, IntegrityError, MissingDataError, StarConditions

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["GridTable", "read_grid"]

AXES: Final = {"mag": "MAG", "t_ccd": "T_CCD", "halfwidth": "HALFW"}
"""The axes of a table in their order, and what they are called in its header."""

RED: Final = 1.5
"""The B-V of the stars of the second table, mag."""

_MOST_BYTES: Final = 100_000_000
"""Far more than an operational file has; what unpacks to more is none."""

_MOST_POINTS: Final = 100_000
"""Far more than an axis has; a header that claims more is damaged."""

_BLOCK: Final = 2880
"""A FITS file is as long as some blocks of so many bytes."""

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
        if len(content) % _BLOCK:  # astropy would warn of it, and not always refuse it
            raise ValueError(f"its {len(content)} bytes are no whole blocks of {_BLOCK}, as if it were cut short")
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
