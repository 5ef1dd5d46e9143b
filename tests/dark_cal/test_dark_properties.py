"""Properties by date, and tables of them: typed columns, masks, provenance, and what is damaged."""

import json
import math
import shutil

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

import aca_core
from aca_core import AcaWarning, DateError, DeclarationError, IntegrityError, MissingDataError, dark_sources
from aca_core.dark_cal import (
    calibrations as calibrations_module,
)
from aca_core.dark_cal import (
    get_dark_cal_dirs,
    get_dark_cal_ids,
    get_dark_cal_props,
    get_dark_cal_props_table,
)
from aca_core.tables import read_table_file, write_table_file

CLASSIC_COLUMNS = ["ccd_temp", "date", "dec", "dur", "eb", "el", "id", "l_l0", "ra", "start", "stop", "sun_el", "zodib"]
NEWER_COLUMNS = ["date", "t_ccd", "n_ccd_img", "ccd_temp", "datestart", "datestop", "filename"]


def change(root, dark_id, **properties):
    """Set properties of a calibration, or take away those that are given as an ellipsis."""
    path = root / dark_id / "properties.json"
    changed = {**json.loads(path.read_text()), **properties}
    path.write_text(json.dumps({name: value for name, value in changed.items() if value is not ...}))
    return path


# ---- what is there --------------------------------------------------------------------------------------------------


def test_folders_and_ids_are_listed_in_order(root, archive):
    ids = ["2006329", "2007006", "2007069", "2019272"]
    assert get_dark_cal_dirs() == {dark_id: str(root / dark_id) for dark_id in ids}
    assert list(get_dark_cal_dirs("mica")) == ids
    assert get_dark_cal_ids() == {f"{dark_id[:4]}:{dark_id[4:]}:00:00:00.000": dark_id for dark_id in ids}


def test_what_comes_and_goes_is_noticed(root, archive):
    shutil.copytree(root / "2007006", root / "2007008")
    shutil.rmtree(root / "2019272")
    (root / "2013366").mkdir()  # no day of 2013, hence no calibration
    (root / ".2020001.new").mkdir()  # an update in progress
    assert list(get_dark_cal_ids().values()) == ["2006329", "2007006", "2007008", "2007069"]
    assert get_dark_cal_props_table()["id"].tolist() == ["2006329", "2007006", "2007006", "2007069"]


# ---- of one date ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("select", "eb"), [("before", 24.6), ("after", 25.89), ("nearest", 25.89)])
def test_properties_are_those_of_the_calibration_that_holds(root, archive, select, eb):
    change(root, "2007006", eb=24.6)
    change(root, "2007069", eb=25.89)
    properties = get_dark_cal_props("2007:060", select)
    assert properties["eb"] == eb
    assert [replica["count"] for replica in properties["replicas"]] == [1, 2]


def test_properties_belong_to_whom_they_are_given(archive, trusting):
    for _ in range(3):
        properties = get_dark_cal_props("2007:008")
        assert properties["replicas"][0]["ccd_temp_source"] == "HDR3"
        properties["replicas"][0]["ccd_temp_source"] = "GUESS"
        properties.clear()
        rows = get_dark_cal_props_table(as_table=False)
        assert rows[1]["replicas"][0]["ccd_temp_source"] == "HDR3"
        rows[1]["replicas"].clear()
        table = get_dark_cal_props_table()
        assert table["ccd_temp"][1] == -19.852
        table["ccd_temp"][:] = 0
        table.meta.clear()


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_of_classic_properties(archive):
    table = get_dark_cal_props_table("2006:001", "2008:001")
    assert table.colnames == CLASSIC_COLUMNS
    assert not table.has_masked_columns
    kinds = {name: table[name].dtype.kind for name in table.colnames}
    assert kinds == {name: "U" if name in ("date", "id", "start", "stop") else "f" for name in CLASSIC_COLUMNS}
    assert table["id"].tolist() == ["2006329", "2007006", "2007069"]
    assert table["ra"].tolist() == [101.5, 101.5, 7.0]  # one of them is a whole number in its file


def test_a_table_of_newer_properties(archive):
    table = get_dark_cal_props_table("2019:001", "2020:001")
    assert table.colnames == NEWER_COLUMNS
    assert not table.has_masked_columns
    assert table["n_ccd_img"].dtype == np.dtype("int64")
    assert table["filename"].tolist() == ["imd, with a comma.fits"]


def test_a_table_of_both_masks_what_is_not_there(archive):
    table = get_dark_cal_props_table()
    assert table.colnames == [*CLASSIC_COLUMNS, "t_ccd", "n_ccd_img", "datestart", "datestop", "filename"]
    for name in table.colnames:
        mask = np.ma.getmaskarray(table[name]).tolist()
        everywhere = name in ("ccd_temp", "date")
        assert (
            mask == [False] * 4 if everywhere else mask == [name not in CLASSIC_COLUMNS] * 3 + [name in CLASSIC_COLUMNS]
        )
    assert table["n_ccd_img"].dtype == np.dtype("int64")
    assert table["ccd_temp"].tolist() == [-15.053, -19.852, -19.5, -11.0]


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("2007:006", "2007:069", ["2007:006", "2007:069"]),
        ("2007:006:23:00:00", "2007:069:00:00:00", ["2007:006", "2007:069"]),  # days, whole
        ("2007:007", "2007:068", []),
        (None, "2007:006", ["2006:329", "2007:006"]),
        ("2007:070", None, ["2019:272"]),
        ("2090:001", None, []),
    ],
)
def test_a_table_has_the_days_that_are_asked_for(archive, start, stop, expected):
    table = get_dark_cal_props_table(start, stop)
    assert table["date"].tolist() == expected
    assert len(get_dark_cal_props_table(start, stop, as_table=False)) == len(expected)


def test_a_table_of_nothing_has_the_columns_of_all(archive):
    table = get_dark_cal_props_table("1999:001", "2000:001")
    assert len(table) == 0
    assert {name: table[name].dtype.str[1:] for name in table.colnames} == {"ccd_temp": "f8", "date": "U8"}


def test_lists_of_properties_are_whole(root, archive):
    rows = get_dark_cal_props_table(as_table=False)
    assert rows == [json.loads((root / row_id / "properties.json").read_text()) for row_id in get_dark_cal_dirs()]


def test_columns_have_the_type_that_holds_all_values(root, archive):
    change(root, "2006329", flag=True, count=3, note=None, big=2**70, gone=None, size=1, id=2006329)
    change(root, "2007006", flag=False, count=None, note="a, b", big=1, size=2.5, bad=math.nan)
    table = get_dark_cal_props_table("2006:001", "2007:010")
    assert table["flag"].tolist() == [True, False]
    assert table["flag"].dtype.kind == "b"
    assert table["count"].tolist() == [3, None]
    assert table["count"].dtype == np.dtype("int64")
    assert table["note"].tolist() == [None, "a, b"]
    assert table["big"].tolist() == [float(2**70), 1]
    assert table["size"].tolist() == [1.0, 2.5]
    assert table["gone"].mask.all()
    assert table["bad"].mask.tolist() == [True, False]
    assert math.isnan(table["bad"][1])
    assert table["id"].tolist() == ["2006329", "2007006"]


@pytest.mark.parametrize("ending", ["ecsv", "fits", "csv"])
def test_where_a_table_is_from_travels_with_it(root, archive, tmp_path, ending):
    table = get_dark_cal_props_table("2006:001", "2020:001")
    expected = {
        "source": "mica",
        "root": str(root),
        "start": "2006:001",
        "stop": "2020:001",
        "creator": f"aca_core {aca_core.__version__}",
    }
    assert table.meta == expected
    again = read_table_file(write_table_file(table, tmp_path / f"props.{ending}"))
    assert again.colnames == table.colnames
    np.testing.assert_array_equal(again["ccd_temp"], table["ccd_temp"])
    assert np.ma.getmaskarray(again["zodib"]).tolist() == [False, False, False, True]
    if ending != "csv":
        assert {name.lower(): again.meta[name] for name in again.meta} == expected


def test_a_table_with_maps_may_be_written(archive, tmp_path):
    table = get_dark_cal_props_table("2007:001", "2008:001", include_image=True)
    again = Table.read(write_table_file(table, tmp_path / "props.fits"), hdu=1)
    np.testing.assert_array_equal(again["image"], table["image"])


def test_maps_that_take_much_memory_are_warned_of(archive, monkeypatch):
    monkeypatch.setattr(calibrations_module, "_MUCH", 8e6)
    with pytest.warns(AcaWarning, match=r"^2 maps take 0\.0 GB of memory; ask for fewer days") as caught:
        get_dark_cal_props_table("2007:001", "2008:001", include_image=True)
    assert caught[0].filename == __file__


# ---- maps stay closed -----------------------------------------------------------------------------------------------


def test_a_table_opens_no_map(archive, monkeypatch):
    def refuse(*arguments, **keywords):
        raise AssertionError("a map was opened")

    monkeypatch.setattr(dark_sources, "read_image", refuse)
    monkeypatch.setattr(fits, "open", refuse)
    assert len(get_dark_cal_props_table()) == len(get_dark_cal_props_table(as_table=False)) == 4
    assert get_dark_cal_props("2007:008")["ccd_temp"] == -19.852


# ---- what is damaged ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"), [('{"ccd_temp": -19.8, "da', "is not valid JSON"), ("[]", "holds a list"), ("", "is not")]
)
def test_a_damaged_file_is_named(root, archive, content, problem):
    path = root / "2007006" / "properties.json"
    path.write_text(content)
    for question in (
        lambda: get_dark_cal_props("2007:008"),
        get_dark_cal_props_table,
        lambda: get_dark_cal_props_table(as_table=False),
    ):
        with pytest.raises(IntegrityError) as caught:
            question()
        assert caught.value.path == str(path)
        assert caught.value.problem.startswith(problem)
    assert get_dark_cal_props("2007:070")["ccd_temp"] == -19.5


def test_a_calibration_without_properties_is_named(root, archive):
    (root / "2007006" / "properties.json").unlink()
    with pytest.raises(MissingDataError, match=r"calibration 2007006 has no file .*2007006/properties\.json$"):
        get_dark_cal_props_table()
    assert len(get_dark_cal_props_table("2007:007")) == 2


@pytest.mark.parametrize(("first", "second"), [("cold", -19.5), (True, 1), (False, "no")])
def test_a_property_that_is_a_text_in_one_file_and_a_number_in_another_is_refused(root, archive, first, second):
    change(root, "2006329", zodib=first)
    path = change(root, "2007006", zodib=second)
    with pytest.raises(IntegrityError) as caught:
        get_dark_cal_props_table("2006:001", "2007:010")
    expected = f"has zodib {second!r}, and {root}/2006329/properties.json has {first!r}; expected values of one type"
    assert (caught.value.path, caught.value.problem) == (str(path), expected)


@pytest.mark.parametrize(
    ("start", "stop", "error", "message"),
    [
        ("2008:001", "2007:001", DateError, "the range stops before it starts, which is at 2008:001"),
        ("noon", None, DateError, "noon"),
        (["2007:001"], None, DeclarationError, "date is '1 dates'; expected one date"),
    ],
)
def test_a_range_must_be_one(archive, start, stop, error, message):
    with pytest.raises(error, match=message):
        get_dark_cal_props_table(start, stop)


def test_a_range_without_calibrations_can_be_told(root, calibrations):
    message = calibrations.nothing_between("2008:001", "2009:001")
    there = f"dark source 'mica' ({root}) has no dark calibration from 2008:001 to 2009:001"
    assert message == f"{there}; it has 4, 2006329 to 2019272"
