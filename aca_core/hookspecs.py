"""The hooks: what a plugin may implement, and the two markers.

A plugin is a module named by an entry point of the group ``aca_core``. It implements the hooks that it needs; a hook
gains arguments in time and never loses one, and an implementation names only those that it wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aca_core.catalogues import Catalogue
    from aca_core.changes import Change
    from aca_core.dark_sources import DarkSource
    from aca_core.models import ProbabilityModel
    from aca_core.products import ArchiveProduct
    from aca_core.retrievers import Retriever

__all__ = ["API_VERSION", "PROJECT", "hookimpl", "hookspec"]

PROJECT: Final = "aca_core"
"""The name of the plugin system: that of pluggy's project and of the entry-point group."""

API_VERSION: Final = "1.0"
"""The version of this contract. The first number grows when a plugin might have to change, the second when it may."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a plugin's function as the implementation of the hook of the same name."""


@hookspec
def aca_archive_products() -> Iterable[ArchiveProduct]:
    r"""Return the archive products that this plugin declares.

    Called once, when the plugin is loaded: declare, read no files. A product's name is unique among products.

    Examples
    --------
    >>> from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl
    >>> SIM = ArchiveProduct(
    ...     name="sim1", label="SIM level 1", content_types=["SIMCOOR"],
    ...     version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    ...     columns=FitsColumns("tstart", "tstop", "content", "revision", "date"),
    ... )
    >>> @hookimpl
    ... def aca_archive_products():
    ...     return [SIM]
    """
    raise NotImplementedError  # pluggy never calls a spec; this keeps type checkers content


@hookspec
def aca_dark_sources() -> Iterable[DarkSource]:
    """Return the dark sources that this plugin declares.

    Called once, when the plugin is loaded. A source's name is unique among dark sources.

    Examples
    --------
    >>> from pathlib import Path
    >>> from aca_core import DatedTree, hookimpl
    >>> @hookimpl
    ... def aca_dark_sources():
    ...     return [DatedTree(name="night", root=Path("night_darks"), image_file="map.fits")]
    """
    raise NotImplementedError


@hookspec
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the probability models that this plugin declares.

    Called once, when the plugin is loaded. A name is unique among acquisition models and among guide models.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import InputRange, ProbabilityModel, hookimpl
    >>> @attrs.frozen(kw_only=True)
    ... class Straight(ProbabilityModel):
    ...     def success(self, stars):
    ...         return (12.0 - stars.mag) / 7.0
    >>> STRAIGHT = Straight(name="straight", kind="guide", ranges={"mag": InputRange(5, 12)})
    >>> @hookimpl
    ... def aca_probability_models():
    ...     return [STRAIGHT]
    """
    raise NotImplementedError


@hookspec
def aca_retrievers() -> Iterable[Retriever]:
    """Return the retrievers that this plugin declares.

    Called once, when the plugin is loaded: do not connect. A retriever's name is unique among retrievers.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import RetrievalError, Retriever, hookimpl
    >>> @attrs.frozen(kw_only=True)
    ... class Nowhere(Retriever):
    ...     def probe(self, request, scratch):
    ...         return ()
    ...     def fetch(self, request, folder):
    ...         raise RetrievalError(self.name, request, "nothing is kept here")
    >>> @hookimpl
    ... def aca_retrievers():
    ...     return [Nowhere(name="nowhere")]
    """
    raise NotImplementedError


@hookspec
def aca_catalogues() -> Iterable[Catalogue]:
    """Return the catalogues that this plugin declares.

    Called once, when the plugin is loaded: do not connect. A catalogue's name is unique among catalogues.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import Catalogue, hookimpl
    >>> @attrs.frozen(kw_only=True)
    ... class Empty(Catalogue):
    ...     def new_work(self, work, after):
    ...         return ()
    ...     def runs(self, work, obsid, *, obi=None, revision=None):
    ...         return ()
    ...     def obis(self, obsid):
    ...         return ()
    >>> @hookimpl
    ... def aca_catalogues():
    ...     return [Empty(name="empty")]
    """
    raise NotImplementedError


@hookspec
def aca_committed(change: Change) -> None:
    """React to a committed change of an archive.

    Called after the commit, outside the product's lock, and at least once for each change: come to the same result
    when the same change is seen again. What is raised here is recorded under this plugin; the commit stands.

    Examples
    --------
    >>> from aca_core import hookimpl
    >>> seen = set()
    >>> @hookimpl
    ... def aca_committed(change):
    ...     seen.add((change.product, change.unit))
    """
