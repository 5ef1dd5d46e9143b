"""What it costs to verify the aspect of an observation, stage by stage, against decompressing its files.

Run it with ``python tests/benchmarks/vv.py``. The observation is synthetic: 50 ks, eight slots, every algorithm of
centroids. The baseline reads the files that a verification needs and inflates them with zlib, 256 kB at a time, each
piece thrown away; to inflate each file at once, as one writes it down, takes longer, since the system has to find new
memory for all of it. The reference computes sample by sample in plain Python, as the tests have it: on a part of the
samples, scaled by their number. Its residuals are compared with ours.
"""

from __future__ import annotations

import importlib
import io
import math
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from stopwatch import Stopwatch

from aca_core.simulation import simulate_delivery
from aca_core.vv import Obi, interval, obi, slots

ROUNDS = 9
PIECE = 256 * 1024
PART = 50
"""The reference looks at one sample in so many."""

NEEDED = ("asol1", "acal1", "acen1", "gspr1", "fidpr1")
READ = "read solution and centroids, two threads: open, decompress, decode columns"
INTERVAL = "the small files; check, pick centroids, by slot"

# What is timed: the stage, and where the verification calls the functions that do it.
STAGES = {
    "parameters of the observation": [(obi, "_obspar")],
    READ: [(interval, "_large_tables")],
    INTERVAL: [(obi, "read_interval")],
    "interpolate: attitudes, offsets": [(slots, "interpolate"), (slots, "interpolate_attitudes")],
    "stars: predicted angles": [(slots, "star_angles")],
    "fid lights: predicted angles": [(slots, "fid_angles")],
    "residuals of both, angular distance": [(slots, "centroid_residuals")],
    "magnitudes": [(slots, "smoothed_magnitudes")],
    "drift: SIM offsets": [(interval, "sim_offsets"), (obi, "sim_report")],
    "statistics": [(obi, "slot_statistics")],
    "judgement": [(obi, "judge")],
}
WITHIN = {READ: INTERVAL}


def clocked(function: Callable[[], Any]) -> float:
    """Return how long a function takes, s."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def inflate(files: list[Path]) -> None:
    """Decompress files piece by piece; keep nothing."""
    for path in files:
        with path.open("rb") as stream:
            inflated = zlib.decompressobj(31)
            while not inflated.eof:
                inflated.decompress(inflated.unconsumed_tail or stream.read(PIECE), PIECE)


def inflate_at_once(files: list[Path]) -> None:
    """Decompress each file with one call."""
    for path in files:
        zlib.decompress(path.read_bytes(), 31)


def inflate_in_threads(files: list[Path]) -> None:
    """Decompress two files at a time; keep nothing."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: inflate([path]), files))


def verify(parameters: Path, folder: Path) -> Obi:
    """Verify an observation; no figures."""
    verified = Obi(parameters, folder)
    if verified.errors or verified.warnings or not verified.judgement.checks:
        raise SystemExit(f"the verification was not clean: {verified.errors} {verified.warnings}")
    return verified


def draw(verified: Obi) -> tuple[float, float]:
    """Make the figures of all slots and write them as PNG; return how long each takes, s."""
    figures: list[Any] = []
    made = clocked(lambda: figures.extend(verified.plot_slot(slot) for slot in verified.all_slot_data))
    return made, clocked(lambda: [figure.savefig(io.BytesIO(), format="png") for figure in figures])


def reference(verified: Obi) -> dict[str, float]:
    """Return how long one sample after the other takes, s, by stage; scaled to all samples."""
    sys.path.append(str(Path(__file__).parents[1] / "vv"))
    slow_interval = importlib.import_module("vv_slow_reference").SlowInterval
    start = time.perf_counter()
    slow = slow_interval(verified.aspect_dir, verified.aspect_intervals[0].id)
    spent = {"read (astropy)": time.perf_counter() - start, "residuals": 0.0, "magnitudes": 0.0, "statistics": 0.0}
    for slot, data in verified.all_slot_data.items():
        rows = slow.rows(slot)
        start = time.perf_counter()
        names = [name.lower() for name in rows.dtype.names]
        picked = [dict(zip(names, row, strict=True)) for row in rows[::PART].tolist()]
        found = [slow.residuals(slot, row) for row in picked]
        spent["residuals"] += (time.perf_counter() - start) * len(rows) / len(picked)
        ours = np.stack([data.dy, data.dz, data.dr], axis=-1)[::PART]
        np.testing.assert_allclose(ours, found, rtol=0, atol=1e-6)
        start = time.perf_counter()
        for values in zip(*found, strict=True):
            summary(list(values))
        spent["statistics"] += (time.perf_counter() - start) * len(rows) / len(picked)
    slot = min(verified.all_slot_data)  # each has the same number of samples
    spent["magnitudes"] = clocked(lambda: slow.magnitudes(slot)) * len(verified.all_slot_data)
    short = len(slow.time) // PART
    whole = slow.solution
    slow.solution = {name: whole[name][:short] for name in ("dy", "dz")}
    spent["drift"] = clocked(slow.sim_offsets) * len(slow.time) / short
    return spent


def summary(values: list[float]) -> tuple[float, ...]:
    """Return what a report has of a list of residuals."""
    middle = statistics.median(values)
    rms = math.sqrt(sum((value - middle) ** 2 for value in values) / len(values))
    return sum(values) / len(values), middle, rms, sum(abs(value - middle) > 0.7 for value in values) / len(values)


def measure(columns: str, folder: Path) -> None:
    """Print the table of an observation whose solution has these columns."""
    simulate_delivery(folder, seed=1, obsids=[8010], duration=50_000.0, columns=columns, every_algorithm=True)
    (parameters,) = folder.glob("obspar/08/08010_v01/*.par.gz")
    aspect = folder / "asp1/08/08010_v01"
    stem = verify(parameters, aspect).aspect_intervals[0].id  # imports, and the caches of the system
    files = [aspect / f"{stem}_{kind}.fits.gz" for kind in NEEDED]
    bare, at_once, together, whole, watches = [], [], [], [], []
    for _ in range(ROUNDS):
        bare.append(clocked(lambda: inflate(files)))
        at_once.append(clocked(lambda: inflate_at_once(files)))
        together.append(clocked(lambda: inflate_in_threads(files)))
        watch = Stopwatch(STAGES, WITHIN)
        with watch.running():
            whole.append(clocked(lambda: verify(parameters, aspect)))
        watches.append(watch.spent)
    base, total = median(bare), median(whole)
    verified = verify(parameters, aspect)
    samples = sum(len(data.time) for data in verified.all_slot_data.values())
    size, held = sum(path.stat().st_size for path in files) / 1e6, sum(map(_inflated_size, files)) / 1e6
    print(f"\n{columns} columns: {samples:,} samples, {size:.0f} MB in {len(files)} files, {held:.0f} MB inflated\n")
    print("| stage | ms | / decompressing |\n|---|---:|---:|")
    stages = {stage: median(watch[stage] for watch in watches) for stage in STAGES}
    stages["everything else: which files, consistency"] = total - sum(stages.values())
    stages |= {"**all**, without figures": total, "decompressing alone (the baseline)": base}
    stages["decompressing each file at once"] = median(at_once)
    stages["decompressing two files at a time"] = median(together)
    slow = reference(verified)
    stages |= {f"one sample after the other: {stage}": spent for stage, spent in slow.items()}
    stages["one sample after the other: **all**"] = sum(slow.values())
    draw(verified)
    drawn = [draw(verified) for _ in range(3)]
    for name, times in zip(("made", "written as PNG"), zip(*drawn, strict=True), strict=True):
        stages[f"figures of {len(verified.all_slot_data)} slots, {name}"] = median(times)
    for stage, spent in stages.items():
        print(f"| {stage} | {spent * 1e3:,.1f} | {spent / base:.2f} |", flush=True)


def _inflated_size(path: Path) -> int:
    return len(zlib.decompress(path.read_bytes(), 31))


def main() -> None:
    """Print the tables."""
    print(f"Medians of {ROUNDS} rounds, in turns; the reference once, on one sample in {PART}, scaled.")
    for columns in ("new", "old"):
        with tempfile.TemporaryDirectory(prefix="aca_vv_") as scratch:
            measure(columns, Path(scratch))


if __name__ == "__main__":
    main()
