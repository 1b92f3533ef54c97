"""A budget kept in every stretch of a recording, with a gain that has no steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mondegreen.attacks.joining import fade_in
from mondegreen.audio import Normalization, quantize
from mondegreen.budgets import Budget

_BISECTIONS = 24


def ramp(start: float, stop: float, samples: int) -> Tensor:
    """Return a raised cosine from ``start`` to ``stop``.

    Shape:
        - Output: ``(samples,)``
    """
    return start + (stop - start) * fade_in(samples)


@torch.no_grad()
def largest_gain(
    x: Tensor,
    delta: Tensor,
    budget: Budget,
    normalization: Normalization = "pcm",
    start: float | None = None,
) -> Tensor:
    """Return the largest gain in [0, 1] whose perturbed samples, rounded to 16 bits, keep a budget.

    Rounded samples move away from ``x`` monotonically with the gain, so bisection finds it.

    Args:
        x: Samples on the 16-bit grid.
        delta: Their perturbation.
        budget: What to keep.
        normalization: How floats map to PCM.
        start: Gain of the sample before; the gain then leads from there to the largest that can be
            reached. Where no end keeps the budget, all of it is scaled down.

    Shape:
        - x, delta: ``(channels, time)``
        - Output: ``(time,)``
    """
    bound = budget.bound(x[None])

    def kept(gain: Tensor) -> bool:
        rounded = quantize(x + gain * delta, normalization) - x
        return bool(budget.norm(rounded[None]) <= bound)

    def towards(end: float) -> Tensor:
        first = end if start is None else start
        return ramp(first, end, x.shape[1])

    if kept(towards(1.0)):
        return towards(1.0)
    fall = towards(0.0)
    if start is None or kept(fall):
        return _bisect(towards, kept)
    return _bisect(lambda scale: scale * fall, kept)


def _bisect(curve: Callable[[float], Tensor], kept: Callable[[Tensor], bool]) -> Tensor:
    """Return the curve of the largest number in [0, 1] found to be kept; that of 0 always is."""
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if kept(curve(middle)) else (low, middle)
    return curve(low)


class LocalBudget:
    """Adds a perturbation to a stream so that every stretch of it keeps the budget.

    A stretch's gain is the largest at which it keeps the budget after rounding. From a stretch to a
    neighbour with a smaller gain it falls to that gain within its own last (or first) ``ramp``
    samples: no sample's gain exceeds its stretch's, so the budget holds, and it has no steps.

    Args:
        budget: What to keep; None only rounds.
        stretch: Samples of a stretch; the last one of a stream is shorter.
        ramp_samples: Samples that a change of the gain takes.
        normalization: How floats map to PCM.
    """

    def __init__(
        self,
        budget: Budget | None,
        stretch: int,
        ramp_samples: int,
        normalization: Normalization = "pcm",
    ) -> None:
        self._budget, self._normalization = budget, normalization
        self._stretch, self._ramp = stretch, ramp_samples
        self._held: Tensor | None = None  # (2, channels, time): x and delta, not yet a stretch
        self._waiting: tuple[Tensor, Tensor, float] | None = None  # until the next gain is known
        self._before = 1.0  # gain of the stretch before the waiting one

    def push(self, x: Tensor, delta: Tensor) -> Tensor:
        """Take the next samples and their perturbation, return the earliest that are settled.

        Shape:
            - x, delta, Output: ``(channels, time)``
        """
        if self._budget is None:
            return quantize(x + delta, self._normalization)
        pair = torch.stack([x, delta.expand_as(x)])
        held = pair if self._held is None else torch.cat([self._held, pair], dim=2)
        parts = [x[:, :0]]
        while held.shape[2] >= self._stretch:
            parts.append(self._settle(held[..., : self._stretch]))
            held = held[..., self._stretch :]
        self._held = held.clone()
        return torch.cat(parts, dim=1)

    def flush(self, empty: Tensor) -> Tensor:
        """Return the rest, once the stream has ended.

        Args:
            empty: No samples, of the stream's channels.

        Shape:
            - empty: ``(channels, 0)``
            - Output: ``(channels, time)``
        """
        parts = [empty]
        if self._held is not None and self._held.shape[2] > 0:
            parts.append(self._settle(self._held))
        if self._waiting is not None:
            parts.append(self._apply(self._waiting[2]))
        return torch.cat(parts, dim=1)

    def _settle(self, pair: Tensor) -> Tensor:
        """Measure a stretch's gain and return the stretch before it, whose end is now known."""
        assert self._budget is not None
        x, delta = pair
        gain = float(largest_gain(x, delta, self._budget, self._normalization)[0])
        done = x[:, :0] if self._waiting is None else self._apply(gain)
        self._before = gain if self._waiting is None else self._waiting[2]
        self._waiting = (x, delta, gain)
        return done

    def _apply(self, after: float) -> Tensor:
        """Return the waiting stretch, perturbed; ``after`` is the gain of the one that follows."""
        assert self._waiting is not None
        x, delta, own = self._waiting
        count = min(self._ramp, x.shape[1])
        gain = torch.full((x.shape[1],), own)
        if self._before < own:
            gain[:count] = ramp(self._before, own, count)
        if after < own:
            gain[-count:] = torch.minimum(gain[-count:], ramp(own, after, count))
        return quantize(x + gain * delta, self._normalization)
