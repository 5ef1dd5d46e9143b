# says: plugin aca-broken:me: I give up
from aca_core import PluginError

raise PluginError("aca-broken:me", "I give up")
