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
from aca_core import dark_cal as our_dark_cal
from aca_core import dark_model as our_dark_model
from aca_core import dark_processing as our_dark_processing
from aca_core.compat.mica.archive import aca_dark, asp_l1, asp_l1_proc, obsid_archive, obspar
from aca_core.compat.mica.archive.aca_dark import dark_model, update_aca_dark  # noqa: F401  # as upstream's programs do
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


# ---- dark calibrations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "ours", "names"),
    [
        (
            aca_dark.dark_cal,
            our_dark_cal,
            [
                *("dark_id_to_date", "dark_temp_scale", "date_to_dark_id", "get_dark_cal_dirs", "get_dark_cal_id"),
                *("get_dark_cal_ids", "get_dark_cal_image", "get_dark_cal_props", "get_dark_cal_props_table"),
                "temp_scalefac",
            ],
        ),
        (
            aca_dark.dark_model,
            our_dark_model,
            [
                *("acq_success_prob", "get_acq_success", "get_dark_hist", "get_dark_model", "get_guide_success"),
                *("get_sbp_pars", "get_warm_fracs", "smooth_broken_pow", "temp_scalefac"),
            ],
        ),
        (aca_dark.update_aca_dark, our_dark_processing, ["get_ccd_temp", "get_dark_cal_id"]),
    ],
)
def test_functions_of_dark_calibrations_are_ours(module, ours, names):
    assert module.__all__ == names
    for name in names:
        assert getattr(module, name) is getattr(ours, name)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (aca_dark.get_dark_cal_dirs, ["source"]),
        (aca_dark.get_dark_cal_id, ["date", "select", "dark_cal_ids"]),
        (aca_dark.get_dark_cal_image, ["date", "select", "t_ccd_ref", "aca_image", "allow_negative"]),
        (
            aca_dark.get_dark_cal_props,
            ["date", "select", "include_image", "t_ccd_ref", "aca_image", "allow_negative"],
        ),
        (aca_dark.get_dark_cal_props_table, ["start", "stop", "include_image", "as_table"]),
        (aca_dark.dark_temp_scale, ["t_ccd", "t_ccd_ref", "scale_4c"]),
        (aca_dark.temp_scalefac, ["t_ccd", "t_ccd_ref"]),
        (aca_dark.update_aca_dark.get_ccd_temp, ["tstart", "tstop"]),
        (aca_dark.update_aca_dark.get_dark_cal_id, ["date"]),
    ],
)
def test_arguments_of_dark_calibrations_are_those_of_mica(function, arguments):
    """They come first and by position; ours may follow."""
    assert list(inspect.signature(function).parameters)[: len(arguments)] == arguments


def test_the_package_of_dark_calibrations_has_their_names_and_their_scale():
    assert aca_dark.__all__ == aca_dark.dark_cal.__all__
    assert aca_dark.temp_scalefac(t_ccd=-15, t_ccd_ref=-19) == pytest.approx(0.7, rel=1e-12)
    assert aca_dark.temp_scalefac(-15) * aca_dark.dark_model.temp_scalefac(-15) == pytest.approx(1.0, rel=1e-12)


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
