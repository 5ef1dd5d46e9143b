"""The table of archived aspect runs: what the archive and the catalogue say, and what a verification wrote stays."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import attrs
import pytest
from aca_plugins import asp1

from aca_core import (
    Change,
    Config,
    Day,
    IntegrityError,
    ObsidRevision,
    ProductSet,
    RetrievalError,
    open_archive,
    using,
)
from aca_core.archive import check_roots
from aca_core.simulation import open_delivery, simulate_delivery
from aca_core.testing import write_fits

COLUMNS = "aspect_1_id, obsid, obi, revision, ap_date, isdefault, obspar_version, vv_complete"
ASP1_SET = ProductSet(products=("asp1",), retriever="directory", catalogue="file")


@attrs.frozen
class Site:
    """An archive, the delivery that feeds it, and the table."""

    delivery: object
    archive: object

    @property
    def folder(self):
        return self.archive.roots[0] / "asp1"

    @property
    def path(self):
        return self.folder / "processing_asp_l1.db3"

    def ask(self, sql, *values):
        with closing(sqlite3.connect(self.path)) as connection:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
        return rows

    def rows(self):
        return self.ask(f"SELECT {COLUMNS} FROM aspect_1_proc ORDER BY aspect_1_id")

    def done(self):
        """Return what was verified, by obsid and revision."""
        return {row[:2]: row[2] for row in self.ask("SELECT obsid, revision, vv_complete FROM aspect_1_proc")}

    def verify_all(self):
        self.ask("UPDATE aspect_1_proc SET vv_complete = 4")

    def commit(self, obsid=8010, revision=1, **fields):
        """Let the plugin see a change as the archive delivers it."""
        change = Change(
            product="asp1",
            archive=self.archive.roots[0],
            unit=ObsidRevision(obsid, revision),
            **{"serial": 1, **fields},
        )
        with using(self.archive):
            asp1.aca_committed(change)

    def expected(self):
        """Return the rows that the truth of the delivery asks for."""
        return [
            (
                *(each.run.id, each.run.obsid, each.run.obi, each.run.revision, each.run.ap_date),
                1 if self.delivery.truth.release(each.run.obsid).asp1 == each.run.revision else None,
                *(each.observation.obspar_revision, 0),
            )
            for each in sorted(self.delivery.truth.delivered, key=lambda each: each.run.id)
            if each.in_tree
        ]


def opened(delivery, root, **changes):
    sets = {"nightly": attrs.evolve(ASP1_SET, **changes)}
    folders = {
        "retrievers": {"directory": {"folder": str(delivery.folder)}},
        "catalogues": {"file": {"path": str(delivery.catalogue)}},
    }
    return open_archive(config=Config(root=[root], sets=sets, **folders))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A delivery, and an archive that was filled from it."""
    top = tmp_path_factory.mktemp("filled")
    delivery = simulate_delivery(top / "delivered", seed=21, duration=200.0, obsids=[8010, 8012, 8013, 8014])
    (top / "root").mkdir()
    archive = opened(delivery, top / "root")
    archive["asp1"].update(rebuild=True)
    return top


@pytest.fixture
def site(filled, tmp_path):
    shutil.copytree(filled, tmp_path / "site", symlinks=True)
    delivery = open_delivery(tmp_path / "site" / "delivered")
    return Site(delivery, opened(delivery, tmp_path / "site" / "root"))


@pytest.fixture
def bare(site):
    """The same archive as older tools could have left it: without the table."""
    site.path.unlink()
    return site


# ---- what it says ---------------------------------------------------------------------------------------------------


def test_an_update_leaves_a_row_for_each_archived_run(site):
    assert site.rows() == site.expected()
    assert {row[6] for row in site.rows() if row[1] == 8014} == {1, 2}  # 1, 2, 2: not simply the revision


def test_the_table_is_that_of_older_archives(site):
    found = [row[1:] for row in site.ask("PRAGMA table_info(aspect_1_proc)")]
    assert found == [
        ("aspect_1_id", "INT", 1, None, 1),
        ("obsid", "INT", 1, None, 0),
        ("obi", "INT", 1, None, 0),
        ("revision", "INT", 0, None, 0),
        ("ap_date", "TEXT", 0, None, 0),
        ("isdefault", "INT", 0, None, 0),
        ("obspar_version", "INT", 0, None, 0),
        ("vv_complete", "INT", 1, "0", 0),
    ]


def test_older_tables_are_continued(bare):
    statement = """
        CREATE TABLE aspect_1_proc (aspect_1_id int not null, obsid int not null, obi int not null, revision int,
          ap_date text, isdefault int, obspar_version int, vv_complete int not null default 0,
          CONSTRAINT pk_archfiles PRIMARY KEY (aspect_1_id))
    """
    bare.ask(statement)
    known = bare.expected()[0]
    bare.ask(f"INSERT INTO aspect_1_proc ({COLUMNS}) VALUES (?, ?, ?, ?, ?, NULL, NULL, 4)", *known[:5])
    with using(bare.archive):
        asp1.update_processing(bare.delivery.truth.obsids)
    assert bare.rows() == [(*known[:7], 4), *bare.expected()[1:]]


def test_named_obsids_are_brought_up_to_date(bare):
    with using(bare.archive):
        asp1.update_processing([8010])
        assert bare.rows() == [row for row in bare.expected() if row[1] == 8010]
        asp1.update_processing(iter([8012, 8013, 8014]))
    assert bare.rows() == bare.expected()


def test_nothing_is_made_for_what_is_not_archived(bare):
    with using(bare.archive):
        asp1.update_processing([9999])
    assert not bare.path.exists()


def test_several_runs_are_told_apart_by_the_greatest_id(bare):
    table = bare.delivery.catalogue / "aspect_1.csv"
    lines = table.read_text().splitlines()
    again = next(line for line in lines if ",8010,0,1," in line).split(",")
    table.write_text("\n".join([lines[0], ",".join(["777777", *again[1:]]), *lines[1:]]) + "\n")
    with using(bare.archive):
        asp1.update_processing([8010])
    assert [row[0] for row in bare.rows() if row[3] == 1] == [777777]


# ---- what it keeps --------------------------------------------------------------------------------------------------


def test_seeing_the_same_changes_again_changes_nothing(site):
    site.verify_all()
    before = site.path.read_bytes()
    for each in site.delivery.truth.delivered:
        site.commit(each.run.obsid, each.run.revision, serial=1, added=["a"])
    site.commit(8010, 2, serial=1, replaced=["a"])
    assert site.path.read_bytes() == before


def test_a_second_update_changes_nothing(site):
    before = site.path.read_bytes()
    site.archive["asp1"].update()
    with using(site.archive):
        asp1.update_processing(site.delivery.truth.obsids)
    assert site.path.read_bytes() == before


@pytest.mark.parametrize("kind", ["added", "replaced"])
def test_files_that_changed_are_verified_again(site, kind):
    site.verify_all()
    later = {"serial": 1000, kind: ["pcadf000000000N002_asol1.fits.gz"]}
    site.commit(8014, 2, **later)
    assert [key for key, done in site.done().items() if done == 0] == [(8014, 2)]
    site.verify_all()
    site.commit(8014, 2, **later)
    site.commit(8014, 2, **{**later, "serial": 999})
    assert set(site.done().values()) == {4}


def test_what_moves_only_the_default_is_not_verified_again(site):
    site.verify_all()
    site.commit(8010, 2, serial=1000, default_before=1, default_after=2)
    site.commit(8010, 2, serial=1001, removed=["a"])
    assert set(site.done().values()) == {4}


def test_the_default_follows_the_archive(site):
    site.verify_all()

    def released():
        return site.ask("SELECT revision FROM aspect_1_proc WHERE obsid = 8010 AND isdefault = 1")

    assert released() == [(1,)]
    site.delivery.release(8010, 2)
    site.archive["asp1"].update()
    assert released() == [(2,)]
    site.delivery.withdraw(8010)
    site.archive["asp1"].update(recheck=True)
    assert released() == [(1,)]
    site.delivery.withdraw(8010)
    site.archive["asp1"].update(recheck=True)
    assert released() == []
    assert site.ask("SELECT DISTINCT isdefault FROM aspect_1_proc WHERE obsid = 8010") == [(None,)]
    assert set(site.done().values()) == {4}


def test_writers_wait_for_each_other(bare):
    with ThreadPoolExecutor(4) as pool:
        for future in [
            pool.submit(bare.commit, each.run.obsid, each.run.revision, added=["a"])
            for each in bare.delivery.truth.delivered * 3
        ]:
            future.result()
    assert bare.rows() == bare.expected()


# ---- what is not its business ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [{"product": "obspar"}, {"archive": None}, {"unit": Day(2021, 1)}],
    ids=["another product", "made up", "a day"],
)
def test_other_changes_are_left_alone(bare, fields):
    change = Change(product="asp1", archive=bare.archive.roots[0], unit=ObsidRevision(8010, 1), added=["a"])
    with using(bare.archive):
        asp1.aca_committed(attrs.evolve(change, **fields))
    assert not bare.path.exists()


# ---- what is missing ------------------------------------------------------------------------------------------------


def test_without_a_catalogue_it_is_said_and_nothing_is_made(bare, warnings_of_core):
    with using(opened(bare.delivery, bare.archive.roots[0], catalogue=None)):
        asp1.update_processing([8010])
    assert not bare.path.exists()
    first, second = warnings_of_core()
    assert "obsid 8010 revision 1" in first
    assert "obsid 8010 revision 2" in second
    assert "catalogue" in first


def test_a_run_that_the_catalogue_lacks_is_said_and_left_out(bare, warnings_of_core):
    table = bare.delivery.catalogue / "aspect_1.csv"
    lines = [line for line in table.read_text().splitlines() if ",8010,0,2," not in line]
    table.write_text("\n".join(lines) + "\n")
    with using(bare.archive):
        asp1.update_processing([8010])
    assert [(row[1], row[3]) for row in bare.rows()] == [(8010, 1)]
    (warning,) = warnings_of_core()
    assert "obsid 8010 revision 2" in warning
    assert "aspect_1" in warning


def logs_of(site, unit):
    return sorted((site.folder / "08" / unit).glob("asp_l1_f*log*"))


def without_version(log):
    log.write_bytes(gzip.compress(b"nothing of interest"))


def damaged(log):
    log.write_bytes(log.read_bytes()[:30])


@pytest.mark.parametrize("spoil", [lambda log: log.unlink(), without_version, damaged])
def test_logs_that_say_nothing_leave_the_version_empty(bare, warnings_of_core, spoil):
    for log in logs_of(bare, "08010_v02"):
        spoil(log)
    with using(bare.archive):
        asp1.update_processing([8010])
    assert [row[6] for row in bare.rows()] == [1, None]
    assert all("obsid 8010 revision 2" in warning for warning in warnings_of_core())
    assert "obspar_version" in warnings_of_core()[-1]


def test_a_version_that_was_known_is_kept(site):
    for log in logs_of(site, "08010_v02"):
        log.unlink()
    before = site.rows()
    site.commit(8010, 2, serial=2000, replaced=["a"])
    assert site.rows() == before


def test_the_first_log_that_names_a_version_counts(bare):
    first, *others = logs_of(bare, "08012_v02")
    assert others
    without_version(first)
    with using(bare.archive):
        asp1.update_processing([8012])
    assert [row[6] for row in bare.rows()] == [2]


def test_a_solution_that_names_no_interval_is_said_and_left_out(bare, warnings_of_core):
    (path,) = (bare.folder / "08" / "08010_v02").glob(f"pcadf{9 * '[0-9]'}N002_asol1.fits.gz")
    path.unlink()
    header = {"CONTENT": "ASPSOL", "REVISION": 2, "OBI_NUM": "none", "TSTART": 1.0, "TSTOP": 2.0}
    write_fits(path, header)
    with using(bare.archive):
        asp1.update_processing([8010])
    assert [row[3] for row in bare.rows()] == [1]
    (warning,) = warnings_of_core()
    assert "obsid 8010 revision 2" in warning
    assert "OBI_NUM is 'none'" in warning


def test_what_cannot_be_written_is_an_error_that_names_the_file(bare):
    bare.path.write_bytes(b"no database" * 1000)
    with pytest.raises(IntegrityError, match="cannot be updated") as caught:
        bare.commit()
    assert caught.value.path == str(bare.path)


# ---- what cannot be read --------------------------------------------------------------------------------------------


def solution_of(site, unit):
    (path,) = (site.folder / "08" / unit).glob(f"pcadf{9 * '[0-9]'}N*_asol1.fits.gz")
    return path


SPOILT = {
    "other bytes": lambda path: path.write_bytes(b"junk"),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "not there": lambda path: path.unlink(),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_solution_that_cannot_be_read_is_said_and_left_out(bare, warnings_of_core, spoil):
    path = solution_of(bare, "08010_v01")
    spoil(path)
    with using(bare.archive):
        asp1.update_processing([8010])
    assert [row[3] for row in bare.rows()] == [2]
    (warning,) = warnings_of_core()
    assert "obsid 8010 revision 1" in warning
    assert str(path) in warning
    assert "aca verify --full --repair" in warning


def test_what_was_known_of_a_solution_that_cannot_be_read_stays(site):
    site.verify_all()
    before = site.rows()
    solution_of(site, "08010_v01").write_bytes(b"junk")
    with using(site.archive):
        asp1.update_processing([8010])
    assert site.rows() == before


def test_other_solutions_of_the_same_run_stand_for_one_that_cannot_be_read(bare, warnings_of_core):
    path, *others = sorted((bare.folder / "08" / "08012_v02").glob(f"pcadf{9 * '[0-9]'}N*_asol1.fits.gz"))
    assert others
    path.write_bytes(b"junk")
    with using(bare.archive):
        asp1.update_processing([8012])
    assert bare.rows() == [row for row in bare.expected() if row[1] == 8012]
    assert str(path) in warnings_of_core()[0]


def test_a_file_that_cannot_be_read_stops_no_change_behind_it(filled, tmp_path, monkeypatch, caplog):
    shutil.copytree(filled / "delivered", tmp_path / "delivered", symlinks=True)
    (tmp_path / "root").mkdir()
    delivery = open_delivery(tmp_path / "delivered")
    site = Site(delivery, opened(delivery, tmp_path / "root"))
    with monkeypatch.context() as context:  # killed when everything was committed and nobody told
        context.setattr("aca_core.archive.running.deliver_events", lambda store, home: {})
        site.archive["asp1"].update()
    path = solution_of(site, "08010_v01")
    path.write_bytes(b"junk")
    assert site.archive["asp1"].run_update().undelivered == {}
    assert site.rows() == [row for row in site.expected() if (row[1], row[3]) != (8010, 1)]
    assert str(path) in caplog.text
    # Once it was fetched again, its row is there too.
    for checked in check_roots(site.archive["asp1"], mend=True):
        assert checked.found
    site.archive["asp1"].update(retry_failed=True)
    assert site.rows() == site.expected()


def test_a_catalogue_that_does_not_answer_is_asked_again(site):
    table = site.delivery.catalogue / "aspect_1.csv"
    content = table.read_bytes()
    table.unlink()
    with using(site.archive), pytest.raises(RetrievalError):
        asp1.update_processing([8010])
    table.write_bytes(content)
    with using(site.archive):
        asp1.update_processing([8010])
    assert site.rows() == site.expected()
