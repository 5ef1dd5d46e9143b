# says: RecursionError
def again():
    return again()


again()
