"""What is wrong with a configuration beyond its shape: names that nothing offers, options that offers refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from aca_core._discovery import COMMAND_GROUP, canonical_id, find_entry_points
from aca_core.binding import check_options, placed_paths
from aca_core.catalogues import Catalogue
from aca_core.config import OFFER_SECTIONS, OFFER_VARIANTS, Config, dotted
from aca_core.config_layers import user_config_file
from aca_core.dark_sources import DarkSource
from aca_core.errors import ConfigProblem, IntegrityError, did_you_mean
from aca_core.layouts import ByObsid
from aca_core.models import ProbabilityModel
from aca_core.obsids import obsids_in
from aca_core.offers import Offer, site_options
from aca_core.products import ArchiveProduct
from aca_core.registry import Registry
from aca_core.retrievers import Retriever

__all__ = ["Findings", "check_config", "places_of_files"]


@attrs.frozen
class Findings:
    """What a check of a configuration found.

    Attributes
    ----------
    errors : tuple of ConfigProblem
        What cannot work.
    warnings : tuple of ConfigProblem
        What has no effect, or refers to something that is not there now.
    """

    errors: tuple[ConfigProblem, ...]
    warnings: tuple[ConfigProblem, ...]


def check_config(config: Config, registry: Registry) -> Findings:
    """Hold a configuration against what is installed.

    Parameters
    ----------
    config : Config
        Already known to be well-formed.
    registry : Registry
        The plugins that it selects.

    Returns
    -------
    Findings
        Empty in both parts when all is well.
    """
    return Findings(
        errors=(
            *_wrong_options(config, registry),
            *_unknown_in_sets(config, registry),
            *_failed_where_none_may(config, registry),
        ),
        warnings=(
            *_missing_roots(config),
            *_sets_without_source(config, registry),
            *_missing_folders(config, registry),
            *_absent_offers(config, registry),
            *_absent_plugins(config, registry),
            *_absent_models(config, registry),
            *_absent_dark_sources(config, registry),
            *_unreadable_lists(config, registry),
        ),
    )


def _wrong_options(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    for offer in registry.offers(Offer):
        values, problems = check_options(offer, config)
        if not problems and config.options(offer.section, offer.name, offer.variant):
            problems = placed_paths(offer, values, config)[1]
        yield from problems


def _unknown_in_sets(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    known_products = _names(registry.offers(ArchiveProduct))
    known_retrievers = _names(registry.offers(Retriever))
    known_catalogues = _names(registry.offers(Catalogue))
    for set_name, product_set in config.sets.items():
        asked = [("products", "archive product", name, known_products) for name in product_set.products]
        if product_set.retriever:
            asked.append(("retriever", "retriever", product_set.retriever, known_retrievers))
        if product_set.catalogue:
            asked.append(("catalogue", "catalogue", product_set.catalogue, known_catalogues))
        for key, noun, name, known in asked:
            if name not in known:
                text = f"{_no_such(noun, name, known)}{_not_in_use(registry)}"
                yield _problem(config, ("sets", set_name, key), text)


def _failed_where_none_may(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    """Yield the plugins that are set aside although the configuration asks for strictness."""
    for info in registry.plugins:
        if config.plugins.strict and info.status != "loaded" and not info.by_choice:
            yield _problem(config, ("plugins", "strict"), f"plugin {info} was set aside: {info.reason}")


def _missing_roots(config: Config) -> Iterator[ConfigProblem]:
    if not config.root:
        text = 'no archive root; commands that need one will say so. Set root = "…" or ACA_DATA'
        text += "" if config.file else f". No configuration file was found, neither {places_of_files()}"
        yield ConfigProblem(str(config.file or "configuration"), "root", text)
    for root in config.root:
        try:
            if root.exists() and not root.is_dir():
                yield _problem(config, ("root",), f"{str(root)!r} is no folder")
            elif not root.exists():
                yield _problem(config, ("root",), f"there is no folder {str(root)!r} yet")
        except OSError as error:
            yield _problem(config, ("root",), f"{str(root)!r} cannot be looked at: {error.strerror}")


def places_of_files() -> str:
    """Return where a configuration file is looked for when none is named, to follow "neither".

    Returns
    -------
    str
    """
    own = user_config_file()
    return f"./aca.toml here ({Path.cwd()}){f' nor {own}' if own else ''}"


def _sets_without_source(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    """Yield the sets of which nothing can be updated, or not what is new."""
    products = {product.name: product for product in registry.offers(ArchiveProduct)}
    for name, chosen in config.sets.items():
        if not chosen.retriever:
            text = f"is not set, so that 'aca update' cannot bring anything of this set{_such_as(registry, Retriever)}"
            yield _problem(config, ("sets", name, "retriever"), text)
            continue
        known = [products[product] for product in chosen.products if product in products]
        by_obsid = [product for product in known if isinstance(product.layout, ByObsid)]
        for product in by_obsid if chosen.catalogue else ():
            if product.work is None:
                text = f"{product.name} declares no work in a catalogue, so that of it only --obsid works"
                yield _problem(config, ("sets", name, "products"), text)


def _such_as(registry: Registry, kind: type[Offer]) -> str:
    names = sorted(_names(registry.offers(kind)))
    return f"; installed: {', '.join(names)}" if names else ""


def _missing_folders(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    """Yield the paths of the retrievers and catalogues of sets at which there is nothing."""
    used: dict[tuple[str, str], Offer] = {}
    for chosen in config.sets.values():
        kinds: tuple[tuple[type[Offer], str | None], ...] = (
            (Retriever, chosen.retriever),
            (Catalogue, chosen.catalogue),
        )
        for kind, name in kinds:
            for offer in registry.offers(kind):
                if offer.name == name:
                    used[offer.section, offer.name] = offer
    for offer in used.values():
        values, problems = check_options(offer, config)
        placed, unplaced = placed_paths(offer, values, config)
        if problems or unplaced:  # which are told elsewhere
            continue
        for option in site_options(type(offer)):
            path = placed.get(option, values.get(option, getattr(offer, option)))
            if isinstance(path, Path) and not _is_there(path):
                text = f"there is nothing at {str(path)!r}, which is where {offer.noun} {offer.name} looks; {_MEND}"
                yield _problem(config, (offer.section, offer.name, option), text)


_MEND: Final = "mount or make it, or set the right path (a relative one is below the root)"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _absent_offers(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    for section in OFFER_SECTIONS:
        known = _names(offer for offer in registry.offers(Offer) if offer.section == section)
        variants = {(offer.name, offer.variant) for offer in registry.offers(Offer) if offer.section == section}
        for name, table in getattr(config, section).items():
            noun = section.removesuffix("s").replace("_", " ")
            if name not in known:
                yield _problem(config, (section, name), f"has no effect: {_no_such(noun, name, known)}")
                continue
            for variant in OFFER_VARIANTS:
                if isinstance(table.get(variant), Mapping) and (name, variant) not in variants:
                    text = f"has no effect: no {variant} {noun} is named {name!r}"
                    yield _problem(config, (section, name, variant), text)


def _absent_plugins(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    commands = list(find_entry_points(COMMAND_GROUP))
    known = {info.id for info in registry.plugins} | {each.id for each in commands}
    names = {info.name for info in registry.plugins} | {each.name for each in commands}
    for name in config.plugins.disable:
        if canonical_id(name) not in known | names:
            yield _problem(config, ("plugins", "disable"), f"has no effect: {_no_such('plugin', name, known)}")
    owners = {name for info in registry.plugins for name in (info.id, info.distribution)}
    offered = {name for offer in registry.offers(Offer) for name in (offer.name, f"{offer.noun} {offer.name}")}
    for name, owner in config.plugins.prefer.items():
        if canonical_id(owner, owner=True) not in owners:
            text = f"has no effect: {_no_such('distribution or plugin', owner, owners)}"
            yield _problem(config, ("plugins", "prefer", name), text)
        elif name not in offered:
            text = f"has no effect: {_no_such('offer', name, {offer.name for offer in registry.offers(Offer)})}"
            yield _problem(config, ("plugins", "prefer", name), text)


def _absent_models(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    models = registry.offers(ProbabilityModel)
    for kind in ("acquisition", "guide"):
        name = getattr(config.probability, kind)
        known = _names(model for model in models if model.kind == kind)
        if name not in known and config.origin("probability", kind) != "default":
            yield _problem(config, ("probability", kind), _no_such(f"{kind} model", name, known))


def _absent_dark_sources(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    known = _names(registry.offers(DarkSource))
    for key in ("source", "processed_from"):
        name = getattr(config.dark, key)
        if name not in known and config.origin("dark", key) != "default":
            yield _problem(config, ("dark", key), _no_such("dark source", name, known))


def _unreadable_lists(config: Config, registry: Registry) -> Iterator[ConfigProblem]:
    """Yield the lists of obsids that are kept in a file that cannot be read."""
    lists = [(("sets", name, "bad_obsids"), each.bad_obsids) for name, each in config.sets.items()]
    for product in registry.offers(ArchiveProduct):
        values, _ = check_options(product, config)
        lists.append((("products", product.name, "bad_obsids"), values.get("bad_obsids", product.bad_obsids)))
    for keys, listed in lists:
        if isinstance(listed, Path):
            try:
                obsids_in(config.placed(listed)[0])
            except (OSError, ValueError, IntegrityError) as error:
                yield _problem(config, keys, f"cannot be read: {error}")


def _names(offers: Iterable[Offer]) -> set[str]:
    return {offer.name for offer in offers}


def _not_in_use(registry: Registry) -> str:
    absent = [f"{info.id} ({info.status})" for info in registry.plugins if info.status != "loaded"]
    return f" Not in use: {', '.join(absent)}." if absent else ""


def _no_such(noun: str, name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = did_you_mean(name, names)
    listed = f" Installed: {', '.join(names)}." if names else " None is installed."
    return f"no {noun} is named {name!r}.{near}{listed}"


def _problem(config: Config, keys: tuple[str, ...], text: str) -> ConfigProblem:
    return ConfigProblem(config.blamed(*keys), dotted(keys), text)
