"""Numbers from outside: lists, columns, masked arrays and quantities become plain arrays, and nothing else does."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn
from astropy.utils.masked import Masked

from aca_core import DeclarationError
from aca_core.quantities import as_floats, as_given, broadcast_shape


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-10, -10.0),
        ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        ([], []),
        (np.float32([0.5]), [0.5]),
        ([1, None], [1.0, np.nan]),
        (Column([1.5, 2.5]), [1.5, 2.5]),
        (Column([263.15, 273.15], unit="K"), [-10.0, 0.0]),
        (263.15 * u.K, -10.0),
        (-10.0 * u.deg_C, -10.0),
        (np.ma.array([1, 2], mask=[False, True]), [1.0, np.nan]),
        (MaskedColumn([1.0, 2.0], mask=[True, False], unit="deg_C"), [np.nan, 2.0]),
        (Masked([263.15, 0.0] * u.K, mask=[False, True]), [-10.0, np.nan]),
    ],
    ids=repr,
)
def test_numbers_of_every_kind_become_floats(value, expected):
    found = as_floats("f", "t_ccd", value, "deg_C")
    assert found.dtype == float
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("warm", "not values of type <U4"),
        (True, "expected a number"),
        (None, "expected a number"),
        (10**400, "too large"),
        ([[1.0], [2.0, 3.0]], "inhomogeneous"),
        (np.array(["2012:001"]), "not values of type"),
        ({"a": 1}, "a number or an array of numbers in deg_C"),
        (1.0 * u.m, "'m' .* not convertible"),
        (1j, "not values of type complex128"),
    ],
    ids=repr,
)
def test_what_is_no_number_is_refused_by_name(value, problem):
    with pytest.raises(DeclarationError, match=rf"^f: t_ccd is .*{problem}"):
        as_floats("f", "t_ccd", value, "deg_C")


def test_a_series_has_a_method_that_is_called_mask():
    class Series:  # as that of pandas
        def __array__(self, dtype=None, copy=None):
            return np.array([-10.0, np.nan])

        def mask(self, cond):
            raise AssertionError("nobody asked")

    np.testing.assert_array_equal(as_floats("f", "t_ccd", Series(), "deg_C"), [-10.0, np.nan])


def test_the_callers_array_is_not_changed():
    given = np.ma.array([1.0, 2.0], mask=[False, True])
    as_floats("f", "mag", given)[0] = 5.0
    assert given.tolist() == [1.0, None]


def test_shapes_are_found_together_or_all_told():
    arrays = {"mag": np.zeros(3), "t_ccd": np.zeros((2, 1)), "date": np.zeros(())}
    assert broadcast_shape("f", arrays) == (2, 3)
    with pytest.raises(DeclarationError, match=r"f: shapes is 'mag \(3,\), t_ccd \(2,\)'; expected shapes that broad"):
        broadcast_shape("f", {"mag": np.zeros(3), "t_ccd": np.zeros(2)})


def test_a_scalar_question_has_a_scalar_answer():
    assert type(as_given(np.array(0.5))) is float
    assert as_given(np.array([0.5])).tolist() == [0.5]
