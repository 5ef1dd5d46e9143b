"""Which column of somebody's table is which property of a star, and what is in it, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError, MissingDataError, UnknownNameError
from aca_core.tables import numbers_in, read_table_file, times_in

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.models import ProbabilityModel

__all__ = ["STAR_COLUMNS", "StarTable", "conditions_for", "read_stars"]

STAR_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("date", "time", "tstart"),
    "year": ("year", "frac_year"),
    "mag": ("mag", "mag_aca"),
    "t_ccd": ("t_ccd", "temperature", "temp"),
    "warm_frac": ("warm_frac", "warm_pix"),
    "color": ("color",),
    "halfwidth": ("halfwidth", "halfw"),
    "spoiler": ("spoiler",),
    "success": ("success", "acquired"),
    "fail": ("fail", "failed"),
}
"""The names, in any case, that a column may have to be taken for a property of a star; the first that is there counts.

``date`` is any form of `aca_core.dates`, a number is CXC seconds; ``year`` is a year with a fraction.
"""

_UNITS: Final = {"mag": "mag", "t_ccd": "deg_C", "halfwidth": "arcsec", "color": "mag"}
_WORDS: Final = {"true": 1.0, "yes": 1.0, "t": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "f": 0.0, "0": 0.0}
_DEGREES: Final = {"degc", "celsius", "c", "deg c"}
"""What people and files write for degrees Celsius that astropy reads as something else, or not at all."""


@attrs.frozen
class StarTable:
    """A table of stars whose columns are known by what they mean.

    Attributes
    ----------
    table : astropy.table.Table
        The table as it was given.
    place : str
        Where it is from, for messages.
    names : mapping of str to str
        For each property of `STAR_COLUMNS` that it has, the name of the column.
    """

    table: Table
    place: str
    names: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.table)

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @property
    def has_dates(self) -> bool:
        """Whether it has a column of dates or of years."""
        return "date" in self.names or "year" in self.names

    def floats(self, name: str) -> FloatArray:
        """Return a property as numbers.

        Parameters
        ----------
        name : str
            A numeric one of `STAR_COLUMNS`.

        Returns
        -------
        ndarray of float64, (n_rows,)
            NaN where the table has nothing.

        Raises
        ------
        MissingDataError
            The table has no such column.
        DeclarationError
            The column holds something else. It is a ValueError.
        """
        column = self._column(name)
        table, spelt = self.table, self.names[name]
        unit = getattr(column, "unit", None)
        if unit is not None and name == "t_ccd" and str(unit).lower() in _DEGREES:
            table = self.table[[spelt]]
            table[spelt].unit = "deg_C"
        return numbers_in(table, spelt, self.place, _UNITS.get(name, ""))

    def flags(self, name: str) -> FloatArray:
        """Return a property that is either so or not.

        Parameters
        ----------
        name : {'success', 'fail', 'spoiler'}
            Which one. Booleans, 0 and 1, and words such as ``true`` and ``no`` are understood.

        Returns
        -------
        ndarray of float64, (n_rows,)
            1 where it is so, 0 where not, NaN where the table has nothing.

        Raises
        ------
        MissingDataError
            The table has no such column.
        DeclarationError
            The column holds something else. It is a ValueError.
        """
        import numpy as np

        values = np.ma.asarray(self._column(name))
        plain = values.data
        if plain.dtype.kind in "US":
            words = np.char.lower(np.char.strip(plain.astype(str)))
            flags = np.array([_WORDS.get(word, np.nan if not word else 2.0) for word in words.tolist()])
        elif plain.dtype.kind in "biuf":
            flags = plain.astype(float)
        else:
            flags = np.full(plain.shape, 2.0)
        flags = np.where(np.ma.getmaskarray(values), np.nan, flags)
        wrong = ~(np.isnan(flags) | (flags == 0) | (flags == 1))
        if wrong.any():
            what = f"column {self.names[name]!r} of {self.place}"
            row = int(np.flatnonzero(wrong)[0])
            raise DeclarationError(what, f"row {row + 1}", plain[row].item(), "0 or 1, true or false")
        return flags

    def secs(self) -> FloatArray:
        """Return the dates, from the column of dates or that of years.

        Returns
        -------
        ndarray of float64, (n_rows,)
            CXC seconds; NaN where the table has nothing.

        Raises
        ------
        MissingDataError
            The table has neither.
        DateError
            A cell is no date.
        """
        name = "date" if "date" in self.names else "year"
        self._column(name)
        return times_in(self.table, self.names[name], self.place, years=name == "year")

    def _column(self, name: str) -> Any:
        if name not in self.names:
            known = " or ".join(STAR_COLUMNS[name])
            raise MissingDataError(
                f"{self.place} has no column for {name}; expected one named {known}. "
                f"It has {', '.join(self.table.colnames)}"
            )
        column = self.table[self.names[name]]
        if getattr(column, "ndim", 1) != 1:
            what = f"column {self.names[name]!r} of {self.place}"
            raise DeclarationError(what, "shape", column.shape, "one value in each row")
        return column


def read_stars(stars: Any, columns: Mapping[str, str] | None = None) -> StarTable:
    """Return a table of stars, given as such or as a file, with its columns recognised by their names.

    Parameters
    ----------
    stars : path-like, astropy.table.Table, or what makes one
        A file (see `aca_core.tables.read_table_file`), a table, or a mapping of names to arrays.
    columns : mapping of str to str, optional
        For properties of `STAR_COLUMNS` the names of their columns, where they are not among the usual ones.

    Returns
    -------
    StarTable

    Raises
    ------
    MissingDataError, IntegrityError
        The file is not there, or is no table.
    DeclarationError
        It is no table. It is a ValueError.
    UnknownNameError
        `columns` names a property or a column that does not exist. It is a LookupError.

    Examples
    --------
    >>> stars = read_stars({"MAG_ACA": [9.5, 10.1], "T": [-11, -11]}, columns={"t_ccd": "T"})
    >>> stars.floats("mag").tolist(), "color" in stars
    ([9.5, 10.1], False)
    """
    from astropy.table import Table

    place = str(stars) if isinstance(stars, str | Path) else "the table"
    if isinstance(stars, str | Path):
        table = read_table_file(stars)
    else:
        try:
            table = stars if isinstance(stars, Table) else Table(stars)
        except (TypeError, ValueError) as error:
            raise DeclarationError("read_stars", "stars", stars, f"a table, or the path of one ({error})") from None
    if not isinstance(columns, Mapping | None):
        raise DeclarationError("read_stars", "columns", columns, "for properties of stars the names of their columns")
    spelt = {name.lower(): name for name in reversed(table.colnames)}
    names = {}
    for name, usual in STAR_COLUMNS.items():
        found = next((spelt[each] for each in usual if each in spelt), None)
        if found is not None:
            names[name] = found
    for name, column in (columns or {}).items():
        if name not in STAR_COLUMNS:
            raise UnknownNameError("property of a star", name, STAR_COLUMNS)
        if column not in table.colnames:
            raise UnknownNameError("column", column, table.colnames, f"The table is {place}.")
        names[name] = column
        if name in ("date", "year"):  # the one that is named is the one that is meant
            names.pop({"date": "year", "year": "date"}[name], None)
        if name in ("success", "fail"):
            names.pop({"success": "fail", "fail": "success"}[name], None)
    return StarTable(table, place, names)


def conditions_for(model: ProbabilityModel, stars: StarTable) -> dict[str, FloatArray]:
    """Return what a model uses of a table, ready for `success_prob`.

    Parameters
    ----------
    model : ProbabilityModel
        The model.
    stars : StarTable
        The table. Where it has both warm fractions and temperatures, a model of warm fractions gets the former.

    Returns
    -------
    dict of str to ndarray
        Arguments of `success_prob`; an input that has a usual value, such as the color, only where the table has it.

    Raises
    ------
    MissingDataError
        The table lacks what the model cannot do without. It is a LookupError.
    """
    used = {*model.inputs, *model.corrections}
    found = {"mag": stars.floats("mag")}
    if "warm_frac" in used and "warm_frac" in stars:
        found["warm_frac"] = stars.floats("warm_frac")
    elif "warm_frac" in used:
        used |= {"date", "t_ccd"}
    if "t_ccd" in used:
        found["t_ccd"] = _temperatures(model, stars)
    if "date" in used:
        found["date"] = stars.secs()
    found |= {name: stars.floats(name) for name in ("color", "halfwidth") if name in used and name in stars}
    if "spoiler" in used and "spoiler" in stars:
        found["spoiler"] = stars.flags("spoiler")
    return found


def _temperatures(model: ProbabilityModel, stars: StarTable) -> FloatArray:
    if "t_ccd" not in stars and "warm_frac" in stars and "warm_frac" not in model.inputs:
        raise MissingDataError(
            f"{model.noun} {model.name!r} needs CCD temperatures, and {stars.place} has only warm fractions "
            f"({stars.names['warm_frac']}); give a column of temperatures, t_ccd, or use models of warm fractions"
        )
    return stars.floats("t_ccd")
