# says: sys.exit(3)|must not end the program
import sys

sys.exit(3)
