"""Time several attacks alike: in alternating rounds, on the same clips."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.pairs import Pairs
from mondegreen.fitting import at_once
from mondegreen.progress import track

Batch = tuple[Tensor, Tensor]
Search = tuple[Attack, Budget | None]


@dataclass(frozen=True)
class TimingPlan:
    """How often each call is made."""

    rounds: int = 20
    """Timed calls of each; the median counts."""
    warmup: int = 2
    """Calls of each before: they compile kernels, fill caches and reserve memory."""
    seconds: float = 4.0
    """A call is not repeated once it was timed for so long; where its first warm-up takes longer,
    one call is timed."""
    longest: float = 40.0
    """A full batch that took longer in the run itself is not timed again."""

    def sizes(self, seconds_per_clip: float, full: int) -> tuple[int, ...]:
        """Return the batch sizes, of 1 and ``full``, at which an attack is timed.

        An attack that took more than :attr:`seconds` for each clip of the run is not timed again:
        the run has told its time.

        Example:
            >>> plan = TimingPlan()
            >>> plan.sizes(0.1, 64), plan.sizes(1.0, 64), plan.sizes(5.0, 64)
            ((1, 64), (1,), ())
        """
        if seconds_per_clip > self.seconds:
            return ()
        return (1, full) if full * seconds_per_clip <= self.longest else (1,)


def time_searches(
    searches: Sequence[Search],
    seconds_per_clip: Sequence[float],
    classifier: Classifier,
    data: ClipDataset,
    pairs: Pairs,
    plan: TimingPlan,
    batch_size: int,
    seed: int,
) -> list[dict[str, Any] | None]:
    """Time every attack's perturbation at batch 1 and at a full batch, on the same clips.

    Args:
        searches: Attacks and budgets.
        seconds_per_clip: What a clip took in the run: those that took long are left out.
        classifier: What is attacked.
        data: The clips.
        pairs: The pairs to draw from.
        plan: How often.
        batch_size: The full batch; fewer where there are fewer pairs, or they are long.
        seed: Draws the pairs.

    Returns:
        For every one the median milliseconds a clip as ``batch1`` and ``batchN``, the means as
        ``batch1_mean`` and ``batchN_mean``, ``N``, and ``calls``: how many calls each of both
        sizes was timed for. Where an attack stops early with clips that succeed, the median at
        batch 1 is the time of an easy clip; the mean is what a clip costs. None for what
        is not timed; see :meth:`TimingPlan.sizes`.
    """
    order = np.random.default_rng(seed).permutation(len(pairs))
    full = min(at_once(batch_size, classifier.clip_samples), len(pairs))
    sizes = [plan.sizes(seconds, full) for seconds in seconds_per_clip]
    times: list[dict[str, Any]] = [{"N": full, "calls": []} for _ in searches]
    for place, (key, size) in enumerate((("batch1", 1), ("batchN", full))):
        chosen = [number for number, some in enumerate(sizes) if len(some) > place]
        batches = []
        for index in range(max(plan.rounds, plan.warmup) if chosen else 0):
            rows = order[(index * size + np.arange(size)) % len(order)]
            x = data.waveforms(pairs.clip[rows], classifier.normalization)
            target = torch.from_numpy(pairs.target[rows])
            batches.append((x.to(classifier.device), target.to(classifier.device)))
        calls = [partial(_perturb, searches[number], classifier, batches) for number in chosen]
        found = alternating_milliseconds(calls, plan, classifier.device, f"timing, batch {size}")
        for number, spent in zip(chosen, found, strict=True):
            times[number][key] = statistics.median(spent) / size
            times[number][f"{key}_mean"] = statistics.fmean(spent) / size
            times[number]["calls"].append(len(spent))
    return [entry if some else None for entry, some in zip(times, sizes, strict=True)]


def _perturb(
    search: Search, classifier: Classifier, batches: Sequence[Batch], index: int
) -> Tensor:
    attack, budget = search
    return attack.perturb(classifier, *batches[index], budget)


def alternating_milliseconds(
    calls: Sequence[Callable[[int], object]],
    plan: TimingPlan,
    device: torch.device,
    description: str = "timing",
) -> list[list[float]]:
    """Return the times of each call in ms.

    Every call is made once before any is made again, so a machine that is busy for a while slows
    all of them. On CUDA every call is waited for.

    Args:
        calls: Each takes the number of the round, from 0.
        plan: How often.
        device: Where the work runs.
        description: For the progress bar.

    Raises:
        ValueError: The plan times nothing.
    """
    if plan.rounds < 1 or plan.warmup < 0:
        raise ValueError(f"cannot time {plan.rounds} rounds after {plan.warmup} for warming up")
    times: list[list[float]] = [[] for _ in calls]
    warm = [plan.warmup for _ in calls]
    for index in range(plan.warmup):
        for number, call in enumerate(calls):
            if index < warm[number] and _seconds(call, index, device) > plan.seconds:
                warm[number] = index + 1
    for index in track(range(plan.rounds), description):
        for number, call in enumerate(calls):
            if not times[number] or sum(times[number]) < plan.seconds:
                times[number].append(_seconds(call, index, device))
    return [[1e3 * second for second in spent] for spent in times]


def _seconds(call: Callable[[int], object], index: int, device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    call(index)
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
