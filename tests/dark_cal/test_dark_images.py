"""Maps by date: scaled to a temperature, clipped, and by rows and columns of the CCD."""

import json
import math

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from aca_core import DateError, DeclarationError, IntegrityError, MissingDataError
from aca_core.aca_image import ACAImage
from aca_core.dark_cal import (
    dark_temp_scale,
    get_dark_cal_image,
    get_dark_cal_props,
    get_dark_cal_props_table,
    temp_scalefac,
)
from aca_core.dark_model import temp_scalefac as temp_scalefac_of_model


def stored(root, dark_id):
    return fits.getdata(root / dark_id / "image.fits").astype(np.float32)


def test_a_map_is_what_the_file_has_without_its_negative_values(root, archive):
    image, raw = get_dark_cal_image("2007:008"), stored(root, "2007006")
    assert type(image) is np.ndarray
    assert image.dtype == np.dtype("float32")
    assert raw.min() < 0
    np.testing.assert_array_equal(image, np.where(raw < 0, 0, raw))
    np.testing.assert_array_equal(get_dark_cal_image("2007:008", allow_negative=True), raw)


@pytest.mark.parametrize(("select", "dark_id"), [("before", "2007006"), ("after", "2007069"), ("nearest", "2007069")])
def test_the_date_and_the_selection_decide_on_the_map(root, archive, select, dark_id):
    (root / dark_id / "image.fits").unlink()
    fits.PrimaryHDU(np.full((1024, 1024), 3, ">f4")).writeto(root / dark_id / "image.fits")
    assert get_dark_cal_image("2007:060", select).max() == 3


@pytest.mark.parametrize("t_ccd_ref", [-19.0, -15.053, 5, -10.0 * u.deg_C, 263.15 * u.K, np.float64(-10)])
def test_a_map_is_scaled_from_its_own_temperature_before_it_is_clipped(root, archive, t_ccd_ref):
    celsius = t_ccd_ref.to_value(u.deg_C, u.temperature()) if hasattr(t_ccd_ref, "unit") else t_ccd_ref
    factor = 0.70 ** ((-15.053 - celsius) / 4)
    expected = stored(root, "2006329").astype(float) * factor
    image = get_dark_cal_image("2006:330", t_ccd_ref=t_ccd_ref, allow_negative=True)
    assert image.dtype == np.dtype("float32")
    np.testing.assert_allclose(image, expected, rtol=3e-7, atol=1e-6)
    np.testing.assert_allclose(
        get_dark_cal_image("2006:330", t_ccd_ref=t_ccd_ref), expected.clip(0), rtol=3e-7, atol=1e-6
    )


def test_the_newer_properties_have_the_same_temperature(root, archive):
    assert get_dark_cal_image("2020:001", t_ccd_ref=-15)[0, 0] == pytest.approx(70.0, rel=1e-6)


def test_scaling_has_two_directions_under_one_name():
    assert temp_scalefac(t_ccd=-15, t_ccd_ref=-19) == pytest.approx(0.7, rel=1e-12)
    assert temp_scalefac(-10) == dark_temp_scale(-10) == pytest.approx(0.4481987, rel=1e-6)
    assert temp_scalefac_of_model(-15) == pytest.approx(1 / 0.7, rel=1e-9)
    np.testing.assert_allclose(
        temp_scalefac(np.array([-15.0, -5]), -19), 1 / temp_scalefac_of_model(np.array([-15, -5]))
    )


def test_a_map_may_be_asked_for_by_rows_and_columns_of_the_ccd(root, archive):
    image = get_dark_cal_image("2007:008", aca_image=True, allow_negative=True)
    assert isinstance(image, ACAImage)
    assert (image.row0, image.col0, image.shape) == (-512, -512, (1024, 1024))
    raw = stored(root, "2007006")
    assert image.aca[-511, -511] == raw[1, 1]
    assert image.aca[511, 0] == raw[1023, 512]
    assert image.meta == {"dark_id": "2007006", "source": "mica", "unit": "e-/s"}
    assert get_dark_cal_image("2007:008", t_ccd_ref=-10, aca_image=True)[:2].meta["t_ccd"] == -10


def test_a_map_belongs_to_whom_it_is_given(archive):
    for keywords in ({}, {"aca_image": True}, {"t_ccd_ref": -19}):
        first = get_dark_cal_image("2007:008", **keywords)
        first[:] = -1
        assert get_dark_cal_image("2007:008", **keywords).max() > 0


def test_unknown_pixels_stay_unknown(root, archive):
    raw = stored(root, "2007006")
    raw[3, 4] = math.nan
    fits.writeto(root / "2007006" / "image.fits", raw, overwrite=True)
    image = get_dark_cal_image("2007:008", t_ccd_ref=-19)
    assert np.isnan(image[3, 4])
    assert np.isnan(image).sum() == 1


def test_properties_bring_the_map_when_asked(archive):
    keywords = {"t_ccd_ref": -14.0, "aca_image": True, "allow_negative": True}
    properties = get_dark_cal_props("2007:008", include_image=True, **keywords)
    np.testing.assert_array_equal(properties["image"], get_dark_cal_image("2007:008", **keywords))
    assert isinstance(properties["image"], ACAImage)
    assert "image" not in get_dark_cal_props("2007:008", **keywords)


def test_tables_bring_the_maps_when_asked(archive):
    table = get_dark_cal_props_table("2007:001", "2008:001", include_image=True, t_ccd_ref=-14.0)
    assert table["image"].shape == (2, 1024, 1024)
    assert table["image"].dtype == np.dtype("float32")
    for row, date in zip(table, ("2007:006", "2007:069"), strict=True):
        np.testing.assert_array_equal(row["image"], get_dark_cal_image(date, t_ccd_ref=-14.0))
    rows = get_dark_cal_props_table("2007:001", "2008:001", include_image=True, as_table=False, allow_negative=True)
    np.testing.assert_array_equal(rows[1]["image"], get_dark_cal_image("2007:069", allow_negative=True))
    assert get_dark_cal_props_table("1999:001", "2000:001", include_image=True)["image"].shape == (0, 1024, 1024)


# ---- what cannot be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"date": ["2007:008", "2007:009"]}, "dark calibration: date is '2 dates'; expected one date"),
        ({"t_ccd_ref": "cold"}, "dark calibration: t_ccd_ref is 'cold'; expected a number"),
        ({"t_ccd_ref": math.nan}, "dark calibration: t_ccd_ref is nan; expected one temperature, -100 to 100 degC"),
        ({"t_ccd_ref": [-10, -19]}, r"dark calibration: t_ccd_ref is [-10, -19]; expected one temperature"),
        ({"t_ccd_ref": 262.15}, "dark calibration: t_ccd_ref is 262.15; expected one temperature, -100 to 100 degC"),
        ({"t_ccd_ref": 5 * u.m}, "dark calibration: t_ccd_ref is"),
        ({"select": "last"}, "dark calibration: select is 'last'; expected one of before, after, nearest"),
    ],
    ids=str,
)
def test_bad_arguments_are_named(archive, keywords, problem):
    for function in (get_dark_cal_image, get_dark_cal_props):
        with pytest.raises(DeclarationError) as caught:
            function(**{"date": "2007:008", **keywords})
        assert str(caught.value).startswith(problem)
    with pytest.raises(DateError):
        get_dark_cal_image("2013:366")


@pytest.mark.parametrize(
    ("change", "error", "problem"),
    [
        ({"ccd_temp": ...}, MissingDataError, "has no ccd_temp, the CCD temperature"),
        ({"ccd_temp": None}, IntegrityError, "has ccd_temp None; expected -100 to 100 degC"),
        ({"ccd_temp": -1e5}, IntegrityError, "has ccd_temp -100000.0; expected -100 to 100 degC"),
        ({"ccd_temp": "-19"}, IntegrityError, "has ccd_temp '-19'"),
        ({"ccd_temp": True}, IntegrityError, "has ccd_temp True"),
        ({"ccd_temp": math.nan}, IntegrityError, "has ccd_temp nan"),
        ({"ccd_temp": [-19.0]}, IntegrityError, "has ccd_temp [-19.0]"),
    ],
    ids=str,
)
def test_a_map_without_a_temperature_cannot_be_scaled(root, archive, change, error, problem):
    path = root / "2007006" / "properties.json"
    properties = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({name: value for name, value in properties.items() if value is not ...}))
    with pytest.raises(error) as caught:
        get_dark_cal_image("2007:008", t_ccd_ref=-19)
    assert str(caught.value).startswith(f"{path}: {problem}")
    assert get_dark_cal_image("2007:008").shape == (1024, 1024)


def test_a_source_without_properties_cannot_scale_but_read(root, archive):
    (root.parents[1] / "ska" / "data").mkdir(parents=True)
    folder = root.parents[1] / "ska" / "data" / "aca_dark_cal"
    root.rename(folder)
    for path in folder.rglob("image.fits"):
        path.rename(path.with_name("imd.fits"))
    assert get_dark_cal_image("2007:008", source="ska").shape == (1024, 1024)
    for question in (
        lambda: get_dark_cal_image("2007:008", t_ccd_ref=-19, source="ska"),
        lambda: get_dark_cal_props("2007:008", source="ska"),
        lambda: get_dark_cal_props_table(source="ska"),
    ):
        with pytest.raises(MissingDataError, match=r"^dark source 'ska' keeps no properties$"):
            question()


def test_damage_is_named(root, archive):
    fits.writeto(root / "2007006" / "image.fits", np.zeros((512, 512), ">f4"), overwrite=True)
    (root / "2007069" / "image.fits").unlink()
    with pytest.raises(IntegrityError, match=r"2007006/image\.fits: holds an image of shape \(512, 512\)"):
        get_dark_cal_image("2007:008")
    with pytest.raises(MissingDataError, match=r"calibration 2007069 has no file .*2007069/image\.fits"):
        get_dark_cal_image("2007:070")
    assert len(get_dark_cal_props_table()) == 4  # for which no map is opened
