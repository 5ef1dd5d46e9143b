"""How much did the instrument module move against the mirror, as the fid lights show it: the SIM offsets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats
from aca_core.vv.filters import running_median

__all__ = ["SimOffsets", "sim_offsets", "sim_report"]

ARCSEC_PER_MM: Final = 20.0
"""What V&V takes an offset for (sot/mica vv/core.py), arcsec/mm; rounded from 20.493."""

_WINDOW: Final = 21
"""Samples in the running median (sot/mica vv/core.py), 5.4 s of the solution."""


@attrs.frozen(eq=False, kw_only=True)
class SimOffsets:
    """Offsets of the instrument module in one aspect interval.

    Attributes
    ----------
    time : ndarray, shape (n,)
        CXC seconds.
    medf_dy, medf_dz : ndarray, shape (n,)
        Running medians of the offsets, arcsec; NaN where the solution has none.
    d_dy, d_dz : ndarray, shape (n - 1,)
        By how much one differs from the next, arcsec, not negative; element i lies between ``time[i]`` and the next.
    """

    time: FloatArray
    medf_dy: FloatArray
    medf_dz: FloatArray
    d_dy: FloatArray
    d_dz: FloatArray


@np.errstate(over="ignore")  # what overflows is no offset either
def sim_offsets(time: npt.ArrayLike, dy: npt.ArrayLike, dz: npt.ArrayLike) -> SimOffsets:
    """Return the offsets of one aspect interval, without single samples that stick out.

    Parameters
    ----------
    time : array_like, shape (n,)
        Of the aspect solution, CXC seconds.
    dy, dz : array_like, shape (n,)
        Its offsets, mm.

    Returns
    -------
    SimOffsets
        In arcsec, 20 to the mm; medians of 21 samples, the first and the last repeated at the ends.

    Raises
    ------
    DeclarationError
        They are not as many as the times, or no numbers. It is a ValueError.

    Examples
    --------
    >>> offsets = sim_offsets(range(41), [0.1 + 0.01 * number for number in range(41)], [0.0] * 41)
    >>> offsets.medf_dy[[0, 20, 40]].round(9).tolist(), offsets.d_dy.max().round(9).item()
    ([2.0, 6.0, 10.0], 0.2)
    """
    times, y, z = (
        as_floats("sim_offsets", name, values, unit)
        for name, values, unit in (("time", time, "s"), ("dy", dy, "mm"), ("dz", dz, "mm"))
    )
    if times.ndim != 1 or not times.shape == y.shape == z.shape:
        shapes = f"time {times.shape}, dy {y.shape}, dz {z.shape}"
        raise DeclarationError("sim_offsets", "shapes", shapes, "one dimension, the same for all")
    in_arcsec = (ARCSEC_PER_MM * offsets for offsets in (y, z))
    medf_dy, medf_dz = (running_median(np.where(np.isfinite(each), each, np.nan), _WINDOW) for each in in_arcsec)
    d_dy, d_dz = (np.abs(np.diff(offsets)) for offsets in (medf_dy, medf_dz))
    return SimOffsets(time=times, medf_dy=medf_dy, medf_dz=medf_dz, d_dy=d_dy, d_dz=d_dz)


def sim_report(intervals: Iterable[SimOffsets]) -> dict[str, float | None]:
    """Return the extremes of the offsets over an observation.

    Parameters
    ----------
    intervals : iterable of SimOffsets
        Of its aspect intervals. Nothing is compared from one to the next.

    Returns
    -------
    dict of str to float or None
        ``max_medf_dy``, ``min_medf_dy``, ``max_medf_dz``, ``min_medf_dz``, ``max_d_dy``, ``max_d_dz``, arcsec; None
        where there is no offset.

    Examples
    --------
    >>> report = sim_report([sim_offsets([0.0, 1.0], [0.15, 0.16], [0.3, 0.3])])
    >>> report["max_medf_dy"], report["max_d_dz"]
    (3.2, 0.0)
    """
    listed = list(intervals)
    every = {
        name: np.concatenate([getattr(each, name) for each in listed] or [np.empty(0)])
        for name in ("medf_dy", "medf_dz", "d_dy", "d_dz")
    }
    report: dict[str, float | None] = {}
    for name in ("medf_dy", "medf_dz"):
        report[f"max_{name}"] = _extreme(np.max, every[name])
        report[f"min_{name}"] = _extreme(np.min, every[name])
    return report | {f"max_{name}": _extreme(np.max, every[name]) for name in ("d_dy", "d_dz")}


def _extreme(function: Callable[[FloatArray], Any], values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(function(known)) if known.size else None
