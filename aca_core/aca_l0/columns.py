"""Which columns level-0 telemetry has: their types and units, in which sizes of image they occur, what they mean.

Types and order are those of the tables that mica returns; units and meanings are those of the headers of flight files
of 2019 and of the packets' definition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from aca_core._frozen import FrozenMapping
from aca_core.errors import DeclarationError, UnknownNameError

__all__ = ["ACA_COLUMNS", "HEADER3_COLUMNS", "IMAGE_SIZES", "SLOTS", "AcaColumn", "checked_columns"]

IMAGE_SIZES: Final = (4, 6, 8)
"""How many rows and columns an image may have."""

SLOTS: Final = tuple(range(8))
"""The image slots of the camera."""


@attrs.frozen
class AcaColumn:
    """One column of level-0 telemetry.

    Attributes
    ----------
    name : str
        As in the files, or of our own for those that are derived.
    dtype : str
        The type in results, as numpy writes it; of an image that of a pixel.
    sizes : tuple of int
        The sizes of image whose files have it; empty for what is derived.
    unit : str
        As astropy writes it; empty for numbers without one.
    description : str
        What it means.
    default : str
        What stands for it where files lack it; empty where nothing does.
    """

    name: str
    dtype: str
    sizes: tuple[int, ...]
    unit: str
    description: str
    default: str = ""


_EVERY: Final = IMAGE_SIZES
_SECOND: Final = (6, 8)
"""Columns from the second packet of an image."""
_LAST: Final = (8,)
"""Columns from the third and the fourth."""

HEADER3_COLUMNS: Final = tuple(f"HD3TLM{image}{word}" for image in (6, 7) for word in range(2, 8))
"""The twelve bytes of header 3 that an 8x8 image has: of images of type 6 and 7, words 2 to 7."""

_TABLE: Final = (
    AcaColumn("TIME", ">f8", _EVERY, "s", "middle of the integration, CXC seconds"),
    AcaColumn("QUALITY", ">i4", _EVERY, "", "0 good, 1 bad"),
    AcaColumn("MJF", ">i4", _EVERY, "", "major frame counter, 0 to 131071"),
    AcaColumn("MNF", ">i4", _EVERY, "", "minor frame of the first packet, 0 to 127"),
    AcaColumn("END_INTEG_TIME", ">f8", _EVERY, "s", "end of the integration, CXC seconds"),
    AcaColumn("INTEG", ">f4", _EVERY, "s", "integration time"),
    AcaColumn("PIXTLM", "U4", _EVERY, "", "kind of pixel telemetry: ORIG, DYNB or DIFF", "ORIG"),
    AcaColumn("BGDTYP", "U4", _EVERY, "", "kind of background: FLAT or DYNB", "FLAT"),
    AcaColumn("GLBSTAT", "u1", _EVERY, "", "global status bits"),
    AcaColumn("COMMCNT", "u1", _EVERY, "", "command count, and two flags"),
    AcaColumn("COMMPROG", "u1", _EVERY, "", "command progress, and repeat count"),
    AcaColumn("IMGFID1", "u1", _EVERY, "", "1 for a fid light, 0 for a star; first packet"),
    AcaColumn("IMGNUM1", "u1", _EVERY, "", "slot; first packet"),
    AcaColumn("IMGFUNC1", "u1", _EVERY, "", "image function: 1 tracks; first packet"),
    AcaColumn("IMGSTAT", "u1", _EVERY, "", "image status bits"),
    AcaColumn("IMGROW0", ">i2", _EVERY, "pix", "row of the lower left pixel"),
    AcaColumn("IMGCOL0", ">i2", _EVERY, "pix", "column of the lower left pixel"),
    AcaColumn("IMGSCALE", ">i2", _EVERY, "", "scale of the pixels, times 32"),
    AcaColumn("BGDAVG", ">i2", _EVERY, "DN", "average background"),
    AcaColumn("IMGFID2", "u1", _SECOND, "", "as IMGFID1, second packet"),
    AcaColumn("IMGNUM2", "u1", _SECOND, "", "as IMGNUM1, second packet"),
    AcaColumn("IMGFUNC2", "u1", _SECOND, "", "as IMGFUNC1, second packet"),
    AcaColumn("BGDRMS", ">i2", _SECOND, "DN", "scatter of the background"),
    AcaColumn("TEMPCCD", ">f4", _SECOND, "K", "temperature of the CCD, in steps of 0.4 K"),
    AcaColumn("TEMPHOUS", ">f4", _SECOND, "K", "temperature of the camera's housing"),
    AcaColumn("TEMPPRIM", ">f4", _SECOND, "K", "temperature of the lens cell, at the primary mirror"),
    AcaColumn("TEMPSEC", ">f4", _SECOND, "K", "temperature of the secondary mirror"),
    AcaColumn("BGDSTAT", "u1", _SECOND, "", "which of the eight background pixels are in use, one bit each"),
    AcaColumn("IMGFID3", "u1", _LAST, "", "as IMGFID1, third packet"),
    AcaColumn("IMGNUM3", "u1", _LAST, "", "as IMGNUM1, third packet"),
    AcaColumn("IMGFUNC3", "u1", _LAST, "", "as IMGFUNC1, third packet"),
    AcaColumn("IMGFID4", "u1", _LAST, "", "as IMGFID1, fourth packet"),
    AcaColumn("IMGNUM4", "u1", _LAST, "", "as IMGNUM1, fourth packet"),
    AcaColumn("IMGFUNC4", "u1", _LAST, "", "as IMGFUNC1, fourth packet"),
    AcaColumn("IMGRAW", ">f4", _EVERY, "DN", "image, by row and column"),
    *(
        AcaColumn(name, "u1", _LAST, "", f"byte of header 3: word {name[-1]} of the image of type {name[-2]}")
        for name in HEADER3_COLUMNS
    ),
    AcaColumn("IMGSIZE", ">i4", (), "", "how many rows and columns the image has: 4, 6 or 8"),
    AcaColumn("FILENAME", "U128", (), "", "base name of the file that the row is of"),
)

ACA_COLUMNS: Final[Mapping[str, AcaColumn]] = FrozenMapping({column.name: column for column in _TABLE})
"""The columns by name, in the order of results."""


def checked_columns(what: str, columns: Iterable[str] | None) -> list[str]:
    """Return names of columns in the order of the table; refuse those that there are not.

    Parameters
    ----------
    what : str
        Who asks, for the message.
    columns : iterable of str or None
        Names in any case; None stands for all.

    Returns
    -------
    list of str
        Each once.

    Raises
    ------
    UnknownNameError
        There is no such column. It is a LookupError.
    DeclarationError
        They are no names. It is a ValueError.

    Examples
    --------
    >>> checked_columns("get_slot_data", ["TEMPCCD", "time"])
    ['TIME', 'TEMPCCD']
    """
    if columns is None:
        return list(ACA_COLUMNS)
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        raise DeclarationError(what, "columns", columns, "a list of names such as ['TIME', 'IMGRAW'], or None for all")
    asked = list(columns)
    for name in asked:
        if not isinstance(name, str):
            raise DeclarationError(what, "columns", name, "names of columns, such as 'TIME'")
        if name.upper() not in ACA_COLUMNS:
            raise UnknownNameError("column of level-0 telemetry", name.upper(), list(ACA_COLUMNS))
    wanted = {name.upper() for name in asked}
    return [name for name in ACA_COLUMNS if name in wanted]
