"""Attitudes of the camera frame, from the files of aspect intervals."""

from __future__ import annotations

import bisect
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from aca_core import BoolArray, FloatArray, IntegrityError, read_table
from aca_core.attitudes import from_transform, multiply

__all__ = ["camera_attitudes"]

_log = logging.getLogger("aca_core")

_AGREEMENT: Final = 10.0
"""By how much the times of a solution and its calibration may differ, s."""

_REACH: Final = 1.025 + 1e-6
"""How near to a bad time attitudes are bad too, s: one camera cycle, and what times of 1e9 s are rounded by."""


class _File(NamedTuple):
    """A table of an aspect interval."""

    path: Path
    header: dict[str, Any]
    values: dict[str, Any]

    @property
    def start(self) -> float:
        return float(self.header["TSTART"])

    @property
    def stop(self) -> float:
        return float(self.header["TSTOP"])

    def overlap(self, other: _File) -> float:
        return min(self.stop, other.stop) - max(self.start, other.start)

    def is_made_with(self, other: _File) -> bool:
        """Say whether both are of one revision, which tells partners apart where several were given."""
        return all(self.header.get(name) == other.header.get(name) for name in ("OBS_ID", "OBI_NUM", "REVISION"))


class _Partners:
    """Files among which the partners of solutions are found by time."""

    def __init__(self, what: str, paths: Sequence[str | Path], columns: Sequence[str]) -> None:
        self.what = what
        self.files = sorted((_read(path, columns) for path in _listed(paths)), key=lambda file: file.start)
        self._starts = [file.start for file in self.files]
        self._longest = max((file.stop - file.start for file in self.files), default=0.0)

    def of(self, solution: _File) -> _File | None:
        """Return the file that overlaps a solution most, or None, which is logged."""
        first = bisect.bisect_left(self._starts, solution.start - self._longest)
        last = bisect.bisect_left(self._starts, solution.stop)
        near = [file for file in self.files[first:last] if file.overlap(solution) > 0]
        if not near:
            _log.warning("%s: no %s overlaps it in time, so its attitudes are left out", solution.path, self.what)
            return None
        return max(near, key=lambda file: (file.is_made_with(solution), file.overlap(solution)))


def camera_attitudes(
    asol_files: Sequence[str | Path],
    acal_files: Sequence[str | Path],
    aqual_files: Sequence[str | Path],
    is_filtered: bool,
) -> tuple[FloatArray, FloatArray, list[dict[str, Any]]]:
    """Return the attitudes of the camera frame from files; `aca_plugins.asp1.get_atts_from_files` describes it.

    Parameters
    ----------
    asol_files, acal_files, aqual_files : sequence of path-like
        Solutions, calibrations, and qualities of solutions.
    is_filtered : bool
        Whether attitudes near times of a bad solution are left out.

    Returns
    -------
    quaternions : ndarray, shape (N, 4)
        From the camera frame to the inertial one.
    times : ndarray, shape (N,)
        CXC seconds, ascending.
    headers : list of dict
        One for each solution that is used.

    Raises
    ------
    IntegrityError
        Files do not belong together, are damaged or are not of their kind.
    """
    calibrations = _Partners("calibration (ACACAL)", acal_files, ["aca_misalign"])
    qualities = _Partners("quality (ASPQUAL)", aqual_files if is_filtered else [], ["time", "asp_sol_status"])
    parts: list[_Part] = []
    alone: list[Path] = []
    for path in _listed(asol_files):
        solution = _read(path, ["time"], ["q_att_raw", "q_att"])
        calibration = calibrations.of(solution)
        if calibration is None:
            alone.append(solution.path)
            continue
        _check_agreement(solution, calibration)
        quality = qualities.of(solution) if is_filtered else None
        if quality is not None or not is_filtered:
            parts.append(_part(solution, calibration, quality))
    if alone and not parts and calibrations.files:
        problem = "is mismatched: none of the calibrations overlaps it in time, nor any other of the solutions"
        raise IntegrityError(alone[0], f"{problem}; give files of the same aspect intervals")
    return _joined(parts)


class _Part(NamedTuple):
    """The attitudes of one aspect interval."""

    header: dict[str, Any]
    times: FloatArray
    attitudes: FloatArray


def _part(solution: _File, calibration: _File, quality: _File | None) -> _Part:
    times, attitudes = solution.values["time"], _mirror_attitudes(solution)
    if quality is not None and (bad := _is_near_bad(times, quality)).any():
        times, attitudes = times[~bad], attitudes[~bad]
    return _Part(solution.header, times, multiply(attitudes, from_transform(_misalignment(calibration).T)))


def _joined(parts: list[_Part]) -> tuple[FloatArray, FloatArray, list[dict[str, Any]]]:
    """Return the attitudes of all intervals in the order of time."""
    if not parts:
        return np.empty((0, 4)), np.empty(0), []
    parts = sorted(parts, key=lambda part: part.header["TSTART"])
    times = np.concatenate([part.times for part in parts])
    attitudes = np.concatenate([part.attitudes for part in parts])
    if np.any(times[1:] < times[:-1]):
        order = np.argsort(times, kind="stable")
        times, attitudes = times[order], attitudes[order]
    return attitudes, times, [part.header for part in parts]


# ---- one file -------------------------------------------------------------------------------------------------------


def _listed(paths: Sequence[str | Path]) -> list[str | Path]:
    return [paths] if isinstance(paths, str | os.PathLike) else list(paths)


def _read(path: str | Path, columns: Sequence[str], optional: Sequence[str] = ()) -> _File:
    header, values = read_table(path, columns, optional=optional)
    for keyword in ("TSTART", "TSTOP"):
        value = header.get(keyword)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise IntegrityError(path, f"its {keyword} is {value!r}; expected CXC seconds")
    return _File(Path(path), header, values)


def _mirror_attitudes(solution: _File) -> FloatArray:
    """Return the solver's own attitudes: newer solutions have them beside those corrected for the observatory."""
    if solution.header.get("CONTENT") == "ASPSOLOBI":
        problem = "is the combined solution of an observation (ASPSOLOBI), which has corrected attitudes only"
        raise IntegrityError(solution.path, f"{problem}; give the solutions of its aspect intervals (ASPSOL)")
    attitudes: FloatArray | None = solution.values.get("q_att_raw", solution.values.get("q_att"))
    if attitudes is None or attitudes.shape[1:] != (4,):
        raise IntegrityError(solution.path, "has no column q_att or q_att_raw of quaternions; expected a solution")
    return attitudes


def _misalignment(calibration: _File) -> FloatArray:
    """Return the rotation from the nominal to the actual camera frame, which is stored as 3x3 or as nine numbers."""
    stored = calibration.values["aca_misalign"]
    if not len(stored) or stored[0].size != 9:
        raise IntegrityError(calibration.path, f"its aca_misalign has the shape {stored.shape}; expected 3x3 in a row")
    matrix: FloatArray = np.asarray(stored[0], dtype=float).reshape(3, 3)
    if not np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=1e-5) or np.linalg.det(matrix) < 0:
        raise IntegrityError(calibration.path, f"its aca_misalign is {matrix.tolist()}; expected a rotation")
    return matrix


def _check_agreement(solution: _File, calibration: _File) -> None:
    # An absolute difference: one relative to times of 1e9 s would let hours pass.
    for keyword in ("TSTART", "TSTOP"):
        here, there = solution.header[keyword], calibration.header[keyword]
        if not abs(here - there) <= _AGREEMENT:
            problem = f"is mismatched: its {keyword} is {here}, that of {calibration.path} is {there}"
            raise IntegrityError(solution.path, f"{problem}; expected them to agree within {_AGREEMENT:.0f} s")


def _is_near_bad(times: FloatArray, quality: _File) -> BoolArray:
    """Say which times are within reach of one at which the solution was not good, both ends included."""
    bad = np.sort(quality.values["time"][quality.values["asp_sol_status"] != 0])
    # One is within reach if fewer bad times lie before the reach than before its other end.
    before = np.searchsorted(bad, times - _REACH, side="left")
    until = np.searchsorted(bad, times + _REACH, side="right")
    return np.asarray(before < until)
