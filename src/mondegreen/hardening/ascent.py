"""The inner maximisation: a few projected gradient steps for a whole batch, without any stop.

Unlike :func:`mondegreen.attacks.gradient.refine`, which attacks to succeed and leaves each clip
alone as soon as it does, training wants the worst perturbation within the budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mondegreen.budgets import SNR

Objective = Callable[[Tensor], Tensor]
"""Maps logits ``(batch, labels)`` to what is to grow, one number a clip."""


def ascend(
    answer: Callable[[Tensor], Tensor],
    objective: Objective,
    x: Tensor,
    delta: Tensor,
    snr_db: Tensor,
    *,
    steps: int,
    step: float,
) -> Tensor:
    """Climb an objective by projected gradient steps (Madry et al. 2018, eq. 2.1 for L2 balls).

    Step ``i`` of ``n`` moves by ``step * sqrt(1 - i / n)`` of the budget's radius along the
    normalised gradient; the sum is projected onto the budget and cut to keep ``x + delta`` in
    [-1, 1].

    Args:
        answer: Maps waveforms to logits.
        objective: What is to grow.
        x: Waveforms in [-1, 1].
        delta: Where to start; projected first.
        snr_db: Each clip's budget in dB, ``(batch,)``.
        steps: Gradients a clip; 0 returns the projected start.
        step: Length of the first step, as a share of the radius.

    Shape:
        - x, delta, output: ``(batch, 1, time)``
    """
    budget = SNR(0.0)
    radius = budget.bound(x, snr_db).to(x.dtype)[:, None, None]

    def inside(moved: Tensor) -> Tensor:
        return budget.project(x, moved, snr_db).clamp(-1.0 - x, 1.0 - x)

    delta = inside(delta.detach())
    for number in range(steps):
        delta = delta.requires_grad_()
        (gradient,) = torch.autograd.grad(objective(answer(x + delta)).sum(), delta)
        norm = torch.linalg.vector_norm(gradient, dim=(1, 2), keepdim=True)
        direction = gradient / norm.clamp_min(torch.finfo(norm.dtype).tiny)
        size = step * math.sqrt(1.0 - number / steps)
        delta = inside(delta.detach() + size * radius * direction)
    return delta


def noise_within(x: Tensor, snr_db: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Return Gaussian noise of a share of each clip's budget, another draw for every clip.

    Args:
        x: Waveforms.
        snr_db: Each clip's budget in dB, ``(batch,)``.
        share: Norm of the noise, as a share of the radius.
        random: Draws, on the CPU.

    Shape:
        - x, output: ``(batch, 1, time)``
    """
    noise = torch.randn(x.shape, generator=random).to(x)
    norm = torch.linalg.vector_norm(noise, dim=(1, 2), keepdim=True)
    radius = SNR(0.0).bound(x, snr_db).to(x.dtype)[:, None, None]
    scaled: Tensor = noise * (share * radius / norm)
    return scaled
