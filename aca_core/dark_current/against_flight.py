"""Are there as many warm pixels as the dark models say? The models against a table of calibrations in flight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core._frozen import freeze
from aca_core.arrays import BoolArray, FloatArray
from aca_core.dark_current.bins import CCD_PIXELS
from aca_core.dark_current.laws import dark_law
from aca_core.dark_current.warm_fractions import warm_fraction_at
from aca_core.dates import to_frac_year
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.quantities import as_floats
from aca_core.tables import column_of, numbers_in, read_table_file, rows_of, times_in

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["DarkReport", "evaluate_dark_models"]

_DATES: Final = ("date", "day", "time", "tstart")
_YEARS: Final = ("frac_year", "year")
_T_CCD: Final = ("t_ccd", "temperature", "temp")
_COUNT: Final = ("count", "n_warm", "n_pixels")


@attrs.frozen(kw_only=True, eq=False)
class DarkReport:
    """What a comparison of dark models with calibrations has found.

    Attributes
    ----------
    place : str
        Where the calibrations are from.
    threshold : float
        Dark current above which a pixel is counted, e-/s.
    models : tuple of str
        The dark models.
    left_out : int
        Calibrations without a date, a temperature or a count.
    table : astropy.table.Table
        A row for each calibration, by date: ``frac_year``, ``t_ccd`` (degC), ``count`` (pixels), and for each model
        ``predicted_<model>`` (pixels) and ``ratio_<model>``, predicted over counted.
    summary : astropy.table.Table
        For each ``model`` and ``period`` (``fitted``, the years of its fit, ``before`` and ``after``): ``start`` and
        ``stop`` of the calibrations, ``n`` of them, the ``median`` of the ratio, its ``scatter`` (half of the range of
        the middle 68.27 %), the ``least`` and the ``greatest``.
    meta : mapping
        What was compared; it is the ``meta`` of both tables.
    """

    place: str
    threshold: float
    models: tuple[str, ...]
    left_out: int
    table: Table
    summary: Table
    meta: Mapping[str, Any] = attrs.field(converter=freeze)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as dicts, lists, strings and numbers, for JSON; None for what is not a number.

        Returns
        -------
        dict
        """
        found = {"models": list(self.models), "left_out": self.left_out}
        return {**self.meta, **found, "table": rows_of(self.table), "summary": rows_of(self.summary)}


def evaluate_dark_models(
    calibrations: Any,
    models: str | Sequence[str] = ("2013", "2017"),
    threshold: float = 100.0,
    *,
    columns: Mapping[str, str] | None = None,
) -> DarkReport:
    """Compare dark models with the warm pixels that were counted in dark calibrations.

    Parameters
    ----------
    calibrations : path-like, astropy.table.Table, or mapping of str to array
        A row for each calibration: a date (``date``, ``day``, ``time``, ``tstart``, or a year with a fraction as
        ``frac_year``, ``year``), the CCD temperature (``t_ccd``, ``temperature``, ``temp``; degC), and the pixels
        above `threshold` at that temperature (``count``, ``n_warm``, ``n_pixels``).
    models : str or sequence of str, default ('2013', '2017')
        Names of dark models.
    threshold : float, default 100
        Dark current above which a pixel was counted, e-/s.
    columns : mapping of str to str, optional
        Columns with other names: of ``date``, ``year``, ``t_ccd``, ``count``.

    Returns
    -------
    DarkReport

    Raises
    ------
    MissingDataError
        There is no such file, or no calibration is left. It is a LookupError.
    UnknownNameError
        A model or a column does not exist. It is a LookupError.
    DeclarationError, DateError, IntegrityError
        An argument or a cell cannot be used. They are ValueErrors.

    Examples
    --------
    >>> flight = {"day": ["2009:050", "2014:104"], "temp": [-18.963, -15.815], "count": [65217, 143852]}
    >>> report = evaluate_dark_models(flight, "2013")
    >>> report.table["ratio_2013"].round(3).tolist()
    [1.026, 1.018]
    """
    import numpy as np

    names = [models] if isinstance(models, str) else models
    is_list = isinstance(names, list | tuple) and all(isinstance(name, str) for name in names)
    if not is_list or not names or len(set(names)) < len(names):
        raise DeclarationError("evaluate_dark_models", "models", models, "names of dark models, each once")
    if not isinstance(columns, Mapping | None):
        raise DeclarationError("evaluate_dark_models", "columns", columns, "names of columns, by what they hold")
    laws = [dark_law(name).name for name in names]
    place, year, t_ccd, count = _columns(calibrations, columns or {})
    keep = np.isfinite(year) & np.isfinite(t_ccd) & (count > 0)
    if not keep.any():
        raise MissingDataError(f"{place} has no calibration with a date, a temperature and a count of pixels")
    order = np.flatnonzero(keep)[np.argsort(year[keep], kind="stable")]
    year, t_ccd, count = year[order], t_ccd[order], count[order]
    threshold = _threshold(threshold)
    predicted = {}
    for name in laws:
        predicted[name] = CCD_PIXELS * np.asarray(warm_fraction_at(name, year, t_ccd, threshold, stacklevel=3))
    meta = {"calibrations": place, "threshold": threshold, "n": len(order)}
    return DarkReport(
        place=place,
        threshold=threshold,
        models=tuple(laws),
        left_out=int(keep.size - len(order)),
        table=_table(year, t_ccd, count, predicted, meta),
        summary=_summary(year, {name: values / count for name, values in predicted.items()}, meta),
        meta=meta,
    )


def _threshold(threshold: Any) -> float:
    number = as_floats("evaluate_dark_models", "threshold", threshold, "electron / s")
    if number.ndim or not 1 < number.item() < math.inf:
        raise DeclarationError("evaluate_dark_models", "threshold", threshold, "one dark current above 1 e-/s")
    return float(number.item())


def _columns(calibrations: Any, columns: Mapping[str, str]) -> tuple[str, FloatArray, FloatArray, FloatArray]:
    """Return where the calibrations are from, and their years, temperatures and counts."""
    import numpy as np
    from astropy.table import Table

    from aca_core.errors import UnknownNameError

    known = {"date": _DATES, "year": (*_YEARS, *_DATES), "t_ccd": _T_CCD, "count": _COUNT}
    for name in columns:
        if name not in known:
            raise UnknownNameError("property of a calibration", name, known)
    place = str(calibrations) if isinstance(calibrations, str | Path) else "the table"
    if isinstance(calibrations, str | Path):
        table = read_table_file(calibrations)
    else:
        try:
            table = calibrations if isinstance(calibrations, Table) else Table(calibrations)
        except (TypeError, ValueError) as error:
            expected = f"a table, or the path of one ({error})"
            raise DeclarationError("evaluate_dark_models", "calibrations", calibrations, expected) from None

    def named(name: str) -> str:
        return column_of(table, (columns[name],) if name in columns else known[name], place)

    wide = [name for name in table.colnames if getattr(table[name], "ndim", 1) != 1]
    table = table[[name for name in table.colnames if name not in wide]]  # an image beside each row is not our concern
    as_years = "year" in columns or (
        "date" not in columns and not {name.lower() for name in table.colnames} & {*_DATES}
    )
    secs = times_in(table, named("year" if as_years else "date"), place, years=as_years)
    year, dated = np.full(secs.shape, np.nan), np.isfinite(secs)
    year[dated] = to_frac_year(secs[dated])
    t_ccd, count = numbers_in(table, named("t_ccd"), place, "deg_C"), numbers_in(table, named("count"), place)
    return place, year, t_ccd, count


def _table(
    year: FloatArray,
    t_ccd: FloatArray,
    count: FloatArray,
    predicted: Mapping[str, FloatArray],
    meta: Mapping[str, Any],
) -> Table:
    from astropy.table import Table

    table = Table({"frac_year": year, "t_ccd": t_ccd, "count": count}, units={"t_ccd": "deg_C"}, meta=dict(meta))
    for name, values in predicted.items():
        table[f"predicted_{name}"], table[f"ratio_{name}"] = values, values / count
    return table


def _summary(year: FloatArray, ratios: Mapping[str, FloatArray], meta: Mapping[str, Any]) -> Table:
    """Return how near each model is, before, in and after the years of its fit."""
    import numpy as np
    from astropy.table import Table

    rows = []
    for name, ratio in ratios.items():
        start, stop = dark_law(name).fitted
        periods = {"before": (-math.inf, start), "fitted": (start, stop), "after": (stop, math.inf)}
        for period, (low, high) in periods.items():
            inside = (year >= low) & (year < high) & np.isfinite(ratio)
            if inside.any():
                rows.append({"model": name, "period": period, **_spread(year, ratio, inside)})
    return Table(rows=rows, meta=dict(meta))


def _spread(year: FloatArray, ratio: FloatArray, inside: BoolArray) -> dict[str, float | int]:
    import numpy as np

    low, median, high = np.quantile(ratio[inside], [0.158655, 0.5, 0.841345])
    return {
        "start": float(year[inside].min()),
        "stop": float(year[inside].max()),
        "n": int(np.count_nonzero(inside)),
        "median": float(median),
        "scatter": float(high - low) / 2,
        "least": float(ratio[inside].min()),
        "greatest": float(ratio[inside].max()),
    }
