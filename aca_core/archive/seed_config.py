"""The dictionary that configured an archive of older tools, turned into a declaration, and back."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aca_core.archive.index import TABLE
from aca_core.archive.store import Store
from aca_core.catalogues import Work
from aca_core.columns import Column, ColumnType, FromArchive
from aca_core.errors import ConfigError, ConfigProblem, MissingDataError, did_you_mean
from aca_core.products import ArchiveProduct, Version
from aca_core.readers import FITS_COLUMNS, ColumnReader, FitsColumns, ParameterColumns

__all__ = ["KEYS", "as_seed_config", "store_from"]

_log = logging.getLogger("aca_core")

KEYS: Final[Mapping[str, str]] = {
    "data_root": "the product's folder",
    "temp_root": "where deliveries are checked, on the same file system",
    "bad_obsids": "obsids that the check for released versions leaves alone, or a file of them",
    "cols": "keywords or parameters that the index keeps",
    "sql_def": "SQL file that makes the table of files; without one, cols say its columns",
    "apstat_table": "the catalogue's table of runs",
    "apstat_id": "its id column",
    "label": "what the product is, for people",
    "small": "words with which a retriever is asked for the version",
    "small_glob": "which files carry the version",
    "small_ver_regex": "regular expression with one group, the digits of the version",
    "full": "words with which a retriever is asked for the files",
    "delete": "globs of delivered files that are dropped",
    "filecheck": "whether an archived revision is fetched and compared again",
    "content_types": "content types that queries return when none is asked for",
    "rebuild": "begin with the first run of the catalogue",
    "firstrun": "of what is not archived yet take the released version alone",
    "obsid": "only this observation",
    "version": "which version of it",
}
"""Every key of the dictionary, with its meaning."""

_AFFINITIES: Final[tuple[tuple[str, ColumnType], ...]] = (("int", "int"), ("float", "float"), ("real", "float"))

_USUAL: Final = ("tstart", "tstop", "caldbver", "content", "ascdsver", "revision", "date")
"""The columns of a FITS product for which neither ``cols`` nor ``sql_def`` says any."""

_DEFAULTS: Final[Mapping[str, Any]] = {
    "label": "archive",
    "small_glob": "*fidpr*",
    "small_ver_regex": r"N(\d{3})_",
    "delete": (),
    "filecheck": False,
}


def store_from(config: Mapping[str, Any]) -> Store:
    """Return the product and the place that the dictionary of older tools means; see `ObsArchive.from_config`."""
    for key in config:
        if key not in KEYS:
            known = f"{did_you_mean(key, KEYS)} Known: {', '.join(KEYS)}"
            raise _wrong(key, f"is no key of an archive's configuration.{known}")
    if not config.get("data_root"):
        raise _wrong("data_root", "is missing; expected the product's folder, such as /data/aca/archive/asp1")
    folder = Path(config["data_root"]).absolute()
    if not folder.parent.is_dir():
        problem = f"the archive root {folder.parent} is no folder; mount it, or make it if it is a new archive"
        raise MissingDataError(f"{problem} (data_root is {str(config['data_root'])!r})")
    product = _product({**_DEFAULTS, **{key: value for key, value in config.items() if value is not None}}, folder)
    staging = Path(config["temp_root"]).absolute() if config.get("temp_root") else None
    return Store(product, folder, folder.parent, staging=_usable(staging, folder, product))


def _wrong(key: str, text: str) -> ConfigError:
    return ConfigError([ConfigProblem("the archive's configuration", key, text)])


def _usable(staging: Path | None, folder: Path, product: ArchiveProduct) -> Path | None:
    """Return a folder below the one that is given: what is in it is ours to remove. None where it cannot serve."""
    if staging is None or not staging.is_dir():
        return None
    nearest = next(each for each in (folder, *folder.parents) if each.is_dir())
    if staging.stat().st_dev != nearest.stat().st_dev:
        return None  # a delivery comes to its place by one rename, which does not cross file systems
    # Another archive may have the same folder, and remove there what was left of its own.
    mark = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return staging / f"aca_{product.name}_{mark}"


def _product(config: Mapping[str, Any], folder: Path) -> ArchiveProduct:
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "archive"
    work = None
    if config.get("apstat_table") and config.get("apstat_id"):
        work = Work(table=config["apstat_table"], id=config["apstat_id"], reviewed_as_science=_is_reviewed(config))
    words = {"probe": config.get("small"), "fetch": config.get("full")}
    dialect = {key: str(value) for key, value in words.items() if value}
    return ArchiveProduct(
        name=name,
        label=str(config["label"]),
        columns=_reader(config),
        version=Version(glob=config["small_glob"], pattern=config["small_ver_regex"]),
        # Those of the dictionary are the usual ones of a query; others are archived too. See ProductArchive._content.
        discard=_globs(config["delete"]),
        recheck=bool(config["filecheck"]),
        bad_obsids=_bad_obsids(config.get("bad_obsids") or ()),
        work=work,
        dialects={"arc5gl": dialect} if dialect else {},
        file_names="*.par*" if _is_parameters(config) else "*.fits*",
    )


def _is_reviewed(config: Mapping[str, Any]) -> bool:
    """Say whether the runs are those of the aspect pipeline, which are judged by the science made from them."""
    return str(config["apstat_table"]).startswith("aspect")


def _globs(delete: Any) -> tuple[str, ...]:
    """Return globs of what the dictionary gives as names, as parts of names, or as globs."""
    given = (delete,) if isinstance(delete, str) else tuple(delete)
    return tuple(each if set(each) & set("*?[") else f"*{each}*" for each in given)


def _bad_obsids(given: Any) -> Any:
    """Return a list of obsids as it is, and the name of its file as a path."""
    return Path(given).absolute() if isinstance(given, str | Path) else given


def _is_parameters(config: Mapping[str, Any]) -> bool:
    """Say whether the files are parameter files: the version is carried by one."""
    return ".par" in config["small_glob"] or "par*" in config["small_glob"]


def _reader(config: Mapping[str, Any]) -> ColumnReader:
    sql = _sql_file(config)
    columns = [] if sql is None else _columns_of_sql(sql)
    if _is_parameters(config):
        return ParameterColumns(*_parameters(columns or [Column(name) for name in config.get("cols") or ()]))
    names = [column.name for column in columns] or list(config.get("cols") or _USUAL)
    own = {column.name: column for column in columns}
    return FitsColumns(*(FITS_COLUMNS.get(name) or own.get(name) or Column(name) for name in names))


def _sql_file(config: Mapping[str, Any]) -> Path | None:
    """Return the SQL file; None for one that lies beside the code of older tools, as its bare name says."""
    if not config.get("sql_def"):
        return None
    path = Path(config["sql_def"])
    if path.name == str(config["sql_def"]) and not path.exists():
        _log.info("the SQL file %s is not here; the columns of %s are those of cols", path, config["data_root"])
        return None
    return path


def _parameters(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of a parameter file with what the file does not call so, or does not have."""
    special = {
        "obsid": Column("obsid", "int", source="obs_id", required=True),
        "isdefault": Column("isdefault", "int", source=FromArchive()),
        "revision": Column("revision", "int"),
        "tstart": Column("tstart", "float"),
        "tstop": Column("tstop", "float"),
    }
    found = {column.name: special.get(column.name, column) for column in columns}
    return list({**({} if "obsid" in found else {"obsid": special["obsid"]}), **found}.values())


def _columns_of_sql(path: Path) -> list[Column]:
    """Return the columns of the table that an SQL file makes, in their order."""
    from aca_core.text_files import read_text_file

    try:
        script = read_text_file(path)
    except OSError as error:
        raise _wrong("sql_def", f"{path} cannot be read: {error.strerror}") from error
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.set_authorizer(_only_schema)
        connection.executescript(script)
        connection.set_authorizer(None)
        rows = connection.execute("SELECT name, type, [notnull], dflt_value FROM pragma_table_info(?)", (TABLE,))
        columns = [_column(name, declared, bool(required), default) for name, declared, required, default in rows]
    except sqlite3.Error as error:
        raise _wrong("sql_def", f"{path} cannot be run: {error}; expected CREATE TABLE {TABLE} …") from error
    finally:
        connection.close()
    if not columns:
        raise _wrong("sql_def", f"{path} makes no table {TABLE}")
    return columns


def _only_schema(action: int, *_: object) -> int:
    """Let an SQL file make tables and indexes in memory, and touch no file."""
    return sqlite3.SQLITE_DENY if action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_PRAGMA) else sqlite3.SQLITE_OK


def _column(name: str, declared: str, required: bool, default: str | None) -> Column:
    kind: ColumnType = next((kind for word, kind in _AFFINITIES if word in declared.lower()), "text")
    if name == "isdefault":
        return Column(name, "int", source=FromArchive())
    value = default.strip("'\"") if default is not None and kind == "text" else None
    return Column(name.lower(), kind, required=required, default=value)


_SEED_VALUES: Final[Mapping[str, Callable[[ArchiveProduct], Any]]] = {
    "label": lambda product: product.label,
    "small_glob": lambda product: product.version.glob if product.version else None,
    "small_ver_regex": lambda product: product.version.pattern if product.version else None,
    "small": lambda product: product.dialects.get("arc5gl", {}).get("probe"),
    "full": lambda product: product.dialects.get("arc5gl", {}).get("fetch"),
    "delete": lambda product: list(product.discard),
    "filecheck": lambda product: product.recheck,
    "content_types": lambda product: list(product.content_types),
    "cols": lambda product: [column.name for column in product.columns.columns],
    "apstat_table": lambda product: product.work.table if product.work else None,
    "apstat_id": lambda product: product.work.id if product.work else None,
    "bad_obsids": lambda product: product.bad_obsids,
}


def as_seed_config(store: Store) -> dict[str, Any]:
    """Return what the dictionary of older tools would say of a product; see `ObsArchive.config`."""
    values = {key: value(store.product) for key, value in _SEED_VALUES.items()}
    return {"data_root": str(store.folder), "temp_root": str(store.staging), **values}
