# status: conflict
# says: 'asp1' belongs to aca-core:asp1|[plugins.prefer] asp1 = "aca-broken"
from aca_plugins.asp1 import ASP1

from aca_core import hookimpl


@hookimpl
def aca_archive_products():
    return [ASP1]
