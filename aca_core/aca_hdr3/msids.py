"""Header-3 quantities over a range of time: one, one without its bad samples, or several on one time base."""

from __future__ import annotations

import copy as copying
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aca_core.aca_hdr3.asked import asked_names, asked_range, date_words, given_arrays, part_of, range_of
from aca_core.aca_hdr3.item_table import hdr3_item
from aca_core.aca_hdr3.samples import read_samples
from aca_core.errors import DeclarationError, UnknownNameError

if TYPE_CHECKING:
    from typing import Self

    from astropy.table import Table
    from matplotlib.figure import Figure

    from aca_core.dates import DateLike

__all__ = ["MSID", "MSIDset", "Msid"]


class MSID:
    """One quantity of header 3 over a range of time.

    Parameters
    ----------
    msid : str or int
        Name or number, such as ``ccd_temp`` or ``676`` (`HDR3_ITEMS`); case does not matter.
    start, stop : date
        The range, both ends included, in any form of `aca_core.dates`; `stop` is now by default. Only `msid_data` does
        without.
    msid_data : MSID or mapping, optional
        Take ``vals``, ``times``, ``hdr3_msid``, ``desc`` and ``longdesc`` from there and read nothing. It is taken
        as it is, and not cut to the range.
    filter_bad : bool, default False
        Whether to leave out what is masked; ``vals`` is a plain array then.
    raw : bool, default False
        Whether values are the words of the telemetry, as integers.
    db, data_root : optional
        Another index and another tree of telemetry, as for `aca_core.aca_l0.get_slot_data`.

    Attributes
    ----------
    vals : numpy.ma.MaskedArray or ndarray, shape (n,)
        Values in `unit`: float64, or int64 for bits, counters and addresses. Masked where they are bad.
    times : ndarray of float64, shape (n,)
        Middle of the integration, CXC seconds, ascending.
    msid, hdr3_msid : str
        Name and number.
    desc, longdesc : str
        What it is.
    unit : str
        In the words of astropy; empty where there is none.
    raw : bool
        Whether values are words.
    tstart, tstop : float
        The range that was asked for, CXC seconds.
    datestart, datestop : str
        The same as dates.
    synthetic : bool
        Whether any of it comes from files that are marked as synthetic.
    provenance : dict
        By slot where the rows are from.

    Raises
    ------
    UnknownNameError
        There is no such quantity; the message suggests the nearest. It is a LookupError.
    DateError
        A date is none, or the stop is before the start. It is a ValueError.
    DeclarationError
        `msid_data` is of another quantity, or its arrays do not fit. It is a ValueError.

    Examples
    --------
    >>> data = {"hdr3_msid": "676", "times": [0.0, 4.1], "vals": [-10.0, -10.02]}
    >>> ccd_temp = MSID("ccd_temp", "2012:001", "2012:002", msid_data=data)
    >>> ccd_temp.vals.tolist(), ccd_temp.unit, ccd_temp.desc
    ([-10.0, -10.02], 'deg_C', 'CCD temperature')
    """

    def __init__(
        self,
        msid: str | int,
        start: DateLike = None,
        stop: DateLike = None,
        msid_data: MSID | Mapping[str, Any] | None = None,
        filter_bad: bool = False,
        *,
        raw: bool = False,
        db: Any = None,
        data_root: str | Path | None = None,
    ) -> None:
        item = hdr3_item(msid)
        self.msid = item.name
        if msid_data is None:
            self.tstart, self.tstop = asked_range(type(self).__name__, start, stop)
            read = read_samples([item], self.tstart, self.tstop, raw=raw, db=db, data_root=data_root)
            about = {"raw": raw, "synthetic": read.synthetic, "provenance": read.provenance}
            msid_data = {"vals": read.values[item.name], "times": read.times, **about}
        given = functools.partial(part_of, msid_data)
        self.raw = bool(given("raw", raw))
        self.hdr3_msid: str = given("hdr3_msid", item.id)
        if self.hdr3_msid != item.id:
            raise DeclarationError(f"MSID {item.name!r}", "msid_data", self.hdr3_msid, f"data of {item.id}")
        self.desc: str = given("desc", item.desc)
        self.longdesc: str = given("longdesc", item.longdesc)
        self.unit: str = given("unit", "" if self.raw else item.unit)
        self.synthetic = bool(given("synthetic", False))
        self.provenance: dict[int, Any] = given("provenance", {})
        self.times, self.vals = given_arrays(item.name, given("times"), given("vals"))
        if not hasattr(self, "tstart"):
            self.tstart, self.tstop = range_of(self.times, msid_data, start, stop)
        self.datestart, self.datestop = date_words(self.tstart), date_words(self.tstop)
        if filter_bad:
            self.filter_bad()

    def __repr__(self) -> str:
        masked = int(np.count_nonzero(np.ma.getmaskarray(self.vals)))
        counted = f"{self.times.size} samples" + (f", {masked} of them masked" if masked else "")
        unit = "raw" if self.raw else self.unit
        name = f"{self.msid} ({self.hdr3_msid})"
        words = [name, f"{self.datestart} to {self.datestop}", counted, unit, "synthetic" if self.synthetic else ""]
        return f"<{type(self).__name__} {', '.join(word for word in words if word)}>"

    def copy(self) -> Self:
        """Return a copy that shares nothing with this one.

        Returns
        -------
        MSID
        """
        return copying.deepcopy(self)

    def filter_bad(self, copy: bool = False) -> Self | None:
        """Leave out the samples that are masked; ``vals`` becomes a plain array.

        Parameters
        ----------
        copy : bool, default False
            Whether to do so in a copy, and return that.

        Returns
        -------
        MSID or None
            The copy, where one is made.

        Examples
        --------
        >>> vals = np.ma.array([1, 2], mask=[True, False])
        >>> dac = MSID("dac", msid_data={"times": [0.0, 4.1], "vals": vals})
        >>> dac.filter_bad(copy=True).vals, dac.vals.size
        (array([2]), 2)
        """
        kept = self.copy() if copy else self
        good = ~np.ma.getmaskarray(kept.vals)
        kept.vals = np.ma.getdata(kept.vals)
        if not good.all():
            kept.times, kept.vals = kept.times[good], kept.vals[good]
        return kept if copy else None

    def as_table(self) -> Table:
        """Return times and values as a table.

        Returns
        -------
        astropy.table.Table
            Columns ``time`` (CXC seconds) and the name of the quantity, with unit and description; masked where
            values are. ``meta`` says which range it is, whether it is synthetic, and what it was read from.
        """
        from aca_core.aca_hdr3.tables import samples_table

        return samples_table({self.msid: self}, self.times, self.provenance)

    def plot(self) -> Figure:
        """Draw the values over time.

        Returns
        -------
        matplotlib.figure.Figure
            `aca_core.figures.save_figure` writes it to a file.

        Raises
        ------
        AcaError
            matplotlib is not installed.
        """
        from aca_core.aca_hdr3.plots import plot_samples

        return plot_samples([self])


class Msid(MSID):
    """One quantity of header 3 without its bad samples: ``vals`` and ``times`` are plain arrays.

    Parameters
    ----------
    msid, start, stop, raw, db, data_root
        As for `MSID`.

    Examples
    --------
    >>> from aca_core import open_archive, using
    >>> import tempfile
    >>> with using(open_archive(tempfile.mkdtemp())):
    ...     Msid("dac", "2012:001", "2012:002").vals
    array([], dtype=int64)
    """

    def __init__(
        self,
        msid: str | int,
        start: DateLike = None,
        stop: DateLike = None,
        *,
        raw: bool = False,
        db: Any = None,
        data_root: str | Path | None = None,
    ) -> None:
        super().__init__(msid, start, stop, filter_bad=True, raw=raw, db=db, data_root=data_root)


class MSIDset(dict[Any, MSID]):
    """Several quantities of header 3 on one time base: a dict of `MSID`, by the names and in the order asked for.

    The times are those of all slots that the quantities need. Where a slot has no row at a time, or a bad one, its
    quantities are masked. Slots have very different coverage: fids are 8x8 in slots 0 to 2, stars often 6x6.

    Parameters
    ----------
    msids : iterable of str or int
        Names or numbers.
    start, stop, raw, db, data_root
        As for `MSID`.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        The time base, CXC seconds, ascending. All members share it, and it cannot be written to.
    tstart, tstop, datestart, datestop, synthetic, provenance
        As for `MSID`.

    Raises
    ------
    UnknownNameError, DateError, DeclarationError
        As for `MSID`, and where there are no names.

    Examples
    --------
    >>> from aca_core import open_archive, using
    >>> import tempfile
    >>> with using(open_archive(tempfile.mkdtemp())):
    ...     perigee = MSIDset(["ccd_temp", "aca_temp", "dac"], "2012:001", "2012:030")
    >>> list(perigee), perigee["dac"].vals.size
    (['ccd_temp', 'aca_temp', 'dac'], 0)
    """

    def __init__(
        self,
        msids: Iterable[str | int],
        start: DateLike = None,
        stop: DateLike = None,
        *,
        raw: bool = False,
        db: Any = None,
        data_root: str | Path | None = None,
    ) -> None:
        super().__init__()
        asked = {name: hdr3_item(name) for name in asked_names(msids)}
        self.tstart, self.tstop = asked_range("MSIDset", start, stop)
        self.datestart, self.datestop = date_words(self.tstart), date_words(self.tstop)
        items = list({item.name: item for item in asked.values()}.values())
        read = read_samples(items, self.tstart, self.tstop, raw=raw, db=db, data_root=data_root)
        self.times, self.synthetic, self.provenance = read.times.view(), read.synthetic, read.provenance
        self.times.flags.writeable = False
        for name, item in asked.items():
            slots = {slot: read.provenance[slot] for slot in item.slots}
            about = {"raw": raw, "synthetic": read.synthetic, "provenance": slots}
            is_there = any(member.msid == item.name for member in self.values())  # by another of its names
            vals = read.values[item.name].copy() if is_there else read.values[item.name]
            data = {"vals": vals, "times": self.times, **about}
            self[name] = MSID(item.name, self.tstart, self.tstop, msid_data=data)
            self[name].times = self.times  # the very object; numpy makes another one where a dtype came from HDF5

    def __missing__(self, name: Any) -> MSID:
        """Find a member by another of its names: its number, or other letters' case."""
        wanted = hdr3_item(name).name
        for member in self.values():
            if member.msid == wanted:
                return member
        raise UnknownNameError("member of this MSIDset", name, [str(each) for each in self])

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a copy or a pickle has; its time base cannot be written to either."""
        self.__dict__.update(state)
        self.times.flags.writeable = False

    def __repr__(self) -> str:
        names = ", ".join(str(name) for name in self)
        synthetic = ", synthetic" if self.synthetic else ""
        return f"<MSIDset {names}, {self.datestart} to {self.datestop}, {self.times.size} samples{synthetic}>"

    def copy(self) -> Self:
        """Return a copy that shares nothing with this one.

        Returns
        -------
        MSIDset
        """
        return copying.deepcopy(self)

    def filter_bad(self, copy: bool = False) -> Self | None:
        """Leave out the times at which any member is masked: all members keep one time base, and are plain arrays.

        Slots differ in coverage, so that few times may remain; `MSID.filter_bad` of a member is about itself alone.

        Parameters
        ----------
        copy : bool, default False
            Whether to do so in a copy, and return that.

        Returns
        -------
        MSIDset or None
            The copy, where one is made.
        """
        from aca_core.aca_hdr3.tables import places_in

        kept = self.copy() if copy else self
        places = {name: places_in(kept.times, member) for name, member in kept.items()}
        good = np.ones(kept.times.size, dtype=bool)
        for name, member in kept.items():
            is_here = np.zeros(kept.times.size, dtype=bool)
            is_here[places[name]] = ~np.ma.getmaskarray(member.vals)
            good &= is_here
        kept.times = kept.times[good]
        kept.times.flags.writeable = False
        for name, member in kept.items():
            member.vals, member.times = np.ma.getdata(member.vals)[good[places[name]]], kept.times
        return kept if copy else None

    def as_table(self) -> Table:
        """Return all members as one table.

        Returns
        -------
        astropy.table.Table
            Columns ``time`` (CXC seconds) and the names of the quantities as asked for; as `MSID.as_table`.
        """
        from aca_core.aca_hdr3.tables import samples_table

        return samples_table(self, self.times, self.provenance)

    def plot(self) -> Figure:
        """Draw all members over time, one below the other.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        DeclarationError
            There are more than 12 of them. It is a ValueError.
        AcaError
            matplotlib is not installed.
        """
        from aca_core.aca_hdr3.plots import plot_samples

        return plot_samples(list(self.values()))
