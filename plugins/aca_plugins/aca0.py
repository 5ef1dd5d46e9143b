"""The level-0 telemetry of the aspect camera: images, header and header-3 bytes of eight slots, in files by day.

`aca_core.aca_l0` and `aca_core.aca_hdr3` answer from it: they ask for the product that provides ``aca-level0``.
"""

from __future__ import annotations

from collections.abc import Iterable

from aca_core import (
    ArchiveProduct,
    ByDay,
    Column,
    ColumnStore,
    ElementShape,
    FetchWindow,
    FitsColumns,
    FromName,
    RowCount,
    Supersession,
    Version,
    columns_from_text,
    hookimpl,
)

__all__ = ["ACA0", "aca_archive_products"]

# The columns are those that mica's archive has had since 2010, in its order. A file has one slot and one image size.
ACA0 = ArchiveProduct(
    name="aca0",
    label="ACA level 0",
    layout=ByDay(),
    version=Version(glob="acaf*_img0.fits*", pattern=r"acaf\d+N(\d{3})_"),
    columns=FitsColumns(
        "tstart",
        "tstop",
        *columns_from_text("int startmjf startmnf stopmjf stopmnf"),
        "checksum",
        Column("tlmver"),
        "ascdsver",
        "revision",
        "date",
        Column("rows", "int", source=RowCount(), required=True),
        Column("imgsize", "int", source=ElementShape("IMGRAW"), required=True),
        Column("slot", "int", source=FromName(r"acaf\d+N\d{3}_([0-7])_img0\.fits"), required=True),
    ),
    indexes=(("filetime",), ("tstart",), ("slot", "tstart"), ("slot", "tstop")),
    file_names="acaf*_img0.fits*",
    supersedes=Supersession(group=("slot",), same=("filetime", "startmjf", "startmnf", "stopmjf", "stopmnf")),
    # A delivery of level 0 is asked for a month at a time, and some hours more on each side.
    window=FetchWindow(days=30, margin=10_000.0),
    # The times of rows are the middle of the integration, 1.025 s + INTEG / 2 before those that headers begin and end
    # with; integrations take up to some seconds.
    column_store=ColumnStore(group=("slot", "imgsize"), time="TIME", margin=5.0),
    dialects={"arc5gl": {"by-time": "aca0", "by-name": "dataset=flight detector=pcad subdetector=aca level=0"}},
    provides=("aca-level0",),
)


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [ACA0]
