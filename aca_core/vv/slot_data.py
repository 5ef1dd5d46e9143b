"""What does a verification know of one slot: the residuals and the measurements, sample by sample."""

from __future__ import annotations

from typing import Literal

import attrs
import numpy as np

from aca_core.arrays import BoolArray, FloatArray, IntArray

__all__ = ["SlotData"]


@attrs.frozen(eq=False, kw_only=True)
class SlotData:
    """The residuals of one star or fid light over an observation, all intervals one behind the other.

    Attributes
    ----------
    slot : int
        0 to 7.
    kind : {'GUIDE', 'MONITOR', 'FID'}
        What is in the slot.
    id_status : str
        Status of the identification, such as ``GOOD``; ``OMITTED`` where the pipeline listed no properties of the
        light.
    cel_loc_flag : int or None
        1 for a star that the solution was made with, 0 for another; None for fid lights.
    time : ndarray of float, shape (n,)
        Middle of each integration, CXC seconds.
    dy, dz : ndarray of float, shape (n,)
        Measured minus predicted angle, arcsec: of the unsmoothed centroids of stars, of the smoothed ones of fid
        lights. NaN where the centroid or the solution is not a number.
    dr : ndarray of float, shape (n,)
        Angular distance of the two, arcsec.
    mag : ndarray of float, shape (n,)
        Magnitude, a running median of 3; NaN where there is no signal to speak of (counts <= 10).
    yag, zag : ndarray of float, shape (n,)
        Predicted angles, arcsec.
    ang_y, ang_z, ang_y_sm, ang_z_sm : ndarray of float, shape (n,)
        Measured angles and smoothed ones, deg.
    qual : ndarray of int, shape (n,)
        Status of the centroid, 0 for a good one; -1 for one that was good but has no residual, which is NaN.
    interval : ndarray of int, shape (n,)
        Which aspect interval of the observation, from 0.
    """

    slot: int
    kind: Literal["GUIDE", "MONITOR", "FID"]
    id_status: str
    cel_loc_flag: int | None
    time: FloatArray
    dy: FloatArray
    dz: FloatArray
    dr: FloatArray
    mag: FloatArray
    yag: FloatArray
    zag: FloatArray
    ang_y: FloatArray
    ang_z: FloatArray
    ang_y_sm: FloatArray
    ang_z_sm: FloatArray
    qual: IntArray
    interval: IntArray

    @property
    def good(self) -> BoolArray:
        """Which samples are good, shape (n,)."""
        return np.asarray(self.qual == 0)
