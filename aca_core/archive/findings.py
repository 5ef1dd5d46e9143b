"""What can be wrong with an archive, as values: which kinds there are, and what mends each."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from aca_core.archive.items import REFETCH, Item
from aca_core.archive.store import Store
from aca_core.layouts import ObsidRevision

__all__ = ["Finding", "FindingKind", "finding", "item_for"]

FindingKind = Literal[
    "index",
    "row",
    "unfinished",
    "missing",
    "damaged",
    "unreadable",
    "unindexed",
    "empty",
    "link",
    "default",
    "bound",
    "last-id",
    "staging",
    "columns",
]

_REPAIRED_BY: Final[dict[FindingKind, str]] = {
    "unfinished": "the next update completes it, or --repair",
    "missing": "--repair asks for it, and the next update fetches it again",
    "damaged": "--repair takes it off the index, and the next update fetches it again",
    "empty": "--repair removes it",
    "link": "--repair leads it as the index says, or removes it",
    "default": "--repair lets index and link agree",
    "bound": "--repair corrects it",
    "last-id": "--repair writes it again",
    "staging": "the next update removes it, or --repair",
    "columns": "--repair makes it again from the files",
}


@attrs.frozen(kw_only=True)
class Finding:
    """One thing that is wrong with an archive.

    Attributes
    ----------
    kind : str
        ``index``: the SQLite file is damaged; ``row``: the index lists what cannot be; ``unfinished``: a commit was
        interrupted; ``missing``: an archived file is not there; ``damaged``: it has another size or content;
        ``unreadable``: a file or folder may not, or cannot, be read; ``unindexed``: a file or folder that the index
        does not know; ``empty``: a folder of a version without any file; ``link``: a link that leads nowhere or
        elsewhere, or is none; ``default``: index and link disagree on what is released; ``bound``: the longest duration
        is wrong; ``last-id``: ``last_id.txt`` is not what the index says; ``staging``: left by a writer that was
        killed; ``columns``: a piece of the column store is damaged, or lacks files.
    product : str
        Name of the product.
    place : str
        The file, link or folder, relative to the product's folder.
    problem : str
        What is wrong with it.
    remedy : str
        What mends it; empty where that takes a person.
    """

    kind: FindingKind
    product: str
    place: str
    problem: str
    remedy: str = attrs.field(default=attrs.Factory(lambda found: _REPAIRED_BY.get(found.kind, ""), takes_self=True))

    def __str__(self) -> str:
        return f"{self.product}/{self.place}: {self.problem}{f'; {self.remedy}' if self.remedy else ''}"


def finding(store: Store, kind: FindingKind, place: object, problem: str, **more: str) -> Finding:
    """Return what is wrong with a product.

    Parameters
    ----------
    store : Store
        Of the product.
    kind, place, problem
        As in `Finding`.
    **more : str
        Its ``remedy``, where it is another one than that of the kind.

    Returns
    -------
    Finding
    """
    return Finding(kind=kind, product=store.product.name, place=str(place), problem=problem, **more)


def item_for(store: Store, found: Finding) -> Item:
    """Return the item that brings a file again which is missing or damaged.

    Parameters
    ----------
    store : Store
        Of the product.
    found : Finding
        What was found.

    Returns
    -------
    Item
    """
    folder, _, name = found.place.rpartition("/")
    unit = store.unit_named(folder)
    if not isinstance(unit, ObsidRevision):
        return Item(name=f"file {name}", reason=REFETCH, again=True)
    return Item(name=f"{unit.obsid:05d}/{unit.revision}", obsid=unit.obsid, reason=REFETCH, again=True)
