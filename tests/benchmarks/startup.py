"""What it costs to start: each step in a fresh process, against bare Python and against what it is built on.

Run it with ``python tests/benchmarks/startup.py``. Times are the best of several, less the bare interpreter's.
"""

from __future__ import annotations

import subprocess
import sys
import time

REPEATS = 15

# (step, code, budget in ms over bare Python on an ordinary machine, or None)
STEPS = [
    ("import attrs, pluggy (what it is built on)", "import attrs, pluggy", None),
    ("import click (what the command is built on)", "import click", None),
    ("import numpy (what it does without)", "import numpy", None),
    ("import aca_core", "import aca_core", 60),
    ("from aca_core import * (every public name)", "from aca_core import *", None),
    ("Registry().load() (find and load all plugins)", "import aca_core; aca_core.Registry().load()", None),
    ("aca --help", "from aca_core.cli import run; run(['--help'])", 150),
    ("aca plugins", "from aca_core.cli import run; run(['plugins'])", None),
    ("to_secs('2012:001')", "from aca_core.dates import to_secs; to_secs('2012:001')", None),
    ("the same date with astropy.time", "from astropy.time import Time; Time('2012:001').cxcsec", None),
]


def best_of(code: str) -> float:
    """Return the least time of a fresh interpreter that runs `code`, in ms."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def main() -> None:
    """Print the table."""
    bare = best_of("pass")
    foundation = max(best_of("import attrs, pluggy") - bare, 1e-3)
    print(f"bare Python {sys.version.split()[0]}: {bare:.1f} ms, best of {REPEATS}\n")
    print("| step | ms over bare Python | ratio to `import attrs, pluggy` | budget (ms) |")
    print("|---|---:|---:|---:|")
    for name, code, budget in STEPS:
        over = best_of(code) - bare
        print(f"| {name} | {over:.1f} | {over / foundation:.2f} | {budget or ''} |")


if __name__ == "__main__":
    main()
