"""The blocks of code in a page, and how each kind is run: as a reader would, in the order of the page.

What a block is follows from its language and its content:

* ``python`` with ``@hookimpl`` or ``@click.command``: a plugin, which is installed and must load;
* ``python`` in a file ``test_….py``, or that inherits a contract: tests, which pytest runs and which must pass;
* any other ``python``, and ``pycon``: run in one namespace for each page; what ``pycon`` shows must come out;
* ``python fragment``: not run, but it must be Python;
* ``toml``: a ``pyproject.toml`` where it has ``[project]`` or ``[build-system]``, else a configuration;
* ``sh``: of its commands only ``aca demo FOLDER`` is run; all, where it begins with ``export ACA_CONFIG=…``;
* ``console``: each ``$ aca …`` is a command that exists; where output follows, it is run and must say those lines.

The file that a block is comes from its first line (``# tests/test_sim.py``), else from the last file name in the text
above it. A comment ``<!-- edit FILE: OLD => NEW -->`` does what the text above it tells the reader to do.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import io
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import click
import pytest

from aca_core import Registry, load_config
from aca_core.cli import aca, run
from aca_core.testing import PluginInstaller

TOP = Path(__file__).parents[2]
PAGES = [TOP / "README.md", *sorted(p for p in (TOP / "docs").rglob("*.md") if "_build" not in p.parts)]

COMMANDS = "aca_core.commands"
GROUPS = ("aca_core", COMMANDS)

_FENCE = re.compile(
    r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$|^<!-- (?P<edit>edit [^\n]*) -->$", re.DOTALL | re.MULTILINE
)
_FILE = re.compile(r"# (?P<path>[\w./-]+\.(py|toml))")


@attrs.frozen
class Block:
    """One block of a page."""

    page: Path
    line: int
    info: str
    text: str
    above: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(TOP)}:{self.line}"

    @property
    def file(self) -> str:
        """The file that it is, or nothing."""
        if first := _FILE.fullmatch(self.text.partition("\n")[0]):
            return first["path"]
        named = re.findall(r"`([\w/-]+\.py)`", self.above)
        return named[-1] if named and self.info == "python" else ""


def blocks_of(page: Path) -> list[Block]:
    if not page.exists():
        return []
    content = page.read_text(encoding="utf-8")
    found, end = [], 0
    for match in _FENCE.finditer(content):
        line = content.count("\n", 0, match.start()) + 2
        info = "edit" if match["edit"] else match["info"].strip()
        found.append(Block(page, line, info, match["edit"] or match["text"], content[end : match.start()]))
        end = match.end()
    return found


def text_of(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def is_pyproject(text: str) -> bool:
    return bool({"project", "build-system"} & set(tomllib.loads(text)))


@attrs.define
class Reader:
    """Somebody who does what a page says."""

    page: Path
    folder: Path
    install_plugin: PluginInstaller
    namespace: dict[str, Any] = attrs.field(factory=lambda: {"__name__": "__main__"})
    entry_points: dict[str, tuple[str, ...]] = attrs.field(factory=dict)  # by module, what a pyproject.toml says of it
    installed: set[str] = attrs.field(factory=set)

    def read(self) -> None:
        blocks = blocks_of(self.page)
        for block in blocks:
            if block.info == "toml" and is_pyproject(block.text):
                self._announce(block)
        for block in blocks:
            act = getattr(self, f"_do_{block.info.replace(' ', '_')}", None)
            if act is not None:
                try:
                    act(block)
                except (Exception, SystemExit, pytest.fail.Exception) as error:
                    error.add_note(f"in the block at {block.place}")
                    raise
        missing = [module for module in self.entry_points if module not in self.installed]
        assert not missing, (
            f"{self.page.name}: pyproject.toml announces {missing}, and no block on the page is that module"
        )

    def _announce(self, block: Block) -> None:
        """Take in what a pyproject.toml says."""
        project = tomllib.loads(block.text)["project"]
        for group, entries in project.get("entry-points", {}).items():
            assert group in GROUPS, f"{block.place}: there is no entry-point group {group!r}; expected one of {GROUPS}"
            for name, value in entries.items():
                module = value.partition(":")[0]
                self.entry_points[module] = (project["name"], project["version"], group, name, value)

    def _do_toml(self, block: Block) -> None:
        if is_pyproject(block.text):
            return
        path = self.folder / (block.file or "only-read.toml")
        path.write_text(block.text, encoding="utf-8")
        load_config(path, environ={})

    def _do_python_fragment(self, block: Block) -> None:
        ast.parse(block.text)

    def _do_python(self, block: Block) -> None:
        name = Path(block.file).name
        if name.startswith("test_") or re.search(r"\(\w+Contract\)", block.text):
            self._run_tests(block, name or f"test_line_{block.line}.py")
        elif re.search(r"^@(hookimpl|click\.command)", block.text, re.MULTILINE):
            self._install(block)
        else:
            code = compile("\n" * (block.line - 1) + block.text, str(block.page), "exec")
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, self.namespace)

    def _do_pycon(self, block: Block) -> None:
        test = doctest.DocTestParser().get_doctest(block.text, self.namespace, block.place, str(block.page), block.line)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False)
        said = io.StringIO()
        results = runner.run(test, out=said.write, clear_globs=False)
        self.namespace.update(test.globs)
        assert not results.failed, said.getvalue()

    def _do_edit(self, block: Block) -> None:
        file, _, change = block.text.removeprefix("edit ").partition(": ")
        old, new = change.split(" => ")
        path = self.install_plugin.site / file
        source = path.read_text(encoding="utf-8")
        assert source.count(old) == 1, f"{file} has {old!r} {source.count(old)} times; expected it once"
        self._put(path, source.replace(old, new))

    def _install(self, block: Block) -> None:
        path = Path(block.file or f"line_{block.line}.py")
        module = path.parent.name if path.name == "__init__.py" else path.stem
        if not block.file and len(self.entry_points) == 1:
            module = next(iter(self.entry_points))
        group = "aca_core" if "@hookimpl" in block.text else COMMANDS
        default = ("aca-docs", "1.0", group, module.replace("_", "-"), module)
        if group == COMMANDS:
            function = re.search(r"^@click\.command(?:.*?)^def (\w+)", block.text, re.MULTILINE | re.DOTALL)[1]
            default = ("aca-docs", "1.0", group, function, f"{module}:{function}")
        distribution, version, group, name, value = self.entry_points.get(module, default)
        if module not in self.installed:
            self.install_plugin(name, block.text, distribution=distribution, version=version, group=group, value=value)
        self._put(self.install_plugin.site / f"{module}.py", block.text)
        self.installed.add(module)
        if group == "aca_core":
            info = Registry().plugin(f"{distribution}:{name}")
            assert info.status == "loaded", f"the plugin is set aside: {info.reason}\n{info.traceback}"
            assert info.offers or "aca_committed" in block.text
        else:
            assert self._say(f"{name} --help")[0] == 0

    @staticmethod
    def _put(path: Path, source: str) -> None:
        """Write a module, and forget that it was ever imported."""
        path.write_text(source, encoding="utf-8")
        sys.modules.pop(path.stem, None)
        importlib.invalidate_caches()

    def _run_tests(self, block: Block, name: str) -> None:
        folder = self.folder / f"tests-{block.line}"
        folder.mkdir()
        (folder / name).write_text(block.text, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        outcome = Outcome()
        off = ("cacheprovider", "randomly", "faulthandler", "unraisableexception", "threadexception")
        options = [word for plugin in off for word in ("-p", f"no:{plugin}")]
        words = [*options, "-q", "-c", str(folder / "pytest.ini"), "--import-mode=importlib", str(folder / name)]
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = pytest.main(words, plugins=[outcome])
        assert code == 0, f"tests fail:\n{outcome.longrepr or said.getvalue()}"
        assert outcome.passed

    def _do_sh(self, block: Block) -> None:
        """Make the demonstration that the page goes on with; short observations and telemetry are quicker."""
        for folder in re.findall(r"\baca demo (\S+)", block.text):
            code, said = self._say(f"demo {folder} --duration 300 --days 0.2")
            assert code == 0, said
        first, *lines = block.text.splitlines()
        if configuration := re.match(r"export ACA_CONFIG=(\S+)", first):
            with pytest.MonkeyPatch.context() as patched:
                patched.setenv("ACA_CONFIG", configuration[1])
                for line in lines:
                    code, said = self._say(" ".join(shlex.split(line, comments=True)[1:]))
                    assert (code, bool(said)) == (0, True), f"{line}: {said}"

    def _do_console(self, block: Block) -> None:
        for command, shown in _commands_in(block.text):
            words = shlex.split(command)
            if "aca" in words[:1]:
                self._check(words[1:])
                if shown:
                    self._compare(command, shown)

    def _check(self, words: list[str]) -> None:
        """Find the command and the options that a command line names."""
        context: click.Context = click.Context(aca, info_name="aca")
        command: click.Command = aca
        skip = False
        for word in words:
            if skip or word.endswith("…"):
                skip = False
            elif word.startswith("-"):
                options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
                known = ["--help", "-h", *options]
                assert word in known, f"'{context.command_path}' has no option {word!r}; it has {', '.join(known)}"
                skip = word in options and not options[word].is_flag
            elif isinstance(command, click.Group):
                known = command.list_commands(context)
                assert word in known, f"'{context.command_path}' has no command {word!r}; it has {', '.join(known)}"
                command = command.get_command(context, word)
                context = click.Context(command, info_name=word, parent=context)

    def _say(self, command: str) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run(shlex.split(command))
        return code, said.getvalue()

    def _compare(self, command: str, shown: list[str]) -> None:
        _, said = self._say(command.removeprefix("aca "))
        lines = iter(" ".join(line.split()) for line in said.splitlines())
        for wanted in shown:
            pattern = _pattern(wanted)
            assert any(re.fullmatch(pattern, line) for line in lines), f"{command!r} does not say {wanted!r}:\n{said}"


def _commands_in(text: str) -> Iterator[tuple[str, list[str]]]:
    command, shown = "", []
    for line in [*text.splitlines(), "$ "]:
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:].strip(), []
        elif line.strip():
            shown.append(line)


def _pattern(line: str) -> str:
    """Return the expression for a line that is shown: ``…`` is anything, and so are versions and milliseconds."""
    line = re.sub(r"(?<= )\d+(\.\d+){1,2}(?= |$)", "…", " ".join(line.split()))
    return ".*".join(re.escape(part) for part in line.split("…"))


class Outcome:
    """A plugin for pytest that keeps what became of its tests."""

    def __init__(self) -> None:
        self.passed = 0
        self.longrepr = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        if report.failed:
            self.longrepr += f"{report.nodeid}\n{report.longreprtext}\n"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.longrepr += f"{report.nodeid}\n{report.longreprtext}\n"
