# says: aca_dark_sources raised KeyError: 'root' (aca_broken_raises_while_iterated.py, line
from aca_core import hookimpl


@hookimpl
def aca_dark_sources():
    yield {}["root"]
