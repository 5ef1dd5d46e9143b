"""The bytes of header 3: what they say, how that goes on with time, and how it is encoded.

The quantities stand one after the other in twelve bytes of each slot's 8x8 images, big-endian, some of them across the
end of a slot. Values of power supplies, bits and thermistors are about those of flight on 2019:272.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.errors import UnknownNameError
from aca_core.simulation.dark_draw import usual_t_ccd
from aca_core.simulation.telemetry_clock import frame_time, frames_of, normals
from aca_core.simulation.telemetry_plan import History

__all__ = ["BYTE_COLUMNS", "WORDS", "header3_bytes", "header3_histories", "header3_values", "header3_words"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]

BYTE_COLUMNS: Final = tuple(f"HD3TLM{image}{word}" for image in (6, 7) for word in range(2, 8))
"""The columns of the twelve bytes, in the order in which they are read."""


@attrs.frozen
class _Word:
    """A quantity, and how its value becomes a whole number of some bytes.

    `how` is its scale, value for one count; or that it is read off a thermistor, or counted and set by `_FIXED`, or the
    upper half of another one.
    """

    name: str
    width: int
    how: float | Literal["thermistor", "fixed", "upper half"] = "fixed"


_MV: Final = 0.30518
_CLOCK: Final = 2e-6  # s

WORDS: Final = (
    _Word("ac_status_word", 2),
    _Word("misc_status_bits", 2),
    _Word("ccd_molyb_therm_1", 2, "thermistor"),
    _Word("ccd_molyb_therm_2", 2, "thermistor"),
    _Word("ccd_det_therm", 2, "thermistor"),
    _Word("ad_5v_ps", 2, _MV),
    _Word("ad_15v_ps", 2, 0.61035),
    _Word("ad_m15v_ps", 2, 0.61035),
    _Word("ad_27v_ps", 2, 1.04597),
    _Word("ad_analog_gnd", 2, _MV),
    _Word("ad_converter_therm", 2, "thermistor"),
    _Word("ad_smhs_therm", 2, "thermistor"),
    _Word("ad_smohs_therm", 2, "thermistor"),
    _Word("ad_pmhs_therm", 2, "thermistor"),
    _Word("ad_pmohs_therm", 2, "thermistor"),
    _Word("ad_achhs_therm", 2, "thermistor"),
    _Word("ad_achohs_therm", 2, "thermistor"),
    _Word("ad_lc_therm", 2, "thermistor"),
    _Word("proc_stack_telem_ctr", 2),
    _Word("sci_hdr_pulse_period", 4, _CLOCK),
    *(_Word(f"zero_off16_quad_{quadrant}", 2, "upper half") for quadrant in "abcd"),
    *(_Word(f"zero_off32_quad_{quadrant}", 4, 2.0**-16) for quadrant in "abcd"),
    _Word("ccd_flush_dur", 2, _CLOCK),
    _Word("ccd_row_shift_period", 2, 1e-6),
    _Word("avg_bkg", 2, 5.0),
    _Word("dsn_hdr1", 6),
    _Word("dsn_hdr2", 4),
    _Word("ccd_temp", 4, 0.01 / 65536),
    _Word("ccd_setpoint", 2, 0.01),
    _Word("aca_temp", 4, 1 / 256),
    _Word("last_ram_fail_addr", 2),
    _Word("dac", 2, 1.0),
)
"""All quantities, in the order of their bytes through the slots (sot/mica ``hdr3_only_msids``)."""

_FIXED: Final[dict[str, Callable[[IntArray], IntArray]]] = {
    "ac_status_word": lambda periods: np.full_like(periods, 0x02B4),
    # TecActive, AcTableCkSumOK, WarmBoot, IdleCode; now and then data for the IU is pending.
    "misc_status_bits": lambda periods: 0x01A4 + 0x1000 * (periods % 997 == 0),
    "proc_stack_telem_ctr": lambda periods: 0x3C00 + 4 * periods % 256,
    "dsn_hdr1": lambda periods: np.full_like(periods, 0x53594E544845),
    "dsn_hdr2": lambda periods: (periods % 2**24 << 8) + 0x0D,
    "last_ram_fail_addr": lambda periods: np.zeros_like(periods),
}
"""Bits, counters and what never changes, by period."""

_THERMISTORS: Final = (
    *("3D70", "3C9E", "3B98", "3A55", "38CD", "36FD", "34E1", "3279", "2FCB", "2CDF", "29C5", "2688", "2340"),
    *("2000", "1CD3", "19CC", "16F4", "1454", "11EF", "0FC5", "0DD8", "0C22", "0A9F", "094D", "0825"),
)
"""Readings at -40, -35, … 80 degC (the same document)."""

_ORBIT: Final = 63.5 * 3600.0
_WARMING: Final = 3600.0
_DAY: Final = 86400.0
_YEAR: Final = 365.25 * _DAY


# ---- what is true ---------------------------------------------------------------------------------------------------


def header3_histories(start: float) -> tuple[History, ...]:
    """Return how the quantities go on from a time.

    Parameters
    ----------
    start : float
        CXC seconds; it decides how warm the CCD is, which warms through the years.

    Returns
    -------
    tuple of History
        Of everything that is no bit, counter or constant.
    """
    from aca_core.dates import to_frac_year

    ccd = usual_t_ccd(float(to_frac_year(start)))
    near_ccd: dict[str, Any] = {"trend": 0.3, "daily": 0.4, "perigee": 1.2}
    optics: dict[str, Any] = {"trend": 0.2, "daily": 0.12, "perigee": 0.3, "noise": 0.006}
    warm: dict[str, Any] = {"trend": 0.2, "daily": 0.25, "perigee": 0.5, "noise": 0.006}
    parts: dict[str, tuple[str, float, dict[str, Any]]] = {
        "ccd_molyb_therm_1": ("degC", 41.09, warm),
        "ccd_molyb_therm_2": ("degC", 40.52, warm),
        "ccd_det_therm": ("degC", ccd + 0.6, near_ccd | {"noise": 0.012}),
        "ad_5v_ps": ("mV", 4914.0, {"noise": 1.2}),
        "ad_15v_ps": ("mV", 14785.0, {"noise": 1.0}),
        "ad_m15v_ps": ("mV", -14880.0, {"noise": 1.0}),
        "ad_27v_ps": ("mV", 26588.0, {"noise": 12.0, "daily": 20.0}),
        "ad_analog_gnd": ("mV", -2.4, {"noise": 0.4}),
        "ad_converter_therm": ("degC", 35.6, warm),
        "ad_smhs_therm": ("degC", 30.38, optics),
        "ad_smohs_therm": ("degC", 30.12, optics),
        "ad_pmhs_therm": ("degC", 31.02, optics),
        "ad_pmohs_therm": ("degC", 30.87, optics),
        "ad_achhs_therm": ("degC", 31.54, optics),
        "ad_achohs_therm": ("degC", 31.33, optics),
        "ad_lc_therm": ("degC", 31.14, optics),
        "sci_hdr_pulse_period": ("s", 2.05, {"noise": 4e-6}),
        "zero_off32_quad_a": ("count", 1017.3, {"daily": 0.8, "noise": 0.2}),
        "zero_off32_quad_b": ("count", 1042.8, {"daily": 0.8, "noise": 0.2}),
        "zero_off32_quad_c": ("count", -12.6, {"daily": 0.8, "noise": 0.2}),
        "zero_off32_quad_d": ("count", 988.1, {"daily": 0.8, "noise": 0.2}),
        "ccd_flush_dur": ("s", 0.0512, {"noise": 4e-6}),
        "ccd_row_shift_period": ("s", 240e-6, {}),
        "avg_bkg": ("electron", 90.0, {"perigee": 40.0, "noise": 8.0}),
        "ccd_temp": ("degC", ccd, near_ccd | {"noise": 0.02}),
        "ccd_setpoint": ("degC", -20.0, {}),
        "aca_temp": ("degC", 31.14, optics),
        "dac": ("count", 511.0, {}),
    }
    return tuple(
        History(name=name, unit=unit, mean=round(mean, 4), since=start, **rest)
        for name, (unit, mean, rest) in parts.items()
    )


def header3_values(histories: Iterable[History], seed: int, name: str, periods: IntArray) -> FloatArray:
    """Return what a quantity truly is, before it is encoded.

    Parameters
    ----------
    histories : iterable of History
        How quantities go on.
    seed : int
        From which noise is drawn.
    name : str
        Which quantity.
    periods : ndarray of int64
        When, ascending or not.

    Returns
    -------
    ndarray of float64
        In the unit of its history; of bits, counters and constants, which have none, the number that is written.

    Raises
    ------
    UnknownNameError
        There is no such quantity.
    """
    word = _word(name)
    if word.how == "fixed":
        return np.asarray(_FIXED[name](periods), dtype=np.float64)
    if word.how == "upper half":
        return header3_values(histories, seed, name.replace("16", "32"), periods)
    history = next(each for each in histories if each.name == name)
    if not periods.size:
        return np.empty(periods.shape)
    times = frame_time(frames_of(0) + 16 * periods)
    orbit = (times + 0.25 * _ORBIT) % _ORBIT - 0.5 * _ORBIT
    values = history.mean + history.trend / _YEAR * (times - history.since)
    values += history.daily * np.sin(2 * np.pi / _DAY * times)
    values += history.perigee * np.exp(-0.5 * (orbit / _WARMING) ** 2)
    if history.noise:
        values += history.noise * _noise(seed, name, periods)
    return np.asarray(values)


def _noise(seed: int, name: str, periods: IntArray) -> FloatArray:
    """Return the noise of a quantity at some periods, for each always the same."""
    key = (seed, 3, WORDS.index(_word(name)))
    first, last = int(periods.min()), int(periods.max())
    if last - first < 4 * periods.size + 4096:  # as in a file: one range
        return np.asarray(normals(key, first, last + 1, 1)[periods - first, 0], dtype=np.float64)
    whole, places = np.unique(periods, return_inverse=True)
    splits = np.flatnonzero(np.diff(whole) > 4096) + 1
    runs = (normals(key, int(run[0]), int(run[-1]) + 1, 1)[run - run[0], 0] for run in np.split(whole, splits))
    return np.asarray(np.concatenate(list(runs))[places.reshape(periods.shape)], dtype=np.float64)


def _word(name: str) -> _Word:
    for word in WORDS:
        if word.name == name:
            return word
    raise UnknownNameError("quantity of header 3", name, [word.name for word in WORDS])


# ---- how it is encoded ----------------------------------------------------------------------------------------------


def header3_words(histories: Iterable[History], seed: int, name: str, periods: IntArray) -> IntArray:
    """Return the whole numbers that are written of a quantity.

    Parameters
    ----------
    histories, seed, name, periods
        As for `header3_values`.

    Returns
    -------
    ndarray of int64
        Negative ones as they are, not as their complement.

    Raises
    ------
    UnknownNameError
        There is no such quantity.
    """
    word = _word(name)
    if word.how == "fixed":
        return np.asarray(_FIXED[name](periods), dtype=np.int64)
    if word.how == "upper half":
        return header3_words(histories, seed, name.replace("16", "32"), periods) >> 16
    values = header3_values(histories, seed, name, periods)
    if word.how == "thermistor":
        readings, between = _readings()
        return np.asarray(readings[np.searchsorted(between, values)])
    return np.asarray(np.rint(values / word.how), dtype=np.int64)


@cache
def _readings() -> tuple[IntArray, FloatArray]:
    """Return readings of a thermistor from the coldest on, and the temperatures in the middle between them."""
    from scipy.interpolate import CubicSpline

    known = np.array([int(text, 16) for text in _THERMISTORS])
    spline = CubicSpline(known[::-1], 5.0 * np.arange(len(known))[::-1] - 40.0)  # not-a-knot, the default
    readings = np.arange(known[0], known[-1] - 1, -1)
    temperatures = spline(readings)
    return readings, np.asarray((temperatures[1:] + temperatures[:-1]) / 2)


def header3_bytes(histories: Iterable[History], seed: int, slot: int, periods: IntArray) -> npt.NDArray[np.uint8]:
    """Return the twelve bytes that a slot's 8x8 images have of header 3.

    Parameters
    ----------
    histories, seed
        As for `header3_values`.
    slot : int
        0 to 7.
    periods : ndarray of int64, shape (n,)
        Of the images.

    Returns
    -------
    ndarray of uint8, shape (n, 12)
        In the order of `BYTE_COLUMNS`.
    """
    found = np.empty((len(periods), len(BYTE_COLUMNS)), dtype=np.uint8)
    place = -len(BYTE_COLUMNS) * slot
    for word in WORDS:
        inside = [byte for byte in range(word.width) if 0 <= place + byte < len(BYTE_COLUMNS)]
        if inside:
            numbers = header3_words(histories, seed, word.name, periods)
            for byte in inside:
                found[:, place + byte] = numbers >> 8 * (word.width - 1 - byte) & 0xFF
        place += word.width
    return found
