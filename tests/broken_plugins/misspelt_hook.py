# says: no hook 'aca_archive_product'|Did you mean 'aca_archive_products'
from aca_core import hookimpl


@hookimpl
def aca_archive_product():
    return []
