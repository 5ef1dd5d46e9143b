"""Images of the CCD: indexed by rows and columns of the CCD, and knowing where they lie as long as that makes sense."""

import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aca_core import AcaError, DeclarationError, MissingDataError
from aca_core.aca_image import ACAImage, OutsideImageError


@pytest.fixture
def ccd():
    """Return the whole CCD; each pixel's value tells its row and column."""
    rows, columns = np.mgrid[-512:512, -512:512]
    return ACAImage(rows * 10_000.0 + columns, row0=-512, col0=-512, meta={"dark_id": "2007006"})


def place(image):
    return image.row0, image.col0, image.shape


def test_the_corners_of_the_ccd_are_where_they_should_be(ccd):
    ccd[1, 1], ccd[1023, 512] = 1.5, 2.5
    assert ccd.aca[-511, -511] == 1.5
    assert ccd.aca[511, 0] == 2.5
    assert type(ccd.aca[511, 0]) is np.float64


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (np.s_[-512:512, ...], (-512, -512, (1024, 1024))),
        (np.s_[...], (-512, -512, (1024, 1024))),
        (np.s_[..., 5:9], (-512, 5, (1024, 4))),
        (np.s_[:, :-500], (-512, -512, (1024, 12))),
        (np.s_[100:], (100, -512, (412, 1024))),
        (np.s_[-3:4, -7:-5], (-3, -7, (7, 2))),
        (np.s_[512:512, 0:1], (512, 0, (0, 1))),
        (np.s_[10:5, :], (10, -512, (0, 1024))),
    ],
    ids=str,
)
def test_a_rectangle_of_the_ccd_knows_where_it_lies(ccd, index, expected):
    part = ccd.aca[index]
    assert isinstance(part, ACAImage)
    assert place(part) == expected
    assert part.meta == {"dark_id": "2007006"}
    if part.size:
        assert part[0, 0] == part.row0 * 10_000 + part.col0


def test_a_part_of_a_part_is_a_part_of_the_ccd(ccd):
    part = ccd[100:200, 300:][5:, 2:4].aca[-400:-395]
    assert place(part) == (-400, -210, (5, 2))
    assert part[0, 0] == -400 * 10_000 - 210
    part[:] = 0  # a view, as of every array
    assert ccd.aca[-400, -210] == 0


@given(data=st.data())
def test_slices_count_as_numpy_does_from_the_corner(data):
    shape = data.draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    corner = data.draw(st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
    image = ACAImage(np.arange(shape[0] * shape[1]).reshape(shape), *corner)

    def one_axis(first, length):
        step = data.draw(st.sampled_from([None, 1, 2, 3, -1, -2]))
        low, high = (0, length) if (step or 1) > 0 else (-1, length - 1)
        ends = st.none() | st.integers(low, high)
        start, stop = data.draw(ends), data.draw(ends)
        listed = range(length)[:: -1 if low else 1]
        begin = listed[0] if start is None else start
        end = high if stop is None and not low else -1 if stop is None else stop
        moved = (None if each is None else each + first for each in (start, stop))
        return slice(*moved, step), list(range(begin, end, step or 1))

    rows, expected_rows = one_axis(corner[0], shape[0])
    columns, expected_columns = one_axis(corner[1], shape[1])
    expected = np.asarray(image)[np.ix_(expected_rows, expected_columns)]
    np.testing.assert_array_equal(image.aca[rows, columns], expected)


def test_pixels_are_assigned_by_row_and_column(ccd):
    ccd.aca[-512:-510, 511] = -1
    ccd.aca[0, 0] += 5
    ccd.aca[[3, 4], [5, 6]] = [7, 8]
    assert (ccd[:2, 1023] == -1).all()
    assert ccd[512, 512] == 5
    assert (ccd[515, 517], ccd[516, 518]) == (7, 8)


def test_many_pixels_are_asked_for_at_once(ccd):
    rows, columns = np.array([[-512, 0], [1, 511]]), np.array([-1, 2])
    found = ccd.aca[rows, columns]
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, rows * 10_000.0 + columns)
    assert ccd.aca[np.uint16(3), -1] == 29_999


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (np.s_[512, 0], "row 512 is outside the image, which has rows -512 to 511"),
        (np.s_[0, -513], "column -513 is outside the image, which has columns -512 to 511"),
        (np.s_[-513:0], "row -513 is outside"),
        (np.s_[:513], "row 513 is outside"),
        (np.s_[:, 600:700], "column 600 is outside"),
        (np.s_[[0, 512], 0], "row 512 is outside"),
        (np.s_[512:0:-1], "row 512 is outside"),
    ],
    ids=str,
)
def test_what_lies_outside_is_refused(ccd, index, message):
    with pytest.raises(OutsideImageError, match=message):
        ccd.aca[index]
    with pytest.raises(IndexError, match=message):
        ccd.aca[index] = 0
    assert issubclass(OutsideImageError, MissingDataError)


@pytest.mark.parametrize(
    "index", [1.5, "a", None, (0, 1, 2), (0, None), (True, 0), (..., ...), np.s_[0:1:0], np.s_[0.5:2], ()], ids=str
)
def test_what_is_no_row_or_column_is_refused(ccd, index):
    with pytest.raises(DeclarationError, match=r"^ACAImage\.aca: (row|column|index) is "):
        ccd.aca[index]


@pytest.mark.parametrize(
    "made",
    [
        lambda image: image[3],
        lambda image: image[:, 3],
        lambda image: image[::2, :],
        lambda image: image[::-1],
        lambda image: image.aca[0:10:2],
        lambda image: image[image > 0],
        lambda image: image[[1, 2]],
        lambda image: image[np.ix_([1, 2], [3, 4])],
        lambda image: image[None, :2, :2],
        lambda image: image.T,
        lambda image: image.transpose(),
        lambda image: image.reshape(2048, 512),
        lambda image: image.ravel(),
        lambda image: image.sum(axis=0),
        lambda image: np.sum(image, axis=1, keepdims=True),
        lambda image: np.fliplr(image),
        lambda image: np.roll(image, 1),
        lambda image: np.sort(image),
        lambda image: np.cumsum(image, axis=0),
        lambda image: np.concatenate([image, image]),
        lambda image: np.add.outer(image[0], image[1]),
        lambda image: np.split(image, 2)[1],
        lambda image: image - ACAImage(np.asarray(image), row0=0, col0=0),
        lambda image: image.argmax(axis=0),
        lambda image: image.argmin(axis=1),
        lambda image: image.argpartition(3),
        lambda image: image.dot(image.T),
    ],
)
def test_what_is_no_rectangle_of_the_ccd_is_a_plain_array(ccd, made):
    assert type(made(ccd)) is np.ndarray


@pytest.mark.parametrize(
    "made",
    [
        lambda image: image * 2,
        lambda image: 1.0 - image,
        lambda image: -image,
        lambda image: np.sqrt(np.abs(image)),
        lambda image: image > 5,
        lambda image: image - image.copy(),
        lambda image: image + np.ones(1020),
        lambda image: np.where(image > 0, image, 0) * image,
        lambda image: image.clip(0),
        lambda image: np.clip(image, 0, 10),
        lambda image: np.zeros_like(image),
        lambda image: image.astype(np.float32),
        lambda image: image.round(1),
        lambda image: np.divmod(image, 3)[1],
        copy.copy,
        copy.deepcopy,
        lambda image: pickle.loads(pickle.dumps(image)),
        ACAImage,
    ],
)
def test_what_is_a_rectangle_still_lies_where_it_lay(ccd, made):
    image = made(ccd[2:, :1020])
    if not isinstance(image, ACAImage):
        pytest.fail(f"a plain array of shape {image.shape}")
    assert place(image) == (-510, -512, (1022, 1020))
    assert image.meta == {"dark_id": "2007006"}


def test_assigning_operators_work_in_place(ccd):
    part = ccd.aca[0:2, 0:2]
    same = part
    part *= 0
    part += np.eye(2)
    assert part is same
    assert place(part) == (0, 0, (2, 2))
    assert ccd.aca[0, 0] == ccd.aca[1, 1] == 1
    out = np.empty((2, 2))
    assert np.add(part, part, out=out) is out


def test_single_numbers_are_numbers(ccd):
    assert isinstance(ccd.sum(), float)
    assert isinstance(np.median(ccd), float)
    assert ccd.aca[0:2, 0:2].std() == pytest.approx(np.asarray(ccd)[512:514, 512:514].std())
    assert np.histogram(ccd, bins=4)[0].sum() == 1024**2


def test_what_is_known_of_an_image_is_not_shared(ccd):
    part, deep = ccd[:2], copy.deepcopy(ccd)
    part.meta["dark_id"] = "other"
    deep.meta["more"] = 1
    assert ccd.meta == {"dark_id": "2007006"}
    assert ACAImage(ccd, 0, 0, meta={}).meta == {}


def test_it_says_where_it_lies():
    image = ACAImage([[1, 2]], row0=3, col0=-4)
    assert repr(image) == "<ACAImage row0=3 col0=-4\narray([[1, 2]])>"
    assert str(image) == "[[1 2]]"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (([1, 2],), "array is 'of shape (2,)'; expected a two-dimensional array"),
        (([[1], [2, 3]],), "array is [[1], [2, 3]]; expected a two-dimensional array"),
        ((np.zeros((2, 2)), 1.5), "row0 is 1.5; expected a whole number"),
        ((np.zeros((2, 2)), 0, "x"), "col0 is 'x'; expected a whole number"),
        ((np.zeros((2, 2)), 0, 0, "2007006"), "meta is '2007006'; expected a mapping"),
    ],
)
def test_what_is_no_image_is_refused(arguments, problem):
    with pytest.raises(AcaError) as caught:
        ACAImage(*arguments)
    assert str(caught.value) == f"ACAImage: {problem}"


def test_what_is_masked_is_not_known():
    masked = np.ma.MaskedArray([[1, 2], [3, 4]], mask=[[False, True], [False, False]])
    np.testing.assert_array_equal(ACAImage(masked), [[1, np.nan], [3, 4]])
    assert ACAImage(np.ma.MaskedArray([[1, 2]])).dtype.kind == "i"


def test_matplotlib_and_masked_arrays_take_it(ccd):
    masked = np.ma.masked_less(ccd[:4, :4], 0)
    assert masked.mask.all()
    from matplotlib.figure import Figure

    Figure().subplots().imshow(ccd[:8, :8])


# ---- what telemetry tells of an image -------------------------------------------------------------------------------


def test_an_image_of_telemetry_says_where_it_lies_and_what_is_known_of_it():
    meta = {"IMGROW0": 373, "IMGCOL0": 326, "TIME": 686111011.5, "INTEG": 1.696}
    image = ACAImage(np.arange(36.0).reshape(6, 6), meta=meta)
    assert place(image) == (373, 326, (6, 6))
    assert (image.TIME, image.IMGROW0, (image * 2).INTEG) == (686111011.5, 373, 1.696)
    part = image.aca[375:, 328:330]
    assert (part.row0, part.IMGROW0, part.meta["IMGCOL0"]) == (375, 375, 328)
    assert meta["IMGROW0"] == 373
    assert place(pickle.loads(pickle.dumps(part))) == place(copy.copy(part)) == (375, 328, (4, 2))


def test_the_place_is_one_however_it_is_told():
    image = ACAImage(np.zeros((4, 4)), row0=5, meta={"IMGROW0": 1, "IMGCOL0": 2})
    assert (image.row0, image.meta["IMGROW0"], image.col0) == (5, 5, 2)
    image.row0 = 7
    image.IMGCOL0 = 9
    assert (image.IMGROW0, image.row0, image.col0, image.meta) == (7, 7, 9, {"IMGROW0": 7, "IMGCOL0": 9})
    again = ACAImage(image, meta={"IMGROW0": 100})
    assert (again.row0, again.col0, again.meta) == (7, 9, {"IMGROW0": 7})


def test_what_is_not_known_is_no_attribute():
    image = ACAImage(np.zeros((4, 4)), meta={"TIME": 1.0, "dark_id": "2007006"})
    image.TIME = 2.0
    assert image.meta["TIME"] == 2.0
    for name in ("INTEG", "dark_id"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(image, name)
    with pytest.raises(DeclarationError, match=r"row0 is 1\.5"):
        image.row0 = 1.5
    assert np.array_equal(image.T, np.zeros((4, 4)))


# ---- arithmetic in the coordinates of the CCD -----------------------------------------------------------------------


def small(row0=10, col0=20):
    return ACAImage(np.ones((6, 6)), row0=row0, col0=col0, meta={"TIME": 1.0})


def other(dtype=float):
    return ACAImage(np.arange(1, 17, dtype=dtype).reshape(4, 4) * 10, row0=8, col0=18)


@pytest.mark.parametrize(
    "make", [lambda a, b: a.aca + b, lambda a, b: a + b.aca, lambda a, b: a.aca + b.aca], ids=["left", "right", "both"]
)
def test_images_are_added_where_both_lie(make):
    left, right = small(), other()
    result = make(left, right)
    assert place(result) == place(left)
    assert result.meta == {"TIME": 1.0}
    expected = np.ones((6, 6))
    expected[:2, :2] += [[110, 120], [150, 160]]
    np.testing.assert_array_equal(result, expected)
    assert (left == 1).all()


@given(
    corners=st.tuples(*[st.integers(-7, 7)] * 2),
    shape=st.tuples(*[st.integers(0, 6)] * 2),
    name=st.sampled_from(["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]),
    here=st.booleans(),
)
def test_arithmetic_is_pixel_by_pixel_of_the_ccd(corners, shape, name, here):
    left = ACAImage(np.arange(1.0, 21.0).reshape(4, 5))
    right = ACAImage(np.arange(1.0, 1.0 + shape[0] * shape[1]).reshape(shape), *corners)
    expected = np.array(left)
    for row in range(4):
        for column in range(5):
            if 0 <= row - corners[0] < shape[0] and 0 <= column - corners[1] < shape[1]:
                operation = getattr(operator, name)
                expected[row, column] = operation(expected[row, column], right.aca[row, column])
    result = left
    if here:
        result.aca = getattr(operator, f"i{name}")(left.aca, right)
    else:
        result = getattr(operator, name)(left.aca, right)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-14)
    assert place(result) == (0, 0, (4, 5))


def test_images_are_changed_in_place_where_both_lie(ccd):
    window = ccd.aca[-4:4, 100:108].copy()
    same = window
    window.aca -= ccd
    assert window is same
    assert (window == 0).all()
    window -= ccd.aca
    window.aca += 1
    window += 1
    np.testing.assert_array_equal(np.asarray(window), 2 - np.asarray(ccd.aca[-4:4, 100:108]))
    far = window.copy()
    far.aca += small(row0=400)
    np.testing.assert_array_equal(far, window)


def test_numbers_that_do_not_fit_are_refused_and_a_new_image_has_room_for_them():
    counts = ACAImage(np.ones((4, 4), int), row0=8, col0=18)
    assert (counts.aca + other() * 0.05).dtype.kind == "f"
    with pytest.raises(DeclarationError, match="expected numbers that fit into an image of int64"):
        counts.aca += other()
    counts.aca += other(int)
    assert counts[0, 0] == 11
    with pytest.raises(DeclarationError, match="an assignment to pixels"):
        counts.aca = 5
    assert (2 - counts.aca)[0, 0] == -9


def test_an_image_stands_for_the_pixels_where_it_lies(ccd):
    window = ACAImage(np.zeros((6, 8), int), row0=-3, col0=200)
    for part in (ccd[window], ccd.aca[window], ccd.aca[window == 0]):
        assert place(part) == (-3, 200, (6, 8))
        assert part[0, 0] == -29_800
    ccd[window] = 0.25
    ccd.aca[window] += 0.5
    assert (ccd.aca[-3:3, 200:208] == 0.75).all()
    assert (ccd == 0.75).sum() == 48
    assert ccd[ccd == 0.75].shape == (48,)  # one of truth values still says which elements
    with pytest.raises(OutsideImageError, match="column 514 is outside"):
        ccd[ACAImage(np.zeros((4, 4)), 0, 510)]
