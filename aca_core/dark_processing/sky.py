"""Where the camera looked during a calibration, and how bright the zodiacal light was there: a table of all of them."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, Final

from aca_core._frozen import FrozenMapping
from aca_core.dark_sources import DarkSource
from aca_core.dates import dark_id_to_date
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.tables import read_table_file

__all__ = ["SKY_TABLE", "sky_properties"]

SKY_TABLE: Final = Path("Result", "zodi.csv")
"""In the folder of each calibration; that of the latest one has a row for each."""

_COLUMNS: Final = ("date", "ra", "dec", "el", "eb", "sun_el", "l_l0", "zodib")


def sky_properties(source: DarkSource, dark_id: str) -> dict[str, Any]:
    """Return what the latest table of the ground system says of the sky in a calibration.

    Parameters
    ----------
    source : DarkSource
        Of the ground system.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    dict
        The columns of its row: ``date`` (``YYYY:DOY``), ``ra``, ``dec``, ``el``, ``eb``, ``sun_el``, ``l_l0`` (deg),
        ``zodib``, and whatever else the row has.

    Raises
    ------
    MissingDataError
        There is no table, or no row in it.
    IntegrityError
        It cannot be read, lacks a column, or has nothing in it for this calibration.
    """
    latest = source.ids()[-1]
    path = source.directory(latest) / SKY_TABLE
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        text = f"the latest calibration, {latest}, has no table of the sky {path}"
        raise MissingDataError(f"{text}; it comes with the products of the ground system") from None
    rows = _rows(str(path), (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino))
    date = dark_id_to_date(dark_id)
    if date not in rows:
        raise MissingDataError(f"{path} has no row with the date {date}, of calibration {dark_id}")
    row = rows[date]
    if empty := [name for name in _COLUMNS if row[name] is None]:
        raise IntegrityError(path, f"its row with the date {date} has no value for {', '.join(empty)}")
    return {name: value for name, value in row.items() if value is not None}


@functools.lru_cache(maxsize=4)
def _rows(path: str, state: tuple[int, ...]) -> FrozenMapping[str, FrozenMapping[str, Any]]:
    """Return the rows by date, with None for what is empty; read again when the file has changed."""
    table = read_table_file(path)
    if missing := [name for name in _COLUMNS if name not in table.colnames]:
        raise IntegrityError(path, f"has no column {', '.join(missing)}; expected {', '.join(_COLUMNS)}")
    rows: dict[str, FrozenMapping[str, Any]] = {}
    for row in table:
        values = {name: _value(row[name]) for name in table.colnames}
        for name in _COLUMNS[1:]:
            if isinstance(values[name], str):
                raise IntegrityError(path, f"its column {name} has {values[name]!r}; expected a number")
            values[name] = values[name] if values[name] is None else float(values[name])
        rows.setdefault(str(values["date"]).strip(), FrozenMapping(values))
    return FrozenMapping(rows)


def _value(cell: Any) -> Any:
    """Return what a cell has as a Python value; None where it is empty, or a number that JSON does not know."""
    import numpy as np

    if np.ma.is_masked(cell):
        return None
    value = cell.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
