"""How an offer meets a site: its options checked, its paths made absolute, its declaration left as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from aca_core.config import Config, dotted
from aca_core.errors import AcaError, ConfigError, ConfigProblem, DeclarationError, message_of
from aca_core.offers import OTHER_ROOTS, Offer, site_options

__all__ = ["bind", "check_options", "placed_paths"]

O = TypeVar("O", bound=Offer)  # noqa: E741  # an offer of any kind


def bind(offer: O, config: Config) -> O:
    r"""Return an offer with a site's options and absolute paths.

    Parameters
    ----------
    offer : Offer
        As a plugin declared it.
    config : Config
        The site's choice.

    Returns
    -------
    Offer
        A copy of the same class.

    Raises
    ------
    ConfigError
        The site's table for this offer has an unknown key, a wrong type or a refused value, or a path needs an archive
        root or a Ska tree and none is configured.

    Examples
    --------
    >>> from pathlib import Path
    >>> from aca_core import ArchiveProduct, Config, FitsColumns, Version
    >>> sim = ArchiveProduct(name="sim1", version=Version(glob="*", pattern=r"N(\d{3})_"),
    ...                      columns=FitsColumns("tstart", "tstop", "revision"))
    >>> config = Config(root=["/data/aca"], products={"sim1": {"bad_obsids": "sim1/bad.dat"}})
    >>> bind(sim, config).bad_obsids.as_posix()
    '/data/aca/sim1/bad.dat'
    """
    values, problems = check_options(offer, config)
    if problems:
        raise ConfigError(problems)
    placed, problems = placed_paths(offer, values, config)
    if problems:
        raise ConfigError(problems)
    changed = {**values, **placed}
    return attrs.evolve(offer, **changed) if changed else offer


def check_options(offer: Offer, config: Config) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Return the values that a site gives to an offer's options, and everything that is wrong with them.

    Parameters
    ----------
    offer : Offer
        As a plugin declared it.
    config : Config
        The site's choice.

    Returns
    -------
    values : dict
        Field names with typed values; empty where there are problems.
    problems : list of ConfigProblem
        Empty where all is well. That a path cannot be placed is told when the offer is bound.
    """
    values: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for place, table in config.options(offer.section, offer.name, offer.variant):
        found, wrong = _values_in(offer, table, place, config)
        values |= found
        problems += wrong
    if values and not problems and (refusal := _refusal(offer, values)) is not None:
        # Each is right alone, and they do not go together.
        problems = [_problem(config, (offer.section, offer.name), refusal)]
    return ({}, problems) if problems else (values, [])


def _values_in(
    offer: Offer, table: Mapping[str, Any], place: tuple[str, ...], config: Config
) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Return the typed values of one table, and what is wrong with each."""
    from aca_core._structure import StructureError, structure_options

    try:
        values = structure_options(table, type(offer))
    except StructureError as error:
        none = "" if site_options(type(offer)) else f" The {offer.noun} {offer.name!r} opens no option to sites."
        return {}, [_problem(config, (*place, *wrong.keys), wrong.text + none) for wrong in error.mistakes]
    problems = [
        _problem(config, (*place, name), refusal)
        for name, value in values.items()
        if (refusal := _refusal(offer, {name: value})) is not None
    ]
    return values, problems


def _refusal(offer: Offer, values: dict[str, Any]) -> str | None:
    """Return why an offer's own checks refuse some values, or None."""
    try:
        attrs.evolve(offer, **values)
    except DeclarationError as error:
        return f"{error.field} is {error.value!r}; expected {error.expected}"
    except AcaError as error:
        return str(error)
    except Exception as error:  # a plugin's own validator; those of attrs have the message first
        text = message_of(error) or type(error).__name__
        return f"refused by {offer.noun} {offer.name!r}: {text}"
    return None


def placed_paths(offer: Offer, values: dict[str, Any], config: Config) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Return the options that hold paths, with the paths made absolute.

    Parameters
    ----------
    offer : Offer
        As a plugin declared it.
    values : dict
        What the site sets, from `check_options`.
    config : Config
        The site's choice.

    Returns
    -------
    placed : dict
        Field names with absolute paths.
    problems : list of ConfigProblem
        The paths that need an archive root or a Ska tree and have none.
    """
    placed: dict[str, Any] = {}
    problems: list[ConfigProblem] = []
    for name in site_options(type(offer)):
        value = values.get(name, getattr(offer, name))
        others = attrs.fields_dict(type(offer))[name].metadata[OTHER_ROOTS]
        try:
            if others:
                placed[name], *further = config.placed(value, every=True)
                placed[others] = tuple(further)
            elif (absolute := _placed(value, config)) != value:
                placed[name] = absolute
        except ValueError as error:
            problems.append(_problem(config, (offer.section, offer.name, name), str(error)))
    return placed, problems


def _placed(value: Any, config: Config) -> Any:
    """Return a value with every path in it made absolute."""
    if isinstance(value, Path):
        return config.placed(value)[0]
    return tuple(_placed(each, config) for each in value) if isinstance(value, tuple) else value


def _problem(config: Config, keys: tuple[str, ...], text: str) -> ConfigProblem:
    return ConfigProblem(config.blamed(*keys), dotted(keys), text)
