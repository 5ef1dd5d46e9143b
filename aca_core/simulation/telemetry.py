"""Simulated level-0 telemetry of the camera: eight slots of images and header 3, with faults, and the truth about it.

The folder has ``aca0/YYYY/DOY/acaf….fits.gz``, ``catalogue/ingested_files.csv`` and ``telemetry_truth.json``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

import attrs
import numpy as np
import numpy.typing as npt

from aca_core.dates import DateLike, to_date, to_secs
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.simulation.observation import SYNTHETIC
from aca_core.simulation.telemetry_clock import frame_at, frame_time, frames_of, period_of, periods_at
from aca_core.simulation.telemetry_draw import ALL_SLOTS, cut_in_files, draw_pointings
from aca_core.simulation.telemetry_files import describe_file, file_content
from aca_core.simulation.telemetry_header3 import header3_histories, header3_values, header3_words
from aca_core.simulation.telemetry_images import centroids
from aca_core.simulation.telemetry_plan import ImageModes, SimulatedFile, TelemetryPlan, TelemetryStretch
from aca_core.simulation.telemetry_truth import (
    TelemetryTruth,
    load_telemetry_truth,
    make_telemetry_room,
    write_catalogue,
    write_telemetry_truth,
)

__all__ = ["SimulatedTelemetry", "read_telemetry_truth", "simulate_telemetry"]

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
Told: TypeAlias = Callable[[SimulatedFile], None]

_LEAST_DAYS: Final = 0.02
_MOST_DAYS: Final = 1000.0
_INGESTED_AFTER: Final = 9 * 3600.0  # s; in flight the files of a morning come in the afternoon
_REDELIVERED_AFTER: Final = 86400.0


@attrs.define(kw_only=True)
class SimulatedTelemetry:
    """Simulated telemetry: where it lies, and what is true of it. It can be delivered again, as in flight.

    Attributes
    ----------
    folder : Path
        Top of the delivery.
    plan : TelemetryPlan
        What was drawn: stretches of each slot, shifts of fid lights, gaps, rows of bad quality, overlaps of files.
    files : tuple of SimulatedFile
        Every file that was written, in that order.
    catalogue : Path
        Folder of the list of ingested files.
    synthetic : str
        That it is.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.simulation import simulate_telemetry
    >>> telemetry = simulate_telemetry(tempfile.mkdtemp(), days=0.05, slots=[6], seed=1)
    >>> len(telemetry.files), telemetry.files[0].name
    (2, 'acaf725846470N001_6_img0.fits.gz')
    >>> round(telemetry.t_ccd("2021:001:00:30:00"), 3)
    -9.538
    """

    folder: Path
    plan: TelemetryPlan
    files: tuple[SimulatedFile, ...]
    catalogue: Path
    synthetic: str = SYNTHETIC

    @property
    def start(self) -> float:
        """First minor frame of the telemetry, CXC seconds."""
        return self.plan.start

    @property
    def stop(self) -> float:
        """End of the telemetry, CXC seconds."""
        return self.plan.stop

    def stretches(self, slot: int) -> tuple[TelemetryStretch, ...]:
        """Return what a slot did.

        Parameters
        ----------
        slot : int
            0 to 7.

        Returns
        -------
        tuple of TelemetryStretch
        """
        return tuple(each for each in self.plan.stretches if each.slot == slot)

    def t_ccd(self, times: DateLike) -> Any:
        """Return the temperature of the CCD with its noise, before it was rounded to be encoded.

        Parameters
        ----------
        times : date or array of dates
            TIME of rows of level 0; also where gaps or other image sizes have left no row.

        Returns
        -------
        float or ndarray of float64
            degC.
        """
        return self.header3("ccd_temp", times)

    def header3(self, name: str, times: DateLike) -> Any:
        """Return the true value of a quantity of header 3, before it was rounded to be encoded.

        Parameters
        ----------
        name : str
            Such as ``ccd_temp`` or ``ad_5v_ps``.
        times : date or array of dates
            TIME of rows of level 0.

        Returns
        -------
        float or ndarray of float64
            In the unit of `plan.histories`; of bits, counters and constants the number that is written.

        Raises
        ------
        UnknownNameError
            There is no such quantity.
        """
        periods = periods_at(to_secs(times))
        values = header3_values(self.plan.histories, self.plan.seed, name, periods)
        return values if values.ndim else float(values)

    def header3_words(self, name: str, times: DateLike) -> Any:
        """Return the whole numbers that encode a quantity of header 3.

        Parameters
        ----------
        name, times
            As for `header3`.

        Returns
        -------
        int or ndarray of int64
        """
        words = header3_words(self.plan.histories, self.plan.seed, name, periods_at(to_secs(times)))
        return words if words.ndim else int(words)

    def centroids(self, stretch: TelemetryStretch, times: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return where the image of a light truly is.

        Parameters
        ----------
        stretch : TelemetryStretch
            Whose.
        times : date or array of dates
            TIME of rows.

        Returns
        -------
        row, col : ndarray of float64
            Pixels of the CCD.
        """
        frames = np.asarray(to_secs(times), dtype=np.float64) + 1.025 + stretch.integ / 2
        return centroids(stretch, self.plan.fid_shifts, frames)

    def redeliver(self, day: DateLike, revision: int) -> tuple[SimulatedFile, ...]:
        """Deliver the files of a day again, in a greater revision in which no row is of bad quality.

        Parameters
        ----------
        day : date
            Of the names of the files: the UTC day of their TSTART.
        revision : int
            2 to 999.

        Returns
        -------
        tuple of SimulatedFile
            What was written beside the earlier files; the list of ingested files has it a day after the rest.

        Raises
        ------
        DeclarationError
            A file of the day has that revision, or a greater one.
        MissingDataError
            No file is of that day.
        """
        date = to_date(_one_date("day", day))
        mine = [file for file in self.files if f"/{date[:4]}/{date[5:8]}/" in file.path]
        if not mine:
            raise MissingDataError(f"there is no simulated telemetry of {date[:8]} in {self.folder}")
        newest = max(file.revision for file in mine)
        if isinstance(revision, bool) or not isinstance(revision, int) or not newest < revision <= 999:
            raise _refused("revision", revision, f"a whole number above {newest}, up to 999")
        ingested = max(file.ingested for file in self.files) + _REDELIVERED_AFTER
        done = []
        for file in mine:
            if file.revision == newest:
                stretch = self._stretch_of(file)
                again = describe_file(self.plan, stretch, file.start, file.stop, revision, ingested)
                if again is not None:
                    self._write(stretch, again)
                    done.append(again)
        self.files += tuple(done)
        self._publish()
        return tuple(done)

    def _stretch_of(self, file: SimulatedFile) -> TelemetryStretch:
        return next(each for each in self.stretches(file.slot) if each.start <= file.start < each.stop)

    def _write(self, stretch: TelemetryStretch, file: SimulatedFile) -> None:
        path = self.folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_content(self.plan, stretch, file))

    def _truth(self, *, finished: bool = True) -> TelemetryTruth:
        inside = self.catalogue.is_relative_to(self.folder)
        place = self.catalogue.relative_to(self.folder).as_posix() if inside else str(self.catalogue.absolute())
        return TelemetryTruth(plan=self.plan, files=self.files, catalogue=place, finished=finished)

    def _publish(self) -> None:
        truth = self._truth()
        write_catalogue(self.folder, truth)
        write_telemetry_truth(self.folder, truth)


def simulate_telemetry(
    folder: str | Path,
    *,
    start: DateLike = "2021:001",
    days: float = 2.0,
    seed: int = 0,
    modes: ImageModes = "mixed",
    slots: Iterable[int] = ALL_SLOTS,
    newer: bool = False,
    faults: bool = True,
    revision: int = 1,
    catalogue: str | Path | None = None,
    force: bool = False,
    told: Told | None = None,
) -> SimulatedTelemetry:
    """Write level-0 telemetry as the ground system delivers it, with the truth beside it.

    The spacecraft keeps one pointing after the other, for some hours each, with minutes without telemetry between. In
    three of four pointings slots 0 to 2 have fid lights; the other slots track stars, whose images dither and change
    their size. A file has one slot, one image size and six hours at most.

    Parameters
    ----------
    folder : path-like
        Where; a simulated delivery of observations may be there, and stays.
    start : date, default '2021:001'
        From when; the first image begins at the next tick of the on-board clock, within 4.1 s.
    days : float, default 2
        How long, 0.02 to 1000.
    seed : int, default 0
        What everything is drawn from. The same seed and arguments write the same bytes.
    modes : {'mixed', '8x8', '6x6', '4x4'}
        Image sizes: as in flight, with changes in the middle of a pointing, or one for all.
    slots : iterable of int, default all
        Which slots are written. What a slot shows does not depend on it.
    newer : bool, default False
        Whether files have the columns PIXTLM and BGDTYP of newer processing.
    faults : bool, default True
        Whether there are gaps, rows of bad quality and files that overlap.
    revision : int, default 1
        Of the files.
    catalogue : path-like, optional
        Folder of the list of ingested files, ``catalogue`` in `folder` by default.
    force : bool, default False
        Whether telemetry of an earlier simulation in the folder may go.
    told : callable, optional
        Called with each `SimulatedFile` that was written.

    Returns
    -------
    SimulatedTelemetry
        Where it is, and the truth.

    Raises
    ------
    DeclarationError
        An argument is wrong. It is a ValueError.
    DateError
        The start is no date.
    IntegrityError
        Something is where files would be written; nothing was changed.

    Examples
    --------
    >>> import tempfile
    >>> telemetry = simulate_telemetry(tempfile.mkdtemp(), days=0.05, slots=[3, 6], seed=1)
    >>> [each.imgsize for each in telemetry.stretches(3)]
    [8, 6, 4]
    >>> sorted({file.slot for file in telemetry.files})
    [3, 6]
    """
    wanted = _checked(days=days, seed=seed, modes=modes, slots=slots, revision=revision)
    begin = _one_date("start", start)
    first = period_of(frame_at(begin) + 15)
    last = first + int(days * 86400.0 / float(frame_time(16) - frame_time(0)))
    stretches, shifts, wrong = draw_pointings(seed, first, last, modes, faults=faults)
    stretches = [each for each in stretches if each.slot in wanted]
    pieces, overlaps = cut_in_files(stretches, overlaps=faults)
    start_time, stop_time = frame_time([frames_of(first), frames_of(last)]).tolist()
    plan = TelemetryPlan(
        seed=seed,
        start=start_time,
        stop=stop_time,
        modes=modes,
        slots=wanted,
        newer=newer,
        revision=revision,
        stretches=tuple(stretches),
        fid_shifts=tuple(each for each in shifts if each.slot in wanted),
        gaps=tuple(each for each in wrong.gaps if set(each.slots) & set(wanted)),
        bad_rows=tuple(each for each in wrong.bad_rows if each.slot in wanted),
        overlaps=tuple(overlaps),
        histories=header3_histories(start_time),
    )
    described = [(each, describe_file(plan, each, a, b, revision, int(b) + _INGESTED_AFTER)) for each, a, b in pieces]
    files = sorted(((file, each) for each, file in described if file is not None), key=lambda pair: pair[0].path)
    top = Path(folder)
    telemetry = SimulatedTelemetry(
        folder=top,
        plan=plan,
        files=tuple(file for file, _ in files),
        catalogue=top / "catalogue" if catalogue is None else Path(catalogue),
    )
    make_telemetry_room(top, telemetry._truth(), force=force)
    write_telemetry_truth(top, telemetry._truth(finished=False))  # before the rest: it says what may be replaced
    for file, stretch in files:
        telemetry._write(stretch, file)
        if told is not None:
            told(file)
    telemetry._publish()
    return telemetry


def read_telemetry_truth(folder: str | Path) -> SimulatedTelemetry:
    """Open simulated telemetry again.

    Parameters
    ----------
    folder : path-like
        What `simulate_telemetry` was given.

    Returns
    -------
    SimulatedTelemetry

    Raises
    ------
    MissingDataError
        There is none.
    IntegrityError
        Its truth cannot be understood, or its simulation was interrupted.
    """
    top = Path(folder)
    truth = load_telemetry_truth(top)
    return SimulatedTelemetry(folder=top, plan=truth.plan, files=truth.files, catalogue=top / truth.catalogue)


# ---- arguments ------------------------------------------------------------------------------------------------------


def _refused(name: str, value: object, expected: str) -> DeclarationError:
    return DeclarationError("simulated telemetry", name, value, expected)


def _one_date(name: str, date: DateLike) -> float:
    secs = np.asarray(to_secs(date), dtype=np.float64)
    if secs.ndim:
        raise _refused(name, date, "one date, not several")
    return float(secs)


def _checked(*, days: object, seed: object, modes: object, slots: object, revision: object) -> tuple[int, ...]:
    """Refuse what is no good, and return the slots."""
    if isinstance(days, bool) or not isinstance(days, int | float) or not _LEAST_DAYS <= days <= _MOST_DAYS:
        raise _refused("days", days, f"a number from {_LEAST_DAYS} to {_MOST_DAYS:g}")
    for name, value, low, high in (("seed", seed, 0, math.inf), ("revision", revision, 1, 999)):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _refused(name, value, f"a whole number from {low}" + (f" to {high}" if high < math.inf else ""))
    if modes not in get_args(ImageModes):
        raise _refused("modes", modes, f"one of {', '.join(get_args(ImageModes))}")
    listed = list(slots) if isinstance(slots, Iterable) and not isinstance(slots, str) else []
    if not listed or any(isinstance(each, bool) or each not in ALL_SLOTS for each in listed):
        raise _refused("slots", slots, "one or more of 0 to 7, such as [0, 6]")
    return tuple(sorted({int(each) for each in listed}))
