"""Memory against an array of a known size."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch

from mondegreen.evaluation.memory import PeakMemory

SCRIPT = """
import numpy as np
import torch

from mondegreen.evaluation.memory import PeakMemory

for taken in ((60, 20), (20,), ()):
    memory = PeakMemory(torch.device("cpu"))
    memory.begin()
    for mebibytes in taken:
        np.ones(mebibytes * 2**20, dtype=np.uint8).sum()
    found = memory.end()
    print("nan" if found is None else found / 2**20)
"""


def test_the_peak_is_what_was_taken_at_once() -> None:
    """In a process of its own: what other tests did to the allocator would count too."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120
    )
    found = [float(line) for line in ran.stdout.split()]
    if any(map(math.isnan, found)):
        pytest.skip("this kernel does not let the peak begin anew")
    # A larger peak before hides no smaller one after it.
    assert found[:2] == [pytest.approx(60, abs=6), pytest.approx(20, abs=6)]
    assert found[2] < 6


MEBIBYTE = 2**20


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
