"""The images of all slots in the order of time, with their status told in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from aca_core.aca_l0.columns import ACA_COLUMNS, HEADER3_COLUMNS, IMAGE_SIZES, SLOTS
from aca_core.aca_l0.one_slot import SlotColumns, slot_columns
from aca_core.aca_l0.slot_data import table_column, table_meta
from aca_core.aca_l0.status import STATUS_FIELDS, split_status
from aca_core.arrays import BoolArray, IntArray
from aca_core.dates import to_secs

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.dates import DateLike

__all__ = ["get_aca_images"]

_MINOR_FRAMES: Final = 128
"""Minor frames of a major frame."""

_TYPES: Final = {4: 0, 6: 1, 8: 4}
"""The type of the first packet of an image, by the image's size."""

_RENAMED: Final = {
    "IMGRAW": "IMG",
    "PIXTLM": "AAPIXTLM",
    "BGDTYP": "AABGDTYP",
    "IMGFID1": "IMGFID",
    "IMGNUM1": "IMGNUM",
    "IMGFUNC1": "IMGFUNC",
}
"""Columns that have another name here."""

_KEPT: Final = (
    *("TIME", "MJF", "MNF", "END_INTEG_TIME", "INTEG", "PIXTLM", "BGDTYP", "GLBSTAT", "COMMCNT", "COMMPROG"),
    *("IMGFID1", "IMGNUM1", "IMGFUNC1", "IMGSTAT", "IMGROW0", "IMGCOL0", "IMGSCALE", "BGDAVG", "BGDRMS"),
    *("TEMPCCD", "TEMPHOUS", "TEMPPRIM", "TEMPSEC", "BGDSTAT", "IMGRAW", *HEADER3_COLUMNS),
)
"""Columns that are taken over; those of later packets repeat what the first one says."""


def get_aca_images(
    start: DateLike,
    stop: DateLike,
    imgsize: int | Sequence[int] | None = None,
    *,
    db: Any = None,
    data_root: str | Path | None = None,
) -> Table:
    """Return the good images of all slots with ``start <= TIME <= stop``.

    Parameters
    ----------
    start, stop, imgsize, db, data_root
        As for `get_slot_data`.

    Returns
    -------
    astropy.table.Table
        By TIME, then by slot; rows of bad quality are left out. IMG are images in DN, each in the middle of 8x8 pixels
        and masked around it; (IMGROW0_8X8, IMGCOL0_8X8) is the pixel of the CCD at ``IMG[:, 0, 0]``. The columns are
        those of `get_slot_data` with the names that images from the ground's database have: see the table in the
        reference. ``meta`` tells where it comes from.

    Raises
    ------
    DeclarationError
        There is no such size. It is a ValueError.
    DateError
        The range goes backwards, or one of its ends is no date. It is a ValueError.
    IntegrityError
        An archived file is damaged or lost.

    Examples
    --------
    >>> from aca_core import open_archive, using
    >>> import tempfile
    >>> with using(open_archive(tempfile.mkdtemp())):  # nothing is archived there
    ...     images = get_aca_images("2012:001", "2012:002")
    >>> len(images), images["IMG"].shape
    (0, (0, 8, 8))
    """
    from astropy.table import Table

    stop = to_secs() if stop is None else stop  # one now for all slots
    slots = [
        slot_columns(start, stop, slot, imgsize, ["QUALITY", *_KEPT], centered=True, db=db, data_root=data_root)
        for slot in SLOTS
    ]
    rows = _Rows(slots)
    columns = [table_column(*each[:3], unit=each[3], description=each[4]) for each in _columns(rows)]
    return Table(columns, copy=False, meta=table_meta(slots, start, stop))


class _Rows:
    """The good rows of all slots, and where each comes to lie."""

    def __init__(self, slots: Sequence[SlotColumns]) -> None:
        self._slots = slots
        good = [each.values["QUALITY"] == 0 for each in slots]
        self._good: list[BoolArray | slice] = [slice(None) if each.all() else each for each in good]
        times = np.concatenate([each.times[rows] for each, rows in zip(slots, self._good, strict=True)])
        self.total = len(times)
        # Slots follow each other, so that a stable sort by time keeps those of one time in their order.
        order = np.argsort(times, kind="stable")
        places = np.empty(self.total, dtype=np.intp)
        places[order] = np.arange(self.total)
        counts = [int(np.count_nonzero(each)) for each in good]
        self._places: list[IntArray] = np.split(places, np.cumsum(counts)[:-1])

    def spread(self, parts: Sequence[npt.NDArray[Any]], kind: Any = None) -> npt.NDArray[Any]:
        """Return one array of what the slots have."""
        found = np.zeros((self.total, *parts[0].shape[1:]), kind or parts[0].dtype)
        for part, rows, places in zip(parts, self._good, self._places, strict=True):
            found[places] = part[rows]
        return found

    def column(self, name: str) -> tuple[npt.NDArray[Any], BoolArray | None]:
        """Return a column, and what of it is missing."""
        values = self.spread([each.values[name] for each in self._slots])
        if not any(name in each.missing for each in self._slots):
            return values, None
        missing = self.spread([each.missing.get(name, _none(each.values[name])) for each in self._slots])
        return values, missing if missing.any() else None

    def sizes(self) -> IntArray:
        return self.spread([each.imgsize for each in self._slots], np.int32)

    def names(self) -> npt.NDArray[np.str_]:
        width = max((len(name) for each in self._slots for name in each.files), default=1)
        return self.spread([each.filenames(f"U{width}") for each in self._slots])


def _none(values: npt.NDArray[Any]) -> BoolArray:
    """Return a mask that masks nothing, without the memory for it."""
    return np.broadcast_to(np.False_, values.shape)


_Described = tuple[str, npt.NDArray[Any], BoolArray | None, str | None, str | None]
"""A column: its name, its values, what of them is missing, its unit, what it means."""


def _columns(rows: _Rows) -> Iterator[_Described]:
    found = {}
    for name in _KEPT:
        values, missing = rows.column(name)
        known = ACA_COLUMNS[name]
        if name in STATUS_FIELDS:
            yield from _status(name, values)
        else:
            values = values.astype(bool) if name == "IMGFID1" else values
            found[name] = values
            yield _RENAMED.get(name, name), values, missing, known.unit, known.description
    sizes = rows.sizes()
    yield "IMGSIZE", sizes, None, None, ACA_COLUMNS["IMGSIZE"].description
    yield from _counters(found["MJF"], found["MNF"])
    yield from _places(found["IMGROW0"], found["IMGCOL0"], sizes)
    yield "FILENAME", rows.names(), None, None, ACA_COLUMNS["FILENAME"].description


def _status(name: str, values: npt.NDArray[Any]) -> Iterator[_Described]:
    """Yield a status byte, if it has no better name, and what its bits say."""
    fields = STATUS_FIELDS[name]
    if name not in fields:
        yield name, values, None, None, ACA_COLUMNS[name].description
    for field, part in split_status(name, values).items():
        low, width = fields[field]
        bits = f"bit {low}" if width == 1 else f"bits {low} to {low + width - 1}"
        yield field, part, None, None, f"{bits} of {name}"


def _counters(mjf: IntArray, mnf: IntArray) -> Iterator[_Described]:
    count = mjf * _MINOR_FRAMES + mnf
    yield "VCDUCTR", count, None, None, "minor frames since the counters were zero: 128 MJF + MNF"
    yield "IMG_VCDUCTR", count.copy(), None, None, "the same, of the first packet of the image"


def _places(row0: IntArray, col0: IntArray, sizes: IntArray) -> Iterator[_Described]:
    """Yield the type of the images, and where on the CCD two of their pixels are."""
    kinds = np.select([sizes == size for size in IMAGE_SIZES], [_TYPES[size] for size in IMAGE_SIZES])
    yield "IMGTYPE", kinds.astype(np.uint8), None, None, "type of the first packet: 0 of 4x4, 1 of 6x6, 4 of 8x8"
    to_a1 = np.where(sizes == 6, 1, 0).astype(np.int16)
    to_corner = ((8 - sizes) // 2).astype(np.int16)
    for axis, first in (("ROW", row0), ("COL", col0)):
        yield f"IMG{axis}_A1", first + to_a1, None, "pix", f"{axis.lower()} of pixel A1, the first that is read"
        yield f"IMG{axis}0_8X8", first - to_corner, None, "pix", f"{axis.lower()} of IMG[:, 0, 0]"
