"""How a file is described for the index: a base class, and readers of FITS headers and parameter files."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aca_core._checks import whole
from aca_core.columns import Column, ElementShape, FileFacts, FromArchive, Keyword, Row
from aca_core.errors import DateError, DeclarationError, IntegrityError, did_you_mean
from aca_core.fits_files import fits_errors, read_header
from aca_core.fits_tables import element_shapes

__all__ = ["FILENAME", "FITS_COLUMNS", "ColumnReader", "FitsColumns", "ParameterColumns"]


class ColumnReader(ABC):
    """What a product's files are described by: the columns, and how to find their values in one file.

    A product with a file type of its own subclasses this and implements `columns` and `facts`; `FitsColumns` and
    `ParameterColumns` are ready-made.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import Column, ColumnReader, FileFacts, IntegrityError
    >>> @attrs.frozen
    ... class NoteColumns(ColumnReader):
    ...     columns: tuple[Column, ...] = (
    ...         Column("filename", required=True), Column("obsid", "int"), Column("revision", "int"))
    ...     def facts(self, path):
    ...         pairs = [line.partition("=")[::2] for line in path.read_text().splitlines()]
    ...         return FileFacts(path.name, dict(pairs))
    """

    @property
    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns of the index, in their order; one of them is ``filename``."""

    @abstractmethod
    def facts(self, path: Path) -> FileFacts:
        """Find in one file what the columns pick from.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        FileFacts
            At least its name; keywords or parameters by lower-case name, as text or as numbers.

        Raises
        ------
        IntegrityError
            The file is not what the product's files are.
        """

    def read(self, path: Path) -> Row:
        """Describe one file.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        dict
            A value for each of `columns` but those that the archive fills, as the column's type; None where the file
            has none.

        Raises
        ------
        IntegrityError
            The file is damaged, lacks a required value, or has one that does not fit its column.
        """
        facts = self.facts(path)
        return {
            column.name: column.value_in(facts, path)
            for column in self.columns
            if not isinstance(column.source, FromArchive)
        }


FILENAME: Final = Column("filename", "text", required=True, description="base name of the file")

FITS_COLUMNS: Final = {
    column.name: column
    for column in (
        FILENAME,
        Column("filetime", "int", required=True, description="time in the file name, CXC seconds"),
        Column("year", "int", required=True, description="UTC year of filetime"),
        Column("doy", "int", required=True, description="UTC day of year of filetime"),
        Column("tstart", "float", required=True, description="start, CXC seconds"),
        Column("tstop", "float", required=True, description="stop, CXC seconds"),
        Column("checksum", "text", description="FITS CHECKSUM of the table"),
        Column("ascdsver", "text", description="version of the processing software"),
        Column("caldbver", "text", description="version of the calibration database"),
        Column("content", "text", description="content type, such as ASPSOL"),
        Column("revision", "int", description="version of the product"),
        Column("obsid", "int", source=FromArchive(), required=True, description="observation id"),
        Column("date", "text", required=True, description="creation date of the file"),
        Column("isdefault", "int", source=FromArchive(), description="1 for the released revision, else NULL"),
    )
}
"""The columns that archives of FITS products have had since 2010; `FitsColumns` takes them by name."""

_TABLES: Final = ("BINTABLE", "TABLE")

_TIMES: Final = ("filetime", "year", "doy")


@attrs.frozen(init=False)
class FitsColumns(ColumnReader):
    """Columns from the header of a FITS file's first extension.

    ``filename``, ``filetime``, ``year`` and ``doy`` are always there; they, ``obsid`` and ``isdefault``, which the
    archive fills, may be listed where their place in the table matters.

    Parameters
    ----------
    *columns : str or Column
        Names of well-known columns (`FITS_COLUMNS`), or columns of the product's own.
    hdu : int, default 1
        Which extension's header to read.
    timed : bool, default True
        Whether the files have a time, in the name or as TSTART; without it there are no ``filetime``, ``year`` and
        ``doy``.

    Examples
    --------
    >>> reader = FitsColumns("tstart", "tstop", "content", Column("tlmver", "text"))
    >>> [column.name for column in reader.columns]
    ['filename', 'filetime', 'year', 'doy', 'tstart', 'tstop', 'content', 'tlmver']
    """

    columns: tuple[Column, ...]
    hdu: int = attrs.field(validator=whole(0, 9999))

    def __init__(self, *columns: str | Column, hdu: int = 1, timed: bool = True) -> None:
        listed = tuple(_well_known(column) for column in columns)
        names = {column.name for column in listed}
        always = ("filename", *_TIMES) if timed else ("filename",)
        self.__attrs_init__(tuple(FITS_COLUMNS[name] for name in always if name not in names) + listed, hdu)

    def facts(self, path: Path) -> FileFacts:
        """Read one FITS file's header; no row of its table is read."""
        header = read_header(path, self.hdu)
        keywords = {column.source.name for column in self.columns if isinstance(column.source, Keyword)}
        wants_shapes = any(isinstance(column.source, ElementShape) for column in self.columns)
        with fits_errors(path, "cards that can be read"):
            values = {name.lower(): _plain(header.get(name)) for name in keywords | {"TSTART"}}
            is_table = header.get("XTENSION") in _TABLES
            rows = _plain(header.get("NAXIS2")) if is_table else None
            shapes = element_shapes(header) if wants_shapes and is_table else {}
        if any(column.name in _TIMES for column in self.columns):
            values |= _times_of(path, values)
        return FileFacts(path.name, values, rows, shapes)


def _plain(value: Any) -> Any:
    """Return a header value, or None for a keyword that is absent or undefined."""
    return value if isinstance(value, bool | int | float | str) else None


def _times_of(path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file's name, or else its header, says of its time."""
    from aca_core.dates import year_doy

    # Fewer than nine digits are no time: the combined solution of an obi begins with its obsid instead.
    match = re.search(r"\d+", path.name, re.ASCII)
    if match and len(match[0]) >= 9:
        filetime = int(match[0])
    elif isinstance(tstart := values.get("tstart"), int | float) and math.isfinite(tstart):
        filetime = int(tstart)
    else:
        raise IntegrityError(path, "has neither a time of nine or more digits in its name nor TSTART in its header")
    try:
        year, doy = year_doy(filetime)
    except DateError as error:
        raise IntegrityError(path, f"its time {filetime} is {error.problem}") from error
    return {"filetime": filetime, "year": year, "doy": doy}


def _well_known(column: str | Column) -> Column:
    if isinstance(column, Column):
        return column
    if column not in FITS_COLUMNS:
        hint = did_you_mean(column, FITS_COLUMNS) or f" For one of your own write Column({column!r}, 'text')."
        raise DeclarationError("FitsColumns", "column", column, f"a well-known column or a Column.{hint}")
    return FITS_COLUMNS[column]


@attrs.frozen(init=False)
class ParameterColumns(ColumnReader):
    """Columns from an IRAF-style parameter file, plain or gzipped.

    Parameters
    ----------
    *columns : Column
        The parameters to keep; ``filename`` is added in front unless it is listed.

    Examples
    --------
    >>> from aca_core.columns import columns_from_text
    >>> reader = ParameterColumns(Column("obsid", "int", source="obs_id"), *columns_from_text("float tstart tstop"))
    >>> [column.name for column in reader.columns]
    ['filename', 'obsid', 'tstart', 'tstop']
    """

    columns: tuple[Column, ...]

    def __init__(self, *columns: Column) -> None:
        for column in columns:
            if not isinstance(column, Column):
                raise DeclarationError("ParameterColumns", "column", column, f"a Column, such as Column({column!r})")
        has_filename = any(column.name == "filename" for column in columns)
        self.__attrs_init__(columns if has_filename else (FILENAME, *columns))

    def facts(self, path: Path) -> FileFacts:
        """Read one parameter file; parameters that are not columns are left out later."""
        from aca_core.parameter_file import read_parameter_file

        return FileFacts(path.name, {name.lower(): value for name, value in read_parameter_file(path).items()})
