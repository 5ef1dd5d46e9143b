"""A simulated delivery: a tree of products with their links, a catalogue of their processing, and the truth.

::

    <folder>/README.txt      that it is synthetic, and how to use it
             truth.json      what was injected
             asp1/NN/NNNNN_vMM/…      NN/NNNNN -> released      NN/NNNNN_last -> newest, while that is another
             obspar/NN/NNNNN_vMM/…
             catalogue/aspect_1.csv …
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

import attrs

from aca_core.catalogues import ProcessingRun
from aca_core.errors import DeclarationError, IntegrityError, MissingDataError
from aca_core.layouts import ByObsid, ObsidRevision
from aca_core.simulation.draw import FIRST_START, draw_observation
from aca_core.simulation.folders import README, README_TEXT, make_room, replace_link, replace_text
from aca_core.simulation.observation import Columns, Observation
from aca_core.simulation.plans import Plan, planned_observations, usual_plans
from aca_core.simulation.truth import Delivered, Released, Truth, read_truth, slot_statistics, write_truth

__all__ = ["Delivery", "open_delivery", "simulate_delivery"]

ASP1: Final = "asp1"
OBSPAR: Final = "obspar"
CATALOGUE: Final = "catalogue"

_LAYOUT: Final = ByObsid()
_FIRST_ASPECT_ID: Final = 20_001
_FIRST_OBIDET_ID: Final = 30_001


@attrs.define(kw_only=True, eq=False)
class Delivery:
    """A delivery tree that can grow and change its mind, as the ground system does.

    Attributes
    ----------
    folder : Path
        Its top, what a retriever of delivery trees is pointed at.
    truth : Truth
        What was delivered, and what is true of it.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.simulation import reprocess, simulate_delivery
    >>> delivery = simulate_delivery(tempfile.mkdtemp(), seed=1, obsids=[8008], duration=200.0)
    >>> first = delivery.truth.of(8008).observation
    >>> delivery.deliver([reprocess(first, 2)])
    >>> sorted(path.name for path in (delivery.folder / "asp1" / "08").iterdir())
    ['08008', '08008_last', '08008_v01', '08008_v02']
    >>> delivery.release(8008, 2)
    >>> sorted(path.name for path in (delivery.folder / "asp1" / "08").iterdir())
    ['08008', '08008_v01', '08008_v02']
    """

    folder: Path
    truth: Truth = attrs.field(factory=Truth)

    @property
    def catalogue(self) -> Path:
        """The folder of the catalogue's CSV files."""
        return self.folder / CATALOGUE

    def deliver(self, observations: Iterable[Observation], told: Callable[[Delivered], None] | None = None) -> None:
        """Deliver revisions of observations, as provisional ones.

        Parameters
        ----------
        observations : iterable of Observation
            In the order in which they were processed. All intervals (OBIs) of a revision go into one call.
        told : callable, optional
            Called with each that was written.

        Raises
        ------
        IntegrityError
            One of them was already delivered.
        """
        listed = list(observations)
        keys = [(each.run.obsid, each.run.obi, each.run.revision) for each in self.truth.delivered]
        keys += [(each.obsid, each.obi, each.revision) for each in listed]
        if repeated := sorted({key for key in keys if keys.count(key) > 1}):
            obsid, obi, revision = repeated[0]
            raise IntegrityError(self.folder, f"obsid {obsid} obi {obi} revision {revision} was already delivered")
        first_obi = {(obsid, revision): obi for obsid, obi, revision in sorted(keys, reverse=True)}
        for observation in listed:
            in_tree = self.truth.every_obi or first_obi[observation.obsid, observation.revision] == observation.obi
            delivered = self._deliver_one(observation, in_tree)
            if told is not None:
                told(delivered)
        self._publish()

    def release(self, obsid: int, revision: int) -> None:
        """Release a revision of an obsid, with the observation parameters that it was made with.

        Parameters
        ----------
        obsid, revision : int
            What becomes the default.

        Raises
        ------
        MissingDataError
            It was not delivered.
        """
        self._release({obsid: revision})

    def withdraw(self, obsid: int) -> None:
        """Take back the release of an obsid: the revision before it is the default again, if there is one.

        Parameters
        ----------
        obsid : int
            Which observation.

        Raises
        ------
        MissingDataError
            Nothing of it is released.
        """
        now = self.truth.release(obsid).asp1
        if now is None:
            raise MissingDataError(f"obsid {obsid} has no released revision in {self.folder}, so none to withdraw")
        before = [each for each in self.truth.delivered if each.run.obsid == obsid and each.run.revision < now]
        self._release({obsid: max((each.run.revision for each in before), default=None)})

    def _release(self, revisions: Mapping[int, int | None]) -> None:
        """Set which revisions are released, by obsid."""
        released = {each.obsid: each for each in self.truth.released}
        for obsid, revision in revisions.items():
            obspar = None if revision is None else self.truth.of(obsid, revision).observation.obspar_revision
            released[obsid] = Released(obsid=obsid, asp1=revision, obspar=obspar)
        self.truth = attrs.evolve(self.truth, released=tuple(released[obsid] for obsid in sorted(released)))
        self._publish()

    def _deliver_one(self, observation: Observation, in_tree: bool) -> Delivered:
        """Write the files of one observation interval and take it into the truth."""
        from aca_core.dates import to_date
        from aca_core.simulation.asp1_files import asp1_files, made_at
        from aca_core.simulation.obspar_file import obspar_file

        obsid, obi, revision = observation.obsid, observation.obi, observation.revision
        runs = [each.run for each in self.truth.delivered]
        processed = functools.partial(ProcessingRun, obsid=obsid, obi=obi, quality="P")
        date = to_date(made_at(observation))
        obspar_run = processed(
            id=_FIRST_OBIDET_ID + len(self.truth.obspar_runs), revision=observation.obspar_revision, ap_date=date
        )
        delivered = Delivered(
            observation=observation,
            run=processed(id=_FIRST_ASPECT_ID + len(runs), revision=revision, ap_date=date),
            in_tree=in_tree,
            slots=slot_statistics(observation),
        )
        known = {(run.obsid, run.obi, run.revision) for run in self.truth.obspar_runs}
        is_new = (obsid, obi, observation.obspar_revision) not in known
        written: list[str] = []
        if in_tree:
            written += self._write(ASP1, ObsidRevision(obsid, revision), asp1_files(observation))
            if is_new:
                unit = ObsidRevision(obsid, observation.obspar_revision)
                written += self._write(OBSPAR, unit, [obspar_file(observation)])
        self.truth = attrs.evolve(
            self.truth,
            delivered=(*self.truth.delivered, delivered),
            obspar_runs=(*self.truth.obspar_runs, obspar_run) if is_new else self.truth.obspar_runs,
            files=tuple(sorted({*self.truth.files, *written})),
        )
        return delivered

    def _write(self, product: str, unit: ObsidRevision, files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
        place = PurePosixPath(product) / _LAYOUT.directory(unit)
        (self.folder / place).mkdir(parents=True, exist_ok=True)
        for name, content in files:
            (self.folder / place / name).write_bytes(content)
            yield str(place / name)

    # ---- links, catalogue, truth ------------------------------------------------------------------------------------

    def _publish(self) -> None:
        """Let links and catalogue say what is released, and write the truth."""
        from aca_core.simulation.catalogue_files import catalogue_files

        def judged(run: ProcessingRun, released: int | None) -> ProcessingRun:
            return attrs.evolve(run, quality="D" if released is not None and run.revision <= released else "P")

        release = self.truth.release
        self.truth = attrs.evolve(
            self.truth,
            delivered=tuple(
                attrs.evolve(each, run=judged(each.run, release(each.run.obsid).asp1)) for each in self.truth.delivered
            ),
            obspar_runs=tuple(judged(run, release(run.obsid).obspar) for run in self.truth.obspar_runs),
        )
        links = {str(path): target for path, target in self._links()}
        was = {path for path in self.truth.files if (self.folder / path).is_symlink()}
        for path in was - set(links):
            (self.folder / path).unlink()
        for path, target in links.items():
            replace_link(self.folder / path, target)
        texts = {f"{CATALOGUE}/{name}": text for name, text in catalogue_files(self.truth).items()}
        texts |= dict.fromkeys((README, f"{CATALOGUE}/{README}"), README_TEXT)
        self.catalogue.mkdir(exist_ok=True)
        for path, text in texts.items():
            replace_text(self.folder / path, text)
        files = {*self.truth.files} - was | set(links) | set(texts)
        self.truth = attrs.evolve(self.truth, files=tuple(sorted(files)))
        write_truth(self.folder, self.truth)

    def _links(self) -> Iterator[tuple[PurePosixPath, str]]:
        """Yield the links of all products, relative to the folder, with their targets."""
        for obsid in self.truth.obsids:
            mine = [each for each in self.truth.delivered if each.run.obsid == obsid]
            released = self.truth.release(obsid)
            versions = {
                ASP1: ({each.run.revision for each in mine}, released.asp1),
                OBSPAR: ({each.observation.obspar_revision for each in mine}, released.obspar),
            }
            for product, (revisions, default) in versions.items():
                newest = max(revisions)
                if default is not None:
                    yield PurePosixPath(product) / _LAYOUT.default_link(obsid), str(ObsidRevision(obsid, default))
                if newest != default:
                    yield PurePosixPath(product) / _LAYOUT.last_link(obsid), str(ObsidRevision(obsid, newest))


def simulate_delivery(
    folder: str | Path,
    *,
    seed: int = 0,
    obsids: Iterable[int] | None = None,
    plans: Sequence[Plan] | None = None,
    duration: float = 10_000.0,
    start: float = FIRST_START,
    columns: Columns | None = None,
    centroid_step: float = 2.05,
    every_algorithm: bool = False,
    every_obi: bool = False,
    force: bool = False,
    told: Callable[[Delivered], None] | None = None,
) -> Delivery:
    """Write a delivery of several observations, in the states that occur in flight.

    Parameters
    ----------
    folder : path-like
        Its top, absent or empty.
    seed : int, default 0
        The same seed and the same other arguments write the same bytes.
    obsids : iterable of int, optional
        Obsids for `usual_plans`; by default the seven that it knows.
    plans : sequence of Plan, optional
        What to deliver, instead.
    duration : float, default 10000
        Length of each observation interval, s; 2000 is good for tests, 50000 is a long observation.
    start : float
        Start of the first observation, CXC seconds; by default 2021:001.
    columns : {'old', 'new'}, optional
        One set of columns of the aspect solution for all observations, not the one of each plan.
    centroid_step : float, default 2.05
        Time between images, 1.025, 2.05 or 4.1 s.
    every_algorithm : bool
        Whether each image has a row of all five centroid algorithms, not of two.
    every_obi : bool
        Whether the files of all observation intervals of an obsid are delivered. The flight archive has those of the
        first alone, and so by default does the delivery; the catalogue lists all.
    force : bool
        Whether to replace an earlier simulation in this folder.
    told : callable, optional
        Called with each revision that was written.

    Returns
    -------
    Delivery
        It can go on: release, withdraw, deliver more.

    Raises
    ------
    IntegrityError
        The folder is not empty; or, with `force`, it has something that no simulation wrote.
    DeclarationError
        An argument is out of range, for example a duration too short for an aspect interval.

    Examples
    --------
    >>> import tempfile
    >>> delivery = simulate_delivery(tempfile.mkdtemp(), seed=1, obsids=[8008, 8009], duration=200.0)
    >>> delivery.truth.obsids, delivery.truth.release(8009).asp1
    ((8008, 8009), 2)
    """
    if plans is None:
        plans = usual_plans(obsids, columns=columns)
    elif columns is not None:
        plans = [attrs.evolve(plan, columns=(columns,)) for plan in plans]
    if repeated := sorted({plan.obsid for plan in plans if sum(each.obsid == plan.obsid for each in plans) > 1}):
        raise DeclarationError("simulate_delivery", "obsids", repeated, "each obsid once, and these are there twice")
    draw = functools.partial(
        draw_observation, seed=seed, duration=duration, centroid_step=centroid_step, every_algorithm=every_algorithm
    )
    observations = list(planned_observations(plans, draw, start, duration))
    delivery = Delivery(folder=Path(folder), truth=Truth(every_obi=every_obi))
    make_room(delivery.folder, force=force)
    delivery.deliver(sorted(observations, key=_processing_order), told)
    delivery._release({plan.obsid: plan.released for plan in plans})
    return delivery


def open_delivery(folder: str | Path) -> Delivery:
    """Open a delivery that was simulated before, to go on with it.

    Parameters
    ----------
    folder : path-like
        Its top.

    Returns
    -------
    Delivery
        As it was left.

    Raises
    ------
    IntegrityError
        There is none.
    """
    return Delivery(folder=Path(folder), truth=read_truth(folder))


def _processing_order(observation: Observation) -> tuple[int, float]:
    return observation.revision, observation.stop
