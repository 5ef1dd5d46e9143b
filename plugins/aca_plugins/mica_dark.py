"""The dark source ``mica``: processed calibrations, one folder each with the map and its properties."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from aca_core import DarkSource, DatedTree, hookimpl

__all__ = ["MICA"]

MICA = DatedTree(
    name="mica",
    label="dark calibrations with their properties",
    root=Path("aca_dark"),
    image_file="image.fits",
    properties_file="properties.json",
)


@hookimpl
def aca_dark_sources() -> Iterable[DarkSource]:
    """Return the one source of this plugin."""
    return [MICA]
