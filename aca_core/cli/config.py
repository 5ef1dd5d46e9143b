"""``aca config``: show what is in force and where it came from, check it, start a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from aca_core.cli.output import write_json
from aca_core.cli.session import Session
from aca_core.errors import AcaError, ConfigError

__all__ = ["config"]

_PATHS: Final = """\
## Relative paths: root and ska are relative to the folder of this file; paths of retrievers, catalogues, products and
## other offers are relative to the root.
"""


@click.group()
def config() -> None:
    """Show, check and start the configuration.

    One file is read: --config FILE, else the one that ACA_CONFIG names, else ./aca.toml, else the user's own. ACA_DATA
    and the other variables of ours go over it.
    """


@config.command()
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs, with origins.")
@click.pass_obj
def show(session: Session, origin: bool, as_json: bool) -> None:
    """Show the values in force.

    \b
    Examples:
      aca config show
      aca config show --origin
    """
    from aca_core.config_text import settings, shown

    if as_json:
        values = [
            {"key": ".".join((*each.table, each.key)), "value": each.value, "origin": each.origin}
            for each in settings(session.config)
        ]
        file = str(session.config.file) if session.config.file else None
        write_json({"file": file, "settings": values})
    else:
        if origin:
            from aca_core.config_check import places_of_files

            click.echo(f"# file: {session.config.file or f'none was found, neither {places_of_files()}'}")
        click.echo(shown(session.config, origin=origin), nl=False)


@config.command()
@click.argument("path", type=click.Path(path_type=Path, allow_dash=True), default="aca.toml")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
@click.pass_obj
def init(session: Session, path: Path, force: bool) -> None:
    """Write a commented starter file to PATH, aca.toml by default.

    It lists every key, and every option that the installed plugins open to sites. With - it is written to standard
    output.

    \b
    Examples:
      aca config init
      aca config init ~/.config/aca_core/aca.toml
    """
    from aca_core.config import Config
    from aca_core.config_text import starter
    from aca_core.registry import Registry

    # Not the session's: a file that is broken, or that disables plugins, must not keep anybody from a fresh start.
    text = starter(Registry(Config())).replace("\n\n", f"\n{_PATHS}\n", 1)
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise AcaError(f"{path} exists; give another path, or --force to replace it") from None
    click.echo(f"Wrote {path}. Set root there, then run 'aca config check'.")
    for line in _who_reads(path):
        click.echo(line)


def _who_reads(path: Path) -> Iterator[str]:
    """Yield what is to be said where the file that was just written is not the one that will be read."""
    from aca_core.config_layers import find_config_file

    try:
        found = find_config_file()
    except ConfigError as error:
        yield f"It is not read as it is: {error}"
        return
    if found is None:
        yield f"It is read with 'aca --config {path} …', or where ACA_CONFIG names it."
    elif not found.samefile(path):
        why = "ACA_CONFIG names" if os.environ.get("ACA_CONFIG") else "first comes"
        yield f"It is not read as it is: {why} {found}. Name the new one with --config or ACA_CONFIG."


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON for programs.")
@click.pass_obj
def check(session: Session, as_json: bool) -> int:
    """Check the configuration against what is installed; exit code 1 when something cannot work.

    \b
    Examples:
      aca config check
      aca --config other.toml config check
    """
    from aca_core.config_check import Findings, check_config

    try:
        findings = check_config(session.config, session.lenient_registry)
    except ConfigError as error:
        findings = Findings(errors=error.problems, warnings=())
    if as_json:
        write_json(
            {
                "errors": [problem._asdict() for problem in findings.errors],
                "warnings": [problem._asdict() for problem in findings.warnings],
            }
        )
    else:
        for word, problems in (("error", findings.errors), ("warning", findings.warnings)):
            for problem in problems:
                click.echo(f"{word}: {problem}")
        if not findings.errors and not findings.warnings:
            click.echo(f"{session.config.file or 'The defaults'}: no problem found.")
    return 1 if findings.errors else 0
