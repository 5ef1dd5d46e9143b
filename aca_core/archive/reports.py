"""What an update is asked to do, and what it did: the same for products by obsid and by day."""

from __future__ import annotations

import logging
from collections.abc import Callable

import attrs

from aca_core._checks import as_whole, whole
from aca_core.archive.items import Item, mark_failed
from aca_core.archive.revisions import Conflict
from aca_core.archive.store import Store
from aca_core.changes import Change
from aca_core.errors import AcaError, RetrievalError
from aca_core.obsids import MAX_OBSID
from aca_core.retrievers import VersionWanted, is_version_wanted

__all__ = ["Told", "UpdateOptions", "UpdateReport", "untold"]

_log = logging.getLogger("aca_core")


@attrs.frozen(kw_only=True)
class UpdateOptions:
    """What an update is asked to do.

    Attributes
    ----------
    obsid : int or None
        Only this observation; its failure is an error.
    version : {'default', 'last'} or int
        Which version of it.
    rebuild : bool
        Begin again with the first run of the catalogue: fetch what is not known, probe again what is archived.
    first_run : bool
        Of an obsid that is not archived yet take the released version, not each one that was ever made.
    retry_failed : bool
        Try all that failed, whatever its time.
    recheck : bool
        Probe again what is archived: releases that were withdrawn are seen only so.
    since : float or None
        With `recheck`, or for products by day: only observations that begin at this time or later, CXC seconds.
    until : float or None
        For products by day: up to which time; now by default.
    replace : bool
        Swap files that come with other bytes than before.
    links_only : bool
        Of the observation that is named, fetch nothing that is not released; let the links follow.
    """

    obsid: int | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(as_whole),
        validator=attrs.validators.optional(whole(0, MAX_OBSID)),
    )
    version: VersionWanted = attrs.field(
        default="default",
        converter=as_whole,
        validator=is_version_wanted,
    )
    rebuild: bool = False
    first_run: bool = False
    retry_failed: bool = False
    recheck: bool = False
    since: float | None = None
    until: float | None = None
    replace: bool = False
    links_only: bool = False


@attrs.define(kw_only=True)
class UpdateReport:
    """What an update did.

    Attributes
    ----------
    product : str
        Name of the product.
    obsids : list of int
        The observations in which anything changed, ascending.
    changes : list of Change
        What was committed.
    failed : list of Item
        What could not be had, with the reason and the time of the next try.
    conflicts : list of Conflict
        Files that came with other bytes than those that are archived.
    notes : list of str
        What else is worth to know.
    undelivered : dict of str to str
        Subscribers that could not take a change, with the reason.
    """

    product: str
    changes: list[Change] = attrs.field(factory=list)
    failed: list[Item] = attrs.field(factory=list)
    conflicts: list[Conflict] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    undelivered: dict[str, str] = attrs.field(factory=dict)

    @property
    def obsids(self) -> list[int]:
        """The observations in which anything changed, ascending."""
        return sorted({change.unit.obsid for change in self.changes if hasattr(change.unit, "obsid")})

    def fail(self, store: Store, item: Item, error: AcaError | OSError, *, permanent: bool = False) -> None:
        """Remember that an item failed, with its reason and when it is tried again, and say so in the log.

        Parameters
        ----------
        store : Store
            Where; its lock is held.
        item : Item
            As it was.
        error : AcaError or OSError
            What happened.
        permanent : bool, default False
            Whether trying again is of no use.
        """
        permanent = permanent or (isinstance(error, RetrievalError) and error.permanent)
        failed = mark_failed(store, item, " ".join(str(error).split()), permanent=permanent)
        self.failed.append(failed)
        _log.warning("%s %s failed: %s", self.product, item.name, failed.reason)

    @property
    def is_clean(self) -> bool:
        """Whether nothing needs anybody's attention."""
        return not (self.failed or self.conflicts or self.undelivered)


Told = Callable[[str, int, int], None]
"""Called with what is done, how many items are, and of how many."""


def untold(text: str, done: int, total: int) -> None:
    """Tell nobody."""
