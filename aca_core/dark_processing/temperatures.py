"""How warm the CCD was in an interval: the three-step rule of guess, header 3 and telemetry AACCCDPT."""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np

from aca_core.arrays import FloatArray, StrArray
from aca_core.dark_processing.inputs import DarkInputs, checked_inputs
from aca_core.dark_processing.providers import TemperatureProvider
from aca_core.dates import DateLike, to_date, to_secs
from aca_core.errors import AcaWarning, DeclarationError, MissingDataError
from aca_core.quantities import as_floats, broadcast_shape

__all__ = ["get_ccd_temp"]

_GUESSED_UNTIL: Final = to_secs("2000:001")
"""Before it there is no telemetry to be had; the CCD was held at -10 degC."""

_GUESS: Final = -10.0

_MORE_THAN_HDR3: Final = 4
_MORE_THAN_AACCCDPT: Final = 100
_AROUND: Final = 20_000.0
"""How far from the middle of the interval samples of AACCCDPT are taken, s."""

_SCATTER: Final = 1.0
"""What is left of the samples about the parabola above which they are no smooth temperature, degC."""


def get_ccd_temp(
    tstart: DateLike, tstop: DateLike, inputs: DarkInputs | None = None
) -> tuple[float | FloatArray, str | StrArray]:
    """Return the best estimate of the CCD temperature in an interval, and where it is from.

    Before 2000:001 it is taken to be -10 degC. Else it is the mean of the samples of header 3 in the interval where
    there are more than 4 of them; else, with more than 100 samples of AACCCDPT within 20000 s of the middle, the value
    in the middle of a parabola through them. Samples outside of `DarkInputs.temperature_range` do not count.

    Parameters
    ----------
    tstart, tstop : date, any shapes that broadcast
        The interval, or many.
    inputs : DarkInputs, optional
        Who knows the temperatures; by default what the configuration names.

    Returns
    -------
    t_ccd : float or ndarray of float64
        degC.
    source : str or ndarray of str
        ``GUESS``, ``HDR3`` or ``AACCCDPT``.

    Raises
    ------
    MissingDataError
        There are too few samples; the message says how many there are of each kind.
    DateError
        A date is none.
    DeclarationError
        `tstop` is before `tstart`, or the shapes do not broadcast. It is a ValueError.
    IntegrityError
        A table of temperatures cannot be read.

    Warns
    -----
    AcaWarning
        Samples of AACCCDPT lie on one side of the interval's middle alone, or scatter by more than 1 degC.

    Examples
    --------
    >>> get_ccd_temp("1999:223:00:00:00", "1999:223:02:00:00", DarkInputs())
    (-10.0, 'GUESS')
    """
    start, stop = np.asarray(to_secs(tstart), dtype=float), np.asarray(to_secs(tstop), dtype=float)
    shape = broadcast_shape("get_ccd_temp", {"tstart": start, "tstop": stop})
    start, stop = np.broadcast_to(start, shape), np.broadcast_to(stop, shape)
    if (backwards := start > stop).any():
        first = to_date(float(stop[backwards][0]))
        raise DeclarationError("get_ccd_temp", "tstop", first, "a date that is not before tstart")
    inputs = checked_inputs("get_ccd_temp", inputs)
    found: list[tuple[float, str]] = []
    for interval in zip(start.flat, stop.flat, strict=True):
        found.append(_temperature(*interval, inputs))  # no comprehension: a warning names the caller's line
    if not shape:
        return found[0]
    values = np.array([value for value, _ in found], dtype=float).reshape(shape)
    return values, np.array([source for _, source in found], dtype="U8").reshape(shape)


def _temperature(start: float, stop: float, inputs: DarkInputs) -> tuple[float, str]:
    """Return the temperature in one interval, CXC seconds, and its source."""
    start, stop = float(start), float(stop)
    if start < _GUESSED_UNTIL:
        return _GUESS, "GUESS"
    _, hdr3, rejected = _usable(inputs.hdr3, start, stop, inputs)
    if hdr3.size > _MORE_THAN_HDR3:
        return float(hdr3.mean()), "HDR3"
    said = [_said("header 3", inputs.hdr3, hdr3.size, rejected, _MORE_THAN_HDR3)]
    middle = (start + stop) / 2
    times, values, rejected = _usable(inputs.aacccdpt, middle - _AROUND, middle + _AROUND, inputs)
    if values.size > _MORE_THAN_AACCCDPT:
        return _parabola_at(middle, times, values, inputs), "AACCCDPT"
    said.append(_said("AACCCDPT", inputs.aacccdpt, values.size, rejected, _MORE_THAN_AACCCDPT))
    raise MissingDataError(f"no CCD temperature between {to_date(start)} and {to_date(stop)}: {'; '.join(said)}")


def _usable(
    provider: TemperatureProvider | None, start: float, stop: float, inputs: DarkInputs
) -> tuple[FloatArray, FloatArray, int]:
    """Return the samples that are no faults, and how many were rejected as such."""
    if provider is None:
        return np.zeros(0), np.zeros(0), 0
    what = type(provider).__name__
    given: Any = provider.samples(start, stop)
    if not isinstance(given, tuple) or len(given) != 2:
        raise DeclarationError(what, "samples", type(given).__name__, "a tuple of two arrays, times and temperatures")
    times, values = as_floats(what, "times", given[0]), as_floats(what, "samples", given[1], "deg_C")
    if times.ndim != 1 or times.shape != values.shape:
        shapes = f"shapes {times.shape} and {values.shape}"
        raise DeclarationError(what, "samples", shapes, "as many times as temperatures")
    low, high = inputs.temperature_range
    inside = (times >= start) & (times <= stop)
    good = inside & (values >= low) & (values <= high)
    return times[good], values[good], int(inside.sum() - good.sum())


def _said(name: str, provider: TemperatureProvider | None, number: int, rejected: int, limit: int) -> str:
    """Return what was found of one kind, and what is needed."""
    if provider is None:
        return f"{name} has no provider (the table [dark] of the configuration may name one)"
    faults = f", and {rejected} outside the temperature range" if rejected else ""
    around = f" within {_AROUND:.0f} s of the middle" if limit == _MORE_THAN_AACCCDPT else ""
    return f"{name} has {number} usable samples{around}{faults}; more than {limit} are needed"


def _parabola_at(middle: float, times: FloatArray, values: FloatArray, inputs: DarkInputs) -> float:
    """Return the value of a least-squares parabola in the middle of an interval."""
    # Of order one, so that the squares do not make the equations ill-conditioned.
    x = (times - middle) / _AROUND
    terms = np.stack([np.ones_like(x), x, x**2], axis=1)
    coefficients, _, rank, _ = np.linalg.lstsq(terms, values, rcond=None)
    value = float(coefficients[0])
    low, high = inputs.temperature_range
    if rank < 3 or not low <= value <= high:
        found = f"a parabola through {len(x)} samples of AACCCDPT is {value:.1f} degC"
        problem = "they have fewer than three times" if rank < 3 else f"{found}, outside of {low:g} to {high:g} degC"
        raise MissingDataError(f"no CCD temperature at {to_date(middle)}: {problem}")
    scatter = float(np.sqrt(np.mean((values - terms @ coefficients) ** 2)))
    one_side = x.min() > 0 or x.max() < 0
    if one_side or scatter > _SCATTER:
        reason = "lie on one side of it alone" if one_side else f"scatter by {scatter:.1f} degC"
        text = f"the CCD temperature at {to_date(middle)}, {value:.2f} degC, is uncertain: samples of AACCCDPT {reason}"
        warnings.warn(text, AcaWarning, stacklevel=4)
    return value
