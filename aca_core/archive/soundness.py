"""Whether a product is sound in every root, what of it was mended on request, and what is left."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from aca_core.archive.findings import Finding
from aca_core.archive.index import TABLE
from aca_core.archive.items import Item, items
from aca_core.archive.product_archive import WAIT, ProductArchive
from aca_core.archive.repair import repair
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.archive.verify import verify
from aca_core.archive.words import in_words, waiting_for
from aca_core.errors import IntegrityError, LockedError
from aca_core.layouts import ObsidRevision

if TYPE_CHECKING:
    from aca_core.archive.reports import Told

__all__ = ["RootCheck", "check_roots", "is_lost"]

_ASKED_FOR: Final = ("missing", "damaged")
"""What a repair asks for, so that the next update fetches it."""

_FOLLOWS: Final = ("unindexed", "link", "default")
"""What is seen of a version that is to be fetched again, beside that it is missing: the update mends it too."""


@attrs.frozen(kw_only=True)
class RootCheck:
    """What was found wrong with a product below one root.

    Attributes
    ----------
    product : str
        Name of the product.
    folder : Path
        Its folder in that root.
    found : tuple of Finding
        What was wrong.
    mended : tuple of Finding
        What of it was mended.
    asked_again : tuple of Finding
        What of it the next update fetches again.
    left : tuple of Finding
        What is wrong still: all of it where nothing was repaired.
    problems : tuple of str
        What was to be mended and could not be, and why.
    wanted : tuple of str
        The versions or files that the repair has put on the list of what is fetched again.
    index_is_gone : bool
        Whether the index is lost or damaged, so that nothing else can be said.
    """

    product: str
    folder: Path
    found: tuple[Finding, ...] = ()
    mended: tuple[Finding, ...] = ()
    asked_again: tuple[Finding, ...] = ()
    left: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    index_is_gone: bool = False


def check_roots(
    member: ProductArchive, *, full: bool = False, mend: bool = False, wait: float = WAIT, told: Told | None = None
) -> list[RootCheck]:
    """Look for what is wrong with a product in every root, and mend it where that is asked for.

    Parameters
    ----------
    member : ProductArchive
        Of one product.
    full : bool, default False
        Whether to read every file.
    mend : bool, default False
        Whether to repair the first root, which is the one that is written to; the others are only looked at.
    wait : float, default 60
        How long to wait for another writer, s.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    list of RootCheck
        One for each root.

    Raises
    ------
    LockedError
        Somebody is writing, and something is to be mended.
    OSError
        Something is to be mended, and the archive may not be written to.
    """
    first, *others = member.stores
    checks = [_mended(first, full=full, wait=wait, told=told) if mend else _looked_at(first, full=full, told=told)]
    return [*checks, *(_looked_at(store, full=full, told=told) for store in others)]


def _looked_at(store: Store, *, full: bool, told: Told | None) -> RootCheck:
    found = tuple(_without_awaited(store, verify(store, full=full, told=told), _FOLLOWS))
    return RootCheck(
        product=store.product.name, folder=store.folder, found=found, left=found, index_is_gone=_is_gone(store, found)
    )


def _mended(store: Store, *, full: bool, wait: float, told: Told | None) -> RootCheck:
    if told is not None and (text := waiting_for(store, wait)):
        told(text, 0, 0)
    before = _awaited(store)
    try:
        repaired = repair(store, full=full, wait=wait, told=told)
    except (LockedError, OSError) as error:
        raise in_words(error, store) from error
    found = list(_without_awaited(store, repaired, _FOLLOWS, before))
    # What is damaged now and was not a moment ago would be news; sizes and names tell what is left.
    left = list(_without_awaited(store, verify(store), (*_FOLLOWS, *_ASKED_FOR))) if repaired else []
    is_gone = _is_gone(store, left)
    still = {(each.kind, each.place) for each in left}
    gone = [each for each in found if (each.kind, each.place) not in still]
    known = {item.name for item in before}
    return RootCheck(
        product=store.product.name,
        folder=store.folder,
        found=tuple(found),
        mended=tuple(each for each in gone if each.kind not in _ASKED_FOR),
        asked_again=tuple(each for each in gone if each.kind in _ASKED_FOR),
        left=tuple(left),
        problems=tuple(repaired.problems),
        wanted=tuple(item.name for item in _awaited(store) if item.name not in known),
        index_is_gone=is_gone,
    )


def _is_gone(store: Store, found: Iterable[Finding]) -> bool:
    """Say whether there is no index to compare with."""
    return any(each.kind == "index" for each in found) or is_lost(store)


def _awaited(store: Store) -> list[Item]:
    """Return what is to be fetched again."""
    try:
        return [item for item in items(store, "wanted", "staged", "failed") if item.again]
    except IntegrityError:  # which is told as what it is: the index is damaged
        return []


def _without_awaited(
    store: Store, found: Iterable[Finding], kinds: Collection[str], awaited: Iterable[Item] | None = None
) -> Iterator[Finding]:
    """Leave out what only says that something is to be fetched again: that was told when it was asked for."""
    listed = list(found)
    if not any(each.kind in kinds for each in listed):
        yield from listed
        return
    awaited = list(_awaited(store) if awaited is None else awaited)
    files = {item.name.removeprefix("file ") for item in awaited if item.obsid is None}
    obsids = {f"{item.obsid:05d}" for item in awaited if item.obsid is not None}
    units = {
        store.name_of(ObsidRevision(item.obsid, item.version))
        for item in awaited
        if item.obsid is not None and isinstance(item.version, int)
    }
    for each in listed:
        folder, _, name = each.place.rpartition("/")
        if each.kind in ("link", "default"):
            # Links that a person has to look at do not become right by a delivery.
            is_awaited = bool(each.remedy) and name.removesuffix("_last") in obsids
        else:
            is_awaited = name in files or bool({each.place, folder} & units)
        if each.kind not in kinds or not is_awaited:
            yield each


def is_lost(store: Store) -> bool:
    """Say whether an index is lost: runs were processed and something is archived, and it knows of nothing.

    Parameters
    ----------
    store : Store
        Of one product, below one root.

    Returns
    -------
    bool

    Raises
    ------
    IntegrityError
        The index cannot be read.
    """
    if not (store.folder / LAST_ID_FILE).is_file() or store.index.state("last_id") is not None:
        return False
    if store.index.columns() and store.index.select(f"SELECT 1 FROM {TABLE} LIMIT 1"):  # noqa: S608
        return False
    return bool(list(store.folder.glob("[0-9][0-9]/?????_v*")))
