"""Make the tables and pictures of the page that compares models with flight; ``python docs/_flight.py`` writes them.

The flight data is no part of the project: it is looked for in ``../shared/real``, or in the folder that is named. A
table goes between two marks of the page, ``<!-- flight NAME -->`` and ``<!-- flight end -->``; ``tests/docs`` makes
the tables again where the data is there, and compares.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from aca_core import AcaWarning
from aca_core.dark_current import DarkReport, evaluate_dark_models, plot_dark_report
from aca_core.figures import save_figure
from aca_core.probability import OutcomeReport, evaluate_outcomes, plot_outcomes, plot_success

DOCS: Final = Path(__file__).parent
FLIGHT_DATA: Final = DOCS.parent.parent / "shared" / "real"
PAGE: Final = DOCS / "explanation" / "models-against-flight.md"

MODELS: Final = ("sota-2013", "sota-2013-referenced", "sota-2017-ms", "sota-2017")
DRAWN: Final = ("sota-2013", "sota-2013-referenced", "sota-2017-ms")
MAGS: Final = (8.5, 11.0)


def outcomes(data: Path, models: Iterable[str], start: float, stop: float, **options: Any) -> OutcomeReport:
    """Return the comparison with the acquisitions of some years.

    Parameters
    ----------
    data : Path
        The folder of flight data.
    models : iterable of str
        Which models.
    start, stop : float
        Years.
    **options
        Of `evaluate_outcomes`.

    Returns
    -------
    OutcomeReport
    """
    path = data / "acq_outcomes.npz"
    return evaluate_outcomes(path, list(models), start=start, stop=stop, mag_range=MAGS, **options)


def dark(data: Path) -> DarkReport:
    """Return the comparison with the dark calibrations.

    Parameters
    ----------
    data : Path
        The folder of flight data.

    Returns
    -------
    DarkReport
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AcaWarning)  # the page says that one model is asked for years before its own
        return evaluate_dark_models(data / "dark_cals_with_temp.csv")


# ---- tables ---------------------------------------------------------------------------------------------------------


def scores_table(data: Path) -> str:
    """Return the scores of the models, before and after the fits of 2013 ended."""
    rows = []
    for start, stop in ((2007.0, 2014.0), (2014.0, 2014.5)):
        report = outcomes(data, MODELS, start, stop)
        first = report.summary[0]
        for row in report.summary:
            scores = (f"{row['ratio']:.3f}", f"{row['log_likelihood']:.4f}", f"{row['brier']:.5f}")
            rows.append((f"{start:.1f}-{stop:.1f}", f"`{row['model']}`", f"{row['predicted']:.0f}", *scores))
        constant = (f"{report.meta['constant_log_likelihood']:.4f}", f"{report.meta['constant_brier']:.5f}")
        years = f"{start:.1f}-{stop:.1f}"
        rows.append((years, f"observed, of {report.n}; one rate for all", f"{first['observed']}", "1.000", *constant))
    return markdown(("years", "model", "failures", "ratio", "log likelihood", "Brier"), rows, numbers=4)


def magnitudes_table(data: Path) -> str:
    """Return the failure rates by magnitude."""
    edges = [8.5, 9.0, 9.5, 9.75, 10.0, 10.25, 10.5, 10.75, 11.0]
    report = outcomes(data, DRAWN, 2007.0, 2014.0, mag_bins=edges)
    return rates(report.by_mag, "mag", DRAWN, "magnitude")


def warmth_table(data: Path) -> str:
    """Return the failure rates by warm fraction."""
    return rates(outcomes(data, DRAWN, 2007.0, 2014.0).by_warm_frac, "warm_frac", DRAWN, "warm fraction")


def rates(table: Any, name: str, models: Iterable[str], title: str) -> str:
    """Return a table of failure rates as Markdown."""
    rows = [
        (
            f"{row[f'{name}_low']:g}-{row[f'{name}_high']:g}",
            f"{row['n']}",
            f"{row['rate']:.4f}",
            f"{row['rate_low']:.4f}-{row['rate_high']:.4f}",
            *(f"{row[model]:.4f}" for model in models),
        )
        for row in table
    ]
    heads = (title, "stars", "observed", "68 % interval", *(f"`{model}`" for model in models))
    return markdown(heads, rows, numbers=len(heads) - 1)


def dark_table(data: Path) -> str:
    """Return the ratios of the dark models."""
    rows = [
        (
            str(row["model"]),
            str(row["period"]),
            f"{row['start']:.1f}-{row['stop']:.1f}",
            f"{row['n']}",
            *(f"{row[name]:.3f}" for name in ("median", "scatter", "least", "greatest")),
        )
        for row in dark(data).summary
    ]
    heads = ("model", "its fit", "years", "calibrations", "median ratio", "scatter", "least", "greatest")
    return markdown(heads, rows, numbers=5)


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: int) -> str:
    """Return a table as Markdown, its last columns aligned on the right.

    Parameters
    ----------
    heads : iterable of str
        One for each column.
    rows : iterable of iterable of str
        The cells.
    numbers : int
        How many of the last columns are numbers.

    Returns
    -------
    str
    """
    heads = list(heads)
    marks = ["---"] * (len(heads) - numbers) + ["---:"] * numbers
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, marks, *rows))


TABLES: Final[Mapping[str, Callable[[Path], str]]] = {
    "scores": scores_table,
    "magnitudes": magnitudes_table,
    "warm fractions": warmth_table,
    "dark": dark_table,
}


# ---- into the page --------------------------------------------------------------------------------------------------


def with_tables(text: str, data: Path) -> str:
    """Return a page with its tables made again.

    Parameters
    ----------
    text : str
        The page.
    data : Path
        The folder of flight data.

    Returns
    -------
    str
    """

    def made(mark: re.Match[str]) -> str:
        return f"<!-- flight {mark[1]} -->\n\n{TABLES[mark[1]](data)}\n\n<!-- flight end -->"

    return re.sub(r"<!-- flight (?!end)([\w ]+) -->.*?<!-- flight end -->", made, text, flags=re.DOTALL)


def draw(data: Path, folder: Path) -> list[Path]:
    """Draw the pictures of the page, and that of the page on star probabilities.

    Parameters
    ----------
    data : Path
        The folder of flight data.
    folder : Path
        Where they are written to.

    Returns
    -------
    list of Path
    """
    pictures = {
        "acquisition-outcomes": plot_outcomes(outcomes(data, DRAWN, 2007.0, 2014.0)),
        "acquisition-success": plot_success(
            "acquisition", list(DRAWN[:2]), date="2013:001", t_ccds=[-19, -15, -11, -7]
        ),
        "dark-models": plot_dark_report(dark(data)),
    }
    return [save_figure(figure, folder / f"{name}.png", dpi=100) for name, figure in pictures.items()]


def main() -> int:
    """Write the tables into the page, and the pictures beside the others."""
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else FLIGHT_DATA
    if not data.is_dir():
        print(f"there is no flight data in {data}; name its folder", file=sys.stderr)
        return 1
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), data), encoding="utf-8")
    for path in draw(data, DOCS / "images"):
        print(f"{path.relative_to(DOCS.parent)}: {path.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
