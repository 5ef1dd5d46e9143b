"""Deliveries that several tests look at, made once."""

from __future__ import annotations

import pytest

from aca_core.simulation import simulate_delivery


@pytest.fixture(scope="session")
def delivery(tmp_path_factory):
    """The usual observations; look, and change nothing."""
    return simulate_delivery(tmp_path_factory.mktemp("verified") / "delivered", seed=5, duration=600.0)
