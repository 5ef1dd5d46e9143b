"""Simulated dark calibrations: as they come from the ground system, as they are after processing, or both.

::

    <folder>/dark_README.txt     that they are synthetic
             dark_truth.json     what they were drawn from
             dark_events.csv     full readouts: start, stop
             aacccdpt.csv        CCD temperatures of telemetry: time, value (degC)
             hdr3.csv            CCD temperatures of header 3: time, value (degC)
             ska/data/aca_dark_cal/YYYYDOY/imd.fits
                                           Result/zodi.csv
                                           VC2_Replica1_SFDU_YYYYDOY.dat …
             aca_dark/YYYYDOY/image.fits
                              properties.json
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import attrs
import numpy as np

from aca_core.dates import dark_id_to_date, date_to_dark_id, to_date, to_secs
from aca_core.errors import DateError, DeclarationError, IntegrityError
from aca_core.simulation.dark_draw import draw_calibration, draw_map, rng_of
from aca_core.simulation.dark_telemetry import TABLES, write_csv, write_tables
from aca_core.simulation.dark_truth import (
    DARK_TRUTH_FILE,
    DarkCalTruth,
    SimulatedDarkCals,
    read_dark_truth,
    write_dark_truth,
)
from aca_core.simulation.fits_bytes import calendar, fits_image
from aca_core.simulation.observation import SYNTHETIC

__all__ = ["USUAL_DARK_IDS", "simulate_dark_calibrations"]

USUAL_DARK_IDS: Final = (
    "1999223",
    "2000326",
    "2002338",
    "2005247",
    "2009050",
    "2012115",
    "2014289",
    "2017185",
    "2020152",
    "2023101",
)
"""Ten days over the mission; most of them had a calibration in flight (sot/state_of_aca ``dark_cals_with_temp``)."""

PropertySet: TypeAlias = Literal["classic", "acdc", "mixed"]
_LAYOUTS: Final = ("mica", "ska")
_SETS: Final = ("classic", "acdc", "mixed")

_ACDC_FROM: Final = "2019060"
"""Of a mixed set, from which id on properties are those of the newer processing, which began in early 2019."""

_IRREGULAR_UNTIL: Final = "2001080"
"""Before it, files of replicas had no regular names."""

README: Final = "dark_README.txt"
"""Not README.txt, which a delivery in the same folder has."""

_README_TEXT: Final = f"""\
{SYNTHETIC}

These dark calibrations were written by aca_core.simulation. Nothing in them was measured: maps, times and temperatures
are drawn from a seed, and {DARK_TRUTH_FILE} says what from. Every map has SYNTHET = T in its header and a COMMENT that
says so, every properties.json the key "synthetic". The CSV files here and below are synthetic too.
"""

Told: TypeAlias = Callable[[DarkCalTruth], None]


def simulate_dark_calibrations(
    folder: str | Path,
    dark_ids: Iterable[str] | None = None,
    *,
    seed: int = 0,
    layouts: Sequence[str] = ("ska",),
    t_ccd: float | Mapping[str, float] | None = None,
    n_replicas: int = 5,
    property_set: PropertySet = "classic",
    noise: float = 3.0,
    force: bool = False,
    told: Told | None = None,
) -> SimulatedDarkCals:
    """Write synthetic dark calibrations, with the events and temperatures that a processing needs.

    Maps are drawn from the dark model of 2017 at the date and temperature of each calibration; those before 2007 from
    a pristine CCD that was degraded by the recipe of 2013. Noise is added, so that values are negative where the CCD is
    cool. The same seed and arguments write the same bytes.

    Parameters
    ----------
    folder : path-like
        Where; it may hold other things. As an archive root, ``aca_dark`` and ``ska`` below it are where the built-in
        dark sources look.
    dark_ids : iterable of str, optional
        Days, ``YYYYDOY``; ten over the mission by default.
    seed : int, default 0
        What everything is drawn from.
    layouts : sequence of {'ska', 'mica'}
        As the ground system delivers them, or with properties as they are after processing.
    t_ccd : float or mapping of str to float, optional
        CCD temperature, degC, of all or by id; by default about that of the time.
    n_replicas : int, default 5
        Full readouts of each.
    property_set : {'classic', 'acdc', 'mixed'}
        Properties of the layout ``mica``: those of the older processing, of the newer one, or each in its time.
    noise : float, default 3
        Standard deviation of the noise of a map, e-/s.
    force : bool, default False
        Whether calibrations of an earlier simulation in the same folder may go.
    told : callable, optional
        Called with each `DarkCalTruth` that was written.

    Returns
    -------
    SimulatedDarkCals
        Where they are, and the truth.

    Raises
    ------
    DeclarationError
        An argument is wrong. It is a ValueError.
    IntegrityError
        Something is where they would be written; nothing was changed.

    Examples
    --------
    >>> import tempfile
    >>> simulated = simulate_dark_calibrations(tempfile.mkdtemp(), ["2012115"], seed=1)
    >>> simulated.of("2012115").source, len(simulated.of("2012115").replicas)
    ('HDR3', 5)
    >>> sorted(path.name for path in (simulated.ska_root / "2012115").iterdir())[-2:]
    ['VC2_Replica5_SFDU_2012115.dat', 'imd.fits']
    """
    ids = _checked_ids(dark_ids)
    options = _checked(seed, layouts, n_replicas, property_set, noise)
    temperatures = _checked_temperatures(t_ccd, ids)
    truths = [
        draw_calibration(each, rng_of(seed, each, 0), t_ccd=temperatures.get(each), n_replicas=n_replicas, noise=noise)
        for each in ids
    ]
    simulated = SimulatedDarkCals(folder=Path(folder), calibrations=tuple(truths), **options)
    simulated = attrs.evolve(simulated, files=tuple(_files(simulated)))
    _make_room(simulated, force=force)
    write_dark_truth(simulated)  # before the rest: it says what may be replaced
    (simulated.folder / README).write_text(_README_TEXT, encoding="utf-8")
    write_tables(simulated)
    done = []
    for number, truth in enumerate(truths):
        done.append(_write_calibration(simulated, truth, truths[: number + 1]))
        if told is not None:
            told(done[-1])
    simulated = attrs.evolve(simulated, calibrations=tuple(done))
    write_dark_truth(simulated)
    return simulated


# ---- arguments ------------------------------------------------------------------------------------------------------


def _refused(name: str, value: object, expected: str) -> DeclarationError:
    return DeclarationError("simulate_dark_calibrations", name, value, expected)


def _checked_ids(dark_ids: Iterable[str] | None) -> list[str]:
    if isinstance(dark_ids, str) or not isinstance(dark_ids, Iterable | None):
        raise _refused("dark_ids", dark_ids, "several ids, such as ['2012115']")
    ids = list(USUAL_DARK_IDS if dark_ids is None else dark_ids)
    try:
        valid = [date_to_dark_id(dark_id_to_date(each)) for each in ids]
    except DateError as error:
        raise _refused("dark_ids", ids, f"ids YYYYDOY ({error})") from None
    if not valid or len(set(valid)) < len(valid):
        raise _refused("dark_ids", ids, "at least one id, each once")
    days = np.sort([to_secs(dark_id_to_date(each)) for each in valid])
    if days[0] < to_secs("1999:143") or (np.diff(days) < 3 * 86_400).any():
        raise _refused(
            "dark_ids", ids, "days after 1999:143, three days apart or more: nearer ones are one calibration"
        )
    return sorted(valid)


def _checked(seed: int, layouts: Sequence[str], n_replicas: int, property_set: str, noise: float) -> dict[str, Any]:
    """Refuse what is no good, and return the options that are kept."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise _refused("seed", seed, "a whole number from 0")
    if isinstance(layouts, str) or not layouts or not set(layouts) <= set(_LAYOUTS):
        raise _refused("layouts", layouts, f"a list of {' and '.join(_LAYOUTS)}")
    if isinstance(n_replicas, bool) or not isinstance(n_replicas, int) or not 1 <= n_replicas <= 9:
        raise _refused("n_replicas", n_replicas, "a whole number from 1 to 9")
    if property_set not in _SETS:
        raise _refused("property_set", property_set, f"one of {', '.join(_SETS)}")
    if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0.0 <= noise < 1000.0:
        raise _refused("noise", noise, "a number of e-/s from 0 to 1000")
    return {"seed": seed, "layouts": tuple(sorted(set(layouts))), "property_set": property_set}


def _checked_temperatures(t_ccd: float | Mapping[str, float] | None, ids: list[str]) -> dict[str, float]:
    """Return the temperatures that were asked for, by id."""
    given = dict(t_ccd) if isinstance(t_ccd, Mapping) else {} if t_ccd is None else dict.fromkeys(ids, t_ccd)
    if strangers := sorted(given.keys() - set(ids)):
        raise _refused("t_ccd", strangers, f"ids that are simulated: {', '.join(ids)}")
    for value in given.values():
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or not -40.0 < value < 15.0:
            raise _refused("t_ccd", value, "temperatures from -40 to 15 degC")
    return {dark_id: float(value) for dark_id, value in given.items()}


# ---- the folder -----------------------------------------------------------------------------------------------------


def _files(simulated: SimulatedDarkCals) -> list[str]:
    """Return everything that will be written, relative to the folder."""
    paths = [simulated.folder / name for name in (README, DARK_TRUTH_FILE, *TABLES)]
    for truth in simulated.calibrations:
        if "ska" in simulated.layouts:
            place = simulated.ska_root / truth.dark_id
            paths += [place / "imd.fits", place / "Result" / "zodi.csv"]
            paths += [place / _replica_file(truth, replica.count) for replica in truth.replicas]
        if "mica" in simulated.layouts:
            paths += [simulated.mica_root / truth.dark_id / name for name in ("image.fits", "properties.json")]
    return [str(path.relative_to(simulated.folder)) for path in paths]


def _make_room(simulated: SimulatedDarkCals, *, force: bool) -> None:
    """Remove an earlier simulation, if it may go; refuse to overwrite anything else."""
    folder, earlier = simulated.folder, set[str]()
    if (folder / DARK_TRUTH_FILE).exists():
        earlier = set(read_dark_truth(folder).files)
        if not force:
            raise IntegrityError(
                folder, "holds simulated dark calibrations; name a new folder, or replace them by force"
            )
    for place in sorted({(folder / name).parent for name in (*simulated.files, *earlier)}):
        if not place.resolve().is_relative_to(folder.resolve()):
            raise IntegrityError(folder, f"{place} leads elsewhere, not below its folder; name another folder")
    wanted = {*simulated.files, *(str(place.relative_to(folder)) for place in _places(simulated))}
    ours = earlier | {str(parent) for name in earlier for parent in Path(name).parents}
    for name in sorted(wanted - ours):
        if (folder / name).exists():
            problem = "is there, and no simulation of dark calibrations wrote it; name another folder"
            raise IntegrityError(folder / name, problem)
    _remove(folder, earlier)
    folder.mkdir(parents=True, exist_ok=True)


def _remove(folder: Path, names: set[str]) -> None:
    """Remove files, and the folders of theirs that are empty then."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    for place in sorted({(folder / name).parent for name in names} - {folder}, reverse=True):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _places(simulated: SimulatedDarkCals) -> list[Path]:
    """Return the folders of the calibrations, which must not be somebody else's."""
    roots = [simulated.ska_root] if "ska" in simulated.layouts else []
    roots += [simulated.mica_root] if "mica" in simulated.layouts else []
    return [root / truth.dark_id for root in roots for truth in simulated.calibrations]


# ---- calibrations ---------------------------------------------------------------------------------------------------


def _write_calibration(
    simulated: SimulatedDarkCals, truth: DarkCalTruth, so_far: Sequence[DarkCalTruth]
) -> DarkCalTruth:
    """Write a calibration in the layouts that are wanted, and return its truth with what its map says."""
    image = draw_map(truth, rng_of(simulated.seed, truth.dark_id, 3))
    content = fits_image(image, _header(truth))
    truth = attrs.evolve(truth, n_warm=int((image > 100.0).sum()))
    if "ska" in simulated.layouts:
        place = simulated.ska_root / truth.dark_id
        (place / "Result").mkdir(parents=True, exist_ok=True)
        (place / "imd.fits").write_bytes(content)
        names = tuple(truth.sky)
        write_csv(place / "Result" / "zodi.csv", names, ([str(t.sky[name]) for name in names] for t in so_far))
        for replica in truth.replicas:
            (place / _replica_file(truth, replica.count)).write_text(f"{SYNTHETIC}\n", encoding="ascii")
    if "mica" in simulated.layouts:
        place = simulated.mica_root / truth.dark_id
        place.mkdir(parents=True, exist_ok=True)
        (place / "image.fits").write_bytes(content)
        properties = json.dumps(_properties(simulated, truth), sort_keys=True, indent=4)
        (place / "properties.json").write_text(properties + "\n", encoding="utf-8")
    return truth


def _header(truth: DarkCalTruth) -> dict[str, Any]:
    return {
        "TELESCOP": "CHANDRA",
        "INSTRUME": "ACA",
        "ORIGIN": "SYNTHETIC",
        "BUNIT": "electron/s",
        "DARK_ID": (truth.dark_id, "year and day of year"),
        "TSTART": (truth.tstart, "[s] CXC seconds"),
        "TSTOP": (truth.tstop, "[s] CXC seconds"),
        "DATE-OBS": (calendar(truth.tstart), "TT"),
        "DATE-END": (calendar(truth.tstop), "TT"),
        "CCD_TEMP": (truth.t_ccd, "[deg C] at which the map was drawn"),
        "NOISE": (truth.noise, "[electron/s] standard deviation"),
    }


def _replica_file(truth: DarkCalTruth, count: int) -> str:
    regular = truth.dark_id >= _IRREGULAR_UNTIL
    return f"VC2_Replica{count}_SFDU_{truth.dark_id}.dat" if regular else f"replica_{count}.dat"


def _properties(simulated: SimulatedDarkCals, truth: DarkCalTruth) -> dict[str, Any]:
    newer = simulated.property_set == "mixed" and truth.dark_id >= _ACDC_FROM
    if newer or simulated.property_set == "acdc":
        return _acdc(truth)
    temperatures = [replica.t_ccd for replica in truth.replicas]
    return {
        **truth.sky,
        "id": truth.dark_id,
        "start": to_date(truth.tstart),
        "stop": to_date(truth.tstop),
        "dur": round(truth.tstop - truth.tstart, 3),
        "ccd_temp": round(sum(temperatures) / len(temperatures), 4),
        "replicas": [
            {
                "count": replica.count,
                "ccd_temp": replica.t_ccd,
                "ccd_temp_source": truth.source,
                "start": to_date(replica.tstart),
                "stop": to_date(replica.tstop),
                "downlink": True,
            }
            for replica in truth.replicas
        ],
        "synthetic": SYNTHETIC,
    }


def _acdc(truth: DarkCalTruth) -> dict[str, Any]:
    """Return the properties that the newer processing writes; one of them is no scalar, as there may be some."""
    return {
        "date": dark_id_to_date(truth.dark_id),
        "t_ccd": truth.t_ccd,
        "ccd_temp": truth.t_ccd,
        "n_ccd_img": len(truth.replicas),
        "datestart": to_date(truth.tstart),
        "datestop": to_date(truth.tstop),
        "filename": "image.fits",
        "replica_t_ccd": [replica.t_ccd for replica in truth.replicas],
        "synthetic": SYNTHETIC,
    }
