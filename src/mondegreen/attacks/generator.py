"""The trained generator as an attack: one forward pass a clip, refined by gradients if wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.gradient import check_search, default_step, refine
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.generators.generator import Generator, network_name

if TYPE_CHECKING:
    from mondegreen.generators.onnx_runtime import OnnxGenerator  # needs an extra package


class GeneratorAttack(SearchingAttack):
    """Perturb each clip by one forward pass of a generator (paper, eq. 4).

    With ``refine``, the clips that are not heard as the target after that are improved by projected
    gradient steps (:func:`mondegreen.attacks.gradient.refine`), each until it succeeds.

    Args:
        generator: A trained generator.
        refine: Gradients a clip, at most, after the forward pass; 0 needs no gradient at all.
        quietness: From 0 to 1, for a generator that was trained for it. Refinement does not know
            it: its steps follow the budget alone.
        step: Length of the first refining step as a share of the budget's bound; None takes
            :func:`mondegreen.attacks.gradient.default_step`.
        untargeted: Get away from the labels: each clip goes towards the label that the classifier
            hears in it after the one given, which costs one query.

    Raises:
        MondegreenError: ``refine`` is negative, ``quietness`` outside of 0..1, or ``step`` is not
            positive.
    """

    def __init__(
        self,
        *,
        generator: Generator | OnnxGenerator,
        refine: int = 0,
        quietness: float = 0.0,
        step: float | None = None,
        untargeted: bool = False,
    ) -> None:
        if not (math.isfinite(quietness) and 0.0 <= quietness <= 1.0):
            raise MondegreenError(f"generator: quietness is {quietness}; choose from 0 to 1.")
        check_search(refine, 1.0 if step is None else step)
        self.generator = generator
        self.refine, self.quietness, self.step = refine, quietness, step
        self.untargeted = untargeted
        self.needs_gradients = refine > 0

    @property
    def name(self) -> str:
        """``generator-unet`` or ``generator-spectral``; ``generator-spectral+3`` refines."""
        return f"generator-{self.generator.name}" + (f"+{self.refine}" if self.refine else "")

    def parameters(self) -> dict[str, Any]:
        """Return what identifies the generator, and the settings of the attack."""
        config = self.generator.config
        return {
            "network": network_name(config.network),
            "targets": list(config.targets),
            "trained_for_db": config.budget_db,
            "fingerprint": self.generator.fingerprint(),
            "refine": self.refine,
            "quietness": self.quietness,
            "step": self.step,
            "untargeted": self.untargeted,
        }

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the perturbations for ``budget`` and, if refined, the gradients of each clip.

        Raises:
            MondegreenError: The classifier has another rate than the generator, a target is no
                label of the generator's, or there is no budget to refine within.
        """
        wanted = self._nearest(classifier, x, target) if self.untargeted else target
        wanted = self._own(classifier, wanted)
        queries = torch.ones_like(target) if self.untargeted else None
        with torch.no_grad():
            delta: Tensor = self.generator(x, wanted, budget, quietness=self.quietness)
        if not self.refine:
            return Found(delta, queries=queries)
        budget = budget or self.generator.budget
        if budget is None:
            raise MondegreenError(
                f"{self.name}: refinement needs a budget, and this generator was trained without "
                "one. Name a budget, such as snr:20."
            )
        step = self.step or default_step(budget, fresh=False)
        found = refine(
            classifier,
            x,
            target,
            budget,
            delta,
            steps=self.refine,
            step=step,
            untargeted=self.untargeted,
        )
        return Found(found.delta, found.gradients)

    def _own(self, classifier: Classifier, target: Tensor) -> Tensor:
        """Return a classifier's labels as the generator numbers them: by their names."""
        config = self.generator.config
        if classifier.sample_rate != config.sample_rate:
            raise MondegreenError(
                f"this generator works at {config.sample_rate} Hz, and {classifier.name} hears at "
                f"{classifier.sample_rate} Hz."
            )
        if classifier.labels == config.labels:
            return target
        missing = {classifier.labels[i] for i in target.tolist()} - set(config.labels)
        if missing:
            raise MondegreenError(
                f"this generator knows the labels {', '.join(config.labels)}, not "
                f"{', '.join(sorted(missing))} of {classifier.name}."
            )
        known = [config.labels.index(n) if n in config.labels else -1 for n in classifier.labels]
        return torch.tensor(known, device=target.device)[target]

    @torch.no_grad()
    def _nearest(self, classifier: Classifier, x: Tensor, label: Tensor) -> Tensor:
        """Return for each clip the label that is heard best among the others it can reach."""
        logits = classifier(x).scatter(1, label[:, None], -torch.inf)
        targets = self.generator.config.targets
        out_of_reach = [n for n, name in enumerate(classifier.labels) if name not in targets]
        logits[:, out_of_reach] = -torch.inf
        best, nearest = logits.max(dim=1)
        if bool(best.isinf().any()):
            raise MondegreenError(
                f"{self.name} knows {', '.join(targets)} only, so it cannot get away from it."
            )
        chosen: Tensor = nearest
        return chosen
