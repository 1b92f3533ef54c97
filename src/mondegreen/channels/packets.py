"""Packets that never arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number, check_word

Conceal = Literal["repeat", "zero"]

_FADE = 0.5


@dataclass(frozen=True, kw_only=True)
class Packets(Channel):
    """Lose packets, each on its own, and hide the loss.

    ``repeat`` plays the last packet that arrived again, half as loud each time, as simple telephone
    receivers do (in the manner of ITU-T G.711 appendix I, without its search for the pitch);
    ``zero`` plays nothing. The gradient is that of what is played.

    Raises:
        MondegreenError: A setting is out of range.
    """

    loss: float = 0.02
    """Share of the packets that are lost."""
    ms: float = 20.0
    """Length of a packet in milliseconds."""
    conceal: Conceal = "repeat"
    """``repeat`` or ``zero``."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number("packets", "loss", self.loss, 0.0, 1.0)
        check_number("packets", "ms", self.ms, 1.0, 1_000.0)
        check_word("packets", "conceal", self.conceal, get_args(Conceal))

    @property
    def random(self) -> bool:
        """Whether packets can be lost."""
        return self.loss > 0.0

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return what the receiver plays."""
        if not self.random:
            return x
        size = max(1, round(self.ms * sample_rate / 1000.0))
        packets = -(-x.shape[2] // size)
        padded = torch.nn.functional.pad(x, (0, packets * size - x.shape[2]))
        arrived = streams.rand(packets)[:, 0] >= self.loss
        place = torch.arange(packets)
        last = torch.where(arrived, place, torch.full_like(place, -1)).cummax(dim=1).values
        level = _FADE ** (place - last).to(torch.float32)
        level = level * (arrived if self.conceal == "zero" else last >= 0)
        sent = padded.view(len(x), packets, size)
        source = last.clamp(min=0).to(x.device)[:, :, None].expand_as(sent)
        played = sent.gather(1, source) * level.to(x)[:, :, None]
        return played.reshape(len(x), 1, -1)[:, :, : x.shape[2]]
