"""Numbers that are typed, refused in words: what was typed, and what was expected."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Final

import click
from click.types import FloatParamType

__all__ = ["OBSID", "PICTURES", "Number", "OutFile", "Seconds", "Whole"]

PICTURES: Final = (".png", ".svg", ".pdf")
"""Endings of pictures."""


class Whole(click.IntRange):
    """A whole number of a range.

    Parameters
    ----------
    low, high : int
        The range; no `high` for one without an end.
    noun : str
        What it is, for messages; nothing for any number.
    """

    def __init__(self, low: int, high: int | None = None, noun: str = "") -> None:
        super().__init__(low, high)
        self.noun = noun

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of what was typed."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            wrong = f"is no {self.noun}" if self.noun else "cannot be used here"
            self.fail(f"{str(value)!r} {wrong}{_range('expected a whole number', self)}", param, ctx)


class Seconds(click.FloatRange):
    """A number of seconds of a range.

    Parameters
    ----------
    low, high : float
        The range; no `high` for one without an end.
    """

    def __init__(self, low: float, high: float | None = None) -> None:
        super().__init__(low, high)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of what was typed."""
        try:
            return float(super().convert(value, param, ctx))
        except click.BadParameter:
            said = _range("expected a number of seconds", self)
            self.fail(f"{str(value)!r} cannot be used here{said}", param, ctx)


class Number(FloatParamType):
    """A finite number of a range, negative ones included: ``--t-ccd -19`` is one.

    Not a kind of click's own ranges: these write theirs into the help, where the text says it better.

    Parameters
    ----------
    low, high : float, optional
        The range; without one there is no end.
    noun : str
        What it is, for messages, with its unit.
    """

    def __init__(self, low: float | None = None, high: float | None = None, noun: str = "number") -> None:
        self.min, self.max = low, high
        self.noun = noun

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number of what was typed."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        low = -math.inf if self.min is None else self.min
        high = math.inf if self.max is None else self.max
        if not (math.isfinite(number) and low <= number <= high):
            self.fail(f"{str(value)!r} cannot be used here{_range(f'expected a {self.noun}', self)}", param, ctx)
        return number


class OutFile(click.Path):
    """A file that is going to be written, looked at before the work is done.

    Parameters
    ----------
    endings : tuple of str
        How its name may end.
    """

    def __init__(self, endings: tuple[str, ...]) -> None:
        super().__init__(dir_okay=False, path_type=str)
        self.endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path of what was typed."""
        path = Path(str(super().convert(value, param, ctx)))
        if not path.name.lower().endswith(self.endings):
            self.fail(f"{str(path)!r}: expected a name that ends in {', '.join(self.endings)}", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"{str(path)!r}: there is no folder {path.parent}", param, ctx)
        if not os.access(path.parent, os.W_OK):
            self.fail(f"{str(path)!r}: the folder {path.parent} may not be written to", param, ctx)
        return path


def _range(expected: str, limits: click.IntRange | click.FloatRange | Number) -> str:
    if limits.max is None:
        return f"; {expected}, {limits.min:g} or more" if limits.min is not None else f"; {expected}"
    return f"; {expected} from {limits.min} to {limits.max}"


OBSID = Whole(0, 99_999, "obsid")
