"""Where a configuration comes from: one file, the environment and arguments, layer over layer.

This module is the only reader of the environment.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from aca_core.config import Config, dotted, nearest_origin
from aca_core.errors import ConfigError, ConfigProblem

__all__ = ["config_in_force", "find_config_file", "load_config", "user_config_file"]

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")

_VARIABLES: Final = (
    *("ACA_CONFIG", "ACA_DATA", "ACA_DISABLE_PLUGINS", "ACA_STRICT_PLUGINS", "SKA", "MICA_ARCHIVE"),
    *("HOME", "XDG_CONFIG_HOME"),
)
"""All variables that a configuration depends on; the last two say where the user's file is."""

_SETTLED: Final = 2_000_000_000
"""How old a file must be for its time to tell the next change, ns: some file systems count in steps of 2 s."""


def user_config_file() -> Path | None:
    """Return the path of the user's own configuration file, whether it exists or not.

    Returns
    -------
    Path or None
        ``aca.toml`` in the platform's configuration folder of ``aca_core``; None for a user without a home.
    """
    import platformdirs

    try:
        return platformdirs.user_config_path("aca_core") / "aca.toml"
    except RuntimeError:  # no HOME, and a user id that nobody has, as in a container
        return None


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
            file = Path(_expanded(str(name)))
            if not file.is_file():
                text = f"{str(name)!r} is no file" if file.exists() else f"there is no file {str(name)!r}"
                raise ConfigError([ConfigProblem(source, "", text)])
            return file.absolute()
    for candidate in (Path("aca.toml"), user_config_file()):
        if candidate is None:
            continue
        if candidate.is_file():
            return candidate.absolute()
        if os.path.lexists(candidate):
            text = "is there and is no file: a folder, or a link that leads nowhere"
            raise ConfigError([ConfigProblem(str(candidate), "", text)])
    return None


def _expanded(name: str) -> str:
    """Return a path with the home folder in place of ``~``; as it is where there is no such user."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name


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
    from aca_core._structure import StructureError, structure

    environ = os.environ if environ is None else environ
    file = find_config_file(path, environ)
    layers = [
        *_foreign_variables(environ),
        *([_Layer(str(file), _read_toml(file), file.parent)] if file else []),
        *_own_variables(environ),
        _Layer("argument", _as_table(arguments)),
    ]
    # Each layer is judged on its own, so that what is wrong in one is not hidden by another that goes over it.
    problems = [problem for layer in layers for problem in layer.problems()]
    if problems:
        raise ConfigError(problems)
    merged = _Merged()
    for layer in layers:
        merged.add(layer.placed(), layer.source)
    try:
        config = structure(merged.table, Config)
    except StructureError as error:
        raise ConfigError(
            [
                ConfigProblem(nearest_origin(merged.origins, wrong.keys), dotted(wrong.keys), wrong.text)
                for wrong in error.mistakes
            ]
        ) from None
    return attrs.evolve(config, origins=merged.origins, file=file)


@attrs.frozen
class _Reading:
    """A configuration with everything that it was read from."""

    config: Config
    variables: tuple[str | None, ...]
    files: tuple[str, ...]
    states: tuple[tuple[int, ...], ...]


_LAST: list[_Reading] = []


def config_in_force() -> Config:
    """Return what `load_config` returns now, and read it again only where a file or the environment has changed.

    Returns
    -------
    Config
        The same object as long as nothing has changed.

    Raises
    ------
    ConfigError
        As `load_config` says.
    """
    try:
        variables = (os.getcwd(), *map(os.environ.get, _VARIABLES))  # noqa: PTH109  # asked for by each question
    except FileNotFoundError:  # the current folder was removed
        return load_config()
    for last in _LAST:
        if last.variables == variables and last.states == tuple(map(_state, last.files)):
            return last.config
    named = os.environ.get("ACA_CONFIG")
    candidates = (Path(_expanded(named)),) if named else (Path("aca.toml"), user_config_file())
    files = tuple(str(file) for file in candidates if file is not None)
    states, now = tuple(map(_state, files)), time.time_ns()
    config = load_config()
    # A file that was written just now could be written again without a trace in its times.
    if all(max(state[:2], default=0) < now - _SETTLED for state in states):
        _LAST[:] = [_Reading(config, variables, files, states)]
    return config


def _state(file: str) -> tuple[int, ...]:
    """Return what is other when a file has changed, its times first; empty where there is none."""
    try:
        status = os.stat(file)  # noqa: PTH116  # asked for by each question
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino, status.st_size


def _as_table(value: Any) -> Any:
    """Return settings that were made in Python as the table that would make them; what is None is not set."""
    if attrs.has(type(value)):
        fields = [field for field in attrs.fields(type(value)) if not field.metadata.get("internal")]
        items = {field.name: getattr(value, field.name) for field in fields}
        return _as_table({f.name: items[f.name] for f in fields if items[f.name] != f.default})
    if isinstance(value, Mapping):
        return {key: _as_table(each) for key, each in value.items() if each is not None}
    return value


@attrs.frozen
class _Layer:
    """What one source says, with the folder that its paths are relative to; None for the current one."""

    source: str
    table: Mapping[str, Any]
    folder: Path | None = None

    def problems(self) -> list[ConfigProblem]:
        """Return what is wrong with this layer, beside what another one may bring."""
        from aca_core._structure import StructureError, structure

        try:
            structure(self.placed(), Config)
        except StructureError as error:
            wrong = [mistake for mistake in error.mistakes if not mistake.mendable]
            return [ConfigProblem(self.source, dotted(mistake.keys), mistake.text) for mistake in wrong]
        return []

    def placed(self) -> dict[str, Any]:
        """Return the table with its top-level paths made absolute."""
        resolved = dict(self.table)
        root = resolved.get("root")
        if isinstance(root, str | Path | list | tuple):
            resolved["root"] = [self._absolute(each) for each in (root if isinstance(root, list | tuple) else [root])]
        if "ska" in resolved:
            resolved["ska"] = self._absolute(resolved["ska"])
        return resolved

    def _absolute(self, value: Any) -> Any:
        """Return a path made absolute, or the value as it is where it is none; its type is judged later."""
        if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
            return value
        path = Path(_expanded(str(value)))
        return path if path.is_absolute() else (self.folder or Path.cwd()) / path


def _foreign_variables(environ: Mapping[str, str]) -> Iterator[_Layer]:
    """Yield what the variables of older tools say: a fallback for sites that have no file of ours."""
    if ska := environ.get("SKA"):
        yield _Layer("environment variable SKA", {"ska": ska, "root": [str(Path(ska, "data", "mica", "archive"))]})
    if mica := environ.get("MICA_ARCHIVE"):
        yield _Layer("environment variable MICA_ARCHIVE", {"root": _split(mica, os.pathsep)})


def _own_variables(environ: Mapping[str, str]) -> Iterator[_Layer]:
    """Yield what our own variables say."""
    if data := environ.get("ACA_DATA"):
        yield _Layer("environment variable ACA_DATA", {"root": _split(data, os.pathsep)})
    if names := environ.get("ACA_DISABLE_PLUGINS"):
        yield _Layer("environment variable ACA_DISABLE_PLUGINS", {"plugins": {"disable": _split(names, ",")}})
    if strict := environ.get("ACA_STRICT_PLUGINS"):
        word = strict.strip().lower()
        value: object = word in _TRUE if word in (*_TRUE, *_FALSE) else strict
        yield _Layer("environment variable ACA_STRICT_PLUGINS", {"plugins": {"strict": value}})


def _split(text: str, separator: str) -> list[str]:
    return [part.strip() for part in text.split(separator) if part.strip()]


def _read_toml(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text: {error.reason} at byte {error.start}"
    except RecursionError:
        problem = "is nested too deeply"
    except ValueError as error:  # TOMLDecodeError, and numbers that are too long to convert
        problem = f"is not valid TOML: {error}"
    raise ConfigError([ConfigProblem(str(file), "", problem)])


_ADDED_UP: Final = (("plugins", "disable"),)
"""Keys whose values in all layers add up."""


@attrs.define
class _Merged:
    """Layers put over each other, with the source of every value."""

    table: dict[str, Any] = attrs.field(factory=dict)
    origins: dict[str, str] = attrs.field(factory=dict)

    def add(self, layer: Mapping[str, Any], source: str) -> None:
        """Put a layer on top."""
        self._add(self.table, layer, source, ())

    def _add(self, below: dict[str, Any], layer: Mapping[str, Any], source: str, keys: tuple[str, ...]) -> None:
        for key, value in layer.items():
            path = (*keys, str(key))
            place = dotted(path)
            known = below.get(key)
            if isinstance(value, Mapping):
                self.origins.setdefault(place, source)
                below[key] = known if isinstance(known, dict) else {}
                self._add(below[key], value, source, path)
            elif path in _ADDED_UP and isinstance(known, list):
                below[key] = [*known, *value]
                self.origins[place] = f"{self.origins[place]}, {source}"
            else:
                below[key] = list(value) if isinstance(value, tuple) else value
                self.origins[place] = source
