"""Simulated deliveries, telemetry and dark calibrations in their true formats, with a known truth.

Everything comes from a seed, the injected residuals are written down beside the files, and every file says that it is
synthetic::

    from aca_core.simulation import simulate_delivery

    delivery = simulate_delivery("delivered", seed=1, duration=2000.0)
    delivery.release(8010, 2)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.simulation.centroids import injected_residuals
    from aca_core.simulation.dark_cals import simulate_dark_calibrations
    from aca_core.simulation.dark_truth import DarkCalTruth, DarkReplicaTruth, SimulatedDarkCals, read_dark_truth
    from aca_core.simulation.delivery import Delivery, open_delivery, simulate_delivery
    from aca_core.simulation.draw import draw_observation, reprocess
    from aca_core.simulation.observation import SYNTHETIC, Observation
    from aca_core.simulation.plans import Plan, usual_plans
    from aca_core.simulation.telemetry import SimulatedTelemetry, read_telemetry_truth, simulate_telemetry
    from aca_core.simulation.telemetry_plan import (
        BadRows,
        FidShift,
        FileOverlap,
        History,
        SimulatedFile,
        TelemetryGap,
        TelemetryPlan,
        TelemetryStretch,
    )
    from aca_core.simulation.telemetry_truth import remove_telemetry
    from aca_core.simulation.truth import Delivered, SlotStatistics, Truth, read_truth

_HOMES = {
    "centroids": ("injected_residuals",),
    "dark_cals": ("simulate_dark_calibrations",),
    "dark_truth": ("DarkCalTruth", "DarkReplicaTruth", "SimulatedDarkCals", "read_dark_truth"),
    "delivery": ("Delivery", "open_delivery", "simulate_delivery"),
    "draw": ("draw_observation", "reprocess"),
    "observation": ("SYNTHETIC", "Observation"),
    "plans": ("Plan", "usual_plans"),
    "telemetry": ("SimulatedTelemetry", "read_telemetry_truth", "simulate_telemetry"),
    "telemetry_plan": (
        "BadRows",
        "FidShift",
        "FileOverlap",
        "History",
        "SimulatedFile",
        "TelemetryGap",
        "TelemetryPlan",
        "TelemetryStretch",
    ),
    "telemetry_truth": ("remove_telemetry",),
    "truth": ("Delivered", "SlotStatistics", "Truth", "read_truth"),
}
__all__ = [
    "SYNTHETIC",
    "BadRows",
    "DarkCalTruth",
    "DarkReplicaTruth",
    "Delivered",
    "Delivery",
    "FidShift",
    "FileOverlap",
    "History",
    "Observation",
    "Plan",
    "SimulatedDarkCals",
    "SimulatedFile",
    "SimulatedTelemetry",
    "SlotStatistics",
    "TelemetryGap",
    "TelemetryPlan",
    "TelemetryStretch",
    "Truth",
    "draw_observation",
    "injected_residuals",
    "open_delivery",
    "read_dark_truth",
    "read_telemetry_truth",
    "read_truth",
    "remove_telemetry",
    "reprocess",
    "simulate_dark_calibrations",
    "simulate_delivery",
    "simulate_telemetry",
    "usual_plans",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
