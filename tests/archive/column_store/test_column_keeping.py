"""How the column store follows the archive: by day, then by month; what is seen twice changes nothing."""

import logging
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from column_days import assert_same, day_of, killed_piece, plain, secs, story

from aca_core import Change, ObsidRevision, open_archive, using
from aca_core.archive import UpdateOptions
from aca_core.archive.column_store import parts
from aca_core.archive.column_store.pieces import Piece
from aca_core.archive.events import changes_of

TEN = np.arange(0, 40, 4)


@pytest.fixture
def followed(site):
    """The story, followed: January is a month, February days."""
    site.span = story(site)
    site.changes = site.update()
    site.written = site.follow(site.changes)
    return site


def deliver_days(site, doys, **more):
    for doy in doys:
        site.put(f"2021:{doy:03d}:10:00:00", TEN, **more)


# ---- days and months ------------------------------------------------------------------------------------------------


def test_each_day_is_written_and_a_month_is_made_when_the_next_begins(followed):
    assert followed.written == [
        "2021/030.h5",
        "2021/031.h5",
        "2021/032.h5",
        "2021/month-01.h5",
        "2021/033.h5",
    ]
    assert followed.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]


def test_a_change_that_is_told_again_writes_nothing(followed):
    before = followed.state()
    for change in followed.changes * 2:
        report = followed.keeper.follow(change)
        assert (report.written, report.removed, report.unchanged, report.failed) == ([], [], 1, [])
    assert followed.state() == before


def test_what_comes_late_lies_beside_its_month_until_there_is_much_of_it(site):
    deliver_days(site, [1, 2, 32])
    site.follow(site.update())
    assert site.pieces == ["2021/032.h5", "2021/month-01.h5"]
    # Days 3 to 9 are seven.
    deliver_days(site, range(3, 10))
    assert site.follow(site.update()) == [f"2021/00{doy}.h5" for doy in range(3, 10)]
    assert len(site.pieces) == 9
    assert_same(site.archive, "2021:001", "2021:040")
    # Another file of a day of the month: the day's piece has all of it.
    site.put("2021:001:12:00:00", TEN)
    written = site.follow(site.update())
    assert written == ["2021/001.h5"], "it is the eighth, but the change is within January"
    site.put("2021:033:12:00:00", TEN)
    assert site.follow(site.update()) == ["2021/033.h5", "2021/month-01.h5"]
    assert site.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]
    groups = assert_same(site.archive, "2021:001", "2021:040")
    assert groups[0].from_store == 12


def test_a_newer_revision_takes_the_place_of_an_older_one_in_the_store_too(followed):
    site = followed
    site.put("2021:030:10:00:00", TEN, revision=2, seed=5)
    assert site.follow(site.update()) == ["2021/030.h5"]
    groups = assert_same(site.archive, *site.span)
    assert groups[0].from_store == len(groups[0].files)
    site.keeper.compact()
    assert site.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]
    assert plain(site.read(*site.span)) == plain(groups)


def test_who_keeps_a_store_travels_to_other_processes(site):
    site.put("2021:031:00:00:05", TEN)
    keeper = pickle.loads(pickle.dumps(site.keeper))
    (change,) = site.update()
    assert keeper.follow(change).written == ["2021/031.h5"]
    (group,) = assert_same(site.archive, "2021:030", "2021:032")
    assert group.from_store == 1


def test_a_day_of_which_nothing_is_archived_any_more_has_no_piece(site):
    old = site.put("2021:031:00:00:05", TEN)
    site.follow(site.update())
    assert site.pieces == ["2021/031.h5"]
    # The newer file is of the day before.
    site.put("2021:030:23:59:00", np.arange(0, 200, 4), revision=2)
    site.update()
    changes = changes_of(site.archive.stores[0])[1:]
    assert {name for change in changes for name in change.removed} == {old}
    reports = [site.keeper.follow(change) for change in changes]
    assert [name for report in reports for name in report.removed] == ["2021/031.h5"]
    assert site.pieces == ["2021/030.h5"]
    (group,) = assert_same(site.archive, "2021:030", "2021:032")
    assert group.from_store == 1


def test_a_piece_is_a_plain_hdf5_file_that_says_what_it_is_of(followed):
    with h5py.File(followed.piece("2021/month-01.h5")) as file:
        assert dict(file.attrs) | {"group": None} == {
            "format": b"aca_core columns 1",
            "product": b"tlm1",
            "period": b"2021-01",
            "time": b"TIME",
            "group": None,
            "synthetic": True,
        }
        sources = file["slot_0/size_2/0/sources"]
        rows = followed.archive.get_rows("2021:030", "2021:031:13:59:00", where={"slot": [0], "size": [2]})
        assert [name.decode() for name in sources["filename"]] == [row["filename"] for row in rows]
        assert sources["rows"].tolist() == [10, 5]
        assert sources["size"].tolist() == [Path(row["path"]).stat().st_size for row in rows]
        assert sources["revision"].tolist() == [1, 1]
        assert sources["synthetic"].tolist() == [1, 1]
        image = file["slot_0/size_2/0/columns/IMG"]
        assert (image.shape, image.chunks, image.compression) == ((15, 2, 2), None, None)


def test_tables_with_other_columns_lie_apart(followed):
    with Piece(followed.piece("2021/032.h5")) as piece:
        assert piece.groups() == ["slot_0/size_2"]
        places = {run.place: run.source.rows for run in piece.runs("slot_0/size_2")}
        assert list(places) == ["slot_0/size_2/0", "slot_0/size_2/1"]
        assert set(piece.names("slot_0/size_2/1")) - set(piece.names("slot_0/size_2/0")) == {"EXTRA"}


# ---- behind, and made again -----------------------------------------------------------------------------------------


def test_a_store_that_was_behind_has_all_of_a_day_when_it_is_told_of_one_file(site):
    site.put("2021:030:10:00:00", TEN)
    site.update()  # not told
    site.put("2021:030:12:00:00", TEN)
    site.put("2021:030:10:00:00", TEN, revision=2, seed=3)
    site.follow(site.update())
    (group,) = assert_same(site.archive, "2021:030", "2021:031")
    assert (group.from_store, len(group.files)) == (2, 2)


def test_a_store_is_made_of_an_archive_that_has_none(site):
    span = story(site)
    site.update()
    said = []
    report = site.keeper.rebuild(told=lambda *each: said.append(each))
    assert report.written == ["2021/030.h5", "2021/031.h5", "2021/month-01.h5", "2021/032.h5", "2021/033.h5"]
    assert said == [(f"2021:03{number - 1}", number, 4) for number in range(1, 5)]
    groups = assert_same(site.archive, *span)
    assert all(group.from_store == len(group.files) for group in groups)
    before = site.state()
    assert site.keeper.rebuild().unchanged == 4
    assert site.state() == before


def test_a_range_can_be_made_alone(site):
    story(site)
    site.update()
    assert site.keeper.rebuild(secs("2021:031:12:00:00"), secs("2021:031:15:00:00")).written == ["2021/031.h5"]
    assert site.keeper.rebuild(stop=secs("2021:030:12:00:00")).written == ["2021/030.h5"]
    assert site.keeper.rebuild(secs("2022:001"), secs("2022:002")).written == []


def test_made_anew_it_has_the_same_and_reads_every_file(followed):
    site = followed
    expected = plain(site.read(*site.span))
    path = site.piece("2021/month-01.h5")
    _flip_a_value(path)
    assert plain(site.read(*site.span)) != expected, "a wrong value cannot be seen by who does not look for it"
    report = site.keeper.rebuild(anew=True)
    assert report.unchanged == 0
    assert site.pieces == ["2021/032.h5", "2021/033.h5", "2021/month-01.h5"]
    assert plain(site.read(*site.span)) == expected
    assert site.problems(full=True) == []


def test_made_anew_it_keeps_the_rows_of_a_file_that_was_damaged_since(site):
    site.put("2021:033:10:00:00", TEN)
    site.put("2021:033:10:00:00", TEN, slot=1)
    site.follow(site.update())
    expected = plain(site.read())
    damaged = sorted(site.keeper.store.folder.glob("2021/033/*"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-20])
    report = site.keeper.rebuild(anew=True)
    assert (report.written, len(report.failed)) == (["2021/033.h5"], 1)
    assert plain(site.read()) == expected


def test_the_first_update_of_a_plugin_that_was_disabled_leaves_nothing_behind(tmp_path):
    """By way of the configuration and of the built-in plugin, which is told late what it has missed."""
    from aca_plugins.aca0 import ACA0  # the only product of which the built-in configuration knows

    assert ACA0.column_store is not None
    root, delivered = tmp_path / "archive", tmp_path / "delivered" / "aca0"
    root.mkdir()
    _deliver_level0(delivered, "2021:001")
    text = f'root = "{root}"\n[plugins]\ndisable = []\n[retrievers.directory]\nfolder = "{delivered.parent}"\n'
    text += '[sets.t]\nproducts = ["aca0"]\nretriever = "directory"\n'
    (tmp_path / "aca.toml").write_text(text)
    options = UpdateOptions(since=secs("2021:001"), until=secs("2021:003"))
    archive = open_archive(config=tmp_path / "aca.toml")
    assert archive["aca0"].run_update(options).undelivered == {}
    keeper = archive["aca0"].column_store
    assert [path.name for path in keeper.folder.glob("2*/*")] == ["001.h5"]
    (tmp_path / "aca.toml").write_text(text.replace("disable = []", 'disable = ["column-store"]'))
    _deliver_level0(delivered, "2021:002")
    disabled = open_archive(config=tmp_path / "aca.toml")
    disabled["aca0"].run_update(options)
    (group,) = assert_same(disabled["aca0"], "2021:001", "2021:003")
    assert (group.from_store, len(group.files)) == (1, 2)
    assert disabled["aca0"].verify(full=True) == [], "it is known that somebody is yet to be told"
    (tmp_path / "aca.toml").write_text(text)
    archive = open_archive(config=tmp_path / "aca.toml")
    archive["aca0"].run_update(options)
    (group,) = assert_same(archive["aca0"], "2021:001", "2021:003")
    assert group.from_store == 2


def _deliver_level0(folder, date):
    from aca_core.testing import write_fits

    start = secs(f"{date}:10:00:00")
    place = folder / date.replace(":", "/")
    place.mkdir(parents=True)
    header = {"TSTART": start, "TSTOP": start + 20, "REVISION": 1, "DATE": "2021-10-01T00:00:00", "SYNTHET": True}
    columns = {"TIME": start + np.arange(5) * 4.1, "IMGRAW": np.ones((5, 8, 8), np.float32)}
    write_fits(place / f"acaf{int(start)}N001_3_img0.fits.gz", header, columns)


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_damaged_file_keeps_the_others_of_its_day_from_nothing(site, caplog):
    site.put("2021:030:10:00:00", TEN)
    bad = site.put("2021:030:12:00:00", TEN)
    (change,) = site.update()
    path = site.archive.stores[0].directory(day_of("2021:030")) / bad
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with caplog.at_level(logging.WARNING, "aca_core"):
        report = site.keeper.follow(change)
    assert report.written == ["2021/030.h5"]
    assert len(report.failed) == 1
    assert "has other bytes than were archived" in report.failed[0]
    assert bad in caplog.text
    (group,) = site.read("2021:030:09:59:59", "2021:030:11:00:00")
    assert group.from_store == 1
    # As long as it is damaged, nothing is written again; when it is whole, it is taken over.
    before = site.state()
    assert site.keeper.follow(change).written == []
    assert site.state() == before
    path.write_bytes(content)
    assert site.keeper.follow(change).written == ["2021/030.h5"]
    (group,) = assert_same(site.archive, "2021:030", "2021:031")
    assert group.from_store == 2


def _flip_a_value(path, column="FLAG"):
    """Change one byte of the values of a column, which HDF5 cannot see."""
    with h5py.File(path) as file:
        found = []
        file.visit(lambda name: found.append(name) if name.endswith(f"/columns/{column}") else None)
        offset = file[found[0]].id.get_offset()
    with path.open("r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 0x55]))


@pytest.mark.parametrize("damage", [_flip_a_value, lambda path: path.write_bytes(path.read_bytes()[:3000])])
def test_damage_is_never_copied_into_a_new_piece(site, caplog, damage):
    deliver_days(site, [30, 31])
    site.follow(site.update())
    expected = plain(site.read("2021:030", "2021:040"))
    damage(site.piece("2021/030.h5"))
    # Into that of the day, with another file of it.
    site.put("2021:030:12:00:00", TEN, slot=1)
    site.follow(site.update())
    assert plain(site.read("2021:030", "2021:040"))[:1] == expected
    damage(site.piece("2021/030.h5"))
    # Into that of the month.
    site.put("2021:032:10:00:00", TEN, slot=2)
    with caplog.at_level(logging.WARNING, "aca_core"):
        site.follow(site.update())
    assert "made again from the files, since damaged" in caplog.text
    assert site.pieces == ["2021/032.h5", "2021/month-01.h5"]
    assert plain(site.read("2021:030", "2021:040"))[:1] == expected
    groups = assert_same(site.archive, "2021:030", "2021:040")
    assert all(group.from_store == len(group.files) for group in groups)
    assert site.problems(full=True) == []


def test_what_a_killed_writer_has_left_is_removed_by_the_next(followed):
    left = [killed_piece(followed.piece(name)) for name in ("2021/033.h5", "2021/month-01.h5")]
    assert followed.problems(full=True) == []
    followed.keeper.follow(followed.changes[0])
    assert [path for path in left if path.exists()] == []


def test_that_of_a_month_too_when_the_year_has_changed(site):
    site.put("2020:366:10:00:00", TEN)
    site.follow(site.update())
    left = killed_piece(site.piece("2020/month-12.h5"))
    site.put("2021:001:10:00:00", TEN)
    assert site.follow(site.update()) == ["2021/001.h5", "2020/month-12.h5"]
    assert not left.exists()


def test_changes_that_are_of_no_day_are_of_no_concern(followed):
    report = followed.keeper.follow(Change(product="tlm1", unit=ObsidRevision(1, 1)))
    assert (report.written, report.unchanged) == ([], 0)


def test_the_built_in_plugin_does_nothing_for_products_without_a_store(site, tmp_path):
    from aca_plugins.column_store import aca_committed

    aca_committed(Change(product="asp1", unit=ObsidRevision(1, 1), archive=tmp_path))
    with using(open_archive(site.folder / "archive")):
        aca_committed(Change(product="aca0", unit=day_of("2021:030")))  # of no archive, as a test may make one
    assert not list(site.folder.glob("archive/*/columns"))


def test_a_file_that_is_replaced_while_it_is_read_is_not_taken_for_what_it_was(site, monkeypatch):
    name = site.put("2021:030:10:00:00", TEN)
    (change,) = site.update()
    path = site.archive.stores[0].directory(day_of("2021:030")) / name
    (site.shelf.folder / "2021/030" / name).unlink()
    site.put("2021:030:10:00:00", TEN, seed=9)
    real = parts.read_file

    def read_file(*arguments):
        (site.shelf.folder / "2021/030" / name).rename(path)
        return real(*arguments)

    monkeypatch.setattr(parts, "read_file", read_file)
    report = site.keeper.follow(change)
    assert ["was replaced while it was read" in each for each in report.failed] == [True]


def test_days_that_came_late_are_not_looked_into_by_every_change(site, monkeypatch):
    deliver_days(site, [1, 2, 32])
    site.follow(site.update())
    deliver_days(site, range(3, 8))
    site.follow(site.update())
    opened = []
    real = parts.Piece
    monkeypatch.setattr(parts, "Piece", lambda path: (opened.append(path.name), real(path))[1])
    deliver_days(site, [33])
    site.follow(site.update())
    assert [name for name in opened if name < "032"] == []
