"""Where level-0 telemetry is asked for: the current archive, or a tree and an index that are named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aca_core.errors import DeclarationError, MissingDataError, UnknownNameError

if TYPE_CHECKING:
    from aca_core.archive import DayArchive

__all__ = ["ROLE", "level0_archive"]

ROLE: Final = "aca-level0"
"""What the product provides that has this telemetry."""


def level0_archive(db: Any = None, data_root: str | Path | None = None) -> DayArchive:
    """Return the archive of level-0 telemetry.

    Parameters
    ----------
    db : path-like or mapping, optional
        Another index: the SQLite file, or a dictionary with its path as ``server``, as older tools have it. By default
        that in `data_root`.
    data_root : path-like, optional
        Another tree: the folder that has the files in ``YYYY/DOY``. By default that of the current archive.

    Returns
    -------
    DayArchive

    Raises
    ------
    MissingDataError
        No plugin has such a product, or a path is not there. It is a LookupError.
    DeclarationError
        They are no paths. It is a ValueError.
    ConfigError
        Nothing was named, and no archive is configured.
    """
    from aca_core.archive import DayArchive, current_archive, current_registry

    if db is None and data_root is None:
        members = [each for each in current_archive().providing(ROLE) if isinstance(each, DayArchive)]
        if not members:
            raise _no_product()
        return members[0]
    products = current_registry().providing(ROLE)
    if not products:
        raise _no_product()
    return _elsewhere(products[0], _index_path(db), data_root)


def _no_product() -> MissingDataError:
    return MissingDataError(
        f"no product provides {ROLE!r}, which has the telemetry; see 'aca plugins' for what is disabled or set aside"
    )


def _elsewhere(product: Any, index: Path | None, data_root: str | Path | None) -> DayArchive:
    """Return the archive of a tree that somebody names."""
    from aca_core.archive import DayArchive
    from aca_core.archive.index import Index
    from aca_core.archive.store import Store

    if data_root is not None and not isinstance(data_root, str | Path):
        raise DeclarationError("level-0 telemetry", "data_root", data_root, "the path of a folder")
    folder = Path(data_root) if data_root is not None else (index or Path()).parent
    if not folder.is_dir():
        raise MissingDataError(f"data_root {folder} is no folder; expected the one that has the files in YYYY/DOY")
    folder = folder.absolute()
    store = Store(product, folder, folder.parent)
    if index is not None:
        store.index = Index(index.absolute(), product)
    if not store.index.path.is_file():
        raise MissingDataError(f"there is no index {store.index.path}; name it with db, as the path of an SQLite file")
    return DayArchive([store])


def _index_path(db: Any) -> Path | None:
    if db is None:
        return None
    if isinstance(db, Mapping):
        if "server" not in db:
            raise UnknownNameError("key of db", "server", [str(key) for key in db])
        path = db["server"]
    else:
        path = db if isinstance(db, str | Path) else getattr(db, "server", None)  # a database object of older tools
    if isinstance(path, str | Path):
        return Path(path)
    expected = "the path of an SQLite file, or a dictionary with it as server"
    raise DeclarationError("level-0 telemetry", "db", db, expected)
