"""Parameter files: the lines of an obspar, in clear and compressed, right and wrong."""

import csv
import gzip
import io
import json
import logging
import re
import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aca_core.errors import IntegrityError
from aca_core.parameter_file import (
    Parameter,
    parse_parameter_lines,
    parse_parameters,
    read_parameter_file,
)
from aca_core.text_files import read_text_file

# An ACIS observation that never took place.
OBSPAR = """\
obs_id,s,h,"90123",,,"Observation ID"
obi_num,i,h,0,,,"Observation interval number"
title,s,h,"A ""quoted"" title, with a comma",,,"Proposal title"
instrume,s,h,"ACIS",,,""
detector,s,h,"ACIS-S",,,""
detnam,s,h,"ACIS-235678",,,""
date-obs,s,h,"2019-09-29T02:23:34",,,"TT"
tstart,r,h,686111014.366,,,"s"
tstop,r,h,686117443.166,,,"s"
sim_z,r,h,-190.1425,,,"mm"
sim_z_offset,r,h,0.0,,,"mm"
ra_pnt,r,h,10.000125,0,360,"deg"
dtycycle,i,h,0,,,""
sched_exp_time,r,h,,,,"no value"
ccds2_on,s,h,"Y",,,""
ccds3_on,s,h,"Y",,,""
ccds4_on,s,h,"O1",,,""
ccdi2_on,s,h,"N",,,""
revision,i,h,2,,,""
"""
VALUES = {
    "obs_id": "90123",
    "obi_num": 0,
    "title": 'A "quoted" title, with a comma',
    "instrume": "ACIS",
    "detector": "ACIS-S",
    "detnam": "ACIS-235678",
    "date_obs": "2019-09-29T02:23:34",
    "tstart": 686111014.366,
    "tstop": 686117443.166,
    "sim_z": -190.1425,
    "sim_z_offset": 0.0,
    "ra_pnt": 10.000125,
    "dtycycle": 0,
    "sched_exp_time": None,
    "ccds2_on": "Y",
    "ccds3_on": "Y",
    "ccds4_on": "O1",
    "ccdi2_on": "N",
    "revision": 2,
}


def same(found, expected):
    """Equal in values, in order and in types (0 is not 0.0)."""
    return list(found.items()) == list(expected.items()) and [*map(type, found.values())] == [
        *map(type, expected.values())
    ]


def value(line):
    (found,) = parse_parameters(line).values()
    return found


# A whole file


def test_an_obspar_becomes_a_flat_dict_in_the_order_of_the_file():
    assert same(parse_parameters(OBSPAR), VALUES)


@pytest.mark.parametrize("name", ["obs.par", "obs.par.gz", "obs"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_compression_is_told_from_the_content_never_from_the_name(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack(OBSPAR.encode()))
    assert same(read_parameter_file(path), VALUES)
    assert same(read_parameter_file(str(path)), VALUES)


def test_the_descriptions_are_there_for_who_wants_them(tmp_path):
    path = tmp_path / "obs.par"
    path.write_text(OBSPAR)
    parameters = list(parse_parameter_lines(read_text_file(path), path))
    assert parameters[1] == Parameter("obi_num", "i", 0, "Observation interval number")
    assert parameters[6] == Parameter("date_obs", "s", "2019-09-29T02:23:34", "TT")
    assert len(parameters) == len(VALUES)


def test_an_empty_file_has_no_parameters(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    (tmp_path / "gzip").write_bytes(gzip.compress(b""))
    assert read_parameter_file(tmp_path / "plain") == read_parameter_file(tmp_path / "gzip") == {}


def test_a_missing_file_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"obs\.par"):
        read_parameter_file(tmp_path / "obs.par")


# Values


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('a,s,h,"",,,""', ""),
        ("a,s,h,,,,", ""),
        ('a,s,h," two  blanks ",,,', " two  blanks "),
        ("a,s,h, two  blanks ,,,", " two  blanks "),
        ('a,s,h,"INDEF"', "INDEF"),
        ('a,s,h,"12"', "12"),
        ("a,s,h,5\" disc or 'so'", "5\" disc or 'so'"),
        ('a , s , h , "x, y" , , , "p"', "x, y"),
        ("a,b,h,yes", "yes"),
        ("a,f,h,some/file.fits", "some/file.fits"),
        ("a,d,h,2019-09-29", "2019-09-29"),
        ("a,t,h,02:23:34", "02:23:34"),
        ("a,S,h,x", "x"),
        ("a,I,h,1", 1),
        ("a,R,h,1", 1.0),
        ("a,r,h,", None),
        ("a,i,h,  ", None),
        ('a,i,h,""', None),
        ("a,r,h,INDEF", None),
        ("a,i,h,indef", None),
        ("a,r,h,undef", None),
        ("a,i,h,UNDEF", None),
        ("a,i,h,NaN", None),
        ("a,r,h,nan", None),
        ("a,r,h,-NaN", None),
        ("a,r,h,1.5", 1.5),
        ("a,r,h,1e3", 1000.0),
        ("a,r,h,1.0D+02", 100.0),
        ("a,r,h,-.5d-1", -0.05),
        ('a,r,h," +5. "', 5.0),
        ("a,i,h,12", 12),
        ("a,i,h,+3", 3),
        ("a,i,h, 5", 5),
        ("a,i,h,007", 7),
        ("a,i,h,5.0", 5),
        ("a,i,h,-1.2e1", -12),
        ("a,i,h,1D3", 1000),
        (f"a,i,h,{2**63 - 1}", 2**63 - 1),
        (f"a,i,h,{-(2**63)}", -(2**63)),
    ],
)
def test_the_type_letter_decides_what_the_text_means(line, expected):
    found = value(line)
    assert found == expected
    assert type(found) is type(expected)


# Lines


def test_blank_lines_and_comments_are_skipped():
    assert parse_parameters("# head\n\n  \t\n  # more\na,i,h,1\n#b,i,h,2\n") == {"a": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CR-LF", "CR"])
def test_any_line_end_will_do(end):
    assert same(parse_parameters(OBSPAR.replace("\n", end)), VALUES)


def test_other_separators_of_unicode_do_not_end_a_line():
    assert value('a,s,h,"x\x0b\x0c\x1c\x85\u2028y"') == "x\x0b\x0c\x1c\x85\u2028y"


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path):
    (tmp_path / "obs.par").write_text("a,i,h,1", encoding="utf-8-sig")
    assert read_parameter_file(tmp_path / "obs.par") == {"a": 1}


@pytest.mark.parametrize("line", ["a,s", "a,s,", "a,s,h", "a,s,h,", "a,s,h,,,,", 'a,s,h,,,,"",'])
def test_trailing_fields_may_be_missing(line):
    assert list(parse_parameter_lines(line)) == [Parameter("a", "s", "", "")]


def test_a_repeated_name_has_its_last_value():
    text = "date-obs,s,h,x\nb,i,h,1\ndate_obs,s,h,y\n"
    assert same(parse_parameters(text), {"date_obs": "y", "b": 1})
    assert [parameter.value for parameter in parse_parameter_lines(text)] == ["x", 1, "y"]


def test_only_the_hyphens_of_a_name_change():
    assert list(parse_parameters("a-b-c.d$E,i,h,1")) == ["a_b_c.d$E"]


def test_a_comma_without_quotes_is_told(caplog):
    with caplog.at_level(logging.WARNING, "aca_core"):
        assert parse_parameters('\ntitle,s,h,Stars, and more,,,"t"', "obs.par") == {"title": "Stars"}
    assert caplog.messages == ["obs.par: line 2 (title) has 8 fields instead of 7; text with commas needs quotes"]


def test_bytes_that_are_not_utf8_are_replaced_and_told(tmp_path, caplog):
    path = tmp_path / "obs.par"
    path.write_bytes("a,i,h,1\nobserver,s,h,Bj\N{LATIN SMALL LETTER O WITH STROKE}rn\n".encode("latin-1"))
    with caplog.at_level(logging.WARNING, "aca_core"):
        assert read_parameter_file(path) == {"a": 1, "observer": "Bj\N{REPLACEMENT CHARACTER}rn"}
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("aca_core", "WARNING")
    assert record.getMessage().startswith(f"{path}: line 2 has bytes that are not UTF-8")


def test_proper_utf8_passes_in_silence(tmp_path, caplog):
    (tmp_path / "obs.par").write_text("a,s,h,\N{GREEK SMALL LETTER ALPHA}", encoding="utf-8")
    assert read_parameter_file(tmp_path / "obs.par") == {"a": "\N{GREEK SMALL LETTER ALPHA}"}
    assert not caplog.records


# Errors


INTEGER = "expected an integer of at most 64 bits, INDEF or nothing"
REAL = "expected a finite real number, INDEF or nothing"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("a,x,h,1", "field 'type' of 'a' is 'x'; expected one of i, r, s, b, f, d, t"),
        ("a,,h,1", "field 'type' of 'a' is ''; expected one of i, r, s, b, f, d, t"),
        ("a,*i,h,1", "field 'type' of 'a' is '*i'; expected one of i, r, s, b, f, d, t"),
        ("a,ir,h,1", "field 'type' of 'a' is 'ir'; expected one of i, r, s, b, f, d, t"),
        ("a,i,h,five", f"field 'value' of 'a' is 'five'; {INTEGER}"),
        ("a,i,h,5.5", f"field 'value' of 'a' is '5.5'; {INTEGER}"),
        ("a,i,h,1_000", f"field 'value' of 'a' is '1_000'; {INTEGER}"),
        ("a,i,h,inf", f"field 'value' of 'a' is 'inf'; {INTEGER}"),
        ("a,i,h,1e999", f"field 'value' of 'a' is '1e999'; {INTEGER}"),
        ("a,i,h,1e17", f"field 'value' of 'a' is '1e17'; {INTEGER}"),
        (f"a,i,h,{2**63}", f"field 'value' of 'a' is '{2**63}'; {INTEGER}"),
        ("a,r,h,1.2.3", f"field 'value' of 'a' is '1.2.3'; {REAL}"),
        ("a,r,h,1_0.0", f"field 'value' of 'a' is '1_0.0'; {REAL}"),
        ("a,r,h,\u0661", f"field 'value' of 'a' is '\u0661'; {REAL}"),
        ("a,r,h,-inf", f"field 'value' of 'a' is '-inf'; {REAL}"),
        ("a,r,h,1e999", f"field 'value' of 'a' is '1e999'; {REAL}"),
        ("obs_id", "'obs_id' is all there is; expected at least a name and a type"),
        (",s,h,x", "field 'name' is empty before 's,h,x'"),
        ('" ",s,h,x', "field 'name' is empty before 's,h,x'"),
        ('a,s,h,"x,,,', "field 'value': the quote that opens '\"x,,,' is never closed"),
        ('a,s,h,"x"",,,', "field 'value': the quote that opens '\"x\"\",,,' is never closed"),
        ('a,s,h,x,,,"', "field 'prompt': the quote that opens '\"' is never closed"),
        ('a,s,h,x,,,,"', "field 8: the quote that opens '\"' is never closed"),
        ('a,s,h,"x" y,,,', "field 'value': 'y,,,' follows the closing quote; expected a comma"),
    ],
)
def test_a_malformed_line_says_where_it_is_and_what_it_holds(line, problem):
    with pytest.raises(IntegrityError, match=rf"^obs\.par: line 3: {re.escape(problem)}$") as caught:
        parse_parameters(f"# head\nok,i,h,1\n{line}\nok,i,h,1\n", "obs.par")
    assert caught.value.path == "obs.par"


def test_a_long_value_does_not_flood_the_message():
    with pytest.raises(IntegrityError) as caught:
        parse_parameters(f"a,i,h,{'9' * 100_000}")
    assert len(str(caught.value)) < 300


def test_an_error_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "obs.par"
    path.write_text("a,i,h,x")
    with pytest.raises(IntegrityError, match=r"obs\.par: line 1: ") as caught:
        read_parameter_file(path)
    assert caught.value.path == str(path)


# Deliveries that are damaged, or hostile


def test_gzip_members_in_a_row_are_one_file(tmp_path):
    path = tmp_path / "obs.par.gz"
    path.write_bytes(gzip.compress(OBSPAR[:500].encode()) + gzip.compress(OBSPAR[500:].encode()))
    assert same(read_parameter_file(path), VALUES)


PACKED = gzip.compress(OBSPAR.encode())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PACKED[:2], id="magic alone"),
        pytest.param(PACKED[:9], id="cut in the header"),
        pytest.param(PACKED[:200], id="cut in the content"),
        pytest.param(PACKED[:-4], id="cut in the trailer"),
        pytest.param(PACKED[:-8] + bytes([PACKED[-8] ^ 1]) + PACKED[-7:], id="wrong CRC"),
        pytest.param(PACKED[:-1] + b"\x01", id="wrong length"),
        pytest.param(PACKED[:2] + b"\x07" + PACKED[3:], id="unknown method"),
        pytest.param(PACKED[:10] + b"\xff" * 50 + PACKED[60:], id="not deflated"),
        pytest.param(PACKED + b"more", id="followed by other bytes"),
    ],
)
def test_damaged_gzip_is_refused(tmp_path, data):
    path = tmp_path / "obs.par.gz"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"obs\.par\.gz: its gzip compression is damaged"):
        read_parameter_file(path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_limit_counts_the_bytes_of_the_content(tmp_path, pack):
    path = tmp_path / "obs.par"
    path.write_bytes(pack(b"#" * 1000))
    assert read_parameter_file(path, max_bytes=1000) == {}
    with pytest.raises(IntegrityError, match=r"obs\.par: holds more than 999 bytes"):
        read_parameter_file(path, max_bytes=999)


def test_a_gzip_bomb_stops_at_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "obs.par.gz"
    path.write_bytes(gzip.compress(bytes(4 * 1024**2)) * 1000)
    read, taken = gzip.GzipFile.read, []
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size: taken.append(size) or read(self, size))
    with pytest.raises(IntegrityError, match="holds more than 16777216 bytes"):
        read_parameter_file(path)
    assert taken == [16 * 1024**2 + 1]


@pytest.mark.parametrize("text", ['"' * 999_999, "," * 10**6, "a,r,h," + "1" * 10**6 + "x", "\n" * 10**6])
def test_the_work_grows_with_the_size_only(text):
    with suppress(IntegrityError):
        assert parse_parameters(text) == {}


# For all files

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,20}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=50)
CELLS = st.one_of(
    st.tuples(st.sampled_from("sbfdtSBFDT"), TEXTS),
    st.tuples(st.sampled_from("iI"), st.none() | st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.sampled_from("rR"), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
)


def write(cells, prompt):
    """Write a parameter file the way the csv module does it."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    for name, (kind, content) in cells.items():
        text = "" if content is None else repr(content) if kind in "rR" else str(content)
        writer.writerow([name, kind, "h", text, "", "", prompt])
    return stream.getvalue()


@given(st.dictionaries(NAMES, CELLS), TEXTS)
def test_what_is_written_is_read_back(cells, prompt):
    expected = {name.replace("-", "_"): content for name, (_, content) in cells.items()}
    text = write(cells, prompt)
    assert same(parse_parameters(text), expected)
    assert all(parameter.prompt == prompt for parameter in parse_parameter_lines(text))


LINES = st.lists(
    st.lists(st.sampled_from(["a", "s", "i", "r", "h", '"', '""', " ", ",", ",", "1", ".", "e9", "#", "-", "\r"]))
    .map("".join)
    .flatmap(lambda tail: st.sampled_from(["", "a,s,h,", "a,i,h,", "a,r,h,"]).map(lambda head: head + tail))
).map("\n".join)


@given(st.text() | LINES)
def test_any_text_is_read_or_refused(text):
    with suppress(IntegrityError):
        parse_parameters(text)


def test_every_value_fits_in_json_and_in_sqlite():
    values = parse_parameters(f"a,i,h,{2**63 - 1}\nb,r,h,1.7e308\nc,r,h,nan\nd,s,h,inf")
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    with closing(sqlite3.connect(":memory:")) as database:
        assert database.execute("select ?, ?, ?, ?", [*values.values()]).fetchone() == (*values.values(),)


@given(st.binary() | st.binary().map(lambda tail: PACKED[:100] + tail), st.booleans())
def test_any_file_is_read_or_refused(tmp_path_factory, data, packed):
    path = tmp_path_factory.getbasetemp() / "any.par"
    path.write_bytes(gzip.compress(data) if packed else data)
    with suppress(IntegrityError):
        read_parameter_file(path)
