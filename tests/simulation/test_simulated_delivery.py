"""Deliveries: states and links, the catalogue, the truth and the way back, what a folder may hold, the command."""

from __future__ import annotations

import csv
import itertools
import json
import shutil

import attrs
import pytest

from aca_core import (
    Catalogue,
    DeclarationError,
    IntegrityError,
    MissingDataError,
    ObsidRequest,
    Registry,
    Retriever,
)
from aca_core.cli import COMMANDS, run
from aca_core.simulation import (
    SYNTHETIC,
    Plan,
    draw_observation,
    open_delivery,
    read_truth,
    reprocess,
    simulate_delivery,
    usual_plans,
)


@pytest.fixture
def small(tmp_path):
    """A delivery of two observations that a test may change."""
    return simulate_delivery(tmp_path / "small", seed=1, obsids=[8008, 8009], duration=200.0)


def links_in(folder):
    return {path.name: str(path.readlink()) for path in sorted(folder.iterdir()) if path.is_symlink()}


def table(delivery, name):
    with (delivery.catalogue / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# ---- the tree -------------------------------------------------------------------------------------------------------


def test_links_say_what_is_released_and_what_is_newest(delivery):
    assert links_in(delivery.folder / "asp1" / "08") == {
        "08008": "08008_v01",
        "08009": "08009_v02",
        "08010": "08010_v01",
        "08010_last": "08010_v02",
        "08011_last": "08011_v01",
        "08012": "08012_v02",
        "08013": "08013_v01",
        "08014": "08014_v02",
        "08014_last": "08014_v03",
    }
    obspars = links_in(delivery.folder / "obspar" / "08")
    assert obspars["08014"] == "08014_v02"
    assert "08014_last" not in obspars  # the third revision of the products was made with the second of these


def test_only_the_first_observation_interval_is_delivered_unless_asked(delivery, tmp_path):
    assert len([name for name in delivery.truth.files if "08013_v01/axaff" in name]) == 1
    assert [each.in_tree for each in delivery.truth.delivered if each.run.obsid == 8013] == [True, False]
    plan = Plan(obsid=8013, obis=(2, 5))
    both = simulate_delivery(tmp_path / "both", plans=[plan], duration=200.0, every_obi=True)
    names = [name.rpartition("/")[2] for name in both.truth.files if "08013_v01/axaff" in name]
    assert names == ["axaff08013_002N001_obs0a.par.gz", "axaff08013_005N001_obs0a.par.gz"]
    assert open_delivery(both.folder).truth.every_obi


def test_observations_of_a_delivery_do_not_overlap(delivery):
    spans = sorted({(each.observation.start, each.observation.stop) for each in delivery.truth.delivered})
    assert all(stop < start for (_, stop), (start, _) in itertools.pairwise(spans))


# ---- the catalogue --------------------------------------------------------------------------------------------------


def test_the_catalogue_lists_runs_in_order_with_their_quality(delivery):
    runs = table(delivery, "aspect_1")
    ids = [int(run["aspect_1_id"]) for run in runs]
    assert ids == sorted(set(ids))
    assert [run["ap_date"] for run in runs] == sorted(run["ap_date"] for run in runs)
    qualities = {(int(run["obsid"]), int(run["obi"]), int(run["revision"])): run["quality"] for run in runs}
    assert len(qualities) == len(runs) == 12
    assert {key for key, quality in qualities.items() if quality == "P"} == {(8010, 0, 2), (8011, 0, 1), (8014, 0, 3)}
    assert {key[1] for key in qualities if key[0] == 8013} == {0, 1}
    assert len(table(delivery, "obidet_0_5")) == 11


def test_runs_lead_to_their_science_products(delivery):
    science_1 = {row["aspect_1_id"]: row["science_1_id"] for row in table(delivery, "science_1")}
    science_2_obi = {row["science_1_id"]: row["science_2_id"] for row in table(delivery, "science_2_obi")}
    science_2 = {row["science_2_id"]: row["quality"] for row in table(delivery, "science_2")}
    for row in table(delivery, "aspect_1"):
        assert science_2[science_2_obi[science_1[row["aspect_1_id"]]]] == row["quality"]
    assert len(science_2) == 11  # two intervals of one observation share theirs


def test_the_plan_lists_all_stars_also_those_that_the_properties_lack(delivery):
    stars = [row for row in table(delivery, "stars") if row["obsid"] == "8014"]
    assert [row["slot"] for row in stars] == list("01234567")
    assert [row["type"] for row in stars] == list("22211111")
    assert [row["type"] for row in table(delivery, "stars") if row["obsid"] == "8012"] == list("22211113")
    assert not next(star for star in delivery.truth.of(8014).observation.stars if star.slot == 5).listed


def test_the_plugins_read_it(delivery, tmp_path):
    """Where the retriever and the catalogue for files are installed, they answer from a delivery."""
    registry = Registry()
    retrievers = {offer.name: offer for offer in registry.offers(Retriever)}
    catalogues = {offer.name: offer for offer in registry.offers(Catalogue)}
    if "directory" not in retrievers or "file" not in catalogues:
        pytest.skip("the plugins 'directory' and 'file' are not installed")
    tree = attrs.evolve(retrievers["directory"], folder=delivery.folder)
    product = registry.product("asp1")
    for obsid, version, expected in ((8010, "default", 1), (8010, "last", 2), (8011, "last", 1), (8014, 3, 3)):
        folder = tmp_path / f"{obsid}-{version}"
        folder.mkdir()
        names = tree.fetch(ObsidRequest(product=product, obsid=obsid, version=version), folder)
        assert product.version.of(names) == expected
    assert not tree.fetch(ObsidRequest(product=product, obsid=8011), tmp_path)
    catalogue = attrs.evolve(catalogues["file"], path=delivery.catalogue)
    assert tuple(catalogue.new_work(product.work, 0)) == tuple(each.run for each in delivery.truth.delivered)
    assert catalogue.obis(8013) == (0, 1)
    assert catalogue.science_qualities(product.work, delivery.truth.of(8010, 2).run) == ("P",)
    planned = catalogue.planned_stars(8012, 0)
    assert [star.type for star in planned] == ["fid"] * 3 + ["guide"] * 4 + ["monitor"]


# ---- the truth ------------------------------------------------------------------------------------------------------


def test_the_truth_reads_back(delivery):
    assert read_truth(delivery.folder) == delivery.truth
    text = (delivery.folder / "truth.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert json.loads(text)["synthetic"] == SYNTHETIC
    assert open_delivery(delivery.folder).truth == delivery.truth


def test_the_truth_finds_what_is_meant(delivery):
    truth = delivery.truth
    assert truth.of(8009).run.revision == 2
    assert truth.of(8010).run.revision == 1
    assert truth.of(8011).run.revision == 1  # nothing is released
    assert truth.of(8013, obi=1).observation.obi == 1
    with pytest.raises(MissingDataError, match=r"8009 revision 7 .* there is obi 0 revision 1, obi 0 revision 2"):
        truth.of(8009, 7)


def test_every_file_is_listed(delivery):
    there = {
        str(path.relative_to(delivery.folder))
        for path in delivery.folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    assert there == {*delivery.truth.files, "truth.json"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:100], "no JSON"),
        (lambda text: text.replace("truth 1", "truth 0"), "format"),
        (lambda text: text.replace('"roll_rate"', '"rollrate"'), "rollrate"),
        (lambda text: "[]", "format"),
    ],
)
def test_a_truth_that_cannot_be_read_says_why(small, change, message):
    path = small.folder / "truth.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(IntegrityError, match=message):
        read_truth(small.folder)


def test_a_folder_without_a_truth_is_no_delivery(tmp_path):
    with pytest.raises(IntegrityError, match="no simulated delivery"):
        read_truth(tmp_path)


# ---- what happens later ---------------------------------------------------------------------------------------------


def test_from_provisional_to_released_and_back(small):
    folder = small.folder / "asp1" / "08"
    small.deliver([reprocess(small.truth.of(8008).observation, 2)])
    assert links_in(folder)["08008_last"] == "08008_v02"
    assert table(small, "aspect_1")[-1]["quality"] == "P"
    small.release(8008, 2)
    assert links_in(folder) == {"08008": "08008_v02", "08009": "08009_v02"}
    assert table(small, "aspect_1")[-1]["quality"] == "D"
    small.withdraw(8008)
    assert links_in(folder) == {"08008": "08008_v01", "08008_last": "08008_v02", "08009": "08009_v02"}
    small.withdraw(8008)
    assert links_in(folder) == {"08008_last": "08008_v02", "08009": "08009_v02"}
    assert {run["quality"] for run in table(small, "aspect_1") if run["obsid"] == "8008"} == {"P"}
    assert read_truth(small.folder) == small.truth
    with pytest.raises(MissingDataError, match="8008"):
        small.withdraw(8008)
    with pytest.raises(MissingDataError, match="8008"):
        small.release(8008, 3)


def test_a_revision_is_delivered_once(small):
    with pytest.raises(IntegrityError, match="8008 obi 0 revision 1 was already delivered"):
        small.deliver([small.truth.of(8008).observation])


def test_another_day_goes_on_where_the_first_ended(small):
    again = open_delivery(small.folder)
    again.deliver([draw_observation(12345, seed=1, duration=200.0, start=760000000.0)])
    ids = [int(run["aspect_1_id"]) for run in table(again, "aspect_1")]
    assert ids == list(range(ids[0], ids[0] + 4))
    assert (again.folder / "asp1" / "12" / "12345_last").is_dir()


# ---- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(IntegrityError, match="not empty"):
        simulate_delivery(tmp_path, obsids=[8008], duration=200.0, force=True)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["notes.txt"]


def test_an_earlier_simulation_goes_by_force_only(small):
    with pytest.raises(IntegrityError, match="earlier simulation"):
        simulate_delivery(small.folder, obsids=[8010], duration=200.0)
    stranger = small.folder / "asp1" / "08" / "08008_v01" / "notes.txt"
    stranger.write_text("mine")
    with pytest.raises(IntegrityError, match=r"notes.txt: was not written by the simulation"):
        simulate_delivery(small.folder, obsids=[8010], duration=200.0, force=True)
    assert (small.folder / "asp1" / "08" / "08009").is_dir()
    stranger.unlink()
    simulate_delivery(small.folder, obsids=[8010], duration=200.0, force=True)
    assert links_in(small.folder / "asp1" / "08") == {"08010": "08010_v01", "08010_last": "08010_v02"}
    fresh = simulate_delivery(small.folder.with_name("fresh"), obsids=[8010], duration=200.0)
    assert fresh.truth == read_truth(small.folder)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"revisions": (2, 3)}, "Plan: released is 1; expected None, or one of the revisions"),
        ({"revisions": (1, 2), "obspar_revisions": (1,)}, "Plan: obspar_revisions is"),
        ({"columns": ("NEW",)}, "Plan: columns is"),
        ({"detector": "ACIS"}, "Plan: detector is 'ACIS'; expected one of ACIS-I"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_when_it_is_made(fields, says):
    with pytest.raises(DeclarationError, match=says):
        Plan(obsid=8020, **fields)


@pytest.mark.parametrize("wrong", [{"detector": "ACIS"}, {"columns": "NEW"}, {"start": -1000.0}])
def test_an_observation_that_cannot_be_is_refused(wrong):
    with pytest.raises(DeclarationError, match=f"draw_observation: {next(iter(wrong))} is"):
        draw_observation(8008, seed=1, **wrong)


def test_a_refused_call_delivers_nothing(small):
    first = small.truth.of(8008).observation
    before = read_truth(small.folder)
    with pytest.raises(IntegrityError, match="obsid 8008 obi 0 revision 1 was already delivered"):
        small.deliver([reprocess(first, 7), first])
    assert read_truth(small.folder) == small.truth == before
    assert not (small.folder / "asp1" / "08" / "08008_v07").exists()


def test_nothing_is_removed_through_a_link(small, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(small.folder / "asp1", elsewhere, symlinks=True)
    shutil.rmtree(small.folder / "asp1")
    (small.folder / "asp1").symlink_to(elsewhere)
    with pytest.raises(IntegrityError, match="not written by the simulation"):
        simulate_delivery(small.folder, obsids=[8010], duration=200.0, force=True)
    assert (elsewhere / "08" / "08008_v01").is_dir()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"duration": 30.0}, "time for 20 images"),
        ({"duration": float("nan")}, "intervals"),
        ({"centroid_step": 2.0}, "centroid_step"),
        ({"obsid": 100_000}, "obsid"),
        ({"seed": -1}, "seed"),
        ({"intervals": 0}, "intervals"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, message):
    with pytest.raises(DeclarationError, match=message):
        draw_observation(**{"obsid": 1, "seed": 1, "duration": 200.0} | arguments)


def test_plans_repeat_and_can_be_given_one_set_of_columns():
    plans = usual_plans(range(100, 108), columns="old")
    assert [plan.obsid for plan in plans] == list(range(100, 108))
    assert {plan.columns for plan in plans} == {("old",)}
    assert attrs.evolve(plans[0], obsid=1) == attrs.evolve(plans[7], obsid=1)
    with pytest.raises(DeclarationError, match="twice"):
        simulate_delivery("never-made", obsids=[1, 1], duration=200.0)


# ---- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def aca(capsys, monkeypatch):
    monkeypatch.setitem(COMMANDS, "simulate", ("aca_core.cli.simulate:simulate", "Make a delivery of synthetic files."))

    def call(*words):
        code = run(["simulate", *map(str, words)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_command_writes_and_says_that_it_is_synthetic(aca, tmp_path):
    folder = tmp_path / "delivered"
    words = (folder, "--obsids", "8008,8010", "--obsids", 8011, "--duration", 200, "--seed", 2, "--old-columns")
    code, out, err = aca(*words)
    assert (code, err.count("made obsid")) == (0, 4)
    assert SYNTHETIC in out
    lines = [line.split() for line in out.splitlines() if line.strip().startswith("80")]
    assert [line[:6] for line in lines] == [
        ["8008", "0", "1", "released", "ACIS-S", "old"],
        ["8010", "0", "1", "released", "ACIS-S", "old"],
        ["8011", "0", "1", "provisional", "HRC-I", "old"],
        ["8010", "0", "2", "provisional", "ACIS-S", "old"],
    ]
    assert read_truth(folder).obsids == (8008, 8010, 8011)


def test_the_command_needs_force_to_replace(aca, tmp_path):
    folder = tmp_path / "delivered"
    words = (folder, "--obsids", 8008, "--duration", 200)
    assert aca(*words)[0] == 0
    code, _, err = aca(*words)
    assert (code, err) == (
        1,
        f"aca: {folder}: holds an earlier simulation; name a new folder, or replace it with --force\n",
    )
    code, out, err = aca(*words, "--force", "--json", "--new-columns")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert result["synthetic"] == SYNTHETIC
    assert result["observations"][0]["columns"] == "new"


@pytest.mark.parametrize("words", [("--obsids", "80x8"), ("--duration", "5"), ("--step", "3"), ("--obsids", "123456")])
def test_the_command_refuses_nonsense(aca, tmp_path, words):
    code, _, err = aca(tmp_path / "never", *words)
    assert code == 2
    assert words[0] in err
    assert not (tmp_path / "never").exists()
