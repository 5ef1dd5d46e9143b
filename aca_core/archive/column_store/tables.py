"""The rows of one table file, as the column store takes them over: names in upper case, texts as bytes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aca_core.errors import IntegrityError
from aca_core.fits_tables import read_table

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["read_file"]


def read_file(
    path: Path, time: str, columns: Iterable[str] | None = None
) -> tuple[Mapping[str, Any], dict[str, npt.NDArray[Any]]]:
    """Read columns of a table file.

    Parameters
    ----------
    path : Path
        The file.
    time : str
        The column that it must have.
    columns : iterable of str, optional
        What else is wanted, where it is there; all by default.

    Returns
    -------
    header : dict
        Of the table.
    values : dict of str to ndarray, shape (rows, ...)
        By name in upper case, those without a name left out; texts as bytes.

    Raises
    ------
    IntegrityError
        The file is damaged, has no such table, or no times.
    FileNotFoundError
        It is not there.
    """
    import numpy as np

    try:
        if columns is None:
            header, values = read_table(path, None)
            if time.lower() not in values:  # which says it as every other reader does
                read_table(path, [time])
        else:
            header, values = read_table(path, [time], optional=columns)
    except IntegrityError as error:
        # A file that another one has taken the place of is not damaged: who asks can ask the index again.
        if isinstance(error.__cause__, FileNotFoundError) or not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        raise
    times = values[time.lower()]
    if times.ndim != 1 or times.dtype.kind not in "fiu":
        problem = f"its column {time} is no time of a row: it has {times.dtype} of the shape {times.shape}"
        raise IntegrityError(path, problem)
    return header, {
        name.upper(): np.char.encode(each, "ascii", "replace") if each.dtype.kind == "U" else each
        for name, each in values.items()
        if name
    }
