"""The products that aca-core ships keep the contract of products in an archive."""

import pytest
from aca_plugins.asp1 import ASP1
from aca_plugins.obspar import OBSPAR

from aca_core.simulation import draw_observation, reprocess
from aca_core.simulation.asp1_files import asp1_files
from aca_core.simulation.obspar_file import obspar_file
from aca_core.testing import ArchivingContract


def observation(unit):
    first = draw_observation(unit.obsid, seed=1, start=7e8, duration=200.0)
    return first if unit.revision == 1 else reprocess(first, unit.revision)


def written(files, folder):
    for name, content in files:
        (folder / name).write_bytes(content)


class TestAsp1(ArchivingContract):
    @pytest.fixture
    def product(self):
        return ASP1

    @pytest.fixture
    def write_files(self):
        return lambda folder, unit: written(asp1_files(observation(unit)), folder)


class TestObspar(ArchivingContract):
    @pytest.fixture
    def product(self):
        return OBSPAR

    @pytest.fixture
    def write_files(self):
        return lambda folder, unit: written([obspar_file(observation(unit))], folder)
