"""What was asked for is never forgotten, and one thing that fails ends nothing else."""

import os
import signal

import attrs
import pytest

from aca_core import ArchiveProduct, FitsColumns, ObsidRevision, RetrievalError, UpdateOptions, Version
from aca_core.archive.asking import CheckedCatalogue
from aca_core.archive.feeds import Workers
from aca_core.archive.items import LONGEST_RETRY, Item, items, mark_failed, stored, want
from aca_core.archive.repair import repair
from aca_core.testing import DeliveryShelf, write_fits
from aca_core.testing.shelf import ShelfCatalogue, ShelfRetriever

SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "content", "revision", "date"),
)


def write_files(folder, unit):
    """Write two files of an observation."""
    for number in (0, 1):
        start = 500_000_000 + 10_000 * unit.obsid + number
        header = {"TSTART": float(start), "TSTOP": start + 1000.0, "CONTENT": "SIMCOOR", "REVISION": unit.revision}
        write_fits(folder / f"simf{start}N{unit.revision:03d}_coor1.fits.gz", {**header, "DATE": "2013-01-01"})


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "shelf").mkdir()
    shelf = DeliveryShelf(SIM, tmp_path / "shelf")
    for obsid in (1, 2, 3):
        shelf.deliver(ObsidRevision(obsid, 1), write_files)
        shelf.release(obsid, 1)
    return shelf


@pytest.fixture
def archive(shelf, tmp_path):
    (tmp_path / "archive").mkdir()
    return shelf.archive(tmp_path / "archive")


def fed(archive, **changes):
    """Return the same archive with another feed."""
    return type(archive)(archive.stores, feed=attrs.evolve(archive.feed, **changes))


def lose_one(archive, obsid=1):
    """Lose a file, and have it noticed."""
    lost = (
        archive.stores[0].folder / "00" / f"{obsid:05d}_v01" / f"simf{500_000_000 + 10_000 * obsid}N001_coor1.fits.gz"
    )
    lost.unlink()
    assert repair(archive.stores[0])
    return lost


@attrs.frozen(kw_only=True)
class Closed(ShelfRetriever):
    """Has nothing to give today."""

    def fetch(self, request, folder):
        raise RetrievalError(self.name, request, "closed today")


def test_what_was_lost_is_fetched_again_although_that_failed_once(shelf, archive):
    archive.update()
    lost = lose_one(archive)
    closed = fed(archive, retriever=Closed(name="closed", folder=shelf.folder))
    assert [item.name for item in closed.run_update().failed] == ["00001/1"]
    assert archive.run_update(UpdateOptions(retry_failed=True)).failed == []
    assert lost.is_file()
    assert archive.verify(full=True) == []
    assert not stored(archive.stores[0], "00001/1").again


@pytest.mark.parametrize("options", [{"obsid": 1, "version": 1}, {"obsid": 1}, {"rebuild": True}])
def test_whoever_asks_for_a_version_gets_what_was_lost_of_it(archive, options):
    archive.update()
    lost = lose_one(archive)
    archive.run_update(UpdateOptions(**options))
    assert lost.is_file()
    assert archive.verify(full=True) == []


def test_a_run_of_the_catalogue_does_not_make_it_forgotten(archive):
    archive.update()
    lose_one(archive)
    want(archive.stores[0], [Item(name="00001/1", obsid=1, run_id=200)])
    assert stored(archive.stores[0], "00001/1").again


def test_however_often_it_failed_there_is_a_next_time(archive):
    archive.stores[0].make()
    item = Item(name="00001/1", obsid=1, attempts=100_000)
    want(archive.stores[0], [item])
    failed = mark_failed(archive.stores[0], item, "a name that is no text: \udc80")
    assert failed.next_try - failed.tried == LONGEST_RETRY
    assert items(archive.stores[0], "failed")[0].reason == r"a name that is no text: \udc80"


def test_an_archive_that_begins_with_one_observation_goes_on_from_the_first_run(archive):
    assert archive.update(obsid=2) == [2]
    assert archive.update() == [1, 3]
    assert archive.update() == []


def test_a_lost_index_is_not_taken_for_a_new_archive(archive):
    archive.update()
    archive.stores[0].index.path.unlink()
    with pytest.raises(ValueError, match="it was lost; put it back, or fetch everything with --rebuild"):
        archive.update()
    assert archive.update(rebuild=True) == [1, 2, 3]
    assert archive.verify(full=True) == []


@attrs.frozen(kw_only=True)
class Away(ShelfRetriever):
    """Is not mounted."""

    def probe(self, request, scratch):
        raise RetrievalError(self.name, request, "mount it", unavailable=True)


def test_a_source_that_is_away_is_held_against_nothing(shelf, archive):
    away = fed(archive, retriever=Away(name="away", folder=shelf.folder))
    with pytest.raises(RetrievalError, match="mount it"):
        away.run_update()
    assert {item.state for item in archive.items()} == {"wanted"}
    assert archive.update() == [1, 2, 3]


@attrs.frozen(kw_only=True)
class Deadly(ShelfRetriever):
    """Kills the process that asks for one observation."""

    def fetch(self, request, folder):
        if request.obsid == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fetch(request, folder)


def test_a_worker_that_dies_takes_no_other_observation_with_it(shelf, archive):
    deadly = fed(
        archive,
        retriever=Deadly(name="deadly", folder=shelf.folder),
        workers=Workers(kind="processes", jobs=2),
    )
    report = deadly.run_update()
    assert report.obsids == [1, 3]
    assert [item.name for item in report.failed] == ["00002/1"]
    assert "died" in report.failed[0].reason


class OddError(Exception):
    pass


@pytest.mark.parametrize("answer", [None, "text", [1], iter([1]), OddError("no")], ids=str)
def test_answers_of_a_catalogue_are_checked(shelf, answer):
    class Catalogue(ShelfCatalogue):
        def new_work(self, work, after):
            if isinstance(answer, Exception):
                raise answer
            return answer

    catalogue = CheckedCatalogue(Catalogue(name="odd", folder=shelf.folder))
    with pytest.raises(RetrievalError, match="odd could not answer new work in runs after 0"):
        catalogue.new_work(shelf.product.work, 0)


def test_an_observation_of_which_the_catalogue_knows_no_intervals_blocks_no_other(shelf, archive, monkeypatch):
    monkeypatch.setattr(ShelfCatalogue, "obis", lambda self, obsid: None if obsid == 2 else (0,))
    report = archive.run_update()
    assert report.obsids == [1, 3]
    assert [item.name for item in report.failed] == ["00002/1"]
