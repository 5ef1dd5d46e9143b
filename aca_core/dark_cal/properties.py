"""What is known of a calibration: its properties, read once for as long as their file stays the same."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
import numpy as np

from aca_core.dark_current.scaling import CCD_TEMPERATURES
from aca_core.dark_sources import DarkSource, DatedTree
from aca_core.errors import IntegrityError, MissingDataError

__all__ = ["Scalar", "place_of_properties", "read_properties", "read_scalars", "t_ccd_of"]

Scalar: TypeAlias = bool | int | float | str | None

_MOST_KEPT: Final = 4096
"""Many times the calibrations of a mission, of some 4 kB each; a limit for processes that read many archives."""


@attrs.frozen
class _Known:
    """Properties that were read, and where. What is in here is never handed out to be changed."""

    source: DarkSource
    properties: dict[str, Any]
    scalars: Mapping[str, Scalar]


_KEPT: dict[tuple[str, Hashable], _Known] = {}
"""By id and stamp; the source is compared as well, since another one may stamp alike."""

_LOCK: Final = threading.Lock()


def read_properties(source: DarkSource, dark_id: str) -> dict[str, Any]:
    """Return the properties of a calibration.

    Parameters
    ----------
    source : DarkSource
        Where the calibration is.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    dict
        The caller owns it and what is in it.

    Raises
    ------
    MissingDataError
        There is no such calibration, or it has no properties.
    IntegrityError
        They cannot be read.
    """
    return copy.deepcopy(_known(source, dark_id).properties)


def read_scalars(source: DarkSource, dark_id: str) -> Mapping[str, Scalar]:
    """Return those properties of a calibration that are numbers, truth values and texts; lists and the like are not.

    Parameters
    ----------
    source : DarkSource
        Where the calibration is.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    mapping
        Not to be written to: others get the same.

    Raises
    ------
    MissingDataError
        There is no such calibration, or it has no properties.
    IntegrityError
        They cannot be read.
    """
    return _known(source, dark_id).scalars


def _known(source: DarkSource, dark_id: str) -> _Known:
    """Return what was read of a calibration before and still holds, else what is read now."""
    stamp = source.stamp(dark_id)
    known = None if stamp is None else _KEPT.get((dark_id, stamp))
    if known is not None and (known.source is source or known.source == source):
        return known
    # The stamp is older than what is read: should the file be replaced in between, then the next stamp differs.
    given: Any = source.properties(dark_id)
    if not isinstance(given, Mapping):
        place = f"{source.described()}, calibration {dark_id}"
        raise IntegrityError(place, f"gives a {type(given).__name__} for properties; expected a mapping")
    properties = dict(given)
    known = _Known(source, properties, _scalars(properties))
    if stamp is not None:
        _keep((dark_id, stamp), known)
    return known


def _keep(key: tuple[str, Hashable], known: _Known) -> None:
    with _LOCK:
        _KEPT.pop(key, None)
        while len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[key] = known


def _scalars(properties: Mapping[str, Any]) -> Mapping[str, Scalar]:
    values = {str(name): _plain(value) for name, value in properties.items()}
    return {name: value for name, value in values.items() if value is not ...}


def _plain(value: Any) -> Any:
    """Return a single value as a type of Python's own, of 64 bits if it is a number; an ellipsis for anything else."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return int(value)
        return float(value) if abs(value) < 2**1023 else math.inf * (1 if value > 0 else -1)
    return float(value) if isinstance(value, float) else str(value) if isinstance(value, str) else ...


def place_of_properties(source: DarkSource, dark_id: str) -> Path:
    """Return the file with the properties of a calibration, or the folder where it is not known which that is.

    Parameters
    ----------
    source : DarkSource
        Where the calibration is.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    Path
    """
    folder = source.directory(dark_id)
    name = source.properties_file if isinstance(source, DatedTree) else None
    return folder / name if name else folder


def t_ccd_of(source: DarkSource, dark_id: str) -> float:
    """Return the CCD temperature of a calibration.

    Parameters
    ----------
    source : DarkSource
        Where the calibration is.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    float
        The property ``ccd_temp``, degC.

    Raises
    ------
    MissingDataError
        There is no such calibration, it has no properties, or they lack ``ccd_temp``.
    IntegrityError
        They cannot be read, or ``ccd_temp`` is no temperature that the CCD can have.
    """
    known = _known(source, dark_id)
    value = known.scalars.get("ccd_temp")
    low, high = CCD_TEMPERATURES
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    place = place_of_properties(source, dark_id)
    if "ccd_temp" not in known.properties:
        raise MissingDataError(f"{place}: has no ccd_temp, the CCD temperature (degC) that scaling a map needs")
    raise IntegrityError(place, f"has ccd_temp {known.properties['ccd_temp']!r}; expected {low:g} to {high:g} degC")
