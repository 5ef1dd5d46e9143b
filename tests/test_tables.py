"""Tables from files and into files: the formats, what is refused, and that a file is never half there."""

import numpy as np
import pytest
from astropy.table import Table

from aca_core import DeclarationError, IntegrityError, MissingDataError, UnknownNameError
from aca_core.tables import column_of, read_table_file, write_table_file


@pytest.fixture
def table():
    return Table({"mag": [8.5, 10.25], "name": ["a", "b"]}, meta={"MODEL": "sota-2013"})


@pytest.mark.parametrize("name", ["t.csv", "t.ecsv", "t.fits", "t.fits.gz", "T.CSV"])
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


def test_arrays_of_numpy_are_a_table(tmp_path):
    np.savez(tmp_path / "a.npz", mag=[9.0, 10.0], fail=[0, 1])
    assert read_table_file(tmp_path / "a.npz")["fail"].tolist() == [0, 1]


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
