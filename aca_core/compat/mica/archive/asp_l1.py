"""``mica.archive.asp_l1``: the aspect level-1 products. See `aca_plugins.asp1`."""

from __future__ import annotations

from aca_plugins.asp1 import get_atts, get_atts_from_files, get_dir, get_files, get_obs_dirs

__all__ = ["get_atts", "get_atts_from_files", "get_dir", "get_files", "get_obs_dirs"]
