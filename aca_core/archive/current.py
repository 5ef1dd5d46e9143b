"""Which archive module-level functions answer from, and such functions for any product. Light: plugins import it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.archive._context import CHOSEN, PLUGINS, using, using_plugins

if TYPE_CHECKING:
    from aca_core.archive.archive import Archive
    from aca_core.archive.obs_archive import ObsArchive
    from aca_core.archive.queries import RevisionWanted
    from aca_core.dates import DateLike
    from aca_core.registry import Registry

__all__ = [
    "ProductFunctions",
    "current_archive",
    "current_registry",
    "forget_opened",
    "using",
    "using_plugins",
]

_OPENED: list[Archive] = []
_REGISTRIES: list[Registry] = []


def current_archive() -> Archive:
    """Return the archive that module-level functions answer from.

    Returns
    -------
    Archive
        That of the innermost `using` block, else that of the configuration as it is now.

    Raises
    ------
    ConfigError
        No root is configured.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import open_archive
    >>> archive = open_archive(tempfile.mkdtemp())
    >>> with using(archive):
    ...     current_archive() is archive
    True
    """
    chosen: Archive | None = CHOSEN.get()
    if chosen is not None:
        return chosen
    from aca_core.archive.archive import open_archive
    from aca_core.config_layers import config_in_force

    config = config_in_force()
    for opened in _OPENED:
        if opened.config is config or opened.config == config:
            return opened
    archive = open_archive(config=config)
    _OPENED[:] = [archive]  # plugins are loaded once for a configuration, and one configuration is in force
    return archive


def current_registry() -> Registry:
    """Return the plugins that module-level functions ask: dark sources and probability models need no archive.

    Returns
    -------
    Registry
        That of the innermost `using_plugins` block or of the archive of the innermost `using` block, else that of
        the configuration as it is now, with or without an archive root.

    Raises
    ------
    ConfigError
        The configuration cannot be read.

    Examples
    --------
    >>> current_registry().model("sota-2013", "acquisition").kind
    'acquisition'
    """
    chosen: Registry | None = PLUGINS.get()
    if chosen is not None:
        return chosen
    from aca_core.config_layers import config_in_force
    from aca_core.registry import Registry

    config = config_in_force()
    for known in (*(archive.registry for archive in _OPENED), *_REGISTRIES):
        if known.config is config or known.config == config:
            return known
    registry = Registry(config)
    _REGISTRIES[:] = [registry]
    return registry


def forget_opened() -> None:
    """Forget the archive and the plugins of the configuration: the next question looks for plugins anew.

    For tests and sessions in which plugins come and go; installed ones are otherwise looked for once.
    """
    _OPENED.clear()
    _REGISTRIES.clear()


@attrs.frozen
class ProductFunctions:
    """The verbs of one product as functions: they answer from the archive that is current when they are called.

    Attributes
    ----------
    product : str
        Name of a product by obsid.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import open_archive
    >>> get_dir = ProductFunctions("obspar").get_dir
    >>> with using(open_archive(tempfile.mkdtemp())):
    ...     get_dir(7000) is None
    True
    """

    product: str

    @property
    def archive(self) -> ObsArchive:
        """The product's archive as it is now."""
        return current_archive().by_obsid(self.product)

    # The docstrings are those of ObsArchive, word for word: help() shows them, and nothing is imported for them.

    def get_dir(self, obsid: int) -> str | None:
        """Return the folder of the released version of an obsid.

        Parameters
        ----------
        obsid : int
            0 to 99999.

        Returns
        -------
        str or None
            The path of the link, not resolved; None where nothing is released.
        """
        return self.archive.get_dir(obsid)

    def get_obs_dirs(self, obsid: int) -> dict[Any, Any] | None:
        """Return the folders of an obsid.

        Parameters
        ----------
        obsid : int
            0 to 99999.

        Returns
        -------
        dict or None
            By version the path of its folder; ``default`` the link to the released version and ``last`` that to the
            newest provisional one, or the same as ``default``; ``revisions`` the versions, ascending. None where
            nothing is archived. Paths are absolute and not resolved.
        """
        return self.archive.get_obs_dirs(obsid)

    def get_files(
        self,
        obsid: int | None = None,
        start: DateLike = None,
        stop: DateLike = None,
        revision: RevisionWanted = None,
        content: str | Sequence[str] | None = None,
    ) -> list[str]:
        """Return the files of an observation, or of a range of time.

        Parameters
        ----------
        obsid : int, optional
            Which observation, instead of a range of time.
        start, stop : date, optional
            Files that overlap this range, in any form of `aca_core.dates`; `stop` is now by default.
        revision : None, 'default', 'last', 'all' or int
            The released version (None and ``default``), the greatest that is archived, all of them, or one.
        content : str or sequence of str, optional
            Content types; by default those that the product declares.

        Returns
        -------
        list of str
            Absolute paths by time, obsid and name.

        Raises
        ------
        TypeError
            Neither an obsid nor a range of time was given, or both.
        DeclarationError
            The obsid, the revision or the content is none. It is a ValueError.
        DateError
            The start or the stop is no date, or the range goes backwards. It is a ValueError.
        UnknownNameError
            A content type is not one of the product's. It is a LookupError.

        Examples
        --------
        >>> from aca_core import open_archive
        >>> import tempfile
        >>> asp1 = open_archive(tempfile.mkdtemp())["asp1"]
        >>> asp1.get_files(8010, content="ASPSOL")
        []
        >>> asp1.get_files(start="2012:001", stop="2012:030", content=["ASPSOL", "ACACAL"])
        []
        """
        return self.archive.get_files(obsid, start, stop, revision, content)

    def get_rows(
        self,
        obsid: int | None = None,
        start: DateLike = None,
        stop: DateLike = None,
        revision: RevisionWanted = None,
        content: str | Sequence[str] | None = None,
        *,
        columns: Sequence[str] | None = None,
        where: Mapping[str, Sequence[Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the rows of the index for an observation, or for a range of time.

        Parameters
        ----------
        obsid, start, stop, revision, content
            As for `get_files`.
        columns : sequence of str, optional
            Which columns; all by default.
        where : mapping of str to sequence, optional
            Further columns of the index, and the values that each may have.

        Returns
        -------
        list of dict
            In the order of `get_files`; ``path`` is where the file lies.
        """
        return self.archive.get_rows(obsid, start, stop, revision, content, columns=columns, where=where)
