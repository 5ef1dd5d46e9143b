"""Archives of level-0 telemetry for tests, files that say what a test wants, and a reader that is slow and plain."""

from __future__ import annotations

import functools

import numpy as np
from astropy.io import fits

from aca_core import Config, ProductSet, UpdateOptions, open_archive
from aca_core.aca_l0 import ACA_COLUMNS, ACA_DTYPE
from aca_core.config import PluginSettings
from aca_core.dates import to_date
from aca_core.simulation.fits_bytes import compressed, fits_table

START = 725846472.0
"""Some seconds into 2021:001."""

_PERIOD = {4: 1.025, 6: 2.05, 8: 4.1}


def archive_of(root, delivered, *, catalogue=None, disable=(), products=("aca0",), checksum="error"):
    """Open an archive whose deliveries are in a folder."""
    (root / "archive").mkdir(parents=True, exist_ok=True)
    return open_archive(
        config=Config(
            root=[root / "archive"],
            plugins=PluginSettings(disable=disable),
            sets={
                "all": ProductSet(
                    products=products,
                    retriever="directory",
                    catalogue="file" if catalogue else None,
                    checksum=checksum,
                )
            },
            retrievers={"directory": {"folder": str(delivered)}},
            catalogues={"file": {"path": str(catalogue)}} if catalogue else {},
        )
    )


def ingest(archive, since, until):
    """Take everything in, and let nothing fail unseen."""
    report = archive["aca0"].run_update(UpdateOptions(since=since, until=until))
    assert not report.failed
    assert not report.conflicts
    assert not report.undelivered
    return archive


def rows_of(times, size, **columns):
    """Return rows of a table with the columns that are named, beside those that tell time, quality and image."""
    images = np.arange(len(times) * size * size).reshape(len(times), size, size) % 1000
    values = {"TIME": np.asarray(times, ">f8"), "QUALITY": np.zeros(len(times), ">i4"), **columns}
    kinds = [(name, np.asarray(each).dtype, np.asarray(each).shape[1:]) for name, each in values.items()]
    rows = np.zeros(len(times), [*kinds, ("IMGRAW", ">f4", (size, size))])
    for name, each in values.items():
        rows[name] = each
    rows["IMGRAW"] = images
    return rows


def write_level0(folder, rows, *, slot=0, revision=1, start=None, stop=None):
    """Write a synthetic file into a tree of deliveries; return its name."""
    size = rows["IMGRAW"].shape[1]
    first = float(rows["TIME"].min()) + 1.873 if start is None else start
    last = float(rows["TIME"].max()) + 1.873 + _PERIOD[size] if stop is None else stop
    name = f"acaf{int(first):09d}N{revision:03d}_{slot}_img0.fits.gz"
    header = {"TSTART": first, "TSTOP": last, "REVISION": revision, "CONTENT": "ACAIMG", "DATE": "2021-01-01T00:00:00"}
    header |= {f"{end}{what}": int(time) for end, time in (("START", first), ("STOP", last)) for what in ("MJF", "MNF")}
    date = to_date(int(first))
    path = folder / "aca0" / date[:4] / date[5:8] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(compressed(fits_table("ACA_IMG0", rows, header)))
    return name


@functools.cache  # several tests look at the same
def read_plainly(folder, slot, *, centered=False):
    """Return all records of a slot below a folder: every file is opened, and every row taken by itself.

    Of rows at one time that of the greater revision is taken, then that of the later file.
    """
    names = [field[0] for field in ACA_DTYPE]
    kind = np.dtype([(each[0], each[1], (8, 8)) if centered and each[0] == "IMGRAW" else each for each in ACA_DTYPE])
    chosen = {}
    for path in sorted(folder.glob(f"*/*/acaf*_{slot}_img0.fits.gz"), key=lambda path: path.name):
        revision = int(path.name.split("N")[1][:3])
        with fits.open(path) as hdus:
            table = hdus[1].data
            columns = {name: table[name] for name in names if name in table.names}
            for number in range(len(table)):
                row = {name: values[number] for name, values in columns.items()}
                key = round(float(row["TIME"]), 2)
                if key not in chosen or chosen[key][0] <= revision:
                    chosen[key] = (revision, *_record(row, path.name, names, centered))
    ordered = [chosen[key] for key in sorted(chosen)]
    records = np.array([each[1] for each in ordered], kind)
    return np.ma.array(records, mask=np.array([each[2] for each in ordered], np.ma.make_mask_descr(kind)))


def _record(row, filename, names, centered):
    size = row["IMGRAW"].shape[0]
    image, outside = np.zeros((8, 8)), np.ones((8, 8), bool)
    low = (8 - size) // 2 if centered else 0
    for i in range(size):
        for j in range(size):
            is_corner = size == 6 and i in (0, 5) and j in (0, 5)
            image[low + i, low + j], outside[low + i, low + j] = row["IMGRAW"][i, j], is_corner
    shape = (8, 8) if centered else (64,)
    more = {"IMGSIZE": size, "FILENAME": filename, "IMGRAW": image.reshape(shape)}
    known = {"PIXTLM": "ORIG", "BGDTYP": "FLAT"} | row | more
    values = tuple(known.get(name, "" if ACA_COLUMNS[name].dtype[0] == "U" else 0) for name in names)
    masks = tuple(outside.reshape(shape) if name == "IMGRAW" else name not in known for name in names)
    return values, masks


def assert_same_records(found, expected):
    """Compare two masked record arrays field by field and mask by mask; what lies below a mask counts for nothing."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    for name in expected.dtype.names:
        np.testing.assert_array_equal(found.mask[name], expected.mask[name], err_msg=name)
        seen = ~expected.mask[name]
        np.testing.assert_array_equal(found.data[name][seen], expected.data[name][seen], err_msg=name)
