"""Of what a new piece of a column store is made: rows that other pieces have, and rows of files."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from aca_core.archive._disk import sha256_of
from aca_core.archive.column_store.pieces import Piece, Run, Source
from aca_core.archive.column_store.places import ArchivedFile, day_piece, declared, group_of, month_of, month_piece
from aca_core.archive.column_store.tables import read_file
from aca_core.archive.column_store.writing import Part
from aca_core.archive.store import Store
from aca_core.errors import IntegrityError
from aca_core.layouts import Day

__all__ = ["Known", "has", "known_of", "merged", "of_file", "run_part", "runs_in"]

_log = logging.getLogger("aca_core")

Known: TypeAlias = dict[str, tuple[Piece, Run]]
"""By the name of a file the piece that has its rows, and where."""


def runs_in(path: Path, opened: contextlib.ExitStack) -> Known:
    """Return by the name of the file what a piece has; nothing where it is damaged or not there."""
    try:
        piece = opened.enter_context(Piece(path))
        return {run.source.filename: (piece, run) for group in piece.groups() for run in piece.runs(group)}
    except FileNotFoundError:
        return {}
    except IntegrityError as error:
        _log.warning("%s", error)
        return {}


def known_of(store: Store, day: Day, opened: contextlib.ExitStack) -> Known:
    """Return by the name of the file what the pieces of a day and of its month have."""
    paths = (month_piece(store, month_of(day)), day_piece(store, day))
    return {name: found for path in paths for name, found in runs_in(path, opened).items()}


def has(known: Known, file: ArchivedFile) -> bool:
    """Say whether a piece has the rows of that very file."""
    found = known.get(file.name)
    return found is not None and file.is_same(file.name, found[1].source.size, found[1].source.sha256)


def run_part(piece: Piece, run: Run, sources: list[Source]) -> Part:
    """Return the rows of files that follow each other in a piece, from that of a run on; they are read when written."""
    rows = sum(source.rows for source in sources)

    def read(column: str) -> Any:
        found = piece.read(run.place, column, run.first, rows)
        if found is None:
            raise IntegrityError(piece.path, f"has no column {column} in {run.place}")
        return found

    return Part(run.place.rpartition("/")[0], piece.schema(run.place), tuple(sources), read)


def merged(found: Iterable[tuple[Piece, Run]]) -> list[Part]:
    """Return rows in the order of their files, those that follow each other in a piece together."""
    stretches: list[tuple[Piece, Run, list[Source]]] = []
    last: dict[str, tuple[Piece, Run, list[Source]]] = {}
    for piece, run in found:
        before = last.get(run.place)
        if before is not None and before[0] is piece:
            first, sources = before[1].first, before[2]
            if run.first == first + sum(source.rows for source in sources):
                sources.append(run.source)
                continue
        stretches.append((piece, run, [run.source]))
        last[run.place] = stretches[-1]
    return [run_part(*each) for each in stretches]


def of_file(store: Store, file: ArchivedFile) -> Part:
    """Return the rows of a file; it is read at once."""
    import numpy as np

    time = declared(store).time
    before = _state(file.path)
    sha256 = sha256_of(file.path)
    if file.sha256 is not None and sha256 != file.sha256:
        raise IntegrityError(file.path, "has other bytes than were archived")
    header, values = read_file(file.path, time)
    if _state(file.path) != before:
        raise IntegrityError(file.path, "was replaced while it was read")
    times = values[time]
    finite = times[np.isfinite(times)]
    source = Source(
        filename=file.name,
        day=store.name_of(file.day),
        revision=-1 if file.row["revision"] is None else file.row["revision"],
        size=before[0],
        sha256=sha256,
        rows=len(times),
        tmin=float(finite.min()) if len(finite) else float("nan"),
        tmax=float(finite.max()) if len(finite) else float("nan"),
        synthetic=header.get("SYNTHET") is True,
        is_ordered=len(finite) == len(times) and bool((np.diff(times) >= 0).all()),
    )
    schema = tuple((name, each.dtype.newbyteorder("<").str, each.shape[1:]) for name, each in sorted(values.items()))
    return Part(group_of(store, file.row), schema, (source,), values.__getitem__)


def _state(path: Path) -> tuple[int, ...]:
    """Return the size of a file, and what is other when it was replaced."""
    status = path.stat()
    return status.st_size, status.st_dev, status.st_ino, status.st_mtime_ns
