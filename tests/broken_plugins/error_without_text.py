# says: Unspeakable
class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


raise Unspeakable
