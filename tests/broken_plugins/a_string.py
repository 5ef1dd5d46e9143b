# says: aca_archive_products returned a str ('sim1')|a list of ArchiveProduct
from aca_core import hookimpl


@hookimpl
def aca_archive_products():
    return "sim1"
