"""``aca l0`` and ``aca hdr3``: what they print, write and refuse on synthetic telemetry, and what the demo asks."""

from __future__ import annotations

import errno
import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from aca_core.cli import ATTENTION, ERROR, USAGE, run
from aca_core.simulation import read_telemetry_truth, simulate_telemetry
from aca_core.tables import read_table_file

CONFIG = """
root = "archive"
[retrievers.directory]
folder = "../delivered"
[sets.telemetry]
products = ["aca0"]
retriever = "directory"
"""

RANGE = "2021:001 2021:001:04:00:00"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Some hours of telemetry, archived."""
    site = tmp_path_factory.mktemp("telemetry") / "site"
    simulate_telemetry(site / "delivered", days=0.15, seed=0)
    (site / "archive").mkdir()
    (site / "aca.toml").write_text(CONFIG)
    words = ["--config", str(site / "aca.toml"), "update", "aca0", "--since", "2021:001", "--until", "2021:001"]
    assert run(words) == 0
    return site


@pytest.fixture
def site(made, tmp_path, monkeypatch):
    """The same to be read, from a folder of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACA_CONFIG", str(made / "aca.toml"))
    return made


@pytest.fixture
def own(made, tmp_path, monkeypatch):
    """A copy of it, as the current folder."""
    shutil.copytree(made, tmp_path / "site")
    monkeypatch.chdir(tmp_path / "site")
    return tmp_path / "site"


def rows_in(out: str, heading: str) -> list[list[str]]:
    """Return the words of the lines that follow a heading, up to an empty line."""
    lines = out.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.split()[:1] == [heading])
    end = next((number for number in range(begin, len(lines)) if not lines[number].strip()), len(lines))
    return [line.split() for line in lines[begin + 1 : end]]


# ---- header 3 -------------------------------------------------------------------------------------------------------


def test_list_shows_all_quantities_and_needs_no_archive(say, ask):
    code, out, err = say("hdr3 list")
    assert (code, err) == (0, "")
    rows = rows_in(out, "id")
    assert len(rows) == 38
    assert rows[0][:3] == ["062", "ac_status_word", "0"]
    assert ["676", "ccd_temp", "degC", "6", "CCD", "temperature"] in rows
    code, items = ask("hdr3 list")
    (item,) = [each for each in items if each["name"] == "aca_temp"]
    assert (code, item["id"], item["unit"], item["slots"], item["factor"]) == (0, "766", "deg_C", [7], 2**-8)
    assert [each["column"] for each in item["bytes"]] == ["HD3TLM66", "HD3TLM67", "HD3TLM72", "HD3TLM73"]


def test_get_says_how_warm_it_truly_was(say, ask, site):
    truth = read_telemetry_truth(site / "delivered")
    code, said = ask(f"hdr3 get ccd_temp 766 {RANGE} --out t.h5")
    assert (code, said["synthetic"], said["out"]) == (0, True, "t.h5")
    table = read_table_file("t.h5")
    assert table.colnames == ["time", "ccd_temp", "aca_temp"]
    assert (str(table["ccd_temp"].unit), table.meta["SYNTHET"]) == ("deg_C", True)
    temperatures = np.ma.masked_invalid(table["ccd_temp"])
    good = ~np.ma.getmaskarray(temperatures)
    np.testing.assert_allclose(
        temperatures[good].filled(), truth.t_ccd(np.asarray(table["time"])[good]), atol=0.01, rtol=0
    )
    ccd, aca = said["quantities"]
    assert (ccd["good"], ccd["min"], ccd["max"]) == (good.sum(), temperatures.min(), temperatures.max())
    assert (aca["msid"], aca["samples"]) == ("aca_temp", len(table))
    _, out, err = say(f"hdr3 get ccd_temp 766 {RANGE} --rows 4")
    assert err == ""
    assert out.startswith("Header 3 from 2021:001:00:00:00 to 2021:001:04:00:00, synthetic telemetry\n")
    first, second = rows_in(out, "msid")
    assert first[:3] == ["ccd_temp", "676", str(len(table))]
    assert (first[-1], second[-1]) == ("degC", "degC")
    series = rows_in(out, "time")
    assert [row[0][:14] for row in series] == ["2021:001:00:00"] * 2 + ["…"] + ["2021:001:03:35"] * 2
    assert re.fullmatch(r"-\d+\.\d\d", series[0][1]), "as many decimals as it has"


def test_raw_words_are_whole_numbers_and_csv_says_that_it_is_synthetic(ask, site):
    _, said = ask(f"hdr3 get ccd_temp {RANGE} --raw --out words.csv")
    assert said["quantities"][0]["min"] == int(said["quantities"][0]["min"])
    table = read_table_file("words.csv")
    assert table.colnames == ["time", "ccd_temp", "synthetic"]
    assert table["ccd_temp"].dtype.kind == "i"
    assert set(table["synthetic"]) == {1}


def test_pictures_are_drawn_and_files_are_written(say, site):
    code, out, _ = say(f"hdr3 get ccd_temp dac {RANGE} --plot t.png --out t.ecsv --rows 0")
    assert code == 0
    assert out.endswith("\nWrote t.ecsv and t.png.\n")
    assert Path("t.png").read_bytes().startswith(b"\x89PNG")
    assert "time" not in out
    code, out, _ = say(f"l0 images {RANGE} --slot 3 --plot strip.svg --animate a.gif --count 3")
    assert code == 0
    assert out.endswith("\nWrote strip.svg and a.gif.\n")
    assert Path("a.gif").read_bytes().startswith(b"GIF89a")
    assert "synthetic" in Path("strip.svg").read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "nothing is named"),
        ("ccd_temp", "no range of time is given"),
        ("ccd_temp 2021:001", "the range has no end: '2021:001' is its start"),
        ("676 766 2021:001", "the range has no end"),
        ("2021:001 2021:002", "no quantity is named"),
        ("2021:001 2021:002 ccd_temp", "START and STOP come last, both after the quantities"),
        ("2021:001 ccd_temp 2021:002", "START and STOP come last, both after the quantities"),
        ("ccd_temp 2021:001 2021:002 2021:003", "'2021:001' is a date among the quantities"),
        ("ccd_temp dac 2021:001", "the range has no end"),
    ],
)
def test_words_out_of_place_are_told_with_an_example(say, site, words, says):
    code, out, err = say(f"hdr3 get {words}")
    assert (code, out) == (USAGE, "")
    assert f"Error: {says}" in err
    assert "such as: ccd_temp 2021:001 2021:003" in err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("hdr3 get ccd_tmp 2021:001 2021:002", "no header-3 quantity is named 'ccd_tmp'. Did you mean 'ccd_temp'?"),
        ("hdr3 get ccd_temp 2021:003 2021:001", "'2021:001' is not a usable date: it is before the start, '2021:003'"),
        ("hdr3 get ccd_temp 2021:001 yesterday", "'yesterday' is not a usable date"),
        ("hdr3 get ccd_temp 2021:366 2022:003", "'2021:366' is not a usable date"),
        ("hdr3 get 677 2021:001 2021:002", "Byte 677 belongs to 676, ccd_temp."),
        (f"l0 data {RANGE} --slot 3 --column tempcd", "is named 'TEMPCD'. Did you mean 'TEMPCCD'?"),
        ("l0 data 2021:002 2021:001 --slot 3", "'2021:001' is not a usable date: it is before the start"),
        ("l0 images 2021:002 2021:001 --slot 3", "'2021:001' is not a usable date: it is before the start"),
        ("l0 files 2021:002 2021:001", "it is after the stop"),
        ("l0 rebuild 2021:002 2021:001", "'2021:001' is not a usable date: it is before the start"),
        ("l0 files --obsid 8008", "obsid 8008 is not known: no obspar of it is archived"),
        (f"l0 data {RANGE} --slot 3 --column IMGRAW --out i.csv", "CSV has no place for one"),
    ],
)
def test_what_cannot_be_answered_is_one_line(say, site, line, says):
    code, out, err = say(line)
    assert (code, out) == (ERROR, "")
    assert says in err
    assert err.startswith("aca: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"l0 data {RANGE} --slot 8", "'8' is no slot; expected a whole number from 0 to 7"),
        (f"l0 data {RANGE}", "Missing option '--slot'"),
        (f"l0 data {RANGE} --slot 3 --imgsize 5", "'5' is not one of '4', '6', '8'"),
        (f"l0 data {RANGE} --slot 3 --out t.xls", "expected a name that ends in .h5, .csv, .ecsv, .fits"),
        (f"l0 images {RANGE} --slot 3 --animate t.png", "expected a name that ends in .gif"),
        (f"l0 images {RANGE} --slot 3 --count 0", "'0' cannot be used here"),
        (f"l0 images {RANGE} --slot 3 --count 49 --plot s.png", "--count is 49, and a strip (--plot) has 48 images"),
        ("l0 files", "which files? Give START and STOP, or --obsid N"),
        (f"l0 files {RANGE} --obsid 8008", "give START and STOP, or --obsid, not both"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_read(say, site, line, says):
    code, _, err = say(line)
    assert code == USAGE
    assert says in err


def test_where_nothing_is_archived_that_is_said_and_is_no_error(say, ask, site):
    code, out, err = say("hdr3 get ccd_temp 2022:001 2022:002 --plot none.png")
    assert code == 0
    assert "no image of 8x8 pixels of slot 6 is archived" in err
    assert rows_in(out, "msid") == [["ccd_temp", "676", "0", "0", "degC"]]
    code, out, err = say("l0 data 2022:001 2022:002 --slot 6 --out none.h5")
    assert (code, "nothing is archived of slot 6" in err, "\n0 rows; in " in out) == (0, True, True)
    assert len(read_table_file("none.h5")) == 0
    assert len(read_table_file("none.h5").colnames) == 49
    code, out, err = say("l0 images 2022:001 2022:002 --slot 6 --plot strip.png")
    said = "no good image of slot 6 is archived in that range; nothing was drawn" in err
    assert (code, said, Path("strip.png").exists()) == (0, True, False)
    assert ask("l0 files 2022:001 2022:002") == (0, [])


def test_without_an_archive_what_is_missing_is_said(say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in ("hdr3 get ccd_temp 2021:001 2021:002", "l0 files 2021:001 2021:002", "l0 rebuild"):
        code, out, err = say(line)
        assert (code, out) == (ERROR, "")
        assert "no archive root" in err
    (tmp_path / "none").mkdir()
    Path("aca.toml").write_text('root = "none"\nplugins.disable = ["aca0"]\n')
    assert "no product provides 'aca-level0'" in say("l0 files 2021:001 2021:002")[2]


# ---- level 0 --------------------------------------------------------------------------------------------------------


def test_files_are_those_of_a_slot_and_size_one_a_line(say, ask, site):
    code, out, err = say(f"l0 files {RANGE} --slot 6 --slot 7 --imgsize 8")
    assert (code, err) == (0, "")
    paths = [Path(line) for line in out.splitlines()]
    assert paths
    assert all(path.is_file() and re.search(r"_[67]_img0\.fits\.gz$", path.name) for path in paths)
    assert {str(path) for path in paths} < set(ask(f"l0 files {RANGE}")[1])


def test_data_shows_the_ends_of_a_slot_and_where_it_is_from(say, site):
    code, out, err = say(f"l0 data {RANGE} --slot 3 --rows 4")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "Slot 3 from 2021:001:00:00:00 to 2021:001:04:00:00, synthetic telemetry"
    match = re.fullmatch(r"(\d+) rows of (\d+) files?, (\d+) of them from the column store; in (.*)", lines[1])
    assert match[2] == match[3], "the store has all of them"
    assert match[4] == str(site / "archive" / "aca0")
    rows = rows_in(out, "time")
    assert [len(row) for row in rows][:3] == [7, 7, 1]
    assert out.endswith("There are 49 columns; --column names others, --out writes all.\n")
    _, out, _ = say(f"l0 data {RANGE} --slot 3 --column IMGRAW --column tempccd --rows 2")
    assert out.splitlines()[3].split() == ["time", "TEMPCCD", "K"]
    assert "IMGRAW is not shown; --out writes it" in out


@pytest.mark.parametrize("name", ["d.h5", "d.ecsv", "d.fits", "d.csv"])
def test_data_in_every_format_is_what_python_gets(say, site, name):
    from aca_core import load_config, open_archive, using
    from aca_core.aca_l0 import get_slot_data

    span = "2021:001:00:00:00 2021:001:00:20:00"
    code, out, _ = say(f"l0 data {span} --slot 4 --out {name}")
    assert (code, "--out" in out) == (0, False)
    with using(open_archive(config=load_config(site / "aca.toml"))):
        wanted = get_slot_data(*span.split(), 4, as_table=True)
    found = read_table_file(name)
    expected = [column for column in wanted.colnames if name != "d.csv" or column != "IMGRAW"]
    assert found.colnames == expected + (["synthetic"] if name == "d.csv" else [])
    assert found["FILENAME"].tolist() == wanted["FILENAME"].tolist()
    for column in ("TIME", "TEMPCCD", "HD3TLM62", *(["IMGRAW"] if name != "d.csv" else [])):
        values, other = np.ma.asarray(wanted[column]), np.ma.asarray(found[column])
        np.testing.assert_array_equal(np.ma.getmaskarray(values), np.ma.getmaskarray(np.ma.fix_invalid(other)))
        np.testing.assert_allclose(other.compressed(), values.compressed(), rtol=1e-12)
    if name != "d.csv":
        assert str(found["BGDAVG"].unit) in ("DN", "adu")
        assert found.meta["SYNTHET"] is True


def test_data_for_programs_has_every_row_and_null_for_what_is_not_there(ask, site):
    code, said = ask("l0 data 2021:001 2021:001:00:10:00 --slot 3 --column TEMPCCD --column IMGSIZE")
    assert (code, said["slot"], said["synthetic"]) == (0, 3, True)
    assert [column["name"] for column in said["columns"]] == ["TIME", "TEMPCCD", "IMGSIZE"]
    assert said["rows"][0]["IMGSIZE"] in (4, 6, 8)
    assert all((row["TEMPCCD"] is None) == (row["IMGSIZE"] == 4) for row in said["rows"])


def test_images_are_listed_with_their_place_and_their_brightest_pixel(say, ask, site):
    code, out, _ = say(f"l0 images {RANGE} --slot 0 --count 5")
    assert code == 0
    assert out.startswith("Slot 0 from 2021:001:00:00:00 to 2021:001:04:00:00, synthetic telemetry\n")
    rows = rows_in(out, "time")
    code, said = ask(f"l0 images {RANGE} --slot 0 --count 5")
    assert (code, said["synthetic"], len(rows), len(said["images"])) == (0, True, 5, 5)
    assert (said["archive"], said["product"]) == (str(site / "archive" / "aca0"), "aca0")
    assert said["stored"] == said["files"] > 0
    for row, image in zip(rows, said["images"], strict=True):
        pixels = np.array(image["dn"], dtype=float)
        place = np.unravel_index(np.nanargmax(pixels), pixels.shape)
        assert pixels.shape == (image["imgsize"],) * 2
        assert row[:3] == [image["date"], "{0}x{0}".format(image["imgsize"]), "fid" if image["imgfid1"] else "star"]
        assert row[3:5] == [str(image["imgrow0"]), str(image["imgcol0"])]
        assert float(row[5]) == pytest.approx(pixels[place] * 5 / image["integ"], abs=0.51)
        assert row[6:8] == [f"{image['imgrow0'] + place[0]},", str(image["imgcol0"] + place[1])]


# ---- the column store -----------------------------------------------------------------------------------------------


def test_rebuild_makes_what_is_lost_and_answers_are_the_same_without(say, ask, own):
    line = f"hdr3 get ccd_temp {RANGE}"
    before = ask(line)[1]
    piece = own / "archive" / "aca0" / "columns" / "2021" / "001.h5"
    piece.unlink()
    code, said = ask(line)
    assert (code, said["quantities"]) == (0, before["quantities"]), "the files answer"
    assert said["read_from"]["6"]["files_from_column_store"] == 0
    code, out, _ = say("l0 rebuild")
    assert (code, piece.is_file()) == (0, True)
    assert "wrote 2021/001.h5" in out.splitlines()
    assert ask(line)[1] == before
    assert ask("l0 rebuild")[1]["written"] == []
    assert ask("l0 rebuild 2021:001 --anew")[1]["written"] == ["2021/001.h5"]
    assert say("verify aca0")[0] == 0


def test_rebuild_says_which_file_it_could_not_take_over(say, ask, own):
    line = f"l0 data {RANGE} --slot 6"
    before = ask(line)[1]
    victim = next((own / "archive" / "aca0" / "2021" / "001").glob("*_6_img0.fits.gz"))
    victim.write_bytes(victim.read_bytes()[:5000])
    code, out, _ = say("l0 rebuild --anew")
    assert code == ATTENTION
    assert out.count(str(victim)) == 1
    assert f"{victim}: is not taken into the column store: has other bytes than were archived\n" in out
    assert "'aca verify --full --repair' lets the next update fetch what is damaged or lost." in out
    assert ask(line)[1] == before, "the store keeps the rows that it has of it"
    shutil.rmtree(own / "archive" / "aca0" / "columns")
    told = say(line)[2]
    assert told.startswith(f"aca: {victim}: ")
    assert told.endswith("; see 'aca verify --full'\n"), "who asks for it is told"


def test_rebuild_says_of_an_archive_that_may_not_be_written_to_what_update_says(say, own, monkeypatch):
    from aca_core.archive import locking

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(own / "archive" / "aca0" / "columns" / ".lock"))

    monkeypatch.setattr(locking, "make_folders", refuse)
    code, out, err = say("l0 rebuild")
    folder = own / "archive" / "aca0"
    assert (code, out) == (ERROR, "")
    assert err == f"aca: {folder}: you may not write to this archive: your account has no right to\n"


def test_a_full_disk_is_one_line_and_the_store_stays_as_it_was(say, own, monkeypatch):
    from aca_core.archive.column_store import keeping

    def write(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "columns/2021/001.h5")

    piece = own / "archive" / "aca0" / "columns" / "2021" / "001.h5"
    content = piece.read_bytes()
    monkeypatch.setattr(keeping, "write_piece", write)
    code, out, err = say("l0 rebuild --anew")
    assert (code, out) == (ERROR, "")
    assert err.endswith("aca: columns/2021/001.h5: No space left on device\n")
    assert piece.read_bytes() == content


# ---- aca demo -------------------------------------------------------------------------------------------------------


def test_the_demonstration_answers_with_a_history_of_the_temperature(say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = say("demo d --duration 200 --days 0.1")
    assert code == 0
    assert "Simulated telemetry of 0.1 days and 8 slots beside them: synthetic data made by aca_core.simulation" in out
    rows = rows_in(out.partition("How warm was the CCD")[2], "from")
    truth = read_telemetry_truth(tmp_path / "d" / "delivered")
    assert 8 <= len(rows) <= 16
    for row in [row for row in rows if row[1] != "0"]:
        date, _, least, mean, greatest, bar = row
        inside = truth.t_ccd([f"{date}:30"])[0]
        assert float(least) - 0.2 <= inside <= float(greatest) + 0.2
        assert float(least) <= float(mean) <= float(greatest)
        assert set(bar) == {"█"}
    warmest = max((row for row in rows if row[1] != "0"), key=lambda row: float(row[3]))
    assert len(warmest[-1]) == 20
    proposed = [line for line in out.splitlines() if re.search(r"aca .* (l0|hdr3) ", line)]
    assert len(proposed) == 3
    for line in proposed:
        assert say(shlex.join(shlex.split(line, comments=True)[1:]))[0] == 0
    assert Path("images.png").is_file()
    monkeypatch.setenv("ACA_CONFIG", str(tmp_path / "d" / "aca.toml"))
    assert json.loads(say("l0 rebuild --json")[1])["written"] == [], "the store has followed"
    code, out, _ = say("demo d --days 5")
    assert (code, "Nothing is new." in out) == (0, True)


def test_a_demonstration_of_an_earlier_version_has_no_telemetry_and_goes_on(say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert say("demo d --duration 200 --days 0.1")[0] == 0
    file = tmp_path / "d" / "aca.toml"
    file.write_text(file.read_text().replace('"aca0", ', ""))
    shutil.rmtree(tmp_path / "d" / "archive" / "aca0")
    shutil.rmtree(tmp_path / "d" / "delivered" / "aca0")
    (tmp_path / "d" / "delivered" / "telemetry_truth.json").unlink()
    code, out, err = say("demo d")
    assert (code, "Traceback" in err) == (0, False)
    assert "How warm was the CCD" not in out
    assert "hdr3 get" not in out
    assert "How many pixels" in out
