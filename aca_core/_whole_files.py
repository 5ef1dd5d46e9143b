"""How a result is written to a file that somebody named: whole, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Let a block write a file beside another, which it then replaces; where the block fails, nothing is changed.

    Parameters
    ----------
    path : Path
        The file to be written, or replaced.

    Yields
    ------
    Path
        Where to write. The name ends as that of `path` does, since many a library reads a format from it.

    Raises
    ------
    OSError
        It cannot be written; the error names `path`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(path) as part:
    ...     _ = part.write_text("whole")
    >>> path.read_text()
    'whole'
    """
    part = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
