"""Low-pass, high-pass and band-pass filters of linear phase (windowed sinc, julius)."""

from __future__ import annotations

from dataclasses import dataclass

from julius.filters import bandpass_filter, highpass_filter
from julius.lowpass import lowpass_filter
from torch import Tensor

from mondegreen.channels.channel import Channel
from mondegreen.channels.streams import Streams
from mondegreen.channels.values import check_number
from mondegreen.errors import MondegreenError

MAX_HZ = 192_000.0


@dataclass(frozen=True, kw_only=True)
class LowPass(Channel):
    """Remove what lies above ``hz``.

    Raises:
        MondegreenError: ``hz`` is out of range.
    """

    hz: float = 4_000.0
    """Cutoff in Hz; at most half of the clips' sample rate."""

    def __post_init__(self) -> None:
        """Check the cutoff."""
        check_number("lowpass", "hz", self.hz, 1.0, MAX_HZ)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the filtered clips."""
        filtered: Tensor = lowpass_filter(x, _share("lowpass", "hz", self.hz, sample_rate))
        return filtered


@dataclass(frozen=True, kw_only=True)
class HighPass(Channel):
    """Remove what lies below ``hz``.

    Raises:
        MondegreenError: ``hz`` is out of range.
    """

    hz: float = 300.0
    """Cutoff in Hz; at most half of the clips' sample rate."""

    def __post_init__(self) -> None:
        """Check the cutoff."""
        check_number("highpass", "hz", self.hz, 1.0, MAX_HZ)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the filtered clips."""
        filtered: Tensor = highpass_filter(x, _share("highpass", "hz", self.hz, sample_rate))
        return filtered


@dataclass(frozen=True, kw_only=True)
class BandPass(Channel):
    """Keep what lies between ``low_hz`` and ``high_hz``: by default a telephone's band.

    Raises:
        MondegreenError: A cutoff is out of range, or they are not in order.
    """

    low_hz: float = 300.0
    """Lower cutoff in Hz."""
    high_hz: float = 3_400.0
    """Upper cutoff in Hz; at most half of the clips' sample rate."""

    def __post_init__(self) -> None:
        """Check the cutoffs."""
        check_number("bandpass", "high_hz", self.high_hz, 1.0, MAX_HZ)
        check_number("bandpass", "low_hz", self.low_hz, 1.0, self.high_hz)

    def transform(self, x: Tensor, sample_rate: int, streams: Streams) -> Tensor:
        """Return the filtered clips."""
        low = _share("bandpass", "low_hz", self.low_hz, sample_rate)
        high = _share("bandpass", "high_hz", self.high_hz, sample_rate)
        filtered: Tensor = bandpass_filter(x, low, high)
        return filtered


def _share(channel: str, option: str, hz: float, sample_rate: int) -> float:
    """Return a cutoff as a share of the sample rate.

    Raises:
        MondegreenError: Clips of this rate hold nothing above it.
    """
    if hz > sample_rate / 2:
        raise MondegreenError(
            f"channel {channel}: {option} is {hz:g}, and clips at {sample_rate} Hz end at "
            f"{sample_rate / 2:g} Hz; choose less."
        )
    return hz / sample_rate
