"""An update of several products, one after the other, each through the product set that says where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import attrs

from aca_core.archive._disk import STOPS
from aca_core.archive.archive import Archive
from aca_core.archive.days import planned_days
from aca_core.archive.events import undelivered
from aca_core.archive.feeds import Feed, Workers
from aca_core.archive.items import Item, count_items
from aca_core.archive.product_archive import WAIT, ProductArchive
from aca_core.archive.reports import Told, UpdateOptions, UpdateReport
from aca_core.archive.update import planned_items
from aca_core.archive.words import in_words, waiting_for
from aca_core.errors import AcaError, ConfigError, ConfigProblem
from aca_core.layouts import ByObsid

__all__ = ["PlannedUpdate", "ProductUpdate", "chosen_products", "is_by_obsid", "plan_products", "update_products"]


@attrs.frozen(kw_only=True)
class ProductUpdate:
    """What became of one product in an update of several.

    Attributes
    ----------
    product, set_name : str
        The product, and the set through which it was updated.
    report : UpdateReport or None
        What was done; None where it failed as a whole.
    error : AcaError, OSError or None
        Why it did.
    new_files : int
        Files that were added to the index; those that are kept beside them are not counted.
    waiting : int
        Changes that subscribers could not take.
    not_due : int
        What had failed before and was not tried, as its time has not come; 0 where one observation was asked for.
    """

    product: str
    set_name: str
    report: UpdateReport | None = None
    error: AcaError | OSError | None = None
    new_files: int = 0
    waiting: int = 0
    not_due: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether something failed, is in conflict, or could not be delivered."""
        return self.report is None or not self.report.is_clean


@attrs.frozen(kw_only=True)
class PlannedUpdate:
    """What an update of one product would begin with.

    Attributes
    ----------
    product, set_name : str
        The product, and its set.
    items : tuple of Item
        New work, and what is due again.
    error : AcaError, OSError or None
        Why that is not known.
    """

    product: str
    set_name: str
    items: tuple[Item, ...] = ()
    error: AcaError | OSError | None = None


def chosen_products(
    archive: Archive, products: Sequence[str] = (), set_name: str | None = None, *, by_obsid: bool = False
) -> list[tuple[str, str]]:
    """Return which products are meant, each with the set through which it is updated.

    Parameters
    ----------
    archive : Archive
        Whose configuration has the sets.
    products : sequence of str
        Products by name, each through the first set that has it. Without any, all products of the sets.
    set_name : str, optional
        Only those of this set.
    by_obsid : bool, default False
        Whether only products by obsid are meant.

    Returns
    -------
    list of tuple
        Product and set, in the order of the configuration, each product once.

    Raises
    ------
    UnknownNameError
        There is no such product or set.
    ConfigError
        No set has one of the products, or there is no set at all.
    """
    config = archive.config
    if products:
        found = [(name, archive.feed_of(archive[name].name).name) for name in dict.fromkeys(products)]
    else:
        names = [set_name] if set_name is not None else list(config.sets)
        pairs = [(product, name) for name in names for product in config.product_set(name).products]
        first: dict[str, str] = {}
        for product, name in pairs:
            first.setdefault(product, name)
        found = list(first.items())
    if not found:
        text = "no product set says where deliveries come from; 'aca config init' writes a file with an example"
        raise ConfigError([ConfigProblem(str(config.file or "configuration"), "sets", text)])
    return [pair for pair in found if not by_obsid or is_by_obsid(archive, pair[0])]


def is_by_obsid(archive: Archive, product: str) -> bool:
    """Say whether a product is by obsid.

    Parameters
    ----------
    archive : Archive
        Which archive.
    product : str
        Its name.

    Returns
    -------
    bool
        True too for one that cannot be had, which is told when it is its turn.
    """
    try:
        return isinstance(archive[product].product.layout, ByObsid)
    except AcaError:
        return True


def update_products(
    archive: Archive,
    chosen: Sequence[tuple[str, str]],
    options: UpdateOptions,
    *,
    jobs: int | None = None,
    wait: float = WAIT,
    told: Callable[[str], Told] | None = None,
) -> Iterator[ProductUpdate]:
    """Update products one after the other; one that fails as a whole stops no other.

    Parameters
    ----------
    archive : Archive
        Which archive.
    chosen : sequence of tuple of str
        Products and their sets, from `chosen_products`.
    options : UpdateOptions
        What is asked for.
    jobs : int, optional
        How many workers, in place of what the sets say.
    wait : float, default 60
        How long to wait for another writer, s.
    told : callable, optional
        Called with a product's name; returns what is told as its work goes on.

    Yields
    ------
    ProductUpdate
        As each is done. Where the disk is full, or the machine is in trouble in another way, it is the last.
    """
    for product, set_name in chosen:
        here = ProductUpdate(product=product, set_name=set_name)
        store = None
        try:
            member = member_of_set(archive, product, set_name, jobs)
            store, tell = member.stores[0], told(product) if told else None
            if tell is not None and (text := waiting_for(store, wait)):
                tell(text, 0, 0)
            report = member.run_update(options, told=tell, wait=wait)
            late = undelivered(store) if report.undelivered else []
            waiting = sum(each.changes for each in late if each.subscriber in report.undelivered)
            names = [name for change in report.changes for name in change.added]
            new = sum(not member.product.keeps_beside(name) for name in names)
            before = count_items(store).get("failed", 0) - len({item.name for item in report.failed})
            not_due = max(0, before) if options.obsid is None else 0
            yield attrs.evolve(here, report=report, new_files=new, waiting=waiting, not_due=not_due)
        except (AcaError, OSError) as error:
            yield attrs.evolve(here, error=error if store is None else in_words(error, store))
            if isinstance(error, OSError) and error.errno in STOPS:
                return


def plan_products(
    archive: Archive, chosen: Sequence[tuple[str, str]], options: UpdateOptions
) -> Iterator[PlannedUpdate]:
    """Say what an update of products would begin with; nothing is fetched or written.

    Parameters
    ----------
    archive, chosen, options
        As for `update_products`.

    Yields
    ------
    PlannedUpdate
    """
    for product, set_name in chosen:
        here = PlannedUpdate(product=product, set_name=set_name)
        try:
            member = member_of_set(archive, product, set_name)
            yield attrs.evolve(here, items=tuple(_planned(member, options)))
        except (AcaError, OSError) as error:
            yield attrs.evolve(here, error=error)


def _planned(member: ProductArchive, options: UpdateOptions) -> list[Item]:
    store = member.stores[0]
    if isinstance(member.product.layout, ByObsid):
        return planned_items(store, member.feed, options)
    return planned_days(store, member.feed, options)


def member_of_set(archive: Archive, product: str, set_name: str, jobs: int | None = None) -> ProductArchive:
    """Return the archive of a product with the deliveries of one set.

    Parameters
    ----------
    archive : Archive
        Where it belongs to.
    product, set_name : str
        The product, and one of its sets.
    jobs : int, optional
        How many workers, in place of what the set says.

    Returns
    -------
    ProductArchive
    """
    member: ProductArchive = archive[product]
    feed = archive.feed_of(product, set_name)
    return type(member)(member.stores, archive, feed if jobs is None else attrs.evolve(feed, workers=_with(feed, jobs)))


def _with(feed: Feed, jobs: int) -> Workers:
    kind = "threads" if feed.workers.kind == "serial" else feed.workers.kind
    return attrs.evolve(feed.workers, kind=kind, jobs=jobs)
