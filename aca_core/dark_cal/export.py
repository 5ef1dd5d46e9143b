"""How a dark map leaves: as a FITS image that says where it is from, or as an array of numpy; whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from aca_core._whole_files import replacing
from aca_core.arrays import FloatArray
from aca_core.dark_sources import CCD_SHAPE, DarkSource, DatedTree
from aca_core.errors import DeclarationError, MissingDataError
from aca_core.fits_files import read_header
from aca_core.tables import creator

__all__ = ["MAP_ENDINGS", "is_synthetic", "write_dark_map"]

MAP_ENDINGS: Final = (".fits", ".fits.gz", ".npy")
"""Endings of the files that `write_dark_map` writes."""

_CARDS: Final[Mapping[str, tuple[str, str]]] = {
    "id": ("DARKID", "dark calibration, YYYYDOY"),
    "source": ("SOURCE", "dark source that the map is from"),
    "t_ccd": ("T_CCD", "[degC] CCD temperature of the calibration"),
    "t_ccd_ref": ("T_CCDREF", "[degC] CCD temperature that it is scaled to"),
    "scale": ("SCALE", "factor from T_CCD to T_CCDREF"),
    "allow_negative": ("NEGATIVE", "whether negative values are kept"),
    "row0": ("ROW0", "[pixel] row of the CCD of the first row"),
    "col0": ("COL0", "[pixel] column of the CCD of the first column"),
}
"""What is known of a map, and the keyword that says it."""


def is_synthetic(source: DarkSource, dark_id: str) -> bool:
    """Return whether a calibration is marked as synthetic: by its properties, or in the header of its map.

    Parameters
    ----------
    source : DarkSource
        Where it lies.
    dark_id : str
        ``YYYYDOY``.

    Returns
    -------
    bool

    Raises
    ------
    MissingDataError
        There is no such calibration.
    IntegrityError
        Its properties or the header cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.dark_cal import DarkCalibrations
    >>> from aca_core.testing import write_dark_calibration
    >>> folder = write_dark_calibration(Path(tempfile.mkdtemp()), "2019272").parent
    >>> is_synthetic(DarkCalibrations.of(folder).source, "2019272")
    True
    """
    try:
        if source.properties(dark_id).get("synthetic"):
            return True
    except MissingDataError:
        source.directory(dark_id)  # which says so where it is the calibration that is missing
    if not isinstance(source, DatedTree):
        return False
    path = source.directory(dark_id) / source.image_file
    return bool(read_header(path, 0).get("SYNTHET"))


def write_dark_map(path: str | Path, image: FloatArray, about: Mapping[str, Any], *, synthetic: bool = False) -> Path:
    """Write a dark map as FITS, with what is known of it in the header, or as ``.npy``; a file there is replaced.

    Parameters
    ----------
    path : path-like
        The file; its ending says the format.
    image : ndarray, shape (1024, 1024)
        Dark current, e-/s.
    about : mapping
        What is known: any of ``id``, ``source``, ``t_ccd``, ``t_ccd_ref``, ``scale``, ``allow_negative``, ``row0``,
        ``col0``. What is None or lacks is left out. An ``.npy`` file holds none of it.
    synthetic : bool, default False
        Whether the file is to be marked as synthetic.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    DeclarationError
        The ending is of another format, or the image has another shape. It is a ValueError.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from astropy.io import fits
    >>> path = Path(tempfile.mkdtemp()) / "dark.fits"
    >>> _ = write_dark_map(path, np.zeros(CCD_SHAPE), {"id": "2019272", "t_ccd": -11.2}, synthetic=True)
    >>> header = fits.getheader(path)
    >>> header["DARKID"], header["T_CCD"], header["SYNTHET"]
    ('2019272', -11.2, True)
    """
    path = Path(path)
    pixels = np.asarray(image)
    if not path.name.lower().endswith(MAP_ENDINGS):
        raise DeclarationError("write_dark_map", "path", str(path), f"a name that ends in {', '.join(MAP_ENDINGS)}")
    if pixels.shape != CCD_SHAPE:
        raise DeclarationError("write_dark_map", "image", f"of shape {pixels.shape}", f"the shape {CCD_SHAPE}")
    with replacing(path) as part:
        if path.name.lower().endswith(".npy"):
            np.save(part, pixels)
        else:
            _write_fits(part, pixels, about, synthetic=synthetic)
    return path


def _write_fits(path: Path, pixels: FloatArray, about: Mapping[str, Any], *, synthetic: bool) -> None:
    from astropy.io import fits

    header = fits.Header()
    header["BUNIT"] = ("electron / s", "unit of the dark current")
    for name, (keyword, comment) in _CARDS.items():
        if about.get(name) is not None:
            header[keyword] = (about[name], comment)
    header["CREATOR"] = (creator(), "program that wrote this file")
    if synthetic:
        header["SYNTHET"] = (True, "made by a program, not from flight")
    fits.PrimaryHDU(pixels, header).writeto(path, overwrite=True, checksum=True)
