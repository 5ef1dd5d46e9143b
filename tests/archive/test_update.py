"""What an update fetches, and what becomes of it: each story first with small made-up deliveries, then whole ones."""

from __future__ import annotations

import gzip
import logging
import os
import pickle
import shutil
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path

import attrs
import pytest
from aca_plugins import asp1, obspar

from aca_core import (
    AcaError,
    ArchiveProduct,
    Catalogue,
    Column,
    Config,
    ConfigError,
    DeclarationError,
    IntegrityError,
    LockedError,
    ObsidRevision,
    ParameterColumns,
    ProcessingRun,
    ProductSet,
    ProductVersionError,
    Registry,
    RetrievalError,
    Retriever,
    Version,
    Work,
    current_archive,
    hookimpl,
    open_archive,
    using,
)
from aca_core.archive import Archive, ObsArchive, UpdateOptions
from aca_core.archive.events import changes_of, undelivered
from aca_core.archive.update import planned_items
from aca_core.simulation import Plan, open_delivery, reprocess, simulate_delivery
from aca_core.testing import SYNTHETIC

HOUR = 3600.0

# ---- a product, a retriever and a catalogue that are easy to see through --------------------------------------------

COLUMNS = ParameterColumns(
    Column("tstart", "float"),
    Column("tstop", "float"),
    Column("content", "text"),
    Column("revision", "int"),
)
SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="sim?????_*", pattern=r"sim\d{5}_N(\d{3})"),
    columns=COLUMNS,
    content_types=("SIM", "EXTRA"),
    discard=("*raw*",),
    work=Work(table="runs", id="runs_id"),
)


@attrs.define
class Stock:
    """What the shelf has; whoever writes a test puts things on it and takes them away."""

    files: dict = attrs.field(factory=dict)
    released: dict = attrs.field(factory=dict)
    newest: dict = attrs.field(factory=dict)
    broken: dict = attrs.field(factory=dict)
    asked: list = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Shelf(Retriever):
    """Brings what the stock has, and breaks where it is told to."""

    stock: Stock = attrs.field(factory=Stock, eq=False)

    def probe(self, request, scratch):
        return list(self._found("probe", request))

    def fetch(self, request, folder):
        found = self._found("fetch", request)
        for name, content in found.items():
            (folder / name).write_bytes(content)
        return list(found)

    def _found(self, verb, request):
        self.stock.asked.append((verb, request.obsid, request.version, request.obi))
        for key in ((verb, request.obsid), (verb, request.obsid, request.version)):
            if key in self.stock.broken:
                raise self.stock.broken[key]
        by_word = {"default": self.stock.released, "last": self.stock.newest}
        version = by_word[request.version].get(request.obsid) if request.version in by_word else request.version
        return self.stock.files.get((request.obsid, version), {})


@attrs.define
class Listing:
    """What the catalogue says."""

    runs: list = attrs.field(factory=list)
    obis: dict = attrs.field(factory=dict)
    science: dict = attrs.field(factory=dict)
    status: dict = attrs.field(factory=dict)
    broken: dict = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Listed(Catalogue):
    """Answers from a listing."""

    listing: Listing = attrs.field(factory=Listing, eq=False)

    def new_work(self, work, after):
        return sorted(run for run in self.listing.runs if run.id > after)

    def runs(self, work, obsid, *, obi=None, revision=None):
        runs = [run for run in self.listing.runs if run.obsid == obsid]
        return [run for run in runs if obi in (None, run.obi) and revision in (None, run.revision)]

    def obis(self, obsid):
        if obsid in self.listing.broken:
            raise self.listing.broken[obsid]
        return self.listing.obis.get(obsid, (0,))

    def science_qualities(self, work, run):
        return self.listing.science.get(run.id, ())

    def target_status(self, obsid):
        return self.listing.status.get(obsid)


@attrs.frozen
class Bench:
    """An archive of one product, with the shelf and the catalogue that feed it."""

    root: Path
    product: ArchiveProduct = SIM
    stock: Stock = attrs.field(factory=Stock)
    listing: Listing = attrs.field(factory=Listing)
    settings: dict = attrs.field(factory=dict)

    @property
    def sim(self):
        return self.opened()[self.product.name]

    def opened(self, *plugins, roots=()):
        """Open the archive; what else is given subscribes to it, as an installed plugin would."""
        chosen = {"products": (self.product.name,), "retriever": "shelf", "catalogue": "listed", **self.settings}
        config = Config(root=roots or [self.root], sets={"bench": ProductSet(**chosen)})
        registry = Registry(config)
        registry.add(_Offers(self), "bench", "test")
        for number, plugin in enumerate(plugins):
            registry.add(plugin, getattr(plugin, "name", f"subscriber{number}"), "test")
        return Archive(config, registry)

    def deliver(self, obsid, revision, *, released=False, quality="P", obi=0, run=True, **files):
        """Put a version on the shelf, and its run into the catalogue; it is the newest one now."""
        name = f"sim{obsid:05d}_N{revision:03d}.par"
        self.stock.files[obsid, revision] = {name: parameters(obsid, revision), **files}
        self.stock.newest[obsid] = revision
        if released:
            self.stock.released[obsid] = revision
        if run:
            number = max((run.id for run in self.listing.runs), default=100) + 1
            made = ProcessingRun(id=number, obsid=obsid, obi=obi, revision=revision, quality=quality)
            self.listing.runs.append(made)

    def judge(self, quality):
        """Let the catalogue say another quality of every run."""
        self.listing.runs[:] = [attrs.evolve(run, quality=quality) for run in self.listing.runs]

    def update(self, **options):
        return self.sim.run_update(UpdateOptions(**options))

    def links(self):
        folder = self.root / self.product.name
        found = sorted(path for path in folder.rglob("*") if path.is_symlink())
        return {path.name: str(path.readlink()) for path in found}

    def items(self):
        return {item.name: item.state for item in self.sim.items()}

    def state(self, obsid):
        """Return the archived versions of an obsid, and the released one as links and index say, which must agree."""
        dirs = self.sim.get_obs_dirs(obsid) or {"revisions": []}
        by_link = None if "default" not in dirs else int(Path(dirs["default"]).resolve().name.partition("_v")[2])
        by_index = {row["revision"] for row in self.sim.get_rows(obsid)}
        assert by_index == ({by_link} - {None})
        return dirs["revisions"], by_link


class _Offers:
    def __init__(self, bench):
        self.bench = bench

    @hookimpl
    def aca_archive_products(self):
        return [self.bench.product]

    @hookimpl
    def aca_retrievers(self):
        return [Shelf(name="shelf", stock=self.bench.stock)]

    @hookimpl
    def aca_catalogues(self):
        return [Listed(name="listed", listing=self.bench.listing)]


def parameters(obsid, revision, **more):
    values = {"tstart": obsid * 1000.0, "tstop": obsid * 1000.0 + 900, "content": "SIM", "revision": revision, **more}
    lines = [f"# {SYNTHETIC}"]
    for name, value in values.items():
        kind = {str: "s", int: "i"}.get(type(value), "r")
        lines.append(f'{name},{kind},h,{value},,,""')
    return "\n".join(lines).encode()


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "archive").mkdir()
    return Bench(tmp_path / "archive")


@pytest.fixture
def later(monkeypatch):
    """Return a function that moves the clock on."""
    shift = [0.0]
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + shift[0])

    def move(seconds):
        shift[0] += seconds

    return move


def tree(folder):
    """Return what a product's folder holds: content, mode and time of each, but not who held the lock when."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, content)
    return found


# ---- new work -------------------------------------------------------------------------------------------------------


def test_an_empty_archive_begins_with_the_first_run(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1)
    report = bench.update()
    assert (report.obsids, report.failed, report.is_clean) == ([10, 11], [], True)
    assert bench.links() == {"00010": "00010_v01", "00011_last": "00011_v01"}
    assert (bench.state(10), bench.state(11)) == (([1], 1), ([1], None))
    assert (bench.root / "sim1/last_id.txt").read_text() == "102\n"
    assert bench.items() == {"00010/1": "committed", "00011/1": "committed"}


def test_an_update_takes_what_is_new_since_the_last_one(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    bench.stock.asked.clear()
    bench.deliver(12, 3, released=True)
    assert bench.update().obsids == [12]
    assert {obsid for _, obsid, _, _ in bench.stock.asked} == {12}
    assert (bench.root / "sim1/last_id.txt").read_text() == "102\n"
    assert bench.update().obsids == []


def test_each_version_that_was_made_is_archived(bench):
    for revision in (1, 2, 3):
        bench.deliver(10, revision, released=revision == 2)
    bench.update()
    assert bench.state(10) == ([1, 2, 3], 2)
    assert bench.links() == {"00010": "00010_v02", "00010_last": "00010_v03"}


def test_what_is_released_is_fetched_although_no_run_asks_for_it(bench):
    """A link must never lead to what is not there."""
    bench.deliver(10, 1, released=True, run=False)
    bench.deliver(10, 2)
    report = bench.update()
    assert bench.state(10) == ([1, 2], 1)
    assert [(change.unit.revision, change.default_before, change.default_after) for change in report.changes] == [
        (1, None, 1),
        (2, 1, 1),
    ]


def test_a_release_that_cannot_be_had_leaves_no_link_behind(bench):
    bench.deliver(10, 1, released=True, run=False)
    bench.deliver(10, 2)
    bench.stock.broken["fetch", 10, 1] = RetrievalError("shelf", "version 1", "it fell off")
    report = bench.update()
    assert bench.state(10) == ([2], None)
    assert bench.links() == {"00010_last": "00010_v02"}
    assert [item.name for item in report.failed] == ["00010/default"]
    bench.stock.broken.clear()
    bench.update(retry_failed=True)
    assert bench.state(10) == ([1, 2], 1)


def test_a_newer_release_that_cannot_be_had_leaves_the_older_one_in_place(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    bench.deliver(10, 2, released=True)
    bench.stock.broken["fetch", 10] = RetrievalError("shelf", "version 2", "it fell off")
    bench.update()
    assert bench.state(10) == ([1], 1)
    bench.stock.broken.clear()
    bench.update(retry_failed=True)
    assert bench.state(10) == ([1, 2], 2)


def test_rows_without_a_last_id_are_no_archive_to_go_on_with(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    (bench.root / "sim1/last_id.txt").unlink()
    with closing(sqlite3.connect(bench.root / "sim1/archfiles.db3")) as database, database:
        database.execute("DELETE FROM aca_state WHERE key = 'last_id'")
        database.execute("DELETE FROM aca_obsids")  # as if other tools had archived it
    bench.deliver(11, 1, released=True)
    with pytest.raises(IntegrityError, match=r"last_id\.txt: is not there.*--rebuild"):
        bench.update()
    assert bench.state(11) == ([], None)
    assert bench.update(rebuild=True).obsids == [11]
    assert (bench.root / "sim1/last_id.txt").read_text() == "102\n"


def test_a_last_id_that_is_none_is_an_error(bench):
    (bench.root / "sim1").mkdir()
    (bench.root / "sim1/last_id.txt").write_text("soon")
    with pytest.raises(IntegrityError, match="is 'soon'; expected one whole number"):
        bench.update()


def test_the_last_id_of_older_tools_is_where_to_begin(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    (bench.root / "sim1").mkdir()
    (bench.root / "sim1/last_id.txt").write_text("101")
    assert bench.update().obsids == [11]


def test_a_rebuild_begins_again_and_brings_what_is_missing(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    (bench.root / "sim1").mkdir()
    (bench.root / "sim1/last_id.txt").write_text("101")
    bench.update()
    report = bench.update(rebuild=True)
    assert report.obsids == [10]
    assert bench.update(rebuild=True).obsids == []
    assert (bench.root / "sim1/last_id.txt").read_text() == "102\n"


def test_a_first_run_takes_what_is_released_and_what_came_later(bench):
    for revision in (1, 2, 3, 4):
        bench.deliver(10, revision, released=revision == 2)
    for revision in (1, 2):
        bench.deliver(11, revision, released=revision == 2)
    bench.deliver(12, 1)
    report = bench.update(first_run=True)
    assert bench.state(10) == ([2, 3, 4], 2)
    assert bench.state(11) == ([2], 2)
    assert bench.links()["00010_last"] == "00010_v04"
    assert bench.state(12) == ([1], None)
    assert report.failed == []
    bench.deliver(10, 5)
    bench.update()
    assert bench.state(10)[0] == [2, 3, 4, 5]
    # What was left out is not taken for archived: whoever wants all that was ever made gets it.
    assert not {"00010/1", "00011/1"} & set(bench.items())
    bench.update(rebuild=True)
    assert (bench.state(10)[0], bench.state(11)[0]) == ([1, 2, 3, 4, 5], [1, 2])


def test_a_first_run_skips_what_is_there_already(bench):
    for revision in (1, 2, 3):
        bench.deliver(10, revision, released=revision == 2)
    bench.sim.update(obsid=10, version=2)
    bench.stock.asked.clear()
    bench.update(first_run=True, rebuild=True)
    assert bench.state(10) == ([2, 3], 2)
    assert ("fetch", 10, 1, None) not in bench.stock.asked


def test_the_smallest_interval_is_asked_for(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    bench.listing.obis.update({10: (2, 1, 5), 11: (3,)})
    bench.update()
    assert {(obsid, obi) for _, obsid, _, obi in bench.stock.asked} == {(10, 1), (11, None)}


def test_an_obsid_without_intervals_is_asked_for_as_a_whole(bench, caplog):
    bench.deliver(10, 1, released=True)
    bench.listing.obis[10] = ()
    with caplog.at_level(logging.INFO, logger="aca_core"):
        bench.update()
    assert {obi for _, _, _, obi in bench.stock.asked} == {None}
    assert "obsid 10 has no observation interval" in caplog.text


def test_what_would_be_done_can_be_asked_for(bench):
    bench.deliver(10, 1, released=True)
    bench.stock.files[10, 1] = {"sim00010_N001.par": b"damaged"}
    bench.update()
    bench.deliver(11, 1)
    before = tree(bench.root)
    sim = bench.sim
    assert [item.name for item in planned_items(sim.stores[0], sim.feed, UpdateOptions())] == ["00011/1"]
    names = [item.name for item in planned_items(sim.stores[0], sim.feed, UpdateOptions(retry_failed=True))]
    assert names == ["00011/1", "00010/1"]
    assert [item.name for item in planned_items(sim.stores[0], sim.feed, UpdateOptions(obsid=7))] == ["00007/default"]
    assert tree(bench.root) == before


def test_an_update_writes_to_the_first_root(bench, tmp_path):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    bench.update(obsid=10)
    before = tree(bench.root)
    (tmp_path / "second").mkdir()
    both = bench.opened(roots=[tmp_path / "second", bench.root])["sim1"]
    assert both.get_dir(10) == f"{bench.root}/sim1/00/00010"
    both.update()
    assert tree(bench.root) == before
    assert [both.get_dir(obsid) for obsid in (10, 11)] == [
        f"{tmp_path}/second/sim1/00/000{obsid}" for obsid in (10, 11)
    ]


def test_a_second_writer_says_who_the_first_one_is(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    with bench.sim.stores[0].locked(1.0):
        with pytest.raises(LockedError, match=rf"is being written to by process {os.getpid()} on"):
            bench.sim.run_update(wait=0.05)
        assert bench.state(10) == ([1], 1)  # readers do not mind
    assert bench.sim.run_update(wait=0.05).is_clean


# ---- provisional and released ---------------------------------------------------------------------------------------


def test_what_was_provisional_is_released(bench):
    bench.deliver(10, 1)
    bench.update()
    bench.stock.released[10] = 1
    bench.judge("D")
    report = bench.update()
    assert bench.state(10) == ([1], 1)
    assert bench.links() == {"00010": "00010_v01"}
    (change,) = report.changes
    assert (change.unit, change.added, change.default_before, change.default_after) == (
        ObsidRevision(10, 1),
        (),
        None,
        1,
    )


def test_while_it_is_pending_nobody_asks_for_a_release(bench):
    bench.deliver(10, 1)
    bench.update()
    bench.stock.released[10] = 1
    bench.stock.asked.clear()
    assert bench.update().changes == []
    assert bench.stock.asked == []


def test_what_was_superseded_while_provisional(bench):
    """A newer version came of which the catalogue has no run yet; the older one is released in its stead."""
    bench.deliver(10, 1)
    bench.deliver(10, 2)
    bench.update()
    bench.judge("D")
    bench.deliver(10, 3, run=False)
    bench.stock.released[10] = 1
    bench.update()
    assert bench.state(10) == ([1, 2], 1)
    assert bench.links() == {"00010": "00010_v01", "00010_last": "00010_v02"}


def test_bad_obsids_are_left_alone_while_provisional_and_not_when_new(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", settings={"bad_obsids": (10,)})
    for obsid in (10, 11):
        bench.deliver(obsid, 1)
    assert bench.update().obsids == [10, 11]
    bench.judge("D")
    bench.stock.released |= {10: 1, 11: 1}
    bench.stock.asked.clear()
    assert bench.update().obsids == [11]
    assert {obsid for _, obsid, _, _ in bench.stock.asked} == {11}
    bench.deliver(10, 2)
    assert bench.update().obsids == [10]


@pytest.mark.parametrize(
    ("quality", "science", "status", "is_judged"),
    [
        ("P", ("P",), None, False),
        ("P", ("P", "P"), "discarded", False),
        ("P", ("P", "D"), None, True),
        ("P", ("X",), "discarded", True),
        ("P", (), None, True),
        ("P", (), "observed", True),
        ("P", (), "discarded", False),
        ("D", ("P",), None, True),
        ("D", (), "discarded", False),
    ],
)
def test_when_an_aspect_run_counts_as_judged(tmp_path, quality, science, status, is_judged):
    (tmp_path / "archive").mkdir()
    product = attrs.evolve(SIM, work=attrs.evolve(SIM.work, reviewed_as_science=True))
    bench = Bench(tmp_path / "archive", product=product)
    bench.deliver(10, 1)
    bench.update()
    bench.judge(quality)
    bench.listing.science[101] = science
    bench.listing.status[10] = status
    bench.stock.released[10] = 1
    bench.update()
    assert bench.state(10)[1] == (1 if is_judged else None)


@pytest.mark.parametrize("count", [0, 2])
def test_a_provisional_version_needs_exactly_one_run(bench, count):
    bench.deliver(10, 1)
    bench.update()
    bench.judge("D")
    bench.listing.runs[:] = [attrs.evolve(bench.listing.runs[0], id=each) for each in range(1, count + 1)]
    bench.stock.released[10] = 1
    report = bench.update()
    assert report.changes == []
    assert report.notes == [
        f"obsid 10: expected one run of version 1 in runs, and there is {'none' if count == 0 else count}"
    ]
    assert report.is_clean


def test_of_several_intervals_the_run_of_the_smallest_counts(bench):
    bench.deliver(10, 1, obi=0)
    bench.deliver(10, 1, obi=1)
    bench.listing.obis[10] = (0, 1)
    bench.update()
    bench.judge("D")
    bench.stock.released[10] = 1
    bench.update()
    assert bench.state(10) == ([1], 1)


def test_a_release_that_is_withdrawn_is_seen_by_a_recheck(bench):
    for revision in (1, 2):
        bench.deliver(10, revision, released=True)
    bench.deliver(11, 1, released=True)
    bench.update()
    bench.stock.released |= {10: 1}
    del bench.stock.released[11]
    assert bench.update().obsids == []
    assert bench.update(recheck=True).obsids == [10, 11]
    assert (bench.state(10), bench.state(11)) == (([1, 2], 1), ([1], None))
    assert bench.links() == {"00010": "00010_v01", "00010_last": "00010_v02", "00011_last": "00011_v01"}
    with closing(sqlite3.connect(bench.root / "sim1/archfiles.db3")) as database:
        rows = database.execute("SELECT obsid, revision, isdefault FROM archfiles ORDER BY obsid, revision").fetchall()
    assert rows == [(10, 1, 1), (10, 2, None), (11, 1, None)]


def test_a_recheck_may_leave_out_what_is_old(bench):
    for obsid in (10, 11):
        bench.deliver(obsid, 1, released=True)
    bench.update()
    bench.stock.released.clear()
    assert bench.update(recheck=True, since=10500.0).obsids == [11]


def test_a_retriever_that_cannot_answer_withdraws_nothing(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    bench.stock.broken["probe", 10] = RetrievalError("shelf", "obsid 10", "the server is away")
    report = bench.update(recheck=True)
    assert bench.state(10) == ([1], 1)
    assert [item.reason for item in report.failed] == ["shelf could not answer obsid 10: the server is away"]
    bench.stock.broken["probe", 10] = OSError(111, "connection refused")
    bench.update(recheck=True)
    assert bench.state(10) == ([1], 1)


def test_a_check_of_what_is_provisional_that_failed_is_no_failure_for_ever(bench, later):
    """Nobody has said that there must be a released version; that there is none yet is no failure."""
    bench.deliver(10, 1)
    bench.update()
    bench.judge("D")
    bench.stock.broken["probe", 10] = RetrievalError("shelf", "obsid 10", "the server is away")
    assert len(bench.update().failed) == 1
    bench.stock.broken.clear()
    later(2 * HOUR)
    report = bench.update()
    assert report.failed == []
    assert bench.items() == {"00010/1": "committed"}


# ---- failures -------------------------------------------------------------------------------------------------------


def test_one_bad_observation_blocks_no_other(bench):
    for obsid in (10, 11, 12):
        bench.deliver(obsid, 1, released=True)
    bench.stock.files[11, 1] = {"sim00011_N001.par": b"this is no parameter file"}
    report = bench.update()
    assert report.obsids == [10, 12]
    (failed,) = report.failed
    assert (failed.name, failed.obsid, failed.run_id, failed.state, failed.attempts) == (
        "00011/1",
        11,
        102,
        "failed",
        1,
    )
    assert "sim00011_N001.par" in failed.reason
    assert "\n" not in failed.reason
    assert failed.next_try - failed.tried == HOUR
    assert not report.is_clean
    assert bench.state(11) == ([], None)
    assert not (bench.root / "sim1/00/00011_v01").exists()
    assert (bench.root / "sim1/last_id.txt").read_text() == "103\n"
    assert bench.sim.update() == []


def test_what_failed_is_tried_again_when_its_time_has_come(bench, later):
    bench.deliver(11, 1, released=True)
    good = bench.stock.files.pop((11, 1))
    bench.stock.files[11, 1] = {"sim00011_N001.par": b"damaged"}
    bench.update()
    bench.stock.asked.clear()
    assert bench.update().failed == []
    assert bench.stock.asked == []
    pauses = []
    for _ in range(10):
        (item,) = bench.sim.items()
        pauses.append((item.next_try - item.tried) / HOUR)
        later(item.next_try - item.tried + 1)
        bench.update()
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]
    bench.stock.files[11, 1] = good
    later(169 * HOUR)
    assert bench.update().obsids == [11]
    assert [(item.state, item.reason, item.next_try) for item in bench.sim.items()] == [("committed", "", None)]


def test_what_failed_is_tried_again_on_request(bench):
    bench.deliver(11, 1, released=True)
    good, bench.stock.files[11, 1] = bench.stock.files[11, 1], {"sim00011_N001.par": b"damaged"}
    bench.update()
    bench.stock.files[11, 1] = good
    assert bench.update().obsids == []
    assert bench.update(retry_failed=True).obsids == [11]


def test_a_version_that_is_not_there_stays_on_the_list(bench):
    """Older tools went on to the next run, and the id of that one hid what was left out."""
    bench.deliver(10, 1)
    del bench.stock.files[10, 1]
    bench.deliver(11, 1, released=True)
    report = bench.update()
    assert [item.reason for item in report.failed] == ["obsid 10 has no version 1 of sim1 where it is retrieved from"]
    bench.deliver(10, 1, released=True, run=False)
    assert bench.update(retry_failed=True).obsids == [10]
    assert bench.state(10) == ([1], 1)


def test_what_is_not_answered_at_all_is_not_tried_again_by_itself(bench, later):
    bench.deliver(10, 1)
    bench.stock.broken["fetch", 10] = RetrievalError("shelf", "obsid 10", "not public", permanent=True)
    (failed,) = bench.update().failed
    assert failed.next_try is None
    later(1000 * HOUR)
    bench.stock.asked.clear()
    bench.update()
    assert bench.stock.asked == []
    bench.stock.broken.clear()
    assert bench.update(retry_failed=True).obsids == [10]


@pytest.mark.parametrize("answer", ["sim00010_N001.par", [1, 2], None, 7])
def test_a_retriever_that_answers_no_list_of_names_withdraws_nothing(bench, monkeypatch, answer):
    bench.deliver(10, 1, released=True)
    bench.update()
    monkeypatch.setattr(Shelf, "probe", lambda self, request, scratch: answer)
    (failed,) = bench.update(recheck=True).failed
    assert failed.reason.startswith("shelf could not answer sim1 of obsid 10")
    assert bench.state(10) == ([1], 1)


@pytest.mark.parametrize("verb", ["probe", "fetch"])
@pytest.mark.parametrize("error", [KeyError("nobody knows"), ConnectionError("reset"), SystemExit(3)])
def test_whatever_a_retriever_raises_concerns_one_observation(bench, verb, error):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    bench.stock.broken[verb, 10] = error
    report = bench.update()
    assert report.obsids == [11]
    assert [(item.name, type(error).__name__ in item.reason) for item in report.failed] == [("00010/1", True)]


def test_a_catalogue_that_cannot_answer_for_one_observation_blocks_no_other(bench):
    for obsid in (10, 11, 12):
        bench.deliver(obsid, 1)
    bench.listing.broken[11] = RetrievalError("listed", "intervals of obsid 11", "line 7 is no number")
    report = bench.update()
    assert report.obsids == [10, 12]
    assert [item.name for item in report.failed] == ["00011/1"]
    bench.judge("D")
    bench.stock.released |= {10: 1, 12: 1}
    bench.listing.broken = {10: bench.listing.broken[11]}
    report = bench.update()
    assert 12 in report.obsids
    assert "00010/default" in [item.name for item in report.failed]
    bench.update(recheck=True)


def test_whatever_a_catalogue_raises_is_an_error_of_ours(bench, monkeypatch):
    bench.deliver(10, 1)
    bench.update()

    def broken(*args, **kwargs):
        raise KeyError("ap_date")

    with monkeypatch.context() as patch:
        patch.setattr(Listed, "science_qualities", broken)
        patch.setattr(Listed, "runs", broken)
        assert [item.reason for item in bench.update().failed] == [
            "listed could not answer runs of version 1 of obsid 10 in runs: KeyError: 'ap_date'"
        ]
        patch.setattr(Listed, "new_work", broken)
        with pytest.raises(RetrievalError, match="listed could not answer new work in runs after 101: KeyError"):
            bench.update()


def test_two_items_for_one_version_fail_together(bench):
    """The released version could not be had, neither for its own run nor as what the link leads to."""
    bench.deliver(10, 1, released=True)
    bench.stock.broken["fetch", 10, 1] = RetrievalError("shelf", "version 1", "it fell off")
    bench.update()
    bench.deliver(10, 2)
    bench.update()
    failed = {"00010/1": "failed", "00010/default": "failed", "00010/2": "committed"}
    assert bench.items() == failed
    bench.update(retry_failed=True)
    assert bench.items() == failed
    bench.stock.broken.clear()
    bench.update(retry_failed=True)
    assert bench.state(10) == ([1, 2], 1)
    assert set(bench.items().values()) == {"committed"}


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"sim00010_N002.par": b"x"}, "several versions in one delivery: 1, 2"),
        ({"sim00010_first.par": b"x"}, "no version in the name"),
        ({"more.par": parameters(10, 2)}, "its revision is 2; expected 1"),
        ({"more.par": parameters(10, 1, content="OTHER")}, "its content is 'OTHER'"),
        ({".hidden.par": b"x"}, "has the name '.hidden.par'"),
    ],
)
def test_a_delivery_that_is_not_what_it_should_be_is_rejected_whole(bench, files, problem):
    bench.deliver(10, 1, released=True)
    bench.stock.files[10, 1] |= files
    bench.deliver(11, 1, released=True)
    report = bench.update()
    assert report.obsids == [11]
    assert problem in report.failed[0].reason
    assert bench.state(10) == ([], None)
    assert not list((bench.root / "sim1").rglob("*00010*"))


def test_files_without_a_version_are_an_error_and_no_withdrawn_release(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    bench.stock.files[10, 1] = {"other.par": parameters(10, 1)}
    report = bench.update(recheck=True)
    assert "there are files, and none of them carries the version" in report.failed[0].reason
    assert bench.state(10) == ([1], 1)


def test_a_full_disk_ends_the_update_and_is_held_against_nobody(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(11, 1, released=True)
    bench.stock.broken["fetch", 10] = OSError(28, "No space left on device")
    with pytest.raises(OSError, match="No space left"):
        bench.update()
    assert bench.items() == {"00010/1": "wanted", "00011/1": "wanted"}
    bench.stock.broken.clear()
    assert bench.update().obsids == [10, 11]


# ---- the same again -------------------------------------------------------------------------------------------------


def test_a_second_update_writes_nothing(bench):
    for revision in (1, 2):
        bench.deliver(10, revision, released=revision == 1, **{"sim_log.gz": gzip.compress(b"", mtime=0)})
    bench.update()
    before = tree(bench.root / "sim1")
    assert not [name for name in before if name.startswith(".") and name != ".lock"]
    for options in ({}, {"retry_failed": True}, {"recheck": True}, {"rebuild": True}, {"obsid": 10, "version": 2}):
        assert bench.update(**options).changes == []
        assert tree(bench.root / "sim1") == before


def test_logs_lie_beside_and_what_is_discarded_does_not(bench):
    bench.deliver(10, 1, released=True, **{"sim_log.gz": gzip.compress(b"", mtime=0), "sim00010_N001_raw.par": b"x"})
    (change,) = bench.update().changes
    assert change.added == ("sim00010_N001.par", "sim_log.gz")
    folder = bench.root / "sim1/00/00010_v01"
    assert sorted(path.name for path in folder.iterdir()) == ["sim00010_N001.par", "sim_log.gz"]
    assert bench.sim.get_files(10) == [f"{folder}/sim00010_N001.par"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o664}


def test_a_file_that_comes_with_other_bytes_is_a_conflict(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", product=attrs.evolve(SIM, recheck=True))
    bench.deliver(10, 1, released=True)
    bench.update()
    path = Path(bench.sim.get_files(10)[0])
    first, second = path.read_bytes(), parameters(10, 1, note="again")
    bench.stock.files[10, 1] = {path.name: second}
    for _ in range(2):
        report = bench.update(obsid=10)
        assert [str(each) for each in report.conflicts] == ["00/00010_v01/sim00010_N001.par"]
        assert not report.is_clean
        assert "--replace would swap it" in report.notes[0]
        assert path.read_bytes() == first
        assert report.changes == []
    report = bench.update(obsid=10, replace=True)
    (change,) = report.changes
    assert (change.replaced, change.added, report.conflicts) == ((path.name,), (), [])
    assert path.read_bytes() == second
    assert bench.update(obsid=10).is_clean
    with closing(sqlite3.connect(bench.root / "sim1/archfiles.db3")) as database:
        assert database.execute("SELECT count(*) FROM aca_conflicts").fetchone() == (0,)


def test_a_conflict_is_not_in_the_way_of_what_is_new(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", product=attrs.evolve(SIM, recheck=True))
    bench.deliver(10, 1, released=True)
    bench.update()
    bench.stock.files[10, 1] = {
        "sim00010_N001.par": parameters(10, 1, note="again"),
        "extra.par": parameters(10, 1, content="EXTRA"),
    }
    report = bench.update(obsid=10)
    assert [change.added for change in report.changes] == [("extra.par",)]
    assert [each.filename for each in report.conflicts] == ["sim00010_N001.par"]
    assert len(bench.sim.get_files(10)) == 2


def test_a_file_belongs_to_one_revision(bench):
    """Older tools know a file by its name alone."""
    bench.deliver(10, 1, released=True, **{"common.par": parameters(10, 1, content="EXTRA")})
    bench.deliver(10, 2, **{"common.par": parameters(10, 2, content="EXTRA")})
    report = bench.update()
    assert [item.name for item in report.failed] == ["00010/2"]
    assert "common.par: is indexed as part of 00/00010_v01 already" in report.failed[0].reason
    assert bench.state(10) == ([1], 1)
    assert not (bench.root / "sim1/00/00010_v02").exists()


def test_a_folder_in_the_place_of_a_link_is_an_error(bench):
    bench.deliver(10, 1, released=True)
    (bench.root / "sim1/00/00010").mkdir(parents=True)
    report = bench.update()
    assert "is no symbolic link, and a link has to be there" in report.failed[0].reason
    assert bench.sim.get_obs_dirs(10) is None
    (bench.root / "sim1/00/00010").rmdir()
    assert bench.update(retry_failed=True).obsids == [10]


def test_links_that_older_tools_left_dangling_are_mended(bench):
    bench.deliver(10, 1, released=True)
    (bench.root / "sim1/00").mkdir(parents=True)
    (bench.root / "sim1/00/00010_last").symlink_to("00010_v07")
    (bench.root / "sim1/00/00010").symlink_to("/nowhere")
    bench.update()
    assert bench.links() == {"00010": "00010_v01"}


# ---- one observation by name ----------------------------------------------------------------------------------------


def test_one_observation_needs_no_catalogue(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", settings={"catalogue": None})
    bench.deliver(10, 1, released=True)
    bench.deliver(10, 2)
    assert bench.sim.update(obsid=10) == [10]
    assert bench.state(10) == ([1], 1)
    assert bench.sim.update(obsid=10, version="last") == [10]
    assert bench.state(10) == ([1, 2], 1)
    with pytest.raises(ConfigError, match=r"names no catalogue.*--obsid"):
        bench.update()


def test_a_version_that_does_not_exist_is_an_error_for_whoever_named_it(bench):
    bench.deliver(10, 1)
    for version in ("default", 7):
        with pytest.raises(ProductVersionError, match="obsid 10 has no"):
            bench.sim.update(obsid=10, version=version)
    with pytest.raises(ProductVersionError, match="obsid 99 has no version of sim1"):
        bench.sim.get_arch(99)
    assert bench.state(10) == ([], None)
    assert bench.items() == {}
    assert not list((bench.root / "sim1").glob(".staging/*"))


def test_the_version_that_was_named_is_archived_although_the_released_one_is_damaged(bench):
    bench.deliver(10, 1, released=True)
    bench.stock.files[10, 1] = {"sim00010_N001.par": b"damaged"}
    bench.deliver(10, 2)
    report = bench.update(obsid=10, version=2)
    assert bench.state(10) == ([2], None)
    assert [item.name for item in report.failed] == ["00010/default"]


def test_a_named_version_that_is_damaged_is_an_error_and_leaves_no_trace(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(10, 2)
    bench.stock.files[10, 2] = {"sim00010_N002.par": b"damaged"}
    with pytest.raises(IntegrityError, match=r"sim00010_N002\.par"):
        bench.update(obsid=10, version=2)
    assert not (bench.root / "sim1/00").exists()
    assert not list((bench.root / "sim1").glob(".staging/*"))


@pytest.mark.parametrize(
    "options", [{"obsid": -1}, {"obsid": 100_000}, {"obsid": 10, "version": "newest"}, {"obsid": "ten"}]
)
def test_what_cannot_be_asked_for(bench, options):
    with pytest.raises(DeclarationError):
        bench.sim.update(**options)


def test_get_arch_returns_the_folder(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(10, 2)
    folder = f"{bench.root}/sim1/00"
    assert bench.sim.get_arch(10, "default") == f"{folder}/00010_v01"
    assert bench.sim.get_arch(10) == f"{folder}/00010_v02"
    assert bench.sim.get_arch(10, 1) == f"{folder}/00010_v01"
    bench.stock.broken["fetch", 11] = RetrievalError("shelf", "obsid 11", "away")
    bench.deliver(11, 1)
    with pytest.raises(RetrievalError):
        bench.sim.get_arch(11)
    bench.deliver(12, 1)
    bench.stock.broken.clear()
    bench.stock.files[12, 1] = {"sim00012_N001.par": b""}
    with pytest.raises(ValueError, match=r"sim00012_N001\.par"):  # as older tools called it
        bench.sim.get_arch(12)


def test_get_ver_num(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(10, 2)
    ask = bench.sim.get_ver_num
    assert [ask(10), ask(10, "last"), ask(10, 1), ask(10, 7), ask(11)] == [1, 2, 1, None, None]
    assert not (bench.root / "sim1").exists()
    bench.stock.broken["probe", 10] = ZeroDivisionError()
    with pytest.raises(RetrievalError, match="ZeroDivisionError"):
        ask(10)


def test_get_file_ver(tmp_path):
    ask = ObsArchive.get_file_ver
    pattern = r"pcadf\d+N(\d{3})_"
    assert ask(tmp_path, "*fidpr*", pattern) is None
    for name in ("pcadf059904356N004_fidpr1.fits.gz", "pcadf059904999N004_fidpr1.fits.gz", "pcadf059904356N005_x.fits"):
        (tmp_path / name).touch()
    assert ask(str(tmp_path), "*fidpr*", pattern) == 4
    (tmp_path / "pcadf059904356N006_fidpr1.fits.gz").touch()
    with pytest.raises(ValueError, match="several versions in one delivery: 4, 6"):
        ask(tmp_path, "*fidpr*", pattern)


def test_get_todo_from_links(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", settings={"bad_obsids": (13,)})
    for obsid in (10, 11, 12, 13):
        bench.deliver(obsid, 1)
    bench.update()
    assert bench.sim.get_todo_from_links() == []
    bench.stock.released |= {10: 1, 13: 1}  # one was released, of another something newer came
    bench.deliver(11, 2, run=False)
    (bench.root / "sim1/00/00014_last").symlink_to("elsewhere")
    expected = [{"obsid": 10, "revision": 1}, {"obsid": 11, "revision": 1}]
    assert bench.sim.get_todo_from_links() == expected
    assert bench.sim.get_todo_from_links(bench.root / "sim1") == expected
    assert bench.sim.get_todo_from_links(tmp_path) == []


def test_update_link(bench):
    bench.deliver(10, 1)
    bench.deliver(10, 2)
    bench.update()
    bench.stock.released[10] = 1
    bench.sim.update_link(10)
    assert bench.links() == {"00010": "00010_v01", "00010_last": "00010_v02"}
    bench.stock.released[10] = 2
    bench.sim.update_link(10)
    assert bench.links() == {"00010": "00010_v02"}
    assert bench.state(10) == ([1, 2], 2)
    bench.deliver(10, 3)
    bench.sim.update_link(10)  # version 3 is not archived: no link to it, and nobody fetches it
    assert bench.links() == {"00010": "00010_v02"}


def test_set_env_makes_and_set_read_env_does_not(bench):
    bench.sim.set_read_env()
    assert list(bench.root.iterdir()) == []
    bench.sim.set_env()
    assert (bench.root / "sim1/archfiles.db3").is_file()
    before = tree(bench.root)
    bench.sim.set_env()
    bench.sim.set_read_env()
    assert tree(bench.root) == before


def test_set_env_where_nothing_is_delivered_from(tmp_path):
    with pytest.raises(ConfigError, match="no product set has asp1"):
        open_archive(tmp_path)["asp1"].set_env()
    with pytest.raises(ConfigError, match="no product set has asp1"):
        open_archive(tmp_path)["asp1"].update()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_the_methods_that_describe(bench, tmp_path):
    path = tmp_path / "sim00010_N001.par"
    path.write_bytes(parameters(10, 1, obs_id="00010"))
    row = bench.sim.get_arch_info(0, path, [path])
    assert row == {"filename": path.name, "tstart": 10_000.0, "tstop": 10_900.0, "content": "SIM", "revision": 1}
    assert bench.sim.get_obspar_info(0, str(path), [str(path)]) == row
    found = bench.sim.get_all_obspar_info(0, path, [path])
    assert (found["obsid"], found["filename"], found["obs_id"]) == (10, path.name, "00010")
    path.write_bytes(parameters(10, 1))
    with pytest.raises(AcaError, match="has no parameter obs_id"):
        bench.sim.get_all_obspar_info(0, path, [path])


# ---- subscribers ----------------------------------------------------------------------------------------------------


class Subscriber:
    """Keeps what it is told, and raises while it is told to."""

    def __init__(self, name="watcher"):
        self.name = name
        self.seen = []
        self.error = None
        self.act = lambda change: None

    @hookimpl
    def aca_committed(self, change):
        if self.error is not None:
            raise self.error
        self.act(change)
        self.seen.append(change)


def test_a_subscriber_sees_every_change_as_it_was(tmp_path):
    (tmp_path / "archive").mkdir()
    bench = Bench(tmp_path / "archive", product=attrs.evolve(SIM, recheck=True))
    watcher = Subscriber()
    archive = bench.opened(watcher)

    def seen():
        found = [
            (change.unit.revision, change.added, change.replaced, change.default_before, change.default_after)
            for change in watcher.seen
        ]
        watcher.seen.clear()
        return found

    name = "sim00010_N00{}.par".format
    bench.deliver(10, 1, quality="D")
    archive["sim1"].update()
    assert seen() == [(1, (name(1),), (), None, None)]
    bench.stock.released[10] = 1
    archive["sim1"].update()
    assert seen() == [(1, (), (), None, 1)]  # a release that only moves the default
    bench.deliver(10, 2, released=True)
    archive["sim1"].update()
    assert seen() == [(2, (name(2),), (), 1, 2)]
    bench.stock.files[10, 2] = {name(2): parameters(10, 2, note="again")}
    archive["sim1"].update(obsid=10, replace=True)
    assert seen() == [(2, (), (name(2),), 2, 2)]
    bench.stock.released[10] = 1
    archive["sim1"].update(recheck=True)
    assert seen() == [(1, (), (), 2, 1)]
    del bench.stock.released[10]
    archive["sim1"].update(recheck=True)
    ((_, added, _, before, after),) = seen()
    assert (added, before, after) == ((), 1, None)
    archive["sim1"].update(recheck=True)
    assert seen() == []


def test_changes_say_where_they_happened_and_grow(bench):
    watcher = Subscriber()
    for obsid in (10, 11):
        bench.deliver(obsid, 1, released=True)
    bench.opened(watcher)["sim1"].update()
    assert [(each.product, each.archive, each.unit.obsid) for each in watcher.seen] == [
        ("sim1", bench.root, 10),
        ("sim1", bench.root, 11),
    ]
    first, second = (each.serial for each in watcher.seen)
    assert 0 < first < second


def test_a_subscriber_that_fails_keeps_its_place(bench):
    good, bad = Subscriber("good"), Subscriber("bad")
    archive = bench.opened(good, bad)
    for obsid in (10, 11):
        bench.deliver(obsid, 1, released=True)
    bad.error = RuntimeError("the table is locked")
    report = archive["sim1"].run_update()
    assert report.obsids == [10, 11]
    assert list(report.undelivered) == ["test:bad"]
    assert "the table is locked" in report.undelivered["test:bad"]
    assert not report.is_clean
    (waiting,) = undelivered(archive["sim1"].stores[0])
    assert (waiting.subscriber, waiting.changes) == ("test:bad", 2)
    assert "the table is locked" in waiting.reason
    assert [each.unit.obsid for each in good.seen] == [10, 11]

    # The next update tells it, although there is nothing new, and nobody else.
    bad.error = None
    report = archive["sim1"].run_update()
    assert (report.changes, report.undelivered, report.is_clean) == ([], {}, True)
    assert [each.unit.obsid for each in bad.seen] == [10, 11]
    assert [each.unit.obsid for each in good.seen] == [10, 11]
    assert undelivered(archive["sim1"].stores[0]) == []


def test_a_subscriber_that_fails_in_the_middle_goes_on_from_there(bench):
    watcher = Subscriber()
    archive = bench.opened(watcher)

    def refuse(change):
        if change.unit.obsid == 11 and refuse.active:
            raise ValueError("not this one")

    refuse.active, watcher.act = True, refuse
    for obsid in (10, 11, 12):
        bench.deliver(obsid, 1, released=True)
    archive["sim1"].update()
    assert [each.unit.obsid for each in watcher.seen] == [10]
    refuse.active = False
    archive["sim1"].update()
    assert [each.unit.obsid for each in watcher.seen] == [10, 11, 12]


def test_a_new_subscriber_is_told_what_comes_from_then_on(bench):
    bench.deliver(10, 1, released=True)
    bench.update()
    newcomer = Subscriber("newcomer")
    archive = bench.opened(newcomer)
    archive["sim1"].update()
    bench.deliver(11, 1, released=True)
    archive["sim1"].update()
    assert [each.unit.obsid for each in newcomer.seen] == [11]
    # One that was away for a while is told what it has missed.
    bench.deliver(12, 1, released=True)
    bench.update()
    archive["sim1"].update()
    assert [each.unit.obsid for each in newcomer.seen] == [11, 12]


def test_subscribers_are_told_when_the_lock_is_free_and_the_archive_is_the_current_one(bench):
    watcher = Subscriber()
    archive = bench.opened(watcher)
    found = []

    def look(change):
        with archive["sim1"].stores[0].locked(0.0):
            found.append(current_archive() is archive)
        found.append(len(current_archive()["sim1"].get_files(change.unit.obsid)))

    watcher.act = look
    bench.deliver(10, 1, released=True)
    archive["sim1"].update()
    assert watcher.seen
    assert found == [True, 1]


def test_a_subscriber_may_update(bench):
    """What one change asks for is fetched by whoever hears of it, of the same product even."""
    watcher = Subscriber()
    archive = bench.opened(watcher)
    bench.deliver(10, 1, released=True)
    bench.deliver(77, 1, released=True, run=False)
    watcher.act = lambda change: change.unit.obsid == 10 and archive["sim1"].update(obsid=77)
    archive["sim1"].update()
    assert bench.state(77) == ([1], 1)
    assert {each.unit.obsid for each in watcher.seen} == {10, 77}
    assert undelivered(archive["sim1"].stores[0]) == []


def test_an_installed_plugin_is_told_like_any_other(delivered, tmp_path, install_plugin):
    source = """
from aca_core import current_archive, hookimpl
told = {}

@hookimpl
def aca_committed(change):
    obsid = change.unit.obsid
    told[obsid] = len(current_archive()[change.product].get_files(obsid))
"""
    assert install_plugin("watcher", source) == "aca-test:watcher"
    site = Site.new(delivered, tmp_path)
    site.archive["obspar"].update()
    import aca_test_watcher

    assert aca_test_watcher.told == {8009: 1, 8010: 1, 8011: 0, 8013: 1}  # of 8011 nothing is released


def test_the_changes_can_be_read_back(bench):
    bench.deliver(10, 1, released=True)
    bench.deliver(10, 2)
    report = bench.update()
    assert changes_of(bench.sim.stores[0]) == report.changes
    assert changes_of(bench.sim.stores[0], after=report.changes[0].serial) == report.changes[1:]


# ---- whole deliveries -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """8009: the second of two is released; 8010: the first; 8011: none; 8013: two intervals."""
    plans = [
        Plan(obsid=8009, revisions=(1, 2), released=2),
        Plan(obsid=8010, revisions=(1, 2), released=1),
        Plan(obsid=8011, released=None, detector="HRC-I"),
        Plan(obsid=8013, obis=(0, 1)),
    ]
    folder = tmp_path_factory.mktemp("delivered") / "tree"
    simulate_delivery(folder, seed=3, duration=200.0, centroid_step=4.1, plans=plans)
    return folder


@attrs.frozen
class Site:
    """A delivery, and an archive that is fed from it by the plugins that come with aca-core."""

    delivery: object
    root: Path
    settings: dict = attrs.field(factory=dict)

    @classmethod
    def new(cls, delivered, tmp_path, **settings):
        folder = shutil.copytree(delivered, tmp_path / "delivered", symlinks=True, dirs_exist_ok=True)
        (tmp_path / "archive").mkdir()
        return cls(open_delivery(folder), tmp_path / "archive", settings)

    @property
    def archive(self):
        chosen = {"products": ("asp1", "obspar"), "retriever": "directory", "catalogue": "file", **self.settings}
        return open_archive(
            config=Config(
                root=[self.root],
                sets={"nightly": ProductSet(**chosen)},
                retrievers={"directory": {"folder": str(self.delivery.folder)}},
                catalogues={"file": {"path": str(self.delivery.catalogue)}},
            )
        )

    def expected(self):
        """Return what the truth of the delivery asks for: versions and the released one, by obsid."""
        truth = self.delivery.truth
        there = {}
        for each in truth.delivered:
            if each.in_tree:
                there.setdefault(each.run.obsid, []).append(each.run.revision)
        return {obsid: (sorted(there[obsid]), truth.release(obsid).asp1) for obsid in truth.obsids}

    def found(self):
        found = {}
        for obsid in self.delivery.truth.obsids:
            dirs = self.archive["asp1"].get_obs_dirs(obsid) or {"revisions": []}
            released = {row["revision"] for row in self.archive["asp1"].get_rows(obsid)}
            assert ("default" in dirs) == bool(released)
            found[obsid] = (dirs["revisions"], released.pop() if released else None)
        return found


@pytest.fixture
def site(delivered, tmp_path):
    return Site.new(delivered, tmp_path)


def test_a_whole_delivery_from_beginning_to_end(site):
    for product in ("asp1", "obspar"):
        report = site.archive[product].run_update()
        assert (report.obsids, report.is_clean) == ([8009, 8010, 8011, 8013], True)
    assert site.found() == site.expected()
    with using(site.archive):
        quaternions, times, headers = asp1.get_atts(8009)
        assert quaternions.shape == (len(times), 4)
        assert len(times) > 700
        assert headers[0]["REVISION"] == 2
        assert obspar.get_obspar(8010)["revision"] == 1
        assert obspar.get_obspar(8010, "last")["revision"] == 2

    # Reprocessed, released, withdrawn: link and index follow each time.
    site.delivery.deliver([reprocess(site.delivery.truth.of(8013).observation, 2)])
    assert site.archive["asp1"].update() == [8013]
    assert site.found() == site.expected()
    site.delivery.release(8010, 2)
    site.delivery.release(8011, 1)
    site.delivery.release(8013, 2)
    assert site.archive["asp1"].update() == [8010, 8011, 8013]
    assert site.found() == site.expected()
    assert site.found()[8011] == ([1], 1)
    site.delivery.withdraw(8010)
    assert site.archive["asp1"].update() == []
    assert site.archive["asp1"].update(recheck=True) == [8010]
    assert site.found() == site.expected()
    assert site.archive["asp1"].verify(full=True) == []


def test_a_second_update_of_a_whole_delivery_writes_nothing(site):
    for product in ("asp1", "obspar"):
        site.archive[product].update()
    before = tree(site.root)
    times = [key for key in before if key in ("asp1", "obspar")]
    for product in ("asp1", "obspar"):
        assert site.archive[product].run_update().changes == []
    after = tree(site.root)
    for key in times:  # whoever holds the lock leaves a note in the folder while it does
        del before[key], after[key]
    assert after == before


def test_a_damaged_file_of_a_whole_delivery(site):
    path = next((site.delivery.folder / "asp1/08/08009_v01").glob("*acen1*"))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    report = site.archive["asp1"].run_update()
    assert report.obsids == [8009, 8010, 8011, 8013]
    (failed,) = report.failed
    assert (failed.name, path.name in failed.reason) == ("08009/1", True)
    assert site.found()[8009] == ([2], 2)
    path.write_bytes(content)
    assert site.archive["asp1"].update(retry_failed=True) == [8009]
    assert site.found() == site.expected()


def test_a_delivery_that_is_not_mounted_withdraws_nothing(site):
    site.archive["obspar"].update()
    hidden = site.delivery.folder.with_name("away")
    (site.delivery.folder / "obspar").rename(hidden)
    with pytest.raises(RetrievalError, match="mount the tree"):
        site.archive["obspar"].run_update(UpdateOptions(recheck=True))
    assert {item.state for item in site.archive["obspar"].items()} == {"committed"}, "it is held against no observation"
    assert {obsid: site.archive["obspar"].get_dir(obsid) is None for obsid in (8009, 8010, 8011, 8013)} == {
        8009: False,
        8010: False,
        8011: True,
        8013: False,
    }
    hidden.rename(site.delivery.folder / "obspar")
    assert site.archive["obspar"].run_update(UpdateOptions(recheck=True)).changes == []


def test_parameters_that_come_again_are_compared(site):
    """Observation parameters are fetched and compared although the version is archived."""
    site.archive["obspar"].update()
    path = next((site.delivery.folder / "obspar/08/08009_v02").iterdir())
    text = gzip.decompress(path.read_bytes()).decode()
    path.write_bytes(gzip.compress((text + 'more,s,h,"again",,,""\n').encode()))
    report = site.archive["obspar"].run_update(UpdateOptions(obsid=8009))
    assert [each.filename for each in report.conflicts] == [path.name]
    with using(site.archive):
        assert "more" not in obspar.get_obspar(8009)
        site.archive["obspar"].update(obsid=8009, replace=True)
        assert obspar.get_obspar(8009)["more"] == "again"


def test_the_archive_is_the_same_whoever_does_the_work(delivered, tmp_path):
    """Processes fetch and verify; one commits, in the order of the catalogue."""
    found = []
    for settings in ({}, {"executor": "processes", "jobs": 2}):
        place = tmp_path / str(len(found))
        place.mkdir()
        site = Site.new(delivered, place, **settings)
        site.archive["asp1"].update()
        files = {name: (mode, content) for name, (mode, _, content) in tree(site.root).items() if ".db3" not in name}
        with closing(sqlite3.connect(site.root / "asp1/archfiles.db3")) as database:
            rows = [
                database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
                for table in ("archfiles", "aca_files", "aca_obsids", "aca_state", "aca_items")
            ]
        found.append((files, rows))
    assert found[0] == found[1]


def test_archives_travel(site):
    site.archive["obspar"].update()
    archive = pickle.loads(pickle.dumps(site.archive))
    assert archive["obspar"].get_dir(8009) == site.archive["obspar"].get_dir(8009)
    member = pickle.loads(pickle.dumps(site.archive["obspar"]))
    assert isinstance(member, ObsArchive)
    assert member.get_files(8009) == site.archive["obspar"].get_files(8009)
    assert member.update() == []


def test_progress_is_told(site):
    told = []
    site.archive["obspar"].run_update(told=lambda *each: told.append(each))
    assert told[:4] == [(f"obsid {obsid}", number, 4) for number, obsid in enumerate((8009, 8010, 8011, 8013), start=1)]
