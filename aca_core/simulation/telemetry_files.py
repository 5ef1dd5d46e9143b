"""One level-0 file: its rows and its header, as the ground system delivers them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from aca_core.simulation.fits_bytes import calendar, compressed, fits_table
from aca_core.simulation.telemetry_clock import (
    CLOCK_RATE,
    CLOCK_ZERO,
    FRAME_LAG,
    FRAMES,
    counters,
    frame_at,
    frame_time,
    frames_of,
)
from aca_core.simulation.telemetry_header3 import BYTE_COLUMNS, header3_bytes, header3_values
from aca_core.simulation.telemetry_images import draw_images
from aca_core.simulation.telemetry_plan import SimulatedFile, TelemetryPlan, TelemetryStretch

__all__ = ["PRODUCT", "describe_file", "file_content", "file_rows"]

PRODUCT: Final = "aca0"
"""The product's folder in a delivery tree."""

IntArray: TypeAlias = npt.NDArray[np.int64]
Rows: TypeAlias = npt.NDArray[Any]

_KELVIN: Final = 273.15
_TEMPERATURE_STEP: Final = 0.4
_TEMPERATURES: Final = {
    "TEMPCCD": "ccd_temp",
    "TEMPHOUS": "ad_achhs_therm",
    "TEMPPRIM": "ad_lc_therm",
    "TEMPSEC": "ad_smhs_therm",
}
"""Temperatures of packet 2, and the quantities of header 3 that are the same in finer steps."""

_UNITS: Final = dict.fromkeys(("TIME", "END_INTEG_TIME", "INTEG"), "s") | dict.fromkeys(_TEMPERATURES, "K")
_UNITS_DN: Final = dict.fromkeys(("BGDAVG", "BGDRMS", "IMGRAW"), "DN")

_LIMITS: Final = {
    "MJF": (0, 131071),
    **dict.fromkeys(("GLBSTAT", "IMGSTAT", "BGDSTAT"), (0, 255)),
    **dict.fromkeys(("COMMCNT", "COMMPROG"), (0, 63)),
    **dict.fromkeys(("IMGROW0", "IMGCOL0"), (-511, 512)),
    "IMGSCALE": (0, 1023),
    **{f"IMGFID{packet}": (0, 1) for packet in range(1, 5)},
    **{f"IMGNUM{packet}": (0, 7) for packet in range(1, 5)},
    **{f"IMGFUNC{packet}": (0, 3) for packet in range(1, 5)},
}
"""TLMIN and TLMAX of columns, as in the level-0 files of 2019:272."""

_TRACK: Final = 1
_SEARCH: Final = 2
_SEARCH_SECONDS: Final = 12.0
"""How long a slot searches at the start of a pointing."""

_TELESCOPE: Final[Mapping[str, Any]] = {
    "MISSION": "AXAF",
    "TELESCOP": "CHANDRA",
    "INSTRUME": "PCAD",
    "TLM_FMT": 2,
}
_CONVENTIONS: Final[Mapping[str, Any]] = {
    "CONTENT": "ACAIMG",
    "HDUNAME": "ACADATA",
    "HDUSPEC": "ACA Level 0 Data Products ICD Version 1.0",
    "HDUDOC": "ASC-FITS-2.0: McDowell, Rots: ASC FITS File Designers Guide",
    "HDUVERS": "1.0.0",
    "HDUCLASS": "ASC",
    "HDUCLAS1": "TEMPORALDATA",
    "HDUCLAS2": "ACADATA",
    "LONGSTRN": "OGIP 1.0",
}
_CLOCK: Final[Mapping[str, Any]] = {
    "TIMESYS": "TT",
    "MJDREF": 50814.0,
    "TIMEZERO": 0.0,
    "TIMEUNIT": "s",
    "BTIMNULL": CLOCK_ZERO,
    "BTIMRATE": CLOCK_RATE,
    "BTIMDRFT": 0.0,
    "BTIMCORR": 0.0,
    "TIMEREF": "LOCAL",
    "TASSIGN": "SATELLITE",
    "CLOCKAPP": True,
    "TIERRELA": 1e-9,
    "TIERABSO": 5e-5,
    "TIMVERSN": "ASC-FITS-2.0",
}


# ---- what a file has ------------------------------------------------------------------------------------------------


def describe_file(
    plan: TelemetryPlan, stretch: TelemetryStretch, start: float, stop: float, revision: int, ingested: float
) -> SimulatedFile | None:
    """Say which file has what was taken of a stretch in some time.

    Parameters
    ----------
    plan : TelemetryPlan
        With its gaps and its rows of bad quality.
    stretch : TelemetryStretch
        Of which slot.
    start, stop : float
        CXC seconds of minor frames, both on the grid of periods.
    revision : int
        Of the file.
    ingested : float
        When it is listed as ingested.

    Returns
    -------
    SimulatedFile or None
        None where gaps leave no row.
    """
    from aca_core.dates import to_date

    frames = _frames(stretch, start, stop)
    frames = frames[_is_there(plan, stretch, frames)]
    if not len(frames):
        return None
    first, last = frame_time([frames[0], frames[-1] + FRAMES[stretch.imgsize]])
    date = to_date(int(first))
    return SimulatedFile(
        path=f"{PRODUCT}/{date[:4]}/{date[5:8]}/acaf{int(first):09d}N{revision:03d}_{stretch.slot}_img0.fits.gz",
        slot=stretch.slot,
        imgsize=stretch.imgsize,
        revision=revision,
        pointing=stretch.pointing,
        start=float(first),
        stop=float(last),
        rows=len(frames),
        bad_rows=int(_is_bad(plan, stretch, revision, frames).sum()),
        ingested=ingested,
    )


def file_content(plan: TelemetryPlan, stretch: TelemetryStretch, file: SimulatedFile) -> bytes:
    """Make a file.

    Parameters
    ----------
    plan : TelemetryPlan
        Of the telemetry.
    stretch : TelemetryStretch
        Of which the file is a part.
    file : SimulatedFile
        As `describe_file` says.

    Returns
    -------
    bytes
        All of it, compressed.
    """
    rows = file_rows(plan, stretch, file)
    names = rows.dtype.names or ()
    units = {name: unit for name, unit in {**_UNITS, **_UNITS_DN}.items() if name in names}
    return compressed(fits_table("ACA_IMG0", rows, _header(file, names), units))


def file_rows(plan: TelemetryPlan, stretch: TelemetryStretch, file: SimulatedFile) -> Rows:
    """Return the rows of a file.

    Parameters
    ----------
    plan, stretch, file
        As for `file_content`.

    Returns
    -------
    structured ndarray
        With the columns of its image size, in their order, big-endian.
    """
    frames = _frames(stretch, file.start, file.stop)
    rows = np.zeros(len(frames), dtype=list(_columns(stretch.imgsize, newer=plan.newer)))
    _fill_clock(rows, stretch, frames)
    _fill_camera(rows, stretch, frames)
    _fill_images(rows, plan, stretch, frames)
    if stretch.imgsize > 4:
        _fill_second_packet(rows, plan, stretch, frames)
    if stretch.imgsize == 8:
        _fill_header3(rows, plan, stretch, frames)
    _spoil(rows, plan, stretch, file.revision, frames)
    return rows[_is_there(plan, stretch, frames)]


def _frames(stretch: TelemetryStretch, start: float, stop: float) -> IntArray:
    """Return the minor frames at which images begin."""
    return np.arange(frame_at(start), frame_at(stop), FRAMES[stretch.imgsize])


def _is_there(plan: TelemetryPlan, stretch: TelemetryStretch, frames: IntArray) -> npt.NDArray[np.bool_]:
    """Return which images no gap has taken a packet of."""
    there = np.ones(len(frames), dtype=np.bool_)
    for gap in plan.gaps:
        if stretch.slot in gap.slots:
            there &= (frames + FRAMES[stretch.imgsize] <= frame_at(gap.start)) | (frames >= frame_at(gap.stop))
    return there


def _is_bad(plan: TelemetryPlan, stretch: TelemetryStretch, revision: int, frames: IntArray) -> npt.NDArray[np.bool_]:
    """Return which images are of bad quality; none when the telemetry was delivered again."""
    bad = np.zeros(len(frames), dtype=np.bool_)
    for each in plan.bad_rows if revision == plan.revision else ():
        if each.slot == stretch.slot:
            bad |= (frames >= frame_at(each.start)) & (frames < frame_at(each.stop))
    return bad


# ---- columns --------------------------------------------------------------------------------------------------------


def _columns(size: int, *, newer: bool) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of an image size: 4x4 images have packet 1 alone, 8x8 images the bytes of header 3."""
    yield from (("TIME", ">f8"), ("QUALITY", ">i4"), ("MJF", ">i4"), ("MNF", ">i4"))
    yield from (("END_INTEG_TIME", ">f8"), ("INTEG", ">f4"))
    if newer:
        yield from (("PIXTLM", "S4"), ("BGDTYP", "S4"))
    yield from ((name, "u1") for name in ("GLBSTAT", "COMMCNT", "COMMPROG"))
    yield from ((name, "u1") for name in ("IMGFID1", "IMGNUM1", "IMGFUNC1", "IMGSTAT"))
    yield from (("IMGROW0", ">i2"), ("IMGCOL0", ">i2"), ("IMGSCALE", ">u2"), ("BGDAVG", ">u2"))
    if size > 4:
        yield from ((name, "u1") for name in ("IMGFID2", "IMGNUM2", "IMGFUNC2"))
        yield ("BGDRMS", ">u2")
        yield from ((name, ">f4") for name in _TEMPERATURES)
        yield ("BGDSTAT", "u1")
    if size == 8:
        yield from ((f"IMG{what}{packet}", "u1") for packet in (3, 4) for what in ("FID", "NUM", "FUNC"))
    yield ("IMGRAW", ">f4", (size, size))
    if size == 8:
        yield from ((name, "u1") for name in BYTE_COLUMNS)


def _fill_clock(rows: Rows, stretch: TelemetryStretch, frames: IntArray) -> None:
    ends = frame_time(frames) - FRAME_LAG
    rows["TIME"], rows["END_INTEG_TIME"] = ends - stretch.integ / 2, ends
    rows["INTEG"] = stretch.integ
    rows["MJF"], rows["MNF"] = counters(frames)


def _fill_camera(rows: Rows, stretch: TelemetryStretch, frames: IntArray) -> None:
    """Fill in what the camera says of itself, in each packet again."""
    if "PIXTLM" in (rows.dtype.names or ()):
        rows["PIXTLM"], rows["BGDTYP"] = b"ORIG", b"FLAT"
    rows["COMMCNT"] = stretch.pointing % 16 << 2  # the count is above two flags; up to TLMAX of flight files
    searches = frame_time(frames) < stretch.start + _SEARCH_SECONDS
    for packet in range(1, FRAMES[stretch.imgsize] // 4 + 1):
        rows[f"IMGFID{packet}"] = stretch.kind == "fid"
        rows[f"IMGNUM{packet}"] = stretch.slot
        rows[f"IMGFUNC{packet}"] = np.where(searches, _SEARCH, _TRACK)


def _fill_images(rows: Rows, plan: TelemetryPlan, stretch: TelemetryStretch, frames: IntArray) -> None:
    first = (int(frames[0]) - frames_of(0)) // FRAMES[stretch.imgsize]
    images = draw_images(plan.seed, stretch, plan.fid_shifts, first, frame_time(frames))
    rows["IMGRAW"], rows["IMGSTAT"] = images.pixels, images.status
    rows["IMGROW0"], rows["IMGCOL0"] = images.row0, images.col0
    rows["IMGSCALE"], rows["BGDAVG"] = images.scale, images.background
    if stretch.imgsize > 4:
        rows["BGDRMS"] = images.background_rms


def _fill_second_packet(rows: Rows, plan: TelemetryPlan, stretch: TelemetryStretch, frames: IntArray) -> None:
    """Fill in the temperatures, coarse ones of those in header 3, and the background pixels in use."""
    rows["BGDSTAT"] = 239 if stretch.kind == "fid" else 255
    for column, name in _TEMPERATURES.items():
        values = header3_values(plan.histories, plan.seed, name, _periods(frames))
        rows[column] = np.rint(values / _TEMPERATURE_STEP) * _TEMPERATURE_STEP + _KELVIN


def _fill_header3(rows: Rows, plan: TelemetryPlan, stretch: TelemetryStretch, frames: IntArray) -> None:
    found = header3_bytes(plan.histories, plan.seed, stretch.slot, _periods(frames))
    for name, values in zip(BYTE_COLUMNS, found.T, strict=True):
        rows[name] = values


def _spoil(rows: Rows, plan: TelemetryPlan, stretch: TelemetryStretch, revision: int, frames: IntArray) -> None:
    """Mark rows of bad quality, and turn over the bits of their header 3, so that nobody takes them for good."""
    bad = _is_bad(plan, stretch, revision, frames)
    rows["QUALITY"] = bad
    if stretch.imgsize == 8:
        for name in BYTE_COLUMNS:
            rows[name] ^= np.where(bad, 0xFF, 0).astype(np.uint8)


def _periods(frames: IntArray) -> IntArray:
    return (frames - frames_of(0)) // FRAMES[8]


# ---- header ---------------------------------------------------------------------------------------------------------


def _header(file: SimulatedFile, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the keywords of the table but those that say what its columns are."""
    (start_mjf, stop_mjf), (start_mnf, stop_mnf) = counters([frame_at(file.start), frame_at(file.stop) - 1])
    header: dict[str, Any] = {"ORIGIN": "ASC", "CREATOR": "aca_core.simulation", "ASCDSVER": "10.8", "TLMVER": "P014"}
    header |= {"REVISION": file.revision, **_CONVENTIONS}
    header |= {"DATE": calendar(file.ingested - 3600.0)}
    header |= {"DATE-OBS": calendar(file.start), "DATE-END": calendar(file.stop), **_CLOCK}
    header |= {"TSTART": file.start, "TSTOP": file.stop}
    header |= {"STARTMJF": int(start_mjf), "STARTMNF": int(start_mnf), "STARTOBT": 0.0}
    header |= {"STOPMJF": int(stop_mjf), "STOPMNF": int(stop_mnf)}
    header |= {"TIMEPIXR": 0.0, "TIMEDEL": 1.025 * FRAMES[file.imgsize] / 4, **_TELESCOPE}
    for number, name in enumerate(names, start=1):
        if name in _LIMITS:
            header[f"TLMIN{number}"], header[f"TLMAX{number}"] = _LIMITS[name]
    return header
