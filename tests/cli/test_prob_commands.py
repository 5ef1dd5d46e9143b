"""``aca prob``: answers for one star and for tables, what is told beside them, and the comparison with outcomes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from astropy.table import Table

from aca_core.probability import acq_success_prob, guide_success_prob, prob_n_acq

STARS = """\
name,mag,t_ccd,date
bright,9.1,-11,2018:001
faint,10.3,-11,2018:001
unknown,10.6,,2018:001
"""


@pytest.fixture
def stars(tmp_path):
    path = tmp_path / "stars.csv"
    path.write_text(STARS)
    return path


@pytest.fixture
def outcomes(tmp_path):
    path = tmp_path / "outcomes.csv"
    lines = [f"{mag},{warm},{fail}" for mag in (9.0, 10.0, 10.5) for warm in (0.05, 0.12) for fail in (0, 0, 1)]
    path.write_text("\n".join(["MAG_ACA,warm_frac,fail", *lines]))
    return path


# ---- one star -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", ["--t-ccd -19", "--t-ccd=-19"])
def test_one_star_is_one_number_with_what_made_it(say, temperature):
    code, out, err = say(f"prob acq --date 2013:001 {temperature} --mag 10.3")
    assert (code, err) == (0, "")
    first, *rest = out.splitlines()
    assert first == "0.7142 is the probability that the star is acquired"
    assert rest[0].startswith(
        "for date 2013:001:00:00:00.000, t_ccd -19.0 degC, mag 10.3, hence a warm fraction of 0.08"
    )
    assert "acquisition model sota-2013, aca-core " in rest[1]
    assert "plot_acq_success.py" in rest[1]


def test_a_program_gets_every_digit_and_the_origin(ask):
    code, found = ask("prob guide --date 2018:001 --t-ccd -11 --mag 10")
    assert code == 0
    assert found["prob"] == guide_success_prob("2018:001", -11, 10)
    assert (found["model"], found["distribution"], found["kind"]) == ("sota-2013", "aca-core", "guide")
    assert found["provenance"]["dark_model"] == "2013"
    assert found["inputs"] == {"date": "2018:001:00:00:00.000", "t_ccd": -11.0, "mag": 10.0}
    assert found["warnings"] == []


def test_what_is_ignored_or_clipped_is_told_once_each(say, ask):
    line = "prob acq --date 2018:001 --t-ccd -11 --mag 11.4 --color 1.5 --halfwidth 80"
    code, out, err = say(line)
    assert code == 0
    first, second = err.splitlines()
    assert first.startswith("aca: warning: acquisition model 'sota-2013' does not use color, halfwidth")
    assert second.startswith("aca: warning: mag of 1 star: 1 above 11 (greatest 11.4)")
    assert "color" not in out
    _, found = ask(line)
    assert (found["ignored"], found["clipped"]) == (["color", "halfwidth"], {"mag": 1})
    assert [f"aca: warning: {text}" for text in found["warnings"]] == [first, second]


def test_a_warm_fraction_stands_in_for_date_and_temperature(ask):
    assert ask("prob acq --warm-frac 0.1 --mag 10.3")[1]["prob"] == pytest.approx(0.662488, abs=5e-7)
    data = ask("prob acq --warm-frac 0.1 --mag 10.3 --t-ccd -11")[1]
    assert "does not use t_ccd where the warm fraction is given" in data["warnings"][0]


def test_a_model_is_named_or_configured(ask, say, tmp_path):
    (tmp_path / "aca.toml").write_text('[probability]\nacquisition = "sota-2013-referenced"\n')
    line = "prob acq --date 2013:001 --t-ccd -19 --mag 10.3"
    configured = ask(line)[1]
    assert configured["model"] == "sota-2013-referenced"
    assert configured["prob"] == acq_success_prob("2013:001", -19, 10.3, model="sota-2013-referenced")
    assert ask(f"{line} --model sota-2013")[1]["prob"] < configured["prob"]
    (tmp_path / "other.toml").write_text('[probability]\nacquisition = "sota-2013"\n')
    assert ask(f"--config other.toml {line}")[1]["model"] == "sota-2013"


def test_a_star_without_a_date_is_one_of_now_and_says_when_that_was(say, ask, tmp_path):
    assert re.search(r"mag 10.0, date \d{4}:\S+ \(now\), hence", say("prob acq --t-ccd -11 --mag 10")[1])
    assert re.fullmatch(r"\d{4}:\d{3}:.*", ask("prob acq --t-ccd -11 --mag 10")[1]["inputs"]["date"])
    assert "date" not in say("prob acq --warm-frac 0.1 --mag 10")[1]
    (tmp_path / "magnitudes.csv").write_text("mag\n9\n")
    assert say("prob acq magnitudes.csv --t-ccd -11 --out now.ecsv")[0] == 0
    assert re.match(r"date=\d{4}:\d{3}:|t_ccd=-11.0, date=\d{4}:", Table.read(tmp_path / "now.ecsv").meta["GIVEN"])


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_is_shown_with_the_probability_of_each_star(say, stars):
    code, out, err = say("prob acq stars.csv")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["name", "mag", "t_ccd", "date", "p_acq"]
    probs = acq_success_prob("2018:001", -11, [9.1, 10.3])
    assert lines[1].split() == ["bright", "9.1", "-11", "2018:001", f"{probs[0]:.4f}"]
    assert lines[3].split() == ["unknown", "10.6", "2018:001"]
    cumulative = prob_n_acq(probs)[1]
    said = f"Of 2 stars {probs.sum():.2f} are expected to be acquired; the probability that 1 or fewer are is"
    assert f"{said} {cumulative[1]:.3g}." in say("prob acq stars.csv --fewer 1")[1]
    assert "1 star left out, of which" in out


@pytest.mark.parametrize("ending", ["csv", "ecsv", "fits"])
def test_a_table_is_written_in_any_format_with_what_made_it(say, stars, tmp_path, ending):
    code, out, _ = say(f"prob guide stars.csv --t-ccd -9 --out answer.{ending}")
    assert (code, out.splitlines()[-1]) == (0, f"Wrote answer.{ending}.")
    table = Table.read(tmp_path / f"answer.{ending}", **({"format": "ascii.csv"} if ending == "csv" else {}))
    assert np.allclose(table["p_guide"], guide_success_prob("2018:001", -9, [9.1, 10.3, 10.6]), rtol=1e-12)
    assert list(table["name"]) == ["bright", "faint", "unknown"]
    if ending != "csv":
        assert (table.meta["MODEL"], table.meta["KIND"], table.meta["GIVEN"]) == ("sota-2013", "guide", "t_ccd=-9.0")


def test_a_star_that_may_be_disturbed_or_not_has_no_probability(ask, tmp_path):
    (tmp_path / "stars.csv").write_text("mag,spoiler\n10.3,yes\n10.3,\n10.3,no\n")
    rows = ask("prob acq stars.csv --date 2018:001 --t-ccd -11 --model sota-2017")[1]["stars"]
    disturbed, unknown, alone = (row["p_acq"] for row in rows)
    assert unknown is None
    assert disturbed / alone == pytest.approx(0.9241)


def test_an_option_in_place_of_a_column_is_said(say, ask, stars):
    _, _, err = say("prob acq stars.csv --t-ccd -15")
    assert err == "aca: --t-ccd is used for all stars, not the column of stars.csv\n"
    rows = ask("prob acq stars.csv --t-ccd -15")[1]["stars"]
    assert [row["p_acq"] for row in rows] == acq_success_prob("2018:001", -15, [9.1, 10.3, 10.6]).tolist()


def test_a_temperature_takes_the_place_of_warm_fractions(say, ask, outcomes):
    line = "prob acq outcomes.csv --date 2013:001 --t-ccd -19"
    assert "the warm fraction follows from date and temperature" in say(line)[2]
    rows = ask(line)[1]["stars"]
    assert rows[0]["p_acq"] == acq_success_prob("2013:001", -19, 9.0)
    assert ask("prob acq outcomes.csv")[1]["stars"][0]["p_acq"] == pytest.approx(0.989473, abs=5e-7)


def test_a_table_for_a_program(ask, stars):
    code, found = ask("prob acq stars.csv --column date=date")
    assert code == 0
    assert found["summary"]["n"] == 3
    assert found["summary"]["unknown"] == 1
    assert found["stars"][2] == {"name": "unknown", "mag": 10.6, "t_ccd": None, "date": "2018:001", "p_acq": None}
    assert found["model"] == "sota-2013"


def test_columns_of_times_and_quantities_are_no_fault(say, ask, tmp_path):
    from astropy import units as u
    from astropy.table import QTable
    from astropy.time import Time

    table = QTable({"date": Time(["2018:001", "2018:002"]), "t_ccd": [262.15, 263.15] * u.K, "mag": [9.1, 10.3]})
    table.write(tmp_path / "stars.ecsv")
    code, out, err = say("prob acq stars.ecsv --out answer.ecsv")
    assert (code, err) == (0, ""), out
    expected = acq_success_prob(["2018:001", "2018:002"], [-11, -10], [9.1, 10.3])
    assert [row["p_acq"] for row in ask("prob acq stars.ecsv")[1]["stars"]] == pytest.approx(expected, rel=1e-9)
    assert "2018:002:00:00:00.000" in say("prob acq stars.ecsv")[1]
    assert QTable.read(tmp_path / "answer.ecsv")["t_ccd"].unit == u.K


def test_a_table_without_rows_is_no_fault(say, tmp_path):
    (tmp_path / "none.csv").write_text("mag,t_ccd\n")
    code, out, err = say("prob acq none.csv --date 2018:001")
    assert (code, err) == (0, "")
    assert "Of 0 stars 0.00 are expected" in out


# ---- what cannot be answered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("prob acq --mag 10.3", 2, "acquisition model 'sota-2013' needs --t-ccd; or --warm-frac"),
        ("prob acq --t-ccd -11", 2, "needs --mag"),
        ("prob guide stars.csv --column mag=name --t-ccd -11", 1, "column 'name' of stars.csv"),
        ("prob acq stars.csv --column mag", 2, "names no column; expected one as in mag=MAG_ACA"),
        ("prob acq stars.csv --column size=mag", 1, "no property of a star is named 'size'"),
        ("prob acq stars.csv --column mag=MAGS", 1, "no column is named 'MAGS'"),
        ("prob acq --mag 10 --t-ccd -11 --column mag=MAG", 2, "--column is for a TABLE"),
        ("prob acq --mag 10 --t-ccd -11 --out a.csv", 2, "--out is for a TABLE"),
        ("prob acq stars.csv --out a.txt", 2, "'a.txt': expected a name that ends in .csv"),
        ("prob acq stars.csv --out nowhere/a.csv", 2, "there is no folder nowhere"),
        ("prob acq nowhere.csv", 1, "there is no file nowhere.csv"),
        ("prob acq --mag ten", 2, "'ten' cannot be used here; expected a magnitude"),
        ("prob acq --mag 10 --t-ccd -300", 2, "expected a temperature in degC"),
        ("prob acq --mag 10 --t-ccd -11 --date soon", 1, "'soon' is not a usable date"),
        ("prob acq --mag 10 --t-ccd -11 --model sota-2031", 1, "no acquisition model is named 'sota-2031'"),
        ("prob guide --mag 10 --t-ccd -11 --model spline-2018", 1, "spline-2018"),
        ("prob plot --model sota-2013 --model sota-2013", 1, "each name once"),
        ("prob plot --out a.jpg", 2, "'a.jpg': expected a name that ends in .png"),
        ("prob evaluate stars.csv", 1, "stars.csv does not say what happened"),
        ("prob evaluate outcomes.csv --model sota-2013 --model sota-2013", 1, "each name once"),
        ("prob evaluate outcomes.csv --start 2010", 1, "no column for"),
        ("prob evaluate outcomes.csv --mag-min 11 --mag-max 8", 1, "the brighter one first"),
        ("prob evaluate outcomes.csv --model spline-2018", 1, "has only warm fractions (warm_frac)"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(say, stars, outcomes, line, code, words):
    found, out, err = say(line)
    assert (found, out) == (code, "")
    assert words in " ".join(err.split())
    assert "Traceback" not in err
    assert "fault" not in err


def test_a_column_is_not_written_over(say, stars):
    say("prob acq stars.csv --out twice.csv")
    code, _, err = say("prob acq twice.csv")
    assert code == 2
    assert "twice.csv has a column p_acq already" in err


# ---- models ---------------------------------------------------------------------------------------------------------


def test_models_are_listed_with_what_they_use_and_where_they_hold(say, ask):
    code, out, _ = say("prob models")
    assert code == 0
    acquisition, guide, lines = out.split("\n\n")
    assert acquisition.splitlines()[1].split()[:6] == ["sota-2013", "default", "mag", "8.41", "to", "11,"]
    assert guide.splitlines()[0].split()[:2] == ["guide", "model"]
    assert guide.splitlines()[1].split()[:2] == ["sota-2013", "default"]
    assert "sota-2013-referenced, guide, from aca-core" in lines
    code, found = ask("prob models")
    names = {(each["name"], each["kind"]) for each in found["models"]}
    assert {("sota-2013-referenced", "guide"), ("sota-2017", "acquisition"), ("spline-2018", "acquisition")} <= names
    assert sum(each["default"] for each in found["models"]) == 2
    assert all(each["provenance"]["source"] or each["problem"] for each in found["models"])


def test_pictures_are_drawn(say, tmp_path):
    assert say("prob plot --date 2018:001 --t-ccd -14 --mag 10.3")[1] == "Wrote acquisition-success.png.\n"
    line = "prob plot --kind guide --model sota-2013 --model sota-2013-referenced --out two.svg"
    assert say(line) == (0, "Wrote two.svg.\n", "")
    assert (tmp_path / "acquisition-success.png").stat().st_size > 10_000
    assert "sota-2013-referenced" not in (tmp_path / "two.svg").read_text()[:200]


# ---- against outcomes -----------------------------------------------------------------------------------------------


def test_models_are_compared_with_outcomes(say, ask, outcomes, tmp_path):
    line = "prob evaluate outcomes.csv --model sota-2013 --model sota-2013-referenced"
    code, out, err = say(f"{line} --plot rates.png")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "acquisition of 18 stars of outcomes.csv: 6 failed (33.33 %)."
    assert "one rate for all" in out
    assert "Failures by magnitude, in percent" in out
    assert "Failures by warm fraction, in percent" in out
    assert out.splitlines()[-1] == "Wrote rates.png."
    assert (tmp_path / "rates.png").stat().st_size > 10_000
    code, found = ask(f"{line} --mag-max 10.2")
    assert code == 0
    assert (found["n"], found["left_out"]) == (12, {"outside the range of magnitudes": 6})
    documented, referenced = found["summary"]
    assert documented["predicted"] > referenced["predicted"]
    assert found["by_mag"][0]["n"] == 6


def test_flight_is_compared_as_in_the_facts(say, real_data):
    line = f"prob evaluate {real_data / 'acq_outcomes.npz'} --start 2007 --stop 2014 --mag-min 8.5 --mag-max 11"
    code, out, _ = say(f"{line} --model sota-2013 --model sota-2013-referenced")
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.startswith("sota")}
    assert rows["sota-2013-referenced"][:3] == ["2901.9", "1.042", "-0.1403"]
    assert "69,830 stars" in out
    assert next(line.split()[1:4] for line in out.splitlines() if line.startswith("sota-2013 ")) == [
        "4887.3",
        "1.755",
        "-0.1508",
    ]


def test_help_is_there_for_every_command(say):
    for name in ("", "acq", "guide", "models", "plot", "evaluate"):
        code, out, _ = say(f"prob {name} --help")
        assert code == 0
        assert "Usage: aca prob" in out


def test_json_is_json_where_nothing_is_a_number(say, tmp_path):
    (tmp_path / "few.csv").write_text("mag,warm_frac,fail\n9.0,0.05,0\n")
    code, out, _ = say("prob evaluate few.csv --json")
    assert code == 0
    assert json.loads(out)["summary"][0]["ratio"] is None


def test_models_are_those_of_the_site(ask, tmp_path, real_data):
    """Options of the configuration count: what is listed is what answers."""
    (tmp_path / "aca.toml").write_text(f'[models.grid]\nfolder = "{real_data}"\n')
    found = {each["name"]: each for each in ask("prob models")[1]["models"]}
    assert not found["grid"]["problem"]
    assert "grid-local-quadratic-2025-10" in found["grid"]["provenance"]["data_file"]
    assert found["grid"]["ranges"]["mag"]["high"] == 10.75
    assert "models.grid-floor.folder" in found["grid-floor"]["problem"]
    answer = ask("prob acq --model grid --t-ccd -11 --mag 9")[1]
    assert answer["prob"] == pytest.approx(0.9869968, abs=5e-8)
    assert answer["ignored"] == []
