"""What the committed event tells: which unit of which product changed, and how."""

from __future__ import annotations

from pathlib import Path
from types import NoneType

import attrs

from aca_core._checks import as_tuple, each, is_a, text, whole
from aca_core.layouts import Day, ObsidRevision, Unit

__all__ = ["Change"]

_strings = each(str, "a list of file names")


@attrs.frozen(kw_only=True)
class Change:
    """One committed change of an archive.

    It may be delivered more than once: a handler must come to the same result when it sees it again.

    Attributes
    ----------
    product : str
        Name of the product.
    archive : Path or None
        The root of the archive that changed; None where a change is made up, in a test.
    serial : int
        Grows with every change of the product in that archive; a change that comes again has the same.
    unit : ObsidRevision or Day
        What was committed.
    added, removed, replaced : tuple of str
        Base names of the files.
    default_before, default_after : int or None
        The obsid's released revision before and after; always None for products by day. A release that moves only the
        default has no files.

    Examples
    --------
    >>> from aca_core import Change, ObsidRevision
    >>> change = Change(product="asp1", unit=ObsidRevision(6000, 3), default_before=2, default_after=3)
    >>> change.moves_default
    True
    """

    product: str = attrs.field(validator=text)
    archive: Path | None = attrs.field(default=None, validator=is_a((Path, NoneType), "a path"))
    serial: int = attrs.field(default=0, validator=whole(0, 2**63 - 1))
    unit: Unit = attrs.field(validator=is_a((ObsidRevision, Day), "an ObsidRevision or a Day"))
    added: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=_strings)
    removed: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=_strings)
    replaced: tuple[str, ...] = attrs.field(default=(), converter=as_tuple, validator=_strings)
    default_before: int | None = None
    default_after: int | None = None

    @property
    def moves_default(self) -> bool:
        """Whether the released revision is another one now."""
        return self.default_before != self.default_after
