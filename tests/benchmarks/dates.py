"""How fast dates are converted: a million at once, against one by one and against astropy.

Run it with ``python tests/benchmarks/dates.py``. Ratios are to the first column of the same row's run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from astropy.time import Time
from astropy.utils import iers

from aca_core.dates import date_to_dark_id, to_date, to_secs

iers.conf.auto_download = False

MANY = 1_000_000
FEW = 20_000


def seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the least time of a few runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Print the table."""
    secs = np.random.default_rng(1999).uniform(6e7, 9e8, MANY)
    dates = to_date(secs)
    days = np.array([date[:8] for date in dates.tolist()])
    rows = [
        ("dates to seconds", lambda: to_secs(dates), lambda: [to_secs(d) for d in dates[:FEW].tolist()],
         lambda: Time(dates, format="yday", scale="utc").cxcsec),
        ("days to seconds", lambda: to_secs(days), lambda: [to_secs(d) for d in days[:FEW].tolist()],
         lambda: Time(days, format="yday", scale="utc").cxcsec),
        ("seconds to dates", lambda: to_date(secs), lambda: [to_date(s) for s in secs[:FEW].tolist()],
         lambda: Time(secs[:FEW], format="cxcsec").utc.yday),
        ("seconds to dark ids", lambda: date_to_dark_id(secs),
         lambda: [date_to_dark_id(s) for s in secs[:FEW].tolist()], None),
    ]  # fmt: skip
    print(f"{MANY:,} values; one by one and astropy's dates are measured on {FEW:,} and scaled\n")
    print("| conversion | array (s) | one by one / array | astropy / array |")
    print("|---|---:|---:|---:|")
    for name, array, one_by_one, astropy in rows:
        ours = seconds(array)
        loop = seconds(one_by_one, 1) * MANY / FEW
        scale = MANY / FEW if name == "seconds to dates" else 1
        theirs = f"{seconds(astropy, 1) * scale / ours:.1f}" if astropy else ""
        print(f"| {name} | {ours:.2f} | {loop / ours:.0f} | {theirs} |")


if __name__ == "__main__":
    main()
