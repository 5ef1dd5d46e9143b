"""Which dark calibration of the ground system belongs to a date: that of its day, or of the days next to it."""

from __future__ import annotations

from typing import Final

import numpy as np

from aca_core.archive.current import current_registry
from aca_core.arrays import StrArray
from aca_core.dark_sources import DarkSource
from aca_core.dates import DateLike, date_to_dark_id, day_start, to_date, to_secs
from aca_core.errors import DeclarationError, MissingDataError

__all__ = ["get_dark_cal_id"]

_DAY: Final = 86400.0
_SLOP: Final = (0, -1, 1)
"""The days that are tried, in this order: the exact one is never passed over for a neighbour."""


def get_dark_cal_id(date: DateLike, source: DarkSource | str | None = None) -> str | StrArray:
    """Return the id of the calibration that was made on the day of a date, or on the day before or after it.

    To select the nearest calibration, or the last one before a date, use `aca_core.dark_cal.get_dark_cal_id`.

    Parameters
    ----------
    date : date, any shape
        Such as the start of a calibration.
    source : DarkSource or str, optional
        Where to look; by default what ``dark.processed_from`` of the configuration names.

    Returns
    -------
    str or ndarray of str, shape of `date`
        ``YYYYDOY``. The day of the date itself goes before the day before it, and that before the day after it.

    Raises
    ------
    MissingDataError
        There is none; or the source's folder is not there.
    UnknownNameError
        No plugin offers such a source.
    DateError
        The date is none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core import DatedTree
    >>> from aca_core.testing import write_dark_calibration
    >>> tree = DatedTree(name="mica", root=Path(tempfile.mkdtemp()), image_file="image.fits")
    >>> _ = write_dark_calibration(tree.root, "2019272")
    >>> get_dark_cal_id("2019:273:00:10:00", tree)
    '2019272'
    """
    found = _source(source)
    existing = found.ids()
    secs = to_secs(date)
    is_masked = np.ma.getmaskarray(np.ma.asarray(secs))
    # From noon, a day of 86400 s reaches the next day's noon but for a leap second.
    noon = np.asarray(np.ma.filled(day_start(secs), 0.0)) + _DAY / 2
    wanted = np.stack([np.asarray(date_to_dark_id(noon + shift * _DAY)) for shift in _SLOP])
    is_there = np.isin(wanted, existing)
    missing = ~is_there.any(axis=0) & ~is_masked
    if missing.any():
        first = to_date(float(np.ma.asarray(secs)[missing].flat[0]))
        tried = ", ".join(wanted[(slice(None), *np.argwhere(missing)[0])].tolist())
        text = f"{found.described()}: no calibration of {first}, nor of the day before or after it, is there"
        raise MissingDataError(f"{text}; looked for {tried}")
    chosen: StrArray = np.take_along_axis(wanted, is_there.argmax(axis=0)[np.newaxis], axis=0)[0]
    if isinstance(secs, float):
        return str(chosen)
    return np.ma.array(chosen, mask=is_masked) if np.ma.isMaskedArray(secs) else chosen


def _source(source: DarkSource | str | None) -> DarkSource:
    """Return the dark source that was given or named, or the one that new calibrations are made from."""
    if isinstance(source, DarkSource):
        return source
    if source is not None and not isinstance(source, str):
        raise DeclarationError("get_dark_cal_id", "source", source, "a dark source, or the name of one")
    registry = current_registry()
    return registry.dark_source(registry.config.dark.processed_from if source is None else source)
