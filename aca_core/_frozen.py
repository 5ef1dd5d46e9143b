"""A mapping that cannot be changed, hashes and pickles, for the fields of frozen declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["FrozenMapping", "freeze"]

K = TypeVar("K")
V = TypeVar("V")


class FrozenMapping(Mapping[K, V]):
    """An immutable copy of a mapping.

    ``types.MappingProxyType`` neither pickles nor hashes, and declarations must do both: they travel to worker
    processes and are compared there.

    Parameters
    ----------
    items : mapping or iterable of pairs
        What to copy.

    Examples
    --------
    >>> FrozenMapping({"probe": "obspar"})["probe"]
    'obspar'
    """

    __slots__ = ("_items",)
    _items: dict[K, V]

    def __init__(self, items: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        object.__setattr__(self, "_items", dict(items))

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMapping, (self._items,)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a FrozenMapping cannot be changed; make a new one to set {name!r}")


def freeze(value: Any) -> Any:
    """Return `value` with every mapping and list inside it made immutable.

    Parameters
    ----------
    value : object
        Nested mappings, lists and scalars, as read from TOML or written in a declaration.

    Returns
    -------
    object
        Mappings as `FrozenMapping`, lists and tuples as tuples, anything else as it is.

    Examples
    --------
    >>> freeze({"arc5gl": {"probe": "obspar", "also": ["pipelog"]}})
    {'arc5gl': {'probe': 'obspar', 'also': ('pipelog',)}}
    """
    if isinstance(value, Mapping):
        return FrozenMapping((key, freeze(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    return value
