"""What the README shows works: a file is delivered, an update archives it, and it is found."""

import re
from pathlib import Path

import pytest
from aca_core import Registry, load_config, open_archive
from aca_core.testing import SYNTHETIC, write_text

README = Path(__file__).parents[1] / "README.md"
NAME = "simf686111014N001_coor1.txt.gz"
TEXT = f"""\
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


def block(language):
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    return text


@pytest.fixture
def config(tmp_path):
    """The README's configuration, with its folders in a place of the test."""
    file = tmp_path / "aca.toml"
    file.write_text(re.sub('"/(data|mirror)/', f'"{tmp_path.as_posix()}/\\1/', block("toml")))
    (tmp_path / "data" / "aca" / "archive").mkdir(parents=True)
    return load_config(file, environ={})


@pytest.fixture
def mirror(tmp_path):
    """The README's delivery and its catalogue."""
    versions = tmp_path / "mirror" / "delivered" / "sim1" / "07"
    (versions / "07000_v01").mkdir(parents=True)
    write_text(versions / "07000_v01" / NAME, TEXT)
    write_text(versions / "07000_v01" / f"{NAME}.md5", SYNTHETIC)
    (versions / "07000").symlink_to("07000_v01")
    (tmp_path / "mirror" / "catalogue").mkdir()
    (tmp_path / "mirror" / "catalogue" / "sim.csv").write_text(block("csv"))
    return tmp_path / "mirror"


def test_the_configuration_is_complete(config):
    chosen = config.product_set("nightly")
    registry = Registry(config)
    assert registry.retriever(chosen.retriever).folder.name == "delivered"
    assert registry.catalogue(chosen.catalogue).path.name == "catalogue"
    assert [registry.product(name).work.table for name in chosen.products] == ["sim"]


def test_what_is_delivered_is_archived_and_found(config, mirror, tmp_path):
    archive = open_archive(config=config)
    assert archive["sim1"].update() == [7000]
    folder = tmp_path / "data" / "aca" / "archive" / "sim1" / "07"
    assert archive["sim1"].get_files(7000) == [str(folder / "07000_v01" / NAME)]
    assert archive["sim1"].get_files(start="2019:271", stop="2019:274") == archive["sim1"].get_files(7000)
    assert archive["sim1"].get_dir(7000) == str(folder / "07000")
    assert [path.name for path in (folder / "07000").iterdir()] == [NAME]
    assert archive["sim1"].update() == []


def test_what_is_new_is_known_by_the_catalogue(config, mirror):
    archive = open_archive(config=config)
    archive["sim1"].update()
    versions = mirror / "delivered" / "sim1" / "07"
    (versions / "07000_v02").mkdir()
    write_text(versions / "07000_v02" / NAME.replace("N001", "N002"), TEXT.replace("REVISION: 1", "REVISION: 2"))
    (versions / "07000_last").symlink_to("07000_v02")
    with (mirror / "catalogue" / "sim.csv").open("a") as table:
        table.write("2,7000,0,2,2020-01-01 00:00:00,P\n")
    assert archive["sim1"].update() == [7000]
    assert archive["sim1"].get_obs_dirs(7000)["revisions"] == [1, 2]
    assert [row["revision"] for row in archive["sim1"].get_rows(7000)] == [1]
    assert [row["revision"] for row in archive["sim1"].get_rows(7000, revision="last")] == [2]
