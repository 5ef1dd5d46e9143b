"""What the archive of a product holds, what it waits for, and what needs somebody's attention; nothing is written."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import attrs

from aca_core.archive.commit import open_plans
from aca_core.archive.events import Undelivered, undelivered
from aca_core.archive.index import FILES, TABLE
from aca_core.archive.items import Item, count_items, items
from aca_core.archive.product_archive import ProductArchive
from aca_core.archive.soundness import is_lost
from aca_core.archive.store import LAST_ID_FILE, Store
from aca_core.archive.words import as_time, holder_words
from aca_core.errors import IntegrityError

__all__ = [
    "ProductStatus",
    "RecordedConflict",
    "RootStatus",
    "Unfinished",
    "conflict_words",
    "conflicts_in",
    "root_status",
    "status_of",
    "unfinished_in",
    "writer_of",
]


@attrs.frozen(kw_only=True)
class RootStatus:
    """What one root holds of a product.

    Attributes
    ----------
    folder : Path
        The product's folder there.
    exists : bool
        Whether it is there.
    units : int
        Revisions of observations, or days.
    files : int
        Files in the index.
    beside : int
        Files that are kept beside them and not indexed, such as logs.
    size : int or None
        Bytes of all archived files, those that are kept beside too; None where other tools recorded none.
    problem : str
        Why the index cannot be read; empty where it can.
    """

    folder: Path
    exists: bool = False
    units: int = 0
    files: int = 0
    beside: int = 0
    size: int | None = None
    problem: str = ""


@attrs.frozen(kw_only=True)
class Unfinished:
    """A commit that was begun and not ended.

    Attributes
    ----------
    unit : str
        Folder of the unit, relative to the product's.
    committed : bool
        Whether only its links are behind; else its files are not seen yet.
    """

    unit: str
    committed: bool

    def __str__(self) -> str:
        step = "its links have not followed" if self.committed else "its files are not all at their place"
        return f"{self.unit}: a commit was interrupted, {step}"


@attrs.frozen(kw_only=True)
class RecordedConflict:
    """A file that was delivered again under the same name with other bytes; the archived one stays.

    Attributes
    ----------
    unit, filename : str
        The unit's folder, relative to the product's, and the base name.
    seen : float
        When, seconds since 1970.
    size : int
        Bytes of what was delivered.
    """

    unit: str
    filename: str
    seen: float
    size: int

    def __str__(self) -> str:
        return f"{self.unit}/{self.filename}"


@attrs.frozen(kw_only=True)
class ProductStatus:
    """What the archive of a product holds and waits for.

    Attributes
    ----------
    product, label : str
        Its name, and what it is.
    roots : tuple of RootStatus
        The first is written to; what follows is about that one.
    last_id : int or None
        Up to which run the catalogue was read.
    longest : float or None
        The longest duration of a file, s.
    wanted, staged, failed : tuple of Item
        What was asked for and is still to come: not tried yet, waiting for its commit to be completed, failed.
    committed : int
        How many of the things that were asked for are archived.
    unfinished : tuple of Unfinished
        Commits that were interrupted; those that somebody is just making, while `writer` is set.
    conflicts : tuple of RecordedConflict
        Files that came again with other bytes.
    undelivered : tuple of Undelivered
        Subscribers that have not seen every change.
    absent : tuple of Undelivered
        The same of plugins that are not in use; nothing is held up for them.
    writer : str or None
        Who writes at this moment.
    last_attempt, last_success : float or None
        When an update was last tried, and when one last came to its end: seconds since 1970; None where that is not
        known, as it is not of the last success while updates fail.
    last_error : str
        Why the last attempt failed as a whole; empty where it did not.
    """

    product: str
    label: str = ""
    roots: tuple[RootStatus, ...]
    last_id: int | None = None
    longest: float | None = None
    wanted: tuple[Item, ...] = ()
    staged: tuple[Item, ...] = ()
    failed: tuple[Item, ...] = ()
    committed: int = 0
    unfinished: tuple[Unfinished, ...] = ()
    conflicts: tuple[RecordedConflict, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    absent: tuple[Undelivered, ...] = ()
    writer: str | None = None
    last_attempt: float | None = None
    last_success: float | None = None
    last_error: str = ""

    @property
    def failed_as_a_whole(self) -> bool:
        """Whether the last update did not come to its end, and none is running."""
        return bool(self.last_error) and self.writer is None

    @property
    def units(self) -> int:
        """Units in all roots."""
        return sum(root.units for root in self.roots)

    @property
    def files(self) -> int:
        """Indexed files in all roots."""
        return sum(root.files for root in self.roots)

    @property
    def beside(self) -> int:
        """Files that are kept beside, in all roots."""
        return sum(root.beside for root in self.roots)

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look: something failed, was interrupted, is in conflict or refused by a plugin."""
        refused = any(each.reason for each in self.undelivered)  # who was not told yet will be by the next update
        waits = self.failed or self.conflicts or refused or (self.unfinished and self.writer is None)
        return bool(waits) or self.failed_as_a_whole or any(root.problem for root in self.roots)


def status_of(member: ProductArchive) -> ProductStatus:
    """Return what the archive of a product holds, and what it waits for.

    Parameters
    ----------
    member : ProductArchive
        Of one product.

    Returns
    -------
    ProductStatus
        With the reason in `roots` where an index cannot be read.
    """
    store, product = member.stores[0], member.product
    here = ProductStatus(
        product=product.name,
        label=product.label,
        roots=tuple(root_status(each) for each in member.stores),
        writer=writer_of(store),
    )
    if here.roots[0].problem or not here.roots[0].exists:
        return here
    to_come = items(store, "wanted", "staged", "failed")
    present = None if member.archive is None else member.archive.registry.subscribers()
    waiting, absent = _by_presence(undelivered(store), present)
    longest = store.index.state("longest")
    failing = store.failing()
    return attrs.evolve(
        here,
        last_id=_last_id(store),
        longest=None if longest is None else float(longest),
        wanted=tuple(item for item in to_come if item.state == "wanted"),
        staged=tuple(item for item in to_come if item.state == "staged"),
        failed=tuple(item for item in to_come if item.state == "failed"),
        committed=count_items(store).get("committed", 0),
        unfinished=unfinished_in(store),
        conflicts=conflicts_in(store),
        undelivered=waiting,
        absent=absent,
        last_attempt=store.last_written() if failing is None else failing["attempt"],
        last_success=store.last_written() if failing is None else None,
        last_error="" if failing is None else failing["error"],
    )


def writer_of(store: Store) -> str | None:
    """Return who writes to a product at this moment, for people; None for nobody.

    Parameters
    ----------
    store : Store
        Of one product, below one root.

    Returns
    -------
    str or None
    """
    return holder_words(store.holder() or "another process") if store.is_locked() else None


def _last_id(store: Store) -> int | None:
    """Return up to which run the catalogue was read; what older tools have written says so in a file."""
    state = store.index.state("last_id")
    if state is None:
        path = store.folder / LAST_ID_FILE
        state = path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""
    return int(state) if state.isdigit() else None


def _by_presence(
    found: Collection[Undelivered], present: Collection[str] | None
) -> tuple[tuple[Undelivered, ...], tuple[Undelivered, ...]]:
    """Tell subscribers that are in use from those that are not."""
    used = tuple(each for each in found if present is None or each.subscriber in present)
    return used, tuple(each for each in found if each not in used)


def root_status(store: Store) -> RootStatus:
    """Return what one root holds of a product.

    Parameters
    ----------
    store : Store
        Of one product, below one root.

    Returns
    -------
    RootStatus
    """
    here = RootStatus(folder=store.folder, exists=store.folder.is_dir())
    try:
        if is_lost(store):
            return attrs.evolve(here, problem="is not there or empty, although files are archived: it was lost")
        if not store.index.columns():
            return here
        by = ", ".join(store.product.layout.files_by)
        units = f"SELECT count(*) FROM (SELECT DISTINCT {by} FROM {TABLE})"  # noqa: S608  # names of columns
        ours = f"SELECT sum(size) AS size, sum(indexed = 0) AS beside FROM {FILES}"  # noqa: S608  # a constant of ours
        row = next(iter(store.index.select_ours(ours)), {"size": None, "beside": 0})
        return attrs.evolve(
            here,
            units=store.index.select(units)[0][0],
            files=store.index.select(f"SELECT count(*) FROM {TABLE}")[0][0],  # noqa: S608
            beside=row["beside"] or 0,
            size=row["size"],
        )
    except IntegrityError as error:
        return attrs.evolve(here, problem=error.problem)


def unfinished_in(store: Store) -> tuple[Unfinished, ...]:
    """Return the commits that were begun and not ended, in their order.

    Parameters
    ----------
    store : Store
        Of one product, below one root.

    Returns
    -------
    tuple of Unfinished
    """
    return tuple(Unfinished(unit=plan.unit, committed=phase == "finish") for _, phase, plan in open_plans(store))


def conflicts_in(store: Store, obsid: int | None = None) -> tuple[RecordedConflict, ...]:
    """Return the files that were delivered again with other bytes.

    Parameters
    ----------
    store : Store
        Of one product, below one root.
    obsid : int, optional
        Only those of one observation, for a product by obsid.

    Returns
    -------
    tuple of RecordedConflict
        By unit and name.
    """
    rows = store.index.select_ours("SELECT unit, filename, seen, size FROM aca_conflicts ORDER BY unit, filename")
    found = [RecordedConflict(**dict(row)) for row in rows]
    if obsid is None:
        return tuple(found)
    return tuple(each for each in found if getattr(store.unit_named(each.unit), "obsid", None) == obsid)


def conflict_words(conflict: RecordedConflict, product: str) -> str:
    """Return what is to be said of a conflict, with the command that would settle it.

    Parameters
    ----------
    conflict : RecordedConflict
        One file.
    product : str
        Of this product.

    Returns
    -------
    str
        Without a full stop.
    """
    match = re.search(r"(\d{5})_v(\d+)$", conflict.unit)
    if match is None:  # a day
        day = conflict.unit.replace("/", ":")
        asked = f"--since {day} --until {day}"
    else:
        asked = f"--obsid {int(match[1])} --version {int(match[2])}"
    again = f"came again with other bytes on {as_time(conflict.seen)}, and the archived file stayed"
    return f"{conflict} {again}; 'aca update {product} {asked} --replace' would swap it"
