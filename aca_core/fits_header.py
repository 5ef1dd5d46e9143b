"""What a FITS header says, card by card as it is asked for; astropy reads whatever is not of the simplest form.

Astropy takes 1.7 ms for the values of a header of 190 cards, since it looks into its configuration for each look at a
card; that is most of what it costs to describe a file. Cards as nearly all are written need none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["FitsHeader", "FitsKeywords"]

_CARD: Final = 80
_NAME: Final = re.compile(r"[A-Z0-9_-]{1,8}")
# Section 4.2 of the standard: a text, a logical value, a whole number, a real number; then perhaps a comment. A text
# with a number behind a colon may be a record of several values; an ampersand may say that the next card goes on.
_VALUE: Final = re.compile(
    r" *(?:'(?P<text>(?:[^'&]|'')*)'|(?P<truth>[TF])|(?P<whole>[+-]?\d+)"
    r"|(?P<real>[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?))"
    r" *(?:/.*)?",
    re.ASCII,
)
_ENDS_NUMBER: Final = "0123456789."
_REMARKS: Final = ("COMMENT", "HISTORY")
_UNUSUAL: Final = ("CONTINUE", "HIERARCH", "END")
"""Keywords of cards that do not stand for themselves; an END with anything behind it ends no header."""

_END: Final = "END".ljust(_CARD)


class FitsKeywords(Protocol):
    """Values by keyword: a `FitsHeader`, or one of astropy."""

    def get(self, name: str, default: Any = None, /) -> Any:
        """Return a value, or the default where there is no such keyword."""

    def __getitem__(self, name: str, /) -> Any: ...


class FitsHeader:
    """One header of a FITS file.

    Parameters
    ----------
    content : bytes
        Its blocks, up to the one with END.

    Examples
    --------
    >>> header = FitsHeader(b"SIMPLE  =                    T".ljust(80) + b"OBJECT  = 'it''s /' / name".ljust(80))
    >>> header["SIMPLE"], header.get("OBJECT"), header.get("OBS_ID", 0)
    (True, "it's /", 0)
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._full: Header | None = None
        self._cards: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._list: list[tuple[str, str]] = []
        self._is_simple = content.isascii()
        text = content.decode("ascii", "replace")
        for first in range(0, len(text), _CARD):
            card = text[first : first + _CARD]
            if card == _END:
                break
            name = card[:8].rstrip(" ")
            self._list.append((name, card))
            if name not in self._cards:
                self._cards[name] = card
        if any(name in self._cards for name in _UNUSUAL) or not all(map(_is_plain, self._cards)):
            self._is_simple = False

    def __getitem__(self, name: str) -> Any:
        """Return the value of a keyword.

        Parameters
        ----------
        name : str
            In upper or lower case.

        Returns
        -------
        bool, int, float, str or astropy.io.fits.card.Undefined
            Of the first card with that keyword; all lines of COMMENT or HISTORY.

        Raises
        ------
        KeyError
            There is none.
        astropy.io.fits.VerifyError
            The card is malformed.
        """
        if name in self._values:
            return self._values[name]
        key = name.upper()
        if not self._is_simple or key in _REMARKS or not _NAME.fullmatch(key):
            return self.astropy()[name]
        try:
            value = _value_of(self._cards[key])
        except ValueError:
            return self.astropy()[name]
        self._values[key] = value
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a keyword, or the default where there is none.

        Parameters
        ----------
        name : str
            In upper or lower case.
        default : object, optional
            What stands for it.

        Raises
        ------
        astropy.io.fits.VerifyError
            The card is malformed.
        """
        try:
            return self[name]
        except KeyError:
            return default

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield keyword and value of each card, repeated ones too, those without a keyword left out.

        Raises
        ------
        astropy.io.fits.VerifyError
            A card is malformed.
        """
        if not self._is_simple:
            # The keyword and the value once each: astropy looks into its configuration each time.
            yield from ((name, card.value) for card in self.astropy().cards if (name := card.keyword))
            return
        for name, card in self._list:
            if name in _REMARKS:
                yield name, card[8:].rstrip()
            elif name:
                try:
                    value = _value_of(card)
                except ValueError:
                    yield _by_astropy(card)
                else:
                    if card is self._cards[name]:  # the first of that keyword
                        self._values[name] = value
                    yield name, value

    def astropy(self) -> Header:
        """Return the header as astropy reads it."""
        from astropy.io import fits

        if self._full is None:
            self._full = fits.Header.fromstring(self._content)
        return self._full


def _is_plain(name: str) -> bool:
    return not name or _NAME.fullmatch(name) is not None


def _by_astropy(card: str) -> tuple[str, Any]:
    """Return keyword and value of one card as astropy reads it."""
    from astropy.io import fits

    each = fits.Card.fromstring(card)
    return each.keyword, each.value


def _value_of(card: str) -> bool | int | float | str:
    """Return the value of a card of the simplest form.

    Raises
    ------
    ValueError
        It has another form.
    """
    found = _VALUE.fullmatch(card, 10) if card[8:10] == "= " else None
    if found is None or not card.isprintable():
        raise ValueError(card)
    kind, text = found.lastgroup, found[found.lastgroup or 0]
    if kind == "text":
        if ": " in text and text.rstrip(" ")[-1:] in _ENDS_NUMBER:
            raise ValueError(card)
        return text.replace("''", "'").rstrip(" ")
    if kind == "truth":
        return text == "T"
    return int(text) if kind == "whole" else float(text)
