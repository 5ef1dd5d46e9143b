"""What a simulated dark calibration is drawn from: its times, the temperature of the CCD, the sky, and the map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.dark_current.images import degraded_ccd, pristine_ccd, synthetic_dark_image
from aca_core.dark_current.scaling import dark_temp_scale
from aca_core.dates import dark_id_to_date, day_start, to_frac_year, to_secs
from aca_core.simulation.dark_truth import DarkCalTruth, DarkReplicaTruth

__all__ = ["HDR3_FROM", "TELEMETRY_FROM", "draw_calibration", "draw_map", "rng_of", "temperature_at", "usual_t_ccd"]

_HISTORY: Final[Mapping[float, float]] = {
    1999.0: -10.0,
    2003.4: -10.0,
    2003.5: -14.9,
    2006.95: -15.05,
    2007.0: -19.1,
    2012.6: -18.98,
    2012.9: -16.6,
    2014.3: -15.8,
    2014.8: -13.9,
    2017.5: -13.5,
    2018.0: -11.5,
    2020.0: -10.3,
    2024.0: -7.5,
}
"""Temperatures of calibrations by year, degC: until 2015 about those of the list in sot/state_of_aca
``dark_cals_with_temp``, later made up in its manner: the CCD goes on warming."""

_FLAWLESS: Final = 1999.389  # 1999-05-23, where the recipe of 2013 begins
_MODEL_FROM: Final = 2007.0
"""The dark model of 2017 is valid after it; earlier maps are a pristine CCD that was degraded, made for -19 degC."""

_REPLICA: Final = 1700.0
_PAUSE: Final = 1300.0
_SHORTEST: Final = 8400.0
"""How long a replica, a pause and a calibration last, s; what is shorter than 8000 s is no calibration."""

TELEMETRY_FROM: Final = to_secs("2000:001")
HDR3_FROM: Final = to_secs("2002:300")
"""Header 3 tells the temperature from about here on, as in the list above."""


def rng_of(seed: int, dark_id: str, part: int) -> np.random.Generator:
    """Return the random numbers of one part of one calibration: the same, whatever else is simulated.

    Parameters
    ----------
    seed : int
        Of the simulation.
    dark_id : str
        ``YYYYDOY``.
    part : int
        Which part.

    Returns
    -------
    Generator
    """
    return np.random.default_rng([seed, int(dark_id), part])


def usual_t_ccd(frac_year: float) -> float:
    """Return about how warm the CCD was, or may become, in a year.

    Parameters
    ----------
    frac_year : float
        Year with a fraction.

    Returns
    -------
    float
        degC.

    Examples
    --------
    >>> usual_t_ccd(2003.0)
    -10.0
    """
    return float(np.interp(frac_year, list(_HISTORY), list(_HISTORY.values())))


def draw_calibration(
    dark_id: str, rng: np.random.Generator, *, t_ccd: float | None, n_replicas: int, noise: float
) -> DarkCalTruth:
    """Draw all of a calibration but its map.

    Parameters
    ----------
    dark_id : str
        ``YYYYDOY``.
    rng : Generator
        Of this calibration.
    t_ccd : float or None
        CCD temperature in its middle, degC; None for what is usual in its year.
    n_replicas : int
        How many full readouts it has.
    noise : float
        Standard deviation of the noise of its map, e-/s.

    Returns
    -------
    DarkCalTruth
        ``n_warm`` is 0: it is known with the map.
    """
    begun = day_start(dark_id_to_date(dark_id)) + float(rng.uniform(1800.0, 50_000.0))
    frac_year = to_frac_year(begun)
    usual = usual_t_ccd(frac_year) + float(rng.normal(0.0, 0.1))
    drift = float(rng.normal(0.0, 0.02))
    truth = DarkCalTruth(
        dark_id=dark_id,
        tstart=round(begun, 3),
        tstop=round(begun, 3),
        t_ccd=round(usual if t_ccd is None else t_ccd, 3),
        drift=round(drift, 5),
        source="GUESS" if begun < TELEMETRY_FROM else "AACCCDPT" if begun < HDR3_FROM else "HDR3",
        recipe="dark model 2017" if frac_year > _MODEL_FROM else "pristine CCD, degraded by the recipe of 2013",
        noise=noise,
        n_warm=0,
        sky=_sky(dark_id, rng),
        replicas=(),
    )
    return _with_replicas(truth, n_replicas)


def _with_replicas(truth: DarkCalTruth, number: int) -> DarkCalTruth:
    import attrs

    length = max(_REPLICA, (_SHORTEST - (number - 1) * _PAUSE) / number)
    step = length + _PAUSE
    whole = attrs.evolve(truth, tstop=round(truth.tstart + number * step - _PAUSE, 3))
    starts = [truth.tstart + index * step for index in range(number)]
    replicas = tuple(
        DarkReplicaTruth(
            count=count,
            tstart=round(start, 3),
            tstop=round(start + length, 3),
            t_ccd=round(float(temperature_at(whole, start + length / 2)), 4),
        )
        for count, start in enumerate(starts, start=1)
    )
    return attrs.evolve(whole, replicas=replicas)


def temperature_at(truth: DarkCalTruth, times: float | FloatArray) -> FloatArray:
    """Return the true CCD temperature at times near a calibration: it drifts, and swings back far from it.

    Parameters
    ----------
    truth : DarkCalTruth
        The calibration.
    times : float or ndarray, any shape
        CXC seconds.

    Returns
    -------
    ndarray of float64, shape of `times`
        degC.
    """
    hours = (np.asarray(times) - (truth.tstart + truth.tstop) / 2) / 3600.0
    return np.asarray(truth.t_ccd + truth.drift * 4.0 * np.sin(hours / 4.0))


def draw_map(truth: DarkCalTruth, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw the map of a calibration at its temperature, with noise that makes cool pixels negative.

    Parameters
    ----------
    truth : DarkCalTruth
        The calibration.
    rng : Generator
        Of its map.

    Returns
    -------
    ndarray of float32, shape (1024, 1024)
        e-/s.
    """
    frac_year = to_frac_year(truth.tstart)
    if frac_year > _MODEL_FROM:
        image = synthetic_dark_image(truth.tstart, truth.t_ccd, rng)
    else:
        cold = degraded_ccd(pristine_ccd(rng), max(0.0, frac_year - _FLAWLESS), rng)
        image = cold * dark_temp_scale(-19.0, truth.t_ccd)
    shape = image.shape
    noisy: npt.NDArray[np.float32] = image.astype(np.float32)
    noisy += np.float32(truth.noise) * rng.standard_normal(shape, dtype=np.float32)
    return noisy


def _sky(dark_id: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw where the camera looked: away from the Sun; the zodiacal light is brighter near its plane."""
    date = dark_id_to_date(dark_id)
    sun = _sun_longitude(to_secs(date))
    elongation = float(rng.uniform(60.0, 180.0) * rng.choice([-1.0, 1.0]))
    longitude, latitude = (sun + elongation) % 360.0, float(rng.uniform(-60.0, 60.0))
    ra, dec = _equatorial(longitude, latitude)
    zodib = 85.0 + 190.0 * math.cos(math.radians(latitude)) ** 2 * (0.3 + 0.7 * (1 - (abs(elongation) - 60.0) / 120.0))
    values = {"ra": ra, "dec": dec, "el": longitude, "eb": latitude, "sun_el": sun, "l_l0": longitude - sun}
    return {"date": date, **{name: round(value, 4) for name, value in values.items()}, "zodib": round(zodib, 4)}


def _sun_longitude(secs: float) -> float:
    """Return the ecliptic longitude of the Sun, deg, to 0.01 deg (Astronomical Almanac, low-precision formulas)."""
    days = secs / 86400.0 - 730.5  # from J2000.0; CXC seconds count from 1998.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    return (280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)) % 360.0


def _equatorial(longitude: float, latitude: float) -> tuple[float, float]:
    """Return right ascension and declination of a place by the ecliptic, deg; obliquity of J2000."""
    el, eb, tilt = (math.radians(each) for each in (longitude, latitude, 23.4393))
    x, y, z = math.cos(eb) * math.cos(el), math.cos(eb) * math.sin(el), math.sin(eb)
    y, z = y * math.cos(tilt) - z * math.sin(tilt), y * math.sin(tilt) + z * math.cos(tilt)
    return math.degrees(math.atan2(y, x)) % 360.0, math.degrees(math.asin(z))
