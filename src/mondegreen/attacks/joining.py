"""Perturbing a stream of samples of any length by overlapping windows, without seams."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.audio import fit_length
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier

OVERLAP = 0.5
"""Share of a window that it has in common with the next one."""
WINDOWS_AT_ONCE = 16
"""The most windows that are perturbed in one call: memory does not grow with the recording."""


def fade_in(samples: int) -> Tensor:
    """Return a raised cosine from 0 to 1; with its mirror image it adds up to one.

    Shape:
        - Output: ``(samples,)``

    Example:
        >>> round(float((fade_in(5) + fade_in(5).flip(0)).sum()), 4)
        5.0
    """
    return torch.sin(math.pi / 2 * (torch.arange(samples) + 0.5) / max(samples, 1)).square()


class WindowedPerturbation:
    """Perturbs a stream window by window; neighbours overlap and are cross-faded.

    Windows have the classifier's clip length. Where two overlap, the perturbation is
    ``(1 - w) delta_1 + w delta_2`` with a raised cosine ``w``, so it has no jump and no kink. The
    last window is zero-padded at its end, as the classifier takes short clips.

    Args:
        attack: The attack.
        classifier: The frozen classifier.
        target: Index of the label to reach.
        budget: What the perturbation of each window is made for.
        overlap: Share of a window that it has in common with the next one, 0 to 0.5.
    """

    def __init__(
        self,
        attack: Attack,
        classifier: Classifier,
        target: int,
        budget: Budget | None,
        overlap: float = OVERLAP,
    ) -> None:
        if not 0.0 <= overlap <= 0.5:
            raise ValueError(f"overlap is {overlap}; choose 0 to 0.5")
        self.milliseconds = 0.0
        self._attack, self._classifier = attack, classifier
        self._target, self._budget = target, budget
        self._window = classifier.clip_samples
        self._overlap = int(overlap * self._window)
        self._fade = fade_in(self._overlap)
        self._held = torch.zeros(0)  # from the start of the next window on
        self._tail: Tensor | None = None  # the end of the last window, to be cross-faded

    @property
    def hop(self) -> int:
        """Samples from the start of a window to the start of the next one."""
        return self._window - self._overlap

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples and return the perturbation of the earliest that is settled.

        Shape:
            - Input, Output: ``(time,)``
        """
        self._held = torch.cat([self._held, x])
        parts = [x[:0]]
        while (whole := (len(self._held) - self._window) // self.hop + 1) > 0:
            count = min(whole, WINDOWS_AT_ONCE)
            windows = self._held.unfold(0, self._window, self.hop)[:count]
            parts += [self._join(delta) for delta in self._perturb(windows)]
            self._held = self._held[count * self.hop :]
        self._held = self._held.clone()
        return torch.cat(parts)

    def flush(self) -> Tensor:
        """Return the rest, once the stream has ended.

        Shape:
            - Output: ``(time,)``
        """
        left = len(self._held)
        if self._tail is not None and left <= self._overlap:
            return self._tail[:left]  # the last window ended with the stream
        (delta,) = self._perturb(fit_length(self._held, self._window)[None])
        return torch.cat([self._join(delta), delta[self.hop :]])[:left]

    def _join(self, delta: Tensor) -> Tensor:
        """Return the first ``hop`` samples of a window, cross-faded with the window before."""
        settled = delta[: self.hop].clone()
        if self._tail is not None:
            settled[: self._overlap] *= self._fade
            settled[: self._overlap] += self._tail * self._fade.flip(0)
        self._tail = delta[self.hop :]
        return settled

    def _perturb(self, windows: Tensor) -> Tensor:
        device = self._classifier.device
        targets = torch.full((len(windows),), self._target, device=device)
        start = time.perf_counter()
        x = windows[:, None].contiguous().to(device)
        delta = self._attack.perturb(self._classifier, x, targets, self._budget)[:, 0].cpu()
        self.milliseconds += 1e3 * (time.perf_counter() - start)
        return delta
