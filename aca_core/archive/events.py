"""The outbox: changes are written with the commit and delivered behind it, to each subscriber at least once."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.archive.store import Store
from aca_core.changes import Change
from aca_core.errors import PluginError, UnknownNameError
from aca_core.layouts import Day, ObsidRevision

if TYPE_CHECKING:
    from sqlite_utils import Database

    from aca_core.registry import Registry

__all__ = ["Undelivered", "changes_of", "deliver", "record_change", "subscribe", "undelivered"]

_log = logging.getLogger("aca_core")


@attrs.frozen(kw_only=True)
class Undelivered:
    """A subscriber that has not seen every change of a product.

    Attributes
    ----------
    subscriber : str
        Id of the plugin.
    changes : int
        How many it has not seen.
    reason : str
        Why the first of them failed; empty where it was not tried yet.
    """

    subscriber: str
    changes: int
    reason: str = ""


def record_change(database: Database, change: Change) -> Change:
    """Put a change into the outbox, within the transaction of its commit.

    Parameters
    ----------
    database : sqlite_utils.Database
        The index.
    change : Change
        Without its serial number.

    Returns
    -------
    Change
        With it.
    """
    entry = {"committed": time.time(), "change": _to_json(change)}
    return attrs.evolve(change, serial=int(database.table("aca_events").insert(entry).last_pk or 0))


def changes_of(store: Store, after: int = 0) -> list[Change]:
    """Return the committed changes of a product, in their order.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    after : int, default 0
        Only those with a greater serial number.

    Returns
    -------
    list of Change
    """
    sql = "SELECT serial, change FROM aca_events WHERE serial > ? ORDER BY serial"
    rows = store.index.select_ours(sql, (after,))
    return [_from_json(row["change"], row["serial"], store) for row in rows]


def subscribe(store: Store, registry: Registry) -> None:
    """Note who subscribes, before anything is committed: they are told what comes from now on.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    registry : Registry
        Whose plugins.
    """
    known = {row["subscriber"] for row in store.index.select_ours("SELECT subscriber FROM aca_readers")}
    if new := [name for name in registry.subscribers() if name not in known]:
        with store.index.writing() as database:
            seen = database.execute("SELECT coalesce(max(serial), 0) FROM aca_events").fetchone()[0]
            database.table("aca_readers").insert_all(
                [{"subscriber": name, "seen": seen, "reason": "", "failed": None, "attempts": 0} for name in new],
                ignore=True,
            )


def deliver(store: Store, registry: Registry) -> dict[str, PluginError]:
    """Tell every subscriber what it has not seen; one that raises is told the same change again next time.

    Parameters
    ----------
    store : Store
        Which product, below which root. Its lock is not held.
    registry : Registry
        Whose plugins.

    Returns
    -------
    dict of str to PluginError
        The subscribers that raised.
    """
    failed: dict[str, PluginError] = {}
    present = set(registry.subscribers())
    for row in store.index.select_ours("SELECT subscriber, seen FROM aca_readers ORDER BY subscriber"):
        if row["subscriber"] not in present:
            continue
        error = _deliver_to(store, row["subscriber"], row["seen"], registry.deliver)
        if error is not None:
            _log.warning("%s", error)
            failed[row["subscriber"]] = error
    return failed


def _deliver_to(store: Store, subscriber: str, seen: int, hand: Callable[[Change, str], None]) -> PluginError | None:
    for change in changes_of(store, after=seen):
        if _has_seen(store, subscriber, change):  # somebody else delivers at the same time, and is further
            continue
        try:
            hand(change, subscriber)
        except (PluginError, UnknownNameError) as error:
            found = error if isinstance(error, PluginError) else PluginError(subscriber, str(error))
            sql = """
                UPDATE aca_readers SET reason = ?, failed = ?, attempts = attempts + 1 WHERE subscriber = ? AND seen < ?
            """
            with store.index.writing() as database:
                database.execute(sql, [str(found), time.time(), subscriber, change.serial])
            return found
        sql = (
            "UPDATE aca_readers SET seen = max(seen, ?), reason = '', failed = NULL, attempts = 0 WHERE subscriber = ?"
        )
        with store.index.writing() as database:
            database.execute(sql, [change.serial, subscriber])
    return None


def _has_seen(store: Store, subscriber: str, change: Change) -> bool:
    sql = "SELECT 1 FROM aca_readers WHERE subscriber = ? AND seen >= ?"
    return bool(store.index.select(sql, (subscriber, change.serial)))


def undelivered(store: Store) -> list[Undelivered]:
    """Return the subscribers that have not seen every change.

    Parameters
    ----------
    store : Store
        Which product, below which root.

    Returns
    -------
    list of Undelivered
        By subscriber.
    """
    sql = """
        SELECT subscriber, reason, (SELECT count(*) FROM aca_events WHERE serial > seen) AS changes
        FROM aca_readers WHERE changes > 0 ORDER BY subscriber
    """
    rows = store.index.select_ours(sql)
    return [Undelivered(subscriber=row["subscriber"], changes=row["changes"], reason=row["reason"]) for row in rows]


def _to_json(change: Change) -> str:
    fields = ("added", "removed", "replaced", "default_before", "default_after")
    content: dict[str, Any] = {name: getattr(change, name) for name in fields}
    kind = "obsid" if isinstance(change.unit, ObsidRevision) else "day"
    return json.dumps({kind: attrs.astuple(change.unit), **content})


def _from_json(text: str, serial: int, store: Store) -> Change:
    content = json.loads(text)
    day, revision = content.pop("day", None), content.pop("obsid", None)
    unit = Day(*day) if day is not None else ObsidRevision(*revision)
    return Change(product=store.product.name, archive=Path(store.root), serial=serial, unit=unit, **content)
