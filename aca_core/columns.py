"""What the index keeps of each file: typed columns, and where the value of each comes from."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import attrs

from aca_core._checks import is_a, refusal, text, whole
from aca_core.errors import DeclarationError, IntegrityError

__all__ = [
    "Column",
    "ColumnType",
    "ElementShape",
    "FileFacts",
    "FromArchive",
    "FromName",
    "Keyword",
    "Row",
    "RowCount",
    "Source",
    "check_one_group",
    "columns_from_text",
]

ColumnType: TypeAlias = Literal["int", "float", "text"]
"""The types that the index knows."""

Row: TypeAlias = dict[str, "int | float | str | None"]
"""What a reader says of one file: a value for each column."""

_IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]*")


def check_one_group(what: str, pattern: object) -> None:
    """Refuse what is no regular expression with exactly one group.

    Parameters
    ----------
    what : str
        The declaration, for the message.
    pattern : object
        The candidate.

    Raises
    ------
    DeclarationError
        It is none.
    """
    try:
        groups = re.compile(pattern).groups if isinstance(pattern, str) else 0
    except re.error as error:
        raise DeclarationError(what, "pattern", pattern, f"a regular expression ({error})") from None
    if groups != 1:
        raise DeclarationError(what, "pattern", pattern, "a regular expression with exactly one group")


@attrs.frozen
class FileFacts:
    """What a reader found in one file, before the columns pick from it.

    Attributes
    ----------
    name : str
        Base name of the file.
    values : mapping of str to object
        Keywords or parameters by lower-case name.
    rows : int or None
        Number of rows of the file's table, if it has one.
    shapes : mapping of str to tuple of int
        Shape of one element of each column of that table, by lower-case name.
    """

    name: str
    values: Mapping[str, Any]
    rows: int | None = None
    shapes: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict)


class Source(ABC):
    """Where the value of a column comes from."""

    @abstractmethod
    def find(self, facts: FileFacts) -> Any:
        """Return the value as the file has it, or None."""


@attrs.frozen
class FromArchive(Source):
    """Not in the file: the archive fills it, such as the obsid of the request, or which revision is the default."""

    def find(self, facts: FileFacts) -> None:
        """Return None: readers leave the column out."""
        return

    def __str__(self) -> str:
        return "value from the archive"


@attrs.frozen
class Keyword(Source):
    """A header keyword or a parameter.

    Attributes
    ----------
    name : str
        Its name, in any case.
    """

    name: str = attrs.field(validator=text)

    def find(self, facts: FileFacts) -> Any:
        """Return the keyword's value, or None."""
        return facts.values.get(self.name.lower())

    def __str__(self) -> str:
        return f"value of {self.name.upper()}"


@attrs.frozen
class FromName(Source):
    r"""A part of the file's name.

    Attributes
    ----------
    pattern : str
        A regular expression with one group, searched for in the name.

    Examples
    --------
    >>> FromName(r"_(\d)_img0").find(FileFacts("acaf686111014N001_5_img0.fits.gz", {}))
    '5'
    """

    pattern: str = attrs.field()

    @pattern.validator
    def _check_pattern(self, attribute: attrs.Attribute[str], value: str) -> None:
        check_one_group("FromName", value)

    def find(self, facts: FileFacts) -> str | None:
        """Return what the group matched in the name, or None."""
        match = re.search(self.pattern, facts.name)
        return match[1] if match else None

    def __str__(self) -> str:
        return f"part of its name like {self.pattern!r}"


@attrs.frozen
class RowCount(Source):
    """The number of rows of the file's table."""

    def find(self, facts: FileFacts) -> int | None:
        """Return the number of rows, or None for a file without a table."""
        return facts.rows

    def __str__(self) -> str:
        return "table whose rows could be counted"


@attrs.frozen
class ElementShape(Source):
    """The length of one axis of each element of a table column: the size of its images.

    Attributes
    ----------
    column : str
        The table's column, in any case.
    axis : int
        Which axis.

    Examples
    --------
    >>> ElementShape("IMGRAW").find(FileFacts("acaf1N001_0_img0.fits", {}, shapes={"imgraw": (6, 6)}))
    6
    """

    column: str = attrs.field(validator=text)
    axis: int = attrs.field(default=0, validator=whole(0, 998))

    def find(self, facts: FileFacts) -> int | None:
        """Return the length, or None where the table has no such column or axis."""
        shape = facts.shapes.get(self.column.lower(), ())
        return shape[self.axis] if self.axis < len(shape) else None

    def __str__(self) -> str:
        return f"table column {self.column} with an axis {self.axis}"


def _check_column_name(column: Column, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise DeclarationError("Column", attribute.name, value, "a lower-case identifier such as 'tstart'")


def _check_column_type(column: Column, attribute: attrs.Attribute[ColumnType], value: object) -> None:
    if value not in ("int", "float", "text"):
        raise DeclarationError(f"Column {column.name!r}", attribute.name, value, "'int', 'float' or 'text'")


def _as_source(source: Source | str | None) -> Source | None:
    return Keyword(source) if isinstance(source, str) else source


@attrs.frozen
class Column:
    r"""One column of a product's index.

    Attributes
    ----------
    name : str
        A lower-case identifier.
    type : {'text', 'int', 'float'}
        The type of the values.
    source : Source
        Where a reader finds the value; by default the keyword or parameter of the column's own name, for
        ``filename`` the name of the file; a string is short for the `Keyword` of that name.
    required : bool
        Whether a file without this value is refused.
    default : int, float, str or None
        The value of a file that has none.
    description : str
        What it means, with its unit.

    Examples
    --------
    >>> Column("slot", "int", source=FromName(r"_(\d)_img0"), required=True).type
    'int'
    """

    name: str = attrs.field(validator=_check_column_name)
    type: ColumnType = attrs.field(default="text", validator=_check_column_type)
    source: Source = attrs.field(
        kw_only=True, converter=_as_source, validator=is_a(Source, "a Source such as Keyword('TSTART'), or a keyword")
    )
    required: bool = attrs.field(default=False, kw_only=True, validator=is_a(bool, "True or False"))
    default: int | float | str | None = attrs.field(default=None, kw_only=True)
    description: str = attrs.field(default="", kw_only=True, validator=text)

    @default.validator
    def _check_default(self, attribute: attrs.Attribute[Any], value: object) -> None:
        kinds = {"int": int, "float": (int, float), "text": str}
        if value is not None and (isinstance(value, bool) or not isinstance(value, kinds[self.type])):  # type: ignore[arg-type]  # types and tuples of them
            raise refusal(self, "default", value, f"a value of type {self.type}")

    @source.default
    def _own_source(self) -> Source:
        return FromName("(.+)") if self.name == "filename" else Keyword(self.name)

    def value_in(self, facts: FileFacts, path: Path) -> int | float | str | None:
        """Return this column's value for one file.

        Parameters
        ----------
        facts : FileFacts
            What the reader found in the file.
        path : Path
            The file, for the message.

        Returns
        -------
        int, float, str or None
            The value as this column's type, or `default` where the file has none.

        Raises
        ------
        IntegrityError
            The value does not fit the type, or is absent and required.
        """
        value = self.source.find(facts)
        if _is_nothing(value, self):
            if self.required and self.default is None:
                raise IntegrityError(path, f"has no {self.source}, which the index column {self.name!r} requires")
            return self.default
        try:
            return _CONVERTERS[self.type](value)
        except (TypeError, ValueError, OverflowError):
            text = f"the {self.source} is {value!r}; the index column {self.name!r} expects {self.type}"
            raise IntegrityError(path, text) from None


def _is_nothing(value: Any, column: Column) -> bool:
    """Say whether a value is none: absent, NaN, or a blank where a text is not required to say something."""
    if isinstance(value, str):
        return not value.strip() and (column.type != "text" or column.required)
    return value is None or value != value


def _to_int(value: Any) -> int:
    number = int(value.replace("_", "?")) if isinstance(value, str) else int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError("not a whole number")
    if not -(2**63) <= number < 2**63:
        raise OverflowError("more than the 64 bits that the index holds")
    return number


def _to_float(value: Any) -> float:
    number = float(value.replace("_", "?")) if isinstance(value, str) else float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


_CONVERTERS: Final[Mapping[ColumnType, Callable[[Any], int | float | str]]] = {
    "int": _to_int,
    "float": _to_float,
    "text": str,
}


def columns_from_text(table: str) -> tuple[Column, ...]:
    """Return columns from a compact table: on each line a type and the names of that type.

    Parameters
    ----------
    table : str
        Lines such as ``float tstart tstop``; the order of the names is the order of the columns.

    Returns
    -------
    tuple of Column
        One for each name.

    Examples
    --------
    >>> [column.name for column in columns_from_text('''
    ...     int   obsid
    ...     float tstart tstop
    ... ''')]
    ['obsid', 'tstart', 'tstop']
    """
    lines = [line.split() for line in table.splitlines() if line.strip()]
    for line in lines:
        if len(line) == 1:
            raise DeclarationError("columns_from_text", "line", line[0], "a type and the names of that type")
    return tuple(Column(name, column_type) for column_type, *names in lines for name in names)  # type: ignore[arg-type]  # the validator checks it
