"""A power loss at any step of an update leaves an archive that the next update completes, and loses nothing committed.

What a disk may forget, and what not, is said in `fault_disk`. An update is followed on such a disk, and at each of its
steps the power fails, in three ways: no change of a name that was not synced is there; all are, but files that were not
synced are empty; or some are, and of such files any part, as a seed decides.
"""

import pytest
from fault_scenes import NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fail"])
def test_a_power_loss_anywhere_leaves_a_sound_archive_and_the_next_update_completes_it(everywhere, name):
    found = everywhere("power_lost_everywhere", name)
    assert found["problems"] == []
    assert found["tried"] >= found["moments"] >= 20


def test_the_files_of_a_revision_would_be_lost_on_a_disk_that_only_pretends_to_sync(workers, scenes):
    """Otherwise the tests above would not see a sync that is missing."""
    folder = scenes("retry")
    for way, worker in zip(("dropped", "kept"), workers, strict=True):
        worker.ask("power_lost_everywhere", folder, "retry", 0, 2, "fsync", [way])
    dropped, kept = (worker.answer()["problems"] for worker in workers)
    assert any("No such file" in problem for problem in dropped)
    assert any("readers see half of 08010_v02" in problem for problem in kept)
