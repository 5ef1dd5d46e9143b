"""What a rectangle of the CCD is: an array that knows where on the CCD its first element lies.

::

    image = ACAImage(dark_map, row0=-512, col0=-512)
    image.aca[-10:10, 0:20]  # rows and columns of the CCD
    image[0:4, 0:4]  # elements, as with every array; the result still knows where it lies
    image.aca - other  # pixel by pixel of the CCD, where both lie
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np

from aca_core.errors import DeclarationError, MissingDataError

__all__ = ["ACAImage", "OutsideImageError"]

_ELEMENTWISE: Final = frozenset(
    {np.around, np.clip, np.empty_like, np.full_like, np.imag, np.nan_to_num, np.ones_like, np.real, np.round,
     np.zeros_like}
)  # fmt: skip
"""Functions of numpy (beside the ufuncs) whose result lies where the image lies."""


_PLACES: Final = {"IMGROW0": "row0", "IMGCOL0": "col0"}
"""Keys of what is known of an image that tell its place, as level-0 telemetry names them."""


class OutsideImageError(MissingDataError, IndexError):
    """A row or a column of the CCD is not one of an image's."""


class ACAImage(np.ndarray):
    """A rectangle of CCD pixels: a two-dimensional array with the row and the column of its first element.

    Everything works on it as on an array. What is a rectangle of the CCD again knows where it lies: slices without a
    step, results of arithmetic and other functions of single elements, copies, what comes out of a pickle. Everything
    else is a plain array: single rows, slices with a step, fancy indexing, transposed and reshaped images, sums, and
    the difference of two images that lie in different places.

    ``image.aca`` is the image by rows and columns of the CCD. Arithmetic with it takes another image where it lies:
    ``image.aca - dark`` is the image less the dark map where both are, and the image elsewhere. So do
    ``image - dark.aca``, ``image.aca -= dark`` and ``image -= dark.aca``. ``dark[image]`` is the part of the dark map
    where the image lies.

    Parameters
    ----------
    array : array_like, shape (rows, columns)
        The pixels. An array is not copied, but one with masked elements is, which become NaN.
    row0, col0 : int, default 0
        Row and column on the CCD of element [0, 0]; by default those of `array` where it is an image itself, else
        IMGROW0 and IMGCOL0 of `meta` where these are there.
    meta : mapping, optional
        Anything else that is known of the image; kept as a dict, of which each result gets its own copy. Keys in upper
        case are attributes too: ``image.TIME``. IMGROW0 and IMGCOL0 follow the place of the image.

    Attributes
    ----------
    row0, col0 : int
        Row and column on the CCD of element [0, 0].
    meta : dict
        Anything else that is known of the image.

    Raises
    ------
    DeclarationError
        It is no two-dimensional array, the row or the column is no whole number, or `meta` is no mapping. It is a
        ValueError.

    Examples
    --------
    >>> import numpy as np
    >>> image = ACAImage(np.arange(12.0).reshape(3, 4), row0=-1, col0=100)
    >>> float(image.aca[0, 102])
    6.0
    >>> part = image.aca[0:, 101:103] * 10
    >>> part
    <ACAImage row0=0 col0=101
    array([[ 50.,  60.],
           [ 90., 100.]])>
    >>> image.aca[-2, 100]
    Traceback (most recent call last):
    aca_core.aca_image.OutsideImageError: row -2 is outside the image, which has rows -1 to 1
    """

    row0: int
    col0: int
    meta: dict[str, Any]

    def __new__(
        cls,
        array: Any,
        row0: int | None = None,
        col0: int | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> ACAImage:
        """Make an image of an array."""
        try:
            plain = _unmasked(array) if np.ma.isMaskedArray(array) else np.asarray(array)
        except (TypeError, ValueError) as error:  # rows of different lengths, masked texts
            raise DeclarationError("ACAImage", "array", array, "a two-dimensional array") from error
        if plain.ndim != 2:
            raise DeclarationError("ACAImage", "array", f"of shape {plain.shape}", "a two-dimensional array")
        first_row, first_column = _corner_of(array)
        known = _as_dict(getattr(array, "meta", None) or {} if meta is None else meta)
        if not isinstance(array, ACAImage):
            first_row, first_column = known.get("IMGROW0", 0), known.get("IMGCOL0", 0)
        image = plain.view(cls)
        row = _whole("row0", first_row if row0 is None else row0)
        column = _whole("col0", first_column if col0 is None else col0)
        image._tell(row, column, known)
        return image

    def __array_finalize__(self, source: Any) -> None:
        row, column = _corner_of(source)
        self.__dict__.update(row0=row, col0=column, meta=dict(getattr(source, "meta", None) or {}))

    def _tell(self, row0: int, col0: int, meta: dict[str, Any]) -> None:
        """Say where the image lies and what is known of it; the dictionary becomes its own."""
        if "IMGROW0" in meta:
            meta["IMGROW0"] = row0
        if "IMGCOL0" in meta:
            meta["IMGCOL0"] = col0
        self.__dict__.update(row0=row0, col0=col0, meta=meta)

    def __getattr__(self, name: str) -> Any:
        meta = self.__dict__.get("meta") if name.isupper() else None
        if meta is not None and name in meta:
            return meta[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; one that is a key of what is known is set there, and the place in both."""
        key = next((key for key, place in _PLACES.items() if name in (key, place)), name)
        if key in _PLACES:
            value = _whole(name, value)
            self.__dict__[_PLACES[key]] = value
        is_known = key in self.__dict__.get("meta", ())
        if is_known:
            self.meta[key] = value
        if key not in _PLACES and not (is_known and name.isupper()):
            super().__setattr__(name, value)

    @property
    def aca(self) -> _OnCcd:
        """The image by rows and columns of the CCD: ``image.aca[-512:512, 0]``, to read and to assign.

        Negative numbers are rows and columns like others, and do not count from the end. An index takes whole
        numbers, slices, an ellipsis, arrays of whole numbers, or another image, which stands for the pixels where it
        lies. What lies outside is an `OutsideImageError`.

        Arithmetic takes another image where it lies on the CCD: only pixels that both have are changed.
        """
        return _OnCcd(self)

    @aca.setter
    def aca(self, value: Any) -> None:
        # Python assigns what ``image.aca += other`` returns, which is the image itself.
        if not (isinstance(value, _OnCcd) and value._image is self):
            raise DeclarationError("ACAImage", "aca", value, "an assignment to pixels, such as image.aca[0:4, 0:4] = …")

    def __getitem__(self, key: Any) -> Any:
        if _is_area(key):
            return self.aca[key]
        part = self.view(np.ndarray)[key]
        first = self._first_of(key) if isinstance(part, np.ndarray) and part.ndim == 2 else None
        return part if first is None else self._moved(part, *first)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(self.aca._elements(key) if _is_area(key) else key, value)

    def _first_of(self, key: Any) -> tuple[int, int] | None:
        """Return the place in this image of the first element of a part, None for what is no rectangle."""
        keys = key if isinstance(key, tuple) else (key,)
        if self.ndim != 2 or not all(each is Ellipsis or isinstance(each, slice) for each in keys):
            return None
        slices = [each for each in keys if each is not Ellipsis]
        if len(slices) == 1:
            # With an ellipsis before it, the one slice is that of the columns.
            slices.insert(0 if keys[0] is Ellipsis else 1, slice(None))
        if any(each.step is not None and operator.index(each.step) != 1 for each in slices):
            return None
        starts = [each.indices(length)[0] for each, length in zip(slices or [slice(None)] * 2, self.shape, strict=True)]
        return starts[0], starts[1]

    def _moved(self, part: Any, row: int = 0, column: int = 0) -> ACAImage:
        """Return a plain array as an image whose first element lies at a place of this one."""
        image: ACAImage = part.view(type(self))
        image._tell(self.row0 + row, self.col0 + column, dict(self.meta))
        return image

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Calculate with plain arrays, and put the result where the images lie, if all lie in one place."""
        images = [each for each in inputs if isinstance(each, ACAImage)]
        given = keywords.pop("out", None)
        if given is not None:
            keywords["out"] = tuple(map(_plain, given))
        if "where" in keywords:
            keywords["where"] = _plain(keywords["where"])
        result = getattr(ufunc, method)(*map(_plain, inputs), **keywords)
        if given is not None and result is not NotImplemented:
            results = result if isinstance(result, tuple) else (result,)
            put = tuple(new if into is None else into for into, new in zip(given, results, strict=True))
            return put if isinstance(result, tuple) else put[0]
        if method != "__call__" or len({(each.row0, each.col0, each.shape) for each in images}) != 1:
            return result
        return _each(result, images[0])

    def __array_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: Iterable[Any], keywords: Mapping[str, Any]
    ) -> Any:
        """Call a function of numpy; only of a few it is known that the result lies where the image lies."""
        result = super().__array_function__(function, types, args, keywords)
        return result if function in _ELEMENTWISE else _all_plain(result, but=keywords.get("out"))

    # numpy makes the result of this one without asking us.
    def round(self, decimals: int = 0, out: Any = None) -> Any:  # type: ignore[override]  # its overloads say the same
        """Return the image with its values rounded."""
        rounded = self.view(np.ndarray).round(decimals, out=_plain(out))
        return self._moved(rounded) if out is None else out

    def __reduce__(self) -> tuple[Any, ...]:
        parts: Any = super().__reduce__()
        return *parts[:2], (parts[2], self.row0, self.col0, self.meta)

    def __setstate__(self, state: Any) -> None:
        plain, *known = state
        self._tell(*known)
        super().__setstate__(plain)

    def __deepcopy__(self, memo: dict[int, Any] | None) -> ACAImage:
        image = self._moved(copy.deepcopy(self.view(np.ndarray), memo))
        image.meta = copy.deepcopy(self.meta, memo)
        return image

    def __repr__(self) -> str:
        if self.ndim != 2:
            return repr(self.view(np.ndarray))
        return f"<ACAImage row0={self.row0} col0={self.col0}\n{self.view(np.ndarray)!r}>"


def _as_plain_method(name: str) -> Callable[..., Any]:
    """Return a method of arrays whose result is no rectangle of the CCD."""

    def method(self: ACAImage, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self.view(np.ndarray), name)(*arguments, **keywords)

    method.__name__ = name
    method.__doc__ = f"Do what `numpy.ndarray.{name}` does; the result is a plain array."
    return method


for _name in (
    *("argmax", "argmin", "argpartition", "argsort", "byteswap", "choose", "compress", "diagonal", "dot", "flatten"),
    *("ravel", "repeat", "reshape", "squeeze", "swapaxes", "take", "transpose"),
):
    setattr(ACAImage, _name, _as_plain_method(_name))
for _name in ("T", "mT"):
    setattr(ACAImage, _name, property(operator.methodcaller("transpose"), doc="The transposed array, a plain one."))


class _OnCcd:
    """An image by rows and columns of the CCD."""

    __slots__ = ("_image",)
    __array_ufunc__ = None
    """So that arrays leave arithmetic with it to it."""

    def __init__(self, image: ACAImage) -> None:
        self._image = image

    def __getitem__(self, key: Any) -> Any:
        return self._image[self._elements(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._image[self._elements(key)] = value

    def _elements(self, key: Any) -> tuple[Any, ...]:
        """Return the index of elements for an index of rows and columns of the CCD."""
        image = self._image
        if image.ndim != 2:
            raise DeclarationError("ACAImage.aca", "image", f"of shape {image.shape}", "a two-dimensional image")
        if _is_image(key):
            key = (slice(key.row0, key.row0 + key.shape[0]), slice(key.col0, key.col0 + key.shape[1]))
        rows, columns = _two(key)
        return (
            _element("row", rows, image.row0, image.shape[0]),
            _element("column", columns, image.col0, image.shape[1]),
        )


# ---- arithmetic in the coordinates of the CCD -----------------------------------------------------------------------


def _image_of(value: Any) -> Any:
    return value._image if isinstance(value, _OnCcd) else value


def _is_image(value: Any) -> bool:
    return isinstance(value, ACAImage) and value.ndim == 2


def _kind_of(ufunc: np.ufunc, left: Any, right: Any) -> Any:
    """Return the type of what is calculated from elements of two arrays."""
    return ufunc(np.empty(0, left.dtype), np.empty(0, right.dtype)).dtype


def _overlap(left: ACAImage, right: ACAImage) -> tuple[ACAImage, Any] | None:
    """Return the parts of two images where both lie, as views; None where they do not meet."""
    low = [max(pair) for pair in ((left.row0, right.row0), (left.col0, right.col0))]
    ends = [(each.row0 + each.shape[0], each.col0 + each.shape[1]) for each in (left, right)]
    high = [min(pair) for pair in zip(*ends, strict=True)]
    if low[0] >= high[0] or low[1] >= high[1]:
        return None
    area = tuple(slice(first, last) for first, last in zip(low, high, strict=True))
    return left.aca[area], _plain(right.aca[area])


def _combined(ufunc: np.ufunc, left: Any, right: Any) -> Any:
    """Return the left image with the pixels that the right one has too calculated from both."""
    if not (_is_image(left) and _is_image(right)):
        return ufunc(left, right)
    result: Any = left.astype(np.result_type(left.dtype, _kind_of(ufunc, left, right)))
    parts = _overlap(result, right)
    if parts is not None:
        _put(ufunc, *parts)
    return result


def _put(ufunc: np.ufunc, left: ACAImage, right: Any) -> None:
    """Calculate in place."""
    if not np.can_cast(_kind_of(ufunc, left, right), left.dtype, "same_kind"):
        expected = f"numbers that fit into an image of {left.dtype}; make it one of floats with astype(float)"
        raise DeclarationError("ACAImage.aca", "values", f"of type {right.dtype}", expected)
    ufunc(left, right, out=left)


def _combined_here(ufunc: np.ufunc, left: ACAImage, right: Any) -> None:
    """Do the same to the left image itself."""
    if not (_is_image(left) and _is_image(right)):
        ufunc(left, right, out=left)
    elif (parts := _overlap(left, right)) is not None:
        _put(ufunc, *parts)


def _operators(name: str, ufunc: np.ufunc) -> None:
    """Give both classes an operator: ``a.aca + b``, ``a + b.aca``, ``a.aca += b`` and ``a += b.aca``."""
    usual = getattr(np.ndarray, f"__i{name}__")

    def forward(self: _OnCcd, other: Any) -> Any:
        return _combined(ufunc, self._image, _image_of(other))

    def backward(self: _OnCcd, other: Any) -> Any:
        return _combined(ufunc, other, self._image)

    def here(self: _OnCcd, other: Any) -> _OnCcd:
        _combined_here(ufunc, self._image, _image_of(other))
        return self

    def image_here(self: ACAImage, other: Any) -> Any:
        if not isinstance(other, _OnCcd):
            return usual(self, other)
        _combined_here(ufunc, self, other._image)
        return self

    setattr(_OnCcd, f"__{name}__", forward)
    setattr(_OnCcd, f"__r{name}__", backward)
    setattr(_OnCcd, f"__i{name}__", here)
    setattr(ACAImage, f"__i{name}__", image_here)


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
}.items():
    _operators(_name, _ufunc)


# ---- indices in the coordinates of the CCD --------------------------------------------------------------------------


def _is_area(key: Any) -> bool:
    """Say whether an index is an image that stands for its pixels; one of truth values says which elements."""
    return _is_image(key) and key.dtype.kind != "b"


def _two(key: Any) -> tuple[Any, Any]:
    keys = key if isinstance(key, tuple) else (key,)
    ellipses = [place for place, each in enumerate(keys) if each is Ellipsis]
    if len(ellipses) == 1:
        missing = [slice(None)] * (3 - len(keys))
        keys = (*keys[: ellipses[0]], *missing, *keys[ellipses[0] + 1 :])
    if len(keys) == 1:
        keys = (*keys, slice(None))
    if len(keys) != 2 or len(ellipses) > 1:
        raise DeclarationError("ACAImage.aca", "index", key, "rows, or rows and columns")
    return keys[0], keys[1]


def _element(axis: str, wanted: Any, first: int, length: int) -> Any:
    """Return the index along one axis for one of the CCD."""
    if isinstance(wanted, slice):
        return _slice(axis, wanted, first, length)
    try:
        places = np.asarray(wanted)
    except ValueError:  # rows of different lengths
        places = np.empty(0)
    if places.dtype.kind not in "iu":
        raise DeclarationError("ACAImage.aca", axis, wanted, "whole numbers, or a slice of them")
    outside = (places < first) | (places >= first + length)
    if outside.any():
        _refuse(axis, places[outside].flat[0], first, length)
    elements = places.astype(np.intp) - first
    return elements if elements.ndim else int(elements)


def _slice(axis: str, wanted: slice, first: int, length: int) -> slice:
    try:
        step = 1 if wanted.step is None else operator.index(wanted.step)
        start, stop = (None if each is None else operator.index(each) - first for each in (wanted.start, wanted.stop))
    except TypeError:
        raise DeclarationError("ACAImage.aca", axis, wanted, "whole numbers, or a slice of them") from None
    if step == 0:
        raise DeclarationError("ACAImage.aca", axis, wanted, "a step other than 0")
    # Between which limits the ends may lie; backwards, both are one less.
    low, high = (0, length) if step > 0 else (-1, length - 1)
    for end in (start, stop):
        if end is not None and not low <= end <= high:
            _refuse(axis, end + first, first, length)
    # For numpy -1 is the last element; for us it is the one before the first, where a slice backwards ends.
    return slice(0, 0) if start == -1 else slice(start, None if stop == -1 else stop, step)


def _refuse(axis: str, place: Any, first: int, length: int) -> None:
    where = f"{axis}s {first} to {first + length - 1}" if length else f"no {axis}s"
    raise OutsideImageError(f"{axis} {place} is outside the image, which has {where}")


def _whole(name: str, value: Any) -> int:
    try:
        return operator.index(value)
    except TypeError:
        raise DeclarationError("ACAImage", name, value, "a whole number") from None


def _as_dict(meta: Any) -> dict[str, Any]:
    if not isinstance(meta, Mapping):
        raise DeclarationError("ACAImage", "meta", meta, "a mapping")
    return dict(meta)


def _corner_of(source: Any) -> tuple[int, int]:
    return (source.row0, source.col0) if isinstance(source, ACAImage) else (0, 0)


def _unmasked(array: Any) -> Any:
    return array.astype(float).filled(np.nan) if np.ma.is_masked(array) else np.asarray(array.data)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, ACAImage) else value


def _each(result: Any, image: ACAImage) -> Any:
    """Return the results of a ufunc, those with the shape of an image as images in its place."""
    if isinstance(result, tuple):
        return tuple(_each(each, image) for each in result)
    fits = type(result) is np.ndarray and result.shape == image.shape
    return image._moved(result) if fits else result


def _all_plain(result: Any, but: Any) -> Any:
    if type(result) in (list, tuple):
        return type(result)(_all_plain(each, but) for each in result)
    return result if result is but else _plain(result)
