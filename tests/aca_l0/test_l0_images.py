"""Images of one slot with their place on the CCD, and those of all slots in one table."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from l0_telemetry import START, read_plainly

from aca_core import DateError, DeclarationError, MissingDataError, UnknownNameError, using
from aca_core.aca_image import ACAImage
from aca_core.aca_l0 import ACA_COLUMNS, STATUS_FIELDS, get_aca_images, get_l0_images, get_slot_data, split_status
from aca_core.tables import write_table_file

RANGE = ("2020:366:23:59:00", "2021:001:02:30:00")


# ---- one slot -------------------------------------------------------------------------------------------------------


def test_images_are_those_of_the_good_rows(archive, simulated):
    for slot in (3, 5):
        rows = read_plainly(simulated.files.roots[0] / "aca0", slot)
        rows = rows[rows["QUALITY"].data == 0]
        images = get_l0_images(*RANGE, slot)
        assert len(images) == len(rows)
        for image, row in zip(images[::7], rows[::7], strict=True):
            size = int(row["IMGSIZE"])
            assert type(image) is ACAImage
            assert (image.shape, image.row0, image.col0) == ((size, size), row["IMGROW0"], row["IMGCOL0"])
            pixels = row["IMGRAW"].reshape(8, 8)[:size, :size].filled(np.nan)
            np.testing.assert_array_equal(image, pixels)
            assert np.isnan(image).sum() == (4 if size == 6 else 0)
            assert image.aca[image.row0 + 2, image.col0 + 1] == pixels[2, 1]
            assert list(image.meta) == [
                *("TIME", "INTEG", "IMGFUNC1", "IMGSTAT", "IMGROW0", "IMGCOL0", "IMGSCALE", "BGDAVG", "IMGSIZE")
            ]
            assert (row["TIME"], row["BGDAVG"]) == (image.TIME, image.BGDAVG)
            assert all(type(value) in (int, float) for value in image.meta.values())


def test_images_tell_what_is_asked_for_and_they_have(archive):
    asked = ["TEMPCCD", "imgraw", "FILENAME"]
    images = get_l0_images(*RANGE, 3, columns=asked)
    assert asked == ["TEMPCCD", "imgraw", "FILENAME"]
    by_size = {image.shape[0]: image for image in images}
    assert set(by_size) == {4, 6, 8}
    assert set(by_size[8].meta) == set(by_size[6].meta) == {"TEMPCCD", "IMGROW0", "IMGCOL0", "FILENAME"}
    assert set(by_size[4].meta) == {"IMGROW0", "IMGCOL0", "FILENAME"}
    assert -20 < by_size[8].TEMPCCD < 0
    assert by_size[4].FILENAME.endswith("_3_img0.fits.gz")
    assert get_l0_images("2001:001", "2001:002", 3) == []
    assert {image.shape for image in get_l0_images(*RANGE, 3, imgsize=[6])} == {(6, 6)}


def test_images_have_pixels_of_their_own(archive):
    first, second = get_l0_images(START, START + 10, 6)[:2]
    kept = second.copy()
    first[:] = -1
    np.testing.assert_array_equal(second, kept)
    (again, *_) = get_l0_images(START, START + 10, 6)
    assert (np.asarray(again) != -1).any()


@pytest.mark.parametrize(
    ("arguments", "more", "error", "message"),
    [
        ((*RANGE, 8), {}, DeclarationError, "slot is 8"),
        ((*RANGE, 3), {"columns": ["IMGROW"]}, UnknownNameError, "IMGROW0"),
        ((*RANGE, 3), {"columns": "TIME"}, DeclarationError, "a list of names"),
        ((*RANGE, 3), {"columns": 5}, DeclarationError, "a list of names"),
        ((*RANGE[::-1], 3), {}, DateError, "goes forward"),
    ],
)
def test_bad_questions_are_told(archive, arguments, more, error, message):
    with pytest.raises(error, match=message):
        get_l0_images(*arguments, **more)


def test_a_flight_image_has_its_place_and_its_brightness(flight):
    image = get_l0_images("2019:272", "2019:273", 4)[0]
    assert (image.row0, image.col0, image.shape) == (373, image.IMGCOL0, (6, 6))
    assert image[2, 2] == 805
    assert image.aca[375, image.col0 + 2] * 5 / image.INTEG == pytest.approx(2373.2, abs=0.05)
    (first, *_) = get_l0_images("2019:272", "2019:273", 0, columns=["TEMPCCD", "TEMPHOUS", "TEMPPRIM", "TEMPSEC"])
    np.testing.assert_allclose(
        [first.TEMPCCD, first.TEMPHOUS, first.TEMPPRIM, first.TEMPSEC], [-9.6, 31.6, 31.2, 30.4], atol=3e-5
    )


# ---- all slots ------------------------------------------------------------------------------------------------------


@pytest.fixture
def images(archive):
    return get_aca_images(*RANGE)


def test_the_table_has_the_good_rows_of_all_slots_in_their_order(images, simulated):
    expected = []
    for slot in (0, 3, 5, 6):
        rows = read_plainly(simulated.files.roots[0] / "aca0", slot, centered=True)
        expected += [(row["TIME"], slot, row) for row in rows[rows["QUALITY"].data == 0]]
    expected.sort(key=lambda each: each[:2])
    assert images["TIME"].tolist() == [each[0] for each in expected]
    assert images["IMGNUM"].tolist() == [each[1] for each in expected]
    for number in range(0, len(expected), 11):
        row, found = expected[number][2], images[number]
        np.testing.assert_array_equal(np.ma.getmaskarray(found["IMG"]), row["IMGRAW"].mask)
        np.testing.assert_array_equal(np.ma.compressed(found["IMG"]), row["IMGRAW"].compressed())
        assert np.ma.is_masked(found["TEMPCCD"]) == (row["IMGSIZE"] == 4)
        assert [found[name] for name in ("MJF", "IMGSIZE", "FILENAME")] == [
            row[name] for name in ("MJF", "IMGSIZE", "FILENAME")
        ]


def test_places_types_and_counters_follow_from_the_rows(images):
    sizes = images["IMGSIZE"]
    for size, kind, to_a1, to_corner in ((4, 0, 0, 2), (6, 1, 1, 1), (8, 4, 0, 0)):
        some = images[sizes == size]
        assert len(some) > 10
        assert set(some["IMGTYPE"].tolist()) == {kind}
        for axis in ("ROW", "COL"):
            np.testing.assert_array_equal(some[f"IMG{axis}_A1"], some[f"IMG{axis}0"] + to_a1)
            np.testing.assert_array_equal(some[f"IMG{axis}0_8X8"], some[f"IMG{axis}0"] - to_corner)
    np.testing.assert_array_equal(images["VCDUCTR"], 128 * images["MJF"] + images["MNF"])
    np.testing.assert_array_equal(images["IMG_VCDUCTR"], images["VCDUCTR"])
    assert set(images["AAPIXTLM"].tolist()) == {"ORIG"}
    assert set(images["AABGDTYP"].tolist()) == {"FLAT"}
    assert images["IMGFID"].dtype == bool
    assert not {"QUALITY", "IMGRAW", "PIXTLM", "BGDTYP", "IMGFID1", "IMGNUM1", "IMGFUNC1"} & set(images.colnames)
    assert all(images[name].description for name in images.colnames)
    assert (str(images["IMG"].unit), str(images["TEMPCCD"].unit), images.meta["SYNTHET"]) == ("DN", "K", True)
    assert images.meta["STORED"] == images.meta["FILES"] >= 8


def test_the_status_of_images_is_told_in_words(images, archive):
    for name in ("IMGSTAT", "GLBSTAT"):
        rebuilt = sum(images[bit].astype(int) << field.low for bit, field in STATUS_FIELDS[name].items())
        np.testing.assert_array_equal(rebuilt, images[name])
        assert all(images[bit].dtype == bool for bit in STATUS_FIELDS[name])
    sixth = images[images["IMGNUM"] == 6]
    rows = get_slot_data(*RANGE, 6, columns=["QUALITY", "COMMCNT", "COMMPROG"])
    rows = rows[rows["QUALITY"].data == 0]
    counts = sixth["COMMCNT"].astype(int) * 4 + sixth["COMMCNT_SYNTAX_ERROR"] * 2 + sixth["COMMCNT_CHECKSUM_FAIL"]
    np.testing.assert_array_equal(counts, rows["COMMCNT"].data)
    np.testing.assert_array_equal(sixth["COMMPROG"] * 4 + sixth["COMMPROG_REPEAT"], rows["COMMPROG"].data)


def test_files_alone_give_the_same_table(simulated, images, tmp_path):
    with using(simulated.files):
        others = get_aca_images(*RANGE)
    assert others.colnames == images.colnames
    for name in images.colnames:
        assert type(others[name]) is type(images[name])
        np.testing.assert_array_equal(np.ma.getmaskarray(others[name]), np.ma.getmaskarray(images[name]))
        np.testing.assert_array_equal(np.ma.filled(others[name]), np.ma.filled(images[name]))
    write_table_file(others[:5], tmp_path / "images.ecsv")


def test_there_may_be_no_images_or_those_of_one_size(archive):
    none = get_aca_images("2001:001", "2001:002")
    assert (len(none), none["IMG"].shape, none["IMGFID"].dtype, none["TIME"].dtype) == (0, (0, 8, 8), bool, float)
    only = get_aca_images(*RANGE, imgsize=8)
    assert set(only["IMGSIZE"].tolist()) == {8}
    assert not np.ma.is_masked(only["IMG"])
    with pytest.raises(DeclarationError, match="imgsize is 7"):
        get_aca_images(*RANGE, imgsize=7)
    with pytest.raises(DateError, match="goes forward"):
        get_aca_images(*RANGE[::-1])
    with pytest.raises(MissingDataError, match="is no folder"):
        get_aca_images(*RANGE, data_root="/no/such/tree")


def test_flight_images_of_all_slots(flight):
    images = get_aca_images("2019:272", "2019:273")
    fourth = images[images["IMGNUM"] == 4][0]
    assert [fourth[name] for name in ("IMGROW0", "IMGROW_A1", "IMGROW0_8X8", "IMGTYPE")] == [373, 374, 372, 1]
    assert fourth["IMG"][3, 3] == 805
    fifth = images[images["IMGNUM"] == 5][0]
    assert (fifth["DEF_PIXEL"], fifth["SAT_PIXEL"]) == (True, False)
    keys = list(zip(images["TIME"].tolist(), images["IMGNUM"].tolist(), strict=True))
    assert keys == sorted(keys)
    assert set(images["IMGNUM"].tolist()) == set(range(8))


# ---- status bytes ---------------------------------------------------------------------------------------------------


def test_bytes_are_split_into_their_bits():
    assert split_status("glbstat", 0b10000001) == {
        name: name in ("HIGH_BGD", "SYNTAX_ERROR") for name in STATUS_FIELDS["GLBSTAT"]
    }
    assert split_status("COMMCNT", np.uint8(255)) == {
        "COMMCNT": 63,
        "COMMCNT_SYNTAX_ERROR": True,
        "COMMCNT_CHECKSUM_FAIL": True,
    }
    every = split_status("IMGSTAT", np.arange(64).reshape(8, 8))
    np.testing.assert_array_equal(every["SAT_PIXEL"], np.arange(64).reshape(8, 8) >= 32)
    assert (every["ION_RAD"].shape, every["ION_RAD"].dtype) == ((8, 8), bool)
    masked = split_status("IMGSTAT", np.ma.MaskedArray([16, 255], mask=[False, True], dtype=np.uint8))
    assert masked["DEF_PIXEL"].tolist() == [True, None]


@pytest.mark.parametrize("table", [ACA_COLUMNS, STATUS_FIELDS, STATUS_FIELDS["IMGSTAT"]])
def test_the_tables_of_names_travel_and_cannot_be_changed(table):
    assert pickle.loads(pickle.dumps(table)) == table
    with pytest.raises(TypeError, match="item assignment"):
        table["TIME"] = 0


@pytest.mark.parametrize("values", [256, -1, 1.5, "a", None, [1, 300], [[1], [2, 3]]])
def test_what_is_no_byte_is_refused(values):
    with pytest.raises(DeclarationError, match="whole numbers from 0 to 255"):
        split_status("IMGSTAT", values)


def test_only_some_columns_have_bits():
    for column in ("IMGSTAD", 5):
        with pytest.raises(UnknownNameError, match="column with status bits"):
            split_status(column, 1)
