"""The retriever that reads a delivery tree: what answers a request, what is refused, whole copies."""

import errno
import os
import re
from pathlib import Path

import pytest
from aca_plugins import directory
from aca_plugins.directory import DIRECTORY, DirectoryRetriever

from aca_core import (
    ArchiveProduct,
    ByDay,
    Config,
    FileRequest,
    FitsColumns,
    ObsidRequest,
    RetrievalError,
    TimeRequest,
    Version,
)
from aca_core.binding import bind
from aca_core.dates import to_secs
from aca_core.testing import SYNTHETIC, RetrieverContract

SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "revision"),
    file_names="*.fits",
)
IMAGES = ArchiveProduct(
    name="images", columns=FitsColumns("tstart", "tstop"), layout=ByDay(), file_names="imgf*", companions=()
)


def put(path: Path, text: str = SYNTHETIC) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def put_version(tree: Path, obsid: int, version: int, *names: str) -> Path:
    folder = tree / "sim1" / f"{obsid:05d}"[:2] / f"{obsid:05d}_v{version:02d}"
    for name in names or (f"simf600000000N{version:03d}_coor1.fits", f"simf600000000N{version:03d}_log.gz"):
        put(folder / name, f"{SYNTHETIC}: {obsid} version {version}")
    return folder


def link(tree: Path, name: str, target: str) -> Path:
    path = tree / "sim1" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def point(tree: Path, name: str, target: str) -> Path:
    return put(tree / "sim1" / name[:2] / name, f"{target}\r\n")


def names_of(version: int) -> tuple[str, ...]:
    return f"simf600000000N{version:03d}_coor1.fits", f"simf600000000N{version:03d}_log.gz"


def probe(retriever: DirectoryRetriever, request: ObsidRequest) -> tuple[str, ...]:
    return retriever.probe(request, Path("not made, since the names are there without the files"))


@pytest.fixture
def tree(tmp_path):
    """A tree with the folder of a product and nothing in it."""
    (tmp_path / "tree" / "sim1").mkdir(parents=True)
    return tmp_path / "tree"


@pytest.fixture
def retriever(tree):
    return DirectoryRetriever(name="directory", folder=tree)


@pytest.fixture
def target(tmp_path):
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


@pytest.fixture(params=[link, point], ids=["links", "pointers"])
def redirect(request):
    """Both ways in which a tree may say which version is released."""
    return request.param


class TestDirectory(RetrieverContract):
    @pytest.fixture
    def retriever(self, tmp_path_factory, redirect):
        tree = tmp_path_factory.mktemp("tree")
        put_version(tree, 6000, 2)
        redirect(tree, "06000", "06000_v02")
        return DirectoryRetriever(name="directory", label="a tree", folder=tree)

    @pytest.fixture
    def request_(self):
        return ObsidRequest(product=SIM, obsid=6000)


def test_a_site_says_where_the_tree_is():
    assert bind(DIRECTORY, Config(root=["/data/aca"])).folder == Path("/data/aca/delivered")
    options = {"directory": {"folder": "/mnt/mirror"}}
    assert bind(DIRECTORY, Config(root=["/data/aca"], retrievers=options)).folder == Path("/mnt/mirror")


# ---- products by obsid ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "wanted", "found"),
    [
        ({"06000": 2, "06000_last": 3}, "default", 2),
        ({"06000": 2, "06000_last": 3}, "last", 3),
        ({"06000": 3, "06000_last": 2}, "last", 3),
        ({"06000": 2}, "last", 2),
        ({"06000_last": 3}, "default", None),
        ({"06000_last": 103}, "last", 103),
        ({}, "default", None),
        ({}, "last", None),
        ({}, 2, 2),
        ({"06000": 2}, 103, 103),
        ({"06000": 2}, 4, None),
    ],
)
def test_the_links_say_which_version_is_meant(tree, target, retriever, redirect, links, wanted, found):
    for version in (2, 3, 103):
        put_version(tree, 6000, version)
    for name, version in links.items():
        redirect(tree, name, f"06000_v{version:02d}")
    request = ObsidRequest(product=SIM, obsid=6000, version=wanted)
    names = () if found is None else names_of(found)
    assert probe(retriever, request) == names
    assert retriever.fetch(request, target) == names
    assert sorted(path.name for path in target.iterdir()) == list(names)
    assert {path.read_text() for path in target.iterdir()} == (
        {f"{SYNTHETIC}: 6000 version {found}"} if names else set()
    )


def test_an_observation_interval_makes_no_difference(tree, retriever):
    put_version(tree, 6000, 2)
    with_obi, without = (ObsidRequest(product=SIM, obsid=6000, obi=obi, version=2) for obi in (1, None))
    assert probe(retriever, with_obi) == probe(retriever, without) == names_of(2)


@pytest.mark.parametrize(
    "leads_to",
    ["06001_v01", "../06/06000_v01", "../../../outside", "06000_v1", "06000", "06000_last", "v01", "", "x" * 64],
)
def test_a_link_that_leads_elsewhere_is_refused(tree, retriever, redirect, leads_to):
    put_version(tree, 6000, 1)
    put_version(tree, 6001, 1)
    put(tree.parent / "outside" / "simf600000000N001_coor1.fits")
    if redirect is link and not leads_to:
        leads_to = "."
    path = redirect(tree, "06000", leads_to)
    with pytest.raises(RetrievalError, match=re.escape(str(path))):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000))


def test_a_link_to_an_absolute_path_is_refused(tree, retriever, redirect):
    path = redirect(tree, "06000", str(put_version(tree, 6000, 1)))
    with pytest.raises(RetrievalError, match=re.escape(f"{path}")):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000))


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.write_text("06000_v01".ljust(65))])
def test_what_has_a_links_name_must_be_one(tree, retriever, make):
    folder = put_version(tree, 6000, 1)
    make(folder.with_name("06000"))
    with pytest.raises(RetrievalError, match="06000: is neither a symbolic link nor a text file of at most 64 bytes"):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000))


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "dangling"])
@pytest.mark.parametrize("version", ["default", "last"])
def test_a_link_to_a_version_without_files_is_no_withdrawal(tree, retriever, redirect, version, empty):
    redirect(tree, "06000", "06000_v01")
    if empty:
        (tree / "sim1/06/06000_v01").mkdir()
    assert probe(retriever, ObsidRequest(product=SIM, obsid=6000, version=1)) == ()
    with pytest.raises(RetrievalError, match=f"06000_v01: has no files, although .* version '{version}'"):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000, version=version))


@pytest.mark.parametrize("place", ["06", "06/06000_v01"])
def test_no_folder_may_be_a_link(tree, retriever, place):
    outside = tree.parent / "outside"
    put_version(tree, 6000, 1)
    (tree / "sim1" / place).rename(outside)
    (tree / "sim1" / place).symlink_to(outside)
    with pytest.raises(RetrievalError, match=f"sim1/{place}: is a symbolic link, and those are not followed"):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000, version=1))


def test_the_folder_of_the_product_may_lie_elsewhere(tree, retriever):
    put_version(tree, 6000, 1)
    (tree / "sim1").rename(tree.parent / "big-disk")
    (tree / "sim1").symlink_to(tree.parent / "big-disk")
    assert probe(retriever, ObsidRequest(product=SIM, obsid=6000, version=1)) == names_of(1)


@pytest.mark.parametrize("remains", ["tree", "nothing", "a file"])
def test_a_tree_that_is_not_there_is_no_tree_without_releases(tree, retriever, remains):
    (tree / "sim1").rmdir()
    if remains != "tree":
        tree.rmdir()
    if remains == "a file":
        put(tree)
    message = f"^directory could not answer sim1 of obsid 6000, version default: {re.escape(str(tree))}/sim1: is no fol"
    with pytest.raises(RetrievalError, match=message):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000))


def test_a_file_in_a_folders_place_is_refused(tree, retriever):
    put(tree / "sim1/06")
    with pytest.raises(RetrievalError, match="sim1/06: is no folder"):
        probe(retriever, ObsidRequest(product=SIM, obsid=6000))


# ---- which files ----------------------------------------------------------------------------------------------------


def test_folders_and_hidden_files_are_no_delivered_files(tree, retriever):
    folder = put_version(tree, 6000, 1)
    put(folder / ".simf600000000N001_coor1.fits.Xk3a9Z")
    put(folder / "old.fits" / "simf600000000N000_coor1.fits")
    assert probe(retriever, ObsidRequest(product=SIM, obsid=6000, version=1)) == names_of(1)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo], ids=["link", "pipe"])
@pytest.mark.parametrize(
    ("name", "kept"), [("a.fits", True), ("a_log.gz", True), ("readme.txt", False)], ids=lambda value: str(value)
)
def test_what_is_no_regular_file_is_never_copied(tree, target, retriever, make, name, kept):
    make(put_version(tree, 6000, 1) / name)
    request = ObsidRequest(product=SIM, obsid=6000, version=1)
    if kept:  # without it the delivery would be incomplete
        with pytest.raises(RetrievalError, match=f"{name}: is no regular file"):
            retriever.fetch(request, target)
        assert not list(target.iterdir())
    else:
        assert retriever.fetch(request, target) == names_of(1)


@pytest.mark.parametrize("name", ["a\n.fits", "a\x1b[2J.fits", "a\\b.fits", "a\u202e.fits", b"a\xff.fits"], ids=repr)
def test_a_hostile_name_is_refused(tree, target, retriever, name):
    folder = put_version(tree, 6000, 1)
    (folder / os.fsdecode(name)).write_text(SYNTHETIC)
    with pytest.raises(RetrievalError, match=r"06000_v01: the name .* has characters that no delivered file has"):
        retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)
    assert not list(target.iterdir())


# ---- copies ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def during_copy(monkeypatch):
    """Return a function that says what shall happen when the content of a file was copied, but nothing was checked."""

    def arrange(happen):
        pour = directory._pour

        def pour_and(stream, target):
            copied = pour(stream, target)
            happen()
            return copied

        monkeypatch.setattr(directory, "_pour", pour_and)

    return arrange


@pytest.mark.parametrize("size", [0, 1, directory._CHUNK, directory._CHUNK + 1])
def test_the_content_is_whole(tree, target, retriever, size):
    content = (SYNTHETIC.encode() * (size // len(SYNTHETIC) + 1))[:size]
    (put_version(tree, 6000, 1) / "a.fits").write_bytes(content)
    retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)
    assert (target / "a.fits").read_bytes() == content


def test_a_file_appears_when_it_is_whole(tree, target, retriever, during_copy):
    put_version(tree, 6000, 1, "a.fits", "b.fits")
    seen = []
    during_copy(lambda: seen.append(sorted(path.name for path in target.iterdir() if not path.name.startswith("."))))
    retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)
    assert seen == [[], ["a.fits"]]
    assert sorted(path.name for path in target.iterdir()) == ["a.fits", "b.fits"]


def longer(path: Path) -> None:
    path.write_text(f"{path.read_text()}, and more")


def touched(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def replaced(path: Path) -> None:
    put(path.with_name("other"), "x").rename(path)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (longer, "changed while it was copied"),
        (touched, "changed while it was copied"),
        (replaced, "changed while it was copied"),
        (Path.unlink, "cannot be copied to .*: No such file or directory"),
    ],
)
def test_a_file_that_changes_while_it_is_copied_is_refused(tree, target, retriever, during_copy, change, problem):
    source = put_version(tree, 6000, 1, "a.fits") / "a.fits"
    during_copy(lambda: change(source))
    with pytest.raises(RetrievalError, match=f"^directory .* obsid 6000, version 1: .*/a.fits: {problem}"):
        retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)
    assert not list(target.iterdir())


def test_a_full_disk_leaves_nothing_half_done(tree, target, retriever, during_copy):
    put_version(tree, 6000, 1, "a.fits")

    def fail():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    during_copy(fail)
    # It is the machine's fault and not the tree's: whoever asked must not go on with the next one.
    with pytest.raises(OSError, match="No space left on device") as caught:
        retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(target / "a.fits"))
    assert not list(target.iterdir())


def test_what_takes_a_files_place_is_not_read(tree, target, retriever, monkeypatch):
    source = put_version(tree, 6000, 1, "a.fits") / "a.fits"
    found = directory._files_in

    def find_and_swap(*arguments, **options):
        paths = found(*arguments, **options)
        source.unlink()
        os.mkfifo(source)
        return paths

    monkeypatch.setattr(directory, "_files_in", find_and_swap)
    with pytest.raises(RetrievalError, match=r"a\.fits: is no regular file"):
        retriever.fetch(ObsidRequest(product=SIM, obsid=6000, version=1), target)


# ---- products by day ------------------------------------------------------------------------------------------------


@pytest.fixture
def days(tree):
    """A tree with a file at noon of some days around a turn of the year; returns their names by day."""
    names = {}
    for day in ("2016:364", "2016:365", "2016:366", "2017:001", "2017:002"):
        names[day] = f"imgf{to_secs(f'{day}:12:00:00'):.0f}N001_img0.fits.gz"
        put(tree / "images" / day.replace(":", "/") / names[day])
    put(tree / "images/2016/366/readme.txt")
    return names


@pytest.mark.parametrize(
    ("start", "stop", "found"),
    [
        ("2016:365:06:00:00", "2016:365:18:00:00", ["2016:364", "2016:365", "2016:366"]),
        ("2016:366:23:59:60.500", "2016:366:23:59:60.900", ["2016:365", "2016:366", "2017:001"]),
        ("2016:366", "2017:001", ["2016:365", "2016:366", "2017:001", "2017:002"]),
        ("2017:003:12:00:00", "2017:004", ["2017:002"]),
        ("2020:001", "2020:002", []),
    ],
)
def test_a_range_of_time_gets_its_days_and_one_on_each_side(retriever, target, days, start, stop, found):
    request = TimeRequest(product=IMAGES, start=to_secs(start), stop=to_secs(stop))
    assert retriever.fetch(request, target) == tuple(days[day] for day in found)
    assert sorted(path.name for path in target.iterdir()) == [days[day] for day in found]


def test_one_name_on_two_days_is_refused(tree, target, retriever, days):
    put(tree / "images/2017/001" / days["2016:366"])
    request = TimeRequest(product=IMAGES, start=to_secs("2016:366"), stop=to_secs("2017:001"))
    with pytest.raises(RetrievalError, match=r"2017/001/imgf\d+N001_img0.fits.gz: is also in .*2016/366"):
        retriever.fetch(request, target)


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("asked", ["", ".gz"])
def test_a_file_is_found_by_its_name_compressed_or_not(tree, target, retriever, ending, asked):
    name = "imgf686111014N001_img0.fits"
    put(tree / "images/2019/272" / f"{name}{ending}")
    request = FileRequest(product=IMAGES, filename=f"{name}{asked}")
    assert retriever.fetch(request, target) == (f"{name}{ending}",)
    assert (target / f"{name}{ending}").read_text() == SYNTHETIC


def test_a_link_in_a_files_place_is_refused(tree, target, retriever):
    name = "imgf686111014N001_img0.fits"
    put(tree / "images/2019/272/other").with_name(name).symlink_to("other")
    with pytest.raises(RetrievalError, match=f"{name}: is no regular file"):
        retriever.fetch(FileRequest(product=IMAGES, filename=name), target)


@pytest.mark.parametrize("place", ["2019/272", "2019/271", ""])
def test_a_file_that_the_tree_does_not_have_is_not_brought(tree, target, retriever, place):
    put(tree / "images" / place / "imgf686111014N002_img0.fits")
    request = FileRequest(product=IMAGES, filename="imgf686111014N001_img0.fits")
    assert retriever.fetch(request, target) == ()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("imgf1N001.fits", "does not begin with a time of nine or more digits"),
        ("imgf.fits", "does not begin with a time"),
        (f"imgf{'9' * 400}.fits", "does not begin with a time"),
        ("imgf999999999999.fits", "its time 999999999999 is .*1990"),
    ],
)
def test_a_name_that_tells_no_day_is_refused(tree, target, retriever, days, name, problem):
    with pytest.raises(RetrievalError, match=problem):
        retriever.fetch(FileRequest(product=IMAGES, filename=name), target)


@pytest.mark.parametrize(
    "request_",
    [
        ObsidRequest(product=IMAGES, obsid=6000),
        TimeRequest(product=SIM, start=6e8, stop=6.1e8),
        FileRequest(product=SIM, filename="simf600000000N001_coor1.fits"),
    ],
    ids=str,
)
def test_a_tree_is_not_searched_whole(target, retriever, request_):
    with pytest.raises(RetrievalError, match=r"is laid out By(Day|Obsid); ask by obsid for"):
        retriever.fetch(request_, target)
