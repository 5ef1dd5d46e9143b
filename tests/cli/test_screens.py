"""What people see: tables on narrow terminals, many failures in few lines, what is said where nothing is known."""

from __future__ import annotations

import errno
import gzip
import io
import json
import re
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from sites import CONFIG, TIME, damage, deliver_other_bytes, victim

from aca_core.archive import open_archive, status_of
from aca_core.archive.items import Item, want
from aca_core.cli import ATTENTION, ERROR
from aca_core.cli.output import counted, write_table
from aca_core.config_layers import load_config


class Terminal(io.TextIOWrapper):
    """A terminal of a certain width."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        self.flush()
        return re.sub(r"\x1b\[[0-9;]*m", "", self.buffer.getvalue().decode())


@pytest.fixture
def shown(monkeypatch):
    """Return a function that writes a table on a terminal and returns its lines."""

    def write(columns, *args, **kwargs):
        terminal = Terminal()
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", terminal)
            patched.setenv("COLUMNS", str(columns))
            patched.setenv("TERM", "xterm")
            write_table(*args, **kwargs)
        return [line.rstrip() for line in terminal.text.splitlines() if line.strip()]

    return write


COUNTS = ("units", "files", "last id", "wanted", "failed", "conflicts", "unfinished", "waiting")
ROWS = [
    ("asp1", "103456", "1203456", "1234567", "0", "0", "0", "0", "0", "2026-11-22 17:45:28 UTC"),
    ("obspar", "103456", "103456", "12", "0", "11", "0", "0", "0", "2026-11-22 17:45:28 UTC"),
]


@pytest.mark.parametrize("columns", [60, 72, 80, 100, 140])
def test_a_table_fits_and_no_number_is_broken(shown, columns):
    lines = shown(columns, ("product", *COUNTS, "last run"), ROWS, right=COUNTS, spare=COUNTS[2:])
    assert max(map(len, lines)) <= columns
    assert any("asp1" in line and "1203456" in line and "1234567" in line for line in lines)
    assert any("failed" in line for line in lines), "what is not 0 is shown"
    assert any("unfinished" in line for line in lines) == (columns == 140), "what is 0 only where there is room"


def test_a_table_that_is_narrower_still_does_without_the_least(shown):
    headings, rows = ("product", "what it is", "units"), [("asp1", "aspect level 1 and a long word: " + "x" * 50, "3")]
    assert not any("xxx" in line for line in shown(40, headings, rows, right=("units",), least=("what it is",)))
    assert any("xxx" in line for line in shown(70, headings, rows, right=("units",), least=("what it is",)))


def test_a_series_says_which_columns_a_terminal_has_no_room_for(monkeypatch):
    from aca_core.cli.l0_options import write_series

    cells = {name: (lambda row: "1.25") for name in ("ccd_temp", "aca_temp", "proc_stack_telem_ctr", "ad_lc_therm")}
    for columns, left in ((70, ["ad_lc_therm"]), (120, [])):
        terminal = Terminal()
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", terminal)
            patched.setenv("COLUMNS", str(columns))
            patched.setenv("TERM", "xterm")
            write_series([7e8], cells, 10)
        assert ("ad_lc_therm" not in terminal.text.partition("2020:")[0]) == bool(left)
        assert ("No room here for ad_lc_therm; a wider terminal" in terminal.text) == bool(left)


def test_elsewhere_a_row_is_one_line_with_everything(capsys):
    write_table(("product", *COUNTS, "last run"), ROWS, right=COUNTS, spare=COUNTS, least=("product",))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].split()[:5] == ["asp1", "103456", "1203456", "1234567", "0"]


def test_the_history_of_warm_pixels_does_without_its_bars_on_a_narrow_terminal(shown, monkeypatch):
    from astropy.table import Table

    from aca_core.cli import dark_models

    row = {"id": "2012115", "date": "2012:115", "t_ccd": -19.0, "warm_raw": 0.1, "warm_ref": 0.1, "model_ref": 0.1}
    history = Table(rows=[row], meta={"t_ccd_ref": -10.0})
    drawn: list[tuple] = []
    monkeypatch.setattr(dark_models, "write_table", lambda *args, **kwargs: drawn.append((args, kwargs)))
    dark_models.write_history(history, bars=24)
    ((args, kwargs),) = drawn
    narrow, wide = (shown(width, *args, **kwargs) for width in (60, 100))
    assert max(map(len, narrow)) <= 60
    assert ["█" in narrow[-1], "█" in wide[-1]] == [False, True]


def test_a_long_table_is_written_plainly_and_at_once(shown, capsys):
    rows = [(f"star {number}", f"{number}") for number in range(100_000)]
    begun = time.perf_counter()
    write_table(("star", "number"), rows, right=("number",))
    taken = time.perf_counter() - begun
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("star        number", "star 0           0", "star 99999   99999")
    assert len(lines) == 100_001
    assert taken < 10, "with every column fitted to a terminal this takes a minute"
    assert shown(80, ("star", "number"), rows, right=("number",)) == lines, "on a terminal too"


def test_a_line_break_in_a_cell_is_no_row(capsys):
    write_table(("what", "why"), [("asp1", "it is\nbroken")])
    assert capsys.readouterr().out.splitlines() == ["what  why", "asp1  it is broken"]


def test_a_number_has_its_noun():
    assert [counted(number, "item") for number in (0, 1, 2)] == ["0 items", "1 item", "2 items"]
    assert counted(2, "file or link", "files and links") == "2 files and links"


# ---- what failed ----------------------------------------------------------------------------------------------------


def test_many_that_failed_alike_are_one_line(say, ask, fresh):
    for obsid in (8008, 8009):
        damage(fresh, obsid)
    path = next((fresh / "delivered" / "asp1" / "08" / "08010_v02").glob("*acal1*"))
    path.write_bytes(b"\x1f")
    code, out, _ = say("update")
    assert code == ATTENTION
    (line,) = [line for line in out.splitlines() if "failed alike" in line]
    assert re.search(
        rf"asp1: 2 items failed alike, last on {TIME}: \S+_acal1.fits.gz: its gzip compression ends .*; fetch it again "
        rf"\(that is 08008/1\). They are tried again by updates after {TIME}; --retry-failed tries them at once. "
        "They are 08008/1, 08009/1.",
        line,
    )
    assert "asp1 08010/2 has failed once" in out, "for another reason"
    assert "2 items failed alike" in say("status")[1]
    code, out, _ = say("update")
    assert code == 0
    assert out.endswith("Nothing is new; 3 that failed are not due yet (--retry-failed tries them now).\n")
    assert ask("update")[1]["products"][0]["not_due"] == 3
    assert "not due" not in say("update asp1 --obsid 8010")[1], "of the others nothing was asked"
    assert "To do: nothing." in say("update --dry-run")[1]


def test_one_that_failed_is_one(say, fresh):
    damage(fresh)
    say("update")
    assert "Nothing is new; 1 that failed is not due yet (--retry-failed tries it now)." in say("update")[1]


def test_a_catalogue_that_fails_is_not_nothing_to_do(say, ask, site):
    (site / "delivered" / "catalogue" / "aspect_1.csv").unlink()
    code, out, err = say("update --dry-run")
    assert code == ERROR
    assert "To do: not known of asp1, which could not be asked; of the others: nothing." in out
    assert "aca: asp1: file could not answer" in err
    assert "To do: not known of asp1, which could not be asked. Nothing" in say("update asp1 --dry-run")[1]


def test_an_update_that_fails_as_a_whole_is_seen_in_the_status(say, ask, site):
    assert say("status --check")[0] == 0
    file = site / "delivered" / "catalogue" / "aspect_1.csv"
    content = file.read_bytes()
    file.unlink()
    assert say("update")[0] == ERROR
    code, out, _ = say("status --check")
    assert code == ATTENTION
    assert re.search(rf"asp1: the last update, on {TIME}, failed as a whole: file could not answer", out)
    assert "obspar: the last update" not in out
    status = ask("status asp1")[1]["products"][0]
    assert status["last_attempt"].endswith("Z")
    assert "aspect_1.csv" in status["last_error"]
    file.write_bytes(content)
    assert say("update")[0] == 0
    code, out, _ = say("status --check")
    assert code == 0
    assert re.search(rf"^asp1 .* {TIME}\s*$", out, re.MULTILINE)
    assert ask("status asp1")[1]["products"][0]["last_success"].endswith("Z")


def test_status_does_not_read_what_is_committed(site, monkeypatch):
    from aca_core.archive import items

    archive = open_archive(config=load_config(site / "aca.toml"))
    made = []
    monkeypatch.setattr(items, "_item", lambda row, *more: made.append(row))
    assert status_of(archive["obspar"]).committed == 5
    assert made == []


def test_who_was_not_told_yet_needs_nobody(say, ask, site):
    index = site / "archive" / "obspar" / "archfiles.db3"
    connection = sqlite3.connect(index)
    columns = "subscriber, seen, reason, failed, attempts"
    connection.execute(f"INSERT OR REPLACE INTO aca_readers ({columns}) VALUES ('aca-core:asp1', 4, '', NULL, 0)")
    connection.commit()
    connection.close()
    code, out, _ = say("status obspar --check")
    assert code == 0
    assert "obspar: aca-core:asp1 was not told of 1 change yet; the next update tells it" in out


# ---- what is lost, and what may not be written ----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["gone", "empty", "damaged"])
def test_a_lost_index_is_told_with_what_makes_it_anew(say, ask, site, how):
    index = site / "archive" / "obspar" / "archfiles.db3"
    if how == "gone":
        index.unlink()
    else:
        index.write_bytes(b"" if how == "empty" else b"no database" * 1000)
    code, out, _ = say("status --check")
    assert code == ATTENTION
    assert "obspar/archfiles.db3 " in out
    assert "'aca update obspar --rebuild'" in out
    code, out, _ = say("verify obspar")
    assert code == ATTENTION
    assert "obspar: nothing of it can be read without its index: put it back, or move" in out
    assert "'aca update obspar --rebuild'" in out
    assert ask("verify obspar")[1]["products"][0]["index_is_gone"] is True
    assert "--rebuild" not in say("verify asp1")[1]
    if how == "damaged":
        index.unlink()
    assert say("update obspar --rebuild")[0] == 0
    assert say("verify obspar --full")[0] == 0
    assert say("status obspar --check")[0] == 0


def test_an_archive_that_one_may_not_write_to(say, site, monkeypatch):
    from aca_core.archive.store import Store

    def refused(self, wait):
        raise PermissionError(errno.EACCES, "Permission denied", str(self.folder / ".lock"))

    monkeypatch.setattr(Store, "locked", refused)
    code, _, err = say("update obspar")
    folder = site / "archive" / "obspar"
    assert code == ERROR
    assert f"aca: obspar: {folder}: you may not write to this archive: your account has no right to\n" in err
    (folder / "08" / "08008").unlink()
    code, _, err = say("verify obspar --repair")
    assert (code, err) == (ERROR, f"aca: {folder}: you may not write to this archive: your account has no right to\n")


def test_what_a_repair_left_is_told(say, ask, site):
    folder = site / "archive" / "obspar" / "08"
    (folder / "08008").unlink()
    (folder / "08009_v02" / "notes.txt").write_text("somebody's")
    code, out, _ = say("verify obspar --repair")
    assert code == ATTENTION
    assert out.splitlines() == [
        "mended: obspar/08/08008: the link leads nowhere, and the index has as default: 1",
        "left: obspar/08/08009_v02/notes.txt: is there, and the index does not know it",
        "obspar: 2 problems found: 1 mended, 1 left.",
    ]
    code, data = ask("verify obspar --repair")
    (check,) = data["products"]
    assert (code, len(check["left"]), check["mended"], check["asked_again"]) == (ATTENTION, 1, [], [])


def test_what_is_asked_for_again_is_no_stranger(say, site):
    (path,) = (site / "archive" / "obspar" / "08" / "08008_v01").glob("*.par.gz")
    path.write_bytes(b"short")
    code, out, _ = say("verify obspar --repair")
    assert code == 0, out
    assert f"asked for again: obspar/08/08008_v01/{path.name}" in out
    assert say("verify obspar") == (0, "obspar: no problem found.\n", "")
    say("update obspar")
    assert say("verify obspar --full")[0] == 0


# ---- explain --------------------------------------------------------------------------------------------------------


def test_explain_a_release_that_could_not_be_had(say, fresh):
    from aca_core.simulation import open_delivery

    open_delivery(fresh / "delivered").release(8010, 2)
    path = next((fresh / "delivered" / "asp1" / "08" / "08010_v02").glob("*acal1*"))
    content = path.read_bytes()
    path.write_bytes(content[:99])
    assert say("update asp1")[0] == ATTENTION
    out = say("explain asp1 8010")[1]
    assert "No version is the default: none that is archived was named as released, and 08010/2 could not be had" in out
    assert "in order" not in out
    path.write_bytes(content)
    assert say("update asp1 --retry-failed")[0] == 0
    assert "Version 2 is the default: it is the one that the retriever named as released" in say("explain asp1 8010")[1]


def test_explain_a_default_that_may_be_another_one_by_now(say, site):
    from aca_core.simulation import open_delivery

    open_delivery(site / "delivered").release(8010, 2)
    shutil.rmtree(site / "archive" / "asp1" / "08" / "08010_v02")
    path = next((site / "delivered" / "asp1" / "08" / "08010_v02").glob("*acal1*"))
    path.write_bytes(path.read_bytes()[:99])
    assert say("update asp1")[0] == ATTENTION
    out = say("explain asp1 8010")[1]
    assert "named as released when it was last asked" not in out
    assert "Version 1 is the default: it was released before, and what is released now could not be had (08010" in out
    archive = open_archive(config=load_config(site / "aca.toml"))
    failed = Item(name="08009/3", obsid=8009, state="failed", reason="lost", attempts=1, tried=time.time())
    want(archive["asp1"].stores[0], [failed])
    assert "it was released before, and version 3 could not be had (08009/3, below);" in say("explain asp1 8009")[1]


def test_explain_that_nothing_was_released(say, fresh):
    from aca_core.simulation import open_delivery

    open_delivery(fresh / "delivered").withdraw(8008)
    assert say("update")[0] == 0
    out = say("explain asp1 8008")[1]
    assert "No version is the default: the retriever named none when it was last asked." in out
    # Nor is it said where what is released is what failed.
    archive = open_archive(config=load_config(fresh / "aca.toml"))
    store = archive["asp1"].stores[0]
    item = Item(name="08008/default", obsid=8008, state="failed", reason="lost", attempts=1, tried=time.time())
    want(store, [item])
    out = say("explain asp1 8008")[1]
    assert "what is released where it is retrieved from could not be had (08008/default, below)." in out


def test_explain_does_not_look_at_files(say, site):
    next((site / "archive" / "asp1" / "08" / "08008_v01").glob("*asol1*")).unlink()
    assert "as far as the index knows: nothing has failed" in say("explain asp1 8008")[1]


def test_explain_has_the_time_of_a_replacement(say, ask, site):
    before = ask("explain obspar 8008")[1]["revisions"][0]["archived"]
    time.sleep(1.1)
    deliver_other_bytes(site)
    assert say("update obspar --obsid 8008 --version 1 --replace")[0] == 0
    assert ask("explain obspar 8008")[1]["revisions"][0]["archived"] > before


def test_explain_of_what_nobody_knows_is_null_for_programs(say, ask, site):
    assert say("update asp1 --obsid 9999")[0] == ERROR
    assert ask("explain asp1 9999") == (0, None)
    assert ask("dirs asp1 9999") == (0, None)
    assert ask("files asp1 9999") == (0, [])
    # An error of that kind is no reason for anybody to look later.
    assert "9999" not in json.dumps(ask("status asp1")[1]["products"][0]["failed"])


def test_an_archived_version_is_fetched_again_with_replace_alone(say, site):
    content = gzip.decompress(victim(site).read_bytes())
    victim(site).write_bytes(gzip.compress(content, mtime=1))
    assert "Nothing is new." in say("update asp1 --obsid 8008 --version 1")[1]
    out = say("update asp1 --obsid 8008 --version 1 --replace")[1]
    assert [line.split()[2] for line in out.splitlines() if line.startswith("asp1")] == ["1"]


# ---- the configuration ----------------------------------------------------------------------------------------------


def test_config_check_tells_what_would_fail_at_night(say, fresh, install_plugin):
    assert say("config check")[1].endswith("no problem found.\n")
    source = """
        from aca_core import ArchiveProduct, FitsColumns, Version, hookimpl

        SIM = ArchiveProduct(name="sim1", version=Version(glob="*", pattern=r"N(\\\\d{3})_"),
                             columns=FitsColumns("tstart", "tstop", "content", "revision"))

        @hookimpl
        def aca_archive_products():
            return [SIM]
    """
    import textwrap

    install_plugin("sim1", textwrap.dedent(source).replace("\\\\", "\\"))
    sets = '[sets.weekly]\nproducts = ["sim1"]\nretriever = "directory"\ncatalogue = "file"\n[sets.none]\n'
    sets += 'products = ["obspar"]\n'
    Path("aca.toml").write_text(CONFIG.replace('"../delivered"', '"../absent"') + sets)
    code, out, _ = say("config check")
    assert code == 0
    place = fresh / "archive" / ".." / "absent"
    assert (
        f"retrievers.directory.folder: there is nothing at '{place}', which is where retriever directory looks" in out
    )
    assert "sets.none.retriever: is not set, so that 'aca update' cannot bring anything of this set; installed: " in out
    assert "sets.weekly.products: sim1 declares no work in a catalogue, so that of it only --obsid works" in out
    assert out.count("warning: ") == 3
    Path("aca.toml").write_text(CONFIG.replace("delivered/catalogue", "absent"))
    assert "catalogues.file.path: there is nothing at" in say("config check")[1]


def test_config_init_says_whether_the_file_is_read(say, tmp_path, monkeypatch):
    assert say("config init")[1].count("\n") == 1
    assert f"It is not read as it is: first comes {Path.cwd() / 'aca.toml'}." in say("config init other.toml")[1]
    Path("aca.toml").unlink()
    assert (
        "It is read with 'aca --config more.toml …', or where ACA_CONFIG names it." in say("config init more.toml")[1]
    )
    monkeypatch.setenv("ACA_CONFIG", str(Path("more.toml").absolute()))
    assert f"ACA_CONFIG names {Path('more.toml').absolute()}" in say("config init")[1]


# ---- what is left ---------------------------------------------------------------------------------------------------


def test_an_index_that_changes_while_it_is_copied_is_copied_again(say, site, monkeypatch):
    from aca_core.archive import adopt

    index = site / "archive" / "obspar" / "archfiles.db3"
    connection = sqlite3.connect(index)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    copies = []
    real = shutil.copyfile

    def copyfile(source, target):
        real(source, target)
        copies.append(source)
        if len(copies) < 3:
            index.touch()

    monkeypatch.setattr(adopt.shutil, "copyfile", copyfile)
    monkeypatch.setattr(adopt, "_PAUSE", 0.0)
    assert say("adopt archive/obspar")[0] == 0
    assert len(copies) >= 3
    monkeypatch.setattr(adopt.shutil, "copyfile", lambda source, target: (real(source, target), index.touch()))
    out = say("adopt archive/obspar")[1]
    assert "is being written to all the time" in out


def test_numbers_are_numbers_for_programs(ask, site):
    assert ask("adopt archive")[1]["products"][0]["last_id"] == ask("status asp1")[1]["products"][0]["last_id"] == 20005


def test_a_simulation_is_replaced_with_force(say):
    assert say("simulate d --obsids 8008 --duration 200")[0] == 0
    code, _, err = say("simulate d --obsids 8008 --duration 200")
    assert (code, err) == (
        ERROR,
        "aca: d: holds an earlier simulation; name a new folder, or replace it with --force\n",
    )
