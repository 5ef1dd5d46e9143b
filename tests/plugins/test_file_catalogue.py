"""The catalogue that reads a file: the same answers from CSV files as from SQLite, and clear words for bad tables."""

import csv
import os
import re
import sqlite3
from pathlib import Path

import pytest
from aca_plugins.file_catalogue import FILE, FileCatalogue

from aca_core import Config, PlannedStar, ProcessingRun, RetrievalError, Work
from aca_core.binding import bind
from aca_core.dates import to_secs
from aca_core.testing import SYNTHETIC, CatalogueContract

ASPECT = Work(table="aspect_1", id="aspect_1_id", reviewed_as_science=True)
OBSPAR = Work(table="obidet_0_5", id="obidet_0_5_id")

# Columns in an order of their own, with one that nobody asks for; each row is marked in it.
TABLES = {
    "aspect_1": (
        "remark obsid aspect_1_id revision obi quality ap_date",
        [
            (7000, 15, 2, 0, "P", "2010-09-02 12:00:00"),
            (7000, 11, 1, 0, "R  ", "2010-09-01 12:00:00"),
            (943, 9, 1, 1, "", None),
            (943, 12, 1, 2, "P", "2010-09-01 13:00:00"),
            (943, 100, 2, 2, "P", "2010-09-03 13:00:00"),
        ],
    ),
    "obidet_0_5": (
        "remark obidet_0_5_id obsid obi revision ap_date quality",
        [(3, 943, 2, 1, "", "P"), (1, 943, 1, 1, "", "P"), (4, 943, 2, 2, "", "P"), (2, 7000, 0, 1, "", "P")],
    ),
    "science_1": ("remark science_1_id aspect_1_id", [(51, 11), (50, 11), (52, 15)]),
    "science_2_obi": ("remark science_2_id science_1_id", [(61, 50), (60, 51), (60, 50), (62, 51), (63, 99)]),
    "science_2": ("remark science_2_id quality", [(62, "P"), (61, "T"), (60, "R"), (63, "X")]),
    "target": ("remark obsid status", [(943, "discarded"), (943, "discarded "), (7000, ""), (8000, "a"), (8000, "b")]),
    "stars": (
        "remark obsid obi slot type id y_ang z_ang",
        [
            (7000, 0, 2, 3, 20, -100.25, 7),
            (7000, 0, 0, 2, 5, 922.5, -1737.0),
            (7000, 0, 1, 1, 688522000, 10, 1e3),
            (7000, 0, 7, 0, 0, 0, 0),
            (7000, 1, 0, 1, 688522001, 1.0, 2.0),
        ],
    ),
    "ingested_files": (
        "remark ingested product filename",
        [
            ("2021:003:12:00:00.000", "telemetry", "b.fits.gz"),
            ("2021:003:12:00:00.000", "telemetry", "a.fits.gz"),
            ("2021:002:12:00:00.000", "telemetry", "c.fits"),
            ("2021:004", "another", "d.fits"),
        ],
    ),
}
KINDS = {
    "ingested": "TEXT",
    "product": "TEXT",
    "filename": "TEXT",
    "quality": "TEXT",
    "ap_date": "TEXT",
    "remark": "TEXT",
    "status": "TEXT",
    "y_ang": "REAL",
    "z_ang": "REAL",
}


def rows_of(table):
    header, rows = TABLES[table]
    return header.split(), [(SYNTHETIC, *row) for row in rows]


def write_csv(place: Path, tables) -> Path:
    place.mkdir(exist_ok=True)
    for table in tables:
        header, rows = rows_of(table)
        with (place / f"{table}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([header, *rows])
    return place


def write_sqlite(place: Path, tables, declared=lambda column: KINDS.get(column, "INTEGER")) -> Path:
    connection = sqlite3.connect(place)
    for table in tables:
        header, rows = rows_of(table)
        connection.execute(f"CREATE TABLE {table} ({', '.join(f'{column} {declared(column)}' for column in header)})")
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(header))})", rows)
    connection.commit()
    connection.close()
    return place


def write_imported(place: Path, tables) -> Path:
    """Write what ``.import`` of the sqlite3 program makes of CSV files: everything is text."""
    return write_sqlite(place, tables, lambda column: "TEXT")


def write_untyped(place: Path, tables) -> Path:
    return write_sqlite(place, tables, lambda column: "")


@pytest.fixture(params=[write_csv, write_sqlite, write_imported, write_untyped], ids=lambda write: write.__name__[6:])
def write(request, tmp_path):
    """Return a function that makes a catalogue of some tables, in each form that it may have."""
    return lambda tables=TABLES: FileCatalogue(
        name="file", label="x", path=request.param(tmp_path / "what is?", tables)
    )


@pytest.fixture
def catalogue(write):
    return write()


class TestFile(CatalogueContract):
    @pytest.fixture
    def catalogue(self, write):
        return write()

    @pytest.fixture
    def work(self):
        return OBSPAR


def test_a_site_says_where_the_file_is():
    assert bind(FILE, Config(root=["/data/aca"])).path == Path("/data/aca/catalogue")
    options = {"file": {"path": "lists/work.db"}}
    assert bind(FILE, Config(root=["/data/aca"], catalogues=options)).path == Path("/data/aca/lists/work.db")


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "ids"), [(-1, [9, 11, 12, 15, 100]), (11, [12, 15, 100]), (99, [100]), (100, []), (10**15, [])]
)
def test_new_work_is_what_has_a_greater_id(catalogue, after, ids):
    assert [run.id for run in catalogue.new_work(ASPECT, after)] == ids


def test_a_run_is_what_the_table_says(catalogue):
    date = "2010-09-01 12:00:00"
    run = ProcessingRun(id=11, obsid=7000, obi=0, revision=1, ap_date=date, quality="R")
    assert catalogue.new_work(ASPECT, 9)[0] == run == catalogue.runs(ASPECT, 7000)[0]
    assert catalogue.new_work(ASPECT, 0)[0] == ProcessingRun(id=9, obsid=943, obi=1, revision=1)


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        ({}, [9, 12, 100]),
        ({"obi": 2}, [12, 100]),
        ({"revision": 1}, [9, 12]),
        ({"obi": 2, "revision": 2}, [100]),
        ({"obi": 0}, []),
    ],
    ids=str,
)
def test_runs_are_those_of_an_obsid_an_interval_a_version(catalogue, only, ids):
    assert [run.id for run in catalogue.runs(ASPECT, 943, **only)] == ids


def test_intervals_are_those_of_the_first_processing(catalogue):
    assert catalogue.obis(943) == (1, 2)
    assert catalogue.obis(7000) == (0,)
    assert catalogue.obis(8000) == ()


@pytest.mark.parametrize(("run_id", "qualities"), [(11, ("R", "T", "P")), (15, ()), (9, ())])
def test_the_science_of_a_run_is_found_through_its_chain(catalogue, run_id, qualities):
    run = ProcessingRun(id=run_id, obsid=7000, obi=0, revision=1)
    assert catalogue.science_qualities(ASPECT, run) == qualities
    assert catalogue.science_qualities(OBSPAR, run) == ()


def test_the_status_of_a_target_is_one_or_none(catalogue):
    assert catalogue.target_status(943) == "discarded"
    assert catalogue.target_status(7000) is None
    assert catalogue.target_status(1) is None
    with pytest.raises(RetrievalError, match=r"obsid 8000 has the statuses \['a', 'b'\]; expected one"):
        catalogue.target_status(8000)


def test_planned_stars_have_their_types_and_come_by_slot(catalogue):
    assert catalogue.planned_stars(7000, 0) == (
        PlannedStar(slot=0, type="fid", id=5, y_ang=922.5, z_ang=-1737.0),
        PlannedStar(slot=1, type="guide", id=688522000, y_ang=10.0, z_ang=1000.0),
        PlannedStar(slot=2, type="monitor", id=20, y_ang=-100.25, z_ang=7.0),
        PlannedStar(slot=7, type="unused", id=0, y_ang=0.0, z_ang=0.0),
    )
    assert [star.id for star in catalogue.planned_stars(7000, 1)] == [688522001]
    assert catalogue.planned_stars(7000, 2) == catalogue.planned_stars(8000, 0) == ()


def test_only_the_table_of_the_work_must_be_there(write):
    catalogue = write(["aspect_1"])
    run = catalogue.new_work(ASPECT, 0)[0]
    assert catalogue.obis(run.obsid) == ()
    assert catalogue.science_qualities(ASPECT, run) == ()
    assert catalogue.target_status(run.obsid) is None
    assert catalogue.planned_stars(run.obsid, run.obi) == ()
    with pytest.raises(RetrievalError, match=r"new work in obidet_0_5 after 0: .*has no (file|table) obidet_0_5"):
        catalogue.new_work(OBSPAR, 0)


def test_a_chain_with_a_link_missing_is_refused(write):
    catalogue = write(["science_1", "science_2"])
    with pytest.raises(RetrievalError, match=r"has no (file|table) science_2_obi(\.csv)?; it must have the columns"):
        catalogue.science_qualities(ASPECT, ProcessingRun(id=11, obsid=7000, obi=0, revision=1))


def test_answers_share_nothing_and_follow_the_file(write):
    catalogue = write()
    catalogue.new_work(ASPECT, 0).clear()
    catalogue.runs(ASPECT, 943).clear()
    assert len(catalogue.new_work(ASPECT, 0)) == 5
    assert len(catalogue.runs(ASPECT, 943)) == 3
    if catalogue.path.is_dir():
        with (catalogue.path / "aspect_1.csv").open("a") as stream:
            stream.write(f'"{SYNTHETIC}",943,101,3,2,P,\n')
    else:
        connection = sqlite3.connect(catalogue.path)
        connection.execute("INSERT INTO aspect_1 VALUES (?, 943, 101, 3, 2, 'P', '')", [SYNTHETIC])
        connection.commit()
        connection.close()
    assert [run.id for run in catalogue.new_work(ASPECT, 15)] == [100, 101]
    assert [run.id for run in catalogue.runs(ASPECT, 943, revision=3)] == [101]


def test_asking_writes_nothing(catalogue):
    def state():
        files = [catalogue.path, *sorted(catalogue.path.parent.rglob("*"))]
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files}

    before = state()
    catalogue.new_work(ASPECT, 0)
    assert state() == before


# ---- bad tables -----------------------------------------------------------------------------------------------------

HEADER = "aspect_1_id,obsid,obi,revision,ap_date,quality,remark"
GOOD = f'12,7000,0,2,2010-09-01,P,"{SYNTHETIC}"'


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("", "", "has no column aspect_1_id; its columns are none"),
        ("aspect_1_id,obi\n", "", "has no column obsid; its columns are aspect_1_id, obi"),
        (f"{HEADER},OBSID\n", "", "has several columns obsid"),
        (f"{HEADER}\n{GOOD}\nx,7000,0,2,,P,\n", ", line 3", "aspect_1_id is 'x'; expected a whole number"),
        (f"{HEADER}\n1.0,7000,0,2,,P,\n", ", line 2", "aspect_1_id is '1.0'; expected a whole number"),
        (f"{HEADER}\n1_0,7000,0,2,,P,\n", ", line 2", "aspect_1_id is '1_0'; expected a whole number"),
        (f"{HEADER}\n12,7000,,2,,P,\n", ", line 2", "obi is ''; expected a whole number"),
        (f"{HEADER}\n12,100000,0,2,,P,\n", ", line 2", "obsid is 100000; expected a whole number from 0 to 99999"),
        (f"{HEADER}\n{GOOD}\n\n{GOOD}\n", ", line 4", "aspect_1_id 12 is there already; expected each id once"),
        (f"{HEADER}\n12,7000,0,2,,P\n", ", line 2", "has 6 fields; expected 7 as in the header line"),
        (f'{HEADER}\n12,7000,0,2,,P,"never ended\n', ", line 2", "is no CSV: unexpected end of data"),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "", "is not UTF-8"),
    ],
)
def test_a_bad_csv_file_is_named_with_its_line_and_value(tmp_path, text, where, problem):
    path = tmp_path / "aspect_1.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    message = f"^file could not answer new work in aspect_1 after 0: {re.escape(f'{path}{where}: {problem}')}"
    with pytest.raises(RetrievalError, match=message):
        FileCatalogue(name="file", path=tmp_path).new_work(ASPECT, 0)


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\n{GOOD}\n",
        f"{HEADER.upper()}\r\n{GOOD}\r\n\r\n",
        f" {HEADER.replace(',', ' , ')}\n{GOOD.replace(',', '  ,')}",
        f"{HEADER}\n{GOOD.replace('12', chr(34) + ' 12' + chr(34), 1)}",
    ],
    ids=["byte order mark", "upper case", "blanks", "quotes"],
)
def test_ways_of_writing_csv_make_no_difference(tmp_path, text):
    (tmp_path / "aspect_1.csv").write_bytes(text.encode())
    run = ProcessingRun(id=12, obsid=7000, obi=0, revision=2, ap_date="2010-09-01", quality="P")
    assert FileCatalogue(name="file", path=tmp_path).runs(ASPECT, 7000) == [run]


@pytest.mark.parametrize(
    ("declared", "row", "problem"),
    [
        ("aspect_1_id INTEGER", ("x", 7000, 0), "aspect_1_id is 'x'; expected a whole number"),
        ("aspect_1_id INTEGER", (None, 7000, 0), "aspect_1_id is None; expected a whole number"),
        ("aspect_1_id REAL", (12.0, 7000, 0), "aspect_1_id is 12.0; expected a whole number"),
        ("aspect_1_id INTEGER", (12, 7000, b"0"), "obi is b'0'; expected a whole number"),
        ("other INTEGER", (12, 7000, 0), "has no column aspect_1_id; its columns are other, obsid, obi, revision"),
    ],
)
def test_a_bad_sqlite_table_is_named_with_its_value(tmp_path, declared, row, problem):
    path = tmp_path / "work.db"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE aspect_1 ({declared}, obsid INTEGER, obi, revision, ap_date, quality, remark)")
    connection.execute("INSERT INTO aspect_1 VALUES (?, ?, ?, 2, '', 'P', ?)", (*row, SYNTHETIC))
    connection.commit()
    connection.close()
    with pytest.raises(RetrievalError, match=re.escape(f"{path}, table aspect_1: {problem}")):
        FileCatalogue(name="file", path=path).new_work(ASPECT, 0)


def test_an_id_that_is_there_twice_is_refused(write, monkeypatch):
    header, rows = TABLES["aspect_1"]
    monkeypatch.setitem(TABLES, "aspect_1", (header, [*rows, rows[0]]))
    catalogue = write(["aspect_1"])
    for ask in (lambda: catalogue.new_work(ASPECT, 0), lambda: catalogue.runs(ASPECT, 7000)):
        with pytest.raises(RetrievalError, match="aspect_1_id 15 is there already; expected each id once"):
            ask()


@pytest.mark.parametrize(
    ("star", "problem"),
    [
        ((7000, 0, 1, 4, 20, 1, 2), "type is 4; expected one of 0 (unused), 1 (guide), 2 (fid), 3 (monitor)"),
        ((7000, 0, 8, 1, 20, 1, 2), "slot is 8; expected a whole number from 0 to 7"),
        ((7000, 0, 1, 1, 20, "nan", 2), "y_ang is 'nan'; expected a number"),
        ((7000, 0, 1, 1, 20, 1, ""), "z_ang is ''; expected a number"),
    ],
)
def test_a_bad_star_is_refused(write, monkeypatch, star, problem):
    monkeypatch.setitem(TABLES, "stars", (TABLES["stars"][0], [star]))
    with pytest.raises(RetrievalError, match=re.escape(problem)):
        write(["stars"]).planned_stars(7000, 0)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "is neither an SQLite file nor a folder of CSV files"),
        (b"", "has no table aspect_1"),
        (f"{SYNTHETIC}, and no database".encode() * 99, "cannot be read as an SQLite file: file is not a database"),
    ],
)
def test_what_is_no_catalogue_is_refused(tmp_path, content, problem):
    path = tmp_path / "work.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RetrievalError, match=re.escape(f"{path}: {problem}")) as caught:
        FileCatalogue(name="file", path=path).new_work(ASPECT, 0)
    assert caught.value.source == "file"
    assert path.exists() == (content is not None)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "aspect_1.csv")
    for path in (tmp_path, tmp_path / "aspect_1.csv"):
        with pytest.raises(RetrievalError, match=r"aspect_1\.csv: is (no regular file|neither)"):
            FileCatalogue(name="file", path=path).new_work(ASPECT, 0)


def test_a_table_without_the_columns_is_refused(catalogue):
    with pytest.raises(RetrievalError, match="has no column aspect_1_id; its columns are "):
        catalogue.new_work(Work(table="stars", id="aspect_1_id"), 0)


def test_files_that_were_ingested_are_listed_by_time(write):
    catalogue, noon = write(), to_secs("2021:002:12:00:00")
    listed = catalogue.ingested_files("telemetry", noon - 1.0)
    assert [each.filename for each in listed] == ["c.fits", "a.fits.gz", "b.fits.gz"]
    assert listed[0].ingested == pytest.approx(noon, abs=1e-3)
    assert [each.filename for each in catalogue.ingested_files("telemetry", noon)] == ["a.fits.gz", "b.fits.gz"]
    assert [each.filename for each in catalogue.ingested_files("another", 0.0)] == ["d.fits"]
    assert catalogue.ingested_files("nothing", 0.0) == []


def test_a_time_of_ingestion_that_is_no_date_is_refused(tmp_path):
    (tmp_path / "ingested_files.csv").write_text("product,filename,ingested\ntelemetry,a.fits,yesterday\n")
    catalogue = FileCatalogue(name="file", path=tmp_path)
    with pytest.raises(RetrievalError, match="line 2: ingested is 'yesterday'; expected a date"):
        catalogue.ingested_files("telemetry", 0.0)
