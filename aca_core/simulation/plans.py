"""What a simulation delivers of each obsid: which revisions, in which state, with which peculiarities."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

from aca_core._checks import as_tuple, as_whole, check, refusal, whole
from aca_core.obsids import MAX_OBSID
from aca_core.simulation.draw import DETECTORS, reprocess
from aca_core.simulation.observation import Columns, Detector, Observation

__all__ = ["Plan", "planned_observations", "usual_plans"]

_BETWEEN: Final = 5_000.0
"""Time from one observation to the next, s."""


_numbers = check(
    lambda value: isinstance(value, tuple) and bool(value) and all(isinstance(each, int) for each in value),
    "a list of whole numbers",
)


@attrs.frozen(kw_only=True)
class Plan:
    """What is to be delivered of an obsid.

    Attributes
    ----------
    obsid : int
        Which observation.
    revisions : tuple of int
        Versions of the aspect products.
    obspar_revisions : tuple of int
        For each of them the version of the observation parameters that it was made with; by default the same number.
    released : int or None
        The released one.
    obis : tuple of int
        Its observation intervals.
    detector : {'ACIS-I', 'ACIS-S', 'HRC-I', 'HRC-S'}
        The science instrument.
    columns : tuple of {'old', 'new'}
        Columns of the aspect solution; the last one holds for the revisions behind it.
    intervals : int
        Number of aspect intervals in each observation interval.
    monitor, bad_star, unlisted_star : bool
        See `draw_observation`.
    """

    obsid: int = attrs.field(converter=as_whole, validator=whole(0, MAX_OBSID))
    revisions: tuple[int, ...] = attrs.field(default=(1,), converter=as_tuple, validator=_numbers)
    obspar_revisions: tuple[int, ...] = attrs.field(default=attrs.Factory(lambda self: self.revisions, takes_self=True))
    released: int | None = 1
    obis: tuple[int, ...] = attrs.field(default=(0,), converter=as_tuple, validator=_numbers)
    detector: Detector = attrs.field(
        default="ACIS-S", validator=check(lambda value: value in DETECTORS, f"one of {', '.join(DETECTORS)}")
    )
    columns: tuple[Columns, ...] = attrs.field(
        default=("new",),
        converter=as_tuple,
        validator=check(lambda value: bool(value) and set(value) <= {"old", "new"}, "a list of 'old' and 'new'"),
    )
    intervals: int = 1
    monitor: bool = False
    bad_star: bool = False
    unlisted_star: bool = False

    def __attrs_post_init__(self) -> None:
        """Check what only the whole plan can show."""
        if len(self.obspar_revisions) != len(self.revisions):
            raise refusal(self, "obspar_revisions", self.obspar_revisions, f"as many as revisions, {self.revisions}")
        if self.released is not None and self.released not in self.revisions:
            raise refusal(self, "released", self.released, f"None, or one of the revisions {self.revisions}")


_USUAL: Final = (
    Plan(obsid=8008, columns=("old",)),
    Plan(obsid=8009, revisions=(1, 2), released=2, detector="ACIS-I", columns=("old", "new")),
    Plan(obsid=8010, revisions=(1, 2), released=1),
    Plan(obsid=8011, released=None, detector="HRC-I"),
    Plan(obsid=8012, revisions=(2,), released=2, intervals=2, monitor=True),
    Plan(obsid=8013, obis=(0, 1), detector="HRC-S", columns=("old",)),
    Plan(
        obsid=8014, revisions=(1, 2, 3), obspar_revisions=(1, 2, 2), released=2, detector="ACIS-I",
        bad_star=True, unlisted_star=True,
    ),
)  # fmt: skip


def usual_plans(obsids: Iterable[int] | None = None, *, columns: Columns | None = None) -> tuple[Plan, ...]:
    """Return plans that show what occurs in flight.

    In turn: one released revision with old columns; two, the newer released, with old and new columns; a provisional
    revision behind a released one; a provisional one only (HRC); two aspect intervals and a monitor; two observation
    intervals; three revisions with a bad star and a star that is not listed.

    Parameters
    ----------
    obsids : iterable of int, optional
        Their obsids; by default 8008 to 8014. These seven have plans of their own; others take the plans in turn.
    columns : {'old', 'new'}, optional
        One set of columns for all.

    Returns
    -------
    tuple of Plan
        One for each obsid.

    Examples
    --------
    >>> [plan.released for plan in usual_plans([1, 2])]
    [1, 2]
    """
    numbers = [plan.obsid for plan in _USUAL] if obsids is None else list(obsids)
    own = {plan.obsid: plan for plan in _USUAL}
    in_turn = itertools.cycle(_USUAL)
    plans = (own[obsid] if obsid in own else attrs.evolve(next(in_turn), obsid=obsid) for obsid in numbers)
    return tuple(plan if columns is None else attrs.evolve(plan, columns=(columns,)) for plan in plans)


def planned_observations(
    plans: Sequence[Plan], draw: Callable[..., Observation], start: float, duration: float
) -> Iterator[Observation]:
    """Draw what plans say, one observation interval after the other, each in all its revisions.

    Parameters
    ----------
    plans : sequence of Plan
        What is wanted.
    draw : callable
        `draw_observation`, with what is the same for all of them already given.
    start : float
        Start of the first, CXC seconds.
    duration : float
        Length of each, s.

    Yields
    ------
    Observation
        The truth.
    """
    for plan in plans:
        for obi in plan.obis:
            first = draw(
                plan.obsid,
                start=start,
                obi=obi,
                detector=plan.detector,
                intervals=plan.intervals,
                monitor=plan.monitor,
                bad_star=plan.bad_star,
                unlisted_star=plan.unlisted_star,
            )
            start = round(start + duration + _BETWEEN, 3)
            for place, (revision, obspar) in enumerate(zip(plan.revisions, plan.obspar_revisions, strict=True)):
                columns = plan.columns[min(place, len(plan.columns) - 1)]
                yield (
                    attrs.evolve(first, columns=columns)
                    if revision == obspar == 1
                    else reprocess(first, revision, obspar_revision=obspar, columns=columns)
                )
