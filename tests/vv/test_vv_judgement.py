"""A verdict follows from limits that are data; what is worse is never judged better, and what is unknown fails."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vv_slots import slot_data

from aca_core.errors import DeclarationError
from aca_core.vv.judgement import check_slot, judge
from aca_core.vv.limits import LIMITS
from aca_core.vv.statistics import slot_statistics

SEVERITY = {"OK": 0, "ReproNoDD": 1, "Hold": 2}
PERFECT = dict.fromkeys(("dy_rms", "dz_rms", "dy_med", "dz_med", "rad_off", "frac_dy_big", "frac_dz_big"), 0.01)


def observation(**changes):
    """Return the statistics of three fid lights and five stars; ``s4={"dy_rms": 0.5}`` changes those of slot 4."""
    slots = {
        str(slot): {"slot": slot, "type": "FID" if slot < 3 else "GUIDE", "id_status": "GOOD", **PERFECT}
        for slot in range(8)
    }
    for name, change in changes.items():
        slots[name[1:]] |= change
    return slots


def test_the_limits_are_those_of_the_plan():
    table = {(limit.kind, limit.name): (limit.param, limit.limit) for limit in LIMITS if "missing" not in limit.name}
    assert len({(limit.kind, limit.name) for limit in LIMITS}) == len(LIMITS)
    assert all(limit.source for limit in LIMITS)
    assert table == {
        ("FID", "dy_rms"): ("dy_rms", 0.05),
        ("FID", "dz_rms"): ("dz_rms", 0.05),
        ("FID", "dy_med"): ("dy_med", 0.4),
        ("FID", "dz_med"): ("dz_med", 0.4),
        ("FID", "rad_off"): ("rad_off", 0.4),
        ("GUIDE", "dy_rms"): ("dy_rms", 0.4),
        ("GUIDE", "dz_rms"): ("dz_rms", 0.4),
        ("GUIDE", "rad_off"): ("rad_off", 1.5),
        ("GUIDE", "dy_rms_low"): ("dy_rms", 0.25),
        ("GUIDE", "dz_rms_low"): ("dz_rms", 0.25),
        ("GUIDE", "frac_dy_big"): ("frac_dy_big", 0.05),
        ("GUIDE", "frac_dz_big"): ("frac_dz_big", 0.05),
    }


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.kind}-{limit.name}")
def test_a_value_passes_below_its_limit_and_not_at_it(limit):
    values = {"slot": 2, "type": limit.kind, "id_status": "GOOD", **PERFECT, "seconds_good": 100.0, "intervals_good": 4}

    def found(value):
        if limit.name == "frac_missing":
            changed = {**values, "seconds_good": 100 * (1 - value)}
        elif limit.name == "intervals_missing":
            changed = {**values, "intervals_good": 4 - value}
        else:
            changed = {**values, limit.param: value}
        return next(check for check in check_slot(changed, seconds=100.0, intervals=4) if check.name == limit.name)

    below = 0 if limit.name == "intervals_missing" else math.nextafter(limit.limit, 0) * (1 - 1e-9)
    assert found(below).success
    assert not found(limit.limit).success
    check = found(2 * limit.limit)
    assert (check.slot, check.limit, check.param, check.unit) == (2, limit.limit, limit.param, limit.unit)
    assert check.have == pytest.approx(2 * limit.limit)


def test_medians_pass_by_their_absolute_value_and_keep_their_sign():
    checks = {check.name: check for check in check_slot({"slot": 1, "type": "FID", **PERFECT, "dy_med": -5.0})}
    assert (checks["dy_med"].success, checks["dy_med"].have) == (False, -5.0)
    assert checks["dz_med"].success


@pytest.mark.parametrize("unknown", [None, math.nan])
def test_what_is_not_known_fails(unknown):
    failed = [
        check for check in check_slot({"slot": 4, "type": "GUIDE", **PERFECT, "dz_rms": unknown}) if not check.success
    ]
    assert [(check.name, check.have) for check in failed] == [("dz_rms", None), ("dz_rms_low", None)]
    assert str(failed[0]) == "slot 4: dz_rms is unknown, not below 0.4 arcsec"
    assert judge(observation(s4={"dz_rms": unknown})).disposition == "Hold"


def test_an_old_report_of_a_dead_slot_is_not_believed():
    dead = {**dict.fromkeys(PERFECT, 0.0), "n_pts": 500}
    dead |= {f"{axis}_{key}": 500 for axis in ("dr", "dy", "dz") for key in ("n_samples", "bad_samples")}
    judgement = judge(observation(s4=dead))
    assert judgement.disposition == "Hold"
    assert judgement.reasons == ("slot 4: no good samples of the star",)


def test_far_off_samples_are_counted_among_the_good_ones():
    values = {"slot": 4, "type": "GUIDE", **PERFECT, "frac_dy_big": 0.04, "frac_dy_big_good": 0.06}
    check = next(check for check in check_slot(values) if check.name == "frac_dy_big")
    assert (check.param, check.have, check.success) == ("frac_dy_big_good", 0.06, False)


@pytest.mark.parametrize(
    ("changes", "expected", "slot", "why"),
    [
        ({}, "OK", None, None),
        ({"s5": {"type": "MONITOR", "dy_rms": 9.0}}, "OK", None, None),
        ({"s1": {"id_status": "OMITTED", "dy_med": 2300.0}}, "OK", None, None),
        ({"s4": {"dy_rms": 0.3}}, "OK", None, "slot 4: dy_rms_low is 0.3 arcsec, not below 0.25 arcsec"),
        ({"s4": {"dy_rms": 0.3, "dz_rms": 0.3}}, "OK", None, "slot 4: dz_rms_low"),  # one star, although two axes
        ({"s4": {"frac_dz_big": 0.2}}, "OK", None, "slot 4: frac_dz_big is 0.2, not below 0.05"),
        ({"s4": {"dy_rms": 0.5}}, "ReproNoDD", 4, "slot 4: dy_rms is 0.5 arcsec"),
        ({"s4": {"dy_rms": 0.5, "dz_rms": 0.5, "rad_off": 2.0}}, "ReproNoDD", 4, "slot 4: rad_off is 2 arcsec"),
        ({"s6": {"rad_off": 2.0}}, "ReproNoDD", 6, "slot 6: rad_off is 2 arcsec, not below 1.5 arcsec"),
        ({"s6": {"rad_off": 2.0, "cel_loc_flag": 0}}, "ReproNoDD", 6, "the solution was made without this star"),
        ({"s4": {"dy_rms": 0.5}, "s5": {"dz_rms": 0.3}}, "Hold", None, "2 stars are over a limit: slots 4, 5"),
        ({"s4": {"dy_rms": 0.5}, "s5": {"dz_rms": 0.5}}, "Hold", None, "2 stars are over a limit: slots 4, 5"),
        ({"s4": {"dy_rms": 0.3}, "s5": {"dz_rms": 0.3}}, "Hold", None, "2 stars are over a limit: slots 4, 5"),
        ({"s4": {"rad_off": 2.0}, "s5": {"rad_off": 2.0}}, "Hold", None, "2 stars are over a limit: slots 4, 5"),
        ({"s1": {"dz_med": -0.5}}, "Hold", None, "slot 1: dz_med is -0.5 arcsec, not below 0.4 arcsec"),
        ({f"s{slot}": {"id_status": "OMITTED"} for slot in range(3)}, "Hold", None, "no fid lights in a science"),
        ({f"s{slot}": {"type": "MONITOR"} for slot in range(3, 8)}, "Hold", None, "no guide stars"),
    ],
)
def test_what_becomes_of_an_observation(changes, expected, slot, why):
    judgement = judge(observation(**changes))
    assert (judgement.disposition, judgement.slot) == (expected, slot)
    if why is None:
        assert judgement.reasons == ()
        assert str(judgement) == "OK"
        assert all(check.success for check in judgement.checks)
        assert judgement.failed == ()
    else:
        assert why in str(judgement)


def test_errors_are_for_a_person_and_engineering_needs_no_fid_lights():
    judgement = judge(observation(), errors=["differing slots across aspect intervals"])
    assert str(judgement) == "Hold: error: differing slots across aspect intervals"
    stars = {slot: statistics for slot, statistics in observation().items() if statistics["type"] != "FID"}
    assert judge(stars).disposition == "Hold"
    assert judge(stars, is_science=False).disposition == "OK"


def test_the_gravest_reason_comes_first():
    judgement = judge(observation(s1={"rad_off": 1.0}, s4={"dy_rms": 0.3}))
    assert [reason[:6] for reason in judgement.reasons] == ["slot 1", "slot 4"]
    plain = judgement.as_dict()
    assert plain["reasons"] == list(judgement.reasons)
    assert {check["name"] for check in plain["checks"] if not check["success"]} == {"rad_off", "dy_rms_low"}


# ---- from samples to the verdict ------------------------------------------------------------------------------------


def sampled(**changes):
    """Return the statistics of drawn slots; ``s4={"noise": 0.5}`` draws slot 4 otherwise."""
    slots = {}
    for slot in range(8):
        kind, noise = ("FID", 0.01) if slot < 3 else ("GUIDE", 0.12)
        slots[slot] = slot_data(
            **{"kind": kind, "slot": slot, "noise": noise, "seed": slot, **changes.get(f"s{slot}", {})}
        )
    return slots


def verdict(slots):
    return judge({slot: slot_statistics(data) for slot, data in slots.items()})


def test_one_star_off_by_two_arcsec_is_left_out():
    judgement = verdict(sampled(s6={"mean": (2.0, 0.0)}))
    assert (judgement.disposition, judgement.slot) == ("ReproNoDD", 6)


def test_a_star_lost_in_half_of_the_observation_is_seen():
    """Whether its samples are bad or not there at all."""
    whole = sampled()
    assert verdict(whole).disposition == "OK"
    kept = attrs.evolve(
        whole[5],
        **{name: value[:250] for name, value in attrs.asdict(whole[5]).items() if isinstance(value, np.ndarray)},
    )
    marked = attrs.evolve(whole[5], qual=np.where(np.arange(500) < 250, whole[5].qual, 32))
    for lost in (kept, marked):
        judgement = verdict({**whole, 5: lost})
        assert judgement.disposition == "Hold"
        assert judgement.reasons[0].startswith("slot 5: frac_missing is 0.")


@pytest.mark.parametrize("kept", [0.6, 0.4, 0.2])
def test_samples_that_are_lost_here_and_there_are_seen_however_many(kept):
    """Where most are lost, the usual distance of those that are there says nothing of how often there should be one."""
    slots = sampled(**{f"s{slot}": {"bad": 0.0} for slot in range(8)})
    is_kept = np.random.default_rng(3).random(500) < kept
    slots[5] = attrs.evolve(
        slots[5],
        **{name: value[is_kept] for name, value in attrs.asdict(slots[5]).items() if isinstance(value, np.ndarray)},
    )
    judgement = verdict(slots)
    assert [(check.slot, check.name) for check in judgement.failed] == [(5, "frac_missing")]
    assert judgement.failed[0].have == pytest.approx(1 - kept, abs=0.12)
    assert judgement.disposition == "Hold"


def test_what_all_lights_lack_is_seen_by_what_there_should_be():
    slots = {slot: slot_statistics(data) for slot, data in sampled().items()}
    assert judge(slots, seconds=1020.0, intervals=1).disposition == "OK"
    judgement = judge(slots, seconds=2040.0, intervals=2)
    assert judgement.disposition == "Hold"
    assert {check.name for check in judgement.failed} == {"frac_missing", "intervals_missing"}
    assert {check.slot for check in judgement.failed} == set(range(8))


def test_a_star_without_one_of_the_intervals_is_seen():
    slots = sampled(**{f"s{slot}": {"intervals": 6} for slot in range(8)})
    slots[3] = attrs.evolve(slots[3], qual=np.where(slots[3].interval == 5, 32, slots[3].qual))
    assert [str(check) for check in verdict(slots).failed] == ["slot 3: intervals_missing is 1, not below 1"]


def test_a_dead_star_is_for_a_person():
    assert str(verdict(sampled(s3={"bad": 1.1}))) == "Hold: slot 3: no good samples of the star"
    assert str(verdict(sampled(s1={"count": 0}))) == "Hold: slot 1: no good samples of the fid light"


numbers = st.floats(0, 3) | st.none()
statistics_of_slots = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["FID", "GUIDE", "MONITOR"]), **dict.fromkeys(PERFECT, numbers)}),
    min_size=1,
    max_size=8,
)


@given(statistics_of_slots, st.data())
def test_what_is_worse_is_never_judged_better(slots, data):
    before = {slot: {**statistics, "slot": slot} for slot, statistics in enumerate(slots)}
    slot = data.draw(st.sampled_from(sorted(before)))
    key = data.draw(st.sampled_from(sorted(PERFECT)))
    value = before[slot][key]
    worse = data.draw(st.none() | st.floats(value, 10) if value is not None else st.none())
    after = {**before, slot: {**before[slot], key: worse}}
    for is_science in (True, False):
        first, second = (judge(each, is_science=is_science).disposition for each in (before, after))
        assert SEVERITY[second] >= SEVERITY[first]


@given(st.sampled_from(range(3, 8)), st.floats(0, 20), st.floats(1, 10))
def test_larger_residuals_are_never_judged_better(slot, scale, more):
    slots = sampled()
    data = slots[slot]

    def scaled(factor):
        dy, dz = data.dy * factor, data.dz * factor
        return {**slots, slot: attrs.evolve(data, dy=dy, dz=dz, dr=np.hypot(dy, dz))}

    first, second = (verdict(scaled(factor)).disposition for factor in (scale, scale * more))
    assert SEVERITY[second] >= SEVERITY[first]


@pytest.mark.parametrize(
    ("slots", "words"),
    [
        ([], "slots is \\[\\]; expected a mapping"),
        ({"4": 5}, "slots is 5; expected the statistics of a slot"),
        ({"4": {"slot": 4}}, "expected the statistics of a slot"),
        ({"4": {"slot": 9, "type": "GUIDE"}}, "'slot': 9"),
        ({"4": {"slot": "4", "type": "GUIDE"}}, "'slot': '4'"),
        ({"4": {"slot": 4, "type": "guide"}}, "'type': 'guide'"),
        ({"4": {"slot": 4, "type": "GUIDE", "dy_rms": "much"}}, "dy_rms is 'much'; expected a number or None"),
        ({"4": {"slot": 4, "type": "GUIDE", "dy_rms": 10**400}}, "expected a number or None"),
    ],
)
def test_other_things_than_statistics_are_refused(slots, words):
    with pytest.raises(DeclarationError, match=words):
        judge(slots)


def test_errors_are_a_list():
    with pytest.raises(DeclarationError, match="errors is 'all of it'; expected a list of messages"):
        judge(observation(), errors="all of it")


@pytest.mark.parametrize("what", ["seconds", "intervals"])
@pytest.mark.parametrize("value", ["long", math.nan, math.inf, -1, True])
def test_what_there_should_be_is_a_number(what, value):
    for call in (
        lambda: judge(observation(), **{what: value}),
        lambda: check_slot(observation()["4"], **{what: value}),
    ):
        with pytest.raises(DeclarationError, match=f"argument {what} is .*; expected a number, not negative, or None"):
            call()
