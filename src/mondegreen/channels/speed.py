"""Faster and higher, or slower and lower."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.interpolation import play
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_range, pick, varies


@dataclass(frozen=True, kw_only=True)
class Speed(Channel):
    """Play each clip at another speed about its middle, as a tape does; zeros fill what is missing.

    Raises:
        MondegreenError: ``rate`` is out of range.
    """

    rate: Range = (0.97, 1.03)
    """Relative speed, or a range of it; above 1 is faster and higher."""

    def __post_init__(self) -> None:
        """Check the speed."""
        check_range("speed", "rate", self.rate, 0.25, 4.0)

    @property
    def random(self) -> bool:
        """Whether clips draw different speeds."""
        return varies(self.rate)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips at their new speeds."""
        time = x.shape[2]
        middle = (time - 1) / 2
        steps = torch.arange(time, dtype=torch.float64, device=x.device) - middle
        rates = pick(self.rate, len(x), streams).tolist()
        played = [
            play(clip, steps * rate + middle, rate)
            for clip, rate in zip(x[:, 0], rates, strict=True)
        ]
        return torch.stack(played)[:, None]
