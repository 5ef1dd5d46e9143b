"""A plugin framework for the archives of the Chandra X-ray Observatory's aspect camera.

Everything public is here by name, and imported when it is first used: ``import aca_core`` itself loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aca_core._lazy import lazy_names

if TYPE_CHECKING:
    from aca_core.archive import (
        Archive,
        DayArchive,
        ObsArchive,
        ProductFunctions,
        UpdateOptions,
        UpdateReport,
        current_archive,
        current_registry,
        open_archive,
        using,
    )
    from aca_core.arrays import BoolArray, FloatArray, IntArray, StrArray
    from aca_core.catalogues import Catalogue, IngestedFile, PlannedStar, ProcessingRun, Work
    from aca_core.changes import Change
    from aca_core.columns import (
        Column,
        ElementShape,
        FileFacts,
        FromArchive,
        FromName,
        Keyword,
        RowCount,
        Source,
        columns_from_text,
    )
    from aca_core.config import Config, DarkSettings, PluginSettings, ProbabilitySettings, ProductSet
    from aca_core.config_layers import load_config
    from aca_core.dark_sources import DarkSource, DatedTree
    from aca_core.errors import (
        AcaError,
        AcaWarning,
        ConfigError,
        DateError,
        DeclarationError,
        IntegrityError,
        LockedError,
        MissingDataError,
        PluginError,
        ProductVersionError,
        RetrievalError,
        UnknownNameError,
    )
    from aca_core.fits_tables import read_table
    from aca_core.hookspecs import API_VERSION, hookimpl
    from aca_core.layouts import ByDay, ByObsid, Day, Layout, ObsidRevision
    from aca_core.models import STAR_INPUTS, InputRange, ProbabilityModel, StarConditions
    from aca_core.offers import Offer, site_option
    from aca_core.parameter_file import read_parameter_file
    from aca_core.products import ArchiveProduct, ColumnStore, FetchWindow, Supersession, Version
    from aca_core.readers import FITS_COLUMNS, ColumnReader, FitsColumns, ParameterColumns
    from aca_core.registry import PluginInfo, Registry
    from aca_core.retrievers import FileRequest, ObsidRequest, Request, Retriever, TimeRequest
    from aca_core.text_files import read_text_file

_HOMES = {
    "archive": (
        "Archive",
        "DayArchive",
        "ObsArchive",
        "ProductFunctions",
        "UpdateOptions",
        "UpdateReport",
        "current_archive",
        "current_registry",
        "open_archive",
        "using",
    ),
    "arrays": ("BoolArray", "FloatArray", "IntArray", "StrArray"),
    "catalogues": ("Catalogue", "IngestedFile", "PlannedStar", "ProcessingRun", "Work"),
    "changes": ("Change",),
    "columns": (
        "Column",
        "ElementShape",
        "FileFacts",
        "FromArchive",
        "FromName",
        "Keyword",
        "RowCount",
        "Source",
        "columns_from_text",
    ),
    "config": ("Config", "DarkSettings", "PluginSettings", "ProbabilitySettings", "ProductSet"),
    "config_layers": ("load_config",),
    "dark_sources": ("DarkSource", "DatedTree"),
    "errors": (
        "AcaError",
        "AcaWarning",
        "ConfigError",
        "DateError",
        "DeclarationError",
        "IntegrityError",
        "LockedError",
        "MissingDataError",
        "PluginError",
        "ProductVersionError",
        "RetrievalError",
        "UnknownNameError",
    ),
    "fits_tables": ("read_table",),
    "hookspecs": ("API_VERSION", "hookimpl"),
    "layouts": ("ByDay", "ByObsid", "Day", "Layout", "ObsidRevision"),
    "models": ("STAR_INPUTS", "InputRange", "ProbabilityModel", "StarConditions"),
    "offers": ("Offer", "site_option"),
    "parameter_file": ("read_parameter_file",),
    "products": ("ArchiveProduct", "ColumnStore", "FetchWindow", "Supersession", "Version"),
    "readers": ("FITS_COLUMNS", "ColumnReader", "FitsColumns", "ParameterColumns"),
    "registry": ("PluginInfo", "Registry"),
    "retrievers": ("FileRequest", "ObsidRequest", "Request", "Retriever", "TimeRequest"),
    "text_files": ("read_text_file",),
}
__all__ = [
    "API_VERSION",
    "FITS_COLUMNS",
    "STAR_INPUTS",
    "AcaError",
    "AcaWarning",
    "Archive",
    "ArchiveProduct",
    "BoolArray",
    "ByDay",
    "ByObsid",
    "Catalogue",
    "Change",
    "Column",
    "ColumnReader",
    "ColumnStore",
    "Config",
    "ConfigError",
    "DarkSettings",
    "DarkSource",
    "DateError",
    "DatedTree",
    "Day",
    "DayArchive",
    "DeclarationError",
    "ElementShape",
    "FetchWindow",
    "FileFacts",
    "FileRequest",
    "FitsColumns",
    "FloatArray",
    "FromArchive",
    "FromName",
    "IngestedFile",
    "InputRange",
    "IntArray",
    "IntegrityError",
    "Keyword",
    "Layout",
    "LockedError",
    "MissingDataError",
    "ObsArchive",
    "ObsidRequest",
    "ObsidRevision",
    "Offer",
    "ParameterColumns",
    "PlannedStar",
    "PluginError",
    "PluginInfo",
    "PluginSettings",
    "ProbabilityModel",
    "ProbabilitySettings",
    "ProcessingRun",
    "ProductFunctions",
    "ProductSet",
    "ProductVersionError",
    "Registry",
    "Request",
    "RetrievalError",
    "Retriever",
    "RowCount",
    "Source",
    "StarConditions",
    "StrArray",
    "Supersession",
    "TimeRequest",
    "UnknownNameError",
    "UpdateOptions",
    "UpdateReport",
    "Version",
    "Work",
    "columns_from_text",
    "current_archive",
    "current_registry",
    "hookimpl",
    "load_config",
    "open_archive",
    "read_parameter_file",
    "read_table",
    "read_text_file",
    "site_option",
    "using",
]


_get, __dir__ = lazy_names(__name__, _HOMES, globals())


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("aca-core")
    return _get(name)
