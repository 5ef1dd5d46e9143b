"""What it costs to archive a delivery, stage by stage, against decompressing the same files.

Run it with ``python tests/benchmarks/ingest.py``. The deliveries are synthetic; each ingest goes into a new archive.
Every file has to be decompressed once to be verified, so that is what the whole cannot go below.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from aca_plugins.directory import DirectoryRetriever
from stopwatch import Stopwatch

from aca_core import load_config, open_archive
from aca_core.archive import commit, revisions, running, staging
from aca_core.simulation import simulate_delivery

ROUNDS = 3
WORKERS = ("threads", "processes")
OBSERVATIONS = {"10 of 10 ks": (10, 10_000.0), "1 of 50 ks": (1, 50_000.0), "20 of 2 ks": (20, 2_000.0)}

# What is timed: the stage, and where the engine calls the functions that do it.
STAGES = {
    "fetch: copy from the delivery": [(DirectoryRetriever, "fetch")],
    "verify: decompress, sum, digest": [(staging, "_checked")],
    "describe for the index": [(staging, "_described"), (staging, "_check_obsid")],
    "fsync of files and folder": [(staging, "_synced")],
    "commit: journal, rename, transaction": [(revisions, "commit")],
    "links": [(commit, "lead")],
    "events: the processing table": [(running, "deliver_events")],
}
WITHIN = {"links": "commit: journal, rename, transaction"}


def ingest(folder: Path, jobs: int = 1, executor: str = "serial") -> float:
    """Archive the delivery in a folder, in a new archive, and return how long that took, s."""
    archive = Path(tempfile.mkdtemp(prefix="archive-", dir=folder))
    (folder / "aca.toml").write_text(
        f"""
        root = "{archive.name}"
        [sets.nightly]
        products = ["asp1", "obspar"]
        retriever = "directory"
        catalogue = "file"
        executor = "{executor}"
        jobs = {jobs}
        [retrievers.directory]
        folder = "{folder}/delivered"
        [catalogues.file]
        path = "{folder}/delivered/catalogue"
        """
    )
    opened = open_archive(config=load_config(folder / "aca.toml", environ={}))["asp1"]
    start = time.perf_counter()
    report = opened.run_update()
    took = time.perf_counter() - start
    if not report.is_clean:
        raise SystemExit(f"the ingest was not clean: {report}")
    shutil.rmtree(archive)
    return took


def decompress(files: list[Path]) -> float:
    """Read gzipped files to their end, and return how long that took, s."""
    start = time.perf_counter()
    for path in files:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
    return time.perf_counter() - start


def measure(name: str, folder: Path, *, with_workers: bool) -> None:
    """Print the table of one delivery."""
    files = [path for path in (folder / "delivered/asp1").glob("??/*_v*/*.gz") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    ingest(folder)  # imports, and the caches of the system
    plain, whole, watches = [], [], []
    spread: dict[str, list[float]] = {kind: [] for kind in (WORKERS if with_workers else ())}
    for _ in range(ROUNDS):
        plain.append(decompress(files))
        watch = Stopwatch(STAGES, WITHIN)
        with watch.running():
            whole.append(ingest(folder))
        watches.append(watch.spent)
        for kind, times in spread.items():
            times.append(ingest(folder, jobs=2, executor=kind))
    base, total = median(plain), median(whole)
    print(f"\n{name}: {len(files)} files, {size:.0f} MB; decompressing them takes {base * 1e3:,.0f} ms\n")
    print("| stage | ms | / decompressing | files/s | MB/s |\n|---|---:|---:|---:|---:|")
    stages = {stage: median(watch[stage] for watch in watches) for stage in STAGES}
    stages["everything else: lock, probes, items"] = total - sum(stages.values())
    stages["**all**"] = total
    stages |= {f"**all**, 2 jobs in {kind}": median(times) for kind, times in spread.items()}
    for stage, spent in stages.items():
        rates = f"{len(files) / spent:,.0f} | {size / spent:,.0f}"
        print(f"| {stage} | {spent * 1e3:,.0f} | {spent / base:.2f} | {rates} |", flush=True)


def main() -> None:
    """Print the tables."""
    print(f"Medians of {ROUNDS} rounds, in turns with decompressing the same files.")
    for name, (count, duration) in OBSERVATIONS.items():
        with tempfile.TemporaryDirectory(prefix="aca_ingest_") as scratch:
            folder = Path(scratch)
            obsids = range(8010, 8010 + count)
            simulate_delivery(folder / "delivered", seed=1, obsids=obsids, duration=duration, every_algorithm=True)
            measure(name, folder, with_workers=count == 10)


if __name__ == "__main__":
    main()
