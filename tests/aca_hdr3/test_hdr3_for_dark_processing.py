"""Dark processing asks the archive's telemetry how warm the CCD was, and goes on where it has none."""

import pickle

import numpy as np
import pytest
from header_3_telemetry import START, archive_of, times_of, write_slot

from aca_core import Config, DarkSettings, DeclarationError, MissingDataError, PluginSettings, open_archive, using
from aca_core.aca_hdr3 import MSID
from aca_core.compat.mica.archive import aca_hdr3 as upstream
from aca_core.dark_processing import Header3Telemetry, TemperatureTable, dark_inputs, get_ccd_temp
from aca_core.dates import to_date, to_secs

STOP = START + 600.0


@pytest.fixture
def archive(tmp_path):
    """Return an archive with ten minutes of telemetry at -15, -15.1, -15 ... degC, some of it bad."""
    words = np.where(np.arange(160) % 2, -1510, -1500) * 65536
    quality = np.where(np.arange(160) % 10 == 0, 1, 0)
    return archive_of(tmp_path, lambda place: write_slot(place, 6, times_of(160), quality=quality, ccd_temp=words))


def test_the_temperature_is_that_of_the_archive_in_use(archive):
    with using(archive):
        t_ccd, source = get_ccd_temp(START, STOP)
        times, values = dark_inputs().hdr3.samples(START, STOP)
    assert source == "HDR3"
    assert t_ccd == pytest.approx(np.mean(values), rel=1e-12)
    assert -15.1 < t_ccd < -15.0
    assert set(np.round(values, 6)) == {-15.0, -15.1}
    assert times.size == 132, "147 rows are in the range, and every tenth is bad"


def test_five_samples_are_enough_and_four_lead_to_the_next_step(archive, tmp_path):
    table = tmp_path / "aacccdpt.csv"
    rows = [f"{to_date(START + 60 * number)},-14" for number in range(-100, 101)]
    table.write_text("\n".join(["time,value", *rows]) + "\n")
    with using(open_archive(archive.roots[0], Config(dark=DarkSettings(aacccdpt=table)))):
        assert get_ccd_temp(START + 4, START + 4 + 4 * 4.11 + 4)[1] == "HDR3"
        assert get_ccd_temp(START + 4, START + 4 + 4 * 4.11) == (pytest.approx(-14.0), "AACCCDPT")
        assert get_ccd_temp(START + 700, START + 1400) == (pytest.approx(-14.0), "AACCCDPT")


def test_an_archive_without_telemetry_has_no_samples(tmp_path):
    (tmp_path / "empty").mkdir()
    with using(open_archive(tmp_path / "empty")):
        assert [each.size for each in dark_inputs().hdr3.samples(START, STOP)] == [0, 0]
        with pytest.raises(MissingDataError, match="header 3 has 0 usable samples; more than 4 are needed"):
            get_ccd_temp(START, STOP)


def test_the_archive_of_a_configuration_is_asked_wherever_one_is(archive, tmp_path):
    inputs = dark_inputs(Config(root=archive.roots))
    assert inputs.hdr3 == Header3Telemetry(config=Config(root=archive.roots))
    assert pickle.loads(pickle.dumps(inputs)) == inputs
    expected = get_ccd_temp(START, STOP, inputs)
    assert expected[1] == "HDR3"
    (tmp_path / "other").mkdir()
    with using(open_archive(tmp_path / "other")):
        assert get_ccd_temp(START, STOP, inputs) == expected


def test_a_table_that_is_named_comes_first(archive, tmp_path):
    config = Config(root=archive.roots, dark=DarkSettings(hdr3=tmp_path / "hdr3.csv"))
    assert dark_inputs(config).hdr3 == TemperatureTable(path=tmp_path / "hdr3.csv", setting="dark.hdr3")


def test_there_is_no_telemetry_without_an_archive_or_without_its_plugin(archive):
    assert dark_inputs(Config()).hdr3 is None
    assert dark_inputs(Config(root=archive.roots, plugins=PluginSettings(disable=("aca0",)))).hdr3 is None
    with pytest.raises(DeclarationError, match="a configuration"):
        Header3Telemetry(config="aca.toml")


def test_the_names_of_the_first_package_are_there(archive):
    assert upstream.__all__ == ["MSID", "MSIDset", "MissingData", "Msid"]
    assert upstream.MSID is MSID
    with pytest.raises(upstream.MissingData):
        upstream.MSIDset(["ccd_tmp"], START, STOP)
    with using(archive):
        plain = upstream.Msid("676", to_date(START), to_date(STOP))
        masked = upstream.MSID("ccd_temp", START, STOP, None, False)
        assert list(upstream.MSIDset(["ccd_temp", "dac"], START, STOP)) == ["ccd_temp", "dac"]
    assert plain.vals.tolist() == masked.vals.compressed().tolist()
    assert plain.tstart == to_secs(to_date(START))
