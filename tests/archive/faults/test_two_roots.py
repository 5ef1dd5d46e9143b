"""Two roots: the first that has a thing answers, and the first is written to."""

from pathlib import Path

import pytest
from fault_scenes import ALONE, OBSID, PRODUCT, archive_of, delivered, tree

from aca_core import open_archive
from aca_core.archive import UpdateOptions


@pytest.fixture
def roots(tmp_path):
    """Two archives: the first has one version of 8010, the second has two, and 8008 as well."""
    delivered(tmp_path / "delivered", (OBSID, ALONE))
    found = [tmp_path / "mine", tmp_path / "shared"]
    for root in found:
        root.mkdir()
    archive_of(tmp_path / "delivered", found[0])[PRODUCT].run_update(UpdateOptions(obsid=OBSID, version=1))
    archive_of(tmp_path / "delivered", found[1])[PRODUCT].run_update()
    return found


@pytest.fixture
def member(roots, tmp_path):
    """Open both as one archive."""
    return open_archive(roots, archive_of(tmp_path / "delivered", roots[0]).config)[PRODUCT]


def _tops(paths, roots):
    return [root.name for path in paths for root in roots if Path(path).is_relative_to(root)]


def test_the_first_root_that_has_an_observation_answers(member, roots):
    assert member.get_obs_dirs(OBSID)["revisions"] == [1]
    assert set(_tops(member.get_files(OBSID, revision="all"), roots)) == {"mine"}
    assert _tops([member.get_dir(ALONE)], roots) == ["shared"]


def test_in_a_range_of_time_each_observation_comes_from_one_root(member, roots):
    files = member.get_files(start="2021:001", stop="2022:001")
    assert len({Path(path).name for path in files}) == len(files)
    assert {Path(path).parent.name: top for path, top in zip(files, _tops(files, roots), strict=True)} == {
        "08010_v01": "mine",
        "08008_v01": "shared",
    }


def test_the_first_root_is_written_to_and_the_second_is_left_alone(member, roots):
    before = tree(roots[1])
    member.run_update(UpdateOptions(rebuild=True))
    assert tree(roots[1]) == before
    assert member.get_obs_dirs(OBSID)["revisions"] == [1, 2]
    assert set(_tops(member.get_files(ALONE), roots)) == {"mine"}
    assert member.verify() == []
