"""What ``aca l0`` and ``aca hdr3`` share: the archive they ask, ranges of time, how series are shown and written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.output import write_lines, write_table
from aca_core.cli.parameters import OutFile, Whole

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.cli.session import Session

__all__ = [
    "GAP",
    "about_of",
    "as_unit",
    "asking",
    "date_of",
    "ends_of",
    "head_of",
    "imgsize_option",
    "json_option",
    "out_option",
    "rows_option",
    "shown_rows",
    "slot_option",
    "write_result",
    "write_series",
    "write_written",
]

GAP: Final = "…"
"""What stands for the rows that are left out."""

_ENDINGS: Final = (".h5", ".csv", ".ecsv", ".fits", ".fits.gz")

_MARK: Final = "synthetic"
"""The column that says so in a CSV file, which has no place for remarks."""

_UNITS: Final = {"deg_C": "degC", "adu": "DN", "pix": ""}
"""Units that are shown otherwise than astropy writes them."""

_FITS_UNITS: Final = {"DN": "adu"}
"""Units that the FITS standard (version 4.0, section 4.3) has under another name."""

json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")

slot_option = click.option(
    "--slot", type=Whole(0, 7, "slot"), required=True, metavar="N", help="Which image slot, 0 to 7."
)

imgsize_option = click.option(
    "--imgsize",
    type=click.Choice(["4", "6", "8"]),
    multiple=True,
    help="Only images of so many rows and columns, repeatable.",
)

out_option = click.option(
    "--out",
    type=OutFile(_ENDINGS),
    metavar="FILE",
    help="Write every row to a table: .h5, .csv, .ecsv or .fits. A file of that name is replaced.",
)

rows_option = click.option(
    "--rows",
    type=Whole(0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many rows are shown, half of them the first and half the last.",
)


@contextlib.contextmanager
def asking(session: Session) -> Iterator[list[str]]:
    """Let functions of ours answer from the archive of this run, and show what they warn of on standard error.

    Parameters
    ----------
    session : Session
        Of this run.

    Yields
    ------
    list of str
        The warnings so far.
    """
    from aca_core.archive import using

    with using(session.archive), session.warnings_to_stderr() as warned:
        yield warned


def ends_of(start: str, stop: str) -> tuple[float, float]:
    """Return a range of time as CXC seconds.

    Parameters
    ----------
    start, stop : str
        Dates as they were typed.

    Raises
    ------
    DateError
        One of them is no date, or the range goes backwards.
    """
    from aca_core.dates import to_secs
    from aca_core.errors import DateError

    first, last = float(to_secs(start)), float(to_secs(stop))
    if last < first:
        raise DateError(stop, f"it is before the start, {start!r}; give START and then STOP")
    return first, last


def date_of(secs: float) -> str:
    """Return CXC seconds as a date, to the millisecond."""
    from aca_core.dates import to_date

    return str(to_date(secs))


def head_of(about: Mapping[str, Any]) -> list[str]:
    """Return what an answer is about, as lines: which slot, from when to when, and whether it is synthetic.

    Parameters
    ----------
    about : mapping
        ``meta`` of a table of `get_slot_data`.
    """
    synthetic = ", synthetic telemetry" if about["SYNTHET"] else ""
    return [f"Slot {about['SLOT']} from {about['START'][:17]} to {about['STOP'][:17]}{synthetic}"]


def about_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same for programs, and what it was read from.

    Parameters
    ----------
    about : mapping
        ``meta`` of a table of `get_slot_data`.
    """
    said = {key.lower(): value for key, value in about.items()}
    return {**said, "synthetic": said.pop("synthet")}


def as_unit(unit: Any) -> str:
    """Return a unit as headings have it; nothing where there is none."""
    text = "" if unit is None else str(unit)
    return _UNITS.get(text, text)


def shown_rows(length: int, rows: int) -> list[int | None]:
    """Return which rows of a series are shown: the first and the last; None stands for those between.

    Parameters
    ----------
    length : int
        How many there are.
    rows : int
        How many are to be shown.

    Returns
    -------
    list of int or None

    Examples
    --------
    >>> shown_rows(100, 4)
    [0, 1, None, 98, 99]
    >>> shown_rows(3, 4)
    [0, 1, 2]
    """
    if length <= rows:
        return list(range(length))
    last = rows // 2
    return [*range(rows - last), None, *range(length - last, length)] if rows else []


def write_series(
    times: Sequence[float], columns: Mapping[str, Callable[[int], str]], rows: int, *, spare: Sequence[str] = ()
) -> None:
    """Write the first and the last rows of a series as a table.

    Parameters
    ----------
    times : sequence of float
        CXC seconds.
    columns : mapping of str to callable
        Headings, and what gives the cell of a row by its number.
    rows : int
        How many are shown.
    spare : sequence of str, optional
        Headings that a narrow terminal does without where all that they say is 0.
    """
    shown = [
        (GAP, *[""] * len(columns)) if row is None else (date_of(times[row]), *(cell(row) for cell in columns.values()))
        for row in shown_rows(len(times), rows)
    ]
    if shown:
        write_lines([""])
        # Where a terminal is too narrow for all, the last ones are left out.
        left = write_table(("time", *columns), shown, right=list(columns), spare=spare, least=list(columns)[:0:-1])
        if left:
            write_lines([f"No room here for {', '.join(left)}; a wider terminal shows more, and --out writes all."])


def write_result(table: Table, out: Path, *, synthetic: bool) -> None:
    """Write a table to a file that somebody named; synthetic data are marked in every format.

    Parameters
    ----------
    table : astropy.table.Table
        Its ``meta`` says that it is synthetic, in formats that have a place for it.
    out : Path
        The file.
    synthetic : bool
        Whether it is.
    """
    import numpy as np

    from aca_core.tables import write_table_file

    ending = out.name.lower()
    table = table.copy(copy_data=False)
    if synthetic and ending.endswith(".csv"):
        table[_MARK] = np.ones(len(table), dtype=np.uint8)
    if ending.endswith((".fits", ".fits.gz")):
        for column in table.itercols():
            column.unit = _FITS_UNITS.get(str(column.unit), column.unit)
    write_table_file(table, out)


def write_written(*paths: Path | None) -> None:
    """Say which files were written, if any.

    Parameters
    ----------
    *paths : Path or None
        The files.
    """
    written = [str(path) for path in paths if path is not None]
    if written:
        write_lines(["", f"Wrote {' and '.join(written)}."])
