"""Readers and writers at the same time, and the lock that lets one writer in after the other."""

import pytest


def test_four_readers_and_two_writers_see_no_error_and_no_half_revision(worker, tmp_path):
    """Writers deliver, release, withdraw and replace for some seconds; what is replaced is seen whole, before or after.

    Who has listed a file before it was replaced reads one state or the other, and both where there are several files;
    that is known from the index, which says that there was a change.
    """
    found = worker("many_at_once", str(tmp_path), 5.0)
    assert found["problems"] == []
    assert min(found["updates"]) >= 5
    assert min(found["reads"]) >= 10


@pytest.mark.parametrize("kind", ["kernel", "soft"])
def test_a_second_writer_waits_or_says_who_writes(worker, scenes, kind):
    """Of a kernel lock nothing is left when its holder is killed."""
    assert worker("locks", scenes("release"), "release", kind) == {"problems": []}
