"""``mica.archive.obspar``: the observation parameters. See `aca_plugins.obspar`."""

from __future__ import annotations

from aca_plugins.obspar import get_dir, get_files, get_obs_dirs, get_obsids, get_obspar, get_obspar_file

__all__ = ["get_dir", "get_files", "get_obs_dirs", "get_obsids", "get_obspar", "get_obspar_file"]
