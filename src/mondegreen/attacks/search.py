"""The search for perturbations of a batch, clip by clip: what is tried, and the best so far.

What all gradient attacks share is here: steps in the geometry of the budget, judging after rounding
to 16 bits, the stop of each clip on its own, and the count of what was spent on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found
from mondegreen.attacks.plan import Loss, Plan, shortfalls
from mondegreen.budgets import Budget, Linf, quantize_within
from mondegreen.classifiers.classifier import Classifier

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

    Made and used where gradients are recorded, or outside of ``torch.inference_mode`` at least.

    Args:
        classifier: The frozen classifier.
        x: Waveforms, ``(batch, 1, time)``.
        target: Wanted labels, ``(batch,)``.
        budget: What every perturbation keeps.
        delta: Where to start, ``(batch, 1, time)``; projected first.
        kappa: Margin, in units of the logits, that ends the search of a clip.
        untargeted: Whether ``target`` holds labels to get away from.
    """

    answers = 1
    """How often a clip is heard for each question."""

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
        self.x, self.target = x.detach().clone(), target.clone()
        self.bound = budget.bound(self.x).to(self.x.dtype)
        start = budget.project(self.x, delta.detach().clone())
        self.delta = start.clamp(-1.0 - self.x, 1.0 - self.x)
        self.best = self.delta.clone()
        self.momentum = torch.zeros_like(self.delta)
        self.score = torch.full_like(self.bound, -torch.inf)
        self.loss = torch.full_like(self.bound, torch.inf)
        """What :meth:`look` saw last, clip by clip."""
        self.gradients = torch.zeros_like(self.target)
        self.queries = torch.zeros_like(self.target)

    def possible(self) -> Tensor:
        """Return the clips that can be perturbed at all."""
        return torch.nonzero(self.bound > 0.0).flatten()

    def begin(self) -> Tensor:
        """Judge the start of the clips that can be perturbed; return those that go on."""
        with torch.no_grad():
            return self.judge(self.possible())

    def again(self, rows: Tensor, delta: Tensor) -> Tensor:
        """Put the clips that failed back to a new start; return them.

        Args:
            rows: Clips, of which those that succeed already are left alone.
            delta: Perturbations of the whole batch; projected first.
        """
        rows = rows[self.score[rows] <= 0.0]
        self.delta[rows] = self.inside(rows, delta[rows])
        self.momentum[rows] = 0.0
        return rows

    def found(self) -> Found:
        """Return the best perturbations so far and what they cost."""
        return Found(self.best, self.gradients, self.queries)

    def judge(self, rows: Tensor, logits: Tensor | None = None) -> Tensor:
        """Score what is tried now, keep the best, and return the rows that go on.

        What is heard as the target is rounded and scored again: only that counts.
        """
        if not len(rows):
            return rows
        x, delta, target = self.x[rows], self.delta[rows], self.target[rows]
        if logits is None:
            logits = self._ask(rows, x + delta)
        score = self._margins(logits, target)
        heard = torch.nonzero(score > 0.0).flatten()
        if len(heard):
            scale = self.classifier.normalization
            x_adv = quantize_within(x[heard], delta[heard], self.budget, scale)
            score[heard] = self._margins(self._ask(rows[heard], x_adv), target[heard])
        better = score > self.score[rows]
        self.best[rows[better]] = delta[better]
        self.score[rows[better]] = score[better]
        return rows[~((score >= self.kappa) & (score > 0.0))]

    def _ask(self, rows: Tensor, x: Tensor) -> Tensor:
        self.queries[rows] += self.answers
        logits: Tensor = self.classifier(x)
        return logits

    def _margins(self, logits: Tensor, target: Tensor) -> Tensor:
        return margins(logits, target, untargeted=self.untargeted).to(self.score.dtype)

    def _lack(self, logits: Tensor, target: Tensor, loss: Loss) -> Tensor:
        return shortfalls(logits, target, loss, untargeted=self.untargeted)

    def look(self, rows: Tensor, loss: Loss, *, first: bool) -> tuple[Tensor, Tensor]:
        """Return the rows that go on and the gradient of their loss.

        Args:
            rows: The clips.
            loss: What to descend.
            first: Whether what is tried now was judged before, without a gradient: that is cheaper
                where many clips need none.
        """
        if not len(rows):
            return rows, self.x[rows]
        delta = self.delta[rows].requires_grad_()
        logits = self._ask(rows, self.x[rows] + delta)
        going = rows
        if not first:
            with torch.no_grad():
                going = self.judge(rows, logits.detach())
        if not len(going):
            return going, self.x[going]
        lack = self._lack(logits, self.target[rows], loss)
        self.loss[rows] = lack.detach().to(self.loss.dtype)
        (gradient,) = torch.autograd.grad(lack.sum(), delta)
        self.gradients[going] += self.answers
        return going, gradient[torch.isin(rows, going)].nan_to_num(0.0, 0.0, 0.0)

    def direction(self, rows: Tensor, gradient: Tensor, shaping: float = 0.0) -> Tensor:
        """Return the steepest direction in the geometry of the budget, of norm one."""
        if isinstance(self.budget, Linf):
            return gradient.sign()
        x = self.x[rows]
        shaped = shape_gradient(gradient, x, shaping, self.classifier.sample_rate)
        norm = torch.linalg.vector_norm(shaped, dim=(1, 2), keepdim=True)
        direction: Tensor = shaped / norm.clamp_min(torch.finfo(norm.dtype).tiny)
        return direction

    def inside(self, rows: Tensor, delta: Tensor) -> Tensor:
        """Return the perturbations back on the budget and, with the clip, in [-1, 1]."""
        x = self.x[rows]
        return self.budget.project(x, delta).clamp(-1.0 - x, 1.0 - x)

    def move(
        self, rows: Tensor, gradient: Tensor, size: float, shaping: float = 0.0, decay: float = 0.0
    ) -> None:
        """Take one step against the gradient, back onto the budget and into [-1, 1].

        Args:
            rows: The clips.
            gradient: Of their loss.
            size: Length of the step, as a share of the budget's bound.
            shaping: Exponent of :func:`shape_gradient`; sign steps are never shaped.
            decay: What remains of the gradients before, each divided by the sum of its magnitudes.
        """
        if decay:
            norm = torch.linalg.vector_norm(gradient, 1, dim=(1, 2), keepdim=True)
            unit = gradient / norm.clamp_min(torch.finfo(norm.dtype).tiny)
            gradient = decay * self.momentum[rows] + unit
            self.momentum[rows] = gradient
        direction = self.direction(rows, gradient, shaping)
        moved = self.delta[rows] - size * self.bound[rows, None, None] * direction
        self.delta[rows] = self.inside(rows, moved)

    def descend(
        self,
        rows: Tensor,
        plan: Plan,
        *,
        judged: bool = True,
        done: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the steps of a plan, each clip until it succeeds.

        Args:
            rows: The clips to perturb.
            plan: The steps.
            judged: Whether what is tried now was judged before.
            done: Called after each step.
        """
        for number in range(plan.steps):
            rows, gradient = self.look(rows, plan.loss, first=judged and number == 0)
            if not len(rows):
                return
            self.move(rows, gradient, plan.size(number), plan.shaping, plan.decay)
            done()
        if plan.steps:
            with torch.no_grad():
                self.judge(rows)
