"""Where a configuration comes from: one file, the environment and arguments, layer over layer.

This module is the only reader of the environment.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aca_core._structure import StructureError, structure
from aca_core.config import Config, dotted, nearest_origin
from aca_core.errors import ConfigError, ConfigProblem

__all__ = ["find_config_file", "load_config", "user_config_file"]

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


def user_config_file() -> Path:
    """Return the path of the user's own configuration file, whether it exists or not.

    Returns
    -------
    Path
        ``aca.toml`` in the platform's configuration folder of ``aca_core``.
    """
    import platformdirs

    return platformdirs.user_config_path("aca_core") / "aca.toml"


def find_config_file(path: str | Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the configuration file in force.

    Exactly one is read: `path`, else the one that ``ACA_CONFIG`` names, else ``aca.toml`` in the current folder, else
    the user's.

    Parameters
    ----------
    path : path-like, optional
        The file to use.
    environ : mapping, optional
        The environment; that of the process by default.

    Returns
    -------
    Path or None
        None when there is none.

    Raises
    ------
    ConfigError
        A file that was named does not exist.
    """
    environ = os.environ if environ is None else environ
    named = (("--config or argument", path), ("environment variable ACA_CONFIG", environ.get("ACA_CONFIG")))
    for source, name in named:
        if name:
            if not Path(name).expanduser().is_file():
                raise ConfigError([ConfigProblem(source, "", f"there is no file {str(name)!r}")])
            return Path(name).expanduser().absolute()
    for candidate in (Path("aca.toml"), user_config_file()):
        if candidate.is_file():
            return candidate.absolute()
    return None


def load_config(
    path: str | Path | None = None, *, environ: Mapping[str, str] | None = None, **arguments: Any
) -> Config:
    """Read the configuration from its layers.

    Later layers win: defaults; the variables of older tools (``SKA``, ``MICA_ARCHIVE``); the configuration file; our
    own variables (``ACA_DATA``, ``ACA_DISABLE_PLUGINS``, ``ACA_STRICT_PLUGINS``); `arguments`. What is disabled adds
    up over the layers.

    Parameters
    ----------
    path : path-like, optional
        The file to read; see `find_config_file`.
    environ : mapping, optional
        The environment; that of the process by default.
    **arguments
        Top-level keys of the configuration, for example ``root="/data/aca/archive"``.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        A file cannot be read, or a key or value is wrong; it carries every problem that was found.

    Examples
    --------
    >>> from aca_core import load_config
    >>> load_config(environ={}, root="/data/aca/archive").root[0].as_posix()
    '/data/aca/archive'
    """
    environ = os.environ if environ is None else environ
    file = find_config_file(path, environ)
    layers = [
        *_foreign_variables(environ),
        *([(str(file), file.parent, _read_toml(file))] if file else []),
        *_own_variables(environ),
        ("argument", Path.cwd(), arguments),
    ]
    merged = _Merged()
    for source, folder, table in layers:
        merged.add(_with_absolute_paths(table, folder), source)
    try:
        config = structure(merged.table, Config)
    except StructureError as error:
        merged.problems += [
            ConfigProblem(nearest_origin(merged.origins, mistake.keys), dotted(mistake.keys), mistake.text)
            for mistake in error.mistakes
            if dotted(mistake.keys) not in {problem.key for problem in merged.problems}
        ]
    if merged.problems:
        raise ConfigError(merged.problems)
    return attrs.evolve(config, origins=merged.origins, file=file)


def _foreign_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield what the variables of older tools say: a fallback for sites that have no file of ours."""
    ska, mica = environ.get("SKA"), environ.get("MICA_ARCHIVE")
    if ska:
        table = {"ska": ska, "root": [str(Path(ska, "data", "mica", "archive"))]}
        yield "environment variable SKA", Path.cwd(), table
    if mica:
        yield "environment variable MICA_ARCHIVE", Path.cwd(), {"root": _split(mica, os.pathsep)}


def _own_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield what our own variables say."""
    if data := environ.get("ACA_DATA"):
        yield "environment variable ACA_DATA", Path.cwd(), {"root": _split(data, os.pathsep)}
    if names := environ.get("ACA_DISABLE_PLUGINS"):
        table = {"plugins": {"disable": _split(names, ",")}}
        yield "environment variable ACA_DISABLE_PLUGINS", Path.cwd(), table
    if strict := environ.get("ACA_STRICT_PLUGINS"):
        word = strict.strip().lower()
        value: object = word in _TRUE if word in (*_TRUE, *_FALSE) else strict
        yield "environment variable ACA_STRICT_PLUGINS", Path.cwd(), {"plugins": {"strict": value}}


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _read_toml(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    except RecursionError:
        problem = "is nested too deeply"
    except ValueError as error:  # TOMLDecodeError, and numbers that are too long to convert
        problem = f"is not valid TOML: {error}"
    raise ConfigError([ConfigProblem(str(file), "", problem)])


def _with_absolute_paths(table: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a layer's table with its top-level paths taken below the folder that it was written in."""
    resolved = dict(table)
    root = resolved.get("root")
    if isinstance(root, str | Path | list | tuple):
        resolved["root"] = [_absolute(each, folder) for each in (root if isinstance(root, list | tuple) else [root])]
    if "ska" in resolved:
        resolved["ska"] = _absolute(resolved["ska"], folder)
    if isinstance(sets := resolved.get("sets"), Mapping):
        resolved["sets"] = {name: _with_absolute_list(table, folder) for name, table in sets.items()}
    return resolved


def _with_absolute_list(table: Any, folder: Path) -> Any:
    if isinstance(table, Mapping) and "bad_obsids" in table:
        return {**table, "bad_obsids": _absolute(table["bad_obsids"], folder)}
    return table


def _absolute(value: Any, folder: Path) -> Any:
    """Return a path below `folder`, or the value as it is where it is none; its type is judged later."""
    if not isinstance(value, str | Path) or not str(value).strip():
        return value
    with contextlib.suppress(RuntimeError):  # no such user: then the tilde is part of a name
        return folder / Path(value).expanduser()
    return folder / value


_ADDED_UP: Final = (("plugins", "disable"),)
"""Keys whose values in all layers add up."""


@attrs.define
class _Merged:
    """Layers put over each other, with the source of every value."""

    table: dict[str, Any] = attrs.field(factory=dict)
    origins: dict[str, str] = attrs.field(factory=dict)
    problems: list[ConfigProblem] = attrs.field(factory=list)

    def add(self, layer: Mapping[str, Any], source: str) -> None:
        """Put a layer on top."""
        self._add(self.table, layer, source, ())

    def _add(self, below: dict[str, Any], layer: Mapping[str, Any], source: str, keys: tuple[str, ...]) -> None:
        for key, value in layer.items():
            path = (*keys, str(key))
            key_path = dotted(path)
            known = below.get(key)
            if key in below and isinstance(known, dict) != isinstance(value, Mapping):
                blamed = source if isinstance(known, dict) else nearest_origin(self.origins, path)
                leaf = value if isinstance(known, dict) else known
                self.problems.append(ConfigProblem(blamed, key_path, f"{leaf!r} is not a table"))
            elif isinstance(value, Mapping):
                self.origins.setdefault(key_path, source)
                self._add(below.setdefault(key, {}), value, source, path)
            elif path in _ADDED_UP and isinstance(known, list) and isinstance(value, list):
                below[key] = [*known, *value]
                self.origins[key_path] = f"{self.origins[key_path]}, {source}"
            else:
                below[key] = value
                self.origins[key_path] = source
