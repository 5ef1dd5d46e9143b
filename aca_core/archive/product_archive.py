"""What the archives of all products have in common, by obsid and by day alike: the verbs of a keeper."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aca_core.archive.feeds import Feed
from aca_core.archive.queries import FileQuery, find_rows, keeps
from aca_core.archive.store import Store
from aca_core.errors import ConfigError, ConfigProblem, DateError, DeclarationError, UnknownNameError
from aca_core.layouts import Day, ObsidRevision, Unit
from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from aca_core.archive.findings import Finding
    from aca_core.archive.items import Item
    from aca_core.archive.reports import Told, UpdateOptions, UpdateReport
    from aca_core.archive.running import Home
    from aca_core.dates import DateLike

__all__ = ["WAIT", "ProductArchive"]

_EVER: Final = -1e12
"""A start before anything, CXC seconds."""

WAIT: Final = 60.0
"""How long a writer waits for another one, s."""


class ProductArchive:
    """The archive of one product; use `open_archive`.

    Parameters
    ----------
    stores : sequence of Store
        One for each root; the first that has a thing answers, the first is written to.
    archive : Archive or None
        Where it belongs to.
    feed : Feed, optional
        Where deliveries come from; by default the product set of the configuration that has the product.

    Attributes
    ----------
    product : ArchiveProduct
        The declaration, bound to the site.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        archive: Home | None = None,
        feed: Feed | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.stores = tuple(stores)
        self.archive = archive
        self.product: ArchiveProduct = self.stores[0].product
        self._feed = feed
        self._given = dict(given or {})
        self._layout: Any = self.product.layout

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} in {', '.join(str(store.folder) for store in self.stores)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.archive is not None and self._feed is None:
            return _member, (self.archive, self.name)
        places = [(store.folder, store.root, store.lock.kind, store.staging) for store in self.stores]
        return _rebuilt, (type(self), self.product, places, self._feed, self._given)

    @property
    def name(self) -> str:
        """Name of the product."""
        return self.product.name

    @property
    def roots(self) -> tuple[Path, ...]:
        """The product's folders, in the order in which they are asked."""
        return tuple(store.folder for store in self.stores)

    @functools.cached_property
    def feed(self) -> Feed:
        """Where deliveries come from.

        Raises
        ------
        ConfigError
            No product set has the product, or it names no retriever.
        """
        if self._feed is not None:
            return self._feed
        if self.archive is None:
            problem = "give a retriever to from_config(), to fetch or update"
            raise ConfigError([ConfigProblem("configuration", self.name, problem)])
        return self.archive.feed_of(self.name)

    # ---- questions --------------------------------------------------------------------------------------------------

    def _rows(self, query: FileQuery, columns: Sequence[str] | None) -> list[dict[str, Any]]:
        """Return rows of all roots; of an obsid, or of a day, those of the first root that has it."""
        found: list[dict[str, Any]] = []
        # Rows of several roots are sorted here, so their time is needed.
        more = () if columns is None or len(self.stores) == 1 or "tstart" in columns else ("tstart",)
        wanted = columns if columns is None else [*columns, *more]
        for place, store in enumerate(self.stores):
            found += find_rows(store, query, wanted, elsewhere=self._before(place) if place else None)
        if len(self.stores) > 1:
            found.sort(key=lambda row: (row.get("tstart") or 0.0, row.get("obsid", 0), row["filename"]))
        for row in found if more else ():
            row.pop("tstart", None)
        return found

    def _before(self, place: int) -> Callable[[Unit], bool]:
        """Return what says whether a root before a certain one has the obsid, or the day, of a unit."""

        @functools.cache
        def is_kept(owner: int | Day) -> bool:
            return any(keeps(store, owner) for store in self.stores[:place])

        return lambda unit: is_kept(unit.obsid if isinstance(unit, ObsidRevision) else unit)

    def _range(self, start: DateLike, stop: DateLike) -> FileQuery:
        """Return the query for what overlaps a range of time."""
        if {"tstart", "tstop"} - {column.name for column in self.product.schema}:
            raise UnknownNameError("column", "tstart", [column.name for column in self.product.schema])
        first, last = _EVER if start is None else _one_date(start), _one_date(stop)
        if first > last:
            raise DateError(start, f"it is after the stop, {stop!r}; expected a range of time that goes forward")
        return FileQuery(start=first, stop=last)

    def _content(self, content: str | Sequence[str] | None) -> tuple[str, ...] | None:
        known = self.product.content_types
        if content is None:
            usual = self._given.get("content_types") or known
            return ((usual,) if isinstance(usual, str) else tuple(usual)) or None
        asked = (content,) if isinstance(content, str) else tuple(content) if isinstance(content, Iterable) else ()
        if not asked:
            example = f" such as {known[0]!r}" if known else ""
            expected = f"a content type{example}, several of them, or None for the usual ones"
            raise DeclarationError("the archive", "content", content, expected)
        for each in asked:
            if known and each not in known:
                raise UnknownNameError(f"content type of {self.name}", each, known)
        return asked

    def _where(self, where: Mapping[str, Sequence[Any]] | None) -> dict[str, tuple[Any, ...]]:
        names = [column.name for column in self.product.schema]
        for name in where or {}:
            if name not in names:
                raise UnknownNameError(f"column of {self.name}", name, names)
        return {
            name: (values,) if isinstance(values, str) or not isinstance(values, Iterable) else tuple(values)
            for name, values in (where or {}).items()
        }

    # ---- keeping it -------------------------------------------------------------------------------------------------

    def run_update(
        self,
        options: UpdateOptions | None = None,
        *,
        told: Told | None = None,
        wait: float = WAIT,
    ) -> UpdateReport:
        """Bring the archive up to date, and tell subscribers what changed.

        Parameters
        ----------
        options : UpdateOptions, optional
            What is asked for; by default everything that is new.
        told : callable, optional
            Called as the work goes on, with what is done, how many items are, and of how many.
        wait : float, default 60
            How long to wait for another writer, s.

        Returns
        -------
        UpdateReport
            With what failed: that is no error.

        Raises
        ------
        LockedError
            Somebody else is writing.
        AcaError
            The observation that was asked for could not be had, or there is nothing to update from.
        OSError
            The disk is full or may not be written to, for example.
        """
        from aca_core.archive.reports import UpdateOptions
        from aca_core.archive.running import run_update

        return run_update(
            self.stores[0], self.feed, options or UpdateOptions(), home=self.archive, told=told, wait=wait
        )

    def items(self) -> list[Item]:
        """Return what was asked for and what became of it; see `aca_core.archive.items`."""
        from aca_core.archive.items import items

        return items(self.stores[0])

    def verify(self, *, full: bool = False, told: Told | None = None) -> list[Finding]:
        """Look for what is wrong with the archive; see `aca_core.archive.verify`.

        Parameters
        ----------
        full : bool, default False
            Whether to read every file and compare its checksum, not only its size.
        told : callable, optional
            Called as the work goes on.

        Returns
        -------
        list of Finding
            Empty where all is well.
        """
        from aca_core.archive.verify import verify

        return [finding for store in self.stores for finding in verify(store, full=full, told=told)]


def _one_date(date: DateLike) -> float:
    """Return a date as CXC seconds; refuse several."""
    from aca_core.dates import to_secs

    secs = to_secs(date)
    if getattr(secs, "shape", ()):
        raise DateError(date, "these are several dates; expected one")
    return float(secs)


P = TypeVar("P", bound=ProductArchive)


def _member(archive: Mapping[str, ProductArchive], name: str) -> ProductArchive:
    return archive[name]


def _rebuilt(
    cls: type[P], product: ArchiveProduct, places: Sequence[tuple[Any, ...]], feed: Feed | None, given: dict[str, Any]
) -> P:
    return cls([Store(product, *place) for place in places], feed=feed, given=given)
