"""``mica.archive.aca_dark``: dark calibrations, the dark-current model, and the processing of new calibrations.

The names of ``dark_cal`` are those of the package, too. Of the two functions that are called ``temp_scalefac``, this is
the one from a temperature to a reference; that of ``dark_model`` goes from -19 degC to a temperature.
"""

from __future__ import annotations

from aca_core.compat.mica.archive.aca_dark.dark_cal import (
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
