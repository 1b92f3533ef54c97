"""The smallest perturbation by Adam and a search for the weight of success.

The Euclidean attack of Carlini & Wagner 2017 (https://arxiv.org/abs/1608.04644): minimise the
energy of the perturbation plus a constant times what the clip lacks for success, for several
constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.deepfool import CONFIDENCE, Nearest, check_confidence
from mondegreen.attacks.search import margins
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.progress import task

_BETAS = (0.9, 0.999)  # of Adam, and its epsilon, as its paper has them
_EPSILON = 1e-8
_FAINTEST = 1e-3  # RMS; silence has no level to measure a perturbation by
_CHECKS = 10  # times that each descent is asked for progress, and the least that it has to show
_PROGRESS = 1e-4


class CarliniWagner(SearchingAttack):
    """Minimise ``sum(δ²) / sum(x²) + constant * max(confidence - margin, 0)`` for each clip.

    The margin is by how much the target's logit exceeds the best other one; untargeted, by how much
    the best other one exceeds that of the label to get away from. Adam descends from zero, and the
    constant is searched for: ten times as large until a clip succeeds (Adam then also takes steps
    twice as long), from there on by bisection. The smallest perturbation that succeeded is kept,
    whichever constant it comes from, and shrunk along its ray as far as it goes on to succeed.

    What differs from the paper is due to the sound. Waveforms are faint and of all levels, so the
    variable is the perturbation as a share of the clip's level, and the energy that of the
    perturbation relative to the clip's. It is cut to keep the clip in [-1, 1] in place of a change
    of variable, which would pin the samples of loud clips where they are. Clips are heard after
    rounding to 16 bits, and the gradient is taken there: of perturbations 60 dB below a clip,
    rounding is a good part.

    The search is for the smallest perturbation in the Euclidean norm, whatever the budget. With
    ``minimal`` a budget changes nothing of it, so that one run tells the success at every
    signal-to-noise ratio; without, a clip ends as soon as a success keeps the budget. What exceeds
    the budget (a maximum norm too) is scaled down by the protocol and then usually fails.

    ``initial_const`` and ``learning_rate`` were chosen on validation speakers of Speech Commands,
    never on test speakers, against ``zoo:speech-commands``: 16 to 24 clips, targets at random, from
    1e-6 to 1e-4 and from 3e-4 to 3e-3.

    Args:
        steps: Gradients for each constant, at most.
        binary_search_steps: How many constants are tried.
        initial_const: The first constant, in shares of the clip's energy for a unit of the logits.
        learning_rate: Adam's, in shares of the clip's level (RMS).
        confidence: Margin that is a success, in units of the logits.
        abort_early: Whether a clip goes on to the next constant when a tenth of the steps brought
            nothing.
        minimal: Whether the smallest perturbation is wanted even where a budget is kept already.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``steps`` or ``binary_search_steps`` is below 1, or another number is not
            positive.
    """

    needs_gradients = True

    def __init__(
        self,
        *,
        steps: int = 100,
        binary_search_steps: int = 5,
        initial_const: float = 3e-6,
        learning_rate: float = 3e-4,
        confidence: float = CONFIDENCE,
        abort_early: bool = True,
        minimal: bool = True,
        untargeted: bool = False,
    ) -> None:
        for option, count in (("steps", steps), ("binary_search_steps", binary_search_steps)):
            if count < 1:
                raise MondegreenError(f"carlini-wagner: {option} is {count}; choose 1 or more.")
        numbers = {"initial_const": initial_const, "learning_rate": learning_rate}
        for option, value in numbers.items():
            if not (math.isfinite(value) and value > 0.0):
                raise MondegreenError(
                    f"carlini-wagner: {option} is {value}; choose a positive number."
                )
        check_confidence("carlini-wagner", confidence)
        self.steps, self.binary_search_steps = steps, binary_search_steps
        self.initial_const, self.learning_rate = initial_const, learning_rate
        self.confidence, self.abort_early = confidence, abort_early
        self.minimal, self.untargeted = minimal, untargeted

    @property
    def name(self) -> str:
        """``carlini-wagner-100x5``, say."""
        return f"carlini-wagner-{self.steps}x{self.binary_search_steps}"

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("steps", "binary_search_steps", "initial_const", "learning_rate", "confidence")
        flags = ("abort_early", "minimal", "untargeted")
        return {name: getattr(self, name) for name in (*names, *flags)}

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
            self._search_constants(nearest, nearest.begin())
            nearest.shrink()
        return nearest.found()

    def _search_constants(self, nearest: Nearest, rows: Tensor) -> None:
        """Descend for one constant after the other."""
        level = nearest.x.square().mean(dim=(1, 2)).sqrt().clamp_min(_FAINTEST)
        constant = torch.full_like(level, self.initial_const)
        rate = torch.full_like(level, self.learning_rate)
        low, high = torch.zeros_like(level), torch.full_like(level, torch.inf)
        with task("Carlini & Wagner", self.binary_search_steps * self.steps) as step:
            for _ in range(self.binary_search_steps):
                if not len(rows):
                    return
                descent = _Descent(nearest, rows, level[rows], constant[rows], rate[rows])
                for number in range(self.steps):
                    descent.step(number)
                    if self.abort_early and (number + 1) % math.ceil(self.steps / _CHECKS) == 0:
                        descent.drop_stalled()
                    step()
                enough = descent.succeeded
                high[rows] = torch.where(enough, constant[rows], high[rows])
                low[rows] = torch.where(enough, low[rows], constant[rows])
                missing = high.isinf()
                constant = torch.where(missing, 10.0 * constant, (low + high) / 2.0)
                rate = torch.where(missing, 2.0 * rate, rate)
                rows = nearest.going()


class _Descent:
    """Adam's descent from zero for some clips, each with its own constant.

    Args:
        nearest: Judges what is tried, and keeps the best.
        rows: Which of its clips.
        level: Their unit of the perturbation.
        constant: Their constants.
        rate: Their learning rates.

    Shape:
        - rows, level, constant, rate: ``(rows,)``
    """

    def __init__(
        self, nearest: Nearest, rows: Tensor, level: Tensor, constant: Tensor, rate: Tensor
    ) -> None:
        self.nearest = nearest
        self.succeeded = torch.zeros_like(rows, dtype=torch.bool)
        """Whether the constant was enough."""
        x = nearest.x[rows]
        self._clips = _Clips(
            place=torch.arange(len(rows), device=rows.device),
            rows=rows,
            level=level[:, None, None],
            constant=constant,
            rate=rate[:, None, None],
            share=torch.zeros_like(x),
            mean=torch.zeros_like(x),
            square=torch.zeros_like(x),
            lowest=torch.full_like(level, torch.inf),
            checked=torch.full_like(level, torch.inf),
        )

    def step(self, number: int) -> None:
        """Hear and judge what is tried, and move all but the finished by Adam's step ``number``."""
        clips, nearest = self._clips, self.nearest
        if not len(clips.rows):
            return
        x_adv = nearest.rounded(clips.rows, clips.level * clips.share).requires_grad_()
        logits = nearest.classifier(x_adv)
        success = nearest.judge(clips.rows, x_adv.detach(), logits.detach())
        self.succeeded[clips.place] |= success
        going = ~nearest.finished[clips.rows]
        if bool(going.any()):
            margin = margins(logits, nearest.target[clips.rows], untargeted=nearest.untargeted)
            lack = (nearest.confidence - margin).clamp_min(0.0)
            (slope,) = torch.autograd.grad(lack.sum(), x_adv)
            with torch.no_grad():
                self._move(slope.nan_to_num(0.0, 0.0, 0.0), lack.detach(), number)
            nearest.gradients[clips.rows[going]] += 1
        self._clips = clips.take(going)

    def _move(self, slope: Tensor, lack: Tensor, number: int) -> None:
        """Note the loss and take Adam's step; ``slope`` is that of ``lack`` by the samples."""
        clips = self._clips
        loss = clips.constant * lack + clips.share.square().mean(dim=(1, 2))
        clips.lowest = torch.minimum(clips.lowest, loss)
        # The loss times the number of samples: its gradient does not depend on the clip's length.
        weight = clips.constant[:, None, None] * clips.level * slope.shape[2]
        gradient = weight * slope + 2.0 * clips.share
        clips.mean.lerp_(gradient, 1.0 - _BETAS[0])
        clips.square.lerp_(gradient.square(), 1.0 - _BETAS[1])
        mean = clips.mean / (1.0 - _BETAS[0] ** (number + 1))
        square = clips.square / (1.0 - _BETAS[1] ** (number + 1))
        moved = clips.share - clips.rate * mean / (square.sqrt() + _EPSILON)
        x = self.nearest.x[clips.rows]
        clips.share = ((x + clips.level * moved).clamp(-1.0, 1.0) - x) / clips.level

    def drop_stalled(self) -> None:
        """Give up the clips whose loss has not become lower since this was called last."""
        clips = self._clips
        going = clips.lowest < (1.0 - _PROGRESS) * clips.checked
        clips.checked = clips.lowest
        self._clips = clips.take(going)


@dataclass
class _Clips:
    """The clips of a descent that go on; a row each."""

    place: Tensor
    """Where they stand among the clips that the descent began with."""
    rows: Tensor
    """And in the batch."""
    level: Tensor
    constant: Tensor
    rate: Tensor
    share: Tensor
    """Their perturbations, divided by the level."""
    mean: Tensor
    """Adam's averages of the gradient and of its square."""
    square: Tensor
    lowest: Tensor
    """The lowest loss so far, and the same when it was looked at last."""
    checked: Tensor

    def take(self, going: Tensor) -> _Clips:
        """Return some of them."""
        if bool(going.all()):
            return self
        return _Clips(**{name: value[going] for name, value in vars(self).items()})
