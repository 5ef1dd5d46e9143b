"""The archive that the benchmarks of telemetry ask: simulated once, kept in a cache folder, and plain readers of it.

The recipe below has a number. Who changes what is made counts it up, and the cache is made anew.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.io import fits
from platformdirs import user_cache_path
from scipy.interpolate import CubicSpline

from aca_core import load_config, open_archive
from aca_core.aca_hdr3.decoding import THERMISTOR_POINTS
from aca_core.aca_l0.columns import ACA_COLUMNS
from aca_core.archive import UpdateOptions
from aca_core.dates import to_secs
from aca_core.simulation.telemetry import simulate_telemetry

RECIPE = 2
START, DAYS = "2021:020", 20.0
"""Twelve days of a month that is over and is one piece, and eight of one that is not."""

VARIABLE = "ACA_CORE_BENCHMARKS"

CONFIG = """
root = "archive"
[retrievers.directory]
folder = "{delivered}"
[sets.telemetry]
products = ["aca0"]
retriever = "directory"
"""


def cache_folder(given: str | None = None) -> Path:
    """Return where archives are kept: as given, by the variable ACA_CORE_BENCHMARKS, or the user's cache."""
    top = given or os.environ.get(VARIABLE)
    return (Path(top) if top else user_cache_path("aca_core") / "benchmarks").absolute() / "telemetry"


def made(folder: Path) -> Path:
    """Return the folder of the archive, which is made where it is not there yet or has another recipe."""
    note = folder / "recipe.txt"
    recipe = f"{RECIPE}: {DAYS:g} days from {START}, eight slots of 8x8; synthetic\n"
    if note.is_file() and note.read_text() == recipe:
        print(f"The archive lies in {folder}, made before; --clean removes it.")
        return folder
    remove(folder)
    folder.mkdir(parents=True)
    began = time.perf_counter()
    telemetry = simulate_telemetry(folder / "delivered", start=START, days=DAYS, seed=1, modes="8x8", faults=False)
    simulated = time.perf_counter() - began
    took = ingest(folder, folder / "delivered", telemetry.start, telemetry.stop)
    shutil.rmtree(folder / "delivered")
    note.write_text(recipe)
    print(
        f"The archive lies in {folder}: simulated in {simulated:.0f} s, archived in {took:.0f} s; --clean removes it."
    )
    return folder


def remove(folder: Path) -> None:
    """Remove what an earlier run has made there."""
    if (folder / "recipe.txt").is_file() or (folder / "delivered/telemetry_truth.json").is_file():
        shutil.rmtree(folder)


def configured(folder: Path, delivered: Path, name: str = "aca.toml") -> Any:
    """Return the archive in a folder."""
    (folder / "archive").mkdir(exist_ok=True)
    (folder / name).write_text(CONFIG.format(delivered=delivered))
    return open_archive(config=load_config(folder / name, environ={}))


def ingest(folder: Path, delivered: Path, start: float, stop: float) -> float:
    """Archive a delivery as an update does, with its column store; return how long that took, s."""
    began = time.perf_counter()
    report = configured(folder, delivered)["aca0"].run_update(UpdateOptions(since=start, until=stop - 10.0))
    took = time.perf_counter() - began
    if not report.is_clean:
        raise SystemExit(f"the ingest was not clean: {report}")
    return took


def forget(folder: Path) -> None:
    """Let the system drop every file of an archive from its cache."""
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


# ---- (a) a reader that opens every file -----------------------------------------------------------------------------


def plain_files(archive: Any, start: float, stop: float, slot: int) -> list[str]:
    """Return the files of a slot; which they are is not what is measured."""
    rows = archive["aca0"].get_rows(start - 5.0, stop + 5.0, columns=(), where={"slot": [slot], "imgsize": [8]})
    return [row["path"] for row in rows]


def plain_rows(files: Iterable[str], names: Sequence[str], start: float, stop: float) -> Any:
    """Return a masked record array of some columns, as one writes it down: file after file with astropy."""
    kinds = [(name, *_kind(name)) for name in names]
    parts = []
    for path in files:
        with fits.open(path) as hdus:
            table = hdus[1].data
            part = np.ma.masked_all(len(table), dtype=kinds)
            for name in names:
                if name == "IMGSIZE":
                    part[name] = table["IMGRAW"].shape[1]
                elif name == "FILENAME":
                    part[name] = Path(path).name
                elif name in table.names:
                    values = table[name]
                    part[name] = values.reshape(len(table), -1) if name == "IMGRAW" else values
                elif name in ("PIXTLM", "BGDTYP"):
                    part[name] = ACA_COLUMNS[name].default
            parts.append(part)
    rows = np.ma.concatenate(parts)
    return rows[(rows["TIME"] >= start) & (rows["TIME"] <= stop)]


def _kind(name: str) -> tuple[Any, ...]:
    return (">f4", (64,)) if name == "IMGRAW" else (ACA_COLUMNS[name].dtype,)


def plain_item(files: Iterable[str], pair: tuple[str, str], start: float, stop: float, *, thermistor: bool) -> Any:
    """Return times and values of a quantity of two bytes: every sample through a spline, bad rows masked."""
    rows = plain_rows(files, ["TIME", "QUALITY", *pair], start, stop)
    high, low = (rows[name].astype(np.int64) for name in pair)
    words = np.where(high >= 128, 256 * high + low - 65536, 256 * high + low)
    if thermistor:
        readings, values = np.array(sorted(THERMISTOR_POINTS), dtype=float).T
        vals = CubicSpline(readings, values, extrapolate=False)(words)
    else:
        vals = words * 0.01
    times = np.asarray(rows["TIME"])
    is_bad = (np.abs(np.diff(times, append=stop) - 4.1) > 1e-3) | (rows["QUALITY"].filled(1) != 0)
    return times, np.ma.array(vals, mask=is_bad)


# ---- (b) the bare minimum -------------------------------------------------------------------------------------------


def write_bare(path: Path, name: str, columns: dict[str, Any]) -> None:
    """Write columns into a group of an HDF5 file: contiguous, and nothing else."""
    with h5py.File(path, "a") as file:
        if name in file:
            del file[name]
        for column, values in columns.items():
            file[f"{name}/{column}"] = values


def read_bare(path: Path, name: str) -> dict[str, Any]:
    """Read them all."""
    with h5py.File(path, "r", locking=False) as file:
        return {column: dataset[()] for column, dataset in file[name].items()}


def the_range(days: float, first: float = 0.0) -> tuple[float, float]:
    """Return a range of so many days, from so many days after the start of the archive."""
    start = float(to_secs(START)) + first * 86400.0
    return start, start + days * 86400.0


def folder_sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield how many bytes files and pieces of an archive have."""
    product = folder / "archive/aca0"
    yield "files", sum(path.stat().st_size for path in product.glob("[12]*/*/*.gz"))
    yield "column store", sum(path.stat().st_size for path in product.rglob("columns/*/*.h5"))
    yield "index", sum(path.stat().st_size for path in product.glob("*.db3"))
