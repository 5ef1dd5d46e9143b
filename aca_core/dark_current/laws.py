"""Which dark-current laws there are."""

from __future__ import annotations

from typing import Final

from aca_core._frozen import FrozenMapping
from aca_core.dark_current.law import DarkLaw
from aca_core.dark_current.law_2013 import LAW_2013
from aca_core.dark_current.law_2017 import LAW_2017
from aca_core.errors import UnknownNameError

__all__ = ["DARK_LAWS", "DarkLaw", "dark_law"]

DARK_LAWS: Final[FrozenMapping[str, DarkLaw]] = FrozenMapping({law.name: law for law in (LAW_2013, LAW_2017)})
"""The laws by name."""


def dark_law(name: str) -> DarkLaw:
    """Return a law by its name.

    Parameters
    ----------
    name : str
        ``'2013'`` or ``'2017'``.

    Returns
    -------
    DarkLaw

    Raises
    ------
    UnknownNameError
        There is no such law; the message lists those that exist.

    Examples
    --------
    >>> dark_law("2017").t_ccd_ref
    -14.0
    """
    try:
        return DARK_LAWS[name]
    except (KeyError, TypeError):  # a name that cannot be hashed is none either
        raise UnknownNameError("dark model", name, DARK_LAWS) from None
