"""The observation parameters of an observation, as the parameter file that is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from aca_core.simulation.fits_bytes import calendar, compressed
from aca_core.simulation.observation import SYNTHETIC, Observation

__all__ = ["obspar_file", "obspar_name", "obspar_values"]

Value: TypeAlias = str | int | float | None


def obspar_name(observation: Observation) -> str:
    """Return the base name of the file.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    str
        Such as ``axaff07000_000N002_obs0a.par.gz``.
    """
    return f"axaff{observation.obsid:05d}_{observation.obi:03d}N{observation.obspar_revision:03d}_obs0a.par.gz"


def obspar_file(observation: Observation) -> tuple[str, bytes]:
    """Make the parameter file.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    name : str
        Base name.
    content : bytes
        All of the file, compressed.
    """
    lines = [f"# {SYNTHETIC}"]
    for name, value in obspar_values(observation).items():
        kind = "s" if isinstance(value, str) else "i" if isinstance(value, int) else "r"
        text = '"' + value.replace('"', '""') + '"' if isinstance(value, str) else "" if value is None else repr(value)
        lines.append(f'{name},{kind},h,{text},,,"{_PROMPTS.get(name, "")}"')
    return obspar_name(observation), compressed(("\n".join(lines) + "\n").encode())


_PROMPTS: Final = {
    **dict.fromkeys(("tstart", "tstop", "sched_start", "sched_stop", "sched_exp_time"), "[s]"),
    **dict.fromkeys(("ra_pnt", "dec_pnt", "roll_pnt", "ra_nom", "dec_nom", "roll_nom", "ra_targ", "dec_targ"), "[deg]"),
    **dict.fromkeys(("sim_x", "sim_y", "sim_z", "sim_z_offset", "defocus", "foc_len"), "[mm]"),
    **dict.fromkeys(("date-obs", "date-end"), "TT"),
    "synthetic": SYNTHETIC,
}


def obspar_values(observation: Observation) -> Mapping[str, Value]:
    """Return the parameters with their values, as the file lists them.

    Parameters
    ----------
    observation : Observation
        The truth.

    Returns
    -------
    mapping of str to str, int, float or None
        In the order of the file. Reals are float or None, also where they are whole.
    """
    values: dict[str, Value] = {"synthetic": SYNTHETIC, **_general(observation)}
    return values | (_acis(observation) if observation.detector.startswith("ACIS") else _hrc(observation))


def _general(observation: Observation) -> dict[str, Value]:
    dither = observation.dither
    exposure = round(observation.stop - observation.start, 3)
    ra, dec, roll = (round(angle, 9) for angle in (observation.ra, observation.dec, observation.roll))
    return {
        "obs_id": str(observation.obsid),
        "obi_num": observation.obi,
        "title": f'Synthetic observation {observation.obsid}, "not from flight"',
        "observer": "Nobody, of aca_core.simulation",
        "ao": "22",
        "object": f"SYNTHETIC-{observation.obsid}",
        "ss_object": "",
        "seq_num": f"{900000 + observation.obsid % 100000}",
        "instrume": observation.detector[:-2],
        "grating": "NONE",
        "detector": observation.detector,
        "optical_monitor": "N",
        "raster_scan": "N",
        "dither": "ON",
        "dither_y_amp": dither.y_amp / 3600,
        "dither_y_freq": 360 / dither.y_period,
        "dither_y_phase": dither.y_phase,
        "dither_z_amp": dither.z_amp / 3600,
        "dither_z_freq": 360 / dither.z_period,
        "dither_z_phase": dither.z_phase,
        "ra_pnt": ra,
        "dec_pnt": dec,
        "roll_pnt": roll,
        "ra_targ": ra,
        "dec_targ": dec,
        "y_det_offset": 0.0,
        "z_det_offset": 0.0,
        "radial_offset": 0.0,
        "defocus": 0.0,
        "sim_z_offset": observation.sim_z_offset,
        "pre_id": "",
        "uninterrupted": "N",
        "seg_max_num": 1,
        "ra_nom": ra,
        "dec_nom": dec,
        "roll_nom": roll,
        "date-obs": calendar(observation.start),
        "date-end": calendar(observation.stop),
        "tstart": observation.start,
        "tstop": observation.stop,
        "sched_start": round(observation.start - 2.0, 3),
        "sched_stop": round(observation.stop + 2.0, 3),
        "sched_exp_time": exposure,
        "obs_mode": "POINTING",
        "maneuver": "N",
        "maneuver_v1": None,
        "maneuver_v2": None,
        "maneuver_v3": None,
        "maneuver_angle": None,
        "maneuver_ref": "",
        "mjdref": 50814.0,
        "timezero": 0.0,
        "timeunit": "s",
        "timesys": "TT",
        "timversn": "ASC-FITS-2",
        "mission": "AXAF",
        "telescop": "CHANDRA",
        "sim_x": -0.68,
        "sim_y": 0.0,
        "sim_z": round(observation.sim_z, 6),
        "foc_len": 10061.6,
        "mt_a": 80798700.0,
        "mt_aop": 285.1,
        "mt_e": 0.75,
        "mt_epoch": observation.start,
        "mt_i": 66.2,
        "mt_ma": 120.0,
        "mt_raan": 261.4,
        "timeref": "LOCAL",
        "tassign": "SATELLITE",
        "origin": "ASC",
        "ascdsver": "10.10" if observation.columns == "new" else "8.4.5",
        "obi_data": "",
        "revision": observation.obspar_revision,
        "obspar_ver": 7,
        "obspar_type": "ACTUAL",
        "obspar_stat": "OK",
    }


_CHIPS: Final = {"ACIS-I": "01236", "ACIS-S": "235678"}
"""The CCDs that are on: 0-3 are those of ACIS-I, 4-9 those of ACIS-S."""


def _acis(observation: Observation) -> dict[str, Value]:
    on = _CHIPS[observation.detector]
    states = {str(number): "Y" if str(number) in on else "N" for number in range(10)}
    if observation.obsid % 3 == 0:  # some have chips that were optional and are off
        states["4"] = "O1"
    return {
        "detnam": f"ACIS-{on}",
        "si_mode": "TE_005C6B",
        "datamode": "VFAINT",
        "readmode": "TIMED",
        **{f"ccdi{number}_on": states[str(number)] for number in range(4)},
        **{f"ccds{number}_on": states[str(number + 4)] for number in range(6)},
        "dropped_chip_count": 1 if states["4"] == "O1" else 0,
        "onchip_sum": "N",
        "sumrow": 1,
        "sumcol": 1,
        "subarray": "NONE",
        "startrow": 1,
        "rowcnt": 1024,
        "subarray_frame_time": None,
        "duty_cycle": "N",
        "dtycycle": 0,
        "exptimea": 3.1,
        "exptimeb": 0.0,
        "most_efficient": "Y",
        "eventfilter": "Y",
        "phamin": 0.08,
        "pharange": 14.92,
        "bias_request": "N",
        "mode": "TE",
    }


def _hrc(observation: Observation) -> dict[str, Value]:
    return {
        "detnam": observation.detector,
        "si_mode": "HRC-I_DEFAULT" if observation.detector == "HRC-I" else "HRC-S_DEFAULT",
        "datamode": "",
        "readmode": "",
        "py_shutter_position": 0,
        "my_shutter_position": 0,
        "range_switch_level": 115,
        "antico_enable": "Y",
        "upper_level_disc": 255,
        "timing_mode": "N",
        "trigger_level": 8,
        "u_blank_hi": 90,
        "u_blank_low": 0,
        "v_blank_low": 0,
        "v_blank_hi": 90,
        "uld_enable": "Y",
        "zero_block": "N",
        "blank_enable": "N",
        "width_enable": "N",
        "spect_mode": "N",
        "width_threshold": 3,
    }
