"""A tree of synthetic calibrations, with properties of both kinds."""

from __future__ import annotations

import json

import pytest

from aca_core import Config, DatedTree, dark_sources, open_archive, using
from aca_core.dark_cal import DarkCalibrations
from aca_core.testing import write_dark_calibration

CLASSIC = {
    "ccd_temp": -15.053,
    "date": "2006:329",
    "dec": -12.5,
    "dur": 13995.6,
    "eb": 51.13,
    "el": 100.25,
    "id": "2006329",
    "l_l0": 174.75,
    "ra": 101.5,
    "replicas": [
        {"count": 1, "ccd_temp": -19.9, "ccd_temp_source": "HDR3", "downlink": True},
        {"count": 2, "ccd_temp": -19.8, "ccd_temp_source": "HDR3", "downlink": False},
    ],
    "start": "2006:329:01:56:46.817",
    "stop": "2006:329:05:50:02.417",
    "sun_el": 285.5,
    "zodib": 160.0,
}
NEWER = {
    "date": "2019:272",
    "t_ccd": -11.0,
    "n_ccd_img": 5,
    "ccd_temp": -11.0,
    "datestart": "2019:272:02:22:25.182",
    "datestop": "2019:272:05:00:00.000",
    "filename": "imd, with a comma.fits",
    "used": {"replicas": [1, 2]},
}


def write_calibration(root, dark_id, properties, *, level=200.0):
    """Write a map, and properties word for word; return the folder."""
    folder = write_dark_calibration(root, dark_id, level=level, properties_file=None)
    (folder / "properties.json").write_text(json.dumps(properties), encoding="utf-8")
    return folder


@pytest.fixture
def root(tmp_path):
    """Return a folder of four calibrations; of the last one the properties are of the newer kind."""
    folder = tmp_path / "archive" / "aca_dark"
    write_calibration(folder, "2006329", CLASSIC)
    write_calibration(folder, "2007006", {**CLASSIC, "id": "2007006", "date": "2007:006", "ccd_temp": -19.852})
    write_calibration(folder, "2007069", {**CLASSIC, "id": "2007069", "date": "2007:069", "ccd_temp": -19.5, "ra": 7})
    write_calibration(folder, "2019272", NEWER, level=100.0)
    return folder


@pytest.fixture
def tree(root):
    """Return the source of that folder."""
    return DatedTree(
        name="mica", label="dark maps", root=root, image_file="image.fits", properties_file="properties.json"
    )


@pytest.fixture
def calibrations(tree):
    return DarkCalibrations(tree)


@pytest.fixture
def archive(root):
    """Open the archive of that folder, for as long as the test runs."""
    with using(open_archive(config=Config(root=[root.parent], ska=root.parents[1] / "ska"))) as opened:
        yield opened


@pytest.fixture
def trusting(monkeypatch):
    """Let files that were written just now count as settled, so that what is read of them may be kept."""
    monkeypatch.setattr(dark_sources, "_SETTLED", 0)
