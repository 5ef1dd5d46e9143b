"""How many of a catalogue's guide stars count, and how warm the CCD may be for enough of them."""

from __future__ import annotations

import math
from typing import Any, Final

from aca_core.arrays import FloatArray
from aca_core.dark_current.scaling import one_ccd_temperature
from aca_core.errors import DeclarationError
from aca_core.probability.magnitudes import snr_mag_for_t_ccd
from aca_core.quantities import as_floats, as_given

__all__ = ["guide_count", "t_ccd_warm_limit_for_guide"]

REF_T_CCD: Final = -10.9
"""The temperature at which the faint knots below hold, degC: chandra_aca star_probs."""

BRIGHT_MAGS: Final = (5.25, 5.35)
"""Between these a star ceases to be too bright to count, mag."""

FAINT_MAGS: Final = (9.95, 10.15, 10.25, 10.35)
"""Between these a star ceases to count, mag at `REF_T_CCD`; at other temperatures those that are as clear."""

FAINT_MAGS_9TH: Final = (9.0, 9.2, 9.3, 9.4)
"""The same for stars that are to be as clear as a star of 9th magnitude."""

COUNTS: Final = (0.0, 1.0005, 1.0, 0.75, 0.5, 0.0)
"""How much a star counts at each knot; brighter ones a trifle more, so that they win among equals."""

WARMEST: Final = 20.0
"""Above this temperature the faint knots would come near to the bright ones, degC."""

TOLERANCE: Final = 1e-4
"""How exactly a temperature is found, degC."""


def guide_count(mags: Any, t_ccd: Any, count_9th: bool = False) -> float | FloatArray:
    """Return how many guide stars a catalogue has, where faint stars count in part.

    Parameters
    ----------
    mags : array_like or Quantity, shape (..., n)
        Magnitudes of the stars of a catalogue, or of many, mag.
    t_ccd : float, array_like or Quantity
        CCD temperature, degC; broadcasts with the catalogues.
    count_9th : bool, default False
        Whether to count stars that are as clear as one of 9th magnitude at -10.9 degC.

    Returns
    -------
    float or ndarray of float64
        Sum of the counts, in the shape of the catalogues and `t_ccd` together; NaN where a magnitude is not known.

    Raises
    ------
    DeclarationError
        `mags` is a single number, a temperature is above 20 degC, or shapes do not broadcast. It is a ValueError.

    Examples
    --------
    >>> round(guide_count([6, 8, 10, 10.2], -10.9), 6)
    3.563141
    >>> guide_count([9.5, 10, 10.3, 10.6], [-14, -5]).round(3).tolist()
    [3.188, 0.848]
    """
    import numpy as np

    what = "guide_count"
    if not isinstance(count_9th, int | np.bool_):
        raise DeclarationError(what, "count_9th", count_9th, "True or False")
    stars, cold = _catalogs(what, mags), as_floats(what, "t_ccd", t_ccd, "deg_C")
    if (cold > WARMEST).any():
        raise DeclarationError(what, "t_ccd", float(cold.max()), f"temperatures up to {WARMEST:g} degC")
    try:
        counted = _counts(stars, cold[..., None], FAINT_MAGS_9TH if count_9th else FAINT_MAGS)
    except ValueError:
        shapes = f"mags {stars.shape}, t_ccd {cold.shape}"
        raise DeclarationError(what, "shapes", shapes, "t_ccd to broadcast with mags without its last axis") from None
    result: float | FloatArray = as_given(counted.sum(axis=-1))
    return result


def t_ccd_warm_limit_for_guide(
    mags: Any, min_guide_count: Any = 4.0, warm_t_ccd: float = -5.0, cold_t_ccd: float = -16.0
) -> float | FloatArray:
    """Return the warmest CCD temperature at which a catalogue has enough guide stars.

    Parameters
    ----------
    mags : array_like or Quantity, shape (..., n)
        Magnitudes of the stars of a catalogue, or of many, mag.
    min_guide_count : float or array_like, default 4.0
        How many are enough; broadcasts with the catalogues.
    warm_t_ccd, cold_t_ccd : float, default -5.0 and -16.0
        The temperatures to search, degC: `warm_t_ccd` where there are enough even there, `cold_t_ccd` where there are
        not even there.

    Returns
    -------
    float or ndarray of float64
        degC, within 1e-4; NaN where a magnitude is not known.

    Raises
    ------
    DeclarationError
        A value is none, or the temperatures are not in order. It is a ValueError.

    Examples
    --------
    >>> round(t_ccd_warm_limit_for_guide([6, 6, 6, 10.3, 10.3], warm_t_ccd=5), 3)
    -11.415
    """
    import numpy as np

    what = "t_ccd_warm_limit_for_guide"
    stars, enough = _catalogs(what, mags), as_floats(what, "min_guide_count", min_guide_count)
    cold, warm = checked_temperatures(what, cold_t_ccd, warm_t_ccd)
    if warm > WARMEST:
        raise DeclarationError(what, "warm_t_ccd", warm, f"a temperature up to {WARMEST:g} degC")

    def excess(t_ccd: FloatArray) -> FloatArray:
        return np.asarray(_counts(stars, t_ccd[..., None], FAINT_MAGS).sum(axis=-1) - enough)

    try:
        at_warm, at_cold = excess(np.asarray(warm)), excess(np.asarray(cold))
    except ValueError:
        shapes = f"mags {stars.shape}, min_guide_count {enough.shape}"
        raise DeclarationError(what, "shapes", shapes, "one count for each catalogue") from None
    low, high = np.full(at_warm.shape, cold), np.full(at_warm.shape, warm)
    for _ in range(math.ceil(math.log2((warm - cold) / TOLERANCE)) + 1):
        middle = (low + high) / 2
        reached = excess(middle) >= 0
        low, high = np.where(reached, middle, low), np.where(reached, high, middle)
    limit = np.where(at_warm >= 0, warm, np.where(at_cold <= 0, cold, (low + high) / 2))
    result: float | FloatArray = as_given(np.where(np.isnan(at_warm), np.nan, limit))
    return result


def checked_temperatures(what: str, cold_t_ccd: Any, warm_t_ccd: Any) -> tuple[float, float]:
    """Return the ends of a search over temperatures, degC, or refuse them."""
    cold = one_ccd_temperature(what, "cold_t_ccd", cold_t_ccd)
    warm = one_ccd_temperature(what, "warm_t_ccd", warm_t_ccd)
    if not cold < warm:
        raise DeclarationError(what, "cold_t_ccd, warm_t_ccd", (cold, warm), "the cold one below the warm one")
    return cold, warm


def _catalogs(what: str, mags: Any) -> FloatArray:
    stars = as_floats(what, "mags", mags, "mag")
    if stars.ndim == 0:
        raise DeclarationError(what, "mags", mags, "the magnitudes of a catalogue, along the last axis")
    return stars


def _counts(mags: FloatArray, t_ccd: FloatArray, faint: tuple[float, ...]) -> FloatArray:
    """Return how much each star counts: interpolated between knots, of which the faint ones move with temperature."""
    import numpy as np

    shift = as_shift(t_ccd)
    start = faint[0] + shift  # here the faint part begins
    bright = np.interp(mags, BRIGHT_MAGS, COUNTS[:2])
    slope = (COUNTS[2] - COUNTS[1]) / (start - BRIGHT_MAGS[1])
    middle = COUNTS[1] + slope * (mags - BRIGHT_MAGS[1])
    dim = np.interp(mags - shift, faint, COUNTS[2:])
    return np.where(mags <= BRIGHT_MAGS[1], bright, np.where(mags < start, middle, dim))


def as_shift(t_ccd: FloatArray) -> FloatArray:
    """Return how much fainter than at `REF_T_CCD` a star may be at a temperature, mag."""
    import numpy as np

    return np.asarray(snr_mag_for_t_ccd(t_ccd, 0.0, REF_T_CCD), dtype=float)
