"""Dark models against calibrations in flight."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from aca_core.dark_current import evaluate_dark_models, plot_dark_report, warm_fraction
from aca_core.errors import AcaWarning, DateError, DeclarationError, MissingDataError, UnknownNameError


def calibrations(**changed):
    table = {"day": ["2014:104", "2009:050"], "temp": [-15.815, -18.963], "count": [143852, 65217]}
    return {**table, **changed}


@pytest.fixture
def flight(real_data):
    with pytest.warns(AcaWarning, match="21 of 56 dates are before 2007.0") as told:
        report = evaluate_dark_models(real_data / "dark_cals_with_temp.csv")
    assert told[0].filename == __file__
    return report


def test_both_models_follow_the_warm_pixels_of_flight(flight):
    assert len(flight.table) == 56
    found = {(row["model"], row["period"]): row for row in flight.summary}
    assert [found["2013", "fitted"]["n"], found["2013", "after"]["n"], found["2017", "fitted"]["n"]] == [49, 6, 35]
    assert found["2013", "fitted"]["median"] == pytest.approx(0.994, abs=0.002)
    assert found["2013", "fitted"]["scatter"] == pytest.approx(0.030, abs=0.002)
    assert found["2013", "after"]["median"] == pytest.approx(1.004, abs=0.002)
    assert found["2017", "fitted"]["median"] == pytest.approx(0.996, abs=0.002)
    assert found["2017", "fitted"]["scatter"] == pytest.approx(0.079, abs=0.002)
    assert found["2013", "before"]["n"] == 1  # of 1999, before the damage that the model describes


def test_single_calibrations_are_those_of_the_facts(flight):
    """Counted and predicted; the facts give temperatures with fewer digits."""
    year = np.asarray(flight.table["frac_year"])
    for day, counted, predicted in [
        (2009.1342, 65217, 66938),
        (2014.2822, 143852, 146530),
        (2015.2452, 193595, 197037),
    ]:
        row = flight.table[np.argmin(np.abs(year - day))]
        assert row["count"] == counted
        assert row["predicted_2013"] == pytest.approx(predicted, rel=4e-4)


def test_rows_are_by_date_and_ratios_are_of_pixels():
    report = evaluate_dark_models(calibrations(), "2013", threshold=100)
    assert report.table["count"].tolist() == [65217, 143852]
    expected = 1024**2 * warm_fraction("2009:050", -18.963, 100.0, model="2013")
    assert report.table["predicted_2013"][0] == pytest.approx(expected)
    assert report.table["ratio_2013"][0] == pytest.approx(expected / 65217)
    json.dumps(report.as_dict(), allow_nan=False)


def test_years_and_other_names_are_understood():
    by_year = {"YEAR": [2009.134246575], "t_ccd": [-18.963], "n": [65217]}
    report = evaluate_dark_models(by_year, "2013", columns={"count": "n"})
    wanted = evaluate_dark_models(calibrations(), "2013").table["ratio_2013"][0]
    assert report.table["ratio_2013"][0] == pytest.approx(wanted, rel=1e-6)


def test_what_is_not_known_is_left_out_and_counted():
    table = Table(calibrations(count=[143852, 0]))
    assert evaluate_dark_models(table, "2013").left_out == 1
    table = Table(calibrations())
    table["temp"] = MaskedColumn([-15.815, 0], mask=[False, True])
    report = evaluate_dark_models(table, "2013")
    assert (report.left_out, len(report.table)) == (1, 1)


@pytest.mark.parametrize(
    ("table", "options", "error", "words"),
    [
        (calibrations(), {"models": "2030"}, UnknownNameError, "'2030'"),
        (calibrations(), {"models": []}, DeclarationError, "each once"),
        (calibrations(), {"models": ["2013", "2013"]}, DeclarationError, "each once"),
        (calibrations(), {"models": None}, DeclarationError, "models is None; expected names of dark models"),
        (calibrations(), {"models": [["2013"]]}, DeclarationError, "names of dark models"),
        (calibrations(), {"columns": 5}, DeclarationError, "columns is 5; expected names of columns"),
        (calibrations(), {"threshold": 0.5}, DeclarationError, "threshold is 0.5; expected one dark current above 1"),
        (calibrations(), {"threshold": [100, 200]}, DeclarationError, "one dark current"),
        (calibrations(), {"columns": {"size": "count"}}, UnknownNameError, "property of a calibration"),
        (calibrations(day=["2009:050", "2009:500"]), {}, DateError, "column 'day' of the table"),
        (calibrations(count=[0, 0]), {}, MissingDataError, "no calibration with a date"),
        ({"day": ["2009:050"], "count": [1]}, {}, UnknownNameError, "t_ccd or temperature or temp"),
        (calibrations(temp=["cold", "warm"]), {}, DeclarationError, "column 'temp'"),
        ("nowhere.csv", {}, MissingDataError, "no file nowhere.csv"),
        (7, {}, DeclarationError, "a table, or the path of one"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(table, options, error, words):
    with pytest.raises(error, match=words):
        evaluate_dark_models(table, **options)


def test_a_ratio_beyond_the_panel_is_told_at_its_edge():
    report = evaluate_dark_models(calibrations(count=[1000, 10_000_000]), "2013")
    ratios = report.table["ratio_2013"]
    _, below = plot_dark_report(report).axes
    low, high = below.get_ylim()
    assert [text.get_text() for text in below.texts] == [f"{max(ratios):.3g}", f"{min(ratios):.3g}"]
    edges = {line.get_marker(): list(line.get_ydata()) for line in below.lines if len(line.get_ydata()) == 1}
    assert edges == {"^": [high], "v": [low]}
    assert not plot_dark_report(evaluate_dark_models(calibrations())).axes[1].texts


def test_the_picture_has_counts_and_ratios():
    figure = plot_dark_report(evaluate_dark_models(calibrations()))
    above, below = figure.axes
    assert [text.get_text() for text in above.get_legend().get_texts()][:3] == ["counted", "model 2013", "model 2017"]
    assert "100" in above.get_ylabel()
    assert below.get_ylabel() == "model / counted"
