"""What can be mended of an archive without anybody's judgement: completed, led, taken off, asked for again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Final

from aca_core.archive._disk import sync_folder
from aca_core.archive.column_store.checking import mend_columns
from aca_core.archive.commit import Plan, commit, is_of_the_machine, lead, recover, unlist_file
from aca_core.archive.findings import Finding, FindingKind, item_for
from aca_core.archive.index import TABLE
from aca_core.archive.items import want
from aca_core.archive.link_checks import links_to_be, rows_by_version
from aca_core.archive.store import Store
from aca_core.archive.verify import verify
from aca_core.errors import AcaError
from aca_core.layouts import ObsidRevision

if TYPE_CHECKING:
    from aca_core.archive.reports import Told

__all__ = ["Repaired", "repair"]

_log = logging.getLogger("aca_core")


class Repaired(list[Finding]):
    """What was found before a repair, and what came of it; look again for what is left.

    Attributes
    ----------
    mended : list of Finding
        What was mended, or is fetched again by the next update.
    problems : list of str
        What was to be mended and could not be, and why.
    """

    def __init__(self, found: Iterable[Finding] = ()) -> None:
        super().__init__(found)
        self.mended: list[Finding] = []
        self.problems: list[str] = []


def repair(store: Store, *, full: bool = False, wait: float = 60.0, told: Told | None = None) -> Repaired:
    """Mend what can be mended without anybody's judgement; what cannot keeps nothing else from it.

    Parameters
    ----------
    store : Store
        Which product, below which root.
    full : bool, default False
        Whether to read every file.
    wait : float, default 60
        How long to wait for another writer, s.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    Repaired
        A list of what was found before.

    Raises
    ------
    LockedError
        Somebody is writing.
    OSError
        The archive may not be written to.
    """
    found = Repaired(verify(store, full=full, told=told))
    if not found or any(each.kind == "index" for each in found):
        return found
    with store.locked(wait):
        store.make()
        recover(store)
        now = verify(store, full=full, told=told)  # again: others may have written, and much is completed now
        still = {(each.kind, each.place) for each in now}
        found.mended += [each for each in found if (each.kind, each.place) not in still]
        for kinds, together, mend in _MENDERS:
            groups: dict[Hashable, list[Finding]] = {}
            for each in now:
                if each.kind in kinds and each.remedy:
                    groups.setdefault(together(each), []).append(each)
            for group in groups.values():
                try:
                    mend(store, group)
                except (AcaError, OSError) as error:
                    if is_of_the_machine(error):
                        raise
                    _log.warning("%s: %s could not be mended: %s", store.product.name, group[0].place, error)
                    found.problems.append(f"{group[0].place} could not be mended: {error}")
                else:
                    found.mended += group
    return found


def _ask_again(store: Store, found: Iterable[Finding]) -> None:
    """Ask for the versions, or files, again."""
    wanted = {item.name: item for item in (item_for(store, each) for each in found)}
    want(store, wanted.values())


def _unlist(store: Store, found: Iterable[Finding]) -> None:
    """Take files off the index, so that others may come in their place, and ask for these."""
    with store.index.writing() as database:
        for each in found:
            folder, _, name = each.place.rpartition("/")
            unlist_file(store, database, folder, name)
    _ask_again(store, found)


def _remove_empty(store: Store, found: Iterable[Finding]) -> None:
    for each in found:
        folder = store.folder / each.place
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
            sync_folder(folder.parent)


def _obsid_of(found: Finding) -> int:
    """Return the observation of a link."""
    return int(found.place.rpartition("/")[2][:5])


def _relink(store: Store, found: Iterable[Finding]) -> None:
    """Let links and index of one observation agree."""
    obsid = _obsid_of(next(iter(found)))
    links, known = links_to_be(store, obsid), rows_by_version(store, obsid)
    if links is None:
        return
    if known:
        version = links.released if links.released is not None else max(known)
        commit(store, Plan(unit=store.name_of(ObsidRevision(obsid, version)), links=links))
    else:
        lead(store, links)


def _rebound(store: Store, found: Iterable[Finding]) -> None:
    with store.index.writing() as database:
        longest = database.execute(f"SELECT max(tstop - tstart) FROM {TABLE}").fetchone()[0]  # noqa: S608
        if longest is None:
            database.table("aca_state").delete_where("key = 'longest'")
        else:
            database.table("aca_state").upsert({"key": "longest", "value": repr(float(longest))}, pk="key")


def _rewrite_last_id(store: Store, found: Iterable[Finding]) -> None:
    last_id = store.index.state("last_id")
    if last_id is not None:
        store.set_last_id_file(int(last_id))


def _all(found: Finding) -> None:
    """Mend all of a kind together."""


def _each(found: Finding) -> str:
    """Mend each place by itself."""
    return found.place


_MENDERS: Final[
    tuple[tuple[tuple[FindingKind, ...], Callable[[Finding], Hashable], Callable[[Store, list[Finding]], None]], ...]
] = (
    (("missing",), _all, _ask_again),
    (("damaged",), _all, _unlist),
    (("empty",), _each, _remove_empty),
    (("link", "default"), _obsid_of, _relink),
    (("bound",), _all, _rebound),
    (("last-id",), _all, _rewrite_last_id),
    (("columns",), _all, mend_columns),
)
