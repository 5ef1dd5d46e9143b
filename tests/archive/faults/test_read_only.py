"""An archive that may only be read is read without a trace; whoever wants to write there is told."""

import pytest


@pytest.mark.parametrize("killed_at", [None, 0, -2])
def test_an_archive_is_read_by_somebody_who_may_not_write_to_it(worker, scenes, killed_at):
    """Nothing is made or touched, also where a writer was killed in a transaction that somebody has to take back."""
    assert worker("read_without_rights", scenes("release"), "release", killed_at) == {"problems": []}


def test_an_update_of_a_read_only_mount_says_so_and_changes_nothing(worker, scenes):
    assert worker("update_on_a_read_only_mount", scenes("release"), "release") == {"problems": []}
