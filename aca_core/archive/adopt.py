"""What is wrong with an archive that somebody else wrote, before one uses it; nothing there is written or made.

An index is read with SQLite's ``mode=ro``. Where even that would change something, since its writer was killed in the
middle of a transaction or keeps a write-ahead log, a copy is read.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core.archive.findings import Finding
from aca_core.archive.index import TABLE, Index
from aca_core.archive.links import links_of, provisional_links
from aca_core.archive.store import INDEX_FILE, LAST_ID_FILE, STAGING, Store
from aca_core.archive.verify import verify
from aca_core.errors import IntegrityError, MissingDataError, UnknownNameError
from aca_core.layouts import ByObsid
from aca_core.products import ArchiveProduct

if TYPE_CHECKING:
    from aca_core.archive.reports import Told
    from aca_core.registry import Registry

__all__ = ["ExaminedArchive", "ExaminedProduct", "SchemaDifferences", "examine_archive", "examine_product"]

_SUFFIXES: Final = ("", "-journal", "-wal")

_ATTEMPTS: Final = 10
"""How often a copy is begun again when somebody writes meanwhile."""

_PAUSE: Final = 0.1
"""Between two of them, s."""


@attrs.frozen(kw_only=True)
class SchemaDifferences:
    """In what an index differs from what its product declares.

    Attributes
    ----------
    missing, extra : tuple of str
        Columns that it lacks, and that it has besides. Those besides are kept and do no harm.
    types : mapping of str to tuple of str
        Columns of another type: the type that is there, and the declared one.
    key : tuple of str
        Its primary key, where that is another than the declared one.
    indexes : tuple of str
        Columns that are to be indexed and are not: queries are slow without.
    """

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    types: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    key: tuple[str, ...] | None = None
    indexes: tuple[str, ...] = ()

    @property
    def problems(self) -> list[str]:
        """What of it is in the way, for people."""
        found = [f"the index has no column {name}" for name in self.missing]
        if self.key is not None:
            found.append(f"the primary key of the index is ({', '.join(self.key) or 'none'})")
        return found

    @property
    def remarks(self) -> list[str]:
        """What of it is not, for people: SQLite takes any value in any column, and the first update adds indexes."""
        harmless = "which is harmless: SQLite takes any value in any column"
        found = [f"column {name} is {has}, declared is {want}; {harmless}" for name, (has, want) in self.types.items()]
        slow = "queries by it are slow until the first update makes one"
        found += [f"there is no index on {names}: {slow}" for names in self.indexes]
        return [*found, *([f"columns besides, which are kept: {', '.join(self.extra)}"] if self.extra else [])]


@attrs.frozen(kw_only=True)
class ExaminedProduct:
    """What was seen of one product.

    Attributes
    ----------
    product : str
        Name of the product.
    folder : Path
        Where it lies.
    written_by : {'aca_core', 'other tools', 'nobody'}
        Who wrote the index; nobody where there is none.
    schema : SchemaDifferences
        In what the index differs from what is declared.
    rows, units, obsids : int
        Files in the index, the revisions or days that they belong to, and the observations.
    without_unit : int
        Rows that say neither which revision nor which day they belong to, or one that cannot be.
    released, provisional : int
        Links to released versions, and to provisional ones.
    last_id : str
        What ``last_id.txt`` says; empty where there is none.
    beside : tuple of str
        What else lies in the product's folder, such as processing tables and lists of bad obsids.
    findings : tuple of Finding
        What `verify` says.
    skipped : str
        Why `verify` was not asked; empty where it was.
    """

    product: str
    folder: Path
    written_by: str = "nobody"
    schema: SchemaDifferences = SchemaDifferences()
    rows: int = 0
    units: int = 0
    obsids: int = 0
    without_unit: int = 0
    released: int = 0
    provisional: int = 0
    last_id: str = ""
    beside: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    skipped: str = ""

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, for people."""
        found = list(self.schema.problems)
        if self.without_unit:
            found.append(f"{self.without_unit} rows of the index belong to no revision or day that can be")
        if self.last_id and not self.last_id.isdigit():
            found.append(f"{LAST_ID_FILE} is {self.last_id!r}; expected one whole number")
        if self.skipped:
            found.append(f"its files were not compared with its index: {self.skipped}")
        return [*found, *(f"{each.place}: {each.problem}" for each in self.findings)]


@attrs.frozen(kw_only=True)
class ExaminedArchive:
    """What was seen of an archive.

    Attributes
    ----------
    path : Path
        What was looked at.
    root : Path
        The archive's root.
    products : tuple of ExaminedProduct
        Those of its folders that are products of ours, by name.
    unknown : tuple of str
        Other things in the root, which are left alone.
    """

    path: Path
    root: Path
    products: tuple[ExaminedProduct, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(each.problems for each in self.products)


def examine_archive(
    path: str | Path, registry: Registry, *, full: bool = False, told: Told | None = None
) -> ExaminedArchive:
    """Look at an existing archive; nothing is written or made.

    Parameters
    ----------
    path : path-like
        Its root, which holds the products' folders, or the folder of one product.
    registry : Registry
        The plugins, whose products are looked for.
    full : bool, default False
        Whether to read every file.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    ExaminedArchive

    Raises
    ------
    MissingDataError
        There is no such folder, or no product of ours is in it.
    """
    path = Path(path).absolute()
    if not path.is_dir():
        raise MissingDataError(f"{path} is no folder; give the root of an archive, or the folder of one product")
    products = {product.name: registry.product(product.name) for product in registry.offers(ArchiveProduct)}
    names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    inside = [name for name in names if name in products and (path / name).is_dir()]
    if not inside and (path.name in products or (path / INDEX_FILE).is_file()):
        product = products.get(path.name) or _product_by_schema(path, list(products.values()))
        return ExaminedArchive(
            path=path, root=path.parent, products=(examine_product(path, product, full=full, told=told),)
        )
    if not inside:
        known = ", ".join(sorted(products))
        raise MissingDataError(f"{path} has no folder of a product ({known}) and no {INDEX_FILE}, so it is no archive")
    return ExaminedArchive(
        path=path,
        root=path,
        products=tuple(examine_product(path / name, products[name], full=full, told=told) for name in inside),
        unknown=tuple(name for name in names if name not in inside),
    )


def _product_by_schema(folder: Path, products: Sequence[ArchiveProduct]) -> ArchiveProduct:
    """Return the product that an index is most likely of, where its folder's name does not tell."""

    def likeness(product: ArchiveProduct) -> float:
        there = set(_read_only(product, folder).index.columns())
        declared = {column.name for column in product.schema}
        return len(there & declared) / max(1, len(there | declared))

    best = max(products, key=likeness)
    if likeness(best) < 0.7:
        hint = f"{folder} is called otherwise, and its index is like none of theirs."
        raise UnknownNameError("archive product", folder.name, [product.name for product in products], hint)
    return best


def examine_product(
    folder: Path, product: ArchiveProduct, *, full: bool = False, told: Told | None = None
) -> ExaminedProduct:
    """Look at the folder of one product; nothing is written or made.

    Parameters
    ----------
    folder : Path
        The product's folder.
    product : ArchiveProduct
        What it is expected to be.
    full : bool, default False
        Whether to read every file.
    told : callable, optional
        Called as the work goes on.

    Returns
    -------
    ExaminedProduct
    """
    here = ExaminedProduct(
        product=product.name, folder=folder, last_id=_last_id(folder), beside=tuple(_beside(folder, product))
    )
    store = _read_only(product, folder)
    try:
        if not store.index.columns():
            return attrs.evolve(here, findings=tuple(verify(store)))
        here = _with_index(here, store)
    except IntegrityError:
        return attrs.evolve(here, written_by="other tools", findings=tuple(verify(store)))
    needed = {*product.layout.files_by, *product.key, "filename"} & set(here.schema.missing)
    if needed:
        return attrs.evolve(here, skipped=f"the index has no column {', '.join(sorted(needed))}")
    if here.without_unit:
        return attrs.evolve(here, skipped="it has rows that belong nowhere")
    return attrs.evolve(here, findings=tuple(verify(store, full=full, told=told)))


def _with_index(here: ExaminedProduct, store: Store) -> ExaminedProduct:
    """Add what the index says, as far as its columns allow."""
    product, there = store.product, set(store.index.columns())
    here = attrs.evolve(
        here,
        written_by="aca_core" if store.index.has_our_tables() else "other tools",
        schema=_differences(store),
        rows=_count(store, f"SELECT count(*) FROM {TABLE}"),  # noqa: S608  # a constant of ours
    )
    if isinstance(product.layout, ByObsid):
        provisional = list(provisional_links(store))
        here = attrs.evolve(here, released=_released(store), provisional=len(provisional))
        if "obsid" in there:
            here = attrs.evolve(here, obsids=_count(store, f"SELECT count(DISTINCT obsid) FROM {TABLE}"))  # noqa: S608
    by = product.layout.files_by
    if not set(by) <= there:
        return here
    units = store.index.select(f"SELECT {', '.join(by)}, count(*) AS files FROM {TABLE} GROUP BY {', '.join(by)}")  # noqa: S608
    lost = sum(row["files"] for row in units if not _has_unit(store, dict(row)))
    return attrs.evolve(here, units=len(units), without_unit=lost)


def _has_unit(store: Store, row: Mapping[str, Any]) -> bool:
    try:
        store.product.layout.unit_of(row)
    except (TypeError, ValueError):  # NULL, or a number that is none of ours
        return False
    return True


def _count(store: Store, sql: str) -> int:
    return int(store.index.select(sql)[0][0])


def _released(store: Store) -> int:
    """Count the links to released versions."""
    paths = store.folder.glob("[0-9][0-9]/[0-9][0-9][0-9][0-9][0-9]")
    return sum(path.is_symlink() and links_of(store, int(path.name)).released is not None for path in paths)


# ---- the schema -----------------------------------------------------------------------------------------------------


def _differences(store: Store) -> SchemaDifferences:
    """Compare the table with its declaration."""
    product = store.product
    rows = store.index.select("SELECT name, type, pk FROM pragma_table_info(?)", (TABLE,))
    has = {str(row["name"]).lower(): str(row["type"]) for row in rows}
    declared = {column.name: column.type for column in product.schema}
    key = tuple(row["name"] for row in sorted(rows, key=lambda row: int(row["pk"])) if row["pk"])
    indexed = {*_indexed(store), key[:1]}
    wanted = [index for index in product.indexes if set(index) <= set(has)]
    return SchemaDifferences(
        missing=tuple(name for name in declared if name not in has),
        extra=tuple(name for name in has if name not in declared),
        types={
            name: (has[name] or "of no type", kind)
            for name, kind in declared.items()
            if name in has and _affinity(has[name]) != _affinity(kind)
        },
        key=None if key == product.key else key,
        indexes=tuple(", ".join(index) for index in wanted if index not in indexed),
    )


def _indexed(store: Store) -> Iterator[tuple[str, ...]]:
    """Yield the columns of each index, and those that it begins with."""
    for row in store.index.select("SELECT name FROM pragma_index_list(?)", (TABLE,)):
        columns = store.index.select("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (row["name"],))
        names = tuple(str(each["name"]) for each in columns)
        yield from (names[:count] for count in range(1, len(names) + 1))


def _affinity(declared: str) -> str:
    """Return what SQLite makes of a declared type, by its rules in their order."""
    word = declared.upper()
    if "INT" in word:
        return "integer"
    if any(part in word for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    return "real" if any(part in word for part in ("REAL", "FLOA", "DOUB")) else word.lower()


# ---- what lies around -----------------------------------------------------------------------------------------------


def _last_id(folder: Path) -> str:
    path = folder / LAST_ID_FILE
    return path.read_text(encoding="ascii", errors="replace").strip()[:40] if path.is_file() else ""


def _beside(folder: Path, product: ArchiveProduct) -> Iterator[str]:
    """Yield the names in a product's folder that are neither its index nor where its units lie."""
    first = "[0-9][0-9]" if isinstance(product.layout, ByObsid) else "[0-9][0-9][0-9][0-9]"
    known = (INDEX_FILE, LAST_ID_FILE, STAGING)
    for path in sorted(folder.iterdir()):
        if path.name not in known and not path.name.startswith(".") and not path.match(first):
            yield path.name


# ---- reading without a trace ----------------------------------------------------------------------------------------


class _UntouchedIndex(Index):
    """An index that is never written to, not even to take back the transaction of somebody who was killed."""

    def _opened(self) -> sqlite3.Connection:
        if _keeps_log(self.path) or self.path.with_name(f"{self.path.name}-journal").exists():
            return self._in_memory()
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        """Read it from a copy, in which SQLite may do what it has to do first."""
        with tempfile.TemporaryDirectory(prefix="aca_index_") as folder:
            copy = Path(folder, self.path.name)
            self._copy_to(copy)
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            source = sqlite3.connect(copy)
            try:
                source.backup(connection)
            finally:
                source.close()
        return connection

    def _copy_to(self, copy: Path) -> None:
        """Copy the index and what lies beside it, all of one moment: what changed meanwhile is copied again."""
        for _ in range(_ATTEMPTS):
            before = self._states()
            with contextlib.suppress(FileNotFoundError):
                for suffix in _SUFFIXES:
                    part = self.path.with_name(f"{self.path.name}{suffix}")
                    there = copy.with_name(part.name)
                    there.unlink(missing_ok=True)
                    if part.exists():
                        shutil.copyfile(part, there)
                if self._states() == before:
                    return
            time.sleep(_PAUSE)
        raise IntegrityError(self.path, "is being written to all the time; look at it when nobody writes")

    def _states(self) -> list[tuple[int, ...]]:
        """Return what is other when one of its files has changed."""
        parts = (self.path.with_name(f"{self.path.name}{suffix}") for suffix in _SUFFIXES)
        return [Index(part, self.product).identity() for part in parts]


def _keeps_log(path: Path) -> bool:
    """Say whether an SQLite file is in the mode with a write-ahead log, in which even readers make files beside it."""
    with path.open("rb") as stream:
        return stream.read(20)[18:20] == b"\x02\x02"


def _read_only(product: ArchiveProduct, folder: Path) -> Store:
    """Return a store of which nothing is ever written."""
    store = Store(product, folder, folder.parent)
    store.index = _UntouchedIndex(folder / INDEX_FILE, product)
    return store
