"""What is true of simulated telemetry, written beside it as JSON and read back; and the folder that both are in."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

import attrs

from aca_core.errors import IntegrityError, MissingDataError
from aca_core.simulation.folders import replace_text
from aca_core.simulation.observation import SYNTHETIC
from aca_core.simulation.telemetry_plan import SimulatedFile, TelemetryPlan

__all__ = [
    "INGESTED",
    "TELEMETRY_TRUTH_FILE",
    "TelemetryTruth",
    "load_telemetry_truth",
    "make_telemetry_room",
    "remove_telemetry",
    "write_catalogue",
    "write_telemetry_truth",
]

TELEMETRY_TRUTH_FILE: Final = "telemetry_truth.json"
INGESTED: Final = "ingested_files.csv"
"""The table of the catalogue ``file`` in which the files are listed."""

_FORMAT: Final = "aca_core.simulation telemetry truth 1"
_README: Final = "telemetry_README.txt"
"""Not README.txt, which a delivery in the same folder has."""

_README_TEXT: Final = f"""\
{SYNTHETIC}

This telemetry was written by aca_core.simulation. Nothing in it was measured: times, images, temperatures and faults
are drawn from a seed, and {TELEMETRY_TRUTH_FILE} of the delivery says what from. Every FITS header has SYNTHET = T
and a COMMENT that says so. The list {INGESTED} is synthetic too.
"""

_PATH: Final = re.compile(r"\w+/\d{4}/\d{3}/acaf\d{9,}N\d{3}_\d_img0\.fits\.gz")


@attrs.frozen(kw_only=True)
class TelemetryTruth:
    """What stands in the file.

    Attributes
    ----------
    plan : TelemetryPlan
        What the telemetry is made from.
    files : tuple of SimulatedFile
        What was written, in its order.
    catalogue : str
        Folder of the list of ingested files, relative to that of the simulation or absolute.
    finished : bool
        Whether all was written.
    """

    plan: TelemetryPlan
    files: tuple[SimulatedFile, ...]
    catalogue: str
    finished: bool = True


def write_telemetry_truth(folder: Path, truth: TelemetryTruth) -> None:
    """Write the truth of simulated telemetry into its folder; it appears whole.

    Parameters
    ----------
    folder : Path
        Of the simulation.
    truth : TelemetryTruth
        What is true.
    """
    content = {"format": _FORMAT, "synthetic": SYNTHETIC, **attrs.asdict(truth)}
    replace_text(folder / TELEMETRY_TRUTH_FILE, json.dumps(content, indent=1, allow_nan=False) + "\n")


def load_telemetry_truth(folder: Path, *, unfinished: bool = False) -> TelemetryTruth:
    """Read the truth of simulated telemetry.

    Parameters
    ----------
    folder : Path
        Of the simulation.
    unfinished : bool
        Whether it may be one that was interrupted.

    Returns
    -------
    TelemetryTruth
        Equal to what was written.

    Raises
    ------
    MissingDataError
        There is none.
    IntegrityError
        It cannot be understood, or the simulation was interrupted.
    """
    import cattrs

    path = folder / TELEMETRY_TRUTH_FILE
    try:
        content: Any = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise MissingDataError(f"there is no simulated telemetry in {folder}: no {TELEMETRY_TRUTH_FILE}") from None
    except ValueError as error:
        raise IntegrityError(path, f"is not valid JSON: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise IntegrityError(path, f"is not of the format {_FORMAT!r}; simulate the telemetry again")
    content.pop("synthetic", None)
    try:
        truth = cattrs.Converter(forbid_extra_keys=True).structure(content, TelemetryTruth)
    except Exception as error:  # cattrs raises groups, and whatever the converters of a field raise
        reasons = "; ".join(cattrs.transform_error(error))
        raise IntegrityError(path, f"cannot be understood: {reasons}; simulate the telemetry again") from error
    if not truth.finished and not unfinished:
        raise IntegrityError(path, "is of a simulation that was interrupted; simulate again, by force")
    return truth


def write_catalogue(folder: Path, truth: TelemetryTruth) -> None:
    """Write the list of ingested files, and what says that it is synthetic.

    Parameters
    ----------
    folder : Path
        Of the simulation.
    truth : TelemetryTruth
        With the files and where the list belongs.
    """
    from aca_core.dates import to_date

    lines = ["product,filename,ingested"]
    for file in sorted(truth.files, key=lambda each: (each.ingested, each.name)):
        lines.append(f"{file.path.partition('/')[0]},{file.name},{to_date(file.ingested)}")
    catalogue = folder / truth.catalogue
    catalogue.mkdir(parents=True, exist_ok=True)
    replace_text(catalogue / INGESTED, "\n".join(lines) + "\n")
    for place in (folder, catalogue):
        replace_text(place / _README, _README_TEXT)


# ---- the folder -----------------------------------------------------------------------------------------------------


def make_telemetry_room(folder: Path, truth: TelemetryTruth, *, force: bool) -> None:
    """Make the folder, or remove an earlier simulation of telemetry from it; whatever else is there stays.

    Parameters
    ----------
    folder : Path
        Of the simulation.
    truth : TelemetryTruth
        What will be written.
    force : bool
        Whether an earlier simulation may go.

    Raises
    ------
    IntegrityError
        Something is where files would be written; nothing was changed then.
    """
    earlier: set[Path] = set()
    if (folder / TELEMETRY_TRUTH_FILE).exists():
        if not force:
            raise IntegrityError(folder, "holds simulated telemetry; name a new folder, or replace it by force")
        earlier = set(_ours(folder))
    products = {PurePosixPath(file.path).parts[0] for file in truth.files}
    there = {path for name in sorted(products) for path in (folder / name).rglob("*") if not path.is_dir()}
    there |= {path for path in (folder / _README, folder / truth.catalogue / INGESTED) if path.exists()}
    if strangers := sorted(there - earlier):
        problem = "is there, and no simulation of telemetry wrote it; name another folder"
        raise IntegrityError(strangers[0], problem)
    _check_places(folder, products)
    if earlier:
        remove_telemetry(folder)
    folder.mkdir(parents=True, exist_ok=True)


def remove_telemetry(folder: str | Path) -> None:
    """Remove simulated telemetry from a folder, and nothing else.

    Parameters
    ----------
    folder : path-like
        What `simulate_telemetry` was given.

    Raises
    ------
    MissingDataError
        There is none.
    IntegrityError
        Its truth cannot be understood.
    """
    top = Path(folder)
    ours = _ours(top)
    places = {place for path in ours for place in path.parents if place != top and place.is_relative_to(top)}
    _check_places(top, {path.relative_to(top).parts[0] for path in ours if _PATH.fullmatch(_relative(path, top))})
    for path in ours:
        path.unlink(missing_ok=True)
    for place in sorted(places, key=lambda each: len(each.parts), reverse=True):
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()


def _ours(folder: Path) -> list[Path]:
    """Return what a simulation of telemetry has written into its folder; its truth last, since it says the rest."""
    truth = load_telemetry_truth(folder, unfinished=True)
    for file in truth.files:
        if not _PATH.fullmatch(file.path):
            problem = f"lists {file.path}, which is no file of simulated telemetry; nothing was removed"
            raise IntegrityError(folder / TELEMETRY_TRUTH_FILE, problem)
    catalogue = folder / truth.catalogue
    ours = [*(folder / file.path for file in truth.files), catalogue / INGESTED, catalogue / _README]
    return [*ours, folder / _README, folder / TELEMETRY_TRUTH_FILE]


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else ""


def _check_places(folder: Path, products: set[str]) -> None:
    """Refuse links out of the folder."""
    top = folder.resolve()
    for product in products:
        for place in [folder / product, *(folder / product).rglob("*")]:
            if place.is_symlink():
                raise IntegrityError(place, "is a link; it may lead out of the folder, so name another folder")
            if not place.resolve().is_relative_to(top):
                raise IntegrityError(place, "leads elsewhere, not below its folder; name another folder")
