"""An archive: the products of its roots by name, opened from the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from aca_core.archive.day_archive import DayArchive
from aca_core.archive.feeds import feed_of_set, set_of_product
from aca_core.archive.obs_archive import ObsArchive
from aca_core.archive.product_archive import ProductArchive
from aca_core.archive.store import Store
from aca_core.errors import ConfigError, ConfigProblem, DeclarationError, MissingDataError, UnknownNameError
from aca_core.layouts import ByObsid
from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from aca_core.archive.feeds import Feed
    from aca_core.catalogues import Catalogue
    from aca_core.config import Config
    from aca_core.registry import Registry

__all__ = ["Archive", "open_archive"]

P = TypeVar("P", bound=ProductArchive)


class Archive(Mapping[str, ProductArchive]):
    """The archives of all products of one configuration, by name.

    It pickles as its configuration and opens again by itself in another process.

    Parameters
    ----------
    config : Config
        With at least one root.
    registry : Registry, optional
        The plugins; those of the configuration by default.

    Attributes
    ----------
    config : Config
        What the site chose.
    roots : tuple of Path
        The first that has a thing answers; the first is written to.

    Examples
    --------
    >>> import tempfile
    >>> archive = open_archive(tempfile.mkdtemp())
    >>> sorted(archive)
    ['aca0', 'asp1', 'obspar']
    >>> archive["asp1"].get_files(6000)
    []
    """

    def __init__(self, config: Config, registry: Registry | None = None) -> None:
        from aca_core.registry import Registry

        self.config = config
        self.registry = registry if registry is not None else Registry(config)
        self.roots = tuple(root.absolute() for root in config.require_root())
        self._members: dict[str, ProductArchive] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Archive, (self.config,)

    def __repr__(self) -> str:
        return f"<Archive in {', '.join(str(root) for root in self.roots)}>"

    def __getitem__(self, name: str) -> Any:
        """Return the archive of a product, an `ObsArchive` or a `DayArchive`.

        Which of them is known when its plugin is loaded, and not before: `by_obsid` and `by_day` tell type checkers.
        """
        if name not in self._members:
            product = self.registry.product(name)
            stores = [Store(product, root / name, root, self.config.lock) for root in self.roots]
            kind = ObsArchive if isinstance(product.layout, ByObsid) else DayArchive
            self._members[name] = kind(stores, archive=self)
        return self._members[name]

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __iter__(self) -> Iterator[str]:
        return iter([product.name for product in self.registry.offers(ArchiveProduct)])

    def __len__(self) -> int:
        return len(self.registry.offers(ArchiveProduct))

    def by_obsid(self, name: str) -> ObsArchive:
        """Return the archive of a product by obsid.

        Parameters
        ----------
        name : str
            Of the product.

        Returns
        -------
        ObsArchive

        Raises
        ------
        UnknownNameError
            There is no such product, or it is laid out by day.
        """
        return self._of_kind(ObsArchive, name, "by obsid")

    def by_day(self, name: str) -> DayArchive:
        """Return the archive of a product by day.

        Parameters
        ----------
        name : str
            Of the product.

        Returns
        -------
        DayArchive

        Raises
        ------
        UnknownNameError
            There is no such product, or it is laid out by obsid.
        """
        return self._of_kind(DayArchive, name, "by day")

    def _of_kind(self, kind: type[P], name: str, how: str) -> P:
        found = self[name]
        if not isinstance(found, kind):
            known = [each for each in self if isinstance(self[each], kind)]
            other = "by day" if how == "by obsid" else "by obsid"
            raise UnknownNameError(f"product {how}", name, known, f"{name} is laid out {other}.")
        return found

    def feed_of(self, product: str, set_name: str | None = None) -> Feed:
        """Return where deliveries of a product come from.

        Parameters
        ----------
        product : str
            Its name.
        set_name : str, optional
            The product set; by default the first that has the product.

        Returns
        -------
        Feed

        Raises
        ------
        ConfigError
            No set has it, or the set names no retriever.
        """
        chosen = set_name or set_of_product(self.registry, product)
        if chosen is None:
            problem = f'no product set has {product}; define one, such as [sets.nightly] products = ["{product}"]'
            source = str(self.config.file) if self.config.file else "configuration"
            raise ConfigError([ConfigProblem(source, "sets", f'{problem}, retriever = "directory"')])
        return feed_of_set(self.registry, self.registry.product(product), chosen)

    def catalogue_of(self, product: str) -> Catalogue | None:
        """Return the catalogue that lists a product's processing.

        Parameters
        ----------
        product : str
            Its name.

        Returns
        -------
        Catalogue or None
            None where no product set that has the product names one.
        """
        names = [each.catalogue for each in self.config.sets.values() if product in each.products and each.catalogue]
        return self.registry.catalogue(names[0]) if names else None

    def providing(self, role: str) -> tuple[ProductArchive, ...]:
        """Return the archives of the products that provide a role, such as ``obsid-times``, by name."""
        return tuple(self[product.name] for product in self.registry.providing(role))


def open_archive(
    root: str | Path | Sequence[str | Path] | None = None, config: Config | str | Path | None = None
) -> Archive:
    """Open an archive.

    Parameters
    ----------
    root : path-like or sequence of path-like, optional
        Its root, or several; by default those of the configuration.
    config : Config or path-like, optional
        What the site chose, or the file that says it; by default what `load_config` reads.

    Returns
    -------
    Archive
        Nothing is made, and only what is asked for is read.

    Raises
    ------
    ConfigError
        No root is configured, or the configuration cannot be read.
    DeclarationError
        The root or the configuration is something else. It is a ValueError.
    MissingDataError
        A root is not there: a mount that is absent must not look like an archive with nothing in it.

    Examples
    --------
    >>> import tempfile
    >>> open_archive(tempfile.mkdtemp())["obspar"].get_obs_dirs(7000) is None
    True
    """
    from aca_core.config import Config

    roots = (root,) if root is None or isinstance(root, str | Path) else root
    if not isinstance(roots, list | tuple) or not all(isinstance(each, str | Path | None) for each in roots):
        raise DeclarationError("open_archive", "root", root, "the path of a folder, or a list of them")
    if config is not None and not isinstance(config, Config | str | Path):
        raise DeclarationError("open_archive", "config", config, "a Config, or the path of a configuration file")
    if not isinstance(config, Config):
        from aca_core.config_layers import load_config

        config = load_config(config) if root is None else load_config(config, root=root)
    elif root is not None:
        config = attrs.evolve(config, root=root)
    for each in config.require_root():
        if not each.is_dir():
            raise MissingDataError(f"the archive root {each} is no folder; mount it, or make it if it is a new archive")
    return Archive(config)
