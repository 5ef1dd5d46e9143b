"""The memory of an update: what was asked for and is still to come, what failed, why, and when it is tried again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any, Final, Literal

import attrs

from aca_core.archive.store import Store

__all__ = [
    "REFETCH",
    "Item",
    "ItemState",
    "count_items",
    "due",
    "forget",
    "items",
    "mark_committed",
    "mark_failed",
    "stored",
    "want",
]

ItemState = Literal["wanted", "staged", "failed", "committed"]
"""``staged`` is what waits in the journal for its commit to be completed."""

REFETCH: Final = "to be fetched again: 'aca verify' has found some of it missing or damaged"
"""The reason of an item that is wanted again, until it fails."""

FIRST_RETRY: Final = 3600.0
"""How long after the first failure an item is tried again, s; doubled with each further one."""

LONGEST_RETRY: Final = 7 * 86400.0

_ENOUGH: Final = 20
"""So often doubled, any pause is the longest one."""


@attrs.frozen(kw_only=True)
class Item:
    """One thing that was asked of an archive.

    Attributes
    ----------
    name : str
        What: ``06000/3`` for a version of an obsid, ``06000/default`` for the released one; for products by day the
        ``file NAME``, or ``time START`` for some days from a midnight on.
    obsid : int or None
        Which observation, for products by obsid.
    run_id : int or None
        The run of the catalogue that asked for it.
    state : {'wanted', 'staged', 'failed', 'committed'}
        What became of it.
    reason : str
        Why it failed.
    attempts : int
        How often it has failed.
    tried, next_try : float or None
        When it was last tried, and when it will be again: seconds of the system's clock (since 1970); None for never.
    again : bool
        Whether to fetch it although it is archived: some of it was found missing or damaged.
    """

    name: str
    obsid: int | None = None
    run_id: int | None = None
    state: ItemState = "wanted"
    reason: str = ""
    attempts: int = 0
    tried: float | None = None
    next_try: float | None = None
    again: bool = attrs.field(default=False, converter=bool)

    @property
    def version(self) -> int | Literal["default", "last"]:
        """The version of an item of a product by obsid."""
        word = self.name.partition("/")[2]
        if word == "default":
            return "default"
        return "last" if word == "last" else int(word)


def items(store: Store, *states: ItemState, obsid: int | None = None) -> list[Item]:
    """Return what is remembered.

    Parameters
    ----------
    store : Store
        Of which product, below which root.
    *states : str
        Only those in these states; all by default.
    obsid : int, optional
        Only those of one observation.

    Returns
    -------
    list of Item
        In the order in which they were asked for.
    """
    kept = {"wanted" if state == "staged" else state for state in states}
    marks = ", ".join("?" for _ in kept)
    conditions = ([f"state IN ({marks})"] if kept else []) + (["obsid = ?"] if obsid is not None else [])
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"SELECT * FROM aca_items {where} ORDER BY run_id, rowid"  # noqa: S608  # values are parameters
    rows = store.index.select_ours(sql, [*kept, *([] if obsid is None else [obsid])])
    waiting = {f"{row['unit']}" for row in _waiting(store)} if rows else set()
    found = [_item(row, waiting, store) for row in rows]
    return [item for item in found if not states or item.state in states]


def _waiting(store: Store) -> list[Any]:
    return store.index.select_ours("SELECT unit FROM aca_intents WHERE phase = 'place'")


def _item(row: Any, waiting: set[str], store: Store) -> Item:
    values = {field.name: row[field.name] for field in attrs.fields(Item) if field.name != "name"}
    item = Item(name=row["item"], **values)
    if waiting and item.obsid is not None and item.state == "wanted" and isinstance(item.version, int):
        from aca_core.layouts import ObsidRevision

        if store.name_of(ObsidRevision(item.obsid, item.version)) in waiting:
            return attrs.evolve(item, state="staged")
    return item


def due(store: Store, *, retry_failed: bool) -> list[Item]:
    """Return what is to be done now: what is wanted, and what failed and is to be tried again.

    Parameters
    ----------
    store : Store
        Of which product, below which root.
    retry_failed : bool
        Whether to try everything that failed, whatever its time.

    Returns
    -------
    list of Item
    """
    now = time.time()
    return [
        item
        for item in items(store, "wanted", "staged", "failed")
        if item.state != "failed" or retry_failed or (item.next_try is not None and item.next_try <= now)
    ]


def want(store: Store, wanted: Iterable[Item], last_id: int | None = None) -> None:
    """Remember what is new, and with it up to which run of the catalogue that is so.

    Parameters
    ----------
    store : Store
        Of which product, below which root; its lock is held.
    wanted : iterable of Item
        What is new.
    last_id : int, optional
        The greatest id of a run that was seen.
    """
    records = [_record(_still_again(store, item)) for item in wanted]
    known = None if last_id is None else store.index.state("last_id")
    if not records and known == (None if last_id is None else str(last_id)):
        return
    with store.index.writing() as database:
        database.table("aca_items").insert_all(records, replace=True)
        if last_id is not None:
            database.table("aca_state").upsert({"key": "last_id", "value": str(last_id)}, pk="key")


def _still_again(store: Store, item: Item) -> Item:
    """Return an item that is wanted, and wanted again where that was so before."""
    known = stored(store, item.name)
    return item if known is None or known.state == "committed" else attrs.evolve(item, again=item.again or known.again)


def stored(store: Store, name: str) -> Item | None:
    """Return what is remembered under a name.

    Parameters
    ----------
    store : Store
        Of which product, below which root.
    name : str
        The item's.

    Returns
    -------
    Item or None
    """
    rows = store.index.select_ours("SELECT * FROM aca_items WHERE item = ?", (name,))
    return _item(rows[0], set(), store) if rows else None


def count_items(store: Store) -> dict[ItemState, int]:
    """Return how many items there are in each state, without looking at each.

    Parameters
    ----------
    store : Store
        Of which product, below which root.

    Returns
    -------
    dict of str to int
        Without the states in which there is none; what is staged counts as wanted.
    """
    rows = store.index.select_ours("SELECT state, count(*) AS number FROM aca_items GROUP BY state")
    return {row["state"]: row["number"] for row in rows}


def mark_committed(store: Store, done: Iterable[Item]) -> None:
    """Remember that items were committed; nothing is written for those of which that is known."""
    sql = "SELECT 1 FROM aca_items WHERE item = ? AND state = 'committed'"
    records = [_record(attrs.evolve(item, state="committed", reason="", next_try=None, again=False)) for item in done]
    if new := [record for record in records if not store.index.select_ours(sql, (record["item"],))]:
        with store.index.writing() as database:
            database.table("aca_items").insert_all(new, replace=True)


def forget(store: Store, gone: Iterable[Item]) -> None:
    """Remember nothing of items any more; nothing is written where nothing is known of them."""
    names = [item.name for item in gone]
    sql = "SELECT 1 FROM aca_items WHERE item = ?"
    if known := [name for name in names if store.index.select_ours(sql, (name,))]:
        with store.index.writing() as database:
            for name in known:
                database.table("aca_items").delete(name)


def mark_failed(store: Store, item: Item, reason: str, *, permanent: bool = False) -> Item:
    """Remember that an item failed, and when to try it again.

    Parameters
    ----------
    store : Store
        Of which product, below which root; its lock is held.
    item : Item
        What failed; what is remembered of it counts.
    reason : str
        Why, in one line.
    permanent : bool, default False
        Whether trying again is of no use; then only a request to retry does.

    Returns
    -------
    Item
        As it is now.
    """
    # Where a delivery was looked at is gone when somebody reads this; and a reason may quote names that are no text.
    reason = re.sub(rf"{re.escape(str(store.staging))}/[^/\s]+/", "", reason)
    reason = reason.encode(errors="backslashreplace").decode()
    item = stored(store, item.name) or item
    now = time.time()
    pause = min(FIRST_RETRY * 2 ** min(item.attempts, _ENOUGH), LONGEST_RETRY)
    failed = attrs.evolve(
        item,
        state="failed",
        reason=reason,
        attempts=item.attempts + 1,
        tried=now,
        next_try=None if permanent else now + pause,
    )
    with store.index.writing() as database:
        database.table("aca_items").insert(_record(failed), replace=True)
    return failed


def _record(item: Item) -> dict[str, Any]:
    record = attrs.asdict(item)
    return {"item": record.pop("name"), **record}
