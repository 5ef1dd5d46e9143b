"""What a question to the index costs on 1.2 million files, against the best plain query to the same SQLite file.

Run it with ``python tests/benchmarks/index.py``. The index is synthetic, and made once in a folder below the system's
temporary one; ``--rebuild`` makes it anew. Ratios are to the plain query of the same row, asked in turns.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from aca_plugins import asp1
from sqlite_utils import Database

from aca_core import Config, Registry, open_archive
from aca_core.archive import ObsArchive
from aca_core.archive._schema import make_tables
from aca_core.products import ArchiveProduct

OBSIDS = 30_000
REVISIONS = 2
YEARS = 25
FIRST = 63_072_000.0  # 2000-01-01
DAY = 86_400.0
LAST = FIRST + YEARS * 365.25 * DAY

FOLDER = Path(tempfile.gettempdir(), "aca_core_benchmarks", "index-2")
RANGES = {"early": 0.04, "middle": 0.5, "late": 0.96}  # where they lie in the 25 years

# Without the combined solution, which few observations have.
CONTENTS = tuple(content for content in asp1.ASP1.content_types if content != "ASPSOLOBI")
SUFFIX = {"ASPSOL": "asol1", "ACACAL": "acal1", "ASPQUAL": "aqual1", "ACADATA": "adat61", "GSPROPS": "gspr1",
          "GYRODATA": "gdat1", "KALMAN": "kalm1", "ACACENT": "acen1", "FIDPROPS": "fidpr1", "GYROCAL": "gcal1",
          "ACA_BADPIX": "abp1"}  # fmt: skip


# ---- the index ------------------------------------------------------------------------------------------------------


def observations() -> Iterator[tuple[int, float, float, int]]:
    """Yield obsid, start, stop and number of aspect intervals, in the order of time."""
    generator = np.random.default_rng(1999)
    durations = np.clip(generator.lognormal(9.8, 0.8, OBSIDS), 1000.0, 180_000.0)
    durations *= 0.9 * (LAST - FIRST) / durations.sum()
    gap = 0.1 * (LAST - FIRST) / OBSIDS
    intervals = generator.choice([1, 2, 3], p=[0.4, 0.4, 0.2], size=OBSIDS)
    start = FIRST
    for number in range(OBSIDS):
        yield number + 1, start, start + float(durations[number]), int(intervals[number])
        start += float(durations[number]) + gap


def rows() -> Iterator[dict[str, Any]]:
    """Yield the rows of the index: the second revision is the released one, but of every twentieth obsid the first."""
    for obsid, first, last, intervals in observations():
        length = (last - first) / intervals
        released = 1 if obsid % 20 == 0 else 2
        for revision in range(1, REVISIONS + 1):
            for interval in range(intervals):
                start = first + interval * length
                for content in CONTENTS:
                    yield {
                        "filename": f"pcadf{int(start):09d}N{revision:03d}_{SUFFIX[content]}.fits.gz",
                        "filetime": int(start),
                        "year": 2000 + int((start - FIRST) / (365.25 * DAY)),
                        "doy": 1 + int((start - FIRST) / DAY % 365.25),
                        "tstart": start,
                        "tstop": start + length,
                        "checksum": "QfjdTdhZQdhdQdhZ",
                        "ascdsver": "10.8",
                        "caldbver": "4.8.5",
                        "content": content,
                        "revision": revision,
                        "obsid": obsid,
                        "date": "2019-09-30T04:05:06",
                        "isdefault": 1 if revision == released else None,
                    }


def make(product: ArchiveProduct) -> None:
    """Make two archives of the same files: one as we write it, and one as other tools do, without our tables."""
    FOLDER.parent.mkdir(exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix="part-", dir=FOLDER.parent))
    ours, other = (part / name / "asp1/archfiles.db3" for name in ("ours", "other"))
    for path in (ours, other):
        path.parent.mkdir(parents=True)
    with sqlite3.connect(ours) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        database = Database(connection, execute_plugins=False)
        make_tables(database, product)
        database.table("archfiles").insert_all(rows())
        connection.execute(
            "INSERT INTO aca_obsids (obsid, released, newest) SELECT obsid, max(revision * isdefault), max(revision)"
            " FROM archfiles GROUP BY obsid"
        )
        longest = connection.execute("SELECT max(tstop - tstart) FROM archfiles").fetchone()[0]
        database.table("aca_state").upsert({"key": "longest", "value": repr(longest)}, pk="key")
    connection.close()
    shutil.copy(ours, other)
    with sqlite3.connect(other) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'aca_%'")
        for (name,) in names.fetchall():
            connection.execute(f"DROP TABLE {name}")
    connection.close()
    for path in (ours, other):
        make_folders(path.parent)
    (part / "aca.toml").write_text('root = "ours"\n[sets.nightly]\nproducts = ["asp1"]\nretriever = "directory"\n')
    part.rename(FOLDER)


def make_folders(top: Path) -> None:
    """Make the folders and links of the observations that are asked for."""
    wanted = [(start - DAY, stop + DAY) for start, stop in spans(30)]
    for obsid, first, last, _ in observations():
        if any(first < stop and last > start for start, stop in wanted):
            chunk = top / f"{obsid:05d}"[:2]
            for revision in range(1, REVISIONS + 1):
                (chunk / f"{obsid:05d}_v{revision:02d}").mkdir(parents=True)
            released = 1 if obsid % 20 == 0 else 2
            (chunk / f"{obsid:05d}").symlink_to(f"{obsid:05d}_v{released:02d}")
            if released != REVISIONS:
                (chunk / f"{obsid:05d}_last").symlink_to(f"{obsid:05d}_v{REVISIONS:02d}")


def spans(days: float) -> list[tuple[float, float]]:
    """Return the ranges of time that are asked for: early, in the middle and late."""
    return [(start, start + days * DAY) for start in (FIRST + place * (LAST - FIRST) for place in RANGES.values())]


# ---- the plain query ------------------------------------------------------------------------------------------------


class Plain:
    """What one would write for one's own archive: a connection that stays open, one SELECT, and the paths."""

    def __init__(self, root: Path) -> None:
        self.top = str(root / "asp1")
        self.connection = sqlite3.connect(f"file:{self.top}/archfiles.db3?mode=ro", uri=True, isolation_level=None)
        self.longest = self.connection.execute("SELECT max(tstop - tstart) FROM archfiles").fetchone()[0]

    def get_files(
        self,
        obsid: int | None = None,
        start: float = 0.0,
        stop: float = 0.0,
        revision: int | str | None = None,
        content: str | None = None,
    ) -> list[str]:
        """Return paths as `ObsArchive.get_files` does."""
        if obsid is not None:
            where, values = "obsid = ?", [obsid]
        else:
            where = "tstart < ? AND tstart > ? AND +tstop > ?"
            values = [stop, start - self.longest, start]
        allowed = [content] if content else asp1.ASP1.content_types
        condition = {
            None: "+isdefault = 1",
            "all": "1",
            # One look at an obsid for all of its files.
            "last": "(obsid, revision) IN (SELECT obsid, max(revision) FROM archfiles WHERE obsid IN"
            f" (SELECT DISTINCT obsid FROM archfiles WHERE {where}) GROUP BY obsid)",
        }[revision]
        twice = [*values, *values, *allowed] if revision == "last" else [*values, *allowed]
        found = self.connection.execute(
            f"SELECT obsid, revision, filename FROM archfiles WHERE {where}"
            f" AND {condition} AND +content IN ({', '.join('?' * len(allowed))}) ORDER BY tstart, obsid, filename",
            twice,
        )
        top = self.top
        return [f"{top}/{obsid // 1000:02d}/{obsid:05d}_v{version:02d}/{name}" for obsid, version, name in found]


# ---- measuring ------------------------------------------------------------------------------------------------------


def in_turns(
    ours: Callable[[Any], object], plain: Callable[[Any], object], arguments: list[Any], least: float = 0.25
) -> tuple[float, float]:
    """Return the median times of two functions, in microseconds, called in turns with the same arguments."""
    times: tuple[list[float], list[float]] = ([], [])
    begun = time.perf_counter()
    while time.perf_counter() - begun < least or len(times[0]) < 15:
        for argument in arguments:
            for function, spent in zip((ours, plain), times, strict=True):
                start = time.perf_counter()
                function(argument)
                spent.append(time.perf_counter() - start)
    return median(times[0]) * 1e6, median(times[1]) * 1e6


def show(name: str, files: object, ours: float, plain: float) -> None:
    """Print one row."""
    print(f"| {name} | {files} | {ours:,.0f} | {plain:,.0f} | {ours / plain:.2f} | {ours - plain:,.0f} |", flush=True)


def compare(name: str, archive: ObsArchive, plain: Plain, asked: list[dict[str, Any]]) -> None:
    """Print what get_files costs for some questions."""
    found = [archive.get_files(**each) for each in asked]
    for each, paths in zip(asked, found, strict=True):
        if paths != plain.get_files(**each):
            raise SystemExit(f"{name}: the answers to {each} differ")
    files = round(sum(map(len, found)) / len(found))
    show(name, files, *in_turns(lambda each: archive.get_files(**each), lambda each: plain.get_files(**each), asked))


def plan_of(plain: Plain, start: float, stop: float) -> str:
    """Return how SQLite goes about the plain query in time."""
    sql = "EXPLAIN QUERY PLAN SELECT filename FROM archfiles WHERE tstart < ? AND tstart > ? AND +tstop > ?"
    return str(plain.connection.execute(sql, (stop, start - plain.longest, start)).fetchone()[3])


def files_table(archive: ObsArchive, plain: Plain) -> None:
    """Print the rows of get_files."""
    for days in (1, 30):
        for place, (start, stop) in zip(RANGES, spans(days), strict=True):
            compare(f"{place}, {days} d", archive, plain, [{"start": start, "stop": stop}])
    for revision in ("last", "all"):
        for days in (1, 30):
            asked = [{"start": start, "stop": stop, "revision": revision} for start, stop in spans(days)]
            compare(f"{days} d, revision '{revision}'", archive, plain, asked)
    for days in (1, 30):
        asked = [{"start": start, "stop": stop, "content": "ASPSOL"} for start, stop in spans(days)]
        compare(f"{days} d, content 'ASPSOL'", archive, plain, asked)
    obsids = range(1000, 29_000, 700)
    for more in ({}, {"content": "ASPSOL"}, {"revision": "last"}, {"revision": "all"}):
        name = ", ".join(["one obsid", *(f"{key} {value!r}" for key, value in more.items())])
        compare(name, archive, plain, [{"obsid": obsid, **more} for obsid in obsids])


def obsids_with_folders() -> list[int]:
    """Return the obsids that have folders."""
    top = FOLDER / "ours/asp1"
    return sorted(int(path.name[:5]) for path in top.glob("??/*_v01"))


def main() -> None:
    """Print the tables."""
    if "--rebuild" in sys.argv:
        shutil.rmtree(FOLDER, ignore_errors=True)
    if not FOLDER.is_dir():
        start = time.perf_counter()
        make(Registry(Config()).product("asp1"))
        print(f"made the index in {time.perf_counter() - start:.0f} s\n")
    archive = open_archive(FOLDER / "ours", Config()).by_obsid("asp1")
    plain = Plain(FOLDER / "ours")
    count = plain.connection.execute("SELECT count(*) FROM archfiles").fetchone()[0]
    print(f"{count:,} files; {plan_of(plain, *spans(1)[0])}\n")

    head = "| files | ours (us) | plain (us) | ratio | ours - plain (us) |\n|---|---:|---:|---:|---:|---:|"
    print(f"| get_files of an archive | {head[2:]}")
    files_table(archive, plain)

    print(f"\n| get_files of an archive of other tools, by its links | {head[2:]}")
    other, other_plain = open_archive(FOLDER / "other", Config()).by_obsid("asp1"), Plain(FOLDER / "other")
    for days in (1, 30):
        compare(f"{days} d", other, other_plain, [{"start": start, "stop": stop} for start, stop in spans(days)])
    obsids = obsids_with_folders()[::5]
    compare("one obsid", other, other_plain, [{"obsid": obsid} for obsid in obsids])

    print("\n| one obsid, and what is its baseline | obsids | ours (us) | baseline (us) | ratio | difference (us) |")
    print("|---|---:|---:|---:|---:|---:|")
    top = archive.roots[0]

    def scanned(obsid: int) -> list[str]:
        """Return the entries of an obsid, from the disk alone."""
        with os.scandir(top / f"{obsid:05d}"[:2]) as entries:
            return [entry.path for entry in entries if entry.name.startswith(f"{obsid:05d}")]

    show("get_obs_dirs / scandir of its chunk", len(obsids), *in_turns(archive.get_obs_dirs, scanned, obsids))
    show("get_dir / scandir of its chunk", len(obsids), *in_turns(archive.get_dir, scanned, obsids))
    os.environ["ACA_CONFIG"] = str(FOLDER / "aca.toml")
    bound = in_turns(lambda obsid: asp1.get_files(obsid=obsid), lambda obsid: archive.get_files(obsid=obsid), obsids)
    show("asp1.get_files, configuration from a file / archive.get_files", len(obsids), *bound)
    bound = in_turns(lambda obsid: asp1.get_dir(obsid), lambda obsid: archive.get_dir(obsid), obsids)
    show("asp1.get_dir, configuration from a file / archive.get_dir", len(obsids), *bound)


if __name__ == "__main__":
    main()
