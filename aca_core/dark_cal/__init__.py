"""Dark calibrations by date: which one holds, its map at a temperature, its properties, and tables of them.

::

    from aca_core.dark_cal import get_dark_cal_image, get_dark_cal_props_table

    image = get_dark_cal_image("2021:100", t_ccd_ref=-11.0, aca_image=True)  # e-/s
    properties = get_dark_cal_props_table("2007:001", "2008:001")

The functions answer from the dark source of the configuration, from another one that ``source=`` names, or from a
folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.dark_cal.calibrations import DarkCalibrations
    from aca_core.dark_cal.export import is_synthetic, write_dark_map
    from aca_core.dark_cal.functions import (
        dark_id_to_date,
        dark_temp_scale,
        dark_temp_scale_img,
        date_to_dark_id,
        get_dark_cal_dirs,
        get_dark_cal_id,
        get_dark_cal_ids,
        get_dark_cal_image,
        get_dark_cal_props,
        get_dark_cal_props_table,
        temp_scalefac,
    )
    from aca_core.dark_cal.history import warm_fraction_history
    from aca_core.dark_cal.plots import plot_dark_map, plot_warm_fraction_history
    from aca_core.dark_cal.selection import SELECTIONS, choose_dark_id

_HOMES = {
    "calibrations": ("DarkCalibrations",),
    "export": ("is_synthetic", "write_dark_map"),
    "functions": (
        "dark_id_to_date",
        "dark_temp_scale",
        "dark_temp_scale_img",
        "date_to_dark_id",
        "get_dark_cal_dirs",
        "get_dark_cal_id",
        "get_dark_cal_ids",
        "get_dark_cal_image",
        "get_dark_cal_props",
        "get_dark_cal_props_table",
        "temp_scalefac",
    ),
    "history": ("warm_fraction_history",),
    "plots": ("plot_dark_map", "plot_warm_fraction_history"),
    "selection": ("SELECTIONS", "choose_dark_id"),
}
__all__ = [
    "SELECTIONS",
    "DarkCalibrations",
    "choose_dark_id",
    "dark_id_to_date",
    "dark_temp_scale",
    "dark_temp_scale_img",
    "date_to_dark_id",
    "get_dark_cal_dirs",
    "get_dark_cal_id",
    "get_dark_cal_ids",
    "get_dark_cal_image",
    "get_dark_cal_props",
    "get_dark_cal_props_table",
    "is_synthetic",
    "plot_dark_map",
    "plot_warm_fraction_history",
    "temp_scalefac",
    "warm_fraction_history",
    "write_dark_map",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
