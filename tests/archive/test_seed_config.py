"""An archive opened from the dictionary that older tools are configured with."""

from __future__ import annotations

import importlib.util
import logging
import pickle
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from aca_plugins.asp1 import ASP1
from aca_plugins.directory import DIRECTORY
from aca_plugins.file_catalogue import FileCatalogue
from aca_plugins.obspar import OBSPAR

from aca_core import AcaError, ConfigError
from aca_core.archive import ObsArchive, UpdateOptions
from aca_core.simulation import Plan, open_delivery, simulate_delivery

_spec = importlib.util.spec_from_file_location("make_upstream", Path(__file__).parent / "upstream" / "make.py")
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)

CONTENT_TYPES = [each for each in ASP1.content_types if each != "ASPSOLOBI"]


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("delivered") / "tree"
    plans = [Plan(obsid=8009, revisions=(1, 2), released=2), Plan(obsid=8010, revisions=(1, 2), released=1)]
    simulate_delivery(folder, seed=4, duration=200.0, centroid_step=4.1, plans=plans)
    return folder


@pytest.fixture
def delivery(delivered, tmp_path):
    return open_delivery(shutil.copytree(delivered, tmp_path / "delivered", symlinks=True))


@pytest.fixture
def asp1_config(tmp_path):
    """Every key, with the values that aspect products have had."""
    (tmp_path / "asp1.sql").write_text(make.ASP1_SQL)
    (tmp_path / "bad.dat").write_text("obsid\n36\n8010\n")
    (tmp_path / "temp").mkdir()
    (tmp_path / "data").mkdir(exist_ok=True)
    return {
        "data_root": str(tmp_path / "data" / "asp1"),
        "temp_root": str(tmp_path / "temp"),
        "bad_obsids": str(tmp_path / "bad.dat"),
        "cols": ["tstart", "tstop", "caldbver", "content", "ascdsver", "revision", "date"],
        "sql_def": str(tmp_path / "asp1.sql"),
        "apstat_table": "aspect_1",
        "apstat_id": "aspect_1_id",
        "label": "asp_l1",
        "small": "asp1{fidprops}",
        "small_glob": "*fidpr*",
        "small_ver_regex": r"pcadf\d+N(\d{3})_",
        "full": "asp1",
        "delete": ["kalm1", "gdat", "adat"],
        "filecheck": False,
        "content_types": CONTENT_TYPES,
        "rebuild": False,
        "firstrun": False,
        "obsid": None,
        "version": "last",
    }


@pytest.fixture
def obspar_config(tmp_path):
    (tmp_path / "obspar.sql").write_text(make.OBSPAR_SQL)
    (tmp_path / "data").mkdir(exist_ok=True)
    return {
        "data_root": str(tmp_path / "data" / "obspar"),
        "sql_def": str(tmp_path / "obspar.sql"),
        "apstat_table": "obidet_0_5",
        "apstat_id": "obidet_0_5_id",
        "label": "obspar",
        "small": "obspar",
        "small_glob": "axaff*par*",
        "small_ver_regex": r"axaff\d{5}_\d{3}N(\d{3}).*",
        "full": "obspar",
        "filecheck": True,
        "content_types": ["OBSPAR"],
    }


def fed(config, delivery):
    retriever = attrs.evolve(DIRECTORY, folder=delivery.folder)
    return ObsArchive.from_config(
        config, retriever=retriever, catalogue=FileCatalogue(name="file", path=delivery.catalogue)
    )


def ask(folder, sql):
    with closing(sqlite3.connect(Path(folder) / "archfiles.db3")) as database:
        return database.execute(sql).fetchall()


def test_an_archive_from_beginning_to_end(asp1_config, delivery):
    archive = fed(asp1_config, delivery)
    assert archive.update() == [8009, 8010]
    top = f"{asp1_config['data_root']}/08"
    assert archive.get_dir(8009) == f"{top}/08009"
    assert archive.get_obs_dirs(8010)["last"] == f"{top}/08010_last"
    assert archive.get_files(8009, content="ASPSOL")[0].startswith(f"{top}/08009_v02/pcadf")
    assert not [path for path in Path(top).rglob("*") if any(each in path.name for each in ("kalm1", "gdat", "adat"))]
    assert (Path(top).parent / "last_id.txt").read_text().strip() == "20004"
    # As older tools had it, the combined solution of an observation is asked for by its name alone.
    assert not any("ASPSOLOBI" in row["content"] for row in archive.get_rows(8009))
    assert len(archive.get_files(8009, content="ASPSOLOBI")) == 1
    assert archive.update() == []


@pytest.mark.parametrize("product", ["asp1", "obspar"])
def test_the_table_is_that_of_the_sql(request, delivery, product, tmp_path):
    config = request.getfixturevalue(f"{product}_config")
    fed(config, delivery).update()
    sql = {"asp1": make.ASP1_SQL, "obspar": make.OBSPAR_SQL.replace("tetxt", "text")}[product]
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(sql)
        expected = database.execute("PRAGMA table_info(archfiles)").fetchall()
    assert ask(config["data_root"], "PRAGMA table_info(archfiles)") == expected
    assert ask(config["data_root"], "SELECT count(*) FROM archfiles WHERE isdefault = 1")[0][0] > 0


def test_the_rows_are_those_of_the_plugins(asp1_config, obspar_config, delivery):
    """What the dictionary describes is what the declarations that come with aca-core describe."""
    for config, product in ((asp1_config, ASP1), (obspar_config, OBSPAR)):
        archive = fed(config, delivery)
        archive.update()
        for row in archive.get_rows(8009, revision="all"):
            path = Path(row["path"])
            mine = product.describe(path)
            assert {name: row[name] for name in mine} == mine


def test_parameters_are_read_whole_or_by_their_columns(obspar_config, delivery):
    archive = fed(obspar_config, delivery)
    archive.update()
    (path,) = archive.get_files(8010)
    whole = archive.get_all_obspar_info(0, path, [path])
    few = archive.get_obspar_info(0, path, [path])
    assert (whole["obsid"], whole["filename"]) == (8010, Path(path).name)
    assert "synthetic" in whole
    assert "synthetic" not in few
    assert few["obsid"] == 8010
    assert few == archive.get_arch_info(0, path, [path])


def test_one_observation_by_the_dictionary(asp1_config, delivery):
    archive = fed({**asp1_config, "obsid": 8010, "version": 2}, delivery)
    assert archive.update() == [8010]
    assert archive.get_obs_dirs(8010)["revisions"] == [1, 2]
    assert archive.get_obs_dirs(8009) is None
    assert archive.update(obsid=8009, version="default") == [8009]
    assert archive.get_obs_dirs(8009)["revisions"] == [2]


def test_rebuild_and_first_run_by_the_dictionary(asp1_config, delivery):
    fed(asp1_config, delivery).update(obsid=8009, version=1)
    folder = Path(asp1_config["data_root"])
    with closing(sqlite3.connect(folder / "archfiles.db3")) as database, database:
        database.execute("DELETE FROM aca_state WHERE key = 'last_id'")
        database.execute("DELETE FROM aca_obsids")  # as if other tools had archived it
    with pytest.raises(AcaError, match="--rebuild"):
        fed(asp1_config, delivery).update()
    archive = fed({**asp1_config, "rebuild": True, "firstrun": True}, delivery)
    assert archive.update() == [8010]  # 8009 has its newest version already
    assert archive.get_obs_dirs(8010)["revisions"] == [1, 2]


def test_bad_obsids_by_the_dictionary(asp1_config, delivery):
    archive = fed(asp1_config, delivery)
    archive.update()
    delivery.release(8010, 2)
    assert archive.update() == []
    assert fed({**asp1_config, "bad_obsids": None}, delivery).update() == [8010]


def test_whether_files_are_compared_again_by_the_dictionary(asp1_config, delivery):
    archive = fed(asp1_config, delivery)
    archive.update()
    (delivery.folder / "asp1/08/08009_v02/more_log.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0")
    assert archive.run_update(UpdateOptions(obsid=8009)).changes == []
    archive = fed({**asp1_config, "filecheck": True}, delivery)
    assert [change.added for change in archive.run_update(UpdateOptions(obsid=8009)).changes] == [("more_log.gz",)]


def test_the_folder_for_what_is_temporary_stays_as_it_is(asp1_config, delivery, tmp_path):
    (tmp_path / "temp" / "of somebody else").write_text("keep")
    fed(asp1_config, delivery).update()
    assert (tmp_path / "temp" / "of somebody else").read_text() == "keep"
    assert [path.name for path in (tmp_path / "temp").iterdir()] == ["of somebody else"]


def test_two_archives_may_share_a_folder_for_what_is_temporary(asp1_config, delivery, tmp_path):
    """Each removes what was left of its own, and not what the other one is working on."""
    (tmp_path / "other").mkdir()
    other = {**asp1_config, "data_root": str(tmp_path / "other" / "asp1")}
    places = {archive.stores[0].staging for archive in (fed(asp1_config, delivery), fed(other, delivery))}
    assert len(places) == 2
    assert all(place.parent == tmp_path / "temp" for place in places)


def test_the_dictionary_can_be_read_back(asp1_config, delivery):
    archive = fed(asp1_config, delivery)
    assert {key: archive.config[key] for key in asp1_config} == asp1_config
    archive.config["label"] = "other"
    assert archive.config["label"] == "asp_l1"
    assert isinstance(archive.logger, logging.Logger)
    assert archive.logger.name == "aca_core"


def test_a_few_keys_are_enough_to_read(tmp_path):
    make.build(tmp_path / "archive")
    archive = ObsArchive.from_config({"data_root": tmp_path / "archive" / "asp1"})
    assert archive.get_dir(2121) == f"{tmp_path}/archive/asp1/02/02121"
    assert archive.get_obs_dirs(6000)["revisions"] == [2, 3]
    assert len(archive.get_files(2121, content=["ASPSOL", "FIDPROPS"])) == 2
    assert len(archive.get_files(2121)) == 3
    with pytest.raises(ConfigError, match=r"give a retriever to from_config\(\)"):
        archive.update()


def test_an_archive_of_a_dictionary_travels(asp1_config, delivery):
    archive = fed(asp1_config, delivery)
    archive.update(obsid=8009)
    again = pickle.loads(pickle.dumps(archive))
    assert again.get_files(8009) == archive.get_files(8009)
    assert again.config == archive.config
    assert again.update(rebuild=True) == [8009, 8010]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"smal": "obspar"}, r"smal.*Did you mean 'small'\?"),
        ({"data_root": None}, "data_root.*is missing"),
        ({"sql_def": "broken.sql"}, "sql_def.*cannot be run"),
        ({"sql_def": "other.sql"}, "makes no table archfiles"),
        ({"sql_def": "attach.sql"}, "sql_def.*not authorized"),
        ({"sql_def": "./absent.sql"}, r"sql_def.*absent\.sql cannot be read"),
        ({"sql_def": "sql/absent.sql"}, r"sql_def.*absent\.sql cannot be read"),
        ({"bad_obsids": [36, "37"]}, "bad_obsids.*whole numbers from 0 to 99999, or a file of them"),
        ({"small_ver_regex": "no group"}, "group"),
        ({"small_ver_regex": "(broken"}, "regular expression"),
        ({"apstat_table": "aspect 1"}, "aspect 1"),
    ],
)
def test_what_is_wrong_with_a_dictionary(asp1_config, tmp_path, change, problem):
    (tmp_path / "broken.sql").write_text("CREATE TABEL archfiles (filename text)")
    (tmp_path / "other.sql").write_text("CREATE TABLE files (filename text)")
    (tmp_path / "attach.sql").write_text(f"ATTACH DATABASE '{tmp_path}/made.db3' AS made")
    with pytest.raises(AcaError, match=problem):
        ObsArchive.from_config({**asp1_config, **change})
    assert not (tmp_path / "made.db3").exists()
    assert list((tmp_path / "data").iterdir()) == []
