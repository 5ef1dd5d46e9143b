"""MSID, Msid and MSIDset: which rows are read, which are bad, and what may be done with them."""

import copy
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from header_3_telemetry import PERIOD, START, times_of
from hypothesis import given, settings

import aca_core
from aca_core import AcaError, DateError, DeclarationError, UnknownNameError
from aca_core.aca_hdr3 import MSID, Msid, MSIDset, samples
from aca_core.dates import to_date, to_secs

STOP = START + 100.0


def good(msid):
    """Return which samples are not masked."""
    return (~np.ma.getmaskarray(msid.vals)).tolist()


# ---- what is read ---------------------------------------------------------------------------------------------------


def test_only_what_is_needed_is_read_and_each_slot_once(telemetry):
    MSIDset(["ccd_temp", "aca_temp", "dac", "676"], "2019:272", "2019:273", db="index.db3", data_root="tree")
    start, stop = to_secs("2019:272"), to_secs("2019:273") + 33.0
    where = {"start": start, "stop": stop, "imgsize": 8, "db": "index.db3", "data_root": "tree"}
    assert telemetry.asked == [
        {**where, "slot": 6, "columns": ["TIME", "QUALITY", "HD3TLM76", "HD3TLM77"]},
        {
            **where,
            "slot": 7,
            "columns": ["TIME", "QUALITY", *(f"HD3TLM{each}" for each in ("66", "67", "72", "73", "76", "77"))],
        },
    ]


def test_the_words_of_the_rows_become_values_with_a_unit(telemetry):
    telemetry.put(6, times_of(40), ccd_temp=np.arange(40) * 65536 - 1000 * 65536 + 0x8000)
    ccd_temp = MSID("CCD_TEMP", START, STOP)
    assert ccd_temp.times.tolist() == times_of(25).tolist()
    assert ccd_temp.vals.tolist() == pytest.approx((np.arange(25) - 1000) * 0.01)
    assert isinstance(ccd_temp.vals, np.ma.MaskedArray)
    assert (ccd_temp.msid, ccd_temp.hdr3_msid, ccd_temp.unit) == ("ccd_temp", "676", "deg_C")
    assert (ccd_temp.desc, ccd_temp.tstart, ccd_temp.tstop) == ("CCD temperature", START, STOP)
    assert (ccd_temp.datestart, ccd_temp.datestop) == (to_date(START), to_date(STOP))
    assert "0.01 degC" in ccd_temp.longdesc
    assert ccd_temp.synthetic
    assert ccd_temp.provenance == {6: {"product": "by hand", "files": 1}}
    assert repr(ccd_temp) == (
        f"<MSID ccd_temp (676), {to_date(START)} to {to_date(STOP)}, 25 samples, deg_C, synthetic>"
    )


def test_raw_words_can_be_had(telemetry):
    telemetry.put(0, times_of(40), ccd_det_therm=0x3495)
    telemetry.put(6, times_of(40), ccd_temp=-1000 * 65536)
    raw = MSIDset(["ccd_det_therm", "ccd_temp", "ccd_temp_fine"], START, STOP, raw=True)
    assert [member.vals[0] for member in raw.values()] == [0x3495, -1000, np.ma.masked]
    assert all(member.vals.dtype == np.int64 and member.unit == "" and member.raw for member in raw.values())
    assert MSID("ccd_det_therm", START, STOP, filter_bad=True, raw=True).vals[0] == 0x3495


def test_now_is_the_stop_where_none_is_given(telemetry):
    assert MSID("dac", "-1d").tstop == pytest.approx(to_secs(None), abs=60)


def test_a_row_is_included_at_both_ends_of_the_range(telemetry):
    times = START + 4.1 * np.arange(40)
    telemetry.put(7, times, dac=1)
    assert MSID("dac", times[3], times[7]).times.tolist() == times[3:8].tolist()
    assert MSID("dac", times[3], times[3]).times.tolist() == [times[3]]
    assert MSID("dac", times[3] + 1, times[3] + 2).times.size == 0


# ---- which rows are bad ---------------------------------------------------------------------------------------------


def test_the_row_before_a_gap_is_bad(telemetry):
    telemetry.put(7, times_of(40, without=(5, 6, 12)), dac=1)
    dac = MSID("dac", START, STOP)
    assert dac.times.size == 22
    assert [number for number, is_good in enumerate(good(dac)) if not is_good] == [4, 9]


@pytest.mark.parametrize(
    ("step", "is_good"), [(4.1, True), (4.1009, True), (4.0991, True), (4.1011, False), (2.05, False)]
)
def test_the_next_row_has_to_be_where_it_belongs_within_a_millisecond(telemetry, step, is_good):
    times = np.concatenate([[0.0], step + 4.1 * np.arange(30)]) + START
    telemetry.put(7, times, dac=1)
    assert good(MSID("dac", START, START + 20))[0] is is_good


def test_the_last_row_of_the_range_is_good_for_the_rows_after_it_are_read_too(telemetry):
    telemetry.put(7, times_of(40), dac=1)
    assert all(good(MSID("dac", START, START + 50)))


def test_the_last_row_of_the_telemetry_is_bad(telemetry):
    telemetry.put(7, times_of(10), dac=1)
    assert good(MSID("dac", START, STOP)) == [True] * 9 + [False]


def test_rows_of_bad_quality_and_rows_without_the_bytes_are_bad(telemetry):
    quality = np.zeros(40, "i4")
    quality[3] = 1
    lacking = np.zeros(40, bool)
    lacking[8] = True
    telemetry.put(7, times_of(40), quality, {"HD3TLM76": lacking, "HD3TLM62": ~lacking}, dac=1)
    dac = MSID("dac", START, STOP)
    assert [number for number, is_good in enumerate(good(dac)) if not is_good] == [3, 8]
    assert dac.vals.size == 25


def test_a_reading_outside_of_the_table_of_thermistors_is_masked_and_its_word_is_not(telemetry):
    telemetry.put(0, times_of(40), ccd_det_therm=np.where(np.arange(40) == 2, 2084, 8192))
    assert MSID("ccd_det_therm", START, START + 15).vals.tolist() == [25.0, 25.0, None, 25.0]
    assert MSID("ccd_det_therm", START, START + 15, raw=True).vals.tolist() == [8192, 8192, 2084, 8192]


# ---- several slots --------------------------------------------------------------------------------------------------


def test_slots_with_different_gaps_share_a_time_base(telemetry):
    telemetry.put(6, times_of(40, without=(5,)), ccd_temp=-1000 * 65536)
    telemetry.put(7, times_of(40, without=(10, 11)) + 4e-4, dac=7, ccd_temp=0)
    both = MSIDset(["ccd_temp", "dac", "ccd_temp_fine"], START, STOP)
    assert np.abs(both.times - times_of(25)).max() < 1e-3
    missing = {name: [n for n, is_good in enumerate(good(member)) if not is_good] for name, member in both.items()}
    # The row before a gap is bad, too.
    assert missing == {"ccd_temp": [4, 5], "dac": [9, 10, 11], "ccd_temp_fine": [4, 5, 9, 10, 11]}
    assert all(member.times is both.times for member in both.values())
    assert both["ccd_temp"].vals.compressed().tolist() == [-10.0] * 23
    assert both["dac"].vals.compressed().tolist() == [7] * 22
    # One quantity alone has the times of its own slots.
    assert MSID("dac", START, STOP).times.size == 23


def test_times_that_differ_by_more_than_a_millisecond_are_two(telemetry):
    telemetry.put(6, times_of(40), ccd_temp=0)
    telemetry.put(7, times_of(40) + 2e-3, dac=1)
    both = MSIDset(["ccd_temp", "dac"], START, START + 20)
    assert both.times.size == 10
    assert both["dac"].vals.tolist() == [None, 1] * 5


def test_a_quantity_that_crosses_slots_needs_both(telemetry):
    telemetry.put(6, times_of(40), ccd_temp=-1000 * 65536 + 0x8000)
    assert MSID("ccd_temp", START, STOP).vals.count() == 25
    fine = MSID("ccd_temp_fine", START, STOP)
    assert fine.times.size == 25
    assert fine.vals.mask.all(), "slot 7 has no 8x8 images"
    telemetry.put(7, times_of(40, without=range(20)), ccd_temp=-1000 * 65536 + 0x8000)
    found = Msid("ccd_temp_fine", START, STOP)
    assert found.vals.tolist() == pytest.approx([-9.995] * 5, rel=1e-9)
    assert found.times.tolist() == times_of(25)[20:].tolist()


@settings(deadline=None)
@given(st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)), st.floats(0, 200), st.floats(0, 60))
def test_a_set_says_what_its_members_say_alone(without_6, without_7, first, length):
    from header_3_telemetry import HandmadeTelemetry

    telemetry = HandmadeTelemetry()
    telemetry.put(6, times_of(60, without=without_6), ccd_temp=np.arange(60 - len(without_6)) * 65536)
    telemetry.put(7, times_of(60, without=without_7), dac=np.arange(60 - len(without_7)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "slot_columns", telemetry.slot_columns)
        start, stop = START + first, START + first + length
        both = MSIDset(["ccd_temp", "dac"], start, stop)
        alone = [MSID(name, start, stop) for name in both]
    assert both.times.tolist() == sorted({*alone[0].times, *alone[1].times})
    assert (np.diff(both.times) > 0).all()
    for one, member in zip(alone, both.values(), strict=True):
        one.filter_bad()
        filtered = member.filter_bad(copy=True)
        assert filtered.times.tolist() == one.times.tolist()
        assert filtered.vals.tolist() == one.vals.tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 999), max_size=12), st.lists(st.integers(0, 999), max_size=12), st.booleans())
def test_long_slots_with_gaps_anywhere_are_put_on_one_time_base(without_6, without_7, jitters):
    """As a dictionary by rounded times does it."""
    from header_3_telemetry import HandmadeTelemetry

    telemetry, times = HandmadeTelemetry(), {}
    for slot, msid, without in ((6, "ccd_temp", without_6), (7, "dac", without_7)):
        # Each number is the first of a gap of three rows.
        rows = np.setdiff1d(np.arange(1000), np.add.outer(without, range(3)) if without else [])
        times[slot] = START + PERIOD * rows + (jitters and slot == 7) * 3e-4 * (-1.0) ** rows
        telemetry.put(slot, times[slot], **{msid: rows << 16 if slot == 6 else rows})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "slot_columns", telemetry.slot_columns)
        both = MSIDset(["ccd_temp", "dac"], START - 1, START + 5000, raw=True)
    numbers = np.rint((both.times - START) / PERIOD).astype(int)
    expected = [set(np.rint((times[slot] - START) / PERIOD).astype(int)) for slot in (6, 7)]
    assert numbers.tolist() == sorted(expected[0] | expected[1])
    for member, mine in zip(both.values(), expected, strict=True):
        is_followed = np.array([number in mine and number + 1 in mine for number in numbers])
        assert (~member.vals.mask).tolist() == is_followed.tolist()
        assert member.vals.compressed().tolist() == numbers[is_followed].tolist()


# ---- nothing there --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("msid", "kind"), [("ccd_temp", float), ("ad_lc_therm", float), ("dsn_hdr1", np.int64)])
def test_no_telemetry_is_an_empty_result_of_the_right_type(telemetry, msid, kind):
    found = MSID(msid, START, STOP)
    assert (found.vals.shape, found.times.shape, found.vals.dtype) == ((0,), (0,), np.dtype(kind))
    assert isinstance(found.vals, np.ma.MaskedArray)
    plain = Msid(msid, START, STOP)
    assert type(plain.vals) is np.ndarray
    assert plain.vals.dtype == np.dtype(kind)
    assert len(found.as_table()) == 0
    assert MSIDset([msid, "dac"], START, STOP).filter_bad(copy=True)["dac"].vals.size == 0


# ---- one without its bad samples ------------------------------------------------------------------------------------


@pytest.fixture
def dac(telemetry):
    telemetry.put(7, times_of(40, without=(5,)), dac=np.arange(39))
    return MSID("dac", START, STOP)


def test_bad_samples_are_left_out_in_place_or_in_a_copy(dac):
    filtered = dac.filter_bad(copy=True)
    assert (dac.vals.size, dac.times.size) == (24, 24)
    assert (filtered.vals.size, filtered.times.size) == (23, 23)
    assert type(filtered.vals) is np.ndarray
    assert type(filtered) is MSID
    assert dac.filter_bad() is None
    assert dac.vals.tolist() == filtered.vals.tolist() == [*range(4), *range(5, 24)]
    dac.filter_bad()
    assert dac.vals.size == 23


def test_the_plain_class_and_the_option_do_the_same(dac):
    plain, option = Msid("dac", START, STOP), MSID("dac", START, STOP, None, True)
    assert plain.vals.tolist() == option.vals.tolist() == dac.vals.compressed().tolist()
    assert plain.times.tolist() == option.times.tolist()
    assert type(option.vals) is type(plain.vals) is np.ndarray
    assert plain.copy().vals.tolist() == plain.vals.tolist()
    assert repr(plain).startswith("<Msid dac (776), ")


def test_a_copy_shares_nothing(dac):
    other = dac.copy()
    other.vals[0], other.times[0] = -5, 0.0
    assert dac.vals[0] == 0
    assert dac.times[0] == START


def test_what_was_read_pickles(dac):
    again = pickle.loads(pickle.dumps(dac))
    assert again.vals.tolist() == dac.vals.tolist()
    assert vars(again).keys() == vars(dac).keys()
    both = pickle.loads(pickle.dumps(MSIDset(["dac", 676], START, STOP)))
    assert list(both) == ["dac", 676]
    assert both["dac"].times is both.times
    assert both["dac"].vals.tolist() == dac.vals.tolist()


def test_one_is_made_from_the_data_of_another(dac):
    again = MSID("dac", START, STOP, msid_data=dac)
    assert again.vals.tolist() == dac.vals.tolist()
    assert (again.synthetic, again.provenance) == (True, dac.provenance)
    assert MSID("dac", msid_data=dac, filter_bad=True).vals.size == 23
    assert (MSID(776, msid_data=dac).tstart, MSID(776, msid_data=dac).datestop) == (dac.tstart, dac.datestop)
    said = {"hdr3_msid": "776", "vals": [1, 2], "times": [START, STOP], "desc": "mine", "longdesc": "all mine"}
    mine = MSID("dac", msid_data=said)
    assert (mine.desc, mine.longdesc, mine.tstart, mine.tstop) == ("mine", "all mine", START, STOP)
    assert mine.vals.mask.tolist() == [False, False]
    nothing = MSID("dac", msid_data={"vals": np.zeros(0), "times": []})
    assert nothing.datestart == ""
    assert np.isnan(nothing.tstop)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"hdr3_msid": "676", "vals": [1], "times": [1]}, "'676'; expected data of 776"),
        ({"vals": [1]}, "without times or vals"),
        ({"vals": [1, 2], "times": [1]}, r"shapes \(1,\) and \(2,\)"),
        ({"vals": ["x"], "times": [1]}, "arrays 'times' and 'vals' of numbers"),
        ({"vals": [1], "times": ["x"]}, "arrays 'times' and 'vals' of numbers"),
        ({"vals": [[1]], "times": [[1]]}, "of one length"),
        (3, "without times or vals"),
    ],
)
def test_data_that_do_not_fit_are_refused(data, says):
    with pytest.raises(DeclarationError, match=says):
        MSID("dac", START, STOP, msid_data=data)


# ---- sets -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def both(telemetry):
    telemetry.put(6, times_of(40, without=(5,)), ccd_temp=-1000 * 65536)
    telemetry.put(7, times_of(40, without=(10, 11)), dac=7)
    return MSIDset(["DAC", 676], START, STOP)


def test_a_set_is_a_dict_by_the_names_that_were_asked_for(both):
    assert list(both) == ["DAC", 676]
    assert isinstance(both, dict)
    assert len(both) == 2
    assert both["dac"] is both["DAC"] is both["776"]
    assert both["ccd_temp"] is both[676]
    assert both.get("ccd_temp") is None, "get knows the names that were asked for alone"
    with pytest.raises(UnknownNameError, match="no member of this MSIDset is named 'aca_temp'"):
        both["aca_temp"]
    with pytest.raises(UnknownNameError, match="Did you mean 'ccd_temp'"):
        both["ccd_tmp"]
    assert list(MSIDset("dac", START, STOP)) == ["dac"]
    assert repr(both) == f"<MSIDset DAC, 676, {to_date(START)} to {to_date(STOP)}, 25 samples, synthetic>"


def test_the_shared_times_cannot_be_changed_by_mistake(both):
    with pytest.raises(ValueError, match="read-only"):
        both["dac"].times[0] = 0.0


def test_a_set_leaves_out_the_times_at_which_any_member_is_bad(both):
    kept = both.filter_bad(copy=True)
    assert both.times.size == 25
    assert kept.times.size == 20
    assert all(member.times is kept.times and type(member.vals) is np.ndarray for member in kept.values())
    assert both.filter_bad() is None
    assert both["dac"].times.tolist() == kept.times.tolist()
    assert [member.vals.tolist() for member in both.values()] == [[7] * 20, [-10.0] * 20]


def test_a_member_may_be_filtered_alone_and_the_table_of_the_set_is_the_same(both):
    before = both.as_table()
    both["dac"].filter_bad()
    both["dac"].filter_bad()
    after = both.as_table()
    assert after["DAC"].tolist() == before["DAC"].tolist()
    both.filter_bad()
    assert both.times.size == 20


def test_a_copy_of_a_set_shares_nothing_and_has_one_time_base_too(both):
    for other in (copy.deepcopy(both), both.copy(), pickle.loads(pickle.dumps(both))):
        assert type(other) is MSIDset
        assert other["dac"].times is other["ccd_temp"].times is other.times
        assert not other.times.flags.writeable
        other["dac"].vals[0] = -1
        assert both["dac"].vals[0] == 7


def test_a_quantity_by_two_names_is_two_members_that_share_no_values(telemetry):
    telemetry.put(7, times_of(40), dac=7)
    found = MSIDset(["dac", np.int64(776)], START, STOP)
    found["dac"].vals[0], found["dac"].vals[1] = -1, np.ma.masked
    assert found[776].vals.tolist()[:3] == [7, 7, 7]
    found.filter_bad()
    assert [member.vals.tolist() for member in found.values()] == [[-1, *[7] * 23], [7] * 24]


def test_what_was_put_into_a_set_by_hand_has_to_have_its_times(both):
    both["aca_temp"] = MSID("aca_temp", msid_data={"times": [START + 0.5], "vals": [1.0]})
    with pytest.raises(DeclarationError, match="values at the times of the set"):
        both.as_table()
    both["aca_temp"].times = np.array([START + 1e6])
    with pytest.raises(DeclarationError, match="values at the times of the set"):
        both.filter_bad()


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_has_units_descriptions_and_where_it_is_from(both, tmp_path):
    from aca_core.tables import read_table_file, write_table_file

    table = both.as_table()
    assert table.colnames == ["time", "DAC", "676"]
    assert [str(table[name].unit or "") for name in table.colnames] == ["s", "", "deg_C"]
    assert table["676"].description == "CCD temperature"
    assert table["DAC"].tolist() == both["dac"].vals.tolist()
    assert table.meta == {
        "MSIDS": "dac (776), ccd_temp (676)",
        "START": to_date(START),
        "STOP": to_date(STOP),
        "RAW": False,
        "SYNTHET": True,
        "CREATOR": f"aca_core {aca_core.__version__}",
        "SLOT6": "product=by hand, files=1",
        "SLOT7": "product=by hand, files=1",
    }
    for ending in ("ecsv", "fits", "csv"):
        again = read_table_file(write_table_file(table, tmp_path / f"both.{ending}"))
        assert np.ma.allclose(again["676"], table["676"])
        assert np.ma.getmaskarray(again["676"]).tolist() == table["676"].mask.tolist() or ending == "fits"
        assert ending == "csv" or again.meta["SYNTHET"] is True


def test_a_table_of_everything_can_be_written_in_any_format(telemetry, tmp_path):
    from aca_core.aca_hdr3 import HDR3_ITEMS
    from aca_core.tables import read_table_file, write_table_file

    telemetry.put(7, times_of(40), dac=7)
    table = MSIDset([item.name for item in HDR3_ITEMS], START, STOP).as_table()
    assert len(table.colnames) == 39
    for ending in ("ecsv", "csv", "fits"):
        again = read_table_file(write_table_file(table, tmp_path / f"all.{ending}"))
        assert again["dac"].tolist()[:24] == [7] * 24
        assert ending == "csv" or again["ad_5v_ps"].unit == table["ad_5v_ps"].unit
        # The FITS standard has no unit of electrons.
        assert ending != "fits" or again["avg_bkg"].description == "Average background [electron]"


def test_a_table_of_one_can_be_the_table_of_temperatures_of_dark_processing(both, tmp_path):
    from aca_core.dark_processing import TemperatureTable
    from aca_core.tables import write_table_file

    path = write_table_file(Msid("ccd_temp", START, STOP).as_table(), tmp_path / "hdr3.ecsv")
    times, t_ccd = TemperatureTable(path=path).samples(START, STOP)
    assert t_ccd.tolist() == [-10.0] * 23
    assert times.tolist() == Msid("ccd_temp", START, STOP).times.tolist()


# ---- pictures -------------------------------------------------------------------------------------------------------


def test_a_picture_shows_every_quantity_and_says_that_it_is_synthetic(both):
    pytest.importorskip("matplotlib")
    figure = both.plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["number", "°C"]
    assert figure.axes[1].get_title(loc="left") == "ccd_temp: CCD temperature"
    assert "synthetic" in figure.get_suptitle()
    assert [len(axes.lines[0].get_xdata()) for axes in figure.axes] == [22, 23]
    assert "2019:272:02:00:00" in figure.get_suptitle()
    one = both["dac"].plot()
    assert one.get_suptitle().startswith("dac: TEC DAC number, 2019:272")


def test_a_picture_of_nothing_and_of_raw_words_can_be_drawn(telemetry, tmp_path):
    pytest.importorskip("matplotlib")
    from aca_core.figures import save_figure

    figure = MSID("ccd_temp", START, STOP, raw=True).plot()
    assert [text.get_text() for text in figure.axes[0].texts] == ["no samples"]
    assert figure.axes[0].get_ylabel() == "raw word"
    assert save_figure(figure, tmp_path / "nothing.png").stat().st_size > 0


def test_the_axes_of_a_picture_are_labelled_with_whole_numbers_and_the_date_once(both):
    pytest.importorskip("matplotlib")
    figure = both.plot()
    figure.draw_without_rendering()
    number, temperature = figure.axes
    assert all(label.get_text().lstrip("\N{MINUS SIGN}").isdecimal() for label in number.get_yticklabels())
    dates = [label.get_text() for label in temperature.get_xticklabels()]
    dates.append(temperature.xaxis.get_major_formatter().get_offset())
    assert dates.count("2019:272") == 1


def test_a_picture_has_a_limit(telemetry):
    from aca_core.aca_hdr3 import HDR3_ITEMS

    with pytest.raises(DeclarationError, match="1 to 12 of them"):
        MSIDset([item.name for item in HDR3_ITEMS], START, STOP).plot()


# ---- wrong questions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [MSID, Msid, lambda msid, *dates: MSIDset([msid], *dates)])
def test_wrong_questions_are_refused_before_anything_is_read(telemetry, make):
    with pytest.raises(UnknownNameError, match="Did you mean 'ccd_temp'"):
        make("ccd_tmp", START, STOP)
    with pytest.raises(DateError, match="goes forward"):
        make("dac", STOP, START)
    with pytest.raises(DateError, match="2019:400"):
        make("dac", "2019:400", "2020:001")
    with pytest.raises(DateError, match="expected one"):
        make("dac", [START, STOP], STOP)
    with pytest.raises(DeclarationError, match="start is None"):
        make("dac", None, STOP)
    assert telemetry.asked == []


@pytest.mark.parametrize("msids", [[], (), None, 1.5])
def test_a_set_of_nothing_is_refused(telemetry, msids):
    with pytest.raises(AcaError, match="names or numbers of quantities"):
        MSIDset(msids, START, STOP)


def test_backward_dates_beside_data_are_refused(dac):
    with pytest.raises(DateError, match="goes forward"):
        MSID("dac", STOP, START, msid_data=dac)


def test_the_clock_of_the_camera_may_drift_over_weeks(telemetry):
    """4.1000002 s a row are 0.08 s in 19 days: only steps are compared."""
    times = START + PERIOD * np.arange(400_000)
    telemetry.put(7, times, dac=1)
    assert MSID("dac", times[0], times[-20]).vals.count() == 399_981
