"""Whether the column store of a product says what its files say, for the contract of products in an archive."""

from __future__ import annotations

import pytest

from aca_core.archive import DayArchive, ProductArchive

__all__ = ["KILLED_FOLLOWING", "assert_store_and_files_agree", "with_column_store"]


def with_column_store(archive: ProductArchive) -> DayArchive:
    """Return an archive whose product has a column store; skip the test of another one."""
    if not isinstance(archive, DayArchive) or archive.product.column_store is None:
        pytest.skip("the product has no column store")
    return archive


def assert_store_and_files_agree(member: DayArchive, *, is_complete: bool = True) -> None:
    """Hold every answer of the store against that of the files: of all days, and of the first and last row of each."""
    by = member.product.column_store
    assert by is not None
    files = member.read_tables("2019:270", "2019:276", use_store=False)
    moments = [float(group.values[by.time][place]) for group in files for place in (0, -1)]
    ranges: list[tuple[str | float, str | float]] = [("2019:270", "2019:276")]
    for start, stop in [*ranges, *((moment, moment) for moment in moments)]:
        found, expected = (member.read_tables(start, stop, use_store=use) for use in (True, False))
        assert len(expected) > 0, (
            f"the row at {start} is not found by its time: it lies outside tstart to tstop of its file by more than "
            f"the margin of the column store, {by.margin} s"
        )
        assert [group.group for group in found] == [group.group for group in expected]
        for one, other in zip(found, expected, strict=True):
            assert one.files == other.files
            assert one.values.keys() == other.values.keys()
            for name, values in other.values.items():
                assert (one.values[name].dtype, one.values[name].shape) == (values.dtype, values.shape), name
                assert one.values[name].tobytes() == values.tobytes(), f"{name} is other in the store"
            assert {name: each.tolist() for name, each in one.lacking.items()} == {
                name: each.tolist() for name, each in other.lacking.items()
            }
            assert one.synthetic == other.synthetic
            assert one.from_store == len(one.files) or not is_complete


KILLED_FOLLOWING = """
import os, pickle, signal, sys
from aca_core.archive.column_store import writing

def kill(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(writing, sys.argv[2], kill)
archive, changes = pickle.load(open(sys.argv[1], "rb"))
for change in changes:
    archive.column_store.follow(change)
"""
"""A program that follows changes and kills itself in a step of the writing of a piece."""
