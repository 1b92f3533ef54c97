"""Rounding a perturbed clip to 16-bit PCM without leaving the budget."""

from __future__ import annotations

import torch
from torch import Tensor

from mondegreen.audio import Normalization, float_to_pcm16, pcm16_to_float
from mondegreen.budgets.budget import Budget, in_precision_of, per_clip

_BISECTIONS = 24  # resolves the scale to 6e-8: moves full scale by a five-hundredth of a step


@torch.no_grad()
def quantize_within(
    x: Tensor, delta: Tensor, budget: Budget, normalization: Normalization = "pcm"
) -> Tensor:
    """Perturb, clip and round to 16-bit PCM, so that the budget holds for what a file will hold.

    The reference is ``quantize(x)``. The perturbed clip is rounded to the nearest steps. Rounding
    adds noise of its own; where that leads beyond the bound, the perturbation is scaled by the
    largest factor in [0, 1] (found by bisection) whose rounded result keeps it. The factor 0
    always does, so a budget smaller than one step gives the clip back unchanged.

    Args:
        x: Clips in [-1, 1].
        delta: Their perturbations; a batch of one is spread over the clips.
        budget: What to keep. Only the measured, rounded perturbation counts.
        normalization: How floats map to PCM.

    Shape:
        - x, delta, Output: ``(batch, ..., time)``

    Returns:
        The perturbed clips, float32, on the 16-bit grid and in [-1, 1]. No gradient.

    Raises:
        ValueError: ``delta`` holds NaN or infinite samples.

    Example:
        >>> from mondegreen.budgets import Linf
        >>> x, delta = torch.zeros(1, 1, 2), torch.tensor([[[1.4, 2.6]]]) / 32768
        >>> (quantize_within(x, delta, Linf(3 / 32768)) * 32768).tolist()
        [[[1.0, 3.0]]]
    """
    if not bool(torch.isfinite(delta).all()):
        raise ValueError("the perturbation holds NaN or infinite samples")
    origin = float_to_pcm16(x, normalization).to(torch.float32)
    reference = pcm16_to_float(origin, normalization)
    steps_per_unit = 32767.5 if normalization == "paper" else 32768.0
    steps = in_precision_of(reference, delta).expand_as(reference) * steps_per_unit
    x_adv = _moved(origin, steps, normalization)
    bound = budget.bound(reference)
    over = torch.nonzero(budget.norm(x_adv - reference) > bound).flatten()
    if len(over) > 0:
        origin, steps, bound = origin[over], steps[over], bound[over]
        scale = _largest_scale(origin, steps, bound, budget, normalization)
        x_adv[over] = _moved(origin, steps * scale, normalization)
    return x_adv


def _largest_scale(
    origin: Tensor, steps: Tensor, bound: Tensor, budget: Budget, normalization: Normalization
) -> Tensor:
    """Bisect for the largest scale of ``steps`` that keeps the bound after rounding.

    Every rounded sample moves away from the origin monotonically with the scale, and so does the
    norm: the bisection cannot miss.

    Shape:
        - origin, steps: ``(batch, ..., time)``; bound: ``(batch,)``
        - Output: ``(batch, 1, ...)``
    """
    reference = pcm16_to_float(origin, normalization)
    low = torch.zeros_like(bound, dtype=steps.dtype)
    high = torch.ones_like(low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        x_adv = _moved(origin, steps * per_clip(middle, steps), normalization)
        kept = budget.norm(x_adv - reference) <= bound
        low, high = torch.where(kept, middle, low), torch.where(kept, high, middle)
    return per_clip(low, steps)


def _moved(origin: Tensor, steps: Tensor, normalization: Normalization) -> Tensor:
    """Move PCM samples by the nearest whole number of steps, clip, and return the waveform."""
    return pcm16_to_float((origin + steps.round()).clamp(-32768, 32767), normalization)
