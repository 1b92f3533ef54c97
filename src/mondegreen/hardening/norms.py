"""Batch norm in adversarial training, which is a trap.

Attacked clips have other statistics than clean ones. A layer that normalises each kind by its own
batch in training meets, in use, running averages of both, so what was learned is not what is used
(Xie et al. 2020, https://arxiv.org/abs/1911.09665, keep a norm for each kind, which only helps
where it is known which kind a clip is). Hence three policies:

* ``mixed``: clean and attacked clips share one batch, so training sees what the averages will say.
* ``frozen``: the statistics stay those of the ordinary training; only scales and shifts learn.
* ``separate``: a batch of each kind, the trap, kept to be measured.

The inner attack always meets the classifier as it is in use: with its averages, without dropout.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mondegreen.classifiers.classifier import Classifier
from mondegreen.hardening.config import Norms


@contextmanager
def under_attack(classifier: Classifier) -> Iterator[None]:
    """Show the classifier as it is in use, and give its weights no gradients."""
    training = classifier.training
    wanted = [parameter for parameter in classifier.parameters() if parameter.requires_grad]
    classifier.eval()
    for parameter in wanted:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanted:
            parameter.requires_grad_(True)
        classifier.train(training)


def learn(classifier: Classifier, norms: Norms) -> None:
    """Switch to training mode, but for the statistics that a policy keeps."""
    classifier.train()
    if norms == "frozen":
        for part in classifier.modules():
            if isinstance(part, _BatchNorm):
                part.eval()


def answer_both(
    classifier: Classifier, x: Tensor, x_adv: Tensor, norms: Norms
) -> tuple[Tensor, Tensor]:
    """Return the logits of clean and attacked clips, normalised as the policy says.

    Shape:
        - x, x_adv: ``(batch, 1, time)``
        - Output: ``(batch, labels)`` twice
    """
    if norms == "separate":
        adversarial = classifier(x_adv)
        return classifier(x), adversarial
    clean, adversarial = classifier(torch.cat([x, x_adv])).split([len(x), len(x_adv)])
    return clean, adversarial


def statistics(module: nn.Module) -> dict[str, Tensor]:
    """Return the running averages of all batch norms, by name."""
    return {
        f"{name}.{kind}": buffer
        for name, part in module.named_modules()
        if isinstance(part, _BatchNorm)
        for kind, buffer in part.named_buffers()
    }
