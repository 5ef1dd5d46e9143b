"""Simulated dark calibrations: the same bytes from the same seed, both layouts, and the truth of what was injected."""

import hashlib
import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from aca_core import Config, DatedTree, DeclarationError, IntegrityError, MissingDataError, Registry, UnknownNameError
from aca_core.dark_current import warm_fraction
from aca_core.dark_processing import calibration_events, dark_inputs, get_ccd_temp
from aca_core.dates import to_date, to_secs
from aca_core.simulation import SYNTHETIC, read_dark_truth, simulate_dark_calibrations

IDS = ("1999223", "2000326", "2009050", "2019272")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return both layouts with the properties of their times; look, and change nothing."""
    folder = tmp_path_factory.mktemp("dark") / "site"
    return simulate_dark_calibrations(folder, IDS, seed=4, layouts=("ska", "mica"), property_set="mixed")


@pytest.fixture
def registry(both):
    return Registry(Config(root=[both.folder], ska=both.ska, dark=both.settings))


def hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def image_of(simulated, dark_id):
    return fits.getdata(simulated.ska_root / dark_id / "imd.fits")


# ---- files ----------------------------------------------------------------------------------------------------------


def test_the_same_seed_writes_the_same_bytes_and_another_one_others(tmp_path):
    ids = ("2005247", "2017185")
    first = simulate_dark_calibrations(tmp_path / "a", ids, seed=7, layouts=("ska", "mica"))
    again = simulate_dark_calibrations(tmp_path / "b", reversed(ids), seed=7, layouts=["mica", "ska"])
    other = simulate_dark_calibrations(tmp_path / "c", ids, seed=8)
    assert hashes(first.folder) == hashes(again.folder)
    assert not np.array_equal(image_of(first, "2005247"), image_of(other, "2005247"))
    alone = simulate_dark_calibrations(tmp_path / "d", ids[1:], seed=7)
    assert np.array_equal(image_of(first, "2017185"), image_of(alone, "2017185"))


def test_everything_that_was_written_is_listed_and_says_that_it_is_synthetic(both):
    assert set(both.files) == set(hashes(both.folder))
    assert SYNTHETIC in (both.folder / "dark_README.txt").read_text()
    for path in both.folder.rglob("*.fits"):
        header = fits.getheader(path)
        assert header["SYNTHET"] is True
        assert SYNTHETIC in str(header["COMMENT"])
    for path in both.folder.rglob("properties.json"):
        assert json.loads(path.read_text())["synthetic"] == SYNTHETIC
    for path in both.folder.rglob("VC2_*"):
        assert path.read_text().strip() == SYNTHETIC
    assert json.loads((both.folder / "dark_truth.json").read_text())["synthetic"] == SYNTHETIC


def test_maps_are_big_endian_float32_with_good_checksums(both):
    with fits.open(both.ska_root / "2009050" / "imd.fits", checksum=True) as hdus:
        assert hdus[0].data.dtype == np.dtype(">f4")
        assert hdus[0].data.shape == (1024, 1024)
        assert hdus[0].header["BUNIT"] == "electron/s"
        assert hdus[0].header["CCD_TEMP"] == both.of("2009050").t_ccd
        assert hdus[0].verify_checksum() == hdus[0].verify_datasum() == 1


def test_the_built_in_dark_sources_read_both_layouts(both, registry):
    mica, ska = registry.dark_source("mica"), registry.dark_source("ska")
    assert isinstance(mica, DatedTree)
    assert mica.ids() == ska.ids() == IDS
    assert np.array_equal(mica.image("2019272"), ska.image("2019272"))
    assert mica.properties("2009050")["ccd_temp"] == pytest.approx(both.of("2009050").t_ccd, abs=0.05)


def test_properties_are_those_of_the_processing_of_their_time(registry):
    mica = registry.dark_source("mica")
    classic, acdc = mica.properties("2009050"), mica.properties("2019272")
    assert {"id", "start", "stop", "dur", "ra", "zodib", "replicas"} <= set(classic)
    assert {"t_ccd", "n_ccd_img", "datestart", "datestop", "filename"} <= set(acdc)
    assert not {"replicas", "zodib"} & set(acdc)
    assert acdc["t_ccd"] == acdc["ccd_temp"]
    assert [each["ccd_temp_source"] for each in mica.properties("1999223")["replicas"]] == ["GUESS"] * 5


def test_each_calibration_has_a_table_of_the_sky_up_to_its_own(both):
    tables = [Table.read(both.ska_root / each / "Result" / "zodi.csv", format="ascii.csv") for each in IDS]
    assert [len(table) for table in tables] == [1, 2, 3, 4]
    last = tables[-1]
    assert last.colnames == ["date", "ra", "dec", "el", "eb", "sun_el", "l_l0", "zodib"]
    assert last["l_l0"] == pytest.approx(last["el"] - last["sun_el"], abs=1e-3)
    signal = 0.0108 * last["zodib"]
    assert ((signal > 0.8) & (signal < 4.8)).all()


def test_right_ascension_and_longitude_are_of_the_same_place(both):
    from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord

    for truth in both.calibrations:
        place = SkyCoord(truth.sky["ra"], truth.sky["dec"], unit="deg").transform_to(BarycentricMeanEcliptic())
        assert place.lon.deg == pytest.approx(truth.sky["el"], abs=0.02)
        assert place.lat.deg == pytest.approx(truth.sky["eb"], abs=0.02)


# ---- truth ----------------------------------------------------------------------------------------------------------


def test_the_truth_is_read_back(both):
    assert read_dark_truth(both.folder) == both
    with pytest.raises(UnknownNameError, match="2009050"):
        both.of("2009051")
    with pytest.raises(MissingDataError, match="no simulated dark calibrations"):
        read_dark_truth(both.folder / "ska")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"format": "other"}', '{"format": "aca_core.simulation dark truth 1"}']
)
def test_a_truth_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "dark_truth.json").write_text(content)
    with pytest.raises(IntegrityError, match=r"dark_truth\.json"):
        read_dark_truth(tmp_path)


def test_a_processing_finds_the_calibrations_and_their_temperatures(both, registry):
    inputs = dark_inputs(registry.config)
    events = calibration_events("1999:200", inputs=inputs)
    assert [event.start for event in events] == [to_date(truth.tstart) for truth in both.calibrations]
    for event, truth in zip(events, both.calibrations, strict=True):
        assert [each.tstart for each in event.replicas] == pytest.approx([r.tstart for r in truth.replicas], abs=1e-3)
        for replica, true in zip(event.replicas, truth.replicas, strict=True):
            t_ccd, source = get_ccd_temp(replica.tstart - 600, replica.tstop + 600, inputs)
            assert source == truth.source
            # The mean of some 18 samples with a noise of 0.03 degC; the guess is right to what is usual.
            assert t_ccd == pytest.approx(true.t_ccd, abs=0.5 if source == "GUESS" else 0.05)


def test_telemetry_has_faults_that_a_processing_rejects(both):
    values = Table.read(both.settings.hdr3, format="ascii.csv")["value"]
    assert 0 < (values < -200).sum() < 0.05 * len(values)
    assert to_secs(str(Table.read(both.settings.aacccdpt, format="ascii.csv")["time"][0])) > to_secs("2000:001")


@pytest.mark.parametrize("n_replicas", [1, 3, 9])
def test_any_number_of_replicas_is_a_calibration(tmp_path, n_replicas):
    simulated = simulate_dark_calibrations(tmp_path / "site", ["2012115"], n_replicas=n_replicas)
    (event,) = calibration_events("2012:110", "2012:120", dark_inputs(Config(dark=simulated.settings)))
    assert [each.count for each in event.replicas] == list(range(1, n_replicas + 1))
    files = sorted(path.name for path in (simulated.ska_root / "2012115").glob("VC2_Replica*_SFDU*"))
    assert len(files) == n_replicas


# ---- maps -----------------------------------------------------------------------------------------------------------


def test_a_map_has_the_warm_pixels_of_the_model_at_its_date_and_temperature(both):
    """More by some percent: the model's dark current is added to that of an undamaged CCD."""
    for dark_id in ("2009050", "2019272"):
        truth = both.of(dark_id)
        assert truth.n_warm == int((image_of(both, dark_id) > 100).sum())
        expected = warm_fraction(truth.tstart, truth.t_ccd, 100.0, model="2017")
        assert 1.0 < truth.n_warm / 1024**2 / expected < 1.15


def test_an_early_map_is_nearly_undamaged(both):
    assert both.of("1999223").n_warm < 8000  # 3495 in flight
    assert 10_000 < both.of("2000326").n_warm < 60_000  # 34097 in flight


def test_noise_makes_cool_pixels_negative(tmp_path):
    noisy = simulate_dark_calibrations(tmp_path / "noisy", ["2009050"], noise=5.0)
    quiet = simulate_dark_calibrations(tmp_path / "quiet", ["2009050"], noise=0.0)
    difference = image_of(noisy, "2009050").astype(float) - image_of(quiet, "2009050")
    assert (image_of(noisy, "2009050") < 0).mean() > 0.02
    assert (image_of(quiet, "2009050") >= 0).all()
    assert difference.std() == pytest.approx(5.0, rel=0.01)
    assert difference.mean() == pytest.approx(0.0, abs=0.02)


def test_temperatures_may_be_given_for_all_or_by_id(tmp_path):
    same = simulate_dark_calibrations(tmp_path / "same", ["2009050", "2012115"], t_ccd=-12)
    assert [truth.t_ccd for truth in same.calibrations] == [-12.0, -12.0]
    one = simulate_dark_calibrations(tmp_path / "one", ["2009050", "2012115"], t_ccd={"2009050": -12.5})
    assert one.of("2009050").t_ccd == -12.5
    assert one.of("2012115").t_ccd == pytest.approx(-19.0, abs=0.5)
    assert one.of("2012115").n_warm < same.of("2012115").n_warm


# ---- folders and arguments ------------------------------------------------------------------------------------------


def test_an_earlier_simulation_is_replaced_by_force_and_nothing_else_is_touched(tmp_path):
    (tmp_path / "asp1").mkdir()
    (tmp_path / "asp1" / "archfiles.db3").write_text("an archive")
    simulate_dark_calibrations(tmp_path, ["2009050", "2012115"])
    with pytest.raises(IntegrityError, match="by force"):
        simulate_dark_calibrations(tmp_path, ["2009050"])
    told = []
    simulated = simulate_dark_calibrations(tmp_path, ["2009050"], force=True, told=told.append)
    assert told == list(simulated.calibrations)
    assert not (simulated.ska_root / "2012115").exists()
    assert set(hashes(tmp_path)) == {*simulated.files, "asp1/archfiles.db3"}


def test_what_somebody_has_put_beside_a_simulated_map_stays(tmp_path):
    both = {"dark_ids": ["2009050"], "layouts": ["ska", "mica"]}
    simulated = simulate_dark_calibrations(tmp_path, **both)
    notes = [simulated.ska_root / "2009050" / "Result" / "notes.txt", simulated.mica_root / "2009050" / "notes.txt"]
    for path in notes:
        path.write_text("by hand")
    again = simulate_dark_calibrations(tmp_path, **both, force=True)
    assert [path.read_text() for path in notes] == ["by hand"] * 2
    assert image_of(again, "2009050").shape == (1024, 1024)


def test_nothing_outside_of_the_folder_is_removed(tmp_path):
    simulated = simulate_dark_calibrations(tmp_path / "site", ["2009050"])
    (tmp_path / "precious").write_text("mine")
    path = simulated.folder / "dark_truth.json"
    path.write_text(path.read_text().replace("aacccdpt.csv", "../precious"))
    with pytest.raises(IntegrityError, match="not below its folder"):
        simulate_dark_calibrations(simulated.folder, ["2009050"], force=True)
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_link_to_another_tree_is_not_followed(tmp_path, is_replaced):
    """As to that of flight, which may have calibrations of the same days."""
    flight = tmp_path / "flight" / "data" / "aca_dark_cal" / "2009050"
    flight.mkdir(parents=True)
    (flight / "imd.fits").write_text("from flight")
    site = tmp_path / "site"
    if is_replaced:
        simulate_dark_calibrations(site, ["2009050"])
        (site / "ska").rename(tmp_path / "earlier")
    site.mkdir(exist_ok=True)
    (site / "ska").symlink_to("../flight")
    for dark_id in ("2009050", "2012115"):
        with pytest.raises(IntegrityError, match="not below its folder"):
            simulate_dark_calibrations(site, [dark_id], force=True)
    assert hashes(tmp_path / "flight").keys() == {"data/aca_dark_cal/2009050/imd.fits"}
    assert (flight / "imd.fits").read_text() == "from flight"


@pytest.mark.parametrize("layout", ["ska", "mica"])
def test_calibrations_that_no_simulation_wrote_are_never_overwritten(tmp_path, layout):
    place = {"ska": tmp_path / "ska" / "data" / "aca_dark_cal", "mica": tmp_path / "aca_dark"}[layout] / "2009050"
    place.mkdir(parents=True)
    (place / "flight.fits").write_text("from flight")
    for _ in range(2):
        with pytest.raises(IntegrityError, match="no simulation of dark calibrations wrote it"):
            simulate_dark_calibrations(tmp_path, ["2009050"], layouts=["ska", "mica"], force=True)
    assert list(hashes(tmp_path)) == [str((place / "flight.fits").relative_to(tmp_path))]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"dark_ids": "2012115"}, "several ids"),
        ({"dark_ids": []}, "at least one id"),
        ({"dark_ids": 2012115}, "several ids"),
        ({"dark_ids": ["2012115", "2012115"]}, "each once"),
        ({"dark_ids": ["2012400"]}, "ids YYYYDOY"),
        ({"dark_ids": ["2012115", "2012116"]}, "three days apart"),
        ({"dark_ids": ["1998115"]}, "after 1999:143"),
        ({"seed": -1}, "seed is -1"),
        ({"layouts": "ska"}, "layouts"),
        ({"layouts": ["flight"]}, "mica and ska"),
        ({"layouts": None}, "mica and ska"),
        ({"n_replicas": 0}, "from 1 to 9"),
        ({"property_set": "old"}, "one of classic, acdc, mixed"),
        ({"noise": float("nan")}, "noise"),
        ({"t_ccd": 250.0}, "from -40 to 15 degC"),
        ({"t_ccd": {"2009050": -10.0}}, "ids that are simulated"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path, arguments, says):
    with pytest.raises(DeclarationError, match=says):
        simulate_dark_calibrations(tmp_path / "site", **{"dark_ids": ["2012115"], **arguments})
    assert not (tmp_path / "site").exists()
