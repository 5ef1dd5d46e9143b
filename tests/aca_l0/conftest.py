"""Telemetry that several tests look at, made and ingested once: simulated with every fault, and from flight."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from astropy.io import fits
from l0_telemetry import archive_of, ingest

from aca_core import using
from aca_core.simulation import simulate_telemetry


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Return simulated telemetry, an archive of it with a column store, and one without."""
    root = tmp_path_factory.mktemp("telemetry")
    telemetry = simulate_telemetry(root / "delivered", days=0.1, seed=3, slots=[0, 3, 5, 6], newer=True)
    archives = [
        ingest(
            archive_of(root / name, telemetry.folder, catalogue=telemetry.catalogue, disable=disabled),
            telemetry.start - 10,
            telemetry.stop + 10,
        )
        for name, disabled in (("with", ()), ("without", ("column-store",)))
    ]
    assert (root / "with" / "archive" / "aca0" / "columns").is_dir()
    assert not (root / "without" / "archive" / "aca0" / "columns").exists()
    return SimpleNamespace(telemetry=telemetry, stored=archives[0], files=archives[1])


@pytest.fixture
def archive(simulated):
    """Answer from the simulated archive with a column store."""
    with using(simulated.stored):
        yield simulated.stored


@pytest.fixture
def flight(real_data, tmp_path):
    """Answer from an archive of flight files of 2019:272, which have been cut, so that their sums are wrong."""
    for slot in range(8):
        path = real_data / f"test_level0_{slot}.fits.gz"
        folder = tmp_path / "flight" / "aca0" / "2019" / "272"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / f"acaf{int(fits.getheader(path, 1)['TSTART'])}N001_{slot}_img0.fits.gz")
    opened = archive_of(tmp_path / "of_flight", tmp_path / "flight", checksum="warn")
    with using(ingest(opened, 6.8610e8, 6.8612e8)):
        yield opened
