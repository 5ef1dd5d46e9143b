# says: Stop: out of here
class Stop(BaseException):
    pass


raise Stop("out of here")
