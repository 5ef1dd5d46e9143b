"""The 38 quantities of header 3: they tile its bytes, and each is found by name and by number."""

import pickle

import attrs
import numpy as np
import pytest

from aca_core import DeclarationError, UnknownNameError
from aca_core.aca_hdr3 import CCD_TEMP_FINE, HDR3_ITEMS, hdr3_item
from aca_core.aca_hdr3.items import HDR3_BYTES

# id, name, bytes, factor and unit as the facts have them; T is a thermistor, None an integer.
TABLE = """
062 ac_status_word 2 None; 064 misc_status_bits 2 None; 066 ccd_molyb_therm_1 2 T; 072 ccd_molyb_therm_2 2 T
074 ccd_det_therm 2 T; 076 ad_5v_ps 2 0.30518 mV; 162 ad_15v_ps 2 0.61035 mV; 164 ad_m15v_ps 2 0.61035 mV
166 ad_27v_ps 2 1.04597 mV; 172 ad_analog_gnd 2 0.30518 mV; 174 ad_converter_therm 2 T; 176 ad_smhs_therm 2 T
262 ad_smohs_therm 2 T; 264 ad_pmhs_therm 2 T; 266 ad_pmohs_therm 2 T; 272 ad_achhs_therm 2 T
274 ad_achohs_therm 2 T; 276 ad_lc_therm 2 T; 362 proc_stack_telem_ctr 2 None; 364 sci_hdr_pulse_period 4 2 us
372 zero_off16_quad_a 2 1 adu; 374 zero_off16_quad_b 2 1 adu; 376 zero_off16_quad_c 2 1 adu
462 zero_off16_quad_d 2 1 adu; 464 zero_off32_quad_a 4 1.52587890625e-05 adu
472 zero_off32_quad_b 4 1.52587890625e-05 adu
476 zero_off32_quad_c 4 1.52587890625e-05 adu; 564 zero_off32_quad_d 4 1.52587890625e-05 adu; 572 ccd_flush_dur 2 2 us
574 ccd_row_shift_period 2 1 us; 576 avg_bkg 2 5 electron; 662 dsn_hdr1 6 None; 672 dsn_hdr2 4 None
676 ccd_temp 4 0.01 deg_C; 764 ccd_setpoint 2 0.01 deg_C; 766 aca_temp 4 0.00390625 deg_C
774 last_ram_fail_addr 2 None; 776 dac 2 None
"""


def test_the_quantities_are_those_of_the_documentation():
    rows = [row.split() for line in TABLE.strip().splitlines() for row in line.split(";")]
    assert len(rows) == len(HDR3_ITEMS) == 38
    for (number, name, size, *rest), item in zip(rows, HDR3_ITEMS, strict=True):
        factor = None if rest[0] in ("T", "None") else float(rest[0])
        unit = "deg_C" if rest[0] == "T" else rest[1] if factor is not None else ""
        assert (item.id, item.name, item.size, item.factor, item.unit) == (number, name, int(size), factor, unit)
        assert (item.kind == "thermistor") is (rest[0] == "T")
        assert item.is_integer is (rest[0] == "None")


def test_they_tile_the_twelve_bytes_of_eight_slots():
    assert [byte for item in HDR3_ITEMS for byte in item.bytes] == list(HDR3_BYTES)
    assert HDR3_BYTES[:3] == ((0, "HD3TLM62"), (0, "HD3TLM63"), (0, "HD3TLM64"))
    assert HDR3_BYTES[11:13] == ((0, "HD3TLM77"), (1, "HD3TLM62"))
    assert len(HDR3_BYTES) == 96


def test_some_run_into_the_next_slot():
    crossing = [item.name for item in HDR3_ITEMS if item.bytes[0][0] != item.bytes[-1][0]]
    assert crossing == ["zero_off32_quad_c", "ccd_temp"]
    assert hdr3_item("zero_off32_quad_c").slots == (4, 5)
    assert hdr3_item("ccd_temp").slots == (6,), "the high word alone is its value"
    assert CCD_TEMP_FINE.slots == (6, 7)
    assert CCD_TEMP_FINE.bytes == hdr3_item("ccd_temp").bytes


@pytest.mark.parametrize("item", HDR3_ITEMS, ids=lambda item: item.name)
def test_each_is_found_by_its_name_and_its_number_and_says_what_it_is(item):
    import astropy.units as u

    for msid in (item.name, item.name.upper(), f" {item.name}", item.id, int(item.id), np.int16(item.id)):
        assert hdr3_item(msid) is item
    assert item.desc
    assert len(item.longdesc) > len(item.desc)
    assert item.slot == int(item.id[0])
    assert u.Unit(item.unit) is not None
    assert pickle.loads(pickle.dumps(item)) == item


def test_the_fine_temperature_is_found_by_its_name_alone():
    assert hdr3_item("ccd_temp_fine") is CCD_TEMP_FINE
    assert hdr3_item("676").name == "ccd_temp"


@pytest.mark.parametrize(
    ("msid", "says"),
    [
        ("ccd_tmp", "Did you mean 'ccd_temp'"),
        ("675", "Did you mean '67[246]'"),
        (677, "Byte 677 belongs to 676, ccd_temp"),
        (63, "Byte 063 belongs to 062, ac_status_word"),
        ("999", "no header-3 quantity is named '999'"),
        ("", "no header-3 quantity"),
        ("²", "no header-3 quantity"),
        (-1, "no header-3 quantity"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest(msid, says):
    with pytest.raises(UnknownNameError, match=says) as raised:
        hdr3_item(msid)
    assert isinstance(raised.value, LookupError)


@pytest.mark.parametrize("msid", [None, 6.76, True, ["ccd_temp"], b"ccd_temp"])
def test_what_is_neither_a_name_nor_a_number_is_refused(msid):
    with pytest.raises(DeclarationError, match="such as 'ccd_temp' or 676"):
        hdr3_item(msid)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "861"}, "slot"),
        ({"id": "676", "size": 99}, "as many bytes"),
        ({"value_size": 5}, "as many bytes"),
        ({"kind": "float"}, "one of signed"),
    ],
)
def test_a_definition_that_cannot_be_right_is_refused(change, says):
    with pytest.raises(DeclarationError, match=says):
        attrs.evolve(hdr3_item("ccd_temp"), **change)
