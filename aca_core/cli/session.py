"""What one run of the command line shares: the configuration and the registry, made when first asked for."""

from __future__ import annotations

import contextlib
import functools
import logging
import re
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

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
    stamped : bool
        Whether lines on standard error begin with the time, as a log wants them.
    """

    def __init__(self) -> None:
        self.config_file: str | None = None
        self.traceback = False
        self.plugin = ""
        self.stamped = False

    @functools.cached_property
    def config(self) -> Config:
        """The configuration in force."""
        from aca_core.config_layers import load_config
        from aca_core.errors import ConfigError

        try:
            return load_config(self.config_file)
        except ConfigError as error:
            # Here it can only have come from the option.
            named = {"--config or argument": "--config"}
            problems = [each._replace(source=named.get(each.source, each.source)) for each in error.problems]
            raise ConfigError(problems) from error

    @functools.cached_property
    def registry(self) -> Registry:
        """The plugins of that configuration."""
        from aca_core.registry import Registry

        return Registry(self.config)

    @functools.cached_property
    def archive(self) -> Archive:
        """The archive of that configuration."""
        from aca_core.archive import open_archive

        if not self.config.root and self.config.file is None:
            from aca_core.config_check import places_of_files
            from aca_core.errors import ConfigError, ConfigProblem

            found = f"no configuration file was found, neither {places_of_files()}"
            hint = "name one with --config or ACA_CONFIG, start one with 'aca config init' and set root = \"…\" there"
            text = f"no archive root, since {found}; {hint}, or set ACA_DATA"
            raise ConfigError([ConfigProblem("configuration", "root", text)])
        return open_archive(config=self.config)

    @functools.cached_property
    def lenient_registry(self) -> Registry:
        """The same without strictness, for commands that show what is wrong."""
        import attrs

        from aca_core.registry import Registry

        return Registry(attrs.evolve(self.config, plugins=attrs.evolve(self.config.plugins, strict=False)))

    def say(self, text: str) -> None:
        """Write a line on standard error, for whoever waits or reads the log.

        Parameters
        ----------
        text : str
            Without the name of the program.
        """
        stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC ", time.gmtime()) if self.stamped else ""
        click.echo(f"{stamp}aca: {text}", err=True)

    @contextlib.contextmanager
    def logging_to_stderr(self) -> Iterator[None]:
        """Show the package's warnings as lines on standard error while the command runs."""
        logger = logging.getLogger("aca_core")
        handler = _Lines(self)
        propagates = logger.propagate
        logger.addHandler(handler)
        logger.propagate = False  # a plugin that sets up logging must not make every line come twice
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.propagate = propagates

    @contextlib.contextmanager
    def answering(self) -> Iterator[list[str]]:
        """Let functions of ours answer by this configuration, and show what they warn of on standard error.

        Yields
        ------
        list of str
            The warnings so far, each once: a command with ``--json`` may hand them on.
        """
        from aca_core.archive.current import using_plugins

        with using_plugins(self.registry), self.warnings_to_stderr() as said:
            yield said

    @contextlib.contextmanager
    def warnings_to_stderr(self) -> Iterator[list[str]]:
        """Show what is said about results, each warning once, as lines on standard error.

        Yields
        ------
        list of str
            The warnings so far.
        """
        from aca_core.errors import AcaWarning

        said: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("always", AcaWarning)
            others = warnings.showwarning

            def show(
                message: Warning | str,
                category: type[Warning],
                filename: str,
                lineno: int,
                file: TextIO | None = None,
                line: str | None = None,
            ) -> None:
                # They begin with the name of a function, which who types a command has not called.
                text = re.sub(r"^[a-z]+(_[a-z]+)+: ", "", " ".join(str(message).split()))
                if not issubclass(category, AcaWarning):
                    others(message, category, filename, lineno, file, line)
                elif text not in said:
                    said.append(text)
                    self.say(f"warning: {text}")

            warnings.showwarning = show
            yield said

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

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def emit(self, record: logging.LogRecord) -> None:
        self.session.say(f"{record.levelname.lower()}: {record.getMessage()}")
