"""Header-3 values as a table: one time base, units, descriptions, and where they are from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aca_core.aca_hdr3.samples import Hdr3Series
from aca_core.arrays import FloatArray, IntArray
from aca_core.dates import to_date
from aca_core.errors import DeclarationError
from aca_core.tables import creator

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["places_in", "samples_table"]


def samples_table(
    series: Mapping[Any, Hdr3Series], times: FloatArray, provenance: Mapping[int, Mapping[str, Any]]
) -> Table:
    """Return values of some quantities as a table.

    Parameters
    ----------
    series : mapping of str to Hdr3Series
        The quantities by the names of their columns.
    times : ndarray of float64, shape (n,)
        All their times, CXC seconds; a quantity is masked where it has none of them.
    provenance : mapping
        By slot where the rows are from.

    Returns
    -------
    astropy.table.Table
        ``time`` and a column for each quantity. ``meta`` has short keys in capitals, which fit into a FITS header.
    """
    from astropy.table import Column, Table

    table = Table()
    table["time"] = Column(times, unit="s", description="middle of the integration, CXC seconds")
    for name, each in series.items():
        values = _on(times, each)
        masked = np.ma.isMaskedArray(values)
        table[str(name)] = table.MaskedColumn(values) if masked else Column(values)
        table[str(name)].unit, table[str(name)].description = each.unit or None, each.desc
    table.meta.update(_meta(list(series.values()), provenance))
    return table


def places_in(times: FloatArray, series: Hdr3Series) -> IntArray:
    """Return where the times of a quantity are among those of its set.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Ascending.
    series : Hdr3Series
        The quantity.

    Returns
    -------
    ndarray of int, shape (m,)

    Raises
    ------
    DeclarationError
        It has times that the set has not: it was put in by hand. It is a ValueError.
    """
    places = np.searchsorted(times, series.times)
    if places.size and (places[-1] >= times.size or not np.array_equal(times[places], series.times)):
        raise DeclarationError("MSIDset", series.msid, "values at other times", "values at the times of the set")
    return places


def _on(times: FloatArray, series: Hdr3Series) -> Any:
    """Return the values at all times of a set, masked where there are none."""
    if series.times is times:
        return series.vals
    places = places_in(times, series)
    if places.size == times.size:
        return series.vals
    values = np.ma.MaskedArray(np.zeros(times.shape, dtype=series.vals.dtype), mask=True)
    values[places] = series.vals
    return values


def _meta(series: Sequence[Hdr3Series], provenance: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "MSIDS": ", ".join(f"{each.msid} ({each.hdr3_msid})" for each in series),
        "START": to_date(min(each.tstart for each in series)) if series else "",
        "STOP": to_date(max(each.tstop for each in series)) if series else "",
        "RAW": any(each.raw for each in series),
        "SYNTHET": any(each.synthetic for each in series),
        "CREATOR": creator(),
    }
    for slot, words in sorted(provenance.items()):
        text = ", ".join(f"{name}={value}" for name, value in words.items())
        meta[f"SLOT{slot}"] = text.encode("ascii", "backslashreplace").decode()  # a FITS header takes nothing else
    return meta
