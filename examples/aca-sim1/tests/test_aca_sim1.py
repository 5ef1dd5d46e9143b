"""The plugin keeps the contract of archive products, and refuses what is damaged."""

import gzip
import random

import pytest
from aca_core import Config, ConfigError, IntegrityError, Registry
from aca_core.testing import SYNTHETIC, ArchiveProductContract, ArchivingContract, write_text

from aca_sim1 import SIM1

NAME = "simf686111014N001_coor1.txt"
GOOD = f"""\
# Position of the science instrument module, mm
# COMMENT: {SYNTHETIC}
# CONTENT: SIMCOOR
# REVISION: 1
# TSTART: 686111014.25
# TSTOP: 686111015.25
# DATE: 2019-09-30T04:05:06
time sim_x sim_y sim_z
686111014.25 -0.7828 0.0 -190.1430
686111015.25 -0.7828 0.0 -190.1430
"""
ROW = {
    "filename": NAME,
    "filetime": 686111014,
    "tstart": 686111014.25,
    "tstop": 686111015.25,
    "content": "SIMCOOR",
    "revision": 1,
    "date": "2019-09-30T04:05:06",
}


class TestSim1(ArchiveProductContract):
    delivery = (NAME, "simf686114614N001_coor1.txt.gz", "simf686111014N001_log.gz")
    delivery_version = 1

    @pytest.fixture
    def product(self):
        return SIM1

    @pytest.fixture
    def sample_file(self, tmp_path):
        return write_text(tmp_path / f"{NAME}.gz", GOOD)


class TestSim1InAnArchive(ArchivingContract):
    @pytest.fixture
    def product(self):
        return SIM1

    @pytest.fixture
    def write_files(self):
        def write_files(folder, unit):
            start = 686111014 + unit.obsid
            text = GOOD.replace("REVISION: 1", f"REVISION: {unit.revision}").replace("686111014", str(start))
            text = text.replace("686111015", str(start + 1))
            write_text(folder / f"simf{start}N{unit.revision:03d}_coor1.txt.gz", text)
            write_text(folder / f"simf{start}N{unit.revision:03d}_log.gz", SYNTHETIC)

        return write_files


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_describes_a_plain_table(tmp_path):
    assert SIM1.describe(write(tmp_path / NAME, GOOD)) == ROW


def test_tells_compression_from_the_content(tmp_path):
    assert SIM1.describe(write(tmp_path / NAME, gzip.compress(GOOD.encode()))) == ROW
    assert SIM1.describe(write(tmp_path / f"{NAME}.gz", GOOD)) == {**ROW, "filename": f"{NAME}.gz"}


def test_takes_line_ends_of_other_systems(tmp_path):
    assert SIM1.describe(write(tmp_path / NAME, GOOD.replace("\n", "\r\n"))) == ROW


def test_takes_a_table_without_rows(tmp_path):
    assert SIM1.describe(write(tmp_path / NAME, GOOD[: GOOD.index("686111014.25 -")])) == ROW


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        ("CONTENT: SIMCOOR", "CONTENT: ASPSOL", r"CONTENT is 'ASPSOL'; expected SIMCOOR"),
        ("# CONTENT: SIMCOOR\n", "", r"CONTENT is None; expected SIMCOOR"),
        ("REVISION: 1", "REVISION: 2", r"REVISION is '2'; expected 1"),
        ("TSTART: 686111014.25", "TSTART: inf", r"value of TSTART is 'inf'; the index column 'tstart' expects float"),
        ("TSTART: 686111014.25", "TSTART:", r"has no value of TSTART, which the index column 'tstart' requires"),
        ("# DATE: 2019-09-30T04:05:06\n", "", r"has no value of DATE"),
        ("# CONTENT", "# TSTOP: 1\n# CONTENT", r"TSTOP twice; expected it once"),
        ("time sim_x", "time sum_x", r"has no table; expected 'time sim_x"),
    ],
)
def test_refuses_a_header_that_is_wrong(tmp_path, found, instead, message):
    path = write(tmp_path / NAME, GOOD.replace(found, instead, 1))
    with pytest.raises(IntegrityError, match=message) as caught:
        SIM1.describe(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("length", range(0, GOOD.index("sim_z"), 40))
def test_refuses_a_header_that_is_cut_off(tmp_path, length):
    with pytest.raises(IntegrityError, match="expected"):
        SIM1.describe(write(tmp_path / NAME, GOOD[:length]))


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:40], lambda data: data[:-4], lambda data: data[:30] + b"\xff" * 9 + data[39:]],
    ids=["cut in the header", "cut in the check", "overwritten"],
)
def test_refuses_damaged_compression(tmp_path, damage):
    path = write(tmp_path / f"{NAME}.gz", damage(gzip.compress(GOOD.encode(), mtime=0)))
    with pytest.raises(IntegrityError, match="gzip compression is damaged"):
        SIM1.describe(path)


def test_takes_a_long_table_that_hardly_compresses(tmp_path):
    rows = random.Random(1999).randbytes(500_000).hex()
    for level in (0, 9):
        path = write(tmp_path / f"{NAME}.gz", gzip.compress((GOOD + rows).encode(), compresslevel=level))
        assert SIM1.describe(path)["tstop"] == ROW["tstop"]


def test_reads_no_more_than_a_header_may_have(tmp_path):
    bomb = gzip.compress(GOOD.replace("time", "#" * 50_000_000 + "time").encode(), compresslevel=1)
    with pytest.raises(IntegrityError, match="within 65536 bytes") as caught:
        SIM1.describe(write(tmp_path / f"{NAME}.gz", bomb))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("name", ["simf686111014N1_coor1.txt", "simf6000N001_coor1.txt", f"{NAME}.bz2"])
def test_refuses_a_name_of_another_kind(tmp_path, name):
    with pytest.raises(IntegrityError, match="is not named like a SIM table; expected simf"):
        SIM1.describe(write(tmp_path / name, GOOD))


def test_is_found_once_installed():
    info = Registry().plugin("aca-sim1:sim1")
    assert (info.status, info.offers, info.reason) == ("loaded", ("archive product sim1",), "")


def test_takes_the_options_of_a_site():
    product = Registry(Config(products={"sim1": {"discard": ["*.md5"]}})).product("sim1")
    assert product.drops(f"{NAME}.md5")
    assert product.takes(NAME)
    assert not SIM1.drops(f"{NAME}.md5")


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"discards": ["*.md5"]}, "products.sim1.discards", r"Did you mean 'discard'\?"),
        ({"discard": "*.md5"}, "products.sim1.discard", "'\\*.md5' is not an array"),
    ],
)
def test_a_wrong_option_is_named(options, key, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Registry(Config(products={"sim1": options})).product("sim1")
    assert [problem.key for problem in caught.value.problems] == [key]
