"""Distilling a gradient search: the generator learns to propose what the search would make of it.

A search starts from the generator's own proposal, takes a few steps within the clip's budget, and
what it finds is what the generator should have proposed. So the teacher looks several gradients
ahead where the loss itself looks one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mondegreen.attacks.gradient import SHAPING, default_step
from mondegreen.attacks.search import shape_gradient
from mondegreen.budgets import SNR


def searched(
    lack: Callable[[Tensor], Tensor],
    x: Tensor,
    delta: Tensor,
    snr_db: Tensor,
    *,
    steps: int,
    sample_rate: int,
) -> Tensor:
    """Return what a projected gradient search makes of perturbations, without a gradient.

    The steps are those of :func:`mondegreen.attacks.gradient.refine`. A clip that lacks nothing is
    left as it is.

    Args:
        lack: What each adversarial clip lacks for success, ``(batch,)``; 0 or less is enough.
        x: Waveforms in [-1, 1].
        delta: Where to start.
        snr_db: Each clip's budget in dB, ``(batch,)``.
        steps: How many gradients.
        sample_rate: In Hz.

    Shape:
        - x, delta, output: ``(batch, 1, time)``
    """
    budget = SNR(0.0)
    first = default_step(budget, fresh=False)
    found = delta.detach()
    bound = budget.bound(x, snr_db).to(x.dtype)[:, None, None]
    for number in range(steps):
        tried = found.clone().requires_grad_()
        with torch.enable_grad():
            missing = lack(x + tried)
            (gradient,) = torch.autograd.grad(missing.sum(), tried)
        shaped = shape_gradient(gradient, x, SHAPING, sample_rate)
        norm = torch.linalg.vector_norm(shaped, dim=(1, 2), keepdim=True)
        length = first * math.sqrt(1.0 - number / steps) * bound
        moved = found - length * shaped / norm.clamp_min(torch.finfo(norm.dtype).tiny)
        moved = budget.project(x, moved, db=snr_db).clamp(-1.0 - x, 1.0 - x)
        found = torch.where((missing.detach() > 0.0)[:, None, None], moved, found)
    return found


def distillation_loss(delta: Tensor, goal: Tensor) -> Tensor:
    r"""Mean energy that separates perturbations from what they should be, relative to its energy.

    .. math:: E_x[\|\delta - \delta^*\|_2^2 / \|\delta^*\|_2^2]

    Args:
        delta: Perturbations, ``(batch, 1, time)``.
        goal: What they should be, of the same shape.

    Returns:
        The loss, a scalar.

    Example:
        >>> distillation_loss(torch.tensor([[[0.0, 1.0]]]), torch.tensor([[[0.0, 2.0]]]))
        tensor(0.2500)
    """
    energy = goal.square().sum(dim=(1, 2)).clamp_min(1e-12)
    return ((delta - goal).square().sum(dim=(1, 2)) / energy).mean()
