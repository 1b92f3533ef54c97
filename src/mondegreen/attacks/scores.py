"""Attacks that hear nothing of a classifier but its probabilities.

What such an attack needs is a function from waveforms to probabilities, be it a network in this
process, a service far away or a model of another library. It is asked about many candidates at
once: some of every clip that is not done yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mondegreen.attacks.search import margins
from mondegreen.attacks.step_budget import StepBudget
from mondegreen.audio import Normalization
from mondegreen.budgets import Budget
from mondegreen.errors import MondegreenError

ScoreFunction = Callable[[Tensor], Tensor | npt.NDArray[np.floating[Any]]]
"""Maps waveforms ``(batch, 1, time)``, float32, to probabilities ``(batch, labels)``."""

Fitness = Literal["probability", "margin"]
"""What a search climbs: the target's probability or, in logarithms, its lead over the others."""

CHUNK = 40
"""How many waveforms a score function is given at once; more on an accelerator."""
ACCELERATED_CHUNK = 256


class Scores:
    """Asks a score function about candidates, counts, and keeps the best candidate of each clip.

    A candidate is asked about as a 16-bit file would hold it, within the budget.

    Args:
        function: What is asked.
        x: Clips on the 16-bit grid.
        target: Their targets, ``(batch,)``.
        budget: What candidates keep; None leaves the eight least significant bits of each sample.
        normalization: How 16-bit PCM became floats.
        untargeted: Whether ``target`` holds labels to get away from.
        queries: Upper limit of the queries of each clip.

    Attributes:
        room: The budget, in steps of 16 bits.
        queries: How often the function heard each clip, int64, ``(batch,)``.
        x_adv: The best candidates so far, by :attr:`margin`; the clips themselves at first.
        probabilities: Of these, ``(batch, labels)``; zeros without a query.
        margin: By how much these succeed, in units of log-probabilities, ``(batch,)``.
        heard: Whether these succeed, bool, ``(batch,)``.
    """

    def __init__(
        self,
        function: ScoreFunction,
        x: Tensor,
        target: Tensor,
        budget: Budget | None,
        *,
        normalization: Normalization = "pcm",
        untargeted: bool = False,
        queries: int | None = None,
    ) -> None:
        self._function, self._limit = function, queries
        self.target, self.untargeted = target, untargeted
        self.room = StepBudget(x, budget, normalization)
        self.time = x.shape[2]
        self.x_adv = x.clone()
        self.probabilities = torch.zeros(len(x), 0, device=x.device)
        self.queries = torch.zeros_like(target)
        self.margin = torch.full((len(x),), -torch.inf, dtype=torch.float64, device=x.device)
        self.heard = torch.zeros_like(target, dtype=torch.bool)

    def __call__(self, rows: Tensor, steps: Tensor, *, fill: bool = False) -> Tensor:
        """Ask about as many candidates of each clip as the limit leaves; return probabilities.

        Args:
            rows: Which clips. All should have been asked about equally often.
            steps: Candidates less the clip, in steps of 16 bits, of any number type. What leaves
                the budget is brought back: see :meth:`StepBudget.clips`.
            fill: Whether to scale up to a Euclidean bound.

        Shape:
            - rows: ``(rows,)``
            - steps: ``(rows, candidates, time)``
            - Output: ``(rows, candidates or fewer, labels)``

        Raises:
            MondegreenError: The function returns no probabilities.
        """
        if self._limit is not None and len(rows):
            steps = steps[:, : max(0, self._limit - int(self.queries[rows].max()))]
        width = steps.shape[1]
        if not len(rows) or not width:
            return self.probabilities.new_zeros(len(rows), width, self.probabilities.shape[1])
        self.queries[rows] += width
        found = []
        # On a CPU the features of more clips than these do not stay in its caches.
        chunk = CHUNK if steps.device.type == "cpu" else ACCELERATED_CHUNK
        clips = max(1, chunk // width)
        for block, part in zip(torch.split(rows, clips), torch.split(steps, clips), strict=True):
            columns = [self._ask(block, some, fill) for some in torch.split(part, chunk, dim=1)]
            found.append(torch.cat(columns, dim=1))
        return torch.cat(found)

    def going(self, rows: Tensor) -> Tensor:
        """Tell which of the clips are not heard as wanted yet, and may be asked about again."""
        going = ~self.heard[rows]
        return going if self._limit is None else going & (self.queries[rows] < self._limit)

    def fitness(self, rows: Tensor, probabilities: Tensor, kind: Fitness) -> Tensor:
        """Return how fit candidates are.

        Args:
            rows: Which clips, ``(rows,)``.
            probabilities: What was answered about their candidates.
            kind: The target's ``probability`` or, untargeted, that of any other label; or the
                ``margin`` between the logarithms of the target's and of the best other one, which
                is above zero where a candidate succeeds.

        Shape:
            - probabilities: ``(rows, candidates, labels)``
            - Output: ``(rows, candidates)``
        """
        if kind == "margin":
            logits = probabilities.clamp_min(1e-300).log()
            target = self.target[rows].repeat_interleave(logits.shape[1])
            margin = margins(logits.flatten(0, 1), target, untargeted=self.untargeted)
            return margin.view(logits.shape[:2])
        column = self.target[rows, None, None].expand(-1, probabilities.shape[1], 1)
        fitness = probabilities.gather(2, column).squeeze(2)
        return 1.0 - fitness if self.untargeted else fitness

    def _ask(self, rows: Tensor, steps: Tensor, fill: bool) -> Tensor:
        """Ask about so few candidates that they are asked at once, and keep the best."""
        count, width = steps.shape[:2]
        waveforms = self.room.clips(rows, steps, fill=fill)
        with torch.no_grad():
            answer = torch.as_tensor(self._function(waveforms))
        probabilities = _checked(answer, waveforms, self.target).view(count, width, -1)
        heard = (probabilities.argmax(dim=2) == self.target[rows, None]) != self.untargeted
        margin = self.fitness(rows, probabilities, "margin")
        margin = torch.where(heard, margin.clamp_min(1e-6), margin)  # the first of equals is heard
        best, column = margin.max(dim=1)
        better = torch.nonzero(best > self.margin[rows]).flatten()
        won, column = rows[better], column[better]
        if not self.probabilities.shape[1]:
            self.probabilities = probabilities.new_zeros(len(self.target), probabilities.shape[2])
        self.x_adv[won] = waveforms.view(count, width, 1, -1)[better, column]
        self.probabilities[won] = probabilities[better, column]
        self.margin[won], self.heard[won] = best[better], heard[better, column]
        return probabilities


def _checked(answer: Tensor, waveforms: Tensor, target: Tensor) -> Tensor:
    """Return what a score function answered, as float64, if it can be probabilities."""
    if answer.ndim != 2 or len(answer) != len(waveforms) or answer.shape[1] < 2:
        raise MondegreenError(
            f"the score function returned the shape {tuple(answer.shape)} for {len(waveforms)} "
            "waveforms; return probabilities of two or more labels, (batch, labels)."
        )
    probabilities = answer.detach().to(waveforms.device, torch.float64)
    if not bool(((probabilities >= 0.0) & (probabilities <= 1.0 + 1e-3)).all()):
        raise MondegreenError(
            "the score function returned numbers that are no probabilities (negative, NaN or "
            "above 1); if it returns logits, apply a softmax."
        )
    if bool((target >= answer.shape[1]).any()):
        raise MondegreenError(
            f"the score function knows {answer.shape[1]} labels; target {int(target.max())} is "
            "none of them."
        )
    return probabilities
