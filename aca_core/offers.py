"""What every declaration of a plugin has in common: a name, a label, and options that a site may set."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import attrs

from aca_core._checks import check, refusal, text
from aca_core.errors import DeclarationError

__all__ = ["NAME_PATTERN", "OTHER_ROOTS", "Offer", "is_valid_name", "site_option", "site_options"]

NAME_PATTERN: Final = r"[a-z0-9]+([-_][a-z0-9]+)*"
"""The shape of every name that a plugin offers: ``asp1``, ``sota-2013``, ``my_product``."""

_SITE_OPTION: Final = "aca_core.site_option"

OTHER_ROOTS: Final = "aca_core.other_roots"
"""The key in a field's metadata that names the field for its places below the further archive roots."""


def is_valid_name(name: object) -> bool:
    """Say whether `name` may be the name of an offer.

    Parameters
    ----------
    name : object
        The candidate.

    Returns
    -------
    bool
        True for a string of the form `NAME_PATTERN`.

    Examples
    --------
    >>> is_valid_name("sota-2013"), is_valid_name("Sota 2013")
    (True, False)
    """
    return isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) is not None


@attrs.frozen(kw_only=True)
class Offer:
    """The base of everything that a plugin declares. Use one of its subclasses.

    An offer is a frozen value: it is declared once at module level, holds no open file and no state, and pickles.

    Attributes
    ----------
    name : str
        Unique among the offers of its kind; lower-case letters and digits joined by single ``-`` or ``_``.
    label : str
        What it is, in a few words for people.
    """

    section: ClassVar[str] = ""
    """The configuration table that holds one table for each offer of this kind, for example ``products``."""

    name: str = attrs.field(
        validator=check(is_valid_name, f"lower-case letters and digits, joined by single '-' or '_' ({NAME_PATTERN})")
    )
    label: str = attrs.field(default="", validator=text)

    @property
    def noun(self) -> str:
        """What this is in the words of a user; names are unique within one noun."""
        return "offer"

    @property
    def variant(self) -> str:
        """What tells this from another offer of the same section and name; empty where names are unique."""
        return ""

    def refusal(self, field: str, value: object, expected: str) -> DeclarationError:
        """Return the error for a field that cannot be right; for the checks of subclasses to raise.

        Parameters
        ----------
        field : str
            Its name.
        value : object
            Its value.
        expected : str
            What would be right.

        Returns
        -------
        DeclarationError
        """
        return refusal(self, field, value, expected)


def site_option(default: Any = attrs.NOTHING, *, help: str, other_roots: str = "", **field_arguments: Any) -> Any:
    """Declare a field of an offer that a site may set in its configuration.

    The field's annotation says what the configuration may hold: ``str``, ``int``, ``float``, ``bool``, ``Path``, a
    ``Literal``, a tuple of these, or one of these ``| None``. A relative ``Path`` is taken below the archive root (of
    several, the first in which it exists), and one that starts with ``{ska}`` below the site's Ska tree.

    Parameters
    ----------
    default : object, optional
        The value where the site says nothing. Without it the declaration must give one.
    help : str
        One line for ``aca config init`` and the reference: what it means, with its unit.
    other_roots : str, optional
        For a ``Path`` whose things may lie in several archive roots: the name of a field of the class, a tuple of
        paths. The option is then placed below the first root, and that field gets the same path below the others.
    **field_arguments
        Anything else that `attrs.field` takes, for example ``validator``.

    Returns
    -------
    object
        A field for the body of an attrs class.

    Examples
    --------
    >>> import attrs
    >>> from aca_core.offers import Offer, site_option
    >>> @attrs.frozen(kw_only=True)
    ... class Shelf(Offer):
    ...     depth: int = site_option(3, help="how many boards")
    >>> Shelf(name="shelf").depth
    3
    """
    metadata = {**field_arguments.pop("metadata", {}), _SITE_OPTION: help, OTHER_ROOTS: other_roots}
    return attrs.field(default=default, metadata=metadata, **field_arguments)


def site_options(offer_class: type[Offer]) -> dict[str, str]:
    """Return the fields of a class of offers that a site may set.

    Parameters
    ----------
    offer_class : type
        A subclass of `Offer`.

    Returns
    -------
    dict of str to str
        Field names with their one-line help, in the order of declaration.

    Examples
    --------
    >>> from aca_core.dark_sources import DatedTree
    >>> sorted(site_options(DatedTree))
    ['root']
    """
    fields = attrs.fields_dict(offer_class)
    return {name: field.metadata[_SITE_OPTION] for name, field in fields.items() if _SITE_OPTION in field.metadata}
