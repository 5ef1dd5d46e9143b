"""How large the residuals of one slot are: the numbers that a report keeps."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from aca_core.arrays import BoolArray, FloatArray
from aca_core.vv.slot_data import SlotData

__all__ = ["BIG", "ENCLOSED", "OMITTED", "slot_statistics"]

BIG: Final = 0.7
"""From what distance to the median on a sample counts as far off, arcsec or mag (sot/mica `vv/core.py`)."""

ENCLOSED: Final = (68.0, 95.0)
"""Which percentiles of the angular distance are kept as `enc_rad1` and `enc_rad2` (sot/mica `vv/core.py`)."""

_UNBROKEN: Final = 10.0
"""Which percentile of the steps in time is taken for one without a loss: it is, down to a tenth of the samples."""

OMITTED: Final = "OMITTED"
"""Status of a light whose properties the pipeline did not list; the position of such a fid light is not known."""


def slot_statistics(data: SlotData) -> dict[str, Any]:
    """Return the statistics of one slot.

    Parameters
    ----------
    data : SlotData
        Its residuals, all intervals together.

    Returns
    -------
    dict
        ``slot``, ``type``, ``id_status`` and, of stars, ``cel_loc_flag``. Nothing more where there are no samples,
        and for a fid light that was omitted, whose residuals mean nothing. Else with v each of ``dr``, ``dy``, ``dz``
        (arcsec) and ``mag``:

        ``v_n_samples``, ``v_bad_samples``
            Number of samples, and how many of them are not used: those of ``dr``, ``dy``, ``dz`` that are not good,
            those of ``mag`` without signal, and any that is no number.
        ``v_mean``, ``v_med``, ``v_rms``
            Of the used ones; the rms is about the median.
        ``frac_v_big``
            How many of the used ones are more than 0.7 from the median, as a part of **all** samples.
        ``rad_off``
            Distance of the medians of ``dy`` and ``dz`` from zero, arcsec.
        ``n_pts``
            Number of samples.
        ``mean_y``, ``mean_z``
            Mean measured angles of **all** samples, smoothed ones of fid lights, deg.
        ``enc_rad1``, ``enc_rad2``
            68 and 95 percentile of ``dr`` of **all** samples, arcsec.
        ``mag_mean_good``, ``mag_med_good``, ``mag_rms_good``, ``mean_y_good``, ``mean_z_good``, ``enc_rad1_good``,
        ``enc_rad2_good``
            The same of good samples alone.
        ``frac_v_big_good``
            ``frac_v_big`` as a part of the used samples; of ``mag``, of the good ones alone.
        ``seconds_good``
            Number of good samples times the distance of samples where none is missing, s.
        ``intervals_good``
            In how many intervals there is a good sample.

        A number that no sample says anything about is None.

    Examples
    --------
    >>> values = np.array([0.1, 0.2, -0.1, 0.9, 0.0])
    >>> zero = np.zeros(5)
    >>> data = SlotData(
    ...     slot=4, kind="GUIDE", id_status="GOOD", cel_loc_flag=1, time=np.arange(5.0), dy=values, dz=zero,
    ...     dr=abs(values), mag=zero + 9.5, yag=zero, zag=zero, ang_y=zero, ang_z=zero, ang_y_sm=zero, ang_z_sm=zero,
    ...     qual=np.zeros(5, int), interval=np.zeros(5, int),
    ... )
    >>> statistics = slot_statistics(data)
    >>> statistics["dy_med"], round(statistics["dy_rms"], 6), statistics["frac_dy_big"]
    (0.1, 0.374166, 0.2)
    """
    found: dict[str, Any] = {"slot": int(data.slot), "type": data.kind, "id_status": data.id_status}
    is_fid = data.kind == "FID"
    if not is_fid:
        found["cel_loc_flag"] = data.cel_loc_flag
    if not len(data.time) or (is_fid and data.id_status == OMITTED):
        return found
    good = np.asarray(data.good)
    y, z = (data.ang_y_sm, data.ang_z_sm) if is_fid else (data.ang_y, data.ang_z)
    # What is too large for the square of a float is no measurement; it ends as None, and not as a warning.
    with np.errstate(over="ignore", invalid="ignore"):
        for name, values in (("dr", data.dr), ("dy", data.dy), ("dz", data.dz)):
            found |= _spread(name, values, good)
        found |= _spread("mag", data.mag, np.ones_like(good)) | _only_good_magnitudes(data.mag, good)
        found |= {"rad_off": _rad_off(found["dy_med"], found["dz_med"]), "n_pts": len(good)}
        for ending, chosen in (("", np.ones_like(good)), ("_good", good)):
            found |= {f"mean_y{ending}": _mean(y, chosen), f"mean_z{ending}": _mean(z, chosen)}
            found |= _enclosing(data.dr, chosen, ending)
    return found | _coverage(data)


def _spread(name: str, values: FloatArray, chosen: BoolArray) -> dict[str, Any]:
    """Return mean, median, scatter and far-off samples of what was chosen."""
    used = _used(values, chosen)
    total = len(values)
    found = {f"{name}_n_samples": total, f"{name}_bad_samples": total - len(used)}
    if not len(used):
        unknown = (f"{name}_mean", f"{name}_med", f"{name}_rms", f"frac_{name}_big", f"frac_{name}_big_good")
        return found | dict.fromkeys(unknown)
    median = _median(used)
    off = used - median
    big = int(np.count_nonzero(np.abs(off) > BIG))
    return {
        **found,
        f"{name}_mean": _number(used.mean()),
        f"{name}_med": _number(median),
        f"{name}_rms": _number(np.sqrt(np.mean(off**2))),
        f"frac_{name}_big": big / total,
        f"frac_{name}_big_good": big / len(used),
    }


def _only_good_magnitudes(mag: FloatArray, good: BoolArray) -> dict[str, Any]:
    of_good = _spread("mag", mag, good)
    names = ("mag_mean", "mag_med", "mag_rms")
    return {f"{name}_good": of_good[name] for name in names} | {"frac_mag_big_good": of_good["frac_mag_big_good"]}


def _enclosing(distance: FloatArray, chosen: BoolArray, ending: str) -> dict[str, Any]:
    used = _used(distance, chosen)
    radii = [_percentile(used, each) if len(used) else np.nan for each in ENCLOSED]
    return {f"enc_rad{number}{ending}": _number(radius) for number, radius in enumerate(radii, start=1)}


def _coverage(data: SlotData) -> dict[str, Any]:
    """Return for how long, and in how many intervals, the slot had good samples."""
    used = data.good & np.isfinite(data.dy) & np.isfinite(data.dz)
    intervals = len(np.unique(data.interval[used]))
    return {"seconds_good": _number(np.count_nonzero(used) * _step(data.time)), "intervals_good": intervals}


def _step(times: FloatArray) -> float:
    """Return how far samples lie apart where none is missing, s: a small percentile, for most of them may be."""
    steps = np.diff(times)
    steps = steps[steps > 0]
    return float(np.percentile(steps, _UNBROKEN, method="lower")) if len(steps) else 0.0


def _median(values: FloatArray) -> float:
    """Return the median of finite values; numpy looks for NaN among them, which takes most of its time."""
    middle, after = _neighbours(values, (len(values) - 1) // 2)
    return middle if len(values) % 2 else (middle + after) / 2


def _percentile(values: FloatArray, percent: float) -> float:
    """Return a percentile of finite values, between order statistics as `numpy.percentile` does it."""
    place = percent / 100 * (len(values) - 1)
    below, above = _neighbours(values, int(place))
    part = place - int(place)
    return below + (above - below) * part if part < 0.5 else above - (above - below) * (1 - part)


def _neighbours(values: FloatArray, place: int) -> tuple[float, float]:
    """Return the order statistic of a place, from 0, and the next; the same twice at the end."""
    parted = np.partition(values, place)
    here = float(parted[place])
    return here, float(parted[place + 1 :].min()) if place + 1 < len(parted) else here


def _rad_off(y: float | None, z: float | None) -> float | None:
    return None if y is None or z is None else _number(np.hypot(y, z))


def _mean(values: FloatArray, chosen: BoolArray) -> float | None:
    used = _used(values, chosen)
    return _number(used.mean()) if len(used) else None


def _used(values: FloatArray, chosen: BoolArray) -> FloatArray:
    values = np.asarray(values, dtype=float)
    return values[chosen & np.isfinite(values)]


def _number(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
