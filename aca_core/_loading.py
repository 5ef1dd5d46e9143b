"""How one plugin is loaded: imported, its hooks checked, its offers collected and checked, element by element."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pluggy

from aca_core import hookspecs
from aca_core._conflicts import OfferKey
from aca_core._discovery import FoundEntryPoint
from aca_core._frozen import FrozenMapping
from aca_core._option_types import check_option_types
from aca_core.catalogues import Catalogue
from aca_core.dark_sources import DarkSource
from aca_core.errors import AcaError, did_you_mean
from aca_core.hookspecs import PROJECT
from aca_core.models import ProbabilityModel
from aca_core.offers import Offer, is_valid_name
from aca_core.products import ArchiveProduct
from aca_core.retrievers import Retriever

__all__ = [
    "HOOKS",
    "OFFER_HOOKS",
    "BrokenPluginError",
    "collect_offers",
    "contained",
    "offer_key",
    "register",
]

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

MAX_OFFERS: Final = 10_000
"""How much a hook may return: a limit for iterators that never end."""

HOOKS: Final = (*OFFER_HOOKS, "aca_committed")
"""Every hook that a plugin may implement."""


_CONTAINED = threading.RLock()


class BrokenPluginError(AcaError):
    """A plugin does not keep the contract; the message is the reason that ``aca plugins`` shows."""


@contextlib.contextmanager
def contained() -> Iterator[None]:
    """Keep a plugin's code from the process.

    What it prints goes to standard error, and what it changes before it fails (folder, warnings, logging) is put back.
    """
    # What is kept belongs to the process: registries that load in several threads must take turns.
    with _CONTAINED, contextlib.ExitStack() as always:
        stdout, stderr = sys.stdout, sys.stderr
        always.callback(setattr, sys, "stdout", stdout)
        always.callback(setattr, sys, "stderr", stderr)
        sys.stdout = stderr  # what a plugin prints must not get into the output of a command
        filters, disabled, folder = warnings.filters[:], logging.root.manager.disable, _current_folder()
        try:
            yield
        except BaseException:
            warnings.filters[:] = filters  # type: ignore[index]  # the module's list, which typeshed calls a sequence
            logging.root.manager.disable = disabled
            if folder is not None:
                with contextlib.suppress(OSError):
                    os.chdir(folder)
            raise


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  # a Path is not needed
    except OSError:
        return None


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
        from aca_core._explain import in_one_line

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
        for offer in _returned(hook, kind, caller):
            key = offer_key(offer)
            if key in seen:
                raise BrokenPluginError(f"{hook} offers {key[0]} {key[1]!r} twice; give one another name")
            seen.add(key)
            yield offer


def _returned(hook: str, kind: type[Offer], caller: pluggy.HookCaller) -> Iterator[Offer]:
    """Call one hook and yield what its implementations return, each element checked."""
    implementations = caller.get_hookimpls()
    with _naming(hook):
        results = caller()
    # pluggy leaves out None: fewer results than implementations mean that a return was forgotten.
    if len(results) < len(implementations):
        raise BrokenPluginError(f"{hook} returned None; return a list of what it offers")
    for returned in results:
        if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | Mapping):
            raise BrokenPluginError(f"{hook} returned {_shown(returned)}; expected a list of {kind.__name__}")
        with _naming(hook):
            elements = list(itertools.islice(returned, MAX_OFFERS + 1))
        if len(elements) > MAX_OFFERS:
            raise BrokenPluginError(f"{hook} returned more than {MAX_OFFERS} elements; expected a list that ends")
        for index, element in enumerate(elements):
            _check_element(hook, kind, index, element)
            yield element


@contextlib.contextmanager
def _naming(hook: str) -> Iterator[None]:
    """Name the hook in whatever is raised by a plugin's own code."""
    try:
        yield
    except Exception as error:
        from aca_core._explain import in_one_line

        raise BrokenPluginError(f"{hook} raised {in_one_line(error)}") from error


def _check_element(hook: str, kind: type[Offer], index: int, element: Any) -> None:
    """Refuse what is not an offer of its kind, whole and with a kind and options that are what they seem."""
    if not isinstance(element, kind):
        raise BrokenPluginError(
            f"{hook} returned {_shown(element)} as element {index}; expected instances of {kind.__name__}"
        )
    cls = type(element)
    if cls.noun is not kind.noun or cls.section != kind.section:
        raise BrokenPluginError(f"{hook} returned a {cls.__name__} with a noun or section of its own; leave both alone")
    if not is_valid_name(element.name):
        raise BrokenPluginError(
            f"{hook} returned an offer with the name {element.name!r}; expected lower case, as 'sim1'"
        )
    # A subclass with a post-init of its own takes the place of ours: the checks of the whole are made here again.
    whole_check = getattr(kind, "__attrs_post_init__", None)
    if whole_check is not None:
        whole_check(element)
    check_option_types(cls)


def _shown(value: object) -> str:
    try:
        shown = " ".join(repr(value).split())
    except Exception:  # a plugin's own repr
        shown = "something without a repr"
    return f"{shown[:60]} (type {type(value).__name__})"


def offer_key(offer: Offer) -> OfferKey:
    """Return what must be unique: the noun and the name of an offer."""
    return offer.noun, offer.name
