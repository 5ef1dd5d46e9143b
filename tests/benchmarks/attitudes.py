"""What it costs to get the attitudes of an observation from its files, against decompressing the same files.

Run it with ``python tests/benchmarks/attitudes.py``. The files are synthetic.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from aca_plugins import asp1

from aca_core.simulation import simulate_delivery

DURATIONS = (5_000.0, 50_000.0)  # the second: a long observation, 195,000 attitudes
KINDS = ("asol1", "acal1", "aqual1")


def best_of(functions: list[Callable[[], object]], repeats: int = 9) -> list[float]:
    """Return the least time of a few runs of each, in ms; they take turns, so that a busy machine slows all alike."""
    best = [float("inf")] * len(functions)
    for _ in range(repeats):
        for number, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[number] = min(best[number], time.perf_counter() - start)
    return [1e3 * each for each in best]


def decompressed(path: Path) -> int:
    """Read a gzipped file to its end."""
    with gzip.open(path) as stream:
        return len(stream.read())


def main() -> None:
    """Print the table."""
    print("| attitudes | get_atts_from_files (ms) | / decompressing the files | the same without the filter |")
    print("|---:|---:|---:|---:|")
    for duration in DURATIONS:
        with tempfile.TemporaryDirectory() as folder:
            delivery = simulate_delivery(folder, seed=3, obsids=[8008], duration=duration, columns="new")
            version = delivery.folder / "asp1" / "08" / "08008_v01"
            files = [sorted(version.glob(f"pcadf{9 * '[0-9]'}N*_{kind}.fits.gz")) for kind in KINDS]
            naive, ours, unfiltered = best_of(
                [
                    lambda files=files: [decompressed(path) for paths in files for path in paths],
                    lambda files=files: asp1.get_atts_from_files(*files),
                    lambda files=files: asp1.get_atts_from_files(*files, filter=False),
                ]
            )
            count = len(asp1.get_atts_from_files(*files, filter=False)[1])
            print(f"| {count:,} | {ours:.0f} | {ours / naive:.2f} | {unfiltered / naive:.2f} |")


if __name__ == "__main__":
    main()
