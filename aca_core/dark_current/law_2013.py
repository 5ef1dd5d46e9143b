"""The dark-current law of the State of the ACA study of 2013: a power law with one break, at -19 degC."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import attrs
import numpy as np

from aca_core.arrays import FloatArray, IntArray
from aca_core.dark_current.bins import bin_centres, smoothing
from aca_core.dark_current.law import DarkLaw, Pieces, Tail, Terms

__all__ = ["LAW_2013", "OnceBrokenLaw"]

_GAMMA_1: Final = 0.05
_GAMMA_2: Final = 3.15
_AMPLITUDE_2000: Final = 1666.4  # pixels in a bin at 50 e-/s, at 2000.0 (the fit: 1666.378)
_AMPLITUDE_PER_YEAR: Final = 1390.2  # the fit: 1390.207
_BREAK_YEARS: Final = (1999.0, 2000.9, 2003.5, 2007.0, 2007.01, 2011.5, 2011.51, 2013.7)
_BREAKS: Final = (
    125.00,
    125.00,
    110.00,
    117.80,
    111.50,
    125.00,
    108.80,
    115.00,
)  # e-/s; by eye, sot/state_of_aca NOTES
_BREAK_PER_YEAR: Final = (_BREAKS[-1] - _BREAKS[-2]) / (_BREAK_YEARS[-1] - _BREAK_YEARS[-2])


@attrs.frozen(kw_only=True)
class OnceBrokenLaw(DarkLaw):
    """The law of 2013.

    It is linear in its amplitude, and its slopes are the same at all times: what `tail` answers depends on the date by
    the amplitude, the bin of the break and one ratio alone, and the rest is looked up in tables.
    """

    def parameters(self, frac_year: FloatArray) -> Mapping[str, FloatArray]:
        """Return ``g1``, ``g2``, ``x_b``, ``x_r`` and ``ampl1``, each of the shape of `frac_year`.

        Parameters
        ----------
        frac_year : ndarray, any shape
            Years with a fraction. Beyond its table the break goes on along the table's first or last line.

        Returns
        -------
        mapping of str to ndarray
        """
        year = np.asarray(frac_year, dtype=float)
        ones = np.ones(year.shape)
        x_b, ampl1 = _break(year), _amplitude(year)
        return {"g1": _GAMMA_1 * ones, "g2": _GAMMA_2 * ones, "x_b": x_b, "x_r": self.x_r * ones, "ampl1": ampl1}

    def pieces(self, parameters: Mapping[str, FloatArray]) -> Pieces:
        """Return the two power laws; the parameters may be anybody's, as `smooth_broken_pow` takes them."""
        g1, g2, x_b, x_r, ampl1 = (parameters[name] for name in ("g1", "g2", "x_b", "x_r", "ampl1"))
        # Pieces count at the law's own x_r, which is not that of the parameters where somebody chose another one.
        low = ampl1 * (self.x_r / x_r) ** -g1
        high = ampl1 * (x_b / x_r) ** (g2 - g1) * (self.x_r / x_r) ** -g2
        return Pieces((low, high), (g1, g2), (x_b,))

    def terms(self, frac_year: FloatArray) -> Terms:
        """Return the amplitude, the amplitude of the steep piece, and the number of bins below the break."""
        x_b, ampl1 = _break(frac_year), _amplitude(frac_year)
        steep = ampl1 * (x_b / self.x_r) ** (_GAMMA_2 - _GAMMA_1)
        return ampl1, steep, self.bins_before(x_b)

    def tail(self, terms: Terms, index: IntArray) -> Tail:
        """Return the histogram at and above bins, from tables of sums over the bins."""
        ampl1, steep, below_break = terms
        low, high = _tables(self.n_bins, self.x_r)
        place = below_break * self.n_bins + index
        before = np.maximum(place - 1, 0)
        return Tail(
            ampl1 * low[0].take(place) + steep * high[0].take(place),
            ampl1 * low[1].take(place) + steep * high[1].take(place),
            ampl1 * low[1].take(before) + steep * high[1].take(before),
        )


def _amplitude(frac_year: FloatArray) -> FloatArray:
    return (frac_year - 2000.0) * _AMPLITUDE_PER_YEAR + _AMPLITUDE_2000


def _break(frac_year: FloatArray) -> FloatArray:
    # numpy keeps to the table's ends: right before 1999, where its line is level, and not after 2013.7.
    beyond = np.maximum(frac_year - _BREAK_YEARS[-1], 0.0) * _BREAK_PER_YEAR
    return np.asarray(np.interp(frac_year, _BREAK_YEARS, _BREAKS) + beyond)


@cache
def _tables(n_bins: int, x_r: float) -> tuple[FloatArray, FloatArray]:
    """Return what the flat and the steep piece add to tails and to bins, for each number of bins below the break.

    Each is of shape (2, (n_bins + 1) * n_bins): sums over a bin and all above, and bins; to be multiplied by the
    amplitude of the piece.
    """
    relative = bin_centres(n_bins) / x_r
    is_below = np.arange(n_bins) < np.arange(n_bins + 1)[:, None]
    flat = np.where(is_below, relative**-_GAMMA_1, 0.0) @ smoothing(n_bins)
    steep = np.where(is_below, 0.0, relative**-_GAMMA_2) @ smoothing(n_bins)
    return _with_tails(flat), _with_tails(steep)


def _with_tails(counts: FloatArray) -> FloatArray:
    tails = counts[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.stack([tails.ravel(), counts.ravel()])


LAW_2013: Final = OnceBrokenLaw(
    name="2013",
    label="State of the ACA 2013, one break",
    t_ccd_ref=-19.0,
    n_bins=79,
    at_break="below",
    defined_from=2000.0 - _AMPLITUDE_2000 / _AMPLITUDE_PER_YEAR,
    valid_from=2000.0 - _AMPLITUDE_2000 / _AMPLITUDE_PER_YEAR,
    fitted=(2000.0, 2014.0),  # NOTES of dark_current_model
    notes=(
        "fitted to calibrations from 2000 to 2013, between 25 and 4000 e-/s; checked to 2015:090",
        "below about 20 e-/s it lacks the peak of the cool pixels",
        "above 1000 e-/s it is off by a factor",
        "its amplitude is negative before 1998.8",
    ),
    source="sot/state_of_aca dark_current_model/dark_models.py; sot/mica archive/aca_dark/dark_model.py (2014)",
)
"""The law that the acquisition and guide fits of 2013 were made with."""
