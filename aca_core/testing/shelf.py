"""A shelf of deliveries for tests: a retriever and a catalogue of any product, with no delivery system behind them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final

import attrs

from aca_core.archive import DayArchive, ObsArchive, ProductArchive
from aca_core.archive.feeds import Feed
from aca_core.archive.staging import StagingRules
from aca_core.archive.store import Store
from aca_core.catalogues import Catalogue, IngestedFile, ProcessingRun, Work
from aca_core.layouts import ByObsid, Day, ObsidRevision, Unit
from aca_core.products import ArchiveProduct
from aca_core.retrievers import FileRequest, ObsidRequest, Request, Retriever, TimeRequest

__all__ = ["DeliveryShelf", "ShelfCatalogue", "ShelfRetriever"]

_STATE: Final = "shelf.json"

WriteFiles = Callable[[Path, Any], object]
"""Writes the files of one unit into a folder."""


def _state(folder: Path) -> dict[str, Any]:
    path = folder / _STATE
    state: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {"released": {}, "runs": []}
    return state


@attrs.frozen(kw_only=True)
class ShelfRetriever(Retriever):
    """Brings what lies on a shelf.

    Attributes
    ----------
    folder : Path
        The shelf's.
    """

    folder: Path

    def probe(self, request: ObsidRequest, scratch: Path) -> list[str]:
        """Return the names of the files of a version."""
        return sorted(path.name for path in self._files(request))

    def fetch(self, request: Request, folder: Path) -> list[str]:
        """Copy the files of a request."""
        return sorted(Path(shutil.copy2(path, folder)).name for path in self._files(request))

    def _files(self, request: Request) -> Iterator[Path]:
        for place in self.folder.glob("*/*"):
            if place.is_dir() and self._is_asked_for(request, place):
                names = (request.filename, f"{request.filename}.gz") if isinstance(request, FileRequest) else None
                yield from (path for path in place.iterdir() if names is None or path.name in names)

    def _is_asked_for(self, request: Request, place: Path) -> bool:
        unit = request.product.layout.unit_in(PurePosixPath(place.relative_to(self.folder)))
        if isinstance(request, FileRequest):
            return isinstance(unit, Day)
        if isinstance(request, TimeRequest):
            return isinstance(unit, Day) and _overlaps(unit, request)
        if not isinstance(unit, ObsidRevision) or unit.obsid != request.obsid:
            return False
        released = _state(self.folder)["released"].get(str(request.obsid))
        if request.version == "default":
            return bool(unit.revision == released)
        if request.version == "last":
            layout, folders = request.product.layout, place.parent.iterdir()
            units = [layout.unit_in(PurePosixPath(each.relative_to(self.folder))) for each in folders]
            mine = [each.revision for each in units if isinstance(each, ObsidRevision) and each.obsid == unit.obsid]
            return unit.revision == max(mine)
        return unit.revision == request.version


def _overlaps(day: Day, request: TimeRequest) -> bool:
    from aca_core.dates import day_end, to_secs

    start = to_secs(f"{day}:00:00:00.000")
    return start < request.stop and day_end(start) > request.start


@attrs.frozen(kw_only=True)
class ShelfCatalogue(Catalogue):
    """Lists what was put on a shelf.

    Attributes
    ----------
    folder : Path
        The shelf's.
    """

    folder: Path

    def new_work(self, work: Work, after: int) -> list[ProcessingRun]:
        """Return the runs with a greater id."""
        return [run for run in self._runs() if run.id > after]

    def runs(
        self, work: Work, obsid: int, *, obi: int | None = None, revision: int | None = None
    ) -> list[ProcessingRun]:
        """Return the runs of an obsid."""
        mine = [run for run in self._runs() if run.obsid == obsid and revision in (None, run.revision)]
        return [run for run in mine if obi in (None, run.obi)]

    def obis(self, obsid: int) -> tuple[int, ...]:
        """Return the one observation interval of an obsid that is there."""
        return (0,) if any(run.obsid == obsid for run in self._runs()) else ()

    def ingested_files(self, product: str, after: float) -> list[IngestedFile]:
        """Return nothing: what is asked for by time is all there is."""
        return []

    def _runs(self) -> list[ProcessingRun]:
        state = _state(self.folder)
        runs = [ProcessingRun(**each) for each in state["runs"]]
        released = {int(obsid): version for obsid, version in state["released"].items()}
        return [
            attrs.evolve(run, quality="D" if (released.get(run.obsid) or -1) >= run.revision else "P") for run in runs
        ]


class DeliveryShelf:
    r"""Deliveries of one product, put there by a test, with an archive that takes them in.

    Parameters
    ----------
    product : ArchiveProduct
        Any product, by obsid or by day.
    folder : Path
        An empty folder for the deliveries.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core import ArchiveProduct, FitsColumns, ObsidRevision, Version
    >>> from aca_core.testing import write_fits
    >>> sim = ArchiveProduct(name="sim1", version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    ...                      columns=FitsColumns("tstart", "tstop", "content", "revision", "date"))
    >>> def write_files(folder, unit):
    ...     header = {"TSTART": 5e8, "TSTOP": 5.1e8, "CONTENT": "SIMCOOR", "REVISION": unit.revision, "DATE": "2013"}
    ...     write_fits(folder / f"simf500000000N{unit.revision:03d}_coor1.fits.gz", header)
    >>> shelf = DeliveryShelf(sim, Path(tempfile.mkdtemp()))
    >>> shelf.deliver(ObsidRevision(7000, 1), write_files)
    >>> shelf.release(7000, 1)
    >>> archive = shelf.archive(Path(tempfile.mkdtemp()))
    >>> archive.update()
    [7000]
    """

    def __init__(self, product: ArchiveProduct, folder: Path) -> None:
        work = product.work or Work(table="runs", id="run_id")
        self.product = attrs.evolve(product, work=attrs.evolve(work, reviewed_as_science=False))
        self.folder = folder

    def deliver(self, unit: Unit, write_files: WriteFiles) -> None:
        """Put a unit on the shelf, in place of an earlier delivery of it.

        Parameters
        ----------
        unit : ObsidRevision or Day
            Which unit.
        write_files : callable
            Called with a folder and the unit, to write the files.
        """
        place = self.folder / self.product.layout.directory(unit)
        again = place.exists()
        if again:
            shutil.rmtree(place)
        place.mkdir(parents=True)
        write_files(place, unit)
        if isinstance(unit, ObsidRevision) and not again:
            state = _state(self.folder)
            state["runs"].append(
                {"id": 100 + len(state["runs"]), "obsid": unit.obsid, "obi": 0, "revision": unit.revision}
            )
            self._write(state)

    def files(self, unit: Unit) -> dict[str, bytes]:
        """Return what lies on the shelf of a unit, by name."""
        place = self.folder / self.product.layout.directory(unit)
        return {path.name: path.read_bytes() for path in sorted(place.iterdir())}

    def release(self, obsid: int, version: int | None) -> None:
        """Release a version of an obsid; None withdraws what was released."""
        state = _state(self.folder)
        state["released"][str(obsid)] = version
        self._write(state)

    def archive(self, root: Path, **rules: Any) -> ProductArchive:
        """Return an archive below a root that this shelf feeds.

        Parameters
        ----------
        root : Path
            The archive's root.
        **rules
            Fields of `aca_core.archive.staging.StagingRules`.

        Returns
        -------
        ObsArchive or DayArchive
            It pickles.
        """
        store = Store(self.product, root / self.product.name, root)
        feed = Feed(
            retriever=ShelfRetriever(name="shelf", label="a test's shelf", folder=self.folder),
            catalogue=ShelfCatalogue(name="shelf", label="a test's shelf", folder=self.folder),
            rules=StagingRules(**rules),
        )
        kind = ObsArchive if isinstance(self.product.layout, ByObsid) else DayArchive
        return kind([store], feed=feed)

    def _write(self, state: dict[str, Any]) -> None:
        (self.folder / _STATE).write_text(json.dumps(state), encoding="utf-8")
