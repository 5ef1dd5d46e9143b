"""What authors of plugins need to test them: contracts to inherit, an installer of throw-away plugins, small files.

Subclass a contract, give it one fixture, and its tests run on your declaration::

    class TestLogistic(aca_core.testing.ProbabilityModelContract):
        @pytest.fixture
        def model(self):
            return LogisticModel(name="logistic", kind="acquisition")

The fixture ``install_plugin`` is there wherever aca-core and pytest are installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.testing.archiving import ArchivingContract
    from aca_core.testing.contracts import (
        ArchiveProductContract,
        CatalogueContract,
        OfferContract,
        RetrieverContract,
    )
    from aca_core.testing.dark_contract import DarkSourceContract
    from aca_core.testing.factories import (
        SYNTHETIC,
        write_dark_calibration,
        write_fits,
        write_parameter_file,
        write_text,
    )
    from aca_core.testing.fixtures import PluginInstaller
    from aca_core.testing.model_contract import ProbabilityModelContract
    from aca_core.testing.shelf import DeliveryShelf

_HOMES = {
    "archiving": ("ArchivingContract",),
    "contracts": (
        "ArchiveProductContract",
        "CatalogueContract",
        "OfferContract",
        "RetrieverContract",
    ),
    "dark_contract": ("DarkSourceContract",),
    "factories": ("SYNTHETIC", "write_dark_calibration", "write_fits", "write_parameter_file", "write_text"),
    "fixtures": ("PluginInstaller",),
    "model_contract": ("ProbabilityModelContract",),
    "shelf": ("DeliveryShelf",),
}
__all__ = [
    "SYNTHETIC",
    "ArchiveProductContract",
    "ArchivingContract",
    "CatalogueContract",
    "DarkSourceContract",
    "DeliveryShelf",
    "OfferContract",
    "PluginInstaller",
    "ProbabilityModelContract",
    "RetrieverContract",
    "write_dark_calibration",
    "write_fits",
    "write_parameter_file",
    "write_text",
]


# The factories need no pytest, and pytest loads the fixtures long before it may see numpy.
__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
