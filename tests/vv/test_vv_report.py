"""A report is JSON that any reader takes, written whole, and old reports are read for what they meant."""

from __future__ import annotations

import json

import numpy as np
import pytest
from vv_slots import slot_data

from aca_core.errors import DeclarationError, IntegrityError
from aca_core.vv.judgement import judge
from aca_core.vv.report import REPORT_FILE, make_report, read_report, report_text, write_report
from aca_core.vv.statistics import slot_statistics

OBSPAR = {
    "tstart": 712345600.5, "tstop": 712355600.5, "sim_z": -190.14, "sim_z_offset": 0.0, "ra_pnt": 10.0,
    "dec_pnt": -20.0, "roll_pnt": 30.0, "detnam": "ACIS-6789", "observer": "not in reports",
}  # fmt: skip
HEADER = {
    "ASCDSVER": "10.4", "CALDBVER": "4.7", "DATE": "2020-08-01T00:00:00", "OBI_NUM": 0, "OBS_ID": "8010", "REVISION": 2,
    "TSTART": 712345604.1, "TSTOP": 712355597.2, "NAXIS": 2,
}  # fmt: skip
WHAT = {"obsid": 8010, "revision": 2, "obspar": OBSPAR, "headers": [HEADER], "sim": {"max_d_dy": np.float32(0.25)}}


def slots():
    lights = {1: slot_data("FID", slot=1, noise=0.01), 4: slot_data(), 6: slot_data(slot=6, bad=1.1)}
    return {slot: slot_statistics(data) for slot, data in lights.items()}


def test_a_report_has_the_keys_that_readers_know():
    row = {"slot": np.int16(4), "pos_eci": np.array([1.0, np.nan, 0.0]), "id_status": b"GOOD", "mag": np.ma.masked}
    report = make_report(**WHAT, slots=slots(), gsprops=[[row]], errors=("one",), aspect_1_id=7, ap_date="2020-08-02")
    assert report.keys() == {
        "obsid", "revision", "vv_version", "aspect_1_id", "ap_date", "tstart", "tstop", "sim_z", "sim_z_offset",
        "ra_pnt", "dec_pnt", "roll_pnt", "instrument", "intervals", "slots", "sim", "fidprops", "gsprops", "errors",
    }  # fmt: skip
    assert report["intervals"] == [{key: value for key, value in HEADER.items() if key != "NAXIS"}]
    assert (report["instrument"], report["vv_version"], report["errors"]) == ("ACIS-6789", 4, ["one"])
    assert report["gsprops"] == [[{"slot": 4, "pos_eci": [1.0, None, 0.0], "id_status": "GOOD", "mag": None}]]
    assert list(report["slots"]) == ["1", "4", "6"]
    assert report["sim"] == {"max_d_dy": 0.25}


def test_a_report_without_a_catalogue_does_not_guess():
    assert not {"aspect_1_id", "ap_date"} & make_report(**WHAT, slots={}).keys()
    assert make_report(**WHAT, slots={}, ap_date="2020-08-02")["aspect_1_id"] is None


def test_a_report_keeps_its_judgement_and_what_else_is_told():
    judgement = judge(slots())
    report = make_report(**WHAT, slots=slots(), judgement=judgement, more={"warnings": ["a warning"]})
    assert report["judgement"]["disposition"] == "Hold"
    assert report["judgement"]["reasons"] == ["slot 6: no good samples of the star"]
    assert report["warnings"] == ["a warning"]
    with pytest.raises(
        DeclarationError, match="more is 'errors, obsid'; expected keys that a report does not have yet"
    ):
        make_report(**WHAT, slots={}, more={"errors": [], "obsid": 1})


def test_a_report_is_the_same_when_it_is_read_back(tmp_path):
    report = make_report(**WHAT, slots=slots(), judgement=judge(slots()))
    (tmp_path / REPORT_FILE).write_text("an older one")
    path = write_report(tmp_path, report)
    text = path.read_text()
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["vv_report.json"]
    assert read_report(path) == report == json.loads(text, parse_constant=pytest.fail)
    assert text.startswith('{\n    "dec_pnt": -20.0,\n    "errors": [],')
    assert text == json.dumps(report, indent=4, sort_keys=True) + "\n"
    assert report["slots"]["6"]["dy_rms"] is None


def test_records_of_numpy_are_objects_and_what_is_masked_is_null():
    rows = np.ma.array(
        [(1, 0.5), (2, 1.5)], dtype=[("slot", "i4"), ("mag", "f8")], mask=[(False, True), (False, False)]
    )
    written = json.loads(
        report_text({"rows": rows, "one": np.array(rows.data)[1], 3: np.ma.array([1, 2], mask=[0, 1])})
    )
    assert written == {
        "rows": [{"slot": 1, "mag": None}, {"slot": 2, "mag": 1.5}], "one": {"slot": 2, "mag": 1.5}, "3": [1, None],
    }  # fmt: skip
    values = {
        "inf": np.inf,
        "big": 10**30,
        "flag": np.True_,
        "text": np.str_("a"),
        "set": (1, 2),
        "zero": np.array(1.5),
    }
    assert json.loads(report_text(values)) == {
        "inf": None, "big": 10**30, "flag": True, "text": "a", "set": [1, 2], "zero": 1.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ({"slots": {"4": {"dy": object()}}}, r"report\['slots'\]\['4'\]\['dy'\] is <object"),
        ({"z": 1j}, r"report\['z'\] is 1j"),
        ({"z": np.array([1j])}, "not values of type complex128"),
        ({(1, 2): 3}, "expected names or whole numbers as keys"),
    ],
)
def test_what_json_does_not_have_is_refused(report, words):
    with pytest.raises(DeclarationError, match=words):
        report_text(report)


def test_a_report_needs_its_parameters():
    lacking = {key: value for key, value in OBSPAR.items() if key not in ("sim_z", "detnam")}
    with pytest.raises(
        DeclarationError, match="obspar is 'without sim_z, detnam'; expected observation parameters with"
    ):
        make_report(**{**WHAT, "obspar": lacking}, slots={})
    with pytest.raises(DeclarationError, match="headers is 'OBS_ID'; expected a mapping"):
        make_report(**{**WHAT, "headers": ["OBS_ID"]}, slots={})


def test_old_reports_are_read(tmp_path):
    path = tmp_path / REPORT_FILE
    path.write_text(
        '{"obsid": 16504, "slots": {"7": {"dy_med": [0.25], "dz_med": NaN, "dz_rms": 0.116, "type": "GUIDE"}}}'
    )
    assert read_report(path)["slots"]["7"] == {"dy_med": 0.25, "dz_med": None, "dz_rms": 0.116, "type": "GUIDE"}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"obsid": 1}', '{"slots": {"7": 3}}', "\0\1", "[" * 100_000])
def test_other_files_are_no_reports(tmp_path, text):
    path = tmp_path / REPORT_FILE
    path.write_text(text)
    with pytest.raises(IntegrityError, match=r"vv_report\.json: is no .*; run the verification again"):
        read_report(path)
