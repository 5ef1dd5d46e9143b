"""The aspect level-1 products: aspect solution, calibration, quality, centroids, star and fid properties.

The functions ask the archive that `aca_core.current_archive` names at the time of the call::

    from aca_plugins import asp1

    quaternions, times, headers = asp1.get_atts(obsid=6000)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from aca_core import (
    ArchiveProduct,
    Change,
    DeclarationError,
    FitsColumns,
    FloatArray,
    ProductFunctions,
    Version,
    Work,
    hookimpl,
)

if TYPE_CHECKING:
    from pathlib import Path

    from aca_core.dates import DateLike

__all__ = [
    "ASP1",
    "aca_archive_products",
    "aca_committed",
    "get_atts",
    "get_atts_from_files",
    "get_dir",
    "get_files",
    "get_obs_dirs",
    "update_processing",
]


def __dir__() -> list[str]:
    return sorted(__all__)


_log = logging.getLogger("aca_core")

# The columns are those that mica's archive has had since 2010, in its order.
ASP1 = ArchiveProduct(
    name="asp1",
    label="aspect level 1",
    version=Version(glob="*fidpr*", pattern=r"pcadf\d+N(\d{3})_"),
    columns=FitsColumns(
        "tstart", "tstop", "checksum", "ascdsver", "caldbver", "content", "revision", "obsid", "date", "isdefault"
    ),
    content_types=(
        "ASPQUAL",
        "ASPSOL",
        "ASPSOLOBI",
        "ACADATA",
        "GSPROPS",
        "GYRODATA",
        "KALMAN",
        "ACACAL",
        "ACACENT",
        "FIDPROPS",
        "GYROCAL",
        "ACA_BADPIX",
    ),
    file_names="*.fits*",
    discard=("*kalm1*", "*gdat*", "*adat*"),
    work=Work(table="aspect_1", id="aspect_1_id", reviewed_as_science=True),
    dialects={"arc5gl": {"probe": "asp1{fidprops}", "fetch": "asp1", "also": "dataset=pipelog"}},
    # Observations that were never released, from the list that the flight archive has kept.
    bad_obsids=(
        *(36, 37, 1452, 1855, 1856, 2593, 2586, 2587, 3366, 3367, 3679, 3678, 3685, 3686, 5049, 5048, 5047, 5046),
        *(5964, 5963, 5962, 5961, 6447, 6448, 6445, 6446),
        *(61927, 62248, 62549, 62550, 62552, 62553, 62556, 62558),
    ),
)


_verbs = ProductFunctions(ASP1.name)

get_dir = _verbs.get_dir
get_obs_dirs = _verbs.get_obs_dirs
get_files = _verbs.get_files


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [ASP1]


@hookimpl
def aca_committed(change: Change) -> None:
    """Keep the table of the archived aspect runs, which says what is still to be verified."""
    if change.product == ASP1.name and change.archive is not None:
        from aca_plugins.asp1.processing import record_change

        record_change(change)


def get_atts(
    obsid: int | None = None,
    start: DateLike | None = None,
    stop: DateLike | None = None,
    revision: Literal["default", "last", "all"] | int | None = None,
    filter: bool = True,  # the name that callers of mica use
) -> tuple[FloatArray, FloatArray, list[dict[str, Any]]]:
    """Return the attitudes of the camera frame for an observation or a time range.

    Of an observation without attitudes the arrays are empty, and the log ``aca_core`` gets a warning that says what is
    archived of it.

    Parameters
    ----------
    obsid : int, optional
        Which observation.
    start, stop : date, optional
        A time range, in any form of `aca_core.dates`, instead of an obsid. The attitudes of all aspect intervals that
        have a part in it are returned, whole.
    revision : int or str, optional
        A revision of the products, or ``last``; by default the released one, which is also ``default``.
    filter : bool, default True
        Whether attitudes within 1.025 s of a time at which the aspect solution was not good are left out.

    Returns
    -------
    quaternions : ndarray, shape (N, 4)
        Of length one, the last component not negative; from the camera frame to the inertial one.
    times : ndarray, shape (N,)
        CXC seconds, ascending.
    headers : list of dict
        Header of each aspect solution, in the order of time.

    Raises
    ------
    ValueError
        `revision` is ``all``, or the files of an aspect interval do not belong together; these are the errors
        `DeclarationError` and `IntegrityError`.
    TypeError
        Neither an obsid nor a time range is given, or both.

    See Also
    --------
    get_atts_from_files : How files are paired, and what is reported.

    Examples
    --------
    >>> quaternions, times, headers = get_atts(obsid=6000)  # doctest: +SKIP
    >>> quaternions.shape, headers[0]["CONTENT"]  # doctest: +SKIP
    ((195094, 4), 'ASPSOL')
    """
    if revision == "all":
        expected = "one revision of each observation: None for the released one, 'last' or a number"
        raise DeclarationError("get_atts", "revision", revision, expected)
    # The combined solution of an observation, ASPSOLOBI, has corrected attitudes only and is never asked for.
    contents = ("ASPSOL", "ACACAL", "ASPQUAL")
    rows = _verbs.get_rows(obsid=obsid, start=start, stop=stop, revision=revision, content=list(contents))
    asol, acal, aqual = ([row["path"] for row in rows if row["content"] == content] for content in contents)
    if obsid is not None and not asol:
        _log.warning("no attitudes: %s", _why_none(obsid, revision))
    return get_atts_from_files(asol, acal, aqual, filter=filter)


def _why_none(obsid: int, revision: int | str | None) -> str:
    """Say of an observation without attitudes what is archived."""
    found = get_obs_dirs(obsid)
    if found is None:
        return f"nothing of obsid {obsid} is archived"
    is_released = revision in (None, "default")
    if is_released and "default" not in found:
        problem = "no revision is released, so ask for one by revision"
    elif not is_released and revision not in found:
        problem = f"revision {revision} is not archived"
    else:
        problem = f"the {'released' if is_released else revision} revision has no ASPSOL"
    return f"obsid {obsid}: {problem}; its revisions: {', '.join(map(str, found['revisions']))}"


def get_atts_from_files(
    asol_files: Sequence[str | Path],
    acal_files: Sequence[str | Path],
    aqual_files: Sequence[str | Path],
    filter: bool = True,
) -> tuple[FloatArray, FloatArray, list[dict[str, Any]]]:
    """Return the attitudes of the camera frame from files.

    Each aspect solution goes with the calibration and the quality that overlap it most in time; the order of the files
    does not matter. A solution for which there is none is left out, and the log ``aca_core`` gets a warning.

    Parameters
    ----------
    asol_files : sequence of path-like
        Aspect solutions, content ASPSOL. Where they have the solver's own attitudes (``q_att_raw``) these are used.
    acal_files : sequence of path-like
        Calibrations, content ACACAL.
    aqual_files : sequence of path-like
        Quality of the solutions, content ASPQUAL; not needed without `filter`.
    filter : bool, default True
        Whether attitudes within 1.025 s of a time at which the aspect solution was not good are left out.

    Returns
    -------
    quaternions : ndarray, shape (N, 4)
        Of length one, the last component not negative; from the camera frame to the inertial one.
    times : ndarray, shape (N,)
        CXC seconds, ascending.
    headers : list of dict
        Header of each aspect solution, in the order of time.

    Raises
    ------
    IntegrityError
        The times of a solution and its calibration differ by more than 10 s (``mismatched``), no solution overlaps any
        calibration, or a file is damaged or is not of its kind. It is a ValueError.

    Examples
    --------
    >>> get_atts_from_files([], [], [])
    (array([], shape=(0, 4), dtype=float64), array([], dtype=float64), [])
    """
    from aca_plugins.asp1.attitudes import camera_attitudes

    return camera_attitudes(asol_files, acal_files, aqual_files, filter)


def update_processing(obsids: Iterable[int]) -> None:
    """Bring the table of archived aspect runs up to date for some observations of the current archive.

    It is what happens by itself after each commit; call it for archives that were filled by other tools, or when a
    catalogue has learnt of a run. Verifications that were done stay done. An archived file that cannot be read is left
    out, and the log ``aca_core`` gets a warning that names it.

    Parameters
    ----------
    obsids : iterable of int
        Which observations.

    Raises
    ------
    RetrievalError
        The catalogue cannot be reached.
    IntegrityError
        The table ``processing_asp_l1.db3`` cannot be updated.

    Examples
    --------
    >>> update_processing([])
    """
    from aca_plugins.asp1.processing import update_obsids

    update_obsids(obsids)
