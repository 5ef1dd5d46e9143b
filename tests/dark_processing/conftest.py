"""Tables of telemetry that are made by hand, and a simulated ground system that tests may spoil."""

from __future__ import annotations

import shutil

import pytest
from dark_site import DARK_IDS, site_of, write_table

from aca_core.dark_processing import DarkInputs, EventTable, TemperatureTable
from aca_core.dates import to_date, to_secs
from aca_core.simulation import read_dark_truth, simulate_dark_calibrations


@pytest.fixture
def temperatures(tmp_path):
    """Return a function that makes a table of temperatures: from a date on, in steps of seconds."""

    def make(name, start, step, values):
        first = to_secs(start)
        rows = [(to_date(first + number * step), value) for number, value in enumerate(values)]
        return TemperatureTable(path=write_table(tmp_path / f"{name}.csv", "time,value", rows))

    return make


@pytest.fixture
def events(tmp_path):
    """Return a function that makes inputs of intervals: pairs of seconds after a date."""

    def make(start, intervals, **others):
        first = to_secs(start)
        rows = [(to_date(first + begun), to_date(first + ended)) for begun, ended in intervals]
        return DarkInputs(events=EventTable(path=write_table(tmp_path / "events.csv", "start,stop", rows)), **others)

    return make


@pytest.fixture(scope="session")
def simulated_once(tmp_path_factory):
    """Simulate four calibrations as the ground system delivers them; look, and change nothing."""
    return simulate_dark_calibrations(tmp_path_factory.mktemp("simulated") / "site", DARK_IDS, seed=3)


@pytest.fixture
def simulated(simulated_once, tmp_path):
    """Return the same, to be changed."""
    shutil.copytree(simulated_once.folder, tmp_path / "site")
    return read_dark_truth(tmp_path / "site")


@pytest.fixture
def site(simulated):
    """Return that archive."""
    return site_of(simulated)
