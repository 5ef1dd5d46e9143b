"""``mica.archive.aca_hdr3``: header-3 telemetry. See `aca_core.aca_hdr3`.

``MissingData``, which an unknown name raised, is our `UnknownNameError`.
"""

from __future__ import annotations

from aca_core.aca_hdr3.msids import MSID, Msid, MSIDset
from aca_core.errors import UnknownNameError as MissingData

__all__ = ["MSID", "MSIDset", "MissingData", "Msid"]
