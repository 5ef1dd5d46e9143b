"""Whether a question costs the same in an archive of 25 years as in one of 20 days; part of ``telemetry.py``."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from telemetry_archive import DAYS, configured, the_range

from aca_core import using
from aca_core.aca_hdr3 import MSID
from aca_core.aca_l0.one_slot import slot_columns
from aca_core.archive.column_store.pieces import Source
from aca_core.archive.column_store.writing import Part, write_piece

YEARS = range(2003, 2028)
THERE = {(2021, 1), (2021, 2)}
"""The months that the other archive has days of."""

MINUTE = 60.0
ROUNDS = 30


def grown(folder: Path, scratch: Path) -> Any:
    """Return an archive with the days of the other one, hard links to its pieces, and 25 years of others around them.

    The index lists as many files a day as there. Pieces of other months have those files with two rows each, since a
    question of another month reads nothing of them but that they are there.
    """
    shutil.copytree(folder / "archive", scratch / "archive", copy_function=os.link)
    index = scratch / "archive/aca0/archfiles.db3"
    index.unlink()
    shutil.copy(folder / "archive/aca0/archfiles.db3", index)
    database = sqlite3.connect(index)
    fill_index(database, scratch / "archive/aca0/columns")
    database.commit()
    database.close()
    return configured(scratch, scratch / "delivered")


def fill_index(database: sqlite3.Connection, pieces: Path) -> None:
    """Write the files of every month of 25 years but those that are there, and the pieces of these months."""
    database.row_factory = sqlite3.Row
    rows = [dict(row) for row in database.execute("SELECT * FROM archfiles")]
    digests = {row["filename"]: dict(row) for row in database.execute("SELECT * FROM aca_files")}
    for number in range(-365 * 18 // 20, 365 * 7 // 20):
        moved = [_moved(row, number * DAYS * 86400.0, digests) for row in rows]
        kept = [pair for pair in moved if pair[0]["year"] in YEARS and _month(pair[0]) not in THERE]
        for table, place in (("archfiles", 0), ("aca_files", 1)):
            if kept:
                names = list(kept[0][place])
                marks = ", ".join("?" * len(names))
                sql = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"
                database.executemany(sql, [list(pair[place].values()) for pair in kept])
    _write_pieces(database, pieces)


def _moved(row: dict[str, Any], by: float, digests: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the rows of a file that is like another one, some days later."""
    from aca_core.dates import year_doy

    time = int(row["filetime"] + by)
    name = f"acaf{time}N001_{row['slot']}_img0.fits.gz"
    year, doy = year_doy(time)
    new = {**row, "filename": name, "filetime": time, "tstart": row["tstart"] + by, "tstop": row["tstop"] + by}
    new |= {"year": int(year), "doy": int(doy)}
    ours = {**digests[row["filename"]], "filename": name, "unit": f"{int(year):04d}/{int(doy):03d}"}
    return new, ours


def _month(row: Any) -> tuple[int, int]:
    return row["year"], (dt.date(row["year"], 1, 1) + dt.timedelta(days=row["doy"] - 1)).month


def _write_pieces(database: sqlite3.Connection, pieces: Path) -> None:
    sql = "SELECT a.*, f.size, f.sha256 FROM archfiles a JOIN aca_files f USING (filename) ORDER BY tstart, filename"
    months: dict[tuple[int, int], list[Any]] = {}
    for row in database.execute(sql):
        months.setdefault(_month(row), []).append(row)
    for (year, month), rows in sorted(months.items()):
        if (year, month) not in THERE:
            path = pieces / f"{year:04d}/month-{month:02d}.h5"
            write_piece(path, [_part(row) for row in rows], {"product": "aca0", "synthetic": True})


def _part(row: Any) -> Part:
    times = np.array([row["tstart"], row["tstop"]])
    source = Source(
        filename=row["filename"],
        day=f"{row['year']:04d}/{row['doy']:03d}",
        revision=1,
        size=row["size"],
        sha256=row["sha256"],
        rows=2,
        tmin=row["tstart"],
        tmax=row["tstop"],
        synthetic=True,
        is_ordered=True,
    )
    return Part(f"slot_{row['slot']}/imgsize_8", (("TIME", "<f8", ()),), (source,), lambda name: times)


def measure_years(folder: Path, scratch: Path) -> None:
    """Print what one minute and one day take in both archives."""
    from telemetry import took

    few, many = configured(folder, folder / "delivered"), grown(folder, scratch)
    counts = [len(each["aca0"].get_rows("2000:001", "2030:001", columns=())) for each in (few, many)]
    pieces = [sum(1 for _ in (root / "archive").rglob("columns/*/*.h5")) for root in (folder, scratch)]
    words = [f"{count:,} files in {number} pieces" for count, number in zip(counts, pieces, strict=True)]
    print(f"\n{words[0]}, and {words[1]}:\n")
    print("| question | 20 days (ms) | 25 years (ms) | ratio |\n|---|---:|---:|---:|")
    questions = {
        "all columns, one minute": lambda: slot_columns(*_span(MINUTE), 6),
        "ccd_temp, one minute": lambda: MSID("ccd_temp", *_span(MINUTE)),
        "all columns, one day": lambda: slot_columns(*_span(86400.0), 6),
    }
    for name, ask in questions.items():
        spent: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for archive, each in zip((few, many), spent, strict=True):
                with using(archive):
                    each.append(took(ask))
        low, high = (median(each) * 1e3 for each in spent)
        print(f"| {name} | {low:.2f} | {high:.2f} | {high / low:.2f} |", flush=True)


def _span(length: float) -> tuple[float, float]:
    start, _ = the_range(1, 5.0)
    return start, start + length
