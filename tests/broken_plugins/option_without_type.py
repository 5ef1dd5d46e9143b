# says: Untyped: annotation of width|a type, as in
import attrs

from aca_core import DatedTree, hookimpl, site_option


@attrs.frozen(kw_only=True, these={"width": site_option(1, help="pixels")})
class Untyped(DatedTree):
    pass


@hookimpl
def aca_dark_sources():
    return [Untyped(name="untyped", root="maps", image_file="map.fits")]
