"""What it costs to describe a delivered file for the index, against astropy and against decompressing the file.

Run it with ``python tests/benchmarks/headers.py``. The files are synthetic.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.io import fits

from aca_core import Config, Registry
from aca_core.testing import write_fits

ROWS = (1_000, 50_000, 195_000)  # the last: attitudes of an observation of 50 ks
HEADER = {
    "TSTART": 686111014.25,
    "TSTOP": 686161014.25,
    "CONTENT": "ASPSOL",
    "REVISION": 1,
    "DATE": "2019-09-30T04:05:06",
    "ASCDSVER": "10.8",
    "CALDBVER": "4.8.5",
}


def best_of(function: Callable[[], object], repeats: int = 7) -> float:
    """Return the least time of a few runs, in ms."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def decompressed(path: Path) -> int:
    """Read a gzipped file to its end."""
    with gzip.open(path) as stream:
        return sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 20), b""))


def main() -> None:
    """Print the table."""
    asp1 = Registry(Config()).product("asp1")
    generator = np.random.default_rng(1999)
    print("| rows of the file | describe (ms) | astropy's getheader / describe | decompressing it all / describe |")
    print("|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for rows in ROWS:
            columns = {"time": np.arange(float(rows)), "q_att": generator.normal(size=(rows, 4))}
            path = write_fits(Path(folder) / f"pcadf{686111014 + rows}N001_asol1.fits.gz", HEADER, columns)
            ours = best_of(lambda path=path: asp1.describe(path))
            theirs = best_of(lambda path=path: fits.getheader(path, 1)["TSTART"], 3)
            whole = best_of(lambda path=path: decompressed(path), 3)
            print(f"| {rows:,} | {ours:.2f} | {theirs / ours:.0f} | {whole / ours:.0f} |")


if __name__ == "__main__":
    main()
