"""Which quantities header 3 has: all 38 of them, as data, and how one is found by its name or number."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Final

from aca_core.aca_hdr3.items import HDR3_BYTES, BitField, Hdr3Item, Hdr3Kind
from aca_core.errors import DeclarationError, UnknownNameError

__all__ = ["CCD_TEMP_FINE", "HDR3_ITEMS", "hdr3_item"]


def _thermistor(id: str, name: str, where: str) -> Hdr3Item:
    longdesc = f"Temperature of {where}, from an A/D reading through the table of the thermistors."
    return Hdr3Item(
        id=id, name=name, size=2, kind="thermistor", unit="deg_C", desc=f"Temperature, {where}", longdesc=longdesc
    )


def _millivolt(id: str, name: str, factor: float, what: str) -> Hdr3Item:
    longdesc = f"Reading of the {what}, {factor:g} mV for one A/D count."
    desc = what[0].upper() + what[1:]
    return Hdr3Item(id=id, name=name, size=2, kind="signed", factor=factor, unit="mV", desc=desc, longdesc=longdesc)


def _zero_offset(id: str, name: str, size: int, quadrant: str) -> Hdr3Item:
    step, bits = (1.0, 16) if size == 2 else (2.0**-16, 32)
    count = "1 A/D count" if size == 2 else "2^-16 A/D counts"
    longdesc = (
        f"What quadrant {quadrant} reads without light, in steps of {count}, about 5 e- each A/D count. It is taken to "
        "have a sign, which is not documented."
    )
    desc = f"Zero offset of CCD quadrant {quadrant}, {bits} bits"
    return Hdr3Item(id=id, name=name, size=size, kind="signed", factor=step, unit="adu", desc=desc, longdesc=longdesc)


def _number(
    id: str, name: str, size: int, kind: Hdr3Kind, desc: str, longdesc: str, factor: float | None = None, unit: str = ""
) -> Hdr3Item:
    return Hdr3Item(id=id, name=name, size=size, kind=kind, desc=desc, longdesc=longdesc, factor=factor, unit=unit)


_AC_STATUS: Final = (
    BitField(
        name="readout_mode",
        low=6,
        width=4,
        meaning="CCD readout mode, a sum of: 1 sample/hold input grounded during readout, 2 CCD reset pulsed during "
        "column flush, 4 reset/switch pulsed during row shifts, 8 multiplexer to ground while the A/D is idle",
    ),
    BitField(name="test_signal", low=4, width=2, meaning="test signal that is selected; not used in flight"),
    BitField(name="command_error", low=3, meaning="a command overwrote the input buffer"),
    BitField(
        name="clock_period",
        low=1,
        width=2,
        meaning="clock period of parallel shifts",
        values=(6, 12, 24, 48),
        unit="us",
    ),
    BitField(name="eeprom_write", low=0, meaning="the EEPROM may be written to"),
)

_MISC_STATUS: Final = tuple(
    BitField(name=name, low=low)
    for low, name in enumerate(
        (
            *("AcSendTimeOut", "AcIdleTimeOut", "TecActive", "TecHeat", "DecAcTable", "AcTableCkSumOK", "StackError"),
            *("WarmBoot", "IdleCode LSB", "CalMode", "CalModePending", "IuData", "IuDataPending", "DsnFixed"),
            *("InitialCalFillOK", "IoUpdTimeout"),
        )
    )
)
"""The least significant first. What is documented of them is their names."""

# In the order of their bytes. Names, factors and units as documented; the sentences are ours.
HDR3_ITEMS: Final[tuple[Hdr3Item, ...]] = (
    Hdr3Item(
        id="062",
        name="ac_status_word",
        size=2,
        kind="bits",
        desc="Status word of the aspect camera",
        longdesc="How the CCD is read out and clocked, as bits; bits 15 to 10 are spare.",
        bit_fields=_AC_STATUS,
    ),
    Hdr3Item(
        id="064",
        name="misc_status_bits",
        size=2,
        kind="bits",
        desc="Miscellaneous status bits",
        longdesc="Sixteen flags, of which the names are documented.",
        bit_fields=_MISC_STATUS,
    ),
    _thermistor("066", "ccd_molyb_therm_1", "the molybdenum base of the CCD, thermistor 1"),
    _thermistor("072", "ccd_molyb_therm_2", "the molybdenum base of the CCD, thermistor 2"),
    _thermistor("074", "ccd_det_therm", "the CCD detector"),
    _millivolt("076", "ad_5v_ps", 0.30518, "+5 V power supply"),
    _millivolt("162", "ad_15v_ps", 0.61035, "+15 V power supply"),
    _millivolt("164", "ad_m15v_ps", 0.61035, "-15 V power supply"),
    _millivolt("166", "ad_27v_ps", 1.04597, "+27 V power supply"),
    _millivolt("172", "ad_analog_gnd", 0.30518, "analog ground of the A/D converter"),
    _thermistor("174", "ad_converter_therm", "the A/D converter"),
    _thermistor("176", "ad_smhs_therm", "the secondary mirror, HRMA side"),
    _thermistor("262", "ad_smohs_therm", "the secondary mirror, side opposite the HRMA"),
    _thermistor("264", "ad_pmhs_therm", "the primary mirror, HRMA side"),
    _thermistor("266", "ad_pmohs_therm", "the primary mirror, side opposite the HRMA"),
    _thermistor("272", "ad_achhs_therm", "the camera housing, HRMA side"),
    _thermistor("274", "ad_achohs_therm", "the camera housing, side opposite the HRMA"),
    _thermistor("276", "ad_lc_therm", "the lens cell"),
    Hdr3Item(
        id="362",
        name="proc_stack_telem_ctr",
        size=2,
        kind="bits",
        desc="Data stack pointer and telemetry counter",
        longdesc="High byte: pointer of the processor's data stack. Low byte: a counter that grows by 1 in 1.025 s, "
        "thus by 4, modulo 256, from row to row.",
        bit_fields=(
            BitField(name="stack_pointer", low=8, width=8, meaning="pointer of the processor's data stack"),
            BitField(name="telemetry_counter", low=0, width=8, meaning="grows by 1 in 1.025 s, modulo 256"),
        ),
    ),
    _number(
        "364",
        "sci_hdr_pulse_period",
        4,
        "unsigned",
        "Period of the science header pulse",
        "Time between two pulses of the science header, in steps of 2 us; about 2.05 s is expected.",
        2.0,
        "us",
    ),
    _zero_offset("372", "zero_off16_quad_a", 2, "A"),
    _zero_offset("374", "zero_off16_quad_b", 2, "B"),
    _zero_offset("376", "zero_off16_quad_c", 2, "C"),
    _zero_offset("462", "zero_off16_quad_d", 2, "D"),
    _zero_offset("464", "zero_off32_quad_a", 4, "A"),
    _zero_offset("472", "zero_off32_quad_b", 4, "B"),
    _zero_offset("476", "zero_off32_quad_c", 4, "C"),
    _zero_offset("564", "zero_off32_quad_d", 4, "D"),
    _number(
        "572",
        "ccd_flush_dur",
        2,
        "unsigned",
        "Duration of the CCD flush",
        "How long the latest flush of the CCD took, in steps of 2 us.",
        2.0,
        "us",
    ),
    _number(
        "574",
        "ccd_row_shift_period",
        2,
        "unsigned",
        "Period of the row shift clock",
        "Period of the clock that shifts the rows of the CCD, in steps of 1 us.",
        1.0,
        "us",
    ),
    _number(
        "576",
        "avg_bkg",
        2,
        "signed",
        "Average background",
        "Background, averaged over all images that are tracked or searched, in steps of one A/D count, nominally 5 e-.",
        5.0,
        "electron",
    ),
    _number(
        "662",
        "dsn_hdr1",
        6,
        "unsigned",
        "Header 1 of DSN records",
        "The six bytes of header 1 of DSN records, raw, as one integer of 48 bits.",
    ),
    Hdr3Item(
        id="672",
        name="dsn_hdr2",
        size=4,
        kind="bits",
        desc="Counter and header 2 of DSN records",
        longdesc="High three bytes: a counter of DSN records. Low byte: header 2 of DSN records.",
        bit_fields=(
            BitField(name="record_counter", low=8, width=24, meaning="counter of DSN records"),
            BitField(name="header_2", low=0, width=8, meaning="header 2 of DSN records"),
        ),
    ),
    Hdr3Item(
        id="676",
        name="ccd_temp",
        size=4,
        value_size=2,
        kind="signed",
        factor=0.01,
        unit="deg_C",
        desc="CCD temperature",
        longdesc="Temperature of the CCD in steps of 0.01 degC, from the high word of a 32-bit number. It needs slot 6 "
        "alone; ccd_temp_fine is the whole number, which runs into slot 7.",
    ),
    _number(
        "764",
        "ccd_setpoint",
        2,
        "signed",
        "CCD temperature set point",
        "Temperature that the cooler is told to hold the CCD at, in steps of 0.01 degC.",
        0.01,
        "deg_C",
    ),
    _number(
        "766",
        "aca_temp",
        4,
        "signed",
        "ACA temperature",
        "Temperature of the camera that its calibration of angles uses, in steps of 1/256 degC.",
        1 / 256,
        "deg_C",
    ),
    _number(
        "774",
        "last_ram_fail_addr",
        2,
        "unsigned",
        "Address of the last RAM failure",
        "Address at which what was read of the RAM last differed from what was written.",
    ),
    _number(
        "776",
        "dac",
        2,
        "signed",
        "TEC DAC number",
        "Number that was last written to the digital-to-analog converter of the thermoelectric cooler's power.",
    ),
)

CCD_TEMP_FINE: Final = Hdr3Item(
    id="676",
    name="ccd_temp_fine",
    size=4,
    kind="signed",
    factor=0.01 / 65536,
    unit="deg_C",
    desc="CCD temperature, fine",
    longdesc="Temperature of the CCD from all 32 bits, in steps of 0.01/65536 degC: never below ccd_temp, and above it "
    "by less than 0.01 degC. It needs slots 6 and 7 at the same time.",
)
"""The same bytes as ``ccd_temp``, all four of them; found by its name, and not one of the 38."""

_BY_NAME: Final = {item.name: item for item in (*HDR3_ITEMS, CCD_TEMP_FINE)}
_BY_ID: Final = {item.id: item for item in HDR3_ITEMS}


def hdr3_item(msid: str | int) -> Hdr3Item:
    """Return a quantity of header 3 by its name or its number.

    Parameters
    ----------
    msid : str or int
        Such as ``ccd_temp`` or ``676``; case does not matter.

    Returns
    -------
    Hdr3Item

    Raises
    ------
    UnknownNameError
        There is none; the message suggests the nearest. It is a LookupError, as is what the first package raised
        (``MissingData``).
    DeclarationError
        It is neither a name nor a number. It is a ValueError.

    Examples
    --------
    >>> hdr3_item("CCD_TEMP").id, hdr3_item(676).name, hdr3_item("062").name
    ('676', 'ccd_temp', 'ac_status_word')
    """
    if isinstance(msid, bool) or not isinstance(msid, str | Integral):
        expected = "the name or the number of a quantity, such as 'ccd_temp' or 676"
        raise DeclarationError("header 3", "msid", msid, expected)
    name = str(msid).strip().lower()
    if not name.isdecimal():
        if name not in _BY_NAME:
            raise UnknownNameError("header-3 quantity", msid, _BY_NAME, _HINT)
        return _BY_NAME[name]
    name = name.zfill(3)
    if name not in _BY_ID:
        raise UnknownNameError("header-3 quantity", msid, _BY_ID, f"{_owner(name)}{_HINT}")
    return _BY_ID[name]


_HINT: Final = "'aca hdr3 list' shows what they are."


def _owner(id: str) -> str:
    """Return to which quantity a byte belongs that is not the first of one."""
    byte: tuple[Any, str] = (int(id[0]), f"HD3TLM{id[1:]}")
    owners = [item for item in HDR3_ITEMS if byte in item.bytes] if byte in HDR3_BYTES else []
    return "".join(f"Byte {id} belongs to {item.id}, {item.name}. " for item in owners)
