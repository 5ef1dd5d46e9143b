"""Whatever ends the writing of pieces, readers get what the files say, and who follows next completes the store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOOLS = (HERE, HERE.parent / "faults", HERE.parent)


@pytest.fixture
def happens(tmp_path):
    """Return a function that has something happen to who writes pieces, and returns what was found."""

    def happen(function):
        (tmp_path / "worker").mkdir()
        program = [sys.executable, str(HERE / "column_fault_worker.py"), function, str(tmp_path / "worker")]
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # so that it may fork
        environment = {**os.environ, **alone, "PYTHONPATH": os.pathsep.join(map(str, TOOLS))}
        done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return happen


def test_a_writer_of_pieces_may_be_killed_anywhere(happens):
    found = happens("killed")
    assert found["problems"] == []
    assert found["tried"] >= 40
    assert {"_write_table", "_write_parts", "rename", "unlink", "fsync"} <= set(found["kinds"])


def test_a_power_loss_anywhere_leaves_whole_pieces_or_none(happens):
    found = happens("power_lost")
    assert found["problems"] == []
    assert found["tried"] >= 20


def test_pieces_would_be_lost_on_a_disk_that_only_pretends_to_sync(happens):
    """Otherwise the test above would not see a sync that is missing."""
    problems = happens("power_lost_without_sync")["problems"]
    assert any("cannot be opened" in problem for problem in problems)


def test_a_full_disk_ends_it_with_its_error_and_harms_nothing(happens):
    found = happens("full")
    assert found["problems"] == []
    assert found["raised"] > found["tried"] / 2


def test_a_limit_on_the_size_of_files_within_hdf5_is_said_as_such(happens):
    found = happens("limited")
    assert found["problems"] == []
    assert found["raised"] == found["tried"]


def test_a_read_only_mount_is_read_and_said(happens):
    assert happens("read_only") == {"problems": []}


def test_writers_and_readers_at_the_same_time_agree(happens):
    found = happens("many_at_once")
    assert found["problems"] == []
    writers, readers = found["rounds"][:2], found["rounds"][2:]
    assert min(writers) >= 1
    assert min(readers) >= 10
