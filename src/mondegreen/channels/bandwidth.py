"""A lower sample rate on the way."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mondegreen.audio import fit_length, resample
from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_count


@dataclass(frozen=True, kw_only=True)
class Resample(Channel):
    """Resample to ``hz`` and back (windowed sinc, julius): what lies above ``hz / 2`` is lost.

    Raises:
        MondegreenError: ``hz`` is out of range.
    """

    hz: int = 8_000
    """Sample rate on the way, in Hz."""

    def __post_init__(self) -> None:
        """Check the rate."""
        check_count("resample", "hz", self.hz, 100, 384_000)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the clips at their own rate again."""
        there = resample(x, sample_rate, self.hz)
        return fit_length(resample(there, self.hz, sample_rate), x.shape[2])
