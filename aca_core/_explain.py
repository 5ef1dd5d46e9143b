"""What went wrong in a plugin's code, in one line for people: the message, where it was, and what may help."""

from __future__ import annotations

import functools
import os
import re
import sysconfig
import traceback
from pathlib import Path

import attr
import pluggy

import aca_core
from aca_core.errors import AcaError, did_you_mean, message_of

__all__ = ["in_one_line"]


def in_one_line(error: BaseException, module: str = "") -> str:
    """Return an error as one line.

    Parameters
    ----------
    error : BaseException
        Anything that third-party code may raise.
    module : str, optional
        The module that was being imported, as its entry point names it.

    Returns
    -------
    str
        The message; the type, the place and a remedy too, where the message may not explain itself.
    """
    text = message_of(error)
    if isinstance(error, AcaError | pluggy.PluginValidationError):
        return text
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r}){_place(error)}; a plugin must not end the program"
    kind = type(error).__name__
    if isinstance(error, ImportError):
        return f"it cannot be imported: {kind}: {text}{_place(error)}; {_import_remedy(error, text, module)}"
    return f"{kind}: {text}{_place(error)}{_hint(text)}" if text else f"{kind}{_place(error)}"


def _place(error: BaseException) -> str:
    """Return the innermost place in the plugin's own code, as `` (file.py, line 3)``."""
    if isinstance(error, SyntaxError):
        return ""  # its text has the place
    for frame in reversed(traceback.extract_tb(error.__traceback__, limit=-200)):
        if frame.filename.endswith(".py") and not frame.filename.startswith(_folders_of_others()):
            return f" ({Path(frame.filename).name}, line {frame.lineno})"
    return ""


@functools.cache
def _folders_of_others() -> tuple[str, ...]:
    """Return where code lies that is no plugin's: ours, and the libraries that we call it through."""
    ours = [str(Path(module.__file__ or "").parent) + os.sep for module in (aca_core, attr, pluggy)]
    library = sysconfig.get_paths()["stdlib"] + os.sep
    packages = [sysconfig.get_paths()[name] for name in ("purelib", "platlib")]
    # The standard library's folder may hold the installed packages too, plugins among them.
    inside = any(path.startswith(library) for path in packages)
    return (*ours, *(_standard_library(library) if inside else [library]))


def _standard_library(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.name not in ("site-packages", "dist-packages")]


def _import_remedy(error: ImportError, text: str, module: str) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
        return "its entry point names a module that is not there; correct the entry point, or reinstall it"
    if found := re.match(r"cannot import name '(\w+)' from 'aca_core'", text):
        near = did_you_mean(found[1], aca_core.__all__)
        return f"it may need a newer aca-core.{near}" if not near else f"there is no such public name.{near}"
    if "partially initialized" in text:
        return "its modules import each other in a circle"
    return "reinstall it with what it needs"


def _hint(text: str) -> str:
    """Return the nearest field for a keyword that a declaration does not have."""
    found = re.search(r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'", text)
    cls = getattr(aca_core, found[1], None) if found and found[1] in aca_core.__all__ else None
    names = [field.name for field in getattr(cls, "__attrs_attrs__", ())]
    return f".{did_you_mean(found[2], names)} Fields: {', '.join(names)}" if found and names else ""
