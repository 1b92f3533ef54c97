"""What a gradient search descends, from where, and in which steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError

Loss = Literal["cross-entropy", "margin", "dlr"]
"""What the search descends: against all other labels at once, against the best one only, or that
margin as a share of the spread of the largest logits. See :func:`shortfalls`."""

Rule = Literal["root", "constant", "halving"]
"""How the length of the steps changes. See :meth:`Plan.size`."""

_STAGES = 4  # of the rule "halving"


def shortfalls(logits: Tensor, target: Tensor, loss: Loss, *, untargeted: bool = False) -> Tensor:
    """Return what each clip lacks for success, as the search descends it, ``(batch,)``.

    With ``z`` the target's logit and ``o`` the others, ``log(sum(exp(o))) - z`` for
    ``cross-entropy``, which has the direction of its gradient and does not vanish where the target
    has won, and ``max(o) - z`` for ``margin``. ``dlr`` divides the margin by
    ``p1 - (p3 + p4) / 2``, where ``p1, p2, ...`` are the logits in descending order: the targeted
    difference of logits ratio of Croce & Hein (2020, eq. 7), with the best other label where they
    have the true one, because only beating all of them counts here. Untargeted all have the
    opposite sign, and ``dlr`` divides by ``p1 - p3`` (eq. 6).

    Shape:
        - logits: ``(batch, labels)``; ``dlr`` needs four labels, or three if untargeted
    """
    column = target[:, None]
    others = logits.scatter(1, column, -torch.inf)
    best = others.logsumexp(dim=1) if loss == "cross-entropy" else others.amax(dim=1)
    shortfall = best - logits.gather(1, column).squeeze(1)
    if untargeted:
        shortfall = -shortfall
    if loss == "dlr":
        top = logits.topk(3 if untargeted else 4, dim=1).values
        spread = top[:, 0] - top[:, 2:].mean(dim=1)
        shortfall = shortfall / spread.clamp_min(1e-12)
    return shortfall


def check_loss(loss: Loss, classifier: Classifier, *, untargeted: bool = False) -> None:
    """Refuse a loss that needs more labels than the classifier has.

    Raises:
        MondegreenError: ``dlr`` on fewer than four labels, or three if untargeted.
    """
    needed, count = (3 if untargeted else 4), len(classifier.labels)
    if loss == "dlr" and count < needed:
        raise MondegreenError(
            f"gradient search: loss dlr needs {needed} labels, and {classifier.name} has {count}; "
            "choose margin."
        )


def random_start(x: Tensor, budget: Budget, share: float, random: torch.Generator) -> Tensor:
    """Return noise as large as a share of the budget, the same draw for each clip.

    Uniform for each sample and then scaled: under a Euclidean norm of many samples, that is a
    direction at random.

    Args:
        x: The clips.
        budget: What bounds the noise.
        share: The norm of the noise, as a share of the bound.
        random: Draws, on the CPU.

    Shape:
        - x, output: ``(batch, 1, time)``
    """
    noise = (2.0 * torch.rand((1, *x.shape[1:]), generator=random) - 1.0).to(x)
    norm = budget.norm(noise).clamp_min(1e-12)
    return noise * (share * budget.bound(x) / norm).to(x.dtype)[:, None, None]


def required(budget: Budget | None, name: str) -> Budget:
    """Return the budget of a search that cannot do without.

    Raises:
        MondegreenError: There is none.
    """
    if budget is None:
        raise MondegreenError(
            f"{name} needs a budget, such as snr:20: without one, any clip can be replaced "
            "altogether."
        )
    return budget


def check_choice(option: str, value: object, choices: Any) -> None:
    """Refuse what is none of the words that a ``Literal`` allows.

    Raises:
        MondegreenError: It is none of them.
    """
    if value not in get_args(choices):
        words = ", ".join(get_args(choices))
        raise MondegreenError(f"gradient search: {option} is {value!r}; choose one of {words}.")


@dataclass(frozen=True)
class Plan:
    """The steps of a search.

    Raises:
        MondegreenError: ``rule`` or ``loss`` is none of those known.
    """

    steps: int
    """Gradients a clip, at most."""
    step: float
    """Length of the first step, as a share of the budget's bound."""
    rule: Rule = "constant"
    """How the length changes."""
    loss: Loss = "cross-entropy"
    """What is descended."""
    shaping: float = 0.0
    """Exponent of :func:`shape_gradient`; sign steps are never shaped."""
    decay: float = 0.0
    """Of the momentum: what remains of the gradients before (Dong et al. 2018, eq. 6)."""

    def __post_init__(self) -> None:
        """Refuse unknown words."""
        check_choice("rule", self.rule, Rule)
        check_choice("loss", self.loss, Loss)

    def size(self, number: int) -> float:
        """Return the length of step ``number``, counted from 0, as a share of the bound.

        Of ``n`` steps, step ``i`` has the first one's length times ``(1 - i / n) ** 0.5`` for
        ``root``, times 1 for ``constant``, and for ``halving`` half as much after each quarter.

        Example:
            >>> [Plan(steps=8, step=1.0, rule="halving").size(i) for i in range(8)]
            [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
        """
        if self.rule == "root":
            return self.step * math.sqrt(1.0 - number / self.steps)
        if self.rule == "halving":
            return self.step * 0.5 ** (number * _STAGES // self.steps)
        return self.step
