"""What an archive product is: which files it has, how they are named, versioned, described and laid out."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, ClassVar, Final

import attrs

from aca_core._checks import as_tuple, check, each, is_a, is_words, text, whole
from aca_core._frozen import FrozenMapping, freeze
from aca_core.catalogues import Work
from aca_core.columns import Column, check_one_group
from aca_core.errors import DeclarationError, IntegrityError
from aca_core.layouts import ByDay, ByObsid, Layout
from aca_core.obsids import as_obsid_list, check_obsid_list
from aca_core.offers import Offer, is_valid_name, site_option
from aca_core.readers import ColumnReader

__all__ = ["ArchiveProduct", "ColumnStore", "FetchWindow", "Supersession", "Version"]

_USUAL_INDEXES: Final = ("filetime", "obsid", "tstart", "tstop")


_strings = each(str, "a list of strings")


def _upper(name: Any) -> Any:
    return name.upper() if isinstance(name, str) else name  # anything else is refused behind it


@attrs.frozen(kw_only=True)
class Version:
    r"""How the version of a delivery is read from the names of its files.

    Attributes
    ----------
    glob : str
        Which files carry it, matched against base names, case-sensitive.
    pattern : str
        A regular expression with one group, the digits of the version.

    Examples
    --------
    >>> version = Version(glob="*fidpr*", pattern=r"pcadf\d+N(\d{3})_")
    >>> version.of(["pcadf059904356N004_fidpr1.fits.gz", "pcadf059904356N004_asol1.fits.gz"])
    4
    """

    glob: str = attrs.field(validator=text)
    pattern: str = attrs.field()

    @pattern.validator
    def _check_pattern(self, attribute: attrs.Attribute[str], value: str) -> None:
        check_one_group("Version", value)

    def of(self, names: Iterable[str]) -> int | None:
        """Return the version that a delivery's names agree on.

        Parameters
        ----------
        names : iterable of str
            Base names of the delivered files.

        Returns
        -------
        int or None
            The version, or None when no file carries one: there is no such delivery.

        Raises
        ------
        IntegrityError
            A file that should carry the version does not, or several versions are mixed.
        """
        carriers = [name for name in names if fnmatch.fnmatchcase(name, self.glob)]
        versions = {self._in(name) for name in carriers}
        if not versions:
            return None
        if None in versions:
            raise IntegrityError(", ".join(carriers), f"no version in the name; expected a match of {self.pattern!r}")
        if len(versions) > 1:
            listed = ", ".join(str(version) for version in sorted(v for v in versions if v is not None))
            raise IntegrityError(", ".join(carriers), f"several versions in one delivery: {listed}; expected one")
        return versions.pop()

    def _in(self, name: str) -> int | None:
        match = re.search(self.pattern, name)
        return int(match[1]) if match and match[1] and match[1].isascii() and match[1].isdigit() else None


def _as_reader(value: object) -> ColumnReader:
    if not isinstance(value, ColumnReader):
        expected = "a ColumnReader such as FitsColumns('tstart', 'tstop')"
        raise DeclarationError("ArchiveProduct", "columns", value, expected)
    return value


def _as_layout(value: object) -> Layout:
    if not isinstance(value, Layout):
        raise DeclarationError("ArchiveProduct", "layout", value, "a Layout such as ByObsid() or ByDay()")
    return value


def _is_indexes(value: Any) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(index, tuple) and index and all(isinstance(name, str) for name in index) for index in value
    )


@attrs.frozen(kw_only=True)
class Supersession:
    """When a newly delivered file takes the place of files that are there, for products whose files overlap in time.

    Attributes
    ----------
    group : tuple of str
        Columns within which files are compared, such as the slot: two files of different groups never meet.
    same : tuple of str
        Columns in which a file and its newer version agree. Where a file agrees in none of the others, those of its
        group that overlap it in time are compared.
    by : str
        The column of which the greater value wins.

    Examples
    --------
    >>> Supersession(group=["slot"], same=["filetime", "startmjf", "stopmjf"]).by
    'revision'
    """

    group: tuple[str, ...] = attrs.field(converter=as_tuple, validator=_strings)
    same: tuple[str, ...] = attrs.field(converter=as_tuple, validator=_strings)
    by: str = attrs.field(default="revision", validator=text)


@attrs.frozen(kw_only=True)
class FetchWindow:
    """How a product that is delivered by time is asked for.

    Attributes
    ----------
    days : int
        How many days to ask for at a time.
    margin : float
        How much more to ask for on each side, s, since a delivery is cut at other times than ours.

    Examples
    --------
    >>> FetchWindow(days=30, margin=10000.0).days
    30
    """

    days: int = attrs.field(default=30, validator=whole(1, 3660))
    margin: float = attrs.field(
        default=10_000.0, validator=check(lambda value: isinstance(value, int | float) and 0 <= value < 1e7, "seconds")
    )


@attrs.frozen(kw_only=True)
class ColumnStore:
    """That the tables in a product's files are kept as columns too, so that questions need not decompress the files.

    For products by day whose files have one binary table each, in HDU 1. The store is made of the files and can be made
    again; where it is behind or absent, the files answer.

    Attributes
    ----------
    group : tuple of str
        Columns of the index by whose values tables are kept apart, such as the slot and the size of the images; none
        where all tables belong together.
    time : str
        The column of the tables that has the time of each row, CXC seconds; kept in upper case.
    margin : float
        How much the times of a file's rows may lie outside of its tstart and tstop, s.

    Examples
    --------
    >>> ColumnStore(group=["slot", "imgsize"], margin=5.0).time
    'TIME'
    """

    group: tuple[str, ...] = attrs.field(converter=as_tuple, validator=_strings)
    time: str = attrs.field(default="TIME", converter=_upper, validator=text)
    margin: float = attrs.field(
        default=0.0, validator=check(lambda value: isinstance(value, int | float) and 0 <= value < 1e7, "seconds")
    )


@attrs.frozen(kw_only=True)
class ArchiveProduct(Offer):
    r"""A kind of file set that the archive keeps, queries and verifies.

    Attributes
    ----------
    name, label : str
        See `Offer`. The name is also that of the product's folder below the archive root.
    columns : ColumnReader
        What the index keeps of each file: `FitsColumns`, `ParameterColumns` or a subclass of your own.
    version : Version or None
        How a delivery's version is read from its file names. Products by obsid need it.
    layout : Layout
        `ByObsid` (the default) or `ByDay`.
    content_types : tuple of str
        The values of the ``content`` column that queries return when none is asked for.
    key : tuple of str
        The columns that make a row of the index unique.
    indexes : tuple of tuple of str
        Further indexes, each a tuple of columns. By default one on each of filetime, obsid, tstart and tstop that the
        schema has.
    file_names : str
        Glob of the base names that belong to a delivery and are indexed.
    companions : tuple of str
        Globs of files that are kept beside the products and never indexed.
    discard : tuple of str
        Globs of delivered files that are dropped. A site may set it.
    bad_obsids : tuple of int or Path
        Obsids that the check for released versions leaves alone, or a file that lists them. A site may set it.
    recheck : bool
        Whether an archived revision is fetched and compared again when it is asked for.
    work : Work or None
        Where a catalogue lists this product's processing.
    supersedes : Supersession or None
        For products by day: when a delivered file takes the place of others.
    window : FetchWindow
        For products by day: how they are asked for by time.
    column_store : ColumnStore or None
        For products by day: whether their tables are kept as columns too, and how.
    dialects : mapping of str to mapping of str to str
        How one retriever asks for this product: the retriever's name, then its own words.
    provides : tuple of str
        Roles that other parts ask for, such as ``obsid-times``.

    Examples
    --------
    >>> from aca_core import ArchiveProduct, FitsColumns, Version
    >>> sim = ArchiveProduct(
    ...     name="sim1", label="SIM level 1", content_types=["SIMCOOR"],
    ...     version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    ...     columns=FitsColumns("tstart", "tstop", "content", "revision", "date"),
    ... )
    >>> [column.name for column in sim.schema][-3:]
    ['date', 'obsid', 'isdefault']
    """

    section: ClassVar[str] = "products"

    columns: ColumnReader = attrs.field(converter=_as_reader)
    version: Version | None = attrs.field(default=None, validator=is_a((Version, NoneType), "a Version"))
    layout: Layout = attrs.field(factory=ByObsid, converter=_as_layout)
    content_types: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=_strings)
    key: tuple[str, ...] = attrs.field(default=("filename",), converter=as_tuple, validator=_strings)
    indexes: tuple[tuple[str, ...], ...] = attrs.field(
        converter=freeze, validator=check(_is_indexes, "a list of lists of columns, such as [['tstart'], ['tstop']]")
    )
    file_names: str = attrs.field(default="*", validator=text)
    companions: tuple[str, ...] = attrs.field(default=("*log.gz",), converter=as_tuple, validator=_strings)
    discard: tuple[str, ...] = site_option(
        (), help="globs of delivered files that are not kept", converter=as_tuple, validator=_strings
    )
    bad_obsids: tuple[int, ...] | Path = site_option(
        (),
        help="obsids that the check for released versions leaves alone, or a file of them",
        converter=as_obsid_list,
        validator=check_obsid_list,
    )
    recheck: bool = attrs.field(default=False, validator=is_a(bool, "True or False"))
    work: Work | None = attrs.field(default=None, validator=is_a((Work, NoneType), "a Work"))
    supersedes: Supersession | None = attrs.field(
        default=None, validator=is_a((Supersession, NoneType), "a Supersession")
    )
    window: FetchWindow = attrs.field(factory=FetchWindow, validator=is_a(FetchWindow, "a FetchWindow"))
    column_store: ColumnStore | None = attrs.field(
        default=None, validator=is_a((ColumnStore, NoneType), "a ColumnStore")
    )
    dialects: Mapping[str, Mapping[str, str]] = attrs.field(
        factory=FrozenMapping,
        converter=freeze,
        validator=check(is_words, "for each retriever a mapping of strings, such as {'arc5gl': {'fetch': 'asp1'}}"),
    )
    provides: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=_strings)

    @property
    def noun(self) -> str:
        """``archive product``."""
        return "archive product"

    @property
    def schema(self) -> tuple[Column, ...]:
        """The columns of the index, in their order: the reader's, then those that the archive fills."""
        listed = {column.name for column in self.columns.columns}
        return self.columns.columns + tuple(c for c in self.layout.columns if c.name not in listed)

    @indexes.default
    def _usual_indexes(self) -> tuple[tuple[str, ...], ...]:
        names = {column.name for column in self.schema}
        return tuple((name,) for name in _USUAL_INDEXES if name in names)

    def __attrs_post_init__(self) -> None:
        """Check what only the whole declaration can show."""
        names = [column.name for column in self.schema]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise self.refusal("columns", repeated, "each column once")
        wanted = {*self.key, *(name for index in self.indexes for name in index)}
        if self.supersedes is not None:
            wanted |= {*self.supersedes.group, *self.supersedes.same, self.supersedes.by}
        if self.column_store is not None:
            wanted |= {*self.column_store.group, "tstart", "tstop"}
        if unknown := sorted(wanted - set(names)):
            declared = "key, indexes, supersedes and column_store"
            raise self.refusal(declared, unknown, f"columns of the schema: {', '.join(names)}")
        if self.column_store is not None and not isinstance(self.layout, ByDay):
            raise self.refusal("column_store", self.column_store, "none, since only products that are ByDay have one")
        if missing := sorted(set(self.layout.files_by) - set(names)):
            raise self.refusal("columns", names, f"also {', '.join(missing)}, by which {self.layout} files them")
        if isinstance(self.layout, ByObsid) and self.version is None:
            raise self.refusal("version", None, "a Version, since products by obsid are kept by revision")
        if "/" in self.file_names:
            raise self.refusal("file_names", self.file_names, "a glob of base names, without a folder")
        for role in self.provides:
            if not is_valid_name(role):
                raise self.refusal("provides", role, "role names such as 'obsid-times'")

    def takes(self, name: str) -> bool:
        """Say whether a delivered file is indexed.

        Parameters
        ----------
        name : str
            Its base name.

        Returns
        -------
        bool
            False for companions, discarded files and names of other products.
        """
        return fnmatch.fnmatchcase(name, self.file_names) and not self.keeps_beside(name) and not self.drops(name)

    def keeps_beside(self, name: str) -> bool:
        """Say whether a delivered file is kept beside the products without an index row."""
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.companions) and not self.drops(name)

    def drops(self, name: str) -> bool:
        """Say whether a delivered file is dropped."""
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.discard)

    def describe(self, path: Path) -> dict[str, int | float | str | None]:
        """Return the index row of one file, without the columns that the archive fills.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        dict
            See `ColumnReader.read`.
        """
        return self.columns.read(path)
