"""Retrievers and catalogues: what may be asked of them and what they must answer; and changes, which tell of it."""

import re
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aca_core import (
    AcaError,
    ArchiveProduct,
    Catalogue,
    Change,
    Day,
    DeclarationError,
    FileRequest,
    FitsColumns,
    ObsidRequest,
    ObsidRevision,
    ProcessingRun,
    Retriever,
    TimeRequest,
    Version,
    Work,
    site_option,
)
from aca_core.testing import CatalogueContract, RetrieverContract

SIM = ArchiveProduct(
    name="sim1",
    version=Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "revision"),
    dialects={"shelf": {"probe": "sim1{coor}", "fetch": "sim1"}},
)


@attrs.frozen(kw_only=True)
class Shelf(Retriever):
    folder: Path = site_option(Path("delivered"), help="folder of delivered files")

    def probe(self, request, scratch):
        return sorted(path.name for path in self.folder.glob(f"*{request.obsid:05d}*"))

    def fetch(self, request, folder):
        names = self.probe(request, folder)
        for name in names:
            (folder / name).write_bytes((self.folder / name).read_bytes())
        return names


@attrs.frozen(kw_only=True)
class Listed(Catalogue):
    listed: tuple[ProcessingRun, ...] = ()

    def new_work(self, work, after):
        return sorted(run for run in self.listed if run.id > after)

    def runs(self, work, obsid, *, obi=None, revision=None):
        return [
            run
            for run in self.listed
            if run.obsid == obsid and obi in (None, run.obi) and revision in (None, run.revision)
        ]

    def obis(self, obsid):
        return tuple(sorted({run.obi for run in self.listed if run.obsid == obsid}))


class TestShelf(RetrieverContract):
    @pytest.fixture
    def retriever(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("delivered")
        for name in ("simf06000N002_coor1.fits", "simf06000N002_pos1.fits", "simf07000N001_coor1.fits"):
            (folder / name).write_text("synthetic")
        return Shelf(name="shelf", label="a folder", folder=folder)

    @pytest.fixture
    def request_(self):
        return ObsidRequest(product=SIM, obsid=6000)


class TestListed(CatalogueContract):
    @pytest.fixture
    def catalogue(self):
        runs = [(12, 7000, 1), (11, 6000, 0), (15, 7000, 0)]
        listed = tuple(ProcessingRun(id=id_, obsid=obsid, obi=obi, revision=2) for id_, obsid, obi in runs)
        return Listed(name="listed", label="a list", listed=listed)

    @pytest.fixture
    def work(self):
        return Work(table="sim_1", id="sim_1_id")


# ---- requests -------------------------------------------------------------------------------------------------------


@given(st.sampled_from(["default", "last"]) | st.integers(0, 999))
def test_a_version_is_the_released_one_the_newest_one_or_a_number(version):
    request = ObsidRequest(product=SIM, obsid=6000, version=version)
    assert request.version == version
    assert str(request) == f"sim1 of obsid 6000, version {version}"


@pytest.mark.parametrize("version", [-1, True, False, "newest", "3", "", None, 2.0, ("last",)], ids=repr)
def test_any_other_version_is_refused(version):
    message = f"version is {version!r}; expected 'default', 'last' or a whole number from 0 to 999"
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        ObsidRequest(product=SIM, obsid=6000, version=version)


def test_a_refused_version_is_an_error_of_ours():
    with pytest.raises(
        AcaError, match=r"version is 'newest'; expected 'default', 'last' or a whole number from 0 to 999$"
    ):
        ObsidRequest(product=SIM, obsid=6000, version="newest")


def test_requests_say_what_they_want():
    assert ObsidRequest(product=SIM, obsid=6000).version == "default"
    assert str(ObsidRequest(product=SIM, obsid=6000, obi=1, version=3)) == "sim1 of obsid 6000, version 3"
    assert str(TimeRequest(product=SIM, start=1.5, stop=2.5)) == "sim1 from 1.5 to 2.5"
    assert str(FileRequest(product=SIM, filename="simf1N002_coor1.fits")) == "sim1 file simf1N002_coor1.fits"


def test_a_product_is_asked_for_in_the_words_that_it_declares():
    assert Shelf(name="shelf").words(SIM) == {"probe": "sim1{coor}", "fetch": "sim1"}
    assert Shelf(name="attic").words(SIM) == {}
    assert Shelf(name="shelf").words(attrs.evolve(SIM, dialects={})) == {}
    with pytest.raises(TypeError):
        Shelf(name="shelf").words(SIM)["probe"] = "other"


# ---- what must be written, and what may be left out -----------------------------------------------------------------


@attrs.frozen(kw_only=True)
class OnlyProbe(Retriever):
    def probe(self, request, scratch):
        return ()


@attrs.frozen(kw_only=True)
class OnlyObis(Catalogue):
    def obis(self, obsid):
        return ()


@pytest.mark.parametrize(
    ("incomplete", "missing"),
    [
        (Retriever, ["fetch", "probe"]),
        (OnlyProbe, ["fetch"]),
        (Catalogue, ["new_work", "obis", "runs"]),
        (OnlyObis, ["new_work", "runs"]),
    ],
)
def test_a_class_without_its_methods_makes_no_offers_and_says_which(incomplete, missing):
    with pytest.raises(TypeError, match=r"abstract methods?") as caught:
        incomplete(name="some")
    message = str(caught.value)
    assert [name for name in ("fetch", "new_work", "obis", "probe", "runs") if name in message] == missing


def test_a_catalogue_need_not_know_of_science_targets_or_stars():
    catalogue, run = Listed(name="listed"), ProcessingRun(id=1, obsid=6000, obi=0, revision=2)
    assert catalogue.science_qualities(Work(table="aspect_1", id="aspect_1_id"), run) == ()
    assert catalogue.target_status(6000) is None
    assert catalogue.planned_stars(6000, 0) == ()


@given(st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 99_999)), unique_by=lambda pair: pair[0]))
def test_runs_sort_by_their_ids(pairs):
    runs = [ProcessingRun(id=id_, obsid=obsid, obi=0, revision=1) for id_, obsid in pairs]
    assert [run.id for run in sorted(runs)] == sorted(id_ for id_, _ in pairs)


# ---- changes --------------------------------------------------------------------------------------------------------


def test_a_change_says_whether_the_released_revision_moved():
    def change(before, after):
        return Change(product="sim1", unit=ObsidRevision(6000, 3), default_before=before, default_after=after)

    assert change(2, 3).moves_default
    assert change(None, 3).moves_default
    assert change(3, None).moves_default
    assert not change(3, 3).moves_default
    by_day = Change(product="aca0", unit=Day(2019, 272), added=["a.fits"])
    assert not by_day.moves_default
    assert (by_day.added, by_day.removed, by_day.replaced) == (("a.fits",), (), ())


@pytest.mark.parametrize("field", ["added", "removed", "replaced"])
def test_the_files_of_a_change_are_several(field):
    with pytest.raises(DeclarationError, match=rf"^Change: {field} is 'a\.fits'; expected a list of file names$"):
        Change(product="sim1", unit=ObsidRevision(6000, 3), **{field: "a.fits"})
