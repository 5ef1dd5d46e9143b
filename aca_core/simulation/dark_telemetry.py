"""What telemetry says around simulated dark calibrations: when the CCD was read out in full, and how warm it was."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dates import to_date
from aca_core.simulation.dark_draw import HDR3_FROM, TELEMETRY_FROM, rng_of, temperature_at
from aca_core.simulation.dark_truth import DarkCalTruth, SimulatedDarkCals

__all__ = ["TABLES", "write_csv", "write_tables"]

TABLES: Final = ("dark_events.csv", "aacccdpt.csv", "hdr3.csv")

_AACCCDPT_STEP: Final = 131.2  # s; in flight it is 32.8, and the table four times as long
_AACCCDPT_AROUND: Final = 20_500.0
_AACCCDPT_NOISE: Final = 0.05
_HDR3_STEP: Final = 61.5
_HDR3_AROUND: Final = 590.0
_HDR3_NOISE: Final = 0.03
_FAULT: Final = -272.9  # what a frame that was not decoded looks like, degC
_FAULTS: Final = 0.01


def write_tables(simulated: SimulatedDarkCals) -> None:
    """Write the tables of events and of temperatures.

    Parameters
    ----------
    simulated : SimulatedDarkCals
        The calibrations, and where they are.
    """
    events = [(to_date(r.tstart), to_date(r.tstop)) for truth in simulated.calibrations for r in truth.replicas]
    write_csv(simulated.folder / "dark_events.csv", ("start", "stop"), events)
    for name, samples in (("aacccdpt.csv", _aacccdpt), ("hdr3.csv", _hdr3)):
        rows: list[tuple[str, str]] = []
        for truth in simulated.calibrations:
            times, values = samples(truth, simulated.seed)
            rows += [(date, f"{value:.3f}") for date, value in zip(np.atleast_1d(to_date(times)), values, strict=True)]
        write_csv(simulated.folder / name, ("time", "value"), rows)


def _aacccdpt(truth: DarkCalTruth, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return samples of telemetry around a calibration, CXC seconds and degC."""
    times = np.arange(truth.tstart - _AACCCDPT_AROUND, truth.tstop + _AACCCDPT_AROUND, _AACCCDPT_STEP)
    if truth.tstart < TELEMETRY_FROM:
        times = times[:0]
    return times, _sampled(truth, times, _AACCCDPT_NOISE, rng_of(seed, truth.dark_id, 1))


def _hdr3(truth: DarkCalTruth, seed: int) -> tuple[FloatArray, FloatArray]:
    """Return samples of header 3 before and after each replica: there are none during a full readout."""
    spans = [(r.tstart - _HDR3_AROUND, r.tstart - 5.0) for r in truth.replicas]
    spans += [(r.tstop + 5.0, r.tstop + _HDR3_AROUND) for r in truth.replicas]
    times = np.sort(np.concatenate([np.arange(*span, _HDR3_STEP) for span in spans]))
    if truth.tstart < HDR3_FROM:
        times = times[:0]
    return times, _sampled(truth, times, _HDR3_NOISE, rng_of(seed, truth.dark_id, 2))


def _sampled(truth: DarkCalTruth, times: FloatArray, noise: float, rng: np.random.Generator) -> FloatArray:
    """Return temperatures as they are telemetered: with noise, and some frames that were not decoded."""
    values = temperature_at(truth, times) + rng.normal(0.0, noise, times.shape)
    return np.where(rng.random(times.shape) < _FAULTS, _FAULT, values)


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[Iterable[str]]) -> None:
    """Write a table.

    Parameters
    ----------
    path : Path
        Where.
    header : tuple of str
        Names of its columns.
    rows : iterable of iterable of str
        Its cells, without commas.
    """
    lines = [",".join(header), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
