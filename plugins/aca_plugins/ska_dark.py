"""The dark source ``ska``: calibrations as they come from ground processing, maps without properties."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aca_core import DarkSource, DatedTree, hookimpl

__all__ = ["SKA"]

SKA = DatedTree(
    name="ska",
    label="dark calibrations of the Ska tree, without properties",
    root=Path("{ska}/data/aca_dark_cal"),
    image_file="imd.fits",
)


@hookimpl
def aca_dark_sources() -> Iterable[DarkSource]:
    """Return the one source of this plugin."""
    return [SKA]
