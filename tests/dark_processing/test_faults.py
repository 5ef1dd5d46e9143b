"""Whatever ends an update, readers have whole entries or none, and the next update brings it to its end.

An entry is replaced by two renames. Who is killed between them leaves no entry, but both of its states beside it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOOLS = (HERE, HERE.parent / "archive" / "faults", HERE.parent / "archive")

NAMES = ("first", "replace", "mend")
"""There is no entry; there is one, of an older map; there is a part of one."""


@pytest.fixture
def happens(simulated):
    """Return a function that has something happen to the update of a scene, and returns what was found."""

    def happen(function, name):
        program = [sys.executable, str(HERE / "dark_fault_worker.py"), function, str(simulated.folder.parent), name]
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # so that it may fork
        environment = {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(map(str, TOOLS))}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return happen


@pytest.mark.parametrize("name", NAMES)
def test_an_update_that_is_killed_anywhere_is_completed_by_the_next_one(happens, name):
    found = happens("killed", name)
    assert found["problems"] == []
    assert found["tried"] >= 8
    assert {"mkdir", "open", "rename", "fsync"} <= set(found["kinds"])


@pytest.mark.parametrize("name", NAMES)
def test_a_power_loss_anywhere_loses_nothing(happens, name):
    found = happens("power_lost", name)
    assert found["problems"] == []
    assert found["tried"] >= 8


def test_an_entry_would_be_lost_on_a_disk_that_only_pretends_to_sync(happens):
    """Otherwise the test above would not see a sync that is missing."""
    assert any("a reader gets" in problem for problem in happens("power_lost_without_sync", "replace")["problems"])


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_ends_the_update_with_its_error_and_harms_nothing(happens, name):
    found = happens("full", name)
    assert found["problems"] == []
    assert found["raised"] > found["tried"] / 2


@pytest.mark.parametrize("name", ["first", "replace"])
def test_a_read_only_mount_is_named(happens, name):
    assert happens("read_only", name) == {"problems": []}


def test_two_updates_and_a_reader_at_the_same_time(happens):
    assert happens("two_at_once", "replace") == {"problems": []}
