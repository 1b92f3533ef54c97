from __future__ import annotations

import pytest
import torch

from mondegreen.metrics import machine
from mondegreen.metrics.machine import product_rate, reading_seconds


class Clock:
    """A clock that each look moves on by the next of some steps."""

    def __init__(self, steps: list[float]) -> None:
        self.now, self.steps = 0.0, steps

    def perf_counter(self) -> float:
        self.now += self.steps.pop(0)
        return self.now


def test_the_best_of_the_calls_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "time", Clock([0.0, 4.0, 1.0, 2.0, 1.0, 0.5, 1.0, 8.0]))
    assert product_rate(size=10, repeats=2) == 1_000 / 0.5
    monkeypatch.setattr(machine, "time", Clock([0.0, 4.0, 1.0, 2.0, 1.0, 0.25]))
    assert reading_seconds(1_000, repeats=1) == 0.25


def test_all_the_bytes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    dot = torch.Tensor.dot

    def watched(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        sizes.append(self.numel() * self.element_size())
        return dot(self, other)

    monkeypatch.setattr(torch.Tensor, "dot", watched)
    assert reading_seconds(4_001, repeats=1) > 0.0
    assert set(sizes) == {4_004}


def test_no_calls_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 calls"):
        product_rate(size=4, repeats=0)
