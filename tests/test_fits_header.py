"""A header says what astropy reads in it, however it is written."""

import pytest
from astropy.io import fits
from astropy.io.fits.card import Undefined
from hypothesis import given
from hypothesis import strategies as st

from aca_core.fits_header import FitsHeader

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
VALUES = TEXT | st.booleans() | st.integers(-(10**19), 10**19) | st.floats(allow_nan=False, allow_infinity=False)


def same(mine, theirs):
    if isinstance(theirs, Undefined):
        return isinstance(mine, Undefined)
    return type(mine) is type(theirs) and mine == theirs


@given(st.lists(VALUES, max_size=8), TEXT)
def test_values_are_those_that_astropy_reads(values, remark):
    header = fits.Header()
    for number, value in enumerate(values):
        header[f"KEY{number}"] = (value, "a comment / with a slash")
    header["COMMENT"] = remark
    content = header.tostring().encode()
    mine, theirs = FitsHeader(content), fits.Header.fromstring(content)
    for name in [*theirs, "ABSENT"]:
        assert same(mine.get(name.lower()), theirs.get(name)) or name == "COMMENT"
    assert all(same(*pair) for pair in zip(dict(mine.items()).values(), dict(theirs.items()).values(), strict=True))


@pytest.mark.parametrize(
    "card",
    [
        "A       = 'x: 1.5'",
        "A       =",
        "A       = (1.0, 2.0)",
        "A       = 1.5D3",
        "A       = 'it''s' / x",
        "A       = 4000000000000000000 / long",
        "A       =  .5",
        "A       = '   '",
        "HIERARCH a b = 3",
    ],
)
def test_unusual_cards_are_left_to_astropy(card):
    content = b"".join(line.encode().ljust(80) for line in (card, "B       =                    2", "END"))
    mine, theirs = FitsHeader(content), fits.Header.fromstring(content)
    assert mine["B"] == 2
    for name in ("A", "a b", "A.X"):
        assert same(mine.get(name), theirs.get(name))


def test_a_header_ends_with_a_bare_end_only():
    lines = (b"A       = 1", b"END     = 5", b"B       = 2", b"END", b"C       = 3")
    content = b"".join(line.ljust(80) for line in lines)
    mine, theirs = FitsHeader(content), fits.Header.fromstring(content)
    assert list(mine.items()) == [(card.keyword, card.value) for card in theirs.cards]
    assert [mine.get(name) for name in "ABC"] == [1, 2, None]


def test_the_first_of_repeated_keywords_counts():
    header = FitsHeader(b"".join(line.ljust(80) for line in (b"A       = 1", b"A       = 2", b"END")))
    assert header["A"] == 1
    assert [value for _, value in header.items()] == [1, 2]
    with pytest.raises(KeyError):
        header["C"]
