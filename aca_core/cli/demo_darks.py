"""The dark half of ``aca demo``: synthetic calibrations, their entries, warm pixels, and what stars make of them."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aca_core.cli.dark_make import write_dark_update
from aca_core.cli.dark_models import write_history
from aca_core.cli.output import counted, write_lines, write_table

if TYPE_CHECKING:
    from aca_core.archive import Archive
    from aca_core.cli.session import Session
    from aca_core.registry import Registry
    from aca_core.simulation.dark_truth import DarkCalTruth

__all__ = ["DARKS", "answer_darks", "deliver_darks", "suggest_darks", "update_darks"]

DARKS: Final = "darks"

_IDS: Final = ("1999223", "2002338", "2005247", "2009050", "2014289", "2017185", "2020152", "2023101")
"""Some days over the mission; most of them had a calibration in flight."""

_T_CCD_REF: Final = -10.0
"""About as warm as the CCD is in these years, degC."""

_MAGS: Final = (8.4, 8.8, 9.1, 9.3, 9.5, 9.7, 9.9, 10.1)
"""A catalog as there are many: eight stars, some of them faint."""

_BAR: Final = 24


def deliver_darks(folder: Path, seed: int) -> None:
    """Simulate dark calibrations as they come from the ground, unless they are there.

    Parameters
    ----------
    folder : Path
        Of the demonstration.
    seed : int
        What they are drawn from.
    """
    from aca_core.simulation import SYNTHETIC, simulate_dark_calibrations

    place = folder / DARKS
    if place.exists():
        click.echo(f"{place} has simulated dark calibrations, and is used as it is: {SYNTHETIC}.")
        return

    def tell(made: DarkCalTruth) -> None:
        click.echo(f"made dark calibration {made.dark_id}", err=True)

    # Under its name only when it is whole, as the delivery.
    part = place.with_name(f".{place.name}.new")
    shutil.rmtree(part, ignore_errors=True)
    simulate_dark_calibrations(part, _IDS, seed=seed, told=tell)
    part.rename(place)
    write_lines([f"Simulated {counted(len(_IDS), 'dark calibration')} in {place}: {SYNTHETIC}."])


def update_darks(archive: Archive) -> bool:
    """Make the entries of the calibrations, and say which; return whether all could be made."""
    from aca_core.dark_processing import update_dark_cals

    settings = archive.config.dark
    click.echo(f"\nThe dark update: maps of {settings.processed_from!r} become entries of {settings.source!r}.\n")
    report = update_dark_cals(archive, start="1999:001")
    write_dark_update(report)
    return not report.ids("failed")


# ---- what can be asked ----------------------------------------------------------------------------------------------


def answer_darks(archive: Archive, session: Session) -> None:
    """Ask how many pixels are warm, and how likely the stars of a catalog are to be acquired.

    Parameters
    ----------
    archive : Archive
        That of the demonstration.
    session : Session
        Of this run.
    """
    from aca_core.archive import using
    from aca_core.dark_cal import get_dark_cal_props, warm_fraction_history

    with using(archive), session.warnings_to_stderr():
        history = warm_fraction_history(t_ccd_ref=_T_CCD_REF)
        threshold = history.meta["threshold"]
        click.echo()
        write_lines([f"How many pixels of the CCD are warm, above {threshold:g} e-/s? Synthetic, as everything:"])
        click.echo()
        write_history(history, bars=_BAR)
        last = str(history["date"][-1])
        _ask_of_stars(last, float(get_dark_cal_props(last)["ccd_temp"]))


def _ask_of_stars(date: str, t_ccd: float) -> None:
    """Ask how likely the stars of a catalog are to be acquired at a date and a temperature."""
    import numpy as np

    from aca_core.archive import current_registry
    from aca_core.probability import prob_n_acq, success_prob, t_ccd_warm_limit

    click.echo(f"\nHow likely is each star of a catalog acquired on {date} at {t_ccd:.1f} degC?\n")
    names = _models_to_compare(current_registry())
    results = [success_prob("acquisition", date=date, t_ccd=t_ccd, mag=_MAGS, model=name) for name in names]
    chosen, probs = results[0], np.asarray(results[0].prob)
    headings = ("mag", *(f"p_acq {each.model}" for each in results))
    stars = zip(_MAGS, *(np.asarray(each.prob) for each in results), strict=True)
    write_table(headings, [(f"{mag:.1f}", *(f"{p:.3f}" for p in each)) for mag, *each in stars], right=headings)
    _, cumulative = prob_n_acq(probs)
    few = ", ".join(f"{number} or fewer {cumulative[number]:.2g}" for number in (2, 3, 4, 5))
    enough = math.ceil(probs.sum())
    limit, _ = t_ccd_warm_limit(_MAGS, date, min_n_acq=float(enough))
    write_lines(
        [
            "",
            f"By {chosen.model}, {probs.sum():.2f} of the {len(_MAGS)} are expected; probability of {few}.",
            f"For {enough} to be expected, the CCD would have to be at {limit:.1f} degC or cooler.",
        ]
    )


def _models_to_compare(registry: Registry) -> list[str]:
    """Return the acquisition model that is configured, and the first one that stands on another dark model, if any."""
    from aca_core.models import ProbabilityModel

    chosen = registry.model(registry.config.probability.acquisition, "acquisition")
    others = [
        model.name
        for model in registry.offers(ProbabilityModel)
        if model.kind == chosen.kind and model.dark_model not in (None, chosen.dark_model)
    ]
    return [chosen.name, *others[:1]]


def suggest_darks(archive: Archive) -> list[tuple[str, str]]:
    """Return commands to go on with, and what they show."""
    from aca_core.archive import using
    from aca_core.dark_cal import get_dark_cal_ids, get_dark_cal_props

    with using(archive):
        last = get_dark_cal_props(list(get_dark_cal_ids())[-1])
    date = str(last["date"])
    return [
        ("dark list", "the dark calibrations"),
        (f"dark image {date} --t-ccd-ref {_T_CCD_REF:g}", "a map; --out dark.fits writes it"),
        (
            f"dark plot --t-ccd-ref {_T_CCD_REF:g} --table",
            "warm pixels; without --table, drawn",
        ),
        (
            f"prob acq --date {date} --t-ccd {last['ccd_temp']:.1f} --mag 9.5",
            "how likely a star is acquired",
        ),
    ]
