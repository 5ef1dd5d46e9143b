"""What a dark-current model says for dates and temperatures: histogram, warm fractions, quantiles, maps."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import numpy as np

from aca_core._frozen import FrozenMapping
from aca_core.arrays import FloatArray, StrArray
from aca_core.dark_current.bins import CCD_PIXELS, LOG_STEP
from aca_core.dark_current.images import RandomSource, draw_image
from aca_core.dark_current.laws import DarkLaw, dark_law
from aca_core.dark_current.scaling import CCD_TEMPERATURES, scale_factor
from aca_core.dark_current.warm_fractions import frac_years, warm_fraction_at
from aca_core.dates import DateLike, to_date, to_secs
from aca_core.errors import AcaWarning, DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DarkModel", "get_dark_model", "model_for"]

_MOST_CURVES: Final = 6
_ON_AN_EDGE: Final = 1e-12  # relative; what rounding may add to an edge that is scaled there and back


def _constant(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DarkModel:
    """The dark current of the CCD's pixels at a date and a temperature, or at many, by a model.

    `get_dark_model` makes it. It cannot be changed, and it pickles. With S the shape that dates and temperatures have
    together, what there is for each of them has the shape S, and is a Python number where S is ``()``; what there is
    for each bin has one more axis, at the end.

    Attributes
    ----------
    law : DarkLaw
        The law that it evaluates.
    date : str or ndarray of str
        The dates, as `aca_core.dates.to_date` writes them.
    frac_year : float or ndarray
        The same as years with a fraction, in the shape in which they were given.
    t_ccd : float or ndarray
        CCD temperature, degC, in the shape in which it was given.

    Examples
    --------
    >>> model = get_dark_model("2013:001", -19.0)
    >>> round(model.parameters["ampl1"], 6), model.counts.shape
    (19739.0, (79,))
    >>> round(model.warm_fraction(100.0), 10)
    0.0811203818
    """

    law: DarkLaw
    date: str | StrArray
    frac_year: float | FloatArray
    t_ccd: float | FloatArray

    def __repr__(self) -> str:
        if self.shape:
            return f"<DarkModel {self.name}: dates and temperatures of shape {self.shape}>"
        return f"<DarkModel {self.name}: {self.date}, {self.t_ccd} degC>"

    def __reduce__(self) -> tuple[Any, ...]:
        # numpy's arrays come back from a pickle free to be changed.
        return _remade, (self.law, self.date, self.frac_year, self.t_ccd)

    @property
    def name(self) -> str:
        """Name of the law: ``2013`` or ``2017``."""
        return self.law.name

    @property
    def t_ccd_ref(self) -> float:
        """Temperature that the law was fitted at, degC."""
        return self.law.t_ccd_ref

    @property
    def notes(self) -> tuple[str, ...]:
        """What the law was fitted to, and where it is known to be off."""
        return self.law.notes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape S that dates and temperatures have together."""
        return np.broadcast_shapes(np.shape(self.frac_year), np.shape(self.t_ccd))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameters of the law by name, each a float or a read-only array of the shape S."""
        found = self.law.parameters(np.asarray(self.frac_year))
        return FrozenMapping({name: as_given(np.broadcast_to(value, self.shape)) for name, value in found.items()})

    @property
    def scale(self) -> float | FloatArray:
        """What dark currents at the reference temperature are multiplied by, shape S."""
        return as_given(np.broadcast_to(self._scale(), self.shape))  # type: ignore[no-any-return]  # one or many

    @property
    def edges(self) -> FloatArray:
        """Edges of the bins at `t_ccd`, e-/s, shape S + (n + 1,); read-only."""
        return np.broadcast_to(self._scale()[..., None] * self.law.edges, (*self.shape, self.law.n_bins + 1))

    @property
    def centres(self) -> FloatArray:
        """Geometric centres of the bins at `t_ccd`, e-/s, shape S + (n,); read-only."""
        return np.broadcast_to(self._scale()[..., None] * self.law.centres, (*self.shape, self.law.n_bins))

    @property
    def counts(self) -> FloatArray:
        """Expected pixels of the whole CCD in each bin, shape S + (n,); read-only."""
        return np.broadcast_to(self.law.counts(np.asarray(self.frac_year)), (*self.shape, self.law.n_bins))

    @property
    def described(self) -> float | FloatArray:
        """Fraction of the CCD's pixels that the histogram holds, shape S.

        The rest are cooler than its first edge, as far as the model knows; late in the mission (from 2018 with the law
        of 2013, from 2025 with that of 2017) it is more than 1, and the cool end of the histogram means nothing.
        """
        return as_given(np.asarray(self.counts.sum(axis=-1) / CCD_PIXELS))  # type: ignore[no-any-return]  # as above

    def density(self, x: Any, *, smoothed: bool = False) -> Any:
        """Return the density of pixels in dark current.

        Parameters
        ----------
        x : array_like or Quantity
            Dark current at `t_ccd`, e-/s; it broadcasts with S.
        smoothed : bool, default False
            False for the power law alone, as its parameters say it. True for the law smoothed as the histogram is:
            above the break it is about twice the law.

        Returns
        -------
        float or ndarray
            Pixels per e-/s. NaN outside the bins, of which the model says nothing. Smoothed, it has the value of
            `counts` over the width ``0.1151 x`` at the centres of the bins, and integrates to them within 1 %, but
            for the bin of a break and the cool end.

        Raises
        ------
        DeclarationError
            `x` is no number, or does not broadcast with S. It is a ValueError.
        """
        x = self._argument("density", "x", x, "electron / s")
        parameters = self.law.parameters(np.asarray(self.frac_year))
        first, last = self.law.edges[0] * (1 - _ON_AN_EDGE), self.law.edges[-1] * (1 + _ON_AN_EDGE)
        at_reference = x / self._scale()
        with np.errstate(invalid="ignore", divide="ignore"):
            inside = (at_reference >= first) & (at_reference <= last)
            at_reference = np.where(inside, at_reference, np.nan)
            evaluate = self.law.density_smoothed if smoothed else self.law.density
            return as_given(np.asarray(evaluate(parameters, at_reference) / (LOG_STEP * x)))

    def warm_fraction(self, thresholds: Any = 100.0, method: str = "exact") -> Any:
        """Return the fraction of the CCD's pixels above thresholds.

        Parameters
        ----------
        thresholds : array_like or Quantity, default 100.0
            Dark current, e-/s; it broadcasts with S.
        method : {'exact', 'corrected'}
            As for `aca_core.dark_current.warm_fraction`.

        Returns
        -------
        float or ndarray

        Raises
        ------
        DeclarationError
            A threshold cannot be used, or they do not broadcast with S. It is a ValueError.
        UnknownNameError
            There is no such method.
        """
        thresholds = self._argument("warm_fraction", "thresholds", thresholds, "electron / s")
        years, t_ccd = np.asarray(self.frac_year), np.asarray(self.t_ccd)
        return as_given(warm_fraction_at(self.name, years, t_ccd, thresholds, method, stacklevel=3))

    def quantile(self, q: Any) -> Any:
        """Return the dark current below which a fraction of all the CCD's pixels lies.

        It is the inverse of ``warm_fraction(x, method="corrected")``: a fraction ``1 - q`` is warmer. Inside the last
        bin, where that method knows no slope, pixels are spread evenly in the logarithm.

        Parameters
        ----------
        q : array_like
            Fractions, 0 to 1; they broadcast with S.

        Returns
        -------
        float or ndarray
            Dark current, e-/s. NaN where it is below the first edge: the pixels that the histogram does not hold
            (see `described`) are cooler than that, and the model does not say how cool.

        Raises
        ------
        DeclarationError
            `q` is no number or outside 0 to 1, or does not broadcast with S. It is a ValueError.

        Examples
        --------
        >>> model = get_dark_model("2013:001", -19.0)
        >>> round(model.quantile(0.9), 3), model.quantile(0.1)
        (87.719, nan)
        """
        wanted = self._argument("quantile", "q", q, "")
        if ((wanted < 0) | (wanted > 1)).any():
            raise DeclarationError("quantile", "q", q, "fractions from 0 to 1")
        warmer = (1.0 - wanted) * CCD_PIXELS
        counts = self.law.counts(np.asarray(self.frac_year))
        tails = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]
        with np.errstate(invalid="ignore"):
            place = np.count_nonzero(tails >= warmer[..., None], axis=-1) - 1
        shift = _inside_bin(counts, tails, warmer, np.maximum(place, 0))
        upper = self.law.edges.take(np.maximum(place, 0) + 1) * self._scale()
        return as_given(np.asarray(np.where(place < 0, np.nan, upper * np.exp(shift))))

    def sample(self, rng: RandomSource = None, base: Any = None) -> FloatArray:
        """Draw a dark map of the model at its date and temperature.

        Parameters
        ----------
        rng : numpy Generator, int, optional
            Random numbers, or a seed of them.
        base : float or array_like, optional
            What lies beneath, e-/s at `t_ccd_ref`, as for `aca_core.dark_current.synthetic_dark_image`; with 0.0 the
            map's own histogram is the model's, but for the noise of counting.

        Returns
        -------
        ndarray of float64, shape (1024, 1024)
            Dark current at `t_ccd`, e-/s, synthetic.

        Raises
        ------
        DeclarationError
            The model is of several dates or temperatures, or has more pixels than the CCD. It is a ValueError.
        """
        if self.shape or np.isnan(self.frac_year) or np.isnan(self.t_ccd):
            raise DeclarationError("sample", "model", repr(self), "a model of one date and one temperature")
        image = draw_image("sample", self.law, float(self.frac_year), rng, base)
        image *= self._scale()
        return image

    def plot(self) -> Figure:
        """Draw the histogram, and the fraction of pixels that are warmer than any dark current.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        DeclarationError
            The model has no date and temperature, or more than six, or one of them is masked or NaN. It is a
            ValueError.
        AcaError
            matplotlib is not installed.
        """
        from aca_core.dark_current.plots import plot_histograms
        from aca_core.figures import celsius

        n_bins, number = self.law.n_bins, int(np.prod(self.shape))
        is_unknown = bool(np.isnan(self.frac_year).any() or np.isnan(self.t_ccd).any())
        if is_unknown or not 1 <= number <= _MOST_CURVES:
            expected = f"one to {_MOST_CURVES} dates and temperatures, all known"
            raise DeclarationError("plot", "model", repr(self), expected)
        dates = np.broadcast_to(np.asarray(self.date), self.shape).ravel().tolist()
        temperatures = np.broadcast_to(self.t_ccd, self.shape).ravel().tolist()
        labels = [f"{date[:8]}, {celsius(t_ccd)}" for date, t_ccd in zip(dates, temperatures, strict=True)]
        edges, counts = self.edges.reshape(-1, n_bins + 1), self.counts.reshape(-1, n_bins)
        return plot_histograms(edges, counts, labels, f"{self.name} model")

    def _scale(self) -> FloatArray:
        return np.asarray(scale_factor(self.t_ccd_ref, np.asarray(self.t_ccd)))

    def _argument(self, what: str, name: str, value: Any, unit: str) -> FloatArray:
        array = as_floats(f"DarkModel.{what}", name, value, unit)
        shapes = {"date": np.asarray(self.frac_year), "t_ccd": np.asarray(self.t_ccd), name: array}
        broadcast_shape(f"DarkModel.{what}", shapes)
        return array


def _inside_bin(counts: FloatArray, tails: FloatArray, warmer: FloatArray, place: Any) -> FloatArray:
    """Return how far below the upper edge of its bin a quantile lies, in the logarithm: 0 to minus a bin's width."""
    padded = np.concatenate([tails, np.zeros((*tails.shape[:-1], 1))], axis=-1)
    share = (warmer - _taken(padded, place + 1)) / _taken(counts, place)
    last = counts.shape[-1] - 1
    slope = np.log(_taken(counts, np.minimum(place + 1, last)) / _taken(counts, place)) / LOG_STEP
    slope = np.where((place == last) | (slope == 0.0), 1e-200, slope)  # flat: evenly spread
    with np.errstate(invalid="ignore"):  # of what is below the histogram
        return np.asarray(np.log1p(share * np.expm1(-slope * LOG_STEP)) / slope)


def _taken(values: FloatArray, place: Any) -> FloatArray:
    """Return for each place the element of the last axis there; the other axes broadcast."""
    shape = np.broadcast_shapes(values.shape[:-1], place.shape)
    everywhere = np.broadcast_to(values, (*shape, values.shape[-1]))
    return np.asarray(np.take_along_axis(everywhere, np.broadcast_to(place, shape)[..., None], axis=-1)[..., 0])


def _remade(law: DarkLaw, date: Any, frac_year: Any, t_ccd: Any) -> DarkModel:
    for array in (date, frac_year, t_ccd):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return DarkModel(law=law, date=date, frac_year=frac_year, t_ccd=t_ccd)


def get_dark_model(date: DateLike, t_ccd: Any, model: str = "2013") -> DarkModel:
    """Return the dark-current model for dates and temperatures.

    Parameters
    ----------
    date : date-like, any shape
        Dates.
    t_ccd : array_like or Quantity, any shape
        CCD temperature, degC; it broadcasts with `date`.
    model : {'2013', '2017'}
        Which law.

    Returns
    -------
    DarkModel
        Parameters, bins, histogram, warm fractions, quantiles, synthetic maps and a picture. NaN where a date is
        masked, or a temperature is masked or NaN.

    Raises
    ------
    DeclarationError
        `t_ccd` is not a temperature from -100 to 100 degC, the shapes do not broadcast, or a date is before the
        law's amplitude is positive (1998.8 for 2013, 1999.3 for 2017), where it has negative numbers of pixels. It is
        a ValueError.
    DateError
        An element of `date` is not a date.
    UnknownNameError
        There is no such model.

    Examples
    --------
    >>> get_dark_model("2013:001", -19.0)
    <DarkModel 2013: 2013:001:00:00:00.000, -19.0 degC>
    >>> get_dark_model(["2012:001", "2013:001"], -15.0, model="2017").counts.shape
    (2, 74)
    """
    return model_for("get_dark_model", date, t_ccd, model)


def model_for(what: str, date: DateLike, t_ccd: Any, model: str) -> DarkModel:
    """Return what `get_dark_model` does, for a function that is called by somebody else.

    Parameters
    ----------
    what : str
        The function that was called, for messages; warnings name the line that called it.
    date, t_ccd, model
        As for `get_dark_model`.

    Returns
    -------
    DarkModel

    Raises
    ------
    DeclarationError, DateError, UnknownNameError
        As for `get_dark_model`.
    """
    law = dark_law(model)
    secs = to_secs(date)  # once: it may be now
    years, temperatures = frac_years(secs), as_floats(what, "t_ccd", t_ccd, "deg_C")
    broadcast_shape(what, {"date": years, "t_ccd": temperatures})
    low, high = CCD_TEMPERATURES
    if ((temperatures < low) | (temperatures > high)).any():
        raise DeclarationError(what, "t_ccd", t_ccd, f"temperatures from {low:g} to {high:g} degC")
    if (years <= law.defined_from).any():
        expected = f"dates after {law.defined_from:.1f}: before, the {law.name} model has a negative amplitude"
        raise DeclarationError(what, "date", date, expected)
    if early := int(np.count_nonzero(years < law.valid_from)):
        when = f"before {law.valid_from:.1f}, from when the {law.name} dark model is valid"
        warnings.warn(f"{early} of {years.size} dates are {when}; it is continued to them", AcaWarning, stacklevel=3)
    return _remade(law, to_date(secs), as_given(_constant(years.copy())), as_given(_constant(temperatures.copy())))
