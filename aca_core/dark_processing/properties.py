"""What is known of a calibration: when it was made, how warm the CCD was in each replica, where the camera looked."""

from __future__ import annotations

import json
from typing import Any, Final

from aca_core.dark_processing.calibrations import CalibrationEvent, Replica
from aca_core.dark_processing.inputs import DarkInputs
from aca_core.dark_processing.sky import sky_properties
from aca_core.dark_processing.temperatures import get_ccd_temp
from aca_core.dark_sources import DarkSource
from aca_core.dates import to_secs
from aca_core.errors import MissingDataError

__all__ = ["make_properties", "properties_text"]

_AROUND: Final = 600.0
"""How long before and after a replica its temperature is looked for, s: in it there is no header 3."""

_IRREGULAR_UNTIL: Final = to_secs("2001:080")
"""Before it the files of replicas had no regular names; all of them were downlinked."""


def make_properties(event: CalibrationEvent, dark_id: str, source: DarkSource, inputs: DarkInputs) -> dict[str, Any]:
    """Return the properties of a calibration.

    Parameters
    ----------
    event : CalibrationEvent
        When it was made.
    dark_id : str
        ``YYYYDOY`` of its folder.
    source : DarkSource
        Where its files of the ground system lie.
    inputs : DarkInputs
        Who knows the temperatures.

    Returns
    -------
    dict
        ``id``, ``start``, ``stop``, ``dur`` (s), ``ccd_temp`` (degC, the mean of its replicas), ``replicas`` (list of
        dict), and what the table of the sky has: ``date``, ``ra``, ``dec``, ``el``, ``eb``, ``sun_el``, ``l_l0``
        (deg), ``zodib``.

    Raises
    ------
    MissingDataError
        It has no replicas, a replica no temperature, or the table of the sky no row.
    IntegrityError
        A table cannot be read.
    """
    if not event.replicas:
        text = f"the calibration of {event.start} to {event.stop} has no replica: no full readout of at least 300 s"
        raise MissingDataError(f"{text} starts within a day of its start")
    names = {path.name for path in source.directory(dark_id).iterdir()}
    replicas = [_replica(each, event, names, inputs) for each in event.replicas]
    temperatures = [each["ccd_temp"] for each in replicas]
    return {
        **sky_properties(source, dark_id),
        "id": dark_id,
        "start": event.start,
        "stop": event.stop,
        "dur": event.dur,
        "ccd_temp": sum(temperatures) / len(temperatures),
        "replicas": replicas,
    }


def _replica(replica: Replica, event: CalibrationEvent, names: set[str], inputs: DarkInputs) -> dict[str, Any]:
    t_ccd, found_in = get_ccd_temp(replica.tstart - _AROUND, replica.tstop + _AROUND, inputs)
    mark = f"VC2_Replica{replica.count}_SFDU"
    return {
        "count": replica.count,
        "ccd_temp": t_ccd,
        "ccd_temp_source": found_in,
        "start": replica.start,
        "stop": replica.stop,
        "downlink": event.tstart < _IRREGULAR_UNTIL or any(mark in name for name in names),
    }


def properties_text(properties: dict[str, Any]) -> str:
    """Return properties as their file has them: JSON with sorted keys and an indent of 4."""
    return json.dumps(properties, sort_keys=True, indent=4, allow_nan=False) + "\n"
