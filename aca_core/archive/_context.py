"""The archive that a block of code has chosen to be the current one."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, Final, TypeVar

__all__ = ["CHOSEN", "using"]

A = TypeVar("A")

CHOSEN: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("aca_core_archive", default=None)
"""The archive of the innermost `using` block; None outside of any."""


@contextlib.contextmanager
def using(archive: A) -> Iterator[A]:
    """Let module-level functions answer from an archive for a block.

    Parameters
    ----------
    archive : Archive
        From `open_archive`.

    Yields
    ------
    Archive
        The same.
    """
    token = CHOSEN.set(archive)
    try:
        yield archive
    finally:
        CHOSEN.reset(token)
