"""The model ``spline-2018``: acquisition by a probit, quadratic in the CCD temperature and a spline in magnitude."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from aca_core import FloatArray, InputRange, ProbabilityModel, StarConditions, hookimpl

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

__all__ = ["SPLINE_2018", "Spline2018", "SplineKnots"]

SplineKnots: TypeAlias = tuple[tuple[float, float, float, float, float], ...]
"""Values at `MAGS` of the coefficients of the 0th, 1st and 2nd power of the temperature above `REF_T_CCD`."""

# Knots and values are those of sot/chandra_aca star_probs.py, spline_model_acq_prob.
MAGS: Final = (8.5, 9.25, 10.0, 10.4, 10.7)
"""The knots of the splines, mag."""

KNOTS: Final[SplineKnots] = (
    (-2.69826, -1.96063, -1.20245, -0.01713, 1.23724),
    (0.07135, 0.12711, 0.14508, 0.59646, 0.64262),
    (0.02341, 0.0, 0.00704, 0.06926, 0.05629),
)
"""Most stars."""

RED_KNOTS: Final[SplineKnots] = (
    (-2.56169, -1.65157, -0.26794, 1.00488, 3.52181),
    (0.0, 0.09193, 0.23026, 0.61243, 0.94157),
    (0.00471, 0.00637, 0.01118, 0.07461, 0.09556),
)
"""Stars of B-V 1.5."""

REF_T_CCD: Final = -12.0
"""The temperature from which the polynomial counts, degC."""

RED: Final = 1.5
"""The B-V that marks stars whose magnitude is poorly known, mag."""

RED_TOLERANCE: Final = 1e-6
"""How near to `RED` a color is that one, mag."""

BOX: Final = (0.96, -0.30)
"""What the half width of the search box adds to the probit, by the first and second power of (halfwidth - 120)/120."""

BOXES: Final = InputRange(40.0, 312.0, outside="extrapolate")
"""From the smallest box that chandra_aca tests to where the parabola of `BOX` turns and success would rise again."""

BRIGHT_SLOPE: Final = 10.0
"""A star brighter than the first knot by so many magnitudes has a probit that is less by one, mag."""

FITTED_MAGS: Final = InputRange(8.5, 10.7, outside="extrapolate", warn_below=math.inf)
"""The knots. Brighter stars have a rule of their own; beyond the last knot success may rise again, where it is cold."""

FITTED_T_CCD: Final = InputRange(-16.0, 20.0, outside="extrapolate", warn_above=math.inf)
"""Colder than this the polynomial, which is quadratic, may turn. Upstream warns below -16 degC and not above."""


@attrs.frozen(kw_only=True)
class Spline2018(ProbabilityModel):
    """Acquisition success, the normal probability of ``-(P0 + P1 t + P2 t² + box(halfwidth))``, ``t = t_ccd + 12``.

    Each P is a cubic spline in magnitude whose slope is 0 at the first knot and whose curvature is 0 at the last.

    Attributes
    ----------
    stars, red_stars : tuple of tuple of float
        Values at the knots for most stars, and for those of B-V 1.5; see `SplineKnots`.

    Examples
    --------
    >>> from aca_core import StarConditions
    >>> star = {"mag": 10.3, "t_ccd": -10, "color": [0.6, 1.5], "halfwidth": 120}
    >>> SPLINE_2018.success(StarConditions(star)).round(7).tolist()
    [0.1934281, 0.0409366]
    """

    stars: SplineKnots = KNOTS
    red_stars: SplineKnots = RED_KNOTS
    inputs: tuple[str, ...] = ("mag", "t_ccd", "color", "halfwidth")
    limits: tuple[float, float] = (1e-6, 0.985)
    corrections: tuple[str, ...] = ("color", "spoiler")

    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            With ``mag``, ``t_ccd``, ``color`` and ``halfwidth``.

        Returns
        -------
        ndarray
            Of the same shape.
        """
        import numpy as np
        from scipy.special import ndtr

        mag = np.maximum(stars.mag, MAGS[0])
        t = stars.t_ccd - REF_T_CCD
        probit = _probit(self.stars, mag, t)
        is_red = np.abs(stars.color - RED) <= RED_TOLERANCE
        if is_red.any():
            probit = np.where(is_red, _probit(self.red_stars, mag, t), probit)
        b = (stars.halfwidth - 120.0) / 120.0
        bright = (MAGS[0] - np.minimum(stars.mag, MAGS[0])) / BRIGHT_SLOPE
        success = ndtr(bright - probit - b * (BOX[0] + b * BOX[1]))
        # A color that is not known leaves it open which of the two formulas counts.
        return np.where(np.isnan(stars.color), np.nan, success)


def _probit(knots: SplineKnots, mag: FloatArray, t: FloatArray) -> FloatArray:
    import numpy as np

    p0, p1, p2 = (_horner(coefficients, mag) for coefficients in _pieces(knots))
    return np.asarray(p0 + t * (p1 + t * p2))


def _horner(coefficients: FloatArray, mag: FloatArray) -> FloatArray:
    """Return a piecewise cubic; the last piece goes on beyond the last knot."""
    import numpy as np

    piece = np.searchsorted(MAGS[1:-1], mag, side="right")
    x = mag - np.asarray(MAGS)[piece]
    c3, c2, c1, c0 = (row[piece] for row in coefficients)
    return np.asarray(c0 + x * (c1 + x * (c2 + x * c3)))


@functools.lru_cache(maxsize=8)
def _pieces(knots: SplineKnots) -> tuple[FloatArray, ...]:
    """Return the coefficients of the splines, shape (4, pieces), from the third power to the 0th; not to be changed."""
    from scipy.interpolate import CubicSpline

    splines: list[CubicSpline] = [CubicSpline(MAGS, values, bc_type=((1, 0.0), (2, 0.0))) for values in knots]
    for spline in splines:
        spline.c.flags.writeable = False
    return tuple(spline.c for spline in splines)


SPLINE_2018: Final = Spline2018(
    name="spline-2018",
    label="spline in magnitude and CCD temperature, 2018",
    kind="acquisition",
    ranges={"mag": FITTED_MAGS, "t_ccd": FITTED_T_CCD, "halfwidth": BOXES},
    source="sot/chandra_aca star_probs.py spline_model_acq_prob, fit of 2018",
)


@hookimpl
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the one model of this plugin."""
    return [SPLINE_2018]
