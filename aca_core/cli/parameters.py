"""Numbers that are typed, refused in words: what was typed, and what was expected."""

from __future__ import annotations

from typing import Any

import click

__all__ = ["OBSID", "Seconds", "Whole"]


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


def _range(expected: str, limits: click.IntRange | click.FloatRange) -> str:
    if limits.max is None:
        return f"; {expected}, {limits.min:g} or more" if limits.min is not None else f"; {expected}"
    return f"; {expected} from {limits.min} to {limits.max}"


OBSID = Whole(0, 99_999, "obsid")
