"""Models against what happened: the same digits as the facts, honest counts, and clear refusals."""

from __future__ import annotations

import json

import attrs
import numpy as np
import pytest
from astropy.table import Column, MaskedColumn, Table
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aca_core import InputRange, ProbabilityModel, Registry
from aca_core.dates import to_date
from aca_core.errors import AcaWarning, DateError, DeclarationError, IntegrityError, MissingDataError, UnknownNameError
from aca_core.probability import evaluate_outcomes, plot_outcomes, plot_success, success_prob
from aca_core.probability.scores import LIKELIHOOD_FLOOR, bin_edges, rates_in_bins, reliability, scores
from aca_core.probability.star_tables import read_stars
from aca_core.tables import times_in, write_table_file

PAIR = ("sota-2013", "sota-2013-referenced")


@attrs.frozen(kw_only=True)
class Linear(ProbabilityModel):
    """Fails with the probability mag / 20: easy to do by hand."""

    kind: str = "acquisition"

    def success(self, stars):
        return 1 - stars.mag / 20


@attrs.frozen(kw_only=True)
class Cold(ProbabilityModel):
    """Asks for a temperature."""

    kind: str = "acquisition"
    inputs: tuple = ("mag", "t_ccd")

    def success(self, stars):
        return np.where(stars.t_ccd < -10, 0.9, 0.5) + 0 * stars.mag


LINEAR = Linear(name="linear")
NO_WARNING = InputRange(0, 20, warn_above=np.inf)


def stars(**changed):
    columns = {"mag": [8.0, 9.0, 10.0, 10.0], "fail": [0, 1, 0, 1], "warm_frac": [0.05, 0.05, 0.1, 0.1]}
    return {**columns, **changed}


# ---- flight ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flight_report():
    reports = {}

    def make(path, **options):
        key = str(sorted(options.items()))
        if key not in reports:
            reports[key] = evaluate_outcomes(path / "acq_outcomes.npz", PAIR, mag_range=(8.5, 11.0), **options)
        return reports[key]

    return make


def test_flight_of_2007_to_2014_gives_the_table_of_the_facts(real_data, flight_report):
    report = flight_report(real_data, start=2007, stop=2014, mag_bins=[8.5, 9, 9.5, 9.75, 10, 10.25, 10.5, 10.75, 11])
    assert (report.n, int(report.summary["observed"][0])) == (69830, 2784)
    assert report.n_given == 166373 == report.n + sum(report.left_out.values())
    documented, referenced = report.summary
    assert round(documented["ratio"], 3) == 1.755
    assert round(documented["log_likelihood"], 4) == -0.1508
    assert round(referenced["log_likelihood"], 4) == -0.1403
    bins = {row["mag_low"]: row for row in report.by_mag}
    expected = {  # magnitude: stars, observed, documented
        8.5: (16818, 0.0068, 0.0086),
        9.0: (23736, 0.0171, 0.0225),
        9.75: (8878, 0.0536, 0.1075),
        10.0: (7072, 0.0830, 0.1826),
        10.5: (1030, 0.2806, 0.4415),
    }
    for low, (n, rate, predicted) in expected.items():
        assert bins[low]["n"] == n
        assert round(bins[low]["rate"], 4) == rate
        assert round(bins[low]["sota-2013"], 4) == predicted


def test_the_reference_point_without_its_floor_gives_the_last_digit_of_the_facts(real_data, flight_report):
    """The facts were computed with w - 0.0421 as it is; the model as specified does not let that be negative."""
    floored = flight_report(real_data, start=2007, stop=2014).summary[1]
    assert floored["ratio"] == pytest.approx(1.0423, abs=5e-5)

    model = Registry().model("sota-2013", "acquisition")
    with np.load(real_data / "acq_outcomes.npz") as arrays:
        year, mag, warm, fail = (arrays[name].astype(float) for name in ("year", "mag", "warm_pix", "fail"))
    chosen = (year >= 2007) & (year < 2014) & (mag >= 8.5) & (mag < 11)
    mag, warm, fail = mag[chosen], warm[chosen], fail[chosen]
    without = success_prob("acquisition", model=model, mag=mag, warm_frac=0.0).prob  # the offset alone
    slope = (without - success_prob("acquisition", model=model, mag=mag, warm_frac=0.01).prob) / 0.01
    failures = 1 - without + slope * (warm - 0.0421)
    assert round(failures.sum() / fail.sum(), 3) == 1.041
    for low, high, rate in [(8.5, 9, 0.0077), (9, 9.5, 0.0154), (9.75, 10, 0.0597), (10, 10.25, 0.0993)]:
        inside = (mag >= low) & (mag < high)
        assert round(failures[inside].mean(), 4) == rate


def test_after_the_fit_the_referenced_model_stays_the_better_one(real_data, flight_report):
    report = flight_report(real_data, start="2014.0", stop="2014.5")
    assert (report.n, round(report.summary["observed"][0] / report.n, 4)) == (4094, 0.0809)
    assert [round(each / report.n, 4) for each in report.summary["predicted"]] == [0.1028, 0.0776]
    assert report.summary["brier"][1] < report.summary["brier"][0] < report.meta["constant_brier"]


def test_the_last_star_of_flight_is_in_a_bin(real_data, flight_report):
    report = flight_report(real_data, start=2007, stop=2014)
    for table in (report.by_mag, report.by_warm_frac):
        assert table["n"].sum() == report.n
        assert table["failures"].sum() == report.summary["observed"][0]
    assert all(report.by_mag["rate_low"] < report.by_mag["rate"])
    assert all(report.by_mag["rate"] < report.by_mag["rate_high"])
    assert report.meta["warm_frac_from"] == "column warm_pix"


# ---- the scores -----------------------------------------------------------------------------------------------------


def test_scores_are_those_of_a_calculation_by_hand():
    report = evaluate_outcomes(stars(), LINEAR)
    (row,) = report.summary
    assert (row["n"], row["observed"], row["clipped"]) == (4, 2, 0)
    assert row["predicted"] == pytest.approx(0.4 + 0.45 + 0.5 + 0.5)
    assert row["ratio"] == pytest.approx(1.85 / 2)
    assert row["log_likelihood"] == pytest.approx((np.log(0.6) + np.log(0.45) + 2 * np.log(0.5)) / 4)
    assert row["brier"] == pytest.approx((0.4**2 + 0.55**2 + 0.5**2 + 0.5**2) / 4)
    assert report.meta["constant_log_likelihood"] == pytest.approx(np.log(0.5))
    assert report.meta["constant_brier"] == pytest.approx(0.25)


def test_one_impossible_star_does_not_make_the_likelihood_nothing():
    found = scores(np.array([0.0, 1.0, 0.5]), np.array([True, True, True]))
    assert found["clipped"] == 2
    assert found["log_likelihood"] == pytest.approx(
        (np.log(LIKELIHOOD_FLOOR) + np.log1p(-LIKELIHOOD_FLOOR) - np.log(2)) / 3
    )


def test_without_a_failure_there_is_no_ratio_and_json_has_none():
    report = evaluate_outcomes(stars(fail=[0, 0, 0, 0]), LINEAR)
    assert np.isnan(report.summary["ratio"][0])
    data = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert data["summary"][0]["ratio"] is None
    assert data["models"] == ["linear"]
    assert data["by_mag"][0]["mag_low"] == 8.0


@example([(0.9999999999999999, False)], 1)
@example([(0.2, False), (1.0 + 2e-16, True), (0.0, True), (5e-324, True)], 3)
@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 15))
def test_no_star_is_lost_between_the_bins(pairs, n_bins):
    prob, success = (np.array(values) for values in zip(*pairs, strict=True))
    diagram = reliability(prob, success, n_bins)
    assert diagram["n"].sum() == len(pairs)
    assert diagram["failures"].sum() == np.count_nonzero(~success)
    assert np.sum(diagram["n"] * diagram["predicted"]) == pytest.approx(np.sum(1 - prob), abs=1e-9)
    assert np.all(np.diff(diagram["predicted"]) > 0)
    table = rates_in_bins(prob, bin_edges(prob), success, {"m": prob}, "p")
    assert table["n"].sum() == len(pairs)
    filled = table[table["n"] > 0]
    assert np.sum(filled["n"] * filled["m"]) == pytest.approx(np.sum(1 - prob), abs=1e-9)


def test_stars_that_fail_as_they_should_lie_on_the_diagonal():
    rng = np.random.default_rng(4)
    mag = rng.uniform(0.2, 12.0, 200_000)
    report = evaluate_outcomes({"mag": mag, "fail": rng.random(mag.size) < mag / 20}, LINEAR)
    (row,) = report.summary
    assert row["ratio"] == pytest.approx(1.0, abs=0.01)
    sigma = (report.reliability["rate_high"] - report.reliability["rate_low"]) / 2
    away = np.abs(report.reliability["rate"] - report.reliability["predicted"]) / sigma
    assert len(away) == 12
    assert np.max(away) < 4  # of 12 points


# ---- tables of all kinds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".ecsv", ".fits", ".npz"])
def test_every_kind_of_file_says_the_same(tmp_path, ending):
    path = tmp_path / f"stars{ending}"
    if ending == ".npz":
        np.savez(path, **stars())
    else:
        write_table_file(Table(stars()), path)
    from_file, at_hand = evaluate_outcomes(path, LINEAR), evaluate_outcomes(stars(), LINEAR)
    assert from_file.as_dict()["summary"] == at_hand.as_dict()["summary"]
    assert from_file.place == str(path)


def test_dates_may_be_years_texts_or_seconds():
    years = np.array([2010.2, 2011.2, 2012.2, 2013.2])
    secs = times_in(Table({"year": years}), "year", "a table", years=True)
    made = {"t_ccd": [-19.0] * 4, "mag": [9.0, 9.0, 10.0, 10.0], "success": [1, 0, 1, 0]}
    reports = [
        evaluate_outcomes({**made, **when}, PAIR, start=2011, stop="2013:100")
        for when in ({"Year": years}, {"DATE": to_date(secs)}, {"tstart": secs})
    ]
    assert [report.n for report in reports] == [3, 3, 3]
    ratios = [list(report.summary["ratio"]) for report in reports]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-6)
    assert ratios[0] == pytest.approx(ratios[2], rel=1e-6)
    assert reports[0].meta["warm_frac_from"] == "dark model 2013"
    assert reports[0].by_warm_frac["n"].sum() == 3


def test_warm_fractions_for_the_bins_come_from_a_model_that_has_them():
    table = {"year": [2010.2, 2012.2], "t_ccd": [-19.0, -19.0], "mag": [9.0, 10.0], "success": [1, 0]}
    for models, source in [("sota-2017", "2017"), (LINEAR, "2013")]:
        report = evaluate_outcomes(table, models)
        assert report.meta["warm_frac_from"] == f"dark model {source}"
        assert report.by_warm_frac["n"].sum() == 2


def test_columns_have_other_names_units_and_words():
    table = Table({"MAG_OBS": Column([9.0, 10.0], unit="mag"), "acquired": ["yes", "no"]})
    table["T_CCD"] = Column([262.15, 265.15], unit="K")
    report = evaluate_outcomes(table, Cold(name="cold"), columns={"mag": "MAG_OBS"})
    assert report.summary["predicted"][0] == pytest.approx(0.1 + 0.5)
    table["T_CCD"] = Column([-11.0, -8.0], unit="Celsius")
    assert read_stars(table, {"mag": "MAG_OBS"}).floats("t_ccd").tolist() == [-11.0, -8.0]


def test_what_is_not_known_is_left_out_and_counted():
    table = Table(stars(mag=[8.0, np.nan, 10.0, 12.5]))
    table["fail"] = MaskedColumn([0, 1, 0, 1], mask=[True, False, False, False])
    report = evaluate_outcomes(table, LINEAR, mag_range=(8, 12))
    assert report.n == 1
    assert dict(report.left_out) == {"without an outcome": 1, "without mag": 1, "outside the range of magnitudes": 1}


def test_a_star_that_may_be_disturbed_or_not_is_left_out():
    table = stars(mag=[9.0, 9.5, 10.0, 10.5], warm_frac=[0.1] * 4, color=[0.6] * 4, spoiler=["yes", "no", "", "no"])
    table["spoiler"] = MaskedColumn(table["spoiler"], mask=[False, False, True, False])
    report = evaluate_outcomes(table, "sota-2017")
    assert (report.n, dict(report.left_out)) == (3, {"without spoiler": 1})


def test_one_absurd_magnitude_costs_one_row_and_no_memory():
    report = evaluate_outcomes(stars(mag=[9.0, 10.0, np.inf, 1e12]), Linear(name="flat", ranges={"mag": NO_WARNING}))
    assert dict(report.left_out) == {"without mag": 1}
    assert len(report.by_mag) <= 12


def test_all_models_are_compared_on_the_same_stars():
    table = stars(t_ccd=[-11.0, np.nan, -8.0, -8.0])
    report = evaluate_outcomes(table, [LINEAR, Cold(name="cold")])
    assert list(report.summary["n"]) == [3, 3]
    assert dict(report.left_out) == {"without t_ccd": 1}
    assert report.ignored == {"linear": ("t_ccd", "warm_frac"), "cold": ("warm_frac",)}


def test_what_a_model_clips_is_told_once():
    limited = Linear(name="limited", ranges={"mag": InputRange(8.5, 9.5)})
    with pytest.warns(AcaWarning, match=r"mag of 4 stars: 1 below .* 2 above") as told:
        evaluate_outcomes(stars(), limited)
    assert len(told) == 1
    assert told[0].filename == __file__


def test_results_keep_what_they_are_of(tmp_path):
    report = evaluate_outcomes(stars(), PAIR, mag_range=(8, 11))
    path = write_table_file(report.by_mag, tmp_path / "rates.ecsv")
    meta = Table.read(path).meta
    assert (meta["kind"], meta["mag_high"], meta["n"]) == ("acquisition", 11, 4)
    assert list(report.summary["version"]) == [Registry().plugin("sota-2013").version] * 2
    assert "acq_warm_fit" in report.summary["source"][1]


# ---- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "models", "options", "error", "words"),
    [
        (stars(), Cold(name="cold"), {}, MissingDataError, "needs CCD temperatures, .* has only warm fractions"),
        ({"mag": [9.0]}, LINEAR, {}, MissingDataError, "does not say what happened"),
        ({"fail": [0]}, LINEAR, {}, MissingDataError, "no column for mag; expected one named mag or mag_aca"),
        ({"mag": [9.0], "fail": [0], "t_ccd": [-11.0]}, PAIR, {}, MissingDataError, "no column for year|for date"),
        (stars(), [], {}, DeclarationError, "at least one"),
        (stars(), [LINEAR, LINEAR], {}, DeclarationError, "each name once"),
        (stars(), 5, {}, DeclarationError, "names of models"),
        (stars(), "sota-2030", {}, UnknownNameError, "no acquisition model is named 'sota-2030'"),
        (stars(), Linear(name="linear", kind="guide"), {}, DeclarationError, "this is a guide model"),
        (stars(), LINEAR, {"start": 2009}, MissingDataError, "no column for"),
        (stars(year=[2010.0] * 4), LINEAR, {"start": 2012, "stop": 2011}, DeclarationError, "start before stop"),
        (stars(year=[2010.0] * 4), LINEAR, {"start": "soon"}, DateError, "soon"),
        (stars(date=["2010:001", "bla", "2010:001", "2010:001"]), LINEAR, {"start": 2009}, DateError, "column 'date'"),
        (stars(), LINEAR, {"mag_range": (11, 8)}, DeclarationError, "the brighter one first"),
        (stars(), LINEAR, {"mag_range": 9}, DeclarationError, "two magnitudes"),
        (stars(), LINEAR, {"mag_range": (1, 2)}, MissingDataError, "no star of the table is left"),
        (stars(), LINEAR, {"mag_bins": [9, 8]}, DeclarationError, "ascending"),
        (stars(), LINEAR, {"warm_bins": ["a"]}, DeclarationError, "warm_bins"),
        (stars(), LINEAR, {"columns": {"size": "mag"}}, UnknownNameError, "property of a star"),
        (stars(), LINEAR, {"columns": 5}, DeclarationError, "columns is 5; expected for properties of stars the names"),
        (stars(), LINEAR, {"columns": {"mag": "MAG"}}, UnknownNameError, "no column is named 'MAG'"),
        (stars(fail=[0, 1, 2, 0]), LINEAR, {}, DeclarationError, "row 3 is 2; expected 0 or 1"),
        (stars(fail=["yes", "no", "maybe", ""]), LINEAR, {}, DeclarationError, "maybe"),
        (stars(mag=["a", "b", "c", "d"]), LINEAR, {}, DeclarationError, "column 'mag'"),
        (stars(mag=np.ones((4, 2))), LINEAR, {}, DeclarationError, "one value in each row"),
        (stars(warm_frac=[5.0, 5, 10, 10]), "sota-2013", {}, DeclarationError, "warm_frac is 5.0; .* 0 to 1"),
        (7, LINEAR, {}, DeclarationError, "a table, or the path of one"),
        ("nowhere.csv", LINEAR, {}, MissingDataError, "no file nowhere.csv"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(table, models, options, error, words):
    with pytest.raises(error, match=words):
        evaluate_outcomes(table, models, **options)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "stars.fits"
    path.write_bytes(b"SIMPLE  =")
    with pytest.raises(IntegrityError, match=r"stars\.fits: cannot be read"):
        evaluate_outcomes(path, LINEAR)


# ---- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "panels"),
    [
        ({"mag": [9.0] * 9, "warm_frac": [0.1] * 9, "fail": [0, 1, 0] * 3}, 3),
        ({"mag": [9.0] * 9, "fail": [0, 1, 0] * 3}, 2),
    ],
)
def test_a_report_is_drawn_with_what_it_has(table, panels, tmp_path):
    from aca_core.figures import save_figure

    figure = plot_outcomes(evaluate_outcomes(table, LINEAR))
    assert len(figure.axes) == panels
    assert [axes.get_title(loc="left") for axes in figure.axes][-1] == "Reliability"
    assert "observed" in figure.legends[0].get_texts()[-1].get_text()
    assert save_figure(figure, tmp_path / "rates.png").stat().st_size > 10_000


def test_a_picture_says_which_bins_it_leaves_out_and_why_a_panel_is_empty():
    few = plot_outcomes(evaluate_outcomes({"mag": [9.0], "warm_frac": [0.1], "fail": [0]}, LINEAR))
    assert few.get_suptitle().endswith("of 1 star in the table; bins of fewer than 5 stars left out")
    assert [axes.texts[0].get_text() for axes in few.axes] == ["too few stars", "too few stars", "no failures"]
    many = {"mag": [9.0] * 9 + [10.0], "fail": [0, 1, 0] * 3 + [1]}
    assert "bins of fewer than 5 stars left out" in plot_outcomes(evaluate_outcomes(many, LINEAR)).get_suptitle()
    assert (
        "bins" not in plot_outcomes(evaluate_outcomes({"mag": [9.0] * 9, "fail": [0, 1, 0] * 3}, LINEAR)).get_suptitle()
    )


def test_a_curve_is_faint_outside_of_the_temperatures_of_a_model_too():
    figure = plot_success("acquisition", "spline-2018", t_ccds=[-18, -11], mags=[9.0])
    left, right = figure.axes
    assert [np.isnan(line.get_ydata()).all() for line in left.lines[:2]] == [True, False], (
        "-18 degC is beyond all of it"
    )
    assert right.get_xlim()[0] == -18
    assert np.isnan(right.lines[0].get_ydata()[right.lines[0].get_xdata() < -16]).all()
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["\N{MINUS SIGN}18 °C", "\N{MINUS SIGN}11 °C"]


def test_success_is_drawn_against_magnitude_and_temperature():
    figure = plot_success("acquisition", list(PAIR), date="2013:001", t_ccds=[-19, -15], mags=[9, 10, 10.3])
    left, right = figure.axes
    within = [line for line in left.lines if line.get_alpha() is None]
    assert (len(within), len(left.lines), len(right.lines)) == (4, 8, 6), "faint beyond 11 mag"
    assert figure.legends[0].get_texts()[-1].get_text() == "outside of a model's range"
    at = np.interp(10.3, left.lines[0].get_xdata(), left.lines[0].get_ydata())
    assert at == pytest.approx(success_prob("acquisition", date="2013:001", t_ccd=-19, mag=10.3).prob, abs=1e-3)
    for line in (*left.lines, *right.lines):
        drawn = line.get_ydata()[~np.isnan(line.get_ydata())]
        assert len(drawn) > 10
        assert np.all(np.diff(drawn) <= 1e-12)


def test_a_color_that_makes_no_difference_is_told():
    with pytest.warns(AcaWarning, match="'sota-2013' does not use color") as told:
        plot_success("acquisition", ["sota-2013", "sota-2017"], date="2018:001", color=1.5)
    assert [each.filename for each in told] == [__file__]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"models": ["sota-2013"] * 5}, "one to 4 models"),
        ({"t_ccds": []}, "t_ccds"),
        ({"mags": [float("nan")]}, "mags"),
        ({"mags": list(range(9))}, "one to 7"),
    ],
)
def test_a_picture_that_nobody_could_read_is_refused(options, words):
    with pytest.raises(DeclarationError, match=words):
        plot_success(**options)


# ---- what tables are made of ----------------------------------------------------------------------------------------


def test_dates_of_a_column_come_in_every_form_and_with_gaps():
    from astropy.time import Time

    masked = MaskedColumn(["2012:001", "2012:002"], mask=[False, True])
    table = Table(
        {"text": masked, "blank": ["2012:001", " "], "bytes": [b"2012:001", b""], "secs": [441763266.184, np.nan]}
    )
    table["time"] = Time(["2012:001", "2012:002"])
    for name in ("text", "blank", "bytes", "secs"):
        assert times_in(table, name, "a table").tolist() == pytest.approx([441763266.184, np.nan], nan_ok=True), name
    assert times_in(table, "time", "a table").tolist() == pytest.approx([441763266.184, 441849666.184])
    with pytest.raises(DateError, match=r"column 'day' of stars\.csv"):
        times_in(Table({"day": ["2012:400"]}), "day", "stars.csv")


def test_flags_are_understood_as_people_write_them():
    table = Table({"spoiler": ["True", "no", "", "1"], "fail": [True, False, True, False]})
    found = read_stars(table)
    assert found.flags("spoiler").tolist() == pytest.approx([1, 0, np.nan, 1], nan_ok=True)
    assert found.flags("fail").tolist() == [1, 0, 1, 0]


def test_the_named_column_is_the_one_that_is_meant():
    table = {"date": ["2012:001"], "epoch": [2010.0], "mag": [9.0], "success": [1], "lost": [1]}
    found = read_stars(table, columns={"year": "epoch", "fail": "lost"})
    assert "date" not in found
    assert "success" not in found
    assert to_date(found.secs()[0]).startswith("2010:001")


def test_a_spoiler_and_a_color_reach_the_models_that_use_them():
    table = {"mag": [10.3] * 3, "warm_frac": [0.1] * 3, "fail": [0, 0, 1]}
    plain = evaluate_outcomes(table, "sota-2017").summary["predicted"][0]
    disturbed = evaluate_outcomes({**table, "spoiler": [1, 1, 1]}, "sota-2017").summary["predicted"][0]
    red = evaluate_outcomes({**table, "color": [1.5] * 3}, "sota-2017").summary["predicted"][0]
    assert 3 - disturbed == pytest.approx(0.9241 * (3 - plain))
    assert red > plain


def test_functions_answer_from_the_innermost_block(tmp_path):
    from aca_core import Config, load_config, open_archive
    from aca_core.archive import using
    from aca_core.archive.current import current_registry, using_plugins

    path = tmp_path / "other.toml"
    path.write_text('[probability]\nguide = "sota-2013-referenced"\n')
    registry, archive = Registry(load_config(path)), open_archive(tmp_path)
    outside = current_registry()
    assert outside.config == Config()
    with using_plugins(registry):
        assert current_registry() is registry
        assert success_prob("guide", mag=10.0, warm_frac=0.1).model == "sota-2013-referenced"
        with using(archive):
            assert current_registry() is archive.registry
        assert current_registry() is registry
    assert current_registry() is outside
