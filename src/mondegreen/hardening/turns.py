"""Adversarial training in turns: a generator learns to fool the classifier, which learns from it.

Beyond the paper, whose classifier is frozen. One forward pass of the generator (Wang et al. 2020,
eq. 4) takes the place of the inner search; gradient steps may follow it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.gan.losses import classifier_loss, margin_loss
from mondegreen.gan.validation import draw_targets
from mondegreen.generators.generator import Generator
from mondegreen.hardening.ascent import ascend
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import Method, per_clip_loss

_KAPPA, _ENTROPY, _CLIP = 1.0, 0.2, 1.0  # as the spectral generator was trained, see presets.py


class GeneratorTraining(Method):
    """Attack by a generator that keeps learning against the classifier as it is now.

    Each clip goes towards a wrong label, a random one or the most confusing one. In every
    ``generator_every``-th step the generator takes a step of its own first, on the margin loss that
    it was trained by. With ``steps`` (``refined``: one), its proposal is then moved away from the
    clip's label by projected gradient steps.

    Args:
        options: Strength of the attack and weights of the losses.
        generator: A trained generator for the classifier's labels; it is changed.

    Raises:
        MondegreenError: It knows a single target only: clips of that label would have none.
    """

    def __init__(self, options: Hardening, generator: Generator) -> None:
        super().__init__(options)
        if len(generator.config.targets) < 2:
            raise MondegreenError(
                f"hardening: the generator knows one target, {generator.config.targets[0]}; "
                "give one that was trained for several."
            )
        self.generator = generator.requires_grad_(True).eval()
        labels = generator.config.labels
        self.targets = torch.tensor([labels.index(name) for name in generator.config.targets])
        self.optimizer = torch.optim.AdamW(generator.parameters(), options.generator_learning_rate)
        self.step, self.fooled = 0, 0.0

    def perturb(
        self,
        classifier: Classifier,
        x: Tensor,
        label: Tensor,
        snr_db: Tensor,
        random: torch.Generator,
    ) -> Tensor:
        """Return the perturbations; see :meth:`Method.perturb`."""
        target = self.choose(classifier, x, label, random)
        learns = self.step % self.options.generator_every == 0
        self.step += 1
        with torch.set_grad_enabled(learns):
            delta: Tensor = self.generator(x, target, snr_db=snr_db)
            if learns:
                self._learn(classifier(x + delta), target)
        delta, steps = delta.detach(), self.options.inner_steps
        if not steps:
            return delta
        step, objective = self.options.inner_step, per_clip_loss(label)
        return ascend(classifier, objective, x, delta, snr_db, steps=steps, step=step)

    def choose(
        self, classifier: Classifier, x: Tensor, label: Tensor, random: torch.Generator
    ) -> Tensor:
        """Return the wrong label that each clip goes towards, ``(batch,)``."""
        if self.options.targets == "random":
            return draw_targets(label.cpu(), self.targets, random).to(label.device)
        with torch.no_grad():
            logits = classifier(x)
        known = torch.full_like(logits, -torch.inf)
        known[:, self.targets] = logits[:, self.targets]
        return known.scatter(1, label[:, None], -torch.inf).argmax(dim=1)

    def _learn(self, logits: Tensor, target: Tensor) -> None:
        loss = margin_loss(logits, target, _KAPPA) + _ENTROPY * classifier_loss(logits, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.generator.parameters(), _CLIP)
        self.optimizer.step()
        self.fooled = float((logits.argmax(dim=1) == target).float().mean())

    def measured(self) -> dict[str, float]:
        """Return the share of the clips that reached their target when it last learned."""
        return {"generator/success": self.fooled}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {
            "generator": self.generator.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "fooled": self.fooled,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self.generator.network.load_state_dict(saved["generator"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.fooled = saved["step"], saved["fooled"]
