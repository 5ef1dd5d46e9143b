# says: aca_archive_products returned 'sim1' (type str)|a list of ArchiveProduct
from aca_core import hookimpl


@hookimpl
def aca_archive_products():
    return "sim1"
