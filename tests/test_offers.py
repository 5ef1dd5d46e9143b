"""Offers: their names, the options that a site may set, and declarations as values that never change."""

import pickle
import re
import string
from pathlib import Path

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import aca_core
from aca_core import (
    ArchiveProduct,
    ByDay,
    ByObsid,
    Catalogue,
    Change,
    Column,
    ColumnStore,
    DarkSource,
    DatedTree,
    Day,
    DeclarationError,
    ElementShape,
    FetchWindow,
    FileRequest,
    FitsColumns,
    FromArchive,
    FromName,
    IngestedFile,
    InputRange,
    Keyword,
    ObsidRequest,
    ObsidRevision,
    Offer,
    ParameterColumns,
    PlannedStar,
    ProbabilityModel,
    ProcessingRun,
    Retriever,
    RowCount,
    Supersession,
    TimeRequest,
    Version,
    Work,
    site_option,
)
from aca_core._checks import as_tuple
from aca_core._frozen import FrozenMapping
from aca_core.offers import is_valid_name, site_options

# ---- names ----------------------------------------------------------------------------------------------------------

DESIGN = r"[a-z0-9]+([-_][a-z0-9]+)*"
NEAR_NAMES = st.text(alphabet="az09--__ A.\n\u00e9\u0663")


@given(st.text() | NEAR_NAMES | st.from_regex(DESIGN, fullmatch=True))
@example("asp1\n")
@example("asp1-")
@example("asp1-_x")
@example("\u0663")
def test_a_name_is_what_the_design_says_and_offers_take_no_other(name):
    expected = re.fullmatch(DESIGN, name) is not None
    in_words = all(part and set(part) <= {*string.ascii_lowercase, *string.digits} for part in re.split("[-_]", name))
    assert expected == in_words
    assert is_valid_name(name) is expected
    if expected:
        assert Offer(name=name).name == name
    else:
        with pytest.raises(DeclarationError) as caught:
            Offer(name=name)
        error = caught.value
        assert (error.what, error.field, error.value) == ("Offer", "name", name)
        assert error.expected == f"lower-case letters and digits, joined by single '-' or '_' ({DESIGN})"


@pytest.mark.parametrize("name", [None, 7, b"asp1", ["asp1"], ("a",)], ids=repr)
def test_a_name_is_text(name):
    assert is_valid_name(name) is False
    with pytest.raises(DeclarationError, match=rf"^DatedTree: name is {re.escape(repr(name))}; expected lower-case"):
        DatedTree(name=name, root="darks", image_file="map.fits")


def test_a_name_must_be_given_and_only_by_keyword():
    with pytest.raises(TypeError, match="'name'"):
        Offer()
    with pytest.raises(TypeError, match="positional"):
        Offer("asp1")


# ---- several values -------------------------------------------------------------------------------------------------


@given(st.lists(st.text(max_size=4), max_size=4))
def test_several_values_become_a_tuple_and_a_string_stays_whole(values):
    assert as_tuple(values) == as_tuple(tuple(values)) == tuple(values)
    assert as_tuple(set(values)) == tuple(sorted(set(values)))
    assert as_tuple("asp1") == "asp1"
    assert as_tuple(None) is None


# ---- options of a site ----------------------------------------------------------------------------------------------


def _not_negative(instance, attribute, value):
    if value < 0:
        raise ValueError(f"{attribute.name} is {value}; expected 0 or more boards")


@attrs.frozen(kw_only=True)
class Shelf(Offer):
    section = "shelves"

    root: Path = site_option(help="folder of the shelf", converter=Path)
    depth: int = site_option(3, help="how many boards", validator=_not_negative, metadata={"unit": "boards"})
    colour: str = "grey"


@attrs.frozen(kw_only=True)
class TallShelf(Shelf):
    height: float = site_option(2.0, help="height, m")


def test_a_site_may_set_what_is_declared_with_site_option_and_nothing_else():
    assert site_options(Offer) == {}
    assert site_options(Shelf) == {"root": "folder of the shelf", "depth": "how many boards"}
    assert list(site_options(TallShelf)) == ["root", "depth", "height"]


def test_an_option_is_an_ordinary_field_of_the_declaration():
    shelf = Shelf(name="north", root="shelf")
    assert (shelf.root, shelf.depth) == (Path("shelf"), 3)
    assert attrs.evolve(shelf, depth=5).depth == 5
    assert attrs.fields(Shelf).depth.metadata["unit"] == "boards"
    with pytest.raises(ValueError, match="depth is -1; expected 0 or more boards"):
        attrs.evolve(shelf, depth=-1)
    with pytest.raises(TypeError, match="'root'"):
        Shelf(name="north")


def test_what_the_core_declares_open_to_sites():
    assert site_options(DatedTree) == {"root": "folder that holds the YYYYDOY folders"}
    assert list(site_options(ArchiveProduct)) == ["discard", "bad_obsids"]
    assert site_options(DarkSource) == site_options(Retriever) == site_options(Catalogue) == {}
    assert site_options(ProbabilityModel) == {}


def test_each_kind_has_its_section_and_its_noun():
    kinds = {
        type(offer): (offer.section, offer.noun)
        for offer in (SIM(), TREE(), MODEL(), GUIDE(), NOWHERE(), EMPTY(), Offer(name="bare"))
    }
    assert kinds == {
        ArchiveProduct: ("products", "archive product"),
        DatedTree: ("dark_sources", "dark source"),
        Straight: ("models", "acquisition model"),
        Bent: ("models", "guide model"),
        Nowhere: ("retrievers", "retriever"),
        Empty: ("catalogues", "catalogue"),
        Offer: ("", "offer"),
    }


# ---- declarations are values ----------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Straight(ProbabilityModel):
    slope: float = 1.0

    def success(self, stars):
        return (12.0 - stars.mag) / 7.0 * self.slope


@attrs.frozen(kw_only=True)
class Bent(Straight):
    pass


@attrs.frozen(kw_only=True)
class Nowhere(Retriever):
    def probe(self, request, scratch):
        return ()

    def fetch(self, request, folder):
        return ()


@attrs.frozen(kw_only=True)
class Empty(Catalogue):
    def new_work(self, work, after):
        return ()

    def runs(self, work, obsid, *, obi=None, revision=None):
        return ()

    def obis(self, obsid):
        return ()


def SIM(**changes):  # noqa: N802  # these functions stand for declarations
    fields = {
        "name": "sim1",
        "label": "SIM level 1",
        "version": Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
        "columns": FitsColumns("tstart", "tstop", "content", "revision", "date", Column("slot", "int")),
        "content_types": ["SIMCOOR"],
        "dialects": {"arc5gl": {"probe": "sim1"}},
        "indexes": [["tstart", "tstop"]],
        "work": Work(table="sim_1", id="sim_1_id"),
    }
    return ArchiveProduct(**{**fields, **changes})


def TREE(**changes):  # noqa: N802
    return DatedTree(**{"name": "night", "root": "darks", "image_file": "map.fits", **changes})


def MODEL(**changes):  # noqa: N802
    fields = {"name": "straight", "kind": "acquisition", "ranges": {"mag": InputRange(5, 12)}}
    return Straight(**{**fields, **changes})


def GUIDE():  # noqa: N802
    return Bent(name="bent", kind="guide")


def NOWHERE(**changes):  # noqa: N802
    return Nowhere(**{"name": "nowhere", **changes})


def EMPTY(**changes):  # noqa: N802
    return Empty(**{"name": "empty", **changes})


# Each class of declarations: how one is made, and how another one differs from it.
DECLARATIONS = {
    ArchiveProduct: (SIM, lambda: SIM(dialects={"arc5gl": {"probe": "sim"}})),
    Version: (
        lambda: Version(glob="*fidpr*", pattern=r"N(\d{3})_"),
        lambda: Version(glob="*fid*", pattern=r"N(\d{3})_"),
    ),
    Supersession: (
        lambda: Supersession(group=["slot"], same=["filetime"]),
        lambda: Supersession(group=["slot"], same=["tstart"]),
    ),
    ColumnStore: (lambda: ColumnStore(group=["slot"]), lambda: ColumnStore(group=["slot"], margin=5.0)),
    FetchWindow: (FetchWindow, lambda: FetchWindow(days=1)),
    IngestedFile: (
        lambda: IngestedFile(ingested=1.0, filename="a.fits"),
        lambda: IngestedFile(ingested=2.0, filename="a.fits"),
    ),
    Work: (lambda: Work(table="aspect_1", id="aspect_1_id"), lambda: Work(table="aspect_1", id="obsid")),
    FitsColumns: (lambda: FitsColumns("tstart", "tstop"), lambda: FitsColumns("tstart", "tstop", hdu=2)),
    ParameterColumns: (lambda: ParameterColumns(Column("obs_id")), lambda: ParameterColumns(Column("obs_id", "int"))),
    Column: (
        lambda: Column("slot", "int", source=FromName(r"_(\d)_img0"), required=True),
        lambda: Column("slot", "int", source=FromName(r"_(\d)_img"), required=True),
    ),
    Keyword: (lambda: Keyword("TSTART"), lambda: Keyword("TSTOP")),
    FromName: (lambda: FromName(r"N(\d{3})"), lambda: FromName(r"N(\d+)")),
    FromArchive: (FromArchive, RowCount),
    RowCount: (RowCount, lambda: Keyword("NAXIS2")),
    ElementShape: (lambda: ElementShape("IMGRAW"), lambda: ElementShape("IMGRAW", axis=1)),
    ByObsid: (ByObsid, ByDay),
    ByDay: (ByDay, ByObsid),
    ObsidRevision: (lambda: ObsidRevision(6000, 3), lambda: ObsidRevision(6000, 4)),
    Day: (lambda: Day(2019, 272), lambda: Day(2019, 273)),
    Change: (
        lambda: Change(product="asp1", unit=ObsidRevision(6000, 3), added=["a.fits"], default_after=3),
        lambda: Change(product="asp1", unit=ObsidRevision(6000, 3), removed=["a.fits"], default_after=3),
    ),
    DatedTree: (TREE, lambda: TREE(root="nights")),
    InputRange: (lambda: InputRange(5, 12), lambda: InputRange(5, 12, outside="extrapolate")),
    ProbabilityModel: (MODEL, lambda: MODEL(slope=2.0)),
    Retriever: (NOWHERE, lambda: NOWHERE(label="no place")),
    Catalogue: (EMPTY, lambda: EMPTY(name="void")),
    ObsidRequest: (
        lambda: ObsidRequest(product=SIM(), obsid=6000),
        lambda: ObsidRequest(product=SIM(), obsid=6000, version="last"),
    ),
    TimeRequest: (
        lambda: TimeRequest(product=SIM(), start=1.0, stop=2.0),
        lambda: TimeRequest(product=SIM(), start=1.0, stop=3.0),
    ),
    FileRequest: (
        lambda: FileRequest(product=SIM(), filename="a.fits"),
        lambda: FileRequest(product=SIM(), filename="b.fits"),
    ),
    ProcessingRun: (
        lambda: ProcessingRun(id=1, obsid=6000, obi=0, revision=2),
        lambda: ProcessingRun(id=2, obsid=6000, obi=0, revision=2),
    ),
    PlannedStar: (
        lambda: PlannedStar(slot=3, type="guide", id=11, y_ang=1.0, z_ang=2.0),
        lambda: PlannedStar(slot=3, type="fid", id=11, y_ang=1.0, z_ang=2.0),
    ),
    Offer: (lambda: Offer(name="bare"), lambda: Offer(name="bare", label="nothing else")),
    # Not exported, but a field of many of them.
    FrozenMapping: (lambda: FrozenMapping({"mag": InputRange(5, 12)}), lambda: FrozenMapping({"mag": 5})),
}
# A base class without instances of its own, what a reader finds, and what is tested with configuration and registry.
ELSEWHERE = {
    *("DarkSource", "FileFacts", "Config", "ProductSet", "PluginSettings", "ProbabilitySettings", "DarkSettings"),
    *("PluginInfo", "ProductFunctions", "UpdateOptions", "UpdateReport"),
}


def test_every_declaration_class_is_tested_here():
    exported = {name: getattr(aca_core, name) for name in aca_core.__all__}
    classes = {name for name, value in exported.items() if isinstance(value, type) and attrs.has(value)}
    assert classes - ELSEWHERE == {cls.__name__ for cls in DECLARATIONS} - {"FrozenMapping"}


MAKERS = pytest.mark.parametrize(
    ("make", "make_other"), DECLARATIONS.values(), ids=[cls.__name__ for cls in DECLARATIONS]
)


@MAKERS
def test_a_declaration_is_equal_to_its_like_and_to_nothing_else(make, make_other):
    one, like, other = make(), make(), make_other()
    assert one is not like
    assert one == like
    assert hash(one) == hash(like)
    assert one != other
    assert len({one, like, other}) == 2


@MAKERS
def test_a_declaration_travels_to_other_processes(make, make_other):
    one = make()
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        arrived = pickle.loads(pickle.dumps(one, protocol))
        assert type(arrived) is type(one)
        assert arrived == one
        assert hash(arrived) == hash(one)
        assert repr(arrived) == repr(one)


@MAKERS
def test_a_declaration_cannot_be_changed(make, make_other):
    one = make()
    before = repr(one)
    fields = [field.name for field in attrs.fields(type(one))] if attrs.has(type(one)) else []
    for name in [*fields, "brand_new"]:
        with pytest.raises(AttributeError):
            setattr(one, name, None)
    for name in fields:
        with pytest.raises(AttributeError):
            delattr(one, name)
    assert repr(one) == before


def test_what_a_declaration_was_made_of_may_change_afterwards():
    words, inputs = {"probe": "sim1"}, ["mag"]
    product, model = SIM(dialects={"arc5gl": words}), MODEL(inputs=inputs)
    words["probe"] = "other"
    inputs.append("color")
    assert product == SIM()
    assert model == MODEL()
