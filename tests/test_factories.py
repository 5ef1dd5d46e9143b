"""Factories: the small files that tests are made of are valid, say that they are synthetic, and hold what was asked."""

import gzip
import json

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from aca_core.parameter_file import read_parameter_file
from aca_core.testing import SYNTHETIC, write_dark_calibration, write_fits, write_parameter_file, write_text

COLUMNS = {
    "TIME": np.array([1.5, 2.5, 3.5]),
    "QUALITY": np.array([0, 1, 2**40]),
    "GOOD": np.array([True, False, True]),
    "PIXTLM": np.array(["ORIG", "DYNB", "x"]),
    "IMGRAW": np.arange(3 * 6 * 4, dtype=float).reshape(3, 6, 4),
    "POS": np.arange(9).reshape(3, 3),
}


@pytest.mark.parametrize("name", ["simf000000001N001_coor1.fits", "simf000000001N001_coor1.fits.gz"])
def test_a_fits_file_holds_what_was_asked(tmp_path, name):
    header = {"TSTART": 1.5, "CONTENT": "SIMCOOR", "REVISION": 2, "OBS_ID": None}
    path = write_fits(tmp_path / name, header, COLUMNS)
    assert path == tmp_path / name
    assert path.read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    # Warnings are errors: a checksum that does not fit would be one.
    with fits.open(path, checksum=True) as hdus:
        assert [SYNTHETIC in hdu.header["COMMENT"] for hdu in hdus] == [True, True]
        assert {"CHECKSUM", "DATASUM"} < set(hdus[1].header)
        found = {keyword: hdus[1].header[keyword] for keyword in header}
        assert found == header
        assert hdus[1].columns.names == list(COLUMNS)
        for column, values in COLUMNS.items():
            np.testing.assert_array_equal(hdus[1].data[column], values)


@pytest.mark.parametrize("kind", ["u1", "u2", "i2", "f4", ">f8", "<i4"])
def test_a_column_of_any_number_type_keeps_its_values(tmp_path, kind):
    values = np.array([0, 7, 200], kind)
    write_fits(tmp_path / "a.fits", {}, {"IMGNUM1": values})
    found = fits.getdata(tmp_path / "a.fits", 1)["IMGNUM1"]
    assert found.tolist() == values.tolist()


def test_a_fits_file_may_have_no_rows_or_no_columns_of_its_own(tmp_path):
    write_fits(tmp_path / "empty.fits", {}, {"TIME": np.zeros(0), "IMGRAW": np.zeros((0, 8, 8))})
    with fits.open(tmp_path / "empty.fits") as hdus:
        assert hdus[1].data["IMGRAW"].shape == (0, 8, 8)
    write_fits(tmp_path / "bare.fits", {"TSTART": 1.0})
    with fits.open(tmp_path / "bare.fits") as hdus:
        assert hdus[1].data["value"].tolist() == [0.0]


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=20),
)


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["a.par", "a.par.gz"]))
def test_a_parameter_file_holds_what_was_asked(tmp_path_factory, parameters, name):
    path = write_parameter_file(tmp_path_factory.getbasetemp() / name, parameters)
    found = read_parameter_file(path)
    assert found == parameters
    assert list(found) == list(parameters)
    assert [type(value) for value in found.values()] == [type(value) for value in parameters.values()]
    content = path.read_bytes()
    text = gzip.decompress(content) if name.endswith(".gz") else content
    assert text.startswith(f"# {SYNTHETIC}\n".encode())


def test_a_parameter_file_takes_the_numbers_of_numpy(tmp_path):
    parameters = {"tstart": np.float64(1.5), "obi_num": np.int64(3)}
    found = read_parameter_file(write_parameter_file(tmp_path / "a.par", parameters))
    assert found == {"tstart": 1.5, "obi_num": 3}


def test_a_text_file_is_compressed_by_its_name(tmp_path):
    text = f"# {SYNTHETIC}\n\u00e9\n"
    assert write_text(tmp_path / "a.txt", text).read_bytes() == text.encode()
    assert gzip.decompress(write_text(tmp_path / "a.txt.gz", text).read_bytes()) == text.encode()


def test_the_same_parameters_give_the_same_bytes(tmp_path):
    first = write_parameter_file(tmp_path / "a.par.gz", {"obs_id": "07000"})
    second = write_parameter_file(tmp_path / "b.par.gz", {"obs_id": "07000"})
    assert first.read_bytes() == second.read_bytes()


def test_a_dark_calibration_has_a_map_and_properties(tmp_path):
    folder = write_dark_calibration(tmp_path / "darks", "2019272", level=20.0, t_ccd=-11.5)
    assert folder == tmp_path / "darks" / "2019272"
    with fits.open(folder / "image.fits", checksum=True) as hdus:
        assert SYNTHETIC in hdus[0].header["COMMENT"]
        image = hdus[0].data
        assert (image.shape, image.dtype) == ((1024, 1024), np.dtype(">f4"))
        assert (image[0, 0], image[-1, -1]) == (20.0, -2.0)
        assert (np.diff(image.ravel()) <= 0).all()
    assert json.loads((folder / "properties.json").read_text()) == {
        "ccd_temp": -11.5,
        "date": "2019:272",
        "id": "2019272",
        "synthetic": SYNTHETIC,
    }
