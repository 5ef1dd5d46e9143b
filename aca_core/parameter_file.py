"""Read IRAF-style parameter files, the form in which obspars are delivered.

Each line describes one parameter in up to seven fields, quoted as in CSV::

    name,type,mode,value,minimum,maximum,prompt

The files come from outside, so nothing about them is trusted: compression is told from the content and
not from the name, the size is bounded before and after decompression, and every line that cannot be
understood is an `IntegrityError` that says where it is.
"""

from __future__ import annotations

import io
import logging
import math
import re
import reprlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import attrs

from aca_core.errors import IntegrityError
from aca_core.text_files import MAX_BYTES, read_text_file

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Parameter",
    "ParameterValue",
    "parse_parameter_lines",
    "parse_parameters",
    "read_parameter_file",
]

ParameterValue: TypeAlias = str | int | float | None

_log = logging.getLogger("aca_core")

_FIELDS = ("name", "type", "mode", "value", "minimum", "maximum", "prompt")
_TYPES = frozenset("irsbfdt")
_UNDEFINED = frozenset({"", "indef", "undef", "nan", "+nan", "-nan"})
_QUOTED = re.compile(r'[ \t]*"([^"]*+(?:""[^"]*+)*+)"[ \t]*')
_INTEGER = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[edED][+-]?[0-9]+)?")
_shorten = reprlib.Repr()
_shorten.maxstring = 80


@attrs.frozen
class Parameter:
    """One line of a parameter file.

    Parameters
    ----------
    name : str
        The name, with ``_`` for every ``-``.
    type : str
        The type letter in lower case: one of ``i r s b f d t``.
    value : str, int, float or None
        The value; None where a number is undefined.
    prompt : str
        The description, often empty.
    """

    name: str
    type: str
    value: ParameterValue
    prompt: str = ""


def read_parameter_file(path: str | Path, max_bytes: int = MAX_BYTES) -> dict[str, ParameterValue]:
    """Read the values of a parameter file, compressed or not.

    Parameters
    ----------
    path : path-like
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    max_bytes : int, optional
        The most bytes that the file, and its content once decompressed, may have.

    Returns
    -------
    dict
        Name to value, as `parse_parameters` describes.

    Raises
    ------
    IntegrityError
        If the file is too large, its compression is damaged or a line is malformed.
    OSError
        If the file cannot be opened or read.

    Examples
    --------
    >>> import gzip, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "axaff90123_000N001_obs0a.par.gz")
    ...     _ = path.write_bytes(gzip.compress(b'detnam,s,h,"ACIS-7",,,""'))
    ...     read_parameter_file(path)
    {'detnam': 'ACIS-7'}
    """
    return parse_parameters(read_text_file(path, max_bytes), str(path))


def parse_parameters(text: str, source: str | Path = "<text>") -> dict[str, ParameterValue]:
    r"""Return the values in the text of a parameter file.

    Types ``i`` and ``r`` give int and float, or None where the value is empty, ``INDEF``, ``undef`` or
    ``NaN``. The others (``s b f d t``) give the text as it stands, with its outer blanks. Infinite
    reals and integers of more than 64 bits are errors, so every value fits in SQLite and in JSON.

    Parameters
    ----------
    text : str
        The content of the file.
    source : path-like, optional
        What to call the text in messages.

    Returns
    -------
    dict
        Name to value in the order of the file. A repeated name keeps its first place and its last value.

    Raises
    ------
    IntegrityError
        If a line is malformed; the message tells which, and what it holds.

    Examples
    --------
    >>> parse_parameters('date-obs,s,h,"2019-09-29"\nobi_num,i,h,0\nexposure,r,h,1.5D+02\nra,r,h,INDEF')
    {'date_obs': '2019-09-29', 'obi_num': 0, 'exposure': 150.0, 'ra': None}
    """
    return {parameter.name: parameter.value for parameter in parse_parameter_lines(text, source)}


def parse_parameter_lines(text: str, source: str | Path = "<text>") -> Iterator[Parameter]:
    r"""Go through the parameters in the text of a parameter file, repeated names included.

    Parameters
    ----------
    text : str
        The content of the file.
    source : path-like, optional
        What to call the text in messages.

    Yields
    ------
    Parameter
        One for each line that is neither blank nor a ``#`` comment.

    Raises
    ------
    IntegrityError
        If a line is malformed; the message tells which, and what it holds.

    Examples
    --------
    >>> for parameter in parse_parameter_lines('# made up\nsim_z,r,h,-190.1,,,"mm"'):
    ...     print(parameter)
    Parameter(name='sim_z', type='r', value=-190.1, prompt='mm')
    """
    lines = io.StringIO(text.removeprefix("\ufeff"), newline=None)
    for number, line in enumerate(lines, start=1):
        line = line.rstrip("\n")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            fields = _split(line)
            parameter = _parameter(fields)
        except ValueError as error:
            raise IntegrityError(source, f"line {number}: {error}") from None
        if any(fields[len(_FIELDS) :]):
            problem = f"has {len(fields)} fields instead of {len(_FIELDS)}; text with commas needs quotes"
            _log.warning("%s: line %d (%s) %s", source, number, parameter.name, problem)
        yield parameter


def _split(line: str) -> list[str]:
    """Split a line at its commas. Unlike the csv module, let blanks stand around a quoted field."""
    fields: list[str] = []
    start = 0
    while True:
        if quoted := _QUOTED.match(line, start):
            field, end = quoted[1].replace('""', '"'), quoted.end()
            if line[end : end + 1] not in ("", ","):
                after = _shorten.repr(line[end:])
                raise ValueError(f"{_field(fields)}: {after} follows the closing quote; expected a comma")
        else:
            comma = line.find(",", start)
            end = comma if comma >= 0 else len(line)
            field = line[start:end]
            if field.lstrip(" \t").startswith('"'):
                rest = _shorten.repr(line[start:])
                raise ValueError(f"{_field(fields)}: the quote that opens {rest} is never closed")
        fields.append(field)
        if end == len(line):
            return fields
        start = end + 1


def _field(before: list[str]) -> str:
    return f"field {_FIELDS[len(before)]!r}" if len(before) < len(_FIELDS) else f"field {len(before) + 1}"


def _parameter(fields: list[str]) -> Parameter:
    """Make a parameter of the fields of a line; what is wrong with them is a ValueError."""
    name = fields[0].strip().replace("-", "_")
    if not name:
        raise ValueError(f"field 'name' is empty before {_shorten.repr(','.join(fields[1:]))}")
    if len(fields) < 2:
        raise ValueError(f"{_shorten.repr(fields[0])} is all there is; expected at least a name and a type")
    kind = fields[1].strip().lower()
    if kind not in _TYPES:
        expected = "expected one of i, r, s, b, f, d, t"
        raise ValueError(f"field 'type' of {_shorten.repr(name)} is {_shorten.repr(fields[1])}; {expected}")
    text = fields[3] if len(fields) > 3 else ""
    value: ParameterValue = text
    if kind in "ir":
        try:
            value = _integer(text.strip()) if kind == "i" else _real(text.strip())
        except ValueError as error:
            shown = f"field 'value' of {_shorten.repr(name)} is {_shorten.repr(text)}"
            raise ValueError(f"{shown}; expected {error}") from None
    return Parameter(name, kind, value, prompt=fields[6] if len(fields) > 6 else "")


def _real(text: str) -> float | None:
    if text.lower() in _UNDEFINED:
        return None
    if _REAL.fullmatch(text):
        value = float(text.lower().replace("d", "e"))
        if math.isfinite(value):
            return value
    raise ValueError("a finite real number, INDEF or nothing")


def _integer(text: str) -> int | None:
    if text.lower() in _UNDEFINED:
        return None
    if _INTEGER.fullmatch(text) and len(text) <= 40:  # far more than 64 bits need
        value = int(text)
        if -(2**63) <= value < 2**63:
            return value
    elif _REAL.fullmatch(text):
        real = float(text.lower().replace("d", "e"))
        if real.is_integer() and abs(real) < 2**53:  # beyond, a real does not tell one integer from the next
            return int(real)
    raise ValueError("an integer of at most 64 bits, INDEF or nothing")
