"""Whoever verifies the aspect finds what was injected: an independent, slow computation, sample by sample."""

from __future__ import annotations

import bisect
import math
import statistics

import pytest
from astropy.io import fits

from aca_core.simulation import injected_residuals

R2A = 180 * 3600 / math.pi
NAMES = {"dy": "ady", "dz": "adz", "dtheta": "adtheta", "q_att": "q_att_raw"}


class Files:
    """The files of one aspect interval, as lists of numbers."""

    def __init__(self, delivery, obsid, revision, interval=0):
        self.truth = delivery.truth.of(obsid, revision)
        start = self.truth.observation.intervals[interval].start
        folder = delivery.folder / "asp1" / f"{obsid:05d}"[:2] / f"{obsid:05d}_v{revision:02d}"
        stem = f"pcadf{int(start):09d}N{revision:03d}"
        read = {}
        for kind in ("asol1", "acal1", "acen1", "gspr1", "fidpr1"):
            with fits.open(folder / f"{stem}_{kind}.fits.gz") as hdus:
                read[kind] = hdus[1].data.copy(), dict(hdus[1].header)
        solution = read["asol1"][0]
        is_new = "ady" in solution.dtype.names
        self.time = solution["time"].tolist()
        self.solution = {name: solution[NAMES[name] if is_new else name].tolist() for name in NAMES}
        self.uncorrected = {name: solution[name].tolist() for name in NAMES}
        calibration = read["acal1"][0][0]
        self.aca, self.fts = (calibration[f"{name}_misalign"].reshape(3, 3).tolist() for name in ("aca", "fts"))
        self.stars, self.fids = read["gspr1"][0], read["fidpr1"][0]
        self.header = read["fidpr1"][1]
        rows = read["acen1"][0]
        inside = (rows["time"] >= self.time[0]) & (rows["time"] <= self.time[-1])
        self.centroids = rows[(rows["alg"] == 8) & inside]

    def at(self, name, time, solution=None):
        """Interpolate one quantity of the solution linearly."""
        values = (solution or self.solution)[name]
        after = min(max(bisect.bisect_right(self.time, time), 1), len(self.time) - 1)
        before = after - 1
        part = (time - self.time[before]) / (self.time[after] - self.time[before])
        if isinstance(values[0], list):
            return [a + part * (b - a) for a, b in zip(values[before], values[after], strict=True)]
        return values[before] + part * (values[after] - values[before])


def apply(matrix, vector):
    return [sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix]


def transposed(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def transform(q):
    length = math.sqrt(sum(component**2 for component in q))
    x, y, z, w = (component / length for component in q)
    return [
        [1 - 2 * y * y - 2 * z * z, 2 * x * y - 2 * z * w, 2 * x * z + 2 * y * w],
        [2 * x * y + 2 * z * w, 1 - 2 * x * x - 2 * z * z, 2 * y * z - 2 * x * w],
        [2 * x * z - 2 * y * w, 2 * y * z + 2 * x * w, 1 - 2 * x * x - 2 * y * y],
    ]


def angles(d):
    return math.atan2(d[1], d[0]) * R2A, math.atan2(d[2], d[0]) * R2A


def predicted_star(files, position, time, solution=None):
    return angles(apply(files.aca, apply(transposed(transform(files.at("q_att", time, solution))), position)))


def predicted_fid(p_lsi, header, mounting, dy, dz, dtheta):
    lsi = [header[f"LSI0STT{axis}"] for axis in (1, 2, 3)]
    stt = [header[f"STT0STF{axis}"] for axis in (1, 2, 3)]
    x, y, z = (sum(parts) for parts in zip(p_lsi, lsi, stt, strict=True))
    th = math.radians(dtheta)
    p_fc = [x, math.cos(th) * y + math.sin(th) * z + dy, -math.sin(th) * y + math.cos(th) * z + dz]
    return angles(apply(mounting, [header["RRC0FCX"] - p_fc[0], -p_fc[1], -p_fc[2]]))


def product(first, second):
    return transposed([apply(first, column) for column in transposed(second)])


IDENTITY = [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]


@pytest.mark.parametrize(
    ("drift", "expected"),
    [((0, 0, 0), (409.661447, 3686.565275)), ((0.1, -0.2, 0.05), (410.830454, 3690.301799))],
)
def test_the_reference_of_this_test_agrees_with_the_published_one(drift, expected):
    header = {f"{name}{axis}": 0.0 for name in ("LSI0STT", "STT0STF") for axis in (1, 2, 3)}
    header |= {"STT0STF3": -190.0, "RRC0FCX": 10070.0}
    rounded = 206264.81 / R2A  # which the published numbers were made with
    found = predicted_fid((0, -20, 10), header, IDENTITY, *drift)
    assert [angle * rounded for angle in found] == pytest.approx(expected, abs=2e-4)


CASES = [(8008, 1), (8009, 1), (8009, 2), (8011, 1), (8013, 1), (8014, 3)]


@pytest.mark.parametrize(("obsid", "revision"), CASES)
def test_stars_have_their_injected_residuals(delivery, obsid, revision):
    files = Files(delivery, obsid, revision)
    observation = files.truth.observation
    assert len(files.stars) >= 4
    for star in files.stars:
        slot = int(star["slot"])
        rows = files.centroids[files.centroids["slot"] == slot]
        injected = injected_residuals(observation, slot)
        where = {time: number for number, time in enumerate(injected.times.tolist())}
        for row in rows[:: max(1, len(rows) // 40)]:
            time = float(row["time"])
            yag, zag = predicted_star(files, star["pos_eci"].tolist(), time)
            number = where[time]
            assert 3600 * float(row["ang_y"]) - yag == pytest.approx(injected.dy[number], abs=2e-5)
            assert 3600 * float(row["ang_z"]) - zag == pytest.approx(injected.dz[number], abs=2e-5)
            assert row["status"] == injected.status[number]


@pytest.mark.parametrize(("obsid", "revision"), CASES)
def test_fids_have_their_injected_residuals(delivery, obsid, revision):
    files = Files(delivery, obsid, revision)
    mounting = product(files.aca, files.fts)
    assert len(files.fids) == 3
    for fid in files.fids:
        slot = int(fid["slot"])
        rows = files.centroids[files.centroids["slot"] == slot]
        injected = injected_residuals(files.truth.observation, slot)
        where = {time: number for number, time in enumerate(injected.times.tolist())}
        for row in rows[:: max(1, len(rows) // 40)]:
            time = float(row["time"])
            drift = [files.at(name, time) for name in ("dy", "dz", "dtheta")]
            yag, zag = predicted_fid(fid["p_lsi"].tolist(), files.header, mounting, *drift)
            number = where[time]
            assert 3600 * float(row["ang_y_sm"]) - yag == pytest.approx(injected.dy[number], abs=2e-5)
            assert 3600 * float(row["ang_z_sm"]) - zag == pytest.approx(injected.dz[number], abs=2e-5)


def test_the_truth_has_the_statistics_that_a_verification_finds(delivery):
    obsid, revision = 8012, 2
    found = {}
    for interval in range(2):
        files = Files(delivery, obsid, revision, interval)
        for star in files.stars:
            for row in files.centroids[files.centroids["slot"] == star["slot"]]:
                _, zag = predicted_star(files, star["pos_eci"].tolist(), float(row["time"]))
                found.setdefault(int(star["slot"]), []).append((3600 * float(row["ang_z"]) - zag, int(row["status"])))
    slots = {each.slot: each for each in files.truth.slots}
    assert slots[7].type == "MONITOR"
    assert slots[0].type == "FID"
    assert sorted(found) == [3, 4, 5, 6, 7]
    for slot, samples in found.items():
        good = [dz for dz, status in samples if status == 0]
        median = statistics.median(good)
        truth = slots[slot]
        assert (truth.n_samples, truth.bad_samples) == (len(samples), len(samples) - len(good))
        assert truth.dz_med == pytest.approx(median, abs=2e-5)
        assert truth.dz_mean == pytest.approx(statistics.mean(good), abs=2e-5)
        rms = math.sqrt(statistics.mean((dz - median) ** 2 for dz in good))
        assert truth.dz_rms == pytest.approx(rms, abs=2e-5)


def test_corrected_columns_are_not_the_solvers_own(delivery):
    files = Files(delivery, 8009, 2)
    star = files.stars[0]
    time = files.time[100]
    own = predicted_star(files, star["pos_eci"].tolist(), time)
    corrected = predicted_star(files, star["pos_eci"].tolist(), time, files.uncorrected)
    assert math.dist(own, corrected) > 1  # who takes the wrong columns sees it at once
    assert abs(files.at("dy", time) - files.at("dy", time, files.uncorrected)) > 0.01


def test_planned_places_are_near_the_real_ones(delivery):
    for obsid, revision in CASES:
        files = Files(delivery, obsid, revision)
        mounting = product(files.aca, files.fts)
        time = files.time[len(files.time) // 2]
        planned = {star.slot: (star.yag, star.zag) for star in files.truth.observation.stars}
        for star in files.stars:
            found = predicted_star(files, star["pos_eci"].tolist(), time)
            assert found == pytest.approx(planned[int(star["slot"])], abs=30)
        planned = {fid.slot: fid.planned for fid in files.truth.observation.fids}
        for fid in files.fids:
            drift = [files.at(name, time) for name in ("dy", "dz", "dtheta")]
            found = predicted_fid(fid["p_lsi"].tolist(), files.header, mounting, *drift)
            shift = -20.5 * files.truth.observation.sim_z_offset
            y, z = planned[int(fid["slot"])]
            assert found == pytest.approx((y, z + shift), abs=200)
