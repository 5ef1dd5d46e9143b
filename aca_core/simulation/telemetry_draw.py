"""How a plan of telemetry is drawn from a seed: pointings, lights, changes of the image size, and faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias, cast

import attrs
import numpy as np

from aca_core.simulation.telemetry_clock import frame_at, frame_time, frames_of, period_of
from aca_core.simulation.telemetry_plan import (
    BadRows,
    FidShift,
    FileOverlap,
    ImageModes,
    TelemetryGap,
    TelemetryStretch,
)

__all__ = ["ALL_SLOTS", "LEAST_PERIODS", "Faults", "cut_in_files", "draw_pointings"]

ALL_SLOTS: Final = range(8)

LEAST_PERIODS: Final = 180
"""No pointing is shorter, in images of 8x8 pixels: 12 minutes."""

_Size: TypeAlias = Literal[8, 6, 4]
_PER_HOUR: Final = 878  # periods
_FILE_PERIODS: Final = 6 * _PER_HOUR
_OVERLAP: Final = 40
_FID_SLOTS: Final = (0, 1, 2)

_FIRST_SIZES: Final[dict[int, tuple[_Size, ...]]] = {3: (8, 6, 4), 4: (4, 8), 5: (6,), 6: (8,), 7: (8, 6)}
"""Image sizes of stars in the first pointing, so that every change occurs in the shortest simulation."""


@attrs.frozen(kw_only=True)
class Faults:
    """What goes wrong in some pointings: the same records as those of a plan."""

    gaps: tuple[TelemetryGap, ...] = ()
    bad_rows: tuple[BadRows, ...] = ()


def draw_pointings(
    seed: int, first: int, last: int, modes: ImageModes, *, faults: bool
) -> tuple[list[TelemetryStretch], list[FidShift], Faults]:
    """Draw pointings one after the other, with the maneuvers between them.

    Parameters
    ----------
    seed : int
        From which.
    first, last : int
        Periods; the last one is not simulated any more.
    modes : {'mixed', '8x8', '6x6', '4x4'}
        Which image sizes.
    faults : bool
        Whether anything goes wrong.

    Returns
    -------
    stretches : list of TelemetryStretch
        Of all slots.
    shifts : list of FidShift
        Of the fid lights.
    faults : Faults
        None of them without `faults`.
    """
    stretches: list[TelemetryStretch] = []
    shifts: list[FidShift] = []
    gaps: list[TelemetryGap] = []
    bad: list[BadRows] = []
    for pointing, (begin, end) in enumerate(_spans(np.random.default_rng([seed, 1]), first, last)):
        rng = np.random.default_rng([seed, 2, pointing])
        mine = list(_stretches(rng, pointing, begin, end, modes))
        stretches += mine
        shifts += _shifts(rng, pointing, begin, end, mine)
        if faults:
            gaps += _gaps(rng, begin, end)
            bad += _bad_rows(rng, begin, end, at_least=1 if pointing == 0 else 0)
    stretches.sort(key=lambda each: (each.slot, each.start))
    shifts.sort(key=lambda each: (each.slot, each.time))
    bad.sort(key=lambda each: (each.slot, each.start))
    gaps.sort(key=lambda each: each.start)
    return stretches, shifts, Faults(gaps=tuple(gaps), bad_rows=tuple(bad))


def cut_in_files(
    stretches: list[TelemetryStretch], *, overlaps: bool
) -> tuple[list[tuple[TelemetryStretch, float, float]], list[FileOverlap]]:
    """Cut stretches into the files in which they are delivered, of six hours at most.

    Parameters
    ----------
    stretches : list of TelemetryStretch
        By slot and time.
    overlaps : bool
        Whether a second file of two slots repeats the last rows of the first one.

    Returns
    -------
    pieces : list of tuple
        A stretch, and from when to when a file of it goes, CXC seconds.
    overlaps : list of FileOverlap
        What is in two files.
    """
    pieces: list[tuple[TelemetryStretch, float, float]] = []
    repeated: list[FileOverlap] = []
    open_slots = set(_slots_that_overlap(stretches)) if overlaps else set()
    for stretch in stretches:
        begin, end = _period(stretch.start), _period(stretch.stop)
        cuts = list(range(begin, end, _FILE_PERIODS))
        overlap = stretch.slot in open_slots and end - begin >= LEAST_PERIODS
        if overlap and len(cuts) == 1:
            cuts.append((begin + end) // 2)
        for number, cut in enumerate(cuts):
            stop = cuts[number + 1] if number + 1 < len(cuts) else end
            start = cut
            if overlap and number == 1:
                start -= _OVERLAP
                repeated.append(FileOverlap(slot=stretch.slot, start=_time(start), stop=_time(cut)))
                open_slots.discard(stretch.slot)
            pieces.append((stretch, _time(start), _time(stop)))
    return pieces, repeated


# ---- pointings ------------------------------------------------------------------------------------------------------


def _time(period: int) -> float:
    return float(frame_time(frames_of(period)))


def _period(secs: float) -> int:
    return period_of(frame_at(secs))


def _spans(rng: np.random.Generator, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield periods from which to which the spacecraft keeps a pointing: some hours, with minutes between."""
    begin = first
    while last - begin >= LEAST_PERIODS:
        short = begin > first and rng.random() < 0.3
        hours = rng.uniform(0.4, 1.2) if short else rng.uniform(3.0, 9.0)
        end = min(begin + int(hours * _PER_HOUR), last)
        yield begin, end
        begin = end + int(rng.uniform(3.0, 15.0) / 60.0 * _PER_HOUR)


def _stretches(
    rng: np.random.Generator, pointing: int, begin: int, end: int, modes: ImageModes
) -> Iterator[TelemetryStretch]:
    """Yield what each slot does in a pointing."""
    has_fids = pointing % 4 != 3
    integ = 1.6 if pointing % 5 == 4 else 1.696
    for slot in ALL_SLOTS:
        is_fid = has_fids and slot in _FID_SLOTS
        mag = rng.uniform(6.9, 7.2) if is_fid else rng.uniform(6.5, 10.4)
        row, col = rng.uniform(-460.0, 460.0, 2)
        sizes, cuts = _sizes(rng, pointing, slot, begin, end)
        if is_fid:
            sizes, cuts = (8,), [begin, end]
        if modes != "mixed":
            sizes, cuts = (cast(_Size, int(modes[0])),), [begin, end]
        for size, start, stop in zip(sizes, cuts[:-1], cuts[1:], strict=True):
            yield TelemetryStretch(
                pointing=pointing,
                slot=slot,
                kind="fid" if is_fid else "star",
                imgsize=size,
                start=_time(start),
                stop=_time(stop),
                mag=round(float(mag), 3),
                row=round(float(row), 3),
                col=round(float(col), 3),
                integ=integ,
            )


def _sizes(
    rng: np.random.Generator, pointing: int, slot: int, begin: int, end: int
) -> tuple[tuple[_Size, ...], list[int]]:
    """Draw image sizes of a slot, one after the other, and the periods at which they begin and end."""
    share = (0.75, 0.2, 0.05) if slot == 6 else (0.3, 0.5, 0.2)  # slot 6 tells the temperature of the CCD
    drawn = [(8, 6, 4)[number] for number in rng.choice(3, 2, replace=False, p=share)]
    changes = rng.random() < 0.35
    places = np.sort(rng.uniform(0.25, 0.75, 2))
    sizes = tuple(drawn) if changes else tuple(drawn[:1])
    if pointing == 0:
        sizes = _FIRST_SIZES.get(slot, (8,))
    middle = [begin + int(place * (end - begin)) for place in places[: len(sizes) - 1]]
    return cast("tuple[_Size, ...]", sizes), [begin, *middle, end]


def _shifts(
    rng: np.random.Generator, pointing: int, begin: int, end: int, stretches: list[TelemetryStretch]
) -> Iterator[FidShift]:
    """Yield the steps of all fid lights of a pointing, which come together; half of the pointings have one."""
    place, (row, col), happens = rng.uniform(0.3, 0.7), rng.uniform(-1.0, 1.0, 2), rng.random() < 0.5
    if happens or pointing == 0:
        time = _time(begin + int(place * (end - begin)))
        step: dict[str, Any] = {"time": time, "row": round(float(row), 3), "col": round(float(col), 3)}
        for slot in sorted({each.slot for each in stretches if each.kind == "fid"}):
            yield FidShift(pointing=pointing, slot=slot, **step)


# ---- faults ---------------------------------------------------------------------------------------------------------


def _gaps(rng: np.random.Generator, begin: int, end: int) -> Iterator[TelemetryGap]:
    """Yield a gap of all slots and one of a single slot, off the ends of a pointing and off the grid of periods."""
    lost = int(rng.integers(8))
    for slots, most in ((tuple(ALL_SLOTS), 400), ((lost,), 80)):
        first = frames_of(begin) + int(rng.uniform(0.1, 0.85) * 16 * (end - begin))
        length = int(rng.integers(8, most))
        times = frame_time([first, first + length])
        yield TelemetryGap(slots=slots, start=float(times[0]), stop=float(times[1]))


def _bad_rows(rng: np.random.Generator, begin: int, end: int, *, at_least: int) -> Iterator[BadRows]:
    """Yield short times of bad quality, about six a day in each slot."""
    for slot in ALL_SLOTS:
        count = max(int(rng.poisson((end - begin) / _PER_HOUR / 4.0)), at_least)
        for first in begin + (rng.uniform(0.05, 0.95, count) * (end - begin)).astype(int):
            length = int(rng.integers(1, 5))
            yield BadRows(slot=slot, start=_time(int(first)), stop=_time(int(first) + length))


def _slots_that_overlap(stretches: list[TelemetryStretch]) -> list[int]:
    """Return two slots of which files will overlap, one of them fids where there are some."""
    slots = sorted({each.slot for each in stretches})
    return slots[:1] if len(slots) == 1 else [slots[len(slots) // 8], slots[-1 - len(slots) // 8]]
