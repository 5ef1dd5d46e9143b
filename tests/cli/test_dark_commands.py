"""``aca dark``: what it prints, writes and refuses, on synthetic calibrations."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from aca_core.cli import ATTENTION, ERROR, USAGE, run
from aca_core.dark_cal import DarkCalibrations
from aca_core.dark_current import warm_fraction

IDS = ("2005247", "2012115", "2023101")

CONFIG = """\
root = "archive"
ska = "ska"

[dark]
events = "../dark_events.csv"
aacccdpt = "../aacccdpt.csv"
hdr3 = "../hdr3.csv"
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Three calibrations as they come from the ground, made by the command, and a configuration."""
    site = tmp_path_factory.mktemp("darks") / "site"
    assert run(["dark", "simulate", str(site), "--ids", ",".join(IDS)]) == 0
    (site / "archive").mkdir()
    (site / "aca.toml").write_text(CONFIG)
    return site


@pytest.fixture(scope="module")
def processed(simulated, tmp_path_factory):
    """The same with their entries."""
    site = tmp_path_factory.mktemp("processed") / "site"
    shutil.copytree(simulated, site)
    assert run(["--config", str(site / "aca.toml"), "dark", "update", "--start", "1999:001"]) == 0
    return site


@pytest.fixture
def fresh(simulated, tmp_path, monkeypatch):
    """A copy of the first, as the current folder."""
    shutil.copytree(simulated, tmp_path / "site")
    monkeypatch.chdir(tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def site(processed, monkeypatch):
    """The second as the current folder, to be left as it is."""
    monkeypatch.chdir(processed)
    return processed


@pytest.fixture
def own(processed, tmp_path, monkeypatch):
    """A copy of the second, as the current folder."""
    shutil.copytree(processed, tmp_path / "site")
    monkeypatch.chdir(tmp_path / "site")
    return tmp_path / "site"


def entries(site: Path) -> Path:
    return site / "archive" / "aca_dark"


def lines_of(out: str) -> list[list[str]]:
    return [line.split() for line in out.splitlines() if line.strip()]


# ---- which there are ------------------------------------------------------------------------------------------------


def test_list_has_a_line_for_each_calibration_and_opens_no_map(say, own):
    for path in entries(own).rglob("image.fits"):
        path.write_bytes(b"no map")
    code, out, err = say("dark list")
    assert (code, err) == (0, "")
    rows = lines_of(out)[1:-1]
    assert [row[0] for row in rows] == list(IDS)
    assert [row[1] for row in rows] == ["2005:247", "2012:115", "2023:101"]
    assert all(row[3:5] == ["HDR3", "5"] and row[-1] == "synthetic" for row in rows)
    assert out.endswith("3 calibrations of the dark source 'mica'.\n")


def test_list_as_data_has_the_temperatures_of_the_truth(ask, site):
    from aca_core.simulation.dark_truth import read_dark_truth

    code, data = ask("dark list --start 2012:001")
    assert code == 0
    truth = read_dark_truth(site)
    assert [row["id"] for row in data["calibrations"]] == ["2012115", "2023101"]
    for row in data["calibrations"]:
        assert row["t_ccd"] == pytest.approx(truth.of(row["id"]).t_ccd, abs=0.05)
        assert row["synthetic"] is True


@pytest.mark.parametrize("source", ["ska", "ska/data/aca_dark_cal"])
def test_a_source_without_properties_lists_ids(say, ask, site, source):
    code, out, err = say(f"dark list --source {source}")
    assert (code, err) == (0, "")
    assert lines_of(out)[1] == ["2005247", "2005:247"]
    assert "which keeps no properties" in out
    assert ask(f"dark list --source {source}")[1]["calibrations"][0]["t_ccd"] is None


def test_a_range_without_a_calibration_says_what_there_is(say, ask, site):
    code, out, err = say("dark list --start 2013:001 --stop 2014:001")
    assert (code, out) == (0, "")
    assert re.search(r"no dark calibration from 2013:001 to 2014:001; it has 3, 2005247 to 2023101$", err)
    assert ask("dark list --start 2013:001 --stop 2014:001") == (
        0,
        {"source": "mica", "calibrations": [], "problems": [], "warnings": []},
    )


def test_list_shows_the_others_where_properties_are_damaged(say, ask, own):
    (entries(own) / "2012115" / "properties.json").write_text("{")
    (entries(own) / "2005247" / "properties.json").unlink()
    code, out, err = say("dark list")
    assert code == ATTENTION
    assert [row[0] for row in lines_of(out)[1:-1]] == list(IDS)
    assert "2012115/properties.json: is not valid JSON" in err
    assert "calibration 2005247 has no file" in err
    assert err.count("\n") == 2
    code, data = ask("dark list")
    assert (code, len(data["problems"])) == (ATTENTION, 2)


def test_plot_shows_the_others_where_a_map_is_damaged(say, own):
    (entries(own) / "2012115" / "image.fits").write_bytes(b"SIMPLE")
    code, out, err = say("dark plot --table")
    assert code == ATTENTION
    assert "2012115" not in out
    assert len(lines_of(out)) == len(IDS)
    assert "1 of 3 dark calibrations" in err


def test_list_tells_of_a_temperature_that_is_none(say, ask, own):
    for dark_id, change in (("2012115", {"ccd_temp": "cold"}), ("2005247", {})):
        path = entries(own) / dark_id / "properties.json"
        properties = json.loads(path.read_text())
        del properties["ccd_temp"]
        path.write_text(json.dumps(properties | change))
    code, data = ask("dark list")
    assert (code, [each["t_ccd"] is None for each in data["calibrations"]]) == (ATTENTION, [True, True, False])
    assert "2012115/properties.json: has ccd_temp 'cold'" in data["problems"][0]
    assert "2005247/properties.json: has no ccd_temp" in data["problems"][1]
    assert all(each["zodib"] for each in data["calibrations"]), "what else is known of them is shown"


# ---- what is known of one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "dark_id"),
    [
        ("2012:116", "2012115"),
        ("2012:116 --select after", "2023101"),
        ("2012:200 --select nearest", "2012115"),
        ("2012:115:00:00:01 --select before", "2012115"),
        ("1999:001 --select after", "2005247"),
    ],
)
def test_props_of_the_calibration_that_is_selected(say, ask, site, words, dark_id):
    code, data = ask(f"dark props {words}")
    assert (code, data["id"]) == (0, dark_id)
    assert data["properties"]["date"] == f"{dark_id[:4]}:{dark_id[4:]}"
    assert len(data["properties"]["replicas"]) == 5
    assert data["folder"] == str(entries(site) / dark_id)
    code, out, _ = say(f"dark props {words}")
    assert code == 0
    assert f"Calibration {dark_id} of the dark source 'mica'" in out
    assert out.partition("\nreplicas\n")[2].count("HDR3") == 5


# ---- a map ----------------------------------------------------------------------------------------------------------


def test_image_counts_what_numpy_counts(ask, say, site):
    image = DarkCalibrations.of(entries(site)).image("2012:115", t_ccd_ref=-10.0, allow_negative=True)
    code, data = ask("dark image 2012:200 --t-ccd-ref -10 --allow-negative")
    assert (code, data["id"], data["row0"], data["col0"], data["shape"]) == (0, "2012115", -512, -512, [1024, 1024])
    found = data["statistics"]
    assert found["min"] == image.min() < 0
    assert found["percentiles"]["50"] == pytest.approx(np.median(image), rel=1e-6)
    assert found["pixels_above"] == {str(n): int((image > n).sum()) for n in (20, 50, 100, 200, 1000)}
    code, out, _ = say("dark image 2012:200 --t-ccd-ref -10")
    assert code == 0
    assert "scaled to -10 degC, by 2.2" in out
    assert ["100", "e-/s", str(found["pixels_above"]["100"])] == re.search(r"^100 e-/s +\d+", out, re.M)[0].split()
    assert "synthetic data, not from flight" in out
    assert ask("dark image 2012:200")[1]["statistics"]["min"] == 0


def test_a_map_as_fits_says_where_it_is_from(say, site, tmp_path):
    from astropy.io import fits

    out = tmp_path / "dark.fits"
    code, said, _ = say(f"dark image 2012:200 --t-ccd-ref -10 --out {out}")
    assert (code, said.splitlines()[-1]) == (0, f"Wrote {out}.")
    with fits.open(out, checksum=True) as hdus:
        header, data = hdus[0].header, hdus[0].data
        expected = DarkCalibrations.of(entries(site)).image("2012:115", t_ccd_ref=-10.0)
        np.testing.assert_array_equal(data, expected)
    assert {key: header[key] for key in ("DARKID", "SOURCE", "T_CCDREF", "ROW0", "COL0", "BUNIT", "SYNTHET")} == {
        "DARKID": "2012115",
        "SOURCE": "mica",
        "T_CCDREF": -10.0,
        "ROW0": -512,
        "COL0": -512,
        "BUNIT": "electron / s",
        "SYNTHET": True,
    }
    assert header["T_CCD"] == pytest.approx(-19.0, abs=0.2)
    assert {path.name for path in tmp_path.iterdir()} == {"home", "dark.fits"}


@pytest.mark.parametrize("name", ["dark.npy", "dark.fits.gz", "dark.png", "dark.svg"])
def test_a_map_is_written_as_its_name_says(say, site, tmp_path, name):
    code, _, _ = say(f"dark image 2012:200 --out {tmp_path / name}")
    assert code == 0
    start = (tmp_path / name).read_bytes()[:8]
    assert start.startswith(
        {"npy": b"\x93NUMPY", "gz": b"\x1f\x8b", "png": b"\x89PNG", "svg": b"<?xml"}[name.split(".")[-1]]
    )


def test_a_map_without_a_temperature_is_shown_and_not_scaled(say, ask, site):
    code, data = ask("dark image 2012:200 --source ska")
    assert (code, data["t_ccd"], data["synthetic"]) == (0, None, True)
    assert "CCD temperature not known; the map is as it was measured" in say("dark image 2012:200 --source ska")[1]
    code, out, err = say("dark image 2012:200 --source ska --t-ccd-ref -19")
    assert (code, out) == (ERROR, "")
    assert "keeps no properties; without the CCD temperature a map cannot be scaled" in err


# ---- over the mission -----------------------------------------------------------------------------------------------


def test_plot_has_the_fractions_as_measured_and_at_one_temperature_and_the_models(ask, say, site, tmp_path):
    code, data = ask(f"dark plot --t-ccd-ref -10 --threshold 200 --out {tmp_path / 'warm.png'}")
    assert (code, data["model"], data["threshold"], data["warnings"]) == (0, "2013", 200.0, [])
    assert (tmp_path / "warm.png").read_bytes().startswith(b"\x89PNG")
    calibrations = DarkCalibrations.of(entries(site))
    for row in data["calibrations"]:
        assert row["warm_raw"] == np.mean(calibrations.image(row["date"]) > 200)
        assert row["warm_ref"] == np.mean(calibrations.image(row["date"], t_ccd_ref=-10.0) > 200)
        assert row["model_ref"] == pytest.approx(warm_fraction(row["date"], -10.0, 200.0), rel=1e-12)
        assert row["synthetic"] is True
    code, out, err = say("dark plot --t-ccd-ref -10 --start 2012:001 --table")
    assert code == 0
    assert [row[0] for row in lines_of(out)[1:]] == ["2012115", "2023101"]
    assert out.startswith("id       date      t_ccd degC  measured %  at -10 %  model at -10 %")
    assert re.search(r"dark maps: 2023101 \(2 of 2\)$", err.strip()), "how far it is, on standard error"


def test_fractions_of_hot_pixels_have_the_digits_that_tell_them_apart(say, site):
    rows = lines_of(say("dark plot --threshold 1000 --table")[1])[1:]
    assert all(re.fullmatch(r"0\.\d{4}", cell) for row in rows for cell in row[3:])
    assert len({row[4] for row in rows}) == len(rows)


def test_plot_says_once_what_a_model_does_not_know(say, site):
    code, _, err = say("dark plot --model 2017 --table")
    assert code == 0
    (warning,) = [line for line in err.splitlines() if "warning" in line]
    assert "1 of 3 dates are before 2007.0, from when the 2017 dark model is valid" in warning


def test_plot_of_calibrations_without_temperatures_shows_them_as_measured(ask, site):
    code, data = ask("dark plot --source ska --table")
    assert code == 0
    assert [row["warm_ref"] for row in data["calibrations"]] == [None] * 3
    assert all(row["warm_raw"] > 0.01 for row in data["calibrations"])
    (warning,) = data["warnings"]
    assert "3 of 3 dark calibrations of dark source 'ska'" in warning


def test_plot_draws_a_picture_unless_only_the_table_is_wanted(say, own):
    code, out, _ = say("dark plot --start 2023:001")
    assert (code, out.splitlines()[-1]) == (0, "Wrote warm-pixels.png.")
    (own / "warm-pixels.png").unlink()
    assert "Wrote" not in say("dark plot --start 2023:001 --table")[1]
    assert not (own / "warm-pixels.png").exists()


def test_without_matplotlib_the_table_is_there_and_the_picture_says_what_to_install(say, site, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert say("dark plot --start 2023:001 --table")[0] == 0
    code, out, err = say("dark plot")
    assert (code, out) == (ERROR, "")
    assert "python -m pip install 'aca-core[plot]'" in err
    assert "dark maps" not in err, "known before any map is read"


# ---- the models -----------------------------------------------------------------------------------------------------


def test_model_compares_both_models(ask, say, tmp_path):
    code, data = ask(f"dark model --date 2013:001 --t-ccd -19 --plot {tmp_path / 'model.png'}")
    assert code == 0
    assert [each["name"] for each in data["models"]] == ["2013", "2017"]
    assert data["models"][0]["parameters"]["x_b"] == pytest.approx(113.018265, abs=1e-6)
    assert data["models"][0]["warm_fraction"]["100"] == pytest.approx(
        float(warm_fraction("2013:001", -19.0)), rel=1e-12
    )
    assert (tmp_path / "model.png").stat().st_size > 10_000
    out = say("dark model --date 2013:001 --t-ccd -19")[1]
    assert "model 2013, at -19 degC: g1 0.05, g2 3.15, x_b 113.018" in out
    assert [row[0] for row in lines_of(out)[2:7]] == ["20", "50", "100", "200", "1000"]


def test_model_says_what_more_than_all_pixels_means(say):
    assert "more than 100 %" in say("dark model --date 2026:001 --t-ccd -7.5")[1]
    assert "more than 100 %" not in say("dark model --date 2013:001 --t-ccd -19")[1]


def test_model_without_a_date_is_that_of_now(ask):
    code, data = ask("dark model")
    assert (code, data["t_ccd"]) == (0, -10.0)
    assert data["date"] > "2026:"


def test_evaluate_compares_counts_with_the_models(ask, say, tmp_path):
    table = tmp_path / "counts.csv"
    table.write_text("day,temp,count\n2009:050,-18.963,65217\n2014:104,-15.815,143852\n2014:105,,1\n")
    code, data = ask(f"dark evaluate {table} --plot {tmp_path / 'ratio.svg'}")
    assert (code, data["left_out"]) == (0, 1)
    assert [row["ratio_2013"] for row in data["table"]] == pytest.approx([1.026, 1.019], abs=1e-3)
    assert (tmp_path / "ratio.svg").read_text().startswith("<?xml")
    code, out, _ = say(f"dark evaluate {table}")
    assert code == 0
    assert out.startswith(f"2 calibrations of {table}, pixels above 100 e-/s\n")
    assert "1 row without a date, a temperature or a count left out." in out


# ---- entries that are made ------------------------------------------------------------------------------------------


def test_update_makes_entries_and_then_leaves_them_alone(say, ask, fresh):
    code, out, _ = say("dark update --start 1999:001 --dry-run")
    assert code == 0
    assert "3 made; nothing was written." in out
    assert not entries(fresh).exists()
    code, out, err = say("dark update --start 1999:001")
    assert code == 0
    assert [row[:2] for row in lines_of(out)[1:4]] == [[dark_id, "made"] for dark_id in IDS]
    assert "3 calibrations made from synthetic maps, and marked so." in out
    assert err.count("dark calibrations: ") == 3
    code, data = ask("dark update --start 1999:001")
    assert (code, [row["state"] for row in data["rows"]]) == (0, ["current"] * 3)
    code, out, _ = say("dark update")
    assert code == 0
    assert out.startswith("No dark calibration was made from ")


def test_an_update_in_which_something_fails_needs_attention(say, ask, fresh):
    (fresh / "ska" / "data" / "aca_dark_cal" / "2012115" / "imd.fits").write_bytes(b"no map")
    code, out, _ = say("dark update --start 1999:001")
    assert code == ATTENTION
    assert re.search(r"^2012115 +failed .*imd\.fits", out, re.M)
    assert "2 made, 1 failed." in out
    assert ask("dark update --start 1999:001")[0] == ATTENTION


def test_update_names_the_key_that_is_not_set(say, fresh):
    (fresh / "aca.toml").write_text('root = "archive"\nska = "ska"\n')
    code, out, err = say("dark update")
    assert (code, out) == (ERROR, "")
    assert "dark.events: is not set" in err
    assert err.count("\n") == 1


def test_simulate_writes_the_layouts_that_are_asked_for(ask, say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, data = ask("dark simulate both --ids 2012115 --ids 2023101 --layout both --seed 3")
    assert (code, data["layouts"], data["seed"]) == (0, ["mica", "ska"], 3)
    assert {path.name for path in Path("both/aca_dark").iterdir()} == {"2012115", "2023101"}
    assert (Path("both") / "dark_truth.json").is_file()
    code, out, err = say("dark simulate both --ids 2012115")
    assert (code, out) == (ERROR, "")
    assert "holds simulated dark calibrations" in err
    code, out, err = say("dark simulate both --ids 2012115 --layout mica --force")
    assert (code, err) == (0, "made 2012115\n")
    assert "synthetic data made by aca_core.simulation, not from flight" in out
    assert [path.name for path in Path("both/aca_dark").iterdir()] == ["2012115"]
    assert say("dark simulate again --ids 2012115 --layout mica")[0] == 0
    images = [Path(folder, "aca_dark", "2012115", "image.fits").read_bytes() for folder in ("both", "again")]
    assert images[0] == images[1], "the same seed, the same bytes"


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("dark image 1999:001", ERROR, "no dark calibration before 1999:001"),
        ("dark props 2024:001 --select after", ERROR, "no dark calibration after 2024:001"),
        ("dark list --source nowhere", ERROR, "no dark source is named 'nowhere'. Known: mica, ska"),
        ("dark list --source ./absent", ERROR, "there is no folder"),
        ("dark list --start 2020:001 --stop 2019:001", ERROR, "stops before it starts"),
        ("dark props yesterday", ERROR, "'yesterday' is not a usable date"),
        ("dark plot --start 2013:001 --stop 2014:001", ERROR, "no dark calibration from 2013:001 to 2014:001"),
        ("dark plot --model 2012", ERROR, "no dark model is named '2012'"),
        ("dark plot --table --out warm.png", USAGE, "--table draws nothing"),
        ("dark plot --out warm.gif", USAGE, "expected a name that ends in .png, .svg, .pdf"),
        ("dark plot --threshold nan", USAGE, "'nan' cannot be used here; expected a dark current in e-/s"),
        ("dark image 2012:200 --out dark.jpg", USAGE, "expected a name that ends in .fits, .fits.gz, .npy, .png"),
        ("dark image 2012:200 --t-ccd-ref warm", USAGE, "'warm' cannot be used here; expected a temperature in degC"),
        ("dark image 2012:200 --select later", USAGE, "'later' is not one of 'before', 'after', 'nearest'"),
        ("dark image 2012:200 --out absent/dark.fits", USAGE, "there is no folder absent"),
        ("dark plot --out absent/warm.png", USAGE, "there is no folder absent"),
        ("dark model --date 1997:001", ERROR, "1998.8"),
        ("dark evaluate absent.csv", ERROR, "there is no file absent.csv"),
        ("dark evaluate dark_events.csv", ERROR, "no column is named"),
        ("dark simulate . --ids 12", USAGE, "'12' is no dark id; expected YYYYDOY such as 2012001"),
        ("dark simulate new --ids 2012366,2012365", ERROR, "three days apart or more"),
        ("dark plots", USAGE, "No such command 'plots'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(say, site, line, code, says):
    found, out, err = say(line)
    assert (found, out) == (code, "")
    assert says in err
    assert "Traceback" not in err
    assert code == USAGE or err.strip().count("\n") == 0
    assert not list(site.glob("*.png"))
    assert not (site / "new").exists()


def test_a_folder_that_may_not_be_written_to_is_told_before_maps_are_read(say, site, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path / "shut")  # root may write everywhere
    (tmp_path / "shut").mkdir()
    code, out, err = say(f"dark plot --out {tmp_path / 'shut' / 'warm.png'}")
    assert (code, out) == (USAGE, "")
    assert "shut may not be written to" in err
    assert "dark maps" not in err


@pytest.mark.parametrize("name", ["list", "props", "image", "plot", "model", "evaluate", "update", "simulate"])
def test_every_dark_command_has_help_with_examples_of_itself(say, name):
    code, out, _ = say(f"dark {name} --help")
    assert code == 0
    examples = [line.strip() for line in out.partition("Examples:")[2].splitlines() if line.startswith("    aca ")]
    assert len(examples) >= 2
    assert all(shlex.split(line)[:3] == ["aca", "dark", name] for line in examples)
