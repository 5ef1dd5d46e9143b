"""Columns: where their values come from, what type they become, and what is refused."""

import math
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aca_core import (
    Column,
    DeclarationError,
    ElementShape,
    FromArchive,
    FromName,
    IntegrityError,
    Keyword,
    RowCount,
    columns_from_text,
)
from aca_core.columns import FileFacts

PATH = Path("2019", "272", "acaf686111014N001_5_img0.fits.gz")
FACTS = FileFacts(
    PATH.name,
    {"tlmver": "P014", "revision": 1, "none": None},
    rows=19,
    shapes={"imgraw": (6, 7), "time": ()},
)
NOTHING = FileFacts("x", {})


def value_of(value, column_type, **fields):
    """Return what a column of a type makes of one value."""
    return Column("slot", column_type, **fields).value_in(FileFacts(PATH.name, {"slot": value}), PATH)


# ---- sources --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value", "description"),
    [
        (Keyword("tlmver"), "P014", "value of TLMVER"),
        (Keyword("TLMVER"), "P014", "value of TLMVER"),
        (Keyword("none"), None, "value of NONE"),
        (FromName(r"_(\d)_img0"), "5", r"part of its name like '_(\\d)_img0'"),
        (RowCount(), 19, "table whose rows could be counted"),
        (ElementShape("IMGRAW"), 6, "table column IMGRAW with an axis 0"),
        (ElementShape("imgraw", axis=1), 7, "table column imgraw with an axis 1"),
        (ElementShape("IMGRAW", axis=2), None, "table column IMGRAW with an axis 2"),
        (ElementShape("TIME"), None, "table column TIME with an axis 0"),
        (FromArchive(), None, "value from the archive"),
    ],
    ids=str,
)
def test_a_source_finds_its_value_or_says_what_is_missing(source, value, description):
    assert source.find(FACTS) == value
    assert source.find(NOTHING) is None
    column = Column("imgsize", source=source, required=True)
    with pytest.raises(IntegrityError) as caught:
        column.value_in(NOTHING, PATH)
    assert str(caught.value) == f"{PATH}: has no {description}, which the index column 'imgsize' requires"


def test_a_column_reads_the_keyword_of_its_own_name_unless_told_otherwise():
    assert Column("tlmver").source == Keyword("tlmver")
    assert Column("obsid", source="obs_id").source == Keyword("obs_id")
    assert Column("obsid", source=RowCount()).source == RowCount()
    assert Column("filename").value_in(FACTS, PATH) == PATH.name
    assert Column("obsid", "int", source="OBS_ID").value_in(FileFacts("x", {"obs_id": "07000"}), PATH) == 7000


@pytest.mark.parametrize("pattern", ["img0", r"(\d)_(img)0", r"(", "[", None, 7], ids=repr)
def test_the_pattern_of_a_name_has_one_group(pattern):
    with pytest.raises(DeclarationError) as caught:
        FromName(pattern)
    error = caught.value
    assert (error.what, error.field, error.value) == ("FromName", "pattern", pattern)
    assert error.expected.startswith("a regular expression")


# ---- types ----------------------------------------------------------------------------------------------------------

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(INT64)
def test_a_whole_number_is_one_however_it_is_written(number):
    assert value_of(number, "int") == value_of(f" {number} ", "int") == number
    assert value_of(number, "text") == str(number)
    if abs(number) < 2**53:
        for column_type in ("int", "float"):
            found = value_of(float(number), column_type)
            assert found == number
            assert type(found) is {"int": int, "float": float}[column_type]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_real_number_is_kept_as_it_is(number):
    assert value_of(number, "float") == value_of(repr(number), "float") == number
    if not number.is_integer():
        with pytest.raises(IntegrityError) as caught:
            value_of(number, "int")
        assert str(caught.value) == f"{PATH}: the value of SLOT is {number!r}; the index column 'slot' expects int"


@given(st.text())
@example("")
@example("  ")
def test_text_is_kept_and_where_it_should_be_a_number_it_must_be_one(text):
    assert value_of(text, "text") == text
    for column_type in ("int", "float"):
        if not text.strip():
            assert value_of(text, column_type) is None
        elif not re.search(r"\d|nan|inf", text, re.IGNORECASE):
            with pytest.raises(IntegrityError) as caught:
                value_of(text, column_type)
            expected = f"the value of SLOT is {text!r}; the index column 'slot' expects {column_type}"
            assert caught.value.problem == expected
            assert caught.value.path == str(PATH)


@pytest.mark.parametrize(
    ("column_type", "value"),
    [
        ("int", 2**63),
        ("int", "9" * 20),
        ("int", 1e19),
        ("float", math.inf),
        ("float", "-inf"),
        ("float", "NaN"),
        ("float", "1e999"),
        ("float", 10**400),
        ("int", math.inf),
        ("int", "1_000"),
        ("float", "1_0.5"),
    ],
    ids=str,
)
def test_what_the_index_cannot_hold_and_what_only_python_reads_is_refused(column_type, value):
    # SQLite has integers of 64 bits, and makes NULL of NaN: also in a column that must not be NULL.
    with pytest.raises(IntegrityError, match=r"the index column 'slot' (expects|requires)"):
        value_of(value, column_type, required=True)


# ---- what is absent -------------------------------------------------------------------------------------------------

DEFAULTS = {"int": 7, "float": 7.0, "text": "7"}


@pytest.mark.parametrize("column_type", ["int", "float", "text"])
def test_what_a_file_does_not_have_is_null_or_the_default(column_type):
    column = Column("content", column_type)
    assert column.value_in(NOTHING, PATH) is None
    with_default = Column("content", column_type, default=DEFAULTS[column_type], required=True)
    assert with_default.value_in(NOTHING, PATH) == DEFAULTS[column_type]
    assert with_default.value_in(FileFacts("x", {"content": "8"}), PATH) in (8, "8")


@pytest.mark.parametrize("column_type", ["int", "float"])
def test_not_a_number_is_as_good_as_none(column_type):
    assert value_of(math.nan, column_type) is None
    assert value_of(math.nan, column_type, default=DEFAULTS[column_type]) == 7


@pytest.mark.parametrize("column_type", ["int", "float", "text"])
@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_says_nothing_where_something_is_required(column_type, blank):
    with pytest.raises(IntegrityError, match=r"has no value of SLOT, which the index column 'slot' requires$"):
        value_of(blank, column_type, required=True)
    default = DEFAULTS[column_type]
    assert value_of(blank, column_type, default=default, required=True) == default
    expected = blank if column_type == "text" else None
    assert value_of(blank, column_type) == expected


# ---- declarations ---------------------------------------------------------------------------------------------------


@given(st.text() | st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True) | st.text(alphabet="az_0 -A\n\u00e9"))
def test_the_name_of_a_column_is_an_identifier(name):
    if re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        assert Column(name).name == name
    else:
        with pytest.raises(DeclarationError) as caught:
            Column(name)
        assert (caught.value.what, caught.value.field, caught.value.value) == ("Column", "name", name)
        assert caught.value.expected == "a lower-case identifier such as 'tstart'"


@pytest.mark.parametrize("column_type", ["integer", "TEXT", "", None, int], ids=repr)
def test_the_type_of_a_column_is_one_of_three(column_type):
    with pytest.raises(DeclarationError) as caught:
        Column("slot", column_type)
    assert str(caught.value) == f"Column 'slot': type is {column_type!r}; expected 'int', 'float' or 'text'"


@pytest.mark.parametrize(
    ("field", "value"),
    [("source", 7), ("source", None), ("default", "abc"), ("default", 1.5), ("required", "no")],
)
def test_a_column_that_cannot_be_right_is_refused_when_it_is_declared(field, value):
    with pytest.raises(DeclarationError, match=rf"^Column 'slot': {field} is {value!r}; expected "):
        Column("slot", "int", **{field: value})


def test_the_axes_of_an_element_are_counted_from_the_first():
    with pytest.raises(DeclarationError, match=r"^ElementShape: axis is -1; expected "):
        ElementShape("IMGRAW", axis=-1)


def test_columns_can_be_written_as_a_table():
    columns = columns_from_text("""
        int   slot

        float tstart  tstop
        text  tlmver
        int   revision
    """)
    assert columns == (
        Column("slot", "int"),
        Column("tstart", "float"),
        Column("tstop", "float"),
        Column("tlmver", "text"),
        Column("revision", "int"),
    )
    assert columns_from_text("") == columns_from_text("\n  \n") == ()


def test_a_table_of_columns_is_checked_like_columns():
    with pytest.raises(
        DeclarationError, match=r"^Column 'slot': type is 'integer'; expected 'int', 'float' or 'text'$"
    ):
        columns_from_text("integer slot")
    with pytest.raises(DeclarationError, match=r"^Column: name is 'DATE-OBS'; expected a lower-case identifier"):
        columns_from_text("text DATE-OBS")
