"""The models ``sota-2013`` and ``sota-2013-referenced``: acquiring and tracking a star, as fitted in 2013.

Both are straight lines in the warm fraction, with coefficients that vary with magnitude. The fits subtracted the least
warm fraction of the fitted data, and everything that was written about them since leaves that out. Hence two models:

* ``sota-2013`` is the formula as it is documented. It predicts 1.76 times the acquisition failures that were observed
  in 2007 to 2014. Use it to reproduce results that were made with it.
* ``sota-2013-referenced`` puts the reference point back, and predicts 1.04 times the failures. Use it to predict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import attrs

from aca_core import FloatArray, InputRange, ProbabilityModel, StarConditions, hookimpl

__all__ = ["ACQUISITION", "GUIDE", "REFERENCED_ACQUISITION", "REFERENCED_GUIDE", "Sota2013Acquisition", "Sota2013Guide"]

W_MIN: Final = 0.0421
"""The smallest warm fraction (100 e-/s) since 2007, which the fits subtracted: guide_acq_warm_pix/acq_warm_fit.py."""

SCALE: Final = (0.185, 0.990, -0.491)
"""log10 of the slope in the warm fraction, by powers of mag - 10: guide_acq_stats/plot_acq_success.py."""

OFFSET: Final = (-1.489, 0.888, 0.280)
"""log10 of the failures without warm pixels, by powers of mag - 10: as `SCALE`.

A later port of the formula has 0.999 in place of 0.888. A new fit of the published points gives 0.88825.
"""

ACQUISITION_MAGS: Final = InputRange(8.41, 11.0, warn_below=math.inf)
"""Where success falls with magnitude: below the failures would rise again, above the slope would fall."""

GUIDE_SLOPE: Final = 1.18
"""log10 of the bad-track fraction, per mag: guide_acq_stats/gui_warm_fit.dat, limiting_mag/NOTES."""

GUIDE_ZERO: Final = 10.09
"""The magnitude at which the bad-track fraction is the warm fraction: as `GUIDE_SLOPE`."""

GUIDE_MAGS: Final = InputRange(8.0, 11.0, outside="extrapolate", warn_below=math.inf)
"""The fitted stars. The formula goes on to brighter ones as it should, towards no failures."""

_LN_10: Final = math.log(10.0)


def _is_fraction(instance: ProbabilityModel, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise instance.refusal(attribute.name, value, "a fraction of pixels, at least 0 and less than 1")


@attrs.frozen(kw_only=True)
class _Sota2013(ProbabilityModel):
    """What both formulas have in common.

    Attributes
    ----------
    w_min : float
        The warm fraction that counts as none; 0 for the formula as it is documented.
    """

    inputs: tuple[str, ...] = ("mag", "warm_frac")
    dark_model: str | None = "2013"
    w_min: float = attrs.field(default=0.0, validator=_is_fraction)

    def provenance(self) -> dict[str, str]:
        """Return the source and the reference point."""
        return {**super().provenance(), "w_min": str(self.w_min)}

    def _warmth(self, stars: StarConditions) -> FloatArray:
        import numpy as np

        return stars.warm_frac if self.w_min == 0 else np.maximum(stars.warm_frac - self.w_min, 0.0)


@attrs.frozen(kw_only=True)
class Sota2013Acquisition(_Sota2013):
    """Acquisition success, ``1 - (offset(mag) + scale(mag) * warm_frac)``.

    Attributes
    ----------
    w_min : float
        The warm fraction that counts as none; 0 for the formula as it is documented.

    Examples
    --------
    >>> from aca_core import StarConditions
    >>> ACQUISITION.success(StarConditions({"mag": 10.0, "warm_frac": [0.05, 0.15]})).round(6).tolist()
    [0.891012, 0.737903]
    """

    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            With ``mag`` and ``warm_frac``.

        Returns
        -------
        ndarray
            Of the same shape; below 0 where stars are faint and pixels warm.
        """
        import numpy as np

        x = stars.mag - 10.0
        scale = np.exp(_LN_10 * (SCALE[0] + x * (SCALE[1] + x * SCALE[2])))
        offset = np.exp(_LN_10 * (OFFSET[0] + x * (OFFSET[1] + x * OFFSET[2])))
        return np.asarray(1.0 - (offset + scale * self._warmth(stars)))


@attrs.frozen(kw_only=True)
class Sota2013Guide(_Sota2013):
    """Tracking success, ``1 - 10**(1.18 * (mag - 10.09)) * warm_frac``: one minus the bad-track fraction.

    A track is bad if the star is lost for more than 5 % of the observation.

    Attributes
    ----------
    w_min : float
        The warm fraction that counts as none; 0 for the formula as it is documented.

    Examples
    --------
    >>> from aca_core import StarConditions
    >>> GUIDE.success(StarConditions({"mag": [9.0, 10.6], "warm_frac": 0.0811203818})).round(6).tolist()
    [0.995803, 0.675713]
    """

    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            With ``mag`` and ``warm_frac``.

        Returns
        -------
        ndarray
            Of the same shape; below 0 where stars are faint and pixels warm.
        """
        import numpy as np

        bad = np.exp(_LN_10 * GUIDE_SLOPE * (stars.mag - GUIDE_ZERO)) * self._warmth(stars)
        return np.asarray(1.0 - bad)


ACQUISITION: Final = Sota2013Acquisition(
    name="sota-2013",
    label="State of the ACA 2013, as documented (predicts 1.76 times the failures)",
    kind="acquisition",
    ranges={"mag": ACQUISITION_MAGS},
    source="State of the ACA 2013, sot/state_of_aca guide_acq_stats/plot_acq_success.py",
)
REFERENCED_ACQUISITION: Final = attrs.evolve(
    ACQUISITION,
    name="sota-2013-referenced",
    label="State of the ACA 2013 with the reference point of its fit",
    w_min=W_MIN,
    source="State of the ACA 2013, sot/state_of_aca guide_acq_warm_pix/acq_warm_fit.py",
)
GUIDE: Final = Sota2013Guide(
    name="sota-2013",
    label="State of the ACA 2013, bad tracks, as documented",
    kind="guide",
    ranges={"mag": GUIDE_MAGS},
    source="State of the ACA 2013, sot/state_of_aca guide_acq_stats/NOTES.guide_acq_stats",
)
REFERENCED_GUIDE: Final = attrs.evolve(
    GUIDE,
    name="sota-2013-referenced",
    label="State of the ACA 2013, bad tracks, with the reference point of its fit",
    w_min=W_MIN,
    source="State of the ACA 2013, sot/state_of_aca guide_acq_warm_pix/gui_warm_fit.py",
)


@hookimpl
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the two models of either kind."""
    return [ACQUISITION, REFERENCED_ACQUISITION, GUIDE, REFERENCED_GUIDE]
