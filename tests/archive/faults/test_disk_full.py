"""A disk without room: the update says so, nothing that was archived suffers, and with room again it is completed."""

import pytest


@pytest.mark.parametrize("name", ["first", "replace", "withdraw", "days-first", "days-supersede"])
def test_a_full_disk_anywhere_ends_the_update_with_its_error_and_the_next_one_completes_it(everywhere, name):
    """The disk is full for one operation, or from it on for all that need room; nothing is held against an item."""
    found = everywhere("full_everywhere", name)
    assert found["problems"] == []
    assert found["raised"] > found["tried"] / 2  # some operations may fail: who signs the lock, for example


@pytest.mark.parametrize("name", ["first", "replace", "retry", "days-first"])
def test_a_limit_on_the_size_of_files_does_no_harm(worker, scenes, name):
    """The system itself cuts writes short, in the midst of files and of transactions."""
    found = worker("limited_file_size", scenes(name), name)
    assert found["problems"] == []
    assert found["raised"] == found["tried"]
