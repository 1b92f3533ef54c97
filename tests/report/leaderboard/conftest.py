"""A leaderboard of one made-up entry."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.report.leaderboard.workshop import Workshop, cell, comparison


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """An entry that one gradient search was measured against."""
    made = Workshop(tmp_path)
    made.write()
    made.measure(comparison(cell("pgd", 0.4), cell("square", 0.1)))
    return made
