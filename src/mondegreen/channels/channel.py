"""What every channel can do: what happens to a clip between the attacker and the classifier."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mondegreen.channels.streams import Streams
from mondegreen.errors import MondegreenError


@dataclass(frozen=True, kw_only=True)
class Channel(ABC):
    """A change to clips: same shape, same sample rate, the same result for the same generator.

    Subclasses are frozen dataclasses: their fields are the hyper-parameters, given by keyword and
    shown by ``repr``. Each clip has random numbers of its own, so that its result depends on the
    clip, the generator and its place in the batch, and not on the clips beside it.
    """

    @property
    def straight_through(self) -> bool:
        """Whether a gradient passes as if nothing had happened: the true one is zero or unknown."""
        return False

    @property
    def differentiable(self) -> bool:
        """Whether the gradient is that of the change itself."""
        return not self.straight_through

    @property
    def random(self) -> bool:
        """Whether the result depends on the generator."""
        return False

    @abstractmethod
    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the changed clips; they may exceed [-1, 1], as sound in air may.

        Args:
            x: Waveforms.
            sample_rate: In Hz.
            streams: Random numbers, clip by clip; empty where :attr:`random` is false.

        Shape:
            - Input, output: ``(batch, 1, time)``
        """

    def __call__(
        self, x: Tensor, *, sample_rate: int, generator: torch.Generator | None = None
    ) -> Tensor:
        """Send clips through the channel; what comes out is cut to [-1, 1].

        Args:
            x: Waveforms in [-1, 1].
            sample_rate: In Hz.
            generator: The source of randomness, on the CPU; only a random channel needs it.

        Shape:
            - Input, output: ``(batch, 1, time)``

        Raises:
            MondegreenError: The channel is random and there is no generator, or it cannot carry
                clips of this rate.
            ValueError: ``x`` has another shape or type.
        """
        if not self.random:
            return self.through(x, sample_rate, Streams(()))
        if generator is None:
            raise MondegreenError(f"{self!r} is random; give generator=torch.Generator().")
        return self.through(x, sample_rate, Streams.draw(len(x), generator))

    def through(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Send clips through the channel with streams of their own; see :meth:`__call__`."""
        if x.ndim != 3 or x.shape[1] != 1 or not x.is_floating_point():
            raise ValueError(
                f"expected waveforms (batch, 1, time) of floats, got {tuple(x.shape)}, {x.dtype}"
            )
        if sample_rate <= 0:
            raise ValueError(f"the sample rate must be positive, not {sample_rate} Hz")
        if self.random and len(streams) != len(x):
            raise ValueError(f"{len(x)} clips need as many streams, not {len(streams)}")
        if x.numel() == 0:
            return x
        return self.transform(x, sample_rate, streams).clamp(-1.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Compose(Channel):
    """One channel after the other; only what leaves the last is cut to [-1, 1].

    Example:
        >>> from mondegreen.channels import Clip, Gain
        >>> quieter = Compose(channels=(Clip(level=0.5), Gain(db=-20.0)))
        >>> quieter(torch.ones(1, 1, 2), sample_rate=16_000)
        tensor([[[0.0500, 0.0500]]])
    """

    channels: tuple[Channel, ...]
    """In the order in which the sound passes them."""

    @property
    def straight_through(self) -> bool:
        """Whether any of them is."""
        return any(one.straight_through for one in self.channels)

    @property
    def random(self) -> bool:
        """Whether any of them is."""
        return any(one.random for one in self.channels)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips after the last channel."""
        for one in self.channels:
            x = one.transform(x, sample_rate, streams)
        return x


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return y.view_as(y)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def pass_straight(x: Tensor, y: Tensor) -> Tensor:
    """Return ``y``, with a gradient that reaches ``x`` unchanged (Bengio et al. 2013).

    https://arxiv.org/abs/1308.3432, section 4: the straight-through estimator.

    Shape:
        - x, y, output: the same
    """
    result: Tensor = _StraightThrough.apply(x, y)  # type: ignore[no-untyped-call]
    return result
