"""Which intervals are a calibration, which of them are replicas, and whose folder is theirs."""

import pickle

import attrs
import numpy as np
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from aca_core import DatedTree, DateError, DeclarationError, IntegrityError, MissingDataError, using
from aca_core.dark_processing import (
    DarkInputs,
    EventProvider,
    EventTable,
    calibration_events,
    get_dark_cal_id,
)
from aca_core.dates import to_date, to_secs

START = "2012:115:10:00:00"
DAY = 86400


def found(inputs, start="2012:100", stop="2012:130"):
    return calibration_events(start, stop, inputs)


def test_intervals_are_joined_over_pauses_of_up_to_a_day(events):
    joined = found(events(START, [(0, 1000), (1000 + DAY, 2000 + DAY)]))
    assert [event.dur for event in joined] == [pytest.approx(2000 + DAY)]
    assert joined[0].start == "2012:115:10:00:00.000"
    apart = found(events(START, [(0, 9000), (9001 + DAY, 20_000 + DAY)]))
    assert [event.dur for event in apart] == pytest.approx([9000, 10_999])


@attrs.frozen(kw_only=True)
class Listed(EventProvider):
    """Says what it was made with, in any order."""

    pairs: tuple

    def intervals(self, start, stop):
        return [each[0] for each in self.pairs], [each[1] for each in self.pairs]


def joined_one_by_one(pairs):
    """Return what is joined, as one would do it by hand."""
    done = []
    for start, stop in sorted(pairs):
        if done and start - done[-1][1] <= DAY:
            done[-1] = (done[-1][0], max(done[-1][1], stop))
        else:
            done.append((start, stop))
    return [each for each in done if each[1] - each[0] > 8000]


@given(st.lists(st.tuples(st.integers(0, 10 * DAY), st.integers(0, 2 * DAY)), max_size=12))
def test_any_intervals_are_joined_as_by_hand(lengths):
    first = to_secs("2012:115")
    pairs = tuple((first + start, first + start + length) for start, length in lengths)
    events = calibration_events("2012:100", "2012:140", DarkInputs(events=Listed(pairs=pairs)))
    assert [(event.tstart, event.tstop) for event in events] == joined_one_by_one(pairs)


@pytest.mark.parametrize(("length", "number"), [(8000, 0), (8001, 1)])
def test_a_calibration_lasts_longer_than_8000_s_in_all(events, length, number):
    assert len(found(events(START, [(0, 100), (length - 100, length)]))) == number


def test_a_replica_lasts_at_least_300_s(events):
    (event,) = found(events(START, [(0, 300), (2000, 2299.9), (4000, 9000)]))
    assert [(each.start, each.count) for each in event.replicas] == [
        ("2012:115:10:00:00.000", 1),
        ("2012:115:11:06:40.000", 2),
    ]
    assert event.replicas[0].stop == "2012:115:10:05:00.000"


def test_replicas_start_within_a_day_of_the_calibration(events):
    (event,) = found(events(START, [(0, 1000), (DAY, DAY + 1000), (DAY + 2000, DAY + 3000)]))
    assert [each.tstart - event.tstart for each in event.replicas] == pytest.approx([0, DAY])


@pytest.mark.parametrize(
    ("starts", "counts"),
    [
        ((0, 3000, 6000, 9000, 12_000), [1, 2, 3, 4, 5]),
        ((0, 3000, 9000, 12_100), [1, 2, 4, 5]),  # the third one was lost
        ((0, 3000, 12_000), [1, 2, 5]),
        ((0, 3000, 20_000, 23_000), [1, 2, 3, 4]),  # a long pause
        ((0, 3000, 7400, 12_000), [1, 2, 3, 4]),  # no regular steps
        ((0, 9000), [1, 2]),
        ((0, 3000, 6000, 9000, 12_000, 18_000), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_replica_that_was_lost_keeps_its_number(events, starts, counts):
    (event,) = found(events(START, [(start, start + 1700) for start in starts]))
    assert [each.count for each in event.replicas] == counts


def test_a_range_finds_what_overlaps_it_and_shows_it_whole(events):
    inputs = events(START, [(0, 2000), (5000, 9000)])
    whole = found(inputs)
    assert calibration_events("2012:115:11:00:00", "2012:115:11:10:00", inputs) == whole
    assert calibration_events("2012:115:12:31:00", "2012:120", inputs) == ()
    assert calibration_events("2012:110", "2012:115:09:59:00", inputs) == ()
    assert calibration_events("2012:110", inputs=inputs) == whole  # until now
    assert calibration_events("1990:001", "2100:365", inputs) == whole
    assert pickle.loads(pickle.dumps(whole)) == whole


def test_a_leap_second_is_a_second(events):
    (event,) = found(events("2016:366:23:00:00", [(0, 9000)]), "2016:360", "2017:010")
    assert event.stop == "2017:001:01:29:59.000"
    assert event.dur == pytest.approx(9000)


def test_tables_of_events_come_in_any_form(tmp_path):
    first = to_secs(START)
    table = Table({"TSTART": [first + 5000, first], "TSTOP": [first + 9000, first + 1700]})
    for ending in ("fits", "ecsv", "csv"):
        path = tmp_path / f"events.{ending}"
        table.write(path)
        (event,) = found(DarkInputs(events=EventTable(path=path)))
        assert (event.dur, len(event.replicas)) == (pytest.approx(9000), 2)
    words = Table({"start": ["2012:115:10:00:00"], "stop": ["2012-04-24T12:30:00"]})
    words.write(tmp_path / "words.fits")
    assert found(DarkInputs(events=EventTable(path=tmp_path / "words.fits")))[0].dur == pytest.approx(9000)
    path.write_text("start,stop\n")
    assert found(DarkInputs(events=EventTable(path=path))) == ()
    path.write_text("start,stop\n2012:115:10:00:00,2012:115:09:00:00\n")
    with pytest.raises(IntegrityError, match="interval from 2012:115:10:00:00"):
        found(DarkInputs(events=EventTable(path=path)))


def test_wrong_questions_are_refused(events):
    inputs = events(START, [(0, 9000)])
    with pytest.raises(DateError, match=r"2012:110:00:00:00.000'? is .* goes backwards; .* not before 2012:120"):
        calibration_events("2012:120", to_secs("2012:110"), inputs)
    with pytest.raises(DeclarationError, match="one date each"):
        calibration_events(["2012:120"], "2012:130", inputs)
    with pytest.raises(MissingDataError, match=r"dark\.events"):
        found(DarkInputs())
    with pytest.raises(DeclarationError, match="an EventProvider"):
        DarkInputs(events="events.csv")


@pytest.mark.parametrize("answer", [None, ([2.0], [1.0]), ([1.0], [1.0, 2.0]), ([float("nan")], [2.0])])
def test_a_provider_that_breaks_its_contract_is_named(answer):
    @attrs.frozen(kw_only=True)
    class Broken(EventProvider):
        def intervals(self, start, stop):
            return answer

    with pytest.raises(DeclarationError, match=r"Broken: intervals is .*; expected"):
        found(DarkInputs(events=Broken()))


# ---- ids ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ska(tmp_path):
    for dark_id in ("2012114", "2012115", "2016366", "2019272"):
        (tmp_path / "maps" / dark_id).mkdir(parents=True)
    return DatedTree(name="ska", root=tmp_path / "maps", image_file="imd.fits")


@pytest.mark.parametrize(
    ("date", "dark_id"),
    [
        ("2012:115:00:00:00", "2012115"),
        ("2012:115:23:59:59.999", "2012115"),
        ("2012:114:12:00:00", "2012114"),
        ("2012:113:12:00:00", "2012114"),
        ("2012:116:00:30:00", "2012115"),
        ("2017:001:00:00:01", "2016366"),
        ("2016:366:23:59:60.5", "2016366"),
        ("2016:365:00:00:00", "2016366"),
        ("2019:271", "2019272"),
    ],
)
def test_the_very_day_goes_before_its_neighbours(ska, date, dark_id):
    assert get_dark_cal_id(date, ska) == dark_id
    assert type(get_dark_cal_id(date, ska)) is str


def test_the_day_before_goes_before_the_day_after(ska):
    (ska.root / "2012117").mkdir()
    assert get_dark_cal_id("2012:116", ska) == "2012115"


def test_dates_of_any_shape_keep_it(ska):
    ids = get_dark_cal_id([["2012:115", "2012:113"], ["2019:273", "2019:272"]], ska)
    assert ids.tolist() == [["2012115", "2012114"], ["2019272", "2019272"]]
    masked = get_dark_cal_id(np.ma.array(to_secs(["2012:115", "2015:001"]), mask=[False, True]), ska)
    assert masked.mask.tolist() == [False, True]
    assert masked[0] == "2012115"
    assert get_dark_cal_id([], ska).shape == (0,)


def test_a_day_without_a_calibration_is_told_with_the_folder(ska):
    with pytest.raises(MissingDataError, match=rf"{ska.root}.*of 2015:010:00:00:00.000.*2015010, 2015009, 2015011"):
        get_dark_cal_id(["2012:115", "2015:010"], ska)
    with pytest.raises(DeclarationError, match="the name of one"):
        get_dark_cal_id("2012:115", 7)


def test_the_source_is_the_one_that_is_configured_or_named(site, simulated):
    event = simulated.of("2012115")
    with using(site):
        assert get_dark_cal_id(event.tstart) == "2012115"
        with pytest.raises(MissingDataError, match="there is no folder"):
            get_dark_cal_id(to_date(event.tstart), "mica")
