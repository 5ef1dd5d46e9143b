"""``aca simulate --telemetry``: level-0 files beside the observations."""

from __future__ import annotations

from aca_core.cli import USAGE
from aca_core.dates import to_date
from aca_core.simulation import read_telemetry_truth, read_truth

OBSERVATION = "--obsids 8008 --duration 200"


def test_telemetry_is_delivered_beside_the_observations_and_replaced_with_them(ask, say, tmp_path):
    code, out, err = say(f"simulate d {OBSERVATION} --telemetry 0.04 --seed 2")
    truth = read_telemetry_truth(tmp_path / "d")
    assert code == 0
    assert f"Telemetry from 2021:001:00:00:00 to {to_date(truth.stop)[:17]}: {len(truth.files)} files, " in out
    assert "telemetry_truth.json is its truth" in out
    assert "writing telemetry of 2021:001\n" in err
    assert truth.plan.seed == 2
    assert read_truth(tmp_path / "d").obsids == (8008,)
    code, said = ask(f"simulate d {OBSERVATION} --telemetry 0.03 --force")
    again = read_telemetry_truth(tmp_path / "d")
    assert (code, said["telemetry"]["files"], again.plan.seed) == (0, len(again.files), 0)
    assert said["telemetry"]["rows"] == sum(each.rows for each in again.files) < sum(each.rows for each in truth.files)
    assert said["telemetry"]["bytes"] == sum(path.stat().st_size for path in (tmp_path / "d/aca0").rglob("*.gz"))
    code, said = ask(f"simulate d {OBSERVATION} --force")
    assert (code, "telemetry" in said, (tmp_path / "d" / "aca0").exists()) == (0, False, False)


def test_a_length_that_cannot_be_is_refused(say):
    code, _, err = say("simulate d --telemetry 0")
    assert (code, "'0' cannot be used here; expected a number from 0.02 to 1000" in err) == (USAGE, True)
