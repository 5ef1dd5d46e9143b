"""What all tests share: an environment without anybody's configuration, and plugins that are easy to write."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

VARIABLES = ("ACA_CONFIG", "ACA_DATA", "ACA_DISABLE_PLUGINS", "ACA_STRICT_PLUGINS", "MICA_ARCHIVE", "SKA")

REAL_DATA = Path(__file__).parents[2] / "shared" / "real"


def pytest_sessionstart():
    """Refuse an environment with plugins of others, whose names and conflicts would show in every listing."""
    from aca_core._discovery import CORE_DISTRIBUTION, find_entry_points

    others = {found.distribution for found in find_entry_points("aca_core")} - {CORE_DISTRIBUTION}
    if others:
        pytest.exit(f"these tests need an environment without other plugins; uninstall {', '.join(sorted(others))}", 3)


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch, tmp_path):
    """Keep the tests from reading the configuration of whoever runs them."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "home"
    (home / ".config" / "astropy").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def real_data():
    """Return the folder of flight data, or skip."""
    if not REAL_DATA.is_dir():
        pytest.skip("needs the flight data in ../shared/real, which is not there")
    return REAL_DATA


@pytest.fixture
def warnings_of_core(caplog):
    """Return a function that lists the warnings that aca_core has logged."""
    caplog.set_level(logging.WARNING, logger="aca_core")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "aca_core"]
