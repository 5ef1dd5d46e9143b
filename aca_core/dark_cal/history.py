"""How many pixels were warm in each dark calibration, as measured and at one temperature, and by a dark model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from aca_core.arrays import FloatArray
from aca_core.dark_cal.calibrations import DarkCalibrations
from aca_core.dark_cal.export import is_synthetic
from aca_core.dark_cal.properties import t_ccd_of
from aca_core.dark_cal.sources import SourceLike
from aca_core.dark_current.laws import dark_law
from aca_core.dark_current.scaling import dark_temp_scale
from aca_core.dark_current.warm_fractions import warm_fraction_at
from aca_core.errors import AcaError, AcaWarning, DeclarationError, IntegrityError, MissingDataError
from aca_core.quantities import as_floats

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.dark_sources import DarkSource
    from aca_core.dates import DateLike

__all__ = ["warm_fraction_history"]

Told = Callable[[str, int, int], None]
"""Called with an id, how many maps were read, and of how many."""


class _Measured(NamedTuple):
    """What one map says."""

    dark_id: str
    t_ccd: float
    raw: float
    ref: float
    synthetic: bool


def warm_fraction_history(
    start: DateLike = None,
    stop: DateLike = None,
    *,
    source: SourceLike = None,
    t_ccd_ref: float = -19.0,
    threshold: float = 100.0,
    model: str = "2013",
    told: Told | None = None,
) -> Table:
    """Return the fraction of warm pixels of every dark calibration, as measured and at one temperature.

    Every map is read once.

    Parameters
    ----------
    start, stop : date, optional
        From which day to which, in any form of `aca_core.dates`; by default all there are.
    source : str, path or DarkSource, optional
        As for `get_dark_cal_image`.
    t_ccd_ref : float, default -19
        The temperature at which calibrations are compared, degC.
    threshold : float, default 100
        Pixels above it are warm, e-/s; more than 1, where the models' exact form begins.
    model : {'2013', '2017'}, default '2013'
        The dark-current model to compare with.
    told : callable, optional
        Called after each map with its id, the number of maps that were read, and of how many.

    Returns
    -------
    astropy.table.Table
        One row for each calibration: ``id``, ``date`` (``YYYY:DOY``), ``year`` (fractional), ``t_ccd`` (degC),
        ``warm_raw`` (as measured), ``warm_ref`` (scaled to `t_ccd_ref`), ``model_raw`` and ``model_ref`` (the model's,
        at both temperatures), ``synthetic`` (whether it is marked so). Fractions are of all 1024 x 1024 pixels. Where
        the temperature of a calibration is not known, what depends on it is NaN. A calibration that is damaged is left
        out, with a warning. ``meta`` says what was asked, of which source, and the ids that are ``left_out``.

    Raises
    ------
    DeclarationError
        The temperature or the threshold is no finite number, or the threshold is too low. It is a ValueError.
    MissingDataError
        There is no calibration in that range. It is a LookupError.
    IntegrityError
        Not one of the maps with its properties can be read.
    UnknownNameError
        There is no such source or model. It is a LookupError.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = Path(tempfile.mkdtemp())
    >>> for dark_id, t_ccd in (("2012115", -19.0), ("2020152", -10.0)):
    ...     _ = write_dark_calibration(folder, dark_id, level=120.0, t_ccd=t_ccd)
    >>> history = warm_fraction_history(source=folder, t_ccd_ref=-15.0)
    >>> history["id", "t_ccd"].as_array().tolist()
    [('2012115', -19.0), ('2020152', -10.0)]
    >>> history["model_ref"].round(4).tolist()
    [0.1258, 0.2458]
    """
    name = "warm_fraction_history"
    t_ccd_ref = _number(name, "t_ccd_ref", t_ccd_ref, "deg_C")
    threshold = _number(name, "threshold", threshold, "electron / s")
    if threshold <= 1.0:  # known before every map is read
        raise DeclarationError(name, "threshold", threshold, "a dark current above 1 e-/s, as the models have it")
    asked = {"t_ccd_ref": t_ccd_ref, "threshold": threshold, "model": dark_law(model).name}
    calibrations = DarkCalibrations.of(source)
    ids = calibrations.ids_between(start, stop)
    if not ids:
        raise MissingDataError(calibrations.nothing_between(start, stop))
    source = calibrations.source
    damaged: dict[str, AcaError] = {}
    measured = list(_measured(source, ids, t_ccd_ref, threshold, told, damaged))
    if not measured:
        raise next(iter(damaged.values()))
    if damaged:
        text = f"{len(damaged)} of {len(ids)} dark calibrations of {source.described()} are left out"
        warnings.warn(f"{text}, the first one since {next(iter(damaged.values()))}", AcaWarning, stacklevel=2)
    unknown = [each.dark_id for each in measured if np.isnan(each.t_ccd)]
    if unknown:
        text = f"{len(unknown)} of {len(ids)} dark calibrations of {source.described()} have no temperature"
        warnings.warn(f"{text}, the first one {unknown[0]}: they cannot be scaled", AcaWarning, stacklevel=2)
    return _history(measured, {"source": source.name, **asked, "left_out": list(damaged)})


def _number(what: str, name: str, value: Any, unit: str) -> float:
    array = as_floats(what, name, value, unit)
    if array.ndim or not np.isfinite(array):
        raise DeclarationError(what, name, value, "one finite number")
    return float(array)


def _measured(
    source: DarkSource,
    ids: Sequence[str],
    t_ccd_ref: float,
    threshold: float,
    told: Told | None,
    damaged: dict[str, AcaError],
) -> Iterator[_Measured]:
    """Yield what each map says, one of them in memory at a time; what cannot be read goes to the damaged ones."""
    for number, dark_id in enumerate(ids, start=1):
        try:
            yield _measure(source, dark_id, t_ccd_ref, threshold)
        except (IntegrityError, MissingDataError) as error:
            damaged[dark_id] = error
        if told is not None:
            told(dark_id, number, len(ids))


def _measure(source: DarkSource, dark_id: str, t_ccd_ref: float, threshold: float) -> _Measured:
    t_ccd = _temperature(source, dark_id)
    image = source.image(dark_id)
    # To scale the threshold the other way is the same, and one number.
    scaled = np.nan if np.isnan(t_ccd) else _fraction(image, threshold / dark_temp_scale(t_ccd, t_ccd_ref))
    return _Measured(dark_id, t_ccd, _fraction(image, threshold), scaled, is_synthetic(source, dark_id))


def _temperature(source: DarkSource, dark_id: str) -> float:
    """Return the temperature of a calibration, degC; NaN where it is not known."""
    try:
        return t_ccd_of(source, dark_id)
    except MissingDataError:
        return np.nan


def _fraction(image: FloatArray, threshold: float) -> float:
    return float(np.count_nonzero(image > threshold)) / image.size


def _history(measured: Sequence[_Measured], asked: dict[str, Any]) -> Table:
    from astropy.table import Column, Table

    from aca_core.dates import dark_id_to_date, to_frac_year

    ids, t_ccd, raw, ref, synthetic = (list(column) for column in zip(*measured, strict=True))
    years = np.asarray(to_frac_year(dark_id_to_date(np.array(ids))))
    degrees, threshold, model = np.array(t_ccd), np.array(asked["threshold"]), asked["model"]
    table = Table(meta=asked)
    table["id"], table["date"], table["year"] = ids, [f"{dark_id[:4]}:{dark_id[4:]}" for dark_id in ids], years
    table["t_ccd"] = Column(degrees, unit="deg_C", description="temperature of the CCD")
    table["warm_raw"], table["warm_ref"] = raw, ref
    with warnings.catch_warnings():
        # Each of the two asks for the same dates: once is enough to hear of those that the model does not know.
        warnings.simplefilter("ignore", AcaWarning)
        table["model_raw"] = warm_fraction_at(model, years, degrees, threshold)
    table["model_ref"] = warm_fraction_at(model, years, np.array(asked["t_ccd_ref"]), threshold, stacklevel=4)
    table["synthetic"] = synthetic
    return table
