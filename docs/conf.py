"""How Sphinx builds the documentation; `just docs` runs it, and a warning is an error."""

from __future__ import annotations

import importlib.metadata
import re
from typing import Any

project = "aca_core"
author = "The aca_core developers"
project_copyright = "The aca_core developers"
release = importlib.metadata.version("aca-core")

myst_enable_extensions = ["colon_fence"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
# What a docstring writes between single back-quotes is a name; one that has no page of its own stays as it is.
default_role = "py:obj"

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, with shapes and units
napoleon_google_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"aca_core {release}"
html_show_copyright = False


def _separate_names(lines: list[str]) -> list[str]:
    """Give each name of ``low, high : float`` an entry of its own; napoleon takes the first one for a type."""
    entry = re.compile(r"^(\w+(?:, \w+)+) : (.*)\n((?: +.*\n|\n(?= ))*)", re.MULTILINE)
    text = entry.sub(
        lambda found: "".join(f"{name} : {found[2]}\n{found[3]}" for name in found[1].split(", ")),
        "\n".join(lines) + "\n",
    )
    return text.split("\n")


def setup(app: Any) -> None:
    """Put our steps around napoleon's, which has priority 500."""
    kept: dict[str, list[str]] = {}

    def before(app: Any, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
        lines[:] = _separate_names(lines)
        kept[name] = list(lines)

    def after(app: Any, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
        # Napoleon takes the words before a colon in the docstring of a property for its type.
        if what in ("attribute", "property"):
            lines[:] = kept[name]

    app.connect("autodoc-process-docstring", before, priority=400)
    app.connect("autodoc-process-docstring", after, priority=600)
