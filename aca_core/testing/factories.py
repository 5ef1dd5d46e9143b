"""Small valid files for tests, marked as synthetic in every header."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any, Final

__all__ = ["SYNTHETIC", "write_dark_calibration", "write_fits", "write_parameter_file", "write_text"]

SYNTHETIC: Final = "synthetic data made for a test, not from flight"
"""The mark that every file of this module carries."""


def write_fits(path: Path, header: Mapping[str, Any], columns: Mapping[str, Any] | None = None) -> Path:
    """Write a FITS file with one table.

    Parameters
    ----------
    path : Path
        Where; a name that ends in ``.gz`` is compressed.
    header : mapping
        Keywords of the table's header. CHECKSUM and DATASUM are added.
    columns : mapping of str to array_like, optional
        The table's columns; without them it has one row of one number.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from astropy.io import fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "simf000000001N001_coor1.fits", {"TSTART": 1.5})
    >>> fits.getheader(path, 1)["TSTART"]
    1.5
    """
    import numpy as np
    from astropy.io import fits

    table = fits.BinTableHDU.from_columns(
        [_fits_column(name, np.asarray(values)) for name, values in (columns or {"value": [0.0]}).items()]
    )
    for keyword, value in header.items():
        table.header[keyword] = value
    table.header["COMMENT"] = SYNTHETIC
    primary = fits.PrimaryHDU()
    primary.header["COMMENT"] = SYNTHETIC
    fits.HDUList([primary, table]).writeto(path, checksum=True)
    return path


def write_parameter_file(path: Path, parameters: Mapping[str, int | float | str | None]) -> Path:
    """Write an IRAF-style parameter file.

    Parameters
    ----------
    path : Path
        Where; a name that ends in ``.gz`` is compressed.
    parameters : mapping
        Names with values; None is written as an empty real.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from aca_core.parameter_file import read_parameter_file
    >>> folder = Path(tempfile.mkdtemp())
    >>> read_parameter_file(write_parameter_file(folder / "a.par.gz", {"obs_id": "7000", "tstart": 1.5}))
    {'obs_id': '7000', 'tstart': 1.5}
    """
    lines = [f"# {SYNTHETIC}"]
    for name, value in parameters.items():
        kind = "s" if isinstance(value, str) else "i" if isinstance(value, Integral) else "r"
        quoted = '"' + value.replace('"', '""') + '"' if isinstance(value, str) else "" if value is None else str(value)
        lines.append(f'{name},{kind},h,{quoted},,,""')
    return write_text(path, "\n".join(lines) + "\n")


def write_text(path: Path, text: str) -> Path:
    r"""Write a text file. Mark it with `SYNTHETIC` in whatever way its format has for remarks.

    Parameters
    ----------
    path : Path
        Where; a name that ends in ``.gz`` is compressed.
    text : str
        The content, written as UTF-8.

    Returns
    -------
    Path
        `path`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> write_text(Path(tempfile.mkdtemp()) / "a.txt.gz", f"# {SYNTHETIC}").read_bytes()[:2]
    b'\x1f\x8b'
    """
    content = text.encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def write_dark_calibration(
    folder: Path,
    dark_id: str,
    *,
    level: float = 10.0,
    t_ccd: float = -10.0,
    properties: Mapping[str, Any] | None = None,
    image_file: str = "image.fits",
    properties_file: str | None = "properties.json",
) -> Path:
    """Write one dark calibration in the layout of a `DatedTree`.

    Parameters
    ----------
    folder : Path
        The tree's root; made if it is not there.
    dark_id : str
        ``YYYYDOY``.
    level : float
        Dark current of the first pixel, e-/s; it falls towards the last pixel and is negative there.
    t_ccd : float
        CCD temperature, degC.
    properties : mapping, optional
        Further properties, or others: anything that JSON can hold.
    image_file : str, default 'image.fits'
        Base name of the map.
    properties_file : str or None, default 'properties.json'
        Base name of the properties; None for none.

    Returns
    -------
    Path
        The calibration's folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> sorted(path.name for path in write_dark_calibration(Path(tempfile.mkdtemp()), "2019272").iterdir())
    ['image.fits', 'properties.json']
    """
    import numpy as np
    from astropy.io import fits

    place = folder / dark_id
    place.mkdir(parents=True)
    image = np.linspace(level, -level / 10, 1024 * 1024, dtype=np.float32).reshape(1024, 1024)
    hdu = fits.PrimaryHDU(image)
    hdu.header["COMMENT"] = SYNTHETIC
    hdu.writeto(place / image_file, checksum=True)
    if properties_file is not None:
        own = {"ccd_temp": t_ccd, "date": f"{dark_id[:4]}:{dark_id[4:]}", "id": dark_id, "synthetic": SYNTHETIC}
        text = json.dumps({**own, **(properties or {})}, indent=4, sort_keys=True)
        (place / properties_file).write_text(text, encoding="utf-8")
    return place


def _fits_column(name: str, values: Any) -> Any:
    from astropy.io import fits

    kind = {"f": "D", "i": "K", "u": "K", "b": "L"}.get(values.dtype.kind)
    if kind is None:
        return fits.Column(name, f"{values.dtype.itemsize}A", array=values.astype("S"))
    shape = values.shape[1:]
    repeat = "" if not shape else str(int(values[0].size)) if len(values) else str(_product(shape))
    dim = f"({','.join(str(length) for length in reversed(shape))})" if len(shape) > 1 else None
    return fits.Column(name, f"{repeat}{kind}", array=values, dim=dim)


def _product(shape: tuple[int, ...]) -> int:
    result = 1
    for length in shape:
        result *= length
    return result
