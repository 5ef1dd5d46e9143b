"""How results are written: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

__all__ = ["write_json", "write_table"]

_WIDE = 10_000


def write_json(value: Any) -> None:
    """Write a value as indented JSON on standard output.

    Parameters
    ----------
    value : object
        Dicts, lists, strings, numbers, booleans and None; dates, and numbers that are not finite, become strings.
    """
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def _plain(value: Any) -> Any:
    """Return a value without the numbers that JSON has no words for."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


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
    table = Table(box=SIMPLE_HEAD if terminal else None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        # Text, not str: square brackets in a plugin's message are no markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=None if terminal else _WIDE)
    console.print(table)


_STYLES = {
    "loaded": "green",
    "disabled": "dim",
    "failed": "bold red",
    "incompatible": "bold red",
    "conflict": "bold yellow",
}
"""What a state looks like on a terminal."""
