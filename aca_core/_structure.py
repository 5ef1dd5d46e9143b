"""From the tables of a TOML file to typed values, with one message for each thing that is wrong.

cattrs walks the classes; the rules here are that a value is never converted into another type, and that every
mistake keeps the path of keys that leads to it. Import this module where it is used: cattrs is not needed to start.
"""

from __future__ import annotations

import contextlib
import functools
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar

import attrs
import cattrs
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn, make_mapping_structure_fn, override

from aca_core._option_types import annotation, expected_text, is_literal, is_tuple, is_union
from aca_core.errors import DeclarationError, did_you_mean
from aca_core.offers import Offer, site_options

__all__ = ["Mistake", "StructureError", "structure", "structure_options"]

T = TypeVar("T")


class Mistake(typing.NamedTuple):
    """One thing that is wrong with a table: the path of keys that leads to it, and what is wrong there.

    It is mendable where something is only absent, which another layer of a configuration may bring.
    """

    keys: tuple[str, ...]
    text: str
    mendable: bool = False


class StructureError(Exception):
    """A table cannot be structured; carries every `Mistake` in it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{'.'.join(mistake.keys)}: {mistake.text}" for mistake in mistakes))


class _UnfitError(ValueError):
    """A leaf has the wrong type or value; the message says what was found and expected."""

    def __init__(self, value: object, expected: str) -> None:
        shown = repr(value)
        super().__init__(f"{shown[:60]}{'…' if len(shown) > 60 else ''} is not {expected}")


def structure(table: Mapping[str, Any], cls: type[T]) -> T:
    """Build an attrs class from a table.

    Parameters
    ----------
    table : mapping
        As `tomllib` returns it.
    cls : type
        An attrs class whose annotations say what each key may hold.

    Returns
    -------
    instance of `cls`

    Raises
    ------
    StructureError
        With every unknown key, wrong type and refused value.
    """
    try:
        return _converter().structure(table, cls)
    except BaseValidationError as error:
        raise StructureError(list(_mistakes(error, ()))) from None


def structure_options(table: Mapping[str, Any], offer_class: type[Offer]) -> dict[str, Any]:
    """Return the values that a site's table gives to the options of a class of offers.

    Parameters
    ----------
    table : mapping
        The offer's own table in the configuration.
    offer_class : type
        A subclass of `Offer`.

    Returns
    -------
    dict
        Field names with values of the annotated types, for the keys that `table` has.

    Raises
    ------
    StructureError
        As for `structure`.
    DeclarationError
        The class annotates a site option with a type that does not exist at run time.
    """
    options: Any = structure(table, _options_class(offer_class))  # type: ignore[arg-type]  # classes do hash
    return {name: value for name in site_options(offer_class) if (value := getattr(options, name)) is not _UNSET}


_UNSET = object()


@functools.cache
def _options_class(offer_class: type[Any]) -> type:
    """Return an attrs class of just the site options, each of them optional."""
    types = {name: annotation(offer_class, name) for name in site_options(offer_class)}
    fields = {name: attrs.field(type=wanted, default=_UNSET) for name, wanted in types.items()}
    return attrs.make_class(f"{offer_class.__name__}Options", fields, frozen=True)


@functools.cache
def _converter() -> cattrs.Converter:
    """Return the converter that never turns one type into another."""
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    for plain in (str, bool, int, float, Path):
        converter.register_structure_hook(plain, functools.partial(_plain, accepted=plain))
    converter.register_structure_hook_func(is_literal, _literal)
    converter.register_structure_hook_factory(is_tuple, functools.partial(_tuple_hook, converter))
    converter.register_structure_hook_factory(is_union, functools.partial(_union_hook, converter))
    converter.register_structure_hook_factory(_is_table, functools.partial(_table_hook, converter))
    return converter


def _plain(value: Any, wanted: Any, *, accepted: type) -> Any:
    if accepted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if accepted is Path and isinstance(value, str | Path) and str(value).strip() and "\0" not in str(value):
        return Path(value)
    if isinstance(value, accepted) and not (accepted is int and isinstance(value, bool)):
        return value
    if isinstance(value, str) and not value.strip():
        raise _UnfitError(value, f"{expected_text(accepted)} that says something")
    raise _UnfitError(value, expected_text(accepted))


def _literal(value: Any, wanted: Any) -> Any:
    if any(value == choice and type(value) is type(choice) for choice in typing.get_args(wanted)):
        return value
    raise _UnfitError(value, expected_text(wanted))


def _tuple_hook(converter: cattrs.Converter, wanted: Any) -> Any:
    """Return a hook for arrays: cattrs' own takes any iterable, so a string would become its letters."""
    kinds = typing.get_args(wanted)
    open_ended = kinds[-1] is Ellipsis

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or not (open_ended or len(value) == len(kinds)):
            raise _UnfitError(value, expected_text(wanted))
        elements: list[Any] = []
        errors: list[Exception] = []
        for index, element in enumerate(value):
            kind = kinds[0] if open_ended else kinds[index]
            try:
                elements.append(converter.structure(element, kind))
            except Exception as error:
                error.add_note(IterableValidationNote(f"element {index}", index, kind))
                errors.append(error)
        if errors:
            raise IterableValidationError("an array", errors, tuple)
        return tuple(elements)

    return hook


def _union_hook(converter: cattrs.Converter, wanted: Any) -> Any:
    """Return a hook that takes the first part of a union that fits."""
    *others, last = [part for part in typing.get_args(wanted) if part is not NoneType]

    def hook(value: Any, _: Any) -> Any:
        for part in others:
            with contextlib.suppress(_UnfitError, BaseValidationError):
                return converter.structure(value, part)
        try:
            return converter.structure(value, last)
        except _UnfitError:
            raise _UnfitError(value, expected_text(wanted)) from None

    return hook


def _is_table(wanted: Any) -> bool:
    return attrs.has(wanted) or typing.get_origin(wanted) in (Mapping, dict)


def _table_hook(converter: cattrs.Converter, wanted: Any) -> Any:
    """Return cattrs' own hook behind a check that there is a table at all."""
    inner: Any
    if attrs.has(wanted):
        internal: Any = {name: override(omit=True) for name in set(attrs.fields_dict(wanted)) - set(_keys_of(wanted))}
        inner = make_dict_structure_fn(wanted, converter, **internal)
    else:
        inner = make_mapping_structure_fn(wanted, converter, structure_to=dict)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _UnfitError(value, "a table")
        return inner(value, wanted)

    return hook


def _mistakes(error: BaseException, keys: tuple[str, ...]) -> Iterator[Mistake]:
    """Walk cattrs' tree of errors and yield its leaves with the keys that lead to them."""
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from _mistakes(inner, keys + _step(inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        known = _keys_of(error.cl)
        for key in sorted(error.extra_fields, key=str):
            names = f" Keys here: {', '.join(known)}." if known else " No keys are known here."
            yield Mistake((*keys, str(key)), f"unknown key.{did_you_mean(key, known)}{names}")
    elif isinstance(error, KeyError):
        yield Mistake(keys, "is required and missing", mendable=True)
    elif isinstance(error, DeclarationError):
        # A check of the whole table knows which of its keys it means.
        yield Mistake((*keys, error.field), f"{error.value!r} is not {error.expected}", mendable=error.value is None)
    else:
        yield Mistake(keys, str(error) or type(error).__name__)


def _keys_of(cls: type) -> list[str]:
    """Return the keys that a table may have: the fields of its class that are not marked as internal."""
    return [field.name for field in attrs.fields(cls) if not field.metadata.get("internal")]


def _step(error: BaseException) -> tuple[str, ...]:
    """Return the key or index that cattrs noted on an error."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (f"[{note.index}]",) if isinstance(note.index, int) else (str(note.index),)
    return ()
