"""Telemetry in place of an archive."""

import pytest
from header_3_telemetry import HandmadeTelemetry

from aca_core.aca_hdr3 import samples


@pytest.fixture
def telemetry(monkeypatch):
    """Return telemetry that tests fill; the reader of header 3 answers from it."""
    made = HandmadeTelemetry()
    monkeypatch.setattr(samples, "slot_columns", made.slot_columns)
    return made
