"""``aca plugins``: what is installed, what became of it, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.output import write_json, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.registry import PluginInfo

__all__ = ["plugins"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.option("--traceback", "name", metavar="NAME", help="Show where one plugin failed, in full.")
@click.pass_obj
def plugins(session: Session, as_json: bool, name: str | None) -> int:
    """Show the installed plugins, what they offer, and why some are not in use.

    A plugin is named distribution:name, or by its name alone where only one has it. In strict mode the exit code is 1
    when one has failed.

    \b
    Examples:
      aca plugins
      aca plugins --json
      aca plugins --traceback aca-sim:sim1
    """
    # In strict mode too all of them are listed: that is how one finds out which one failed.
    registry = session.lenient_registry
    with session.quietly():
        infos = registry.plugins
    if name is not None:
        info = registry.plugin(name)
        click.echo(info.traceback or f"{info} raised nothing: {info.status}{f', {info.reason}' if info.reason else ''}")
    elif as_json:
        write_json({**_as_data(infos), "commands": _commands(session)})
    else:
        _write(infos)
        for command in _commands(session):
            click.echo(f"{command['id']} {command['version']}: command 'aca {command['name']}', {command['status']}")
    failed = any(info.status != "loaded" and not info.by_choice for info in infos)
    return 1 if failed and session.config.plugins.strict else 0


def _as_data(infos: tuple[PluginInfo, ...]) -> dict[str, Any]:
    import attrs

    import aca_core

    rows = [{"id": info.id, **attrs.asdict(info)} for info in infos]
    return {"core": aca_core.__version__, "api_version": aca_core.API_VERSION, "plugins": rows}


def _commands(session: Session) -> list[dict[str, str]]:
    """Return the commands of plugins and what becomes of each."""
    from aca_core._discovery import canonical_id
    from aca_core.cli import COMMANDS, commands_of_plugins

    disabled = {canonical_id(name) for name in session.config.plugins.disable}
    rows = []
    for name, found in commands_of_plugins().items():
        enabled = [each for each in found if not {each.id, each.name} & disabled]
        for each in found:
            status = "in use" if each in enabled else "disabled"
            if name in COMMANDS:
                status = "not in use: the name is one of aca's own"
            elif each in enabled and len(enabled) > 1:
                status = "not in use: several distributions declare it"
            rows.append({"id": each.id, "name": name, "version": each.version, "status": status})
    return rows


def _write(infos: tuple[PluginInfo, ...]) -> None:
    if not infos:
        click.echo("No plugin is installed, not even our own; reinstall aca-core.")
        return
    write_table(
        ("plugin", "version", "status", "offers", "ms"),
        [
            (info.id, info.version, info.status, ", ".join(info.offers), f"{info.load_ms:.1f}" if info.load_ms else "")
            for info in infos
        ],
        right=("ms",),
    )
    for info in infos:
        if info.reason:
            click.echo(f"{info.id}: {info.reason}")
        if info.traceback:
            click.echo(f"  aca plugins --traceback {info.id} shows where")
