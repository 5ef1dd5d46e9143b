"""The residuals of each slot over an observation, from those of its aspect intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np

from aca_core.arrays import FloatArray
from aca_core.vv.interpolation import interpolate, interpolate_attitudes
from aca_core.vv.interval import AspectInterval, Centroids
from aca_core.vv.magnitudes import smoothed_magnitudes
from aca_core.vv.properties import SlotProperties
from aca_core.vv.residuals import centroid_residuals, fid_angles, star_angles
from aca_core.vv.slot_data import SlotData

__all__ = ["NOT_A_NUMBER", "all_slot_data", "interval_slot_data"]

NOT_A_NUMBER: Final = -1
"""What `SlotData.qual` is where the centroid is good and its residual is not a number; no status of a file is that."""

_SAMPLES: Final = tuple(
    field.name for field in attrs.fields(SlotData) if field.name not in ("slot", "kind", "id_status", "cel_loc_flag")
)


def all_slot_data(intervals: Sequence[AspectInterval]) -> dict[int, SlotData]:
    """Return the residuals of all slots.

    Parameters
    ----------
    intervals : sequence of AspectInterval
        Of an observation, in order; the first says what is in the slots.

    Returns
    -------
    dict of int to SlotData
        By slot, ascending. A star or fid light without centroids is there too, without samples.
    """
    first = intervals[0]
    solutions = [_Solution(interval) for interval in intervals]
    found = {}
    for light in sorted((*first.stars, *first.fids), key=lambda each: each.slot):
        parts = []
        for number, interval in enumerate(intervals):
            here = interval.fids if light.kind == "FID" else interval.stars
            mine = next((each for each in here if each.slot == light.slot), None)
            if mine is not None and mine.slot in interval.centroids:
                parts.append(_slot_data(solutions[number], mine, number))
        found[light.slot] = _joined(light, parts)
    return found


def interval_slot_data(interval: AspectInterval, light: SlotProperties, number: int = 0) -> SlotData:
    """Return the residuals of a slot in one aspect interval.

    Parameters
    ----------
    interval : AspectInterval
        With centroids of this slot.
    light : SlotProperties
        What is in the slot.
    number : int, default 0
        Which interval of its observation it is.

    Returns
    -------
    SlotData
        Residuals are NaN where the place of the light, the solution or the centroid is not known.
    """
    return _slot_data(_Solution(interval), light, number)


class _Solution:
    """The aspect solution of an interval between its samples.

    The slots are read out together, so that what holds at the times of one usually holds at those of the next.
    """

    def __init__(self, interval: AspectInterval) -> None:
        self.interval = interval
        self._known: dict[str, tuple[FloatArray, FloatArray]] = {}

    def attitudes(self, times: FloatArray) -> FloatArray:
        """Return attitudes at these times."""
        return self._at(times, "attitudes", interpolate_attitudes)

    def offsets(self, times: FloatArray) -> FloatArray:
        """Return offsets at these times."""
        return self._at(times, "offsets", interpolate)

    def _at(self, times: FloatArray, name: str, function: Callable[..., FloatArray]) -> FloatArray:
        if name not in self._known or not np.array_equal(self._known[name][0], times):
            self._known[name] = times, function(times, self.interval.time, getattr(self.interval, name))
        return self._known[name][1]


def _slot_data(solution: _Solution, light: SlotProperties, number: int) -> SlotData:
    interval = solution.interval
    centroids = interval.centroids[light.slot]
    is_fid = light.kind == "FID"
    yag, zag = _predicted(solution, light, centroids)
    measured = (centroids.ang_y_sm, centroids.ang_z_sm) if is_fid else (centroids.ang_y, centroids.ang_z)
    dy, dz, dr = centroid_residuals(*measured, yag, zag)
    lacking = (centroids.status == 0) & ~np.isfinite(dr)
    return SlotData(
        slot=light.slot,
        kind=light.kind,
        id_status=light.id_status,
        cel_loc_flag=light.cel_loc_flag,
        time=centroids.time,
        dy=dy,
        dz=dz,
        dr=dr,
        mag=smoothed_magnitudes(centroids.counts, interval.integration),
        yag=yag,
        zag=zag,
        ang_y=centroids.ang_y,
        ang_z=centroids.ang_z,
        ang_y_sm=centroids.ang_y_sm,
        ang_z_sm=centroids.ang_z_sm,
        qual=np.where(lacking, NOT_A_NUMBER, centroids.status),
        interval=np.full(len(centroids.time), number),
    )


def _predicted(solution: _Solution, light: SlotProperties, centroids: Centroids) -> tuple[FloatArray, FloatArray]:
    """Return where the solution predicts a light at the times of its centroids, arcsec."""
    interval = solution.interval
    if light.place is None or (light.kind == "FID" and interval.fid_frames is None):
        unknown = np.full(len(centroids.time), np.nan)
        return unknown, unknown
    if light.kind == "FID" and interval.fid_frames is not None:
        mounting = interval.aca_misalign @ interval.fts_misalign
        return fid_angles(solution.offsets(centroids.time), light.place, interval.fid_frames, mounting)
    return star_angles(solution.attitudes(centroids.time), light.place, interval.aca_misalign)


def _joined(light: SlotProperties, parts: Sequence[SlotData]) -> SlotData:
    """Return the samples of all intervals one behind the other."""
    if len(parts) == 1:
        samples = {name: getattr(parts[0], name) for name in _SAMPLES}
    else:
        nothing = {name: np.empty(0, int if name in ("qual", "interval") else float) for name in _SAMPLES}
        samples = {
            name: np.concatenate([getattr(part, name) for part in parts]) if parts else empty
            for name, empty in nothing.items()
        }
    return SlotData(
        slot=light.slot, kind=light.kind, id_status=light.id_status, cel_loc_flag=light.cel_loc_flag, **samples
    )
