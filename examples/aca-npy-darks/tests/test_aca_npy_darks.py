"""The source keeps the contract of dark sources, and says what is wrong with its files."""

import attrs
import numpy as np
import pytest
from aca_core import Config, IntegrityError, MissingDataError, Registry, open_archive, using
from aca_core.dark_cal import get_dark_cal_id, get_dark_cal_image, get_dark_cal_props, get_dark_cal_props_table
from aca_core.testing import DarkSourceContract

from aca_npy_darks import NPY

TEMPERATURES = "id,ccd_temp\n2019272,-11.0\n2020100,-9.5\n"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with two maps and their temperatures. All of it is synthetic."""
    folder = tmp_path / "archive" / "npy_darks"
    folder.mkdir(parents=True)
    for dark_id, level in (("2019272", 100.0), ("2020100", 120.0)):
        np.save(folder / f"{dark_id}.npy", np.linspace(level, -5.0, 1024 * 1024).reshape(1024, 1024))
    (folder / "temperatures.csv").write_text(TEMPERATURES)
    return folder


@pytest.fixture
def archive(folder):
    with using(open_archive(config=Config(root=[folder.parent]))) as opened:
        yield opened


class TestNpy(DarkSourceContract):
    @pytest.fixture
    def source(self, folder):
        return attrs.evolve(NPY, root=folder)


class TestNpyWithoutTemperatures(DarkSourceContract):
    @pytest.fixture
    def source(self, folder):
        (folder / "temperatures.csv").unlink()
        return attrs.evolve(NPY, root=folder)


def test_is_found_once_installed():
    info = Registry().plugin("aca-npy-darks:npy")
    assert (info.status, info.offers, info.reason) == ("loaded", ("dark source npy",), "")


def test_the_core_asks_it_by_date(archive, folder):
    assert get_dark_cal_id("2020:001", "after", source="npy") == "2020100"
    image = get_dark_cal_image("2020:001", t_ccd_ref=-15.0, aca_image=True, source="npy")
    assert image.aca[-512, -512] == pytest.approx(70.0)
    assert image.min() == 0
    assert get_dark_cal_props_table(source="npy")["ccd_temp"].tolist() == [-11.0, -9.5]


def test_other_files_are_passed_over(archive, folder):
    for name in ("2019366.npy", "notes.npy", "20192720.npy", "2019273.txt"):
        (folder / name).write_bytes(b"")
    assert Registry(archive.config).dark_source("npy").ids() == ("2019272", "2020100")


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        ("id,ccd_temp\n2020100,-9.5\n", MissingDataError, "temperatures.csv has no line for 2019272"),
        ("id,ccd_temp\n2019272,cold\n", IntegrityError, "temperatures.csv: has ccd_temp 'cold' for 2019272; expected"),
        ("id\n2019272\n", IntegrityError, "temperatures.csv: has ccd_temp None for 2019272; expected"),
    ],
)
def test_a_temperature_that_is_not_there_is_named(archive, folder, lines, error, message):
    (folder / "temperatures.csv").write_text(lines)
    with pytest.raises(error, match=message):
        get_dark_cal_props("2020:001", source="npy")


def test_a_file_of_temperatures_that_is_no_text_is_named(archive, folder):
    (folder / "temperatures.csv").write_bytes(b"id,ccd_temp\n2019272,\xff\n")
    with pytest.raises(IntegrityError, match=r"temperatures.csv: cannot be read as CSV: "):
        get_dark_cal_props("2020:001", source="npy")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (lambda path: path.write_bytes(b"not an array"), "cannot be read as a .npy map"),
        (lambda path: path.write_bytes(b""), "cannot be read as a .npy map"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "cannot be read as a .npy map"),
        (lambda path: np.save(path, np.zeros((512, 512))), r"holds float64 of shape \(512, 512\); expected numbers"),
        (lambda path: np.save(path, np.full((1024, 1024), "x")), "holds <U1 of shape"),
    ],
)
def test_a_map_that_is_none_is_refused(archive, folder, written, message):
    written(folder / "2019272.npy")
    with pytest.raises(IntegrityError, match=message):
        get_dark_cal_image("2020:001", source="npy")
