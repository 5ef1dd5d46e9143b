"""Readers: FITS headers and parameter files, made up and from flight, whole and damaged."""

import gc
import gzip
import re
import shutil
import subprocess
import sys
import warnings

import attrs
import numpy as np
import pytest
from aca_plugins.aca0 import ACA0
from astropy.io import fits
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aca_core import (
    Column,
    ColumnReader,
    DeclarationError,
    ElementShape,
    FileFacts,
    FitsColumns,
    FromArchive,
    IntegrityError,
    ParameterColumns,
    RowCount,
    columns_from_text,
)
from aca_core.testing import write_fits, write_parameter_file

NAME = "pcadf686111014N002_asol1.fits.gz"
COMBINED = "pcadf29878_000N001_asol1.fits.gz"
HEADER = {
    "TSTART": 686111014.366093,
    "TSTOP": 686117443.16648,
    "CONTENT": "ASPSOL",
    "REVISION": 2,
    "DATE": "2019-09-29T13:07:44",
    "CALDBVER": "4.3.0",
}
READER = FitsColumns("tstart", "tstop", "content", "revision", "date")
ROW = {
    "filename": NAME,
    "filetime": 686111014,
    "year": 2019,
    "doy": 272,
    "tstart": 686111014.366093,
    "tstop": 686117443.16648,
    "content": "ASPSOL",
    "revision": 2,
    "date": "2019-09-29T13:07:44",
}


def same(found, expected):
    """Equal in values, in order and in types (0 is not 0.0)."""
    return list(found.items()) == list(expected.items()) and [*map(type, found.values())] == [
        *map(type, expected.values())
    ]


def written(folder, name=NAME, columns=None, **changes):
    """Write a FITS file with the usual header, changed; a keyword that is set to ... is left out."""
    header = {keyword: value for keyword, value in {**HEADER, **changes}.items() if value is not ...}
    return write_fits(folder / name, header, columns)


class Contents(dict):
    """The bytes of a file by packing, which nobody wants to see in a report."""

    def __repr__(self):
        return "Contents(...)"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Return the bytes of a FITS file, whose table is larger than its headers, and the same compressed."""
    noise = np.random.default_rng(1999).random((200, 8, 8))
    path = written(tmp_path_factory.mktemp("delivered"), "pcadf686111014N002_asol1.fits", {"IMGRAW": noise})
    content = path.read_bytes()
    return Contents(plain=content, gzip=gzip.compress(content))


# ---- FITS files -----------------------------------------------------------------------------------------------------


def test_a_file_is_described_by_its_header(tmp_path):
    assert same(READER.read(written(tmp_path)), ROW)


@pytest.mark.parametrize("name", [NAME, NAME.removesuffix(".gz")])
@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_compression_is_told_from_the_content_never_from_the_name(tmp_path, delivered, name, packing):
    path = tmp_path / name
    path.write_bytes(delivered[packing])
    assert same(READER.read(path), {**ROW, "filename": name})


def test_the_columns_that_are_always_there_come_first_unless_their_place_is_named(tmp_path):
    def names(*columns):
        return [column.name for column in FitsColumns(*columns).columns]

    assert names() == ["filename", "filetime", "year", "doy"]
    assert names("tstart", "doy", "year") == ["filename", "filetime", "tstart", "doy", "year"]
    assert names("filename", "date", "filetime") == ["year", "doy", "filename", "date", "filetime"]


def test_what_the_archive_fills_is_a_column_that_the_reader_leaves_alone(tmp_path):
    path = written(tmp_path, **{"OBSID": 7, "HIERARCH isdefault": 1})
    reader = FitsColumns("obsid", "tstart", "isdefault")
    assert [column.name for column in reader.columns][4:] == ["obsid", "tstart", "isdefault"]
    assert set(reader.read(path)) == {"filename", "filetime", "year", "doy", "tstart"}


def test_a_product_may_have_columns_of_its_own_and_another_extension(tmp_path):
    path = written(tmp_path, "acaf686111014N001_5_img0.fits", TLMVER="P014", BTIMRATE=0.256250015)
    fits.append(path, np.zeros((2, 2)), fits.Header({"TLMVER": "P015"}))
    own = (Column("tlmver"), Column("rate", "float", source="btimrate"), Column("absent", "int"))
    row = FitsColumns(*own).read(path)
    assert list(row.items())[4:] == [("tlmver", "P014"), ("rate", 0.256250015), ("absent", None)]
    assert FitsColumns(*own, hdu=2).read(path)["tlmver"] == "P015"


def test_the_checksum_of_the_table_is_kept(tmp_path):
    reader = FitsColumns("checksum")
    path = written(tmp_path)
    checksum = reader.read(path)["checksum"]
    assert re.fullmatch("[0-9A-Za-z]{16}", checksum)
    assert checksum.encode() in gzip.decompress(path.read_bytes())
    bare = tmp_path / NAME.replace("asol1", "acen1")
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns([])]).writeto(bare)
    assert reader.read(bare)["checksum"] is None


@pytest.mark.parametrize(
    ("name", "tstart", "filetime", "year", "doy"),
    [
        ("pcadf059904356N004_asol1.fits.gz", 59904350.0, 59904356, 1999, 329),
        # The last second of 2016 was a leap second: 2017 began at 599616069.184.
        ("pcadf599616069N001_asol1.fits.gz", 1.0, 599616069, 2016, 366),
        ("pcadf599616070N001_asol1.fits.gz", 1.0, 599616070, 2017, 1),
        # A combined solution has its obsid in front, which is no time; nor is that of other short numbers.
        (COMBINED, 686111014.9, 686111014, 2019, 272),
        ("pcadf29878_000N001_686111014_asol1.fits", 59904356.5, 59904356, 1999, 329),
        ("simf20190929N001_coor1.fits", 59904356.5, 59904356, 1999, 329),
        ("asol.fits", 599616069.9, 599616069, 2016, 366),
    ],
)
def test_the_time_of_a_file_is_that_of_its_name_or_else_its_start(tmp_path, name, tstart, filetime, year, doy):
    row = FitsColumns().read(written(tmp_path, name, TSTART=tstart))
    assert row == {"filename": name, "filetime": filetime, "year": year, "doy": doy}


@pytest.mark.parametrize("tstart", [..., None, "soon"], ids=repr)
def test_a_file_without_any_time_is_refused(tmp_path, tstart):
    path = written(tmp_path, COMBINED, TSTART=tstart)
    with pytest.raises(IntegrityError) as caught:
        FitsColumns().read(path)
    problem = "has neither a time of nine or more digits in its name nor TSTART in its header"
    assert str(caught.value) == f"{path}: {problem}"


@pytest.mark.parametrize(
    ("name", "tstart"),
    [("pcadf99999999999N001_asol1.fits", "1.0"), (COMBINED, "1E12"), (COMBINED, "-1E12"), (COMBINED, "1E999")],
)
def test_a_time_outside_the_years_of_the_mission_is_refused(tmp_path, delivered, name, tstart):
    path = tmp_path / name
    path.write_bytes(with_tstart(delivered["plain"], tstart))
    with pytest.raises(IntegrityError, match=re.escape(str(path))):
        FitsColumns().read(path)


def test_a_keyword_without_a_value_is_as_good_as_none(tmp_path):
    path = written(tmp_path, CONTENT=None, REVISION=None)
    row = READER.read(path)
    assert (row["content"], row["revision"]) == (None, None)
    assert FitsColumns(Column("comment")).read(path)["comment"] is None
    path = written(tmp_path, NAME.replace("asol1", "acen1"), TSTOP=None)
    with pytest.raises(
        IntegrityError, match=r"acen1.*: has no value of TSTOP, which the index column 'tstop' requires"
    ):
        READER.read(path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"TSTOP": ...}, "has no value of TSTOP, which the index column 'tstop' requires"),
        ({"DATE": ...}, "has no value of DATE, which the index column 'date' requires"),
        ({"TSTART": "noon"}, "the value of TSTART is 'noon'; the index column 'tstart' expects float"),
        ({"REVISION": "two"}, "the value of REVISION is 'two'; the index column 'revision' expects int"),
        ({"REVISION": 2.5}, "the value of REVISION is 2.5; the index column 'revision' expects int"),
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused_with_what_it_says(tmp_path, changes, problem):
    path = written(tmp_path, **changes)
    with pytest.raises(IntegrityError) as caught:
        READER.read(path)
    assert (caught.value.path, caught.value.problem) == (str(path), problem)


def test_rows_and_image_sizes_come_from_the_table(tmp_path):
    images = {"TIME": np.arange(7.0), "IMGRAW": np.zeros((7, 6, 4)), "NAME": np.array(["a"] * 7)}
    path = written(tmp_path, columns=images)
    columns = [Column("rows", "int", source=RowCount())]
    columns += [Column(f"axis{axis}", "int", source=ElementShape("imgraw", axis=axis)) for axis in range(3)]
    columns.append(Column("of_time", "int", source=ElementShape("TIME")))
    row = FitsColumns(*columns).read(path)
    assert list(row.items())[4:] == [("rows", 7), ("axis0", 6), ("axis1", 4), ("axis2", None), ("of_time", None)]
    empty = written(tmp_path, COMBINED, columns={"IMGRAW": np.zeros((0, 8, 8))})
    row = FitsColumns(*columns).read(empty)
    assert (row["rows"], row["axis0"], row["axis1"]) == (0, 8, 8)
    with pytest.raises(
        IntegrityError, match="has no table column IMGCOL with an axis 0, which the index column 'size'"
    ):
        FitsColumns(Column("size", "int", source=ElementShape("IMGCOL"), required=True)).read(path)


@pytest.mark.parametrize(
    ("source", "missing"),
    [(RowCount(), "table whose rows could be counted"), (ElementShape("IMGRAW"), "table column IMGRAW with an axis 0")],
    ids=str,
)
def test_an_extension_that_is_no_table_has_no_rows_and_no_columns(tmp_path, source, missing):
    path = tmp_path / NAME
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 4)))]).writeto(path)
    reader = FitsColumns(Column("size", "int", source=source, required=True))
    with pytest.raises(IntegrityError) as caught:
        reader.read(path)
    assert str(caught.value) == f"{path}: has no {missing}, which the index column 'size' requires"


@pytest.mark.parametrize("packing", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_each_extension_is_found_behind_the_data_of_those_before(tmp_path, packing):
    ragged = np.array([np.arange(3.0), np.arange(900.0)], dtype=object)
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(np.zeros((7, 11), ">i2")),
            fits.BinTableHDU.from_columns([fits.Column("heap", "PD()", array=ragged)]),
            fits.ImageHDU(np.zeros((3, 241, 5))),
            fits.ImageHDU(),
            fits.CompImageHDU(np.arange(10_000, dtype="i4").reshape(100, 100)),
            fits.TableHDU.from_columns([fits.Column("x", "F10.3", array=np.zeros(700))]),
        ]
    )
    for number, hdu in enumerate(hdus):
        hdu.header["TSTART"] = number + 0.5
    hdus.writeto(tmp_path / "all.fits")
    path = tmp_path / NAME
    path.write_bytes(packing((tmp_path / "all.fits").read_bytes()))
    found = [FitsColumns("tstart", hdu=number).read(path)["tstart"] for number in range(len(hdus))]
    assert found == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    rows = Column("rows", "int", source=RowCount())
    counted = [FitsColumns(rows, hdu=number).read(path)["rows"] for number in (0, 1, 2, 3, 5)]
    assert counted == [None, 2, None, None, 700]


def test_the_shapes_of_elements_are_those_that_numpy_has(tmp_path):
    columns = [
        fits.Column("TIME", "1D", array=np.zeros(2)),
        fits.Column("POS", "3E", array=np.zeros((2, 3))),
        fits.Column("IMGRAW", "24E", dim="(4,6)", array=np.zeros((2, 6, 4))),
        fits.Column("PIXTLM", "4A", array=["ORIG", "DYNB"]),
        fits.Column("BYTE", "B", array=np.zeros(2, "u1")),
    ]
    path = tmp_path / NAME
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    sources = [Column(column.name.lower(), "int", source=ElementShape(column.name)) for column in columns]
    row = FitsColumns(*sources).read(path)
    # A text is one value, however long it is.
    assert list(row.items())[4:] == [("time", None), ("pos", 3), ("imgraw", 6), ("pixtlm", None), ("byte", None)]


# ---- FITS files that are damaged ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"tstart = 1\n" * 1000, id="text"),
        pytest.param(gzip.compress(b""), id="gzip of nothing"),
        pytest.param(gzip.compress(b"tstart = 1\n" * 1000), id="gzip of text"),
    ],
)
@pytest.mark.parametrize("name", [NAME, NAME.removesuffix(".gz")])
def test_a_file_that_is_not_fits_is_refused(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        READER.read(path)
    assert caught.value.path == str(path)
    assert caught.value.problem.startswith("cannot be read as FITS with a header in HDU 1: ")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    with pytest.raises(IntegrityError, match=r"absent\.fits: cannot be read as FITS .*No such file"):
        READER.read(tmp_path / "absent.fits")
    with pytest.raises(IntegrityError, match=r"cannot be read as FITS .*directory"):
        READER.read(tmp_path)


def test_an_extension_that_is_not_there_is_named(tmp_path):
    with pytest.raises(IntegrityError, match=rf"{NAME}: cannot be read as FITS with a header in HDU 5: "):
        FitsColumns("tstart", hdu=5).read(written(tmp_path))


@pytest.mark.parametrize("length", [2, 5, 9, 12, 60, 300])
def test_a_compressed_file_that_ends_before_its_header_is_refused(tmp_path, delivered, length):
    path = tmp_path / NAME
    path.write_bytes(delivered["gzip"][:length])
    with pytest.raises(IntegrityError, match=rf"{NAME}: cannot be read as FITS with a header in HDU 1: "):
        READER.read(path)


@pytest.mark.parametrize("length", [1, 80, 2880, 3000])
def test_a_plain_file_that_ends_before_its_header_is_refused(tmp_path, delivered, length):
    path = tmp_path / NAME
    path.write_bytes(delivered["plain"][:length])
    with pytest.raises(IntegrityError, match=rf"{NAME}: cannot be read as FITS with a header in HDU 1: "):
        READER.read(path)


def with_tstart(content, text):
    """Return the bytes of a FITS file with another text for the value of TSTART."""
    changed = re.sub(rb"TSTART  = {5}686111014\.366093", f"TSTART  = {text:>20}".encode(), content)
    assert changed != content
    assert len(changed) == len(content)
    return changed


def described(reader, path):
    """Describe a file that may be damaged; it must give a row or be refused by name, and nothing else."""
    try:
        row = reader.read(path)
    except IntegrityError as error:
        assert error.path == str(path)  # noqa: PT017  # either outcome will do
        return None
    assert row["filename"] == path.name
    return row


@pytest.mark.parametrize("packing", ["plain", "gzip"])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_file_that_ends_in_its_table_is_no_concern_of_who_reads_its_header(tmp_path, delivered, packing, part):
    content = delivered[packing]
    path = tmp_path / NAME
    path.write_bytes(content[: int(len(content) * part)])
    assert described(READER, path) in (ROW, None)


@pytest.mark.parametrize("text", ["'no end", "1.5.2", "= = =", "N a N"])
def test_a_header_that_cannot_be_parsed_is_refused(tmp_path, delivered, text):
    path = tmp_path / NAME
    path.write_bytes(with_tstart(delivered["plain"], text))
    with pytest.raises(IntegrityError, match=rf"{NAME}: .*TSTART"):
        READER.read(path)


def test_compressed_data_that_make_no_sense_are_refused(tmp_path, delivered):
    path = tmp_path / NAME
    content = delivered["gzip"]
    path.write_bytes(content[:40] + b"\xff" * 300 + content[340:])
    with pytest.raises(IntegrityError, match=rf"{NAME}: cannot be read as FITS with a header in HDU 1: "):
        READER.read(path)


AXES = b"NAXIS   =                    0"


def test_a_file_that_was_refused_is_closed(tmp_path, delivered):
    path = tmp_path / NAME
    path.write_bytes(delivered["plain"].replace(AXES, AXES[:-4] + b"9000", 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        assert described(READER, path) is None
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_a_hostile_header_is_refused_in_no_time(tmp_path, delivered):
    # FITS has 999 axes at most; who goes through as many as a header says never comes back. Hence another process.
    path = tmp_path / NAME
    path.write_bytes(delivered["plain"].replace(AXES, AXES[:-10] + b"9999999999", 1))
    code = "import sys, pathlib, aca_core; aca_core.FitsColumns('tstart').read(pathlib.Path(sys.argv[1]))"
    result = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert f"IntegrityError: {path}: cannot be read as FITS" in result.stderr


DAMAGE = st.lists(
    st.tuples(st.integers(0, 8700), st.binary(min_size=1, max_size=12) | st.sampled_from([b"'", b"*", b"9", b"\0"])),
    min_size=1,
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(packing=st.sampled_from(["plain", "gzip"]), damage=DAMAGE, length=st.none() | st.integers(0, 9000))
@example(packing="plain", damage=[(2880, b"XTENSI*N")], length=None)
def test_any_damage_gives_a_row_or_is_refused(tmp_path, delivered, packing, damage, length):
    content = bytearray(delivered[packing])
    for start, piece in damage:
        content[start : start + len(piece)] = piece
    path = tmp_path / NAME
    path.write_bytes(content[:length])
    described(FitsColumns("tstart", "tstop", "content", Column("size", "int", source=ElementShape("IMGRAW"))), path)


# ---- declarations of FITS columns -----------------------------------------------------------------------------------


def test_an_unknown_column_is_refused_with_the_way_out():
    with pytest.raises(DeclarationError) as caught:
        FitsColumns("tstart", "t_stop")
    assert str(caught.value) == (
        "FitsColumns: column is 't_stop'; expected a well-known column or a Column. Did you mean 'tstop'?"
    )
    with pytest.raises(DeclarationError, match=r"For one of your own write Column\('btimrate', 'text'\)\.$"):
        FitsColumns("btimrate")
    with pytest.raises(DeclarationError, match="column is None"):
        FitsColumns(None)


@pytest.mark.parametrize("hdu", [-1, "1", 1.0, True, None], ids=repr)
def test_the_hdu_is_counted_from_the_primary_one(hdu):
    # A header that nobody meant to read would be described in silence, or the file be blamed for the declaration.
    with pytest.raises(DeclarationError, match=rf"^FitsColumns: hdu is {hdu!r}; expected "):
        FitsColumns("tstart", hdu=hdu)


# ---- level-0 files, declared as the flight archive has them ---------------------------------------------------------


def test_the_index_of_level_0_is_that_of_the_flight_archive():
    found = [(column.name, column.type, column.required) for column in ACA0.schema]
    assert found == [
        ("filename", "text", True),
        ("filetime", "int", True),
        ("year", "int", True),
        ("doy", "int", True),
        ("tstart", "float", True),
        ("tstop", "float", True),
        ("startmjf", "int", False),
        ("startmnf", "int", False),
        ("stopmjf", "int", False),
        ("stopmnf", "int", False),
        ("checksum", "text", False),
        ("tlmver", "text", False),
        ("ascdsver", "text", False),
        ("revision", "int", False),
        ("date", "text", True),
        ("rows", "int", True),
        ("imgsize", "int", True),
        ("slot", "int", True),
    ]
    assert ACA0.key == ("filename",)
    assert ACA0.indexes == (("filetime",), ("tstart",), ("slot", "tstart"), ("slot", "tstop"))


@pytest.mark.parametrize("size", [4, 6, 8])
def test_a_level_0_file_of_each_image_size_is_described(tmp_path, size):
    rows = 3 + size
    name = f"acaf686111014N003_{size - 1}_img0.fits.gz"
    columns = {"TIME": np.arange(float(rows)), "IMGNUM1": np.zeros(rows, int), "IMGRAW": np.zeros((rows, size, size))}
    path = written(tmp_path, name, columns, STARTMJF=8580, STOPMNF=123, REVISION=3, TLMVER="P014")
    row = ACA0.describe(path)
    assert [column.name for column in ACA0.schema] == list(row)
    assert (row["rows"], row["imgsize"], row["slot"], row["revision"]) == (rows, size, size - 1, 3)
    assert (row["startmjf"], row["startmnf"], row["stopmjf"], row["stopmnf"]) == (8580, None, None, 123)
    assert ACA0.layout.unit_of(row) == ACA0.layout.example


def test_a_level_0_file_without_its_slot_or_its_images_is_refused(tmp_path):
    images = {"IMGRAW": np.zeros((2, 4, 4))}
    path = written(tmp_path, "acaf686111014N003_img0.fits", images)
    with pytest.raises(
        IntegrityError, match=r"has no part of its name like '.*', which the index column 'slot' requires"
    ):
        ACA0.describe(path)
    path = written(tmp_path, "acaf686111014N003_5_img0.fits", {"TIME": [0.0]})
    with pytest.raises(IntegrityError, match=r"has no table column IMGRAW with an axis 0, which .* 'imgsize' requires"):
        ACA0.describe(path)


# Of the flight files: the stop time and minor frame, the checksum, the second of the creation date, rows, image size.
FLIGHT = {
    0: (686117443.16648, 123, "nMgDpLeAnLeAnLeA", 44, 10, 8),
    1: (686117443.16648, 123, "aGW8aFU8aFU8aFU8", 40, 10, 8),
    2: (686117443.16648, 123, "aKnaaHmUaHmaaHmU", 38, 10, 8),
    3: (686117441.11648, 115, "3L7aAL7Y5L7aAL7Y", 52, 19, 6),
    4: (686117441.11648, 115, "jigHmgdFjgdFjgdF", 56, 19, 6),
    5: (686117441.11648, 115, "HoTTJnQTHnQTHnQT", 51, 19, 6),
    6: (686117441.11648, 115, "L6VcM4UbL4UbL4Ub", 45, 19, 6),
    7: (686117441.11648, 115, "6FTA99Q26EQ969Q9", 50, 19, 6),
}


@pytest.mark.parametrize("slot", FLIGHT)
def test_flight_files_are_described(real_data, tmp_path, slot):
    tstop, stopmnf, checksum, second, rows, imgsize = FLIGHT[slot]
    name = f"acaf686111014N001_{slot}_img0.fits.gz"
    shutil.copy(real_data / f"test_level0_{slot}.fits.gz", tmp_path / name)
    expected = {
        "filename": name,
        "filetime": 686111014,
        "year": 2019,
        "doy": 272,
        "tstart": 686111014.366093,
        "tstop": tstop,
        "startmjf": 8580,
        "startmnf": 124,
        "stopmjf": 8776,
        "stopmnf": stopmnf,
        "checksum": checksum,
        "tlmver": "P014",
        "ascdsver": "10.8",
        "revision": 1,
        "date": f"2019-09-29T13:07:{second}",
        "rows": rows,
        "imgsize": imgsize,
        "slot": slot,
    }
    assert same(ACA0.describe(tmp_path / name), expected)


# ---- a reader of a product's own ------------------------------------------------------------------------------------


@attrs.frozen
class NoteColumns(ColumnReader):
    columns: tuple[Column, ...]

    def facts(self, path):
        pairs = [line.partition("=")[::2] for line in path.read_text().splitlines()]
        return FileFacts(path.name, dict(pairs), rows=len(pairs))


def test_a_reader_only_finds_and_the_columns_do_the_rest(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("slot=5\ntstart=1.5\nobsid=7\nunused=x\n")
    reader = NoteColumns(
        (
            Column("rows", "int", source=RowCount()),
            Column("obsid", "int", source=FromArchive(), required=True),
            Column("filename", required=True),
            *columns_from_text("int slot\nfloat tstart tstop"),
        )
    )
    expected = {"rows": 4, "filename": "note.txt", "slot": 5, "tstart": 1.5, "tstop": None}
    assert same(reader.read(path), expected)
    path.write_text("slot=five\n")
    with pytest.raises(
        IntegrityError, match=r"note\.txt: the value of SLOT is 'five'; the index column 'slot' expects int$"
    ):
        reader.read(path)


def test_a_reader_must_find_something():
    with pytest.raises(TypeError, match=r"abstract.*columns.*facts"):
        ColumnReader()


# ---- parameter files ------------------------------------------------------------------------------------------------

PARAMETERS = {
    "obs_id": "07000",
    "obi_num": 0,
    "title": 'A "quoted" title, with a comma',
    "tstart": 686111014.366,
    "sched_exp_time": None,
    "dtycycle": 0,
}
PARAMETER_READER = ParameterColumns(
    Column("obsid", "int", source="obs_id", required=True),
    *columns_from_text("""
        text  title obs_id
        float tstart sched_exp_time
        int   obi_num
        text  grating
    """),
    Column("content", default="OBSPAR"),
)


@pytest.mark.parametrize("name", ["axaff07000_000N002_obs0a.par", "axaff07000_000N002_obs0a.par.gz"])
def test_a_parameter_file_is_described_by_the_parameters_that_are_columns(tmp_path, name):
    path = write_parameter_file(tmp_path / name, PARAMETERS)
    expected = {
        "filename": name,
        "obsid": 7000,
        "title": 'A "quoted" title, with a comma',
        "obs_id": "07000",
        "tstart": 686111014.366,
        "sched_exp_time": None,
        "obi_num": 0,
        "grating": None,
        "content": "OBSPAR",
    }
    assert same(PARAMETER_READER.read(path), expected)
    packed, plain = gzip.compress(path.read_bytes()), tmp_path / "plain.par"
    (tmp_path / "packed.par").write_bytes(packed if name.endswith("par") else gzip.decompress(path.read_bytes()))
    plain.write_bytes(path.read_bytes())
    assert same(PARAMETER_READER.read(tmp_path / "packed.par"), {**expected, "filename": "packed.par"})


def test_the_name_of_a_parameter_file_is_not_up_to_its_content(tmp_path):
    path = write_parameter_file(tmp_path / "a.par", {**PARAMETERS, "filename": "../../etc/passwd"})
    assert PARAMETER_READER.read(path)["filename"] == "a.par"


def test_the_name_comes_first_unless_its_place_is_named():
    slot, name = Column("slot", "int"), Column("filename", required=True)
    assert [column.name for column in ParameterColumns(slot).columns] == ["filename", "slot"]
    assert ParameterColumns(slot, name).columns == (slot, name)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"obs_id": "seven"}, "the value of OBS_ID is 'seven'; the index column 'obsid' expects int"),
        ({"obs_id": ""}, "has no value of OBS_ID, which the index column 'obsid' requires"),
        ({"tstart": "noon"}, "the value of TSTART is 'noon'; the index column 'tstart' expects float"),
        ({"obi_num": 0.5}, "the value of OBI_NUM is 0.5; the index column 'obi_num' expects int"),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit_are_refused_with_what_they_say(tmp_path, changes, problem):
    path = write_parameter_file(tmp_path / "a.par.gz", {**PARAMETERS, **changes})
    with pytest.raises(IntegrityError) as caught:
        PARAMETER_READER.read(path)
    assert (caught.value.path, caught.value.problem) == (str(path), problem)


def test_a_damaged_parameter_file_is_refused(tmp_path):
    path = write_parameter_file(tmp_path / "a.par.gz", PARAMETERS)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(IntegrityError, match=r"a\.par\.gz: its gzip compression is damaged"):
        PARAMETER_READER.read(path)
    path.write_bytes(b"SIMPLE  =                    T")
    with pytest.raises(IntegrityError, match=r"a\.par\.gz: line 1: "):
        PARAMETER_READER.read(path)


def test_parameters_are_declared_as_columns_not_by_name():
    with pytest.raises(DeclarationError, match=r"ParameterColumns: .*'tstart'"):
        ParameterColumns("tstart")
