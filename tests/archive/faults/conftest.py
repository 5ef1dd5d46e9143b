"""Two processes that do, and survive, what these tests are about; and the scenes that they share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARES = 2

sys.path.append(str(HERE.parent))  # the product by day is that of the other tests


class Worker:
    """A process that runs functions of `fault_worker`."""

    def __init__(self):
        alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # so that it may fork
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fault_worker.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **alone, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def ask(self, function, *args):
        self.process.stdin.write(json.dumps({"function": function, "args": args}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the worker has ended"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["answer"]

    def __call__(self, function, *args):
        self.ask(function, *args)
        return self.answer()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def workers():
    """Two workers, for the two halves of what has to be tried."""
    found = [Worker() for _ in range(SHARES)]
    yield found
    for worker in found:
        worker.end()


@pytest.fixture(scope="session")
def worker(workers):
    """One of them."""
    return workers[0]


@pytest.fixture(scope="session")
def scenes(workers, tmp_path_factory):
    """Return a function that makes sure of a scene and returns the folder of all scenes."""
    folder, made = tmp_path_factory.mktemp("scenes"), set()

    def make(name):
        if name not in made:
            workers[0]("make", str(folder), name)
            made.add(name)
        return str(folder)

    return make


@pytest.fixture
def everywhere(workers, scenes):
    """Return a function that has a scene gone through by all workers, and returns all that they found."""

    def go(function, name, *args):
        folder = scenes(name)
        for share, worker in enumerate(workers):
            worker.ask(function, folder, name, share, SHARES, *args)
        answers = [worker.answer() for worker in workers]
        summed = {key: sum(answer[key] for answer in answers) for key in ("tried", "raised") if key in answers[0]}
        return {**answers[0], **summed, "problems": [each for answer in answers for each in answer["problems"]]}

    return go
