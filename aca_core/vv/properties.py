"""What is in a slot: stars and fid lights as their property files list them, and stand-ins for missing ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs
import numpy as np

from aca_core.attitudes import star_vector
from aca_core.catalogues import PlannedStar
from aca_core.dates import to_secs
from aca_core.errors import IntegrityError

__all__ = ["SlotProperties", "StarPosition", "fid_properties", "stand_ins", "star_properties"]

_UNKNOWN_MOTION: Final = -9999.0
_MAS_PER_DEGREE: Final = 3.6e6
_YEAR: Final = 365.25 * 86_400
"""s."""


@attrs.frozen(kw_only=True)
class StarPosition:
    """Where the star catalogue has a star.

    Attributes
    ----------
    ra, dec : float
        Position at 2000:001, deg.
    pm_ra, pm_dec : float
        By how much these change, mas/yr; -9999 where that is unknown.
    """

    ra: float
    dec: float
    pm_ra: float = _UNKNOWN_MOTION
    pm_dec: float = _UNKNOWN_MOTION

    def towards(self, time: float) -> tuple[float, float, float]:
        """Return the direction of the star.

        Parameters
        ----------
        time : float
            When, CXC seconds.

        Returns
        -------
        tuple of float
            A unit vector in the inertial frame.

        Examples
        --------
        >>> x, y, z = StarPosition(ra=90.0, dec=0.0, pm_dec=1000.0).towards(to_secs("2010:001"))
        >>> round(z * 180 * 3600 / np.pi, 2)
        10.0
        """
        years = (time - to_secs("2000:001")) / _YEAR
        ra, dec = (
            angle + (0.0 if motion == _UNKNOWN_MOTION else motion * years / _MAS_PER_DEGREE)
            for angle, motion in ((self.ra, self.pm_ra), (self.dec, self.pm_dec))
        )
        x, y, z = star_vector(ra, dec).tolist()
        return x, y, z


@attrs.frozen(kw_only=True)
class SlotProperties:
    """One star or fid light in one aspect interval.

    Attributes
    ----------
    slot : int
        0 to 7.
    kind : {'GUIDE', 'MONITOR', 'FID'}
        What it is.
    id_status : str
        Such as ``GOOD``; ``OMITTED`` where it is a stand-in.
    cel_loc_flag : int or None
        1 for a star that the solution was made with; None for fid lights.
    place : tuple of float or None
        Unit vector towards a star in the inertial frame, or position of a fid light in the frame LSI, mm; None for a
        fid light whose position is not known.
    row : mapping of str to object
        All columns of its row, as numbers, strings and lists of numbers.
    """

    slot: int
    kind: Literal["GUIDE", "MONITOR", "FID"]
    id_status: str
    cel_loc_flag: int | None
    place: tuple[float, float, float] | None
    row: Mapping[str, Any] = attrs.field(factory=dict)


def star_properties(path: Path, columns: Mapping[str, Any]) -> tuple[SlotProperties, ...]:
    """Return the guide stars and monitors of an aspect interval.

    Parameters
    ----------
    path : Path
        Their file (gspr1), for messages.
    columns : mapping of str to ndarray
        All of its columns.

    Returns
    -------
    tuple of SlotProperties
        In the order of the file.

    Raises
    ------
    IntegrityError
        A column is missing or not of its kind, or a row has a slot or a type that there is not.
    """
    stars = []
    for row in _rows(path, columns, ("slot", "type", "id_status", "cel_loc_flag", "pos_eci")):
        if row["type"] not in ("GUIDE", "MONITOR"):
            raise IntegrityError(path, f"slot {row['slot']} has the type {row['type']!r}; expected GUIDE or MONITOR")
        stars.append(
            SlotProperties(
                slot=_slot(path, row),
                kind=row["type"],
                id_status=str(row["id_status"]),
                cel_loc_flag=_whole(path, row, "cel_loc_flag"),
                place=_vector(path, row, "pos_eci"),
                row=row,
            )
        )
    return tuple(stars)


def fid_properties(path: Path, columns: Mapping[str, Any]) -> tuple[SlotProperties, ...]:
    """Return the fid lights of an aspect interval.

    Parameters
    ----------
    path : Path
        Their file (fidpr1), for messages.
    columns : mapping of str to ndarray
        All of its columns.

    Returns
    -------
    tuple of SlotProperties
        In the order of the file.

    Raises
    ------
    IntegrityError
        A column is missing or not of its kind, or a row has a slot that there is not.
    """
    return tuple(
        SlotProperties(
            slot=_slot(path, row),
            kind="FID",
            id_status=str(row["id_status"]),
            cel_loc_flag=None,
            place=_vector(path, row, "p_lsi"),
            row=row,
        )
        for row in _rows(path, columns, ("slot", "id_status", "p_lsi"))
    )


def stand_ins(
    slots: Iterable[int],
    planned: Iterable[PlannedStar],
    star_position: Callable[[int], StarPosition | None] | None,
    time: float,
) -> tuple[tuple[SlotProperties, ...], tuple[str, ...]]:
    """Return stand-ins for slots that have centroids and no properties.

    Parameters
    ----------
    slots : iterable of int
        Those slots.
    planned : iterable of PlannedStar
        The planned catalogue of the observation, empty where it is not to be had.
    star_position : callable or None
        Returns the place of a star by its number in the star catalogue, or None.
    time : float
        When the observation was, CXC seconds.

    Returns
    -------
    properties : tuple of SlotProperties
        With the status ``OMITTED``: fid lights without a place, and guide stars whose place is known. Planned monitors
        are left out.
    notes : tuple of str
        What is missing, one sentence for each slot.
    """
    plan = {each.slot: each for each in planned if each.type != "unused"}
    found, notes = [], []
    for slot in slots:
        light = plan.get(slot)
        if light is None:
            problem = "which is not in the planned catalogue" if plan else "and there is no planned catalogue to ask"
            notes.append(f"slot {slot} has centroids but no properties, {problem}; it is left out")
        elif light.type == "fid":
            found.append(_omitted(slot, "FID", None))
            notes.append(f"slot {slot} has centroids but no properties; by the plan it is fid light {light.id}")
        elif light.type == "guide":
            position = star_position(light.id) if star_position is not None else None
            if position is not None:
                found.append(_omitted(slot, "GUIDE", position.towards(time)))
            what = "its place is of the star catalogue" if position else "its place is not known, so it is left out"
            notes.append(f"slot {slot} has centroids but no properties; by the plan it is star {light.id}; {what}")
    return tuple(found), tuple(notes)


def _omitted(slot: int, kind: Literal["GUIDE", "FID"], place: tuple[float, float, float] | None) -> SlotProperties:
    is_star = kind == "GUIDE"
    row: dict[str, Any] = {"slot": slot, "id_status": "OMITTED", "cel_loc_flag": 0}
    row |= {"type": kind, "pos_eci": list(place or ())} if is_star else {"p_lsi": [0.0, 0.0, 0.0]}
    flag = 0 if is_star else None
    return SlotProperties(slot=slot, kind=kind, id_status="OMITTED", cel_loc_flag=flag, place=place, row=row)


def _rows(path: Path, columns: Mapping[str, Any], required: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows of a table as Python's own values."""
    if missing := [name for name in required if name not in columns]:
        raise IntegrityError(path, f"it has no column {', '.join(missing)}, but {', '.join(columns) or 'none at all'}")
    texts = {name: np.char.strip(values) if values.dtype.kind == "U" else values for name, values in columns.items()}
    listed = {name: values.tolist() for name, values in texts.items()}
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]


def _slot(path: Path, row: Mapping[str, Any]) -> int:
    slot = _whole(path, row, "slot")
    if not 0 <= slot <= 7:
        raise IntegrityError(path, f"it lists slot {slot}; expected 0 to 7")
    return slot


def _whole(path: Path, row: Mapping[str, Any], name: str) -> int:
    if not isinstance(row[name], int):
        raise IntegrityError(path, f"its column {name} has {row[name]!r}; expected whole numbers")
    return int(row[name])


def _vector(path: Path, row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    values = row[name]
    if not isinstance(values, list) or len(values) != 3 or not all(isinstance(each, int | float) for each in values):
        raise IntegrityError(path, f"its column {name} has {values!r} for slot {row['slot']}; expected three numbers")
    x, y, z = map(float, values)
    return x, y, z
