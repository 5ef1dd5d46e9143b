# says: DatedTree|'Night Maps'|lower-case letters and digits
from pathlib import Path

from aca_core import DatedTree, hookimpl


@hookimpl
def aca_dark_sources():
    return [DatedTree(name="Night Maps", root=Path("dark"), image_file="map.fits")]
