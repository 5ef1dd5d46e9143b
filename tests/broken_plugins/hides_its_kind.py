# says: aca_dark_sources|Disguised|noun or section of its own
import attrs

from aca_core import DatedTree, hookimpl


@attrs.frozen(kw_only=True)
class Disguised(DatedTree):
    @property
    def noun(self):
        return "archive product"


@hookimpl
def aca_dark_sources():
    return [Disguised(name="asp1", root="maps", image_file="map.fits")]
