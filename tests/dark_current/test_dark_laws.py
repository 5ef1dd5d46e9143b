"""The dark-current laws and their scaling with temperature: the published numbers, and that both laws are one thing."""

import numpy as np
import pytest

from aca_core import DeclarationError, UnknownNameError
from aca_core.dark_current import DARK_LAWS, SCALE_4C, dark_law, dark_temp_scale, dark_temp_scale_img
from aca_core.dark_current.bins import KERNEL, smoothing
from aca_core.dark_current.law import DarkLaw

# ---- temperature ----------------------------------------------------------------------------------------------------


def test_four_degrees_are_exactly_the_factor():
    assert dark_temp_scale(-15, -19) == 0.7
    assert dark_temp_scale(-10, -14) == 0.7
    assert dark_temp_scale(-10, -14, scale_4c=2) == 0.5
    assert dark_temp_scale(-18, -10, scale_4c=2) == 4.0
    assert dark_temp_scale(-10) == pytest.approx(0.4481987, rel=1e-7)
    assert dark_temp_scale(-19, -15) == pytest.approx(SCALE_4C, rel=1e-15)


def test_temperatures_come_in_any_shape_and_unit():
    import astropy.units as u

    found = dark_temp_scale([[-15.0], [np.nan]], np.array([-19.0, -15.0]))
    np.testing.assert_array_equal(found, [[0.7, 1.0], [np.nan, np.nan]])
    assert isinstance(dark_temp_scale(-15), float)
    assert dark_temp_scale(258.15 * u.K, -19 * u.deg_C) == pytest.approx(0.7, rel=1e-14)
    assert np.isnan(dark_temp_scale(np.ma.masked_array([-15.0], [True]))).all()
    assert dark_temp_scale(-1e9) == np.inf
    assert dark_temp_scale(-15, -19, scale_4c=[2.0, 4.0]).tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("warm",), "t_ccd is 'warm'"),
        ((-15, [-19.0, "x"]), "t_ccd_ref is"),
        (([-15.0] * 2, [-19.0] * 3), r"t_ccd \(2,\), t_ccd_ref \(3,\)'; expected shapes that broadcast"),
        ((-15, -19, 0.0), "scale_4c is 0.0; expected the growth for 4 degC more"),
        ((-15, -19, np.nan), "scale_4c is nan"),
    ],
)
def test_a_temperature_that_is_none_is_refused(arguments, message):
    with pytest.raises(DeclarationError, match=f"^dark_temp_scale: .*{message}"):
        dark_temp_scale(*arguments)


@pytest.mark.parametrize(
    ("x", "rate", "warmer", "cooler"),
    [
        (10, 0.0961966, 16.1766, 6.1818),
        (100, 0.1078546, 171.4760, 58.3172),
        (500, 0.1067830, 852.7983, 293.1525),
        (1000, 0.1023997, 1668.6226, 599.2967),
        (10000, 0.0708891, 14253.8980, 7015.6248),
    ],
)
def test_a_pixel_scales_by_its_own_value(x, rate, warmer, cooler):
    assert dark_temp_scale_img(x, -10, -5) == pytest.approx(warmer, abs=6e-5)
    assert dark_temp_scale_img(x, -10, -15) == pytest.approx(cooler, abs=6e-5)
    assert np.log(dark_temp_scale_img(x, -10, -9) / x) == pytest.approx(rate, abs=6e-8)


def test_images_scale_as_their_pixels():
    assert dark_temp_scale_img([2000, 200, 600], -6, 2) == pytest.approx([4299.02, 478.16, 1399.40], abs=0.01)
    image = np.array([[100.0, np.nan], [-5.0, 30000.0]], dtype=np.float32)
    found = dark_temp_scale_img(image, -10, -5)
    assert (found.dtype, found.shape) == (np.float64, (2, 2))
    assert found[0, 0] == pytest.approx(171.4760, abs=6e-5)
    assert np.isnan(found[0, 1])
    # What is outside of the fit takes the rate of its ends.
    assert found[1, 0] / -5.0 == pytest.approx(dark_temp_scale_img(20.0, -10, -5) / 20.0, rel=1e-12)
    assert found[1, 1] / 30000.0 == pytest.approx(1.42538980, rel=1e-7)
    same = dark_temp_scale_img(image, -10, -10)
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)
    with pytest.raises(DeclarationError, match=r"^dark_temp_scale_img: shapes is 'img \(2, 2\), t_ccd \(3,\)"):
        dark_temp_scale_img(image, [-10, -9, -8], -5)


# ---- bins and kernel ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "t_ccd_ref", "n_bins", "last_edge", "last_centre"),
    [("2013", -19.0, 79, 17825.02, 16827.90), ("2017", -14.0, 74, 10023.74, 9463.03)],
)
def test_the_bins_are_the_published_ones(name, t_ccd_ref, n_bins, last_edge, last_centre):
    law = dark_law(name)
    assert (law.name, law.t_ccd_ref, law.n_bins) == (name, t_ccd_ref, n_bins)
    assert law.edges[[0, 20, 40, 60]].tolist() == [2.0, 20.0, 200.0, 2000.0]
    assert law.edges[-1] == pytest.approx(last_edge, abs=5e-3)
    assert law.centres[0] == pytest.approx(2.11851, abs=5e-6)
    assert law.centres[-1] == pytest.approx(last_centre, abs=6e-3)
    assert (law.edges.size, law.centres.size) == (n_bins + 1, n_bins)
    for array in (law.edges, law.centres, KERNEL):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_the_kernel_is_lopsided_as_published():
    published = [0.00592108, 0.012888, 0.02510239, 0.04375118, 0.06823537, 0.09523013, 0.11892804, 0.13290435]
    assert KERNEL.tolist() == pytest.approx([*published, *published[:0:-1]], abs=6e-9)
    np.testing.assert_allclose(
        np.convolve(np.arange(79.0), KERNEL, "same"), np.arange(79.0) @ smoothing(79), rtol=1e-13
    )


# ---- the laws -------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "2013": [
        (2004.0, {"x_b": 111.114286, "ampl1": 7227.2}),
        (2009.0, {"x_b": 117.483296, "ampl1": 14178.2}),
        (2012.0, {"x_b": 110.187215, "ampl1": 18348.8}),
        (2013.0, {"x_b": 113.018265, "ampl1": 19739.0, "g1": 0.05, "g2": 3.15, "x_r": 50.0}),
        (2018.0, {"x_b": 127.173516, "ampl1": 26690.0}),
    ],
    "2017": [
        (2009.0, {"g1": 0.09576, "g2": 3.2591, "g3": 2.217, "x_b": 191.7, "ampl1": 14050.0}),
        (2012.0, {"g1": 0.075, "g2": 3.32, "g3": 2.40, "x_b": 192.0, "ampl1": 18400.0}),
        (2013.0, {"g1": 0.0543, "g2": 3.32, "g3": 2.461, "x_b": 192.1, "ampl1": 19142.0}),
        (2018.0, {"g1": -0.0492, "g2": 3.32, "g3": 2.766, "x_b": 192.6, "ampl1": 22852.0}),
    ],
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_parameters_are_the_published_ones(name):
    law = dark_law(name)
    years = np.array([year for year, _ in PARAMETERS[name]])
    together = law.parameters(years)
    for number, (year, expected) in enumerate(PARAMETERS[name]):
        alone = law.parameters(np.array(year))
        for key, value in expected.items():
            # The breaks of 2013 are published with six decimals, everything else in full.
            tolerance = {"abs": 6e-7} if key == "x_b" and name == "2013" else {"rel": 1e-9}
            assert alone[key].item() == pytest.approx(value, **tolerance)
            assert together[key][number] == alone[key]


def test_the_break_of_2013_goes_on_along_its_last_line():
    law = dark_law("2013")
    x_b = law.parameters(np.array([1990.0, 1999.0, 2000.9, 2013.7, 2014.7]))["x_b"]
    assert x_b[:4].tolist() == [125.0, 125.0, 125.0, 115.0]
    assert x_b[4] - x_b[3] == pytest.approx(2.8311, abs=5e-5)
    assert law.parameters(np.array(2014 + 99 / 365))["ampl1"].item() == pytest.approx(21506.268, abs=6e-4)
    assert law.parameters(np.array(2014 + 99 / 365))["x_b"].item() == pytest.approx(116.617189, abs=6e-7)


COUNTS_2013 = {0: 11505.0226, 27: 19845.8602, 34: 16007.3040, 40: 4859.7436, 60: 3.640642}
COUNTS_2017 = {0: 11299.4689, 34: 18315.7814, 54: 130.65513}


@pytest.mark.parametrize(
    ("name", "counts", "total"), [("2013", COUNTS_2013, 766321.04), ("2017", COUNTS_2017, 826323.61)]
)
def test_the_histogram_of_2013_001_is_the_published_one(name, counts, total):
    found = dark_law(name).counts(np.array(2013.0))
    for place, value in counts.items():
        assert found[place] == pytest.approx(value, abs=0.6 * 10.0 ** -len(str(value).partition(".")[2]))
    assert found.sum() == pytest.approx(total, abs=6e-3)


def test_the_laws_are_continuous_at_their_breaks():
    for law in DARK_LAWS.values():
        parameters = law.parameters(np.array(2014.3))
        for x in (parameters["x_b"].item(), 1000.0):
            below, above = law.density(parameters, x * np.array([1 - 1e-9, 1 + 1e-9]))
            assert below == pytest.approx(above, rel=1e-7)


@pytest.mark.parametrize("law", DARK_LAWS.values(), ids=DARK_LAWS)
def test_tails_are_sums_of_the_histogram_whichever_way_they_are_made(law):
    rng = np.random.default_rng(5)
    years, index = rng.uniform(1999.5, 2060.0, 500), rng.integers(1, law.n_bins, 500)
    counts = law.counts(years)
    tails = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    rows = np.arange(500)
    expected = tails[rows, index], counts[rows, index], counts[rows, index - 1]
    for found in (law.tail(law.terms(years), index), DarkLaw.tail(law, DarkLaw.terms(law, years), index)):
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-11)


def test_tails_of_laws_that_break_in_other_bins_are_told_apart():
    law = dark_law("2017")
    years, index = np.array([1500.0, 2012.0, 2500.0, 2012.0]), np.array([30, 30, 30, 50])
    starts = DarkLaw.terms(law, years)[0]
    assert len(set(starts[1].tolist())) > 1  # as no date does that anybody would ask for
    total = DarkLaw.tail(law, DarkLaw.terms(law, years), index).total
    counts = law.counts(years)
    np.testing.assert_allclose(total, [row[place:].sum() for row, place in zip(counts, index, strict=True)], rtol=1e-9)


def test_an_unknown_law_is_refused_with_those_that_exist():
    with pytest.raises(UnknownNameError, match=r"^no dark model is named '2015'\..* Known: 2013, 2017\.$"):
        dark_law("2015")
    with pytest.raises(UnknownNameError, match=r"no dark model is named \['2013'\]"):
        dark_law(["2013"])
