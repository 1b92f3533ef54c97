"""The nearest other label, by repeated linearisation; and what searches for it have in common.

DeepFool (Moosavi-Dezfooli et al. 2016, https://arxiv.org/abs/1511.04599) takes the classifier for
linear, steps onto the boundary that it then has, and looks again. It needs few gradients.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.search import margins
from mondegreen.audio import quantize
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

CONFIDENCE = 0.01
"""Default margin, in units of the logits, that is a success: a batch of another size moves logits
by less, so what succeeded while it was searched for does so when it is scored."""

_SHRINKS = 10  # bisections of the ray: a thousandth of the perturbation, 0.01 dB


class Nearest:
    """The smallest perturbation of each clip that succeeds, of all that were tried.

    What counts is what a 16-bit file holds: perturbed clips are rounded before they are heard, and
    the distance is the Euclidean norm of what the rounding left. For a clip that nothing succeeded
    for, it is the perturbation that came closest. Made and used outside of
    ``torch.inference_mode``.

    Args:
        classifier: The frozen classifier.
        x: Waveforms on the 16-bit grid, ``(batch, 1, time)``.
        target: Wanted labels or, if ``untargeted``, those to get away from, ``(batch,)``.
        budget: What ends the search of a clip early unless ``minimal``; None does not.
        confidence: Margin that is a success, in units of the logits.
        minimal: Whether each clip is searched on for the smallest perturbation, whatever the
            budget.
        untargeted: Whether ``target`` holds labels to get away from.
    """

    def __init__(
        self,
        classifier: Classifier,
        x: Tensor,
        target: Tensor,
        budget: Budget | None,
        *,
        confidence: float,
        minimal: bool,
        untargeted: bool,
    ) -> None:
        self.classifier, self.budget, self.confidence = classifier, budget, confidence
        self.minimal, self.untargeted = minimal, untargeted
        self.x, self.target = x.detach().clone(), target.clone()
        self.best = self.x.clone()
        """The rounded clips."""
        self.distance = torch.full_like(self.x[:, 0, 0], torch.inf, dtype=torch.float64)
        """Their perturbations' norm; infinite where nothing succeeded."""
        self.finished = torch.zeros_like(self.target, dtype=torch.bool)
        self.gradients = torch.zeros_like(self.target)
        self.queries = torch.zeros_like(self.target)
        self._score = torch.full_like(self.x[:, 0, 0], -torch.inf)

    def begin(self) -> Tensor:
        """Hear the clips as they are and return the rows of those that have to be perturbed.

        A clip whose budget allows no perturbation at all is not even heard.
        """
        if self.budget is not None:
            self.finished |= self.budget.bound(self.x) <= 0.0
        rows = self.going()
        if len(rows):
            self.try_out(rows, torch.zeros_like(self.x[rows]))
            self.finished |= self.distance == 0.0
        return self.going()

    def going(self) -> Tensor:
        """Return the rows whose search is not over."""
        return torch.nonzero(~self.finished).flatten()

    def rounded(self, rows: Tensor, delta: Tensor) -> Tensor:
        """Return the perturbed clips as a 16-bit file would hold them.

        Shape:
            - delta, output: ``(rows, 1, time)``
        """
        return quantize(self.x[rows] + delta, self.classifier.normalization)

    def judge(self, rows: Tensor, x_adv: Tensor, logits: Tensor) -> Tensor:
        """Count a query for each clip, keep what is better than the best, and tell successes.

        Shape:
            - x_adv: ``(rows, 1, time)``, rounded
            - logits: ``(rows, labels)``
            - output: ``(rows,)``, bool
        """
        self.queries[rows] += 1
        score = margins(logits, self.target[rows], untargeted=self.untargeted)
        score = score.to(self._score.dtype)
        success = (score >= self.confidence) & (score > 0.0)
        delta = x_adv - self.x[rows]
        distance = torch.linalg.vector_norm(delta, dim=(1, 2), dtype=torch.float64)
        before = self.distance[rows]
        better = torch.where(
            success, distance < before, before.isinf() & (score > self._score[rows])
        )
        if self.budget is not None and not self.minimal:
            kept = success & (self.budget.norm(delta) <= self.budget.bound(self.x[rows]))
            better |= kept  # under a maximum norm it may be farther than what did not keep it
            self.finished[rows] |= kept
        new = rows[better]
        self.best[new], self._score[new] = x_adv[better], score[better]
        self.distance[new] = torch.where(success, distance, torch.inf)[better]
        return success

    def try_out(self, rows: Tensor, delta: Tensor) -> Tensor:
        """Round, hear and judge perturbations; return which succeed, ``(rows,)``."""
        with torch.no_grad():
            x_adv = self.rounded(rows, delta)
            return self.judge(rows, x_adv, self.classifier(x_adv))

    def shrink(self) -> None:
        """Bisect, for each clip whose search is not over, the way from the clip to its best.

        Ends a thousandth of the way beyond the boundary of the label.
        """
        rows = torch.nonzero(~self.finished & self.distance.isfinite()).flatten()
        delta = self.best - self.x
        low = torch.zeros_like(self._score)
        high = torch.ones_like(low)
        for _ in range(_SHRINKS):
            rows = rows[~self.finished[rows]]
            if not len(rows):
                return
            middle = (low[rows] + high[rows]) / 2
            success = self.try_out(rows, middle[:, None, None] * delta[rows])
            low[rows] = torch.where(success, low[rows], middle)
            high[rows] = torch.where(success, middle, high[rows])

    def found(self) -> Found:
        """Return the best perturbations and what they cost."""
        return Found(self.best - self.x, self.gradients, self.queries)


def check_confidence(name: str, confidence: float) -> None:
    """Refuse a margin that cannot be asked for.

    Raises:
        MondegreenError: It is negative, NaN or infinite.
    """
    if not (math.isfinite(confidence) and confidence >= 0.0):
        raise MondegreenError(f"{name}: confidence is {confidence}; choose 0 or more.")


class DeepFool(SearchingAttack):
    """Step onto the boundary of the linearised classifier until the label has changed.

    With the margin ``m`` by which a clip succeeds and its gradient ``w``, the perturbation grows
    by ``(confidence - m) w / |w|²``, and ``1 + overshoot`` times the sum is what is heard (paper:
    algorithm 2). Targeted, the margin is that of the target over the best other label at the
    moment; untargeted, each of the best other labels is linearised and the nearest boundary
    taken. Both are heard after rounding to 16 bits, and the gradient is taken there, so that faint
    perturbations go on until they survive the rounding. Once a clip succeeds, the perturbation is
    shrunk along its ray as far as it goes on to succeed.

    The search is for the smallest perturbation in the Euclidean norm, whatever the budget. With
    ``minimal`` a budget changes nothing of it, so that one run tells the success at every
    signal-to-noise ratio; without, a clip ends as soon as a success keeps the budget. What exceeds
    the budget (a maximum norm too) is scaled down by the protocol and then usually fails.

    Args:
        steps: Linearisations a clip, at most.
        overshoot: By which share the steps go too far (paper: 0.02).
        candidates: Untargeted, how many other labels are linearised, each for a gradient: those
            that the clip is heard as best.
        confidence: Margin that is a success, in units of the logits.
        minimal: Whether the smallest perturbation is wanted even where a budget is kept already.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``steps`` or ``candidates`` is below 1, or another number is negative.
    """

    needs_gradients = True

    def __init__(
        self,
        *,
        steps: int = 50,
        overshoot: float = 0.02,
        candidates: int = 9,
        confidence: float = CONFIDENCE,
        minimal: bool = True,
        untargeted: bool = False,
    ) -> None:
        for option, value in (("steps", steps), ("candidates", candidates)):
            if value < 1:
                raise MondegreenError(f"deepfool: {option} is {value}; choose 1 or more.")
        if not (math.isfinite(overshoot) and overshoot >= 0.0):
            raise MondegreenError(f"deepfool: overshoot is {overshoot}; choose 0 or more.")
        check_confidence("deepfool", confidence)
        self.steps, self.overshoot, self.candidates = steps, overshoot, candidates
        self.confidence, self.minimal, self.untargeted = confidence, minimal, untargeted

    @property
    def name(self) -> str:
        """``deepfool-50``, say."""
        return f"deepfool-{self.steps}"

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("steps", "overshoot", "candidates", "confidence", "minimal", "untargeted")
        return {name: getattr(self, name) for name in names}

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the smallest perturbations found and what was spent on each clip."""
        with torch.inference_mode(False), torch.enable_grad():
            nearest = Nearest(
                classifier,
                x,
                target,
                budget,
                confidence=self.confidence,
                minimal=self.minimal,
                untargeted=self.untargeted,
            )
            self._walk(nearest, nearest.begin())
            nearest.shrink()
        return nearest.found()

    def _walk(self, nearest: Nearest, rows: Tensor) -> None:
        """Step until each clip has succeeded, and hear the last step too."""
        delta = torch.zeros_like(nearest.x)
        with task("DeepFool", self.steps) as step:
            for _ in range(self.steps):
                if not len(rows):
                    return
                x_adv = nearest.rounded(rows, (1.0 + self.overshoot) * delta[rows])
                x_adv.requires_grad_()
                logits = nearest.classifier(x_adv)
                going = ~nearest.judge(rows, x_adv.detach(), logits.detach())
                rivals = self._margins(logits, nearest.target[rows])
                if bool(going.any()):
                    move = self._step(rivals, x_adv)[going]
                    rows = rows[going]
                    nearest.gradients[rows] += rivals.shape[1]
                    moved = nearest.x[rows] + delta[rows] + move
                    delta[rows] = moved.clamp(-1.0, 1.0) - nearest.x[rows]
                else:
                    rows = rows[going]
                step()
        if len(rows):
            nearest.try_out(rows, (1.0 + self.overshoot) * delta[rows])

    def _margins(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the margins to linearise, ``(rows, 1)`` or, untargeted, ``(rows, candidates)``."""
        if not self.untargeted:
            return margins(logits, target)[:, None]
        own = logits.gather(1, target[:, None])
        others = logits.scatter(1, target[:, None], -torch.inf)
        return others.topk(min(self.candidates, logits.shape[1] - 1), dim=1).values - own

    def _step(self, rivals: Tensor, x_adv: Tensor) -> Tensor:
        """Return the shortest of the ways to the linearised boundaries, ``(rows, 1, time)``."""
        count = rivals.shape[1]
        shortest = torch.full_like(rivals[:, 0].detach(), torch.inf)
        move = torch.zeros_like(x_adv)
        for column in range(count):
            margin = rivals[:, column]
            (slope,) = torch.autograd.grad(margin.sum(), x_adv, retain_graph=column + 1 < count)
            slope = slope.nan_to_num(0.0, 0.0, 0.0)
            steep = torch.linalg.vector_norm(slope, dim=(1, 2))
            norm = steep.clamp_min(torch.finfo(steep.dtype).tiny)
            length = (self.confidence - margin.detach()) / norm
            closer = (length < shortest) & (steep > 0.0)  # a flat margin leads nowhere
            shortest = torch.where(closer, length, shortest)
            way = (length / norm)[:, None, None] * slope
            move = torch.where(closer[:, None, None], way, move)
        return move
