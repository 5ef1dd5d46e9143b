"""Tables from files and into files: the formats, what is refused, and that a file is never half there."""

import json

import numpy as np
import pytest
from astropy.table import Table

from aca_core import DateError, DeclarationError, IntegrityError, MissingDataError, UnknownNameError
from aca_core.tables import column_of, numbers_in, read_table_file, rows_of, times_in, write_table_file


@pytest.fixture
def table():
    return Table({"mag": [8.5, 10.25], "name": ["a", "b"]}, meta={"MODEL": "sota-2013"})


@pytest.mark.parametrize("name", ["t.csv", "t.ecsv", "t.fits", "t.fits.gz", "t.h5", "T.CSV"])
def test_a_table_comes_back_as_it_was_written(tmp_path, table, name):
    path = write_table_file(table, tmp_path / name)
    found = read_table_file(path)
    assert found.colnames == table.colnames
    assert found["mag"].tolist() == [8.5, 10.25]
    assert [str(each) for each in found["name"]] == ["a", "b"]
    if "csv" not in name.lower() or "ecsv" in name:
        assert found.meta["MODEL"] == "sota-2013"
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [name], "nothing is left beside it"
    assert path.read_bytes()[:2] == b"\x1f\x8b" or not name.endswith(".gz")


@pytest.mark.parametrize("name", ["t.ecsv", "t.fits", "t.h5"])
def test_masked_cells_arrays_and_units_come_back(tmp_path, name):
    images = np.ma.masked_equal(np.arange(8, dtype=np.float32).reshape(2, 2, 2), 3)
    table = Table({"IMGRAW": images, "n": np.ma.array([1, 2], mask=[True, False])}, units=["adu", ""])
    found = read_table_file(write_table_file(table, tmp_path / name))
    assert str(found["IMGRAW"].unit) == "adu"
    np.testing.assert_array_equal(np.ma.fix_invalid(found["IMGRAW"]).mask, images.mask)
    assert found["n"].tolist() == [None, 2]


def test_csv_has_no_place_for_arrays_and_says_which_format_has(tmp_path):
    table = Table({"IMGRAW": np.zeros((2, 8, 8))})
    with pytest.raises(DeclarationError, match=r"ends in \.ecsv, .*, since IMGRAW has an array in each row"):
        write_table_file(table, tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


def test_hdf5_of_somebody_else_without_the_dataset_is_named(tmp_path):
    import h5py

    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["other"] = [1.0]
    with pytest.raises(IntegrityError, match=r"t\.h5: cannot be read as a table"):
        read_table_file(tmp_path / "t.h5")


def test_arrays_of_numpy_are_a_table(tmp_path):
    np.savez(tmp_path / "a.npz", mag=[9.0, 10.0], fail=[0, 1])
    assert read_table_file(tmp_path / "a.npz")["fail"].tolist() == [0, 1]


def test_a_word_among_numbers_is_named_with_its_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mag,name\n10.3,a\n,b\nbright,c\n")
    with pytest.raises(
        DeclarationError, match=r"^column 'mag' of .*a\.csv: row 3 is 'bright'; expected a number in mag$"
    ):
        numbers_in(read_table_file(path), "mag", path, "mag")
    path.write_text("mag,name\n10.3,a\n,b\n")
    assert np.isnan(numbers_in(read_table_file(path), "mag", path)).tolist() == [False, True]


def test_a_truncated_fits_file_is_one_error_without_a_warning(tmp_path, table):
    whole = write_table_file(table, tmp_path / "t.fits").read_bytes()
    (tmp_path / "t.fits").write_bytes(whole[:1000])
    with pytest.raises(IntegrityError, match=r"t\.fits: cannot be read as a table"):  # a warning would be an error here
        read_table_file(tmp_path / "t.fits")


def test_what_is_empty_is_masked(tmp_path):
    (tmp_path / "a.csv").write_text("mag,t_ccd\n10.3,\n,-11\n")
    assert read_table_file(tmp_path / "a.csv")["t_ccd"].tolist() == [None, -11]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", b"", "is no table by its name; expected .csv, .ecsv"),
        ("a.fits", b"SIMPLE", "cannot be read as a table"),
        ("a.ecsv", b"mag\n1\n", "cannot be read as a table"),
        ("a.npz", b"PK", "cannot be read as a table"),
        ("a.csv", b"", "cannot be read as a table"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(IntegrityError, match=rf"{name}: {problem}"):
        read_table_file(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"there is no file .*none\.csv"):
        read_table_file(tmp_path / "none.csv")


def test_a_failed_write_leaves_what_was_there(tmp_path, table, monkeypatch):
    path = write_table_file(table, tmp_path / "t.csv")
    before = path.read_bytes()
    with pytest.raises(DeclarationError, match=r"a name that ends in .csv"):
        write_table_file(table, tmp_path / "t.parquet")

    def full(*_args, **_keywords):
        (tmp_path / ".part").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Table, "write", full)
    with pytest.raises(OSError, match="No space"):
        write_table_file(table, path)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [".part", "t.csv"]


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path, table):
    with pytest.raises(FileNotFoundError) as caught:
        write_table_file(table, tmp_path / "none" / "t.csv")
    assert caught.value.filename == str(tmp_path / "none" / "t.csv")


def test_a_column_is_found_by_any_of_its_names(table):
    assert column_of(table, ["mag_aca", "MAG"], "t.csv") == "mag"
    with pytest.raises(UnknownNameError, match=r"no column is named 'date or year'.* Known: mag, name.*t\.csv"):
        column_of(table, ["date", "year"], "t.csv")


def test_what_is_no_path_is_refused(table):
    for path in (None, 5, b"stars.csv"):
        with pytest.raises(DeclarationError, match=r"^read_table_file: path is .*; expected the path of a file"):
            read_table_file(path)
        with pytest.raises(DeclarationError, match=r"^write_table_file: path is .*; expected the path of a file"):
            write_table_file(table, path)
    with pytest.raises(IntegrityError, match="cannot be read: File name too long"):
        read_table_file("a" * 300 + ".csv")


def test_rows_are_plain_down_to_the_cells_of_arrays():
    rows = rows_of(Table({"ends": [[1.0, np.nan], [np.inf, 4.0]], "count": [2, 3]}))
    assert rows == [{"ends": [1.0, None], "count": 2}, {"ends": [None, 4.0], "count": 3}]
    json.dumps(rows, allow_nan=False)


def test_a_column_of_dates_may_have_gaps_and_has_one_date_in_a_row():
    secs = times_in(Table({"date": np.array(["1998:001:00:00:00", None], dtype=object)}), "date", "stars.ecsv")
    np.testing.assert_allclose(secs, [63.184, np.nan])
    with pytest.raises(DateError, match=r"column 'date' of stars.ecsv needs one date in a row"):
        times_in(Table({"date": [[1.0, 2.0]]}), "date", "stars.ecsv")
