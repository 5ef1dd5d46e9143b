"""``aca hdr3``: which diagnostics header 3 of the telemetry has, and what they were over a range of time."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aca_core.cli.dark_options import picture_option
from aca_core.cli.l0_options import (
    as_unit,
    asking,
    ends_of,
    json_option,
    out_option,
    rows_option,
    write_result,
    write_series,
    write_written,
)
from aca_core.cli.output import counted, write_json, write_lines, write_table
from aca_core.cli.session import Session

if TYPE_CHECKING:
    from aca_core.aca_hdr3 import MSID, Hdr3Item, MSIDset

__all__ = ["hdr3"]


@click.group()
def hdr3() -> None:
    """Ask for header 3 of the camera's telemetry: temperatures, voltages, counters, status.

    Images of 8x8 pixels carry it, twelve bytes in each slot. What a quantity needs are the slots that 'aca hdr3 list'
    shows; at times when one of them had smaller images there are no values. A date is written as 2012:001,
    2012-01-01T12:00:00 or in seconds.

    \b
    Examples:
      aca hdr3 list
      aca hdr3 get ccd_temp 2021:001 2021:003
    """


# ---- which there are ------------------------------------------------------------------------------------------------


@hdr3.command("list")
@json_option
def show_list(as_json: bool) -> None:
    """Show the quantities of header 3, one a line; no archive is needed.

    "id" is slot, image type and word of the first byte; 'aca hdr3 get' takes it as well as the name. --json has how
    each is decoded.

    \b
    Examples:
      aca hdr3 list
      aca hdr3 list --json
    """
    from aca_core.aca_hdr3 import CCD_TEMP_FINE, HDR3_ITEMS, hdr3_item

    if as_json:
        write_json([_described(item) for item in (*HDR3_ITEMS, CCD_TEMP_FINE)])
        return
    rows = [(item.id, item.name, as_unit(item.unit), _slots(item), item.desc) for item in HDR3_ITEMS]
    write_table(("id", "name", "unit", "slots", "what it is"), rows, least=("slots",))
    coarse, fine = hdr3_item(CCD_TEMP_FINE.id), CCD_TEMP_FINE
    lines = [
        f"{counted(len(HDR3_ITEMS), 'quantity', 'quantities')}.",
        f"Beside them {fine.name} is {coarse.name} from all its bytes; it needs slots {_slots(fine)}.",
    ]
    write_lines(["", *lines])


def _slots(item: Hdr3Item) -> str:
    return ", ".join(str(slot) for slot in item.slots)


def _described(item: Hdr3Item) -> dict[str, Any]:
    import attrs

    return {
        "id": item.id,
        "name": item.name,
        "unit": item.unit,
        "slots": list(item.slots),
        "description": item.desc,
        "details": item.longdesc,
        "kind": item.kind,
        "factor": item.factor,
        "bytes": [{"slot": slot, "column": column} for slot, column in item.bytes],
        "bits": [attrs.asdict(each) for each in item.bit_fields],
        "source": item.source,
    }


# ---- values ---------------------------------------------------------------------------------------------------------


@hdr3.command("get")
@click.argument("words", nargs=-1, metavar="MSID... START STOP")
@click.option("--raw", is_flag=True, help="The words of the telemetry as whole numbers, without factors and tables.")
@out_option
@picture_option("--plot", "Draw the values over time; up to 12 quantities.")
@rows_option
@json_option
@click.pass_obj
def get(
    session: Session, words: tuple[str, ...], raw: bool, out: Path | None, plot: Path | None, rows: int, as_json: bool
) -> None:
    """Show quantities of header 3 from START to STOP.

    MSID is a name such as ccd_temp, or a number such as 676, or several; they are brought to the times that any of
    them has. "good" counts the samples that telemetry and files say nothing bad about; the others are left empty.
    --json has these numbers; --out writes all values.

    \b
    Examples:
      aca hdr3 get ccd_temp 2021:001 2021:003
      aca hdr3 get ccd_temp aca_temp dac 2021:001 2021:002 --out temperatures.h5
      aca hdr3 get ccd_temp 2021:001 2021:003 --plot ccd_temp.png
    """
    from aca_core.aca_hdr3 import MSIDset
    from aca_core.figures import save_figure, styled

    names, (start, stop) = _asked(words)
    with styled() if plot is not None else contextlib.nullcontext():  # is there anything to draw with?
        pass
    with asking(session) as warned:
        found = MSIDset(names, start, stop, raw=raw)
        if out is not None:
            write_result(found.as_table(), out, synthetic=found.synthetic)
        if plot is not None:
            save_figure(found.plot(), plot)
    quantities = [_summary(each) for each in found.values()]
    if not found.times.size:
        session.say(_nothing(found))
    if as_json:
        write_json(
            {
                "start": found.datestart,
                "stop": found.datestop,
                "raw": raw,
                "synthetic": found.synthetic,
                "times": int(found.times.size),
                "quantities": quantities,
                "read_from": {str(slot): about for slot, about in found.provenance.items()},
                "out": out and str(out),
                "plot": plot and str(plot),
                "warnings": warned,
            }
        )
        return
    _write(found, quantities, rows)
    write_written(out, plot)


def _asked(words: tuple[str, ...]) -> tuple[list[str], tuple[float, float]]:
    """Return the names and the range of time of what was typed, or say what is out of place."""
    usage = "expected MSID... START STOP, such as: ccd_temp 2021:001 2021:003"
    from aca_core.aca_hdr3 import hdr3_item
    from aca_core.dates import to_secs

    for word in words:
        if re.match(r"\d{4}", word):
            to_secs(word)  # it can be nothing else, and says what is wrong with it
    dates = [word for word in words if _is_date(word)]
    if not words:
        raise click.UsageError(f"nothing is named; {usage}")
    if not dates:
        raise click.UsageError(f"no range of time is given; {usage}")
    if len(dates) == 1 and words[-1] == dates[0]:
        raise click.UsageError(f"the range has no end: {dates[0]!r} is its start; {usage}")
    *names, start, stop = words
    if any(_is_date(name) for name in names) and any(_is_name(word) for word in (start, stop)):
        raise click.UsageError(f"START and STOP come last, both after the quantities; {usage}")
    if not names:
        raise click.UsageError(f"no quantity is named; {usage}; 'aca hdr3 list' shows them")
    for name in names:
        if _is_date(name):
            raise click.UsageError(f"{name!r} is a date among the quantities, and START and STOP follow it; {usage}")
    if _is_name(start):
        raise click.UsageError(f"{start!r} is a quantity where START is expected; {usage}")
    return [hdr3_item(name).name for name in names], ends_of(start, stop)


def _is_name(word: str) -> bool:
    """Say whether a word is a quantity of header 3."""
    from aca_core.aca_hdr3 import hdr3_item
    from aca_core.errors import AcaError

    try:
        hdr3_item(word)
    except AcaError:
        return False
    return True


def _is_date(word: str) -> bool:
    """Say whether a word is a date; short numbers, which are seconds of 1998 as well, are those of quantities."""
    from aca_core.dates import to_secs
    from aca_core.errors import DateError

    if re.fullmatch(r"\d{1,3}", word):
        return False
    try:
        to_secs(word)
    except DateError:
        return False
    return not _is_name(word)


def _nothing(found: MSIDset) -> str:
    from aca_core.aca_hdr3 import hdr3_item

    slots = sorted({slot for name in found for slot in hdr3_item(name).slots})
    which = f"slot {slots[0]}" if len(slots) == 1 else f"slots {', '.join(map(str, slots))}"
    return (
        f"no header 3 from {found.datestart} to {found.datestop}: no image of 8x8 pixels of {which} is archived; "
        "'aca l0 files' shows what is"
    )


def _summary(series: MSID) -> dict[str, Any]:
    """Return what is said of one quantity."""
    import numpy as np

    from aca_core.aca_hdr3 import hdr3_item

    good = np.ma.compressed(series.vals)
    few = {"min": good.min().item(), "mean": float(good.mean()), "max": good.max().item()} if good.size else {}
    item = hdr3_item(series.msid)
    if item.is_integer and item.kind != "signed":
        few.pop("mean", None)  # of bits and addresses; the least and the greatest one still tell
    return {
        "msid": series.msid,
        "id": series.hdr3_msid,
        "description": series.desc,
        "unit": series.unit,
        "samples": int(np.size(series.vals)),
        "good": int(good.size),
        **{name: few.get(name) for name in ("min", "mean", "max")},
    }


def _write(found: MSIDset, quantities: list[dict[str, Any]], rows: int) -> None:
    synthetic = ", synthetic telemetry" if found.synthetic else ""
    write_lines([f"Header 3 from {found.datestart[:17]} to {found.datestop[:17]}{synthetic}", ""])
    digits = {name: _digits(each) for name, each in found.items()}
    numbers = ("samples", "good", "min", "mean", "max")
    lines = [
        (
            each["msid"],
            each["id"],
            str(each["samples"]),
            str(each["good"]),
            _number(each["min"], digits[name]),
            _number(each["mean"], digits[name] + 1),
            _number(each["max"], digits[name]),
            "raw" if series.raw else as_unit(each["unit"]),
        )
        for (name, series), each in zip(found.items(), quantities, strict=True)
    ]
    write_table(("msid", "id", *numbers, "unit"), lines, right=numbers, least=("id",))
    columns = {series.msid: _cell(series, digits[name]) for name, series in found.items()}
    write_series(found.times.tolist(), columns, rows)


def _cell(series: MSID, digits: int) -> Callable[[int], str]:
    """Return what gives the cell of a row; empty where the sample is bad."""
    import numpy as np

    values, bad = np.ma.getdata(series.vals), np.ma.getmaskarray(series.vals)
    return lambda row: "" if bad[row] else _number(values[row], digits)


def _digits(series: MSID) -> int:
    """Return how many decimals the values of a quantity have: those of its step."""
    from aca_core.aca_hdr3 import hdr3_item

    item = hdr3_item(series.msid)
    if series.raw or item.is_integer:
        return 0
    if item.factor is None:
        return 2  # thermistors; a count is some hundredths of a degree
    return min(6, max(0, math.ceil(-math.log10(item.factor) - 1e-9)))


def _number(value: Any, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
