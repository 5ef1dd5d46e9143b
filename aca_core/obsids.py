"""Lists of obsids: written out, or kept in a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, TypeAlias

from aca_core._checks import as_tuple, check
from aca_core.errors import IntegrityError
from aca_core.text_files import read_text_file

__all__ = ["MAX_OBSID", "ObsidList", "as_obsid_list", "check_obsid_list", "is_obsid_list", "obsids_in"]

MAX_OBSID: Final = 99_999
"""Obsids have up to five digits."""

ObsidList: TypeAlias = tuple[int, ...] | Path
"""Obsids, or the file that lists them."""


def as_obsid_list(value: Any) -> Any:
    """Return a list of obsids as a tuple, or the path of its file; for ``converter=``.

    Parameters
    ----------
    value : iterable of int, or path-like
        The obsids, or the file that lists them.

    Returns
    -------
    tuple of int or Path
        Anything else as it is, for `is_obsid_list` to refuse.

    Examples
    --------
    >>> as_obsid_list([36, 37])
    (36, 37)
    """
    return Path(value) if isinstance(value, str) else as_tuple(value)


def is_obsid_list(value: object) -> bool:
    """Say whether a value is a tuple of obsids, or a path.

    Parameters
    ----------
    value : object
        The candidate.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_obsid_list((36, 37)), is_obsid_list((123456,))
    (True, False)
    """
    return isinstance(value, Path) or (
        isinstance(value, tuple)
        and all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= MAX_OBSID for each in value)
    )


check_obsid_list: Final = check(is_obsid_list, f"whole numbers from 0 to {MAX_OBSID}, or a file of them")
"""The validator of a field that is a list of obsids."""


def obsids_in(obsids: ObsidList) -> frozenset[int]:
    """Return the obsids of a list, reading its file if it is kept in one.

    A file has one obsid a line; the heading ``obsid``, blank lines and what follows a ``#`` count for nothing, so the
    lists of older archives are read as they are.

    Parameters
    ----------
    obsids : tuple of int or Path
        The list.

    Returns
    -------
    frozenset of int

    Raises
    ------
    IntegrityError
        A line of the file is no obsid.
    OSError
        The file cannot be read.

    Examples
    --------
    >>> sorted(obsids_in((37, 36, 36)))
    [36, 37]
    """
    if not isinstance(obsids, Path):
        return frozenset(obsids)
    found = set()
    for number, line in enumerate(read_text_file(obsids).splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text or text.lower() == "obsid":
            continue
        if not re.fullmatch(r"\d{1,5}", text, re.ASCII):
            raise IntegrityError(obsids, f"line {number} is {text[:40]!r}; expected an obsid of up to five digits")
        found.add(int(text))
    return frozenset(found)
