"""Keeps the column stores of products by day up to date: it is told of every commit, and writes the pieces of that day.

Without it, as where it is disabled, the files answer.
"""

from __future__ import annotations

from aca_core import Change, Day, current_archive, hookimpl

__all__ = ["aca_committed"]


@hookimpl
def aca_committed(change: Change) -> None:
    """Let the column store of the product follow, if it has one."""
    if change.archive is None or not isinstance(change.unit, Day):
        return
    keeper = current_archive().by_day(change.product).column_store
    if keeper is not None:
        keeper.follow(change)
