"""Count what an attack asks of the classifier, whatever it says of itself, and time it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mondegreen.attacks.attack import Attack, Found, SearchingAttack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.evaluation.memory import PeakMemory


@dataclass(frozen=True)
class Spent:
    """What perturbing a batch of clips cost.

    Shape:
        - ``queries``, ``gradients``: ``(batch,)``, float64
    """

    queries: Tensor
    """Forward passes of each clip; the mean over the batch where the attack counts none."""
    gradients: Tensor
    """Gradients of each clip, in the same way."""
    clip_by_clip: bool
    """Whether the queries are each clip's own."""
    seconds: float
    """Of the whole batch."""
    memory: int | None
    """The most memory taken, in bytes; None where it was not measured."""


class CountedAttack(SearchingAttack):
    """An attack that is watched: calls of the classifier, time and memory.

    Only what happens while the perturbation is made counts; the protocol's own last look at the
    result does not. An attack's own counts are taken where it has them: it knows which clips of a
    batch were finished already. Otherwise the clips that go through the classifier are counted.

    Args:
        attack: The attack; name, parameters and perturbations stay its own.
    """

    def __init__(self, attack: Attack) -> None:
        self.attack, self.untargeted = attack, attack.untargeted
        self.needs_gradients = attack.needs_gradients
        self.clips, self.queries, self.gradients = 0, 0.0, 0.0
        self.spent: Spent | None = None
        """What the last batch cost."""
        self.measures_memory = False
        """Whether the next batches' memory is measured, which slows them a little."""

    @property
    def name(self) -> str:
        """The attack's name."""
        return self.attack.name

    def parameters(self) -> dict[str, Any]:
        """Return the attack's hyper-parameters."""
        return self.attack.parameters()

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return what the attack found, and keep what it cost."""
        device = classifier.device
        memory = PeakMemory(device) if self.measures_memory else None
        with _watching(classifier) as seen:
            if memory is not None:
                memory.begin()
            _wait(device)
            start = time.perf_counter()
            found = self.attack.search(classifier, x, target, budget)
            _wait(device)
            seconds = time.perf_counter() - start
            peak = memory.end() if memory is not None else None

        def each(own: Tensor | None, passes: int) -> Tensor:
            if own is not None:
                return own.detach().cpu().double()
            return torch.full((len(x),), passes / max(1, len(x)), dtype=torch.float64)

        self.spent = Spent(
            queries=each(found.queries, seen.queries),
            gradients=each(found.gradients, seen.gradients),
            clip_by_clip=found.queries is not None,
            seconds=seconds,
            memory=peak,
        )
        self.clips += len(x)
        self.queries += float(self.spent.queries.sum())
        self.gradients += float(self.spent.gradients.sum())
        return found

    def per_clip(self) -> dict[str, float | None]:
        """Return ``queries_per_clip`` and ``gradients_per_clip``; None before any clip."""
        count = self.clips or None
        return {
            "queries_per_clip": self.queries / count if count else None,
            "gradients_per_clip": self.gradients / count if count else None,
        }


@dataclass
class _Seen:
    queries: int = 0
    gradients: int = 0


@contextmanager
def _watching(classifier: Classifier) -> Iterator[_Seen]:
    """Count the clips that go through the classifier, and those that a gradient is taken for."""
    seen = _Seen()

    def backward(gradient: Tensor) -> None:
        seen.gradients += len(gradient)

    def forward(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        seen.queries += len(logits)
        if logits.requires_grad:
            logits.register_hook(backward)  # type: ignore[no-untyped-call]

    handle = classifier.register_forward_hook(forward)
    try:
        yield seen
    finally:
        handle.remove()


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
