"""The telemetry half of ``aca demo``: synthetic level 0 in the delivery, and the temperature of the CCD that it has."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aca_core.aca_l0.archives import ROLE
from aca_core.cli.output import counted, write_lines, write_table

if TYPE_CHECKING:
    from aca_core.archive import Archive, DayArchive
    from aca_core.archive.reports import UpdateOptions
    from aca_core.arrays import FloatArray

__all__ = ["answer_telemetry", "deliver_telemetry", "first_range", "suggest_telemetry"]

START: Final = "2021:001"

_ROWS: Final = 16
"""In how many rows at most it is shown how the temperature went."""

_STEPS: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400)
"""How long the time of a row may be, s; or a whole number of days."""

_BAR: Final = 20

_STRIP: Final = 600.0
"""How much of a slot the picture that is proposed shows, s."""

_MSID: Final = "ccd_temp"


def deliver_telemetry(folder: Path, days: float, seed: int) -> None:
    """Simulate telemetry into a delivery.

    Parameters
    ----------
    folder : Path
        Of the delivery.
    days : float
        How long the telemetry is.
    seed : int
        What it is drawn from.
    """
    from aca_core.simulation import simulate_telemetry
    from aca_core.simulation.telemetry_plan import SimulatedFile

    told: list[str] = []

    def tell(file: SimulatedFile) -> None:
        day = file.path.rpartition("/")[0]
        if day not in told:  # some hundred files are too many lines
            told.append(day)
            click.echo(f"making telemetry of {day.partition('/')[2].replace('/', ':')}", err=True)

    telemetry = simulate_telemetry(folder, start=START, days=days, seed=seed, told=tell)
    slots = counted(len(telemetry.plan.slots), "slot")
    write_lines([f"Simulated telemetry of {days:g} days and {slots} beside them: {telemetry.synthetic}."])


def first_range(archive: Archive, folder: Path, options: UpdateOptions) -> UpdateOptions:
    """Return the options of an update that shall have the telemetry of the demonstration.

    Where nothing of a product by day is archived yet, an update has to be told from when on; and the years since have
    nothing that it could ask for.

    Parameters
    ----------
    archive : Archive
        That of the demonstration.
    folder : Path
        Of the delivery.
    options : UpdateOptions
        As they would be otherwise.

    Returns
    -------
    UpdateOptions
    """
    import attrs

    from aca_core.errors import MissingDataError
    from aca_core.simulation import read_telemetry_truth

    member = _member(archive)
    try:
        telemetry = read_telemetry_truth(folder)
    except MissingDataError:
        return options
    if member is None:
        return options
    since = None if _has_any(member) else telemetry.start
    return attrs.evolve(options, since=since, until=telemetry.stop)


def _member(archive: Archive) -> DayArchive | None:
    """Return the archive of telemetry, if there is one."""
    from aca_core.archive import DayArchive

    return next((each for each in archive.providing(ROLE) if isinstance(each, DayArchive)), None)


def _has_any(member: DayArchive) -> bool:
    from aca_core.archive import status_of

    return status_of(member).files > 0


# ---- what can be asked ----------------------------------------------------------------------------------------------


def answer_telemetry(archive: Archive) -> None:
    """Ask how warm the CCD was.

    Parameters
    ----------
    archive : Archive
        That of the demonstration.
    """
    import numpy as np

    from aca_core.aca_hdr3 import Msid
    from aca_core.archive import using
    from aca_core.dates import to_date

    ends = _ends(archive)
    if ends is None:
        return
    with using(archive):
        found = Msid(_MSID, *ends)
    click.echo("\nHow warm was the CCD, by header 3 of the telemetry? Synthetic, as everything:\n")
    edges = _edges(*ends)
    parts = [found.vals[low:high] for low, high in itertools.pairwise(np.searchsorted(found.times, edges))]
    means = [float(part.mean()) if part.size else math.nan for part in parts]
    bars = _bars(means)
    rows = [(to_date(edge)[:14], *_cells(part), bar) for edge, part, bar in zip(edges, parts, bars, strict=False)]
    numbers = ("samples", "least", "mean degC", "greatest")
    write_table(("from", *numbers, ""), rows, right=numbers, least=("",))
    if found.vals.size:
        step = float(np.median(np.diff(found.times))) if found.times.size > 1 else 0.0
        lines = [
            f"{counted(found.vals.size, 'sample')} of {_MSID}, {step:.1f} s from one to the next: from "
            f"{found.vals.min():.2f} to {found.vals.max():.2f} degC. Where there are none, its slot had smaller images."
        ]
        write_lines(["", *lines])


def _edges(start: float, stop: float) -> FloatArray:
    """Return even times, at most as many as there are rows, that begin before a range and end behind it."""
    import numpy as np

    from aca_core.dates import day_start

    least = (stop - start) / (_ROWS - 1)
    step = next((each for each in _STEPS if each >= least), 86400 * (1 + least // 86400))
    midnight = float(day_start(start))
    first = midnight + (start - midnight) // step * step
    return first + step * np.arange(1 + -(-(stop - first) // step))


def _ends(archive: Archive) -> tuple[float, float] | None:
    """Return from when to when telemetry is archived."""
    member = _member(archive)
    rows = [] if member is None else member.get_rows(0.0, columns=("tstart", "tstop"))
    return (min(row["tstart"] for row in rows), max(row["tstop"] for row in rows)) if rows else None


def _cells(values: FloatArray) -> tuple[str, ...]:
    if not values.size:
        return ("0", "", "", "")
    return (str(values.size), f"{values.min():.2f}", f"{values.mean():.3f}", f"{values.max():.2f}")


def _bars(means: Sequence[float]) -> list[str]:
    """Return bars whose lengths are how much warmer it was than at the coolest; none where it is not known."""
    known = [mean for mean in means if not math.isnan(mean)]
    lowest, span = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    scale = (_BAR - 1) / span if span else 0.0
    return ["" if math.isnan(mean) else "█" * (1 + round(scale * (mean - lowest))) for mean in means]


def suggest_telemetry(archive: Archive) -> list[tuple[str, str]]:
    """Return commands to go on with, and what they show.

    Parameters
    ----------
    archive : Archive
        That of the demonstration.
    """
    from aca_core.dates import to_date

    ends = _ends(archive)
    if ends is None:
        return []
    first, last = (to_date(secs)[:14] for secs in (ends[0], ends[1] + 60.0))
    begin, end = (to_date(secs)[:14] for secs in (ends[0] + _STRIP, ends[0] + 2 * _STRIP))
    return [
        (f"hdr3 get {_MSID} {first} {last}", "the temperature of the CCD; --plot FILE draws it"),
        (f"l0 data {begin} {end} --slot 3", "what a slot measured; --out FILE writes it"),
        (f"l0 images {begin} {end} --slot 3 --plot images.png", "what it saw"),
    ]
