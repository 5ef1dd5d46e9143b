"""Which files belong to the aspect intervals of an observation, in the archive's layout or in that of the pipeline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aca_core.errors import MissingDataError

__all__ = ["combined_name", "file_of_interval", "interval_id", "solution_files"]

_SOLUTION: Final = re.compile(r"pcad.*asol.*\.fits(\.gz)?")
_COMBINED: Final = re.compile(r"pcad[a-z]\d{5}_\d{3}N\d{3}_asol")


def interval_id(solution: Path) -> str:
    """Return the id of an aspect interval.

    Parameters
    ----------
    solution : Path
        The file of its aspect solution.

    Returns
    -------
    str
        The name up to the first underscore.

    Examples
    --------
    >>> interval_id(Path("pcadf059904356N004_asol1.fits.gz"))
    'pcadf059904356N004'
    """
    return solution.name.partition("_")[0]


def combined_name(solution: Path) -> bool:
    """Say whether a file is named as the combined solution of an observation is.

    Parameters
    ----------
    solution : Path
        Its content is what counts; but of a file with such a name the header is looked at first.

    Returns
    -------
    bool

    Examples
    --------
    >>> combined_name(Path("pcadf08008_000N001_asol1.fits.gz")), combined_name(Path("pcadf059904356N004_asol1.fits"))
    (True, False)
    """
    return _COMBINED.match(solution.name) is not None


def solution_files(folder: str | Path) -> tuple[Path, ...]:
    """Return the aspect solutions in a folder.

    Parameters
    ----------
    folder : path-like
        A folder of one version of an observation's aspect products, or one of a pipeline, which has
        ``ASP_L1_*/out*/`` with the products; of several ``out*`` the greatest counts.

    Returns
    -------
    tuple of Path
        By name, one for each aspect interval; combined solutions are among them.

    Raises
    ------
    MissingDataError
        There is no such folder, or no solution in it.
    """
    top = Path(folder)
    if not top.is_dir():
        raise MissingDataError(f"{top} is no folder; expected one with aspect products (asp1)")
    found = _solutions_in(top)
    if not found:
        found = [path for output in _pipeline_outputs(top) for path in _solutions_in(output)]
    if not found:
        raise MissingDataError(f"{top} has no aspect solution, no file of the name pcad*asol*.fits or .fits.gz")
    # Where a file is there plain and compressed, the plain one comes first.
    by_id: dict[str, Path] = {}
    for path in sorted(found, key=lambda path: path.name):
        by_id.setdefault(path.name.removesuffix(".gz"), path)
    return tuple(by_id.values())


def file_of_interval(solution: Path, kind: str) -> Path | None:
    """Return another file of an aspect interval.

    Parameters
    ----------
    solution : Path
        Its aspect solution.
    kind : str
        ``acal1``, ``acen1``, ``aqual1``, ``gspr1`` or ``fidpr1``.

    Returns
    -------
    Path or None
        The file beside the solution, None where there is none.
    """
    stem = f"{interval_id(solution)}_{kind}.fits"
    return next((path for name in (stem, f"{stem}.gz") if (path := solution.with_name(name)).is_file()), None)


def _solutions_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _SOLUTION.fullmatch(path.name)]


def _pipeline_outputs(top: Path) -> list[Path]:
    """Return the last output of each run of the pipeline."""
    outputs = (sorted(run.glob("out*"), key=_number) for run in sorted(top.glob("ASP_L1_*")))
    return [found[-1] for found in outputs if found]


def _number(output: Path) -> tuple[int, str]:
    """Return what orders outputs: ``out10`` comes after ``out9``."""
    digits = re.search(r"\d+", output.name)
    return (int(digits[0]) if digits else -1), output.name
