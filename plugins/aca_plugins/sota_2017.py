"""The models ``sota-2017`` and ``sota-2017-ms``: acquisition by a probit in the warm fraction, magnitude and box size.

The two differ in the coefficients, which were fitted to acquisitions with the multiple-stars filter of the flight
software off (``sota-2017``, in flight since February 2016) and on (``sota-2017-ms``, before).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from aca_core import FloatArray, InputRange, ProbabilityModel, StarConditions, hookimpl

__all__ = ["SOTA_2017", "SOTA_2017_MS", "ProbitFit", "Sota2017"]


@attrs.frozen(kw_only=True)
class ProbitFit:
    """Coefficients of one kind of stars, by powers of mag - 10.

    Attributes
    ----------
    scale : tuple of float
        Of the slope of the probit of failure in the warm fraction.
    offset : tuple of float
        Of that probit without warm pixels.
    """

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]


# The coefficients are those of sot/chandra_aca star_probs.py, sota_model_acq_prob.
NO_MS: Final = ProbitFit(scale=(4.38145, 6.22480, 2.20862), offset=(-2.24494, 0.32180, 0.08306))
"""Most stars, without the multiple-stars filter."""

NO_MS_RED: Final = ProbitFit(scale=(4.73283, 7.63540, 4.56612), offset=(-1.49046, 0.53391, -0.37074))
"""Stars of B-V 1.5, without the filter."""

MS: Final = ProbitFit(
    scale=(9.6887121605441173, 9.1613040261776177, -0.41919343599067715),
    offset=(-2.3829996965532048, 0.54998934814773903, 0.47839260691599156),
)
"""Most stars, with the filter."""

MS_RED: Final = ProbitFit(
    scale=(8.541709287866361, 0.44482688155644085, -3.5137852251178465),
    offset=(-1.3505424393223699, 1.5278061271148755, 0.30973569068842272),
)
"""Stars of B-V 1.5, with the filter."""

RED: Final = 1.5
"""The B-V that marks stars whose magnitude is poorly known, mag."""

RED_TOLERANCE: Final = 1e-6
"""How near to `RED` a color is that one, mag."""

BOX: Final = (0.96, -0.30)
"""What the half width of the search box adds to the probit, by the first and second power of (halfwidth - 120)/120."""

BOXES: Final = InputRange(40.0, 312.0, outside="extrapolate")
"""From the smallest box that chandra_aca tests to where the parabola of `BOX` turns and success would rise again."""

BRIGHT: Final = 8.5
"""Stars brighter than this are acquired with `BRIGHT_SUCCESS`, mag."""

BRIGHT_SUCCESS: Final = 0.985
"""See `BRIGHT`. It is also the greatest success that the model gives."""

LEAST_SUCCESS: Final = 1e-6
"""The least success that the model gives."""


@attrs.frozen(kw_only=True)
class Sota2017(ProbabilityModel):
    """Acquisition success, the normal probability of ``-(offset(mag) + scale(mag) * warm_frac + box(halfwidth))``.

    Attributes
    ----------
    stars, red_stars : ProbitFit
        Coefficients for most stars, and for those of B-V 1.5.

    Examples
    --------
    >>> from aca_core import StarConditions
    >>> star = {"mag": 10.3, "warm_frac": 0.1, "color": [0.6, 1.5], "halfwidth": 120}
    >>> SOTA_2017.success(StarConditions(star)).round(7).tolist()
    [0.9326938, 0.7324414]
    """

    stars: ProbitFit
    red_stars: ProbitFit
    inputs: tuple[str, ...] = ("mag", "warm_frac", "color", "halfwidth")
    dark_model: str | None = "2017"
    limits: tuple[float, float] = (LEAST_SUCCESS, BRIGHT_SUCCESS)
    corrections: tuple[str, ...] = ("color", "spoiler")

    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            With ``mag``, ``warm_frac``, ``color`` and ``halfwidth``.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        import numpy as np
        from scipy.special import ndtr

        probit = _probit(self.stars, stars.mag, stars.warm_frac)
        is_red = np.abs(stars.color - RED) <= RED_TOLERANCE
        if is_red.any():
            probit = np.where(is_red, _probit(self.red_stars, stars.mag, stars.warm_frac), probit)
        success = ndtr(-(probit + box(stars.halfwidth)))
        # A color that is not known leaves it open which of the two formulas counts.
        known = ~np.isnan(stars.color + stars.warm_frac + stars.halfwidth)
        return np.where(known, np.where(stars.mag < BRIGHT, BRIGHT_SUCCESS, success), np.nan)


def _probit(fit: ProbitFit, mag: FloatArray, warm_frac: FloatArray) -> FloatArray:
    x = mag - 10.0
    scale = fit.scale[0] + x * (fit.scale[1] + x * fit.scale[2])
    return fit.offset[0] + x * (fit.offset[1] + x * fit.offset[2]) + scale * warm_frac


def box(halfwidth: FloatArray) -> FloatArray:
    """Return what the half width of the search box (arcsec) adds to the probit of failure."""
    b = (halfwidth - 120.0) / 120.0
    return b * (BOX[0] + b * BOX[1])


SOTA_2017: Final = Sota2017(
    name="sota-2017",
    label="State of the ACA 2017, without the multiple-stars filter (flight since February 2016)",
    kind="acquisition",
    stars=NO_MS,
    red_stars=NO_MS_RED,
    ranges={"halfwidth": BOXES},
    source="State of the ACA 2017, sot/chandra_aca star_probs.py sota_model_acq_prob, no MS filter",
)
SOTA_2017_MS: Final = attrs.evolve(
    SOTA_2017,
    name="sota-2017-ms",
    label="State of the ACA 2017, with the multiple-stars filter (flight until February 2016)",
    stars=MS,
    red_stars=MS_RED,
    source="State of the ACA 2017, sot/chandra_aca star_probs.py sota_model_acq_prob, MS filter",
)


@hookimpl
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the two models."""
    return [SOTA_2017, SOTA_2017_MS]
