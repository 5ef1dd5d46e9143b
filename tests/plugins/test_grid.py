"""The grid models: which file answers, both styles of axes, exact values at the nodes, and files that are no good."""

from __future__ import annotations

import gzip
import itertools
import math
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest
from aca_plugins import grid
from aca_plugins.grid import GRID, GRID_FLOOR, GRID_LOCAL_QUADRATIC, grid_model, tables
from aca_plugins.grid.tables import read_grid
from astropy.io import fits
from scipy.stats import norm

from aca_core import (
    AcaWarning,
    Config,
    ConfigError,
    DeclarationError,
    InputRange,
    IntegrityError,
    MissingDataError,
    Registry,
    StarConditions,
    load_config,
)
from aca_core.archive.current import using_plugins
from aca_core.probability import acq_success_prob, describe_model, success_prob
from aca_core.testing import ProbabilityModelContract

MAGS, T_CCDS, HALFWIDTHS = [5.0, 7.0, 9.0, 10.0, 10.75], [-15.0, -11.0, -8.0, 2.0], [60.0, 120.0, 160.0]
REGULAR = {"MAG": np.linspace(5, 12, 15), "T_CCD": np.linspace(-16, -1, 4), "HALFW": np.linspace(60, 180, 3)}
IRREGULAR = {"MAG": np.array(MAGS), "T_CCD": np.array(T_CCDS), "HALFW": np.array(HALFWIDTHS)}


def probits_of(axes, red=0.0):
    """Return synthetic probits of failure: smooth, and rising with magnitude, temperature and box."""
    mag, t_ccd, halfwidth = np.meshgrid(*axes.values(), indexing="ij")
    return (-2.4 + 0.1 * (mag - 5) ** 1.7 + 0.05 * (t_ccd + 16) + 0.002 * halfwidth + red).astype("f4")


def write_grid(path, axes=None, *, red=0.5, name="grid-synthetic", header=(), images=None):
    """Write a synthetic grid file; irregular axes are listed in the header one by one."""
    axes = IRREGULAR if axes is None else axes
    primary = fits.PrimaryHDU()
    primary.header["MDL_NAME"] = name
    primary.header["COMMENT"] = "synthetic: made for a test"
    for key, axis in axes.items():
        primary.header[f"{key}_N"] = len(axis)
        primary.header[f"{key}_LO"], primary.header[f"{key}_HI"] = axis[0], axis[-1]
        if axes is not REGULAR:
            for index, value in enumerate(axis):
                primary.header[f"{key}_{index}"] = value
    for key, value in dict(header).items():
        if value is None:
            del primary.header[key]
        else:
            primary.header[key] = value
    images = [probits_of(axes), probits_of(axes, red)] if images is None else images
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([primary, *(fits.ImageHDU(image) for image in images)]).writeto(path, overwrite=True)
    return path


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "aca_acq_prob"


class TestRegular(ProbabilityModelContract):
    @pytest.fixture
    def model(self, folder):
        return grid_model(write_grid(folder / "grid-floor-2020-02.fits.gz", REGULAR))


class TestIrregular(ProbabilityModelContract):
    @pytest.fixture
    def model(self, folder):
        write_grid(folder / "grid-local-quadratic-2024-09.fits.gz")
        return attrs.evolve(GRID, folder=folder)


# ---- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [REGULAR, IRREGULAR], ids=["regular", "irregular"])
@pytest.mark.parametrize(("color", "red"), [(0.6, 0.0), (1.5, 0.5)])
def test_values_at_the_nodes_are_those_of_the_file(folder, axes, color, red):
    table = read_grid(write_grid(folder / "grid-2024-01.fits.gz", axes))
    assert all(np.array_equal(found, axis) for found, axis in zip(table.axes.values(), axes.values(), strict=True))
    mag, t_ccd, halfwidth = np.meshgrid(*axes.values(), indexing="ij")
    stars = StarConditions({"mag": mag, "t_ccd": t_ccd, "halfwidth": halfwidth, "color": color})
    np.testing.assert_array_equal(table.probit(stars), probits_of(axes, red).astype(float))


def test_between_the_nodes_it_is_linear_in_each_axis(folder):
    from scipy.interpolate import RegularGridInterpolator

    model = grid_model(write_grid(folder / "grid-2024-01.fits.gz"))
    rng = np.random.default_rng(3)
    stars = [rng.uniform(axis[0], axis[-1], 200) for axis in IRREGULAR.values()]
    expected = RegularGridInterpolator(tuple(IRREGULAR.values()), probits_of(IRREGULAR).astype(float))(
        np.transpose(stars)
    )
    found = success_prob("acquisition", mag=stars[0], t_ccd=stars[1], halfwidth=stars[2], model=model)
    np.testing.assert_allclose(found.prob, norm.cdf(-expected), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grid-floor-2020-02", [0.9810528, 0.8614270, 0.5077134, 0.4617617, 0.3472445, 0.9968652, 0.0124930]),
        ("grid-local-quadratic-2025-10", [0.9869968, 0.9349173, 0.7815573, 0.7815573, 0.6555613, 0.9930000, 0.4559607]),
    ],
)
@pytest.mark.filterwarnings("ignore:.*outside of the range:aca_core.AcaWarning")
def test_operational_files_give_their_reference_values(real_data, name, expected):
    model = grid_model(real_data / f"{name}.fits.gz")
    found = success_prob(
        "acquisition",
        mag=[9, 10, 10.3, 10.3, 10.3, 7, 11.5],
        t_ccd=[-11, -11, -10, -10, -8.5, -10, -10],
        color=[0.6, 0.6, 0.6, 1.5, 0.6, 0.6, 0.6],
        halfwidth=[120, 120, 120, 120, 130, 120, 120],
        model=model,
    )
    assert found.prob.tolist() == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("name", ["grid-floor-2020-02", "grid-local-quadratic-2025-10"])
def test_operational_files_are_exact_at_their_nodes(real_data, name):
    path = real_data / f"{name}.fits.gz"
    table = read_grid(path)
    with fits.open(path) as hdus:
        images = [np.array(hdus[number].data, dtype=float) for number in (1, 2)]
    mag, t_ccd, halfwidth = np.meshgrid(*table.axes.values(), indexing="ij")
    for color, image in zip((0.6, 1.5), images, strict=True):
        stars = StarConditions({"mag": mag, "t_ccd": t_ccd, "halfwidth": halfwidth, "color": color})
        np.testing.assert_array_equal(table.probit(stars), image)


def test_the_axes_of_operational_files_are_those_that_are_published(real_data):
    floor = read_grid(real_data / "grid-floor-2020-02.fits.gz").axes
    assert [(axis.size, axis[0], axis[-1]) for axis in floor.values()] == [(141, 5, 12), (31, -16, -1), (7, 60, 180)]
    local = read_grid(real_data / "grid-local-quadratic-2025-10.fits.gz").axes
    assert local["mag"].tolist() == [5.0, 7.0, 7.5, *np.arange(7.75, 10.76, 0.25).tolist()]
    assert local["t_ccd"].tolist() == [-15, -13, -11, *range(-9, 3)]
    assert local["halfwidth"].tolist() == [60, 80, 100, 120, 140, 160]


# ---- ranges ---------------------------------------------------------------------------------------------------------


def test_ranges_are_those_of_the_file(folder):
    model = grid_model(write_grid(folder / "grid-2024-01.fits.gz"))
    assert model.input_ranges() == {
        "mag": InputRange(5.0, 10.75, warn_above=0.25),
        "t_ccd": InputRange(-15.0, 2.0),
        "halfwidth": InputRange(60.0, 160.0),
    }
    narrow = attrs.evolve(model, ranges={"t_ccd": InputRange(-12, -5)})
    assert narrow.input_ranges()["t_ccd"] == InputRange(-12, -5)


def test_a_star_beyond_the_grid_is_given_too_much_and_that_is_said(folder):
    model = grid_model(write_grid(folder / "grid-2024-01.fits.gz"))
    at_the_end = acq_success_prob(t_ccd=-10, mag=10.75, model=model)
    assert acq_success_prob(t_ccd=-10, mag=11.0, model=model) == at_the_end  # a quarter of a magnitude is forgiven
    with pytest.warns(AcaWarning) as caught:
        found = success_prob("acquisition", mag=[10, 11.5, 12], t_ccd=-10, model=model)
    assert found.prob[1:].tolist() == [at_the_end] * 2
    assert found.clipped == {"mag": 2}
    assert [str(warning.message) for warning in caught] == [
        "success_prob: mag of 3 stars: 2 above 10.75 (greatest 12), outside of the range of acquisition model "
        "'grid-file'; evaluated at its end; "
        f"success as high as {at_the_end:.2g} is given to stars that may be too faint"
    ]
    assert caught[0].filename == __file__


# ---- which file -----------------------------------------------------------------------------------------------------


def test_the_newest_file_of_a_pattern_answers(folder):
    for name in ("grid-floor-2018-11", "grid-floor-2020-02", "grid-local-quadratic-2023-05", "other-2030-01"):
        write_grid(folder / f"{name}.fits.gz", name=name)
    write_grid(folder / "grid-local-quadratic-2025-10.fits")
    (folder / "grid-notes-2031-01.txt").write_text("not a model")
    (folder / "grid-local-quadratic.fits.gz").write_bytes(b"no month")
    newest = {model.name: attrs.evolve(model, folder=folder).path().name for model in grid.aca_probability_models()}
    assert newest == {
        "grid": "grid-local-quadratic-2025-10.fits",
        "grid-floor": "grid-floor-2020-02.fits.gz",
        "grid-local-quadratic": "grid-local-quadratic-2025-10.fits",
    }
    for pattern in ("grid-floor-2018-11", "grid-floor-2018-11.fits.gz"):
        assert attrs.evolve(GRID, folder=folder, pattern=pattern).path().name == "grid-floor-2018-11.fits.gz"


def test_a_site_says_where_the_files_are_and_which_one_counts(tmp_path, folder):
    write_grid(folder / "grid-floor-2018-11.fits.gz", name="floor-2018-11")
    write_grid(tmp_path / "mine" / "grid-special-2026-01.fits.gz")
    (tmp_path / "aca.toml").write_text(
        'root = "."\n[models.grid]\nfolder = "mine"\n[models.grid-floor]\npattern = "grid-floor-2018-11"\n'
        '[probability]\nacquisition = "grid-floor"\n'
    )
    registry = Registry(load_config(tmp_path / "aca.toml"))
    assert registry.model("grid", "acquisition").path().name == "grid-special-2026-01.fits.gz"
    with using_plugins(registry):
        found = success_prob("acquisition", mag=10, t_ccd=-10)
    assert (found.model, found.distribution) == ("grid-floor", "aca-core")
    assert found.provenance["data_file"] == str(folder / "grid-floor-2018-11.fits.gz")
    assert found.provenance["data_name"] == "floor-2018-11"
    assert len(found.provenance["data_sha256"]) == 64
    assert "grid-floor-2018-11.fits.gz" in found.meta["OPTIONS"]


def test_one_certain_file_is_a_model_too(folder):
    path = write_grid(folder / "anything.fits")
    found = success_prob("acquisition", mag=10, t_ccd=-10, model=grid_model(str(path), name="mine"))
    assert (found.model, found.provenance["data_file"]) == ("mine", str(path))
    with pytest.raises(DeclarationError, match=r"grid_model: path is .*\.txt'; expected a file <name>\.fits"):
        grid_model("notes.txt")
    with pytest.raises(DeclarationError, match="grid_model: path is None; expected a file"):
        grid_model(None)


def test_without_an_archive_root_the_configuration_is_blamed():
    with pytest.raises(ConfigError, match=r"models\.grid\.folder: aca_acq_prob is relative to the archive root"):
        acq_success_prob(mag=9, model="grid")


def test_a_folder_that_is_not_there_is_named_with_its_key(tmp_path):
    model = Registry(Config(root=tmp_path)).model("grid", "acquisition")
    message = rf"there is no folder {tmp_path}/aca_acq_prob; .* set models\.grid\.folder in the configuration"
    with pytest.raises(MissingDataError, match=message):
        acq_success_prob(mag=9, model=model)
    assert "there is no folder" in describe_model(model)["problem"]


def test_a_folder_that_cannot_be_read_is_named_with_its_key(folder, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied", str(self))

    folder.mkdir()
    monkeypatch.setattr(Path, "iterdir", denied)
    model = attrs.evolve(GRID, folder=folder)
    message = rf"the folder {folder} cannot be read \(Permission denied\); set models\.grid\.folder"
    with pytest.raises(MissingDataError, match=message):
        acq_success_prob(mag=9, model=model)
    assert "Permission denied" in describe_model(model)["problem"]


def test_files_that_do_not_match_are_listed(folder):
    write_grid(folder / "grid-floor-2020-02.fits.gz")
    with pytest.raises(MissingDataError) as caught:
        acq_success_prob(mag=9, model=attrs.evolve(GRID_LOCAL_QUADRATIC, folder=folder))
    assert str(caught.value) == (
        f"acquisition model 'grid-local-quadratic': no file <name>-<YYYY-MM>.fits.gz in {folder} matches "
        "'grid-local-quadratic-*'; there is grid-floor-2020-02.fits.gz. "
        "Set models.grid-local-quadratic.folder or models.grid-local-quadratic.pattern"
    )
    with pytest.raises(MissingDataError, match="there is no file of that kind"):
        attrs.evolve(GRID, folder=folder.parent).path()


# ---- what is remembered ---------------------------------------------------------------------------------------------


def test_a_file_is_read_once_and_again_when_it_changes(folder, monkeypatch):
    path = write_grid(folder / "grid-2024-01.fits.gz")
    reads = []
    read = tables._read
    monkeypatch.setattr(tables, "_read", lambda path: reads.append(path) or read(path))
    model = grid_model(path)
    first = acq_success_prob(mag=10, t_ccd=-10, model=model)
    assert acq_success_prob(mag=10, t_ccd=-10, model=model) == first
    assert reads == [path]
    write_grid(path, images=[probits_of(IRREGULAR, 1.0)] * 2, name="a longer name, so that the size differs, too")
    assert acq_success_prob(mag=10, t_ccd=-10, model=model) < first
    assert reads == [path, path]


def test_few_files_are_remembered_and_none_can_be_changed(folder):
    for number in range(12):
        table = read_grid(write_grid(folder / f"grid-2024-{number + 1:02}.fits.gz"))
    assert len(tables._tables) == tables._KEPT
    for array in (*table.axes.values(), *table.probits):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_many_threads_get_the_same(folder):
    model = pickle.loads(pickle.dumps(grid_model(write_grid(folder / "grid-2024-01.fits.gz"))))
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: acq_success_prob(mag=10, t_ccd=-10, model=model), range(64)))
    assert len(found) == 1


def test_a_color_that_is_not_known_leaves_the_table_open(folder):
    model = grid_model(write_grid(folder / "grid-2024-01.fits.gz"))
    assert math.isnan(acq_success_prob(mag=10, t_ccd=-10, color=math.nan, model=model))


# ---- files that are no good -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"header": {"MAG_N": None}}, "the keyword MAG_N is None; expected a number"),
        ({"header": {"MAG_N": "many"}}, "the keyword MAG_N is 'many'; expected a number"),
        ({"header": {"T_CCD_N": 1}}, "T_CCD_N is 1; expected how many points the axis has, 2 or more"),
        ({"header": {"MAG_N": 10**9}}, r"MAG_N is 1e\+09; expected how many points the axis has"),
        ({"header": {"HALFW_LO": None}}, "the keyword HALFW_LO is None; expected a number"),
        ({"header": {"MAG_2": 6.5}}, r"the axis MAG is \[5\.0, 7\.0, 6\.5, .*\]; expected ascending values"),
        ({"header": {"MAG_HI": 11.0}}, "the axis MAG goes from 5 to 10.75; MAG_LO and MAG_HI say 5 and 11"),
        ({"images": [probits_of(IRREGULAR)]}, "has 2 HDUs; expected a header and two images of probits"),
        (
            {"images": [probits_of(IRREGULAR), probits_of(REGULAR)]},
            r"HDU 2 holds an image of shape \(15, 4, 3\); expected \(5, 4, 3\), as the header's axes say",
        ),
        ({"images": [None, None]}, "HDU 1 holds no image"),
        ({"images": [probits_of(IRREGULAR, np.nan)] * 2}, "HDU 1 holds values that are no numbers"),
    ],
    ids=itertools.count(),
)
def test_a_file_that_cannot_be_right_is_named(folder, changes, problem):
    path = write_grid(folder / "grid-2024-01.fits.gz", **changes)
    with pytest.raises(IntegrityError, match=problem) as caught:
        acq_success_prob(mag=9, model=grid_model(path))
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"", lambda data: b"notes", lambda data: data[:-400], lambda data: gzip.compress(b"notes" * 1000)],
    ids=["empty", "text", "cut", "zipped text"],
)
def test_a_damaged_file_is_named(folder, spoil):
    path = write_grid(folder / "grid-2024-01.fits.gz")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(IntegrityError, match="cannot be read as a grid file") as caught:
        acq_success_prob(mag=9, model=grid_model(path))
    assert caught.value.path == str(path)


def test_a_plain_file_that_is_cut_short_is_named_without_warnings_of_others(folder):
    path = write_grid(folder / "grid-2024-01.fits")
    path.write_bytes(path.read_bytes()[:-100])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(IntegrityError, match="are no whole blocks of 2880, as if it were cut short"):
            acq_success_prob(mag=9, model=grid_model(path))
    assert caught == []


def test_a_file_that_unpacks_without_end_is_refused(folder, monkeypatch):
    monkeypatch.setattr(tables, "_MOST_BYTES", 1000)
    path = write_grid(folder / "grid-2024-01.fits.gz")
    with pytest.raises(IntegrityError, match="is larger than"):
        read_grid(path)


def test_a_file_that_is_gone_is_missing(folder):
    model = grid_model(folder / "grid-2024-01.fits.gz")
    folder.mkdir()
    with pytest.raises(MissingDataError, match=r"matches 'grid-2024-01\.fits\.gz'"):
        acq_success_prob(mag=9, model=model)
    with pytest.raises(MissingDataError, match="cannot be read"):
        read_grid(folder / "grid-2024-01.fits.gz")


def test_what_is_shipped_needs_no_file_to_be_declared():
    assert [model.pattern for model in (GRID, GRID_FLOOR, GRID_LOCAL_QUADRATIC)] == [
        "grid-*",
        "grid-floor-*",
        "grid-local-quadratic-*",
    ]
    assert describe_model(attrs.evolve(GRID_FLOOR, folder=GRID.folder.absolute()))["inputs"] == list(GRID.inputs)
