"""``mica.archive.aca_l0``: level-0 telemetry. See `aca_core.aca_l0`.

``MSID`` and ``MSIDset`` of that module are not here: they took any column of 8x8 images, which `get_slot_data` gives.
"""

from __future__ import annotations

from typing import Final

from aca_core.aca_l0.all_slots import get_aca_images
from aca_core.aca_l0.files import get_files
from aca_core.aca_l0.images import get_l0_images
from aca_core.aca_l0.slot_data import ACA_DTYPE, get_slot_data
from aca_core.aca_l0.status import STATUS_FIELDS
from aca_core.errors import MissingDataError

__all__ = [
    "ACA_DTYPE",
    "ACA_DTYPE_NAMES",
    "GLBSTAT_NAMES",
    "IMGSTAT_NAMES",
    "ACA_DTYPE_8x8",
    "MissingDataError",
    "get_aca_images",
    "get_files",
    "get_l0_images",
    "get_slot_data",
]

ACA_DTYPE_8x8: Final = tuple((each[0], each[1], (8, 8)) if each[0] == "IMGRAW" else each for each in ACA_DTYPE)
"""The fields of records with images in the middle of 8x8 pixels."""

ACA_DTYPE_NAMES: Final = tuple(each[0] for each in ACA_DTYPE)
"""The names of the fields."""

GLBSTAT_NAMES: Final = tuple(STATUS_FIELDS["GLBSTAT"])
IMGSTAT_NAMES: Final = tuple(STATUS_FIELDS["IMGSTAT"])
