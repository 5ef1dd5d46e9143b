"""The contract kit: good plugins pass it, and each kind of fault is found by the test that is meant for it."""

from __future__ import annotations

import astropy.io.fits  # noqa: F401  # what the inner runs import must be there before: they forget what is new
import pytest
import sqlite_utils  # noqa: F401

import aca_core.archive.running
import aca_core.archive.verify
import aca_core.testing.archiving
import aca_core.testing.contracts
import aca_core.testing.dark_contract
import aca_core.testing.factories
import aca_core.testing.model_contract  # noqa: F401

pytest_plugins = ["pytester"]

# Without the plugins that would only cost the inner runs time.
QUIETLY = [word for name in ("randomly", "cacheprovider", "hypothesispytest") for word in ("-p", f"no:{name}")]

HEADER = """
import attrs
import pytest
from pathlib import Path
from aca_core import *
from aca_core.testing import *
"""

GOOD = {
    "product": (
        "ArchiveProductContract",
        """
PRODUCT = ArchiveProduct(
    name="sim1", label="SIM", version=Version(glob="*", pattern=r"N(\\d{3})_"), content_types=["SIMCOOR"],
    columns=FitsColumns("tstart", "tstop", "content", "revision", "date"))
""",
        """
    plugin_module = "declared"
    delivery = ("simf500000000N002_coor1.fits",)
    delivery_version = 2

    @pytest.fixture
    def product(self):
        from declared import PRODUCT
        return PRODUCT

    @pytest.fixture
    def sample_file(self, tmp_path):
        header = {"TSTART": 5e8, "TSTOP": 5.1e8, "CONTENT": "SIMCOOR", "REVISION": 2, "DATE": "2019-09-29"}
        return write_fits(tmp_path / "simf500000000N002_coor1.fits", header)
""",
    ),
    "archiving": (
        "ArchivingContract",
        """
PRODUCT = ArchiveProduct(
    name="sim1", label="SIM", version=Version(glob="*", pattern=r"N(\\d{3})_"), content_types=["SIMCOOR"],
    columns=FitsColumns("tstart", "tstop", "content", "revision", "date"), file_names="simf*")
""",
        """
    @pytest.fixture
    def product(self):
        from declared import PRODUCT
        return PRODUCT

    @pytest.fixture
    def write_files(self):
        def write_files(folder, unit):
            header = {"TSTART": 5e8, "TSTOP": 5.1e8, "CONTENT": "SIMCOOR", "REVISION": unit.revision, "DATE": "2019"}
            write_fits(folder / f"simf500000000N{unit.revision:03d}_coor1.fits", header)
        return write_files
""",
    ),
    "columns": (
        "ArchivingContract",
        """
PRODUCT = ArchiveProduct(
    name="tlm1", label="telemetry", layout=ByDay(), version=Version(glob="*", pattern=r"N(\\d{3})_"),
    columns=FitsColumns("tstart", "tstop", "revision", "date"), file_names="tlmf*",
    column_store=ColumnStore(group=["revision"], margin=1.0))
""",
        """
    @pytest.fixture
    def product(self):
        from declared import PRODUCT
        return PRODUCT

    @pytest.fixture
    def write_files(self):
        def write_files(folder, day):
            import numpy as np
            from aca_core.dates import to_secs
            start = float(to_secs(f"{day}:10:00:00"))
            header = {"TSTART": start, "TSTOP": start + 9.0, "REVISION": 1, "DATE": "2019"}
            columns = {"TIME": start + 3.0 * np.arange(4), "A": [4, 5, 6, 7]}
            write_fits(folder / f"tlmf{int(start)}N001_0.fits", header, columns)
        return write_files
""",
    ),
    "source": (
        "DarkSourceContract",
        """
TREE = DatedTree(name="night", label="maps", root=Path("absent"), image_file="image.fits",
                 properties_file="properties.json")
""",
        """
    plugin_module = "declared"

    @pytest.fixture
    def source(self, tmp_path):
        from declared import TREE
        write_dark_calibration(tmp_path / "darks", "2019272")
        return attrs.evolve(TREE, root=tmp_path / "darks")
""",
    ),
    "model": (
        "ProbabilityModelContract",
        """
@attrs.frozen(kw_only=True)
class Model(ProbabilityModel):
    def success(self, stars):
        import numpy as np
        return np.clip((12.0 - stars.mag) / 7.0 - 0.01 * (stars.t_ccd + 10), 0, 1) * np.where(stars.spoiler, 0.9, 1.0)

MODEL = Model(name="straight", label="a line", kind="guide", inputs=["mag", "t_ccd", "spoiler"], source="made up",
              ranges={"mag": InputRange(5, 12)})
""",
        """
    @pytest.fixture
    def model(self):
        from declared import MODEL
        return MODEL
""",
    ),
    "retriever": (
        "RetrieverContract",
        """
PRODUCT = ArchiveProduct(name="sim1", label="SIM", version=Version(glob="*", pattern=r"N(\\d{3})_"),
                         columns=FitsColumns("tstart", "tstop", "revision"))

@attrs.frozen(kw_only=True)
class Shelf(Retriever):
    def probe(self, request, scratch):
        return ("a_N001_.fits",) if request.obsid == 7000 else ()
    def fetch(self, request, folder):
        for name in self.probe(request, folder):
            (folder / name).write_bytes(b"data")
        return self.probe(request, folder)

SHELF = Shelf(name="shelf", label="a shelf")
""",
        """
    @pytest.fixture
    def retriever(self):
        from declared import SHELF
        return SHELF

    @pytest.fixture
    def request_(self):
        from declared import PRODUCT
        return ObsidRequest(product=PRODUCT, obsid=7000)
""",
    ),
    "catalogue": (
        "CatalogueContract",
        """
RUNS = [ProcessingRun(id=number, obsid=7000 + number, obi=0, revision=1) for number in (3, 5, 9)]

@attrs.frozen(kw_only=True)
class Listed(Catalogue):
    def new_work(self, work, after):
        return [run for run in RUNS if run.id > after]
    def runs(self, work, obsid, *, obi=None, revision=None):
        return [run for run in RUNS if run.obsid == obsid]
    def obis(self, obsid):
        return tuple(run.obi for run in RUNS if run.obsid == obsid)

LISTED = Listed(name="listed", label="a list")
""",
        """
    @pytest.fixture
    def catalogue(self):
        from declared import LISTED
        return LISTED

    @pytest.fixture
    def work(self):
        return Work(table="t", id="i")
""",
    ),
}


def outcomes(pytester, kind: str, *edits: tuple[str, str]) -> dict[str, str]:
    """Run the contract of a kind on its good declaration, changed by the edits; return what became of each test."""
    contract, declaration, body = GOOD[kind]
    for found, instead in edits:
        assert found in declaration + body
        declaration, body = declaration.replace(found, instead), body.replace(found, instead)
    pytester.makepyfile(declared=HEADER.replace("import pytest\n", "") + declaration)
    pytester.makepyfile(test_it=f"{HEADER}\nclass TestIt({contract}):{body}")
    pytester.syspathinsert()
    result = pytester.inline_run(*QUIETLY, "-q")
    found: dict[str, str] = {}
    for report in result.getreports("pytest_runtest_logreport"):
        name = report.nodeid.partition("::TestIt::")[2].partition("[")[0]
        if report.when == "call" or report.outcome != "passed":
            found[name] = "failed" if "failed" in (report.outcome, found.get(name)) else report.outcome
    return found


@pytest.mark.parametrize("kind", GOOD)
def test_a_good_declaration_passes_every_test_of_its_contract(pytester, kind):
    found = outcomes(pytester, kind)
    assert len(found) >= 7
    assert {name for name, outcome in found.items() if outcome == "skipped"} == NOT_FOR.get(kind, set())
    assert set(found.values()) <= {"passed", "skipped"}


COLUMN_TESTS = {
    "test_the_column_store_says_what_the_files_say",
    "test_a_killed_column_store_is_completed_by_the_next_change",
}
NOT_FOR = {"archiving": COLUMN_TESTS, "columns": {"test_a_release_moves_the_default"}}


FLAWS = [
    ("product", [('label="SIM"', 'label=" "')], {"test_says_what_it_is"}),
    ("product", [('PRODUCT = A', "import numpy\nPRODUCT = A")], {"test_is_imported_quickly"}),
    ("product", [("delivery_version = 2", "delivery_version = 3")], {"test_reads_the_version_of_a_delivery"}),
    ("product", [('"SIMCOOR", "REVISION"', '"OTHER", "REVISION"')], {"test_describes_a_file"}),
    ("product", [('"TSTART": 5e8, ', "")], {"test_describes_a_file"}),
    ("product", [('"tstop", "content",', '"tstop",')], {"test_content_types_can_be_asked_for"}),
    ("product", [('["SIMCOOR"]', '["SIMCOOR", "SIMCOOR"]')], {"test_content_types_can_be_asked_for"}),
    ("product", [('    plugin_module = "declared"\n', "")], {"test_is_imported_quickly"}),
    (
        "product",
        [('FitsColumns("tstart", "tstop", "content", "revision", "date"))', "Lax())"), ("PRODUCT = A", """
@attrs.frozen
class Lax(ColumnReader):
    columns: tuple[Column, ...] = (
        Column("filename"), Column("tstart", "float"), Column("content"), Column("revision", "int"))
    def facts(self, path):
        return FileFacts(path.name, {})
    def read(self, path):
        return {"filename": path.name, "tstart": "noon", "content": "SIMCOOR", "revision": 1}
PRODUCT = A""")],
        {"test_describes_a_file", "test_refuses_a_file_of_another_kind"},
    ),
    # Files of every version have the names of the first one.
    ("archiving", [("N{unit.revision:03d}_", "N001_")], {
        "test_updating_twice_is_updating_once", "test_a_release_moves_the_default",
    }),
    # Nothing that is delivered is indexed; that a damaged delivery leaves no trace is then no achievement.
    ("archiving", [('file_names="simf*"', 'file_names="other*"')], {
        "test_a_delivery_is_archived_whole", "test_updating_twice_is_updating_once", "test_files_are_found_by_time",
        "test_other_bytes_under_the_same_name_are_a_conflict", "test_a_release_moves_the_default",
        "test_a_damaged_delivery_leaves_no_trace", "test_a_killed_update_is_completed_by_the_next",
    }),
    # Rows that nobody finds by their time, and a column of times that is not there.
    ("columns", [('"TIME": start', '"TIME": start - 2.0')], COLUMN_TESTS),
    ("columns", [("margin=1.0", 'time="WHEN"')], COLUMN_TESTS),
    ("source", [('"2019272"', '"2019272", t_ccd="warm"')], {"test_reads_properties", "test_is_scaled_and_clipped"}),
    ("source", [('write_dark_calibration(tmp_path / "darks", "2019272")', "(tmp_path / 'darks').mkdir()")], {
        "test_lists_ids_in_order", "test_finds_the_folder", "test_reads_a_map", "test_hands_out_maps_of_their_own",
        "test_reads_properties", "test_hands_out_properties_of_their_own", "test_stamps_what_does_not_change",
        "test_answers_the_same_where_it_has_travelled", "test_is_selected_by_date", "test_is_scaled_and_clipped",
        "test_makes_a_table",
    }),
    # What it hands out is what it keeps.
    ("source", [("TREE = DatedTree(", """
import functools

@functools.cache
def kept(path):
    return {"ccd_temp": -10.0, "replicas": [{"count": 1}]}

@attrs.frozen(kw_only=True)
class Careless(DatedTree):
    def properties(self, dark_id):
        self.directory(dark_id)
        return kept(dark_id)
TREE = Careless(""")], {"test_hands_out_properties_of_their_own", "test_makes_a_table"}),
    # A stamp that is another one at each look, and one that does not tell calibrations apart.
    ("source", [("TREE = DatedTree(", """
@attrs.frozen(kw_only=True)
class Careless(DatedTree):
    def stamp(self, dark_id):
        return object()
TREE = Careless(""")], {"test_stamps_what_does_not_change", "test_says_what_is_missing"}),
    ("source", [('write_dark_calibration(tmp_path / "darks", "2019272")', """
        [write_dark_calibration(tmp_path / "darks", each) for each in ("2019272", "2019273")]"""),
        ("TREE = DatedTree(", """
@attrs.frozen(kw_only=True)
class Careless(DatedTree):
    def stamp(self, dark_id):
        return 1 if dark_id in self.ids() else None
TREE = Careless(""")], {"test_stamps_what_does_not_change"}),
    # In another process its maps are in other units.
    ("source", [("TREE = DatedTree(", """
import functools

@attrs.frozen(kw_only=True)
class Careless(DatedTree):
    unit: float = attrs.field(default=1.0, eq=False)
    def image(self, dark_id):
        return super().image(dark_id) * self.unit
    def __reduce__(self):
        sent = attrs.asdict(self, recurse=False, filter=lambda field, value: field.name != "unit")
        return functools.partial(Careless, **sent), ()
TREE = Careless(unit=2.0, """)], {"test_answers_the_same_where_it_has_travelled"}),
    ("source", [("TREE = DatedTree(", """
import functools

@functools.cache
def kept(path):
    import numpy as np
    return np.zeros((1024, 1024), dtype=">f4")

@attrs.frozen(kw_only=True)
class Careless(DatedTree):
    def ids(self):
        return ("2019272", "2019001")
    def image(self, dark_id):
        return kept(dark_id)
TREE = Careless(""")], {
        "test_lists_ids_in_order", "test_reads_a_map", "test_hands_out_maps_of_their_own", "test_says_what_is_missing",
        "test_answers_the_same_where_it_has_travelled", "test_is_selected_by_date", "test_makes_a_table",
    }),
    ("model", [(', source="made up"', "")], {"test_says_where_it_comes_from"}),
    ("model", [("stars.spoiler, 0.9", "stars.mag > stars.mag.sum() / (stars.mag.size + 1), 0.9")], {
        "test_treats_each_star_alone", "test_broadcasts",
    }),
    ("model", [("np.clip((12.0", "np.nan_to_num((12.0"), (", 0, 1)", ")")], {"test_keeps_nan"}),
    ("model", [("(12.0 - stars.mag)", "(stars.mag - 5.0)")], {"test_falls_with_magnitude_and_with_the_dark_current"}),
    ("model", [("- 0.01 * (stars.t_ccd", "+ 0.01 * (stars.t_ccd")], {
        "test_falls_with_magnitude_and_with_the_dark_current",
    }),
    ("model", [
        ('"spoiler"], source', '"spoiler", "color"], source'),
        ("return np.clip(", "return np.where(stars.color == 1.5, np.nan, 0 * stars.color) + np.clip("),
    ], {
        "test_is_finite_in_its_ranges", "test_leaves_out_what_is_not_known",
        "test_falls_with_magnitude_and_with_the_dark_current",
    }),
    ("model", [("(stars.t_ccd + 10)", "1 / (stars.mag - 12)")], {
        "test_keeps_nan", "test_is_finite_in_its_ranges", "test_answers_in_the_shape_of_the_question",
        "test_treats_each_star_alone", "test_broadcasts", "test_gives_the_same_where_it_has_travelled",
    }),
    ("model", [("stars.spoiler", "stars.color > 1")], {
        "test_keeps_nan", "test_is_finite_in_its_ranges", "test_answers_in_the_shape_of_the_question",
        "test_treats_each_star_alone", "test_broadcasts", "test_gives_the_same_where_it_has_travelled",
        "test_answers_one_star_with_a_number", "test_stays_within_its_limits",
        "test_is_clipped_to_its_ranges", "test_leaves_out_what_is_not_known", "test_reports_what_it_does_not_use",
        "test_falls_with_magnitude_and_with_the_dark_current",
    }),
    ("model", [("return np.clip", "return [1] or np.clip")], {
        "test_keeps_nan", "test_answers_in_the_shape_of_the_question", "test_treats_each_star_alone", "test_broadcasts",
        "test_answers_one_star_with_a_number", "test_stays_within_its_limits",
        "test_is_clipped_to_its_ranges", "test_leaves_out_what_is_not_known", "test_reports_what_it_does_not_use",
        "test_falls_with_magnitude_and_with_the_dark_current",
    }),
    ("model", [
        ("        return np.clip(", "        return np.sqrt(11.5 - stars.mag) * 0 + np.clip("),
        ("InputRange(5, 12)", "InputRange(5, 11, outside='extrapolate')"),
    ], {"test_stays_within_its_limits"}),
    ("model", [("MODEL = M", """
@attrs.frozen(kw_only=True)
class Drifting(Model):
    def input_ranges(self):
        return {"mag": InputRange(5, 12), "color": InputRange(0, 1)}
MODEL = Drifting(name="drifting", label="a line", kind="guide", inputs=["mag", "t_ccd", "spoiler"], source="made up")
UNUSED = M""")], {
        "test_has_ranges_of_its_inputs",
        "test_answers_one_star_with_a_number", "test_stays_within_its_limits",
        "test_is_clipped_to_its_ranges", "test_leaves_out_what_is_not_known", "test_reports_what_it_does_not_use",
        "test_falls_with_magnitude_and_with_the_dark_current",
    }),
    ("model", [("    def success", """    slope: float = site_option(0.01, help="per degC")
    def provenance(self):
        return {"source": self.source, "steps": 3}
    def success""")], {"test_says_where_it_comes_from"}),
    ("model", [("    def success", """    def __getstate__(self):
        return {"name": self.name}
    def success""")], {"test_travels_to_other_processes", "test_gives_the_same_where_it_has_travelled"}),
    ("model", [("@attrs.frozen(kw_only=True)\n", "")], {"test_cannot_be_changed"}),
    ("model", [("    def success", "    how: object = attrs.field(factory=lambda: lambda: 1)\n    def success")], {
        "test_travels_to_other_processes", "test_gives_the_same_where_it_has_travelled",
    }),
    ("model", [("    def success", "    how: 'Absent' = site_option(1, help='x')\n    def success")], {
        "test_takes_a_sites_options",
    }),
    ("retriever", [("for name in self.probe(request, folder):", "for name in ['b']:")], {"test_brings_what_it_probed"}),
    ("retriever", [("(folder / name)", "(folder.parent / name)")], {"test_brings_what_it_probed"}),
    ("retriever", [(" if request.obsid == 7000 else ()", "")], {"test_finds_nothing_for_a_stranger"}),
    ("catalogue", [("if run.id > after", "if run.id >= after")], {"test_lists_new_work_in_order"}),
    ("catalogue", [("(3, 5, 9)", "(3, 9, 5)")], {"test_lists_new_work_in_order"}),
    ("catalogue", [("return tuple(run.obi for run in RUNS if run.obsid == obsid)", "return (1, 0)")], {
        "test_knows_the_runs_of_an_obsid", "test_knows_nothing_of_a_stranger",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "edits", "failing"), FLAWS)
def test_a_flaw_is_found_by_the_tests_that_are_meant_for_it(pytester, kind, edits, failing):
    found = outcomes(pytester, kind, *edits)
    assert {name for name, outcome in found.items() if outcome == "failed"} == failing


@pytest.mark.parametrize(
    ("kind", "fixture", "skipped"),
    [
        ("product", "sample_file", {"test_describes_a_file"}),
        ("retriever", "request_", {"test_brings_what_it_probed", "test_finds_nothing_for_a_stranger"}),
        (
            "catalogue",
            "work",
            {"test_lists_new_work_in_order", "test_knows_the_runs_of_an_obsid", "test_knows_nothing_of_a_stranger"},
        ),
    ],
)
def test_what_is_not_given_is_skipped_with_a_reason(pytester, kind, fixture, skipped):
    found = outcomes(pytester, kind, (f"    def {fixture}(self", f"    def un{fixture}(self"))
    assert {name for name, outcome in found.items() if outcome == "skipped"} == skipped
    assert set(found.values()) == {"passed", "skipped"}


def test_a_contract_without_its_fixture_says_which_to_override(pytester):
    pytester.makepyfile("from aca_core.testing import ProbabilityModelContract as C\nclass TestIt(C): pass")
    result = pytester.runpytest_inprocess(*QUIETLY)
    result.stdout.fnmatch_lines(["*override the fixture 'model'*"])
