"""From the maps of the ground system to entries with properties: what is made, what is replaced, what is told."""

import json
import os
import stat
import time

import attrs
import numpy as np
import pytest
from astropy.io import fits
from dark_site import DARK_IDS, site_of, write_table

from aca_core import AcaError, ConfigError, LockedError, MissingDataError, using
from aca_core.archive.locking import FolderLock
from aca_core.dark_processing import DarkInputs, calibration_events, entries, get_ccd_temp, update_dark_cals
from aca_core.dates import to_date, to_secs

ALL = {"start": "1999:200"}
KEYS = ["ccd_temp", "date", "dec", "dur", "eb", "el", "id", "l_l0", "ra", "replicas"]
KEYS += ["start", "stop", "sun_el", "synthetic", "zodib"]


def read(simulated, dark_id):
    return json.loads((simulated.mica_root / dark_id / "properties.json").read_text())


def tree(folder):
    """Return everything in a folder, hidden names of locks left out."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.name.startswith(".lock")
    }


def states(report):
    return {row.dark_id: row.state for row in report.rows}


# ---- what is made ---------------------------------------------------------------------------------------------------


def test_every_calibration_gets_its_entry_and_the_injected_temperature_is_found_again(site, simulated):
    report = update_dark_cals(site, **ALL)
    assert states(report) == dict.fromkeys(DARK_IDS, "made")
    assert report.synthetic == DARK_IDS
    source = site.registry.dark_source("mica")
    assert source.ids() == DARK_IDS
    for truth in simulated.calibrations:
        properties = source.properties(truth.dark_id)
        assert sorted(properties) == KEYS
        tolerance = 0.3 if truth.source == "GUESS" else 0.03
        assert properties["ccd_temp"] == pytest.approx(truth.t_ccd, abs=tolerance)
        assert properties["ccd_temp"] == pytest.approx(np.mean([each["ccd_temp"] for each in properties["replicas"]]))
        assert {each["ccd_temp_source"] for each in properties["replicas"]} == {truth.source}
        assert [each["count"] for each in properties["replicas"]] == [1, 2, 3, 4, 5]
        assert to_secs([each["start"] for each in properties["replicas"]]) == pytest.approx(
            [replica.tstart for replica in truth.replicas], abs=1e-3
        )
        assert {name: properties[name] for name in truth.sky} == truth.sky
        raw = (simulated.ska_root / truth.dark_id / "imd.fits").read_bytes()
        assert (simulated.mica_root / truth.dark_id / "image.fits").read_bytes() == raw


def test_what_was_made_answers_questions_by_date(site, simulated):
    from aca_core.dark_cal import get_dark_cal_image, get_dark_cal_props_table

    update_dark_cals(site, **ALL)
    with using(site):
        table = get_dark_cal_props_table()
        image = get_dark_cal_image("2012:300", allow_negative=True)
    assert table["id"].tolist() == list(DARK_IDS)
    assert table["ccd_temp"] == pytest.approx([truth.t_ccd for truth in simulated.calibrations], abs=0.3)
    assert int((image > 100).sum()) == simulated.of("2012115").n_warm
    assert (image < 0).any()


def test_properties_are_written_with_sorted_keys_and_an_indent(site, simulated):
    update_dark_cals(site, **ALL)
    text = (simulated.mica_root / "2012115" / "properties.json").read_text()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=4) + "\n"
    assert list(json.loads(text)) == KEYS


def test_a_map_from_flight_gets_no_mark(site, simulated):
    path = simulated.ska_root / "2012115" / "imd.fits"
    with fits.open(path, mode="update") as hdus:
        del hdus[0].header["SYNTHET"]
    report = update_dark_cals(site, start="2012:110", stop="2012:120")
    assert report.synthetic == ()
    assert "synthetic" not in read(simulated, "2012115")


def test_the_temperature_of_a_replica_is_looked_for_ten_minutes_around_it(site, simulated):
    """Header 3 has samples there alone; without them telemetry answers."""
    update_dark_cals(site, **ALL)
    replica = read(simulated, "2012115")["replicas"][2]
    with using(site):
        wide = get_ccd_temp(to_secs(replica["start"]) - 600, to_secs(replica["stop"]) + 600)
        assert wide == (replica["ccd_temp"], "HDR3")
        assert get_ccd_temp(replica["start"], replica["stop"])[1] == "AACCCDPT"


def test_what_was_not_downlinked_is_told_and_of_early_calibrations_everything_was(site, simulated):
    (simulated.ska_root / "2012115" / "VC2_Replica3_SFDU_2012115.dat").unlink()
    update_dark_cals(site, **ALL)
    assert [each["downlink"] for each in read(simulated, "2012115")["replicas"]] == [True, True, False, True, True]
    assert all(each["downlink"] for each in read(simulated, "2000326")["replicas"])


def test_files_have_the_permissions_that_are_configured(simulated):
    site = site_of(simulated)
    site = type(site)(attrs.evolve(site.config, file_mode="0444"))
    update_dark_cals(site, start="2012:110", stop="2012:120")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (simulated.mica_root / "2012115").iterdir()}
    assert modes == {0o444}
    os.utime(simulated.ska_root / "2012115" / "imd.fits")
    assert states(update_dark_cals(site, start="2012:110", stop="2012:120")) == {"2012115": "updated"}


def test_by_default_the_last_thirty_days_are_looked_at(site, simulated):
    report = update_dark_cals(site)
    assert report.rows == ()
    assert to_secs(report.stop) - to_secs(report.start) == pytest.approx(30 * 86400, abs=0.01)
    recent = to_secs() - 20 * 86400
    write_table(simulated.settings.events, "start,stop", [(to_date(recent), to_date(recent + 9000))])
    assert [row.state for row in update_dark_cals(site).rows] == ["failed"]  # it has no map yet


# ---- what is replaced -----------------------------------------------------------------------------------------------


def test_a_new_map_that_keeps_the_time_of_its_making_is_newer_than_the_old_one(site, simulated):
    """As of a copied tree: it was made before its forerunner was processed."""
    image, now = simulated.ska_root / "2012115" / "imd.fits", time.time()
    os.utime(image, (now - 7200, now - 7200))
    update_dark_cals(site, **ALL)
    os.utime(image, (now - 3600, now - 3600))
    assert states(update_dark_cals(site, **ALL)) == {**dict.fromkeys(DARK_IDS, "current"), "2012115": "updated"}


def test_times_may_be_coarse_where_entries_are(site, simulated, monkeypatch):
    """Some file systems cut them off; an entry must not be older than its map for ever."""
    two, real = 2_000_000_000, os.utime
    monkeypatch.setattr(os, "utime", lambda path, ns: real(path, ns=tuple(each // two * two for each in ns)))
    update_dark_cals(site, **ALL)
    assert set(states(update_dark_cals(site, **ALL)).values()) == {"current"}


def test_a_second_update_changes_nothing(site, simulated):
    update_dark_cals(site, **ALL)
    before = tree(simulated.mica_root)
    assert states(update_dark_cals(site, **ALL)) == dict.fromkeys(DARK_IDS, "current")
    assert tree(simulated.mica_root) == before


def _newer(simulated, place):
    image = np.ones((1024, 1024), ">f4")
    fits.PrimaryHDU(image).writeto(simulated.ska_root / "2012115" / "imd.fits", overwrite=True)


def _later(simulated, place):
    """Date the map in the future, as a clock that is ahead does."""
    ahead = time.time() + 3600
    os.utime(simulated.ska_root / "2012115" / "imd.fits", (ahead, ahead))


def _cut(simulated, place):
    os.truncate(place / "image.fits", 100_000)


def _without_map(simulated, place):
    (place / "image.fits").unlink()


def _without_properties(simulated, place):
    (place / "properties.json").unlink()


def _cut_properties(simulated, place):
    (place / "properties.json").write_text('{"ccd_temp": ')


def _deep_properties(simulated, place):
    (place / "properties.json").write_text("[" * 100_000)


def _without_temperature(simulated, place):
    (place / "properties.json").write_text('{"id": "2012115"}')


def _fewer_replicas(simulated, place):
    said = json.loads((place / "properties.json").read_text())
    (place / "properties.json").write_text(json.dumps({**said, "replicas": said["replicas"][:3]}))


def _shorter(simulated, place):
    said = json.loads((place / "properties.json").read_text())
    (place / "properties.json").write_text(json.dumps({**said, "stop": said["start"]}))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_newer, "is newer"),
        (_later, "is newer"),
        (_cut, "its map is damaged"),
        (_without_map, "its map is missing"),
        (_without_properties, "properties are missing or damaged"),
        (_cut_properties, "properties are missing or damaged"),
        (_deep_properties, "properties are missing or damaged"),
        (_without_temperature, "properties are missing or damaged"),
        (_fewer_replicas, "tell of 3"),
        (_shorter, "it went on to 2012:115"),
    ],
)
def test_an_entry_that_is_older_than_its_map_or_incomplete_is_replaced(site, simulated, spoil, reason):
    update_dark_cals(site, **ALL)
    place, others = simulated.mica_root / "2012115", tree(simulated.mica_root / "2019272")
    (place / "notes").mkdir()
    (place / "notes" / "by_hand.txt").write_text("kept")
    spoil(simulated, place)
    report = update_dark_cals(site, **ALL)
    assert states(report) == {**dict.fromkeys(DARK_IDS, "current"), "2012115": "updated"}
    assert reason in next(row.reason for row in report.rows if row.state == "updated")
    raw = (simulated.ska_root / "2012115" / "imd.fits").read_bytes()
    assert (place / "image.fits").read_bytes() == raw
    assert len(read(simulated, "2012115")["replicas"]) == 5
    assert (place / "notes" / "by_hand.txt").read_text() == "kept"
    assert tree(simulated.mica_root / "2019272") == others
    assert set(states(update_dark_cals(site, **ALL)).values()) == {"current"}
    assert not [path for path in simulated.mica_root.iterdir() if path.name.endswith((".new", ".old"))]


def test_an_entry_of_another_processing_is_left_alone(site, simulated):
    """That of the newer one has neither replicas nor a stop."""
    update_dark_cals(site, **ALL)
    path = simulated.mica_root / "2019272" / "properties.json"
    path.write_text('{"ccd_temp": -11.0, "t_ccd": -11.0, "date": "2019:272"}')
    assert set(states(update_dark_cals(site, **ALL)).values()) == {"current"}


# ---- what fails -----------------------------------------------------------------------------------------------------


def _no_row(simulated):
    path = simulated.ska_root / DARK_IDS[-1] / "Result" / "zodi.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "2012:115" not in line))


def _empty_cell(simulated):
    path = simulated.ska_root / DARK_IDS[-1] / "Result" / "zodi.csv"
    lines = path.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    path.write_text("\n".join(",".join([*row[:-1], "" if row[0] == "2012:115" else row[-1]]) for row in cells))


def _in_the_way(simulated):
    simulated.mica_root.mkdir()
    (simulated.mica_root / "2012115").write_text("by hand")


def _map(content):
    def spoil(simulated):
        fits.PrimaryHDU(content).writeto(simulated.ska_root / "2012115" / "imd.fits", overwrite=True)

    return spoil


def _no_map(simulated):
    (simulated.ska_root / "2012115" / "imd.fits").unlink()


def _no_folder(simulated):
    (simulated.ska_root / "2012115").rename(simulated.ska_root / "elsewhere")


def _no_temperatures(simulated):
    for path in (simulated.settings.hdr3, simulated.settings.aacccdpt):
        path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("2012:11")))


_NAN = np.ones((1024, 1024), "f4")
_NAN[3, 4] = np.nan


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_no_row, "zodi.csv has no row with the date 2012:115"),
        (_empty_cell, "no value for l_l0|no value for zodib"),
        (_map(np.ones((1024, 512), "f4")), r"shape \(1024, 512\); expected \(1024, 1024\)"),
        (_map(_NAN), "1 pixels that are no finite numbers"),
        (_map(None), "holds no image"),
        (_no_map, "has no map .*imd.fits yet"),
        (_no_folder, "aca_dark_cal.*: no calibration of 2012:115.*, nor of the day before or after it, is there"),
        (_no_temperatures, "no CCD temperature between 2012:115"),
        (_in_the_way, "2012115: is no folder, and .* has to be there; move it away"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_fails_is_told_and_the_others_are_done(site, simulated, spoil, reason, dry_run):
    import re

    spoil(simulated)
    report = update_dark_cals(site, **ALL, dry_run=dry_run)
    assert states(report) == {**dict.fromkeys(DARK_IDS, "made"), "2012115": "failed"}
    (failed,) = (row for row in report.rows if row.state == "failed")
    assert re.search(reason, failed.reason)
    assert ".new" not in failed.reason
    assert not (simulated.mica_root / "2012115").is_dir()
    assert report.ids("failed") == ["2012115"]
    if not dry_run:
        assert not [path for path in simulated.mica_root.iterdir() if path.name.startswith(".2")]


def test_what_is_in_the_way_of_an_entry_stays(site, simulated):
    _in_the_way(simulated)
    (simulated.mica_root / "2019272").symlink_to("nowhere")
    assert update_dark_cals(site, **ALL).ids("failed") == ["2012115", "2019272"]
    assert (simulated.mica_root / "2012115").read_text() == "by hand"
    assert (simulated.mica_root / "2019272").is_symlink()


def test_an_update_that_is_interrupted_leaves_an_entry(site, simulated, monkeypatch):
    """By a person, between the two renames."""
    update_dark_cals(site, **ALL)
    os.utime(simulated.ska_root / "2012115" / "imd.fits")
    real, moved = entries.move, []

    def interrupted(source, target):
        moved.append(target)
        if len(moved) == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(entries, "move", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update_dark_cals(site, **ALL)
    assert len(read(simulated, "2012115")["replicas"]) == 5
    assert not [path for path in simulated.mica_root.iterdir() if path.name.endswith((".new", ".old"))]


def test_a_damaged_new_map_does_not_replace_a_good_entry(site, simulated):
    update_dark_cals(site, **ALL)
    before = tree(simulated.mica_root)
    _map(_NAN)(simulated)
    assert states(update_dark_cals(site, **ALL))["2012115"] == "failed"
    assert tree(simulated.mica_root) == before


def test_the_table_of_the_sky_is_that_of_the_latest_calibration_and_read_again_when_it_changes(site, simulated):
    path = simulated.ska_root / DARK_IDS[-1] / "Result" / "zodi.csv"
    content = path.read_text()
    path.unlink()
    report = update_dark_cals(site, **ALL)
    assert set(states(report).values()) == {"failed"}
    assert "has no table of the sky" in report.rows[0].reason
    path.write_text(content)
    assert set(states(update_dark_cals(site, **ALL)).values()) == {"made"}


def test_what_else_the_table_of_the_sky_has_goes_along_where_it_has_a_value(site, simulated):
    path = simulated.ska_root / DARK_IDS[-1] / "Result" / "zodi.csv"
    more = {"2000:326": "1.5,,bright", "2012:115": "nan,2,", "2019:272": "inf,3,"}
    header, *lines = path.read_text().splitlines()
    lines = [f"{line},{more.get(line[:8], ',,')}" for line in lines]
    path.write_text("\n".join([f"{header},moon,stars,remark", *lines]))
    assert set(states(update_dark_cals(site, **ALL)).values()) == {"made"}
    found = [{name: read(simulated, each).get(name) for name in ("moon", "stars", "remark")} for each in DARK_IDS[1:]]
    assert found == [
        {"moon": 1.5, "stars": None, "remark": "bright"},
        {"moon": None, "stars": 2, "remark": None},
        {"moon": None, "stars": 3, "remark": None},
    ]


def test_the_folder_of_the_next_day_is_not_taken_by_a_calibration_that_has_none(site, simulated):
    """Whose it is says the exact day; otherwise two would replace each other's entry at every update."""
    truth = simulated.of("2012115")
    earlier = truth.tstart - 1.6 * 86400  # the day before, or the one before that, more than a day before the first
    while to_date(earlier)[:8] != "2012:114":
        earlier += 3600
    stop = min(earlier + 8500, truth.tstart - 86400 - 10)
    lines = simulated.settings.events.read_text() + f"{to_date(stop - 8500)},{to_date(stop)}\n"
    simulated.settings.events.write_text(lines)
    rows = [row for row in update_dark_cals(site, **ALL).rows if row.start.startswith("2012")]
    assert [row.state for row in rows] == ["failed", "made"]
    assert "2012115 is that of another" in rows[0].reason


def test_a_calibration_without_a_replica_fails(simulated, events, site):
    start = to_date(simulated.of("2012115").tstart)
    intervals = [(step * 1000, step * 1000 + 200) for step in range(10)]
    report = update_dark_cals(site, **ALL, inputs=events(start, intervals))
    assert [row.state for row in report.rows] == ["failed"]
    assert "has no replica" in report.rows[0].reason


# ---- who asks, and where --------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(site, simulated):
    report = update_dark_cals(site, **ALL, dry_run=True)
    assert report.dry_run
    assert states(report) == dict.fromkeys(DARK_IDS, "made")
    assert not simulated.mica_root.exists()


def test_each_is_told_as_it_is_done_and_the_report_is_a_table(site):
    told = []
    with using(site):
        report = update_dark_cals(**ALL, told=told.append)
    assert tuple(told) == report.rows
    table = report.table()
    assert table["dark_id"].tolist() == list(DARK_IDS)
    assert table.meta == {"source": "ska", "target": "mica", "dry_run": False}
    assert attrs.evolve(report, rows=()).table().colnames == table.colnames


def test_a_site_without_events_is_told_the_key(simulated):
    with pytest.raises(ConfigError, match=r"dark\.events: is not set"):
        update_dark_cals(site_of(simulated, events=None), **ALL)
    with pytest.raises(MissingDataError, match=r"dark\.events"):
        update_dark_cals(site_of(simulated), **ALL, inputs=DarkInputs())


def test_a_site_without_the_tree_of_the_ground_system_is_told_the_key(simulated):
    simulated.ska_root.rename(simulated.folder / "away")
    with pytest.raises(MissingDataError, match=r"aca_dark_cal; .*; it is the source that dark\.processed_from names"):
        update_dark_cals(site_of(simulated), **ALL)


@pytest.mark.parametrize(
    ("dark", "says"),
    [
        ({"source": "ska"}, r"dark\.source: 'ska' keeps no properties"),
        ({"processed_from": "mica"}, r"dark\.processed_from: .* is also where entries are made"),
    ],
)
def test_sources_that_cannot_be_processed_are_named(simulated, dark, says):
    with pytest.raises(ConfigError, match=says):
        update_dark_cals(site_of(simulated, **dark), **ALL)


def test_a_tree_is_never_made_of_itself_by_another_name(simulated):
    simulated.mica_root.symlink_to(simulated.ska_root)
    with pytest.raises(ConfigError, match=r"dark\.processed_from: .* is also where entries are made"):
        update_dark_cals(site_of(simulated), **ALL)


def test_a_file_where_the_tree_should_be_is_named(site, simulated):
    simulated.mica_root.write_text("by hand")
    with pytest.raises(AcaError, match=rf"{simulated.mica_root} may not be written to \(File exists\)"):
        update_dark_cals(site, **ALL)


def test_a_source_that_is_no_tree_cannot_be_processed(simulated):
    from aca_core import DarkSource, hookimpl

    @attrs.frozen(kw_only=True)
    class Other(DarkSource):
        def ids(self):
            return ()

        def directory(self, dark_id):
            return simulated.folder

        image = properties = directory

    class Plugin:
        @hookimpl
        def aca_dark_sources(self):
            return [Other(name="other")]

    site = site_of(simulated, processed_from="other")
    site.registry.add(Plugin(), "other")
    with pytest.raises(ConfigError, match=r"dark\.processed_from: 'other' is a Other; expected a tree"):
        update_dark_cals(site, **ALL)


def test_one_writes_at_a_time(site, simulated):
    with FolderLock(simulated.mica_root).held(0.0):
        with pytest.raises(LockedError, match=f"process {os.getpid()} on"):
            update_dark_cals(site, **ALL, wait=0.0)
        assert set(states(update_dark_cals(site, **ALL, dry_run=True, wait=0.0)).values()) == {"made"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; tests/dark_processing/test_faults.py can")
def test_a_tree_that_may_not_be_written_to_is_named(site, simulated):
    simulated.mica_root.mkdir()
    simulated.mica_root.chmod(0o555)
    with pytest.raises(AcaError, match=r"may not be written to .*dark_sources\.mica"):
        update_dark_cals(site, **ALL)


def test_an_entry_in_a_further_root_is_current(simulated, tmp_path):
    """The first root that has it answers, and nothing is made again in the first."""
    update_dark_cals(site_of(simulated), **ALL)
    first = tmp_path / "mine"
    first.mkdir()
    site = site_of(simulated)
    both = type(site)(attrs.evolve(site.config, root=[first, simulated.folder]))
    assert set(states(update_dark_cals(both, **ALL)).values()) == {"current"}
    os.utime(simulated.ska_root / "2012115" / "imd.fits")
    assert states(update_dark_cals(both, **ALL))["2012115"] == "updated"
    assert [path.name for path in (first / "aca_dark").iterdir() if path.name[0] != "."] == ["2012115"]


def test_events_are_the_ones_of_the_site(site, simulated):
    with using(site):
        found = calibration_events("2012:100", "2012:130")
    assert [event.dur for event in found] == pytest.approx([13_700.0])
