# value: aca_absent.plugin
# says: cannot be imported|aca_absent|names a module that is not there
# A distribution whose module is not there: a half-finished upgrade. This file is not installed.
