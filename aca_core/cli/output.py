"""How results are written: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_iso", "as_size", "counted", "write_json", "write_lines", "write_table"]

_WIDE = 10_000
_MANY = 8
_LONG = 2_000
"""From how many rows on a table is written plainly on a terminal too: fitting a million takes minutes."""


def write_json(value: Any) -> None:
    """Write a value as indented JSON on standard output.

    Parameters
    ----------
    value : object
        Dicts, lists, strings, numbers, booleans and None; dates, and numbers that are not finite, become strings.
    """
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def as_iso(seconds: float | None) -> str | None:
    """Return a time of the system's clock, seconds since 1970, as programs read it; None for none."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"


def as_size(count: int | None) -> str:
    """Return a number of bytes for people; empty where it is not known."""
    if count is None:
        return ""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _plain(value: Any) -> Any:
    """Return a value without the numbers that JSON has no words for."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def write_lines(lines: Iterable[str]) -> None:
    """Write sentences on standard output: wrapped between words on a terminal, one plain line each elsewhere.

    Parameters
    ----------
    lines : iterable of str
        The sentences.
    """
    width = shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else _WIDE
    for line in lines:
        # Paths are never cut: they are there to be copied.
        wrapped = textwrap.wrap(
            line, max(40, width), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
        if line or width == _WIDE:  # on a terminal, tables leave a line free behind them
            click.echo("\n".join(wrapped))


def write_table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[str] = (),
    spare: Iterable[str] = (),
    least: Sequence[str] = (),
) -> list[str]:
    """Write a table on standard output: fitted to a terminal, or one plain line a row elsewhere.

    Parameters
    ----------
    headings : sequence of str
        One for each column.
    rows : iterable of sequence of str
        The cells.
    right : iterable of str
        Headings of the columns that are aligned on the right.
    spare : iterable of str
        Headings of the columns that a narrow terminal does without where all that they say is 0 or nothing.
    least : sequence of str
        Headings of the columns that a terminal that is narrower still does without, the least important one first.

    Returns
    -------
    list of str
        Those of `least` that a terminal had no room for, in the order of the columns.
    """
    if sys.stdout is None:
        return []  # closed by whoever started us
    terminal = sys.stdout.isatty()
    cells = [tuple(row) for row in rows]
    if not terminal or len(cells) > _LONG:
        click.echo("\n".join(_plain_lines(headings, cells, set(right))))
        return []
    from rich.box import SIMPLE_HEAD
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    numbers, dispensable, every = set(right), set(spare), list(range(len(headings)))
    telling = [n for n in every if headings[n] not in dispensable or any(row[n] not in ("", "0") for row in cells)]
    narrower = [[n for n in telling if headings[n] not in least[:count]] for count in range(len(least) + 1)]
    # As it is nicest; where that is too wide, with its columns closer; then without those that say nothing; then with
    # long words folded; and at last without those that say little.
    ways = [(len(headings) > _MANY, every, False), (True, every, False), (True, telling, False)]
    for close, shown, fold in (*ways, *((True, columns, True) for columns in narrower)):
        table = _table(
            [headings[n] for n in shown], [tuple(row[n] for n in shown) for row in cells], numbers, close=close
        )
        table.box = SIMPLE_HEAD
        # Measured as if there were room for all: else what is measured is the terminal.
        measured = console.measure(table, options=console.options.update(max_width=_WIDE))
        if (measured.minimum if fold else measured.maximum) <= console.width:
            break
    # Where a terminal is too narrow, it breaks the lines itself: no cell is cut, and a path stays one word.
    console.width = max(console.width, measured.minimum)
    with console.capture() as written:
        console.print(table)
    click.echo(written.get(), nl=False)  # as everything else: rich would end the program where nobody reads any more
    return [headings[n] for n in telling if n not in shown and headings[n] in least]


def _plain_lines(headings: Sequence[str], rows: Sequence[Sequence[str]], right: set[str]) -> list[str]:
    """Return one line a row, whole however wide, with the columns below each other."""
    from rich.cells import cell_len

    # A line break within a cell would look like a row.
    lines = [tuple(" ".join(cell.splitlines()) for cell in row) for row in [headings, *rows]]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    gap = " " if len(headings) > _MANY else "  "

    def fitted(cell: str, width: int, *, to_right: bool) -> str:
        free = " " * (width - cell_len(cell))
        return free + cell if to_right else cell + free

    sides = [heading in right for heading in headings]
    return [
        gap.join(
            fitted(cell, width, to_right=side) for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        for line in lines
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: set[str], *, close: bool) -> Table:
    """Make a table in which what one reads by, the first column, and numbers stay in one line."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    padding = (0, 1, 0, 0) if close else (0, 1)
    table = Table(pad_edge=False, padding=padding, header_style="bold")
    for number, heading in enumerate(headings):
        words = [heading, *(row[number] for row in rows)]
        one_line = number == 0 or heading in right
        table.add_column(
            heading,
            justify="right" if heading in right else "left",
            overflow="fold",
            no_wrap=one_line,
            min_width=max(map(cell_len, words)) if one_line else None,
        )
    for row in rows:
        # Text, not str: square brackets in a plugin's message are no markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    return table


_STYLES = {
    "loaded": "green",
    "disabled": "dim",
    "failed": "bold red",
    "incompatible": "bold red",
    "conflict": "bold yellow",
    "error": "bold red",
    "default": "green",
    "last": "yellow",
}
"""What a state looks like on a terminal."""
