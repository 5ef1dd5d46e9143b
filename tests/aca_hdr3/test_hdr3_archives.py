"""Header 3 from archives of files: flight data, mode changes, and telemetry whose truth is known."""

import shutil

import hypothesis.strategies as st
import numpy as np
import pytest
from header_3_telemetry import START, archive_of, times_of, write_slot
from hypothesis import given, settings

from aca_core import open_archive, using
from aca_core.aca_hdr3 import CCD_TEMP_FINE, HDR3_ITEMS, MSID, Msid, MSIDset, bit_words, thermistor_table
from aca_core.simulation import simulate_telemetry

FLIGHT = {
    "ad_5v_ps": (4914.0, 0.05),
    "ad_15v_ps": (14785.1, 0.05),
    "ad_m15v_ps": (-14880.3, 0.05),
    "ad_27v_ps": (26588.6, 0.05),
    "ad_analog_gnd": (-2.44, 0.005),
    "ccd_molyb_therm_1": (41.093703, 5e-7),
    "ccd_det_therm": (-9.348819, 5e-7),
    "ad_smhs_therm": (30.3837, 5e-5),
    "ad_achhs_therm": (31.5380, 5e-5),
    "ad_lc_therm": (31.1432, 5e-5),
}
"""Values of 2019:272:02:22:23 and half of their last documented digit."""


@pytest.fixture
def flight(real_data, tmp_path):
    """Return an archive of the eight flight files, which are cut, so that their checksums do not verify."""

    def write_files(place):
        for slot in range(8):
            shutil.copy(real_data / f"test_level0_{slot}.fits.gz", place / f"acaf686111014N001_{slot}_img0.fits.gz")

    return archive_of(tmp_path, write_files, checksum="warn")


def test_flight_data_have_the_documented_values(flight):
    with using(flight):
        first = MSIDset([*FLIGHT, "ac_status_word", "misc_status_bits"], "2019:272:02:22:22", "2019:272:02:22:30")
        table = MSID("ad_5v_ps", "2019:272", "2019:273")
    assert first["ac_status_word"].datestart == "2019:272:02:22:22.000"
    for name, (value, precision) in FLIGHT.items():
        assert first[name].vals[0] == pytest.approx(value, abs=precision)
    assert first["ac_status_word"].vals[0] == 0x02B4
    assert "readout_mode 10" in bit_words("ac_status_word", first["ac_status_word"].vals[0])
    assert bit_words(64, first[64].vals[0]) == ["TecActive", "AcTableCkSumOK", "WarmBoot", "IdleCode LSB"]
    assert not first.synthetic
    assert table.vals.count() == table.vals.size - 1, "the file was cut: its last row is followed by nothing"
    assert np.diff(table.times) == pytest.approx(4.1, abs=1e-3)


def test_flight_slots_that_are_not_8x8_have_no_values(flight):
    with using(flight):
        everything = MSIDset([item.name for item in HDR3_ITEMS], "2019:272", "2019:273")
    counts = {item.name: everything[item.name].vals.count() for item in HDR3_ITEMS}
    assert {name for name, count in counts.items() if count} == {item.name for item in HDR3_ITEMS if item.slot < 3}
    assert set(counts.values()) == {0, everything.times.size - 1}
    with using(flight):
        assert Msid("ccd_temp", "2019:272", "2019:273").vals.shape == (0,)


def test_a_change_of_mode_and_a_row_of_bad_quality_cost_their_rows(tmp_path):
    middle = START + 60 * 4.1

    def write_files(place):
        write_slot(place, 6, times_of(40), ccd_temp=-1000 * 65536 + 0x8000, quality=(np.arange(40) == 7))
        write_slot(place, 6, middle + 2.05 * np.arange(20), size=6)
        write_slot(place, 6, times_of(30, start=middle + 60), ccd_temp=-1100 * 65536)
        write_slot(place, 7, times_of(40), ccd_temp=-1000 * 65536 + 0x8000, dac=3)

    with using(archive_of(tmp_path, write_files)):
        found = MSIDset(["ccd_temp", "ccd_temp_fine", "dac"], "2019:272", START + 1000)
    assert found.times.size == 70
    is_good = np.ones(70, bool)
    is_good[[7, 39, 69]] = False
    assert (~found["ccd_temp"].vals.mask).tolist() == is_good.tolist()
    assert found["ccd_temp"].vals[is_good].tolist() == [-10.0] * 38 + [-11.0] * 29
    assert found["ccd_temp_fine"].vals.compressed() == pytest.approx([-9.995] * 38, rel=1e-9)
    assert found["dac"].vals.compressed().tolist() == [3] * 39
    assert found.synthetic


def test_a_newer_revision_answers_and_an_empty_archive_has_nothing(tmp_path):
    def write_files(place):
        write_slot(place, 7, times_of(40), dac=1)
        write_slot(place, 7, times_of(40), dac=2, revision=2)

    archive = archive_of(tmp_path, write_files)
    with using(archive):
        assert set(Msid("dac", START, START + 100).vals.tolist()) == {2}
        assert Msid("dac", "2010:001", "2010:002").vals.shape == (0,)
    tree = archive.roots[0] / "aca0"
    elsewhere = Msid("dac", START, START + 100, data_root=tree)
    assert set(elsewhere.vals.tolist()) == {2}
    (tmp_path / "none").mkdir()
    with using(open_archive(tmp_path / "none")):
        assert MSID("dac", START, START + 100).vals.shape == (0,)


# ---- simulated telemetry --------------------------------------------------------------------------------------------


def simulated_archive(folder, **options):
    """Return simulated telemetry of seven hours with gaps and bad rows, and an archive that took it in."""
    truth = simulate_telemetry(folder / "delivered", start="2019:272:01:00:00", days=0.3, seed=4, **options)

    def write_files(place):
        for file in truth.files:
            shutil.copy(truth.folder / file.path, place)

    return truth, archive_of(folder, write_files)


@pytest.fixture(scope="module")
def all_8x8(tmp_path_factory):
    """Return telemetry in which all images are 8x8."""
    return simulated_archive(tmp_path_factory.mktemp("header3"), modes="8x8")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Return telemetry in which images change their size."""
    return simulated_archive(tmp_path_factory.mktemp("header3"))


@pytest.mark.parametrize("item", [*HDR3_ITEMS, CCD_TEMP_FINE], ids=lambda item: item.name)
def test_values_are_the_simulated_truth_within_one_step(all_8x8, item):
    truth, archive = all_8x8
    name = "ccd_temp" if item is CCD_TEMP_FINE else item.name
    with using(archive):
        raw, found = Msid(item.name, truth.start, truth.stop, raw=True), Msid(item.name, truth.start, truth.stop)
    assert raw.vals.size == found.vals.size > 1000
    assert found.synthetic
    words = truth.header3_words(name, raw.times)
    words = words >> 16 if item.name == "ccd_temp" else words
    bits = 8 * item.value_size
    words = (words + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1) if item.kind == "signed" else words % 2**bits
    assert raw.vals.tolist() == words.tolist()
    if not item.is_integer:
        value = truth.header3(name, found.times)
        if item.kind == "thermistor":
            step = np.abs(thermistor_table()[raw.vals] - thermistor_table()[raw.vals + 1])
            assert (np.abs(found.vals - value) <= 0.51 * step).all()
        else:
            unit = 1e-6 if item.unit == "us" else 1.0
            assert np.abs(found.vals * unit - value).max() <= (item.factor or 0) * unit * (1 + 1e-6)


@pytest.fixture(scope="module")
def rows(simulated):
    """Return all 8x8 rows of slots 6 and 7 as a plain reader finds them: time, quality and the bytes of two words."""
    from astropy.io import fits

    truth, _ = simulated
    found = {}
    for slot in (6, 7):
        tables = [fits.getdata(truth.folder / f.path, 1) for f in truth.files if f.slot == slot and f.imgsize == 8]
        each = {(row["TIME"], row["QUALITY"], row["HD3TLM76"], row["HD3TLM77"]) for table in tables for row in table}
        found[slot] = np.array(sorted(each), dtype=float)  # which hypothesis can show in a line
    return found


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.05, 1.0), st.floats(0.0, 0.4))
def test_any_range_is_what_a_plain_reader_finds(simulated, rows, first, length):
    truth, archive = simulated
    duration = truth.stop - truth.start
    start = truth.start + first * duration
    stop = start + length * duration
    with using(archive):
        both = MSIDset(["ccd_temp", "dac"], start, stop)
    for (slot, name), factor in {(6, "ccd_temp"): 0.01, (7, "dac"): 1}.items():
        mine = [row for row in rows[slot].tolist() if start <= row[0] <= stop + 33.0]
        ends = [*(row[0] for row in mine[1:]), stop + 33.0][: len(mine)]
        expected = {
            row[0]: int.from_bytes(map(int, row[2:]), "big", signed=True) * factor
            for row, end in zip(mine, ends, strict=True)
            if abs(end - row[0] - 4.1) <= 1e-3 and row[1] == 0 and row[0] <= stop
        }
        member = both[name].filter_bad(copy=True)
        assert member.times.tolist() == pytest.approx(list(expected), abs=1e-3)
        assert member.vals.tolist() == pytest.approx(list(expected.values()), rel=1e-12)


def test_the_files_and_the_store_say_the_same(simulated):
    truth, archive = simulated
    names = [item.name for item in HDR3_ITEMS]
    with using(archive):
        before = MSIDset(names, truth.start, truth.stop)
        archive["aca0"].column_store.rebuild()
        after = MSIDset(names, truth.start, truth.stop)
    assert after.provenance[6]["files_from_column_store"] > 0
    assert after.times.tolist() == before.times.tolist()
    assert all(member.times is after.times for member in after.values())
    for name in names:
        assert after[name].vals.tolist() == before[name].vals.tolist()
