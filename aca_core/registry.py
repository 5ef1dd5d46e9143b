"""The registry: finds plugins, loads each on its own, settles whose names count, and hands out what they offer."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import attrs
import pluggy

from aca_core._conflicts import OfferKey, settle
from aca_core._discovery import CORE_DISTRIBUTION, FoundEntryPoint, canonical_id, canonical_name, find_entry_points
from aca_core._loading import BrokenPluginError, collect_offers, contained, offer_key, register
from aca_core.catalogues import Catalogue
from aca_core.config import OFFER_VARIANTS, Config
from aca_core.dark_sources import DarkSource
from aca_core.errors import PluginError, UnknownNameError, did_you_mean
from aca_core.hookspecs import PROJECT
from aca_core.models import ModelKind, ProbabilityModel
from aca_core.offers import Offer
from aca_core.products import ArchiveProduct
from aca_core.retrievers import Retriever

if TYPE_CHECKING:
    from aca_core.changes import Change

__all__ = ["PluginInfo", "PluginStatus", "Registry"]

PluginStatus = Literal["loaded", "disabled", "failed", "incompatible", "conflict"]
"""What became of a plugin; all but ``loaded`` leave nothing of it in the registry."""

O = TypeVar("O", bound=Offer)  # noqa: E741  # an offer of any kind

_log = logging.getLogger("aca_core")


@attrs.frozen(kw_only=True)
class PluginInfo:
    """What is known of one plugin: the row that ``aca plugins`` shows.

    Attributes
    ----------
    name : str
        Name of the entry point.
    distribution, version : str
        What was installed with pip, and its version.
    value : str
        What the entry point names, for example ``aca_plugins.asp1``.
    status : {'loaded', 'disabled', 'failed', 'incompatible', 'conflict'}
        What became of it.
    offers : tuple of str
        What it offers, for example ``archive product asp1``.
    load_ms : float
        How long it took to import it and to collect its offers, milliseconds.
    reason : str
        Why it is not loaded and what to do, in one line; empty for a loaded one.
    by_choice : bool
        Whether the configuration wants it so: it disables the plugin, or prefers another.
    traceback : str
        Where it failed, in full; empty unless something was raised.
    """

    name: str
    distribution: str
    version: str
    value: str = ""
    status: PluginStatus = "loaded"
    offers: tuple[str, ...] = ()
    load_ms: float = 0.0
    reason: str = ""
    by_choice: bool = False
    traceback: str = attrs.field(default="", repr=False)

    @property
    def id(self) -> str:
        """``distribution:name``, unique among what is installed."""
        return f"{self.distribution}:{self.name}"

    def __str__(self) -> str:
        return f"{self.id} {self.version}".rstrip()


@attrs.frozen
class _Plugin:
    """A plugin that was loaded whole.

    It has a plugin manager of its own: what fails while it loads is dropped with that manager and was never seen by
    anybody, and no plugin can wrap, reorder or break the hooks of another.
    """

    info: PluginInfo
    manager: pluggy.PluginManager
    offers: tuple[Offer, ...]


class Registry:
    """The plugins of one configuration, and what they offer.

    Nothing is imported before it is first asked for. A program may have several registries; each is safe from
    several threads, and pickles as its configuration.

    Parameters
    ----------
    config : Config, optional
        What is disabled and preferred, and the site's options. The default disables and sets nothing.

    Examples
    --------
    >>> from aca_core import Registry
    >>> registry = Registry()
    >>> registry.product("obspar").label
    'observation parameters'
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self._lock = threading.RLock()
        self._loaded = False
        self._added: list[FoundEntryPoint] = []
        self._plugins: dict[str, _Plugin] = {}
        self._infos: tuple[PluginInfo, ...] = ()
        self._offers: dict[OfferKey, Offer] = {}
        self._owners: dict[OfferKey, PluginInfo] = {}
        self._aside: dict[str, tuple[OfferKey, ...]] = {}  # what plugins in a conflict would have offered, by their id

    def __reduce__(self) -> tuple[Any, ...]:
        if self._added:
            names = ", ".join(each.id for each in self._added)
            raise TypeError(f"this registry has plugins that are not installed ({names}) and cannot travel")
        return Registry, (self.config,)

    def __repr__(self) -> str:
        state = f"{len(self._plugins)} of {len(self._infos)} plugins loaded" if self._loaded else "not loaded yet"
        return f"<Registry: {state}>"

    def add(self, plugin: object, name: str, distribution: str = "program") -> None:
        """Add a plugin that is not installed, for a program's own use or a test.

        Parameters
        ----------
        plugin : object
            A module, or any object with hook implementations.
        name : str
            As an entry point would be named.
        distribution : str, default 'program'
            As the installed package would be called.

        Raises
        ------
        PluginError
            The registry has loaded its plugins already.
        """
        with self._lock:
            if self._loaded:
                raise PluginError(f"{distribution}:{name}", "add plugins before the registry is first used")
            self._added.append(FoundEntryPoint(name, "", canonical_name(distribution), "", lambda: plugin))

    def load(self) -> None:
        """Find and load all plugins; does nothing when they are loaded already.

        Raises
        ------
        PluginError
            A plugin fails and the configuration asks for strictness.
        """
        with self._lock:
            if self._loaded:
                return
            found = sorted([*find_entry_points(PROJECT), *self._added], key=lambda each: each.id)
            infos: dict[str, PluginInfo] = {}
            plugins: dict[str, _Plugin] = {}
            for each in found:
                taken = each.id in plugins or each.id in infos
                info, plugin = self._load_one(each, taken=taken)
                infos[f"{info.id} {info.value}" if taken else info.id] = info
                if plugin is not None:
                    plugins[info.id] = plugin
            claims = {plugin.info.id: [offer_key(offer) for offer in plugin.offers] for plugin in plugins.values()}
            prefer = {name: canonical_id(owner, owner=True) for name, owner in self.config.plugins.prefer.items()}
            for plugin_id, aside in settle(claims, prefer).items():
                dropped = plugins.pop(plugin_id)
                self._aside[plugin_id] = tuple(claims[plugin_id])
                infos[plugin_id] = self._set_aside(dropped.info, "conflict", *aside)
            self._plugins = plugins
            self._infos = tuple(infos.values())
            self._offers = {offer_key(offer): offer for plugin in plugins.values() for offer in plugin.offers}
            self._owners = {offer_key(each): plugin.info for plugin in plugins.values() for each in plugin.offers}
            self._loaded = True

    @property
    def plugins(self) -> tuple[PluginInfo, ...]:
        """Every plugin that is installed, whatever became of it, by id."""
        self.load()
        return self._infos

    def plugin(self, name: str) -> PluginInfo:
        """Return one plugin.

        Parameters
        ----------
        name : str
            Its id, or its entry point's name where only one plugin has it.

        Returns
        -------
        PluginInfo

        Raises
        ------
        UnknownNameError
            There is no such plugin, or several have that name.
        """
        matches = [info for info in self.plugins if name in (info.id, info.name)]
        if len(matches) > 1:
            raise UnknownNameError("single plugin", name, [i.id for i in matches], "Give the id, distribution:name.")
        if not matches:
            near = did_you_mean(name, [info.name for info in self._infos])
            hint = f"{near} Run 'aca plugins' to see what is installed.".strip()
            raise UnknownNameError("plugin", name, [info.id for info in self._infos], hint)
        return matches[0]

    def offers(self, kind: type[O]) -> tuple[O, ...]:
        """Return what the loaded plugins declare of one kind, as declared: not yet bound to the site.

        Parameters
        ----------
        kind : type
            `ArchiveProduct`, `DarkSource`, `ProbabilityModel`, `Retriever` or `Catalogue`.

        Returns
        -------
        tuple of offers
            Ordered by noun and name.
        """
        self.load()
        found = [offer for _, offer in sorted(self._offers.items()) if isinstance(offer, kind)]
        return tuple(found)

    def product(self, name: str) -> ArchiveProduct:
        """Return an archive product, bound to the site.

        Parameters
        ----------
        name : str
            For example ``asp1``.

        Returns
        -------
        ArchiveProduct

        Raises
        ------
        UnknownNameError
            No loaded plugin offers it; the message says what is known and which plugins failed.
        ConfigError
            The site's options for it are wrong.
        """
        return self._get(ArchiveProduct, "archive product", name)

    def dark_source(self, name: str) -> DarkSource:
        """Return a dark source, bound to the site; raises as `product` does."""
        return self._get(DarkSource, "dark source", name)

    def model(self, name: str, kind: ModelKind) -> ProbabilityModel:
        """Return an acquisition or guide model, bound to the site; raises as `product` does."""
        if kind not in OFFER_VARIANTS:
            raise UnknownNameError("kind of model", kind, OFFER_VARIANTS)
        return self._get(ProbabilityModel, f"{kind} model", name)

    def retriever(self, name: str) -> Retriever:
        """Return a retriever, bound to the site; raises as `product` does."""
        return self._get(Retriever, "retriever", name)

    def catalogue(self, name: str) -> Catalogue:
        """Return a catalogue, bound to the site; raises as `product` does."""
        return self._get(Catalogue, "catalogue", name)

    def plugin_of(self, offer: Offer) -> PluginInfo:
        """Return the plugin that offers something, for results that say what made them.

        Parameters
        ----------
        offer : Offer
            What the registry handed out, bound or not; or a variation of it that a program made by `attrs.evolve`.

        Returns
        -------
        PluginInfo

        Raises
        ------
        UnknownNameError
            No loaded plugin offers it, or anything of its class.

        Examples
        --------
        >>> registry = Registry()
        >>> registry.plugin_of(registry.product("obspar")).distribution
        'aca-core'
        """
        self.load()
        declared = self._offers.get(offer_key(offer))
        if type(declared) is type(offer):
            return self._owners[offer_key(offer)]
        # A class of the core's own, such as a tree of dark maps, is in the offers of many plugins and tells nothing.
        if not type(offer).__module__.startswith("aca_core."):
            for key, declared in self._offers.items():
                if type(declared) is type(offer):
                    return self._owners[key]
        labels = [f"{noun} {name}" for noun, name in self._offers]
        raise UnknownNameError("offer of a plugin", f"{offer.noun} {offer.name}", labels)

    def providing(self, role: str) -> tuple[ArchiveProduct, ...]:
        """Return the products that provide a role, bound to the site.

        Parameters
        ----------
        role : str
            For example ``obsid-times``.

        Returns
        -------
        tuple of ArchiveProduct
            By name; empty when no product provides it.
        """
        return tuple(self.product(each.name) for each in self.offers(ArchiveProduct) if role in each.provides)

    def subscribers(self) -> tuple[str, ...]:
        """Return the ids of the plugins that react to committed changes, in order of id."""
        self.load()
        return tuple(
            plugin_id for plugin_id, each in self._plugins.items() if each.manager.hook.aca_committed.get_hookimpls()
        )

    def deliver(self, change: Change, subscriber: str) -> None:
        """Hand a committed change to one subscriber.

        Parameters
        ----------
        change : Change
            What was committed.
        subscriber : str
            One of `subscribers`.

        Raises
        ------
        PluginError
            The subscriber raised; the change stands, and may be delivered to it again.
        UnknownNameError
            There is no such subscriber now: it was uninstalled, disabled or set aside.
        """
        self.load()
        if subscriber not in self.subscribers():
            raise UnknownNameError("subscriber", subscriber, self.subscribers(), self._hint())
        plugin = self._plugins[subscriber]
        try:
            plugin.manager.hook.aca_committed(change=change)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code may raise anything
            from aca_core._explain import in_one_line

            reason = f"could not handle the change of {change.product} {change.unit}: {in_one_line(error)}"
            raise PluginError(str(plugin.info), reason) from error

    def publish(self, change: Change) -> dict[str, PluginError]:
        """Hand a committed change to every subscriber; one that raises stops no other.

        Parameters
        ----------
        change : Change
            What was committed.

        Returns
        -------
        dict of str to PluginError
            The subscribers that raised, by id.
        """
        failed: dict[str, PluginError] = {}
        for subscriber in self.subscribers():
            try:
                self.deliver(change, subscriber)
            except PluginError as error:
                failed[subscriber] = error
        return failed

    def _get(self, kind: type[O], noun: str, name: str) -> O:
        from aca_core.binding import bind

        self.load()
        offer = self._offers.get((noun, name))
        if offer is None:
            known = [known_name for known_noun, known_name in self._offers if known_noun == noun]
            raise UnknownNameError(noun, name, known, self._hint(noun, name))
        return bind(cast("O", offer), self.config)

    def _hint(self, noun: str = "", name: str = "") -> str:
        """Return what to do about a name that is not there: who would provide it, or could not contribute theirs."""
        hints = []
        others = [other for other, known in self._offers if known == name and other != noun]
        if others:
            article = "an" if others[0][0] in "aeiou" else "a"
            hints.append(f"{name!r} is the name of {article} {others[0]}.")
        absent = [info for info in self._infos if info.status != "loaded"]
        likely = [info.id for info in absent if (noun, name) in self._aside.get(info.id, ()) or _alike(info.name, name)]
        if likely:
            hints.append(f"It should come from {' or '.join(likely)}.")
        hints.append("Run 'aca plugins' to see what is installed.")
        if absent:
            hints.append(f"Not in use: {', '.join(f'{info.id} ({info.status})' for info in absent)}.")
        return " ".join(hints)

    def _load_one(self, found: FoundEntryPoint, *, taken: bool) -> tuple[PluginInfo, _Plugin | None]:
        """Load one plugin whole, or leave no trace of it but the reason."""
        info = PluginInfo(name=found.name, distribution=found.distribution, version=found.version, value=found.value)
        if {found.name, found.id} & {canonical_id(name) for name in self.config.plugins.disable}:
            return attrs.evolve(info, status="disabled", reason="disabled by name", by_choice=True), None
        start = time.perf_counter()
        manager: pluggy.PluginManager | None = None
        offers: tuple[Offer, ...] = ()
        try:
            requirement = found.unmet_requirement()
            if requirement is None:
                if taken:
                    raise BrokenPluginError("the distribution declares this entry point twice; give one another name")
                start = time.perf_counter()
                with contained():
                    manager = register(found)
                    offers = tuple(collect_offers(manager))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code may raise anything, SystemExit included
            from aca_core._explain import in_one_line

            info = attrs.evolve(info, load_ms=_ms_since(start))
            reason = in_one_line(error, found.value.partition(":")[0])
            return self._set_aside(info, "failed", reason, error=error), None
        if manager is None:
            return self._set_aside(info, "incompatible", _incompatible(requirement)), None
        labels = tuple(f"{offer.noun} {offer.name}" for offer in offers)
        info = attrs.evolve(info, load_ms=_ms_since(start), offers=labels)
        return info, _Plugin(info, manager, offers)

    def _set_aside(
        self,
        info: PluginInfo,
        status: PluginStatus,
        reason: str,
        by_choice: bool = False,
        error: BaseException | None = None,
    ) -> PluginInfo:
        """Record why a plugin is not used; say so once, unless the configuration wants it so."""
        if not by_choice:
            if self.config.plugins.strict:
                raise PluginError(str(info), reason) from error
            _log.warning("plugin %s was set aside: %s", info, reason)
        trace = _trace(error) if error else ""
        return attrs.evolve(info, status=status, reason=reason, by_choice=by_choice, traceback=trace, offers=())


def _alike(entry_point: str, name: str) -> bool:
    """Say whether an offer may be a plugin's by their names: ``mica`` of ``mica-dark``, ``grid-floor`` of ``grid``."""
    short, long = sorted((entry_point, name), key=len)
    return bool(short) and (long == short or re.match(rf"{re.escape(short)}[-_]", long) is not None)


def _trace(error: BaseException) -> str:
    import traceback

    return "".join(traceback.format_exception(error))


def _ms_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1e3, 3)


def _incompatible(requirement: str | None) -> str:
    from importlib.metadata import version

    installed = version(CORE_DISTRIBUTION)
    return f"it requires {requirement}, and {CORE_DISTRIBUTION} {installed} is installed; upgrade one of them"
