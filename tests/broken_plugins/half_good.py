# says: aca_dark_sources raised ValueError: no maps today
# Its product is perfect, and must not stay behind when its dark source fails.
from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl


@hookimpl
def aca_archive_products():
    return [
        ArchiveProduct(
            name="half-good",
            version=Version(glob="*", pattern=r"N(\d{3})_"),
            columns=FitsColumns("tstart", "tstop", "revision"),
        )
    ]


@hookimpl
def aca_dark_sources():
    raise ValueError("no maps today")


@hookimpl
def aca_committed(change):
    raise AssertionError("a plugin that failed hears of no change")
