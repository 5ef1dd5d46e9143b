"""The retriever ``directory``: brings files from a delivery tree on a disk or a mount that is laid out as an archive.

Whatever has the layout of an archive can be read: a folder that somebody fills, a mirror, an archive of older tools.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

import attrs

from aca_core import (
    ArchiveProduct,
    ByDay,
    ByObsid,
    DateError,
    Day,
    DeclarationError,
    FileRequest,
    IntegrityError,
    ObsidRequest,
    ObsidRevision,
    RetrievalError,
    Retriever,
    TimeRequest,
    hookimpl,
    site_option,
)

_POINTER_BYTES: Final = 64
"""More than the name of any version folder, with the end of its line."""

_CHUNK: Final = 256 * 1024
"""How much is copied at a time; 1 MB takes 1.3 times as long, since memory then comes new from the system each time."""

_PART: Final = ".incoming"
"""What a file is called in the target folder until it is whole; no delivered file has a hidden name."""

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What only writing meets: the archive's disk is at fault, and not the tree."""

_OPEN_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # the last lest a pipe that took a file's place blocks


@attrs.frozen(kw_only=True)
class DirectoryRetriever(Retriever):
    """Files from a tree ``<folder>/<product>/…`` whose products are laid out as in an archive.

    Products by obsid are asked for by obsid: ``NN/NNNNN_vMM`` is a version, ``NN/NNNNN`` a relative link to the
    released one and ``NN/NNNNN_last`` a link to the newest provisional one, if that is another. On a mount without
    symbolic links, a text file of the link's name that holds the target's name does the same. Products by day are asked
    for by time or by file name; they lie in ``YYYY/DOY``.

    Nothing below the product's folder is followed but these two links, and they lead to a version of the same obsid or
    are refused. Hidden files, which rsync and NFS leave while they work, and folders are no delivered files. An
    observation interval that a request names makes no difference: only some names carry one, and a folder that was
    filled for one interval would lose the others.

    Attributes
    ----------
    folder : Path
        The tree; a site may set it. The product's folder in it must be there, since a mount that is not there must not
        look like an archive from which every release was withdrawn.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import ObsidRequest, Registry
    >>> version = Path(tempfile.mkdtemp()) / "obspar/07/07000_v02"
    >>> version.mkdir(parents=True)
    >>> _ = (version / "axaff07000_000N002_obs0a.par").write_text("# synthetic")
    >>> tree = DirectoryRetriever(name="tree", folder=version.parents[2])
    >>> tree.probe(ObsidRequest(product=Registry().product("obspar"), obsid=7000, version=2), Path("unused"))
    ('axaff07000_000N002_obs0a.par',)
    """

    folder: Path = site_option(Path("delivered"), help="folder of the delivery tree, laid out as an archive is")

    def probe(self, request: ObsidRequest, scratch: Path) -> tuple[str, ...]:
        """Return the names of the files of a version, without reading any of them.

        Parameters
        ----------
        request : ObsidRequest
            What is wanted, of a product by obsid.
        scratch : Path
            Not used: the names are there without the files.

        Returns
        -------
        tuple of str
            Base names in their order; empty where the tree has no such version.

        Raises
        ------
        RetrievalError
            The tree or the product's folder is not there or cannot be read, or a link or a file in it is refused.
        """
        with self._answering(request):
            return tuple(source.name for source in self._sources(request))

    def fetch(self, request: ObsidRequest | TimeRequest | FileRequest, folder: Path) -> tuple[str, ...]:
        """Copy the files of a request.

        Parameters
        ----------
        request : ObsidRequest, TimeRequest or FileRequest
            What is wanted. A file by name is also found where only one of the two names ends in ``.gz``.
        folder : Path
            Where to put them. Each appears there when it is whole.

        Returns
        -------
        tuple of str
            Base names of the copied files; empty where the tree has none.

        Raises
        ------
        RetrievalError
            As `probe` says; or a file cannot be copied, or changed meanwhile; or products of this layout cannot be
            asked for in this way.
        OSError
            There is no room in `folder`, or it may not be written to.
        """
        with self._answering(request):
            sources = self._sources(request)
            for source in sources:
                _copy(source, folder)
        return tuple(source.name for source in sources)

    @contextmanager
    def _answering(self, request: ObsidRequest | TimeRequest | FileRequest) -> Iterator[None]:
        """Make a retrieval error of whatever the tree does to us."""
        try:
            yield
        except (IntegrityError, DateError, DeclarationError, OSError) as error:
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise
            raise RetrievalError(self.name, request, str(error)) from error

    def _sources(self, request: ObsidRequest | TimeRequest | FileRequest) -> list[Path]:
        """Return the files of a request, in the order of their names."""
        product, layout = request.product, request.product.layout
        if isinstance(request, ObsidRequest) and isinstance(layout, ByObsid):
            found = _files_of_version(self._top(request), request, layout)
        elif isinstance(request, TimeRequest) and isinstance(layout, ByDay):
            found = _files_of_days(self._top(request), request, layout)
        elif isinstance(request, FileRequest) and isinstance(layout, ByDay):
            found = _files_of_name(self._top(request), request.filename, layout)
        else:
            problem = f"{product.name} is laid out {type(layout).__name__}; ask by obsid for products that are ByObsid"
            raise RetrievalError(self.name, request, f"{problem}, and by time or file name for those that are ByDay")
        return sorted(found)

    def _top(self, request: ObsidRequest | TimeRequest | FileRequest) -> Path:
        top = self.folder / request.product.name
        if not top.is_dir():
            problem = f"{top}: is no folder; mount the tree, make the folder, or set the option 'folder'"
            raise RetrievalError(self.name, request, problem, unavailable=True)
        return top


# ---- products by obsid ----------------------------------------------------------------------------------------------


def _files_of_version(top: Path, request: ObsidRequest, layout: ByObsid) -> list[Path]:
    revision = _revision(top, request, layout)
    if revision is None:
        return []
    folder = _folder(top, layout.directory(revision))
    found = [] if folder is None else _files_in(folder, request.product)
    if not found and request.version != revision.revision:
        problem = f"has no files, although a link says that it is the version {request.version!r}; mirror it again"
        raise IntegrityError(top / layout.directory(revision), problem)
    return found


def _revision(top: Path, request: ObsidRequest, layout: ByObsid) -> ObsidRevision | None:
    """Return the revision that a request means, or None where no link says which that is."""
    if isinstance(request.version, int):
        return ObsidRevision(request.obsid, request.version)
    links = [layout.default_link(request.obsid)]
    if request.version == "last":
        links.append(layout.last_link(request.obsid))
    # The newest of both: a release may just have been moved, and the link to what was newer left behind.
    targets = [target for link in links if (target := _linked(top, link, layout)) is not None]
    return max(targets, default=None)


def _linked(top: Path, link: PurePosixPath, layout: ByObsid) -> ObsidRevision | None:
    """Return the revision to which a link leads, or None where there is no such link."""
    if _folder(top, link.parent) is None:
        return None
    target = _target(top / link)
    if target is None:
        return None
    unit = layout.unit_in(link.parent / target)
    if unit is None or link.name.partition("_")[0] != f"{unit.obsid:05d}":
        expected = f"a version folder of the same obsid beside it, such as {link.name[:5]}_v01"
        raise IntegrityError(top / link, f"leads to {target!r}; expected {expected}")
    return unit


def _target(link: Path) -> str | None:
    """Return what a symbolic link, or a small text file in its place, says."""
    try:
        status = link.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return str(link.readlink())
    if not stat.S_ISREG(status.st_mode) or status.st_size > _POINTER_BYTES:
        problem = f"is neither a symbolic link nor a text file of at most {_POINTER_BYTES} bytes that says where to"
        raise IntegrityError(link, problem)
    with _opened(link) as stream:
        return stream.read(_POINTER_BYTES).decode(errors="replace").strip()


# ---- products by day ------------------------------------------------------------------------------------------------


def _files_of_days(top: Path, request: TimeRequest, layout: ByDay) -> list[Path]:
    found: dict[str, Path] = {}
    for day in _days(request.start, request.stop):
        folder = _folder(top, layout.directory(day))
        for path in [] if folder is None else _files_in(folder, request.product, only_taken=True):
            if path.name in found:
                raise IntegrityError(path, f"is also in {found[path.name].parent}; remove one of them")
            found[path.name] = path
    return list(found.values())


def _days(start: float, stop: float) -> Iterator[Day]:
    """Yield the days of a range, and one more on each side.

    A file lies in the folder of the day on which it starts, so one that reaches into the range may lie in the folder of
    the day before; and the time in a name is cut to a whole second, so midnight may be on either side of it.
    """
    from aca_core.dates import day_end, day_start, year_doy

    day = day_start(day_start(start) - 1)
    after = day_end(day_end(stop))
    while day < after:
        yield Day(*year_doy(day))
        day = day_end(day)


def _files_of_name(top: Path, name: str, layout: ByDay) -> list[Path]:
    folder = _folder(top, layout.directory(_day_in(name)))
    if folder is None:
        return []
    other = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    return next(([path] for path in (folder / name, folder / other) if _is_file(path)), [])


def _day_in(name: str) -> Day:
    """Return the day of the time in a file's name, by which such files are filed."""
    from aca_core.dates import year_doy

    match = re.search(r"\d+", name, re.ASCII)
    if match is None or not 9 <= len(match[0]) <= 12:
        raise IntegrityError(name, "does not begin with a time of nine or more digits, so that its day is not known")
    try:
        return Day(*year_doy(int(match[0])))
    except DateError as error:
        raise IntegrityError(name, f"its time {match[0]} is {error.problem}") from error


# ---- the disk -------------------------------------------------------------------------------------------------------


def _folder(top: Path, relative: PurePosixPath) -> Path | None:
    """Return a folder below the product's, or None where it is not there; no symbolic link is on the way."""
    path = top
    for part in relative.parts:
        path = path / part
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return None
        if not stat.S_ISDIR(mode):
            what = "a symbolic link, and those are not followed" if stat.S_ISLNK(mode) else "no folder"
            raise IntegrityError(path, f"is {what}; put the folder itself there")
    return path


def _files_in(folder: Path, product: ArchiveProduct, *, only_taken: bool = False) -> list[Path]:
    """Return the delivered files of one folder; only those that the product indexes where that is asked for."""
    with os.scandir(folder) as entries:
        candidates = [entry for entry in entries if not entry.name.startswith(".")]
        return [folder / entry.name for entry in _delivered(candidates, product, only_taken=only_taken)]


def _delivered(
    entries: Iterable[os.DirEntry[str]], product: ArchiveProduct, *, only_taken: bool
) -> Iterator[os.DirEntry[str]]:
    for entry in entries:
        if (only_taken and not product.takes(entry.name)) or entry.is_dir(follow_symlinks=False):
            continue
        if not _is_plain(entry.name):
            problem = f"the name {entry.name!r} has characters that no delivered file has; rename or remove it"
            raise IntegrityError(Path(entry.path).parent, problem)
        # Without a file that the product keeps the delivery would be archived incomplete.
        if not entry.is_file(follow_symlinks=False):
            if product.takes(entry.name) or product.keeps_beside(entry.name):
                raise IntegrityError(entry.path, "is no regular file; put the file itself there")
            continue
        yield entry


def _is_file(path: Path) -> bool:
    """Say whether there is a file, and refuse what is there and is none."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise IntegrityError(path, "is no regular file; put the file itself there")
    return True


def _is_plain(name: str) -> bool:
    """Say whether a name is a base name without control characters that is not hidden."""
    return bool(name) and name.isprintable() and not name.startswith(".") and not {"/", "\\"} & set(name)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading, and nothing that took its place."""
    with open(os.open(path, _OPEN_FLAGS), "rb") as stream:  # noqa: PTH123  # a Path cannot be opened by flags
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise IntegrityError(path, "is no regular file; put the file itself there")
        yield stream


def _copy(source: Path, folder: Path) -> None:
    """Copy one file into a folder, where it appears when it is whole and known not to have changed meanwhile."""
    part = folder / _PART
    try:
        with _opened(source) as stream, part.open("xb") as target:
            before = os.fstat(stream.fileno())
            copied = _pour(stream, target)
        after = source.lstat()
        if not copied == before.st_size == after.st_size or before.st_mtime_ns != after.st_mtime_ns:
            raise IntegrityError(source, "changed while it was copied; fetch it again when it is whole")
        part.rename(folder / source.name)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise OSError(error.errno, os.strerror(error.errno), str(folder / source.name)) from error
        raise IntegrityError(source, f"cannot be copied to {folder}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _pour(stream: BinaryIO, target: BinaryIO) -> int:
    """Copy what is left of a stream, and return how many bytes that was."""
    copied = 0
    while chunk := stream.read(_CHUNK):
        copied += target.write(chunk)
    return copied


DIRECTORY = DirectoryRetriever(name="directory", label="a delivery tree on a disk or a mount")


@hookimpl
def aca_retrievers() -> Iterable[Retriever]:
    """Return the one retriever of this plugin."""
    return [DIRECTORY]
