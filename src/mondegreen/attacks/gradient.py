"""Gradient search within a budget, from nothing or from a generator's proposal.

Projected gradient descent (Madry et al. 2018, https://arxiv.org/abs/1706.06083), one perturbation
a clip, with normalised steps that become smaller, and with a stop for each clip on its own as soon
as it is heard as the target after rounding to 16 bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.plan import (
    Loss,
    Plan,
    Rule,
    check_choice,
    check_loss,
    random_start,
    required,
)
from mondegreen.attacks.search import Search
from mondegreen.attacks.through_channel import ChannelSearch
from mondegreen.budgets import Budget, Linf
from mondegreen.channels import parse_channel
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

Start = Literal["zero", "random"]

KAPPA = 0.1
"""Default margin, in units of the logits, that ends the search of a clip."""
SHAPING = 0.5
"""Default exponent of :func:`~mondegreen.attacks.search.shape_gradient`."""
NOISE = 0.5
"""Random starts are noise of this share of the budget."""


@dataclass(frozen=True)
class Refined:
    """What :func:`refine` found.

    Shape:
        - ``delta``: ``(batch, 1, time)``
        - ``gradients``, ``success``: ``(batch,)``
    """

    delta: Tensor
    """The best perturbation seen for each clip; it keeps the budget, and [-1, 1] with the clip."""
    gradients: Tensor
    """How many gradients were spent on each clip, int64."""
    success: Tensor
    """Whether the clip is heard as the target after rounding to 16 bits."""


def default_step(budget: Budget, *, fresh: bool) -> float:
    """Return the length of the first step as a share of the budget's bound.

    Chosen on validation speakers of Speech Commands, never on test speakers, against the keyword
    spotter ``zoo:speech-commands``: 64 to 128 clips, targets at random, signal-to-noise ratios of
    25 to 40 dB, 1 to 20 steps. From zero, shares from 0.3 to 0.9 were within a few clips of each
    other for every number of steps, so one number serves all. A good start wants shorter steps.
    Sign steps were tried from zero only, at ``linf:0.001`` and ``linf:0.0003``. The loss, the
    shaping and the square-root schedule of :func:`refine` were chosen in the same way; momentum
    brought nothing that exceeded the scatter.

    Args:
        budget: The budget; sign steps (:class:`Linf`) want other lengths than Euclidean ones.
        fresh: Whether the search starts from zero or from noise, not from a good proposal.
    """
    if isinstance(budget, Linf):
        return 0.4
    return 0.6 if fresh else 0.15


def refine(
    classifier: Classifier,
    x: Tensor,
    target: Tensor,
    budget: Budget,
    delta: Tensor,
    *,
    steps: int,
    step: float,
    kappa: float = KAPPA,
    loss: Loss = "cross-entropy",
    shaping: float = SHAPING,
    rule: Rule = "root",
    untargeted: bool = False,
) -> Refined:
    """Improve perturbations by projected gradient steps, each clip until it succeeds.

    Each step moves by a share of the budget's bound, of which ``step`` is the first: along the
    normalised gradient, or for :class:`Linf` by its sign. The sum is projected onto the budget and
    cut so that the clip stays in [-1, 1]. A clip that is heard as the target by ``kappa`` after
    rounding to 16 bits within the budget changes no more and costs no more gradients; for the
    others the best perturbation seen is returned. A clip whose budget is zero (silence, under a
    signal-to-noise ratio) costs none. The weights of the classifier get no gradients.

    Args:
        classifier: The frozen classifier.
        x: Waveforms in [-1, 1].
        target: Indices of the wanted labels, ``(batch,)``.
        budget: How large the perturbation may be.
        delta: Where to start; projected first.
        steps: Gradients a clip, at most.
        step: Length of the first step, as a share of the budget's bound.
        kappa: Margin between the target's logit and the best other one that is enough.
        loss: What to descend.
        shaping: Exponent of :func:`~mondegreen.attacks.search.shape_gradient`; 0 leaves the
            gradient as it is. Sign steps are never shaped.
        rule: How the length of the steps changes; see :meth:`~mondegreen.attacks.plan.Plan.size`.
        untargeted: Whether ``target`` holds labels to get away from.

    Shape:
        - x, delta: ``(batch, 1, time)``

    Raises:
        MondegreenError: ``steps`` is negative, or ``step``, ``kappa`` or ``shaping`` is; or the
            classifier has too few labels for the loss.
    """
    check_search(steps, step, kappa, shaping)
    check_loss(loss, classifier, untargeted=untargeted)
    plan = Plan(steps, step, rule, loss, shaping)
    with torch.inference_mode(False), torch.enable_grad():
        search = Search(classifier, x, target, budget, delta, kappa, untargeted=untargeted)
        search.descend(search.begin(), plan)
        with torch.no_grad():  # where nothing can be done, it is still told what is heard
            search.judge(torch.nonzero(search.bound <= 0.0).flatten())
    return Refined(search.best, search.gradients, search.score > 0.0)


def check_search(steps: int, step: float, kappa: float = KAPPA, shaping: float = SHAPING) -> None:
    """Refuse settings that no search can be made with.

    Raises:
        MondegreenError: One is negative, NaN or infinite, or ``step`` is zero.
    """
    if steps < 0:
        raise MondegreenError(f"gradient search: steps is {steps}; choose 0 or more.")
    if not (math.isfinite(step) and step > 0.0):
        raise MondegreenError(f"gradient search: step is {step}; choose a positive share.")
    for name, value in (("kappa", kappa), ("shaping", shaping)):
        if not (math.isfinite(value) and value >= 0.0):
            raise MondegreenError(f"gradient search: {name} is {value}; choose 0 or more.")


def check_runs(steps: int, restarts: int = 1, draws: int = 1) -> None:
    """Refuse an attack without a step, without a run, or without a draw of its channel.

    Raises:
        MondegreenError: ``steps``, ``restarts`` or ``draws`` is below 1.
    """
    for name, value in (("steps", steps), ("restarts", restarts), ("draws", draws)):
        if value < 1:
            raise MondegreenError(f"gradient search: {name} is {value}; choose 1 or more.")


class ProjectedGradient(SearchingAttack):
    """Search each clip's perturbation by projected gradient descent (Madry et al. 2018).

    Args:
        steps: Gradients a clip and run, at most; a clip that succeeds needs no more.
        step: Length of the first step as a share of the budget's bound; None takes
            :func:`default_step`, and for steps of constant length Madry's ``2.5 / steps``.
        start: ``zero``, or ``random``: noise of half of the budget.
        restarts: Runs in all. The clips that failed begin again from noise of half of the budget.
        kappa: Margin between the target's logit and the best other one that ends the search.
        loss: What is descended; see :func:`~mondegreen.attacks.plan.shortfalls`.
        shaping: Exponent of :func:`~mondegreen.attacks.search.shape_gradient`; 0 is plain gradient
            descent.
        rule: How the length of the steps changes: ``root``, ``constant`` or ``halving``; see
            :meth:`~mondegreen.attacks.plan.Plan.size`.
        seed: Of the random starts; each clip starts from the same draw.
        untargeted: Get away from the labels in place of reaching them.
        channel: Search through a channel, see :func:`mondegreen.channels.parse_channel`; empty
            hears the clips as they are. See
            :class:`~mondegreen.attacks.through_channel.ChannelSearch`.
        draws: How often a clip passes the channel for each gradient, which is their mean.

    Raises:
        MondegreenError: ``steps``, ``restarts`` or ``draws`` is below 1, another setting is out of
            range, or the channel is not understood.
    """

    needs_gradients = True

    def __init__(
        self,
        *,
        steps: int = 20,
        step: float | None = None,
        start: Start = "zero",
        restarts: int = 1,
        kappa: float = KAPPA,
        loss: Loss = "cross-entropy",
        shaping: float = SHAPING,
        rule: Rule = "root",
        seed: int = 1024,
        untargeted: bool = False,
        channel: str = "",
        draws: int = 4,
    ) -> None:
        check_runs(steps, restarts, draws)
        check_search(steps, 1.0 if step is None else step, kappa, shaping)
        for option, value, known in (
            ("start", start, Start),
            ("loss", loss, Loss),
            ("rule", rule, Rule),
        ):
            check_choice(option, value, known)
        self.steps, self.step, self.restarts, self.kappa = steps, step, restarts, kappa
        self.start: Start = start
        self.loss: Loss = loss
        self.rule: Rule = rule
        self.shaping, self.seed, self.untargeted = shaping, seed, untargeted
        self.channel, self.draws = channel, draws
        self._between = parse_channel(channel) if channel else None

    @property
    def name(self) -> str:
        """``pgd-20``, say; ``pgd-20x5`` with restarts; through a channel with its text."""
        name = f"pgd-{self.steps}" + (f"x{self.restarts}" if self.restarts > 1 else "")
        return f"{name} through {self.channel}" if self.channel else name

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search; those of the channel only where there is one."""
        names = ["steps", "step", "start", "restarts", "kappa", "loss", "shaping", "rule", "seed"]
        names += ["untargeted", *(("channel", "draws") if self.channel else ())]
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
        plan = Plan(self.steps, self._step(budget), self.rule, self.loss, self.shaping)
        random = torch.Generator().manual_seed(self.seed)
        total = self.steps * self.restarts
        with torch.inference_mode(False), torch.enable_grad(), task(self.name, total) as done:
            search = self._begin(classifier, x, target, budget)
            rows = search.begin()
            for number in range(self.restarts):
                noisy = number > 0 or self.start == "random"
                if noisy:
                    rows = search.again(rows, random_start(x, budget, NOISE, random))
                search.descend(rows, plan, judged=not noisy, done=done)
        return search.found()

    def _begin(self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget) -> Search:
        zero, goal = torch.zeros_like(x), self.untargeted
        if self._between is None:
            return Search(classifier, x, target, budget, zero, self.kappa, untargeted=goal)
        return ChannelSearch(
            classifier,
            x,
            target,
            budget,
            zero,
            self.kappa,
            channel=self._between,
            draws=self.draws,
            seed=self.seed,
            untargeted=goal,
        )

    def _step(self, budget: Budget) -> float:
        if self.step is not None:
            return self.step
        if self.rule == "constant":
            return min(1.0, 2.5 / self.steps)
        return default_step(budget, fresh=True)
