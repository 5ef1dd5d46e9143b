"""A small product by day, in the manner of level-0 telemetry, and its synthetic files."""

import attrs

from aca_core import (
    ArchiveProduct,
    ByDay,
    Catalogue,
    Column,
    FetchWindow,
    FitsColumns,
    FromName,
    Supersession,
    Version,
)
from aca_core.dates import to_secs
from aca_core.testing import write_fits

TLM0 = ArchiveProduct(
    name="tlm0",
    label="telemetry by day, for tests",
    layout=ByDay(),
    version=Version(glob="tlmf*", pattern=r"tlmf\d+N(\d{3})_"),
    columns=FitsColumns(
        *("tstart", "tstop", "content", "revision", "date"),
        Column("startmjf", "int"),
        Column("slot", "int", source=FromName(r"_(\d)_img0"), required=True),
    ),
    content_types=["TLM"],
    file_names="tlmf*",
    supersedes=Supersession(group=["slot"], same=["filetime", "startmjf"]),
    window=FetchWindow(days=2, margin=3000.0),
)


@attrs.frozen(kw_only=True)
class Ingested(Catalogue):
    """Lists files that were ingested centrally, and nothing else."""

    listed: tuple = ()

    def new_work(self, work, after):
        return ()

    def runs(self, work, obsid, *, obi=None, revision=None):
        return ()

    def obis(self, obsid):
        return ()

    def ingested_files(self, product, after):
        return [each for each in self.listed if each.ingested > after]


def write_file(folder, start, stop, *, slot=0, revision=1, mjf=100, **more):
    """Write one file and return its name; the time in the name is that of its start."""
    name = f"tlmf{int(start)}N{revision:03d}_{slot}_img0.fits.gz"
    header = {"TSTART": float(start), "TSTOP": float(stop), "CONTENT": "TLM", "REVISION": revision}
    header |= {"STARTMJF": mjf, "DATE": "2019-10-01T00:00:00", **more}
    folder.mkdir(parents=True, exist_ok=True)
    write_fits(folder / name, {key: value for key, value in header.items() if value is not None})
    return name


def start_of(day):
    """Return the first whole second of a day, CXC seconds."""
    return int(to_secs(f"{day}:00:00:00.000")) + 1


def write_day(folder, day):
    """Write what one day has: two files of each of two slots."""
    for slot in (0, 1):
        for hour in (0, 12):
            start = start_of(day) + 3600 * hour
            write_file(folder, start, start + 3600, slot=slot)
