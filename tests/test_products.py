"""Products: their schemas, their versions, which files they take, and which declarations are refused."""

import re
from pathlib import Path

import pytest
from aca_plugins.asp1 import ASP1
from aca_plugins.obspar import OBSPAR
from hypothesis import example, given
from hypothesis import strategies as st

from aca_core import (
    ArchiveProduct,
    ByDay,
    ByObsid,
    Column,
    DeclarationError,
    FitsColumns,
    IntegrityError,
    ParameterColumns,
    Version,
    Work,
    columns_from_text,
)
from aca_core.testing import write_parameter_file


def sim(**changes):
    """Declare the product of the README, changed."""
    fields = {
        "name": "sim1",
        "label": "SIM level 1",
        "version": Version(glob="*coor*", pattern=r"simf\d+N(\d{3})_"),
        "columns": FitsColumns("tstart", "tstop", "content", "revision", "date"),
        "content_types": ("SIMCOOR",),
    }
    return ArchiveProduct(**{**fields, **changes})


def schema_of(product):
    return [(column.name, column.type) for column in product.schema]


def required_of(product):
    return {column.name for column in product.schema if column.required}


# ---- the indexes of the flight archive ------------------------------------------------------------------------------


def test_the_index_of_asp1_is_that_of_the_flight_archive():
    assert schema_of(ASP1) == [
        ("filename", "text"),
        ("filetime", "int"),
        ("year", "int"),
        ("doy", "int"),
        ("tstart", "float"),
        ("tstop", "float"),
        ("checksum", "text"),
        ("ascdsver", "text"),
        ("caldbver", "text"),
        ("content", "text"),
        ("revision", "int"),
        ("obsid", "int"),
        ("date", "text"),
        ("isdefault", "int"),
    ]
    assert required_of(ASP1) == {"filename", "filetime", "year", "doy", "tstart", "tstop", "obsid", "date"}
    assert ASP1.key == ("filename",)
    assert ASP1.indexes == (("filetime",), ("obsid",), ("tstart",), ("tstop",))
    assert ASP1.layout == ByObsid()


OBSPAR_SCHEMA = """
    filename:text obsid:int title:text observer:text ao:text object:text ss_object:text obs_id:text obi_num:int
    seq_num:text instrume:text grating:text detector:text detnam:text si_mode:text optical_monitor:text
    raster_scan:text dither:text dither_y_amp:float dither_z_amp:float dither_y_freq:float dither_z_freq:float
    dither_y_phase:float dither_z_phase:float ra_pnt:float dec_pnt:float roll_pnt:float ra_targ:float dec_targ:float
    y_det_offset:float z_det_offset:float radial_offset:float defocus:float sim_z_offset:float pre_id:text
    uninterrupted:text seg_max_num:int ra_nom:float dec_nom:float roll_nom:float date_obs:text date_end:text
    tstart:float tstop:float sched_start:float sched_stop:float sched_exp_time:float obs_mode:text maneuver:text
    maneuver_v1:float maneuver_v2:float maneuver_v3:float maneuver_angle:float maneuver_ref:text mjdref:float
    timezero:float timeunit:text timesys:text timversn:text datamode:text readmode:text ccdi0_on:text ccdi1_on:text
    ccdi2_on:text ccdi3_on:text ccds0_on:text ccds1_on:text ccds2_on:text ccds3_on:text ccds4_on:text ccds5_on:text
    dropped_chip_count:int onchip_sum:text sumrow:int sumcol:int subarray:text startrow:int rowcnt:int
    subarray_frame_time:float duty_cycle:text dtycycle:int exptimea:float exptimeb:float most_efficient:text
    eventfilter:text phamin:float pharange:float bias_request:text mode:text mission:text telescop:text sim_x:float
    sim_y:float sim_z:float foc_len:float py_shutter_position:int my_shutter_position:int range_switch_level:int
    antico_enable:text upper_level_disc:int timing_mode:text trigger_level:int u_blank_hi:int u_blank_low:int
    v_blank_low:int v_blank_hi:int uld_enable:text zero_block:text blank_enable:text width_enable:text
    spect_mode:text width_threshold:int mt_a:float mt_aop:float mt_e:float mt_epoch:float mt_i:float mt_ma:float
    mt_raan:float timeref:text tassign:text origin:text ascdsver:text obi_data:text revision:int obspar_ver:int
    obspar_type:text obspar_stat:text content:text isdefault:int
"""


def test_the_index_of_obspar_is_that_of_the_flight_archive():
    expected = [tuple(each.split(":")) for each in OBSPAR_SCHEMA.split()]
    assert len(expected) == 130
    assert schema_of(OBSPAR) == expected
    assert required_of(OBSPAR) == {"filename", "obsid"}
    assert {column.name: column.default for column in OBSPAR.schema if column.default is not None} == {
        "content": "OBSPAR"
    }
    assert OBSPAR.key == ("filename",)
    assert OBSPAR.indexes == (("obsid",), ("tstart",), ("tstop",))


def test_the_built_in_products_say_where_their_work_is_listed():
    assert ASP1.work == Work(table="aspect_1", id="aspect_1_id", reviewed_as_science=True)
    assert OBSPAR.work == Work(table="obidet_0_5", id="obidet_0_5_id")
    assert (ASP1.recheck, OBSPAR.recheck) == (False, True)
    assert (ASP1.provides, OBSPAR.provides) == ((), ("obsid-times",))
    assert {"ASPSOL", "ASPSOLOBI", "ACACAL", "ASPQUAL"} < set(ASP1.content_types)
    assert OBSPAR.content_types == ("OBSPAR",)


BAD_OBSIDS = """
    36 37 1452 1855 1856 2593 2586 2587 3366 3367 3679 3678 3685 3686 5049 5048 5047 5046 5964 5963 5962 5961 6447
    6448 6445 6446 61927 62248 62549 62550 62552 62553 62556 62558
"""


def test_the_observations_that_were_never_released_are_those_of_the_flight_archive():
    assert ASP1.bad_obsids == tuple(int(obsid) for obsid in BAD_OBSIDS.split())
    assert OBSPAR.bad_obsids == ()


def test_what_the_archive_fills_is_not_up_to_a_delivery(tmp_path):
    parameters = {"obs_id": "07000", "isdefault": 1}
    row = OBSPAR.describe(write_parameter_file(tmp_path / "axaff07000_000N002_obs0a.par", parameters))
    assert row["obsid"] == 7000
    assert row["content"] == "OBSPAR"
    assert row.get("isdefault") is None


# ---- schemas and indexes --------------------------------------------------------------------------------------------


def test_the_archives_columns_follow_the_readers_unless_their_place_is_named():
    assert [name for name, _ in schema_of(sim())][-4:] == ["revision", "date", "obsid", "isdefault"]
    listed = sim(columns=FitsColumns("isdefault", "revision", "obsid", "date"))
    assert [name for name, _ in schema_of(listed)][-4:] == ["isdefault", "revision", "obsid", "date"]
    by_day = sim(layout=ByDay(), version=None, columns=FitsColumns("date"))
    assert [name for name, _ in schema_of(by_day)] == ["filename", "filetime", "year", "doy", "date"]


def test_the_usual_columns_are_indexed_where_they_exist_and_nothing_else_is_said():
    assert sim().indexes == (("filetime",), ("obsid",), ("tstart",), ("tstop",))
    by_day = sim(layout=ByDay(), version=None, columns=FitsColumns("tstart"))
    assert by_day.indexes == (("filetime",), ("tstart",))
    assert sim(indexes=[["revision", "tstart"]]).indexes == (("revision", "tstart"),)
    assert sim(indexes=[]).indexes == ()
    assert sim(key=["filename", "revision"]).key == ("filename", "revision")


# ---- versions -------------------------------------------------------------------------------------------------------

DELIVERY = (
    "pcadf059904356N004_fidpr1.fits.gz",
    "pcadf059914356N004_fidpr1.fits.gz",
    "pcadf059904356N004_asol1.fits.gz",
    "pcadf00001_000N005_asol1.fits.gz",
    "asp_l1_f059904356N006_log.gz",
)


def test_the_version_of_a_delivery_is_read_from_the_files_that_carry_it():
    assert ASP1.version.of(DELIVERY) == 4
    assert ASP1.version.of(iter(DELIVERY[:1])) == 4
    assert ASP1.version.of(["pcadf059904356N103_fidpr1.fits.gz"]) == 103
    assert OBSPAR.version.of(["axaff07000_000N002_obs0a.par.gz"]) == 2
    assert OBSPAR.version.of(["axaff07000_000N000_obs0a.par"]) == 0


def test_a_delivery_without_a_carrier_has_no_version():
    assert ASP1.version.of(()) is None
    assert ASP1.version.of(DELIVERY[2:]) is None
    # Names are compared as they are: a capital letter makes another name.
    assert ASP1.version.of(["PCADF059904356N004_FIDPR1.FITS"]) is None


def test_a_carrier_without_a_version_is_refused():
    names = ["pcadf059904356N004_fidpr1.fits.gz", "fidprops.fits"]
    with pytest.raises(IntegrityError) as caught:
        ASP1.version.of(names)
    assert caught.value.path == ", ".join(names)
    assert caught.value.problem == r"no version in the name; expected a match of 'pcadf\\d+N(\\d{3})_'"


@given(st.lists(st.integers(0, 999), min_size=1, max_size=5), st.randoms(use_true_random=False))
@example([2, 0, 2], None)
def test_one_version_is_the_version_and_several_are_refused(versions, random):
    names = [f"pcadf{number:09d}N{version:03d}_fidpr1.fits.gz" for number, version in enumerate(versions)]
    if random:
        random.shuffle(names)
    found = sorted(set(versions))
    if len(found) == 1:
        assert ASP1.version.of(names) == found[0]
    else:
        listed = ", ".join(str(version) for version in found)
        with pytest.raises(IntegrityError, match=rf": several versions in one delivery: {listed}; expected one$"):
            ASP1.version.of(names)


@pytest.mark.parametrize(("pattern", "name"), [(r"N(\w{3})_", "simf1Nabc_coor1.fits"), (r"N(\d{3})?_", "simf1N_coor1")])
def test_a_version_that_is_no_number_is_refused(pattern, name):
    with pytest.raises(IntegrityError, match=name):
        Version(glob="*coor*", pattern=pattern).of([name])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"simf\d+N\d{3}_", "a regular expression with exactly one group"),
        (r"(simf)\d+N(\d{3})_", "a regular expression with exactly one group"),
        (r"N(\d{3}_", "a regular expression (missing ), unterminated subpattern at position 1)"),
        (None, "a regular expression with exactly one group"),
    ],
)
def test_the_pattern_of_a_version_has_one_group(pattern, expected):
    with pytest.raises(DeclarationError) as caught:
        Version(glob="*", pattern=pattern)
    error = caught.value
    assert (error.what, error.field, error.value) == ("Version", "pattern", pattern)
    assert error.expected == expected


# ---- which files ----------------------------------------------------------------------------------------------------

FATES = {
    "takes": [
        *(f"pcadf059904356N004_{kind}.fits.gz" for kind in ("asol1", "acal1", "aqual1", "acen1", "gspr1", "fidpr1")),
        *("pcadf059904356N004_gcal1.fits.gz", "pcadf059904356N004_bpix1.fits", "pcadf29878_000N001_asol1.fits.gz"),
    ],
    "keeps_beside": ["asp_l1_f059904356N004_log.gz", "asp_l1_f059904356N004.log.gz", "asp_l1_comb.fits_log.gz"],
    "drops": [
        *(f"pcadf059904356N004_adat{slot}1.fits.gz" for slot in range(8)),
        *("pcadf059904356N004_gdat1.fits.gz", "pcadf059904356N004_kalm1.fits.gz", "pcadf059904356N004_kalm1.log.gz"),
    ],
    None: ["axaff00001_000N002_obs0a.par.gz", "readme.txt", "pcadf059904356N004_ASOL1.FITS", "log.gz.tmp", ""],
}


def fate_of(product, name):
    """Return the name of the one question that the product says yes to, or None."""
    answers = [question for question in ("takes", "keeps_beside", "drops") if getattr(product, question)(name)]
    assert len(answers) <= 1, f"{name} has several fates: {answers}"
    return answers[0] if answers else None


@pytest.mark.parametrize(("fate", "name"), [(fate, name) for fate, names in FATES.items() for name in names])
def test_each_file_of_an_aspect_delivery_has_one_fate(fate, name):
    assert fate_of(ASP1, name) == fate


def test_obspars_are_taken_and_nothing_else():
    assert fate_of(OBSPAR, "axaff07000_000N002_obs0a.par.gz") == "takes"
    assert fate_of(OBSPAR, "axaff07000_000N002_obs0a.par") == "takes"
    assert fate_of(OBSPAR, "pcadf059904356N004_asol1.fits.gz") is None


PIECES = st.lists(st.sampled_from(["pcadf1N004_", "asol1", "adat", "kalm1", ".fits", ".gz", "log.gz", "\n", "/", "é"]))


@given(st.text() | PIECES.map("".join))
def test_no_name_has_two_fates(name):
    fate_of(ASP1, name)
    assert fate_of(sim(), name) == ("keeps_beside" if name.endswith("log.gz") else "takes")


# ---- refused declarations -------------------------------------------------------------------------------------------

SCHEMA = "filename, filetime, year, doy, tstart, tstop, content, revision, date, obsid, isdefault"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"indexes": [["tstart", "slot"], ["tstop"]]},
            "ArchiveProduct 'sim1': key, indexes, supersedes and column_store is ['slot']; "
            f"expected columns of the schema: {SCHEMA}",
        ),
        (
            {"key": ["slot", "filename"]},
            "ArchiveProduct 'sim1': key, indexes, supersedes and column_store is ['slot']; "
            f"expected columns of the schema: {SCHEMA}",
        ),
        (
            {"columns": FitsColumns("tstart", "revision", Column("tstart", "float"), "revision")},
            "ArchiveProduct 'sim1': columns is ['revision', 'tstart']; expected each column once",
        ),
        (
            {"version": None},
            "ArchiveProduct 'sim1': version is None; expected a Version, since products by obsid are kept by revision",
        ),
        (
            {"columns": FitsColumns("date")},
            "ArchiveProduct 'sim1': columns is ['filename', 'filetime', 'year', 'doy', 'date', 'obsid', 'isdefault'];"
            " expected also revision, by which ByObsid() files them",
        ),
        (
            {"columns": ParameterColumns(*columns_from_text("int doy")), "layout": ByDay()},
            "ArchiveProduct 'sim1': columns is ['filename', 'doy']; expected also year, by which ByDay() files them",
        ),
        (
            {"columns": ("tstart", "tstop")},
            "ArchiveProduct: columns is ('tstart', 'tstop');"
            " expected a ColumnReader such as FitsColumns('tstart', 'tstop')",
        ),
        (
            {"file_names": "simf/*.fits"},
            "ArchiveProduct 'sim1': file_names is 'simf/*.fits'; expected a glob of base names, without a folder",
        ),
        (
            {"provides": ["obsid-times", "Obsid times"]},
            "ArchiveProduct 'sim1': provides is 'Obsid times'; expected role names such as 'obsid-times'",
        ),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_a_declaration_that_cannot_be_right_is_refused(changes, message):
    with pytest.raises(DeclarationError) as caught:
        sim(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("field", ["content_types", "key", "companions", "discard", "provides"])
def test_one_string_for_several_is_refused_and_the_field_is_named(field):
    with pytest.raises(DeclarationError, match=r"is 'SIMCOOR'; expected a list of strings$") as caught:
        sim(**{field: "SIMCOOR"})
    assert field in str(caught.value)


def test_a_set_of_mixed_things_is_refused_like_a_list_of_them():
    with pytest.raises(
        DeclarationError, match=r"^ArchiveProduct 'sim1': content_types is .*; expected a list of strings$"
    ):
        sim(content_types={"SIMCOOR", 7})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", r"simf\d+N(\d{3})_"),
        ("layout", ByDay),
        ("layout", ByObsid),
        ("layout", "by-day"),
        ("label", 3),
        ("dialects", "arc5gl"),
        ("dialects", {"arc5gl": "sim1"}),
        ("work", "sim_1"),
        ("file_names", None),
    ],
    ids=str,
)
def test_a_field_of_another_type_is_refused_when_it_is_declared(field, value):
    # Otherwise the mistake shows when the archive is at work, far from the line that made it.
    with pytest.raises(DeclarationError, match=rf"\b{field} is {re.escape(repr(value))}; expected "):
        sim(**{field: value})


@pytest.mark.parametrize("obsid", [1.5, -1, 100_000, "36", True, None], ids=repr)
def test_bad_obsids_are_obsids(obsid):
    with pytest.raises(DeclarationError) as caught:
        sim(bad_obsids=[36, obsid])
    assert str(caught.value) == (
        f"ArchiveProduct 'sim1': bad_obsids is (36, {obsid!r}); "
        "expected whole numbers from 0 to 99999, or a file of them"
    )


def test_bad_obsids_are_listed_or_lie_in_a_file():
    assert sim(bad_obsids=[37, 36]).bad_obsids == (37, 36)
    assert sim(bad_obsids="bad_obsids.dat").bad_obsids == Path("bad_obsids.dat")


def test_the_glob_of_a_version_is_text():
    with pytest.raises(DeclarationError, match=r"^Version: glob is 3; expected "):
        Version(glob=3, pattern=r"(\d)")
