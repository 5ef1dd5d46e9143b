"""The acquisition model ``logistic``: one logistic curve in magnitude. An illustration, not fitted to flight data."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
from aca_core import FloatArray, InputRange, ProbabilityModel, StarConditions, hookimpl, site_option
from attrs.validators import and_, ge, gt, le

__all__ = ["LOGISTIC", "LogisticModel"]


@attrs.frozen(kw_only=True)
class LogisticModel(ProbabilityModel):
    """Fall of acquisition success with magnitude, ``1 / (1 + exp(steepness * (mag - mag_half)))``.

    Attributes
    ----------
    mag_half : float
        Magnitude at which half of the stars are acquired (mag). A site may set it.
    steepness : float
        How fast success falls there (1/mag). A site may set it.
    """

    mag_half: float = site_option(
        10.6,
        help="magnitude at which half of the stars are acquired, mag, 5 to 12",
        validator=and_(ge(5.0), le(12.0)),
    )
    steepness: float = site_option(
        3.0,
        help="how fast success falls at mag_half, 1/mag, more than 0 and up to 20",
        validator=and_(gt(0.0), le(20.0)),
    )

    def success(self, stars: StarConditions) -> FloatArray:
        """Evaluate the formula.

        Parameters
        ----------
        stars : StarConditions
            With ``mag`` inside its range.

        Returns
        -------
        ndarray
            Success probabilities of the same shape.
        """
        import numpy as np  # here, so that listing plugins stays quick

        return np.asarray(1 / (1 + np.exp(self.steepness * (stars.mag - self.mag_half))))


LOGISTIC = LogisticModel(
    name="logistic",
    label="logistic curve in magnitude (illustration)",
    kind="acquisition",
    ranges={"mag": InputRange(5.0, 12.0)},
    source="aca-logistic: made up to show how a model is written, not fitted to flight data",
)


@hookimpl
def aca_probability_models() -> Iterable[ProbabilityModel]:
    """Return the one model of this plugin."""
    return [LOGISTIC]
