"""A small product by day with a column store, its synthetic files, and what is compared of its answers."""

from __future__ import annotations

import numpy as np

from aca_core import (
    ArchiveProduct,
    ByDay,
    Column,
    ColumnStore,
    ElementShape,
    FetchWindow,
    FitsColumns,
    FromName,
    Supersession,
    UpdateOptions,
    Version,
)
from aca_core.dates import to_secs
from aca_core.layouts import Day
from aca_core.testing import DeliveryShelf, write_fits

PRODUCT = ArchiveProduct(
    name="tlm1",
    label="tables by day, for tests",
    layout=ByDay(),
    version=Version(glob="tlmf*", pattern=r"tlmf\d+N(\d{3})_"),
    columns=FitsColumns(
        *("tstart", "tstop", "revision", "date"),
        Column("slot", "int", source=FromName(r"_(\d)_img0"), required=True),
        Column("size", "int", source=ElementShape("IMG"), required=True),
    ),
    file_names="tlmf*",
    supersedes=Supersession(group=["slot"], same=["filetime", "tstop"]),
    window=FetchWindow(days=400, margin=3000.0),
    column_store=ColumnStore(group=["slot", "size"], margin=2.0),
)


def secs(date):
    return float(to_secs(date))


def day_of(date):
    return Day(int(date[:4]), int(date[5:8]))


def write_rows(
    folder, date, offsets, *, slot=0, size=2, revision=1, newer=False, synthetic=True, seed=0, stop=None, **more
):
    """Write a file whose rows have these times, s from its beginning, with values that a seed decides."""
    start, offsets = secs(date), np.asarray(offsets, dtype=float)
    rng = np.random.default_rng([int(start), slot, revision, seed])
    rows = len(offsets)
    columns = {
        "TIME": start + offsets,
        "FLAG": rng.integers(-100, 100, rows, dtype=np.int16),
        "IMG": rng.normal(size=(rows, size, size)).astype(np.float32),
        "GOOD": rng.random(rows) < 0.5,
        "WORD": np.array([f"w{number}" for number in range(rows)], dtype="U8"),
    }
    if newer:
        columns["EXTRA"] = rng.integers(0, 2**30, (rows, 3), dtype=np.int32)
    columns |= more.pop("columns", {})
    last = float(np.nanmax(offsets)) if rows else 60.0
    header = {"TSTART": start, "TSTOP": start + (last if stop is None else stop), "REVISION": revision}
    header |= {"DATE": "2021-10-01T00:00:00", **({"SYNTHET": True} if synthetic else {}), **more}
    name = f"tlmf{int(start)}N{revision:03d}_{slot}_img0.fits.gz"
    folder.mkdir(parents=True, exist_ok=True)
    write_fits(folder / name, header, columns)
    return name


class Site:
    """An archive that a shelf feeds, and its column store, which a test follows when it wants to."""

    def __init__(self, folder, product=PRODUCT):
        self.folder = folder
        for name in ("shelf", "archive"):
            (folder / name).mkdir()
        self.shelf = DeliveryShelf(product, folder / "shelf")
        self.archive = self.shelf.archive(folder / "archive")

    def put(self, date, offsets, **more):
        """Deliver a file."""
        folder = self.shelf.folder / str(PRODUCT.layout.directory(day_of(date)))
        return write_rows(folder, date, offsets, **more)

    def update(self, **options):
        """Take in what is delivered; return the changes."""
        options = {"since": secs("2020:360"), "until": secs("2021:300"), **options}
        report = self.archive.run_update(UpdateOptions(**options))
        assert report.failed == []
        return report.changes

    def follow(self, changes):
        """Let the column store follow, and return the names of the pieces that were written."""
        return [name for change in changes for name in self.keeper.follow(change).written]

    @property
    def keeper(self):
        return self.archive.column_store

    @property
    def pieces(self):
        return sorted(str(path.relative_to(self.keeper.folder)) for path in self.keeper.folder.glob("*/*"))

    def piece(self, name):
        return self.keeper.folder / name

    def read(self, start="2020:360", stop="2021:300", columns=None, **more):
        return self.archive.read_tables(start, stop, columns, **more)

    def problems(self, **more):
        return [f"{each.place}: {each.problem}" for each in self.archive.verify(**more)]

    def state(self):
        """Return what is other when a piece was written."""
        paths = [self.piece(name) for name in self.pieces]
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def plain(groups):
    """Return everything that an answer says but where it came from, so that answers can be compared."""
    return [
        {
            "group": dict(group.group),
            "files": [row["filename"] for row in group.files],
            "paths": [row["path"] for row in group.files],
            "counts": group.counts.tolist(),
            "values": {name: _exact(values) for name, values in group.values.items()},
            "lacking": {name: _exact(values) for name, values in group.lacking.items()},
            "synthetic": group.synthetic,
        }
        for group in groups
    ]


def _exact(values):
    return (values.dtype.str, values.shape, values.tobytes())


def assert_same(archive, *arguments, **more):
    """Hold the answer of the store against that of the files; return it."""
    found, expected = (archive.read_tables(*arguments, use_store=use, **more) for use in (True, False))
    assert plain(found) == plain(expected)
    assert all(group.from_store == 0 for group in expected)
    for group in found:
        for values in (*group.values.values(), *group.lacking.values()):
            assert len(values) == len(group) == group.counts.sum()
    return found


def story(site):
    """Deliver a month and more, with everything that tables may be; return the range of it."""
    site.put("2021:030:10:00:00", np.arange(0, 40, 4))
    site.put("2021:030:10:01:00", np.arange(0, 40, 4), size=4)
    site.put("2021:030:10:02:00", np.arange(0, 40, 4)[::-1], slot=1, stop=36)  # out of order
    site.put("2021:030:23:59:50", np.arange(0, 40, 4), slot=1)
    site.put("2021:031:12:00:00", [], slot=1)
    site.put("2021:031:13:00:00", [0, np.nan, 4, 4, 8])  # a time that is none, and one that is there twice
    site.put("2021:031:14:00:00", np.arange(-1.9, 40, 2), synthetic=False)
    site.put("2021:032:10:00:00", np.arange(0, 40, 4))
    site.put("2021:032:10:01:00", np.arange(0, 40, 4), newer=True)
    site.put("2021:032:10:01:20", np.arange(0, 40, 4), newer=True)  # overlaps the one before
    site.put("2021:033:00:00:05", np.arange(0, 40, 4), newer=True, size=4)
    site.put("2021:033:10:00:00", [], newer=True)
    return secs("2021:030:09:59:50"), secs("2021:033:10:00:10")


def chosen_times(archive):
    """Return the times at which something begins or ends, so that ranges meet them exactly."""
    rows = [group.values["TIME"] for group in archive.read_tables("2020:360", "2021:300", ["TIME"], use_store=False)]
    index = archive.get_rows("2020:360", "2021:300", columns=["tstart", "tstop"])
    return sorted({*np.concatenate(rows).tolist(), *(row[name] for row in index for name in ("tstart", "tstop"))})


def killed_piece(path):
    """Leave what somebody leaves who is killed while he writes a piece."""
    left = path.with_name(f".{path.name}.12345.new")
    left.write_bytes(b"half of it")
    return left
