# says: cannot be imported|no_such_library|reinstall it with what it needs
import no_such_library  # noqa: F401
