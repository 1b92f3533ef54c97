"""The momentum iterative method: steps along the sum of the gradients so far."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from mondegreen.attacks.basic_iterative import BasicIterative
from mondegreen.attacks.gradient import KAPPA
from mondegreen.attacks.plan import Loss, Plan
from mondegreen.errors import MondegreenError

_LEAST_STEP = 0.4


class MomentumIterative(BasicIterative):
    """Take steps along the gathered gradients (MI-FGSM, Dong et al. 2018).

    https://arxiv.org/abs/1710.06081, algorithm 1: ``m = decay * m + g / sum(|g|)``, and the step is
    that of :class:`~mondegreen.attacks.basic_iterative.BasicIterative` with ``m`` for the gradient.

    Args:
        steps: Gradients a clip, at most; a clip that succeeds needs no more.
        step: Length of each step as a share of the budget's bound; None takes the paper's
            ``1 / steps``, but 0.4 at least: of 20 steps, that did better on validation speakers, as
            :func:`~mondegreen.attacks.gradient.default_step` describes them. The paper's short
            steps were chosen for perturbations that fool other classifiers too.
        decay: What remains of the gradients before; the paper's 1 forgets nothing, 0 is BIM.
        kappa: Margin between the target's logit and the best other one that ends the search.
        loss: What is descended; see :func:`~mondegreen.attacks.plan.shortfalls`.
        untargeted: Get away from the labels in place of reaching them.

    Raises:
        MondegreenError: ``steps`` is below 1, or another setting is out of range.
    """

    def __init__(
        self,
        *,
        steps: int = 20,
        step: float | None = None,
        decay: float = 1.0,
        kappa: float = KAPPA,
        loss: Loss = "cross-entropy",
        untargeted: bool = False,
    ) -> None:
        super().__init__(steps=steps, step=step, kappa=kappa, loss=loss, untargeted=untargeted)
        if not (math.isfinite(decay) and decay >= 0.0):
            raise MondegreenError(f"gradient search: decay is {decay}; choose 0 or more.")
        self.decay = decay

    @property
    def name(self) -> str:
        """``mi-fgsm-20``, say."""
        return f"mi-fgsm-{self.steps}"

    def parameters(self) -> dict[str, Any]:
        """Return the settings of the search."""
        return {**super().parameters(), "decay": self.decay}

    def plan(self) -> Plan:
        """Return the steps."""
        step = self.step or max(_LEAST_STEP, 1.0 / self.steps)
        return replace(super().plan(), step=step, decay=self.decay)
