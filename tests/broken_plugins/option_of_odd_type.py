# says: Odd: annotation of width|complex|str, int, float, bool, Path
import attrs

from aca_core import DatedTree, hookimpl, site_option


@attrs.frozen(kw_only=True)
class Odd(DatedTree):
    width: complex = site_option(1j, help="pixels")


@hookimpl
def aca_dark_sources():
    return [Odd(name="odd", root="maps", image_file="map.fits")]
