"""What a machine can do at best: products a second, and how fast it reads."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch


def product_rate(
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    size: int = 1_024,
    repeats: int = 20,
) -> float:
    """Return the multiply-accumulates a second of a large square matrix product.

    The best of several, with as many threads as PyTorch uses.

    Args:
        device: Where to multiply.
        dtype: Precision of the matrices.
        size: Rows and columns; a GPU needs several thousand.
        repeats: How many products to time.
    """
    a = torch.randn(size, size, device=device).to(dtype)
    best = _quickest(lambda: a @ a, torch.device(device), repeats)
    return size**3 / best


def reading_seconds(count: int, device: torch.device | str = "cpu", *, repeats: int = 20) -> float:
    """Return how long it takes to read ``count`` bytes once, the best of several.

    Between two readings nothing else is read, so what fits into a cache comes from there: as a
    network's weights do when it runs again and again.

    Args:
        count: Bytes, rounded up to whole float32 numbers.
        device: Where they are.
        repeats: How many times to read them.
    """
    numbers = torch.ones(max(1, -(-count // 4)), device=device)
    return _quickest(lambda: numbers.dot(numbers), torch.device(device), repeats)


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _quickest(function: Callable[[], object], device: torch.device, repeats: int) -> float:
    if repeats < 1:
        raise ValueError(f"cannot time {repeats} calls")
    best = float("inf")
    for _ in range(repeats + 2):  # the first two warm up, and are never the quickest
        wait_for(device)
        start = time.perf_counter()
        function()
        wait_for(device)
        best = min(best, time.perf_counter() - start)
    return best
