# value: aca_absent.plugin
# says: cannot be imported|aca_absent|reinstall
# A distribution whose module is not there: a half-finished upgrade. This file is not installed.
