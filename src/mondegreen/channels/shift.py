"""Earlier or later."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_range, pick, varies
from mondegreen.data.augment import shift


@dataclass(frozen=True, kw_only=True)
class Shift(Channel):
    """Delay each clip by whole samples; zeros fill the gap, and what leaves the clip is lost.

    Raises:
        MondegreenError: ``ms`` is out of range.

    Example:
        >>> import torch
        >>> Shift(ms=1000.0)(torch.tensor([[[1.0, 0.5, 0.25]]]), sample_rate=1)
        tensor([[[0.0000, 1.0000, 0.5000]]])
    """

    ms: Range = (-20.0, 20.0)
    """Delay in milliseconds, or a range of it; negative is earlier."""

    def __post_init__(self) -> None:
        """Check the delay."""
        check_range("shift", "ms", self.ms, -60_000.0, 60_000.0)

    @property
    def random(self) -> bool:
        """Whether clips draw different delays."""
        return varies(self.ms)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the shifted clips."""
        delay = pick(self.ms, len(x), streams) * (sample_rate / 1000.0)
        return shift(x, delay.round().long())
