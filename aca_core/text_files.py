"""Text files from outside: plain or gzipped whatever their names say, and never larger than one allows."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Final

from aca_core.errors import IntegrityError

__all__ = ["MAX_BYTES", "read_text_file"]

MAX_BYTES: Final = 16 * 1024**2
"""How large a text file may be unless the caller says otherwise; observation parameters have some 20 kB."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_log = logging.getLogger("aca_core")


def read_text_file(path: str | Path, max_bytes: int = MAX_BYTES, *, whole: bool = True) -> str:
    """Read a text file that may be gzipped, as UTF-8.

    Bytes that are not UTF-8 become U+FFFD, and the log ``aca_core`` gets a warning that names the file.

    Parameters
    ----------
    path : path-like
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    max_bytes : int, optional
        The most bytes that the file, and its content once decompressed, may have.
    whole : bool, default True
        If False, a longer file is no error: its first `max_bytes` are returned, and the rest is not looked at.

    Returns
    -------
    str
        The text.

    Raises
    ------
    IntegrityError
        If the file is too large or its compression is damaged.
    OSError
        If the file cannot be opened or read.

    Examples
    --------
    >>> import gzip, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "table.txt")
    ...     _ = path.write_bytes(gzip.compress(b"# CONTENT: SIMCOOR"))
    ...     read_text_file(path)
    '# CONTENT: SIMCOOR'
    """
    with Path(path).open("rb") as stream:
        start = stream.read(max_bytes + 1)
        if start.startswith(_GZIP_MAGIC):
            compressed: io.BufferedIOBase = io.BytesIO(start) if whole else stream
            compressed.seek(0)
            # A compressed file that is too large itself is refused below, without being unpacked.
            data = start if whole and len(start) > max_bytes else _decompressed(compressed, max_bytes + whole, path)
        else:
            data = start
    if whole and len(data) > max_bytes:
        raise IntegrityError(path, f"holds more than {max_bytes} bytes; expected a text file of at most that size")
    return _decoded(data[:max_bytes], path)


def _decompressed(stream: io.BufferedIOBase, limit: int, path: str | Path) -> bytes:
    """Return up to `limit` bytes of the content of gzip members."""
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=stream) as members:
            return members.read(limit)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        problem = f"its gzip compression is damaged or followed by other bytes ({error}); fetch it again"
        raise IntegrityError(path, problem) from error


def _decoded(data: bytes, path: str | Path) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _log.warning("%s: line %d has bytes that are not UTF-8; such bytes were replaced", path, line)
        return data.decode(errors="replace")
