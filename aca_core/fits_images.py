"""Images in FITS files, whatever they are compressed or scaled with, as arrays that the caller owns."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aca_core.fits_files import (
    MAX_DATA,
    fits_errors,
    header_in,
    opened_fits,
    read_data,
    read_errors,
    read_header,
    size_of_data,
)
from aca_core.fits_header import FitsHeader

if TYPE_CHECKING:
    import numpy.typing as npt
    from astropy.io.fits import HDUList

__all__ = ["open_fits", "read_image"]


def read_image(path: str | Path, hdu: int = 0) -> npt.NDArray[Any] | None:
    """Read the image of one HDU of a FITS file, plain or gzipped.

    Floating point that is stored as it is, which is what most images are, is read in one go; whatever is scaled or
    of another kind is astropy's work.

    Parameters
    ----------
    path : path-like
        The file. Its name does not matter: gzip is recognised by the first two bytes.
    hdu : int, default 0
        0 for the primary HDU, 1 for the first extension.

    Returns
    -------
    ndarray or None
        In the byte order of the machine, of the kind that the file has, physical values where it is scaled; the
        caller owns it. None where the HDU has no image.

    Raises
    ------
    IntegrityError
        The file is no FITS file, has no such HDU, or is damaged up to the end of the image.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from astropy.io import fits
    >>> path = Path(tempfile.mkdtemp()) / "a.fits"
    >>> fits.PrimaryHDU(np.ones((2, 3), dtype=">f4")).writeto(path)
    >>> read_image(path)
    array([[1., 1., 1.],
           [1., 1., 1.]], dtype=float32)
    """
    import numpy as np

    path = Path(path)
    wanted = f"an image in HDU {hdu}"
    with read_errors(path, wanted), opened_fits(path) as stream:
        with fits_errors(path, wanted):
            header = header_in(stream, hdu)
            shape = _plain_image(header)
            bits = header["BITPIX"] if shape else 0
        if shape:
            stored = np.frombuffer(read_data(stream, math.prod(shape) * -bits // 8, "image"), dtype=f">f{-bits // 8}")
            return stored.astype(stored.dtype.newbyteorder("=")).reshape(shape)
    with open_fits(path, wanted) as hdus:
        data = hdus[hdu].data
        return None if data is None else np.array(data, dtype=data.dtype.newbyteorder("="))


def _plain_image(header: FitsHeader) -> tuple[int, ...]:
    """Return the shape of an image that is floating point as it stands; empty for any other."""
    if header.get("XTENSION", "IMAGE") != "IMAGE" or header.get("GROUPS") is True:
        return ()
    if header.get("BITPIX") not in (-32, -64) or (header.get("BSCALE", 1), header.get("BZERO", 0)) != (1, 0):
        return ()
    if size_of_data(header) > MAX_DATA:
        raise ValueError(f"it would have {size_of_data(header)} bytes; expected at most {MAX_DATA}")
    lengths = tuple(header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1))
    return lengths if math.prod(lengths) else ()


@contextlib.contextmanager
def open_fits(path: Path, wanted: str) -> Iterator[HDUList]:
    """Open a FITS file, plain or gzipped, for a block that reads from it.

    Read and leave: what else reads FITS in this process waits meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    wanted : str
        What the block reads, for the message: ``an image in HDU 0``.

    Yields
    ------
    HDUList
        Not memory-mapped. Do not keep it beyond the block.

    Raises
    ------
    IntegrityError
        The file, or what the block reads of it, cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from aca_core.testing import write_fits
    >>> path = write_fits(Path(tempfile.mkdtemp()) / "a.fits", {"CONTENT": "SIMCOOR"})
    >>> with open_fits(path, "a table in HDU 1") as hdus:
    ...     hdus[1].data["value"].tolist()
    [0.0]
    """
    from astropy.io import fits

    read_header(path, 0)  # refuses what astropy would not come back from
    with fits_errors(path, wanted), path.open("rb") as stream, fits.open(stream, memmap=False) as hdus:
        yield hdus
