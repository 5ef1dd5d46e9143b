"""Products by day on the same engine: ranges of time, supersession, single files that are damaged or missing."""

import attrs
import pytest
from by_day import TLM0, Ingested, start_of, write_day, write_file

from aca_core import ConfigError, Day, IngestedFile, IntegrityError, UpdateOptions
from aca_core.archive import days
from aca_core.archive.events import changes_of
from aca_core.archive.feeds import Feed
from aca_core.archive.repair import repair
from aca_core.dates import to_secs
from aca_core.testing import ArchivingContract, DeliveryShelf

FIRST, SECOND = Day(2019, 272), Day(2019, 273)
SINCE, UNTIL = float(to_secs("2019:272")), float(to_secs("2019:274"))


class TestByDay(ArchivingContract):
    @pytest.fixture
    def product(self):
        return TLM0

    @pytest.fixture
    def write_files(self):
        return write_day


@pytest.fixture
def shelf(tmp_path):
    (tmp_path / "shelf").mkdir()
    return DeliveryShelf(TLM0, tmp_path / "shelf")


@pytest.fixture
def archive(shelf, tmp_path):
    (tmp_path / "archive").mkdir()
    return shelf.archive(tmp_path / "archive")


def update(archive, **options):
    return archive.run_update(UpdateOptions(**{"since": SINCE, "until": UNTIL, **options}))


def names(archive, **where):
    rows = archive.get_rows("2019:270", "2019:280", columns=["slot"], where=where)
    return [row["filename"] for row in rows]


def on_disk(archive):
    return sorted(path.name for path in archive.stores[0].folder.glob("????/???/*"))


def put(shelf, day, *arguments, **more):
    return write_file(shelf.folder / str(day).replace(":", "/"), *arguments, **more)


def test_where_to_begin_has_to_be_said_once(shelf, archive):
    shelf.deliver(FIRST, write_day)
    with pytest.raises(ConfigError, match="say so with --since DATE"):
        archive.run_update(UpdateOptions(until=UNTIL))
    update(archive, until=float(to_secs("2019:273")))
    assert len(names(archive)) == 4
    shelf.deliver(SECOND, write_day)
    # From then on the archive's own end is where to begin.
    report = archive.run_update(UpdateOptions(until=UNTIL))
    assert [str(change.unit) for change in report.changes] == ["2019:273"]
    assert len(names(archive)) == 8


def test_an_obsid_cannot_be_asked_for(archive):
    with pytest.raises(ConfigError, match="laid out by day"):
        update(archive, obsid=7000)


def test_a_greater_revision_of_the_same_interval_takes_the_place_of_the_older(shelf, archive):
    start = start_of(FIRST)
    old = put(shelf, FIRST, start, start + 3600)
    other_slot = put(shelf, FIRST, start, start + 3600, slot=1)
    update(archive)
    new = put(shelf, FIRST, start, start + 3600, revision=2)
    report = update(archive)
    (change,) = report.changes
    assert (change.added, change.removed) == ((new,), (old,))
    assert sorted(names(archive)) == sorted([new, other_slot]) == on_disk(archive)
    # What it has superseded is still delivered, and stays out.
    assert update(archive).changes == []
    assert archive.verify(full=True) == []


def test_an_older_revision_never_replaces_a_newer_one(shelf, archive):
    start = start_of(FIRST)
    new = put(shelf, FIRST, start, start + 3600, revision=2)
    update(archive)
    put(shelf, FIRST, start, start + 3600, revision=1)
    assert update(archive).changes == []
    assert names(archive) == [new] == on_disk(archive)


def test_a_newer_file_supersedes_all_that_it_overlaps_in_other_days_too(shelf, archive):
    midnight = start_of(SECOND)
    before = put(shelf, FIRST, midnight - 3600, midnight - 10)
    after = put(shelf, SECOND, midnight + 10, midnight + 3600)
    beside = put(shelf, SECOND, midnight + 3600, midnight + 7200)
    update(archive)
    assert names(archive) == [before, after, beside]
    new = put(shelf, FIRST, midnight - 3600 + 1, midnight + 3600, revision=2, mjf=101)
    update(archive)
    assert names(archive) == [new, beside], "a file that touches another does not overlap it"
    assert on_disk(archive) == sorted([new, beside])
    told = [(str(change.unit), change.removed) for change in changes_of(archive.stores[0]) if change.removed]
    assert sorted(told) == [("2019:272", (before,)), ("2019:273", (after,))]


def test_what_newer_files_of_two_days_supersede_is_told_once(shelf, archive):
    midnight = start_of(SECOND)
    old = put(shelf, SECOND, midnight + 10, midnight + 7200)
    update(archive)
    newer = [
        put(shelf, FIRST, midnight - 3600, midnight + 3600, revision=2, mjf=101),
        put(shelf, SECOND, midnight + 3600, midnight + 7200, revision=2, mjf=102),
    ]
    update(archive)
    assert names(archive) == newer
    assert [change.removed for change in changes_of(archive.stores[0]) if change.removed] == [(old,)]


def test_files_of_one_revision_may_overlap(shelf, archive):
    start = start_of(FIRST)
    both = [put(shelf, FIRST, start, start + 3600), put(shelf, FIRST, start + 1800, start + 5400, mjf=101)]
    update(archive)
    assert names(archive) == both


def test_a_file_between_older_and_newer_ones_is_put_aside_and_told(shelf, archive):
    start = start_of(FIRST)
    both = [
        put(shelf, FIRST, start, start + 3600, revision=1),
        put(shelf, FIRST, start + 3600, start + 7200, revision=3, mjf=101),
    ]
    update(archive)
    mixed = put(shelf, FIRST, start + 1800, start + 5400, revision=2, mjf=102)
    report = update(archive)
    (item,) = report.failed
    assert item.name == f"file {mixed}"
    assert "overlaps files of several versions" in item.reason
    assert item.next_try is None, "time does not mend it"
    assert names(archive) == both
    assert on_disk(archive) == sorted(both)


def test_files_without_a_frame_count_are_compared_like_others(shelf, archive):
    start = start_of(FIRST)
    put(shelf, FIRST, start, start + 3600, mjf=None)
    update(archive)
    new = put(shelf, FIRST, start, start + 3600, revision=2, mjf=None)
    update(archive)
    assert names(archive) == [new]


def test_a_damaged_file_keeps_no_other_out(shelf, archive):
    shelf.deliver(FIRST, write_day)
    good = sorted(shelf.files(FIRST))
    start = start_of(FIRST) + 7200
    bad = put(shelf, FIRST, start, start + 60)
    place = shelf.folder / "2019/272" / bad
    content = place.read_bytes()
    place.write_bytes(content[:-20])
    report = update(archive)
    assert sorted(names(archive)) == good == on_disk(archive)
    (item,) = report.failed
    assert item.name == f"file {bad}"
    assert item.next_try is not None
    # It is whole again, and asked for by its name.
    place.write_bytes(content)
    report = update(archive, retry_failed=True)
    assert report.failed == []
    assert sorted(names(archive)) == sorted([*good, bad])
    assert {item.state for item in archive.items()} == {"committed"}


def test_what_failed_is_settled_once_a_range_has_brought_it(shelf, archive):
    start = start_of(FIRST)
    bad = put(shelf, FIRST, start, start + 60)
    place = shelf.folder / "2019/272" / bad
    content = place.read_bytes()
    place.write_bytes(content[:-20])
    (failed,) = update(archive).failed
    place.write_bytes(content)
    update(archive)  # asks for the days again, and not for what failed: that is not due yet
    assert names(archive) == [bad]
    assert {item.name: item.state for item in archive.items()} == {failed.name: "committed"}


def test_files_that_were_ingested_centrally_and_are_missing_are_asked_for_by_name(shelf, archive):
    shelf.deliver(FIRST, write_day)
    update(archive)
    have = sorted(shelf.files(FIRST))
    late = put(shelf, FIRST, start_of(FIRST) + 7200, start_of(FIRST) + 7260)
    gone = f"tlmf{start_of(FIRST) + 9000}N001_0_img0.fits"
    newer = have[0].replace("N001", "N002")
    listed = [have[0].removesuffix(".gz"), late.removesuffix(".gz"), gone, "other_file.fits", newer]
    catalogue = Ingested(
        name="listed", listed=tuple(IngestedFile(ingested=UNTIL + n, filename=name) for n, name in enumerate(listed))
    )
    feed = Feed(retriever=archive.feed.retriever, catalogue=catalogue, rules=archive.feed.rules)
    archive = type(archive)(archive.stores, feed=feed)
    # Nothing is asked for by time: the range lies behind all of it.
    behind = {"since": UNTIL - 1, "until": UNTIL}
    report = update(archive, **behind)
    assert sorted(names(archive)) == sorted([*have, late]), "any version of what we have is as good"
    assert [item.name for item in report.failed] == [f"file {gone}"]
    assert (archive.stores[0].folder / "last_timestamp.txt").read_text().startswith("2019:274:00:00:0")
    again = update(archive, **behind)
    assert (again.failed, again.changes) == ([], [])
    retried = update(archive, **behind, retry_failed=True)
    assert [item.attempts for item in retried.failed] == [2]


def test_a_range_that_fails_is_remembered_and_asked_for_again(shelf, archive):
    shelf.deliver(FIRST, write_day)
    moved = shelf.folder.with_name("elsewhere")
    link = shelf.folder / "2019" / "272" / "a_link"
    link.symlink_to(moved)  # whoever copies it fails, and the delivery with it
    report = update(archive)
    (item,) = report.failed
    assert item.name.startswith("time ")
    assert names(archive) == []
    link.unlink()
    later = {"since": UNTIL + 86400, "until": UNTIL + 2 * 86400}
    assert update(archive, **later).changes == []
    report = update(archive, **later, retry_failed=True)
    assert len(names(archive)) == 4
    assert report.failed == []


def test_what_was_lost_is_fetched_again_and_then_no_more(shelf, archive):
    shelf.deliver(FIRST, write_day)
    update(archive)
    lost = archive.stores[0].directory(FIRST) / names(archive)[0]
    lost.unlink()
    repair(archive.stores[0])
    update(archive)
    assert lost.is_file()
    assert {item.state for item in archive.items()} == {"committed"}
    assert update(archive).changes == []


def test_what_two_days_supersede_stays_until_both_are_archived(shelf, archive, monkeypatch):
    midnight = start_of(SECOND)
    old = put(shelf, FIRST, midnight - 3600, midnight + 3600)
    update(archive)
    new = [
        put(shelf, FIRST, midnight - 3600, midnight - 5, revision=2, mjf=101),
        put(shelf, SECOND, midnight + 5, midnight + 3600, revision=2, mjf=102),
    ]
    whole = days.commit

    def fails_on_the_second_day(store, plan):
        if plan.unit == "2019/273":
            raise IntegrityError(plan.unit, "cannot be archived today")
        return whole(store, plan)

    monkeypatch.setattr(days, "commit", fails_on_the_second_day)
    assert update(archive).failed
    assert sorted(names(archive)) == sorted([old, new[0]]), "its second half is nowhere else"
    monkeypatch.undo()
    update(archive, retry_failed=True)
    assert names(archive) == new
    assert on_disk(archive) == sorted(new)
    assert archive.verify(full=True) == []


def test_a_list_of_ingested_files_that_cannot_be_had_is_no_end(shelf, archive):
    shelf.deliver(FIRST, write_day)

    @attrs.frozen(kw_only=True)
    class Broken(Ingested):
        def ingested_files(self, product, after):
            raise KeyError("ingest_time")

    feed = attrs.evolve(archive.feed, catalogue=Broken(name="broken"))
    report = update(type(archive)(archive.stores, feed=feed))
    assert len(names(archive)) == 4
    assert report.notes == ["broken could not answer files of tlm0 that were ingested: KeyError: 'ingest_time'"]


def test_an_outage_is_one_range_however_long_it_lasts(shelf, archive, monkeypatch):
    shelf.deliver(FIRST, write_day)
    update(archive, until=SINCE + 3600)
    link = shelf.folder / "2019" / "272" / "a_link"
    link.symlink_to("nowhere")
    for day in range(1, 4):
        report = archive.run_update(UpdateOptions(until=SINCE + day * 86400))
    assert len(archive.items()) <= 2
    assert report.failed[0].attempts == 3


def test_rows_can_be_selected_by_any_column(shelf, archive):
    shelf.deliver(FIRST, write_day)
    update(archive)
    assert all("_1_img0" in name for name in names(archive, slot=[1]))
    assert len(names(archive, slot=[0, 1])) == 4
    assert names(archive, slot=[]) == []
    with pytest.raises(LookupError, match="Did you mean 'slot'"):
        names(archive, slots=[1])
