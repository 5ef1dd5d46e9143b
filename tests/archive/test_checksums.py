"""Whether a file is whole: gzip, FITS and its checksums, against astropy and against damage."""

import gzip
import hashlib
import io
import itertools
import os
import re
import shutil
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import example, given
from hypothesis import strategies as st

from aca_core import IntegrityError
from aca_core.archive import checksums
from aca_core.archive.checksums import FileCheck, OnesSum, check_file
from aca_core.testing import SYNTHETIC

RNG = np.random.default_rng(2019)


class Content(bytes):
    """Bytes that nobody wants to see in a report."""

    def __repr__(self):
        return f"<{len(self)} bytes>"


def hdus():
    """Return HDUs of every kind that there is, none of whose data fills a whole number of blocks."""
    table = fits.BinTableHDU.from_columns(
        [
            fits.Column("time", "D", array=RNG.random(700)),
            fits.Column("image", "16I", array=RNG.integers(-99, 99, (700, 16))),
            fits.Column(
                "any", "PB()", array=np.array([np.arange(n % 5, dtype="u1") for n in range(700)], dtype=object)
            ),
        ]
    )
    text = fits.TableHDU.from_columns([fits.Column("name", "A7", array=["alpha", "beta"])])
    image = fits.ImageHDU(RNG.random((13, 17)).astype("f4"))
    packed = fits.CompImageHDU(RNG.integers(0, 99, (40, 40)).astype("i2"))
    return [fits.PrimaryHDU(RNG.integers(0, 9, (3, 5)).astype("i2")), table, fits.ImageHDU(), text, image, packed]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the bytes of a FITS file with several HDUs and with checksums in each."""
    path = tmp_path_factory.mktemp("whole") / "whole.fits"
    made = fits.HDUList(hdus())
    made[0].header["COMMENT"] = SYNTHETIC
    made.writeto(path, checksum=True)
    return Content(path.read_bytes())


@pytest.fixture
def put(tmp_path):
    def write(content, name="some.fits"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def refused(path, match):
    with pytest.raises(IntegrityError, match=match) as caught:
        check_file(path)
    assert caught.value.path == str(path)
    return str(caught.value)


def starts_of(content):
    """Return where the header and the data of each HDU begin, as astropy sees it."""
    with fits.open(io.BytesIO(content), disable_image_compression=True) as opened:
        return [(info["hdrLoc"], info["datLoc"]) for info in (hdu.fileinfo() for hdu in opened)]


# ---- what is whole --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", [bytes, gzip.compress, zlib.compress], ids=["plain", "gzip", "unknown"])
@pytest.mark.parametrize("name", ["some.fits", "some.fits.gz"])
def test_a_whole_file_is_counted_and_digested_as_it_is(put, whole, packing, name):
    content = packing(whole)
    path = put(content, name)
    assert check_file(path) == FileCheck(len(content), hashlib.sha256(content).hexdigest(), ())


def test_what_is_not_fits_is_read_to_its_end(put):
    assert check_file(put(b"S")).problems == ()
    assert check_file(put(gzip.compress(b"a,s,h,1,,,\n" * 99))).size < 99
    assert check_file(put(gzip.compress(b""))).problems == ()


def test_members_and_padding_of_gzip_are_one_file(put, whole):
    pieces = [whole[:5], b"", whole[5:9000], whole[9000:]]
    packed = b"".join(gzip.compress(piece) for piece in pieces)
    assert check_file(put(packed)).problems == ()
    assert check_file(put(packed + bytes(2000))).size == len(packed) + 2000
    flipped = bytearray(whole)
    flipped[-2000] ^= 1
    assert len(check_file(put(gzip.compress(flipped[:7000]) + gzip.compress(flipped[7000:]))).problems) == 2


def test_zeros_behind_the_last_hdu_are_padding(put, whole):
    assert check_file(put(whole + bytes(2880 * 3))).problems == ()
    assert check_file(put(whole + bytes(100))).problems == ()
    refused(put(whole + bytes(2880) + whole), "has other data behind the zeros that end it; fetch it again")


def test_random_groups_have_a_first_axis_that_is_none(tmp_path):
    groups = fits.GroupData(RNG.random((500, 3, 2)).astype("f4"), bitpix=-32, parnames=["u"], pardata=[np.zeros(500)])
    path = tmp_path / "groups.fits"
    fits.HDUList([fits.GroupsHDU(groups), fits.ImageHDU(np.ones(3))]).writeto(path, checksum=True)
    assert check_file(path).problems == ()


# ---- checksums ------------------------------------------------------------------------------------------------------


def by_astropy(path):
    """Return the names of the checksums that astropy finds wrong."""
    with fits.open(path, disable_image_compression=True) as opened:
        return [
            f"{name} of HDU {number}"
            for number, hdu in enumerate(opened)
            for name, good in (("DATASUM", hdu.verify_datasum()), ("CHECKSUM", hdu.verify_checksum()))
            if good == 0
        ]


@given(st.data())
def test_wrong_checksums_are_those_that_astropy_finds(tmp_path_factory, whole, data):
    headers = {header for header, _ in starts_of(whole)}
    spots = [start + 9 for _, start in starts_of(whole) if start not in headers]
    content = bytearray(whole)
    spots.append(whole.index(SYNTHETIC.encode()))
    for spot in data.draw(st.sets(st.sampled_from(spots), max_size=3)):
        content[spot] ^= 1
    path = tmp_path_factory.mktemp("flipped") / "some.fits"
    path.write_bytes(content)
    assert [problem.partition(" is wrong")[0] for problem in check_file(path).problems] == by_astropy(path)
    assert (content == whole) == (not by_astropy(path))


def test_a_wrong_checksum_says_what_it_is_and_what_was_found(put, whole):
    content = bytearray(whole)
    content[starts_of(whole)[1][1] + 3] ^= 1
    datasum, checksum = check_file(put(content)).problems
    said = fits.getheader(put(whole, "good.fits"), 1)["DATASUM"]
    found = re.fullmatch(rf"DATASUM of HDU 1 is wrong: it says '{said}', the data sum to (\d+)", datasum)
    assert abs(int(found[1]) - int(said)) == 1
    assert re.fullmatch(r"CHECKSUM of HDU 1 is wrong: the HDU sums to \d+, expected 0 or 4294967295", checksum)


@pytest.mark.parametrize(
    ("said", "problems"),
    [
        ("", 0),
        ("''", 0),
        ("'   '", 0),
        ("'{sum}'", 0),
        ("'000{sum}'", 0),
        ("{sum}", 0),
        ("'1{sum}'", 1),
        ("'-1'", 1),
        ("'12.5'", 1),
        ("1.5", 1),
        ("T", 1),
        ("'" + 30 * "9" + "'", 1),
    ],
)
def test_a_datasum_is_checked_where_it_says_something(put, said, problems):
    image = fits.ImageHDU(np.array([7, 8, 9], dtype=">i4"), fits.Header({"DATASUM": "here"}))
    image.header["CHECKSUM"] = " "
    path = put(b"")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, overwrite=True)
    card = f"DATASUM = {said.format(sum=24)}".ljust(80).encode()
    path.write_bytes(re.sub(rb"DATASUM = .{70}", card, path.read_bytes(), flags=re.DOTALL))
    assert len(check_file(path).problems) == problems


@pytest.mark.parametrize("said", ["0", "4294967295"])
def test_all_ones_are_another_way_to_write_zero(put, said):
    path = put(b"")
    image = fits.ImageHDU(np.zeros(3), fits.Header({"DATASUM": said}))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, overwrite=True)
    assert check_file(path).problems == ()


def test_a_datasum_of_more_digits_than_python_reads_is_wrong(put):
    path = put(b"")
    image = fits.ImageHDU(np.ones(3), fits.Header({"DATASUM": "7" * 6000}))
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, overwrite=True)
    assert len(check_file(path).problems) == 1


def reference(content):
    """Return the sum of FITS 4.0, appendix J, word by word."""
    total = 0
    for (word,) in struct.iter_unpack(">I", content):
        total += word
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total % 0xFFFFFFFF


@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=40), cuts=st.lists(st.integers(0, 160), max_size=12))
@example(words=[2**32 - 1, 2**32 - 1], cuts=[1, 2, 3, 4, 5, 6, 7])
@example(words=[2**32 - 1, 1], cuts=[])
def test_the_sum_does_not_depend_on_how_the_bytes_come(words, cuts):
    content = struct.pack(f">{len(words)}I", *words)
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    total = OnesSum()
    for start, stop in itertools.pairwise(edges):
        total.add(memoryview(content)[start:stop])
    assert total.value == reference(content)


def test_a_sum_of_many_words_does_not_overflow():
    total = OnesSum()
    for _ in range(3):
        total.add(b"\xff" * 4_000_000)
    assert total.value == 0
    total.add(b"\0\0\0\5")
    assert total.value == 5


@pytest.mark.parametrize("size", [2, 7, 2879, 2880, 4096])
def test_how_the_bytes_come_makes_no_difference_to_the_hdus(put, whole, monkeypatch, size):
    content = bytearray(whole)
    content[-2881] ^= 1
    path = put(gzip.compress(content))
    expected = check_file(path)
    assert expected.problems
    monkeypatch.setattr(checksums, "_SLICE", max(size // 2, 1))
    monkeypatch.setattr(checksums, "_CHUNK", size)
    assert check_file(path) == expected
    plain = put(content, "plain.fits")
    assert check_file(plain).problems == expected.problems


# ---- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_that_ends_too_early_is_refused_wherever_it_ends(put, whole, packing):
    ends = {header for header, _ in starts_of(whole)}  # a file of fewer HDUs is a whole file
    for length in {*range(9, len(whole), 2711), *(data for _, data in starts_of(whole)), len(whole) - 1} - ends:
        refused(put(packing(whole[:length])), "is cut short: .*; fetch it again$")


def check_or_refusal(path):
    try:
        return f"{check_file(path)}"
    except IntegrityError as error:
        return str(error)


def test_truncation_says_where(put, whole):
    (_, _), (_, data) = starts_of(whole)[:2]
    refused(put(whole[: data + 2000]), r"some.fits: is cut short: \d+ of \d+ bytes of the data of HDU 1 are missing")
    refused(put(whole[: data - 100]), "is cut short: it ends within the header of HDU 1; fetch it again$")


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.999])
def test_gzip_that_ends_too_early_is_refused(put, whole, keep):
    packed = gzip.compress(whole)
    refused(put(packed[: int(len(packed) * keep)]), "its gzip compression ends before its content does; fetch it again")
    refused(put(packed[:-1]), "ends before its content does")
    refused(put(packed[:2]), "ends before its content does")


@pytest.mark.parametrize("tail", [b"x", b"\0\0x", b"\x1f\x8b and no more of it", bytes(70_000) + b"x"], ids=len)
def test_bytes_behind_gzip_are_refused(put, whole, tail):
    refused(
        put(gzip.compress(whole) + tail),
        r"(is damaged \(.*\)|other bytes follow its gzip compression, such as b'x'); fetch it again",
    )


def test_gzip_with_a_wrong_crc_or_length_is_refused(put, whole):
    packed = bytearray(gzip.compress(whole))
    for place in (-1, -5, len(packed) // 2):
        damaged = bytearray(packed)
        damaged[place] ^= 0x10
        refused(put(damaged), "gzip compression")


def test_an_empty_file_is_refused(put):
    refused(put(b""), "some.fits: is empty; fetch it again$")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / "a")
    refused(tmp_path / "a", "is no regular file")


def test_what_is_not_there_is_an_error_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_file(tmp_path / "a")


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (b"NAXIS   =                 9999", "its NAXIS is 9999; expected a whole number from 0 to 999"),
        (b"NAXIS   =                   -1", "its NAXIS is -1"),
        (b"NAXIS   =                    T", "its NAXIS is True"),
        (b"NAXIS   =                    3", "it has no NAXIS3"),
        (b"NAXIS   = 'two     '          ", "its NAXIS is 'two'"),
        (b"NAXES   =                    2", "it has no NAXIS"),
        (b"NAXIS   = 'two                ", "NAXIS"),
    ],
)
def test_a_header_that_does_not_say_how_much_follows_is_refused(put, whole, card, text):
    content = re.sub(rb"NAXIS   =                    2", card, whole, count=1)
    message = refused(put(content), re.escape("a header in HDU 0"))
    assert text in message
    assert message.endswith("; fetch it again")


def test_data_larger_than_the_file_are_missing(put, whole):
    content = re.sub(rb"NAXIS1  =                    5", b"NAXIS1  =  4000000000000000000", whole, count=1)
    refused(put(content), r"is cut short: \d+ of 24000000000000\d* bytes of the data of HDU 0 are missing")


def test_other_data_where_a_header_should_be_are_refused(put, whole):
    refused(put(whole + b"x" * 2880), "where a header should be there is b'xxxxxxxxx'")
    refused(put(whole + b"x" * 80), "is cut short: it ends within the header of HDU 6")


# ---- bounds ---------------------------------------------------------------------------------------------------------


def test_a_bomb_is_refused_and_never_held(put):
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(1024**2)) for _ in range(80)) + packer.flush()
    path = put(packed)
    tracemalloc.start()
    try:
        refused(path, rf"decompresses to more than {64 * 1024**2} bytes from \d+; .* 500 times its size; find out who")
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_small_files_may_have_any_ratio(put):
    assert check_file(put(gzip.compress(bytes(5 * 1024**2)))).problems == ()


def test_content_and_files_have_a_largest_size(put, whole, monkeypatch):
    monkeypatch.setattr(checksums, "MAX_CONTENT_BYTES", len(whole) - 1)
    monkeypatch.setattr(checksums, "_RATIO_FREE", 100)
    refused(put(gzip.compress(whole)), f"decompresses to more than {len(whole) - 1} bytes")
    monkeypatch.setattr(checksums, "MAX_FILE_BYTES", 1000)
    refused(put(whole), "is larger than 1000 bytes, the most that a file may have")


def test_there_are_only_so_many_members_and_hdus(put, monkeypatch):
    monkeypatch.setattr(checksums, "_MAX_MEMBERS", 3)
    assert check_file(put(gzip.compress(b"a") * 3)).size
    refused(put(gzip.compress(b"a") * 4), "has more than 3 gzip members")
    monkeypatch.setattr(checksums, "_MAX_HDUS", 2)
    header = fits.PrimaryHDU().header.tostring().encode()
    assert check_file(put(header * 2)).problems == ()
    refused(put(header * 3), "has more than 2 HDUs")


@given(
    damage=st.lists(st.tuples(st.integers(0, 30_000), st.binary(min_size=1, max_size=9)), max_size=3),
    length=st.none() | st.integers(0, 40_000),
    packed=st.booleans(),
)
def test_whatever_the_damage_it_is_whole_or_refused(tmp_path_factory, whole, damage, length, packed):
    content = bytearray(gzip.compress(whole) if packed else whole)
    for start, piece in damage:
        content[start : start + len(piece)] = piece
    path = tmp_path_factory.mktemp("damaged") / "some.fits"
    path.write_bytes(content[:length])
    check_or_refusal(path)
    shutil.rmtree(path.parent)


# ---- flight ---------------------------------------------------------------------------------------------------------


def test_flight_files_whose_rows_were_cut_have_wrong_checksums(real_data):
    paths = sorted(real_data.glob("test_level0_*.fits.gz"))
    assert len(paths) == 8
    for path in paths:
        assert [problem.partition(" is wrong")[0] for problem in check_file(path).problems] == by_astropy(path) != []


def test_flight_files_of_models_are_whole(real_data):
    for path in sorted(real_data.glob("grid-*.fits.gz")):
        assert check_file(path).problems == ()
