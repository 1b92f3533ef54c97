"""Fewer bits a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from mondegreen.channels.channel import Channel, pass_straight
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_count, check_word

Dither = Literal["none", "rectangular", "triangular"]


@dataclass(frozen=True, kw_only=True)
class Quantize(Channel):
    """Round to ``2 ** bits`` steps; the gradient passes straight through.

    Dither adds noise before rounding, of one step with a rectangular or of two with a triangular
    distribution; the latter makes the error's mean and power independent of the clip (Lipshitz,
    Wannamaker and Vanderkooy, J. Audio Eng. Soc. 40(5), 1992).

    Raises:
        MondegreenError: A setting is out of range.

    Example:
        >>> import torch
        >>> Quantize(bits=2)(torch.tensor([[[0.3, -0.2, 1.0]]]), sample_rate=16_000)
        tensor([[[0.5000, 0.0000, 0.5000]]])
    """

    bits: int = 8
    """Bits a sample, 2 to 24."""
    dither: Dither = "none"
    """``none``, ``rectangular`` or ``triangular``."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_count("quantize", "bits", self.bits, 2, 24)
        check_word("quantize", "dither", self.dither, get_args(Dither))

    @property
    def straight_through(self) -> bool:
        """Rounding has no gradient."""
        return True

    @property
    def random(self) -> bool:
        """Whether there is dither."""
        return self.dither != "none"

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the rounded clips."""
        full = 2.0 ** (self.bits - 1)
        steps = x.detach() * full
        for _ in range({"none": 0, "rectangular": 1, "triangular": 2}[self.dither]):
            steps = steps + streams.rand(x.shape[2]).to(x) - 0.5
        rounded = steps.round().clamp(-full, full - 1.0) / full + 0.0  # no negative zero
        return pass_straight(x, rounded)
