"""Which files of telemetry there are, by time, slot and size of image, and by observation."""

from __future__ import annotations

from pathlib import Path

import pytest
from l0_telemetry import archive_of, ingest

from aca_core import DateError, DeclarationError, MissingDataError, using
from aca_core.aca_l0 import get_files
from aca_core.simulation import simulate_delivery


def names(paths):
    return [Path(path).name for path in paths]


def test_files_are_found_by_time_slot_and_size(archive, simulated):
    files = simulated.telemetry.files
    found = get_files(start="2021:001", stop="2021:002")
    archived = {row["filename"]: row for row in archive["aca0"].get_rows("2021:001", "2021:002")}
    assert sorted(names(found)) == sorted(archived)
    assert set(archived) <= {file.name for file in files}
    assert all(Path(path).is_file() for path in found)
    times = [archived[name]["filetime"] for name in names(found)]
    assert times == sorted(times)
    for slots, sizes in ((3, None), ([0, 5], None), (None, 8), ([3], [4, 6]), ((6,), 4)):
        expected = {
            name
            for name, row in archived.items()
            if (slots is None or row["slot"] in ([slots] if isinstance(slots, int) else slots))
            and (sizes is None or row["imgsize"] in ([sizes] if isinstance(sizes, int) else sizes))
        }
        assert set(names(get_files(start="2021:001", stop="2021:002", slots=slots, imgsize=sizes))) == expected


def test_a_file_that_only_touches_the_range_is_not_in_it(archive):
    rows = archive["aca0"].get_rows("2021:001", "2021:002", where={"slot": [6]})
    first = min(rows, key=lambda row: row["tstart"])
    start, stop = first["tstart"], first["tstop"]
    assert first["filename"] not in names(get_files(start=start - 100, stop=start, slots=6))
    assert first["filename"] in names(get_files(start=start - 100, stop=start + 1e-3, slots=6))
    assert first["filename"] not in names(get_files(start=stop, stop=stop + 100, slots=6))
    assert first["filename"] in names(get_files(None, stop - 1e-3, stop + 100, [6]))


def test_files_are_found_by_index_and_tree(simulated, tmp_path):
    folder = simulated.stored.roots[0] / "aca0"
    with using(simulated.stored):
        expected = get_files(start="2021:001", stop="2021:002", slots=[0])
    with using(archive_of(tmp_path, tmp_path / "nothing")):
        assert get_files(start="2021:001", stop="2021:002", slots=[0]) == []
        assert get_files(None, "2021:001", "2021:002", [0], None, None, folder) == expected
        assert get_files(None, "2021:001", "2021:002", [0], None, {"server": folder / "archfiles.db3"}) == expected


# ---- by observation -------------------------------------------------------------------------------------------------


@pytest.fixture
def observed(simulated, tmp_path):
    """Return an archive of the telemetry and of the parameters of two observations, one of them not released."""
    telemetry = simulated.telemetry
    delivered = tmp_path / "delivered"
    delivery = simulate_delivery(delivered, seed=2, duration=100.0, obsids=[8008])
    for path in telemetry.folder.glob("aca0/*/*/*"):
        target = delivered / path.relative_to(telemetry.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(path)
    opened = archive_of(tmp_path, delivered, catalogue=delivery.catalogue, products=("obspar", "aca0"))
    opened["obspar"].update(rebuild=True)
    return ingest(opened, telemetry.start - 10, telemetry.stop + 10)


def test_the_time_of_an_observation_is_that_of_its_parameters(observed, monkeypatch):
    (row,) = observed["obspar"].get_rows(8008)
    with using(observed):
        assert get_files(8008) == get_files(start=row["tstart"], stop=row["tstop"])
        first = observed["aca0"].get_rows("2021:001", "2021:002")[0]
        lasts = [{"tstart": first["tstart"] + 5, "tstop": first["tstart"] + 10}]
        kind = type(observed["obspar"])
        # Only what is not released has been archived of this one.
        monkeypatch.setattr(kind, "get_rows", lambda self, obsid, **more: lasts if more["revision"] == "last" else [])
        assert first["filename"] in names(get_files(8008, slots=first["slot"]))


def test_an_observation_that_is_not_archived_is_told(observed):
    with using(observed):
        with pytest.raises(MissingDataError, match="the time of obsid 5438 is not known: no obspar of it is archived"):
            get_files(obsid=5438)
        with pytest.raises(DeclarationError, match="obsid"):
            get_files(obsid="five")


def test_a_product_that_tells_times_is_needed(tmp_path):
    with (
        using(archive_of(tmp_path, tmp_path / "nothing", disable=["obspar"])),
        pytest.raises(MissingDataError, match="no product provides 'obsid-times'"),
    ):
        get_files(obsid=5438)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "needs an obsid, or a start and a stop"),
        ({"stop": "2021:002"}, TypeError, "needs an obsid, or a start and a stop"),
        ({"obsid": 8008, "start": "2021:001"}, TypeError, "not both"),
        ({"start": "2021:002", "stop": "2021:001"}, DateError, "goes forward"),
        ({"start": "2021:001", "stop": "2021:002", "slots": [0, 8]}, DeclarationError, "slot is 8"),
        ({"start": "2021:001", "stop": "2021:002", "slots": "01"}, DeclarationError, "slot is '01'"),
        ({"start": "2021:001", "stop": "2021:002", "imgsize": [7]}, DeclarationError, "imgsize is"),
    ],
)
def test_bad_questions_are_told(archive, arguments, error, message):
    with pytest.raises(error, match=message):
        get_files(**arguments)


def test_without_a_product_of_telemetry_that_is_told(tmp_path):
    with (
        using(archive_of(tmp_path, tmp_path / "nothing", disable=["aca0"], products=("obspar",))),
        pytest.raises(MissingDataError, match="no product provides 'aca-level0'"),
    ):
        get_files(start="2021:001", stop="2021:002")
