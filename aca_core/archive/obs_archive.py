"""One product by obsid: where its revisions are, which files it has, and how it is brought up to date.

The methods are those that archives of aspect products have had since 2010; each answers from every root, the first that
has a thing before the others, and writes to the first.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from aca_core.archive.product_archive import ProductArchive
from aca_core.archive.queries import (
    FileQuery,
    Revision,
    RevisionWanted,
    archived_revisions,
    hidden_units,
    provisional,
)
from aca_core.archive.store import Store
from aca_core.columns import Row
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.layouts import ByObsid, ObsidRevision
from aca_core.obsids import MAX_OBSID

if TYPE_CHECKING:
    from aca_core.catalogues import Catalogue
    from aca_core.dates import DateLike
    from aca_core.retrievers import Retriever

__all__ = ["ObsArchive", "ObsDirs"]

_REVISIONS: Final[Mapping[str, Revision]] = {"default": None, "last": "last", "all": "all"}

ObsDirs = dict[Any, Any]
"""Paths by version, by ``default`` and by ``last``; under ``revisions`` the versions."""


class ObsArchive(ProductArchive):
    """The archive of one product by obsid.

    `aca_core.archive.open_archive` makes one for each product; `from_config` one from the dictionary of older tools.

    Examples
    --------
    >>> from aca_core.archive import open_archive
    >>> import tempfile
    >>> archive = open_archive(tempfile.mkdtemp())
    >>> archive["obspar"].get_dir(7000) is None
    True
    """

    _layout: ByObsid

    # ---- where things are -------------------------------------------------------------------------------------------

    def get_obs_dirs(self, obsid: int) -> ObsDirs | None:
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
        obsid = checked_obsid(obsid)
        for store in self.stores:
            with store.index.reading():
                there = archived_revisions(store, obsid)
                hidden = hidden_units(store) if there else set()
            if there:
                return self._dirs_below(store, [ObsidRevision(obsid, each) for each in there], hidden)
        return None

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
        found = self.get_obs_dirs(obsid)
        return None if found is None else found.get("default")

    def _dirs_below(self, store: Store, archived: Sequence[ObsidRevision], hidden: set[str]) -> ObsDirs | None:
        from aca_core.archive.links import links_of

        units = [unit for unit in archived if not hidden or store.name_of(unit) not in hidden]
        if not units:
            return None
        obsid = units[0].obsid
        found: ObsDirs = {unit.revision: store.folder_of(unit) for unit in units}
        links, layout = links_of(store, obsid), self._layout
        if links.released in found:
            found["default"] = found["last"] = f"{store.folder}/{layout.default_link(obsid)}"
        if links.newest in found:
            found["last"] = f"{store.folder}/{layout.last_link(obsid)}"
        found["revisions"] = [unit.revision for unit in units]
        return found

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
        return [row["path"] for row in self.get_rows(obsid, start, stop, revision, content, columns=())]

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
        if obsid is None and start is None and stop is None:
            raise TypeError(f"get_files of {self.name} needs an obsid, or a start and a stop")
        if obsid is not None and (start is not None or stop is not None):
            given = f"obsid {obsid!r}, start {start!r}, stop {stop!r}"
            what = "takes an obsid or a range of time, not both; give the content by name: content='…'"
            raise TypeError(f"get_files of {self.name} {what} (there were {given})")
        query = self._range(start, stop) if obsid is None else FileQuery(obsid=checked_obsid(obsid))
        query = attrs.evolve(
            query, revision=checked_revision(revision), content=self._content(content), where=self._where(where)
        )
        return self._rows(query, columns)

    # ---- how files are described ------------------------------------------------------------------------------------

    def get_arch_info(self, i: int, f: str | Path, archfiles: Sequence[str | Path], db: object = None) -> Row:
        """Describe a file for the index, whatever kind the product's files are.

        Parameters
        ----------
        i : int
            Its place in `archfiles`, for the log.
        f : path-like
            The file.
        archfiles : sequence of path-like
            All files of the delivery, for the log.
        db : object, optional
            Not used; older tools give it.

        Returns
        -------
        dict
            A value for each column that the file can tell.
        """
        self.logger.info("reading (%d of %d) %s", i + 1, len(archfiles), f)
        return self.product.describe(Path(f))

    def get_fits_info(self, i: int, f: str | Path, archfiles: Sequence[str | Path]) -> Row:
        """Describe a FITS file; see `get_arch_info`."""
        return self.get_arch_info(i, f, archfiles)

    def get_obspar_info(self, i: int, f: str | Path, archfiles: Sequence[str | Path]) -> Row:
        """Describe a parameter file by the columns of the index; see `get_arch_info`."""
        return self.get_arch_info(i, f, archfiles)

    def get_all_obspar_info(self, i: int, f: str | Path, archfiles: Sequence[str | Path]) -> dict[str, Any]:
        """Read all parameters of a parameter file, and add ``obsid`` and ``filename``; see `get_arch_info`."""
        from aca_core.parameter_file import read_parameter_file

        self.logger.info("reading (%d of %d) %s", i + 1, len(archfiles), f)
        found: dict[str, Any] = read_parameter_file(f)
        if found.get("obs_id") is None:
            raise MissingDataError(f"{f} has no parameter obs_id, so its obsid is not known")
        return {**found, "obsid": int(found["obs_id"]), "filename": Path(f).name}

    @staticmethod
    def get_file_ver(tempdir: str | Path, fileglob: str, ver_regex: str) -> int | None:
        r"""Return the version on which the files in a folder agree.

        Parameters
        ----------
        tempdir : path-like
            The folder.
        fileglob : str
            Which files carry it.
        ver_regex : str
            A regular expression with one group, the digits of the version.

        Returns
        -------
        int or None
            None where there is no such file.

        Raises
        ------
        IntegrityError
            Also a ValueError: there are several versions, or a name has none.

        Examples
        --------
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "pcadf059904356N004_fidpr1.fits.gz").write_bytes(b"")
        >>> ObsArchive.get_file_ver(folder, "*fidpr*", r"pcadf\d+N(\d{3})_")
        4
        """
        from aca_core.products import Version

        return Version(glob=fileglob, pattern=ver_regex).of(sorted(path.name for path in Path(tempdir).iterdir()))

    # ---- what there is to fetch -------------------------------------------------------------------------------------

    def get_ver_num(self, obsid: int, version: Literal["default", "last"] | int = "default") -> int | None:
        """Ask the retriever which version a fetch would bring.

        Parameters
        ----------
        obsid : int
            Which observation.
        version : {'default', 'last'} or int
            The released one, the newest, or a number.

        Returns
        -------
        int or None
            None where there is no such version.

        Raises
        ------
        RetrievalError
            The question could not be answered.
        """
        import tempfile

        from aca_core.archive.revisions import probe

        obsid = checked_obsid(obsid)
        with tempfile.TemporaryDirectory(prefix="aca_probe_") as scratch:
            feed = self.feed
            return probe(self.product, feed.retriever, obsid, version, Path(scratch), self._obi(obsid))

    def _obi(self, obsid: int) -> int | None:
        from aca_core.archive.asking import CheckedCatalogue

        catalogue = self.feed.catalogue
        return None if catalogue is None else CheckedCatalogue(catalogue).smallest_obi(obsid)

    def get_arch(self, obsid: int, version: Literal["default", "last"] | int = "last") -> str:
        """Fetch a version of an observation and archive it, with its links.

        Parameters
        ----------
        obsid : int
            Which observation.
        version : {'default', 'last'} or int
            The released one, the newest, or a number.

        Returns
        -------
        str
            The folder of that version.

        Raises
        ------
        ProductVersionError
            There is no such version.
        IntegrityError
            Also a ValueError: the delivery is empty, damaged or not what it should be; nothing was archived.
        """
        from aca_core.archive.reports import UpdateOptions

        number = self.get_ver_num(obsid, version)
        if number is None:
            from aca_core.errors import ProductVersionError

            raise ProductVersionError(self.name, obsid, version)
        self.run_update(UpdateOptions(obsid=checked_obsid(obsid), version=number))
        return str(self.stores[0].directory(ObsidRevision(obsid, number)))

    def get_todo_from_links(self, archive_dir: str | Path | None = None) -> list[dict[str, int]]:
        """Return the provisional observations for which there may be something newer.

        Parameters
        ----------
        archive_dir : path-like, optional
            The product's folder; that of this archive by default.

        Returns
        -------
        list of dict
            ``obsid`` and ``revision``, the provisional one: it was released, or is no longer the newest.
        """
        first = self.stores[0]
        store = first if archive_dir is None else Store(self.product, Path(archive_dir).absolute(), first.root)
        found = []
        for obsid, revision in provisional(store):
            if obsid in self.feed.bad_obsids:
                continue
            if revision == self.get_ver_num(obsid, "default") or revision != self.get_ver_num(obsid, "last"):
                found.append({"obsid": obsid, "revision": revision})
        return found

    def update(self, **options: Any) -> list[int]:
        """Bring the archive up to date, as far as its configuration says.

        Parameters
        ----------
        **options
            Fields of `aca_core.archive.UpdateOptions`; by default everything that is new.

        Returns
        -------
        list of int
            The obsids in which anything changed. What failed is in the log and in `items`; `run_update` returns all.

        Raises
        ------
        ProductVersionError
            One observation was asked for, and there is no such version.
        """
        from aca_core.archive.reports import UpdateOptions

        chosen = UpdateOptions(**{**self._seed_options(), **options})
        report = self.run_update(chosen)
        return [chosen.obsid] if chosen.obsid is not None else report.obsids

    def update_link(self, obsid: int) -> None:
        """Let the links of an observation follow what the retriever says is released and newest.

        Parameters
        ----------
        obsid : int
            Which observation.
        """
        from aca_core.archive.reports import UpdateOptions

        self.run_update(UpdateOptions(obsid=checked_obsid(obsid), links_only=True))

    def set_env(self) -> None:
        """Make ready to write: the folder and the index are there, retriever and catalogue are known.

        Raises
        ------
        ConfigError
            No product set says where deliveries come from.
        """
        _ = self.feed
        self.stores[0].make()

    def set_read_env(self) -> None:
        """Make ready to read; nothing is made.

        Raises
        ------
        IntegrityError
            The index is there and cannot be read.
        """
        for store in self.stores:
            store.index.columns()

    # ---- the dictionary of older tools ------------------------------------------------------------------------------

    @property
    def logger(self) -> logging.Logger:
        """The log of everything that this package does."""
        return logging.getLogger("aca_core")

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as the dictionary of older tools; a copy."""
        from aca_core.archive.seed_config import as_seed_config

        return {**as_seed_config(self.stores[0]), **self._given}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, retriever: Retriever | None = None, catalogue: Catalogue | None = None
    ) -> ObsArchive:
        """Open an archive from the dictionary of older tools.

        Parameters
        ----------
        config : mapping
            ``data_root`` is required; ``temp_root``, ``bad_obsids``, ``cols``, ``sql_def``, ``apstat_table``,
            ``apstat_id``, ``label``, ``small``, ``small_glob``, ``small_ver_regex``, ``full``, ``delete``,
            ``filecheck``, ``content_types``, ``rebuild``, ``firstrun``, ``obsid`` and ``version`` may be there.
        retriever, catalogue : Retriever, Catalogue, optional
            Where deliveries come from; needed to update.

        Returns
        -------
        ObsArchive
            It belongs to no `Archive`: its commits are in its outbox, and nobody is told of them.

        Raises
        ------
        ConfigError
            A key is unknown, or a value is wrong.
        MissingDataError
            The folder in which ``data_root`` is to be is not there, as where a mount is absent.
        """
        from aca_core.archive.feeds import Feed
        from aca_core.archive.seed_config import store_from
        from aca_core.obsids import obsids_in

        store = store_from(config)
        feed = None
        if retriever is not None:
            bad_obsids = obsids_in(store.product.bad_obsids)
            feed = Feed(retriever=retriever, catalogue=catalogue, bad_obsids=bad_obsids)
        return cls([store], feed=feed, given=config)

    def _seed_options(self) -> dict[str, Any]:
        """Return what the dictionary of older tools says of an update."""
        given = self._given
        names = {"obsid": "obsid", "version": "version", "rebuild": "rebuild", "firstrun": "first_run"}
        return {new: given[old] for old, new in names.items() if given.get(old) is not None}


def checked_obsid(obsid: object) -> int:
    """Return an obsid as an int; refuse what is none."""
    number = int(obsid) if isinstance(obsid, str) and obsid.isascii() and obsid.isdigit() else _whole(obsid)
    if not 0 <= number <= MAX_OBSID:
        raise DeclarationError("the archive", "obsid", obsid, f"a whole number from 0 to {MAX_OBSID}")
    return number


def checked_revision(revision: object) -> Revision:
    """Return which versions are wanted; refuse what says none."""
    if revision is None:
        return None
    if isinstance(revision, str) and revision in _REVISIONS:
        return _REVISIONS[revision]
    number = _whole(revision)
    if number < 0:
        expected = "None or 'default' (the released one), 'last', 'all' or a whole number, not in quotes"
        raise DeclarationError("the archive", "revision", revision, expected)
    return number


def _whole(value: object) -> int:
    """Return a whole number, also one that a table has as a float; -1 for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # it may have none
    except TypeError:
        return -1
