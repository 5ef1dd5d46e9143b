"""Level-0 telemetry of the aspect camera: which files there are, what each slot measured, the images it saw.

::

    from aca_core.aca_l0 import get_aca_images, get_files, get_l0_images, get_slot_data

    files = get_files(start="2012:001", stop="2012:002", imgsize=8)
    data = get_slot_data("2012:001", "2012:002", slot=7, as_table=True)
    images = get_l0_images("2012:001", "2012:002", slot=7)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.aca_l0.all_slots import get_aca_images
    from aca_core.aca_l0.columns import ACA_COLUMNS, AcaColumn
    from aca_core.aca_l0.files import get_files
    from aca_core.aca_l0.images import get_l0_images
    from aca_core.aca_l0.one_slot import SlotColumns, slot_columns
    from aca_core.aca_l0.pictures import animate_images, plot_images
    from aca_core.aca_l0.slot_data import ACA_DTYPE, get_slot_data
    from aca_core.aca_l0.status import STATUS_FIELDS, StatusField, split_status

_HOMES = {
    "all_slots": ("get_aca_images",),
    "columns": ("ACA_COLUMNS", "AcaColumn"),
    "files": ("get_files",),
    "images": ("get_l0_images",),
    "one_slot": ("SlotColumns", "slot_columns"),
    "pictures": ("animate_images", "plot_images"),
    "slot_data": ("ACA_DTYPE", "get_slot_data"),
    "status": ("STATUS_FIELDS", "StatusField", "split_status"),
}
__all__ = [
    "ACA_COLUMNS",
    "ACA_DTYPE",
    "STATUS_FIELDS",
    "AcaColumn",
    "SlotColumns",
    "StatusField",
    "animate_images",
    "get_aca_images",
    "get_files",
    "get_l0_images",
    "get_slot_data",
    "plot_images",
    "slot_columns",
    "split_status",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
