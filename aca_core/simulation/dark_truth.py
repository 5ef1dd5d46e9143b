"""What is true of simulated dark calibrations, written beside them as JSON and read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aca_core._frozen import FrozenMapping, freeze
from aca_core.config import DarkSettings
from aca_core.errors import IntegrityError, MissingDataError, UnknownNameError
from aca_core.simulation.folders import replace_text
from aca_core.simulation.observation import SYNTHETIC

__all__ = [
    "DARK_TRUTH_FILE",
    "DarkCalTruth",
    "DarkReplicaTruth",
    "SimulatedDarkCals",
    "read_dark_truth",
    "write_dark_truth",
]

DARK_TRUTH_FILE: Final = "dark_truth.json"
_FORMAT: Final = "aca_core.simulation dark truth 1"


@attrs.frozen(kw_only=True)
class DarkReplicaTruth:
    """One full readout of a simulated calibration.

    Attributes
    ----------
    count : int
        Its number, from 1.
    tstart, tstop : float
        CXC seconds.
    t_ccd : float
        The true CCD temperature in its middle, degC.
    """

    count: int
    tstart: float
    tstop: float
    t_ccd: float


@attrs.frozen(kw_only=True)
class DarkCalTruth:
    """One simulated calibration.

    Attributes
    ----------
    dark_id : str
        ``YYYYDOY``.
    tstart, tstop : float
        From the first full readout to the last one, CXC seconds.
    t_ccd : float
        The true CCD temperature in its middle, at which the map was drawn, degC.
    drift : float
        How the temperature changed meanwhile, degC per hour.
    source : {'GUESS', 'AACCCDPT', 'HDR3'}
        What the temperature tables let a processing find it by.
    recipe : str
        What the map was drawn from.
    noise : float
        Standard deviation of the noise in it, e-/s.
    n_warm : int
        Pixels above 100 e-/s in it.
    sky : mapping
        Its row in the tables of the sky.
    replicas : tuple of DarkReplicaTruth
        Its full readouts.
    """

    dark_id: str
    tstart: float
    tstop: float
    t_ccd: float
    drift: float
    source: str
    recipe: str
    noise: float
    n_warm: int
    sky: Mapping[str, Any] = attrs.field(converter=freeze)
    replicas: tuple[DarkReplicaTruth, ...]


@attrs.frozen(kw_only=True)
class SimulatedDarkCals:
    """Simulated dark calibrations and where they lie.

    Attributes
    ----------
    folder : Path
        The top of everything. As an archive root, with ``folder / "ska"`` as the Ska tree, it needs no other setting
        than `settings`.
    seed : int
        What they were drawn with.
    layouts : tuple of str
        ``ska`` and ``mica``, whichever were written.
    property_set : str
        Which properties the layout ``mica`` has.
    calibrations : tuple of DarkCalTruth
        The truth, by id.
    files : tuple of str
        Everything that was written, relative to `folder`.
    synthetic : str
        That it is.
    """

    folder: Path
    seed: int
    layouts: tuple[str, ...]
    property_set: str
    calibrations: tuple[DarkCalTruth, ...]
    files: tuple[str, ...] = ()
    synthetic: str = SYNTHETIC

    @property
    def ska(self) -> Path:
        """The Ska tree, of which the calibrations of the ground system are a part."""
        return self.folder / "ska"

    @property
    def ska_root(self) -> Path:
        """The folder of the calibrations of the ground system."""
        return self.ska / "data" / "aca_dark_cal"

    @property
    def mica_root(self) -> Path:
        """The folder of processed calibrations."""
        return self.folder / "aca_dark"

    @property
    def settings(self) -> DarkSettings:
        """The table ``[dark]`` of a configuration that uses the tables of events and temperatures, by full paths."""
        top = self.folder.absolute()
        return DarkSettings(events=top / "dark_events.csv", aacccdpt=top / "aacccdpt.csv", hdr3=top / "hdr3.csv")

    def of(self, dark_id: str) -> DarkCalTruth:
        """Return the truth of one calibration.

        Parameters
        ----------
        dark_id : str
            ``YYYYDOY``.

        Returns
        -------
        DarkCalTruth

        Raises
        ------
        UnknownNameError
            It was not simulated.
        """
        for each in self.calibrations:
            if each.dark_id == dark_id:
                return each
        raise UnknownNameError("simulated calibration", dark_id, [each.dark_id for each in self.calibrations])


def write_dark_truth(simulated: SimulatedDarkCals) -> None:
    """Write the truth of simulated calibrations into their folder.

    Parameters
    ----------
    simulated : SimulatedDarkCals
        What was simulated.
    """
    said = attrs.asdict(
        simulated,
        filter=lambda field, _: field.name != "folder",
        value_serializer=lambda _, field, value: dict(value) if isinstance(value, FrozenMapping) else value,
    )
    text = json.dumps({"format": _FORMAT, **said}, indent=1, sort_keys=True)
    replace_text(simulated.folder / DARK_TRUTH_FILE, text + "\n")


def read_dark_truth(folder: str | Path) -> SimulatedDarkCals:
    """Read the truth of simulated calibrations.

    Parameters
    ----------
    folder : path-like
        What `simulate_dark_calibrations` was given.

    Returns
    -------
    SimulatedDarkCals

    Raises
    ------
    MissingDataError
        There are none.
    IntegrityError
        The file is none of ours.
    """
    path = Path(folder) / DARK_TRUTH_FILE
    try:
        said = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise MissingDataError(f"there are no simulated dark calibrations in {folder}: no {DARK_TRUTH_FILE}") from None
    except ValueError as error:
        raise IntegrityError(path, f"is not valid JSON: {error}") from error
    if not isinstance(said, dict) or said.pop("format", None) != _FORMAT:
        raise IntegrityError(path, f"is not of the format {_FORMAT!r}")
    try:
        return _simulated(Path(folder), said)
    except (TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(path, f"does not say what it should: {error}") from error


def _simulated(folder: Path, said: dict[str, Any]) -> SimulatedDarkCals:
    calibrations = tuple(
        DarkCalTruth(**{**each, "replicas": tuple(DarkReplicaTruth(**replica) for replica in each["replicas"])})
        for each in said.pop("calibrations")
    )
    lists: dict[str, Any] = {name: tuple(said.pop(name)) for name in ("layouts", "files")}
    return SimulatedDarkCals(folder=folder, calibrations=calibrations, **lists, **said)
