"""Processing of dark calibrations: from maps of the ground system, events and telemetry to maps with properties.

::

    from aca_core.dark_processing import get_ccd_temp, update_dark_cals

    get_ccd_temp("2019:272:02:00:00", "2019:272:03:00:00")  # (degC, where it is from)
    report = update_dark_cals()  # the calibrations of the last 30 days
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.dark_processing.calibrations import CalibrationEvent, Replica, calibration_events
    from aca_core.dark_processing.ids import get_dark_cal_id
    from aca_core.dark_processing.inputs import DarkInputs, dark_inputs
    from aca_core.dark_processing.properties import make_properties
    from aca_core.dark_processing.providers import (
        EventProvider,
        EventTable,
        Header3Telemetry,
        TemperatureProvider,
        TemperatureTable,
    )
    from aca_core.dark_processing.reports import DarkUpdate, DarkUpdateReport
    from aca_core.dark_processing.temperatures import get_ccd_temp
    from aca_core.dark_processing.update import update_dark_cals

_HOMES = {
    "calibrations": ("CalibrationEvent", "Replica", "calibration_events"),
    "ids": ("get_dark_cal_id",),
    "inputs": ("DarkInputs", "dark_inputs"),
    "properties": ("make_properties",),
    "providers": ("EventProvider", "EventTable", "Header3Telemetry", "TemperatureProvider", "TemperatureTable"),
    "reports": ("DarkUpdate", "DarkUpdateReport"),
    "temperatures": ("get_ccd_temp",),
    "update": ("update_dark_cals",),
}
__all__ = [
    "CalibrationEvent",
    "DarkInputs",
    "DarkUpdate",
    "DarkUpdateReport",
    "EventProvider",
    "EventTable",
    "Header3Telemetry",
    "Replica",
    "TemperatureProvider",
    "TemperatureTable",
    "calibration_events",
    "dark_inputs",
    "get_ccd_temp",
    "get_dark_cal_id",
    "make_properties",
    "update_dark_cals",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
