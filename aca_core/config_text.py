"""The configuration as text: a commented file to start from, and the values in force with their origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core._option_types import expected_of
from aca_core.catalogues import Catalogue
from aca_core.config import Config, DarkSettings, PluginSettings, ProbabilitySettings, ProductSet
from aca_core.offers import Offer, site_options
from aca_core.products import ArchiveProduct
from aca_core.retrievers import Retriever

if TYPE_CHECKING:
    from aca_core.registry import Registry

__all__ = ["Setting", "settings", "shown", "starter"]


@attrs.frozen
class Setting:
    """One value in force.

    Attributes
    ----------
    table : tuple of str
        The tables that lead to it.
    key : str
        Its key there.
    value : object
        Strings, numbers, booleans and lists of them; None where nothing is set.
    origin : str
        Where it came from: a file, a variable, ``argument`` or ``default``.
    """

    table: tuple[str, ...]
    key: str
    value: Any
    origin: str


def settings(config: Config) -> tuple[Setting, ...]:
    """Return every value of a configuration with its origin.

    Parameters
    ----------
    config : Config
        The configuration.

    Returns
    -------
    tuple of Setting
        Table by table, in the order of the reference.
    """
    return tuple(_walk(config, (), config))


def shown(config: Config, *, origin: bool) -> str:
    """Return a configuration as TOML that could be read again.

    Parameters
    ----------
    config : Config
        The configuration.
    origin : bool
        Whether each value is followed by a comment that says where it came from.

    Returns
    -------
    str
    """
    lines: list[str] = []
    table: tuple[str, ...] = ()
    for setting in settings(config):
        if setting.table != table:
            table = setting.table
            lines += ["", f"[{_dotted(table)}]"]
        if setting.value is None:
            text = f"# {_quoted_key(setting.key)} is not set"
        else:
            text = f"{_quoted_key(setting.key)} = {_toml(setting.value)}"
        lines.append(f"{text}{' ' * max(2, 44 - len(text))}# {setting.origin}" if origin else text)
    return "\n".join(lines).strip() + "\n"


_DARK_TABLES: Final = {"events": "dark_events.csv", "aacccdpt": "aacccdpt.csv", "hdr3": "hdr3_temperatures.csv"}


def starter(registry: Registry) -> str:
    """Return a commented configuration file to start from.

    Parameters
    ----------
    registry : Registry
        Its offers' options are listed too.

    Returns
    -------
    str
        Valid TOML in which everything is commented out.
    """
    lines = [
        "## Configuration of aca_core. Everything is optional; take the single '# ' of a line away to set a value.",
        "## 'aca config check' says what is wrong with this file, 'aca config show --origin' what is in force.",
        "",
        *_commented(
            Config,
            only=("root", "ska", "lock", "file_mode"),
            examples={"root": "/data/aca/archive", "ska": "/path/to/ska"},
        ),
    ]
    for title, cls, examples in (
        ("plugins", PluginSettings, {"prefer": {"name": "distribution"}}),
        ("probability", ProbabilitySettings, {}),
        ("dark", DarkSettings, _DARK_TABLES),
        ("sets.nightly", ProductSet, _example_set(registry)),
    ):
        lines += ["", f"# [{title}]", *_commented(cls, examples=examples)]
    offers = registry.offers(Offer)
    for offer in offers:
        fields = {name: attrs.fields_dict(type(offer))[name] for name in site_options(type(offer))}
        shared = sum((other.section, other.name) == (offer.section, offer.name) for other in offers) > 1
        place = (offer.section, offer.name, *([offer.variant] if shared else []))
        if fields:
            lines += ["", f"## {offer.noun}: {_in_one_line(offer.label)}", f"# [{_dotted(place)}]"]
        for name, field in fields.items():
            lines += _described(name, site_options(type(offer))[name], field, type(offer), getattr(offer, name))
    return "\n".join(lines) + "\n"


def _example_set(registry: Registry) -> dict[str, Any]:
    """Return a set of what is installed."""
    example: dict[str, Any] = {"products": [product.name for product in registry.offers(ArchiveProduct)]}
    for key, kind in (("retriever", Retriever), ("catalogue", Catalogue)):
        if offers := registry.offers(kind):
            example[key] = offers[0].name
    return example


def _walk(value: Any, table: tuple[str, ...], config: Config) -> Iterator[Setting]:
    """Yield the leaves of a table before the tables inside it, as TOML wants them."""
    items = list(_items(value))
    leaves = [(key, each) for key, each in items if not _is_table(each)]
    for key, each in leaves:
        yield Setting(table, key, _plain(each), config.origin(*table, key))
    for key, each in items:
        if _is_table(each):
            yield from _walk(each, (*table, key), config)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
        return
    for field in attrs.fields(type(value)):
        if not field.metadata.get("internal"):
            yield field.name, getattr(value, field.name)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or attrs.has(type(value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _commented(cls: type, only: tuple[str, ...] = (), examples: Mapping[str, Any] | None = None) -> Iterator[str]:
    """Yield a commented line of help and a commented assignment for each key of a settings class."""
    examples = examples or {}
    for field in attrs.fields(cls):
        if field.metadata.get("internal") or (only and field.name not in only):
            continue
        default = None if field.default is attrs.NOTHING else field.default
        yield from _described(field.name, field.metadata["help"], field, cls, examples.get(field.name, default))


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _described(name: str, help_text: str, field: attrs.Attribute[Any], cls: type, value: Any) -> Iterator[str]:
    """Yield a line on what a key means, and one that would set it; only the first where there is no value to show."""
    value = _plain(value)
    unset = f"; {name} is not set" if value is None else ""
    yield f"## {_in_one_line(help_text)}: {expected_of(field, cls)}{unset}"
    if value is not None:
        yield f"# {_quoted_key(name)} = {_toml(value)}"


def _toml(value: Any) -> str:
    import tomlkit

    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_quoted_key(key)} = {_toml(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in value)}]"
    return str(tomlkit.item(value).as_string())


def _dotted(table: tuple[str, ...]) -> str:
    return ".".join(_quoted_key(key) for key in table)


def _quoted_key(key: str) -> str:
    import tomlkit

    return tomlkit.key(key).as_string()
