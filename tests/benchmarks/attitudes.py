"""What it costs to get the attitudes of an observation, stage by stage, against decompressing the same files.

Run it with ``python tests/benchmarks/attitudes.py``. The files are synthetic.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from pathlib import Path
from statistics import median

from aca_plugins import asp1
from aca_plugins.asp1 import attitudes
from stopwatch import Stopwatch

from aca_core import load_config, open_archive, using
from aca_core.archive import Archive, ProductFunctions
from aca_core.simulation import simulate_delivery

OBSID = 8008
DURATIONS = (5_000.0, 50_000.0)  # the second: a long observation, 195,000 attitudes
CONTENTS = ["ASPSOL", "ACACAL", "ASPQUAL"]
ROUNDS = 15

STAGES = {
    "which files: the index": [(ProductFunctions, "get_rows")],
    "read the tables: decompress, decode": [(attitudes, "_read")],
    "filter: near a bad solution": [(attitudes, "_is_near_bad")],
    "rotate into the camera frame": [(attitudes, "multiply")],
    "put together": [(attitudes, "_joined")],
}


def filled(folder: Path, duration: float) -> Archive:
    """Return an archive with one observation."""
    simulate_delivery(folder / "delivered", seed=3, obsids=[OBSID], duration=duration, columns="new")
    (folder / "archive").mkdir()
    (folder / "aca.toml").write_text(
        f"""
        root = "archive"
        [sets.nightly]
        products = ["asp1"]
        retriever = "directory"
        catalogue = "file"
        [retrievers.directory]
        folder = "{folder}/delivered"
        [catalogues.file]
        path = "{folder}/delivered/catalogue"
        """
    )
    archive = open_archive(config=load_config(folder / "aca.toml", environ={}))
    archive.by_obsid("asp1").update(obsid=OBSID)
    return archive


def decompress(files: list[str]) -> float:
    """Read gzipped files to their end, and return how long that took, s."""
    start = time.perf_counter()
    for path in files:
        with gzip.open(path) as stream:
            stream.read()
    return time.perf_counter() - start


def get_atts(*, is_filtered: bool = True) -> float:
    """Get the attitudes, and return how long that took, s."""
    start = time.perf_counter()
    asp1.get_atts(obsid=OBSID, filter=is_filtered)
    return time.perf_counter() - start


def measure(archive: Archive) -> None:
    """Print the table of one observation."""
    files = archive.by_obsid("asp1").get_files(obsid=OBSID, content=CONTENTS)
    plain, whole, unfiltered, watches = [], [], [], []
    with using(archive):
        count = len(asp1.get_atts(obsid=OBSID, filter=False)[1])
        for _ in range(ROUNDS):
            plain.append(decompress(files))
            whole.append(get_atts())
            unfiltered.append(get_atts(is_filtered=False))
            watch = Stopwatch(STAGES)
            with watch.running():
                get_atts()
            watches.append(watch.spent)
    base = median(plain)
    print(f"\n{count:,} attitudes; decompressing their {len(files)} files takes {base * 1e3:.1f} ms\n")
    print("| stage | ms | / decompressing |\n|---|---:|---:|")
    stages = {stage: median(watch[stage] for watch in watches) for stage in STAGES}
    stages["**get_atts**"] = median(whole)
    stages["get_atts without the filter and its file"] = median(unfiltered)
    for stage, spent in stages.items():
        print(f"| {stage} | {spent * 1e3:.1f} | {spent / base:.2f} |")


def main() -> None:
    """Print the tables."""
    print(f"Medians of {ROUNDS} rounds, in turns with decompressing the same files.")
    for duration in DURATIONS:
        with tempfile.TemporaryDirectory(prefix="aca_attitudes_") as scratch:
            measure(filled(Path(scratch), duration))


if __name__ == "__main__":
    main()
