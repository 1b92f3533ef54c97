"""Attacking a stream causally: sound goes in and leaves perturbed a fixed time later."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.attacks.attack import Attack
from mondegreen.attacks.joining import fade_in
from mondegreen.attacks.streaming_budget import StreamingBudget
from mondegreen.audio import fit_length, quantize
from mondegreen.budgets import Budget
from mondegreen.classifiers.classifier import Classifier
from mondegreen.errors import MondegreenError
from mondegreen.resampling import Resampler


@dataclass(frozen=True)
class StreamingOptions:
    """What the latency of a stream is made of."""

    block_ms: float = 256.0
    """Milliseconds of sound that are perturbed at once."""
    lookahead_ms: float = 16.0
    """Milliseconds known beyond a block before it leaves; neighbours are cross-faded over them."""

    def __post_init__(self) -> None:
        """Refuse times that cannot be."""
        for name, value in (("block", self.block_ms), ("lookahead", self.lookahead_ms)):
            if not 0.0 < value < 60_000.0:
                raise MondegreenError(
                    f"--{name}-ms {value:g}: give a number of milliseconds above 0."
                )


class Streaming:
    """Perturbs a stream block by block; a sample that leaves depends on no later sample.

    With every full block, the attack perturbs the window of a clip's length that ends with the
    newest sample. Of it, the block that ends ``lookahead`` earlier leaves, cross-faded over the
    lookahead with the version of it in the window before. What leaves is the input, perturbed,
    exactly :attr:`delay` = block + lookahead samples later; silence leaves first. Computing takes
    :attr:`milliseconds`, which is not part of the latency: it has to stay below the sound's own
    duration.

    The budget is kept causally and after rounding to 16 bits, see :class:`StreamingBudget`.

    Args:
        attack: The attack; its perturbation is made from the mean of the channels.
        classifier: The frozen classifier.
        target: Label to reach.
        budget: How large the perturbation may be; None sets no limit.
        options: Length of block and lookahead.
        sample_rate: Of the stream in Hz; by default the classifier's.
        channels: Of the stream.

    Raises:
        MondegreenError: Block and lookahead are longer than a clip, or the target is no label.
    """

    def __init__(
        self,
        attack: Attack,
        classifier: Classifier,
        target: str,
        budget: Budget | None,
        options: StreamingOptions | None = None,
        *,
        sample_rate: int | None = None,
        channels: int = 1,
    ) -> None:
        options = options or StreamingOptions()
        rate = sample_rate or classifier.sample_rate
        self._attack, self._classifier, self._budget = attack, classifier, budget
        self._target = torch.tensor([classifier.label_index(target)])
        self._rate = rate
        self._block = max(1, round(options.block_ms * rate / 1e3))
        self._lookahead = max(1, round(options.lookahead_ms * rate / 1e3))
        self._window = max(1, -(-classifier.clip_samples * rate // classifier.sample_rate))
        if self.delay > self._window:
            raise MondegreenError(
                f"--block-ms {options.block_ms:g} and --lookahead-ms {options.lookahead_ms:g} are "
                f"together longer than a clip of {1e3 * self._window / rate:g} ms; use less."
            )
        self._down = Resampler(rate, classifier.sample_rate)
        self._up = Resampler(classifier.sample_rate, rate)
        self._limit = StreamingBudget(budget, self._window, self._block, classifier.normalization)
        self._fade = fade_in(min(self._lookahead, self._block))
        blank = torch.zeros(channels, self._window)
        self._heard = quantize(blank, classifier.normalization)  # the newest samples
        self._new = torch.zeros(channels, 0)  # of a block that is not full yet
        self._ready = torch.zeros(channels, self.delay)  # to leave next
        self._before: int = self._lookahead  # samples to come out that lie before the stream
        self._tail = torch.zeros(self._lookahead)  # end of the last perturbation
        self.milliseconds = 0.0
        self.slowest_ms = 0.0
        """The longest time that a block took."""

    @property
    def delay(self) -> int:
        """Samples by which the sound leaves later than it came in: block and lookahead."""
        return self._block + self._lookahead

    @property
    def latency_ms(self) -> float:
        """The delay in milliseconds."""
        return 1e3 * self.delay / self._rate

    @property
    def block_ms(self) -> float:
        """Duration of a block in milliseconds, in whole samples."""
        return 1e3 * self._block / self._rate

    def push(self, x: Tensor) -> Tensor:
        """Take the next samples and return as many, of :attr:`delay` samples before.

        Shape:
            - Input, Output: ``(channels, time)``
        """
        parts, count = [self._ready], x.shape[1]
        self._new = torch.cat([self._new, quantize(x, self._classifier.normalization)], dim=1)
        while self._new.shape[1] >= self._block:
            parts.append(self._advance(self._new[:, : self._block]))
            self._new = self._new[:, self._block :]
        ready = torch.cat(parts, dim=1)
        self._ready, self._new = ready[:, count:].clone(), self._new.clone()
        return ready[:, :count]

    def flush(self) -> Tensor:
        """Return the last :attr:`delay` samples, once the stream has ended.

        Shape:
            - Output: ``(channels, delay)``
        """
        return self.push(torch.zeros(len(self._heard), self.delay))

    def _advance(self, block: Tensor) -> Tensor:
        """Hear a block and return the block that may leave now."""
        start = time.perf_counter()
        self._heard = torch.cat([self._heard[:, self._block :], block], dim=1)
        delta = self._perturb()
        first, last = self._window - self.delay, self._window - self._lookahead
        own = delta[first:last].clone()
        count = len(self._fade)
        own[:count] = own[:count] * self._fade + self._tail[:count] * self._fade.flip(0)
        self._tail = delta[last:].clone()
        x_adv = self._limit.add(self._heard[:, first:last], own)
        skipped = min(self._before, self._block)
        self._before -= skipped
        spent = 1e3 * (time.perf_counter() - start)
        self.milliseconds += spent
        self.slowest_ms = max(self.slowest_ms, spent)
        return x_adv[:, skipped:]

    def _perturb(self) -> Tensor:
        """Return the perturbation of the window that ends now, at the stream's own rate."""
        low = fit_length(self._down(self._heard.mean(dim=0)), self._classifier.clip_samples)
        device = self._classifier.device
        x, target = low.clamp(-1.0, 1.0)[None, None].to(device), self._target.to(device)
        delta = self._attack.perturb(self._classifier, x, target, self._budget)
        return fit_length(self._up(delta[0, 0].cpu()), self._window)
