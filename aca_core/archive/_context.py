"""The archive, or the plugins alone, that a block of code has chosen to be the current ones."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any, Final, TypeVar

__all__ = ["CHOSEN", "PLUGINS", "using", "using_plugins"]

A = TypeVar("A")

CHOSEN: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("aca_core_archive", default=None)
"""The archive of the innermost `using` block; None outside of any."""

PLUGINS: Final[contextvars.ContextVar[Any]] = contextvars.ContextVar("aca_core_plugins", default=None)
"""A function that gives the registry of the innermost block of either kind; None outside of any."""


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
    token, plugins = CHOSEN.set(archive), PLUGINS.set(lambda: archive.registry)  # type: ignore[attr-defined]  # it has
    try:
        yield archive
    finally:
        PLUGINS.reset(plugins)
        CHOSEN.reset(token)


@contextlib.contextmanager
def using_plugins(registry: A) -> Iterator[A]:
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
    token = PLUGINS.set(lambda: registry)
    try:
        yield registry
    finally:
        PLUGINS.reset(token)
