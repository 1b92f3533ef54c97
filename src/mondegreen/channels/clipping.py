"""Overload: peaks cut off, or rounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number, check_word

Kind = Literal["hard", "soft"]


@dataclass(frozen=True, kw_only=True)
class Clip(Channel):
    """Limit the amplitude to ``level``.

    ``hard`` cuts, and its gradient is zero where it cut; ``soft`` is ``level * tanh(x / level)``.

    Raises:
        MondegreenError: A setting is out of range.

    Example:
        >>> Clip(level=0.25)(torch.tensor([[[0.125, -1.0]]]), sample_rate=16_000)
        tensor([[[ 0.1250, -0.2500]]])
    """

    level: float = 0.25
    """Largest amplitude."""
    kind: Kind = "hard"
    """``hard`` or ``soft``."""

    def __post_init__(self) -> None:
        """Check the settings."""
        check_number("clip", "level", self.level, 1e-6, 1.0)
        check_word("clip", "kind", self.kind, get_args(Kind))

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the limited clips."""
        if self.kind == "hard":
            return x.clamp(-self.level, self.level)
        return self.level * torch.tanh(x / self.level)
