"""A process that is killed at any step leaves an archive that readers can use and that the next update completes."""

import pytest
from fault_scenes import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_update_that_is_killed_anywhere_leaves_a_sound_archive_and_the_next_one_completes_it(everywhere, name):
    """After each kill readers see whole revisions, what is unfinished is named, and the next update makes up for it.

    Then the archive is that of an update that was never interrupted: byte for byte in its files and links, row for row
    in its index. Moments that leave the same disk as the moment before are one.
    """
    found = everywhere("killed_everywhere", name)
    assert found["problems"] == []
    assert found["tried"] >= 20
    assert {"commit", "mkdir", "open", "unlink"} <= set(found["kinds"])


def test_what_is_left_of_a_killed_replacement_can_be_mended_without_an_update(everywhere):
    """Nothing that only is unfinished is taken for damaged, and fetched again."""
    assert everywhere("killed_everywhere", "replace", True)["problems"] == []


def test_a_reader_goes_on_when_writers_are_killed_within_their_transactions(worker, scenes):
    """It reads from the last committed state, may it write to the index or not, and sees the next one that comes."""
    found = worker("read_on_while_writers_are_killed", scenes("release"), "release")
    assert found["problems"] == []
    assert found["tried"] >= 8
