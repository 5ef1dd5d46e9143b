"""What the telemetry says of some quantities of header 3 in a range of time: rows of slots, put on one time base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from aca_core.aca_hdr3.decoding import decode, raw_words
from aca_core.aca_hdr3.items import Hdr3Item
from aca_core.aca_l0.one_slot import slot_columns
from aca_core.arrays import BoolArray, FloatArray, IntArray

__all__ = ["Hdr3Samples", "Hdr3Series", "read_samples"]

_PADDING: Final = 33.0
"""How far beyond the stop rows are read, s: a major frame, so that the last row of the range has one after it."""

_PERIOD: Final = 4.1
"""Time from one 8x8 row to the next, s."""

_TOLERANCE: Final = 1e-3
"""By how much times may differ that are the same, s."""

_BLOCK: Final = 8192
"""How many times are looked at together, so that what is computed from them stays in the processor's cache."""


_STRIDE: Final = 64
"""Of how many rows one is searched for among the shared times, to begin with."""


class Hdr3Series(Protocol):
    """Values of one quantity over time, as tables and pictures take them."""

    msid: str
    hdr3_msid: str
    desc: str
    unit: str
    raw: bool
    vals: Any
    times: FloatArray
    tstart: float
    tstop: float
    synthetic: bool


class Hdr3Samples(NamedTuple):
    """What was read of some quantities.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Middle of the integration, CXC seconds, ascending.
    values : dict of str to masked array of shape (n,)
        By the name of the quantity.
    synthetic : bool
        Whether any of it comes from files that are marked as synthetic.
    provenance : dict of int to mapping
        By slot where its rows are from.
    """

    times: FloatArray
    values: dict[str, Any]
    synthetic: bool
    provenance: dict[int, Mapping[str, Any]]


class _Rows(NamedTuple):
    """8x8 rows of one slot: when they are from, which are good, and their bytes by column."""

    times: FloatArray
    good: BoolArray
    columns: dict[str, Any]


def read_samples(
    items: Sequence[Hdr3Item],
    start: float,
    stop: float,
    *,
    raw: bool = False,
    db: Any = None,
    data_root: str | Path | None = None,
) -> Hdr3Samples:
    """Read some quantities; every slot that they need is read once, and only its columns that they need.

    Parameters
    ----------
    items : sequence of Hdr3Item
        Which quantities.
    start, stop : float
        CXC seconds, both included.
    raw : bool, default False
        Whether to return words in place of values.
    db, data_root : optional
        Another index and tree, as for `aca_core.aca_l0.slot_columns`.

    Returns
    -------
    Hdr3Samples
        Masked where a row is bad, where a slot that the quantity needs has no row at that time, and where a
        thermistor reads what is not in its table.
    """
    needed: dict[int, list[str]] = {}
    for slot, column in sorted({byte for item in items for byte in item.value_bytes}):
        needed.setdefault(slot, []).append(column)
    rows: dict[int, _Rows] = {}
    provenance: dict[int, Mapping[str, Any]] = {}
    synthetic = False
    for slot, columns in needed.items():
        asked = ["TIME", "QUALITY", *columns]
        found = slot_columns(start, stop + _PADDING, slot, imgsize=8, columns=asked, db=db, data_root=data_root)
        rows[slot] = _rows_of(found, columns, stop)
        provenance[slot] = found.provenance
        synthetic |= found.synthetic
    times = _shared_times([each.times for each in rows.values()])
    rows = {slot: _placed(each, times) for slot, each in rows.items()}
    return Hdr3Samples(times, {item.name: _values(item, rows, raw) for item in items}, synthetic, provenance)


def _rows_of(found: Any, columns: Iterable[str], stop: float) -> _Rows:
    """Return the rows up to a time, and which of them are good."""
    good = _is_followed(found.times, stop + _PADDING) & (found.values["QUALITY"] == 0)
    for name in ("QUALITY", *columns):
        if name in found.missing:
            good &= ~found.missing[name]
    inside = slice(0, int(np.searchsorted(found.times, stop, side="right")))
    return _Rows(found.times[inside], good[inside], {name: found.values[name][inside] for name in columns})


def _is_followed(times: FloatArray, end: float) -> BoolArray:
    """Return which rows have the next one after one period; the last one is followed by the end of what was read.

    The packets that carry header 3 come after the one that gives a row its time. Where the next row is not in its
    place, they may be of another image.
    """
    found = np.empty(times.size, dtype=bool)
    for first in range(0, times.size, _BLOCK):
        part = times[first : first + _BLOCK + 1]
        steps = np.diff(part) if first + _BLOCK < times.size else np.diff(part, append=end)
        steps -= _PERIOD
        np.abs(steps, out=steps)
        np.less_equal(steps, _TOLERANCE, out=found[first : first + _BLOCK])
    return found


# ---- one time base --------------------------------------------------------------------------------------------------


def _shared_times(slots: Sequence[FloatArray]) -> FloatArray:
    """Return the times of all slots, ascending; those that differ by less than the tolerance are one."""
    longest = max(slots, key=len)
    if all(_are_same(longest, times) or _has_all(longest, times) for times in slots):
        return longest
    # Sorted pieces: the stable sort merges them.
    every = np.sort(np.concatenate(slots), kind="stable")
    return every[np.diff(every, prepend=-np.inf) > _TOLERANCE]


def _are_same(times: FloatArray, others: FloatArray) -> bool:
    if times is others or np.array_equal(times, others):
        return True
    return times.shape == others.shape and bool((np.abs(times - others) <= _TOLERANCE).all())


def _has_all(times: FloatArray, others: FloatArray) -> bool:
    return bool((times[_places(times, others)] == others).all()) if times.size else not others.size


def _places(times: FloatArray, others: FloatArray) -> IntArray:
    """Return for each of some times the place of the last shared time that is not after it.

    A shared time is the first of those that are one with it, and belongs to one row of a slot at most. So where as many
    shared times as rows lie between two rows, all rows between have their places one after the other; the few others
    are searched for.
    """
    if not others.size:
        return np.zeros(0, dtype=np.intp)
    some = np.append(np.arange(0, others.size - 1, _STRIDE), others.size - 1)
    found = np.searchsorted(times, others[some], side="right") - 1
    rows = np.diff(some, append=others.size)
    places: IntArray = np.arange(others.size) + np.repeat(found - some, rows)
    is_regular = np.append(np.diff(found) == rows[:-1], True)
    if not is_regular.all():
        rest = np.flatnonzero(np.repeat(~is_regular, rows))
        places[rest] = np.searchsorted(times, others[rest], side="right") - 1
    return places


def _placed(rows: _Rows, times: FloatArray) -> _Rows:
    """Return the rows of a slot at the shared times: bad where it has none."""
    if _are_same(rows.times, times):
        return rows._replace(times=times)
    places = _places(times, rows.times)
    good = np.zeros(times.size, dtype=bool)
    good[places] = rows.good
    columns = {name: np.zeros(times.size, dtype=values.dtype) for name, values in rows.columns.items()}
    for name, values in rows.columns.items():
        columns[name][places] = values
    return _Rows(times, good, columns)


def _values(item: Hdr3Item, rows: Mapping[int, _Rows], raw: bool) -> Any:
    """Return the values of one quantity, masked where it has none."""
    words: IntArray = raw_words(item, [rows[slot].columns[name] for slot, name in item.value_bytes])
    values = words.astype(np.int64) if raw else decode(item, words)
    first, *others = item.slots
    is_bad = ~rows[first].good
    for slot in others:
        is_bad |= ~rows[slot].good
    if item.kind == "thermistor" and not raw:
        is_bad |= np.isnan(values)
    return np.ma.MaskedArray(values, mask=is_bad)
