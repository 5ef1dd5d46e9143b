"""Figures: one style for all, no windows, and files that are written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aca_core._whole_files import replacing
from aca_core.errors import AcaError, DeclarationError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLORS", "celsius", "new_figure", "save_figure", "styled"]

COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
"""Okabe and Ito's palette (jfly.uni-koeln.de/color, 2008), which people with any kind of colour vision tell apart."""

_STYLE: Final = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "font.size": 9.5,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.hashsalt": "aca_core",
}

_ENDINGS: Final = (".png", ".svg", ".pdf")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw in our style for a block; matplotlib's own settings are as before after it.

    Raises
    ------
    AcaError
        matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from cycler import cycler
    except ImportError as error:
        text = "plots need matplotlib, which is not installed; run: python -m pip install 'aca-core[plot]'"
        raise AcaError(text) from error
    settings: dict[Any, Any] = {**_STYLE, "axes.prop_cycle": cycler(color=COLORS)}
    with mpl.rc_context(settings):
        yield


def celsius(temperature: float) -> str:
    r"""Return a temperature for a label, with the minus that matplotlib writes along the axes.

    Parameters
    ----------
    temperature : float
        In degC.

    Returns
    -------
    str

    Examples
    --------
    >>> celsius(-11.5).encode("ascii", "backslashreplace")
    b'\\u221211.5 \\xb0C'
    """
    return f"{temperature:g} °C".replace("-", "\N{MINUS SIGN}")


def new_figure(width: float = 8.0, height: float = 4.8) -> Figure:
    """Return an empty figure, which belongs to nobody's window; call it in a `styled` block.

    Parameters
    ----------
    width, height : float
        Its size, inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(figure: Figure, path: str | Path, *, dpi: float = 120.0) -> Path:
    """Write a figure as PNG, SVG or PDF, whole or not at all; a file of that name is replaced.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : path-like
        The file; its ending says the format.
    dpi : float, default 120
        Dots per inch of a PNG.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    DeclarationError
        `path` is no path, or its ending is of another format. It is a ValueError.
    OSError
        The file cannot be written.
    """
    try:
        path = Path(path)
    except TypeError:
        raise DeclarationError("save_figure", "path", path, "the path of a file") from None
    if path.suffix.lower() not in _ENDINGS:
        raise DeclarationError("save_figure", "path", str(path), f"a name that ends in {', '.join(_ENDINGS)}")
    with replacing(path) as part, styled():
        figure.savefig(part, dpi=dpi)
    return path
