"""Count what an attack asks of the classifier, whatever it says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from mondegreen.attacks.attack import Attack, Found, SearchingAttack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier


class CountedAttack(SearchingAttack):
    """An attack whose calls of the classifier are counted, clip by clip.

    Only what happens while the perturbation is made counts; the protocol's own last look at the
    result does not.

    Args:
        attack: The attack; name, parameters and perturbations stay its own.
    """

    def __init__(self, attack: Attack) -> None:
        self.attack, self.untargeted = attack, attack.untargeted
        self.clips = 0
        self.queries = 0
        """Clips that went forward through the classifier."""
        self.gradients = 0
        """Clips that a gradient of the classifier's output was taken for."""

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
        """Return what the attack found, and count how.

        An attack's own count is taken where it has one: it knows which clips of a batch were
        finished already.
        """
        self.clips += len(x)
        gradients, queries = self.gradients, self.queries
        with self._watching(classifier):
            found = self.attack.search(classifier, x, target, budget)
        if found.gradients is not None:
            self.gradients = gradients + int(found.gradients.sum())
        if found.queries is not None:
            self.queries = queries + int(found.queries.sum())
        return found

    def per_clip(self) -> dict[str, float | None]:
        """Return ``queries_per_clip`` and ``gradients_per_clip``; None before any clip."""
        count = self.clips or None
        return {
            "queries_per_clip": self.queries / count if count else None,
            "gradients_per_clip": self.gradients / count if count else None,
        }

    @contextmanager
    def _watching(self, classifier: Classifier) -> Iterator[None]:
        def backward(gradient: Tensor) -> None:
            self.gradients += len(gradient)

        def forward(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
            self.queries += len(logits)
            if logits.requires_grad:
                logits.register_hook(backward)  # type: ignore[no-untyped-call]

        handle = classifier.register_forward_hook(forward)
        try:
            yield
        finally:
            handle.remove()
