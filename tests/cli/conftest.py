"""Sites, before and after an update, and command lines that are run in them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from sites import CONFIG, OBSIDS

from aca_core.cli import run


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """A site with a delivery, and nothing archived."""
    from aca_core.simulation import simulate_delivery

    site = tmp_path_factory.mktemp("site") / "site"
    simulate_delivery(site / "delivered", obsids=OBSIDS, duration=200.0)
    (site / "archive").mkdir()
    (site / "aca.toml").write_text(CONFIG)
    return site


@pytest.fixture(scope="module")
def updated(delivered, tmp_path_factory):
    """The same, brought up to date."""
    site = tmp_path_factory.mktemp("updated") / "site"
    shutil.copytree(delivered, site, symlinks=True)
    assert run(["--config", str(site / "aca.toml"), "update"]) == 0
    return site


def copied(site: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(site, target, symlinks=True)
    monkeypatch.chdir(target)
    return target


@pytest.fixture
def fresh(delivered, tmp_path, monkeypatch):
    """A copy of the first, as the current folder."""
    return copied(delivered, tmp_path / "site", monkeypatch)


@pytest.fixture
def site(updated, tmp_path, monkeypatch):
    """A copy of the second, as the current folder."""
    return copied(updated, tmp_path / "site", monkeypatch)


@pytest.fixture
def say(capsys):
    """Return a function that runs a command line and returns its exit code, output and errors."""

    def call(line: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(shlex.split(line))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def ask(say):
    """Return a function that runs a command line with --json and returns its exit code and what it says."""

    def call(line: str):
        code, out, _ = say(f"{line} --json")
        return code, json.loads(out)

    return call
