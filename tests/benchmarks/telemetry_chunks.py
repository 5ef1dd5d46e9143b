"""What chunks and filters of HDF5 would do to a column store: how long columns take to read, and how large they are.

Run it with ``python tests/benchmarks/telemetry_chunks.py [--cache FOLDER]``. The columns are 19 days of a slot of the
archive of ``telemetry.py``. Only filters that every h5py has are tried.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import h5py
from telemetry_archive import cache_folder, configured, made, the_range

from aca_core import using
from aca_core.aca_l0.one_slot import slot_columns

ROUNDS = 5
KINDS: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunks of 64 kB": {"chunks": True},
    "gzip 1, shuffle": {"compression": "gzip", "compression_opts": 1, "shuffle": True},
    "lzf, shuffle": {"compression": "lzf", "shuffle": True},
}
COLUMNS = {"times": "TIME", "a flag": "QUALITY", "a byte of header 3": "HD3TLM77", "images": "IMGRAW"}
CHUNK = 64 * 1024
ROWS = {"19 days": None, "a day": 21_073, "a minute": 15}


def seconds(function: Callable[[], object]) -> float:
    """Return the median of a few runs."""
    spent = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return median(spent)


def read(path: Path, rows: int | None) -> Any:
    """Read all of the one column in a file, or some rows in its middle."""
    with h5py.File(path, "r", locking=False) as file:
        values = file["values"]
        return values[()] if rows is None else values[len(values) // 2 : len(values) // 2 + rows]


def write(path: Path, values: Any, options: dict[str, Any]) -> None:
    """Write the one column of a file."""
    chunks = (max(CHUNK // values[0].nbytes, 1), *values.shape[1:])
    with h5py.File(path, "w") as file:
        file.create_dataset("values", data=values, **({**options, "chunks": chunks} if options else {}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", help="where the archive is kept")
    folder = made(cache_folder(parser.parse_args().cache))
    with using(configured(folder, folder / "delivered")):
        found = slot_columns(*the_range(19, 0.5), 6, columns=list(COLUMNS.values())).values
    heads = " | ".join(f"read {what} (ms)" for what in ROWS)
    print(f"\n| column | stored as | MB | write (ms) | {heads} |\n|---|---|---:|---:|{'---:|' * len(ROWS)}")
    with tempfile.TemporaryDirectory(prefix="aca_chunks_") as scratch:
        path = Path(scratch) / "column.h5"
        for what, name in COLUMNS.items():
            for kind, options in KINDS.items():
                start = time.perf_counter()
                write(path, found[name], options)
                wrote = (time.perf_counter() - start) * 1e3
                times = [seconds(lambda n=rows: read(path, n)) * 1e3 for rows in ROWS.values()]
                cells = " | ".join(f"{each:.2f}" for each in times)
                print(f"| {what} | {kind} | {path.stat().st_size / 1e6:.2f} | {wrote:.0f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
