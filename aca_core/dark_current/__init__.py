"""Models of the CCD's dark current: how many pixels have which dark current, at any date and temperature.

::

    from aca_core.dark_current import get_dark_model, warm_fraction

    warm_fraction("2013:001", -19.0)
    get_dark_model("2013:001", -19.0).quantile(0.9)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.dark_current.against_flight import DarkReport, evaluate_dark_models
    from aca_core.dark_current.flight_plot import plot_dark_report
    from aca_core.dark_current.images import degraded_ccd, pristine_ccd, synthetic_dark_image
    from aca_core.dark_current.laws import DARK_LAWS, DarkLaw, dark_law
    from aca_core.dark_current.model import DarkModel, get_dark_model
    from aca_core.dark_current.scaling import SCALE_4C, dark_temp_scale, dark_temp_scale_img
    from aca_core.dark_current.warm_fractions import WARM_METHODS, warm_fraction, warm_fraction_at

_HOMES = {
    "against_flight": ("DarkReport", "evaluate_dark_models"),
    "flight_plot": ("plot_dark_report",),
    "images": ("degraded_ccd", "pristine_ccd", "synthetic_dark_image"),
    "laws": ("DARK_LAWS", "DarkLaw", "dark_law"),
    "model": ("DarkModel", "get_dark_model"),
    "scaling": ("SCALE_4C", "dark_temp_scale", "dark_temp_scale_img"),
    "warm_fractions": ("WARM_METHODS", "warm_fraction", "warm_fraction_at"),
}
__all__ = [
    "DARK_LAWS",
    "SCALE_4C",
    "WARM_METHODS",
    "DarkLaw",
    "DarkModel",
    "DarkReport",
    "dark_law",
    "dark_temp_scale",
    "dark_temp_scale_img",
    "degraded_ccd",
    "evaluate_dark_models",
    "get_dark_model",
    "plot_dark_report",
    "pristine_ccd",
    "synthetic_dark_image",
    "warm_fraction",
    "warm_fraction_at",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
