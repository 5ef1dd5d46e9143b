"""A table of properties: one row for each calibration, one typed column for each property that is a single value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aca_core.dark_cal.properties import Scalar
from aca_core.errors import IntegrityError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    from astropy.table import Table

__all__ = ["property_table"]

_TEXTS: Final = ("date", "id")
"""Properties that are names, although they look like numbers: texts, even where a file has a number."""

_OF_EVERY: Final = {"ccd_temp": np.dtype("f8"), "date": np.dtype("U8")}
"""What both kinds of properties have, classic and newer: the columns of a table without rows."""

_FILLERS: Final[Mapping[type, Any]] = {bool: False, int: 0, float: np.nan, str: ""}
"""What stands below the mask."""

_KINDS: Final[Mapping[type, Any]] = {bool: np.bool_, int: np.int64, float: np.float64, str: np.str_}


_LAST: Final[list[tuple[tuple[Mapping[str, Scalar], ...], dict[str, Any]]]] = []
"""The rows of the last table, which nobody changes, and the columns that were made of them, which nobody else gets."""


def property_table(
    rows: Sequence[Mapping[str, Scalar]], meta: Mapping[str, Any], place_of: Callable[[int], Path]
) -> Table:
    """Return properties as a table.

    Parameters
    ----------
    rows : sequence of mapping
        The properties of each calibration that are single values.
    meta : mapping
        For the table's ``meta``.
    place_of : callable
        Returns the file that a row is from, by its number, for messages.

    Returns
    -------
    astropy.table.Table
        Columns in the order in which the properties appear first; what a row lacks is masked. Without rows, the
        columns that all calibrations have.

    Raises
    ------
    IntegrityError
        A property is a text in one file and a number in another.
    """
    from astropy.table import Table

    if not rows:
        empty = {name: np.empty(0, dtype=kind) for name, kind in _OF_EVERY.items()}
        return Table(empty, meta=dict(meta), copy=False)
    columns = {name: values.copy() for name, values in _columns(rows, place_of).items()}
    return Table(columns, meta=dict(meta), copy=False)


def _columns(rows: Sequence[Mapping[str, Scalar]], place_of: Callable[[int], Path]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of rows; those of the last rows again, if these are the same ones and not only equal."""
    for known, columns in _LAST:
        if len(known) == len(rows) and all(map(operator.is_, known, rows)):
            return columns
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _column(name, [row.get(name) for row in rows], place_of) for name in names}
    _LAST[:] = [(tuple(rows), columns)]
    return columns


def _column(name: str, values: list[Any], place_of: Callable[[int], Path]) -> npt.NDArray[Any]:
    """Return one column, for a table to take over; null counts as absent."""
    kinds = set(map(type, values)) - {type(None)}
    kind = _common_kind(name, kinds, values, place_of)
    if None in values:
        absent = [value is None for value in values]
        filler = _FILLERS[kind]
        values = [filler if gone else value for value, gone in zip(values, absent, strict=True)]
        return np.ma.MaskedArray(np.array(values, dtype=_KINDS[kind]), mask=absent)
    if kind is str and int in kinds:
        values = [str(value) for value in values]
    return np.array(values, dtype=_KINDS[kind])


def _common_kind(name: str, kinds: set[type], values: list[Any], place_of: Callable[[int], Path]) -> type:
    """Return the type that holds all values of a property."""
    if name in _TEXTS and kinds <= {str, int}:
        return str
    if len(kinds) <= 1:
        return next(iter(kinds), float)
    if kinds == {int, float}:
        return float
    first = next(row for row, value in enumerate(values) if type(value) in kinds)
    other = next(row for row, value in enumerate(values) if type(value) in kinds - _alike(type(values[first])))
    raise IntegrityError(
        place_of(other),
        f"has {name} {values[other]!r}, and {place_of(first)} has {values[first]!r}; expected values of one type",
    )


def _alike(kind: type) -> set[type]:
    return {int, float} if kind in (int, float) else {kind}
