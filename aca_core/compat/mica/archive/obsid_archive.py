"""``mica.archive.obsid_archive``: archives of products by obsid, and the parser of observation parameters.

``get_obspar`` and ``parse_obspar`` are two names of `aca_plugins.obspar.read_obspar`: both take a file and return a
dictionary of its parameters with ``num_ccd_on``.
"""

from __future__ import annotations

from aca_plugins.obspar import read_obspar as get_obspar
from aca_plugins.obspar import read_obspar as parse_obspar

from aca_core.archive import ObsArchive
from aca_core.errors import ProductVersionError

__all__ = ["ObsArchive", "ProductVersionError", "get_obspar", "parse_obspar"]
