"""When dark calibrations were made: intervals of full readouts, joined into calibrations and counted as replicas."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np

from aca_core.arrays import FloatArray, IntArray
from aca_core.dark_processing.inputs import DarkInputs, checked_inputs
from aca_core.dates import DateLike, to_date, to_secs
from aca_core.errors import DateError, DeclarationError, MissingDataError
from aca_core.quantities import as_floats

__all__ = ["CalibrationEvent", "Replica", "calibration_events"]

_DAY: Final = 86400.0

JOINED_OVER: Final = _DAY
"""The longest pause within a calibration, s."""

LONGER_THAN: Final = 8000.0
"""What is shorter, from the first start to the last stop, is no calibration, s."""

REPLICA_FROM: Final = 300.0
"""The shortest replica, s."""

USUAL_REPLICAS: Final = 5

_IN_STEP: Final = 0.1
"""How far a replica may be from its place in a regular sequence to be numbered by it, in steps of the sequence."""

_PAD: Final = 3 * _DAY
"""What has to be looked at around a range for calibrations at its ends to be whole: they last hours."""

_FIRST, _LAST = to_secs("1990:001"), to_secs("2100:365")
"""Dates end here, and so does what is looked at."""


@attrs.frozen(kw_only=True)
class Replica:
    """One full readout of the CCD.

    Attributes
    ----------
    count : int
        Its number in the calibration, from 1.
    tstart, tstop : float
        CXC seconds.
    """

    count: int
    tstart: float
    tstop: float

    @property
    def start(self) -> str:
        """Its start, UTC."""
        return to_date(self.tstart)

    @property
    def stop(self) -> str:
        """Its stop, UTC."""
        return to_date(self.tstop)


@attrs.frozen(kw_only=True)
class CalibrationEvent:
    """One dark calibration, as telemetry shows it.

    Attributes
    ----------
    tstart, tstop : float
        From the first full readout to the last one, CXC seconds.
    replicas : tuple of Replica
        In order of time.
    """

    tstart: float
    tstop: float
    replicas: tuple[Replica, ...] = ()

    @property
    def start(self) -> str:
        """Its start, UTC."""
        return to_date(self.tstart)

    @property
    def stop(self) -> str:
        """Its stop, UTC."""
        return to_date(self.tstop)

    @property
    def dur(self) -> float:
        """How long it lasted, s."""
        return self.tstop - self.tstart


def calibration_events(
    start: DateLike, stop: DateLike = None, inputs: DarkInputs | None = None
) -> tuple[CalibrationEvent, ...]:
    r"""Return the dark calibrations that overlap a range of time.

    A calibration is what is left of the intervals of full readouts when they are joined over pauses of at most a day,
    where that lasts longer than 8000 s from start to stop. Its replicas are the single intervals of at least 300 s
    that start between half a day before and a day after its start. They are numbered in order of time; where fewer
    than five follow each other in regular steps but for a missing one, its number is left out.

    Parameters
    ----------
    start, stop : date
        The range; `stop` is now by default.
    inputs : DarkInputs, optional
        Who knows the intervals; by default what the configuration names.

    Returns
    -------
    tuple of CalibrationEvent
        In order of time, whole also where the range cuts them.

    Raises
    ------
    MissingDataError
        Nobody knows the intervals, or their table is not there.
    DateError
        A date is none, or the range goes backwards.
    IntegrityError
        The table cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.dark_processing import EventTable
    >>> path = Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("start,stop\n2019:272:02:00:00,2019:272:03:00:00\n2019:272:04:00:00,2019:272:05:00:00\n")
    >>> event, = calibration_events("2019:270", "2019:280", DarkInputs(events=EventTable(path=path)))
    >>> event.dur, [replica.count for replica in event.replicas]
    (10800.0, [1, 2])
    """
    low, high = to_secs(start), to_secs(stop)
    if not isinstance(low, float) or not isinstance(high, float):
        raise DeclarationError("calibration_events", "start, stop", (start, stop), "one date each")
    if high < low:
        raise DateError(to_date(high), f"the range goes backwards; expected a date that is not before {to_date(low)}")
    inputs = checked_inputs("calibration_events", inputs)
    tstart, tstop = _intervals(inputs, max(low - _PAD, _FIRST), min(high + _PAD, _LAST))
    found = (_event(*each, tstart, tstop) for each in _joined(tstart, tstop) if each[1] - each[0] > LONGER_THAN)
    return tuple(event for event in found if event.tstop >= low and event.tstart <= high)


def _intervals(inputs: DarkInputs, start: float, stop: float) -> tuple[FloatArray, FloatArray]:
    """Return what the provider of events says, checked and in order."""
    provider = inputs.events
    if provider is None:
        text = "nobody knows when the CCD was read out in full; name a table with dark.events of the configuration"
        raise MissingDataError(f"{text}, or give inputs with events")
    what = type(provider).__name__
    given: Any = provider.intervals(start, stop)
    if not isinstance(given, tuple) or len(given) != 2:
        raise DeclarationError(what, "intervals", type(given).__name__, "a tuple of two arrays, tstart and tstop")
    tstart, tstop = as_floats(what, "tstart", given[0], "s"), as_floats(what, "tstop", given[1], "s")
    if tstart.ndim != 1 or tstart.shape != tstop.shape or not (tstop >= tstart).all():
        shapes = f"of the shapes {tstart.shape} and {tstop.shape}"
        raise DeclarationError(what, "intervals", shapes, "as many starts as stops, finite, none after its stop")
    order = np.argsort(tstart, kind="stable")
    return tstart[order], tstop[order]


def _joined(tstart: FloatArray, tstop: FloatArray) -> list[tuple[float, float]]:
    """Return the intervals joined over pauses that are not longer than a day."""
    if not tstart.size:
        return []
    reached = np.maximum.accumulate(tstop)
    first = np.flatnonzero(np.r_[True, tstart[1:] - reached[:-1] > JOINED_OVER])
    last = np.r_[first[1:] - 1, tstart.size - 1]
    return [(float(tstart[i]), float(reached[j])) for i, j in zip(first, last, strict=True)]


def _event(start: float, stop: float, tstart: FloatArray, tstop: FloatArray) -> CalibrationEvent:
    near = (tstart >= start - 0.5 * _DAY) & (tstart <= start + _DAY) & (tstop - tstart >= REPLICA_FROM)
    counts = _counts(tstart[near]).tolist()
    replicas = tuple(
        Replica(count=count, tstart=float(begun), tstop=float(ended))
        for count, begun, ended in zip(counts, tstart[near], tstop[near], strict=True)
    )
    return CalibrationEvent(tstart=start, tstop=stop, replicas=replicas)


def _counts(begun: FloatArray) -> IntArray:
    """Return the numbers of replicas by their starts; a gap in a regular sequence keeps the number of what is missing.

    The files of a replica are found by its number, so that those behind a lost one must not move up.
    """
    in_order = np.arange(1, begun.size + 1)
    if not 3 <= begun.size < USUAL_REPLICAS:
        return in_order
    step = float(np.diff(begun).min())
    if step <= 0:
        return in_order
    places = (begun - begun[0]) / step
    by_time = np.rint(places).astype(int) + 1
    regular = bool(np.abs(places - np.rint(places)).max() <= _IN_STEP)
    return by_time if regular and by_time[-1] <= USUAL_REPLICAS else in_order
