"""The products that aca-core ships keep the contract that it asks of everybody's, and their modules have help."""

import pydoc
import re

import numpy as np
import pytest
from aca_plugins import asp1, obspar
from aca_plugins.asp1 import ASP1
from aca_plugins.obspar import OBSPAR

from aca_core.testing import ArchiveProductContract, write_fits, write_parameter_file


class TestAsp1(ArchiveProductContract):
    delivery = (
        "pcadf059904356N004_acen1.fits.gz",
        "pcadf059904356N004_asol1.fits.gz",
        "pcadf059904356N004_fidpr1.fits.gz",
        "pcadf29878_000N005_asol1.fits.gz",
        "asp_l1_f059904356N006_log.gz",
    )
    delivery_version = 4

    @pytest.fixture
    def product(self):
        return ASP1

    @pytest.fixture
    def sample_file(self, tmp_path):
        header = {
            "TSTART": 59904356.1,
            "TSTOP": 59912345.6,
            "CONTENT": "ASPSOL",
            "REVISION": 4,
            "ASCDSVER": "8.3.2.1",
            "CALDBVER": "4.3.0",
            "DATE": "2010-09-01T00:00:00",
            "OBS_ID": "1",
        }
        columns = {"time": np.arange(3.0), "q_att": np.tile([0.0, 0.0, 0.0, 1.0], (3, 1))}
        return write_fits(tmp_path / "pcadf059904356N004_asol1.fits.gz", header, columns)

    def test_the_row_is_that_of_the_flight_archive(self, sample_file):
        row = ASP1.describe(sample_file)
        checksum = row.pop("checksum")
        assert len(checksum) == 16
        assert row == {
            "filename": "pcadf059904356N004_asol1.fits.gz",
            "filetime": 59904356,
            "year": 1999,
            "doy": 329,
            "tstart": 59904356.1,
            "tstop": 59912345.6,
            "ascdsver": "8.3.2.1",
            "caldbver": "4.3.0",
            "content": "ASPSOL",
            "revision": 4,
            "date": "2010-09-01T00:00:00",
        }


class TestObspar(ArchiveProductContract):
    delivery = ("axaff07000_000N002_obs0a.par.gz", "obspar_log.gz")
    delivery_version = 2

    @pytest.fixture
    def product(self):
        return OBSPAR

    @pytest.fixture
    def sample_file(self, tmp_path):
        parameters = {
            "obs_id": "07000",
            "obi_num": 0,
            "title": 'A "quoted" title, with a comma',
            "date-obs": "2019-09-29T02:23:34",
            "tstart": 686111014.366,
            "tstop": 686117443.166,
            "sched_exp_time": None,
            "ccds2_on": "Y",
            "revision": 2,
            "not_indexed": 7,
        }
        return write_parameter_file(tmp_path / "axaff07000_000N002_obs0a.par.gz", parameters)

    def test_the_row_is_that_of_the_flight_archive(self, sample_file):
        row = OBSPAR.describe(sample_file)
        assert {name: value for name, value in row.items() if value is not None} == {
            "filename": "axaff07000_000N002_obs0a.par.gz",
            "obsid": 7000,
            "obs_id": "07000",
            "obi_num": 0,
            "title": 'A "quoted" title, with a comma',
            "date_obs": "2019-09-29T02:23:34",
            "tstart": 686111014.366,
            "tstop": 686117443.166,
            "ccds2_on": "Y",
            "revision": 2,
            "content": "OBSPAR",
        }
        assert "sched_exp_time" in row
        assert "not_indexed" not in row


# ---- what a reader of their modules is shown ------------------------------------------------------------------------

VERBS = ["get_dir", "get_files", "get_obs_dirs"]
OWN = {
    asp1: ["get_atts", "get_atts_from_files", "update_processing"],
    obspar: ["get_obsids", "get_obspar", "get_obspar_file", "read_obspar"],
}


@pytest.mark.parametrize("module", OWN, ids=lambda module: module.__name__)
def test_what_is_public_is_listed(module):
    assert {*VERBS, *OWN[module], "aca_archive_products"} < set(module.__all__)
    assert dir(module) == sorted(module.__all__)


@pytest.mark.parametrize("module", OWN, ids=lambda module: module.__name__)
def test_help_describes_every_function(module):
    text = re.sub(" +$", "", pydoc.plain(pydoc.render_doc(module)), flags=re.MULTILINE)
    functions = text.partition("\nFUNCTIONS\n")[2].partition("\nDATA\n")[0]
    for name in (*VERBS, *OWN[module]):
        described = re.split(r"\n\n    (?=\w)", functions.partition(f"    {name}(")[2])[0]
        assert "Parameters\n        ----------" in described, name
        if name != "update_processing":
            assert "Returns\n        -------" in described, name
    assert "TYPE_CHECKING" not in text
