"""``mica.archive.aca_dark.dark_cal``: dark calibrations by date. See `aca_core.dark_cal`."""

from __future__ import annotations

from aca_core.dark_cal.functions import (
    dark_id_to_date,
    dark_temp_scale,
    date_to_dark_id,
    get_dark_cal_dirs,
    get_dark_cal_id,
    get_dark_cal_ids,
    get_dark_cal_image,
    get_dark_cal_props,
    get_dark_cal_props_table,
    temp_scalefac,
)

__all__ = [
    "dark_id_to_date",
    "dark_temp_scale",
    "date_to_dark_id",
    "get_dark_cal_dirs",
    "get_dark_cal_id",
    "get_dark_cal_ids",
    "get_dark_cal_image",
    "get_dark_cal_props",
    "get_dark_cal_props_table",
    "temp_scalefac",
]
