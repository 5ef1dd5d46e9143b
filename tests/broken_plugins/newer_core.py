# requires: aca-core>=99
# status: incompatible
# says: aca-core>=99|is installed|upgrade one of them
raise AssertionError("a plugin that needs another core is not even imported")
