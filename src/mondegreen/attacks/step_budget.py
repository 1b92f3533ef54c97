"""A budget in steps of 16 bits: candidates that keep it as a file will hold them."""

from __future__ import annotations

import torch
from torch import Tensor

from mondegreen.audio import Normalization, float_to_pcm16, pcm16_to_float
from mondegreen.budgets import Budget, Linf

PUBLISHED_STEPS = 255
"""How far the eight least significant bits of a sample reach; the bound where none is given."""

_STEPS_PER_UNIT = {"pcm": 32_768.0, "paper": 32_767.5}
_MARGIN = 1.0 - 1e-5  # 1e-4 dB, far more than float32 loses in a norm
_PAPER_ROUNDING = 1.2e-7  # of the difference of two floats of eq. 12; those of `pcm` are exact


class StepBudget:
    """Turns perturbations in steps of 16 bits into clips that keep a budget.

    A maximum norm is kept by clipping to whole steps. A Euclidean one is kept by scaling down and
    rounding towards zero, which cannot lengthen a perturbation: at the 160 steps that 20 dB leave
    of spoken clips it costs 0.03 dB, and nothing has to be searched for.

    Args:
        x: Clips on the 16-bit grid, ``(batch, 1, time)``.
        budget: The budget; None bounds every sample to the eight least significant bits,
            ``|delta| <= 255 / 32768``.
        normalization: How 16-bit PCM became floats.

    Attributes:
        bound: Largest norm in steps, ``(batch,)``, float32; a whole number under a maximum norm.
        euclidean: Whether that is the Euclidean norm.
    """

    def __init__(self, x: Tensor, budget: Budget | None, normalization: Normalization) -> None:
        self.normalization: Normalization = normalization
        self._origin = float_to_pcm16(x, normalization).to(torch.float32)[:, 0]
        scale = _STEPS_PER_UNIT[normalization]
        rounding = _PAPER_ROUNDING if normalization == "paper" else 0.0
        self.euclidean = budget is not None and not isinstance(budget, Linf)
        if budget is None:
            bound = torch.full((len(x),), PUBLISHED_STEPS, dtype=torch.float64, device=x.device)
        elif self.euclidean:
            bound = budget.bound(x) * scale * _MARGIN
            # Each sample that moves does so by a step or more, and is off by the rounding.
            bound -= rounding * scale * bound.clamp_max(x.shape[2] ** 0.5)
        else:
            bound = ((budget.bound(x) - rounding) * scale).clamp(0.0, 65_535.0).floor()
        self.bound = bound.float()

    @property
    def possible(self) -> Tensor:
        """Which clips the budget leaves a step at all, bool, ``(batch,)``."""
        return self.bound >= 1.0

    def clips(self, rows: Tensor, steps: Tensor, *, fill: bool = False) -> Tensor:
        """Return the clips that result, on the 16-bit grid, within the budget.

        Args:
            rows: Which clips, ``(rows,)``.
            steps: Perturbations in steps of 16 bits, whole or not, of any integer or float type.
            fill: Whether to scale up to a Euclidean bound too, so that all of it is used.

        Shape:
            - steps: ``(rows, candidates, time)``
            - Output: ``(rows * candidates, 1, time)``
        """
        moved: Tensor = steps.float()
        bound = self.bound[rows, None, None]
        if self.euclidean:
            norm = torch.linalg.vector_norm(moved, dim=2, keepdim=True)
            room = bound / norm.clamp_min(1e-30)
            moved = moved * room.clamp_max(1e9 if fill else 1.0)
            pcm = moved.int().float()  # towards zero, five times as fast as trunc()
        else:
            pcm = torch.maximum(moved, -bound)
            torch.minimum(pcm, bound, out=pcm).round_()
        pcm += self._origin.index_select(0, rows)[:, None]
        pcm = pcm.clamp_(-32_768.0, 32_767.0).view(-1, 1, pcm.shape[2])
        if self.normalization == "pcm":
            pcm *= 1.0 / 32_768.0  # the same, and without a copy
        else:
            pcm = pcm16_to_float(pcm, self.normalization)
        return pcm
