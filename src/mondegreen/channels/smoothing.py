"""Weighted means of neighbouring samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.median import refuse_even
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_count, check_word

Window = Literal["mean", "gaussian"]

_DEVIATIONS = 2.0  # of the Gaussian on each side of its middle


@dataclass(frozen=True, kw_only=True)
class Smooth(Channel):
    """Replace each sample by a mean of those around it; the ends are repeated.

    Raises:
        MondegreenError: A setting is out of range.

    Example:
        >>> x = torch.tensor([[[0.0, 0.3, 0.6, 0.6]]])
        >>> Smooth(samples=3)(x, sample_rate=16_000)
        tensor([[[0.1000, 0.3000, 0.5000, 0.6000]]])
    """

    samples: int = 5
    """Length of the window, an odd number."""
    kind: Window = "mean"
    """``mean``, of equal weights, or ``gaussian``, whose window ends at two standard deviations."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_count("smooth", "samples", self.samples, 3, 101)
        check_word("smooth", "kind", self.kind, get_args(Window))
        refuse_even("smooth", self.samples)

    def weights(self) -> Tensor:
        """Return the weights, ``(samples,)``, which add up to one."""
        place = torch.linspace(-_DEVIATIONS, _DEVIATIONS, self.samples, dtype=torch.float64)
        weights = (
            (-0.5 * place.square()).exp()
            if self.kind == "gaussian"
            else torch.ones(self.samples, dtype=torch.float64)
        )
        return weights / weights.sum()

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the smoothed clips."""
        side = self.samples // 2
        padded = torch.nn.functional.pad(x, (side, side), mode="replicate")
        return torch.nn.functional.conv1d(padded, self.weights().to(x)[None, None])
