"""Validators and converters for the fields of declarations, with messages that name the declaration and the field."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from aca_core.errors import DeclarationError

__all__ = [
    "as_floats",
    "as_tuple",
    "as_whole",
    "base_name",
    "check",
    "each",
    "is_a",
    "is_range",
    "is_words",
    "refusal",
    "text",
    "whole",
]

Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def refusal(declaration: Any, field: str, value: object, expected: str) -> DeclarationError:
    """Return the error for a field of a declaration, which may be half made."""
    name = getattr(declaration, "name", None) if field != "name" else None
    what = f"{type(declaration).__name__} {name!r}" if isinstance(name, str) else type(declaration).__name__
    return DeclarationError(what, field, value, expected)


def check(test: Callable[[Any], bool], expected: str) -> Validator:
    """Return a validator that refuses what does not pass a test.

    Parameters
    ----------
    test : callable
        Says whether a value is right.
    expected : str
        What would be right, in words.

    Returns
    -------
    callable
        For ``validator=``.
    """

    def validate(declaration: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not test(value):
            raise refusal(declaration, attribute.name, value, expected)

    return validate


def is_a(kind: type | tuple[type, ...], expected: str) -> Validator:
    """Return a validator that refuses what is not an instance of a type; a bool is no number."""
    return check(lambda value: isinstance(value, kind) and not (kind is int and isinstance(value, bool)), expected)


def each(kind: type, expected: str) -> Validator:
    """Return a validator that refuses what is not a tuple of instances of a type."""
    return check(
        lambda value: isinstance(value, tuple) and all(isinstance(element, kind) for element in value), expected
    )


text: Validator = is_a(str, "a string")
"""The validator of a field that is one string."""


def as_tuple(value: Any) -> Any:
    """Return a list, tuple or set as a tuple, and anything else as it is, for a validator to refuse by name.

    Not ``tuple`` itself, which would make a string into its letters.
    """
    if isinstance(value, list | tuple):
        return tuple(value)
    return tuple(sorted(value, key=str)) if isinstance(value, set | frozenset) else value


def as_floats(value: Any) -> Any:
    """Return a list of numbers as a tuple of floats, and anything else as it is, for a validator to refuse."""
    is_list = isinstance(value, list | tuple)
    numbers = is_list and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    return tuple(float(each) for each in value) if numbers else value


def is_range(value: Any) -> bool:
    """Say whether a value is a tuple of two finite floats, the first of which is smaller."""
    numbers = isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, float) for each in value)
    return numbers and -math.inf < value[0] < value[1] < math.inf


def as_whole(value: Any) -> Any:
    """Return numpy's and other whole numbers as an int, and anything else as it is, for a validator to refuse."""
    try:
        return operator.index(value) if not isinstance(value, bool) else value
    except TypeError:
        return value


def whole(low: int, high: int) -> Validator:
    """Return a validator that refuses what is not a whole number from `low` to `high`."""
    return check(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        f"a whole number from {low} to {high}",
    )


base_name: Validator = check(
    lambda value: (
        isinstance(value, str) and value not in ("", ".", "..") and value.isprintable() and not set(value) & {"/", "\\"}
    ),
    "the base name of a file",
)
"""The validator of a field that is a file's name without a folder."""


def is_words(value: Any) -> bool:
    """Say whether a value maps names to mappings of strings."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str)
        and isinstance(words, Mapping)
        and all(isinstance(word, str) for pair in words.items() for word in pair)
        for name, words in value.items()
    )
