# says: implements no hook|mark its aca_archive_products|@aca_core.hookimpl
def aca_archive_products():
    return []
