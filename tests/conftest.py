"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _heed_ctrl_c() -> None:
    """Handle SIGINT as a program in a terminal does, though a job in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings, named by MONDEGREEN_DATA; the test is skipped without it."""
    folder = os.environ.get("MONDEGREEN_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set MONDEGREEN_DATA to the folder of real clips to run this test")
    return Path(folder)


@pytest.fixture
def rng() -> torch.Generator:
    """A seeded random generator."""
    return torch.Generator().manual_seed(20)
