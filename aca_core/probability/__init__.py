"""How likely stars are to be acquired and tracked, by any probability model; and what follows for a catalogue of them.

::

    from aca_core.probability import acq_success_prob, prob_n_acq

    acq_success_prob(date="2013:001", t_ccd=-19, mag=[9.0, 10.3])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.probability.binomial import binom_ppf, binomial_confidence_interval
    from aca_core.probability.catalogs import prob_n_acq, t_ccd_warm_limit
    from aca_core.probability.choice import describe_model
    from aca_core.probability.guide import guide_count, t_ccd_warm_limit_for_guide
    from aca_core.probability.limits import limiting_mag, mag_for_p_acq
    from aca_core.probability.magnitudes import count_rate_to_mag, mag_to_count_rate, snr_mag_for_t_ccd
    from aca_core.probability.outcomes import OutcomeReport, evaluate_outcomes
    from aca_core.probability.plots import plot_outcomes, plot_success
    from aca_core.probability.results import SuccessProb
    from aca_core.probability.seed import get_acq_success, get_guide_success
    from aca_core.probability.success import acq_success_prob, guide_success_prob, success_prob

_HOMES = {
    "binomial": ("binom_ppf", "binomial_confidence_interval"),
    "catalogs": ("prob_n_acq", "t_ccd_warm_limit"),
    "choice": ("describe_model",),
    "guide": ("guide_count", "t_ccd_warm_limit_for_guide"),
    "limits": ("limiting_mag", "mag_for_p_acq"),
    "magnitudes": ("count_rate_to_mag", "mag_to_count_rate", "snr_mag_for_t_ccd"),
    "outcomes": ("OutcomeReport", "evaluate_outcomes"),
    "plots": ("plot_outcomes", "plot_success"),
    "results": ("SuccessProb",),
    "seed": ("get_acq_success", "get_guide_success"),
    "success": ("acq_success_prob", "guide_success_prob", "success_prob"),
}
__all__ = [
    "OutcomeReport",
    "SuccessProb",
    "acq_success_prob",
    "binom_ppf",
    "binomial_confidence_interval",
    "count_rate_to_mag",
    "describe_model",
    "evaluate_outcomes",
    "get_acq_success",
    "get_guide_success",
    "guide_count",
    "guide_success_prob",
    "limiting_mag",
    "mag_for_p_acq",
    "mag_to_count_rate",
    "plot_outcomes",
    "plot_success",
    "prob_n_acq",
    "snr_mag_for_t_ccd",
    "success_prob",
    "t_ccd_warm_limit",
    "t_ccd_warm_limit_for_guide",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
