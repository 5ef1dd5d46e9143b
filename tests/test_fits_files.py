"""Tables read in one go: every kind of column, as astropy reads it, and errors of ours for what is damaged."""

from __future__ import annotations

import gzip
import io
import os
import signal
import threading
import time

import numpy as np
import pytest
from astropy.io import fits

from aca_core import IntegrityError, read_table
from aca_core.fits_files import fits_errors, read_header
from aca_core.fits_images import read_image
from aca_core.testing import write_fits

ROWS = 5


def columns():
    random = np.random.default_rng(7)
    integers = {
        code: random.integers(np.iinfo(kind).min, np.iinfo(kind).max, ROWS, dtype=kind)
        for code, kind in (("B", "u1"), ("I", "i2"), ("J", "i4"), ("K", "i8"))
    }
    return [
        fits.Column("flag", "L", array=[True, False, True, True, False]),
        fits.Column("flags", "2L", array=random.integers(0, 2, (ROWS, 2)).astype(bool)),
        *(fits.Column(f"int_{code}", code, array=values) for code, values in integers.items()),
        fits.Column("unsigned_16", "I", bzero=2**15, array=np.array([0, 1, 2, 40000, 65535], dtype=np.uint16)),
        fits.Column("unsigned_32", "J", bzero=2**31, array=np.array([0, 1, 2, 3, 2**32 - 1], dtype=np.uint32)),
        fits.Column("unsigned_64", "K", bzero=2**63, array=np.array([0, 1, 2, 3, 2**64 - 1], dtype=np.uint64)),
        fits.Column("signed_8", "B", bzero=-128, array=np.array([-128, -1, 0, 1, 127], dtype=np.int8)),
        fits.Column("real_4", "E", array=random.normal(size=ROWS).astype("f4")),
        fits.Column("real_8", "D", array=random.normal(size=ROWS)),
        fits.Column("vector", "3D", array=random.normal(size=(ROWS, 3))),
        fits.Column("Matrix", "6E", dim="(3,2)", array=random.normal(size=(ROWS, 2, 3)).astype("f4")),
        fits.Column("bits", "11X", array=random.integers(0, 2, (ROWS, 11)).astype(bool)),
        fits.Column("complex", "M", array=random.normal(size=ROWS) + 1j),
        fits.Column("ragged", "PD()", array=np.array([np.arange(n) for n in range(ROWS)], dtype=object)),
        fits.Column("text", "8A", array=["GUIDE   ", "FID", "", " MON", "12345678"]),
        fits.Column("texts", "8A", dim="(4,2)", array=np.array([["ab", "cd"]] * ROWS)),
    ]


READ = ["flag", "flags", "int_B", "int_I", "int_J", "int_K", "real_4", "real_8", "vector", "matrix", "text", "texts"]
READ += ["unsigned_16", "unsigned_32", "unsigned_64", "signed_8"]


@pytest.fixture(params=["table.fits", "table.fits.gz"])
def path(request, tmp_path):
    table = fits.BinTableHDU.from_columns(columns())
    table.header["CONTENT"] = "SIMCOOR"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(tmp_path / request.param, checksum=True)
    return tmp_path / request.param


def written(path, header, data):
    """Write a table of which header and data are given, whatever they say."""
    cards = fits.Header()
    cards.update({"XTENSION": "BINTABLE", "BITPIX": 8, "NAXIS": 2, "NAXIS1": 8, "NAXIS2": len(data) // 8})
    cards.update({"PCOUNT": 0, "GCOUNT": 1, "TFIELDS": 1, "TTYPE1": "x", "TFORM1": "D"})
    for name, value in header.items():
        if value is None:
            del cards[name]
        else:
            cards[name] = value
    primary = io.BytesIO()
    fits.PrimaryHDU().writeto(primary)
    path.write_bytes(primary.getvalue() + cards.tostring().encode() + data + bytes(-len(data) % 2880))
    return path


# ---- what is read ---------------------------------------------------------------------------------------------------


def test_columns_are_as_astropy_reads_them(path):
    _, values = read_table(path, READ)
    assert list(values) == [name for name in (c.name.lower() for c in columns()) if name in {r.lower() for r in READ}]
    with fits.open(path, uint=True) as hdus:
        for name, found in values.items():
            expected = np.array(hdus[1].data[name])
            assert found.dtype.isnative
            assert found.shape == expected.shape, name
            if name.startswith("text"):
                assert found.dtype.kind == "U"
                expected = np.char.rstrip(expected)
            elif name != "signed_8":
                assert found.dtype == expected.dtype.newbyteorder("="), name
            np.testing.assert_array_equal(found, expected)


def test_columns_are_copies_that_may_be_changed(path):
    _, values = read_table(path, READ)
    for found in values.values():
        assert found.flags.writeable
        assert found.flags.c_contiguous
        assert found.base is None or found.base.nbytes <= 2 * found.nbytes


def test_a_text_ends_at_its_first_nul_and_has_no_blanks_behind(tmp_path):
    path = written(tmp_path / "a.fits", {"TFORM1": "8A"}, b"FID\0left  GUIDE \xff\0\0\0\0\0\0\0        ")
    assert read_table(path, ["x"])[1]["x"].tolist() == ["FID", "  GUIDE", "\ufffd", ""]


def test_scaled_columns_are_scaled(tmp_path):
    data = np.array([-1, 0, 7], dtype=">i8").tobytes()
    path = written(tmp_path / "a.fits", {"TFORM1": "K", "TSCAL1": 0.5, "TZERO1": 10}, data)
    assert read_table(path, ["x"])[1]["x"].tolist() == [9.5, 10.0, 13.5]


def test_names_in_any_case_and_columns_that_may_be_missing(path):
    _, values = read_table(path, ["REAL_8", "MATRIX"], optional=["Real_4", "no_such"])
    assert set(values) == {"real_8", "real_4", "matrix"}


def test_the_header_is_plain_values(path):
    header, values = read_table(path)
    assert values == {}
    assert (header["CONTENT"], header["NAXIS2"], header["EXTEND" if "EXTEND" in header else "TTYPE1"]) == (
        "SIMCOOR",
        ROWS,
        "flag",
    )
    assert all(value is None or isinstance(value, bool | int | float | str) for value in header.values())


def test_remarks_are_kept_and_undefined_values_are_none(tmp_path):
    header = {"COMMENT": "first", "HISTORY": "what was done", "NOTHING": fits.card.UNDEFINED}
    found, _ = read_table(write_fits(tmp_path / "a.fits", header))
    assert found["COMMENT"].splitlines()[0] == "first"
    assert found["HISTORY"] == "what was done"
    assert found["NOTHING"] is None


def test_an_empty_table_has_empty_columns(tmp_path):
    path = write_fits(tmp_path / "a.fits.gz", {}, {"time": np.empty(0), "q_att": np.empty((0, 4))})
    _, values = read_table(path, ["time", "q_att"])
    assert (values["time"].shape, values["q_att"].shape) == ((0,), (0, 4))


def test_another_extension_may_be_read(tmp_path):
    tables = [fits.BinTableHDU(np.array([(number,)], dtype=[("n", ">i4")])) for number in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(np.zeros((50, 50))), *tables]).writeto(tmp_path / "a.fits.gz")
    assert [int(read_table(tmp_path / "a.fits.gz", ["n"], hdu=hdu)[1]["n"][0]) for hdu in (1, 2)] == [1, 2]


@pytest.mark.parametrize("between", [b"", bytes(700_000)], ids=["nothing", "zeros"])
def test_a_file_may_be_compressed_in_parts_and_be_larger_than_a_piece(tmp_path, between):
    values = {"x": np.random.default_rng(2).normal(size=(30_011, 3)), "n": np.arange(30_011)}
    content = write_fits(tmp_path / "a.fits", {}, values).read_bytes()
    parts = [gzip.compress(content[start : start + 300_007]) for start in range(0, len(content), 300_007)]
    (tmp_path / "a.fits.gz").write_bytes(between.join([*parts, b""]))
    for name in ("a.fits", "a.fits.gz"):
        _, found = read_table(tmp_path / name, ["n", "x"])
        np.testing.assert_array_equal(found["x"], values["x"])
        np.testing.assert_array_equal(found["n"], values["n"])
    # Cut behind a part, cut within one, and with something else at its end.
    damaged = {"it ends after": parts[0], "it ends before what": parts[0][:-9], "header": b"".join(parts) + b"and more"}
    for message, left in damaged.items():
        (tmp_path / "a.fits.gz").write_bytes(left)
        with pytest.raises(IntegrityError, match=message):
            read_table(tmp_path / "a.fits.gz", ["x"])


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bits", "complex", "ragged"])
def test_columns_of_other_forms_are_refused(path, name):
    with pytest.raises(IntegrityError, match=f"column {name} is of the form"):
        read_table(path, [name])


def test_a_missing_column_is_named_with_those_that_are_there(path):
    with pytest.raises(IntegrityError, match="no column no_such, but flag, flags") as caught:
        read_table(path, ["real_8", "no_such"])
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"XTENSION": "IMAGE"}, "expected BINTABLE"),
        ({"TFORM1": "7Z"}, "no form of a column"),
        ({"TFORM1": "999999999999999999D"}, "bytes"),
        ({"TFORM1": "E"}, "its columns have 4 bytes"),
        ({"TFORM1": "8B", "TDIM1": "(3,3)"}, "do not agree"),
        ({"TFORM1": "0D", "NAXIS1": 0}, "do not agree"),
        ({"TSCAL1": "two"}, "expected numbers"),
        ({"TFIELDS": None}, "TFIELDS"),
        ({"TFIELDS": -1}, "TFIELDS"),
        ({"NAXIS2": 10**12}, "at most"),
        ({"NAXIS2": 10**6}, "it ends after"),
        ({"NAXIS2": -1}, "NAXIS2"),
    ],
)
def test_headers_that_cannot_be_right_are_refused(tmp_path, header, message):
    path = written(tmp_path / "a.fits", header, np.arange(3, dtype=">f8").tobytes())
    with pytest.raises(IntegrityError, match=message):
        read_table(path, ["x"])


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "missing"])
def test_damage_is_an_error_of_ours(tmp_path, damage):
    path = write_fits(tmp_path / "a.fits.gz", {}, {"x": np.random.default_rng(1).normal(size=10_000)})
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-100])
    elif damage == "flipped":
        content[-6] ^= 1  # of the checksum of what was compressed
        path.write_bytes(content)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"" if damage == "empty" else gzip.compress(b"no FITS file at all"))
    with pytest.raises(IntegrityError) as caught:
        read_table(path, ["x"])
    assert caught.value.path == str(path)


# ---- images ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i2", "u1", ">i4", ">u2"])
@pytest.mark.parametrize("compressed", [False, True])
def test_images_come_as_they_are_stored(tmp_path, kind, compressed):
    image = np.arange(24, dtype=kind).reshape(2, 3, 4)
    path = tmp_path / ("a.fits.gz" if compressed else "a.fits")
    fits.HDUList([fits.PrimaryHDU(image), fits.ImageHDU(image[0] + 1)]).writeto(path)
    for hdu, expected in ((0, image), (1, image[0] + 1)):
        found = read_image(path, hdu)
        assert (found.dtype.kind, found.dtype.itemsize) == (np.dtype(kind).kind, np.dtype(kind).itemsize)
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, expected)
        found[...] = 0  # it is the caller's


def test_what_is_no_image_is_nothing_or_an_error(tmp_path):
    path = write_fits(tmp_path / "a.fits", {"CONTENT": "SIMCOOR"})
    assert read_image(path) is None
    with pytest.raises(IntegrityError, match=r"a\.fits: cannot be read as FITS with an image in HDU 2: "):
        read_image(path, 2)
    with pytest.raises(IntegrityError, match=r"b\.fits: cannot be read as FITS with an image in HDU 0: "):
        read_image(tmp_path / "b.fits")


def test_an_image_is_not_believed_to_be_larger_than_anything(tmp_path):
    path = tmp_path / "a.fits"
    fits.PrimaryHDU(np.zeros((2, 2), ">f4")).writeto(path)
    content = path.read_bytes().replace(b"NAXIS1  =                    2", b"NAXIS1  =           2000000000")
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="it would have 16000001280 bytes; expected at most"):
        read_image(path)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of forks, which this is about
def test_a_forked_child_reads_although_another_thread_was_reading(path):
    entered = threading.Event()

    def read():
        with fits_errors(path, "anything"):
            entered.set()
            time.sleep(0.2)

    thread = threading.Thread(target=read)
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(5)
            read_header(path, 1)
            os._exit(0)
        finally:
            os._exit(1)
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
