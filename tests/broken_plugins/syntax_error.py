# says: SyntaxError
def aca_archive_products(:
