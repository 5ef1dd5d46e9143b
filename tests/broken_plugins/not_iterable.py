# says: aca_archive_products returned ArchiveProduct(name='lonely'|(type ArchiveProduct)|a list of ArchiveProduct
from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl


@hookimpl
def aca_archive_products():
    return ArchiveProduct(
        name="lonely",
        version=Version(glob="*", pattern=r"N(\d{3})_"),
        columns=FitsColumns("tstart", "tstop", "revision"),
    )
