"""How results are written: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from typing import Any

import click

__all__ = ["as_iso", "as_size", "write_json", "write_lines", "write_table"]

_WIDE = 10_000
_MANY = 8


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


def write_table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """Write a table on standard output: fitted to a terminal, or one plain line a row elsewhere.

    Parameters
    ----------
    headings : sequence of str
        One for each column.
    rows : iterable of sequence of str
        The cells.
    right : iterable of str
        Headings of the columns that are aligned on the right.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if sys.stdout is None:
        return  # closed by whoever started us
    terminal = sys.stdout.isatty()
    # Tables of many columns stand closer, so that they fit into 100.
    padding = (0, 1) if len(headings) <= _MANY else (0, 1, 0, 0)
    table = Table(box=SIMPLE_HEAD if terminal else None, pad_edge=False, padding=padding, header_style="bold")
    for heading in headings:
        is_number = heading in right
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold", no_wrap=is_number)
    for row in rows:
        # Text, not str: square brackets in a plugin's message are no markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=None if terminal else _WIDE)
    # Where a terminal is too narrow, it breaks the lines itself: no cell is cut, and a path stays one word.
    console.width = max(console.width, console.measure(table).minimum)
    console.print(table)


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
