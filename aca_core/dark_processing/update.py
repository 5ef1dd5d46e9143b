"""``aca dark update``: bring the processed calibrations up to date with the maps of the ground system."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from aca_core.archive._disk import STOPS
from aca_core.archive.current import current_registry
from aca_core.archive.locking import FolderLock
from aca_core.dark_processing.calibrations import CalibrationEvent, calibration_events
from aca_core.dark_processing.entries import Entries, check_map
from aca_core.dark_processing.ids import get_dark_cal_id
from aca_core.dark_processing.inputs import DarkInputs, checked_inputs, dark_inputs
from aca_core.dark_processing.properties import make_properties
from aca_core.dark_processing.reports import DarkUpdate, DarkUpdateReport, State
from aca_core.dark_sources import DatedTree
from aca_core.dates import DateLike, date_to_dark_id, to_date, to_secs
from aca_core.errors import AcaError, ConfigError, ConfigProblem, DateError, DeclarationError, MissingDataError

if TYPE_CHECKING:
    from aca_core.archive.archive import Archive
    from aca_core.config import Config
    from aca_core.registry import Registry

__all__ = ["update_dark_cals"]

_log = logging.getLogger("aca_core")

_SINCE: Final = 30 * 86400.0
"""How far an update looks back, s."""

_LONGER_BY: Final = 1.0
"""How much later than its properties say a calibration may stop, s: other tools write other fractions."""

_NO_PLACE: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR)
"""What is wrong with where the entries shall go, and not with the disk; the last two: a file is there."""

Told: TypeAlias = Callable[[DarkUpdate], None]


def update_dark_cals(
    archive: Archive | None = None,
    *,
    start: DateLike = None,
    stop: DateLike = None,
    inputs: DarkInputs | None = None,
    dry_run: bool = False,
    wait: float = 60.0,
    told: Told | None = None,
) -> DarkUpdateReport:
    """Make the entries of calibrations that are missing, incomplete or older than their maps.

    A calibration is found by the intervals of full readouts, its map in the source that ``dark.processed_from``
    names, by day with one day of slop. Its entry in the source ``dark.source``, a map and its properties, is brought
    to its place as a whole. What fails is reported, and the next update tries again; the others are done.

    Parameters
    ----------
    archive : Archive, optional
        Whose configuration holds; by default that of the archive in use, or the one in force.
    start, stop : date, optional
        Which calibrations: the last 30 days by default.
    inputs : DarkInputs, optional
        Events and temperatures; by default the tables that ``[dark]`` of the configuration names.
    dry_run : bool, default False
        Say what would be done, and write nothing.
    wait : float, default 60
        How long to wait for another writer, s.
    told : callable, optional
        Called with each `DarkUpdate` as it is known.

    Returns
    -------
    DarkUpdateReport
        What became of each calibration.

    Raises
    ------
    ConfigError
        The configuration names no events, or sources that cannot be processed.
    UnknownNameError
        No plugin offers one of the sources.
    MissingDataError
        The tree of the ground system, or the table of events, is not there.
    IntegrityError
        The table of events cannot be read.
    LockedError
        Somebody else is writing, and did not end in `wait`.
    AcaError
        The tree may not be written to.
    OSError
        The machine fails, as a full disk does; what was made before stays.
    """
    registry = archive.registry if archive is not None else current_registry()
    config = registry.config
    low, high = _range(start, stop)
    inputs = _configured_inputs(config) if inputs is None else checked_inputs("update_dark_cals", inputs)
    source = _tree(registry, "processed_from", needs_properties=False)
    entries = Entries(target=_tree(registry, "source", needs_properties=True), file_mode=int(config.file_mode, 8))
    if entries.target.root.resolve() in [place.resolve() for place in source.places]:
        text = f"{entries.target.root} is also where entries are made; expected another tree"
        raise _wrong(config, "processed_from", text)
    found = _with_ids(calibration_events(low, high, inputs), source)
    work = _Work(source, entries, inputs, dry_run=dry_run)
    rows = []
    with _writing(entries, config, wait, dry_run=dry_run):
        for event, dark_id in found:
            rows.append(work.done(event, dark_id))
            if told is not None:
                told(rows[-1])
    return DarkUpdateReport(
        source=source.name,
        target=entries.target.name,
        root=entries.target.root,
        start=to_date(low),
        stop=to_date(high),
        rows=tuple(rows),
        dry_run=dry_run,
        synthetic=tuple(work.synthetic),
    )


def _range(start: DateLike, stop: DateLike) -> tuple[float, float]:
    """Return the range to be looked at, CXC seconds."""
    high = to_secs(stop)
    low = high - _SINCE if start is None else to_secs(start)
    if not isinstance(low, float) or not isinstance(high, float):
        raise DeclarationError("update_dark_cals", "start, stop", (start, stop), "one date each")
    return low, high


# ---- what is configured ---------------------------------------------------------------------------------------------


def _wrong(config: Config, key: str, text: str) -> ConfigError:
    return ConfigError([ConfigProblem(config.blamed("dark", key), f"dark.{key}", text)])


def _configured_inputs(config: Config) -> DarkInputs:
    inputs = dark_inputs(config)
    if inputs.events is None:
        text = "is not set; name a table of the intervals of full readouts, with the columns start and stop (dates)"
        raise _wrong(config, "events", text)
    return inputs


def _tree(registry: Registry, key: str, *, needs_properties: bool) -> DatedTree:
    """Return one of the two trees, which lies in folders of its own."""
    name = getattr(registry.config.dark, key)
    source = registry.dark_source(name)
    if not isinstance(source, DatedTree):
        text = f"{name!r} is a {type(source).__name__}; expected a tree of dated folders (DatedTree)"
        raise _wrong(registry.config, key, text)
    if needs_properties and source.properties_file is None:
        raise _wrong(registry.config, key, f"{name!r} keeps no properties; expected a tree with a properties_file")
    return source


# ---- one after the other --------------------------------------------------------------------------------------------


def _with_ids(
    events: tuple[CalibrationEvent, ...], source: DatedTree
) -> list[tuple[CalibrationEvent, str | MissingDataError]]:
    """Return each calibration with the id of its folder, or why it has none."""
    try:
        existing = set(source.ids())
    except MissingDataError as error:
        raise MissingDataError(f"{error}; it is the source that dark.processed_from names") from None
    # A folder of the very day is not that of the calibration of the day before, if that has none.
    exact = {dark_id for event in events if (dark_id := date_to_dark_id(event.tstart)) in existing}
    found: list[tuple[CalibrationEvent, str | MissingDataError]] = []
    for event in events:
        try:
            dark_id = str(get_dark_cal_id(event.tstart, source))
        except MissingDataError as error:
            found.append((event, error))
            continue
        if dark_id in exact and dark_id != date_to_dark_id(event.tstart):
            text = f"no map of the calibration of {event.start}: {dark_id} is that of another, which began on its day"
            found.append((event, MissingDataError(text)))
        else:
            found.append((event, dark_id))
    return found


@contextlib.contextmanager
def _writing(entries: Entries, config: Config, wait: float, *, dry_run: bool) -> Iterator[None]:
    """Keep others from writing for a block, which begins with nothing left undone."""
    if dry_run:
        yield
        return
    source, root = entries.target, entries.target.root
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(FolderLock(root, config.lock).held(wait))
        except OSError as error:
            if error.errno not in _NO_PLACE:
                raise
            place = f"{source.noun} {source.name!r}: {root} may not be written to ({error.strerror})"
            raise AcaError(f"{place}; ask for the right to, or set root of [dark_sources.{source.name}]") from error
        entries.recover()
        yield


@attrs.define
class _Work:
    """What is done with one calibration after the other."""

    source: DatedTree
    entries: Entries
    inputs: DarkInputs
    dry_run: bool
    synthetic: list[str] = attrs.field(factory=list)

    def done(self, event: CalibrationEvent, dark_id: str | MissingDataError) -> DarkUpdate:
        """Make or replace an entry where it has to be, and say what became of it."""
        dates = {"start": event.start, "stop": event.stop}
        if isinstance(dark_id, MissingDataError):
            return DarkUpdate(dark_id=date_to_dark_id(event.tstart), state="failed", reason=str(dark_id), **dates)
        try:
            state, reason = self._brought_up_to_date(event, dark_id)
        except (AcaError, OSError) as error:
            if isinstance(error, OSError) and error.errno in STOPS:
                raise
            state, reason = "failed", " ".join(str(error).split())
            _log.warning("dark calibration %s: %s", dark_id, reason)
        return DarkUpdate(dark_id=dark_id, state=state, reason=reason, **dates)

    def _brought_up_to_date(self, event: CalibrationEvent, dark_id: str) -> tuple[State, str]:
        image = self.source.directory(dark_id) / self.source.image_file
        if not image.is_file():
            raise MissingDataError(f"{self.source.noun} {self.source.name!r}: {dark_id} has no map {image} yet")
        reason = self.entries.unfit(dark_id, image) or self._grown(event, dark_id)
        if not reason:
            return "current", ""
        is_new = self.entries.place_of(dark_id) is None
        properties = make_properties(event, dark_id, self.source, self.inputs)
        mark = check_map(image) if self.dry_run else self.entries.write(dark_id, image, properties)
        if mark:
            self.synthetic.append(dark_id)
        return ("made", "") if is_new else ("updated", reason)

    def _grown(self, event: CalibrationEvent, dark_id: str) -> str:
        """Return in which way more is known of a calibration than when its entry was made; empty where it is not."""
        said = self.entries.properties_of(dark_id) or {}
        replicas, stop = said.get("replicas"), said.get("stop")
        if isinstance(replicas, list) and len(replicas) < len(event.replicas):
            return f"it has {len(event.replicas)} replicas, and its properties tell of {len(replicas)}"
        try:
            is_longer = isinstance(stop, str) and to_secs(stop) + _LONGER_BY < event.tstop
        except DateError:
            return f"its properties have the stop {stop!r}, which is no date"
        return f"it went on to {event.stop}, and its properties say {stop}" if is_longer else ""
