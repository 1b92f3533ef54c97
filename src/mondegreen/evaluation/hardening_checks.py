"""Is a robust accuracy to be believed? Signs of masked gradients.

A defence may only hide the way from an attack that follows gradients. Then attacks that follow none
do better, more steps do no better, and no budget is large enough (Athalye et al. 2018, section 3.1,
https://arxiv.org/abs/1802.00420).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mondegreen.classifiers.classifier import Classifier
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.pairs import Pairs
from mondegreen.hardening.ascent import ascend, noise_within
from mondegreen.hardening.method import per_clip_loss
from mondegreen.hardening.norms import under_attack

UNBOUNDED_DB = 0.0
"""A perturbation as loud as the clip itself: within it, an attack that works always succeeds."""

_START, _STEP, _ALWAYS, _STAYS = 0.3, 0.3, 0.95, 0.95


@dataclass(frozen=True)
class Rates:
    """Success of untargeted attacks on the same clips at the same ratio, 0 to 1."""

    fewer_steps: float
    """Of a shorter gradient search."""
    restarts: float
    """Of the whole search with its restarts."""
    other_ways: float
    """Of the best search of another kind: another loss, or gradients shaped to the clip."""
    gradient_on_few: float
    """Of the gradient search on the clips that the black-box attack was given."""
    black_box: float
    """Of an attack that asks for probabilities only."""
    unbounded: float
    """Of the gradient search at :data:`UNBOUNDED_DB`."""


def checks(rates: Rates, losses: Sequence[float]) -> list[dict[str, Any]]:
    """Return what was checked, each with the numbers that decide it.

    Args:
        rates: Success of the attacks.
        losses: Mean loss before each step of a gradient search.

    Example:
        >>> found = checks(Rates(0.3, 0.4, 0.5, 0.4, 0.2, 1.0), [0.5, 1.0, 1.2])
        >>> [one["holds"] for one in found]
        [True, False, True, True, True]
    """
    gained = max(losses) - losses[0]
    # Steps of a fixed length ripple about the top; masked gradients lose their way.
    kept = (losses[-1] - losses[0]) / gained if gained > 0.0 else 0.0
    return [
        _check("more steps and restarts find no less", rates.restarts, rates.fewer_steps),
        _check("other losses and shaped gradients find no more", rates.restarts, rates.other_ways),
        _check("gradients find no less than a black box", rates.gradient_on_few, rates.black_box),
        _check("a perturbation as loud as the clip always succeeds", rates.unbounded, _ALWAYS),
        _check("the loss rises along the steps and stays up", kept, _STAYS),
    ]


def _check(name: str, value: float, least: float) -> dict[str, Any]:
    return {"name": name, "value": value, "at_least": least, "holds": value >= least}


def loss_along_steps(
    classifier: Classifier, data: ClipDataset, pairs: Pairs, snr_db: float, steps: int, seed: int
) -> list[float]:
    """Return the mean cross-entropy of the true labels before each step of a gradient search.

    Args:
        classifier: The frozen classifier.
        data: The clips.
        pairs: Which of them.
        snr_db: Signal-to-noise ratio in dB.
        steps: Gradient steps.
        seed: Of the random start.
    """
    x = data.waveforms(torch.from_numpy(pairs.clip), classifier.normalization)
    x, label = x.to(classifier.device), torch.from_numpy(pairs.source).to(classifier.device)
    budget = x.new_full((len(x),), snr_db)
    start = noise_within(x, budget, _START, torch.Generator().manual_seed(seed))
    away, found = per_clip_loss(label), []

    def objective(logits: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = away(logits)
        found.append(float(loss.detach().mean()))
        return loss

    with under_attack(classifier), torch.enable_grad():
        ascend(classifier, objective, x, start, budget, steps=steps, step=_STEP)
    return found
