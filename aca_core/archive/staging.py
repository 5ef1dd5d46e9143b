"""From a request to files that can be committed: fetched, verified, described, and durable in a folder of their own.

Deliveries come from outside. What is trusted is what lies in the folder once it was looked at, never what a retriever,
a name or a header says.
"""

from __future__ import annotations

import errno
import fnmatch
import itertools
import logging
import os
import re
import reprlib
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import attrs

from aca_core._checks import as_tuple, check, each
from aca_core.archive._disk import remove_file, sync_file, sync_folder
from aca_core.archive._threads import in_threads
from aca_core.archive.checksums import FileCheck, check_file
from aca_core.columns import Row
from aca_core.errors import AcaError, IntegrityError, RetrievalError, message_of
from aca_core.fits_files import fits_errors, read_header
from aca_core.products import ArchiveProduct
from aca_core.readers import FitsColumns
from aca_core.retrievers import ObsidRequest, Request, Retriever

__all__ = ["ChecksumPolicy", "Staged", "StagedFile", "StagingRules", "examine", "stage", "told_names"]

ChecksumPolicy: TypeAlias = Literal["error", "warn"]
"""What becomes of a file whose FITS checksums are wrong: it is refused, or kept with a remark."""

_MAX_FILES: Final = 100_000
"""Names that one delivery may have; a month of level 0 has some 5000."""

_MAX_NAME: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")

_OF_THE_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
"""Errors that are this machine's own, and no fault of whoever met them."""

_log = logging.getLogger("aca_core")
_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 120


@attrs.frozen(kw_only=True)
class StagingRules:
    """What a site says of deliveries, on top of what the product says.

    Attributes
    ----------
    checksum : {'error', 'warn'}
        What becomes of files whose CHECKSUM or DATASUM is wrong. Files that are cut short are always refused.
    discard : tuple of str
        Globs of delivered files that are dropped, beside those of the product.
    content_types : tuple of str
        The content types to keep; empty for all. Files that say nothing of their content are kept.
    file_mode : int
        The permission bits of staged files, which are never executable.

    Examples
    --------
    >>> StagingRules(content_types=["ASPSOL"]).content_types
    ('ASPSOL',)
    """

    checksum: ChecksumPolicy = attrs.field(
        default="error", validator=check(lambda value: value in ("error", "warn"), "'error' or 'warn'")
    )
    discard: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=each(str, "a list of globs"))
    content_types: tuple[str, ...] = attrs.field(
        default=(), converter=as_tuple, validator=each(str, "a list of content types")
    )
    file_mode: int = attrs.field(
        default=0o664,
        validator=check(
            lambda value: type(value) is int and value & ~0o266 == 0o400,
            "permission bits with which the owner can read and nobody can execute, such as 0o664 or 0o444",
        ),
    )


_USUAL_RULES: Final = StagingRules()


@attrs.frozen(kw_only=True)
class StagedFile:
    """One file of a delivery, as it is going to be archived.

    Attributes
    ----------
    name : str
        Its base name.
    size : int
        Its bytes, as delivered.
    sha256 : str
        Of these bytes, in hexadecimal digits.
    row : dict or None
        Its index row without the columns that the archive fills; None for a companion, which is not indexed.
    remark : str
        What the rules let pass, such as a wrong DATASUM; empty for a file that is in order.
    """

    name: str
    size: int
    sha256: str
    row: Row | None
    remark: str = ""


@attrs.frozen(kw_only=True)
class Staged:
    """A delivery that is verified, described, and durable on the disk.

    Attributes
    ----------
    folder : Path
        Where its files lie, and nothing else.
    version : int or None
        The version that the names agree on; None for a product without versions, for a request that is not by obsid,
        and where nothing was delivered.
    files : tuple of StagedFile
        What is kept, by name.
    left_out : tuple of str
        What was delivered and is not kept, by name.
    refused : tuple of IntegrityError
        What is wrong with single files of a request by time, whose files have nothing to do with each other; they are
        among those that are left out. A request by obsid is refused whole.
    """

    folder: Path
    version: int | None
    files: tuple[StagedFile, ...]
    left_out: tuple[str, ...]
    refused: tuple[IntegrityError, ...] = ()


def stage(request: Request, retriever: Retriever, folder: Path, rules: StagingRules = _USUAL_RULES) -> Staged:
    """Fetch a request into a folder and make sure of what came.

    Parameters
    ----------
    request : ObsidRequest, TimeRequest or FileRequest
        What is wanted.
    retriever : Retriever
        Who brings it.
    folder : Path
        An empty folder on the file system of the archive. After an error its content is to be thrown away.
    rules : StagingRules
        What the site says.

    Returns
    -------
    Staged
        The files that are kept; none where nothing was delivered.

    Raises
    ------
    RetrievalError
        The retriever could not bring it, or broke its contract.
    IntegrityError
        What it brought is damaged or is not what was asked for; the message names the file.
    OSError
        The disk is full, or cannot be written to.
    """
    return examine(request, folder, _fetched(request, retriever, folder), rules)


def examine(request: Request, folder: Path, names: Iterable[str], rules: StagingRules = _USUAL_RULES) -> Staged:
    r"""Verify and describe a delivery that lies in a folder, and remove from it what is not kept.

    Parameters
    ----------
    request : ObsidRequest, TimeRequest or FileRequest
        What was wanted.
    folder : Path
        Where the delivery lies, and nothing else.
    names : iterable of str
        The names that the retriever says to have brought.
    rules : StagingRules
        What the site says.

    Returns
    -------
    Staged
        The files that are kept; none where nothing was delivered.

    Raises
    ------
    IntegrityError
        As `stage` says.
    OSError
        As `stage` says.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import ArchiveProduct, FitsColumns, ObsidRequest, Version
    >>> from aca_core.testing import write_fits
    >>> sim = ArchiveProduct(
    ...     name="sim1", version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"), columns=FitsColumns("revision"))
    >>> folder = Path(tempfile.mkdtemp())
    >>> path = write_fits(folder / "simf686111014N002_coor1.fits.gz", {"REVISION": 2, "OBS_ID": "7000"})
    >>> staged = examine(ObsidRequest(product=sim, obsid=7000), folder, [path.name])
    >>> staged.version, staged.files[0].row["revision"]
    (2, 2)
    """
    present = _present(folder)
    _compare(folder, present, names)
    version = _version(request, folder, present)
    kept = [name for name in present if _keeps(request.product, rules, name)]
    files, refused = [], []
    for name, found in zip(kept, _checked(folder, kept, rules), strict=True):
        try:
            file = _examined(request, folder / name, found, version, rules)
        except IntegrityError as error:
            if isinstance(request, ObsidRequest):
                raise
            refused.append(error)
        else:
            files += [] if file is None else [file]
    _check_keys(request, folder, files)
    left_out = sorted(set(present) - {file.name for file in files})
    for name in left_out:
        remove_file(folder / name)
    if left_out:
        _log.info("%s: not kept of what was delivered: %s", request, ", ".join(left_out))
    _synced(folder, [file.name for file in files])
    return Staged(folder=folder, version=version, files=tuple(files), left_out=tuple(left_out), refused=tuple(refused))


# ---- what the retriever brings --------------------------------------------------------------------------------------


def _fetched(request: Request, retriever: Retriever, folder: Path) -> list[str]:
    """Return the names that a retriever says to have brought; what it raises becomes an error of ours."""
    return told_names(retriever, request, "fetch", lambda: retriever.fetch(request, folder))


def told_names(retriever: Retriever, request: Request, verb: str, ask: Callable[[], Iterable[str]]) -> list[str]:
    """Return the names that a retriever tells.

    Parameters
    ----------
    retriever : Retriever
        Who is asked.
    request : ObsidRequest, TimeRequest or FileRequest
        For what.
    verb : str
        ``probe`` or ``fetch``, for messages.
    ask : callable
        Asks it.

    Returns
    -------
    list of str
        Whatever it tells, not looked at yet.

    Raises
    ------
    RetrievalError
        It could not answer, raised something of its own, or returned no list.
    OSError
        The disk is full, or cannot be written to.
    """
    try:
        names = ask()
        # A string would be taken for the names of its letters.
        listed = list(itertools.islice(names, _MAX_FILES + 1)) if not isinstance(names, str) else None
    except AcaError:
        raise
    except (Exception, SystemExit) as error:
        if _is_of_the_disk(error):
            raise
        raise RetrievalError(retriever.name, request, _said(error)) from error
    if listed is None or len(listed) > _MAX_FILES:
        expected = f"its {verb} returned {_shorten.repr(names)}; expected a list of at most {_MAX_FILES} base names"
        raise RetrievalError(retriever.name, request, expected)
    return listed


def _is_of_the_disk(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _OF_THE_DISK


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {message_of(error)}".removesuffix(": ")


# ---- names ----------------------------------------------------------------------------------------------------------


def _present(folder: Path) -> list[str]:
    """Return the names of the files in a folder in their order, and refuse anything else that is there."""
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise IntegrityError(folder, "is no folder any more; whoever delivered into it replaced it")
    with os.scandir(folder) as entries:
        for entry in (found := sorted(entries, key=lambda entry: entry.name)):
            _check_name(folder, entry.name, "the delivery has")
            if not entry.is_file(follow_symlinks=False):
                kind = "symbolic link" if entry.is_symlink() else "folder" if entry.is_dir() else "special file"
                raise IntegrityError(entry.path, f"is a {kind}; expected regular files alone")
    names = [entry.name for entry in found]
    if twins := sorted(set(names) & {f"{name}.gz" for name in names}):
        problem = "is delivered compressed and plain; expected one of them, since they are the same file"
        raise IntegrityError(folder / twins[0], problem)
    return names


def _check_name(folder: Path, name: object, who: str) -> None:
    if not isinstance(name, str) or len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        expected = f"base names of at most {_MAX_NAME} of the characters A-Z a-z 0-9 . _ + -, a letter or digit first"
        raise IntegrityError(folder, f"{who} the name {_shorten.repr(name)}; expected {expected}")


def _compare(folder: Path, present: list[str], names: Iterable[str]) -> None:
    """Refuse a delivery in which the files and the list of them differ."""
    listed = Counter[str]()
    for name in names:
        _check_name(folder, name, "the list of delivered files has")
        listed[name] += 1
    problems = (
        ("listed more than once", [name for name, count in listed.items() if count > 1]),
        ("listed and not there", set(listed) - set(present)),
        ("there and not listed", set(present) - set(listed)),
    )
    for problem, wrong in problems:
        if first := min(wrong, default=None):
            more = f", and so are {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise IntegrityError(folder / first, f"is {problem} by the retriever{more}; fetch it again")


def _keeps(product: ArchiveProduct, rules: StagingRules, name: str) -> bool:
    if any(fnmatch.fnmatchcase(name, glob) for glob in rules.discard):
        return False
    return product.takes(name) or product.keeps_beside(name)


def _version(request: Request, folder: Path, present: list[str]) -> int | None:
    """Return the version that the names of a delivery agree on, which must be the one that was asked for."""
    wanted = request.product.version
    if not isinstance(request, ObsidRequest) or wanted is None or not present:
        return None
    # All names, as for a probe: the one that carries the version need not be of a file that is kept.
    version = wanted.of(present)
    if version is None:
        problem = f"none of the {len(present)} delivered files has a name like {wanted.glob!r}, which has the version"
        raise IntegrityError(folder, f"{problem} of {request}; fetch it again")
    if isinstance(request.version, int) and version != request.version:
        problem = f"the names say version {version}, and version {request.version} was fetched"
        raise IntegrityError(folder, f"{problem}: the version changed between probe and fetch; fetch it again")
    return version


# ---- files ----------------------------------------------------------------------------------------------------------


def _checked(folder: Path, names: Sequence[str], rules: StagingRules) -> list[FileCheck | IntegrityError]:
    """Verify files, some at a time: decompressing, sums and digests leave the interpreter to others."""

    def check(name: str) -> FileCheck | IntegrityError:
        path = folder / name
        path.chmod(rules.file_mode)  # before it is read: it may have been delivered unreadable
        try:
            return check_file(path)
        except IntegrityError as error:
            return error

    return in_threads(check, names)


def _synced(folder: Path, names: Sequence[str]) -> None:
    """Wait until files and their names are on the disk; for several at a time, which it can write together."""
    in_threads(lambda name: sync_file(folder / name), names)
    sync_folder(folder)


def _examined(
    request: Request, path: Path, found: FileCheck | IntegrityError, version: int | None, rules: StagingRules
) -> StagedFile | None:
    """Describe one file that was verified; None for one whose content the site does not keep."""
    if isinstance(found, IntegrityError):
        raise found
    row: Row | None = None
    if request.product.takes(path.name):
        row = _described(request.product, path)
        _check_row(request, path, row, version)
        if rules.content_types and row.get("content") is not None and row["content"] not in rules.content_types:
            return None
    remark = _remark(path, found, rules)
    return StagedFile(name=path.name, size=found.size, sha256=found.sha256, row=row, remark=remark)


def _remark(path: Path, found: FileCheck, rules: StagingRules) -> str:
    """Return what is wrong with the checksums of a file that may be kept nevertheless."""
    remark = "; ".join(found.problems)
    if remark and rules.checksum == "error":
        raise IntegrityError(path, f"{remark}; fetch it again, or keep such files with checksum = 'warn' in the set")
    if remark:
        _log.warning("%s: %s; it is kept, since checksum is 'warn'", path.name, remark)
    return remark


def _described(product: ArchiveProduct, path: Path) -> Row:
    with _reading(product, path):
        row: Any = product.describe(path)
    if not isinstance(row, Mapping) or not all(
        isinstance(name, str) and isinstance(value, int | float | str | None) for name, value in row.items()
    ):
        raise IntegrityError(path, f"its reader gives {_shorten.repr(row)}; expected numbers and texts by column")
    if row.get("filename", path.name) != path.name:
        raise IntegrityError(path, f"its reader calls it {_shorten.repr(row['filename'])}; expected its own name")
    return dict(row)


@contextmanager
def _reading(product: ArchiveProduct, path: Path) -> Iterator[None]:
    """Make whatever somebody's reader raises an error that names the file."""
    try:
        yield
    except AcaError:
        raise
    except (Exception, SystemExit) as error:
        if _is_of_the_disk(error):
            raise
        raise IntegrityError(path, f"cannot be described as {product.label or product.name}: {_said(error)}") from error


def _check_row(request: Request, path: Path, row: Row, version: int | None) -> None:
    """Refuse a file whose content is not what its name, its request or its product says."""
    product, content, revision = request.product, row.get("content"), row.get("revision")
    if product.content_types and content is not None and content not in product.content_types:
        expected = ", ".join(product.content_types)
        raise IntegrityError(path, f"its content is {content!r}; expected one that {product.name} has: {expected}")
    if not isinstance(request, ObsidRequest) and product.version is not None:
        version = product.version.of([path.name])
    if version is not None and isinstance(revision, int | float) and revision != version:
        raise IntegrityError(path, f"its revision is {revision}; expected {version}, as the names say; fetch it again")
    start, stop = row.get("tstart"), row.get("tstop")
    if isinstance(start, int | float) and isinstance(stop, int | float) and stop < start:
        raise IntegrityError(path, f"its tstop {stop} is before its tstart {start}; expected a file of some duration")
    if isinstance(request, ObsidRequest):
        _check_obsid(request, path, row)


def _check_obsid(request: ObsidRequest, path: Path, row: Row) -> None:
    reader = request.product.columns
    said = {"obsid": row.get("obsid")}
    if isinstance(reader, FitsColumns):
        header = read_header(path, reader.hdu)
        with fits_errors(path, "an OBS_ID"):
            said["OBS_ID"] = _number(header.get("OBS_ID"))
    for name, value in said.items():
        if value is not None and value != request.obsid:
            expected = f"expected {request.obsid}, the obsid that was fetched"
            raise IntegrityError(path, f"its {name} is {value}; {expected}; find out what the retriever mixed up")


def _number(value: object) -> int | None:
    """Return a header's OBS_ID where it is one number; processing also writes texts and lists there."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _check_keys(request: Request, folder: Path, files: list[StagedFile]) -> None:
    """Refuse two files that the index could not tell apart."""
    seen: dict[tuple[object, ...], str] = {}
    for file in files:
        # What the archive fills is the same for a whole request by obsid, and not known yet for another.
        if file.row is None or not (isinstance(request, ObsidRequest) or set(request.product.key) <= set(file.row)):
            continue
        key = tuple(file.row.get(name) for name in request.product.key)
        if key in seen:
            text = f"has the same {', '.join(request.product.key)} as {seen[key]}: {key}"
            raise IntegrityError(folder / file.name, f"{text}; expected each once, since that is the key of the index")
        seen[key] = file.name
