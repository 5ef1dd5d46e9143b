"""How one plugin is loaded: imported, its hooks checked, its offers collected and checked, element by element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pluggy

from aca_core import hookspecs
from aca_core._conflicts import OfferKey
from aca_core._discovery import FoundEntryPoint
from aca_core._frozen import FrozenMapping
from aca_core.catalogues import Catalogue
from aca_core.dark_sources import DarkSource
from aca_core.errors import AcaError, did_you_mean
from aca_core.hookspecs import PROJECT
from aca_core.models import ProbabilityModel
from aca_core.offers import Offer, is_valid_name
from aca_core.products import ArchiveProduct
from aca_core.retrievers import Retriever

__all__ = ["HOOKS", "OFFER_HOOKS", "BrokenPluginError", "collect_offers", "in_one_line", "offer_key", "register"]

OFFER_HOOKS: Final[Mapping[str, type[Offer]]] = FrozenMapping(
    {
        "aca_archive_products": ArchiveProduct,
        "aca_dark_sources": DarkSource,
        "aca_probability_models": ProbabilityModel,
        "aca_retrievers": Retriever,
        "aca_catalogues": Catalogue,
    }
)
"""The hooks that return offers, and what each of their elements must be."""

HOOKS: Final = (*OFFER_HOOKS, "aca_committed")
"""Every hook that a plugin may implement."""


class BrokenPluginError(AcaError):
    """A plugin does not keep the contract; the message is the reason that ``aca plugins`` shows."""


def register(found: FoundEntryPoint) -> pluggy.PluginManager:
    """Import a plugin and check its hooks, in a plugin manager of its own.

    Parameters
    ----------
    found : FoundEntryPoint
        Which plugin.

    Returns
    -------
    pluggy.PluginManager
        With this plugin alone.

    Raises
    ------
    BrokenPluginError
        Its hooks are not ours, or it has none. Importing it may raise anything else.
    """
    plugin = found.load()
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name=found.id)
    except pluggy.PluginValidationError as error:
        # pluggy names the plugin, the hook, the definition and the argument, on several lines.
        text = f"{in_one_line(error)}. Take only arguments that the hook has, or none"
        raise BrokenPluginError(text) from error
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise BrokenPluginError(_no_hook(plugin))
    for caller in callers:
        if not caller.has_spec():
            raise BrokenPluginError(
                f"there is no hook {caller.name!r}.{did_you_mean(caller.name, HOOKS)} Hooks: {', '.join(HOOKS)}"
            )
        if any(each.wrapper or each.hookwrapper for each in caller.get_hookimpls()):
            raise BrokenPluginError(f"{caller.name} is implemented as a wrapper; return offers of your own instead")
    return manager


def _no_hook(plugin: object) -> str:
    unmarked = [name for name in HOOKS if callable(getattr(plugin, name, None))]
    which = f"its {' and '.join(unmarked)}" if unmarked else f"functions named as hooks ({', '.join(HOOKS)})"
    return f"it implements no hook; mark {which} with @aca_core.hookimpl"


def collect_offers(manager: pluggy.PluginManager) -> Iterator[Offer]:
    """Call a plugin's offer hooks and yield every element that they return, checked.

    Parameters
    ----------
    manager : pluggy.PluginManager
        From `register`.

    Yields
    ------
    Offer
        What the plugin offers.

    Raises
    ------
    BrokenPluginError
        A hook raised, returned something else than offers of its kind, or offers a name twice.
    """
    seen: set[OfferKey] = set()
    for hook, kind in OFFER_HOOKS.items():
        caller: pluggy.HookCaller = getattr(manager.hook, hook)
        if not caller.get_hookimpls():
            continue
        for offer in _checked(hook, kind, _returned(hook, caller)):
            if offer_key(offer) in seen:
                raise BrokenPluginError(f"{hook} offers {offer.noun} {offer.name!r} twice; give one another name")
            seen.add(offer_key(offer))
            yield offer


def _returned(hook: str, caller: pluggy.HookCaller) -> Any:
    """Call one hook; pluggy leaves out None, so nothing at all means that the return was forgotten."""
    try:
        results = caller()
    except Exception as error:
        raise BrokenPluginError(f"{hook} raised {in_one_line(error)}") from error
    if not results:
        raise BrokenPluginError(f"{hook} returned None; return a list of what it offers")
    return results[0]


def _checked(hook: str, kind: type[Offer], returned: Any) -> Iterator[Offer]:
    """Yield the elements that a hook returned; refuse what is not an offer of its kind."""
    if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | Mapping):
        raise BrokenPluginError(f"{hook} returned {_shown(returned)}; expected a list of {kind.__name__}")
    try:
        elements = list(returned)
    except Exception as error:
        raise BrokenPluginError(f"{hook} raised {in_one_line(error)}") from error
    for index, element in enumerate(elements):
        if not isinstance(element, kind):
            raise BrokenPluginError(
                f"{hook} returned {_shown(element)} as element {index}; expected instances of {kind.__name__}"
            )
        if not is_valid_name(element.name):
            raise BrokenPluginError(
                f"{hook} returned an offer with the name {element.name!r}; expected lower case, as 'sim1'"
            )
        yield element


def _shown(value: object) -> str:
    return f"{value!r:.60} (type {type(value).__name__})"


def offer_key(offer: Offer) -> OfferKey:
    """Return what must be unique: the noun and the name of an offer."""
    return offer.noun, offer.name


def in_one_line(error: BaseException) -> str:
    """Return an error as one line for people.

    Parameters
    ----------
    error : BaseException
        Anything that third-party code may raise.

    Returns
    -------
    str
        Its message; its type too, where the message may not explain itself.
    """
    text = " ".join(str(error).split())
    if isinstance(error, AcaError | pluggy.PluginValidationError):
        return text
    if isinstance(error, SystemExit):
        return f"it called sys.exit({text}); a plugin must not end the program"
    if isinstance(error, ImportError):
        return f"it cannot be imported: {type(error).__name__}: {text}; reinstall it with what it needs"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
