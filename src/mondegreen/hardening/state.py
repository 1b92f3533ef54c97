"""What changes while a classifier is hardened, as one checkpoint."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch

from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.hardening.config import Hardening
from mondegreen.hardening.method import Method
from mondegreen.hardening.selection import Selection


@dataclass
class State:
    """Everything that changes while a classifier is hardened."""

    classifier: Classifier
    average: Classifier
    """Moving average of the weights: what is measured and kept."""
    optimizer: torch.optim.Optimizer
    method: Method
    selection: Selection
    epochs: int
    """How many there will be."""
    epoch: int = 0
    step: int = 0
    cpu_seconds: float = 0.0
    """Processor time of the steps of all finished epochs, without measuring and writing."""
    within: dict[str, Any] | None = None
    """The place within the epoch that was left unfinished."""

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the average towards the classifier, batch norms' statistics included."""
        # A young average forgets faster, or the vulnerable start would linger in it.
        decay = min(decay, self.step / (self.step + 20)) if decay else 0.0
        ours, theirs = self.average.state_dict(), self.classifier.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1.0 - decay)
            else:
                value.copy_(theirs[name])

    def state_dict(self, started_from: str) -> dict[str, Any]:
        """Return what a checkpoint needs.

        Args:
            started_from: Fingerprint of the classifier that was to be hardened.
        """
        return {
            "step": self.epoch,
            "steps": self.step,
            "started_from": started_from,
            "epochs": self.epochs,
            "cpu_seconds": self.cpu_seconds,
            "within": self.within,
            "classifier": self.classifier.module.state_dict(),
            "average": self.average.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "method": self.method.state_dict(),
            "selection": self.selection.state_dict(),
        }

    def load_state_dict(self, saved: dict[str, Any], started_from: str, where: str) -> None:
        """Continue from a checkpoint.

        Args:
            saved: What :meth:`state_dict` returned.
            started_from: Fingerprint of the classifier that is to be hardened now.
            where: The file it came from, for the error message.

        Raises:
            MondegreenError: It is the checkpoint of another training.
        """
        if saved.get("started_from") != started_from:
            raise MondegreenError(
                f"{where} belongs to the hardening of another classifier. Choose another --out."
            )
        try:
            self.classifier.module.load_state_dict(saved["classifier"])
            self.average.module.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.method.load_state_dict(saved["method"])
            self.selection = Selection(**saved["selection"])
            self.epoch, self.step = saved["step"], saved["steps"]
            self.epochs, self.cpu_seconds = saved["epochs"], saved["cpu_seconds"]
            self.within = saved["within"]
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise MondegreenError(
                f"{where} does not fit this training. Delete its run to begin again."
            ) from error


def begin(
    classifier: Classifier, method: Method, selection: Selection, options: Hardening
) -> State:
    """Return the state before the first step; the classifier itself is not changed."""
    learner = copy.deepcopy(classifier).requires_grad_(True)
    average = copy.deepcopy(classifier).freeze()
    optimizer = torch.optim.AdamW(
        learner.parameters(), options.learning_rate, weight_decay=options.weight_decay
    )
    return State(learner, average, optimizer, method, selection, options.epochs)


def refuse_untrainable(classifier: Classifier) -> None:
    """Refuse a classifier none of whose weights a gradient reaches.

    A copy of a function calls the very modules that the function called, not copies of them; an
    exported program may have its weights as constants.

    Raises:
        MondegreenError: It is one.
    """
    random = torch.Generator().manual_seed(0)
    x = 0.1 * torch.randn(2, 1, classifier.clip_samples, generator=random)
    logits = classifier(x.to(classifier.device))
    weights = [weight for weight in classifier.parameters() if weight.requires_grad]
    found: tuple[torch.Tensor | None, ...] = ()
    if weights and logits.requires_grad:
        found = torch.autograd.grad(logits.square().sum(), weights, allow_unused=True)
    if not any(gradient is not None and bool(gradient.any()) for gradient in found):
        raise MondegreenError(
            f"{classifier.name} has no weights that can be trained here: no gradient reaches any. "
            "Give the PyTorch module itself in place of a function or an exported file."
        )
