"""Where a product's deliveries come from, and what the site says about them: a product set, resolved."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import attrs

from aca_core.archive.staging import StagingRules
from aca_core.catalogues import Catalogue
from aca_core.config import ProductSet
from aca_core.errors import ConfigError, ConfigProblem
from aca_core.obsids import obsids_in
from aca_core.retrievers import Retriever

if TYPE_CHECKING:
    from aca_core.products import ArchiveProduct
    from aca_core.registry import Registry

__all__ = ["Feed", "Workers", "feed_of_set", "set_of_product"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Workers:
    """Where the work of an update runs that can be spread: fetching, verifying and describing.

    Attributes
    ----------
    kind : {'serial', 'threads', 'processes', 'dask'}
        As in a product set.
    jobs : int
        How many.
    scheduler : str or None
        Address of the Dask scheduler.
    """

    kind: Literal["serial", "threads", "processes", "dask"] = "serial"
    jobs: int = 1
    scheduler: str | None = None

    @property
    def ahead(self) -> int:
        """How many observations are worked on at a time; a cluster says itself how many it can."""
        return 64 if self.kind == "dask" else 1 if self.jobs == 1 else 2 * self.jobs

    @contextlib.contextmanager
    def executor(self) -> Iterator[Executor]:
        """Start the workers for a block."""
        if self.kind == "dask":
            with _dask(self.scheduler or "") as executor:
                yield executor
            return
        with self._local() as executor:
            try:
                yield executor
            except BaseException:
                executor.shutdown(wait=True, cancel_futures=True)
                raise

    def _local(self) -> Executor:
        from concurrent.futures import ThreadPoolExecutor

        if self.kind == "processes" and self.jobs > 1:
            return _Processes(self.jobs)
        if self.kind == "threads" and self.jobs > 1:
            return ThreadPoolExecutor(self.jobs)
        return _Here()


class _Processes(Executor):
    """Processes that are started again where one has died."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = self._started()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._started()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _started(self) -> Executor:
        import multiprocessing
        import signal
        from concurrent.futures import ProcessPoolExecutor

        # Ctrl-C reaches the whole group: the coordinator ends the work, and its workers have nothing to say to it.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(
            self._jobs, mp_context=spawn, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)
        )


class _Here(Executor):
    """Runs each task when it is submitted, in the thread that submits it."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextlib.contextmanager
def _dask(scheduler: str) -> Iterator[Executor]:
    try:
        from distributed import Client  # an optional package
    except ImportError:
        problem = "executor 'dask' needs the package distributed; pip install 'aca-core[dask]'"
        raise ConfigError([ConfigProblem("configuration", "executor", problem)]) from None
    with Client(scheduler) as client, client.get_executor() as executor:
        yield executor


@attrs.frozen(kw_only=True)
class Feed:
    """Where the deliveries of one product come from.

    Attributes
    ----------
    retriever : Retriever
        Brings files; bound to the site.
    catalogue : Catalogue or None
        Says what is new; without one only named obsids work.
    rules : StagingRules
        What the site says about deliveries.
    bad_obsids : frozenset of int
        Obsids that the check for released versions leaves alone.
    workers : Workers
        Where the work runs that can be spread.
    name : str
        Of the product set, for messages.
    """

    retriever: Retriever
    catalogue: Catalogue | None = None
    rules: StagingRules = StagingRules()
    bad_obsids: frozenset[int] = frozenset()
    workers: Workers = Workers()
    name: str = ""


def set_of_product(registry: Registry, product: str) -> str | None:
    """Return the name of the first product set that has a product, in the order of the configuration; None for none."""
    return next((name for name, each in registry.config.sets.items() if product in each.products), None)


def feed_of_set(registry: Registry, product: ArchiveProduct, name: str) -> Feed:
    """Return where a product set gets a product from.

    Parameters
    ----------
    registry : Registry
        The plugins and the configuration.
    product : ArchiveProduct
        One of the set's.
    name : str
        Of the set.

    Returns
    -------
    Feed

    Raises
    ------
    UnknownNameError
        There is no such set, retriever or catalogue.
    ConfigError
        The set names no retriever, or a list of obsids cannot be read.
    """
    chosen: ProductSet = registry.config.product_set(name)
    if chosen.retriever is None:
        keys = ("sets", name, "retriever")
        text = f'is not set, so nothing brings {product.name}; name a retriever, such as "directory" (aca plugins)'
        raise ConfigError([ConfigProblem(registry.config.blamed(*keys), ".".join(keys), text)])
    places = functools.partial(registry.config.placed)
    more = chosen.bad_obsids if isinstance(chosen.bad_obsids, tuple) else places(chosen.bad_obsids)[0]
    # Inflating, checksums and waiting for the disk leave the interpreter to others: threads gain as much as processes
    # do, and cost nothing to start.
    kind = "threads" if chosen.executor == "serial" and chosen.jobs > 1 else chosen.executor
    return Feed(
        retriever=registry.retriever(chosen.retriever),
        catalogue=None if chosen.catalogue is None else registry.catalogue(chosen.catalogue),
        rules=StagingRules(
            checksum=chosen.checksum,
            discard=chosen.discard,
            content_types=chosen.content_types,
            file_mode=int(registry.config.file_mode, 8),
        ),
        bad_obsids=obsids_in(product.bad_obsids) | obsids_in(more),
        workers=Workers(kind=kind, jobs=chosen.jobs, scheduler=chosen.scheduler),
        name=name,
    )
