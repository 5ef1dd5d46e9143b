"""Diagnostics of the aspect camera that header 3 of its telemetry carries: temperatures, voltages, counters, status.

::

    from aca_core.aca_hdr3 import MSID, MSIDset

    ccd_temp = MSID("ccd_temp", "2012:001", "2012:020")
    ccd_temp.vals  # a masked array, degC
    perigee = MSIDset(["ccd_temp", "aca_temp", "dac"], "2012:001", "2012:030")  # on one time base
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.aca_hdr3.decoding import bit_words, split_bits, thermistor_table
    from aca_core.aca_hdr3.item_table import CCD_TEMP_FINE, HDR3_ITEMS, hdr3_item
    from aca_core.aca_hdr3.items import BitField, Hdr3Item
    from aca_core.aca_hdr3.msids import MSID, Msid, MSIDset

_HOMES = {
    "decoding": ("bit_words", "split_bits", "thermistor_table"),
    "item_table": ("CCD_TEMP_FINE", "HDR3_ITEMS", "hdr3_item"),
    "items": ("BitField", "Hdr3Item"),
    "msids": ("MSID", "MSIDset", "Msid"),
}
__all__ = [
    "CCD_TEMP_FINE",
    "HDR3_ITEMS",
    "MSID",
    "BitField",
    "Hdr3Item",
    "MSIDset",
    "Msid",
    "bit_words",
    "hdr3_item",
    "split_bits",
    "thermistor_table",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
