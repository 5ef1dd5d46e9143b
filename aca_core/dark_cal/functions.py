"""Dark calibrations by date, as functions: of the source of the configuration, or of another one that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from aca_core.arrays import FloatArray
from aca_core.dark_cal.calibrations import DarkCalibrations
from aca_core.dark_cal.selection import choose_dark_id
from aca_core.dark_cal.sources import SourceLike
from aca_core.dark_current.scaling import dark_temp_scale, dark_temp_scale_img
from aca_core.dates import dark_id_to_date, date_to_dark_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal, TypeAlias

    from astropy.table import Table

    from aca_core.arrays import StrArray
    from aca_core.dates import DateArray, DateLike, DateScalar

    Ids: TypeAlias = Mapping[str, str] | Iterable[Any] | None

__all__ = [
    "dark_id_to_date",
    "dark_temp_scale",
    "dark_temp_scale_img",
    "date_to_dark_id",
    "get_dark_cal_dirs",
    "get_dark_cal_id",
    "get_dark_cal_ids",
    "get_dark_cal_image",
    "get_dark_cal_props",
    "get_dark_cal_props_table",
    "temp_scalefac",
]


def temp_scalefac(t_ccd: Any, t_ccd_ref: Any = -19.0) -> Any:
    """Return the factor that takes dark current from a CCD temperature to a reference temperature.

    It is `dark_temp_scale` with the arguments that it had at first. `aca_core.dark_model` has another function of the
    same name, which goes the other way: from -19 degC to a temperature.

    Parameters
    ----------
    t_ccd : float or array_like
        The CCD temperature that the dark current is of, degC.
    t_ccd_ref : float or array_like, default -19
        The temperature that it is wanted for, degC.

    Returns
    -------
    float or ndarray
        The factor; less than 1 where the reference is colder.

    Raises
    ------
    DeclarationError
        A temperature is no number, or the shapes do not broadcast. It is a ValueError.

    Examples
    --------
    >>> round(temp_scalefac(t_ccd=-15, t_ccd_ref=-19), 12)
    0.7
    """
    return dark_temp_scale(t_ccd, t_ccd_ref)


def get_dark_cal_dirs(source: SourceLike = None) -> dict[str, str]:
    """Return the folders of all dark calibrations.

    Parameters
    ----------
    source : str, path or DarkSource, optional
        A name, such as ``mica`` or ``ska``, a folder of dated ones, or a source; by default the one that the
        configuration names as ``source`` of ``[dark]``.

    Returns
    -------
    dict of str to str
        By id ``YYYYDOY``, ascending, the absolute folder, as they are now.

    Raises
    ------
    UnknownNameError
        No source has that name; the message lists those that exist. It is a LookupError.
    MissingDataError
        The source's folder does not exist. It is a LookupError.
    ConfigError
        The configuration, or what it says of the source, is wrong.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272").parent
    >>> [Path(place).name for place in get_dark_cal_dirs(folder).values()]
    ['2019272']
    """
    return DarkCalibrations.of(source).dirs()


def get_dark_cal_ids(*, source: SourceLike = None) -> dict[str, str]:
    """Return the ids of all dark calibrations.

    Parameters
    ----------
    source : str, path or DarkSource, optional
        As for `get_dark_cal_dirs`, which says what is raised, too.

    Returns
    -------
    dict of str to str
        By date ``YYYY:DOY:00:00:00.000``, ascending, the id ``YYYYDOY``, as they are now.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272").parent
    >>> get_dark_cal_ids(source=folder)
    {'2019:272:00:00:00.000': '2019272'}
    """
    return DarkCalibrations.of(source).ids()


@overload
def get_dark_cal_id(
    date: DateScalar, select: str = ..., dark_cal_ids: Ids = ..., *, source: SourceLike = ...
) -> str: ...
@overload
def get_dark_cal_id(
    date: DateArray, select: str = ..., dark_cal_ids: Ids = ..., *, source: SourceLike = ...
) -> StrArray: ...
@overload
def get_dark_cal_id(
    date: DateLike, select: str = ..., dark_cal_ids: Ids = ..., *, source: SourceLike = ...
) -> str | StrArray: ...
def get_dark_cal_id(
    date: DateLike, select: str = "before", dark_cal_ids: Ids = None, *, source: SourceLike = None
) -> str | StrArray:
    """Return the id of the dark calibration that holds at a date, or at many.

    A calibration whose id is the UTC day of the date holds whatever `select` is. Otherwise a calibration counts as
    made at 00:00:00 UTC of its day, and `select` decides.

    Parameters
    ----------
    date : date-like, any shape
        In any form of `aca_core.dates`.
    select : {'before', 'after', 'nearest'}, default 'before'
        The last one before the date, the first one at or after it, or the nearest, of two the earlier.
    dark_cal_ids : mapping or iterable of str, optional
        Ids to choose from, or what `get_dark_cal_ids` returns; by default those of the source.
    source : str, path or DarkSource, optional
        As for `get_dark_cal_dirs`; it counts for nothing where ids are given.

    Returns
    -------
    str or ndarray of str, shape of `date`
        Ids ``YYYYDOY``.

    Raises
    ------
    DeclarationError
        There is no such way to select, or dates are masked. It is a ValueError.
    DateError
        A date is none. It is a ValueError.
    MissingDataError
        There is no calibration at all, or none before, or after, a date; of an array the message says how many dates.
        It is a LookupError.
    UnknownNameError
        There is no such source. It is a LookupError.

    Examples
    --------
    >>> get_dark_cal_id(["2022:105", "2022:127"], "nearest", dark_cal_ids=["2022069", "2022104", "2022133"]).tolist()
    ['2022104', '2022133']
    """
    if dark_cal_ids is not None:
        return choose_dark_id(dark_cal_ids, date, select, "dark_cal_ids")
    return DarkCalibrations.of(source).id(date, select)


def get_dark_cal_image(
    date: DateLike,
    select: str = "before",
    t_ccd_ref: float | None = None,
    aca_image: bool = False,
    allow_negative: bool = False,
    *,
    source: SourceLike = None,
) -> FloatArray:
    """Return the map of the dark calibration that holds at a date.

    The map is scaled first, where a temperature is given, and clipped after that.

    Parameters
    ----------
    date : date-like
        One date, in any form of `aca_core.dates`.
    select : {'before', 'after', 'nearest'}, default 'before'
        As for `get_dark_cal_id`.
    t_ccd_ref : float or Quantity, optional
        The CCD temperature to scale the map to, degC; the calibration's own is its property ``ccd_temp``. By default
        the map is as it was measured.
    aca_image : bool, default False
        Whether to return an `ACAImage`, which is indexed by rows and columns of the CCD: ``image.aca[-512:512, 0]``.
    allow_negative : bool, default False
        Whether to keep negative values, which are the noise of dark pixels; otherwise they become 0.
    source : str, path or DarkSource, optional
        As for `get_dark_cal_dirs`.

    Returns
    -------
    ndarray or ACAImage, shape (1024, 1024)
        Dark current, e-/s, float32, or float64 where the file has that; element [0, 0] is the pixel at row -512, column
        -512. The caller owns it.

    Raises
    ------
    DeclarationError
        There is no such way to select, or the temperature is none. It is a ValueError.
    DateError
        The date is none. It is a ValueError.
    MissingDataError
        There is no calibration before, or after, the date, it has no map, or no ``ccd_temp`` to scale it by. It is a
        LookupError.
    IntegrityError
        The map or the properties are damaged.
    UnknownNameError
        There is no such source. It is a LookupError.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272", level=100.0, t_ccd=-11.0).parent
    >>> image = get_dark_cal_image("2020:001", t_ccd_ref=-15.0, aca_image=True, source=folder)
    >>> round(float(image.aca[-512, -512]), 3)
    70.0
    """
    return DarkCalibrations.of(source).image(date, select, t_ccd_ref, aca_image, allow_negative)


def get_dark_cal_props(
    date: DateLike,
    select: str = "before",
    include_image: bool = False,
    t_ccd_ref: float | None = None,
    aca_image: bool = False,
    allow_negative: bool = False,
    *,
    source: SourceLike = None,
) -> dict[str, Any]:
    """Return the properties of the dark calibration that holds at a date.

    Parameters
    ----------
    date : date-like
        One date, in any form of `aca_core.dates`.
    select : {'before', 'after', 'nearest'}, default 'before'
        As for `get_dark_cal_id`.
    include_image : bool, default False
        Whether to add the map, as ``image``.
    t_ccd_ref, aca_image, allow_negative
        For the map: as for `get_dark_cal_image`.
    source : str, path or DarkSource, optional
        As for `get_dark_cal_dirs`.

    Returns
    -------
    dict
        All that the calibration's file says, replicas included. The caller owns it.

    Raises
    ------
    DeclarationError, DateError, MissingDataError, IntegrityError, UnknownNameError
        As for `get_dark_cal_image`; or the source keeps no properties.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272", t_ccd=-11.0).parent
    >>> get_dark_cal_props("2019:300", source=folder)["ccd_temp"]
    -11.0
    """
    calibrations = DarkCalibrations.of(source)
    return calibrations.props(date, select, include_image, t_ccd_ref, aca_image, allow_negative)


@overload
def get_dark_cal_props_table(
    start: DateLike = ...,
    stop: DateLike = ...,
    include_image: bool = ...,
    as_table: Literal[True] = ...,
    *,
    t_ccd_ref: float | None = ...,
    allow_negative: bool = ...,
    source: SourceLike = ...,
) -> Table: ...
@overload
def get_dark_cal_props_table(
    start: DateLike = ...,
    stop: DateLike = ...,
    include_image: bool = ...,
    *,
    as_table: Literal[False],
    t_ccd_ref: float | None = ...,
    allow_negative: bool = ...,
    source: SourceLike = ...,
) -> list[dict[str, Any]]: ...
@overload
def get_dark_cal_props_table(
    start: DateLike = ...,
    stop: DateLike = ...,
    include_image: bool = ...,
    as_table: bool = ...,
    *,
    t_ccd_ref: float | None = ...,
    allow_negative: bool = ...,
    source: SourceLike = ...,
) -> Table | list[dict[str, Any]]: ...
def get_dark_cal_props_table(
    start: DateLike = None,
    stop: DateLike = None,
    include_image: bool = False,
    as_table: bool = True,
    *,
    t_ccd_ref: float | None = None,
    allow_negative: bool = False,
    source: SourceLike = None,
) -> Table | list[dict[str, Any]]:
    """Return the properties of all dark calibrations of a range of days. No map is opened for it.

    Parameters
    ----------
    start, stop : date, optional
        The first and the last day, both included, in any form of `aca_core.dates`; 1999:001 and today by default.
    include_image : bool, default False
        Whether to add the maps, as ``image``: 4 MB for each calibration.
    as_table : bool, default True
        Whether to return a table, else all that the files say.
    t_ccd_ref, allow_negative
        For the maps: as for `get_dark_cal_image`.
    source : str, path or DarkSource, optional
        As for `get_dark_cal_dirs`.

    Returns
    -------
    astropy.table.Table or list of dict
        By id, ascending. A table has a column for each property that is a number, a truth value or a text, in the
        order in which they appear first; lists and the like are left out, and what a calibration lacks is masked.
        ``meta`` says the source, its folder, the first and the last day and the version of aca_core. Without any
        calibration it has no rows, and the columns that all calibrations have. ``image`` is an array of float32 of
        shape (rows, 1024, 1024), e-/s.

    Raises
    ------
    DateError
        One of the days is none, or the range goes backwards. It is a ValueError.
    DeclarationError
        The temperature is none. It is a ValueError.
    MissingDataError
        The source's folder does not exist, or it keeps no properties, or a calibration lacks them. It is a
        LookupError.
    IntegrityError
        A file is damaged, or a property is a text in one and a number in another.
    UnknownNameError
        There is no such source. It is a LookupError.

    Warns
    -----
    AcaWarning
        The maps take more than 1 GB of memory.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = Path(tempfile.mkdtemp())
    >>> for dark_id in ("2007006", "2019272"):
    ...     _ = write_dark_calibration(folder, dark_id, t_ccd=-11.0)
    >>> get_dark_cal_props_table("2007:001", "2008:001", source=folder)["date", "ccd_temp"].as_array().tolist()
    [('2007:006', -11.0)]
    """
    return DarkCalibrations.of(source).props_table(
        start, stop, include_image, as_table, t_ccd_ref=t_ccd_ref, allow_negative=allow_negative
    )
