"""What it costs to archive a day of telemetry with its column store, against decompressing and parsing its files.

Run it with ``python tests/benchmarks/telemetry_ingest.py``. The day is synthetic: eight slots of 8x8 images. Each
ingest goes into a new archive. The baseline decompresses each file with zlib, checks nothing, and copies every column
out of the table into the machine's byte order.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import zlib
from pathlib import Path
from statistics import median

import numpy as np
from aca_plugins.directory import DirectoryRetriever
from astropy.io import fits
from stopwatch import Stopwatch
from telemetry_archive import ingest

from aca_core.archive import days, running, staging
from aca_core.archive.column_store import keeping, writing
from aca_core.simulation.telemetry import SimulatedTelemetry, simulate_telemetry

ROUNDS = 5

# What is timed: the stage, and where the engine calls the functions that do it.
STAGES = {
    "retrieve: copy from the delivery": [(DirectoryRetriever, "fetch")],
    "verify: decompress, sum, digest": [(staging, "_checked")],
    "describe for the index": [(staging, "_described")],
    "fsync of files and folder": [(staging, "_synced")],
    "commit: journal, rename, transaction": [(days, "commit")],
    "column store: read the files again": [(keeping, "in_threads")],
    "column store: write the pieces": [(keeping, "write_piece")],
    "column store: fsync of the pieces": [(writing, "sync_file"), (writing, "sync_folder")],
    "everything else of events: the store's index, cursors": [(running, "deliver_events")],
}
WITHIN = {
    "column store: read the files again": "everything else of events: the store's index, cursors",
    "column store: write the pieces": "everything else of events: the store's index, cursors",
    "column store: fsync of the pieces": "column store: write the pieces",
}


def parse(files: list[Path]) -> float:
    """Decompress files and take their tables apart; return how long that took, s."""
    rows = {path: _row_of(path) for path in files}
    start = time.perf_counter()
    for path in files:
        content = zlib.decompress(path.read_bytes(), 31)
        first, kind, count = rows[path]
        table = np.frombuffer(content, kind, count, first)
        for name in kind.names or ():
            table[name].astype(table[name].dtype.newbyteorder("="))
    return time.perf_counter() - start


def _row_of(path: Path) -> tuple[int, np.dtype[np.void], int]:
    """Return at which byte the table of a file begins, what a row is, and how many there are."""
    with fits.open(path) as hdus:
        table = hdus[1]
        return table.fileinfo()["datLoc"], table.data.dtype, len(table.data)


def by_astropy(files: list[Path]) -> float:
    """Read all columns of files with astropy; return how long that took, s."""
    start = time.perf_counter()
    for path in files:
        with fits.open(path) as hdus:
            table = hdus[1].data
            for name in table.names:
                table[name].astype(table[name].dtype.newbyteorder("="))
    return time.perf_counter() - start


def one_ingest(folder: Path, telemetry: SimulatedTelemetry) -> float:
    """Archive the delivery in a new archive, and return how long that took, s."""
    archive = Path(tempfile.mkdtemp(prefix="archive-", dir=folder))
    took = ingest(archive, telemetry.folder, telemetry.start, telemetry.stop)
    shutil.rmtree(archive)
    return took


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="aca_telemetry_") as scratch:
        folder = Path(scratch)
        telemetry = simulate_telemetry(folder / "delivered", days=1.0, seed=1, modes="8x8", faults=False)
        files = sorted((folder / "delivered/aca0").rglob("*.gz"))
        one_ingest(folder, telemetry)  # imports, and the caches of the system
        plain, astropys, whole, watches = [], [], [], []
        for _ in range(ROUNDS):
            plain.append(parse(files))
            astropys.append(by_astropy(files))
            watch = Stopwatch(STAGES, WITHIN)
            with watch.running():
                whole.append(one_ingest(folder, telemetry))
            watches.append(watch.spent)
    base, total = median(plain), median(whole)
    print(f"A day: {len(files)} files; medians of {ROUNDS} rounds, in turns.\n")
    print("| stage | ms | / decompressing and parsing |\n|---|---:|---:|")
    stages = {"decompressing and parsing once: zlib, numpy (the baseline)": base}
    stages |= {stage: median(watch[stage] for watch in watches) for stage in STAGES}
    rest = total - sum(stages.values()) + base
    stages |= {"everything else: lock, names, what is superseded": rest, "**all**": total}
    stages["the same with astropy: all columns of all files"] = median(astropys)
    for stage, spent in stages.items():
        print(f"| {stage} | {spent * 1e3:,.0f} | {spent / base:.2f} |", flush=True)


if __name__ == "__main__":
    main()
