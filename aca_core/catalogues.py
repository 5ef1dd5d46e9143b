"""What a catalogue is: the site's list of what was processed, and what was planned. It brings no files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Literal

import attrs

from aca_core._checks import as_whole, check, is_a, text, whole
from aca_core.obsids import MAX_OBSID
from aca_core.offers import Offer

__all__ = ["Catalogue", "IngestedFile", "PlannedStar", "ProcessingRun", "Work"]


_identifier = check(
    lambda value: isinstance(value, str) and value.isascii() and value.isidentifier(), "a name such as 'aspect_1'"
)


@attrs.frozen(kw_only=True)
class Work:
    """Where a catalogue lists the processing of a product.

    Attributes
    ----------
    table : str
        The catalogue's table of runs, for example ``aspect_1``.
    id : str
        Its increasing id column, for example ``aspect_1_id``.
    reviewed_as_science : bool
        Whether a pending run counts as released once the science products made from it were reviewed, as the aspect
        pipeline's runs do.

    Examples
    --------
    >>> Work(table="obidet_0_5", id="obidet_0_5_id").id
    'obidet_0_5_id'
    """

    table: str = attrs.field(validator=_identifier)
    id: str = attrs.field(validator=_identifier)
    reviewed_as_science: bool = attrs.field(default=False, validator=is_a(bool, "True or False"))


@attrs.frozen(kw_only=True, order=True)
class ProcessingRun:
    """One run of a pipeline, as a catalogue lists it.

    Attributes
    ----------
    id : int
        Increases with every run.
    obsid, obi, revision : int
        What was processed, and the version of the products that came of it.
    ap_date : str
        When, as the catalogue writes it.
    quality : str
        ``P`` while it is pending; anything else means that it was judged.
    """

    id: int = attrs.field(converter=as_whole, validator=whole(0, 2**63 - 1))
    obsid: int = attrs.field(converter=as_whole, validator=whole(0, MAX_OBSID))
    obi: int = attrs.field(converter=as_whole, validator=whole(0, 999))
    revision: int = attrs.field(converter=as_whole, validator=whole(0, 999))
    ap_date: str = attrs.field(default="", validator=text)
    quality: str = attrs.field(default="", validator=text)


@attrs.frozen(kw_only=True)
class PlannedStar:
    """One entry of an observation's planned star catalogue.

    Attributes
    ----------
    slot : int
        0 to 7.
    type : {'guide', 'fid', 'monitor', 'unused'}
        What the slot was meant for.
    id : int
        Star number in the star catalogue, or number of the fid light.
    y_ang, z_ang : float
        Planned position in the camera frame, arcsec.
    """

    slot: int = attrs.field(converter=as_whole, validator=whole(0, 7))
    type: Literal["guide", "fid", "monitor", "unused"] = attrs.field(
        validator=check(("guide", "fid", "monitor", "unused").__contains__, "'guide', 'fid', 'monitor' or 'unused'")
    )
    id: int = attrs.field(converter=as_whole, validator=whole(0, 2**63 - 1))
    y_ang: float
    z_ang: float


@attrs.frozen(kw_only=True, order=True)
class IngestedFile:
    """One file that the central archive has taken in, as a catalogue lists it.

    Attributes
    ----------
    ingested : float
        When, CXC seconds.
    filename : str
        Its base name, with or without ``.gz``.
    """

    ingested: float
    filename: str = attrs.field(validator=text)


@attrs.frozen(kw_only=True)
class Catalogue(Offer, ABC):
    """A list of what was processed, answering from a database, a file or a service.

    Subclass it with `attrs.frozen` and implement the methods; connect when asked, not when made, since declarations
    travel to other processes. A catalogue that cannot be reached raises `RetrievalError`.

    Examples
    --------
    >>> import attrs
    >>> from aca_core import Catalogue, ProcessingRun
    >>> @attrs.frozen(kw_only=True)
    ... class Fixed(Catalogue):
    ...     def new_work(self, work, after):
    ...         return [run for run in self.runs(work, obsid=7000) if run.id > after]
    ...     def runs(self, work, obsid, *, obi=None, revision=None):
    ...         return [ProcessingRun(id=12, obsid=obsid, obi=0, revision=2, quality="P")]
    ...     def obis(self, obsid):
    ...         return (0,)
    >>> [run.id for run in Fixed(name="fixed").new_work(None, after=11)]
    [12]
    """

    section: ClassVar[str] = "catalogues"

    @property
    def noun(self) -> str:
        """``catalogue``."""
        return "catalogue"

    @abstractmethod
    def new_work(self, work: Work, after: int) -> Iterable[ProcessingRun]:
        """Return the runs with an id greater than `after`, by ascending id."""

    @abstractmethod
    def runs(
        self, work: Work, obsid: int, *, obi: int | None = None, revision: int | None = None
    ) -> Iterable[ProcessingRun]:
        """Return the runs of an obsid, of one obi and one revision where these are given."""

    @abstractmethod
    def obis(self, obsid: int) -> tuple[int, ...]:
        """Return the numbers of the observation intervals of an obsid, ascending; empty where it is unknown."""

    def ingested_files(self, product: str, after: float) -> Iterable[IngestedFile]:
        """Return the files of a product by day that were taken in after a time (CXC s), by time; none by default."""
        return ()

    def science_qualities(self, work: Work, run: ProcessingRun) -> tuple[str, ...]:
        """Return the qualities of the science products that were made from a run; none by default."""
        return ()

    def target_status(self, obsid: int) -> str | None:
        """Return the status of the observation's target, such as ``discarded``; None by default."""
        return None

    def planned_stars(self, obsid: int, obi: int) -> tuple[PlannedStar, ...]:
        """Return the planned star catalogue of an observation interval; empty by default."""
        return ()
