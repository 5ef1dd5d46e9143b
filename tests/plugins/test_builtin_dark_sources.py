"""The dark sources that ship: where they look, what they read, and that they keep the contract."""

import json

import pytest
from aca_plugins.mica_dark import MICA
from aca_plugins.ska_dark import SKA

from aca_core import Config, MissingDataError, Registry, dark_sources
from aca_core.dark_cal import DarkCalibrations
from aca_core.testing import DarkSourceContract, write_dark_calibration


@pytest.fixture
def registry(tmp_path):
    return Registry(Config(root=[tmp_path / "archive"], ska=tmp_path / "ska"))


class TestMica(DarkSourceContract):
    plugin_module = "aca_plugins.mica_dark"

    @pytest.fixture
    def source(self, registry, tmp_path, monkeypatch):
        monkeypatch.setattr(dark_sources, "_SETTLED", 0)
        for dark_id, t_ccd in (("2007006", -19.852), ("2007007", -19.5), ("2019272", -11.0)):
            replicas = [{"count": 1, "ccd_temp": t_ccd}]
            write_dark_calibration(
                tmp_path / "archive" / "aca_dark", dark_id, t_ccd=t_ccd, properties={"replicas": replicas}
            )
        return registry.dark_source("mica")


class TestSka(DarkSourceContract):
    plugin_module = "aca_plugins.ska_dark"

    @pytest.fixture
    def source(self, registry, tmp_path):
        folder = tmp_path / "ska" / "data" / "aca_dark_cal"
        for dark_id in ("2006329", "2007006"):
            write_dark_calibration(folder, dark_id, image_file="imd.fits", properties_file=None)
        return registry.dark_source("ska")


def test_each_is_one_declaration():
    for declared, files in ((MICA, ("image.fits", "properties.json")), (SKA, ("imd.fits", None))):
        info = Registry().plugin(f"aca-core:{declared.name}-dark")
        assert (info.status, info.offers) == ("loaded", (f"dark source {declared.name}",))
        assert (declared.image_file, declared.properties_file) == files


def test_a_site_may_keep_them_elsewhere(tmp_path):
    folder = write_dark_calibration(tmp_path / "elsewhere", "2007006").parent
    (folder / "2007006" / "properties.json").write_text(json.dumps({"ccd_temp": -1.0}))
    site = Config(dark_sources={"mica": {"root": str(folder)}})
    assert DarkCalibrations(Registry(site).dark_source("mica")).props("2008:001") == {"ccd_temp": -1.0}


def test_nothing_there_is_said_with_the_place(registry, tmp_path):
    for name, place in (("mica", "archive/aca_dark"), ("ska", "ska/data/aca_dark_cal")):
        with pytest.raises(MissingDataError) as caught:
            DarkCalibrations(registry.dark_source(name)).image("2008:001")
        remedy = f"set root of [dark_sources.{name}] in the configuration, or name another source"
        assert str(caught.value) == f"dark source '{name}': there is no folder: {tmp_path / place}; {remedy}"
