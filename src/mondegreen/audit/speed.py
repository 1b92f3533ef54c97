"""How long the steps of an audit take on this machine, for this classifier."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.fitting import at_once
from mondegreen.gan.losses import margin_loss
from mondegreen.generators.generator import Generator, NetworkConfig, describe_classifier

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 32
"""Clips of a step of the generator's training; fewer where they are long."""
REPEATS = 3
TRIAL_DB = 25.0


@dataclass(frozen=True)
class Speed:
    """Seconds, with as many threads as a stage of the audit has."""

    query: float
    """One clip through the classifier."""
    gradient: float | None
    """One clip through the classifier and back; None where it has no gradient."""
    step: float | None
    """A step of the generator's training with :data:`BATCH` clips, or as many in smaller ones."""


def measure_speed(classifier: Classifier, network: NetworkConfig | None, threads: int) -> Speed:
    """Time the classifier and a step of the generator's training on noise.

    Args:
        classifier: The frozen classifier.
        network: Of the generator; None where it cannot be trained.
        threads: Of the stages.
    """
    random = torch.Generator().manual_seed(0)
    size = at_once(BATCH, classifier.clip_samples)
    x = 0.1 * torch.randn(size, 1, classifier.clip_samples, generator=random)
    x = x.to(classifier.device)
    target = torch.arange(size, device=x.device) % len(classifier.labels)
    with _threads(threads):
        query = _median(lambda: predict(classifier, x, size)) / size
        if network is None:
            return Speed(query, None, None)
        gradient = _median(lambda: _gradient(classifier, x, target)) / size
        config = describe_classifier(classifier, network, (), TRIAL_DB)
        generator = Generator(config).to(x.device)
        step = _median(lambda: _step(generator, classifier, x, target)) * BATCH / size
    return Speed(query, gradient, step)


def _gradient(classifier: Classifier, x: torch.Tensor, target: torch.Tensor) -> None:
    delta = torch.zeros_like(x, requires_grad=True)
    margin_loss(classifier(x + delta), target, 0.0).backward()  # type: ignore[no-untyped-call]


def _step(
    generator: Generator, classifier: Classifier, x: torch.Tensor, target: torch.Tensor
) -> None:
    delta = generator(x, target)
    margin_loss(classifier(x + delta), target, 0.0).backward()  # type: ignore[no-untyped-call]
    generator.zero_grad(set_to_none=True)


def _median(call: Callable[[], object]) -> float:
    call()  # the first call also loads and allocates
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
