"""The trained generator as an attack: one forward pass a clip."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator


class GeneratorAttack(Attack):
    """Perturb each clip by one forward pass of a generator (paper, eq. 4).

    Args:
        generator: A trained generator.
    """

    def __init__(self, *, generator: Generator) -> None:
        self.generator = generator

    @property
    def name(self) -> str:
        """``generator-unet`` or ``generator-spectral``."""
        return f"generator-{self.generator.name}"

    def parameters(self) -> dict[str, Any]:
        """Return what identifies the generator."""
        config = self.generator.config
        return {
            "network": config.network.kind,
            "targets": list(config.targets),
            "trained_for_db": config.budget_db,
            "fingerprint": self.generator.fingerprint(),
        }

    @torch.no_grad()
    def perturb(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Tensor:
        """Return the generator's perturbation for ``budget``.

        Raises:
            MondegreenError: The classifier has other labels or another rate than the generator.
        """
        config = self.generator.config
        if classifier.labels != config.labels or classifier.sample_rate != config.sample_rate:
            raise MondegreenError(
                f"this generator works for the labels {', '.join(config.labels)} at "
                f"{config.sample_rate} Hz, in this order; {classifier.name} has others."
            )
        delta: Tensor = self.generator(x, target, budget)
        return delta
