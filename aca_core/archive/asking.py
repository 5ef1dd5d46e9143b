"""Questions to a catalogue, whose answers are checked: what a plugin raises or returns wrongly is told as its fault."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import attrs

from aca_core.catalogues import Catalogue, IngestedFile, ProcessingRun, Work
from aca_core.errors import RetrievalError, message_of

__all__ = ["CheckedCatalogue"]

_log = logging.getLogger("aca_core")

T = TypeVar("T")


@attrs.frozen
class CheckedCatalogue:
    """A catalogue, as the core asks it.

    Each method has the arguments and the result of the catalogue's own, as a list or tuple, and raises `RetrievalError`
    for whatever goes wrong.

    Attributes
    ----------
    catalogue : Catalogue
        Bound to the site.
    """

    catalogue: Catalogue

    def new_work(self, work: Work, after: int) -> list[ProcessingRun]:
        """Return the runs with an id greater than `after`, by ascending id."""
        question = f"new work in {work.table} after {after}"
        runs = self._ask(question, ProcessingRun, lambda: self.catalogue.new_work(work, after))
        return sorted((run for run in runs if run.id > after), key=lambda run: run.id)

    def runs(self, work: Work, obsid: int, *, obi: int | None, revision: int) -> list[ProcessingRun]:
        """Return the runs of one version of an obsid."""
        question = f"runs of version {revision} of obsid {obsid} in {work.table}"
        return self._ask(question, ProcessingRun, lambda: self.catalogue.runs(work, obsid, obi=obi, revision=revision))

    def obis(self, obsid: int) -> list[int]:
        """Return the numbers of the observation intervals of an obsid."""
        return self._ask(f"observation intervals of obsid {obsid}", int, lambda: self.catalogue.obis(obsid))

    def smallest_obi(self, obsid: int) -> int | None:
        """Return the smallest observation interval of an obsid that has several: only that one is archived."""
        obis = self.obis(obsid)
        if not obis:
            _log.info("obsid %d has no observation interval in the catalogue; all of it is asked for", obsid)
        return min(obis) if len(obis) > 1 else None

    def science_qualities(self, work: Work, run: ProcessingRun) -> list[str]:
        """Return the qualities of the science products that were made from a run."""
        question = f"science made from {work.table} {run.id}"
        return self._ask(question, str, lambda: self.catalogue.science_qualities(work, run))

    def target_status(self, obsid: int) -> str | None:
        """Return the status of the observation's target."""
        question = f"status of the target of obsid {obsid}"
        return self._ask(question, (str, type(None)), lambda: [self.catalogue.target_status(obsid)])[0]

    def ingested_files(self, product: str, after: float) -> list[IngestedFile]:
        """Return the files that were taken in centrally after a time."""
        question = f"files of {product} that were ingested"
        return self._ask(question, IngestedFile, lambda: self.catalogue.ingested_files(product, after))

    def _ask(self, question: str, kind: Any, ask: Callable[[], Iterable[T]]) -> list[T]:
        try:
            answer = ask()
            found = [] if isinstance(answer, str) else list(answer)
        except RetrievalError:
            raise
        except (Exception, SystemExit) as error:  # a plugin's own
            problem = f"{type(error).__name__}: {message_of(error)}".removesuffix(": ")
            raise RetrievalError(self.catalogue.name, question, problem) from error
        if isinstance(answer, str) or not all(isinstance(each, kind) for each in found):
            problem = f"it returned {answer!r:.80}; expected a list of {getattr(kind, '__name__', 'texts')}"
            raise RetrievalError(self.catalogue.name, question, problem)
        return found
