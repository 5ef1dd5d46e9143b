# says: UnicodeDecodeError: 'utf-8' codec can't decode
import json

json.loads(b"\xff\xfe\xff".decode("utf-8"))
