"""What the status bytes of level-0 telemetry say, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from aca_core._frozen import FrozenMapping
from aca_core.errors import DeclarationError, UnknownNameError

__all__ = ["STATUS_FIELDS", "StatusField", "split_status"]


class StatusField(NamedTuple):
    """Some bits of a byte.

    Parameters
    ----------
    low : int
        The lowest of them, 0 to 7.
    width : int
        How many there are.
    """

    low: int
    width: int


def _flags(*names: str) -> FrozenMapping[str, StatusField]:
    """Return bits that are flags, from the highest to bit 0."""
    return FrozenMapping((name, StatusField(low, 1)) for name, low in zip(names, range(len(names))[::-1], strict=True))


STATUS_FIELDS: Final[Mapping[str, Mapping[str, StatusField]]] = FrozenMapping(
    {
        "GLBSTAT": _flags(
            *("HIGH_BGD", "RAM_FAIL", "ROM_FAIL", "POWER_FAIL", "CAL_FAIL", "COMM_CHECKSUM_FAIL", "RESET"),
            "SYNTAX_ERROR",
        ),
        "IMGSTAT": _flags("SAT_PIXEL", "DEF_PIXEL", "QUAD_BOUND", "COMMON_COL", "MULTI_STAR", "ION_RAD"),
        "COMMCNT": FrozenMapping(
            {"COMMCNT": StatusField(2, 6), **_flags("COMMCNT_SYNTAX_ERROR", "COMMCNT_CHECKSUM_FAIL")}
        ),
        "COMMPROG": FrozenMapping({"COMMPROG": StatusField(2, 6), "COMMPROG_REPEAT": StatusField(0, 2)}),
    }
)
"""By column the names of its bits, and where they are. Source: the packets' definition, as chandra_aca and mica have it
(``chandra_aca/maude_decom.py``, ``mica/archive/aca_l0.py``)."""


def split_status(column: str, values: Any) -> dict[str, Any]:
    """Split status bytes into what they say.

    Parameters
    ----------
    column : str
        ``GLBSTAT``, ``IMGSTAT``, ``COMMCNT`` or ``COMMPROG``.
    values : int or array of int, any shape
        The bytes, 0 to 255. What is masked stays masked.

    Returns
    -------
    dict of str to bool, int or ndarray
        By the names of `STATUS_FIELDS`: single bits as truth values, several as numbers (uint8).

    Raises
    ------
    UnknownNameError
        No such column has bits. It is a LookupError.
    DeclarationError
        The values are no bytes. It is a ValueError.

    Examples
    --------
    >>> [name for name, is_set in split_status("IMGSTAT", 16).items() if is_set]
    ['DEF_PIXEL']
    >>> split_status("COMMPROG", [7, 252])
    {'COMMPROG': array([ 1, 63], dtype=uint8), 'COMMPROG_REPEAT': array([3, 0], dtype=uint8)}
    """
    fields = STATUS_FIELDS.get(column.upper()) if isinstance(column, str) else None
    if fields is None:
        raise UnknownNameError("column with status bits", str(column), list(STATUS_FIELDS))
    read = _as_bytes(values)
    found = {name: _field(read, field) for name, field in fields.items()}
    return {name: part.item() for name, part in found.items()} if np.ndim(values) == 0 else found


def _as_bytes(values: Any) -> Any:
    try:
        read = np.asanyarray(values)
    except ValueError:  # rows of different lengths
        read = np.empty(1)
    numbers = np.ma.getdata(read)
    if numbers.dtype.kind not in "iu" or ((numbers < 0) | (numbers > 255)).any():
        raise DeclarationError("split_status", "values", values, "bytes, whole numbers from 0 to 255")
    return read.astype(np.uint8, copy=False)


def _field(values: Any, field: StatusField) -> Any:
    part = (values >> np.uint8(field.low)) & np.uint8(2**field.width - 1)
    return part.astype(bool) if field.width == 1 else part
