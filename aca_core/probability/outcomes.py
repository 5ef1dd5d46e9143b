"""Do the stars fail as often as the models say? Any models against a table of what happened."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from aca_core._frozen import FrozenMapping, freeze
from aca_core.arrays import BoolArray, FloatArray
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.models import ProbabilityModel
from aca_core.probability.choice import ChosenModel, choose_model
from aca_core.probability.evaluate import evaluate, report
from aca_core.probability.results import SuccessProb
from aca_core.probability.scores import bin_edges, checked_edges, rates_in_bins, reliability, scores
from aca_core.probability.star_inputs import frac_years
from aca_core.probability.star_tables import StarTable, conditions_for, read_stars
from aca_core.probability.warmth import warm_fractions
from aca_core.tables import rows_of

if TYPE_CHECKING:
    from astropy.table import Table

    from aca_core.dates import DateLike
    from aca_core.models import ModelKind

__all__ = ["OutcomeReport", "evaluate_outcomes"]

MAG_STEP: Final = 0.25
"""Width of the magnitude bins where none are given, mag."""

DEFAULT_DARK_MODEL: Final = "2013"
"""The dark model for the bins of warm fraction, where the table has none and no model uses any."""


@attrs.frozen(kw_only=True, eq=False)
class OutcomeReport:
    """What a comparison of models with outcomes has found.

    Attributes
    ----------
    kind : {'acquisition', 'guide'}
        What succeeded or failed.
    place : str
        Where the outcomes are from.
    models : tuple of str
        The models that were compared, on the same stars.
    n_given, n : int
        Rows of the table, and those that were used.
    left_out : mapping of str to int
        Why rows were left out, and how many.
    ignored : mapping of str to tuple of str
        For each model what the table has and it does not use.
    summary : astropy.table.Table
        A row for each model: ``n``, ``observed`` and ``predicted`` failures, ``ratio`` of the two,
        ``log_likelihood`` (mean of each star), ``brier``, ``clipped`` (see `aca_core.probability.scores`), ``version``
        of the plugin and ``source`` of the formula.
    by_mag, by_warm_frac : astropy.table.Table
        A row for each bin: its edges, ``n``, ``failures``, ``rate`` with its Jeffreys interval of 68.27 %,
        ``rate_low`` to ``rate_high``, and the failure rate that each model predicts, in a column of its name. The
        second is empty where warm fractions cannot be had.
    reliability : astropy.table.Table
        For each ``model``, stars in bins of their predicted failure rate: ``n``, ``failures``, ``predicted``, ``rate``,
        ``rate_low``, ``rate_high``.
    meta : mapping
        What was compared, and the scores of a model that gives each star the mean rate: ``constant_log_likelihood``
        and ``constant_brier``. It is the ``meta`` of every table.
    """

    kind: str
    place: str
    models: tuple[str, ...]
    n_given: int
    n: int
    left_out: Mapping[str, int] = attrs.field(converter=freeze)
    ignored: Mapping[str, tuple[str, ...]] = attrs.field(converter=freeze)
    summary: Table
    by_mag: Table
    by_warm_frac: Table
    reliability: Table
    meta: Mapping[str, Any] = attrs.field(converter=freeze)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as dicts, lists, strings and numbers, for JSON; None for what is not a number.

        Returns
        -------
        dict
        """
        tables = ("summary", "by_mag", "by_warm_frac", "reliability")
        return {
            **self.meta,
            "models": list(self.models),
            "n_given": self.n_given,
            "n": self.n,
            "left_out": dict(self.left_out),
            "ignored": {name: list(inputs) for name, inputs in self.ignored.items()},
            **{name: rows_of(getattr(self, name)) for name in tables},
        }


def evaluate_outcomes(
    outcomes: Any,
    models: str | ProbabilityModel | Sequence[str | ProbabilityModel],
    *,
    kind: ModelKind = "acquisition",
    start: DateLike = None,
    stop: DateLike = None,
    mag_range: tuple[float, float] | None = None,
    mag_bins: Any = None,
    warm_bins: Any = None,
    columns: Mapping[str, str] | None = None,
) -> OutcomeReport:
    """Compare models with a table of what happened to real stars.

    All models are compared on the same stars: those of the range that have what every one of them needs.

    Parameters
    ----------
    outcomes : path-like, astropy.table.Table, or mapping of str to array
        A row for each star: its magnitude, whether it succeeded (or failed), and its CCD temperature and date or the
        warm fraction. `aca_core.probability.star_tables.STAR_COLUMNS` has the names of columns that are known.
    models : str, ProbabilityModel, or a sequence of them
        What is compared.
    kind : {'acquisition', 'guide'}, default 'acquisition'
        What happened to the stars.
    start, stop : date, optional
        Only stars from `start` until before `stop`. A number or a text such as ``2007`` or ``2013.5`` is a year.
    mag_range : tuple of float, optional
        Only stars from the first until before the second magnitude.
    mag_bins, warm_bins : array_like, optional
        Edges of the bins of magnitude and of warm fraction; by default 0.25 mag, and round numbers.
    columns : mapping of str to str, optional
        Columns with other names than the usual ones, for example ``{"mag": "MAG_OBS"}``.

    Returns
    -------
    OutcomeReport

    Raises
    ------
    MissingDataError
        There is no such file, a column that is needed is not there, or no star is left. It is a LookupError.
    UnknownNameError
        A model, a property or a column does not exist. It is a LookupError.
    DeclarationError
        An argument, or a cell of the table, cannot be used. It is a ValueError.
    DateError
        A date is none. It is a ValueError.

    Examples
    --------
    >>> stars = {"mag": [9.0, 9.8, 10.4, 10.4], "warm_frac": [0.1, 0.1, 0.1, 0.1], "fail": [0, 0, 1, 0]}
    >>> report = evaluate_outcomes(stars, ["sota-2013", "sota-2013-referenced"])
    >>> report.summary["ratio"].round(3).tolist()  # predicted over observed failures
    [0.927, 0.618]
    """
    chosen = _chosen_models(models, kind)
    stars = read_stars(outcomes, columns)
    success = _outcome(stars)
    conditions = {each.model.name: conditions_for(each.model, stars) for each in chosen}
    keep, left_out = _selection(stars, success, conditions, (start, stop), mag_range)
    if not keep.any():
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise MissingDataError(f"no star of {stars.place} is left to compare: of {len(stars)}, {reasons or 'none'}")
    results = {}
    for each in chosen:
        inputs = {name: values[keep] for name, values in conditions[each.model.name].items()}
        results[each.model.name] = report(evaluate("evaluate_outcomes", each, inputs))
    given = {name for name in ("color", "halfwidth", "spoiler", "t_ccd", "warm_frac") if name in stars}
    return _put_together(
        stars,
        results,
        success[keep] == 1,
        mag=stars.floats("mag")[keep],
        mag_edges=None if mag_bins is None else checked_edges("mag_bins", mag_bins),
        warm=_warm_fractions(stars, results, keep),
        warm_edges=None if warm_bins is None else checked_edges("warm_bins", warm_bins),
        left_out=left_out,
        ignored={name: tuple(sorted(given - set(used))) for name, used in conditions.items()},
        meta={"stars": stars.place, "kind": kind, **_ranges(start, stop, mag_range)},
    )


def _chosen_models(models: Any, kind: ModelKind) -> list[ChosenModel]:
    if isinstance(models, str | ProbabilityModel):
        models = [models]
    if not isinstance(models, Sequence) or not models:
        raise DeclarationError("evaluate_outcomes", "models", models, "names of models, or models, at least one")
    chosen = [choose_model("evaluate_outcomes", kind, each) for each in models]
    names = [each.model.name for each in chosen]
    if len(set(names)) < len(names):
        raise DeclarationError("evaluate_outcomes", "models", names, "each name once; attrs.evolve gives another name")
    return chosen


def _outcome(stars: StarTable) -> FloatArray:
    """Return 1 for success, 0 for failure, NaN where the table does not say."""
    if "success" not in stars and "fail" in stars:
        return 1.0 - stars.flags("fail")
    if "success" not in stars:
        raise MissingDataError(
            f"{stars.place} does not say what happened; expected a column success, acquired, fail or failed. "
            f"It has {', '.join(stars.table.colnames)}"
        )
    return stars.flags("success")


def _selection(
    stars: StarTable,
    success: FloatArray,
    conditions: Mapping[str, Mapping[str, FloatArray]],
    dates: tuple[DateLike, DateLike],
    mag_range: tuple[float, float] | None,
) -> tuple[BoolArray, dict[str, int]]:
    """Return which rows are compared, and why others are not; a row counts once, for the first reason."""
    import numpy as np

    needed = {"without an outcome": np.isnan(success)}
    if any(each is not None for each in dates):
        secs = stars.secs()
        needed["without a date"] = np.isnan(secs)
        start, stop = (_instant(each, name) for each, name in zip(dates, ("start", "stop"), strict=True))
        if start >= stop:
            raise DeclarationError("evaluate_outcomes", "start, stop", dates, "start before stop")
        needed["outside the range of dates"] = ~((secs >= start) & (secs < stop))
    for inputs in conditions.values():
        for name, values in inputs.items():
            needed.setdefault(f"without {name}", ~np.isfinite(values))
    low, high = _mag_range(mag_range)
    mag = stars.floats("mag")
    needed["outside the range of magnitudes"] = ~((mag >= low) & (mag < high))
    keep, left_out = np.ones(len(stars), bool), {}
    for reason, wrong in needed.items():
        if count := int(np.count_nonzero(keep & wrong)):
            left_out[reason] = count
        keep &= ~wrong
    return keep, left_out


def _instant(value: DateLike, name: str) -> float:
    """Return a limit in time, which may be a year, as CXC seconds; without one the end of time."""
    from aca_core.dates import to_secs

    if value is None:
        return -math.inf if name == "start" else math.inf
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and 1990 <= value <= 2100
    if is_number or (isinstance(value, str) and re.fullmatch(r"\s*(19|20)\d\d(\.\d*)?\s*", value)):
        return float(to_secs(float(value), format="frac_year"))  # type: ignore[arg-type]  # a number, or one as a text
    secs: Any = to_secs(value)
    if getattr(secs, "ndim", 0):
        raise DeclarationError("evaluate_outcomes", name, value, "one date")
    return float(secs)


def _mag_range(mag_range: Any) -> tuple[float, float]:
    if mag_range is None:
        return -math.inf, math.inf
    try:
        low, high = (float(each) for each in mag_range)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not low < high:
        raise DeclarationError("evaluate_outcomes", "mag_range", mag_range, "two magnitudes, the brighter one first")
    return low, high


def _ranges(start: DateLike, stop: DateLike, mag_range: tuple[float, float] | None) -> dict[str, Any]:
    low, high = mag_range or (None, None)
    limits = {"start": start, "stop": stop, "mag_low": low, "mag_high": high}
    plain = {name: value if isinstance(value, int | float) else str(value) for name, value in limits.items()}
    return {name: value for name, value in plain.items() if limits[name] is not None}


def _warm_fractions(
    stars: StarTable, results: Mapping[str, SuccessProb], keep: BoolArray
) -> tuple[FloatArray, str] | None:
    """Return the warm fraction of each star and where it is from; None where it cannot be had."""
    import numpy as np

    if "warm_frac" in stars:
        return stars.floats("warm_frac")[keep], f"column {stars.names['warm_frac']}"
    for result in results.values():
        if result.warm_frac is not None:
            return np.asarray(result.warm_frac), f"dark model {result.provenance['dark_model']}"
    if "t_ccd" not in stars or not stars.has_dates:
        return None
    years, t_ccd = frac_years(stars.secs()[keep]), stars.floats("t_ccd")[keep]
    return warm_fractions(DEFAULT_DARK_MODEL, years, t_ccd, 100.0), f"dark model {DEFAULT_DARK_MODEL}"


def _put_together(
    stars: StarTable,
    results: Mapping[str, SuccessProb],
    success: BoolArray,
    *,
    mag: FloatArray,
    mag_edges: FloatArray | None,
    warm: tuple[FloatArray, str] | None,
    warm_edges: FloatArray | None,
    left_out: Mapping[str, int],
    ignored: Mapping[str, tuple[str, ...]],
    meta: dict[str, Any],
) -> OutcomeReport:
    """Put the tables together."""
    import numpy as np
    from astropy.table import Table, vstack

    probs = {name: np.asarray(result.prob) for name, result in results.items()}
    constant = scores(np.full(success.shape, success.mean()), success)
    meta |= {"n": int(success.size), "warm_frac_from": warm[1] if warm else "nothing"}
    meta |= {f"constant_{name}": constant[name] for name in ("log_likelihood", "brier")}
    rows = [
        {
            "model": name,
            **scores(prob, success),
            "version": results[name].version,
            "source": results[name].provenance["source"],
        }
        for name, prob in probs.items()
    ]
    edges = bin_edges(mag, MAG_STEP) if mag_edges is None else mag_edges
    by_warm = Table()
    if warm is not None:
        finite = np.isfinite(warm[0])
        warm_edges = bin_edges(warm[0][finite]) if warm_edges is None else warm_edges
        by_warm = rates_in_bins(warm[0], warm_edges, success, probs, "warm_frac")
    diagrams = []
    for name, prob in probs.items():
        diagram = reliability(prob, success)
        diagram.add_column([name] * len(diagram), name="model", index=0)
        diagrams.append(diagram)
    tables = {
        "summary": Table(rows=rows),
        "by_mag": rates_in_bins(mag, edges, success, probs, "mag"),
        "by_warm_frac": by_warm,
        "reliability": vstack(diagrams),
    }
    for table in tables.values():
        table.meta.update(meta)
    return OutcomeReport(
        kind=str(meta["kind"]),
        place=stars.place,
        models=tuple(results),
        n_given=len(stars),
        n=int(success.size),
        left_out=left_out,
        ignored=FrozenMapping(ignored),
        meta=meta,
        **tables,
    )
