"""What keeping freed memory buys a CPU training: the same steps with and without, side by side.

The setting lasts for a process, so each of the two runs in a process of its own, by turns.

    .venv/bin/python benchmarks/allocator.py [--rounds 3] [--steps 8]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

import torch

from mondegreen.allocator import keep_memory
from mondegreen.classifiers.loading import load_classifier
from mondegreen.gan.losses import margin_loss
from mondegreen.generators.spectral import SpectralConfig, SpectralGenerator

BATCH = 32


def step_seconds(steps: int) -> float:
    """Return the median time of a training step of the default generator."""
    torch.manual_seed(0)
    classifier = load_classifier("zoo:speech-commands")
    network = SpectralGenerator(SpectralConfig(), len(classifier.labels), classifier.clip_samples)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, fused=True)
    x = 0.1 * torch.randn(BATCH, 1, classifier.clip_samples)
    target = torch.arange(BATCH) % len(classifier.labels)
    times = []
    for _ in range(steps + 2):
        start = time.perf_counter()
        delta = network.propose(x, target, torch.full((BATCH,), 20.0))
        loss = margin_loss(classifier((x + 0.1 * delta).clamp(-1.0, 1.0)), target)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def main() -> None:
    """Print the medians and their ratio; with ``--child``, the time of one process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--child", choices=("default", "kept"))
    options = parser.parse_args()
    if options.child:
        if options.child == "kept" and not keep_memory():
            raise SystemExit("this C library is not glibc")
        print(step_seconds(options.steps))
        return
    times: dict[str, list[float]] = {"default": [], "kept": []}
    for _ in range(options.rounds):
        for name, values in times.items():
            words = [sys.executable, __file__, "--child", name, "--steps", str(options.steps)]
            values.append(float(subprocess.check_output(words, text=True)))
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"default: {1e3 * medians['default']:.0f} ms a step")
    print(f"kept:    {1e3 * medians['kept']:.0f} ms a step")
    print(f"ratio:   {medians['default'] / medians['kept']:.2f}")


if __name__ == "__main__":
    main()
