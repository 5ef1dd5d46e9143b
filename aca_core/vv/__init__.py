"""Aspect verification: how well the aspect solution of an observation fits its guide stars and fid lights.

::

    from aca_core.vv import Obi

    obi = Obi("axaff08010_000N001_obs0a.par.gz", "asp1/08/08010_v01")
    obi.slot_report["4"]["dz_rms"], obi.judgement.disposition
    obi.plot_slot(4)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.vv.drift import SimOffsets, sim_offsets, sim_report
    from aca_core.vv.filters import running_median
    from aca_core.vv.interpolation import interpolate, interpolate_attitudes
    from aca_core.vv.interval import AspectInterval, Centroids, read_interval
    from aca_core.vv.interval_files import solution_files
    from aca_core.vv.judgement import Check, Judgement, check_slot, judge
    from aca_core.vv.limits import LIMITS, Limit
    from aca_core.vv.magnitudes import centroid_magnitudes, smoothed_magnitudes
    from aca_core.vv.obi import Obi
    from aca_core.vv.plots import SLOT_PLOTS, plot_slot, slot_plot, slot_plots
    from aca_core.vv.properties import SlotProperties, StarPosition
    from aca_core.vv.report import make_report, read_report, report_text, write_report
    from aca_core.vv.residuals import (
        FidFrames,
        Residuals,
        angular_distance,
        centroid_residuals,
        fid_angles,
        star_angles,
    )
    from aca_core.vv.slot_data import SlotData
    from aca_core.vv.statistics import slot_statistics

_HOMES = {
    "drift": ("SimOffsets", "sim_offsets", "sim_report"),
    "filters": ("running_median",),
    "interpolation": ("interpolate", "interpolate_attitudes"),
    "interval": ("AspectInterval", "Centroids", "read_interval"),
    "interval_files": ("solution_files",),
    "judgement": ("Check", "Judgement", "check_slot", "judge"),
    "limits": ("LIMITS", "Limit"),
    "magnitudes": ("centroid_magnitudes", "smoothed_magnitudes"),
    "obi": ("Obi",),
    "plots": ("SLOT_PLOTS", "plot_slot", "slot_plot", "slot_plots"),
    "properties": ("SlotProperties", "StarPosition"),
    "report": ("make_report", "read_report", "report_text", "write_report"),
    "residuals": ("FidFrames", "Residuals", "angular_distance", "centroid_residuals", "fid_angles", "star_angles"),
    "slot_data": ("SlotData",),
    "statistics": ("slot_statistics",),
}
__all__ = [
    "LIMITS",
    "SLOT_PLOTS",
    "AspectInterval",
    "Centroids",
    "Check",
    "FidFrames",
    "Judgement",
    "Limit",
    "Obi",
    "Residuals",
    "SimOffsets",
    "SlotData",
    "SlotProperties",
    "StarPosition",
    "angular_distance",
    "centroid_magnitudes",
    "centroid_residuals",
    "check_slot",
    "fid_angles",
    "interpolate",
    "interpolate_attitudes",
    "judge",
    "make_report",
    "plot_slot",
    "read_interval",
    "read_report",
    "report_text",
    "running_median",
    "sim_offsets",
    "sim_report",
    "slot_plot",
    "slot_plots",
    "slot_statistics",
    "smoothed_magnitudes",
    "solution_files",
    "star_angles",
    "write_report",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
