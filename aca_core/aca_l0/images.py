"""The images that one slot took, each with its place on the CCD and what else is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aca_core.aca_image import ACAImage
from aca_core.aca_l0.columns import checked_columns
from aca_core.aca_l0.one_slot import SlotColumns, slot_columns
from aca_core.arrays import IntArray

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = ["get_l0_images", "images_of"]

_META: Final = ("TIME", "BGDAVG", "IMGSTAT", "IMGFUNC1", "IMGSIZE", "IMGSCALE", "INTEG")
"""What an image tells of itself by default, as mica has it."""

_PLACE: Final = ("IMGROW0", "IMGCOL0")
"""What it always tells."""

_KELVIN: Final = 273.15
_TEMPERATURES: Final = ("TEMPCCD", "TEMPHOUS", "TEMPPRIM", "TEMPSEC")


def get_l0_images(
    start: DateLike,
    stop: DateLike,
    slot: int,
    imgsize: int | Sequence[int] | None = None,
    columns: Iterable[str] | None = None,
    *,
    db: Any = None,
    data_root: str | Path | None = None,
) -> list[ACAImage]:
    """Return the good images of a slot with ``start <= TIME <= stop``.

    Parameters
    ----------
    start, stop, slot, imgsize, db, data_root
        As for `get_slot_data`.
    columns : iterable of str, optional
        What the images tell of themselves in ``meta``, see `ACA_COLUMNS`. By default TIME, BGDAVG, IMGSTAT, IMGFUNC1,
        IMGSIZE, IMGSCALE and INTEG; IMGROW0 and IMGCOL0 always.

    Returns
    -------
    list of ACAImage
        By TIME, in DN (electrons per second are DN times 5 / INTEG), of n x n pixels. Rows of bad quality are left
        out. ``meta`` has Python's own numbers, temperatures in degC, and nothing that the row lacks. The corners of 6x6
        images, which the camera does not read, are NaN: ``numpy.nansum`` adds up such an image.

    Raises
    ------
    UnknownNameError
        There is no such column. It is a LookupError.
    DeclarationError
        There is no such slot or size. It is a ValueError.
    DateError
        The range goes backwards, or one of its ends is no date. It is a ValueError.
    IntegrityError
        An archived file is damaged or lost.

    Examples
    --------
    >>> image = get_l0_images("2019:272", "2019:273", slot=4)[0]  # doctest: +SKIP
    >>> image.row0, image.col0, image.TIME, image.aca[375, -200] * 5 / image.INTEG  # doctest: +SKIP
    (373, -202, 686111012.493093, np.float32(2373.2312))
    """
    names = checked_columns("get_l0_images", [*(_META if columns is None else _listed(columns)), *_PLACE])
    data = slot_columns(
        start, stop, slot, imgsize, [*names, "QUALITY", "IMGRAW", "IMGSIZE"], db=db, data_root=data_root
    )
    return images_of(data, np.flatnonzero(data.values["QUALITY"] == 0), [name for name in names if name != "IMGRAW"])


def _listed(columns: Any) -> Iterable[str]:
    """Return names of columns; what is no list of them is refused as everywhere."""
    return (
        columns
        if isinstance(columns, Iterable) and not isinstance(columns, str)
        else checked_columns("get_l0_images", columns)
    )


def images_of(data: SlotColumns, rows: IntArray, names: Iterable[str]) -> list[ACAImage]:
    """Return images of some rows.

    Parameters
    ----------
    data : SlotColumns
        With IMGRAW, IMGROW0 and IMGCOL0, and images in the lower left corner.
    rows : ndarray of int
        Which rows.
    names : iterable of str
        The columns that become ``meta``.

    Returns
    -------
    list of ACAImage
        Each has pixels of its own.
    """
    pixels = data.values["IMGRAW"][rows]
    if "IMGRAW" in data.missing:
        pixels[data.missing["IMGRAW"][rows]] = np.nan
    told = [_meta_of(data, rows, name) for name in names]
    sizes = data.imgsize[rows].tolist()
    images = []
    for number, size in enumerate(sizes):
        meta = {name: values[number] for name, values, lacking in told if lacking is None or not lacking[number]}
        images.append(ACAImage(pixels[number, :size, :size], meta=meta))
    return images


def _meta_of(data: SlotColumns, rows: IntArray, name: str) -> tuple[str, list[Any], list[bool] | None]:
    """Return the values of a column as Python has them, and which of them are none."""
    if name == "IMGSIZE":
        return name, data.imgsize[rows].tolist(), None
    if name == "FILENAME":
        return name, [data.files[number] for number in data.file_of_row[rows].tolist()], None
    values = data.values[name][rows]
    if name in _TEMPERATURES:
        values = values.astype(np.float64) - _KELVIN
    lacking = data.missing[name][rows].tolist() if name in data.missing else None
    return name, values.tolist(), lacking
