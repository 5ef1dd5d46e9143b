"""Simulated deliveries: observation parameters and aspect products in their true formats, with a known truth.

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
    from aca_core.simulation.delivery import Delivery, open_delivery, simulate_delivery
    from aca_core.simulation.draw import draw_observation, reprocess
    from aca_core.simulation.observation import SYNTHETIC, Observation
    from aca_core.simulation.plans import Plan, usual_plans
    from aca_core.simulation.truth import Delivered, SlotStatistics, Truth, read_truth

_HOMES = {
    "centroids": ("injected_residuals",),
    "delivery": ("Delivery", "open_delivery", "simulate_delivery"),
    "draw": ("draw_observation", "reprocess"),
    "observation": ("SYNTHETIC", "Observation"),
    "plans": ("Plan", "usual_plans"),
    "truth": ("Delivered", "SlotStatistics", "Truth", "read_truth"),
}
__all__ = [
    "SYNTHETIC",
    "Delivered",
    "Delivery",
    "Observation",
    "Plan",
    "SlotStatistics",
    "Truth",
    "draw_observation",
    "injected_residuals",
    "open_delivery",
    "read_truth",
    "reprocess",
    "simulate_delivery",
    "usual_plans",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
