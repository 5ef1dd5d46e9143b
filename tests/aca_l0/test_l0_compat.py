"""The names of mica's module: they are there, take what they took, and are ours."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from aca_core import MissingDataError
from aca_core import aca_l0 as ours
from aca_core.compat.mica.archive import aca_l0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_files", ["obsid", "start", "stop", "slots", "imgsize", "db", "data_root"]),
        (
            "get_slot_data",
            ["start", "stop", "slot", "imgsize", "db", "data_root", "columns", "centered_8x8"],
        ),
        ("get_l0_images", ["start", "stop", "slot", "imgsize", "columns"]),
        ("get_aca_images", ["start", "stop"]),
    ],
)
def test_functions_are_ours_and_take_what_those_of_mica_take(name, arguments):
    function = getattr(aca_l0, name)
    assert function is getattr(ours, name)
    assert list(inspect.signature(function).parameters)[: len(arguments)] == arguments


def test_the_documented_calls_work(archive):
    slot_data = aca_l0.get_slot_data("2021:001", "2021:002", slot=6)
    assert slot_data.dtype == np.dtype(list(aca_l0.ACA_DTYPE))
    assert slot_data.dtype.names == aca_l0.ACA_DTYPE_NAMES
    centered = aca_l0.get_slot_data("2021:001", "2021:002", slot=6, centered_8x8=True)
    assert centered.dtype == np.dtype(list(aca_l0.ACA_DTYPE_8x8))
    temp_ccd_8x8 = aca_l0.get_slot_data("2021:001", "2021:002", slot=6, imgsize=[8], columns=["TIME", "TEMPCCD"])
    assert temp_ccd_8x8["TEMPCCD"].count() == len(temp_ccd_8x8) > 0
    assert aca_l0.get_files(start="2021:001", stop="2021:002", imgsize=[8])
    assert aca_l0.GLBSTAT_NAMES[0] == "HIGH_BGD"
    assert aca_l0.IMGSTAT_NAMES[-1] == "ION_RAD"
    assert aca_l0.MissingDataError is MissingDataError
