"""Numbers from outside: scalars, lists, columns, masked arrays and quantities with units, as plain arrays of floats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aca_core.arrays import FloatArray
from aca_core.errors import DeclarationError

__all__ = ["as_floats", "as_given", "broadcast_shape"]


def as_floats(what: str, name: str, value: Any, unit: str = "") -> FloatArray:
    """Return numbers as an array of float64; what is masked becomes NaN.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    name : str
        The argument.
    value : array_like or Quantity, any shape
        Numbers, already in `unit` where they carry none.
    unit : str, optional
        The unit that is wanted, in the words of astropy: ``deg_C``, ``mag``, ``arcsec``, ``electron / s``.

    Returns
    -------
    ndarray of float64, shape of `value`
        It may share memory with `value`: do not change it.

    Raises
    ------
    DeclarationError
        They are no numbers, or too great for a float, or their unit cannot be converted. It is a ValueError.

    Examples
    --------
    >>> as_floats("f", "t_ccd", [-10, -11.5]).tolist()
    [-10.0, -11.5]
    >>> import astropy.units as u
    >>> as_floats("f", "t_ccd", 263.15 * u.K, "deg_C").round(6).item()
    -10.0
    """
    import numpy as np

    # None among others is a number that is missing; alone it is an argument that somebody forgot.
    if value is None or isinstance(value, bool | np.bool_):
        raise DeclarationError(what, name, value, "a number, or an array of numbers")
    try:
        if getattr(value, "unit", None) is not None:
            value = _in_unit(value, unit)
        array = np.asarray(value)
        if array.size and array.dtype.kind not in "fiuO":
            raise TypeError(f"not values of type {array.dtype}")
        floats = np.asarray(array, dtype=float)
        is_masked = _mask_of(value)
        return floats if is_masked is None else np.where(is_masked, np.nan, floats)
    except (TypeError, ValueError, OverflowError) as error:  # astropy's errors of units are the first two
        wanted = f"a number or an array of numbers{f' in {unit}' if unit else ''}"
        raise DeclarationError(what, name, value, f"{wanted} ({error})") from None


def _mask_of(value: Any) -> Any:
    """Return which numbers are masked, None where there is no mask; a series of pandas has a method of that name."""
    mask = getattr(value, "mask", None)
    return None if callable(mask) else mask


def _in_unit(value: Any, unit: str) -> Any:
    """Return a quantity, or a column with a unit, as numbers in the unit that is wanted, masked where it is."""
    import astropy.units as u
    import numpy as np

    is_masked = _mask_of(value)
    numbers = getattr(value, "unmasked", value)
    plain = u.Quantity(np.asarray(numbers, dtype=float), value.unit)
    converted = plain.to_value(u.Unit(unit), equivalencies=u.temperature())
    return converted if is_masked is None else np.ma.array(converted, mask=is_masked)


def broadcast_shape(what: str, arrays: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the shape that several arguments have together.

    Parameters
    ----------
    what : str
        The function that was called, for messages.
    arrays : mapping of str to ndarray
        The arguments by name.

    Returns
    -------
    tuple of int

    Raises
    ------
    DeclarationError
        They do not broadcast together; the message gives every shape. It is a ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> broadcast_shape("f", {"mag": np.zeros(3), "t_ccd": np.zeros((2, 1))})
    (2, 3)
    """
    import numpy as np

    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise DeclarationError(what, "shapes", shapes, "shapes that broadcast together") from None


def as_given(result: Any) -> Any:
    """Return an array as it is, and one without dimensions as a Python number: scalar in, scalar out.

    Parameters
    ----------
    result : ndarray
        Any shape.

    Returns
    -------
    float, int, str or ndarray
    """
    return result.item() if result.ndim == 0 else result
