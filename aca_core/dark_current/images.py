"""What a dark map looks like that a model predicts: synthetic images, a CCD as new, and one that has aged in orbit.

Everything drawn here is synthetic: none of it was measured by the camera.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dark_current.bins import CCD_PIXELS, LOG_STEP, bin_centres, bin_edges, smoothing
from aca_core.dark_current.laws import DarkLaw, dark_law
from aca_core.dark_current.scaling import dark_temp_scale, one_ccd_temperature
from aca_core.dark_sources import CCD_SHAPE
from aca_core.dates import DateScalar, to_frac_year
from aca_core.errors import DeclarationError
from aca_core.quantities import as_floats

__all__ = ["RandomSource", "degraded_ccd", "draw_image", "pristine_ccd", "synthetic_dark_image"]

RandomSource: TypeAlias = np.random.Generator | int | None
"""Where random numbers come from: a generator, a seed, or nothing for fresh ones every time."""

_PRISTINE_T_CCD: Final = -19.0  # degC
_COOL: Final = 40.0  # e-/s; pixels of the base that are warmer were damaged before
_PRISTINE: Final = ((698_576, 4.5, 0.25), (350_000, 2.5, 0.45))  # pixels, median (e-/s), sigma of ln
_N_HIT: Final = 800_000  # pixels that gain a little in any time
_GAIN_PER_YEAR: Final = 0.7  # e-/s, in the mean
_DAMAGE_BINS: Final = 79
_MOST_YEARS: Final = 100.0  # which are 4 million damaged pixels; the recipe was made for twenty years


def synthetic_dark_image(
    date: DateScalar, t_ccd_ref: Any = None, rng: RandomSource = None, *, base: Any = None, model: str = "2017"
) -> FloatArray:
    """Draw a dark map for a date: the pixels of a CCD as new, with the damage that a model predicts added.

    Parameters
    ----------
    date : date-like
        One date.
    t_ccd_ref : float or Quantity, optional
        CCD temperature of the result, degC; the model's reference temperature if it is left out.
    rng : numpy Generator, int, optional
        Random numbers, or a seed of them. Without it every call draws another image.
    base : float or array_like, shape (1024, 1024), optional
        What lies beneath the damage, e-/s at the model's reference temperature: a map from before the damage, or
        0.0 for nothing. `pristine_ccd` if it is left out. Pixels above 40 e-/s are replaced by others of it.
    model : {'2013', '2017'}
        Which law.

    Returns
    -------
    ndarray of float64, shape (1024, 1024)
        Dark current, e-/s, synthetic. Where a pixel lies means nothing: they are shuffled.

    Raises
    ------
    DeclarationError
        An argument cannot be used, or the model has more damaged pixels at the date than the CCD has pixels (the law
        of 2013 from 2018, that of 2017 from 2025). It is a ValueError.
    DateError
        `date` is not a date.
    UnknownNameError
        There is no such model.

    Examples
    --------
    >>> image = synthetic_dark_image("2013:001", -19.0, rng=1)
    >>> image.shape, bool(0.07 < (image > 100).mean() < 0.10)
    ((1024, 1024), True)
    """
    what = "synthetic_dark_image"
    law = dark_law(model)
    frac_year = to_frac_year(date)
    if not isinstance(frac_year, float):
        raise DeclarationError(what, "date", date, "one date")
    t_ccd = law.t_ccd_ref if t_ccd_ref is None else one_ccd_temperature(what, "t_ccd_ref", t_ccd_ref)
    image = draw_image(what, law, frac_year, rng, base)
    image *= dark_temp_scale(law.t_ccd_ref, t_ccd)
    return image


def draw_image(what: str, law: DarkLaw, frac_year: float, rng: RandomSource, base: Any) -> FloatArray:
    """Draw a dark map at a law's reference temperature.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    law : DarkLaw
        The law.
    frac_year : float
        Year with a fraction.
    rng : numpy Generator, int, optional
        Random numbers.
    base : float or array_like, optional
        As for `synthetic_dark_image`.

    Returns
    -------
    ndarray of float64, shape (1024, 1024)
        e-/s.

    Raises
    ------
    DeclarationError
        As for `synthetic_dark_image`.
    """
    if frac_year <= law.defined_from:
        raise DeclarationError(what, "date", round(frac_year, 3), f"a date after {law.defined_from:.1f}")
    generator = _generator(what, rng)
    pixels = _base(what, base, law.t_ccd_ref, generator)
    numbers = generator.poisson(law.counts(np.asarray(frac_year)))
    total = int(numbers.sum())
    if total > CCD_PIXELS:
        expected = f"a date at which the {law.name} model has at most {CCD_PIXELS} pixels; it has {total} by then"
        raise DeclarationError(what, "date", round(frac_year, 3), expected)
    pixels[:total] += _within_bins(law.edges, numbers, generator)
    generator.shuffle(pixels)
    return pixels.reshape(CCD_SHAPE)


def pristine_ccd(rng: RandomSource = None) -> FloatArray:
    """Draw the dark map of the CCD as it was before launch.

    Parameters
    ----------
    rng : numpy Generator, int, optional
        Random numbers, or a seed of them.

    Returns
    -------
    ndarray of float64, shape (1024, 1024)
        Dark current at -19 degC, e-/s, synthetic: two log-normal populations of pixels, an empirical description
        (sot/state_of_aca ``make_darkmaps.py``), in any order.

    Raises
    ------
    DeclarationError
        `rng` is neither a generator nor a seed. It is a ValueError.

    Examples
    --------
    >>> round(float(np.median(pristine_ccd(1))), 1)
    4.0
    """
    generator = _generator("pristine_ccd", rng)
    parts = [generator.lognormal(math.log(median), sigma, number) for number, median, sigma in _PRISTINE]
    pixels = np.concatenate(parts)
    generator.shuffle(pixels)
    return pixels.reshape(CCD_SHAPE)


def degraded_ccd(image: Any, dyear: float, rng: RandomSource = None) -> FloatArray:
    """Age a dark map by some time in orbit, by the recipe of 2008 and 2013.

    Parameters
    ----------
    image : array_like, shape (1024, 1024)
        Dark current at -19 degC, e-/s; it stays as it is.
    dyear : float
        How long, years, at most 100. The recipe was used in steps of a year.
    rng : numpy Generator, int, optional
        Random numbers, or a seed of them.

    Returns
    -------
    ndarray of float64, shape (1024, 1024)
        Dark current at -19 degC after that time, e-/s, synthetic.

    Raises
    ------
    DeclarationError
        `image` has another shape, `dyear` is negative or above 100, or `rng` is neither a generator nor a seed. It is a
        ValueError.

    Examples
    --------
    >>> new = pristine_ccd(1)
    >>> bool(degraded_ccd(new, 1.0, rng=2).mean() > new.mean())
    True
    """
    what = "degraded_ccd"
    years = _number(what, "dyear", dyear, "year")
    if not 0 <= years <= _MOST_YEARS:
        raise DeclarationError(what, "dyear", dyear, f"a time, 0 to {_MOST_YEARS:g} years")
    generator = _generator(what, rng)
    pixels = _map(what, "image", image).ravel()
    # Of a pixel that is hit several times one hit stays, as in the recipe.
    hit = generator.integers(CCD_PIXELS, size=_N_HIT)
    pixels[hit] += generator.poisson(_GAIN_PER_YEAR * years, _N_HIT)
    numbers = generator.poisson(_damage(years))
    places = generator.integers(CCD_PIXELS, size=int(numbers.sum()))
    np.add.at(pixels, places, _within_bins(bin_edges(_DAMAGE_BINS), numbers, generator))
    return pixels.reshape(CCD_SHAPE)


def _damage(years: float) -> FloatArray:
    """Return how many pixels are damaged by how much in a time: counts on the bins of the 2013 law.

    A power law with one break, and with fewer pixels at the low end (sot/state_of_aca ``make_darkmaps.py``).
    """
    gamma_0, gamma_1, gamma_2, x_low, x_b, x_r = -4.0, 0.14, 3.15, 5.0, 125.0, 155.0
    x = bin_centres(_DAMAGE_BINS)
    law = (x / x_r) ** -gamma_1
    law = np.where(x > x_b, (x_b / x_r) ** (gamma_2 - gamma_1) * (x / x_r) ** -gamma_2, law)
    law = np.where(x < x_low, (x_low / x_r) ** (gamma_0 - gamma_1) * (x / x_r) ** -gamma_0, law)
    return np.asarray(1032.0 * years * law @ smoothing(_DAMAGE_BINS))


def _within_bins(edges: FloatArray, numbers: Any, generator: np.random.Generator) -> FloatArray:
    """Return for each bin so many dark currents, evenly spread in their logarithm."""
    lower = np.repeat(np.log(edges[:-1]), numbers)
    return np.asarray(np.exp(lower + LOG_STEP * generator.random(lower.size)))


def _base(what: str, base: Any, t_ccd_ref: float, generator: np.random.Generator) -> FloatArray:
    """Return the pixels beneath the damage, flat and ours to change, the warm ones replaced by cool ones."""
    pixels: FloatArray
    if base is None:
        pixels = pristine_ccd(generator).ravel() * dark_temp_scale(_PRISTINE_T_CCD, t_ccd_ref)
    elif as_floats(what, "base", base, "electron / s").ndim == 0:
        pixels = np.full(CCD_PIXELS, _number(what, "base", base, "electron / s"))
    else:
        pixels = _map(what, "base", base).ravel()
    is_cool = pixels <= _COOL  # and what is unknown is not
    cool = pixels[is_cool]
    if not cool.size:
        raise DeclarationError(what, "base", base, f"a map with pixels of at most {_COOL:g} e-/s")
    pixels[~is_cool] = generator.choice(cool, CCD_PIXELS - cool.size)
    return pixels


def _map(what: str, name: str, image: Any) -> FloatArray:
    """Return a copy of a dark map."""
    pixels: FloatArray = np.array(as_floats(what, name, image, "electron / s"))
    if pixels.shape != CCD_SHAPE:
        raise DeclarationError(what, name, f"an array of shape {pixels.shape}", f"one of shape {CCD_SHAPE}")
    return pixels


def _number(what: str, name: str, value: Any, unit: str) -> float:
    """Return one finite number."""
    number = as_floats(what, name, value, unit)
    if number.ndim or not np.isfinite(number):
        raise DeclarationError(what, name, value, "one number")
    return float(number)


def _generator(what: str, rng: RandomSource) -> np.random.Generator:
    """Return a generator of random numbers, never the one that numpy shares between everybody."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng()
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool | np.timedelta64) and rng >= 0:
        return np.random.default_rng(int(rng))
    raise DeclarationError(what, "rng", rng, "a numpy Generator, or a seed: a whole number, 0 or more")
