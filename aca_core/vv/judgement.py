"""Whether the residuals of an observation keep their limits, and what is suggested where some do not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Final

import attrs

from aca_core.errors import DeclarationError
from aca_core.vv.limits import LIMITS, Disposition, Limit
from aca_core.vv.statistics import OMITTED

__all__ = ["Check", "Judgement", "check_slot", "judge", "stands_for_nothing"]

_SEVERITY: Final = {"OK": 0, "ReproNoDD": 1, "Hold": 2}
_KINDS: Final = ("GUIDE", "MONITOR", "FID")


@attrs.frozen(kw_only=True)
class Check:
    """One statistic of one slot held against its limit.

    Attributes
    ----------
    slot : int
        0 to 7.
    name : str
        Of the limit, such as ``dy_rms_low``.
    success : bool
        Whether it is below. A statistic that is not known fails.
    have : float or None
        The statistic; a median has its sign.
    limit : float
        What it has to be below.
    param : str
        The key of the statistic that was used.
    unit : str
        ``arcsec``, or empty for numbers and fractions.
    alone : {'OK', 'ReproNoDD', 'Hold'}
        What is suggested where a single light fails it.

    Examples
    --------
    >>> check = Check(slot=4, name="dy_rms", success=False, have=0.5, limit=0.4, param="dy_rms", alone="ReproNoDD")
    >>> str(check)
    'slot 4: dy_rms is 0.5 arcsec, not below 0.4 arcsec'
    """

    slot: int
    name: str
    success: bool
    have: float | None
    limit: float
    param: str
    unit: str = "arcsec"
    alone: Disposition

    def __str__(self) -> str:
        have = "unknown" if self.have is None else f"{self.have:.3g} {self.unit}".rstrip()
        relation = "below" if self.success else "not below"
        return f"slot {self.slot}: {self.name} is {have}, {relation} {self.limit:g} {self.unit}".rstrip()


@attrs.frozen(kw_only=True)
class Judgement:
    """What is suggested for an observation, and why; a person decides.

    Attributes
    ----------
    disposition : {'OK', 'ReproNoDD', 'Hold'}
        Release; process again without the star of `slot`; review by a person.
    slot : int or None
        The star that ``ReproNoDD`` leaves out; None otherwise.
    reasons : tuple of str
        Why it is not plainly ``OK``; what is beside ``OK`` is a note.
    checks : tuple of Check
        Every check of every slot that has some, by slot.

    Examples
    --------
    >>> str(Judgement(disposition="Hold", slot=None, reasons=("no fid lights",), checks=()))
    'Hold: no fid lights'
    """

    disposition: Disposition
    slot: int | None
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]

    def __str__(self) -> str:
        what = self.disposition if self.slot is None else f"{self.disposition} (slot {self.slot})"
        return f"{what}: {'; '.join(self.reasons)}" if self.reasons else what

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.success)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain mappings and lists, for a report.

        Returns
        -------
        dict
            ``disposition``, ``slot``, ``reasons``, ``checks``.
        """
        return {**attrs.asdict(self), "reasons": list(self.reasons), "checks": [attrs.asdict(c) for c in self.checks]}


def check_slot(
    statistics: Mapping[str, Any], *, seconds: float | None = None, intervals: int | None = None
) -> tuple[Check, ...]:
    """Hold the statistics of one slot against their limits.

    Parameters
    ----------
    statistics : mapping
        See `slot_statistics`.
    seconds : float, optional
        For how long there should be good samples, s. Without it nothing is said about what is missing.
    intervals : int, optional
        In how many aspect intervals there should be some.

    Returns
    -------
    tuple of Check
        None for monitor slots and for fid lights that were omitted. Fractions of far-off samples are those among the
        good ones where the statistics have them, else (in old reports) those among all.

    Raises
    ------
    DeclarationError
        These are no statistics of a slot, or `seconds` or `intervals` no number. It is a ValueError.

    Examples
    --------
    >>> star = {"slot": 4, "type": "GUIDE", "dy_rms": 0.3, "dz_rms": 0.1, "rad_off": 0.2, "frac_dy_big": 0.01}
    >>> [check.name for check in check_slot({**star, "frac_dz_big": 0.0}) if not check.success]
    ['dy_rms_low']
    """
    slot, kind = _identity(statistics)
    _check_expected("check_slot", seconds, intervals)
    if kind == "MONITOR" or stands_for_nothing(statistics):
        return ()
    values = {**statistics, **_missing(statistics, seconds, intervals)}
    return tuple(_check(slot, limit, values) for limit in LIMITS if limit.kind == kind and _applies(limit, values))


def judge(
    slots: Mapping[Any, Mapping[str, Any]],
    *,
    errors: Iterable[str] = (),
    is_science: bool = True,
    seconds: float | None = None,
    intervals: int | None = None,
) -> Judgement:
    """Suggest what should become of an observation.

    Parameters
    ----------
    slots : mapping
        The statistics of its slots, see `slot_statistics`; the keys do not matter.
    errors : iterable of str
        What was wrong with its files.
    is_science : bool, default True
        Whether it is a science observation, which has to have fid lights.
    seconds : float, optional
        For how long there should be good samples, s: how long the aspect solution is. Without it, or where a slot has
        more, as long as in the best slot.
    intervals : int, optional
        In how many aspect intervals there should be some; likewise.

    Returns
    -------
    Judgement
        ``Hold`` where there are errors, a fid light fails, a light is lost for a good part of the time, two stars fail
        something, or there are no stars, or no fid lights in a science observation; ``ReproNoDD`` where a single star
        is over 0.4 arcsec in an rms or over 1.5 arcsec from zero, and all others pass; ``OK`` otherwise, with a note
        where a single star is over a lower limit. Stars are counted, and not axes.

    Raises
    ------
    DeclarationError
        These are no statistics of slots, or another argument is not what it should be. It is a ValueError.

    Examples
    --------
    >>> good = {"dy_rms": 0.1, "dz_rms": 0.1, "rad_off": 0.2, "frac_dy_big": 0.0, "frac_dz_big": 0.0}
    >>> slots = {slot: {**good, "slot": slot, "type": "GUIDE"} for slot in (3, 4, 5)}
    >>> print(judge(slots, is_science=False))
    OK
    >>> slots[4] |= {"rad_off": 2.1}
    >>> print(judge(slots, is_science=False))
    ReproNoDD (slot 4): slot 4: rad_off is 2.1 arcsec, not below 1.5 arcsec
    """
    if not isinstance(slots, Mapping):
        raise DeclarationError("judge", "slots", slots, "a mapping with the statistics of each slot")
    ordered = sorted(slots.values(), key=lambda statistics: _identity(statistics)[0])
    _check_expected("judge", seconds, intervals)
    checks = _all_checks(ordered, seconds, intervals)
    if isinstance(errors, str) or not isinstance(errors, Iterable):
        raise DeclarationError("judge", "errors", errors, "a list of messages")
    causes = [*_of_observation(ordered, list(errors), is_science), *_of_lights(ordered, checks)]
    worst: Disposition = max((what for what, _, _ in causes), key=_SEVERITY.__getitem__, default="OK")
    slot = next((slot for what, slot, _ in causes if what == worst == "ReproNoDD"), None)
    # The gravest first; what is only worth a note is still worth it beside them.
    causes.sort(key=lambda cause: -_SEVERITY[cause[0]])
    return Judgement(disposition=worst, slot=slot, reasons=tuple(text for _, _, text in causes), checks=checks)


def stands_for_nothing(statistics: Mapping[str, Any]) -> bool:
    """Return whether a slot has a fid light of unknown position, whose residuals mean nothing.

    Parameters
    ----------
    statistics : mapping
        See `slot_statistics`.

    Returns
    -------
    bool

    Examples
    --------
    >>> stands_for_nothing({"slot": 1, "type": "FID", "id_status": "OMITTED"})
    True
    """
    return statistics["type"] == "FID" and str(statistics.get("id_status", "")).strip() == OMITTED


# ---- one slot -------------------------------------------------------------------------------------------------------


def _identity(statistics: Any) -> tuple[int, str]:
    """Return slot and type of a slot's statistics."""
    expected = "the statistics of a slot, with 'slot' from 0 to 7 and 'type' GUIDE, MONITOR or FID"
    if not isinstance(statistics, Mapping) or not {"slot", "type"} <= statistics.keys():
        raise DeclarationError("judge", "slots", statistics, expected)
    slot, kind = statistics["slot"], statistics["type"]
    is_number = isinstance(slot, Integral) and int(slot) in range(8)
    if not is_number or not isinstance(kind, str) or kind not in _KINDS:
        raise DeclarationError("judge", "slots", {"slot": slot, "type": kind}, expected)
    return int(slot), str(kind)


def _check_expected(what: str, seconds: float | None, intervals: int | None) -> None:
    """Refuse what is no duration and no count."""
    for name, value in (("seconds", seconds), ("intervals", intervals)):
        if value is not None and not _is_measure(value):
            raise DeclarationError(what, f"argument {name}", value, "a number, not negative, or None")


def _is_measure(value: Any) -> bool:
    is_number = not isinstance(value, bool) and isinstance(value, Real)
    return is_number and bool(0 <= value < math.inf)


def _value(statistics: Mapping[str, Any], key: str) -> float | None:
    """Return a statistic, None where it is not known: missing, null, or made of no good sample."""
    value = statistics.get(key)
    axis = next((axis for axis in ("dy", "dz") if axis in key), "dy" if key.startswith("rad_off") else "")
    total = statistics.get(f"{axis}_n_samples")
    if total is not None and total == statistics.get(f"{axis}_bad_samples"):
        return None  # old reports have 0.0 there
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        raise DeclarationError("judge", f"slots: {key}", value, "a number or None") from None
    return None if math.isnan(number) else number


def _missing(statistics: Mapping[str, Any], seconds: float | None, intervals: int | None) -> dict[str, float]:
    """Return what the slot lacks of the time and of the intervals there are."""
    found: dict[str, float] = {}
    covered, seen = _value(statistics, "seconds_good"), _value(statistics, "intervals_good")
    if seconds is not None and covered is not None:
        found["frac_missing"] = max(0.0, 1.0 - covered / seconds) if seconds > 0 else 0.0
    if intervals is not None and seen is not None:
        found["intervals_missing"] = max(0, intervals - seen)
    return found


def _applies(limit: Limit, values: Mapping[str, Any]) -> bool:
    return limit.name in values or limit.name not in ("frac_missing", "intervals_missing")


def _check(slot: int, limit: Limit, values: Mapping[str, Any]) -> Check:
    among_good = f"{limit.param}_good"
    param = among_good if among_good in values else limit.param
    have = _value(values, param)
    return Check(
        slot=slot,
        name=limit.name,
        success=have is not None and abs(have) < limit.limit,
        have=have,
        limit=limit.limit,
        param=param,
        unit=limit.unit,
        alone=limit.alone,
    )


# ---- all of them ----------------------------------------------------------------------------------------------------

_Cause = tuple[Disposition, int | None, str]
"""What follows from something, the slot it is about, and what it is."""


def _all_checks(slots: Sequence[Mapping[str, Any]], seconds: float | None, intervals: int | None) -> tuple[Check, ...]:
    known = [slot for slot in slots if not stands_for_nothing(slot)]
    covered = [value for slot in known if (value := _value(slot, "seconds_good")) is not None]
    seen = [value for slot in known if (value := _value(slot, "intervals_good")) is not None]
    best = max([*covered, *([] if seconds is None else [seconds])], default=None)
    most = max([*map(int, seen), *([] if intervals is None else [intervals])], default=None)
    return tuple(check for slot in known for check in check_slot(slot, seconds=best, intervals=most))


def _of_observation(slots: Sequence[Mapping[str, Any]], errors: Sequence[str], is_science: bool) -> list[_Cause]:
    causes: list[_Cause] = [("Hold", None, f"error: {text}") for text in errors]
    if not any(slot["type"] == "GUIDE" for slot in slots):
        causes.append(("Hold", None, "no guide stars"))
    if is_science and not any(slot["type"] == "FID" and not stands_for_nothing(slot) for slot in slots):
        causes.append(("Hold", None, "no fid lights in a science observation"))
    return causes


def _of_lights(slots: Sequence[Mapping[str, Any]], checks: Sequence[Check]) -> list[_Cause]:
    """Return what follows from the checks that failed, stars being counted."""
    causes: list[_Cause] = []
    stars: list[int] = []
    for slot in slots:
        failed = [check for check in checks if check.slot == slot["slot"] and not check.success]
        causes += _of_light(slot, failed)
        if failed and slot["type"] == "GUIDE":
            stars.append(int(slot["slot"]))
    if len(stars) > 1:
        causes.append(("Hold", None, f"{len(stars)} stars are over a limit: slots {', '.join(map(str, stars))}"))
    return causes


def _of_light(slot: Mapping[str, Any], failed: Sequence[Check]) -> list[_Cause]:
    unknown = [check.name for check in failed if check.have is None]
    if {"dy_rms", "dz_rms"} <= {*unknown}:
        light = "fid light" if slot["type"] == "FID" else "star"
        return [("Hold", int(slot["slot"]), f"slot {slot['slot']}: no good samples of the {light}")]
    causes: list[_Cause] = [
        ("Hold" if check.have is None else check.alone, check.slot, f"{check}{_unused(slot, check)}")
        for check in _telling(failed)
    ]
    return causes


def _telling(failed: Sequence[Check]) -> list[Check]:
    """Return the failed checks without those of a low limit whose high one failed, too."""
    names = {check.name for check in failed}
    return [check for check in failed if not (check.name.endswith("_low") and check.param in names)]


def _unused(slot: Mapping[str, Any], check: Check) -> str:
    """Return what one has to know before one leaves out a star."""
    is_unused = check.alone == "ReproNoDD" and slot.get("cel_loc_flag") == 0
    return " (the solution was made without this star)" if is_unused else ""
