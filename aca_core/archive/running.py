"""One update from beginning to end: the lock, the work of the layout, and behind the lock the subscribers."""

from __future__ import annotations

import contextlib
from typing import Protocol

from aca_core.archive._context import using
from aca_core.archive.days import update_days
from aca_core.archive.events import deliver, subscribe
from aca_core.archive.feeds import Feed
from aca_core.archive.reports import Told, UpdateOptions, UpdateReport, untold
from aca_core.archive.store import Store
from aca_core.archive.update import update_obsids
from aca_core.errors import AcaError, LockedError
from aca_core.layouts import ByObsid
from aca_core.registry import Registry

__all__ = ["Home", "deliver_events", "run_update"]


class Home(Protocol):
    """What the archive of a product needs of the archive that it belongs to."""

    @property
    def registry(self) -> Registry:
        """The plugins."""

    def feed_of(self, product: str, set_name: str | None = None) -> Feed:
        """Return where deliveries of a product come from."""


def run_update(
    store: Store,
    feed: Feed,
    options: UpdateOptions,
    *,
    home: Home | None = None,
    told: Told | None = None,
    wait: float = 60.0,
) -> UpdateReport:
    """Bring a product up to date, and tell subscribers what changed.

    Parameters
    ----------
    store, feed, options
        Where, from where, and what is asked for.
    home : Archive, optional
        The archive to which the product belongs; without it nobody is told.
    told : callable, optional
        Called as the work goes on.
    wait : float, default 60
        How long to wait for another writer, s.

    Returns
    -------
    UpdateReport

    Raises
    ------
    LockedError
        Somebody else is writing.
    AcaError, OSError
        As `update_obsids` and `update_days` say.
    """
    try:
        report = _under_lock(store, feed, options, home, told or untold, wait)
    except (AcaError, OSError) as error:
        # A named observation that cannot be had, or somebody else at work, says nothing of the archive's own updates.
        if options.obsid is None and not isinstance(error, LockedError):
            store.note_update(" ".join(str(error).split()))
        raise
    if options.obsid is None:
        store.note_update("")
    if home is not None:
        report.undelivered = deliver_events(store, home)
    return report


def _under_lock(
    store: Store, feed: Feed, options: UpdateOptions, home: Home | None, told: Told, wait: float
) -> UpdateReport:
    """Do the work of the layout."""
    work = update_obsids if isinstance(store.product.layout, ByObsid) else update_days
    with store.locked(wait):
        store.make()
        if home is not None:
            subscribe(store, home.registry)
        try:
            return work(store, feed, options, told)
        finally:
            with contextlib.suppress(OSError):  # it is not there, or what is in it is left for the next update
                store.staging.rmdir()


def deliver_events(store: Store, home: Home) -> dict[str, str]:
    """Tell subscribers what they have not seen, with the archive as the current one.

    Parameters
    ----------
    store : Store
        Of one product; its lock is not held.
    home : Archive
        The archive to which it belongs.

    Returns
    -------
    dict of str to str
        The subscribers that could not take it, with the reason.
    """
    with using(home):
        return {name: error.reason for name, error in deliver(store, home.registry).items()}
