"""Product aca0: level-0 telemetry is taken in by the rules of its files, kept as columns, and found."""

import logging
import shutil

import attrs
import numpy as np
import pytest
from aca_plugins.aca0 import ACA0
from astropy.io import fits

from aca_core import Catalogue, IngestedFile, UpdateOptions, open_archive
from aca_core.archive.events import changes_of
from aca_core.dates import to_date, to_secs
from aca_core.testing import ArchiveProductContract, ArchivingContract, write_fits

SINCE, UNTIL = float(to_secs("2021:001")), float(to_secs("2021:004"))
START = float(to_secs("2021:001:10:00:00"))


def write_level0(folder, start, *, slot=3, size=8, revision=1, rows=5, mjf=100, length=20.0):
    """Write a small synthetic file; its day is that of the folder."""
    header = {"TSTART": start, "TSTOP": start + length, "REVISION": revision, "DATE": "2021-02-01T00:00:00"}
    header |= {"SYNTHET": True, **({} if mjf is None else {"STARTMJF": mjf, "STARTMNF": 3, "STOPMJF": mjf + 1})}
    columns = {"TIME": start + np.arange(rows) * 4.1, "IMGRAW": np.full((rows, size, size), revision, np.float32)}
    folder.mkdir(parents=True, exist_ok=True)
    name = f"acaf{int(start)}N{revision:03d}_{slot}_img0.fits.gz"
    write_fits(folder / name, header, columns)
    return name


class TestDeclaration(ArchiveProductContract):
    delivery = ("acaf686111014N003_0_img0.fits.gz", "acaf686111014N003_7_img0.fits")
    delivery_version = 3

    @pytest.fixture
    def product(self):
        return ACA0

    @pytest.fixture
    def sample_file(self, tmp_path):
        return tmp_path / write_level0(tmp_path, START)

    def test_the_core_finds_it_by_its_role(self):
        assert ACA0.provides == ("aca-level0",)
        assert ACA0.column_store.group == ("slot", "imgsize")


class TestArchiving(ArchivingContract):
    @pytest.fixture
    def product(self):
        return ACA0

    @pytest.fixture
    def write_files(self):
        def write(folder, day):
            start = float(to_secs(f"{day}:10:00:00"))
            write_level0(folder, start, slot=3)
            write_level0(folder, start + 25, slot=3, size=6)
            write_level0(folder, start, slot=6, size=4)

        return write


class Site:
    """A folder of deliveries, and the archive that the built-in plugins keep of it."""

    def __init__(self, folder, **settings):
        self.delivered = folder / "delivered"
        self.delivered.mkdir(parents=True)
        (folder / "archive").mkdir()
        more = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
        (folder / "aca.toml").write_text(
            'root = "archive"\n[retrievers.directory]\nfolder = "../delivered"\n'
            f'[sets.nightly]\nproducts = ["aca0"]\nretriever = "directory"\n{more}'
        )
        self.archive = open_archive(config=folder / "aca.toml")
        self.member = self.archive["aca0"]

    def put(self, start, **more):
        date = to_date(float(start))
        return write_level0(self.delivered / "aca0" / date[:4] / date[5:8], float(start), **more)

    def update(self, **options):
        return self.member.run_update(UpdateOptions(**{"since": SINCE, "until": UNTIL, **options}))

    def names(self):
        return [row["filename"] for row in self.member.get_rows("2021:001", "2021:010")]

    def on_disk(self):
        return sorted(path.name for path in self.member.stores[0].folder.glob("2*/*/*.fits.gz"))

    def rows(self, **more):
        found = [self.member.read_tables("2021:001", "2021:010", use_store=use, **more) for use in (True, False)]
        for one, other in zip(*found, strict=True):
            assert one.values.keys() == other.values.keys()
            assert all(np.array_equal(one.values[name], other.values[name]) for name in one.values)
        return found[0]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "site")


def test_an_update_fills_files_index_and_column_store(site):
    names = sorted([site.put(START, slot=0), site.put(START, slot=1, size=4), site.put(START + 30, slot=0, size=6)])
    report = site.update()
    assert (report.failed, report.undelivered) == ([], {})
    assert sorted(site.names()) == names == site.on_disk()
    groups = site.rows()
    assert [(group.group["slot"], group.group["imgsize"]) for group in groups] == [(0, 6), (0, 8), (1, 4)]
    assert all(group.from_store == 1 and group.synthetic for group in groups)
    assert site.member.verify(full=True) == []
    assert site.update().changes == []


def test_a_greater_revision_replaces_in_files_index_and_store_and_an_older_one_does_not(site):
    old = site.put(START)
    site.update()
    new = site.put(START, revision=3)
    (change,) = site.update().changes
    assert (change.added, change.removed) == ((new,), (old,))
    assert site.names() == [new] == site.on_disk()
    (group,) = site.rows()
    assert group.from_store == 1
    assert (group.values["IMGRAW"] == 3).all()
    site.put(START, revision=2)
    assert site.update().changes == []
    assert site.names() == [new]


def test_a_newer_file_of_the_day_before_takes_the_place_of_one_behind_midnight(site):
    midnight = float(to_secs("2021:002"))
    old = site.put(midnight + 5)
    site.update()
    new = site.put(midnight - 10, revision=2, length=60.0, rows=14)
    site.update()
    assert site.names() == [new] == site.on_disk()
    told = [(str(change.unit), change.removed) for change in changes_of(site.member.stores[0]) if change.removed]
    assert told == [("2021:002", (old,))]
    (group,) = site.rows()
    assert (len(group), group.from_store) == (14, 1)
    assert site.member.verify(full=True) == []


def test_slots_do_not_supersede_each_other(site):
    names = sorted([site.put(START, slot=0, revision=1), site.put(START, slot=1, revision=2)])
    site.update()
    assert sorted(site.names()) == names


def test_a_file_between_older_and_newer_ones_is_put_aside_and_retried(site):
    both = [site.put(START, revision=1), site.put(START + 20, revision=3, mjf=101)]
    site.update()
    mixed = site.put(START + 10, revision=2, mjf=102)
    (item,) = site.update().failed
    assert item.name == f"file {mixed}"
    assert "overlaps files of several versions" in item.reason
    assert site.names() == both
    assert {item.name for item in site.update(retry_failed=True).failed} == {f"file {mixed}"}


def test_an_empty_table_and_a_missing_frame_count_are_taken_in(site):
    names = [site.put(START, rows=0, mjf=None), site.put(START + 30, mjf=None)]
    assert site.update().failed == []
    assert site.names() == names
    assert [row["rows"] for row in site.member.get_rows("2021:001", "2021:002")] == [0, 5]
    (group,) = site.rows()
    assert [row["filename"] for row in group.files] == [names[1]]
    new = site.put(START + 30, revision=2, mjf=None)
    site.update()
    assert site.names() == [names[0], new]


def test_the_next_update_begins_where_the_slot_ends_that_ends_first(site):
    for slot in (0, 1):
        site.put(START, slot=slot)
    site.put(START + 86400, slot=0)
    site.update()
    late = site.put(START + 40, slot=1)
    site.member.run_update(UpdateOptions(until=UNTIL))
    assert late in site.names()


@attrs.frozen(kw_only=True)
class Listed(Catalogue):
    """A list of ingested files, and nothing else."""

    listed: tuple = ()

    def new_work(self, work, after):
        return ()

    def runs(self, work, obsid, *, obi=None, revision=None):
        return ()

    def obis(self, obsid):
        return ()

    def ingested_files(self, product, after):
        return [each for each in self.listed if each.ingested > after]


def test_files_that_were_ingested_centrally_are_missed_unless_some_revision_is_here(site):
    have = site.put(START)
    site.update()
    late = site.put(START + 3600, slot=5)
    plain = have.removesuffix(".gz")
    listed = [have, plain, plain.replace("N001", "N002"), late.removesuffix(".gz"), "acaf1_other.fits", "acaimgc9.txt"]
    catalogue = Listed(
        name="listed",
        listed=tuple(IngestedFile(ingested=UNTIL + number, filename=name) for number, name in enumerate(listed)),
    )
    member = type(site.member)(site.member.stores, feed=attrs.evolve(site.member.feed, catalogue=catalogue))
    report = member.run_update(UpdateOptions(since=UNTIL - 1, until=UNTIL))
    assert report.failed == []
    assert site.names() == [have, late]
    assert (member.stores[0].folder / "last_timestamp.txt").read_text().startswith("2021:00")


@pytest.mark.parametrize("cut", [-20, 3000])
def test_a_truncated_file_is_refused_and_keeps_no_other_out(site, cut):
    good, bad = site.put(START), site.put(START + 30, slot=4)
    path = site.delivered / "aca0/2021/001" / bad
    whole = path.read_bytes()
    path.write_bytes(whole[: cut if cut < 0 else min(cut, len(whole) - 1)])
    (item,) = site.update().failed
    assert item.name == f"file {bad}"
    assert site.names() == [good]
    path.write_bytes(whole)
    site.update(retry_failed=True)
    assert site.names() == [good, bad]


def test_who_may_not_write_pieces_is_told_it_and_the_next_update_catches_up(site, caplog):
    site.put(START)
    folder = site.member.stores[0].folder
    folder.mkdir(exist_ok=True)
    (folder / "columns").write_text("in the way")
    with caplog.at_level(logging.WARNING, "aca_core"):
        report = site.update()
    assert list(report.undelivered) == ["aca-core:column-store"]
    assert len(site.names()) == 1, "the commit stands"
    assert len(site.member.read_tables("2021:001", "2021:002")) == 1
    (folder / "columns").unlink()
    assert site.update().undelivered == {}
    (group,) = site.rows()
    assert group.from_store == 1


# ---- from flight ----------------------------------------------------------------------------------------------------


def deliver_flight(real_data, site):
    for slot in range(8):
        source = real_data / f"test_level0_{slot}.fits.gz"
        start = fits.getheader(source, 1)["TSTART"]
        place = site.delivered / "aca0/2019/272"
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, place / f"acaf{int(start)}N001_{slot}_img0.fits.gz")


FLIGHT = {"since": float(to_secs("2019:272")), "until": float(to_secs("2019:273"))}


def test_flight_files_are_taken_in_when_checksums_only_warn(real_data, tmp_path):
    site = Site(tmp_path / "site", checksum="warn")
    deliver_flight(real_data, site)
    report = site.update(**FLIGHT)
    assert (report.failed, report.undelivered) == ([], {})
    rows = site.member.get_rows("2019:272", "2019:273")
    assert [row["slot"] for row in rows] == list(range(8))
    groups = {use: site.member.read_tables("2019:272", "2019:273", use_store=use) for use in (True, False)}
    for one, other in zip(*groups.values(), strict=True):
        assert (one.from_store, other.from_store) == (1, 0)
        assert len(one) == rows[one.group["slot"]]["rows"]
        assert not one.synthetic
        assert one.values.keys() == other.values.keys()
        for name, values in one.values.items():
            assert values.dtype == other.values[name].dtype
            assert values.tobytes() == other.values[name].tobytes()
    assert [each for each in site.member.verify() if each.kind == "columns"] == []


def test_flight_files_are_refused_when_checksums_must_be_right(real_data, tmp_path):
    site = Site(tmp_path / "site", checksum="error")
    deliver_flight(real_data, site)
    report = site.update(**FLIGHT)
    assert len(report.failed) == 8
    assert all("CHECKSUM" in item.reason or "DATASUM" in item.reason for item in report.failed)
    assert site.member.get_rows("2019:272", "2019:273") == []
