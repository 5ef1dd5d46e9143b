"""The folder of a delivery: made or emptied, and changed so that nothing in it is ever missing or half there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from aca_core.errors import IntegrityError
from aca_core.simulation.observation import SYNTHETIC
from aca_core.simulation.truth import TRUTH_FILE, read_truth

__all__ = ["README", "README_TEXT", "make_room", "replace_link", "replace_text"]

README: Final = "README.txt"

README_TEXT: Final = f"""\
{SYNTHETIC}

This folder was written by aca_core.simulation ('aca simulate'). Nothing in it was measured: the observations, stars,
residuals and dates are drawn from a seed, and {TRUTH_FILE} says what was injected. Every FITS header has SYNTHET = T
and a COMMENT that says so, every observation parameter file the parameter "synthetic". The CSV files beside a
{README} are synthetic too.
"""
"""What stands at the top of a delivery, and beside files that cannot say it themselves."""


def make_room(folder: Path, *, force: bool) -> None:
    """Make the folder of a delivery, or empty it of an earlier simulation.

    Parameters
    ----------
    folder : Path
        The folder.
    force : bool
        Whether an earlier simulation may go.

    Raises
    ------
    IntegrityError
        The folder is not empty, or has something that no simulation wrote; nothing was removed then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return
    if not (folder / TRUTH_FILE).is_file():
        raise IntegrityError(folder, "is not empty and has no simulation that was finished; name a new folder")
    if not force:
        raise IntegrityError(folder, "holds an earlier simulation; name a new folder, or replace it by force")
    ours = {TRUTH_FILE, *read_truth(folder).files}
    there = [(Path(place), names, links) for place, links, names in os.walk(folder, topdown=False)]
    paths = [place / name for place, names, links in there for name in (*names, *links)]
    found = [path for path in paths if path.is_symlink() or not path.is_dir()]
    if strangers := sorted(str(path) for path in found if str(path.relative_to(folder)) not in ours):
        raise IntegrityError(strangers[0], "was not written by the simulation, so its folder is not replaced; move it")
    for path in found:
        path.unlink()
    for place, _, _ in there:
        if place != folder:
            place.rmdir()


def replace_link(path: Path, target: str) -> None:
    """Make a symbolic link, or lead it elsewhere, without a moment in which it is not there.

    Parameters
    ----------
    path : Path
        The link.
    target : str
        Where it leads.
    """
    if path.is_symlink() and str(path.readlink()) == target:
        return
    part = path.with_name(f".{path.name}")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    part.rename(path)


def replace_text(path: Path, text: str) -> None:
    """Write a text file, or replace it, so that it is always whole.

    Parameters
    ----------
    path : Path
        The file.
    text : str
        Its content.
    """
    part = path.with_name(f".{path.name}")
    part.write_text(text, encoding="utf-8")
    part.rename(path)
