"""`aca_core.dark_model`: the functions of the first package, with its arguments and the order of its results."""

import subprocess
import sys

import numpy as np
import pytest

import aca_core.dark_model
from aca_core import AcaWarning, DeclarationError
from aca_core.dark_current import warm_fraction
from aca_core.dark_model import (
    acq_success_prob,
    dark_temp_scale,
    get_acq_success,
    get_dark_hist,
    get_dark_model,
    get_guide_success,
    get_sbp_pars,
    get_warm_fracs,
    smooth_broken_pow,
    temp_scalefac,
)


def test_its_names_are_there_and_importing_it_is_quick():
    for name in aca_core.dark_model.__all__:
        assert getattr(aca_core.dark_model, name).__doc__
    assert set(aca_core.dark_model.__all__) <= set(dir(aca_core.dark_model))
    program = "import aca_core.dark_model, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "astropy", "scipy", "matplotlib", "aca_core.probability"} & set(loaded)


def test_the_histogram_is_centres_edges_and_counts():
    centres, edges, counts = get_dark_hist("2013:001", -15.0)
    assert edges[0] == pytest.approx(2 / 0.7, rel=1e-14)
    assert centres[27] == pytest.approx(47.4275 / 0.7, rel=1e-5)
    assert counts[27] == pytest.approx(19845.8602, abs=6e-5)
    counts[27] = 0.0  # it is the caller's
    assert get_dark_hist("2013:001", -15.0)[2][27] > 0
    assert [array.shape for array in get_dark_hist(["2013:001"] * 2, [[-19.0]] * 3, "2017")] == [
        (3, 2, 74),
        (3, 2, 75),
        (3, 2, 74),
    ]


def test_parameters_come_in_the_order_of_the_function_that_takes_them():
    pars = get_sbp_pars("2013:001")
    assert [type(par) for par in pars] == [float] * 5
    assert pars == pytest.approx((0.05, 3.15, 113.018265, 50.0, 19739.0), rel=1e-8)
    many = get_sbp_pars(["2004:001", "2009:001", "2012:001", "2014:100", "2018:001"])
    assert many[2].tolist() == pytest.approx([111.114286, 117.483296, 110.187215, 116.617189, 127.173516], abs=6e-7)
    assert many[4].tolist() == pytest.approx([7227.2, 14178.2, 18348.8, 21506.268, 26690.0], abs=6e-4)
    assert [array.shape for array in many] == [(5,)] * 5


def test_the_law_is_evaluated_on_any_run_of_bins():
    centres, _, counts = get_dark_hist("2013:001", -19.0)
    pars = get_sbp_pars("2013:001")
    np.testing.assert_array_equal(smooth_broken_pow(pars, centres), counts)
    np.testing.assert_array_equal(smooth_broken_pow(pars, centres[20:40] + 0.0009), counts[20:40])
    np.testing.assert_array_equal(smooth_broken_pow(pars, [centres[60]]), counts[60:61])
    dates = ["2009:001", "2013:001"]
    np.testing.assert_array_equal(smooth_broken_pow(get_sbp_pars(dates), centres), get_dark_hist(dates, -19.0)[2])


def test_the_law_takes_parameters_of_anybody():
    from aca_core.dark_current.bins import KERNEL

    centres = get_dark_hist("2013:001", -19.0)[0]
    g1, g2, x_b, x_r, ampl1 = 0.2, 2.5, 300.0, 155.0, 1000.0
    law = ampl1 * (centres / x_r) ** -g1
    law[centres > x_b] = (ampl1 * (x_b / x_r) ** (g2 - g1) * (centres / x_r) ** -g2)[centres > x_b]
    expected = np.convolve(law, KERNEL, mode="same")
    np.testing.assert_allclose(smooth_broken_pow((g1, g2, x_b, x_r, ampl1), centres), expected, rtol=1e-12)


def test_a_run_of_bins_is_needed():
    centres = get_dark_hist("2013:001", -19.0)[0]
    pars = get_sbp_pars("2013:001")
    for x in (centres[::2], centres + 0.002, centres[5:3], 100.0, centres[:4][::-1], [np.nan], [*centres, 20000.0]):
        with pytest.raises(DeclarationError, match=r"^smooth_broken_pow: x is .*neighbouring centres of the 79 bins"):
            smooth_broken_pow(pars, x)
    with pytest.raises(DeclarationError, match=r"^smooth_broken_pow: pars is .*five of them: g1, g2, x_b, x_r, ampl1"):
        smooth_broken_pow(pars[:4], centres)
    for few in (5.0, "five!", [[1, 2], [3]], dict.fromkeys("abcde", 1.0)):
        with pytest.raises(DeclarationError, match=r"^smooth_broken_pow: pars is .*five of them"):
            smooth_broken_pow(few, centres)
    with pytest.raises(DeclarationError, match=r"^smooth_broken_pow: ampl1 is 'many'"):
        smooth_broken_pow((*pars[:4], "many"), centres)


def test_the_temperature_factor_goes_from_the_reference_to_the_temperature():
    found = temp_scalefac([-15.0, -20.0, -10.0, -5.0])
    assert found.tolist() == pytest.approx([1.4285714, 0.9146912, 2.2311533, 3.4846315], abs=6e-8)
    assert temp_scalefac(-15.0) == pytest.approx(1 / dark_temp_scale(-15.0), rel=1e-15)


def test_warm_fractions_take_their_arguments_in_the_old_order():
    assert get_warm_fracs(100) == pytest.approx(0.0811203818, abs=5.1e-11)
    assert get_warm_fracs(100, "2012:001", -15) == pytest.approx(0.1217981589, abs=5.1e-11)
    assert get_warm_fracs(100, "2012:001", T_ccd=-15, method="corrected") == pytest.approx(0.1218508559, abs=5.1e-11)
    found = get_warm_fracs([[50.0], [100.0]], ["2012:001", "2018:001"], -11.0, model="2017")
    expected = warm_fraction(["2012:001", "2018:001"], -11.0, [[50.0], [100.0]], model="2017")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(
        get_dark_model("2012:001", -11.0).warm_fraction(50.0), get_warm_fracs(50, "2012:001", -11)
    )


def test_messages_and_warnings_are_those_of_the_function_that_was_called():
    with pytest.raises(DeclarationError, match=r"^temp_scalefac: T_ccd is 'cold'"):
        temp_scalefac("cold")
    with pytest.raises(DeclarationError, match=r"^get_warm_fracs: warm_threshold is 'many'"):
        get_warm_fracs("many")
    with pytest.raises(DeclarationError, match=r"^get_dark_hist: t_ccd is 'cold'"):
        get_dark_hist("2013:001", "cold")
    for early in (
        lambda: get_warm_fracs(100, "2005:001", model="2017"),
        lambda: get_dark_hist("2005:001", -19, "2017"),
    ):
        with pytest.warns(AcaWarning, match="before 2007.0") as told:
            early()
        assert [each.filename for each in told] == [__file__]


@pytest.mark.parametrize(
    ("mag", "expected"),
    [
        (9.0, [0.989473, 0.986943, 0.984414]),
        (10.0, [0.891012, 0.814457, 0.737903]),
        (10.3, [0.799507, 0.662488, 0.525469]),
        (10.6, [0.660409, 0.460326, 0.260243]),
    ],
)
def test_the_formula_of_2013_is_plain(mag, expected):
    found = acq_success_prob(mag, [0.05, 0.10, 0.15])
    assert found.tolist() == pytest.approx(expected, abs=6e-7)
    assert acq_success_prob(mag, 0.10, prob_offset=-0.5) == pytest.approx(expected[1] - 0.5, abs=6e-7)


def test_the_formula_of_2013_is_not_clipped():
    assert acq_success_prob(11.8, 0.3) < 0
    assert isinstance(acq_success_prob(10.0, 0.1), float)
    assert np.isnan(acq_success_prob([10.0, np.nan], [[0.1], [np.nan]])).tolist() == [[False, True], [True, True]]
    with pytest.raises(DeclarationError, match=r"mag \(2,\), warm_frac \(3,\)"):
        acq_success_prob([9.0, 10.0], [0.1] * 3)


def test_the_probabilities_of_the_first_package_are_handed_on():
    found = get_acq_success("2013:001", -19, [9.0, 10.0, 10.3, 10.6])
    assert found.tolist() == pytest.approx([0.987898, 0.843364, 0.714225, 0.535876], abs=6e-7)
    assert 0 < get_guide_success("2013:001", -19, 9.0) < 1
