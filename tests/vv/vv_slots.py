"""Slots as a verification finds them, made up."""

from __future__ import annotations

import numpy as np

from aca_core.vv.slot_data import SlotData


def slot_data(
    kind="GUIDE",
    *,
    slot=4,
    count=500,
    mean=(0.05, -0.1),
    noise=0.1,
    bad=0.02,
    intervals=1,
    step=2.05,
    id_status="GOOD",
    seed=1,
    **fields,
):
    """Return a slot with normal residuals, some bad samples and a dither."""
    random = np.random.default_rng(seed)
    interval = np.arange(count) * intervals // max(count, 1)
    time = 712345678.9 + step * np.arange(count) + 300.0 * interval
    dy, dz = (value + noise * random.standard_normal(count) for value in mean)
    is_bad = random.random(count) < bad
    dy, dz = (values + is_bad * random.uniform(-8, 8, count) for values in (dy, dz))
    dither = 8 * (kind != "FID") + 0.3
    yag = 512.3 + dither * np.sin(2 * np.pi * (time - 712345678.9) / 1000.0)
    zag = -1204.7 + dither * np.sin(2 * np.pi * (time - 712345678.9) / 707.0)
    made = {
        "slot": slot,
        "kind": kind,
        "id_status": id_status,
        "cel_loc_flag": None if kind == "FID" else int(kind == "GUIDE"),
        "time": time,
        "dy": dy,
        "dz": dz,
        "dr": np.hypot(dy, dz),
        "mag": 9.2 + 0.03 * random.standard_normal(count) + is_bad * random.uniform(0, 1.5, count),
        "yag": yag,
        "zag": zag,
        "ang_y": (yag + dy) / 3600,
        "ang_z": (zag + dz) / 3600,
        "ang_y_sm": (yag + dy) / 3600,
        "ang_z_sm": (zag + dz) / 3600,
        "qual": np.where(is_bad, 32, 0),
        "interval": interval,
    }
    return SlotData(**{**made, **fields})
