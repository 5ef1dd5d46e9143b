"""The commands of the archive, from a delivery to an answer: what they print, write and leave alone."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sites import CONFIG, TIME, damage, deliver_other_bytes, victim

from aca_core.cli import ATTENTION, COMMANDS, ERROR, INTERRUPTED, USAGE, aca


def snapshot(folder: Path) -> dict[str, object]:
    """Return everything in a folder: names, content, targets of links, times of change."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (status.st_mtime_ns, content)
    return found


# ---- every command --------------------------------------------------------------------------------------------------


def every_command():
    return [name for name in COMMANDS if name not in ("config", "plugins")]


@pytest.mark.parametrize("name", every_command())
def test_every_command_has_help_with_an_example_that_is_one(say, name):
    code, out, _ = say(f"{name} --help")
    assert code == 0
    examples = [line.strip() for line in out.partition("Example")[2].splitlines() if line.startswith("    aca ")]
    assert examples, f"'aca {name} --help' shows no example"
    for line in examples:
        words = shlex.split(line)[1:]
        command = aca.get_command(aca.make_context("aca", ["--version-not-asked", "x"], resilient_parsing=True), name)
        command.make_context(name, words[1:], resilient_parsing=True)
        assert words[0] == name
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize("name", ["products", "status", "dirs", "files", "verify", "explain", "adopt", "update"])
def test_every_command_that_reads_speaks_to_programs(name):
    command = aca.get_command(None, name)
    assert "--json" in [option for parameter in command.params for option in parameter.opts]


@pytest.mark.parametrize("line", ["status", "update", "verify", "dirs asp1 8008", "files asp1 8008", "explain asp1 1"])
def test_without_an_archive_every_command_says_what_to_do(say, line):
    code, out, err = say(line)
    assert (code, out) == (ERROR, "")
    assert f"no configuration file was found, neither ./aca.toml here ({Path.cwd()}) nor {Path.home()}" in err
    assert "name one with --config or ACA_CONFIG" in err
    Path("aca.toml").write_text('root = "absent"')
    code, _, err = say(line)
    assert code == ERROR
    assert "is no folder; mount it, or make it if it is a new archive" in err
    assert err.count("\n") == 1


def test_names_that_are_none_are_told_with_the_nearest(say, site):
    for line in ("status asp", "update asp", "verify asp", "dirs asp 8008", "files asp 8008", "explain asp 8008"):
        code, _, err = say(line)
        assert code == ERROR
        assert "no archive product is named 'asp'. Did you mean 'asp1'?" in err
    code, _, err = say("update --set nightli")
    assert (code, "Did you mean 'nightly'?" in err) == (ERROR, True)


# ---- aca products ---------------------------------------------------------------------------------------------------


def test_products_are_shown_with_what_feeds_them(say, ask, site):
    code, out, err = say("products")
    assert (code, err) == (0, "")
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert rows["asp1"].split()[-3:] == ["nightly", "directory", "file"]
    assert rows["obspar"].split()[1:5] == ["observation", "parameters", "5", "5"]
    assert f"Archived below {site / 'archive'}." in out
    data = ask("products")[1]
    assert data["roots"] == [str(site / "archive")]
    row = next(row for row in data["products"] if row["product"] == "asp1")
    assert (row["units"], row["set"], row["layout"]) == (5, "nightly", "asp1/06/06000_v03")


def test_products_are_shown_without_an_archive_too(say, ask):
    code, out, _ = say("products")
    assert code == 0
    assert "aspect level 1" in out
    assert "No archive to look into: configuration: root: no archive root" in out
    assert ask("products")[1]["products"][0]["units"] is None


# ---- aca update -----------------------------------------------------------------------------------------------------


def test_an_update_brings_everything_and_the_next_one_nothing(say, ask, fresh):
    code, out, err = say("update")
    assert code == 0
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert rows["asp1"][:3] == ["asp1", "nightly", "5"]
    assert rows["obspar"] == ["obspar", "nightly", "5", "5", "0", "0", "0"]
    assert "aca: asp1: obsid 8008 (1 of 3)\n" in err, "plain lines where there is no terminal"
    (fresh / "archive" / "asp1" / ".lock").unlink()  # it is touched whenever it is taken
    before = snapshot(fresh / "archive")
    code, out, err = say("update")
    assert code == 0
    assert out.endswith("Nothing is new.\n")
    after = {name: entry for name, entry in snapshot(fresh / "archive").items() if entry[1] is not None}
    assert {name for name, entry in before.items() if entry[1] is not None and after.get(name) != entry} <= {
        "obspar/.lock"
    }
    code, data = ask("update")
    assert code == 0
    assert [row["updated"] for row in data["products"]] == [[], []]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(say, ask, fresh):
    before = snapshot(fresh)
    code, out, err = say("update --dry-run")
    assert (code, err) == (0, "")
    assert out.splitlines()[1].split() == ["asp1", "nightly", "08008/1", "20001", "new"]
    assert "To do: 10 items. Nothing was fetched or written" in out
    assert snapshot(fresh) == before
    code, data = ask("update obspar --dry-run --obsid 8008")
    assert code == 0
    assert [item["name"] for item in data["products"][0]["items"]] == ["08008/default"]
    assert snapshot(fresh) == before


def test_a_failure_is_told_remembered_and_retried(say, ask, fresh):
    content = damage(fresh)
    code, out, err = say("update")
    assert code == ATTENTION
    assert "asp1 08008/1 has failed once, last on 20" in out
    assert f": {victim(fresh).name}: its gzip compression ends before its content does" in out, "no path that is gone"
    assert "It is tried again by the first update after 20" in out
    assert "--retry-failed tries it at once" in out
    assert "aca: warning: asp1 08008/1 failed: " in err
    # Everything else came.
    assert say("files obspar 8008")[1].count("\n") == 1
    assert say("dirs asp1 8010")[0] == 0
    # The next update leaves it alone, the status shows it.
    assert say("update")[0] == 0
    code, out, _ = say("status")
    assert code == 0
    assert "asp1 08008/1 has failed once" in out
    assert say("status --check")[0] == ATTENTION
    code, data = ask("status asp1")
    (failed,) = data["products"][0]["failed"]
    assert failed["attempts"] == 1
    assert failed["next_try"] > failed["tried"]
    assert failed["next_try"].endswith("Z")
    assert "it is tried again" in say("explain asp1 8008")[1].lower()
    # Mended where it comes from, and tried at once.
    victim(fresh).write_bytes(content)
    assert say("update --retry-failed")[0] == 0
    assert say("status --check")[0] == 0
    assert say("dirs asp1 8008")[0] == 0


def test_a_conflict_is_told_and_settled_with_replace(say, ask, site):
    deliver_other_bytes(site)
    code, out, _ = say("update obspar --obsid 8008")
    assert code == ATTENTION
    name = "08/08008_v01/axaff08008_000N001_obs0a.par.gz"
    assert f"obspar {name} came with other bytes than those that are archived; --replace would swap it" in out
    assert out.count(name) == 1, "what is told is told once"
    code, out, _ = say("status obspar --check")
    assert code == ATTENTION
    assert f"obspar {name} came again with other bytes" in out
    out = say("explain obspar 8008")[1]
    assert "'aca update obspar --obsid 8008 --version 1 --replace' would swap it" in out
    assert ask("explain obspar 8008")[1]["conflicts"][0]["filename"] == Path(name).name
    code, data = ask("update obspar --obsid 8008 --version 1 --replace")
    assert (code, data["products"][0]["updated"]) == (0, ["08008_v01"])
    assert say("status obspar --check")[0] == 0
    assert say("verify obspar --full")[0] == 0


def test_one_product_that_fails_as_a_whole_stops_no_other(say, ask, fresh):
    shutil.rmtree(fresh / "delivered" / "asp1")
    (fresh / "delivered" / "catalogue" / "aspect_1.csv").unlink()
    code, out, err = say("update")
    assert code == ERROR
    assert [line.split() for line in out.splitlines()][1] == ["asp1", "nightly", "error"]
    assert "aca: asp1: file could not answer" in err
    assert "Traceback" not in err
    assert say("dirs obspar 8010")[0] == 0
    code, data = ask("update")
    assert code == ERROR
    assert data["products"][0]["error"]
    assert data["products"][1]["error"] is None


def test_a_full_disk_ends_the_update_and_says_what_was_not_begun(say, ask, fresh, monkeypatch):
    import errno

    from aca_core.archive import ProductArchive

    def full(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/archive/somewhere")

    with monkeypatch.context() as patched:
        patched.setattr(ProductArchive, "run_update", full)
        code, _, err = say("update")
        assert code == ERROR
        assert "aca: asp1: /archive/somewhere: No space left on device\n" in err
        assert err.endswith("aca: the update ended there; not begun: obspar\n")
        assert ask("update")[1]["not_begun"] == ["obspar"]
    assert say("update")[0] == 0


def test_one_observation_on_request(say, fresh):
    code, out, _ = say("update asp1 --obsid 8010 --version last")
    assert code == 0
    out = say("dirs asp1 8010")[1]
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["1", "2", "default", "last"]
    assert say("dirs asp1 8008")[1] == ""
    code, _, err = say("update --obsid 9999")
    assert code == ERROR
    assert "aca: asp1: obsid 9999 has no released version of asp1 where it is retrieved from\n" in err
    assert "aca: obspar: obsid 9999" in err


def test_products_are_updated_through_the_set_that_is_meant(say, ask, fresh):
    more = '[sets.other]\nproducts = ["obspar"]\nretriever = "directory"\ncatalogue = "file"\njobs = 2\n'
    (fresh / "aca.toml").write_text(CONFIG + more)
    data = ask("update --set other --dry-run")[1]
    assert [(row["product"], row["set"]) for row in data["products"]] == [("obspar", "other")]
    data = ask("update --dry-run")[1]
    assert [(row["product"], row["set"]) for row in data["products"]] == [("asp1", "nightly"), ("obspar", "nightly")]
    data = ask("update obspar --dry-run")[1]
    assert [(row["product"], row["set"]) for row in data["products"]] == [("obspar", "nightly")]


def test_several_workers_do_the_same(say, ask, fresh, updated):
    assert say("update --jobs 2")[0] == 0
    there = {name: entry[1] for name, entry in snapshot(updated / "archive").items() if name.endswith(".gz")}
    assert {name: entry[1] for name, entry in snapshot(fresh / "archive").items() if name.endswith(".gz")} == there


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("asp1 --set nightly", "give products or --set, not both"),
        ("--version last", "--version is that of one observation; give --obsid too"),
        ("--obsid 8008 --rebuild", "--rebuild does not go with --obsid"),
        ("--obsid 8008 --first-run", "--first-run does not go with --obsid"),
        ("--obsid 8008 --retry-failed", "--retry-failed does not go with --obsid"),
        ("--obsid 8008 --recheck", "--recheck does not go with --obsid"),
        ("--obsid 100000", "'100000' is no obsid; expected a whole number from 0 to 99999"),
        ("--obsid 8008 --version newest", "expected default, last or a number"),
        ("--since 2020:001", "--since is for --recheck, or for products by day"),
        ("--until 2020:001", "--until is for products by day"),
        ("--recheck --since 2020:400", "is not a usable date"),
        ("--recheck --since 2021:001 --until 2020:001", "--since is later than --until"),
        ("--jobs 0", "'0' cannot be used here; expected a whole number from 1 to 10000"),
        ("--obsid abc", "'abc' is no obsid; expected a whole number from 0 to 99999"),
        ("--wait -1", "'-1' cannot be used here; expected a number of seconds, 0 or more"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(say, fresh, words, says):
    before = snapshot(fresh)
    code, out, err = say(f"update {words}")
    assert (code, out) == (USAGE, "")
    assert says in " ".join(err.split())
    assert snapshot(fresh) == before


def test_without_a_set_an_update_says_how_to_define_one(say, tmp_path):
    Path("aca.toml").write_text('root = "."')
    assert "no product set says where deliveries come from" in say("update")[2]
    assert "no product set has asp1; define one" in say("update asp1")[2]


def test_a_withdrawn_release_is_seen_by_a_recheck(say, site):
    from aca_core.simulation import open_delivery

    assert "8009_v02" not in say("update --recheck")[1]
    delivery = open_delivery(site / "delivered")
    delivery.withdraw(8009)
    say("update")
    assert say("files asp1 8009")[1].count("08009_v02") > 0
    assert say("update --recheck --since 2030:001")[0] == 0
    assert say("files asp1 8009")[1].count("08009_v02") > 0
    assert say("update --recheck --since 2000:001")[0] == 0
    assert say("files asp1 8009")[1].count("08009_v02") == 0
    assert say("files asp1 8009")[1].count("08009_v01") > 0
    assert "Version 1 is the default" in say("explain asp1 8009")[1]


SLOW = """
import time
import attrs
from aca_core import hookimpl, site_option
from aca_plugins.directory import DirectoryRetriever
from pathlib import Path

@attrs.frozen(kw_only=True)
class Slow(DirectoryRetriever):
    def fetch(self, request, folder):
        time.sleep(0.5)
        return super().fetch(request, folder)

@hookimpl
def aca_retrievers():
    return [Slow(name="slow")]
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_leaves_the_archive_sound(say, fresh, install_plugin, jobs):
    install_plugin("slow", SLOW)
    text = CONFIG.replace('retriever = "directory"', 'retriever = "slow"').replace("retrievers.dir", "retrievers.slow#")
    text = text.replace("[retrievers.slow#ectory]", "[retrievers.slow]")
    (fresh / "slow.toml").write_text(text)
    words = [sys.executable, "-m", "aca_core", "--config", "slow.toml", "update", "--jobs", str(jobs)]
    environment = {**os.environ, "PYTHONPATH": str(install_plugin.site)}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        first, second = process.stderr.readline(), process.stderr.readline()
        assert re.fullmatch(rf"{TIME} aca: the update of asp1, obspar begins\n", first)
        assert re.fullmatch(rf"{TIME} aca: asp1: obsid 8008 \(1 of 3\)\n", second)
        time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers too
        out, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    assert "what was committed stays; the next update goes on with the rest" in err
    assert err.endswith("aca: interrupted\n")
    assert "Traceback" not in err
    assert out == ""
    assert say("dirs asp1 8008")[0] == 0
    assert say("update")[0] == 0
    assert say("verify --full")[0] == 0
    assert say("dirs asp1 8010")[0] == 0


def test_a_second_writer_waits_and_says_who_writes(say, site):
    from filelock import FileLock

    lock = FileLock(site / "archive" / "asp1" / ".lock")
    holder = site / "archive" / "asp1" / ".lock-holder.json"
    holder.write_text('{"pid": 12, "host": "elsewhere", "since": "2020:001"}')
    assert "is being written to" not in say("status")[1], "who wrote last is of no interest when nobody writes"
    with lock:
        code, _, err = say("update asp1 --wait 0")
        assert code == ERROR
        assert "is being written to by process 12 on elsewhere since 2020-01-01 00:00:00 UTC, after 0 s" in err
        code, out, _ = say("status")
        assert "asp1: is being written to by process 12 on elsewhere since 2020-01-01 00:00:00 UTC" in out
        # Who waits is told at once for whom.
        code, _, err = say("update asp1 --wait 0.1")
        assert code == ERROR
        assert "aca: asp1: waits, 0 s at most, for process 12 on elsewhere since 2020-01-01 00:00:00 UTC\n" in err
        (site / "archive" / "asp1" / "08" / "08010").unlink()
        code, _, err = say("verify asp1 --repair --wait 0.1")
        assert code == ERROR
        assert "aca: asp1: waits, 0 s at most, for process 12 on elsewhere" in err
        assert "is being written to by process 12 on elsewhere since 2020-01-01 00:00:00 UTC" in err


def test_a_plugin_that_cannot_take_a_change_is_told_and_shown(say, ask, fresh, install_plugin):
    source = """
        from aca_core import hookimpl

        @hookimpl
        def aca_committed(change):
            raise RuntimeError("the table is full")
    """
    import textwrap

    install_plugin("listener", textwrap.dedent(source), distribution="aca-listener")
    code, out, _ = say("update obspar")
    assert code == ATTENTION
    assert "obspar: aca-listener:listener could not take a change, and is told again by the next update" in out
    code, out, _ = say("status obspar --check")
    assert code == ATTENTION
    assert "aca-listener:listener could not take a change, so that 5 changes wait: " in out
    assert "the table is full" in out
    (status,) = ask("status obspar")[1]["products"]
    assert status["undelivered"][0]["changes"] == 5
    # A plugin that is not in use any more holds nothing up.
    (fresh / "aca.toml").write_text('plugins.disable = ["listener"]\n' + CONFIG)
    code, out, _ = say("status obspar --check")
    assert code == 0
    assert "aca-listener:listener is not in use, and has not seen 5 changes" in out


# ---- aca status, dirs, files ----------------------------------------------------------------------------------------


def test_status_of_an_archive_in_order(say, ask, site):
    code, out, err = say("status")
    assert (code, err) == (0, "")
    cells = out.splitlines()[3].split()
    assert cells[:9] == ["obspar", "5", "5", "30005", *"00000"]
    assert re.fullmatch(TIME, " ".join(cells[9:]))
    assert out.splitlines()[4:] == ["", "aca0: nothing is archived yet"]
    data = ask("status")[1]["products"]
    assert [row["product"] for row in data] == ["aca0", "asp1", "obspar"]
    assert data[2]["committed"] == 5
    assert data[1]["longest"] > 100
    assert data[1]["roots"][0]["beside"] > 0
    assert say("status --check")[0] == 0


def test_status_of_an_archive_with_nothing_in_it(say, fresh):
    code, out, _ = say("status")
    assert code == 0
    assert "asp1: nothing is archived yet" in out


def test_status_of_a_damaged_index_is_told_and_no_fault(say, ask, site):
    (site / "archive" / "asp1" / "archfiles.db3").write_bytes(b"this is no database" * 100)
    code, out, _ = say("status --check")
    assert code == ATTENTION
    assert "asp1/archfiles.db3 cannot be read as the index of asp1: file is not a database" in out
    assert ask("status")[1]["products"][1]["roots"][0]["problem"]


def test_dirs(say, ask, site):
    code, out, err = say("dirs asp1 8010")
    assert (code, err) == (0, "")
    chunk = site / "archive" / "asp1" / "08"
    assert [line.split() for line in out.splitlines()[1:]] == [
        ["1", f"{chunk}/08010_v01"],
        ["2", f"{chunk}/08010_v02"],
        ["default", f"{chunk}/08010"],
        ["last", f"{chunk}/08010_last"],
    ]
    data = ask("dirs asp1 8010")[1]
    assert data["revisions"] == [1, 2]
    assert data["2"] == f"{chunk}/08010_v02"
    code, out, err = say("dirs asp1 7")
    assert (code, out) == (0, "")
    assert err == "aca: nothing of asp1 is archived for obsid 7; 'aca explain asp1 7' says why\n"
    assert ask("dirs asp1 7") == (0, None)
    assert say("dirs asp1 123456")[0] == USAGE


def test_files_are_one_path_a_line(say, ask, site):
    code, out, err = say("files asp1 8010 --content ASPSOL")
    assert (code, err) == (0, "")
    (path,) = out.splitlines()
    assert Path(path).is_file()
    assert "/08010_v01/" in path
    assert "/08010_v02/" in say("files asp1 8010 --content ASPSOL --revision last")[1]
    assert say("files asp1 8010 --content ASPSOL --revision all")[1].count("\n") == 2
    assert say("files asp1 8010 --content ASPSOL --content ACACENT --revision 1")[1].count("\n") == 2
    code, rows = ask("files asp1 8010 --content ASPSOL")
    assert rows[0]["path"] == path
    assert rows[0]["content"] == "ASPSOL"
    assert rows[0]["tstop"] > rows[0]["tstart"]
    assert say("files obspar --start 2020:001 --stop 2030:001")[1].count("\n") == 3
    assert say("files obspar --start 2020:001")[1].count("\n") == 3


def test_no_files_is_no_error_and_is_said(say, ask, site):
    code, out, err = say("files asp1 7")
    assert (code, out) == (0, "")
    assert err == "aca: no such file of asp1 of obsid 7; 'aca explain asp1 7' says what there is\n"
    assert ask("files asp1 7") == (0, [])


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("asp1", USAGE, "which files? Give an obsid, or --start DATE"),
        ("asp1 8010 --start 2020:001", USAGE, "give an obsid, or --start and --stop, not both"),
        ("asp1 8010 --revision newest", USAGE, "expected last, all or a number"),
        ("asp1 8010 --content ASPSOLL", ERROR, "Did you mean 'ASPSOL'?"),
        ("asp1 --start never", ERROR, "is not a usable date"),
    ],
)
def test_questions_that_are_none(say, site, words, code, says):
    found, out, err = say(f"files {words}")
    assert (found, out) == (code, "")
    assert says in " ".join(err.split())


# ---- aca verify -----------------------------------------------------------------------------------------------------


def test_verify_finds_mends_and_the_update_fetches_again(say, ask, site):
    assert say("verify") == (0, "aca0: nothing is archived.\nasp1: no problem found.\nobspar: no problem found.\n", "")
    (path,) = (site / "archive" / "asp1" / "08" / "08008_v01").glob("*asol1*")
    content = path.read_bytes()
    path.unlink()
    (site / "archive" / "asp1" / "08" / "08010").unlink()
    before = snapshot(site)
    code, out, _ = say("verify asp1")
    assert code == ATTENTION
    assert f"asp1/08/08008_v01/{path.name}: is archived and not there; --repair asks for it, and the next update" in out
    assert "asp1/08/08010: the link leads nowhere, and the index has as default: 1" in out
    assert "asp1: 2 problems.\n" in out
    assert snapshot(site) == before
    code, data = ask("verify")
    assert code == ATTENTION
    assert [each["kind"] for each in data["products"][1]["found"]] == ["missing", "default"]
    code, out, _ = say("verify asp1 --repair")
    assert code == 0
    assert out.splitlines() == [
        "mended: asp1/08/08010: the link leads nowhere, and the index has as default: 1",
        f"asked for again: asp1/08/08008_v01/{path.name}: is archived and not there",
        "asp1: 2 problems found: 1 mended, 1 asked for again.",
        "asp1: the next 'aca update' fetches 1 version again.",
    ]
    assert "08008/1 was asked for and is still to come" in say("explain asp1 8008")[1]
    assert "in order" not in say("explain asp1 8008")[1]
    assert say("update")[0] == 0
    assert path.read_bytes() == content
    assert say("verify --full")[0] == 0


def test_only_the_full_look_sees_another_content(say, site):
    (path,) = (site / "archive" / "asp1" / "08" / "08008_v01").glob("*asol1*")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert say("verify asp1 --quick")[0] == 0
    code, out, err = say("verify asp1 --full")
    assert code == ATTENTION
    assert f"asp1/08/08008_v01/{path.name}" in out
    assert err.count("\n") == 1, "one line at the end of a log, not one for each file"


# ---- aca explain ----------------------------------------------------------------------------------------------------


def test_explain_in_sentences(say, ask, site):
    code, out, err = say("explain asp1 8010")
    assert (code, err) == (0, "")
    assert "Version 1 is the default: it is the one that the retriever named as released when it was last asked." in out
    assert "Version 2 is the newest and not released yet: it is provisional, and 08010_last leads to it." in out
    order = "All of it is in order as far as the index knows: nothing has failed, and nothing is in conflict; "
    assert f"{order}'aca verify' looks at the files." in out
    rows = [line.split() for line in out.splitlines()[2:5]]
    assert rows[1][:2] == ["1", "default"]
    assert rows[2][:2] == ["2", "last"]
    data = ask("explain asp1 8010")[1]
    assert (data["default"], data["last"], data["ours"]) == (1, 2, True)
    assert data["revisions"][0]["archived"].endswith("Z")
    assert data["sentences"][-1] == f"{order}'aca verify' looks at the files."


def test_explain_what_was_superseded_and_what_is_not_there(say, site):
    assert "Version 2 is the default" in say("explain asp1 8009")[1]
    code, out, err = say("explain asp1 7")
    assert (code, out) == (0, "")
    assert "aca: Nothing of asp1 is archived for obsid 7" in err
    assert "aca: Nothing is remembered of it either: no run of it was new in the catalogue" in err
    assert "What is not there yet comes by itself when the catalogue lists a new run of it." in err


def test_explain_what_older_tools_left_behind(say, site):
    folder = as_others_wrote_it(site)
    chunk = folder / "08"
    (chunk / "08008").unlink()
    (chunk / "08008").symlink_to("08008_v07")
    (chunk / "08009_last").symlink_to("/elsewhere/08009_v01")
    out = say("explain asp1 8008")[1]
    assert "No version is the default: the link 08008 leads to version 7, which is not archived, and" in out
    assert "and aca_core has never asked the retriever for it." in out
    assert "The index marks as default: 1; 'aca verify --repair' lets it agree." in out
    assert "in order" not in out
    out = say("explain asp1 8009")[1]
    assert (
        "Version 2 is the default: the link 08009 leads to it, which decides for what aca_core has not written." in out
    )
    assert "A link leads elsewhere: 08/08009_last -> /elsewhere/08009_v01." in out
    assert "in order" not in out
    out = say("explain asp1 8010")[1]
    assert "by other tools" in out
    assert "All of it is in order" in out
    assert say("status asp1")[1].splitlines()[1].split()[3] == "20005", "from last_id.txt"


# ---- aca adopt ------------------------------------------------------------------------------------------------------


def as_others_wrote_it(site: Path) -> Path:
    """Leave of an archive what older tools write: no table of ours."""
    folder = site / "archive" / "asp1"
    connection = sqlite3.connect(folder / "archfiles.db3")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if name.startswith("aca_"):
            connection.execute(f"DROP TABLE {name}")
    connection.commit()
    connection.close()
    (folder / ".lock").unlink(missing_ok=True)
    shutil.rmtree(folder / ".staging", ignore_errors=True)
    return folder


def test_adopt_a_sound_archive_of_other_tools(say, ask, site):
    as_others_wrote_it(site)
    before = snapshot(site)
    code, out, err = say("adopt archive")
    assert (code, err) == (0, "")
    assert "asp1     other tools" in out
    assert "obspar   aca_core" in out
    assert f'Sound. To use it: root = "{site / "archive"}" in aca.toml' in out
    assert snapshot(site) == before
    code, data = ask("adopt archive/asp1 --full")
    assert (code, data["sound"]) == (0, True)
    assert (data["products"][0]["units"], data["products"][0]["obsids"], data["products"][0]["released"]) == (5, 3, 3)
    assert snapshot(site) == before


def test_adopt_tells_what_is_wrong_and_writes_nothing(say, ask, site):
    folder = as_others_wrote_it(site)
    connection = sqlite3.connect(folder / "archfiles.db3")
    connection.executescript(
        "DROP INDEX idx_archfiles_tstart; ALTER TABLE archfiles ADD COLUMN remark text;"
        "ALTER TABLE archfiles DROP COLUMN caldbver;"
    )
    connection.close()
    next((folder / "08" / "08008_v01").glob("*asol1*")).unlink()
    (folder / "08" / "08011_v01").mkdir()
    (folder / "last_id.txt").write_text("some\n")
    (folder / "asp_l1_bad_obsids.dat").write_text("obsid\n36\n")
    before = snapshot(site)
    code, out, _ = say("adopt archive")
    assert code == ATTENTION
    for text in (
        "asp1: the index has no column caldbver",
        "asp1: there is no index on tstart: queries by it are slow until the first update makes one",
        "is archived and not there",
        "asp1: 08/08011_v01: is empty: a fetch by another tool has failed",
        "asp1: last_id.txt is 'some'; expected one whole number",
        "asp1: columns besides, which are kept: remark",
        "asp1: beside it, and left alone: asp_l1_bad_obsids.dat, processing_asp_l1.db3",
    ):
        assert text in out
    assert snapshot(site) == before
    code, data = ask("adopt archive")
    assert data["products"][0]["schema"]["missing"] == ["caldbver"]
    assert {each["kind"] for each in data["products"][0]["findings"]} == {"missing", "empty"}


def test_adopt_takes_back_nobodys_transaction(say, site):
    folder = as_others_wrote_it(site)
    path = folder / "archfiles.db3"
    code = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN');"
        "c.execute('UPDATE archfiles SET isdefault = 7'); c.execute('CREATE TABLE filler AS SELECT * FROM archfiles');"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert path.with_name("archfiles.db3-journal").stat().st_size
    before = snapshot(site)
    assert say("adopt archive")[0] == 0
    assert snapshot(site) == before


def test_adopt_reads_a_log_that_others_keep(say, site):
    folder = as_others_wrote_it(site)
    connection = sqlite3.connect(folder / "archfiles.db3")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    before = snapshot(site)
    assert say("adopt archive")[0] == 0
    assert snapshot(site) == before


def test_adopt_a_folder_of_another_name_and_what_is_none(say, ask, site, tmp_path):
    shutil.move(as_others_wrote_it(site), tmp_path / "asp_l1_old")
    code, data = ask(f"adopt {tmp_path / 'asp_l1_old'}")
    assert (code, data["products"][0]["product"]) == (0, "asp1")
    (tmp_path / "empty").mkdir()
    code, _, err = say(f"adopt {tmp_path / 'empty'}")
    assert code == ERROR
    assert "has no folder of a product (aca0, asp1, obspar) and no archfiles.db3, so it is no archive" in err
    assert say("adopt absent")[0] == ERROR


# ---- aca demo -------------------------------------------------------------------------------------------------------


def test_demo_does_the_main_job_and_what_it_proposes_works(say, tmp_path):
    code, out, err = say("demo 'my archive' --duration 200 --days 0.1")
    assert code == 0
    assert "synthetic data made by aca_core.simulation, not from flight" in out
    assert "Version 1 is the default" in out
    assert "Traceback" not in err
    folder = tmp_path / "my archive"
    assert 'products = ["aca0", "asp1", "obspar"]' in (folder / "aca.toml").read_text()
    assert (folder / "archive" / "asp1" / "08" / "08010").is_symlink()
    proposed = [line for line in out.partition("To go on:")[2].splitlines() if line.startswith("  aca ")]
    assert len(proposed) == 13
    for line in proposed:
        words = shlex.split(line, comments=True)
        code, found, _ = say(shlex.join(words[1:]))
        assert (code, bool(found)) == (0, True), line
    made = ("delivered", "darks", "archive/aca_dark")
    before = [snapshot(folder / name) for name in made]
    code, out, _ = say("demo 'my archive'")
    assert code == 0
    assert "is there, and is used as it is" in out
    assert "Nothing is new." in out
    assert "8 current." in out
    assert [snapshot(folder / name) for name in made] == before


def test_demo_goes_on_where_it_was_interrupted(say, tmp_path):
    parts = [tmp_path / "d" / name for name in (".delivered.new", ".darks.new")]
    for part in parts:
        part.mkdir(parents=True)
        (part / "half").write_text("")
    assert say("demo d --duration 200 --days 0.1")[0] == 0
    assert not any(part.exists() for part in parts)


def test_demo_answers_with_warm_pixels_and_the_probabilities_of_a_catalog(say):
    out = say("demo d --duration 200 --days 0.1")[1]
    assert out.count("synthetic data made by aca_core.simulation, not from flight") == 3
    assert "8 calibrations made from synthetic maps, and marked so." in out
    history = re.findall(r"^(\d{7}) +\d{4}:\d{3} .* ([\d.]+)(?: +█+)?$", out, re.MULTILINE)
    assert len(history) == 8
    assert [float(model) for _, model in history] == sorted(float(model) for _, model in history), "the CCD ages"
    table = out.partition("How likely is each star")[2].partition("By ")[0]
    stars = [line.split() for line in table.splitlines() if re.match(r" *\d+\.\d ", line)]
    assert len(stars) == 8
    for column in (1, 2):
        falling = [float(star[column]) for star in stars]
        assert falling == sorted(falling, reverse=True), "the fainter, the less likely"
    expected = float(re.search(r"By sota-2013, ([\d.]+) of the 8 are expected", out)[1])
    assert abs(sum(float(star[1]) for star in stars) - expected) < 0.01


def test_demo_does_without_the_models_that_are_disabled(say, tmp_path):
    assert "p_acq sota-2017" in say("demo d --duration 200 --days 0.1")[1]
    file = tmp_path / "d" / "aca.toml"
    file.write_text('plugins.disable = ["sota-2017"]\n' + file.read_text())
    code, out, err = say("demo d")
    assert (code, "error" in err) == (0, False)
    assert "p_acq sota-2013" in out
    assert "sota-2017" not in out


def test_a_demonstration_of_an_earlier_version_has_no_dark_calibrations_and_goes_on(say, tmp_path):
    assert say("demo d --duration 200 --days 0.1")[0] == 0
    file = tmp_path / "d" / "aca.toml"
    kept = [line for line in file.read_text().splitlines() if not line.startswith("ska = ")]
    file.write_text("\n".join(kept).partition("[dark]")[0])
    shutil.rmtree(tmp_path / "d" / "darks")
    shutil.rmtree(tmp_path / "d" / "archive" / "aca_dark")
    code, out, err = say("demo d")
    assert code == 0
    assert "dark" not in err
    assert "is one without dark calibrations; a new folder has them." in out
    assert "aca --config d/aca.toml verify --full" in out
    assert "pixels of the CCD are warm" not in out
    assert not (tmp_path / "d" / "darks").exists()


def test_demo_says_which_dark_calibration_cannot_be_made(say, tmp_path):
    assert say("demo d --duration 200 --days 0.1")[0] == 0
    shutil.rmtree(tmp_path / "d" / "archive" / "aca_dark" / "2014289")
    (tmp_path / "d" / "darks" / "ska" / "data" / "aca_dark_cal" / "2014289" / "imd.fits").write_bytes(b"no map")
    code, out, _ = say("demo d")
    assert code == ATTENTION
    assert re.search(r"^2014289 +failed ", out, re.MULTILINE)
    assert "7 current, 1 failed." in out
    assert "2017185" in out.partition("How many pixels")[2], "the others answer"


def test_demo_says_when_the_environment_names_another_archive(say, monkeypatch, tmp_path):
    monkeypatch.setenv("ACA_DATA", str(tmp_path))
    code, out, _ = say("demo d --duration 200 --days 0.1")
    assert code == 0
    assert "ACA_DATA names another archive, which goes over the file: unset it first" in out
    assert (tmp_path / "d" / "archive" / "asp1").is_dir()
