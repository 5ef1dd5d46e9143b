"""What telemetry is simulated: pointings, what each slot sees in which image size, and what goes wrong.

All times of these records are those of minor frames of telemetry, as TSTART of a file is: 1.025 s and half an
integration after the column TIME of the same row.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from aca_core.simulation.observation import SYNTHETIC

__all__ = [
    "BadRows",
    "FidShift",
    "FileOverlap",
    "History",
    "ImageModes",
    "SimulatedFile",
    "TelemetryGap",
    "TelemetryPlan",
    "TelemetryStretch",
]

ImageModes: TypeAlias = Literal["mixed", "8x8", "6x6", "4x4"]
"""Which image sizes there are: those that occur in flight, or one for all."""


@attrs.frozen(kw_only=True)
class TelemetryStretch:
    """A time in which a slot tracks one light with one image size.

    Attributes
    ----------
    pointing : int
        Which pointing of the spacecraft, from 0.
    slot : int
        0 to 7.
    kind : {'star', 'fid'}
        What is tracked.
    imgsize : {8, 6, 4}
        Pixels along a side of its images.
    start, stop : float
        CXC seconds.
    mag : float
        Magnitude of the light.
    row, col : float
        Where its centroid is in the mean, pixels; dither, drift and shifts come on top.
    integ : float
        Integration time, s.
    """

    pointing: int
    slot: int
    kind: Literal["star", "fid"]
    imgsize: Literal[8, 6, 4]
    start: float
    stop: float
    mag: float
    row: float
    col: float
    integ: float


@attrs.frozen(kw_only=True)
class FidShift:
    """A step in the place of a fid light's image, from which on it stays until the end of the pointing.

    Attributes
    ----------
    pointing, slot : int
        Which light.
    time : float
        When, CXC seconds.
    row, col : float
        By how much, pixels.
    """

    pointing: int
    slot: int
    time: float
    row: float
    col: float


@attrs.frozen(kw_only=True)
class TelemetryGap:
    """A time without telemetry inside a file: images of which a packet would fall into it are not there.

    Attributes
    ----------
    slots : tuple of int
        All of them, or the one that was lost.
    start, stop : float
        CXC seconds.
    """

    slots: tuple[int, ...]
    start: float
    stop: float


@attrs.frozen(kw_only=True)
class BadRows:
    """Rows of bad quality: they begin at `start` or later, and before `stop`. A redelivery makes them good.

    Attributes
    ----------
    slot : int
        Where.
    start, stop : float
        CXC seconds.
    """

    slot: int
    start: float
    stop: float


@attrs.frozen(kw_only=True)
class FileOverlap:
    """A time of which two files of one slot and one revision have the rows.

    Attributes
    ----------
    slot : int
        Where.
    start, stop : float
        CXC seconds: where the second file begins and where the first one ends.
    """

    slot: int
    start: float
    stop: float


@attrs.frozen(kw_only=True)
class History:
    """How a quantity of header 3 goes on with time.

    It is ``mean + trend * years + daily * sin(day) + perigee * warming + noise``, where the sine has a period of a day,
    and the warming is a bump of two hours, 1 at its top, once an orbit of 63.5 h.

    Attributes
    ----------
    name : str
        Of the quantity.
    unit : str
        Of its value.
    mean : float
        At the time `since`.
    trend : float
        Change in a year.
    daily, perigee : float
        Amplitudes.
    noise : float
        Standard deviation, from one image to the next.
    since : float
        CXC seconds.
    """

    name: str
    unit: str
    mean: float
    trend: float = 0.0
    daily: float = 0.0
    perigee: float = 0.0
    noise: float = 0.0
    since: float = 0.0


@attrs.frozen(kw_only=True)
class SimulatedFile:
    """A level-0 file.

    Attributes
    ----------
    path : str
        Relative to the folder of the simulation.
    slot, imgsize, revision : int
        As in its name, its images and its header.
    pointing : int
        Of which pointing it is a part.
    start, stop : float
        TSTART and TSTOP of its header: first minor frame of the first row, end of the last of the last row.
    rows, bad_rows : int
        How many rows it has, and how many of them are of bad quality.
    ingested : float
        When the list of ingested files has it, CXC seconds.
    """

    path: str
    slot: int
    imgsize: int
    revision: int
    pointing: int
    start: float
    stop: float
    rows: int
    bad_rows: int
    ingested: float

    @property
    def name(self) -> str:
        """Its base name."""
        return self.path.rpartition("/")[2]


@attrs.frozen(kw_only=True)
class TelemetryPlan:
    """All that simulated telemetry is made from.

    Attributes
    ----------
    seed : int
        What it was drawn with.
    start, stop : float
        CXC seconds.
    modes : {'mixed', '8x8', '6x6', '4x4'}
        Which image sizes.
    slots : tuple of int
        Which slots were written.
    newer : bool
        Whether files have the columns PIXTLM and BGDTYP.
    revision : int
        Of the files as first delivered.
    stretches : tuple of TelemetryStretch
        By slot and time.
    fid_shifts : tuple of FidShift
        By slot and time.
    gaps : tuple of TelemetryGap
        By time.
    bad_rows : tuple of BadRows
        By slot and time.
    overlaps : tuple of FileOverlap
        By slot and time.
    histories : tuple of History
        Of what header 3 tells and is no bit, counter or constant.
    synthetic : str
        That it is.
    """

    seed: int
    start: float
    stop: float
    modes: ImageModes
    slots: tuple[int, ...]
    newer: bool
    revision: int
    stretches: tuple[TelemetryStretch, ...]
    fid_shifts: tuple[FidShift, ...] = ()
    gaps: tuple[TelemetryGap, ...] = ()
    bad_rows: tuple[BadRows, ...] = ()
    overlaps: tuple[FileOverlap, ...] = ()
    histories: tuple[History, ...] = ()
    synthetic: str = SYNTHETIC
