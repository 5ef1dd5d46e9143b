"""Which files of level-0 telemetry there are, for an observation or a range of time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aca_core.aca_l0.archives import level0_archive
from aca_core.aca_l0.columns import SLOTS
from aca_core.aca_l0.one_slot import checked_sizes, checked_slot
from aca_core.errors import MissingDataError

if TYPE_CHECKING:
    from aca_core.archive.queries import RevisionWanted
    from aca_core.dates import DateLike

__all__ = ["get_files"]

_WANTED: Final[tuple[RevisionWanted, ...]] = (None, "last")
"""Versions whose times are asked for: the released one, else the newest that is archived."""

_TIMES_ROLE: Final = "obsid-times"
"""What a product provides whose index says from when to when an observation lasted."""


def get_files(
    obsid: int | None = None,
    start: DateLike = None,
    stop: DateLike = None,
    slots: int | Sequence[int] | None = None,
    imgsize: int | Sequence[int] | None = None,
    db: Any = None,
    data_root: str | Path | None = None,
) -> list[str]:
    """Return the files that have any part of an observation, or of a range of time.

    Parameters
    ----------
    obsid : int, optional
        Which observation, instead of a range: its time is that of its archived observation parameters. Of one with
        several observation intervals only the first is archived, and its time is taken.
    start, stop : date, optional
        Files whose header says ``TSTART < stop`` and ``TSTOP > start``, in any form of `aca_core.dates`; `stop` is now
        by default.
    slots : int or sequence of int, optional
        Only these, 0 to 7.
    imgsize : int or sequence of int, optional
        Only with images of these sizes: 4, 6, 8.
    db, data_root : optional
        Another index and tree, see `get_slot_data`. The time of an observation comes from the current archive.

    Returns
    -------
    list of str
        Absolute paths by the time in the names. Times in headers are 1.9 s after those of the column TIME, so that
        the rows at the ends of a range may be in the files next to these; `get_slot_data` looks there too.

    Raises
    ------
    TypeError
        Neither an obsid nor a start was given, or both.
    MissingDataError
        The observation is not archived. It is a LookupError.
    DeclarationError
        There is no such slot, size or obsid. It is a ValueError.
    DateError
        The start or the stop is no date, or the range goes backwards. It is a ValueError.

    Examples
    --------
    >>> from aca_core import open_archive, using
    >>> import tempfile
    >>> with using(open_archive(tempfile.mkdtemp())):
    ...     get_files(start="2012:001", stop="2012:002", slots=[6, 7], imgsize=8)
    []
    """
    if obsid is None and start is None:
        raise TypeError("get_files needs an obsid, or a start and a stop")
    if obsid is not None and (start is not None or stop is not None):
        given = f"obsid {obsid!r}, start {start!r}, stop {stop!r}"
        raise TypeError(f"get_files takes an obsid or a range of time, not both (there were {given})")
    where = {"slot": _checked_slots(slots), "imgsize": checked_sizes(imgsize)}
    archive = level0_archive(db, data_root)
    if obsid is not None:
        start, stop = _times_of(obsid)
    rows = archive.get_rows(start, stop, columns=["filetime"], where=where)
    return [row["path"] for row in sorted(rows, key=lambda row: (row["filetime"], row["filename"]))]


def _checked_slots(slots: Any) -> tuple[int, ...]:
    if slots is None:
        return SLOTS
    several = isinstance(slots, Iterable) and not isinstance(slots, str)
    return tuple(checked_slot(each) for each in (slots if several else [slots]))


def _times_of(obsid: int) -> tuple[float, float]:
    """Return from when to when an observation lasted, as the released parameters say, else the newest ones."""
    from aca_core.archive import ObsArchive, current_archive

    archives = [each for each in current_archive().providing(_TIMES_ROLE) if isinstance(each, ObsArchive)]
    if not archives:
        text = f"no product provides {_TIMES_ROLE!r}, by which the time of obsid {obsid} is known; give start and stop"
        raise MissingDataError(text)
    for archive in archives:
        for revision in _WANTED:
            rows = archive.get_rows(obsid, revision=revision, columns=["tstart", "tstop"])
            times = [(row["tstart"], row["tstop"]) for row in rows]
            known = [pair for pair in times if None not in pair]
            if known:
                return min(first for first, _ in known), max(last for _, last in known)
    names = ", ".join(archive.name for archive in archives)
    raise MissingDataError(
        f"the time of obsid {obsid} is not known: no {names} of it is archived; update {names}, or give start and stop"
    )
