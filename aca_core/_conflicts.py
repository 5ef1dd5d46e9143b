"""Whose a name is when several plugins offer it: a pure rule, without luck of order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from aca_core._discovery import CORE_DISTRIBUTION

__all__ = ["Aside", "OfferKey", "settle"]

OfferKey: TypeAlias = tuple[str, str]
"""The noun and the name of an offer; names are unique within a noun."""


class Aside(NamedTuple):
    """Why a plugin stands aside.

    Attributes
    ----------
    reason : str
        The reason and the remedy in one line.
    by_choice : bool
        Whether the configuration wants it so: it prefers the other one.
    """

    reason: str
    by_choice: bool = False


def settle(claims: Mapping[str, Iterable[OfferKey]], prefer: Mapping[str, str]) -> dict[str, Aside]:
    """Decide which plugins must stand aside so that every name has one owner.

    What the configuration prefers wins; else a name that `aca-core` itself ships stays with it; else nobody has it. A
    plugin that loses one name stands aside whole, with all its names, so a plugin that lost only to one that is out
    itself stays.

    Parameters
    ----------
    claims : mapping of str to iterable of (str, str)
        For each plugin, by id (``distribution:name``), what it offers.
    prefer : mapping of str to str
        For a name (``x``), or a name of one kind (``archive product x``), the distribution or the plugin id that
        shall have it.

    Returns
    -------
    dict of str to Aside
        The plugins that stand aside, each with the reason.

    Examples
    --------
    >>> asp1 = ("archive product", "asp1")
    >>> print(settle({"aca-core:asp1": [asp1], "aca-sim:asp1": [asp1]}, {})["aca-sim:asp1"].reason)
    'asp1' belongs to aca-core:asp1. To use aca-sim's, set [plugins.prefer] asp1 = "aca-sim"
    """
    active = {plugin: frozenset(keys) for plugin, keys in claims.items()}
    aside: dict[str, Aside] = {}
    while defeats := _defeats(active, prefer):
        # First those who lose to somebody whom nobody defeats, then those who tie: what they claimed is free again
        # for the others. What is left after both is a circle, and goes as a whole.
        to_winner = _pick(defeats, lambda winner: winner is not None and winner not in defeats)
        ties = _pick(defeats, lambda winner: winner is None)
        for plugin, (key, winner) in (to_winner or ties or _pick(defeats, lambda winner: True)).items():
            aside[plugin] = _reason(plugin, key, winner, active, prefer)
        active = {plugin: keys for plugin, keys in active.items() if plugin not in aside}
    return aside


def _pick(
    defeats: Mapping[str, list[tuple[OfferKey, str | None]]], test: Callable[[str | None], bool]
) -> dict[str, tuple[OfferKey, str | None]]:
    """Return the plugins with a defeat whose winner passes a test, each with the first such defeat."""
    picked = {plugin: next((lost for lost in losses if test(lost[1])), None) for plugin, losses in defeats.items()}
    return {plugin: lost for plugin, lost in picked.items() if lost is not None}


def _defeats(
    active: Mapping[str, frozenset[OfferKey]], prefer: Mapping[str, str]
) -> dict[str, list[tuple[OfferKey, str | None]]]:
    """Return what each plugin loses, and to whom; None where nobody wins."""
    defeats: dict[str, list[tuple[OfferKey, str | None]]] = {}
    for key in sorted({key for keys in active.values() for key in keys}):
        claimants = sorted(plugin for plugin, keys in active.items() if key in keys)
        if len(claimants) > 1:
            winner = _winner(key, claimants, prefer)
            for plugin in claimants:
                if plugin != winner:
                    defeats.setdefault(plugin, []).append((key, winner))
    return defeats


def _winner(key: OfferKey, claimants: list[str], prefer: Mapping[str, str]) -> str | None:
    preferred = _preferred(key, prefer)
    for wanted in (preferred, CORE_DISTRIBUTION):
        owners = [plugin for plugin in claimants if wanted in (plugin, _distribution(plugin))]
        if len(owners) == 1:
            return owners[0]
    return None


def _preferred(key: OfferKey, prefer: Mapping[str, str]) -> str | None:
    """Return whom the configuration prefers: for this kind of offer, or else for the name whatever it is."""
    return prefer.get(" ".join(key), prefer.get(key[1]))


def _distribution(plugin: str) -> str:
    return plugin.partition(":")[0]


def _reason(
    plugin: str,
    key: OfferKey,
    winner: str | None,
    active: Mapping[str, frozenset[OfferKey]],
    prefer: Mapping[str, str],
) -> Aside:
    noun, name = key
    remedy = f'set [plugins.prefer] {name} = "{_distribution(plugin)}"'
    if winner is None:
        others = ", ".join(sorted(other for other in active if other != plugin and key in active[other]))
        return Aside(f"{noun} {name!r} is also offered by {others}; none of them is used. To use this one, {remedy}")
    if _preferred(key, prefer) in (winner, _distribution(winner)):
        return Aside(f"{name!r} belongs to {winner}, which the configuration prefers", by_choice=True)
    return Aside(f"{name!r} belongs to {winner}. To use {_distribution(plugin)}'s, {remedy}")
