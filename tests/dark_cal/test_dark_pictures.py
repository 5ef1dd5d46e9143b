"""Pictures of dark calibrations, the table behind one of them, and maps that are written to files."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest

from aca_core.aca_image import ACAImage
from aca_core.dark_cal import (
    DarkCalibrations,
    dark_temp_scale,
    is_synthetic,
    plot_dark_map,
    plot_warm_fraction_history,
    warm_fraction_history,
    write_dark_map,
)
from aca_core.dark_current import warm_fraction
from aca_core.dark_sources import DatedTree
from aca_core.errors import AcaWarning, DeclarationError, MissingDataError, UnknownNameError
from aca_core.simulation import simulate_dark_calibrations
from aca_core.testing import write_dark_calibration

IDS = ("2008100", "2014289", "2023101")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    return simulate_dark_calibrations(folder, IDS, layouts=("ska", "mica"))


# ---- the table ------------------------------------------------------------------------------------------------------


def test_a_damaged_calibration_is_left_out_and_told(tmp_path):
    for dark_id in IDS:
        write_dark_calibration(tmp_path, dark_id)
    (tmp_path / IDS[1] / "image.fits").write_bytes(b"SIMPLE")
    (tmp_path / IDS[2] / "properties.json").write_text("{")
    with pytest.warns(
        AcaWarning, match=rf"^2 of 3 dark calibrations of .* are left out, the first one since .*{IDS[1]}"
    ):
        history = warm_fraction_history(source=tmp_path)
    assert (history["id"].tolist(), history.meta["left_out"]) == ([IDS[0]], list(IDS[1:]))
    (tmp_path / IDS[0] / "image.fits").unlink()
    with pytest.raises(MissingDataError, match=rf"calibration {IDS[0]} has no file"):
        warm_fraction_history(source=tmp_path)


def test_a_map_that_a_source_keeps_is_not_changed(tmp_path):
    @attrs.frozen(kw_only=True)
    class Keeping(DatedTree):
        kept: dict = attrs.field(factory=dict, eq=False)

        def image(self, dark_id):
            return self.kept.setdefault(dark_id, super().image(dark_id))

    write_dark_calibration(tmp_path, IDS[0], t_ccd=-10.0)
    source = Keeping(name="keeping", root=tmp_path, image_file="image.fits", properties_file="properties.json")
    first, second = (warm_fraction_history(source=source, threshold=3.0)["warm_ref"].item() for _ in range(2))
    assert first == second > 0


def test_the_history_counts_pixels_as_measured_and_at_one_temperature(simulated):
    told = []
    history = warm_fraction_history(source=simulated.mica_root, t_ccd_ref=-10, told=lambda *words: told.append(words))
    calibrations = DarkCalibrations.of(simulated.mica_root)
    assert history["id"].tolist() == list(IDS)
    assert told == [(dark_id, number, 3) for number, dark_id in enumerate(IDS, start=1)]
    for row in history:
        image = calibrations.image(row["date"])
        assert row["warm_raw"] == np.mean(image > 100)
        assert row["warm_ref"] == np.mean(image * np.float32(dark_temp_scale(row["t_ccd"], -10)) > 100)
        assert row["model_raw"] == pytest.approx(warm_fraction(row["date"], row["t_ccd"]), rel=1e-12)
        assert row["model_ref"] == pytest.approx(warm_fraction(row["date"], -10.0), rel=1e-12)
    assert history.meta == {"source": "mica", "t_ccd_ref": -10.0, "threshold": 100.0, "model": "2013", "left_out": []}
    assert history["synthetic"].all()


def test_what_was_drawn_from_a_model_is_a_little_above_it(simulated):
    """The pristine CCD is beneath what the model adds: some e-/s more in each pixel, which lifts some over 100."""
    history = warm_fraction_history(source=simulated.mica_root, model="2017", t_ccd_ref=-14)
    above = history["warm_raw"] / history["model_raw"]
    assert above.min() > 1.0
    assert above.max() < 1.1


def test_the_history_of_a_range_of_days(simulated):
    history = warm_fraction_history("2010:001", "2014:289", source=simulated.mica_root)
    assert history["date"].tolist() == ["2014:289"]
    with pytest.raises(MissingDataError, match="no dark calibration from 2010:001 to 2011:001; it has 3"):
        warm_fraction_history("2010:001", "2011:001", source=simulated.mica_root)


def test_calibrations_without_a_temperature_are_not_scaled(simulated):
    with pytest.warns(AcaWarning, match="3 of 3 dark calibrations of .* have no temperature, the first one 2008100"):
        history = warm_fraction_history(source=simulated.ska_root)
    for name in ("t_ccd", "warm_ref", "model_raw"):
        assert np.isnan(history[name]).all()
    assert np.isfinite(history["warm_raw"]).all()
    assert np.isfinite(history["model_ref"]).all()
    (axes,) = plot_warm_fraction_history(history).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "as measured",
        "2013 model at \N{MINUS SIGN}19 °C",
        "the same outside the years of its fit",
    ]


@pytest.mark.parametrize(
    ("wrong", "error", "says"),
    [
        ({"t_ccd_ref": math.nan}, DeclarationError, "t_ccd_ref"),
        ({"threshold": [50, 100]}, DeclarationError, "threshold"),
        ({"threshold": 1}, DeclarationError, "above 1 e-/s"),
        ({"model": "2012"}, UnknownNameError, "2012"),
        ({"source": "./absent"}, MissingDataError, "there is no folder"),
    ],
)
def test_a_history_of_what_makes_no_sense_is_refused(simulated, wrong, error, says):
    with pytest.raises(error, match=says):
        warm_fraction_history(**{"source": simulated.mica_root, **wrong})


# ---- pictures -------------------------------------------------------------------------------------------------------


def test_the_picture_shows_every_calibration_twice_and_the_models_curve(simulated):
    history = warm_fraction_history(source=simulated.mica_root, t_ccd_ref=-10)
    above, below = plot_warm_fraction_history(history).axes
    raw, ref, *curves = above.lines
    np.testing.assert_array_equal(raw.get_ydata(), 100 * history["warm_raw"])
    np.testing.assert_array_equal(ref.get_ydata(), 100 * history["warm_ref"])
    years, percent = np.hstack(sorted((line.get_data() for line in curves), key=lambda data: data[0][0]))
    np.testing.assert_allclose(np.interp(history["year"], years, percent), 100 * history["model_ref"], rtol=1e-3)
    np.testing.assert_array_equal(below.lines[0].get_ydata(), history["t_ccd"])
    assert "3 synthetic dark calibrations" in above.get_title(loc="left")
    assert "(%)" in above.get_ylabel()


def test_a_curve_is_dotted_outside_of_the_years_of_its_fit(simulated):
    history = warm_fraction_history(source=simulated.mica_root, model="2017")
    history["year"][0] = 2004.0
    above = plot_warm_fraction_history(history).axes[0]
    solid, *dotted = above.lines[2:]
    assert [line.get_linestyle() for line in (solid, *dotted)] == ["-", ":", ":"]
    assert 2007.0 <= solid.get_xdata().min() < solid.get_xdata().max() <= 2017.7
    assert dotted[0].get_xdata().max() <= 2007.0
    assert dotted[1].get_xdata().min() >= 2017.7
    assert [text.get_text() for text in above.get_legend().get_texts()][-1] == "the same outside the years of its fit"


def test_a_map_is_drawn_where_it_lies_on_the_ccd():
    whole = plot_dark_map(np.ones((1024, 1024))).axes[0].images[0]
    assert whole.get_extent() == [-512.5, 511.5, -512.5, 511.5]
    part = plot_dark_map(ACAImage(np.ones((8, 6)), row0=100, col0=-3)).axes[0].images[0]
    assert part.get_extent() == [-3.5, 2.5, 99.5, 107.5]
    with pytest.raises(DeclarationError, match=r"of shape \(4,\)"):
        plot_dark_map(np.ones(4))


def test_a_picture_leaves_matplotlib_as_it_was(simulated):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot_warm_fraction_history(warm_fraction_history(source=simulated.mica_root))
    plot_dark_map(np.ones((16, 16)))
    assert dict(mpl.rcParams) == before


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["map.fits", "map.fits.gz", "map.npy"])
def test_a_map_comes_back_from_its_file(tmp_path, name):
    image = np.random.default_rng(0).normal(10, 5, (1024, 1024)).astype(np.float32)
    path = write_dark_map(tmp_path / name, image, {"id": "2012115", "t_ccd": -17.0, "t_ccd_ref": None})
    if name.endswith(".npy"):
        np.testing.assert_array_equal(np.load(path), image)
        return
    from astropy.io import fits

    with fits.open(path) as hdus:
        np.testing.assert_array_equal(hdus[0].data, image)
        assert hdus[0].header["DARKID"] == "2012115"
        assert "T_CCDREF" not in hdus[0].header
        assert "SYNTHET" not in hdus[0].header


def test_a_map_that_is_none_is_not_written(tmp_path):
    with pytest.raises(DeclarationError, match=r"of shape \(8, 8\)"):
        write_dark_map(tmp_path / "map.fits", np.ones((8, 8)), {})
    with pytest.raises(DeclarationError, match=r"a name that ends in \.fits"):
        write_dark_map(tmp_path / "map.txt", np.ones((1024, 1024)), {})
    assert not list(tmp_path.glob("*map*"))


def test_what_is_synthetic_is_known_by_its_properties_or_by_the_header_of_its_map(simulated, tmp_path):
    mica, ska = (DarkCalibrations.of(root).source for root in (simulated.mica_root, simulated.ska_root))
    assert is_synthetic(mica, "2014289")
    assert is_synthetic(ska, "2014289")
    with pytest.raises(MissingDataError, match="2014290"):
        is_synthetic(ska, "2014290")
    place = write_dark_calibration(tmp_path / "other", "2014289")
    assert is_synthetic(DarkCalibrations.of(place.parent).source, "2014289")
