"""Which calibration holds at a date: the rules, their edges, and a million dates at a time."""

import bisect

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from aca_core import DateError, DeclarationError, MissingDataError
from aca_core.dark_cal import SELECTIONS, choose_dark_id, get_dark_cal_id
from aca_core.dates import dark_id_to_date, date_to_dark_id, day_start, to_date, to_secs

IDS_2007 = ("2006329", "2007006", "2007069", "2007251")
IDS_2022 = ("2022069", "2022104", "2022133")


@pytest.mark.parametrize(
    ("dark_ids", "date", "before", "after", "nearest"),
    [
        (IDS_2007, "2007:008:12:00:00", "2007006", "2007069", "2007006"),
        (("2006329", "2007251"), "2007:008:12:00:00", "2006329", "2007251", "2006329"),
        (IDS_2022, "2022:100", "2022069", "2022104", "2022104"),
        (IDS_2022, "2022:105", "2022104", "2022133", "2022104"),
        (IDS_2022, "2022:127", "2022104", "2022133", "2022133"),
        (("2007006", "2007008"), "2007:007", "2007006", "2007008", "2007006"),  # as far from both: the earlier
        (("2007006", "2007008"), "2007:007:00:00:00.001", "2007006", "2007008", "2007008"),
        (("2005365", "2006002"), "2005:365:23:59:60.5", "2005365", "2005365", "2005365"),  # a leap second of that day
    ],
)
def test_the_selection_is_that_of_the_facts(dark_ids, date, before, after, nearest):
    expected = dict(zip(SELECTIONS, (before, after, nearest), strict=True))
    assert {select: get_dark_cal_id(date, select, dark_cal_ids=dark_ids) for select in SELECTIONS} == expected


@pytest.mark.parametrize("select", SELECTIONS)
@pytest.mark.parametrize("time", ["00:00:00", "00:01:00", "23:59:59.999"])
def test_a_calibration_holds_on_all_of_its_own_day(select, time):
    """Also one that was taken at 20:00 holds at 00:01 of that day."""
    assert choose_dark_id(IDS_2007, f"2007:069:{time}", select) == "2007069"


def test_before_is_what_is_meant_by_default():
    assert choose_dark_id(IDS_2007, "2007:070") == "2007069"


def test_ids_may_come_in_any_order_and_form():
    by_date = {"2007:006:00:00:00.000": "2007006", "2006:329:00:00:00.000": "2006329"}
    arrays = np.array([2006329, 2007006]), [b"2007006", b"2006329"]
    for given_ids in (by_date, ["2007006", "2006329", "2007006"], (2007006, 2006329), *arrays):
        assert choose_dark_id(given_ids, "2007:005") == "2006329"
        assert choose_dark_id(given_ids, "2008:005") == "2007006"


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 3), (2, 1, 2)], ids=str)
def test_ids_have_the_shape_of_the_dates(shape):
    secs = np.linspace(*to_secs(["2006:330", "2007:300"]), int(np.prod(shape)) + 1)[1:].reshape(shape)
    found = choose_dark_id(IDS_2007, secs)
    assert np.shape(found) == shape
    assert isinstance(found, str if shape == () else np.ndarray)
    expected = [choose_dark_id(IDS_2007, float(each)) for each in secs.ravel()]
    assert np.asarray(found).ravel().tolist() == expected
    assert np.asarray(found).dtype == np.dtype("U7")


@pytest.mark.parametrize(
    "dates",
    [
        ["2007:100", "2007:100"],
        Column(["2007:100", "2007-04-10"]),
        MaskedColumn(["2007:100", "2007:100"], mask=[False, False]),
        Time(["2007:100", "2007:100"]),
        to_secs("2007:100") * np.ones(2),
    ],
    ids=lambda dates: type(dates).__name__,
)
def test_dates_come_in_every_form(dates):
    assert choose_dark_id(IDS_2007, dates).tolist() == ["2007069", "2007069"]


def chosen_one_by_one(dark_ids, date, select):
    """Return what the rules say, in the plainest words; None where they find nothing."""
    if date_to_dark_id(date) in dark_ids:
        return date_to_dark_id(date)
    times = [to_secs(dark_id_to_date(each)) for each in dark_ids]
    index = bisect.bisect_left(times, date)
    if select == "nearest":
        return min(zip(dark_ids, times, strict=True), key=lambda each: (abs(each[1] - date), each[1]))[0]
    index -= select == "before"
    return dark_ids[index] if 0 <= index < len(times) else None


days = st.integers(0, 3000).map(lambda day: date_to_dark_id(to_secs("2004:001") + 86400.0 * day + 40_000))
seconds = st.integers(-(10**6), 27 * 10**7).map(lambda second: to_secs("2004:001") + second / 1.0)


@given(dark_ids=st.sets(days, min_size=1, max_size=8), near=seconds, at_midnight=st.booleans())
def test_the_quick_way_says_what_the_plain_one_says(dark_ids, near, at_midnight):
    dark_ids, date = sorted(dark_ids), day_start(near) if at_midnight else near
    for select in SELECTIONS:
        expected = chosen_one_by_one(dark_ids, date, select)
        if expected is None:
            with pytest.raises(MissingDataError):
                choose_dark_id(dark_ids, date, select)
        else:
            assert choose_dark_id(dark_ids, date, select) == expected
            assert choose_dark_id(dark_ids, [date], select).tolist() == [expected]


def test_a_million_dates_are_no_trouble():
    secs = np.random.default_rng(7).uniform(*to_secs(["2006:330", "2008:001"]), 1_000_000)
    found = choose_dark_id(IDS_2007, secs, "nearest")
    sample = slice(0, None, 50_000)
    assert found[sample].tolist() == [choose_dark_id(IDS_2007, each, "nearest") for each in secs[sample].tolist()]


# ---- nothing to choose ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "select", "message"),
    [
        (
            "2006:328:23:00:00",
            "before",
            "there is no dark calibration before 2006:328:23:00:00.000: here has 4, 2006329 to 2007251; "
            "choose another date, or select='after' or 'nearest'",
        ),
        (
            "2007:252",
            "after",
            "there is no dark calibration after 2007:252:00:00:00.000: here has 4, 2006329 to 2007251; "
            "choose another date, or select='before' or 'nearest'",
        ),
        (
            ["2007:100", "2000:001", "1999:001"],
            "before",
            "2 of 3 dates have no dark calibration before them, the first 2000:001:00:00:00.000 (at index 1): "
            "here has 4, 2006329 to 2007251; choose another date, or select='after' or 'nearest'",
        ),
        (
            [["2007:100"], ["2008:001"]],
            "after",
            "1 of 2 dates has no dark calibration after it, the first 2008:001:00:00:00.000 (at index 1, 0): "
            "here has 4, 2006329 to 2007251; choose another date, or select='before' or 'nearest'",
        ),
    ],
)
def test_a_date_without_a_calibration_is_named_with_what_there_is(date, select, message):
    with pytest.raises(MissingDataError) as caught:
        choose_dark_id(IDS_2007, date, select, "here")
    assert str(caught.value) == message


def test_nearest_finds_something_wherever_there_is_anything():
    assert choose_dark_id(["2007006"], ["1999:001", "2030:001"], "nearest").tolist() == ["2007006"] * 2
    with pytest.raises(MissingDataError, match=r"no dark calibration before 2007:005.*: here has 2007006 only"):
        choose_dark_id(["2007006"], "2007:005", where="here")


@pytest.mark.parametrize("select", SELECTIONS)
def test_of_nothing_nothing_can_be_chosen(select):
    with pytest.raises(MissingDataError, match=r"^there is no dark calibration in here; name another source"):
        choose_dark_id([], "2007:001", select, "here")


@pytest.mark.parametrize(
    ("select", "hint"),
    [("nearset", " Did you mean 'nearest'?"), ("", ""), (None, ""), (["before"], ""), (np.array(["before"] * 2), "")],
    ids=str,
)
def test_another_way_to_select_is_refused_with_those_that_there_are(select, hint):
    with pytest.raises(DeclarationError) as caught:
        choose_dark_id(IDS_2007, "2007:001", select)
    assert f"; expected one of before, after, nearest.{hint}" in str(caught.value)


@pytest.mark.parametrize("date", ["2013:366", float("nan"), [5e8, float("nan")], {}, "noon", 1e300])
def test_what_is_no_date_is_refused(date):
    with pytest.raises(DateError):
        choose_dark_id(IDS_2007, date)


def test_masked_dates_are_refused():
    dates = np.ma.MaskedArray(to_secs(["2007:100", "2007:101", "2007:102"]), mask=[True, False, True])
    with pytest.raises(DeclarationError, match=r"date is '2 masked of 3'; expected dates only"):
        choose_dark_id(IDS_2007, dates)


@pytest.mark.parametrize("dark_ids", [["200706"], ["2007366"], ["2007006", "mica"], [None], [2007.5]], ids=str)
def test_what_is_no_id_is_refused(dark_ids):
    with pytest.raises(DateError):
        choose_dark_id(dark_ids, "2008:001")


def test_one_value_is_no_list_of_ids():
    for dark_ids in ("2007006", 2007006, b"2007006", np.array("2007006"), np.ma.masked, 1 * u.s):
        with pytest.raises(DeclarationError, match="expected a list of ids, or a mapping to them"):
            choose_dark_id(dark_ids, "2008:001")


def test_written_dates_lead_to_the_same_calibration_as_seconds():
    secs = to_secs("2007:069") - 0.0004  # written as 2007:069:00:00:00.000
    assert to_date(secs) == "2007:069:00:00:00.000"
    assert choose_dark_id(IDS_2007, secs) == choose_dark_id(IDS_2007, to_date(secs)) == "2007069"
