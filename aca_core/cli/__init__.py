"""The command ``aca``: a group whose commands are imported when they run, and the boundary where errors end.

Exit codes: 0 done; 1 an error that the message explains; 2 wrong usage; 3 done, and something needs attention; 70 a
fault in the program; 130 interrupted; 141 whoever read the output went away.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click

from aca_core.cli.session import Session

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from aca_core._discovery import FoundEntryPoint

__all__ = ["ATTENTION", "ERROR", "FAULT", "INTERRUPTED", "READER_GONE", "USAGE", "aca", "line_of", "main", "run"]

ERROR: Final = 1
USAGE: Final = 2
ATTENTION: Final = 3
FAULT: Final = 70
INTERRUPTED: Final = 130
READER_GONE: Final = 141
"""What a shell gives for a program that the signal of a broken pipe has ended."""

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "adopt": ("aca_core.cli.adopt:adopt", "Look at an existing archive, and say what is wrong with it."),
    "config": ("aca_core.cli.config:config", "Show, check and start the configuration."),
    "dark": ("aca_core.cli.dark:dark", "Ask for dark-current calibrations; make, draw and simulate them."),
    "demo": ("aca_core.cli.demo:demo", "Fill an archive with synthetic observations, and ask it."),
    "dirs": ("aca_core.cli.dirs:dirs", "Show where the versions of an observation lie."),
    "explain": ("aca_core.cli.explain:explain", "Say why an observation is archived as it is."),
    "files": ("aca_core.cli.files:files", "Show the files of an observation, or of a range of time."),
    "hdr3": ("aca_core.cli.hdr3:hdr3", "Ask for header 3 of telemetry: temperatures, voltages."),
    "l0": ("aca_core.cli.l0:l0", "Ask for level-0 telemetry: files, rows of a slot, images."),
    "plugins": ("aca_core.cli.plugins:plugins", "Show what is installed and what became of it."),
    "prob": ("aca_core.cli.prob:prob", "Ask how likely stars are acquired and tracked."),
    "products": ("aca_core.cli.products:products", "Show what can be archived, and how much of it is."),
    "simulate": ("aca_core.cli.simulate:simulate", "Write a delivery of synthetic observations."),
    "status": ("aca_core.cli.status:status", "Show what is archived, what is to come, and what failed."),
    "update": ("aca_core.cli.update:update", "Bring the archive up to date."),
    "verify": ("aca_core.cli.verify:verify", "Look for what is wrong with the archive, and repair it."),
}
"""Our own commands: where each is defined, and its line in the help."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return our commands and those of installed plugins."""
        return sorted({*COMMANDS, *self._of_plugins(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is no such command."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(import_module(module), attribute)
            return command
        found = self._of_plugins(ctx).get(cmd_name)
        return _load_command(found, ctx) if found else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a call; for an unknown one tell the nearest, which click knows of loaded ones only."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            from aca_core.errors import did_you_mean

            raise click.UsageError(f"No such command {args[0]!r}.{did_you_mean(args[0], known)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where whoever read the output has gone away, as ``head`` does, there is nothing to say."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            if _silence_broken():
                return READER_GONE
            from aca_core.errors import AcaError

            raise AcaError(line_of(error)) from error  # it was another pipe: click would be silent about it

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Propose commands by name, without importing any."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name) for name in names] + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        rows = [(name, line) for name, (_, line) in COMMANDS.items()]
        rows += [(name, _line_of(found)) for name, found in self._of_plugins(ctx).items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))

    def _of_plugins(self, ctx: click.Context) -> dict[str, list[FoundEntryPoint]]:
        """Return the commands that distributions declare, by name; ours cannot be replaced."""
        return {name: found for name, found in commands_of_plugins().items() if name not in COMMANDS}


def _silence_broken() -> bool:
    """Lead the streams that nobody reads any more to nowhere, so that Python does not complain; say whether one is."""
    import select

    found = False
    for stream in (sys.stdout, sys.stderr):
        try:
            number = stream.fileno()
            watch = select.poll()
            watch.register(number, select.POLLERR)
            is_broken = any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0))
        except (AttributeError, OSError, ValueError):  # closed, or of a test
            continue
        if is_broken:
            found = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
    return found


def commands_of_plugins() -> dict[str, list[FoundEntryPoint]]:
    """Return every command that an installed distribution declares, by name, without importing any."""
    from aca_core._discovery import COMMAND_GROUP, find_entry_points

    commands: dict[str, list[FoundEntryPoint]] = {}
    for each in find_entry_points(COMMAND_GROUP):
        if each.name:
            commands.setdefault(each.name, []).append(each)
    return commands


def _line_of(found: list[FoundEntryPoint]) -> str:
    return f"From {' and '.join(f'{each.distribution} {each.version}' for each in found)}."


def _load_command(found: list[FoundEntryPoint], ctx: click.Context) -> click.Command:
    """Import a plugin's command; whatever goes wrong there is the plugin's fault and said so."""
    from aca_core._discovery import canonical_id
    from aca_core.errors import PluginError

    # Commands are found before the group's own options are taken in: the file is still among its parameters.
    session: Session = ctx.find_object(Session) or Session()
    session.config_file, session.traceback = ctx.params.get("config_file"), bool(ctx.params.get("traceback"))
    disabled = {canonical_id(name) for name in session.config.plugins.disable}
    enabled = [each for each in found if not {each.id, each.name} & disabled]
    first = (enabled or found)[0]
    plugin = f"{first.id} {first.version}"
    if not enabled:
        raise PluginError(plugin, f"the command {first.name!r} is disabled by the configuration")
    if len(enabled) > 1:
        others = ", ".join(each.id for each in enabled[1:])
        raise PluginError(plugin, f"the command {first.name!r} is also declared by {others}; disable one of them")
    try:
        command = first.load()
    except (Exception, SystemExit) as error:
        reason = f"its command {first.name!r} cannot be loaded: {type(error).__name__}: {error}"
        raise PluginError(plugin, reason) from error
    session.plugin = plugin
    if not isinstance(command, click.Command):
        reason = f"its command {first.name!r} is a {type(command).__name__}; expected a click command ({first.value})"
        raise PluginError(plugin, reason)
    return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 error, 2 wrong usage, 3 done but something needs attention, 70 fault in the program, "
    "130 interrupted, 141 whoever read the output went away.",
)
@click.option("--config", "config_file", metavar="FILE", help="Configuration file to use instead of the usual ones.")
@click.option("--traceback", is_flag=True, help="Show where an error came from, in full.")
@click.version_option(package_name="aca-core", prog_name="aca")
@click.pass_obj
def aca(session: Session, config_file: str | None, traceback: bool) -> None:
    """Work with the archives of Chandra's aspect camera."""
    if config_file is not None and not config_file.strip():
        raise click.UsageError("--config is empty; name a file, or leave the option out")
    session.config_file = config_file
    session.traceback = traceback


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    Every error ends here as one line on standard error; ``--traceback`` shows the whole of it.

    Parameters
    ----------
    arguments : sequence of str
        The words after ``aca``.

    Returns
    -------
    int
        See the module.
    """
    session = Session()
    try:
        with session.logging_to_stderr():
            # Not standalone: click would print errors of its own and leave the others to Python.
            result: Any = aca.main(args=list(arguments), prog_name="aca", standalone_mode=False, obj=session)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("aca: interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        return _tell(error, session)
    return result if isinstance(result, int) and 0 <= result <= 255 else 0


def _tell(error: Exception, session: Session) -> int:
    """Write an error as one line and return the exit code."""
    from aca_core.errors import AcaError

    if session.traceback:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    text = line_of(error)
    if isinstance(error, AcaError | OSError):
        click.echo(f"aca: {text}", err=True)
        return ERROR
    whose = f"in the command of {session.plugin}" if session.plugin else "in the program"
    hint = "" if session.traceback else "; 'aca --traceback …' shows where, please report it"
    click.echo(f"aca: fault {whose}: {type(error).__name__}: {text}{hint}", err=True)
    return FAULT


def line_of(error: Exception) -> str:
    """Return an error in one line; one of the operating system with the file that it is about."""
    text = " ".join(str(error).split())
    if not isinstance(error, OSError):
        return text
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error.strerror or text


def main() -> None:
    """Run the command line of this process and end it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign is no reason to fail
    sys.exit(run(sys.argv[1:]))
