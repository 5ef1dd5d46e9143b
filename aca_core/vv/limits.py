"""Which limits the residuals of stars and fid lights have to keep, and what follows where one does not."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

__all__ = ["LIMITS", "Disposition", "Limit"]

Disposition: TypeAlias = Literal["OK", "ReproNoDD", "Hold"]
"""What is suggested for an observation: release; process again without one star; review by a person."""

_UPSTREAM: Final = "sot/mica vv/process.py"
_REVIEW: Final = "aca_core: a light that is lost for a good part of an observation is for a person to see"


@attrs.frozen(kw_only=True)
class Limit:
    """One limit: a statistic of a slot passes below it.

    Attributes
    ----------
    kind : {'FID', 'GUIDE'}
        What it is for. Monitor slots have no limits.
    param : str
        The statistic, see `slot_statistics`; of a median, the absolute value counts.
    limit : float
        In `unit`.
    name : str
        The name of the check, each once for a kind.
    unit : str
        ``arcsec``, or empty for numbers and fractions.
    alone : {'OK', 'ReproNoDD', 'Hold'}
        What is suggested where a single light does not keep it: ``OK`` is with a note.
    source : str
        Where the number comes from.

    Examples
    --------
    >>> LIMITS[0].name, LIMITS[0].limit, LIMITS[0].unit
    ('dy_rms', 0.05, 'arcsec')
    """

    kind: Literal["FID", "GUIDE"]
    param: str
    limit: float
    name: str
    unit: str = "arcsec"
    alone: Disposition
    source: str = _UPSTREAM


def _fid(param: str, limit: float) -> Limit:
    return Limit(kind="FID", param=param, limit=limit, name=param, alone="Hold")


def _star(param: str, limit: float, alone: Disposition, *, name: str = "", unit: str = "arcsec") -> Limit:
    return Limit(kind="GUIDE", param=param, limit=limit, name=name or param, unit=unit, alone=alone)


def _both(param: str, limit: float) -> tuple[Limit, Limit]:
    fid = Limit(kind="FID", param=param, limit=limit, name=param, unit="", alone="Hold", source=_REVIEW)
    return fid, attrs.evolve(fid, kind="GUIDE")


LIMITS: Final = (
    _fid("dy_rms", 0.05),
    _fid("dz_rms", 0.05),
    _fid("dy_med", 0.4),
    _fid("dz_med", 0.4),
    _fid("rad_off", 0.4),
    _star("dy_rms", 0.4, "ReproNoDD"),
    _star("dz_rms", 0.4, "ReproNoDD"),
    _star("rad_off", 1.5, "ReproNoDD"),
    _star("dy_rms", 0.25, "OK", name="dy_rms_low"),
    _star("dz_rms", 0.25, "OK", name="dz_rms_low"),
    _star("frac_dy_big", 0.05, "OK", unit=""),
    _star("frac_dz_big", 0.05, "OK", unit=""),
    *_both("frac_missing", 0.25),
    *_both("intervals_missing", 1.0),
)
"""Every limit. `frac_missing` is the part of the time without good samples, `intervals_missing` the number of aspect
intervals without any, both against what `judge` is told there should be, or else the best slot of the observation."""
