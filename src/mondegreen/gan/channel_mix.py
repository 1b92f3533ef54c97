"""Channels that a generator is trained through: for each batch at most one, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from mondegreen.channels import Channel, parse_channel
from mondegreen.channels.streams import Streams
from mondegreen.errors import MondegreenError

_SEEDS = 2**62


@dataclass(frozen=True)
class Passage:
    """What the clips of one batch pass: a channel, and the seed of what it draws."""

    channel: Channel
    seed: int
    before: int = 0
    """Clips of the batch before the first one, which another process holds."""

    def __call__(self, x: Tensor, sample_rate: int) -> Tensor:
        """Return the clips as the classifier gets to hear them, ``(batch, 1, time)``."""
        streams = Streams(())
        if self.channel.random:
            generator = torch.Generator().manual_seed(self.seed)
            streams = Streams.draw(self.before + len(x), generator).after(self.before)
        return self.channel.through(x, sample_rate, streams)


@dataclass(frozen=True)
class ChannelMix:
    """Channels, and how often a batch passes one of them.

    The mean loss over what the channels may do is the expectation over transformation of Athalye
    et al. (2018, https://arxiv.org/abs/1707.07397), drawn batch by batch.
    """

    names: tuple[str, ...]
    channels: tuple[Channel, ...]
    share: float

    @classmethod
    def parse(cls, names: Sequence[str], share: float) -> Self | None:
        """Return the mix of some channels; None where there are none.

        Args:
            names: As :func:`mondegreen.channels.parse_channel` reads them.
            share: Share of the batches that pass one.

        Raises:
            MondegreenError: A channel is not understood, or the share is out of range.
        """
        if not 0.0 <= share <= 1.0:
            raise MondegreenError(f"channel-share is {share}; choose from 0 to 1.")
        if not names or share == 0.0:
            return None
        return cls(tuple(names), tuple(map(parse_channel, names)), share)

    def draw(self, random: torch.Generator) -> Passage | None:
        """Draw what the next batch passes; None for nothing."""
        through = bool(torch.rand((), generator=random) < self.share)
        choice = int(torch.randint(len(self.channels), (), generator=random))
        seed = int(torch.randint(_SEEDS, (), generator=random))
        return Passage(self.channels[choice], seed) if through else None

    def passages(self, seed: int) -> list[Passage]:
        """Return every channel, with a seed that does not change: for validation."""
        return [Passage(channel, seed) for channel in self.channels]
