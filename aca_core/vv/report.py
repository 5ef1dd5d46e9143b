"""The report of a verification: what it holds, how it is written as JSON, and how old ones are read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from aca_core._whole_files import replacing
from aca_core.errors import DeclarationError, IntegrityError
from aca_core.text_files import read_text_file
from aca_core.vv.judgement import Judgement

__all__ = [
    "OF_HEADER",
    "OF_OBSPAR",
    "REPORT_FILE",
    "VV_VERSION",
    "make_report",
    "read_report",
    "report_text",
    "write_report",
]

REPORT_FILE: Final = "vv_report.json"
"""What the file is called."""

VV_VERSION: Final = 4
"""Version of the keys and of their meaning (sot/mica `vv/vv.py`)."""

OF_OBSPAR: Final = ("tstart", "tstop", "sim_z", "sim_z_offset", "ra_pnt", "dec_pnt", "roll_pnt")
"""What a report keeps of the parameters of the observation, by the same names."""

OF_HEADER: Final = ("ASCDSVER", "CALDBVER", "DATE", "OBI_NUM", "OBS_ID", "REVISION", "TSTART", "TSTOP")
"""What it keeps of the header of each aspect solution."""


def make_report(
    *,
    obsid: int,
    revision: int,
    obspar: Mapping[str, Any],
    headers: Iterable[Mapping[str, Any]],
    slots: Mapping[Any, Mapping[str, Any]],
    sim: Mapping[str, Any],
    fidprops: Iterable[Iterable[Mapping[str, Any]]] = (),
    gsprops: Iterable[Iterable[Mapping[str, Any]]] = (),
    errors: Iterable[str] = (),
    aspect_1_id: int | None = None,
    ap_date: str | None = None,
    judgement: Judgement | None = None,
    more: Mapping[str, Any] | None = None,
    vv_version: int = VV_VERSION,
) -> dict[str, Any]:
    """Put a report together.

    Parameters
    ----------
    obsid, revision : int
        What was verified.
    obspar : mapping
        The observation parameters, with lower-case names.
    headers : iterable of mapping
        Of each aspect interval, the header of its attitude file.
    slots : mapping
        By slot, its statistics, see `slot_statistics`.
    sim : mapping
        What is said of the SIM offsets.
    fidprops, gsprops : iterable of iterable of mapping, optional
        Of each interval, each row of the properties of its fid lights and of its stars.
    errors : iterable of str, optional
        What was wrong with the files.
    aspect_1_id : int, optional
        Number of the processing run.
    ap_date : str, optional
        When that was. Where both are None no catalogue could be asked, and the report has neither.
    judgement : Judgement, optional
        Goes in as ``judgement``, a key that reports of other software do not have.
    more : mapping, optional
        Further keys, such as the origin of the files.
    vv_version : int, optional
        Version of the report.

    Returns
    -------
    dict
        Plain numbers, texts, lists and dictionaries with texts as keys; None for NaN, infinities and what is masked.

    Raises
    ------
    DeclarationError
        The observation parameters lack one that a report has, something is no mapping, of a type that JSON does not
        have, or `more` has a key that there is already. It is a ValueError.

    Examples
    --------
    >>> obspar = dict.fromkeys(("tstart", "tstop", "sim_z", "sim_z_offset", "ra_pnt", "dec_pnt", "roll_pnt"), 1.0)
    >>> slots = {7: {"slot": 7, "type": "GUIDE", "dz_rms": np.float64("nan")}}
    >>> report = make_report(
    ...     obsid=8010, revision=2, obspar={**obspar, "detnam": "ACIS-6789"}, headers=[], slots=slots, sim={},
    ... )
    >>> report["slots"]["7"]["dz_rms"] is None, report["instrument"]
    (True, 'ACIS-6789')
    """
    headers = list(headers)
    for name, value in [("argument obspar", obspar), *(("argument headers", header) for header in headers)]:
        if not isinstance(value, Mapping):
            raise DeclarationError("make_report", name, value, "a mapping with names as keys")
    lacking = [key for key in (*OF_OBSPAR, "detnam") if key not in obspar]
    if lacking:
        expected = "observation parameters with " + ", ".join((*OF_OBSPAR, "detnam"))
        raise DeclarationError("make_report", "argument obspar", f"without {', '.join(lacking)}", expected)
    report: dict[str, Any] = {
        "obsid": obsid,
        "revision": revision,
        "vv_version": vv_version,
        **{key: obspar[key] for key in OF_OBSPAR},
        "instrument": obspar["detnam"],
        "intervals": [{key: header.get(key) for key in OF_HEADER} for header in headers],
        "slots": slots,
        "sim": sim,
        "fidprops": fidprops,
        "gsprops": gsprops,
        "errors": errors,
    }
    if aspect_1_id is not None or ap_date is not None:
        report |= {"aspect_1_id": aspect_1_id, "ap_date": ap_date}
    if judgement is not None:
        report["judgement"] = judgement.as_dict()
    doubled = sorted(report.keys() & (more or {}).keys())
    if doubled:
        raise DeclarationError("make_report", "more", ", ".join(doubled), "keys that a report does not have yet")
    plain: dict[str, Any] = _plain({**report, **(more or {})}, "report")
    return plain


def report_text(report: Mapping[str, Any]) -> str:
    """Return a report as JSON.

    Parameters
    ----------
    report : mapping
        See `make_report`.

    Returns
    -------
    str
        Keys sorted, indented by 4, with ``null`` for what is not known.

    Raises
    ------
    DeclarationError
        It has something of a type that JSON does not have. It is a ValueError.

    Examples
    --------
    >>> print(report_text({"obsid": 8010, "dz_rms": float("nan")}))
    {
        "dz_rms": null,
        "obsid": 8010
    }
    """
    return json.dumps(_plain(report, "report"), sort_keys=True, indent=4, allow_nan=False)


def write_report(folder: str | Path, report: Mapping[str, Any]) -> Path:
    """Write a report, whole or not at all.

    Parameters
    ----------
    folder : path-like
        Where it goes, as ``vv_report.json``; one that is there is replaced.
    report : mapping
        See `make_report`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DeclarationError
        It has something of a type that JSON does not have. It is a ValueError.
    OSError
        It cannot be written.
    """
    path = Path(folder) / REPORT_FILE
    text = report_text(report) + "\n"
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def read_report(path: str | Path) -> dict[str, Any]:
    """Read a report, also one of other software.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        As it was written, but: NaN, which is not JSON, is None, and a statistic that is a list of one number is that
        number.

    Raises
    ------
    IntegrityError
        It is no JSON, or no report. It is a ValueError.
    OSError
        It cannot be read.
    """
    try:
        report = json.loads(read_text_file(path), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        if isinstance(error, IntegrityError):
            raise
        raise IntegrityError(path, f"is no JSON ({error}); run the verification again") from error
    slots = report.get("slots") if isinstance(report, dict) else None
    if not isinstance(slots, dict) or not all(isinstance(slot, dict) for slot in slots.values()):
        problem = "is no report of a verification: it has no object 'slots' with one object for each slot"
        raise IntegrityError(path, f"{problem}; run the verification again")
    report["slots"] = {key: {name: _alone(value) for name, value in slot.items()} for key, slot in slots.items()}
    found: dict[str, Any] = report
    return found


def _alone(value: Any) -> Any:
    """Return the number in a list of one number."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _plain(value: Any, where: str) -> Any:
    """Return a value as JSON has it."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is np.ma.masked:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(inner, f"{where}[{key!r}]") for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(_of_numpy(value, where), where)
    if isinstance(value, Iterable):
        return [_plain(inner, where) for inner in value]
    raise DeclarationError("report", where, value, "a number, a text, a list or a mapping")


def _key(key: Any, where: str) -> str:
    if isinstance(key, str | int | np.integer) and not isinstance(key, bool):
        return str(key)
    raise DeclarationError("report", where, key, "names or whole numbers as keys")


def _of_numpy(value: Any, where: str) -> Any:
    """Return numbers and texts of numpy as those of Python, and records as dictionaries; masked ones are None."""
    if value.dtype.names:
        return list(value) if value.ndim else {name: value[name] for name in value.dtype.names}
    if value.dtype.kind not in "biufSUO":
        raise DeclarationError("report", where, value, f"numbers or texts, not values of type {value.dtype}")
    return value.tolist()
