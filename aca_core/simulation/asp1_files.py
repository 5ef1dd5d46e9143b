"""The aspect products of an observation, each file as its bytes: one function for each type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.arrays import FloatArray
from aca_core.attitudes import equatorial_of, star_vector
from aca_core.simulation.centroids import centroid_rows
from aca_core.simulation.fits_bytes import calendar, compressed, fits_table
from aca_core.simulation.motion import attitudes_at, corrected, sim_offsets
from aca_core.simulation.observation import ATTITUDE_STEP, INTEGRATION, SYNTHETIC, Observation, Star
from aca_core.simulation.obspar_file import obspar_name

__all__ = ["asp1_files", "attitude_times", "made_at", "software"]

Table = npt.NDArray[Any]
Header = dict[str, Any]

_DAY: Final = 86_400.0


def made_at(observation: Observation) -> float:
    """Return when the revision was made: a day after the observation, and a month more for each revision.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    float
        CXC seconds.
    """
    return observation.stop + _DAY * (1 + 30 * (observation.revision - 1))


def software(observation: Observation) -> tuple[str, str]:
    """Return the versions of processing software and calibration database.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    ascdsver, caldbver : str
        Those that go with the observation's columns.
    """
    return ("10.10", "4.9.8") if observation.columns == "new" else ("8.4.5", "4.5.5")


def attitude_times(observation: Observation, interval: int) -> FloatArray:
    """Return the times of the attitudes of one aspect interval.

    Parameters
    ----------
    observation : Observation
        The truth.
    interval : int
        Which of its intervals.

    Returns
    -------
    ndarray, shape (n,)
        CXC seconds, from its start on.
    """
    span = observation.intervals[interval]
    return span.start + ATTITUDE_STEP * np.arange(int((span.stop - span.start) / ATTITUDE_STEP) + 1)


def asp1_files(observation: Observation) -> Iterator[tuple[str, bytes]]:
    """Make the files of one observation interval, as delivered.

    Parameters
    ----------
    observation : Observation
        The truth.

    Yields
    ------
    name : str
        Base name.
    content : bytes
        All of the file, compressed.
    """
    for number, span in enumerate(observation.intervals):
        stem = f"pcadf{int(span.start):09d}N{observation.revision:03d}"
        for kind, make in _MAKERS.items():
            yield f"{stem}_{kind}.fits.gz", compressed(make(observation, number))
        yield f"asp_l1_{stem.removeprefix('pcad')}.log.gz", compressed(_log(observation, number).encode())
    if observation.columns == "new":
        stem = f"f{observation.obsid:05d}_{observation.obi:03d}N{observation.revision:03d}"
        yield f"pcad{stem}_asol1.fits.gz", compressed(_combined_solution(observation))
        yield f"asp_l1_{stem}.log.gz", compressed(_log(observation, None).encode())


# ---- headers --------------------------------------------------------------------------------------------------------


def _header(observation: Observation, content: str, start: float, stop: float) -> Header:
    ascdsver, caldbver = software(observation)
    return {
        "CONTENT": content,
        "ORIGIN": "SYNTHETIC",
        "CREATOR": "aca_core.simulation",
        "MISSION": "AXAF",
        "TELESCOP": "CHANDRA",
        "INSTRUME": "PCAD",
        "OBS_ID": str(observation.obsid),
        "OBI_NUM": observation.obi,
        "REVISION": (observation.revision, "version of the product"),
        "ASCDSVER": ascdsver,
        "CALDBVER": caldbver,
        "DATE": calendar(made_at(observation)),
        "DATE-OBS": (calendar(start), "TT"),
        "DATE-END": (calendar(stop), "TT"),
        "MJDREF": 50814.0,
        "TIMEZERO": 0.0,
        "TIMESYS": "TT",
        "TIMEUNIT": "s",
        "TSTART": (start, "[s]"),
        "TSTOP": (stop, "[s]"),
    }


def _interval_header(observation: Observation, interval: int, content: str) -> Header:
    span = observation.intervals[interval]
    return _header(observation, content, span.start, span.stop)


def _table(columns: Mapping[str, tuple[str, Any]]) -> Table:
    """Return a structured array of columns, each given as type and values."""
    arrays = {name: np.asarray(values, dtype=kind) for name, (kind, values) in columns.items()}
    fields = [(name, array.dtype, array.shape[1:]) for name, array in arrays.items()]
    table = np.empty(len(next(iter(arrays.values()))), dtype=fields)
    for name, array in arrays.items():
        table[name] = array
    return table


# ---- the solution ---------------------------------------------------------------------------------------------------


def _solution_columns(observation: Observation, times: FloatArray, *, own: bool) -> Table:
    """Return the rows of a solution; `own` adds the columns with the solver's own values to corrected ones."""
    solved = (attitudes_at(observation, times), *sim_offsets(observation, times))
    attitudes, dy, dz, dtheta = corrected(observation, solved) if observation.columns == "new" else solved
    ra, dec, roll = equatorial_of(attitudes)
    count = len(times)
    columns: dict[str, tuple[str, Any]] = {
        "time": (">f8", times),
        "ra": (">f8", ra),
        "dec": (">f8", dec),
        "roll": (">f8", roll),
        **{name: (">f4", np.full(count, value)) for name, value in _POINTING_ERRORS.items()},
        "dy": (">f4", dy),
        "dz": (">f4", dz),
        "dtheta": (">f4", dtheta),
        **{name: (">f4", np.full(count, value)) for name, value in _OFFSET_ERRORS.items()},
        "q_att": (">f8", attitudes),
        **{name: (">f4", np.full(count, value)) for name, value in _GYRO_BIAS.items()},
    }
    if own:
        ra, dec, roll = equatorial_of(solved[0])
        columns |= {
            "ady": (">f4", solved[1]),
            "adz": (">f4", solved[2]),
            "adtheta": (">f4", solved[3]),
            "ra_raw": (">f8", ra),
            "dec_raw": (">f8", dec),
            "roll_raw": (">f8", roll),
            "q_att_raw": (">f8", solved[0]),
        }
    return _table(columns)


_POINTING_ERRORS: Final = {"ra_err": 4e-6, "dec_err": 4e-6, "roll_err": 2e-5}
_OFFSET_ERRORS: Final = {"dy_err": 2e-4, "dz_err": 2e-4, "dtheta_err": 4e-6}
_GYRO_BIAS: Final = {
    "roll_bias": 1.2e-6,
    "pitch_bias": -8e-7,
    "yaw_bias": 3e-7,
    "roll_bias_err": 1e-8,
    "pitch_bias_err": 1e-8,
    "yaw_bias_err": 1e-8,
}
_SOLUTION_UNITS: Final = {
    "time": "s",
    **dict.fromkeys(("ra", "dec", "roll", "ra_err", "dec_err", "roll_err", "dtheta", "dtheta_err"), "deg"),
    **dict.fromkeys(("dy", "dz", "dy_err", "dz_err"), "mm"),
    **dict.fromkeys(_GYRO_BIAS, "deg/s"),
}
_OWN_UNITS: Final = {
    **dict.fromkeys(("ady", "adz"), "mm"),
    **dict.fromkeys(("adtheta", "ra_raw", "dec_raw", "roll_raw"), "deg"),
}


def _solution(observation: Observation, interval: int) -> bytes:
    times = attitude_times(observation, interval)
    is_new = observation.columns == "new"
    table = _solution_columns(observation, times, own=is_new)
    header = _interval_header(observation, interval, "ASPSOL") | {"TIMEDEL": ATTITUDE_STEP}
    return fits_table("ASPSOL", table, header, _SOLUTION_UNITS | (_OWN_UNITS if is_new else {}))


def _combined_solution(observation: Observation) -> bytes:
    times = np.concatenate([attitude_times(observation, each) for each in range(len(observation.intervals))])
    start, stop = observation.intervals[0].start, observation.intervals[-1].stop
    pointing = {"RA": observation.ra, "DEC": observation.dec, "ROLL": observation.roll}
    header = _header(observation, "ASPSOLOBI", start, stop) | {
        "TIMEDEL": ATTITUDE_STEP,
        **{f"{name}_NOM": value for name, value in pointing.items()},
        **{f"{name}_PNT": value for name, value in pointing.items()},
        **{
            f"CAIFILE{number}": f"pcadf{int(span.start):09d}N{observation.revision:03d}_asol1.fits"
            for number, span in enumerate(observation.intervals, start=1)
        },
    }
    return fits_table("ASPSOL", _solution_columns(observation, times, own=False), header, _SOLUTION_UNITS)


def _quality(observation: Observation, interval: int) -> bytes:
    span, step = observation.intervals[interval], observation.centroid_step
    # Not on the grid of the attitudes, so that no attitude is exactly as far away as the filter reaches.
    first = span.start + 0.4 * ATTITUDE_STEP
    times = first + step * np.arange(int((span.stop - first) / step) + 1)
    status = np.zeros(len(times))
    for gap in observation.gaps:
        status[(times >= gap.start) & (times <= gap.stop)] = gap.status
    table = _table(
        {
            "time": (">f8", times),
            "asp_sol_status": (">i2", status),
            "num_gs_used": (">i2", np.full(len(times), sum(star.used for star in observation.stars))),
            "num_fid_used": (">i2", np.full(len(times), len(observation.fids))),
        }
    )
    return fits_table("ASPQUAL", table, _interval_header(observation, interval, "ASPQUAL"), {"time": "s"})


# ---- the camera -----------------------------------------------------------------------------------------------------


def _calibration(observation: Observation, interval: int) -> bytes:
    alignment = observation.alignment
    matrices: dict[str, Any] = {
        "aca_misalign": alignment.aca_misalign,
        "aca_sc_align": np.eye(3),
        "fts_misalign": alignment.fts_misalign,
    }
    # Both forms occur: nine numbers in a row, and a matrix.
    shape: tuple[int, ...] = (1, 3, 3) if observation.columns == "new" else (1, 9)
    columns = {name: (">f8", np.reshape(matrix, shape)) for name, matrix in matrices.items()}
    table = _table(columns | {"focal_length": (">f8", [1.0])})
    return fits_table("ACACAL", table, _interval_header(observation, interval, "ACACAL"))


def _centroids(observation: Observation, interval: int) -> bytes:
    header = _interval_header(observation, interval, "ACACENT")
    header |= {"INTGTIME": (INTEGRATION, "[s] integration time"), "TIMEDEL": observation.centroid_step}
    units = {"time": "s", "cent_i": "pixel", "cent_j": "pixel", "counts": "e-"}
    units |= dict.fromkeys(("ang_y", "ang_z", "ang_y_sm", "ang_z_sm"), "deg")
    return fits_table("ACACENT", centroid_rows(observation, interval), header, units)


def _texts(values: list[str], width: int) -> tuple[str, list[str]]:
    """Return a column of texts that are blank padded."""
    return f"S{width}", [value.ljust(width) for value in values]


def _star_properties(observation: Observation, interval: int) -> bytes:
    stars = [star for star in observation.stars if star.listed]
    ra, dec = (np.array([getattr(star, name) for star in stars]) for name in ("ra", "dec"))
    table = _table(
        {
            "slot": (">i2", [star.slot for star in stars]),
            "type": _texts([star.type for star in stars], 10),
            "id_status": _texts([star.id_status for star in stars], 10),
            "cel_loc_flag": (">i2", [star.used for star in stars]),
            "agasc_id": (">i4", [star.agasc_id for star in stars]),
            "ra": (">f8", [_catalogue_place(star, observation)[0] for star in stars]),
            "dec": (">f8", [_catalogue_place(star, observation)[1] for star in stars]),
            "ra_corr": (">f8", ra),
            "dec_corr": (">f8", dec),
            "pos_eci": (">f8", star_vector(ra, dec)),
            "pos_err": (">f4", np.full(len(stars), 3e-5)),
            "plx": (">f4", np.full(len(stars), -9999.0)),
            "plx_err": (">f4", np.full(len(stars), -9999.0)),
            "pm_ra": (">f4", [star.pm_ra for star in stars]),
            "pm_dec": (">f4", [star.pm_dec for star in stars]),
            "mag_aca": (">f4", [star.mag for star in stars]),
            "mag_aca_err": (">f4", np.full(len(stars), 0.03)),
            "mag_aca_avg": (">f4", [star.mag for star in stars]),
            "mag_aca_min": (">f4", [star.mag - 0.05 for star in stars]),
            "mag_aca_max": (">f4", [star.mag + 0.05 for star in stars]),
            "spectral_type": _texts([""] * len(stars), 4),
            "class": (">i2", np.zeros(len(stars))),
            "var": (">i2", np.full(len(stars), -9999)),
            **{name: (">i2", np.zeros(len(stars))) for name in ("aspq1", "aspq2", "aspq3", "aspq1_obs")},
            "color1": (">f4", np.full(len(stars), 0.7)),
            "color1_err": (">f4", np.full(len(stars), 0.05)),
            "mag": (">f4", [star.mag + 0.3 for star in stars]),
            "mag_err": (">f4", np.full(len(stars), 0.05)),
            "mag_band": (">i2", np.zeros(len(stars))),
            "ra_offset_obs": (">f4", np.zeros(len(stars))),
            "dec_offset_obs": (">f4", np.zeros(len(stars))),
            **{name: (">f4", np.full(len(stars), -9999.0)) for name in ("spoil_radius", "spoil_angle")},
            "spoil_mag_aca": (">f4", np.full(len(stars), -9999.0)),
        }
    )
    units = dict.fromkeys(("ra", "dec", "ra_corr", "dec_corr", "pos_err"), "deg")
    units |= dict.fromkeys(("pm_ra", "pm_dec"), "mas/yr")
    units |= dict.fromkeys(("mag_aca", "mag_aca_err", "mag_aca_avg", "mag_aca_min", "mag_aca_max", "mag"), "mag")
    return fits_table("GSPROPS", table, _interval_header(observation, interval, "GSPROPS"), units)


def _catalogue_place(star: Star, observation: Observation) -> tuple[float, float]:
    """Return where a star was at 2000:001, from where it is now and its proper motion."""
    from aca_core.dates import to_secs

    years = (observation.start - to_secs("2000:001")) / (365.25 * _DAY)
    motions = (0.0 if motion == -9999.0 else motion for motion in (star.pm_ra, star.pm_dec))
    ra, dec = (place - motion * years / 3.6e6 for place, motion in zip((star.ra, star.dec), motions, strict=True))
    return ra, dec


def _fid_properties(observation: Observation, interval: int) -> bytes:
    fids, alignment = observation.fids, observation.alignment
    columns: dict[str, tuple[str, Any]] = {
        "slot": (">i2", [fid.slot for fid in fids]),
        "id_status": _texts([fid.id_status for fid in fids], 10),
        "id_string": _texts([fid.id_string for fid in fids], 12),
        "id_num": (">i2", [fid.id_num for fid in fids]),
        "p_lsi": (">f8", [fid.p_lsi for fid in fids]),
        "mag_i_cmd": (">f4", np.full(len(fids), 7.0)),
        "mag_i_avg": (">f4", [fid.mag for fid in fids]),
        "mag_i_min": (">f4", [fid.mag - 0.05 for fid in fids]),
        "mag_i_max": (">f4", [fid.mag + 0.05 for fid in fids]),
    }
    units = {"p_lsi": "mm", **dict.fromkeys(("mag_i_cmd", "mag_i_avg", "mag_i_min", "mag_i_max"), "mag")}
    header = _interval_header(observation, interval, "FIDPROPS")
    for name, origin in (("LSI0STT", alignment.lsi0stt), ("STT0STF", alignment.stt0stf)):
        header |= {f"{name}{axis}": (value, "[mm]") for axis, value in enumerate(origin, start=1)}
    header["RRC0FCX"] = (alignment.rrc0fcx, "[mm]")
    if observation.columns == "new":
        y, z = (np.array([fid.p_lsi[axis] for fid in fids]) for axis in (1, 2))
        z = z + alignment.lsi0stt[2] + alignment.stt0stf[2]
        columns["ang_y_nom"] = (">f8", np.degrees(np.arctan(-y / alignment.rrc0fcx)))
        columns["ang_z_nom"] = (">f8", np.degrees(np.arctan(-z / alignment.rrc0fcx)))
        units |= {"ang_y_nom": "deg", "ang_z_nom": "deg"}
        thermal = ("dht_base", "dht_mean", "deg_per_cnt", "fid_cte", "fid_y_coe", "fid_z_coe")
        periscope = ("peri_y_grd3", "peri_y_grd6", "peri_z_grd3", "peri_z_grd6")
        header |= dict.fromkeys(_keywords((*thermal, *periscope)), 0.0)
    return fits_table("FIDPROPS", _table(columns), header, units)


def _keywords(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names as keywords; those of more than eight characters need a card of another form."""
    return tuple(name.upper() if len(name) <= 8 else f"HIERARCH {name}" for name in names)


def _gyro_calibration(observation: Observation, interval: int) -> bytes:
    table = _table({"gyro_misalign": (">f8", np.eye(3)[np.newaxis]), "scale_factor": (">f8", np.full((1, 4), 0.02))})
    return fits_table("GYROCAL", table, _interval_header(observation, interval, "GYROCAL"))


def _bad_pixels(observation: Observation, interval: int) -> bytes:
    random = np.random.default_rng([301, observation.seed, observation.obsid])
    row, col = random.integers(-512, 512, (2, 40))
    table = _table({"pix_i": (">i2", row), "pix_j": (">i2", col), "status": (">i4", np.ones(40))})
    return fits_table("ACA_BADPIX", table, _interval_header(observation, interval, "ACA_BADPIX"))


# ---- what the archive discards, and logs ----------------------------------------------------------------------------


def _stub(content: str) -> Callable[[Observation, int], bytes]:
    """Return a maker of a small file in place of a large one."""

    def make(observation: Observation, interval: int) -> bytes:
        times = observation.intervals[interval].start + np.arange(4.0)
        header = _interval_header(observation, interval, content)
        header["HISTORY"] = "a few rows in place of the real file, which the archive does not keep"
        return fits_table(content, _table({"time": (">f8", times), "value": (">f4", np.zeros(4))}), header)

    return make


def _log(observation: Observation, interval: int | None) -> str:
    """Return the log of the pipeline for an aspect interval, or of the combination of all."""
    what = "the combination of all intervals" if interval is None else f"aspect interval {interval}"
    return "\n".join(
        (
            f"# {SYNTHETIC}",
            f"# log of {what}, obsid {observation.obsid} obi {observation.obi} revision {observation.revision}",
            f"# {' '.join(software(observation))} {calendar(made_at(observation))}",
            f"Input obspar: {obspar_name(observation).removesuffix('.gz')}",
            "Processing finished: status 0",
            "",
        )
    )


_MAKERS: Final[Mapping[str, Callable[[Observation, int], bytes]]] = {
    "asol1": _solution,
    "acal1": _calibration,
    "aqual1": _quality,
    "acen1": _centroids,
    "gspr1": _star_properties,
    "fidpr1": _fid_properties,
    "gcal1": _gyro_calibration,
    "bpix1": _bad_pixels,
    "adat01": _stub("ACADATA"),
    "gdat1": _stub("GYRODATA"),
    "kalm1": _stub("KALMAN"),
}
"""What is delivered for each aspect interval: the end of the name, and what makes the file."""
