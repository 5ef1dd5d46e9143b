"""The telemetry of one slot as one object: a masked record array as mica has it, or a table with units."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.aca_l0.columns import ACA_COLUMNS, checked_columns
from aca_core.aca_l0.one_slot import SlotColumns, slot_columns
from aca_core.arrays import BoolArray
from aca_core.dates import to_date, to_secs
from aca_core.errors import DeclarationError
from aca_core.tables import creator

if TYPE_CHECKING:
    from astropy.table import Column, Table

    from aca_core.dates import DateLike

__all__ = ["ACA_DTYPE", "ascii_text", "get_slot_data", "record_dtype", "table_column"]

ACA_DTYPE: Final = tuple(
    (column.name, column.dtype, (64,)) if column.name == "IMGRAW" else (column.name, column.dtype)
    for column in ACA_COLUMNS.values()
)
"""The fields of the record arrays of `get_slot_data`, for ``numpy.dtype(list(ACA_DTYPE))``."""


def get_slot_data(
    start: DateLike,
    stop: DateLike,
    slot: int,
    imgsize: int | Sequence[int] | None = None,
    db: Any = None,
    data_root: str | Path | None = None,
    columns: Iterable[str] | None = None,
    centered_8x8: bool = False,
    *,
    as_table: bool = False,
) -> Any:
    """Return the telemetry of a slot with ``start <= TIME <= stop``.

    Parameters
    ----------
    start, stop : date
        In any form of `aca_core.dates`; both ends are included. None for `stop` is now.
    slot : int
        0 to 7.
    imgsize : int or sequence of int, optional
        Only images of these sizes: 4, 6, 8.
    db : path-like or mapping, optional
        Another index: an SQLite file, or a dictionary with its path as ``server``.
    data_root : path-like, optional
        Another tree: the folder that has the files in ``YYYY/DOY``, and their index.
    columns : iterable of str, optional
        Which columns, see `ACA_COLUMNS`; all by default. They come in the order of that table.
    centered_8x8 : bool, default False
        Whether images lie in the middle of 8x8 pixels. By default they lie in the lower left corner: pixel ``[i, j]``
        of an image is element ``8 * i + j`` of IMGRAW, whose shape is (rows, 64).
    as_table : bool, default False
        Whether to return a table, column by column: faster, with units, and images of shape (rows, 8, 8).

    Returns
    -------
    masked structured ndarray or astropy.table.Table
        By TIME, each time once. Masked is what a row does not have: columns that its image size lacks, pixels outside
        of its image, the corners of 6x6 images, which the camera does not read. Records are in the byte order of the
        files; a table is in that of the machine, only columns that lack anything are masked, and ``meta`` tells where
        it comes from.

    Raises
    ------
    UnknownNameError
        There is no such column. It is a LookupError.
    DeclarationError
        There is no such slot or size. It is a ValueError.
    DateError
        The range goes backwards, or one of its ends is no date. It is a ValueError.
    IntegrityError
        An archived file is damaged or lost.

    Examples
    --------
    >>> from aca_core import open_archive, using
    >>> import tempfile
    >>> with using(open_archive(tempfile.mkdtemp())):  # nothing is archived there
    ...     data = get_slot_data("2012:001", "2012:002", slot=7, columns=["TIME", "TEMPCCD"])
    >>> data.dtype
    dtype([('TIME', '>f8'), ('TEMPCCD', '>f4')])
    """
    names = checked_columns("get_slot_data", columns)
    if not names:
        raise DeclarationError("get_slot_data", "columns", [], "at least one column, or None for all")
    stop = to_secs() if stop is None else stop  # the same now for the question and for what is told of it
    data = slot_columns(start, stop, slot, imgsize, names, centered=centered_8x8, db=db, data_root=data_root)
    if as_table:
        return _table(data, names, start, stop)
    return _records(data, record_dtype(names, centered=centered_8x8))


# ---- records --------------------------------------------------------------------------------------------------------


def record_dtype(names: Iterable[str], *, centered: bool = False) -> np.dtype[Any]:
    """Return the type of records with some columns.

    Parameters
    ----------
    names : iterable of str
        Columns, in the order of the fields.
    centered : bool, default False
        Whether images have the shape (8, 8), and not (64,).

    Returns
    -------
    numpy.dtype
    """
    shape = (8, 8) if centered else (64,)
    kinds = {name: ACA_COLUMNS[name].dtype for name in names}
    return np.dtype([(name, kind, shape) if name == "IMGRAW" else (name, kind) for name, kind in kinds.items()])


def _records(data: SlotColumns, kind: np.dtype[Any]) -> Any:
    """Return the rows as a masked array of records."""
    records = np.zeros(len(data), kind)
    masks: Any = np.zeros(len(data), np.ma.make_mask_descr(kind))
    for name in kind.names or ():
        if name == "FILENAME":
            _fill_names(records[name], data)
        else:
            values = data.imgsize if name == "IMGSIZE" else data.values[name]
            records[name] = values.reshape(records[name].shape)
        if name in data.missing:
            masks[name] = data.missing[name].reshape(masks[name].shape)
    return np.ma.MaskedArray(records, mask=masks, copy=False)


def _fill_names(names: npt.NDArray[np.str_], data: SlotColumns) -> None:
    """Write the names of files, run by run: they are 512 bytes each, and few."""
    starts = np.flatnonzero(np.diff(data.file_of_row, prepend=-1)).tolist()
    for first, end in itertools.pairwise([*starts, len(data)]):
        names[first:end] = data.files[data.file_of_row[first]]


# ---- tables ---------------------------------------------------------------------------------------------------------


def _table(data: SlotColumns, names: Iterable[str], start: DateLike, stop: DateLike) -> Table:
    """Return the rows as a table; nothing is copied."""
    from astropy.table import Table

    derived: dict[str, Callable[[], Any]] = {
        "IMGSIZE": lambda: data.imgsize.astype(np.int32),
        "FILENAME": data.filenames,
    }
    columns = [
        table_column(name, derived[name]() if name in derived else data.values[name], data.missing.get(name))
        for name in names
    ]
    return Table(columns, copy=False, meta={"SLOT": data.slot, **table_meta([data], start, stop)})


def table_meta(slots: Sequence[SlotColumns], start: DateLike, stop: DateLike) -> dict[str, Any]:
    """Return what a table says of where it comes from.

    Parameters
    ----------
    slots : sequence of SlotColumns
        What it is made of.
    start, stop : date
        The range that was asked for; there may be no start.

    Returns
    -------
    dict
        Short keys in capitals, which fit into the header of a FITS file.
    """
    sources = [each.provenance for each in slots]
    return {
        **({} if start is None else {"START": to_date(start)}),
        "STOP": to_date(stop),
        "ARCHIVE": ascii_text(sources[0]["archive"]),
        "PRODUCT": sources[0]["product"],
        "FILES": sum(each["files"] for each in sources),
        "STORED": sum(each["files_from_column_store"] for each in sources),
        "SYNTHET": any(each.synthetic for each in slots),
        "CREATOR": creator(),
    }


def table_column(
    name: str,
    values: npt.NDArray[Any],
    missing: BoolArray | None = None,
    *,
    unit: str | None = None,
    description: str | None = None,
) -> Column:
    """Return a column of a table, which shares its values.

    Parameters
    ----------
    name : str
        Of the column; one of `ACA_COLUMNS` has its unit and its description from there.
    values : ndarray, shape (rows, ...)
        Its values.
    missing : ndarray of bool, optional
        Which of them are none; the column is masked then.
    unit, description : str, optional
        Of other columns, or in place of those of the table.

    Returns
    -------
    astropy.table.Column or astropy.table.MaskedColumn
    """
    from astropy.table import Column, MaskedColumn

    known = ACA_COLUMNS.get(name)
    if known is not None:
        unit, description = known.unit if unit is None else unit, description or known.description
    more = {"name": name, "unit": unit or None, "description": description, "copy": False}
    return Column(values, **more) if missing is None else MaskedColumn(values, mask=missing, **more)


def ascii_text(text: str) -> str:
    r"""Return a text as the header of a FITS file may have it.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    str
        Other characters than those of ASCII as Python writes them.

    Examples
    --------
    >>> ascii_text("/data/Ärchiv")
    '/data/\\xc4rchiv'
    """
    return text.encode("ascii", "backslashreplace").decode()
