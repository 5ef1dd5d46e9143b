"""Warm fractions: the published numbers, a plain implementation beside ours, the limits, and what physics says."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aca_core import AcaWarning, DateError, DeclarationError, UnknownNameError
from aca_core.dark_current import DARK_LAWS, dark_law, warm_fraction, warm_fraction_at
from aca_core.dark_current.warm_fractions import WARM_METHODS

PIXELS = 1024**2


# ---- published numbers ----------------------------------------------------------------------------------------------

PUBLISHED = [
    ("2013", 100, "2013:001", -19, 0.0811203818, 0.0811393538),
    ("2013", 50, "2013:001", -19, 0.1892428178, None),
    ("2013", 200, "2013:001", -19, 0.0145317336, None),
    ("2013", 100, "2013:001", -15, 0.1347731080, 0.1348270219),
    ("2013", 100, "2012:001", -15, 0.1217981589, 0.1218508559),
    ("2013", 100, "2018:001", -11, 0.2848956476, 0.2849717925),
    ("2013", 100, "2014:001", -15, 0.1484924680, None),
    ("2017", 100, "2013:001", -19, 0.0854511646, 0.0855697106),
    ("2017", 100, "2018:001", -11, 0.2532184940, 0.2532492387),
    ("2017", 200, "2024:001", -7, 0.2576899112, 0.2576969975),
]


@pytest.mark.parametrize(("model", "threshold", "date", "t_ccd", "exact", "corrected"), PUBLISHED)
def test_the_published_warm_fractions_come_out(model, threshold, date, t_ccd, exact, corrected):
    assert warm_fraction(date, t_ccd, threshold, model=model) == pytest.approx(exact, abs=5.1e-11)
    if corrected is not None:
        found = warm_fraction(date, t_ccd, threshold, model=model, method="corrected")
        assert found == pytest.approx(corrected, abs=5.1e-11)


def test_the_pixel_counts_that_came_with_the_model_of_2017_come_out():
    dates = np.array([["2017:001:12:00:00"], ["2020:001:12:00:00"]])
    t_ccd = np.array([-11.0, -15.0])
    found = warm_fraction(dates, t_ccd, [[[100.0]], [[1000.0]]], model="2017") * PIXELS
    expected = [[[251865, 182365], [294302, 215096]], [[1296, 433], [1536, 500]]]
    assert np.trunc(found).astype(int).tolist() == expected
    found = warm_fraction("2017:010:12:00:00", -13.55, [100.0, 200.0, 1000.0, 2000.0, 3000.0], model="2017") * PIXELS
    assert np.trunc(found).astype(int).tolist() == [207845, 79207, 635, 86, 26]


def test_warm_pixels_of_calibrations_are_predicted_as_published():
    days, t_ccd = ["2009:050", "2014:104", "2015:090"], [-18.963, -15.815, -13.715]
    for model, expected in (("2013", [66938, 146530, 197037]), ("2017", [None, 143240, 185367])):
        found = warm_fraction(days, t_ccd, model=model) * PIXELS
        for ours, theirs in zip(found, expected, strict=True):
            # The temperatures are published with three decimals, 1e-4 of the count; it was taken at noon or midnight.
            assert theirs is None or ours == pytest.approx(theirs, rel=3e-4)


def test_half_a_day_makes_a_difference_in_the_fifth_decimal():
    assert warm_fraction("2013:001:12:00:00", -19.0) == pytest.approx(0.0811329, abs=6e-8)
    assert warm_fraction("2013:001", -19.0) == pytest.approx(0.0811204, abs=6e-8)


# ---- beside a plain implementation ----------------------------------------------------------------------------------


def plainly(law, year, t_ccd, threshold, method, edges=None):
    """Do what the fits did, for one star: the definition, in the words that define it."""
    # The studies stepped their edges up in the logarithm, which made them smaller than powers of ten by 1e-15.
    edges = law.edges * (1 - 1e-12) if edges is None else edges
    edges = edges * 0.7 ** ((law.t_ccd_ref - t_ccd) / 4)
    counts = law.counts(np.array(year))
    i = next((number for number, edge in enumerate(edges) if edge >= threshold), len(edges))
    if i == 0:
        return counts.sum() / PIXELS
    if i >= len(counts):
        return 0.0
    edge, before, threshold = edges[i], edges[i - 1], float(threshold)
    slope = math.log(counts[i] / counts[i - 1]) / math.log(edge / before)
    count = counts[i - 1]
    if method == "exact":
        edge, before, threshold, count = math.log(edge), math.log(before), math.log(threshold), counts[i]
    part = count * (edge**slope - threshold**slope) / (edge**slope - before**slope)
    return (counts[i:].sum() + part) / PIXELS


@settings(deadline=None)
@given(
    st.sampled_from(sorted(DARK_LAWS)),
    st.sampled_from(WARM_METHODS),
    st.lists(
        st.tuples(st.floats(2007.0, 2030.0), st.floats(-22.0, 5.0), st.floats(math.log(25.0), math.log(6000.0))),
        min_size=1,
        max_size=12,
    ),
)
def test_they_agree_with_the_definition_star_by_star(name, method, stars):
    year, t_ccd, log_threshold = np.array(stars).T
    threshold = np.exp(log_threshold)
    found = warm_fraction_at(name, year, t_ccd, threshold, method)
    expected = [plainly(dark_law(name), *star, method) for star in zip(year, t_ccd, threshold, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", DARK_LAWS)
@pytest.mark.parametrize("method", WARM_METHODS)
def test_thresholds_on_an_edge_are_in_the_bin_above_it(name, method):
    law = dark_law(name)
    year = np.array(2013.0)
    for t_ccd in (law.t_ccd_ref, law.t_ccd_ref + 4.0, -11.3):
        thresholds = law.edges[1:-2] * 0.7 ** ((law.t_ccd_ref - t_ccd) / 4)
        found = warm_fraction_at(name, year, np.array(t_ccd), thresholds, method)
        for nudged in (thresholds * (1 + 1e-11), thresholds):
            expected = [plainly(law, 2013.0, t_ccd, threshold, method) for threshold in nudged]
            np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", DARK_LAWS)
@pytest.mark.parametrize("threshold", [20.0, 200.0, 2000.0])
def test_round_thresholds_at_the_reference_temperature_are_as_in_the_studies(name, threshold):
    law = dark_law(name)
    stepped = 10 ** np.arange(np.log10(2.0), np.log10(20000.0), 0.05)[: law.n_bins + 1]
    expected = plainly(law, 2013.0, law.t_ccd_ref, threshold, "exact", stepped)
    assert warm_fraction("2013:001", law.t_ccd_ref, threshold, model=name) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", DARK_LAWS)
def test_many_at_once_are_the_same_as_one_by_one(name):
    rng = np.random.default_rng(3)
    size = 70_000  # more than is computed at a time
    year, t_ccd = rng.uniform(2008, 2020, size), rng.uniform(-20.0, 0.0, size)
    together = warm_fraction_at(name, year, t_ccd, 100.0)
    some = rng.integers(0, size, 40)
    alone = [warm_fraction_at(name, year[number], t_ccd[number], 100.0).item() for number in some]
    np.testing.assert_allclose(together[some], alone, rtol=1e-13)
    year = rng.uniform(2008, 2020, (300, 1))
    grid = warm_fraction_at(name, year, t_ccd[:240], [[[50.0]], [[100.0]]])
    assert grid.shape == (2, 300, 240)
    np.testing.assert_allclose(grid[1, :, 7], warm_fraction_at(name, year[:, 0], t_ccd[7], 100.0), rtol=1e-13)


# ---- shapes and kinds of input --------------------------------------------------------------------------------------


def test_scalars_give_numbers_and_arrays_arrays():
    import astropy.units as u

    alone = warm_fraction("2013:001", -15)
    assert isinstance(alone, float)
    assert warm_fraction(["2013:001"] * 2, [[-15], [-15], [-15]]).tolist() == [[alone] * 2] * 3
    assert warm_fraction("2013:001", 258.15 * u.K, 100 * u.electron / u.s) == pytest.approx(alone, rel=1e-12)
    assert warm_fraction([], -15.0).shape == (0,)
    assert warm_fraction_at("2013", np.array(2013.0), np.array(-15.0)).shape == ()


def test_what_is_unknown_gives_nan():
    dates = np.ma.masked_array(["2013:001", "2013:001"], [True, False])
    found = warm_fraction(dates, [[-15.0], [np.nan], [np.inf]])
    assert np.isnan(found).tolist() == [[True, False], [True, True], [True, True]]
    year = np.array([np.nan, np.inf, 2013.0])
    assert np.isnan(warm_fraction_at("2017", year, np.array(-15.0), np.array([100.0]))).tolist() == [True, True, False]
    # Also where the answer would not depend on it.
    assert np.isnan(warm_fraction_at("2013", year[:1], np.array([-15.0]), 1e6)).all()
    assert np.isnan(warm_fraction("2013:001", -15.0, np.nan))


# ---- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", WARM_METHODS)
def test_at_the_foot_of_the_histogram_all_of_it_is_warmer(method):
    total = dark_law("2013").counts(np.array(2013.0)).sum() / PIXELS
    with pytest.warns(AcaWarning, match=r"^2 of 3 thresholds are at or below the first edge .*2013.*whole histogram"):
        found = warm_fraction("2013:001", -19.0, [2.0, 1.5, 2.0001], method=method)
    assert found[:2].tolist() == pytest.approx([total, total], rel=1e-12)
    if method == "corrected":
        assert found[2] == pytest.approx(total, rel=1e-5)
        with pytest.warns(AcaWarning, match="2 of 2 thresholds"):
            assert warm_fraction("2013:001", -19.0, [0.0, -5.0], method=method).tolist() == found[:2].tolist()


@pytest.mark.parametrize(("name", "last"), [("2013", 78), ("2017", 73)])
def test_above_the_last_lower_edge_nothing_is_warmer(name, last):
    law = dark_law(name)
    thresholds = law.edges[last] * np.array([0.999, 1.001, 1e3, np.inf])
    found = warm_fraction("2013:001", law.t_ccd_ref, thresholds, model=name)
    assert found[0] > 0
    assert found[1:].tolist() == [0.0, 0.0, 0.0]


def test_the_exact_form_ends_at_one_electron_per_second():
    with pytest.raises(DeclarationError, match=r"^warm_fraction: threshold is 0\.5; expected thresholds above 1 e-/s"):
        warm_fraction("2013:001", -40.0, [2.0, 0.5])
    with pytest.warns(AcaWarning, match="^1 of 2 thresholds are in a bin that begins at 1 e-/s or less.*corrected"):
        found = warm_fraction("2013:001", -40.0, [1.02, 100.0])
    assert np.isnan(found).tolist() == [True, False]
    assert 0 < warm_fraction("2013:001", -40.0, 1.02, method="corrected") < 1


@pytest.mark.parametrize(("name", "begins"), [("2013", 1998.8), ("2017", 1999.3)])
def test_before_there_was_a_positive_amplitude_there_is_no_answer(name, begins):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = warm_fraction(["1998:001", "1998:200", "2012:001"], -19.0, model=name)
    assert np.isnan(found).tolist() == [True, True, False]
    assert [str(each.message) for each in said] == [
        f"2 of 3 dates are before {begins}, where the {name} dark model has a negative amplitude: the answer is NaN"
    ]
    assert said[0].filename == __file__


def test_the_model_of_2017_warns_of_dates_that_it_was_not_made_for():
    with pytest.warns(AcaWarning, match=r"^1 of 2 dates are before 2007\.0, from when the 2017 dark model is valid"):
        early, _ = warm_fraction(["2006:001", "2008:001"], -19.0, model="2017")
    assert 0.02 < early < 0.06


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("2013:001", -19.0, 100.0), {"model": "2014"}, UnknownNameError, "no dark model is named '2014'"),
        (("2013:001", -19.0), {"method": "exakt"}, UnknownNameError, "Did you mean 'exact'"),
        (("2013:001", -19.0), {"method": ["exact"]}, UnknownNameError, "no method for a warm fraction is named"),
        (("2013:001", "cold"), {}, DeclarationError, "warm_fraction: t_ccd is 'cold'"),
        (("2013:001", -19.0, "many"), {}, DeclarationError, "warm_fraction: threshold is 'many'"),
        (("2013:400", -19.0), {}, DateError, "2013:400"),
        ((["2013:001"] * 2, [-19.0] * 3), {}, DeclarationError, r"date \(2,\), t_ccd \(3,\), threshold \(\)"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, options, error, message):
    with pytest.raises(error, match=message):
        warm_fraction(*arguments, **options)


# ---- physics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DARK_LAWS)
def test_fewer_pixels_are_above_higher_thresholds(name):
    thresholds = np.geomspace(10.0, 5000.0, 400)
    found = warm_fraction(["2008:001", "2016:001"], [-19.0, -11.0], thresholds[:, None], model=name, method="corrected")
    assert (np.diff(found, axis=0) < 0).all()
    # The published form jumps at the edges, but never up where the histogram falls.
    exact = warm_fraction(["2008:001", "2016:001"], [-19.0, -11.0], thresholds[:, None], model=name)
    assert (np.diff(exact, axis=0) <= 0).all()
    np.testing.assert_allclose(exact, found, rtol=0.25)


@pytest.mark.parametrize("name", DARK_LAWS)
@pytest.mark.parametrize("method", WARM_METHODS)
def test_more_pixels_are_warm_on_a_warmer_ccd_and_at_later_dates(name, method):
    t_ccd, dates = np.linspace(-20.0, 0.0, 101), [f"{year}:001" for year in range(2008, 2026)]
    found = warm_fraction(dates, t_ccd[:, None], model=name, method=method)
    assert (np.diff(found, axis=0) > 0).all()
    # The law of 2013 has its break moved down twice, in 2007 and in 2011.
    assert (np.diff(found[:, 4:] if name == "2013" else found, axis=1) > 0).all()
    assert ((found > 0) & (found < 1)).all()
