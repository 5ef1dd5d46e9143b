"""The observation parameters: which file, what is in it, and which observations there are."""

from __future__ import annotations

import pytest
from aca_plugins import obspar

from aca_core import AcaError, Config, IntegrityError, ProductSet, open_archive, using
from aca_core.dates import to_secs
from aca_core.simulation import simulate_delivery
from aca_core.simulation.obspar_file import obspar_values
from aca_core.testing import write_parameter_file, write_text

EXAMPLE = """\
obs_id,s,h,"90123",,,"Observation ID"
obi_num,i,h,0,,,"Observation interval number"
title,s,h,"A ""quoted"" title, with a comma",,,"Proposal title"
detnam,s,h,"ACIS-235678",,,""
date-obs,s,h,"2019-09-29T02:23:34",,,"TT"
tstart,r,h,686111014.366,,,"s"
sched_exp_time,r,h,,,,"no value"
ccds2_on,s,h,"Y",,,""
ccds3_on,s,h,"Y",,,""
ccds4_on,s,h,"O1",,,""
ccdi2_on,s,h,"N",,,""
revision,i,h,2,,,""
"""


# ---- a file ---------------------------------------------------------------------------------------------------------


def test_a_file_is_read_in_its_order_with_the_number_of_ccds(tmp_path):
    found = obspar.read_obspar(write_text(tmp_path / "a.par.gz", EXAMPLE))
    assert found == {
        "obs_id": "90123",
        "obi_num": 0,
        "title": 'A "quoted" title, with a comma',
        "detnam": "ACIS-235678",
        "date_obs": "2019-09-29T02:23:34",
        "tstart": 686111014.366,
        "sched_exp_time": None,
        "ccds2_on": "Y",
        "ccds3_on": "Y",
        "ccds4_on": "O1",
        "ccdi2_on": "N",
        "revision": 2,
        "num_ccd_on": 2,
    }
    assert list(found)[:3] == ["obs_id", "obi_num", "title"]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"detector": "HRC-I"}, 0),
        ({"ccds2_on": "y", "ccds3_on": " Y", "ccdi0_on": "", "ccdx1_on": "Y", "my_ccds1_on": "Y"}, 0),
        ({f"ccd{row}{number}_on": "Y" for row, number in ("i0", "i1", "i2", "i3", "s0", "s5")}, 6),
    ],
)
def test_what_counts_as_a_ccd_that_is_on(tmp_path, parameters, count):
    assert obspar.read_obspar(write_parameter_file(tmp_path / "a.par", parameters))["num_ccd_on"] == count


# ---- the archive ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivery(tmp_path_factory):
    """8008 one version, 8010 a provisional one too, 8011 (HRC) provisional only, 8013 two intervals in the tree."""
    folder = tmp_path_factory.mktemp("simulated") / "delivered"
    return simulate_delivery(folder, seed=8, duration=100.0, obsids=[8008, 8010, 8011, 8013], every_obi=True)


@pytest.fixture(scope="module")
def archive(delivery, tmp_path_factory):
    config = Config(
        root=[tmp_path_factory.mktemp("root")],
        sets={"nightly": ProductSet(products=("obspar",), retriever="directory", catalogue="file")},
        retrievers={"directory": {"folder": str(delivery.folder)}},
        catalogues={"file": {"path": str(delivery.catalogue)}},
    )
    opened = open_archive(config=config)
    opened["obspar"].update(rebuild=True)
    return opened


@pytest.fixture
def current(archive):
    with using(archive):
        yield archive


@pytest.mark.parametrize(
    ("obsid", "version", "expected"),
    [
        (8010, "default", "08010/axaff08010_000N001_obs0a.par.gz"),
        (8010, "last", "08010_last/axaff08010_000N002_obs0a.par.gz"),
        (8010, 2, "08010_v02/axaff08010_000N002_obs0a.par.gz"),
        (8008, "last", "08008/axaff08008_000N001_obs0a.par.gz"),
        (8011, "default", None),
        (8011, "last", "08011_last/axaff08011_000N001_obs0a.par.gz"),
        (8013, "default", "08013/axaff08013_000N001_obs0a.par.gz"),
        (8010, 3, None),
        (9999, "default", None),
    ],
)
def test_the_file_of_a_version(current, obsid, version, expected):
    found = obspar.get_obspar_file(obsid, version)
    assert found == (None if expected is None else str(current.roots[0] / "obspar" / "08" / expected))
    assert (obspar.get_obspar(obsid, version) is None) == (expected is None)


@pytest.mark.parametrize("version", ["newest", "revisions", "1", None, 1.5])
@pytest.mark.parametrize("function", [obspar.get_obspar_file, obspar.get_obspar])
def test_versions_that_are_none_are_refused(current, function, version):
    with pytest.raises(ValueError, match="a version number, 'default' or 'last'") as caught:
        function(8010, version)
    assert isinstance(caught.value, AcaError)


def test_the_parameters_are_those_that_were_delivered(current, delivery):
    for obsid in (8008, 8010, 8013):
        written = dict(obspar_values(delivery.truth.of(obsid).observation))
        found = obspar.get_obspar(obsid)
        on = sum(value == "Y" for name, value in written.items() if name.startswith("ccd") and name.endswith("_on"))
        assert found == {**{name.replace("-", "_"): value for name, value in written.items()}, "num_ccd_on": on}


def test_a_file_of_another_observation_is_refused(current, monkeypatch):
    path = obspar.get_obspar_file(8008)
    monkeypatch.setattr(obspar, "get_obspar_file", lambda obsid, version: path)
    with pytest.raises(IntegrityError, match="obs_id is '8008'; expected 8010") as caught:
        obspar.get_obspar(8010)
    assert caught.value.path == path


def test_files_and_folders_are_those_of_the_archive(current):
    folder = str(current.roots[0] / "obspar" / "08")
    assert obspar.get_dir(8010) == f"{folder}/08010"
    assert obspar.get_dir(9999) is None
    assert obspar.get_obs_dirs(8010) == {
        1: f"{folder}/08010_v01",
        2: f"{folder}/08010_v02",
        "default": f"{folder}/08010",
        "last": f"{folder}/08010_last",
        "revisions": [1, 2],
    }
    assert obspar.get_files(8010) == [f"{folder}/08010_v01/axaff08010_000N001_obs0a.par.gz"]
    assert len(obspar.get_files(8010, revision="all")) == 2


def test_obsids_of_a_range_by_time_and_each_once(current, delivery):
    assert obspar.get_obsids("2021:001", "2021:002") == [8008, 8010, 8013]
    assert obspar.get_obsids("2021:001", "2021:002", revision="all") == [8008, 8010, 8011, 8013]
    assert obspar.get_obsids("2021:001", "2021:002", revision="last") == [8008, 8010, 8011, 8013]
    assert obspar.get_obsids("2020:001", "2020:002") == []
    stop = delivery.truth.of(8008).observation.stop
    assert obspar.get_obsids(to_secs("2020:300"), stop - 1) == [8008]
    assert obspar.get_obsids(stop, stop + 1) == []
    assert obspar.get_obsids("2021:001") == [8008, 8010, 8013]  # until now
    assert obspar.get_obsids("2021:001", revision="last") == [8008, 8010, 8011, 8013]
