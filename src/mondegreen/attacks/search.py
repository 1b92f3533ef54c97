"""The search for perturbations of a batch, clip by clip: what is tried, and the best so far."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from mondegreen.budgets import Budget, Linf, quantize_within
from mondegreen.classifiers.classifier import Classifier

Loss = Literal["cross-entropy", "margin"]
"""What the search descends: against all other labels at once, or against the best one only."""

_FLOOR = 0.03  # of a bin, relative to the clip's mean magnitude: pauses can be perturbed too
_FRAME_SECONDS = 0.032


def shape_gradient(gradient: Tensor, x: Tensor, exponent: float, sample_rate: int) -> Tensor:
    """Weight the short-time spectrum of a gradient by the clip's magnitudes to a power.

    Classifiers that take the logarithm of spectral magnitudes have their steepest gradients where
    the clip is faint, and there they bend after the shortest way. The weights
    ``(|X| / mean |X| + 0.03) ** exponent`` move the step towards the bins that hold the clip,
    where the gradient holds for as long as the step is. Frames of about 32 ms, half overlapping.

    Args:
        gradient: The gradient.
        x: The clips.
        exponent: 0 returns the gradient as it is.
        sample_rate: In Hz.

    Shape:
        - Input, output: ``(batch, 1, time)``
    """
    if exponent == 0.0:
        return gradient
    size = 2 ** max(4, round(math.log2(_FRAME_SECONDS * sample_rate)))
    window = torch.hann_window(size, device=x.device, dtype=x.dtype)
    time = x.shape[2]

    def spectrum(y: Tensor) -> Tensor:
        # Padded by a frame, or the inverse would divide by the window's end.
        padded = torch.nn.functional.pad(y[:, 0], (0, size))
        found: Tensor = torch.stft(
            padded, size, size // 2, window=window, pad_mode="constant", return_complex=True
        )
        return found

    magnitude = spectrum(x).abs()
    mean = magnitude.mean(dim=(1, 2), keepdim=True)
    weights = (magnitude / mean.clamp_min(1e-12) + _FLOOR) ** exponent
    shaped: Tensor = torch.istft(
        spectrum(gradient) * weights, size, size // 2, window=window, length=time + size
    )
    return shaped[:, None, :time]


def margins(logits: Tensor, target: Tensor, *, untargeted: bool = False) -> Tensor:
    """Return by how much each clip succeeds, in units of the logits, ``(batch,)``.

    That is by how much the target's logit exceeds the best other one or, untargeted, the best other
    one that of the label to get away from.

    Example:
        >>> margins(torch.tensor([[2.0, 0.5, 1.0]]), torch.tensor([2])).tolist()
        [-1.0]
    """
    column = target.unsqueeze(1)
    others = logits.scatter(1, column, -torch.inf)
    margin = logits.gather(1, column).squeeze(1) - others.amax(dim=1)
    return -margin if untargeted else margin


class Search:
    """The state of a batch: what is tried now, and the best so far.

    Args:
        classifier: The frozen classifier.
        x: Waveforms, ``(batch, 1, time)``.
        target: Wanted labels, ``(batch,)``.
        budget: What every perturbation keeps.
        delta: Where to start, ``(batch, 1, time)``; projected first.
        kappa: Margin, in units of the logits, that ends the search of a clip.
        untargeted: Whether ``target`` holds labels to get away from.
    """

    def __init__(
        self,
        classifier: Classifier,
        x: Tensor,
        target: Tensor,
        budget: Budget,
        delta: Tensor,
        kappa: float,
        *,
        untargeted: bool = False,
    ) -> None:
        self.classifier, self.budget, self.kappa = classifier, budget, kappa
        self.untargeted = untargeted
        self.x, self.target = x.detach().clone(), target
        self.bound = budget.bound(self.x).to(self.x.dtype)
        start = budget.project(self.x, delta.detach().clone())
        self.delta = start.clamp(-1.0 - self.x, 1.0 - self.x)
        self.best = self.delta.clone()
        self.score = torch.full_like(self.bound, -torch.inf)
        self.gradients = torch.zeros_like(target)

    def possible(self) -> Tensor:
        """Return the clips that can be perturbed at all; score the others."""
        stuck = torch.nonzero(self.bound <= 0.0).flatten()
        if len(stuck):
            self.judge(stuck)
        return torch.nonzero(self.bound > 0.0).flatten()

    def judge(self, rows: Tensor, logits: Tensor | None = None) -> Tensor:
        """Score what is tried now, keep the best, and return the rows that go on.

        What is heard as the target is rounded and scored again: only that counts.
        """
        if not len(rows):
            return rows
        x, delta, target = self.x[rows], self.delta[rows], self.target[rows]
        if logits is None:
            logits = self.classifier(x + delta)
        score = self._margins(logits, target)
        heard = torch.nonzero(score > 0.0).flatten()
        if len(heard):
            scale = self.classifier.normalization
            x_adv = quantize_within(x[heard], delta[heard], self.budget, scale)
            score[heard] = self._margins(self.classifier(x_adv), target[heard])
        better = score > self.score[rows]
        self.best[rows[better]] = delta[better]
        self.score[rows[better]] = score[better]
        return rows[~(score >= self.kappa)]

    def _margins(self, logits: Tensor, target: Tensor) -> Tensor:
        return margins(logits, target, untargeted=self.untargeted).to(self.score.dtype)

    def look(self, rows: Tensor, loss: Loss, *, first: bool) -> tuple[Tensor, Tensor]:
        """Return the rows that go on and the gradient of their loss."""
        if not len(rows):
            return rows, self.x[rows]
        delta = self.delta[rows].requires_grad_()
        logits = self.classifier(self.x[rows] + delta)
        going = rows
        if not first:  # the first perturbations were judged without a gradient, which is cheaper
            with torch.no_grad():
                going = self.judge(rows, logits.detach())
        if not len(going):
            return going, self.x[going]
        target = self.target[rows]
        others = logits.scatter(1, target[:, None], -torch.inf)
        # The logarithm of the sum has the direction of the cross-entropy's gradient, and does not
        # vanish where the target has won.
        best = others.logsumexp(dim=1) if loss == "cross-entropy" else others.amax(dim=1)
        shortfall = best - logits.gather(1, target[:, None]).squeeze(1)
        if self.untargeted:
            shortfall = -shortfall
        (gradient,) = torch.autograd.grad(shortfall.sum(), delta)
        self.gradients[going] += 1
        return going, gradient[torch.isin(rows, going)].nan_to_num(0.0, 0.0, 0.0)

    def move(self, rows: Tensor, gradient: Tensor, size: float, shaping: float) -> None:
        """Take one step against the gradient, back onto the budget and into [-1, 1]."""
        x = self.x[rows]
        if isinstance(self.budget, Linf):
            direction = gradient.sign()
        else:
            shaped = shape_gradient(gradient, x, shaping, self.classifier.sample_rate)
            norm = torch.linalg.vector_norm(shaped, dim=(1, 2), keepdim=True)
            direction = shaped / norm.clamp_min(torch.finfo(norm.dtype).tiny)
        moved = self.delta[rows] - size * self.bound[rows, None, None] * direction
        self.delta[rows] = self.budget.project(x, moved).clamp(-1.0 - x, 1.0 - x)
