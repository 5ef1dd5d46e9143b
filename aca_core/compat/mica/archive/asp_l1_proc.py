"""``mica.archive.asp_l1_proc``: the table of archived aspect runs. See `aca_plugins.asp1.update_processing`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aca_plugins.asp1 import ASP1, update_processing

from aca_core.archive import current_archive, open_archive, using
from aca_core.config import Config
from aca_core.errors import ConfigError, DeclarationError, MissingDataError

__all__ = ["update"]


def update(obsids: Iterable[int], config: Mapping[str, Any] | None = None) -> None:
    """Bring the table of archived aspect runs up to date for some observations.

    Parameters
    ----------
    obsids : iterable of int
        Which observations.
    config : mapping, optional
        With the folder of the products as ``data_root``, such as ``/data/aca/archive/asp1``; by default that of the
        current archive. Other keys count for nothing.

    Raises
    ------
    DeclarationError
        ``data_root`` is no folder of that name.
    RetrievalError
        The catalogue cannot be reached.
    IntegrityError
        The table cannot be updated.

    Examples
    --------
    >>> update([])
    """
    data_root = (config or {}).get("data_root")
    if data_root is None:
        update_processing(obsids)
        return
    folder = Path(data_root)
    if folder.name != ASP1.name:
        raise DeclarationError("asp_l1_proc.update", "data_root", str(data_root), f"a folder named {ASP1.name}")
    with using(open_archive(folder.parent, _configuration())):
        update_processing(obsids)


def _configuration() -> Config | None:
    """Return the configuration in force, which names the catalogue; None where none names a root."""
    with contextlib.suppress(ConfigError, MissingDataError):
        return current_archive().config
    return None
