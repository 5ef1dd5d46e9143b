"""How fast stars are answered: a million at once, against star by star with the same formulas in numpy.

Run it with ``python tests/benchmarks/probability.py [FOLDER]``, where FOLDER holds operational grid files; without it a
synthetic one of the same size is made. What goes star by star is measured on fewer stars and scaled, and checked to
give the same values; what ours does is the least of a few runs of the whole. Two loops are measured: the formulas as
anybody would write them down for one star, in numpy, and our own function called for each star.
"""

from __future__ import annotations

import itertools
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from aca_plugins.grid import grid_model
from aca_plugins.sota_2017 import NO_MS
from aca_plugins.spline_2018 import KNOTS, MAGS
from astropy.io import fits
from scipy.interpolate import CubicSpline, RegularGridInterpolator
from scipy.stats import norm

from aca_core import Registry
from aca_core.dates import to_frac_year, to_secs
from aca_core.probability import acq_success_prob, get_acq_success, prob_n_acq, t_ccd_warm_limit

FEW = 500
"""Stars that are measured one by one."""

SIZES = (10_000, 1_000_000)

CATALOGS, STARS = 10_000, 8

SMOOTHING = np.exp(-0.5 * ((-0.75 + 0.1 * np.arange(15)) / 0.3) ** 2)
SMOOTHING /= SMOOTHING.sum()


def seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """Return the least time of a few runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


# ---- star by star ---------------------------------------------------------------------------------------------------


def warm_fraction(year: float, t_ccd: float, dark_model: str) -> float:
    """Return the warm fraction as anybody would compute it who has the formulas."""
    n, t_ref = (79, -19.0) if dark_model == "2013" else (74, -14.0)
    edges = 2 * 10 ** (0.05 * np.arange(n + 1)) * (1 - 1e-15)
    centres = np.sqrt(edges[1:] * edges[:-1])
    if dark_model == "2013":
        g1, g2, ampl = 0.05, 3.15, (year - 2000) * 1390.2 + 1666.4
        years = [1999.0, 2000.9, 2003.5, 2007.0, 2007.01, 2011.5, 2011.51, 2013.7]
        breaks = [125.0, 125.0, 110.0, 117.8, 111.5, 125.0, 108.8, 115.0]
        x_b = np.interp(year, years, breaks) + max(year - 2013.7, 0) * (115.0 - 108.8) / (2013.7 - 2011.51)
        law = ampl * (centres / 50) ** -g1
        beyond = centres > x_b
        law[beyond] = ampl * (x_b / 50) ** (g2 - g1) * (centres[beyond] / 50) ** -g2
    else:
        d = year - 2012
        g1 = 0.075 + (-0.00692 if d < 0 else -0.0207) * d
        g2 = 3.32 + (0.0203 if d < 0 else 0) * d
        g3, x_b, ampl = 2.40 + 0.061 * d, 192 + 0.1 * d, 18400 + (1450 if d < 0 else 742) * d
        law = ampl * (centres / 50) ** -g1
        a2 = ampl * (x_b / 50) ** (g2 - g1)
        law = np.where(centres < x_b, law, a2 * (centres / 50) ** -g2)
        law = np.where(centres < 1000, law, a2 * (1000 / 50) ** (g3 - g2) * (centres / 50) ** -g3)
    counts = np.convolve(law, SMOOTHING, mode="same")
    edges = edges * np.exp(np.log(0.7) / 4 * (t_ref - t_ccd))
    i = int(np.searchsorted(edges, 100.0))
    m = np.log(counts[i] / counts[i - 1]) / np.log(edges[i] / edges[i - 1])
    high, low, at = np.log(edges[i]), np.log(edges[i - 1]), np.log(100.0)
    part = counts[i] * (high**m - at**m) / (high**m - low**m)
    return float((counts[i:].sum() + part) / 1024**2)


def star_2013(date: float, t_ccd: float, mag: float) -> float:
    """Return the success by the model of 2013."""
    x = min(max(mag, 8.41), 11.0) - 10
    w = warm_fraction(to_frac_year(date), t_ccd, "2013")
    fail = 10 ** (-1.489 + 0.888 * x + 0.280 * x**2) + 10 ** (0.185 + 0.990 * x - 0.491 * x**2) * w
    return float(np.clip(1 - fail, 0, 1))


def star_2017(date: float, t_ccd: float, mag: float) -> float:
    """Return the success by the model of 2017."""
    x = mag - 10
    w = warm_fraction(to_frac_year(date), t_ccd, "2017")
    probit = np.polyval(NO_MS.offset[::-1], x) + np.polyval(NO_MS.scale[::-1], x) * w
    return float(np.clip(0.985 if mag < 8.5 else norm.sf(probit), 1e-6, 0.985))


def star_spline(splines: list[CubicSpline], t_ccd: float, mag: float) -> float:
    """Return the success by the model of 2018."""
    t = t_ccd + 12
    probit = sum(spline(max(mag, 8.5)) * t**power for power, spline in enumerate(splines))
    return float(np.clip(norm.sf(probit), 1e-6, 0.985))


def star_grid(interpolate: RegularGridInterpolator, t_ccd: float, mag: float) -> float:
    """Return the success by a grid."""
    return float(norm.sf(interpolate([mag, t_ccd, 120.0])[0]))


def by_all_outcomes(probs: np.ndarray) -> np.ndarray:
    """Return the distribution of the number of stars from all their outcomes."""
    found = np.zeros(len(probs) + 1)
    for outcome in itertools.product([False, True], repeat=len(probs)):
        found[sum(outcome)] += math.prod(p if ok else 1 - p for p, ok in zip(probs, outcome, strict=True))
    return found


# ---- the tables -----------------------------------------------------------------------------------------------------


def grid_file(folder: Path) -> Path:
    """Return the newest operational grid file of a folder, or a synthetic one in its place."""
    found = sorted(folder.glob("grid-local-quadratic-*.fits.gz"))
    if found:
        return found[-1]
    axes = {"MAG": np.linspace(5, 10.75, 16), "T_CCD": np.linspace(-15, 2, 15), "HALFW": np.linspace(60, 160, 6)}
    header = fits.Header({"MDL_NAME": "synthetic"})
    for name, axis in axes.items():
        header[f"{name}_N"], header[f"{name}_LO"], header[f"{name}_HI"] = axis.size, axis[0], axis[-1]
    mag, t_ccd, halfwidth = np.meshgrid(*axes.values(), indexing="ij")
    image = (0.3 * (mag - 10) + 0.05 * (t_ccd + 10) + halfwidth / 600 - 1.5).astype("f4")
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(image), fits.ImageHDU(image)]
    fits.HDUList(hdus).writeto(folder / "grid-synthetic-2000-01.fits")
    return folder / "grid-synthetic-2000-01.fits"


def models(grid: Any) -> Iterator[tuple[str, Any, Callable[[float, float, float], float]]]:
    """Yield each model with its name, and what answers for one star (date, temperature, magnitude)."""
    yield "sota-2013", Registry().model("sota-2013", "acquisition"), star_2013
    yield "sota-2017", Registry().model("sota-2017", "acquisition"), star_2017
    splines = [CubicSpline(MAGS, values, bc_type=((1, 0.0), (2, 0.0))) for values in KNOTS]
    yield "spline-2018", Registry().model("spline-2018", "acquisition"), lambda _, t, m: star_spline(splines, t, m)
    table = grid.table()
    interpolate = RegularGridInterpolator(tuple(table.axes.values()), table.probits[0])
    yield f"grid ({table.name})", grid, lambda _, t, m: star_grid(interpolate, t, m)


def measure_stars(grid: Any) -> None:
    """Print how long stars take that all differ in date, temperature and magnitude."""
    rng = np.random.default_rng(1999)
    count = max(SIZES)
    dates = rng.uniform(to_secs("2008:001"), to_secs("2022:001"), count)
    t_ccds, mags = rng.uniform(-15, -5, count), rng.uniform(8.5, 10.7, count)
    heads = ["one star, by its own call (µs)", "one star, by the formulas alone (µs)"]
    for size in SIZES:
        heads += [f"{size:,} (ms)", "calls / array", "formulas / array"]
    print(f"| stars by model | {' | '.join(heads)} |")
    print(f"|---|{'---:|' * len(heads)}")
    for name, model, star in models(grid):
        needs_date = "warm_frac" in model.inputs

        def answer(size: int, model: Any = model, needs_date: bool = needs_date) -> Any:
            return acq_success_prob(dates[:size] if needs_date else None, t_ccds[:size], mags[:size], model=model)

        def loop(star: Callable[..., float] = star) -> list[float]:
            return [star(*each) for each in zip(dates[:FEW].tolist(), t_ccds[:FEW], mags[:FEW], strict=True)]

        def alone(model: Any = model, needs_date: bool = needs_date) -> object:
            date = "2013:001" if needs_date else None
            return [acq_success_prob(date, -11.0, 10.3, model=model) for _ in range(200)]

        np.testing.assert_allclose(answer(FEW), loop(), rtol=1e-6)
        call, formula = seconds(alone) / 200, seconds(loop) / FEW
        cells = [f"{call * 1e6:.0f}", f"{formula * 1e6:.0f}"]
        for size in SIZES:
            took = seconds(lambda size=size: answer(size), 20 if size < 1e6 else 3)
            cells += [f"{took * 1e3:.1f}", f"{call * size / took:,.0f}", f"{formula * size / took:,.0f}"]
        print(f"| {name} | {' | '.join(cells)} |")


def measure_catalogs() -> None:
    """Print how long catalogues take."""
    rng = np.random.default_rng(1999)
    probs = rng.uniform(0.3, 0.99, (CATALOGS, STARS))
    few = probs[:50]
    np.testing.assert_allclose(prob_n_acq(few)[0], [by_all_outcomes(each) for each in few], rtol=1e-9)
    loop = seconds(lambda: [by_all_outcomes(each) for each in few], 3) * CATALOGS / len(few)
    ours = seconds(lambda: prob_n_acq(probs))
    print(f"\n| {CATALOGS:,} catalogues of {STARS} stars | ms | one by one / array |\n|---|---:|---:|")
    print(f"| prob_n_acq, against all 2^{STARS} outcomes of each | {ours * 1e3:.1f} | {loop / ours:,.0f} |")
    mags = rng.uniform(9.5, 10.6, (1000, STARS))
    ours = seconds(lambda: t_ccd_warm_limit(mags, "2015:001", model="sota-2017"), 2)
    alone = seconds(lambda: [t_ccd_warm_limit(each, "2015:001", model="sota-2017") for each in mags[:20]], 2) * 50
    print(f"| t_ccd_warm_limit of 1,000, against a call for each | {ours * 1e3:.1f} | {alone / ours:,.0f} |")
    one = seconds(lambda: [get_acq_success("2013:001", -19.0, 10.3) for _ in range(200)]) / 200
    print(f"\nget_acq_success of one star: {one * 1e6:.0f} µs.")


def main() -> None:
    """Print the tables."""
    print(f"What goes one by one is measured on {FEW} stars (50 catalogues) and scaled.\n")
    with tempfile.TemporaryDirectory(prefix="aca_grids_") as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        measure_stars(grid_model(grid_file(folder)))
    measure_catalogs()


if __name__ == "__main__":
    main()
