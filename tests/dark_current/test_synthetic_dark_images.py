"""Synthetic dark maps: their histogram is the model's, their noise is numpy's, and a CCD ages as the recipe says."""

import numpy as np
import pytest

from aca_core import DateError, DeclarationError, UnknownNameError
from aca_core.dark_current import (
    DARK_LAWS,
    dark_temp_scale,
    degraded_ccd,
    get_dark_model,
    pristine_ccd,
    synthetic_dark_image,
)

SHAPE = (1024, 1024)


def deviations(image, edges, counts):
    """Return how far a histogram is from what is expected, in units of the noise of counting."""
    found = np.histogram(image, edges)[0]
    enough = counts > 20
    return (found - counts)[enough] / np.sqrt(counts[enough])


@pytest.mark.parametrize("name", DARK_LAWS)
@pytest.mark.parametrize(("date", "t_ccd"), [("2009:001", -19.0), ("2017:001", -11.0)])
def test_an_image_has_the_histogram_of_the_model_that_made_it(name, date, t_ccd):
    model = get_dark_model(date, t_ccd, model=name)
    image = model.sample(rng=7, base=0.0)
    assert (image.shape, image.dtype) == (SHAPE, np.float64)
    off = deviations(image, model.edges, model.counts)
    assert np.abs(off).max() < 4.5
    assert 0.7 < off.std() < 1.3
    # Pixels without damage are what is beneath; the others are counted once each.
    assert np.count_nonzero(image) == pytest.approx(model.counts.sum(), abs=5 * np.sqrt(model.counts.sum()))


def test_the_image_of_a_date_is_the_sample_of_its_model():
    ours = get_dark_model("2017:010:12:00:00", -13.55, model="2017").sample(rng=3)
    np.testing.assert_allclose(synthetic_dark_image("2017:010:12:00:00", -13.55, rng=3), ours, rtol=1e-15)
    at_reference = synthetic_dark_image("2017:010:12:00:00", rng=3)
    np.testing.assert_allclose(ours, at_reference * dark_temp_scale(-14.0, -13.55), rtol=1e-14)


def test_what_lies_beneath_is_added():
    expected = np.array([207845, 79207, 635, 86, 26])  # of the histogram alone
    measured = np.array([229413, 89239, 675, 84, 27])  # upstream's, on the map of 1999:223
    image = synthetic_dark_image("2017:010:12:00:00", -13.55, rng=11)
    found = np.array([(image > threshold).sum() for threshold in (100, 200, 1000, 2000, 3000)])
    # A CCD as new is cooler than that of 1999:223, after a month in orbit.
    assert (found[:2] > expected[:2]).all()
    assert (found[:2] < measured[:2]).all()
    assert (np.abs(found[2:] - expected[2:]) < 4 * np.sqrt(expected[2:])).all()


def test_warm_pixels_of_the_base_are_replaced_by_cool_ones():
    base = np.full(SHAPE, 10.0)
    base[::2] = 5000.0
    base[1, :10] = np.nan
    base[3] = 20.0
    image = synthetic_dark_image("2012:001", rng=1, base=base)
    bare = image[image < 22.0]  # 2 e-/s is the least damage
    assert set(np.unique(bare[bare < 12.0])) == {10.0}
    assert (image > 4000).sum() < 100
    assert np.isfinite(image).all()
    assert base[0, 0] == 5000.0
    with pytest.raises(DeclarationError, match=r"base is .*expected a map with pixels of at most 40 e-/s"):
        synthetic_dark_image("2012:001", rng=1, base=50.0)
    with pytest.raises(DeclarationError, match=r"base is .*shape \(2, 2\).*expected one of shape \(1024, 1024\)"):
        synthetic_dark_image("2012:001", rng=1, base=np.zeros((2, 2)))


def test_a_seed_is_a_promise():
    images = [synthetic_dark_image("2013:001", rng=rng) for rng in (5, np.random.default_rng(5), 6, None)]
    np.testing.assert_array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
    assert not np.array_equal(images[0], images[3])
    state = np.random.get_state()[1].copy()  # that nobody touches it is the point
    synthetic_dark_image("2013:001", rng=5)
    np.testing.assert_array_equal(state, np.random.get_state()[1])
    for rng in (-1, "5", 1.5, True, np.random.RandomState(5)):
        with pytest.raises(DeclarationError, match=r"rng is .*expected a numpy Generator, or a seed"):
            synthetic_dark_image("2013:001", rng=rng)


def test_neighbours_are_strangers():
    image = np.log(synthetic_dark_image("2013:001", rng=5))
    rows = np.corrcoef(image[:, :-1].ravel(), image[:, 1:].ravel())[0, 1]
    columns = np.corrcoef(image[:-1].ravel(), image[1:].ravel())[0, 1]
    assert abs(rows) < 0.005
    assert abs(columns) < 0.005
    assert abs(image[:512].mean() - image[512:].mean()) < 0.02


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("2013:001", -19.0, 1), {"model": "2014"}, UnknownNameError, "no dark model is named '2014'"),
        ((["2013:001"] * 2,), {}, DeclarationError, "date is .*expected one date"),
        (("2013:001", [-19.0]), {}, DeclarationError, "t_ccd_ref is .*expected one temperature"),
        (("2013:001", 262.15), {}, DeclarationError, "t_ccd_ref is 262.15; expected one temperature, -100 to 100 degC"),
        (("2013:001", -19.0, np.timedelta64(1, "s")), {}, DeclarationError, "rng is .*expected a numpy Generator"),
        (("2013:001",), {"base": [[1.0], [2.0, 3.0]]}, DeclarationError, "base is .*inhomogeneous"),
        (("1999:001",), {}, DeclarationError, r"date is 1999\.0; expected a date after 1999\.3"),
        (("2030:001",), {"rng": 1}, DeclarationError, r"expected a date at which the 2017 model has at most 1048576"),
        (("yesterday",), {}, DateError, "yesterday"),
    ],
)
def test_an_image_that_cannot_be_drawn_is_refused(arguments, options, error, message):
    with pytest.raises(error, match=message):
        synthetic_dark_image(*arguments, **options)


def test_only_one_date_and_temperature_has_a_sample():
    with pytest.raises(DeclarationError, match="expected a model of one date and one temperature"):
        get_dark_model("2013:001", [-19.0, -15.0]).sample()


# ---- the CCD as new, and how it ages --------------------------------------------------------------------------------


def test_a_ccd_as_new_has_two_populations():
    image = pristine_ccd(rng=2)
    assert image.shape == SHAPE
    expected = (698576 * 4.5 * np.exp(0.25**2 / 2) + 350000 * 2.5 * np.exp(0.45**2 / 2)) / 1024**2
    assert image.mean() == pytest.approx(expected, rel=2e-3)
    assert (image > 0).all()
    assert (image > 40).sum() == 0
    np.testing.assert_array_equal(image, pristine_ccd(rng=2))


def test_a_ccd_ages_by_the_recipe():
    new = np.zeros(SHAPE)
    aged = degraded_ccd(new, 2.0, rng=4)
    assert (new == 0).all()
    # One in two pixels gains 1.4 e-/s in the mean: those that are hit at all of 800,000 that are drawn.
    hit = 1 - (1 - 1 / 1024**2) ** 800_000
    small = aged[aged < 1.5]
    assert np.count_nonzero(small == 1) / small.size == pytest.approx(
        hit * 1.4 * np.exp(-1.4) / (1 - hit + hit * 2.4 * np.exp(-1.4)), rel=0.01
    )
    # The damage above some 10 e-/s is the power law, in proportion to the time.
    x = np.geomspace(20.0, 100.0, 5)
    found = np.histogram(aged, x)[0]
    law = 2 * 1032.0 * (np.sqrt(x[1:] * x[:-1]) / 155.0) ** -0.14 * np.log10(x[1] / x[0]) / 0.05
    np.testing.assert_allclose(found, law, rtol=0.05)
    twice = degraded_ccd(new, 4.0, rng=4)
    assert (twice > 100).sum() / (aged > 100).sum() == pytest.approx(2.0, rel=0.05)


def test_no_time_is_no_damage():
    new = pristine_ccd(rng=2)
    np.testing.assert_array_equal(degraded_ccd(new, 0.0, rng=4), new)
    for dyear in (-1.0, np.nan, [1.0], "long", 1e5, 1e300):
        with pytest.raises(DeclarationError, match=r"^degraded_ccd: dyear is "):
            degraded_ccd(new, dyear)
    with pytest.raises(DeclarationError, match=r"^degraded_ccd: image is .*\(3,\)"):
        degraded_ccd([1.0, 2.0, 3.0], 1.0)
