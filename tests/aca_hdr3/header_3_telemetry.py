"""Level-0 telemetry of a few quantities, made by hand: as columns of a slot, or as files of an archive."""

from __future__ import annotations

import numpy as np
from aca_plugins.aca0 import ACA0

from aca_core import Day, UpdateOptions, open_archive
from aca_core.aca_hdr3 import hdr3_item
from aca_core.aca_l0.one_slot import SlotColumns
from aca_core.dates import day_end, day_start, to_secs, year_doy
from aca_core.testing import DeliveryShelf

START = float(to_secs("2019:272:02:00:00"))
PERIOD = 4.1000002


def times_of(count, *, without=(), start=START):
    """Return the times of 8x8 rows in a row, of which some are left out."""
    return start + PERIOD * np.array([number for number in range(count) if number not in without])


class HandmadeTelemetry:
    """Stands in for `slot_columns`, and remembers what it was asked for."""

    def __init__(self):
        self.slots = {}
        self.asked = []

    def put(self, slot, times, quality=None, missing=None, **words):
        """Give a slot rows; words are by quantity, and written where their bytes in this slot are."""
        times = np.asarray(times, dtype=float)
        columns = {"TIME": times, "QUALITY": np.zeros(times.size, "i4") if quality is None else np.asarray(quality)}
        for msid, values in words.items():
            item = hdr3_item(msid)
            values = np.broadcast_to(np.asarray(values, dtype=np.int64), times.shape)
            for place, (other, column) in enumerate(item.bytes):
                if other == slot:
                    columns[column] = (values >> (8 * (item.size - 1 - place)) & 0xFF).astype("u1")
        self.slots[slot] = columns, missing or {}

    def slot_columns(self, start, stop, slot, imgsize=None, columns=None, **elsewhere):
        """Answer as `aca_core.aca_l0.slot_columns` does."""
        self.asked.append({"start": start, "stop": stop, "slot": slot, "imgsize": imgsize, "columns": columns})
        self.asked[-1].update(elsewhere)
        empty = {name: np.zeros(0, "u1") for name in columns}
        found, missing = self.slots.get(slot, ({**empty, "TIME": np.zeros(0), "QUALITY": np.zeros(0, "i4")}, {}))
        inside = (found["TIME"] >= start) & (found["TIME"] <= stop)
        zeros = np.zeros(found["TIME"].size, "u1")
        count = int(inside.sum())
        return SlotColumns(
            slot=slot,
            times=found["TIME"][inside],
            values={name: found.get(name, zeros)[inside] for name in columns},
            missing={name: mask[inside] for name, mask in missing.items()},
            imgsize=np.full(count, 8),
            files=(f"slot{slot}.fits",),
            file_counts=(count,),
            synthetic=True,
            provenance={"product": "by hand", "files": 1},
        )


def write_slot(folder, slot, times, *, size=8, quality=0, revision=1, **words):
    """Write a level-0 file, marked as synthetic, with the bytes of some quantities; a word may be as many as times."""
    from astropy.io import fits

    telemetry = HandmadeTelemetry()
    telemetry.put(slot, times, np.broadcast_to(np.int32(quality), np.shape(times)), **words)
    found, _ = telemetry.slots[slot]
    names = [f"HD3TLM{image_type}{word}" for image_type in (6, 7) for word in range(2, 8)] if size == 8 else []
    columns = [
        fits.Column("TIME", "D", unit="s", array=found["TIME"]),
        fits.Column("QUALITY", "J", array=found["QUALITY"]),
    ]
    image = np.zeros((len(times), size, size), "f4")
    columns.append(fits.Column("IMGRAW", f"{size * size}E", dim=f"({size},{size})", unit="DN", array=image))
    columns += [fits.Column(name, "B", array=found.get(name, np.zeros(len(times), "u1"))) for name in names]
    hdu = fits.BinTableHDU.from_columns(columns, name="ACA_IMG0")
    start, stop = float(times[0]) + 1.873, float(times[-1]) + 1.873
    header = {"TSTART": start, "TSTOP": stop, "CONTENT": "ACAIMG", "REVISION": revision, "SYNTHET": True}
    header |= {"CHECKSUM": "", "DATE": "2019-10-01T00:00:00"}
    hdu.header.update(header)
    primary = fits.PrimaryHDU()
    primary.header["SYNTHET"] = True
    path = folder / f"acaf{int(start)}N{revision:03d}_{slot}_img0.fits.gz"
    fits.HDUList([primary, hdu]).writeto(path, checksum=True)
    return path


def archive_of(folder, write_files, *, start=START, **rules):
    """Take what a function writes into a folder in as one day of telemetry, and open the archive."""
    for name in ("shelf", "root"):
        (folder / name).mkdir()
    shelf = DeliveryShelf(ACA0, folder / "shelf")
    shelf.deliver(Day(*year_doy(start)), lambda place, day: write_files(place))
    shelf.archive(folder / "root", **rules).run_update(
        UpdateOptions(since=float(day_start(start)), until=float(day_end(start)))
    )
    return open_archive(folder / "root")
