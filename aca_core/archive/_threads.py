"""A function for each of some files, a few of them at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["in_threads"]

_THREADS: Final = 4
"""How many at a time at most: decompressing is done by as many as there are processors, and disks do little more."""

S = TypeVar("S")
T = TypeVar("T")


def in_threads(function: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """Return what a function makes of each item, in their order.

    Parameters
    ----------
    function : callable
        Most of its time is to be spent outside of the interpreter: decompressing, digests, waiting for the disk.
    items : sequence
        What it is called with.

    Returns
    -------
    list

    Raises
    ------
    Exception
        What the function raises of the first item for which it does.

    Examples
    --------
    >>> in_threads(len, ["a", "bc"])
    [1, 2]
    """
    number = min(_THREADS, os.cpu_count() or 1, len(items))
    if number < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(number, thread_name_prefix="aca-files") as pool:
        try:
            return list(pool.map(function, items))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
