"""The small product whose tables are kept as columns too, and archives of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))
sys.path.append(str(HERE.parent))

from column_days import Site  # noqa: E402  # found by the lines above


@pytest.fixture
def site(tmp_path):
    """An empty archive with a shelf of deliveries."""
    return Site(tmp_path)
