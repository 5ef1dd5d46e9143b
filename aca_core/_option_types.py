"""What the options of offers may be: their annotations as types, in words, and which of them TOML can hold."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any

import attrs

from aca_core.errors import DeclarationError
from aca_core.offers import Offer, site_options

__all__ = [
    "PLAIN_TYPES",
    "annotation",
    "check_option_types",
    "expected_of",
    "expected_text",
    "is_literal",
    "is_tuple",
    "is_union",
]

PLAIN_TYPES: Mapping[Any, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Path: "a path in quotes",
}


_SEVERAL: Mapping[Any, str] = {
    str: "strings",
    bool: "true and false",
    int: "whole numbers",
    float: "numbers",
    Path: "paths in quotes",
}


def expected_text(wanted: Any) -> str:
    """Return what a type means to somebody who writes TOML, for example ``a whole number``."""
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted in PLAIN_TYPES:
        return PLAIN_TYPES[wanted]
    if origin is typing.Literal:
        return "one of " + ", ".join(repr(choice) for choice in arguments)
    if origin in (UnionType, typing.Union):
        return ", or ".join(expected_text(part) for part in arguments if part is not NoneType)
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"an array of {_SEVERAL.get(arguments[0], f'elements, each {expected_text(arguments[0])}')}"
    if origin is tuple:
        return f"an array of {len(arguments)}: {', '.join(expected_text(part) for part in arguments)}"
    return "a table"


def expected_of(field: attrs.Attribute[Any], cls: type) -> str:
    """Return what a field of a class may hold, to somebody who writes TOML.

    Parameters
    ----------
    field : attrs.Attribute
        The field; ``expected`` in its metadata says it where the annotation does not.
    cls : type
        Its class.

    Returns
    -------
    str
    """
    return str(field.metadata.get("expected") or expected_text(annotation(cls, field.name)))


def check_option_types(offer_class: type[Offer]) -> None:
    """Refuse a class of offers with an option that no configuration could hold.

    Parameters
    ----------
    offer_class : type
        A subclass of `Offer`.

    Raises
    ------
    DeclarationError
        The annotation of a site option does not exist at run time, or is none of the supported types.
    """
    for name in site_options(offer_class):
        wanted = annotation(offer_class, name)
        if not _is_supported(wanted):
            expected = "str, int, float, bool, Path, a Literal, a tuple of these, or one of these | None"
            raise DeclarationError(offer_class.__name__, f"annotation of {name}", wanted, expected)


def _is_supported(wanted: Any) -> bool:
    arguments = typing.get_args(wanted)
    if is_union(wanted):
        return all(part is NoneType or _is_supported(part) for part in arguments)
    if is_tuple(wanted):
        return bool(arguments) and all(part is Ellipsis or _is_supported(part) for part in arguments)
    return wanted in PLAIN_TYPES or is_literal(wanted)


def annotation(offer_class: type, name: str) -> Any:
    """Return the annotation of a field as a type, evaluated where its class was written.

    Parameters
    ----------
    offer_class : type
        An attrs class.
    name : str
        One of its fields, its own or inherited.

    Returns
    -------
    type

    Raises
    ------
    DeclarationError
        The annotation names something that does not exist at run time.
    """
    owner = next((cls for cls in offer_class.__mro__ if name in inspect.get_annotations(cls)), None)
    if owner is None:
        raise DeclarationError(offer_class.__name__, f"annotation of {name}", None, "a type, as in 'width: int = …'")
    holder = SimpleNamespace(__annotations__={name: owner.__annotations__[name]})
    try:
        return typing.get_type_hints(holder, vars(sys.modules[owner.__module__]))[name]
    except (NameError, TypeError, SyntaxError) as error:
        expected = f"a type that exists at run time, outside `if TYPE_CHECKING` ({error})"
        raise DeclarationError(
            owner.__name__, f"annotation of {name}", holder.__annotations__[name], expected
        ) from None


def is_literal(wanted: Any) -> bool:
    """Say whether a type is a Literal."""
    return bool(typing.get_origin(wanted) == typing.Literal)


def is_tuple(wanted: Any) -> bool:
    """Say whether a type is a tuple of certain elements."""
    return typing.get_origin(wanted) is tuple


def is_union(wanted: Any) -> bool:
    """Say whether a type is a union, such as one with None."""
    return typing.get_origin(wanted) in (UnionType, typing.Union)
