# says: aca_archive_products raised TypeError|unexpected keyword argument 'lable'|Did you mean 'label'
from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl


@hookimpl
def aca_archive_products():
    return [
        ArchiveProduct(
            name="typo",
            lable="with a typo",
            version=Version(glob="*", pattern=r"N(\d{3})_"),
            columns=FitsColumns("tstart", "tstop", "revision"),
        )
    ]
