"""The truth of one observation: what was pointed where, what the camera saw, and which faults were injected.

An `Observation` says everything that its files are made of. Noise is not listed: it is drawn again from `seed` and the
observation's numbers whenever it is needed, always the same.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import attrs

from aca_core.errors import DeclarationError

__all__ = [
    "ALGORITHMS",
    "ATTITUDE_STEP",
    "INTEGRATION",
    "SYNTHETIC",
    "Alignment",
    "Columns",
    "Detector",
    "Dither",
    "Dropout",
    "Fid",
    "Interval",
    "Observation",
    "Residuals",
    "SimDrift",
    "SolutionGap",
    "Star",
]

SYNTHETIC: Final = "synthetic data made by aca_core.simulation, not from flight"
"""The mark that everything made by this package carries."""

ATTITUDE_STEP: Final = 0.25625
"""Time between attitudes of the aspect solution, s."""

INTEGRATION: Final = 1.696
"""How long the camera integrates for one image, s."""

ALGORITHMS: Final = (1, 2, 4, 8, 16)
"""The centroid algorithms: first moment, PSF fit, circular Gaussian, elliptical Gaussian, smoothed flux."""

Detector: TypeAlias = Literal["ACIS-I", "ACIS-S", "HRC-I", "HRC-S"]
Columns: TypeAlias = Literal["old", "new"]
"""The columns of the aspect solution: those before DS 10.8.3, or those since."""

Vector: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Vector, Vector, Vector]


@attrs.frozen(kw_only=True)
class Dither:
    """A figure that the spacecraft draws around its pointing, and a slow drift of it.

    Attributes
    ----------
    y_amp, z_amp : float
        Amplitudes, arcsec.
    y_period, z_period : float
        Periods, s.
    y_phase, z_phase : float
        Phases at the start of the observation, deg.
    y_rate, z_rate, roll_rate : float
        Drift of the pointing, arcsec/ks.
    """

    y_amp: float
    z_amp: float
    y_period: float
    z_period: float
    y_phase: float = 0.0
    z_phase: float = 0.0
    y_rate: float = 0.0
    z_rate: float = 0.0
    roll_rate: float = 0.0


@attrs.frozen(kw_only=True)
class SimDrift:
    """Offset and rotation of the instrument module against the mirror, as the fid lights show it.

    Attributes
    ----------
    dy, dz : float
        Offsets at the start, mm.
    dtheta : float
        Rotation at the start, deg.
    dy_rate, dz_rate : float
        Drift, mm/ks.
    dtheta_rate : float
        Drift, deg/ks.
    amp : float
        Amplitude of the thermal wave on both offsets, mm.
    period : float
        Its period, s.
    """

    dy: float
    dz: float
    dtheta: float
    dy_rate: float = 0.0
    dz_rate: float = 0.0
    dtheta_rate: float = 0.0
    amp: float = 0.0
    period: float = 10_000.0


@attrs.frozen(kw_only=True)
class Alignment:
    """How camera and fid lights are mounted.

    Attributes
    ----------
    aca_misalign, fts_misalign : tuple of tuple of float
        Rotations, 3x3: from the nominal to the actual frame of the camera and of the fid transfer system.
    lsi0stt, stt0stf : tuple of float
        Origin of the light-source frame in the translation-table frame and of that in the table-flexure frame, mm.
    rrc0fcx : float
        X of the mirror node in the frame of the fid lights, mm.
    """

    aca_misalign: Matrix
    fts_misalign: Matrix
    lsi0stt: Vector
    stt0stf: Vector
    rrc0fcx: float


@attrs.frozen(kw_only=True)
class Residuals:
    """What is injected into the centroids of one slot: the difference of its centroids from what the solution predicts.

    Attributes
    ----------
    dy, dz : float
        Constant part, arcsec.
    noise_y, noise_z : float
        Standard deviation of the noise, arcsec: of stars in each centroid, of fids in the smoothed ones.
    bad_fraction : float
        Share of the samples that are outliers, with a status that says so.
    """

    dy: float = 0.0
    dz: float = 0.0
    noise_y: float = 0.1
    noise_z: float = 0.1
    bad_fraction: float = 0.002


@attrs.frozen(kw_only=True)
class Star:
    """A guide star or monitor.

    Attributes
    ----------
    slot : int
        0 to 7.
    type : {'GUIDE', 'MONITOR'}
        What it is for.
    agasc_id : int
        Made up; no star of the star catalogue.
    ra, dec : float
        True position at the time of the observation, deg.
    yag, zag : float
        Where it was planned in the camera, arcsec.
    mag : float
        Camera magnitude.
    residuals : Residuals
        What is injected.
    pm_ra, pm_dec : float
        Proper motion, mas/yr; -9999 where unknown.
    id_status : str
        ``GOOD``, ``BAD``, ``UNUSED``.
    used : bool
        Whether the solution used it.
    listed : bool
        Whether the star properties list it; else only its centroids and the plan know it.
    """

    slot: int
    type: Literal["GUIDE", "MONITOR"] = "GUIDE"
    agasc_id: int
    ra: float
    dec: float
    yag: float
    zag: float
    mag: float
    residuals: Residuals
    pm_ra: float = -9999.0
    pm_dec: float = -9999.0
    id_status: str = "GOOD"
    used: bool = True
    listed: bool = True


@attrs.frozen(kw_only=True)
class Fid:
    """A fid light.

    Attributes
    ----------
    slot : int
        0 to 7.
    id_num : int
        1 to 14.
    id_string : str
        Such as ``ACIS-5``.
    p_lsi : tuple of float
        Position in the light-source frame, mm.
    mag : float
        Camera magnitude.
    residuals : Residuals
        What is injected.
    planned : tuple of float
        Where it was planned in the camera, Y and Z, arcsec.
    id_status : str
        ``GOOD`` or another.
    """

    slot: int
    id_num: int
    id_string: str
    p_lsi: Vector
    planned: tuple[float, float]
    mag: float = 7.0
    residuals: Residuals
    id_status: str = "GOOD"


@attrs.frozen(kw_only=True)
class Interval:
    """An aspect interval, the span of one set of files.

    Attributes
    ----------
    start, stop : float
        CXC seconds.
    """

    start: float
    stop: float


@attrs.frozen(kw_only=True)
class Dropout:
    """A time without centroids in one slot: the star was lost.

    Attributes
    ----------
    slot : int
        0 to 7.
    start, stop : float
        CXC seconds.
    """

    slot: int
    start: float
    stop: float


@attrs.frozen(kw_only=True)
class SolutionGap:
    """A time in which the aspect solution is not good.

    Attributes
    ----------
    start, stop : float
        CXC seconds.
    status : int
        What the quality file says of it, not 0.
    """

    start: float
    stop: float
    status: int = 1


@attrs.frozen(kw_only=True)
class Observation:
    """One observation interval (OBI) of an obsid as one revision of its processing has it.

    Attributes
    ----------
    seed : int
        Of the simulation.
    obsid, obi : int
        Which observation, which interval of it.
    revision, obspar_revision : int
        Version of the aspect products, and of the observation parameters that they were made with.
    start, stop : float
        CXC seconds.
    detector : {'ACIS-I', 'ACIS-S', 'HRC-I', 'HRC-S'}
        The science instrument.
    sim_z, sim_z_offset : float
        Position of the instrument module, and how far that is from the nominal one, mm.
    ra, dec, roll : float
        Mean pointing, deg.
    dither, sim_drift, alignment : Dither, SimDrift, Alignment
        How pointing and instruments move, and how camera and fid lights are mounted.
    stars : tuple of Star
        The stars.
    fids : tuple of Fid
        The fid lights.
    intervals : tuple of Interval
        The aspect intervals, in order.
    dropouts : tuple of Dropout
        Injected losses of a star.
    gaps : tuple of SolutionGap
        Injected times of a bad solution.
    columns : {'old', 'new'}
        Which columns the aspect solution has.
    observatory_offset : tuple of float
        What the new columns are corrected by: in yaw and pitch, arcsec, and in roll, arcsec.
    centroid_step : float
        Time between images, 1.025, 2.05 or 4.1 s.
    every_algorithm : bool
        Whether each image has a row of each algorithm. Otherwise it has two: algorithm 8, and another that differs from
        slot to slot.

    Examples
    --------
    >>> from aca_core.simulation import draw_observation
    >>> observation = draw_observation(8008, seed=1, duration=2000.0)
    >>> [interval.stop - interval.start > 1900 for interval in observation.intervals]
    [True]
    """

    seed: int
    obsid: int
    obi: int = 0
    revision: int = 1
    obspar_revision: int = 1
    start: float
    stop: float
    detector: Detector
    sim_z: float
    sim_z_offset: float = 0.0
    ra: float
    dec: float
    roll: float
    dither: Dither
    sim_drift: SimDrift
    alignment: Alignment
    stars: tuple[Star, ...]
    fids: tuple[Fid, ...]
    intervals: tuple[Interval, ...]
    dropouts: tuple[Dropout, ...] = ()
    gaps: tuple[SolutionGap, ...] = ()
    columns: Columns = "new"
    observatory_offset: Vector = (0.0, 0.0, 0.0)
    centroid_step: float = 2.05
    every_algorithm: bool = False

    def __attrs_post_init__(self) -> None:
        """Check what later would only show as nonsense in the files."""
        slots = [light.slot for light in self.lights]
        if len(set(slots)) != len(slots) or not set(slots) <= set(range(8)):
            raise self._refusal("stars and fids", slots, "each in a slot of its own, 0 to 7")
        if self.centroid_step not in (1.025, 2.05, 4.1):
            raise self._refusal("centroid_step", self.centroid_step, "1.025, 2.05 or 4.1 s, what the camera can do")
        times = [self.start, *(time for each in self.intervals for time in (each.start, each.stop)), self.stop]
        if not self.intervals or times != sorted(times) or not all(map(math.isfinite, times)):
            raise self._refusal("intervals", times, "at least one, in order, within start and stop")
        if min(each.stop - each.start for each in self.intervals) < 20 * self.centroid_step:
            raise self._refusal("intervals", times, "time for 20 images in each interval; simulate a longer one")

    @property
    def lights(self) -> tuple[Fid | Star, ...]:
        """What the camera tracks, by slot."""
        lights: list[Fid | Star] = [*self.fids, *self.stars]
        return tuple(sorted(lights, key=lambda light: light.slot))

    def _refusal(self, field: str, value: Any, expected: str) -> DeclarationError:
        return DeclarationError(f"Observation {self.obsid}", field, value, expected)
