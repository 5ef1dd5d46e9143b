# says: cannot import name 'hookimp' from 'aca_core'|there is no such public name|Did you mean 'hookimpl'
from aca_core import hookimp  # noqa: F401
