# says: aca_dark_sources offers dark source 'twin' twice
from pathlib import Path

from aca_core import DatedTree, hookimpl


@hookimpl
def aca_dark_sources():
    return [DatedTree(name="twin", root=Path(where), image_file="map.fits") for where in ("a", "b")]
