"""Dark sources: trees of dated folders, with and without properties, whole and damaged."""

import errno
import gzip
import json
import os
from pathlib import Path

import attrs
import numpy as np
import pytest
from astropy.io import fits

from aca_core import DarkSource, DatedTree, DeclarationError, IntegrityError, MissingDataError, dark_sources
from aca_core.testing import DarkSourceContract, write_dark_calibration

SHAPE = (1024, 1024)


def write_map(folder, dark_id, image, name="image.fits"):
    """Write a map as it is given, and return its path."""
    (folder / dark_id).mkdir(parents=True, exist_ok=True)
    path = folder / dark_id / name
    fits.PrimaryHDU(image).writeto(path)
    return path


@pytest.fixture
def root(tmp_path):
    return tmp_path / "aca_dark"


@pytest.fixture
def mica(root):
    """Return a source of the newer layout; its tree is not there yet."""
    return DatedTree(
        name="mica", label="dark maps", root=root, image_file="image.fits", properties_file="properties.json"
    )


@pytest.fixture
def ska(tmp_path):
    """Return a source of the older layout, which keeps no properties; its tree is not there yet."""
    return DatedTree(name="ska", label="older dark maps", root=tmp_path / "aca_dark_cal", image_file="imd.fits")


@pytest.fixture
def trusting(monkeypatch):
    """Let files that were written just now count as settled, so that they have stamps."""
    monkeypatch.setattr(dark_sources, "_SETTLED", 0)


class TestNewerLayout(DarkSourceContract):
    plugin_module = "aca_core.dark_sources"

    @pytest.fixture
    def source(self, mica, trusting):
        write_dark_calibration(mica.root, "2007069")
        write_dark_calibration(mica.root, "2007006", level=20.0)
        return mica


class TestOlderLayout(DarkSourceContract):
    plugin_module = "aca_core.dark_sources"

    @pytest.fixture
    def source(self, ska):
        write_map(ska.root, "2006329", np.ones(SHAPE, ">f4"), "imd.fits")
        return ska


# ---- what is there --------------------------------------------------------------------------------------------------


def test_calibrations_are_listed_as_they_are_now(mica):
    for dark_id in ("2007069", "1999223", "2007006"):
        (mica.root / dark_id).mkdir(parents=True)
    assert mica.ids() == ("1999223", "2007006", "2007069")
    (mica.root / "2007251").mkdir()
    (mica.root / "2007006").rmdir()
    assert mica.ids() == ("1999223", "2007069", "2007251")


def test_a_tree_without_calibrations_is_empty_and_no_error(mica):
    mica.root.mkdir()
    assert mica.ids() == ()


@pytest.mark.parametrize(
    "name",
    [
        *("Result", "200706", "20070060", "3007006", "0007006", "2007006_bad", ".2007006", "x2007006", "200\u0667006"),
        *("2007000", "2007366", "1989001"),  # no days, or none of the mission
    ],
)
def test_entries_of_other_names_are_passed_over(mica, name):
    (mica.root / name).mkdir(parents=True)
    (mica.root / "2007069").mkdir()
    assert mica.ids() == ("2007069",)
    with pytest.raises(MissingDataError, match="there is no calibration"):
        mica.directory(name)


def test_only_folders_are_calibrations(mica):
    (mica.root / "2007006").mkdir(parents=True)
    (mica.root / "2007069").write_text("not a folder")
    (mica.root / "2007251").symlink_to("nowhere")
    (mica.root / "2008001").symlink_to("2007006")
    for dark_id in ("2007069", "2007251"):
        with pytest.raises(MissingDataError, match=f"there is no calibration '{dark_id}'"):
            mica.directory(dark_id)
    assert mica.directory("2008001").is_dir()
    assert mica.ids() == ("2007006", "2008001")


def test_the_folder_of_a_calibration_is_absolute(tmp_path, monkeypatch):
    (tmp_path / "darks" / "2007006").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    tree = DatedTree(name="night", root="darks", image_file="map.fits")
    assert tree.root == Path("darks")
    assert tree.directory("2007006") == tmp_path / "darks" / "2007006"


# ---- maps and properties --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (">f4", "float32"),
        (">f8", "float64"),
        (">i2", "float32"),
        (">i4", "float32"),
        (">i8", "float32"),
        ("u1", "float32"),
    ],
)
def test_a_map_comes_in_native_floating_point_with_its_values(mica, stored, expected):
    image = np.zeros(SHAPE, stored)
    image[1, 2], image[1023, 0] = 7, 100
    if stored != "u1":
        image[0, 1023] = -3
    write_map(mica.root, "2007006", image)
    found = mica.image("2007006")
    assert found.dtype == np.dtype(expected)
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, image.astype(float))


def test_a_scaled_map_comes_in_its_physical_values(mica):
    path = write_map(mica.root, "2007006", np.full(SHAPE, 100, ">i2"))
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header["BSCALE"], hdus[0].header["BZERO"] = 0.5, -60.0
    assert np.unique(mica.image("2007006")).tolist() == [-10.0]


def test_what_is_handed_out_is_the_callers(mica):
    write_dark_calibration(mica.root, "2007006", level=10.0, t_ccd=-19.8)
    image, properties = mica.image("2007006"), mica.properties("2007006")
    assert (image[0, 0], properties["ccd_temp"]) == (10.0, -19.8)
    assert image[-1, -1] < 0
    image[:] = 0
    properties.clear()
    assert mica.image("2007006")[0, 0] == 10.0
    assert mica.properties("2007006")["ccd_temp"] == -19.8


def test_properties_are_the_whole_json_object(mica):
    properties = {"ccd_temp": -19.8, "id": "2007006", "replicas": [{"count": 1, "downlink": True}], "zodib": None}
    (mica.root / "2007006").mkdir(parents=True)
    (mica.root / "2007006" / "properties.json").write_text(json.dumps(properties))
    found = mica.properties("2007006")
    assert type(found) is dict
    assert found == properties


def test_a_compressed_map_is_read(mica):
    path = write_dark_calibration(mica.root, "2007006") / "image.fits"
    plain = mica.image("2007006")
    path.write_bytes(gzip.compress(path.read_bytes()))
    np.testing.assert_array_equal(mica.image("2007006"), plain)
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(IntegrityError, match=r"image\.fits: cannot be read as FITS with an image in HDU 0: "):
        mica.image("2007006")


# ---- how a change shows ---------------------------------------------------------------------------------------------


def test_a_stamp_changes_with_the_file(mica, trusting):
    path = write_dark_calibration(mica.root, "2007006") / "properties.json"
    first = mica.stamp("2007006")
    assert first == attrs.evolve(mica).stamp("2007006")
    assert first[0] == str(path)
    os.utime(path, ns=(0, 1_000_000_000))
    second = mica.stamp("2007006")
    path.write_text(path.read_text().replace("-10.0", "-11.0"))
    os.utime(path, ns=(0, 1_000_000_000))
    third = mica.stamp("2007006")
    assert len({first, second, third}) == 3


def test_what_cannot_be_told_has_no_stamp(mica, ska, trusting, monkeypatch):
    path = write_dark_calibration(mica.root, "2007006") / "properties.json"
    for dark_id in ("2007007", "../2007006", "2007366", ""):
        assert mica.stamp(dark_id) is None
    write_map(ska.root, "2007006", np.ones(SHAPE, ">f4"), "imd.fits")
    assert ska.stamp("2007006") is None
    assert mica.stamp("2007006") is not None
    monkeypatch.setattr(dark_sources, "_SETTLED", 10**12)
    assert mica.stamp("2007006") is None  # it may be written again without a trace
    path.unlink()
    assert mica.stamp("2007006") is None


def test_the_first_root_that_has_a_calibration_answers_for_all_of_it(mica, tmp_path, trusting):
    several = attrs.evolve(mica, other_roots=[tmp_path / "second", tmp_path / "absent"])
    assert several.places == (mica.root, tmp_path / "second", tmp_path / "absent")
    write_dark_calibration(mica.root, "2007006", t_ccd=-1.0)
    write_dark_calibration(tmp_path / "second", "2007006", t_ccd=-2.0)
    write_dark_calibration(tmp_path / "second", "2007069", t_ccd=-3.0)
    assert several.ids() == ("2007006", "2007069")
    assert [several.properties(dark_id)["ccd_temp"] for dark_id in several.ids()] == [-1.0, -3.0]
    assert several.stamp("2007069")[0] == str(tmp_path / "second" / "2007069" / "properties.json")
    (mica.root / "2007006" / "properties.json").unlink()
    assert several.stamp("2007006") is None
    with pytest.raises(MissingDataError, match="2007006 has no file"):
        several.properties("2007006")


def test_a_source_says_where_it_looks(mica, ska):
    assert mica.described() == f"dark source 'mica' ({mica.root})"
    assert attrs.evolve(ska, other_roots=[Path("b")]).described() == f"dark source 'ska' ({ska.root} or b)"


# ---- what is missing ------------------------------------------------------------------------------------------------


def test_a_tree_that_is_not_there_is_named(mica):
    with pytest.raises(MissingDataError) as caught:
        mica.ids()
    hint = "set root of [dark_sources.mica] in the configuration, or name another source"
    assert str(caught.value) == f"dark source 'mica': there is no folder: {mica.root}; {hint}"
    mica.root.write_text("not a folder")
    with pytest.raises(MissingDataError) as caught:
        mica.ids()
    assert str(caught.value) == f"dark source 'mica': is no folder: {mica.root}; {hint}"
    for question in (mica.directory, mica.image, mica.properties):
        with pytest.raises(MissingDataError, match=r"^dark source 'mica': there is no calibration '2007006' in /"):
            question("2007006")


def test_a_link_that_leads_to_itself_is_no_calibration(mica):
    write_dark_calibration(mica.root, "2007006")
    (mica.root / "2007069").symlink_to("2007069")
    assert mica.ids() == ("2007006",)


@pytest.mark.parametrize("refused", ["is_dir", "is_file"])
def test_what_may_not_be_read_is_named(mica, monkeypatch, refused):
    write_dark_calibration(mica.root, "2007006")

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # Not by taking the rights away: whoever may do everything still has them.
    monkeypatch.setattr(Path, refused, refuse)
    questions = [lambda: mica.image("2007006")]
    questions += [mica.ids, lambda: mica.directory("2007006")] if refused == "is_dir" else []
    for question in questions:
        with pytest.raises(IntegrityError, match=f"^{mica.root}.*: cannot be read: Permission denied"):
            question()


@pytest.mark.parametrize("dark_id", ["2007069", "2007", "../2007006", "", "2007006/", "2007:006", "/etc"])
def test_a_calibration_that_is_not_there_is_named(mica, dark_id):
    write_dark_calibration(mica.root, "2007006")
    for question in (mica.directory, mica.image, mica.properties):
        with pytest.raises(MissingDataError) as caught:
            question(dark_id)
        assert str(caught.value) == f"dark source 'mica': there is no calibration {dark_id!r} in {mica.root}"


def test_a_calibration_without_its_files_names_them(mica):
    (mica.root / "2007006").mkdir(parents=True)
    (mica.root / "2007006" / "image.fits").mkdir()
    for question, name in ((mica.image, "image.fits"), (mica.properties, "properties.json")):
        with pytest.raises(MissingDataError) as caught:
            question("2007006")
        path = mica.root / "2007006" / name
        assert str(caught.value) == f"dark source 'mica': calibration 2007006 has no file {path}"


def test_a_tree_without_properties_says_so(ska):
    write_map(ska.root, "2007006", np.ones(SHAPE, ">f4"), "imd.fits")
    assert ska.image("2007006").sum() == 1024**2
    with pytest.raises(MissingDataError, match=r"^dark source 'ska' keeps no properties$"):
        ska.properties("2007006")


# ---- what is damaged ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1024, 1023), (512, 512), (1024,), (1, 1024, 1024)], ids=str)
def test_a_map_of_another_shape_is_refused(mica, shape):
    path = write_map(mica.root, "2007006", np.zeros(shape, ">f4"))
    with pytest.raises(IntegrityError) as caught:
        mica.image("2007006")
    assert caught.value.path == str(path)
    assert caught.value.problem == f"holds an image of shape {shape}; expected (1024, 1024)"


def test_a_map_must_be_in_the_primary_hdu(mica):
    path = write_map(mica.root, "2007006", None)
    fits.append(path, np.zeros(SHAPE, ">f4"))
    with pytest.raises(
        IntegrityError,
        match=r"image\.fits: (cannot be read as FITS with an? (image|header) in HDU 0: No data|holds no image)",
    ):
        mica.image("2007006")


@pytest.mark.parametrize("length", [0, 1, 100, 2880, 3000, 100_000, 4_196_160])
def test_a_map_that_was_cut_short_is_refused(mica, length):
    path = write_dark_calibration(mica.root, "2007006") / "image.fits"
    os.truncate(path, length)
    with pytest.raises(
        IntegrityError, match=r"image\.fits: cannot be read as FITS with an? (image|header) in HDU 0: "
    ) as caught:
        mica.image("2007006")
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("card", "damage"), [(b"BITPIX  =                  -32", b"BITPIX  = 'no end"), (b"NAXIS1  = ", b"NAXIS1  x ")]
)
def test_a_map_whose_header_cannot_be_parsed_is_refused(mica, card, damage):
    path = write_dark_calibration(mica.root, "2007006") / "image.fits"
    content = path.read_bytes()
    assert card in content
    path.write_bytes(content.replace(card, damage.ljust(len(card)), 1))
    with pytest.raises(IntegrityError, match=r"image\.fits: "):
        mica.image("2007006")


def test_a_map_that_is_not_fits_is_refused(mica):
    path = write_dark_calibration(mica.root, "2007006") / "image.fits"
    path.write_bytes(b"e-/s\n" * 2000)
    with pytest.raises(IntegrityError, match=r"image\.fits: cannot be read as FITS with an? (image|header) in HDU 0: "):
        mica.image("2007006")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not valid JSON: Expecting value"),
        (b'{"ccd_temp": -19.8', "is not valid JSON: Expecting"),
        (b"{'ccd_temp': -19.8}", "is not valid JSON: Expecting property name"),
        (b'{"source": "\xff"}', "is not valid JSON: 'utf-8' codec can't decode"),
        (b"[1, 2]", "holds a list; expected a JSON object"),
        (b"-19.8", "holds a float; expected a JSON object"),
        (b"null", "holds a NoneType; expected a JSON object"),
    ],
)
def test_properties_that_are_no_json_object_are_refused(mica, content, problem):
    path = mica.root / "2007006" / "properties.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        mica.properties("2007006")
    assert caught.value.path == str(path)
    assert caught.value.problem.startswith(problem)


# ---- declarations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["root", "image_file"])
def test_the_places_of_a_tree_are_named(field):
    fields = {"name": "night", "root": "darks", "image_file": "map.fits", field: None}
    with pytest.raises(DeclarationError, match=rf"^DatedTree 'night': {field} is None; expected "):
        DatedTree(**fields)


def test_a_dark_source_must_answer_all_questions():
    with pytest.raises(TypeError, match=r"abstract.*directory.*ids.*image.*properties"):
        DarkSource(name="night")
    with pytest.raises(TypeError, match="'image_file'"):
        DatedTree(name="night", root="darks")
