"""How long something takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def milliseconds(
    function: Callable[[], object],
    *,
    repeats: int = 20,
    warmup: int = 3,
    device: torch.device | str = "cpu",
) -> float:
    """Return the median wall-clock time of a call in ms, warm and synchronised.

    Args:
        function: What to time.
        repeats: How many calls to time.
        warmup: How many calls to make first: they compile kernels, fill caches, reserve memory.
        device: Where the work runs; on CUDA every call is waited for.

    Raises:
        ValueError: ``repeats`` is less than 1, or ``warmup`` negative.
    """
    if repeats < 1 or warmup < 0:
        raise ValueError(f"cannot time {repeats} calls after {warmup} for warming up")
    wanted = torch.device(device)

    def wait() -> None:
        if wanted.type == "cuda":
            torch.cuda.synchronize(wanted)

    times = []
    for call in range(warmup + repeats):
        wait()
        start = time.perf_counter()
        function()
        wait()
        if call >= warmup:
            times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)
