"""A few cheap attacks on a few clips, and whether they agree with what an entry states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mondegreen.attacks.attack import Attack
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier, predict
from mondegreen.data.dataset import ClipDataset
from mondegreen.evaluation.evaluate import all_pairs
from mondegreen.evaluation.pairs import draw_pairs
from mondegreen.metrics.success import wilson_interval
from mondegreen.progress import task
from mondegreen.report.fields import Interval

AT_ONCE = 16


@dataclass(frozen=True)
class Trial:
    """An attack to be tried on a few pairs."""

    label: str
    attack: Attack
    budget: Budget | None
    attacked: Classifier
    """What the attacker searches through."""


@dataclass(frozen=True)
class Outcome:
    """How many of how many succeeded."""

    successes: int
    pairs: int

    @property
    def rate(self) -> float:
        """The share."""
        return self.successes / self.pairs

    @property
    def interval(self) -> Interval:
        """The 95 % interval of as many independent pairs."""
        return wilson_interval(self.successes, self.pairs)

    def __str__(self) -> str:
        """Return the share with its interval, in percent."""
        low, high = self.interval
        return f"{100 * self.rate:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"


def right_clips(deployed: Classifier, data: ClipDataset) -> Outcome:
    """Count the untouched clips that are heard rightly."""
    heard = np.concatenate(
        [
            predict(deployed, x).argmax(1).cpu().numpy()
            for x, _ in data.batches(AT_ONCE, normalization=deployed.normalization)
        ]
    )
    return Outcome(int((heard == data.labels.numpy()).sum()), len(data))


def try_out(
    trials: Sequence[Trial], deployed: Classifier, data: ClipDataset, pairs: int, seed: int
) -> list[Outcome]:
    """Attack a few pairs and count what the classifier hears as it is deployed.

    An adversarial clip counts as it leaves the attack: within its budget, rounded to 16 bits.

    Args:
        trials: The attacks; clips are made against what each of them searches through.
        deployed: Who hears the clips.
        data: The clips.
        pairs: How many are drawn, the same for all attacks with the same goal.
        seed: Of the draw.

    Raises:
        MondegreenError: There is no pair to attack.
    """
    found = []
    with task("cheap attacks", len(trials)) as step:
        for trial in trials:
            found.append(_one(trial, deployed, data, pairs, seed))
            step()
    return found


def _one(trial: Trial, deployed: Classifier, data: ClipDataset, pairs: int, seed: int) -> Outcome:
    untargeted = trial.attack.untargeted
    every = all_pairs(deployed, data, untargeted=untargeted)
    drawn = draw_pairs(every, pairs, np.random.default_rng(seed))
    hits = 0
    for first in range(0, len(drawn), AT_ONCE):
        rows = slice(first, first + AT_ONCE)
        clips = torch.from_numpy(drawn.clip[rows])
        x = data.waveforms(clips, deployed.normalization).to(deployed.device)
        target = torch.from_numpy(drawn.target[rows]).to(deployed.device)
        made = trial.attack(trial.attacked, x, target, budget=trial.budget)
        heard = predict(deployed, made.x_adv).argmax(1).to(target.device)
        hits += int(((heard == target) != untargeted).sum())
    return Outcome(hits, len(drawn))
