"""The fast gradient method: one step as long as the budget allows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mondegreen.attacks.attack import Found, SearchingAttack
from mondegreen.attacks.gradient import KAPPA, check_search
from mondegreen.attacks.plan import Loss, Plan, check_choice, check_loss, required
from mondegreen.attacks.search import Search
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier


class FastGradient(SearchingAttack):
    """Take one step of the whole budget (Goodfellow et al. 2015, https://arxiv.org/abs/1412.6572).

    Under :class:`~mondegreen.budgets.Linf` by the sign of the gradient, ``-eps * sign(g)`` (FGSM);
    under a Euclidean budget along the gradient, ``-eps * g / |g|`` (the fast gradient method). A
    clip that succeeds as it is gets no perturbation and costs no gradient, and so does one that the
    step makes worse.

    Args:
        kappa: Margin between the target's logit and the best other one that is enough as it is.
        loss: What is descended; see :func:`~mondegreen.attacks.plan.shortfalls`.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``kappa`` is negative, or the loss is unknown.
    """

    needs_gradients = True

    def __init__(
        self, *, kappa: float = KAPPA, loss: Loss = "cross-entropy", untargeted: bool = False
    ) -> None:
        check_search(1, 1.0, kappa)
        check_choice("loss", loss, Loss)
        self.kappa, self.untargeted = kappa, untargeted
        self.loss: Loss = loss

    @property
    def name(self) -> str:
        """``fgsm``."""
        return "fgsm"

    def parameters(self) -> dict[str, Any]:
        """Return the settings."""
        return {"kappa": self.kappa, "loss": self.loss, "untargeted": self.untargeted}

    def search(
        self, classifier: Classifier, x: Tensor, target: Tensor, budget: Budget | None
    ) -> Found:
        """Return the step of each clip and what it cost.

        Raises:
            MondegreenError: There is no budget, or the classifier has too few labels for the loss.
        """
        budget = required(budget, self.name)
        check_loss(self.loss, classifier, untargeted=self.untargeted)
        with torch.inference_mode(False), torch.enable_grad():
            zero = torch.zeros_like(x)
            search = Search(
                classifier, x, target, budget, zero, self.kappa, untargeted=self.untargeted
            )
            search.descend(search.begin(), Plan(1, 1.0, loss=self.loss))
        return search.found()
