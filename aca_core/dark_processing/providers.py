"""Where the times of full readouts and the CCD temperatures come from: two small interfaces, and who provides them.

Tables provide both, and the archive's telemetry provides temperatures. A provider of an event database is a subclass.
"""

from __future__ import annotations

import contextlib
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np

from aca_core._checks import is_a, text
from aca_core.aca_hdr3.msids import Msid
from aca_core.archive.archive import Archive, open_archive
from aca_core.archive.current import current_archive, using
from aca_core.arrays import FloatArray
from aca_core.config import Config
from aca_core.dates import DateLike, to_date, to_secs
from aca_core.errors import ConfigError, DateError, DeclarationError, IntegrityError, MissingDataError, UnknownNameError
from aca_core.quantities import as_floats
from aca_core.tables import column_of, read_table_file

__all__ = ["EventProvider", "EventTable", "Header3Telemetry", "TemperatureProvider", "TemperatureTable"]

_START: Final = ("start", "tstart", "datestart")
_STOP: Final = ("stop", "tstop", "datestop")
_TIME: Final = ("time", "date")
_VALUE: Final = ("value", "ccd_temp", "aacccdpt")

_CELSIUS: Final = ("c", "degc", "celsius")
"""What headers write for degrees Celsius, in which astropy sees coulombs or nothing at all."""

_KELVIN_FROM: Final = 100.0
"""No CCD is that hot, degC: a table whose median is above it is in kelvin."""

Arrays = tuple[FloatArray, FloatArray]


@attrs.frozen(kw_only=True)
class EventProvider(ABC):
    """Knows when the camera read out the whole CCD (telemetry CIUMACAC = ON). Subclasses are frozen and pickle."""

    @abstractmethod
    def intervals(self, start: DateLike, stop: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return the intervals of full readouts that overlap a range of time.

        Parameters
        ----------
        start, stop : date
            The range, both ends included.

        Returns
        -------
        tstart, tstop : ndarray of float64, shape (n,)
            CXC seconds, ascending by tstart; whole intervals, also where the range cuts them.

        Raises
        ------
        MissingDataError, IntegrityError
            They cannot be had.
        """


@attrs.frozen(kw_only=True)
class TemperatureProvider(ABC):
    """Knows temperatures of the CCD. Subclasses are frozen and pickle."""

    @abstractmethod
    def samples(self, tstart: DateLike, tstop: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return the samples in a range of time.

        Parameters
        ----------
        tstart, tstop : date
            The range, both ends included.

        Returns
        -------
        times : ndarray of float64, shape (n,)
            CXC seconds, ascending.
        t_ccd : ndarray of float64, shape (n,)
            degC; faults of telemetry are left in.

        Raises
        ------
        MissingDataError, IntegrityError
            They cannot be had.
        """


def _as_path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class EventTable(EventProvider):
    r"""Full readouts from a table file with the columns ``start`` and ``stop``. It is read again when the file changes.

    Attributes
    ----------
    path : Path
        CSV, ECSV or FITS; dates in any form of `aca_core.dates` but the ids ``YYYYDOY``, which read as numbers.
    setting : str
        Which key of the configuration names it, for messages.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("start,stop\n2019:272:02:00:00,2019:272:02:30:00\n")
    >>> tstart, tstop = EventTable(path=path).intervals("2019:272", "2019:273")
    >>> (tstop - tstart).tolist()
    [1800.0]
    """

    path: Path = attrs.field(converter=_as_path, validator=is_a(Path, "a path"))
    setting: str = attrs.field(default="", validator=text)

    def intervals(self, start: DateLike, stop: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return the intervals that overlap a range of time, CXC seconds, ascending; see `EventProvider`."""
        tstart, tstop = _arrays(self, _read_intervals)
        low, high = to_secs(start), to_secs(stop)
        inside = (tstop >= low) & (tstart <= high)
        return tstart[inside], tstop[inside]


@attrs.frozen(kw_only=True)
class TemperatureTable(TemperatureProvider):
    r"""CCD temperatures from a table file with the columns ``time`` and ``value``. It is read again when it changes.

    Attributes
    ----------
    path : Path
        CSV, ECSV or FITS; dates in any form of `aca_core.dates`; values in degC, or in the unit that their column
        has, such as K.
    setting : str
        Which key of the configuration names it, for messages.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "aacccdpt.csv"
    >>> _ = path.write_text("time,value\n2019:272:02:00:00,-11.5\n2019:272:02:05:00,-11.4\n")
    >>> TemperatureTable(path=path).samples("2019:272:02:01:00", "2019:273")[1].tolist()
    [-11.4]
    """

    path: Path = attrs.field(converter=_as_path, validator=is_a(Path, "a path"))
    setting: str = attrs.field(default="", validator=text)

    def samples(self, tstart: DateLike, tstop: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return the samples in a range of time, CXC seconds and degC; see `TemperatureProvider`."""
        times, values = _arrays(self, _read_samples)
        first, last = np.searchsorted(times, to_secs(tstart)), np.searchsorted(times, to_secs(tstop), side="right")
        return times[first:last].copy(), values[first:last].copy()


@attrs.frozen(kw_only=True)
class Header3Telemetry(TemperatureProvider):
    """CCD temperatures from header 3 of the telemetry that an archive has: ``ccd_temp`` of 8x8 images in slot 6.

    Attributes
    ----------
    config : Config or None
        The archive of this configuration is asked; by default the one that is current at that moment.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import open_archive, using
    >>> with using(open_archive(tempfile.mkdtemp())):
    ...     Header3Telemetry().samples("2019:272:02:00:00", "2019:272:02:30:00")
    (array([], dtype=float64), array([], dtype=float64))
    """

    config: Config | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_a(Config, "a configuration"))
    )

    def samples(self, tstart: DateLike, tstop: DateLike) -> tuple[FloatArray, FloatArray]:
        """Return the good samples in a range of time, CXC seconds and degC; see `TemperatureProvider`.

        There are none where the archive has no telemetry.
        """
        with using(_archive_of(self.config)):
            ccd_temp = Msid("ccd_temp", tstart, tstop)
        return ccd_temp.times, ccd_temp.vals


def _archive_of(config: Config | None) -> Archive:
    """Return the archive that is current, or that of another configuration."""
    if config is None:
        return current_archive()
    with contextlib.suppress(ConfigError):
        if (archive := current_archive()).config == config:
            return archive
    return _opened(config)


@functools.lru_cache(maxsize=1)  # plugins are loaded once for a configuration, and not for each interval
def _opened(config: Config) -> Archive:
    return open_archive(config=config)


# ---- tables ---------------------------------------------------------------------------------------------------------


def _arrays(table: EventTable | TemperatureTable, read: Callable[[str, tuple[int, ...]], Arrays]) -> Arrays:
    """Return the two arrays of a table, from memory while its file is the same."""
    try:
        status = table.path.stat()
        return read(str(table.path), (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino))
    except (FileNotFoundError, NotADirectoryError, MissingDataError):
        named = f"; {table.setting} of the configuration names it" if table.setting else ""
        raise MissingDataError(f"there is no table {table.path}{named}") from None


@functools.lru_cache(maxsize=1)
def _read_intervals(path: str, state: tuple[int, ...]) -> Arrays:
    table = read_table_file(path)
    tstart, tstop = _dates(path, table, _START), _dates(path, table, _STOP)
    whole = np.isfinite(tstart) & np.isfinite(tstop)
    tstart, tstop = tstart[whole], tstop[whole]
    if (backwards := np.flatnonzero(tstop < tstart)).size:
        first = backwards[0]
        text = f"has an interval from {to_date(float(tstart[first]))} to {to_date(float(tstop[first]))}"
        raise IntegrityError(path, f"{text}; expected a stop that is not before its start")
    return _kept(tstart, tstop)


@functools.lru_cache(maxsize=2)  # header 3 and AACCCDPT, which are long
def _read_samples(path: str, state: tuple[int, ...]) -> Arrays:
    table = read_table_file(path)
    times, values = _dates(path, table, _TIME), _celsius(path, table)
    whole = np.isfinite(times) & np.isfinite(values)
    return _kept(times[whole], values[whole])


def _kept(times: FloatArray, values: FloatArray) -> Arrays:
    """Return two columns in the order of the first, as arrays that nobody can change: they are kept."""
    order = np.argsort(times, kind="stable")
    found = times[order], values[order]
    for array in found:
        array.flags.writeable = False
    return found


def _column(path: str, table: Any, names: tuple[str, ...]) -> Any:
    try:
        column = table[column_of(table, names, path)]
    except UnknownNameError:
        known = ", ".join(table.colnames)
        raise IntegrityError(path, f"has no column {' or '.join(names)}, but {known}; name its columns so") from None
    if column.ndim > 1:
        number = math.prod(column.shape[1:])
        raise IntegrityError(path, f"its column {column.info.name!r} has {number} values in each row; expected one")
    return column


def _dates(path: str, table: Any, names: tuple[str, ...]) -> FloatArray:
    """Return a column of dates in CXC seconds; NaN where it is empty."""
    column = _column(path, table, names)
    if len(table) == 0:
        return np.zeros(0)
    try:
        return np.asarray(np.ma.filled(to_secs(column), np.nan), dtype=float)
    except DateError as error:
        raise IntegrityError(path, f"its column {column.info.name!r} has what is no date: {error}") from error


def _celsius(path: str, table: Any) -> FloatArray:
    """Return the column of temperatures in degC; NaN where it is empty."""
    column = _column(path, table, _VALUE)
    name, unit = column.info.name, str(column.unit or "")
    if len(table) == 0:
        return np.zeros(0)
    if unit.lower().replace("_", "").replace(" ", "") in _CELSIUS:
        column = np.ma.asarray(column)
    try:
        values = as_floats(path, name, column, "deg_C")
    except DeclarationError as error:
        raise IntegrityError(path, f"its column {name!r} is no temperature: expected {error.expected}") from None
    finite = values[np.isfinite(values)]
    if finite.size and np.median(finite) > _KELVIN_FROM:
        wanted = "give the column its unit (K, in an ECSV or FITS file), or subtract 273.15"
        problem = f"its column {name!r} has values such as {np.median(finite):.6g}, taken for degC"
        raise IntegrityError(path, f"{problem}; {wanted}")
    return values
