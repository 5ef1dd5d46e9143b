"""``mica.archive.aca_dark.dark_model``: the dark-current model of 2013 and star success. See `aca_core.dark_model`."""

from __future__ import annotations

from aca_core.dark_model import (
    acq_success_prob,
    get_acq_success,
    get_dark_hist,
    get_dark_model,
    get_guide_success,
    get_sbp_pars,
    get_warm_fracs,
    smooth_broken_pow,
    temp_scalefac,
)

__all__ = [
    "acq_success_prob",
    "get_acq_success",
    "get_dark_hist",
    "get_dark_model",
    "get_guide_success",
    "get_sbp_pars",
    "get_warm_fracs",
    "smooth_broken_pow",
    "temp_scalefac",
]
