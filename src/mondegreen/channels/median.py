"""The middle one of neighbouring samples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_count
from mondegreen.errors import MondegreenError


@dataclass(frozen=True, kw_only=True)
class Median(Channel):
    """Replace each sample by the median of those around it; the ends are repeated.

    The gradient is the true one almost everywhere: it reaches the sample that was chosen.

    Raises:
        MondegreenError: ``samples`` is even or out of range.

    Example:
        >>> Median(samples=3)(torch.tensor([[[0.1, 0.9, 0.2, 0.3]]]), sample_rate=16_000)
        tensor([[[0.1000, 0.2000, 0.3000, 0.3000]]])
    """

    samples: int = 5
    """Length of the window, an odd number."""

    def __post_init__(self) -> None:
        """Check the length."""
        check_count("median", "samples", self.samples, 3, 101)
        refuse_even("median", self.samples)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the filtered clips."""
        side = self.samples // 2
        padded = torch.nn.functional.pad(x, (side, side), mode="replicate")
        return padded.unfold(2, self.samples, 1).median(dim=3).values


def refuse_even(channel: str, samples: int) -> None:
    """Refuse a window without a sample in its middle.

    Raises:
        MondegreenError: ``samples`` is even.
    """
    if samples % 2 == 0:
        raise MondegreenError(
            f"channel {channel}: samples is {samples}; give an odd number, so that the window has "
            "a middle."
        )
