"""How the archive says things to people: times, what was asked for, what failed, who is in the way; for every page."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

from aca_core.errors import AcaError, DateError, LockedError

if TYPE_CHECKING:
    from aca_core.archive.items import Item
    from aca_core.archive.store import Store

__all__ = [
    "alike",
    "as_time",
    "date_words",
    "failure_of",
    "failures_in",
    "holder_words",
    "in_words",
    "waiting_for",
    "words_for",
]

T = TypeVar("T")

_LISTED: Final = 3
"""Items of many that failed alike that are named."""

_NO_RIGHT: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


def as_time(seconds: float) -> str:
    """Return a time of the system's clock for people, in UTC.

    Parameters
    ----------
    seconds : float
        Since 1970.

    Returns
    -------
    str

    Examples
    --------
    >>> as_time(0)
    '1970-01-01 00:00:00 UTC'
    """
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def date_words(date: float | str) -> str:
    """Return a date of observations in the same form.

    Parameters
    ----------
    date : float or str
        CXC seconds, or what `aca_core.dates` reads.

    Returns
    -------
    str

    Examples
    --------
    >>> date_words("2019:272")
    '2019-09-29 00:00:00 UTC'
    """
    from aca_core.dates import to_date

    whole = to_date(date).partition(".")[0]
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.strptime(whole, "%Y:%j:%H:%M:%S"))


def holder_words(holder: str) -> str:
    """Return who holds a lock, with the date in the form in which all are shown.

    Parameters
    ----------
    holder : str
        As `Store.holder` says it.

    Returns
    -------
    str

    Examples
    --------
    >>> holder_words("process 12 on elsewhere since 2020:001:12:00:00.000")
    'process 12 on elsewhere since 2020-01-01 12:00:00 UTC'
    """
    who, since, date = holder.rpartition(" since ")
    try:
        return f"{who}{since}{date_words(date)}" if since else holder
    except (DateError, ValueError):
        return holder


def waiting_for(store: Store, wait: float) -> str:
    """Return whom a writer will have to wait for; empty where nobody writes.

    Parameters
    ----------
    store : Store
        Of one product.
    wait : float
        How long it would wait, s.

    Returns
    -------
    str
    """
    if wait <= 0 or not store.is_locked():
        return ""
    return f"waits, {wait:.0f} s at most, for {holder_words(store.holder() or 'another process')}"


def in_words(error: AcaError | OSError, store: Store) -> AcaError | OSError:
    """Return an error of a writer in words that do not need to be looked up.

    Parameters
    ----------
    error : AcaError or OSError
        What was raised.
    store : Store
        What was written to.

    Returns
    -------
    AcaError or OSError
        Another one of the same class, or the same.
    """
    if isinstance(error, LockedError):
        return LockedError(error.path, holder_words(error.holder), error.waited)
    inside = isinstance(error, OSError) and str(error.filename or "").startswith(str(store.root))
    if isinstance(error, OSError) and inside and error.errno in _NO_RIGHT:
        why = "it is mounted for reading only" if error.errno == errno.EROFS else "your account has no right to"
        return type(error)(error.errno, f"you may not write to this archive: {why}", str(store.folder))
    return error


# ---- what was asked for ---------------------------------------------------------------------------------------------


def words_for(item: Item) -> str:
    """Return what an item is about, for people: the ranges of products by day as dates.

    Parameters
    ----------
    item : Item
        Any.

    Returns
    -------
    str

    Examples
    --------
    >>> from aca_core.archive import Item
    >>> words_for(Item(name="06000/3"))
    '06000/3'
    >>> words_for(Item(name="time 686016069.184"))
    'days from 2019-09-28 on'
    """
    match = re.fullmatch(r"time ([\d.]+)", item.name)
    return item.name if match is None else f"days from {date_words(float(match[1]))[:10]} on"


def failure_of(item: Item) -> str:
    """Return what went wrong with an item and when it is tried again, to follow its name.

    Parameters
    ----------
    item : Item
        One that failed.

    Returns
    -------
    str
        Sentences.
    """
    times = "once" if item.attempts == 1 else f"{item.attempts} times"
    last = "" if item.tried is None else f", last on {as_time(item.tried)}"
    again = (
        "It is not tried again by itself; 'aca update --retry-failed' tries it."
        if item.next_try is None
        else f"It is tried again by the first update after {as_time(item.next_try)}; --retry-failed tries it at once."
    )
    return f"has failed {times}{last}: {item.reason.rstrip('.')}. {again}"


def failures_in(product: str, failed: Iterable[Item]) -> list[str]:
    """Return what failed, for people: one statement for each, and one for many that failed for the same reason.

    Parameters
    ----------
    product : str
        Its name.
    failed : iterable of Item
        What failed.

    Returns
    -------
    list of str
        Sentences, in the order of the first of each kind.
    """
    return [
        f"{product} {words_for(group[0])} {failure_of(group[0])}" if len(group) == 1 else _failed_alike(product, group)
        for group in alike(failed, _reason)
    ]


def alike(things: Iterable[T], kind: Callable[[T], str]) -> list[list[T]]:
    """Return things in groups of the same kind, in the order of the first of each.

    Parameters
    ----------
    things : iterable
        What is to be grouped.
    kind : callable
        Returns of what kind one is.

    Returns
    -------
    list of list

    Examples
    --------
    >>> alike(["a1", "b1", "a2"], lambda text: text[0])
    [['a1', 'a2'], ['b1']]
    """
    groups: dict[str, list[T]] = {}
    for each in things:
        groups.setdefault(kind(each), []).append(each)
    return list(groups.values())


def _reason(item: Item) -> str:
    """Return why an item failed, without what only says which item it is."""
    text = re.sub(r"\d+", "#", item.reason)
    return f"{item.next_try is None} {text}"


def _failed_alike(product: str, group: list[Item]) -> str:
    names = ", ".join(words_for(item) for item in group[:_LISTED])
    more = f" and {len(group) - _LISTED} more" if len(group) > _LISTED else ""
    first = group[0]
    same = all(item.reason == first.reason for item in group)
    reason = first.reason.rstrip(".") if same else f"{first.reason.rstrip('.')} (that is {words_for(first)})"
    tried = max((item.tried for item in group if item.tried is not None), default=None)
    last = "" if tried is None else f", last on {as_time(tried)}"
    times = [item.next_try for item in group if item.next_try is not None]
    again = (
        f"They are tried again by updates after {as_time(min(times))}; --retry-failed tries them at once."
        if times
        else "They are not tried again by themselves; 'aca update --retry-failed' tries them."
    )
    return f"{product}: {len(group)} items failed alike{last}: {reason}. {again} They are {names}{more}."
