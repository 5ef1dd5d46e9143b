"""How fast telemetry is answered: from the column store, against a reader of every file and against one bare read.

Run it with ``python tests/benchmarks/telemetry.py [--cache FOLDER] [--clean]``. The archive of 20 days is simulated and
archived for the first run, which takes a minute, and kept in a cache folder: the user's, or that of the variable
ACA_CORE_BENCHMARKS. The reader opens each gzipped file with astropy, as the tool in use today does; the bare read is
h5py's of the same bytes out of a file with nothing else in it. Each row is measured in turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import attrs
import numpy as np
from astropy.table import Table
from telemetry_archive import (
    DAYS,
    cache_folder,
    configured,
    folder_sizes,
    forget,
    made,
    plain_files,
    plain_item,
    plain_rows,
    read_bare,
    remove,
    the_range,
    write_bare,
)

from aca_core import using
from aca_core.aca_hdr3 import MSID, MSIDset
from aca_core.aca_hdr3.decoding import thermistor_table
from aca_core.aca_l0 import get_slot_data
from aca_core.aca_l0.columns import ACA_COLUMNS
from aca_core.aca_l0.one_slot import slot_columns

ROUNDS, COLD_ROUNDS = 15, 3
SLOT = 6
ALL = list(ACA_COLUMNS)
STORED = [name for name in ALL if name not in ("IMGSIZE", "FILENAME", "PIXTLM", "BGDTYP")]


@attrs.frozen(eq=False)
class Question:
    """What is asked, of whom, and of how many days.

    Attributes
    ----------
    days : float
        How long the range is.
    ours : callable
        Asks the library, for a range.
    plain : callable
        Asks the files: the archive, and a range.
    needs : mapping of int to list of str
        By slot the columns whose bytes are read.
    """

    days: float
    ours: Callable[[float, float], Any]
    plain: Callable[[Any, float, float], Any]
    needs: Mapping[int, list[str]]


def _item(slot: int, pair: tuple[str, str], thermistor: bool = False) -> Callable[[Any, float, float], Any]:
    def plain(archive: Any, start: float, stop: float) -> Any:
        return plain_item(plain_files(archive, start, stop, slot), pair, start, stop, thermistor=thermistor)

    return plain


def _rows(names: list[str]) -> Callable[[Any, float, float], Any]:
    return lambda archive, start, stop: plain_rows(plain_files(archive, start, stop, SLOT), names, start, stop)


def _three(archive: Any, start: float, stop: float) -> Any:
    return [
        _item(6, ("HD3TLM76", "HD3TLM77"))(archive, start, stop),
        _item(0, ("HD3TLM74", "HD3TLM75"), thermistor=True)(archive, start, stop),
        _item(7, ("HD3TLM64", "HD3TLM65"))(archive, start, stop),
    ]


def _bytes(*names: str) -> list[str]:
    return ["TIME", "QUALITY", *names]


NO_NAMES = [name for name in ALL if name != "FILENAME"]
TWO = ["TIME", "IMGROW0"]
QUESTIONS = {
    "ccd_temp, 19 days": Question(
        19, lambda a, b: MSID("ccd_temp", a, b), _item(6, ("HD3TLM76", "HD3TLM77")), {6: _bytes("HD3TLM76", "HD3TLM77")}
    ),
    "a thermistor, 19 days": Question(
        19,
        lambda a, b: MSID("ccd_det_therm", a, b),
        _item(0, ("HD3TLM74", "HD3TLM75"), thermistor=True),
        {0: _bytes("HD3TLM74", "HD3TLM75")},
    ),
    "three items of three slots, 19 days": Question(
        19,
        lambda a, b: MSIDset(["ccd_temp", "ccd_det_therm", "ccd_setpoint"], a, b),
        _three,
        {
            6: _bytes("HD3TLM76", "HD3TLM77"),
            0: _bytes("HD3TLM74", "HD3TLM75"),
            7: _bytes("HD3TLM64", "HD3TLM65"),
        },
    ),
    "all columns, one day: arrays": Question(1, lambda a, b: slot_columns(a, b, SLOT), _rows(ALL), {SLOT: STORED}),
    "all columns, one day: Table": Question(
        1, lambda a, b: get_slot_data(a, b, SLOT, as_table=True), _rows(ALL), {SLOT: STORED}
    ),
    "all columns, one day: record array": Question(
        1, lambda a, b: get_slot_data(a, b, SLOT), _rows(ALL), {SLOT: STORED}
    ),
    "the same without FILENAME": Question(
        1, lambda a, b: get_slot_data(a, b, SLOT, columns=NO_NAMES), _rows(NO_NAMES), {SLOT: STORED}
    ),
    "two columns, one day: Table": Question(
        1, lambda a, b: get_slot_data(a, b, SLOT, columns=TWO, as_table=True), _rows(TWO), {SLOT: TWO}
    ),
}


# ---- in turns, warm -------------------------------------------------------------------------------------------------


def took(function: Callable[[], object]) -> float:
    """Return how long a call takes, s."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def bare_path(folder: Path) -> Path:
    """Return where the bytes of the bare reads are."""
    return folder / "bare.h5"


def write_all_bare(archive: Any, folder: Path) -> None:
    """Write the bytes that each question needs."""
    bare_path(folder).unlink(missing_ok=True)
    with using(archive):
        for name, question in QUESTIONS.items():
            start, stop = the_range(question.days, 0.5)
            columns = {
                f"{slot}_{column}": values
                for slot, needed in question.needs.items()
                for column, values in slot_columns(start, stop, slot, columns=needed).values.items()
            }
            write_bare(bare_path(folder), name.replace("/", " "), columns)


def check_same(archive: Any) -> None:
    """Make sure that what is compared is the same."""
    start, stop = the_range(1, 0.5)
    with using(archive):
        mine = MSID("ccd_det_therm", start, stop)
        times, vals = QUESTIONS["a thermistor, 19 days"].plain(archive, start, stop)
        np.testing.assert_array_equal(mine.times, times)
        np.testing.assert_allclose(mine.vals[:-1], vals[:-1], rtol=1e-12)
        rows = get_slot_data(start, stop, SLOT)
        np.testing.assert_array_equal(rows["IMGRAW"].data, _rows(ALL)(archive, start, stop)["IMGRAW"].data)


def measure_warm(archive: Any, folder: Path) -> None:
    """Print what each question takes while the system has every file in its memory."""
    print("\n| question | rows | files (ms) | bare (ms) | ours (ms) | files / ours | ours / bare |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with using(archive):
        thermistor_table()
        for name, question in QUESTIONS.items():
            span = the_range(question.days, 0.5)
            rows = len(slot_columns(*span, next(iter(question.needs)), columns=["TIME"]))
            files = [took(lambda q=question, s=span: q.plain(archive, *s)) for _ in range(1 + 2 * (question.days < 2))]
            ours, bare = [], []
            for _ in range(ROUNDS):
                bare.append(took(lambda n=name: read_bare(bare_path(folder), n)))
                ours.append(took(lambda q=question, s=span: q.ours(*s)))
            a, b, c = median(files), median(bare), median(ours)
            print(
                f"| {name} | {rows:,} | {a * 1e3:,.0f} | {b * 1e3:.2f} | {c * 1e3:.2f} | {a / c:,.0f} | {c / b:.1f} |",
                flush=True,
            )


# ---- in fresh processes: cold, and memory ---------------------------------------------------------------------------


def one(folder: Path, name: str, who: str, *, cold: bool) -> dict[str, float]:
    """Ask one question once, in this process; return its time and what it added to the peak of memory."""
    archive = configured(folder, folder / "delivered")
    question = QUESTIONS[name]
    span = the_range(question.days, 0.5)
    thermistor_table()
    Table({"TIME": [0.0]})
    asked: dict[str, Callable[[], Any]] = {
        "ours": lambda: question.ours(*span),
        "files": lambda: question.plain(archive, *span),
        "bare": lambda: read_bare(bare_path(folder), name),
    }
    with using(archive):
        # A minute of another slot and day: what is imported and opened once is not part of a question.
        get_slot_data(*the_range(60 / 86400, 19.9), slot=3, as_table=True)
        plain_rows(plain_files(archive, *the_range(60 / 86400, 19.9), 3), TWO, *the_range(60 / 86400, 19.9))
        if cold:
            forget(folder)
        Path("/proc/self/clear_refs").write_text("5")  # the peak from here on; proc(5)
        before = memory()
        start = time.perf_counter()
        kept = asked[who]()
        spent = time.perf_counter() - start
    return {"s": spent, "MB": memory() - before, "kept": float(kept is not None)}


def memory() -> float:
    """Return the peak of this process's memory, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def in_process(folder: Path, name: str, who: str, *, cold: bool) -> tuple[float, float]:
    """Return the median time, s, and the memory, MB, of fresh processes."""
    command = [sys.executable, __file__, "--cache", str(folder.parent), "--one", name, "--who", who]
    found = []
    for _ in range(COLD_ROUNDS):
        done = subprocess.run([*command, *(["--cold"] if cold else [])], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return median(each["s"] for each in found), median(each["MB"] for each in found)


def measure_fresh(folder: Path) -> None:
    """Print what the first question of a process takes, from memory and from the disk, and the memory it needs."""
    heads = [f"{who}, {state} (ms)" for state in ("warm", "cold") for who in ("files", "bare", "ours")]
    heads += [f"{who}, memory (MB)" for who in ("files", "bare", "ours")]
    print(f"\n| first question of a process | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}")
    for name in QUESTIONS:
        cells, memory = [], []
        for cold in (False, True):
            for who in ("files", "bare", "ours"):
                spent, peak = in_process(folder, name, who, cold=cold)
                cells.append(f"{spent * 1e3:,.1f}")
                memory += [] if cold else [f"{peak:,.0f}"]
        print(f"| {name} | {' | '.join([*cells, *memory])} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", help="where the archive is kept")
    parser.add_argument("--clean", action="store_true", help="remove it, and do nothing else")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--who", help=argparse.SUPPRESS)
    parser.add_argument("--cold", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = cache_folder(options.cache)
    if options.clean:
        remove(folder)
        return
    if options.one:
        print(json.dumps(one(folder, options.one, options.who, cold=options.cold)))
        return
    made(folder)
    archive = configured(folder, folder / "delivered")
    print("\n| bytes | MB a day |\n|---|---:|")
    for name, size in folder_sizes(folder):
        print(f"| {name} | {size / DAYS / 1e6:.2f} |")
    write_all_bare(archive, folder)
    check_same(archive)
    measure_warm(archive, folder)
    measure_fresh(folder)
    from telemetry_years import measure_years

    with tempfile.TemporaryDirectory(prefix="aca_years_", dir=folder) as scratch:
        measure_years(folder, Path(scratch))


if __name__ == "__main__":
    main()
