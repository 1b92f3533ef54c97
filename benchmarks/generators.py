"""Time of one perturbation: the paper's generator and ours, side by side in one run.

Rounds alternate between the networks, so that a busy machine slows both; medians are compared.

    .venv/bin/python benchmarks/generators.py [--threads 1] [--batch 1] [--rounds 30]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from mondegreen.allocator import keep_memory
from mondegreen.generators.spectral import SpectralConfig, SpectralGenerator
from mondegreen.generators.unet import UNetConfig, UNetGenerator
from mondegreen.metrics.macs import count_macs

SAMPLES = 16_384


def measure(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return each call's median time in ms, from alternating rounds after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for index in range(rounds + 3):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if index >= 3:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    keep_memory()
    x = 0.1 * torch.randn(options.batch, 1, SAMPLES)
    target = torch.zeros(options.batch, dtype=torch.long)
    snr_db = torch.full((options.batch,), 20.0)
    paper = UNetGenerator(UNetConfig(), 1).eval()
    ours = SpectralGenerator(SpectralConfig(), 10).eval()
    calls: dict[str, Callable[[], object]] = {
        "paper's U-Net, one target": lambda: paper.propose(x, target),
        "spectral, ten targets": lambda: ours.propose(x, target, snr_db),
    }
    networks: tuple[nn.Module, ...] = (paper, ours)
    with torch.inference_mode():
        found = measure(calls, options.rounds)
    slowest = max(found.values())
    table = Table(title=f"{options.threads} thread(s), batch {options.batch}, median")
    for name in ("network", "parameters", "MACs a clip", "ms a clip", "times faster"):
        table.add_column(name, justify="left" if name == "network" else "right")
    for (name, median), call, network in zip(found.items(), calls.values(), networks, strict=True):
        macs = count_macs(call) / options.batch
        size = sum(parameter.numel() for parameter in network.parameters())
        clip = f"{median / options.batch:.2f}"
        table.add_row(name, f"{size:,}", f"{macs / 1e6:,.1f} M", clip, f"{slowest / median:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
