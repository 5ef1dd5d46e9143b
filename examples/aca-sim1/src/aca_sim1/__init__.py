"""The archive product ``sim1``: positions of the science instrument module, in text tables with a header."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import attrs
from aca_core import (
    ArchiveProduct,
    Column,
    ColumnReader,
    FileFacts,
    FromName,
    IntegrityError,
    Version,
    Work,
    hookimpl,
    read_text_file,
)

__all__ = ["SIM1", "SimColumns"]

_NAME: Final = re.compile(r"simf\d{9,12}N(\d{3})_coor1\.txt(\.gz)?", re.ASCII)
_TABLE: Final = "time sim_x sim_y sim_z"
_MAX_HEADER: Final = 64 * 1024


@attrs.frozen
class SimColumns(ColumnReader):
    """Columns from the header of a SIM table, plain or gzipped.

    What lies more than 64 KiB into the text is not read: describing a file costs the same however long its table is.
    """

    columns: tuple[Column, ...] = (
        Column("filename", required=True),
        Column("filetime", "int", source=FromName(r"simf(\d+)N"), required=True, description="CXC seconds"),
        Column("tstart", "float", required=True, description="first time of the table, CXC seconds"),
        Column("tstop", "float", required=True, description="last time of the table, CXC seconds"),
        Column("content", required=True, description="content type, SIMCOOR"),
        Column("revision", "int", required=True, description="version of the product"),
        Column("date", required=True, description="creation date of the file, UTC"),
    )

    def facts(self, path: Path) -> FileFacts:
        """Find the header's values in one file.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        FileFacts
            Its name, and the header's values as text; the columns say which are required and of what type.

        Raises
        ------
        IntegrityError
            The file is not a SIM table, or not the one that its name says.
        """
        name = _NAME.fullmatch(path.name)
        if name is None:
            raise IntegrityError(path, "is not named like a SIM table; expected simf686111014N001_coor1.txt or .txt.gz")
        header = _read_header(path)
        if header.get("content") != "SIMCOOR":
            raise IntegrityError(path, f"its CONTENT is {header.get('content')!r}; expected SIMCOOR")
        if header.get("revision") != name[1].lstrip("0"):
            raise IntegrityError(path, f"its REVISION is {header.get('revision')!r}; expected {int(name[1])}")
        return FileFacts(path.name, header)


def _read_header(path: Path) -> dict[str, str]:
    """Return the header's ``# KEY: value`` lines, by lower-case key; the table must begin right below them."""
    header: dict[str, str] = {}
    for line in read_text_file(path, _MAX_HEADER, whole=False).splitlines():
        if not line.startswith("#"):
            if line.split() == _TABLE.split():
                return header
            break
        key, _, value = (part.strip() for part in line[1:].partition(":"))
        if key.lower() in header:
            raise IntegrityError(path, f"its header has {key} twice; expected it once")
        header[key.lower()] = value
    raise IntegrityError(path, f"has no table; expected {_TABLE!r} below the header, within {_MAX_HEADER} bytes")


SIM1 = ArchiveProduct(
    name="sim1",
    label="SIM positions, level 1, as text",
    version=Version(glob="simf*_coor1.txt*", pattern=r"simf\d+N(\d{3})_"),
    columns=SimColumns(),
    content_types=("SIMCOOR",),
    file_names="simf*_coor1.txt*",
    work=Work(table="sim", id="sim_id"),
)


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [SIM1]
