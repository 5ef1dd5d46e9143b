"""The dark-current law of 2017: a power law with two breaks, at -14 degC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import attrs
import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dark_current.law import DarkLaw, Pieces

__all__ = ["LAW_2017", "TwiceBrokenLaw"]

_MIDDLE: Final = 2012.0
_SECOND_BREAK: Final = 1000.0  # e-/s

# At 2012.0, and the change in a year before and after it.
_LINES: Final[Mapping[str, tuple[float, float, float]]] = {
    "g1": (0.075, -0.00692, -0.0207),
    "g2": (3.32, 0.0203, 0.0),  # the source has 0.0047 * 0 for the years after
    "g3": (2.40, 0.061, 0.061),
    "x_b": (192.0, 0.1, 0.1),
    "ampl1": (18400.0, 1450.0, 742.0),
}


@attrs.frozen(kw_only=True)
class TwiceBrokenLaw(DarkLaw):
    """The law of 2017, whose parameters are lines with a bend at 2012.0."""

    def parameters(self, frac_year: FloatArray) -> Mapping[str, FloatArray]:
        """Return ``g1``, ``g2``, ``g3``, ``x_b`` and ``ampl1``, each of the shape of `frac_year`.

        Parameters
        ----------
        frac_year : ndarray, any shape
            Years with a fraction.

        Returns
        -------
        mapping of str to ndarray
        """
        years = np.asarray(frac_year, dtype=float) - _MIDDLE
        before, after = np.minimum(years, 0.0), np.maximum(years, 0.0)
        return {name: middle + early * before + late * after for name, (middle, early, late) in _LINES.items()}

    def pieces(self, parameters: Mapping[str, FloatArray]) -> Pieces:
        """Return the three power laws."""
        g1, g2, g3, x_b, ampl1 = (parameters[name] for name in ("g1", "g2", "g3", "x_b", "ampl1"))
        # Powers by exp and log take half the time of numpy's own.
        middle = ampl1 * np.exp((g2 - g1) * np.log(x_b / self.x_r))
        high = middle * np.exp((g3 - g2) * math.log(_SECOND_BREAK / self.x_r))
        return Pieces((ampl1, middle, high), (g1, g2, g3), (x_b, _SECOND_BREAK))


LAW_2017: Final = TwiceBrokenLaw(
    name="2017",
    label="2017, two breaks",
    t_ccd_ref=-14.0,
    n_bins=74,
    at_break="above",
    defined_from=_MIDDLE - _LINES["ampl1"][0] / _LINES["ampl1"][1],
    valid_from=2007.0,
    fitted=(2007.0, 2017.7),
    notes=(
        "fitted to calibrations from January 2007 to August 2017",
        "valid for dates after 2007.0",
        "its amplitude is negative before 1999.3",
    ),
    source="sot/chandra_aca dark_model.py, darkbins.py",
)
"""The law that the acquisition fit of 2017 was made with, and that synthetic images are drawn from."""
