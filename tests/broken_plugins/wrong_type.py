# says: aca_dark_sources returned ArchiveProduct(name='confused'|element 0|instances of DarkSource
from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl


@hookimpl
def aca_dark_sources():
    return [
        ArchiveProduct(
            name="confused",
            version=Version(glob="*", pattern=r"N(\d{3})_"),
            columns=FitsColumns("tstart", "tstop", "revision"),
        )
    ]
