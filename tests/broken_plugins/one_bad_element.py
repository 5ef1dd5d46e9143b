# says: aca_dark_sources returned 42 (type int)|element 1|instances of DarkSource
from pathlib import Path

from aca_core import DatedTree, hookimpl


@hookimpl
def aca_dark_sources():
    return [DatedTree(name="good-one", root=Path("dark"), image_file="map.fits"), 42]
