"""What comes from outside, before any of it is archived: hostile, damaged, mixed up, and as it should be."""

import errno
import gzip
import hashlib
import logging
import os
import pickle
import re
import stat
import zlib
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aca_core import (
    ArchiveProduct,
    ByDay,
    Column,
    ColumnReader,
    DeclarationError,
    FileFacts,
    FileRequest,
    FitsColumns,
    FromName,
    IntegrityError,
    ObsidRequest,
    ParameterColumns,
    RetrievalError,
    Retriever,
    TimeRequest,
    Version,
)
from aca_core.archive import staging
from aca_core.archive.staging import Staged, StagedFile, StagingRules, examine, stage
from aca_core.testing import write_fits, write_parameter_file, write_text

SIM = ArchiveProduct(
    name="sim1",
    label="SIM level 1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "content", "revision"),
    content_types=("SIMCOOR", "SIMTEMP"),
    file_names="simf*.fits*",
    discard=("*raw*",),
)
IMAGES = ArchiveProduct(
    name="images",
    version=Version(glob="imgf*", pattern=r"imgf\d+N(\d{3})_"),
    layout=ByDay(),
    columns=FitsColumns("tstart", "tstop", "revision", Column("slot", "int", source=FromName(r"_(\d)_"))),
    key=("filetime", "slot", "revision"),
)
HEADER = {"TSTART": 686111014.5, "TSTOP": 686117443.25, "CONTENT": "SIMCOOR", "REVISION": 2, "OBS_ID": "7000"}
COOR = "simf686111014N002_coor1.fits.gz"
TEMP = "simf686111014N002_temp1.fits.gz"
LOG = "simf686111014N002_log.gz"
RAW = "simf686111014N002_raw1.fits.gz"


@attrs.frozen(kw_only=True)
class Bringer(Retriever):
    """Brings given files, whatever they are, and lists given names."""

    files: dict
    listed: object = None
    error: BaseException | None = None

    def probe(self, request, scratch):
        return sorted(self.files)

    def fetch(self, request, folder):
        for name, content in self.files.items():
            if callable(content):
                content(folder / name)
            else:
                (folder / name).write_bytes(content)
        if self.error:
            raise self.error
        return sorted(self.files) if self.listed is None else self.listed


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "staging"
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a function that gives the bytes of a delivered table."""
    number = iter(range(10_000))

    def make(name=COOR, columns=None, **changes):
        place = tmp_path_factory.mktemp(f"made{next(number)}")
        header = {keyword: value for keyword, value in {**HEADER, **changes}.items() if value is not ...}
        return write_fits(place / name, header, columns).read_bytes()

    return make


@pytest.fixture(scope="module")
def coor(made):
    return made()


def want(version="default", obsid=7000, product=SIM):
    return ObsidRequest(product=product, obsid=obsid, version=version)


def brought(folder, files, request=None, listed=None, **rules):
    bringer = Bringer(name="bringer", files=files, listed=listed)
    return stage(request or want(), bringer, folder, StagingRules(**rules))


def refused(folder, files, match, **how):
    with pytest.raises(IntegrityError, match=match) as caught:
        brought(folder, files, **how)
    assert str(caught.value).isprintable()
    return caught.value


# ---- a good delivery ------------------------------------------------------------------------------------------------


def test_a_delivery_is_verified_described_and_left_alone_in_its_folder(folder, made, coor):
    files = {
        COOR: coor,
        TEMP: made(TEMP, CONTENT="SIMTEMP"),
        LOG: gzip.compress(b"synthetic log"),
        RAW: b"not even looked at",
        "readme.txt": b"",
    }
    staged = brought(folder, files, listed=(name for name in sorted(files, reverse=True)))
    assert (staged.folder, staged.version) == (folder, 2)
    assert [file.name for file in staged.files] == [COOR, LOG, TEMP]
    assert staged.left_out == ("readme.txt", RAW)
    assert sorted(path.name for path in folder.iterdir()) == [COOR, LOG, TEMP]
    for file in staged.files:
        assert file.size == len(files[file.name])
        assert file.sha256 == hashlib.sha256(files[file.name]).hexdigest()
        assert file.remark == ""
    row = {"filename": COOR, "filetime": 686111014, "year": 2019, "doy": 272, "content": "SIMCOOR", "revision": 2}
    assert staged.files[0].row == {**row, "tstart": 686111014.5, "tstop": 686117443.25}
    assert staged.files[1].row is None
    assert staged.files[2].row["content"] == "SIMTEMP"
    assert pickle.loads(pickle.dumps(staged)) == staged


def test_what_is_left_out_is_said(folder, coor, caplog):
    caplog.set_level(logging.INFO, logger="aca_core")
    brought(folder, {COOR: coor, RAW: b""})
    assert caplog.messages == [f"sim1 of obsid 7000, version default: not kept of what was delivered: {RAW}"]


def test_nothing_delivered_is_no_error(folder):
    assert brought(folder, {}) == Staged(folder=folder, version=None, files=(), left_out=())


def test_files_get_the_mode_of_the_site_however_they_were_delivered(folder, coor):
    def unreadable(path):
        path.write_bytes(coor)
        path.chmod(0o000)

    def program(path):
        path.write_bytes(gzip.compress(b"log"))
        path.chmod(0o4777)

    brought(folder, {COOR: unreadable, LOG: program}, file_mode=0o444)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}


def test_every_file_and_then_the_folder_is_synced(folder, coor, monkeypatch):
    synced = []
    monkeypatch.setattr(staging, "sync_file", lambda path: synced.append(path.name))
    monkeypatch.setattr(
        staging, "sync_folder", lambda path: synced.append(sorted(inner.name for inner in path.iterdir()))
    )
    brought(folder, {COOR: coor, LOG: gzip.compress(b"log"), RAW: b""})
    assert synced == [COOR, LOG, [COOR, LOG]]


def test_hard_links_are_files(folder, tmp_path, coor):
    (tmp_path / "source").write_bytes(coor)
    staged = brought(folder, {COOR: lambda path: path.hardlink_to(tmp_path / "source")})
    assert [file.name for file in staged.files] == [COOR]


def test_a_delivery_that_lies_there_can_be_examined_without_a_retriever(folder, coor):
    (folder / COOR).write_bytes(coor)
    assert examine(want(), folder, [COOR]).version == 2
    assert examine(want(), folder, [COOR]).files[0].row["revision"] == 2


# ---- names and kinds ------------------------------------------------------------------------------------------------

HOSTILE = [
    "../simf1N002_coor1.fits",
    "/tmp/simf1N002_coor1.fits",
    "..",
    ".",
    "",
    "a/b.fits",
    ".hidden.fits",
    "-rf",
    "a b.fits",
    "a\nb.fits",
    "a\x1b[31m.fits",
    "a\x00.fits",
    "ä.fits",
    "a\u202e.fits",
    "a\udcff.fits",
    "٣.fits",
    "a" * 201,
    "a.fits\n",
    "C:\\a.fits",
    "$(reboot).fits",
    b"a.fits",
    None,
    7,
    ["a.fits"],
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_in_the_list_are_refused(folder, coor, name):
    error = refused(folder, {COOR: coor}, "the list of delivered files has the name ", listed=[COOR, name])
    assert "; expected base names of at most 200 of the characters A-Z a-z 0-9" in str(error)
    assert repr(name) in str(error) or len(name) > 100


ON_DISK = [
    name for name in HOSTILE if isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\0")
]


@pytest.mark.parametrize("name", ON_DISK, ids=ascii)
@pytest.mark.parametrize("listed", [True, False])
def test_hostile_names_in_the_folder_are_refused(folder, coor, name, listed):
    error = refused(folder, {COOR: coor, name: coor}, "has the name ", listed=[COOR, name] if listed else [COOR])
    assert error.path == str(folder)
    assert repr(name) in str(error) or len(name) > 100


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "symbolic link"),
        (lambda path: path.symlink_to(COOR), "symbolic link"),
        (lambda path: path.symlink_to("absent"), "symbolic link"),
        (lambda path: path.symlink_to("/"), "symbolic link"),
        (os.mkfifo, "special file"),
        (os.mkdir, "folder"),
    ],
    ids=["to a file", "to a delivered file", "to nothing", "to a folder", "fifo", "folder"],
)
@pytest.mark.parametrize("name", ["simf1N002_temp1.fits", LOG, RAW, "other"])
def test_only_regular_files_are_accepted_whatever_they_are_called(folder, coor, make, kind, name):
    error = refused(folder, {COOR: coor, name: make}, f"{re.escape(name)}: is a {kind}; expected regular files alone")
    assert error.path == str(folder / name)


def test_a_folder_that_was_replaced_is_refused(folder, tmp_path, coor):
    (tmp_path / "elsewhere").mkdir()

    def replace(path):
        path.parent.rmdir()
        path.parent.symlink_to(tmp_path / "elsewhere")

    refused(folder, {COOR: replace}, "staging: is no folder any more", listed=[])


@pytest.mark.parametrize(
    ("listed", "match"),
    [
        ([COOR, COOR], f"{COOR}: is listed more than once by the retriever; fetch it again"),
        ([COOR, TEMP], f"{TEMP}: is listed and not there by the retriever"),
        ([COOR, TEMP, LOG], f"{LOG}: is listed and not there by the retriever, and so are 1 more"),
        ([], f"{COOR}: is there and not listed by the retriever"),
    ],
)
def test_the_list_must_agree_with_what_is_there(folder, coor, listed, match):
    refused(folder, {COOR: coor}, match, listed=listed)


def test_a_file_that_is_there_twice_is_refused(folder, coor):
    plain = COOR.removesuffix(".gz")
    error = refused(folder, {COOR: coor, plain: gzip.decompress(coor)}, "is delivered compressed and plain")
    assert error.path == str(folder / COOR)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.text(max_size=12) | st.sampled_from([COOR, TEMP, "../x"]), max_size=3))
def test_whatever_is_listed_nothing_outside_the_folder_is_touched(tmp_path_factory, coor, names):
    top = tmp_path_factory.mktemp("top")
    (top / "x").write_bytes(coor)
    (top / "staging").mkdir()
    (top / "staging" / COOR).write_bytes(coor)
    try:
        examine(want(), top / "staging", names)
    except IntegrityError as error:
        assert str(error).isprintable()  # noqa: PT017  # either outcome will do
    else:
        assert names == [COOR]
    assert (top / "x").read_bytes() == coor


# ---- retrievers of others -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [ValueError("two\nlines"), KeyError("x"), ConnectionError("gone"), SystemExit(3), RecursionError()]
)
def test_what_a_retriever_raises_is_a_retrieval_error(folder, error):
    with pytest.raises(RetrievalError, match=r"^bringer could not answer sim1 of obsid 7000, ") as caught:
        stage(want(), Bringer(name="bringer", files={}, error=error), folder)
    assert type(error).__name__ in caught.value.problem
    assert "\n" not in caught.value.problem
    assert caught.value.__cause__ is error
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "error",
    [
        RetrievalError("bringer", "sim1", "no", permanent=True),
        IntegrityError("a", "b"),
        OSError(errno.ENOSPC, "full"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_of_ours_and_of_the_disk_pass(folder, error):
    with pytest.raises(type(error)) as caught:
        stage(want(), Bringer(name="bringer", files={}, error=error), folder)
    assert caught.value is error


@pytest.mark.parametrize(
    "listed", [COOR, 7, {}.get, (COOR for _ in iter(int, 1))], ids=["str", "int", "method", "endless"]
)
def test_a_retriever_that_returns_no_list_of_names_is_at_fault(folder, coor, monkeypatch, listed):
    monkeypatch.setattr(staging, "_MAX_FILES", 100)
    with pytest.raises(RetrievalError, match="bringer could not answer"):
        brought(folder, {COOR: coor}, listed=listed)


def test_names_may_come_while_they_are_asked_for(folder, coor):
    def names():
        yield COOR
        raise ValueError("lost the line")

    with pytest.raises(RetrievalError, match="ValueError: lost the line"):
        brought(folder, {COOR: coor}, listed=names())


# ---- versions -------------------------------------------------------------------------------------------------------


def test_several_versions_in_a_delivery_are_refused(folder, made, coor):
    other = COOR.replace("N002", "N003")
    refused(folder, {COOR: coor, other: made(other, REVISION=3)}, "several versions in one delivery: 2, 3")


def test_another_version_than_was_fetched_is_refused(folder, coor):
    text = "the names say version 2, and version 1 was fetched: the version changed between probe and fetch; fetch it"
    refused(folder, {COOR: coor}, text, request=want(1))


@pytest.mark.parametrize("version", [2, "default", "last"])
def test_the_version_is_that_of_the_names(folder, coor, version):
    assert brought(folder, {COOR: coor}, want(version)).version == 2


def test_a_delivery_without_a_version_is_refused(folder, made):
    refused(folder, {TEMP: made(TEMP), RAW: b""}, r"none of the 2 delivered files has a name like '\*coor\*'")
    refused(folder, {"simf_coor1.fits": b"", TEMP: b"", RAW: b""}, "no version in the name")


def test_the_version_may_be_in_the_name_of_a_file_that_is_not_kept(folder, made, coor):
    staged = brought(folder, {COOR: coor, TEMP: made(TEMP)}, discard=["*coor*"])
    assert (staged.version, staged.left_out) == (2, (COOR,))


# ---- damage ---------------------------------------------------------------------------------------------------------


def bomb():
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1024**2)) for _ in range(70)) + packer.flush()


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda content: b"", "is empty"),
        (lambda content: content[:-4], "its gzip compression ends before its content does"),
        (lambda content: content[: len(content) // 2], "its gzip compression ends before its content does"),
        (lambda content: content + b"<html>", "other bytes follow its gzip compression"),
        (lambda content: content[:-6] + b"\0\0" + content[-4:], "its gzip compression is damaged"),
        (lambda content: gzip.decompress(content)[:-1], "is cut short: 1 of 2880 bytes of the data of HDU 1 are miss"),
        (lambda content: gzip.decompress(content)[:3000], "is cut short: it ends within the header of HDU 1"),
        (lambda content: gzip.compress(gzip.decompress(content)[:-2880]), "2880 of 2880 bytes of the data of HDU 1"),
    ],
)
@pytest.mark.parametrize("policy", ["error", "warn"])
def test_damage_is_refused_whatever_the_policy(folder, coor, damage, text, policy):
    error = refused(folder, {COOR: damage(coor)}, text, checksum=policy)
    assert error.path == str(folder / COOR)
    assert str(error).endswith("; fetch it again")


def test_companions_are_verified_too(folder, coor):
    error = refused(folder, {COOR: coor, LOG: gzip.compress(b"log")[:-1]}, "ends before its content does")
    assert error.path == str(folder / LOG)


def test_a_bomb_is_refused(folder, coor):
    refused(folder, {COOR: coor, LOG: bomb()}, f"{LOG}: decompresses to more than")


def test_a_page_in_place_of_a_file_is_refused(folder):
    refused(folder, {COOR: b"<html>404</html>"}, "cannot be read as FITS")


def flipped(coor, keyword):
    """Return a table of which one checksum is wrong, or both."""
    content = bytearray(gzip.decompress(coor))
    place = {
        "DATASUM": content.index(b"DATASUM =", 2880) + 11,
        "CHECKSUM": content.index(b"synthetic", 2880),
        "both": -2880,
    }
    content[place[keyword]] ^= 1
    return gzip.compress(content)


@pytest.mark.parametrize(
    ("which", "wrong"),
    [("CHECKSUM", ["CHECKSUM"]), ("DATASUM", ["DATASUM", "CHECKSUM"]), ("both", ["DATASUM", "CHECKSUM"])],
)
def test_wrong_checksums_are_refused_or_remarked(folder, tmp_path, coor, which, wrong, warnings_of_core):
    text = "; ".join(f"{name} of HDU 1 is wrong: .*" for name in wrong)
    refused(
        folder,
        {COOR: flipped(coor, which)},
        f"{COOR}: {text}; fetch it again, or keep such files with checksum = 'warn' in the set",
    )
    (tmp_path / "second").mkdir()
    assert warnings_of_core() == []
    file = brought(tmp_path / "second", {COOR: flipped(coor, which)}, checksum="warn").files[0]
    assert re.fullmatch(text, file.remark)
    assert warnings_of_core() == [f"{COOR}: {file.remark}; it is kept, since checksum is 'warn'"]
    assert file.row["revision"] == 2


LEVEL0 = ArchiveProduct(
    name="level0", layout=ByDay(), columns=FitsColumns("tstart", "tstop", "checksum"), file_names="acaf*_img0.fits*"
)


def test_flight_files_whose_rows_were_cut_follow_the_policy(folder, real_data, warnings_of_core):
    files = {
        f"acaf686111014N001_{slot}_img0.fits.gz": (real_data / f"test_level0_{slot}.fits.gz").read_bytes()
        for slot in range(8)
    }
    request = TimeRequest(product=LEVEL0, start=686e6, stop=687e6)
    staged = brought(folder, files, request, checksum="warn")
    assert len(staged.files) == len(warnings_of_core()) == 8
    assert all(re.match(r"DATASUM of HDU 1 is wrong: ", file.remark) for file in staged.files)
    # Files of a request by time have nothing to do with each other: each is refused by itself.
    staged = examine(request, folder, list(files))
    assert staged.files == ()
    assert [re.search(r"_(\d)_img0.fits.gz: DATASUM of HDU 1", str(error))[1] for error in staged.refused] == [
        str(slot) for slot in range(8)
    ]


# ---- content --------------------------------------------------------------------------------------------------------


def test_a_revision_that_the_name_does_not_have_is_refused(folder, made):
    refused(
        folder, {COOR: made(REVISION=3)}, f"{COOR}: its revision is 3; expected 2, as the names say; fetch it again"
    )
    assert brought(folder, {COOR: made(REVISION=...)}, listed=[COOR]).files[0].row["revision"] is None


@pytest.mark.parametrize("said", [7001, "7001", "07001", " 7001 "])
def test_another_obsid_than_was_asked_for_is_refused(folder, made, said):
    refused(folder, {COOR: made(OBS_ID=said)}, f"{COOR}: its OBS_ID is 7001; expected 7000, the obsid that was fetched")


@pytest.mark.parametrize("said", [7000, "7000", "07000", "7000,7001", "GROUND TEST", "", True, 1.5, ...], ids=repr)
def test_an_obs_id_that_is_no_other_number_is_accepted(folder, made, said):
    assert brought(folder, {COOR: made(OBS_ID=said)}).files


def test_the_obsid_of_a_parameter_file_is_compared(folder, tmp_path):
    product = ArchiveProduct(
        name="pars",
        version=Version(glob="axaff*par*", pattern=r"axaff\d{5}_\d{3}N(\d{3})"),
        columns=ParameterColumns(Column("obsid", "int", source="obs_id", required=True), Column("revision", "int")),
    )
    name = "axaff07000_000N001_obs0a.par.gz"
    content = write_parameter_file(tmp_path / name, {"obs_id": "7000", "revision": 1}).read_bytes()
    assert brought(folder, {name: content}, want(product=product)).files[0].row["obsid"] == 7000
    (folder / name).unlink()
    refused(folder, {name: content}, "its obsid is 7000; expected 7001", request=want(product=product, obsid=7001))
    (folder / name).unlink()
    refused(folder, {name: gzip.compress(b"what?")}, rf"{name}: line 1: ", request=want(product=product))


def test_an_end_before_the_start_is_refused(folder, made):
    refused(folder, {COOR: made(TSTOP=686111014.0)}, "its tstop 686111014.0 is before its tstart 686111014.5")


def test_a_content_that_the_product_does_not_have_is_refused(folder, made):
    text = f"{COOR}: its content is 'SIMPOS'; expected one that sim1 has: SIMCOOR, SIMTEMP"
    refused(folder, {COOR: made(CONTENT="SIMPOS")}, text)
    (folder / COOR).unlink()
    assert brought(folder, {COOR: made(CONTENT=...)}).files


def test_a_site_keeps_the_content_types_that_it_names(folder, made, coor):
    other = TEMP.replace("temp", "none")
    files = {COOR: coor, TEMP: made(TEMP, CONTENT="SIMTEMP"), other: made(other, CONTENT=...), LOG: gzip.compress(b"")}
    staged = brought(folder, files, content_types=["SIMTEMP"])
    assert [file.name for file in staged.files] == [LOG, other, TEMP]
    assert staged.left_out == (COOR,)
    assert not (folder / COOR).exists()
    assert staged.version == 2


def test_two_files_that_the_index_could_not_tell_apart_are_refused(folder, made):
    names = [f"imgf686111014N001_{slot}_{part}.fits" for slot, part in ((0, "a"), (1, "a"), (1, "b"))]
    files = {name: made(name, REVISION=1) for name in names}
    request = TimeRequest(product=IMAGES, start=0, stop=1)
    text = r"1_b.fits: has the same filetime, slot, revision as imgf686111014N001_1_a.fits: \(686111014, 1, 1\)"
    refused(folder, files, text, request=request)


def test_products_by_day_have_versions_by_file(folder, made):
    names = [f"imgf686111014N{version:03d}_0_a.fits" for version in (1, 2)]
    request = TimeRequest(product=IMAGES, start=0, stop=1)
    staged = brought(folder, {name: made(name, REVISION=n) for n, name in enumerate(names, 1)}, request)
    assert staged.version is None
    assert [file.row["revision"] for file in staged.files] == [1, 2]
    for path in folder.iterdir():
        path.unlink()
    request = FileRequest(product=IMAGES, filename=names[0])
    staged = brought(folder, {names[0]: made(names[0], REVISION=2)}, request)
    assert "its revision is 2; expected 1" in str(staged.refused[0])
    assert (staged.files, staged.left_out, list(folder.iterdir())) == ((), (names[0],), [])


# ---- readers of others ----------------------------------------------------------------------------------------------


@attrs.frozen
class NoteColumns(ColumnReader):
    """Describes notes by whatever it is given."""

    says: object = None
    columns: tuple[Column, ...] = (Column("filename", required=True), Column("obsid", "int"), Column("revision", "int"))

    def facts(self, path):
        return FileFacts(path.name, {})

    def read(self, path):
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


def note(folder, says):
    product = ArchiveProduct(
        name="note", columns=NoteColumns(says=says), version=Version(glob="*", pattern=r"N(\d{3})"), file_names="*.txt"
    )
    return brought(folder, {"noteN001.txt": b"# synthetic"}, want(product=product))


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError("Empty or corrupt FITS file"), SystemExit(), ZeroDivisionError()]
)
def test_what_a_reader_raises_names_the_file(folder, error):
    with pytest.raises(
        IntegrityError, match=f"noteN001.txt: cannot be described as note: {type(error).__name__}"
    ) as caught:
        note(folder, error)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [IntegrityError("a", "b"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_errors_of_ours_and_of_the_disk_pass_through_a_description(folder, error):
    with pytest.raises(type(error)) as caught:
        note(folder, error)
    assert caught.value is error


@pytest.mark.parametrize(
    "says", [None, [], {"obsid": [7]}, {7: "obsid"}, {"obsid": np.int64(7000)}, {"obsid": b"7"}], ids=repr
)
def test_what_no_index_can_hold_is_refused(folder, says):
    with pytest.raises(
        IntegrityError, match=r"noteN001\.txt: its reader gives .*; expected numbers and texts by column"
    ):
        note(folder, says)


def test_a_reader_cannot_rename_a_file_or_move_it_to_another_observation(folder):
    with pytest.raises(IntegrityError, match=r"its reader calls it '../x'; expected its own name"):
        note(folder, {"filename": "../x"})
    with pytest.raises(IntegrityError, match="its obsid is 1; expected 7000"):
        note(folder, {"filename": "noteN001.txt", "obsid": 1})
    file = note(folder, {"filename": "noteN001.txt", "obsid": 7000, "revision": 1}).files[0]
    assert attrs.evolve(file, sha256="") == StagedFile(
        name="noteN001.txt", size=11, sha256="", row={"filename": "noteN001.txt", "obsid": 7000, "revision": 1}
    )


# ---- rules ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("checksum", "ignore"),
        ("discard", "*raw*"),
        ("discard", [1]),
        ("content_types", "ASPSOL"),
        ("file_mode", 0o755),
        ("file_mode", 0o4664),
        ("file_mode", 0o264),
        ("file_mode", -1),
        ("file_mode", "664"),
        ("file_mode", True),
    ],
)
def test_rules_that_cannot_be_right_are_refused(field, value):
    with pytest.raises(DeclarationError, match=f"StagingRules: {field} is "):
        StagingRules(**{field: value})


def test_rules_travel_to_workers():
    rules = StagingRules(checksum="warn", discard=["*a*"], content_types=["A"], file_mode=0o444)
    assert pickle.loads(pickle.dumps(rules)) == rules
    assert StagingRules() == StagingRules(checksum="error", discard=(), content_types=(), file_mode=0o664)


def test_texts_are_delivered_too(folder, tmp_path, coor):
    text = write_text(tmp_path / "log.gz", "# synthetic").read_bytes()
    assert [file.row is None for file in brought(folder, {COOR: coor, LOG: text}).files] == [False, True]
    assert Path(folder / LOG).read_bytes() == text
