"""From bytes to values: signs, factors, thermistors and bits, against what is documented and what flew."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from aca_core import DeclarationError, UnknownNameError
from aca_core.aca_hdr3 import CCD_TEMP_FINE, HDR3_ITEMS, bit_words, hdr3_item, split_bits, thermistor_table
from aca_core.aca_hdr3.decoding import THERMISTOR_POINTS, decode, raw_words

EVERY = (*HDR3_ITEMS, CCD_TEMP_FINE)


def value_of(msid, text):
    """Decode one value from bytes in hexadecimal digits; of a longer quantity the first bytes count."""
    item = hdr3_item(msid)
    columns = [np.array([byte], dtype="u1") for byte in bytes.fromhex(text)][: item.value_size]
    return decode(item, raw_words(item, columns))[0]


@pytest.mark.parametrize(
    ("msid", "text", "value", "precision"),
    [
        ("ad_5v_ps", "3EE6", 16102 * 0.30518, 1e-9),
        ("ad_5v_ps", "3EE6", 4914.0, 1e-5),
        ("ad_15v_ps", "5EA0", 14785.1, 1e-5),
        ("ad_m15v_ps", "A0C4", -14880.3, 1e-5),
        ("ad_27v_ps", "634C", 26588.6, 1e-5),
        ("ad_analog_gnd", "FFF8", -8 * 0.30518, 1e-9),
        ("ccd_molyb_therm_1", "165C", 41.093703, 1e-8),
        ("ccd_det_therm", "3495", -9.348819, 1e-7),
        ("ad_smhs_therm", "1C96", 30.3837, 1e-5),
        ("ad_achhs_therm", "1BE0", 31.5380, 1e-5),
        ("ad_lc_therm", "1C1E", 31.1432, 1e-5),
        ("ccd_temp", "FC188000", -10.0, 1e-12),
        ("ccd_temp_fine", "FC188000", -9.995, 1e-9),
        ("ccd_temp", "F8300000", -20.0, 1e-12),
        ("ccd_temp_fine", "F8300000", -20.0, 1e-12),
        ("aca_temp", "00001240", 18.25, 1e-12),
        ("aca_temp", "FFFFEE00", -18.0, 1e-12),
        ("ccd_setpoint", "F830", -20.0, 1e-12),
        ("avg_bkg", "FFFE", -10.0, 1e-12),
        ("sci_hdr_pulse_period", "000FA3E8", 2050000.0, 1e-12),
        ("sci_hdr_pulse_period", "FFFFFFFF", 2.0 * (2**32 - 1), 1e-12),
        ("zero_off32_quad_a", "00018000", 1.5, 1e-12),
        ("zero_off16_quad_d", "FFFF", -1.0, 1e-12),
        ("ccd_flush_dur", "FFFF", 131070.0, 1e-12),
    ],
)
def test_bytes_of_flight_have_the_documented_values(msid, text, value, precision):
    assert value_of(msid, text) == pytest.approx(value, rel=precision)


@pytest.mark.parametrize(
    ("msid", "text", "value"),
    [
        ("dac", "F00F", -4081),  # one count less than before 2025 upstream
        ("dac", "FFFF", -1),
        ("dac", "7FFF", 32767),
        ("last_ram_fail_addr", "FFFF", 65535),
        ("ac_status_word", "02B4", 0x02B4),
        ("dsn_hdr1", "FFFFFFFFFFFF", 2**48 - 1),
        ("dsn_hdr2", "FFFFFF01", 0xFFFFFF01),
        ("proc_stack_telem_ctr", "80FF", 0x80FF),
    ],
)
def test_integers_have_the_sign_that_is_documented(msid, text, value):
    found = value_of(msid, text)
    assert found == value
    assert found.dtype == np.int64


# ---- any bytes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", EVERY, ids=lambda item: item.name)
@settings(deadline=None)
@given(data=st.data())
def test_words_come_back_from_their_bytes(item, data):
    bits = 8 * item.value_size
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if item.kind == "signed" else (0, 2**bits - 1)
    if item.kind == "thermistor":
        low, high = 2085, 15728
    words = data.draw(st.lists(st.integers(low, high), max_size=20))
    encoded = [word.to_bytes(item.value_size, "big", signed=item.kind == "signed") for word in words]
    table = np.array([list(each) for each in encoded], dtype="u1").reshape(-1, item.value_size)
    raw = raw_words(item, list(table.T))
    assert raw.tolist() == words
    values = decode(item, raw)
    if item.kind == "thermistor":
        assert np.abs(np.interp(values, *readings_by_temperature()) - words).max(initial=0) < 0.5
    else:
        # Encode the value again, as a simulator does.
        assert np.rint(values / (item.factor or 1)).astype(np.int64).tolist() == words
        assert values.dtype == (np.int64 if item.is_integer else np.float64)


def readings_by_temperature():
    readings = np.arange(2085, 15729)
    temperatures = thermistor_table()[readings]
    return temperatures[::-1], readings[::-1]


def test_words_of_three_bytes_with_a_sign_are_known_too():
    from aca_core.aca_hdr3 import Hdr3Item

    item = Hdr3Item(id="662", name="odd", size=3, kind="signed", desc="", longdesc="")
    columns = [np.array([0xFF, 0x7F], "u1"), np.array([0xFF, 0xFF], "u1"), np.array([0xFE, 0xFF], "u1")]
    assert raw_words(item, columns).tolist() == [-2, 2**23 - 1]


@settings(deadline=None)
@given(st.integers(-(2**31), 2**31 - 1))
def test_the_fine_temperature_is_at_most_a_hundredth_above(word):
    text = word.to_bytes(4, "big", signed=True).hex()
    above = value_of("ccd_temp_fine", text) - value_of("ccd_temp", text)
    assert -1e-9 <= above < 0.01


# ---- thermistors ----------------------------------------------------------------------------------------------------


def test_the_table_of_the_thermistors_has_the_points_and_the_reference_values():
    table = thermistor_table()
    for reading, temperature in THERMISTOR_POINTS:
        assert table[reading] == temperature
    assert len(THERMISTOR_POINTS) == 25
    expected = {8192: 25.0, 13537: -10.0, 13461: -9.348819, 5724: 41.093703, 8000: 26.166147, 11090: 7.532116}
    for reading, temperature in expected.items():
        assert table[reading] == pytest.approx(temperature, abs=5.1e-7)


def test_it_has_no_value_outside_of_them():
    table = thermistor_table()
    assert table.shape == (65536,)
    assert np.flatnonzero(np.isfinite(table))[[0, -1]].tolist() == [2085, 15728]
    assert np.isfinite(table[2085:15729]).all()
    assert (np.diff(table[2085:15729]) < 0).all(), "warmer is a smaller reading"
    assert np.isnan(table[[2084, 15729, 65535]]).all()
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0.0


def test_it_is_the_spline_that_was_used_from_the_start():
    from scipy.interpolate import interp1d

    readings, temperatures = np.array(sorted(THERMISTOR_POINTS), dtype=float).T
    asked = np.arange(2085, 15729)
    upstream = interp1d(readings, temperatures, kind="cubic")(asked)
    assert np.abs(thermistor_table()[asked] - upstream).max() < 1e-11


# ---- bits -----------------------------------------------------------------------------------------------------------


def test_bits_have_names():
    assert bit_words("misc_status_bits", 0x01A4) == ["TecActive", "AcTableCkSumOK", "WarmBoot", "IdleCode LSB"]
    assert split_bits("ac_status_word", 0x02B4) == {
        "readout_mode": 10,
        "test_signal": 3,
        "command_error": 0,
        "clock_period": 24,
        "eeprom_write": 0,
    }
    assert bit_words("ac_status_word", 0x0009) == [
        *("readout_mode 0", "test_signal 0", "command_error", "clock_period 6 us", "eeprom_write")
    ]
    assert split_bits("dsn_hdr2", 0xFFFFFF01) == {"record_counter": 0xFFFFFF, "header_2": 1}
    assert [split_bits(64, 1 << bit)[field.name] for bit, field in enumerate(hdr3_item(64).bit_fields)] == [1] * 16


def test_many_words_are_split_at_once_and_stay_masked():
    words = np.ma.array([[0x1004, 0x10FF]], mask=[[False, True]])
    counter = split_bits("proc_stack_telem_ctr", words)["telemetry_counter"]
    assert counter.tolist() == [[4, None]]
    assert split_bits("ac_status_word", np.ma.array([0x6, 9], mask=[0, 1]))["clock_period"].tolist() == [48, None]
    everything = np.ma.array([-5], mask=True)
    assert split_bits("misc_status_bits", everything)["TecHeat"].mask.all()
    assert split_bits("dsn_hdr2", np.zeros(0, int))["header_2"].shape == (0,)


@pytest.mark.parametrize("kind", ["u1", "i1", ">u2", "u8"])
def test_words_may_be_of_any_integer_type(kind):
    raw = np.array([1, 100], kind)
    for item in (each for each in HDR3_ITEMS if each.bit_fields):
        found, expected = split_bits(item.id, raw), split_bits(item.id, [1, 100])
        assert {name: part.tolist() for name, part in found.items()} == {n: p.tolist() for n, p in expected.items()}


@pytest.mark.parametrize("raw", [-1, 65536, 1.5, "0x02B4", None, [1.0], [[1], [2, 3]]])
def test_what_are_no_words_are_refused(raw):
    with pytest.raises(DeclarationError, match="words of 16 bits"):
        split_bits("misc_status_bits", raw)


def test_only_bits_have_names():
    with pytest.raises(DeclarationError, match="whose bits have names"):
        split_bits("ccd_temp", 1)
    with pytest.raises(DeclarationError, match="one word; split_bits takes many"):
        bit_words("misc_status_bits", [1, 2])
    with pytest.raises(UnknownNameError, match="misc_status_bits"):
        bit_words("misc_status_bit", 1)
