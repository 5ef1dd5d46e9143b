"""What one run of the command line shares: the configuration and the registry, made when first asked for."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aca_core.archive import Archive
    from aca_core.config import Config
    from aca_core.registry import Registry

__all__ = ["Session"]


class Session:
    """The state of one run of ``aca``.

    Attributes
    ----------
    config_file : str or None
        What ``--config`` said.
    traceback : bool
        Whether errors are shown in full.
    plugin : str
        The plugin whose command runs; empty for a command of ours.
    """

    def __init__(self) -> None:
        self.config_file: str | None = None
        self.traceback = False
        self.plugin = ""

    @functools.cached_property
    def config(self) -> Config:
        """The configuration in force."""
        from aca_core.config_layers import load_config

        return load_config(self.config_file)

    @functools.cached_property
    def registry(self) -> Registry:
        """The plugins of that configuration."""
        from aca_core.registry import Registry

        return Registry(self.config)

    @functools.cached_property
    def archive(self) -> Archive:
        """The archive of that configuration."""
        from aca_core.archive import open_archive

        return open_archive(config=self.config)

    @functools.cached_property
    def lenient_registry(self) -> Registry:
        """The same without strictness, for commands that show what is wrong."""
        import attrs

        from aca_core.registry import Registry

        return Registry(attrs.evolve(self.config, plugins=attrs.evolve(self.config.plugins, strict=False)))

    @contextlib.contextmanager
    def logging_to_stderr(self) -> Iterator[None]:
        """Show the package's warnings as lines on standard error while the command runs."""
        logger = logging.getLogger("aca_core")
        handler = _Lines()
        propagates = logger.propagate
        logger.addHandler(handler)
        logger.propagate = False  # a plugin that sets up logging must not make every line come twice
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagates

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Leave out warnings that the command itself is about to show."""
        logger = logging.getLogger("aca_core")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


class _Lines(logging.Handler):
    """Writes each record as one line of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(f"aca: {record.levelname.lower()}: {record.getMessage()}", err=True)
