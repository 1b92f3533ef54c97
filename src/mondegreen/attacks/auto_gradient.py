"""Projected gradient descent that chooses its steps itself (Croce & Hein 2020)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.gradient import KAPPA, Start, check_runs, check_search
from mondegreen.attacks.plan import Loss, check_choice, check_loss, random_start, required
from mondegreen.attacks.search import Search
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.progress import task

_PULL = 0.75  # alpha: how much of a step is new; the rest repeats the one before
_RISING = 0.75  # rho: the share of steps that have to get closer for the length to remain
_FIRST = 2.0  # length of the first steps, in bounds


def checkpoints(steps: int) -> list[int]:
    """Return after how many steps their length is reconsidered (Croce & Hein 2020, section 3.3).

    ``ceil(p * steps)`` for ``p = 0.22, 0.41, 0.57, ...``: each interval is shorter by 0.03 than the
    one before, down to 0.06.

    Example:
        >>> checkpoints(100)
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    before, now, found = 0, 22, []  # in hundredths, which floats would round up
    while now < 100:
        found.append(-(-now * steps // 100))
        before, now = now, now + max(now - before - 3, 6)
    return sorted({number for number in found if number < steps})


class _Pace:
    """How far each clip has come, and the length of its steps.

    Args:
        search: The search that it follows.
    """

    def __init__(self, search: Search) -> None:
        self.search = search
        self.size = torch.full_like(search.bound, _FIRST)
        self.previous = search.delta.clone()
        self.last = torch.full_like(search.bound, -torch.inf)  # the start is no gain
        self.gains = torch.zeros_like(search.target)
        self.lowest = torch.full_like(search.bound, torch.inf)
        self.best = search.delta.clone()
        self.best_gradient = torch.zeros_like(search.delta)
        self.lowest_before = torch.full_like(search.bound, torch.inf)
        self.halved_before = torch.zeros_like(search.bound, dtype=torch.bool)

    def note(self, rows: Tensor, gradient: Tensor) -> None:
        """Take note of the loss and the gradient of what is tried now."""
        loss = self.search.loss[rows]
        self.gains[rows] += loss < self.last[rows]
        self.last[rows] = loss
        better = loss < self.lowest[rows]
        self.lowest[rows[better]] = loss[better]
        self.best[rows[better]] = self.search.delta[rows[better]]
        self.best_gradient[rows[better]] = gradient[better]

    def check(self, rows: Tensor, interval: int, gradient: Tensor) -> Tensor:
        """Halve the steps of the clips that do not get on, and put them back to their best.

        That is where too few of the last steps got closer (condition 1), or where the best is as
        old as the length of the steps (condition 2).

        Returns:
            The gradients of what is tried from here.
        """
        aimless = self.gains[rows] < _RISING * interval
        idle = ~self.halved_before[rows] & (self.lowest[rows] >= self.lowest_before[rows])
        halve = aimless | idle
        back = rows[halve]
        self.size[back] *= 0.5
        self.search.delta[back] = self.best[back]
        self.last[back] = self.lowest[back]
        gradient = torch.where(halve[:, None, None], self.best_gradient[rows], gradient)
        self.halved_before[rows] = halve
        self.lowest_before[rows] = self.lowest[rows]
        self.gains[rows] = 0
        return gradient

    def step(self, rows: Tensor, gradient: Tensor, shaping: float, *, first: bool) -> None:
        """Take one step, which goes on a little as the one before went (algorithm 1, lines 7-8)."""
        search = self.search
        delta = search.delta[rows]
        reach = (self.size[rows] * search.bound[rows])[:, None, None]
        ahead = search.inside(rows, delta - reach * search.direction(rows, gradient, shaping))
        if not first:
            drift = delta - self.previous[rows]
            ahead = search.inside(rows, delta + _PULL * (ahead - delta) + (1.0 - _PULL) * drift)
        self.previous[rows] = delta
        search.delta[rows] = ahead


class AutoProjectedGradient(SearchingAttack):
    """Search by APGD (Croce & Hein 2020, https://arxiv.org/abs/2003.01690, algorithm 1).

    The first steps are twice as long as the bound. At checkpoints, the steps of a clip that does
    not get on are halved, and it goes on from the best perturbation so far. Each step goes on by a
    quarter as the one before went. There is no length of steps to choose.

    Args:
        steps: Gradients a clip and run, at most; a clip that succeeds needs no more.
        start: ``random``: noise as large as the budget; or ``zero``.
        restarts: Runs in all; the clips that failed begin again from other noise.
        kappa: Margin between the target's logit and the best other one that ends the search.
        loss: What is descended; see :func:`~mondegreen.attacks.plan.shortfalls`.
        shaping: Exponent of :func:`~mondegreen.attacks.search.shape_gradient`; 0 is the paper's.
        seed: Of the random starts; each clip starts from the same draw.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``steps`` or ``restarts`` is below 1, or another setting is out of range.
    """

    needs_gradients = True

    def __init__(
        self,
        *,
        steps: int = 100,
        start: Start = "random",
        restarts: int = 1,
        kappa: float = KAPPA,
        loss: Loss = "margin",
        shaping: float = 0.0,
        seed: int = 1024,
        untargeted: bool = False,
    ) -> None:
        check_runs(steps, restarts)
        check_search(steps, 1.0, kappa, shaping)
        check_choice("start", start, Start)
        check_choice("loss", loss, Loss)
        self.steps, self.restarts, self.kappa, self.shaping = steps, restarts, kappa, shaping
        self.start: Start = start
        self.loss: Loss = loss
        self.seed, self.untargeted = seed, untargeted

    @property
    def name(self) -> str:
        """``apgd-100``, say; ``apgd-100x5`` with restarts."""
        return f"apgd-{self.steps}" + (f"x{self.restarts}" if self.restarts > 1 else "")

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("steps", "start", "restarts", "kappa", "loss", "shaping", "seed", "untargeted")
        return {name: getattr(self, name) for name in names}

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the perturbations found and what was spent on each clip.

        Raises:
            MondegreenError: There is no budget, or the classifier has too few labels for the loss.
        """
        budget = required(budget, self.name)
        check_loss(self.loss, classifier, untargeted=self.untargeted)
        random = torch.Generator().manual_seed(self.seed)
        total = self.steps * self.restarts
        with torch.inference_mode(False), torch.enable_grad(), task(self.name, total) as done:
            zero = torch.zeros_like(x)
            search = Search(
                classifier, x, target, budget, zero, self.kappa, untargeted=self.untargeted
            )
            rows = search.begin()
            for number in range(self.restarts):
                noise = number > 0 or self.start == "random"
                start = random_start(x, budget, 1.0, random) if noise else zero
                rows = search.again(rows, start)
                self._run(search, rows, done)
        return search.found()

    def _run(self, search: Search, rows: Tensor, done: Callable[[], None]) -> None:
        pace, before, marks = _Pace(search), 0, checkpoints(self.steps)
        for number in range(self.steps):
            rows, gradient = search.look(rows, self.loss, first=False)
            if not len(rows):
                return
            pace.note(rows, gradient)
            if number in marks:
                gradient = pace.check(rows, number - before, gradient)
                before = number
            pace.step(rows, gradient, self.shaping, first=number == 0)
            done()
        with torch.no_grad():
            search.judge(rows)
