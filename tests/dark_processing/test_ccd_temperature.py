"""How warm the CCD was: the three-step rule, what it refuses, and tables in any unit."""

import pickle

import attrs
import numpy as np
import pytest
from astropy.table import Table

from aca_core import AcaWarning, Config, ConfigError, DarkSettings, DeclarationError, IntegrityError, MissingDataError
from aca_core.dark_processing import DarkInputs, TemperatureProvider, TemperatureTable, dark_inputs, get_ccd_temp
from aca_core.dates import to_secs

START, STOP = "2012:115:10:00:00", "2012:115:10:40:00"
MIDDLE = "2012:115:10:20:00"


@attrs.frozen(kw_only=True)
class Said(TemperatureProvider):
    """Says what it was told to say."""

    answer: object

    def samples(self, tstart, tstop):
        return self.answer


def test_before_2000_the_temperature_is_a_guess_and_nobody_is_asked():
    assert get_ccd_temp("1999:223", "1999:224", DarkInputs(hdr3=Said(answer=None))) == (-10.0, "GUESS")


@pytest.mark.parametrize(("number", "source"), [(4, None), (5, "HDR3")])
def test_more_than_four_samples_of_header_3_are_enough(temperatures, number, source):
    inputs = DarkInputs(hdr3=temperatures("hdr3", START, 100, [-15.0, -15.2, -15.4, -15.6, -15.8][:number]))
    if source is None:
        with pytest.raises(MissingDataError, match="header 3 has 4 usable samples; more than 4 are needed; AACCCDPT"):
            get_ccd_temp(START, STOP, inputs)
    else:
        assert get_ccd_temp(START, STOP, inputs) == (pytest.approx(-15.4), "HDR3")


def test_samples_outside_of_the_interval_or_of_the_range_do_not_count(temperatures):
    values = [-15.0, -15.0, -15.0, -15.0, -99.0, 60.0]
    inputs = DarkInputs(hdr3=temperatures("hdr3", START, 100, values))
    with pytest.raises(MissingDataError, match="4 usable samples, and 2 outside the temperature range"):
        get_ccd_temp(START, STOP, inputs)
    wider = attrs.evolve(inputs, temperature_range=(-99, 15))
    assert get_ccd_temp(START, STOP, wider) == (pytest.approx((4 * -15 - 99) / 5), "HDR3")
    with pytest.raises(MissingDataError, match="header 3 has 3 usable"):
        get_ccd_temp("2012:115:10:01:40", "2012:115:10:05:00", inputs)


@pytest.mark.parametrize(("number", "is_enough"), [(100, False), (101, True)])
def test_more_than_a_hundred_samples_of_aacccdpt_are_enough(temperatures, number, is_enough):
    inputs = DarkInputs(aacccdpt=temperatures("aacccdpt", "2012:115:05:00:00", 39000 / 120, [-15.0] * number))
    if is_enough:
        assert get_ccd_temp(START, STOP, inputs) == (pytest.approx(-15.0), "AACCCDPT")
    else:
        with pytest.raises(MissingDataError, match=r"AACCCDPT has 100 usable samples within 20000 s of the middle"):
            get_ccd_temp(START, STOP, inputs)


def test_the_parabola_is_taken_in_the_middle_of_the_interval(temperatures):
    """Exact on a parabola, wherever its samples are, with a fault among them."""
    middle, first = to_secs(MIDDLE), to_secs("2012:115:05:30:00")
    hours = (first + np.arange(200) * 150.0 - middle) / 3600
    values = list(-15.5 + 0.3 * hours - 0.02 * hours**2)
    values[50] = -273.0
    inputs = DarkInputs(aacccdpt=temperatures("aacccdpt", "2012:115:05:30:00", 150.0, values))
    t_ccd, source = get_ccd_temp(START, STOP, inputs)
    assert t_ccd == pytest.approx(-15.5, rel=1e-9)
    assert source == "AACCCDPT"
    assert type(t_ccd) is float


def test_an_extrapolated_parabola_says_so(temperatures):
    inputs = DarkInputs(aacccdpt=temperatures("aacccdpt", "2012:115:11:00:00", 100.0, [-15.0] * 120))
    with pytest.warns(AcaWarning, match="on one side") as warned:
        get_ccd_temp(START, STOP, inputs)
    assert warned[0].filename == __file__


def test_a_parabola_through_anything_says_so(temperatures):
    inputs = DarkInputs(aacccdpt=temperatures("aacccdpt", "2012:115:06:00:00", 100.0, [-25.0, -10.0] * 150))
    with pytest.warns(AcaWarning, match=r"scatter by 7\.5 degC"):
        get_ccd_temp(START, STOP, inputs)


def test_a_parabola_that_leaves_the_range_is_no_temperature(temperatures):
    rising = list(np.linspace(-39.0, 14.0, 101) ** 2 / 100 - 39)
    inputs = DarkInputs(aacccdpt=temperatures("aacccdpt", "2012:115:14:00:00", 50.0, rising))
    with pytest.raises(MissingDataError, match="outside of -40 to 15 degC"):
        get_ccd_temp(START, STOP, inputs)
    same_time = Said(answer=(np.full(200, to_secs(MIDDLE)), np.full(200, -15.0)))
    with pytest.raises(MissingDataError, match="fewer than three times"):
        get_ccd_temp(START, STOP, DarkInputs(aacccdpt=same_time))


def test_many_intervals_give_many_temperatures(temperatures):
    inputs = DarkInputs(hdr3=temperatures("hdr3", START, 60, [-15.0] * 40))
    t_ccd, source = get_ccd_temp([["1999:223", START]], [["1999:224", STOP]], inputs)
    assert t_ccd.tolist() == [[-10.0, -15.0]]
    assert source.tolist() == [["GUESS", "HDR3"]]


def test_wrong_questions_are_refused():
    with pytest.raises(DeclarationError, match="not before tstart"):
        get_ccd_temp(STOP, START, DarkInputs())
    with pytest.raises(DeclarationError, match="broadcast"):
        get_ccd_temp([START] * 2, [STOP] * 3, DarkInputs())
    with pytest.raises(MissingDataError, match=r"header 3 has no provider .*\[dark\]"):
        get_ccd_temp(START, STOP, DarkInputs())
    with pytest.raises(DeclarationError, match="DarkInputs, or nothing"):
        get_ccd_temp(START, STOP, "hdr3.csv")
    with pytest.raises(DeclarationError, match="two increasing temperatures"):
        DarkInputs(temperature_range=(15, -40))
    with pytest.raises(DeclarationError, match="a TemperatureProvider"):
        DarkInputs(hdr3="hdr3.csv")


@pytest.mark.parametrize("answer", [None, ([1.0],), ([1.0, 2.0], [1.0]), (["x"], [1.0])])
def test_a_provider_that_breaks_its_contract_is_named(answer):
    with pytest.raises(DeclarationError, match="Said"):
        get_ccd_temp(START, STOP, DarkInputs(hdr3=Said(answer=answer)))


# ---- tables ---------------------------------------------------------------------------------------------------------


def _inputs(table, path):
    table.write(path)
    return DarkInputs(hdr3=TemperatureTable(path=path))


@pytest.mark.parametrize("ending", ["ecsv", "fits"])
def test_a_column_in_kelvin_is_converted(tmp_path, ending):
    table = Table({"time": to_secs(START) + np.arange(10) * 60.0, "value": np.full(10, 258.15)})
    table["value"].unit = "K"
    assert get_ccd_temp(START, STOP, _inputs(table, tmp_path / f"t.{ending}")) == (pytest.approx(-15.0), "HDR3")


@pytest.mark.parametrize("unit", ["deg_C", "C", "degC"])
def test_a_column_in_celsius_is_taken_as_it_is(tmp_path, unit):
    from astropy.units import Unit

    table = Table({"DATE": [f"2012:115:10:0{minute}:00" for minute in range(8)], "CCD_TEMP": np.full(8, -15.0)})
    table["CCD_TEMP"].unit = Unit(unit, parse_strict="silent")
    path = tmp_path / "t.ecsv"
    table.write(path)
    assert TemperatureTable(path=path).samples(START, STOP)[1].tolist() == [-15.0] * 8


def test_kelvin_without_a_unit_is_refused_with_what_to_do(temperatures):
    inputs = DarkInputs(hdr3=temperatures("hdr3", START, 60, [258.15] * 10))
    with pytest.raises(IntegrityError, match=r"258\.15, taken for degC; give the column its unit .*subtract 273\.15"):
        get_ccd_temp(START, STOP, inputs)


def test_another_unit_is_refused(tmp_path):
    table = Table({"time": [START], "value": [1.0]})
    table["value"].unit = "m"
    with pytest.raises(IntegrityError, match="no temperature"):
        get_ccd_temp(START, STOP, _inputs(table, tmp_path / "t.ecsv"))


def test_a_table_is_read_again_when_it_changes_and_nobody_can_spoil_it(temperatures):
    table = temperatures("hdr3", START, 60, [-15.0] * 10)
    times, values = table.samples(START, STOP)
    values[:] = times[:] = 0.0
    assert table.samples(START, STOP)[1].tolist() == [-15.0] * 10
    table.path.write_text(table.path.read_text().replace("-15.0", "-16.25"))
    assert table.samples(START, STOP)[1].tolist() == [-16.25] * 10


def test_empty_cells_are_left_out_and_the_order_does_not_matter(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"time,value\n{STOP},-2\n{MIDDLE},\n,-5\n{START},-1\n")
    assert TemperatureTable(path=path).samples(START, STOP)[1].tolist() == [-1.0, -2.0]
    path.write_text("time,value\n")
    assert TemperatureTable(path=path).samples(START, STOP)[0].size == 0


@pytest.mark.parametrize("wide", ["time", "value"])
def test_a_column_with_several_values_in_a_row_is_refused(tmp_path, wide):
    table = Table({"time": to_secs(START) + np.arange(3.0), "value": np.full(3, -15.0)})
    table[wide] = np.stack([table[wide], table[wide]], axis=1)
    with pytest.raises(IntegrityError, match=rf"its column '{wide}' has 2 values in each row; expected one"):
        get_ccd_temp(START, STOP, _inputs(table, tmp_path / "t.fits"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("time,temperature\n2012:115,-1\n", "has no column value or ccd_temp or aacccdpt, but time, temperature; name"),
        ("time,value\n2012:400,-1\n", "'time' has what is no date"),
        ("time,value\n2012:115,cold\n", "'value' is no temperature"),
        ("", "cannot be read as a table"),
    ],
)
def test_a_table_that_is_none_is_named_with_what_is_wrong(tmp_path, content, says):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(IntegrityError, match=says) as raised:
        TemperatureTable(path=path).samples(START, STOP)
    assert str(path) in str(raised.value)


def test_a_table_that_is_not_there_is_named_with_the_key_that_names_it(tmp_path):
    config = Config(root=[tmp_path], dark=DarkSettings(hdr3=tmp_path / "hdr3.csv"))
    with pytest.raises(MissingDataError, match=r"no table .*hdr3\.csv; dark\.hdr3 of the configuration"):
        get_ccd_temp(START, STOP, dark_inputs(config))


def test_inputs_of_a_configuration_pickle_and_need_a_root_for_relative_paths(tmp_path):
    from pathlib import Path

    inputs = dark_inputs(Config(root=[tmp_path], dark=DarkSettings(hdr3=Path("hdr3.csv"))))
    assert inputs.hdr3.path == tmp_path / "hdr3.csv"
    assert pickle.loads(pickle.dumps(inputs)) == inputs
    with pytest.raises(ConfigError, match=r"dark\.hdr3: .*no[nt]e? .*configured"):
        dark_inputs(Config(dark=DarkSettings(hdr3=Path("hdr3.csv"))))
