"""What dark calibrations cost: choosing by date, tables of properties, and reading maps, against plain loops.

Run it with ``python tests/benchmarks/dark_cal.py``. The calibrations are synthetic.
"""

from __future__ import annotations

import bisect
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table

from aca_core.dark_cal import (
    DarkCalibrations,
    get_dark_cal_id,
    get_dark_cal_image,
    get_dark_cal_props,
    get_dark_cal_props_table,
    properties,
)
from aca_core.dates import date_to_dark_id, to_secs
from aca_core.simulation.observation import SYNTHETIC

COUNT = 60
DATES = 1_000_000
ONE_BY_ONE = 5_000  # of these; the time of a loop over all of them is scaled
ROUNDS = 9
SETTLING = 2.1  # s, until what was written counts as old enough to be kept

REPLICA = {
    "ccd_temp": -10.5,
    "ccd_temp_source": "HDR3",
    "downlink": True,
    "start": "2019:272:02:22:25.182",
    "stop": "2019:272:02:39:25.182",
}
NUMBERS = ("ra", "dec", "el", "eb", "sun_el", "l_l0", "zodib", "dur")


def filled(root: Path) -> Path:
    """Write calibrations with the classic properties and noise for maps."""
    image = np.random.default_rng(1).normal(20, 10, (1024, 1024)).astype(">f4")
    for number in range(COUNT):
        dark_id = date_to_dark_id(to_secs("2002:001") + number * 100 * 86400.0)
        (root / dark_id).mkdir(parents=True)
        hdu = fits.PrimaryHDU(image)
        hdu.header["COMMENT"] = SYNTHETIC
        hdu.writeto(root / dark_id / "image.fits")
        classic = {
            **dict.fromkeys(NUMBERS, 10.5 + number),
            "id": dark_id,
            "date": f"{dark_id[:4]}:{dark_id[4:]}",
            "ccd_temp": -10.5,
            "start": REPLICA["start"],
            "stop": REPLICA["stop"],
            "replicas": [{**REPLICA, "count": count} for count in range(1, 6)],
        }
        (root / dark_id / "properties.json").write_text(json.dumps(classic, indent=4, sort_keys=True))
    return root


def took(function: Callable[[], Any], before: Callable[[], Any] = lambda: None) -> float:
    """Return how long a call takes, the median of several, s."""
    spent = []
    for _ in range(ROUNDS):
        before()
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return median(spent)


def forget() -> None:
    """Let nothing be kept of what was read."""
    properties._KEPT.clear()


def drop_from_memory(folder: Path) -> None:
    """Ask the system to forget the maps, so that they are read from the disk."""
    for path in folder.rglob("image.fits"):
        number = os.open(path, os.O_RDONLY)
        os.fsync(number)
        os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(number)


# ---- baselines: what somebody writes without thinking of speed -------------------------------------------------------


def chosen_in_a_loop(dark_ids: list[str], dates: list[float]) -> list[str]:
    """Choose the last calibration before each date, one by one."""
    times = [to_secs(dark_id) for dark_id in dark_ids]
    found = []
    for date in dates:
        same = date_to_dark_id(date)
        found.append(same if same in dark_ids else dark_ids[bisect.bisect_left(times, date) - 1])
    return found


def bare_map(path: Path) -> Any:
    """Read a map with astropy alone, as native numbers."""
    with fits.open(path, memmap=False) as hdus:
        return hdus[0].data.astype(np.float32)


def table_that_opens_every_image(root: Path) -> Table:
    """Make the table of properties from whole calibrations, clipped maps and all."""
    rows = []
    for folder in sorted(root.iterdir()):
        row = json.loads((folder / "properties.json").read_text())
        np.clip(bare_map(folder / "image.fits"), 0, None)
        rows.append({name: value for name, value in row.items() if not isinstance(value, list)})
    return Table(rows)


# ---- tables ---------------------------------------------------------------------------------------------------------


def print_table(title: str, heading: str, rows: list[tuple[str, float, float]]) -> None:
    """Print a title and a Markdown table: what, its time, and the baseline's time as a ratio."""
    print(f"\n## {title}\n\n| {heading} | ms | baseline / this |\n|---|---:|---:|")
    for what, spent, baseline in rows:
        print(f"| {what} | {spent * 1e3:.3f} | {baseline / spent:.1f} |")


def measure_selection(root: Path) -> None:
    """Print what choosing costs."""
    dark_ids = list(DarkCalibrations.of(root).source.ids())
    dates = np.random.default_rng(2).uniform(*to_secs(["2002:002", "2018:001"]), DATES)
    few = dates[:ONE_BY_ONE].tolist()
    loop = took(lambda: chosen_in_a_loop(dark_ids, few)) * DATES / ONE_BY_ONE
    calls = took(lambda: [get_dark_cal_id(date, dark_cal_ids=dark_ids) for date in few]) * DATES / ONE_BY_ONE
    rows = [("a loop over bisect (the baseline)", loop, loop), ("a loop over get_dark_cal_id", calls, loop)]
    for select in ("before", "nearest"):
        spent = took(lambda select=select: get_dark_cal_id(dates, select, dark_cal_ids=dark_ids))
        rows.append((f"get_dark_cal_id(dates, {select!r})", spent, loop))
    print_table("Which calibration holds", f"{DATES:,} dates; loops on {ONE_BY_ONE:,}, scaled", rows)
    one = took(lambda: get_dark_cal_id("2012:001", source=root))
    print(f"\nOne date, folder listed and all: {one * 1e3:.3f} ms.")


def measure_tables(root: Path) -> None:
    """Print what tables of properties cost."""
    base = took(lambda: table_that_opens_every_image(root))
    source = DarkCalibrations.of(root).source
    rows = [
        ("one that opens every map (the baseline)", base, base),
        ("get_dark_cal_props_table, first call", took(lambda: get_dark_cal_props_table(source=source), forget), base),
        ("the same, second call", took(lambda: get_dark_cal_props_table(source=source)), base),
        ("as_table=False, second call", took(lambda: get_dark_cal_props_table(as_table=False, source=source)), base),
        ("include_image=True", took(lambda: get_dark_cal_props_table(include_image=True, source=source)), base),
    ]
    print_table("Properties", f"a table of {COUNT} calibrations", rows)
    one = took(lambda: get_dark_cal_props("2012:001", source=source))
    print(f"\nProperties of one date: {one * 1e3:.3f} ms.")


def measure_maps(root: Path) -> None:
    """Print what a map costs, in memory and from the disk."""
    source = DarkCalibrations.of(root).source
    dark_id = source.ids()[7]
    path = root / dark_id / "image.fits"
    reads = [
        ("astropy alone, as native numbers (the baseline)", lambda: bare_map(path)),
        ("the source's own read", lambda: source.image(dark_id)),
        ("get_dark_cal_image, as measured", lambda: get_dark_cal_image(dark_id, source=source, allow_negative=True)),
        ("get_dark_cal_image, clipped", lambda: get_dark_cal_image(dark_id, source=source)),
        ("get_dark_cal_image, scaled and clipped", lambda: get_dark_cal_image(dark_id, t_ccd_ref=-15, source=source)),
    ]
    for what, before in (("in memory", lambda: None), ("from the disk", lambda: drop_from_memory(path.parent))):
        spent = [(name, took(read, before)) for name, read in reads]
        print_table(f"A map, {what}", "read", [(name, each, spent[0][1]) for name, each in spent])


def main() -> None:
    """Print the tables."""
    print(f"Medians of {ROUNDS} rounds.")
    with tempfile.TemporaryDirectory(prefix="aca_darks_") as scratch:
        root = filled(Path(scratch) / "aca_dark")
        time.sleep(SETTLING)
        measure_selection(root)
        measure_tables(root)
        measure_maps(root)


if __name__ == "__main__":
    main()
