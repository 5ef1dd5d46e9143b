"""``mica.archive.aca_dark.update_aca_dark``: the processing of new calibrations. See `aca_core.dark_processing`."""

from __future__ import annotations

from aca_core.dark_processing.ids import get_dark_cal_id
from aca_core.dark_processing.temperatures import get_ccd_temp

__all__ = ["get_ccd_temp", "get_dark_cal_id"]
