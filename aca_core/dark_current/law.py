"""What a dark-current law is: how many pixels of the CCD have which dark current, as a power law with breaks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

import attrs
import numpy as np

from aca_core.arrays import FloatArray, IntArray
from aca_core.dark_current.bins import KERNEL, KERNEL_REACH, LOG_STEP, bin_centres, bin_edges, smoothing

__all__ = ["DarkLaw", "Pieces", "Tail", "Terms"]

Terms: TypeAlias = tuple[np.ndarray, ...]
"""What a law needs to know of each date for `DarkLaw.tail`: arrays whose last axis is that of the dates."""

_FEW = 64  # elements up to which one product of matrices is quicker than a loop over the powers


class Pieces(NamedTuple):
    """The pieces of a broken power law, coolest first.

    Attributes
    ----------
    amplitudes : tuple of ndarray
        Pixels in a bin that a piece has, or would have, at the law's `x_r`.
    slopes : tuple of ndarray or float
        By which power the counts fall.
    breaks : tuple of ndarray or float
        Where the second and the following pieces begin, e-/s.
    """

    amplitudes: tuple[FloatArray, ...]
    slopes: tuple[FloatArray | float, ...]
    breaks: tuple[FloatArray | float, ...]


class Tail(NamedTuple):
    """The histogram at and above one of its bins.

    Attributes
    ----------
    total : ndarray
        Pixels in that bin and all above.
    here : ndarray
        Pixels in that bin.
    before : ndarray
        Pixels in the bin below it; for the first bin of no meaning.
    """

    total: FloatArray
    here: FloatArray
    before: FloatArray


@attrs.frozen(kw_only=True)
class DarkLaw(ABC):
    """A law for the number of CCD pixels in each bin of dark current, at a date and a reference temperature.

    Attributes
    ----------
    name : str
        By which it is asked for.
    label : str
        In words, for titles.
    t_ccd_ref : float
        Temperature that it was fitted at, degC; other temperatures stretch the axis of dark current.
    n_bins : int
        How many bins of 0.05 dex it counts pixels in.
    x_r : float
        Dark current at which its amplitude counts, e-/s.
    at_break : {'below', 'above'}
        To which piece a dark current that is exactly a break belongs.
    defined_from : float
        Fractional year from which its amplitude is positive; before, it means nothing.
    valid_from : float
        Fractional year from which its authors hold it valid; dates before are answered with a warning.
    fitted : tuple of float
        The years, as fractions, of the first and the last calibrations that it was fitted to.
    notes : tuple of str
        What it was fitted to, and where it is known to be off.
    source : str
        Where it is published.
    """

    name: str
    label: str
    t_ccd_ref: float
    n_bins: int
    x_r: float = 50.0
    at_break: Literal["below", "above"]
    defined_from: float
    valid_from: float
    fitted: tuple[float, float]
    notes: tuple[str, ...]
    source: str

    @property
    def edges(self) -> FloatArray:
        """Edges of the bins at `t_ccd_ref`, e-/s, shape (n_bins + 1,); read-only."""
        return bin_edges(self.n_bins)

    @property
    def centres(self) -> FloatArray:
        """Geometric centres of the bins at `t_ccd_ref`, e-/s, shape (n_bins,); read-only."""
        return bin_centres(self.n_bins)

    @abstractmethod
    def parameters(self, frac_year: FloatArray) -> Mapping[str, FloatArray]:
        """Return the law's parameters by name, each of the shape of `frac_year` (years with a fraction)."""

    @abstractmethod
    def pieces(self, parameters: Mapping[str, FloatArray]) -> Pieces:
        """Return the power laws that the parameters stand for."""

    def density(self, parameters: Mapping[str, FloatArray], x: FloatArray) -> FloatArray:
        """Evaluate the law itself, before any smoothing.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            As `parameters` returns them.
        x : ndarray
            Dark current at `t_ccd_ref`, e-/s; it broadcasts with the parameters.

        Returns
        -------
        ndarray
            Pixels per bin of 0.05 dex.
        """
        amplitudes, slopes, breaks = self.pieces(parameters)
        relative = x / self.x_r
        counts = np.asarray(amplitudes[0] * relative ** -np.asarray(slopes[0]))
        for amplitude, slope, start in zip(amplitudes[1:], slopes[1:], breaks, strict=True):
            beyond = x > start if self.at_break == "below" else x >= start
            counts = np.where(beyond, amplitude * relative ** -np.asarray(slope), counts)
        return counts

    def density_smoothed(self, parameters: Mapping[str, FloatArray], x: FloatArray) -> FloatArray:
        """Evaluate the law smoothed as the histogram is, between the centres of the bins too: at them it is `counts`.

        Parameters
        ----------
        parameters : mapping of str to ndarray
            As `parameters` returns them.
        x : ndarray
            Dark current at `t_ccd_ref`, e-/s; it broadcasts with the parameters.

        Returns
        -------
        ndarray
            Pixels per bin of 0.05 dex. Beyond the bins the law has no pixels to smooth.
        """
        total = 0.0 * self.density(parameters, x)
        for bins_up, weight in zip(range(KERNEL_REACH, -KERNEL.size, -1), KERNEL, strict=False):
            there = x * np.exp(LOG_STEP * bins_up)
            inside = (there >= self.edges[0]) & (there <= self.edges[-1])
            total += weight * np.where(inside, self.density(parameters, there), 0.0)
        return total

    def smoothed(self, parameters: Mapping[str, FloatArray]) -> FloatArray:
        """Return the law on all bins, smoothed along them: shape of the parameters and ``(n_bins,)``."""
        spread = {name: np.asarray(value)[..., None] for name, value in parameters.items()}
        return np.asarray(self.density(spread, self.centres) @ smoothing(self.n_bins))

    def counts(self, frac_year: FloatArray) -> FloatArray:
        """Return the expected histogram.

        Parameters
        ----------
        frac_year : ndarray, any shape
            Dates, years with a fraction.

        Returns
        -------
        ndarray, shape of `frac_year` and ``(n_bins,)``
            Pixels of the whole CCD in each bin, at `t_ccd_ref`.
        """
        return self.smoothed(self.parameters(np.asarray(frac_year, dtype=float)))

    def terms(self, frac_year: FloatArray) -> Terms:
        """Return what `tail` needs to know of dates: for each piece its first bin, its amplitude and its slope.

        Parameters
        ----------
        frac_year : ndarray, shape (n,)
            Dates, years with a fraction.

        Returns
        -------
        tuple of ndarray, each of shape (pieces, n)
        """
        amplitudes, slopes, breaks = self.pieces(self.parameters(frac_year))
        shape = (len(slopes), *frac_year.shape)
        starts, heights, steepness = np.zeros(shape, dtype=np.intp), np.empty(shape), np.empty(shape)
        for piece, (amplitude, slope) in enumerate(zip(amplitudes, slopes, strict=True)):
            heights[piece], steepness[piece] = amplitude, slope
        for piece, at in enumerate(breaks, start=1):
            starts[piece] = self.bins_before(np.asarray(at))
        return starts, heights, steepness

    def bins_before(self, breaks: FloatArray) -> IntArray:
        """Return how many bins have their centre in the piece before each break, or in one before that.

        Parameters
        ----------
        breaks : ndarray, any shape
            Dark currents, e-/s. They lie close together, so that the centres between them decide; a search for each
            would take longer.

        Returns
        -------
        ndarray of int
        """
        if not breaks.size:
            return np.zeros(breaks.shape, dtype=np.intp)
        side: Literal["left", "right"] = "right" if self.at_break == "below" else "left"
        first, last = np.searchsorted(self.centres, [breaks.min(), breaks.max()], side)
        count = np.full(breaks.shape, first)
        for centre in self.centres[first:last]:
            count += centre <= breaks if self.at_break == "below" else centre < breaks
        return count

    def tail(self, terms: Terms, index: IntArray) -> Tail:
        """Return the histogram at and above bins, without making whole histograms.

        On equal bins of the logarithm a power law is a geometric series; the smoothed counts, and their sums, are
        polynomials in its ratio whose coefficients depend on the bin alone. All their terms are positive.

        Parameters
        ----------
        terms : tuple of ndarray
            Of `terms`, for n dates.
        index : ndarray of int, shape (n,)
            The bins, less than `n_bins`.

        Returns
        -------
        Tail
            Arrays of shape (n,).
        """
        starts, amplitudes, slopes = terms
        result = np.empty((3, index.size))
        for chosen in _alike(starts, index):
            bin_here, first = int(index[chosen[0]]), starts[:, chosen[0]].tolist()
            weights = _tail_weights(self.n_bins, bin_here)
            total = np.zeros((3, chosen.size))
            for piece, (start, end) in enumerate(zip(first, [*first[1:], self.n_bins], strict=True)):
                low = max(start, bin_here - 8)
                if low < end:
                    slope = slopes[piece].take(chosen)
                    at_low = amplitudes[piece].take(chosen) * np.exp(-slope * math.log(self.centres[low] / self.x_r))
                    total += at_low * _polynomials(weights[:, low:end], np.exp(-LOG_STEP * slope))
            result[:, chosen] = total
        return Tail(*result)


def _alike(starts: IntArray, index: IntArray) -> Iterator[IntArray]:
    """Yield the places of elements that have the same bin, and whose pieces start at the same bins."""
    key = index.astype(np.uint16)  # of two bytes: these are sorted in linear time
    if (starts != starts[:, :1]).any():
        _, kind = np.unique(starts, axis=1, return_inverse=True)
        key = (kind.ravel() * (int(index.max()) + 1) + index).astype(np.uint32)
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.diff(key[order])) + 1
    yield from np.split(order, ends)


@cache
def _tail_weights(n_bins: int, index: int) -> FloatArray:
    """Return how much the law at each centre adds to the tail, to the bin and to the one before: shape (3, n_bins)."""
    matrix = smoothing(n_bins)
    weights = np.stack([matrix[:, index:].sum(axis=1), matrix[:, index], matrix[:, max(index - 1, 0)]])
    weights.flags.writeable = False
    return weights


def _polynomials(coefficients: FloatArray, ratio: FloatArray) -> FloatArray:
    """Return the polynomials of `ratio` with each row of coefficients, lowest power first: shape (rows, n)."""
    if ratio.size <= _FEW:
        powers = ratio ** np.arange(coefficients.shape[1])[:, None]
        return np.asarray(coefficients @ powers)
    result = np.zeros((len(coefficients), ratio.size))
    for row, value in zip(coefficients, result, strict=True):
        used = row.nonzero()[0].max(initial=-1) + 1
        for weight in row[:used][::-1].tolist():
            value *= ratio
            value += weight
    return result
