"""Which archive module-level functions answer from, and such functions for any product. Light: plugins import it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from aca_core.archive._context import CHOSEN, using

if TYPE_CHECKING:
    from aca_core.archive.archive import Archive
    from aca_core.archive.obs_archive import ObsArchive

__all__ = ["ProductFunctions", "current_archive", "using"]

_OPENED: list[Archive] = []


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

    def get_dir(self, obsid: int) -> str | None:
        """Return the folder of the released version of an obsid; see `ObsArchive.get_dir`."""
        return self.archive.get_dir(obsid)

    def get_obs_dirs(self, obsid: int) -> dict[Any, Any] | None:
        """Return the folders of an obsid; see `ObsArchive.get_obs_dirs`."""
        return self.archive.get_obs_dirs(obsid)

    def get_files(
        self, obsid: int | None = None, start: Any = None, stop: Any = None, revision: Any = None, content: Any = None
    ) -> list[str]:
        """Return the files of an observation, or of a range of time; see `ObsArchive.get_files`."""
        return self.archive.get_files(obsid, start, stop, revision, content)

    def get_rows(
        self,
        obsid: int | None = None,
        start: Any = None,
        stop: Any = None,
        revision: Any = None,
        content: Any = None,
        *,
        columns: Sequence[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the rows of the index for the same; see `ObsArchive.get_rows`."""
        return self.archive.get_rows(obsid, start, stop, revision, content, columns=columns)
