"""The observation parameters: one parameter file for each observation interval.

The functions ask the archive that `aca_core.current_archive` names at the time of the call::

    from aca_plugins import obspar

    parameters = obspar.get_obspar(7000)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, SupportsIndex

from aca_core import (
    ArchiveProduct,
    Column,
    DeclarationError,
    FromArchive,
    IntegrityError,
    ParameterColumns,
    ProductFunctions,
    Version,
    Work,
    columns_from_text,
    hookimpl,
    read_parameter_file,
)

if TYPE_CHECKING:
    from aca_core.dates import DateLike

__all__ = [
    "OBSPAR",
    "aca_archive_products",
    "get_dir",
    "get_files",
    "get_obs_dirs",
    "get_obsids",
    "get_obspar",
    "get_obspar_file",
    "read_obspar",
]


def __dir__() -> list[str]:
    return sorted(__all__)


# The 130 columns that mica's archive has had, in its order.
_COLUMNS = (
    Column("obsid", "int", source="obs_id", required=True),
    *columns_from_text("""
        text  title observer ao object ss_object obs_id
        int   obi_num
        text  seq_num instrume grating detector detnam si_mode optical_monitor raster_scan dither
        float dither_y_amp dither_z_amp dither_y_freq dither_z_freq dither_y_phase dither_z_phase
        float ra_pnt dec_pnt roll_pnt ra_targ dec_targ
        float y_det_offset z_det_offset radial_offset defocus sim_z_offset
        text  pre_id uninterrupted
        int   seg_max_num
        float ra_nom dec_nom roll_nom
        text  date_obs date_end
        float tstart tstop sched_start sched_stop sched_exp_time
        text  obs_mode maneuver
        float maneuver_v1 maneuver_v2 maneuver_v3 maneuver_angle
        text  maneuver_ref
        float mjdref timezero
        text  timeunit timesys timversn datamode readmode
        text  ccdi0_on ccdi1_on ccdi2_on ccdi3_on ccds0_on ccds1_on ccds2_on ccds3_on ccds4_on ccds5_on
        int   dropped_chip_count
        text  onchip_sum
        int   sumrow sumcol
        text  subarray
        int   startrow rowcnt
        float subarray_frame_time
        text  duty_cycle
        int   dtycycle
        float exptimea exptimeb
        text  most_efficient eventfilter
        float phamin pharange
        text  bias_request mode mission telescop
        float sim_x sim_y sim_z foc_len
        int   py_shutter_position my_shutter_position range_switch_level
        text  antico_enable
        int   upper_level_disc
        text  timing_mode
        int   trigger_level u_blank_hi u_blank_low v_blank_low v_blank_hi
        text  uld_enable zero_block blank_enable width_enable spect_mode
        int   width_threshold
        float mt_a mt_aop mt_e mt_epoch mt_i mt_ma mt_raan
        text  timeref tassign origin ascdsver obi_data
        int   revision obspar_ver
        text  obspar_type obspar_stat
    """),
    Column("content", "text", default="OBSPAR"),
    Column("isdefault", "int", source=FromArchive()),
)

OBSPAR = ArchiveProduct(
    name="obspar",
    label="observation parameters",
    version=Version(glob="axaff*par*", pattern=r"axaff\d{5}_\d{3}N(\d{3}).*"),
    columns=ParameterColumns(*_COLUMNS),
    content_types=("OBSPAR",),
    file_names="axaff*par*",
    recheck=True,
    work=Work(table="obidet_0_5", id="obidet_0_5_id"),
    dialects={"arc5gl": {"probe": "obspar", "fetch": "obspar"}},
    provides=("obsid-times",),
)


_verbs = ProductFunctions(OBSPAR.name)

get_dir = _verbs.get_dir
get_obs_dirs = _verbs.get_obs_dirs
get_files = _verbs.get_files


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [OBSPAR]


def get_obspar_file(obsid: int, version: int | str = "default") -> str | None:
    """Return the file with the parameters of an observation.

    Parameters
    ----------
    obsid : int
        Which observation.
    version : int or str
        A version, ``default`` for the released one, or ``last`` for the newest one.

    Returns
    -------
    str or None
        Absolute path, of the first observation interval if there are several; None if there is no such version.

    Raises
    ------
    DeclarationError
        `version` is something else. It is a ValueError.

    Examples
    --------
    >>> get_obspar_file(7000)  # doctest: +SKIP
    '/data/aca/archive/obspar/07/07000/axaff07000_000N002_obs0a.par.gz'
    """
    if version not in ("default", "last") and not isinstance(version, SupportsIndex):
        raise DeclarationError("get_obspar_file", "version", version, "a version number, 'default' or 'last'")
    folder = (get_obs_dirs(obsid) or {}).get(version)
    # In the names all numbers have leading zeros, so the least name has the least interval.
    return min((str(path) for path in Path(folder).glob("axaff*par*")), default=None) if folder else None


def get_obspar(obsid: int, version: int | str = "default") -> dict[str, str | int | float | None] | None:
    """Return the parameters of an observation.

    Parameters
    ----------
    obsid : int
        Which observation.
    version : int or str
        A version, ``default`` for the released one, or ``last`` for the newest one.

    Returns
    -------
    dict or None
        As `read_obspar` returns them, of the first observation interval if there are several; None if there is no such
        version.

    Raises
    ------
    IntegrityError
        The file cannot be read, or is that of another observation.
    DeclarationError
        `version` is something else. It is a ValueError.

    Examples
    --------
    >>> get_obspar(7000)["detector"]  # doctest: +SKIP
    'ACIS-S'
    """
    path = get_obspar_file(obsid, version)
    if path is None:
        return None
    parameters = read_obspar(path)
    written = str(parameters.get("obs_id", obsid)).strip()
    if not written.isdecimal() or int(written) != int(obsid):
        raise IntegrityError(path, f"its obs_id is {written!r}; expected {obsid}, by its folder")
    return parameters


def read_obspar(path: str | Path) -> dict[str, str | int | float | None]:
    """Read a file of observation parameters, plain or gzipped.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        Name to value in the order of the file, None for a number that is undefined; and ``num_ccd_on``, the number of
        CCDs that are on, not counting optional ones.

    Raises
    ------
    IntegrityError
        A line cannot be understood, or the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_parameter_file
    >>> path = Path(tempfile.mkdtemp()) / "axaff90123_000N001_obs0a.par.gz"
    >>> read_obspar(write_parameter_file(path, {"obs_id": "90123", "ccds3_on": "Y", "ccds4_on": "O1"}))
    {'obs_id': '90123', 'ccds3_on': 'Y', 'ccds4_on': 'O1', 'num_ccd_on': 1}
    """
    parameters = read_parameter_file(path)
    on = [name for name, value in parameters.items() if re.fullmatch(r"ccd[is]\d_on", name) and value == "Y"]
    return {**parameters, "num_ccd_on": len(on)}


def get_obsids(
    start: DateLike, stop: DateLike | None = None, revision: Literal["default", "last", "all"] | int | None = None
) -> list[int]:
    """Return the observations in a time range.

    Parameters
    ----------
    start, stop : date
        The range, in any form of `aca_core.dates`; observations that have a part in it count. `stop` is now by default.
    revision : int or str, optional
        A revision of the parameters, ``last`` or ``all``; by default the released one, which is also ``default``.

    Returns
    -------
    list of int
        Obsids by start time, each once.

    Examples
    --------
    >>> get_obsids("2012:001", "2012:003")  # doctest: +SKIP
    [13664, 14291, 12911]
    """
    rows = _verbs.get_rows(start=start, stop=stop, revision=revision, columns=["obsid", "tstart"])
    return list(dict.fromkeys(row["obsid"] for row in rows))
