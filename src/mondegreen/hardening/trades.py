"""TRADES: clean accuracy by the labels, robustness by agreement with oneself.

Zhang et al. 2019, https://arxiv.org/abs/1901.08573.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mondegreen.classifiers.classifier import Classifier
from mondegreen.hardening.ascent import ascend, noise_within
from mondegreen.hardening.method import Method

START = 0.3
"""Norm of the random start, as a share of the radius: the divergence has no gradient at zero."""


class Trades(Method):
    """Attack what the classifier says of the clip, whatever the label is, and learn to agree."""

    def perturb(
        self,
        classifier: Classifier,
        x: Tensor,
        label: Tensor,
        snr_db: Tensor,
        random: torch.Generator,
    ) -> Tensor:
        """Return the perturbations; see :meth:`Method.perturb`."""
        with torch.no_grad():
            before = classifier(x)
        start = noise_within(x, snr_db, START, random)
        steps, step = self.options.inner_steps, self.options.inner_step

        def objective(logits: Tensor) -> Tensor:
            return divergence(before, logits)

        return ascend(classifier, objective, x, start, snr_db, steps=steps, step=step)

    def loss(self, clean: Tensor, adversarial: Tensor, label: Tensor) -> Tensor:
        """Return CE(clean) + beta KL(clean || attacked), eq. 5; gradients reach both answers."""
        natural = F.cross_entropy(clean, label, label_smoothing=self.options.label_smoothing)
        return natural + self.options.beta * divergence(clean, adversarial).mean()


def divergence(before: Tensor, after: Tensor) -> Tensor:
    r"""Return the Kullback-Leibler divergence of two answers, ``(batch,)``.

    .. math:: \sum_k p_k (\log p_k - \log q_k), \quad p = softmax(before), q = softmax(after)

    Shape:
        - before, after: logits, ``(batch, labels)``

    Example:
        >>> divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor([0.1201])
    """
    found: Tensor = F.kl_div(
        after.log_softmax(dim=1), before.log_softmax(dim=1), reduction="none", log_target=True
    )
    return found.sum(dim=1)
