"""Memory against an array of a known size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mondegreen.evaluation.memory import PeakMemory

MEBIBYTE = 2**20


def take(mebibytes: int) -> None:
    """Write to so much memory, and let it go."""
    np.ones(mebibytes * MEBIBYTE, dtype=np.uint8).sum()


def measured(*mebibytes: int) -> float:
    memory = PeakMemory(torch.device("cpu"))
    memory.begin()
    for size in mebibytes:
        take(size)
    found = memory.end()
    if found is None:
        pytest.skip("this kernel does not let the peak begin anew")
    return found / MEBIBYTE


def test_the_peak_is_what_was_taken_at_once() -> None:
    assert measured(60, 20) == pytest.approx(60, abs=6)
    # A larger peak before hides no smaller one after it.
    assert measured(20) == pytest.approx(20, abs=6)
    assert measured() < 6


def test_a_peak_that_cannot_be_measured_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object, **__: object) -> None:
        raise PermissionError

    memory = PeakMemory(torch.device("cpu"))
    assert memory.end() is None  # it was not begun
    monkeypatch.setattr("pathlib.Path.write_text", forbid)
    memory.begin()
    assert memory.end() is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_memory_of_a_gpu_is_counted_beyond_what_was_allocated() -> None:
    device = torch.device("cuda")
    kept = torch.ones(30 * MEBIBYTE, dtype=torch.uint8, device=device)
    memory = PeakMemory(device)
    memory.begin()
    torch.ones(20 * MEBIBYTE, dtype=torch.uint8, device=device)
    found = memory.end()
    assert found is not None and found / MEBIBYTE == pytest.approx(20, abs=3)
    assert len(kept)
