"""Adversarial training by projected gradient descent, and its cheap rival of one step."""

from __future__ import annotations

import torch
from torch import Tensor

from mondegreen.classifiers.classifier import Classifier
from mondegreen.hardening.ascent import ascend, noise_within
from mondegreen.hardening.method import Method, per_clip_loss

START = 0.5
"""Norm of the random start, as a share of the budget's radius."""


class ProjectedGradientTraining(Method):
    """Attack by gradient steps from a random start.

    With several steps that is Madry et al. (2018, https://arxiv.org/abs/1706.06083), with a single
    step as long as the radius *fast* adversarial training (Wong et al. 2020,
    https://arxiv.org/abs/2001.03994), here on the Euclidean ball of a signal-to-noise ratio.
    """

    def perturb(
        self,
        classifier: Classifier,
        x: Tensor,
        label: Tensor,
        snr_db: Tensor,
        random: torch.Generator,
    ) -> Tensor:
        """Return the perturbations; see :meth:`Method.perturb`."""
        start = noise_within(x, snr_db, START, random)
        steps, step = self.options.inner_steps, self.options.inner_step
        objective = per_clip_loss(label)
        return ascend(classifier, objective, x, start, snr_db, steps=steps, step=step)
