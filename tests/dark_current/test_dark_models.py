"""`get_dark_model`: one object that says all that a model knows, for one date and temperature or for many."""

import pickle

import attrs
import numpy as np
import pytest

from aca_core import AcaWarning, DeclarationError, UnknownNameError
from aca_core.dark_current import DARK_LAWS, get_dark_model, warm_fraction

PIXELS = 1024**2


@pytest.fixture(params=sorted(DARK_LAWS))
def model(request):
    return get_dark_model("2013:001", -15.0, model=request.param)


def test_a_model_says_what_it_is_for():
    model = get_dark_model("2013:001", -15.0)
    assert (model.name, model.date, model.t_ccd, model.t_ccd_ref) == ("2013", "2013:001:00:00:00.000", -15.0, -19.0)
    assert (model.frac_year, model.shape) == (2013.0, ())
    assert model.scale == pytest.approx(1 / 0.7, rel=1e-15)
    assert model.parameters["x_b"] == pytest.approx(113.018265, abs=6e-7)
    assert repr(model) == "<DarkModel 2013: 2013:001:00:00:00.000, -15.0 degC>"
    assert any("25 and 4000 e-/s" in note for note in model.notes)


def test_bins_move_with_temperature_and_counts_do_not(model):
    at_reference = get_dark_model("2013:001", model.t_ccd_ref, model=model.name)
    np.testing.assert_allclose(model.edges, at_reference.edges * model.scale, rtol=1e-15)
    np.testing.assert_allclose(model.centres, np.sqrt(model.edges[1:] * model.edges[:-1]), rtol=1e-14)
    np.testing.assert_array_equal(model.counts, at_reference.counts)


def test_many_dates_and_temperatures_are_one_model():
    many = get_dark_model([["2010:001"], ["2016:001"]], [-19.0, -15.0, -11.0], model="2017")
    assert many.shape == many.scale.shape == many.parameters["g1"].shape == many.described.shape == (2, 3)
    assert (many.edges.shape, many.centres.shape, many.counts.shape) == ((2, 3, 75), (2, 3, 74), (2, 3, 74))
    assert many.date.tolist() == [["2010:001:00:00:00.000"], ["2016:001:00:00:00.000"]]
    one = get_dark_model("2016:001", -11.0, model="2017")
    np.testing.assert_array_equal(many.counts[1, 2], one.counts)
    np.testing.assert_array_equal(many.edges[1, 2], one.edges)
    assert many.parameters["ampl1"][1, 2] == one.parameters["ampl1"]
    for verb, argument in (("warm_fraction", 100.0), ("quantile", 0.9), ("density", 80.0)):
        assert getattr(many, verb)(argument)[1, 2] == pytest.approx(getattr(one, verb)(argument), rel=1e-13)
        assert getattr(many, verb)(np.full((4, 1, 1), argument)).shape == (4, 2, 3)
        assert isinstance(getattr(one, verb)(argument), float)


def test_a_model_cannot_be_changed_and_travels(model):
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        model.t_ccd = -11.0
    many = get_dark_model(["2010:001", "2016:001"], [-19.0, -15.0])
    for each in (many, pickle.loads(pickle.dumps(many))):
        for array in (each.counts, each.edges, each.centres, each.frac_year, each.t_ccd, each.parameters["x_b"]):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1.0
        np.testing.assert_array_equal(each.counts, many.counts)
    assert pickle.loads(pickle.dumps(model)).warm_fraction() == model.warm_fraction()
    t_ccd = np.array([-19.0, -15.0])
    many = get_dark_model("2013:001", t_ccd)
    t_ccd[:] = 0.0
    assert many.t_ccd.tolist() == [-19.0, -15.0]


def test_warm_fractions_of_a_model_are_those_of_the_function(model):
    thresholds = np.array([50.0, 100.0, 1000.0])
    for method in ("exact", "corrected"):
        expected = warm_fraction("2013:001", -15.0, thresholds, model=model.name, method=method)
        np.testing.assert_array_equal(model.warm_fraction(thresholds, method), expected)


def test_the_histogram_holds_what_the_model_claims(model):
    assert model.described == pytest.approx(model.counts.sum() / PIXELS)
    assert model.described == pytest.approx({"2013": 766321.04, "2017": 826323.61}[model.name] / PIXELS, rel=1e-8)
    # Never the whole CCD in the years that it was made for: the coolest pixels are missing.
    assert (get_dark_model([f"{year}:001" for year in range(2008, 2018)], -15.0, model.name).described < 1.0).all()


# ---- quantiles ------------------------------------------------------------------------------------------------------


def test_a_quantile_is_the_threshold_that_leaves_the_rest_warmer(model):
    q = np.concatenate([np.linspace(0.35, 0.99, 200), 1 - np.geomspace(1e-3, 1e-6, 20)])
    x = model.quantile(q)
    assert (np.diff(x) > 0).all()
    np.testing.assert_allclose(model.warm_fraction(x, "corrected"), 1 - q, rtol=1e-9)


def test_what_the_histogram_does_not_hold_has_no_quantile(model):
    just_inside, just_outside = 1 - model.described * np.array([1 - 1e-9, 1 + 1e-9])
    assert model.quantile(just_inside) == pytest.approx(model.edges[0], rel=1e-6)
    assert np.isnan(model.quantile([just_outside, 0.0, np.nan])).all()
    assert model.quantile(1.0) == pytest.approx(model.edges[-1], rel=1e-12)
    with pytest.raises(DeclarationError, match="q is 90; expected fractions from 0 to 1"):
        model.quantile(90)


# ---- density --------------------------------------------------------------------------------------------------------


def integrals(model, **options):
    inside = np.linspace(0, 1, 65)[:, None]
    log_x = np.log(model.edges[:-1]) * (1 - inside) + np.log(model.edges[1:]) * inside
    x = np.exp(log_x)
    return np.trapezoid(model.density(x, **options) * x, log_x, axis=0)


def test_the_smoothed_density_is_the_histogram(model):
    width = model.centres * 0.05 * np.log(10)
    np.testing.assert_allclose(model.density(model.centres, smoothed=True) * width, model.counts, rtol=1e-10)
    # At the ends the law stops, and with it the smoothing: there a bin holds a step.
    np.testing.assert_allclose(integrals(model, smoothed=True)[8:-8], model.counts[8:-8], rtol=0.01)


def test_the_plain_density_is_the_law(model):
    parameters = model.parameters
    at_reference = model.law.density(parameters, model.law.centres)
    np.testing.assert_allclose(integrals(model), at_reference, rtol=0.05)
    x_b = parameters["x_b"] * model.scale
    slope = np.log(model.density(x_b * 1.2) / model.density(x_b * 1.1)) / np.log(1.2 / 1.1)
    assert slope == pytest.approx(-parameters["g2"] - 1, rel=1e-9)
    # Smoothing lifts a steep fall: this is what differs between the law and the histogram.
    assert 1.7 < model.density(500.0, smoothed=True) / model.density(500.0) < 2.2


def test_outside_the_bins_the_density_is_unknown(model):
    first, last = model.edges[[0, -1]]
    assert np.isfinite(model.density([first, last])).all()
    assert np.isnan(model.density([0.0, -1.0, first * 0.999, last * 1.001, np.nan])).all()


# ---- validity and bad input -----------------------------------------------------------------------------------------


def test_dates_without_a_positive_amplitude_are_refused():
    with pytest.raises(DeclarationError, match=r"^get_dark_model: date is .*expected dates after 1998\.8"):
        get_dark_model("1998:001", -19.0)
    with pytest.raises(DeclarationError, match=r"expected dates after 1999\.3"):
        get_dark_model(["1999:001", "2012:001"], -19.0, model="2017")
    with pytest.warns(AcaWarning, match=r"^1 of 1 dates are before 2007\.0") as said:
        get_dark_model("2003:001", -19.0, model="2017")
    assert said[0].filename == __file__


def test_what_is_unknown_stays_so():
    model = get_dark_model(np.ma.masked_array(["2013:001", "2013:001"], [True, False]), [[-15.0], [np.nan]])
    assert np.isnan(model.counts).any(axis=-1).tolist() == [[True, False]] * 2
    assert np.isnan(model.warm_fraction()).tolist() == [[True, False], [True, True]]
    assert np.isnan(model.quantile(0.9)).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("2013:001", -19.0, "2014"), UnknownNameError, "no dark model is named '2014'"),
        (("2013:001", np.inf), DeclarationError, "t_ccd is inf; expected temperatures from -100 to 100 degC"),
        (("2013:001", 262.15), DeclarationError, "get_dark_model: t_ccd is 262.15; expected temperatures from -100"),
        (("2013:001", "cold"), DeclarationError, "get_dark_model: t_ccd is 'cold'"),
        ((["2013:001"] * 2, [-19.0] * 3), DeclarationError, r"date \(2,\), t_ccd \(3,\)"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        get_dark_model(*arguments)


def test_arguments_must_broadcast_with_the_model():
    with pytest.raises(DeclarationError, match=r"date \(2,\), t_ccd \(\), thresholds \(3,\)"):
        get_dark_model(["2013:001"] * 2, -19.0).warm_fraction([1.5, 2.5, 3.5])


# ---- pictures -------------------------------------------------------------------------------------------------------


def test_a_model_with_more_pixels_than_the_ccd_is_drawn_whole():
    _, warmer = get_dark_model("2050:001", 30.0).plot().axes
    curve, everything = warmer.lines[0].get_ydata(), warmer.get_legend().get_texts()[-1].get_text()
    assert 1 < max(curve) < warmer.get_ylim()[1]
    assert everything == "all pixels of the CCD"


def test_a_model_draws_itself(tmp_path):
    from aca_core.figures import save_figure

    figure = get_dark_model(["2004:001", "2012:001"], [-19.0, -15.0]).plot()
    histogram, warmer = figure.axes
    assert (histogram.get_xlabel(), warmer.get_xlabel()) == ("dark current (e⁻/s)",) * 2
    assert [text.get_text() for text in warmer.get_legend().get_texts()] == [
        "2004:001, \N{MINUS SIGN}19 °C",
        "2012:001, \N{MINUS SIGN}15 °C",
    ]
    assert len(histogram.patches) == 2
    assert save_figure(figure, tmp_path / "model.png").stat().st_size > 10_000
    with pytest.raises(DeclarationError, match="expected one to 6 dates and temperatures"):
        get_dark_model("2013:001", np.linspace(-20, 0, 7)).plot()
    masked = np.ma.array(["2013:001", "2014:001"], mask=[False, True])
    for unknown in (get_dark_model("2013:001", [-19.0, np.nan]), get_dark_model(masked, -19.0)):
        with pytest.raises(DeclarationError, match="expected one to 6 dates and temperatures, all known"):
            unknown.plot()
