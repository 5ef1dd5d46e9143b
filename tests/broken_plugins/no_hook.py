# says: implements no hook|aca_dark_sources
VALUE = 1
