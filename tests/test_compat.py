"""The names of mica: they are there, they take what they took, and they are ours."""

from __future__ import annotations

import inspect
import sqlite3
from contextlib import closing

import pytest
from aca_plugins import asp1 as our_asp1
from aca_plugins import obspar as our_obspar

from aca_core import Config, DeclarationError, MissingDataError, ProductSet, open_archive, using
from aca_core import ObsArchive as OurObsArchive
from aca_core.compat.mica.archive import asp_l1, asp_l1_proc, obsid_archive, obspar
from aca_core.simulation import simulate_delivery
from aca_core.testing import write_parameter_file


@pytest.mark.parametrize(
    ("module", "ours", "names"),
    [
        (asp_l1, our_asp1, ["get_atts", "get_atts_from_files", "get_dir", "get_files", "get_obs_dirs"]),
        (
            obspar,
            our_obspar,
            ["get_dir", "get_files", "get_obs_dirs", "get_obsids", "get_obspar", "get_obspar_file"],
        ),
    ],
)
def test_functions_are_those_of_the_plugins(module, ours, names):
    assert module.__all__ == names
    for name in names:
        assert getattr(module, name) == getattr(ours, name)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (asp_l1.get_dir, ["obsid"]),
        (asp_l1.get_obs_dirs, ["obsid"]),
        (asp_l1.get_files, ["obsid", "start", "stop", "revision", "content"]),
        (asp_l1.get_atts, ["obsid", "start", "stop", "revision", "filter"]),
        (asp_l1.get_atts_from_files, ["asol_files", "acal_files", "aqual_files", "filter"]),
        (obspar.get_files, ["obsid", "start", "stop", "revision", "content"]),
        (obspar.get_obspar, ["obsid", "version"]),
        (obspar.get_obspar_file, ["obsid", "version"]),
        (obspar.get_obsids, ["start", "stop", "revision"]),
        (asp_l1_proc.update, ["obsids", "config"]),
    ],
)
def test_arguments_are_those_of_mica(function, arguments):
    assert list(inspect.signature(function).parameters) == arguments


def test_the_parser_has_two_names_and_counts_the_ccds(tmp_path):
    path = write_parameter_file(tmp_path / "a.par.gz", {"obs_id": "90123", "ccds3_on": "Y"})
    expected = {"obs_id": "90123", "ccds3_on": "Y", "num_ccd_on": 1}
    assert obsid_archive.parse_obspar(path) == obsid_archive.get_obspar(str(path)) == expected


def test_the_archive_and_its_error_are_ours():
    assert obsid_archive.ObsArchive is OurObsArchive
    assert issubclass(obsid_archive.ProductVersionError, MissingDataError)


# ---- the table of runs ----------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    delivery = simulate_delivery(tmp_path / "delivered", seed=2, duration=100.0, obsids=[8008])
    (tmp_path / "root").mkdir()
    config = Config(
        root=[tmp_path / "root"],
        sets={"nightly": ProductSet(products=("asp1",), retriever="directory", catalogue="file")},
        retrievers={"directory": {"folder": str(delivery.folder)}},
        catalogues={"file": {"path": str(delivery.catalogue)}},
    )
    opened = open_archive(config=config)
    opened["asp1"].update(rebuild=True)
    (tmp_path / "root" / "asp1" / "processing_asp_l1.db3").unlink()
    return opened


def runs_in(archive):
    with closing(sqlite3.connect(archive.roots[0] / "asp1" / "processing_asp_l1.db3")) as connection:
        return connection.execute("SELECT obsid, revision, isdefault FROM aspect_1_proc").fetchall()


def test_the_table_is_that_of_the_current_archive(archive):
    with using(archive):
        asp_l1_proc.update([8008])
    assert runs_in(archive) == [(8008, 1, 1)]


def test_another_folder_may_be_named(archive, tmp_path):
    (tmp_path / "empty").mkdir()
    with using(open_archive(tmp_path / "empty", archive.config)):
        asp_l1_proc.update([8008], {"data_root": str(archive.roots[0] / "asp1"), "sql_def": "unused.sql"})
    assert runs_in(archive) == [(8008, 1, 1)]
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_folder_of_another_name_is_refused(archive):
    with using(archive), pytest.raises(DeclarationError, match="asp1"):
        asp_l1_proc.update([8008], {"data_root": "/data/aca/archive/obspar"})
