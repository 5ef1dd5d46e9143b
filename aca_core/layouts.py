"""Where the files of a product lie below its folder: by obsid and revision, or by day. Pure; touches no disk."""

from __future__ import annotations

import calendar
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, ClassVar, TypeAlias

import attrs

from aca_core._checks import as_whole, whole
from aca_core.columns import Column, FromArchive
from aca_core.errors import DeclarationError
from aca_core.obsids import MAX_OBSID

__all__ = ["ByDay", "ByObsid", "Day", "Layout", "ObsidRevision", "Unit"]


@attrs.frozen(order=True)
class ObsidRevision:
    """One revision of one observation's products: what a product by obsid is committed in.

    Attributes
    ----------
    obsid : int
        0 to 99999.
    revision : int
        0 or greater; the ``N003`` field of the file names.

    Examples
    --------
    >>> str(ObsidRevision(6000, 3))
    '06000_v03'
    """

    obsid: int = attrs.field(converter=as_whole, validator=whole(0, MAX_OBSID))
    revision: int = attrs.field(converter=as_whole, validator=whole(0, 999))

    def __str__(self) -> str:
        return f"{self.obsid:05d}_v{self.revision:02d}"


@attrs.frozen(order=True)
class Day:
    """One UTC day: what a product by day is committed in.

    Attributes
    ----------
    year : int
        1990 to 2100.
    doy : int
        Day of year, 1 to 366.

    Examples
    --------
    >>> str(Day(2019, 272))
    '2019:272'
    """

    year: int = attrs.field(converter=as_whole, validator=whole(1990, 2100))
    doy: int = attrs.field(converter=as_whole, validator=whole(1, 366))

    def __attrs_post_init__(self) -> None:
        """Refuse day 366 of a common year."""
        if self.doy == 366 and not calendar.isleap(self.year):
            raise DeclarationError("Day", "doy", self.doy, f"1 to 365, since {self.year} is no leap year")

    def __str__(self) -> str:
        return f"{self.year:04d}:{self.doy:03d}"


Unit: TypeAlias = ObsidRevision | Day
"""What is committed as a whole: an obsid's revision, or a day."""


class Layout(ABC):
    """How a product's units are laid out in folders below the product's own.

    Attributes
    ----------
    columns : tuple of Column
        The index columns that the archive itself fills for this layout, beside those that a product's reader fills.
    files_by : tuple of str
        The index columns that tell to which unit a row belongs.
    example : ObsidRevision or Day
        Some unit, for help and for tests.
    """

    columns: ClassVar[tuple[Column, ...]] = ()
    files_by: ClassVar[tuple[str, ...]] = ()
    example: ClassVar[Unit]

    @abstractmethod
    def directory(self, unit: Any) -> PurePosixPath:
        """Return the folder of a unit, relative to the product's folder."""

    @abstractmethod
    def unit_in(self, directory: PurePosixPath) -> Unit | None:
        """Return the unit whose folder `directory` is, or None when it is no unit's."""

    @abstractmethod
    def unit_of(self, row: Mapping[str, Any]) -> Unit:
        """Return the unit to which a row of the index belongs."""


@attrs.frozen
class ByObsid(Layout):
    """``NN/NNNNN_vMM``: one folder for each revision of an obsid, with links to the released and the newest one.

    The first two of the obsid's five digits name the chunk folder. Versions of three digits are read and written whole.

    Examples
    --------
    >>> layout = ByObsid()
    >>> str(layout.directory(ObsidRevision(6000, 3)))
    '06/06000_v03'
    >>> str(layout.default_link(6000)), str(layout.last_link(6000))
    ('06/06000', '06/06000_last')
    >>> layout.unit_in(PurePosixPath("06/06000_v103"))
    ObsidRevision(obsid=6000, revision=103)
    """

    columns: ClassVar[tuple[Column, ...]] = (
        Column("obsid", "int", source=FromArchive(), required=True, description="observation id"),
        Column("isdefault", "int", source=FromArchive(), description="1 for the released revision, else NULL"),
    )
    files_by: ClassVar[tuple[str, ...]] = ("obsid", "revision")
    example: ClassVar[Unit] = ObsidRevision(6000, 3)

    def directory(self, unit: ObsidRevision) -> PurePosixPath:
        """Return ``NN/NNNNN_vMM`` for an obsid's revision."""
        name = str(unit)
        return PurePosixPath(name[:2], name)

    def default_link(self, obsid: int) -> PurePosixPath:
        """Return ``NN/NNNNN``, the link to the released revision."""
        return self._link(obsid, "")

    def last_link(self, obsid: int) -> PurePosixPath:
        """Return ``NN/NNNNN_last``, the link to the newest provisional revision."""
        return self._link(obsid, "_last")

    def unit_in(self, directory: PurePosixPath) -> ObsidRevision | None:
        """Return the obsid and revision of ``NN/NNNNN_vMM``, or None for anything else."""
        match = re.fullmatch(r"(\d\d)/((\d\d)\d{3})_v(\d{2,3})", str(directory), re.ASCII)
        if match is None or match[1] != match[3]:
            return None
        unit = ObsidRevision(int(match[2]), int(match[4]))
        return unit if self.directory(unit) == directory else None

    def unit_of(self, row: Mapping[str, Any]) -> ObsidRevision:
        """Return the revision from the ``obsid`` and ``revision`` of an index row."""
        return ObsidRevision(int(row["obsid"]), int(row["revision"]))

    @staticmethod
    def _link(obsid: int, what: str) -> PurePosixPath:
        name = str(ObsidRevision(obsid, 0))[:5]
        return PurePosixPath(name[:2], name + what)


@attrs.frozen
class ByDay(Layout):
    """``YYYY/DOY``: one folder for each UTC day of the times in the file names.

    Examples
    --------
    >>> str(ByDay().directory(Day(2019, 272)))
    '2019/272'
    """

    files_by: ClassVar[tuple[str, ...]] = ("year", "doy")
    example: ClassVar[Unit] = Day(2019, 272)

    def directory(self, unit: Day) -> PurePosixPath:
        """Return ``YYYY/DOY`` for a day."""
        return PurePosixPath(f"{unit.year:04d}/{unit.doy:03d}")

    def unit_in(self, directory: PurePosixPath) -> Day | None:
        """Return the day of ``YYYY/DOY``, or None for anything else."""
        match = re.fullmatch(r"(\d{4})/(\d{3})", str(directory), re.ASCII)
        try:
            return Day(int(match[1]), int(match[2])) if match else None
        except DeclarationError:
            return None

    def unit_of(self, row: Mapping[str, Any]) -> Day:
        """Return the day from the ``year`` and ``doy`` of an index row."""
        return Day(int(row["year"]), int(row["doy"]))
