"""The basic iterative method: the fast gradient method in small steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.gradient import KAPPA, check_runs, check_search
from mondegreen.attacks.plan import Loss, Plan, check_choice, check_loss, required
from mondegreen.attacks.search import Search
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.progress import task

_LEAST_STEP = 0.2


class BasicIterative(SearchingAttack):
    """Take small steps of one length (BIM, Kurakin et al. 2017, https://arxiv.org/abs/1607.02533).

    From zero, each step by the sign of the gradient under :class:`~mondegreen.budgets.Linf` and
    along the gradient under a Euclidean budget, cut back to the budget. That is projected gradient
    descent with none of its refinements: no random start, no shorter steps, no shaping.

    Args:
        steps: Gradients a clip, at most; a clip that succeeds needs no more.
        step: Length of each step as a share of the budget's bound; None takes the paper's
            ``1.25 / steps`` (it takes 1.25 times as many steps as it needs to reach the bound), but
            0.2 at least: of 20 steps, that did better on validation speakers, as
            :func:`~mondegreen.attacks.gradient.default_step` describes them.
        kappa: Margin between the target's logit and the best other one that ends the search.
        loss: What is descended; see :func:`~mondegreen.attacks.plan.shortfalls`.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``steps`` is below 1, or another setting is out of range.
    """

    needs_gradients = True

    def __init__(
        self,
        *,
        steps: int = 20,
        step: float | None = None,
        kappa: float = KAPPA,
        loss: Loss = "cross-entropy",
        untargeted: bool = False,
    ) -> None:
        check_runs(steps)
        check_search(steps, 1.0 if step is None else step, kappa)
        check_choice("loss", loss, Loss)
        self.steps, self.step, self.kappa, self.untargeted = steps, step, kappa, untargeted
        self.loss: Loss = loss

    @property
    def name(self) -> str:
        """``bim-20``, say."""
        return f"bim-{self.steps}"

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        names = ("steps", "step", "kappa", "loss", "untargeted")
        return {name: getattr(self, name) for name in names}

    def plan(self) -> Plan:
        """Return the steps."""
        step = self.step or min(1.0, max(_LEAST_STEP, 1.25 / self.steps))
        return Plan(self.steps, step, loss=self.loss)

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the perturbations found and what was spent on each clip.

        Raises:
            MondegreenError: There is no budget, or the classifier has too few labels for the loss.
        """
        budget = required(budget, self.name)
        check_loss(self.loss, classifier, untargeted=self.untargeted)
        plan = self.plan()
        with torch.inference_mode(False), torch.enable_grad(), task(self.name, plan.steps) as done:
            zero = torch.zeros_like(x)
            search = Search(
                classifier, x, target, budget, zero, self.kappa, untargeted=self.untargeted
            )
            search.descend(search.begin(), plan, done=done)
        return search.found()
