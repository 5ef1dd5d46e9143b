"""A site with a delivery: its configuration, and what can happen to what is delivered."""

from __future__ import annotations

import gzip
from pathlib import Path

OBSIDS = (8008, 8009, 8010)
"""Released; superseded and released; released with a newer provisional one."""

TIME = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"

CONFIG = """
root = "archive"
[retrievers.directory]
folder = "../delivered"
[catalogues.file]
path = "../delivered/catalogue"
[sets.nightly]
products = ["asp1", "obspar"]
retriever = "directory"
catalogue = "file"
"""


def damage(site: Path, obsid: int = 8008) -> bytes:
    """Cut a delivered file short; return what it was."""
    path = victim(site, obsid)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return content


def victim(site: Path, obsid: int = 8008) -> Path:
    return next((site / "delivered" / "asp1" / "08" / f"{obsid:05d}_v01").glob("*acal1*"))


def deliver_other_bytes(site: Path, obsid: int = 8008) -> None:
    """Deliver the observation parameters of an observation again under their name, and other."""
    (path,) = (site / "delivered" / "obspar" / "08" / f"{obsid:05d}_v01").glob("*.par.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"# processed again\n"))
