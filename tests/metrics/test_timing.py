"""What is called, and how often; never how long it takes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from mondegreen.metrics import timing
from mondegreen.metrics.timing import milliseconds


def test_the_median_of_the_timed_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    # One call to warm up, whose end nobody reads; then calls of 1, 100 and 2 ms.
    seconds = iter([0, 9, 9.001, 9.1, 9.2, 9.2, 9.202])
    clock = SimpleNamespace(perf_counter=lambda: next(seconds))
    monkeypatch.setattr(timing, "time", clock)
    calls: list[int] = []
    assert milliseconds(lambda: calls.append(1), repeats=3, warmup=1) == pytest.approx(2.0)
    assert len(calls) == 4


def test_every_call_on_a_gpu_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: events.append(str(device)))
    milliseconds(lambda: events.append("call"), repeats=2, warmup=1, device="cuda:1")
    assert events == ["cuda:1", "call", "cuda:1"] * 3


def test_impossible_numbers_are_refused() -> None:
    for repeats, warmup in ((0, 1), (1, -1)):
        with pytest.raises(ValueError, match="cannot time"):
            milliseconds(lambda: None, repeats=repeats, warmup=warmup)
