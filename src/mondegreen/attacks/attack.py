"""The protocol that every attack follows.

Clips, targets and a budget go in; adversarial clips as a 16-bit file would hold them come out,
scored again after that rounding.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.audio import quantize
from mondegreen.budgets import Budget, quantize_within
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError


@dataclass(frozen=True)
class AttackResult:
    """What an attack made of a batch of clips.

    Shape:
        - ``x``, ``x_adv``: ``(batch, 1, time)``, on the 16-bit grid
        - ``logits``: ``(batch, labels)``, of ``x_adv``
        - ``success``: ``(batch,)``, bool
        - ``gradients``: ``(batch,)``, int64, or None
    """

    x: Tensor
    """The clips, rounded to 16 bits."""
    x_adv: Tensor
    """The adversarial clips, rounded to 16 bits, within the budget."""
    logits: Tensor
    """What the classifier says of the rounded adversarial clips."""
    success: Tensor
    """Whether that is the target."""
    gradients: Tensor | None = None
    """How many gradients were spent on each clip; None for an attack that counts none."""


class Attack(ABC):
    """A targeted attack; its hyper-parameters are its constructor's keyword arguments."""

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name for tables and files."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the hyper-parameters as plain values, for result files and ``repr``."""

    @abstractmethod
    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        """Return a perturbation of the same shape as ``x``; it need not keep the budget yet."""

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return what :meth:`perturb` returns, and the gradients spent on each clip if it counts.

        Attacks that search override this.
        """
        return self.perturb(classifier, x, target, budget), None

    def __repr__(self) -> str:
        """Show the hyper-parameters."""
        inner = ", ".join(f"{key}={value!r}" for key, value in self.parameters().items())
        return f"{type(self).__name__}({inner})"

    def __call__(
        self,
        classifier: Classifier,
        x: Tensor,
        target: Tensor | Sequence[str],
        *,
        budget: Budget | None,
    ) -> AttackResult:
        """Attack a batch of clips.

        Args:
            classifier: The frozen classifier.
            x: Waveforms in [-1, 1].
            target: Wanted labels, as names or as indices ``(batch,)``.
            budget: How large the perturbation may be, kept after rounding to 16 bits; None sets no
                limit.

        Shape:
            - Input: ``(batch, 1, time)``

        Raises:
            MondegreenError: ``x`` and ``target`` differ in length, or a target is no label.
        """
        if not isinstance(target, Tensor):
            indices = [classifier.label_index(label) for label in target]
            target = torch.tensor(indices, device=x.device)
        count = len(classifier.labels)
        if target.shape != (len(x),) or bool(((target < 0) | (target >= count)).any()):
            raise MondegreenError(
                f"an attack on {len(x)} clips needs as many targets in 0..{count - 1}."
            )
        scale = classifier.normalization
        x = quantize(x, scale)
        delta, gradients = self.search(classifier, x, target, budget)
        if budget is None:
            x_adv = quantize(x + delta, scale)
        else:
            x_adv = quantize_within(x, delta, budget, scale)
        with torch.no_grad():
            logits = classifier(x_adv)
        return AttackResult(x, x_adv, logits, logits.argmax(dim=1) == target, gradients)
