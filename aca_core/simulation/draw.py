"""Draw observations from a seed: plausible ones, whose numbers resemble flight but come from no flight."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from aca_core.arrays import FloatArray
from aca_core.attitudes import (
    ARCSEC_PER_RADIAN,
    direction,
    from_equatorial,
    rotation,
    transform,
)
from aca_core.errors import DeclarationError
from aca_core.obsids import MAX_OBSID
from aca_core.simulation.observation import (
    Alignment,
    Columns,
    Detector,
    Dither,
    Dropout,
    Fid,
    Interval,
    Matrix,
    Observation,
    Residuals,
    SimDrift,
    SolutionGap,
    Star,
)

__all__ = ["DETECTORS", "FIRST_START", "draw_observation", "reprocess"]

FIRST_START: Final = 725846469.184
"""Start of observations unless one is asked for: 2021:001:00:00:00 UTC, CXC seconds."""

DETECTORS: Final = ("ACIS-I", "ACIS-S", "HRC-I", "HRC-S")
"""The science instruments that can be simulated."""

_SKY: Final = 101
_REPROCESSING: Final = 102
"""What tells the streams of random numbers apart."""

_RRC0FCX: Final = 10061.6
_LSI0STT: Final = {
    "ACIS-I": (0.684, 0.0, 236.55),
    "ACIS-S": (0.684, 0.0, 236.55),
    "HRC-I": (0.0, 0.0, -126.6),
    "HRC-S": (0.0, 0.0, -250.1),
}
_NOMINAL_SIM_Z: Final = {"ACIS-I": -233.587, "ACIS-S": -190.143, "HRC-I": 126.983, "HRC-S": 250.466}
"""mm."""

_FIDS: Final = {
    "ACIS-I": {1: (920.0, -845.0), 5: (-1828.0, 1054.0), 6: (391.0, 1698.0)},
    "ACIS-S": {2: (-773.0, -1742.0), 4: (2140.0, 167.0), 5: (-1826.0, 160.0)},
    "HRC-I": {7: (-776.0, -1307.0), 8: (836.0, -1308.0), 9: (-1205.0, 1004.0)},
    "HRC-S": {11: (-1176.0, -468.0), 12: (1236.0, -463.0), 13: (-1177.0, 562.0)},
}
"""By detector and id_num, where a fid light appears when the instrument is in its nominal place: Y, Z, arcsec."""

_FIELD: Final = 2300.0
_APART: Final = 300.0
"""Half size of the square in which stars are planned, and their least distance from anything else, arcsec."""

_BETWEEN_INTERVALS: Final = 60.0
"""s."""


def draw_observation(
    obsid: int,
    *,
    seed: int,
    start: float = FIRST_START,
    duration: float = 50_000.0,
    obi: int = 0,
    detector: Detector = "ACIS-S",
    columns: Columns = "new",
    intervals: int = 1,
    monitor: bool = False,
    bad_star: bool = False,
    unlisted_star: bool = False,
    centroid_step: float = 2.05,
    every_algorithm: bool = False,
) -> Observation:
    """Draw the truth of one observation interval: three fid lights in slots 0-2 and five stars in slots 3-7.

    Parameters
    ----------
    obsid : int
        Which observation; another one gets another sky.
    seed : int
        Not negative; the same seed gives the same observation.
    start : float
        CXC seconds.
    duration : float, default 50000
        In s, at least 100 for each aspect interval.
    obi : int, default 0
        Which interval of the observation.
    detector : {'ACIS-I', 'ACIS-S', 'HRC-I', 'HRC-S'}
        The science instrument.
    columns : {'old', 'new'}
        Which columns the aspect solution has: those before DS 10.8.3 or those since.
    intervals : int, default 1
        Number of aspect intervals.
    monitor : bool
        Whether slot 7 has a monitor instead of a guide star.
    bad_star : bool
        Whether the star in slot 6 is off by 2 arcsec and noisy.
    unlisted_star : bool
        Whether the star in slot 5 is missing in the star properties.
    centroid_step : float, default 2.05
        Time between images, 1.025, 2.05 or 4.1 s.
    every_algorithm : bool
        Whether each image has a row of all five centroid algorithms, not of two.

    Returns
    -------
    Observation
        Revision 1.

    Raises
    ------
    DeclarationError
        An argument is out of range, or the duration too short for the intervals.

    Examples
    --------
    >>> draw_observation(8008, seed=1).stars[0].slot
    3
    """
    for name, value, low, high in (
        ("seed", seed, 0, 2**63 - 1),
        ("obsid", obsid, 0, MAX_OBSID),
        ("obi", obi, 0, 999),
        ("intervals", intervals, 1, 99),
    ):
        if not isinstance(value, int) or not low <= value <= high:
            raise DeclarationError("draw_observation", name, value, f"a whole number from {low} to {high}")
    if detector not in DETECTORS:
        raise DeclarationError("draw_observation", "detector", detector, f"one of {', '.join(DETECTORS)}")
    if columns not in ("old", "new"):
        raise DeclarationError("draw_observation", "columns", columns, "'old' or 'new'")
    if not 0 <= start < 4e9:
        raise DeclarationError("draw_observation", "start", start, "CXC seconds since 1998, 0 or more")
    random = np.random.default_rng([_SKY, seed, obsid, obi])
    ra, dec, roll = random.uniform(0, 360), np.degrees(np.arcsin(random.uniform(-0.95, 0.95))), random.uniform(0, 360)
    offset = float(np.round(random.choice((0.0, 0.0, -1.5, 2.0)), 3))
    sim_z = _NOMINAL_SIM_Z[detector] + offset
    alignment = Alignment(
        aca_misalign=_rows(rotation(*random.normal(0, 30, 3))),
        fts_misalign=_rows(rotation(*random.normal(0, 10, 3))),
        lsi0stt=_LSI0STT[detector],
        stt0stf=(0.0, 0.0, sim_z),
        rrc0fcx=_RRC0FCX,
    )
    fids = _draw_fids(random, detector)
    frame = transform(from_equatorial(ra, dec, roll)) @ np.array(alignment.aca_misalign).T
    stars = _draw_stars(random, frame, list(_FIDS[detector].values()))
    stars = tuple(_with_fault(star, monitor, bad_star, unlisted_star) for star in stars)
    spans = _spans(start, duration, intervals)
    return Observation(
        seed=seed,
        obsid=obsid,
        obi=obi,
        start=start,
        stop=start + duration,
        detector=detector,
        sim_z=sim_z,
        sim_z_offset=offset,
        ra=float(ra),
        dec=float(dec),
        roll=float(roll),
        dither=_draw_dither(random, detector),
        sim_drift=_draw_drift(random),
        alignment=alignment,
        stars=stars,
        fids=fids,
        intervals=spans,
        dropouts=_draw_dropouts(random, spans),
        gaps=_draw_gaps(random, spans),
        columns=columns,
        observatory_offset=(float(random.normal(0, 5)), float(random.normal(0, 5)), float(random.normal(0, 20))),
        centroid_step=centroid_step,
        every_algorithm=every_algorithm,
    )


def reprocess(
    observation: Observation, revision: int, *, obspar_revision: int | None = None, columns: Columns | None = None
) -> Observation:
    """Return an observation as a later revision of its processing has it: the same sky, slightly other residuals.

    Parameters
    ----------
    observation : Observation
        Some revision of it.
    revision : int
        The new one.
    obspar_revision : int, optional
        Version of the observation parameters; by default that of the new revision.
    columns : {'old', 'new'}, optional
        Columns of the aspect solution; by default as before.

    Returns
    -------
    Observation
        The new truth.

    Examples
    --------
    >>> first = draw_observation(8008, seed=1)
    >>> second = reprocess(first, 2)
    >>> second.revision, second.ra == first.ra, second.stars[0].residuals == first.stars[0].residuals
    (2, True, False)
    """
    random = np.random.default_rng([_REPROCESSING, observation.seed, observation.obsid, observation.obi, revision])

    def shifted(residuals: Residuals) -> Residuals:
        dy, dz = (float(shift) for shift in random.normal(0, 0.02, 2))
        return attrs.evolve(residuals, dy=residuals.dy + dy, dz=residuals.dz + dz)

    return attrs.evolve(
        observation,
        revision=revision,
        obspar_revision=revision if obspar_revision is None else obspar_revision,
        columns=columns or observation.columns,
        stars=tuple(attrs.evolve(star, residuals=shifted(star.residuals)) for star in observation.stars),
        fids=tuple(attrs.evolve(fid, residuals=shifted(fid.residuals)) for fid in observation.fids),
    )


# ---- parts ----------------------------------------------------------------------------------------------------------


def _rows(matrix: FloatArray) -> Matrix:
    return tuple(tuple(float(value) for value in row) for row in matrix)  # type: ignore[return-value]  # it is 3x3


def _draw_dither(random: np.random.Generator, detector: Detector) -> Dither:
    amp, periods = (8.0, (1000.0, 707.1)) if detector.startswith("ACIS") else (20.0, (1086.96, 768.57))
    y_phase, z_phase = (float(phase) for phase in random.uniform(0, 360, 2))
    y_rate, z_rate, roll_rate = (float(rate) for rate in random.normal(0, (0.01, 0.01, 0.05)))
    return Dither(
        y_amp=amp, z_amp=amp, y_period=periods[0], z_period=periods[1], y_phase=y_phase, z_phase=z_phase,
        y_rate=y_rate, z_rate=z_rate, roll_rate=roll_rate,
    )  # fmt: skip


def _draw_drift(random: np.random.Generator) -> SimDrift:
    dy, dz, dtheta = (float(value) for value in random.normal((0.15, 0.33, -0.01), (0.05, 0.05, 0.003)))
    dy_rate, dz_rate, dtheta_rate = (float(rate) for rate in random.normal(0, (3e-4, 5e-4, 2e-6)))
    return SimDrift(
        dy=dy, dz=dz, dtheta=dtheta, dy_rate=dy_rate, dz_rate=dz_rate, dtheta_rate=dtheta_rate,
        amp=float(random.uniform(0.001, 0.004)), period=float(random.uniform(5000, 20000)),
    )  # fmt: skip


def _draw_fids(random: np.random.Generator, detector: Detector) -> tuple[Fid, ...]:
    lsi = _LSI0STT[detector]
    fids = []
    for slot, (number, (yag, zag)) in enumerate(_FIDS[detector].items()):
        y, z = (-_RRC0FCX * float(np.tan(angle / ARCSEC_PER_RADIAN)) for angle in (yag, zag))
        first, family = {"A": (0, "ACIS"), "I": (6, "HRC-I"), "S": (10, "HRC-S")}[
            "A" if detector.startswith("ACIS") else detector[-1]
        ]
        dy, dz = (float(value) for value in random.normal(0, 0.05, 2))
        noise = float(random.uniform(0.006, 0.02))
        fids.append(
            Fid(
                slot=slot,
                id_num=number,
                id_string=f"{family}-{number - first}",
                p_lsi=(-lsi[0], y, z - lsi[2] - _NOMINAL_SIM_Z[detector]),
                planned=(yag, zag),
                mag=round(float(random.normal(7.0, 0.05)), 4),
                residuals=Residuals(dy=dy, dz=dz, noise_y=noise, noise_z=noise, bad_fraction=0.001),
            )
        )
    return tuple(fids)


def _draw_stars(random: np.random.Generator, frame: FloatArray, taken: list[tuple[float, float]]) -> tuple[Star, ...]:
    """Draw five stars; `frame` turns vectors of the camera into inertial ones."""
    stars = []
    for slot in range(3, 8):
        yag, zag = _free_place(random, taken)
        taken.append((yag, zag))
        x, y, z = frame @ direction(yag, zag)
        mag = round(float(random.uniform(7.2, 10.3)), 4)
        noise = 0.04 + 0.15 * 10 ** (0.4 * (mag - 10.3))
        dy, dz, noise_y, noise_z = (float(v) for v in random.normal((0, 0, noise, noise), (0.1, 0.1, 0.01, 0.01)))
        pm_ra, pm_dec = (float(value) for value in random.normal(0, 20, 2).round(2))
        if random.random() < 0.3:
            pm_ra = pm_dec = -9999.0
        stars.append(
            Star(
                slot=slot,
                agasc_id=int(random.integers(10_000_000, 1_200_000_000)),
                ra=float(np.degrees(np.arctan2(y, x)) % 360),
                dec=float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
                yag=yag,
                zag=zag,
                mag=mag,
                pm_ra=pm_ra,
                pm_dec=pm_dec,
                residuals=Residuals(
                    dy=dy, dz=dz, noise_y=max(noise_y, 0.02), noise_z=max(noise_z, 0.02), bad_fraction=0.004
                ),
            )
        )
    return tuple(stars)


def _free_place(random: np.random.Generator, taken: list[tuple[float, float]]) -> tuple[float, float]:
    while True:
        yag, zag = (round(float(angle), 3) for angle in random.uniform(-_FIELD, _FIELD, 2))
        if all(max(abs(yag - y), abs(zag - z)) > _APART for y, z in taken):
            return yag, zag


def _with_fault(star: Star, monitor: bool, bad_star: bool, unlisted_star: bool) -> Star:
    if monitor and star.slot == 7:
        return attrs.evolve(star, type="MONITOR", used=False)
    if bad_star and star.slot == 6:
        residuals = attrs.evolve(star.residuals, dy=1.6, dz=-1.2, noise_y=0.6, noise_z=0.5, bad_fraction=0.02)
        return attrs.evolve(star, residuals=residuals)
    if unlisted_star and star.slot == 5:
        return attrs.evolve(star, listed=False, used=False)
    return star


def _spans(start: float, duration: float, count: int) -> tuple[Interval, ...]:
    """Cut an observation into aspect intervals, with a few seconds left at its ends and more between them."""
    first, last = start + 4.1, start + duration - 3.3
    length = (last - first - _BETWEEN_INTERVALS * (count - 1)) / count
    starts = [first + number * (length + _BETWEEN_INTERVALS) for number in range(count)]
    return tuple(Interval(start=round(each, 3), stop=round(each + length, 3)) for each in starts)


def _draw_dropouts(random: np.random.Generator, spans: tuple[Interval, ...]) -> tuple[Dropout, ...]:
    """Draw one loss of a star in each interval, of up to a fiftieth of it."""
    dropouts = []
    for span in spans:
        length = span.stop - span.start
        start = span.start + float(random.uniform(0.1, 0.8)) * length
        stop = start + float(random.uniform(0.005, 0.02)) * length
        dropouts.append(Dropout(slot=int(random.integers(3, 8)), start=start, stop=stop))
    return tuple(dropouts)


def _draw_gaps(random: np.random.Generator, spans: tuple[Interval, ...]) -> tuple[SolutionGap, ...]:
    """Draw one time of a bad solution in each interval."""
    gaps = []
    for span in spans:
        start = span.start + float(random.uniform(0.2, 0.7)) * (span.stop - span.start)
        gaps.append(SolutionGap(start=start, stop=start + float(random.uniform(5, 25))))
    return tuple(gaps)
