"""What every way of adversarial training is: an inner attacker, and a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mondegreen.classifiers.classifier import Classifier
from mondegreen.hardening.config import Hardening


class Method(ABC):
    """Attacks the classifier at each step of its training, and says what it learns from that.

    Args:
        options: Strength of the attack and weights of the losses.
    """

    def __init__(self, options: Hardening) -> None:
        self.options = options

    @abstractmethod
    def perturb(
        self,
        classifier: Classifier,
        x: Tensor,
        label: Tensor,
        snr_db: Tensor,
        random: torch.Generator,
    ) -> Tensor:
        """Return perturbations within each clip's budget, detached.

        Args:
            classifier: The classifier as it is now, in evaluation mode; its weights want no
                gradients.
            x: Waveforms in [-1, 1].
            label: What is said in them, ``(batch,)``.
            snr_db: Each clip's budget in dB, ``(batch,)``.
            random: Draws, on the CPU.

        Shape:
            - x, output: ``(batch, 1, time)``
        """

    def loss(self, clean: Tensor, adversarial: Tensor, label: Tensor) -> Tensor:
        """Return (1 - w) CE(clean) + w CE(attacked).

        Args:
            clean: Logits of the untouched clips, ``(batch, labels)``.
            adversarial: Logits of the attacked ones.
            label: What is said in both, ``(batch,)``.
        """
        share, smoothing = self.options.share, self.options.label_smoothing
        before = F.cross_entropy(clean, label, label_smoothing=smoothing)
        after = F.cross_entropy(adversarial, label, label_smoothing=smoothing)
        return (1.0 - share) * before + share * after

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs of the attacker."""
        return {}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a checkpoint.

        Raises:
            ValueError: It is that of another attacker.
        """
        if saved:
            raise ValueError(f"{type(self).__name__} keeps no state")

    def measured(self) -> dict[str, float]:
        """Return what the attacker says of its last step, for the log."""
        return {}


def per_clip_loss(label: Tensor) -> Any:
    """Return the objective that moves clips away from their labels: each one's cross-entropy."""

    def objective(logits: Tensor) -> Tensor:
        return F.cross_entropy(logits, label, reduction="none")

    return objective
