"""The table of archived aspect runs, ``asp1/processing_asp_l1.db3``: what is archived, and what is still to verify.

Its columns are those that older archives have, so that the tools that read it go on reading it. Of our own is only
``aca_seen``, which says up to which change a revision was looked at: the same change may come twice, and the second
time must not undo what a verification has written down in between.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from aca_core import (
    Change,
    IntegrityError,
    ObsidRevision,
    ProcessingRun,
    current_archive,
    read_table,
    read_text_file,
)
from aca_plugins.asp1 import ASP1

__all__ = ["DATABASE", "record_change", "update_obsids"]

_log = logging.getLogger("aca_core")

DATABASE: Final = "processing_asp_l1.db3"
"""The SQLite file's name, in the product's folder."""

_BUSY_SECONDS: Final = 60.0
"""How long to wait for somebody else who writes to it, which takes milliseconds."""

_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS aspect_1_proc (
      aspect_1_id int not null,
      obsid int not null,
      obi int not null,
      revision int,
      ap_date text,
      isdefault int,
      obspar_version int,
      vv_complete int not null default 0,
      CONSTRAINT pk_archfiles PRIMARY KEY (aspect_1_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS aca_seen (
      obsid int not null,
      revision int not null,
      serial int not null,
      PRIMARY KEY (obsid, revision)
    )
    """,
)

# Each statement changes only what is other: where nothing is, not a byte of the file changes.
_INSERT: Final = """
    INSERT INTO aspect_1_proc (aspect_1_id, obsid, obi, revision, ap_date, obspar_version)
    VALUES (:id, :obsid, :obi, :revision, :ap_date, :obspar_version)
    ON CONFLICT (aspect_1_id) DO UPDATE SET obspar_version = excluded.obspar_version
    WHERE excluded.obspar_version IS NOT NULL AND obspar_version IS NOT excluded.obspar_version
"""
_RELEASE: Final = """
    UPDATE aspect_1_proc SET isdefault = nullif(revision = :released, 0)
    WHERE obsid = :obsid AND isdefault IS NOT nullif(revision = :released, 0)
"""
_SEE: Final = """
    INSERT INTO aca_seen (obsid, revision, serial) VALUES (:obsid, :revision, :serial)
    ON CONFLICT (obsid, revision) DO UPDATE SET serial = excluded.serial WHERE excluded.serial > serial
"""
_RESET: Final = """
    UPDATE aspect_1_proc SET vv_complete = 0 WHERE obsid = :obsid AND revision = :revision AND vv_complete <> 0
"""

_OBSPAR: Final = re.compile(r"axaff\d{5}_\d{3}N(\d{3})_obs0a\.par", re.ASCII)
_LOG_BYTES: Final = 16 * 1024**2


class _Archived(NamedTuple):
    """A revision of an observation interval, with the folder of its files."""

    obsid: int
    obi: int
    revision: int
    folder: Path

    def __str__(self) -> str:
        return f"obsid {self.obsid} revision {self.revision}"


def record_change(change: Change) -> None:
    """Bring the table up to date after a change; seeing the same change again changes nothing.

    Parameters
    ----------
    change : Change
        Of the product asp1 in the current archive.

    Raises
    ------
    RetrievalError
        The catalogue cannot be reached.
    IntegrityError
        The table cannot be updated.
    """
    if not isinstance(change.unit, ObsidRevision):
        return
    unit = change.unit
    changed = {"obsid": unit.obsid, "revision": unit.revision, "serial": change.serial}
    _update(unit.obsid, changed if change.added or change.replaced else None)


def update_obsids(obsids: Iterable[int]) -> None:
    """Bring the table of the current archive up to date for some observations.

    Parameters
    ----------
    obsids : iterable of int
        Which observations.

    Raises
    ------
    RetrievalError
        The catalogue cannot be reached.
    IntegrityError
        The table cannot be updated.
    """
    for obsid in obsids:
        _update(obsid, None)


def _update(obsid: int, changed: Mapping[str, int] | None) -> None:
    """Write what is known of an observation; where the files of a revision changed, its verification starts again."""
    runs = [_row(archived, run) for archived in _archived(obsid) if (run := _run_of(archived)) is not None]
    path = current_archive().by_obsid(ASP1.name).roots[0] / DATABASE  # the first root is the one that is written to
    if not runs and not path.exists():
        return
    with _writing(path) as connection:
        connection.executemany(_INSERT, runs)
        # Asked for within the transaction: of two that write at once, the second one knows the newer state.
        connection.execute(_RELEASE, {"obsid": obsid, "released": _released(obsid)})
        if changed is not None and connection.execute(_SEE, changed).rowcount > 0:
            connection.execute(_RESET, changed)


# ---- what is archived -----------------------------------------------------------------------------------------------


def _rows(obsid: int, revision: Literal["all"] | None) -> list[dict[str, Any]]:
    return current_archive().by_obsid(ASP1.name).get_rows(obsid=obsid, revision=revision, content="ASPSOL")


def _released(obsid: int) -> int | None:
    return next((row["revision"] for row in _rows(obsid, None)), None)


def _archived(obsid: int) -> list[_Archived]:
    """Return the archived observation intervals, each once; the files of its aspect intervals agree.

    A file that cannot be read is said and left out: changes come in their order, so an error would keep every later one
    waiting for somebody to mend it. When it is fetched again, that is a change of its own.
    """
    found: dict[_Archived, None] = {}
    for row in _rows(obsid, "all"):
        path = Path(row["path"])
        try:
            header, _ = read_table(path)
        except IntegrityError as error:
            hint = f"{DATABASE} learns nothing from it; 'aca verify --full --repair' lets the next update fetch it"
            _log.warning("obsid %d revision %s: %s; %s", obsid, row["revision"], error, hint)
            continue
        obi, revision = header.get("OBI_NUM"), header.get("REVISION")
        if isinstance(obi, int) and isinstance(revision, int):
            found[_Archived(obsid, obi, revision, path.parent)] = None
        else:
            problem = f"its OBI_NUM is {obi!r} and its REVISION {revision!r}, so {DATABASE} has no row for it"
            _log.warning("obsid %d revision %s: %s: %s", obsid, row["revision"], path, problem)
    return list(found)


def _obspar_version(archived: _Archived) -> int | None:
    """Return the version of the observation parameters that a pipeline was run with, from the first log that says."""
    logs = sorted(archived.folder.glob("asp_l1_f*log*"))
    for log in logs:
        try:
            match = _OBSPAR.search(read_text_file(log, _LOG_BYTES, whole=False))
        except (IntegrityError, OSError) as error:
            _log.warning("%s: %s", archived, error)
            continue
        if match:
            return int(match[1])
    problem = "none of its logs names" if logs else f"there is no log in {archived.folder} that names"
    _log.warning("%s: %s its observation parameters, so %s leaves obspar_version empty", archived, problem, DATABASE)
    return None


def _run_of(archived: _Archived) -> ProcessingRun | None:
    """Return the pipeline's run, the latest of several; None where the catalogue has none, which is logged."""
    catalogue = current_archive().catalogue_of(ASP1.name)
    work = current_archive().by_obsid(ASP1.name).product.work
    if catalogue is None or work is None:
        problem = "no product set with asp1 names a catalogue"
    else:
        runs = catalogue.runs(work, archived.obsid, obi=archived.obi, revision=archived.revision)
        if (run := max(runs, key=lambda run: run.id, default=None)) is not None:
            return run
        problem = f"the catalogue {catalogue.name} lists no run of obi {archived.obi} in {work.table}"
    _log.warning("%s: %s, so %s has no row for it", archived, problem, DATABASE)
    return None


def _row(archived: _Archived, run: ProcessingRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "obsid": archived.obsid,
        "obi": archived.obi,
        "revision": archived.revision,
        "ap_date": run.ap_date,
        "obspar_version": _obspar_version(archived),
    }


# ---- the file -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a transaction that is committed when the block ends; otherwise closing takes it back."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
            # EXTRA syncs the folder too when the journal is gone: a commit must not come back to life as its undoing.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _TABLES:
                connection.execute(statement)
            yield connection
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise IntegrityError(path, f"cannot be updated: {error}") from error
