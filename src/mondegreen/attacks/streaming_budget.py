"""A budget for streams: it has to be kept by what has left, without knowing what will come."""

from __future__ import annotations

from collections import deque

from torch import Tensor

from mondegreen.attacks.local_budget import largest_gain
from mondegreen.audio import Normalization, quantize
from mondegreen.budgets import L2, SNR, Budget


class StreamingBudget:
    """Adds a perturbation to a stream, block by block, and keeps a budget.

    * **SNR**: every block of signal earns ``energy * 10^(-db / 10)`` of perturbation, for itself
      and for the blocks of the next clip's length; what is not spent by then is lost. Each block of
      perturbation spends the oldest earnings first. So no block's perturbation is paid for by sound
      from more than a clip's length before, no sound pays twice, and the ratio holds for the stream
      as a whole, after every block.
    * **L2**: the perturbation of any stretch of a clip's length keeps the norm.
    * **Linf**: every sample keeps it.

    All after rounding to 16 bits. Within a block, the gain leads from the last one's end to the
    largest that keeps the budget, along a raised cosine; where even a fall to zero would break it,
    the block is scaled down as a whole.

    Args:
        budget: What to keep; None only rounds.
        clip: Samples of a clip.
        block: Samples of a block.
        normalization: How floats map to PCM.
    """

    def __init__(
        self, budget: Budget | None, clip: int, block: int, normalization: Normalization = "pcm"
    ) -> None:
        self._budget, self._normalization = budget, normalization
        # A stretch that begins within a block ends within another: one more block for L2.
        count = clip // block + 1 if isinstance(budget, SNR) else -(-clip // block)
        self._purse: deque[float] = deque(maxlen=max(1, count))
        self._gain = 1.0

    def add(self, x: Tensor, delta: Tensor) -> Tensor:
        """Return the next block, perturbed.

        Shape:
            - x: ``(channels, time)``
            - delta: ``(time,)``
            - Output: ``(channels, time)``
        """
        delta = delta.expand_as(x)
        if self._budget is None:
            return quantize(x + delta, self._normalization)
        limit = self._limit(x)
        gain = largest_gain(x, delta, limit, self._normalization, start=self._gain)
        x_adv = quantize(x + gain * delta, self._normalization)
        self._gain = float(gain[-1])
        self._spend(float((x_adv - x).double().square().sum()))
        return x_adv

    def _limit(self, x: Tensor) -> Budget:
        """Return what the block may spend, and enter what it earns."""
        if isinstance(self._budget, SNR):
            energy = float(x.double().square().sum())
            self._purse.append(energy * 10.0 ** (-self._budget.db / 10.0))
            return L2(sum(self._purse) ** 0.5)
        if isinstance(self._budget, L2):
            return L2(max(0.0, self._budget.eps**2 - sum(self._purse)) ** 0.5)
        assert self._budget is not None
        return self._budget

    def _spend(self, energy: float) -> None:
        if isinstance(self._budget, L2):
            self._purse.append(energy)
        elif isinstance(self._budget, SNR):
            for position, earned in enumerate(self._purse):
                self._purse[position] = max(0.0, earned - energy)
                energy = max(0.0, energy - earned)
