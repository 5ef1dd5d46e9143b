"""The command line: what it prints, where errors end, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import aca_core
from aca_core.cli import COMMANDS, READER_GONE, run

COMMAND = """
import click

@click.command()
@click.option("--boom", type=click.Choice(["value", "os", "aca", "interrupt", "exit"]))
def greet(boom):
    "Say hello."
    if boom == "value":
        raise ValueError("two\\nlines")
    if boom == "os":
        open("/absent/file")
    if boom == "aca":
        import aca_core
        raise aca_core.MissingDataError("no maps before 1999:223")
    if boom == "interrupt":
        raise KeyboardInterrupt
    if boom == "exit":
        return 3
    click.echo("hello")
"""


@pytest.fixture
def aca(capsys):
    """Return a function that runs a command line and returns its exit code, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def greeting(install_plugin):
    return install_plugin("greet", COMMAND, distribution="aca-greet", group="aca_core.commands", value="greet_m:greet")


# ---- help -----------------------------------------------------------------------------------------------------------


def test_help_lists_every_command_ours_and_others(aca, greeting):
    code, out, err = aca("--help")
    assert (code, err) == (0, "")
    for name, (_, line) in COMMANDS.items():
        assert f"  {name} " in out
        assert line in out
    assert "greet" in out
    assert "From aca-greet 1.0." in out
    assert "Exit codes: 0 done" in out


@pytest.mark.parametrize("words", [("config",), ("config", "show"), ("plugins",), ("demo",), ("config", "init")])
def test_every_command_has_help_with_an_example(aca, words):
    code, out, _ = aca(*words, "--help")
    assert code == 0
    assert out.startswith(f"Usage: aca {' '.join(words)}")
    assert "Example" in out or words == ("config",)


def test_version(aca):
    assert aca("--version") == (0, f"aca, version {aca_core.__version__}\n", "")


def test_python_m_aca_core_is_the_same_command():
    result = subprocess.run([sys.executable, "-m", "aca_core", "--version"], capture_output=True, text=True, check=True)
    assert result.stdout == f"aca, version {aca_core.__version__}\n"


# ---- where errors end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("greet", "--boom", "aca"), 1, "aca: no maps before 1999:223"),
        (("greet", "--boom", "os"), 1, "aca: /absent/file: No such file or directory"),
        (("greet", "--boom", "interrupt"), 130, "aca: interrupted"),
        (("--config", "absent.toml", "config", "show"), 1, "aca: --config: there is no file 'absent.toml'"),
        (("plugins", "--traceback", "asp"), 1, "aca: no plugin is named 'asp'. Known: aca-core:aca0, aca-core:asp1, "),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(aca, greeting, words, code, says):
    found, out, err = aca(*words)
    assert (found, out) == (code, "")
    # Click ends the line on which a terminal has shown ^C.
    assert err.lstrip("\n").startswith(says)
    assert err.strip().count("\n") == 0


def test_an_empty_file_name_is_no_file_name(aca):
    assert aca("--config", "", "plugins")[2].endswith(
        "Error: --config is empty; name a file, or leave the option out\n"
    )


def test_in_strict_mode_all_plugins_are_listed_and_the_exit_code_tells(aca, install_plugin, monkeypatch):
    install_plugin("bad", "1 / 0", distribution="aca-bad")
    monkeypatch.setenv("ACA_STRICT_PLUGINS", "1")
    code, out, _ = aca("plugins")
    assert code == 1
    assert "aca-core:asp1" in out
    assert "aca-bad:bad: ZeroDivisionError" in out
    code, _, _ = aca("demo", "d", "--duration", "200", "--days", "0.1")
    assert code == 0, "the demonstration has a configuration of its own"
    code, out, _ = aca("config", "check", "--json")
    assert code == 1
    assert "plugin aca-bad:bad 1.0 was set aside: ZeroDivisionError" in json.loads(out)["errors"][0]["text"]


def test_a_fault_is_one_line_too_and_tells_whose_it_is(aca, greeting):
    code, _, err = aca("greet", "--boom", "value")
    whose = "in the command of aca-greet:greet 1.0"
    assert code == 70
    assert err == f"aca: fault {whose}: ValueError: two lines; 'aca --traceback …' shows where, please report it\n"
    code, _, err = aca("--traceback", "greet", "--boom", "value")
    assert code == 70
    assert "Traceback (most recent call last)" in err
    assert 'raise ValueError("two\\nlines")' in err
    assert err.endswith(f"aca: fault {whose}: ValueError: two lines\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("plugin",), "No such command 'plugin'. Did you mean 'plugins'?"),
        (("plugins", "--jason"), "No such option '--jason'"),
        (("config", "shwo"), "No such command 'shwo'"),
        (("demo",), "Missing argument 'FOLDER'"),
    ],
)
def test_wrong_usage_is_told_with_the_nearest_word(aca, words, says):
    code, out, err = aca(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_a_command_may_set_the_exit_code(aca, greeting):
    assert aca("greet") == (0, "hello\n", "")
    assert aca("greet", "--boom", "exit")[0] == 3


@pytest.mark.parametrize("words", [["plugins", "--json"], ["plugins"], ["products"]])
def test_a_reader_that_goes_away_is_met_with_silence(words):
    code = f"import sys; from aca_core.cli import run; sys.exit(run({words}))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == READER_GONE


def test_a_broken_pipe_of_somebody_else_is_told(aca, install_plugin):
    source = """
        import click

        @click.command()
        def greet():
            "Say hello."
            raise BrokenPipeError(32, "Broken pipe")
    """
    install_plugin("greet", textwrap.dedent(source), group="aca_core.commands", value="greet_m:greet")
    assert aca("greet") == (1, "", "aca: Broken pipe\n")


# ---- commands of plugins --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value", "says"),
    [
        ("import absent_library", "bad:go", "its command 'go' cannot be loaded: ModuleNotFoundError"),
        ("raise SystemExit(4)", "bad:go", "its command 'go' cannot be loaded: SystemExit: 4"),
        ("go = 42", "bad:go", "its command 'go' is a int; expected a click command (bad:go)"),
    ],
)
def test_a_broken_command_costs_only_itself(aca, install_plugin, source, value, says):
    install_plugin("go", source, distribution="aca-bad", group="aca_core.commands", value=value)
    code, _, err = aca("go")
    assert code == 1
    assert err.startswith(f"aca: plugin aca-bad:go 1.0: {says}")
    assert aca("--traceback", "go")[2].startswith("Traceback")
    assert aca("plugins")[0] == 0
    assert "go " in aca("--help")[1]


def test_a_command_of_ours_cannot_be_replaced(aca, install_plugin):
    install_plugin("plugins", "raise SystemExit(9)", group="aca_core.commands", value="evil:plugins")
    code, out, _ = aca("plugins")
    assert code == 0
    assert "aca-core:asp1" in out
    assert aca("--help")[1].count("  plugins ") == 1


@pytest.mark.parametrize("name", ["greet", "aca-greet:greet"])
def test_a_command_can_be_disabled(aca, greeting, name, tmp_path):
    file = tmp_path / "other.toml"
    file.write_text(f'[plugins]\ndisable = ["{name}"]\n')
    code, _, err = aca("--config", str(file), "greet")
    assert code == 1
    assert err == "aca: plugin aca-greet:greet 1.0: the command 'greet' is disabled by the configuration\n"
    assert aca("greet")[0] == 0


def test_of_two_distributions_with_one_command_one_can_be_disabled(aca, install_plugin, tmp_path):
    for name in ("aca-one", "aca-two"):
        install_plugin("go", "go = 1", distribution=name, group="aca_core.commands", value=f"{name[4:]}_go:go")
    code, _, err = aca("go")
    assert code == 1
    assert "the command 'go' is also declared by aca-two:go; disable one of them" in err
    (tmp_path / "aca.toml").write_text('[plugins]\ndisable = ["ACA_One:go"]\n')
    assert "aca-two:go 1.0: its command 'go' is a int" in aca("go")[2]


# ---- aca plugins ----------------------------------------------------------------------------------------------------


def test_plugins_shows_what_became_of_each_and_why(aca, install_plugin):
    install_plugin("bad", "1 / 0", distribution="aca-bad", version="1.2")
    code, out, err = aca("plugins")
    assert (code, err) == (0, ""), "what the table shows is not told a second time"
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert "loaded" in rows["aca-core:asp1"]
    assert "archive product asp1" in rows["aca-core:asp1"]
    assert "failed" in rows["aca-bad:bad"]
    assert "aca-bad:bad: ZeroDivisionError: division by zero (aca_bad_bad.py, line 1)" in out
    assert "aca plugins --traceback aca-bad:bad shows where" in out
    code, out, _ = aca("plugins", "--traceback", "bad")
    assert code == 0
    assert out.startswith("Traceback")
    assert "1 / 0" in out
    assert aca("plugins", "--traceback", "asp1")[1] == "aca-core:asp1 0.1.0 raised nothing: loaded\n"


def test_plugins_for_programs(aca, install_plugin):
    install_plugin("bad", "1 / 0", distribution="aca-bad", version="1.2")
    code, out, err = aca("plugins", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert data["core"] == aca_core.__version__
    assert data["api_version"] == aca_core.API_VERSION
    bad = next(row for row in data["plugins"] if row["id"] == "aca-bad:bad")
    assert bad["status"] == "failed"
    assert bad["version"] == "1.2"
    assert bad["reason"] == "ZeroDivisionError: division by zero (aca_bad_bad.py, line 1)"
    assert data["commands"] == []
    assert set(bad) == {
        *("id", "name", "distribution", "version", "value"),
        *("status", "offers", "load_ms", "reason", "by_choice", "traceback"),
    }


def test_a_failed_plugin_is_one_line_on_stderr_elsewhere(aca, install_plugin, tmp_path):
    install_plugin("bad", "1 / 0", distribution="aca-bad", version="1.2")
    code, _, err = aca("products")
    assert code == 0
    reason = "ZeroDivisionError: division by zero (aca_bad_bad.py, line 1)"
    assert err == f"aca: warning: plugin aca-bad:bad 1.2 was set aside: {reason}\n"


# ---- aca config and aca demo ----------------------------------------------------------------------------------------


def test_config_init_check_and_show_work_together(aca, tmp_path):
    code, out, _ = aca("config", "init")
    assert (code, out) == (0, "Wrote aca.toml. Set root there, then run 'aca config check'.\n")
    assert (
        "paths of retrievers, catalogues, products and\n## other offers are relative to the root"
        in (tmp_path / "aca.toml").read_text()
    )
    assert aca("config", "init", "-")[:2] == (0, (tmp_path / "aca.toml").read_text())
    assert not (tmp_path / "-").exists()
    assert aca("config", "init")[::2] == (1, "aca: aca.toml exists; give another path, or --force to replace it\n")
    assert aca("config", "init", "--force")[0] == 0
    file = tmp_path / "aca.toml"
    file.write_text(file.read_text().replace('# root = "/data/aca/archive"', 'root = "."'))
    assert aca("config", "check") == (0, f"{file}: no problem found.\n", "")
    head, first = aca("config", "show", "--origin")[1].splitlines()[:2]
    assert head == f"# file: {file}"
    assert first.split() == ["root", "=", f'["{tmp_path}"]', "#", str(file)]
    shown = json.loads(aca("config", "show", "--json")[1])
    assert shown["file"] == str(file)
    assert {"key": "root", "value": [str(tmp_path)], "origin": str(file)} in shown["settings"]


def test_config_check_tells_everything_and_fails(aca, tmp_path):
    Path("aca.toml").write_text("rooot = 1\nlock = 2\n")
    code, out, err = aca("config", "check")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[0].startswith(f"error: {tmp_path / 'aca.toml'}: lock: 2 is not one of 'kernel', 'soft'")
    assert "Did you mean 'root'?" in lines[1]
    data = json.loads(aca("config", "check", "--json")[1])
    assert [error["key"] for error in data["errors"]] == ["lock", "rooot"]
    # Every other command says the first of them in its one line.
    code, _, err = aca("plugins")
    assert code == 1
    assert "(and 1 more; 'aca config check' lists them all)" in err


def test_config_init_where_nothing_can_be_written(aca):
    code, _, err = aca("config", "init", "/proc/absent/aca.toml")
    assert code == 1
    assert err.startswith("aca: /proc/absent")
    assert err.count("\n") == 1


def test_demo_uses_the_configuration_that_is_there(aca, tmp_path):
    assert aca("demo", "demo-archive", "--duration", "200", "--days", "0.1")[0] == 0
    (tmp_path / "demo-archive" / "aca.toml").write_text("")
    code, _, err = aca("demo", "demo-archive")
    assert code == 1
    assert "no archive root" in err, "it is used as it is"
