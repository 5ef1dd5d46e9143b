"""The aspect level-1 products: aspect solution, calibration, quality, centroids, star and fid properties."""

from __future__ import annotations

from collections.abc import Iterable

from aca_core import ArchiveProduct, FitsColumns, Version, Work, hookimpl

# The columns are those that mica's archive has had since 2010, in its order.
ASP1 = ArchiveProduct(
    name="asp1",
    label="aspect level 1",
    version=Version(glob="*fidpr*", pattern=r"pcadf\d+N(\d{3})_"),
    columns=FitsColumns(
        "tstart", "tstop", "checksum", "ascdsver", "caldbver", "content", "revision", "obsid", "date", "isdefault"
    ),
    content_types=(
        "ASPQUAL",
        "ASPSOL",
        "ASPSOLOBI",
        "ACADATA",
        "GSPROPS",
        "GYRODATA",
        "KALMAN",
        "ACACAL",
        "ACACENT",
        "FIDPROPS",
        "GYROCAL",
        "ACA_BADPIX",
    ),
    file_names="*.fits*",
    discard=("*kalm1*", "*gdat*", "*adat*"),
    work=Work(table="aspect_1", id="aspect_1_id", reviewed_as_science=True),
    dialects={"arc5gl": {"probe": "asp1{fidprops}", "fetch": "asp1", "also": "dataset=pipelog"}},
    # Observations that were never released, from the list that the flight archive has kept.
    bad_obsids=(
        *(36, 37, 1452, 1855, 1856, 2593, 2586, 2587, 3366, 3367, 3679, 3678, 3685, 3686, 5049, 5048, 5047, 5046),
        *(5964, 5963, 5962, 5961, 6447, 6448, 6445, 6446),
        *(61927, 62248, 62549, 62550, 62552, 62553, 62556, 62558),
    ),
)


@hookimpl
def aca_archive_products() -> Iterable[ArchiveProduct]:
    """Return the one product of this plugin."""
    return [ASP1]
