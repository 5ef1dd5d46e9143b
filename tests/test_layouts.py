"""Layouts: from units to folders and back, and what is no unit's folder."""

from datetime import date
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aca_core import ByDay, ByObsid, Day, DeclarationError, ObsidRevision

OBSIDS = st.integers(0, 99_999)
REVISIONS = st.integers(0, 999)
DAYS = st.dates(date(1990, 1, 1), date(2100, 12, 31)).map(lambda day: Day(day.year, day.timetuple().tm_yday))


@given(OBSIDS, REVISIONS)
@example(1, 4)
@example(99_999, 999)
def test_the_folder_of_a_revision_leads_back_to_it(obsid, revision):
    layout, unit = ByObsid(), ObsidRevision(obsid, revision)
    folder = layout.directory(unit)
    digits = str(obsid).rjust(5, "0")
    assert folder.parts == (digits[:2], f"{digits}_v{str(revision).rjust(2, '0')}")
    assert folder.name == str(unit)
    assert layout.unit_in(folder) == unit
    assert layout.unit_of({"obsid": obsid, "revision": revision, "filename": "any"}) == unit


@given(DAYS)
@example(Day(1990, 1))
@example(Day(2100, 365))
@example(Day(2000, 366))
def test_the_folder_of_a_day_leads_back_to_it(day):
    layout = ByDay()
    folder = layout.directory(day)
    assert folder.parts == (str(day.year), str(day.doy).rjust(3, "0"))
    assert layout.unit_in(folder) == day
    assert layout.unit_of({"year": day.year, "doy": day.doy}) == day
    assert str(day) == ":".join(folder.parts)


@pytest.mark.parametrize(
    ("obsid", "folder", "default", "last"),
    [
        (1, "00/00001_v02", "00/00001", "00/00001_last"),
        (6000, "06/06000_v02", "06/06000", "06/06000_last"),
        (62558, "62/62558_v02", "62/62558", "62/62558_last"),
    ],
)
def test_links_lie_beside_the_folders_that_they_lead_to(obsid, folder, default, last):
    layout = ByObsid()
    assert str(layout.directory(ObsidRevision(obsid, 2))) == folder
    assert str(layout.default_link(obsid)) == default
    assert str(layout.last_link(obsid)) == last
    # A link is no folder of a unit, or the archive would count revisions twice.
    assert layout.unit_in(layout.default_link(obsid)) is None
    assert layout.unit_in(layout.last_link(obsid)) is None


def test_versions_of_three_digits_are_kept_whole():
    layout = ByObsid()
    assert str(layout.directory(ObsidRevision(6000, 103))) == "06/06000_v103"
    assert layout.unit_in(PurePosixPath("06/06000_v103")) == ObsidRevision(6000, 103)
    assert layout.unit_in(PurePosixPath("06/06000_v10")) == ObsidRevision(6000, 10)


@pytest.mark.parametrize(
    "folder",
    [
        *(".", "06", "06000_v03", "asp1/06/06000_v03", "/06/06000_v03", "06/06000_v03/more", "../06/06000_v03"),
        *("07/06000_v03", "06/6000_v03", "06/006000_v03", "06/06000_v3", "06/06000_v003", "06/06000_v1000"),
        *("06/06000", "06/06000_last", "06/06000_vlast", "06/06000_v03.tmp", "06/.06000_v03", "06/06000_v03\n"),
        *("06/06000_V03", "06/06000_v-3", "06/06000_v0 3", "0\u0666/0\u0666000_v03", "temp/x", "archfiles.db3"),
        *("2019/272", "2019"),
    ],
)
def test_junk_is_no_revision(folder):
    assert ByObsid().unit_in(PurePosixPath(folder)) is None


@pytest.mark.parametrize(
    "folder",
    [
        *(
            ".",
            "2019",
            "272",
            "2019/000",
            "2019/366",
            "2019/367",
            "2019/400",
            "2019/72",
            "2019/0272",
            "19/272",
            "02019/272",
        ),
        *("1989/001", "3019/272", "2019/272/x", "/2019/272", "aca0/2019/272", "2019/272.tmp", "2019/27x"),
        *("2019/272\n", "2019:272", "06/06000_v03", "temp/x"),
    ],
)
def test_junk_is_no_day(folder):
    assert ByDay().unit_in(PurePosixPath(folder)) is None


# Names that look like those of folders, in digits of other scripts too.
DIGITS = st.text(alphabet="0012369\u0660\u0662\u0669", min_size=2, max_size=5)
NEAR_FOLDERS = st.one_of(
    st.builds("{}/{}".format, DIGITS, DIGITS),
    st.builds("{}/{}{}{}".format, DIGITS, DIGITS, st.sampled_from(["_v", "_V", "_", ""]), DIGITS),
    st.text(max_size=12),
)


@pytest.mark.parametrize("layout", [ByObsid(), ByDay()], ids=str)
@given(folder=NEAR_FOLDERS.filter(lambda text: "\0" not in text).map(PurePosixPath))
@example(folder=PurePosixPath("2019/27\u0662"))
@example(folder=PurePosixPath("20\u0661\u0669/272"))
def test_a_folder_that_is_a_units_is_the_one_that_the_unit_has(layout, folder):
    unit = layout.unit_in(folder)
    assert unit is None or layout.directory(unit) == folder


@pytest.mark.parametrize("obsid", [-1, 100_000, True, 6000.0, "6000", None], ids=repr)
def test_an_obsid_has_at_most_five_digits(obsid):
    with pytest.raises(DeclarationError) as caught:
        ObsidRevision(obsid, 3)
    assert str(caught.value) == f"ObsidRevision: obsid is {obsid!r}; expected a whole number from 0 to 99999"


@pytest.mark.parametrize("obsid", [-1, 100_000])
def test_there_is_no_link_for_a_bad_obsid(obsid):
    for link in (ByObsid().default_link, ByObsid().last_link):
        with pytest.raises(DeclarationError, match=f"obsid is {obsid}; expected a whole number from 0 to 99999$"):
            link(obsid)


@pytest.mark.parametrize("revision", [-1, 1000, True, 3.0, "3", None], ids=repr)
def test_a_revision_has_at_most_three_digits(revision):
    with pytest.raises(DeclarationError) as caught:
        ObsidRevision(6000, revision)
    assert str(caught.value) == f"ObsidRevision: revision is {revision!r}; expected a whole number from 0 to 999"


@pytest.mark.parametrize(
    ("year", "doy", "message"),
    [
        (1989, 1, "Day: year is 1989; expected a whole number from 1990 to 2100"),
        (2101, 1, "Day: year is 2101; expected a whole number from 1990 to 2100"),
        (2019, 0, "Day: doy is 0; expected a whole number from 1 to 366"),
        (2019, 367, "Day: doy is 367; expected a whole number from 1 to 366"),
        (2019, 366, "Day: doy is 366; expected 1 to 365, since 2019 is no leap year"),
        (2100, 366, "Day: doy is 366; expected 1 to 365, since 2100 is no leap year"),
        (2019, True, "Day: doy is True; expected a whole number from 1 to 366"),
        ("2019", 1, "Day: year is '2019'; expected a whole number from 1990 to 2100"),
    ],
)
def test_a_day_lies_in_the_years_that_dates_have(year, doy, message):
    with pytest.raises(DeclarationError) as caught:
        Day(year, doy)
    assert str(caught.value) == message


@given(st.lists(st.tuples(OBSIDS, REVISIONS)), st.lists(DAYS))
def test_units_sort_by_their_numbers(revisions, days):
    assert sorted(ObsidRevision(*each) for each in revisions) == [ObsidRevision(*each) for each in sorted(revisions)]
    assert sorted(days) == sorted(days, key=str)
