"""What do the files of one aspect interval say: its solution, its calibration, what was in each slot, the centroids."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray, IntArray
from aca_core.catalogues import PlannedStar
from aca_core.errors import IntegrityError, MissingDataError
from aca_core.fits_tables import read_table
from aca_core.vv.drift import SimOffsets, sim_offsets
from aca_core.vv.interval_files import combined_name, file_of_interval, interval_id
from aca_core.vv.properties import SlotProperties, StarPosition, fid_properties, stand_ins, star_properties
from aca_core.vv.report import OF_HEADER
from aca_core.vv.residuals import FidFrames

__all__ = ["AspectInterval", "Centroids", "read_interval"]

_SOLVED_WITH: Final = 8
"""The centroid algorithm that guide stars and fid lights are tracked with: an elliptical Gaussian."""

_AGREEMENT: Final = 10.0
"""By how much the times of a solution and its calibration may differ, s."""

_OWN: Final = {"q_att": "q_att_raw", "dy": "ady", "dz": "adz", "dtheta": "adtheta"}
"""Columns with the solver's own values, in solutions whose other columns are corrected for the observatory."""


_ANGLES: Final = ("ang_y", "ang_z", "ang_y_sm", "ang_z_sm")
_CENTROID_COLUMNS: Final = ("time", "slot", "alg", "status", *_ANGLES, "counts")

_Header: TypeAlias = Mapping[str, Any]
_Columns: TypeAlias = Mapping[str, npt.NDArray[Any]]


@attrs.frozen(eq=False, kw_only=True)
class Centroids:
    """The centroids of algorithm 8 of one slot, by time.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Middle of each integration, CXC seconds.
    status : ndarray of int, shape (n,)
        0 for a good one.
    ang_y, ang_z, ang_y_sm, ang_z_sm : ndarray, shape (n,)
        Angles and smoothed ones, deg.
    counts : ndarray, shape (n,)
        Signal in one integration, e-.
    """

    time: FloatArray
    status: IntArray
    ang_y: FloatArray
    ang_z: FloatArray
    ang_y_sm: FloatArray
    ang_z_sm: FloatArray
    counts: FloatArray


@attrs.frozen(eq=False, kw_only=True)
class AspectInterval:
    """One aspect interval: what its files say that a verification needs.

    Attributes
    ----------
    id : str
        Such as ``pcadf059904356N004``.
    header : dict
        Of the solution: ASCDSVER, CALDBVER, DATE, OBI_NUM, OBS_ID, REVISION, TSTART, TSTOP.
    obsid, revision : int
        Whose it is.
    time : ndarray, shape (n,)
        Times of the solution, CXC seconds, ascending.
    attitudes : ndarray, shape (n, 4)
        Quaternions from the mirror's frame to the inertial one; the solver's own.
    offsets : ndarray, shape (n, 3)
        dy, dz (mm) and dtheta (deg) of the instrument module; the solver's own.
    aca_misalign, fts_misalign : ndarray, shape (3, 3)
        How the camera and the fid transfer system are turned.
    fid_frames : FidFrames or None
        Where the frames of fid lights lie; None without fid lights.
    integration : float
        How long the camera integrates, s.
    stars, fids : tuple of SlotProperties
        What is in the slots; stand-ins for those that the files do not list are at the end.
    centroids : mapping of int to Centroids
        By slot, between the first and the last time of the solution.
    notes : tuple of str
        What is odd about the files.
    """

    id: str
    header: Mapping[str, Any]
    obsid: int
    revision: int
    time: FloatArray
    attitudes: FloatArray
    offsets: FloatArray
    aca_misalign: FloatArray
    fts_misalign: FloatArray
    fid_frames: FidFrames | None
    integration: float
    stars: tuple[SlotProperties, ...]
    fids: tuple[SlotProperties, ...]
    centroids: Mapping[int, Centroids]
    notes: tuple[str, ...] = ()

    def sim_offsets(self) -> SimOffsets:
        """Return the offsets of the instrument module.

        Returns
        -------
        SimOffsets
            In arcsec, without single samples that stick out.
        """
        return sim_offsets(self.time, self.offsets[:, 0], self.offsets[:, 1])


def read_interval(
    solution: str | Path,
    *,
    start: float = -np.inf,
    stop: float = np.inf,
    planned: Iterable[PlannedStar] = (),
    star_position: Callable[[int], StarPosition | None] | None = None,
) -> AspectInterval | None:
    """Read the files of an aspect interval, each of them once.

    Parameters
    ----------
    solution : path-like
        Its aspect solution; the others lie beside it.
    start, stop : float, optional
        The time of the observation, CXC seconds.
    planned : iterable of PlannedStar, optional
        The planned catalogue, for slots that have centroids and no properties.
    star_position : callable, optional
        Returns the place of a star by its number in the star catalogue, or None.

    Returns
    -------
    AspectInterval or None
        None for the combined solution of an observation, and for an interval that is not within it.

    Raises
    ------
    MissingDataError
        One of the files is not there. It is a LookupError.
    IntegrityError
        A file is damaged, lacks a column or a keyword, or does not belong to the others. It is a ValueError.
    """
    path = Path(solution)
    if combined_name(path) and read_table(path)[0].get("CONTENT") == "ASPSOLOBI":
        return None
    header, columns, listed_centroids = _large_tables(path)
    if header.get("CONTENT") == "ASPSOLOBI":
        return None
    first, last = _number(path, header, "TSTART"), _number(path, header, "TSTOP")
    if not (start < last and stop > first):
        return None
    notes: list[str] = []
    time, attitudes, offsets = _solution(path, columns, notes)
    aca_misalign, fts_misalign = _calibration(path, header)
    centroid_path = _needed(path, "acen1")
    integration, centroids = _centroids(centroid_path, *listed_centroids(), time, notes)
    stars, fids, frames = _properties(path, notes)
    listed = {each.slot for each in (*stars, *fids)}
    more, told = stand_ins(sorted(centroids.keys() - listed), planned, star_position, first)
    if file_of_interval(path, "aqual1") is None:
        notes.append("it has no aqual1 file, which says when the solution is good")
    return AspectInterval(
        id=interval_id(path),
        header={name: header.get(name) for name in OF_HEADER},
        obsid=_whole(path, header, "OBS_ID"),
        revision=_whole(path, header, "REVISION"),
        time=time,
        attitudes=attitudes,
        offsets=offsets,
        aca_misalign=aca_misalign,
        fts_misalign=fts_misalign,
        fid_frames=frames,
        integration=integration,
        stars=(*stars, *(each for each in more if each.kind != "FID")),
        fids=(*fids, *(each for each in more if each.kind == "FID")),
        centroids=centroids,
        notes=(*notes, *told),
    )


# ---- the files ------------------------------------------------------------------------------------------------------


def _needed(solution: Path, kind: str) -> Path:
    found = file_of_interval(solution, kind)
    if found is None:
        wanted = solution.with_name(f"{interval_id(solution)}_{kind}.fits.gz")
        raise MissingDataError(f"{wanted} is not there; residuals need it beside {solution.name}")
    return found


def _large_tables(solution: Path) -> tuple[_Header, _Columns, Callable[[], tuple[_Header, _Columns]]]:
    """Return the solution, and what returns the centroids or raises what is wrong with them; read at the same time.

    Nearly all the time of a verification goes into decompressing these two, which leaves the interpreter to others.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="aca-centroids") as beside:
        centroids = beside.submit(lambda: read_table(_needed(solution, "acen1"), _CENTROID_COLUMNS))
        header, columns = read_table(solution, ["time"], optional=[*_OWN, *_OWN.values()])
    return header, columns, centroids.result


def _solution(path: Path, columns: Mapping[str, Any], notes: list[str]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, attitudes and offsets of a solution: the solver's own, where there are others too."""
    names = _OWN if "ady" in columns else {name: name for name in _OWN}
    time = _floats(path, columns, "time")
    attitudes = _floats(path, columns, names["q_att"], 4)
    offsets = np.stack([_floats(path, columns, names[name]) for name in ("dy", "dz", "dtheta")], axis=-1)
    if len(time) < 2 or not np.isfinite(time).all() or (np.diff(time) <= 0).any():
        raise IntegrityError(path, "its times do not ascend; expected two or more, each later than the one before")
    bad = ~(np.isfinite(attitudes).all(axis=1) & np.isfinite(offsets).all(axis=1))
    if bad.any():
        notes.append(f"its solution is not a number in {np.count_nonzero(bad)} of {len(time)} rows")
    return time, attitudes, offsets


def _calibration(solution: Path, header: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """Return the two rotations of the calibration, which are stored as 3x3 or as nine numbers."""
    path = _needed(solution, "acal1")
    theirs, columns = read_table(path, ["aca_misalign", "fts_misalign"])
    # An absolute difference: one relative to times of 1e9 s would let hours pass.
    for keyword in ("TSTART", "TSTOP"):
        here, there = _number(solution, header, keyword), _number(path, theirs, keyword)
        if abs(here - there) > _AGREEMENT:
            problem = f"is mismatched: its {keyword} is {here}, that of {path.name} is {there}"
            raise IntegrityError(solution, f"{problem}; expected them to agree within {_AGREEMENT:.0f} s")
    return _rotation(path, "aca_misalign", columns), _rotation(path, "fts_misalign", columns)


def _rotation(path: Path, name: str, columns: Mapping[str, Any]) -> FloatArray:
    stored = columns[name]
    if not len(stored) or stored[0].size != 9 or stored.dtype.kind not in "fiu":
        raise IntegrityError(path, f"its {name} has the shape {stored.shape}; expected 3x3 in a row")
    matrix: FloatArray = np.asarray(stored[0], dtype=float).reshape(3, 3)
    is_small = (np.abs(matrix) < 2).all()  # what is huge would overflow in the product
    if not is_small or not np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=1e-5) or np.linalg.det(matrix) < 0:
        raise IntegrityError(path, f"its {name} is {matrix.tolist()}; expected a rotation")
    return matrix


def _properties(
    solution: Path, notes: list[str]
) -> tuple[tuple[SlotProperties, ...], tuple[SlotProperties, ...], FidFrames | None]:
    """Return stars and fid lights, and where the frames of these lie."""
    path = _needed(solution, "gspr1")
    stars = star_properties(path, read_table(path, None)[1])
    fids: tuple[SlotProperties, ...] = ()
    frames = None
    fid_path = file_of_interval(solution, "fidpr1")
    if fid_path is not None:
        header, columns = read_table(fid_path, None)
        fids = fid_properties(fid_path, columns)
        frames = _frames(fid_path, header) if fids else None
    if not fids:
        notes.append("it has no fid lights" + ("" if fid_path else ", for it has no fidpr1 file"))
    slots = [each.slot for each in (*stars, *fids)]
    if repeated := sorted({slot for slot in slots if slots.count(slot) > 1}):
        raise IntegrityError(path, f"slot {repeated[0]} is listed twice by the properties of stars and fid lights")
    return stars, fids, frames


def _frames(path: Path, header: Mapping[str, Any]) -> FidFrames:
    lsi, stt = ([_number(path, header, f"{name}{axis}") for axis in (1, 2, 3)] for name in ("LSI0STT", "STT0STF"))
    node = _number(path, header, "RRC0FCX")
    return FidFrames(lsi0stt=(lsi[0], lsi[1], lsi[2]), stt0stf=(stt[0], stt[1], stt[2]), rrc0fcx=node)


def _centroids(
    path: Path, header: _Header, columns: _Columns, solution_times: FloatArray, notes: list[str]
) -> tuple[float, dict[int, Centroids]]:
    """Return the integration time, and the centroids of algorithm 8 within the solution, by slot."""
    integration = _number(path, header, "INTGTIME")
    if not integration > 0:
        raise IntegrityError(path, f"its INTGTIME is {integration}; expected a time greater than 0 s")
    for name in ("slot", "alg", "status"):
        if columns[name].dtype.kind not in "iu" or columns[name].ndim != 1:
            raise IntegrityError(path, f"its column {name} has no whole numbers, one for each row")
    tracked = columns["alg"] == _SOLVED_WITH
    times = _floats(path, columns, "time")[tracked]
    if lost := int(np.count_nonzero(np.isnan(times))):
        notes.append(f"{lost} of its centroids have no time; they are left out")
    chosen = np.flatnonzero(tracked)[(times >= solution_times[0]) & (times <= solution_times[-1])]
    # By slot, and within a slot in the order of the file, which is that of time.
    chosen = chosen[np.argsort(columns["slot"][chosen], kind="stable")]
    values = {name: _floats(path, columns, name)[chosen] for name in ("time", *_ANGLES, "counts")}
    status, slots = columns["status"][chosen], columns["slot"][chosen]
    if len(slots) and not 0 <= slots[0] <= slots[-1] <= 7:
        raise IntegrityError(path, f"it has slots from {slots[0]} to {slots[-1]}; expected 0 to 7")
    edges = np.searchsorted(slots, np.arange(9)).tolist()
    return integration, {
        slot: _by_time(slice(first, end), status, values)
        for slot, (first, end) in enumerate(itertools.pairwise(edges))
        if end - first >= 2  # what is there but once has nothing to be compared with
    }


def _by_time(part: slice, status: IntArray, values: Mapping[str, FloatArray]) -> Centroids:
    mine = {name: column[part] for name, column in values.items()}
    states = status[part].astype(np.int64)
    if (np.diff(mine["time"]) < 0).any():
        order = np.argsort(mine["time"], kind="stable")
        states, mine = states[order], {name: column[order] for name, column in mine.items()}
    return Centroids(status=states, **mine)


# ---- values of files ------------------------------------------------------------------------------------------------


def _floats(path: Path, columns: Mapping[str, npt.NDArray[Any]], name: str, width: int | None = None) -> FloatArray:
    """Return a column of numbers, one or `width` of them in each row."""
    if name not in columns:
        raise IntegrityError(path, f"it has no column {name}")
    values = columns[name]
    if values.shape[1:] != (() if width is None else (width,)) or values.dtype.kind not in "fiu":
        raise IntegrityError(path, f"its column {name} has the shape {values.shape}; expected {width or 1} in each row")
    return np.asarray(values, dtype=float)


def _number(path: Path, header: Mapping[str, Any], keyword: str) -> float:
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise IntegrityError(path, f"its {keyword} is {value!r}; expected a number")
    return float(value)


def _whole(path: Path, header: Mapping[str, Any], keyword: str) -> int:
    value = header.get(keyword)
    try:
        number = int(value)  # type: ignore[arg-type]  # whatever it cannot make a number of is refused
        if isinstance(value, float) and number != value:
            raise ValueError(value)
        return number
    except (TypeError, ValueError, OverflowError):
        raise IntegrityError(path, f"its {keyword} is {value!r}; expected a whole number") from None
