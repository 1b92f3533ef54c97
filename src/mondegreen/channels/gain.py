"""Louder or quieter."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import Range, check_range, pick, varies


@dataclass(frozen=True, kw_only=True)
class Gain(Channel):
    """Multiply each clip by ``10 ** (db / 20)``.

    Raises:
        MondegreenError: ``db`` is out of range.
    """

    db: Range = -6.0
    """Change of level in dB, or a range of it."""

    def __post_init__(self) -> None:
        """Check the level."""
        check_range("gain", "db", self.db, -120.0, 60.0)

    @property
    def random(self) -> bool:
        """Whether clips draw different levels."""
        return varies(self.db)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips at their new levels."""
        factor = 10.0 ** (pick(self.db, len(x), streams) / 20.0)
        return x * factor.to(x)[:, None, None]
