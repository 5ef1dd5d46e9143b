"""An independent verification, one sample at a time and in plain Python: what the fast one is compared with."""

from __future__ import annotations

import bisect
import math
import statistics

from astropy.io import fits

R2A = 180 * 3600 / math.pi
OWN = {"dy": "ady", "dz": "adz", "dtheta": "adtheta", "q_att": "q_att_raw"}


def median_around(values, width):
    """The median of each value and its neighbours; the ends are repeated."""
    width = min(width, len(values) - 1 + len(values) % 2)
    half = width // 2
    padded = [values[0]] * half + list(values) + [values[-1]] * half
    return [statistics.median(padded[place : place + width]) for place in range(len(values))]


class SlowInterval:
    """The files of one aspect interval, as lists of numbers."""

    def __init__(self, folder, stem):
        read = {}
        for kind in ("asol1", "acal1", "acen1", "gspr1", "fidpr1"):
            with fits.open(folder / f"{stem}_{kind}.fits.gz") as hdus:
                read[kind] = hdus[1].data.copy(), dict(hdus[1].header)
        solution = read["asol1"][0]
        names = OWN if "ady" in solution.dtype.names else {name: name for name in OWN}
        self.time = solution["time"].tolist()
        self.solution = {name: solution[theirs].tolist() for name, theirs in names.items()}
        calibration = read["acal1"][0][0]
        self.aca, self.fts = (calibration[f"{name}_misalign"].reshape(3, 3).tolist() for name in ("aca", "fts"))
        self.stars = {int(row["slot"]): row["pos_eci"].tolist() for row in read["gspr1"][0]}
        self.fids = {int(row["slot"]): row["p_lsi"].tolist() for row in read["fidpr1"][0]}
        self.frames = read["fidpr1"][1]
        self.integration = read["acen1"][1]["INTGTIME"]
        rows = read["acen1"][0]
        inside = (rows["time"] >= self.time[0]) & (rows["time"] <= self.time[-1])
        self.centroids = rows[(rows["alg"] == 8) & inside]

    def rows(self, slot):
        return self.centroids[self.centroids["slot"] == slot]

    def residuals(self, slot, row):
        """Return dy, dz, dr of one centroid, arcsec."""
        ending = "_sm" if slot in self.fids else ""
        y, z = (float(row[f"ang_{axis}{ending}"]) for axis in "yz")
        yag, zag = self._predicted(slot, float(row["time"]))
        return 3600 * y - yag, 3600 * z - zag, 3600 * degrees_apart(yag / 3600, zag / 3600, y, z)

    def magnitudes(self, slot):
        """Return the magnitudes of a slot, None where there is no signal."""
        counts = self.rows(slot)["counts"].tolist()
        enough = [place for place, value in enumerate(counts) if value > 10]
        raw = [10.32 - 2.5 * math.log10(counts[place] / self.integration / 5263.0) for place in enough]
        found = [None] * len(counts)
        for place, mag in zip(enough, median_around(raw, 3), strict=True):
            found[place] = mag
        return found

    def sim_offsets(self):
        """Return the running medians of dy and dz, arcsec."""
        return [median_around([20.0 * value for value in self.solution[name]], 21) for name in ("dy", "dz")]

    def _at(self, name, time):
        values = self.solution[name]
        after = min(max(bisect.bisect_right(self.time, time), 1), len(self.time) - 1)
        before = after - 1
        part = (time - self.time[before]) / (self.time[after] - self.time[before])
        if isinstance(values[0], list):
            return [a + part * (b - a) for a, b in zip(values[before], values[after], strict=True)]
        return values[before] + part * (values[after] - values[before])

    def _predicted(self, slot, time):
        if slot in self.stars:
            body = apply(transposed(transform(self._at("q_att", time))), self.stars[slot])
            return angles(apply(self.aca, body))
        lsi, stt = ([self.frames[f"{name}{axis}"] for axis in (1, 2, 3)] for name in ("LSI0STT", "STT0STF"))
        x, y, z = (sum(parts) for parts in zip(self.fids[slot], lsi, stt, strict=True))
        dy, dz, dtheta = (self._at(name, time) for name in ("dy", "dz", "dtheta"))
        th = math.radians(dtheta)
        p_fc = [x, math.cos(th) * y + math.sin(th) * z + dy, -math.sin(th) * y + math.cos(th) * z + dz]
        return angles(apply(self.aca, apply(self.fts, [self.frames["RRC0FCX"] - p_fc[0], -p_fc[1], -p_fc[2]])))


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


def degrees_apart(longitude, latitude, other_longitude, other_latitude):
    """The angle between two directions by the vectors, which is good to a part in 1e8 for arcseconds."""
    one, other = (
        (math.cos(b) * math.cos(a), math.cos(b) * math.sin(a), math.sin(b))
        for a, b in (
            (math.radians(longitude), math.radians(latitude)),
            (math.radians(other_longitude), math.radians(other_latitude)),
        )
    )
    return math.degrees(2 * math.asin(math.dist(one, other) / 2))
