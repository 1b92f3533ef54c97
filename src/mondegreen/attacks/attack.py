"""The protocol that every attack follows.

Clips, labels and a budget go in; adversarial clips as a 16-bit file would hold them come out,
scored again after that rounding. A targeted attack wants to reach the labels, an untargeted one to
get away from them.
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
from mondegreen.classifiers.classifier import Classifier, require_gradients
from mondegreen.errors import MondegreenError


@dataclass(frozen=True)
class Found:
    """What an attack proposes for a batch of clips, before the protocol rounds and scores it.

    Shape:
        - ``delta``: ``(batch, 1, time)``
        - ``gradients``, ``queries``: ``(batch,)``, int64, or None
    """

    delta: Tensor
    """The perturbations; they need not keep the budget yet."""
    gradients: Tensor | None = None
    """How many gradients were spent on each clip, where the attack counts them."""
    queries: Tensor | None = None
    """How often the classifier heard each clip, where the attack counts it."""


@dataclass(frozen=True)
class AttackResult:
    """What an attack made of a batch of clips.

    Shape:
        - ``x``, ``x_adv``: ``(batch, 1, time)``, on the 16-bit grid
        - ``logits``: ``(batch, labels)``, of ``x_adv``
        - ``success``: ``(batch,)``, bool
        - ``gradients``, ``queries``: ``(batch,)``, int64, or None
    """

    x: Tensor
    """The clips, rounded to 16 bits."""
    x_adv: Tensor
    """The adversarial clips, rounded to 16 bits, within the budget."""
    logits: Tensor
    """What the classifier says of the rounded adversarial clips."""
    success: Tensor
    """Whether that is the target or, of an untargeted attack, another label than the one given."""
    gradients: Tensor | None = None
    """How many gradients were spent on each clip; None for an attack that counts none."""
    queries: Tensor | None = None
    """How often the classifier heard each clip; None for an attack that does not count it."""


class Attack(ABC):
    """An attack; its hyper-parameters are its constructor's keyword arguments.

    An attack does not depend on what it was called with before: what it draws, it draws from a seed
    among its hyper-parameters. So a measurement that was interrupted continues as if it had not.
    """

    untargeted: bool = False
    """Whether any label but the one given is a success. Attacks that can do both take it as a
    keyword argument and report it among their parameters."""

    needs_gradients: bool = False
    """Whether it follows the classifier's gradients, and so cannot attack one that has none."""

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
        """Return perturbations; they need not keep the budget yet.

        Args:
            classifier: The frozen classifier.
            x: Waveforms on the 16-bit grid.
            target: Indices of the wanted labels or, where :attr:`untargeted`, of those to get away
                from, ``(batch,)``.
            budget: How large the perturbation may be; None sets no limit.

        Shape:
            - x, output: ``(batch, 1, time)``
        """

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return what :meth:`perturb` returns, and what was spent on each clip where it is counted.

        See :class:`SearchingAttack`.
        """
        return Found(self.perturb(classifier, x, target, budget))

    def refuse_unable(self, classifier: Classifier) -> None:
        """Refuse a classifier that does not give what the attack needs.

        Raises:
            MondegreenError: The attack needs gradients, and the classifier has none.
        """
        if self.needs_gradients:
            require_gradients(classifier, self.name)

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
            target: Wanted labels, as names or as indices ``(batch,)``; for an untargeted attack
                the labels to get away from.
            budget: How large the perturbation may be, kept after rounding to 16 bits; None sets no
                limit.

        Shape:
            - Input: ``(batch, 1, time)``

        Raises:
            MondegreenError: ``x`` is of another shape or type, it and ``target`` differ in
                length, a target is no label, the attack needs gradients and the classifier has
                none, or the attack returned NaN or another shape.
        """
        self.refuse_unable(classifier)
        if x.dim() != 3 or x.shape[1] != 1 or not x.is_floating_point():
            raise MondegreenError(
                "an attack takes waveforms as floats in [-1, 1] of shape (batch, 1, time), not "
                f"{x.dtype} of shape {tuple(x.shape)}."
            )
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
        found = self.search(classifier, x, target, budget)
        if found.delta.shape != x.shape:
            raise MondegreenError(
                f"the attack {self.name} returned perturbations of shape "
                f"{tuple(found.delta.shape)} for clips of shape {tuple(x.shape)}; they have to be "
                "alike."
            )
        if not bool(torch.isfinite(found.delta).all()):
            raise MondegreenError(f"the attack {self.name} returned NaN or infinite samples.")
        if budget is None:
            x_adv = quantize(x + found.delta, scale)
        else:
            x_adv = quantize_within(x, found.delta, budget, scale)
        with torch.no_grad():
            logits = classifier(x_adv)
        success = (logits.argmax(dim=1) == target) != self.untargeted
        return AttackResult(x, x_adv, logits, success, found.gradients, found.queries)


class SearchingAttack(Attack):
    """An attack that counts what it spends on each clip: it gives :meth:`search`."""

    @abstractmethod
    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return perturbations and what was spent; arguments as of :meth:`Attack.perturb`."""

    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        """Return the perturbations that :meth:`search` finds."""
        return self.search(classifier, x, target, budget).delta
