"""The archive: takes deliveries in whole or not at all, keeps them by observation and revision or by day, answers.

::

    from aca_core.archive import open_archive

    archive = open_archive("/data/aca/archive")
    archive["asp1"].get_files(8008, content="ASPSOL")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.archive.adopt import ExaminedArchive, ExaminedProduct, examine_archive
    from aca_core.archive.archive import Archive, open_archive
    from aca_core.archive.column_store.keeping import ColumnKeeper, ColumnReport
    from aca_core.archive.column_store.reading import TableRows
    from aca_core.archive.current import ProductFunctions, current_archive, current_registry, using
    from aca_core.archive.day_archive import DayArchive
    from aca_core.archive.explain import Explanation, explain_obsid
    from aca_core.archive.findings import Finding
    from aca_core.archive.items import Item
    from aca_core.archive.obs_archive import ObsArchive
    from aca_core.archive.product_archive import ProductArchive
    from aca_core.archive.reports import UpdateOptions, UpdateReport
    from aca_core.archive.sets import ProductUpdate, chosen_products, plan_products, update_products
    from aca_core.archive.soundness import check_roots
    from aca_core.archive.status import ProductStatus, status_of

_HOMES = {
    "adopt": ("ExaminedArchive", "ExaminedProduct", "examine_archive"),
    "archive": ("Archive", "open_archive"),
    "column_store.keeping": ("ColumnKeeper", "ColumnReport"),
    "column_store.reading": ("TableRows",),
    "current": ("ProductFunctions", "current_archive", "current_registry", "using"),
    "day_archive": ("DayArchive",),
    "explain": ("Explanation", "explain_obsid"),
    "items": ("Item",),
    "obs_archive": ("ObsArchive",),
    "product_archive": ("ProductArchive",),
    "sets": ("ProductUpdate", "chosen_products", "plan_products", "update_products"),
    "soundness": ("check_roots",),
    "status": ("ProductStatus", "status_of"),
    "reports": ("UpdateOptions", "UpdateReport"),
    "findings": ("Finding",),
}
__all__ = [
    "Archive",
    "ColumnKeeper",
    "ColumnReport",
    "DayArchive",
    "ExaminedArchive",
    "ExaminedProduct",
    "Explanation",
    "Finding",
    "Item",
    "ObsArchive",
    "ProductArchive",
    "ProductFunctions",
    "ProductStatus",
    "ProductUpdate",
    "TableRows",
    "UpdateOptions",
    "UpdateReport",
    "check_roots",
    "chosen_products",
    "current_archive",
    "current_registry",
    "examine_archive",
    "explain_obsid",
    "open_archive",
    "plan_products",
    "status_of",
    "update_products",
    "using",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
