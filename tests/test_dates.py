"""Dates: what is accepted, what is refused, and that one date and a column of dates are treated alike.

The independent references are astropy's Time and the leap-second table of erfa.
"""

import datetime as dt
import doctest
import subprocess
import sys
import warnings

import erfa
import numpy as np
import pytest
from astropy import units as u
from astropy.table import Column, MaskedColumn
from astropy.time import Time, TimeDelta
from astropy.utils import iers
from astropy.utils.masked import Masked
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aca_core import _date_arrays, _leap_seconds, dates
from aca_core.dates import (
    dark_id_to_date,
    date_to_dark_id,
    day_end,
    day_start,
    to_date,
    to_frac_year,
    to_secs,
    year_doy,
)
from aca_core.errors import AcaError, DateError, UnknownNameError

NOON = 441806466.184  # 2012:001:12:00:00
LEAP_DAYS = [
    dt.date(year, month, 1) - dt.timedelta(days=1) for year, month, _ in erfa.leap_seconds.get().tolist() if year > 1990
]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@pytest.fixture(autouse=True, scope="module")
def _offline():
    with iers.conf.set_temp("auto_download", False):
        yield


def astropy_says(*args, **kwargs):
    """Return CXC seconds and UTC dates from astropy, which warns of years after the last known leap second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", erfa.ErfaWarning)
        time = Time(*args, **kwargs)
        return time.cxcsec, time.utc.yday


# Random instants: any day, with a preference for those that end with a leap second; any millisecond of it.
days = st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31)) | st.sampled_from(LEAP_DAYS)


@st.composite
def fields(draw):
    """Return the calendar fields of a random instant, by the names that `TEXTS` uses."""
    day = draw(days)
    leap = day in LEAP_DAYS
    millisecond = draw(st.integers(0, 86_399_999 + 1000 * leap) | st.integers(86_395_000, 86_399_999 + 1000 * leap))
    minute = min(millisecond // 60_000, 1439)
    second, fraction = divmod(millisecond - minute * 60_000, 1000)
    return {
        "Y": day.year,
        "J": day.timetuple().tm_yday,
        "M": day.month,
        "B": MONTHS[day.month - 1],
        "D": day.day,
        "h": minute // 60,
        "m": minute % 60,
        "s": second,
        "f": fraction,
    }


# Each form of a string, as a pattern, and what it says of 2012-01-01 12:00:00.
TEXTS = {
    "date": "{Y}:{J:03}:{h:02}:{m:02}:{s:02}.{f:03}",
    "date, more decimals": "{Y}:{J:03}:{h:02}:{m:02}:{s:02}.{f:03}0417",
    "date, many decimals": "{Y}:{J:03}:{h:02}:{m:02}:{s:02}.{f:03}12345678901234",
    "date, whole seconds": "{Y}:{J:03}:{h:02}:{m:02}:{s:02}",
    "date to the minute": "{Y}:{J:03}:{h:02}:{m:02}",
    "year and day of year": "{Y}:{J:03}",
    "dark id": "{Y}{J:03}",
    "greta": "{Y}{J:03}.{h:02}{m:02}{s:02}{f:03}",
    "greta, whole seconds": "{Y}{J:03}.{h:02}{m:02}{s:02}",
    "greta, hours": "{Y}{J:03}.{h:02}",
    "ISO with a blank": "{Y}-{M:02}-{D:02} {h:02}:{m:02}:{s:02}.{f:03}",
    "ISO with a blank, whole seconds": "{Y}-{M:02}-{D:02} {h:02}:{m:02}:{s:02}",
    "ISO with T": "{Y}-{M:02}-{D:02}T{h:02}:{m:02}:{s:02}.{f:03}",
    "ISO with T and Z": "{Y}-{M:02}-{D:02}T{h:02}:{m:02}:{s:02}.{f:03}Z",
    "ISO to the minute": "{Y}-{M:02}-{D:02}T{h:02}:{m:02}Z",
    "year, month and day": "{Y}-{M:02}-{D:02}",
    "caldate": "{Y}{B}{D:02} at {h:02}:{m:02}:{s:02}.{f:03}",
    "maude": "{Y}{J:03}{h:02}{m:02}{s:02}{f:03}",
    "padded": "  {Y}:{J:03}:{h:02}:{m:02}:{s:02} ",
}
texts = st.builds(lambda pattern, fields: pattern.format(**fields), st.sampled_from(sorted(TEXTS.values())), fields())
instants = st.floats(_leap_seconds.EARLIEST, _leap_seconds.LATEST)


def outcome(function, argument):
    """Return what a call returns, or why it refuses."""
    try:
        return function(argument)
    except DateError as error:
        return error.problem


class TestLeapSeconds:
    """The scale itself. A new leap second makes the first test fail until the table is extended."""

    def test_the_table_is_that_of_erfa(self):
        since_1972 = [tuple(row) for row in erfa.leap_seconds.get().tolist() if row[0] >= 1972]
        assert [(year, month, float(offset)) for year, month, offset in _leap_seconds.LEAP_SECONDS] == since_1972

    @pytest.mark.parametrize(
        ("date", "secs"),
        [
            ("1997:365:23:58:56.816", 0.0),
            ("1998:001:00:00:00.000", 63.184),
            ("1999:223:00:00:00.000", 50716864.184),
            ("2012:001:00:00:00.000", 441763266.184),
            ("2012:001:12:00:00.000", NOON),
            ("2013:001:00:00:00.000", 473385667.184),
            ("2016:366:23:59:60.500", 599616068.684),
            ("2017:001:00:00:00.000", 599616069.184),
            ("2019:272:02:22:25.182", 686111014.366),
            ("2029:252:01:45:30.816", 1000000000.0),
        ],
    )
    def test_reference_pairs(self, date, secs):
        assert to_secs(date) == secs
        assert to_date(secs) == date

    def test_a_leap_second_lasts_as_long_as_any_other(self):
        start = to_secs("2016:366:23:59:58.000")
        assert to_date(start + np.arange(5)).tolist() == [
            "2016:366:23:59:58.000",
            "2016:366:23:59:59.000",
            "2016:366:23:59:60.000",
            "2017:001:00:00:00.000",
            "2017:001:00:00:01.000",
        ]

    @pytest.mark.parametrize("date", ["2016:366:23:59:60.000", "2017:001:00:00:00.000", "2012:060:00:00:00.000"])
    def test_rounding_carries_into_every_place(self, date):
        assert to_date(to_secs(date) - 0.0004) == date
        assert to_date(to_secs(date) - 0.0006) < date

    @given(st.lists(instants, min_size=1, max_size=20))
    @example([_leap_seconds.EARLIEST, _leap_seconds.LATEST])
    @example([599616069.184 + offset for offset in (-1.0006, -1.0004, -0.5, -0.0006, -0.0004, 0.0, 0.0004)])
    def test_there_and_back(self, secs):
        written = to_date(secs)
        assert written.tolist() == [to_date(value) for value in secs]
        np.testing.assert_allclose(to_secs(written), secs, rtol=0, atol=0.0005 + 1e-6)

    @settings(deadline=None)
    @given(st.lists(fields(), min_size=1, max_size=20))
    def test_astropy_agrees(self, several):
        written = [TEXTS["date"].format(**fields) for fields in several]
        secs, yday = astropy_says(written, scale="utc")
        np.testing.assert_allclose(to_secs(written), secs, rtol=0, atol=1e-6)
        assert to_date(secs).tolist() == yday.tolist() == written


class TestAccepted:
    """Every form of a date, alone and in company."""

    @pytest.mark.parametrize("pattern", TEXTS.values(), ids=TEXTS)
    def test_strings(self, pattern):
        noon = pattern.format(Y=2012, J=1, M=1, B="Jan", D=1, h=12, m=0, s=0, f=0)
        assert to_secs(noon) == pytest.approx(NOON if "{h:02}" in pattern else NOON - 43200, abs=1e-3)

    @pytest.mark.parametrize(
        "date",
        [
            NOON,
            np.float64(NOON),
            "441806466.184",
            "4.41806466184e8",
            b"2012:001:12:00:00",
            dt.datetime(2012, 1, 1, 12),
            dt.datetime(2012, 1, 1, 6, tzinfo=dt.timezone(dt.timedelta(hours=-6))),
            dt.datetime(2012, 1, 1, 12, tzinfo=dt.UTC),
            np.datetime64("2012-01-01T12"),
            np.datetime64("2012-01-01T12:00:00.000000000"),
            Time("2012:001:12:00:00"),
            Time("2012:001:12:01:06.184", scale="tt"),
            NOON * u.s,
            (NOON / 86400) * u.day,
            np.array("2012:001:12:00:00"),
        ],
        ids=repr,
    )
    def test_everything_else(self, date):
        secs = to_secs(date)
        assert isinstance(secs, float)
        assert secs == pytest.approx(NOON, abs=1e-6)
        assert to_secs([date, date]).tolist() == [secs, secs]

    def test_a_day_without_a_time_of_day_starts_at_midnight(self):
        assert to_secs(dt.date(2012, 1, 1)) == to_secs("2012:001") == to_secs("2012:001:00:00:00")

    def test_a_number_is_seconds_although_its_digits_look_like_a_day(self):
        assert to_secs([2012001, "2012001", 2012001.0, "2012001.0", "-1.5"]).tolist() == [
            2012001.0,
            441763266.184,
            2012001.0,
            441763266.184,
            -1.5,
        ]

    @pytest.mark.parametrize(
        ("greta", "date"),
        [
            ("2012001.1", "2012:001:10:00:00"),
            ("2012001.123", "2012:001:12:30:00"),
            ("2012001.123456", "2012:001:12:34:56"),
            ("2012001.12345678", "2012:001:12:34:56.780"),
            ("2012001.1234567891", "2012:001:12:34:56.7891"),
        ],
    )
    def test_greta_may_stop_after_any_digit(self, greta, date):
        assert to_secs(greta) == to_secs(date)

    @pytest.mark.parametrize(
        ("date", "offset"),
        [(None, 0), ("-1d", -86400), ("-1hr", -3600), ("+30min", 1800), ("+1.5 hour", 5400), ("-90s", -90)],
    )
    def test_relative_to_now(self, date, offset):
        now = to_secs(dt.datetime.now(dt.UTC))
        assert to_secs(date) == pytest.approx(now + offset, abs=60)
        if date is not None:  # among several dates it is a missing one
            assert to_secs([date])[0] == pytest.approx(now + offset, abs=60)

    def test_nothing_means_now(self):
        assert to_secs() == pytest.approx(to_secs(to_date()), abs=60)

    @pytest.mark.parametrize("name", ["cxcsec", "secs"])
    def test_time_objects_of_others(self, name):
        other = type("OtherTime", (), {name: NOON})()
        assert to_secs(other) == NOON

    @pytest.mark.parametrize(
        ("name", "number"),
        [
            ("jd", 2455928.0),
            ("mjd", 55927.5),
            ("unix", 1325419200),
            ("plotdate", 15340.5),
            ("frac_year", 2012 + 43_200 / 31_622_401),
            ("decimalyear", 2012 + 43_200 / 31_622_401),
            ("secs", NOON),
            ("cxcsec", NOON),
            ("maude", 2012001120000000),
        ],
    )
    def test_numbers_of_other_formats(self, name, number):
        assert to_secs(number, format=name) == pytest.approx(NOON, abs=2e-5)
        assert to_secs(str(number), format=name) == to_secs(number, format=name)
        for several in ([number, str(number)], np.array([number, number])):
            assert to_secs(several, format=name).tolist() == [to_secs(number, format=name)] * 2

    @settings(deadline=None)
    @given(days, st.floats(0, 1, exclude_max=True))
    def test_mjd_is_that_of_astropy_even_on_days_with_a_leap_second(self, day, fraction):
        mjd = day.toordinal() - 678576 + fraction
        secs, _ = astropy_says(mjd, format="mjd", scale="utc")
        assert to_secs(mjd, format="mjd") == pytest.approx(secs, abs=1e-5)

    def test_a_unit_and_a_format_go_together(self):
        assert to_secs(Column([55927.5], unit="d"), format="mjd").tolist() == [NOON]
        assert to_secs(Column([NOON / 60], unit="min")).tolist() == pytest.approx([NOON])


WRONG = "expected a date such as"
NO_DAY = "no such day"
HOURS = "hours run from"
SECONDS = "seconds run from"
YEARS = "outside the years 1990 to 2100"
REFUSED = [
    ("", WRONG),
    ("yesterday", WRONG),
    ("2012:1", WRONG),
    ("2012:001:12:00:00.", WRONG),
    ("2012-01-01T12", WRONG),
    ("2012-01-01T00:00:00+00:00", WRONG),
    ("5110:12:00:00", WRONG),
    ("2012001.", WRONG),
    ("-1fortnight", WRONG),
    ("nan", WRONG),
    ("\uff12\uff10\uff11\uff12:001", WRONG),
    (b"\xff", WRONG),
    (True, WRONG),
    (np.bool_(True), WRONG),
    (1j, WRONG),
    (..., WRONG),
    (float, WRONG),
    (np.float64, WRONG),
    ({"date": "2012:001"}, WRONG),
    (np.timedelta64(1, "s"), WRONG),
    (TimeDelta(1, format="sec"), WRONG),
    (5 * u.m, "unit of time"),
    ("2013:366", NO_DAY),
    ("2012:367", NO_DAY),
    ("2012:000", NO_DAY),
    ("2013366", NO_DAY),
    ("2013366.12", NO_DAY),
    ("2012-13-01", NO_DAY),
    ("2012-00-01", NO_DAY),
    ("2012-02-30", NO_DAY),
    ("2013-02-29", NO_DAY),
    ("2012-01-00", NO_DAY),
    ("2012Foo01 at 00:00:00", NO_DAY),
    ("2012:001:24:00:00", HOURS),
    ("2012-01-01 24:00:00", HOURS),
    ("2012001.24", HOURS),
    ("2012:001:12:60", "minutes run from"),
    ("2012:001:23:59:60", SECONDS),
    ("2016:366:22:59:60", SECONDS),
    ("2016:366:23:59:61", SECONDS),
    ("1989:365:23:59:59.999", YEARS),
    ("2101:001:00:00:00.001", YEARS),
    ("0000:001", YEARS),
    ("1e400", YEARS),
    ("-50000d", YEARS),
    (float("nan"), YEARS),
    (float("-inf"), YEARS),
    (10**400, YEARS),
    (2012001120000000, YEARS),
    (dt.datetime(1989, 12, 31), YEARS),
    (dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))), YEARS),
    (np.datetime64("NaT", "s"), YEARS),
    (np.datetime64("2300-01-01"), YEARS),
]


class TestRefused:
    """Nothing is guessed: the message names the value, the place and what would do."""

    @pytest.mark.parametrize(("value", "problem"), REFUSED, ids=lambda value: repr(value)[:40])
    def test_alone_and_among_good_ones(self, value, problem):
        with pytest.raises(DateError, match=problem) as alone:
            to_secs(value)
        assert repr(alone.value.value) == (repr(value) if value != b"\xff" else repr("\ufffd"))
        with pytest.raises(DateError, match=problem) as among:
            to_secs([["2012:001", "2012:002"], ["2012:003", value]])
        assert str(among.value) == f"{alone.value} (at index 1, 1)"

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            (np.array([True]), WRONG),
            (np.array([1j]), WRONG),
            (np.zeros(1, dtype=[("date", "U8")]), WRONG),
            (np.array([1.0, np.nan]), rf"^nan .*{YEARS}.* \(at index 1\)"),
            (np.array(["2012-01-01", "NaT"], dtype="M8[ns]"), rf"NaT.*{YEARS} \(at index 1\)"),
            (np.array(["2012:001", None], dtype=object), r"^None .* mask .* \(at index 1\)"),
            (np.ma.array(["junk", "2012:001", "2013:366"], mask=[1, 0, 0]), rf"{NO_DAY}.* \(at index 2\)"),
            ([["2012:001"], ["2012:001", "2012:002"]], "rows differ in length"),
            (["2012:001", ["2012:001"]], "rows differ in shape"),
            ([np.ma.masked, np.array([1.0, 2.0])], "cannot be mixed"),
            (Column([1.0], unit="m"), "m is not a unit of time"),
        ],
    )
    def test_arrays(self, values, problem):
        with pytest.raises(DateError, match=problem):
            to_secs(values)

    @pytest.mark.parametrize(
        ("value", "name", "problem"),
        [
            ("2012:001", "mjd", "expected mjd as a number"),
            (None, "mjd", "expected mjd as a number"),
            (True, "mjd", "expected mjd as a number"),
            (dt.datetime(2012, 1, 1), "mjd", "expected mjd as a number"),
            (Time("2012:001"), "mjd", "expected mjd as a number"),
            (np.array(["2012-01-01"], dtype="M8[D]"), "mjd", "expected mjd as a number"),
            (55927, "jd", r"outside the years 1990 to 2100 \(2447892.5 to 2488434.5 in jd\)"),
            (np.inf, "frac_year", r"\(1990 to 2101 in frac_year\)"),
            ([55927, 0], "mjd", r"^0 .* \(at index 1\)"),
            (["55927", "x"], "mjd", r"^'x' .* \(at index 1\)"),
            ("2012001", "maude", "expected the 16 digits"),
            (2012001120000000.0, "maude", "expected the 16 digits"),
            (np.array([2012001120000000.0]), "maude", "expected the 16 digits"),
            (Column([2012001120000000], unit="s"), "maude", "unit of time"),
        ],
    )
    def test_what_is_not_of_the_format(self, value, name, problem):
        with pytest.raises(DateError, match=problem):
            to_secs(value, format=name)

    def test_a_format_that_does_not_exist(self):
        with pytest.raises(UnknownNameError, match="Did you mean 'mjd'"):
            to_secs(55927, format="mjdd")

    def test_callers_may_catch_it_by_either_root(self):
        assert issubclass(DateError, AcaError)
        assert issubclass(DateError, ValueError)


class TestArrays:
    """A column gives what its elements give, in the same shape and under the same mask."""

    @given(st.lists(texts, max_size=20))
    def test_strings_of_any_forms(self, several):
        secs = [to_secs(text) for text in several]
        assert to_secs(several).tolist() == secs
        assert to_secs(np.array(several, dtype="S")).tolist() == secs

    @given(texts, st.data())
    def test_one_wrong_character_is_judged_alike(self, text, data):
        place = data.draw(st.integers(0, len(text) - 1))
        text = text[:place] + data.draw(st.sampled_from("0123456789:-. TZax\u0665")) + text[place + 1 :]
        alone, among = outcome(to_secs, text), outcome(to_secs, [text])
        assert among == (f"{alone} (at index 0)" if isinstance(alone, str) else alone)

    @given(st.lists(instants, max_size=20))
    def test_every_function_does_the_same_for_one_and_for_many(self, secs):
        for function in (to_secs, to_date, date_to_dark_id, to_frac_year, day_start, day_end):
            assert function(np.array(secs)).tolist() == [function(value) for value in secs]
        assert list(zip(*(part.tolist() for part in year_doy(secs)), strict=True)) == [*map(year_doy, secs)]

    @given(st.lists(days, min_size=1, max_size=20), st.sampled_from(["D", "s", "ms", "us", "ns"]))
    def test_datetimes(self, several, unit):
        moments = [dt.datetime.combine(day, dt.time(23, 59, 59)) for day in several]
        assert to_secs(moments).tolist() == to_secs([f"{moment:%Y:%j:%H:%M:%S}" for moment in moments]).tolist()
        rounded = np.array(moments, dtype=f"M8[{unit}]")
        assert to_secs(rounded).tolist() == to_secs(rounded.astype("M8[us]").tolist()).tolist()

    def test_large_arrays_are_taken_apart_in_chunks(self):
        secs = np.linspace(0, 9e8, 40_001).round(3)
        assert abs(to_secs(to_date(secs)) - secs).max() < 1e-6

    def test_mixed_values(self):
        several = ["2012:001", 441763266.184, dt.datetime(2012, 1, 1), Time("2012:001"), np.int64(441763266)]
        assert to_secs(several) == pytest.approx([441763266.184] * 5, abs=0.2)

    @pytest.mark.parametrize(
        "make",
        [
            np.array,
            list,
            Column,
            lambda values: np.array(values, dtype=object),
            lambda values: np.array(values, dtype=">U8"),
            lambda values: np.array(values, dtype=np.dtypes.StringDType()),
            lambda values: np.repeat(values, 2)[::2],
            Time,
        ],
    )
    def test_containers(self, make):
        secs = to_secs(make(["2012:001", "2013:001"]))
        assert type(secs) is np.ndarray
        assert secs.tolist() == [441763266.184, 473385667.184]

    @pytest.mark.parametrize("shape", [(0,), (2, 0), (1,), (6,), (2, 3), (1, 2, 3)])
    def test_shapes(self, shape):
        secs = np.full(shape, 441763266.184)
        for several in (secs, secs.tolist(), to_date(secs), to_date(secs).tolist(), np.asfortranarray(secs)):
            assert to_secs(several).shape == shape
            assert date_to_dark_id(several).shape == shape
            assert dark_id_to_date(date_to_dark_id(several)).shape == shape
            assert [part.shape for part in year_doy(several)] == [shape, shape]

    def test_rows_that_are_arrays_themselves(self):
        row = Time(["2012:001", "2013:001"])
        assert to_secs([row, row.cxcsec]).shape == (2, 2)

    def test_the_callers_array_stays_untouched(self):
        mine = np.array([1.0, 2.0])
        to_secs(mine)[0] = 3.0
        assert mine.tolist() == [1.0, 2.0]

    @pytest.mark.parametrize(
        "masked",
        [
            np.ma.array(["2012:001", "junk"], mask=[False, True]),
            np.ma.array([441763266.184, np.nan], mask=[False, True]),
            np.ma.array(["2012:001", None], mask=[False, True], dtype=object),
            MaskedColumn(["2012:001", "junk"], mask=[False, True]),
            MaskedColumn([441763266.184, -1e30], mask=[False, True], unit="s"),
            Masked([441763266.184, np.nan] * u.s, mask=[False, True]),
            Time(Masked(["2012:001", "2013:001"], mask=[False, True])),
            ["2012:001", np.ma.masked],
        ],
        ids=repr,
    )
    def test_what_is_masked_stays_masked_and_unread(self, masked):
        for function, value in (
            (to_secs, 441763266.184),
            (to_date, "2012:001:00:00:00.000"),
            (date_to_dark_id, "2012001"),
            (to_frac_year, 2012.0),
            (day_start, 441763266.184),
            (day_end, 441763266.184 + 86400),
        ):
            result = function(masked)
            assert isinstance(result, np.ma.MaskedArray)
            assert result.mask.tolist() == [False, True]
            assert result[0] == value
        assert [part.tolist() for part in year_doy(masked)] == [[2012, None], [1, None]]

    def test_masked_single_values_and_empty_masks(self):
        assert to_secs(np.ma.masked).mask.tolist() is True
        unmasked = to_date(np.ma.array(["2012:001"]))
        assert isinstance(unmasked, np.ma.MaskedArray)
        assert unmasked.mask.tolist() == [False]


class TestDarkIds:
    """The names of dark calibrations: one per UTC day."""

    @pytest.mark.parametrize("date", ["2011-01-15T12:00:00", "2011:015:23:59:59.999", "2011015", dt.date(2011, 1, 15)])
    def test_id_of_a_date(self, date):
        assert date_to_dark_id(date) == "2011015"

    @pytest.mark.parametrize("dark_id", ["2011015", 2011015, np.int64(2011015), b"2011015"])
    def test_date_of_an_id(self, dark_id):
        assert dark_id_to_date(dark_id) == "2011:015"
        assert dark_id_to_date([[dark_id]]).tolist() == [["2011:015"]]

    def test_arrays_are_as_narrow_as_they_can_be(self):
        assert date_to_dark_id(["2011:015"]).dtype == np.dtype("U7")
        assert dark_id_to_date(np.array([2011015])).dtype == np.dtype("U8")
        assert dark_id_to_date(np.ma.array(["2011015", "x"], mask=[0, 1])).tolist() == ["2011:015", None]

    @given(st.lists(days, min_size=1))
    def test_there_and_back(self, several):
        ids = [f"{day:%Y%j}" for day in several]
        assert date_to_dark_id(dark_id_to_date(ids)).tolist() == ids
        assert date_to_dark_id(several).tolist() == ids
        assert to_secs(ids).tolist() == day_start(several).tolist()
        assert np.argsort(ids, kind="stable").tolist() == np.argsort(to_secs(ids), kind="stable").tolist()

    @pytest.mark.parametrize(
        ("dark_id", "problem"),
        [
            ("2011:015", "expected the 7 digits YYYYDOY"),
            ("201101", "expected the 7 digits YYYYDOY"),
            (2011015.0, "expected the 7 digits YYYYDOY"),
            (-2011015, "expected the 7 digits YYYYDOY"),
            (True, "expected the 7 digits YYYYDOY"),
            (None, "expected the 7 digits YYYYDOY"),
            (dt.date(2011, 1, 15), "expected the 7 digits YYYYDOY"),
            ("2011366", NO_DAY),
            (2011000, NO_DAY),
            ("1989001", YEARS),
        ],
    )
    def test_what_is_no_id(self, dark_id, problem):
        with pytest.raises(DateError, match=problem):
            dark_id_to_date(dark_id)
        with pytest.raises(DateError, match=problem if dark_id is not None else "mask the missing dates"):
            dark_id_to_date(["2011015", dark_id])


class TestCalendar:
    """Years with a fraction, days of the year, and where a day starts and ends."""

    @pytest.mark.parametrize(
        ("date", "frac_year"),
        [
            ("2013:001:00:00:00", 2013.0),
            ("2012:183:12:00:00", 2012.4986338956),
            ("2016:200:00:00:00", 2016.5437158298),
            ("2017:010:12:00:00", 2017.0260273973),
        ],
    )
    def test_frac_year(self, date, frac_year):
        assert to_frac_year(date) == pytest.approx(frac_year, rel=0, abs=6e-11)
        assert to_secs(to_frac_year(date), format="frac_year") == pytest.approx(to_secs(date), abs=1e-4)

    @given(st.integers(1990, 2100))
    def test_years_start_at_whole_numbers(self, year):
        assert to_frac_year(f"{year}:001") == year
        assert to_frac_year(day_end(f"{year}-12-31")) == year + 1

    def test_frac_year_of_a_masked_column_of_text(self):
        column = MaskedColumn(["2013:001", "?"], mask=[False, True])
        assert to_frac_year(column).tolist() == [2013.0, None]

    @given(days)
    def test_days(self, day):
        start, end = day_start(day), day_end(f"{day} 23:59:59.999")
        assert start == to_secs(str(day))
        assert end - start == pytest.approx(86401 if day in LEAP_DAYS else 86400, abs=1e-6)
        assert day_end(start) == end
        assert year_doy(start) == (day.year, day.timetuple().tm_yday)
        assert year_doy(end - 0.001) == year_doy(start)


@pytest.mark.parametrize(("module", "examples"), [(dates, 12), (_leap_seconds, 0), (_date_arrays, 0)])
def test_the_examples_in_the_docstrings(module, examples):
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert attempted >= examples


def test_one_date_costs_no_import_of_numpy():
    program = (
        "import sys, aca_core.dates as dates\n"
        "assert dates.to_secs('2012:001') == 441763266.184\n"
        "dates.to_date(), dates.date_to_dark_id('2012-01-01'), dates.to_frac_year(5), dates.day_end('-1d')\n"
        "import datetime\n"
        "dates.to_secs(datetime.datetime.now())\n"
        "print(*({'numpy', 'astropy', 'erfa'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
