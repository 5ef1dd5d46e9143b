"""Whether the aspect intervals of an observation agree with each other, and what is missing in their slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from aca_core.errors import IntegrityError
from aca_core.vv.interval import AspectInterval
from aca_core.vv.properties import SlotProperties
from aca_core.vv.slot_data import SlotData
from aca_core.vv.slots import NOT_A_NUMBER

__all__ = ["check_same_products", "differences", "missing_samples", "unusual_count"]


def check_same_products(where: str, obsid: int, intervals: Sequence[AspectInterval]) -> None:
    """Refuse aspect intervals that are not of one revision of one observation.

    Parameters
    ----------
    where : str
        Their folder, for messages.
    obsid : int
        The observation that is verified.
    intervals : sequence of AspectInterval
        Its intervals.

    Raises
    ------
    IntegrityError
        One of them is of another observation, or of another revision than the first. It is a ValueError.
    """
    for each in intervals:
        if each.obsid != obsid:
            problem = f"aspect interval {each.id} is of obsid {each.obsid}, and the observation parameters of {obsid}"
            raise IntegrityError(where, f"{problem}; give files of one observation")
        if each.revision != intervals[0].revision:
            first = f"{intervals[0].id} of revision {intervals[0].revision}"
            problem = f"aspect interval {each.id} is of revision {each.revision}, and {first}"
            raise IntegrityError(where, f"{problem}; give files of one revision")


def unusual_count(obsid: int, intervals: Sequence[AspectInterval]) -> Iterator[str]:
    """Tell of more or fewer aspect intervals than usual: one, and two with a monitor in slot 7.

    Parameters
    ----------
    obsid : int
        The observation.
    intervals : sequence of AspectInterval
        Its intervals.

    Yields
    ------
    str
        What is unusual.
    """
    has_monitor = any(star.slot == 7 and star.kind == "MONITOR" for star in intervals[0].stars)
    usual = 2 if has_monitor else 1
    if len(intervals) != usual:
        why = ", for it has a monitor in slot 7" if has_monitor else ""
        yield f"obsid {obsid} has {len(intervals)} aspect intervals; usual would be {usual}{why}"


def differences(intervals: Sequence[AspectInterval]) -> Iterator[str]:
    """Tell where the properties of stars or of fid lights differ from those in the first aspect interval.

    Parameters
    ----------
    intervals : sequence of AspectInterval
        In order.

    Yields
    ------
    str
        The first difference of the stars, and that of the fid lights: in slots and their order, id_status, type,
        cel_loc_flag.
    """
    for what in ("stars", "fids"):
        found = (_difference(intervals[0], other, what) for other in intervals[1:])
        first = next((each for each in found if each is not None), None)
        if first is not None:
            yield first


def _difference(first: AspectInterval, other: AspectInterval, what: str) -> str | None:
    here, there = getattr(first, what), getattr(other, what)
    title = "stars" if what == "stars" else "fid lights"
    if [each.slot for each in here] != [each.slot for each in there]:
        return _sentence("slots", title, first, _slots(here), other, _slots(there))
    for name, word in (("id_status", "status"), ("kind", "type"), ("cel_loc_flag", "cel_loc_flag")):
        for mine, theirs in zip(here, there, strict=True):
            values = getattr(mine, name), getattr(theirs, name)
            if values[0] != values[1]:
                return _sentence(word, f"slot {mine.slot}", first, values[0], other, values[1])
    return None


def _sentence(word: str, of: str, first: AspectInterval, here: object, other: AspectInterval, there: object) -> str:
    return f"differing {word} across aspect intervals: {of}: {here} in {first.id}, {there} in {other.id}"


def _slots(lights: Sequence[SlotProperties]) -> str:
    return ", ".join(str(each.slot) for each in lights) or "none"


def missing_samples(slots: Mapping[int, SlotData], intervals: Sequence[AspectInterval]) -> Iterator[str]:
    """Tell of slots without samples, in all or in some intervals, and of those without a good one.

    Parameters
    ----------
    slots : mapping of int to SlotData
        The residuals.
    intervals : sequence of AspectInterval
        Where they come from.

    Yields
    ------
    str
        One sentence for each.
    """
    for slot, data in slots.items():
        if not len(data.time):
            yield f"slot {slot} ({data.kind}) has no centroids"
            continue
        for number, interval in enumerate(intervals):
            if not (data.interval == number).any():
                yield f"slot {slot} ({data.kind}) has no centroids in aspect interval {interval.id}"
        lacking = int(np.count_nonzero(data.qual == NOT_A_NUMBER))
        if lacking and data.id_status != "OMITTED":
            text = f"slot {slot} ({data.kind}): {lacking} of {len(data.time)} samples are not a number"
            yield f"{text} though their status is good; they count as bad"
        if not data.good.any():
            yield f"slot {slot} ({data.kind}) has no good sample among {len(data.time)}"
