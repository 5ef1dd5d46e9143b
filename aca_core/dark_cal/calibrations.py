"""What a dark source answers by date: which calibration holds, its map at a temperature, its properties, tables."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, overload

import attrs
import numpy as np

from aca_core._checks import is_a
from aca_core.aca_image import ACAImage
from aca_core.arrays import FloatArray
from aca_core.dark_cal.properties import place_of_properties, read_properties, read_scalars, t_ccd_of
from aca_core.dark_cal.property_tables import property_table
from aca_core.dark_cal.selection import check_select, choose_dark_id
from aca_core.dark_cal.sources import SourceLike, dark_source_of
from aca_core.dark_current.scaling import dark_temp_scale, one_ccd_temperature
from aca_core.dark_sources import CCD_CORNER, CCD_SHAPE, DarkSource
from aca_core.dates import date_to_dark_id, to_date, to_secs
from aca_core.errors import AcaWarning, DateError, DeclarationError, IntegrityError
from aca_core.tables import creator

if TYPE_CHECKING:
    from typing import Literal

    from astropy.table import Table

    from aca_core.arrays import StrArray
    from aca_core.dates import DateArray, DateLike, DateScalar

__all__ = ["DarkCalibrations"]

_FIRST_DAY: Final = "1999:001"
"""The start of tables that name none: before the first calibration, which is of 1999:223."""

_MUCH: Final = 1e9
"""More memory than this for the maps of one table deserves a warning, bytes."""


@attrs.frozen
class DarkCalibrations:
    """The calibrations of one dark source, by date.

    It keeps no state: what it says is what is there when it is asked. It pickles, and threads may share it.

    Attributes
    ----------
    source : DarkSource
        Where the calibrations are; bound to the site.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = Path(tempfile.mkdtemp())
    >>> for dark_id, t_ccd in (("2019272", -11.0), ("2020100", -9.0)):
    ...     _ = write_dark_calibration(folder, dark_id, level=100.0, t_ccd=t_ccd)
    >>> calibrations = DarkCalibrations.of(folder)
    >>> calibrations.id("2020:001", select="nearest")
    '2019272'
    >>> round(float(calibrations.image("2020:001", t_ccd_ref=-15.0)[0, 0]), 3)
    70.0
    >>> calibrations.props_table()["ccd_temp"].tolist()
    [-11.0, -9.0]
    """

    source: DarkSource = attrs.field(validator=is_a(DarkSource, "a dark source"))

    @classmethod
    def of(cls, source: SourceLike = None) -> DarkCalibrations:
        """Return the calibrations of a source.

        Parameters
        ----------
        source : str, path, DarkSource or None
            A name, a folder of dated ones, or a source; by default the one that the configuration names.

        Returns
        -------
        DarkCalibrations

        Raises
        ------
        UnknownNameError
            No source has that name. It is a LookupError.
        MissingDataError
            There is no such folder, or nothing in it that any source would read. It is a LookupError.
        ConfigError
            The configuration, or what it says of the source, is wrong.
        """
        return cls(dark_source_of(source))

    def dirs(self) -> dict[str, str]:
        """Return the absolute folder of each calibration, by id, ascending."""
        return {dark_id: str(self.source.directory(dark_id)) for dark_id in self.source.ids()}

    def ids(self) -> dict[str, str]:
        """Return the id of each calibration by its date ``YYYY:DOY:00:00:00.000``, ascending."""
        return {f"{_day_of(dark_id)}:00:00:00.000": dark_id for dark_id in self.source.ids()}

    @overload
    def id(
        self, date: DateScalar, select: str = ..., dark_cal_ids: Mapping[str, str] | Iterable[Any] | None = ...
    ) -> str: ...
    @overload
    def id(
        self, date: DateArray, select: str = ..., dark_cal_ids: Mapping[str, str] | Iterable[Any] | None = ...
    ) -> StrArray: ...
    @overload
    def id(
        self, date: DateLike, select: str = ..., dark_cal_ids: Mapping[str, str] | Iterable[Any] | None = ...
    ) -> str | StrArray: ...
    def id(
        self,
        date: DateLike,
        select: str = "before",
        dark_cal_ids: Mapping[str, str] | Iterable[Any] | None = None,
    ) -> str | StrArray:
        """Return the id of the calibration that holds at a date, or at many; see `get_dark_cal_id`."""
        check_select(select)
        given = self.source.ids() if dark_cal_ids is None else dark_cal_ids
        where = self.source.described() if dark_cal_ids is None else "dark_cal_ids"
        return choose_dark_id(given, date, select, where)

    def image(
        self,
        date: DateLike,
        select: str = "before",
        t_ccd_ref: float | None = None,
        aca_image: bool = False,
        allow_negative: bool = False,
    ) -> FloatArray:
        """Return the map that holds at a date; see `get_dark_cal_image`."""
        t_ccd_ref = _temperature(t_ccd_ref)
        return self._image(self._one(date, select), t_ccd_ref, aca_image, allow_negative)

    def _image(self, dark_id: str, t_ccd_ref: float | None, aca_image: bool, allow_negative: bool) -> FloatArray:
        scale = 1.0 if t_ccd_ref is None else float(dark_temp_scale(t_ccd_of(self.source, dark_id), t_ccd_ref))
        given: Any = self.source.image(dark_id)
        if not isinstance(given, np.ndarray) or given.shape != CCD_SHAPE or given.dtype.kind != "f":
            is_array = isinstance(given, np.ndarray)
            found = f"{given.dtype} of shape {given.shape}" if is_array else f"a {type(given).__name__}"
            place = f"{self.source.described()}, calibration {dark_id}"
            raise IntegrityError(place, f"gives {found} for a map; expected floating point of shape {CCD_SHAPE}")
        # Never in place: a source may keep what it hands out.
        image: FloatArray = given if t_ccd_ref is None else given * scale
        if not allow_negative:
            image = np.maximum(image, 0)
        if not aca_image:
            return image
        meta = {"dark_id": dark_id, "source": self.source.name, "unit": "e-/s"}
        return ACAImage(image, *CCD_CORNER, meta=meta if t_ccd_ref is None else {**meta, "t_ccd": t_ccd_ref})

    def props(
        self,
        date: DateLike,
        select: str = "before",
        include_image: bool = False,
        t_ccd_ref: float | None = None,
        aca_image: bool = False,
        allow_negative: bool = False,
    ) -> dict[str, Any]:
        """Return the properties of the calibration that holds at a date; see `get_dark_cal_props`."""
        t_ccd_ref = _temperature(t_ccd_ref)
        dark_id = self._one(date, select)
        properties = read_properties(self.source, dark_id)
        if include_image:
            properties["image"] = self._image(dark_id, t_ccd_ref, aca_image, allow_negative)
        return properties

    def _one(self, date: DateLike, select: str) -> str:
        chosen = self.id(date, select)
        if not isinstance(chosen, str):
            raise DeclarationError("dark calibration", "date", f"{np.size(chosen)} dates", "one date")
        return chosen

    @overload
    def props_table(
        self,
        start: DateLike = ...,
        stop: DateLike = ...,
        include_image: bool = ...,
        as_table: Literal[True] = ...,
        *,
        t_ccd_ref: float | None = ...,
        allow_negative: bool = ...,
    ) -> Table: ...
    @overload
    def props_table(
        self,
        start: DateLike = ...,
        stop: DateLike = ...,
        include_image: bool = ...,
        *,
        as_table: Literal[False],
        t_ccd_ref: float | None = ...,
        allow_negative: bool = ...,
    ) -> list[dict[str, Any]]: ...
    @overload
    def props_table(
        self,
        start: DateLike = ...,
        stop: DateLike = ...,
        include_image: bool = ...,
        as_table: bool = ...,
        *,
        t_ccd_ref: float | None = ...,
        allow_negative: bool = ...,
    ) -> Table | list[dict[str, Any]]: ...
    def props_table(
        self,
        start: DateLike = None,
        stop: DateLike = None,
        include_image: bool = False,
        as_table: bool = True,
        *,
        t_ccd_ref: float | None = None,
        allow_negative: bool = False,
    ) -> Table | list[dict[str, Any]]:
        """Return the properties of all calibrations of a range of days; see `get_dark_cal_props_table`."""
        t_ccd_ref = _temperature(t_ccd_ref)
        first, last = _days(start, stop)
        ids = self._ids_of(first, last)
        if include_image:
            _warn_of_memory(len(ids))
        if not as_table:
            rows = [read_properties(self.source, dark_id) for dark_id in ids]
            for dark_id, row in zip(ids if include_image else (), rows, strict=False):
                row["image"] = self._image(dark_id, t_ccd_ref, False, allow_negative)
            return rows
        table = property_table(
            [read_scalars(self.source, dark_id) for dark_id in ids],
            self._meta(first, last),
            lambda row: place_of_properties(self.source, ids[row]),
        )
        if include_image:
            table["image"] = self._images(ids, t_ccd_ref, allow_negative)
        return table

    def _images(self, ids: Sequence[str], t_ccd_ref: float | None, allow_negative: bool) -> FloatArray:
        images = np.empty((len(ids), *CCD_SHAPE), dtype=np.float32)
        for row, dark_id in enumerate(ids):
            images[row] = self._image(dark_id, t_ccd_ref, False, allow_negative)
        return images

    def _meta(self, first: str, last: str) -> dict[str, str]:
        """Return where a table is from; names that a FITS header takes."""
        return {
            "source": self.source.name,
            "root": " ".join(str(place) for place in self.source.places),
            "start": _day_of(first),
            "stop": _day_of(last),
            "creator": creator(),
        }

    def ids_between(self, start: DateLike = None, stop: DateLike = None) -> tuple[str, ...]:
        """Return the ids of the calibrations of a range of days, ascending.

        Parameters
        ----------
        start, stop : date, optional
            The first and the last day, both included, in any form of `aca_core.dates`; 1999:001 and today by default.

        Returns
        -------
        tuple of str

        Raises
        ------
        DateError
            One of them is no date, or the range goes backwards. It is a ValueError.
        MissingDataError
            The source's folder does not exist. It is a LookupError.
        """
        return self._ids_of(*_days(start, stop))

    def _ids_of(self, first: str, last: str) -> tuple[str, ...]:
        return tuple(dark_id for dark_id in self.source.ids() if first <= dark_id <= last)

    def nothing_between(self, start: DateLike = None, stop: DateLike = None) -> str:
        """Return the message for a range of days without a calibration: what was asked, and what there is."""
        first, last = _days(start, stop)
        ids = self.source.ids()
        there = f"it has {len(ids)}, {ids[0]} to {ids[-1]}" if ids else "it has none at all"
        days = f"{_day_of(first)} to {_day_of(last)}"
        return f"{self.source.described()} has no dark calibration from {days}; {there}"


def _day_of(dark_id: str) -> str:
    return f"{dark_id[:4]}:{dark_id[4:]}"


def _days(start: DateLike, stop: DateLike) -> tuple[str, str]:
    """Return the ids that calibrations of the first and the last day would have."""
    secs = [_one_date(date) for date in (_FIRST_DAY if start is None else start, stop)]
    first, last = date_to_dark_id(secs[0]), date_to_dark_id(secs[1])
    if stop is not None and first > last:
        raise DateError(to_date(secs[1]), f"the range stops before it starts, which is at {to_date(secs[0])}")
    return first, last


def _one_date(date: DateLike) -> float:
    secs = to_secs(date)
    if not isinstance(secs, float):
        raise DeclarationError("dark calibration", "date", f"{np.size(secs)} dates", "one date")
    return secs


def _temperature(t_ccd_ref: Any) -> float | None:
    return None if t_ccd_ref is None else one_ccd_temperature("dark calibration", "t_ccd_ref", t_ccd_ref)


def _warn_of_memory(count: int) -> None:
    size = count * math.prod(CCD_SHAPE) * 4
    if size > _MUCH:
        text = f"{count} maps take {size / 1e9:.1f} GB of memory; ask for fewer days, or for one map at a time"
        warnings.warn(text, AcaWarning, stacklevel=4)
