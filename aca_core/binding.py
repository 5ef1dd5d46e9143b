"""How an offer meets a site: its options checked, its paths made absolute, its declaration left as it was."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from aca_core._structure import StructureError, structure_options
from aca_core.config import Config, dotted
from aca_core.errors import AcaError, ConfigError, ConfigProblem, DeclarationError
from aca_core.offers import Offer, site_options

__all__ = ["SKA_PREFIX", "bind", "check_options"]

O = TypeVar("O", bound=Offer)  # noqa: E741  # an offer of any kind

SKA_PREFIX: Final = "{ska}"
"""A path that starts with this lies in the site's Ska tree instead of its archive."""


def bind(offer: O, config: Config, also: Collection[str] = ()) -> O:
    """Return an offer with a site's options and absolute paths.

    Parameters
    ----------
    offer : Offer
        As a plugin declared it.
    config : Config
        The site's choice.
    also : collection of str, optional
        Options that its table may have for another offer of the same name, to which the table belongs as well.

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
    >>> from aca_core import Config, DatedTree
    >>> tree = DatedTree(name="night", root=Path("darks"), image_file="map.fits")
    >>> config = Config(root=["/data/aca"], dark_sources={"night": {"root": "night_darks"}})
    >>> bind(tree, config).root.as_posix()
    '/data/aca/night_darks'
    """
    values, problems = check_options(offer, config, also)
    if problems:
        raise ConfigError(problems)
    options = {name: values.get(name, getattr(offer, name)) for name in site_options(type(offer))}
    placed = {name: _placed(value, offer, name, config) for name, value in options.items() if isinstance(value, Path)}
    changed = {**values, **placed}
    return attrs.evolve(offer, **changed) if changed else offer


def check_options(
    offer: Offer, config: Config, also: Collection[str] = ()
) -> tuple[dict[str, Any], list[ConfigProblem]]:
    """Return the values that a site gives to an offer's options, and everything that is wrong with them.

    Parameters
    ----------
    offer : Offer
        As a plugin declared it.
    config : Config
        The site's choice.
    also : collection of str, optional
        Options that the table may have for another offer of the same name.

    Returns
    -------
    values : dict
        Field names with typed values; empty where there are problems.
    problems : list of ConfigProblem
        Empty where all is well.
    """
    own = site_options(type(offer))
    given = config.options(offer.section, offer.name)
    table = {name: value for name, value in given.items() if name in own or name not in also}
    place = (offer.section, offer.name)
    try:
        values = structure_options(table, type(offer))
    except StructureError as error:
        return {}, [
            _problem(config, (*place, *mistake.keys), _without_options(offer, mistake.text))
            for mistake in error.mistakes
        ]
    problems = [
        _problem(config, (*place, name), refusal)
        for name, value in values.items()
        if (refusal := _refusal(offer, {name: value})) is not None
    ]
    if not problems and (refusal := _refusal(offer, values)) is not None:
        problems = [_problem(config, place, refusal)]  # each is right alone, and they do not go together
    return ({}, problems) if problems else (values, [])


def _refusal(offer: Offer, values: dict[str, Any]) -> str | None:
    """Return why an offer's own checks refuse some values, or None."""
    try:
        attrs.evolve(offer, **values)
    except DeclarationError as error:
        return f"{error.field} is {error.value!r}; expected {error.expected}"
    except (AcaError, ValueError, TypeError) as error:
        return str(error)
    return None


def _without_options(offer: Offer, text: str) -> str:
    return text if site_options(type(offer)) else f"{text} The {offer.noun} {offer.name!r} opens no option to sites."


def _problem(config: Config, keys: tuple[str, ...], text: str) -> ConfigProblem:
    return ConfigProblem(config.blamed(*keys), dotted(keys), text)


def _placed(path: Path, offer: Offer, option: str, config: Config) -> Path:
    """Return a path of a site as an absolute one."""
    path = path.expanduser()
    if path.is_absolute():
        return path
    if path.parts and path.parts[0] == SKA_PREFIX:
        if config.ska is None:
            text = f'{path} lies in the Ska tree, and none is configured; set ska = "…" or SKA'
            raise ConfigError([_problem(config, (offer.section, offer.name, option), text)])
        return config.ska.joinpath(*path.parts[1:])
    if not config.root:
        text = f'{path} is relative to the archive root, and none is configured; set root = "…" or ACA_DATA'
        raise ConfigError([_problem(config, (offer.section, offer.name, option), text)])
    candidates = [root / path for root in config.root]
    return next((candidate for candidate in candidates if candidate.exists()), candidates[0])
