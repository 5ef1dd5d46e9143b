"""Tables from files and into files: CSV, ECSV, FITS, HDF5, and arrays of numpy; which of them the file's name says."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aca_core._whole_files import replacing
from aca_core.errors import DateError, DeclarationError, IntegrityError, MissingDataError, UnknownNameError
from aca_core.quantities import as_floats

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.arrays import FloatArray

__all__ = [
    "cells_of",
    "column_of",
    "creator",
    "numbers_in",
    "read_table_file",
    "rows_of",
    "times_in",
    "write_table_file",
]

_FORMATS: Final = {
    ".csv": "ascii.csv",
    ".ecsv": "ascii.ecsv",
    ".fits": "fits",
    ".fits.gz": "fits",
    ".fit": "fits",
    ".h5": "hdf5",
}
"""Endings of names, and what astropy calls these formats."""

_DATASET: Final = "data"
"""What a table is called within an HDF5 file."""

_ARRAYS: Final = ".npz"


@functools.cache
def creator() -> str:
    """Return what a table, or the file of an image, says of the program that made it.

    Returns
    -------
    str
        Such as ``aca_core 0.1.0``.
    """
    from importlib.metadata import version

    return f"aca_core {version('aca-core')}"


def read_table_file(path: str | Path) -> Table:
    r"""Read a table: CSV, ECSV, FITS (the first table in it), HDF5 (``data``), or the arrays of an ``.npz`` file.

    Parameters
    ----------
    path : path-like
        The file; its ending says the format.

    Returns
    -------
    astropy.table.Table
        What is empty in a CSV file is masked.

    Raises
    ------
    DeclarationError
        `path` is no path. It is a ValueError.
    MissingDataError
        There is no such file.
    IntegrityError
        It cannot be read, or its ending is of no format that is known.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "stars.csv"
    >>> _ = path.write_text("mag,t_ccd\n10.3,-11\n")
    >>> read_table_file(path)["mag"].tolist()
    [10.3]
    """
    import numpy as np
    from astropy.table import Table

    path = _path("read_table_file", path)
    try:
        is_file = path.is_file()
    except OSError as error:
        raise IntegrityError(path, f"cannot be read: {error.strerror}") from error
    if not is_file:
        raise MissingDataError(f"there is no file {path}")
    ending = _ending(path)
    if ending not in (*_FORMATS, _ARRAYS):
        raise IntegrityError(path, f"is no table by its name; expected {_endings(reading=True)}")
    try:
        if ending == _ARRAYS:
            with np.load(path, allow_pickle=False) as arrays:
                return Table({name: arrays[name] for name in arrays})
        kinds: dict[str, dict[str, Any]] = {"fits": {"hdu": 1}, "hdf5": {"path": _DATASET}}
        keywords = kinds.get(_FORMATS[ending], {})
        with warnings.catch_warnings():
            if _FORMATS[ending] == "fits":
                from astropy.io.fits.verify import VerifyWarning

                warnings.simplefilter("ignore", VerifyWarning)  # what cannot be read for it is an error of ours
            table = Table.read(path, format=_FORMATS[ending], **keywords)
            if _FORMATS[ending] == "hdf5":
                table.convert_bytestring_to_unicode()  # HDF5 has texts as bytes
    except Exception as error:  # astropy's readers raise anything from ValueError to IndexError
        raise IntegrityError(path, f"cannot be read as a table ({error})") from error
    if not table.colnames:
        raise IntegrityError(path, "cannot be read as a table: it has no columns")
    return table


def write_table_file(table: Table, path: str | Path) -> Path:
    """Write a table as CSV, ECSV, FITS or HDF5, whole or not at all; a file of that name is replaced.

    Parameters
    ----------
    table : astropy.table.Table
        Its ``meta``, units and descriptions are kept by ECSV and HDF5, and by FITS as far as a header takes them: DN is
        ``adu`` there, and a unit without a name in FITS, such as electron, goes into the description. In an HDF5 file
        it is the dataset ``data``, which any reader of HDF5 can read.
    path : path-like
        The file; its ending says the format.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    DeclarationError
        `path` is no path, or its ending is of no format that is known, or that has no place for a column of arrays,
        as CSV. It is a ValueError.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from astropy.table import Table
    >>> table = Table({"time": [0.0, 4.1], "ccd_temp": [-10.0, -10.02]}, units=["s", "deg_C"])
    >>> path = write_table_file(table, Path(tempfile.mkdtemp()) / "temperatures.h5")
    >>> read_table_file(path)["ccd_temp"].unit
    Unit("deg_C")
    """
    path = _path("write_table_file", path)
    ending = _ending(path)
    if ending not in _FORMATS:
        raise DeclarationError("write_table_file", "path", str(path), f"a name that ends in {_endings(reading=False)}")
    arrays = [name for name in table.colnames if len(table[name].shape) > 1]
    if ending == ".csv" and arrays:
        expected = f"one that ends in {', '.join(each for each in _FORMATS if each != ending)}"
        expected += f", since {', '.join(arrays)} has an array in each row and CSV has no place for one"
        raise DeclarationError("write_table_file", "path", str(path), expected)
    keywords: dict[str, Any] = {"path": _DATASET, "serialize_meta": True} if _FORMATS[ending] == "hdf5" else {}
    if _FORMATS[ending] == "fits":
        table = _in_units_of_fits(table)
    with replacing(path) as part:
        table.write(part, format=_FORMATS[ending], overwrite=True, **keywords)
    return path


def _in_units_of_fits(table: Table) -> Table:
    """Return a table in units that FITS has a name for: a DN is an ``adu`` there, and others become words."""
    nameless = {name: str(table[name].unit) for name in table.colnames if not _is_of_fits(table[name].unit)}
    if nameless:
        table = table.copy(copy_data=False)
    for name, unit in nameless.items():
        column = table[name]
        column.unit = "adu" if unit == "DN" else None
        if column.unit is None:
            column.description = f"{column.description or ''} [{unit}]".lstrip()
    return table


def _is_of_fits(unit: Any) -> bool:
    """Say whether a column has no unit, or one with a name in FITS."""
    if unit is not None:
        try:
            unit.to_string(format="fits")
        except ValueError:
            return False
    return True


def column_of(table: Table, names: Sequence[str], path: str | Path) -> str:
    """Return the first of some names that a table has as a column.

    Parameters
    ----------
    table : astropy.table.Table
        The table.
    names : sequence of str
        The names that a column may have; case does not matter.
    path : path-like
        Where the table is from, for the message.

    Returns
    -------
    str
        As the table spells it.

    Raises
    ------
    UnknownNameError
        It has none of them.
    """
    spelt: dict[str, str] = {name.lower(): name for name in reversed(table.colnames)}
    for name in names:
        if name.lower() in spelt:
            return spelt[name.lower()]
    raise UnknownNameError("column", " or ".join(names), table.colnames, f"The table is {path}.")


def numbers_in(table: Table, column: str, path: str | Path, unit: str = "") -> FloatArray:
    """Return the numbers of a column.

    Parameters
    ----------
    table : astropy.table.Table
        The table.
    column : str
        Its column.
    path : path-like
        Where the table is from, for the message.
    unit : str, optional
        The unit that is wanted, where the column has one.

    Returns
    -------
    ndarray of float64, (n_rows,)
        NaN where the cell is empty or masked.

    Raises
    ------
    DeclarationError
        A cell is no number; the message names the first one. It is a ValueError.

    Examples
    --------
    >>> from astropy.table import Table
    >>> numbers_in(Table({"mag": [9.5, float("nan")]}), "mag", "a table").tolist()
    [9.5, nan]
    """
    import numpy as np

    what, values = f"column {column!r} of {path}", np.ma.asarray(table[column])
    if values.dtype.kind in "US":  # one word makes a whole column of a CSV file a text
        for row, cell in enumerate(values.tolist()):
            if cell is not None and not _is_number(cell):
                raise DeclarationError(what, f"row {row + 1}", cell, f"a number{f' in {unit}' if unit else ''}")
    return as_floats(what, "it", table[column], unit)


def _is_number(cell: str | bytes) -> bool:
    try:
        float(cell or 0)
    except ValueError:
        return not cell.strip()
    return True


def times_in(table: Table, column: str, path: str | Path, *, years: bool = False) -> FloatArray:
    """Return the dates of a column as CXC seconds.

    Parameters
    ----------
    table : astropy.table.Table
        The table.
    column : str
        Its column: dates in any form of `aca_core.dates`.
    path : path-like
        Where the table is from, for the message.
    years : bool, default False
        Whether numbers are years with a fraction, and not seconds.

    Returns
    -------
    ndarray of float64, (n_rows,)
        CXC seconds; NaN where the cell is empty, masked or not a number.

    Raises
    ------
    DateError
        A cell is no date; the message names the column and the table.

    Examples
    --------
    >>> from astropy.table import Table
    >>> times_in(Table({"date": ["1998:001:00:00:00", ""]}), "date", "a table").round(3).tolist()
    [63.184, nan]
    >>> times_in(Table({"year": [1998.0]}), "year", "a table", years=True).round(3).tolist()
    [63.184]
    """
    import numpy as np

    from aca_core.dates import to_secs

    if hasattr(table[column], "cxcsec"):  # a column of astropy's times
        return np.ma.filled(np.ma.asarray(to_secs(table[column])), np.nan)
    values = np.ma.asarray(table[column])
    known = ~np.ma.getmaskarray(values)
    plain = values.data
    if plain.ndim != 1:
        raise DateError(f"an array of shape {plain.shape[1:]}", f"column {column!r} of {path} needs one date in a row")
    if plain.dtype.kind == "f":
        known &= np.isfinite(plain)
    elif plain.dtype.kind in "US":
        known &= np.char.strip(plain) != plain.dtype.type()
    elif plain.dtype.kind == "O":
        known &= np.array([each is not None for each in plain], dtype=bool)
    secs = np.full(len(table), np.nan)
    try:
        secs[known] = to_secs(plain[known], format="frac_year" if years else None)
    except DateError as error:
        raise DateError(error.value, f"column {column!r} of {path}: {error.problem}") from None
    return secs


def cells_of(column: Any) -> list[Any]:
    """Return the values of a column as Python's own; those of times and coordinates as texts.

    Parameters
    ----------
    column : astropy.table.Column, Quantity, or another column of a table
        The column.

    Returns
    -------
    list
        None for what is masked.
    """
    from astropy.table import Column
    from astropy.units import Quantity

    if isinstance(column, Column):
        return list(column.tolist())
    return list(column.value.tolist()) if isinstance(column, Quantity) else [str(each) for each in column]


def rows_of(table: Table) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts of plain values, for JSON.

    Parameters
    ----------
    table : astropy.table.Table
        The table.

    Returns
    -------
    list of dict
        None for what is masked, NaN or infinite, also within the cells of a column of arrays.

    Examples
    --------
    >>> from astropy.table import Table
    >>> rows_of(Table({"mag": [9.5, float("nan")], "n": [1, 2]}))
    [{'mag': 9.5, 'n': 1}, {'mag': None, 'n': 2}]
    """
    columns = {name: [_plain(cell) for cell in cells_of(table[name])] for name in table.colnames}
    return [{name: cells[row] for name, cells in columns.items()} for row in range(len(table))]


def _plain(cell: Any) -> Any:
    if isinstance(cell, list):
        return [_plain(each) for each in cell]
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _path(what: str, path: Any) -> Path:
    try:
        return Path(path)
    except TypeError:
        raise DeclarationError(what, "path", path, "the path of a file") from None


def _ending(path: Path) -> str:
    name = path.name.lower()
    return ".fits.gz" if name.endswith(".fits.gz") else Path(name).suffix


def _endings(*, reading: bool) -> str:
    return ", ".join([*_FORMATS, *([_ARRAYS] if reading else [])])
