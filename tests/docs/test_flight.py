"""The page that compares models with flight says what the flight data says today, and has its pictures."""

from __future__ import annotations

import re
import sys

import pytest
from blocks import TOP

DOCS = TOP / "docs"


@pytest.fixture(scope="module")
def flight():
    """The module that writes the tables and pictures."""
    sys.path.insert(0, str(DOCS))
    try:
        import _flight

        yield _flight
    finally:
        sys.path.remove(str(DOCS))


def test_the_tables_of_the_page_are_those_of_the_data(flight, real_data):
    text = flight.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- flight (?!end)([\w ]+) -->", text)) == set(flight.TABLES)
    assert flight.with_tables(text, real_data) == text, "run 'python docs/_flight.py' and look at what it changes"


def test_the_words_of_the_page_agree_with_its_tables(flight, real_data):
    """Numbers that the text draws its conclusions from."""
    report = flight.outcomes(real_data, flight.MODELS, 2007.0, 2014.0)
    text = flight.PAGE.read_text(encoding="utf-8")
    assert f"{report.summary['ratio'][0]:.2f} times the failures" in text
    assert f"two stars of\n{report.n:,}" in text
    assert list(report.summary["clipped"])[:2] == [2, 0]
    least = report.by_warm_frac[1]
    assert least["sota-2013"] / least["rate"] == pytest.approx(2.0, abs=0.1)  # "twice those observed"
    with_2013 = flight.dark(real_data).summary
    worst = with_2013[(with_2013["model"] == "2017") & (with_2013["period"] == "fitted")]
    assert f"off by up to {100 * (worst['greatest'][0] - 1):.0f} %" in text


def test_pictures_are_drawn_and_small(flight, real_data, tmp_path):
    for path in flight.draw(real_data, tmp_path):
        kept = DOCS / "images" / path.name
        assert kept.is_file(), f"run 'python docs/_flight.py', which draws {kept.name}"
        assert 10_000 < kept.stat().st_size < 150_000
        assert 0.5 < path.stat().st_size / kept.stat().st_size < 2  # fonts differ


def test_without_the_data_it_says_so(flight, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["_flight.py", str(tmp_path / "nowhere")])
    assert flight.main() == 1
    assert "there is no flight data in" in capsys.readouterr().err
