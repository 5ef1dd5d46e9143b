"""The processing catalogue of a delivery as CSV files, one for each table of the ground system."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from aca_core.catalogues import ProcessingRun
from aca_core.simulation.observation import Observation
from aca_core.simulation.truth import Truth

__all__ = ["catalogue_files"]

_RUN_COLUMNS: Final = ("obsid", "obi", "revision", "ap_date", "quality")
_GUIDE, _FID, _MONITOR = 1, 2, 3
"""How the planned star catalogue writes what a slot is meant for; 0 is nothing."""

_SCIENCE_1: Final = 50_000
_SCIENCE_2: Final = 70_000
"""How far the ids of science products are from those of the aspect runs they were made from."""


def catalogue_files(truth: Truth) -> Mapping[str, str]:
    """Return the tables of a catalogue.

    A revision up to the released one was judged (quality ``D``), the others are pending (``P``); the science products
    that were made from it have the same quality.

    Parameters
    ----------
    truth : Truth
        What was delivered and released.

    Returns
    -------
    mapping of str to str
        By file name, the text.
    """
    runs = [each.run for each in truth.delivered]
    science_2: dict[tuple[int, int], tuple[int, str]] = {}  # one for all intervals of a revision
    for run in runs:
        science_2.setdefault((run.obsid, run.revision), (run.id + _SCIENCE_2, run.quality))
    return {
        "aspect_1.csv": _text(("aspect_1_id", *_RUN_COLUMNS), _rows(runs)),
        "obidet_0_5.csv": _text(("obidet_0_5_id", *_RUN_COLUMNS), _rows(truth.obspar_runs)),
        "science_1.csv": _text(("science_1_id", "aspect_1_id"), ((run.id + _SCIENCE_1, run.id) for run in runs)),
        "science_2_obi.csv": _text(
            ("science_2_id", "science_1_id"),
            ((science_2[run.obsid, run.revision][0], run.id + _SCIENCE_1) for run in runs),
        ),
        "science_2.csv": _text(("science_2_id", "quality"), science_2.values()),
        "target.csv": _text(("obsid", "status"), ((obsid, "observed") for obsid in truth.obsids)),
        "stars.csv": _text(("obsid", "obi", "slot", "type", "id", "y_ang", "z_ang"), _planned(truth)),
    }


def _rows(runs: Iterable[ProcessingRun]) -> Iterator[tuple[object, ...]]:
    for run in runs:
        yield run.id, run.obsid, run.obi, run.revision, run.ap_date, run.quality


def _planned(truth: Truth) -> Iterator[tuple[object, ...]]:
    """Yield the planned star catalogue of each observation interval once."""
    first: dict[tuple[int, int], Observation] = {}
    for each in truth.delivered:
        first.setdefault((each.run.obsid, each.run.obi), each.observation)
    for (obsid, obi), observation in sorted(first.items()):
        for fid in observation.fids:
            y, z = fid.planned
            yield obsid, obi, fid.slot, _FID, fid.id_num, y, z
        for star in observation.stars:
            kind = _MONITOR if star.type == "MONITOR" else _GUIDE
            yield obsid, obi, star.slot, kind, star.agasc_id, star.yag, star.zag


def _text(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()
