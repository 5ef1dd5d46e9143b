"""What a quantity of header 3 is: where its bytes lie in the telemetry, and how they become a value."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

from aca_core._checks import check, is_a, text
from aca_core.errors import DeclarationError

__all__ = ["HDR3_BYTES", "BitField", "Hdr3Item", "Hdr3Kind"]

Hdr3Kind: TypeAlias = Literal["signed", "unsigned", "bits", "thermistor"]

_KINDS: Final = ("signed", "unsigned", "bits", "thermistor")

HDR3_BYTES: Final = tuple(
    (slot, f"HD3TLM{image_type}{word}") for slot in range(8) for image_type in (6, 7) for word in range(2, 8)
)
"""All bytes of header 3 in reading order: the slot, and the level-0 column of its 8x8 rows. 12 in each slot."""

_SOURCE: Final = "sot/mica docs/hdr3_only_msids.html"


@attrs.frozen(kw_only=True)
class BitField:
    """Some neighbouring bits of a word that mean something of their own.

    Attributes
    ----------
    name : str
        What they are called.
    low : int
        The least significant of them; 0 is the least significant bit of the word.
    width : int
        How many they are.
    meaning : str
        What they say.
    values : tuple of int
        What each pattern stands for, in `unit`; empty where the number itself is meant.
    unit : str
        In the words of astropy.
    """

    name: str
    low: int
    width: int = 1
    meaning: str = ""
    values: tuple[int, ...] = ()
    unit: str = ""


@attrs.frozen(kw_only=True)
class Hdr3Item:
    """One quantity of header 3.

    Attributes
    ----------
    id : str
        Slot, image type (6 or 7) and word (2 to 7) of its first byte, such as ``676``.
    name : str
        Such as ``ccd_temp``.
    size : int
        How many bytes it has.
    kind : {'signed', 'unsigned', 'bits', 'thermistor'}
        How the word is read: as a number with or without sign, as bits, or as a reading of a thermistor.
    desc, longdesc : str
        What it is, in a few words and in a sentence or two.
    factor : float or None
        What the word is multiplied by; None for integers, and for thermistors, which have a table.
    unit : str
        Of the value, in the words of astropy; empty where it has none.
    value_size : int
        How many of the bytes, from the first on, the value is made from; by default all of them.
    bit_fields : tuple of BitField
        Parts of the word with a meaning of their own.
    source : str
        Where the definition is from.

    Examples
    --------
    >>> from aca_core.aca_hdr3 import hdr3_item
    >>> item = hdr3_item("aca_temp")
    >>> item.id, item.unit, item.factor
    ('766', 'deg_C', 0.00390625)
    >>> item.bytes
    ((7, 'HD3TLM66'), (7, 'HD3TLM67'), (7, 'HD3TLM72'), (7, 'HD3TLM73'))
    """

    id: str = attrs.field(validator=text)
    name: str = attrs.field(validator=text)
    size: int = attrs.field(validator=is_a(int, "a number of bytes"))
    kind: Hdr3Kind = attrs.field(validator=check(_KINDS.__contains__, f"one of {', '.join(_KINDS)}"))
    desc: str = attrs.field(validator=text)
    longdesc: str = attrs.field(validator=text)
    factor: float | None = None
    unit: str = attrs.field(default="", validator=text)
    value_size: int = attrs.field(validator=is_a(int, "a number of bytes"))
    bit_fields: tuple[BitField, ...] = ()
    source: str = attrs.field(default=_SOURCE, validator=text)

    @value_size.default
    def _all_bytes(self) -> int:
        return self.size

    def __attrs_post_init__(self) -> None:
        """Check what only the whole can show."""
        column = f"HD3TLM{self.id[1:]}"
        if not self.id[:1].isdecimal() or (int(self.id[0]), column) not in HDR3_BYTES:
            expected = "slot (0 to 7), image type (6 or 7) and word (2 to 7) of its first byte, such as '676'"
            raise DeclarationError(f"Hdr3Item {self.name!r}", "id", self.id, expected)
        if not 1 <= self.value_size <= self.size or len(self.bytes) < self.size:
            expected = "as many bytes as there are from its first one on, of which its value takes some or all"
            raise DeclarationError(f"Hdr3Item {self.name!r}", "size", self.size, expected)

    @property
    def slot(self) -> int:
        """The slot of the first byte."""
        return int(self.id[0])

    @property
    def bytes(self) -> tuple[tuple[int, str], ...]:
        """Slot and level-0 column of each of its bytes, the most significant first."""
        first = HDR3_BYTES.index((self.slot, f"HD3TLM{self.id[1:]}"))
        return HDR3_BYTES[first : first + self.size]

    @property
    def value_bytes(self) -> tuple[tuple[int, str], ...]:
        """Slot and level-0 column of the bytes that the value is made from."""
        return self.bytes[: self.value_size]

    @property
    def slots(self) -> tuple[int, ...]:
        """The slots whose telemetry the value needs, ascending."""
        return tuple(sorted({slot for slot, _ in self.value_bytes}))

    @property
    def is_integer(self) -> bool:
        """Whether its values are integers."""
        return self.factor is None and self.kind != "thermistor"
