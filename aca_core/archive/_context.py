"""The archive, or the plugins alone, that a block of code has chosen to be the current ones."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, Final, Protocol, TypeVar

__all__ = ["CHOSEN", "PLUGINS", "using", "using_plugins"]


class _WithPlugins(Protocol):
    """What a block needs of an archive."""

    @property
    def registry(self) -> object:
        """The plugins."""


A = TypeVar("A", bound=_WithPlugins)
R = TypeVar("R")

CHOSEN: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("aca_core_archive", default=None)
"""The archive of the innermost `using` block; None outside of any."""

PLUGINS: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("aca_core_plugins", default=None)
"""The registry of the innermost block of either kind; None outside of any."""


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
    token, plugins = CHOSEN.set(archive), PLUGINS.set(archive.registry)
    try:
        yield archive
    finally:
        PLUGINS.reset(plugins)
        CHOSEN.reset(token)


@contextlib.contextmanager
def using_plugins(registry: R) -> Iterator[R]:
    """Let functions that need plugins and no archive answer from a registry for a block.

    Parameters
    ----------
    registry : Registry
        The plugins of some configuration.

    Yields
    ------
    Registry
        The same.
    """
    token = PLUGINS.set(registry)
    try:
        yield registry
    finally:
        PLUGINS.reset(token)
