"""Attacking a recording of any length, rate and number of channels in one pass, block by block."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.joining import OVERLAP, WindowedPerturbation
from mondegreen.attacks.local_budget import LocalBudget
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.resampling import BlockResampler, Resampler

STRETCH_CLIPS = 4
"""The budget holds for consecutive stretches of so many clips' length."""
RAMP_SECONDS = 0.02
"""How long the gain of a perturbation takes to change between two stretches."""


class BlockAttack(Protocol):
    """Takes a recording in pieces and gives it back perturbed, in other pieces."""

    @property
    def milliseconds(self) -> float:
        """Time spent so far."""
        ...

    @property
    def delay(self) -> int:
        """Samples of silence that come out before the first sample of the recording."""
        ...

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples ``(channels, time)`` and return the earliest that are done."""
        ...

    def flush(self) -> Tensor:
        """Return the rest, once the recording has ended."""
        ...


def stretch_samples(classifier: Classifier, sample_rate: int) -> int:
    """Return how many samples of a recording keep the budget together."""
    samples = STRETCH_CLIPS * classifier.clip_samples
    return max(1, -(-samples * sample_rate // classifier.sample_rate))


class ChunkedAttack:
    """Perturbs by overlapping windows and keeps the budget in every stretch of four clips' length.

    The perturbation is made from the mean of the channels at the classifier's rate, brought to the
    recording's rate and added to every channel.

    The attack makes each window's perturbation for the budget, which keeps noise out of pauses. The
    joined perturbation has to keep it again. In stretches of one clip, cut elsewhere than the
    windows, that would cost successes: what lies in a pause beside a word belongs to its window.

    Args:
        attack: The attack.
        classifier: The frozen classifier.
        target: Label to reach.
        budget: What every stretch keeps, over all channels; None sets no limit.
        sample_rate: Of the recording, in Hz.
        channels: Of the recording.
        overlap: Share of a window that it has in common with the next one, 0 to 0.5.

    Raises:
        MondegreenError: The target is no label.
    """

    def __init__(
        self,
        attack: Attack,
        classifier: Classifier,
        target: str,
        budget: Budget | None,
        sample_rate: int,
        channels: int,
        *,
        overlap: float = OVERLAP,
    ) -> None:
        index, rate = classifier.label_index(target), classifier.sample_rate
        self._down = BlockResampler(Resampler(sample_rate, rate))
        self._up = BlockResampler(Resampler(rate, sample_rate))
        self._windows = WindowedPerturbation(attack, classifier, index, budget, overlap)
        ramp = max(1, round(RAMP_SECONDS * sample_rate))
        stretch = stretch_samples(classifier, sample_rate)
        self._budget = LocalBudget(budget, stretch, ramp, classifier.normalization)
        self._x = torch.zeros(channels, 0)  # samples whose perturbation is not known yet
        self._delta = torch.zeros(1, 0)  # perturbation of samples beyond the end of the recording

    @property
    def milliseconds(self) -> float:
        """Time spent in the attack so far, without resampling and rounding."""
        return self._windows.milliseconds

    @property
    def hop(self) -> int:
        """Samples, at the classifier's rate, from the start of a window to that of the next one."""
        return self._windows.hop

    @property
    def delay(self) -> int:
        """Zero: what comes out begins with the recording."""
        return 0

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples and return the earliest that are done.

        Shape:
            - Input, Output: ``(channels, time)``
        """
        self._x = torch.cat([self._x, x], dim=1)
        low = self._down.push(x.mean(dim=0, keepdim=True)).clamp(-1.0, 1.0)
        return self._add(self._up.push(self._windows.push(low[0])[None]))

    def flush(self) -> Tensor:
        """Return the rest, once the recording has ended.

        Shape:
            - Output: ``(channels, time)``
        """
        low = self._down.flush().clamp(-1.0, 1.0)[0]
        delta = torch.cat([self._windows.push(low), self._windows.flush()])
        parts = [self._add(self._up.push(delta[None])), self._add(self._up.flush())]
        return torch.cat([*parts, self._budget.flush(self._x[:, :0])], dim=1)

    def _add(self, delta: Tensor) -> Tensor:
        """Add perturbation to the samples that wait for it."""
        self._delta = torch.cat([self._delta, delta], dim=1)
        count = min(self._x.shape[1], self._delta.shape[1])
        x, delta = self._x[:, :count], self._delta[:, :count]
        self._x, self._delta = self._x[:, count:].clone(), self._delta[:, count:].clone()
        return self._budget.push(x, delta)
