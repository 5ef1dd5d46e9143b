# says: aca_dark_sources raised ZeroDivisionError: division by zero
from aca_core import hookimpl


@hookimpl
def aca_dark_sources():
    return [1 / 0]
